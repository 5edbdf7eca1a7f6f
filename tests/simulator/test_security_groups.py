"""Security groups: the rules they have without asking, and those that are given."""

from tests.simulator.cloud import NETWORK, Cloud

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
