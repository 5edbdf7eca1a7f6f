"""Who must be asked: a Remediation and what was decided in, why it waits for a person out."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from governor.core import facts, ids
from governor.core.circumstances import Circumstances
from governor.core.estate import Estate
from governor.core.judged import Judged
from governor.core.occupancy import clusters_known
from governor.core.plan import Gate, Reason, Remediation
from governor.core.policy import Disruption, Mode, Policy, weakest
from governor.core.selection import Subject, meets
from governor.core.standing import Decision, Ruling, StandingApproval
from governor.core.step import WriteAzurePolicy
from governor.core.subject import of_resource, of_subnet, subject_of


def ruling(remediation: Remediation, judged: Judged | None, policy: Policy, around: Circumstances) -> Reason | None:
    """Approvals per Remediation: a person decides what disturbs others, or what the mode only proposes.

    judged: the subnet that it is about; None for what lives in none.
    """
    decision = _decision(remediation, around)
    if decision is not None and decision.ruling is Ruling.REJECT:
        return Reason(Gate.APPROVAL, f"rejected by {decision.by}: {decision.reason}")
    if decision is not None:
        return None
    if remediation.replaces:
        return Reason(Gate.APPROVAL, f"waits for approval: it would replace {remediation.replaces}")
    if _covered(remediation, around):
        return None
    by_policy = _decided_by_policy(remediation, judged, policy, around)
    if by_policy == "reject":
        text = f"policy {policy.name} rejects {' and '.join(remediation.disruptions)} here by its own rule"
        return Reason(Gate.APPROVAL, text)
    if by_policy == "approve" and around.ceiling is Mode.ENFORCE:
        return None
    classes = [c for c in remediation.disruptions if Disruption(c) in policy.approvals.needed]
    names = judged.occupants.names if judged else ()
    allowed = weakest(around.ceiling, policy.mode_for(bool(names)))
    if not classes and allowed is Mode.ENFORCE:
        return None
    if classes:
        why = _change(remediation)
    elif policy.mode_for(bool(names)) is Mode.ENFORCE:
        why = "the deployment only proposes (MODE_CEILING)"
    elif policy.mode is Mode.ENFORCE:
        who = ", ".join(names[:2])
        why = f"policy {policy.name} only proposes where somebody lives (`occupied`), and {who} does"
    else:
        why = f"policy {policy.name} only proposes here"
    return Reason(Gate.APPROVAL, f"waits for approval: {why}")


def _decided_by_policy(
    remediation: Remediation, judged: Judged | None, policy: Policy, around: Circumstances
) -> Literal["approve", "reject"] | None:
    """What the policy itself decides (`approvals.auto`): the first rule that approves every class, or rejects any."""
    subject = _subject(remediation, judged, around.estate)
    for rule in policy.approvals.auto:
        classes = set(remediation.disruptions)
        fits = classes <= set(rule.classes) if rule.decision == "approve" else classes & set(rule.classes)
        if fits and meets(rule.select, subject):
            return rule.decision
    return None


def _subject(remediation: Remediation, judged: Judged | None, estate: Estate) -> Subject:
    if judged is None:
        fact = estate.known.get(ids.key(remediation.resource))
        known = fact if isinstance(fact, facts.PublicIp | facts.PublicIpPrefix | facts.NatGateway) else None
        where, tags = (known.location, known.tags) if known else ("", None)
        return of_resource(remediation.resource, where, tags, estate)
    kinds = judged.occupants.kinds if clusters_known(judged.network, estate) else None
    return of_subnet(judged.subnet, kinds, subject_of(judged.network, estate))


def _change(remediation: Remediation) -> str:
    classes = " and ".join(remediation.disruptions)
    if any(isinstance(step, WriteAzurePolicy) for step in remediation.steps):
        return f"class {classes}: {remediation.reason}"  # whoever agrees knows what would be refused
    if Disruption.ADDRESS not in remediation.disruptions:
        return f"class {classes}"
    old = ", ".join(remediation.old_addresses) or "an address of Azure's own"
    new = ", ".join(remediation.new_addresses) or "the addresses of the hub"
    return f"class {classes}: it leaves from {old} now, and would leave from {new}"


def _decision(remediation: Remediation, around: Circumstances) -> Decision | None:
    decision = around.standing.decisions.get(remediation.digest)
    return decision if decision is not None and decision.expires > around.estate.observed_at else None


def covering(
    remediation: Remediation, approvals: tuple[StandingApproval, ...], at: datetime
) -> tuple[StandingApproval, ...]:
    """A Remediation and standing approvals in, those that speak of one of its classes after that time out."""
    return tuple(
        approval
        for approval in approvals
        if approval.policy == remediation.policy
        and (approval.disruption in remediation.disruptions or not remediation.disruptions)
        and approval.until > at
        and (ids.key(remediation.resource) + "/").startswith(ids.key(approval.scope) + "/")
    )


def used(
    remediations: Iterable[Remediation], approvals: tuple[StandingApproval, ...], at: datetime
) -> tuple[StandingApproval, ...]:
    """What is repaired and the standing approvals in, those that any of it may owe to them out, each once."""
    return tuple(dict.fromkeys(one for remediation in remediations for one in covering(remediation, approvals, at)))


def _covered(remediation: Remediation, around: Circumstances) -> bool:
    """Whether standing approvals cover every class of a Remediation."""
    found = covering(remediation, around.standing.approvals, around.estate.observed_at)
    return bool(found) and set(remediation.disruptions) <= {approval.disruption for approval in found}
