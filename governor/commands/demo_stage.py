"""The stage of the demo: what runs, what the ledger says of it, and waiting that always ends."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from msgspec import Struct
from rich.console import Console
from rich.markup import escape

from governor.commands import estate_file, file_cloud, screen, words
from governor.commands.errors import CommandError
from governor.commands.local_azure import LocalAzure
from governor.core import ids, needs
from governor.core.cause import Source
from governor.core.estate import Estate
from governor.core.judged import judge
from governor.core.needs import Needs
from governor.core.occupancy import SPECIAL
from governor.core.policy import Policies
from governor.core.record import Record
from governor.core.standing import Standing
from governor.core.step import WriteSubnet
from governor.core.verdict import Result, Verdict
from governor.ports import Offered, Ports

PATIENCE_SECONDS: Final = 45.0
_LOOK_SECONDS: Final = 0.2
_PAGE: Final = 200
_WRONG: Final = (Result.VIOLATION, Result.UNKNOWN)


class Known(Struct):
    """What the ledger says now: verdicts by key of the subnet, and what is withheld, by key too."""

    verdicts: dict[str, list[Verdict]]
    offered: dict[str, Offered]

    def compliant(self, *subnets: str) -> bool:
        """Whether all verdicts of these subnets are known and compliant."""
        return all(
            (found := self.verdicts.get(ids.key(subnet))) and all(v.result not in _WRONG for v in found)
            for subnet in subnets
        )

    def open(self) -> list[Verdict]:
        """What is neither in order nor withheld with a reason that only a person or a later version can take away."""
        return [
            verdict
            for key, found in self.verdicts.items()
            for verdict in found
            if verdict.result in _WRONG and not (verdict.result is Result.VIOLATION and self._held(key))
        ]

    def _held(self, key: str) -> bool:
        offer = self.offered.get(key)
        return offer is not None and any(reason.after is None for reason in offer.withheld.reasons)


class Stage:
    """What runs and who looks at it. usual: the settle time that the copied policies had before."""

    def __init__(self, azure: LocalAzure, folder: Path, console: Console, usual: int, began: float) -> None:
        self.azure, self.folder, self.console, self.usual, self.began = azure, folder, console, usual, began
        self.written: set[str] = set()
        self._told: set[str] = set()

    def title(self, number: int, text: str) -> None:
        """An act begins; `written` holds the keys of what Records of this act have written."""
        self.written.clear()
        self.console.print(f"\n[bold cyan]{number}  {text}[/]")

    def say(self, what: str, text: str) -> None:
        """One line of the story."""
        row = screen.grid(9)
        row.add_row(what, text)
        self.console.print(row)

    def tell(self, style: str, what: str, text: str) -> None:
        """One line about something in a Record."""
        row = screen.grid(9, 8)
        row.add_row("", f"[{style}]{what}[/]", escape(text))
        self.console.print(row)

    async def until(self, what: str, ports: Ports, happened: Callable[[Known], bool]) -> Known:
        """Tells every new Record until something has happened; CommandError when it does not in time."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        with screen.busy(f"waiting until {what}", self.console):
            while True:
                self.azure.check()
                known = await self.known(ports)
                await self._tell(ports)
                if happened(known):
                    return known
                if time.monotonic() > deadline:
                    wrong = known.open()
                    seen = (
                        f"; {words.short(wrong[0].resource)} is {wrong[0].result.value}: {wrong[0].seen}"
                        if wrong
                        else ""
                    )
                    raise CommandError(f"after {PATIENCE_SECONDS:.0f} s it still was not so that {what}{seen}")
                await asyncio.sleep(_LOOK_SECONDS)

    async def known(self, ports: Ports) -> Known:
        verdicts: dict[str, list[Verdict]] = {}
        for verdict in await ports.ledger.verdicts():
            verdicts.setdefault(ids.key(verdict.resource), []).append(verdict)
        offered = {ids.key(o.withheld.remediation.resource): o for o in await ports.ledger.offered()}
        return Known(verdicts, offered)

    def estate(self, name: str) -> Path:
        """Everything that exists in Azure now, as a file that `plan --estate` takes."""
        path = self.folder / f"{name}.json"
        path.write_bytes(self.azure.arm.estate())
        return path

    async def _tell(self, ports: Ports) -> None:
        page = await ports.ledger.records(limit=_PAGE)
        for record in reversed(page.records):
            if record.id not in self._told:
                self._told.add(record.id)
                self._account(record)

    def _account(self, record: Record) -> None:
        where, why = escape(words.place(record.scope)), escape(words.woken(record.cause))
        self.say(f"{record.time:%H:%M:%S}Z", f"[bold]{where}[/]: {why}  [dim]record {record.id[:12]}[/]")
        wrong: dict[str, list[str]] = {}
        for verdict in record.changes:
            if verdict.result is Result.VIOLATION and not record.outcomes:
                wrong.setdefault(verdict.resource, []).append(verdict.seen.partition(":")[0])
        for resource, seen in wrong.items():
            self.tell("red", "wrong", f"{words.short(resource)}: {', '.join(seen)}")
        for outcome in record.outcomes:
            self.written.add(ids.key(outcome.step.target))
            what = words.short(outcome.step.target)
            where = f"{what}: " if isinstance(outcome.step, WriteSubnet) else ""
            self.tell("green", outcome.became.value.casefold(), where + words.does(outcome.step))
        waiting: dict[str, list[str]] = {}
        for offer in record.withheld:
            what, first = words.short(offer.remediation.resource), offer.reasons[0]
            if first.after is not None:
                waiting.setdefault(first.text, []).append(what)
            elif offer.remediation.requirements and record.cause.source is not Source.DECISION:
                self.tell("yellow", "withheld", f"{what}: {first.text}")
        for text, places in waiting.items():
            self.tell("yellow", "waits", f"{', '.join(places)}: {text}")


def judged(estate: Path, policies: Policies) -> dict[str, tuple[Verdict, ...]]:
    """A file of an estate and policies in; by key of each subnet that is not Azure's own, its verdicts out."""
    file, at = estate_file.read(estate), datetime.now(UTC)

    def wanted(estate: Estate) -> Needs:
        repair, evidence = needs.for_repair(estate, policies, Standing()), needs.for_evidence(estate, policies)
        return Needs((*repair.resources, *evidence.resources), repair.lists)

    found: dict[str, tuple[Verdict, ...]] = {}
    for network in file.networks:
        for verdict in judge(file_cloud.observe(file, network, at, wanted), policies):
            if ids.name(verdict.resource).casefold() not in SPECIAL:
                key = ids.key(verdict.resource)
                found[key] = (*found.get(key, ()), verdict)
    return found
