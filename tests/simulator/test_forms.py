"""Bodies that the Network provider cannot read: other JSON types, and ids of what does not belong there."""

from typing import Any

import pytest

from tests.simulator.cloud import NETWORK, Cloud, link, nic_properties

SPACE = {"addressPrefixes": ["10.0.0.0/16"]}
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("virtualNetworks/v", {"addressSpace": {"addressPrefixes": True}}, "properties.addressSpace.addressPrefixes"),
    ("virtualNetworks/v", {"addressSpace": {"addressPrefixes": [1]}}, "properties.addressSpace.addressPrefixes[0]"),
    ("virtualNetworks/v", {"addressSpace": []}, "properties.addressSpace"),
    ("virtualNetworks/v", {"addressSpace": SPACE, "subnets": {}}, "properties.subnets"),
    ("virtualNetworks/v", {"addressSpace": SPACE, "subnets": [1]}, "properties.subnets[0]"),
    (
        "virtualNetworks/v",
        {"addressSpace": SPACE, "subnets": [{"name": "a", "properties": {"natGateway": "n"}}]},
        "properties.subnets[0].properties.natGateway",
    ),
    ("virtualNetworks/w/subnets/s", {"addressPrefix": 10}, "properties.addressPrefix"),
    ("virtualNetworks/w/subnets/s", {"defaultOutboundAccess": "no"}, "properties.defaultOutboundAccess"),
    ("natGateways/n", {"idleTimeoutInMinutes": "four"}, "properties.idleTimeoutInMinutes"),
    ("natGateways/n", {"publicIpAddresses": {"id": "x"}}, "properties.publicIpAddresses"),
    ("routeTables/t", {"routes": [{"name": "r", "properties": 1}]}, "properties.routes[0].properties"),
    ("routeTables/t", {"disableBgpRoutePropagation": 1}, "properties.disableBgpRoutePropagation"),
    ("networkSecurityGroups/g", {"securityRules": [{"name": ["r"]}]}, "properties.securityRules[0].name"),
    ("networkInterfaces/i", {"ipConfigurations": "none"}, "properties.ipConfigurations"),
    ("loadBalancers/l", {"probes": [{"properties": {"port": 1e300}}]}, "properties.probes[0].properties.port"),
    ("publicIPPrefixes/p", {"prefixLength": 28.5}, "properties.prefixLength"),
    ("bastionHosts/b", {"ipConfigurations": 1}, "properties.ipConfigurations"),
]


@pytest.mark.parametrize(("path", "properties", "place"), WRONG, ids=[f"{path} {place}" for path, _, place in WRONG])
def test_members_have_the_json_type_that_azure_reads(
    cloud: Cloud, path: str, properties: dict[str, Any], place: str
) -> None:
    cloud.vnet("w")
    answer = cloud.call("PUT", path, {"location": "eastus", "properties": properties})
    assert answer.status == 400
    error = answer.json()["error"]
    (detail,) = error["details"]
    assert (error["code"], error["message"]) == ("InvalidRequestFormat", "Cannot parse the request.")
    assert detail["code"] == "InvalidJson"
    assert detail["message"].startswith("Error converting value")
    assert detail["message"].endswith(f"Path '{place}'.")


def test_null_is_the_same_as_nothing(cloud: Cloud) -> None:
    subnet = {"addressPrefix": "10.0.0.0/24", "natGateway": None, "delegations": None, "defaultOutboundAccess": None}
    shown = cloud.put(f"{cloud.vnet()}/subnets/s", subnet)
    assert {"natGateway", "defaultOutboundAccess"} & shown["properties"].keys() == set()


REFERENCES: list[tuple[str, dict[str, Any], str, str]] = [
    ("virtualNetworks/v/subnets/s", {"natGateway": link("routeTables/t")}, "natGateways", "natGateway"),
    ("virtualNetworks/v/subnets/s", {"routeTable": link("natGateways/n")}, "routeTables", "routeTable"),
    (
        "virtualNetworks/v/subnets/s",
        {"networkSecurityGroup": link("virtualNetworks/v")},
        "networkSecurityGroups",
        "networkSecurityGroup",
    ),
    ("natGateways/n", {"publicIpAddresses": [link("routeTables/t")]}, "publicIPAddresses", "publicIpAddresses"),
    ("natGateways/n", {"publicIpPrefixes": [link("publicIPAddresses/p")]}, "publicIPPrefixes", "publicIpPrefixes"),
    ("publicIPAddresses/q", {"publicIPPrefix": link("publicIPAddresses/p")}, "publicIPPrefixes", "publicIPPrefix"),
    ("networkInterfaces/i", nic_properties("virtualNetworks/v"), "subnets", "subnet"),
    ("azureFirewalls/f", {"firewallPolicy": link("natGateways/n")}, "firewallPolicies", "firewallPolicy"),
]


@pytest.mark.parametrize(("path", "properties", "kind", "member"), REFERENCES)
def test_references_name_what_belongs_there(
    cloud: Cloud, path: str, properties: dict[str, Any], kind: str, member: str
) -> None:
    cloud.vnet()
    cloud.put("routeTables/t")
    cloud.gateway("n")
    cloud.address("p")
    body = {"location": "eastus", "properties": {"addressPrefix": "10.0.0.0/24", **properties}}
    answer = cloud.call("PUT", path, body)
    (detail,) = answer.json()["error"]["details"]
    assert (answer.status, detail["code"]) == (400, "InvalidJsonReferenceFormat")
    assert detail["message"].startswith(f"Reference Id {NETWORK}/")
    assert detail["message"].endswith(
        f" is not formatted correctly. The Id is expected to reference resources of type {kind}. Path "
        f"properties.{member}."
    )


FAR = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/far/providers/Microsoft.Network"


@pytest.mark.parametrize("network", [f"{FAR}/virtualNetworks/v", f"{NETWORK}/virtualNetworks/west"])
def test_an_interface_lies_where_its_subnet_does(cloud: Cloud, network: str) -> None:
    subnet = {"name": "s", "properties": {"addressPrefix": "10.0.0.0/24"}}
    location = "westus" if network.endswith("west") else "eastus"
    cloud.arm.load([{"id": network, "location": location, "properties": {"addressSpace": SPACE, "subnets": [subnet]}}])
    configuration = {"name": "c", "properties": {"subnet": {"id": f"{network}/subnets/s"}}}
    answer = cloud.call(
        "PUT", "networkInterfaces/i", {"location": "eastus", "properties": {"ipConfigurations": [configuration]}}
    )
    assert answer.status == 400
    assert answer.json()["error"]["message"] == (
        f"Resource {network}/subnets/s referenced by resource {NETWORK}/networkInterfaces/i was not found. Please make "
        "sure that the referenced resource exists, and that both resources are in the same region."
    )


@pytest.mark.parametrize("kind", ["publicIPAddresses", "publicIPPrefixes"])
def test_addresses_lie_where_their_gateway_does(cloud: Cloud, kind: str) -> None:
    member = {"publicIPAddresses": "publicIpAddresses", "publicIPPrefixes": "publicIpPrefixes"}[kind]
    for found in ({"id": f"{FAR}/{kind}/p", "location": "eastus"}, {**link(f"{kind}/p"), "location": "westus"}):
        cloud.arm.load([found | {"sku": {"name": "Standard"}}])
        body = {"location": "eastus", "properties": {member: [{"id": found["id"]}]}}
        assert cloud.refused("PUT", "natGateways/n", body) == (400, "InvalidResourceReference")


def test_a_policy_serves_firewalls_anywhere(cloud: Cloud) -> None:
    cloud.arm.load([{"id": f"{FAR}/firewallPolicies/p", "location": "westus"}])
    cloud.subnet(f"{cloud.vnet()}/subnets/AzureFirewallSubnet")
    held = {
        "subnet": link("virtualNetworks/v/subnets/AzureFirewallSubnet"),
        "publicIPAddress": cloud.address("p"),
    }
    properties = {
        "firewallPolicy": {"id": f"{FAR}/firewallPolicies/p"},
        "ipConfigurations": [{"name": "c", "properties": held}],
    }
    assert cloud.put("azureFirewalls/f", properties)["properties"]["firewallPolicy"] == properties["firewallPolicy"]
