"""Azure firewalls and their policies: where they live, what they need, and who is kept by them."""

from typing import Any

import pytest

from tests.simulator.cloud import Cloud, link

SUBNET = "virtualNetworks/hub/subnets/AzureFirewallSubnet"


@pytest.fixture
def hub(cloud: Cloud) -> Cloud:
    cloud.vnet("hub")
    cloud.subnet(SUBNET, "10.0.1.0/26")
    return cloud


def firewall(cloud: Cloud, *addresses: dict[str, str], subnet: str = SUBNET, **more: Any) -> dict[str, Any]:
    """A firewall's body; only its first configuration names the subnet, as Azure wants it."""
    configurations: list[dict[str, Any]] = [
        {"name": f"ip{number}", "properties": {"publicIPAddress": address}} for number, address in enumerate(addresses)
    ]
    configurations[0]["properties"]["subnet"] = link(subnet)
    return {"location": "eastus", "properties": {"ipConfigurations": configurations, **more}}


def test_firewall_takes_the_first_address_of_its_subnet_and_keeps_it(hub: Cloud) -> None:
    answer = hub.call("PUT", "azureFirewalls/fw", firewall(hub, hub.address("p"), hub.address("q")))
    assert (answer.status, answer.json()["properties"]["provisioningState"]) == (201, "Updating")
    assert "Azure-AsyncOperation" in answer.headers
    found = hub.get("azureFirewalls/fw")
    first, second = found["properties"]["ipConfigurations"]
    assert first["properties"]["privateIPAddress"] == "10.0.1.4"
    assert "privateIPAddress" not in second["properties"]
    assert first["id"].endswith("/azureFirewalls/fw/azureFirewallIpConfigurations/ip0")
    assert (found["properties"]["sku"], found["properties"]["threatIntelMode"]) == (
        {"name": "AZFW_VNet", "tier": "Standard"},
        "Alert",
    )
    assert hub.get(SUBNET)["properties"]["ipConfigurations"] == [{"id": first["id"]}]
    assert hub.get("publicIPAddresses/q")["properties"]["ipConfiguration"] == {"id": second["id"]}
    found["tags"] = {"a": "b"}
    assert hub.call("PUT", "azureFirewalls/fw", found).status == 200
    assert hub.get("azureFirewalls/fw")["properties"]["ipConfigurations"][0]["properties"] == first["properties"]


def test_what_a_firewall_uses_stays(hub: Cloud) -> None:
    hub.call("PUT", "azureFirewalls/fw", firewall(hub, hub.address("p")))
    assert hub.refused("DELETE", SUBNET) == (400, "InUseSubnetCannotBeDeleted")
    assert hub.refused("DELETE", "virtualNetworks/hub") == (400, "InUseSubnetCannotBeDeleted")
    assert hub.refused("DELETE", "publicIPAddresses/p") == (400, "PublicIPAddressCannotBeDeleted")
    assert hub.call("DELETE", "azureFirewalls/fw").status == 202
    assert hub.call("DELETE", SUBNET).status == 202


def test_firewall_needs_a_standard_address_and_its_own_subnet(hub: Cloud) -> None:
    hub.subnet("virtualNetworks/hub/subnets/other", "10.0.2.0/26")
    address = hub.address("p")
    for body, code in (
        (firewall(hub, hub.address("basic", "Basic")), "AzureFirewallPublicIPAddressSkuNotStandard"),
        (firewall(hub, address, subnet="virtualNetworks/hub/subnets/other"), "AzureFirewallSubnetNameInvalid"),
        (firewall(hub, link("publicIPAddresses/none")), "InvalidResourceReference"),
        (firewall(hub, {}), "AzureFirewallPublicIPAddressRequired"),
    ):
        assert hub.refused("PUT", "azureFirewalls/fw", body) == (400, code)
    floating = firewall(hub, address)
    del floating["properties"]["ipConfigurations"][0]["properties"]["subnet"]
    assert hub.refused("PUT", "azureFirewalls/fw", floating) == (400, "AzureFirewallSubnetRequired")


def test_firewall_with_a_management_address_needs_no_other(hub: Cloud) -> None:
    management = "virtualNetworks/hub/subnets/AzureFirewallManagementSubnet"
    hub.subnet(management, "10.0.2.0/26")
    configuration = {"name": "m", "properties": {"subnet": link(management), "publicIPAddress": hub.address("m")}}
    body = firewall(hub, {}, managementIpConfiguration=configuration)
    del body["properties"]["ipConfigurations"][0]["properties"]["publicIPAddress"]
    assert hub.call("PUT", "azureFirewalls/fw", body).status == 201
    occupants = hub.get(management)["properties"]["ipConfigurations"]
    assert [occupant["id"].rpartition("/")[2] for occupant in occupants] == ["m"]


def test_policies_show_their_groups_and_firewalls(hub: Cloud) -> None:
    policy, group = "firewallPolicies/p", "firewallPolicies/p/ruleCollectionGroups/g"
    shown = hub.put(policy)["properties"]
    assert (shown["ruleCollectionGroups"], shown["firewalls"]) == ([], [])
    rules = {"priority": 200, "ruleCollections": [{"name": "out", "priority": 100}]}
    assert hub.put(group, rules)["type"] == "Microsoft.Network/firewallPolicies/ruleCollectionGroups"
    assert hub.get(group)["properties"]["ruleCollections"] == rules["ruleCollections"]
    hub.call("PUT", "azureFirewalls/fw", firewall(hub, hub.address("ip"), firewallPolicy=link(policy)))
    shown = hub.get(policy)["properties"]
    assert (shown["ruleCollectionGroups"], shown["firewalls"]) == ([link(group)], [link("azureFirewalls/fw")])
    assert hub.refused("DELETE", policy) == (400, "FirewallPolicyInUse")
    assert hub.call("DELETE", "azureFirewalls/fw").status == 202
    assert hub.call("DELETE", policy).status == 202
    assert hub.call("GET", group).status == 404


def test_firewalls_and_policies_survive_export_and_load(hub: Cloud) -> None:
    hub.put("firewallPolicies/p")
    hub.put("firewallPolicies/p/ruleCollectionGroups/g", {"priority": 200})
    policy = link("firewallPolicies/p")
    hub.call("PUT", "azureFirewalls/fw", firewall(hub, hub.address("ip"), firewallPolicy=policy))
    exported = hub.arm.export()
    other = Cloud()
    other.arm.load(exported)
    assert other.arm.export() == exported
