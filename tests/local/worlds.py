"""The implementations under contract, and small values to store."""

import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from governor.core.cause import CAUSES, Cause, Remainder, Scope, Source, VirtualNetwork
from governor.core.plan import Gate, Plan, Reason, Remediation, Withheld
from governor.core.record import Became, Outcome, Record
from governor.core.step import Attachment, Step, WriteSubnet
from governor.core.verdict import Result, Verdict
from governor.local.inbox import SqliteInbox
from governor.local.ledger import SqliteLedger
from governor.ports import Applied, Ending, Held, Inbox, Ledger, Run
from tests.support.clock import FakeClock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
OTHER = "22222222-2222-2222-2222-222222222222"
NOBODY = "00000000-0000-0000-0000-000000000000"
NETWORK = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/spoke"
SUBNET = f"{NETWORK}/subnets/app"
GATEWAY = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/natGateways/nat"
SCOPE = VirtualNetwork(NETWORK)
REST = Remainder(SUBSCRIPTION)
ELSEWHERE = VirtualNetwork(NETWORK.replace(SUBSCRIPTION, OTHER))
POLICIES = "policies-1"
STEP = WriteSubnet(SUBNET, to=Attachment(nat_gateway=GATEWAY), was=Attachment(nat_gateway=None))


class Message(Struct, frozen=True):
    """A message as it lies in a queue, and in how many seconds it can be seen."""

    body: bytes
    after: float


class Store(Struct, frozen=True):
    """One implementation: opens a Ledger and an Inbox on what is stored, as often as asked, and shows the messages."""

    name: str
    ledger: Callable[[Path, FakeClock], Ledger]
    inbox: Callable[[Path, FakeClock], Inbox]
    messages: "Messages"


class Messages(Protocol):
    """Where the store is in, the messages of a queue out."""

    def __call__(self, folder: Path, clock: FakeClock, queue: str = CAUSES) -> list[Message]: ...


def _sqlite_messages(folder: Path, clock: FakeClock, queue: str = CAUSES) -> list[Message]:
    connection = sqlite3.connect(folder / "queues.db")
    rows = connection.execute("SELECT body, visible_at FROM messages WHERE queue = ? ORDER BY rowid", (queue,))
    found = [Message(body.encode(), round(visible - clock.now().timestamp(), 3)) for body, visible in rows]
    connection.close()
    return found


STORES = (
    Store(
        "sqlite",
        ledger=lambda folder, clock: SqliteLedger(folder / "ledger.db", clock),
        inbox=lambda folder, clock: SqliteInbox(folder / "queues.db", clock),
        messages=_sqlite_messages,
    ),
)


def event(at: datetime = NOON, subject: str = SUBNET) -> Cause:
    return Cause(Source.EVENT, at, subject=subject)


def cause(source: Source, at: datetime = NOON, points_at: str | None = None) -> Cause:
    return Cause(source, at, subject=NETWORK, points_at=points_at)


def remediation(resource: str = SUBNET, digest: str = "d1", policy: str = "spokes") -> Remediation:
    return Remediation(resource, policy, ("subnet-egress",), (STEP,), "no way out", ("brief",), digest)


def withheld(digest: str = "d1", text: str = "needs approval") -> Withheld:
    return Withheld(remediation(digest=digest), (Reason(Gate.APPROVAL, text),))


def verdict(result: Result = Result.VIOLATION, resource: str = SUBNET, policy: str | None = "spokes") -> Verdict:
    return Verdict(resource, "subnet-egress", result, policy)


def applied(became: Became = Became.DONE, after: object = None, step: Step = STEP) -> Applied:
    body = None if after is None else json.dumps(after).encode()
    return Applied(Outcome(step, "d1", became), before=b'{"name":"app"}', after=body)


def record(run: Run, at: datetime = NOON, outcomes: tuple[Outcome, ...] = (), note: str = "") -> Record:
    return Record(run.id, at, run.scope, run.epoch, run.cause, run.policy_digest, outcomes=outcomes, note=note)


async def held(ledger: Ledger, woken: Cause | None = None, scope: Scope = SCOPE, policies: str = POLICIES) -> Held:
    """Claims a Scope that nobody holds, by a Cause that is never absorbed unless another one is given."""
    answer = await ledger.claim(woken or cause(Source.MANUAL), scope, policies)
    assert isinstance(answer, Held), answer
    return answer


async def begun(ledger: Ledger, woken: Cause | None = None, scope: Scope = SCOPE, policies: str = POLICIES) -> Run:
    woken = woken or cause(Source.MANUAL)
    return await ledger.begin(await held(ledger, woken, scope, policies), woken, policies, Plan())


def ending(seen: datetime = NOON, settled: bool = True, verdicts: tuple[Verdict, ...] = ()) -> Ending:
    return Ending(seen, settled, verdicts)
