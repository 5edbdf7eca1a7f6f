"""What a policy says about ways out: the `egress` block, with one of natGateway, hub, proxy, isolated.

In: plain values of a policy file. Out: frozen values, every key that was not given at its documented default.
"""

from typing import Annotated, Literal

from msgspec import Meta, field
from msgspec.structs import force_setattr

from governor.core.policy_words import Mode, PathKind, Stance, Term, says

OWN_GROUP = "rg-egress-{region}"


class NatGatewayPolicy(Term, frozen=True):
    """Leave by a NAT gateway of the VNet's own. Its addresses: `existing`, else a prefix, else `publicIps` new ones."""

    name: Annotated[str, says("Its name; with {subnet} in it, every subnet gets one of its own.")] = (
        "ng-{virtualNetwork}"
    )
    resource_group: Annotated[str, says("The governor's own group, so that nobody's teardown trips over it.")] = (
        OWN_GROUP
    )
    sku: Annotated[
        Literal["StandardV2", "Standard"],
        says("StandardV2 is zone-redundant and used where the region has it."),
    ] = "StandardV2"
    zones: Annotated[
        Literal["none", "perZone"] | tuple[Literal["1", "2", "3"], ...],
        says('Standard only: none, perZone, or a list like ["1"].'),
    ] = "none"
    public_ips: Annotated[int, Meta(ge=0, le=16, description="How many new public addresses it gets.")] = 1
    public_ip_prefix_length: Annotated[
        Annotated[int, Meta(ge=28, le=31)] | None,
        says("A public IP prefix of this length instead of single addresses."),
    ] = None
    existing: Annotated[
        tuple[str, ...], says("Ids of public addresses or prefixes that exist and are used instead of new ones.")
    ] = ()
    idle_timeout_minutes: Annotated[
        int, Meta(ge=4, le=120, description="Minutes without traffic after which a flow ends.")
    ] = 4
    adopt: Annotated[bool, says("Use a NAT gateway that the VNet has already; it is never changed.")] = True
    reclaim_unused_days: Annotated[
        int, Meta(ge=1, description="Remove one of the governor's own after so many days without a subnet.")
    ] = 30

    def __post_init__(self) -> None:
        # The three ways to give addresses exclude each other, so no reader has to know which one wins.
        if self.existing or self.public_ip_prefix_length is not None:
            force_setattr(self, "public_ips", 0)


class NamedTable(Term, frozen=True):
    """Name and group of the route table that is created where a VNet has none."""

    name: Annotated[str, says("Name of the table.")] = "rt-{virtualNetwork}"
    resource_group: Annotated[str, says("Resource group of the table.")] = OWN_GROUP


class NamedRoute(Term, frozen=True):
    """A route beside 0.0.0.0/0: a prefix or service tag, and where it goes."""

    prefix: Annotated[str, says("Address prefix, or a service tag like AzureKeyManagement.")]
    next_hop: Annotated[Literal["hub", "internet"], says("hub: the region's next hop. internet: straight out.")]


class Bypass(Term, frozen=True):
    """More specific routes that pass the hub by."""

    allow: Annotated[tuple[str, ...], says("Prefixes or service tags that may go straight to the internet.")] = ()
    others: Annotated[Literal["audit", "deny"], says("What to do about all others.")] = "audit"


class Publishing(Term, frozen=True):
    """Public frontends of a spoke, published on the firewall instead."""

    mode: Annotated[Literal["off", "propose", "enforce"], says("Whether the firewall publishes them.")] = "off"
    target: Annotated[Literal["public", "internal"], says("What DNAT points at.")] = "public"


class HubPolicy(Term, frozen=True):
    """Leave through the firewall or appliance of a hub."""

    next_hop: Annotated[dict[str, str], says("Region -> private address of the firewall or appliance.")] = field(
        default_factory=dict
    )
    hub_virtual_network: Annotated[dict[str, str], says("Region -> id of the hub's VNet.")] = field(
        default_factory=dict
    )
    firewall: Annotated[dict[str, str], says("Region -> id of the Azure Firewall; the next hop is read from it.")] = (
        field(default_factory=dict)
    )
    peering: Annotated[Literal["create", "require", "ignore"], says("What to do about the peering to the hub.")] = (
        "create"
    )
    gateway_transit: Annotated[Literal["keep", "use", "never"], says("Use of the hub's gateways by the spoke.")] = (
        "keep"
    )
    route_table: Annotated[NamedTable, says("The table that is created where there is none.")] = NamedTable()
    routes: Annotated[tuple[NamedRoute, ...], says("Routes beside 0.0.0.0/0.")] = ()
    bypass: Annotated[Bypass, says("More specific routes to the internet.")] = Bypass()
    when_shared: Annotated[
        Literal["withhold", "clone"],
        says("What to do about a table that serves subnets of others, too."),
    ] = "withhold"
    disable_bgp_route_propagation: Annotated[
        Literal["keep"] | bool, says("Changed only on tables that the governor made.")
    ] = "keep"
    firewall_rules: Annotated[Mode, says("A rule collection group of the governor's own for the spokes.")] = Mode.AUDIT
    ready: Annotated[
        Literal["proven", "assumed"],
        says("assumed: the appliance's rules cannot be read, and are taken to be right."),
    ] = "proven"
    nat_gateway_on_firewall: Annotated[
        Literal["off", "audit", "propose"], says("A NAT gateway on the firewall: one address for all spokes.")
    ] = "audit"
    keep_inbound: Annotated[bool, says("Routes that keep the replies of published frontends symmetric.")] = True
    publish: Annotated[Publishing, says("Publishing of public frontends on the firewall.")] = Publishing()
    virtual_wan: Annotated[
        Literal["accept", "connect", "ignore"], says("Secured virtual hubs instead of a route table.")
    ] = "accept"


class ProxyPolicy(Term, frozen=True):
    """Leave through an explicit proxy, which AKS clusters are told of. A reference is `@keyvault:VAULT/NAME`."""

    https: Annotated[
        str | None, says("Proxy for https: http(s)://HOST:PORT, or a reference to a secret that says it.")
    ] = None
    http: Annotated[str | None, says("Proxy for http: http://HOST:PORT, or a reference to a secret that says it.")] = (
        None
    )
    no_proxy: Annotated[tuple[str, ...], says("Hosts, domains, addresses and ranges that are reached without it.")] = ()
    trusted_ca: Annotated[str | None, says("Reference to the certificate the proxy signs with, in PEM.")] = None
    proxy_host: Annotated[str | None, says("Id of the proxy's own subnet, which needs an egress of its own.")] = None


class IsolatedPolicy(Term, frozen=True):
    """No way out at all: a private subnet."""

    route: Annotated[Literal["none", "off"], says("none: a route 0.0.0.0/0 to nowhere. off: no such route.")] = "none"


def _delegations() -> dict[str, tuple[PathKind, ...]]:
    return {
        "Microsoft.Web/serverFarms": (PathKind.NAT_GATEWAY, PathKind.HUB),
        "Microsoft.ContainerInstance/containerGroups": (PathKind.NAT_GATEWAY,),
        "Microsoft.Databricks/workspaces": (PathKind.NAT_GATEWAY,),
    }


class Egress(Term, frozen=True):
    """Which ways out are compliant, and which one a repair builds."""

    allow: Annotated[tuple[PathKind, ...] | None, says("Paths that are compliant; the block's own if left out.")] = None
    nat_gateway: Annotated[NatGatewayPolicy | None, says("A repair builds a NAT gateway.")] = None
    hub: Annotated[HubPolicy | None, says("A repair sends 0.0.0.0/0 to the hub.")] = None
    proxy: Annotated[ProxyPolicy | None, says("A repair sets a proxy.")] = None
    isolated: Annotated[IsolatedPolicy | None, says("A repair takes every way out away.")] = None
    replace: Annotated[
        Literal["withhold", "propose"],
        says("What to do about another default route or NAT gateway that is there already."),
    ] = "withhold"
    default_outbound_access: Annotated[Stance, says("deny: subnets are made private.")] = "deny"
    service_endpoints: Annotated[Stance, says("Service endpoints pass a firewall by.")] = "audit"
    delegations: Annotated[
        dict[str, tuple[PathKind, ...]],
        says("Delegated subnets that may be repaired, and how; all others are left alone."),
    ] = field(default_factory=_delegations)

    @property
    def builds(self) -> PathKind | None:
        """The path a repair builds; None where the policy only judges."""
        if self.nat_gateway is not None:
            return PathKind.NAT_GATEWAY
        if self.hub is not None:
            return PathKind.HUB
        if self.proxy is not None:
            return PathKind.PROXY
        return PathKind.ISOLATED if self.isolated is not None else None

    @property
    def allowed(self) -> tuple[PathKind, ...]:
        """The paths that count as compliant; empty where the policy says nothing about them."""
        if self.allow is not None:
            return self.allow
        return (self.builds,) if self.builds else ()
