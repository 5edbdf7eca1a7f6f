"""Records in, rows chained by their hashes out; the way back, page by page; and whether a chain is whole.

Within a chain the times in the keys grow strictly, whatever the clocks of the runs say: the order of the rows is the
order of the chain, so that both can be compared.
"""

import base64
import hashlib
from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct

from governor.core.cause import VERSION
from governor.core.record import Record, encode
from governor.local import keys
from governor.local.rows import Row, Transaction, decode
from governor.ports import Page, Terminal, Verification

_LEDGER: Final = "ledger"
_RECENT: Final = "recent"
_BATCH: Final = 200


class Head(Struct, frozen=True):
    """The newest end of a subscription's chain: hash of its Record, how many there are, and its time in the keys."""

    hash: str = ""
    records: int = 0
    at: int = 0
    v: int = VERSION


class Pointer(Struct, frozen=True):
    """Where a Record is."""

    subscription: str
    row: str
    v: int = VERSION


class Mark(Struct, frozen=True):
    """That there is something under this key. chained: at least one Record, where a subscription is marked."""

    chained: bool = False
    v: int = VERSION


def append(tx: Transaction, record: Record) -> Record:
    """A Record in, the same as it is stored, chained to the one before, out."""
    subscription = record.scope.subscription
    head = tx.get(Head, _LEDGER, subscription, "head") or Head()
    stored = encode(msgspec.structs.replace(record, prev=head.hash))
    digest = hashlib.sha256(stored).hexdigest()
    at = max(keys.micros(record.time), head.at + 1)
    row = f"r|{keys.falling(at)}|{record.id}"
    tx.put_raw(_LEDGER, subscription, row, stored, digest)
    tx.put(_LEDGER, subscription, "head", Head(digest, head.records + 1, at))
    _point(tx, Pointer(subscription, row), record.id, at)
    return decode(Record, stored)


def mark(tx: Transaction, subscription: str, chained: bool = False) -> None:
    """A subscription in: it is among those that the ledger knows."""
    there = tx.get(Mark, _RECENT, "subscriptions", subscription)
    if there is None or chained > there.chained:
        tx.put(_RECENT, "subscriptions", subscription, Mark(chained))


def subscriptions(tx: Transaction) -> list[str]:
    """The subscriptions that the ledger knows, in order."""
    return [row.row for row in tx.under(_RECENT, "subscriptions")]


def find(tx: Transaction, record_id: str) -> Record | None:
    """The id of a Record in, the Record out."""
    pointer = tx.get(Pointer, _RECENT, f"record-{record_id}", "at")
    return None if pointer is None else _at(tx, pointer)


def page(tx: Transaction, subscription: str | None, limit: int, continuation: str | None) -> Page:
    """A subscription (None: all of them) and where to go on in, its Records out, the newest first."""
    after = "" if continuation is None else opened(continuation)
    if subscription is None:
        rows, records = _recent(tx, limit + 1, after)
    else:
        found = tx.under(_LEDGER, subscription.casefold(), "r|", after, limit + 1)
        rows, records = [row.row for row in found], [decode(Record, row.value) for row in found]
    more = sealed(rows[limit - 1]) if len(rows) > limit else None
    return Page(tuple(records[:limit]), more)


def verify(tx: Transaction, subscription: str) -> Verification:
    """A subscription in; how many Records its chain has, and the first thing that is wrong from the newest on, out."""
    try:
        head = tx.get(Head, _LEDGER, subscription, "head")
        marked = tx.get(Mark, _RECENT, "subscriptions", subscription)
        if head is None and marked is not None and marked.chained:
            return Verification(subscription, 0, "the head of the chain is missing")
        return _walk(tx, subscription, head or Head())
    except Terminal as error:
        return Verification(subscription, 0, str(error))


def _walk(tx: Transaction, subscription: str, head: Head) -> Verification:
    count, after, expected = 0, "", head.hash
    while rows := tx.under(_LEDGER, subscription, "r|", after, _BATCH):
        for row in rows:
            wrong = _wrong(row, expected, newest=count == 0)
            if wrong is not None:
                return Verification(subscription, count, wrong)
            record = decode(Record, row.value)
            wrong = _without_proof(tx, record)
            if wrong is not None:
                return Verification(subscription, count, wrong)
            expected, count, after = record.prev, count + 1, row.row
    if expected:
        which = "all" if count == 0 else "the oldest"
        return Verification(subscription, count, f"{which} Records are missing: none has the hash {expected}")
    if head.records != count:
        return Verification(subscription, count, f"the head counts {head.records} Records, the chain has {count}")
    return Verification(subscription, count, None)


def _without_proof(tx: Transaction, record: Record) -> str | None:
    """A Record in; which of the bodies that it names by hash is missing or was changed, or None, out."""
    for outcome in record.outcomes:
        for name in (outcome.before, outcome.after):
            body = None if name is None else tx.blob(name)
            if name is not None and (body is None or hashlib.sha256(body).hexdigest() != name):
                what = "is missing" if body is None else "was changed"
                return f"Record {record.id} names a body that {what}: {name}"
    return None


def _wrong(row: Row, expected: str, newest: bool) -> str | None:
    name = row.row.rpartition("|")[2]
    if hashlib.sha256(row.value).hexdigest() != row.hash:
        return f"Record {name} was changed: its bytes do not have the hash stored with it"
    if row.hash != expected and newest:
        return f"Record {name} is not the one the head names: Records were cut off at the end, added or changed"
    if row.hash != expected:
        return f"Record {name} is not the one the next Record names: one is missing, added, changed or out of order"
    if decode(Record, row.value).id != name:
        return f"Record {name} stands under a name that is not its own"
    return None


def _point(tx: Transaction, pointer: Pointer, record_id: str, at: int) -> None:
    day = keys.day(at)
    tx.put(_RECENT, f"record-{record_id}", "at", pointer)
    tx.put(_RECENT, day, f"{keys.falling(at)}|{pointer.subscription}|{record_id}", pointer)
    tx.put(_RECENT, "days", keys.falling_day(day), Mark())
    mark(tx, pointer.subscription, chained=True)


def _recent(tx: Transaction, limit: int, after: str) -> tuple[list[str], list[Record]]:
    names: list[str] = []
    records: list[Record] = []
    for name, pointer in _pointers(tx, after):
        record = _at(tx, pointer)
        if record is not None:
            names.append(name)
            records.append(record)
        if len(names) == limit:
            break
    return names, records


def _pointers(tx: Transaction, after: str) -> Iterator[tuple[str, Pointer]]:
    # Keys fall over all days, not only within one: what comes after a key in its own day does so in older ones.
    first, _, last = after.partition("/")
    for day in (row.row for row in tx.under(_RECENT, "days")):
        if day < first:
            continue
        while rows := tx.under(_RECENT, keys.falling_day(day), "", last, _BATCH):
            for row in rows:
                last = row.row
                yield f"{day}/{last}", decode(Pointer, row.value)


def _at(tx: Transaction, pointer: Pointer) -> Record | None:
    row = tx.raw(_LEDGER, pointer.subscription, pointer.row)
    return None if row is None else decode(Record, row.value)


def sealed(text: str) -> str:
    """Where a page ended in, the continuation that says so out."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def opened(continuation: str) -> str:
    """A continuation in, where its page ended out; ValueError for what is none."""
    try:
        padded = continuation + "=" * (-len(continuation) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise ValueError(f"not the continuation of a list: {continuation!r}") from error
