"""Runs over raw bodies: judged, planned and written step by step; what holds is read off the facts afterwards."""

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from governor.core import guard, ids
from governor.core.cause import Cause, Source, VirtualNetwork
from governor.core.circumstances import Circumstances
from governor.core.estate import Estate
from governor.core.judged import Judged, judge, look
from governor.core.plan import Plan
from governor.core.policy import Limits, Mode, Policies
from governor.core.propose import propose
from governor.core.record import Became, Outcome, Record
from governor.core.standing import Standing
from governor.core.step import Step
from governor.core.verdict import Result, Verdict
from tests.core.world import AT, Azure, Body, vnet_id

Place = tuple[str, str]


def planned(
    azure: Azure, policies: Policies, standing: Standing | None = None, at: datetime = AT
) -> tuple[Estate, Plan]:
    """What a run sees, and what it would write."""
    seen = azure.observe(policies, standing, at)
    around = Circumstances(seen, standing or Standing(), policies, Mode.ENFORCE)
    return seen, guard.withhold(propose(seen, look(seen, policies)), around)


def enact(azure: Azure, steps: Iterable[Step]) -> None:
    for step in steps:
        azure.apply(step)


def wrote(plan: Plan, became: Became = Became.DONE) -> Record:
    """The Record of a run that wrote everything; what two policies want made is made once."""
    written: set[str] = set()
    outcomes: list[Outcome] = []
    for remediation, step in plan.steps:
        key = ids.key(step.target)
        outcomes.append(Outcome(step, remediation.digest, Became.UNCHANGED if key in written else became))
        written.add(key)
    cause = Cause(Source.MANUAL, AT)
    scope = VirtualNetwork(vnet_id())
    return Record("r", AT, scope, 1, cause, "digest", plan.digest, done=plan.remediations, outcomes=tuple(outcomes))


def results(verdicts: Iterable[Verdict]) -> dict[Place, Result]:
    return {(ids.key(v.resource), v.requirement): v.result for v in verdicts}


def seen_again(azure: Azure, policies: Policies) -> dict[Place, Result]:
    """Verdicts on the facts as they are now."""
    return results(judge(azure.observe(policies), policies))


def by_subnet(seen: Estate, policies: Policies) -> dict[str, Judged]:
    return {ids.key(judged.subnet.id): judged for judged in look(seen, policies)}


def served(seen: Estate, policies: Policies) -> set[str]:
    """Keys of subnets where somebody lives who has a way out, and whom no policy wants isolated."""
    return {
        key
        for key, judged in by_subnet(seen, policies).items()
        if judged.path is not None
        and judged.path.works
        and not judged.occupants.empty
        and not (judged.policy is not None and judged.policy.egress.isolated)
    }


def subnets(azure: Azure) -> dict[str, Body]:
    """Bodies of all subnets by key."""
    return {
        ids.key(one["id"]): one
        for key, body in azure.bodies.items()
        if ids.kind(key) == ids.VIRTUAL_NETWORK
        for one in body["properties"]["subnets"]
    }


def limited(policies: Policies, limits: Limits) -> Policies:
    """The same policies with other limits."""
    return replace(policies, policies=tuple(replace(one, limits=limits) for one in policies))
