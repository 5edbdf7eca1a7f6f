"""One side of a peering, as a value: raw bodies of peerings in, wanted bodies out."""

import copy
import hashlib
from typing import Any, Final

from msgspec import UNSET, Struct, UnsetType

from governor.core import ids

Body = dict[str, Any]
IN_SYNC: Final = "FullyInSync"
_FLAGS: Final = (
    ("allowVirtualNetworkAccess", "allow_virtual_network_access"),
    ("allowForwardedTraffic", "allow_forwarded_traffic"),
    ("allowGatewayTransit", "allow_gateway_transit"),
    ("useRemoteGateways", "use_remote_gateways"),
)


class Flags(Struct, frozen=True, omit_defaults=True):
    """The flags of one side that the governor writes. UNSET: left as it is."""

    allow_virtual_network_access: bool | UnsetType = UNSET
    allow_forwarded_traffic: bool | UnsetType = UNSET
    allow_gateway_transit: bool | UnsetType = UNSET
    use_remote_gateways: bool | UnsetType = UNSET


class WritePeering(Struct, frozen=True, omit_defaults=True, tag="WritePeering", tag_field="step"):
    """One side of a peering. was: the flags that the plan saw of those it writes; None: there was no peering.

    sync: the other network's address space has changed since, and is taken over.
    """

    target: str
    remote: str
    to: Flags
    was: Flags | None = None
    sync: bool = False


class DeletePeering(Struct, frozen=True, tag="DeletePeering", tag_field="step"):
    """The inverse of a WritePeering that found nothing."""

    target: str
    remote: str


def name_for(remote: str) -> str:
    """The id of the network on the other side in, the name of our peering with it out: no two networks share one."""
    return f"egress-{ids.name(remote)[:60]}-{hashlib.sha256(ids.key(remote).encode()).hexdigest()[:6]}"


def edited(step: WritePeering, body: Body | None) -> Body:
    """A side to write and its raw body (None: absent) in, the wanted body out: the very same when it holds."""
    there = (body or {}).get("properties") or {}
    behind, cut = step.sync and is_behind(there.get("peeringSyncLevel")), is_cut(there.get("peeringState"))
    if body is not None and not behind and not cut and _holds(step.to, body):
        return body
    wanted: Body = {} if body is None else copy.deepcopy(body)
    properties: Body = wanted.setdefault("properties", {})
    # Azure says itself what becomes of these two; a body that asks for it is one that is sent.
    if behind:
        properties["peeringSyncLevel"] = IN_SYNC
    if cut:
        properties["peeringState"] = "Initiated"
    if body is None:
        properties["remoteVirtualNetwork"] = {"id": step.remote}
    for json, member in _FLAGS:
        if getattr(step.to, member) is not UNSET:
            properties[json] = getattr(step.to, member)
    return wanted


def is_behind(sync_level: str | None) -> bool:
    """A peeringSyncLevel in, whether this side does not know the other network's present address space out.

    Where only the remote is not in sync, the other side does not know ours, and is the one to be written.
    """
    return (sync_level or "").casefold() in ("localnotinsync", "localandremotenotinsync")


def is_cut(state: str | None) -> bool:
    """A peeringState in, whether the other side was deleted out: any write of what is left makes it Initiated again."""
    return (state or "").casefold() == "disconnected"


def conflict(step: WritePeering | DeletePeering, body: Body | None) -> str | None:
    """A side to write or to take away and its raw body in, why it no longer fits out."""
    if body is None:
        gone = isinstance(step, WritePeering) and step.was is not None
        return "the peering is gone" if gone else None
    properties = body.get("properties") or {}
    there = (properties.get("remoteVirtualNetwork") or {}).get("id") or ""
    if not ids.same(there, step.remote):
        return f"a peering of this name leads to {ids.name(there) or 'nowhere'}"
    if isinstance(step, DeletePeering) or _holds(step.to, body):
        return None
    for json, member in _FLAGS:
        was = UNSET if step.was is None else getattr(step.was, member)
        found = _flag(properties, json)
        if was is not UNSET and found not in (was, getattr(step.to, member)):
            return f"{json} was {was} when the plan was made and is {found} now"
    return None


def intended(step: WritePeering) -> frozenset[tuple[str, ...]]:
    """A side to write in, the paths of members it means to change out."""
    flags = {("properties", json) for json, member in _FLAGS if getattr(step.to, member) is not UNSET}
    # Azure fills these in, from the other network, with every write.
    follow = ("peeringSyncLevel", "remoteAddressSpace", "remoteVirtualNetworkAddressSpace", "peeringState")
    return frozenset(flags | {("properties", member) for member in follow})


def _holds(to: Flags, body: Body) -> bool:
    properties = body.get("properties") or {}
    return all(
        getattr(to, member) is UNSET or _flag(properties, json) == getattr(to, member) for json, member in _FLAGS
    )


def _flag(properties: Body, json: str) -> bool:
    """A flag of a body; only access is allowed where Azure leaves it out."""
    value = properties.get(json)
    return bool(json == "allowVirtualNetworkAccess" if value is None else value)
