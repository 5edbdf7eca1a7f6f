"""`plan` on what Azure exports: what would be done, what is withheld, and every way a file can be wrong."""

import json
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from governor.commands import explain_address, plan_view, planning
from governor.core import ids
from governor.core.circumstances import Circumstances
from governor.core.estate import EVERYTHING, Estate, Reading, add, list_of
from governor.core.policy import Clusters, Mode, Policies, Policy, PublicIps, Select
from governor.core.standing import Standing
from governor.core.verdict import Result
from tests.cli.conftest import Run


def test_it_says_what_would_be_done_and_ends_with_2(run: Run, contoso: Path) -> None:
    ran = run("plan", "--estate", contoso)
    assert (ran.code, ran.err) == (2, "")
    assert "create NAT gateway ng-spoke-shop (StandardV2)" in ran.text
    assert "9 repairs would be made after 8 things they need" in ran.text


def test_json_holds_everything(run: Run, contoso: Path) -> None:
    plan = json.loads(run("plan", "--estate", contoso, "--format", "json").out)
    assert plan["to_do"] is True
    assert plan["networks"] == 15
    repaired = {r["resource"].rpartition("/")[2] for r in plan["remediations"] if r["requirements"]}
    assert repaired == {
        *("snet-batch", "snet-hsm", "snet-reports", "snet-ingest", "snet-query", "snet-plc"),
        *("spoke-bi", "spoke-lake", "rt-bi"),
    }
    withheld = {w["remediation"]["resource"].rpartition("/")[2]: w["reasons"][0]["gate"] for w in plan["withheld"]}
    assert withheld == {
        "aks-shop": "cluster",
        "public": "unsupported",
        "snet-web": "approval",
        "snet-orders": "approval",
        "snet-functions": "occupants",
        "snet-bi": "replace",
        "snet-mail": "shared",
        "snet-scan": "replace",
        "snet-crm": "hub",
        "spoke-crm": "approval",
    }
    assert {(one["requirement"], one["why"]) for one in plan["unrepaired"]} == {
        ("cluster-private-api", "its owner makes it private: --enable-private-cluster, anew unless in a subnet"),
        ("hub-firewall-nat", "it is judged only: its owner mends it"),
        ("ingress-path", "it is judged only: its owner mends it"),
    }


def test_what_several_networks_share_is_made_once(run: Run, contoso: Path) -> None:
    plan = json.loads(run("plan", "--estate", contoso, "--format", "json").out)
    digests = [one["digest"] for one in plan["remediations"]]
    assert len(digests) == len(set(digests))


def test_markdown_goes_into_a_file(run: Run, contoso: Path, tmp_path: Path) -> None:
    ran = run("plan", "--estate", contoso, "--format", "markdown", "--out", tmp_path / "plan.md")
    assert (ran.code, ran.out) == (2, "")
    text = (tmp_path / "plan.md").read_text()
    assert text.startswith("## Egress plan for")
    assert "| spoke-shop/snet-batch | WriteSubnet: attach NAT gateway ng-spoke-shop, set private |" in text


def test_nothing_to_do_is_0(run: Run, contoso: Path, tmp_path: Path) -> None:
    keep = ("/spoke-pay", "/ng-pay", "/pip-ng-pay", "/nic-pay-1", "/rg-network")
    rows = [
        row
        for row in json.loads(contoso.read_text())
        if row["id"].endswith(keep) or row["type"] == "Microsoft.Resources/subscriptions"
    ]
    (tmp_path / "small.json").write_text(json.dumps(rows))
    ran = run("plan", "--estate", tmp_path / "small.json")
    assert (ran.code, ran.text.endswith("Nothing to do.")) == (0, True)


def test_the_ceiling_of_the_deployment_holds_for_a_file_too(
    run: Run, contoso: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EGRESS_GOVERNOR_MODE_CEILING", "audit")
    ran = run("plan", "--estate", contoso)
    assert ran.code == 0
    assert "the deployment is in audit mode" in ran.text


def test_a_ceiling_that_is_none_is_an_error(run: Run, contoso: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EGRESS_GOVERNOR_MODE_CEILING", "bold")
    ran = run("plan", "--estate", contoso)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "egress-governor: EGRESS_GOVERNOR_MODE_CEILING='bold': expected audit, propose, enforce\n"


@pytest.mark.parametrize("form", ["graph", "list", "utf-16", "bom"])
def test_every_form_azure_writes_is_the_same(run: Run, contoso: Path, tmp_path: Path, form: str) -> None:
    rows = json.loads(contoso.read_text())
    text = json.dumps(
        {"graph": {"count": len(rows), "data": rows, "skip_token": None}, "list": {"value": rows}}.get(form, rows)
    )
    encoding = {"utf-16": "utf-16", "bom": "utf-8-sig"}.get(form, "utf-8")
    (tmp_path / "estate.json").write_bytes(text.encode(encoding))
    expected = json.loads(run("plan", "--estate", contoso, "--format", "json").out)
    found = json.loads(run("plan", "--estate", tmp_path / "estate.json", "--format", "json").out)
    assert {k: v for k, v in found.items() if k not in ("source", "observed_at")} == {
        k: v for k, v in expected.items() if k not in ("source", "observed_at")
    }


def test_subnets_beside_their_network_are_in_it(run: Run, contoso: Path, tmp_path: Path) -> None:
    rows = json.loads(contoso.read_text())
    apart = []
    for row in rows:
        if row["type"].endswith("/virtualNetworks"):
            apart += [
                {**one, "type": "Microsoft.Network/virtualNetworks/subnets"} for one in row["properties"].pop("subnets")
            ]
    (tmp_path / "apart.json").write_text(json.dumps([*apart, *rows]))
    plan = json.loads(run("plan", "--estate", tmp_path / "apart.json", "--format", "json").out)
    assert plan["counts"] == json.loads(run("plan", "--estate", contoso, "--format", "json").out)["counts"]


def test_a_list_without_properties_says_so(run: Run, contoso: Path, tmp_path: Path) -> None:
    rows = [{**row, "properties": None} for row in json.loads(contoso.read_text())]
    (tmp_path / "list.json").write_text(json.dumps(rows))
    ran = run("plan", "--estate", tmp_path / "list.json")
    assert (ran.code, ran.out) == (1, "")
    assert "no properties of 15 virtual networks" in ran.err
    assert "`az resource list` leaves them out" in ran.err


@pytest.mark.parametrize(
    ("properties", "said"),
    [({"subnets": 5}, "Expected `array | null`, got `int`"), ({"subnets": [{"id": "x"}]}, "missing required field")],
)
def test_a_network_that_cannot_be_understood_is_not_passed_over(
    run: Run, tmp_path: Path, properties: object, said: str
) -> None:
    path = "/subscriptions/11111111-aaaa-4aaa-8aaa-111111111111/resourceGroups/g/providers/Microsoft.Network"
    body = {"id": f"{path}/virtualNetworks/spoke-1", "name": "spoke-1", "location": "w", "properties": properties}
    (tmp_path / "estate.json").write_text(json.dumps([body]))
    ran = run("plan", "--estate", tmp_path / "estate.json")
    assert "note: virtual network spoke-1 is not judged: its body cannot be understood" in ran.text
    assert said in ran.text
    assert "Nothing to do, as far as was seen." in ran.text


def test_an_answer_that_was_cut_off_releases_nothing(run: Run, contoso: Path, tmp_path: Path) -> None:
    rows = json.loads(contoso.read_text())
    (tmp_path / "cut.json").write_text(json.dumps({"data": rows, "total_records": 5000, "skip_token": "more"}))
    ran = run("plan", "--estate", tmp_path / "cut.json")
    assert f"it was cut off: it holds {len(rows)} of 5000 resources" in ran.text
    plan = json.loads(run("plan", "--estate", tmp_path / "cut.json", "--format", "json").out)
    assert plan["remediations"] == []


def test_what_is_named_and_not_in_the_file_is_unknown(run: Run, contoso: Path, tmp_path: Path) -> None:
    rows = [row for row in json.loads(contoso.read_text()) if not row["id"].endswith("/ng-pay")]
    (tmp_path / "part.json").write_text(json.dumps(rows))
    plan = json.loads(run("plan", "--estate", tmp_path / "part.json", "--format", "json").out)
    assert {v["resource"].rpartition("/")[2] for v in plan["unknown"]} == {"snet-api", "snet-jobs"}
    assert all("ng-pay: the file does not hold it" in v["seen"] for v in plan["unknown"])


def test_names_that_resource_graph_knows_count(run: Run, contoso: Path, tmp_path: Path) -> None:
    rows = json.loads(contoso.read_text())
    for row in rows:
        if row["type"] == "Microsoft.Resources/subscriptions":
            chain = [{"name": "corp", "displayName": "Corp"}, {"name": "root"}]
            row.update(name=row.pop("displayName"), properties={"managementGroupAncestorsChain": chain})
    (tmp_path / "graph.json").write_text(json.dumps(rows))
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "corp.yaml").write_text(
        "name: corp\nselect: {managementGroups: [corp], subscriptions: [contoso-apps]}\negress: {natGateway: {}}\n"
    )
    plan = json.loads(run("plan", "--estate", tmp_path / "graph.json", "--policies", folder, "--format", "json").out)
    assert plan["unknown"] == []
    assert plan["counts"]["Ungoverned"] == 10  # those of the other subscriptions that are not Azure's own


@pytest.mark.parametrize(("without", "unknown"), [("nothing", False), ("/corp", True)])
def test_management_groups_of_a_file_count_where_all_of_them_stand_in_it(
    run: Run, contoso: Path, tmp_path: Path, without: str, unknown: bool
) -> None:
    rows = [row for row in json.loads(contoso.read_text()) if not row["id"].endswith(without)]
    (tmp_path / "estate.json").write_text(json.dumps(rows))
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "corp.yaml").write_text("name: corp\nselect: {managementGroups: [corp]}\negress: {natGateway: {}}\n")
    plan = json.loads(run("plan", "--estate", tmp_path / "estate.json", "--policies", folder, "--format", "json").out)
    judged = {v["resource"].split("/")[-3] for v in plan["unknown"]}
    assert ("spoke-erp" in judged, "hub-weu" in judged) == (unknown, False)
    held = {w["remediation"]["resource"].rpartition("/")[2] for w in plan["withheld"]}
    assert ("snet-query" in held) is not unknown


def test_what_a_gateway_has_learned_stands_in_no_export(run: Run, contoso: Path, tmp_path: Path) -> None:
    rows = json.loads(contoso.read_text())
    del next(row for row in rows if row["id"].endswith("/vgw-neu"))["simulator"]
    (tmp_path / "export.json").write_text(json.dumps(rows))
    plan = json.loads(run("plan", "--estate", tmp_path / "export.json", "--format", "json").out)
    assert {v["resource"].rpartition("/")[2] for v in plan["unknown"]} == {"snet-plc"}
    assert "no export says what gateway vgw-neu has learned" in plan["unknown"][0]["seen"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("hello", "estate.json:1:1: not JSON: JSON is malformed"),
        ('[\n  {"id": "/subscriptions/a"},\n  {"id": oops}\n]', "estate.json:3:10: not JSON"),
        ('[{"id": "/subscriptions/a"', "estate.json:1:27: not JSON: Input data was truncated"),
        ("42", "estate.json: not an export of Azure"),
        ("[" * 200_000, "estate.json: not an export of Azure: it is nested too deeply"),
        ('{"hello": 1}', "estate.json: an object without `data`, `value` or `id`"),
        (
            '[\n{"id": "/subscriptions/a"},\n{"name": "x"}]',
            "estate.json:3:1: entry 1: Object missing required field `id`",
        ),
        ('[{"id": "vnet"}]', "estate.json:1:2: entry 0: 'vnet' is not a resource id"),
        ("[]", "estate.json: it holds no virtual network"),
        ("", "estate.json:1:1: not JSON"),
    ],
)
def test_a_file_that_is_no_estate_is_one_clear_line(run: Run, tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "estate.json").write_text(content)
    ran = run("plan", "--estate", tmp_path / "estate.json")
    assert (ran.code, ran.out) == (1, "")
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_a_file_that_is_not_there(run: Run) -> None:
    ran = run("plan", "--estate", "nowhere.json")
    assert (ran.code, ran.err) == (1, "egress-governor: nowhere.json: cannot be read: No such file or directory\n")


def test_a_policy_with_a_typo_names_file_and_line(run: Run, contoso: Path, tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "spokes.yaml").write_text("name: spokes\nmode: enforec\n")
    ran = run("plan", "--estate", contoso, "--policies", folder)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("egress-governor: spokes.yaml:2: mode:")


@pytest.mark.parametrize("arguments", [(), ("--estate", "a.json", "--scope", "/subscriptions/a")])
def test_exactly_one_source(run: Run, arguments: tuple[str, ...]) -> None:
    ran = run("plan", *arguments)
    assert (ran.code, ran.err) == (1, "egress-governor: plan needs either --estate FILE or --scope ID...\n")


def test_a_scope_that_is_none(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        monkeypatch.setenv("EGRESS_GOVERNOR_ARM_ENDPOINT", f"http://127.0.0.1:{listener.getsockname()[1]}")
        ran = run("plan", "--scope", "/subscriptions/11111111-aaaa-4aaa-8aaa-111111111111/resourceGroups/rg")
    assert ran.code == 1
    assert "expected a subscription, a virtual network, a subnet, a cluster or a management group" in ran.err


def test_an_endpoint_that_does_not_answer(run: Run, monkeypatch: pytest.MonkeyPatch, unused_port: int) -> None:
    monkeypatch.setenv("EGRESS_GOVERNOR_ARM_ENDPOINT", f"http://127.0.0.1:{unused_port}")
    network = "/subscriptions/a/resourceGroups/b/providers/Microsoft.Network/virtualNetworks/c"
    ran = run("plan", "--scope", network)
    assert (ran.code, ran.out) == (1, "")
    assert f"127.0.0.1:{unused_port}" in ran.err
    assert ran.err.count("\n") == 1


def test_the_recorded_estate_is_unknown_where_facts_are_missing(run: Run, shared: Path) -> None:
    ran = run("plan", "--estate", shared / "samples" / "estate_recorded.json")
    assert (ran.code, ran.err) == (0, "")
    assert "not read: tags.egress" in ran.text


def test_what_goes_to_azure_policy_is_told_once_and_what_cannot_be_told_with_its_reason() -> None:
    subscription, at = "00000000-0000-0000-0000-00000000000a", datetime(2026, 1, 6, 12, tzinfo=UTC)
    lists = (list_of(f"policy{what}", f"/subscriptions/{subscription}") for what in ("Assignments", "Definitions"))
    exemptions = list_of("policyExemptions", f"/subscriptions/{subscription}")
    estate = add(Estate(at, remainders=(subscription,)), Reading((), listed=(EVERYTHING, *lists, exemptions)))
    wanted = Policy(
        name="here",
        mode=Mode.ENFORCE,
        select=Select(virtual_networks=("spoke-*",)),
        public_ips=PublicIps(at_request_time="deny"),
        clusters=Clusters(internal_load_balancers="deny"),
    )
    answer = planning.Answer("a test", at, Mode.ENFORCE, 1)
    planning.add(answer, estate, Standing(), Policies((wanted,)))
    # `explain` of the subscription, of an assignment, and of what it assigns tells the same.
    around = Circumstances(estate, Standing(), Policies((wanted,)), Mode.ENFORCE)
    whole = explain_address.own(f"/subscriptions/{subscription}", around)
    assert {one.digest for one in whole.repairs} == set(answer.released)
    assert [v for v in whole.verdicts if v.result is Result.NOT_APPLICABLE] == answer.untold
    for one in answer.remediations:
        for kept in (one.resource, one.resource.replace("policyAssignments", "policyDefinitions")):
            assert explain_address.own(kept, around).repairs == [one]
    assert {ids.name(one.resource).split("-")[1] for one in answer.remediations} == {"interface", "scaleset"}
    assert answer.unrepaired == []
    console = Console(width=240, record=True)
    plan_view.show(answer, console)
    text = console.export_text()
    assert "Asked for, and Azure Policy cannot be told (2)" in text
    assert "(network interfaces have no public address), not enforced" in text
    assert "the built-in policy holds for every cluster of a subscription, and the policy selects within it" in text
