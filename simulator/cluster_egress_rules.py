"""Whether the way out that a cluster asks for is there: its network profile, its subnets, what they name."""

from simulator import errors
from simulator.agent_pools import subnets_of
from simulator.cluster_bodies import OUTBOUND_GOALS
from simulator.effective_routes import routes_of
from simulator.ids import location_key
from simulator.outbound_types import LOAD_BALANCER, MANAGED_GATEWAYS, USER_NAT, USER_ROUTES
from simulator.planned_clusters import Planned
from simulator.ranges import parsed
from simulator.references import GATEWAY_ADDRESSES
from simulator.store import Store, Stored
from simulator.wire import Body, elements, members, text

HOPS = ("virtualappliance", "virtualnetworkgateway")


def check_egress(store: Store, planned: Planned, sent: Body) -> None:
    """A cluster as it would be and its network profile as sent in; refused when its way out is not there."""
    _check_profiles(planned, sent)
    _check_values(planned)
    _check_addresses(store, planned)
    subnets = [_subnet(store, planned, subnet) for subnet in planned.node_subnets.values()]
    pod_subnets = subnets_of(planned.pools.values(), "podSubnetID").values()
    with_pods = [*subnets, *(_subnet(store, planned, subnet) for subnet in pod_subnets)]
    if planned.outbound == USER_NAT:
        for subnet in with_pods:
            _check_gateway(store, subnet)
    elif planned.outbound == USER_ROUTES:
        for subnet in subnets:
            _check_default_route(store, planned, subnet)
    if planned.before is None:
        _check_new(planned, subnets)


def _check_profiles(planned: Planned, sent: Body) -> None:
    """What a caller sends of addresses fits the outbound type."""
    goals = [name for name in OUTBOUND_GOALS if members(sent.get("loadBalancerProfile")).get(name)]
    if goals and planned.outbound != LOAD_BALANCER:
        code = "InvalidLoadBalancerProfile"
        if planned.outbound == USER_ROUTES:
            code = "InvalidUserDefinedRoutingWithLoadBalancerProfile"
        raise errors.cluster(
            400,
            code,
            f"networkProfile.loadBalancerProfile.{goals[0]} cannot be set with outbound type {planned.outbound}.",
        )
    if len(goals) > 1:
        raise errors.cluster(
            400, "InvalidLoadBalancerProfile", f"Only one of {', '.join(goals)} can be set in loadBalancerProfile."
        )
    if planned.outbound not in MANAGED_GATEWAYS and members(sent.get("natGatewayProfile")).get(
        "managedOutboundIPProfile"
    ):
        raise errors.cluster(
            400,
            "InvalidNATGatewayProfile",
            f"networkProfile.natGatewayProfile cannot be set with outbound type {planned.outbound}.",
        )


def _check_values(planned: Planned) -> None:
    """Counts and ranges that AKS counts and divides."""
    network = planned.network
    balancer, gateway = members(network.get("loadBalancerProfile")), members(network.get("natGatewayProfile"))
    if members(balancer.get("managedOutboundIPs")).get("count", 1) not in range(1, 101):
        raise errors.cluster(
            400, "InvalidLoadBalancerProfileManagedOutboundIPCount", "managedOutboundIPs.count is from 1 to 100."
        )
    if members(gateway.get("managedOutboundIPProfile")).get("count", 1) not in range(1, 17):
        raise errors.cluster(
            400, "InvalidNATGatewayProfileManagedOutboundIPCount", "managedOutboundIPProfile.count is from 1 to 16."
        )
    pods = parsed(text(network.get("podCidr")))
    if network.get("networkPlugin") == "kubenet" and (pods is None or pods.version == 6 or pods.length > 24):
        raise errors.cluster(
            400, "InvalidIPRangeCIDR", f"networkProfile.podCidr '{network.get('podCidr')}' has no range for a node."
        )


def _check_addresses(store: Store, planned: Planned) -> None:
    """Addresses of somebody's own that the load balancer is to lead out by: they are there, and nobody else's."""
    profile = members(planned.network.get("loadBalancerProfile"))
    group = (
        f"{planned.id.rpartition('/providers/')[0].rpartition('/')[0]}/{text(planned.properties['nodeResourceGroup'])}/"
    )
    for prefix in elements(members(profile.get("outboundIPPrefixes")).get("publicIPPrefixes")):
        if text(prefix.get("id")).casefold() not in store:
            raise errors.cluster(
                400,
                "LoadBalancerProfileOutboundIPPrefixNotExist",
                f"The outbound public IP prefix {text(prefix.get('id'))} does not exist.",
            )
    for address in elements(members(profile.get("outboundIPs")).get("publicIPs")):
        address_id = text(address.get("id"))
        found = store.get(address_id.casefold())
        if found is None:
            raise errors.cluster(
                400, "LoadBalancerProfileOutboundIPNotExist", f"The outbound public IP {address_id} does not exist."
            )
        others = [holder for holder in store.holders(found.id.casefold()) if not holder.startswith(group.casefold())]
        if others:
            raise errors.cluster(
                400,
                "LoadBalancerProfileOutboundIPAttachedToAnotherIPConfiguration",
                f"The outbound public IP {found.id} is already attached to {others[0]}.",
            )


def _check_new(planned: Planned, subnets: list[Stored]) -> None:
    """What only a new cluster is refused for."""
    identity = text(planned.identity.get("type")).lower()
    for subnet in subnets:
        properties = members(subnet.content.get("properties"))
        if properties.get("natGateway") and planned.outbound != USER_NAT:
            raise errors.cluster(
                400,
                "SubnetAlreadyAssociatedWithNATGateway",
                f"Subnet {subnet.id} is associated with a NAT gateway, which needs the outbound type {USER_NAT}.",
            )
        kubenet = planned.network.get("networkPlugin") == "kubenet"
        if properties.get("routeTable") and kubenet and identity == "systemassigned":
            raise errors.cluster(
                400,
                "CustomRouteTableWithUnsupportedMSIType",
                "Clusters using managed identity type SystemAssigned do not support bringing your own route table. "
                "Please see https://aka.ms/aks/customrt for more information",
            )


def _check_gateway(store: Store, subnet: Stored) -> None:
    gateway = _named(store, subnet, "natGateway")
    if gateway is None:
        raise errors.cluster(
            400, "SubnetNotAssociatedWithNATGateway", f"Subnet {subnet.id} is not associated with a NAT gateway."
        )
    properties = members(gateway.content.get("properties"))
    if not any(elements(properties.get(name)) for name in GATEWAY_ADDRESSES):
        raise errors.cluster(
            400,
            "NATGatewayNotAssociatedWithPublicIPOrIPPrefix",
            f"NAT gateway {gateway.id} is not associated with any public IP or IP prefix.",
        )


def _check_default_route(store: Store, planned: Planned, subnet: Stored) -> None:
    table = _named(store, subnet, "routeTable")
    if table is None:
        raise errors.cluster(
            400,
            "ExistingRouteTableNotAssociatedWithSubnet",
            f"An existing route table has not been associated with subnet {subnet.id}. "
            "Please update the route table association",
        )
    routes = [members(route.content.get("properties")) for route in store.listed(f"{table.id.casefold()}/routes")]
    default = next((route for route in routes if route.get("addressPrefix") == "0.0.0.0/0"), None)
    if default is None and planned.is_private and _learns_default_route(store, subnet, table):
        return
    if default is None:
        raise errors.cluster(
            400,
            "RouteTableMissingDefaultRouteError",
            f"Route table {table.id} has no default route 0.0.0.0/0. Please see http://aka.ms/aks/outboundtype for "
            "more details",
        )
    hop = text(default.get("nextHopType"))
    if hop.lower() not in HOPS:
        raise errors.cluster(
            400,
            "RouteTableInvalidNextHop",
            f"Default route 0.0.0.0/0 has a next hop of {hop} but only next hops of VirtualAppliance or "
            "VirtualNetworkGateway are allowed. Please see http://aka.ms/aks/outboundtype for more details",
        )


def _learns_default_route(store: Store, subnet: Stored, table: Stored) -> bool:
    """Whether a gateway has learned a way out for a subnet: AKS takes that of private clusters."""
    return any(
        (route.source, route.prefix, route.active) == ("VirtualNetworkGateway", "0.0.0.0/0", True)
        for route in routes_of(store, subnet, table)
    )


def _subnet(store: Store, planned: Planned, subnet_id: str) -> Stored:
    """The id of a subnet in, the subnet out; refused when there is none, or it is in another region."""
    found = store.get(subnet_id.casefold())
    network = store.get(subnet_id.casefold().rpartition("/subnets/")[0])
    if found is None or network is None or location_key(text(network.content.get("location"))) != planned.location:
        raise errors.cluster(400, "SubnetNotFound", f"Subnet {subnet_id} was not found in region {planned.location}.")
    return found


def _named(store: Store, subnet: Stored, member: str) -> Stored | None:
    link = members(members(subnet.content.get("properties")).get(member))
    return store.get(text(link.get("id")).casefold())
