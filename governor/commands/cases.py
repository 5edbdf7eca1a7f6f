"""A case of a policy and the policies in, every difference to what it expects out: the same core as a run."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from governor.commands import file_cloud
from governor.commands.estate_file import EstateFile, read, with_bodies
from governor.commands.words import short
from governor.core import guard, ids, needs
from governor.core.circumstances import Circumstances
from governor.core.estate import Estate
from governor.core.forecast import Refusal, forecast
from governor.core.judged import judge
from governor.core.plan import Plan
from governor.core.policy import Mode, Policies
from governor.core.propose import proposal
from governor.core.standing import Standing
from governor.core.step import name
from governor.core.verdict import Result, Verdict
from governor.policy_files import Case, Expected

# A Tuesday at noon, always: a case must not fail because it is Saturday, or because a year has gone by.
AT: Final = datetime(2026, 3, 3, 12, tzinfo=UTC)


class Difference(Struct, frozen=True):
    """Something that is not as a case expects it."""

    about: str
    expected: str
    found: str


class _Seen(Struct):
    """One network: what was judged, what would be done, and how it would be judged afterwards.

    held: by resource and requirement, why their repair is withheld.
    """

    verdicts: tuple[Verdict, ...]
    plan: Plan
    held: dict[tuple[str, str], str]
    after: tuple[Verdict, ...] | Refusal


def run(case: Case, policies: Policies) -> tuple[Difference, ...]:
    """A case and policies in, what differs from its expectations out: nothing, if it holds."""
    seen = [_see(estate, policies) for estate in estates(case, policies)]
    verdicts = [verdict for one in seen for verdict in one.verdicts]
    wrong = [difference for expected in case.expect for difference in _differ(expected, verdicts)]
    found = _steps(seen)
    if case.plan is not None and list(case.plan) != found:
        held = [f"{ids.name(w.remediation.resource)}: {w.reasons[0].text}" for one in seen for w in one.plan.withheld]
        why = f" (withheld: {'; '.join(held)})" if held else ""
        wrong.append(Difference("plan", _listed(case.plan), _listed(found) + why))
    if case.after is not None:
        wrong += _after(case, seen)
    return tuple(wrong)


def estates(case: Case, policies: Policies) -> Iterator[Estate]:
    """A case in, the Estate of each of its networks out, as a run would read it."""
    bodies = [msgspec.json.encode(body) for body in case.estate.bodies]
    empty = EstateFile(Path(case.source), {}, frozenset(), True, (), frozenset())
    included = read(Path(case.estate.include)) if case.estate.include else empty
    file = with_bodies(included, bodies)
    wanted = partial(needs.for_repair, policies=policies, standing=Standing())
    for key in file.networks:
        yield file_cloud.observe(file, key, AT, wanted)


def _see(estate: Estate, policies: Policies) -> _Seen:
    proposed = proposal(estate, policies)
    plan = guard.withhold(proposed, Circumstances(estate, Standing(), policies, Mode.ENFORCE))
    held = {
        place: withheld.reasons[0].text
        for withheld in plan.withheld
        for place in guard.promised(withheld.remediation, proposed.subjects.get(withheld.remediation.digest, ()))
    }
    after = forecast(estate, tuple(step for _, step in plan.steps))
    then = after if isinstance(after, Refusal) else judge(after, policies)
    return _Seen(judge(estate, policies), plan, held, then)


def _differ(expected: Expected, verdicts: list[Verdict]) -> Iterator[Difference]:
    about = f"{expected.resource}  {expected.requirement.value}"
    wanted = expected.verdict.value + (f" by {expected.policy}" if expected.policy else "")
    found = [v for v in verdicts if v.requirement == expected.requirement and expected.about(v.resource)]
    if not found:
        yield Difference(about, wanted, "no verdict of this requirement on such a resource")
    for verdict in found:
        # Which policy would have governed is not said where none does, or where that is not known.
        if verdict.result is not expected.verdict or (expected.policy and verdict.policy != expected.policy):
            by = f" by {verdict.policy}" if verdict.policy else ""
            yield Difference(about, wanted, f"{verdict.result.value}{by}: {verdict.seen} ({short(verdict.resource)})")


def _steps(seen: list[_Seen]) -> list[str]:
    """Names of the steps in order; what several networks share is made once."""
    plans = {remediation.digest: remediation for one in seen for remediation in one.plan.remediations}
    return [name(step) for remediation in plans.values() for step in remediation.steps]


def _after(case: Case, seen: list[_Seen]) -> Iterator[Difference]:
    """What became of each Violation that the case names (or of all, if it names none)."""
    named = [one for one in case.expect if one.verdict is Result.VIOLATION]
    for one in seen:
        if isinstance(one.after, Refusal):
            yield Difference("after", case.after or "", f"Azure would refuse it: {one.after.why}")
            continue
        after = {(ids.key(v.resource), v.requirement): v for v in one.after}
        for before in one.verdicts:
            if before.result is not Result.VIOLATION or not (not named or any(_same(n, before) for n in named)):
                continue
            place = (ids.key(before.resource), before.requirement)
            verdict, reason = after.get(place), one.held.get(place)
            fits = {
                # What nobody holds any more is in order, too.
                "compliant": verdict is None or verdict.result is Result.COMPLIANT,
                "violation": verdict is not None and verdict.result is Result.VIOLATION and reason is None,
                "withheld": verdict is not None and verdict.result is Result.VIOLATION and reason is not None,
            }
            if not fits[case.after or ""]:
                why = f", withheld: {reason}" if reason else ""
                told = f"{verdict.result.value}: {verdict.seen}" if verdict else "gone"
                about = f"after: {short(before.resource)}  {before.requirement}"
                yield Difference(about, case.after or "", f"{told}{why}")


def _same(expected: Expected, verdict: Verdict) -> bool:
    return verdict.requirement == expected.requirement and expected.about(verdict.resource)


def _listed(steps: Iterable[str]) -> str:
    return ", ".join(steps) or "no steps"
