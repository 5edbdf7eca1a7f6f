"""Nothing depends on the order in which Azure, files or lists name things, nor on times and etags."""

import random
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from governor.core import ids
from governor.core.judged import judge
from governor.core.plan import Plan
from governor.core.policy import Policies
from tests.core.world import AT, Azure, Body
from tests.properties import estates
from tests.properties.runs import planned

# Of two load balancers that give SNAT the first one named counts, so pools of an interface keep their order.
KEPT = {"loadBalancerBackendAddressPools"}


def shuffled(value: Any, dice: random.Random, etags: bool = False) -> Any:
    """The same with every list in another order, and with etags where Azure has them."""
    match value:
        case dict():
            mixed = [(k, v if k in KEPT else shuffled(v, dice, etags)) for k, v in value.items()]
            dice.shuffle(mixed)
            body = dict(mixed)
            return {**body, "etag": f'W/"{dice.random()}"'} if etags and "properties" in body else body
        case list():
            items = [shuffled(one, dice, etags) for one in value]
            dice.shuffle(items)
            return items
        case _:
            return value


def told(plan: Plan) -> list[tuple[str, tuple[str, ...]]]:
    return sorted((w.remediation.digest, tuple(sorted(r.text for r in w.reasons))) for w in plan.withheld)


@given(estates.azures(), estates.policies(), st.randoms(use_true_random=False))
def test_shuffled_input_gives_the_same_verdicts_plan_and_digests(
    bodies: list[Body], policies: Policies, dice: random.Random
) -> None:
    seen, plan = planned(Azure(*bodies), policies)
    files = list(policies)
    dice.shuffle(files)
    again = Policies(tuple(files))
    assert again.digest == policies.digest
    later, replanned = planned(Azure(*shuffled(bodies, dice)), again)
    assert judge(later, again) == judge(seen, policies)
    assert replanned == plan


@given(estates.azures(), estates.policies(), st.randoms(use_true_random=False))
def test_digests_depend_neither_on_time_nor_on_etags(
    bodies: list[Body], policies: Policies, dice: random.Random
) -> None:
    _, plan = planned(Azure(*bodies), policies)

    later = AT + timedelta(hours=dice.randint(1, 9))
    _, replanned = planned(Azure(*shuffled(bodies, dice, etags=True)), policies, at=later)
    assert [r.digest for r in replanned.remediations] == [r.digest for r in plan.remediations]
    assert told(replanned) == told(plan)
    assert replanned.digest == plan.digest


@given(estates.azures(), estates.policies())
def test_the_case_of_ids_does_not_matter(bodies: list[Body], policies: Policies) -> None:
    """Azure spells `resourcegroups` as it likes."""

    def spelled(value: Any) -> Any:
        match value:
            case dict():
                return {k: spelled(v) for k, v in value.items()}
            case list():
                return [spelled(one) for one in value]
            case str() if value.startswith("/subscriptions/"):
                return value.replace("resourceGroups", "resourcegroups").replace("ipConfigurations", "ipconfigurations")
            case _:
                return value

    def results(azure: Azure) -> list[tuple[str, str, str, str]]:
        return [
            (ids.key(v.resource), v.requirement, v.result, v.seen) for v in judge(azure.observe(policies), policies)
        ]

    assert results(Azure(*spelled(bodies))) == results(Azure(*bodies))
