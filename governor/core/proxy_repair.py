"""The proxy of an AKS cluster in its repair: a cluster and its policy in, the write that sets it out."""

from msgspec.structs import replace

from governor.core import evidence, ids, proxy_hindrance
from governor.core.cluster import Cluster, HttpProxy
from governor.core.cluster_hindrance import Case
from governor.core.cluster_verdict import Housed, governing
from governor.core.estate import Estate
from governor.core.plan import Gate, Reason, Remediation, digest
from governor.core.policy import Disruption, Policy, Requirement
from governor.core.proxy import Value, Wanted, differs, wanted
from governor.core.proxy_step import OFF, Proxy, WriteProxy
from governor.core.secret import Concealed
from governor.core.verdict import Result


def configures(cluster: Cluster, policy: Policy, estate: Estate) -> WriteProxy | None:
    """A cluster and its policy in; the write of the policy's proxy, None when it is there, or not known, out."""
    to = _wanted(policy, estate)
    if to is None or not differs(cluster.proxy, to):
        return None
    there = cluster.proxy
    return WriteProxy(cluster.id, _named(to), was_of(there) if there else OFF, _is_lost(there, to))


def goal(housed: Housed, estate: Estate) -> tuple[WriteProxy, ...]:
    """A cluster in; the proxy that it is to have in the end, whether it has it already or not, out."""
    policy, cluster = governing(housed), housed.cluster
    to = _wanted(policy, estate) if isinstance(policy, Policy) else None
    if to is None or not isinstance(policy, Policy):
        return ()
    end = WriteProxy(ids.key(cluster.id), replace(_named(to), shown=()))
    # Whoever agreed to a first proxy has not agreed to take another one away.
    write = configures(cluster, policy, estate)
    if write and (write.lost or write.was.shown not in ((), write.to.shown)):
        end = replace(end, was=Proxy(shown=write.was.shown), lost=write.lost)
    return (end,)


def apart(case: Case) -> Reason | None:
    """A cluster in; why nothing is taken from its subnets although its proxy may be set, out."""
    if case.cluster.has_managed_network or not case.goal:
        return None
    if case.held:
        return case.held[0].reasons[0]
    closes = any(Requirement.SUBNET_EGRESS in piece.requirements for piece in case.pieces)
    why = proxy_hindrance.loses_api_server(case.cluster) if closes else ""
    return Reason(Gate.FORECAST, why) if why else None


def proxy_alone(case: Case, estate: Estate) -> Remediation | None:
    """A cluster whose subnets are held back in; the repair of its proxy alone, which cuts nobody off, out."""
    policy, cluster = governing(case.housed), case.cluster
    if not isinstance(policy, Policy) or apart(case) is None or cluster.is_stopped:
        return None
    write = configures(cluster, policy, estate) if case.proxy.result is Result.VIOLATION else None
    if write is None or proxy_hindrance.of_cluster(cluster, policy, case.proxy, estate):
        return None
    return Remediation(
        resource=cluster.id,
        policy=policy.name,
        requirements=(Requirement.CLUSTER_PROXY,),
        steps=(write,),
        reason=f"{case.proxy.seen}, expected {case.proxy.expected}",
        disruptions=(Disruption.OUTAGE, *((Disruption.IRREVERSIBLE,) if write.lost else ())),
        digest=digest(policy.name, (Requirement.CLUSTER_PROXY,), cluster.id, case.goal),
    )


def was_of(there: HttpProxy) -> Proxy:
    """The proxy of a cluster in; what a record may say of it out."""
    addresses = (there.http_proxy, there.https_proxy)
    http, https = (None if one is None or _has_secret(one) else one.reveal() for one in addresses)
    shown = tuple(evidence.masked(one.reveal()) for one in addresses if one)
    return Proxy(True, http, https, None, there.no_proxy or (), shown)


def _wanted(policy: Policy, estate: Estate) -> Wanted | None:
    asked = policy.egress.proxy
    to = wanted(asked, estate) if asked else None
    return to if to and to.known else None


def _named(to: Wanted) -> Proxy:
    http, https, trusted_ca = (one.named if one else None for one in (to.http, to.https, to.trusted_ca))
    shown = tuple(one.shown for one in (to.http, to.https) if one)
    return Proxy(True, http, https, trusted_ca, to.no_proxy, shown)


def _is_lost(there: HttpProxy | None, to: Wanted) -> bool:
    """Whether something goes that no record may hold, or that a cluster cannot be told to go without."""
    if there is None:
        return False
    pairs: tuple[tuple[Concealed | None, Value | None], ...] = (
        (there.http_proxy, to.http),
        (there.https_proxy, to.https),
    )
    changed = [now for now, then in pairs if then and now and now != then.text]
    added = any(then and now is None for now, then in pairs)
    other_ca = to.trusted_ca is not None and there.trusted_ca != to.trusted_ca.text
    return any(map(_has_secret, changed)) or added or other_ca


def _has_secret(address: Concealed) -> bool:
    return "@" in address.reveal() or evidence.masked(address.reveal()) != address.reveal().rstrip("/")
