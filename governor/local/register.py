"""The register of egress addresses, and its history: Verdicts of a run or a survey in, what has moved out."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from msgspec import Struct

from governor.core import ids
from governor.core import register as core
from governor.core.cause import VERSION, Scope
from governor.core.register import Entry, Move, Past, Registered, Sought
from governor.core.verdict import Result, Verdict
from governor.local import chain, keys
from governor.local.rows import Row, Transaction, decode
from governor.ports import RegisterPage

_TABLE: Final = "addresses"
_BATCH: Final = 200


class Stands(Struct, frozen=True):
    registered: Registered
    v: int = VERSION


class Was(Struct, frozen=True):
    past: Past
    v: int = VERSION


def replace(tx: Transaction, scope: Scope, verdicts: Iterable[Verdict], by: str, now: datetime) -> tuple[Move, ...]:
    """All Verdicts of a Scope that a run tells in; registered, and what people must be told of it out."""
    stood = _of_scope(tx, scope)
    before = {key: one.entry for key, one in stood.items()}
    after = core.entries(verdicts, before)
    for key, old in stood.items():
        new = after.get(key)
        if old.entry.is_known and (new is None or core.differs(new, old.entry)):
            _remember(tx, scope, Past(old.entry, old.since, now, old.by, by))
        if new is None:
            tx.delete(_TABLE, scope.subscription, _row(scope, key))
    for key, entry in after.items():
        _put(tx, scope, entry, stood.get(key), (by, now))
    return core.moves(after, before)


def surveyed(tx: Transaction, scope: Scope, verdicts: Iterable[Verdict], now: datetime) -> None:
    """Verdicts of a survey in; what nobody has registered is. What has changed is for the run to tell."""
    stood = _of_scope(tx, scope)
    for verdict in verdicts:
        key = ids.key(verdict.resource)
        if key not in stood and (entry := core.entered(verdict, None)):
            _put(tx, scope, entry, None, ("", now))


def unseen(tx: Transaction, scope: Scope, why: str, now: datetime) -> None:
    """A Scope that nobody can see and why in: nothing of it is known for certain at the moment."""
    for old in _of_scope(tx, scope).values():
        requirement = core.CLUSTER if old.entry.is_cluster else core.SUBNET
        verdict = Verdict(old.entry.resource, requirement, Result.UNKNOWN, old.entry.policy, why)
        if entry := core.entered(verdict, old.entry):
            _put(tx, scope, entry, old, (old.by, now))


def page(tx: Transaction, sought: Sought, limit: int, continuation: str | None) -> RegisterPage:
    """What is asked for and where to go on in, so many entries out."""
    first, _, after = ("", "", "") if continuation is None else chain.opened(continuation).partition("/")
    found: list[tuple[str, Registered]] = []
    for subscription in chain.subscriptions(tx):
        if subscription < first:
            continue
        for row in _rows(tx, subscription, after if subscription == first else ""):
            registered = decode(Stands, row.value).registered
            if sought.takes(registered.entry):
                found.append((f"{subscription}/{row.row}", registered))
            if len(found) > limit:
                return RegisterPage(tuple(one for _, one in found[:limit]), chain.sealed(found[limit - 1][0]))
    return RegisterPage(tuple(one for _, one in found))


def history(tx: Transaction, resource: str) -> tuple[Past, ...]:
    """The id of a subnet or cluster in, whence it left before, the latest first, out."""
    partition, name = ids.parse(resource).subscription, keys.resource(resource)
    return tuple(row.past for row in tx.all(Was, _TABLE, partition, f"h|{name}|"))


def _rows(tx: Transaction, subscription: str, after: str) -> Iterable[Row]:
    while rows := tx.under(_TABLE, subscription, "e|", after, _BATCH):
        yield from rows
        after = rows[-1].row


def _of_scope(tx: Transaction, scope: Scope) -> dict[str, Registered]:
    rows = tx.all(Stands, _TABLE, scope.subscription, f"e|{keys.place(scope)}|")
    return {ids.key(row.registered.entry.resource): row.registered for row in rows}


def _put(tx: Transaction, scope: Scope, entry: Entry, old: Registered | None, told: tuple[str, datetime]) -> None:
    """What is registered keeps its time, and who told it, as long as the addresses are the same."""
    by, now = told
    same = old is not None and old.entry.is_known and not core.differs(entry, old.entry)
    new = Registered(entry, old.since, old.by) if same and old is not None else Registered(entry, now, by)
    if new != old:
        tx.put(_TABLE, scope.subscription, _row(scope, ids.key(entry.resource)), Stands(new))


def _remember(tx: Transaction, scope: Scope, past: Past) -> None:
    name = keys.resource(past.entry.resource)
    tx.put(_TABLE, scope.subscription, f"h|{name}|{keys.falling(keys.micros(past.until))}", Was(past))


def _row(scope: Scope, key: str) -> str:
    return f"e|{keys.place(scope)}|{keys.resource(key)}"
