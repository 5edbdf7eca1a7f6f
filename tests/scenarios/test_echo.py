"""Event Grid delivers at least once, late and in any order; our own writes echo. None of it may cost a write."""

import copy
from pathlib import Path
from typing import Any

from governor.core.plan import Gate
from tests.scenarios.world import World, gateway, subnet, vnet, vnet_body


async def governed(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24"), ("db", "10.0.2.0/24")))
    await world.quiet()
    assert world.all_attached(["spoke-1"])
    return world


def payload(world: World, resource: str) -> dict[str, Any]:
    """The newest event about a resource, as Event Grid posts it."""
    return world.payloads_for(resource)[-1]


async def test_the_echo_of_our_own_writes_writes_nothing_and_costs_at_most_one_run_each(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    await world.quiet()
    written = len(world.writes())
    assert written == 4  # resource group, address, gateway, subnet
    # Two runs for what somebody did (found, then repaired after it settled), at most one for each echo of ours.
    assert world.observations() <= 2 + 1 + 1


async def test_a_duplicate_costs_at_most_one_read_only_run(tmp_path: Path) -> None:
    world = await governed(tmp_path)
    writes, reads = world.writes(), world.observations()
    for _ in range(5):
        world.receive(payload(world, vnet("spoke-1")))
    await world.quiet()
    assert world.writes() == writes
    assert world.observations() <= reads + 1


async def test_an_event_that_comes_hours_late_is_absorbed(tmp_path: Path) -> None:
    world = await governed(tmp_path)
    late = copy.deepcopy(payload(world, vnet("spoke-1")))
    world.clock.advance(3 * 3600)
    writes, requests = world.writes(), len(world.transport.requests)
    world.receive(late)
    await world.quiet()
    assert world.writes() == writes
    assert len(world.transport.requests) == requests


async def test_a_delete_that_arrives_before_the_write_leaves_things_right(tmp_path: Path) -> None:
    world = await governed(tmp_path)
    writes = world.writes()
    deleted = copy.deepcopy(payload(world, subnet("spoke-1", "app")))
    deleted["eventType"] = "Microsoft.Resources.ResourceDeleteSuccess"
    deleted["eventTime"] = world.clock.now().isoformat().replace("+00:00", "Z")
    world.receive(deleted)
    await world.quiet()
    assert world.writes() == writes
    assert world.all_attached(["spoke-1"])


async def test_events_about_what_no_longer_exists_end_quietly(tmp_path: Path) -> None:
    world = await governed(tmp_path)
    told = copy.deepcopy(payload(world, vnet("spoke-1")))
    assert world.ask("DELETE", vnet("spoke-1")).status == 202
    await world.quiet()
    writes = world.writes()
    told["eventTime"] = world.clock.now().isoformat().replace("+00:00", "Z")
    world.receive(told)
    ghost = copy.deepcopy(told)
    ghost["subject"] = vnet("spoke-that-never-was")
    world.receive(ghost)
    await world.quiet()
    assert world.writes() == writes
    assert {r for record in await world.records() for r in record.gone} == {
        subnet("spoke-1", "app"),
        subnet("spoke-1", "db"),
    }


async def test_a_change_of_the_gateway_itself_reaches_the_networks_that_use_it(tmp_path: Path) -> None:
    world = await governed(tmp_path)
    body = world.get(gateway("spoke-1"))
    del body["properties"]["publicIpAddresses"]
    world.put_now(gateway("spoke-1"), body)
    writes = world.writes()
    await world.quiet()
    assert world.writes() == writes
    last = (await world.records())[-1]
    assert last.cause.subject is not None
    assert last.cause.subject.casefold() == gateway("spoke-1").casefold()
    assert last.counts == {"Violation": 2, "Compliant": 2}
    assert {r.gate for offer in last.withheld for r in offer.reasons} == {Gate.REPLACE}


async def test_a_vnet_that_is_deleted_takes_its_verdicts_along(tmp_path: Path) -> None:
    world = await governed(tmp_path)
    assert world.ask("DELETE", vnet("spoke-1")).status == 202
    await world.quiet()
    assert list(await world.ports.ledger.verdicts()) == []


async def test_looking_again_says_the_same_and_records_nothing(tmp_path: Path) -> None:
    world = await governed(tmp_path)
    records = len(await world.records())
    await world.govern_once(vnet("spoke-1"))
    await world.quiet()
    assert len(await world.records()) == records
    (one, *_) = [v for v in await world.ports.ledger.verdicts() if v.requirement == "subnet-egress"]
    assert len(one.addresses) == 1
