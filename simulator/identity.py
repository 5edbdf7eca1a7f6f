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
    scheme, _, token = (request.header("Authorization") or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise errors.unauthenticated()
    if token == "simulator":
        return OWNER
    claims = _claims(token)
    made_up = str(uuid.uuid5(uuid.NAMESPACE_URL, token))
    return Principal(
        object_id=text(claims.get("oid")) or made_up,
        application_id=text(claims.get("appid")) or text(claims.get("azp")) or made_up,
        tenant_id=text(claims.get("tid")) or TENANT,
        type="User" if claims.get("idtyp") == "user" else "ServicePrincipal",
    )


def _claims(token: str) -> Body:
    """A token in, the claims of a JWT out; nothing when it is none. Signatures are not looked at."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        payload = msgspec.json.decode(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, msgspec.DecodeError, ValueError):
        return {}
    return payload if isinstance(payload, dict) else {}


def ends_at(request: Request) -> float | None:
    """A request in, when its JWT's time is over (in seconds since 1970) out; None when that is not said."""
    ends = _claims((request.header("Authorization") or "").rpartition(" ")[2]).get("exp")
    return ends if isinstance(ends, int | float) else None
