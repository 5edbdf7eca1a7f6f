"""Several spokes of one hub at the same moment, and processes that die in between: nothing is missing, nothing lost."""

from pathlib import Path

import pytest

from governor.core import ids
from governor.core.cause import Cause, Source
from governor.core.plan import Gate
from governor.core.policy import NamedTable, Policy, Select
from governor.core.record import Became
from governor.core.step import name
from tests.scenarios.hub_world import (
    hops,
    leaves_by_hub,
    linked,
    policy,
    spoke,
    table,
    tables,
    wanted_hops,
    with_hub,
)
from tests.scenarios.world import World, egress_group, vnet
from tests.support.life import Life

SHARED = f"{egress_group()}/providers/Microsoft.Network/routeTables/rt-all"


@pytest.mark.parametrize("seed", range(50))
async def test_two_new_spokes_at_once_end_with_a_table_each_and_both_sides_of_both_peerings(
    tmp_path: Path, seed: int
) -> None:
    world = with_hub(tmp_path, seed=seed, latency=(0.01, 0.4))
    for number in (1, 2):
        world.put_now(vnet(f"spoke-{number}"), spoke(number))
    await world.quiet()
    assert leaves_by_hub(world, 1)
    assert leaves_by_hub(world, 2)
    assert sorted(world.exported("routeTables")) == [table(1), table(2)]
    assert hops(world, table(1)) == hops(world, table(2)) == wanted_hops(world)
    # Nothing was written twice, and whatever was written is in a Record.
    ours = set(world.writes())
    accepted = [r for r in world.arm.requests if r.status in (200, 201) and f"{r.method} {r.path}" in ours]
    assert len(accepted) == len(ours)
    outcomes = [o for record in await world.records() for o in record.outcomes]
    assert {o.became for o in outcomes} <= {Became.DONE, Became.UNCHANGED}
    assert len([o for o in outcomes if o.became is Became.DONE]) == len(ours)


def found(folder: Path, *policies: Policy) -> World:
    """Two spokes that have been there for days, ungoverned, and nobody listens to events."""
    folder.mkdir(exist_ok=True)
    world = with_hub(folder, *policies)
    for number in (1, 2):
        world.put_now(vnet(f"spoke-{number}"), spoke(number))
    world.clock.advance(3 * 24 * 3600)
    world.arm.take_events()
    return world


def cause(world: World, number: int) -> Cause:
    return Cause(source=Source.MANUAL, time=world.clock.now(), subject=vnet(f"spoke-{number}"))


async def test_killed_at_any_point_beside_another_it_is_taken_over_and_every_write_is_in_a_record(
    tmp_path: Path,
) -> None:
    whole, life = found(tmp_path / "whole"), Life()
    await whole.govern_and_die(cause(whole, 1), life)
    assert leaves_by_hub(whole, 1)
    assert len(life.points) > 80
    for number in range(0, len(life.points), 7):
        world, point = found(tmp_path / str(number)), life.points[number]
        await world.put(cause(world, 2))
        await world.govern_and_die(cause(world, 1), Life(dies_at=number))
        await world.quiet()
        assert leaves_by_hub(world, 1), point
        assert leaves_by_hub(world, 2), point
        assert sorted(world.exported("routeTables")) == [table(1), table(2)], point
        records = await world.records()
        recorded = {(name(o.step), ids.key(o.step.target)) for r in records for o in r.outcomes}
        written = {ids.key(path.partition(" ")[2]) for path in world.writes_of_all()}
        assert written <= {target for _, target in recorded}, point
        assert all(v.wrong is None for v in [v async for v in world.ports.ledger.verify()]), point
        passed = life.points[: number + 1]
        interrupted = [o.detail for r in records for o in r.outcomes if o.became is Became.INTERRUPTED]
        if passed.count("after ledger.intend") > passed.count("before ledger.done"):
            assert interrupted in (["it holds now"], ["it does not hold now"]), point


# ---- one table for two ------------------------------------------------------------------------------------------


def same_table() -> tuple[Policy, Policy]:
    """Two policies that name one and the same table, each for a spoke of its own."""
    named = NamedTable("rt-all", "rg-egress-{region}")
    one, two = (
        policy(name=f"hub-{n}", select=Select(virtual_networks=(f"spoke-{n}",)), route_table=named) for n in (1, 2)
    )
    return one, two


async def one_has_it(world: World, *order: int) -> int:
    """Which spoke the table serves; the other one's repair is withheld, and nothing of the table is lost."""
    has = [n for n in (1, 2) if tables(world, n)["app"] is not None]
    assert len(has) == 1
    (first,) = has
    (other,) = {1, 2} - set(has)
    assert ids.same(tables(world, first)["app"] or "", SHARED)
    assert hops(world, SHARED) == wanted_hops(world)
    assert linked(world, 1)
    assert linked(world, 2)
    offered = await world.ports.ledger.offered()
    held = [
        o.withheld for o in offered if ids.same(ids.parent(o.withheld.remediation.resource), vnet(f"spoke-{other}"))
    ]
    assert [{r.gate for r in one.reasons} for one in held] == [{Gate.SHARED}]
    assert f"made for network spoke-{first}" in held[0].reasons[0].text
    # It is told, and nobody waits for it.
    assert world.queue == []
    if order:
        assert first == order[0]
    return first


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
async def test_a_table_that_was_made_for_one_network_is_never_another_ones(
    tmp_path: Path, order: tuple[int, int]
) -> None:
    world = found(tmp_path, *same_table())
    for number in order:
        await world.put(cause(world, number))
        await world.quiet()
    await one_has_it(world, *order)


async def test_of_two_that_make_the_same_table_at_once_one_gets_it(tmp_path: Path) -> None:
    firsts = set()
    for seed in range(12):
        folder = tmp_path / str(seed)
        folder.mkdir()
        world = with_hub(folder, *same_table(), seed=seed, latency=(0.01, 0.4))
        for number in (1, 2):
            world.put_now(vnet(f"spoke-{number}"), spoke(number))
        await world.quiet()
        firsts.add(await one_has_it(world))
    assert firsts == {1, 2}


async def test_when_the_table_is_given_up_the_other_network_gets_it(tmp_path: Path) -> None:
    world = found(tmp_path, *same_table())
    for number in (1, 2):
        await world.put(cause(world, number))
        await world.quiet()
    world.clock.advance(600)
    assert world.ask("DELETE", vnet("spoke-1")).status == 202
    await world.quiet()
    assert tables(world, 2)["app"] is None
    assert world.ask("DELETE", SHARED).status == 202
    await world.quiet()
    assert ids.same(tables(world, 2)["app"] or "", SHARED)
    assert hops(world, SHARED) == wanted_hops(world)
