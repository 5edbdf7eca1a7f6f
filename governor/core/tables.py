"""Which route table a subnet leaves by, and what must be written into it: a subnet of a hub policy in, TableWork out.

Nobody's route is ever lost: a table that is there is written route by route, a new one is made whole. A table that
others use too is left alone, or copied (safety.md 8).
"""

from typing import Final

from msgspec import Struct

from governor.core import facts, ids
from governor.core.egress import nat_gateway_of
from governor.core.estate import ABSENT, Estate
from governor.core.hub import routes
from governor.core.hub_verdict import HALVES, Lacking, lacking, route_of
from governor.core.judged import Judged
from governor.core.plan import Gate, Reason
from governor.core.policy import fill
from governor.core.policy_words import OWNER_TAG
from governor.core.routing import NETWORK_TAG, CreateRouteTable, RouteTo, WritePropagation, WriteRoute
from governor.core.sharing import Place, managed, shared, taken, users

_COPIED: Final = frozenset({"virtualappliance", "internet", "none", "vnetlocal", "virtualnetworkgateway"})


class TableWork(Struct, frozen=True):
    """table: its id, "" where there is none to use. create: it is made. write: what is written into it as it is.

    serves: the subnets that use it now. replaces: the route that would be replaced, for people. missing: what must be
    read first. reason: why it cannot be used.
    """

    table: str = ""
    create: CreateRouteTable | None = None
    write: tuple[WriteRoute | WritePropagation, ...] = ()
    serves: tuple[Judged, ...] = ()
    replaces: str = ""
    missing: tuple[str, ...] = ()
    reason: Reason | None = None


NO_WORK: Final = TableWork()


def table_work(place: Place, estate: Estate) -> TableWork:
    """A subnet in, the table that it shall leave by and what must be done about it out."""
    named = place.judged.subnet.properties.route_table
    own = _named(place)
    if named is not None:
        table = estate.find(named.id, facts.RouteTable)
        if not isinstance(table, facts.RouteTable):
            return TableWork(named.id, missing=(named.id,))
        return _existing(table, own, place, estate)
    found = estate.find(own, facts.RouteTable)
    if found is None:
        return TableWork(own, missing=(own,))
    if found is ABSENT:
        return TableWork(own, create=_new(own, place, routes(place.hub, place.wanted)))
    if why := taken(found, place):
        return TableWork(own, reason=Reason(Gate.SHARED, why))
    return _merged(found, place, estate)


def _named(place: Place) -> str:
    """The id of the table that the policy names for this subnet."""
    known, wanted = name_fields(place.judged), place.wanted.route_table
    group = fill(wanted.resource_group, **known)
    subscription = ids.parse(place.judged.subnet.id).subscription
    return ids.network(subscription, group, "routeTables", fill(wanted.name, **known))


def name_fields(judged: Judged) -> dict[str, str]:
    """A subnet in, what the fields of a policy's names stand for there out."""
    parts = ids.parse(judged.subnet.id)
    return {
        "subscription": parts.subscription,
        "resourceGroup": parts.resource_group,
        "region": judged.network.region,
        "virtualNetwork": judged.network.name,
        "subnet": judged.subnet.name,
    }


def _new(table_id: str, place: Place, wanted: tuple[RouteTo, ...], disabled: bool | None = None) -> CreateRouteTable:
    network, flag = place.judged.network, place.wanted.disable_bgp_route_propagation
    tags = {OWNER_TAG: place.policy.name, NETWORK_TAG: network.id}
    return CreateRouteTable(
        table_id, network.region, tags, wanted, disabled if isinstance(disabled, bool) else flag is True
    )


def _existing(table: facts.RouteTable, own: str, place: Place, estate: Estate) -> TableWork:
    """The table that the subnet has: written where all its subnets want the same, otherwise left alone or copied."""
    clones = place.wanted.when_shared == "clone" and not ids.same(own, table.id)
    if clones and lacking(table, place.hub, place.wanted) is not None and shared(table, place):
        return _cloned(table, own, place, estate)
    return _merged(table, place, estate)


def _merged(table: facts.RouteTable, place: Place, estate: Estate) -> TableWork:
    """What is written into a table that is there, route by route."""
    lack = lacking(table, place.hub, place.wanted)
    if lack is None:
        return TableWork(table.id)
    group = ids.group_of(table.id)
    if estate.find(group, facts.ResourceGroup) is None:
        return TableWork(table.id, missing=(group,))
    if why := managed(table, estate) or shared(table, place):
        return TableWork(table.id, reason=Reason(Gate.SHARED, why))
    if blocked := _not_replaced(table, lack, place):
        return TableWork(table.id, reason=blocked)
    names = {route.name.casefold() for route in table.properties.routes or ()}
    writes: list[WriteRoute | WritePropagation] = [
        WriteRoute(f"{table.id}/routes/{now.name}", wanted, now) for now, wanted in lack.other
    ]
    for route in lack.new:
        name = _free(route.name, names)
        to = RouteTo(name, route.prefix, route.hop, route.address)
        writes.append(WriteRoute(f"{table.id}/routes/{name}", to))
    if lack.propagation_disabled is not None:
        writes.append(WritePropagation(table.id, lack.propagation_disabled, not lack.propagation_disabled))
    serves = tuple(place.by_key[key] for key in users(table, place))
    gateways, kept = _gateways(serves, writes)
    if kept:
        return TableWork(table.id, reason=kept)
    replaces = ", ".join(one for one in (_replaced(lack), *gateways) if one)
    return TableWork(table.id, write=tuple(writes), serves=serves, replaces=replaces)


def _gateways(
    serves: tuple[Judged, ...], writes: list[WriteRoute | WritePropagation]
) -> tuple[tuple[str, ...], Reason | None]:
    """The subnets of a table and what is to be written into it in; the NAT gateways that a default route would pass

    by, for people, and why it must not, out.
    """
    found: dict[str, None] = {}
    if not any(isinstance(write, WriteRoute) and write.to.prefix in HALVES for write in writes):
        return (), None
    for one in serves:
        gateway = nat_gateway_of(one.subnet, one.network)
        if gateway is None:
            continue
        name = f"NAT gateway {ids.name(gateway)}"
        if one.policy is None or one.policy.egress.replace != "propose":
            text = f"{name} serves {one.subnet.name}, and is never replaced (`replace: propose` would ask)"
            return (), Reason(Gate.REPLACE, text)
        found[name] = None
    return tuple(found), None


def _not_replaced(table: facts.RouteTable, lack: Lacking, place: Place) -> Reason | None:
    if not lack.other or place.policy.egress.replace == "propose":
        return None
    text = (
        f"route table {ids.name(table.id)} has {_replaced(lack)}; it is never replaced (`replace: propose` would ask)"
    )
    return Reason(Gate.REPLACE, text)


def _replaced(lack: Lacking) -> str:
    return ", ".join(f"route {now.name} {now}" for now, _ in lack.other)


def _cloned(table: facts.RouteTable, own: str, place: Place, estate: Estate) -> TableWork:
    """A copy of a shared table with the hub's routes, for this network's subnets alone."""
    kept = tuple(map(route_of, table.properties.routes or ()))
    strange = [route.name for route in kept if route.hop.casefold() not in _COPIED]
    if strange:
        text = f"route {strange[0]} of {ids.name(table.id)} is of a kind that is not copied"
        return TableWork(own, reason=Reason(Gate.SHARED, text))
    lack = lacking(table, place.hub, place.wanted)
    if lack is not None and (blocked := _not_replaced(table, lack, place)):
        return TableWork(own, reason=blocked)
    wanted = {route.prefix: route for route in routes(place.hub, place.wanted)}
    changed = {now.name: to for now, to in lack.other} if lack else {}
    copied = [changed.get(route.name, route) for route in kept]
    there = {route.prefix for route in copied}
    names = {route.name.casefold() for route in copied}
    for prefix, route in wanted.items():
        if prefix not in there:
            copied.append(RouteTo(_free(route.name, names), prefix, route.hop, route.address))
    found = estate.find(own, facts.RouteTable)
    if found is None:
        return TableWork(own, missing=(own,))
    if found is ABSENT:
        flag = place.wanted.disable_bgp_route_propagation
        same = flag if isinstance(flag, bool) else bool(table.properties.disable_bgp_route_propagation)
        replaced = _replaced(lack) if lack else ""
        return TableWork(own, create=_new(own, place, tuple(copied), same), replaces=replaced)
    if why := taken(found, place):
        return TableWork(own, reason=Reason(Gate.SHARED, why))
    holds = {(route.prefix, route.way) for route in map(route_of, found.properties.routes or ())}
    lost = [route for route in kept if route.name not in changed and (route.prefix, route.way) not in holds]
    if lost:
        text = f"route table {ids.name(own)} exists and lacks {lost[0]} of {ids.name(table.id)}; no route is lost"
        return TableWork(own, reason=Reason(Gate.SHARED, text))
    return _merged(found, place, estate)


def _free(name: str, taken: set[str]) -> str:
    """A name that no route has yet; it is taken from now on."""
    found, number = name, 1
    while found.casefold() in taken:
        number += 1
        found = f"{name}-{number}"
    taken.add(found.casefold())
    return found
