"""Networks in, what a run would find and do in each of them out. The same core as a run, and nothing is written."""

import asyncio
import os
import tempfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final, assert_never

from msgspec import Struct

from governor.commands import file_cloud
from governor.commands.deployment import reach, settings_of
from governor.commands.errors import CommandError
from governor.commands.estate_file import EstateFile
from governor.commands.screen import track
from governor.commands.sweeping import targets
from governor.core import audits, guard, ids, needs, soak
from governor.core.cause import Cause, Remainder, Scope, Source, VirtualNetwork
from governor.core.circumstances import Circumstances
from governor.core.cluster import Cluster
from governor.core.estate import ABSENT, Estate
from governor.core.facts import VirtualNetwork as Network
from governor.core.judged import judge
from governor.core.nodes import node_group
from governor.core.plan import Gate, Remediation, Withheld
from governor.core.policy import Mode, Policies, Requirement
from governor.core.propose import Proposal, proposal
from governor.core.sighting import Cut, Rest, Seen, Sheet
from governor.core.standing import Standing
from governor.core.verdict import Result, Verdict, results
from governor.ports import Ports
from governor.settings import PREFIX
from governor.wiring import Worker

CEILING: Final = PREFIX + "MODE_CEILING"
# What nothing here would mend, whatever a policy says: it is told, and its owner mends it.
# What of a cluster only its owner changes. A public API server that is in no subnet stays so (facts/azure.md 4.4).
_CLUSTERS_OWN: Final[dict[str, str]] = {
    Requirement.CLUSTER_PRIVATE_API: "its owner makes it private: --enable-private-cluster, anew unless in a subnet",
    Requirement.CLUSTER_NODE_PUBLIC_IP: "move what runs there to a pool without public addresses, or exempt it",
}
JUDGED_ONLY: Final = (*audits.REQUIREMENTS, Requirement.HUB_FIREWALL_NAT)
AT_REQUEST: Final = (
    Requirement.PUBLIC_IP_DENIED_AT_REQUEST,
    Requirement.CLUSTER_DENIED_AT_REQUEST,
    Requirement.CLUSTER_INTERNAL_LOAD_BALANCERS,
)


class Unrepaired(Struct, frozen=True):
    """A violation that nothing is proposed for, and why."""

    resource: str
    requirement: str
    why: str


class Answer(Struct):
    """What would be done in all networks together, and everything that was seen on the way.

    released: by digest, because what several networks share is one Remediation.
    """

    source: str
    observed_at: datetime
    ceiling: Mode
    policies: int
    networks: int = 0
    counts: dict[str, int] = {}
    released: dict[str, Remediation] = {}
    withheld: list[Withheld] = []
    unknown: list[Verdict] = []
    unrepaired: list[Unrepaired] = []
    untold: list[Verdict] = []
    notes: list[str] = []

    @property
    def remediations(self) -> list[Remediation]:
        """What would be done, in order."""
        return list(self.released.values())

    @property
    def to_do(self) -> bool:
        """Whether something would be done now, or waits only for a person to approve it."""
        return bool(self.released) or any(waits(held) for held in self.withheld)


def waits(held: Withheld) -> bool:
    """What is withheld in, whether only a person's approval is missing out."""
    return all(reason.gate is Gate.APPROVAL for reason in held.reasons)


def from_file(file: EstateFile, policies: Policies) -> Answer:
    """A file and policies in, the Answer out; enforced unless MODE_CEILING says otherwise."""
    at = datetime.now(UTC)
    answer = Answer(str(file.path), at, ceiling_of(os.environ), len(policies.policies), notes=list(file.notes))
    wanted = partial(needs.for_repair, policies=policies, standing=Standing())
    networks = file.networks
    if not networks:
        raise CommandError(f"{file.path}: {'; '.join(file.notes) or 'it holds no virtual network'}")
    for key in track(networks, "judging virtual networks", len(networks)):
        estate = file_cloud.observe(file, key, at, wanted)
        if not estate.networks:
            answer.notes.append(f"virtual network {ids.name(key)} is not judged: {estate.why(key)}")
        add(answer, estate, Standing(), policies)
    for subscription in file.subscriptions:
        add(answer, file_cloud.remainder(file, subscription, at, wanted), Standing(), policies)
    return answer


def from_azure(scopes: Iterable[str], policies: Path | None) -> Answer:
    """Scopes and a folder of policies in, the Answer of Azure (or the simulator) out."""
    with tempfile.TemporaryDirectory() as elsewhere:
        # Planning needs no store; without one, what a ledger would remember is not known.
        environ = {PREFIX + "STORE": f"sqlite:{elsewhere}", **os.environ}
        return asyncio.run(_from_azure(list(scopes), environ, policies))


async def _from_azure(scopes: list[str], environ: dict[str, str], policies: Path | None) -> Answer:
    settings = settings_of(environ, policies)
    reach(settings)
    worker = Worker(settings)
    try:
        rules = worker.rules()
        answer = Answer(
            settings.arm_endpoint, worker.clock.now(), rules.ceiling, len(rules.policies.policies), notes=[]
        )
        wanted_scopes = await _scopes(scopes, worker.ports, answer.notes)
        for scope in track(wanted_scopes, "reading virtual networks", len(wanted_scopes)):
            cause = Cause(Source.MANUAL, worker.clock.now(), scope=scope)
            standing = await worker.ports.ledger.standing(scope, cause)
            wanted = partial(needs.for_repair, policies=rules.policies, standing=standing)
            estate = await worker.ports.cloud.observe(scope, wanted)
            if isinstance(scope, VirtualNetwork) and not estate.networks:
                gone = estate.find(scope.id, Network) is ABSENT
                raise CommandError(f"{scope.id}: {'it does not exist' if gone else estate.why(scope.key)}")
            add(answer, estate, standing, rules.policies)
    finally:
        await worker.close()
    return answer


def add(answer: Answer, estate: Estate, standing: Standing, policies: Policies) -> None:
    """What one network adds to an Answer."""
    proposed = proposal(estate, policies)
    plan = guard.withhold(proposed, Circumstances(estate, standing, policies, answer.ceiling))
    verdicts = judge(estate, policies)
    answer.networks += len(estate.networks)
    for result, number in results(verdicts).items():
        answer.counts[result] = answer.counts.get(result, 0) + number
    answer.released.update({r.digest: r for r in plan.remediations if r.digest not in answer.released})
    # What nothing is released for is not made; the repairs that would need it stand there with their own reasons.
    answer.withheld += [held for held in plan.withheld if held.remediation.requirements]
    answer.withheld += soak.told(soak.known(standing.clusters, (), estate, policies), verdicts, estate)
    answer.unknown += [v for v in verdicts if v.result is Result.UNKNOWN]
    answer.untold += [v for v in verdicts if v.requirement in AT_REQUEST and v.result is Result.NOT_APPLICABLE]
    asked = (*plan.remediations, *(held.remediation for held in plan.withheld))
    named = {place for r in asked for place in guard.promised(r, proposed.subjects.get(r.digest, ()))}
    # What is there first and acts later promises nothing, and is proposed all the same.
    named |= {(ids.key(r.resource), one) for r in asked for one in r.requirements if one in AT_REQUEST}
    answer.unrepaired += [
        Unrepaired(v.resource, v.requirement, _why_not(v, named, proposed, estate, policies))
        for v in verdicts
        if v.result is Result.VIOLATION and (ids.key(v.resource), v.requirement) not in named
    ]


def _why_not(
    verdict: Verdict, named: set[tuple[str, str]], proposed: Proposal, estate: Estate, policies: Policies
) -> str:
    if verdict.requirement in _CLUSTERS_OWN:
        return _CLUSTERS_OWN[verdict.requirement]
    if verdict.requirement in JUDGED_ONLY:
        return "it is judged only: its owner mends it"
    if verdict.requirement in AT_REQUEST:
        return verdict.seen  # it says what to do
    if any(resource == ids.key(verdict.resource) for resource, _ in named):
        return "it comes with the repair of its way out"
    if ids.kind(verdict.resource) == ids.FRONTEND and ids.key(ids.group_of(verdict.resource)) in _node_groups(estate):
        return "it goes when its cluster leaves by another way"
    policy = policies.find(verdict.policy or "")
    if policy is not None and policy.builds is None:
        return f"policy {policy.name} only judges"
    unread = [one for one in proposed.missing if ids.key(one) not in estate.known and ids.key(one) not in estate.absent]
    if unread:
        return f"a repair cannot be known: {ids.name(unread[0])} was not read ({estate.why(ids.key(unread[0]))})"
    return "its policy asks for no repair of this"


def _node_groups(estate: Estate) -> set[str]:
    return {node_group(cluster) for cluster in estate.all(Cluster)}


def ceiling_of(environ: Mapping[str, str]) -> Mode:
    """An environment in, how far a plan from a file goes out: all the way, unless MODE_CEILING says otherwise."""
    text = environ.get(CEILING, "").strip() or Mode.ENFORCE
    if text not in tuple(Mode):
        raise CommandError(f"{CEILING}={text!r}: expected {', '.join(Mode)}")
    return Mode(text)


async def _scopes(scopes: list[str], ports: Ports, notes: list[str]) -> list[Scope]:
    """What a person wrote in, all networks in it and what lives in none out; what cannot be seen becomes a note."""
    found = await targets(scopes, ports)
    networks = list(found.networks)
    subscriptions: tuple[str, ...] = ()
    if not found.subscriptions:
        return [VirtualNetwork(network) for network in networks]
    async for part in ports.cloud.survey(found.subscriptions, lambda _: needs.Needs()):
        match part:
            case Sheet(networks=more):
                networks += more
            case Rest(estate=rest):
                subscriptions = rest.remainders
            case Seen(unseen=unseen):
                notes += [f"subscription {one} is not seen: {why}" for one, why in unseen.items()]
            case Cut(why=why):
                notes.append(f"not all networks are seen: {why}")
            case _:
                assert_never(part)
    return [*map(VirtualNetwork, networks), *map(Remainder, subscriptions)]
