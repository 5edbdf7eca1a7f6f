"""`approve`, `reject`, `undo`, `pause`, `resume`: the ledger holds the decision, a Cause in the queue points at it."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.small_azure import causes

SHOP = "/virtualNetworks/spoke-shop"
STANDING = ("--standing", "--class", "address", "--policy", "nat-gateway-per-vnet", "--scope")
APPS = "/subscriptions/11111111-aaaa-4aaa-8aaa-111111111111"


@pytest.fixture
def digest(run: Run, ledger: Path) -> str:
    """The digest of the repair that waits for nothing but a person."""
    records = json.loads(run("records", "list", "--format", "json", "--data", ledger).out)["records"]
    offers = [offer for record in records for offer in record.get("withheld", ())]
    return str(
        next(o["remediation"]["digest"] for o in offers if o["remediation"]["resource"].endswith("/snet-orders"))
    )


@pytest.fixture
def repaired(run: Run, ledger: Path) -> str:
    """The id of a Record that wrote something."""
    records = json.loads(run("records", "list", "--format", "json", "--data", ledger).out)["records"]
    return str(next(record["id"] for record in records if record.get("outcomes")))


def test_approve_says_what_will_happen_and_wakes_the_governor(run: Run, ledger: Path, digest: str) -> None:
    ran = run("approve", digest, "--reason", "partners know", "--data", ledger)
    assert (ran.code, ran.err) == (0, "")
    assert ran.text.startswith(f"approved {digest}: spoke-shop/snet-orders attach NAT gateway ng-spoke-shop")
    (cause,) = causes(ledger)
    assert (cause["source"], cause["points_at"]) == ("decision", digest)
    assert str(cause["scope"]).casefold().count(SHOP.casefold())


def test_approve_says_what_else_holds_the_repair_back(run: Run, ledger: Path) -> None:
    records = json.loads(run("records", "list", "--format", "json", "--data", ledger).out)["records"]
    held = [o["remediation"] for record in records for o in record.get("withheld", ())]
    apps = next(one["digest"] for one in held if one["resource"].endswith("/snet-functions"))
    ran = run("approve", apps, "--data", ledger)
    assert "still withheld: hazards not read" in ran.text
    assert "waits for approval" not in ran.text


def test_an_approval_says_that_nothing_is_done_while_everything_is_paused(run: Run, ledger: Path, digest: str) -> None:
    run("pause", "--reason", "a change freeze", "--data", ledger)
    ran = run("approve", digest, "--data", ledger)
    assert (ran.code, ran.err) == (0, "")
    assert "(a change freeze): it is done after `egress-governor resume`, and not before" in ran.text
    assert "paused" in run("approve", *STANDING, APPS, "--until", "2126-12-01", "--data", ledger).text
    assert "paused" not in run("reject", digest, "--data", ledger).text
    run("resume", "--data", ledger)
    assert "paused" not in run("approve", digest, "--data", ledger).text


def test_what_has_no_step_cannot_be_approved(run: Run, ledger: Path) -> None:
    records = json.loads(run("records", "list", "--format", "json", "--data", ledger).out)["records"]
    offers = [offer for record in records for offer in record.get("withheld", ())]
    stuck = next(one for one in offers if not one["remediation"]["steps"])
    ran = run("approve", stuck["remediation"]["digest"], "--data", ledger)
    assert (ran.code, ran.out) == (1, "")
    assert "has no step that an approval could release: " + stuck["reasons"][0]["text"] in ran.err
    assert causes(ledger) == []


def test_the_beginning_of_a_digest_is_enough(run: Run, ledger: Path, digest: str) -> None:
    assert run("approve", digest[:6], "--data", ledger).out.startswith(f"approved {digest}")


def test_the_second_approver_learns_of_the_first(run: Run, ledger: Path, digest: str) -> None:
    run("approve", digest, "--data", ledger)
    ran = run("approve", digest, "--data", ledger)
    assert (ran.code, ran.out) == (1, "")
    assert "decided the same at" in ran.err
    assert "still withheld" not in ran.err
    assert len(causes(ledger)) == 1


def test_who_approved_may_change_his_mind(run: Run, ledger: Path, digest: str) -> None:
    run("approve", digest, "--data", ledger)
    ran = run("reject", digest, "--reason", "not yet", "--data", ledger)
    assert (ran.code, ran.out.split()[0]) == (0, "rejected")


@pytest.mark.parametrize("command", ["approve", "reject"])
def test_a_digest_that_nothing_has(run: Run, ledger: Path, command: str) -> None:
    ran = run(command, "0000000000000000", "--data", ledger)
    assert (ran.code, ran.out) == (1, "")
    assert "nothing with digest 0000000000000000 waits for a decision" in ran.err
    assert causes(ledger) == []


def test_no_digest_at_all(run: Run, ledger: Path) -> None:
    assert "which repair?" in run("approve", "--data", ledger).err


def test_a_standing_approval(run: Run, ledger: Path) -> None:
    ran = run("approve", *STANDING, APPS, "--until", "2126-12-01", "--data", ledger)
    assert (ran.code, ran.err) == (0, "")
    assert "approved until 2126-12-01: repairs of class address by policy nat-gateway-per-vnet" in ran.text
    assert causes(ledger)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*STANDING, APPS), "needs --class, --policy, --scope and --until"),
        (("--policy", "x"), "belong to --standing"),
        ((*STANDING, APPS, "--until", "2001-01-01"), "that day is over"),
        ((*STANDING, APPS, "--until", "9999-12-31"), "no day comes after it"),
        ((*STANDING, "rg-shop", "--until", "2126-01-01"), "expected a resource id"),
        (("--standing", "--class", "quake"), "--class"),
        ((*STANDING[:4], "nobody", "--scope", APPS, "--until", "2126-01-01"), "there is no such policy"),
    ],
)
def test_a_standing_approval_that_makes_no_sense(run: Run, ledger: Path, arguments: tuple[str, ...], said: str) -> None:
    ran = run("approve", *arguments, "--data", ledger)
    assert (ran.code, ran.out) == (1, "")
    assert said in ran.err


def test_undo_asks_for_what_a_record_did(run: Run, ledger: Path, repaired: str) -> None:
    ran = run("undo", repaired[:8], "--days", "3", "--reason", "too early", "--data", ledger)
    assert (ran.code, ran.err) == (0, "")
    assert f"record {repaired} in " in ran.text
    assert "what cannot be taken back now is in the record of the undo, with the reason" in ran.text
    (cause,) = causes(ledger)
    assert (cause["source"], cause["points_at"]) == ("undo", repaired)


def test_an_undo_is_refused_while_everything_is_paused(run: Run, ledger: Path, repaired: str) -> None:
    run("pause", "--reason", "a look", "--data", ledger)
    ran = run("undo", repaired, "--data", ledger)
    assert (ran.code, ran.out) == (1, "")
    assert "(a look), and an undo writes: resume first" in ran.err
    assert causes(ledger) == []


def test_undo_of_nothing(run: Run, ledger: Path) -> None:
    ran = run("undo", "ffffffff", "--data", ledger)
    assert (ran.code, ran.err) == (1, "egress-governor: there is no record ffffffff\n")


def test_pause_and_resume(run: Run, ledger: Path) -> None:
    assert run("pause", "--reason", "a look", "--data", ledger).text.startswith("paused")
    assert causes(ledger) == []
    assert run("resume", "--data", ledger).text.startswith("resumed")
    assert {cause["source"] for cause in causes(ledger)} == {"decision"}


@pytest.mark.parametrize("command", [("approve", "abcd"), ("pause",), ("records", "list")])
def test_a_folder_without_ledger_is_not_made(run: Run, tmp_path: Path, command: tuple[str, ...]) -> None:
    ran = run(*command, "--data", tmp_path / "nowhere")
    assert (ran.code, ran.out) == (1, "")
    assert "there is no ledger in this folder" in ran.err
    assert not (tmp_path / "nowhere").exists()
