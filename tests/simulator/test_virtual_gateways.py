"""Virtual network gateways: where they live, and what they say they have learned."""

from typing import Any

import pytest

from simulator.arm import Arm, ManualClock
from simulator.estates import BadEstate
from tests.simulator.cloud import NETWORK, Cloud, link

SUBNET = "virtualNetworks/hub/subnets/GatewaySubnet"
GATEWAY = "virtualNetworkGateways/gw"
AZURE = "https://management.azure.com"


@pytest.fixture
def hub(cloud: Cloud) -> Cloud:
    cloud.vnet("hub", "10.1.0.0/16")
    cloud.subnet(SUBNET, "10.1.0.0/24")
    return cloud


def properties(subnet: str = SUBNET, kind: str = "Vpn", **more: Any) -> dict[str, Any]:
    configuration = {"name": "default", "properties": {"subnet": link(subnet)}}
    return {"gatewayType": kind, "ipConfigurations": [configuration], **more}


def with_routes(*routes: dict[str, Any]) -> dict[str, Any]:
    own: dict[str, Any] = {"bgpSettings": {"asn": 65515, "bgpPeeringAddress": "10.1.0.254"}}
    entry = {"id": f"{NETWORK}/{GATEWAY}", "location": "eastus", "properties": properties(**own)}
    return entry | {"simulator": {"learnedRoutes": list(routes)}}


def test_gateway_occupies_its_subnet_and_speaks_from_an_address_there(hub: Cloud) -> None:
    hub.put(GATEWAY, properties(enableBgp=True, bgpSettings={"asn": 65010}))
    found = hub.get(GATEWAY)["properties"]
    assert found["bgpSettings"] == {"asn": 65010, "peerWeight": 0, "bgpPeeringAddress": "10.1.0.254"}
    assert (found["enableBgp"], found["activeActive"]) == (True, False)
    assert hub.get(SUBNET)["properties"]["ipConfigurations"] == [link(f"{GATEWAY}/ipConfigurations/default")]
    assert hub.refused("DELETE", SUBNET) == (400, "InUseSubnetCannotBeDeleted")
    hub.put("virtualNetworkGateways/er", properties(kind="ExpressRoute"))


def test_no_gateway_comes_where_a_security_group_is(hub: Cloud) -> None:
    hub.put("networkSecurityGroups/g")
    hub.subnet(SUBNET, "10.1.0.0/24", networkSecurityGroup=link("networkSecurityGroups/g"))
    body = {"location": "eastus", "properties": properties()}
    assert hub.refused("PUT", GATEWAY, body) == (400, "GatewaySubnetCannotHaveNetworkSecurityGroup")
    hub.subnet(SUBNET, "10.1.0.0/24")
    hub.put(GATEWAY, properties())


def test_gateways_that_cannot_be_are_refused(hub: Cloud) -> None:
    hub.subnet("virtualNetworks/hub/subnets/other", "10.1.1.0/24")
    hub.put(GATEWAY, properties())
    for sent, code in (
        (properties("virtualNetworks/hub/subnets/other"), "VirtualNetworkGatewayRequiresGatewaySubnet"),
        ({"gatewayType": "Vpn"}, "VirtualNetworkGatewayRequiresGatewaySubnet"),
        (properties(kind="Magic"), "InvalidGatewayType"),
        (properties(), "VirtualNetworkAlreadyHasGatewayOfThisType"),
    ):
        body = {"location": "eastus", "properties": sent}
        assert hub.refused("PUT", "virtualNetworkGateways/second", body) == (400, code)


def test_gateway_is_not_made_under_a_default_route_or_beside_a_remote_one(hub: Cloud) -> None:
    route = {"name": "out", "properties": {"addressPrefix": "0.0.0.0/0", "nextHopType": "Internet"}}
    subnet = {"name": "GatewaySubnet", "properties": {"addressPrefix": "10.7.0.0/24"}}
    subnet["properties"]["routeTable"] = link("routeTables/t")  # type: ignore[index]
    space = {"addressSpace": {"addressPrefixes": ["10.7.0.0/16"]}}
    hub.arm.load(
        [
            {**link("routeTables/t"), "location": "eastus", "properties": {"routes": [route]}},
            {**link("virtualNetworks/bad"), "location": "eastus", "properties": space | {"subnets": [subnet]}},
        ]
    )
    body = {"location": "eastus", "properties": properties("virtualNetworks/bad/subnets/GatewaySubnet")}
    assert hub.refused("PUT", GATEWAY, body) == (400, "GatewaySubnetCannotHaveDefaultRoute")
    uses = {"useRemoteGateways": True, "doNotVerifyRemoteGateways": True}
    hub.put(
        "virtualNetworks/hub/virtualNetworkPeerings/p", {"remoteVirtualNetwork": link("virtualNetworks/bad"), **uses}
    )
    body = {"location": "eastus", "properties": properties()}
    assert hub.refused("PUT", GATEWAY, body) == (400, "VirtualNetworkUsesRemoteGateways")


def test_learned_routes_are_a_long_operation_told_by_its_location() -> None:
    cloud = Cloud(latency="real")
    space = {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}}
    subnet = {"name": "GatewaySubnet", "properties": {"addressPrefix": "10.1.0.0/24"}}
    network = {**link("virtualNetworks/hub"), "location": "eastus", "properties": space | {"subnets": [subnet]}}
    default = {"network": "0.0.0.0/0", "nextHop": "10.9.0.4", "asPath": "65010-65020", "sourcePeer": "10.9.0.5"}
    cloud.arm.load([network, with_routes(default, {"network": "192.168.0.0/16", "nextHop": "10.9.0.4"})])
    answer = cloud.call("POST", f"{GATEWAY}/getLearnedRoutes")
    assert (answer.status, answer.json(), answer.headers["Retry-After"]) == (202, None, "10")
    assert "Azure-AsyncOperation" not in answer.headers
    where = answer.headers["Location"].removeprefix(AZURE).split("?")[0]
    waiting = cloud.call("GET", where)
    assert (waiting.status, waiting.headers["Location"].split("?")[0]) == (202, AZURE + where)
    cloud.clock.advance(1800)
    done = cloud.call("GET", where)
    own = {"localAddress": "10.1.0.254", "weight": 32768}
    assert (done.status, done.json()) == (
        200,
        {
            "value": [
                own
                | {"network": "10.1.0.0/16", "nextHop": "", "sourcePeer": "10.1.0.254", "origin": "Network"}
                | {"asPath": ""},
                own | default | {"origin": "EBgp"},
                own
                | {"network": "192.168.0.0/16", "nextHop": "10.9.0.4", "sourcePeer": "10.9.0.4", "origin": "EBgp"}
                | {"asPath": ""},
            ]
        },
    )
    told = cloud.arm.events[-1]
    assert told.type == "Microsoft.Resources.ResourceActionSuccess"
    assert told.data["operationName"] == "Microsoft.Network/virtualNetworkGateways/getLearnedRoutes/action"
    assert told.data["httpRequest"]["method"] == "POST"


def test_what_the_estate_says_of_routes_is_seen_by_no_client_and_survives_writes(hub: Cloud) -> None:
    hub.arm.load([with_routes({"network": "0.0.0.0/0"})])
    body = hub.get(GATEWAY)
    assert "simulator" not in body
    answer = hub.call("PUT", GATEWAY, body | {"tags": {"a": "b"}, "simulator": {"learnedRoutes": []}})
    assert answer.status == 200
    assert "simulator" not in answer.json()
    other = Cloud()
    other.arm.load(hub.arm.export())
    location = other.call("POST", f"{GATEWAY}/getLearnedRoutes").headers["Location"].removeprefix(AZURE)
    routes = other.get(location.split("?")[0])["value"]
    assert [route["network"] for route in routes] == ["10.1.0.0/16", "0.0.0.0/0"]


def test_gateway_that_is_not_ready_tells_nothing() -> None:
    cloud = Cloud(durations={"microsoft.network/virtualnetworkgateways": 60})
    cloud.vnet("hub", "10.1.0.0/16")
    cloud.subnet(SUBNET, "10.1.0.0/24")
    cloud.put(GATEWAY, properties())
    assert cloud.refused("POST", f"{GATEWAY}/getLearnedRoutes") == (409, "AnotherOperationInProgress")
    assert cloud.refused("POST", "virtualNetworkGateways/none/getLearnedRoutes") == (404, "ResourceNotFound")
    failed = {"id": f"{NETWORK}/virtualNetworkGateways/bad", "properties": {"provisioningState": "Failed"}}
    cloud.arm.load([failed])
    code = "VirtualNetworkGatewayNotProvisioned"
    assert cloud.refused("POST", "virtualNetworkGateways/bad/getLearnedRoutes") == (400, code)
    cloud.clock.advance(60)
    assert cloud.call("POST", f"{GATEWAY}/getLearnedRoutes").status == 202
    assert cloud.refused("POST", f"{GATEWAY}/getBgpPeerStatus") == (501, "NotModelledBySimulator")


def test_gateway_can_be_written_while_its_routes_are_asked_for() -> None:
    cloud = Cloud(latency="real")
    cloud.arm.load([with_routes()])
    cloud.call("POST", f"{GATEWAY}/getLearnedRoutes")
    assert cloud.call("DELETE", GATEWAY).status == 202


@pytest.mark.parametrize("said", [{}, {"learnedRoutes": {}}, {"learnedRoutes": [{}]}, []])
def test_estate_that_says_something_else_of_routes_is_refused(said: object) -> None:
    with pytest.raises(BadEstate, match="learnedRoutes"):
        Arm(ManualClock()).load([with_routes() | {"simulator": said}])
