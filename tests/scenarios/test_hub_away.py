"""A hub in another subscription and region, in every state it may be in while runs are on their way."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from governor.core import ids
from governor.core.plan import Gate
from governor.core.record import Became
from governor.core.verdict import Result, Verdict
from simulator.arm import Fault
from simulator.wire import Request, Response
from tests.scenarios.hub_world import (
    AWAY,
    HERE,
    SLOW,
    Place,
    add_hub,
    leaves_by_hub,
    linked,
    policy,
    side_id,
    spoke,
    table,
    tables,
    with_hub,
)
from tests.scenarios.world import World, subnet, vnet
from tests.support.transport import Moment

BUSY: Final = {**SLOW, "microsoft.network/azurefirewalls": 400.0, "microsoft.network/virtualnetworks": 400.0}


def spoke_in(world: World) -> None:
    world.put_now(vnet("spoke-1"), spoke(1))


async def verdicts(world: World) -> dict[str, Verdict]:
    return {v.requirement: v for v in await world.ports.ledger.verdicts() if v.resource.startswith(vnet("spoke-1"))}


async def held(world: World) -> dict[str, tuple[Gate, str]]:
    """By name of what was to be repaired, the first reason against it."""
    offered = await world.ports.ledger.offered()
    return {
        ids.name(o.withheld.remediation.resource): (o.withheld.reasons[0].gate, o.withheld.reasons[0].text)
        for o in offered
    }


async def test_a_hub_in_another_subscription_and_region_is_as_good_as_any(tmp_path: Path) -> None:
    world = with_hub(tmp_path, policy(AWAY), hub=AWAY)
    spoke_in(world)
    await world.quiet()
    assert leaves_by_hub(world, 1, AWAY)
    assert world.get(table(1))["location"] == "westeurope"
    hub_side = side_id(world, AWAY.network, vnet("spoke-1"))
    assert f"PUT {hub_side}" in world.writes()
    # What happens there is heard here.
    world.clock.advance(600)
    body = world.get(hub_side)
    body["properties"]["allowForwardedTraffic"] = False
    world.put_now(hub_side, body)
    await world.quiet()
    assert leaves_by_hub(world, 1, AWAY)
    assert world.writes()[-1] == f"PUT {hub_side}"


@pytest.mark.parametrize("which", ["firewall", "network"])
async def test_while_the_hub_is_updating_nobody_is_sent_there_and_then_he_is(tmp_path: Path, which: str) -> None:
    world = with_hub(tmp_path, policy(AWAY), hub=AWAY, durations=BUSY)
    path = AWAY.firewall if which == "firewall" else AWAY.network
    spoke_in(world)
    await world.quiet_after(300)
    world.put_now(path, world.get(path) | {"tags": {"a": "b"}})
    began = world.clock.now()
    await world.quiet()
    assert leaves_by_hub(world, 1, AWAY)
    written = [o.started for r in await world.records() for o in r.outcomes if o.became is Became.DONE]
    assert len(written) == 5
    assert all(at is not None and (at - began).total_seconds() >= 400 for at in written)


@pytest.mark.parametrize("which", ["azureFirewalls/fw$", "virtualNetworks/hub$"])
async def test_a_hub_that_cannot_be_read_is_unknown_and_nothing_is_written(tmp_path: Path, which: str) -> None:
    world = with_hub(tmp_path, policy(AWAY), hub=AWAY)
    world.arm.faults.append(Fault("GET", which, None, 403, "AuthorizationFailed", "no permission"))
    spoke_in(world)
    await world.quiet()
    assert world.writes() == []
    told = await verdicts(world)
    assert told["hub-next-hop"].result is Result.UNKNOWN
    assert "no permission" in told["hub-next-hop"].seen
    world.arm.faults.clear()
    await world.govern_once(vnet("spoke-1"))
    await world.quiet()
    assert leaves_by_hub(world, 1, AWAY)


async def test_a_failed_hub_is_told_and_left_alone_until_somebody_mends_it(tmp_path: Path) -> None:
    world = with_hub(tmp_path, policy(AWAY), hub=AWAY)
    world.arm.faults.append(Fault("PUT", "virtualNetworks/hub$", 1, later=True))
    body = world.get(AWAY.network)
    world.put_now(AWAY.network, body | {"tags": {"a": "b"}})
    world.clock.advance(600)
    spoke_in(world)
    await world.quiet()
    assert world.writes() == []
    assert (await held(world))["spoke-1"] == (Gate.SETTLE, "hub network hub is Failed")
    assert world.queue == []
    world.put_now(AWAY.network, body | {"tags": {"a": "c"}})
    world.clock.advance(600)
    await world.govern_once(vnet("spoke-1"))
    await world.quiet()
    assert leaves_by_hub(world, 1, AWAY)


def once(world: World, when: Callable[[Request], bool], act: Callable[[], object]) -> None:
    """Somebody acts right before a request of ours."""
    done = False

    def hook(moment: Moment, request: Request, _: Response | None) -> None:
        nonlocal done
        if not done and moment == "before" and when(request):
            done = True
            act()

    world.transport.hooks.append(hook)


async def test_a_hub_that_goes_while_a_run_is_on_its_way_leaves_nobody_attached(tmp_path: Path) -> None:
    world = with_hub(tmp_path)

    def goes() -> None:
        assert world.ask("DELETE", HERE.firewall).status == 202
        world.clock.advance(30)
        assert world.ask("DELETE", HERE.network).status == 202
        world.clock.advance(30)

    once(world, lambda request: request.method == "PUT" and request.path.startswith(f"{HERE.network}/"), goes)
    spoke_in(world)
    await world.quiet()
    assert tables(world, 1) == {"app": None}
    assert sides_of_spoke(world) == []
    told = await verdicts(world)
    assert told["hub-next-hop"].result is Result.VIOLATION
    assert "does not exist" in told["hub-next-hop"].seen
    assert {gate for gate, _ in (await held(world)).values()} <= {Gate.HUB, Gate.NEEDS}


def sides_of_spoke(world: World) -> list[str]:
    return [one["id"] for one in world.get(vnet("spoke-1"))["properties"].get("virtualNetworkPeerings") or ()]


async def test_a_firewall_that_goes_right_before_the_attach_is_told(tmp_path: Path) -> None:
    world = with_hub(tmp_path)
    attach = subnet("spoke-1", "app")
    once(
        world,
        lambda request: request.method == "PUT" and ids.same(request.path, attach),
        lambda: world.ask("DELETE", HERE.firewall),
    )
    spoke_in(world)
    await world.quiet()
    told = await verdicts(world)
    assert told["hub-next-hop"].result is Result.VIOLATION
    assert told["hub-next-hop"].seen == "firewall fw does not exist"


@pytest.mark.parametrize("ends", [("spoke",), ("hub",), ("spoke", "hub"), ("hub", "spoke")])
@pytest.mark.parametrize("where", [HERE, AWAY], ids=["here", "away"])
async def test_a_peering_that_somebody_deletes_is_missed_and_made_again(
    tmp_path: Path, ends: tuple[str, ...], where: Place
) -> None:
    world = with_hub(tmp_path, policy(where), hub=where)
    spoke_in(world)
    await world.quiet()
    world.clock.advance(600)
    of = {
        "spoke": side_id(world, vnet("spoke-1"), where.network),
        "hub": side_id(world, where.network, vnet("spoke-1")),
    }
    for end in ends:
        assert world.ask("DELETE", of[end]).status == 202
        world.clock.advance(30)
    assert not linked(world, 1, where)
    await world.quiet()
    assert leaves_by_hub(world, 1, where)


async def test_a_hub_that_was_built_anew_is_linked_again_when_it_is_looked_at(tmp_path: Path) -> None:
    world = with_hub(tmp_path)
    spoke_in(world)
    await world.quiet()
    world.clock.advance(600)
    for path in (HERE.firewall, HERE.network):
        assert world.ask("DELETE", path).status == 202
        world.clock.advance(60)
    await world.quiet()
    told = await verdicts(world)
    assert (told["hub-next-hop"].result, told["hub-peering"].result) == (Result.VIOLATION, Result.VIOLATION)
    (left,) = world.get(vnet("spoke-1"))["properties"]["virtualNetworkPeerings"]
    assert left["properties"]["peeringState"] == "Disconnected"
    add_hub(world)
    await world.govern_once(vnet("spoke-1"))
    await world.quiet()
    assert linked(world, 1)
    assert (await verdicts(world))["hub-peering"].result is Result.COMPLIANT


# ---- what it costs ----------------------------------------------------------------------------------------------


async def test_a_new_subnet_of_a_spoke_with_everything_in_place_costs_these_requests(tmp_path: Path) -> None:
    world = with_hub(tmp_path, durations={})
    spoke_in(world)
    await world.quiet()
    world.clock.advance(3 * 24 * 3600)
    body = {"properties": {"addressPrefix": "10.1.9.0/24"}}
    world.put_now(subnet("spoke-1", "late"), body)
    world.clock.advance(3 * 24 * 3600)
    world.arm.take_events()
    before = len(world.transport.requests)
    await world.govern_once(vnet("spoke-1"))
    assert leaves_by_hub(world, 1)
    asked = [(r.method, ids.name(r.path)) for r in world.transport.requests[before:] if "/operations/" not in r.path]
    context = ["spoke-1", "rt-spoke-1", "fw", "hub", "pip-fw"]
    assert asked == [
        *(("GET", name) for name in context[:3]),
        # Listed once for all networks of the subscription, while the list is young.
        ("GET", "managedClusters"),
        *(("GET", name) for name in context[3:]),
        ("GET", "late"),
        ("PUT", "late"),
        ("GET", "late"),
        *(("GET", name) for name in context),
    ]
