"""The register of egress addresses in the ledger: changed with the end of a run, with a history, and a notice of it."""

from datetime import timedelta
from pathlib import Path

import pytest

from governor.core.cause import Scope
from governor.core.register import Entry, Past, Registered, Sought
from governor.core.sighting import Sighting
from governor.core.verdict import Result, Verdict
from governor.ports import Ending, Held, Ledger, Lost
from tests.local.worlds import ELSEWHERE, NETWORK, NOON, POLICIES, SCOPE, SUBNET, Store, begun, cause, record
from tests.support.clock import FakeClock

CLUSTER = NETWORK.replace("Microsoft.Network/virtualNetworks/spoke", "Microsoft.ContainerService/managedClusters/k1")
OLD, NEW = "20.0.0.1", "20.0.0.2"


def leaves(*addresses: str, result: Result = Result.COMPLIANT, resource: str = SUBNET) -> Verdict:
    kind = "cluster-outbound-type" if resource == CLUSTER else "subnet-egress"
    return Verdict(resource, kind, result, "spokes", "NAT gateway nat", addresses=addresses)


def entry(*addresses: str, resource: str = SUBNET) -> Entry:
    return Entry(resource, "NAT gateway nat", addresses, policy="spokes")


async def told(ledger: Ledger, *verdicts: Verdict, scope: Scope = SCOPE) -> str:
    """A run ends and tells this; its id comes out."""
    run = await begun(ledger, scope=scope)
    await ledger.end(run, Ending(NOON, True, verdicts, record=record(run)))
    return run.id


async def registered(ledger: Ledger, sought: Sought | None = None) -> list[Registered]:
    return list((await ledger.addresses(sought)).entries)


async def test_a_run_registers_what_it_saw_and_what_was_before_is_history(ledger: Ledger, clock: FakeClock) -> None:
    first = await told(ledger, leaves(OLD))
    assert await registered(ledger) == [Registered(entry(OLD), NOON, first)]
    clock.advance(3600)
    # The same again: since when, and which Record says so, stay.
    await told(ledger, leaves(OLD))
    assert await registered(ledger) == [Registered(entry(OLD), NOON, first)]
    assert await ledger.address_history(SUBNET) == ()
    clock.advance(3600)
    second = await told(ledger, leaves(NEW))
    later = NOON + timedelta(hours=2)
    assert await registered(ledger) == [Registered(entry(NEW), later, second)]
    assert await ledger.address_history(SUBNET.upper()) == (Past(entry(OLD), NOON, later, first, second),)
    clock.advance(3600)
    third = await told(ledger)
    assert await registered(ledger) == []
    assert [(past.entry.addresses, past.ended_by) for past in await ledger.address_history(SUBNET)] == [
        ((NEW,), third),
        ((OLD,), second),
    ]


async def test_a_change_is_one_notice_of_the_run_with_all_that_moved(ledger: Ledger, clock: FakeClock) -> None:
    first = await told(ledger, leaves(OLD), leaves(OLD, resource=CLUSTER))
    clock.advance(1)
    second = await told(ledger, leaves(NEW), leaves(NEW, resource=CLUSTER))
    waiting = await ledger.notices()
    assert [(notice.record, len(notice.what.moves)) for notice in waiting] == [(first, 2), (second, 2)]
    assert waiting[1].what.moves[0].before == entry(OLD, resource=CLUSTER)
    assert waiting[1].scope == SCOPE


async def test_a_run_that_changes_no_address_puts_no_notice(ledger: Ledger) -> None:
    await told(ledger, leaves(OLD))
    before = await ledger.notices()
    await told(ledger, leaves(OLD), leaves(resource=f"{NETWORK}/subnets/closed"))
    assert await ledger.notices() == before


async def test_a_notice_waits_until_it_is_sent(ledger: Ledger, clock: FakeClock) -> None:
    await told(ledger, leaves(OLD))
    clock.advance(1)
    await told(ledger, leaves(OLD, resource=SUBNET.replace(NETWORK, ELSEWHERE.id)), scope=ELSEWHERE)
    first, second = await ledger.notices()
    assert await ledger.notices(ELSEWHERE.subscription) == (second,)
    clock.advance(3 * 24 * 3600)
    await ledger.sent(first)
    await ledger.sent(first)
    assert await ledger.notices() == (second,)


async def test_what_was_told_survives_the_process(store: Store, ledger: Ledger, tmp_path: Path) -> None:
    await told(ledger, leaves(OLD))
    again = store.ledger(tmp_path, FakeClock(NOON))
    assert len(await again.notices()) == len((await again.addresses()).entries) == 1
    await again.close()


async def test_whoever_lost_his_claim_registers_nothing(ledger: Ledger, clock: FakeClock) -> None:
    run = await begun(ledger)
    clock.advance(3600)
    assert isinstance(await ledger.claim(cause(run.cause.source), SCOPE, POLICIES), Held)
    with pytest.raises(Lost):
        await ledger.end(run, Ending(NOON, True, (leaves(OLD),), record=record(run)))
    assert await registered(ledger) == []
    assert await ledger.notices() == ()


async def test_ending_a_run_again_tells_nothing_again(ledger: Ledger) -> None:
    run = await begun(ledger)
    ending = Ending(NOON, True, (leaves(OLD),), record=record(run))
    await ledger.end(run, ending)
    (notice,) = await ledger.notices()
    await ledger.sent(notice)
    await ledger.end(run, ending)
    assert await ledger.notices() == ()


async def test_a_survey_registers_what_nobody_has_and_leaves_changes_to_a_run(ledger: Ledger, clock: FakeClock) -> None:
    clock.advance(3600)
    assert await ledger.surveyed([Sighting(SCOPE, clock.now(), (leaves(OLD),))]) == ()
    assert await registered(ledger) == [Registered(entry(OLD), clock.now())]
    # Nobody was told when it was found, but whoever allows it is told when it changes.
    assert await ledger.notices() == ()
    assert await ledger.surveyed([Sighting(SCOPE, clock.now(), (leaves(NEW),))]) == (SCOPE,)
    assert [one.entry for one in await registered(ledger)] == [entry(OLD)]
    await told(ledger, leaves(NEW))
    (notice,) = await ledger.notices()
    assert (notice.what.moves[0].before, notice.what.moves[0].now) == (entry(OLD), entry(NEW))


async def test_what_nobody_can_see_is_in_doubt_and_not_forgotten(ledger: Ledger, clock: FakeClock) -> None:
    first = await told(ledger, leaves(OLD))
    clock.advance(3600)
    await ledger.unseen(SCOPE, clock.now(), "not seen: no permission")
    (found,) = await registered(ledger)
    assert (found.entry.addresses, found.entry.doubt) == ((OLD,), "not seen: no permission")
    assert (found.since, found.by) == (NOON, first)
    await told(ledger, leaves(OLD))
    assert await registered(ledger) == [Registered(entry(OLD), NOON, first)]
    assert len(await ledger.notices()) == 1


async def test_pages_and_what_is_asked_for(ledger: Ledger) -> None:
    await told(ledger, *(leaves(f"20.0.0.{n}", resource=f"{NETWORK}/subnets/s{n}") for n in range(5)))
    await told(ledger, leaves(OLD, resource=SUBNET.replace(NETWORK, ELSEWHERE.id)), scope=ELSEWHERE)
    whole = await registered(ledger)
    assert len(whole) == 6
    found: list[Registered] = []
    page = await ledger.addresses(limit=2)
    while page.continuation:
        assert len(page.entries) == 2
        found += page.entries
        page = await ledger.addresses(limit=2, continuation=page.continuation)
    assert [*found, *page.entries] == whole
    assert await registered(ledger, Sought(policy="others")) == []
    with pytest.raises(ValueError, match="not the continuation of a list"):
        await ledger.addresses(continuation="§")
