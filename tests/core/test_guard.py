"""Every gate, one story each; without its gate the same story is released. Limits, approvals and the forecast."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

import pytest
from msgspec.structs import replace

from governor.core import brakes, gates, guard
from governor.core.approval import ruling
from governor.core.circumstances import Circumstances
from governor.core.estate import deployments, list_of
from governor.core.gates import GATES, AGate, for_undo, held_by
from governor.core.judged import look
from governor.core.plan import Gate, Plan, Reason, Withheld
from governor.core.policy import (
    Approvals,
    AutoDecision,
    Disruption,
    Egress,
    Exemption,
    HubPolicy,
    Limits,
    Mode,
    Policies,
    Policy,
    Requirement,
    Select,
    Share,
    Tenant,
)
from governor.core.propose import Proposal, propose
from governor.core.standing import Decision, Pause, Ruling, Standing, StandingApproval, UndoExemption
from governor.core.step import WriteSubnet
from tests.core.world import (
    AT,
    GROUP,
    OWN,
    REGION,
    SUB,
    Azure,
    Body,
    address,
    address_id,
    cluster,
    config_id,
    deployment,
    group,
    isolated_policy,
    nat,
    nat_policy,
    nic,
    peering,
    permissions,
    refs,
    subnet,
    subnet_id,
    table,
    table_id,
    vnet,
    vnet_id,
    with_nat,
)

PIP = address_id()
INHABITED: dict[str, Any] = {"ipConfigurations": refs(config_id())}


@dataclass
class Story:
    """Bodies, a policy and what the ledger remembers; by default everything is released."""

    bodies: tuple[Body, ...] = field(default_factory=lambda: (vnet(subnet()),))
    policy: Policy = field(default_factory=nat_policy)
    standing: Standing = field(default_factory=Standing)
    ceiling: Mode = Mode.ENFORCE
    unreadable: tuple[str, ...] = ()
    tenant: Tenant = field(default_factory=Tenant)

    def seen(self) -> tuple[Proposal, Circumstances]:
        policies = Policies((self.policy,), tenant=self.tenant)
        estate = Azure(*self.bodies, unreadable=self.unreadable).observe(policies, self.standing)
        return propose(estate, look(estate, policies)), Circumstances(estate, self.standing, policies, self.ceiling)

    def plan(self) -> Plan:
        return guard.withhold(*self.seen())

    def reasons(self) -> tuple[Reason, ...]:
        """Why the repair of the subnet is withheld; empty when it is released."""
        return reasons(self.plan())


def reasons(plan: Plan) -> tuple[Reason, ...]:
    return next((held.reasons for held in plan.withheld if held.remediation.requirements), ())


def the_repair(story: Story) -> str:
    """The digest of what repairs the subnet."""
    return next(r.digest for r in story.seen()[0].plan.remediations if r.requirements)


def decided(ruling: Ruling, expires: timedelta = timedelta(hours=1)) -> Callable[[Story], Story]:
    def decide(story: Story) -> Story:
        digest = the_repair(story)
        decision = Decision(digest, ruling, "ada", AT, "because", AT + expires)
        return Story(story.bodies, story.policy, replace(story.standing, decisions={digest: decision}), story.ceiling)

    return decide


def occupied(**changes: Any) -> Story:
    """A machine lives in the subnet, and its address would change."""
    return Story((vnet(subnet(**INHABITED)), nic(), *changes.pop("context", ())), nat_policy(**changes))


NOBODY_ASKED = Approvals(needed=())


def next_to_an_appliance(app: Body, *bodies: Body, ready: Literal["proven", "assumed"] = "proven") -> Story:
    """A subnet shall leave by an appliance next door."""
    door = subnet("door", addressPrefix="10.0.1.0/24", ipConfigurations=refs(config_id("nva")))
    nva = nic("nva", enableIPForwarding=True)
    nva["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] = "10.0.1.4"
    here = vnet(app, door, addressSpace={"addressPrefixes": ["10.0.0.0/16"]})
    hub = Egress(hub=HubPolicy(next_hop={REGION: "10.0.1.4"}, ready=ready))
    policy = nat_policy(egress=hub, approvals=NOBODY_ASKED, select=Select(subnets=("app",)))
    return Story((here, nva, *bodies), policy)


# A machine lives there, and nobody has read the rules of the appliance.
BEHIND = next_to_an_appliance(subnet(**INHABITED), nic())
# Nobody knows whether a load balancer leads to it, whose replies would be lost.
PERHAPS_REACHED = next_to_an_appliance(subnet(**INHABITED), nic(), ready="assumed")
PERHAPS_REACHED.unreadable = (list_of("loadBalancers", f"/subscriptions/{SUB}"),)
# Its route table is somebody's, who lets nobody write routes.
ROUTES = "Microsoft.Network/routeTables/routes/write"
GUARDED = next_to_an_appliance(
    subnet(routeTable={"id": table_id()}), table(), group(), permissions(table_id(), ROUTES.lower())
)


# One story for each gate: whoever takes the gate out releases it.
STORIES: list[tuple[AGate, Gate, Story]] = [
    (gates.paused, Gate.BRAKES, Story(standing=Standing(pause=Pause("ada", AT, "incident")))),
    (gates.ceiling, Gate.MODE, decided(Ruling.APPROVE)(Story(ceiling=Mode.AUDIT))),
    (gates.mode, Gate.MODE, decided(Ruling.APPROVE)(Story(policy=nat_policy(mode=Mode.AUDIT)))),
    (
        gates.cluster,
        Gate.UNSEEN,
        Story(unreadable=(f"clusters({SUB})",)),
    ),
    (
        gates.occupied,
        Gate.OCCUPANTS,
        Story(
            (vnet(subnet(**INHABITED)), nic(enableIPForwarding=True)),
            nat_policy(approvals=NOBODY_ASKED),
        ),
    ),
    (gates.rules, Gate.HUB, BEHIND),
    (gates.symmetric, Gate.HUB, PERHAPS_REACHED),
    (gates.rights, Gate.RIGHTS, GUARDED),
    (
        gates.left_alone,
        Gate.UNDO,
        Story(standing=Standing(exemptions=(UndoExemption(subnet_id().upper(), "r1", AT + timedelta(days=1)),))),
    ),
    (ruling, Gate.APPROVAL, Story(policy=nat_policy(mode=Mode.PROPOSE))),
    (gates.breaker, Gate.BRAKES, Story(standing=Standing(failures=3))),
    (gates.calendar, Gate.BRAKES, Story(policy=nat_policy(limits=Limits(freeze=("2026-07-01 - 2026-07-01",))))),
    (gates.settle, Gate.SETTLE, Story(standing=Standing(touched=AT - timedelta(seconds=30)))),
]


def test_every_gate_has_a_story() -> None:
    assert [gate for gate, _, _ in STORIES] == list(GATES)
    asked = {gate.__name__ for gate in set(GATES) - set(for_undo(GATES))}
    assert asked == {"mode", "rules", "symmetric", "left_alone", "ruling"}


@pytest.mark.parametrize(("gate", "named", "story"), STORIES, ids=[gate.__name__ for gate, _, _ in STORIES])
def test_a_gate_alone_holds_its_story_back(gate: AGate, named: Gate, story: Story) -> None:
    held = story.reasons()
    assert [reason.gate for reason in held] == [named]
    assert held[0].text
    proposal, around = story.seen()
    repair = next(r for r in proposal.plan.remediations if r.requirements)
    subjects = proposal.subjects[repair.digest]
    rest = tuple(one for one in GATES if one is not gate)
    assert held_by(rest, repair, subjects, (story.policy, around)) == []
    assert held_by((gate,), repair, subjects, (story.policy, around)) == list(held)


def test_nothing_against_it_releases_it() -> None:
    plan = Story().plan()
    assert plan.withheld == ()
    assert [r.requirements for r in plan.remediations][-1] == ("subnet-egress", "subnet-private")


def test_what_is_withheld_keeps_back_what_only_it_needs() -> None:
    plan = Story(standing=Standing(pause=Pause("ada", AT, "x"))).plan()
    assert plan.remediations == ()
    texts = [held.reasons[0].text for held in plan.withheld if not held.remediation.requirements]
    assert texts == ["nothing that was released needs it"] * 2


def test_what_one_released_repair_needs_is_made_once() -> None:
    spoke = vnet(subnet("a"), subnet("b"))
    left = Standing(exemptions=(UndoExemption(subnet_id("b"), "r", AT + timedelta(days=1)),))
    plan = Story((spoke,), standing=left).plan()
    assert [r.resource.rpartition("/")[2] for r in plan.remediations] == [OWN, "ng-spoke", "a"]
    assert [held.remediation.resource for held in plan.withheld] == [subnet_id("b")]


def test_a_plan_of_a_policy_that_is_gone_is_a_mistake_of_ours() -> None:
    proposal, around = Story().seen()
    with pytest.raises(LookupError, match="policy nat"):
        guard.withhold(proposal, replace(around, policies=Policies()))


# ---- gate 1 ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bodies", "words"),
    [
        ((vnet(subnet()), cluster(subnet_id(), powerState={"code": "Stopped"})), "cluster aks is stopped"),
        ((vnet(subnet()), cluster(subnet_id().upper(), provisioningState="Failed")), "cluster aks is Failed"),
        ((vnet(subnet(ipConfigurations=refs(config_id("n", "MC_x")))), nic("n", group="MC_x")), "cluster nodes live"),
    ],
)
def test_a_subnet_of_a_cluster_is_never_attached_without_it(bodies: tuple[Body, ...], words: str) -> None:
    story = Story(bodies, nat_policy(approvals=NOBODY_ASKED))
    held = story.reasons()
    assert held[0].gate is Gate.CLUSTER
    assert words in held[0].text
    assert story.plan().remediations == ()


def test_another_subnet_of_the_network_of_a_cluster_is_repaired() -> None:
    plan = Story((vnet(subnet("nodes"), subnet("app")), cluster(subnet_id("nodes")))).plan()
    assert [r.resource for r in plan.remediations if r.requirements] == [subnet_id("app")]


# ---- gate 2 ---------------------------------------------------------------------------------------------------------

MINUTES = timedelta(minutes=1)


def test_after_the_settling_time_it_goes_on() -> None:
    story = Story(standing=Standing(touched=AT - timedelta(seconds=120)))
    assert story.reasons() == ()
    (waits,) = Story(standing=Standing(touched=AT - timedelta(seconds=100))).reasons()
    assert waits.after == 20


def test_events_of_the_future_are_waited_for() -> None:
    (waits,) = Story(standing=Standing(touched=AT + timedelta(seconds=60))).reasons()
    assert waits.after == 180


@pytest.mark.parametrize(
    ("spoke", "words"),
    [
        (vnet(subnet(), provisioningState="Updating"), "spoke is Updating"),
        (vnet(subnet(), subnet("other", provisioningState="Deleting")), "other is Deleting"),
        (vnet(subnet(), subnet("other", provisioningState="Failed")), "other is Failed"),
    ],
)
def test_while_anything_in_the_network_is_not_succeeded_nothing_is_written(spoke: Body, words: str) -> None:
    (waits,) = Story((spoke,)).reasons()
    assert waits.gate is Gate.SETTLE
    assert words in waits.text
    # What failed does not end by itself: it is not looked at again and again.
    assert (waits.after is None) is words.endswith("Failed")


@pytest.mark.parametrize(
    ("touched", "bodies", "unreadable", "gate"),
    [
        (AT - 10 * MINUTES, (deployment("d"),), (), Gate.SETTLE),
        (AT - 10 * MINUTES, (), (), None),
        (AT - 10 * MINUTES, (deployment("d", GROUP.replace("rg-net", "rg-net2")),), (), None),
        (AT - 10 * MINUTES, (), (deployments(GROUP),), Gate.UNSEEN),
        (AT - timedelta(hours=25), (deployment("d"),), (), None),
        (None, (deployment("d"),), (), None),
    ],
)
def test_a_deployment_that_may_still_write_is_waited_for(
    touched: datetime | None, bodies: tuple[Body, ...], unreadable: tuple[str, ...], gate: Gate | None
) -> None:
    story = Story((vnet(subnet()), *bodies), standing=Standing(touched=touched), unreadable=unreadable)
    assert [reason.gate for reason in story.reasons()] == ([gate] if gate else [])
    assert all(reason.after for reason in story.reasons())


# ---- gates 4 and 7 --------------------------------------------------------------------------------------------------


def test_what_is_occupied_is_another_world() -> None:
    assert {r.gate for r in occupied(occupied=Mode.PROPOSE, approvals=NOBODY_ASKED).reasons()} == {Gate.APPROVAL}
    assert {r.gate for r in occupied(occupied=Mode.AUDIT, approvals=NOBODY_ASKED).reasons()} == {
        Gate.MODE,
        Gate.APPROVAL,
    }
    assert occupied(approvals=NOBODY_ASKED).reasons() == ()


def test_an_occupied_subnet_with_a_gateway_in_reach_is_not_known_at_all() -> None:
    spoke = vnet(subnet(**INHABITED), virtualNetworkPeerings=[peering(useRemoteGateways=True)])
    plan = Story((spoke, nic()), nat_policy(approvals=NOBODY_ASKED)).plan()
    assert plan == Plan()


def test_old_and_new_addresses_are_told() -> None:
    known = occupied(context=(nat("ng-spoke", PIP, group=OWN), address(ip="203.0.113.5")))
    (waits,) = known.reasons()
    assert "from an address of Azure's own now, and would leave from 203.0.113.5" in waits.text
    (new,) = occupied().reasons()
    assert "would leave from address of pip-ng-spoke-1" in new.text


# ---- approvals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("needed", "waits"),
    [
        ((), False),
        ((Disruption.ADDRESS,), True),
        ((Disruption.BRIEF,), True),
        ((Disruption.OUTAGE,), False),
    ],
)
def test_a_person_is_asked_for_the_classes_that_the_policy_names(needed: tuple[Disruption, ...], waits: bool) -> None:
    story = occupied(approvals=Approvals(needed=needed))
    assert bool(story.reasons()) is waits


@pytest.mark.parametrize(
    ("ruling", "expires", "words"),
    [
        (Ruling.APPROVE, timedelta(hours=1), None),
        (Ruling.APPROVE, timedelta(0), "waits for approval"),
        (Ruling.REJECT, timedelta(hours=1), "rejected by ada: because"),
        (Ruling.REJECT, timedelta(0), "waits for approval"),
    ],
)
def test_a_decision_counts_until_it_expires(ruling: Ruling, expires: timedelta, words: str | None) -> None:
    held = decided(ruling, expires)(occupied()).reasons()
    assert [reason.text.startswith(words or "?") for reason in held] == ([True] if words else [])


def test_a_rejection_holds_back_what_needs_no_approval() -> None:
    (held,) = decided(Ruling.REJECT)(Story()).reasons()
    assert held.gate is Gate.APPROVAL


def test_an_approval_is_for_one_digest() -> None:
    story = occupied()
    other = Decision("0" * 16, Ruling.APPROVE, "ada", AT, "x", AT + timedelta(hours=1))
    assert Story(story.bodies, story.policy, Standing(decisions={other.digest: other})).reasons()


def approval(**changes: Any) -> StandingApproval:
    given = {
        "disruption": "address",
        "policy": "nat",
        "scope": f"/subscriptions/{SUB}",
        "by": "ada",
        "at": AT,
        "reason": "x",
        "until": AT + timedelta(days=1),
    }
    return StandingApproval(**{**given, **changes})


BRIEF = approval(disruption="brief")
COVER: list[tuple[tuple[StandingApproval, ...], bool]] = [
    ((approval(), BRIEF), True),
    ((approval(scope=vnet_id().upper()), BRIEF), True),
    ((approval(scope=subnet_id() + "/"), BRIEF), True),
    ((approval(),), False),
    ((BRIEF,), False),
    ((approval(policy="other"), BRIEF), False),
    ((approval(until=AT), BRIEF), False),
    ((approval(scope=vnet_id("spoke2")), BRIEF), False),
    ((approval(scope=subnet_id("ap")), BRIEF), False),
    ((), False),
]


@pytest.mark.parametrize(("approvals", "released"), COVER)
def test_standing_approvals_must_cover_every_class(approvals: tuple[StandingApproval, ...], released: bool) -> None:
    story = occupied()
    held = Story(story.bodies, story.policy, Standing(approvals=approvals)).reasons()
    assert (held == ()) is released


def test_a_deployment_that_only_proposes_asks_for_everything() -> None:
    (waits,) = Story(ceiling=Mode.PROPOSE).reasons()
    assert waits.text == "waits for approval: the deployment only proposes (MODE_CEILING)"


BOTH = (Disruption.ADDRESS, Disruption.BRIEF)
DEV = Select(tags={"environment": "dev"})
AUTO: list[tuple[tuple[AutoDecision, ...], str | None]] = [
    ((AutoDecision(BOTH, "approve"),), None),
    ((AutoDecision((Disruption.ADDRESS,), "approve"),), "waits for approval"),
    ((AutoDecision((Disruption.ADDRESS,), "reject"),), "policy nat rejects"),
    ((AutoDecision((Disruption.OUTAGE,), "reject"), AutoDecision(BOTH, "approve")), None),
    ((AutoDecision((Disruption.BRIEF,), "reject"), AutoDecision(BOTH, "approve")), "policy nat rejects"),
    ((AutoDecision(BOTH, "approve"), AutoDecision((Disruption.BRIEF,), "reject")), None),
    ((AutoDecision(BOTH, "approve", Select(virtual_networks=("other",))),), "waits for approval"),
    ((AutoDecision(BOTH, "approve", Select(occupants=("virtualMachine",))),), None),
    ((AutoDecision(BOTH, "approve", DEV),), "waits for approval"),
]


@pytest.mark.parametrize(("auto", "words"), AUTO)
def test_a_policy_may_decide_by_itself(auto: tuple[AutoDecision, ...], words: str | None) -> None:
    held = occupied(occupied=Mode.PROPOSE, approvals=Approvals(auto=auto)).reasons()
    assert [reason.text.startswith(words or "?") for reason in held] == ([True] if words else [])


def test_what_a_person_decided_counts_more_than_the_rule_of_a_policy() -> None:
    approving = Approvals(auto=(AutoDecision(BOTH, "approve"),))
    assert decided(Ruling.REJECT)(occupied(approvals=approving)).reasons()
    rejecting = Approvals(auto=(AutoDecision(BOTH, "reject"),))
    assert decided(Ruling.APPROVE)(occupied(approvals=rejecting)).reasons() == ()


def test_a_deployment_that_only_proposes_is_not_overruled_by_a_policy() -> None:
    story = occupied(approvals=Approvals(auto=(AutoDecision(BOTH, "approve"),)))
    (waits,) = Story(story.bodies, story.policy, ceiling=Mode.PROPOSE).reasons()
    assert waits.text.startswith("waits for approval")


# ---- calendar -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("window", "released"),
    [("Wed 11:00-13:00 UTC", True), ("Wed 12:00-13:00 UTC", True), ("Wed 10:00-12:00 UTC", False), (None, True)],
)
def test_approved_outages_wait_for_their_window(window: str | None, released: bool) -> None:
    policy = isolated_policy(approvals=Approvals(needed=(), window=window))
    held = Story((vnet(subnet(**INHABITED)), nic()), policy).reasons()
    assert (held == ()) is released
    assert all(reason.after for reason in held)
    empty = Story((vnet(subnet()),), policy).reasons()
    assert empty == ()


def test_what_was_undone_is_repaired_again_when_its_time_is_over() -> None:
    over = Standing(exemptions=(UndoExemption(subnet_id(), "r1", AT),))
    other = Standing(exemptions=(UndoExemption(subnet_id("other"), "r1", AT + timedelta(days=1)),))
    assert Story(standing=over).reasons() == Story(standing=other).reasons() == ()


@pytest.mark.parametrize(("failures", "held"), [(0, False), (2, False), (3, True), (9, True)])
def test_failures_in_a_row_open_the_breaker(failures: int, held: bool) -> None:
    assert bool(Story(standing=Standing(failures=failures)).reasons()) is held


# ---- gate 12 --------------------------------------------------------------------------------------------------------

LIMITS: list[tuple[Limits, Standing, Tenant, int]] = [
    (Limits(remediations_per_run=2), Standing(), Tenant(), 2),
    (Limits(remediations_per_run=0), Standing(), Tenant(), 0),
    (Limits(per_hour=10), Standing(written={"nat": 7}), Tenant(), 3),
    (Limits(per_hour=10), Standing(written={"other": 99}), Tenant(), 10),
    (Limits(), Standing(), Tenant(), 10),
    (Limits(), Standing(governed={"nat": 48}), Tenant(), 12),
    (Limits(), Standing(governed={"nat": 48}, written={"nat": 12}), Tenant(), 0),
    (Limits(percent_of_subscription=Share(limit=0, first_free=0)), Standing(), Tenant(), 0),
    (Limits(percent_of_subscription=Share(limit=50, first_free=1)), Standing(governed={"nat": 9}), Tenant(), 4),
    (Limits(percent_of_subscription=Share(limit=100, first_free=0)), Standing(governed={"nat": 12}), Tenant(), 12),
    (Limits(), Standing(), Tenant(per_hour=3), 3),
    (Limits(), Standing(tenant_written=299), Tenant(), 1),
    (Limits(), Standing(tenant_written=400), Tenant(), 0),
]


@pytest.mark.parametrize(("limits", "standing", "tenant", "released"), LIMITS)
def test_limits_cut_between_repairs_and_count_nothing_else(
    limits: Limits, standing: Standing, tenant: Tenant, released: int
) -> None:
    spoke = vnet(*(subnet(f"s{i:02}") for i in range(12)))
    plan = Story((spoke,), nat_policy(limits=limits), standing, tenant=tenant).plan()
    assert len([r for r in plan.remediations if r.requirements]) == released
    cut = [held for held in plan.withheld if held.remediation.requirements]
    assert len(cut) == 12 - released
    for held in cut:
        (reason,) = held.reasons
        assert reason.gate is Gate.BRAKES
        assert reason.after
    assert bool(plan.remediations) is bool(released)


def test_what_never_goes_through_uses_up_no_limit() -> None:
    """An exempt subnet stays as it is whatever is planned, and must not keep the one after it waiting for ever."""
    policy = isolated_policy(
        "off",
        limits=Limits(remediations_per_run=1),
        exemptions=(Exemption(subnet_id("a"), Requirement.SUBNET_PRIVATE, "x", "y", AT.date()),),
    )
    plan = Story((vnet(subnet("a"), subnet("b")),), policy).plan()
    assert [r.resource for r in plan.remediations] == [subnet_id("b")]
    assert [(w.remediation.resource, w.reasons[0].gate) for w in plan.withheld] == [(subnet_id("a"), Gate.FORECAST)]


def test_one_run_of_several_policies_writes_no_more_than_a_record_holds() -> None:
    wide = Limits(remediations_per_run=99, percent_of_subscription=Share(limit=100, first_free=99))
    policies = Policies(
        (
            nat_policy(name="first", limits=wide, select=Select(subnets=("a*",)), priority=200),
            nat_policy(limits=wide),
        )
    )
    spoke = vnet(*(subnet(f"{letter}{i:02}") for letter in "ab" for i in range(20)))
    estate = Azure(spoke).observe(policies)
    around = Circumstances(estate, Standing(), policies, Mode.ENFORCE)
    plan = guard.withhold(propose(estate, look(estate, policies)), around)
    assert len([r for r in plan.remediations if r.requirements]) == brakes.MOST_IN_ONE_RUN


def test_each_policy_counts_its_own_repairs() -> None:
    limits = Limits(remediations_per_run=1)
    policies = Policies((nat_policy(limits=limits),))
    estate = Azure(vnet(subnet(), name="a"), vnet(subnet(), name="b")).observe(policies)
    plan = guard.withhold(
        propose(estate, look(estate, policies)), Circumstances(estate, Standing(), policies, Mode.ENFORCE)
    )
    assert len([r for r in plan.remediations if r.requirements]) == 1


# ---- forecast -------------------------------------------------------------------------------------------------------


def forecast_reasons(story: Story) -> list[str]:
    held = story.reasons()
    assert {reason.gate for reason in held} == {Gate.FORECAST}
    return [reason.text for reason in held]


def test_what_azure_would_refuse_is_held_back() -> None:
    elsewhere = nat("ng-spoke", PIP, group=OWN, subnets=refs(subnet_id("x", "other")))
    (text,) = forecast_reasons(Story((vnet(subnet()), elsewhere, address())))
    assert text.startswith("Azure would refuse it: NAT gateway ng-spoke serves subnets of other")


def test_a_gateway_without_addresses_would_not_repair_anything() -> None:
    (text,) = forecast_reasons(Story(policy=with_nat(public_ips=0)))
    assert text.startswith("afterwards it would be Violation")


def test_the_last_way_out_is_never_taken_away() -> None:
    policy = with_nat(public_ips=0)
    story = Story((vnet(subnet(**INHABITED)), nic()), replace(policy, approvals=NOBODY_ASKED))
    assert forecast_reasons(story) == ["it would take the last way out away"]


def test_isolation_takes_it_away_because_it_is_asked_to() -> None:
    policy = isolated_policy(approvals=NOBODY_ASKED)
    assert Story((vnet(subnet(**INHABITED)), nic()), policy).reasons() == ()


def test_two_networks_cannot_share_a_gateway_and_the_first_one_gets_it() -> None:
    policy = with_nat(name="ng-shared")
    policies = Policies((policy,))
    estate = Azure(vnet(subnet(), name="a"), vnet(subnet(), name="b")).observe(policies)
    plan = guard.withhold(
        propose(estate, look(estate, policies)), Circumstances(estate, Standing(), policies, Mode.ENFORCE)
    )
    assert [r.resource for r in plan.remediations if r.requirements] == [subnet_id("app", "a")]
    (held,) = plan.withheld
    assert held.remediation.resource == subnet_id("app", "b")
    assert "cannot serve two networks" in held.reasons[0].text


BESIDE = nat("ng-b", PIP)


def test_what_would_spoil_something_else_is_held_back() -> None:
    """A repair that promises more than it does, beside a subnet that it would spoil."""
    proposal, around = Story(
        (vnet(subnet("a"), subnet("b", natGateway=BESIDE["id"], defaultOutboundAccess=False)), BESIDE)
    ).seen()
    repair = next(r for r in proposal.plan.remediations if r.requirements)
    (write,) = repair.steps
    assert isinstance(write, WriteSubnet)
    spoiling = replace(write, target=subnet_id("b"), to=replace(write.to, nat_gateway=None))
    bad = replace(repair, steps=(spoiling,), requirements=("subnet-route-default",), needs=())
    plan = guard.withhold(replace(proposal, plan=Plan((bad,))), around)
    assert plan.remediations == ()
    (held,) = plan.withheld
    assert held == Withheld(bad, held.reasons)
    assert held.reasons[0].text == "afterwards b would be Violation: no way out"
