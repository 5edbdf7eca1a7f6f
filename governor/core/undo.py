"""Taking a Record back: its steps' inverses in reverse order, past every gate but compliance.

Undo may restore a violation, but never takes the last way out away.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from governor.core import facts, ids, outbound_type, ranges
from governor.core.circumstances import Circumstances
from governor.core.cluster import Cluster
from governor.core.cluster_effects import unready
from governor.core.egress import trace
from governor.core.estate import Estate
from governor.core.forecast import Refusal, forecast
from governor.core.gates import (
    ADDRESS_GATES,
    GATES,
    breaker,
    calendar,
    ceiling,
    for_undo,
    held_alone,
    held_by,
    paused,
    rights,
    settle,
)
from governor.core.guard import spoils
from governor.core.judged import Judged, look
from governor.core.path import Method
from governor.core.plan import Gate, Plan, Reason, Remediation, Withheld, digest
from governor.core.policy import Disruption, Policies, Policy
from governor.core.propose import Proposal
from governor.core.proxy_hindrance import stays
from governor.core.record import Became, Outcome, Record
from governor.core.rights import forbidden
from governor.core.step import (
    DeleteNatGateway,
    DeletePeering,
    DeleteRoute,
    Step,
    WriteAzurePolicy,
    WriteInterface,
    WritePeering,
    WritePropagation,
    WriteProxy,
    WriteRoute,
    WriteSubnet,
    WriteTag,
    inverse,
)

# Of clusters and peerings: who else lives in the subnets, or in the group, was looked at when they were changed.
_WHOLE_GATES = (paused, ceiling, rights, breaker, calendar, settle)


def take_back(record: Record, estate: Estate, policies: Policies) -> Proposal:
    """A Record and the Estate of its Scope in, the Proposal that takes its written steps back out."""
    # What was not seen to end may have been written, too; a step that finds something else there does nothing.
    written = [o for o in record.outcomes if o.became in (Became.DONE, Became.PENDING, Became.INTERRUPTED)]
    by_digest = {outcome.remediation: _of_the_dead(outcome) for outcome in written}
    by_digest |= {remediation.digest: remediation for remediation in record.done}
    looked = tuple(look(estate, policies))
    remediations: dict[str, Remediation] = {}
    subjects: dict[str, tuple[Judged, ...]] = {}
    clusters = [r for r in by_digest.values() if ids.kind(r.resource) == ids.CLUSTER]
    for original in clusters:
        back = _cluster_back(original, [o.step for o in written if o.remediation == original.digest], record)
        if back is not None:
            remediations[back.digest] = back
            subjects[back.digest] = tuple(one for one in looked if _uses(one, original.resource))
    whole = {original.digest for original in clusters}
    for outcome in reversed(written):
        step, found = inverse(outcome.step), by_digest[outcome.remediation]
        if step is None or found.digest in whole:
            continue
        # What nobody's way out hangs on goes last, when all that used it was taken back.
        needs = tuple(remediations) if isinstance(step, DeleteNatGateway) else ()
        about = _subjects(step, looked)
        back = _back(step, found, record, about)
        remediations[back.digest] = replace(back, needs=needs)
        subjects[back.digest] = about
    return Proposal(Plan(tuple(remediations.values())), subjects)


def _of_the_dead(outcome: Outcome) -> Remediation:
    """A step of a run that died in, what is known of the repair that it was of out: the rest went with the run."""
    return Remediation(outcome.step.target, "", (), (), "", (), outcome.remediation)


def withhold(proposal: Proposal, around: Circumstances) -> Plan:
    """What would take a Record back and the circumstances in, the Plan that may run out."""
    released: list[Remediation] = []
    withheld: list[Withheld] = []
    held: set[str] = set()
    # A peering goes with both its sides or not at all: one that is left would be Disconnected.
    sides = [r for r in proposal.plan.remediations if isinstance(r.steps[0], WritePeering | DeletePeering)]
    shut = next((reason for side in sides if (reason := forbidden(side.steps, around.estate))), None)
    for remediation in proposal.plan.remediations:
        if shut is not None and remediation in sides:
            reasons = [shut]
        elif held & set(remediation.needs):
            reasons = [Reason(Gate.NEEDS, "a subnet that uses it is not taken back")]
        else:
            reasons = _reasons(remediation, proposal.subjects[remediation.digest], released, around)
        if reasons:
            held.add(remediation.digest)
            withheld.append(Withheld(remediation, tuple(reasons)))
        else:
            released.append(remediation)
    return Plan(tuple(released), tuple(withheld))


def _reasons(
    remediation: Remediation, subjects: tuple[Judged, ...], released: list[Remediation], around: Circumstances
) -> list[Reason]:
    """Why one step may not be taken back after those that are released before it."""
    policy = around.policies.find(remediation.policy) or Policy(name=remediation.policy)
    # No policy may have the last way out taken away by an undo.
    unjudged = tuple(replace(judged, policy=None) for judged in subjects)
    first = forecast(around.estate, tuple(step for one in released for step in one.steps))
    if ids.kind(remediation.resource) == ids.CLUSTER:
        reasons = held_by(_WHOLE_GATES, remediation, subjects, (policy, around))
        reasons = reasons or _resting(remediation, around.estate) or stays(remediation, subjects, first)
        return reasons or spoils(remediation, unjudged, first, around) or _left_behind(remediation, first)
    match remediation.steps[0]:
        case WriteSubnet() if not subjects:
            return [Reason(Gate.UNDO, "the subnet is gone")]
        case WriteSubnet() | WriteRoute() | DeleteRoute() | WritePropagation():
            reasons = held_by(for_undo(GATES), remediation, subjects, (policy, around))
            return reasons or spoils(remediation, unjudged, first, around)
        case WriteInterface(to=to):
            reasons = held_by(for_undo(ADDRESS_GATES), remediation, subjects, (policy, around))
            # To take an undo back takes the address away again: that its machine has another way out may be over.
            asked = unjudged if None in to.values() else ()
            return reasons or spoils(remediation, asked, first, around)
        case WriteTag() | WriteAzurePolicy():
            reasons = held_alone(remediation, (policy, around), undo=True)
            return reasons or spoils(remediation, (), first, around)
        case WritePeering() | DeletePeering() as step:
            reasons = held_by(_WHOLE_GATES, remediation, subjects, (policy, around))
            reasons = reasons or spoils(remediation, (), first, around)
            return reasons or _goes_through(step, subjects, first)
        case _:
            return _deleting(remediation, policy, released, around)


def _goes_through(
    step: WritePeering | DeletePeering, subjects: tuple[Judged, ...], first: Estate | Refusal
) -> list[Reason]:
    """Why a peering may not be changed back: somebody who lives in the network still leaves through it."""
    if isinstance(first, Refusal):
        return [Reason(Gate.FORECAST, first.why)]
    ends = (ids.parent(step.target), step.remote)
    spaces = {
        ids.key(end): fact.prefixes
        for end in ends
        if isinstance(fact := first.find(end, facts.VirtualNetwork), facts.VirtualNetwork)
    }
    for judged in subjects:
        network = first.known.get(ids.key(judged.network.id))
        if judged.occupants.empty or not isinstance(network, facts.VirtualNetwork):
            continue
        subnet = next((s for s in network.properties.subnets or () if ids.same(s.id, judged.subnet.id)), judged.subnet)
        others = [space for end, space in spaces.items() if end != ids.key(network.id)]
        for way in trace(subnet, network, first).ways:
            if way.method is Method.APPLIANCE and any(ranges.holds(space, way.via) for space in others):
                return [Reason(Gate.FORECAST, f"{subnet.name} still leaves through {way.via} on the other side")]
    return []


def _deleting(
    remediation: Remediation, policy: Policy, released: list[Remediation], around: Circumstances
) -> list[Reason]:
    """Why something that several subnets used may not be deleted after what is released before it."""
    gates = (gate(remediation, None, policy, around) for gate in (paused, ceiling, breaker, calendar))
    reasons = [reason for reason in gates if reason]
    if reasons:
        return reasons
    if around.estate.find(remediation.resource, facts.NatGateway) is None:
        return [Reason(Gate.UNSEEN, f"{ids.name(remediation.resource)} was not read, and somebody may use it")]
    after = forecast(around.estate, tuple(step for one in (*released, remediation) for step in one.steps))
    return [Reason(Gate.FORECAST, f"Azure would refuse it: {after.why}")] if isinstance(after, Refusal) else []


def _subjects(step: Step, looked: Iterable[Judged]) -> tuple[Judged, ...]:
    """A step that takes something back in, the subnets whose way out may hang on it out."""
    match step:
        case WriteSubnet():
            return tuple(one for one in looked if ids.same(one.subnet.id, step.target))
        case WriteInterface():
            return tuple(one for one in looked if _lives_in(step.target, one.subnet))
        case WriteRoute() | DeleteRoute() | WritePropagation():
            table = ids.top_level(step.target)
            named = ((one, one.subnet.properties.route_table) for one in looked)
            return tuple(one for one, ref in named if ref is not None and ids.same(ref.id, table))
        case WritePeering() | DeletePeering():
            ends = {ids.key(ids.parent(step.target)), ids.key(step.remote)}
            return tuple(one for one in looked if ids.key(one.network.id) in ends)
        case _:
            return ()


def _lives_in(nic: str, subnet: facts.Subnet) -> bool:
    return any(ids.same(ids.parent(ref.id), nic) for ref in subnet.properties.ip_configurations or ())


def _uses(judged: Judged, cluster: str) -> bool:
    return any(ids.same(one, cluster) for one in judged.occupants.clusters)


def _cluster_back(original: Remediation, steps: list[Step], record: Record) -> Remediation | None:
    """A cluster and its subnets go back together, in reverse order, or not at all; None where nothing was written."""
    # A proxy that cannot be put back is proposed as it was, so that people are told why the whole stays.
    lost = tuple(step for step in steps if isinstance(step, WriteProxy) and step.lost)
    # What several runs tried is taken back once.
    back: tuple[Step, ...] = lost or tuple(dict.fromkeys(one for step in reversed(steps) if (one := inverse(step))))
    if not back:
        return None
    return Remediation(
        resource=original.resource,
        policy=original.policy,
        requirements=original.requirements,
        steps=back,
        reason=f"takes record {record.id} back",
        disruptions=(Disruption.OUTAGE,),
        digest=digest(original.policy, original.requirements, original.resource, back),
        old_addresses=original.new_addresses,
        new_addresses=original.old_addresses,
    )


def _resting(remediation: Remediation, estate: Estate) -> list[Reason]:
    """Why a cluster cannot be written now."""
    cluster = estate.find(remediation.resource, Cluster)
    if not isinstance(cluster, Cluster):
        return [Reason(Gate.UNSEEN, f"cluster {ids.name(remediation.resource)} is gone, or was not read")]
    if cluster.unsettled:
        seen, passes = cluster.unsettled
        return [Reason(Gate.CLUSTER, seen, after=60.0 if passes else None)]
    return []


def _left_behind(remediation: Remediation, first: Estate | Refusal) -> list[Reason]:
    """Why the subnets of a cluster do not go back alone: a type that needs them as they are would stay."""
    after = first if isinstance(first, Refusal) else forecast(first, remediation.steps)
    if isinstance(first, Refusal) or isinstance(after, Refusal):
        return []
    was, now = (estate.find(remediation.resource, Cluster) for estate in (first, after))
    if not isinstance(was, Cluster) or not isinstance(now, Cluster) or unready(was, outbound_type.of(was), first.known):
        return []
    why = unready(now, outbound_type.of(now), after.known)
    return [Reason(Gate.CLUSTER, f"afterwards {why}: change its type first")] if why else []


def _back(step: Step, original: Remediation, record: Record, subjects: tuple[Judged, ...]) -> Remediation:
    inhabited = any(not one.occupants.empty for one in subjects)
    routed = isinstance(step, WriteRoute | DeleteRoute | WritePropagation)
    disruption = Disruption.OUTAGE if routed else Disruption.ADDRESS
    requirements = original.requirements
    return Remediation(
        resource=step.target,
        policy=original.policy,
        requirements=requirements,
        steps=(step,),
        reason=f"takes record {record.id} back",
        disruptions=(disruption if inhabited else Disruption.NONE,),
        digest=digest(original.policy, requirements, step.target, (step,)),
        old_addresses=original.new_addresses,
        new_addresses=original.old_addresses,
    )
