"""Whoever changes a chain of Records behind the ledger's back is found out."""

import hashlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from governor.core.cause import Remainder
from governor.local.ledger import SqliteLedger
from governor.ports import Ending, Verification
from tests.local.worlds import ELSEWHERE, NOON, OTHER, SUBSCRIPTION, begun, record
from tests.support.clock import FakeClock

CHAIN = 6
IN_ORDER = "partition = :s AND row LIKE 'r|%' ORDER BY row DESC"


class Chains:
    """A chain of six Records beside another one, open for the ledger and for whoever tampers."""

    def __init__(self, path: Path) -> None:
        self.ledger = SqliteLedger(path, FakeClock(NOON))
        self._file = sqlite3.connect(path, isolation_level=None)

    async def write(self) -> None:
        for n in range(CHAIN):
            run = await begun(self.ledger)
            await self.ledger.end(run, Ending(NOON, True, (), record=record(run, note=f"number {n}")))
        other = await begun(self.ledger, scope=ELSEWHERE)
        await self.ledger.end(other, Ending(NOON, True, (), record=record(other)))

    def do(self, statement: str, **values: object) -> list[Any]:
        return self._file.execute(statement, {"s": SUBSCRIPTION, **values}).fetchall()

    def rows(self) -> list[tuple[str, bytes, str]]:
        """Key, bytes and hash of each Record, the oldest first."""
        return [tuple(row) for row in self.do(f"SELECT row, value, hash FROM ledger WHERE {IN_ORDER}")]

    def put(self, row: str, value: bytes, digest: str) -> None:
        self.do("UPDATE ledger SET value = :v, hash = :h WHERE row = :r", v=value, h=digest, r=row)

    def rename_head(self, old: str, new: str) -> None:
        """The hash that the head of the chain names, replaced by another."""
        changed = "CAST(replace(CAST(value AS TEXT), :old, :new) AS BLOB)"
        self.do(f"UPDATE ledger SET value = {changed} WHERE row = 'head'", old=old, new=new)

    async def wrong(self) -> str:
        found = [verification async for verification in self.ledger.verify()]
        assert found[1] == Verification(OTHER, 1, None)
        assert found[0].wrong is not None
        return found[0].wrong

    async def close(self) -> None:
        self._file.close()
        await self.ledger.close()


@pytest.fixture
async def chains(tmp_path: Path) -> AsyncIterator[Chains]:
    made = Chains(tmp_path / "ledger.db")
    await made.write()
    yield made
    await made.close()


async def test_a_whole_chain_is_whole(chains: Chains) -> None:
    assert [verification async for verification in chains.ledger.verify()] == [
        Verification(SUBSCRIPTION, CHAIN, None),
        Verification(OTHER, 1, None),
    ]


@pytest.mark.parametrize("n", range(CHAIN))
async def test_a_changed_record(chains: Chains, n: int) -> None:
    row, value, _ = chains.rows()[n]
    chains.do("UPDATE ledger SET value = :v WHERE row = :r", v=value.replace(b"number", b"nimber"), r=row)
    assert "its bytes do not have the hash" in await chains.wrong()


@pytest.mark.parametrize("n", range(CHAIN))
async def test_a_changed_record_with_a_hash_to_match(chains: Chains, n: int) -> None:
    row, value, _ = chains.rows()[n]
    value = value.replace(b"number", b"nimber")
    digest = hashlib.sha256(value).hexdigest()
    chains.put(row, value, digest)
    wrong = await chains.wrong()
    assert ("not the one the head names" if n == CHAIN - 1 else "not the one the next Record names") in wrong


@pytest.mark.parametrize("n", range(CHAIN))
async def test_a_missing_record(chains: Chains, n: int) -> None:
    chains.do("DELETE FROM ledger WHERE row = :r", r=chains.rows()[n][0])
    wrong = await chains.wrong()
    if n == 0:
        assert "the oldest Records are missing" in wrong
    elif n == CHAIN - 1:
        assert "not the one the head names" in wrong
    else:
        assert "not the one the next Record names" in wrong


@pytest.mark.parametrize(("a", "b"), [(0, 1), (2, 3), (1, 4), (4, 5)])
async def test_records_out_of_order(chains: Chains, a: int, b: int) -> None:
    rows = chains.rows()
    for here, there in ((a, b), (b, a)):
        chains.put(rows[here][0], rows[there][1], rows[there][2])
    assert "not the one" in await chains.wrong()


@pytest.mark.parametrize("count", range(1, CHAIN))
async def test_a_tail_that_was_cut_off(chains: Chains, count: int) -> None:
    for row, _, _ in chains.rows()[-count:]:
        chains.do("DELETE FROM ledger WHERE row = :r", r=row)
    assert "Records were cut off at the end" in await chains.wrong()


async def test_a_tail_that_was_cut_off_and_a_head_to_match(chains: Chains) -> None:
    """Who rewrites the head must also get its count right."""
    rows = chains.rows()
    chains.do("DELETE FROM ledger WHERE row = :r", r=rows[-1][0])
    chains.rename_head(rows[-1][2], rows[-2][2])
    assert "the head counts 6 Records, the chain has 5" in await chains.wrong()


async def test_no_record_left(chains: Chains) -> None:
    chains.do("DELETE FROM ledger WHERE partition = :s AND row LIKE 'r|%'")
    assert "all Records are missing" in await chains.wrong()


async def test_no_head_left(chains: Chains) -> None:
    chains.do("DELETE FROM ledger WHERE partition = :s AND row = 'head'")
    assert await chains.wrong() == "the head of the chain is missing"


async def test_a_head_that_cannot_be_read(chains: Chains) -> None:
    chains.do("UPDATE ledger SET value = :v WHERE partition = :s AND row = 'head'", v=b"rust")
    assert "a Head that cannot be read" in await chains.wrong()


async def test_nothing_left_at_all(chains: Chains) -> None:
    chains.do("DELETE FROM ledger WHERE partition = :s")
    assert await chains.wrong() == "the head of the chain is missing"


async def test_nothing_left_of_a_chain_that_began_after_a_silent_run(chains: Chains) -> None:
    scope = Remainder("44444444-4444-4444-4444-444444444444")
    await chains.ledger.end(await begun(chains.ledger, scope=scope), Ending(NOON, True, ()))
    run = await begun(chains.ledger, scope=scope)
    await chains.ledger.end(run, Ending(NOON, True, (), record=record(run)))
    chains.do("DELETE FROM ledger WHERE partition = :p", p=scope.subscription_id)
    found = [verification async for verification in chains.ledger.verify()]
    assert found[-1] == Verification(scope.subscription_id, 0, "the head of the chain is missing")


async def test_a_record_that_was_put_in(chains: Chains) -> None:
    row, value, digest = chains.rows()[2]
    chains.do(
        "INSERT INTO ledger (partition, row, value, hash) VALUES (:s, :r, :v, :h)", r=row + "x", v=value, h=digest
    )
    assert "not the one" in await chains.wrong()


async def test_a_record_under_a_name_that_is_not_its_own(chains: Chains) -> None:
    row = chains.rows()[3][0]
    chains.do("UPDATE ledger SET row = :n WHERE row = :r", n=row[:-3] + "xyz", r=row)
    assert "a name that is not its own" in await chains.wrong()


async def test_hashes_are_those_of_the_stored_bytes(chains: Chains) -> None:
    """A Record with members that this version does not know still has the hash of all its bytes."""
    rows = chains.rows()
    prev = ""
    for _, value, digest in rows:
        assert hashlib.sha256(value).hexdigest() == digest
        assert f'"prev":"{prev}"'.encode() in value or not prev
        prev = digest
    row, value, _ = rows[-1]
    newer = value[:-1] + b',"colour":"blue"}'
    digest = hashlib.sha256(newer).hexdigest()
    chains.put(row, newer, digest)
    chains.rename_head(prev, digest)
    assert [v.wrong async for v in chains.ledger.verify()] == [None, None]


async def test_a_record_edited_by_hand_is_named_whatever_type_it_has_now(chains: Chains) -> None:
    """SQL's own replace() leaves text where bytes were."""
    chains.do("UPDATE ledger SET value = replace(value, 'number 2', 'number 9')")
    assert "was changed" in await chains.wrong()
