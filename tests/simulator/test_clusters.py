"""Clusters and agent pools: what AKS fills in, how long it takes, what is in each other's way, and how often."""

from typing import Any

import pytest

from simulator.arm import Fault
from tests.simulator.aks import CLUSTER, NODE_NETWORK, SUBNET, Aks, body, told
from tests.simulator.cloud import GROUP, SUBSCRIPTION, link

CLUSTERS = "microsoft.containerservice/managedclusters"
SLOW: dict[str, Any] = {"durations": {CLUSTERS: 60, f"{CLUSTERS}/agentpools": 30}}
POOL = f"{CLUSTER}/agentPools/p"
OTHER = f"{CLUSTER}/agentPools/q"
USER_POOL = {"properties": {"count": 1, "mode": "User"}}


def states(cloud: Aks) -> tuple[str, ...]:
    shown = cloud.get(CLUSTER)["properties"]
    return (shown["provisioningState"], *(pool["provisioningState"] for pool in shown["agentPoolProfiles"]))


def test_a_cluster_takes_its_time_and_is_busy_meanwhile() -> None:
    cloud = Aks(**SLOW)
    created = cloud.cluster()
    assert created.status == 201
    shown = created.json()
    assert (shown["type"], states(cloud)) == ("Microsoft.ContainerService/ManagedClusters", ("Creating", "Creating"))
    assert "/resourcegroups/" in shown["id"]
    assert (created.headers.keys() & {"Location", "ETag", "Azure-AsyncNotification"}) == set()
    again = cloud.cluster()
    assert told(again) == (409, "OperationNotAllowed")
    assert "in progress create managed cluster operation (operation ID: " in again.json()["message"]
    path = created.headers["Azure-AsyncOperation"].removeprefix("https://management.azure.com").split("?")[0]
    report = cloud.get(path)
    assert (report["status"], report["name"][24:]) == ("InProgress", path[-12:])
    cloud.clock.advance(60)
    assert cloud.get(path)["endTime"] == "2026-11-21T10:01:00Z"
    updated = cloud.cluster()
    assert (updated.status, states(cloud)) == (200, ("Updating", "Updating"))
    cloud.clock.advance(60)
    assert states(cloud) == ("Succeeded", "Succeeded")
    deleted = cloud.aks("DELETE")
    assert (deleted.status, "/operationresults/" in deleted.headers["Location"]) == (202, True)
    assert states(cloud)[0] == "Deleting"
    assert cloud.aks("DELETE").headers["Location"] == deleted.headers["Location"]
    assert told(cloud.cluster()) == (409, "OperationNotAllowed")
    cloud.clock.advance(60)
    assert cloud.aks("GET").status == 404
    assert cloud.aks("DELETE").status == 204


def test_either_spelling_leads_to_it() -> None:
    cloud = Aks()
    shown = cloud.made()
    assert cloud.get(shown["id"])["id"] == cloud.get(CLUSTER.upper().replace("/SUBSCRIPTIONS", "/subscriptions"))["id"]


def test_pools_are_resources_of_their_own() -> None:
    cloud = Aks(**SLOW)
    cloud.made()
    first = cloud.aks("GET", POOL).json()
    assert (first["name"], first["type"]) == ("p", "Microsoft.ContainerService/managedClusters/agentPools")
    assert first["properties"]["count"] == 2
    made = cloud.aks("PUT", OTHER, USER_POOL)
    assert (made.status, made.json()["properties"]["provisioningState"]) == (201, "Creating")
    assert states(cloud) == ("Updating", "Succeeded", "Creating")
    cloud.settle()
    assert states(cloud) == ("Succeeded", "Succeeded", "Succeeded")
    assert [pool["name"] for pool in cloud.get(f"{CLUSTER}/agentPools")["value"]] == ["p", "q"]
    scaled = cloud.aks("PUT", OTHER, {"properties": {"count": 4, "mode": "User"}})
    assert (scaled.status, states(cloud)) == (200, ("Updating", "Succeeded", "Updating"))
    cloud.settle()
    assert cloud.get(OTHER)["properties"]["count"] == 4
    assert cloud.cluster().status == 200  # whose body does not name the second pool
    cloud.settle()
    assert len(cloud.get(CLUSTER)["properties"]["agentPoolProfiles"]) == 2
    assert cloud.aks("DELETE", OTHER).status == 202
    assert states(cloud) == ("Updating", "Succeeded", "Deleting")
    cloud.settle()
    assert states(cloud) == ("Succeeded", "Succeeded")
    assert told(cloud.aks("DELETE", POOL)) == (400, "MustDefineAtLeastOneSystemPool")
    assert (
        cloud.aks("PUT", f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/x/agentPools/p", {}).status
        == 404
    )


def test_what_a_pool_is_made_of_never_changes() -> None:
    cloud = Aks()
    cloud.made(own=True)
    pools: list[dict[str, Any]] = [
        {"vmSize": "Standard_D8s_v3"},
        {"enableNodePublicIP": True},
        {"vnetSubnetID": link("virtualNetworks/v/subnets/t")["id"]},
        {"podSubnetID": link(SUBNET)["id"]},
    ]
    for pool in pools:
        answer = cloud.aks("PUT", POOL, {"properties": {"mode": "System", **pool}})
        assert told(answer) == (400, "PropertyChangeNotAllowed"), pool
        assert f"agentPoolProfile.{next(iter(pool))}" in answer.json()["message"]
    for change in (
        {"dnsPrefix": "other"},
        {"nodeResourceGroup": "other"},
        {"networkProfile": {"serviceCidr": "10.9.0.0/16"}},
    ):
        assert told(cloud.cluster(own=True, **change)) == (400, "PropertyChangeNotAllowed")
    spelled = {"mode": "System", "vnetSubnetID": link(SUBNET)["id"].upper().replace("/SUBSCRIPTIONS", "/subscriptions")}
    assert cloud.aks("PUT", POOL, {"properties": spelled}).status == 200


BUSY = [
    ("PUT", POOL, "PUT", CLUSTER, "is not allowed: Another operation (p - Updating) is in progress, please wait"),
    ("PUT", POOL, "PUT", OTHER, "is not allowed: Another operation (p - Updating) is in progress, please wait"),
    ("PUT", POOL, "PUT", POOL, "an in progress update node pool operation (operation ID: "),
    ("PUT", CLUSTER, "PUT", POOL, "is not allowed: Another operation (Updating) is in progress, please wait"),
    ("PUT", CLUSTER, "PUT", CLUSTER, "an in progress update managed cluster operation (operation ID: "),
    ("PATCH", CLUSTER, "PUT", CLUSTER, "an in progress update managed cluster operation (operation ID: "),
    ("PUT", CLUSTER, "PATCH", CLUSTER, "an in progress update managed cluster operation (operation ID: "),
    ("PUT", CLUSTER, "DELETE", POOL, "is not allowed: Another operation (Updating) is in progress, please wait"),
    ("DELETE", CLUSTER, "PUT", CLUSTER, "an in progress delete managed cluster operation (operation ID: "),
]


def ask(cloud: Aks, method: str, path: str) -> Any:
    content: Any = {"tags": {"a": "b"}} if method == "PATCH" else body()
    if path != CLUSTER:
        content = {"properties": {"mode": "System"}}
    return cloud.aks(method, path, content if method != "DELETE" else None)


@pytest.mark.parametrize(("method", "path", "second", "other", "text"), BUSY)
def test_one_thing_at_a_time(method: str, path: str, second: str, other: str, text: str) -> None:
    cloud = Aks(**SLOW)
    cloud.made()
    assert ask(cloud, method, path).status in (200, 202)
    refused = ask(cloud, second, other)
    assert told(refused) == (409, "OperationNotAllowed")
    assert text in refused.json()["message"]
    cloud.settle()
    assert cloud.aks("GET").status == (404 if method == "DELETE" else 200)


def status_of(cloud: Aks, answer: Any) -> tuple[str, str]:
    report = cloud.get(
        answer.headers["Azure-AsyncOperation"].removeprefix("https://management.azure.com").split("?")[0]
    )
    return report["status"], report.get("error", {}).get("code", "")


def test_a_delete_of_a_cluster_preempts_what_runs() -> None:
    cloud = Aks(**SLOW)
    created = cloud.cluster()
    deleted = cloud.aks("DELETE")
    assert deleted.status == 202
    assert status_of(cloud, created) == ("Canceled", "AKSOperationPreemptedByDelete")
    cloud.settle()
    assert status_of(cloud, deleted) == ("Succeeded", "")
    assert cloud.aks("GET").status == 404


def test_a_newer_write_preempts_where_that_shape_is_asked_for() -> None:
    cloud = Aks(**SLOW, busy="async")
    created = cloud.cluster()
    second = cloud.aks("PUT", CLUSTER, body() | {"tags": {"second": "yes"}})
    assert (second.status, status_of(cloud, created)) == (200, ("Canceled", "AKSOperationPreempted"))
    cloud.settle()
    assert (states(cloud), cloud.get(CLUSTER)["tags"]) == (("Succeeded", "Succeeded"), {"second": "yes"})
    assert status_of(cloud, second) == ("Succeeded", "")


def test_a_failed_cluster_is_mended_by_the_next_write() -> None:
    cloud = Aks()
    cloud.arm.faults.append(
        Fault(method="PUT", later=True, code="OutboundConnFailVMExtensionError", message="No way out")
    )
    failed = cloud.cluster()
    assert failed.status == 201
    cloud.settle()
    assert states(cloud)[0] == "Failed"
    assert status_of(cloud, failed) == ("Failed", "OutboundConnFailVMExtensionError")
    assert cloud.call("GET", f"{NODE_NETWORK}/loadBalancers/kubernetes").status == 404
    assert cloud.cluster().status == 200
    cloud.settle()
    assert states(cloud) == ("Succeeded", "Succeeded")
    assert cloud.call("GET", f"{NODE_NETWORK}/loadBalancers/kubernetes").status == 200


def test_etags_change_with_every_write_and_are_asked_for() -> None:
    cloud = Aks()
    first = cloud.made()
    pool_tag = cloud.get(POOL)["properties"]["eTag"]
    assert first["properties"]["agentPoolProfiles"][0]["eTag"] == pool_tag
    assert cloud.aks("PUT", CLUSTER, body(), If_Match=f'"{first["eTag"]}"').status == 200
    cloud.settle()
    stale = cloud.aks("PUT", CLUSTER, body(), If_Match=first["eTag"])
    assert told(stale) == (412, "PreconditionFailed")
    assert told(cloud.aks("PUT", POOL, {"properties": {"mode": "System"}}, If_Match=pool_tag))[0] == 412
    assert told(cloud.aks("DELETE", CLUSTER, If_Match=first["eTag"]))[0] == 412
    assert told(cloud.aks("PUT", CLUSTER, body(), If_None_Match="*"))[0] == 412
    assert told(cloud.aks("PUT", OTHER, USER_POOL, If_Match="*"))[0] == 412
    assert cloud.aks("PUT", CLUSTER, body(), If_Match="*").status == 200


def test_tags_are_patched_and_reach_the_node_group() -> None:
    cloud = Aks()
    cloud.made()
    patched = cloud.aks("PATCH", CLUSTER, {"tags": {"env": "dev"}})
    assert (patched.status, states(cloud)) == (200, ("Succeeded", "Succeeded"))
    assert cloud.get(CLUSTER)["tags"] == {"env": "dev"}
    assert cloud.get(NODE_NETWORK.removesuffix("/providers/Microsoft.Network"))["tags"]["env"] == "dev"
    assert told(cloud.aks("PATCH", CLUSTER, {"properties": {}})) == (400, "InvalidParameter")
    assert cloud.aks("PATCH", CLUSTER + "x", {"tags": {}}).status == 404
    assert cloud.aks("PATCH", POOL, {"tags": {}}).status == 405


def test_what_an_update_leaves_out_of_the_network_stays_and_of_the_rest_goes() -> None:
    cloud = Aks()
    access = {"authorizedIPRanges": ["198.51.100.0/24"]}
    balancer = {"managedOutboundIPs": {"count": 2}, "allocatedOutboundPorts": 1024}
    cloud.made(
        apiServerAccessProfile=access, networkProfile={"podCidr": "10.250.0.0/16", "loadBalancerProfile": balancer}
    )
    shown = cloud.made()["properties"]
    assert (shown["networkProfile"]["podCidr"], "apiServerAccessProfile" in shown) == ("10.250.0.0/16", False)
    profile = shown["networkProfile"]["loadBalancerProfile"]
    assert (profile["managedOutboundIPs"], profile["allocatedOutboundPorts"]) == ({"count": 2}, 1024)


def test_lists_end_with_an_empty_page() -> None:
    cloud = Aks()
    path = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters"
    assert cloud.get(path) == {"value": []}
    cloud.made()
    for listed in (path, f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ContainerService/managedClusters"):
        page = cloud.get(listed)
        assert [one["name"] for one in page["value"]] == ["k"]
        following = page["nextLink"].removeprefix("https://management.azure.com")
        assert cloud.get(following.replace("api-version=2024-05-01&", "")) == {"value": []}
    assert "nextLink" not in cloud.get(f"{CLUSTER}/agentPools")


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("no pools", {"agentPoolProfiles": []}, "MustDefineAtLeastOneSystemPool"),
    ("no system pool", {"agentPoolProfiles": [{"name": "p", "mode": "User"}]}, "MustDefineAtLeastOneSystemPool"),
    ("a pool without a name", {"agentPoolProfiles": [{"mode": "System"}]}, "InvalidParameter"),
    (
        "half of the pools in a subnet",
        {"agentPoolProfiles": [{"name": "p", "vnetSubnetID": link(SUBNET)["id"]}, {"name": "q"}]},
        "AgentPoolsWithEmptySubnetError",
    ),
    (
        "a subnet that is not there",
        {"agentPoolProfiles": [{"name": "p", "vnetSubnetID": link("virtualNetworks/v/subnets/none")["id"]}]},
        "SubnetNotFound",
    ),
    (
        "a gateway pool that is too large",
        {
            "agentPoolProfiles": [
                {"name": "p"},
                {"name": "g", "mode": "Gateway", "gatewayProfile": {"publicIPPrefixSize": 24}},
            ]
        },
        "InvalidParameter",
    ),
    ("a pool of another name", {"agentPoolProfiles": [{"name": "My/Pool"}]}, "InvalidParameter"),
    ("too many nodes", {"agentPoolProfiles": [{"name": "p", "count": 1001}]}, "InvalidParameter"),
    ("two pools of one name", {"agentPoolProfiles": [{"name": "p"}, {"name": "p"}]}, "InvalidParameter"),
    (
        "no range for the pods of a node",
        {"networkProfile": {"networkPlugin": "kubenet", "podCidr": "10.244.0.0/25"}},
        "InvalidIPRangeCIDR",
    ),
    (
        "too many addresses",
        {"networkProfile": {"loadBalancerProfile": {"managedOutboundIPs": {"count": 101}}}},
        "InvalidLoadBalancerProfileManagedOutboundIPCount",
    ),
    (
        "too many addresses of a gateway",
        {
            "networkProfile": {
                "outboundType": "managedNATGateway",
                "natGatewayProfile": {"managedOutboundIPProfile": {"count": 17}},
            }
        },
        "InvalidNATGatewayProfileManagedOutboundIPCount",
    ),
    (
        "a prefix that is not there",
        {"networkProfile": {"loadBalancerProfile": {"outboundIPPrefixes": {"publicIPPrefixes": [{"id": "x"}]}}}},
        "LoadBalancerProfileOutboundIPPrefixNotExist",
    ),
    ("the group of the cluster", {"nodeResourceGroup": "RG"}, "NodeResourceGroupSameAsResourceGroup"),
    ("a group that is there", {"nodeResourceGroup": "mine"}, "NodeResourceGroupAlreadyExists"),
]


@pytest.mark.parametrize(("properties", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_cluster_that_cannot_be_is_refused(properties: dict[str, Any], code: str) -> None:
    cloud = Aks()
    assert cloud.call("PUT", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/mine", {"location": "eastus"}).status == 201
    assert told(cloud.cluster(**properties)) == (400, code)


def test_node_public_addresses_do_not_go_with_own_routes() -> None:
    cloud = Aks()
    cloud.attach(routeTable="firewall")
    pool = {"name": "p", "vnetSubnetID": link(SUBNET)["id"], "enableNodePublicIP": True}
    refused = cloud.cluster("userDefinedRouting", agentPoolProfiles=[pool])
    assert told(refused) == (400, "UDRWithNodePublicIPNotAllowed")


def test_kubenet_with_an_own_table_needs_an_own_identity() -> None:
    cloud = Aks()
    cloud.attach(routeTable="firewall")
    content = body(own=True, networkProfile={"networkPlugin": "kubenet"}) | {"identity": {"type": "SystemAssigned"}}
    assert told(cloud.aks("PUT", CLUSTER, content)) == (400, "CustomRouteTableWithUnsupportedMSIType")


LIMITS = [
    ("PUT", CLUSTER, 20, 60),
    ("PUT", OTHER, 20, 60),
    ("GET", CLUSTER, 60, 1),
    ("GET", CLUSTER.rpartition("/")[0], 60, 1),
    ("GET", f"{CLUSTER}/agentPools", 60, 1),
]


@pytest.mark.parametrize(("method", "path", "many", "wait"), LIMITS)
def test_aks_has_a_pace_of_its_own(method: str, path: str, many: int, wait: int) -> None:
    cloud = Aks(throttle="azure", durations={"microsoft.containerservice/managedclusters/agentpools": 3600})
    cloud.made()
    cloud.clock.advance(3600)
    content = {"location": "eastus"} if path == CLUSTER else USER_POOL
    for _ in range(many):
        assert cloud.aks(method, path, content if method == "PUT" else None).status != 429
    refused = cloud.aks(method, path, content if method == "PUT" else None)
    assert (told(refused), refused.headers["Retry-After"]) == ((429, "Throttled"), str(wait))
    assert f"request limit has been exceeded for SubID='{SUBSCRIPTION}'" in refused.json()["message"]
    cloud.clock.advance(wait)
    assert cloud.aks(method, path, content if method == "PUT" else None).status != 429


def test_lists_of_a_subscription_are_many() -> None:
    cloud = Aks(throttle="azure")
    path = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ContainerService/managedClusters"
    for number in range(500):  # by several callers: Resource Manager's buckets are smaller
        assert cloud.aks("GET", path, Authorization=f"Bearer {number // 200}").status == 200
    assert told(cloud.aks("GET", path, Authorization="Bearer another")) == (429, "Throttled")


def test_operations_are_asked_for_at_a_pace() -> None:
    cloud = Aks(throttle="azure")
    path = cloud.cluster().headers["Azure-AsyncOperation"].removeprefix("https://management.azure.com").split("?")[0]
    for _ in range(200):
        assert cloud.call("GET", path).status == 200
    assert told(cloud.call("GET", path)) == (429, "Throttled")


def test_nobody_waits_when_it_is_switched_off() -> None:
    cloud = Aks(throttle="off")
    cloud.made()
    assert {cloud.cluster().status for _ in range(30)} == {200}


def test_what_a_cluster_has_to_reach() -> None:
    cloud = Aks()
    cloud.made()
    found = cloud.get(f"{CLUSTER}/outboundNetworkDependenciesEndpoints")["value"]
    by_category = {one["category"]: [host["domainName"] for host in one["endpoints"]] for one in found}
    assert by_category["azure-resource-management"] == ["management.azure.com", "login.microsoftonline.com"]
    assert by_category["apiserver"] == [cloud.get(CLUSTER)["properties"]["fqdn"]]
    assert found[0]["endpoints"][0]["endpointDetails"] == [{"port": 443, "protocol": "Https"}]
    assert cloud.aks("GET", f"{CLUSTER}x/outboundNetworkDependenciesEndpoints").status == 404
    assert cloud.aks("POST", f"{CLUSTER}/listClusterUserCredential").status == 501


def test_a_private_cluster_is_found_under_a_private_name() -> None:
    cloud = Aks()
    private = {"enablePrivateCluster": True, "enablePrivateClusterPublicFQDN": False}
    shown = cloud.made(apiServerAccessProfile=private)["properties"]
    assert ("fqdn" in shown, ".privatelink.eastus.azmk8s.io" in shown["privateFQDN"]) == (False, True)


def test_a_body_in_the_wrong_form_is_refused() -> None:
    cloud = Aks()
    wrong: list[Any] = [[], {"networkProfile": []}, {"agentPoolProfiles": {}}, {"agentPoolProfiles": ["p"]}]
    for properties in wrong:
        answer = cloud.aks("PUT", CLUSTER, {"location": "eastus", "properties": properties})
        assert told(answer) == (400, "UnmarshalError")
    assert cloud.aks("PUT", CLUSTER, {"properties": {}}).json()["error"]["code"] == "LocationRequired"
    cloud.made()
    moved = cloud.aks("PUT", CLUSTER, body() | {"location": "westus"})
    assert (moved.status, moved.json()["error"]["code"]) == (409, "InvalidResourceLocation")
    assert cloud.aks("PUT", CLUSTER.rpartition("/")[0], {}).status == 405
