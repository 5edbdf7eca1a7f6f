"""What a hub policy wants, who holds its next hop, how networks are linked, and what repairs all that."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from governor.core import guard, ids, needs
from governor.core.estate import permissions as permissions_of
from governor.core.judged import judge, look
from governor.core.plan import Gate, Plan, Withheld
from governor.core.policy import (
    Approvals,
    Bypass,
    Disruption,
    Egress,
    Exemption,
    HubPolicy,
    Mode,
    NamedRoute,
    NamedTable,
    PathKind,
    Policies,
    Policy,
    Requirement,
    Select,
)
from governor.core.propose import propose
from governor.core.routing import NETWORK_TAG, RouteTo
from governor.core.standing import Standing, UndoExemption
from governor.core.step import CreateRouteTable, WritePeering, WriteRoute, WriteSubnet, name
from governor.core.verdict import Result
from tests.core.world import (
    AT,
    GROUP,
    REGION,
    SUB,
    Azure,
    Body,
    address,
    address_id,
    around,
    balancer,
    balancer_id,
    config_id,
    firewall,
    freely,
    group,
    nat,
    nat_id,
    nat_policy,
    network,
    nic,
    peering,
    permissions,
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

HOP = "10.1.0.4"
FW = network("azureFirewalls", "fw")
FW_CONFIG = f"{FW}/azureFirewallIpConfigurations/c"
HUB = vnet_id("hub")
OWN_TABLE = network("routeTables", "rt-spoke", "rg-egress-westeurope")
INHABITED: dict[str, Any] = {"ipConfigurations": refs(config_id())}
TO_HUB = route("0.0.0.0/0", "VirtualAppliance", HOP)


def hub_network(*peerings: Body, **properties: Any) -> Body:
    firewalls = subnet("AzureFirewallSubnet", "hub", addressPrefix="10.1.0.0/26", ipConfigurations=refs(FW_CONFIG))
    given = {"addressSpace": space("10.1.0.0/16"), "virtualNetworkPeerings": list(peerings), **properties}
    return vnet(firewalls, name="hub", **given)


def spoke(*subnets: Body, peerings: tuple[Body, ...] = (), name: str = "spoke", **properties: Any) -> Body:
    given = {"addressSpace": space("10.2.0.0/16"), "virtualNetworkPeerings": list(peerings), **properties}
    return vnet(*subnets, name=name, **given)


def the_firewall(home: str = "hub", public: str | None = "pip-fw", **properties: Any) -> Body:
    one = firewall(HOP, **properties)
    inner = one["properties"]["ipConfigurations"][0]["properties"]
    inner["subnet"] = {"id": subnet_id("AzureFirewallSubnet", home)}
    if public:
        inner["publicIPAddress"] = {"id": address_id(public)}
    return one


def side(of: str, to: str, **flags: Any) -> Body:
    found = {
        "remoteVirtualNetwork": {"id": vnet_id(to)},
        "peeringState": "Connected",
        "peeringSyncLevel": "FullyInSync",
        "allowVirtualNetworkAccess": True,
        "allowForwardedTraffic": True,
        **flags,
    }
    return peering(f"to-{to}", of, **found)


OURS, THEIRS = side("spoke", "hub"), side("hub", "spoke")
AROUND: tuple[Body, ...] = (the_firewall(), address("pip-fw", "20.0.0.1"), group(), subscription())
LINKED = (hub_network(THEIRS), *AROUND)
GROUP_MADE = group("rg-egress-westeurope")


def hub_policy(**changes: Any) -> Policy:
    """Every spoke* leaves by the firewall; what is given beside HubPolicy's members is the policy's own."""
    members = set(HubPolicy.__struct_fields__)
    wanted = {key: value for key, value in changes.items() if key in members}
    given = {"hub_virtual_network": {REGION: HUB}, "firewall": {REGION: FW}, "keep_inbound": False, **wanted}
    hub = HubPolicy(**given)
    egress = Egress(hub=hub, **{k: changes[k] for k in ("allow", "replace", "default_outbound_access") if k in changes})
    own = {k: v for k, v in changes.items() if k in Policy.__struct_fields__}
    return freely(
        nat_policy(**{"name": "hub", "egress": egress, "select": Select(virtual_networks=("spoke*",)), **own})
    )


class Run:
    """What a run over an Azure comes to."""

    def __init__(self, azure: Azure, *policies: Policy, standing: Standing | None = None) -> None:
        self.policies = Policies(policies or (hub_policy(),))
        self.azure = azure
        self.seen = azure.observe(self.policies, standing)
        self.verdicts = {(ids.name(v.resource), v.requirement): v for v in judge(self.seen, self.policies)}
        proposal = propose(self.seen, look(self.seen, self.policies))
        self.plan: Plan = guard.withhold(proposal, around(self.seen, self.policies, standing))

    @property
    def steps(self) -> list[str]:
        return [name(step) for _, step in self.plan.steps]

    def held(self, requirement: str = "subnet-egress") -> Withheld:
        return next(w for w in self.plan.withheld if requirement in w.remediation.requirements)

    def why(self, requirement: str = "subnet-egress") -> tuple[Gate, str]:
        (reason,) = self.held(requirement).reasons
        return reason.gate, reason.text

    def result(self, resource: str, requirement: str) -> Result:
        return self.verdicts[resource, requirement].result

    def done(self) -> "Run":
        """Writes the Plan, and looks again."""
        for _, step in self.plan.steps:
            self.azure.apply(step)
        return Run(self.azure, *self.policies)


def run(*bodies: Body, policy: Policy | None = None) -> Run:
    return Run(Azure(*bodies), *((policy,) if policy else ()))


# ---- from nothing ---------------------------------------------------------------------------------------------------


def test_a_new_network_gets_table_peering_and_attachment_in_this_order() -> None:
    first = run(spoke(subnet("app"), subnet("db")), hub_network(), *AROUND)
    assert first.steps == [
        "CreateResourceGroup",
        "CreateRouteTable",
        "WritePeering",
        "WritePeering",
        "WriteSubnet",
        "WriteSubnet",
    ]
    sides = [step.target for _, step in first.plan.steps if isinstance(step, WritePeering)]
    assert [ids.name(ids.parent(one)) for one in sides] == ["hub", "spoke"]
    after = first.done()
    assert after.plan == Plan()
    results = {place: verdict.result for place, verdict in after.verdicts.items() if place[0] in ("app", "db", "spoke")}
    assert set(results.values()) == {Result.COMPLIANT}
    assert results["spoke", "hub-peering"]
    assert results["app", "subnet-route-default"]


def test_the_table_has_every_route_from_the_start() -> None:
    wanted = hub_policy(
        keep_inbound=True,
        routes=(NamedRoute("10.0.0.0/8", "hub"), NamedRoute("AzureKeyManagement", "internet")),
        default_outbound_access="allow",
    )
    first = run(spoke(subnet("app"), peerings=(OURS,)), *LINKED, GROUP_MADE, policy=wanted)
    (made,) = (step for _, step in first.plan.steps if isinstance(step, CreateRouteTable))
    assert {str(one) for one in made.routes} == {
        "0.0.0.0/0 -> 10.1.0.4",
        "10.0.0.0/8 -> 10.1.0.4",
        "AzureKeyManagement -> Internet",
        "20.0.0.1/32 -> Internet",
    }
    assert made.tags[NETWORK_TAG] == vnet_id("spoke")
    assert not made.disable_bgp_route_propagation
    assert first.done().plan == Plan()


def test_replies_leave_by_every_address_of_the_hub_with_a_gateway_on_its_firewall_subnet() -> None:
    firewalls = subnet("AzureFirewallSubnet", "hub", addressPrefix="10.1.0.0/26", natGateway=nat_id("ng-hub"))
    there = vnet(firewalls, name="hub", addressSpace=space("10.1.0.0/16"), virtualNetworkPeerings=[THEIRS])
    azure = (there, *AROUND, nat("ng-hub", address_id("pip-ng")), address("pip-ng", "20.0.0.9"), GROUP_MADE)
    first = run(spoke(subnet("app"), peerings=(OURS,)), *azure, policy=hub_policy(keep_inbound=True))
    (made,) = (step for _, step in first.plan.steps if isinstance(step, CreateRouteTable))
    assert {one.prefix for one in made.routes} == {"0.0.0.0/0", "20.0.0.1/32", "20.0.0.9/32"}
    after = first.done()
    seen = after.azure.read(lambda seen: needs.for_evidence(seen, after.policies))
    told = [
        v for v in judge(seen, after.policies) if v.resource == subnet_id("app") and v.requirement == "subnet-egress"
    ]
    assert [verdict.addresses for verdict in told] == [("20.0.0.9",)]


# ---- the peering ----------------------------------------------------------------------------------------------------


PEERINGS = [
    ((), (), "not peered: neither spoke nor hub has a peering", 2),
    ((OURS,), (), "not peered: hub has no peering", 1),
    ((), (THEIRS,), "not peered: spoke has no peering", 1),
    ((side("spoke", "hub", allowForwardedTraffic=False),), (THEIRS,), "allowForwardedTraffic is false at spoke", 1),
    ((OURS,), (side("hub", "spoke", allowForwardedTraffic=False),), "allowForwardedTraffic is false at hub", 1),
    ((side("spoke", "hub", allowVirtualNetworkAccess=False),), (THEIRS,), "allowVirtualNetworkAccess is false", 1),
]


@pytest.mark.parametrize(("ours", "theirs", "seen", "writes"), PEERINGS, ids=[p[2] for p in PEERINGS])
def test_what_is_wrong_with_a_peering_is_mended_on_the_side_where_it_is_wrong(
    ours: tuple[Body, ...], theirs: tuple[Body, ...], seen: str, writes: int
) -> None:
    first = run(spoke(subnet("app"), peerings=ours), hub_network(*theirs), *AROUND, GROUP_MADE)
    verdict = first.verdicts["spoke", "hub-peering"]
    assert verdict.result is Result.VIOLATION
    assert seen in verdict.seen
    assert first.steps.count("WritePeering") == writes
    after = first.done()
    assert after.result("spoke", "hub-peering") is Result.COMPLIANT
    assert after.plan == Plan()


@pytest.mark.parametrize("left", ["spoke", "hub"])
def test_the_side_that_is_left_of_a_peering_is_written_before_the_other_is_made(left: str) -> None:
    """Azure makes no new side while the one that is left is Disconnected; any write makes it Initiated again."""
    ours = (side("spoke", "hub", peeringState="Disconnected"),) if left == "spoke" else ()
    theirs = (side("hub", "spoke", peeringState="Disconnected"),) if left == "hub" else ()
    first = run(spoke(subnet("app"), peerings=ours), hub_network(*theirs), *AROUND, GROUP_MADE)
    assert "Disconnected" in first.verdicts["spoke", "hub-peering"].seen
    written = [step.target for _, step in first.plan.steps if isinstance(step, WritePeering)]
    assert [ids.name(ids.parent(one)) for one in written] == [left, "hub" if left == "spoke" else "spoke"]
    after = first.done()
    assert after.result("spoke", "hub-peering") is Result.COMPLIANT
    assert after.plan == Plan()


def test_two_sides_that_do_not_find_each_other_are_left_to_people() -> None:
    gone = {"peeringState": "Disconnected"}
    here = spoke(subnet("app"), peerings=(side("spoke", "hub", **gone),))
    first = run(here, hub_network(side("hub", "spoke", **gone)), *AROUND, GROUP_MADE)
    assert first.plan.remediations == ()
    assert "delete both" in first.why("hub-peering")[1]
    assert first.why("subnet-egress")[0] is Gate.HUB


def test_a_policy_that_only_requires_the_peering_makes_none() -> None:
    first = run(spoke(subnet("app")), hub_network(), *AROUND, GROUP_MADE, policy=hub_policy(peering="require"))
    assert first.plan.remediations == ()
    assert "makes none" in first.why("hub-peering")[1]


def test_a_policy_that_ignores_peerings_judges_none_and_attaches() -> None:
    first = run(spoke(subnet("app")), hub_network(), *AROUND, GROUP_MADE, policy=hub_policy(peering="ignore"))
    assert first.result("spoke", "hub-peering") is Result.NOT_APPLICABLE
    assert first.steps == ["CreateRouteTable", "WriteSubnet"]


def test_overlapping_networks_are_withheld_before_azure_refuses() -> None:
    first = run(spoke(subnet("app"), addressSpace=space("10.1.128.0/20")), hub_network(), *AROUND, GROUP_MADE)
    assert first.plan.remediations == ()
    assert first.why("hub-peering")[0] is Gate.FORECAST
    assert "overlap" in first.why("hub-peering")[1]
    assert first.why()[0] is Gate.FORECAST


def test_a_network_that_overlaps_with_another_spoke_of_the_hub_is_withheld() -> None:
    other = spoke(name="other", peerings=(side("other", "hub"),))
    there = hub_network(side("hub", "other"))
    first = run(spoke(subnet("app")), other, there, *AROUND, GROUP_MADE)
    assert "overlaps with 10.2.0.0/16 of other" in first.why("hub-peering")[1]


@pytest.mark.parametrize(("transit", "flags"), [("use", (True, True)), ("never", (False, None))])
def test_gateway_transit_is_what_the_policy_says(transit: str, flags: tuple[bool, bool | None]) -> None:
    gateways = subnet("GatewaySubnet", "hub", addressPrefix="10.1.1.0/27", ipConfigurations=refs(config_id("gw")))
    firewalls = subnet("AzureFirewallSubnet", "hub", addressPrefix="10.1.0.0/26", ipConfigurations=refs(FW_CONFIG))
    there = vnet(
        firewalls,
        gateways,
        name="hub",
        addressSpace=space("10.1.0.0/16"),
        virtualNetworkPeerings=[side("hub", "spoke", allowGatewayTransit=transit == "never")],
    )
    here = spoke(subnet("app"), peerings=(side("spoke", "hub", useRemoteGateways=transit == "never"),))
    # While gateways are used that cannot be asked, nobody knows how the subnet leaves: it is attached one run later.
    first = run(here, there, *AROUND, GROUP_MADE, policy=hub_policy(gateway_transit=transit))
    after = first.done().done()
    (ours,) = after.azure.bodies[ids.key(vnet_id("spoke"))]["properties"]["virtualNetworkPeerings"]
    (theirs,) = after.azure.bodies[ids.key(HUB)]["properties"]["virtualNetworkPeerings"]
    assert ours["properties"]["useRemoteGateways"] is flags[0]
    assert flags[1] is None or theirs["properties"]["allowGatewayTransit"] is flags[1]
    assert after.plan == Plan()


def test_remote_gateways_that_are_not_there_are_not_used() -> None:
    first = run(spoke(subnet("app"), peerings=(OURS,)), *LINKED, policy=hub_policy(gateway_transit="use"))
    assert first.why("hub-peering")[0] is Gate.FORECAST
    assert "has no gateway" in first.why("hub-peering")[1]


# ---- the next hop ---------------------------------------------------------------------------------------------------


def appliance_hub(*holders: str) -> Body:
    nva = subnet("nva", "hub", addressPrefix="10.1.2.0/24", ipConfigurations=refs(*holders))
    return vnet(nva, name="hub", addressSpace=space("10.1.0.0/16"), virtualNetworkPeerings=[THEIRS])


def appliance(private: str, machine: str | None = "vm", **properties: Any) -> Body:
    one = nic("nva", machine=machine, **properties)
    one["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] = private
    return one


FRONTEND = f"{balancer_id('lb')}/frontendIPConfigurations/fe"


def internal_balancer(*members: str) -> Body:
    one = balancer("lb")
    one["properties"]["frontendIPConfigurations"][0]["properties"] = {"privateIPAddress": "10.1.2.9"}
    one["properties"]["backendAddressPools"][0]["properties"] = {"backendIPConfigurations": refs(*members)}
    return one


NEXT_HOPS: list[tuple[str, tuple[Body, ...], Result, str]] = [
    (
        "10.1.2.4",
        (appliance_hub(config_id("nva")), appliance("10.1.2.4", enableIPForwarding=True)),
        Result.COMPLIANT,
        "10.1.2.4 is appliance vm",
    ),
    (
        "10.1.2.4",
        (appliance_hub(config_id("nva")), appliance("10.1.2.4")),
        Result.VIOLATION,
        "network interface nva does not forward (enableIPForwarding)",
    ),
    (
        "10.1.2.5",
        (appliance_hub(config_id("nva")), appliance("10.1.2.4", enableIPForwarding=True)),
        Result.VIOLATION,
        "10.1.2.5 is nobody's address in hub",
    ),
    ("10.9.0.4", (appliance_hub(),), Result.VIOLATION, "10.9.0.4 is nobody's address in hub"),
    (
        "10.1.2.9",
        (appliance_hub(FRONTEND), internal_balancer(config_id("nva")), appliance("10.1.2.4", enableIPForwarding=True)),
        Result.COMPLIANT,
        "10.1.2.9 is appliances behind load balancer lb",
    ),
    (
        "10.1.2.9",
        (appliance_hub(FRONTEND), internal_balancer()),
        Result.VIOLATION,
        "load balancer lb has nobody behind it",
    ),
    (
        "10.1.2.9",
        (appliance_hub(FRONTEND), internal_balancer(config_id("nva")), appliance("10.1.2.4")),
        Result.VIOLATION,
        "nva behind load balancer lb does not forward",
    ),
]


@pytest.mark.parametrize(("hop", "bodies", "result", "seen"), NEXT_HOPS, ids=[n[3] for n in NEXT_HOPS])
def test_a_next_hop_must_be_somebodys_address(hop: str, bodies: tuple[Body, ...], result: Result, seen: str) -> None:
    policy = hub_policy(next_hop={REGION: hop}, firewall={})
    first = run(spoke(subnet("app"), peerings=(OURS,)), *bodies, GROUP_MADE, policy=policy)
    verdict = first.verdicts["spoke", "hub-next-hop"]
    assert (verdict.result, verdict.seen) == (result, seen)
    if result is Result.COMPLIANT:
        assert first.steps == ["CreateRouteTable", "WriteSubnet"]
    else:
        assert first.plan.remediations == ()
        assert first.why()[0] is Gate.HUB
        assert first.why("hub-next-hop") == (Gate.HUB, f"to be mended in the hub, or in the policy: {seen}")


def test_a_firewall_that_is_not_succeeded_lets_nobody_in() -> None:
    there = (hub_network(THEIRS), the_firewall(provisioningState="Updating"), GROUP_MADE)
    first = run(spoke(subnet("app"), peerings=(OURS,)), *there)
    verdict = first.verdicts["spoke", "hub-next-hop"]
    assert (verdict.result, verdict.waits) == (Result.UNKNOWN, True)
    (reason,) = first.held().reasons
    assert (reason.gate, reason.after) == (Gate.HUB, 60.0)


def test_where_the_appliance_lives_no_route_leads_to_itself() -> None:
    own = vnet(
        subnet("nva", "spoke-hub", addressPrefix="10.1.2.0/24", ipConfigurations=refs(config_id("nva"))),
        name="spoke-hub",
        addressSpace=space("10.1.0.0/16"),
    )
    policy = hub_policy(next_hop={REGION: "10.1.2.4"}, firewall={}, hub_virtual_network={}, ready="assumed")
    first = run(own, appliance("10.1.2.4", enableIPForwarding=True), GROUP_MADE, group(), policy=policy)
    assert first.plan.remediations == ()
    assert first.why() == (Gate.HUB, "the next hop 10.1.2.4 lives in it: its own traffic would come back to it")


def test_a_literal_that_is_not_the_firewalls_is_a_violation() -> None:
    policy = hub_policy(next_hop={REGION: "10.1.0.9"})
    first = run(spoke(subnet("app"), peerings=(OURS,)), *LINKED, GROUP_MADE, policy=policy)
    assert first.verdicts["spoke", "hub-next-hop"].seen == "10.1.0.9 is not the address of firewall fw"


def test_a_region_without_a_hub_is_withheld() -> None:
    policy = hub_policy(firewall={"northeurope": FW}, hub_virtual_network={"northeurope": HUB})
    first = run(spoke(subnet("app")), hub_network(), *AROUND, policy=policy)
    assert first.plan.remediations == ()
    assert "names no hub for region westeurope" in first.why()[1]


def test_a_hub_that_cannot_be_read_makes_everything_unknown() -> None:
    azure = Azure(spoke(subnet("app")), hub_network(), *AROUND, unreadable=(HUB,))
    first = Run(azure)
    assert first.result("spoke", "hub-peering") is Result.UNKNOWN
    assert first.result("spoke", "hub-next-hop") is Result.UNKNOWN
    assert first.plan.remediations == ()


def test_the_hub_is_found_by_who_has_the_next_hop() -> None:
    ours = side("spoke", "hub", remoteAddressSpace=space("10.1.0.0/16"))
    policy = hub_policy(next_hop={REGION: HOP}, firewall={}, hub_virtual_network={})
    first = run(spoke(subnet("app"), peerings=(ours,)), *LINKED, GROUP_MADE, policy=policy)
    assert first.result("spoke", "hub-next-hop") is Result.COMPLIANT
    assert "WriteSubnet" in first.steps


def hub_with_table(*routes: Body) -> tuple[Body, ...]:
    """A hub whose firewall's subnet has a table of its own."""
    firewalls = subnet("AzureFirewallSubnet", "hub", addressPrefix="10.1.0.0/26", routeTable=table_id("rt-fw"))
    there = vnet(firewalls, name="hub", addressSpace=space("10.1.0.0/16"), virtualNetworkPeerings=[THEIRS])
    return there, table("rt-fw", *routes)


NO_WAY_ON: list[tuple[str, tuple[Body, ...]]] = [
    ("firewall fw is in hub-b, not in hub", (hub_network(THEIRS), the_firewall(home="hub-b"))),
    ("firewall fw has no public address", (hub_network(THEIRS), the_firewall(public=None))),
    (
        "firewall fw has no way out: its own subnet routes to None",
        (*hub_with_table(route("0.0.0.0/0", "None")), the_firewall()),
    ),
]


@pytest.mark.parametrize(("seen", "bodies"), NO_WAY_ON, ids=[n[0] for n in NO_WAY_ON])
def test_a_firewall_that_cannot_send_on_lets_nobody_in(seen: str, bodies: tuple[Body, ...]) -> None:
    first = run(spoke(subnet("app"), peerings=(OURS,)), *bodies, *AROUND[1:], GROUP_MADE)
    assert first.verdicts["spoke", "hub-next-hop"].seen == seen
    assert first.plan.remediations == ()


def test_a_firewall_that_is_sent_on_itself_leaves_from_addresses_that_nobody_knows() -> None:
    bodies = hub_with_table(route("0.0.0.0/0", "VirtualNetworkGateway"))
    first = run(spoke(subnet("app"), peerings=(OURS,)), *bodies, the_firewall(), *AROUND[1:], GROUP_MADE)
    assert first.result("spoke", "hub-next-hop") is Result.COMPLIANT
    assert first.plan.remediations[-1].new_addresses == ()


@pytest.mark.parametrize(
    ("machine", "private", "seen"),
    [
        (None, False, "network interface nva is no machine's"),
        ("vm", True, "hub/nva, where 10.1.2.4 lives, has no way out"),
    ],
)
def test_an_appliance_that_cannot_send_on_lets_nobody_in(machine: str | None, private: bool, seen: str) -> None:
    there = appliance_hub(config_id("nva"))
    there["properties"]["subnets"][0]["properties"]["defaultOutboundAccess"] = not private
    nva = appliance("10.1.2.4", enableIPForwarding=True, machine=machine)
    policy = hub_policy(next_hop={REGION: "10.1.2.4"}, firewall={})
    first = run(spoke(subnet("app"), peerings=(OURS,)), there, nva, GROUP_MADE, policy=policy)
    assert first.verdicts["spoke", "hub-next-hop"].seen == seen
    assert first.plan.remediations == ()


def test_no_peering_is_made_with_a_hub_that_leads_nowhere() -> None:
    first = run(spoke(subnet("app")), hub_network(), the_firewall(public=None), GROUP_MADE)
    assert first.plan.remediations == ()
    assert "would serve nobody" in first.why("hub-peering")[1]


# ---- tables that are there ------------------------------------------------------------------------------------------


def with_table(*routes: Body, subnets: tuple[Body, ...] = (), policy: Policy | None = None, **properties: Any) -> Run:
    """A spoke whose subnet `app` has the table `rt`."""
    here = spoke(subnet("app", routeTable=table_id(), defaultOutboundAccess=False), *subnets, peerings=(OURS,))
    return run(here, table("rt", *routes, **properties), *LINKED, GROUP_MADE, policy=policy)


FOREIGN = route("10.50.0.0/16", "VirtualNetworkGateway")


def test_a_missing_route_enters_the_table_that_is_there_and_no_other_is_lost() -> None:
    first = with_table(FOREIGN)
    assert first.steps == ["WriteRoute"]
    (repair,) = first.plan.remediations
    assert ids.same(repair.resource, table_id())
    after = first.done()
    assert after.plan == Plan()
    assert [r["name"] for r in after.azure.bodies[ids.key(table_id())]["properties"]["routes"]] == [
        FOREIGN["name"],
        "egress-default",
    ]
    assert after.result("app", "subnet-egress") is Result.COMPLIANT


def test_a_name_that_is_taken_in_the_table_is_not_written_over() -> None:
    taken = {**route("10.60.0.0/16", "None"), "name": "Egress-Default"}
    first = with_table(taken)
    (write,) = (step for _, step in first.plan.steps if isinstance(step, WriteRoute))
    assert ids.name(write.target) == "egress-default-2"
    assert first.done().plan == Plan()


def test_another_default_route_is_never_replaced_by_itself() -> None:
    other = route("0.0.0.0/0", "VirtualAppliance", "10.9.9.9")
    first = with_table(other)
    assert first.plan.remediations == ()
    assert first.why()[0] is Gate.REPLACE
    asked = with_table(other, policy=hub_policy(replace="propose"))
    assert asked.plan.remediations == ()
    gate, text = asked.why()
    assert gate is Gate.APPROVAL
    assert "would replace route to-0.0.0.0-0 0.0.0.0/0 -> 10.9.9.9" in text


def test_a_gateway_that_is_there_is_not_routed_past_by_itself() -> None:
    here = spoke(subnet("app", natGateway=nat_id()), peerings=(OURS,))
    azure = (here, nat("ng", address_id()), address(), *LINKED, GROUP_MADE)
    assert run(*azure).why()[0] is Gate.REPLACE
    assert run(*azure, policy=hub_policy(replace="propose")).why()[0] is Gate.APPROVAL


def test_no_route_in_a_table_of_several_passes_the_gateway_of_one_of_them_by() -> None:
    hubbed = subnet("web", routeTable=table_id(), natGateway=nat_id(), defaultOutboundAccess=False)
    here = spoke(subnet("app", routeTable=table_id(), defaultOutboundAccess=False), hubbed, peerings=(OURS,))
    azure = (here, table("rt", FOREIGN), nat("ng", address_id()), address(), *LINKED, GROUP_MADE)
    first = run(*azure)
    assert first.plan.remediations == ()
    assert first.why() == (
        Gate.REPLACE,
        "NAT gateway ng serves web, and is never replaced (`replace: propose` would ask)",
    )
    asked = run(*azure, policy=hub_policy(replace="propose"))
    assert asked.plan.remediations == ()
    assert asked.why() == (Gate.APPROVAL, "waits for approval: it would replace NAT gateway ng")


SPECIAL = subnet("GatewaySubnet", routeTable=table_id(), addressPrefix="10.2.9.0/27")
EXEMPT = Exemption(
    resource=subnet_id("legacy"),
    requirement=Requirement.SUBNET_ROUTE_DEFAULT,
    owner="team",
    reason="moves in spring",
    until=AT.date(),
)
NEIGHBOURS = [
    ("special", SPECIAL, hub_policy()),
    ("ungoverned", subnet("free", routeTable=table_id()), hub_policy(select=Select(subnets=("app",)))),
    ("exempt", subnet("legacy", routeTable=table_id()), hub_policy(exemptions=(EXEMPT,))),
    (
        "delegated",
        subnet(
            "sql",
            routeTable=table_id(),
            delegations=[{"name": "d", "properties": {"serviceName": "Microsoft.Sql/managedInstances"}}],
        ),
        hub_policy(),
    ),
]


@pytest.mark.parametrize(("why", "neighbour", "policy"), NEIGHBOURS, ids=[n[0] for n in NEIGHBOURS])
def test_a_table_that_serves_somebody_else_too_is_left_alone_or_copied(
    why: str, neighbour: Body, policy: Policy
) -> None:
    first = with_table(FOREIGN, subnets=(neighbour,), policy=policy)
    assert first.plan.remediations == ()
    gate, text = first.why()
    assert gate is Gate.SHARED, why
    assert neighbour["name"] in text
    clones = hub_policy(when_shared="clone", select=policy.select, exemptions=policy.exemptions)
    second = with_table(FOREIGN, subnets=(neighbour,), policy=clones)
    assert second.steps == ["CreateRouteTable", "WriteSubnet"]
    before = second.azure.bodies[ids.key(table_id())]["properties"]["routes"]
    after = second.done()
    assert after.azure.bodies[ids.key(table_id())]["properties"]["routes"] == before
    copied = after.azure.bodies[ids.key(OWN_TABLE)]["properties"]["routes"]
    assert {r["properties"]["addressPrefix"] for r in copied} == {"10.50.0.0/16", "0.0.0.0/0"}
    assert after.result("app", "subnet-egress") is Result.COMPLIANT
    assert after.plan.remediations == ()


def test_a_table_that_serves_another_network_too_is_left_alone() -> None:
    here = spoke(subnet("app", routeTable=table_id()), peerings=(OURS,))
    other = spoke(subnet("app", "other", routeTable=table_id()), name="other", addressSpace=space("10.3.0.0/16"))
    first = run(here, other, table("rt", FOREIGN), *LINKED, GROUP_MADE)
    assert first.why()[0] is Gate.SHARED
    assert "another network" in first.why()[1]


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ("MC_rg_aks_westeurope", "node resource group"),
        ("AVNM_Managed_ResourceGroup_1", "Virtual Network Manager"),
        ("rg-databricks", "that ws manages"),
    ],
)
def test_a_table_that_somebody_manages_is_never_written(where: str, text: str) -> None:
    managed = network("routeTables", "rt", where)
    owner = {**group(where), "managedBy": f"{GROUP}/providers/Microsoft.Databricks/workspaces/ws"}
    here = spoke(subnet("app", routeTable=managed), peerings=(OURS,))
    first = run(here, {**table("rt", FOREIGN), "id": managed}, owner, *LINKED, GROUP_MADE)
    assert first.plan.remediations == ()
    assert first.why()[0] is Gate.SHARED
    assert text in first.why()[1]


def test_a_name_that_was_made_for_another_network_is_not_reused() -> None:
    taken = {**table("x", TO_HUB), "id": OWN_TABLE, "tags": {NETWORK_TAG: vnet_id("other")}}
    first = run(spoke(subnet("app"), peerings=(OURS,)), taken, *LINKED, GROUP_MADE)
    assert first.plan.remediations == ()
    assert first.why()[0] is Gate.SHARED
    assert "was made for network other" in first.why()[1]


def test_a_name_whose_table_serves_another_network_is_not_reused() -> None:
    other = spoke(subnet("x", "other", routeTable=OWN_TABLE), name="other", addressSpace=space("10.3.0.0/16"))
    taken = {**table("x", TO_HUB), "id": OWN_TABLE}
    first = run(spoke(subnet("app"), peerings=(OURS,)), other, taken, *LINKED, GROUP_MADE)
    held = next(w for w in first.plan.withheld if ids.same(w.remediation.resource, subnet_id("app")))
    assert held.reasons[0].gate is Gate.SHARED
    assert "serves network other" in held.reasons[0].text


def test_propagation_is_changed_on_own_tables_only() -> None:
    policy = hub_policy(disable_bgp_route_propagation=True)
    others = with_table(TO_HUB, policy=policy)
    assert others.plan.remediations == ()
    assert others.result("app", "subnet-route-default") is Result.COMPLIANT
    here = spoke(subnet("app", routeTable=OWN_TABLE, defaultOutboundAccess=False), peerings=(OURS,))
    ours = {**table("x", TO_HUB), "id": OWN_TABLE, "tags": {NETWORK_TAG: vnet_id("spoke")}}
    first = run(here, ours, *LINKED, GROUP_MADE, policy=policy)
    assert first.steps == ["WritePropagation"]
    assert first.done().plan == Plan()


# ---- the way back from on-premises ----------------------------------------------------------------------------------

VPN = network("virtualNetworkGateways", "vpn")


def with_gateway(*gateway_routes: Body, **hub: Any) -> Run:
    """A spoke that uses the VPN gateway of its hub, whose GatewaySubnet has a table with these routes."""
    gateways = subnet(
        "GatewaySubnet",
        "hub",
        addressPrefix="10.1.1.0/27",
        ipConfigurations=refs(f"{VPN}/ipConfigurations/default"),
        routeTable=network("routeTables", "rt-gateway") if gateway_routes else None,
    )
    firewalls = subnet("AzureFirewallSubnet", "hub", addressPrefix="10.1.0.0/26", ipConfigurations=refs(FW_CONFIG))
    theirs = side("hub", "spoke", allowGatewayTransit=True)
    there = vnet(firewalls, gateways, name="hub", addressSpace=space("10.1.0.0/16"), virtualNetworkPeerings=[theirs])
    here = spoke(subnet("app"), peerings=(side("spoke", "hub", useRemoteGateways=True),))
    tables = (table("rt-gateway", *gateway_routes),) if gateway_routes else ()
    return run(here, there, *AROUND, GROUP_MADE, *tables, policy=hub_policy(**hub))


BACK = route("10.2.0.0/16", "VirtualAppliance", HOP)
ON_PREMISES: list[dict[str, Any]] = [
    {"disable_bgp_route_propagation": True},
    {"routes": (NamedRoute("10.0.0.0/8", "hub"),)},
]


@pytest.mark.parametrize("hub", ON_PREMISES, ids=["no propagation", "private routes"])
def test_replies_to_on_premises_need_the_same_way_there(hub: dict[str, Any]) -> None:
    for routes in ((), (route("10.3.0.0/16", "VirtualAppliance", HOP),)):
        first = with_gateway(*routes, **hub)
        assert first.plan.remediations == ()
        gate, text = first.why()
        assert gate is Gate.HUB
        assert text.endswith("of GatewaySubnet in hub: 10.2.0.0/16 -> 10.1.0.4")
    assert "WriteSubnet" in with_gateway(BACK, **hub).steps


def test_a_default_route_alone_changes_nothing_for_on_premises() -> None:
    assert "WriteSubnet" in with_gateway().steps


def test_a_copy_that_is_there_is_completed_and_used() -> None:
    clones = hub_policy(when_shared="clone")
    own = {**table("x", FOREIGN), "id": OWN_TABLE, "tags": {NETWORK_TAG: vnet_id("spoke")}}
    here = spoke(subnet("app", routeTable=table_id(), defaultOutboundAccess=False), SPECIAL, peerings=(OURS,))
    azure = (here, table("rt", FOREIGN), own, *LINKED, GROUP_MADE)
    first = run(*azure, policy=clones)
    assert first.steps == ["WriteRoute", "WriteSubnet"]
    assert first.done().plan == Plan()


def test_two_networks_whose_tables_would_have_one_name_are_told_before_anything_is_made() -> None:
    policy = hub_policy(route_table=NamedTable("rt-one", "rg-egress-{region}"), peering="ignore")
    other = spoke(subnet("app", "spoke-2"), name="spoke-2", addressSpace=space("10.3.0.0/16"))
    first = run(spoke(subnet("app")), other, hub_network(), *AROUND, GROUP_MADE, policy=policy)
    assert first.steps == ["CreateRouteTable", "WriteSubnet"]
    (reason,) = first.held().reasons
    assert reason.text == (
        "together with the others, Azure would refuse it: a route table of this name was made for network spoke"
    )
    assert reason.after is not None
    after = first.done()
    assert after.plan.remediations == ()
    assert after.why() == (Gate.SHARED, "route table rt-one was made for network spoke, and serves no other")


def test_what_was_undone_of_a_table_or_a_peering_is_left_alone() -> None:
    until = AT + timedelta(days=7)
    parts = (f"{table_id()}/routes/egress-default", f"{vnet_id('spoke')}/virtualNetworkPeerings/egress-hub")
    standing = Standing(exemptions=tuple(UndoExemption(part, "r1", until) for part in parts))
    here = spoke(subnet("app", routeTable=table_id(), defaultOutboundAccess=False))
    azure = Azure(here, table("rt", FOREIGN), hub_network(), *AROUND, GROUP_MADE)
    first = Run(azure, standing=standing)
    assert first.plan.remediations == ()
    assert first.why("hub-peering")[0] is Gate.UNDO
    assert first.why("subnet-egress")[0] is Gate.UNDO


# ---- bypasses -------------------------------------------------------------------------------------------------------


def test_routes_past_the_hub_are_named_and_never_taken_out() -> None:
    past = (route("AzureMonitor.WestEurope", "Internet"), route("40.0.0.0/8", "Internet"))
    policy = hub_policy(bypass=Bypass(allow=("AzureMonitor",), others="deny"))
    first = with_table(TO_HUB, *past, policy=policy)
    verdict = first.verdicts["app", "subnet-route-bypass"]
    assert verdict.result is Result.VIOLATION
    assert "40.0.0.0/8" in verdict.seen
    assert "AzureMonitor" not in verdict.seen
    assert first.plan.remediations == ()
    assert first.why("subnet-route-bypass")[0] is Gate.REPLACE
    audited = with_table(TO_HUB, *past, policy=hub_policy(bypass=Bypass(allow=("AzureMonitor", "40.0.0.0/6"))))
    assert audited.result("app", "subnet-route-bypass") is Result.COMPLIANT


QUARTERS = tuple(f"{first}.0.0.0/2" for first in (0, 64, 128, 192))


def test_routes_to_other_appliances_for_what_stands_on_the_internet_pass_the_hub_by() -> None:
    past = [route(prefix, "VirtualAppliance", "10.9.9.9") for prefix in QUARTERS]
    first = with_table(TO_HUB, *past, route("10.77.0.0/16", "VirtualAppliance", "10.9.9.9"))
    verdict = first.verdicts["app", "subnet-route-bypass"]
    assert verdict.result is Result.VIOLATION
    assert "0.0.0.0/2" in verdict.seen
    assert with_table(TO_HUB, FOREIGN).result("app", "subnet-route-bypass") is Result.COMPLIANT


def test_while_the_hub_cannot_be_read_nobody_is_told_to_take_reply_routes_out() -> None:
    replies = route("20.0.0.1/32", "Internet")
    here = spoke(subnet("app", routeTable=table_id(), defaultOutboundAccess=False), peerings=(OURS,))
    bodies = (here, table("rt", TO_HUB, replies), *LINKED, GROUP_MADE)
    policy = hub_policy(keep_inbound=True, bypass=Bypass(others="deny"))
    read = Run(Azure(*bodies), policy)
    assert read.result("app", "subnet-route-bypass") is Result.COMPLIANT
    unread = Run(Azure(*bodies, unreadable=(HUB,)), policy)
    assert unread.result("app", "subnet-route-bypass") is Result.UNKNOWN
    assert all("by hand" not in reason.text for held in unread.plan.withheld for reason in held.reasons)


def test_tags_and_prefixes_are_the_same_in_any_case() -> None:
    policy = hub_policy(
        routes=(NamedRoute("AzureKeyManagement", "internet"), NamedRoute("azurekeymanagement", "internet")),
        default_outbound_access="allow",
    )
    first = with_table(TO_HUB, route("AZUREKEYMANAGEMENT", "Internet"), policy=policy)
    assert first.plan == Plan()
    assert first.result("app", "subnet-route-bypass") is Result.COMPLIANT


def test_a_subnet_with_routes_to_the_internet_is_not_made_private() -> None:
    policy = hub_policy(routes=(NamedRoute("AzureKeyManagement", "internet"),))
    first = run(spoke(subnet("app"), peerings=(OURS,)), *LINKED, GROUP_MADE, policy=policy)
    (write,) = (step for _, step in first.plan.steps if isinstance(step, WriteSubnet))
    assert not isinstance(write.to.default_outbound_access, bool)
    assert first.why("subnet-private")[0] is Gate.FORECAST


# ---- who lives there ------------------------------------------------------------------------------------------------


def test_somebodys_way_out_goes_to_the_hub_only_when_its_rules_are_known_or_taken_for_granted() -> None:
    bodies = (spoke(subnet("app", **INHABITED), peerings=(OURS,)), nic(), *LINKED, GROUP_MADE)
    first = run(*bodies)
    gate, text = first.why()
    assert gate is Gate.HUB
    assert text.startswith("firewall rules not read: whether they let virtual machine vm out is not known")
    assumed = run(*bodies, policy=hub_policy(ready="assumed"))
    assert assumed.steps == ["CreateRouteTable", "WriteSubnet"]
    repair = assumed.plan.remediations[-1]
    assert repair.disruptions == (Disruption.OUTAGE, Disruption.ADDRESS, Disruption.BRIEF)
    assert repair.new_addresses == ("20.0.0.1",)


def test_one_occupied_subnet_keeps_the_route_out_of_the_table_of_all() -> None:
    lodger = subnet("full", routeTable=table_id(), defaultOutboundAccess=False, **INHABITED)
    here = spoke(subnet("app", routeTable=table_id(), defaultOutboundAccess=False), lodger, peerings=(OURS,))
    azure = (here, table("rt", FOREIGN), nic(), *LINKED, GROUP_MADE)
    first = run(*azure)
    assert first.plan.remediations == ()
    assert first.why()[0] is Gate.HUB
    assert first.why()[1].startswith("full: ")
    assert run(*azure, policy=hub_policy(ready="assumed")).steps == ["WriteRoute"]


def test_a_subnet_of_another_policy_in_the_table_is_looked_at_by_its_own_rules() -> None:
    audited = hub_policy(name="watched", priority=200, select=Select(subnets=("quiet",)), mode=Mode.AUDIT)
    quiet = subnet("quiet", routeTable=table_id(), defaultOutboundAccess=False)
    here = spoke(subnet("app", routeTable=table_id(), defaultOutboundAccess=False), quiet, peerings=(OURS,))
    azure = (here, table("rt", FOREIGN), *LINKED, GROUP_MADE)
    first = Run(Azure(*azure), hub_policy(), audited)
    assert first.plan.remediations == ()
    assert first.held().reasons[0].gate is Gate.MODE
    agreed = hub_policy(name="watched", priority=200, select=Select(subnets=("quiet",)))
    assert set(Run(Azure(*azure), hub_policy(), agreed).steps) == {"WriteRoute"}


def test_the_route_waits_for_approval_where_somebody_lives() -> None:
    asked = nat_policy(
        name="hub",
        egress=Egress(hub=HubPolicy(firewall={REGION: FW}, ready="assumed", keep_inbound=False)),
        approvals=Approvals(),
        select=Select(virtual_networks=("spoke",)),
    )
    first = run(spoke(subnet("app", **INHABITED), peerings=(OURS,)), nic(), *LINKED, GROUP_MADE, policy=asked)
    assert first.why()[0] is Gate.APPROVAL
    assert "outage" in first.why()[1]


# ---- what others must allow -----------------------------------------------------------------------------------------

THEIR_SUBSCRIPTION = SUB.replace("a", "b")
SIDES = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings"
PEER = "Microsoft.Network/virtualNetworks/peer/action"
JOIN = "Microsoft.Network/routeTables/join/action"
WRITE_ROUTES = "Microsoft.Network/routeTables/routes/write"


def elsewhere(*bodies: Body) -> tuple[Body, ...]:
    """Bodies in, the same in the subscription of those who own the hub out."""
    text = msgspec.json.encode(bodies).decode().replace(SUB, THEIR_SUBSCRIPTION)
    return msgspec.json.decode(text, type=tuple[Body, ...])


THEIR_HUB, THEIR_FW = (one["id"] for one in elsewhere({"id": HUB}, {"id": FW}))
THEIR_POLICY = hub_policy(hub_virtual_network={REGION: THEIR_HUB}, firewall={REGION: THEIR_FW})


def with_their_hub(*bodies: Body, unreadable: tuple[str, ...] = ()) -> Run:
    """A new spoke, whose hub is in another subscription; the spoke alone is judged."""
    hub = elsewhere(hub_network(), the_firewall(), address("pip-fw", "20.0.0.1"))
    ours = (spoke(subnet("app")), group(), subscription(), GROUP_MADE)
    return Run(Azure(*ours, *hub, *bodies, unreadable=unreadable, only=vnet_id("spoke")), THEIR_POLICY)


DENIED = [
    ((f"{SIDES}/write",), f"{SIDES}/write"),
    ((f"{SIDES}/*", PEER), f"{SIDES}/write and {PEER}"),
    ((PEER.upper(),), PEER),
    (("*/action",), PEER),
]


@pytest.mark.parametrize(("denied", "named"), DENIED, ids=[named for _, named in DENIED])
def test_nothing_is_written_where_the_owners_of_the_hub_do_not_allow_it(denied: tuple[str, ...], named: str) -> None:
    first = with_their_hub(permissions(THEIR_HUB, *denied))
    assert first.plan.remediations == ()
    text = f"the governor may not {named} on hub: grant it there ({THEIR_HUB})"
    assert first.why("hub-peering") == (Gate.RIGHTS, text)
    assert first.why("subnet-egress") == (Gate.NEEDS, f"spoke must come first, and is withheld: {text}")
    assert [one for one in first.azure.asked if one.startswith("permissions(")] == [permissions_of(THEIR_HUB)]


def test_what_the_owners_of_the_hub_allow_is_written() -> None:
    first = with_their_hub(permissions(THEIR_HUB, "Microsoft.Network/virtualNetworks/write", "*/delete"))
    assert first.steps == ["CreateRouteTable", "WritePeering", "WritePeering", "WriteSubnet"]


def test_permissions_that_cannot_be_read_are_not_taken_for_granted() -> None:
    first = with_their_hub(unreadable=(permissions_of(THEIR_HUB),))
    assert first.plan.remediations == ()
    text = "what the governor may do on hub could not be read: no permission"
    assert first.why("hub-peering") == (Gate.UNSEEN, text)
    assert first.why("subnet-egress")[0] is Gate.NEEDS


@pytest.mark.parametrize(
    ("denied", "gate", "told"),
    [
        (JOIN, Gate.RIGHTS, f"the governor may not {JOIN} on rt-spoke: grant it there ({OWN_TABLE})"),
        (WRITE_ROUTES, Gate.NEEDS, "rt-spoke must come first, and is withheld: the governor may not"),
    ],
)
def test_a_table_of_others_is_joined_and_written_where_they_allow_it(denied: str, gate: Gate, told: str) -> None:
    """It has the name of ours, serves nobody yet, and the governor did not make it."""
    theirs = {**table("rt-spoke"), "id": OWN_TABLE}
    bodies = (spoke(subnet("app"), peerings=(OURS,)), *LINKED, GROUP_MADE, theirs)
    assert run(*bodies).steps == ["WriteRoute", "WriteSubnet"]
    first = run(*bodies, permissions(OWN_TABLE, denied))
    assert first.plan.remediations == ()
    assert first.why()[0] is gate
    assert first.why()[1].startswith(told)


# ---- several policies -----------------------------------------------------------------------------------------------


def test_a_subnet_that_leaves_by_an_allowed_gateway_needs_no_hub() -> None:
    policy = hub_policy(allow=(PathKind.HUB, PathKind.NAT_GATEWAY))
    here = spoke(subnet("app", natGateway=nat_id(), defaultOutboundAccess=False))
    first = run(here, nat("ng", address_id()), address(), policy=policy)
    assert first.plan == Plan()
    assert ("spoke", "hub-peering") not in first.verdicts


def test_two_hub_policies_in_one_network_make_one_verdict_on_it() -> None:
    second = hub_policy(name="second", select=Select(subnets=("b",)), priority=200, peering="ignore")
    first = Run(Azure(spoke(subnet("a"), subnet("b")), hub_network(), *AROUND, GROUP_MADE), hub_policy(), second)
    assert first.result("spoke", "hub-peering") is Result.VIOLATION


def test_a_route_is_compared_whatever_its_name() -> None:
    assert RouteTo("a", "0.0.0.0/0", "VIRTUALAPPLIANCE", HOP).way == RouteTo("b", "::/0", "VirtualAppliance", HOP).way


def test_an_audited_hub_writes_nothing() -> None:
    first = run(spoke(subnet("app")), hub_network(), *AROUND, policy=hub_policy(mode=Mode.AUDIT))
    assert first.plan.remediations == ()
    assert all(held.reasons[0].gate in (Gate.MODE, Gate.NEEDS) for held in first.plan.withheld)


def test_tables_may_be_named_for_each_subnet() -> None:
    policy = hub_policy(route_table=NamedTable("rt-{virtualNetwork}-{subnet}", "rg-egress-{region}"))
    first = run(spoke(subnet("a"), subnet("b"), peerings=(OURS,)), *LINKED, GROUP_MADE, policy=policy)
    made = [ids.name(step.target) for _, step in first.plan.steps if isinstance(step, CreateRouteTable)]
    assert made == ["rt-spoke-a", "rt-spoke-b"]
    assert first.done().plan == Plan()


def test_the_hubs_own_network_needs_no_peering() -> None:
    own = vnet(
        subnet("AzureFirewallSubnet", "spoke-hub", addressPrefix="10.1.0.0/26", ipConfigurations=refs(FW_CONFIG)),
        subnet("shared", "spoke-hub", addressPrefix="10.1.3.0/24"),
        name="spoke-hub",
        addressSpace=space("10.1.0.0/16"),
    )
    policy = hub_policy(hub_virtual_network={REGION: vnet_id("spoke-hub")})
    first = run(own, the_firewall(home="spoke-hub"), *AROUND[1:], GROUP_MADE, policy=policy)
    assert first.result("spoke-hub", "hub-peering") is Result.COMPLIANT
    assert first.steps == ["CreateRouteTable", "WriteSubnet"]
