"""The Verdict about the proxy of an AKS cluster: the cluster and its policy in, what holds and why out."""

from governor.core import evidence
from governor.core.cluster import Cluster
from governor.core.estate import Estate
from governor.core.policy import Policy, Requirement
from governor.core.proxy import Wanted, differs, wanted
from governor.core.proxy_host import host_of
from governor.core.secret import of_list
from governor.core.verdict import Result, Verdict, exempted


def of_proxy(cluster: Cluster, policy: Policy, estate: Estate) -> Verdict:
    """A cluster and the policy that governs it in, its Verdict about its proxy out."""
    requirement, asked = Requirement.CLUSTER_PROXY, policy.egress.proxy
    if asked is None:
        return Verdict(cluster.id, requirement, Result.NOT_APPLICABLE, policy.name, "the policy names no proxy")
    to, host = wanted(asked, estate), host_of(asked, estate)
    if not to.known:
        return Verdict(cluster.id, requirement, Result.UNKNOWN, policy.name, unknown(to, estate))
    wrong = differs(cluster.properties.http_proxy_config, to)
    if host is not None and host.works is False:
        wrong = (*wrong, host.seen)
    if not wrong and host is not None and host.works is None:
        return Verdict(cluster.id, requirement, Result.UNKNOWN, policy.name, host.seen, to.shown)
    if not wrong:
        out = host.seen if host else "whether that gets out is not looked at (proxyHost)"
        return Verdict(
            cluster.id, requirement, Result.COMPLIANT, policy.name, f"proxy {_shown(cluster)}; {out}", to.shown
        )
    result, seen = exempted(cluster.id, requirement, policy, estate, "; ".join(wrong))
    return Verdict(cluster.id, requirement, result, policy.name, seen, to.shown)


def unknown(to: Wanted, estate: Estate) -> str:
    """A proxy that is not known in, why, out."""
    for name in to.missing:
        named = of_list(name)
        return f"{named.shown if named else name} could not be read: {estate.why(name)}"
    return to.wrong


def _shown(cluster: Cluster) -> str:
    there = cluster.proxy
    address = (there.https_proxy or there.http_proxy) if there else None
    return evidence.masked(address.reveal()) if address else "none"
