"""What a step does to the facts: each function changes `known` as Azure would, or says why Azure would refuse it."""

from typing import Final, assert_never

from msgspec import UNSET
from msgspec.structs import replace

from governor.core import facts, ids, ranges
from governor.core.creation import CreateNatGateway, CreatePublicIp, CreatePublicIpPrefix, CreateResourceGroup
from governor.core.estate import AnyFact
from governor.core.hub_verdict import route_of
from governor.core.learned import gateways
from governor.core.peering import IN_SYNC, DeletePeering, Flags, WritePeering, is_behind, is_cut
from governor.core.routing import (
    NETWORK_TAG,
    CreateRouteTable,
    DeleteRoute,
    RouteTo,
    TableThere,
    WritePropagation,
    WriteRoute,
    other_table,
)

Known = dict[str, AnyFact]
Made = CreateResourceGroup | CreatePublicIp | CreatePublicIpPrefix | CreateNatGateway | CreateRouteTable
Routed = WriteRoute | DeleteRoute | WritePropagation

# facts/azure.md 2.1 and 3.
MAX_ADDRESSES: Final = 16
MAX_ROUTES: Final = 400
MAX_PEERINGS: Final = 500
CONNECTED: Final = "Connected"


def make(step: Made, known: Known, absent: set[str]) -> str | None:
    """Something to make in. What exists already stays as it is, but a table must be the one that is to be made."""
    key = ids.key(step.target)
    if key in known:
        there = known[key]
        if isinstance(step, CreateRouteTable) and isinstance(there, facts.RouteTable):
            serves = tuple(ref.id for ref in there.properties.subnets or ())
            routes = tuple(map(route_of, there.properties.routes or ()))
            return other_table(step, TableThere((there.tags or {}).get(NETWORK_TAG), serves, routes))
        return None
    absent.discard(key)
    match step:
        case CreateResourceGroup():
            known[key] = facts.ResourceGroup(step.target, step.location, step.tags)
        case CreatePublicIp():
            known[key] = facts.PublicIp(step.target, step.location, step.tags, facts.Sku(step.sku))
        case CreatePublicIpPrefix():
            known[key] = facts.PublicIpPrefix(step.target, step.location, facts.Sku(step.sku))
        case CreateNatGateway():
            return _make_gateway(step, known, absent)
        case CreateRouteTable():
            if len(step.routes) > MAX_ROUTES:
                return f"a route table takes at most {MAX_ROUTES} routes"
            properties = facts.RouteTableProperties(
                routes=tuple(_route(route) for route in step.routes),
                disable_bgp_route_propagation=step.disable_bgp_route_propagation,
            )
            known[key] = facts.RouteTable(step.target, step.location, step.tags, properties)
        case _:
            assert_never(step)
    return None


def _make_gateway(step: CreateNatGateway, known: Known, absent: set[str]) -> str | None:
    holders = (*step.public_ips, *step.public_ip_prefixes)
    if len(holders) > MAX_ADDRESSES:
        return f"a NAT gateway takes at most {MAX_ADDRESSES} addresses"
    for holder in holders:
        if ids.key(holder) in absent:
            return f"{ids.name(holder)} does not exist"
        fact = known.get(ids.key(holder))
        sku = fact.sku.name if isinstance(fact, facts.PublicIp | facts.PublicIpPrefix) else step.sku
        if sku != step.sku:
            return f"a {step.sku} NAT gateway cannot use {ids.name(holder)}, whose SKU is {sku}"
    known[ids.key(step.target)] = facts.NatGateway(
        step.target,
        step.location,
        step.tags,
        facts.Sku(step.sku),
        step.zones,
        facts.NatGatewayProperties(
            public_ip_addresses=tuple(facts.Ref(i) for i in step.public_ips),
            public_ip_prefixes=tuple(facts.Ref(i) for i in step.public_ip_prefixes),
        ),
    )
    return None


def route(step: Routed, known: Known) -> str | None:
    """A change of a route table in."""
    target = step.target if isinstance(step, WritePropagation) else ids.parent(step.target)
    table = known.get(ids.key(target))
    if not isinstance(table, facts.RouteTable):
        return f"route table {ids.name(target)} does not exist"
    properties = table.properties
    if isinstance(step, WritePropagation):
        properties = replace(properties, disable_bgp_route_propagation=step.disabled)
    else:
        name = ids.name(step.target).casefold()
        others = tuple(one for one in properties.routes or () if one.name.casefold() != name)
        if isinstance(step, WriteRoute):
            if twin := next((one for one in others if one.properties.address_prefix == step.to.prefix), None):
                return f"route {twin.name} of {ids.name(target)} has the prefix {step.to.prefix} already"
            if len(others) >= MAX_ROUTES:
                return f"route table {ids.name(target)} has {MAX_ROUTES} routes already"
            others = (*others, _route(step.to))
        properties = replace(properties, routes=others)
    known[ids.key(target)] = replace(table, properties=properties)
    return None


def peer(step: WritePeering | DeletePeering, known: Known) -> str | None:
    """One side of a peering to write or to take away in; what the other side shows of it changes, too."""
    local = known.get(ids.key(ids.parent(step.target)))
    if not isinstance(local, facts.VirtualNetwork):
        return f"network {ids.name(ids.parent(step.target))} does not exist"
    remote = known.get(ids.key(step.remote))
    others = tuple(one for one in local.peerings if not ids.same(one.id, step.target))
    if isinstance(step, DeletePeering):
        _store(replace(local, properties=replace(local.properties, virtual_network_peerings=others)), known)
        _show(remote, local.id, "Disconnected", known)
        return None
    if not isinstance(remote, facts.VirtualNetwork):
        return f"network {ids.name(step.remote)} does not exist, or cannot be read"
    old = next((one for one in local.peerings if ids.same(one.id, step.target)), None)
    back = next((one for one in remote.peerings if ids.same(one.remote, local.id)), None)
    if old is None and back is not None and is_cut(back.properties.peering_state):
        return f"the other side of {ids.name(step.target)} is Disconnected, and must be written first"
    if old is None and (why := unpeerable(local, remote)):
        return why
    state = CONNECTED if back is not None else "Initiated"
    side = _written(step, old, remote, state)
    if why := _gateways_refused(side, others, local, remote):
        return why
    peerings = (*others, side)
    _store(replace(local, properties=replace(local.properties, virtual_network_peerings=peerings)), known)
    _show(remote, local.id, CONNECTED, known)
    return None


def unpeerable(local: facts.VirtualNetwork, remote: facts.VirtualNetwork) -> str | None:
    """Two networks in, why Azure would refuse a peering from one to the other out."""
    if len(local.peerings) >= MAX_PEERINGS:
        return f"{local.name} has {MAX_PEERINGS} peerings already"
    if pair := ranges.overlapping(local.prefixes, remote.prefixes):
        return f"their address spaces overlap: {pair[0]} of {local.name} and {pair[1]} of {remote.name}"
    for one in local.peerings:
        space = one.properties.remote_address_space
        theirs = (space.address_prefixes or ()) if space and not ids.same(one.remote, remote.id) else ()
        if pair := ranges.overlapping(theirs, remote.prefixes):
            return (
                f"{pair[1]} of {remote.name} overlaps with {pair[0]} of {ids.name(one.remote)}, "
                f"which {local.name} is peered with"
            )
    return None


def _written(step: WritePeering, old: facts.Peering | None, remote: facts.VirtualNetwork, state: str) -> facts.Peering:
    before = old.properties if old else facts.PeeringProperties()
    fresh = old is None or step.sync or not is_behind(before.peering_sync_level)
    return facts.Peering(
        step.target,
        replace(
            before,
            peering_state=state,
            peering_sync_level=IN_SYNC if fresh else before.peering_sync_level,
            remote_virtual_network=facts.Ref(step.remote),
            remote_address_space=facts.AddressSpace(remote.prefixes),
            **_given(step.to),
        ),
    )


def _given(flags: Flags) -> dict[str, bool]:
    return {name: getattr(flags, name) for name in flags.__struct_fields__ if getattr(flags, name) is not UNSET}


def _gateways_refused(
    side: facts.Peering, others: tuple[facts.Peering, ...], local: facts.VirtualNetwork, remote: facts.VirtualNetwork
) -> str | None:
    if not side.properties.use_remote_gateways:
        return None
    if gateways(local):
        return f"{local.name} has a gateway of its own, and cannot use that of {remote.name}"
    if any(one.properties.use_remote_gateways for one in others):
        return f"{local.name} uses the gateways of another network already"
    back = next((one for one in remote.peerings if ids.same(one.remote, local.id)), None)
    if not gateways(remote) or back is None or not back.properties.allow_gateway_transit:
        return f"{remote.name} has no gateway, or does not let {local.name} use it"
    return None


def _show(remote: AnyFact | None, local: str, state: str, known: Known) -> None:
    """What the other side of a peering shows of its state, once this side was written."""
    if not isinstance(remote, facts.VirtualNetwork):
        return
    peerings = tuple(
        replace(one, properties=replace(one.properties, peering_state=state)) if ids.same(one.remote, local) else one
        for one in remote.peerings
    )
    _store(replace(remote, properties=replace(remote.properties, virtual_network_peerings=peerings)), known)


def _store(network: facts.VirtualNetwork, known: Known) -> None:
    known[ids.key(network.id)] = network


def _route(to: RouteTo) -> facts.Route:
    return facts.Route(to.name, facts.RouteProperties(to.prefix, to.hop, to.address or None))
