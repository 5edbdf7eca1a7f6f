"""Which rules a PUT has to pass: a change to a network resource in, nothing or its refusal out."""

from simulator import balancers, peering_rules, peerings
from simulator.address_rules import (
    check_addresses_free,
    check_gateway,
    check_neighbours,
    check_public_address,
    check_skus,
)
from simulator.application_gateways import check_application_gateway, check_neighbour
from simulator.calls import Call
from simulator.changes import Change
from simulator.firewalls import check_firewall
from simulator.gateways import check_virtual_gateway
from simulator.ids import (
    APPLICATION_GATEWAY,
    FIREWALL,
    LOAD_BALANCER,
    NAT_GATEWAY,
    NIC,
    NSG,
    PEERING,
    PUBLIC_IP,
    ROUTE,
    ROUTE_TABLE,
    SECURITY_RULE,
    SUBNET,
    VIRTUAL_GATEWAY,
    VNET,
    parent_key,
)
from simulator.limits import check_regional
from simulator.placement import place
from simulator.reference_rules import check_references
from simulator.route_tables import check_routes
from simulator.rules import Planned, PlannedNetwork, check_network, check_subnet_delete
from simulator.security_rules import check_rules
from simulator.special_subnets import check_resident
from simulator.store import Store, Stored
from simulator.wire import members, text
from simulator.world import World


def check(world: World, call: Call, change: Change, location: str) -> None:
    """A change in; refused when it breaks a rule of its type."""
    store, type_key = world.store, call.address.type_key
    if change.is_new:
        check_regional(store, change.shown_id, type_key, location)
    if type_key == VNET:
        for key in change.removed:
            subnet = store.get(key)
            if subnet is not None and subnet.type.lower() == SUBNET:
                check_subnet_delete(store, key, subnet)
        check_references(store, change.shown_id, type_key, change.content, location)
        network = _network(store, change, location)
        check_network(store, network)
        _check_peerings(world, network, {key: child for key, child in change.children.items() if _is(child, PEERING)})
    elif type_key in (SUBNET, PEERING, ROUTE, SECURITY_RULE):
        parent = store.get(parent_key(call.address.key))
        if parent is not None:
            _check_child(world, call, parent, Planned(change.shown_id, change.content, change.before))
    elif type_key == ROUTE_TABLE:
        routes = {child.id: child.content for child in change.children.values()}
        check_routes(store, change.shown_id, routes, frozenset(change.children))
    else:
        _check_resource(store, type_key, change, location)


def _check_child(world: World, call: Call, parent: Stored, planned: Planned) -> None:
    """A child that is written by itself, judged among its siblings."""
    store, siblings = world.store, call.address.key.rpartition("/")[0]
    location = text(parent.content.get("location"))
    if call.address.type_key == SUBNET:
        inner = Change(parent.id, parent.content, parent.content, children={planned.key: planned})
        check_network(store, _network(store, inner, location))
        return
    others = {found.id: found.content for found in store.listed(siblings) if found.id.casefold() != planned.key}
    if call.address.type_key == PEERING:
        network = _network(store, Change(parent.id, parent.content, parent.content), location)
        peering_rules.check(world, network, planned, others)
    elif call.address.type_key == SECURITY_RULE:
        check_references(store, planned.id, SECURITY_RULE, planned.content, location)
        check_rules(parent.id, others | {planned.id: planned.content}, frozenset((planned.key,)))
    else:
        check_routes(store, parent.id, others | {planned.id: planned.content}, frozenset((planned.key,)))


def _check_peerings(world: World, network: PlannedNetwork, named: dict[str, Planned]) -> None:
    """The peerings a network's PUT names: what is as it was is not judged again, but for the ranges."""
    for key, planned in named.items():
        if not peerings.same_as_before(planned.content, planned.before):
            others = {other.id: other.content for other_key, other in named.items() if other_key != key}
            peering_rules.check(world, network, planned, others)
    peering_rules.check_space(world.store, network, {planned.id: planned.content for planned in named.values()})


def _check_resource(store: Store, type_key: str, change: Change, location: str) -> None:
    """What stands by itself: what it names, what it holds, and where it is."""
    resource_id, content, before = change.shown_id, change.content, change.before
    check_references(store, resource_id, type_key, content, location)
    for child in change.children.values():
        check_references(store, child.id, f"{type_key}/{child.key.split('/')[-2]}", child.content, location)
    check_resident(store, resource_id, type_key, content)
    if type_key == APPLICATION_GATEWAY:
        check_application_gateway(store, resource_id, content)
    else:
        check_neighbour(store, resource_id, type_key, content)
    if type_key == NAT_GATEWAY:
        check_gateway(store, resource_id, content, before)
        return
    check_addresses_free(store, resource_id, type_key, content)
    check_neighbours(store, resource_id, type_key, content)
    if type_key == NSG:
        check_rules(
            resource_id,
            {child.id: child.content for child in change.children.values()},
            frozenset(change.children),
        )
    elif type_key == PUBLIC_IP:
        check_public_address(resource_id, content)
    elif type_key == LOAD_BALANCER:
        check_skus(store, resource_id, content)
        balancers.check(store, resource_id, content, before)
    elif type_key == FIREWALL:
        check_firewall(store, resource_id, content)
    elif type_key == VIRTUAL_GATEWAY:
        check_virtual_gateway(store, resource_id, content, before)
    if type_key in (NIC, LOAD_BALANCER, FIREWALL, APPLICATION_GATEWAY):
        place(store, resource_id, type_key, content, before)


def _is(planned: Planned, type_key: str) -> bool:
    """Whether a child is of a type, by the collection its id lies in."""
    return planned.key.split("/")[-2] == type_key.rpartition("/")[2]


def _network(store: Store, change: Change, location: str) -> PlannedNetwork:
    """A VNet's change in, the VNet with all the subnets it would have out."""
    subnets: dict[str, Planned] = {}
    for key in store.keys_in(f"{change.shown_id.casefold()}/subnets"):
        stored = store.get(key)
        if stored is not None and key not in change.removed:
            content = stored.content
            subnets[key] = Planned(stored.id, content, content)
    written = {key: child for key, child in change.children.items() if _is(child, SUBNET)}
    spaces = members(members(change.content.get("properties")).get("addressSpace")).get("addressPrefixes")
    prefixes = tuple(text(prefix) for prefix in spaces) if isinstance(spaces, list) else ()
    return PlannedNetwork(change.shown_id, location, prefixes, subnets | written, frozenset(written))
