"""What is done about Azure Policy in a subscription: what was seen of it in, Remediations out.

What denies is first there without acting, and made to act when it is known what it would refuse.
"""

from collections.abc import Iterator

from governor.core import ids
from governor.core.plan import Gate, Reason, Remediation, Withheld, digest, unmended
from governor.core.policy import Disruption, Policy, Requirement
from governor.core.request_facts import RequestFact
from governor.core.request_step import Body, WriteAzurePolicy, holds, seen_of
from governor.core.request_verdict import Exempting, Keeping, Leaving, SeenKept
from governor.core.step import Step
from governor.core.verdict import Result, Verdict

_MODE = "enforcementMode"
# Of what Azure shows of something, what makes it anew.
_MADE_OF = frozenset(
    {
        "policyType",
        "mode",
        "displayName",
        "description",
        "metadata",
        "parameters",
        "policyRule",
        "policyDefinitionId",
        "enforcementMode",
        "notScopes",
        "nonComplianceMessages",
        "policyAssignmentId",
        "exemptionCategory",
        "expiresOn",
    }
)


# Who wrote it when is Azure's to say.
_COUNTED = frozenset({"createdBy", "createdOn", "updatedBy", "updatedOn"})


def request_means(seen: SeenKept) -> Iterator[Remediation | Withheld]:
    """What was seen in; what is done about it, and what is not with the reason, in their order, out."""
    exempted: dict[str, tuple[str, ...]] = {}
    for one in seen.exempting:
        repair = _exempted(one)
        if one.wanted is not None:
            exempted[one.assignment] = (*exempted.get(one.assignment, ()), repair.digest)
        yield repair
    for keeping in seen.keeping:
        if keeping.verdict.result is Result.VIOLATION:
            # Who is exempt is so before it acts.
            yield _kept(keeping, exempted.get(ids.key(keeping.wanted.assignment.id), ()))
    for leaving in seen.leaving:
        yield _removed(leaving)


def _kept(keeping: Keeping, needs: tuple[str, ...]) -> Remediation | Withheld:
    verdict, wanted, there = keeping.verdict, keeping.wanted, keeping.there
    if keeping.foreign:
        return _told(verdict, Gate.REPLACE)
    if keeping.waits is not None and not keeping.waits.known:
        return _told(verdict, Gate.UNSEEN)  # and nobody can approve what he cannot know
    now_denies = there.assignment is not None and there.assignment.denies
    enforces = keeping.waits is not None
    acts = not wanted.denies or there.sealed or now_denies or enforces
    to: Body = {**wanted.assignment.properties, _MODE: "Default" if acts else "DoNotEnforce"}
    if acts and wanted.denies:
        to["metadata"] = {**to["metadata"], "enforced": wanted.seal}
    steps = _write(wanted.assignment.id, to, there.assignment)
    if wanted.definition is not None:
        defined = _write(wanted.definition.id, wanted.definition.properties, there.definition)
        # What is assigned must be there; what is there is assigned with its new effect before it says something new.
        steps = [*defined, *steps] if there.definition is None else [*steps, *defined]
    # What has acted before just as it is may be put back; anything else refuses what went through until now.
    bites = acts and wanted.denies and not there.sealed
    return _remediation(verdict, wanted.policy, tuple(steps), Disruption.OUTAGE if bites else Disruption.NONE, needs)


def _exempted(one: Exempting) -> Remediation:
    wanted, there = one.wanted, one.there
    steps = _delete(there) if wanted is None else _write(wanted.id, wanted.properties, there)
    bites = one.wanted is None and one.denying
    return _remediation(one.verdict, one.policy, tuple(steps), Disruption.OUTAGE if bites else Disruption.NONE)


def _removed(leaving: Leaving) -> Remediation | Withheld:
    """Exemptions go first, then the assignment, then what it assigned."""
    if leaving.policy is None:
        return _told(leaving.verdict, Gate.MODE)
    there = (*leaving.exemptions, leaving.there.assignment, leaving.there.definition)
    steps = tuple(step for one in there for step in _delete(one))
    # Nobody has said that it shall refuse no more: who agrees to that has seen why.
    denies = leaving.there.assignment is not None and leaving.there.assignment.denies
    disruption = Disruption.OUTAGE if leaving.untold and denies else Disruption.NONE
    return _remediation(leaving.verdict, leaving.policy, steps, disruption)


def _write(target: str, to: Body, there: RequestFact | None) -> list[Step]:
    if there is None:
        return [WriteAzurePolicy(target, {name: value for name, value in to.items() if value is not None})]
    if holds(to, there.properties):
        return []
    return [WriteAzurePolicy(target, to, seen_of(to, there.properties))]


def _delete(there: RequestFact | None) -> list[Step]:
    if there is None:
        return []
    was = {name: value for name, value in there.properties.items() if name in _MADE_OF}
    was["metadata"] = {name: value for name, value in there.metadata.items() if name not in _COUNTED}
    return [WriteAzurePolicy(there.id, None, was)]


def _remediation(
    verdict: Verdict,
    policy: Policy,
    steps: tuple[Step, ...],
    disruption: Disruption,
    needs: tuple[str, ...] = (),
) -> Remediation:
    about = (Requirement(verdict.requirement),)
    return Remediation(
        resource=verdict.resource,
        policy=policy.name,
        requirements=about,
        steps=steps,
        reason=verdict.seen,
        disruptions=(disruption,),
        digest=digest(policy.name, about, verdict.resource, steps),
        needs=needs,
    )


def _told(verdict: Verdict, gate: Gate) -> Withheld:
    return unmended(verdict.resource, verdict.policy or "", (verdict.requirement,), Reason(gate, verdict.seen))
