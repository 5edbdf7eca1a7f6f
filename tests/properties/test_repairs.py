"""What holds for every repair of every estate: oracles are verdicts on facts, never the plan itself."""

import copy

from hypothesis import assume, given
from hypothesis import strategies as st

from governor.core import ids, needs, undo
from governor.core.circumstances import Circumstances
from governor.core.estate import Estate
from governor.core.forecast import forecast
from governor.core.judged import judge
from governor.core.plan import Gate
from governor.core.policy import Limits, Mode, Policies, Requirement, Share, Tenant
from governor.core.standing import Standing
from governor.core.verdict import Result
from tests.core.world import Azure, Body
from tests.properties import estates
from tests.properties.runs import (
    by_subnet,
    enact,
    limited,
    planned,
    results,
    seen_again,
    served,
    subnets,
    wrote,
)

ANY = st.one_of(estates.azures(), estates.azures(plain=True))
ONE = Limits(remediations_per_run=1, percent_of_subscription=Share(limit=100, first_free=100))


@given(ANY, estates.policies())
def test_what_is_repaired_is_compliant_and_needs_no_more(bodies: list[Body], policies: Policies) -> None:
    azure = Azure(*bodies)
    _, plan = planned(azure, policies)
    assume(plan.steps)
    enact(azure, (step for _, step in plan.steps))
    now = seen_again(azure, policies)
    for remediation in plan.remediations:
        for requirement in remediation.requirements:
            assert now[ids.key(remediation.resource), requirement] is Result.COMPLIANT
    repaired = {ids.key(r.resource) for r in plan.remediations}
    _, again = planned(azure, policies)
    assert not repaired & {ids.key(r.resource) for r in again.remediations}


@given(ANY, estates.policies().filter(lambda found: len(found.policies) == 1))
def test_after_a_run_the_next_plan_is_empty(bodies: list[Body], policies: Policies) -> None:
    azure = Azure(*bodies)
    _, plan = planned(azure, policies)
    enact(azure, (step for _, step in plan.steps))
    assert planned(azure, policies)[1].remediations == ()


@given(ANY, estates.policies())
def test_the_forecast_is_what_the_facts_say_afterwards(bodies: list[Body], policies: Policies) -> None:
    azure = Azure(*bodies)
    seen, plan = planned(azure, policies)
    foreseen = forecast(seen, tuple(step for _, step in plan.steps))
    assert isinstance(foreseen, Estate)
    enact(azure, (step for _, step in plan.steps))
    then = [(v.resource, v.requirement, v.result, v.seen) for v in judge(azure.observe(policies), policies)]
    assert [(v.resource, v.requirement, v.result, v.seen) for v in judge(foreseen, policies)] == then


@given(ANY, estates.policies(), st.data())
def test_no_single_step_spoils_what_is_compliant_or_cuts_anybody_off(
    bodies: list[Body], policies: Policies, data: st.DataObject
) -> None:
    azure = Azure(*bodies, unreadable=data.draw(estates.unreadable(bodies)))
    seen, plan = planned(azure, policies)
    compliant = {place for place, result in results(judge(seen, policies)).items() if result is Result.COMPLIANT}
    connected = served(seen, policies)
    for _, step in plan.steps:
        azure.apply(step)
        azure.unreadable.clear()
        now = azure.observe(policies)
        after = results(judge(now, policies))
        assert {place for place in compliant if after[place] is not Result.COMPLIANT} == set()
        assert connected - served(now, policies) == set()


@given(ANY, estates.policies(), st.data())
def test_what_is_unknown_exempt_or_not_asked_about_is_not_touched(
    bodies: list[Body], policies: Policies, data: st.DataObject
) -> None:
    azure = Azure(*bodies, unreadable=data.draw(estates.unreadable(bodies)))
    seen, plan = planned(azure, policies)
    verdicts = results(judge(seen, policies))
    before = copy.deepcopy(subnets(azure))
    enact(azure, (step for _, step in plan.steps))
    for key, body in subnets(azure).items():
        was, now = before[key]["properties"], body["properties"]
        egress = verdicts[key, Requirement.SUBNET_EGRESS]
        if egress in (Result.UNKNOWN, Result.UNGOVERNED, Result.NOT_APPLICABLE):
            assert was == now
        if egress is Result.EXEMPT:
            judged = by_subnet(azure.observe(policies), policies)[key]
            path, earlier = judged.path, by_subnet(seen, policies)[key].path
            assert path is not None
            assert earlier is not None
            assert path.ways == earlier.ways
        if verdicts.get((key, Requirement.SUBNET_PRIVATE)) is Result.EXEMPT:
            assert was.get("defaultOutboundAccess") == now.get("defaultOutboundAccess")


@given(ANY, estates.policies().filter(lambda found: len(found.policies) == 1))
def test_repeated_runs_of_one_repair_end_where_one_run_of_all_ends(bodies: list[Body], policies: Policies) -> None:
    at_once, slowly = Azure(*bodies), Azure(*bodies)
    enact(at_once, (step for _, step in planned(at_once, policies)[1].steps))
    careful = limited(policies, ONE)
    for _ in range(12):
        _, plan = planned(slowly, careful)
        assert len([r for r in plan.remediations if r.requirements]) <= 1
        if not plan.steps:
            break
        enact(slowly, (step for _, step in plan.steps))
    else:
        raise AssertionError("it does not end")
    assert subnets(slowly) == subnets(at_once)
    assert seen_again(slowly, policies) == seen_again(at_once, policies)


@given(
    estates.azures(plain=True, most=5),
    estates.policies(),
    st.builds(
        Limits,
        remediations_per_run=st.integers(0, 4),
        per_hour=st.integers(0, 4),
        percent_of_subscription=st.builds(Share, limit=st.sampled_from([0.0, 50.0]), first_free=st.integers(0, 3)),
    ),
    st.builds(
        Standing,
        written=st.dictionaries(st.sampled_from(["p0", "p1"]), st.integers(0, 4)),
        governed=st.dictionaries(st.sampled_from(["p0", "p1"]), st.integers(0, 9)),
        tenant_written=st.integers(0, 5),
    ),
)
def test_limits_hold(bodies: list[Body], policies: Policies, limits: Limits, standing: Standing) -> None:
    few = Policies(limited(policies, limits).policies, tenant=Tenant(per_hour=4))
    _, plan = planned(Azure(*bodies), few, standing)
    total = 0
    for policy in few:
        repairs = [r for r in plan.remediations if r.requirements and r.policy == policy.name]
        total += len(repairs)
        written = standing.written.get(policy.name, 0)
        share = limits.percent_of_subscription
        percent = int(standing.governed.get(policy.name, 0) * share.limit / 100)
        assert len(repairs) <= limits.remediations_per_run
        assert not repairs or written + len(repairs) <= limits.per_hour
        assert not repairs or written + len(repairs) <= max(share.first_free, percent)
    assert not total or standing.tenant_written + total <= 4


@given(ANY, estates.policies())
def test_undo_restores_the_subnets_it_may_and_cuts_nobody_off(bodies: list[Body], policies: Policies) -> None:
    azure = Azure(*bodies)
    before = copy.deepcopy(subnets(azure))
    _, plan = planned(azure, policies)
    assume(plan.steps)
    enact(azure, (step for _, step in plan.steps))
    repaired, connected = copy.deepcopy(subnets(azure)), served(azure.observe(policies), policies)
    record = wrote(plan)
    seen = azure.read(lambda estate: needs.for_undo(estate, policies, Standing(), record))
    back = undo.withhold(
        undo.take_back(record, seen, policies), Circumstances(seen, Standing(), policies, Mode.ENFORCE)
    )
    enact(azure, (step for _, step in back.steps))
    # A cluster goes back with all its subnets.
    taken = {ids.key(step.target) for _, step in back.steps}
    for key, body in subnets(azure).items():
        assert body == (before[key] if key in taken else repaired[key])
    assert connected - served(azure.observe(policies), policies) == set()
    for held in back.withheld:
        assert {reason.gate for reason in held.reasons} <= {Gate.FORECAST, Gate.NEEDS}
