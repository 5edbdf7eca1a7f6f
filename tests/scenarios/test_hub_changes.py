"""A hub that changes wakes its spokes: what was true of it when they were looked at is looked at again."""

from pathlib import Path

from simulator.arm import Fault
from tests.scenarios.hub_world import HERE, leaves_by_hub, linked, spoke, with_hub
from tests.scenarios.world import World, vnet


def write_hub(world: World, *spaces: str) -> None:
    """Somebody writes the network of the hub, with these address spaces."""
    body = world.get(HERE.network)
    body["properties"]["addressSpace"] = {"addressPrefixes": list(spaces)}
    world.put_now(HERE.network, body)


async def test_a_hub_that_grows_is_known_by_its_spokes_at_once(tmp_path: Path) -> None:
    world = with_hub(tmp_path)
    for number in (1, 2):
        world.put_now(vnet(f"spoke-{number}"), spoke(number))
    await world.quiet()
    assert leaves_by_hub(world, 1)
    write_hub(world, "10.0.0.0/16", "10.200.0.0/16")
    assert not linked(world, 1)
    before = world.writes()
    await world.quiet()
    assert all(leaves_by_hub(world, number) for number in (1, 2))
    written = world.writes()[len(before) :]
    sides_written = {path.rpartition("/virtualNetworkPeerings/")[0] for path in written}
    assert sides_written == {f"PUT {vnet('spoke-1')}", f"PUT {vnet('spoke-2')}"}


async def test_a_hub_that_had_failed_and_is_written_again_gets_its_spokes(tmp_path: Path) -> None:
    world = with_hub(tmp_path)
    failing = Fault(method="PUT", type="Microsoft.Network/virtualNetworks", name="hub", later=True)
    world.arm.faults.append(failing)
    write_hub(world, "10.0.0.0/16", "10.200.0.0/16")
    await world.quiet()
    assert world.get(HERE.network)["properties"]["provisioningState"] == "Failed"
    world.put_now(vnet("spoke-1"), spoke(1))
    await world.quiet()
    assert not linked(world, 1)
    write_hub(world, "10.0.0.0/16")
    await world.quiet()
    assert leaves_by_hub(world, 1)
