"""Leases on single objects outside the Scope of a run."""

import pytest

from governor.ports import Ending, Ledger, Lost
from tests.local.worlds import (
    ELSEWHERE,
    GATEWAY,
    NOON,
    SUBNET,
    begun,
    held,
)
from tests.support.clock import FakeClock


async def test_an_object_is_leased_to_one_run_at_a_time(ledger: Ledger, clock: FakeClock) -> None:
    one, two = await begun(ledger), await begun(ledger, scope=ELSEWHERE)
    assert await ledger.lease(one, GATEWAY)
    assert await ledger.lease(one, GATEWAY)
    assert not await ledger.lease(two, GATEWAY.upper())
    await ledger.unlease(two, GATEWAY)
    assert not await ledger.lease(two, GATEWAY)
    await ledger.unlease(one, GATEWAY)
    assert await ledger.lease(two, GATEWAY)


async def test_the_lease_on_an_object_ends_after_120_s_unless_it_is_renewed(ledger: Ledger, clock: FakeClock) -> None:
    one, two = await begun(ledger), await begun(ledger, scope=ELSEWHERE)
    await ledger.lease(one, GATEWAY)
    clock.advance(100)
    await ledger.renew(one)
    clock.advance(119)
    assert not await ledger.lease(two, GATEWAY)
    clock.advance(1)
    assert await ledger.lease(two, GATEWAY)


async def test_a_run_that_ends_leaves_no_lease_behind(ledger: Ledger) -> None:
    one, two = await begun(ledger), await begun(ledger, scope=ELSEWHERE)
    await ledger.lease(one, GATEWAY)
    await ledger.end(one, Ending(NOON, True, ()))
    assert await ledger.lease(two, GATEWAY)


async def test_who_takes_over_is_not_bound_by_the_lease_of_the_dead(ledger: Ledger, clock: FakeClock) -> None:
    await ledger.lease(await begun(ledger), GATEWAY)
    clock.advance(120)
    assert await ledger.lease(await begun(ledger), SUBNET)


async def test_two_objects_at_a_time_are_a_defect(ledger: Ledger) -> None:
    run = await begun(ledger)
    await ledger.lease(run, GATEWAY)
    with pytest.raises(ValueError, match="one object at a time"):
        await ledger.lease(run, SUBNET)


async def test_a_lost_run_leases_nothing(ledger: Ledger, clock: FakeClock) -> None:
    run = await begun(ledger)
    clock.advance(120)
    await held(ledger)
    with pytest.raises(Lost):
        await ledger.lease(run, GATEWAY)
