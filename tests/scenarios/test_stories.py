"""Three who make clusters, as docs/stories tells of them: each ends with an address to allow, and one notice."""

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from governor import decisions
from governor.cli import main
from governor.commands import estate_file, explain_view, explaining, words
from governor.core import ids
from governor.core.policy import Approvals, Mode, Policies, Select
from governor.core.standing import Ruling
from governor.core.verdict import Result
from tests.scenarios.cluster_world import AKS_API, body, cluster, create, type_of, verdicts
from tests.scenarios.hub_world import HOP, hops, spoke, table, tables, with_hub
from tests.scenarios.story_page import Page
from tests.scenarios.test_clusters import hub_policy
from tests.scenarios.world import SUB, World, nat_policy, subnet, vnet, vnet_body

NODES = subnet("spoke-1", "nodes")
DAY = 25 * 3600


class Reader:
    """Somebody who is subscribed to the notices, and reads those that come from now on."""

    def __init__(self, world: World) -> None:
        self._world, self._read = world, len(world.notices())

    def text(self) -> str:
        """The one notice that has come since."""
        (event,) = self._world.notices()[self._read :]
        return str(event["data"]["text"])


def ready(folder: Path, policies: Policies) -> World:
    """A network that has been governed for a while, whose subnet nobody lives in."""
    world = World(folder, *policies.policies, told=True)
    world.put_now(vnet("spoke-1"), vnet_body(("nodes", "10.0.1.0/24")))
    return world


def for_aks(world: World, subnet_id: str) -> str:
    """What `explain SUBNET --for-aks` says of an export of all that there is."""
    path = world.folder / "export.json"
    path.write_text(json.dumps({"data": world.arm.export()}))
    said = explaining.in_file(subnet_id, estate_file.read(path), world.rules.policies)
    out = io.StringIO()
    explain_view.show(said, Console(file=out, width=400, no_color=True), for_aks=True)
    return out.getvalue()


def flag(output: str, name: str) -> str:
    """The value of a flag in a command that somebody copies."""
    return output.partition(f"{name} ")[2].split()[0]


async def allow_list(world: World, capsys: pytest.CaptureFixture[str]) -> str:
    """What the cluster leaves from, as whoever keeps an allow-list asks for it."""
    capsys.readouterr()
    asked = ["addresses", "--cluster", "k1", "--format", "txt", "--data", str(world.folder)]
    assert await asyncio.to_thread(main, asked) == 0
    return capsys.readouterr().out


async def why(world: World) -> tuple[str, str]:
    """Why the repair of the cluster waits, and its digest."""
    offers = [one.withheld for one in await world.ports.ledger.offered()]
    (held,) = [w for w in offers if ids.same(w.remediation.resource, cluster()) and w.remediation.steps]
    return "; ".join(reason.text for reason in held.reasons), held.remediation.digest


async def approve(world: World, digest: str) -> None:
    """Somebody approves, once."""
    await decisions.rule(digest, Ruling.APPROVE, ("ann", "its owners know"), world.ports, world.rules.policies)
    await world.quiet()


async def denied_at_request(world: World) -> None:
    """The governor has made its Azure Policy, Azure has counted what that would refuse, and somebody has approved."""
    await world.sweep(SUB)
    world.clock.advance(DAY)
    await world.sweep(SUB)
    offers = [one.withheld for one in await world.ports.ledger.offered()]
    (denial,) = [w for w in offers if "cluster-denied-at-request" in w.remediation.requirements]
    await approve(world, denial.remediation.digest)
    world.clock.advance(600)


async def is_compliant(world: World) -> bool:
    return (await verdicts(world))["cluster-outbound-type"][0] is Result.COMPLIANT


def asked_for(world: World, outbound: str = "") -> Any:
    """The answer to `az aks create`."""
    return world.ask("PUT", cluster(), body(NODES, outbound=outbound), AKS_API)


@pytest.fixture(autouse=True)
def _deployed(monkeypatch: pytest.MonkeyPatch, checkout: Path) -> None:
    monkeypatch.setenv("EGRESS_GOVERNOR_POLICIES", str(checkout / "policies"))


async def test_story_a_who_asks_first_makes_a_cluster_that_complies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = Page("a-you-ask-first.md")
    world = ready(tmp_path, page.policies(tmp_path / "policies"))
    # The subnet was made a moment ago: it is not ready, and what is missing is said.
    assert "not yet, first: " in for_aks(world, NODES)
    await world.quiet()
    world.clock.advance(600)
    said = for_aks(world, NODES)
    page.says(said)
    reader, written = Reader(world), world.writes()
    assert asked_for(world, flag(said, "--outbound-type")).status == 201
    await world.quiet()
    assert await is_compliant(world)
    assert world.writes() == written
    page.says(reader.text())
    page.says(await allow_list(world, capsys))
    page.is_told()


async def test_story_b_who_says_nothing_is_told_the_value_to_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = Page("b-you-are-told-at-once.md")
    world = ready(tmp_path, page.policies(tmp_path / "policies"))
    await world.quiet()
    world.clock.advance(600)
    by_aks = asked_for(world)
    await denied_at_request(world)
    reader, written = Reader(world), world.writes()
    by_policy = asked_for(world)
    assert (by_policy.status, by_aks.status) == (403, 400)
    page.says(by_policy.body.decode())
    page.says(by_aks.body.decode())
    assert asked_for(world, "userAssignedNATGateway").status == 201
    await world.quiet()
    assert await is_compliant(world)
    assert world.writes() == written
    page.says(reader.text())
    page.says(await allow_list(world, capsys))
    page.is_told()


async def test_story_c_a_cluster_behind_the_hub_is_repaired_with_one_approval(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = Page("c-it-is-repaired.md")
    world = with_hub(tmp_path, *page.policies(tmp_path / "policies").policies, told=True)
    world.put_now(vnet("spoke-1"), spoke(1, "nodes"))
    world.clock.advance(600)
    reader = Reader(world)
    create(world, NODES)
    await world.quiet()
    reason, digest = await why(world)
    page.says(reason)
    assert type_of(world) == "loadBalancer"
    assert not any("/subnets/" in write or "/managedClusters/" in write for write in world.writes())
    await approve(world, digest)
    assert hops(world, table(1))["0.0.0.0/0"] == HOP
    assert ids.same(tables(world, 1)["nodes"] or "", table(1))
    assert await is_compliant(world)
    (record,) = [r for r in await world.records() if digest in {outcome.remediation for outcome in r.outcomes}]
    page.says("\n".join(f"{outcome.became.value} {words.does(outcome.step)}" for outcome in record.outcomes))
    page.says(reader.text())
    assert reader.text().endswith(f"by spokes-hub, record {record.id}")
    page.says(await allow_list(world, capsys))
    page.is_told()


async def test_story_c_in_a_network_of_azures_the_type_alone_changes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = Page("c-it-is-repaired.md", "You name no network, and the way out is a NAT gateway")
    world = World(tmp_path, nat_policy(occupied=Mode.ENFORCE, select=Select()), told=True)
    reader = Reader(world)
    create(world)
    await world.quiet()
    reason, digest = await why(world)
    page.says(reason)
    assert world.writes() == []
    await approve(world, digest)
    assert type_of(world) == "managedNATGateway"
    assert await is_compliant(world)
    page.says(reader.text())
    assert (await allow_list(world, capsys)).strip() in reader.text()
    page.is_told()


async def test_story_c_what_azure_does_not_allow_is_refused_with_the_way_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = Page("c-it-is-repaired.md", "You name no network, and the way out is the hub")
    world = with_hub(tmp_path, hub_policy(select=Select(), approvals=Approvals()), told=True)
    create(world)
    await world.quiet()
    reason, _ = await why(world)
    page.says(reason)
    assert type_of(world) == "loadBalancer"
    assert not any("managedClusters" in write or "/MC_" in write for write in world.writes())
    assert world.notices() == []
    page.says(await allow_list(world, capsys))
    page.is_told()
