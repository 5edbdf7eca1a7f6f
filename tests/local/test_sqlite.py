"""The file itself: several processes, crashes in the middle, a busy writer, a newer version."""

import asyncio
import multiprocessing
import os
import signal
import sqlite3
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from governor.core.cause import VERSION, Source
from governor.core.plan import Plan
from governor.local import keys, rows
from governor.local.claims import Claim
from governor.local.clock import SystemClock
from governor.local.inbox import SqliteInbox
from governor.local.ledger import TABLES, SqliteLedger
from governor.local.rows import Rows
from governor.ports import Ending, Held, Terminal, Transient
from tests.local.worlds import NOON, POLICIES, SCOPE, SUBSCRIPTION, begun, cause, event, record
from tests.support.clock import FakeClock

PROCESSES = multiprocessing.get_context("spawn")


def _run_until_done(folder: str, runs: int) -> list[int]:
    """One process: claims, records and ends so many runs on one Scope; the epochs it held."""

    async def story() -> list[int]:
        epochs: list[int] = []
        woken = cause(Source.MANUAL)
        ledger = SqliteLedger(Path(folder) / "ledger.db", FakeClock(NOON))
        inbox = SqliteInbox(Path(folder) / "queues.db", FakeClock(NOON))
        while len(epochs) < runs:
            answer = await ledger.claim(woken, SCOPE, POLICIES)
            if not isinstance(answer, Held):
                continue
            run = await ledger.begin(answer, woken, POLICIES, Plan())
            await ledger.end(run, Ending(NOON, True, (), record=record(run)))
            await inbox.put(event())
            epochs.append(run.epoch)
        await ledger.close()
        await inbox.close()
        return epochs

    return asyncio.run(story())


async def test_processes_share_one_file(tmp_path: Path) -> None:
    with ProcessPoolExecutor(3, PROCESSES) as pool:
        done = [pool.submit(_run_until_done, str(tmp_path), 15) for _ in range(3)]
        epochs = [epoch for each in done for epoch in each.result(timeout=100)]
    assert len(set(epochs)) == len(epochs) == 45
    ledger = SqliteLedger(tmp_path / "ledger.db", FakeClock(NOON))
    assert [(found.records, found.wrong) async for found in ledger.verify()] == [(45, None)]
    assert len((await ledger.records(limit=100)).records) == 45
    await ledger.close()
    connection = sqlite3.connect(tmp_path / "queues.db")
    assert connection.execute("SELECT count(*) FROM messages").fetchone() == (45,)
    connection.close()


def _die_while_intending(folder: str) -> None:
    """One process that is killed in the middle of a transaction."""
    connection = rows.connect(Path(folder) / "ledger.db")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM claims")
    os.kill(os.getpid(), signal.SIGKILL)


async def test_a_process_killed_in_a_transaction_changes_nothing_and_blocks_nobody(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.db", FakeClock(NOON))
    run = await begun(ledger)
    dying = PROCESSES.Process(target=_die_while_intending, args=(str(tmp_path),))
    dying.start()
    dying.join(60)
    assert dying.exitcode is not None
    assert dying.exitcode < 0
    await ledger.renew(run)
    await ledger.close()


async def test_two_ledgers_in_one_process_see_the_same(tmp_path: Path) -> None:
    one, two = (SqliteLedger(tmp_path / "ledger.db", FakeClock(NOON)) for _ in range(2))
    run = await begun(one)
    await two.renew(run)
    stored = await two.end(run, Ending(NOON, True, (), record=record(run)))
    assert await one.record(run.id) == stored
    await one.close()
    await two.close()


def test_a_file_that_stays_busy_is_a_transient_trouble(tmp_path: Path) -> None:
    path = tmp_path / "any.db"
    one, two = rows.connect(path, wait_seconds=0), rows.connect(path, wait_seconds=0)
    one.execute("BEGIN IMMEDIATE")
    with pytest.raises(Transient, match="busy"), rows.transaction(two, path):
        pass
    one.execute("ROLLBACK")
    with rows.transaction(two, path):
        two.execute("CREATE TABLE anything (x)")
    one.close()
    two.close()


def _fail(store: Rows) -> None:
    with store.writing() as tx:
        tx.put("claims", "p", "r", Claim(SCOPE))
        raise KeyError("in the middle")


def test_an_error_undoes_the_whole_transaction(tmp_path: Path) -> None:
    store = Rows(tmp_path / "rows.db", TABLES)
    with pytest.raises(KeyError, match="in the middle"):
        _fail(store)
    with store.reading() as tx:
        assert tx.raw("claims", "p", "r") is None
    store.close()


def test_a_broken_statement_is_not_called_busy(tmp_path: Path) -> None:
    store = Rows(tmp_path / "rows.db", TABLES)
    with pytest.raises(sqlite3.OperationalError, match="no such table"), store.reading() as tx:
        tx.raw("nowhere", "p", "r")
    store.close()


# ---- versions -----------------------------------------------------------------------------------------------------


def change_claim(path: Path, old: bytes, new: bytes) -> None:
    """What stands in the only claim of a file, changed behind the ledger's back."""
    connection = sqlite3.connect(path)
    (value,) = connection.execute("SELECT value FROM claims").fetchone()
    assert old in value
    connection.execute("UPDATE claims SET value = ?", (value.replace(old, new),))
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("new", "says"),
    [
        (b'"v":2}', "a Claim of version 2, and this program reads up to version 1: update it"),
        (b'"v":2,"epoch":"many"}', "a Claim of version 2"),
        (b'"v":', "a Claim that cannot be read"),
        (b'"v":1,"epoch":"many"}', "a Claim that cannot be read"),
    ],
)
async def test_a_value_that_cannot_be_read_is_one_clear_error(tmp_path: Path, new: bytes, says: str) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.db", FakeClock(NOON))
    await begun(ledger)
    change_claim(tmp_path / "ledger.db", b'"v":1}', new)
    with pytest.raises(Terminal, match=says):
        await ledger.claim(event(), SCOPE, POLICIES)
    await ledger.close()


async def test_members_that_are_not_known_are_ignored(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.db", FakeClock(NOON))
    run = await begun(ledger)
    change_claim(tmp_path / "ledger.db", b'"v":1}', b'"v":1,"colour":"blue"}')
    await ledger.renew(run)
    await ledger.close()


def test_a_file_of_a_newer_version_is_not_opened(tmp_path: Path) -> None:
    Rows(tmp_path / "rows.db", TABLES).close()
    with sqlite3.connect(tmp_path / "rows.db") as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    with pytest.raises(Terminal, match="has version 2"):
        Rows(tmp_path / "rows.db", TABLES)


def test_commits_are_durable_and_readers_do_not_wait(tmp_path: Path) -> None:
    connection = rows.connect(tmp_path / "any.db")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    connection.close()


# ---- keys and the clock -------------------------------------------------------------------------------------------


def test_keys_sort_as_times_do_and_use_no_letter_that_azure_refuses() -> None:
    moments = [keys.micros(NOON), keys.micros(NOON) + 1, keys.micros(NOON) * 2]
    assert sorted(map(keys.rising, moments)) == [keys.rising(moment) for moment in moments]
    assert sorted(map(keys.falling, moments)) == [keys.falling(moment) for moment in reversed(moments)]
    days = ["2026-03-01", "2026-03-02", "2030-01-01"]
    assert sorted(map(keys.falling_day, days)) == [keys.falling_day(day) for day in reversed(days)]
    assert [keys.falling_day(keys.falling_day(day)) for day in days] == days
    assert keys.day(keys.micros(NOON)) == days[0]
    assert not set("/\\#?%") & set(keys.place(SCOPE) + keys.resource(SUBSCRIPTION))


async def test_the_clock_of_the_machine_goes_on() -> None:
    clock = SystemClock()
    before = clock.now()
    await clock.sleep(0)
    assert clock.now() >= before
    assert before.utcoffset() is not None
