"""Lists with a filter: what of it is taken, and what is refused."""

from urllib.parse import quote

import pytest

from tests.simulator.cloud import GROUP, SUBSCRIPTION, Cloud


def names(cloud: Cloud, path: str, condition: str) -> list[str]:
    """A list and a filter in, the names in the list out."""
    return [entry["name"] for entry in cloud.get(f"{path}?$filter={quote(condition)}")["value"]]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("resourceType eq 'Microsoft.Network/natGateways'", ["a", "b"]),
        ("resourceGroup eq 'RG' and resourceType eq 'microsoft.network/NATGATEWAYS'", ["a", "b"]),
        ("resourceGroup eq 'rg' and name eq 'b'", ["b"]),
        ("resourceGroup eq 'other' and name eq 'b'", []),
        ("location eq 'eastus' AND name eq 'v'", ["v"]),
        ("tagName eq 'Owner'", ["a", "v"]),
        ("tagname eq 'owner' and tagvalue eq 'me and you'", ["a"]),
        ("tagname eq 'cost' and tagvalue eq 'me and you'", []),
    ],
)
def test_resources_by_filter(cloud: Cloud, condition: str, found: list[str]) -> None:
    cloud.put("natGateways/a", sku={"name": "Standard"}, tags={"owner": "me and you", "cost": "1"})
    cloud.put("natGateways/b", sku={"name": "Standard"})
    cloud.vnet("v")
    cloud.put("virtualNetworks/v", {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}, tags={"owner": "x"})
    assert sorted(names(cloud, f"/subscriptions/{SUBSCRIPTION}/resources", condition)) == found


@pytest.mark.parametrize(
    "condition",
    ["name eq 'a' or name eq 'b'", "name eq 'a' and name eq 'b'", "tagvalue eq 'x'", "kind eq 'x'", "name ne 'a'"],
)
def test_filters_that_are_not_taken_are_refused(cloud: Cloud, condition: str) -> None:
    path = f"{GROUP}/resources?$filter={quote(condition)}"
    assert cloud.refused("GET", path) == (400, "InvalidFilterInQueryString")
