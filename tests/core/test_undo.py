"""Taking a Record back: in reverse order, past every gate but compliance, and never the last way out."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from governor.core import guard, ids, needs, undo
from governor.core.cause import Cause, Source, VirtualNetwork
from governor.core.circumstances import Circumstances
from governor.core.judged import look
from governor.core.plan import Gate, Plan, Remediation
from governor.core.policy import Approvals, Disruption, Limits, Mode, Policies
from governor.core.propose import propose
from governor.core.record import Became, Outcome, Record
from governor.core.standing import Pause, Standing
from governor.core.step import Attachment, Step, WriteCluster, WriteInterface, WriteSubnet, name
from tests.core.world import (
    AT,
    OWN,
    Azure,
    Body,
    address,
    address_id,
    cluster,
    config_id,
    isolated_policy,
    nat,
    nat_id,
    nat_policy,
    nic,
    nic_id,
    refs,
    subnet,
    subnet_id,
    table,
    vnet,
    vnet_id,
)

FREE = nat_policy(approvals=Approvals(needed=()))
POLICIES = Policies((FREE,))
NG = nat_id("ng-spoke", OWN)
INHABITED: dict[str, Any] = {"ipConfigurations": refs(config_id())}


def repaired(azure: Azure, policies: Policies = POLICIES, became: Became = Became.DONE) -> Record:
    """Runs once over an Azure; the Record of what was written."""
    seen = azure.observe(policies)
    plan = guard.withhold(propose(seen, look(seen, policies)), Circumstances(seen, Standing(), policies, Mode.ENFORCE))
    outcomes = []
    for remediation, step in plan.steps:
        azure.apply(step)
        outcomes.append(Outcome(step, remediation.digest, became))
    assert outcomes
    cause = Cause(Source.MANUAL, AT)
    return Record(
        *("r1", AT, VirtualNetwork(vnet_id()), 1, cause, policies.digest),
        done=plan.remediations,
        outcomes=tuple(outcomes),
    )


def taken_back(
    azure: Azure,
    record: Record,
    policies: Policies = POLICIES,
    standing: Standing | None = None,
    ceiling: Mode = Mode.ENFORCE,
) -> Plan:
    remembered = standing or Standing()
    seen = azure.read(lambda estate: needs.for_undo(estate, policies, remembered, record))
    return undo.withhold(undo.take_back(record, seen, policies), Circumstances(seen, remembered, policies, ceiling))


def steps(plan: Plan) -> list[str]:
    return [name(step) for _, step in plan.steps]


def gates(plan: Plan) -> dict[str, set[Gate]]:
    return {ids.name(w.remediation.resource): {reason.gate for reason in w.reasons} for w in plan.withheld}


def networks(azure: Azure) -> Iterable[Body]:
    return [body for key, body in azure.bodies.items() if ids.kind(key) == ids.VIRTUAL_NETWORK]


def test_the_steps_come_back_in_reverse_order_and_the_subnets_are_as_they_were() -> None:
    azure = Azure(vnet(subnet("a"), subnet("b")))
    before = [dict(body["properties"]) for body in networks(azure)]
    record = repaired(azure)
    plan = taken_back(azure, record)
    assert [(name(step), ids.name(step.target)) for _, step in plan.steps] == [
        ("WriteSubnet", "b"),
        ("WriteSubnet", "a"),
        ("DeleteNatGateway", "ng-spoke"),
    ]
    assert plan.withheld == ()
    for _, step in plan.steps:
        azure.apply(step)
    assert [body["properties"] for body in networks(azure)] == before
    assert ids.key(NG) not in azure.bodies


@pytest.mark.parametrize(
    ("became", "count"),
    [
        (Became.DONE, 2),
        (Became.PENDING, 2),
        (Became.INTERRUPTED, 2),
        (Became.UNCHANGED, 0),
        (Became.STALE, 0),
        (Became.FAILED, 0),
    ],
)
def test_only_what_was_or_may_have_been_written_is_taken_back(became: Became, count: int) -> None:
    azure = Azure(vnet(subnet()))
    assert len(taken_back(azure, repaired(azure, became=became)).steps) == count


def test_a_failure_that_left_a_change_is_taken_back_and_one_that_did_not_is_not() -> None:
    azure = Azure(vnet(subnet()))
    record = repaired(azure, became=Became.FAILED)
    for before, after, count in (("a", "b", 2), ("a", "a", 0)):
        outcomes = tuple(replace(one, before=before, after=after) for one in record.outcomes)
        assert len(steps(taken_back(azure, replace(record, outcomes=outcomes)))) == count


def test_undo_may_restore_a_violation_but_never_take_the_last_way_out() -> None:
    open_before = Azure(vnet(subnet(**INHABITED)), nic())
    plan = taken_back(open_before, repaired(open_before))
    assert steps(plan) == ["WriteSubnet", "DeleteNatGateway"]

    private_before = Azure(vnet(subnet(**INHABITED, defaultOutboundAccess=False)), nic())
    plan = taken_back(private_before, repaired(private_before))
    assert plan.remediations == ()
    assert gates(plan) == {"app": {Gate.FORECAST}, "ng-spoke": {Gate.NEEDS}}


@pytest.mark.parametrize("policies", [Policies(), Policies((isolated_policy("off"),))])
def test_no_change_of_policies_lets_undo_take_the_last_way_out(policies: Policies) -> None:
    azure = Azure(vnet(subnet(**INHABITED, defaultOutboundAccess=False)), nic())
    assert taken_back(azure, repaired(azure), policies).remediations == ()


def test_a_gateway_that_somebody_else_uses_now_stays() -> None:
    azure = Azure(vnet(subnet("a")))
    record = repaired(azure)
    azure.bodies[ids.key(vnet_id())]["properties"]["subnets"].append(subnet("late", natGateway=NG))
    azure.bodies[ids.key(NG)]["properties"]["subnets"] = refs(subnet_id("a"), subnet_id("late"))
    plan = taken_back(azure, record)
    assert steps(plan) == ["WriteSubnet"]
    assert gates(plan) == {"ng-spoke": {Gate.FORECAST}}


def test_a_gateway_that_was_not_read_stays() -> None:
    azure = Azure(vnet(subnet()))
    record = repaired(azure)
    azure.unreadable.add(ids.key(NG))
    assert gates(taken_back(azure, record))["ng-spoke"] <= {Gate.UNSEEN, Gate.NEEDS}


def test_a_gateway_that_is_gone_already_hinders_nothing() -> None:
    azure = Azure(vnet(subnet()))
    record = repaired(azure)
    del azure.bodies[ids.key(NG)]
    azure.bodies[ids.key(vnet_id())]["properties"]["subnets"] = [subnet()]
    assert steps(taken_back(azure, record)) == ["WriteSubnet", "DeleteNatGateway"]


def test_a_subnet_that_is_gone_is_named_and_its_gateway_stays() -> None:
    azure = Azure(vnet(subnet("a"), subnet("b")))
    record = repaired(azure)
    subnets = azure.bodies[ids.key(vnet_id())]["properties"]["subnets"]
    azure.bodies[ids.key(vnet_id())]["properties"]["subnets"] = [one for one in subnets if one["name"] == "a"]
    plan = taken_back(azure, record)
    assert [ids.name(step.target) for _, step in plan.steps] == ["a"]
    (reason,) = next(w.reasons for w in plan.withheld if w.remediation.resource == subnet_id("b"))
    assert reason.text == "the subnet is gone"


HELD: list[tuple[Standing, Mode, Policies, Gate]] = [
    (Standing(pause=Pause("ada", AT, "x")), Mode.ENFORCE, POLICIES, Gate.BRAKES),
    (Standing(), Mode.AUDIT, POLICIES, Gate.MODE),
    (Standing(failures=3), Mode.ENFORCE, POLICIES, Gate.BRAKES),
    (
        Standing(),
        Mode.ENFORCE,
        Policies((replace(FREE, limits=Limits(freeze=("2026-07-01 - 2026-07-02",))),)),
        Gate.BRAKES,
    ),
]


@pytest.mark.parametrize(("standing", "ceiling", "policies", "gate"), HELD)
def test_undo_passes_the_brakes_even_when_only_a_gateway_is_left(
    standing: Standing, ceiling: Mode, policies: Policies, gate: Gate
) -> None:
    azure = Azure(vnet(subnet()))
    record = repaired(azure)
    plan = taken_back(azure, record, policies, standing, ceiling)
    assert plan.remediations == ()
    assert gates(plan)["app"] == {gate}
    alone = replace(record, outcomes=tuple(o for o in record.outcomes if not isinstance(o.step, WriteSubnet)))
    azure.bodies[ids.key(vnet_id())]["properties"]["subnets"] = [subnet()]
    azure.bodies[ids.key(NG)]["properties"]["subnets"] = []
    only = taken_back(azure, alone, policies, standing, ceiling)
    assert gates(only) == {"ng-spoke": {gate}}


def test_undo_settles_and_leaves_clusters_alone() -> None:
    azure = Azure(vnet(subnet()))
    record = repaired(azure)
    written = Standing(touched=AT - timedelta(seconds=5))
    assert gates(taken_back(azure, record, standing=written))["app"] == {Gate.SETTLE}
    azure.bodies["aks"] = cluster(subnet_id())
    assert Gate.CLUSTER in gates(taken_back(azure, record))["app"]


def test_undo_asks_neither_the_mode_of_the_policy_nor_for_approval() -> None:
    azure = Azure(vnet(subnet()))
    record = repaired(azure)
    strict = Policies((nat_policy(mode=Mode.AUDIT, approvals=Approvals()),))
    assert steps(taken_back(azure, record, strict)) == ["WriteSubnet", "DeleteNatGateway"]


def test_addresses_are_told_the_other_way_round() -> None:
    azure = Azure(vnet(subnet(**INHABITED)), nic())
    record = repaired(azure)
    back = taken_back(azure, record).remediations[0]
    repair = next(r for r in record.done if r.requirements)
    assert (back.old_addresses, back.new_addresses) == (repair.new_addresses, repair.old_addresses)
    assert back.disruptions == ("address",)
    assert back.reason == "takes record r1 back"
    assert back.digest != repair.digest


def test_an_isolated_subnet_is_opened_again() -> None:
    policies = Policies((isolated_policy(approvals=Approvals(needed=())),))
    azure = Azure(vnet(subnet(**INHABITED)), nic())
    record = repaired(azure, policies)
    plan = taken_back(azure, record, policies)
    assert steps(plan) == ["WriteSubnet"]
    for _, step in plan.steps:
        azure.apply(step)
    (spoke,) = networks(azure)
    assert spoke["properties"]["subnets"] == [subnet(**INHABITED)]


def test_what_undo_restores_is_read_first() -> None:
    azure = Azure(vnet(subnet(natGateway=NG)), nat("old", group="rg-net"), nat("ng-spoke", group=OWN), table())
    step = WriteSubnet(subnet_id(), to=Attachment(nat_gateway=NG), was=Attachment(nat_gateway=nat_id("old")))
    record = repaired(Azure(vnet(subnet())))
    (repair,) = (r for r in record.done if r.requirements)
    taken_back(azure, replace(record, outcomes=(Outcome(step, repair.digest, Became.DONE),)))
    assert azure.asked.count(nat_id("old")) == 1


def test_nothing_written_is_nothing_to_take_back() -> None:
    azure = Azure(vnet(subnet()))
    record = replace(repaired(azure), outcomes=())
    assert taken_back(azure, record) == Plan()


def test_what_a_run_wrote_before_it_died_is_taken_back_though_nobody_planned_it_again() -> None:
    azure = Azure(vnet(subnet()))
    record = replace(repaired(azure, became=Became.INTERRUPTED), done=())
    assert steps(taken_back(azure, record)) == ["WriteSubnet", "DeleteNatGateway"]


# ---- addresses and clusters -----------------------------------------------------------------------------------------


def told(remediation: Remediation, *written: Step) -> Record:
    """A Record that tells of these steps of a Remediation."""
    outcomes = tuple(Outcome(step, remediation.digest, Became.DONE) for step in written)
    cause = Cause(Source.MANUAL, AT)
    return Record("r1", AT, VirtualNetwork(vnet_id()), 1, cause, "", done=(remediation,), outcomes=outcomes)


@pytest.mark.parametrize(("way_out", "steps_back"), [(NG, ["WriteInterface"]), (None, [])])
def test_an_address_that_came_back_goes_again_only_while_there_is_another_way_out(
    way_out: str | None, steps_back: list[str]
) -> None:
    given = WriteInterface(nic_id(), {"ipconfig1": address_id()}, {"ipconfig1": None})
    repair = Remediation(nic_id(), "nat", ("nic-public-ip",), (given,), "", (Disruption.OUTAGE,), "d1")
    inside = subnet(**INHABITED, natGateway=way_out, defaultOutboundAccess=False)
    azure = Azure(vnet(inside), nic(public=address_id()), address(), nat("ng-spoke", address_id("out"), group=OWN))
    plan = taken_back(azure, told(repair, given))
    assert steps(plan) == steps_back
    if not steps_back:
        assert plan.withheld[0].reasons[0].text == "it would take the last way out away"


def test_the_subnets_of_a_cluster_do_not_go_back_from_under_its_type() -> None:
    key = subnet_id("nodes")
    made = cluster(key, networkProfile={"outboundType": "userAssignedNATGateway"})
    attach = WriteSubnet(key, Attachment(NG), Attachment(None))
    repair = Remediation(made["id"], "nat", ("subnet-egress",), (attach,), "", (Disruption.ADDRESS,), "d1")
    azure = Azure(vnet(subnet("nodes", natGateway=NG)), made, nat("ng-spoke", address_id("out"), group=OWN))
    plan = taken_back(azure, told(repair, attach))
    assert steps(plan) == []
    assert plan.withheld[0].reasons[0].text == (
        "afterwards subnet nodes has no NAT gateway, which userAssignedNATGateway needs: change its type first"
    )
    # Together with its type they do.
    typed = WriteCluster(made["id"], "userAssignedNATGateway", "loadBalancer")
    assert steps(taken_back(azure, told(repair, attach, typed))) == ["WriteCluster", "WriteSubnet"]
