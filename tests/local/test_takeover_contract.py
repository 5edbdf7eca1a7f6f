"""Runs that were taken over: what they left open, what they had done, and what they may not do any more."""

from datetime import timedelta

import pytest

from governor.core.cause import Source
from governor.core.plan import Plan
from governor.core.record import Became, Outcome
from governor.core.standing import UndoExemption, UndoRequest
from governor.core.step import DeleteNatGateway
from governor.ports import Ending, Intent, Ledger, Lost, Run
from tests.local.worlds import (
    GATEWAY,
    NOON,
    POLICIES,
    SCOPE,
    STEP,
    SUBNET,
    applied,
    begun,
    cause,
    ending,
    event,
    held,
    record,
    remediation,
)
from tests.support.clock import FakeClock

INTERRUPTED = Outcome(STEP, "d1", Became.INTERRUPTED, "the gateway is there")


async def crashed(ledger: Ledger, clock: FakeClock) -> Run:
    """A run that did one step, began another, and was never heard of again."""
    run = await begun(ledger)
    await ledger.intend(run, 1, "d0", STEP)
    await ledger.done(run, 1, applied())
    await ledger.intend(run, 2, "d1", STEP)
    clock.advance(120)
    return run


async def test_who_takes_over_is_told_what_was_left_open(ledger: Ledger, clock: FakeClock) -> None:
    run = await crashed(ledger, clock)
    assert (await held(ledger)).interrupted == (Intent(run.id, 2, "d1", STEP, NOON),)


async def test_what_was_left_open_stays_listed_until_a_record_names_it(ledger: Ledger, clock: FakeClock) -> None:
    old = await crashed(ledger, clock)
    for finish in ("crash", "release", "silence"):
        taken = await held(ledger)
        assert [intent.run for intent in taken.interrupted] == [old.id], finish
        match finish:
            case "crash":
                clock.advance(120)
            case "release":
                await ledger.release(taken)
            case _:
                run = await ledger.begin(taken, cause(event().source), POLICIES, Plan())
                await ledger.end(run, ending())
    run = await begun(ledger)
    await ledger.end(run, Ending(NOON, True, (), record=record(run, outcomes=(INTERRUPTED,))))
    assert (await held(ledger)).interrupted == ()


async def test_another_outcome_of_the_same_step_does_not_settle_it(ledger: Ledger, clock: FakeClock) -> None:
    await crashed(ledger, clock)
    run = await begun(ledger)
    again = Outcome(STEP, "d1", Became.DONE)
    await ledger.end(run, Ending(NOON, True, (), record=record(run, outcomes=(again,))))
    assert len((await held(ledger)).interrupted) == 1


async def test_only_the_steps_that_are_named_are_settled(ledger: Ledger, clock: FakeClock) -> None:
    old = await crashed(ledger, clock)
    run = await begun(ledger)
    others = (Outcome(STEP, "d2", Became.INTERRUPTED), Outcome(DeleteNatGateway(GATEWAY), "d1", Became.INTERRUPTED))
    await ledger.end(run, Ending(NOON, True, (), record=record(run, outcomes=others)))
    assert [intent.run for intent in (await held(ledger)).interrupted] == [old.id]


async def test_an_interrupted_write_echoes_no_longer_than_until_it_was_named(ledger: Ledger, clock: FakeClock) -> None:
    await crashed(ledger, clock)
    run = await begun(ledger)
    await ledger.end(run, Ending(NOON, False, (), record=record(run, outcomes=(INTERRUPTED,))))
    clock.advance(60)
    await ledger.claim(event(clock.now()), SCOPE, POLICIES)
    assert (await ledger.standing(SCOPE, event())).touched == clock.now()


async def test_a_run_that_was_taken_over_may_not_go_on(ledger: Ledger, clock: FakeClock) -> None:
    first = await held(ledger)
    old = await ledger.begin(first, event(), POLICIES, Plan())
    clock.advance(120)
    await held(ledger)
    for forbidden in (
        ledger.begin(first, event(), POLICIES, Plan()),
        ledger.intend(old, 1, "d1", STEP),
        ledger.renew(old),
        ledger.end(old, ending()),
    ):
        with pytest.raises(Lost):
            await forbidden
    clock.advance(120)
    assert (await held(ledger)).interrupted == ()


async def test_a_run_that_ended_may_not_go_on(ledger: Ledger) -> None:
    run = await begun(ledger)
    await ledger.end(run, ending())
    with pytest.raises(Lost):
        await ledger.intend(run, 1, "d1", STEP)


async def test_what_a_lost_run_has_written_is_kept_before_it_learns_so(ledger: Ledger, clock: FakeClock) -> None:
    old = await crashed(ledger, clock)
    await ledger.release(await held(ledger))
    with pytest.raises(Lost):
        await ledger.done(old, 2, applied())
    assert (await held(ledger)).interrupted == ()


async def test_what_counts_as_interrupted_stays_so(ledger: Ledger, clock: FakeClock) -> None:
    old = await crashed(ledger, clock)
    run = await begun(ledger)
    await ledger.end(run, Ending(NOON, True, (), record=record(run, outcomes=(INTERRUPTED,))))
    clock.advance(600)
    with pytest.raises(Lost):
        await ledger.done(old, 2, applied())
    # The window of the echo was closed when the write was named, not now.
    await ledger.claim(event(NOON + timedelta(seconds=300)), SCOPE, POLICIES)
    assert (await ledger.standing(SCOPE, event())).touched == NOON + timedelta(seconds=300)


async def told(ledger: Ledger) -> list[tuple[str, list[Became]]]:
    """The runs in the Records, the oldest first, and what became of their steps."""
    return [(r.id, [outcome.became for outcome in r.outcomes]) for r in reversed((await ledger.records()).records)]


@pytest.mark.parametrize("how", ["crash", "release"])
async def test_what_was_done_before_a_run_was_cut_off_is_in_a_record_of_its_own(
    ledger: Ledger, clock: FakeClock, how: str
) -> None:
    taken = await held(ledger)
    old = await ledger.begin(taken, event(), POLICIES, Plan((remediation(),)))
    await ledger.intend(old, 1, "d0", STEP)
    await ledger.done(old, 1, applied())
    if how == "release":
        await ledger.release(taken)
    clock.advance(120)
    run = await begun(ledger)
    await ledger.end(run, ending())
    (account,) = (await ledger.records()).records
    assert (account.id, account.epoch, account.cause, account.time) == (old.id, old.epoch, event(), clock.now())
    assert (account.done, [outcome.became for outcome in account.outcomes]) == ((remediation(),), [Became.DONE])
    assert run.id in account.note
    with pytest.raises(Lost, match="has told"):
        await ledger.end(old, ending())
    await ledger.end(await begun(ledger), ending())
    assert len((await ledger.records()).records) == 1


async def test_a_run_that_was_cut_off_in_a_step_is_told_when_the_step_is(ledger: Ledger, clock: FakeClock) -> None:
    old = await crashed(ledger, clock)
    await ledger.end(await begun(ledger), ending())
    assert await told(ledger) == []
    run = await begun(ledger)
    await ledger.end(run, Ending(NOON, True, (), record=record(run, outcomes=(INTERRUPTED,))))
    assert await told(ledger) == [(old.id, [Became.DONE]), (run.id, [Became.INTERRUPTED])]


async def test_a_run_that_was_cut_off_before_its_first_step_has_nothing_to_tell(
    ledger: Ledger, clock: FakeClock
) -> None:
    await begun(ledger)
    clock.advance(120)
    await ledger.end(await begun(ledger), ending())
    assert await told(ledger) == []


async def test_an_undo_that_was_cut_off_leaves_alone_what_it_did(ledger: Ledger, clock: FakeClock) -> None:
    await ledger.request_undo(UndoRequest("r1", "ann", NOON, "it broke", 7))
    old = await begun(ledger, cause(Source.UNDO, points_at="r1"))
    await ledger.intend(old, 1, "d1", STEP)
    await ledger.done(old, 1, applied())
    clock.advance(120)
    await ledger.end(await begun(ledger), ending())
    left = (await ledger.standing(SCOPE, event())).exemptions
    assert left == (UndoExemption(SUBNET, "r1", NOON + timedelta(days=7)),)
