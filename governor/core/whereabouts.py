"""Where something with public addresses lives: what an event points at and the facts about it in, Scopes out.

A new address or interface is named by no run yet, so it is read; what has no public address concerns nobody new.
"""

from typing import Final

from msgspec import Struct

from governor.core import facts, ids
from governor.core.address_facts import ScaleSet
from governor.core.addresses import reaches
from governor.core.app_facts import Site
from governor.core.cause import Remainder, Scope, VirtualNetwork
from governor.core.estate import Estate
from governor.core.holder import public_frontends
from governor.core.ingress_facts import ApplicationGateway

# Those that stay where they are: whoever named them before is still the one.
SETTLED: Final = frozenset({ids.NETWORK_INTERFACE, ids.SCALE_SET})
KINDS: Final = SETTLED | {ids.LOAD_BALANCER, ids.PUBLIC_IP}


class Whereabouts(Struct, frozen=True):
    """The Scopes that something lives in; missing: ids that must be read to know them."""

    scopes: tuple[Scope, ...] = ()
    missing: tuple[str, ...] = ()


_NOWHERE: Final = Whereabouts()


def whereabouts(resource: str, estate: Estate) -> Whereabouts:
    """The id of one of KINDS and the facts that were read in, where it lives out."""
    kind = ids.kind(resource)
    fact = estate.known.get(ids.key(resource))
    if fact is None:
        # What is gone, or cannot be read, concerns whoever named it.
        tried = ids.key(resource) in estate.absent or any(gap.about == ids.key(resource) for gap in estate.gaps)
        return _NOWHERE if tried or kind not in KINDS else Whereabouts(missing=(resource,))
    match fact:
        case facts.NetworkInterface():
            public = any(one.properties.public_ip_address for one in fact.properties.ip_configurations or ())
            return Whereabouts(home(fact)) if public else _NOWHERE
        case ScaleSet():
            return Whereabouts(home(fact)) if fact.gives_addresses else _NOWHERE
        case facts.LoadBalancer():
            return _of_balancer(fact, estate) if public_frontends(fact) else _NOWHERE
        case facts.PublicIp():
            # One that is attached to nothing is left alone for a day, and found by the next sweep after that.
            held = fact.properties.ip_configuration
            return whereabouts(ids.top_level(held.id), estate) if held else _NOWHERE
        case _:
            return _NOWHERE


def home(fact: object) -> tuple[VirtualNetwork, ...]:
    """What was read of a network interface or a scale set in, the networks that it is in out; of all else none."""
    match fact:
        case facts.NetworkInterface():
            subnets = [one.properties.subnet for one in fact.properties.ip_configurations or ()]
        case ScaleSet():
            subnets = [one.properties.subnet for one in fact.configurations]
        case _:
            return ()
    networks = {ids.key(ids.parent(ref.id)): ids.parent(ref.id) for ref in subnets if ref is not None}
    return tuple(VirtualNetwork(network) for _, network in sorted(networks.items()))


def _of_balancer(balancer: facts.LoadBalancer, estate: Estate) -> Whereabouts:
    """Whatever is behind a load balancer is in one network: the first that tells it is enough."""
    members = sorted(reaches(balancer), key=ids.key)
    if not members:
        return Whereabouts((Remainder(ids.parse(balancer.id).subscription),))
    for member in members:
        if ids.kind(member) == ids.VIRTUAL_NETWORK:
            return Whereabouts((VirtualNetwork(member),))
    for member in members:
        holder = ids.top_level(member)
        fact = estate.known.get(ids.key(holder))
        if isinstance(fact, facts.NetworkInterface | ScaleSet):
            return Whereabouts(home(fact))
        if ids.key(holder) not in estate.absent and not any(gap.about == ids.key(holder) for gap in estate.gaps):
            return Whereabouts(missing=(holder,))
    return _NOWHERE


def elsewhere(estate: Estate) -> frozenset[str]:
    """An Estate in, the keys of those that were only listed with others of their kind, and live elsewhere, out."""
    here = {ids.key(network.id) for network in estate.networks}
    here |= {
        ids.key(ref.id)
        for network in estate.networks
        for subnet in network.properties.subnets or ()
        for ref in subnet.properties.ip_configurations or ()
    }
    subnets = {ids.key(one.id) for network in estate.networks for one in network.properties.subnets or ()}
    found = {ids.key(one.id) for one in estate.all(ApplicationGateway) if subnets.isdisjoint(map(ids.key, one.subnets))}
    for app in estate.all(Site):
        if ids.key(app.properties.virtual_network_subnet_id or "") not in subnets:
            found.add(ids.key(app.id))
    for balancer in estate.all(facts.LoadBalancer):
        keys = {ids.key(one) for one in reaches(balancer)}
        if here.isdisjoint(keys) and (keys or not estate.remainders):
            found.add(ids.key(balancer.id))
    for address in estate.all(facts.PublicIp):
        holder = address.properties.ip_configuration or address.properties.nat_gateway
        key = ids.key(ids.top_level(holder.id)) if holder else ""
        known = key in estate.known and key not in found
        if not known and (holder is not None or not estate.remainders):
            found.add(ids.key(address.id))
    return frozenset(found)
