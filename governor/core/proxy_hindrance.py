"""What would go wrong behind a proxy: a subnet or a cluster in, why it is not left to the proxy alone out."""

from typing import Final

from governor.core import facts, ids
from governor.core.cluster import Cluster
from governor.core.egress import trace
from governor.core.estate import Estate
from governor.core.forecast import Refusal, forecast
from governor.core.judged import Judged
from governor.core.path import EgressPath, Method, Way, describe
from governor.core.plan import Gate, Reason, Remediation
from governor.core.policy import Policy
from governor.core.proxy import holds, wanted
from governor.core.proxy_effects import unsupported
from governor.core.proxy_host import host_of
from governor.core.proxy_step import WriteProxy, gone
from governor.core.proxy_verdict import unknown
from governor.core.verdict import Result, Verdict

_SHOWN: Final = 3
# With these a cluster leaves by no load balancer of its own any more.
_QUIET: Final = ("none", "block", "userDefinedRouting")


def of_subnet(judged: Judged, policy: Policy, estate: Estate) -> Reason | None:
    """A subnet that does not leave as its proxy policy says in; why making it private is wrong, or not enough, out."""
    for way in judged.path.ways if judged.path else ():
        match way.method:
            case Method.DEFAULT_OUTBOUND:
                if machines := _machines(way, estate):
                    text = f"{machines} would be cut off: give it a way out of its own, or move it out of the subnet"
                    return Reason(Gate.OCCUPANTS, text)
            case Method.NONE:
                if machines := _machines(way, estate):
                    return Reason(Gate.OCCUPANTS, f"whether {machines} uses the proxy cannot be seen")
            case Method.OUTBOUND_RULE if ids.kind(way.via).startswith(ids.CLUSTER):
                if policy.clusters.outbound_type not in _QUIET:
                    text = (
                        f"the nodes of cluster {ids.name(way.via)} leave by its load balancer, past the proxy: say "
                        "clusters.outboundType none or userDefinedRouting, or allow loadBalancer"
                    )
                    return Reason(Gate.CLUSTER, text)
            case _:
                text = (
                    f"it leaves past the proxy, by {describe(EgressPath((way,)))}: take that out by hand, or allow it"
                )
                return Reason(Gate.REPLACE, text)
    if policy.egress.default_outbound_access != "deny":
        text = "a subnet behind a proxy is made private, and the policy does not: defaultOutboundAccess deny"
        return Reason(Gate.REPLACE, text)
    return None


def of_cluster(cluster: Cluster, policy: Policy, about: Verdict, estate: Estate) -> Reason | None:
    """A cluster and its Verdict about its proxy in; why neither it nor its subnets are touched out."""
    asked = policy.egress.proxy
    if asked is None:
        return None
    to, host = wanted(asked, estate), host_of(asked, estate)
    if not to.known:
        return Reason(Gate.UNSEEN, unknown(to, estate))
    if host is not None and host.works is None:
        return Reason(Gate.UNSEEN, host.seen)
    if host is not None and not host.works:
        return Reason(Gate.NEEDS, f"{host.seen}: mend that first")
    if about.result is Result.EXEMPT:
        return Reason(Gate.FORECAST, f"it is exempt from {about.requirement}, and would have no way out")
    if about.result is Result.VIOLATION and (why := unsupported(cluster)):
        return Reason(Gate.CLUSTER, why)
    return None


def strands(cluster: Cluster, policy: Policy, estate: Estate) -> str:
    """A cluster whose nodes have no other way out afterwards in; why the proxy does not carry them, "" when it does."""
    asked = policy.egress.proxy
    if asked is None or not holds(cluster.proxy, wanted(asked, estate)):
        return f"cluster {ids.name(cluster.id)} would have neither a way out nor the proxy of the policy"
    return loses_api_server(cluster)


def loses_api_server(cluster: Cluster) -> str:
    """A cluster whose nodes have no other way out afterwards in; why they would lose their API server, or "", out."""
    api = cluster.api_server
    if api.private or api.vnet_integration:
        return ""
    # AKS puts the name of the API server into effectiveNoProxy: nodes go there past the proxy.
    return (
        f"the API server of cluster {ids.name(cluster.id)} is public, and its nodes reach it past the proxy: "
        "without another way out they would lose it"
    )


def stays(undo: Remediation, subjects: tuple[Judged, ...], first: Estate | Refusal) -> list[Reason]:
    """What takes a cluster back in; why its proxy stays: it is in no record, or nothing else would carry the nodes."""
    writes = [step for step in undo.steps if isinstance(step, WriteProxy)]
    if lost := next((step for step in writes if step.lost), None):
        return [Reason(Gate.UNDO, gone(lost))]
    after = first if isinstance(first, Refusal) or not writes else forecast(first, undo.steps)
    if isinstance(after, Refusal) or all(step.to.enabled for step in writes):
        return []
    for judged in subjects:
        network = after.find(judged.network.id, facts.VirtualNetwork)
        found = (network.properties.subnets or ()) if isinstance(network, facts.VirtualNetwork) else ()
        subnet = next((one for one in found if ids.same(one.id, judged.subnet.id)), None)
        if isinstance(network, facts.VirtualNetwork) and subnet and not trace(subnet, network, after).works:
            return [Reason(Gate.FORECAST, f"the nodes in {subnet.name} would have no way out without the proxy")]
    return []


def _machines(way: Way, estate: Estate) -> str:
    """The machines that are no nodes of clusters among those that take a way, for people."""
    names: dict[str, None] = {}
    for member in way.members:
        holder = ids.parent(member)
        nic = estate.find(holder, facts.NetworkInterface)
        if ids.kind(holder) == ids.NETWORK_INTERFACE and isinstance(nic, facts.NetworkInterface):
            machine = nic.properties.virtual_machine
            names[f"virtual machine {ids.name(machine.id)}" if machine else f"network interface {ids.name(nic.id)}"] = (
                None
            )
    shown = ", ".join([*names][:_SHOWN])
    return shown + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
