"""Security groups: the rules they have without asking, and those that are given."""

import pytest

from tests.simulator.cloud import GROUP, NETWORK, Cloud, link

DEFAULTS = [
    ("AllowVnetInBound", 65000, "Inbound", "Allow", "VirtualNetwork", "VirtualNetwork"),
    ("AllowAzureLoadBalancerInBound", 65001, "Inbound", "Allow", "AzureLoadBalancer", "*"),
    ("DenyAllInBound", 65500, "Inbound", "Deny", "*", "*"),
    ("AllowVnetOutBound", 65000, "Outbound", "Allow", "VirtualNetwork", "VirtualNetwork"),
    ("AllowInternetOutBound", 65001, "Outbound", "Allow", "*", "Internet"),
    ("DenyAllOutBound", 65500, "Outbound", "Deny", "*", "*"),
]


def test_every_group_has_six_rules_of_azures(cloud: Cloud) -> None:
    cloud.put("networkSecurityGroups/g")
    group = cloud.get("networkSecurityGroups/g")
    rules = group["properties"]["defaultSecurityRules"]
    told = ("priority", "direction", "access", "sourceAddressPrefix", "destinationAddressPrefix")
    assert [(rule["name"], *(rule["properties"][name] for name in told)) for rule in rules] == DEFAULTS
    assert {rule["etag"] for rule in rules} == {group["etag"]}
    assert rules[0]["id"] == f"{NETWORK}/networkSecurityGroups/g/defaultSecurityRules/AllowVnetInBound"


def test_default_rules_are_nobodys_to_write(cloud: Cloud) -> None:
    cloud.put("networkSecurityGroups/g")
    body = cloud.get("networkSecurityGroups/g")
    body["properties"]["defaultSecurityRules"] = []
    assert cloud.call("PUT", "networkSecurityGroups/g", body).status == 200
    assert len(cloud.get("networkSecurityGroups/g")["properties"]["defaultSecurityRules"]) == 6
    (exported,) = [body for body in cloud.arm.export() if body["type"].endswith("networkSecurityGroups")]
    other = Cloud()
    other.arm.load([exported])
    assert other.get("networkSecurityGroups/g") == exported


def test_given_rules_are_children(cloud: Cloud) -> None:
    cloud.put("networkSecurityGroups/g")
    rule = {"priority": 100, "direction": "Outbound", "access": "Deny", "protocol": "*"}
    shown = cloud.put("networkSecurityGroups/g/securityRules/no-internet", rule)
    assert shown["properties"]["destinationAddressPrefixes"] == []
    rules = cloud.get("networkSecurityGroups/g")["properties"]["securityRules"]
    assert [found["name"] for found in rules] == ["no-internet"]


RULE = {"priority": 100, "direction": "Outbound", "access": "Deny", "protocol": "*"}


@pytest.mark.parametrize("priority", [99, 4097, 0, -1, None])
def test_priorities_have_a_range(cloud: Cloud, priority: int | None) -> None:
    cloud.put("networkSecurityGroups/g")
    rule = {"properties": RULE | {"priority": priority}}
    answer = cloud.call("PUT", "networkSecurityGroups/g/securityRules/r", rule)
    assert (answer.status, answer.json()["error"]["code"]) == (400, "SecurityRuleInvalidPriority")
    shown = priority or 0
    assert f"Value provided: {shown} Allowed range 100-4096." in answer.json()["error"]["message"]
    whole = {"location": "eastus", "properties": {"securityRules": [{"name": "r", **rule}]}}
    assert cloud.refused("PUT", "networkSecurityGroups/h", whole) == (400, "SecurityRuleInvalidPriority")


def test_no_two_rules_of_a_direction_have_one_priority(cloud: Cloud) -> None:
    cloud.put("networkSecurityGroups/g", {"securityRules": [{"name": "one", "properties": RULE}]})
    cloud.put("networkSecurityGroups/g/securityRules/in", RULE | {"direction": "Inbound"})
    cloud.put("networkSecurityGroups/g/securityRules/one", RULE | {"access": "Allow"})
    answer = cloud.call("PUT", "networkSecurityGroups/g/securityRules/two", {"properties": RULE})
    assert answer.status == 400
    assert answer.json()["error"] == {
        "code": "SecurityRuleConflict",
        "message": "Security rule one conflicts with rule two. Rules cannot have the same Priority and Direction. To "
        "learn more, see aka.ms/nsgrules.",
        "details": [],
    }


def test_scale_sets_hold_the_groups_of_their_interfaces(cloud: Cloud) -> None:
    cloud.put("networkSecurityGroups/g")
    cloud.subnet(f"{cloud.vnet()}/subnets/s")
    configuration = {"name": "c", "properties": {"subnet": link("virtualNetworks/v/subnets/s")}}
    interface = {
        "name": "nic",
        "properties": {
            "networkSecurityGroup": link("networkSecurityGroups/g"),
            "ipConfigurations": [configuration],
        },
    }
    machines = {"virtualMachineProfile": {"networkProfile": {"networkInterfaceConfigurations": [interface]}}}
    scale_set = f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/set"
    body = {"location": "eastus", "sku": {"capacity": 2}, "properties": machines}
    assert cloud.call("PUT", scale_set, body).status == 201
    held = [f"{scale_set}/virtualMachines/{n}/networkInterfaces/nic" for n in (0, 1)]
    group = cloud.get("networkSecurityGroups/g")
    assert group["properties"]["networkInterfaces"] == [{"id": resource_id} for resource_id in held]
    answer = cloud.call("DELETE", "networkSecurityGroups/g")
    assert (answer.status, answer.json()["error"]["code"]) == (400, "InUseNetworkSecurityGroupCannotBeDeleted")
    assert ", ".join(held) in answer.json()["error"]["message"]
    assert cloud.call("DELETE", scale_set).status == 202
    assert cloud.call("DELETE", "networkSecurityGroups/g").status == 202


def test_a_scale_set_has_no_more_than_a_thousand_instances(cloud: Cloud) -> None:
    cloud.subnet(f"{cloud.vnet()}/subnets/s", "10.0.0.0/20")
    configuration = {"name": "c", "properties": {"subnet": link("virtualNetworks/v/subnets/s")}}
    interface = {"name": "nic", "properties": {"ipConfigurations": [configuration]}}
    machines = {"virtualMachineProfile": {"networkProfile": {"networkInterfaceConfigurations": [interface]}}}
    body = {"location": "eastus", "sku": {"capacity": 2**62}, "properties": machines}
    path = f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/set"
    cloud.arm.load([{"id": path, **body}])  # a PUT is refused
    assert len(cloud.get("virtualNetworks/v/subnets/s")["properties"]["ipConfigurations"]) == 1000
