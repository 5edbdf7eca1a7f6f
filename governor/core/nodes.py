"""How the nodes of AKS clusters leave: an instance of a scale set in, what its cluster says of it out.

The interfaces of scale-set instances are no resources that can be read by id. A cluster says what its nodes leave by:
its load balancer with these addresses, a public address on every node, or nothing of its own.
"""

from typing import Final

from governor.core import facts, ids
from governor.core.cause import VirtualNetwork
from governor.core.cluster import AgentPool, Cluster
from governor.core.estate import Estate, clusters
from governor.core.path import Method, Way

_PARTS: Final = 3


class Nodes:
    """The clusters of an Estate, looked through once for many instances."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._by_group: dict[str, Cluster] | None = None

    def cluster(self, instance: str) -> Cluster | None:
        """The id of something in a scale set in, the cluster whose node it is out."""
        if self._by_group is None:
            self._by_group = {node_group(one): one for one in self._estate.all(Cluster) if node_group(one)}
        return self._by_group.get(ids.key(ids.group_of(instance)))

    def pods_leave(self, subnet: facts.Subnet, default: Method) -> Way | str | tuple[str, bool]:
        """A subnet of pods in; as `leaves`: where nothing is attached to it, pods go out with the nodes they run on."""
        known = clusters(ids.parse(subnet.id).subscription)
        owner = cluster_of_pods(subnet, self._estate)
        if owner is None:
            return Way(default) if self._estate.has_listed(known) else known
        return owner.unsettled or self._of(owner, default)

    def leaves(self, instance: str, default: Method) -> Way | str | tuple[str, bool]:
        """An interface of an instance in; its way out, what must be read to know it, or what is not settled, out.

        default: how a machine with nothing of its own leaves here.
        """
        known = clusters(ids.parse(instance).subscription)
        if not self._estate.has_listed(known):
            return known
        cluster = self.cluster(instance)
        if cluster is None:
            return instance
        if cluster.unsettled:
            return cluster.unsettled
        pool = pool_of(cluster, ids.parse(instance).names[0])
        if pool is None and any(one.has_public_nodes for one in cluster.pools):
            return instance
        if pool is not None and pool.has_public_nodes:
            prefix = pool.node_public_ip_prefix
            via = f"{cluster.id}/agentPools/{pool.name}"
            return Way(Method.INSTANCE_PUBLIC_IP, via, holders=(prefix,) if prefix else ())
        return self._of(cluster, default)

    @staticmethod
    def _of(cluster: Cluster, default: Method) -> Way:
        if not cluster.leaves_by_balancer:
            return Way(default)
        profile = cluster.network.load_balancer_profile
        holders = tuple(ref.id for ref in (profile.effective or () if profile else ()))
        return Way(Method.OUTBOUND_RULE, cluster.id, holders=holders)


def is_of_aks(subnet: facts.Subnet) -> bool:
    """Whether a subnet is delegated to AKS: one of pods, or of an API server."""
    return ids.CLUSTER in (service.casefold() for service in subnet.delegated_to)


def cluster_of_pods(subnet: facts.Subnet, estate: Estate) -> Cluster | None:
    """A subnet in, the cluster whose pods live in it out, None for every other; AKS has it delegated to itself."""
    if not is_of_aks(subnet):
        return None
    named = (one for one in estate.all(Cluster) if any(ids.same(each, subnet.id) for each in one.pod_subnets))
    return next(named, None)


def node_group(cluster: Cluster) -> str:
    """A cluster in, the key of the resource group of its nodes out, "" where it names none."""
    name = cluster.properties.node_resource_group
    return ids.key(ids.group(ids.parse(cluster.id).subscription, name)) if name else ""


def clusters_by_network(estate: Estate) -> dict[str, list[Cluster]]:
    """An Estate in; by key of a network that is judged, the clusters that live in it, in order, out.

    A cluster lives where its nodes do: in the network of their subnets, or in the one Azure made in its node group.
    """
    found: dict[str, list[Cluster]] = {}
    every = estate.all(Cluster)
    if not every:
        return found
    by_group: dict[str, list[str]] = {}
    for network in estate.networks:
        by_group.setdefault(ids.key(ids.group_of(network.id)), []).append(ids.key(network.id))
    for cluster in every:
        own = {ids.key(ids.parent(subnet)) for subnet in cluster.node_subnets}
        for network_key in sorted(own) or by_group.get(node_group(cluster), []):
            found.setdefault(network_key, []).append(cluster)
    return found


def homes(cluster_id: str, estate: Estate) -> tuple[VirtualNetwork, ...]:
    """The id of a cluster in, the Scopes that it lives in as far as they are known out."""
    cluster = estate.find(cluster_id, Cluster)
    if not isinstance(cluster, Cluster):
        return ()
    own = {ids.key(ids.parent(subnet)): ids.parent(subnet) for subnet in cluster.node_subnets}
    if not own and (group := node_group(cluster)):
        there = (one.id for one in estate.all(facts.VirtualNetwork) if ids.key(ids.group_of(one.id)) == group)
        own = {ids.key(network): network for network in there}
    return tuple(VirtualNetwork(network) for _, network in sorted(own.items()))


def pool_of(cluster: Cluster, scale_set: str) -> AgentPool | None:
    """The pool of a scale set, which AKS names aks-POOL-NUMBER-vmss."""
    parts = scale_set.casefold().split("-")
    name = parts[1] if len(parts) > _PARTS else ""
    return next((pool for pool in cluster.pools if pool.name.casefold() == name), None)
