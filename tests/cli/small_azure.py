"""A governor over the sample estate, without network: an exported file answers, and what is applied is imagined."""

import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from governor.commands import estate_file, file_cloud
from governor.core.cause import CAUSES, Cause, Scope, Source, VirtualNetwork
from governor.core.estate import Estate
from governor.core.forecast import Refusal, forecast
from governor.core.needs import Needs
from governor.core.policy import Mode
from governor.core.record import Became, Outcome
from governor.core.step import Step
from governor.local.clock import SystemClock
from governor.local.inbox import SqliteInbox
from governor.local.ledger import SqliteLedger
from governor.loop import Rules, govern
from governor.policy_files import load
from governor.ports import Applied, Cloud, Ports, Renew


class FileAzure:
    """An exported file as ports.Cloud, as far as a run of one Scope asks it."""

    def __init__(self, file: estate_file.EstateFile) -> None:
        self._file = file
        self._steps: list[Step] = []

    async def observe(self, scope: Scope, needs: Callable[[Estate], Needs], so_far: Estate | None = None) -> Estate:
        assert isinstance(scope, VirtualNetwork)
        seen = file_cloud.observe(self._file, scope.key, datetime.now(UTC), needs)
        mine = tuple(step for step in self._steps if step.target.casefold() not in seen.known)
        after = forecast(seen, mine) if mine else seen
        assert not isinstance(after, Refusal), after.why
        return after

    async def apply(self, remediation: str, step: Step, renew: Renew, correlation: str = "") -> Applied:
        await renew()
        self._steps.append(step)
        before = json.dumps({"name": step.target.rpartition("/")[2], "properties": {"was": 1}}).encode()
        after = json.dumps({"name": step.target.rpartition("/")[2], "properties": {"is": 2}}).encode()
        return Applied(Outcome(step, remediation, Became.DONE), before, after)

    async def close(self) -> None:
        return None


async def govern_once(folder: Path, checkout: Path) -> None:
    """A folder in; it holds the ledger and the queue of a governor that looked once at every network."""
    file, clock = estate_file.read(checkout / "estates" / "contoso.json"), SystemClock()
    rules = Rules(load(checkout / "policies"), Mode.ENFORCE)
    for network in file.networks:
        # Each run has an Azure of its own: networks do not know what was made for others.
        ledger, inbox = SqliteLedger(folder / "ledger.db", clock), SqliteInbox(folder / "queues.db", clock)
        cause = Cause(Source.MANUAL, clock.now(), subject=network, scope=VirtualNetwork(network))
        await govern(cause, Ports(cast("Cloud", FileAzure(file)), ledger, inbox, clock), rules)
        await ledger.close()
        await inbox.close()


def causes(folder: Path) -> list[dict[str, object]]:
    """The messages that wait in the queue of a ledger's folder."""
    connection = sqlite3.connect(folder / "queues.db")
    try:
        rows = connection.execute("SELECT body FROM messages WHERE queue = ? ORDER BY rowid", (CAUSES,)).fetchall()
    finally:
        connection.close()
    return [json.loads(body) for (body,) in rows]
