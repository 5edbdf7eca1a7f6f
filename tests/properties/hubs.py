"""Strategies: hubs and their spokes, halfway linked, with tables that somebody else has a hand in, as raw bodies."""

from datetime import date
from typing import Any

from hypothesis import strategies as st

from governor.core.policy import (
    Approvals,
    Bypass,
    Egress,
    Exemption,
    HubPolicy,
    NamedRoute,
    NamedTable,
    NatGatewayPolicy,
    Policies,
    Policy,
    Requirement,
    Select,
)
from governor.core.routing import NETWORK_TAG
from tests.core.world import (
    OWN,
    REGION,
    Body,
    address,
    address_id,
    config_id,
    delegated,
    firewall,
    group,
    nat,
    nat_id,
    nat_policy,
    network,
    nic,
    peering,
    refs,
    route,
    space,
    subnet,
    subnet_id,
    subscription,
    table,
    table_id,
    vnet,
    vnet_id,
)
from tests.properties.estates import UNLIMITED

HOP = "10.1.0.4"
FIREWALL = network("azureFirewalls", "fw")
SPACES = {"spoke": "10.2.0.0/16", "edge": "10.3.0.0/16"}
TO_HUB = route("0.0.0.0/0", "VirtualAppliance", HOP)
# What somebody has put into tables: nothing that every policy here would call complete, and much that none would touch.
ROUTES = [
    route("10.50.0.0/16", "VirtualNetworkGateway"),
    route("10.60.0.0/16", "None"),
    {**route("10.61.0.0/16", "VirtualAppliance", "10.9.9.9"), "name": "egress-default"},
    {**route("10.62.0.0/16", "VnetLocal"), "name": "Egress-10.0.0.0-8"},
    route("AzureMonitor", "Internet"),
    route("40.0.0.0/8", "Internet"),
    route("20.0.0.1/32", "Internet"),
    route("10.0.0.0/8", "VirtualAppliance", HOP),
    route("10.0.0.0/8", "VirtualAppliance", "10.9.9.9"),
    route("0.0.0.0/1", "VirtualAppliance", HOP),
    route("128.0.0.0/1", "VirtualAppliance", HOP),
]
DEFAULTS = [
    None,
    None,
    None,
    TO_HUB,
    TO_HUB,
    route("0.0.0.0/0", "VirtualAppliance", "10.9.9.9"),
    route("0.0.0.0/0", "None"),
    route("0.0.0.0/0", "Internet"),
]
LODGERS: list[dict[str, Any]] = [
    *([{}] * 6),
    {"delegations": delegated("Microsoft.Sql/managedInstances")},
    {"privateEndpoints": refs(network("privateEndpoints", "pe"))},
    {"provisioningState": "Updating"},
    {"natGateway": nat_id("ng-hubbed")},
]


@st.composite
def route_table(draw: st.DrawFn, table_name: str, made: dict[str, Any] | None = None) -> Body:
    """A table with routes of others; no two have one prefix or one name."""
    default = draw(st.sampled_from(DEFAULTS))
    others = draw(
        st.lists(st.sampled_from(ROUTES), max_size=3, unique_by=lambda one: one["properties"]["addressPrefix"])
    )
    by_name = {one["name"].casefold(): one for one in ([default] if default else []) + others}
    flag = draw(st.sampled_from([None, None, True, False]))
    body = {**table(table_name), **(made or {})}
    body["properties"]["routes"] = [{**one, "id": f"{body['id']}/routes/{one['name']}"} for one in by_name.values()]
    if flag is not None:
        body["properties"]["disableBgpRoutePropagation"] = flag
    return body


def side(of: str, to: str, **flags: Any) -> Body:
    return peering(
        f"to-{to}",
        of,
        remoteVirtualNetwork={"id": vnet_id(to)},
        peeringState="Connected",
        peeringSyncLevel=flags.pop("level", "FullyInSync"),
        allowVirtualNetworkAccess=True,
        **{"allowForwardedTraffic": True, **flags},
    )


SIDES: list[dict[str, Any] | None] = [
    None,
    None,
    {},
    {},
    {},
    {"allowForwardedTraffic": False},
    {"allowForwardedTraffic": False, "allowGatewayTransit": True},
    {"level": "LocalNotInSync"},
]


@st.composite
def azures(draw: st.DrawFn) -> list[Body]:
    """A hub with its firewall, one or two spokes, and tables around them."""
    bodies: list[Body] = [
        address("pip"),
        address("pip-fw", "20.0.0.1"),
        group(),
        subscription(),
        nat("ng-hubbed", address_id("pip")),
        draw(route_table("rt-theirs")),
        draw(route_table("rt-all")),
    ]
    if draw(st.booleans()):
        bodies.append(group(OWN))
    at_hub: list[Body] = []
    names = draw(st.sampled_from([["spoke"], ["spoke"], ["spoke", "edge"]]))
    for net in names:
        ours, theirs = draw(st.sampled_from(SIDES)), draw(st.sampled_from(SIDES))
        at_hub += [side("hub", net, **theirs)] if theirs is not None else []
        own_id = network("routeTables", f"rt-{net}", OWN)
        own_tags = {NETWORK_TAG: vnet_id(draw(st.sampled_from([net, net, net, "nobody"])))}
        own = draw(st.none() | route_table(f"rt-{net}", {"id": own_id, "tags": own_tags}))
        bodies += [own] if own else []
        tables = [None, None, None, table_id("rt-theirs"), table_id("rt-all"), *([own_id] if own else [])]
        inside: list[Body] = []
        wanted = draw(st.lists(st.sampled_from(["app", "db", "web", "GatewaySubnet"]), unique=True, min_size=1))
        for name in wanted:
            properties: dict[str, Any] = dict(draw(st.sampled_from(LODGERS)))
            if attached := draw(st.sampled_from(tables)):
                properties["routeTable"] = attached
            flag = draw(st.sampled_from([None, True, False]))
            if flag is not None:
                properties["defaultOutboundAccess"] = flag
            if "delegations" not in properties and draw(st.sampled_from([False, False, True])):
                public = draw(st.sampled_from([None, None, address_id("pip")]))
                bodies.append(nic(f"nic-{net}-{name}", public=public))
                properties["ipConfigurations"] = refs(config_id(f"nic-{net}-{name}"))
            inside.append(subnet(name, net, **properties))
        linked: dict[str, Any] = {"virtualNetworkPeerings": [side(net, "hub", **ours)] if ours is not None else []}
        bodies.append(vnet(*inside, name=net, addressSpace=space(SPACES[net]), **linked))
    if draw(st.booleans()):  # a network that nobody governs has a peering with the hub, and shares a table
        shares = draw(st.sampled_from([{}, {"routeTable": table_id("rt-all")}]))
        at_hub.append(side("hub", "old", allowForwardedTraffic=False))
        bodies.append(
            vnet(
                subnet("x", "old", **shares),
                name="old",
                addressSpace=space("10.4.0.0/16"),
                virtualNetworkPeerings=[side("old", "hub", allowForwardedTraffic=False)],
            )
        )
    configuration = refs(f"{FIREWALL}/azureFirewallIpConfigurations/c")
    inside_hub = subnet("AzureFirewallSubnet", "hub", addressPrefix="10.1.0.0/26", ipConfigurations=configuration)
    state = draw(st.sampled_from(["Succeeded"] * 8 + ["Updating"]))
    bodies.append(
        vnet(
            inside_hub,
            name="hub",
            addressSpace=space("10.1.0.0/16"),
            virtualNetworkPeerings=at_hub,
            provisioningState=state,
        )
    )
    one = firewall(HOP, provisioningState=draw(st.sampled_from(["Succeeded"] * 8 + ["Updating", "Failed"])))
    one["properties"]["ipConfigurations"][0]["properties"] |= {
        "subnet": {"id": subnet_id("AzureFirewallSubnet", "hub")},
        "publicIPAddress": {"id": address_id("pip-fw")},
    }
    return [*bodies, one]


INSIDE = NamedRoute("10.0.0.0/8", "hub")
HUBS = st.builds(
    HubPolicy,
    hub_virtual_network=st.just({REGION: vnet_id("hub")}),
    firewall=st.just({REGION: FIREWALL}),
    peering=st.sampled_from(["create", "create", "create", "require", "ignore"]),
    gateway_transit=st.sampled_from(["keep", "keep", "never"]),
    route_table=st.sampled_from(
        [
            NamedTable("rt-{virtualNetwork}", "rg-egress-{region}"),
            NamedTable("rt-{virtualNetwork}", "rg-egress-{region}"),
            NamedTable("rt-{virtualNetwork}-{subnet}", "rg-egress-{region}"),
            NamedTable("rt-one-for-all", "rg-egress-{region}"),
        ]
    ),
    routes=st.sampled_from(
        [
            (),
            (NamedRoute("10.0.0.0/8", "hub"),),
            (NamedRoute("10.0.0.0/8", "hub"), NamedRoute("AzureMonitor", "internet")),
        ]
    ),
    bypass=st.builds(Bypass, others=st.sampled_from(["audit", "deny"])),
    when_shared=st.sampled_from(["withhold", "withhold", "clone"]),
    disable_bgp_route_propagation=st.sampled_from(["keep", "keep", True, False]),
    ready=st.sampled_from(["assumed", "assumed", "proven"]),
    keep_inbound=st.booleans(),
)
EGRESS = st.builds(
    Egress,
    hub=HUBS,
    replace=st.sampled_from(["withhold", "withhold", "propose"]),
    default_outbound_access=st.sampled_from(["deny", "deny", "audit", "allow"]),
)
EXEMPTIONS = st.lists(
    st.builds(
        Exemption,
        resource=st.sampled_from([subnet_id("app"), "*/subnets/db", vnet_id("spoke")]),
        requirement=st.sampled_from(
            [
                Requirement.SUBNET_EGRESS,
                Requirement.SUBNET_ROUTE_DEFAULT,
                Requirement.SUBNET_PRIVATE,
                Requirement.HUB_PEERING,
            ]
        ),
        owner=st.just("x"),
        reason=st.just("y"),
        until=st.just(date(2030, 1, 1)),
    ),
    max_size=1,
).map(tuple)


def _policy(number: int, egress: Egress, select: Select, exemptions: tuple[Exemption, ...] = ()) -> Policy:
    return nat_policy(
        name=f"p{number}",
        priority=100 - number,
        egress=egress,
        select=select,
        exemptions=exemptions,
        approvals=Approvals(needed=()),
        limits=UNLIMITED,
    )


@st.composite
def policies(draw: st.DrawFn, alone: bool = False) -> Policies:
    """A hub policy for spokes; perhaps one before it for some of their subnets, by a hub or a gateway."""
    spokes = draw(st.sampled_from([("spoke", "edge"), ("spoke", "edge"), ("spoke",)]))
    last = _policy(9, draw(EGRESS), Select(virtual_networks=spokes), draw(EXEMPTIONS))
    if alone or draw(st.booleans()):
        return Policies((last,))
    selects = [
        Select(virtual_networks=spokes, subnets=("db",)),
        Select(virtual_networks=spokes, occupants=("empty",)),
        Select(virtual_networks=("edge",)),
    ]
    some = draw(st.sampled_from(selects))
    by_gateway = Egress(nat_gateway=NatGatewayPolicy(sku="Standard"))
    return Policies((_policy(0, draw(EGRESS | st.just(by_gateway)), some), last))
