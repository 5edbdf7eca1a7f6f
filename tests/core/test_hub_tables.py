"""Route tables that are there: what is written into them, what is left alone, and what is copied."""

from datetime import timedelta

import pytest

from governor.core import ids
from governor.core.plan import Gate, Plan
from governor.core.policy import Exemption, NamedTable, Policy, Requirement, Select
from governor.core.routing import NETWORK_TAG
from governor.core.standing import Standing, UndoExemption
from governor.core.step import WriteRoute
from governor.core.verdict import Result
from tests.core.hub_world import (
    AROUND,
    FOREIGN,
    GROUP_MADE,
    LINKED,
    OURS,
    OWN_TABLE,
    TO_HUB,
    Run,
    hub_network,
    hub_policy,
    run,
    spoke,
    with_table,
)
from tests.core.world import (
    AT,
    GROUP,
    Azure,
    Body,
    address,
    address_id,
    group,
    nat,
    nat_id,
    network,
    route,
    space,
    subnet,
    subnet_id,
    table,
    table_id,
    vnet_id,
)


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
    assert "app of another network, other in rg-net" in first.why()[1]


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
    assert "was made for network other in rg-net" in first.why()[1]


def test_a_name_whose_table_serves_another_network_is_not_reused() -> None:
    other = spoke(subnet("x", "other", routeTable=OWN_TABLE), name="other", addressSpace=space("10.3.0.0/16"))
    taken = {**table("x", TO_HUB), "id": OWN_TABLE}
    first = run(spoke(subnet("app"), peerings=(OURS,)), other, taken, *LINKED, GROUP_MADE)
    held = next(w for w in first.plan.withheld if ids.same(w.remediation.resource, subnet_id("app")))
    assert held.reasons[0].gate is Gate.SHARED
    assert "serves network other in rg-net" in held.reasons[0].text


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
        "together with the others, Azure would refuse it: "
        "a route table of this name was made for network spoke in rg-net"
    )
    assert reason.after is not None
    after = first.done()
    assert after.plan.remediations == ()
    assert after.why() == (Gate.SHARED, "route table rt-one was made for network spoke in rg-net, and serves no other")


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
