"""A process may end between any two awaits: the next one takes over, ends the same way, and names the interrupted."""

from pathlib import Path

import pytest

from governor.core import ids
from governor.core.cause import Cause, Source
from governor.core.record import Became, Record
from governor.core.step import name
from tests.scenarios.world import World, gateway, subnet, vnet, vnet_body
from tests.support.life import Killed, Life

SLOW = {
    f"microsoft.network/{kind}": seconds
    for kind, seconds in (
        ("virtualnetworks", 4.0),
        ("virtualnetworks/subnets", 4.0),
        ("natgateways", 6.0),
        ("publicipaddresses", 3.0),
    )
}


def found(folder: Path) -> World:
    """A world in which a VNet with two subnets has been there for days, ungoverned, and nobody listens to events."""
    folder.mkdir(exist_ok=True)
    world = World(folder, durations=SLOW)
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24"), ("db", "10.0.2.0/24")))
    world.clock.advance(3 * 24 * 3600)
    world.arm.take_events()
    return world


def cause(world: World) -> Cause:
    return Cause(source=Source.MANUAL, time=world.clock.now(), subject=vnet("spoke-1"))


async def points(folder: Path) -> list[str]:
    """Every point a run that is not killed passes."""
    world, life = found(folder), Life()
    await world.govern_and_die(cause(world), life)
    assert world.all_attached(["spoke-1"])
    return life.points


async def test_killed_at_any_point_it_is_taken_over_and_every_write_is_in_a_record(tmp_path: Path) -> None:
    names = await points(tmp_path / "whole")
    assert len(names) > 60
    for number, point in enumerate(names):
        world, life = found(tmp_path / str(number)), Life(dies_at=number)
        await world.govern_and_die(cause(world), life)
        await world.quiet()
        assert world.all_attached(["spoke-1"]), point
        assert len(world.exported("natGateways")) == len(world.exported("publicIPAddresses")) == 1, point
        records = await world.records()
        recorded = {(name(o.step), ids.key(o.step.target)) for r in records for o in r.outcomes}
        written = {ids.key(path.partition(" ")[2]) for path in world.writes_of_all()}
        assert written <= {target for _, target in recorded}, point
        assert all(v.wrong is None for v in [v async for v in world.ports.ledger.verify()]), point
        interrupted = [o for r in records for o in r.outcomes if o.became is Became.INTERRUPTED]
        # A step whose intent was stored and whose outcome was not is named, whether it took effect or not.
        passed = names[: number + 1]
        if passed.count("after ledger.intend") > passed.count("before ledger.done"):
            assert [o.detail for o in interrupted] in (["it holds now"], ["it does not hold now"]), point
        elif passed.count("before ledger.intend") == passed.count("after ledger.done"):
            assert interrupted == [], point


async def test_a_run_that_lost_its_claim_stops_before_its_next_write(tmp_path: Path) -> None:
    world = found(tmp_path)
    slow, first = world.process()

    async def sleep_through_the_lease() -> None:
        world.after_write = None
        world.clock.advance(200)
        await world.govern_once(vnet("spoke-1"))

    world.after_write = sleep_through_the_lease
    await world.govern_with(slow, cause(world))
    await world.quiet()
    assert world.all_attached(["spoke-1"])
    # The slow one has written once, and nothing more after the other took over.
    assert len([r for r in first.requests if r.method == "PUT"]) == 1


async def test_a_dead_process_reaches_nothing_any_more() -> None:
    life = Life(dies_at=0)
    with pytest.raises(Killed):
        life.reach("first")
    with pytest.raises(Killed):
        life.reach("second")


def _targets(record: Record) -> set[str]:
    return {o.step.target for o in record.outcomes}


async def test_what_was_interrupted_can_be_undone(tmp_path: Path) -> None:
    names = await points(tmp_path / "whole")
    last_write = max(i for i, p in enumerate(names) if p == f"after PUT {subnet('spoke-1', 'db')}")
    world = found(tmp_path / "killed")
    await world.govern_and_die(cause(world), Life(dies_at=last_write))
    await world.quiet()
    assert world.attached("spoke-1") == {"app": "ng-spoke-1", "db": "ng-spoke-1"}
    recorded = set().union(*(_targets(r) for r in await world.records()))
    assert {subnet("spoke-1", "db"), gateway("spoke-1")} <= recorded
