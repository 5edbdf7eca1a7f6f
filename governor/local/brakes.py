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


class Switch(Struct, frozen=True):
    """Who switched the kill switch on or off, when and why."""

    paused: bool
    by: str
    at: datetime
    reason: str
    v: int = VERSION


class Written(Struct, frozen=True):
    """One Remediation that was finished, well or not."""

    policy: str
    failed: bool
    v: int = VERSION


class Failures(Struct, frozen=True):
    """How many Remediations failed in a row."""

    in_a_row: int = 0
    v: int = VERSION


def switch(tx: Transaction, turned: Switch) -> None:
    """The kill switch as it was turned in; every turn stays on record."""
    latest = tx.under(_TABLE, "pause", "h|", limit=1)
    moment = keys.micros(turned.at)
    while latest and f"h|{keys.falling(moment)}" >= latest[0].row:
        moment += 1
    tx.put(_TABLE, "pause", f"h|{keys.falling(moment)}", turned)
    tx.put(_TABLE, "pause", "now", turned)


def paused(tx: Transaction) -> Pause | None:
    now = tx.get(Switch, _TABLE, "pause", "now")
    return Pause(now.by, now.at, now.reason) if now is not None and now.paused else None


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
    if after != before:
        tx.put(_TABLE, subscription, "failures", Failures(after))


def written(tx: Transaction, subscription: str, now: datetime) -> dict[str, int]:
    """A subscription in, its Remediations of the last hour by policy out."""
    rows = tx.all(Written, _TABLE, subscription, "w|", after=_hour_ago(now))
    return dict(sorted(Counter(row.policy for row in rows).items()))


def tenant_written(tx: Transaction, now: datetime) -> int:
    """How many Remediations there were in the last hour in all subscriptions."""
    return len(tx.under(_TABLE, _TENANT, "w|", after=_hour_ago(now)))


def failures(tx: Transaction, subscription: str) -> int:
    """A subscription in, how many Remediations failed in a row there out."""
    return (tx.get(Failures, _TABLE, subscription, "failures") or Failures()).in_a_row


def _hour_ago(now: datetime) -> str:
    # The last hour is half-open: what was written exactly an hour ago is not in it any more.
    return f"w|{keys.rising(keys.micros(now - HOUR))}|{_LAST}"
