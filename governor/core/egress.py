"""How a subnet leaves for the internet: a subnet and the facts around it in, an EgressPath out.

The precedence is the documented one (facts/azure.md 2.3): a user-defined or learned default route to an appliance or
gateway, NAT gateway, instance public address, load balancer outbound rules, implicit SNAT of load-balancing rules,
default outbound access, none. A default route whose next hop is Internet does not beat a NAT gateway; next hop None
isolates; 0.0.0.0/1 with 128.0.0.0/1 is a default route.
"""

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from governor.core import balancing, facts, ids
from governor.core.estate import ABSENT, Estate
from governor.core.learned import Learned, learned
from governor.core.nodes import Nodes, is_of_aks
from governor.core.path import EgressPath, Method, Way

_HALVES: Final = ("0.0.0.0/1", "128.0.0.0/1")
_DROPS: Final = frozenset({"none", "vnetlocal"})


def trace(
    subnet: facts.Subnet,
    network: facts.VirtualNetwork,
    estate: Estate,
    known: Learned | None = None,
) -> EgressPath:
    """A subnet, its network and the facts around it in, the ways out that win out.

    known: what `learned` says of the network, for callers who trace many of its subnets.
    """
    by_gateways = known or learned(network, estate)
    if subnet.properties.route_table is None:
        return _learned_or(by_gateways, subnet, network, estate)
    table = estate.find(subnet.properties.route_table.id, facts.RouteTable)
    if table is None or table is ABSENT:
        return EgressPath((), (subnet.properties.route_table.id,))
    if unsettled := unsettled_state(table.id, table.properties.provisioning_state):
        return EgressPath((), unsettled=unsettled)
    hops = _default_hops(table)
    if any(hop and not hop.next_hop_type for hop in hops):
        return EgressPath((), (table.id,))
    routed = tuple(dict.fromkeys(way for hop in hops if hop and (way := _routed(hop))))
    hazards = (
        ("its default route is split: each half of the internet has a way of its own",) if len(set(hops)) > 1 else ()
    )
    if routed and all(hop and _routed(hop) for hop in hops):
        return EgressPath(routed, hazards=hazards)
    if None in hops and not table.properties.disable_bgp_route_propagation:
        rest = _learned_or(by_gateways, subnet, network, estate)
    else:
        rest = _beyond_routes(subnet, network, estate)
    if rest.missing:
        return rest
    return replace(rest, ways=(*routed, *rest.ways), hazards=(*hazards, *rest.hazards)) if routed or hazards else rest


def _learned_or(
    by_gateways: Learned, subnet: facts.Subnet, network: facts.VirtualNetwork, estate: Estate
) -> EgressPath:
    """Where no user-defined route decides: a learned default route, or what comes behind it."""
    if by_gateways.default:
        return EgressPath((Way(Method.GATEWAY, by_gateways.default),))
    if by_gateways.missing:
        return EgressPath((), by_gateways.missing)
    return _beyond_routes(subnet, network, estate)


def bare(subnet: facts.Subnet) -> facts.Subnet:
    """A subnet in, the same without route table and NAT gateway out: tracing it shows what waits behind them."""
    return replace(subnet, properties=replace(subnet.properties, route_table=None, nat_gateway=None))


def nat_gateway_of(subnet: facts.Subnet, network: facts.VirtualNetwork) -> str | None:
    """A subnet and its network in, the id of the NAT gateway that serves it out: its own, else the whole network's."""
    own = subnet.properties.nat_gateway or network.properties.default_public_nat_gateway
    return own.id if own else None


def default_hops(table: facts.RouteTable) -> tuple[facts.RouteProperties | None, facts.RouteProperties | None]:
    """A route table in, its routes for the two halves of the internet out; None where it says nothing."""
    by_prefix = {r.properties.address_prefix: r.properties for r in table.properties.routes or ()}
    whole = by_prefix.get("0.0.0.0/0")
    low, high = (by_prefix.get(half, whole) for half in _HALVES)
    return low, high


def _default_hops(table: facts.RouteTable) -> tuple[facts.RouteProperties | None, facts.RouteProperties | None]:
    low, high = default_hops(table)
    # Two routes to one next hop are one way, whatever prefixes they carry.
    if low and high and _routed(low) == _routed(high):
        high = low
    return low, high


def unsettled_state(resource_id: str, state: str | None) -> tuple[str, bool] | None:
    """A resource and its provisioningState in; what is wrong and whether that passes by itself, or None, out."""
    if state is None or state == facts.SUCCEEDED:
        return None
    return f"{ids.name(resource_id)} is {state}", state.casefold() in facts.WRITING


def _routed(hop: facts.RouteProperties) -> Way | None:
    """A default route in, the way it forces out; None when it goes to the internet, where SNAT decides."""
    kind = (hop.next_hop_type or "").casefold()
    if kind == "internet":
        return None
    if kind in _DROPS:
        return Way(Method.NONE, "route")
    if kind == "virtualnetworkgateway":
        return Way(Method.GATEWAY, "virtual network gateway")
    return Way(Method.APPLIANCE, hop.next_hop_ip_address or kind)


def _beyond_routes(subnet: facts.Subnet, network: facts.VirtualNetwork, estate: Estate) -> EgressPath:
    gateway_id = nat_gateway_of(subnet, network)
    if gateway_id is None:
        return _members(subnet, estate)
    gateway = estate.find(gateway_id, facts.NatGateway)
    if gateway is None or gateway is ABSENT:
        return EgressPath((), (gateway_id,))
    holders = gateway_holders(gateway)
    unsettled = unsettled_state(gateway.id, gateway.properties.provisioning_state)
    if not holders:
        hazard = "its NAT gateway has no public address"
        return EgressPath((Way(Method.NONE, gateway.id),), (), (hazard,), unsettled)
    return EgressPath((Way(Method.NAT_GATEWAY, gateway.id, holders=holders),), (), (), unsettled)


def gateway_holders(gateway: facts.NatGateway) -> tuple[str, ...]:
    """A NAT gateway in, the ids of its public addresses and prefixes out."""
    properties = gateway.properties
    return tuple(ref.id for ref in (*(properties.public_ip_addresses or ()), *(properties.public_ip_prefixes or ())))


def _members(subnet: facts.Subnet, estate: Estate) -> EgressPath:
    """What decides where no route and no NAT gateway does: each machine's own address, load balancers, the default."""
    default = Method.NONE if subnet.properties.default_outbound_access is False else Method.DEFAULT_OUTBOUND
    configurations = subnet.properties.ip_configurations or ()
    if not configurations:
        return _pods(subnet, default, estate) if is_of_aks(subnet) else EgressPath((Way(default),))
    found: dict[Way, list[str]] = {}
    missing: list[str] = []
    unsettled: tuple[str, bool] | None = None
    hazards: dict[str, None] = {}
    nodes = Nodes(estate)
    # In the order of ids: Azure names them in any order.
    for reference in sorted(configurations, key=lambda one: ids.key(one.id)):
        for way_or_missing in _member(reference.id, default, estate, nodes):
            if isinstance(way_or_missing, str):
                missing.append(way_or_missing)
            elif isinstance(way_or_missing, tuple):
                unsettled = unsettled or way_or_missing
            else:
                found.setdefault(way_or_missing, []).append(reference.id)
                if way_or_missing.method is Method.IMPLICIT_SNAT:
                    balancer = ids.name(way_or_missing.via)
                    hazards[f"outbound works only while load balancer {balancer} has a public frontend"] = None
    if missing:
        return EgressPath((), tuple(dict.fromkeys(missing)))
    if unsettled:
        return EgressPath((), unsettled=unsettled)
    ways = tuple(replace(way, members=tuple(sorted(members))) for way, members in found.items())
    return EgressPath(ways or (Way(default),), hazards=tuple(hazards))


def _pods(subnet: facts.Subnet, default: Method, estate: Estate) -> EgressPath:
    """A subnet without machines, which pods may live in."""
    match Nodes(estate).pods_leave(subnet, default):
        case str(missing):
            return EgressPath((), (missing,))
        case Way() as way:
            return EgressPath((way,))
        case unsettled:
            return EgressPath((), unsettled=unsettled)


def _member(
    configuration_id: str, default: Method, estate: Estate, nodes: Nodes
) -> Iterator[Way | str | tuple[str, bool]]:
    """The ways of one ip configuration, the ids that must be read to know them, or what is not settled yet out.

    Nothing for what never connects.
    """
    holder = ids.parent(configuration_id)
    if ids.kind(configuration_id) == ids.LOAD_BALANCER + "/frontendipconfigurations":
        return
    if ids.kind(holder).startswith(ids.SCALE_SET):
        yield nodes.leaves(holder, default)
        return
    if ids.kind(holder) != ids.NETWORK_INTERFACE:
        yield holder
        return
    nic = estate.find(holder, facts.NetworkInterface)
    if nic is None or nic is ABSENT:
        yield holder
        return
    if nic.properties.private_endpoint is not None:
        return
    if unsettled := unsettled_state(nic.id, nic.properties.provisioning_state):
        yield unsettled
        return
    wanted = ids.key(configuration_id)
    for configuration in nic.properties.ip_configurations or ():
        if ids.key(configuration.id) != wanted:
            continue
        if configuration.properties.public_ip_address is not None:
            address = configuration.properties.public_ip_address.id
            yield Way(Method.INSTANCE_PUBLIC_IP, address, holders=(address,))
            return
        answer = balancing.outbound(configuration, estate)
        if answer.missing:
            yield from answer.missing
        elif answer.rule is not None:
            method = Method.OUTBOUND_RULE if answer.explicit else Method.IMPLICIT_SNAT
            yield Way(method, answer.rule, holders=answer.holders)
        else:
            yield Way(Method.NONE if answer.closes_default else default)
        return
    # Subnet and interface contradict each other: one of the two has just been written.
    yield configuration_id
