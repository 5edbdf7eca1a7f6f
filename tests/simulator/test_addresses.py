"""Public addresses: which sku goes with which allocation, load balancer and gateway; timeouts; next hops of routes."""

from typing import Any

import pytest

from tests.simulator.cloud import NETWORK, Cloud, link


def refusal(cloud: Cloud, path: str, body: dict[str, Any]) -> tuple[int, str, str]:
    """A PUT that fails in, its status, code and text out."""
    answer = cloud.call("PUT", path, {"location": "eastus", **body})
    error = answer.json()["error"]
    return answer.status, error["code"], error["message"]


@pytest.mark.parametrize("sku", ["Standard", "StandardV2"])
def test_standard_addresses_are_static(cloud: Cloud, sku: str) -> None:
    body = {"sku": {"name": sku}, "properties": {"publicIPAllocationMethod": "Dynamic"}}
    assert refusal(cloud, "publicIPAddresses/p", body) == (
        400,
        "StandardSkuPublicIPAddressesMustBeStatic",
        f"Standard sku publicIp {NETWORK}/publicIPAddresses/p must have AllocationMethod set to Static.",
    )


def test_basic_addresses_of_ipv6_are_dynamic(cloud: Cloud) -> None:
    body = {"properties": {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv6"}}
    status, code, _ = refusal(cloud, "publicIPAddresses/p", body)
    assert (status, code) == (400, "CannotSpecifyPublicIpAllocationMethodAsStaticForIpV6PublicIp")


@pytest.mark.parametrize(("balancer", "address"), [("Standard", "Basic"), ("Basic", "Standard")])
def test_balancers_have_addresses_of_their_sku(cloud: Cloud, balancer: str, address: str) -> None:
    named = cloud.address("p", address)
    frontend = {"name": "f", "properties": {"publicIPAddress": named}}
    body = {"sku": {"name": balancer}, "properties": {"frontendIPConfigurations": [frontend]}}
    status, code, told = refusal(cloud, "loadBalancers/l", body)
    assert (status, code) == (400, "PublicIPAndLBSkuDoNotMatch")
    who, whom = f"{NETWORK}/loadBalancers/l", f"{NETWORK}/publicIPAddresses/p"
    assert told == f"{balancer} sku load balancer {who} cannot reference {address} sku publicIP {whom}."
    cloud.put("loadBalancers/l", {"frontendIPConfigurations": [frontend]}, sku={"name": address})


def test_gateways_do_without_the_routing_preference_internet(cloud: Cloud) -> None:
    tags = {"ipTags": [{"ipTagType": "RoutingPreference", "tag": "Internet"}], "publicIPAllocationMethod": "Static"}
    cloud.put("publicIPAddresses/p", tags, sku={"name": "Standard"})
    body = {"properties": {"publicIpAddresses": [link("publicIPAddresses/p")]}}
    status, code, _ = refusal(cloud, "natGateways/n", body)
    assert (status, code) == (400, "NatGatewayPublicIpRoutingPreferenceNotSupported")


@pytest.mark.parametrize(("kind", "longest"), [("natGateways", 120), ("publicIPAddresses", 30)])
def test_timeouts_have_a_range(cloud: Cloud, kind: str, longest: int) -> None:
    for minutes in (4, longest):
        cloud.put(f"{kind}/x", {"idleTimeoutInMinutes": minutes})
    for minutes in (3, longest + 1, 0, -(2**63)):
        body = {"properties": {"idleTimeoutInMinutes": minutes}}
        assert refusal(cloud, f"{kind}/x", body)[:2] == (400, "InvalidIdleTimeout")


@pytest.mark.parametrize(
    ("prefix", "hop", "allowed"),
    [
        ("0.0.0.0/0", "10.0.0.4", True),
        ("::/0", "fd00::4", True),
        ("Storage", "10.0.0.4", True),
        ("Storage", "fd00::4", True),
        ("::/0", "10.0.0.4", False),
        ("0.0.0.0/0", "fd00::4", False),
        ("0.0.0.0/0", "10.0.0.4/32", False),
    ],
)
def test_a_next_hop_is_of_the_version_of_the_prefix(cloud: Cloud, prefix: str, hop: str, allowed: bool) -> None:
    cloud.put("routeTables/t")
    route = {"addressPrefix": prefix, "nextHopType": "VirtualAppliance", "nextHopIpAddress": hop}
    if allowed:
        cloud.put("routeTables/t/routes/r", route)
    else:
        assert refusal(cloud, "routeTables/t/routes/r", {"properties": route})[:2] == (400, "InvalidNextHopIpAddress")


@pytest.mark.parametrize(
    ("version", "length", "allowed"),
    [
        *(("IPv4", 28, True), ("IPv4", 31, True), ("IPv4", 32, False), ("IPv4", 20, False), ("IPv4", 127, False)),
        *(("IPv6", 124, True), ("IPv6", 127, True), ("IPv6", 128, False), ("IPv6", 28, False)),
    ],
)
def test_prefixes_have_a_length_of_their_version(cloud: Cloud, version: str, length: int, allowed: bool) -> None:
    properties = {"prefixLength": length, "publicIPAddressVersion": version}
    if allowed:
        cloud.put("publicIPPrefixes/x", properties, sku={"name": "Standard"})
        assert cloud.get("publicIPPrefixes/x")["properties"]["ipPrefix"].endswith(f"/{length}")
    else:
        assert refusal(cloud, "publicIPPrefixes/x", {"properties": properties})[:2] == (
            400,
            "InvalidPublicIPPrefixLength",
        )
