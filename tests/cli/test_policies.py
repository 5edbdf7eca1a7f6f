"""`policies check | test | schema`: every error with its place, and a difference that can be read."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

POLICY = "name: spokes\nmode: enforce\nselect: {virtualNetworks: ['spoke-*']}\negress: {natGateway: {}}\n"
CASE = """
- name: an empty subnet is repaired
  estate: {include: estate.json}
  expect:
    - {resource: ".../snet-batch", policy: %s, requirement: subnet-egress, verdict: %s}
  plan: %s
  after: %s
"""


def _folder(tmp_path: Path, contoso: Path, case: str = "") -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    rows = [
        row
        for row in json.loads(contoso.read_text())
        if row["id"].endswith(("/spoke-shop", "/rg-network")) or row["type"].endswith("/subscriptions")
    ]
    (folder / "estate.json").write_text(json.dumps(rows))
    (folder / "spokes.yaml").write_text(POLICY)
    (folder / "spokes.cases.yaml").write_text(case)
    return folder


def test_the_policies_of_the_project_are_right(run: Run, checkout: Path) -> None:
    ran = run("policies", "check", checkout / "policies")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("OK ")


def test_the_cases_of_the_project_hold(run: Run, checkout: Path) -> None:
    ran = run("policies", "test", checkout / "policies")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.rstrip().endswith(", 0 failed")


def test_the_folder_of_the_deployment_is_the_default(run: Run) -> None:
    assert run("policies", "check").code == 0


def test_all_errors_at_once_with_file_and_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("name: a\npriority: high\n")
    (tmp_path / "b.yaml").write_text("name: b\n\nmood: good\n")
    ran = run("policies", "check", tmp_path)
    assert (ran.code, ran.out) == (1, "")
    lines = ran.err.splitlines()
    assert [line.split(": ")[1] for line in lines] == ["a.yaml:2", "b.yaml:3"]
    assert "mood" in lines[1]


TEMPLATES = [
    ("egress: {natGateway: {name: ng-one}}", True),
    ("egress: {natGateway: {name: 'ng-{subnet}'}}", True),
    ("egress: {natGateway: {name: 'ng-{virtualNetwork}'}}", False),
    ("egress: {natGateway: {name: ng-one, resourceGroup: '{resourceGroup}'}}", False),
    ("egress: {hub: {nextHop: {westeurope: 10.0.1.4}, routeTable: {name: rt-one}}}", True),
    ("egress: {hub: {nextHop: {westeurope: 10.0.1.4}}}", False),
    ("egress: {natGateway: {name: ng-one}}\nselect: {virtualNetworks: [spoke-1]}", False),
    ("egress: {natGateway: {name: ng-one}}\nselect: {virtualNetworks: ['spoke-*']}", True),
]


@pytest.mark.parametrize(("text", "told"), TEMPLATES)
def test_a_name_that_several_networks_would_share_is_told(run: Run, tmp_path: Path, text: str, told: bool) -> None:
    (tmp_path / "a.yaml").write_text(f"name: a\n{text}\n")
    ran = run("policies", "check", tmp_path)
    assert (ran.code, ran.err) == (0, "")
    assert ("the first one gets it, and the others are withheld" in ran.text) is told


def test_a_folder_that_is_not_there(run: Run) -> None:
    ran = run("policies", "check", "nowhere")
    assert (ran.code, ran.out) == (1, "")
    assert "nowhere" in ran.err


def test_a_case_that_holds(run: Run, tmp_path: Path, contoso: Path) -> None:
    steps = "[CreateResourceGroup, CreatePublicIp, CreateNatGateway, WriteSubnet]"
    folder = _folder(tmp_path, contoso, CASE % ("spokes", "Violation", steps, "compliant"))
    ran = run("policies", "test", folder)
    assert (ran.code, ran.out) == (0, "ok   an empty subnet is repaired\n1 case, 0 failed\n")


def test_a_case_that_fails_shows_expected_and_found(run: Run, tmp_path: Path, contoso: Path) -> None:
    folder = _folder(tmp_path, contoso, CASE % ("others", "Compliant", "[WriteSubnet]", "withheld"))
    ran = run("policies", "test", folder)
    assert ran.code == 1
    assert "FAIL an empty subnet is repaired (spokes.cases.yaml:2)" in ran.text
    assert "expected Compliant by others found Violation by spokes: default outbound access" in ran.text
    assert (
        "plan expected WriteSubnet found CreateResourceGroup, CreatePublicIp, CreateNatGateway, WriteSubnet" in ran.text
    )
    assert ran.text.endswith("1 case, 1 failed")


def test_a_case_about_something_that_is_not_there(run: Run, tmp_path: Path, contoso: Path) -> None:
    case = CASE.replace("snet-batch", "snet-nope") % ("spokes", "Violation", "[]", "compliant")
    ran = run("policies", "test", _folder(tmp_path, contoso, case))
    assert ran.code == 1
    assert "no verdict of this requirement on such a resource" in ran.text


def test_a_folder_without_cases_is_an_error(run: Run, tmp_path: Path, contoso: Path) -> None:
    folder = _folder(tmp_path, contoso)
    (folder / "spokes.cases.yaml").unlink()
    ran = run("policies", "test", folder)
    assert (ran.code, ran.out) == (1, "")
    assert "there is no case (*.cases.yaml)" in ran.err


def test_the_schema_is_the_committed_one(run: Run, checkout: Path) -> None:
    ran = run("policies", "schema")
    assert ran.code == 0
    assert json.loads(ran.out) == json.loads((checkout / "policies" / "schema.json").read_text())


SPOKES = """
name: spokes
mode: enforce
select: {managementGroups: [corp], virtualNetworks: ["spoke-*"]}
egress: {natGateway: {}}
publicIps: {atRequestTime: deny, allow: [{names: ["edge-*"]}]}
clusters: {atRequestTime: audit}
"""


def test_what_is_denied_at_the_request_is_written_with_what_cannot_be_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "spokes.yaml").write_text(SPOKES)
    ran = run("policies", "export", "azure-policy", tmp_path)
    assert ran.code == 0
    made = json.loads(ran.out)
    assert [one["properties"]["parameters"]["effect"]["value"] for one in made["assignments"]] == [
        "Deny",
        "Deny",
        "Deny",
        "Deny",
        "Audit",
    ]
    said = [one["properties"]["nonComplianceMessages"][0]["message"] for one in made["assignments"]]
    assert said[0].endswith("leave publicIPAddress out of its ip configurations, or take an address named edge-*.")
    assert said[-1].endswith("use --outbound-type userAssignedNATGateway (networkProfile.outboundType).")
    assert {one["properties"]["enforcementMode"] for one in made["assignments"]} == {"DoNotEnforce"}
    assert [one["what"] for one in made["untold"]] == ["load balancers have no public frontend"]
    assert ran.err.splitlines() == [
        "5 assignments, 1 rule that Azure Policy cannot be told",
        "spokes: load balancers have no public frontend: virtual networks: those behind it are not in its request",
    ]
    enforced = json.loads(run("policies", "export", "azure-policy", tmp_path, "--enforce").out)
    assert {one["properties"]["enforcementMode"] for one in enforced["assignments"]} == {"Default"}


def test_companions_are_written_when_they_are_asked_for(run: Run, tmp_path: Path) -> None:
    (tmp_path / "spokes.yaml").write_text(SPOKES)
    file = tmp_path / "out.json"
    ran = run("policies", "export", "azure-policy", tmp_path, "--modify", "--out", file)
    assert (ran.code, ran.out) == (0, "")
    made = json.loads(file.read_text())
    assert len(made["definitions"]) == len(made["assignments"]) + 1
    assert made["definitions"][-1]["properties"]["policyRule"]["then"]["details"]["operations"]


def test_policies_without_a_scope_need_one(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("name: a\nmode: enforce\negress: {natGateway: {}}\n")
    ran = run("policies", "export", "azure-policy", tmp_path)
    assert (ran.code, json.loads(ran.out)["assignments"]) == (1, [])
    assert ran.err.splitlines() == [
        "nothing is assigned: 2 rules, none of which Azure Policy can be told",
        "a: 2 rules: it names no management group and no subscription: give one with --scope ID",
    ]
    group = "/providers/Microsoft.Management/managementGroups/corp"
    made = json.loads(run("policies", "export", "azure-policy", tmp_path, "--scope", group).out)
    assert all(one["id"].startswith(group) for one in made["assignments"])
    assert len(made["assignments"]) == 2
    (tmp_path / "a.yaml").write_text("name: a\nmode: audit\negress: {natGateway: {}}\n")
    ran = run("policies", "export", "azure-policy", tmp_path, "--scope", group)
    assert ran.code == 0
    assert ran.err.startswith("nothing is assigned: no policy in mode propose or enforce asks for it (publicIps.at")


def test_wrong_scopes_and_files_are_told(run: Run, tmp_path: Path) -> None:
    ran = run("policies", "export", "azure-policy", "--scope", "corp")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("egress-governor: --scope corp: expected an id that starts with /subscriptions/")
    ran = run("policies", "export", "azure-policy", "--out", tmp_path / "none" / "x.json")
    assert ran.code == 1
    assert "cannot be written" in ran.err
