"""A process ends while a cluster and its subnets change, or are taken back: the next one goes on, and it is told."""

from pathlib import Path

import pytest

from governor import decisions, messages
from governor.core import ids
from governor.core.cause import Cause, Source
from governor.core.plan import Gate
from governor.core.step import WriteCluster, name
from tests.scenarios.cluster_world import cluster, create, there, type_of
from tests.scenarios.test_clusters import with_spoke, withheld
from tests.scenarios.world import World, gateway, subnet, vnet
from tests.support.life import Life

NODES = subnet("spoke-1", "nodes")
SLOW = {
    f"microsoft.{kind}": seconds
    for kind, seconds in (
        ("network/virtualnetworks/subnets", 4.0),
        ("network/natgateways", 6.0),
        ("network/publicipaddresses", 3.0),
        ("containerservice/managedclusters", 20.0),
    )
}


def made(folder: Path) -> World:
    """A cluster that was made as the portal proposes, days ago; nobody has looked at it, and no events come."""
    folder.mkdir(exist_ok=True)
    world = with_spoke(folder, durations=SLOW)
    create(world, NODES)
    world.clock.advance(3 * 86400)
    world.arm.settle()
    world.arm.take_events()
    world.deaf = True
    return world


async def changed(folder: Path) -> tuple[World, Cause]:
    """The same after the governor has changed it, and somebody wants that taken back; what would wake the governor."""
    world = made(folder)
    await world.govern_once(vnet("spoke-1"))
    await world.quiet()
    (record,) = [r for r in await world.records() if any(isinstance(o.step, WriteCluster) for o in r.outcomes)]
    world.clock.advance(600)
    await decisions.undo(record.id, 7, ("ann", "breaks our build"), world.ports)
    (_, _, _, raw) = world.queue.pop()
    wakes = messages.decode(raw)
    assert isinstance(wakes, Cause)
    return world, wakes


def whole(world: World) -> tuple[str, dict[str, str | None]]:
    return type_of(world), world.attached("spoke-1")


FORTH = ("userAssignedNATGateway", {"nodes": "ng-spoke-1"})
BACK = ("loadBalancer", {"nodes": None})


async def told(world: World, point: str) -> None:
    """Every write is in a Record, and the Records are whole."""
    records = await world.records()
    recorded = {ids.key(o.step.target) for r in records for o in r.outcomes}
    written = {ids.key(path.partition(" ")[2]) for path in world.writes_of_all()}
    assert written <= recorded, point
    assert all(v.wrong is None for v in [v async for v in world.ports.ledger.verify()]), point


def cause(world: World) -> Cause:
    return Cause(Source.MANUAL, world.clock.now(), subject=vnet("spoke-1"))


async def test_killed_at_any_point_a_cluster_ends_changed_as_a_whole(tmp_path: Path) -> None:
    world, life = made(tmp_path / "whole"), Life()
    await world.govern_and_die(cause(world), life)
    assert whole(world) == FORTH
    for number, point in enumerate(life.points):
        world = made(tmp_path / str(number))
        await world.govern_and_die(cause(world), Life(dies_at=number))
        await world.quiet()
        assert whole(world) == FORTH, point
        assert there(world)["properties"]["provisioningState"] == "Succeeded", point
        assert len(world.exported("natGateways")) == 1, point
        await told(world, point)


async def test_killed_at_any_point_an_undo_takes_the_whole_cluster_back(tmp_path: Path) -> None:
    world, undoing = await changed(tmp_path / "whole")
    life = Life()
    await world.govern_and_die(undoing, life)
    assert whole(world) == BACK
    points = life.points
    wrote = [number for number, one in enumerate(points) if ids.same(one, f"after PUT {cluster()}")]
    assert 0 < wrote[0] < points.index(f"before PUT {NODES}")
    for number, point in enumerate(points):
        world, undoing = await changed(tmp_path / str(number))
        await world.govern_and_die(undoing, Life(dies_at=number))
        await world.quiet()
        assert whole(world) == BACK, point
        assert not world.exists(gateway("spoke-1")), point
        await told(world, point)
        # It is left alone from then on, and people are told that it is not compliant.
        await world.govern_once(vnet("spoke-1"))
        assert whole(world) == BACK, point
        assert Gate.UNDO in {gate for gate, _ in await withheld(world)}, point


@pytest.mark.parametrize("which", [0, 1])
async def test_what_two_runs_did_of_one_cluster_is_taken_back_together_whichever_is_named(
    tmp_path: Path, which: int
) -> None:
    world, life = made(tmp_path / "whole"), Life()
    await world.govern_and_die(cause(world), life)
    type_is_next = next(n for n, one in enumerate(life.points) if ids.same(one, f"before PUT {cluster()}"))
    world = made(tmp_path / "killed")
    await world.govern_and_die(cause(world), Life(dies_at=type_is_next))
    assert whole(world) == (BACK[0], FORTH[1])
    await world.quiet()
    assert whole(world) == FORTH
    records = [r for r in await world.records() if r.outcomes]
    assert [name(r.outcomes[-1].step) for r in records] == ["WriteSubnet", "WriteCluster"]
    world.clock.advance(600)
    await decisions.undo(records[which].id, 7, ("ann", "breaks our build"), world.ports)
    await world.quiet()
    assert whole(world) == BACK
    done = (await world.records())[-2].outcomes
    assert [name(o.step) for o in done][:2] == ["WriteCluster", "WriteSubnet"]
