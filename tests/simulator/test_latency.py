"""How long things take: the recorded waits, none at all, and what is seen meanwhile."""

import pytest

from tests.simulator.cloud import GROUP, Cloud

AZURE = "https://management.azure.com"
GATEWAY, VNET = (
    {"location": "eastus"},
    {"location": "eastus", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}},
)
SUBNET = {"properties": {"addressPrefix": "10.0.0.0/24"}}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "wait"),
    [
        ("PUT", "virtualNetworks/v", VNET, 200, "3"),
        ("PUT", "virtualNetworks/v/subnets/s", SUBNET, 201, "3"),
        ("PUT", "natGateways/new", GATEWAY, 201, "10"),
        ("PUT", "publicIPAddresses/p", GATEWAY, 201, "10"),
        ("DELETE", "natGateways/n", None, 202, "10"),
        ("DELETE", "virtualNetworks/v", None, 202, "10"),
        ("DELETE", GROUP, None, 202, "15"),
    ],
)
def test_real_latency_sends_the_recorded_waits_and_none_sends_none(
    method: str, path: str, body: object, status: int, wait: str
) -> None:
    for latency, expected in (("real", wait), ("none", None)):
        cloud = Cloud(latency=latency)
        cloud.call("PUT", "virtualNetworks/v", {**VNET, "tags": {"a": "b"}})
        cloud.gateway("n")
        cloud.clock.advance(60)
        answer = cloud.call(method, path, body)
        assert (answer.status, answer.headers.get("Retry-After")) == (status, expected)
        where = answer.headers.get("Azure-AsyncOperation") or answer.headers["Location"]
        poll = cloud.call("GET", where.removeprefix(AZURE).split("?")[0])
        waits = {"real": "15" if path == GROUP else "10", "none": None}[latency]
        assert poll.headers.get("Retry-After") == waits


@pytest.mark.parametrize("path", ["natGateways/n", "virtualNetworks/v", "virtualNetworks/v/subnets/s"])
def test_what_is_being_deleted_can_be_read_until_it_is_gone(path: str) -> None:
    cloud = Cloud(durations={"": 20})
    for write, body in (
        ("virtualNetworks/v", VNET),
        ("virtualNetworks/v/subnets/s", SUBNET),
        ("natGateways/n", GATEWAY),
    ):
        assert cloud.call("PUT", write, body).status == 201
        cloud.clock.advance(20)
    assert cloud.call("DELETE", path).status == 202
    for _ in range(2):
        assert cloud.get(path)["properties"]["provisioningState"] == "Deleting"
        assert cloud.call("DELETE", path).status == 202
        cloud.clock.advance(10)
    assert cloud.call("GET", path).status == 404
    assert cloud.call("DELETE", path).status == 204


def test_group_that_is_being_deleted_can_be_read_with_what_is_in_it() -> None:
    cloud = Cloud(durations={"microsoft.resources/resourcegroups": 20})
    cloud.gateway("n")
    assert cloud.call("DELETE", GROUP).status == 202
    cloud.clock.advance(19)
    assert cloud.get(GROUP)["properties"]["provisioningState"] == "Deleting"
    assert cloud.get("natGateways/n")["properties"]["provisioningState"] == "Succeeded"
    assert cloud.refused("PUT", "natGateways/m", GATEWAY) == (409, "ResourceGroupBeingDeleted")
    cloud.clock.advance(1)
    assert (cloud.call("GET", GROUP).status, cloud.call("GET", "natGateways/n").status) == (404, 404)
