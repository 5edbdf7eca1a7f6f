"""From an event to the proof: what the governor does about subnets without a NAT gateway."""

from pathlib import Path

from governor.core.record import Became
from tests.scenarios.world import World, vnet, vnet_body


async def test_a_new_vnet_with_inline_subnets_gets_its_gateway(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24"), ("db", "10.0.2.0/24")))
    await world.quiet()
    assert world.attached("spoke-1") == {"app": "ng-spoke-1", "db": "ng-spoke-1"}
    found, repaired = (await world.records())[:2]
    assert found.counts == {"Violation": 4}
    assert [o.became for o in repaired.outcomes] == [Became.DONE] * 5
    assert repaired.counts == {"Compliant": 4}
    assert repaired.changes[0].addresses
