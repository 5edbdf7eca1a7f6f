"""Records and their pages, standing verdicts, names, messages given up: what the end of a run leaves behind."""

from datetime import timedelta

import msgspec
import pytest

from governor.core.cause import Cause, Remainder, Scope, Source
from governor.core.record import Record, run_id
from governor.core.verdict import Result, Verdict
from governor.ports import Ending, Held, Ledger, Run, Verification
from tests.local.worlds import (
    ELSEWHERE,
    GATEWAY,
    NETWORK,
    NOBODY,
    NOON,
    OTHER,
    POLICIES,
    REST,
    SCOPE,
    SUBNET,
    SUBSCRIPTION,
    begun,
    cause,
    ending,
    event,
    record,
    verdict,
)
from tests.support.clock import FakeClock


async def recorded(ledger: Ledger, scope: Scope = SCOPE, note: str = "", seconds: float = 0) -> Record:
    """The Record of one more run on a Scope."""
    run = await begun(ledger, scope=scope)
    told = record(run, NOON + timedelta(seconds=seconds), note=note)
    stored = await ledger.end(run, Ending(NOON, True, (), record=told))
    assert stored is not None
    return stored


async def verification(ledger: Ledger) -> list[Verification]:
    return [found async for found in ledger.verify()]


# ---- records ------------------------------------------------------------------------------------------------------


async def test_a_record_comes_back_as_it_was_told_but_for_the_chain(ledger: Ledger) -> None:
    run = await begun(ledger)
    told = record(run, note="all well")
    stored = await ledger.end(run, Ending(NOON, True, (), record=told))
    assert stored == told
    assert await ledger.record(run.id) == told
    assert await ledger.record("no such record") is None


async def test_records_of_a_subscription_are_chained(ledger: Ledger) -> None:
    first, second, other = await recorded(ledger), await recorded(ledger, REST), await recorded(ledger, ELSEWHERE)
    assert first.prev == other.prev == ""
    assert len(second.prev) == 64
    assert await verification(ledger) == [Verification(SUBSCRIPTION, 2, None), Verification(OTHER, 1, None)]


async def test_ending_a_run_again_changes_nothing(ledger: Ledger) -> None:
    run = await begun(ledger)
    told = Ending(NOON, True, (verdict(),), record=record(run, note="first"))
    stored = await ledger.end(run, told)
    assert isinstance(await ledger.claim(cause(Source.MANUAL), SCOPE, POLICIES), Held)
    again = msgspec.structs.replace(told, record=record(run, NOON + timedelta(hours=1), note="again"))
    assert await ledger.end(run, again) == stored
    assert await verification(ledger) == [Verification(SUBSCRIPTION, 1, None)]


async def test_a_silent_run_ends_without_record(ledger: Ledger) -> None:
    run = await begun(ledger)
    assert await ledger.end(run, ending(verdicts=(verdict(),))) is None
    assert await ledger.end(run, ending()) is None
    assert (await ledger.records()).records == ()
    assert await ledger.verdicts() == [verdict()]


async def test_a_record_of_another_run_is_a_defect(ledger: Ledger) -> None:
    run = await begun(ledger)
    other = Run(run_id(SCOPE, 7), SCOPE, 7, run.cause, POLICIES)
    with pytest.raises(ValueError, match="not one of run"):
        await ledger.end(run, Ending(NOON, True, (verdict(),), record=record(other)))
    assert await ledger.verdicts() == []


async def test_records_come_newest_first_page_by_page(ledger: Ledger) -> None:
    scopes = (SCOPE, ELSEWHERE, REST)
    written = [await recorded(ledger, scopes[n % 3], seconds=n * 20_000) for n in range(10)]
    for subscription in (None, SUBSCRIPTION.upper()):
        wanted = [r for r in reversed(written) if subscription is None or r.scope != ELSEWHERE]
        for limit in (1, 3, 4, 10, 50):
            read: list[Record] = []
            continuation = None
            while len(read) < len(wanted):
                page = await ledger.records(subscription, limit, continuation)
                assert 0 < len(page.records) <= limit
                read += page.records
                continuation = page.continuation
            assert read == wanted
            assert continuation is None


async def test_what_is_written_between_two_pages_does_not_shift_them(ledger: Ledger) -> None:
    written = [await recorded(ledger, seconds=n) for n in range(4)]
    page = await ledger.records(limit=2)
    await recorded(ledger, seconds=60)
    rest = await ledger.records(limit=2, continuation=page.continuation)
    assert [*page.records, *rest.records] == written[::-1]


async def test_a_clock_that_goes_back_does_not_break_the_chain(ledger: Ledger) -> None:
    written = [await recorded(ledger, seconds=-n) for n in range(3)]
    assert (await ledger.records(SUBSCRIPTION)).records == tuple(reversed(written))
    assert await verification(ledger) == [Verification(SUBSCRIPTION, 3, None)]


async def test_a_made_up_continuation_is_refused(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="not the continuation"):
        await ledger.records(continuation="$$$")


async def test_a_subscription_without_records_has_an_empty_page(ledger: Ledger) -> None:
    assert (await ledger.records(OTHER)).records == ()
    assert await verification(ledger) == []


# ---- standing verdicts and names ----------------------------------------------------------------------------------


async def ended(ledger: Ledger, *verdicts: Verdict, scope: Scope = SCOPE, named: tuple[str, ...] = ()) -> Run:
    run = await begun(ledger, scope=scope)
    await ledger.end(run, Ending(NOON, True, verdicts, named=named))
    return run


async def test_the_verdicts_of_the_last_run_stand(ledger: Ledger) -> None:
    data = verdict(resource=f"{NETWORK}/subnets/data")
    await ended(ledger, verdict(), data)
    await ended(ledger, verdict(resource=ELSEWHERE.id), scope=ELSEWHERE)
    fixed = verdict(Result.COMPLIANT, resource=SUBNET.upper())
    await ended(ledger, fixed)
    assert (await ledger.standing(SCOPE, event())).verdicts == (fixed,)
    assert await ledger.verdicts(SUBSCRIPTION) == [fixed]
    assert await ledger.verdicts() == [fixed, verdict(resource=ELSEWHERE.id)]


async def test_resources_are_counted_by_the_policy_that_governs_them(ledger: Ledger) -> None:
    private = msgspec.structs.replace(verdict(), requirement="subnet-private")
    data = verdict(Result.COMPLIANT, f"{NETWORK}/subnets/data", "hubs")
    ungoverned = verdict(Result.UNGOVERNED, f"{NETWORK}/subnets/free", None)
    await ended(ledger, verdict(), private, data, ungoverned)
    await ended(ledger, verdict(resource=GATEWAY), scope=REST)
    assert (await ledger.standing(REST, event())).governed == {"hubs": 1, "spokes": 2}
    await ended(ledger, data)
    assert (await ledger.standing(SCOPE, event())).governed == {"hubs": 1, "spokes": 1}
    assert (await ledger.standing(ELSEWHERE, event())).governed == {}


async def test_who_named_a_resource_last_is_known(ledger: Ledger) -> None:
    await ended(ledger, named=(GATEWAY, SUBNET))
    await ended(ledger, named=(GATEWAY,), scope=ELSEWHERE)
    assert await ledger.named_by(GATEWAY.upper()) == (SCOPE, ELSEWHERE)
    await ended(ledger, named=(SUBNET,))
    assert await ledger.named_by(GATEWAY) == (ELSEWHERE,)
    assert await ledger.named_by(SUBNET) == (SCOPE,)
    assert await ledger.named_by(NETWORK) == ()


# ---- given up -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "scope"),
    [
        (None, Remainder(NOBODY)),
        (Cause(Source.EVENT, NOON), Remainder(NOBODY)),
        (event(), SCOPE),
        (event(subject=GATEWAY), REST),
        (Cause(Source.SURVEY, NOON, subject=SUBNET, scope=ELSEWHERE), ELSEWHERE),
    ],
)
async def test_a_message_that_is_given_up_is_recorded_where_it_belongs(
    ledger: Ledger, given: Cause | None, scope: Scope
) -> None:
    told = await ledger.give_up(given, b"\xff raw ?sig=abc", "it failed five times")
    assert told.scope == scope
    assert told.note.startswith("given up: it failed five times (message: ")
    assert (await ledger.records()).records == (told,)
    assert [found.wrong for found in await verification(ledger)] == [None]
    kept = await ledger.blob(told.note.rpartition(" ")[2].rstrip(")"))
    assert kept == "\ufffd raw ?sig=***".encode()


async def test_a_message_is_given_up_once(ledger: Ledger, clock: FakeClock) -> None:
    first = await ledger.give_up(event(), b"{}", "too old")
    clock.advance(60)
    assert await ledger.give_up(event(), b"{}", "too old") == first
    assert await ledger.give_up(event(), b"[]", "too old") != first
