"""`records list | show | verify`: what happened, for people and for programs, and proof that nobody changed it."""

import json
import sqlite3
from pathlib import Path

import pytest

from governor.commands.records import where_of
from governor.core.cause import Remainder
from tests.cli.conftest import Run


@pytest.fixture
def repaired(run: Run, ledger: Path) -> str:
    records = json.loads(run("records", "list", "--format", "json", "--data", ledger).out)["records"]
    return str(next(r["id"] for r in records if r["scope"]["id"].endswith("spoke-shop")))


def test_the_newest_records(run: Run, ledger: Path) -> None:
    ran = run("records", "list", "--data", ledger)
    assert (ran.code, ran.err) == (0, "")
    line = next(line for line in ran.out.splitlines() if "spoke-shop" in line)
    assert line.rstrip().endswith("4 steps Done, 4 withheld")


def test_a_row_has_room_for_more_than_the_id_of_a_subscription() -> None:
    assert where_of(Remainder("11111111-aaaa-4aaa-8aaa-111111111111")) == "subscription 11111111..."


def test_pages_go_on_where_they_ended(run: Run, ledger: Path) -> None:
    first = json.loads(run("records", "list", "--limit", "2", "--format", "json", "--data", ledger).out)
    assert len(first["records"]) == 2
    rest = json.loads(
        run(
            *("records", "list", "--format", "json", "--data", ledger),
            *("--continuation", first["continuation"]),
        ).out
    )
    assert len(rest["records"]) == 13
    assert not {r["id"] for r in rest["records"]} & {r["id"] for r in first["records"]}


@pytest.mark.parametrize(
    ("arguments", "said"), [(("--limit", "0"), "expected 1 or more"), (("--continuation", "x"), "--continuation")]
)
def test_a_page_that_cannot_be(run: Run, ledger: Path, arguments: tuple[str, ...], said: str) -> None:
    ran = run("records", "list", *arguments, "--data", ledger)
    assert (ran.code, ran.out) == (1, "")
    assert said in ran.err


def test_one_record_for_people(run: Run, ledger: Path, repaired: str) -> None:
    ran = run("records", "show", repaired[:10], "--data", ledger)
    assert (ran.code, ran.err) == (0, "")
    for part in (
        f"record {repaired}",
        "woken by somebody asked for a look",
        "spoke-shop/snet-batch subnet-egress Compliant NAT gateway ng-spoke-shop",
        "Done WriteSubnet: attach NAT gateway ng-spoke-shop, set private",
        '- "was": 1 + "is": 2',
        "spoke-shop/snet-orders",
        "waits for approval: class address",
        "chained to",
    ):
        assert part in ran.text


def test_one_record_for_programs(run: Run, ledger: Path, repaired: str) -> None:
    shown = json.loads(run("records", "show", repaired, "--format", "json", "--data", ledger).out)
    assert shown["record"]["id"] == repaired
    last = shown["record"]["outcomes"][-1]
    assert shown["bodies"][last["after"]]["properties"] == {"is": 2}


def test_a_record_that_is_not_there(run: Run, ledger: Path) -> None:
    assert run("records", "show", "nope", "--data", ledger).err == "egress-governor: there is no record nope\n"


def test_a_whole_chain(run: Run, ledger: Path) -> None:
    ran = run("records", "verify", "--data", ledger)
    assert ran.code == 0
    assert "11111111-aaaa-4aaa-8aaa-111111111111 6 whole" in ran.text


def test_a_record_that_somebody_changed(run: Run, ledger: Path, repaired: str) -> None:
    connection = sqlite3.connect(ledger / "ledger.db")
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in tables:
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        if "value" in columns:
            connection.execute(
                f"UPDATE {table} SET value = "
                "CAST(replace(CAST(value AS TEXT), 'default outbound', 'perfectly fine') AS BLOB) "
                f"WHERE CAST(value AS TEXT) LIKE '%\"{repaired}\"%'"
            )
    connection.commit()
    connection.close()
    ran = run("records", "verify", "--data", ledger)
    assert ran.code == 1
    assert repaired[:8] in ran.text or "hash" in ran.text
    assert json.loads(run("records", "verify", "--format", "json", "--data", ledger).out)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE blobs SET body = CAST('{}' AS BLOB)", "was changed afterwards"),
        ("DELETE FROM blobs", "is missing: the record names"),
    ],
)
def test_bodies_that_are_no_proof_any_more(run: Run, ledger: Path, repaired: str, statement: str, said: str) -> None:
    with sqlite3.connect(ledger / "ledger.db") as database:
        database.execute(statement)
    assert said in run("records", "show", repaired, "--data", ledger).text


def test_a_file_that_is_no_ledger(run: Run, tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"this is not a database, whatever its name says" * 100)
    ran = run("records", "list", "--data", tmp_path)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.count("\n") == 1
