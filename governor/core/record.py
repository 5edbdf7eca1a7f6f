"""The account of one run, and what became of each step."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec
from msgspec import Struct

from governor.core import ids
from governor.core.cause import VERSION, Cause, Scope
from governor.core.plan import Reason, Remediation
from governor.core.proof import Proof
from governor.core.standing import Decision, StandingApproval, UndoRequest
from governor.core.step import Step
from governor.core.verdict import Verdict

MAX_BYTES: Final = 32 * 1024


class Became(StrEnum):
    DONE = "Done"
    UNCHANGED = "Unchanged"
    STALE = "Stale"
    PENDING = "Pending"
    FAILED = "Failed"
    INTERRUPTED = "Interrupted"


class Outcome(Struct, frozen=True, omit_defaults=True):
    """What became of a step. `before` and `after` name blobs by their SHA-256; `detail` is for people."""

    step: Step
    remediation: str
    became: Became
    detail: str = ""
    before: str | None = None
    after: str | None = None
    started: datetime | None = None
    finished: datetime | None = None

    @property
    def wrote(self) -> bool:
        """Whether it changed something, or may have: what was not seen to end, and what failed and left a change."""
        if self.became is Became.FAILED:
            return self.after is not None and self.after != self.before
        return self.became in (Became.DONE, Became.PENDING, Became.INTERRUPTED)


class Offer(Struct, frozen=True, omit_defaults=True):
    """A Remediation that was withheld, as the Record keeps it."""

    remediation: Remediation
    reasons: tuple[Reason, ...]


class Record(Struct, frozen=True, omit_defaults=True):
    """The account of one run. changes: verdicts that differ from before; counts: all verdicts, by result.

    decisions, approvals, undo: who decided what about its Remediations, also in advance, and why.
    proofs: how far what was written is proven.
    """

    id: str
    time: datetime
    scope: Scope
    epoch: int
    cause: Cause
    policy_digest: str
    plan_digest: str = ""
    changes: tuple[Verdict, ...] = ()
    gone: tuple[str, ...] = ()
    counts: dict[str, int] = {}
    done: tuple[Remediation, ...] = ()
    proofs: tuple[Proof, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    withheld: tuple[Offer, ...] = ()
    decisions: tuple[Decision, ...] = ()
    approvals: tuple[StandingApproval, ...] = ()
    undo: UndoRequest | None = None
    note: str = ""
    left_out: int = 0
    prev: str = ""
    # A factory, so that the version is stored although defaults are not.
    v: int = msgspec.field(default_factory=lambda: VERSION)


def run_id(scope: Scope, epoch: int) -> str:
    """A Scope and the epoch of its claim in, the id of the run and its Record out: a repeated append is one row."""
    return hashlib.sha256(f"{scope.key}|{epoch}".encode()).hexdigest()[:24]


def changed(
    before: Iterable[Verdict], now: Iterable[Verdict], untold: Iterable[Verdict] = ()
) -> tuple[tuple[Verdict, ...], tuple[str, ...]]:
    """The Verdicts that stood and those of now in; those that differ, and the resources that are gone, out.

    untold: those of `before` that no Record says yet. What is there now counts as different from them.
    """
    stood = {(ids.key(v.resource), v.requirement): v for v in before}
    news = {(ids.key(v.resource), v.requirement) for v in untold}
    current = {(ids.key(v.resource), v.requirement): v for v in now}
    changes = tuple(verdict for place, verdict in current.items() if place in news or stood.get(place) != verdict)
    gone = {stood[place].resource for place in stood.keys() - current.keys()}
    return changes, tuple(sorted(gone - {v.resource for v in current.values()}))


def encode(record: Record) -> bytes:
    """A Record in, its stored bytes out, at most 32 KiB: what does not fit is left out and counted.

    What people can read elsewhere goes first: the ledger holds verdicts and offers. Outcomes go last: they are the
    account of what was written, and guard keeps their number small enough.
    """
    return _without(record, ("changes", "gone", "withheld", "done", "proofs", "outcomes"))


def _without(record: Record, members: tuple[str, ...]) -> bytes:
    """A Record and its members that may be left out in, the bytes of the Record with as many of them as fit out."""
    stored = msgspec.json.encode(record)
    for member in members:
        while len(stored) > MAX_BYTES and (values := getattr(record, member)):
            kept = values[: len(values) * 3 // 4]
            left_out = record.left_out + len(values) - len(kept)
            record = msgspec.structs.replace(record, **{member: kept, "left_out": left_out})
            stored = msgspec.json.encode(record)
    return stored
