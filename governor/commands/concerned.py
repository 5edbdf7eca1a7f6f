"""A resource and what was read of a network in, the subnets there that have to do with it out."""

from typing import Final

from governor.commands.behind_hub import with_addresses
from governor.commands.explain_address import HOLDERS
from governor.core import facts, ids
from governor.core.addresses import reaches
from governor.core.cluster import Cluster
from governor.core.egress import trace
from governor.core.estate import Estate
from governor.core.nodes import node_group
from governor.core.occupancy import clusters_by_subnet

# Of these the facts tell which subnets they serve. Anything else, as a firewall, may concern every subnet.
_PRECISE: Final = HOLDERS | {ids.NAT_GATEWAY, ids.ROUTE_TABLE}


def using(cluster: str, estate: Estate) -> frozenset[str]:
    """A cluster in, the keys of the subnets that its nodes and pods use out; its API server's is nobody's way out."""
    by_subnet = clusters_by_subnet(estate)
    used = frozenset(key for key, who in by_subnet.items() if any(ids.same(one, cluster) for one in who))
    found = estate.find(cluster, Cluster)
    return used - {ids.key(found.api_server.subnet_id or "")} if isinstance(found, Cluster) else used


def concerned(resource: str, estate: Estate) -> frozenset[str] | None:
    """The id of something that is no subnet in; the keys of the subnets that it touches, None for all, out."""
    kind = ids.kind(resource)
    if kind == ids.CLUSTER:
        return using(resource, estate)
    if kind not in _PRECISE:
        return None
    related = _related(resource, estate)
    found = frozenset(
        ids.key(subnet.id)
        for network in estate.networks
        for subnet in network.properties.subnets or ()
        if not related.isdisjoint(_names(subnet, network, estate))
    )
    owner = next((one.id for one in estate.all(Cluster) if node_group(one) == ids.key(ids.group_of(resource))), None)
    # An address of a hub that nobody leaves from yet concerns all who are to leave by it.
    return found or (using(owner, estate) if owner else None)


def _related(resource: str, estate: Estate) -> set[str]:
    """The keys of a resource, of who has it if it is an address, and of what is behind it if it is a load balancer."""
    found, edge = {ids.key(resource)}, [resource]
    while edge:
        fact = estate.known.get(ids.key(edge.pop()))
        more: list[str] = []
        if isinstance(fact, facts.PublicIp):
            held = fact.properties.ip_configuration or fact.properties.nat_gateway
            more = [ids.top_level(held.id)] if held else []
        elif isinstance(fact, facts.LoadBalancer):
            behind = map(ids.top_level, reaches(fact))
            more = [one for one in behind if ids.kind(one) != ids.VIRTUAL_NETWORK]
        edge += [one for one in more if ids.key(one) not in found]
        found.update(map(ids.key, more))
    return found


def _names(subnet: facts.Subnet, network: facts.VirtualNetwork, estate: Estate) -> set[str]:
    """The keys of who lives in a subnet, of what is attached to it, and of the addresses that it leaves from."""
    properties = subnet.properties
    attached = [ref.id for ref in (properties.nat_gateway, properties.route_table) if ref is not None]
    lodgers = [ids.top_level(ref.id) for ref in properties.ip_configurations or ()]
    path, _ = with_addresses(trace(subnet, network, estate), network, estate)
    return {ids.key(one) for one in (*attached, *lodgers, *(holder for way in path.ways for holder in way.holders))}
