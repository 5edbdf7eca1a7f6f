"""Application gateways: the subnet one lives in, its parts, and what cannot go while it is there."""

from typing import Any

import pytest

from tests.simulator.cloud import NETWORK, Cloud, link, nic_properties

NAME = "applicationGateways/agw"
SUBNET = "virtualNetworks/v/subnets/{}"
POLICY = "ApplicationGatewayWebApplicationFirewallPolicies/waf"
Body = dict[str, Any]


def gateway(subnet: str = "agw", **properties: Any) -> Body:
    """Its subnet in, the properties of a gateway with a public frontend out."""
    part = f"{NETWORK}/{NAME}"
    return {
        "sku": {"name": "WAF_v2", "tier": "WAF_v2", "capacity": 2},
        "gatewayIPConfigurations": [{"name": "own", "properties": {"subnet": link(SUBNET.format(subnet))}}],
        "frontendIPConfigurations": [
            {"name": "public", "properties": {"publicIPAddress": link("publicIPAddresses/ip")}}
        ],
        "frontendPorts": [{"name": "http", "properties": {"port": 80}}],
        "backendAddressPools": [{"name": "web", "properties": {"backendAddresses": [{"ipAddress": "10.0.1.4"}]}}],
        "httpListeners": [
            {
                "name": "web",
                "properties": {
                    "frontendIPConfiguration": {"id": f"{part}/frontendIPConfigurations/public"},
                    "frontendPort": {"id": f"{part}/frontendPorts/http"},
                    "protocol": "Http",
                },
            }
        ],
        **properties,
    }


@pytest.fixture
def azure(cloud: Cloud) -> Cloud:
    cloud.vnet()
    cloud.subnet(SUBNET.format("agw"))
    cloud.subnet(SUBNET.format("web"), "10.0.1.0/24")
    cloud.address("ip")
    return cloud


def test_a_gateway_and_its_parts(azure: Cloud) -> None:
    made = azure.put(NAME, gateway())
    assert (made["type"], made["properties"]["operationalState"]) == (
        "Microsoft.Network/applicationGateways",
        "Stopped",
    )
    shown = azure.get(NAME)["properties"]
    assert (shown["provisioningState"], shown["operationalState"]) == ("Succeeded", "Running")
    assert shown["backendAddressPools"][0]["id"] == f"{NETWORK}/{NAME}/backendAddressPools/web"
    assert shown["httpListeners"][0]["etag"] == azure.get(NAME)["etag"]
    assert shown["probes"] == []
    assert azure.get(SUBNET.format("agw"))["properties"]["ipConfigurations"] == [
        link(f"{NAME}/gatewayIPConfigurations/own")
    ]
    assert azure.get("publicIPAddresses/ip")["properties"]["ipConfiguration"] == link(
        f"{NAME}/frontendIPConfigurations/public"
    )


def test_what_a_gateway_uses_cannot_go(azure: Cloud) -> None:
    azure.put(POLICY, {"policySettings": {"mode": "Prevention"}})
    azure.put(NAME, gateway(firewallPolicy=link(POLICY)))
    assert azure.get(POLICY)["properties"]["applicationGateways"] == [link(NAME)]
    assert azure.refused("DELETE", POLICY) == (400, "WebApplicationFirewallPolicyInUse")
    assert azure.refused("DELETE", "publicIPAddresses/ip") == (400, "PublicIPAddressCannotBeDeleted")
    assert azure.refused("DELETE", SUBNET.format("agw")) == (400, "InUseSubnetCannotBeDeleted")
    assert azure.call("DELETE", NAME).status == 202
    for path in (POLICY, "publicIPAddresses/ip", SUBNET.format("agw")):
        assert azure.call("DELETE", path).status == 202


def test_a_gateway_shares_its_subnet_with_gateways_only(azure: Cloud) -> None:
    refused = (400, "ApplicationGatewaySubnetCannotBeUsedByOtherResources")
    azure.nic("nic", SUBNET.format("web"))
    assert azure.refused("PUT", NAME, {"location": "eastus", "properties": gateway("web")}) == refused
    azure.put(NAME, gateway())
    body = {"location": "eastus", "properties": nic_properties(SUBNET.format("agw"))}
    assert azure.refused("PUT", "networkInterfaces/other", body) == refused
    azure.address("second")
    frontend = {"name": "public", "properties": {"publicIPAddress": link("publicIPAddresses/second")}}
    azure.put("applicationGateways/two", gateway(frontendIPConfigurations=[frontend], httpListeners=[]))
    azure.put(NAME, gateway(enableHttp2=True))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"gatewayIPConfigurations": []}, "ApplicationGatewayGatewayIpConfigurationsCountInvalid"),
        ({"firewallPolicy": link("ApplicationGatewayWebApplicationFirewallPolicies/none")}, "InvalidResourceReference"),
        (
            {
                "frontendIPConfigurations": [
                    {"name": "x", "properties": {"publicIPAddress": link("publicIPAddresses/none")}}
                ]
            },
            "InvalidResourceReference",
        ),
        (
            {
                "frontendIPConfigurations": [
                    {"name": "x", "properties": {"subnet": link("virtualNetworks/w/subnets/s")}}
                ]
            },
            "ApplicationGatewayFrontendIpConfigurationSubnetNotInVirtualNetwork",
        ),
    ],
)
def test_gateways_are_refused(azure: Cloud, changes: Body, code: str) -> None:
    azure.vnet("w", "10.9.0.0/16")
    azure.subnet("virtualNetworks/w/subnets/s", "10.9.0.0/24")
    assert azure.refused("PUT", NAME, {"location": "eastus", "properties": gateway(**changes)}) == (400, code)


def test_private_frontends_take_an_address(azure: Cloud) -> None:
    private = {"name": "private", "properties": {"subnet": link(SUBNET.format("agw"))}}
    azure.put(NAME, gateway(frontendIPConfigurations=[private], httpListeners=[]))
    inner = azure.get(NAME)["properties"]["frontendIPConfigurations"][0]["properties"]
    assert inner["privateIPAddress"].startswith("10.0.0.")
