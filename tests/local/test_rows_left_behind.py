"""What is stored for reports and proof, read from the rows themselves."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from governor.core.sighting import Sighting
from governor.core.standing import Decision, Pause, Ruling
from governor.core.verdict import Result, Verdict
from governor.local import keys
from governor.local.brakes import Switch
from governor.local.decisions import Ruled
from governor.local.ledger import TABLES, SqliteLedger
from governor.local.rows import Rows
from governor.local.verdicts import Roll, StandingVerdict
from governor.ports import Ending, Run
from tests.local.worlds import NETWORK, NOON, SCOPE, SUBSCRIPTION, begun, remediation, verdict
from tests.support.clock import FakeClock

DAY = 24 * 3600


class Open:
    """A ledger, and its rows beside it."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock(NOON)
        self.ledger = SqliteLedger(folder / "ledger.db", self.clock)
        self.rows = Rows(folder / "ledger.db", TABLES)

    async def ended(self, *verdicts: Verdict) -> Run:
        run = await begun(self.ledger)
        await self.ledger.end(run, Ending(NOON, True, verdicts))
        return run

    def rolls(self) -> dict[str, Roll]:
        with self.rows.reading() as tx:
            names = [row.row for row in tx.under("ledger", SUBSCRIPTION, "roll|")]
            return {name: tx.get(Roll, "ledger", SUBSCRIPTION, name) or Roll() for name in names}


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Open]:
    both = Open(tmp_path)
    yield both
    both.rows.close()
    await both.ledger.close()


async def test_a_verdict_says_since_when_its_result_stands_and_who_told_it_last(opened: Open) -> None:
    async def standing() -> StandingVerdict:
        with opened.rows.reading() as tx:
            (found,) = tx.all(StandingVerdict, "ledger", SUBSCRIPTION, f"s|{keys.place(SCOPE)}|")
            return found

    other_words = msgspec.structs.replace(verdict(), seen="other words")
    first = await opened.ended(verdict())
    opened.clock.advance(60)
    await opened.ended(verdict())
    assert await standing() == StandingVerdict(SCOPE, verdict(), NOON, first.id)
    second = await opened.ended(other_words)
    assert await standing() == StandingVerdict(SCOPE, other_words, NOON, second.id)
    third = await opened.ended(verdict(Result.COMPLIANT))
    later = NOON + timedelta(seconds=60)
    assert await standing() == StandingVerdict(SCOPE, verdict(Result.COMPLIANT), later, third.id)


async def test_days_are_rolled_up_by_what_took_and_lost_a_result(opened: Open) -> None:
    data = verdict(resource=f"{NETWORK}/subnets/data")
    await opened.ended(verdict(), data)
    await opened.ended(msgspec.structs.replace(verdict(), seen="other words"), data)
    await opened.ended(verdict(Result.COMPLIANT), data)
    opened.clock.advance(DAY)
    await opened.ended(verdict(Result.COMPLIANT))
    assert opened.rolls() == {
        "roll|2026-03-01|subnet-egress|Compliant": Roll(took=1, lost=0),
        "roll|2026-03-01|subnet-egress|Violation": Roll(took=2, lost=1),
        "roll|2026-03-02|subnet-egress|Violation": Roll(took=0, lost=1),
    }


async def test_a_survey_counts_what_it_changes_and_the_run_that_agrees_counts_nothing(opened: Open) -> None:
    later = NOON + timedelta(hours=1)
    await opened.ended(verdict(Result.COMPLIANT))
    for _ in range(2):
        await opened.ledger.surveyed([Sighting(SCOPE, later, (verdict(),))])
    await opened.ended(verdict())
    for _ in range(2):
        await opened.ledger.unseen(SCOPE, later, "not seen")
    assert opened.rolls() == {
        "roll|2026-03-01|subnet-egress|Compliant": Roll(took=1, lost=1),
        "roll|2026-03-01|subnet-egress|Violation": Roll(took=1, lost=1),
        "roll|2026-03-01|subnet-egress|Unknown": Roll(took=1, lost=0),
    }


async def test_every_turn_of_the_kill_switch_stays_on_record(opened: Open) -> None:
    for n in range(2):
        await opened.ledger.pause(Pause("ann", NOON, f"incident {n}"), "ann", f"incident {n}")
        await opened.ledger.pause(None, "bob", f"over {n}")
    with opened.rows.reading() as tx:
        turns = tx.all(Switch, "brakes", "pause", "h|")
    said = [turn.on.reason if turn.on else turn.off.reason if turn.off else "" for turn in turns]
    assert said == ["incident 0", "over 0", "incident 1", "over 1"]


async def test_every_ruling_stays_on_record(opened: Open) -> None:
    made = [
        Decision("d1", ruling, "ann", NOON, "seen", NOON + timedelta(seconds=1))
        for ruling in (Ruling.APPROVE, Ruling.REJECT)
    ]
    for decision in made:
        await opened.ledger.decide(decision)
    opened.clock.advance(60)
    await opened.ledger.decide(Decision("d2", Ruling.APPROVE, "ann", NOON, "seen", NOON + timedelta(days=1)))
    with opened.rows.reading() as tx:
        assert [row.decision for row in tx.all(Ruled, "decisions", "ruling-d1")] == made
        assert [row.decision.digest for row in tx.all(Ruled, "decisions", "rulings")] == ["d2"]


async def test_what_was_written_an_hour_ago_is_not_kept(opened: Open) -> None:
    run = await begun(opened.ledger)
    for n in range(5):
        await opened.ledger.count(run, remediation(digest=f"d{n}"), failed=False)
        opened.clock.advance(1800)
    with opened.rows.reading() as tx:
        for partition in (SUBSCRIPTION, "tenant"):
            assert [row.row[-2:] for row in tx.under("brakes", partition, "w|")] == ["d3", "d4"]
