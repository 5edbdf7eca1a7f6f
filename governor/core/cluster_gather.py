"""What is drafted for the subnets of an AKS cluster in, one repair of the whole cluster in its place out."""

from governor.core import ids
from governor.core.cluster import Cluster
from governor.core.cluster_hindrance import Case
from governor.core.cluster_repair import repair
from governor.core.cluster_verdict import of_cluster
from governor.core.draft import Draft
from governor.core.estate import Estate
from governor.core.judged import Judged, housed
from governor.core.policy import Requirement
from governor.core.proxy_repair import goal, proxy_alone


def gather(cluster: Cluster, subnets: tuple[Judged, ...], estate: Estate, draft: Draft) -> None:
    """What would be done to the subnets of a cluster is done with the cluster, or not at all."""
    lived = housed(cluster, subnets)
    names = {one.name for one in lived.lodgings}
    mine = tuple(one for one in subnets if one.subnet.name in names)
    keys = {ids.key(one.subnet.id) for one in mine}
    pieces = {
        r.digest: r
        for r in draft.repairs.values()
        if ids.kind(r.resource) in (ids.SUBNET, ids.ROUTE_TABLE)
        and any(ids.key(one.subnet.id) in keys for one in draft.subjects[r.digest])
    }
    held = tuple(w for w in draft.withheld if ids.key(w.remediation.resource) in keys)
    serves = [one for digest in pieces for one in draft.subjects[digest]]
    about = {one.requirement: one for one in of_cluster(lived, estate)}
    unasked = about.get(Requirement.CLUSTER_OUTBOUND_TYPE) or next(iter(about.values()))
    case = Case(
        lived,
        mine,
        unasked,
        about.get(Requirement.CLUSTER_PROXY, unasked),
        tuple(pieces.values()),
        held,
        goal(lived, estate),
        tuple(dict.fromkeys(c for one in mine for c in one.occupants.clusters if not ids.same(c, cluster.id))),
        tuple(dict.fromkeys(one.subnet.name for one in serves if ids.key(one.subnet.id) not in keys)),
    )
    found = repair(case, estate)
    if alone := proxy_alone(case, estate):
        draft.subjects[alone.digest] = mine
        draft.repairs[alone.digest] = alone
    if found is None:
        return
    draft.repairs = {digest: one for digest, one in draft.repairs.items() if digest not in pieces}
    draft.withheld = [one for one in draft.withheld if one not in held]
    draft.missing.update(dict.fromkeys(found.missing))
    if found.reason is not None:
        draft.withhold(found.remediation, found.reason, mine)
    elif not found.missing:
        draft.subjects[found.remediation.digest] = mine
        draft.repairs[found.remediation.digest] = found.remediation
    # What only these pieces needed is not made for nobody.
    left = draft.needed_by(draft.repairs.values())
    lone = draft.needed_by(pieces.values()) - left
    draft.shared = {digest: one for digest, one in draft.shared.items() if digest not in lone}
