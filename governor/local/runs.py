"""Runs with their intents and outcomes in and out; what is still open, and which events are only their echo."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec import Struct

from governor.core import evidence
from governor.core.cause import VERSION, Cause, Scope, Source, scopes
from governor.core.plan import Remediation
from governor.core.record import Became, Outcome
from governor.local import keys
from governor.local.keys import Times
from governor.local.rows import Transaction
from governor.ports import Intent, Run, correlation

_TABLE: Final = "runs"
_WINDOWS: Final = 16
# Longer than the deadline of a step, and than the lease of whoever may have died after it.
_LONGEST: Final = timedelta(minutes=15)


class Begun(Struct, frozen=True):
    """A run with what it was about to do, when it began and ended, and whether there is a Record of it.

    told_by: the run that gave its account, because it was cut off before it could.
    """

    run: Run
    plan_digest: str
    plan: tuple[Remediation, ...]
    began: datetime
    ended: datetime | None = None
    recorded: bool = False
    told_by: str = ""
    v: int = VERSION


class Intended(Struct, frozen=True):
    """An intent with what became of it, None as long as nobody knows."""

    intent: Intent
    outcome: Outcome | None = None
    v: int = VERSION


class Window(Struct, frozen=True):
    """From when until when a step may have written its target; end None: nobody knows yet."""

    run: str
    number: int
    begin: datetime
    end: datetime | None = None


class Writes(Struct, frozen=True):
    """The latest times at which runs on a Scope may have written one resource."""

    windows: tuple[Window, ...] = ()
    v: int = VERSION


def put(tx: Transaction, begun: Begun) -> None:
    tx.put(_TABLE, keys.place(begun.run.scope), f"run|{begun.run.id}", begun)


def find(tx: Transaction, scope: Scope, run: str) -> Begun | None:
    return tx.get(Begun, _TABLE, keys.place(scope), f"run|{run}")


def forget(tx: Transaction, scope: Scope, run: str) -> None:
    """A run in; gone with its intents if it has ended: its Record says what they became."""
    begun = find(tx, scope, run)
    if begun is None or begun.ended is None:
        return
    for row in tx.under(_TABLE, keys.place(scope), f"i|{run}|"):
        tx.delete(_TABLE, keys.place(scope), row.row)
    tx.delete(_TABLE, keys.place(scope), f"run|{run}")


def intent(tx: Transaction, run: Run, number: int) -> Intended | None:
    return tx.get(Intended, _TABLE, keys.place(run.scope), _row(run.id, number))


def intend(tx: Transaction, scope: Scope, intent: Intent) -> None:
    """An intent in; a number that was used before may only say the same again."""
    there = tx.get(Intended, _TABLE, keys.place(scope), _row(intent.run, intent.number))
    if there is not None:
        if (there.intent.remediation, there.intent.step) != (intent.remediation, intent.step):
            raise ValueError(f"run {intent.run} has already used the number {intent.number} for another step")
        return
    tx.put(_TABLE, keys.place(scope), _row(intent.run, intent.number), Intended(intent))
    window = Window(intent.run, intent.number, intent.at)
    for home in _homes(scope, intent.step.target):
        writes = _writes(tx, home, intent.step.target)
        _put_writes(tx, home, intent.step.target, (*writes.windows, window)[-_WINDOWS:])


def close(tx: Transaction, scope: Scope, intended: Intended, outcome: Outcome, now: datetime) -> None:
    """An intent and what became of it in: from now on it is not open any more."""
    intent = intended.intent
    closed = msgspec.structs.replace(intended, outcome=outcome)
    tx.put(_TABLE, keys.place(scope), _row(intent.run, intent.number), closed)
    for home in _homes(scope, intent.step.target):
        windows = (
            msgspec.structs.replace(window, end=now)
            if (window.run, window.number) == (intent.run, intent.number)
            else window
            for window in _writes(tx, home, intent.step.target).windows
        )
        _put_writes(tx, home, intent.step.target, tuple(windows))


def intents(tx: Transaction, scope: Scope, run: str) -> list[Intended]:
    """A run of a Scope in, its intents out, in order."""
    return tx.all(Intended, _TABLE, keys.place(scope), f"i|{run}|")


def unsettled(tx: Transaction, scope: Scope, run_ids: Iterable[str]) -> tuple[Intended, ...]:
    """Runs of a Scope in, their intents without outcome out, in order."""
    rows = (row for run in run_ids for row in intents(tx, scope, run))
    return tuple(row for row in rows if row.outcome is None)


def interrupt(
    tx: Transaction, scope: Scope, opened: Iterable[Intended], outcomes: Iterable[Outcome], now: datetime
) -> None:
    """Open intents and the outcomes of the run that took over in; those it names as Interrupted are closed."""
    taken = [outcome for outcome in outcomes if outcome.became is Became.INTERRUPTED]
    for intended in opened:
        intent = intended.intent
        for outcome in taken:
            if (outcome.remediation, outcome.step) == (intent.remediation, intent.step):
                close(tx, scope, intended, outcome, now)
                break


def unfinished(tx: Transaction, scope: Scope, run_ids: Iterable[str]) -> tuple[str, ...]:
    """Runs of a Scope in; those with intents without outcome, and those cut off before they gave account, out."""

    def left(run: str) -> bool:
        begun, rows = find(tx, scope, run), intents(tx, scope, run)
        return any(row.outcome is None for row in rows) or bool(rows and begun and begun.ended is None)

    return tuple(run for run in dict.fromkeys(run_ids) if left(run))


def keep(tx: Transaction, body: bytes | None) -> str | None:
    """A raw body in, the name of the blob that keeps it without server-filled members and secrets out."""
    if body is None:
        return None
    kept = evidence.clean(body)
    name = evidence.name(kept)
    tx.keep(name, kept)
    return name


def echo(tx: Transaction, cause: Cause, scope: Scope, times: Times) -> Window | None:
    """An event on a Scope in; the write of ours that it tells of out, None if it tells of somebody else's.

    Our writes say whose they are, and the event says it again. One that does not say is ours by its time: no write of
    ours lasts for longer than a step may, even if its end was never seen.
    """
    if cause.source is not Source.EVENT or cause.subject is None:
        return None
    for window in _writes(tx, scope, cause.subject).windows:
        if cause.correlation_id is not None:
            if cause.correlation_id.casefold() == correlation(window.run):
                return window
        elif window.begin - times.skew <= cause.time <= _last(window, times) + times.skew:
            return window
    return None


def seen_end(window: Window | None, cause: Cause, times: Times) -> datetime | None:
    """The write of ours that an event tells of in; when its end had been seen, if nothing came of it later, out."""
    if window is None or window.end is None or cause.correlation_id is None:
        return None
    return window.end if cause.time <= window.end + times.skew else None


def _homes(scope: Scope, target: str) -> tuple[Scope, ...]:
    """The Scope of a run and what it writes in; the Scopes whose events may echo that write out.

    A side of a peering in the hub's network is an event of the hub, too.
    """
    return tuple({one.key: one for one in (scope, *scopes(target, ()))}.values())


def _last(window: Window, times: Times) -> datetime:
    return window.end or min(times.now, window.begin + _LONGEST)


def _writes(tx: Transaction, scope: Scope, target: str) -> Writes:
    return tx.get(Writes, _TABLE, keys.place(scope), f"w|{keys.resource(target)}") or Writes()


def _put_writes(tx: Transaction, scope: Scope, target: str, windows: tuple[Window, ...]) -> None:
    tx.put(_TABLE, keys.place(scope), f"w|{keys.resource(target)}", Writes(windows))


def _row(run: str, number: int) -> str:
    return f"i|{run}|{number:05d}"
