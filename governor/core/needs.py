"""What must be read before a Scope can be judged and repaired: an Estate in, the ids and lists still missing out.

Reading asks this again and again until nothing is missing that can be read; so the rules of judging say by themselves
what a run reads, and nothing is read that no rule looks at.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from governor.core import ids
from governor.core.address_verdict import addresses_of
from governor.core.audits import audits_of
from governor.core.cluster import Cluster
from governor.core.estate import ABSENT, Estate, clusters, deployments, is_list, list_of, networks
from governor.core.gates import asks_deployments
from governor.core.idle import idle
from governor.core.judged import look
from governor.core.nodes import node_group
from governor.core.occupancy import cluster_subscriptions
from governor.core.path import addresses
from governor.core.policy import Policies
from governor.core.proof import asked as asked_for_proof
from governor.core.propose import Proposal, proposal
from governor.core.record import Record
from governor.core.request_verdict import azure_policy
from governor.core.rights import asked
from governor.core.standing import Standing
from governor.core.step import DeletePeering, Step, WriteInterface, WritePeering, WriteSubnet
from governor.core.undo import take_back
from governor.core.whereabouts import whereabouts

_READABLE: Final = frozenset(
    {
        ids.SUBSCRIPTION,
        ids.ENTITY,
        ids.RESOURCE_GROUP,
        ids.NAT_GATEWAY,
        ids.PUBLIC_IP,
        ids.PUBLIC_IP_PREFIX,
        ids.ROUTE_TABLE,
        ids.NETWORK_INTERFACE,
        ids.LOAD_BALANCER,
        ids.FIREWALL,
        ids.VIRTUAL_NETWORK,
        ids.SCALE_SET,
        ids.CLUSTER,
        ids.SECURITY_GROUP,
        ids.WAF_POLICY,
        ids.FRONT_DOOR_WAF,
    }
)

_NOTHING: Final = Standing()
_LISTED: Final = {
    ids.PUBLIC_IP: "publicIpAddresses",
    ids.PUBLIC_IP_PREFIX: "publicIpPrefixes",
    ids.LOAD_BALANCER: "loadBalancers",
    ids.NAT_GATEWAY: "natGateways",
}


class Needs(Struct, frozen=True):
    """What else must be read: resources by id, and lists by the names that `estate` gives them."""

    resources: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()


def for_repair(estate: Estate, policies: Policies, standing: Standing) -> Needs:
    """An Estate in, what a run that judges and repairs must still read out."""
    needs = _for(proposal(estate, policies), estate, standing)
    return _both(needs, _for_public(estate, policies))


def for_undo(estate: Estate, policies: Policies, standing: Standing, record: Record) -> Needs:
    """An Estate and the Record to take back in, what must still be read out."""
    proposal = take_back(record, estate, policies)
    targets = [target for _, step in proposal.plan.steps for target in _names(step)]
    seen = [missing for judged in look(estate, policies) for missing in judged.missing]
    needs = _for(proposal, estate, standing)
    needs = Needs((*needs.resources, *_unread((*targets, *seen), estate)), needs.lists)
    return _both(needs, _for_public(estate, policies))


def _names(step: Step) -> tuple[str, ...]:
    """A step in, the resources that must be known to imagine it out."""
    match step:
        case WriteSubnet():
            return tuple(one for one in (step.to.nat_gateway, step.to.route_table) if isinstance(one, str))
        case WriteInterface():
            return step.target, *(address for address in step.to.values() if address)
        case WritePeering() | DeletePeering():
            return ids.parent(step.target), step.remote
        case _:
            return (ids.top_level(step.target),)


def for_evidence(
    estate: Estate, policies: Policies, standing: Standing = _NOTHING, written: tuple[Step, ...] = ()
) -> Needs:
    """An Estate and what was written in; what the closing read must still read for public addresses and proofs out."""
    missing: list[str] = [*asked_for_proof(written, estate, policies)]
    for judged in look(estate, policies):
        missing += judged.missing
        if judged.path is not None and judged.policy is not None:
            missing += addresses(judged.path, estate)[1]
    read = Needs(_unread(missing, estate), _unlisted((*missing, *_clusters_of(estate, standing)), estate))
    return _both(read, _for_public(estate, policies))


def _for_public(estate: Estate, policies: Policies) -> Needs:
    """An Estate in, what must be read to know who has public addresses, and what audits look at besides, out."""
    public = addresses_of(estate, policies)
    audited = audits_of(estate, policies, public)
    missing = [one for seen in public.values() for one in seen.missing]
    missing += (one for seen in idle(estate, policies).values() for one in seen.missing)
    missing += (one for seen in audited.values() for one in seen.missing)
    missing += (one for seen in azure_policy(estate, policies).values() for one in seen.missing)
    return Needs(_unread(missing, estate), _unlisted(missing, estate))


def for_cluster(cluster_id: str, estate: Estate) -> Needs:
    """The id of a cluster that was written in, what must be read to know which networks it lives in out."""
    cluster = estate.find(cluster_id, Cluster)
    if cluster is None:
        return Needs(_unread((cluster_id,), estate))
    if cluster is ABSENT or not cluster.has_managed_network or not node_group(cluster):
        return Needs()
    return Needs(lists=_unlisted((networks(node_group(cluster)),), estate))


def for_holder(resource: str, estate: Estate) -> Needs:
    """The id of what may have a public address and was written in, what must be read to know where it lives out."""
    return Needs(_unread(whereabouts(resource, estate).missing, estate))


def _both(one: Needs, other: Needs) -> Needs:
    """Needs in, both out; what a list holds that is read now is not read by itself as well."""
    lists = tuple(dict.fromkeys((*one.lists, *other.lists)))
    resources = dict.fromkeys((*one.resources, *other.resources))
    return Needs(tuple(each for each in resources if _list_with(each) not in lists), lists)


def _list_with(resource: str) -> str:
    """The id of a resource in, the name of the list of addresses that holds it out, "" for what stands in none."""
    what = _LISTED.get(ids.kind(resource))
    return list_of(what, f"/subscriptions/{ids.parse(resource).subscription}") if what else ""


def with_targets(wanted: Needs, targets: tuple[str, ...], estate: Estate) -> Needs:
    """Needs and the targets of interrupted steps in, both out: what became of those is read, not guessed."""
    whole = tuple(ids.top_level(target) for target in targets)
    return Needs(tuple(dict.fromkeys((*wanted.resources, *_unread(whole, estate)))), wanted.lists)


def _for(proposal: Proposal, estate: Estate, standing: Standing) -> Needs:
    lists = dict.fromkeys((*proposal.missing, *_clusters_of(estate, standing)))
    if (proposal.subjects or proposal.plan.remediations) and asks_deployments(standing, estate):
        lists.update(dict.fromkeys(deployments(ids.group_of(network.id)) for network in estate.networks))
    lists.update(dict.fromkeys(asked((step for _, step in proposal.plan.steps), estate)))
    # What a change would do to those who live there is asked only where something is to be changed.
    alone = {r.digest for r in proposal.plan.remediations if ids.kind(r.resource) == ids.NETWORK_INTERFACE}
    changed = (one for digest, many in proposal.subjects.items() if digest not in alone for one in many)
    subjects = {ids.key(one.subnet.id): one for one in changed}
    lodgers = [holder for judged in subjects.values() for holder in judged.occupants.unread]
    return Needs(_unread((*proposal.missing, *lodgers), estate), _unlisted(lists, estate))


def _clusters_of(estate: Estate, standing: Standing) -> tuple[str, ...]:
    """The lists of the clusters that may live in the networks that are judged, and of those that do."""
    seen = [one for network in estate.networks for one in cluster_subscriptions(network)]
    return tuple(dict.fromkeys(map(clusters, (*seen, *(standing.clusters.subscriptions if seen else ())))))


def _unlisted(missing: Iterable[str], estate: Estate) -> tuple[str, ...]:
    """Of all that is missing, the lists that were not tried yet."""
    tried = {gap.about for gap in estate.gaps}
    names = (one for one in dict.fromkeys(missing) if is_list(one))
    return tuple(name for name in names if not estate.has_listed(name) and name not in tried)


def _unread(missing: tuple[str, ...] | list[str], estate: Estate) -> tuple[str, ...]:
    """Of all that is missing, what an id can be read for, and was not tried yet."""
    tried = estate.absent | {gap.about for gap in estate.gaps}
    return tuple(
        one
        for one in dict.fromkeys(missing)
        if ids.kind(one) in _READABLE and ids.key(one) not in tried and ids.key(one) not in estate.known
    )
