"""Subnets whose name is their purpose."""

from typing import Any

import pytest

from tests.simulator.cloud import NETWORK, Cloud, link, nic_properties

RESIDENTS: dict[str, tuple[str, dict[str, Any], int]] = {
    "AzureFirewallSubnet": ("azureFirewalls/x", {}, 26),
    "AzureBastionSubnet": ("bastionHosts/x", {}, 26),
    "GatewaySubnet": ("virtualNetworkGateways/x", {"gatewayType": "Vpn"}, 29),
}


def _in(cloud: Cloud, name: str, length: int) -> str:
    cloud.vnet()
    cloud.subnet(f"virtualNetworks/v/subnets/{name}", f"10.0.0.0/{length}")
    return f"virtualNetworks/v/subnets/{name}"


def _resident(cloud: Cloud, subnet: str, path: str, properties: dict[str, Any]) -> dict[str, Any]:
    inner = {"subnet": link(subnet), "publicIPAddress": cloud.address("p")}
    return {
        "location": "eastus",
        "properties": properties | {"ipConfigurations": [{"name": "one", "properties": inner}]},
    }


@pytest.mark.parametrize("name", RESIDENTS)
def test_a_resident_needs_room(name: str) -> None:
    path, properties, longest = RESIDENTS[name]
    for length in range(24, 30):
        cloud = Cloud()
        answer = cloud.call("PUT", path, _resident(cloud, _in(cloud, name, length), path, properties))
        if length <= longest:
            assert answer.status == 201, answer.body
        else:
            assert (answer.status, answer.json()["error"]["code"]) == (400, "SubnetSizeTooSmall")


@pytest.mark.parametrize("name", [*RESIDENTS, "RouteServerSubnet", "AzureFirewallManagementSubnet"])
def test_nobody_else_lives_there(cloud: Cloud, name: str) -> None:
    subnet = _in(cloud, name, 24)
    body = {"location": "eastus", "properties": nic_properties(subnet)}
    assert cloud.refused("PUT", "networkInterfaces/n", body) == (400, "SubnetReservedForOtherResources")
    frontend = {"name": "in", "properties": {"subnet": link(subnet)}}
    body = {"location": "eastus", "sku": {"name": "Standard"}, "properties": {"frontendIPConfigurations": [frontend]}}
    assert cloud.refused("PUT", "loadBalancers/l", body) == (400, "SubnetReservedForOtherResources")


def test_bastions_and_route_servers_live_nowhere_else(cloud: Cloud) -> None:
    subnet = _in(cloud, "apps", 24)
    body = _resident(cloud, subnet, "bastionHosts/b", {})
    assert cloud.refused("PUT", "bastionHosts/b", body) == (400, "SubnetNameInvalid")
    cloud.put("virtualHubs/rs")
    inner = {"properties": {"subnet": link(subnet)}}
    assert cloud.refused("PUT", "virtualHubs/rs/ipConfigurations/one", inner) == (400, "SubnetNameInvalid")


@pytest.mark.parametrize(("length", "status"), [(27, 201), (28, 400)])
def test_a_route_server_needs_room_and_occupies_its_subnet(cloud: Cloud, length: int, status: int) -> None:
    subnet = _in(cloud, "RouteServerSubnet", length)
    cloud.put("virtualHubs/rs")
    answer = cloud.call("PUT", "virtualHubs/rs/ipConfigurations/one", {"properties": {"subnet": link(subnet)}})
    assert answer.status == status
    if status == 201:
        assert cloud.refused("DELETE", subnet) == (400, "InUseSubnetCannotBeDeleted")


def test_subnets_of_managed_instances_take_no_nat_gateway(cloud: Cloud) -> None:
    gateway = cloud.gateway("n")
    cloud.vnet()
    delegation = {"name": "d", "properties": {"serviceName": "Microsoft.Sql/managedInstances"}}
    body = {"properties": {"addressPrefix": "10.0.0.0/24", "delegations": [delegation], "natGateway": gateway}}
    refused = cloud.refused("PUT", "virtualNetworks/v/subnets/mi", body)
    assert refused == (400, "NatGatewayNotAllowedOnDelegatedSubnet")


def test_a_firewall_subnet_takes_a_nat_gateway(cloud: Cloud) -> None:
    subnet = _in(cloud, "AzureFirewallSubnet", 26)
    cloud.subnet(subnet, "10.0.0.0/26", natGateway=cloud.gateway("n"))
    assert cloud.get("natGateways/n")["properties"]["subnets"] == [{"id": f"{NETWORK}/{subnet}"}]
