"""Spokes of one hub: what lies outside a Scope is written one at a time, and both ends of it are looked at."""

from pathlib import Path
from typing import Any, Final

import pytest

from governor.core import ids
from governor.core.cause import Cause, Source, VirtualNetwork
from governor.core.policy import Approvals, Egress, HubPolicy, Policy, Select
from governor.core.record import Became, Outcome
from governor.core.routing import NETWORK_TAG
from tests.scenarios.test_hostile import Until
from tests.scenarios.test_together import SLOW
from tests.scenarios.world import REGION, World, egress_group, nat_policy, network, subnet, vnet, vnet_body

HUB: Final = vnet("hub")
FIREWALL: Final = network("azureFirewalls/fw")
HOP: Final = "10.0.0.4"
ADDRESS: Final = network("publicIPAddresses/fw-ip")
DURATIONS: Final = {
    **SLOW,
    "microsoft.network/virtualnetworks/virtualnetworkpeerings": 6.0,
    "microsoft.network/routetables": 4.0,
    "microsoft.network/routetables/routes": 4.0,
    "microsoft.network/azurefirewalls": 0.0,
}


def hub_policy() -> Policy:
    wanted = HubPolicy(
        hub_virtual_network={REGION: HUB}, firewall={REGION: FIREWALL}, ready="assumed", keep_inbound=False
    )
    return nat_policy(
        name="hub",
        egress=Egress(hub=wanted),
        select=Select(virtual_networks=("spoke-*",)),
        approvals=Approvals(needed=()),
    )


def spoke(number: int) -> str:
    return vnet(f"spoke-{number}")


def table(number: int) -> str:
    return f"{egress_group()}/providers/Microsoft.Network/routeTables/rt-spoke-{number}"


def with_hub(folder: Path, spokes: int, **options: Any) -> World:
    """A hub with a firewall in it, and spokes that nobody has linked yet."""
    world = World(folder, hub_policy(), **options)
    sku = {"name": "Standard"}
    world.put_now(HUB, vnet_body(("AzureFirewallSubnet", "10.0.0.0/26"), space="10.0.0.0/16"))
    world.clock.advance(60)
    world.put_now(ADDRESS, {"location": REGION, "sku": sku, "properties": {"publicIPAllocationMethod": "Static"}})
    world.clock.advance(60)
    configuration = {"subnet": {"id": f"{HUB}/subnets/AzureFirewallSubnet"}, "publicIPAddress": {"id": ADDRESS}}
    world.put_now(
        FIREWALL,
        {
            "location": REGION,
            "properties": {
                "sku": {"name": "AZFW_VNet", "tier": "Standard"},
                "ipConfigurations": [{"name": "c", "properties": configuration}],
            },
        },
    )
    world.clock.advance(600)
    world.arm.take_events()
    for number in range(1, spokes + 1):
        prefix = f"10.{number}.1.0/24"
        world.put_now(spoke(number), vnet_body(("app", prefix), space=f"10.{number}.0.0/16"))
    return world


def side(world: World, of: str, to: str) -> dict[str, Any]:
    """One side of a peering, which must be there."""
    peerings: list[dict[str, Any]] = world.get(of)["properties"]["virtualNetworkPeerings"]
    (found,) = [one for one in peerings if ids.same(one["properties"]["remoteVirtualNetwork"]["id"], to)]
    return found


def linked(world: World, number: int) -> bool:
    """Whether both sides let forwarded traffic in, and the subnet leaves by the hub."""
    sides = [side(world, *ends)["properties"] for ends in ((HUB, spoke(number)), (spoke(number), HUB))]
    attached = world.get(subnet(f"spoke-{number}", "app"))["properties"].get("routeTable")
    return (
        [(one["peeringState"], one["allowForwardedTraffic"]) for one in sides] == [("Connected", True)] * 2
        and attached is not None
        and ids.same(attached["id"], table(number))
        and routes(world, number)["0.0.0.0/0"] == HOP
    )


def routes(world: World, number: int) -> dict[str, str]:
    """By prefix, where the routes of a spoke's table lead."""
    found = [one["properties"] for one in world.get(table(number))["properties"]["routes"]]
    return {one["addressPrefix"]: one.get("nextHopIpAddress") or one["nextHopType"] for one in found}


@pytest.mark.parametrize("seed", range(12))
async def test_spokes_of_one_hub_are_linked_one_at_a_time(tmp_path: Path, seed: int) -> None:
    world = with_hub(tmp_path, 3, seed=seed, latency=(0.01, 0.4), durations=DURATIONS)
    await world.quiet()
    assert all(linked(world, number) for number in (1, 2, 3))
    # The lease is on the hub, not on its peering, and is held for both sides: nobody was in anybody's way.
    refused = [answer for answer in world.arm.requests if answer.method == "PUT" and answer.status >= 400]
    assert refused == []
    done = [outcome for outcome in await outcomes(world) if outcome.became is Became.DONE]
    assert len(done) == len([path for path in world.writes() if path.startswith("PUT")])


async def test_whoever_held_the_hub_and_died_is_outlasted(tmp_path: Path) -> None:
    world = with_hub(tmp_path, 2, durations=DURATIONS)
    world.clock.advance(600)
    world.arm.take_events()
    world.put_now(egress_group(), {"location": REGION}, "2024-11-01")
    for number in (1, 2):
        world.put_now(table(number), table_body(number))
    world.clock.advance(600)
    world.arm.take_events()
    cause = Cause(source=Source.MANUAL, time=world.clock.now(), subject=spoke(1))
    await world.govern_and_die(cause, Until("after ledger.lease"))
    world.queue.clear()
    await world.govern_once(spoke(2))
    assert [o.detail for o in await outcomes(world) if o.became is Became.PENDING] == ["another run is writing it"]
    await world.quiet()
    assert linked(world, 2)


def table_body(number: int) -> dict[str, Any]:
    """The table that the governor makes for a spoke."""
    hop = {"addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance", "nextHopIpAddress": HOP}
    return {
        "location": REGION,
        "tags": {NETWORK_TAG: spoke(number)},
        "properties": {"routes": [{"name": "egress-default", "properties": hop}]},
    }


async def outcomes(world: World) -> list[Outcome]:
    return [outcome for record in await world.records() for outcome in record.outcomes]


async def test_a_hub_that_shuts_a_spoke_out_is_noticed_by_the_spoke(tmp_path: Path) -> None:
    world = with_hub(tmp_path, 2, durations=DURATIONS)
    await world.quiet()
    world.clock.advance(600)
    body = side(world, HUB, spoke(1))
    body["properties"]["allowForwardedTraffic"] = False
    read = len(world.transport.requests)
    world.put_now(body["id"], body)
    await world.quiet()
    assert linked(world, 1)
    last = (await world.records())[-1]
    assert last.scope == VirtualNetwork(spoke(1))
    assert [ids.key(outcome.step.target) for outcome in last.outcomes] == [ids.key(body["id"])]
    # The hub and the one spoke were looked at; the other spoke was not.
    looked = {ids.key(request.path) for request in world.transport.requests[read:]}
    assert {ids.key(HUB), ids.key(spoke(1))} <= looked
    assert ids.key(spoke(2)) not in looked


async def test_a_route_that_somebody_takes_out_comes_back_and_his_own_stays(tmp_path: Path) -> None:
    world = with_hub(tmp_path, 1, durations=DURATIONS)
    await world.quiet()
    world.clock.advance(600)
    (default,) = world.get(table(1))["properties"]["routes"]
    own = {"addressPrefix": "10.77.0.0/16", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.0.0.9"}
    world.put_now(f"{table(1)}/routes/his", {"properties": own})
    world.clock.advance(10)
    assert world.ask("DELETE", default["id"]).status == 202
    await world.quiet()
    assert routes(world, 1) == {"0.0.0.0/0": HOP, "10.77.0.0/16": "10.0.0.9"}
    last = [record for record in await world.records() if record.outcomes][-1]
    assert [ids.key(outcome.step.target) for outcome in last.outcomes] == [ids.key(default["id"])]
