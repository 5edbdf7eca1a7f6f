"""What an exported file says of management groups in, the place of each subscription below them out."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
from msgspec import Raw, Struct

from governor.core import ids

_GROUPS: Final = "/providers/microsoft.management/managementgroups/"


class _Parent(Struct, frozen=True):
    id: str = ""


class _Details(Struct, frozen=True):
    parent: _Parent | None = None


class _Properties(Struct, frozen=True):
    details: _Details | None = None


class _Group(Struct, frozen=True):
    id: str
    properties: _Properties | None = None


def is_of_groups(resource_id: str) -> bool:
    """An id in, whether it is that of a management group, or of a subscription's place in one, out."""
    return resource_id.casefold().startswith(_GROUPS)


def entities(rows: Iterable[Raw]) -> Mapping[str, bytes]:
    """Rows of management groups and of the subscriptions in them in; by key, each subscription's entity out.

    A subscription whose groups do not all stand in the rows is left out: what is above it is not known.
    """
    names: dict[str, str] = {}
    parents: dict[str, str] = {}
    places: dict[str, str] = {}
    for row in rows:
        group = msgspec.json.decode(row, type=_Group)
        name, _, member = group.id[len(_GROUPS) :].strip("/").partition("/subscriptions/")
        if member:
            places[member] = name.casefold()
            continue
        names[name.casefold()] = name
        details = group.properties.details if group.properties else None
        if details and details.parent and details.parent.id:
            parents[name.casefold()] = ids.name(details.parent.id).casefold()
    found: dict[str, bytes] = {}
    for subscription, lowest in places.items():
        chain: list[str] = []
        above: str | None = lowest
        while above in names and names[above] not in chain:
            chain.insert(0, names[above])
            above = parents.get(above)
        if above is None:
            entity = ids.entity(subscription)
            found[ids.key(entity)] = msgspec.json.encode({"id": entity, "properties": {"parentNameChain": chain}})
    return found
