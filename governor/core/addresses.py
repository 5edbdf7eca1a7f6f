"""Who holds public addresses: an Estate in; the holders in a network, or in none, and what must be read to know them.

A list of all addresses of a subscription says where each is attached, so machines without one are not read at all.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from governor.core import facts, ids
from governor.core.cluster import Cluster
from governor.core.estate import NOT_READ, Estate, clusters, list_of
from governor.core.holder import (
    Found,
    Holder,
    alone,
    is_unattached,
    of_balancer,
    of_interface,
    of_scale_set,
    public_frontends,
)
from governor.core.nodes import Nodes, pool_of
from governor.core.occupancy import SPECIAL, clusters_known
from governor.core.policy import Policies

NOBODY: Final = Found()


class Places(Struct, frozen=True):
    """An Estate by where things are attached. holding: public addresses by key of the ip configuration that has them.

    reached: load balancers with a public frontend, by key of an ip configuration behind them, or of a network.
    """

    holding: dict[str, facts.PublicIp]
    reached: dict[str, dict[str, facts.LoadBalancer]]
    placeless: tuple[facts.LoadBalancer, ...]


def wanted(policies: Policies) -> bool:
    """Whether any policy asks who has public addresses."""
    return any(policy.public_ips.default != "allow" for policy in policies)


def places(estate: Estate) -> Places:
    """An Estate in, what is attached where out."""
    holding: dict[str, facts.PublicIp] = {}
    reached: dict[str, dict[str, facts.LoadBalancer]] = {}
    placeless: list[facts.LoadBalancer] = []
    for _, fact in sorted(estate.known.items()):
        match fact:
            case facts.PublicIp() if fact.properties.ip_configuration:
                holding[ids.key(fact.properties.ip_configuration.id)] = fact
            case facts.LoadBalancer() if public_frontends(fact):
                behind = tuple(map(ids.key, reaches(fact)))
                for key in behind:
                    reached.setdefault(key, {})[ids.key(fact.id)] = fact
                if not behind:
                    placeless.append(fact)
            case _:
                pass
    return Places(holding, reached, tuple(placeless))


def reaches(balancer: facts.LoadBalancer) -> Iterator[str]:
    """The ids of ip configurations behind a load balancer, and of networks that it names."""
    properties = balancer.properties
    for frontend in properties.frontend_ip_configurations or ():
        if frontend.properties.subnet:
            yield ids.parent(frontend.properties.subnet.id)
    for pool in properties.backend_address_pools or ():
        yield from (ref.id for ref in pool.properties.backend_ip_configurations or ())
        if pool.properties.virtual_network:
            yield pool.properties.virtual_network.id
        for one in pool.properties.load_balancer_backend_addresses or ():
            if one.properties.virtual_network:
                yield one.properties.virtual_network.id
            if one.properties.subnet:
                yield ids.parent(one.properties.subnet.id)
    for rule in properties.inbound_nat_rules or ():
        if rule.properties.backend_ip_configuration:
            yield rule.properties.backend_ip_configuration.id


def of_network(network: facts.VirtualNetwork, places: Places, estate: Estate) -> Found:
    """A network in, who in it has public addresses out; nobody where nobody lives."""
    lodging = {
        ids.key(ref.id): (ref.id, ids.key(subnet.id))
        for subnet in network.properties.subnets or ()
        if subnet.name.casefold() not in SPECIAL
        for ref in subnet.properties.ip_configurations or ()
    }
    if not any(_may_hold(key) for key in lodging):
        return Found()
    subscription = _subscription(network.id)
    lists = (list_of("publicIpAddresses", subscription), list_of("loadBalancers", subscription))
    missing = [name for name in lists if not estate.has_listed(name)]
    balancers = dict(places.reached.get(ids.key(network.id), {}))
    machines: dict[str, tuple[str, str]] = {}
    nodes, known = Nodes(estate), clusters_known(network, estate)
    for key, (configuration, subnet) in sorted(lodging.items()):
        holder = ids.top_level(configuration)
        kind = ids.kind(holder)
        named = kind == ids.NETWORK_INTERFACE and key in places.holding
        if named or (kind == ids.SCALE_SET and not _is_plain(holder, nodes.cluster(holder))):
            machines.setdefault(ids.key(holder), (holder, subnet))
        balancers.update(places.reached.get(key, {}))
    name = clusters(ids.parse(network.id).subscription)
    if not known and estate.why(name) == NOT_READ and any(ids.kind(one) == ids.SCALE_SET for one in machines):
        # Its cluster may say what a scale set gives its instances.
        machines = {key: one for key, one in machines.items() if ids.kind(key) != ids.SCALE_SET}
        missing.append(name)
    found = [
        (of_scale_set if ids.kind(holder) == ids.SCALE_SET else of_interface)(holder, subnet, estate)
        for holder, subnet in machines.values()
    ]
    for balancer in balancers.values():
        subnet = next((lodging[key][1] for key in sorted(map(ids.key, reaches(balancer))) if key in lodging), "")
        found.append(of_balancer(balancer, subnet, estate))
    return _joined(found, missing, estate)


def of_remainder(subscription: str, places: Places, estate: Estate) -> Found:
    """A subscription in, what has or is a public address and lives in none of its networks out."""
    scope = f"/subscriptions/{subscription}"
    lists = [list_of(what, scope) for what in ("publicIpAddresses", "publicIpPrefixes", "loadBalancers")]
    missing = [name for name in lists if not estate.has_listed(name)]
    here = f"{scope.casefold()}/"
    found = [of_balancer(one, "", estate) for one in places.placeless if ids.key(one.id).startswith(here)]
    known: list[facts.PublicIp | facts.PublicIpPrefix] = [*estate.all(facts.PublicIp)]
    known += estate.all(facts.PublicIpPrefix)
    nobodys = (one for one in known if ids.key(one.id).startswith(here) and is_unattached(one))
    found.append(Found(tuple(alone(one) for one in nobodys)))
    return _joined(found, missing, estate)


def _is_plain(scale_set: str, cluster: Cluster | None) -> bool:
    """Whether a scale set is that of a pool which gives its nodes no public addresses, as its cluster says.

    The addresses of a pool of mode Gateway are there to be left by, and are the cluster's.
    """
    if cluster is None:
        return False
    pool = pool_of(cluster, ids.name(scale_set))
    if pool is not None:
        return not pool.has_public_nodes
    return not any(one.has_public_nodes for one in cluster.pools)


def _may_hold(configuration: str) -> bool:
    return ids.kind(configuration).startswith((ids.NETWORK_INTERFACE, ids.SCALE_SET, ids.LOAD_BALANCER))


def _subscription(resource: str) -> str:
    return f"/subscriptions/{ids.parse(resource).subscription}"


def _joined(parts: Iterable[Found], missing: list[str], estate: Estate) -> Found:
    """What was found in, all of it out, in the order of ids; addresses that are named and were not read are missing."""
    holders: dict[str, Holder] = {}
    for part in parts:
        holders.update({ids.key(one.id): one for one in part.holders})
        missing += part.missing
    named = (one.id for holder in holders.values() for one in holder.addresses if one.tags is None)
    missing += [one for one in named if ids.kind(one) in (ids.PUBLIC_IP, ids.PUBLIC_IP_PREFIX)]
    return Found(tuple(holders[key] for key in sorted(holders)), tuple(dict.fromkeys(missing)))
