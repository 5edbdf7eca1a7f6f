"""What is drafted beside subnets: who has public addresses and what of ours nobody uses in, their repairs out."""

from governor.core import ids
from governor.core.address_means import Lodging, address_means
from governor.core.address_verdict import addresses_of
from governor.core.cluster import Cluster
from governor.core.draft import Draft
from governor.core.estate import Estate
from governor.core.holder import Holder
from governor.core.idle import idle
from governor.core.idle_means import idle_means
from governor.core.judged import Judged
from governor.core.nodes import node_group
from governor.core.plan import Remediation
from governor.core.policy import Policies, Requirement

_OUT = (Requirement.SUBNET_EGRESS, Requirement.SUBNET_ROUTE_DEFAULT)


def gather_addresses(looked: tuple[Judged, ...], estate: Estate, policies: Policies, draft: Draft) -> None:
    """The judged subnets and what is drafted for them in; what is done about public addresses is drafted, too."""
    by_key = {ids.key(one.subnet.id): one for one in looked}
    for seen in addresses_of(estate, policies).values():
        draft.missing.update(dict.fromkeys(seen.missing))
        for one in seen.judged:
            judged = by_key.get(one.holder.subnet)
            found = address_means(one, Lodging(judged, _ways_out(judged, draft)), estate)
            draft.missing.update(dict.fromkeys(found.missing))
            if found.withheld is not None:
                cluster = _way_out_of(one.holder, estate)
                what = one.verdict.seen.partition(";")[0]
                if cluster is None or not draft.tell(cluster.id, f"with it goes {what}"):
                    draft.withheld.append(found.withheld)
            elif found.repair is not None:
                draft.repairs[found.repair.digest] = found.repair
                draft.subjects[found.repair.digest] = (judged,) if judged is not None else ()
    for unused in idle(estate, policies).values():
        draft.missing.update(dict.fromkeys(unused.missing))
        for gateway in unused.found:
            if (repair := idle_means(gateway, estate)) is not None:
                draft.repairs[repair.digest] = repair
                draft.subjects[repair.digest] = ()


def _way_out_of(holder: Holder, estate: Estate) -> Cluster | None:
    """A frontend in, the cluster that leaves by it, and by which nobody comes in, out: it goes with its type."""
    if not holder.only_outbound:
        return None
    own = {ids.key(address.id) for address in holder.addresses}
    for cluster in estate.all(Cluster):
        profile = cluster.network.load_balancer_profile
        left_by = {ids.key(ref.id) for ref in (profile.effective or () if profile else ())}
        if own <= left_by and node_group(cluster) == ids.key(ids.group_of(holder.id)):
            return cluster
    return None


def _ways_out(judged: Judged | None, draft: Draft) -> tuple[Remediation, ...]:
    """A subnet in, the repairs that would give it its way out, out."""
    if judged is None:
        return ()
    return tuple(
        repair
        for digest, repair in draft.repairs.items()
        if any(one.subnet.id == judged.subnet.id for one in draft.subjects[digest])
        and (not set(repair.requirements).isdisjoint(_OUT) or ids.kind(repair.resource) == ids.CLUSTER)
    )
