"""A path to an appliance in, whose address that is and what it leaves from out: by the facts, whatever policies say."""

from governor.core import facts, ids
from governor.core.estate import Estate
from governor.core.hub import Hub, carried, hub_of
from governor.core.path import EgressPath, Method
from governor.core.policy import HubPolicy


def hub_at(hop: str, network: facts.VirtualNetwork, estate: Estate) -> Hub:
    """A next hop and the network whose route names it in, the hub that holds it out."""
    found = hub_of(network, HubPolicy(next_hop={network.region: hop}), estate)
    there = network if ids.same(found.network, network.id) else estate.find(found.network, facts.VirtualNetwork)
    for subnet in (there.properties.subnets or ()) if isinstance(there, facts.VirtualNetwork) else ():
        for lodger in subnet.properties.ip_configurations or ():
            firewall = ids.parent(lodger.id)
            if ids.kind(firewall) == ids.FIREWALL:
                hub = hub_of(network, HubPolicy(firewall={network.region: firewall}), estate)
                if hub.next_hop in (hop, ""):
                    return hub
    return found


def with_addresses(path: EgressPath, network: facts.VirtualNetwork, estate: Estate) -> tuple[EgressPath, Hub]:
    """A path in; the same with the public addresses of the hub it leads to, and that hub, out."""
    hops = [way.via for way in path.ways if way.method is Method.APPLIANCE]
    if not hops:
        return path, Hub()
    hub = hub_at(hops[0], network, estate)
    return carried(path, hub), hub
