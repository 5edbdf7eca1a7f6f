"""What cannot be deleted while something uses it, of every type; and what can."""

from typing import Any

import pytest

from simulator.arm import Response
from tests.simulator.cloud import GROUP, NETWORK, Cloud, link, nic_properties

POOL = link("loadBalancers/l/backendAddressPools/web")
NAT_RULE = link("loadBalancers/l/inboundNatRules/ssh")
BALANCER: dict[str, Any] = {
    "frontendIPConfigurations": [{"name": "out", "properties": {"publicIPAddress": link("publicIPAddresses/p")}}],
    "backendAddressPools": [{"name": "web"}, {"name": "spare"}],
    "inboundNatRules": [
        {
            "name": "ssh",
            "properties": {
                "frontendIPConfiguration": link("loadBalancers/l/frontendIPConfigurations/out"),
                "protocol": "Tcp",
                "frontendPort": 22,
                "backendPort": 22,
            },
        }
    ],
}
SCALE_SET = f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/nodes"


def _subnet(cloud: Cloud, **properties: Any) -> str:
    cloud.vnet()
    cloud.subnet("virtualNetworks/v/subnets/s", **properties)
    return "virtualNetworks/v/subnets/s"


def _interface(cloud: Cloud) -> None:
    cloud.nic("n", _subnet(cloud))


def _nat_gateway(cloud: Cloud) -> None:
    _subnet(cloud, natGateway=cloud.gateway("n"))


def _tables(cloud: Cloud) -> None:
    cloud.put("routeTables/t")
    cloud.put("networkSecurityGroups/g")
    _subnet(cloud, routeTable=link("routeTables/t"), networkSecurityGroup=link("networkSecurityGroups/g"))


def _guarded(cloud: Cloud) -> None:
    cloud.put("networkSecurityGroups/g")
    subnet = _subnet(cloud)
    cloud.put(
        "networkInterfaces/n", {**nic_properties(subnet), "networkSecurityGroup": link("networkSecurityGroups/g")}
    )


def _machine(cloud: Cloud) -> None:
    _interface(cloud)
    machine = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm"
    cloud.put(machine, {"networkProfile": {"networkInterfaces": [link("networkInterfaces/n")]}}, location="eastus")


def _addressed(cloud: Cloud) -> None:
    cloud.nic("n", _subnet(cloud), publicIPAddress=cloud.address("p"))


def _outward(cloud: Cloud) -> None:
    cloud.gateway("n", cloud.address("p"))


def _balancer(cloud: Cloud) -> None:
    cloud.address("p")
    cloud.put("loadBalancers/l", BALANCER, sku={"name": "Standard"})


def _carved(cloud: Cloud) -> None:
    cloud.put("publicIPPrefixes/x", {"prefixLength": 30}, sku={"name": "Standard"})
    prefix = {"publicIPPrefix": link("publicIPPrefixes/x"), "publicIPAllocationMethod": "Static"}
    cloud.put("publicIPAddresses/p", prefix, sku={"name": "Standard"})


def _prefixed(cloud: Cloud) -> None:
    cloud.put("publicIPPrefixes/x", {"prefixLength": 30}, sku={"name": "Standard"})
    cloud.put("natGateways/n", {"publicIpPrefixes": [link("publicIPPrefixes/x")]}, sku={"name": "Standard"})


def _policies(cloud: Cloud) -> None:
    cloud.put("firewallPolicies/base")
    cloud.put("firewallPolicies/child", {"basePolicy": link("firewallPolicies/base")})
    cloud.put("firewallPolicies/followed")
    cloud.put("azureFirewalls/f", {"firewallPolicy": link("firewallPolicies/followed")})


def _scale_set(cloud: Cloud) -> None:
    _balancer(cloud)
    inner = {"subnet": link(_subnet(cloud)), "loadBalancerBackendAddressPools": [POOL]}
    interface = {"name": "nic", "properties": {"ipConfigurations": [{"name": "ip", "properties": inner}]}}
    profile = {"networkProfile": {"networkInterfaceConfigurations": [interface]}}
    cloud.put(SCALE_SET, {"virtualMachineProfile": profile}, sku={"capacity": 1}, location="eastus")


def _gateway(cloud: Cloud, name: str = "gw", kind: str = "Vpn") -> None:
    inside = [{"name": "default", "properties": {"subnet": link("virtualNetworks/hub/subnets/GatewaySubnet")}}]
    cloud.put(f"virtualNetworkGateways/{name}", {"gatewayType": kind, "ipConfigurations": inside})


def _transit(cloud: Cloud) -> None:
    cloud.vnet("hub", "10.1.0.0/16")
    cloud.subnet("virtualNetworks/hub/subnets/GatewaySubnet", "10.1.0.0/24")
    _gateway(cloud)
    cloud.vnet()
    there = {"remoteVirtualNetwork": link("virtualNetworks/v"), "allowGatewayTransit": True}
    back = {"remoteVirtualNetwork": link("virtualNetworks/hub"), "useRemoteGateways": True}
    cloud.put("virtualNetworks/hub/virtualNetworkPeerings/to-v", there)
    cloud.put("virtualNetworks/v/virtualNetworkPeerings/to-hub", back)


def _connected(cloud: Cloud) -> None:
    cloud.vnet("hub", "10.1.0.0/16")
    cloud.subnet("virtualNetworks/hub/subnets/GatewaySubnet", "10.1.0.0/24")
    _gateway(cloud)
    cloud.put("connections/c", {"virtualNetworkGateway1": link("virtualNetworkGateways/gw")})


IN_USE = [
    (_interface, "virtualNetworks/v/subnets/s", "InUseSubnetCannotBeDeleted", "networkInterfaces/n"),
    (_interface, "virtualNetworks/v", "InUseSubnetCannotBeDeleted", "networkInterfaces/n"),
    (_connected, "virtualNetworks/hub/subnets/GatewaySubnet", "InUseSubnetCannotBeDeleted", None),
    (_nat_gateway, "natGateways/n", "CannotDeleteNatGatewayAssociatedToSubnet", "virtualNetworks/v/subnets/s"),
    (_tables, "routeTables/t", "InUseRouteTableCannotBeDeleted", "virtualNetworks/v/subnets/s"),
    (_tables, "networkSecurityGroups/g", "InUseNetworkSecurityGroupCannotBeDeleted", "virtualNetworks/v/subnets/s"),
    (_guarded, "networkSecurityGroups/g", "InUseNetworkSecurityGroupCannotBeDeleted", "networkInterfaces/n"),
    (_machine, "networkInterfaces/n", "NicInUse", f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm"),
    (_addressed, "publicIPAddresses/p", "PublicIPAddressCannotBeDeleted", "networkInterfaces/n"),
    (_outward, "publicIPAddresses/p", "PublicIPAddressCannotBeDeleted", "natGateways/n"),
    (_balancer, "publicIPAddresses/p", "PublicIPAddressCannotBeDeleted", "loadBalancers/l"),
    (_carved, "publicIPPrefixes/x", "PublicIPPrefixCannotBeDeleted", "publicIPAddresses/p"),
    (_prefixed, "publicIPPrefixes/x", "PublicIPPrefixCannotBeDeleted", "natGateways/n"),
    (_policies, "firewallPolicies/base", "FirewallPolicyInUse", "firewallPolicies/child"),
    (_policies, "firewallPolicies/followed", "FirewallPolicyInUse", "azureFirewalls/f"),
    (_scale_set, "loadBalancers/l", "LoadBalancerInUseByVirtualMachineScaleSet", SCALE_SET),
    (_transit, "virtualNetworkGateways/gw", "VirtualNetworkGatewayUsedByRemotePeering", None),
    (_connected, "virtualNetworkGateways/gw", "VirtualNetworkGatewayHasConnections", "connections/c"),
]


@pytest.mark.parametrize(("built", "path", "code", "user"), IN_USE, ids=[f"{case[1]}-{case[2]}" for case in IN_USE])
def test_what_is_in_use_stays_until_its_user_is_gone(
    cloud: Cloud, built: Any, path: str, code: str, user: str | None
) -> None:
    built(cloud)
    before = cloud.get(path)
    assert cloud.refused("DELETE", path) == (400, code)
    assert cloud.get(path) == before
    if user is None:
        return
    assert cloud.call("DELETE", user).status in (200, 202)
    assert cloud.call("DELETE", path).status in (200, 202)
    assert cloud.call("GET", path).status == 404


def _report(cloud: Cloud, answer: Response) -> dict[str, Any]:
    return cloud.get(answer.headers["Azure-AsyncOperation"].removeprefix("https://management.azure.com").split("?")[0])


@pytest.mark.parametrize(("built", "path", "code", "user"), IN_USE, ids=[f"{case[1]}-{case[2]}" for case in IN_USE])
def test_what_is_in_use_may_be_found_only_when_the_delete_is_under_way(
    built: Any, path: str, code: str, user: str | None
) -> None:
    cloud = Cloud(in_use="async")
    built(cloud)
    before = cloud.get(path)
    answer = cloud.call("DELETE", path)
    assert answer.status == 202
    report = _report(cloud, answer)
    assert (report["status"], report["error"]["code"]) == ("Failed", code)
    assert cloud.get(path) == before
    assert cloud.arm.events[-1].type == "Microsoft.Resources.ResourceDeleteFailure"


def test_one_gateway_of_two_may_go_although_a_peer_uses_them(cloud: Cloud) -> None:
    _transit(cloud)
    _gateway(cloud, "other", "ExpressRoute")
    assert cloud.call("DELETE", "virtualNetworkGateways/gw").status == 202
    assert cloud.refused("DELETE", "virtualNetworkGateways/other")[1] == "VirtualNetworkGatewayUsedByRemotePeering"


def test_a_peered_network_may_go_and_the_other_side_is_disconnected(cloud: Cloud) -> None:
    _transit(cloud)
    assert cloud.call("DELETE", "virtualNetworks/v").status == 202
    side = cloud.get("virtualNetworks/hub/virtualNetworkPeerings/to-v")["properties"]
    assert side["peeringState"] == "Disconnected"


def _named_by_an_interface(cloud: Cloud) -> None:
    _balancer(cloud)
    parts = {"loadBalancerBackendAddressPools": [POOL], "loadBalancerInboundNatRules": [NAT_RULE]}
    cloud.nic("n", _subnet(cloud), **parts)


def test_parts_that_an_interface_names_stay(cloud: Cloud) -> None:
    _named_by_an_interface(cloud)
    holder = link("networkInterfaces/n/ipConfigurations/one")
    shown = cloud.get("loadBalancers/l")["properties"]
    assert shown["backendAddressPools"][0]["properties"]["backendIPConfigurations"] == [holder]
    assert shown["inboundNatRules"][0]["properties"]["backendIPConfiguration"] == holder
    for array, left in (("backendAddressPools", [{"name": "spare"}]), ("inboundNatRules", [])):
        body = {"location": "eastus", "sku": {"name": "Standard"}, "properties": BALANCER | {array: left}}
        assert cloud.refused("PUT", "loadBalancers/l", body) == (400, "InUseLoadBalancerChildCannotBeDeleted")
    spared = BALANCER | {"backendAddressPools": [{"name": "web"}]}
    cloud.put("loadBalancers/l", spared, sku={"name": "Standard"})
    cloud.nic("n", "virtualNetworks/v/subnets/s")
    cloud.put("loadBalancers/l", BALANCER | {"backendAddressPools": []}, sku={"name": "Standard"})


def test_interfaces_cease_to_name_a_load_balancer_that_goes(cloud: Cloud) -> None:
    _named_by_an_interface(cloud)
    assert cloud.call("DELETE", "loadBalancers/l").status == 202
    (configuration,) = cloud.get("networkInterfaces/n")["properties"]["ipConfigurations"]
    assert "loadBalancerBackendAddressPools" not in configuration["properties"]
    assert "loadBalancerInboundNatRules" not in configuration["properties"]
    whole = cloud.get("networkInterfaces/n")
    assert cloud.call("PUT", "networkInterfaces/n", whole).status == 200


def test_an_interface_names_parts_that_are_there(cloud: Cloud) -> None:
    _balancer(cloud)
    subnet = _subnet(cloud)
    for name, part in (
        ("loadBalancerBackendAddressPools", "backendAddressPools/none"),
        ("loadBalancerInboundNatRules", "inboundNatRules/none"),
    ):
        body = {"location": "eastus", "properties": nic_properties(subnet, **{name: [link(f"loadBalancers/l/{part}")]})}
        assert cloud.refused("PUT", "networkInterfaces/n", body) == (400, "InvalidResourceReference")


def test_base_policies_show_their_children(cloud: Cloud) -> None:
    _policies(cloud)
    base = cloud.get("firewallPolicies/base")["properties"]
    assert (base["childPolicies"], base["firewalls"]) == ([link("firewallPolicies/child")], [])
    followed = cloud.get("firewallPolicies/followed")["properties"]
    assert (followed["childPolicies"], followed["firewalls"]) == ([], [link("azureFirewalls/f")])


def test_a_network_does_not_lose_subnets_by_losing_their_ranges(cloud: Cloud) -> None:
    _subnet(cloud)
    for ranges, code in (
        (["10.1.0.0/16"], "NetcfgSubnetRangeOutsideVnet"),
        (["10.0.0.0/25"], "NetcfgSubnetRangeOutsideVnet"),
        (["10.0.0.0/16", "10.0.1.0/24"], "VnetAddressPrefixesOverlap"),
    ):
        body = {"location": "eastus", "properties": {"addressSpace": {"addressPrefixes": ranges}}}
        assert cloud.refused("PUT", "virtualNetworks/v", body) == (400, code)


def test_a_peered_network_may_shrink_and_its_peer_is_out_of_sync(cloud: Cloud) -> None:
    _transit(cloud)
    whole = cloud.get("virtualNetworks/v")
    whole["properties"]["addressSpace"] = {"addressPrefixes": ["10.0.0.0/17"]}
    assert cloud.call("PUT", "virtualNetworks/v", whole).status == 200
    side = cloud.get("virtualNetworks/hub/virtualNetworkPeerings/to-v")["properties"]
    assert (side["peeringState"], side["peeringSyncLevel"]) == ("Connected", "LocalNotInSync")


def test_ids_of_deleted_things_are_the_providers_to_miss(cloud: Cloud) -> None:
    network = f"{NETWORK}/natGateways"
    cloud.gateway("n")
    cloud.call("DELETE", "natGateways/n")
    gone = cloud.call("GET", "natGateways/n")
    assert gone.json() == {"error": {"code": "NotFound", "message": f"Resource {network}/n not found.", "details": []}}
    assert "x-ms-failure-cause" not in gone.headers
