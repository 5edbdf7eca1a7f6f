"""What a Plan says is done: its steps in order, each intended before it is written, in; what became of them out."""

from functools import partial
from typing import Final

from governor.core import ids
from governor.core.account import Written
from governor.core.cause import Source
from governor.core.plan import Gate, Plan, Reason, Remediation, Withheld
from governor.core.record import Became, Outcome
from governor.core.step import Step, touched
from governor.lines import say
from governor.ports import Applied, Paused, Ports, Run, Touched, correlation

_LEASE_TRIES: Final = 30


async def write(run: Run, plan: Plan, ports: Ports) -> Written:
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
            say("step", run.scope, run.cause, run=run.id, step=type(step).__name__, became=outcome.became.value)
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
