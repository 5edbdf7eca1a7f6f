"""What was done for a hub policy is taken back in reverse order; what it costs to hear of our own writes."""

from pathlib import Path
from typing import Any

import pytest

from governor import decisions
from governor.core import ids
from governor.core.cause import Source
from governor.core.plan import Gate
from governor.core.policy import Mode
from governor.core.record import Became, Record
from governor.core.step import DeletePeering, DeleteRoute, WriteSubnet, name
from tests.scenarios.hub_world import (
    HERE,
    hops,
    leaves_by_hub,
    linked,
    policy,
    route,
    side_id,
    sides,
    spoke,
    table,
    tables,
    wanted_hops,
    with_hub,
)
from tests.scenarios.test_waiting import machine
from tests.scenarios.world import REGION, World, network, subnet, vnet

THEIRS = network("routeTables/rt-theirs")


async def repaired(tmp_path: Path, **changes: Any) -> tuple[World, Record]:
    """A spoke with two subnets that was governed in one run; `db` leaves by somebody's table."""
    world = with_hub(tmp_path, policy(occupied=Mode.ENFORCE, ready="assumed", **changes))
    kept = route("kept", "10.80.0.0/16", "VnetLocal")
    world.put_now(THEIRS, {"location": REGION, "properties": {"routes": [kept]}})
    world.clock.advance(60)
    body = spoke(1, "app", "db", defaultOutboundAccess=False)
    body["properties"]["subnets"][1]["properties"]["routeTable"] = {"id": THEIRS}
    world.put_now(vnet("spoke-1"), body)
    await world.quiet()
    assert linked(world, 1)
    (record,) = [r for r in await world.records() if r.outcomes]
    world.clock.advance(600)
    return world, record


async def taken_back(world: World, record: Record) -> Record:
    await decisions.undo(record.id, 7, ("ann", "breaks our build"), world.ports)
    await world.quiet()
    return next(r for r in reversed(await world.records()) if r.cause.source is Source.UNDO)


async def test_undo_takes_attachment_routes_and_peerings_back_in_reverse_order_and_leaves_all_alone(
    tmp_path: Path,
) -> None:
    world, record = await repaired(tmp_path)
    mine = [name(o.step) for o in record.outcomes if o.became is Became.DONE]
    undone = await taken_back(world, record)
    done = [o.step for o in undone.outcomes]
    assert {o.became for o in undone.outcomes} == {Became.DONE}
    backwards = {"WriteSubnet": "WriteSubnet", "WriteRoute": "DeleteRoute", "WritePeering": "DeletePeering"}
    assert [name(step) for step in done] == [backwards[one] for one in reversed(mine) if one in backwards]
    assert [s.target for s in done if isinstance(s, WriteSubnet)] == [subnet("spoke-1", "app")]
    assert len([s for s in done if isinstance(s, DeleteRoute)]) == 4
    assert [ids.name(ids.parent(s.target)) for s in done if isinstance(s, DeletePeering)] == ["spoke-1", "hub"]
    assert sides(world, 1) == []
    assert hops(world, THEIRS) == {"10.80.0.0/16": "VnetLocal"}
    assert {n: one and ids.name(one) for n, one in tables(world, 1).items()} == {"app": None, "db": "rt-theirs"}
    # A table stays: somebody may have put routes of his own into it.
    assert hops(world, table(1)) == wanted_hops(world)
    written = len(world.writes())
    await world.govern_once(vnet("spoke-1"))
    await world.quiet()
    assert len(world.writes()) == written
    held = {reason.gate for o in await world.ports.ledger.offered() for reason in o.withheld.reasons}
    assert Gate.UNDO in held
    world.clock.advance(8 * 24 * 3600)
    await world.govern_once(vnet("spoke-1"))
    await world.quiet()
    assert linked(world, 1)
    assert ids.same(tables(world, 1)["app"] or "", table(1))
    assert wanted_hops(world).items() <= hops(world, THEIRS).items()


@pytest.mark.parametrize("where", ["app", "db"])
async def test_undo_never_takes_the_last_way_out_of_somebody_who_moved_in(tmp_path: Path, where: str) -> None:
    world, record = await repaired(tmp_path)
    machine(world, "web", subnet("spoke-1", where))
    world.clock.advance(600)
    undone = await taken_back(world, record)
    assert linked(world, 1)
    by = table(1) if where == "app" else THEIRS
    assert ids.same(tables(world, 1)[where] or "", by)
    assert hops(world, by)["0.0.0.0/0"] == "10.0.0.4"
    told = {ids.name(w.remediation.resource): w.reasons[0].text for w in undone.withheld}
    assert "last way out" in told["app" if where == "app" else "egress-default"]
    assert "web" not in told
    assert sum("still leaves through 10.0.0.4" in text for text in told.values()) == 2


async def test_a_route_and_a_peering_that_somebody_changed_since_are_not_taken_back(tmp_path: Path) -> None:
    world, record = await repaired(tmp_path)
    (default,) = [r for r in world.get(THEIRS)["properties"]["routes"] if r["name"] == "egress-10.0.0.0-8"]
    default["properties"] |= {"nextHopIpAddress": "10.9.9.9"}
    world.put_now(default["id"], {"properties": default["properties"]})
    world.clock.advance(60)
    world.arm.take_events()
    undone = await taken_back(world, record)
    stale = [o.step.target for o in undone.outcomes if o.became is Became.STALE]
    assert stale == [default["id"]]
    assert hops(world, THEIRS)["10.0.0.0/8"] == "10.9.9.9"


# ---- the echo ---------------------------------------------------------------------------------------------------


async def test_the_echo_of_our_own_writes_writes_nothing_and_costs_at_most_one_run_each(tmp_path: Path) -> None:
    world = with_hub(tmp_path)
    world.put_now(vnet("spoke-1"), spoke(1))
    await world.quiet()
    written = world.writes()
    assert len(written) == 5  # resource group, table, both sides, subnet
    reads = [path for path in world.transport.of("GET") if ids.same(path, vnet("spoke-1"))]
    # Two runs for what somebody did (found, then repaired after it settled, which closes with a read), one for echoes.
    assert len(reads) <= 3 + 1
    world.clock.advance(3600)
    requests = len(world.transport.requests)
    for target in (path.partition(" ")[2] for path in written):
        for payload in world.payloads_for(target):
            world.receive(payload)
    await world.quiet()
    assert world.writes() == written
    # Old as they are, they are absorbed; the hub itself is nobody's, and is looked at once.
    assert len(world.transport.requests) - requests <= 2


async def test_the_hubs_events_wake_no_other_spoke(tmp_path: Path) -> None:
    world = with_hub(tmp_path)
    for number in (1, 2, 3):
        world.put_now(vnet(f"spoke-{number}"), spoke(number))
        await world.quiet()
        world.clock.advance(600)
    reads = world.transport.of("GET").count(vnet("spoke-1"))
    body = world.get(side_id(world, HERE.network, vnet("spoke-3")))
    body["properties"]["allowForwardedTraffic"] = False
    world.put_now(body["id"], body)
    await world.quiet()
    assert leaves_by_hub(world, 3)
    assert world.transport.of("GET").count(vnet("spoke-1")) == reads
