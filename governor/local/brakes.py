"""What stops writing: the kill switch, and the counts of what was written in the last hour and of failures in a row."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from governor.core.cause import VERSION
from governor.core.plan import Remediation
from governor.core.standing import Pause
from governor.local import keys
from governor.local.rows import Transaction
from governor.ports import Paused, Run

HOUR: Final = timedelta(hours=1)

_TABLE: Final = "brakes"
_TENANT: Final = "tenant"
_LAST: Final = "\U0010ffff"


class Off(Struct, frozen=True):
    """Who switched the kill switch off, when and why."""

    by: str
    at: datetime
    reason: str


class Switch(Struct, frozen=True):
    """One turn of the kill switch: on, or off."""

    on: Pause | None = None
    off: Off | None = None
    v: int = VERSION


class Written(Struct, frozen=True):
    """One Remediation that was finished, well or not."""

    policy: str
    failed: bool
    v: int = VERSION


class Failures(Struct, frozen=True):
    """How many Remediations failed in a row, and when the last one did."""

    in_a_row: int = 0
    last: datetime | None = None
    v: int = VERSION


def switch(tx: Transaction, turn: Pause | Off, now: datetime) -> None:
    """The kill switch on or off in; every turn stays on record."""
    turned = Switch(on=turn) if isinstance(turn, Pause) else Switch(off=turn)
    turns = tx.under(_TABLE, "pause", "h|")
    moment = keys.micros(now) if not turns else max(keys.micros(now), int(turns[-1].row[2:]) + 1)
    tx.put(_TABLE, "pause", f"h|{keys.rising(moment)}", turned)
    tx.put(_TABLE, "pause", "now", turned)
    if turned.off is not None:
        tx.put(_TABLE, "pause", "closed", turned)


def paused(tx: Transaction) -> Pause | None:
    """Nothing in, the pause that stands out."""
    return (tx.get(Switch, _TABLE, "pause", "now") or Switch()).on


def refuse_paused(tx: Transaction) -> None:
    """Raises Paused while the kill switch is on."""
    pause = paused(tx)
    if pause is not None:
        raise Paused(f"paused by {pause.by} at {pause.at.isoformat()}: {pause.reason}")


def count(tx: Transaction, run: Run, remediation: Remediation, failed: bool, now: datetime) -> None:
    """A finished Remediation in, counted for its subscription and the tenant; what is older than an hour goes."""
    subscription = run.scope.subscription
    written = Written(remediation.policy, failed)
    for partition in (subscription, _TENANT):
        for row in tx.under(_TABLE, partition, "w|"):
            if row.row > _hour_ago(now):
                break
            tx.delete(_TABLE, partition, row.row)
        tx.put(_TABLE, partition, f"w|{keys.rising(keys.micros(now))}|{run.id}|{remediation.digest}", written)
    before = failures(tx, subscription)
    after = before + 1 if failed else 0
    if failed or before:
        tx.put(_TABLE, subscription, "failures", Failures(after, now))


def written(tx: Transaction, subscription: str, now: datetime) -> dict[str, int]:
    """A subscription in, its Remediations of the last hour by policy out."""
    rows = tx.all(Written, _TABLE, subscription, "w|", after=_hour_ago(now))
    return dict(sorted(Counter(row.policy for row in rows).items()))


def tenant_written(tx: Transaction, now: datetime) -> int:
    """How many Remediations there were in the last hour in all subscriptions."""
    return len(tx.under(_TABLE, _TENANT, "w|", after=_hour_ago(now)))


def failures(tx: Transaction, subscription: str) -> int:
    """A subscription in, how many Remediations failed in a row there since a person last let writes go on, out."""
    found = tx.get(Failures, _TABLE, subscription, "failures") or Failures()
    closed = tx.get(Switch, _TABLE, "pause", "closed")
    over = closed is not None and closed.off is not None and found.last is not None and found.last <= closed.off.at
    return 0 if over else found.in_a_row


def _hour_ago(now: datetime) -> str:
    # The last hour is half-open: what was written exactly an hour ago is not in it any more.
    return f"w|{keys.rising(keys.micros(now - HOUR))}|{_LAST}"
