"""Facts that only the judging of ways in needs: security groups, application gateways and their firewall policies."""

from msgspec import field

from governor.core.facts import Fact, IpConfiguration, Ref, Sku, Tags


class SecurityRuleProperties(Fact, frozen=True):
    priority: int | None = None
    direction: str | None = None
    access: str | None = None
    protocol: str | None = None
    source_address_prefix: str | None = None
    source_address_prefixes: tuple[str, ...] | None = None
    source_application_security_groups: tuple[Ref, ...] | None = None
    source_port_range: str | None = None
    source_port_ranges: tuple[str, ...] | None = None
    destination_address_prefix: str | None = None
    destination_address_prefixes: tuple[str, ...] | None = None
    destination_application_security_groups: tuple[Ref, ...] | None = None
    destination_port_range: str | None = None
    destination_port_ranges: tuple[str, ...] | None = None


class SecurityRule(Fact, frozen=True):
    name: str
    properties: SecurityRuleProperties = SecurityRuleProperties()


class SecurityGroupProperties(Fact, frozen=True):
    provisioning_state: str | None = None
    security_rules: tuple[SecurityRule, ...] | None = None
    default_security_rules: tuple[SecurityRule, ...] | None = None


class SecurityGroup(Fact, frozen=True):
    id: str
    properties: SecurityGroupProperties = SecurityGroupProperties()


class BackendAddress(Fact, frozen=True):
    ip_address: str | None = None
    fqdn: str | None = None


class BackendPoolProperties(Fact, frozen=True):
    backend_addresses: tuple[BackendAddress, ...] | None = None
    backend_ip_configurations: tuple[Ref, ...] | None = field(name="backendIPConfigurations", default=None)


class BackendPool(Fact, frozen=True):
    name: str = ""
    properties: BackendPoolProperties = BackendPoolProperties()


class ListenerProperties(Fact, frozen=True):
    frontend_ip_configuration: Ref | None = field(name="frontendIPConfiguration", default=None)
    firewall_policy: Ref | None = None


class Listener(Fact, frozen=True):
    name: str = ""
    properties: ListenerProperties = ListenerProperties()


class PathRuleProperties(Fact, frozen=True):
    firewall_policy: Ref | None = None


class PathRule(Fact, frozen=True):
    properties: PathRuleProperties = PathRuleProperties()


class PathMapProperties(Fact, frozen=True):
    path_rules: tuple[PathRule, ...] | None = None


class PathMap(Fact, frozen=True):
    properties: PathMapProperties = PathMapProperties()


class WafConfiguration(Fact, frozen=True):
    """The older form, which stands on the gateway itself."""

    enabled: bool | None = None
    firewall_mode: str | None = None


class ApplicationGatewayProperties(Fact, frozen=True):
    provisioning_state: str | None = None
    sku: Sku = Sku()
    gateway_ip_configurations: tuple[IpConfiguration, ...] | None = field(name="gatewayIPConfigurations", default=None)
    frontend_ip_configurations: tuple[IpConfiguration, ...] | None = field(
        name="frontendIPConfigurations", default=None
    )
    backend_address_pools: tuple[BackendPool, ...] | None = None
    http_listeners: tuple[Listener, ...] | None = None
    listeners: tuple[Listener, ...] | None = None
    url_path_maps: tuple[PathMap, ...] | None = None
    web_application_firewall_configuration: WafConfiguration | None = None
    firewall_policy: Ref | None = None


class ApplicationGateway(Fact, frozen=True):
    id: str
    location: str = ""
    tags: Tags | None = None
    properties: ApplicationGatewayProperties = ApplicationGatewayProperties()

    @property
    def subnets(self) -> tuple[str, ...]:
        """The ids of the subnets it lives in: there is one."""
        inside = (one.properties.subnet for one in self.properties.gateway_ip_configurations or ())
        return tuple(ref.id for ref in inside if ref is not None)


class PolicySettings(Fact, frozen=True):
    state: str | None = None
    mode: str | None = None


class WafPolicyProperties(Fact, frozen=True):
    policy_settings: PolicySettings | None = None


class WafPolicy(Fact, frozen=True):
    id: str
    properties: WafPolicyProperties = WafPolicyProperties()
