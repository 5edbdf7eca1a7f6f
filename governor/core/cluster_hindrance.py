"""Why an AKS cluster must not be changed now, or at all: a cluster, its type to be and its repair in, a reason out."""

from typing import Final

from msgspec import Struct

from governor.core import facts, ids, outbound_type
from governor.core.attachment import WriteSubnet
from governor.core.cluster import Cluster
from governor.core.cluster_verdict import Housed
from governor.core.estate import ABSENT, Estate, outbound_dependencies
from governor.core.judged import Judged, unproven
from governor.core.nodes import node_group
from governor.core.outbound_type import NONE, OWN_NAT, ROUTED
from governor.core.plan import Gate, Reason, Remediation, Withheld
from governor.core.step import Step
from governor.core.verdict import Result, Verdict

# AKS puts the public Services of a cluster on this one, and its outbound addresses as well.
PUBLIC_BALANCER: Final = "kubernetes"
_A_MINUTE: Final = 60.0
_SHOWN: Final = 3


class Case(Struct, frozen=True):
    """A cluster, the subnets of its nodes and pods as they are judged, and its Verdicts about its type and its proxy.

    pieces, held: what would be done to these subnets, and what of it is withheld. goal: the proxy that it is to have
    in the end. others: clusters in the same subnets.
    """

    housed: Housed
    subnets: tuple[Judged, ...]
    verdict: Verdict
    proxy: Verdict
    pieces: tuple[Remediation, ...] = ()
    held: tuple[Withheld, ...] = ()
    goal: tuple[Step, ...] = ()
    others: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()

    @property
    def cluster(self) -> Cluster:
        return self.housed.cluster


def hindrance(case: Case, to: str, remediation: Remediation, estate: Estate) -> tuple[Reason | None, tuple[str, ...]]:
    """A cluster in; why it is not changed now, or what must be read to know whether it may be, out."""
    cluster = case.cluster
    if cluster.unsettled:
        seen, passes = cluster.unsettled
        text = seen if passes else f"{seen}: somebody must mend it first"
        return Reason(Gate.CLUSTER, text, after=_A_MINUTE if passes else None), ()
    if cluster.is_stopped:
        return Reason(Gate.CLUSTER, f"cluster {ids.name(cluster.id)} is stopped: it is changed when it runs"), ()
    if case.others:
        names = ", ".join(map(ids.name, case.others[:_SHOWN]))
        text = f"cluster {names} uses its subnets, too: both would have to change at once; give each its own"
        return Reason(Gate.CLUSTER, text), ()
    if case.held and not cluster.has_managed_network:
        return _of_subnet(case), ()
    if case.foreign:
        text = f"its route table serves {', '.join(case.foreign[:_SHOWN])} as well, which would change with it"
        return Reason(Gate.SHARED, text), ()
    if case.verdict.result is Result.UNKNOWN:
        return Reason(Gate.UNSEEN, case.verdict.seen, after=_A_MINUTE if case.verdict.waits else None), ()
    if why := _impossible(cluster, to) or _static(cluster):
        return Reason(Gate.CLUSTER, why), ()
    routed = any(isinstance(step, WriteSubnet) and isinstance(step.to.route_table, str) for step in remediation.steps)
    written = any(ids.kind(ids.top_level(step.target)) == ids.ROUTE_TABLE for step in remediation.steps)
    if not (routed or written or to == ROUTED):
        return None, ()
    if public := [pool.name for pool in cluster.pools if pool.has_public_nodes]:
        text = (
            f"every node of pool {', '.join(public[:_SHOWN])} has a public address: AKS refuses {ROUTED} with it, and "
            "its replies would go to the appliance; move what runs there to a pool without them first"
        )
        return Reason(Gate.CLUSTER, text), ()
    reason, missing = _services(cluster, estate)
    return reason, missing if reason else (*missing, *_unasked(case, estate))


def _unasked(case: Case, estate: Estate) -> tuple[str, ...]:
    """What the cluster has to reach is asked only where somebody must be told of it, to let it out."""
    name = outbound_dependencies(case.cluster.id)
    if estate.has_listed(name) or any(gap.about == name for gap in estate.gaps):
        return ()
    return (name,) if any(one.policy and unproven(one, one.policy) for one in case.subnets) else ()


def _of_subnet(case: Case) -> Reason:
    """Why one of its subnets must not be changed, and so neither the cluster."""
    reason = case.held[0].reasons[0]
    tables = [ref.id for one in case.subnets if (ref := one.subnet.properties.route_table)]
    if case.cluster.is_kubenet and any(ids.key(ids.group_of(one)) == node_group(case.cluster) for one in tables):
        text = f"{reason.text}: attach a table of your own when you create it anew, or move it to Azure CNI"
        return Reason(reason.gate, text, reason.after)
    return reason


def _impossible(cluster: Cluster, to: str) -> str | None:
    """Why AKS would not change a cluster to a type, or why the cluster would not live on."""
    if not to:
        return None
    if why := outbound_type.refusal(outbound_type.of(cluster), to, managed=cluster.has_managed_network):
        return why
    if (cluster.network.load_balancer_sku or "").casefold() == "basic":
        return "its load balancer is Basic, and AKS changes outboundType behind a Standard one only: create it anew"
    source = cluster.properties.bootstrap_profile
    if to == NONE and (source is None or (source.artifact_source or "").casefold() != "cache"):
        return (
            "its nodes fetch what they start with from the internet (bootstrapProfile.artifactSource is not Cache): "
            "make it a network isolated cluster first"
        )
    if cluster.is_kubenet and to == OWN_NAT:
        return (
            "it is a kubenet cluster, and NAT gateways of one's own are documented for Azure CNI: move it there first"
        )
    if cluster.is_kubenet and to == ROUTED and not _own_identity(cluster):
        return (
            "it is a kubenet cluster whose system-assigned identity may not write its table's routes: "
            "give it a user-assigned identity first"
        )
    return None


def _static(cluster: Cluster) -> str:
    """Why the way out of a cluster with a static egress gateway is left alone: others know it by those addresses."""
    gateways = [pool.name for pool in cluster.pools if pool.is_gateway]
    if not gateways:
        return ""
    return (
        f"pool {', '.join(gateways[:_SHOWN])} is a static egress gateway, and whether it keeps its addresses when the "
        "way out changes is not known: delete that pool first, or exempt the cluster"
    )


def _own_identity(cluster: Cluster) -> bool:
    identity = cluster.identity
    return identity is not None and (identity.type or "").casefold() == "userassigned"


def _services(cluster: Cluster, estate: Estate) -> tuple[Reason | None, tuple[str, ...]]:
    """Public Services of a cluster that goes to an appliance: their replies would go there, too, and be dropped."""
    group = node_group(cluster)
    if not group:
        return Reason(Gate.UNSEEN, "its node resource group is not known, nor what is public there"), ()
    name = f"{group}/providers/Microsoft.Network/loadBalancers/{PUBLIC_BALANCER}"
    balancer = estate.find(name, facts.LoadBalancer)
    if balancer is ABSENT:
        return None, ()
    if balancer is None:
        gap = next((one.why for one in estate.gaps if one.about == ids.key(name)), "")
        return (Reason(Gate.UNSEEN, f"its public Services could not be read: {gap}"), ()) if gap else (None, (name,))
    profile = cluster.network.load_balancer_profile
    outbound = {ids.key(ref.id) for ref in (profile.effective or () if profile else ())}
    public = [
        one.name or ids.name(one.id)
        for one in balancer.properties.frontend_ip_configurations or ()
        if one.properties.public_ip_address and ids.key(one.properties.public_ip_address.id) not in outbound
    ]
    if not public:
        return None, ()
    text = (
        f"public Services would lose their replies to the appliance: {len(public)} frontends of load balancer "
        f"{PUBLIC_BALANCER} ({', '.join(public[:_SHOWN])}); make them internal, or publish them on the firewall first"
    )
    return Reason(Gate.CLUSTER, text), ()
