"""The addresses that the firewall of a hub leaves from: a network as a spoke in, Verdicts on them out.

`hub-firewall-nat`: a NAT gateway on the firewall's subnet gives all spokes one way out. `snat-capacity`: without one,
the firewall has so many ports for each of its addresses and instances (facts/azure.md 5). Both are told, not mended.
"""

from typing import Final

from governor.core import facts, ids
from governor.core.egress import gateway_holders
from governor.core.estate import Estate
from governor.core.hub import FIREWALL_SUBNET
from governor.core.hub_verdict import Spoke
from governor.core.next_hop import private_addresses
from governor.core.path import addressed
from governor.core.policy import Requirement
from governor.core.verdict import Result, Verdict, exempted, why_unread

_NAT: Final = Requirement.HUB_FIREWALL_NAT
_PORTS: Final = Requirement.SNAT_CAPACITY
# A firewall has two instances or more; how many at a time no ARM body says, so the least is counted.
PORTS_OF_AN_ADDRESS: Final = 2496 * 2
# What a load balancer gives each machine of its largest pools: with less, connections begin to fail.
PORTS_OF_A_MACHINE: Final = 64


def of_firewall(spoke: Spoke, estate: Estate) -> tuple[Verdict, ...]:
    """A network as a spoke in, what holds of the addresses of its hub's firewall out; nothing where that is none."""
    hub = spoke.hub
    if hub.wrong:
        return ()  # `hub-next-hop` says it
    home = estate.find(hub.network, facts.VirtualNetwork)
    firewall = _firewall(spoke, home if isinstance(home, facts.VirtualNetwork) else None, estate)
    if firewall is None or not isinstance(home, facts.VirtualNetwork):
        return _unseen(spoke, estate)
    subnet = home.subnet(FIREWALL_SUBNET)
    gateway = subnet.properties.nat_gateway if subnet else None
    own = tuple(
        one.properties.public_ip_address.id
        for one in firewall.properties.ip_configurations or ()
        if one.properties.public_ip_address
    )
    found = [_nat(spoke, firewall, (gateway, own), estate)] if spoke.wanted.nat_gateway_on_firewall != "off" else []
    machines = _machines(spoke.network)
    if gateway is None and own and machines:
        found.append(_ports(spoke, firewall, (len(own), machines), estate))
    return tuple(found)


def _unseen(spoke: Spoke, estate: Estate) -> tuple[Verdict, ...]:
    """What is said where the firewall or its network was not read; nothing where the hub has none."""
    if not spoke.hub.missing or spoke.wanted.nat_gateway_on_firewall == "off":
        return ()
    missing = spoke.hub.missing[0]
    seen = f"{ids.name(missing)}: {why_unread(missing, estate)}"
    return (Verdict(spoke.network.id, _NAT, Result.UNKNOWN, spoke.policy.name, seen),)


def _nat(
    spoke: Spoke, firewall: facts.Firewall, by: tuple[facts.Ref | None, tuple[str, ...]], estate: Estate
) -> Verdict:
    """Whether a firewall leaves by a NAT gateway, and from which addresses."""
    network, policy, (ref, own) = spoke.network, spoke.policy, by
    expected = f"a NAT gateway on {FIREWALL_SUBNET}: one way out for all spokes"
    name = ids.name(firewall.id)
    if ref is None:
        shown = addressed(own, estate)[0]
        seen = f"firewall {name} has no NAT gateway on its subnet: it leaves from addresses of its own"
        result, seen = exempted(network.id, _NAT, policy, estate, seen)
        return Verdict(network.id, _NAT, result, policy.name, seen, expected, shown)
    gateway = estate.find(ref.id, facts.NatGateway)
    if not isinstance(gateway, facts.NatGateway):
        seen = f"NAT gateway {ids.name(ref.id)}: {why_unread(ref.id, estate)}"
        return Verdict(network.id, _NAT, Result.UNKNOWN, policy.name, seen, expected)
    shown = addressed(gateway_holders(gateway), estate)[0]
    seen = f"firewall {name} leaves by NAT gateway {ids.name(gateway.id)}"
    return Verdict(network.id, _NAT, Result.COMPLIANT, policy.name, seen, expected, shown)


def _ports(spoke: Spoke, firewall: facts.Firewall, count: tuple[int, int], estate: Estate) -> Verdict:
    """Whether a firewall without NAT gateway has ports enough for the machines of one spoke alone."""
    network, policy, (addresses, machines) = spoke.network, spoke.policy, count
    ports = PORTS_OF_AN_ADDRESS * addresses
    seen = (
        f"firewall {ids.name(firewall.id)} leaves from {addresses} address{'' if addresses == 1 else 'es'} without NAT "
        f"gateway: {ports:,} ports with two instances, {ports // machines:,} for each of {machines:,} machines here"
    )
    expected = f"{PORTS_OF_A_MACHINE} ports for each machine, or a NAT gateway on {FIREWALL_SUBNET}"
    result = Result.COMPLIANT
    if ports < PORTS_OF_A_MACHINE * machines:
        result, seen = exempted(network.id, _PORTS, policy, estate, seen)
    return Verdict(network.id, _PORTS, result, policy.name, seen, expected)


def _firewall(spoke: Spoke, home: facts.VirtualNetwork | None, estate: Estate) -> facts.Firewall | None:
    """The Azure Firewall that a spoke leaves by: the policy's, or who has the next hop in the hub's firewall subnet."""
    if named := spoke.wanted.firewall.get(spoke.network.region):
        found = estate.find(named, facts.Firewall)
        return found if isinstance(found, facts.Firewall) else None
    subnet = home.subnet(FIREWALL_SUBNET) if home else None
    for reference in subnet.properties.ip_configurations or () if subnet else ():
        found = estate.find(ids.parent(reference.id), facts.Firewall)
        if isinstance(found, facts.Firewall) and spoke.hub.next_hop in private_addresses(found):
            return found
    return None


def _machines(network: facts.VirtualNetwork) -> int:
    """How many interfaces of machines live in a network; an instance of a scale set is one."""
    found = {
        ids.key(ids.parent(ref.id))
        for subnet in network.properties.subnets or ()
        for ref in subnet.properties.ip_configurations or ()
    }
    return sum(ids.kind(one).startswith((ids.NETWORK_INTERFACE, ids.SCALE_SET)) for one in found)
