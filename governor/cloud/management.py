"""Management groups: which subscriptions lie below them, and which of them lie above a subscription."""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from governor.cloud import versions
from governor.cloud.arm import Arm
from governor.core import ids
from governor.core.estate import Gap, Reading
from governor.ports import Absent, Refused, Terminal

_MANAGEMENT: Final = "/providers/Microsoft.Management"
_GROUPS: Final = f"{_MANAGEMENT}/managementGroups"


class _Named(Struct):
    id: str


class _Chain(Struct, frozen=True, rename="camel"):
    parent_name_chain: tuple[str, ...] = ()


class _Entity(Struct):
    name: str
    properties: _Chain = _Chain()


class _InTenant(Struct, rename="camel"):
    tenant_id: str = ""


class _Entities(Struct):
    value: tuple[_Entity, ...] = ()


async def subscriptions(arm: Arm, scopes: Sequence[str]) -> tuple[str, ...]:
    """Ids of subscriptions and names of management groups in (none: all that can be read), subscriptions out."""
    found: set[str] = set()
    if not scopes:
        found |= await _subscriptions_in(arm, "/subscriptions", versions.SUBSCRIPTIONS)
    for scope in scopes:
        name = scope.rstrip("/").rpartition("/")[2]
        if ids.is_subscription(name) and not _is_group(scope):
            found.add(name.casefold())
        else:
            found |= await _subscriptions_in(arm, f"{_GROUPS}/{name}/descendants", versions.MANAGEMENT)
    return tuple(sorted(found))


async def tenant(arm: Arm, subscription: str) -> str:
    """A subscription in, the id of the tenant it belongs to out; "" where it is not shown."""
    try:
        return msgspec.json.decode(await arm.get(f"/subscriptions/{subscription}"), type=_InTenant).tenant_id
    except (Absent, Refused, Terminal, msgspec.DecodeError):
        return ""


async def entity(arm: Arm, resource_id: str) -> Reading:
    """The id of a subscription's entity in, the names of the management groups above it out, the root first."""
    subscription = ids.name(resource_id)
    url = arm.url(f"{_MANAGEMENT}/getEntities", versions.MANAGEMENT, filter=f"name eq '{subscription}'")
    try:
        found = msgspec.json.decode((await arm.post(url)).body, type=_Entities)
    except (Absent, Refused, Terminal, msgspec.DecodeError) as why:
        return Reading(gaps=(Gap(ids.key(resource_id), str(why)),))
    chain = next((e.properties.parent_name_chain for e in found.value if ids.same(e.name, subscription)), ())
    return above(subscription, chain)


def above(subscription: str, chain: Sequence[str]) -> Reading:
    """A subscription and the names of the management groups above it, the root first, in; the fact about it out.

    There is a root above every subscription: nothing above it means that the identity may not see it.
    """
    resource_id = ids.entity(subscription)
    if not chain:
        return Reading(gaps=(Gap(ids.key(resource_id), "the management groups above it are not shown"),))
    return Reading(bodies=(msgspec.json.encode({"id": resource_id, "properties": {"parentNameChain": chain}}),))


def _is_group(scope: str) -> bool:
    return scope.casefold().startswith(f"{_GROUPS}/".casefold())


async def _subscriptions_in(arm: Arm, path: str, version: str) -> set[str]:
    named = (msgspec.json.decode(raw, type=_Named).id for raw in await arm.elements(path, version))
    return {ids.parse(one).subscription.casefold() for one in named if ids.kind(one) == ids.SUBSCRIPTION}
