"""The members of an AKS cluster that judging needs: a body in, which subnets it uses and how it is to leave out."""

from typing import Final

from msgspec import field

from governor.core.facts import SUCCEEDED, Fact, Ref
from governor.core.secret import Concealed

# Every other state passes by itself: Creating, Updating, Upgrading, Scaling, Starting, Stopping, Deleting, ...
_AT_REST: Final = frozenset({"succeeded", "failed", "canceled"})
DEFAULT_TYPE: Final = "loadBalancer"
GATEWAY_POOL: Final = "gateway"


class GatewayProfile(Fact, frozen=True):
    public_ip_prefix_size: int | None = field(name="publicIPPrefixSize", default=None)


class AgentPool(Fact, frozen=True):
    """node_public_ip: whether every node gets a public address. mode: System, User, or Gateway (static egress)."""

    name: str = ""
    mode: str | None = None
    type: str | None = None
    os_type: str | None = None
    provisioning_state: str | None = None
    vnet_subnet_id: str | None = field(name="vnetSubnetID", default=None)
    pod_subnet_id: str | None = field(name="podSubnetID", default=None)
    node_public_ip: bool | None = field(name="enableNodePublicIP", default=None)
    node_public_ip_prefix: str | None = field(name="nodePublicIPPrefixID", default=None)
    gateway_profile: GatewayProfile | None = None

    @property
    def is_gateway(self) -> bool:
        return (self.mode or "").casefold() == GATEWAY_POOL

    @property
    def has_public_nodes(self) -> bool:
        return bool(self.node_public_ip or self.node_public_ip_prefix)


class ApiServerAccess(Fact, frozen=True):
    subnet_id: str | None = None
    private: bool | None = field(name="enablePrivateCluster", default=None)
    public_name: bool | None = field(name="enablePrivateClusterPublicFQDN", default=None)
    vnet_integration: bool | None = field(name="enableVnetIntegration", default=None)
    authorized_ranges: tuple[str, ...] | None = field(name="authorizedIPRanges", default=None)


class OutboundIps(Fact, frozen=True):
    given: tuple[Ref, ...] | None = field(name="publicIPs", default=None)


class OutboundPrefixes(Fact, frozen=True):
    given: tuple[Ref, ...] | None = field(name="publicIPPrefixes", default=None)


class LoadBalancerProfile(Fact, frozen=True):
    effective: tuple[Ref, ...] | None = field(name="effectiveOutboundIPs", default=None)
    outbound: OutboundIps | None = field(name="outboundIPs", default=None)
    outbound_prefixes: OutboundPrefixes | None = field(name="outboundIPPrefixes", default=None)

    @property
    def named(self) -> tuple[Ref, ...]:
        ips = self.outbound.given if self.outbound else None
        prefixes = self.outbound_prefixes.given if self.outbound_prefixes else None
        return (*(ips or ()), *(prefixes or ()), *(self.effective or ()))


class NatGatewayProfile(Fact, frozen=True):
    sku: str | None = None
    effective: tuple[Ref, ...] | None = field(name="effectiveOutboundIPs", default=None)


class NetworkProfile(Fact, frozen=True):
    network_plugin: str | None = None
    outbound_type: str | None = None
    load_balancer_sku: str | None = None
    load_balancer_profile: LoadBalancerProfile | None = None
    nat_gateway_profile: NatGatewayProfile | None = None


class HttpProxy(Fact, frozen=True):
    """Its addresses may hold a password. effective_no_proxy: what AKS added to no_proxy by itself is in there."""

    enabled: bool | None = None
    http_proxy: Concealed | None = None
    https_proxy: Concealed | None = None
    no_proxy: tuple[str, ...] | None = None
    effective_no_proxy: tuple[str, ...] | None = None
    trusted_ca: Concealed | None = None

    @property
    def is_on(self) -> bool:
        return self.enabled is not False

    @property
    def past(self) -> frozenset[str]:
        """What goes past the proxy, in lower case."""
        return frozenset(one.casefold() for one in (*(self.no_proxy or ()), *(self.effective_no_proxy or ())))


class Bootstrap(Fact, frozen=True):
    artifact_source: str | None = None


class Power(Fact, frozen=True):
    code: str | None = None


class Identity(Fact, frozen=True):
    type: str | None = None


class AddonProfile(Fact, frozen=True):
    enabled: bool | None = None


class ClusterProperties(Fact, frozen=True):
    provisioning_state: str | None = None
    power_state: Power | None = None
    agent_pool_profiles: tuple[AgentPool, ...] | None = None
    api_server_access_profile: ApiServerAccess | None = None
    node_resource_group: str | None = None
    network_profile: NetworkProfile | None = None
    http_proxy_config: HttpProxy | None = None
    bootstrap_profile: Bootstrap | None = None
    addon_profiles: dict[str, AddonProfile] | None = None


class Cluster(Fact, frozen=True):
    id: str
    location: str = ""
    identity: Identity | None = None
    properties: ClusterProperties = ClusterProperties()

    @property
    def pools(self) -> tuple[AgentPool, ...]:
        return self.properties.agent_pool_profiles or ()

    @property
    def network(self) -> NetworkProfile:
        return self.properties.network_profile or NetworkProfile()

    @property
    def api_server(self) -> ApiServerAccess:
        return self.properties.api_server_access_profile or ApiServerAccess()

    @property
    def node_subnets(self) -> tuple[str, ...]:
        """The subnets of its nodes; none where Azure made and manages the network."""
        return tuple(dict.fromkeys(pool.vnet_subnet_id for pool in self.pools if pool.vnet_subnet_id))

    @property
    def pod_subnets(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(pool.pod_subnet_id for pool in self.pools if pool.pod_subnet_id))

    @property
    def subnets(self) -> tuple[str, ...]:
        """The subnets it uses: of its nodes, its pods and its API server."""
        api = self.api_server.subnet_id
        return (*self.node_subnets, *self.pod_subnets, *((api,) if api else ()))

    @property
    def addresses(self) -> tuple[str, ...]:
        """The public addresses and prefixes that it names, attached or not."""
        balancer, gateway = self.network.load_balancer_profile, self.network.nat_gateway_profile
        refs = (*(balancer.named if balancer else ()), *((gateway.effective or ()) if gateway else ()))
        return (*(ref.id for ref in refs), *(p.node_public_ip_prefix for p in self.pools if p.node_public_ip_prefix))

    @property
    def has_managed_network(self) -> bool:
        return not self.node_subnets

    @property
    def outbound_type(self) -> str:
        """As Azure writes it; a cluster that says nothing leaves by its load balancer (facts/azure.md 4.1)."""
        return self.network.outbound_type or DEFAULT_TYPE

    @property
    def leaves_by_balancer(self) -> bool:
        return self.outbound_type.casefold() == DEFAULT_TYPE.casefold()

    @property
    def proxy(self) -> HttpProxy | None:
        """The proxy that is turned on, if one is."""
        there = self.properties.http_proxy_config
        return there if there is not None and there.is_on else None

    @property
    def is_kubenet(self) -> bool:
        return (self.network.network_plugin or "").casefold() == "kubenet"

    @property
    def is_stopped(self) -> bool:
        power = self.properties.power_state
        return power is not None and (power.code or "").casefold() == "stopped"

    @property
    def unsettled(self) -> tuple[str, bool] | None:
        """What of it is not Succeeded, in words, and whether that passes by itself; None when all is."""
        own = (f"cluster {self.id.rpartition('/')[2]}", self.properties.provisioning_state)
        for name, state in (own, *((f"pool {pool.name}", pool.provisioning_state) for pool in self.pools)):
            if state is not None and state != SUCCEEDED:
                return f"{name} is {state}", state.casefold() not in _AT_REST
        return None
