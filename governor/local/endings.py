"""How a run ends, and how a message does that nobody will look at again: one transaction each."""

from datetime import datetime

import msgspec
from msgspec import UNSET

from governor.core import approval, ids
from governor.core.cause import Cause, Remainder, Scope, Source, scopes
from governor.core.notice import addresses_changed
from governor.core.record import Became, Outcome, Record, run_id
from governor.core.standing import KnownClusters
from governor.local import chain, claims, decisions, keys, outbox, register, runs, verdicts
from governor.local.rows import Transaction
from governor.ports import Ending, Held, Lost, Run

_LONGEST_WHY = 1000
# So many runs of a Scope are kept: whoever was taken over may still come and say what became of his step.
_KEPT = 64


def end(tx: Transaction, run: Run, ending: Ending, now: datetime) -> Record | None:
    """A run and how it ended in, its Record as it is stored out; ending it again changes nothing. Raises Lost."""
    begun = runs.find(tx, run.scope, run.id)
    if begun is None:
        raise ValueError(f"run {run.id} ends without having begun")
    if begun.told_by:
        raise Lost(f"the claim of run {run.id} was taken over, and run {begun.told_by} has told what it did")
    if begun.ended is not None:
        return chain.find(tx, run.id) if begun.recorded else None
    claim = claims.held(tx, run.scope, run.epoch)
    if ending.record is not None:
        opened = runs.unsettled(tx, run.scope, claim.unfinished)
        runs.interrupt(tx, run.scope, opened, ending.record.outcomes, now)
    _tell(tx, claim, run, now)
    record = None if ending.record is None else _append(tx, run, ending.record)
    chain.mark(tx, run.scope.subscription)
    verdicts.replace(tx, run.scope, ending.verdicts, run.id, now)
    if moves := register.replace(tx, run.scope, ending.verdicts, run.id, now):
        outbox.put(tx, addresses_changed(run.scope, run.id, moves, now))
    verdicts.name(tx, run.scope, ending.named)
    decisions.offer(tx, run.scope, ending.withheld, now)
    runs.put(tx, msgspec.structs.replace(begun, ended=now, recorded=record is not None))
    left = msgspec.structs.replace(
        claims.let_go(tx, claim),
        seen_by=run.id,
        seen_through=ending.seen_through,
        settled=ending.settled,
        policy_digest=run.policy_digest,
        unfinished=runs.unfinished(tx, run.scope, (*claim.unfinished, run.id)),
        clusters=UNSET if ending.clusters == KnownClusters() else ending.clusters,
    )
    claims.write(tx, left)
    runs.forget(tx, run.scope, run_id(run.scope, run.epoch - _KEPT))
    return record


def release(tx: Transaction, held: Held, settled: bool) -> None:
    """A claim in, free again, if it is still held. Unless settled, nothing is absorbed until a run has ended."""
    claim = claims.read(tx, held.scope)
    if not claims.holds(claim, held.epoch):
        return
    left = msgspec.structs.replace(
        claims.let_go(tx, claim),
        settled=claim.settled and settled,
        unfinished=runs.unfinished(tx, held.scope, (*claim.unfinished, run_id(held.scope, held.epoch))),
    )
    claims.write(tx, left)


def give_up(tx: Transaction, cause: Cause | None, raw: bytes, note: tuple[str, datetime]) -> Record:
    """A message, what could be read of it, and why and when it is given up in; its Record out, one per message."""
    why, now = note
    record_id = keys.hashed(f"given up|{raw.hex()}")
    there = chain.find(tx, record_id)
    if there is not None:
        return there
    record = Record(
        id=record_id,
        time=now,
        scope=_scope(cause),
        epoch=0,
        cause=cause or Cause(Source.EVENT, now),
        policy_digest="",
        note=f"given up: {why[:_LONGEST_WHY]} (message: {runs.keep(tx, raw)})",
    )
    return chain.append(tx, record)


def _tell(tx: Transaction, claim: claims.Claim, by: Run, now: datetime) -> None:
    """The runs that were cut off before they could end in; what they have done is in Records of their own.

    What they left open is told by the run that took over, as Interrupted; until then their account has to wait.
    """
    for cut_off in claim.unfinished:
        begun, rows = runs.find(tx, by.scope, cut_off), runs.intents(tx, by.scope, cut_off)
        if begun is None or begun.ended is not None or any(row.outcome is None for row in rows):
            continue
        outcomes = tuple(row.outcome for row in rows if row.outcome and row.outcome.became is not Became.INTERRUPTED)
        if outcomes:
            _append(tx, begun.run, _account(tx, begun, outcomes, (by.id, now)))
        runs.put(tx, msgspec.structs.replace(begun, ended=now, recorded=bool(outcomes), told_by=by.id))


def _account(tx: Transaction, begun: runs.Begun, outcomes: tuple[Outcome, ...], told: tuple[str, datetime]) -> Record:
    """A run that was cut off, its outcomes, and who tells of it and when in; its Record out."""
    run, (by, now), plan = begun.run, told, begun.plan
    standing = tuple(one for one in decisions.approvals(tx, begun.began) if one.at <= begun.began)
    return Record(
        id=run.id,
        time=now,
        scope=run.scope,
        epoch=run.epoch,
        cause=run.cause,
        policy_digest=run.policy_digest,
        plan_digest=begun.plan_digest,
        done=plan,
        outcomes=outcomes,
        decisions=decisions.decided(tx, (one.digest for one in plan), begun.began),
        approvals=approval.used(plan, standing, begun.began),
        undo=decisions.undo(tx, run.cause),
        note=f"cut off before it could end; run {by} tells what it did",
    )


def _append(tx: Transaction, run: Run, record: Record) -> Record:
    """A run and its Record in; the Record chained, and what it undid left alone from now on."""
    if record.id != run.id or record.scope != run.scope:
        raise ValueError(f"the Record {record.id} is not one of run {run.id}")
    decisions.leave_alone(tx, run, record)
    return chain.append(tx, record)


def _scope(cause: Cause | None) -> Scope:
    """The Cause of a message in, the Scope in whose chain its end is recorded out."""
    if cause is not None and cause.scope is not None:
        return cause.scope
    if cause is None or cause.subject is None:
        return Remainder(keys.NOBODY)
    return next(iter(scopes(cause.subject, ())), Remainder(ids.parse(cause.subject).subscription))
