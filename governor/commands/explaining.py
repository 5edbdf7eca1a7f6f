"""A resource in, the subnets it touches with everything that is known of each of them out."""

import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial

from msgspec import Struct, field
from msgspec.structs import replace

from governor.commands import file_cloud
from governor.commands.behind_hub import with_addresses
from governor.commands.concerned import using
from governor.commands.errors import CommandError
from governor.commands.estate_file import EstateFile
from governor.commands.explain_address import MAY_BE_ALONE, Own, own
from governor.commands.explain_hub import hub_of
from governor.commands.planning import ceiling_of
from governor.commands.touching import subnets_of
from governor.core import audits, facts, guard, ids, needs
from governor.core.circumstances import Circumstances
from governor.core.egress import bare, trace
from governor.core.estate import Estate, clusters, is_list, outbound_dependencies
from governor.core.hub import Hub
from governor.core.judged import Judged, judge, look, of_network, spokes
from governor.core.needs import Needs
from governor.core.path import EgressPath, addresses
from governor.core.plan import Remediation, Withheld
from governor.core.policy import Policies, Policy
from governor.core.propose import propose
from governor.core.selection import Finding, findings
from governor.core.standing import Standing
from governor.core.subject import of_subnet, subject_of
from governor.core.verdict import Verdict


class Considered(Struct):
    """A policy that was asked, with the answers of its conditions."""

    policy: Policy
    findings: tuple[Finding, ...]


class Explained(Struct):
    """One subnet with all that is known of it.

    paths: how it leaves, then what would carry it if what wins were taken away, and so on. unread: holders of public
    addresses that were not read. hub: the one it leaves by, or shall leave by. around: verdicts on its network, and
    on its ways in. repairs, withheld: what would be done about it and its network, or why it would not be.
    """

    judged: Judged
    paths: tuple[EgressPath, ...]
    addresses: tuple[str, ...]
    unread: tuple[str, ...]
    considered: tuple[Considered, ...]
    estate: Estate
    hub: Hub | None = None
    around: tuple[Verdict, ...] = ()
    repairs: tuple[Remediation, ...] = ()
    withheld: tuple[Withheld, ...] = ()


class Found(Struct):
    """What was asked about, where it was read, the subnets it touches, and what is judged of it itself."""

    resource: str
    source: str
    subnets: tuple[Explained, ...] = ()
    own: Own = field(default_factory=Own)


def checked(resource_id: str) -> str:
    """What a person wrote in, a resource id out, or CommandError."""
    try:
        ids.parse(resource_id)
    except ValueError as error:
        raise CommandError(str(error)) from error
    return resource_id.rstrip("/")


def in_file(resource_id: str, file: EstateFile, policies: Policies) -> Found:
    """A resource id, the file it stands in and policies in, what is known of it out."""
    at, standing = datetime.now(UTC), Standing()
    found: list[Explained] = []
    itself = Own()
    for network, subnets in subnets_of(resource_id, file).items():
        estate = file_cloud.observe(file, network, at, wanted(resource_id, policies, standing, subnets))
        around = Circumstances(estate, standing, policies, ceiling_of(os.environ))
        found += explained(subnets, around)
        itself.add(own(resource_id, around))
    if ids.kind(resource_id) in MAY_BE_ALONE:
        asked = partial(needs.for_repair, policies=policies, standing=standing)
        rest = file_cloud.remainder(file, ids.parse(resource_id).subscription, at, asked)
        itself.add(own(resource_id, Circumstances(rest, standing, policies, ceiling_of(os.environ))))
    return Found(resource_id, str(file.path), tuple(found), itself)


def explained(subnets: frozenset[str] | None, around: Circumstances) -> Iterable[Explained]:
    estate, policies = around.estate, around.policies
    looked = list(look(estate, policies))
    proposal = propose(estate, looked)
    plan = guard.withhold(proposal, around)
    about: dict[str, list[str]] = {}
    for digest, subjects in proposal.subjects.items():
        for one in subjects:
            about.setdefault(ids.key(one.subnet.id), []).append(digest)
    on_network = of_network(spokes(looked, estate), estate)
    audited = [verdict for verdict in judge(estate, policies) if verdict.requirement in audits.REQUIREMENTS]
    for judged in looked:
        key = ids.key(judged.subnet.id)
        if subnets is not None and key not in subnets:
            continue
        paths = tuple(_paths(judged.subnet, judged.network, estate))
        carried, _ = with_addresses(paths[0], judged.network, estate)
        shown, unread = addresses(carried, estate)
        mine = about.get(key, [])
        considered = tuple(_considered(judged, estate, policies))
        yield Explained(
            judged,
            (carried, *paths[1:]),
            shown,
            unread,
            considered,
            estate,
            hub_of(judged, carried, estate),
            (*(on_network if judged.hub is not None else ()), *(v for v in audited if ids.key(v.resource) == key)),
            tuple(r for r in plan.remediations if r.digest in mine),
            tuple(w for w in plan.withheld if w.remediation.digest in mine),
        )


def _paths(subnet: facts.Subnet, network: facts.VirtualNetwork, estate: Estate) -> Iterable[EgressPath]:
    """How a subnet leaves, and then what waits behind, each once."""
    unrouted = replace(subnet, properties=replace(subnet.properties, route_table=None))
    found: list[EgressPath] = []
    for one in (subnet, unrouted, bare(subnet)):
        path = trace(one, network, estate)
        if path not in found:
            found.append(path)
    return found


def _considered(judged: Judged, estate: Estate, policies: Policies) -> Iterable[Considered]:
    """Policies in the order in which they are asked, as far as the one that governs, or may."""
    kinds = judged.occupants.kinds if estate.has_listed(clusters(ids.parse(judged.network.id).subscription)) else None
    subject = of_subnet(judged.subnet, kinds, subject_of(judged.network, estate))
    for policy in policies:
        found = findings(policy, subject)
        yield Considered(policy, found)
        if not any(one.holds is one.excludes for one in found):
            return


def wanted(
    resource_id: str, policies: Policies, standing: Standing, named: frozenset[str] | None
) -> Callable[[Estate], Needs]:
    """What a run would read, and beside it: what waits behind the way that wins, and who lives there."""

    def ask(estate: Estate) -> Needs:
        repair, evidence = needs.for_repair(estate, policies, standing), needs.for_evidence(estate, policies, standing)
        more: list[str] = [outbound_dependencies(resource_id)] if ids.kind(resource_id) == ids.CLUSTER else []
        lists = {*repair.lists}
        subnets = using(resource_id, estate) if named is None and ids.kind(resource_id) == ids.CLUSTER else named
        for judged in look(estate, policies):
            if subnets is None or ids.key(judged.subnet.id) in subnets:
                more += judged.occupants.unread
                for found in _paths(judged.subnet, judged.network, estate):
                    path, hub = with_addresses(found, judged.network, estate)
                    more += [*path.missing, *hub.missing, *addresses(path, estate)[1]]
        tried = estate.absent | {gap.about for gap in estate.gaps} | set(estate.known)
        for network in estate.networks:
            name = clusters(ids.parse(network.id).subscription)
            if not estate.has_listed(name) and name not in tried:
                lists.add(name)
        new = [one for one in more if ids.kind(one) and ids.key(one) not in tried]
        lists.update(one for one in more if is_list(one) and not estate.has_listed(one) and one not in tried)
        return Needs((*repair.resources, *evidence.resources, *new), tuple(sorted(lists)))

    return ask
