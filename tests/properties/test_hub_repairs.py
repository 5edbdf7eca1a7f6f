"""What holds for every repair of every hub and its spokes: read off the bodies and verdicts afterwards."""

import copy
import random
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from governor.core import facts, ids, needs, undo
from governor.core.circumstances import Circumstances
from governor.core.estate import Estate
from governor.core.forecast import forecast
from governor.core.guard import promised
from governor.core.judged import judge, look
from governor.core.plan import Gate
from governor.core.policy import Limits, Mode, Policies, Requirement, Share
from governor.core.propose import propose
from governor.core.standing import Standing
from governor.core.verdict import Result
from tests.core.world import Azure, Body
from tests.properties import hubs
from tests.properties.runs import enact, limited, planned, results, seen_again, served, subnets, wrote
from tests.properties.test_order import shuffled, told

ONE = Limits(remediations_per_run=1, percent_of_subscription=Share(limit=100, first_free=100))
Left = dict[str, Any]


def others(azure: Azure) -> tuple[Left, Left]:
    """Every route by id, and of every side of a peering what leads where."""
    routes: Left = {}
    sides: Left = {}
    for key, body in azure.bodies.items():
        for one in body.get("properties", {}).get("routes") or ():
            routes[f"{key}/routes/{one['name'].casefold()}"] = copy.deepcopy(one["properties"])
        for one in body.get("properties", {}).get("virtualNetworkPeerings") or ():
            properties = one["properties"]
            hub_and_old = "old" in (ids.name(properties["remoteVirtualNetwork"]["id"]), ids.name(key))
            kept = ("allowForwardedTraffic", "allowGatewayTransit") if hub_and_old else ()
            there = ids.key(properties["remoteVirtualNetwork"]["id"])
            sides[ids.key(one["id"])] = (there, [properties.get(name) for name in kept])
    return routes, sides


def foreseen(estate: Estate) -> tuple[Left, set[str]]:
    """The same of an Estate: routes by id, and the ids of all sides."""
    routes = {
        ids.key(f"{table.id}/routes/{one.name}"): (one.properties.address_prefix, one.properties.next_hop_ip_address)
        for table in estate.all(facts.RouteTable)
        for one in table.properties.routes or ()
    }
    sides = {ids.key(one.id) for network in estate.all(facts.VirtualNetwork) for one in network.peerings}
    return routes, sides


@given(hubs.azures(), hubs.policies())
def test_what_is_repaired_is_compliant_and_needs_no_more(bodies: list[Body], policies: Policies) -> None:
    azure = Azure(*bodies)
    seen, plan = planned(azure, policies)
    assume(plan.steps)
    subjects = propose(seen, look(seen, policies)).subjects
    enact(azure, (step for _, step in plan.steps))
    now = seen_again(azure, policies)
    for remediation in plan.remediations:
        for place in promised(remediation, subjects.get(remediation.digest, ())):
            assert now[place] is Result.COMPLIANT, place
    repaired = {ids.key(r.resource) for r in plan.remediations}
    _, again = planned(azure, policies)
    assert not repaired & {ids.key(r.resource) for r in again.remediations if r.requirements}


def until_nothing_is_left(azure: Azure, policies: Policies, most: int) -> list[int]:
    """Runs until a plan is empty; how many repairs each of them did."""
    done: list[int] = []
    for _ in range(most):
        _, plan = planned(azure, policies)
        if not plan.steps:
            return done
        done.append(len([r for r in plan.remediations if r.requirements]))
        enact(azure, (step for _, step in plan.steps))
    raise AssertionError("it does not end")


@given(hubs.azures(), hubs.policies(alone=True))
def test_after_a_run_the_next_plan_is_empty(bodies: list[Body], policies: Policies) -> None:
    azure = Azure(*bodies)
    _, plan = planned(azure, policies)
    enact(azure, (step for _, step in plan.steps))
    if all(reason.after is None for held in plan.withheld for reason in held.reasons):
        assert planned(azure, policies)[1].remediations == ()


@given(hubs.azures(), hubs.policies(alone=True))
def test_runs_of_one_repair_each_end_where_runs_of_all_end(bodies: list[Body], policies: Policies) -> None:
    at_once, slowly = Azure(*bodies), Azure(*bodies)
    until_nothing_is_left(at_once, policies, 3)
    assert max(until_nothing_is_left(slowly, limited(policies, ONE), 20), default=0) <= 1
    assert subnets(slowly) == subnets(at_once)
    assert others(slowly) == others(at_once)
    assert seen_again(slowly, policies) == seen_again(at_once, policies)


@given(hubs.azures(), hubs.policies())
def test_the_forecast_is_what_the_facts_say_afterwards_and_no_step_loses_what_others_put(
    bodies: list[Body], policies: Policies
) -> None:
    azure = Azure(*bodies)
    seen, plan = planned(azure, policies)
    steps = tuple(step for _, step in plan.steps)
    routes, sides = others(azure)
    known, linked = foreseen(seen)
    for number, step in enumerate(steps, 1):
        azure.apply(step)
        then = forecast(seen, steps[:number])
        assert isinstance(then, Estate)
        now_routes, now_sides = others(azure)
        assert {key: now_routes.get(key) for key in routes} == routes
        assert {key: now_sides.get(key) for key in sides} == sides
        assert known.items() <= foreseen(then)[0].items()
        assert linked <= foreseen(then)[1]
    after = forecast(seen, steps)
    assert isinstance(after, Estate)
    facts_say = [(v.resource, v.requirement, v.result, v.seen) for v in judge(azure.observe(policies), policies)]
    assert [(v.resource, v.requirement, v.result, v.seen) for v in judge(after, policies)] == facts_say


@given(hubs.azures(), hubs.policies(), st.data())
def test_no_single_step_spoils_what_is_compliant_or_cuts_anybody_off(
    bodies: list[Body], policies: Policies, data: st.DataObject
) -> None:
    readable = [body["id"] for body in bodies if ids.kind(body["id"]) != ids.SUBSCRIPTION]
    azure = Azure(*bodies, unreadable=data.draw(st.lists(st.sampled_from(readable), max_size=2, unique=True)))
    seen, plan = planned(azure, policies)
    compliant = {place for place, result in results(judge(seen, policies)).items() if result is Result.COMPLIANT}
    connected = served(seen, policies)
    for _, step in plan.steps:
        azure.apply(step)
        azure.unreadable.clear()
        now = azure.observe(policies)
        after = results(judge(now, policies))
        assert {place for place in compliant if after[place] is not Result.COMPLIANT} == set(), step
        assert connected - served(now, policies) == set(), step


@given(hubs.azures(), hubs.policies(), st.data())
def test_what_is_unknown_exempt_or_not_asked_about_leaves_as_it_left(
    bodies: list[Body], policies: Policies, data: st.DataObject
) -> None:
    readable = [body["id"] for body in bodies if ids.kind(body["id"]) != ids.SUBSCRIPTION]
    azure = Azure(*bodies, unreadable=data.draw(st.lists(st.sampled_from(readable), max_size=2, unique=True)))
    seen, plan = planned(azure, policies)
    verdicts = results(judge(seen, policies))
    before, left = copy.deepcopy(subnets(azure)), copy.deepcopy(azure.bodies)
    enact(azure, (step for _, step in plan.steps))
    for key, body in subnets(azure).items():
        was, now = before[key]["properties"], body["properties"]
        about = {verdicts.get((key, r)) for r in (Requirement.SUBNET_EGRESS, Requirement.SUBNET_ROUTE_DEFAULT)}
        if verdicts.get((key, Requirement.SUBNET_EGRESS)) in (Result.UNKNOWN, Result.UNGOVERNED):
            assert was == now
        if Result.UNKNOWN in about:
            assert was.get("routeTable") == now.get("routeTable")
            assert was.get("natGateway") == now.get("natGateway")
        if verdicts.get((key, Requirement.SUBNET_PRIVATE)) is Result.EXEMPT:
            assert was.get("defaultOutboundAccess") == now.get("defaultOutboundAccess")
        untouched = about & {Result.UNKNOWN, Result.UNGOVERNED, Result.EXEMPT} or about == {Result.NOT_APPLICABLE, None}
        table = (was.get("routeTable") or {}).get("id")
        if untouched and table and ids.key(table) in left:
            assert was.get("routeTable") == now.get("routeTable")
            routes = left[ids.key(table)]["properties"]["routes"]
            assert azure.bodies[ids.key(table)]["properties"]["routes"] == routes


@given(hubs.azures(), hubs.policies(), st.randoms(use_true_random=False))
def test_shuffled_input_gives_the_same_verdicts_plan_and_digests(
    bodies: list[Body], policies: Policies, dice: random.Random
) -> None:
    seen, plan = planned(Azure(*bodies), policies)
    later, replanned = planned(Azure(*shuffled(bodies, dice, etags=True)), policies)
    assert judge(later, policies) == judge(seen, policies)
    assert [r.digest for r in replanned.remediations] == [r.digest for r in plan.remediations]
    assert told(replanned) == told(plan)


@given(hubs.azures(), hubs.policies(alone=True))
def test_undo_restores_what_it_may_and_cuts_nobody_off(bodies: list[Body], policies: Policies) -> None:
    azure = Azure(*bodies)
    before, routes = copy.deepcopy(subnets(azure)), others(azure)
    _, plan = planned(azure, policies)
    assume(plan.steps)
    enact(azure, (step for _, step in plan.steps))
    connected = served(azure.observe(policies), policies)
    record = wrote(plan)
    seen = azure.read(lambda estate: needs.for_undo(estate, policies, Standing(), record))
    back = undo.withhold(
        undo.take_back(record, seen, policies), Circumstances(seen, Standing(), policies, Mode.ENFORCE)
    )
    for _, step in back.steps:
        azure.apply(step)
        assert connected - served(azure.observe(policies), policies) == set()
    for held in back.withheld:
        assert {reason.gate for reason in held.reasons} <= {Gate.FORECAST, Gate.NEEDS}
    now_routes, now_sides = others(azure)
    assert routes[0].items() <= now_routes.items()
    assert routes[1].items() <= now_sides.items()
    if not back.withheld:
        assert subnets(azure) == before
        made = {ids.key(step.target) for _, step in plan.steps}
        assert {
            key for key in now_routes.keys() - routes[0].keys() if key.partition("/routes/")[0] not in made
        } == set()
        assert now_sides == routes[1]
