"""Route tables and their routes: what is made and written into them, as values; raw bodies in, wanted bodies out.

A table is made whole, with a PUT that no table may answer to yet; afterwards each route is a PUT of its own, because a
PUT of a table removes every route that it does not name (facts/azure.md 1.1).
"""

import copy
from typing import Any, Final

from msgspec import Struct

from governor.core import ids

Body = dict[str, Any]
EVERYTHING: Final = "0.0.0.0/0"
APPLIANCE: Final = "VirtualAppliance"
INTERNET: Final = "Internet"
# On a table that the governor made: the network it was made for. It only ever keeps others away.
NETWORK_TAG: Final = "egress-governor-network"


class RouteTo(Struct, frozen=True, omit_defaults=True):
    """A route: a prefix or service tag, and where it goes; `address` is that of an appliance."""

    name: str
    prefix: str
    hop: str
    address: str = ""

    @property
    def way(self) -> tuple[str, str]:
        """Where it goes, to be compared."""
        return self.hop.casefold(), self.address

    def __str__(self) -> str:
        return f"{self.prefix} -> {self.address or self.hop}"


NOWHERE: Final = RouteTo("no-way-out", EVERYTHING, "None")


class CreateRouteTable(Struct, frozen=True, omit_defaults=True, tag="CreateRouteTable", tag_field="step"):
    """A route table of our own with all its routes: without more said, one that sends everything nowhere."""

    target: str
    location: str
    tags: dict[str, str] = {}
    routes: tuple[RouteTo, ...] = (NOWHERE,)
    disable_bgp_route_propagation: bool = True


class WriteRoute(Struct, frozen=True, omit_defaults=True, tag="WriteRoute", tag_field="step"):
    """One route of a table that is there already. was: what the plan saw under its name; None: nothing."""

    target: str
    to: RouteTo
    was: RouteTo | None = None


class DeleteRoute(Struct, frozen=True, tag="DeleteRoute", tag_field="step"):
    """The inverse of a WriteRoute that found nothing; a route that has become another one stays."""

    target: str
    was: RouteTo


class WritePropagation(Struct, frozen=True, tag="WritePropagation", tag_field="step"):
    """Whether a table of the governor's own ignores what gateways have learned (disableBgpRoutePropagation)."""

    target: str
    disabled: bool
    was: bool


def created(step: CreateRouteTable) -> Body:
    """A table to make in, its body out."""
    return {
        "location": step.location,
        "tags": dict(step.tags),
        "properties": {
            "disableBgpRoutePropagation": step.disable_bgp_route_propagation,
            "routes": [{"name": route.name, **_body(route)} for route in step.routes],
        },
    }


class TableThere(Struct, frozen=True):
    """A table that has the name of one to make: the network it was made for, the ids of its subnets, its routes."""

    made_for: str | None
    serves: tuple[str, ...]
    routes: tuple[RouteTo, ...]


def other_table(step: CreateRouteTable, there: TableThere) -> str | None:
    """A table to make and one that has its name in, why it is not the same out."""
    ours = step.tags.get(NETWORK_TAG)
    if there.made_for and ours and not ids.same(there.made_for, ours):
        return f"a route table of this name was made for network {ids.placed(there.made_for)}"
    for used in there.serves if ours else ():
        if not ids.same(ids.parent(used), ours or ""):
            return f"a route table of this name serves network {ids.placed(ids.parent(used))}"
    wanted = sorted((route.prefix, *route.way) for route in step.routes)
    if sorted((route.prefix, *route.way) for route in there.routes) != wanted:
        return "a route table of this name has other routes"
    return None


def table_conflict(step: CreateRouteTable, body: Body) -> str | None:
    """A table to make and the body of one that has its name in, why it is not the same out."""
    properties = body.get("properties") or {}
    serves = tuple(used.get("id") or "" for used in properties.get("subnets") or ())
    routes = tuple(map(_of, properties.get("routes") or ()))
    return other_table(step, TableThere((body.get("tags") or {}).get(NETWORK_TAG), serves, routes))


def route_body(to: RouteTo, body: Body | None) -> Body:
    """A route and the body under its name in, the wanted body out: the very same when it holds already."""
    if body is not None and _of(body) == to:
        return body
    wanted: Body = {} if body is None else copy.deepcopy(body)
    properties: Body = wanted.setdefault("properties", {})
    properties.pop("nextHopIpAddress", None)
    properties.update(_body(to)["properties"])
    return wanted


def route_conflict(step: WriteRoute | DeleteRoute, body: Body | None) -> str | None:
    """A route to write or to take out and the body under its name in, why it no longer fits out."""
    now = None if body is None else _of(body)
    wanted = step.to if isinstance(step, WriteRoute) else None
    if now in (wanted, step.was):
        return None
    was = step.was or "absent"
    return f"route {ids.name(step.target)} was {was} when the plan was made and is {now or 'absent'} now"


def propagation_body(step: WritePropagation, body: Body) -> Body:
    """A flag to write and the body of its table in, the wanted body out."""
    wanted = copy.deepcopy(body)
    wanted.setdefault("properties", {})["disableBgpRoutePropagation"] = step.disabled
    return wanted


def _body(to: RouteTo) -> Body:
    address = {"nextHopIpAddress": to.address} if to.address else {}
    return {"properties": {"addressPrefix": to.prefix, "nextHopType": to.hop, **address}}


def _of(body: Body) -> RouteTo:
    properties = body.get("properties") or {}
    return RouteTo(
        body.get("name") or "",
        properties.get("addressPrefix") or "",
        properties.get("nextHopType") or "",
        properties.get("nextHopIpAddress") or "",
    )
