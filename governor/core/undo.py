"""Taking a Record back: its steps' inverses in reverse order, past every gate but compliance.

Undo may restore a violation, but never takes the last way out away.
"""

from msgspec.structs import replace

from governor.core import facts, ids
from governor.core.estate import Estate
from governor.core.forecast import Refusal, forecast
from governor.core.gates import UNDO_GATES, Circumstances, breaker, calendar, ceiling, held_by, paused
from governor.core.guard import spoils
from governor.core.judged import Judged, look
from governor.core.plan import Gate, Plan, Reason, Remediation, Withheld, digest
from governor.core.policy import Disruption, Policies, Policy
from governor.core.propose import Proposal
from governor.core.record import Became, Record
from governor.core.step import Step, WriteSubnet, inverse


def take_back(record: Record, estate: Estate, policies: Policies) -> Proposal:
    """A Record and the Estate of its Scope in, the Proposal that takes its written steps back out."""
    # What was not seen to end may have been written, too; a step that finds something else there does nothing.
    written = [o for o in record.outcomes if o.became in (Became.DONE, Became.PENDING, Became.INTERRUPTED)]
    by_digest = {remediation.digest: remediation for remediation in record.done}
    judged = {ids.key(one.subnet.id): one for one in look(estate, policies)}
    remediations: list[Remediation] = []
    for outcome in reversed(written):
        step, original = inverse(outcome.step), by_digest.get(outcome.remediation)
        if step is None or original is None:
            continue
        needs = () if isinstance(step, WriteSubnet) else tuple(r.digest for r in remediations)
        remediations.append(_back(step, original, record, judged.get(ids.key(step.target)), needs))
    return Proposal(Plan(tuple(remediations)), {k: j for k, j in judged.items() if _names(k, remediations)})


def withhold(proposal: Proposal, around: Circumstances) -> Plan:
    """What would take a Record back and the circumstances in, the Plan that may run out."""
    released: list[Remediation] = []
    withheld: list[Withheld] = []
    held: set[str] = set()
    for remediation in proposal.plan.remediations:
        judged = proposal.judged.get(ids.key(remediation.resource))
        policy = around.policies.find(remediation.policy) or Policy(name=remediation.policy)
        if judged is not None:
            reasons = held_by(UNDO_GATES, remediation, judged, policy, around)
            # No policy may have the last way out taken away by an undo.
            first = forecast(around.estate, tuple(step for one in released for step in one.steps))
            reasons += [] if reasons else spoils(remediation, replace(judged, policy=None), first, around)
        elif isinstance(remediation.steps[0], WriteSubnet):
            reasons = [Reason(Gate.UNDO, "the subnet is gone")]
        elif held & set(remediation.needs):
            reasons = [Reason(Gate.NEEDS, "a subnet that uses it is not taken back")]
        else:
            reasons = _deleting(remediation, policy, released, around)
        if reasons:
            held.add(remediation.digest)
            withheld.append(Withheld(remediation, tuple(reasons)))
        else:
            released.append(remediation)
    return Plan(tuple(released), tuple(withheld))


def _deleting(
    remediation: Remediation, policy: Policy, released: list[Remediation], around: Circumstances
) -> list[Reason]:
    """Why something that several subnets used may not be deleted after what is released before it."""
    reasons = [r for gate in (paused, ceiling, breaker, calendar) if (r := gate(remediation, None, policy, around))]
    if reasons:
        return reasons
    if around.estate.find(remediation.resource, facts.NatGateway) is None:
        return [Reason(Gate.UNSEEN, f"{ids.name(remediation.resource)} was not read, and somebody may use it")]
    after = forecast(around.estate, tuple(step for one in (*released, remediation) for step in one.steps))
    return [Reason(Gate.FORECAST, f"Azure would refuse it: {after.why}")] if isinstance(after, Refusal) else []


def _back(
    step: Step, original: Remediation, record: Record, judged: Judged | None, needs: tuple[str, ...]
) -> Remediation:
    empty = judged is None or judged.occupants.empty
    requirements = original.requirements
    return Remediation(
        resource=step.target,
        policy=original.policy,
        requirements=requirements,
        steps=(step,),
        reason=f"takes record {record.id} back",
        disruptions=(Disruption.NONE,) if empty else (Disruption.ADDRESS,),
        digest=digest(original.policy, requirements, step.target, (step,)),
        old_addresses=original.new_addresses,
        new_addresses=original.old_addresses,
        needs=needs,
    )


def _names(key: str, remediations: list[Remediation]) -> bool:
    return any(ids.key(remediation.resource) == key for remediation in remediations)
