"""What a survey leaves in the ledger: verdicts until a run has looked, and never in the place of newer ones."""

from datetime import timedelta

import msgspec
import pytest

from governor.core.cause import Cause, Remainder, Scope, Source
from governor.core.sighting import GRAPH_LAG, Sighting, of_subscription
from governor.core.verdict import Result, Verdict
from governor.ports import Absorbed, Ending, Ledger, Verification
from tests.local.worlds import (
    ELSEWHERE,
    NETWORK,
    NOON,
    OTHER,
    POLICIES,
    REST,
    SCOPE,
    SUBNET,
    SUBSCRIPTION,
    begun,
    ending,
    event,
    held,
    record,
    verdict,
)
from tests.support.clock import FakeClock

DATA = f"{NETWORK}/subnets/data"
WRONG, RIGHT, UNCLEAR = verdict(), verdict(Result.COMPLIANT), verdict(Result.UNKNOWN)
LATER = NOON + timedelta(hours=1)


async def told(ledger: Ledger, *verdicts: Verdict, scope: Scope = SCOPE) -> None:
    """A run ends, having looked at noon."""
    await ledger.end(await begun(ledger, scope=scope), ending(verdicts=verdicts))


async def seen(ledger: Ledger, *verdicts: Verdict, scope: Scope = SCOPE, hours: float = 1) -> bool:
    """A survey saw this so many hours after noon; whether a run should look comes out."""
    worth = await ledger.surveyed([Sighting(scope, NOON + timedelta(hours=hours), verdicts)])
    assert worth in ((), (scope,))
    return bool(worth)


async def stands(ledger: Ledger, scope: Scope = SCOPE) -> list[Verdict]:
    return list((await ledger.standing(scope, event())).verdicts)


async def test_what_nobody_has_told_stands_at_once_and_a_run_should_look(ledger: Ledger) -> None:
    assert await seen(ledger, WRONG)
    assert await stands(ledger) == [WRONG]
    assert await ledger.verdicts() == [WRONG]
    assert await ledger.subscriptions() == (SUBSCRIPTION,)


async def test_what_is_unclear_is_looked_at_until_a_run_has_told_it(ledger: Ledger) -> None:
    await seen(ledger, UNCLEAR)
    assert await seen(ledger, UNCLEAR)
    await told(ledger, UNCLEAR)
    assert not await seen(ledger, UNCLEAR)


async def test_what_is_wrong_is_looked_at_for_as_long_as_it_is(ledger: Ledger) -> None:
    await seen(ledger, WRONG)
    assert await seen(ledger, WRONG)
    await told(ledger, WRONG)
    assert await seen(ledger, WRONG)
    await told(ledger, RIGHT)
    assert not await seen(ledger, RIGHT)


async def test_what_is_right_from_the_start_needs_no_run(ledger: Ledger) -> None:
    assert not await seen(ledger, RIGHT)
    assert await stands(ledger) == [RIGHT]
    assert not await seen(ledger, RIGHT)


async def test_what_is_said_against_a_run_is_looked_at_until_a_run_has_told_it(ledger: Ledger) -> None:
    await told(ledger, WRONG)
    assert await seen(ledger, RIGHT)
    assert await stands(ledger) == [RIGHT]
    assert await seen(ledger, RIGHT, hours=2)
    await told(ledger, RIGHT)
    assert not await seen(ledger, RIGHT, hours=3)


@pytest.mark.parametrize(
    ("stood", "sighting", "then", "look"),
    [
        (RIGHT, RIGHT, RIGHT, False),
        (RIGHT, WRONG, WRONG, True),
        (WRONG, RIGHT, RIGHT, True),
        (UNCLEAR, RIGHT, RIGHT, True),
        # Graph does not know what a run knew: nothing is taken away, but somebody should look.
        (RIGHT, UNCLEAR, RIGHT, True),
        (WRONG, UNCLEAR, WRONG, True),
        (UNCLEAR, msgspec.structs.replace(UNCLEAR, seen="in other words"), UNCLEAR, False),
        # Where only the evidence differs, the run says so.
        (RIGHT, msgspec.structs.replace(RIGHT, addresses=("203.0.113.1",)), RIGHT, True),
        (RIGHT, msgspec.structs.replace(RIGHT, policy="hubs"), msgspec.structs.replace(RIGHT, policy="hubs"), True),
        (RIGHT, msgspec.structs.replace(RIGHT, resource=SUBNET.upper()), RIGHT, False),
    ],
)
async def test_beside_what_a_run_has_told(
    ledger: Ledger, stood: Verdict, sighting: Verdict, then: Verdict, look: bool
) -> None:
    await told(ledger, stood)
    assert await seen(ledger, sighting) is look
    assert await stands(ledger) == [then]


async def test_what_a_run_has_overruled_does_not_come_back(ledger: Ledger) -> None:
    await told(ledger, RIGHT)
    await seen(ledger, WRONG)
    await told(ledger, RIGHT)
    assert await seen(ledger, WRONG, hours=2)
    assert await stands(ledger) == [RIGHT]
    await told(ledger, RIGHT)
    assert await seen(ledger, WRONG, hours=3)
    assert await stands(ledger) == [RIGHT]


async def test_what_was_seen_later_stays(ledger: Ledger) -> None:
    await told(ledger, RIGHT)
    lag = GRAPH_LAG.total_seconds() / 3600
    assert await seen(ledger, WRONG, hours=0)
    assert await seen(ledger, WRONG, hours=-1)
    assert await seen(ledger, WRONG, hours=lag * 0.99)
    assert await stands(ledger) == [RIGHT]
    assert await seen(ledger, WRONG, hours=lag)
    assert await stands(ledger) == [WRONG]


async def test_what_a_run_holds_is_left_to_it(ledger: Ledger, clock: FakeClock) -> None:
    await told(ledger, RIGHT)
    await held(ledger)
    assert await seen(ledger, WRONG)
    await ledger.unseen(SCOPE, LATER, "nobody may read it")
    assert await stands(ledger) == [RIGHT]
    clock.advance(120)  # the run is dead
    assert await seen(ledger, WRONG)
    assert await stands(ledger) == [WRONG]


async def test_what_is_gone_is_looked_at_and_taken_away_by_the_run(ledger: Ledger) -> None:
    data = verdict(Result.COMPLIANT, DATA)
    await told(ledger, RIGHT, data)
    assert await seen(ledger, RIGHT)
    assert await stands(ledger) == [RIGHT, data] or await stands(ledger) == [data, RIGHT]
    await told(ledger, RIGHT)
    assert not await seen(ledger, RIGHT)


async def test_several_scopes_are_stored_and_those_worth_a_run_come_back(ledger: Ledger) -> None:
    await told(ledger, RIGHT)
    other = verdict(resource=f"{ELSEWHERE.id}/subnets/app")
    worth = await ledger.surveyed([Sighting(SCOPE, LATER, (RIGHT,)), Sighting(ELSEWHERE, LATER, (other,))])
    assert worth == (ELSEWHERE,)
    assert await ledger.verdicts() == [RIGHT, other]
    assert await ledger.subscriptions() == (SUBSCRIPTION, OTHER)


async def test_the_scopes_of_a_subscription(ledger: Ledger) -> None:
    assert await ledger.scopes(SUBSCRIPTION) == ()
    empty = type(SCOPE)(f"{NETWORK}-empty")
    await seen(ledger, scope=empty)
    await seen(ledger, RIGHT, verdict(resource=DATA))
    await seen(ledger, verdict(resource=ELSEWHERE.id), scope=ELSEWHERE)
    await seen(ledger, of_subscription(REST, "not seen"), scope=REST)
    assert await ledger.scopes(SUBSCRIPTION.upper()) == (REST, SCOPE)
    assert await ledger.scopes(OTHER) == (ELSEWHERE,)


async def test_a_subscription_of_which_nothing_stands_is_not_among_them(ledger: Ledger) -> None:
    await ledger.give_up(None, b"{}", "garbage")
    await told(ledger, RIGHT)
    await told(ledger)
    assert await ledger.subscriptions() == ()


# ---- what cannot be seen --------------------------------------------------------------------------------------------


async def test_what_cannot_be_seen_is_unknown(ledger: Ledger) -> None:
    shown = msgspec.structs.replace(RIGHT, addresses=("203.0.113.1",), seen="NAT gateway")
    unclear = verdict(Result.UNKNOWN, DATA)
    await told(ledger, shown, unclear)
    await ledger.unseen(SCOPE, LATER, "not seen: no row")
    by_name = {v.resource: v for v in await stands(ledger)}
    assert by_name == {
        SUBNET: msgspec.structs.replace(RIGHT, result=Result.UNKNOWN, seen="not seen: no row"),
        DATA: unclear,
    }


async def test_what_was_seen_later_is_not_unseen(ledger: Ledger) -> None:
    await told(ledger, RIGHT)
    await ledger.unseen(SCOPE, NOON + timedelta(minutes=9), "not seen")
    assert await stands(ledger) == [RIGHT]


async def test_what_is_seen_again_stands_again(ledger: Ledger) -> None:
    await told(ledger, RIGHT)
    await ledger.unseen(SCOPE, LATER, "not seen")
    assert await seen(ledger, UNCLEAR, hours=2)
    assert (await stands(ledger))[0].seen == ""
    assert await seen(ledger, RIGHT, hours=3)
    assert await stands(ledger) == [RIGHT]


async def test_a_subscription_that_is_not_seen_is_looked_at_once_a_run_has_told_no_more(ledger: Ledger) -> None:
    unseen = of_subscription(REST, "not seen")
    assert await seen(ledger, unseen, scope=REST)
    assert await seen(ledger, unseen, scope=REST)
    await told(ledger, of_subscription(REST, "cannot be read"), scope=REST)
    assert not await seen(ledger, unseen, scope=REST)
    assert [v.seen for v in await stands(ledger, REST)] == ["cannot be read"]


# ---- records and counters -------------------------------------------------------------------------------------------


async def test_no_record_is_written_and_the_next_run_knows_what_none_says(ledger: Ledger) -> None:
    run = await begun(ledger)
    await ledger.end(run, Ending(NOON, True, (RIGHT,), record=record(run)))
    await seen(ledger, WRONG)
    await ledger.unseen(ELSEWHERE, LATER, "not seen")
    assert [found async for found in ledger.verify()] == [Verification(SUBSCRIPTION, 1, None)]
    standing = await ledger.standing(SCOPE, event())
    assert (standing.verdicts, standing.surveyed) == ((WRONG,), (WRONG,))
    await told(ledger, WRONG)
    assert (await ledger.standing(SCOPE, event())).surveyed == ()


async def test_a_survey_absorbs_nothing(ledger: Ledger) -> None:
    await seen(ledger, WRONG)
    await held(ledger, event(NOON - timedelta(hours=5)))


async def test_the_cause_of_a_survey_is_absorbed_by_a_run_that_looked_later(ledger: Ledger) -> None:
    await told(ledger, RIGHT)
    assert await seen(ledger, WRONG, hours=-0.01)
    asked = Cause(Source.SURVEY, NOON - timedelta(seconds=36), scope=SCOPE)
    assert isinstance(await ledger.claim(asked, SCOPE, POLICIES), Absorbed)


async def test_resources_are_counted_by_policy_after_a_survey_too(ledger: Ledger) -> None:
    await told(ledger, RIGHT, verdict(resource=DATA))
    await seen(ledger, msgspec.structs.replace(RIGHT, policy="hubs"))
    assert (await ledger.standing(SCOPE, event())).governed == {"hubs": 1, "spokes": 1}
    await ledger.unseen(SCOPE, LATER, "not seen")
    assert (await ledger.standing(SCOPE, event())).governed == {"hubs": 1, "spokes": 1}
    await seen(ledger, scope=Remainder(OTHER))
    assert (await ledger.standing(Remainder(OTHER), event())).governed == {}
