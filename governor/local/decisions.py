"""What people are offered and what they decided: rulings, standing approvals, wishes to undo, and what undo leaves."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from governor.core.cause import VERSION, Cause, Scope, Source
from governor.core.plan import Withheld
from governor.core.record import Became, Record
from governor.core.standing import MOST_DAYS_ALONE, Decision, StandingApproval, UndoExemption, UndoRequest
from governor.local import keys
from governor.local.rows import Transaction
from governor.ports import Offered, Run

_TABLE: Final = "decisions"
_WROTE: Final = (Became.DONE, Became.PENDING, Became.INTERRUPTED)


class Offering(Struct, frozen=True):
    """A Remediation that the last run on its Scope withheld, since the first run that did."""

    scope: Scope
    withheld: Withheld
    since: datetime
    v: int = VERSION


class Offers(Struct, frozen=True):
    """The digests of what the last run on a Scope withheld, with the gates that did."""

    gates: dict[str, tuple[str, ...]] = {}
    v: int = VERSION


class Ruled(Struct, frozen=True):
    decision: Decision
    v: int = VERSION


class Approved(Struct, frozen=True):
    approval: StandingApproval
    v: int = VERSION


class Asked(Struct, frozen=True):
    request: UndoRequest
    v: int = VERSION


class LeftAlone(Struct, frozen=True):
    exemption: UndoExemption
    v: int = VERSION


def offer(tx: Transaction, scope: Scope, withheld: Iterable[Withheld], now: datetime) -> None:
    """What a run on a Scope withheld in: it is offered, and nothing else of this Scope."""
    place = keys.place(scope)
    before = tx.get(Offers, _TABLE, place, "offers") or Offers()
    present = {item.remediation.digest: item for item in withheld}
    for digest in before.gates:
        if digest not in present:
            tx.delete(_TABLE, "offered", f"{digest}|{place}")
    for digest, item in present.items():
        there = tx.get(Offering, _TABLE, "offered", f"{digest}|{place}")
        offering = Offering(scope, item, now if there is None else there.since)
        if offering != there:
            tx.put(_TABLE, "offered", f"{digest}|{place}", offering)
    after = Offers({d: tuple(sorted({r.gate.value for r in present[d].reasons})) for d in sorted(present)})
    if after != before:
        tx.put(_TABLE, place, "offers", after)


def gates(tx: Transaction, scope: Scope) -> dict[str, tuple[str, ...]]:
    """A Scope in, the digests of what its last run withheld, with the gates that did, out."""
    return (tx.get(Offers, _TABLE, keys.place(scope), "offers") or Offers()).gates


def offered(tx: Transaction, digest: str | None, now: datetime) -> tuple[Offered, ...]:
    """A digest (None: any) in, what waits for a decision out, with the ruling that counts."""
    rulings = decisions(tx, now)
    found = tx.all(Offering, _TABLE, "offered", "" if digest is None else f"{digest}|")
    return tuple(Offered(o.scope, o.withheld, o.since, rulings.get(o.withheld.remediation.digest)) for o in found)


def decide(tx: Transaction, decision: Decision, now: datetime) -> None:
    """A ruling in: it counts from now on, instead of any before; those that count no more are kept as history only."""
    for row in tx.all(Ruled, _TABLE, "rulings"):
        if row.decision.expires <= now:
            tx.delete(_TABLE, "rulings", row.decision.digest)
    tx.put(_TABLE, "rulings", decision.digest, Ruled(decision))
    tx.put(_TABLE, f"ruling-{decision.digest}", _next(tx, f"ruling-{decision.digest}", now), Ruled(decision))


def decisions(tx: Transaction, now: datetime) -> dict[str, Decision]:
    """The rulings that count, by digest."""
    rows = (row.decision for row in tx.all(Ruled, _TABLE, "rulings"))
    return {decision.digest: decision for decision in rows if now < decision.expires}


def decided(tx: Transaction, digests: Iterable[str], at: datetime) -> tuple[Decision, ...]:
    """Digests in; the ruling on each that counted at that time, whatever was said later, out."""
    histories = ([row.decision for row in tx.all(Ruled, _TABLE, f"ruling-{digest}")] for digest in sorted(set(digests)))
    counted = ([one for one in history if one.at <= at < one.expires] for history in histories)
    return tuple(history[-1] for history in counted if history)


def approve(tx: Transaction, approval: StandingApproval, now: datetime) -> None:
    tx.put(_TABLE, "standing", _next(tx, "standing", now), Approved(approval))


def approvals(tx: Transaction, now: datetime) -> tuple[StandingApproval, ...]:
    """The standing approvals that have not run out."""
    rows = (row.approval for row in tx.all(Approved, _TABLE, "standing"))
    return tuple(approval for approval in rows if now < approval.until)


def ask_undo(tx: Transaction, request: UndoRequest, now: datetime) -> None:
    partition = f"undo-{request.record}"
    tx.put(_TABLE, partition, _next(tx, partition, now), Asked(request))


def undo(tx: Transaction, cause: Cause) -> UndoRequest | None:
    """The Cause of an undo in, the latest wish that it points at out; None for every other Cause."""
    if cause.source is not Source.UNDO or cause.points_at is None:
        return None
    asked = tx.all(Asked, _TABLE, f"undo-{cause.points_at}")
    return asked[-1].request if asked else None


def leave_alone(tx: Transaction, run: Run, record: Record) -> None:
    """A run that undid something and its Record in: what it wrote is exempt for as many days as the wish says.

    A step that is still pending, or was cut off, may have written too.
    """
    request = undo(tx, run.cause)
    if request is None:
        return
    until = request.at + timedelta(days=min(request.days, MOST_DAYS_ALONE))
    resources = [remediation.resource for remediation in record.done]
    resources += [outcome.step.target for outcome in record.outcomes if outcome.became in _WROTE]
    for resource in resources:
        row = f"x|{keys.resource(resource)}"
        there = tx.get(LeftAlone, _TABLE, keys.place(run.scope), row)
        if there is None or there.exemption.until < until:
            exemption = UndoExemption(resource, request.record, until)
            tx.put(_TABLE, keys.place(run.scope), row, LeftAlone(exemption))


def exemptions(tx: Transaction, scope: Scope, now: datetime) -> tuple[UndoExemption, ...]:
    """A Scope in, what undo left alone there and until when out."""
    rows = (row.exemption for row in tx.all(LeftAlone, _TABLE, keys.place(scope), "x|"))
    return tuple(exemption for exemption in rows if now < exemption.until)


def _next(tx: Transaction, partition: str, now: datetime) -> str:
    """The key of what is written last in a partition, even if the clock stood still or went back."""
    rows = tx.under(_TABLE, partition)
    last = int(rows[-1].row) if rows else -1
    return keys.rising(max(keys.micros(now), last + 1))
