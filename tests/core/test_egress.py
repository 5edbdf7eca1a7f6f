"""The documented precedence of ways out, as tables (facts/azure.md 2.3)."""

from typing import Any

import pytest

from governor.core import balancing, facts
from governor.core.egress import bare, trace
from governor.core.estate import Estate
from governor.core.learned import Learned, learned
from governor.core.path import EgressPath, Method, Way, addresses, describe
from tests.core.world import (
    Body,
    address,
    address_id,
    balancer,
    balancer_id,
    config_id,
    estate,
    nat,
    nat_id,
    network,
    nic,
    nic_id,
    peering,
    pool_id,
    prefix,
    refs,
    route,
    subnet,
    table,
    table_id,
    vnet,
)

HOP = "10.9.0.4"
PIP = address_id()


def looked(seen: Estate, name: str = "app") -> EgressPath:
    (spoke,) = seen.networks
    one = next(s for s in spoke.properties.subnets or () if s.name == name)
    return trace(one, spoke, seen)


def path(*context: Body, network_has: dict[str, Any] | None = None, **properties: Any) -> EgressPath:
    """How a subnet with these properties leaves."""
    return looked(estate(vnet(subnet(**properties), **(network_has or {})), *context))


def ways(found: EgressPath) -> list[tuple[Method, str]]:
    assert found.missing == ()
    return [(way.method, way.via) for way in found.ways]


# ---- routes ---------------------------------------------------------------------------------------------------------

ROUTED = [
    ("VirtualAppliance", HOP, Method.APPLIANCE, HOP),
    ("virtualappliance", HOP, Method.APPLIANCE, HOP),
    ("VirtualApplianceEcmp", None, Method.APPLIANCE, "virtualapplianceecmp"),
    ("VirtualNetworkGateway", None, Method.GATEWAY, "virtual network gateway"),
    ("None", None, Method.NONE, "route"),
    ("VnetLocal", None, Method.NONE, "route"),
]


@pytest.mark.parametrize(("kind", "hop", "method", "via"), ROUTED)
@pytest.mark.parametrize("prefixes", [("0.0.0.0/0",), ("0.0.0.0/1", "128.0.0.0/1")])
def test_a_default_route_beats_everything_else(
    kind: str, hop: str | None, method: Method, via: str, prefixes: tuple[str, ...]
) -> None:
    everything = [
        table("rt", *(route(where, kind, hop) for where in prefixes)),
        nat("ng", PIP),
        address(),
        nic(public=PIP),
    ]
    found = path(*everything, routeTable=table_id(), natGateway=nat_id(), ipConfigurations=refs(config_id()))
    assert ways(found) == [(method, via)]
    assert found.hazards == ()
    assert found.works is (method is not Method.NONE)


@pytest.mark.parametrize("prefixes", [("0.0.0.0/0",), ("0.0.0.0/1", "128.0.0.0/1")])
def test_a_default_route_to_the_internet_does_not_beat_a_nat_gateway(prefixes: tuple[str, ...]) -> None:
    context = (table("rt", *(route(where, "Internet") for where in prefixes)), nat("ng", PIP))
    found = path(*context, routeTable=table_id(), natGateway=nat_id())
    assert ways(found) == [(Method.NAT_GATEWAY, nat_id())]
    assert ways(path(*context, routeTable=table_id())) == [(Method.DEFAULT_OUTBOUND, "")]


def test_two_halves_with_different_hops_are_two_ways() -> None:
    halves = table(
        "rt", route("0.0.0.0/1", "VirtualAppliance", HOP), route("128.0.0.0/1", "VirtualAppliance", "10.9.0.5")
    )
    found = path(halves, routeTable=table_id())
    assert ways(found) == [(Method.APPLIANCE, HOP), (Method.APPLIANCE, "10.9.0.5")]
    assert found.hazards == ("its default route is split: each half of the internet has a way of its own",)


@pytest.mark.parametrize("half", ["0.0.0.0/1", "128.0.0.0/1"])
def test_one_half_alone_leaves_the_other_where_it_was(half: str) -> None:
    found = path(
        table("rt", route(half, "VirtualAppliance", HOP)), nat("ng", PIP), routeTable=table_id(), natGateway=nat_id()
    )
    assert ways(found) == [(Method.APPLIANCE, HOP), (Method.NAT_GATEWAY, nat_id())]
    assert found.hazards


def test_one_half_nowhere_and_the_other_to_the_internet() -> None:
    halves = table("rt", route("0.0.0.0/1", "None"), route("128.0.0.0/1", "Internet"))
    found = path(halves, routeTable=table_id())
    assert ways(found) == [(Method.NONE, "route"), (Method.DEFAULT_OUTBOUND, "")]
    assert found.works


def test_a_half_beats_the_whole_for_its_half() -> None:
    mixed = table("rt", route("0.0.0.0/0", "VirtualAppliance", HOP), route("0.0.0.0/1", "None"))
    assert ways(path(mixed, routeTable=table_id())) == [(Method.NONE, "route"), (Method.APPLIANCE, HOP)]


def test_other_prefixes_are_no_default_route() -> None:
    some = table("rt", route("10.0.0.0/8", "VirtualAppliance", HOP), route("0.0.0.0/2", "None"))
    assert ways(path(some, routeTable=table_id())) == [(Method.DEFAULT_OUTBOUND, "")]


def test_a_default_route_without_a_next_hop_is_not_understood() -> None:
    found = path(table("rt", route("0.0.0.0/0", None)), routeTable=table_id())
    assert found.ways == ()
    assert found.missing == (table_id(),)


@pytest.mark.parametrize("absent", [False, True])
def test_a_table_that_was_not_read_hides_every_way(absent: bool) -> None:
    seen = estate(vnet(subnet(routeTable=table_id(), natGateway=nat_id())), nat("ng", PIP))
    if absent:
        seen = estate(vnet(subnet(routeTable=table_id())), absent=[table_id()])
    assert looked(seen).missing == (table_id(),)


# ---- learned default routes -----------------------------------------------------------------------------------------


def gateway_subnet(name: str, **properties: Any) -> Body:
    return vnet(subnet(natGateway=nat_id()), subnet(name, **properties))


IN_USE = refs(f"{network('virtualNetworkGateways', 'vpn')}/ipConfigurations/default")
REACHED = [
    (gateway_subnet("GatewaySubnet", ipConfigurations=IN_USE), "GatewaySubnet is in use"),
    (gateway_subnet("ROUTESERVERSUBNET", ipConfigurations=IN_USE), "ROUTESERVERSUBNET is in use"),
    (
        vnet(subnet(natGateway=nat_id()), virtualNetworkPeerings=[peering(useRemoteGateways=True)]),
        "peering to-hub uses remote gateways",
    ),
    (
        vnet(subnet(natGateway=nat_id()), virtualNetworkPeerings=[peering("RemoteVnetToHubPeering_12ab")]),
        "peering RemoteVnetToHubPeering_12ab connects a virtual hub",
    ),
]
NOT_REACHED = [
    vnet(subnet(natGateway=nat_id())),
    gateway_subnet("GatewaySubnet"),
    gateway_subnet("RouteServerSubnet", ipConfigurations=[]),
    gateway_subnet("other", ipConfigurations=IN_USE),
    vnet(subnet(natGateway=nat_id()), virtualNetworkPeerings=[peering(useRemoteGateways=False), peering("plain")]),
]


@pytest.mark.parametrize(("around", "why"), REACHED)
def test_a_learned_default_is_possible_and_beats_nat(around: Body, why: str) -> None:
    seen = estate(around, nat("ng", PIP))
    assert learned(seen.networks[0], seen).reach == why
    found = looked(seen)
    assert found.ways == ()
    assert found.missing[0].startswith("learnedRoutes(")


@pytest.mark.parametrize("around", NOT_REACHED)
def test_nothing_can_be_learned(around: Body) -> None:
    seen = estate(around, nat("ng", PIP))
    assert learned(seen.networks[0], seen) == Learned()
    assert ways(looked(seen)) == [(Method.NAT_GATEWAY, nat_id())]


@pytest.mark.parametrize(
    ("tabled", "method"),
    [
        (table("rt", disableBgpRoutePropagation=True), Method.NAT_GATEWAY),
        (table("rt", route("0.0.0.0/0", "Internet")), Method.NAT_GATEWAY),
        (table("rt", route("0.0.0.0/0", "VirtualAppliance", HOP)), Method.APPLIANCE),
        (table("rt", disableBgpRoutePropagation=False), None),
        (table("rt", route("0.0.0.0/1", "Internet")), None),
        (table("rt", route("0.0.0.0/1", "VirtualAppliance", HOP)), None),
    ],
)
def test_a_table_keeps_learned_defaults_out(tabled: Body, method: Method | None) -> None:
    around = vnet(
        subnet(natGateway=nat_id(), routeTable=table_id()),
        virtualNetworkPeerings=[peering(useRemoteGateways=True)],
    )
    found = looked(estate(around, nat("ng", PIP), tabled))
    if method is None:
        assert found.missing[0].startswith("learnedRoutes(")
    else:
        assert [way.method for way in found.ways] == [method]


# ---- NAT gateways ---------------------------------------------------------------------------------------------------


def test_a_nat_gateway_of_the_whole_network_serves_every_subnet() -> None:
    found = path(nat("all", PIP), network_has={"defaultPublicNatGateway": {"id": nat_id("all")}})
    assert ways(found) == [(Method.NAT_GATEWAY, nat_id("all"))]


def test_a_subnets_own_nat_gateway_beats_that_of_the_network() -> None:
    found = path(
        *(nat("own", PIP), nat("all", address_id("other"))),
        natGateway=nat_id("own"),
        network_has={"defaultPublicNatGateway": {"id": nat_id("all")}},
    )
    assert ways(found) == [(Method.NAT_GATEWAY, nat_id("own"))]
    assert found.ways[0].holders == (PIP,)


def test_a_nat_gateway_beats_addresses_and_load_balancers() -> None:
    found = path(
        *(nat("ng", PIP), nic(public=PIP), nic("other", pool_id()), balancer(public=PIP, outbound=True)),
        natGateway=nat_id(),
        ipConfigurations=refs(config_id(), config_id("other")),
    )
    assert ways(found) == [(Method.NAT_GATEWAY, nat_id())]


def test_a_nat_gateway_without_addresses_is_no_way_out() -> None:
    found = path(nat("ng"), natGateway=nat_id())
    assert ways(found) == [(Method.NONE, nat_id())]
    assert not found.works
    assert found.hazards == ("its NAT gateway has no public address",)


@pytest.mark.parametrize("absent", [False, True])
def test_a_nat_gateway_that_was_not_read_hides_the_way(absent: bool) -> None:
    seen = estate(vnet(subnet(natGateway=nat_id())), absent=[nat_id()] if absent else [])
    assert looked(seen).missing == (nat_id(),)


def test_addresses_of_a_gateway_are_named_and_those_not_read_too() -> None:
    prefix_id = network("publicIPPrefixes", "ippre")
    gateway = nat("ng", address_id("b"), address_id("a"), prefix_id, address_id("new"), address_id("unread"))
    seen = estate(
        *(vnet(subnet(natGateway=nat_id())), gateway, prefix()),
        *(address("a", "203.0.113.9"), address("b", "203.0.113.2"), address("new", None)),
    )
    shown, unread = addresses(looked(seen), seen)
    assert shown == ("203.0.113.0/30", "203.0.113.2", "203.0.113.9")
    assert unread == (address_id("new"), address_id("unread"))


def test_a_prefix_that_was_not_read_is_named() -> None:
    seen = estate(vnet(subnet(natGateway=nat_id())), nat("ng", network("publicIPPrefixes", "ippre")))
    assert addresses(looked(seen), seen) == ((), (network("publicIPPrefixes", "ippre"),))


# ---- machines -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flag", "method"),
    [(None, Method.DEFAULT_OUTBOUND), (True, Method.DEFAULT_OUTBOUND), (False, Method.NONE)],
)
@pytest.mark.parametrize("members", [[], [config_id()]])
def test_without_anything_else_the_subnet_is_private_or_not(
    flag: bool | None, method: Method, members: list[str]
) -> None:
    properties: dict[str, Any] = {} if flag is None else {"defaultOutboundAccess": flag}
    found = path(nic(), ipConfigurations=refs(*members), **properties)
    assert ways(found) == [(method, "")]
    assert found.ways[0].members == tuple(members)


def test_a_machine_with_an_address_beside_one_without_are_two_ways() -> None:
    found = path(nic("a", public=PIP), nic("b"), ipConfigurations=refs(config_id("a"), config_id("b")))
    assert found.ways == (
        Way(Method.INSTANCE_PUBLIC_IP, PIP, (config_id("a"),), (PIP,)),
        Way(Method.DEFAULT_OUTBOUND, members=(config_id("b"),)),
    )
    assert describe(found) == "public IP address pip (1); default outbound access (1)"


def test_machines_in_any_order_make_one_path() -> None:
    context = (nic("a", public=PIP), nic("b"), nic("c"))
    names = [config_id(name) for name in "abc"]
    assert path(*context, ipConfigurations=refs(*names)) == path(*context, ipConfigurations=refs(*reversed(names)))
    unread = path(ipConfigurations=refs(*names))
    assert unread == path(ipConfigurations=refs(*reversed(names)))
    assert unread.missing == tuple(nic_id(name) for name in "abc")


def test_azure_may_spell_a_configuration_in_another_case() -> None:
    found = path(nic(public=PIP), ipConfigurations=refs(config_id().lower()))
    assert ways(found) == [(Method.INSTANCE_PUBLIC_IP, PIP)]


def test_instance_address_beats_a_load_balancer() -> None:
    found = path(
        *(nic("nic", pool_id(), public=PIP), balancer(public=address_id("fe"), outbound=True)),
        ipConfigurations=refs(config_id()),
    )
    assert ways(found) == [(Method.INSTANCE_PUBLIC_IP, PIP)]


def test_private_endpoints_and_internal_frontends_never_connect() -> None:
    endpoint = nic("pe", machine=None, privateEndpoint={"id": network("privateEndpoints", "p")})
    frontend = f"{balancer_id()}/frontendIPConfigurations/fe"
    found = path(endpoint, ipConfigurations=refs(config_id("pe"), frontend))
    assert ways(found) == [(Method.DEFAULT_OUTBOUND, "")]
    assert found.ways[0].members == ()
    with_machine = path(
        endpoint, nic(public=PIP), ipConfigurations=refs(config_id("pe"), frontend.lower(), config_id())
    )
    assert ways(with_machine) == [(Method.INSTANCE_PUBLIC_IP, PIP)]


def test_configurations_of_a_scale_set_are_not_read() -> None:
    machine = f"{network('x', 'x').rpartition('/providers')[0]}/providers/Microsoft.Compute/virtualMachineScaleSets/s"
    held = f"{machine}/virtualMachines/0/networkInterfaces/n"
    found = path(ipConfigurations=refs(f"{held}/ipConfigurations/c"))
    assert found.missing == (held,)


def test_a_machine_that_was_not_read_hides_the_ways_of_the_others_too() -> None:
    found = path(nic("a", public=PIP), ipConfigurations=refs(config_id("a"), config_id("b")))
    assert found.ways == ()
    assert found.missing == (nic_id("b"),)


def test_a_machine_that_is_gone_but_still_named_hides_the_ways() -> None:
    seen = estate(vnet(subnet(ipConfigurations=refs(config_id()))), absent=[nic_id()])
    assert looked(seen).missing == (nic_id(),)


def test_an_interface_that_does_not_name_the_configuration_contradicts_the_subnet() -> None:
    found = path(nic("nic"), ipConfigurations=refs(f"{nic_id()}/ipConfigurations/other"))
    assert found.ways == ()
    assert found.missing == (f"{nic_id()}/ipConfigurations/other",)


# ---- load balancers -------------------------------------------------------------------------------------------------

BEHIND = [
    # sku, public frontend, outbound rule, load-balancing rule, SNAT off -> method when the subnet is open
    ("Standard", True, True, False, False, Method.OUTBOUND_RULE),
    ("Standard", True, True, True, False, Method.OUTBOUND_RULE),
    ("Standard", True, False, True, False, Method.IMPLICIT_SNAT),
    ("Standard", True, False, True, True, Method.NONE),
    ("Standard", True, False, False, False, Method.NONE),
    ("Standard", False, False, True, False, Method.NONE),
    ("Standard", False, True, False, False, Method.NONE),
    ("Basic", True, False, True, False, Method.IMPLICIT_SNAT),
    ("Basic", False, False, True, False, Method.DEFAULT_OUTBOUND),
]


@pytest.mark.parametrize(("sku", "public", "outbound", "rule", "snat_off", "method"), BEHIND)
def test_behind_a_load_balancer(
    sku: str, public: bool, outbound: bool, rule: bool, snat_off: bool, method: Method
) -> None:
    balanced = balancer(public=PIP if public else None, sku=sku, outbound=outbound, rule=rule, snat_off=snat_off)
    found = path(nic("nic", pool_id()), balanced, ipConfigurations=refs(config_id()))
    (way,) = found.ways
    assert way.method is method
    assert way.members == (config_id(),)
    if method in (Method.OUTBOUND_RULE, Method.IMPLICIT_SNAT):
        assert (way.via, way.holders) == (balancer_id(), (PIP,))
    warned = "outbound works only while load balancer lb has a public frontend"
    assert found.hazards == ((warned,) if method is Method.IMPLICIT_SNAT else ())


def test_a_private_subnet_behind_an_internal_basic_balancer_has_no_way_out() -> None:
    found = path(
        *(nic("nic", pool_id()), balancer(sku="Basic", rule=True)),
        ipConfigurations=refs(config_id()),
        defaultOutboundAccess=False,
    )
    assert ways(found) == [(Method.NONE, "")]


def configuration(*pools: str) -> facts.IpConfiguration:
    seen = estate(nic("nic", *pools))
    one = seen.find(nic_id(), facts.NetworkInterface)
    assert isinstance(one, facts.NetworkInterface)
    return (one.properties.ip_configurations or ())[0]


def test_an_outbound_rule_of_the_second_pool_beats_implicit_snat_of_the_first() -> None:
    seen = estate(balancer("one", PIP, rule=True), balancer("two", address_id("b"), outbound=True))
    found = balancing.outbound(configuration(pool_id("one"), pool_id("two")), seen)
    assert found == balancing.Outbound(balancer_id("two"), explicit=True, holders=(address_id("b"),))


def test_of_two_balancers_that_give_snat_the_first_one_counts() -> None:
    seen = estate(balancer("one", PIP, rule=True), balancer("two", address_id("b"), rule=True))
    assert balancing.outbound(configuration(pool_id("one"), pool_id("two")), seen).rule == balancer_id("one")


@pytest.mark.parametrize("absent", [False, True])
def test_a_balancer_that_was_not_read_hides_the_way(absent: bool) -> None:
    seen = estate(balancer("one", PIP, rule=True), absent=[balancer_id("two")] if absent else [])
    found = balancing.outbound(configuration(pool_id("one"), pool_id("two")), seen)
    assert found == balancing.Outbound(missing=(balancer_id("two"),))
    behind = path(nic("nic", pool_id()), ipConfigurations=refs(config_id()))
    assert behind.missing == (balancer_id(),)


def test_rules_of_another_pool_do_nothing_for_this_one() -> None:
    balanced = balancer(public=PIP, outbound=True, rule=True)
    other = f"{balancer_id()}/backendAddressPools/other"
    balanced["properties"]["outboundRules"][0]["properties"]["backendAddressPool"] = {"id": other}
    balanced["properties"]["loadBalancingRules"][0]["properties"]["backendAddressPool"] = {"id": other}
    assert balancing.outbound(configuration(pool_id()), estate(balanced)) == balancing.Outbound(closes_default=True)


def test_a_rule_may_name_several_pools_and_a_frontend_a_prefix() -> None:
    balanced = balancer(public=PIP, rule=True)
    said = balanced["properties"]["loadBalancingRules"][0]["properties"]
    said["backendAddressPools"] = [said.pop("backendAddressPool")]
    inner = balanced["properties"]["frontendIPConfigurations"][0]["properties"]
    del inner["publicIPAddress"]
    inner["publicIPPrefix"] = {"id": network("publicIPPrefixes", "ippre")}
    found = balancing.outbound(configuration(pool_id()), estate(balanced))
    assert found.holders == (network("publicIPPrefixes", "ippre"),)


# ---- words ----------------------------------------------------------------------------------------------------------


def test_what_waits_behind_route_and_gateway() -> None:
    seen = estate(vnet(subnet(routeTable=table_id(), natGateway=nat_id())), table(), nat("ng", PIP))
    (spoke,) = seen.networks
    (one,) = spoke.properties.subnets or ()
    assert ways(trace(bare(one), spoke, seen)) == [(Method.DEFAULT_OUTBOUND, "")]


SAID = [
    (Way(Method.APPLIANCE, HOP), f"route to appliance {HOP}"),
    (Way(Method.GATEWAY, "virtual network gateway"), "route to virtual network gateway"),
    (Way(Method.NAT_GATEWAY, nat_id()), "NAT gateway ng"),
    (Way(Method.INSTANCE_PUBLIC_IP, PIP), "public IP address pip"),
    (Way(Method.OUTBOUND_RULE, balancer_id()), "outbound rule of load balancer lb"),
    (Way(Method.IMPLICIT_SNAT, balancer_id()), "implicit SNAT of load balancer lb"),
    (Way(Method.DEFAULT_OUTBOUND), "default outbound access"),
    (Way(Method.NONE), "no way out"),
    (Way(Method.NONE, "route"), "no way out (route to None)"),
]


@pytest.mark.parametrize(("way", "words"), SAID)
def test_a_way_in_words(way: Way, words: str) -> None:
    assert describe(EgressPath((way,))) == words


def test_every_method_has_words() -> None:
    assert {way.method for way, _ in SAID} == set(Method)


def test_a_way_without_members_is_for_all() -> None:
    assert describe(EgressPath((Way(Method.NONE, "route"), Way(Method.DEFAULT_OUTBOUND)))) == (
        "no way out (route to None) (all); default outbound access (all)"
    )


# ---- what is being written ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "passes"), [("Updating", True), ("Creating", True), ("Deleting", True), ("Failed", False)]
)
@pytest.mark.parametrize("what", ["rt", "ng", "nic"])
def test_what_is_not_succeeded_hides_the_way(what: str, state: str, passes: bool) -> None:
    states = {name: state if name == what else "Succeeded" for name in ("rt", "ng", "nic")}
    properties: dict[str, Any] = {"routeTable": table_id()}
    properties |= {"ipConfigurations": refs(config_id())} if what == "nic" else {"natGateway": nat_id()}
    found = path(
        *(table("rt", provisioningState=states["rt"]), nat("ng", PIP, provisioningState=states["ng"])),
        nic(provisioningState=states["nic"]),
        **properties,
    )
    assert found.unsettled == (f"{what} is {state}", passes)
