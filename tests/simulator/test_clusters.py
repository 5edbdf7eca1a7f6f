"""Clusters and their agent pools: busy in AKS's words, and user-defined routing that leads somewhere."""

from typing import Any

import pytest

from tests.simulator.cloud import GROUP, Cloud, link

CLUSTER = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/k"
POOL = f"{CLUSTER}/agentPools/system"


def routed(cloud: Cloud, outbound: str = "userDefinedRouting") -> dict[str, Any]:
    """A cloud with the subnet `v/s` in, the body of a cluster in that subnet out."""
    pools = [{"name": "system", "vnetSubnetID": link("virtualNetworks/v/subnets/s")["id"]}]
    properties = {"networkProfile": {"outboundType": outbound}, "agentPoolProfiles": pools}
    return {"location": "eastus", "properties": properties}


@pytest.mark.parametrize(
    ("hop", "status"), [("Internet", 400), ("None", 400), ("VirtualAppliance", 201), ("VirtualNetworkGateway", 201)]
)
def test_user_defined_routing_leads_to_an_appliance_or_a_gateway(cloud: Cloud, hop: str, status: int) -> None:
    address = {"nextHopIpAddress": "10.9.0.4"} if hop == "VirtualAppliance" else {}
    route = {"addressPrefix": "0.0.0.0/0", "nextHopType": hop, **address}
    cloud.put("routeTables/t", {"routes": [{"name": "default", "properties": route}]})
    cloud.subnet(f"{cloud.vnet()}/subnets/s", routeTable=link("routeTables/t"))
    answer = cloud.call("PUT", CLUSTER, routed(cloud))
    assert answer.status == status
    if status == 400:
        assert answer.json() == {
            "code": "RouteTableInvalidNextHop",
            "details": None,
            "message": f"Default route 0.0.0.0/0 has a next hop of {hop} but only next hops of VirtualAppliance or "
            "VirtualNetworkGateway are allowed. Please see http://aka.ms/aks/outboundtype for more details",
            "subcode": "",
        }
    assert cloud.call("PUT", CLUSTER, routed(cloud, "loadBalancer")).status in (200, 201)


def test_other_egress_needs_no_table(cloud: Cloud) -> None:
    cloud.subnet(f"{cloud.vnet()}/subnets/s")
    assert cloud.call("PUT", CLUSTER, routed(cloud)).json()["code"] == "ExistingRouteTableNotAssociatedWithSubnet"
    assert cloud.call("GET", CLUSTER).status == 404
    assert cloud.call("PUT", CLUSTER, routed(cloud, "loadBalancer")).status == 201


def test_pools_take_their_time() -> None:
    cloud = Cloud(durations={"": 60})
    assert cloud.call("PUT", POOL, {"properties": {"count": 1}}).status == 404
    cloud.call("PUT", CLUSTER, {"location": "eastus"})
    created = cloud.call("PUT", POOL, {"properties": {"count": 1}})
    assert (created.status, created.json()["properties"]["provisioningState"]) == (201, "Creating")
    assert created.json()["type"] == "Microsoft.ContainerService/managedClusters/agentPools"
    assert "/locations/eastus/operations/" in created.headers["Azure-AsyncOperation"]
    assert cloud.call("DELETE", POOL).json()["code"] == "OperationNotAllowed"
    cloud.clock.advance(60)
    assert cloud.get(POOL)["properties"] == {"provisioningState": "Succeeded", "count": 1}
    assert cloud.call("DELETE", POOL).status in (200, 202)


CLUSTERS = CLUSTER.rpartition("/")[0]
LIMITS = [
    ("GET", CLUSTER, 60, 1),
    ("GET", CLUSTERS, 60, 1),
    ("GET", CLUSTERS.replace("/resourceGroups/rg", ""), 500, 1),
    ("PUT", CLUSTER, 20, 60),
]


@pytest.mark.parametrize(("method", "path", "capacity", "seconds"), LIMITS, ids=[f"{m} {n}" for m, _, n, _ in LIMITS])
def test_aks_takes_so_many_calls_and_then_one_at_a_time(method: str, path: str, capacity: int, seconds: int) -> None:
    cloud = Cloud()
    cloud.arm.load([{"id": CLUSTER, "location": "eastus"}, {"id": f"{CLUSTER}2", "location": "eastus"}])
    body = {"location": "eastus"} if method == "PUT" else None
    for number in range(capacity):  # by several callers: Resource Manager's buckets are smaller
        assert cloud.call(method, path, body, Authorization=f"Bearer {number // 200}").status == 200
    answer = cloud.call(method, path, body)
    assert (answer.status, answer.json()["code"], answer.headers["Retry-After"]) == (429, "Throttled", str(seconds))
    if path == CLUSTER:
        assert cloud.call(method, f"{CLUSTER}2", body).status == 200
    cloud.clock.advance(seconds)
    assert cloud.call(method, path, body).status == 200
    assert cloud.call(method, path, body).status == 429
