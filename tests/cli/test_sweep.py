"""`sweep` as a person has it, against a simulator: what it says before it writes, and afterwards."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from governor.commands import children
from tests.cli.conftest import Run

DATA = "33333333-cccc-4ccc-8ccc-333333333333"


@pytest.fixture
def azure(contoso: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The sample estate in a simulator, and the settings that lead there; the ledger's folder comes out."""
    options = ["--estate", str(contoso), "--port", "0", "--data", str(tmp_path), "--latency", "none"]
    child = children.start("simulator", options, {}, tmp_path)
    try:
        monkeypatch.setenv("EGRESS_GOVERNOR_ARM_ENDPOINT", children.address(child, "--port", 0))
        monkeypatch.setenv("EGRESS_GOVERNOR_CA_BUNDLE", str(tmp_path / "ca.pem"))
        yield tmp_path / "ledger"
    finally:
        children.stop([child])


def test_it_says_what_it_is_about_to_do_and_writes_nothing_without_being_told(
    run: Run, azure: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EGRESS_GOVERNOR_MODE_CEILING", "enforce")
    ran = run("sweep", "--scope", "all", "--data", azure)
    assert ran.code == 1
    assert "tenant 5e000000-0000-4000-8000-000000000001, 3 subscriptions, mode ceiling enforce" in ran.text
    assert ran.err == (
        "egress-governor: this may write (ceiling enforce), and there is no terminal to ask at: say --yes\n"
    )


def test_a_management_group_is_swept(run: Run, azure: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EGRESS_GOVERNOR_MODE_CEILING", "enforce")
    ran = run("sweep", "--scope", "corp-data", "--yes", "--data", azure)
    assert ran.code == 0
    assert "Seen: 1 subscription, 7 virtual networks, 9 subnets" in ran.text
    assert "spoke-lake create route table rt-spoke-lake with 4 routes" in ran.text.replace(
        "create resource group rg-egress-westeurope in westeurope ", ""
    )
    assert "spoke-scan/snet-scan - route table rt-scan has" in ran.text
    assert "governed spoke-lake:" in ran.err


def test_a_plan_of_a_management_group_is_what_a_sweep_would_do(
    run: Run, azure: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EGRESS_GOVERNOR_MODE_CEILING", "enforce")
    plan = json.loads(run("plan", "--scope", "corp-data", "--format", "json").out)
    assert (plan["networks"], plan["notes"], plan["unknown"]) == (7, [], [])
    planned = {r["digest"] for r in plan["remediations"] if r["requirements"]}
    assert planned
    swept = json.loads(run("sweep", "--scope", "corp-data", "--yes", "--format", "json", "--data", azure).out)
    withheld = {held["remediation"]["digest"] for held in swept["withheld"]}
    assert withheld == {w["remediation"]["digest"] for w in plan["withheld"]}
    assert {one["where"] for one in swept["repaired"]} == {"spoke-bi", "spoke-erp", "spoke-factory", "spoke-lake"}


def test_programs_get_json(run: Run, azure: Path) -> None:
    ran = run("sweep", "--scope", DATA, "--format", "json", "--data", azure)
    assert ran.code == 0
    told = json.loads(ran.out)
    assert (told["ceiling"], told["subscriptions"], told["networks"], told["repaired"]) == ("audit", 1, 7, [])
    assert told["before"] == told["after"]
    assert {held["where"] for held in told["withheld"]} >= {"spoke-lake", "spoke-lake/snet-ingest", "spoke-bi"}
