"""Permission as a filter over the Plan: a Proposal in, the Plan that may run out, everything else with its reasons.

Without a released repair that needs it, what several repairs share is not released either; without it, no repair that
needs it.
"""

from typing import Final

from msgspec import Struct

from governor.core import facts, ids
from governor.core.brakes import brakes
from governor.core.circumstances import Circumstances, policy_of
from governor.core.cluster import Cluster
from governor.core.egress import trace
from governor.core.estate import Estate
from governor.core.forecast import Refusal, forecast, refused, with_subnet
from governor.core.gates import ADDRESS_GATES, CLUSTER_GATES, GATES, LINK_GATES, held_alone, held_by
from governor.core.judged import Judged, judge
from governor.core.path import EgressPath, Method
from governor.core.plan import Gate, Plan, Reason, Remediation, Withheld
from governor.core.policy import Disruption, Requirement
from governor.core.propose import Proposal
from governor.core.proxy_hindrance import strands
from governor.core.rights import forbidden
from governor.core.step import WriteAzurePolicy, WriteCluster, WriteInterface, WriteProxy, WriteSubnet
from governor.core.verdict import Result

_OF_CLUSTER: Final = frozenset({Requirement.CLUSTER_OUTBOUND_TYPE, Requirement.CLUSTER_PROXY})
_FIRST: Final = "DoNotEnforce"


class _View(Struct, frozen=True):
    """What is looked at together. shared: Remediations that others need and nobody asks for, of those that are allowed;

    proposed: all of them.
    """

    around: Circumstances
    subjects: dict[str, tuple[Judged, ...]]
    shared: dict[str, Remediation]
    proposed: dict[str, Remediation]


def withhold(proposal: Proposal, around: Circumstances) -> Plan:
    """What is proposed and the circumstances in, the Plan that may run with all that is withheld out."""
    proposed = {r.digest: r for r in proposal.plan.remediations}
    withheld = {w.remediation.digest: w for w in proposal.plan.withheld}
    shared: dict[str, Remediation] = {}
    for one in (r for r in proposed.values() if not r.requirements):
        if reason := forbidden(one.steps, around.estate):
            withheld[one.digest] = Withheld(one, (reason,))
        else:
            shared[one.digest] = one
    view = _View(around, proposal.subjects, shared, proposed)
    released: list[Remediation] = []
    # What several repairs need is imagined once.
    made_first: dict[tuple[str, ...], Estate | Refusal] = {}
    for repair in (r for r in proposed.values() if r.requirements):
        subjects = proposal.subjects[repair.digest]
        linking = Requirement.HUB_PEERING in repair.requirements and repair.disruptions == (Disruption.NONE,)
        reasons = _held(repair, subjects, linking, around)
        if not reasons:
            if repair.needs not in made_first:
                needed = tuple(step for one in repair.needs if one in proposed for step in proposed[one].steps)
                made_first[repair.needs] = forecast(around.estate, needed)
            reasons = spoils(repair, () if linking else subjects, made_first[repair.needs], around)
        if reasons:
            withheld[repair.digest] = Withheld(repair, tuple(reasons))
        else:
            released.append(repair)
    # Imagined before the limits cut, so that what never goes through uses up no limit; what is left is imagined again.
    released, lacking = _needed(released, withheld, view)
    released, refused = _whole(released, view)
    released, cut = brakes(released, around)
    released, spoilt = _whole(released, view) if cut else (released, [])
    withheld.update({w.remediation.digest: w for w in (*lacking, *refused, *cut, *spoilt)})
    released, lacking = _needed(released, withheld, view)
    withheld.update({w.remediation.digest: w for w in lacking})
    needed_digests = {digest for repair in released for digest in repair.needs}
    for digest, remediation in view.shared.items():
        if digest not in needed_digests:
            text = "nothing that was released needs it"
            withheld[digest] = Withheld(remediation, (Reason(Gate.NEEDS, text),))
    made = tuple(r for digest, r in view.shared.items() if digest in needed_digests)
    return Plan((*made, *released), tuple(_told(held, withheld) for held in withheld.values()))


def _told(held: Withheld, withheld: dict[str, Withheld]) -> Withheld:
    """What only an approval seems to hold in; with what it needs, where that waits for more than people, out."""
    if any(reason.gate is not Gate.APPROVAL for reason in held.reasons):
        return held
    for source in (withheld[digest] for digest in held.remediation.needs if digest in withheld):
        other = next((one for one in source.reasons if one.gate is not Gate.APPROVAL), None)
        if source.remediation.requirements and other is not None:
            return Withheld(held.remediation, (_first(source, other), *held.reasons))
    return held


def _first(source: Withheld, why: Reason) -> Reason:
    text = f"{ids.name(source.remediation.resource)} must come first, and is withheld: {why.text}"
    return Reason(Gate.NEEDS, text, why.after)


def _held(repair: Remediation, subjects: tuple[Judged, ...], linking: bool, around: Circumstances) -> list[Reason]:
    """The gates that look at a repair, by what it is about, and their reasons against it."""
    policy = policy_of(repair, around.policies)
    if not subjects:
        return held_alone(repair, (policy, around))
    kind = ids.kind(repair.resource)
    by_kind = {ids.CLUSTER: CLUSTER_GATES, ids.NETWORK_INTERFACE: ADDRESS_GATES}
    return held_by(LINK_GATES if linking else by_kind.get(kind, GATES), repair, subjects, (policy, around))


def _needed(
    released: list[Remediation], withheld: dict[str, Withheld], view: _View
) -> tuple[list[Remediation], list[Withheld]]:
    """Repairs in; those that need a repair that is not released are withheld with its reason, and so on."""
    held: dict[str, Withheld] = {}
    while True:
        there = {r.digest for r in released} | view.shared.keys()
        without = [r for r in released if not there.issuperset(r.needs)]
        if not without:
            return released, list(held.values())
        for repair in without:
            first = next(digest for digest in repair.needs if digest not in there)
            source = withheld.get(first) or held.get(first)
            name = ids.name(source.remediation.resource) if source else "what it needs"
            why = f": {source.reasons[0].text}" if source else ""
            if source and source.reasons[0].gate is Gate.APPROVAL:
                why += f" (digest {source.remediation.digest})"
            after = source.reasons[0].after if source else None
            text = f"{name} must come first, and is withheld{why}"
            held[repair.digest] = Withheld(repair, (Reason(Gate.NEEDS, text, after),))
        released = [r for r in released if r.digest not in held]


def spoils(
    repair: Remediation, subjects: tuple[Judged, ...], first: Estate | Refusal, around: Circumstances
) -> list[Reason]:
    """Imagines one repair after what comes first: Azure must take it, and it must cut none of its subjects off."""
    if isinstance(first, Refusal):
        return [Reason(Gate.FORECAST, f"Azure would refuse what it needs: {first.why}")]
    after = _after(repair, subjects, first)
    if isinstance(after, Refusal):
        return [Reason(Gate.FORECAST, f"Azure would refuse it: {after.why}")]
    for judged in subjects:
        subnet, network = _placed(judged, repair, after)
        path = trace(subnet, network, after)
        isolates = judged.policy is not None and judged.policy.egress.isolated is not None
        if not path.ways:
            return [Reason(Gate.FORECAST, "how it would leave afterwards cannot be known")]
        now = judged.path or trace(judged.subnet, judged.network, around.estate)
        served = not judged.occupants.empty and (now.works or not now.ways)
        lost = not path.works or _loses(now, path)
        if served and lost and not isolates and (cut := _cut_off(judged, after)):
            return [Reason(Gate.FORECAST, cut)]
        if not isolates and (cut := _stranded(repair, path)):
            return [Reason(Gate.FORECAST, cut)]
    return []


def _loses(now: EgressPath, then: EgressPath) -> bool:
    """How a subnet leaves and how it would in; whether somebody in it, if not everybody, would lose his way out."""
    without = {member for way in then.ways if way.method is Method.NONE for member in way.members}
    leaving = [way.members for way in now.ways if way.method is not Method.NONE]
    return any(without.intersection(members or without) for members in leaving)


def _cut_off(judged: Judged, after: Estate) -> str:
    """A subnet that has no way out after a repair in; why nothing else carries those who live there, or "", out."""
    policy, using = judged.policy, judged.occupants.clusters
    if policy is None or policy.egress.proxy is None or not using:
        return "it would take the last way out away"
    clusters = (after.find(one, Cluster) for one in using)
    return next((why for one in clusters if isinstance(one, Cluster) and (why := strands(one, policy, after))), "")


def _stranded(repair: Remediation, path: EgressPath) -> str:
    """A repair and how its subnet leaves afterwards in; which machine would have no way out to rely on, or "", out."""
    for step in repair.steps:
        if not isinstance(step, WriteInterface):
            continue
        own = {ids.key(f"{step.target}/ipConfigurations/{name}") for name, to in step.to.items() if to is None}
        for way in path.ways:
            if way.members and own.isdisjoint(map(ids.key, way.members)):
                continue
            if way.method is Method.NONE:
                return "it would take the machine's last way out away"
            if way.method is Method.DEFAULT_OUTBOUND:
                return "the machine would only have default outbound access, which is no way out to rely on"
    return ""


def _after(repair: Remediation, subjects: tuple[Judged, ...], first: Estate) -> Estate | Refusal:
    """A repair and its subjects in, the Estate after it out; a write of a subnet alone changes nothing else."""
    others = tuple(step for step in repair.steps if not isinstance(step, WriteSubnet))
    if any(isinstance(step, WriteCluster | WriteProxy) for step in others):
        return forecast(first, repair.steps)  # what AKS says of its subnets depends on their writes
    after = forecast(first, others) if others else first
    if isinstance(after, Refusal):
        return after
    by_key = {ids.key(one.subnet.id): one for one in subjects}
    for step in repair.steps:
        judged = by_key.get(ids.key(step.target))
        if judged is None or not isinstance(step, WriteSubnet):
            continue
        if why := refused(step, with_subnet(judged.subnet, step.to), judged.network, after):
            return Refusal(step, why)
    return after


def _placed(judged: Judged, repair: Remediation, after: Estate) -> tuple[facts.Subnet, facts.VirtualNetwork]:
    """A subject in, its subnet and network after the repair out."""
    subnet, found = judged.subnet, after.known.get(ids.key(judged.network.id))
    network = found if isinstance(found, facts.VirtualNetwork) else judged.network
    if ids.kind(repair.resource) in (ids.CLUSTER, ids.NETWORK_INTERFACE):
        # AKS attaches subnets of the network that it manages by itself; what an interface needs wrote its subnet.
        subnet = next((one for one in network.properties.subnets or () if ids.same(one.id, subnet.id)), subnet)
    for step in repair.steps:
        if isinstance(step, WriteSubnet) and ids.same(step.target, subnet.id):
            subnet = with_subnet(subnet, step.to)
    return subnet, network


def _whole(released: list[Remediation], view: _View) -> tuple[list[Remediation], list[Withheld]]:
    """Imagines everything that is released at once: what is not compliant then, or spoils something, is held back.

    What remains is imagined again.
    """
    if not released:
        return released, []
    around = view.around
    before = {(ids.key(v.resource), v.requirement): v.result for v in judge(around.estate, around.policies)}
    held: list[Withheld] = []
    while released and (wrong := _wrong(released, view, before)):
        held += [Withheld(r, (why,)) for r in released if (why := wrong.get(r.digest))]
        released = [r for r in released if r.digest not in wrong]
        released, more = _needed(released, {w.remediation.digest: w for w in held}, view)
        held += more
    return released, held


def _wrong(released: list[Remediation], view: _View, before: dict[tuple[str, str], Result]) -> dict[str, Reason]:
    """Remediations in; the digests of those that must not run together with the others, each with the reason, out."""
    around, shared = view.around, view.shared
    needed = {digest for r in released for digest in r.needs}
    needs = [digest for digest in shared if digest in needed]  # in the order in which it will be made
    steps = tuple(s for d in needs for s in shared[d].steps) + tuple(s for r in released for s in r.steps)
    after = forecast(around.estate, steps)
    if isinstance(after, Refusal):
        guilty = [
            r
            for r in released
            if after.step in (*r.steps, *(s for d in r.needs if d in shared for s in shared[d].steps))
        ]
        # When the others are done it is known what is left to do.
        why = Reason(Gate.FORECAST, f"together with the others, Azure would refuse it: {after.why}", after=15.0)
        return {r.digest: why for r in guilty}
    by_digest = {r.digest: promised(r, view.subjects[r.digest]) for r in released}
    places = {place for of_one in by_digest.values() for place in of_one}
    places |= {place for place, result in before.items() if result is Result.COMPLIANT}
    wrong = {
        (ids.key(v.resource), v.requirement): v
        for v in judge(after, around.policies)
        if v.result is not Result.COMPLIANT and (ids.key(v.resource), v.requirement) in places
    }
    own = {
        digest: Reason(Gate.FORECAST, f"afterwards it would be {v.result.value}: {v.seen}")
        for digest, of_one in by_digest.items()
        if (v := next((wrong[place] for place in sorted(of_one) if place in wrong), None))
    }
    if wrong and not own:
        spoiled = next(iter(wrong.values()))
        text = f"afterwards {ids.name(spoiled.resource)} would be {spoiled.result.value}: {spoiled.seen}"
        return {r.digest: Reason(Gate.FORECAST, text) for r in released}
    return own


def promised(repair: Remediation, subjects: tuple[Judged, ...]) -> frozenset[tuple[str, str]]:
    """A Remediation in; the resources and requirements that it makes compliant out.

    A route table's repair is that of its subnets, and so is a cluster's beside its own.
    """
    kept = [step.to for step in repair.steps if isinstance(step, WriteAzurePolicy)]
    if any(to is not None and to.get("enforcementMode") == _FIRST for to in kept):
        return frozenset()  # it is there, and does not act before it is known what it would refuse
    if kept and not any(kept):
        return frozenset()  # it goes, and what its policy still wants may be what cannot be told
    if ids.kind(repair.resource) in (ids.ROUTE_TABLE, ids.CLUSTER):
        own = {(ids.key(repair.resource), one) for one in repair.requirements if one in _OF_CLUSTER}
        return frozenset(own) | frozenset(
            (ids.key(v.resource), v.requirement)
            for one in subjects
            for v in one.verdicts
            if v.result is Result.VIOLATION and v.requirement in repair.requirements
        )
    return frozenset((ids.key(repair.resource), requirement) for requirement in repair.requirements)
