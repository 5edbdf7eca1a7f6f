"""What Azure refuses on networks, gateways, addresses and interfaces, with its codes."""

from typing import Any

import pytest

from tests.simulator.cloud import GROUP, NETWORK, Cloud, link, nic_properties

OTHER = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/other"


@pytest.mark.parametrize(
    ("prefix", "code"),
    [
        ("10.1.0.0/24", "NetcfgSubnetRangeOutsideVnet"),
        ("10.0.0.128/25", "NetcfgSubnetRangesOverlap"),
        ("10.0.1.0/30", "NetcfgInvalidSubnet"),
        ("10.0.1.1/24", "InvalidAddressPrefixFormat"),
        ("nonsense", "InvalidAddressPrefixFormat"),
        ("", "AddressPrefixStringCannotBeNullOrEmpty"),
    ],
)
def test_subnet_ranges_are_checked(cloud: Cloud, prefix: str, code: str) -> None:
    vnet = cloud.vnet()
    cloud.subnet(f"{vnet}/subnets/a", "10.0.0.0/24")
    body = {"properties": {"addressPrefix": prefix}}
    assert cloud.refused("PUT", f"{vnet}/subnets/b", body) == (400, code)


def test_address_space_cannot_shrink_below_its_subnets(cloud: Cloud) -> None:
    vnet = cloud.vnet()
    cloud.subnet(f"{vnet}/subnets/a", "10.0.255.0/24")
    body = {"location": "eastus", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/17"]}}}
    assert cloud.refused("PUT", vnet, body) == (400, "NetcfgSubnetRangeOutsideVnet")


def test_occupied_subnet_keeps_range_and_delegations_and_stays(cloud: Cloud) -> None:
    vnet = cloud.vnet()
    subnet = f"{vnet}/subnets/s"
    cloud.subnet(subnet)
    cloud.nic("nic", subnet)
    moved = {"properties": {"addressPrefix": "10.0.9.0/24"}}
    delegation = {"name": "d", "properties": {"serviceName": "Microsoft.Web/serverFarms"}}
    delegated = {"properties": {"addressPrefix": "10.0.0.0/24", "delegations": [delegation]}}
    assert cloud.refused("PUT", subnet, moved) == (400, "InUseSubnetCannotBeUpdated")
    assert cloud.refused("PUT", subnet, delegated) == (400, "InUseSubnetCannotBeUpdated")
    cloud.subnet(subnet, defaultOutboundAccess=False)
    emptied = {
        "location": "eastus",
        "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": []},
    }
    assert cloud.refused("DELETE", subnet) == (400, "InUseSubnetCannotBeDeleted")
    assert cloud.refused("DELETE", vnet) == (400, "InUseSubnetCannotBeDeleted")
    assert cloud.refused("PUT", vnet, emptied) == (400, "InUseSubnetCannotBeDeleted")
    assert cloud.call("DELETE", "networkInterfaces/nic").status == 200
    assert cloud.call("DELETE", subnet).status == 202


def test_scale_set_instances_occupy_a_subnet(cloud: Cloud) -> None:
    vnet = cloud.vnet()
    cloud.subnet(f"{vnet}/subnets/s")
    configuration = {"name": "ip", "properties": {"subnet": link(f"{vnet}/subnets/s")}}
    interface = {"name": "nic", "properties": {"ipConfigurations": [configuration]}}
    profile = {"networkProfile": {"networkInterfaceConfigurations": [interface]}}
    nodes = f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/nodes"
    cloud.put(nodes, {"virtualMachineProfile": profile}, sku={"capacity": 2}, location="eastus")
    assert cloud.get(f"{vnet}/subnets/s")["properties"]["ipConfigurations"] == [
        {"id": f"{nodes}/virtualMachines/{instance}/networkInterfaces/nic/ipConfigurations/ip"} for instance in (0, 1)
    ]
    assert cloud.refused("DELETE", f"{vnet}/subnets/s") == (400, "InUseSubnetCannotBeDeleted")


def test_gateway_serves_one_virtual_network(cloud: Cloud) -> None:
    gateway = cloud.gateway("n")
    one, two = cloud.vnet("one"), cloud.vnet("two")
    cloud.subnet(f"{one}/subnets/a", natGateway=gateway)
    cloud.subnet(f"{one}/subnets/b", "10.0.1.0/24", natGateway=gateway)
    body = {"properties": {"addressPrefix": "10.0.0.0/24", "natGateway": gateway}}
    code = "NatGatewayCannotBeUsedBySubnetsBelongingToDifferentVirtualNetworks"
    assert cloud.refused("PUT", f"{two}/subnets/a", body) == (400, code)
    assert cloud.refused("PUT", f"{one}/subnets/GatewaySubnet", body) == (400, "NetcfgSubnetRangesOverlap")
    body["properties"]["addressPrefix"] = "10.0.2.0/24"
    assert cloud.refused("PUT", f"{one}/subnets/GatewaySubnet", body) == (400, "NatGatewayNotAllowedOnGatewaySubnet")


def test_gateway_lies_in_the_region_and_subscription_of_its_subnets(cloud: Cloud) -> None:
    far = f"{OTHER}/providers/Microsoft.Network/natGateways/far"
    cloud.arm.load(
        [
            {"id": f"{NETWORK}/natGateways/west", "location": "westus"},
            {"id": far, "location": "eastus"},
        ]
    )
    vnet = cloud.vnet()

    def attach(gateway: str) -> tuple[int, str]:
        body = {"properties": {"addressPrefix": "10.0.0.0/24", "natGateway": {"id": gateway}}}
        return cloud.refused("PUT", f"{vnet}/subnets/a", body)

    assert attach(f"{NETWORK}/natGateways/west") == (400, "InvalidResourceReference")
    assert attach(f"{NETWORK}/natGateways/none") == (400, "InvalidResourceReference")
    assert attach(far) == (400, "InvalidResourceReference")
    assert attach("none") == (400, "LinkedInvalidPropertyId")


@pytest.mark.parametrize(
    ("member", "collection"), [("routeTable", "routeTables"), ("networkSecurityGroup", "networkSecurityGroups")]
)
def test_tables_and_groups_lie_in_the_region_and_subscription_of_their_subnets(
    cloud: Cloud, member: str, collection: str
) -> None:
    far = f"{OTHER}/providers/Microsoft.Network/{collection}/far"
    elsewhere = f"{GROUP}x/providers/Microsoft.Network/{collection}/near"
    cloud.arm.load(
        [
            {"id": f"{NETWORK}/{collection}/west", "location": "westus"},
            {"id": far, "location": "eastus"},
            {"id": elsewhere, "location": "eastus"},
        ]
    )
    cloud.vnet()
    for named, answer in (
        (f"{NETWORK}/{collection}/west", (400, "InvalidResourceReference")),
        (far, (400, "InvalidResourceReference")),
    ):
        body = {"properties": {"addressPrefix": "10.0.0.0/24", member: {"id": named}}}
        assert cloud.refused("PUT", "virtualNetworks/v/subnets/s", body) == answer
    cloud.put("virtualNetworks/v/subnets/s", {"addressPrefix": "10.0.0.0/24", member: {"id": elsewhere}})


def test_a_basic_load_balancer_and_a_gateway_do_not_meet_either(cloud: Cloud) -> None:
    cloud.vnet()
    cloud.subnet("virtualNetworks/v/subnets/s")
    inside = {"name": "in", "properties": {"subnet": link("virtualNetworks/v/subnets/s")}}
    cloud.put("loadBalancers/basic", {"frontendIPConfigurations": [inside]}, sku={"name": "Basic"})
    attach = {"properties": {"addressPrefix": "10.0.0.0/24", "natGateway": cloud.gateway("n")}}
    code = "SubnetWithNatGatewayAndBasicSkuResourceNotAllowed"
    assert cloud.refused("PUT", "virtualNetworks/v/subnets/s", attach) == (400, code)
    cloud.put("loadBalancers/basic", {"frontendIPConfigurations": []}, sku={"name": "Basic"})
    assert cloud.call("PUT", "virtualNetworks/v/subnets/s", attach).status == 200
    body = {"location": "eastus", "sku": {"name": "Basic"}, "properties": {"frontendIPConfigurations": [inside]}}
    assert cloud.refused("PUT", "loadBalancers/basic", body) == (400, code)


def test_basic_address_and_gateway_do_not_meet_in_a_subnet(cloud: Cloud) -> None:
    gateway = cloud.gateway("n")
    basic = cloud.address("basic", "Basic")
    vnet = cloud.vnet()
    subnet = f"{vnet}/subnets/s"
    cloud.subnet(subnet)
    cloud.nic("nic", subnet, publicIPAddress=basic)
    attach = {"properties": {"addressPrefix": "10.0.0.0/24", "natGateway": gateway}}
    code = "SubnetWithNatGatewayAndBasicSkuResourceNotAllowed"
    assert cloud.refused("PUT", subnet, attach) == (400, code)
    cloud.nic("nic", subnet)
    assert cloud.call("PUT", subnet, attach).status == 200
    body = {"location": "eastus", "properties": nic_properties(subnet, publicIPAddress=basic)}
    assert cloud.refused("PUT", "networkInterfaces/nic", body) == (400, code)


def test_gateway_and_address_are_of_one_sku(cloud: Cloud) -> None:
    for gateway_sku, address_sku in (("Standard", "StandardV2"), ("StandardV2", "Standard"), ("Standard", "Basic")):
        address = cloud.address(f"p{gateway_sku}{address_sku}", address_sku)
        body = {"location": "eastus", "sku": {"name": gateway_sku}, "properties": {"publicIpAddresses": [address]}}
        assert cloud.refused("PUT", "natGateways/n", body) == (400, "NatGatewayAndPublicIpSkuMismatch")
    cloud.gateway("two", cloud.address("v2", "StandardV2"), sku="StandardV2")
    body = {"location": "eastus", "sku": {"name": "Standard"}}
    assert cloud.refused("PUT", "natGateways/two", body) == (400, "NatGatewaySkuCannotBeChanged")


def test_gateway_has_at_most_sixteen_addresses(cloud: Cloud) -> None:
    cloud.put("publicIPPrefixes/p", {"prefixLength": 28}, sku={"name": "Standard"})
    assert cloud.get("publicIPPrefixes/p")["properties"]["ipPrefix"].endswith("/28")
    prefixes = {"publicIpPrefixes": [link("publicIPPrefixes/p")]}
    cloud.put("natGateways/n", prefixes, sku={"name": "Standard"})
    body = {"location": "eastus", "properties": prefixes | {"publicIpAddresses": [cloud.address("one-more")]}}
    assert cloud.refused("PUT", "natGateways/n", body) == (400, "NatGatewayPublicIpLimitExceeded")
    assert cloud.refused("DELETE", "publicIPPrefixes/p") == (400, "PublicIPPrefixCannotBeDeleted")


def test_public_address_belongs_to_one(cloud: Cloud) -> None:
    address = cloud.address("p")
    cloud.gateway("n", address)
    vnet = cloud.vnet()
    cloud.subnet(f"{vnet}/subnets/s")
    body = {"location": "eastus", "properties": {"publicIpAddresses": [address]}}
    assert cloud.refused("PUT", "natGateways/other", body) == (400, "PublicIPAddressInUse")
    body = {"location": "eastus", "properties": nic_properties(f"{vnet}/subnets/s", publicIPAddress=address)}
    assert cloud.refused("PUT", "networkInterfaces/nic", body) == (400, "PublicIPAddressInUse")
    cloud.gateway("n")
    cloud.nic("nic", f"{vnet}/subnets/s", publicIPAddress=address)
    assert cloud.get("publicIPAddresses/p")["properties"]["ipConfiguration"] == link(
        "networkInterfaces/nic/ipConfigurations/one"
    )
    assert cloud.refused("DELETE", "publicIPAddresses/p") == (400, "PublicIPAddressCannotBeDeleted")
    cloud.nic("nic", f"{vnet}/subnets/s")
    assert cloud.call("DELETE", "publicIPAddresses/p").status == 202


def test_interfaces_get_free_addresses_and_keep_them(cloud: Cloud) -> None:
    vnet = cloud.vnet()
    subnet = f"{vnet}/subnets/s"
    cloud.subnet(subnet, "10.0.0.0/29")

    def given(name: str) -> str:
        found: str = cloud.get(f"networkInterfaces/{name}")["properties"]["ipConfigurations"][0]["properties"][
            "privateIPAddress"
        ]
        return found

    for name in ("a", "b", "c"):
        answer = cloud.call(
            "PUT", f"networkInterfaces/{name}", {"location": "eastus", "properties": nic_properties(subnet)}
        )
        assert answer.status == 201
        assert answer.json()["properties"]["provisioningState"] == "Succeeded"
        assert "Azure-AsyncOperation" not in answer.headers
    assert [given(name) for name in ("a", "b", "c")] == ["10.0.0.4", "10.0.0.5", "10.0.0.6"]
    full = {"location": "eastus", "properties": nic_properties(subnet)}
    assert cloud.refused("PUT", "networkInterfaces/d", full) == (400, "SubnetIsFull")
    cloud.nic("b", subnet)
    assert given("b") == "10.0.0.5"
    static = nic_properties(subnet, privateIPAllocationMethod="Static", privateIPAddress="10.0.0.4")
    assert cloud.refused("PUT", "networkInterfaces/b", {"location": "eastus", "properties": static}) == (
        400,
        "PrivateIPAddressInUse",
    )
    static = nic_properties(subnet, privateIPAllocationMethod="Static", privateIPAddress="10.9.0.4")
    assert cloud.refused("PUT", "networkInterfaces/b", {"location": "eastus", "properties": static}) == (
        400,
        "PrivateIPAddressNotInSubnet",
    )


def test_interface_of_a_machine_stays(cloud: Cloud) -> None:
    vnet = cloud.vnet()
    cloud.subnet(f"{vnet}/subnets/s")
    cloud.nic("nic", f"{vnet}/subnets/s")
    machine = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm"
    cloud.put(machine, {"networkProfile": {"networkInterfaces": [link("networkInterfaces/nic")]}}, location="eastus")
    assert cloud.get("networkInterfaces/nic")["properties"]["virtualMachine"] == {"id": machine}
    assert cloud.refused("DELETE", "networkInterfaces/nic") == (400, "NicInUse")
    assert cloud.call("DELETE", machine).status == 200
    assert cloud.call("DELETE", "networkInterfaces/nic").status == 200


def test_route_tables_and_security_groups_in_use_stay(cloud: Cloud) -> None:
    route = {"name": "out", "properties": {"addressPrefix": "0.0.0.0/0", "nextHopType": "Internet"}}
    cloud.put("routeTables/t", {"routes": [route]})
    cloud.put("networkSecurityGroups/g")
    vnet = cloud.vnet()
    both: dict[str, Any] = {
        "routeTable": link("routeTables/t"),
        "networkSecurityGroup": link("networkSecurityGroups/g"),
    }
    cloud.subnet(f"{vnet}/subnets/s", **both)
    table = cloud.get("routeTables/t")
    assert table["properties"]["subnets"] == [link(f"{vnet}/subnets/s")]
    assert table["properties"]["routes"][0]["etag"] == table["etag"]
    assert cloud.refused("DELETE", "routeTables/t") == (400, "InUseRouteTableCannotBeDeleted")
    assert cloud.refused("DELETE", "networkSecurityGroups/g") == (400, "InUseNetworkSecurityGroupCannotBeDeleted")
    cloud.put("routeTables/t")
    assert cloud.get("routeTables/t")["properties"]["routes"] == []


def test_group_delete_stops_at_what_others_use(cloud: Cloud) -> None:
    away = f"{OTHER}/providers/Microsoft.Network".replace(OTHER, GROUP.replace("/rg", "/hub"))
    cloud.arm.load([{"id": f"{away}/natGateways/n", "location": "eastus"}])
    vnet = cloud.vnet()
    cloud.subnet(f"{vnet}/subnets/s", natGateway={"id": f"{away}/natGateways/n"})
    answer = cloud.call("DELETE", GROUP.replace("/rg", "/hub"))
    poll = answer.headers["Location"].removeprefix("https://management.azure.com").split("?")[0]
    assert cloud.refused("GET", poll) == (409, "ResourceGroupDeletionBlocked")
    assert cloud.get(f"{away}/natGateways/n")["properties"]["provisioningState"] == "Succeeded"


def test_location_is_needed_and_never_changes(cloud: Cloud) -> None:
    assert cloud.refused("PUT", "natGateways/n", {}) == (400, "LocationRequired")
    cloud.gateway("n")
    assert cloud.refused("PUT", "natGateways/n", {"location": "westus"}) == (409, "InvalidResourceLocation")
    assert cloud.refused("PUT", GROUP, {"location": "westus"}) == (409, "InvalidResourceGroupLocation")
    assert cloud.refused("PUT", f"{GROUP}x", {}) == (400, "LocationRequired")


def test_child_needs_its_parent(cloud: Cloud) -> None:
    body = {"properties": {"addressPrefix": "10.0.0.0/24"}}
    assert cloud.refused("PUT", "virtualNetworks/none/subnets/s", body) == (404, "ParentResourceNotFound")
    assert cloud.refused("GET", "virtualNetworks/none/subnets/s") == (404, "ResourceNotFound")
    assert cloud.refused("GET", "virtualNetworks/none/subnets") == (404, "ResourceNotFound")
    vnet = cloud.vnet()
    assert cloud.refused("GET", f"{vnet}/subnets/s") == (404, "NotFound")


@pytest.mark.parametrize(("access", "allowed"), [(None, False), (True, False), (False, True)])
def test_only_private_subnets_are_shared(cloud: Cloud, access: bool | None, allowed: bool) -> None:
    path = f"{cloud.vnet()}/subnets/s"
    body = {"addressPrefix": "10.0.0.0/24", "sharingScope": "Tenant", "defaultOutboundAccess": access}
    if allowed:
        cloud.put(path, body)
    else:
        assert cloud.refused("PUT", path, {"properties": body}) == (400, "SubnetSharingRequiresPrivateSubnet")
