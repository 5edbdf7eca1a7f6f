"""The stage of the demo: what runs, what the ledger says of it, and waiting that always ends."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec import Struct
from rich.console import Console
from rich.markup import escape

from governor.commands import screen, words
from governor.commands.errors import CommandError
from governor.commands.local_azure import LocalAzure
from governor.commands.planning import JUDGED_ONLY
from governor.commands.reasons import Reasons
from governor.core import ids
from governor.core.cause import Source
from governor.core.plan import Reason
from governor.core.record import Record
from governor.core.step import WriteSubnet
from governor.core.verdict import Result, Verdict
from governor.ports import Ports

PATIENCE_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.2
_PAGE: Final = 200


def _is_wrong(verdict: Verdict) -> bool:
    """What is judged only stays as it is: there is nothing to wait for, and nothing that could be withheld."""
    judged_only = verdict.requirement in JUDGED_ONLY
    return verdict.result is Result.UNKNOWN or (verdict.result is Result.VIOLATION and not judged_only)


class Known(Struct):
    """What the ledger says now: verdicts by key of the subnet or network, and why some are not repaired."""

    verdicts: dict[str, list[Verdict]]
    reasons: Reasons

    def compliant(self, *resources: str) -> bool:
        """Whether all that is asked of these subnets and networks is known, and nothing of it waits for a repair."""
        return all(
            (found := self.verdicts.get(ids.key(one))) and not any(_is_wrong(v) for v in found) for one in resources
        )

    def open(self) -> list[Verdict]:
        """What is neither in order nor withheld with a reason that only a person or a later version can take away."""
        wrong = (v for found in self.verdicts.values() for v in found if _is_wrong(v))
        return [v for v in wrong if v.result is Result.UNKNOWN or self.lasting(v) is None]

    def lasting(self, verdict: Verdict) -> Reason | None:
        """Why something is not repaired, if that does not pass by itself."""
        offer = self.reasons.of(verdict)
        reasons = offer.withheld.reasons if offer is not None else ()
        return next((reason for reason in reasons if reason.after is None), None)


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
        row = screen.grid(9, 9)
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
        return Known(verdicts, Reasons(await ports.ledger.offered()))

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
                wrong.setdefault(verdict.resource, []).append(verdict.seen.partition(": default")[0])
        for resource, seen in wrong.items():
            self.tell("red", "wrong", f"{words.short(resource)}: {', '.join(dict.fromkeys(seen))}")
        for outcome in record.outcomes:
            self.written.add(ids.key(outcome.step.target))
            what = words.short(outcome.step.target)
            where = f"{what}: " if isinstance(outcome.step, WriteSubnet) else ""
            self.tell("green", outcome.became.value.casefold(), where + words.does(outcome.step))
        if record.cause.source is not Source.DECISION:
            self._withheld(record)

    def _withheld(self, record: Record) -> None:
        """What is not repaired, and the first reason of each; what waits for the same is told once."""
        told: dict[tuple[bool, str], list[str]] = {}
        for offer in record.withheld:
            first = offer.reasons[0]
            if offer.remediation.requirements:
                told.setdefault((first.after is not None, first.text), []).append(
                    words.short(offer.remediation.resource)
                )
        for (passes, text), places in told.items():
            self.tell("yellow", "waits" if passes else "withheld", f"{', '.join(dict.fromkeys(places))}: {text}")
