"""What people are offered and what they decide; the brakes that count."""

from datetime import timedelta

import msgspec
import pytest

from governor.core.cause import Scope, Source
from governor.core.plan import Withheld
from governor.core.record import Became, Outcome
from governor.core.standing import Decision, Pause, Ruling, Standing, StandingApproval, UndoExemption, UndoRequest
from governor.core.step import DeleteNatGateway
from governor.ports import Ending, Ledger, Offered
from tests.local.worlds import (
    ELSEWHERE,
    GATEWAY,
    NETWORK,
    NOON,
    REST,
    SCOPE,
    SUBNET,
    begun,
    cause,
    event,
    record,
    remediation,
    withheld,
)
from tests.support.clock import FakeClock

HOUR = timedelta(hours=1)


async def offers(ledger: Ledger, *items: Withheld, scope: Scope = SCOPE) -> None:
    run = await begun(ledger, scope=scope)
    await ledger.end(run, Ending(NOON, True, (), withheld=items))


async def standing(ledger: Ledger, scope: Scope = SCOPE) -> Standing:
    return await ledger.standing(scope, event())


def ruling(digest: str = "d1", ruled: Ruling = Ruling.APPROVE, hours: int = 72) -> Decision:
    return Decision(digest, ruled, "ann", NOON, "looked at it", NOON + hours * HOUR)


async def test_what_was_withheld_is_offered_as_long_as_it_is(ledger: Ledger, clock: FakeClock) -> None:
    await offers(ledger, withheld("d1"), withheld("d2"))
    await offers(ledger, withheld("d3"), scope=ELSEWHERE)
    clock.advance(60)
    await offers(ledger, withheld("d2", text="other words"))
    assert await ledger.offered() == (
        Offered(SCOPE, withheld("d2", text="other words"), NOON),
        Offered(ELSEWHERE, withheld("d3"), NOON),
    )
    assert (await standing(ledger)).offered == {"d2": ("approval",)}
    assert (await standing(ledger, REST)).offered == {}
    assert await ledger.offered("d3") == (Offered(ELSEWHERE, withheld("d3"), NOON),)
    assert await ledger.offered("d1") == ()
    assert await ledger.offered("d") == ()


async def test_one_digest_may_be_offered_by_two_scopes(ledger: Ledger) -> None:
    await offers(ledger, withheld())
    await offers(ledger, withheld(), scope=REST)
    assert len(await ledger.offered("d1")) == 2
    await offers(ledger)
    assert [offered.scope for offered in await ledger.offered("d1")] == [REST]


async def test_the_last_ruling_counts(ledger: Ledger) -> None:
    await offers(ledger, withheld())
    for ruled in (Ruling.APPROVE, Ruling.REJECT):
        await ledger.decide(ruling(ruled=ruled))
    rejected = ruling(ruled=Ruling.REJECT)
    assert (await standing(ledger)).decisions == {"d1": rejected}
    assert [offered.decision for offered in await ledger.offered()] == [rejected]


async def test_a_ruling_made_before_its_plan_counts_on_every_scope(ledger: Ledger) -> None:
    await ledger.decide(ruling())
    assert (await standing(ledger, ELSEWHERE)).decisions == {"d1": ruling()}


async def test_a_ruling_counts_until_it_expires(ledger: Ledger, clock: FakeClock) -> None:
    await ledger.decide(ruling("d1", Ruling.REJECT, hours=3))
    await ledger.decide(ruling("d1", hours=2))
    clock.advance(2 * 3600 - 1)
    assert list((await standing(ledger)).decisions) == ["d1"]
    clock.advance(1)
    assert (await standing(ledger)).decisions == {}
    await ledger.decide(ruling("d2"))
    assert list((await standing(ledger)).decisions) == ["d2"]


async def test_standing_approvals_count_until_they_run_out(ledger: Ledger, clock: FakeClock) -> None:
    short = StandingApproval("brief", "spokes", NETWORK, "ann", NOON, "routine", NOON + HOUR)
    long = StandingApproval("none", "*", NETWORK, "ann", NOON, "routine", NOON + 2 * HOUR)
    await ledger.approve_standing(short)
    await ledger.approve_standing(long)
    assert (await standing(ledger)).approvals == (short, long)
    clock.advance(3600)
    assert (await standing(ledger)).approvals == (long,)


# ---- undo ---------------------------------------------------------------------------------------------------------


async def test_an_undo_finds_the_wish_that_its_cause_points_at(ledger: Ledger) -> None:
    first, last = (UndoRequest("r1", by, NOON, "it broke", 7) for by in ("ann", "bob"))
    await ledger.request_undo(first)
    await ledger.request_undo(last)
    assert (await ledger.standing(SCOPE, cause(Source.UNDO, points_at="r1"))).undo == last
    assert (await ledger.standing(SCOPE, cause(Source.UNDO, points_at="r2"))).undo is None
    assert (await ledger.standing(SCOPE, cause(Source.DECISION, points_at="r1"))).undo is None


@pytest.mark.parametrize("source", [Source.UNDO, Source.DECISION])
async def test_what_was_undone_is_left_alone_for_the_days_that_were_asked(
    ledger: Ledger, clock: FakeClock, source: Source
) -> None:
    await ledger.request_undo(UndoRequest("r1", "ann", NOON, "it broke", 7))
    run = await begun(ledger, cause(source, points_at="r1"))
    pending = Outcome(DeleteNatGateway(GATEWAY), "d2", Became.PENDING)
    failed = Outcome(DeleteNatGateway(NETWORK), "d3", Became.FAILED)
    told = msgspec.structs.replace(record(run, outcomes=(pending, failed)), done=(remediation(),))
    clock.advance(3600)
    await ledger.end(run, Ending(NOON, True, (), record=told))
    until = NOON + timedelta(days=7)
    alone = {UndoExemption(SUBNET, "r1", until), UndoExemption(GATEWAY, "r1", until)}
    assert set((await standing(ledger)).exemptions) == (alone if source is Source.UNDO else set())
    assert (await standing(ledger, ELSEWHERE)).exemptions == ()
    clock.advance(7 * 24 * 3600 - 3600)
    assert (await standing(ledger)).exemptions == ()


async def test_a_wish_for_longer_than_any_date_still_ends_its_run(ledger: Ledger) -> None:
    """Such wishes are refused now; one in the ledger must not keep every run of its Scope from ending."""
    await ledger.request_undo(UndoRequest("r1", "ann", NOON, "it broke", 99_999_999_999))
    run = await begun(ledger, cause(Source.UNDO, points_at="r1"))
    told = msgspec.structs.replace(record(run), done=(remediation(),))
    await ledger.end(run, Ending(NOON, True, (), record=told))
    assert (await standing(ledger)).exemptions == (UndoExemption(SUBNET, "r1", NOON + timedelta(days=365)),)


async def test_a_shorter_undo_does_not_cut_a_longer_one(ledger: Ledger) -> None:
    for name, days in (("r1", 7), ("r2", 1)):
        await ledger.request_undo(UndoRequest(name, "ann", NOON, "it broke", days))
        run = await begun(ledger, cause(Source.UNDO, points_at=name))
        told = msgspec.structs.replace(record(run), done=(remediation(),))
        await ledger.end(run, Ending(NOON, True, (), record=told))
    assert (await standing(ledger)).exemptions == (UndoExemption(SUBNET, "r1", NOON + timedelta(days=7)),)


# ---- brakes -------------------------------------------------------------------------------------------------------


async def test_the_last_sixty_minutes_are_counted_not_the_hour_of_the_clock(ledger: Ledger, clock: FakeClock) -> None:
    run, other = await begun(ledger), await begun(ledger, scope=ELSEWHERE)
    clock.advance(59 * 60)
    await ledger.count(run, remediation(digest="d1"), failed=False)
    clock.advance(2 * 60)
    await ledger.count(run, remediation(digest="d2"), failed=False)
    await ledger.count(run, remediation(digest="d3", policy="hubs"), failed=True)
    await ledger.count(other, remediation(digest="d4"), failed=False)
    now = await standing(ledger)
    assert (now.written, now.tenant_written) == ({"hubs": 1, "spokes": 2}, 4)
    assert (await standing(ledger, ELSEWHERE)).written == {"spokes": 1}
    clock.advance(58 * 60)
    now = await standing(ledger)
    assert (now.written, now.tenant_written) == ({"hubs": 1, "spokes": 1}, 3)
    clock.advance(2 * 60)
    now = await standing(ledger)
    assert (now.written, now.tenant_written) == ({}, 0)
    await ledger.count(run, remediation(), failed=False)
    assert (await standing(ledger)).tenant_written == 1


async def test_a_success_ends_a_row_of_failures(ledger: Ledger) -> None:
    run, other = await begun(ledger), await begun(ledger, scope=ELSEWHERE)
    for failed, row in ((True, 1), (True, 2), (False, 0), (True, 1)):
        await ledger.count(run, remediation(), failed=failed)
        assert (await standing(ledger)).failures == row
    assert (await standing(ledger, ELSEWHERE)).failures == 0
    await ledger.count(other, remediation(), failed=False)
    assert (await standing(ledger, REST)).failures == 1


async def test_a_person_closes_the_breaker_by_letting_writes_go_on(ledger: Ledger, clock: FakeClock) -> None:
    run = await begun(ledger)
    await ledger.count(run, remediation(), failed=True)
    await ledger.count(run, remediation(), failed=True)
    clock.advance(1)
    await ledger.pause(None, "ann", "looked at it")
    assert (await standing(ledger)).failures == 0
    clock.advance(1)
    await ledger.pause(Pause("ann", clock.now(), "again"), "ann", "again")
    assert (await standing(ledger)).failures == 0
