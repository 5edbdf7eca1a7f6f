"""What would repair what is wrong: judged subnets in, Remediations out, and what must be read to know them.

A subnet whose repair is known but cannot be built comes out withheld, with the reason. Permission to do what is
proposed is somebody else's question (guard).
"""

from collections.abc import Iterable

from msgspec import UNSET, Struct
from msgspec.structs import replace

from governor.core import facts, ids
from governor.core.estate import Estate
from governor.core.judged import Judged
from governor.core.means import Means, breaks, means, shown, unread
from governor.core.path import addresses
from governor.core.plan import Gate, Plan, Reason, Remediation, Withheld, digest
from governor.core.policy import Disruption, Policy, Requirement
from governor.core.step import Attachment, Step, WriteSubnet
from governor.core.verdict import Result


class Proposal(Struct, frozen=True):
    """A Plan before any gate, the subnets it repairs by key, and the ids that must be read to complete it."""

    plan: Plan
    judged: dict[str, Judged]
    missing: tuple[str, ...] = ()


def propose(estate: Estate, looked: Iterable[Judged]) -> Proposal:
    """An Estate and its subnets as they are judged in, the Plan that would make them compliant out."""
    shared: dict[str, Remediation] = {}
    repairs: list[Remediation] = []
    withheld: list[Withheld] = []
    judged_by_key: dict[str, Judged] = {}
    missing: dict[str, None] = {}
    for judged in looked:
        missing.update(dict.fromkeys(judged.missing))
        violated = tuple(v.requirement for v in judged.verdicts if v.result is Result.VIOLATION)
        if judged.policy is None or not violated:
            continue
        proposed = _repair(judged, judged.policy, violated, estate)
        if proposed is None:
            continue
        remediation, found = proposed
        missing.update(dict.fromkeys(found.missing))
        judged_by_key[ids.key(remediation.resource)] = judged
        if found.missing:
            tried = [one for one in found.missing if any(gap.about == ids.key(one) for gap in estate.gaps)]
            if tried:
                why = "; ".join(f"{ids.name(one)} could not be read: {estate.why(ids.key(one))}" for one in tried[:3])
                withheld.append(Withheld(remediation, (Reason(Gate.UNSEEN, why),)))
            continue
        if found.reason is not None:
            withheld.append(Withheld(remediation, (found.reason,)))
            continue
        shared.update({one.digest: one for one in found.shared})
        repairs.append(remediation)
    return Proposal(Plan((*shared.values(), *repairs), tuple(withheld)), judged_by_key, tuple(missing))


def _repair(
    judged: Judged, policy: Policy, violated: tuple[str, ...], estate: Estate
) -> tuple[Remediation, Means] | None:
    private: bool | object = UNSET
    if Requirement.SUBNET_PRIVATE in violated and policy.egress.default_outbound_access == "deny":
        private = False
    if Requirement.SUBNET_EGRESS in violated:
        if policy.builds is None:
            return None
        found = means(judged, policy, policy.builds, estate)
        if found.reason is None and not judged.occupants.empty and judged.path is not None:
            # Whoever approves must see the old addresses, too.
            old = unread(addresses(judged.path, estate)[1], estate)
            found = replace(found, missing=(*found.missing, *old))
    elif private is False and judged.verdicts[0].result in (Result.COMPLIANT, Result.EXEMPT):
        found = Means(Attachment(), reason=breaks(judged, estate))
        violated = (Requirement.SUBNET_PRIVATE,)
    else:
        # A subnet whose way out is not known is not made private either: that could be its only one.
        return None
    return _remediation(judged, policy, violated, found, private is False, estate), found


def _remediation(
    judged: Judged, policy: Policy, violated: tuple[str, ...], found: Means, private: bool, estate: Estate
) -> Remediation:
    subnet = judged.subnet
    requirements = tuple(r for r in violated if r != Requirement.SUBNET_PRIVATE or private)
    to = found.attach
    if private:
        to = Attachment(to.nat_gateway, to.route_table, default_outbound_access=False)
    steps: tuple[Step, ...] = ()
    if to != Attachment():
        steps = (WriteSubnet(subnet.id, to, _present(subnet, to), judged.occupants.empty),)
    old = addresses(judged.path, estate)[0] if judged.path else ()
    new = tuple(shown(holder, estate) for holder in found.holders)
    return Remediation(
        resource=subnet.id,
        policy=policy.name,
        requirements=requirements,
        steps=steps,
        reason="; ".join(f"{v.seen}, expected {v.expected}" for v in judged.verdicts if v.requirement in requirements),
        disruptions=_disruptions(judged, found, private, old, new),
        digest=digest(policy.name, requirements, subnet.id, steps),
        old_addresses=old,
        new_addresses=new,
        needs=tuple(one.digest for one in found.shared),
    )


def _disruptions(
    judged: Judged, found: Means, private: bool, old: tuple[str, ...], new: tuple[str, ...]
) -> tuple[Disruption, ...]:
    if judged.occupants.empty:
        return (Disruption.NONE,)
    classes: list[Disruption] = []
    if isinstance(found.attach.nat_gateway, str):
        if not old or set(old) != set(new):
            classes.append(Disruption.ADDRESS)
        if found.sku == "StandardV2":
            classes.append(Disruption.BRIEF)
    if isinstance(found.attach.route_table, str):
        classes.append(Disruption.OUTAGE)
    if private:
        classes.append(Disruption.BRIEF)
    return tuple(dict.fromkeys(classes)) or (Disruption.NONE,)


def _present(subnet: facts.Subnet, to: Attachment) -> Attachment:
    """What a subnet has now of the members that a step will write."""
    properties = subnet.properties
    return Attachment(
        nat_gateway=UNSET if to.nat_gateway is UNSET else properties.nat_gateway.id if properties.nat_gateway else None,
        route_table=UNSET if to.route_table is UNSET else properties.route_table.id if properties.route_table else None,
        default_outbound_access=UNSET if to.default_outbound_access is UNSET else properties.default_outbound_access,
    )
