"""What holds of Azure Policy in a subscription: an Estate and policies in; Verdicts, and what is to be changed, out."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from msgspec import Struct

from governor.core import ids
from governor.core.estate import Estate, list_of
from governor.core.policy import Mode, Policies, Policy, Requirement
from governor.core.request_counts import Counted, counted, moment, since
from governor.core.request_facts import PolicyAssignment, PolicyDefinition, PolicyExemption
from governor.core.request_kept import Unkept, Wanted, asked, holding, kept
from governor.core.request_step import differing
from governor.core.request_there import There, foreign, of_others, ours, requirement_of, there_of, wrong_with
from governor.core.request_time import PROVIDER, Exempted, title
from governor.core.verdict import Result, Verdict

LISTS: Final = ("policyAssignments", "policyDefinitions", "policyExemptions")
STATES: Final = "policyStates"
_EXPECTED: Final = "as the policy says, and enforced"
_NOBODY: Final = "no policy wants it any more"


class Keeping(Struct, frozen=True):
    """An assignment that is wanted. waits: nothing but its enforcement is missing. foreign: it is somebody else's."""

    verdict: Verdict
    wanted: Wanted
    there: There
    waits: Counted | None = None
    foreign: bool = False


class Exempting(Struct, frozen=True):
    """An exemption that is wanted (wanted None: is not any more) and not there as it should be.

    assignment: the key of what it is from. denying: without it something is refused.
    """

    verdict: Verdict
    policy: Policy
    wanted: Exempted | None
    there: PolicyExemption | None
    assignment: str
    denying: bool


class Leaving(Struct, frozen=True):
    """What nobody wants any more, with the policy that may have it removed; None: people do that.

    untold: its policy wants it still, and Azure Policy cannot be told so.
    """

    verdict: Verdict
    policy: Policy | None
    there: There
    exemptions: tuple[PolicyExemption, ...] = ()
    untold: bool = False


class SeenKept(Struct, frozen=True):
    """What was seen of Azure Policy in one subscription. missing: ids and lists that must be read."""

    keeping: tuple[Keeping, ...] = ()
    exempting: tuple[Exempting, ...] = ()
    leaving: tuple[Leaving, ...] = ()
    others: tuple[Verdict, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        each: tuple[Keeping | Exempting | Leaving, ...] = (*self.keeping, *self.exempting, *self.leaving)
        return (*(one.verdict for one in each), *self.others)


def azure_policy(estate: Estate, policies: Policies) -> dict[str, SeenKept]:
    """An Estate and policies in; by key of each remainder, what holds of Azure Policy there, out."""
    about = asked(policies)
    if not about:
        return {}
    found: dict[str, SeenKept] = {}
    for subscription in estate.remainders:
        scope = f"/subscriptions/{subscription}"
        if not any(gap.about == ids.key(scope) for gap in estate.gaps):
            found[ids.key(scope)] = _seen(subscription, about, estate, policies)
    return found


def _seen(subscription: str, about: tuple[Requirement, ...], estate: Estate, policies: Policies) -> SeenKept:
    scope = f"/subscriptions/{subscription}"
    unlisted = tuple(name for what in LISTS if not estate.has_listed(name := list_of(what, scope)))
    if unlisted:
        why = f"{unlisted[0].partition('(')[0]} not seen: {estate.why(unlisted[0])}"
        return SeenKept(others=_unknown(scope, about, why), missing=unlisted)
    held = holding(policies, subscription, estate)
    policies_here = tuple(one for one in held if isinstance(one, Policy))
    if missing := tuple(one for one in held if isinstance(one, str)):
        why = f"which policies hold here is not known: {', '.join(map(ids.name, missing))} not read"
        return SeenKept(others=_unknown(scope, about, why), missing=missing)
    return _compared(scope, tuple(kept(policies_here, subscription, estate)), estate, policies)


def _compared(scope: str, all_kept: tuple[Wanted | Unkept, ...], estate: Estate, policies: Policies) -> SeenKept:
    """What is wanted in Azure Policy of a subscription in, how it compares with what is there out."""
    wanted = [one for one in all_kept if isinstance(one, Wanted)]
    keeping = tuple(_keeping(one, scope, estate) for one in wanted)
    exempting = tuple(each for one in keeping for each in _exempting(one, estate))
    leaving = tuple(_leaving(scope, all_kept, estate, policies))
    left = {ids.key(one.verdict.resource) for one in leaving}
    others = tuple(_untold(one) for one in all_kept if isinstance(one, Unkept) and ids.key(one.assignment) not in left)
    states = list_of(STATES, scope)
    waits = any(one.waits is not None for one in keeping) and not estate.has_listed(states)
    return SeenKept(keeping, exempting, leaving, others, (states,) if waits else ())


def _untold(one: Unkept) -> Verdict:
    seen = f"not told: {one.title}: {one.why}"
    return Verdict(one.assignment, one.requirement, Result.NOT_APPLICABLE, one.policy.name, seen)


def _keeping(wanted: Wanted, scope: str, estate: Estate) -> Keeping:
    there = there_of(wanted.assignment.id, wanted, estate)
    if there.assignment is None:
        if other := of_others(wanted, estate):
            return Keeping(_says(wanted, Result.COMPLIANT, f"assigned by somebody else: {other}"), wanted, there)
        return Keeping(_says(wanted, Result.VIOLATION, "Azure Policy does not have it"), wanted, there)
    if theirs := foreign(there):
        seen = f"what has this name is somebody else's; it is left alone until they delete {theirs}"
        return Keeping(_says(wanted, Result.VIOLATION, seen), wanted, there, foreign=True)
    if wrong := wrong_with(wanted, there):
        return Keeping(_says(wanted, Result.VIOLATION, f"{', '.join(wrong)} other than the policy says"), wanted, there)
    if there.assignment.acts:
        effect = "denies" if wanted.denies else "audits"
        return Keeping(_says(wanted, Result.COMPLIANT, f"assigned, {effect}"), wanted, there)
    if there.sealed or not wanted.denies:
        return Keeping(_says(wanted, Result.VIOLATION, "somebody has turned its enforcement off"), wanted, there)
    found = counted(there.assignment, since(there.assignment, there.definition), list_of(STATES, scope), estate)
    return Keeping(_says(wanted, Result.VIOLATION, f"assigned, not enforced yet; {found.text}"), wanted, there, found)


def _says(wanted: Wanted, result: Result, seen: str) -> Verdict:
    said = title(wanted.assignment.properties)
    return Verdict(wanted.assignment.id, wanted.requirement, result, wanted.policy.name, f"{said}: {seen}", _EXPECTED)


def _exempting(keeping: Keeping, estate: Estate) -> Iterator[Exempting]:
    """An assignment in; the exemptions from it that are not as its policy says out."""
    wanted, assignment = keeping.wanted, ids.key(keeping.wanted.assignment.id)
    if keeping.there.assignment is None or keeping.foreign:
        return  # an exemption names its assignment, which must be there
    denying = keeping.there.assignment.denies
    by_key = {ids.key(one.id): one for one in wanted.exemptions}
    for key, one in by_key.items():
        found = estate.known.get(key)
        there = found if isinstance(found, PolicyExemption) else None
        if there is not None and not (wrong := differing(one.properties, there.properties)):
            continue
        seen = "Azure Policy does not have it" if there is None else f"{', '.join(wrong)} other than the policy says"
        verdict = Verdict(one.id, wanted.requirement, Result.VIOLATION, wanted.policy.name, seen, "as the policy says")
        yield Exempting(verdict, wanted.policy, one, there, assignment, denying)
    for there in ours(estate.all(PolicyExemption)):
        if ids.same(there.assignment, assignment) and ids.key(there.id) not in by_key:
            seen = "the policy exempts it no more"
            verdict = Verdict(there.id, wanted.requirement, Result.VIOLATION, wanted.policy.name, seen, "gone")
            bites = denying and not _is_over(there, estate.observed_at)
            yield Exempting(verdict, wanted.policy, None, there, assignment, bites)


def _leaving(
    scope: str, all_kept: tuple[Wanted | Unkept, ...], estate: Estate, policies: Policies
) -> Iterator[Leaving]:
    """What is there of ours and nobody wants any more."""
    wanted = {ids.key(one.assignment.id): one for one in all_kept if isinstance(one, Wanted)}
    unkept = {
        ids.key(one.assignment): f"Azure Policy cannot be told it any more: {one.why}"
        for one in all_kept
        if isinstance(one, Unkept)
    }
    inside = f"{ids.key(scope)}{PROVIDER.casefold()}/"
    mine: list[PolicyAssignment | PolicyDefinition] = []
    mine += ours(estate.all(PolicyAssignment))
    mine += ours(estate.all(PolicyDefinition))
    found = {ids.name(one.id): one for one in reversed(mine) if ids.key(one.id).startswith(inside)}
    for name, one in sorted(found.items()):
        assignment = f"{scope}{PROVIDER}/policyAssignments/{name}"
        about = requirement_of(name)
        if about is None or ids.key(assignment) in wanted:
            continue
        policy = policies.find(str(one.metadata.get("policy", "")))
        owner = policy if policy is not None and policy.mode is not Mode.AUDIT else None
        there = there_of(assignment, None, estate)
        seen = f"{title(one.properties) or name}: {unkept.get(ids.key(assignment), _NOBODY)}"
        if owner is None:
            seen += f"; remove it: {_by_hand(name, scope, there)}"
        verdict = Verdict(assignment, about, Result.VIOLATION, owner.name if owner else None, seen, "gone")
        exempt = (e for e in ours(estate.all(PolicyExemption)) if ids.same(e.assignment, assignment))
        yield Leaving(verdict, owner, there, tuple(exempt), ids.key(assignment) in unkept)


def _by_hand(name: str, scope: str, there: There) -> str:
    """What is there and is not removed by itself in; the commands that do it, in their order, out."""
    commands = []
    if there.assignment is not None:
        commands.append(f"az policy assignment delete --name {name} --scope {scope}")
    if there.definition is not None:
        commands.append(f"az policy definition delete --name {name} --subscription {ids.name(scope)}")
    return " && ".join(commands)


def _is_over(exemption: PolicyExemption, now: datetime) -> bool:
    until = moment(exemption.properties.get("expiresOn"))
    return until is not None and until <= now


def _unknown(scope: str, about: Iterable[Requirement], why: str) -> tuple[Verdict, ...]:
    return tuple(Verdict(scope, requirement, Result.UNKNOWN, seen=why) for requirement in about)
