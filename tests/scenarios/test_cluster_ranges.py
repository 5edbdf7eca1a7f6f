"""The API server of a cluster lets in authorized ranges: what becomes of those that stood there for its old way out."""

from pathlib import Path
from typing import Any

from governor.core.plan import Gate
from tests.scenarios.cluster_world import AKS_API, body, cluster, there, type_of
from tests.scenarios.test_clusters import free, withheld
from tests.scenarios.world import World, gateway, subnet, vnet, vnet_body

NODES = subnet("spoke-1", "nodes")
PEOPLE = "198.51.100.0/24"


async def with_gateway(folder: Path) -> World:
    """A World with a network whose NAT gateway is there, and a subnet in it that nobody has looked at yet."""
    world = World(folder, free())
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    await world.quiet()
    assert world.exists(gateway("spoke-1"))
    world.deaf = True
    world.put_now(NODES, {"properties": {"addressPrefix": "10.0.2.0/24"}})
    return world


def let_in(world: World, *ranges: str) -> None:
    """Somebody sets the authorized ranges, and all has been quiet for a while since."""
    made = there(world)
    made["properties"]["apiServerAccessProfile"] = {"authorizedIPRanges": [*ranges]}
    world.put_now(cluster(), made, AKS_API)
    world.clock.advance(900)
    world.arm.settle()
    world.arm.take_events()


def ranges_of(world: World) -> list[str]:
    found: list[str] = there(world)["properties"]["apiServerAccessProfile"]["authorizedIPRanges"]
    return found


def address(world: World, holder: dict[str, Any]) -> str:
    return str(world.get(holder["id"])["properties"]["ipAddress"])


async def test_what_it_left_from_stays_let_in_and_people_are_told_how_to_take_it_out(tmp_path: Path) -> None:
    world = await with_gateway(tmp_path)
    world.put_now(cluster(), body(NODES), AKS_API)
    world.clock.advance(900)
    world.arm.settle()
    (own,) = there(world)["properties"]["networkProfile"]["loadBalancerProfile"]["effectiveOutboundIPs"]
    old = f"{address(world, own)}/32"
    let_in(world, PEOPLE, old)
    world.deaf = False
    await world.govern_once(vnet("spoke-1"))
    await world.quiet()
    assert type_of(world) == "userAssignedNATGateway"
    (used,) = world.get(gateway("spoke-1"))["properties"]["publicIpAddresses"]
    new = f"{address(world, used)}/32"
    # Nobody is shut out by us.
    assert ranges_of(world) == [PEOPLE, old, new]
    ((gate, text),) = await withheld(world)
    assert gate is Gate.REPLACE
    assert f"still lets in {old}," in text
    assert text.endswith(f"az aks update -g rg-net -n k1 --api-server-authorized-ip-ranges {PEOPLE},{new}")
    # Looked at again a month later, it says the same, with the same day; and when that is done, nothing more.
    world.clock.advance(30 * 86400)
    await world.govern_once(vnet("spoke-1"))
    assert [said for _, said in await withheld(world)] == [text]
    let_in(world, PEOPLE, new)
    await world.govern_once(vnet("spoke-1"))
    assert await withheld(world) == []
