"""Who holds a Scope, what is absorbed, and when somebody else is known to have written."""

from datetime import timedelta

import msgspec
import pytest

from governor.core.cause import Source
from governor.core.standing import KnownClusters
from governor.ports import Absorbed, Busy, Held, Ledger
from tests.local.worlds import (
    ELSEWHERE,
    GATEWAY,
    NETWORK,
    NOON,
    OTHER,
    POLICIES,
    REST,
    SCOPE,
    STEP,
    SUBNET,
    SUBSCRIPTION,
    applied,
    begun,
    cause,
    ending,
    event,
    held,
)
from tests.support.clock import FakeClock


async def test_a_scope_nobody_holds_is_held_with_the_first_epoch(ledger: Ledger) -> None:
    assert await ledger.claim(event(), SCOPE, POLICIES) == Held(SCOPE, 1)


async def test_a_held_scope_is_busy_for_the_rest_of_the_lease(ledger: Ledger, clock: FakeClock) -> None:
    await held(ledger)
    clock.advance(30)
    assert await ledger.claim(event(), SCOPE, POLICIES) == Busy(90)


async def test_the_same_scope_in_other_letters_is_the_same(ledger: Ledger) -> None:
    await held(ledger)
    shouted = type(SCOPE)(NETWORK.upper().replace("/SUBSCRIPTIONS", "/subscriptions"))
    assert isinstance(await ledger.claim(event(), shouted, POLICIES), Busy)


async def test_scopes_do_not_hold_each_other_up(ledger: Ledger) -> None:
    await held(ledger)
    for scope in (REST, ELSEWHERE):
        assert await ledger.claim(event(), scope, POLICIES) == Held(scope, 1)


async def test_an_expired_lease_is_taken_over_with_a_new_epoch(ledger: Ledger, clock: FakeClock) -> None:
    await held(ledger)
    clock.advance(119.999)
    assert isinstance(await ledger.claim(event(), SCOPE, POLICIES), Busy)
    clock.advance(0.001)
    assert await ledger.claim(event(), SCOPE, POLICIES) == Held(SCOPE, 2)


async def test_a_released_claim_is_free_at_once(ledger: Ledger) -> None:
    await ledger.release(await held(ledger))
    assert await ledger.claim(event(), SCOPE, POLICIES) == Held(SCOPE, 2)


async def test_a_lost_claim_releases_nothing(ledger: Ledger, clock: FakeClock) -> None:
    first = await held(ledger)
    clock.advance(120)
    await held(ledger)
    await ledger.release(first)
    assert isinstance(await ledger.claim(event(), SCOPE, POLICIES), Busy)


@pytest.mark.parametrize("source", list(Source))
async def test_what_a_settled_run_has_seen_absorbs_events_and_finds_of_surveys(ledger: Ledger, source: Source) -> None:
    run = await begun(ledger)
    await ledger.end(run, ending(seen=NOON + timedelta(seconds=11)))
    answer = await ledger.claim(cause(source), SCOPE, POLICIES)
    absorbed = source in (Source.EVENT, Source.SURVEY)
    assert answer == (Absorbed(run.id) if absorbed else Held(SCOPE, 2))


async def test_seen_within_the_skew_of_the_clocks_is_not_seen(ledger: Ledger) -> None:
    await ledger.end(await begun(ledger), ending(seen=NOON + timedelta(seconds=10)))
    assert isinstance(await ledger.claim(event(), SCOPE, POLICIES), Held)


async def test_a_run_that_did_not_settle_absorbs_nothing(ledger: Ledger) -> None:
    later = NOON + timedelta(hours=1)
    await ledger.end(await begun(ledger), ending(seen=later))
    await ledger.end(await begun(ledger), ending(seen=later, settled=False))
    assert isinstance(await ledger.claim(event(), SCOPE, POLICIES), Held)


async def test_a_run_under_other_policies_absorbs_nothing(ledger: Ledger) -> None:
    await ledger.end(await begun(ledger), ending(seen=NOON + timedelta(hours=1)))
    assert isinstance(await ledger.claim(event(), SCOPE, "policies-2"), Held)


async def test_a_run_on_another_scope_absorbs_nothing(ledger: Ledger) -> None:
    await ledger.end(await begun(ledger, scope=REST), ending(seen=NOON + timedelta(hours=1)))
    assert isinstance(await ledger.claim(event(), SCOPE, POLICIES), Held)


async def test_a_claim_given_back_unseen_absorbs_only_what_was_seen_before(ledger: Ledger) -> None:
    await ledger.end(await begun(ledger), ending(seen=NOON + timedelta(hours=1)))
    await ledger.release(await held(ledger), settled=True)
    assert isinstance(await ledger.claim(event(), SCOPE, POLICIES), Absorbed)
    await ledger.release(await held(ledger))
    assert isinstance(await ledger.claim(event(), SCOPE, POLICIES), Held)


async def test_an_event_that_a_settled_run_has_seen_is_absorbed_while_another_runs(ledger: Ledger) -> None:
    first = await begun(ledger)
    await ledger.end(first, ending(seen=NOON + timedelta(hours=1)))
    await held(ledger)
    assert await ledger.claim(event(), SCOPE, POLICIES) == Absorbed(first.id)


# ---- who wrote ----------------------------------------------------------------------------------------------------


async def touched(ledger: Ledger) -> timedelta | None:
    at = (await ledger.standing(SCOPE, event())).touched
    return None if at is None else at - NOON


async def test_the_latest_event_tells_when_the_scope_was_touched(ledger: Ledger, clock: FakeClock) -> None:
    clock.advance(60)
    assert await touched(ledger) is None
    for seconds in (20, 40, 30):
        await ledger.claim(event(NOON + timedelta(seconds=seconds)), SCOPE, POLICIES)
    assert await touched(ledger) == timedelta(seconds=40)


async def test_only_events_tell(ledger: Ledger) -> None:
    for source in set(Source) - {Source.EVENT}:
        await ledger.claim(cause(source), SCOPE, POLICIES)
    assert await touched(ledger) is None


async def test_busy_and_absorbed_events_tell_too(ledger: Ledger, clock: FakeClock) -> None:
    clock.advance(3600)
    run = await begun(ledger)
    assert isinstance(await ledger.claim(event(), SCOPE, POLICIES), Busy)
    assert await touched(ledger) == timedelta(0)
    await ledger.end(run, ending(seen=clock.now()))
    later = event(NOON + timedelta(seconds=5))
    assert isinstance(await ledger.claim(later, SCOPE, POLICIES), Absorbed)
    assert await touched(ledger) == timedelta(seconds=5)


async def test_an_event_from_the_future_is_not_believed(ledger: Ledger) -> None:
    await ledger.claim(event(NOON + timedelta(days=365)), SCOPE, POLICIES)
    assert await touched(ledger) == timedelta(seconds=10)


@pytest.mark.parametrize(
    ("seconds", "echo"), [(-11, False), (-10, True), (0, True), (20, True), (30, True), (31, False)]
)
async def test_the_echo_of_our_own_write_touches_nothing(
    ledger: Ledger, clock: FakeClock, seconds: int, echo: bool
) -> None:
    """The write lasted from 0 to 20 s; the clocks may be 10 s apart."""
    run = await begun(ledger)
    await ledger.intend(run, 1, "d1", STEP)
    clock.advance(20)
    await ledger.done(run, 1, applied())
    clock.advance(60)
    await ledger.claim(event(NOON + timedelta(seconds=seconds), SUBNET.upper()), SCOPE, POLICIES)
    assert await touched(ledger) == (None if echo else timedelta(seconds=seconds))


async def test_somebody_elses_write_beside_ours_is_no_echo(ledger: Ledger) -> None:
    run = await begun(ledger)
    await ledger.intend(run, 1, "d1", STEP)
    await ledger.claim(event(subject=GATEWAY), SCOPE, POLICIES)
    assert await touched(ledger) == timedelta(0)


async def test_a_write_that_is_still_open_echoes_until_now(ledger: Ledger, clock: FakeClock) -> None:
    run = await begun(ledger)
    await ledger.intend(run, 1, "d1", STEP)
    clock.advance(300)
    await ledger.claim(event(NOON + timedelta(seconds=299)), SCOPE, POLICIES)
    assert await touched(ledger) is None


@pytest.mark.parametrize(("group", "counts"), [("MC_rg_k_westeurope", False), ("Nodes-of-k", False), ("rg", True)])
async def test_what_aks_keeps_among_its_nodes_is_nobodys_write_of_the_network(
    ledger: Ledger, clock: FakeClock, group: str, counts: bool
) -> None:
    """Its name begins with MC_, or the last run has seen that a cluster of the Scope names it."""
    nodes = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/nodes-of-k"
    known = KnownClusters((nodes,))
    await ledger.end(await begun(ledger), msgspec.structs.replace(ending(), clusters=known))
    assert (await ledger.standing(SCOPE, event())).clusters == known
    clock.advance(60)
    balancer = f"{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Network/loadBalancers/kubernetes"
    await ledger.claim(event(clock.now(), f"/subscriptions/{balancer}"), SCOPE, POLICIES)
    assert await touched(ledger) == (timedelta(seconds=60) if counts else None)


@pytest.mark.parametrize(("where", "expected"), [(SUBSCRIPTION.upper(), ()), (OTHER, (OTHER,))])
async def test_a_cause_may_point_at_a_cluster_of_another_subscription(
    ledger: Ledger, where: str, expected: tuple[str, ...]
) -> None:
    pointed = f"/subscriptions/{where}/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/k"
    assert (await ledger.standing(SCOPE, event(subject=pointed))).clusters == KnownClusters(subscriptions=expected)
    assert (await ledger.standing(SCOPE, event())).clusters == KnownClusters()


async def test_between_two_writes_of_ours_somebody_else_may_have_written(ledger: Ledger, clock: FakeClock) -> None:
    run = await begun(ledger)
    for number in (1, 2):
        await ledger.intend(run, number, "d1", STEP)
        await ledger.done(run, number, applied())
        clock.advance(300)
    await ledger.claim(event(NOON + timedelta(seconds=100)), SCOPE, POLICIES)
    assert await touched(ledger) == timedelta(seconds=100)


async def test_a_run_elsewhere_echoes_in_the_network_that_it_wrote_and_in_no_other(ledger: Ledger) -> None:
    """A spoke's run writes the hub's side of their peering: the hub hears of it as well, and need not settle."""
    run = await begun(ledger, scope=ELSEWHERE)
    await ledger.intend(run, 1, "d1", STEP)
    await ledger.claim(event(), SCOPE, POLICIES)
    assert await touched(ledger) is None
    await ledger.intend(run, 2, "d1", msgspec.structs.replace(STEP, target=GATEWAY))
    await ledger.claim(event(subject=GATEWAY), SCOPE, POLICIES)
    assert await touched(ledger) == timedelta(0)
