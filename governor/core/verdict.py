"""What holds of a subnet, with the evidence: a subnet, how it leaves and its policy in, Verdicts out."""

from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from governor.core import facts, ids
from governor.core.estate import Estate, clusters, is_list
from governor.core.hub import next_hop
from governor.core.nodes import cluster_of_pods, is_of_aks
from governor.core.path import EgressPath, Method, Way, addresses, describe, is_whole
from governor.core.policy import PathKind, Policy, Requirement
from governor.core.selection import Expired, exempt
from governor.core.services import needs_of


class Result(StrEnum):
    COMPLIANT = "Compliant"
    VIOLATION = "Violation"
    EXEMPT = "Exempt"
    UNKNOWN = "Unknown"
    NOT_APPLICABLE = "NotApplicable"
    UNGOVERNED = "Ungoverned"


class Verdict(Struct, frozen=True, omit_defaults=True, gc=False):
    """One judgement. `seen` and `expected` are words for people; `addresses`: the public addresses it leaves from.

    waits: Unknown only because a resource is being written; looking again soon will tell. more: it may leave from other
    addresses as well, which are not known or change.
    """

    resource: str
    requirement: str
    result: Result
    policy: str | None = None
    seen: str = ""
    expected: str = ""
    addresses: tuple[str, ...] = ()
    waits: bool = False
    more: bool = False


class Finding(Struct, frozen=True, gc=False):
    """How a subnet leaves, seen by a policy. fits: every way is one that the policy allows. missing: what is unread.

    more: there are addresses that are not known.
    """

    path: EgressPath
    fits: bool
    seen: str
    addresses: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    more: bool = False


SUBNET_REQUIREMENTS: Final = (Requirement.SUBNET_EGRESS, Requirement.SUBNET_PRIVATE)
_EXPECTED: Final = {
    PathKind.NAT_GATEWAY: "NAT gateway",
    PathKind.HUB: "route to the hub",
    PathKind.VIRTUAL_WAN: "virtual WAN",
    PathKind.ON_PREMISES: "route to on-premises",
    PathKind.LOAD_BALANCER: "load balancer",
    PathKind.ISOLATED: "no way out",
    PathKind.PROXY: "proxy",
}


def find(path: EgressPath, network: facts.VirtualNetwork, policy: Policy, estate: Estate) -> Finding:
    """A path and the policy that governs it in, what it is to that policy out."""
    missing = path.missing or _unread_firewall(path, network, policy, estate)
    if missing or path.unsettled:
        seen = (
            "; ".join(f"{_short(m)}: {why_unread(m, estate)}" for m in missing[:3])
            or (path.unsettled or ("", False))[0]
        )
        return Finding(path, False, seen, missing=missing)
    allowed = policy.allowed
    fits = all(_kind(way, network, policy, estate) in allowed for way in path.ways)
    seen = describe(path)
    if fits and policy.egress.proxy is not None and Method.NONE in path.methods:
        seen = f"{seen} but the proxy"
    return Finding(path, fits, seen, addresses(path, estate)[0], more=not is_whole(path, estate))


def of_egress(subnet: facts.Subnet, finding: Finding, policy: Policy, estate: Estate) -> Verdict:
    """A subnet and how it leaves in, its Verdict about that out, with what the services in it need."""
    verdict = _of_egress(subnet, finding, policy, estate)
    needs = needs_of(subnet)
    return replace(verdict, seen="; ".join((verdict.seen, *needs))) if needs else verdict


def _of_egress(subnet: facts.Subnet, finding: Finding, policy: Policy, estate: Estate) -> Verdict:
    requirement, allowed = Requirement.SUBNET_EGRESS, policy.allowed
    if not allowed:
        return Verdict(subnet.id, requirement, Result.NOT_APPLICABLE, policy.name, "the policy names no way out")
    if subnet.properties.delegations and (service := foreign_delegation(subnet, policy, estate)):
        return Verdict(subnet.id, requirement, Result.NOT_APPLICABLE, policy.name, f"delegated to {service}")
    if finding.missing:
        return unknown(subnet, requirement, policy, finding.seen)
    if finding.path.unsettled:
        return unknown(subnet, requirement, policy, *finding.path.unsettled)
    result, seen = Result.COMPLIANT, finding.seen
    if not finding.fits:
        result, seen = exempted(subnet.id, requirement, policy, estate, seen)
    return Verdict(
        subnet.id, requirement, result, policy.name, seen, _expected(allowed), finding.addresses, more=finding.more
    )


@lru_cache(maxsize=64)
def _expected(allowed: tuple[PathKind, ...]) -> str:
    return " or ".join(_EXPECTED[kind] for kind in allowed)


def of_privacy(subnet: facts.Subnet, policy: Policy, estate: Estate) -> Verdict:
    """A subnet in, its Verdict about default outbound access out."""
    requirement = Requirement.SUBNET_PRIVATE
    if policy.egress.default_outbound_access == "allow":
        seen = "the policy allows default outbound access"
        return Verdict(subnet.id, requirement, Result.NOT_APPLICABLE, policy.name, seen)
    if subnet.properties.delegations:
        seen = "default outbound access does not apply to delegated subnets"
        return Verdict(subnet.id, requirement, Result.NOT_APPLICABLE, policy.name, seen)
    if subnet.properties.default_outbound_access is False:
        return Verdict(subnet.id, requirement, Result.COMPLIANT, policy.name, "private", "private")
    result, seen = exempted(subnet.id, requirement, policy, estate, "not private: defaultOutboundAccess is not false")
    return Verdict(subnet.id, requirement, result, policy.name, seen, "private")


def exempted(resource: str, requirement: Requirement, policy: Policy, estate: Estate, seen: str) -> tuple[Result, str]:
    """What would be a Violation in, what it is with the policy's exemptions out."""
    match exempt(policy, resource, requirement, estate.observed_at):
        case None:
            return Result.VIOLATION, seen
        case Expired(exemption=past):
            return Result.VIOLATION, f"{seen}; the exemption of {past.owner} ended on {past.until}"
        case one:
            return Result.EXEMPT, f"{seen}; exempt until {one.until} ({one.owner}: {one.reason})"


def _kind(way: Way, network: facts.VirtualNetwork, policy: Policy, estate: Estate) -> PathKind | None:
    """A way in, the kind of path it is to this policy out; None for one that no policy can allow."""
    match way.method:
        case Method.NAT_GATEWAY:
            return PathKind.NAT_GATEWAY
        case Method.GATEWAY:
            return PathKind.ON_PREMISES
        case Method.OUTBOUND_RULE | Method.IMPLICIT_SNAT:
            return PathKind.LOAD_BALANCER
        case Method.NONE if policy.egress.proxy is not None:
            # Whether a machine uses the proxy cannot be seen; nodes of clusters have it configured.
            machines = (one for one in way.members if ids.kind(one).startswith(ids.NETWORK_INTERFACE))
            return PathKind.ISOLATED if any(machines) else PathKind.PROXY
        case Method.NONE:
            isolated = policy.egress.isolated
            firm = isolated is None or isolated.route == "off" or way.via == "route"
            return PathKind.ISOLATED if firm else None
        case Method.APPLIANCE:
            hub = policy.egress.hub
            return PathKind.HUB if hub is None or way.via == next_hop(network, hub, estate) else None
        case Method.INSTANCE_PUBLIC_IP | Method.DEFAULT_OUTBOUND:
            return None


def _unread_firewall(
    path: EgressPath, network: facts.VirtualNetwork, policy: Policy, estate: Estate
) -> tuple[str, ...]:
    """The firewall that must be read to say whether an appliance is the hub."""
    if policy.egress.hub is None or Method.APPLIANCE not in path.methods:
        return ()
    hop = next_hop(network, policy.egress.hub, estate)
    return (hop.id,) if isinstance(hop, facts.Ref) else ()


def foreign_delegation(subnet: facts.Subnet, policy: Policy, estate: Estate) -> str | None:
    """A delegated service whose subnets this policy does not know how to repair, or None.

    A subnet of pods leaves with its cluster; that of an API server has the same delegation, and no way out.
    """
    # Whose it is, is not known before the clusters are listed; how it leaves is not, either.
    listed = estate.has_listed(clusters(ids.parse(subnet.id).subscription))
    if is_of_aks(subnet) and (not listed or cluster_of_pods(subnet, estate) is not None):
        return None
    known = {name.casefold(): paths for name, paths in policy.egress.delegations.items()}
    for service in subnet.delegated_to:
        if not set(known.get(service.casefold(), ())) & set(policy.allowed):
            return service
    return None


def unknown(subnet: facts.Subnet, requirement: Requirement, policy: Policy, seen: str, waits: bool = False) -> Verdict:
    """A subnet and why nothing can be said of it in, the Verdict Unknown out."""
    return Verdict(subnet.id, requirement, Result.UNKNOWN, policy.name, seen, waits=waits)


def why_unread(missing: str, estate: Estate) -> str:
    """The id of something that is named and not known in, why out."""
    if ids.key(missing) in estate.absent:
        return "named, but it does not exist"
    # Lists go by names of their own, which are no ids.
    return estate.why(missing if is_list(missing) else ids.key(missing))


def _short(missing: str) -> str:
    """What is missing, in words."""
    if ids.kind(missing).startswith(ids.SCALE_SET):
        return f"instances of scale set {ids.parse(missing).names[0]}"
    what, _, where = missing.removesuffix(")").partition("(")
    if what == "learnedRoutes":
        return f"learned routes of {ids.name(where)}"
    if what == "clusters":
        return "clusters of the subscription"
    return ids.name(missing) if missing.startswith("/") else missing


def results(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """Verdicts in, how many there are of each Result out."""
    counts: dict[str, int] = {}
    for verdict in verdicts:
        counts[verdict.result.value] = counts.get(verdict.result.value, 0) + 1
    return counts
