"""Several things at once: shuffled interleavings, a template that is still writing, two governors."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from governor.core.record import Became
from tests.scenarios.world import SUB, World, egress_group, gateway, subnet, vnet, vnet_body

SLOW = {
    f"microsoft.network/{kind}": seconds
    for kind, seconds in (
        ("virtualnetworks", 8.0),
        ("virtualnetworks/subnets", 8.0),
        ("natgateways", 12.0),
        ("publicipaddresses", 3.0),
    )
}
DEPLOYMENT = f"/subscriptions/{SUB}/resourceGroups/rg-net/providers/Microsoft.Resources/deployments/template"


@pytest.mark.parametrize("seed", range(50))
async def test_two_new_vnets_and_ten_subnets_at_once_end_with_exactly_what_is_needed(tmp_path: Path, seed: int) -> None:
    world = World(tmp_path, seed=seed, latency=(0.01, 0.4), durations=SLOW)
    for number in (1, 2):
        prefixes = [(f"s{i}", f"10.{number}.{i}.0/24") for i in range(5)]
        world.put_now(vnet(f"spoke-{number}"), vnet_body(*prefixes, space=f"10.{number}.0.0/16"))
    await world.quiet()
    assert world.all_attached(["spoke-1", "spoke-2"])
    made = sorted(path for path in world.exported("natGateways", "publicIPAddresses"))
    assert made == sorted(
        [gateway(f"spoke-{n}") for n in (1, 2)]
        + [f"{egress_group()}/providers/Microsoft.Network/publicIPAddresses/pip-ng-spoke-{n}-1" for n in (1, 2)]
    )
    # Each subnet was written once, and whatever was written is in a Record.
    attaches = [path for path in world.writes() if "/subnets/" in path]
    assert sorted(attaches) == sorted(f"PUT {subnet(f'spoke-{n}', f's{i}')}" for n in (1, 2) for i in range(5))
    outcomes = [o for record in await world.records() for o in record.outcomes if o.became is Became.DONE]
    assert len(outcomes) == len(world.writes())


async def test_a_template_that_writes_subnet_after_subnet_never_meets_the_governor(tmp_path: Path) -> None:
    world = World(tmp_path, durations=SLOW)
    world.put_now(DEPLOYMENT, {"properties": {"provisioningState": "Running"}}, "2024-11-01")
    world.put_now(vnet("spoke-1"), vnet_body())
    refused: list[bytes] = []

    async def template() -> None:
        for number in range(10):
            # Slow neighbours of the template: longer than the governor waits for a network to settle.
            await world.clock.sleep(150.0)
            path = subnet("spoke-1", f"s{number}")
            answer = world.ask("PUT", path, {"properties": {"addressPrefix": f"10.0.{number}.0/24"}})
            if answer.status not in (200, 201):
                refused.append(answer.body)
        await world.clock.sleep(30.0)
        world.put_now(DEPLOYMENT, {"properties": {"provisioningState": "Succeeded"}}, "2024-11-01")

    await asyncio.gather(template(), world.quiet_after(1800))
    assert refused == []
    await world.quiet()
    assert world.all_attached(["spoke-1"])
    assert len(world.attached("spoke-1")) == 10


async def test_events_delivered_to_two_governors_are_governed_once(tmp_path: Path) -> None:
    world = World(tmp_path, seed=3, latency=(0.05, 0.3), durations=SLOW)
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24"), ("db", "10.0.2.0/24")))
    event = world.payloads_for(vnet("spoke-1"))
    world.clock.advance(10)
    event = world.payloads_for(vnet("spoke-1"))
    for _ in range(4):
        world.receive(event[-1])
    await world.quiet()
    assert world.all_attached(["spoke-1"])
    subnets = [path for path in world.writes() if "/subnets/" in path]
    assert len(subnets) == 2


async def test_every_record_is_chained_and_whole(tmp_path: Path) -> None:
    world = World(tmp_path, seed=11, latency=(0.05, 0.3))
    for number in (1, 2):
        world.put_now(vnet(f"spoke-{number}"), vnet_body(("a", f"10.{number}.1.0/24"), space=f"10.{number}.0.0/16"))
    await world.quiet()
    verified = [v async for v in world.ports.ledger.verify()]
    assert verified
    assert all(v.wrong is None for v in verified)
    assert b"simulator" not in b"".join(msgspec.json.encode(r.outcomes) for r in await world.records())
