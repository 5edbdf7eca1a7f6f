"""Strategies: networks in every state that Azure leaves them in, as raw bodies."""

from collections.abc import Callable
from datetime import date
from typing import Any

from hypothesis import strategies as st

from governor.core import ids
from governor.core.policy import (
    Approvals,
    Egress,
    Exemption,
    IsolatedPolicy,
    Limits,
    NatGatewayPolicy,
    Policies,
    Requirement,
    Select,
    Share,
)
from tests.core import world
from tests.core.world import (
    OWN,
    Body,
    address,
    address_id,
    balancer,
    balancer_id,
    cluster,
    config_id,
    delegated,
    group,
    nat,
    nat_id,
    nat_policy,
    network,
    nic,
    peering,
    pool_id,
    prefix,
    refs,
    route,
    subnet,
    subnet_id,
    table,
    table_id,
    vnet,
)

SCALE_SET = (
    f"{world.GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/s/virtualMachines/0/networkInterfaces/n"
    "/ipConfigurations/c"
)
# What lies around the networks, whether anything names it or not.
AROUND: list[Body] = [
    address("pip"),
    address("basic", "203.0.113.8", sku="Basic"),
    address("spare", "203.0.113.9"),
    prefix(),
    table("rt-plain", route("10.0.0.0/8", "VnetLocal")),
    table("rt-hub", route("0.0.0.0/0", "VirtualAppliance", "10.1.0.4")),
    table("rt-halves", route("0.0.0.0/1", "VirtualAppliance", "10.1.0.4"), route("128.0.0.0/1", "None")),
    table("rt-half", route("0.0.0.0/1", "None")),
    table("rt-gateway", route("0.0.0.0/0", "VirtualNetworkGateway")),
    table("rt-closed", route("0.0.0.0/0", "None")),
    table("rt-internet", route("0.0.0.0/0", "Internet"), route("AzureMonitor", "Internet")),
    table("rt-updating", provisioningState="Updating"),
    nat("ng-empty"),
    nat("ng-updating", address_id("spare"), provisioningState="Updating"),
    balancer("lb-out", address_id("pip"), outbound=True),
    balancer("lb-snat", address_id("pip"), rule=True),
    balancer("lb-inside", rule=True),
    balancer("lb-basic", rule=True, sku="Basic"),
]
PLAIN_TABLES = [None, None, None, None, None, None, "rt-plain", "rt-internet", "rt-hub"]
TABLES = [None, None, None, "rt-plain", "rt-hub", "rt-halves", "rt-half", "rt-gateway", "rt-closed", "rt-internet"]
ODD_TABLES = [None, None, *TABLES, "rt-updating", "rt-gone"]
MACHINES: list[Callable[[str], Body]] = [
    lambda name: nic(name),
    lambda name: nic(name),
    lambda name: nic(name, machine=None),
    lambda name: nic(name, public=address_id("pip")),
    lambda name: nic(name, public=address_id("basic")),
    lambda name: nic(name, pool_id("lb-out")),
    lambda name: nic(name, pool_id("lb-snat"), pool_id("lb-inside")),
    lambda name: nic(name, pool_id("lb-inside")),
    lambda name: nic(name, pool_id("lb-basic")),
    lambda name: nic(name, enableIPForwarding=True),
    lambda name: nic(name, machine=None, privateEndpoint={"id": network("privateEndpoints", "pe")}),
    lambda name: nic(name, provisioningState="Updating"),
    lambda name: nic(name, group="MC_aks"),
]
LODGERS: list[dict[str, Any]] = [
    {},
    {},
    {},
    {"privateEndpoints": refs(network("privateEndpoints", "pe"))},
    {"delegations": delegated("Microsoft.Web/serverFarms")},
    {"delegations": delegated("Microsoft.Sql/managedInstances")},
    {"serviceAssociationLinks": [{"name": "l", "properties": {"linkedResourceType": "x/y"}}]},
    {"ipConfigurations": refs(f"{balancer_id('lb-inside')}/frontendIPConfigurations/fe")},
    {"ipConfigurations": refs(SCALE_SET)},
    {"ipConfigurations": refs(config_id("nic-unread"))},
]
NAMES = ["app", "db", "web", "jobs", "edge", "GatewaySubnet", "AzureBastionSubnet", "AzureFirewallSubnet"]


@st.composite
def subnets(draw: st.DrawFn, net: str, name: str, plain: bool) -> tuple[Body, list[Body]]:
    """A subnet and the machines in it. plain: nothing odd about its state."""
    properties: dict[str, Any] = dict(draw(st.sampled_from(LODGERS[:1] if plain else LODGERS)))
    if not plain:
        properties["provisioningState"] = draw(st.sampled_from(["Succeeded"] * 6 + ["Updating", "Failed"]))
    flag = draw(st.sampled_from([None, None, True, False]))
    if flag is not None:
        properties["defaultOutboundAccess"] = flag
    tabled = draw(st.sampled_from(PLAIN_TABLES if plain else ODD_TABLES))
    if tabled:
        properties["routeTable"] = table_id(tabled)
    gateways = [None] * 5 + [f"ng-{net}"] + ([] if plain else ["ng-empty", "ng-updating", "ng-gone"])
    if gateway := draw(st.sampled_from(gateways)):
        properties["natGateway"] = nat_id(gateway)
    machines = draw(st.lists(st.sampled_from(MACHINES[:6] if plain else MACHINES), max_size=2))
    bodies = [make(f"nic-{net}-{name}-{number}") for number, make in enumerate(machines)]
    if bodies:
        held = [ref["id"] for ref in properties.get("ipConfigurations") or ()]
        configurations = [body["properties"]["ipConfigurations"][0]["id"] for body in bodies]
        properties["ipConfigurations"] = refs(*held, *configurations)
    return subnet(name, net, **properties), bodies


@st.composite
def azures(draw: st.DrawFn, plain: bool = False, most: int = 4) -> list[Body]:
    """One or two networks with everything around them. plain: what can be repaired, mostly."""
    bodies = list(AROUND)
    for net in draw(st.sampled_from([["spoke"], ["spoke"], ["spoke", "edge"]])):
        names = draw(st.lists(st.sampled_from(NAMES[:5] if plain else NAMES), unique=True, min_size=1, max_size=most))
        inside: list[Body] = []
        for name in names:
            body, machines = draw(subnets(net, name, plain))
            inside.append(body)
            bodies += machines
        has: dict[str, Any] = {}
        if not plain:
            has["virtualNetworkPeerings"] = draw(
                st.sampled_from([[], [], [], [], [peering(useRemoteGateways=True)], [peering(useRemoteGateways=False)]])
            )
            has["provisioningState"] = draw(st.sampled_from(["Succeeded"] * 5 + ["Updating"]))
            if draw(st.sampled_from([False, False, False, True])):
                has["defaultPublicNatGateway"] = {"id": nat_id(f"ng-{net}")}
        bodies.append(vnet(*inside, name=net, **has))
        served = [
            one["id"] for one in inside if (one["properties"].get("natGateway") or {}).get("id") == nat_id(f"ng-{net}")
        ]
        bodies.append(nat(f"ng-{net}", address_id("pip"), subnets=refs(*served)))
    if not plain and draw(st.booleans()):
        bodies.append(cluster(subnet_id(draw(st.sampled_from(NAMES[:3])))))
    if draw(st.booleans()):
        bodies.append(group(OWN))
    return bodies


def unreadable(bodies: list[Body]) -> st.SearchStrategy[list[str]]:
    """Some of what exists, which nobody lets us read."""
    readable = [body["id"] for body in bodies if ids.kind(body["id"]) != ids.VIRTUAL_NETWORK]
    return st.lists(st.sampled_from(readable), max_size=2, unique=True)


EGRESS = st.one_of(
    st.builds(
        Egress,
        nat_gateway=st.builds(
            NatGatewayPolicy,
            name=st.sampled_from(["ng-{virtualNetwork}", "ng-{virtualNetwork}", "ng-{subnet}-{virtualNetwork}"]),
            sku=st.just("Standard"),
            adopt=st.booleans(),
            public_ips=st.integers(1, 2),
            existing=st.sampled_from([(), (), (address_id("spare"),), (network("publicIPPrefixes", "ippre"),)]),
        ),
        default_outbound_access=st.sampled_from(["deny", "deny", "audit", "allow"]),
    ),
    st.builds(Egress, isolated=st.builds(IsolatedPolicy, route=st.sampled_from(["none", "off"]))),
)
EXEMPTIONS = st.lists(
    st.builds(
        Exemption,
        resource=st.sampled_from([subnet_id("app"), "*/subnets/db", "*"]),
        requirement=st.sampled_from([Requirement.SUBNET_EGRESS, Requirement.SUBNET_PRIVATE]),
        owner=st.just("x"),
        reason=st.just("y"),
        until=st.sampled_from([date(2020, 1, 1), date(2030, 1, 1)]),
    ),
    max_size=1,
).map(tuple)
SELECTS = st.sampled_from(
    [
        *([Select()] * 4),
        Select(subnets=("app", "d*")),
        Select(occupants=("empty",)),
        Select(tags={"env": "prod"}),
        Select(virtual_networks=("spoke",)),
    ]
)
UNLIMITED = Limits(remediations_per_run=100, percent_of_subscription=Share(limit=100, first_free=100))


@st.composite
def policies(draw: st.DrawFn, limits: Limits = UNLIMITED) -> Policies:
    """One or two policies that need nobody's approval."""
    egress = draw(st.lists(EGRESS, min_size=1, max_size=2))
    return Policies(
        tuple(
            nat_policy(
                name=f"p{number}",
                priority=100 - number,
                egress=one,
                select=draw(SELECTS) if number == 0 else Select(),
                exemptions=draw(EXEMPTIONS),
                approvals=Approvals(needed=()),
                limits=limits,
            )
            for number, one in enumerate(egress)
        )
    )
