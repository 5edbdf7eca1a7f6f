"""What a caller may send, and what counts as a difference."""

import importlib
from typing import Any

import pytest

from governor.cloud import bodies

SUBNET: dict[str, Any] = {
    "id": "/subscriptions/s/x",
    "name": "work",
    "etag": 'W/"1"',
    "properties": {
        "provisioningState": "Succeeded",
        "addressPrefix": "10.0.0.0/24",
        "networkSecurityGroup": {"id": "/subscriptions/s/resourceGroups/RG/nsg"},
        "ipConfigurations": [{"id": "/a"}],
        "serviceEndpoints": [{"service": "Microsoft.Storage", "provisioningState": "Succeeded"}],
        "delegations": [{"name": "d", "etag": 'W/"1"', "properties": {"serviceName": "s", "actions": ["a"]}}],
        "unknown": {"ipConfigurations": [1], "etag": "x"},
    },
}


def changed(**members: Any) -> dict[str, Any]:
    return {**SUBNET, "properties": {**SUBNET["properties"], **members}}


def test_what_only_azure_fills_is_not_sent() -> None:
    assert bodies.writable(SUBNET) == {
        "id": "/subscriptions/s/x",
        "name": "work",
        "properties": {
            "addressPrefix": "10.0.0.0/24",
            "networkSecurityGroup": {"id": "/subscriptions/s/resourceGroups/RG/nsg"},
            "serviceEndpoints": [{"service": "Microsoft.Storage"}],
            "delegations": [{"name": "d", "properties": {"serviceName": "s", "actions": ["a"]}}],
            "unknown": {"ipConfigurations": [1]},
        },
    }
    assert SUBNET["etag"] == 'W/"1"'


@pytest.mark.parametrize("model", ["Subnet", "SubnetPropertiesFormat", "ServiceEndpointPropertiesFormat"])
def test_what_the_generated_client_leaves_out_is_left_out(model: str) -> None:
    """Its model says which members a caller may not write; what it sends of them would be our mistake."""
    fields = getattr(importlib.import_module("azure.mgmt.network.models"), model)()._attr_to_rest_field.values()
    read_only = {field._rest_name for field in fields if field._visibility == ["read"]}
    assert read_only
    body = {"properties": dict.fromkeys(read_only, "x")}
    assert bodies.writable(body)["properties"].keys() <= {"type"}


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (SUBNET, None),
        ({**SUBNET, "etag": 'W/"2"'}, None),
        (changed(provisioningState="Updating", ipConfigurations=[]), None),
        (changed(networkSecurityGroup={"id": "/subscriptions/S/resourcegroups/rg/NSG"}), None),
        (changed(serviceEndpointPolicies=[], natGateway=None), None),
        (changed(natGateway={"id": "/n"}), None),  # meant to change
        (
            changed(networkSecurityGroup=None),
            'properties.networkSecurityGroup was {"id":"/subscriptions/s/resourceGroups/RG/nsg"} and is absent',
        ),
        (changed(addressPrefix="10.0.0.0/23"), 'properties.addressPrefix was "10.0.0.0/24" and is "10.0.0.0/23"'),
        (changed(defaultOutboundAccess=False), "properties.defaultOutboundAccess was absent and is false"),
        (changed(unknown={"ipConfigurations": [2]}), "properties.unknown.ipConfigurations.0 was 1 and is 2"),
        (changed(unknown={"ipConfigurations": [1, 2]}), "properties.unknown.ipConfigurations was [1] and is [1,2]"),
        (changed(unknown={"ipConfigurations": [True]}), "properties.unknown.ipConfigurations.0 was 1 and is true"),
        ({**SUBNET, "name": "play"}, 'name was "work" and is "play"'),
    ],
)
def test_difference(after: dict[str, Any], said: str | None) -> None:
    assert bodies.difference(SUBNET, after, frozenset({("properties", "natGateway")})) == said


@pytest.mark.parametrize(
    ("wanted", "found", "said"),
    [
        ({"location": "West Europe"}, {"location": "westeurope", "tags": {"policy": "added"}}, None),
        (
            {"location": "westeurope"},
            {"location": "northeurope"},
            'location should be "westeurope" and is "northeurope"',
        ),
        ({"tags": {"a": "1"}}, {"tags": {"a": "1", "b": "2"}}, None),
        ({"tags": {"a": "1"}}, {"tags": {"b": "2"}}, 'tags.a should be "1" and is absent'),
        ({"tags": {}}, {}, None),
        ({"zones": ["1"]}, {"zones": ["1", "2"]}, 'zones should be ["1"] and is ["1","2"]'),
        ({"sku": {"name": "Standard"}}, {"sku": {"name": "Basic"}}, 'sku.name should be "Standard" and is "Basic"'),
        ({"p": [{"id": "/A"}]}, {"p": [{"id": "/a", "more": 1}]}, None),
        ({"p": [{"id": "/A"}]}, {"p": [{"id": "/b"}]}, 'p.0.id should be "/A" and is "/b"'),
        ({"p": False}, {}, "p should be false and is absent"),
    ],
)
def test_lacking(wanted: dict[str, Any], found: dict[str, Any], said: str | None) -> None:
    assert bodies.lacking(wanted, found) == said


@pytest.mark.parametrize(
    ("body", "state"),
    [({}, "Succeeded"), ({"properties": {}}, "Succeeded"), ({"properties": {"provisioningState": "Failed"}}, "Failed")],
)
def test_state(body: dict[str, Any], state: str) -> None:
    assert bodies.state(body) == state
