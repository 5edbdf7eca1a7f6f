"""`notices list`: what waits to be told."""

import json
from pathlib import Path

from tests.cli.conftest import Run


def test_notices_that_wait_say_what_to_allow(run: Run, ledger: Path) -> None:
    ran = run("notices", "list", "--data", ledger)
    assert (ran.code, ran.err) == (0, "")
    assert (
        "  subnet spoke-pay/snet-api leaves from 20.50.11.1; allow 20.50.11.1 where its addresses are listed\n"
        in ran.out
    )
    found = json.loads(run("notices", "list", "--data", ledger, "--format", "json").out)
    assert {notice["what"]["type"] for notice in found} == {"AddressesChanged"}
    assert [notice["time"] for notice in found] == sorted(notice["time"] for notice in found)


def test_there_may_be_none(run: Run, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    assert run("notices", "list", "--data", tmp_path / "new").text == "No notice waits."
