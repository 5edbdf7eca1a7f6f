"""Many clusters behind one hub: `python -m benchmarks.clusters` prints two lines of JSON.

The first is counted, not timed: so many clusters of 40 machines, each in a network of its own, are made one after the
other in the simulator and led to the hub's firewall by an event each; what the governor asked, wrote and ran for one.
The second is timed: 100 times as many, as Resource Graph shows them, are judged only, a region of 50 at a time.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from governor.core.estate import EVERYTHING, Reading, build, list_of
from governor.core.judged import judge
from governor.core.policy import Approvals, Egress, HubPolicy, Mode, Policies, Policy, PublicIps, Select
from tests.scenarios.cluster_world import create, type_of
from tests.scenarios.hub_world import policy, spoke, with_hub
from tests.scenarios.world import OPEN, subnet, vnet

MACHINES = 40
IN_A_REGION = 50
AT = datetime(2026, 11, 21, tzinfo=UTC)
REGION = "westeurope"


async def govern(clusters: int, folder: Path) -> dict[str, float]:
    """A number of clusters in, what governing one of them costs out."""
    wanted = policy(
        occupied=Mode.ENFORCE, ready="assumed", approvals=Approvals(needed=()), public_ips=PublicIps(default="allow")
    )
    world = with_hub(folder, wanted, durations={})
    requests: list[int] = []
    writes: list[int] = []
    for number in range(1, clusters + 1):
        world.put_now(vnet(f"spoke-{number}"), spoke(number, "nodes"))
        world.clock.advance(3600)
        world.arm.take_events()
        asked, written = len(world.transport.requests), len(world.writes())
        create(world, subnet(f"spoke-{number}", "nodes"), name=f"k{number}", count=MACHINES)
        await world.quiet()
        if type_of(world, f"k{number}") != "userDefinedRouting":
            raise AssertionError(f"cluster k{number} does not leave by the hub")
        requests.append(len(world.transport.requests) - asked)
        writes.append(len(world.writes()) - written)
    while OPEN:
        await OPEN.pop().close()
    return {
        "clusters": clusters,
        "machines": clusters * MACHINES,
        "runs": world.runs,
        "requests_first": requests[0],
        "requests_second": requests[min(1, clusters - 1)],
        "requests_last": requests[-1],
        "writes_last": writes[-1],
    }


def regions(clusters: int) -> Iterator[list[bytes]]:
    """A number of clusters in; region by region, hub and spokes with their clusters as bodies, out."""
    made = 0
    while made < clusters:
        subscription = f"/subscriptions/00000000-0000-0000-0000-{made:012d}"
        count = min(IN_A_REGION, clusters - made)
        bodies = [*_hub(subscription), *(one for n in range(count) for one in _cluster(subscription, n))]
        yield [msgspec.json.encode(body) for body in bodies]
        made += count


def _network(subscription: str, kind: str, name: str, group: str = "rg-net") -> str:
    return f"{subscription}/resourceGroups/{group}/providers/Microsoft.Network/{kind}/{name}"


def _hub(subscription: str) -> Iterator[dict[str, Any]]:
    hub, firewall = _network(subscription, "virtualNetworks", "hub"), _network(subscription, "azureFirewalls", "fw")
    home = f"{hub}/subnets/AzureFirewallSubnet"
    address = _network(subscription, "publicIPAddresses", "pip-fw")
    inside = {"privateIPAddress": "10.0.0.4", "subnet": {"id": home}, "publicIPAddress": {"id": address}}
    configuration = {"id": f"{firewall}/azureFirewallIpConfigurations/c", "name": "c", "properties": inside}
    subnets = [{"id": home, "name": "AzureFirewallSubnet", "properties": {"addressPrefix": "10.0.0.0/26"}}]
    ends = [_peering(hub, _network(subscription, "virtualNetworks", f"spoke-{n}")) for n in range(IN_A_REGION)]
    space = {"addressPrefixes": ["10.0.0.0/16"]}
    yield _body(hub, "virtualNetworks", addressSpace=space, subnets=subnets, virtualNetworkPeerings=ends)
    yield _body(firewall, "azureFirewalls", ipConfigurations=[configuration])
    yield _body(address, "publicIPAddresses", ipAddress="203.0.113.1")


def _peering(here: str, there: str) -> dict[str, Any]:
    flags = {"allowVirtualNetworkAccess": True, "allowForwardedTraffic": True}
    state = {"peeringState": "Connected", "peeringSyncLevel": "FullyInSync"}
    name = there.rpartition("/")[2]
    return {
        "id": f"{here}/virtualNetworkPeerings/{name}",
        "properties": {"remoteVirtualNetwork": {"id": there}, **flags, **state},
    }


def _cluster(subscription: str, number: int) -> Iterator[dict[str, Any]]:
    """A spoke, its table and the cluster in it; one in five has not been led to the hub yet."""
    spoke_id = _network(subscription, "virtualNetworks", f"spoke-{number}")
    table = _network(subscription, "routeTables", f"rt-spoke-{number}", "rg-egress-westeurope")
    led, nodes, group = number % 5 > 0, f"{spoke_id}/subnets/nodes", f"MC_rg_k{number}"
    scale_set = (
        f"{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachineScaleSets/aks-p-1-vmss"
    )
    lodgers = [
        {"id": f"{scale_set}/virtualMachines/{n}/networkInterfaces/nic/ipConfigurations/c"} for n in range(MACHINES)
    ]
    inside = {"addressPrefix": f"10.{number + 1}.0.0/24", "ipConfigurations": lodgers, "defaultOutboundAccess": False}
    inside |= {"routeTable": {"id": table}} if led else {}
    space = {"addressPrefixes": [f"10.{number + 1}.0.0/16"]}
    subnets = [{"id": nodes, "name": "nodes", "properties": inside}]
    peerings = [_peering(spoke_id, _network(subscription, "virtualNetworks", "hub"))]
    yield _body(spoke_id, "virtualNetworks", addressSpace=space, subnets=subnets, virtualNetworkPeerings=peerings)
    hop = {"addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.0.0.4"}
    yield _body(table, "routeTables", routes=[{"name": "egress-default", "properties": hop}])
    pool = {"name": "p", "count": MACHINES, "mode": "System", "vnetSubnetID": nodes}
    profile = {"networkPlugin": "azure", "outboundType": "userDefinedRouting" if led else "loadBalancer"}
    yield {
        **_body(f"{subscription}/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/k{number}", ""),
        "type": "Microsoft.ContainerService/ManagedClusters",
        "properties": {
            "provisioningState": "Succeeded",
            "nodeResourceGroup": group,
            "agentPoolProfiles": [pool],
            "networkProfile": profile,
        },
    }


def _body(resource: str, kind: str, **properties: Any) -> dict[str, Any]:
    return {
        "id": resource,
        "name": resource.rpartition("/")[2],
        "type": f"Microsoft.Network/{kind}",
        "location": REGION,
        "properties": {"provisioningState": "Succeeded", **properties},
    }


def judged(clusters: int) -> dict[str, float]:
    """A number of clusters in, how many of them are judged in a second out; making their bodies is not counted."""
    seconds, verdicts, wrong = 0.0, 0, 0
    for bodies in regions(clusters):
        subscription = json.loads(bodies[0])["id"].split("/")[2]
        where = f"/subscriptions/{subscription}"
        hub = HubPolicy(
            firewall={REGION: _network(where, "azureFirewalls", "fw")},
            keep_inbound=False,
            nat_gateway_on_firewall="off",
        )
        named = Policy(name="hub", select=Select(virtual_networks=("spoke-*",)), egress=Egress(hub=hub))
        lists = (EVERYTHING, list_of("publicIpAddresses", where), list_of("loadBalancers", where))
        begin = time.perf_counter()
        found = judge(build(AT, Reading(tuple(bodies), listed=lists)), Policies((named,)))
        seconds += time.perf_counter() - begin
        verdicts += len(found)
        wrong += sum(v.requirement == "cluster-outbound-type" and v.result == "Violation" for v in found)
    if wrong != sum(1 for n in range(clusters) if n % IN_A_REGION % 5 == 0):
        raise AssertionError(f"{wrong} of {clusters} clusters are told not to leave by the hub")
    return {
        "clusters": clusters,
        "machines": clusters * MACHINES,
        "verdicts": verdicts,
        "seconds": round(seconds, 3),
        "clusters_per_second": round(clusters / seconds),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--govern", type=int, default=IN_A_REGION, help="clusters that are governed and counted")
    parser.add_argument("--judge", type=int, default=100 * IN_A_REGION, help="clusters that are judged and timed")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(asyncio.run(govern(given.govern, Path(folder)))))
    print(json.dumps(judged(given.judge)))


if __name__ == "__main__":
    main()
