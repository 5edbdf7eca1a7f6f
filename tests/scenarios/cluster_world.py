"""Clusters in a World: somebody makes one, nodes and all, and the governor comes after him.

world = World(tmp_path, policy())
await create(world, "k1", subnet("spoke-1", "nodes"))
"""

from typing import Any, Final

import msgspec

from governor.core import ids
from governor.core.policy import Approvals
from governor.core.verdict import Result
from tests.scenarios.world import GROUP, REGION, World

AKS_API: Final = "2025-05-01"
# Everything is done without asking: what approvals do is told elsewhere.
FREE: Final = Approvals(needed=())


def cluster(name: str = "k1") -> str:
    return f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/{name}"


def body(*subnets: str, outbound: str = "", **properties: Any) -> dict[str, Any]:
    """What `az aks create` sends: a pool in each subnet, or one in a network that Azure makes."""
    count = properties.pop("count", 2)
    pools = [
        {"name": f"p{i}", "count": count, "mode": "System", **({"vnetSubnetID": one} if one else {})}
        for i, one in enumerate(subnets or ("",))
    ]
    profile = {"networkPlugin": "azure", **properties.pop("networkProfile", {})}
    profile |= {"outboundType": outbound} if outbound else {}
    given = {"dnsPrefix": "k", "agentPoolProfiles": pools, "networkProfile": profile, **properties}
    return {"location": REGION, "identity": {"type": "SystemAssigned"}, "properties": given}


def create(world: World, *subnets: str, name: str = "k1", outbound: str = "", **properties: Any) -> None:
    """Somebody makes a cluster; it is Creating for a while."""
    world.put_now(cluster(name), body(*subnets, outbound=outbound, **properties), AKS_API)


def there(world: World, name: str = "k1") -> dict[str, Any]:
    answer = world.ask("GET", cluster(name), version=AKS_API)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = msgspec.json.decode(answer.body)
    return found


def type_of(world: World, name: str = "k1") -> str:
    return str(there(world, name)["properties"]["networkProfile"]["outboundType"])


async def verdicts(world: World, name: str = "k1") -> dict[str, tuple[Result, str]]:
    """What stands about a cluster: by requirement, the result and what was seen."""
    every = await world.ports.ledger.verdicts()
    return {v.requirement: (v.result, v.seen) for v in every if ids.same(v.resource, cluster(name))}
