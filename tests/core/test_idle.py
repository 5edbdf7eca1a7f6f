"""NAT gateways of ours that nobody uses: marked, waited for, deleted; and those of others, which are left alone."""

from datetime import date, timedelta
from typing import Any

import pytest

from governor.core import guard, ids
from governor.core.address_step import WriteTag
from governor.core.estate import EVERYTHING, Estate, Gap, Reading, add, list_of
from governor.core.idle import UNUSED, idle
from governor.core.judged import judge
from governor.core.policy import Mode, Policies
from governor.core.policy_words import OWNER_TAG
from governor.core.propose import proposal
from governor.core.step import DeleteNatGateway, Step
from tests.core.world import (
    ADDRESSES,
    AT,
    SUB,
    Body,
    around,
    encoded,
    group,
    isolated_policy,
    nat,
    nat_id,
    nat_policy,
    refs,
    subnet_id,
    with_nat,
)

SCOPE = f"/subscriptions/{SUB}"
TODAY = AT.date().isoformat()
OURS = {OWNER_TAG: "nat"}


def seen(body: Body, listed: tuple[str, ...] = (EVERYTHING, *ADDRESSES), gaps: tuple[Gap, ...] = ()) -> Estate:
    return add(Estate(AT, remainders=(SUB,)), Reading(encoded(body, group()), listed=listed, gaps=gaps))


def since(days: int) -> dict[str, str]:
    return {**OURS, UNUSED: (AT.date() - timedelta(days=days)).isoformat()}


def gateway(tags: dict[str, str] | None, **properties: Any) -> Body:
    return {**nat("ng", **properties), "tags": tags}


USED = {"subnets": refs(subnet_id())}
STORIES: list[tuple[Body, str | None, list[Step]]] = [
    (gateway(OURS, **USED), None, []),
    (gateway(OURS), "no subnet uses it", [WriteTag(nat_id(), UNUSED, TODAY)]),
    (gateway({**OURS, UNUSED: "soon"}), "no subnet uses it", [WriteTag(nat_id(), UNUSED, TODAY, "soon")]),
    (gateway(since(29)), f"no subnet uses it; marked since {AT.date() - timedelta(days=29)}", []),
    (
        gateway(since(30)),
        f"no subnet has used it since {AT.date() - timedelta(days=30)}, and its 30 days are over",
        [DeleteNatGateway(nat_id())],
    ),
    # What is used again is not marked any more, and counts from the beginning when nobody does.
    (
        gateway(since(40), **USED),
        "it is used again, and still marked as unused",
        [WriteTag(nat_id(), UNUSED, None, (AT.date() - timedelta(days=40)).isoformat())],
    ),
    # A whole network may leave by it.
    (gateway(OURS, sourceVirtualNetwork={"id": "/subscriptions/x"}), None, []),
    # Others made it, or for a policy that is no more.
    (gateway(None), None, []),
    (gateway({OWNER_TAG: "gone"}), None, []),
]


@pytest.mark.parametrize(("body", "told", "steps"), STORIES)
def test_a_gateway_that_nobody_uses(body: Body, told: str | None, steps: list[Step]) -> None:
    policies, estate = Policies((nat_policy(),)), seen(body)
    verdicts = [v for v in judge(estate, policies) if v.requirement == "nat-gateway-unused"]
    assert [v.seen for v in verdicts] == ([told] if told else [])
    plan = guard.withhold(proposal(estate, policies), around(estate, policies))
    assert [step for _, step in plan.steps] == steps


@pytest.mark.parametrize(
    ("where", "managed_by", "told"),
    [
        ("rg", None, ["no subnet uses it"]),
        # A tag on a cluster comes to be on its gateway, too.
        ("rg", "/subscriptions/x/managedClusters/aks", []),
        ("MC_rg_aks_westeurope", None, []),
    ],
)
def test_a_gateway_that_a_service_keeps_is_left_to_it(where: str, managed_by: str | None, told: list[str]) -> None:
    body = {**nat("ng", group=where), "tags": OURS}
    around_it = {**group(where), **({"managedBy": managed_by} if managed_by else {})}
    estate = add(Estate(AT, remainders=(SUB,)), Reading(encoded(body, around_it), listed=(EVERYTHING, *ADDRESSES)))
    policies = Policies((nat_policy(),))
    assert [v.seen for v in judge(estate, policies) if v.requirement == "nat-gateway-unused"] == told
    assert bool(guard.withhold(proposal(estate, policies), around(estate, policies)).steps) is bool(told)


def test_a_gateway_whose_group_was_not_read_is_neither_marked_nor_deleted() -> None:
    estate = add(Estate(AT, remainders=(SUB,)), Reading(encoded(gateway(since(40))), listed=(EVERYTHING, *ADDRESSES)))
    policies = Policies((nat_policy(),))
    seen_idle = idle(estate, policies)[SCOPE]
    (found,) = seen_idle.verdicts
    assert found.result.value == "Unknown"
    assert seen_idle.missing == (ids.group_of(nat_id()),)
    assert not guard.withhold(proposal(estate, policies), around(estate, policies)).steps


def test_a_policy_says_how_long() -> None:
    policies, estate = Policies((with_nat(reclaim_unused_days=7),)), seen(gateway(since(7)))
    (found,) = idle(estate, policies)[SCOPE].found
    assert found.since == date.fromisoformat(since(7)[UNUSED])
    assert found.verdict.result.value == "Violation"


def test_who_only_reports_deletes_nothing() -> None:
    policies, estate = Policies((nat_policy(mode=Mode.AUDIT),)), seen(gateway(since(90)))
    plan = guard.withhold(proposal(estate, policies), around(estate, policies))
    assert not plan.steps
    assert "audit mode" in plan.withheld[0].reasons[0].text


def test_gateways_that_were_not_seen_are_unknown() -> None:
    name = list_of("natGateways", SCOPE)
    others = tuple(one for one in ADDRESSES if one != name)
    estate = seen(gateway(OURS), (EVERYTHING, *others), (Gap(name, "no permission"),))
    (verdict,) = idle(estate, Policies((nat_policy(),)))[SCOPE].verdicts
    assert (verdict.result.value, verdict.seen) == ("Unknown", "not seen: no permission")
    assert idle(estate, Policies((isolated_policy(),))) == {}
