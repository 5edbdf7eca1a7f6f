"""Ranges that stand in a cluster's list for its own way out: what a run saw of clusters in, which may leave it out.

The governor shuts nobody out: who else comes from an address cannot be seen. People are told, with the command.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from governor.core import ids, ranges
from governor.core.cluster import Cluster
from governor.core.estate import Estate
from governor.core.judged import housed, look
from governor.core.nodes import clusters_by_network, node_group
from governor.core.occupancy import clusters_known
from governor.core.path import EgressPath, Method, addresses
from governor.core.plan import Gate, Reason, Withheld, unmended
from governor.core.policy import Policies, Requirement
from governor.core.record import Became, Outcome
from governor.core.standing import KnownClusters, OwnRange
from governor.core.step import WriteCluster
from governor.core.verdict import Verdict

SOAK: Final = timedelta(days=7)
_LISTED: Final = 20


def known(before: KnownClusters, outcomes: Iterable[Outcome], estate: Estate, policies: Policies) -> KnownClusters:
    """What was known of a Scope's clusters, what became of steps and what is there now in; what is known now out.

    A range is the cluster's own while nobody but the cluster leaves from it, or where the governor has put it there.
    """
    if not all(clusters_known(network, estate) for network in estate.networks) or not estate.networks:
        return before
    living = {one.id: one for many in clusters_by_network(estate).values() for one in many}
    groups = tuple(sorted({group for one in living.values() if (group := node_group(one))}))
    let_in = {
        (ids.key(o.step.target), one)
        for o in outcomes
        if isinstance(o.step, WriteCluster) and o.became in (Became.DONE, Became.INTERRUPTED)
        for one in o.step.authorize
    }
    shut = [one for one in living.values() if one.api_server.authorized_ranges]
    subnets = tuple(look(estate, policies)) if shut else ()
    found: list[OwnRange] = []
    for cluster in shut:
        key, there = ids.key(cluster.id), cluster.api_server.authorized_ranges or ()
        stood = {one.range: one.left for one in before.ranges if ids.same(one.cluster, cluster.id)}
        paths = [one.path for one in housed(cluster, subnets).lodgings]
        now = None if cluster.unsettled else _leaves_from(paths, estate)
        own = {ranges.single(one) for path in paths if path for one in addresses(_of_itself(path, cluster), estate)[0]}
        mine = {*stood, *own, *(one for target, one in let_in if target == key)}
        for one in sorted(mine.intersection(there)):
            left = stood.get(one) if now is None else None if one in now else stood.get(one) or estate.observed_at
            found.append(OwnRange(cluster.id, one, left))
    elsewhere = {ids.parse(one).subscription.casefold() for one in living}
    elsewhere -= {ids.parse(network.id).subscription.casefold() for network in estate.networks}
    return KnownClusters(groups, tuple(found), tuple(sorted(elsewhere)))


def told(known: KnownClusters, verdicts: Iterable[Verdict], estate: Estate) -> tuple[Withheld, ...]:
    """What is known of clusters in; of those that left a way out whose range still stands, what people can do, out."""
    policies = {ids.key(v.resource): v.policy for v in verdicts if v.requirement == Requirement.CLUSTER_OUTBOUND_TYPE}
    found: list[Withheld] = []
    for cluster_id in dict.fromkeys(one.cluster for one in known.ranges if one.left is not None):
        cluster, policy = estate.find(cluster_id, Cluster), policies.get(ids.key(cluster_id))
        if not isinstance(cluster, Cluster) or not policy:
            continue
        there = cluster.api_server.authorized_ranges or ()
        left = {r.range: r.left for r in known.ranges if r.cluster == cluster_id and r.left and r.range in there}
        if not left:
            continue
        day = max(left.values()) + SOAK
        text = (
            f"its API server still lets in {', '.join(left)}, where it does not leave from any more: once nobody else "
            f"comes from there, from {day:%Y-%m-%d} on: {_command(cluster, tuple(left))}"
        )
        reason = Reason(Gate.REPLACE, text)
        found.append(unmended(cluster.id, policy, (Requirement.CLUSTER_PRIVATE_API,), reason))
    return tuple(found)


def _command(cluster: Cluster, left: tuple[str, ...]) -> str:
    stay = [one for one in cluster.api_server.authorized_ranges or () if one not in left]
    if not stay:
        stay = ["0.0.0.0/32"]  # nobody but the cluster itself; an empty list would let everybody in
    shown = ",".join(stay) if len(stay) <= _LISTED else f"<the other {len(stay)} ranges>"
    where = f"-g {ids.parse(cluster.id).resource_group} -n {ids.name(cluster.id)}"
    return f"az aks update {where} --api-server-authorized-ip-ranges {shown}"


def _of_itself(path: EgressPath, cluster: Cluster) -> EgressPath:
    """A path in, of it the ways that are the cluster's own out: its load balancer's, and those of its nodes."""
    own = (way for way in path.ways if f"{ids.key(way.via)}/".startswith(f"{ids.key(cluster.id)}/"))
    return EgressPath(tuple(own))


def _leaves_from(paths: Iterable[EgressPath | None], estate: Estate) -> set[str] | None:
    """The ways out of a cluster's subnets in, the ranges that it leaves from out; None while not all are known."""
    found: set[str] = set()
    for path in paths:
        if path is None or path.missing or path.unsettled or not path.ways:
            return None
        shown, unread = addresses(path, estate)
        if unread or any(not way.holders and way.method is not Method.NONE for way in path.ways):
            return None
        found.update(map(ranges.single, shown))
    return found or None
