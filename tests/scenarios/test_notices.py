"""What an app leaves from changes: whoever lists its address is told once, at least once, and nothing is lost."""

import asyncio
import csv
import io
from pathlib import Path

import pytest

from governor import notices
from governor.cli import main
from governor.core import ids
from governor.core.cause import Cause, Source
from governor.core.policy import Approvals, Mode
from governor.core.register import Sought
from simulator.faults import Fault
from tests.scenarios.cluster_world import cluster, create
from tests.scenarios.world import World, nat_policy, network, subnet, vnet, vnet_body
from tests.support.life import Life

FREE = nat_policy(occupied=Mode.ENFORCE, approvals=Approvals(needed=()))
TOPIC = "/topics/notices/api/events$"
DOWN = {"error": {"code": "503", "message": "the topic is away"}}


def with_spoke(folder: Path, names: tuple[str, ...] = ("app",)) -> World:
    folder.mkdir(exist_ok=True)
    world = World(folder, FREE, told=True)
    world.put_now(vnet("spoke-1"), vnet_body(*((name, f"10.0.{n}.0/24") for n, name in enumerate(names))))
    world.clock.advance(600)
    world.arm.settle()
    world.arm.take_events()
    return world


def address_of(world: World, name: str = "pip-ng-spoke-1-1") -> str:
    (found,) = [b for b in world.arm.export() if b["id"].endswith(f"/publicIPAddresses/{name}")]
    return str(found["properties"]["ipAddress"])


def told(world: World) -> list[list[tuple[str, list[str] | None, list[str]]]]:
    """By notice: what moved, from which addresses (None: nobody knew any), to which."""
    return [
        [
            (
                move["now"]["resource"].rpartition("/")[2],
                move["before"].get("addresses", []) if "before" in move else None,
                move["now"].get("addresses", []),
            )
            for move in event["data"]["what"]["moves"]
        ]
        for event in world.notices()
    ]


async def test_seed_a_customers_are_told_their_new_address_and_the_allow_list_has_it(tmp_path: Path) -> None:
    world = with_spoke(tmp_path, ("app", "batch", "db"))
    await world.govern_once(vnet("spoke-1"))
    await world.quiet()
    first = address_of(world)
    # Three subnets, one notice: it is one change to whoever lists addresses.
    assert told(world) == [[(name, None, [first]) for name in ("app", "batch", "db")]]
    # The network team gives the gateway another address: nobody repairs anything, and the notice says what it was.
    new = network("publicIPAddresses/pip-new")
    standard = {
        "location": "westeurope",
        "sku": {"name": "StandardV2"},
        "properties": {"publicIPAllocationMethod": "Static"},
    }
    world.put_now(new, standard)
    (gateway,) = world.exported("natGateways")
    body = world.get(gateway)
    body["properties"] = {"publicIpAddresses": [{"id": new}], "idleTimeoutInMinutes": 4}
    world.put_now(gateway, body)
    await world.quiet()
    second = address_of(world, "pip-new")
    assert second != first
    assert told(world)[1:] == [[(name, [first], [second]) for name in ("app", "batch", "db")]]
    event = world.notices()[1]
    assert f"subnet spoke-1/app leaves from {second}; before: {first}; allow {second}" in event["data"]["text"]
    assert event["data"]["text"].endswith(f"by nat-per-vnet, record {event['data']['record']}")
    record = await world.ports.ledger.record(event["data"]["record"])
    assert record is not None
    assert [v.addresses for v in record.changes if v.requirement == "subnet-egress"] == [(second,)] * 3
    # The register has it, and what was before.
    page = await world.ports.ledger.addresses()
    assert {(one.entry.addresses, one.by) for one in page.entries} == {((second,), record.id)}
    (past,) = await world.ports.ledger.address_history(subnet("spoke-1", "app"))
    assert (past.entry.addresses, past.ended_by) == ((first,), record.id)
    assert await world.ports.ledger.notices() == ()


async def test_a_repair_of_a_cluster_and_its_three_subnets_is_one_notice(tmp_path: Path) -> None:
    world = with_spoke(tmp_path, ("n1", "n2", "n3"))
    create(world, *(subnet("spoke-1", name) for name in ("n1", "n2", "n3")))
    await world.quiet()
    (moves,) = told(world)
    new = address_of(world)
    assert [(name, now) for name, _, now in moves] == [(name, [new]) for name in ("k1", "n1", "n2", "n3")]
    # It left from its load balancer's, which its owner may have allowed: that is said, too.
    assert all(before and before != [new] for _, before, _ in moves)
    (one,) = (await world.ports.ledger.addresses(Sought(cluster="k1"))).entries
    assert ids.same(one.entry.resource, cluster())
    assert one.entry.addresses == (new,)


async def test_looking_again_tells_nothing(tmp_path: Path) -> None:
    world = with_spoke(tmp_path)
    for _ in range(3):
        await world.govern_once(vnet("spoke-1"))
        await world.quiet()
        world.clock.advance(3600)
    await world.sweep()
    assert len(told(world)) == 1


async def test_what_cannot_be_sent_waits_and_goes_with_the_next_run(tmp_path: Path) -> None:
    world = with_spoke(tmp_path)
    world.arm.faults.append(Fault(method="POST", path=TOPIC, status=503, body=DOWN, count=None))
    await world.govern_once(vnet("spoke-1"))
    await world.quiet()
    # The repair is done whether anybody can be told or not.
    assert world.attached("spoke-1") == {"app": "ng-spoke-1"}
    assert (told(world), len(await world.ports.ledger.notices())) == ([], 1)
    world.clock.advance(3 * 24 * 3600)
    await world.govern_once(vnet("spoke-1"))
    assert len(await world.ports.ledger.notices()) == 1
    world.arm.faults.clear()
    await world.govern_once(vnet("spoke-1"))
    assert len(told(world)) == 1
    assert await world.ports.ledger.notices() == ()


async def test_what_no_run_can_send_goes_with_the_timer(tmp_path: Path) -> None:
    world = with_spoke(tmp_path)
    world.arm.faults.append(Fault(method="POST", path=TOPIC, status=401, body=DOWN, count=1))
    await world.govern_once(vnet("spoke-1"))
    assert told(world) == []
    assert await notices.send(world.ports) == 1
    assert len(told(world)) == 1
    assert await notices.send(world.ports) == 0


async def test_without_a_topic_notices_wait_in_the_ledger(tmp_path: Path) -> None:
    world = World(tmp_path, FREE)
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    await world.quiet()
    (waiting,) = await world.ports.ledger.notices()
    assert await notices.send(world.ports) == 0
    assert waiting.text.splitlines()[0].startswith("subnet spoke-1/app leaves from ")


def cause(world: World) -> Cause:
    return Cause(source=Source.MANUAL, time=world.clock.now(), subject=vnet("spoke-1"))


async def test_killed_at_any_point_whoever_lists_addresses_is_told(tmp_path: Path) -> None:
    whole, life = with_spoke(tmp_path / "whole"), Life()
    await whole.govern_and_die(cause(whole), life)
    ((expected,),) = told(whole)
    first = life.points.index("before ledger.end")
    assert {"after notices.send", "after ledger.sent"} <= set(life.points[first:])
    for number, point in list(enumerate(life.points))[first - 8 :]:
        world = with_spoke(tmp_path / str(number))
        await world.govern_and_die(cause(world), Life(dies_at=number))
        await world.quiet()
        await notices.send(world.ports)
        assert await world.ports.ledger.notices() == (), point
        # Perhaps twice, but then with the same id; and never of a Record that is not there.
        assert {event["id"] for event in world.notices()} == {world.notices()[0]["id"]}, point
        assert len(world.notices()) <= 2, point
        assert told(world)[0] == [expected], point
        record = await world.ports.ledger.record(world.notices()[0]["data"]["record"])
        assert record is not None, point


def test_an_allow_list_is_made_of_the_register(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a firewall's owner would read by a job: one address in each line, and no address that nobody uses."""
    world = with_spoke(tmp_path)
    asyncio.run(_governed(world))
    assert main(["addresses", "--data", str(tmp_path), "--format", "txt"]) == 0
    assert capsys.readouterr().out == f"{address_of(world)}\n"
    assert main(["addresses", "--data", str(tmp_path), "--format", "csv"]) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["addresses"], row["whole"], row["policy"]) == (address_of(world), "true", "nat-per-vnet")


async def _governed(world: World) -> None:
    await world.govern_once(vnet("spoke-1"))
    await world.quiet()
