"""Route tables: their routes one by one and all together, and the subnets that do not take them."""

from typing import Any

import pytest

from tests.simulator.cloud import Cloud, link


def route(prefix: str = "0.0.0.0/0", hop: str = "Internet", **more: Any) -> dict[str, Any]:
    return {"addressPrefix": prefix, "nextHopType": hop, **more}


APPLIANCE = route("10.0.0.0/8", "VirtualAppliance", nextHopIpAddress="10.0.0.4")


@pytest.fixture
def table(cloud: Cloud) -> str:
    cloud.put("routeTables/t", {"routes": [{"name": "one", "properties": APPLIANCE}]})
    return "routeTables/t"


def test_one_route_is_written_and_deleted_by_itself(cloud: Cloud, table: str) -> None:
    etag = cloud.get(table)["etag"]
    body = {"properties": route()}
    assert cloud.call("PUT", f"{table}/routes/two", body).status == 201
    found = cloud.get(table)
    assert [inner["name"] for inner in found["properties"]["routes"]] == ["one", "two"]
    assert found["etag"] != etag
    assert cloud.call("PUT", f"{table}/routes/two", body).status == 200
    assert cloud.get(f"{table}/routes/two")["properties"]["nextHopType"] == "Internet"
    assert cloud.call("DELETE", f"{table}/routes/one").status == 202
    assert [inner["name"] for inner in cloud.get(f"{table}/routes")["value"]] == ["two"]


def test_put_of_a_table_replaces_all_its_routes(cloud: Cloud, table: str) -> None:
    cloud.put(table, {"routes": [{"name": "new", "properties": route()}], "disableBgpRoutePropagation": True})
    found = cloud.get(table)["properties"]
    assert [inner["name"] for inner in found["routes"]] == ["new"]
    assert found["disableBgpRoutePropagation"] is True


@pytest.mark.parametrize(("busy", "refusal"), [("conflict", 409), ("retryable", 429)])
def test_table_takes_one_write_at_a_time(busy: Any, refusal: int) -> None:
    cloud = Cloud(busy=busy, durations={"": 5})
    cloud.put("routeTables/t")
    assert cloud.refused("PUT", "routeTables/t/routes/r", {"properties": route()})[0] == refusal
    cloud.clock.advance(5)
    cloud.put("routeTables/t/routes/r", route())


@pytest.mark.parametrize(
    ("properties", "refusal"),
    [
        (route("AzureCloud.WestEurope"), None),
        (route("fd00::/8", "None"), None),
        (route("1.2.3.0/24", "VirtualNetworkGateway"), None),
        (route("1.2.3.4/24"), (400, "InvalidAddressPrefixFormat")),
        (route("no tag"), (400, "InvalidAddressPrefixFormat")),
        (route(""), (400, "InvalidAddressPrefixFormat")),
        (route(hop="Nowhere"), (400, "InvalidRouteNextHopType")),
        ({"addressPrefix": "0.0.0.0/0"}, (400, "InvalidRouteNextHopType")),
        (route(hop="VirtualAppliance"), (400, "NextHopIpAddressRequired")),
        (route(hop="VirtualAppliance", nextHopIpAddress="firewall"), (400, "InvalidNextHopIpAddress")),
        (route(nextHopIpAddress="10.0.0.4"), (400, "NextHopIpAddressNotAllowed")),
        (route("10.0.0.0/8"), (400, "RouteConflict")),
        (route(hop="VirtualApplianceEcmp"), (501, "NotModelledBySimulator")),
    ],
)
def test_routes_are_checked(
    cloud: Cloud, table: str, properties: dict[str, Any], refusal: tuple[int, str] | None
) -> None:
    if refusal is None:
        cloud.put(f"{table}/routes/two", properties)
        return
    assert cloud.refused("PUT", f"{table}/routes/two", {"properties": properties}) == refusal
    one = {"name": "one", "properties": APPLIANCE}
    whole = {"location": "eastus", "properties": {"routes": [one, {"name": "two", "properties": properties}]}}
    assert cloud.refused("PUT", table, whole) == refusal


def test_names_are_given_once_and_400_routes_are_enough(cloud: Cloud) -> None:
    twice = [{"name": name, "properties": route(f"10.{number}.0.0/16")} for number, name in enumerate(("r", "R"))]
    body = {"location": "eastus", "properties": {"routes": twice}}
    assert cloud.refused("PUT", "routeTables/t", body) == (400, "DuplicateResourceName")
    many = [
        {"name": f"r{number}", "properties": route(f"10.{number // 256}.{number % 256}.0/24")} for number in range(400)
    ]
    cloud.put("routeTables/t", {"routes": many})
    more = {"properties": route()}
    assert cloud.refused("PUT", "routeTables/t/routes/more", more) == (400, "RouteTableRouteLimitExceeded")


@pytest.mark.parametrize(
    ("subnet", "refusal"),
    [
        ("AzureBastionSubnet", "RouteTableCannotBeAttachedForAzureBastionSubnet"),
        ("RouteServerSubnet", "RouteTableCannotBeAttachedForRouteServerSubnet"),
        ("GatewaySubnet", "GatewaySubnetCannotHaveDefaultRoute"),
        ("AzureFirewallSubnet", None),
        ("workload", None),
    ],
)
def test_some_subnets_do_not_take_a_default_route(cloud: Cloud, subnet: str, refusal: str | None) -> None:
    cloud.put("routeTables/t", {"routes": [{"name": "r", "properties": route()}]})
    vnet = cloud.vnet()
    body = {"properties": {"addressPrefix": "10.0.0.0/24", "routeTable": link("routeTables/t")}}
    if refusal is None:
        assert cloud.call("PUT", f"{vnet}/subnets/{subnet}", body).status == 201
    else:
        assert cloud.refused("PUT", f"{vnet}/subnets/{subnet}", body) == (400, refusal)


def test_refusal_of_bastion_reads_as_azure_writes_it(cloud: Cloud, table: str) -> None:
    vnet = cloud.vnet()
    body = {"properties": {"addressPrefix": "10.0.0.0/24", "routeTable": link(table)}}
    answer = cloud.call("PUT", f"{vnet}/subnets/AzureBastionSubnet", body)
    assert answer.json()["error"]["message"] == (
        "Route Table t cannot be attached to Azure Bastion Subnet AzureBastionSubnet."
    )


def test_default_route_does_not_come_to_a_gateway_later(cloud: Cloud, table: str) -> None:
    vnet = cloud.vnet()
    cloud.subnet(f"{vnet}/subnets/GatewaySubnet", routeTable=link(table))
    code = "GatewaySubnetCannotHaveDefaultRoute"
    assert cloud.refused("PUT", f"{table}/routes/out", {"properties": route()}) == (400, code)
    cloud.put(f"{table}/routes/specific", route("1.0.0.0/8"))


def test_subnet_of_an_estate_with_a_table_it_should_not_have_can_still_be_written(cloud: Cloud) -> None:
    subnet = {"name": "AzureBastionSubnet", "properties": {"addressPrefix": "10.0.0.0/24"}}
    subnet["properties"]["routeTable"] = link("routeTables/t")  # type: ignore[index]
    network = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [subnet]}
    cloud.arm.load(
        [
            {**link("routeTables/t"), "location": "eastus"},
            {**link("virtualNetworks/v"), "location": "eastus", "properties": network},
        ]
    )
    path = "virtualNetworks/v/subnets/AzureBastionSubnet"
    assert cloud.call("PUT", path, cloud.get(path)).status == 200
