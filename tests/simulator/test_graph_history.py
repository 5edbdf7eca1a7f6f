"""Resource Graph's lag: what it shows is what was there so many seconds ago, whatever has changed."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from simulator.arm import Fault
from tests.simulator.cloud import GROUP, NETWORK, SUBSCRIPTION, Cloud, link, nic_properties
from tests.simulator.graph import NETWORKS, names, rows

SUBSCRIPTIONS = "resourcecontainers | where type =~ 'microsoft.resources/subscriptions'"
MANAGEMENT = "/providers/Microsoft.Management/managementGroups"
GATEWAY = {"location": "eastus", "sku": {"name": "Standard"}, "properties": {}}


def lagging(**options: Any) -> Cloud:
    """A cloud whose Graph is thirty seconds late; what it starts with is to be seen."""
    return Cloud(graph_lag=30, throttle="off", **options)


def test_what_is_loaded_is_seen_at_once() -> None:
    cloud = lagging()
    cloud.arm.load([{"id": f"{NETWORK}/virtualNetworks/v", "location": "eastus"}])
    assert names(cloud, NETWORKS) == ["v"]


def test_creations_changes_and_deletions_are_seen_late() -> None:
    cloud = lagging()
    vnet = cloud.vnet()
    assert names(cloud, NETWORKS) == []
    cloud.clock.advance(29)
    assert names(cloud, NETWORKS) == []
    cloud.clock.advance(1)
    assert names(cloud, NETWORKS) == ["v"]
    cloud.call("PATCH", vnet, {"tags": {"a": "b"}})
    assert [row["tags"] for row in rows(cloud, NETWORKS)] == [None]
    cloud.clock.advance(10)
    cloud.call("DELETE", vnet)
    cloud.clock.advance(20)
    assert [row["tags"] for row in rows(cloud, NETWORKS)] == [{"a": "b"}]
    cloud.clock.advance(9)
    assert names(cloud, NETWORKS) == ["v"]
    cloud.clock.advance(1)
    assert names(cloud, NETWORKS) == []


def test_filters_look_at_what_is_shown() -> None:
    cloud = lagging()
    vnet = cloud.vnet()
    cloud.clock.advance(30)
    cloud.call("PATCH", vnet, {"tags": {"a": "b"}})
    assert names(cloud, f"{NETWORKS} and tags.a == 'b'") == []
    assert names(cloud, f"resources | where id =~ '{NETWORK}/{vnet}' and isnull(tags)") == ["v"]
    assert names(cloud, NETWORKS, subscriptions=[SUBSCRIPTION]) == ["v"]


def test_who_refers_to_it_is_seen_late() -> None:
    cloud = lagging()
    gateway = cloud.gateway("n")
    subnet = f"{cloud.vnet()}/subnets/s"
    cloud.subnet(subnet)
    cloud.clock.advance(30)
    cloud.subnet(subnet, natGateway=gateway)
    query = "resources | where type =~ 'microsoft.network/natgateways'"
    assert ["subnets" in row["properties"] for row in rows(cloud, query)] == [False]
    assert ["natGateway" in row["properties"]["subnets"][0]["properties"] for row in rows(cloud, NETWORKS)] == [False]
    cloud.clock.advance(30)
    assert [row["properties"]["subnets"] for row in rows(cloud, query)] == [[link(subnet)]]
    assert [row["properties"]["subnets"][0]["properties"]["natGateway"] for row in rows(cloud, NETWORKS)] == [gateway]


def test_an_operation_counts_from_its_own_end() -> None:
    """Nobody looks while it ends; what it changed is seen thirty seconds after its end all the same."""
    cloud = lagging(durations={"microsoft.network/virtualnetworks": 5})
    cloud.vnet()
    cloud.clock.advance(34)
    assert [row["properties"]["provisioningState"] for row in rows(cloud, NETWORKS)] == ["Updating"]
    cloud.clock.advance(1)
    assert [row["properties"]["provisioningState"] for row in rows(cloud, NETWORKS)] == ["Succeeded"]


def test_resource_groups_and_the_tree_are_seen_late() -> None:
    cloud = lagging()
    groups = "resourcecontainers | where type endswith 'resourcegroups'"
    other = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/other"
    cloud.call("PUT", other, {"location": "eastus"})
    cloud.call("PUT", f"{MANAGEMENT}/corp", {"properties": {"displayName": "Corp"}})
    cloud.call("PUT", f"{MANAGEMENT}/corp/subscriptions/{SUBSCRIPTION}")
    assert names(cloud, groups) == ["rg"]
    assert _chains(cloud) == [["Tenant Root Group"]]
    cloud.clock.advance(30)
    assert names(cloud, groups) == ["other", "rg"]
    assert _chains(cloud) == [["Corp", "Tenant Root Group"]]
    cloud.call("PUT", f"{MANAGEMENT}/corp", {"properties": {"displayName": "Corporation"}})
    cloud.call("DELETE", other)
    assert _chains(cloud) == [["Corp", "Tenant Root Group"]]
    cloud.clock.advance(30)
    assert names(cloud, groups) == ["rg"]
    assert _chains(cloud) == [["Corporation", "Tenant Root Group"]]


def _chains(cloud: Cloud) -> list[list[str]]:
    found = rows(cloud, SUBSCRIPTIONS)
    return [[group["displayName"] for group in row["properties"]["managementGroupAncestorsChain"]] for row in found]


def test_without_a_lag_nothing_is_kept(cloud: Cloud) -> None:
    cloud.vnet()
    assert names(cloud, NETWORKS) == ["v"]


# --- whatever happens -------------------------------------------------------------------------------

Act = Callable[[random.Random], tuple[str, str, Any]]


def _network(chance: random.Random) -> str:
    return f"{NETWORK}/virtualNetworks/v{chance.randrange(3)}"


def _gateway(chance: random.Random) -> str:
    return f"{NETWORK}/natGateways/n{chance.randrange(2)}"


def _put_network(chance: random.Random) -> tuple[str, str, Any]:
    path = _network(chance)
    prefix = f"10.{path[-1]}.0.0/{chance.choice((16, 17))}"
    return "PUT", path, {"location": "eastus", "properties": {"addressSpace": {"addressPrefixes": [prefix]}}}


def _put_subnet(chance: random.Random) -> tuple[str, str, Any]:
    path, number = _network(chance), chance.randrange(3)
    properties: dict[str, Any] = {"addressPrefix": f"10.{path[-1]}.{number}.0/24"}
    if chance.random() < 0.6:
        properties["natGateway"] = {"id": _gateway(chance)}
    if chance.random() < 0.3:
        properties["routeTable"] = link("routeTables/t")
    return "PUT", f"{path}/subnets/s{number}", {"properties": properties}


def _put_peering(chance: random.Random) -> tuple[str, str, Any]:
    here, there = _network(chance), _network(chance)
    return (
        "PUT",
        f"{here}/virtualNetworkPeerings/to{there[-1]}",
        {"properties": {"remoteVirtualNetwork": {"id": there}}},
    )


def _put_address(chance: random.Random) -> tuple[str, str, Any]:
    body = {"location": "eastus", "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}
    return "PUT", f"{NETWORK}/publicIPAddresses/p{chance.randrange(2)}", body


def _put_gateway(chance: random.Random) -> tuple[str, str, Any]:
    addresses = [link(f"publicIPAddresses/p{n}") for n in range(2) if chance.random() < 0.5]
    return "PUT", _gateway(chance), GATEWAY | {"properties": {"publicIpAddresses": addresses}}


def _put_interface(chance: random.Random) -> tuple[str, str, Any]:
    subnet = f"virtualNetworks/v{chance.randrange(3)}/subnets/s{chance.randrange(3)}"
    return "PUT", f"{NETWORK}/networkInterfaces/i", {"location": "eastus", "properties": nic_properties(subnet)}


def _put_cluster(chance: random.Random) -> tuple[str, str, Any]:
    pool = {"name": "p", "count": chance.randrange(9)}
    body = {"location": "eastus", "properties": {"agentPoolProfiles": [pool]}}
    return "PUT", f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/c", body


def _tag(chance: random.Random) -> tuple[str, str, Any]:
    return (
        "PATCH",
        chance.choice((GROUP, _network(chance), _gateway(chance))),
        {"tags": {"n": str(chance.randrange(99))}},
    )


def _delete(chance: random.Random) -> tuple[str, str, Any]:
    network = _network(chance)
    inside = (f"{network}/subnets/s{chance.randrange(3)}", f"{network}/virtualNetworkPeerings/to{chance.randrange(3)}")
    interface, cluster = (
        f"{NETWORK}/networkInterfaces/i",
        f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/c",
    )
    return "DELETE", chance.choice((network, *inside, _gateway(chance), interface, cluster)), None


def _other_group(chance: random.Random) -> tuple[str, str, Any]:
    method = chance.choice(("PUT", "DELETE"))
    return method, f"/subscriptions/{SUBSCRIPTION}/resourceGroups/other", {"location": "eastus"}


def _route_table(chance: random.Random) -> tuple[str, str, Any]:
    return "PUT", f"{NETWORK}/routeTables/t", {"location": "eastus", "tags": {"n": str(chance.randrange(9))}}


def _put_management_group(chance: random.Random) -> tuple[str, str, Any]:
    parent = {"parent": {"id": f"{MANAGEMENT}/{chance.choice('ab')}"}} if chance.random() < 0.5 else {}
    body = {"properties": {"displayName": str(chance.randrange(99)), "details": parent}}
    return "PUT", f"{MANAGEMENT}/{chance.choice('abc')}", body


def _move(chance: random.Random) -> tuple[str, str, Any]:
    path = f"{MANAGEMENT}/{chance.choice('abc')}/subscriptions/{SUBSCRIPTION}"
    return chance.choice(("PUT", "PUT", "DELETE")), path, None


def _delete_management_group(chance: random.Random) -> tuple[str, str, Any]:
    return "DELETE", f"{MANAGEMENT}/{chance.choice('abc')}", None


ACTS: tuple[Act, ...] = (
    _put_network,
    _put_subnet,
    _put_subnet,
    _put_peering,
    _put_address,
    _put_gateway,
    _put_interface,
    _put_cluster,
    _tag,
    _delete,
    _delete,
    _other_group,
    _route_table,
    _put_management_group,
    _move,
    _delete_management_group,
)
DURATIONS = {
    "": 2,
    "microsoft.network/virtualnetworks": 3.5,
    "microsoft.network/virtualnetworks/subnets": 4,
    "microsoft.containerservice/managedclusters": 9,
    "microsoft.resources/resourcegroups": 6,
}


@pytest.mark.parametrize("seed", range(8))
def test_late_graph_shows_what_the_prompt_one_showed_then(seed: int) -> None:
    """Two clouds live through the same; at every second the late one says what the other said seven seconds before."""
    chance = random.Random(seed)
    prompt = Cloud(durations=DURATIONS, throttle="off")
    late = Cloud(durations=DURATIONS, throttle="off", graph_lag=7)
    said = []
    succeeded: set[str] = set()
    for second in range(300):
        for _ in range(chance.randrange(4)):
            act = chance.choice(ACTS)
            method, path, body = act(chance)
            if chance.random() < 0.05:
                for cloud in (prompt, late):
                    cloud.arm.faults.append(Fault(method="PUT", later=True))
            answers = [cloud.call(method, path, body) for cloud in (prompt, late)]
            assert answers[0].status == answers[1].status
            if answers[0].status < 300:
                succeeded.add(act.__name__)
        said.append([rows(prompt, table) for table in ("resources", "resourcecontainers")])
        shown = [rows(late, table) for table in ("resources", "resourcecontainers")]
        if second >= 7:
            assert shown == said[second - 7]
        for cloud in (prompt, late):
            cloud.clock.advance(1)
    assert len({str(then) for then in said}) > 100
    assert succeeded == {act.__name__ for act in ACTS}
