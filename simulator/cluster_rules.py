"""AKS's rules on a cluster and its pools as they would be: how its egress fits its subnets, and what cannot change."""

import msgspec

from simulator import errors
from simulator.agent_pools import check_unchanged, subnets_of
from simulator.cluster_bodies import OUTBOUND_GOALS
from simulator.ids import location_key
from simulator.outbound_types import (
    LOAD_BALANCER,
    MANAGED_GATEWAYS,
    NONE,
    NOT_IN_OWN_NETWORK,
    TYPES,
    USER_NAT,
    USER_ROUTES,
    may_follow,
    outbound_of,
)
from simulator.references import GATEWAY_ADDRESSES
from simulator.store import Store, Stored
from simulator.wire import Body, elements, members, text

HOPS = ("virtualappliance", "virtualnetworkgateway")
_UNCHANGING = ("dnsPrefix", "nodeResourceGroup")
_UNCHANGING_IN_NETWORK = ("serviceCidr", "dnsServiceIP", "loadBalancerSku")


class Planned(msgspec.Struct, frozen=True):
    """A cluster as it would be after a write: its properties, those of its pools by name, and both as they are."""

    id: str
    location: str
    identity: Body
    properties: Body
    pools: dict[str, Body]
    before: Body | None = None
    pools_before: dict[str, Body] = {}

    @property
    def network(self) -> Body:
        return members(self.properties.get("networkProfile"))

    @property
    def outbound(self) -> str:
        return outbound_of(self.network)

    @property
    def outbound_before(self) -> str:
        """The type it has; empty when it is new, or an estate did not say one."""
        network = members((self.before or {}).get("networkProfile"))
        return outbound_of(network) if "outboundType" in network else ""

    @property
    def node_subnets(self) -> dict[str, str]:
        """The ids of somebody's own subnets in which nodes are, by key."""
        return subnets_of(self.pools.values(), "vnetSubnetID")


def check(store: Store, planned: Planned, sent: Body) -> None:
    """A cluster as it would be and its network profile as sent in; refused where AKS would refuse it."""
    check_pools(planned)
    _check_unchanged(planned)
    if planned.outbound not in TYPES:
        raise errors.cluster(
            400, "UnsupportedOutboundType", f"The outbound type '{planned.outbound}' is not supported."
        )
    if planned.outbound_before and not may_follow(
        planned.outbound_before, planned.outbound, own_network=bool(planned.node_subnets)
    ):
        raise errors.cluster(
            400,
            "UpdatingOutboundTypeNotAllowed",
            f"Updating the outbound type from {planned.outbound_before} to {planned.outbound} is not allowed. "
            "Please see http://aka.ms/aks/outboundtype for more details",
        )
    _check_network(planned)
    _check_profiles(planned, sent)
    subnets = [_subnet(store, planned, subnet) for subnet in planned.node_subnets.values()]
    pod_subnets = subnets_of(planned.pools.values(), "podSubnetID").values()
    with_pods = [*subnets, *(_subnet(store, planned, subnet) for subnet in pod_subnets)]
    match planned.outbound:
        case "userAssignedNATGateway":
            for subnet in with_pods:
                _check_gateway(store, subnet)
        case "userDefinedRouting":
            for subnet in subnets:
                _check_default_route(store, subnet)
    if planned.before is None:
        _check_new(planned, subnets)


def check_pools(planned: Planned) -> None:
    """The pools a cluster would have in; refused without one for the system, or when one does not fit the rest."""
    if not any(pool.get("mode", "System") == "System" for pool in planned.pools.values()):
        raise errors.cluster(400, "MustDefineAtLeastOneSystemPool", "There has to be at least one system agent pool.")
    placed = [bool(text(pool.get("vnetSubnetID"))) for pool in planned.pools.values()]
    if any(placed) and not all(placed):
        raise errors.cluster(
            400, "AgentPoolsWithEmptySubnetError", "Either all agent pools name a subnet or none of them does."
        )
    for name, pool in planned.pools.items():
        if name in planned.pools_before:
            check_unchanged(pool, planned.pools_before[name])
        size = members(pool.get("gatewayProfile")).get("publicIPPrefixSize", 31)
        if pool.get("mode") == "Gateway" and (pool.get("podSubnetID") or size not in range(28, 32)):
            raise errors.cluster(
                400,
                "InvalidParameter",
                f"Agent pool {name} of mode Gateway takes no pod subnet and a publicIPPrefixSize from 28 to 31.",
            )
        if planned.outbound == USER_ROUTES and pool.get("enableNodePublicIP") is True:
            raise errors.cluster(
                400,
                "UDRWithNodePublicIPNotAllowed",
                f"Agent pool {name} cannot have node public IPs when the outbound type is {USER_ROUTES}.",
            )


def _check_unchanged(planned: Planned) -> None:
    before = planned.before
    if before is None:
        return
    for name in _UNCHANGING:
        if (
            text(planned.properties.get(name)).casefold()
            != text(before.get(name, planned.properties.get(name))).casefold()
        ):
            raise errors.property_change_not_allowed(name)
    known = members(before.get("networkProfile"))
    for name in _UNCHANGING_IN_NETWORK:
        if text(planned.network.get(name)).casefold() != text(known.get(name, planned.network.get(name))).casefold():
            raise errors.property_change_not_allowed(f"networkProfile.{name}")


def _check_network(planned: Planned) -> None:
    """Which network, which load balancer and which kind of pools an outbound type takes."""
    outbound, own = planned.outbound, bool(planned.node_subnets)
    if outbound in MANAGED_GATEWAYS and own:
        raise errors.cluster(
            400,
            "ManagedNATGatewayWithCustomVNetNotAllowed",
            f"The outbound type {outbound} is not allowed with a custom virtual network.",
        )
    if outbound == USER_NAT and not own:
        raise errors.cluster(
            400,
            "UserAssignedNATGatewayWithManagedVNetNotAllowed",
            f"The outbound type {outbound} is not allowed with a managed virtual network.",
        )
    if (outbound == USER_ROUTES and not own) or (outbound in NOT_IN_OWN_NETWORK and own):
        raise errors.cluster(
            400,
            "UnsupportedOutboundType",
            f"The outbound type {outbound} is not supported with a {'custom' if own else 'managed'} virtual network.",
        )
    isolated = members(planned.properties.get("bootstrapProfile")).get("artifactSource") == "Cache"
    if outbound == NONE and not isolated:
        raise errors.cluster(
            400,
            "UnsupportedOutboundType",
            f"The outbound type {outbound} is only supported for network isolated clusters, whose "
            "bootstrapProfile.artifactSource is Cache.",
        )
    plain = all(pool.get("type") == "VirtualMachineScaleSets" for pool in planned.pools.values())
    if outbound != LOAD_BALANCER and (text(planned.network.get("loadBalancerSku")).lower() != "standard" or not plain):
        raise errors.cluster(
            400,
            "UnexpectedLoadBalancerSkuForCurrentOutboundConfiguration",
            f"The outbound type {outbound} needs a standard load balancer and pools of virtual machine scale sets.",
        )


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


def _check_default_route(store: Store, subnet: Stored) -> None:
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
