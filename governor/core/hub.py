"""The hub of a network's region: what a policy says of it and the facts around it in, who holds its next hop out.

A route to an address that is nobody's, or to a firewall that is not there, leads nowhere (safety.md 3).
"""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from governor.core import facts, ids, ranges
from governor.core.egress import default_hops, gateway_holders
from governor.core.estate import ABSENT, Estate
from governor.core.next_hop import of_firewall, owner_of, private_addresses, shut_in
from governor.core.path import EgressPath, Method
from governor.core.policy import HubPolicy
from governor.core.routing import APPLIANCE, EVERYTHING, INTERNET, RouteTo

FIREWALL_SUBNET: Final = "AzureFirewallSubnet"


class Hub(Struct, frozen=True):
    """next_hop: the private address that routes name; "" where none is known. network: the id of its network.

    owner: who holds the next hop, for people. wrong: why no route may lead there. holders: ids of the public addresses
    that it leaves from. replies: the prefixes that replies of published frontends go to. missing: ids that must be read
    to know more. unsettled: the firewall that is not Succeeded, in words, and whether that passes by itself.
    """

    next_hop: str = ""
    network: str = ""
    owner: str = ""
    wrong: str = ""
    holders: tuple[str, ...] = ()
    replies: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unsettled: tuple[str, bool] | None = None


def next_hop(network: facts.VirtualNetwork, wanted: HubPolicy, estate: Estate) -> str | facts.Ref | None:
    """A network and its hub policy in; the address its routes must name, the firewall it hangs on, or None out.

    The firewall: it was not read, or does not exist. None: the policy names no hub for the region, or the firewall
    has no address.
    """
    if literal := wanted.next_hop.get(network.region):
        return literal
    firewall_id = wanted.firewall.get(network.region)
    if not firewall_id:
        return None
    firewall = estate.find(firewall_id, facts.Firewall)
    if firewall is None or firewall is ABSENT:
        return facts.Ref(firewall_id)
    return next(private_addresses(firewall), None)


def hub_of(network: facts.VirtualNetwork, wanted: HubPolicy, estate: Estate) -> Hub:
    """A network and its hub policy in, the hub of its region out."""
    hop = next_hop(network, wanted, estate)
    firewall_id = wanted.firewall.get(network.region, "")
    firewall = estate.find(firewall_id, facts.Firewall) if firewall_id else ABSENT
    if firewall is None:
        return Hub("" if isinstance(hop, facts.Ref) else hop or "", missing=(firewall_id,))
    if firewall_id and firewall is ABSENT:
        return Hub(wrong=f"firewall {ids.name(firewall_id)} does not exist")
    if hop is None or isinstance(hop, facts.Ref):
        if firewall_id:
            return Hub(wrong=f"firewall {ids.name(firewall_id)} has no private address")
        return Hub(wrong=f"the policy names no hub for region {network.region}")
    where = _network_id(network, wanted, hop, firewall if firewall is not ABSENT else None)
    if not where:
        return Hub(hop, wrong=f"the policy names no hub network, and no network that this one is peered with has {hop}")
    hub_network = network if ids.same(where, network.id) else estate.find(where, facts.VirtualNetwork)
    if hub_network is None:
        return Hub(hop, where, missing=(where,))
    if hub_network is ABSENT:
        return Hub(hop, where, wrong=f"hub network {ids.name(where)} does not exist")
    if firewall is not ABSENT:
        return _of_firewall(firewall, (hop, hub_network), wanted, estate)
    owner = owner_of(hop, hub_network, estate)
    wrong = owner.wrong or shut_in(hop, hub_network, estate)
    return Hub(hop, where, owner.name, wrong, missing=owner.missing, unsettled=owner.unsettled)


def _of_firewall(
    firewall: facts.Firewall, at: tuple[str, facts.VirtualNetwork], wanted: HubPolicy, estate: Estate
) -> Hub:
    """A firewall, the next hop and the network that shall be its own in, the hub that it makes out."""
    (hop, network), name = at, ids.name(firewall.id)
    home = _firewalls_network(firewall)
    if home and not ids.same(home, network.id):
        return Hub(hop, network.id, wrong=f"firewall {name} is in {ids.name(home)}, not in {network.name}")
    tunnel, gateway = _tunnel(network, estate), _firewalls_gateway(network)
    if isinstance(tunnel, facts.Ref):
        return Hub(hop, network.id, missing=(tunnel.id,))
    found = estate.find(gateway, facts.NatGateway) if gateway else ABSENT
    if found is None:
        return Hub(hop, network.id, missing=(gateway,))
    owner, own = of_firewall(firewall, hop), _own_addresses(firewall)
    behind = gateway_holders(found) if found is not ABSENT else ()
    replies, missing = _prefixes((*own, *behind), estate) if wanted.keep_inbound else ((), ())
    # Where a firewall is itself sent on, it leaves from somebody else's addresses.
    leaves = () if tunnel else behind or own
    wrong = owner.wrong
    if not wrong and tunnel == "none":
        wrong = f"firewall {name} has no way out: its own subnet routes to None"
    elif not wrong and not leaves and not tunnel:
        wrong = f"firewall {name} has no public address"
    return Hub(hop, network.id, owner.name, wrong, leaves, replies, missing, owner.unsettled)


def routes(hub: Hub, wanted: HubPolicy) -> tuple[RouteTo, ...]:
    """A hub and its policy in, every route that the policy wants out: the default, its own ones, those of replies."""
    # Azure compares prefixes and tags without regard to case.
    found = {EVERYTHING: RouteTo("egress-default", EVERYTHING, APPLIANCE, hub.next_hop)}
    for named in wanted.routes:
        name = "egress-" + named.prefix.replace("/", "-").replace(":", "-")
        way = (APPLIANCE, hub.next_hop) if named.next_hop == "hub" else (INTERNET, "")
        found.setdefault(named.prefix.casefold(), RouteTo(name, named.prefix, *way))
    for prefix in hub.replies:
        name = "egress-reply-" + prefix.replace("/", "-").replace(":", "-")
        found.setdefault(prefix, RouteTo(name, prefix, INTERNET))
    return tuple(found.values())


def carried(path: EgressPath, hub: Hub) -> EgressPath:
    """A path and the hub in, the path with the public addresses of the hub on the ways that lead there out."""
    if not hub.holders or Method.APPLIANCE not in path.methods:
        return path
    ways = (
        replace(way, holders=hub.holders) if way.method is Method.APPLIANCE and way.via == hub.next_hop else way
        for way in path.ways
    )
    return replace(path, ways=tuple(ways))


def _network_id(network: facts.VirtualNetwork, wanted: HubPolicy, hop: str, firewall: facts.Firewall | None) -> str:
    """Where the hub is: what the policy names, where its firewall lives, or who has the next hop among the peers."""
    if named := wanted.hub_virtual_network.get(network.region):
        return named
    if firewall is not None and (home := _firewalls_network(firewall)):
        return home
    if ranges.holds(network.prefixes, hop):
        return network.id
    for peering in network.peerings:
        space = peering.properties.remote_address_space
        if space and ranges.holds(space.address_prefixes or (), hop):
            return peering.remote
    return ""


def _firewalls_network(firewall: facts.Firewall) -> str:
    named = (one.properties.subnet for one in firewall.properties.ip_configurations or ())
    return next((ids.parent(ref.id) for ref in named if ref is not None), "")


def _tunnel(network: facts.VirtualNetwork, estate: Estate) -> str | facts.Ref:
    """Where a firewall's own subnet sends what leaves: "" straight out, "none" nowhere, else elsewhere, or its table

    if that must be read first.
    """
    home = network.subnet(FIREWALL_SUBNET)
    named = home.properties.route_table if home else None
    table = estate.find(named.id, facts.RouteTable) if named else ABSENT
    if named is not None and table is None:
        return named
    hops = default_hops(table) if isinstance(table, facts.RouteTable) else ()
    kinds = {(hop.next_hop_type or "").casefold() for hop in hops if hop is not None} - {"internet"}
    return "none" if "none" in kinds else next(iter(sorted(kinds)), "")


def _own_addresses(firewall: facts.Firewall) -> tuple[str, ...]:
    named = (one.properties.public_ip_address for one in firewall.properties.ip_configurations or ())
    return tuple(ref.id for ref in named if ref is not None)


def _firewalls_gateway(network: facts.VirtualNetwork) -> str:
    """The NAT gateway that a firewall leaves by: it takes the place of its own addresses (facts/azure.md 5)."""
    home = network.subnet(FIREWALL_SUBNET)
    return home.properties.nat_gateway.id if home and home.properties.nat_gateway else ""


def _prefixes(holders: tuple[str, ...], estate: Estate) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ids of addresses and prefixes in; their ranges, and the ids that must be read to know them all, out."""
    found: list[str] = []
    missing: list[str] = []
    for holder in dict.fromkeys(holders):
        fact = estate.known.get(ids.key(holder))
        if isinstance(fact, facts.PublicIp) and fact.properties.ip_address:
            found.append(f"{fact.properties.ip_address}/32")
        elif isinstance(fact, facts.PublicIpPrefix) and fact.properties.ip_prefix:
            found.append(fact.properties.ip_prefix)
        elif fact is None and ids.key(holder) not in estate.absent:
            missing.append(holder)
    return tuple(sorted(found)), tuple(missing)
