"""The whole story: a Cause in, a Record out.

woken -> claim -> observe -> judge -> propose -> withhold -> begin -> intend, apply, done -> end. Every trigger comes
through here, and nothing else proposes or applies (docs/architecture.md). To wait is to put the Cause back.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from governor import notices
from governor.core import account, approval, guard, needs, parts, proof, soak, undo
from governor.core.cause import Cause, Source
from governor.core.circumstances import Circumstances
from governor.core.estate import Estate
from governor.core.judged import judge
from governor.core.plan import Plan
from governor.core.policy import Mode, Policies
from governor.core.propose import proposal
from governor.core.record import Became, Offer, Outcome, Record, changed
from governor.core.standing import Standing
from governor.core.verdict import Verdict, results
from governor.homes import scope_of
from governor.lines import say
from governor.patience import put_back
from governor.ports import (
    Absorbed,
    Busy,
    Ending,
    Held,
    Lost,
    Ports,
    Run,
    Transient,
)
from governor.writing import write

_PAGE: Final = 200


class Rules(Struct, frozen=True):
    """The policies of one run and the mode that caps them."""

    policies: Policies
    ceiling: Mode


async def govern(cause: Cause, ports: Ports, rules: Rules) -> Record | None:
    """A Cause in, the Record of its run out; None when there was nothing to do, or it was put back to wait."""
    try:
        scope = await scope_of(cause, ports)
        if scope is None:
            return None
        cause = replace(cause, scope=scope)
        match await ports.ledger.claim(cause, scope, rules.policies.digest):
            case Absorbed(by=by):
                say("absorbed", scope, cause, by=by)
                return None
            case Busy(after):
                # When its lease ends that run is surely over, or died; mostly it is over within seconds.
                return await put_back(cause, ports, None, "another run holds the scope", at_most=after)
            case Held() as held:
                return await _begun(held, cause, ports, rules)
    except Transient as trouble:
        return await put_back(cause, ports, trouble.after, str(trouble))
    except Lost as lost:
        # Whoever took over may have woken for something else: what this Cause points at is not done yet.
        return await put_back(cause, ports, None, str(lost))


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
    policies = rules.policies
    standing = await ports.ledger.standing(held.scope, cause)
    read_from = ports.clock.now()
    is_undo = standing.undo is not None
    planned_on, plan = await _planned(held, standing, ports, rules)
    run = await ports.ledger.begin(held, cause, policies.digest, plan)
    written = await write(run, plan, ports)
    if written.outcomes:
        read_from = ports.clock.now()
    # What was written is read anew; what was only read lacks the addresses that its verdicts name.
    wanted = partial(needs.for_evidence, policies=policies, standing=standing, written=written.done)
    estate = await _observed(held, wanted, ports, None if written.outcomes else planned_on)
    verdicts = judge(estate, policies) or account.unread(held.scope, estate, standing)
    plan = account.stopped(plan, written)
    if written.outcomes and not is_undo and account.came_late(judge(planned_on, policies), verdicts, plan, written):
        written.wait = True
    wait = account.look_again(plan, verdicts, written)
    taken_over = (account.interrupted(i.step, i.remediation, i.at, estate) for i in held.interrupted)
    outcomes = (*taken_over, *written.outcomes)
    clusters = soak.known(standing.clusters, (), planned_on, policies)
    clusters = soak.known(clusters, outcomes, estate, policies) if outcomes else clusters
    plan = Plan(plan.remediations, (*plan.withheld, *soak.told(clusters, verdicts, estate)))
    record = _record(run, plan, outcomes, verdicts, standing)
    if record is not None:
        proofs = proof.proofs(written.done, estate, policies)
        record = replace(record, time=ports.clock.now(), note=written.stopped, proofs=proofs)
    ending = Ending(
        seen_through=read_from,
        # An undo repairs nothing: what happened before it is still to be looked at.
        settled=wait is None and not is_undo,
        verdicts=verdicts,
        withheld=plan.withheld,
        named=account.named(held.scope, planned_on, estate),
        record=record,
        clusters=clusters,
    )
    stored = await ports.ledger.end(run, ending)
    say("ran", held.scope, cause, run=run.id, results=results(verdicts), withheld=len(plan.withheld))
    if wait is not None:
        if not written.wait and any(outcome.became is Became.DONE for outcome in written.outcomes):
            # Only a limit keeps it from going on: what makes progress is not waiting.
            cause = replace(cause, attempt=0, first_time=None)
        await put_back(cause, ports, wait, written.stopped or "not settled")
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
        approvals=approval.used(plan.remediations, standing.approvals, run.cause.time),
        undo=standing.undo,
    )
