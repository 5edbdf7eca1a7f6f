"""Who lives in a subnet: a subnet and the facts around it in, its Occupants out.

An occupied subnet is another world than an empty one: what cannot be named, or was not read, holds
a repair back.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from governor.core import facts, ids
from governor.core.address_facts import ScaleSet
from governor.core.cluster import Cluster
from governor.core.estate import Estate, clusters
from governor.core.learned import learned
from governor.core.nodes import cluster_of_pods, node_group

# Azure's own subnets: never written. AzureFirewallSubnet comes with `natGatewayOnFirewall`.
SPECIAL: Final = frozenset(
    {
        "gatewaysubnet",
        "azurebastionsubnet",
        "routeserversubnet",
        "azurefirewallsubnet",
        "azurefirewallmanagementsubnet",
    }
)


class Occupants(Struct, frozen=True, gc=False):
    """kinds: as policies name them. names: what lives here, for people. plain: everything is a virtual machine whose

    network interface was read and has nothing public about it. unread: ids that must be read to know more.
    clusters: ids of the clusters that use the subnet. strangers: who is neither plain nor of one of these; reached:
    those of them who are only asked from elsewhere, and lose nothing while replies go back the way that they came.
    """

    kinds: frozenset[str]
    names: tuple[str, ...] = ()
    plain: bool = True
    unread: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    reached: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return not self.names


NOBODY: Final = Occupants(frozenset({"empty"}))


def clusters_by_subnet(estate: Estate) -> dict[str, list[str]]:
    """An Estate in; by key of a subnet, the clusters that use it out."""
    found: dict[str, list[str]] = {}
    every = estate.all(Cluster)
    for cluster in every:
        for subnet in cluster.subnets:
            found.setdefault(ids.key(subnet), []).append(cluster.id)
    managed = {node_group(one): one.id for one in every if one.has_managed_network and node_group(one)}
    for network in estate.networks if managed else ():
        if owner := managed.get(ids.key(ids.group_of(network.id))):
            found.update({ids.key(one.id): [owner] for one in network.properties.subnets or ()})
    return found


def occupants(subnet: facts.Subnet, using: list[str] | None, estate: Estate) -> Occupants:
    """A subnet, the clusters that use it and the facts in, who lives in it out."""
    properties = subnet.properties
    lodgers = (properties.ip_configurations, properties.private_endpoints, properties.delegations)
    links = (*(properties.service_association_links or ()), *(properties.resource_navigation_links or ()))
    if not (any(lodgers) or links or using or properties.ip_configuration_profiles):
        return NOBODY
    kinds: set[str] = set()
    names: dict[str, None] = {}
    unread: dict[str, None] = {}
    plain = True
    groups = {group for one in using or () if (group := _node_group(one, estate))}
    strangers: dict[str, None] = {}
    reached: dict[str, bool] = {}
    for cluster in using or ():
        kinds.add("cluster")
        names[f"cluster {ids.name(cluster)}"] = None
    for reference in properties.ip_configurations or ():
        holder = ids.parent(reference.id)
        kind, shown, simple = _lodger(reference.id, estate)
        kinds.add(kind)
        names[shown] = None
        plain = plain and simple
        if not simple and not (ids.kind(holder) and ids.key(ids.group_of(holder)) in groups):
            strangers[shown] = None
            reached[shown] = reached.get(shown, True) and _is_reached(holder, estate)
        unread.update(dict.fromkeys(_to_read(holder, estate)))
    for endpoint in properties.private_endpoints or ():
        kinds.add("privateEndpoint")
        names[f"private endpoint {ids.name(endpoint.id)}"] = None
    owner = cluster_of_pods(subnet, estate) if subnet.delegated_to else None
    for service in subnet.delegated_to if owner is None else ():
        # A delegation alone does not mean that somebody has moved in, but nobody else can.
        kinds.add("app")
        names[f"delegated to {service}"] = None
        strangers[f"delegated to {service}"] = None
        plain = False
    for link in (
        () if owner else (*(properties.service_association_links or ()), *(properties.resource_navigation_links or ()))
    ):
        kinds.add("app")
        linked = f"linked to {link.properties.linked_resource_type or link.name or 'a service'}"
        names[linked] = None
        strangers[linked] = None
        plain = False
    for profile in properties.ip_configuration_profiles or ():
        kinds.add("app")
        names[f"container network {ids.name(profile.id)}"] = None
        strangers[f"container network {ids.name(profile.id)}"] = None
        plain = False
    return Occupants(
        frozenset(kinds),
        tuple(sorted(names)),
        plain and not using,
        tuple(sorted(unread)),
        tuple(using or ()),
        tuple(sorted(strangers)),
        tuple(sorted(shown for shown, only in reached.items() if only)),
    )


def hazards_unread(
    who: Occupants, network: facts.VirtualNetwork, estate: Estate, *, with_cluster: bool = False, replies: bool = False
) -> str | None:
    """Occupants in, why nobody has looked at what a change would do to them out; None when all of it was read.

    with_cluster: the cluster that lives here is changed together with its subnets; what others do is what counts.
    replies: whoever is reached from elsewhere still replies the way he was asked, so that is no hazard. A NAT gateway
    leaves that as it is (facts/azure.md 2.3).

    Plain machines with nothing public, in reach of no gateway that was not asked, have no hazards that this version
    cannot read.
    """
    if who.empty:
        return None
    by_gateways = learned(network, estate)
    if by_gateways.missing:
        return f"hazards not read: {by_gateways.reach}, so what on-premises routes would do is not known"
    unclear = who.names if who.clusters and not with_cluster else who.strangers
    if replies:
        unclear = tuple(one for one in unclear if one not in who.reached)
    if unclear:
        return f"hazards not read: {', '.join(unclear[:3])} may depend on the way out as it is"
    return None


def _node_group(cluster_id: str, estate: Estate) -> str:
    cluster = estate.find(cluster_id, Cluster)
    return node_group(cluster) if isinstance(cluster, Cluster) else ""


def _lodger(configuration_id: str, estate: Estate) -> tuple[str, str, bool]:
    """An ip configuration in; its kind of occupant, its name for people, and whether it is plain, out."""
    holder = ids.parent(configuration_id)
    kind = ids.kind(holder)
    if kind and ids.in_node_group(holder):
        return "cluster", f"cluster node {ids.name(holder)}", False
    if kind == ids.NETWORK_INTERFACE:
        nic = estate.find(holder, facts.NetworkInterface)
        if not isinstance(nic, facts.NetworkInterface):
            return "virtualMachine", f"network interface {ids.name(holder)}", False
        if nic.properties.private_endpoint is not None:
            return "privateEndpoint", f"private endpoint {ids.name(nic.properties.private_endpoint.id)}", True
        machine = nic.properties.virtual_machine
        shown = f"virtual machine {ids.name(machine.id)}" if machine else f"network interface {ids.name(nic.id)}"
        return "virtualMachine", shown, not nic.properties.enable_ip_forwarding and not _public(nic)
    if kind.startswith(ids.SCALE_SET):
        return "virtualMachine", f"scale set {ids.parse(holder).names[0]}", False
    if kind == ids.LOAD_BALANCER:
        return "app", f"load balancer {ids.name(holder)}", False
    return "app", f"{kind.rpartition('/')[2] or 'something'} {ids.name(holder)}", False


def _is_reached(holder: str, estate: Estate) -> bool:
    """Whether all that is known against a lodger is that others ask it: it forwards for nobody, and is no service."""
    kind = ids.kind(holder)
    if not kind or ids.in_node_group(holder):
        return False
    if kind == ids.NETWORK_INTERFACE:
        nic = estate.find(holder, facts.NetworkInterface)
        return isinstance(nic, facts.NetworkInterface) and not nic.properties.enable_ip_forwarding
    if kind.startswith(ids.SCALE_SET):
        model = estate.find(ids.top_level(holder), ScaleSet)
        return isinstance(model, ScaleSet) and not model.forwards
    return kind == ids.LOAD_BALANCER


def _to_read(holder: str, estate: Estate) -> Iterator[str]:
    """A lodger in, what must be read to know what a change would do to it out."""
    kind = ids.kind(holder)
    if kind.startswith(ids.SCALE_SET):
        if not ids.in_node_group(holder) and estate.find(ids.top_level(holder), ScaleSet) is None:
            yield ids.top_level(holder)
    elif kind == ids.NETWORK_INTERFACE:
        nic = estate.find(holder, facts.NetworkInterface)
        if nic is None:
            yield holder
        elif isinstance(nic, facts.NetworkInterface):
            # No NAT gateway serves a subnet with something Basic in it.
            for one in nic.properties.ip_configurations or ():
                address = one.properties.public_ip_address
                if address and estate.find(address.id, facts.PublicIp) is None:
                    yield address.id
                for pool in one.properties.load_balancer_backend_address_pools or ():
                    if estate.find(ids.top_level(pool.id), facts.LoadBalancer) is None:
                        yield ids.top_level(pool.id)


def _public(nic: facts.NetworkInterface) -> bool:
    return any(
        configuration.properties.public_ip_address or configuration.properties.load_balancer_backend_address_pools
        for configuration in nic.properties.ip_configurations or ()
    )


def clusters_known(network: facts.VirtualNetwork, estate: Estate) -> bool:
    """Whether all clusters that may live in a network were listed, so that a subnet without one is known free."""
    unclear = any(not gap.about or ids.kind(gap.about) == ids.CLUSTER for gap in estate.gaps)
    return not unclear and all(estate.has_listed(clusters(one)) for one in cluster_subscriptions(network))


def cluster_subscriptions(network: facts.VirtualNetwork) -> tuple[str, ...]:
    """A network in, the subscriptions whose clusters may live in it out: its own, and those of scale sets in it."""
    own = ids.parse(network.id).subscription
    here = f"/subscriptions/{own}/".casefold()
    found: dict[str, str] = {own.casefold(): own}
    for subnet in network.properties.subnets or ():
        for reference in subnet.properties.ip_configurations or ():
            key = ids.key(reference.id)
            if not key.startswith(here) and ids.kind(ids.parent(key)).startswith(ids.SCALE_SET):
                found.setdefault(ids.parse(key).subscription, ids.parse(reference.id).subscription)
    return tuple(found.values())


def elsewhere_unlisted(network: facts.VirtualNetwork, estate: Estate) -> str:
    """A network in, of which other subscription the clusters were not read that may live in it, and why, out."""
    for one in cluster_subscriptions(network)[1:]:
        if not estate.has_listed(clusters(one)):
            why = estate.why(clusters(one))
            return f"the clusters of subscription {one}, whose nodes are in its network, were not read: {why}"
    return ""


def cluster_owns(network: facts.VirtualNetwork, estate: Estate) -> bool:
    """Whether a network lies in the node resource group of a cluster, even one whose pools are empty now.

    Pools of such a cluster name no subnet, so nothing else tells (safety.md 9).
    """
    return ids.in_node_group(network.id) or ids.key(ids.group_of(network.id)) in map(node_group, estate.all(Cluster))
