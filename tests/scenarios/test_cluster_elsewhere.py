"""A cluster in another subscription than the network that its nodes live in."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from governor.core.verdict import Result
from simulator.faults import Fault
from tests.scenarios.cluster_world import AKS_API, body
from tests.scenarios.hub_world import OTHER_SUB
from tests.scenarios.test_clusters import free, with_spoke
from tests.scenarios.world import REGION, World, subnet, vnet

NODES = subnet("spoke-1", "nodes")
ABOVE = f"/subscriptions/{OTHER_SUB}"
CLUSTER = f"{ABOVE}/resourceGroups/rg-k/providers/Microsoft.ContainerService/managedClusters/k1"


def elsewhere(folder: Path, *, settled: bool = True, **properties: Any) -> World:
    """A cluster of another subscription, of which no events come, in a network that has been there for a while."""
    world = with_spoke(folder, free(), durations={"microsoft.containerservice/managedclusters": 120.0})
    world.arm.load([{"id": ABOVE, "type": "Microsoft.Resources/subscriptions"}])
    world.put_now(f"{ABOVE}/resourceGroups/rg-k", {"location": REGION}, "2024-11-01")
    world.put_now(CLUSTER, body(NODES, **properties), AKS_API)
    if settled:
        world.clock.advance(900)
        world.arm.settle()
    return world


def unreadable(world: World) -> None:
    """The governor may not read that subscription."""
    denied = {"code": "AuthorizationFailed", "message": "The client does not have authorization to perform action"}
    path = f"^{ABOVE}/providers/Microsoft.ContainerService"
    world.arm.faults.append(Fault(method="GET", path=path, status=403, body=denied, count=1000))


def type_of(world: World) -> str:
    found = msgspec.json.decode(world.ask("GET", CLUSTER, version=AKS_API).body)
    return str(found["properties"]["networkProfile"]["outboundType"])


async def test_one_that_can_be_read_is_changed_with_its_subnets(tmp_path: Path) -> None:
    world = elsewhere(tmp_path)
    await world.govern_once(vnet("spoke-1"))
    await world.quiet()
    assert type_of(world) == "userAssignedNATGateway"
    assert world.attached("spoke-1") == {"nodes": "ng-spoke-1"}


@pytest.mark.parametrize("group", [{}, {"nodeResourceGroup": "nodes-of-k1"}])
async def test_of_one_that_cannot_be_read_nothing_is_touched(tmp_path: Path, group: dict[str, Any]) -> None:
    world = elsewhere(tmp_path, **group)
    unreadable(world)
    await world.govern_once(vnet("spoke-1"))
    await world.quiet()
    assert (type_of(world), world.attached("spoke-1")) == ("loadBalancer", {"nodes": None})
    verdicts = {(v.requirement, v.result): v.seen for v in await world.ports.ledger.verdicts()}
    assert "AuthorizationFailed" in verdicts[("cluster-outbound-type", Result.UNKNOWN)]
    assert Result.COMPLIANT not in {result for _, result in verdicts}


async def test_its_own_event_leads_to_its_network_before_it_has_nodes(tmp_path: Path) -> None:
    world = elsewhere(tmp_path, settled=False)
    await world.govern_once(CLUSTER)
    # Whoever looks at the network next knows of it as well.
    await world.govern_once(vnet("spoke-1"))
    assert not world.get(NODES)["properties"].get("ipConfigurations")
    assert world.attached("spoke-1") == {"nodes": None}
    await world.quiet()
    assert (type_of(world), world.attached("spoke-1")) == ("userAssignedNATGateway", {"nodes": "ng-spoke-1"})
