"""The gates that look at one Remediation: why it must not run now, in words, or None.

Each reason says what a person can do about it, or after how many seconds looking again makes sense.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Final, TypeVar

from msgspec import UNSET
from msgspec.structs import replace

from governor.core import facts, ids
from governor.core.approval import ruling
from governor.core.asymmetry import lost
from governor.core.brakes import AN_HOUR
from governor.core.circumstances import Circumstances
from governor.core.dependencies import OutboundDependencies, in_short
from governor.core.estate import Estate, deployments, outbound_dependencies
from governor.core.judged import Judged, leaves_well, unproven
from governor.core.occupancy import cluster_owns, clusters_known, elsewhere_unlisted, hazards_unread
from governor.core.plan import Gate, Reason, Remediation
from governor.core.policy import Disruption, Mode, Policy, Requirement
from governor.core.rights import forbidden
from governor.core.standing import Standing
from governor.core.step import Step, WriteCluster, WriteSubnet
from governor.core.verdict import Result
from governor.core.window import in_freeze, in_window

_ROUTED: Final = frozenset({Requirement.SUBNET_EGRESS, Requirement.SUBNET_ROUTE_DEFAULT})
# A deployment that wrote the network within this time may still be writing: whether one runs is asked then.
DEPLOYMENT_MEMORY: Final = timedelta(hours=24)


AGate = Callable[[Remediation, Judged, Policy, Circumstances], Reason | None]
# One that holds for what lives in no network too.
_Blind = Callable[[Remediation, Judged | None, Policy, Circumstances], Reason | None]
_G = TypeVar("_G", bound=Callable[..., Reason | None])


def cluster(_: Remediation, judged: Judged, __: Policy, around: Circumstances) -> Reason | None:
    """The change bites at the attach, so a subnet of a cluster is repaired with its cluster only."""
    using = judged.occupants.clusters
    if using:
        names = ", ".join(ids.name(one) for one in using[:3])
        return Reason(Gate.CLUSTER, f"cluster {names} uses it: it is changed only together with its cluster")
    if cluster_owns(judged.network, around.estate):
        return Reason(Gate.CLUSTER, "its network lies in a cluster's node resource group, which is never written")
    if "cluster" in judged.occupants.kinds:
        where = elsewhere_unlisted(judged.network, around.estate)
        text = f"cluster nodes live in it: it is changed only together with its cluster{f'; {where}' if where else ''}"
        return Reason(Gate.CLUSTER, text)
    if not clusters_known(judged.network, around.estate):
        where = elsewhere_unlisted(judged.network, around.estate) or "the clusters of the subscription were not read"
        return Reason(Gate.UNSEEN, f"{where}, and one may use it")
    return None


def node_group(_: Remediation, judged: Judged, __: Policy, around: Circumstances) -> Reason | None:
    """Not even a peering is written into the network that Azure made for a cluster."""
    if cluster_owns(judged.network, around.estate):
        return Reason(Gate.CLUSTER, "its network lies in a cluster's node resource group, which is never written")
    return None


def lodgers(remediation: Remediation, judged: Judged, _: Policy, around: Circumstances) -> Reason | None:
    """Who else lives in the subnets of a cluster that is changed, and what that does to them."""
    replies = _keeps_replies(remediation, judged)
    why = hazards_unread(judged.occupants, judged.network, around.estate, with_cluster=True, replies=replies)
    return Reason(Gate.OCCUPANTS, why) if why else None


def settle(_: Remediation, judged: Judged, policy: Policy, around: Circumstances) -> Reason | None:
    """A network takes one writer; nobody else's deployment must meet ours."""
    estate, touched = around.estate, around.standing.touched
    if touched is not None:
        wait = policy.limits.settle_seconds - (estate.observed_at - touched).total_seconds()
        if wait > 0:
            return Reason(Gate.SETTLE, f"somebody else has just written the network: {wait:.0f} s to wait", after=wait)
    for name, state in _unsettled(judged.network):
        if state.casefold() in facts.WRITING:
            return Reason(Gate.SETTLE, f"{name} is {state}, so it is still being written", after=15.0)
        return Reason(Gate.SETTLE, f"{name} is {state}: somebody must mend it first")
    group = ids.group_of(judged.network.id)
    if not asks_deployments(around.standing, estate):
        return None
    if not estate.has_listed(deployments(group)):
        return Reason(Gate.UNSEEN, f"whether a deployment runs in {ids.name(group)} could not be read", after=60.0)
    running = [d for d in estate.all(facts.Deployment) if ids.key(d.id).startswith(ids.key(group) + "/")]
    if running:
        return Reason(Gate.SETTLE, f"deployment {ids.name(running[0].id)} runs in {ids.name(group)}", after=60.0)
    return None


def asks_deployments(standing: Standing, estate: Estate) -> bool:
    """Whether somebody wrote the network lately, so that a deployment of his may still run."""
    return standing.touched is not None and estate.observed_at - standing.touched < DEPLOYMENT_MEMORY


def _unsettled(network: facts.VirtualNetwork) -> Iterable[tuple[str, str]]:
    """A network in; what in it is not Succeeded, with its state, out."""
    for name, state in (
        (network.name, network.properties.provisioning_state),
        *((s.name, s.properties.provisioning_state) for s in network.properties.subnets or ()),
    ):
        if state is not None and state != facts.SUCCEEDED:
            yield name, state


def occupied(remediation: Remediation, judged: Judged, _: Policy, around: Circumstances) -> Reason | None:
    """Everything in a subnet is named, and what a change would do to it is known."""
    replies = _keeps_replies(remediation, judged)
    why = hazards_unread(judged.occupants, judged.network, around.estate, replies=replies)
    return Reason(Gate.OCCUPANTS, why) if why else None


def _keeps_replies(remediation: Remediation, judged: Judged) -> bool:
    """Whether whoever is asked replies as before: only a NAT gateway comes or goes. Or his owner said never mind."""
    if any(v.requirement == Requirement.ROUTE_ASYMMETRY and v.result is Result.EXEMPT for v in judged.verdicts):
        return True
    return all(_only_translates(step) for step in remediation.steps)


def _only_translates(step: Step) -> bool:
    match step:
        case WriteSubnet(to=to):
            return to.nat_gateway is not UNSET and to.route_table is UNSET
        case _:
            return isinstance(step, WriteCluster)


def rules(remediation: Remediation, judged: Judged, policy: Policy, around: Circumstances) -> Reason | None:
    """A route to a firewall is not egress: what lives in a subnet goes there only when its rules let it out."""
    if not _sends(remediation, judged) or not unproven(judged, policy):
        return None
    who = ", ".join(judged.occupants.names[:3])
    text = f"firewall rules not read: whether they let {who} out is not known (`ready: assumed` takes it for granted)"
    if ids.kind(remediation.resource) == ids.CLUSTER:
        return Reason(Gate.HUB, _rules_of_cluster(remediation.resource, policy, around.estate))
    return Reason(Gate.HUB, text)


def _rules_of_cluster(cluster: str, policy: Policy, estate: Estate) -> str:
    """A cluster that would go to a firewall in; what its owner must let out before anybody says `ready: assumed`."""
    name, asked = ids.name(cluster), outbound_dependencies(cluster)
    told = estate.find(ids.outbound_dependencies(cluster), OutboundDependencies)
    said = in_short(told) if isinstance(told, OutboundDependencies) else f"not known: {estate.why(asked)}"
    return (
        f"firewall rules not read: whether they let cluster {name} out is not known. Let out what it says it needs "
        f"({said}; `explain` of the cluster lists it all), then `ready: assumed` in policy "
        f"{policy.name} takes it for granted"
    )


def symmetric(remediation: Remediation, judged: Judged, _: Policy, __: Circumstances) -> Reason | None:
    """Whoever is reached from the internet would lose his replies: that is found before the route is attached."""
    told = lost(judged.verdicts) if _sends(remediation, judged) else None
    return Reason(Gate.HUB, told.seen) if told else None


def _sends(remediation: Remediation, judged: Judged) -> bool:
    """Whether a repair leads a subnet to its hub that does not leave by it yet."""
    routed = not _ROUTED.isdisjoint(remediation.requirements)
    return bool(remediation.steps) and routed and not leaves_well(judged)


def rights(remediation: Remediation, _: object, __: Policy, around: Circumstances) -> Reason | None:
    """What belongs to others is written only where they allow it, and what is missing is said before the write."""
    return forbidden(remediation.steps, around.estate)


def ceiling(_: Remediation, __: object, ___: Policy, around: Circumstances) -> Reason | None:
    """The mode of the deployment caps every policy."""
    if around.ceiling is Mode.AUDIT:
        return Reason(Gate.MODE, "the deployment is in audit mode (MODE_CEILING): reported, not repaired")
    return None


def mode(_: Remediation, judged: Judged | None, policy: Policy, ___: Circumstances) -> Reason | None:
    """The weaker of the policy's mode and, where somebody lives, `occupied`."""
    if policy.mode_for(judged is not None and not judged.occupants.empty) is Mode.AUDIT:
        return Reason(Gate.MODE, f"policy {policy.name} is in audit mode here: reported, not repaired")
    return None


def left_alone(remediation: Remediation, judged: Judged | None, __: Policy, around: Circumstances) -> Reason | None:
    """What an undo leaves behind: the resource is not repaired again for a while; with a route or a peering of it."""
    subjects = {ids.key(remediation.resource), *(ids.key(step.target) for step in remediation.steps)}
    linking = Requirement.HUB_PEERING in remediation.requirements
    if not linking and judged is not None:
        subjects.add(ids.key(judged.subnet.id))
    part = ids.PEERING if linking else ids.ROUTE
    for exemption in around.standing.exemptions:
        left = {ids.key(exemption.resource)}
        if ids.kind(exemption.resource) == part:
            left.add(ids.key(ids.parent(exemption.resource)))
        if left & subjects and exemption.until > around.estate.observed_at:
            text = f"undone by record {exemption.record}: left alone until {exemption.until:%Y-%m-%d %H:%M} UTC"
            return Reason(Gate.UNDO, text)
    return None


def paused(_: Remediation, __: object, ___: Policy, around: Circumstances) -> Reason | None:
    """The kill switch."""
    pause = around.standing.pause
    return Reason(Gate.BRAKES, f"paused by {pause.by}: {pause.reason}") if pause else None


def calendar(remediation: Remediation, _: object, policy: Policy, around: Circumstances) -> Reason | None:
    """Freeze, and the window of approved outages."""
    at = around.estate.observed_at
    if in_freeze(policy.limits.freeze, at):
        return Reason(Gate.BRAKES, "a change freeze of the policy is on", after=AN_HOUR)
    window = policy.approvals.window
    if window and Disruption.OUTAGE in remediation.disruptions and not in_window(window, at):
        return Reason(Gate.BRAKES, f"outages wait for the window {window}", after=AN_HOUR)
    return None


def breaker(_: Remediation, __: object, policy: Policy, around: Circumstances) -> Reason | None:
    """Failures in a row open the breaker; people close it (`resume`)."""
    if around.standing.failures >= policy.limits.stop_after_failures:
        text = f"{around.standing.failures} repairs failed in a row in this subscription; look at them, then resume"
        return Reason(Gate.BRAKES, text)
    return None


# In the order in which people are told.
_FIRST: Final[tuple[_Blind, ...]] = (paused, ceiling, mode)
_LAST: Final[tuple[_Blind, ...]] = (rights, left_alone, ruling, breaker, calendar)
GATES: Final[tuple[AGate, ...]] = (*_FIRST, cluster, occupied, rules, symmetric, *_LAST, settle)
# A cluster and its subnets change together; why it must not be changed at all is known since it was proposed.
CLUSTER_GATES: Final[tuple[AGate, ...]] = (*_FIRST, lodgers, rules, symmetric, *_LAST, settle)
# A peering that changes nobody's way out bites nobody.
LINK_GATES: Final[tuple[AGate, ...]] = (*_FIRST, node_group, *_LAST, settle)
# An address comes off a machine: the others in its subnet leave as before.
ADDRESS_GATES: Final[tuple[AGate, ...]] = (*_FIRST, cluster, *_LAST, settle)
# What lives in no network.
ALONE_GATES: Final = (*_FIRST, *_LAST)


def for_undo(gates: tuple[_G, ...]) -> tuple[_G, ...]:
    """The gates of a repair in, those of its undo out: all but those that ask whether to repair at all."""
    return tuple(gate for gate in gates if gate not in (mode, rules, symmetric, left_alone, ruling))


# Reasons that are about a subnet: of several, its name is told.
_OF_ONE: Final = frozenset({Gate.CLUSTER, Gate.OCCUPANTS, Gate.UNSEEN, Gate.HUB})


def held_by(
    gates: tuple[AGate, ...],
    remediation: Remediation,
    subjects: tuple[Judged, ...],
    around: tuple[Policy, Circumstances],
) -> list[Reason]:
    """Gates and a Remediation with its subjects, its policy and the circumstances in, the reasons against it out.

    A subject that another policy governs is looked at by that one's rules.
    What passes by itself is told only when nothing else is in the way: it would be long over when a person reads it.
    """
    policy, circumstances = around
    found: dict[Reason, list[str]] = {}
    for judged in subjects:
        for gate in gates:
            reason = gate(remediation, judged, judged.policy or policy, circumstances)
            if reason is not None:
                found.setdefault(reason, []).append(judged.subnet.name)
    return _lasting(
        replace(reason, text=f"{', '.join(names[:3])}: {reason.text}")
        if len(subjects) > 1 and reason.gate in _OF_ONE
        else reason
        for reason, names in found.items()
    )


def held_alone(remediation: Remediation, around: tuple[Policy, Circumstances], undo: bool = False) -> list[Reason]:
    """A Remediation of what lives in no network in, the reasons against it out."""
    gates = for_undo(ALONE_GATES) if undo else ALONE_GATES
    found = (gate(remediation, None, *around) for gate in gates)
    return _lasting([reason for reason in found if reason is not None])


def _lasting(found: Iterable[Reason]) -> list[Reason]:
    every = list(found)
    return [reason for reason in every if reason.after is None] or every
