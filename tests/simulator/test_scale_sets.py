"""Scale sets: their machines, by which model each was made, and what those hold of the network."""

from typing import Any

import pytest

from simulator.arm import Arm, ManualClock
from tests.simulator.cloud import GROUP, Cloud, link
from tests.simulator.sdk import served

SET = f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/web"
HELD = f"{SET}/virtualMachines/{{}}/networkInterfaces/nic/ipConfigurations/ip"
SUBNET = "virtualNetworks/v/subnets/{}"
Body = dict[str, Any]


def scale_set(capacity: int = 2, subnet: str = "s", mode: str = "Manual", **configuration: Any) -> Body:
    """How many machines, where and how in, the body of a set of them out."""
    inner = {"subnet": link(SUBNET.format(subnet)), **configuration}
    interface = {"name": "nic", "properties": {"ipConfigurations": [{"name": "ip", "properties": inner}]}}
    profile = {"networkProfile": {"networkInterfaceConfigurations": [interface]}}
    properties = {"upgradePolicy": {"mode": mode}, "virtualMachineProfile": profile}
    return {"location": "eastus", "sku": {"name": "Standard_B2s", "capacity": capacity}, "properties": properties}


PUBLIC: Body = {"publicIPAddressConfiguration": {"name": "pub", "properties": {"idleTimeoutInMinutes": 10}}}


@pytest.fixture
def azure(cloud: Cloud) -> Cloud:
    cloud.vnet()
    cloud.subnet(SUBNET.format("s"))
    cloud.subnet(SUBNET.format("t"), "10.0.1.0/24")
    return cloud


def machines(cloud: Cloud) -> dict[str, bool]:
    """The machines by their ids, and whether each has the latest model."""
    found = cloud.get(f"{SET}/virtualMachines")["value"]
    return {one["instanceId"]: one["properties"]["latestModelApplied"] for one in found}


def holders(cloud: Cloud, subnet: str) -> list[str]:
    shown = cloud.get(SUBNET.format(subnet))["properties"].get("ipConfigurations", [])
    return [one["id"] for one in shown]


def test_machines_come_and_go_with_the_capacity(azure: Cloud) -> None:
    assert azure.call("PUT", SET, scale_set(2)).status == 201
    assert machines(azure) == {"0": True, "1": True}
    azure.call("PATCH", SET, {"sku": {"capacity": 1}})
    assert (machines(azure), holders(azure, "s")) == ({"0": True}, [HELD.format(0)])
    assert azure.call("PATCH", SET, {"sku": {"capacity": 3}}).status == 200
    assert list(machines(azure)) == ["0", "2", "3"]  # an id comes only once
    assert holders(azure, "s") == [HELD.format(n) for n in (0, 2, 3)]
    assert azure.get(SET)["sku"] == {"name": "Standard_B2s", "capacity": 3}
    assert "simulator" not in azure.get(SET)


def test_manual_machines_keep_their_model_until_they_are_updated(azure: Cloud) -> None:
    azure.call("PUT", SET, scale_set(2, **PUBLIC))
    azure.call("PUT", SET, scale_set(3, "t"))
    assert machines(azure) == {"0": False, "1": False, "2": True}
    assert (holders(azure, "s"), holders(azure, "t")) == ([HELD.format(0), HELD.format(1)], [HELD.format(2)])
    assert len(azure.get(f"{SET}/publicIPAddresses")["value"]) == 2
    assert azure.call("POST", f"{SET}/manualupgrade", {"instanceIds": ["0"]}).status == 202
    assert machines(azure) == {"0": True, "1": False, "2": True}
    azure.call("PUT", SET, scale_set(3, **PUBLIC))  # back to how 1 still is
    assert machines(azure) == {"0": False, "1": True, "2": False}
    azure.call("POST", f"{SET}/manualupgrade", {"instanceIds": ["*"]})
    assert all(machines(azure).values())
    assert len(azure.get(f"{SET}/publicIPAddresses")["value"]) == 3


@pytest.mark.parametrize("mode", ["Automatic", "Rolling"])
def test_other_machines_follow_their_set(azure: Cloud, mode: str) -> None:
    azure.call("PUT", SET, scale_set(2, mode=mode))
    azure.call("PUT", SET, scale_set(2, "t", mode))
    assert machines(azure) == {"0": True, "1": True}
    assert (holders(azure, "s"), len(holders(azure, "t"))) == ([], 2)


def test_interfaces_and_addresses_of_machines(azure: Cloud) -> None:
    azure.call("PUT", SET, scale_set(2, **PUBLIC))
    interfaces = azure.get(f"{SET}/networkInterfaces")["value"]
    assert [one["id"] for one in interfaces] == [f"{SET}/virtualMachines/{n}/networkInterfaces/nic" for n in (0, 1)]
    configuration = interfaces[1]["properties"]["ipConfigurations"][0]
    assert configuration["id"] == HELD.format(1)
    assert configuration["properties"]["subnet"] == link(SUBNET.format("s"))
    address_id = f"{HELD.format(1)}/publicIPAddresses/pub"
    assert configuration["properties"]["publicIPAddress"] == {"id": address_id}
    address = azure.get(address_id)
    assert address["properties"]["ipConfiguration"] == {"id": HELD.format(1)}
    assert (address["sku"]["name"], address["properties"]["idleTimeoutInMinutes"]) == ("Standard", 10)
    assert azure.get(interfaces[1]["id"]) == interfaces[1]
    assert azure.get(f"{SET}/virtualMachines/1/networkInterfaces")["value"] == interfaces[1:]
    assert azure.get(f"{HELD.format(1)}/publicIPAddresses")["value"] == [address]
    assert azure.get(f"{SET}/publicIPAddresses")["value"][1] == address
    assert azure.get("publicIPAddresses")["value"] == []  # they are no resources of their own
    assert azure.get("networkInterfaces")["value"] == []
    one = azure.get(f"{SET}/virtualMachines/1")
    assert (one["name"], one["properties"]["networkProfile"]) == (
        "web_1",
        {"networkInterfaces": [{"id": interfaces[1]["id"]}]},
    )


@pytest.mark.parametrize(
    "path", ["virtualMachines/7", "virtualMachines/7/networkInterfaces", "virtualMachines/0/networkInterfaces/none"]
)
def test_what_is_not_there_is_404(azure: Cloud, path: str) -> None:
    azure.call("PUT", SET, scale_set())
    assert azure.call("GET", f"{SET}/{path}").status == 404
    assert azure.call("GET", f"{SET.replace('web', 'none')}/{path}").status == 404


def test_what_a_model_names_cannot_go(azure: Cloud) -> None:
    azure.put("networkSecurityGroups/g")
    azure.put("publicIPPrefixes/p", {"prefixLength": 30}, sku={"name": "Standard"})
    public = {"name": "pub", "properties": {"publicIPPrefix": link("publicIPPrefixes/p")}}
    body = scale_set(1, publicIPAddressConfiguration=public)
    interface = body["properties"]["virtualMachineProfile"]["networkProfile"]["networkInterfaceConfigurations"][0]
    interface["properties"]["networkSecurityGroup"] = link("networkSecurityGroups/g")
    azure.call("PUT", SET, body)
    assert azure.refused("DELETE", SUBNET.format("s")) == (400, "InUseSubnetCannotBeDeleted")
    assert azure.refused("DELETE", "publicIPPrefixes/p") == (400, "PublicIPPrefixCannotBeDeleted")
    assert azure.refused("DELETE", "networkSecurityGroups/g") == (400, "InUseNetworkSecurityGroupCannotBeDeleted")
    assert azure.call("DELETE", SET).status == 202
    assert azure.call("DELETE", SET).status == 204
    for path in (SUBNET.format("s"), "publicIPPrefixes/p", "networkSecurityGroups/g"):
        assert azure.call("DELETE", path).status == 202


def test_states_of_a_set() -> None:
    cloud = Cloud(durations={"": 60})
    cloud.vnet()
    cloud.clock.advance(60)
    cloud.subnet(SUBNET.format("s"))
    cloud.clock.advance(60)
    made = cloud.call("PUT", SET, scale_set())
    assert (made.status, made.json()["properties"]["provisioningState"]) == (201, "Creating")
    assert "Azure-AsyncOperation" in made.headers
    again = cloud.call("PUT", SET, scale_set(3))
    assert (again.status, again.json()["properties"]["provisioningState"]) == (200, "Updating")
    assert (
        cloud.call("GET", made.headers["Azure-AsyncOperation"].partition(".com")[2].partition("?")[0]).json()["status"]
        == "Canceled"
    )
    cloud.clock.advance(60)
    assert cloud.get(SET)["properties"]["provisioningState"] == "Succeeded"
    cloud.call("DELETE", SET)
    assert cloud.get(SET)["properties"]["provisioningState"] == "Deleting"


REFUSED: list[tuple[Body, int, str]] = [
    (scale_set(subnet="none"), 400, "InvalidResourceReference"),
    (scale_set(-1), 400, "InvalidParameter"),
    (scale_set(1001), 400, "InvalidParameter"),
    (scale_set(mode="Perhaps"), 400, "InvalidParameter"),
    ({**scale_set(), "location": ""}, 400, "LocationRequired"),
    (scale_set(subnet="GatewaySubnet"), 400, "SubnetReservedForOtherResources"),
    ({**scale_set(), "properties": {"orchestrationMode": "Flexible"}}, 501, "NotModelledBySimulator"),
]


@pytest.mark.parametrize(("body", "status", "code"), REFUSED)
def test_sets_are_refused(azure: Cloud, body: Body, status: int, code: str) -> None:
    azure.subnet(SUBNET.format("GatewaySubnet"), "10.0.2.0/24")
    assert azure.refused("PUT", SET, body) == (status, code)
    assert azure.call("GET", SET).status == 404


def test_other_calls_are_refused(azure: Cloud) -> None:
    azure.call("PUT", SET, scale_set())
    assert azure.refused("PATCH", SET.replace("web", "none"), {}) == (404, "ResourceNotFound")
    assert azure.refused("PUT", SET, {**scale_set(), "location": "westus"}) == (409, "InvalidResourceLocation")
    assert azure.refused("POST", f"{SET}/manualupgrade", {"instanceIds": ["9"]}) == (400, "InvalidParameter")
    assert azure.refused("POST", f"{SET}/manualupgrade", {}) == (400, "InvalidParameter")
    assert azure.refused("DELETE", f"{SET}/virtualMachines/0")[0] == 501
    assert azure.call("GET", f"{SET}/extensions").status == 501


def test_models_of_machines_survive_export_and_load(azure: Cloud) -> None:
    azure.call("PUT", SET, scale_set(2))
    azure.call("PUT", SET, scale_set(2, "t"))
    other = Cloud()
    other.arm.load(azure.arm.export())
    assert (machines(other), holders(other, "s")) == (machines(azure), holders(azure, "s"))


def test_a_set_that_others_wrote_has_machines_by_its_capacity() -> None:
    arm = Arm(ManualClock())
    arm.load([{"id": SET, **scale_set(2)}])
    cloud = Cloud()
    cloud.arm.load(arm.export())
    assert machines(cloud) == {"0": True, "1": True}


async def test_libraries_list_interfaces_and_addresses(tmp_path: Any) -> None:
    from azure.mgmt.network import NetworkManagementClient

    def story(client: NetworkManagementClient) -> None:
        interfaces = client.network_interfaces.list_virtual_machine_scale_set_network_interfaces("rg", "web")
        assert [one.id for one in interfaces] == [f"{SET}/virtualMachines/0/networkInterfaces/nic"]
        listed = client.public_ip_addresses.list_virtual_machine_scale_set_public_ip_addresses("rg", "web")
        assert [one.id for one in listed] == [f"{HELD.format(0)}/publicIPAddresses/pub"]
        one = client.public_ip_addresses.get_virtual_machine_scale_set_public_ip_address(
            "rg", "web", "0", "nic", "ip", "pub"
        )
        assert one.ip_address

    async with served(tmp_path) as azure:
        azure.arm.load([{"id": SET, **scale_set(1, **PUBLIC)}])
        await azure.told(NetworkManagementClient, story, GROUP.split("/")[2])
