"""What the governor did can be taken back, and is then left alone for a while."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from governor import decisions
from governor.core.cause import Source
from governor.core.plan import Gate
from governor.core.policy import Mode
from governor.core.record import Became, Record
from governor.core.step import DeleteNatGateway, WriteSubnet
from tests.scenarios.test_waiting import machine
from tests.scenarios.world import World, gateway, nat_policy, subnet, vnet, vnet_body


async def repaired(tmp_path: Path) -> tuple[World, Record]:
    world = World(tmp_path)
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24"), ("db", "10.0.2.0/24")))
    await world.quiet()
    (record,) = [r for r in await world.records() if r.outcomes]
    return world, record


async def test_undo_restores_the_subnets_and_leaves_them_alone(tmp_path: Path) -> None:
    world, record = await repaired(tmp_path)
    world.clock.advance(600)
    await decisions.undo(record.id, 7, ("ann", "breaks our build"), world.ports)
    await world.quiet()
    assert world.attached("spoke-1") == {"app": None, "db": None}
    assert "defaultOutboundAccess" not in world.get(subnet("spoke-1", "app"))["properties"]
    assert not world.exists(gateway("spoke-1"))
    undone = next(r for r in reversed(await world.records()) if r.outcomes)
    assert [type(o.step) for o in undone.outcomes] == [WriteSubnet, WriteSubnet, DeleteNatGateway]
    assert all(o.became is Became.DONE for o in undone.outcomes)
    # Looking again repairs nothing before the seven days are over, and says why.
    await world.govern_once(vnet("spoke-1"))
    assert world.attached("spoke-1") == {"app": None, "db": None}
    (offer, *_) = [o for o in await world.ports.ledger.offered() if o.withheld.remediation.requirements]
    assert Gate.UNDO in {r.gate for r in offer.withheld.reasons}
    world.clock.advance(8 * 24 * 3600)
    await world.govern_once(vnet("spoke-1"))
    await world.quiet()
    assert world.all_attached(["spoke-1"])


async def test_undo_never_takes_the_last_way_out_of_a_machine_away(tmp_path: Path) -> None:
    world = World(tmp_path, nat_policy(occupied=Mode.ENFORCE))
    body = vnet_body()
    body["properties"]["subnets"] = [
        {"name": "vms", "properties": {"addressPrefix": "10.0.1.0/24", "defaultOutboundAccess": False}}
    ]
    world.put_now(vnet("spoke-1"), body)
    await world.quiet()
    (record,) = [r for r in await world.records() if r.outcomes]
    machine(world, "web", subnet("spoke-1", "vms"))
    await decisions.undo(record.id, 7, ("ann", ""), world.ports)
    await world.quiet()
    assert world.attached("spoke-1") == {"vms": "ng-spoke-1"}
    asked = next(r for r in reversed(await world.records()) if r.cause.source is Source.UNDO)
    assert "last way out" in str(asked.withheld)


async def test_undo_of_what_wrote_nothing_or_is_unknown_is_refused(tmp_path: Path) -> None:
    world, _ = await repaired(tmp_path)
    first = (await world.records())[0]
    with pytest.raises(decisions.DecisionError, match="wrote nothing"):
        await decisions.undo(first.id, 7, ("ann", ""), world.ports)
    with pytest.raises(decisions.DecisionError, match="there is no record"):
        await decisions.undo("nope", 7, ("ann", ""), world.ports)


async def test_a_step_that_somebody_changed_since_is_not_taken_back(tmp_path: Path) -> None:
    world, record = await repaired(tmp_path)
    body = world.get(subnet("spoke-1", "app"))
    del body["properties"]["natGateway"]
    world.put_now(subnet("spoke-1", "app"), body)
    world.arm.take_events()
    world.clock.advance(600)
    await decisions.undo(record.id, 7, ("ann", ""), world.ports)
    await world.quiet()
    assert world.attached("spoke-1")["db"] is None


async def test_a_record_names_who_decided_and_why(tmp_path: Path) -> None:
    world, record = await repaired(tmp_path)
    world.clock.advance(600)
    await decisions.undo(record.id, 7, ("ann", "breaks our build"), world.ports)
    await world.quiet()
    undone = next(r for r in reversed(await world.records()) if r.undo)
    assert undone.undo is not None
    assert (undone.undo.by, undone.undo.reason) == ("ann", "breaks our build")


@pytest.mark.parametrize(
    ("tamper", "said"),
    [("DELETE FROM blobs", "is missing"), ("UPDATE blobs SET body = CAST('{}' AS BLOB)", "was changed")],
)
async def test_verify_looks_at_the_bodies_that_records_name(tmp_path: Path, tamper: str, said: str) -> None:
    world, _ = await repaired(tmp_path)
    with closing(sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)) as file:
        file.execute(tamper)
    (found,) = [v async for v in world.ports.ledger.verify()]
    assert said in (found.wrong or "")
