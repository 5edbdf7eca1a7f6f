"""How many there may be of a kind in one place: the last that is let in, and the words for the next."""

from typing import Any

import pytest

from simulator.arm import Arm, ManualClock
from tests.simulator.cloud import GROUP, NETWORK, SUBSCRIPTION, Cloud, link

PER_REGION = {
    "virtualNetworks": (1_000, "VirtualNetworkCountLimitReached", "virtual networks"),
    "routeTables": (200, "RouteTableCountLimitReached", "route tables"),
    "natGateways": (1_000, "NatGatewayCountLimitReached", "NAT gateways"),
    "networkSecurityGroups": (5_000, "NetworkSecurityGroupCountLimitReached", "network security groups"),
    "publicIPAddresses": (1_000, "PublicIPCountLimitReached", "public IP addresses"),
    "loadBalancers": (1_000, "LoadBalancerCountLimitReached", "load balancers"),
}
OTHER = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/Microsoft.Network"


def many(kind: str, count: int, location: str = "eastus", network: str = NETWORK) -> list[dict[str, Any]]:
    """A type and a number in, so many resources of an estate out."""
    return [{"id": f"{network}/{kind}/{location}-{number}", "location": location} for number in range(count)]


def subnets(count: int) -> list[dict[str, Any]]:
    """A number in, so many subnets out, each with room of its own in 10.0.0.0/8."""
    return [
        {"name": f"s{number}", "properties": {"addressPrefix": f"10.{number // 256}.{number % 256}.0/24"}}
        for number in range(count)
    ]


@pytest.mark.parametrize("kind", PER_REGION)
def test_a_region_of_a_subscription_holds_so_many_and_no_more(cloud: Cloud, kind: str) -> None:
    most, code, noun = PER_REGION[kind]
    cloud.arm.load(many(kind, most - 1) + many(kind, 1, "westus") + many(kind, 1, network=OTHER))
    cloud.put(f"{kind}/last")
    answer = cloud.call("PUT", f"{kind}/more", {"location": "East US"})
    assert answer.status == 400
    assert answer.json()["error"] == {
        "code": code,
        "message": f"Cannot create more than {most} {noun} for this subscription in this region.",
        "details": [],
    }
    cloud.put(f"{kind}/last", tags={"written": "again"})
    cloud.put(f"{kind}/elsewhere", location="westus")
    assert cloud.call("DELETE", f"{kind}/last").status == 202
    cloud.put(f"{kind}/more")


def test_an_estate_may_bring_more_and_what_it_brought_is_written(cloud: Cloud) -> None:
    cloud.arm.load(many("routeTables", 300))
    cloud.arm.load(many("routeTables", 300))
    cloud.put("routeTables/eastus-7", tags={"a": "b"})
    assert cloud.refused("PUT", "routeTables/new", {"location": "eastus"}) == (400, "RouteTableCountLimitReached")
    assert len(Arm(ManualClock(), estate=cloud.arm.export()).export()) == 302


def test_deletes_with_their_group_count_as_well(cloud: Cloud) -> None:
    other = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/other"
    cloud.arm.load(many("routeTables", 200, network=f"{other}/providers/Microsoft.Network"))
    assert cloud.refused("PUT", "routeTables/new", {"location": "eastus"})[0] == 400
    assert cloud.call("DELETE", other).status == 202
    cloud.put("routeTables/new")


def test_a_network_has_so_many_subnets(cloud: Cloud) -> None:
    space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/8"]}}
    network = {**link("virtualNetworks/v"), "location": "eastus", "properties": {**space, "subnets": subnets(2999)}}
    cloud.arm.load([network])
    cloud.subnet("virtualNetworks/v/subnets/last", "10.200.0.0/24")
    body = {"properties": {"addressPrefix": "10.200.1.0/24"}}
    assert cloud.refused("PUT", "virtualNetworks/v/subnets/more", body) == (400, "SubnetCountLimitReached")
    cloud.subnet("virtualNetworks/v/subnets/last", "10.200.0.0/24", defaultOutboundAccess=False)
    whole = {"location": "eastus", "properties": {**space, "subnets": subnets(3001)}}
    assert cloud.refused("PUT", "virtualNetworks/w", whole) == (400, "SubnetCountLimitReached")


def test_a_nat_gateway_serves_so_many_subnets(cloud: Cloud) -> None:
    gateway = cloud.gateway("n")
    space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/8"]}}
    inside = subnets(801)
    for subnet in inside[:800]:
        subnet["properties"]["natGateway"] = gateway
    cloud.arm.load([{**link("virtualNetworks/v"), "location": "eastus", "properties": {**space, "subnets": inside}}])
    path = "virtualNetworks/v/subnets/s"
    full = {"properties": {"addressPrefix": "10.3.32.0/24", "natGateway": gateway}}
    assert cloud.refused("PUT", f"{path}800", full) == (400, "NatGatewaySubnetLimitExceeded")
    cloud.subnet(f"{path}7", "10.0.7.0/24", natGateway=gateway, defaultOutboundAccess=False)
    cloud.subnet(f"{path}7", "10.0.7.0/24")
    cloud.subnet(f"{path}800", "10.3.32.0/24", natGateway=gateway)


def test_a_subscription_has_so_many_groups(cloud: Cloud) -> None:
    groups = f"/subscriptions/{SUBSCRIPTION}/resourceGroups"
    cloud.arm.load([{"id": f"{groups}/g{n}", "type": "Microsoft.Resources/resourceGroups"} for n in range(979)])
    answer = cloud.call("PUT", f"{groups}/more", {"location": "eastus"})
    assert (answer.status, answer.json()["error"]["code"]) == (409, "ResourceGroupQuotaExceeded")
    assert answer.json()["error"]["message"] == (
        "Creating the resource group 'more' would exceed the quota of '980'. The current resource group count is "
        "'980', please delete some groups before creating a new one."
    )
    assert cloud.call("PUT", GROUP, {"location": "eastus"}).status == 200


def test_a_group_has_so_many_rules(cloud: Cloud) -> None:
    rules = [
        {"name": f"r{n}", "properties": {"priority": 100 + n, "direction": "Inbound", "access": "Deny"}}
        for n in range(1001)
    ]
    body = {"location": "eastus", "properties": {"securityRules": rules}}
    assert cloud.refused("PUT", "networkSecurityGroups/g", body) == (400, "SecurityRuleCountLimitReached")
    cloud.put("networkSecurityGroups/g", {"securityRules": rules[:1000]})
    assert cloud.refused("PUT", "networkSecurityGroups/g/securityRules/r1000", rules[1000]) == (
        400,
        "SecurityRuleCountLimitReached",
    )


def test_a_firewall_has_so_many_addresses(cloud: Cloud) -> None:
    cloud.arm.load(
        [{**link(f"publicIPAddresses/p{n}"), "location": "eastus", "sku": {"name": "Standard"}} for n in range(251)]
    )
    cloud.subnet(f"{cloud.vnet()}/subnets/AzureFirewallSubnet")
    subnet = {"subnet": link("virtualNetworks/v/subnets/AzureFirewallSubnet")}
    held = [
        {
            "name": f"c{n}",
            "properties": {"publicIPAddress": link(f"publicIPAddresses/p{n}"), **(subnet if n == 0 else {})},
        }
        for n in range(251)
    ]
    body = {"location": "eastus", "properties": {"ipConfigurations": held}}
    assert cloud.refused("PUT", "azureFirewalls/f", body) == (400, "AzureFirewallPublicIPAddressLimitExceeded")
    cloud.put("azureFirewalls/f", {"ipConfigurations": held[:250]})
