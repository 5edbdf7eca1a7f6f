"""What holds of an AKS cluster, with the evidence: a cluster and its subnets as they are judged in, Verdicts out."""

from typing import Final

from msgspec import Struct

from governor.core import ids, outbound_type
from governor.core.addon_verdict import of_addon, wants_addon
from governor.core.cluster import AgentPool, Cluster
from governor.core.estate import Estate
from governor.core.facts import PublicIp
from governor.core.nodes import node_group
from governor.core.outbound_type import LOAD_BALANCER, MANAGED_NAT, MANAGED_NAT_V2, NONE
from governor.core.path import EgressPath, addresses, describe, is_whole
from governor.core.policy import PathKind, Policy, Requirement
from governor.core.proxy_verdict import of_proxy
from governor.core.verdict import Result, Verdict, exempted, why_unread

CLUSTER_REQUIREMENTS: Final = (
    Requirement.CLUSTER_OUTBOUND_TYPE,
    Requirement.CLUSTER_NODE_PUBLIC_IP,
    Requirement.CLUSTER_PRIVATE_API,
    Requirement.CLUSTER_PROXY,
)
_SHOWN: Final = 3


class Lodging(Struct, frozen=True):
    """A subnet of a cluster as it is judged. path: how it leaves, None while that is not known.

    pods: only pods live here. undecided: why it is not known which policy governs it.
    """

    name: str
    policy: Policy | None = None
    path: EgressPath | None = None
    pods: bool = False
    undecided: str = ""


class Housed(Struct, frozen=True):
    """A cluster with the subnets that its nodes and pods leave by; the API server's leaves by nothing."""

    cluster: Cluster
    lodgings: tuple[Lodging, ...]


def governing(housed: Housed) -> Policy | str | None:
    """A cluster in; the policy of the subnets of its nodes, why none is known, or None when nobody governs it, out."""
    nodes = [one for one in housed.lodgings if not one.pods]
    if not nodes:
        return "the subnets of its nodes were not found"
    if undecided := next((one.undecided for one in nodes if one.undecided), ""):
        return undecided
    found = {one.policy.name if one.policy else "nobody": one.policy for one in nodes}
    if len(found) > 1:
        return f"pools governed by {' and '.join(sorted(found))}"
    return next(iter(found.values()))


def of_cluster(housed: Housed, estate: Estate) -> tuple[Verdict, ...]:
    """A cluster in, its Verdicts out."""
    cluster, governed = housed.cluster, governing(housed)
    if governed is None:
        nobodys = "no policy selects the subnets of its nodes"
        return (Verdict(cluster.id, Requirement.CLUSTER_OUTBOUND_TYPE, Result.UNGOVERNED, seen=nobodys),)
    if isinstance(governed, str):
        return tuple(Verdict(cluster.id, r, Result.UNKNOWN, seen=governed) for r in CLUSTER_REQUIREMENTS)
    if cluster.unsettled:
        seen, waits = cluster.unsettled
        about = (
            *CLUSTER_REQUIREMENTS,
            *([Requirement.CLUSTER_INTERNAL_LOAD_BALANCERS] if wants_addon(governed) else ()),
        )
        return tuple(Verdict(cluster.id, r, Result.UNKNOWN, governed.name, seen, waits=waits) for r in about)
    return (
        _outbound(housed, governed, estate),
        _node_addresses(cluster, governed, estate),
        _api_server(cluster, governed, estate),
        of_proxy(cluster, governed, estate),
        *([of_addon(cluster, governed, estate)] if wants_addon(governed) else ()),
    )


def wanted_types(cluster: Cluster, policy: Policy) -> tuple[str, ...]:
    """A cluster and its policy in; the types that comply, the one that a repair builds first, out; none: not asked."""
    if policy.clusters.outbound_type == "ignore":
        return ()
    if policy.clusters.outbound_type != "match":
        return (outbound_type.canonical(policy.clusters.outbound_type),)
    if policy.builds is PathKind.PROXY:
        return ()
    first = (policy.builds,) if policy.builds in policy.allowed else ()
    kinds = dict.fromkeys((*(one for one in first if one), *policy.allowed))
    managed = cluster.has_managed_network
    return tuple(dict.fromkeys(one for kind in kinds for one in outbound_type.of_path(kind, managed=managed)))


def mismatches(housed: Housed) -> tuple[str, ...]:
    """A cluster in; which of its subnets leave in another way than its type says, in words, out."""
    now = outbound_type.of(housed.cluster)
    return tuple(
        f"{one.name} leaves by {describe(one.path)}"
        for one in housed.lodgings
        if one.path is not None
        and one.path.ways
        and not all(outbound_type.carries(now, method) for method in one.path.methods)
    )


def _outbound(housed: Housed, policy: Policy, estate: Estate) -> Verdict:
    cluster, requirement = housed.cluster, Requirement.CLUSTER_OUTBOUND_TYPE
    wanted, now = wanted_types(cluster, policy), outbound_type.of(cluster)
    shown, more = _leaves_from(housed, estate)
    if not wanted:
        seen = "the policy does not look at outboundType" if policy.allowed else "the policy names no way out"
        return Verdict(cluster.id, requirement, Result.NOT_APPLICABLE, policy.name, seen, addresses=shown, more=more)
    expected = " or ".join(wanted)
    reachable = [one for one in wanted if outbound_type.exists(one, managed=cluster.has_managed_network)]
    if not reachable:
        network = "Azure manages" if cluster.has_managed_network else "is its owner's"
        expected += f", which a cluster in a network that {network} cannot have"
    wrong = mismatches(housed)
    seen = f"outboundType {now}"
    if wrong:
        seen += f", but {', '.join(wrong[:_SHOWN])}"
    if besides := _besides(cluster, now, estate):
        seen += f"; {besides}"
    fits = any(outbound_type.meets(now, one) for one in wanted)
    matched = policy.clusters.outbound_type != "match" or not wrong
    if fits and matched and policy.clusters.outbound_type == "match" and (why := _unknown(housed, estate)):
        text, waits = why
        return Verdict(cluster.id, requirement, Result.UNKNOWN, policy.name, text, expected, waits=waits)
    result = Result.COMPLIANT
    if not fits or not matched:
        result, seen = exempted(cluster.id, requirement, policy, estate, seen)
    return Verdict(cluster.id, requirement, result, policy.name, seen, expected, shown, more=more)


def _leaves_from(housed: Housed, estate: Estate) -> tuple[tuple[str, ...], bool]:
    """The public addresses that its subnets leave from, and whether there may be others."""
    paths = [one.path for one in housed.lodgings]
    shown = {address for path in paths if path for address in addresses(path, estate)[0]}
    return tuple(sorted(shown)), not all(path is not None and is_whole(path, estate) for path in paths)


def _unknown(housed: Housed, estate: Estate) -> tuple[str, bool] | None:
    """Why it is not known how one of its subnets leaves, and whether that passes by itself."""
    for one in housed.lodgings:
        if one.path is None:
            return f"how {one.name} leaves is not known", False
        if one.path.missing:
            first = one.path.missing[0]
            return f"how {one.name} leaves is not known: {ids.name(first)}: {why_unread(first, estate)}", False
        if one.path.unsettled:
            return one.path.unsettled
    return None


def _besides(cluster: Cluster, now: str, estate: Estate) -> str:
    """What else people should know of how it leaves."""
    said: list[str] = []
    public = [pool.name for pool in cluster.pools if pool.has_public_nodes]
    if public and now == NONE:
        said.append(f"public addresses on the nodes of {_few(public)} get out all the same")
    if left := _left_over(cluster, now, estate):
        said.append(f"public addresses left over in {cluster.properties.node_resource_group}: {_few(left)}")
    return "; ".join(said)


def _left_over(cluster: Cluster, now: str, estate: Estate) -> list[str]:
    """Public addresses of the node group that carry nothing out any more: of what went away, or idle."""
    balancer, gateway = cluster.network.load_balancer_profile, cluster.network.nat_gateway_profile
    found: dict[str, str] = {}
    if now != LOAD_BALANCER and balancer is not None:
        found.update({ids.key(ref.id): ids.name(ref.id) for ref in balancer.effective or ()})
    if now not in (MANAGED_NAT, MANAGED_NAT_V2) and gateway is not None:
        found.update({ids.key(ref.id): ids.name(ref.id) for ref in gateway.effective or ()})
    group = node_group(cluster)
    for address in estate.all(PublicIp) if group else ():
        idle = address.properties.ip_configuration is None and address.properties.nat_gateway is None
        if idle and ids.key(ids.group_of(address.id)) == group:
            found[ids.key(address.id)] = ids.name(address.id)
    return [name for _, name in sorted(found.items())]


def _node_addresses(cluster: Cluster, policy: Policy, estate: Estate) -> Verdict:
    requirement, expected = Requirement.CLUSTER_NODE_PUBLIC_IP, "no public addresses on nodes"
    if policy.clusters.node_public_ips == "allow":
        seen = "the policy allows public addresses on nodes"
        return Verdict(cluster.id, requirement, Result.NOT_APPLICABLE, policy.name, seen)
    public = [_public_pool(pool) for pool in cluster.pools if pool.has_public_nodes]
    gateways = [_gateway_pool(pool) for pool in cluster.pools if pool.is_gateway]
    allowed = any("staticEgressGateway" in entry.attached_to for entry in policy.public_ips.allow)
    said = [*public, *(f"{one}{'' if allowed else ', which the policy does not allow'}" for one in gateways)]
    seen = "; ".join(said[:_SHOWN]) or "no pool has any"
    result = Result.COMPLIANT
    if public or (gateways and not allowed):
        result, seen = exempted(cluster.id, requirement, policy, estate, seen)
    return Verdict(cluster.id, requirement, result, policy.name, seen, expected)


def _public_pool(pool: AgentPool) -> str:
    prefix = f" (of prefix {ids.name(pool.node_public_ip_prefix)})" if pool.node_public_ip_prefix else ""
    return f"every node of pool {pool.name} has a public address{prefix}"


def _gateway_pool(pool: AgentPool) -> str:
    size = pool.gateway_profile.public_ip_prefix_size if pool.gateway_profile else None
    return f"pool {pool.name} is a static egress gateway{f' with a /{size} of public addresses' if size else ''}"


def _api_server(cluster: Cluster, policy: Policy, estate: Estate) -> Verdict:
    requirement, api = Requirement.CLUSTER_PRIVATE_API, cluster.api_server
    if policy.clusters.private_api_server == "off":
        seen = "the policy does not look at API servers"
        return Verdict(cluster.id, requirement, Result.NOT_APPLICABLE, policy.name, seen)
    if api.private:
        seen = "private, with a public name" if api.public_name else "private"
        return Verdict(cluster.id, requirement, Result.COMPLIANT, policy.name, seen, "private")
    ranges = api.authorized_ranges or ()
    seen = f"public API server, open to {_few(ranges) if ranges else 'everybody'}"
    result, seen = exempted(cluster.id, requirement, policy, estate, seen)
    return Verdict(cluster.id, requirement, result, policy.name, seen, "private")


def _few(names: list[str] | tuple[str, ...]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
