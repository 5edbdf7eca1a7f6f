"""Who calls: the Authorization header in, a Principal out. Any bearer token is one; access.py says what it may do."""

import base64
import binascii
import uuid
from functools import cached_property

import msgspec

from simulator import errors
from simulator.wire import Body, Request, text

TENANT = "5e000000-0000-4000-8000-000000000001"
OWNER_OBJECT = "5e000000-0000-4000-8000-000000000002"
OWNER_APPLICATION = "5e000000-0000-4000-8000-000000000003"
AKS_OBJECT = "5e000000-0000-4000-8000-000000000004"
EVERYBODY = "00000000-0000-0000-0000-000000000000"
"""Whom a deny assignment names that is meant for all principals."""


class Principal(msgspec.Struct, frozen=True, dict=True):
    """The object and application behind a token, and the groups the object is in."""

    object_id: str
    application_id: str
    tenant_id: str
    type: str = "ServicePrincipal"
    groups: tuple[str, ...] = ()

    @cached_property
    def ids(self) -> frozenset[str]:
        """The ids, in lower case, under which an assignment can mean it."""
        return frozenset(one.casefold() for one in (self.object_id, *self.groups, EVERYBODY))


OWNER = Principal(OWNER_OBJECT, OWNER_APPLICATION, TENANT)
AKS = Principal(AKS_OBJECT, "7319c514-987d-4e9b-ac3d-d38c4f427f4c", TENANT)
"""The service itself, under its real application id: what it does in node resource groups is done by this one."""


def principal_of(request: Request) -> Principal:
    """A request in, its caller out; ARM's 401 without a bearer token."""
    scheme, _, token = (request.header("Authorization") or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise errors.unauthenticated()
    if token == "simulator":
        return OWNER
    claims = _claims(token)
    made_up = object_id_of(token)
    groups = claims.get("groups")
    return Principal(
        object_id=text(claims.get("oid")) or made_up,
        application_id=text(claims.get("appid")) or text(claims.get("azp")) or made_up,
        tenant_id=text(claims.get("tid")) or TENANT,
        type="User" if claims.get("idtyp") == "user" else "ServicePrincipal",
        groups=tuple(map(text, groups)) if isinstance(groups, list) else (),
    )


def object_id_of(name: str) -> str:
    """A token that is no JWT in, the object id of its principal out; always the same."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


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
