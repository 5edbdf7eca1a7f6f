"""What a write of a cluster does to the facts: `known` changes as AKS would change it, or why AKS would refuse it."""

from msgspec import UNSET
from msgspec.structs import replace

from governor.core import facts, ids, outbound_type
from governor.core.cluster import ApiServerAccess, Cluster, LoadBalancerProfile, NetworkProfile
from governor.core.cluster_step import WriteCluster
from governor.core.egress import default_hops
from governor.core.estate import AnyFact
from governor.core.nodes import node_group
from governor.core.outbound_type import LOAD_BALANCER, MANAGED_NAT, MANAGED_NAT_V2, OWN_NAT, ROUTED

Known = dict[str, AnyFact]
_APPLIANCES = ("virtualappliance", "virtualnetworkgateway")


def write(step: WriteCluster, known: Known) -> str | None:
    """A write of a cluster in, after all writes of subnets that come with it."""
    cluster = known.get(ids.key(step.target))
    if not isinstance(cluster, Cluster):
        return f"cluster {ids.name(step.target)} does not exist, or was not read"
    properties = cluster.properties
    if step.authorize:
        api = cluster.api_server
        there = (*(api.authorized_ranges or ()), *step.authorize)
        access: ApiServerAccess = replace(api, authorized_ranges=tuple(dict.fromkeys(there)))
        properties = replace(properties, api_server_access_profile=access)
    if step.to is not UNSET:
        now, managed = outbound_type.of(cluster), cluster.has_managed_network
        why = outbound_type.refusal(now, step.to, managed=managed) or unready(cluster, step.to, known)
        if why:
            return why
        properties = replace(properties, network_profile=_profile(cluster, step.to))
        if managed and step.to == MANAGED_NAT:
            _manage_gateway(cluster, known)
        elif managed and now in (MANAGED_NAT, MANAGED_NAT_V2):
            _attach(None, cluster, known)
    known[ids.key(step.target)] = replace(cluster, properties=properties)
    return None


def _profile(cluster: Cluster, to: str) -> NetworkProfile:
    """The network profile after a change of type; AKS picks the addresses of a load balancer."""
    made = facts.Ref(f"{node_group(cluster)}/providers/microsoft.network/publicipaddresses/address-of-{to.casefold()}")
    balancer = LoadBalancerProfile((made,)) if to == LOAD_BALANCER else None
    return replace(cluster.network, outbound_type=to, load_balancer_profile=balancer, nat_gateway_profile=None)


def unready(cluster: Cluster, to: str, known: Known) -> str | None:
    """Why a cluster or its subnets are not ready for a type: AKS looks at them before it changes anything."""
    if to == ROUTED and (public := next((pool for pool in cluster.pools if pool.has_public_nodes), None)):
        return f"every node of pool {public.name} has a public address, which {ROUTED} does not allow"
    for subnet in _subnets(cluster, known):
        if to == OWN_NAT and subnet.properties.nat_gateway is None:
            return f"subnet {subnet.name} has no NAT gateway, which {OWN_NAT} needs"
        if to == ROUTED and ids.key(subnet.id) in {ids.key(one) for one in cluster.node_subnets}:
            named = subnet.properties.route_table
            table = known.get(ids.key(named.id)) if named else None
            hops = default_hops(table) if isinstance(table, facts.RouteTable) else (None, None)
            if not all(hop and (hop.next_hop_type or "").casefold() in _APPLIANCES for hop in hops):
                return f"subnet {subnet.name} has no default route to an appliance or gateway, which {ROUTED} needs"
    return None


def _subnets(cluster: Cluster, known: Known) -> list[facts.Subnet]:
    """The subnets of its nodes and pods, as far as they are known."""
    found: list[facts.Subnet] = []
    for wanted in dict.fromkeys((*cluster.node_subnets, *cluster.pod_subnets)):
        network = known.get(ids.key(ids.parent(wanted)))
        there = network.properties.subnets or () if isinstance(network, facts.VirtualNetwork) else ()
        found += (subnet for subnet in there if ids.same(subnet.id, wanted))
    return found


def _manage_gateway(cluster: Cluster, known: Known) -> None:
    """AKS makes a NAT gateway in the node group and attaches it to the subnets of the network that it manages."""
    place = f"{node_group(cluster)}/providers/microsoft.network"
    holder = facts.Ref(f"{place}/publicipaddresses/address-of-aks-natgateway")
    gateway = f"{place}/natgateways/aks-natgateway"
    properties = facts.NatGatewayProperties(public_ip_addresses=(holder,))
    known[gateway] = facts.NatGateway(gateway, cluster.location, properties=properties)
    _attach(facts.Ref(gateway), cluster, known)


def _attach(gateway: facts.Ref | None, cluster: Cluster, known: Known) -> None:
    """AKS gives the subnets of the network that it manages this NAT gateway, or none."""
    group = node_group(cluster)
    for key, network in [*known.items()]:
        if not isinstance(network, facts.VirtualNetwork) or ids.key(ids.group_of(network.id)) != group:
            continue
        subnets = tuple(
            one if one.delegated_to else replace(one, properties=replace(one.properties, nat_gateway=gateway))
            for one in network.properties.subnets or ()
        )
        known[key] = replace(network, properties=replace(network.properties, subnets=subnets))
