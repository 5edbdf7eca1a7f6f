"""What AKS keeps for a cluster in its node group: made, changed and taken away as the cluster is."""

from typing import Any

import pytest

from simulator.ids import CLUSTERS
from simulator.joins import joined
from tests.simulator.aks import CLUSTER, ISOLATED, NODE_NETWORK, NODES, SUBNET, Aks, told
from tests.simulator.cloud import GROUP, SUBSCRIPTION, link

POOL = f"{CLUSTER}/agentPools/p"
KUBENET = {"networkPlugin": "kubenet"}


def effective(cloud: Aks, profile: str = "loadBalancerProfile") -> list[str]:
    network = cloud.get(CLUSTER)["properties"]["networkProfile"]
    return [one["id"] for one in network.get(profile, {}).get("effectiveOutboundIPs", [])]


def listed(cloud: Aks, kind: str) -> list[dict[str, Any]]:
    path = f"{NODES}/providers/{kind}" if "/" in kind else f"{NODE_NETWORK}/{kind}"
    found: list[dict[str, Any]] = cloud.get(path)["value"]
    return found


def users(cloud: Aks, subnet: str = SUBNET) -> list[str]:
    return [one["id"] for one in cloud.get(subnet)["properties"].get("ipConfigurations", [])]


def kinds(cloud: Aks) -> set[str]:
    return {name.partition("/")[0] for name in cloud.nodes()}


ALWAYS = {"userAssignedIdentities", "networkSecurityGroups", "virtualMachineScaleSets"}
CONTENTS: list[tuple[str, bool, dict[str, str], set[str]]] = [
    ("loadBalancer", False, {}, {"virtualNetworks", "loadBalancers", "publicIPAddresses"}),
    ("managedNATGateway", False, {}, {"virtualNetworks", "natGateways", "publicIPAddresses"}),
    ("managedNATGatewayV2", False, {}, {"virtualNetworks", "natGateways", "publicIPAddresses"}),
    ("none", False, {}, {"virtualNetworks"}),
    ("block", False, {}, {"virtualNetworks"}),
    ("loadBalancer", True, {}, {"loadBalancers", "publicIPAddresses"}),
    ("userAssignedNATGateway", True, {"natGateway": "gw"}, set()),
    ("userDefinedRouting", True, {"routeTable": "firewall"}, set()),
    ("none", True, {}, set()),
]


@pytest.mark.parametrize(("outbound", "own", "links", "there"), CONTENTS)
def test_a_node_group_holds_what_its_outbound_type_needs(
    outbound: str, own: bool, links: dict[str, str], there: set[str]
) -> None:
    cloud = Aks()
    cloud.attach(**links)
    cloud.made(outbound, own=own, **ISOLATED)
    group = cloud.get(NODES)
    assert group["managedBy"] == cloud.get(CLUSTER)["id"]
    assert kinds(cloud) == ALWAYS | there


def test_the_group_is_there_before_the_cluster_is() -> None:
    cloud = Aks(durations={"microsoft.containerservice/managedclusters": 60})
    cloud.cluster()
    assert (cloud.call("GET", NODES).status, cloud.nodes()) == (200, [])
    cloud.settle()
    assert kinds(cloud) == ALWAYS | {"virtualNetworks", "loadBalancers", "publicIPAddresses"}


def test_a_load_balancer_leads_out_and_its_addresses_are_shown() -> None:
    cloud = Aks()
    cloud.made()
    balancer = cloud.get(f"{NODE_NETWORK}/loadBalancers/kubernetes")["properties"]
    (rule,) = balancer["outboundRules"]
    (frontend,) = balancer["frontendIPConfigurations"]
    assert rule["properties"]["frontendIPConfigurations"] == [{"id": frontend["id"]}]
    assert [frontend["properties"]["publicIPAddress"]["id"]] == effective(cloud)
    members = {
        pool["name"]: len(pool["properties"]["backendIPConfigurations"]) for pool in balancer["backendAddressPools"]
    }
    assert members == {"aksOutboundBackendPool": 2, "kubernetes": 2}
    address = cloud.get(effective(cloud)[0])
    assert address["tags"]["aks-managed-type"] == "aks-slb-managed-outbound-ip"
    assert address["properties"]["ipConfiguration"]["id"] == frontend["id"]
    refused = cloud.refused("DELETE", address["id"])
    assert refused == (400, "PublicIPAddressCannotBeDeleted")


def test_more_addresses_are_made_and_less_are_released_when_the_operation_ends() -> None:
    cloud = Aks(durations={"microsoft.containerservice/managedclusters": 60})
    cloud.made()
    first = effective(cloud)
    more = {"loadBalancerProfile": {"managedOutboundIPs": {"count": 3}}}
    assert cloud.cluster(networkProfile=more).status == 200
    assert effective(cloud) == first
    cloud.settle()
    assert (effective(cloud)[0], len(effective(cloud)), len(listed(cloud, "publicIPAddresses"))) == (first[0], 3, 3)
    cloud.made(networkProfile={"loadBalancerProfile": {"managedOutboundIPs": {"count": 1}}})
    assert (effective(cloud), len(listed(cloud, "publicIPAddresses"))) == (first, 1)


def test_own_addresses_lead_out_instead() -> None:
    cloud = Aks()
    cloud.address("mine")
    cloud.settle()
    cloud.made()
    mine = {"loadBalancerProfile": {"outboundIPs": {"publicIPs": [link("publicIPAddresses/mine")]}}}
    cloud.made(networkProfile=mine)
    assert effective(cloud) == [link("publicIPAddresses/mine")["id"]]
    assert listed(cloud, "publicIPAddresses") == []
    missing = {"loadBalancerProfile": {"outboundIPs": {"publicIPs": [link("publicIPAddresses/none")]}}}
    assert told(cloud.cluster(networkProfile=missing)) == (400, "LoadBalancerProfileOutboundIPNotExist")
    taken = {"loadBalancerProfile": {"outboundIPs": {"publicIPs": [link("publicIPAddresses/gwip")]}}}
    assert told(cloud.cluster(networkProfile=taken)) == (
        400,
        "LoadBalancerProfileOutboundIPAttachedToAnotherIPConfiguration",
    )


def test_addresses_go_and_come_as_the_type_changes() -> None:
    cloud = Aks()
    cloud.made(own=True)
    first = effective(cloud)
    cloud.attach(routeTable="firewall")
    cloud.made("userDefinedRouting", own=True)
    assert (kinds(cloud), effective(cloud)) == (ALWAYS, [])
    cloud.made("loadBalancer", own=True)
    assert len(effective(cloud)) == 1
    assert effective(cloud) != first


def test_a_managed_gateway_is_at_the_subnet_of_the_nodes() -> None:
    cloud = Aks()
    cloud.made()
    cloud.made("managedNATGateway", networkProfile={"natGatewayProfile": {"managedOutboundIPProfile": {"count": 2}}})
    (gateway,) = listed(cloud, "natGateways")
    (network,) = listed(cloud, "virtualNetworks")
    (subnet,) = network["properties"]["subnets"]
    assert gateway["properties"]["subnets"] == [{"id": subnet["id"]}]
    assert effective(cloud, "natGatewayProfile") == [one["id"] for one in gateway["properties"]["publicIpAddresses"]]
    assert "loadBalancers" not in kinds(cloud)
    assert len(listed(cloud, "publicIPAddresses")) == 2
    cloud.made("block")
    assert kinds(cloud) == ALWAYS | {"virtualNetworks"}
    (group,) = listed(cloud, "networkSecurityGroups")
    (rule,) = group["properties"]["securityRules"]
    assert (rule["properties"]["access"], rule["properties"]["destinationAddressPrefix"]) == ("Deny", "Internet")
    cloud.made("loadBalancer")
    assert listed(cloud, "networkSecurityGroups")[0]["properties"]["securityRules"] == []


def test_public_services_keep_their_frontends_whatever_the_type() -> None:
    cloud = Aks()
    cloud.made(own=True)
    service = cloud.put(
        f"{NODE_NETWORK}/publicIPAddresses/kubernetes-a1",
        {"publicIPAllocationMethod": "Static"},
        location="eastus",
        sku={"name": "Standard"},
    )
    cloud.settle()
    balancer = cloud.get(f"{NODE_NETWORK}/loadBalancers/kubernetes")
    balancer["properties"]["frontendIPConfigurations"].append(
        {"name": "a1", "properties": {"publicIPAddress": {"id": service["id"]}}}
    )
    assert cloud.call("PUT", balancer["id"], balancer).status == 200
    cloud.settle()
    cloud.attach(routeTable="firewall")
    cloud.made("userDefinedRouting", own=True)
    left = cloud.get(balancer["id"])["properties"]
    assert [frontend["name"] for frontend in left["frontendIPConfigurations"]] == ["a1"]
    assert left["outboundRules"] == []
    assert [one["name"] for one in listed(cloud, "publicIPAddresses")] == ["kubernetes-a1"]
    cloud.made("loadBalancer", own=True)
    back = cloud.get(balancer["id"])["properties"]
    assert len(back["frontendIPConfigurations"]) == 2
    assert cloud.get(CLUSTER)["properties"]["networkProfile"]["loadBalancerProfile"]["effectiveOutboundIPs"]


def test_machines_are_users_of_their_subnet_and_come_and_go_with_the_count() -> None:
    cloud = Aks()
    cloud.made(own=True)
    (machines,) = listed(cloud, "Microsoft.Compute/virtualMachineScaleSets")
    assert (machines["sku"]["capacity"], len(users(cloud))) == (2, 2)
    assert users(cloud)[0].startswith(f"{machines['id']}/virtualMachines/0/networkInterfaces/")
    assert cloud.refused("DELETE", SUBNET) == (400, "InUseSubnetCannotBeDeleted")
    assert cloud.aks("PUT", POOL, {"properties": {"count": 5, "mode": "System"}}).status == 200
    cloud.settle()
    assert len(users(cloud)) == 5
    second = {"properties": {"count": 1, "vnetSubnetID": link(SUBNET)["id"]}}
    assert cloud.aks("PUT", f"{CLUSTER}/agentPools/q", second).status == 201
    cloud.settle()
    assert len(users(cloud)) == 6
    assert cloud.aks("DELETE", f"{CLUSTER}/agentPools/q").status == 202
    cloud.settle()
    assert len(users(cloud)) == 5
    assert len(listed(cloud, "Microsoft.Compute/virtualMachineScaleSets")) == 1


def test_node_public_addresses_are_configurations_of_the_scale_set() -> None:
    cloud = Aks()
    cloud.made(agentPoolProfiles=[{"name": "p", "count": 1, "mode": "System", "enableNodePublicIP": True}])
    (machines,) = listed(cloud, "Microsoft.Compute/virtualMachineScaleSets")
    profile = machines["properties"]["virtualMachineProfile"]["networkProfile"]
    (configuration,) = profile["networkInterfaceConfigurations"][0]["properties"]["ipConfigurations"]
    address = configuration["properties"]["publicIPAddressConfiguration"]
    assert address["properties"]["publicIPAddressVersion"] == "IPv4"


def test_node_public_addresses_come_from_a_prefix_and_bear_its_tags() -> None:
    cloud = Aks()
    tags = [{"ipTagType": "RoutingPreference", "tag": "Internet"}]
    prefix = link("publicIPPrefixes/mine")["id"]
    pool = {"name": "p", "enableNodePublicIP": True, "nodePublicIPPrefixID": prefix}
    cloud.made(agentPoolProfiles=[pool | {"networkProfile": {"nodePublicIPTags": tags}}])
    (machines,) = listed(cloud, "Microsoft.Compute/virtualMachineScaleSets")
    profile = machines["properties"]["virtualMachineProfile"]["networkProfile"]
    (configuration,) = profile["networkInterfaceConfigurations"][0]["properties"]["ipConfigurations"]
    address = configuration["properties"]["publicIPAddressConfiguration"]["properties"]
    assert (address["ipTags"], address["publicIPPrefix"]) == (tags, {"id": prefix})


def test_a_prefix_leads_out_instead() -> None:
    cloud = Aks()
    cloud.put("publicIPPrefixes/mine", {"prefixLength": 30}, sku={"name": "Standard"})
    cloud.settle()
    mine = {"loadBalancerProfile": {"outboundIPPrefixes": {"publicIPPrefixes": [link("publicIPPrefixes/mine")]}}}
    cloud.made(networkProfile=mine)
    (frontend,) = cloud.get(f"{NODE_NETWORK}/loadBalancers/kubernetes")["properties"]["frontendIPConfigurations"]
    assert frontend["properties"]["publicIPPrefix"] == link("publicIPPrefixes/mine")
    assert effective(cloud) == [link("publicIPPrefixes/mine")["id"]]


def test_a_gateway_pool_has_a_public_prefix() -> None:
    cloud = Aks()
    cloud.made()
    gateway = {"mode": "Gateway", "gatewayProfile": {"publicIPPrefixSize": 30}, "count": 2}
    assert cloud.aks("PUT", f"{CLUSTER}/agentPools/g", {"properties": gateway}).status == 201
    cloud.settle()
    (prefix,) = listed(cloud, "publicIPPrefixes")
    assert prefix["properties"]["ipPrefix"].endswith("/30")
    assert cloud.aks("DELETE", f"{CLUSTER}/agentPools/g").status == 202
    cloud.settle()
    assert listed(cloud, "publicIPPrefixes") == []


def routes(cloud: Aks, table: str) -> dict[str, str]:
    found = cloud.get(table)["properties"]["routes"]
    return {route["properties"]["addressPrefix"]: route["properties"].get("nextHopIpAddress", "") for route in found}


def test_kubenet_routes_pods_to_their_nodes_in_a_table_of_its_own() -> None:
    cloud = Aks()
    cloud.made(own=True, networkProfile=KUBENET)
    (table,) = listed(cloud, "routeTables")
    assert cloud.get(SUBNET)["properties"]["routeTable"] == {"id": table["id"]}
    assert routes(cloud, table["id"]) == {"10.244.0.0/24": "10.0.0.4", "10.244.1.0/24": "10.0.0.5"}
    assert {route["properties"]["nextHopType"] for route in table["properties"]["routes"]} == {"VirtualAppliance"}
    assert cloud.aks("PUT", POOL, {"properties": {"count": 3, "mode": "System"}}).status == 200
    cloud.settle()
    assert list(routes(cloud, table["id"])) == ["10.244.0.0/24", "10.244.1.0/24", "10.244.2.0/24"]
    assert cloud.aks("PUT", POOL, {"properties": {"count": 1, "mode": "System"}}).status == 200
    cloud.settle()
    assert routes(cloud, table["id"]) == {"10.244.0.0/24": "10.0.0.4"}
    assert cloud.aks("DELETE").status == 202
    cloud.settle()
    assert "routeTable" not in cloud.get(SUBNET)["properties"]


def test_kubenet_routes_as_many_nodes_as_have_room() -> None:
    cloud = Aks()
    small = "virtualNetworks/v/subnets/small"
    cloud.attach(small, "10.0.7.0/29")
    cloud.nic("i", small)
    pool = {"name": "p", "count": 5, "vnetSubnetID": link(small)["id"]}
    cloud.made(agentPoolProfiles=[pool], networkProfile=KUBENET)
    (table,) = listed(cloud, "routeTables")
    assert routes(cloud, table["id"]) == {"10.244.0.0/24": "10.0.7.5", "10.244.1.0/24": "10.0.7.6"}


def test_kubenet_adds_its_routes_to_the_table_that_is_there() -> None:
    cloud = Aks()
    cloud.attach(routeTable="firewall")
    cloud.made("userDefinedRouting", own=True, networkProfile=KUBENET)
    assert "routeTables" not in kinds(cloud)
    table = link("routeTables/firewall")["id"]
    assert set(routes(cloud, table)) == {"0.0.0.0/0", "10.244.0.0/24", "10.244.1.0/24"}
    assert cloud.aks("DELETE").status == 202
    cloud.settle()
    assert set(routes(cloud, table)) == {"0.0.0.0/0"}
    assert cloud.get(SUBNET)["properties"]["routeTable"] == {"id": table}


def test_what_somebody_changes_in_the_node_group_is_changed_back() -> None:
    cloud = Aks()
    cloud.made()
    balancer = cloud.get(f"{NODE_NETWORK}/loadBalancers/kubernetes")
    rules = balancer["properties"]["outboundRules"]
    balancer["properties"]["outboundRules"] = []
    balancer["properties"]["frontendIPConfigurations"] = []
    assert cloud.call("PUT", balancer["id"], balancer).status == 200
    cloud.settle()
    cloud.made()
    mended = cloud.get(balancer["id"])["properties"]
    assert [rule["name"] for rule in mended["outboundRules"]] == [rule["name"] for rule in rules]
    assert len(effective(cloud)) == 1


def test_a_locked_node_group_is_for_aks_alone() -> None:
    cloud = Aks()
    cloud.made(nodeResourceGroupProfile={"restrictionLevel": "ReadOnly"})
    address = effective(cloud)[0]
    assert cloud.call("GET", address).status == 200
    assert cloud.refused("PUT", address, {"location": "eastus"}) == (403, "DenyAssignmentAuthorizationFailed")
    assert cloud.refused("DELETE", NODES) == (403, "DenyAssignmentAuthorizationFailed")
    cloud.made(
        nodeResourceGroupProfile={"restrictionLevel": "ReadOnly"},
        networkProfile={"loadBalancerProfile": {"managedOutboundIPs": {"count": 2}}},
    )
    assert len(effective(cloud)) == 2
    cloud.made(nodeResourceGroupProfile={"restrictionLevel": "Unrestricted"})
    assert cloud.call("PATCH", address, {"tags": {}}).status == 200


def test_a_cluster_goes_with_its_node_group() -> None:
    cloud = Aks()
    cloud.made(own=True)
    assert cloud.aks("DELETE").status == 202
    cloud.settle()
    assert cloud.call("GET", NODES).status == 404
    assert users(cloud) == []
    assert cloud.call("DELETE", SUBNET).status == 202


def test_a_cluster_without_a_node_group_goes_too() -> None:
    cloud = Aks()
    cloud.arm.load([{"id": CLUSTER, "location": "eastus"}])
    assert cloud.aks("DELETE").status == 202
    cloud.settle()
    assert cloud.aks("GET").status == 404


def test_a_group_that_goes_takes_its_clusters_along() -> None:
    cloud = Aks()
    cloud.made(own=True)
    assert cloud.call("DELETE", GROUP).status == 202
    cloud.settle()
    assert (cloud.call("GET", GROUP).status, cloud.call("GET", NODES).status) == (404, 404)


def test_a_cluster_whose_node_group_is_used_elsewhere_stays_and_fails() -> None:
    cloud = Aks()
    cloud.made()
    (network,) = listed(cloud, "virtualNetworks")
    cloud.put(
        "networkInterfaces/i",
        {
            "ipConfigurations": [
                {"name": "one", "properties": {"subnet": {"id": f"{network['id']}/subnets/aks-subnet"}}}
            ]
        },
    )
    cloud.settle()
    assert cloud.aks("DELETE").status == 202
    cloud.settle()
    assert cloud.get(CLUSTER)["properties"]["provisioningState"] == "Failed"
    assert cloud.call("DELETE", "networkInterfaces/i").status == 200
    assert cloud.aks("DELETE").status == 202
    cloud.settle()
    assert cloud.aks("GET").status == 404


def test_a_subnet_that_goes_meanwhile_fails_the_cluster() -> None:
    cloud = Aks(durations={"microsoft.containerservice/managedclusters": 60})
    cloud.cluster(own=True)
    assert cloud.call("DELETE", SUBNET).status == 202
    cloud.settle()
    assert cloud.get(CLUSTER)["properties"]["provisioningState"] == "Failed"
    assert kinds(cloud) == set()


def test_whatever_aks_writes_is_an_event_of_its_own() -> None:
    cloud = Aks()
    before = len(cloud.arm.events)
    cloud.made()
    told_of = [(event.subject.split("/")[-2], event.data["claims"]["appid"][:8]) for event in cloud.arm.events[before:]]
    assert ("publicIPAddresses", "7319c514") in told_of
    assert told_of[-1] == ("managedClusters", "5e000000")
    cloud.made()
    assert [event.subject.split("/")[-2] for event in cloud.arm.events[before + len(told_of) :]] == ["managedClusters"]


def test_an_estate_with_a_cluster_comes_back_as_it_was() -> None:
    cloud = Aks()
    cloud.attach(routeTable="firewall")
    cloud.made("userDefinedRouting", own=True, networkProfile=KUBENET)
    estate = cloud.arm.export()
    again = Aks()
    again.arm.reset()
    again.arm.load(estate)
    assert again.arm.export() == estate
    shown = again.get(CLUSTER)
    assert [pool["name"] for pool in shown["properties"]["agentPoolProfiles"]] == ["p"]
    before = len(again.arm.events)
    again.cluster("userDefinedRouting", own=True)
    again.settle()
    assert [event.subject.split("/")[-2] for event in again.arm.events[before:]] == ["managedClusters"]
    pools = [entry for entry in estate if entry["type"].endswith("/agentPools")]
    assert pools == []


def test_an_autoscaler_moves_a_pool_without_a_word() -> None:
    cloud = Aks()
    first = cloud.made()
    pool, before = cloud.get(POOL), len(cloud.arm.events)
    cloud.arm.load([{**pool, "properties": {**pool["properties"], "count": 7, "eTag": ""}}])
    assert cloud.get(CLUSTER)["properties"]["agentPoolProfiles"][0]["count"] == 7
    assert (cloud.get(CLUSTER)["eTag"], len(cloud.arm.events)) == (first["eTag"], before)
    assert cloud.get(POOL)["properties"]["eTag"] != pool["properties"]["eTag"]
    assert cloud.cluster().status == 200  # with the count it had
    cloud.settle()
    assert cloud.get(POOL)["properties"]["count"] == 2


def test_clusters_are_in_resource_graph() -> None:
    cloud = Aks()
    cloud.made()
    query = {
        "subscriptions": [SUBSCRIPTION],
        "query": "resources | where type =~ 'Microsoft.ContainerService/managedClusters'",
    }
    found = cloud.call("POST", "/providers/Microsoft.ResourceGraph/resources", query, version="2022-10-01").json()
    (row,) = found["data"]
    assert row["type"] == "microsoft.containerservice/managedclusters"
    assert row["properties"]["networkProfile"]["outboundType"] == "loadBalancer"
    assert [pool["name"] for pool in row["properties"]["agentPoolProfiles"]] == ["p"]
    inside = query | {"query": "resources | where resourceGroup =~ 'MC_rg_k_eastus'"}
    rows = cloud.call("POST", "/providers/Microsoft.ResourceGraph/resources", inside, version="2022-10-01").json()
    assert "microsoft.network/loadbalancers" in {one["type"] for one in rows["data"]}


def test_who_writes_a_cluster_joins_its_subnets_and_not_what_aks_filled_in() -> None:
    cloud = Aks()
    shown = cloud.made(own=True)
    assert effective(cloud)
    asked = list(joined(CLUSTER, CLUSTERS, shown))
    assert asked == [("Microsoft.Network/virtualNetworks/subnets/join/action", link(SUBNET)["id"])]
