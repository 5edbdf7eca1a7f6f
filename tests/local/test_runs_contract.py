"""Intents, outcomes and bodies; the kill switch."""

import json
from datetime import timedelta

import msgspec
import pytest

from governor.core.plan import Plan
from governor.core.record import Became, Outcome
from governor.core.standing import Pause
from governor.core.step import DeleteNatGateway
from governor.ports import Applied, Busy, Held, Ledger, Paused, Run
from tests.local.worlds import (
    GATEWAY,
    NOON,
    POLICIES,
    SCOPE,
    STEP,
    applied,
    begun,
    cause,
    ending,
    event,
    held,
)
from tests.support.clock import FakeClock


async def test_an_outcome_names_its_bodies_and_times(ledger: Ledger, clock: FakeClock) -> None:
    run = await begun(ledger)
    await ledger.intend(run, 1, "d1", STEP)
    clock.advance(20)
    outcome = await ledger.done(run, 1, applied(after={"etag": "W/1", "tags": {"a": "b"}}))
    assert (outcome.became, outcome.started, outcome.finished) == (Became.DONE, NOON, NOON + timedelta(seconds=20))
    assert outcome.before is not None
    assert outcome.after is not None
    assert await ledger.blob(outcome.before) == b'{"name":"app"}'
    assert await ledger.blob(outcome.after) == b'{"tags":{"a":"b"}}'


async def test_an_absent_body_has_no_name(ledger: Ledger) -> None:
    run = await begun(ledger)
    await ledger.intend(run, 1, "d1", STEP)
    assert (await ledger.done(run, 1, Applied(Outcome(STEP, "d1", Became.DONE)))).before is None
    assert await ledger.blob("no such blob") is None


async def test_an_outcome_without_intent_is_a_defect(ledger: Ledger) -> None:
    run = await begun(ledger)
    with pytest.raises(ValueError, match="no intent"):
        await ledger.done(run, 1, applied())


async def test_a_number_means_one_step(ledger: Ledger) -> None:
    run = await begun(ledger)
    await ledger.intend(run, 1, "d1", STEP)
    await ledger.intend(run, 1, "d1", STEP)
    with pytest.raises(ValueError, match="number 1"):
        await ledger.intend(run, 1, "d1", DeleteNatGateway(GATEWAY))


@pytest.mark.parametrize("how", ["intend", "renew"])
async def test_intents_and_polls_renew_the_lease(ledger: Ledger, clock: FakeClock, how: str) -> None:
    run = await begun(ledger)
    clock.advance(100)
    if how == "intend":
        await ledger.intend(run, 1, "d1", STEP)
    else:
        await ledger.renew(run)
    clock.advance(100)
    assert await ledger.claim(event(), SCOPE, POLICIES) == Busy(20)


async def test_a_lease_that_ran_out_is_renewed_if_nobody_took_it(ledger: Ledger, clock: FakeClock) -> None:
    run = await begun(ledger)
    clock.advance(500)
    await ledger.renew(run)
    assert await ledger.claim(event(), SCOPE, POLICIES) == Busy(120)


async def test_beginning_again_is_the_same_run(ledger: Ledger) -> None:
    taken = await held(ledger)
    assert await ledger.begin(taken, event(), POLICIES, Plan()) == await ledger.begin(taken, event(), POLICIES, Plan())


async def test_a_run_that_never_began_cannot_end(ledger: Ledger) -> None:
    taken = await held(ledger)
    run = Run("no such run", SCOPE, taken.epoch, event(), POLICIES)
    with pytest.raises(ValueError, match="without having begun"):
        await ledger.end(run, ending())


# ---- the kill switch ----------------------------------------------------------------------------------------------


async def test_while_paused_no_step_begins(ledger: Ledger) -> None:
    run = await begun(ledger)
    await ledger.intend(run, 1, "d1", STEP)
    pause = Pause("ann", NOON, "incident")
    await ledger.pause(pause, "ann", "incident")
    assert await ledger.paused() == pause
    assert (await ledger.standing(SCOPE, event())).pause == pause
    with pytest.raises(Paused, match="ann"):
        await ledger.intend(run, 2, "d1", STEP)
    await ledger.done(run, 1, applied())
    await ledger.pause(None, "bob", "over")
    assert await ledger.paused() is None
    await ledger.intend(run, 2, "d1", STEP)


async def test_a_refused_intent_leaves_nothing_open(ledger: Ledger, clock: FakeClock) -> None:
    run = await begun(ledger)
    await ledger.pause(Pause("ann", NOON, "incident"), "ann", "incident")
    with pytest.raises(Paused):
        await ledger.intend(run, 1, "d1", STEP)
    clock.advance(120)
    answer = await ledger.claim(cause(event().source), SCOPE, POLICIES)
    assert answer == Held(SCOPE, 2)


async def test_secrets_and_what_the_server_fills_in_are_not_kept(ledger: Ledger) -> None:
    run = await begun(ledger)
    await ledger.intend(run, 1, "d1", STEP)
    body = {"etag": "1", "properties": {"adminPassword": "hunter2", "provisioningState": "Succeeded", "size": 3}}
    outcome = await ledger.done(run, 1, msgspec.structs.replace(applied(), after=json.dumps(body).encode()))
    assert outcome.after is not None
    kept = await ledger.blob(outcome.after)
    assert kept is not None
    assert json.loads(kept) == {"properties": {"adminPassword": "***", "size": 3}}
