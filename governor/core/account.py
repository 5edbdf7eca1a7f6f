"""What a run comes to: the Plan, what was written and what was seen afterwards in; what is told of it out."""

from datetime import datetime
from typing import Final

from msgspec import UNSET, Struct

from governor.core import facts, ids, outbound_type, proxy, sighting
from governor.core.cause import Remainder, Scope, VirtualNetwork
from governor.core.cluster import Cluster
from governor.core.estate import ABSENT, REQUEST_LISTS, Estate, list_of
from governor.core.forecast import with_subnet
from governor.core.hub_verdict import route_of
from governor.core.link import flags_of
from governor.core.nodes import node_group
from governor.core.peering import Flags, is_behind, is_cut
from governor.core.plan import Plan, Withheld
from governor.core.proxy_effects import of_step
from governor.core.record import Became, Outcome
from governor.core.request_facts import RequestFact
from governor.core.request_step import holds
from governor.core.request_there import strangers
from governor.core.standing import Standing
from governor.core.step import (
    DeleteAddress,
    DeleteNatGateway,
    DeletePeering,
    DeleteRoute,
    Step,
    WriteAzurePolicy,
    WriteCluster,
    WriteInterface,
    WritePeering,
    WritePropagation,
    WriteProxy,
    WriteRoute,
    WriteSubnet,
    WriteTag,
)
from governor.core.verdict import SUBNET_REQUIREMENTS, Result, Verdict
from governor.core.whereabouts import elsewhere

_A_MINUTE: Final = 60.0


class Written(Struct):
    """What a run wrote, in order. wait: it must look again, and not within `after` seconds: Azure asked for that.

    stopped: why it ended early. left: not begun.
    """

    outcomes: list[Outcome]
    wait: bool = False
    after: float = 0.0
    stopped: str = ""
    left: list[Withheld] = []

    @property
    def done(self) -> tuple[Step, ...]:
        """The steps that hold now."""
        return tuple(one.step for one in self.outcomes if one.became in (Became.DONE, Became.UNCHANGED))


def stopped(plan: Plan, written: Written) -> Plan:
    """A Plan and how far it got in, the Plan that says of the rest why it was not done out."""
    if not written.left:
        return plan
    begun = {outcome.remediation for outcome in written.outcomes}
    return Plan(tuple(r for r in plan.remediations if r.digest in begun), (*plan.withheld, *written.left))


def look_again(plan: Plan, verdicts: tuple[Verdict, ...], written: Written) -> float | None:
    """Seconds until it makes sense to look again; None when the run is settled."""
    afters = [reason.after for held in plan.withheld for reason in held.reasons if reason.after is not None]
    if written.wait or any(verdict.waits for verdict in verdicts):
        afters.append(0.0)
    # AKS takes one write of a cluster a minute, whatever else could go on before that.
    busy = any(o.became is Became.PENDING and isinstance(o.step, WriteCluster | WriteProxy) for o in written.outcomes)
    return max(min(afters), written.after, _A_MINUTE if busy else 0.0) if afters else None


def came_late(before: tuple[Verdict, ...], now: tuple[Verdict, ...], plan: Plan, written: Written) -> bool:
    """Whether the closing read saw a violation that the Plan could not know of: its event is absorbed from now on."""
    failed = {outcome.remediation for outcome in written.outcomes if outcome.became is Became.FAILED}
    told = {ids.key(w.remediation.resource) for w in plan.withheld}
    told |= {ids.key(r.resource) for r in plan.remediations if r.digest in failed}
    planned = {ids.key(r.resource) for r in plan.remediations}
    told |= {ids.key(v.resource) for v in before if v.result is Result.VIOLATION} - planned
    return any(v.result is Result.VIOLATION and ids.key(v.resource) not in told for v in now)


def named(scope: Scope, *seen: Estate) -> tuple[str, ...]:
    """A Scope and what was seen of it, before and after writing, in; the keys whose events concern it out, sorted.

    All that was read or looked for, whether to judge or to know what may be done; with what a gateway learned, the
    gateway; and the peerings of other networks that lead here.
    """
    every = (one for estate in seen for one in (*estate.known, *estate.absent))
    # What management groups assign stands above all subscriptions, and tells of no event of theirs.
    read = {ids.key(ids.top_level(one)) for one in every if ids.kind(one)}
    # Of all clusters and addresses of a subscription those that live elsewhere concern nobody here.
    read -= {ids.key(one.id) for estate in seen for one in estate.all(Cluster) if not _lives_in(one, scope)}
    read -= {key for estate in seen for key in (*elsewhere(estate), *strangers(estate))}
    leading = {
        ids.key(peering.id)
        for estate in seen
        for network in estate.all(facts.VirtualNetwork)
        for peering in network.peerings
        if ids.same(peering.remote, scope.key)
    }
    return tuple(sorted(read | leading))


def _lives_in(cluster: Cluster, scope: Scope) -> bool:
    """Whether a cluster uses a subnet of a network, or the network is in its node group."""
    if not isinstance(scope, VirtualNetwork):
        return False
    uses = any(ids.same(ids.parent(subnet), scope.key) for subnet in cluster.subnets)
    return uses or node_group(cluster) == ids.key(ids.group_of(scope.key))


def interrupted(step: Step, remediation: str, at: datetime, estate: Estate) -> Outcome:
    """A step of a run that died: what ARM holds now says whether it took effect."""
    holds = _holds(step, estate)
    detail = {True: "it holds now", False: "it does not hold now", None: "whether it holds was not read"}[holds]
    return Outcome(step, remediation, Became.INTERRUPTED, detail, started=at)


def _holds(step: Step, estate: Estate) -> bool | None:
    match step:
        case WriteSubnet():
            return _written(step, estate)
        case WriteCluster():
            cluster = estate.find(step.target, Cluster)
            if not isinstance(cluster, Cluster):
                return None
            there = cluster.api_server.authorized_ranges or ()
            typed = step.to is UNSET or outbound_type.meets(outbound_type.of(cluster), step.to)
            return typed and all(one in there for one in step.authorize)
        case WriteProxy():
            return _proxied(step, estate)
        case WriteInterface():
            nic = estate.find(step.target, facts.NetworkInterface)
            if not isinstance(nic, facts.NetworkInterface):
                return None
            return _holding(nic) == {**_holding(nic), **_keyed(step.to)}
        case WriteTag():
            one = estate.known.get(ids.key(step.target))
            if not isinstance(one, facts.PublicIp | facts.PublicIpPrefix | facts.NatGateway):
                return None
            return (one.tags or {}).get(step.name) == step.to
        case WriteAzurePolicy():
            return _kept(step, estate)
        case WriteRoute() | DeleteRoute() | WritePropagation():
            table = estate.find(ids.top_level(step.target), facts.RouteTable)
            return None if table is None else _routed(step, None if table is ABSENT else table)
        case WritePeering() | DeletePeering():
            network = estate.find(ids.top_level(step.target), facts.VirtualNetwork)
            return None if network is None else _peered(step, None if network is ABSENT else network)
        case _:
            key, deletes = ids.key(step.target), isinstance(step, DeleteNatGateway | DeleteAddress)
            return not deletes if key in estate.known else deletes if key in estate.absent else None


def _proxied(step: WriteProxy, estate: Estate) -> bool | None:
    """Whether a cluster has the proxy of a step; None where a secret that it names was not read."""
    cluster, to = estate.find(step.target, Cluster), of_step(step.to, estate.secrets)
    if not isinstance(cluster, Cluster) or not to.known:
        return None
    return proxy.holds(cluster.proxy, to) if step.to.enabled else cluster.proxy is None


def _kept(step: WriteAzurePolicy, estate: Estate) -> bool | None:
    """Whether something is in Azure Policy as a step wanted it; None where Azure Policy was not read."""
    fact = estate.known.get(ids.key(step.target))
    if isinstance(fact, RequestFact):
        return step.to is not None and holds(step.to, fact.properties)
    scope = f"/subscriptions/{ids.parse(step.target).subscription}"
    return step.to is None if estate.has_listed(list_of(REQUEST_LISTS[0], scope)) else None


def _holding(nic: facts.NetworkInterface) -> dict[str, str]:
    """An interface in; by name of its ip configurations, the keys of their public addresses, "" for none, out."""
    given = {one.name: one.properties.public_ip_address for one in nic.properties.ip_configurations or ()}
    return _keyed({name: ref.id if ref else None for name, ref in given.items()})


def _keyed(held: dict[str, str | None]) -> dict[str, str]:
    return {name: ids.key(address or "") for name, address in held.items()}


def _routed(step: WriteRoute | DeleteRoute | WritePropagation, table: facts.RouteTable | None) -> bool:
    if isinstance(step, WritePropagation):
        return table is not None and bool(table.properties.disable_bgp_route_propagation) == step.disabled
    name, there = ids.name(step.target).casefold(), (table.properties.routes or ()) if table else ()
    route = next((one for one in there if one.name.casefold() == name), None)
    if isinstance(step, DeleteRoute):
        return route is None
    now = None if route is None else route_of(route)
    return now is not None and (now.prefix, now.way) == (step.to.prefix, step.to.way)


def _peered(step: WritePeering | DeletePeering, network: facts.VirtualNetwork | None) -> bool:
    side = next((one for one in network.peerings if ids.same(one.id, step.target)), None) if network else None
    if isinstance(step, DeletePeering) or side is None:
        return isinstance(step, DeletePeering) and side is None
    there = side.properties
    if is_cut(there.peering_state) or (step.sync and is_behind(there.peering_sync_level)):
        return False
    now = flags_of(side)
    return all(getattr(step.to, name) in (UNSET, getattr(now, name)) for name in Flags.__struct_fields__)


def _written(step: WriteSubnet, estate: Estate) -> bool | None:
    for network in estate.networks:
        for subnet in network.properties.subnets or ():
            if ids.same(subnet.id, step.target):
                return _attached(subnet, step)
    return None


def _attached(subnet: facts.Subnet, step: WriteSubnet) -> bool:
    after = with_subnet(subnet, step.to).properties
    now = subnet.properties
    return all(
        ids.key(a.id if a else "") == ids.key(b.id if b else "")
        for a, b in ((after.nat_gateway, now.nat_gateway), (after.route_table, now.route_table))
    ) and (after.default_outbound_access == now.default_outbound_access)


def unread(scope: Scope, estate: Estate, standing: Standing) -> tuple[Verdict, ...]:
    """A Scope that could not be read is never compliant: what stood there is Unknown now."""
    why = estate.why(scope.key)
    if isinstance(scope, Remainder):
        seen = estate.find(scope.key, facts.Subscription) is not None
        return () if seen else (sighting.of_subscription(scope, f"cannot be read: {why}"),)
    if estate.networks or estate.find(scope.id, facts.VirtualNetwork) is ABSENT:
        return ()
    stood = tuple(sighting.unseen(verdict, why) for verdict in standing.verdicts)
    return stood or tuple(Verdict(scope.id, r, Result.UNKNOWN, seen=why) for r in SUBNET_REQUIREMENTS)


def newly_withheld(plan: Plan, standing: Standing) -> bool:
    """Whether other things are withheld than the last run said, or for other gates."""
    offered = {w.remediation.digest: tuple(sorted({r.gate.value for r in w.reasons})) for w in plan.withheld}
    return offered != standing.offered
