"""What would repair an AKS cluster: a cluster and what would be done to its subnets in, one Remediation of all out.

The change bites at the attach, not where the type changes. So a subnet of a cluster is changed only together with its
cluster: who may reach its API server first, its proxy, then routes and subnets, then its type.
"""

from typing import Final

from msgspec import UNSET, Struct

from governor.core import facts, ids, outbound_type, proxy_hindrance, proxy_repair, ranges
from governor.core.attachment import Attachment, WriteSubnet
from governor.core.cluster_hindrance import Case, hindrance
from governor.core.cluster_step import WriteCluster
from governor.core.cluster_verdict import governing, wanted_types
from governor.core.estate import Estate
from governor.core.forecast import with_subnet
from governor.core.hub import routes
from governor.core.judged import Judged
from governor.core.path import addresses
from governor.core.plan import Gate, Reason, Remediation, digest
from governor.core.policy import Disruption, Policy, Requirement
from governor.core.proxy_step import WriteProxy
from governor.core.routing import WritePropagation, WriteRoute
from governor.core.step import Step
from governor.core.verdict import Result

REQUIREMENT: Final = Requirement.CLUSTER_OUTBOUND_TYPE
_SHOWN: Final = 3


class Repair(Struct, frozen=True):
    """What is proposed for a cluster. reason: why it is withheld from the start. missing: what must be read first."""

    remediation: Remediation
    reason: Reason | None = None
    missing: tuple[str, ...] = ()


def repair(case: Case, estate: Estate) -> Repair | None:
    """A cluster in, its repair out; None where nothing is to be done, or its policy only judges."""
    policy = governing(case.housed)
    if isinstance(policy, str):
        # Who governs is not known: what would be done to its subnets is withheld with them.
        first = next((one.remediation for one in (*case.held,)), next(iter(case.pieces), None))
        unknown = Reason(Gate.CLUSTER, policy)
        return None if first is None else Repair(_whole(case, first.policy, (), "", estate), unknown)
    if policy is None or policy.builds is None:
        return None
    to = _target(case, policy)
    steps = (*_proxy_first(case, policy, estate), *_steps(case, to))
    proxied = proxy_hindrance.of_cluster(case.cluster, policy, case.proxy, estate) or proxy_repair.apart(case)
    told = proxied is not None and case.proxy.result is Result.VIOLATION
    if not (steps or told) and (not case.held or case.cluster.has_managed_network):
        return None
    remediation = _whole(case, policy.name, steps, to, estate)
    reason, missing = hindrance(case, to, remediation, estate)
    if proxied is not None and (reason is None or reason.after is None):
        return Repair(remediation, proxied)
    if (
        reason is None
        and policy.egress.proxy is None
        and not missing
        and (authorize := _unauthorized(case, remediation))
    ):
        if lacking := [one for one in authorize if ranges.parsed(one) is None]:
            text = (
                f"its API server lets in authorized ranges only, and {', '.join(lacking[:_SHOWN])} is not known yet: "
                "make the NAT gateway first (an empty subnet in its network gets one at once), or have the policy name "
                "addresses that exist (`existing`)"
            )
            return Repair(remediation, Reason(Gate.CLUSTER, text))
        first_step = WriteCluster(case.cluster.id, authorize=tuple(map(ranges.single, authorize)))
        remediation = _whole(case, policy.name, (first_step, *steps), to, estate)
    return Repair(remediation, reason, missing)


def _proxy_first(case: Case, policy: Policy, estate: Estate) -> tuple[Step, ...]:
    """The write of the proxy, which comes before anything is taken away."""
    if case.proxy.result is not Result.VIOLATION or proxy_repair.apart(case):
        return ()  # where nothing is taken from the subnets it is set alone (proxy_repair)
    write = proxy_repair.configures(case.cluster, policy, estate)
    return (write,) if write else ()


def _target(case: Case, policy: Policy) -> str:
    """The type that the cluster is to have, "" where it is to keep its own."""
    wanted, now = wanted_types(case.cluster, policy), outbound_type.of(case.cluster)
    if not wanted or case.verdict.result is not Result.VIOLATION:
        return ""
    paths = [one.path for one in case.housed.lodgings if one.path is not None]
    if not case.pieces:
        # The subnets stay as they are: of several types that comply, the one that belongs to what they do.
        carried = (one for one in wanted if all(outbound_type.carries(one, m) for p in paths for m in p.methods))
        wanted = (next(carried, wanted[0]),)
    return "" if outbound_type.meets(now, wanted[0]) else wanted[0]


def _steps(case: Case, to: str) -> tuple[Step, ...]:
    cluster = case.cluster
    inside: tuple[Step, ...] = ()
    if not cluster.has_managed_network:
        inside = tuple(step for piece in case.pieces for step in piece.steps)
    if not to:
        return inside
    now = outbound_type.of(cluster)
    return (*inside, WriteCluster(cluster.id, to, now, cluster.has_managed_network))


def _whole(case: Case, policy: str, steps: tuple[Step, ...], to: str, estate: Estate) -> Remediation:
    """A cluster and its steps in, its Remediation out. Its digest names where all is to end.

    So what was approved stays approved when a run stops halfway, and the next one does the rest.
    """
    pieces = () if case.cluster.has_managed_network and not steps else case.pieces
    offered = (*case.pieces, *(one.remediation for one in case.held))
    about = dict.fromkeys(requirement for piece in offered for requirement in piece.requirements)
    if case.cluster.has_managed_network:
        about.pop(Requirement.SUBNET_PRIVATE, None)  # a subnet of AKS's own is never written
    if case.cluster.has_managed_network and case.goal:
        about.pop(Requirement.SUBNET_EGRESS, None)  # nor does it stop leaving by itself
    if case.proxy.result is Result.VIOLATION:
        about = {Requirement.CLUSTER_PROXY.value: None, **about}
    if case.verdict.result is Result.VIOLATION:
        about = {REQUIREMENT.value: None, **about}
    old = tuple(sorted({a for one in case.subnets if one.path for a in addresses(one.path, estate)[0]}))
    new = tuple(dict.fromkeys(a for piece in pieces for a in piece.new_addresses))
    if case.cluster.has_managed_network and to:
        new = (f"an address that Azure makes for {to}",) if to in outbound_type.MAKES_ADDRESSES else ()
    if not new and to and to not in outbound_type.NOWHERE and (case.held or case.cluster.has_managed_network):
        old = ()  # it cannot be changed so, and nobody knows what it would leave from
    told = [f"{one.seen}, expected {one.expected}" for one in (case.verdict, case.proxy) if one.requirement in about]
    return Remediation(
        resource=case.cluster.id,
        policy=policy,
        requirements=tuple(about),
        steps=steps,
        reason="; ".join(dict.fromkeys((*told, *(piece.reason for piece in pieces)))),
        disruptions=_disruptions(pieces, steps, case),
        digest=digest(policy, (REQUIREMENT,), case.cluster.id, _goal(case, steps, to)),
        old_addresses=old,
        new_addresses=new,
        needs=_needs(case),
        replaces=", ".join(piece.replaces for piece in pieces if piece.replaces),
    )


def _needs(case: Case) -> tuple[str, ...]:
    if case.cluster.has_managed_network:
        return ()
    own = {piece.digest for piece in case.pieces}
    return tuple(dict.fromkeys(one for piece in case.pieces for one in piece.needs if one not in own))


def _disruptions(pieces: tuple[Remediation, ...], steps: tuple[Step, ...], case: Case) -> tuple[Disruption, ...]:
    found = dict.fromkeys(Disruption(one) for piece in pieces for one in piece.disruptions)
    for step in steps:
        if isinstance(step, WriteProxy):
            found[Disruption.OUTAGE] = None
            if step.lost:
                found[Disruption.IRREVERSIBLE] = None
        if isinstance(step, WriteCluster) and step.to is not UNSET:
            found[Disruption.OUTAGE] = None
            if case.cluster.has_managed_network:
                found[Disruption.ADDRESS] = None
            if step.is_final:
                found[Disruption.IRREVERSIBLE] = None
    found.pop(Disruption.NONE, None)
    return tuple(found) or (Disruption.NONE,)


def _goal(case: Case, steps: tuple[Step, ...], to: str) -> tuple[Step, ...]:
    """Where all subnets and the cluster are to end, whatever of it holds already."""
    by_key = {ids.key(step.target): step for step in steps if isinstance(step, WriteSubnet)}
    # A route of others that is replaced was seen by whoever approved: another one is another question.
    ends: list[Step] = [step for step in steps if isinstance(step, WriteRoute) and step.was is not None]
    for judged in case.subnets:
        step = by_key.get(ids.key(judged.subnet.id))
        after = with_subnet(judged.subnet, step.to) if step else judged.subnet
        ends.append(WriteSubnet(ids.key(after.id), _attachment(after), Attachment()))
        ends += _routes(judged, after)
    ends += case.goal
    ends.append(WriteCluster(ids.key(case.cluster.id), to or outbound_type.of(case.cluster)))
    return tuple(ends)


def _routes(judged: Judged, after: facts.Subnet) -> tuple[Step, ...]:
    """A subnet and what it will be in, what its policy wants of the route table that it then has out."""
    table, wanted = after.properties.route_table, judged.policy.egress.hub if judged.policy else None
    if table is None or wanted is None or judged.hub is None:
        return ()
    key, propagation = ids.key(table.id), wanted.disable_bgp_route_propagation
    found: list[Step] = [WriteRoute(key, route) for route in routes(judged.hub, wanted)]
    if isinstance(propagation, bool):
        found.append(WritePropagation(key, propagation, not propagation))
    return tuple(found)


def _attachment(subnet: facts.Subnet) -> Attachment:
    properties = subnet.properties
    return Attachment(
        ids.key(properties.nat_gateway.id) if properties.nat_gateway else None,
        ids.key(properties.route_table.id) if properties.route_table else None,
        properties.default_outbound_access,
    )


def _unauthorized(case: Case, remediation: Remediation) -> tuple[str, ...]:
    """The new addresses that the API server does not let in yet; a private one, or one open to all, asks nobody."""
    api = case.cluster.api_server
    there = api.authorized_ranges or ()
    if api.private or not there or not any(_moves(step) for step in remediation.steps):
        return ()
    new = remediation.new_addresses or remediation.old_addresses or ("the address of the way out",)
    return tuple(one for one in new if not ranges.within(one, there))


def _moves(step: Step) -> bool:
    return not isinstance(step, WriteCluster) or step.to is not UNSET
