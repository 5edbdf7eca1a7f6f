"""The hub of a network's region: what a policy says of it and the facts around it in, who holds its next hop out.

A route to an address that is nobody's, or to a firewall that is not there, leads nowhere (safety.md 3).
"""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from governor.core import facts, ids, ranges
from governor.core.egress import gateway_holders
from governor.core.estate import ABSENT, Estate
from governor.core.path import EgressPath, Method
from governor.core.policy import HubPolicy
from governor.core.routing import APPLIANCE, EVERYTHING, INTERNET, RouteTo

_FIREWALL_SUBNET = "azurefirewallsubnet"


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


class _Owner(Struct, frozen=True):
    """Who holds an address: words for people, what is wrong with him, what must be read to know."""

    name: str = ""
    wrong: str = ""
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
    return next(_private_addresses(firewall), None)


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
        owner = _firewall(firewall, hop)
        own, gateway = _own_addresses(firewall), _firewalls_gateway(hub_network)
        found = estate.find(gateway, facts.NatGateway) if gateway else ABSENT
        if found is None:
            return Hub(hop, where, owner.name, owner.wrong, missing=(gateway,), unsettled=owner.unsettled)
        behind = gateway_holders(found) if found is not ABSENT else ()
        replies, missing = _prefixes((*own, *behind), estate) if wanted.keep_inbound else ((), ())
        return Hub(hop, where, owner.name, owner.wrong, behind or own, replies, missing, owner.unsettled)
    owner = _owner(hop, hub_network, estate)
    return Hub(hop, where, owner.name, owner.wrong, missing=owner.missing, unsettled=owner.unsettled)


def routes(hub: Hub, wanted: HubPolicy) -> tuple[RouteTo, ...]:
    """A hub and its policy in, every route that the policy wants out: the default, its own ones, those of replies."""
    found = {EVERYTHING: RouteTo("egress-default", EVERYTHING, APPLIANCE, hub.next_hop)}
    for named in wanted.routes:
        name = "egress-" + named.prefix.replace("/", "-").replace(":", "-")
        way = (APPLIANCE, hub.next_hop) if named.next_hop == "hub" else (INTERNET, "")
        found.setdefault(named.prefix, RouteTo(name, named.prefix, *way))
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
    for configuration in (firewall.properties.ip_configurations or ()) if firewall else ():
        if configuration.properties.subnet is not None:
            return ids.parent(configuration.properties.subnet.id)
    if ranges.holds(network.prefixes, hop):
        return network.id
    for peering in network.peerings:
        space = peering.properties.remote_address_space
        if space and ranges.holds(space.address_prefixes or (), hop):
            return peering.remote
    return ""


def _private_addresses(firewall: facts.Firewall) -> Iterator[str]:
    for configuration in firewall.properties.ip_configurations or ():
        if configuration.properties.private_ip_address:
            yield configuration.properties.private_ip_address


def _firewall(firewall: facts.Firewall, hop: str) -> _Owner:
    name, state = ids.name(firewall.id), firewall.properties.provisioning_state
    if state is not None and state != facts.SUCCEEDED:
        return _Owner(unsettled=(f"firewall {name} is {state}", state.casefold() in facts.WRITING))
    if hop not in _private_addresses(firewall):
        return _Owner(wrong=f"{hop} is not the address of firewall {name}")
    return _Owner(f"firewall {name}")


def _owner(hop: str, network: facts.VirtualNetwork, estate: Estate) -> _Owner:
    """Who holds an address in the hub: a firewall, an appliance that forwards, or a load balancer before some."""
    subnet = next((one for one in network.properties.subnets or () if ranges.holds(one.prefixes, hop)), None)
    nobody = _Owner(wrong=f"{hop} is nobody's address in {network.name}")
    if subnet is None:
        return nobody
    missing: dict[str, None] = {}
    for holder in dict.fromkeys(ids.parent(one.id) for one in subnet.properties.ip_configurations or ()):
        match ids.kind(holder):
            case ids.FIREWALL:
                firewall = estate.find(holder, facts.Firewall)
                if isinstance(firewall, facts.Firewall) and hop in _private_addresses(firewall):
                    return _firewall(firewall, hop)
                missing.update({holder: None} if firewall is None else {})
            case ids.NETWORK_INTERFACE:
                nic = estate.find(holder, facts.NetworkInterface)
                if isinstance(nic, facts.NetworkInterface) and _has(nic.properties.ip_configurations, hop):
                    return _appliance(nic)
                missing.update({holder: None} if nic is None else {})
            case ids.LOAD_BALANCER:
                balancer = estate.find(holder, facts.LoadBalancer)
                if isinstance(balancer, facts.LoadBalancer):
                    if _has(balancer.properties.frontend_ip_configurations, hop):
                        return _behind(balancer, estate)
                elif balancer is None:
                    missing[holder] = None
            case _:
                pass
    return _Owner(missing=tuple(missing)) if missing else nobody


def _appliance(nic: facts.NetworkInterface) -> _Owner:
    if not nic.properties.enable_ip_forwarding:
        return _Owner(wrong=f"network interface {ids.name(nic.id)} does not forward (enableIPForwarding)")
    machine = nic.properties.virtual_machine
    return _Owner(f"appliance {ids.name(machine.id if machine else nic.id)}")


def _behind(balancer: facts.LoadBalancer, estate: Estate) -> _Owner:
    """An internal load balancer in: the appliances behind it must be there, and forward."""
    name = ids.name(balancer.id)
    members = [
        ids.parent(one.id)
        for pool in balancer.properties.backend_address_pools or ()
        for one in pool.properties.backend_ip_configurations or ()
    ]
    if not members:
        return _Owner(wrong=f"load balancer {name} has nobody behind it")
    missing: list[str] = []
    for member in dict.fromkeys(members):
        if ids.kind(member) != ids.NETWORK_INTERFACE:
            continue  # instances of a scale set: their interfaces cannot be read by id
        nic = estate.find(member, facts.NetworkInterface)
        if isinstance(nic, facts.NetworkInterface):
            if not nic.properties.enable_ip_forwarding:
                return _Owner(wrong=f"{ids.name(member)} behind load balancer {name} does not forward")
        elif nic is None:
            missing.append(member)
    return _Owner(f"appliances behind load balancer {name}", missing=tuple(missing))


def _has(configurations: tuple[facts.IpConfiguration, ...] | None, hop: str) -> bool:
    return any(one.properties.private_ip_address == hop for one in configurations or ())


def _own_addresses(firewall: facts.Firewall) -> tuple[str, ...]:
    named = (one.properties.public_ip_address for one in firewall.properties.ip_configurations or ())
    return tuple(ref.id for ref in named if ref is not None)


def _firewalls_gateway(network: facts.VirtualNetwork) -> str:
    """The NAT gateway that a firewall leaves by: it takes the place of its own addresses (facts/azure.md 5)."""
    for subnet in network.properties.subnets or ():
        if subnet.name.casefold() == _FIREWALL_SUBNET and subnet.properties.nat_gateway is not None:
            return subnet.properties.nat_gateway.id
    return ""


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
