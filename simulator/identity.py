"""Who calls: the Authorization header in, a Principal out. Any bearer token is accepted; roles are not judged."""

import base64
import binascii
import uuid

import msgspec

from simulator import errors
from simulator.wire import Body, Request, text

TENANT = "5e000000-0000-4000-8000-000000000001"
OWNER_OBJECT = "5e000000-0000-4000-8000-000000000002"
OWNER_APPLICATION = "5e000000-0000-4000-8000-000000000003"


class Principal(msgspec.Struct, frozen=True):
    """The object and application behind a token."""

    object_id: str
    application_id: str
    tenant_id: str
    type: str = "ServicePrincipal"


OWNER = Principal(OWNER_OBJECT, OWNER_APPLICATION, TENANT)


def principal_of(request: Request) -> Principal:
    """A request in, its caller out; ARM's 401 without a bearer token."""
    token = _token(request)
    if not token:
        raise errors.unauthenticated()
    if token == "simulator":
        return OWNER
    said = claims(request)
    made_up = str(uuid.uuid5(uuid.NAMESPACE_URL, token))
    return Principal(
        object_id=text(said.get("oid")) or made_up,
        application_id=text(said.get("appid")) or text(said.get("azp")) or made_up,
        tenant_id=text(said.get("tid")) or TENANT,
        type="User" if said.get("idtyp") == "user" else "ServicePrincipal",
    )


def claims(request: Request) -> Body:
    """A request in, the claims of its JWT out; nothing when its token is none. Signatures are not looked at."""
    parts = _token(request).split(".")
    if len(parts) != 3:
        return {}
    try:
        payload = msgspec.json.decode(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, msgspec.DecodeError, ValueError):
        return {}
    return payload if isinstance(payload, dict) else {}


def _token(request: Request) -> str:
    """A request in, its bearer token out; empty without one."""
    scheme, _, token = (request.header("Authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
