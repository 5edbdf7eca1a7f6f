"""Subnets leave by their hub: what is made from nothing, for whom, and under several policies."""

from governor.core import ids, needs
from governor.core.judged import judge
from governor.core.plan import Gate, Plan
from governor.core.policy import (
    Approvals,
    Disruption,
    Egress,
    HubPolicy,
    Mode,
    NamedRoute,
    NamedTable,
    PathKind,
    Select,
)
from governor.core.routing import NETWORK_TAG, RouteTo
from governor.core.step import CreateRouteTable, WritePeering
from governor.core.verdict import Result
from tests.core.hub_world import (
    AROUND,
    FOREIGN,
    FW,
    FW_CONFIG,
    GROUP_MADE,
    HOP,
    INHABITED,
    LINKED,
    OURS,
    THEIRS,
    Run,
    hub_network,
    hub_policy,
    run,
    spoke,
    the_firewall,
)
from tests.core.world import (
    REGION,
    Azure,
    address,
    address_id,
    nat,
    nat_id,
    nat_policy,
    nic,
    refs,
    space,
    subnet,
    subnet_id,
    table,
    table_id,
    vnet,
    vnet_id,
)


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
    # The firewall has one address and no NAT gateway, which is audited.
    assert results.pop(("spoke", "hub-firewall-nat")) is Result.VIOLATION
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
