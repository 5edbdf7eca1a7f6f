"""The whole story: a Cause in, a Record out.

woken -> claim -> observe -> judge -> propose -> withhold -> begin -> intend, apply, done -> end. Every trigger comes
through here, and nothing else proposes or applies (docs/architecture.md). To wait is to put the Cause back.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from governor import messages, notices
from governor.core import account, guard, ids, needs, nodes, parts, proof, soak, undo
from governor.core import cause as causes
from governor.core.account import Written
from governor.core.cause import Cause, Remainder, Scope, Source
from governor.core.circumstances import Circumstances
from governor.core.estate import Estate
from governor.core.judged import judge
from governor.core.plan import Gate, Plan, Reason, Remediation, Withheld
from governor.core.policy import Mode, Policies
from governor.core.propose import proposal
from governor.core.record import Became, Offer, Outcome, Record, changed
from governor.core.standing import Standing
from governor.core.step import Step, touched
from governor.core.verdict import Verdict, results
from governor.core.whereabouts import KINDS, SETTLED, whereabouts
from governor.ports import (
    Absorbed,
    Applied,
    Busy,
    Ending,
    Held,
    Lost,
    Paused,
    Ports,
    Run,
    Touched,
    Transient,
    correlation,
)

LOG: Final = logging.getLogger("governor")
# Seconds before a Cause that must wait is looked at again; the last one repeats.
PATIENCE: Final = (5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)
GIVE_UP_AFTER: Final = timedelta(hours=24)
_LEASE_TRIES: Final = 30
_PAGE: Final = 200


class Rules(Struct, frozen=True):
    """The policies of one run and the mode that caps them."""

    policies: Policies
    ceiling: Mode


async def govern(cause: Cause, ports: Ports, rules: Rules) -> Record | None:
    """A Cause in, the Record of its run out; None when there was nothing to do, or it was put back to wait."""
    try:
        scope = await _scope(cause, ports)
        if scope is None:
            return None
        cause = replace(cause, scope=scope)
        match await ports.ledger.claim(cause, scope, rules.policies.digest):
            case Absorbed(by=by):
                _say("absorbed", scope, cause, by=by)
                return None
            case Busy():
                # When its lease ends that run is surely over; mostly it is over within seconds.
                return await _wait(cause, ports, None, "another run holds the scope")
            case Held() as held:
                return await _begun(held, cause, ports, rules)
    except Transient as trouble:
        return await _wait(cause, ports, trouble.after, str(trouble))
    except Lost as lost:
        # Whoever took over may have woken for something else: what this Cause points at is not done yet.
        return await _wait(cause, ports, None, str(lost))


async def _begun(held: Held, cause: Cause, ports: Ports, rules: Rules) -> Record | None:
    """A claim in, its run; whatever ends it early, the claim is given back, and not held until its lease is over."""
    try:
        return await _run(held, cause, ports, rules)
    except Lost:
        raise
    except Exception:
        await ports.ledger.release(held)
        raise


async def _run(held: Held, cause: Cause, ports: Ports, rules: Rules) -> Record | None:
    """One run, from what stands to what is told of it."""
    standing = await ports.ledger.standing(held.scope, cause)
    read_from = ports.clock.now()
    is_undo = standing.undo is not None
    planned_on, plan = await _planned(held, standing, ports, rules)
    run = await ports.ledger.begin(held, cause, rules.policies.digest, plan)
    before = judge(planned_on, rules.policies)
    written = await _write(run, plan, ports)
    if written.outcomes:
        read_from = ports.clock.now()
    # What was written is read anew; what was only read lacks the addresses that its verdicts name.
    done = tuple(one.step for one in written.outcomes if one.became in (Became.DONE, Became.UNCHANGED))
    wanted = partial(needs.for_evidence, policies=rules.policies, standing=standing, written=done)
    estate = await _observed(held, wanted, ports, None if written.outcomes else planned_on)
    verdicts = judge(estate, rules.policies) or account.unread(held.scope, estate, standing)
    plan = account.stopped(plan, written)
    if written.outcomes and not is_undo and account.came_late(before, verdicts, plan, written):
        written.wait = True
    wait = account.look_again(plan, verdicts, written)
    taken_over = (account.interrupted(i.step, i.remediation, i.at, estate) for i in held.interrupted)
    outcomes = (*taken_over, *written.outcomes)
    clusters = soak.known(standing.clusters, (), planned_on, rules.policies)
    clusters = soak.known(clusters, outcomes, estate, rules.policies) if outcomes else clusters
    plan = Plan(plan.remediations, (*plan.withheld, *soak.told(clusters, verdicts, estate)))
    told = _record(run, plan, outcomes, verdicts, standing)
    ending = Ending(
        seen_through=read_from,
        # An undo repairs nothing: what happened before it is still to be looked at.
        settled=wait is None and not is_undo,
        verdicts=verdicts,
        withheld=plan.withheld,
        named=account.named(held.scope, planned_on, estate),
        record=told
        and replace(
            told, time=ports.clock.now(), note=written.stopped, proofs=proof.proofs(done, estate, rules.policies)
        ),
        clusters=clusters,
    )
    stored = await ports.ledger.end(run, ending)
    _say("ran", held.scope, cause, run=run.id, results=results(verdicts), withheld=len(plan.withheld))
    if wait is not None:
        if not written.wait and any(outcome.became is Became.DONE for outcome in written.outcomes):
            # Only a limit keeps it from going on: what makes progress is not waiting.
            cause = replace(cause, attempt=0, first_time=None)
        await _wait(cause, ports, wait, written.stopped or "not settled")
    elif is_undo:
        after_undo = Cause(Source.MANUAL, ports.clock.now(), scope=held.scope, points_at=cause.points_at)
        await ports.inbox.put(after_undo)
    await notices.send(ports, held.scope.subscription)
    return stored


async def _planned(held: Held, standing: Standing, ports: Ports, rules: Rules) -> tuple[Estate, Plan]:
    """What stands in, the Estate and the Plan that may run out: a repair, or the undo that a person asked for."""
    policies = rules.policies
    taken_back = await _to_take_back(standing.undo.record, ports) if standing.undo else None
    if taken_back is None:
        estate = await _observed(held, partial(needs.for_repair, policies=policies, standing=standing), ports)
        around = Circumstances(estate, standing, policies, rules.ceiling)
        return estate, guard.withhold(proposal(estate, policies), around)
    wanted = partial(needs.for_undo, policies=policies, standing=standing, record=taken_back)
    estate = await _observed(held, wanted, ports)
    around = Circumstances(estate, standing, policies, rules.ceiling)
    return estate, undo.withhold(undo.take_back(taken_back, estate, policies), around)


async def _to_take_back(record_id: str, ports: Ports) -> Record | None:
    """The id of a Record in, what it did out; of a cluster with what other runs did of the same repair."""
    record = await ports.ledger.record(record_id)
    if record is None or not parts.repairs(record):
        return record
    found: list[Record] = []
    page = await ports.ledger.records(record.scope.subscription, _PAGE)
    while page.continuation and page.records[-1].time >= record.time - parts.WITHIN:
        found += page.records
        page = await ports.ledger.records(record.scope.subscription, _PAGE, page.continuation)
    return parts.whole(record, reversed((*found, *page.records)))


async def _observed(
    held: Held, wanted: Callable[[Estate], needs.Needs], ports: Ports, so_far: Estate | None = None
) -> Estate:
    """The Scope with what is wanted of it, and with the targets of steps that died halfway."""
    left = tuple(intent.step.target for intent in held.interrupted)
    return await ports.cloud.observe(held.scope, lambda seen: needs.with_targets(wanted(seen), left, seen), so_far)


def _record(
    run: Run, plan: Plan, outcomes: tuple[Outcome, ...], verdicts: tuple[Verdict, ...], standing: Standing
) -> Record | None:
    """The account of a run; None when nothing was asked or written, nothing changed and nothing is newly withheld."""
    changes, gone = changed(standing.verdicts, verdicts, standing.surveyed)
    asked = run.cause.source in (Source.DECISION, Source.UNDO)
    if not (asked or outcomes or changes or gone or account.newly_withheld(plan, standing)):
        return None
    return Record(
        id=run.id,
        time=run.cause.time,
        scope=run.scope,
        epoch=run.epoch,
        cause=run.cause,
        policy_digest=run.policy_digest,
        plan_digest=plan.digest,
        changes=changes,
        gone=gone,
        counts=results(verdicts),
        # Their steps are in the outcomes.
        done=tuple(replace(remediation, steps=()) for remediation in plan.remediations),
        outcomes=outcomes,
        withheld=tuple(Offer(w.remediation, w.reasons) for w in plan.withheld),
        decisions=tuple(d for digest, d in sorted(standing.decisions.items()) if digest in plan.digests),
        undo=standing.undo,
    )


async def _write(run: Run, plan: Plan, ports: Ports) -> Written:
    """Applies the Plan's steps in order: intend, apply, done. What needs something that failed is not begun."""
    written = Written([])
    unmade: dict[str, str] = {}
    repairs = {r.digest for r in plan.remediations if r.requirements}
    for position, remediation in enumerate(plan.remediations):
        if why := next((unmade[digest] for digest in remediation.needs if digest in unmade), ""):
            unmade[remediation.digest] = why
            written.left.append(Withheld(remediation, (Reason(Gate.NEEDS, f"it needs what was not made: {why}"),)))
            continue
        failed = False
        for step in remediation.steps:
            try:
                outcome, again = await _apply(run, len(written.outcomes), remediation, step, ports)
            except (Paused, Touched) as stop:
                written.stopped, written.wait = str(stop), written.wait or isinstance(stop, Touched)
                reason = Reason(Gate.BRAKES if isinstance(stop, Paused) else Gate.SETTLE, written.stopped)
                written.left += [Withheld(rest, (reason,)) for rest in plan.remediations[position:]]
                return written
            written.outcomes.append(outcome)
            written.after = max(written.after, again or 0.0)
            _say("step", run.scope, run.cause, run=run.id, step=type(step).__name__, became=outcome.became.value)
            if outcome.became not in (Became.DONE, Became.UNCHANGED):
                unmade[remediation.digest] = f"{ids.name(step.target)} {outcome.became.value}: {outcome.detail}"
                failed = outcome.became is Became.FAILED
                # What somebody has changed since is his: an undo does not wait until he changes it back.
                his = outcome.became is Became.STALE and run.cause.source is Source.UNDO
                written.wait = written.wait or not (failed or his)
                break
        if remediation.digest in repairs:
            await ports.ledger.count(run, remediation, failed)
    return written


async def _apply(
    run: Run, number: int, remediation: Remediation, step: Step, ports: Ports
) -> tuple[Outcome, float | None]:
    """One step in; what became of it, and the seconds that Azure asked to wait before it is tried again, out.

    It runs under a lease on what it changes outside the Scope: one at a time, taken last.

    The lease is on the whole of it: on the hub's network for a peering, on the table for a route.
    """
    await ports.ledger.intend(run, number, remediation.digest, step)
    outside = next((key for key in touched(step) if not f"{key}/".startswith(f"{run.scope.key}/")), None)
    if outside is not None and not await _lease(run, outside, ports):
        now = ports.clock.now()
        detail = "another run is writing it"
        applied = Applied(Outcome(step, remediation.digest, Became.PENDING, detail, started=now, finished=now))
        return await ports.ledger.done(run, number, applied), None
    try:
        applied = await ports.cloud.apply(
            remediation.digest, step, partial(ports.ledger.renew, run), correlation(run.id)
        )
        return await ports.ledger.done(run, number, applied), applied.again
    finally:
        if outside is not None:
            await ports.ledger.unlease(run, outside)


async def _lease(run: Run, key: str, ports: Ports) -> bool:
    for _ in range(_LEASE_TRIES):
        if await ports.ledger.lease(run, key):
            return True
        await ports.clock.sleep(1.0)
        await ports.ledger.renew(run)
    return False


async def _scope(cause: Cause, ports: Ports) -> Scope | None:
    """The one Scope of a Cause; a Cause with several is put back once for each."""
    if cause.scope is not None:
        found: tuple[Scope, ...] = (cause.scope,)
    elif cause.subject is None:
        found = ()
    else:
        named = await ports.ledger.named_by(causes.named_as(cause.subject))
        found = causes.scopes(cause.subject, (*named, *await homes_of(cause.subject, ports, named)))
    if len(found) > 1:
        for one in found:
            await ports.inbox.put(replace(cause, scope=one))
        return None
    if not found:
        LOG.debug("nothing to govern for %s", cause.subject)
        return None
    return found[0]


async def homes_of(subject: str, ports: Ports, named: tuple[Scope, ...] = ()) -> tuple[Scope, ...]:
    """The subject of an event and whose last run named it in; where it lives: a new one is named by nobody."""
    whole = ids.top_level(subject)
    kind, above = ids.kind(whole), Remainder(ids.parse(whole).subscription)
    if kind == ids.CLUSTER:
        return nodes.homes(whole, await ports.cloud.observe(above, partial(needs.for_cluster, whole)))
    if kind not in KINDS or (named and kind in SETTLED):
        return ()
    seen = await ports.cloud.observe(above, partial(needs.for_holder, whole), Estate(ports.clock.now()))
    return whereabouts(whole, seen).scopes


async def _wait(cause: Cause, ports: Ports, after: float | None, why: str) -> Record | None:
    """Puts a Cause back to be looked at later, or gives it up after a day."""
    now = ports.clock.now()
    first = cause.first_time or now
    if now - first >= GIVE_UP_AFTER:
        return await ports.ledger.give_up(cause, messages.encode(cause), f"waited for a day: {why}")
    delay = max(PATIENCE[min(cause.attempt, len(PATIENCE) - 1)], after or 0.0)
    await ports.inbox.put(replace(cause, attempt=cause.attempt + 1, first_time=first), delay)
    if cause.scope is not None:
        _say("waits", cause.scope, cause, seconds=delay, why=why)
    return None


def _say(what: str, scope: Scope, cause: Cause, **more: object) -> None:
    """One structured line per run and per step."""
    line = {"what": what, "scope": scope.key, "source": cause.source.value, "attempt": cause.attempt, **more}
    LOG.info(msgspec.json.encode(line).decode())
