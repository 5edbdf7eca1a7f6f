"""`addresses`: the register, from a file and from the ledger; an allow-list that is not whole says so."""

import csv
import io
import json
from pathlib import Path

from tests.cli.conftest import Run


def test_the_register_of_a_file(run: Run, contoso: Path) -> None:
    entries = json.loads(run("addresses", "--estate", contoso, "--format", "json").out)
    found = {entry["subnet"].rpartition("/")[2]: entry for entry in entries}
    assert found["snet-web"] == {
        "subnet": found["snet-web"]["subnet"],
        "method": "implicit SNAT of load balancer lb-shop",
        "addresses": ["20.50.10.1"],
        "whole": True,
    }
    assert (found["snet-batch"]["addresses"], found["snet-batch"]["whole"]) == ([], False)
    assert (found["snet-dns"]["method"], found["snet-dns"]["whole"]) == ("no way out", True)
    assert "GatewaySubnet" not in found


def test_an_allow_list_is_addresses_and_nothing_else(run: Run, contoso: Path) -> None:
    ran = run("addresses", "--estate", contoso, "--format", "txt")
    assert ran.out == "20.50.0.9\n20.50.10.1\n20.50.11.1\n20.50.12.1\n"
    assert ran.err == "note: 11 subnets may leave from addresses that are not in this list\n"


def test_spokes_leave_from_the_address_of_their_hubs_nat_gateway(run: Run, contoso: Path, tmp_path: Path) -> None:
    def erp(file: Path) -> tuple[list[str], bool]:
        entries = json.loads(run("addresses", "--estate", file, "--format", "json").out)
        return next((e["addresses"], e["whole"]) for e in entries if e["subnet"].endswith("/snet-erp"))

    assert erp(contoso) == (["20.50.0.9"], True)
    rows = json.loads(contoso.read_text())
    hub = next(row for row in rows if row["id"].endswith("/hub-weu"))
    del hub["properties"]["subnets"][0]["properties"]["natGateway"]
    (tmp_path / "without.json").write_text(json.dumps(rows))
    assert erp(tmp_path / "without.json") == (["20.50.0.1"], True)


def test_csv_for_spreadsheets(run: Run, contoso: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(run("addresses", "--estate", contoso, "--format", "csv").out)))
    assert {"method": "NAT gateway ng-pay", "addresses": "20.50.11.1", "whole": "true"}.items() <= next(
        row for row in rows if row["subnet"].endswith("snet-jobs")
    ).items()


def test_the_register_of_the_ledger(run: Run, ledger: Path) -> None:
    ran = run("addresses", "--data", ledger)
    assert (ran.code, ran.err) == (0, "")
    assert "spoke-pay/snet-api NAT gateway ng-pay" in ran.text
    assert "hub-weu/snet-dns no policy selects it not known" in ran.text
    assert "GatewaySubnet" not in ran.out


def test_without_file_and_ledger_it_says_what_to_name(run: Run) -> None:
    ran = run("addresses")
    assert (ran.code, ran.out) == (1, "")
    assert "--data DIR" in ran.err
