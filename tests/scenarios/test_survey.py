"""Sweeps: what no event has told is found; what Resource Graph gets wrong, or cannot show, never leads to a write."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from governor import survey
from governor.core.cause import MOST_SUBSCRIPTIONS, Cause, Remainder, Source, Survey, VirtualNetwork
from governor.core.plan import Gate
from governor.core.policy import Mode, Select
from governor.core.sighting import SUBSCRIPTION_SEEN
from governor.core.verdict import Result, Verdict
from governor.survey import Surveyed
from simulator.arm import Fault
from tests.scenarios.world import REGION, SUB, World, nat_policy, network, subnet, vnet, vnet_body
from tests.support.life import Killed, Life

LAB = "00000000-0000-0000-0000-00000000000b"
MANAGEMENT = "/providers/Microsoft.Management/managementGroups"
APP = ("app", "10.0.1.0/24")
SPOKE = VirtualNetwork(vnet("spoke-1"))


async def verdicts(world: World) -> list[Verdict]:
    return list(await world.ports.ledger.verdicts())


async def found(world: World) -> set[Result]:
    return {verdict.result for verdict in await verdicts(world)}


async def look_through(world: World, *subscriptions: str) -> Surveyed:
    """A survey whose Causes are not governed yet."""
    batch = Survey(subscriptions or (SUB,), world.clock.now())
    return await survey.survey(batch, world.ports, world.rules)


def deaf(world: World, *names: str) -> World:
    """Networks that nobody tells of."""
    world.deaf = True
    for name in names:
        world.put_now(vnet(name), vnet_body(APP, ("db", "10.0.2.0/24")))
    world.clock.advance(3600)
    return world


async def swept(tmp_path: Path, *names: str, **world: Any) -> World:
    """A world that a sweep has put in order; an hour later."""
    made = deaf(World(tmp_path, **world), *names or ("spoke-1",))
    await made.sweep()
    assert made.all_attached(names or ("spoke-1",))
    made.clock.advance(3600)
    return made


# ---- what is found --------------------------------------------------------------------------------------------------


async def test_what_was_wrong_before_the_governor_came_is_found_and_repaired(tmp_path: Path) -> None:
    world = deaf(World(tmp_path), "spoke-1", "spoke-2")
    told = await world.sweep()
    assert world.all_attached(["spoke-1", "spoke-2"])
    assert await found(world) == {Result.COMPLIANT}
    assert (told.subscriptions, told.networks, told.subnets, told.queued) == (1, 2, 4, 2)
    assert told.results == {"Violation": 8}
    records = await world.records()
    assert {record.cause.source for record in records} == {Source.SURVEY}
    assert [r.counts for r in records] == [{"Compliant": 4}] * 2


async def test_a_record_says_what_only_a_survey_had_told(tmp_path: Path) -> None:
    world = deaf(World(tmp_path, ceiling=Mode.AUDIT), "spoke-1")
    await look_through(world)
    assert await found(world) == {Result.VIOLATION}
    await world.quiet()
    (record,) = await world.records()
    assert {v.result for v in record.changes} == {Result.VIOLATION}
    assert len(record.changes) == 4


async def test_a_second_sweep_asks_only_about_what_is_withheld_and_writes_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, nat_policy(), ceiling=Mode.ENFORCE)
    world.put_now(vnet("spoke-busy"), vnet_body(("vms", "10.0.1.0/24")))
    machine(world, "web", subnet("spoke-busy", "vms"))
    deaf(world, "spoke-1", "spoke-2")
    await world.sweep()
    world.clock.advance(3600)
    writes, records = world.writes(), len(await world.records())
    again = await world.sweep()
    assert (again.networks, again.queued) == (3, 1)
    assert world.writes() == writes
    assert len(await world.records()) == records
    assert Gate.APPROVAL in {r.gate for offer in await world.ports.ledger.offered() for r in offer.withheld.reasons}


async def test_the_last_of_three_thousand_subnets_is_seen(tmp_path: Path) -> None:
    world = World(tmp_path, ceiling=Mode.AUDIT)
    world.deaf = True
    inside = [{"name": f"s{n}", "properties": {"addressPrefix": f"10.{n // 256}.{n % 256}.0/24"}} for n in range(3000)]
    space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/8"]}, "subnets": inside}
    kind = "Microsoft.Network/virtualNetworks"
    body = {"id": vnet("spoke-1"), "name": "spoke-1", "type": kind, "location": REGION, "properties": space}
    world.arm.load([body])
    told = await look_through(world)
    assert (told.subnets, told.results) == (3000, {"Violation": 6000})
    seen = {verdict.resource for verdict in await verdicts(world)}
    assert subnet("spoke-1", "s2999") in seen
    assert len(seen) == 3000


async def test_a_network_that_is_gone_loses_its_verdicts_by_a_run(tmp_path: Path) -> None:
    world = await swept(tmp_path, "spoke-1", "spoke-2")
    assert world.ask("DELETE", vnet("spoke-2")).status == 202
    world.clock.advance(3600)
    told = await look_through(world)
    # Its gateway is nobody's now: the subscription is looked at, too.
    assert (told.networks, told.queued) == (1, 2)
    assert len(await verdicts(world)) == 9
    await world.quiet()
    assert len(await verdicts(world)) == 5
    assert {gone for record in await world.records() for gone in record.gone} == {
        subnet("spoke-2", "app"),
        subnet("spoke-2", "db"),
    }


async def test_a_changed_policy_is_in_force_after_the_next_sweep(tmp_path: Path) -> None:
    world = await swept(tmp_path)
    world.rules = msgspec.structs.replace(
        world.rules, policies=type(world.rules.policies)((nat_policy(name="renamed"),))
    )
    told = await world.sweep()
    assert told.queued == 1
    assert {verdict.policy for verdict in await verdicts(world)} == {"renamed"}


async def test_an_event_after_a_sweep_is_not_absorbed_by_it(tmp_path: Path) -> None:
    world = await swept(tmp_path)
    world.deaf = False
    world.arm.take_events()
    world.put_now(subnet("spoke-1", "late"), {"properties": {"addressPrefix": "10.0.7.0/24"}})
    await look_through(world)
    await world.quiet()
    assert world.attached("spoke-1")["late"] == "ng-spoke-1"


# ---- what is not seen -----------------------------------------------------------------------------------------------


async def test_a_subscription_that_cannot_be_read_is_never_compliant(tmp_path: Path) -> None:
    world = deaf(World(tmp_path, limited=True), "spoke-1")
    world.roles.limit_to()
    told = await world.sweep(SUB)
    assert set(told.unseen) == {SUB}
    (verdict,) = await verdicts(world)
    assert (verdict.requirement, verdict.result) == (SUBSCRIPTION_SEEN, Result.UNKNOWN)
    assert verdict.seen.startswith("cannot be read: ")
    records = len(await world.records())
    assert records == 1
    assert (await world.sweep(SUB)).queued == 0
    assert len(await world.records()) == records


async def test_a_subscription_that_is_not_listed_any_more_does_not_stay_compliant(tmp_path: Path) -> None:
    world = await swept(tmp_path, limited=True)
    world.roles.limit_to()
    told = await world.sweep()  # of all that can be read: it is not among them
    assert set(told.unseen) == {SUB}
    assert told.queued == 1
    assert await found(world) == {Result.UNKNOWN}
    assert {v.seen.partition(":")[0] for v in await verdicts(world)} == {"not seen", "cannot be read"}
    writes = world.writes()
    world.roles.limit_to(SUB)
    world.clock.advance(3600)
    again = await world.sweep()
    assert again.unseen == {}
    assert await found(world) == {Result.COMPLIANT}
    assert len(await verdicts(world)) == 4
    assert world.writes() == writes
    assert (await world.sweep()).queued == 0


async def test_who_loses_access_while_others_keep_it(tmp_path: Path) -> None:
    world = await swept(tmp_path, limited=True)
    lab = lab_network(world, "spoke-9")
    await world.sweep()
    world.roles.limit_to(SUB)
    world.clock.advance(3600)
    told = await world.sweep(SUB, LAB)
    assert set(told.unseen) == {LAB}
    by_network = {v.resource.partition("/subnets/")[0].casefold(): v.result for v in await verdicts(world)}
    assert by_network[vnet("spoke-1").casefold()] is Result.COMPLIANT
    assert by_network[lab.casefold()] is Result.UNKNOWN


async def test_rows_that_are_missing_are_unknown_and_those_that_came_are_judged(tmp_path: Path) -> None:
    world = await swept(tmp_path, "spoke-1", "spoke-2", "spoke-3", graph_page=1)
    gone = {"error": {"code": "BadRequest", "message": "Query is invalid.", "details": []}}
    counted = iter(range(100))

    def strike(moment: str, request: Any, response: Any) -> Any:
        about_networks = "ResourceGraph" in request.path and b"virtualnetworks" in request.body
        if moment == "before" and about_networks and next(counted) == 1:
            world.arm.faults.append(Fault(method="POST", path="ResourceGraph", status=400, body=gone))
        return None

    world.transport.hooks.append(strike)
    told = await look_through(world)
    assert told.networks == 1
    assert "Query is invalid" in told.unseen[SUB]
    by_network = {v.resource.partition("/subnets/")[0].rpartition("/")[2]: v for v in await verdicts(world)}
    assert by_network["spoke-1"].result is Result.COMPLIANT
    assert by_network["spoke-2"].result is by_network["spoke-3"].result is Result.UNKNOWN
    assert "Query is invalid" in by_network["spoke-3"].seen
    await world.sweep()
    assert await found(world) == {Result.COMPLIANT}


async def test_a_group_that_cannot_be_listed_does_not_stop_the_sweep(tmp_path: Path) -> None:
    world = deaf(World(tmp_path), "spoke-1")
    told = await world.sweep("nowhere", SUB)
    assert told.networks == 1
    assert world.all_attached(["spoke-1"])


async def test_a_remainder_that_can_be_read_says_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    cause = Cause(Source.SURVEY, world.clock.now(), scope=Remainder(SUB))
    await world.govern_with(world.ports, cause)
    assert await verdicts(world) == []
    assert await world.records() == []


# ---- Graph is minutes late ------------------------------------------------------------------------------------------


def own_gateway(world: World) -> None:
    """The owner repairs his network himself."""
    sku = {"name": "Standard"}
    world.put_now(
        network("publicIPAddresses/own"),
        {"location": REGION, "sku": sku, "properties": {"publicIPAllocationMethod": "Static"}},
    )
    addresses = [{"id": network("publicIPAddresses/own")}]
    world.put_now(
        network("natGateways/own"), {"location": REGION, "sku": sku, "properties": {"publicIpAddresses": addresses}}
    )
    for name, prefix in (("app", "10.0.1.0/24"), ("db", "10.0.2.0/24")):
        properties = {
            "addressPrefix": prefix,
            "natGateway": {"id": network("natGateways/own")},
            "defaultOutboundAccess": False,
        }
        world.put_now(subnet("spoke-1", name), {"properties": properties})


async def test_a_network_that_its_owner_has_repaired_meanwhile_is_not_written(tmp_path: Path) -> None:
    world = deaf(World(tmp_path, graph_lag=300), "spoke-1")
    own_gateway(world)
    told = await world.sweep()
    assert told.results == {"Violation": 4}
    assert world.writes() == []
    assert set(world.attached("spoke-1").values()) == {"own"}
    assert await found(world) == {Result.COMPLIANT}


async def test_a_network_that_is_deleted_meanwhile_is_not_written(tmp_path: Path) -> None:
    world = deaf(World(tmp_path, graph_lag=300), "spoke-1")
    assert world.ask("DELETE", vnet("spoke-1")).status == 202
    world.arm.settle()
    told = await world.sweep()
    assert told.results == {"Violation": 4}
    assert world.writes() == []
    assert await verdicts(world) == []


async def test_a_subnet_that_somebody_moves_into_meanwhile_waits_for_approval(tmp_path: Path) -> None:
    world = World(tmp_path, graph_lag=300)
    world.deaf = True
    world.put_now(vnet("spoke-1"), vnet_body(APP))
    world.clock.advance(3600)
    machine(world, "web", subnet("spoke-1", "app"))
    await world.sweep()
    assert world.attached("spoke-1") == {"app": None}
    assert Gate.APPROVAL in {r.gate for offer in await world.ports.ledger.offered() for r in offer.withheld.reasons}


async def test_a_subscription_that_was_moved_meanwhile_is_governed_where_it_is(tmp_path: Path) -> None:
    world = World(tmp_path, nat_policy(select=Select(management_groups=("corp",))), graph_lag=300)
    for group in ("corp", "lab"):
        world.put_now(f"{MANAGEMENT}/{group}", {"properties": {}}, "2020-05-01")
    world.put_now(f"{MANAGEMENT}/corp/subscriptions/{SUB}", {}, "2020-05-01")
    deaf(world, "spoke-1")
    world.put_now(f"{MANAGEMENT}/lab/subscriptions/{SUB}", {}, "2020-05-01")
    told = await world.sweep()
    assert told.results == {"Violation": 4}
    assert world.writes() == []
    assert await found(world) == {Result.UNGOVERNED}


async def test_a_verdict_that_a_run_has_told_later_stays(tmp_path: Path) -> None:
    world = deaf(World(tmp_path, graph_lag=300), "spoke-1")
    await world.govern_once(vnet("spoke-1"))
    assert await found(world) == {Result.COMPLIANT}
    writes = world.writes()
    world.clock.advance(60)
    told = await look_through(world)
    assert told.results == {"Violation": 4}  # Graph does not know of the repair
    assert await found(world) == {Result.COMPLIANT}
    await world.quiet()
    assert world.writes() == writes
    assert await found(world) == {Result.COMPLIANT}


async def test_a_network_that_graph_does_not_show_yet_keeps_its_verdicts(tmp_path: Path) -> None:
    world = World(tmp_path, graph_lag=7200)
    world.clock.advance(7200)
    world.put_now(vnet("spoke-1"), vnet_body(APP))
    await world.quiet()
    before, records = await verdicts(world), len(await world.records())
    world.clock.advance(3600)
    told = await world.sweep()
    assert told.networks == 0
    assert await verdicts(world) == before
    assert len(await world.records()) == records


async def test_what_graph_shows_wrong_for_good_does_not_go_back_and_forth(tmp_path: Path) -> None:
    world = World(tmp_path, graph_lag=10 * 24 * 3600)
    world.deaf = True
    world.put_now(vnet("spoke-1"), vnet_body(APP))
    world.clock.advance(10 * 24 * 3600)
    await world.sweep()
    writes = world.writes()
    assert world.attached("spoke-1") == {"app": "ng-spoke-1"}
    for _ in range(2):
        world.clock.advance(3600)
        await world.sweep()
    records = len(await world.records())
    world.clock.advance(3600)
    await look_through(world)
    assert await found(world) == {Result.COMPLIANT}
    await world.quiet()
    assert len(await world.records()) == records
    assert world.writes() == writes


# ---- selection by what lies above -----------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["event", "sweep"])
@pytest.mark.parametrize(
    "select",
    [
        Select(management_groups=("corp",)),
        Select(management_groups=("root-of-*",), tags={"env": "prod"}),
        Select(subscriptions=("shop-*",)),
    ],
)
async def test_what_lies_above_a_network_selects_its_policy(tmp_path: Path, way: str, select: Select) -> None:
    world = World(tmp_path, nat_policy(select=select))
    world.arm.load(
        [
            {
                "id": f"/subscriptions/{SUB}",
                "type": "Microsoft.Resources/subscriptions",
                "displayName": "shop-prod",
                "tags": {"env": "prod"},
            }
        ]
    )
    world.put_now(f"{MANAGEMENT}/root-of-all", {"properties": {}}, "2020-05-01")
    parent = {"parent": {"id": f"{MANAGEMENT}/root-of-all"}}
    world.put_now(f"{MANAGEMENT}/corp", {"properties": {"details": parent}}, "2020-05-01")
    world.put_now(f"{MANAGEMENT}/corp/subscriptions/{SUB}", {}, "2020-05-01")
    lab_network(world, "spoke-lab")
    world.deaf = way == "sweep"
    world.put_now(vnet("spoke-1"), vnet_body(APP))
    if way == "sweep":
        told = await world.sweep()
        assert told.results == {"Violation": 2, "Ungoverned": 1}
    else:
        await world.quiet()
    assert world.all_attached(["spoke-1"])


# ---- waiting --------------------------------------------------------------------------------------------------------


async def test_a_survey_that_azure_is_too_busy_for_is_put_back(tmp_path: Path) -> None:
    world = deaf(World(tmp_path), "spoke-1")
    world.arm.faults.append(
        Fault(method="POST", path="ResourceGraph", status=429, code="RateLimiting", retry_after=600)
    )
    told = await look_through(world)
    assert "RateLimiting" in told.waits
    await world.quiet()
    assert [found.waits for found in world.surveys] == [""]
    assert world.all_attached(["spoke-1"])


async def test_a_survey_is_given_up_after_a_day_and_that_is_on_record(tmp_path: Path) -> None:
    world = deaf(World(tmp_path), "spoke-1")
    world.arm.faults.append(Fault(method="POST", path="ResourceGraph", status=503, count=None))
    await look_through(world)
    await world.quiet()
    (record,) = await world.records()
    assert "given up: waited for a day" in record.note


async def test_killed_at_any_point_the_next_sweep_finds_what_is_left(tmp_path: Path) -> None:
    whole = Life()
    assert await surveyed_until(tmp_path / "whole", whole) == []
    assert len(whole.points) > 15
    for number, point in enumerate(whole.points):
        assert await surveyed_until(tmp_path / str(number), Life(dies_at=number)) in ([], [point]), point


async def surveyed_until(folder: Path, life: Life) -> list[str]:
    """Two networks are surveyed by a process that dies, and swept later; the point where it died comes out."""
    world = deaf(World(folder, graph_page=1), "spoke-1", "spoke-2")
    ports, _ = world.process(life)
    died: list[str] = []
    try:
        await survey.survey(Survey((SUB,), world.clock.now()), ports, world.rules)
    except Killed as killed:
        died.append(str(killed))
    await world.quiet()
    world.clock.advance(3600)
    await world.sweep()
    assert world.all_attached(["spoke-1", "spoke-2"])
    assert await found(world) == {Result.COMPLIANT}
    assert len([change for record in await world.records() for change in record.changes]) == 8
    assert (await world.sweep()).queued == 0
    return died


async def test_progress_is_told_page_by_page(tmp_path: Path) -> None:
    world = deaf(World(tmp_path, graph_page=1), "spoke-1", "spoke-2", "spoke-3")
    seen: list[int] = []
    batch = Survey((SUB,), world.clock.now())
    await survey.survey(batch, world.ports, world.rules, lambda found: seen.append(found.networks))
    assert seen == [0, 1, 2, 3, 3, 3]  # what lives in no network comes last


async def test_a_sweep_asks_in_batches(tmp_path: Path) -> None:
    world = World(tmp_path)
    many = [f"00000000-0000-0000-0000-{n:012d}" for n in range(60)]
    batches = await survey.sweep(many, world.ports)
    assert [len(batch.subscriptions) for batch in batches] == [MOST_SUBSCRIPTIONS, MOST_SUBSCRIPTIONS, 10]
    assert [s for batch in batches for s in batch.subscriptions] == many


# ---- the people in it -----------------------------------------------------------------------------------------------


def machine(world: World, name: str, in_subnet: str) -> None:
    """A plain virtual machine moves in."""
    nic = network(f"networkInterfaces/{name}-nic")
    configuration = {"name": "ipconfig1", "properties": {"subnet": {"id": in_subnet}}}
    world.put_now(nic, {"location": REGION, "properties": {"ipConfigurations": [configuration]}})
    path = f"/subscriptions/{SUB}/resourceGroups/rg-net/providers/Microsoft.Compute/virtualMachines/{name}"
    profile = {"networkInterfaces": [{"id": nic}]}
    world.put_now(path, {"location": REGION, "properties": {"networkProfile": profile}}, "2024-07-01")


def lab_network(world: World, name: str) -> str:
    """A network in a subscription of its own, of which no event tells."""
    group = f"/subscriptions/{LAB}/resourceGroups/rg-net"
    path = f"{group}/providers/Microsoft.Network/virtualNetworks/{name}"
    world.arm.load(
        [
            {"id": f"/subscriptions/{LAB}", "type": "Microsoft.Resources/subscriptions"},
            {"id": group, "type": "Microsoft.Resources/resourceGroups", "location": REGION},
        ]
    )
    world.put_now(path, vnet_body(APP))
    world.clock.advance(3600)
    return path
