"""What Azure holds now, judged by the same core: not what the ledger remembers."""

from typing import Final

import msgspec

from governor.commands import words
from governor.commands.errors import CommandError
from governor.commands.local_azure import LocalAzure
from governor.core import ids, needs
from governor.core.cause import Remainder, Scope, VirtualNetwork
from governor.core.estate import Estate
from governor.core.judged import judge
from governor.core.needs import Needs
from governor.core.occupancy import SPECIAL
from governor.core.standing import Standing
from governor.core.verdict import Verdict
from governor.wiring import Worker

Facts = dict[str, tuple[Verdict, ...]]
_NETWORK: Final = "microsoft.network/virtualnetworks"


class _Entry(msgspec.Struct):
    id: str
    type: str = ""


async def judged(azure: LocalAzure, worker: Worker) -> Facts:
    """What runs in; by key of whatever is judged, but for subnets of Azure's own, its Verdicts out."""
    policies = worker.rules().policies

    def wanted(estate: Estate) -> Needs:
        repair, evidence = needs.for_repair(estate, policies, Standing()), needs.for_evidence(estate, policies)
        return Needs((*repair.resources, *evidence.resources), (*repair.lists, *evidence.lists))

    found: Facts = {}
    entries = msgspec.json.decode(azure.arm.estate(), type=list[_Entry])
    scopes: list[Scope] = [VirtualNetwork(entry.id) for entry in entries if entry.type.casefold() == _NETWORK]
    for scope in (*scopes, *map(Remainder, azure.subscriptions)):
        for verdict in judge(await worker.ports.cloud.observe(scope, wanted), policies):
            if ids.name(verdict.resource).casefold() not in SPECIAL:
                key = ids.key(verdict.resource)
                found[key] = (*found.get(key, ()), verdict)
    return found


def same(facts: Facts, remembered: dict[str, list[Verdict]]) -> None:
    """What Azure holds and what the ledger says in; CommandError where they differ."""
    for key, verdicts in facts.items():
        says = {verdict.requirement: verdict.result for verdict in remembered.get(key, ())}
        for verdict in verdicts:
            if says.get(verdict.requirement) is not verdict.result:
                what = f"{words.short(verdict.resource)} {verdict.requirement}"
                raise CommandError(f"{what} is {verdict.result.value}, and the ledger does not say so")
