"""The members of ARM bodies that judging needs, as Azure spells them. A member that is absent is None.

Lists are None when Azure leaves them out: iterate over `x or ()`. Unknown members are ignored here; writes edit the
raw body and keep them.
"""

from typing import Final

from msgspec import Struct, field

SUCCEEDED: Final = "Succeeded"
WRITING: Final = frozenset({"updating", "creating", "deleting"})
Tags = dict[str, str]


class Fact(Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """Base of all facts: camelCase members, as ARM writes them."""


class Ref(Fact, frozen=True):
    id: str


class Sku(Fact, frozen=True):
    name: str | None = None
    tier: str | None = None


class DelegationProperties(Fact, frozen=True):
    service_name: str | None = None


class Delegation(Fact, frozen=True):
    name: str | None = None
    properties: DelegationProperties = DelegationProperties()


class LinkProperties(Fact, frozen=True):
    linked_resource_type: str | None = None
    link: str | None = None


class Link(Fact, frozen=True):
    name: str | None = None
    properties: LinkProperties = LinkProperties()


class SubnetProperties(Fact, frozen=True):
    provisioning_state: str | None = None
    address_prefix: str | None = None
    address_prefixes: tuple[str, ...] | None = None
    nat_gateway: Ref | None = None
    route_table: Ref | None = None
    network_security_group: Ref | None = None
    default_outbound_access: bool | None = None
    private_link_service_network_policies: str | None = None
    delegations: tuple[Delegation, ...] | None = None
    ip_configurations: tuple[Ref, ...] | None = None
    ip_configuration_profiles: tuple[Ref, ...] | None = None
    private_endpoints: tuple[Ref, ...] | None = None
    service_association_links: tuple[Link, ...] | None = None
    resource_navigation_links: tuple[Link, ...] | None = None
    application_gateway_ip_configurations: tuple[Ref, ...] | None = field(
        name="applicationGatewayIPConfigurations", default=None
    )


class Subnet(Fact, frozen=True):
    id: str
    name: str
    properties: SubnetProperties = SubnetProperties()

    @property
    def prefixes(self) -> tuple[str, ...]:
        one = self.properties.address_prefix
        return self.properties.address_prefixes or ((one,) if one else ())

    @property
    def delegated_to(self) -> tuple[str, ...]:
        return tuple(d.properties.service_name or "?" for d in self.properties.delegations or ())


class AddressSpace(Fact, frozen=True):
    address_prefixes: tuple[str, ...] | None = None


class PeeringProperties(Fact, frozen=True):
    peering_state: str | None = None
    peering_sync_level: str | None = None
    remote_virtual_network: Ref | None = None
    remote_address_space: AddressSpace | None = None
    allow_virtual_network_access: bool | None = None
    allow_forwarded_traffic: bool | None = None
    allow_gateway_transit: bool | None = None
    use_remote_gateways: bool | None = None


class Peering(Fact, frozen=True):
    id: str
    properties: PeeringProperties = PeeringProperties()

    @property
    def remote(self) -> str:
        """The id of the network on the other side, "" where the body names none."""
        there = self.properties.remote_virtual_network
        return there.id if there else ""


class VirtualNetworkProperties(Fact, frozen=True):
    provisioning_state: str | None = None
    address_space: AddressSpace | None = None
    subnets: tuple[Subnet, ...] | None = None
    virtual_network_peerings: tuple[Peering, ...] | None = None
    default_public_nat_gateway: Ref | None = None
    enable_ddos_protection: bool | None = None
    ddos_protection_plan: Ref | None = None


class VirtualNetwork(Fact, frozen=True):
    id: str
    name: str
    location: str = ""
    tags: Tags | None = None
    properties: VirtualNetworkProperties = VirtualNetworkProperties()

    @property
    def region(self) -> str:
        """Its region as policies write it: Azure writes `West Europe` here and `westeurope` there."""
        return self.location.casefold().replace(" ", "")

    @property
    def prefixes(self) -> tuple[str, ...]:
        space = self.properties.address_space
        return (space.address_prefixes or ()) if space else ()

    @property
    def peerings(self) -> tuple[Peering, ...]:
        return self.properties.virtual_network_peerings or ()

    def subnet(self, name: str) -> Subnet | None:
        """The subnet of this name, in any case; Azure has one of each."""
        named = name.casefold()
        return next((one for one in self.properties.subnets or () if one.name.casefold() == named), None)


class NatGatewayProperties(Fact, frozen=True):
    provisioning_state: str | None = None
    source_virtual_network: Ref | None = None
    public_ip_addresses: tuple[Ref, ...] | None = None
    public_ip_prefixes: tuple[Ref, ...] | None = None
    subnets: tuple[Ref, ...] | None = None


class NatGateway(Fact, frozen=True):
    id: str
    location: str = ""
    tags: Tags | None = None
    sku: Sku = Sku()
    zones: tuple[str, ...] | None = None
    properties: NatGatewayProperties = NatGatewayProperties()


class DdosSettings(Fact, frozen=True):
    protection_mode: str | None = None
    ddos_protection_plan: Ref | None = None


class PublicIpProperties(Fact, frozen=True):
    provisioning_state: str | None = None
    ip_address: str | None = None
    ip_configuration: Ref | None = None
    nat_gateway: Ref | None = None
    ddos_settings: DdosSettings | None = None
    public_ip_prefix: Ref | None = field(name="publicIPPrefix", default=None)
    public_ip_allocation_method: str | None = field(name="publicIPAllocationMethod", default=None)


class PublicIp(Fact, frozen=True):
    id: str
    location: str = ""
    tags: Tags | None = None
    sku: Sku = Sku()
    properties: PublicIpProperties = PublicIpProperties()


class PrefixProperties(Fact, frozen=True):
    provisioning_state: str | None = None
    ip_prefix: str | None = None
    public_ip_addresses: tuple[Ref, ...] | None = field(name="publicIPAddresses", default=None)
    load_balancer_frontend_ip_configuration: Ref | None = None
    nat_gateway: Ref | None = None


class PublicIpPrefix(Fact, frozen=True):
    id: str
    location: str = ""
    sku: Sku = Sku()
    properties: PrefixProperties = PrefixProperties()
    tags: Tags | None = None


class RouteProperties(Fact, frozen=True):
    address_prefix: str | None = None
    next_hop_type: str | None = None
    next_hop_ip_address: str | None = None


class Route(Fact, frozen=True):
    name: str
    properties: RouteProperties = RouteProperties()


class RouteTableProperties(Fact, frozen=True):
    provisioning_state: str | None = None
    routes: tuple[Route, ...] | None = None
    disable_bgp_route_propagation: bool | None = None
    subnets: tuple[Ref, ...] | None = None


class RouteTable(Fact, frozen=True):
    id: str
    location: str = ""
    tags: Tags | None = None
    properties: RouteTableProperties = RouteTableProperties()


class IpConfigurationProperties(Fact, frozen=True):
    subnet: Ref | None = None
    public_ip_address: Ref | None = field(name="publicIPAddress", default=None)
    public_ip_prefix: Ref | None = field(name="publicIPPrefix", default=None)
    private_ip_address: str | None = field(name="privateIPAddress", default=None)
    load_balancer_backend_address_pools: tuple[Ref, ...] | None = None
    load_balancer_inbound_nat_rules: tuple[Ref, ...] | None = None
    application_gateway_backend_address_pools: tuple[Ref, ...] | None = None
    application_security_groups: tuple[Ref, ...] | None = None


class IpConfiguration(Fact, frozen=True):
    id: str
    name: str = ""
    properties: IpConfigurationProperties = IpConfigurationProperties()


class NetworkInterfaceProperties(Fact, frozen=True):
    provisioning_state: str | None = None
    ip_configurations: tuple[IpConfiguration, ...] | None = None
    virtual_machine: Ref | None = None
    enable_ip_forwarding: bool | None = field(name="enableIPForwarding", default=None)
    private_endpoint: Ref | None = None
    network_security_group: Ref | None = None


class NetworkInterface(Fact, frozen=True):
    id: str
    location: str = ""
    properties: NetworkInterfaceProperties = NetworkInterfaceProperties()
    tags: Tags | None = None


class BackendAddressProperties(Fact, frozen=True):
    subnet: Ref | None = None
    virtual_network: Ref | None = None


class BackendAddress(Fact, frozen=True):
    properties: BackendAddressProperties = BackendAddressProperties()


class PoolProperties(Fact, frozen=True):
    backend_ip_configurations: tuple[Ref, ...] | None = field(name="backendIPConfigurations", default=None)
    virtual_network: Ref | None = None
    load_balancer_backend_addresses: tuple[BackendAddress, ...] | None = None


class Pool(Fact, frozen=True):
    id: str
    properties: PoolProperties = PoolProperties()


class OutboundRuleProperties(Fact, frozen=True):
    backend_address_pool: Ref | None = None
    frontend_ip_configurations: tuple[Ref, ...] | None = field(name="frontendIPConfigurations", default=None)


class OutboundRule(Fact, frozen=True):
    id: str
    properties: OutboundRuleProperties = OutboundRuleProperties()


class LoadBalancingRuleProperties(Fact, frozen=True):
    backend_address_pool: Ref | None = None
    backend_address_pools: tuple[Ref, ...] | None = None
    frontend_ip_configuration: Ref | None = field(name="frontendIPConfiguration", default=None)
    disable_outbound_snat: bool | None = None


class LoadBalancingRule(Fact, frozen=True):
    id: str
    properties: LoadBalancingRuleProperties = LoadBalancingRuleProperties()


class InboundRuleProperties(Fact, frozen=True):
    frontend_ip_configuration: Ref | None = field(name="frontendIPConfiguration", default=None)
    backend_ip_configuration: Ref | None = field(name="backendIPConfiguration", default=None)


class InboundRule(Fact, frozen=True):
    """An inbound NAT rule of a load balancer, or an inbound NAT pool."""

    properties: InboundRuleProperties = InboundRuleProperties()


class LoadBalancerProperties(Fact, frozen=True):
    provisioning_state: str | None = None
    frontend_ip_configurations: tuple[IpConfiguration, ...] | None = field(
        name="frontendIPConfigurations", default=None
    )
    backend_address_pools: tuple[Pool, ...] | None = None
    load_balancing_rules: tuple[LoadBalancingRule, ...] | None = None
    outbound_rules: tuple[OutboundRule, ...] | None = None
    inbound_nat_rules: tuple[InboundRule, ...] | None = None
    inbound_nat_pools: tuple[InboundRule, ...] | None = None


class LoadBalancer(Fact, frozen=True):
    id: str
    location: str = ""
    sku: Sku = Sku()
    properties: LoadBalancerProperties = LoadBalancerProperties()
    tags: Tags | None = None


class FirewallProperties(Fact, frozen=True):
    provisioning_state: str | None = None
    ip_configurations: tuple[IpConfiguration, ...] | None = None


class Firewall(Fact, frozen=True):
    id: str
    location: str = ""
    properties: FirewallProperties = FirewallProperties()


class LearnedRoute(Fact, frozen=True):
    network: str | None = None
    next_hop: str | None = None
    origin: str | None = None


class LearnedRoutes(Fact, frozen=True):
    """What a virtual network gateway learned by BGP; the id is the gateway's, with `/learnedRoutes/all` after it."""

    id: str
    value: tuple[LearnedRoute, ...] = ()


class EffectiveRoute(Fact, frozen=True):
    state: str | None = None
    address_prefix: tuple[str, ...] | None = None
    next_hop_type: str | None = None
    next_hop_ip_address: tuple[str, ...] | None = None


class EffectiveRoutes(Fact, frozen=True):
    """How an interface routes; the id is the interface's, with `/effectiveRoutes/all` after it."""

    id: str
    value: tuple[EffectiveRoute, ...] = ()


class Permission(Fact, frozen=True):
    """Patterns of actions: what `actions` match and `not_actions` of the same permission do not may be done."""

    actions: tuple[str, ...] | None = None
    not_actions: tuple[str, ...] | None = None


class Permissions(Fact, frozen=True):
    """What we may do at a scope; the id is the scope's, with `/providers/Microsoft.Authorization/permissions/all`."""

    id: str
    value: tuple[Permission, ...] = ()


class DeploymentProperties(Fact, frozen=True):
    provisioning_state: str | None = None


class Deployment(Fact, frozen=True):
    id: str
    properties: DeploymentProperties = DeploymentProperties()


class ResourceGroup(Fact, frozen=True):
    id: str
    location: str = ""
    tags: Tags | None = None
    managed_by: str | None = None


class Subscription(Fact, frozen=True):
    id: str
    display_name: str | None = None
    tags: Tags | None = None


class EntityProperties(Fact, frozen=True):
    parent_name_chain: tuple[str, ...] | None = None


class Entity(Fact, frozen=True):
    """A subscription's place in the tenant: the names of the management groups above it, the root first."""

    id: str
    properties: EntityProperties = EntityProperties()
