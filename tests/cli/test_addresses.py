"""`addresses`: the register, from a file and from the ledger; an allow-list that is not whole says so."""

import asyncio
import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from governor.core.cause import Cause, Source, VirtualNetwork
from governor.core.plan import Plan
from governor.core.record import Record
from governor.core.verdict import Result, Verdict
from governor.local.ledger import SqliteLedger
from governor.ports import Ending, Held
from tests.cli.conftest import Run
from tests.support.clock import FakeClock

GROUP = "/subscriptions/11111111-aaaa-4aaa-8aaa-111111111111/resourceGroups/rg"


def test_the_register_of_a_file(run: Run, contoso: Path) -> None:
    entries = json.loads(run("addresses", "--estate", contoso, "--format", "json").out)
    found = {entry["resource"].rpartition("/")[2]: entry for entry in entries}
    assert found["snet-web"] == {
        "resource": found["snet-web"]["resource"],
        "kind": "subnet",
        "method": "implicit SNAT of load balancer lb-shop",
        "addresses": ["20.50.10.1"],
        "whole": True,
        "policy": None,
        "since": None,
        "record": None,
        "doubt": "",
    }
    assert (found["snet-batch"]["addresses"], found["snet-batch"]["whole"]) == ([], False)
    assert (found["snet-dns"]["method"], found["snet-dns"]["whole"]) == ("no way out", True)
    assert "GatewaySubnet" not in found


def test_an_allow_list_is_addresses_and_nothing_else(run: Run, contoso: Path) -> None:
    ran = run("addresses", "--estate", contoso, "--format", "txt")
    assert ran.out == "20.50.0.9\n20.50.10.1\n20.50.11.1\n20.50.12.1\n"
    assert ran.err == (
        "note: 11 subnets may leave from addresses that are not in this list\n"
        "note: 1 cluster may leave from addresses that are not in this list\n"
    )


def test_spokes_leave_from_the_address_of_their_hubs_nat_gateway(run: Run, contoso: Path, tmp_path: Path) -> None:
    def erp(file: Path) -> tuple[list[str], bool]:
        entries = json.loads(run("addresses", "--estate", file, "--format", "json").out)
        return next((e["addresses"], e["whole"]) for e in entries if e["resource"].endswith("/snet-erp"))

    assert erp(contoso) == (["20.50.0.9"], True)
    rows = json.loads(contoso.read_text())
    hub = next(row for row in rows if row["id"].endswith("/hub-weu"))
    del hub["properties"]["subnets"][0]["properties"]["natGateway"]
    (tmp_path / "without.json").write_text(json.dumps(rows))
    assert erp(tmp_path / "without.json") == (["20.50.0.1"], True)


def test_csv_for_spreadsheets(run: Run, contoso: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(run("addresses", "--estate", contoso, "--format", "csv").out)))
    assert {"method": "NAT gateway ng-pay", "addresses": "20.50.11.1", "whole": "true"}.items() <= next(
        row for row in rows if row["resource"].endswith("snet-jobs")
    ).items()


def test_the_register_of_the_ledger(run: Run, ledger: Path) -> None:
    ran = run("addresses", "--data", ledger)
    assert (ran.code, ran.err) == (0, "")
    assert "spoke-pay/snet-api NAT gateway ng-pay" in ran.text
    assert "hub-weu/snet-dns no policy selects it not known" in ran.text
    assert "GatewaySubnet" not in ran.out


def test_the_register_of_one_policy_and_of_one_cluster(run: Run, ledger: Path) -> None:
    ran = run("addresses", "--data", ledger, "--policy", "nat-gateway-per-vnet", "--format", "json")
    entries = json.loads(ran.out)
    assert entries
    assert {entry["policy"] for entry in entries} == {"nat-gateway-per-vnet"}
    assert all(entry["record"] and entry["since"] for entry in entries)
    (one,) = json.loads(run("addresses", "--data", ledger, "--cluster", "AKS-shop", "--format", "json").out)
    assert (one["kind"], one["resource"].rpartition("/")[2]) == ("cluster", "aks-shop")


@pytest.mark.parametrize("form", ["json", "txt", "csv", "table"])
def test_an_unknown_cluster_is_no_empty_allow_list(run: Run, ledger: Path, contoso: Path, form: str) -> None:
    ran = run("addresses", "--data", ledger, "--cluster", "none", "--format", form)
    assert (ran.code, ran.out) == (1, "")
    assert "--cluster none: no cluster of this name or id is in the register" in ran.err
    ran = run("addresses", "--estate", contoso, "--cluster", "none", "--format", form)
    assert (ran.code, ran.out) == (1, "")


def test_a_policy_that_governs_nothing_is_told(run: Run, ledger: Path) -> None:
    assert "Nothing is governed by a policy nobodys." in run("addresses", "--data", ledger, "--policy", "nobodys").out
    ran = run("addresses", "--data", ledger, "--policy", "nobodys", "--format", "txt")
    assert (ran.code, ran.out) == (0, "")
    assert "note: Nothing is governed by a policy nobodys." in ran.err


def test_what_was_before_and_until_when(run: Run, ledger: Path) -> None:
    asyncio.run(moved(ledger))
    ran = run("addresses", "--data", ledger, "--policy", "tests", "--history")
    assert "spoke-x/app NAT gateway new 20.0.0.2" in ran.text
    assert "until 2026-03-02 12:00:00Z NAT gateway old (record " in ran.text
    assert "20.0.0.1" in ran.text
    assert "These public addresses cost about 3.65 USD a month at list price." in ran.text
    (entry,) = json.loads(run("addresses", "--data", ledger, "--policy", "tests", "--history", "--format", "json").out)
    assert (entry["now"]["addresses"], entry["before"][0]["entry"]["addresses"]) == (["20.0.0.2"], ["20.0.0.1"])


async def moved(folder: Path) -> None:
    """A subnet leaves from one address, and a day later from another."""
    clock = FakeClock(datetime(2026, 3, 1, 12, tzinfo=UTC))
    ledger = SqliteLedger(folder / "ledger.db", clock)
    scope = VirtualNetwork(f"{GROUP}/providers/Microsoft.Network/virtualNetworks/spoke-x")
    for way, address in (("old", "20.0.0.1"), ("new", "20.0.0.2")):
        cause = Cause(Source.MANUAL, clock.now(), scope=scope)
        held = await ledger.claim(cause, scope, "p")
        assert isinstance(held, Held)
        run = await ledger.begin(held, cause, "p", Plan())
        verdict = Verdict(f"{scope.id}/subnets/app", "subnet-egress", Result.COMPLIANT, "tests", f"NAT gateway {way}")
        verdict = replace(verdict, addresses=(address,))
        record = Record(run.id, clock.now(), scope, run.epoch, cause, "p", changes=(verdict,))
        await ledger.end(run, Ending(clock.now(), True, (verdict,), record=record))
        clock.advance(24 * 3600)
    await ledger.close()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--history", "--format", "csv"), "--history is shown with --format table or json, not with csv"),
        (("--estate", "FILE", "--policy", "hub"), "a file knows neither policies nor what was before"),
        (("--estate", "FILE", "--history"), "a file knows neither policies nor what was before"),
    ],
)
def test_what_cannot_be_answered_is_said(run: Run, contoso: Path, options: tuple[str, ...], says: str) -> None:
    ran = run("addresses", *(contoso if one == "FILE" else one for one in options))
    assert (ran.code, ran.out) == (1, "")
    assert says in ran.err


def test_without_file_and_ledger_it_says_what_to_name(run: Run) -> None:
    ran = run("addresses")
    assert (ran.code, ran.out) == (1, "")
    assert "--data DIR" in ran.err
