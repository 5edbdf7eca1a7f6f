"""Every subnet with what was made of it: an Estate and policies in, Judged subnets and all Verdicts out."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

from msgspec import Struct

from governor.core import facts, ids, verdict
from governor.core.address_verdict import SeenAddresses, addresses_of
from governor.core.asymmetry import Reached
from governor.core.audits import audits_of
from governor.core.cluster import Cluster
from governor.core.cluster_verdict import Housed, Lodging, of_cluster
from governor.core.egress import nat_gateway_of, trace, unsettled_state
from governor.core.estate import Estate, clusters
from governor.core.firewall_verdict import of_firewall
from governor.core.ground import Audited
from governor.core.hub import Hub, carried, hub_of
from governor.core.hub_verdict import ROUTE_REQUIREMENTS, Routed, Spoke, of_routes, of_spoke
from governor.core.idle import SeenIdle, idle
from governor.core.learned import Learned, learned
from governor.core.link import link
from governor.core.nodes import clusters_by_network
from governor.core.occupancy import (
    SPECIAL,
    Occupants,
    cluster_subscriptions,
    clusters_by_subnet,
    clusters_known,
    occupants,
)
from governor.core.path import EgressPath
from governor.core.policy import Policies, Policy, Requirement
from governor.core.proxy_host import unread
from governor.core.request_verdict import SeenKept, azure_policy
from governor.core.selection import Selected, Undecided, Ungoverned, by_network, select
from governor.core.subject import of_subnet, read_for, subject_of
from governor.core.verdict import SUBNET_REQUIREMENTS, Finding, Result, Verdict

# Of several verdicts on one network, the one that people must know of.
_GRAVITY: Final = (Result.VIOLATION, Result.UNKNOWN, Result.EXEMPT, Result.COMPLIANT, Result.NOT_APPLICABLE)


class Judged(Struct, frozen=True, gc=False):
    """A subnet with all that a verdict or a repair of it stands on. missing: what else should be read.

    hub: where its policy sends it, if that is a hub.
    """

    subnet: facts.Subnet
    network: facts.VirtualNetwork
    occupants: Occupants
    policy: Policy | None
    path: EgressPath | None
    verdicts: tuple[Verdict, ...]
    missing: tuple[str, ...] = ()
    hub: Hub | None = None


class _Site(Struct, frozen=True):
    """A network and the facts around it. learned: what gateways bring it. reached: who is reached from the internet.

    found, hubs: what is known of it.
    """

    network: facts.VirtualNetwork
    estate: Estate
    learned: Learned
    reached: Reached
    found: dict[tuple[str, str | None, str | None, bool | None], Finding]
    hubs: dict[str, Hub]


def judge(estate: Estate, policies: Policies) -> tuple[Verdict, ...]:
    """An Estate and policies in, every Verdict about its networks and remainders out, in the order of the Estate."""
    found: list[Verdict] = []
    for _, verdicts in judge_each(estate, policies):
        found += verdicts
    for _, verdicts in judge_remainders(estate, policies):
        found += verdicts
    return tuple(found)


def judge_each(estate: Estate, policies: Policies) -> Iterator[tuple[facts.VirtualNetwork, tuple[Verdict, ...]]]:
    """An Estate and policies in; network by network, the Verdicts about it and what lives in it, out."""
    living = clusters_by_network(estate)
    public = addresses_of(estate, policies)
    audited = audits_of(estate, policies, public)
    unlisted = {gap.about: gap.why for gap in estate.gaps if gap.about.startswith("clusters(")}
    groups = groupby(look(estate, policies), key=lambda one: one.network.id)
    for network in estate.networks:
        # A network without subnets has no group of them.
        subnets = tuple(next(groups)[1]) if network.properties.subnets else ()
        verdicts = [*of_network(spokes(subnets, estate), estate)]
        verdicts += (verdict for judged in subnets for verdict in judged.verdicts)
        for cluster in living.get(ids.key(network.id), ()):
            verdicts += of_cluster(housed(cluster, subnets), estate)
        lists = map(clusters, cluster_subscriptions(network)) if unlisted else ()
        if why := next((unlisted[one] for one in lists if one in unlisted), ""):
            # Clusters that nobody could list are not compliant.
            seen = f"the clusters of the subscription were not read: {why}"
            verdicts.append(Verdict(network.id, Requirement.CLUSTER_OUTBOUND_TYPE, Result.UNKNOWN, seen=seen))
        verdicts += public.get(ids.key(network.id), SeenAddresses()).verdicts
        verdicts += audited.get(ids.key(network.id), Audited()).verdicts
        yield network, tuple(verdicts)


def judge_remainders(estate: Estate, policies: Policies) -> Iterator[tuple[str, tuple[Verdict, ...]]]:
    """An Estate and policies in; subscription by subscription, the Verdicts about what lives in no network, out."""
    if not estate.remainders:
        return
    public, unused, kept = addresses_of(estate, policies), idle(estate, policies), azure_policy(estate, policies)
    for subscription in estate.remainders:
        key = f"/subscriptions/{subscription}".casefold()
        verdicts = public.get(key, SeenAddresses()).verdicts
        verdicts = (*verdicts, *unused.get(key, SeenIdle()).verdicts)
        yield subscription, (*verdicts, *kept.get(key, SeenKept()).verdicts)


def housed(cluster: Cluster, subnets: Iterable[Judged]) -> Housed:
    """A cluster and the judged subnets of its network in, the cluster with those that it leaves by out."""
    nodes, pods = ({ids.key(one) for one in named} for named in (cluster.node_subnets, cluster.pod_subnets))
    lodgings: list[Lodging] = []
    for judged in subnets:
        key = ids.key(judged.subnet.id)
        managed = not nodes and judged.subnet.name.casefold() not in SPECIAL and not judged.subnet.delegated_to
        if not (managed or key in nodes or key in pods):
            continue
        # Undecided: no policy is known, and the verdict says what would have to be read.
        unknown = judged.policy is None and judged.verdicts[0].result is Result.UNKNOWN
        undecided = judged.verdicts[0].seen if unknown else ""
        only_pods = not managed and key not in nodes
        lodgings.append(Lodging(judged.subnet.name, judged.policy, judged.path, only_pods, undecided))
    return Housed(cluster, tuple(lodgings))


def spokes(subnets: Iterable[Judged], estate: Estate) -> tuple[Spoke, ...]:
    """The judged subnets of one network in; the network as each hub policy sees it that sends a subnet to its hub."""
    found: dict[str, Spoke] = {}
    for judged in subnets:
        policy, hub = judged.policy, judged.hub
        if policy is None or hub is None or policy.name in found or not leaves_by_hub(judged):
            continue
        wanted = policy.egress.hub
        if wanted is None:
            continue
        there = estate.find(hub.network, facts.VirtualNetwork) if hub.network else None
        linked = link(judged.network, there, wanted) if isinstance(there, facts.VirtualNetwork) else None
        found[policy.name] = Spoke(judged.network, policy, wanted, hub, linked)
    return tuple(found.values())


def leaves_by_hub(judged: Judged) -> bool:
    """Whether a subnet is to leave by the hub of its policy: it does not leave by another way that is allowed."""
    about = (v for v in judged.verdicts if v.requirement == Requirement.SUBNET_ROUTE_DEFAULT)
    return any(verdict.result is not Result.NOT_APPLICABLE for verdict in about)


def unproven(judged: Judged, policy: Policy) -> bool:
    """Whether somebody lives in a subnet, and nobody has said that the hub's rules let him out."""
    hub = policy.egress.hub
    if hub is None or hub.ready == "assumed" or judged.occupants.empty:
        return False
    return not leaves_well(judged)


def leaves_well(judged: Judged) -> bool:
    """Whether a subnet leaves as its policy says."""
    return any(v.requirement == Requirement.SUBNET_EGRESS and v.result is Result.COMPLIANT for v in judged.verdicts)


def of_network(seen: tuple[Spoke, ...], estate: Estate) -> tuple[Verdict, ...]:
    """One network as several policies see it in; of the Verdicts on each requirement the gravest out."""
    gravest: dict[str, Verdict] = {}
    for spoke in seen:
        for one in (*of_spoke(spoke, estate), *of_firewall(spoke, estate)):
            known = gravest.get(one.requirement)
            if known is None or _GRAVITY.index(one.result) < _GRAVITY.index(known.result):
                gravest[one.requirement] = one
    return tuple(gravest.values())


def requirements(policy: Policy) -> tuple[Requirement, ...]:
    """A policy in, what it requires of each of its subnets out."""
    return (*SUBNET_REQUIREMENTS, *ROUTE_REQUIREMENTS) if policy.egress.hub is not None else SUBNET_REQUIREMENTS


def look(estate: Estate, policies: Policies) -> Iterator[Judged]:
    """An Estate and policies in, every subnet with its occupants, policy, path and Verdicts out."""
    using = clusters_by_subnet(estate)
    alike = by_network(policies)
    reached = Reached(estate)
    for network in estate.networks:
        about = subject_of(network, estate)
        listed = clusters_known(network, estate)
        chosen = select(policies, about) if alike else None
        site = _Site(network, estate, learned(network, estate), reached, {}, {})
        for subnet in network.properties.subnets or ():
            who = occupants(subnet, using.get(ids.key(subnet.id)) if using else None, estate)
            answer = chosen or select(policies, of_subnet(subnet, who.kinds if listed else None, about))
            yield _judged(subnet, who, answer, site)


def _judged(subnet: facts.Subnet, who: Occupants, answer: Selected | Undecided | Ungoverned, site: _Site) -> Judged:
    network = site.network
    if subnet.name.casefold() in SPECIAL:
        own = Verdict(subnet.id, Requirement.SUBNET_EGRESS, Result.NOT_APPLICABLE, seen="a subnet of Azure's own")
        return Judged(subnet, network, who, None, None, (own,))
    match answer:
        case Ungoverned():
            nobodys = Verdict(subnet.id, Requirement.SUBNET_EGRESS, Result.UNGOVERNED, seen="no policy selects it")
            return Judged(subnet, network, who, None, None, (nobodys,))
        case Undecided(policy=policy, missing=missing):
            why = f"policy {policy.name} may govern it; not read: {', '.join(missing)}"
            verdicts = tuple(Verdict(subnet.id, r, Result.UNKNOWN, seen=why) for r in SUBNET_REQUIREMENTS)
            return Judged(subnet, network, who, None, None, verdicts, read_for(missing, network.id))
        case Selected(policy=policy):
            pass
    if unsettled := unsettled_state(subnet.id, subnet.properties.provisioning_state):
        verdicts = tuple(verdict.unknown(subnet, r, policy, *unsettled) for r in requirements(policy))
        return Judged(subnet, network, who, policy, None, verdicts)
    found = _finding(subnet, policy, site)
    verdicts = (
        verdict.of_egress(subnet, found, policy, site.estate),
        verdict.of_privacy(subnet, policy, site.estate),
    )
    wanted, proxy = policy.egress.hub, policy.egress.proxy
    if wanted is None:
        # What a proxy is, and how it gets out itself, is asked where a cluster uses it.
        more = unread(proxy, site.estate) if proxy is not None and who.clusters else ()
        return Judged(subnet, network, who, policy, found.path, verdicts, (*found.missing, *more))
    hub = _hub(policy, site)
    routed = Routed(subnet, found, policy, wanted, hub)
    asymmetric, lists = site.reached.of_routed(routed)
    verdicts = (*verdicts, *of_routes(routed, site.estate), *((asymmetric,) if asymmetric else ()))
    # What is not asked is not read: a subnet that may leave otherwise needs no hub.
    besides = () if routed.leaves_otherwise else (*hub.missing, *lists)
    missing = tuple(dict.fromkeys((*found.missing, *besides)))
    return Judged(subnet, network, who, policy, found.path, verdicts, missing, hub)


def _hub(policy: Policy, site: _Site) -> Hub:
    wanted = policy.egress.hub
    if policy.name not in site.hubs:
        site.hubs[policy.name] = hub_of(site.network, wanted, site.estate) if wanted else Hub()
    return site.hubs[policy.name]


def _finding(subnet: facts.Subnet, policy: Policy, site: _Site) -> Finding:
    """How a subnet leaves. Subnets of a network that are attached alike leave alike, where members do not matter."""
    properties = subnet.properties
    gateway = nat_gateway_of(subnet, site.network)
    alike = gateway is not None or not properties.ip_configurations
    table = properties.route_table.id if properties.route_table else None
    key = (policy.name, gateway, table, properties.default_outbound_access)
    if alike and (known := site.found.get(key)):
        return known
    path = trace(subnet, site.network, site.estate, site.learned)
    if policy.egress.hub is not None:
        path = carried(path, _hub(policy, site))
    found = verdict.find(path, site.network, policy, site.estate)
    if alike:
        site.found[key] = found
    return found
