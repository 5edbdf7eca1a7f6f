"""Load balancers from inside: what their parts say of each other, and who is in their pools."""

from typing import Any

import pytest

from tests.simulator.cloud import GROUP, NETWORK, Cloud, link, nic_properties

LB = "loadBalancers/lb"
FRONTEND, POOL, PROBE = (
    link(f"{LB}/{part}") for part in ("frontendIPConfigurations/out", "backendAddressPools/web", "probes/alive")
)
RULE = {
    "name": "https",
    "properties": {
        "frontendIPConfiguration": FRONTEND,
        "backendAddressPool": POOL,
        "probe": PROBE,
        "protocol": "Tcp",
        "frontendPort": 443,
        "backendPort": 443,
        "disableOutboundSnat": True,
    },
}
OUTBOUND = {"name": "all", "properties": {"frontendIPConfigurations": [FRONTEND], "backendAddressPool": POOL}}


def put(cloud: Cloud, frontend: dict[str, Any], **properties: Any) -> dict[str, Any]:
    parts = {
        "frontendIPConfigurations": [{"name": "out", "properties": frontend}],
        "backendAddressPools": [{"name": "web"}],
        "probes": [{"name": "alive", "properties": {"protocol": "Tcp", "port": 443}}],
    }
    return cloud.put(LB, parts | properties, sku={"name": "Standard"})


def one(cloud: Cloud, array: str) -> dict[str, Any]:
    (element,) = cloud.get(LB)["properties"][array]
    found: dict[str, Any] = element["properties"]
    return found


def test_rules_are_shown_at_what_they_name(cloud: Cloud) -> None:
    address = cloud.address("p")
    body = put(cloud, {"publicIPAddress": address}, loadBalancingRules=[RULE], outboundRules=[OUTBOUND])
    rule, outbound = link(f"{LB}/loadBalancingRules/https"), link(f"{LB}/outboundRules/all")
    for array in ("frontendIPConfigurations", "backendAddressPools"):
        assert one(cloud, array)["loadBalancingRules"] == [rule]
        assert one(cloud, array)["outboundRules"] == [outbound]
    assert one(cloud, "probes")["loadBalancingRules"] == [rule]
    assert cloud.get("publicIPAddresses/p")["properties"]["ipConfiguration"] == FRONTEND
    shown = one(cloud, "loadBalancingRules")
    assert shown["backendAddressPools"] == [POOL]
    assert (shown["disableOutboundSnat"], shown["loadDistribution"], shown["idleTimeoutInMinutes"]) == (
        True,
        "Default",
        4,
    )
    assert one(cloud, "outboundRules")["protocol"] == "All"
    for array in ("frontendIPConfigurations", "backendAddressPools", "loadBalancingRules", "outboundRules", "probes"):
        (element,) = body["properties"][array]
        assert element["etag"] == body["etag"]
        assert element["id"] == f"{NETWORK}/{LB}/{array}/{element['name']}"
        assert element["type"] == f"Microsoft.Network/loadBalancers/{array}"
        assert element["properties"]["provisioningState"] == "Succeeded"
    assert body["properties"]["inboundNatRules"] == []


def test_writing_back_what_was_read_changes_nothing(cloud: Cloud) -> None:
    put(cloud, {"publicIPAddress": cloud.address("p")}, loadBalancingRules=[RULE], outboundRules=[OUTBOUND])
    before = cloud.get(LB)
    assert cloud.call("PUT", LB, before).status == 200
    assert cloud.get(LB)["properties"]["backendAddressPools"][0]["properties"] == one(cloud, "backendAddressPools")
    after = cloud.get(LB)
    assert str(after).replace(after["etag"], "") == str(before).replace(before["etag"], "")


def test_interfaces_are_shown_in_their_pools(cloud: Cloud) -> None:
    put(cloud, {"publicIPAddress": cloud.address("p")})
    vnet = cloud.vnet()
    cloud.subnet(f"{vnet}/subnets/s")
    assert "backendIPConfigurations" not in one(cloud, "backendAddressPools")
    whole = {**POOL, "name": "web", "properties": {"provisioningState": "Succeeded"}}
    shown = cloud.nic("nic", f"{vnet}/subnets/s", loadBalancerBackendAddressPools=[whole])
    inner = shown["properties"]["ipConfigurations"][0]["properties"]
    assert inner["loadBalancerBackendAddressPools"] == [POOL]
    member = link("networkInterfaces/nic/ipConfigurations/one")
    assert one(cloud, "backendAddressPools")["backendIPConfigurations"] == [member]
    cloud.nic("nic", f"{vnet}/subnets/s")
    assert "backendIPConfigurations" not in one(cloud, "backendAddressPools")


def test_instances_of_a_scale_set_are_shown_in_their_pools(cloud: Cloud) -> None:
    put(cloud, {"publicIPAddress": cloud.address("p")})
    configuration = {"name": "ip", "properties": {"loadBalancerBackendAddressPools": [POOL]}}
    interface = {"name": "nic", "properties": {"ipConfigurations": [configuration]}}
    profile = {"networkProfile": {"networkInterfaceConfigurations": [interface]}}
    nodes = f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/nodes"
    cloud.put(nodes, {"virtualMachineProfile": profile}, sku={"capacity": 2}, location="eastus")
    assert len(one(cloud, "backendAddressPools")["backendIPConfigurations"]) == 2


def test_strangers_in_a_pool_of_an_estate_stay(cloud: Cloud) -> None:
    stranger = link("networkInterfaces/stranger/ipConfigurations/one")
    pool = {"name": "web", "properties": {"backendIPConfigurations": [stranger]}}
    estate = [{"id": f"{NETWORK}/{LB}", "location": "eastus", "properties": {"backendAddressPools": [pool]}}]
    cloud.arm.load(estate)
    assert one(cloud, "backendAddressPools")["backendIPConfigurations"] == [stranger]
    other = Cloud()
    other.arm.load(cloud.arm.export())
    assert one(other, "backendAddressPools")["backendIPConfigurations"] == [stranger]


def test_internal_frontend_takes_an_address_and_occupies_its_subnet(cloud: Cloud) -> None:
    vnet = cloud.vnet()
    subnet = f"{vnet}/subnets/s"
    cloud.subnet(subnet, "10.0.0.0/29")
    put(cloud, {"subnet": link(subnet)})
    assert one(cloud, "frontendIPConfigurations")["privateIPAddress"] == "10.0.0.4"
    assert cloud.get(subnet)["properties"]["ipConfigurations"] == [FRONTEND]
    assert cloud.refused("DELETE", subnet) == (400, "InUseSubnetCannotBeDeleted")
    nic = cloud.nic("nic", subnet)["properties"]["ipConfigurations"][0]["properties"]
    assert nic["privateIPAddress"] == "10.0.0.5"
    put(cloud, {"subnet": link(subnet)}, loadBalancingRules=[RULE])
    assert one(cloud, "frontendIPConfigurations")["privateIPAddress"] == "10.0.0.4"
    static = {"subnet": link(subnet), "privateIPAllocationMethod": "Static", "privateIPAddress": "10.0.0.5"}
    body = {"location": "eastus", "properties": {"frontendIPConfigurations": [{"name": "out", "properties": static}]}}
    assert cloud.refused("PUT", LB, body) == (400, "PrivateIPAddressInUse")


@pytest.mark.parametrize("rule", [RULE, OUTBOUND])
def test_rules_name_parts_that_are_there(cloud: Cloud, rule: dict[str, Any]) -> None:
    array = "loadBalancingRules" if rule is RULE else "outboundRules"
    body = {"location": "eastus", "properties": {array: [rule]}}
    assert cloud.refused("PUT", LB, body) == (400, "InvalidResourceReference")


def test_pools_that_interfaces_name_are_there(cloud: Cloud) -> None:
    vnet = cloud.vnet()
    cloud.subnet(f"{vnet}/subnets/s")
    inside = nic_properties(f"{vnet}/subnets/s", loadBalancerBackendAddressPools=[POOL])
    body = {"location": "eastus", "properties": inside}
    assert cloud.refused("PUT", "networkInterfaces/nic", body) == (400, "InvalidResourceReference")
    cloud.put(LB, {"backendAddressPools": [{"name": "other"}]})
    assert cloud.refused("PUT", "networkInterfaces/nic", body) == (400, "InvalidResourceReference")
    put(cloud, {"publicIPAddress": cloud.address("p")})
    assert cloud.call("PUT", "networkInterfaces/nic", body).status == 201
