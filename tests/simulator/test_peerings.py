"""Peerings: what each side shows of the other, and what Azure refuses."""

from typing import Any

import pytest

from tests.simulator.cloud import GROUP, NETWORK, Cloud, link

FAR = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/far/providers/Microsoft.Network"
TO_SPOKE = "virtualNetworks/hub/virtualNetworkPeerings/to-spoke"
TO_HUB = "virtualNetworks/spoke/virtualNetworkPeerings/to-hub"


@pytest.fixture
def hub(cloud: Cloud) -> Cloud:
    """A hub and a spoke that do not peer yet."""
    cloud.vnet("hub", "10.0.0.0/16")
    cloud.vnet("spoke", "10.1.0.0/16")
    return cloud


def naming(network: str, **properties: Any) -> dict[str, Any]:
    return {"remoteVirtualNetwork": link(f"virtualNetworks/{network}"), **properties}


def peer(cloud: Cloud, **properties: Any) -> None:
    """Both sides of hub and spoke."""
    cloud.put(TO_SPOKE, naming("spoke", **properties))
    cloud.put(TO_HUB, naming("hub"))


def shown(cloud: Cloud, path: str) -> tuple[str, str]:
    properties = cloud.get(path)["properties"]
    return properties["peeringState"], properties["peeringSyncLevel"]


def spaces(cloud: Cloud, path: str) -> tuple[list[str], list[str]]:
    """What a side knows of the other's ranges, and what they are now."""
    properties = cloud.get(path)["properties"]
    known, now = properties["remoteAddressSpace"], properties["remoteVirtualNetworkAddressSpace"]
    return known["addressPrefixes"], now["addressPrefixes"]


def resize(cloud: Cloud, network: str, *prefixes: str) -> None:
    """A network's own PUT with other ranges, as a client makes it: read, changed, written."""
    body = cloud.get(f"virtualNetworks/{network}")
    body["properties"]["addressSpace"]["addressPrefixes"] = list(prefixes)
    answer = cloud.call("PUT", f"virtualNetworks/{network}", body)
    assert answer.status == 200, answer.body


def give_gateway(cloud: Cloud, network: str, prefix: str) -> None:
    subnet = f"virtualNetworks/{network}/subnets/GatewaySubnet"
    cloud.subnet(subnet, prefix)
    configuration = {"name": "default", "properties": {"subnet": link(subnet)}}
    gateway = {"gatewayType": "Vpn", "ipConfigurations": [configuration]}
    cloud.put(f"virtualNetworkGateways/{network}-gw", gateway)


def test_one_side_is_initiated_and_both_are_connected(hub: Cloud) -> None:
    first = hub.put(TO_SPOKE, naming("spoke"))["properties"]
    assert first["provisioningState"] == "Updating"
    assert {name: first[name] for name in first if name.startswith(("allow", "use", "doNot", "peerComplete"))} == {
        "allowVirtualNetworkAccess": True,
        "allowForwardedTraffic": False,
        "allowGatewayTransit": False,
        "useRemoteGateways": False,
        "doNotVerifyRemoteGateways": False,
        "peerCompleteVnets": True,
    }
    assert shown(hub, TO_SPOKE) == ("Initiated", "RemoteNotInSync")
    assert spaces(hub, TO_SPOKE) == (["10.1.0.0/16"], ["10.1.0.0/16"])
    before = hub.get("virtualNetworks/hub")["etag"]
    hub.put(TO_HUB, naming("hub"))
    assert shown(hub, TO_SPOKE) == shown(hub, TO_HUB) == ("Connected", "FullyInSync")
    assert hub.get("virtualNetworks/hub")["etag"] != before
    guids = {hub.get(path)["properties"]["resourceGuid"] for path in (TO_SPOKE, TO_HUB)}
    assert len(guids) == 1


def test_peering_keeps_its_own_network_busy_and_not_the_other() -> None:
    cloud = Cloud(durations={"microsoft.network/virtualnetworks/virtualnetworkpeerings": 5})
    cloud.vnet("hub", "10.0.0.0/16")
    cloud.vnet("spoke", "10.1.0.0/16")
    cloud.put(TO_SPOKE, naming("spoke"))
    subnet = {"properties": {"addressPrefix": "10.0.0.0/24"}}
    assert cloud.refused("PUT", "virtualNetworks/hub/subnets/s", subnet) == (409, "AnotherOperationInProgress")
    cloud.subnet("virtualNetworks/spoke/subnets/s", "10.1.0.0/24")
    body = {"properties": naming("hub")}
    assert cloud.refused("PUT", TO_HUB, body) == (400, "ReferencedResourceNotProvisioned")
    cloud.clock.advance(5)
    assert cloud.call("PUT", TO_HUB, body).status == 201


def test_side_that_is_left_alone_is_disconnected_until_it_is_written_again(hub: Cloud) -> None:
    peer(hub)
    before = hub.get("virtualNetworks/hub")["etag"]
    hub.call("DELETE", TO_HUB)
    assert shown(hub, TO_SPOKE) == ("Disconnected", "RemoteNotInSync")
    assert hub.get("virtualNetworks/hub")["etag"] != before
    again = {"properties": naming("hub")}
    assert hub.refused("PUT", TO_HUB, again) == (400, "RemotePeeringIsDisconnected")
    text = hub.call("PUT", TO_HUB, again).json()["error"]["message"]
    assert text.startswith(
        f"Cannot create or update peering {NETWORK}/{TO_HUB} because remote peering {NETWORK}/{TO_SPOKE} referencing "
        f"parent virtual network {NETWORK}/virtualNetworks/spoke is in Disconnected state."
    )
    hub.put(TO_SPOKE, naming("spoke"))
    assert shown(hub, TO_SPOKE)[0] == "Initiated"
    hub.put(TO_HUB, naming("hub"))
    assert shown(hub, TO_SPOKE) == shown(hub, TO_HUB) == ("Connected", "FullyInSync")


@pytest.mark.parametrize("gone", ["network", "cleared", "group"])
def test_every_way_a_side_can_go_disconnects_the_other(hub: Cloud, gone: str) -> None:
    hub.arm.load([{"id": f"{FAR}/virtualNetworks/remote", "location": "westus"}])
    peer(hub)
    mine, theirs = "virtualNetworks/hub/virtualNetworkPeerings/far", f"{FAR}/virtualNetworks/remote"
    match gone:
        case "network":
            assert hub.call("DELETE", "virtualNetworks/spoke").status == 202
            assert shown(hub, TO_SPOKE)[0] == "Disconnected"
        case "cleared":
            hub.put("virtualNetworks/spoke", {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}})
            assert hub.get("virtualNetworks/spoke/virtualNetworkPeerings")["value"] == []
            assert shown(hub, TO_SPOKE)[0] == "Disconnected"
        case _:
            hub.put(mine, {"remoteVirtualNetwork": {"id": theirs}})
            back = {"properties": {"remoteVirtualNetwork": link("virtualNetworks/hub")}}
            assert hub.call("PUT", f"{theirs}/virtualNetworkPeerings/back", back).status == 201
            assert shown(hub, mine)[0] == "Connected"
            assert hub.call("DELETE", GROUP).status == 202
            assert shown(hub, f"{theirs}/virtualNetworkPeerings/back")[0] == "Disconnected"


def test_networks_of_other_regions_and_subscriptions_peer(cloud: Cloud) -> None:
    cloud.vnet("hub", "10.0.0.0/16")
    space = {"addressSpace": {"addressPrefixes": ["10.9.0.0/16"]}}
    remote = f"{FAR}/virtualNetworks/remote"
    cloud.arm.load([{"id": remote, "location": "westus", "properties": space}])
    cloud.put(TO_SPOKE, {"remoteVirtualNetwork": {"id": remote}})
    back = {"properties": naming("hub")}
    assert cloud.call("PUT", f"{remote}/virtualNetworkPeerings/back", back).status == 201
    assert shown(cloud, TO_SPOKE) == ("Connected", "FullyInSync")


def test_changed_ranges_are_known_after_the_other_side_is_synchronised(hub: Cloud) -> None:
    peer(hub)
    resize(hub, "spoke", "10.1.0.0/16", "10.2.0.0/16")
    assert shown(hub, TO_SPOKE) == ("Connected", "LocalNotInSync")
    assert shown(hub, TO_HUB) == ("Connected", "RemoteNotInSync")
    assert spaces(hub, TO_SPOKE) == (["10.1.0.0/16"], ["10.1.0.0/16", "10.2.0.0/16"])
    resize(hub, "hub", "10.0.0.0/16", "10.3.0.0/16")
    assert shown(hub, TO_SPOKE) == shown(hub, TO_HUB) == ("Connected", "LocalAndRemoteNotInSync")
    body = hub.get(TO_SPOKE)
    assert hub.call("PUT", f"{TO_SPOKE}?syncRemoteAddressSpace=true", body).status == 200
    assert spaces(hub, TO_SPOKE) == (["10.1.0.0/16", "10.2.0.0/16"],) * 2
    assert shown(hub, TO_SPOKE) == ("Connected", "RemoteNotInSync")
    hub.put(TO_HUB, naming("hub", allowForwardedTraffic=True))
    assert shown(hub, TO_SPOKE) == shown(hub, TO_HUB) == ("Connected", "FullyInSync")


def test_ranges_of_an_estate_are_kept_when_the_other_network_grows(cloud: Cloud) -> None:
    def network(name: str, prefix: str, other: str) -> dict[str, Any]:
        peering = {"name": "p", "properties": {"remoteVirtualNetwork": link(f"virtualNetworks/{other}")}}
        space = {"addressPrefixes": [prefix]}
        properties = {"addressSpace": space, "virtualNetworkPeerings": [peering]}
        return {"id": f"{NETWORK}/virtualNetworks/{name}", "location": "eastus", "properties": properties}

    cloud.arm.load([network("hub", "10.0.0.0/16", "spoke"), network("spoke", "10.1.0.0/16", "hub")])
    assert shown(cloud, "virtualNetworks/hub/virtualNetworkPeerings/p") == ("Connected", "FullyInSync")
    resize(cloud, "spoke", "10.1.0.0/16", "10.2.0.0/16")
    assert shown(cloud, "virtualNetworks/hub/virtualNetworkPeerings/p") == ("Connected", "LocalNotInSync")


def test_estate_says_how_a_peering_with_a_stranger_stands_and_it_stays_so(cloud: Cloud) -> None:
    given = {"remoteVirtualNetwork": {"id": f"{FAR}/virtualNetworks/x"}, "peeringState": "Connected"}
    peering = {"name": "p", "properties": given}
    properties = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "virtualNetworkPeerings": [peering]}
    cloud.arm.load([{"id": f"{NETWORK}/virtualNetworks/v", "location": "eastus", "properties": properties}])
    assert shown(cloud, "virtualNetworks/v/virtualNetworkPeerings/p") == ("Connected", "FullyInSync")
    resize(cloud, "v", "10.0.0.0/15")
    assert shown(cloud, "virtualNetworks/v/virtualNetworkPeerings/p") == ("Connected", "FullyInSync")


@pytest.mark.parametrize(
    ("properties", "refusal"),
    [
        ({"remoteVirtualNetwork": link("virtualNetworks/hub")}, (400, "PeeringCannotReferenceItsOwnVirtualNetwork")),
        ({"remoteVirtualNetwork": link("virtualNetworks/none")}, (400, "InvalidResourceReference")),
        ({}, (400, "InvalidResourceReference")),
        (naming("overlapping"), (400, "VnetAddressSpacesOverlap")),
        (naming("spoke", peerCompleteVnets=False), (501, "NotModelledBySimulator")),
        (naming("spoke", useRemoteGateways=True), (400, "RemoteVnetHasNoGateways")),
        (
            naming("spoke", useRemoteGateways=True, allowGatewayTransit=True),
            (400, "AllowGatewayTransitAndUseRemoteGatewaysCannotBothBeSet"),
        ),
    ],
)
def test_peerings_that_make_no_sense_are_refused(
    hub: Cloud, properties: dict[str, Any], refusal: tuple[int, str]
) -> None:
    hub.vnet("overlapping", "10.0.128.0/24")
    assert hub.refused("PUT", TO_SPOKE, {"properties": properties}) == refusal
    assert hub.get("virtualNetworks/hub")["properties"]["virtualNetworkPeerings"] == []


def test_two_networks_have_one_peering_each_way(hub: Cloud) -> None:
    peer(hub)
    second = "virtualNetworks/hub/virtualNetworkPeerings/second"
    body = {"properties": naming("spoke")}
    assert hub.refused("PUT", second, body) == (400, "AnotherPeeringAlreadyReferencesRemoteVnet")
    hub.vnet("other", "10.5.0.0/16")
    body = {"properties": naming("other")}
    assert hub.refused("PUT", TO_SPOKE, body) == (400, "RemoteVirtualNetworkOfPeeringCannotBeChanged")


def test_peers_of_one_network_do_not_overlap(hub: Cloud) -> None:
    peer(hub)
    hub.vnet("twin", "10.1.0.0/17")
    code = "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet"
    from_hub = {"properties": naming("twin")}
    assert hub.refused("PUT", "virtualNetworks/hub/virtualNetworkPeerings/twin", from_hub) == (400, code)
    from_twin = {"properties": naming("hub")}
    assert hub.refused("PUT", "virtualNetworks/twin/virtualNetworkPeerings/hub", from_twin) == (400, code)


def test_network_does_not_grow_into_its_peer(hub: Cloud) -> None:
    peer(hub)
    body = hub.get("virtualNetworks/hub")
    body["properties"]["addressSpace"]["addressPrefixes"] = ["10.0.0.0/15"]
    assert hub.refused("PUT", "virtualNetworks/hub", body) == (400, "VnetAddressSpacesOverlap")


def test_inline_peerings_are_judged_as_children_are(hub: Cloud) -> None:
    space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}
    peerings = [{"name": name, "properties": naming("spoke")} for name in ("a", "b")]
    body = {"location": "eastus", "properties": space | {"virtualNetworkPeerings": peerings}}
    assert hub.refused("PUT", "virtualNetworks/hub", body) == (400, "AnotherPeeringAlreadyReferencesRemoteVnet")
    hub.put("virtualNetworks/hub", space | {"virtualNetworkPeerings": peerings[:1]})
    hub.put(TO_HUB, naming("hub"))
    assert shown(hub, "virtualNetworks/hub/virtualNetworkPeerings/a") == ("Connected", "FullyInSync")


def test_spoke_uses_the_gateway_of_a_hub_that_lets_it(hub: Cloud) -> None:
    give_gateway(hub, "hub", "10.0.255.0/24")
    uses = {"properties": naming("hub", useRemoteGateways=True)}
    hub.put(TO_SPOKE, naming("spoke"))
    assert hub.refused("PUT", TO_HUB, uses) == (400, "RemotePeeringDoesNotAllowGatewayTransit")
    hub.put(TO_SPOKE, naming("spoke", allowGatewayTransit=True))
    assert hub.call("PUT", TO_HUB, uses).status == 201
    denied = {"properties": naming("spoke")}
    assert hub.refused("PUT", TO_SPOKE, denied) == (400, "RemotePeeringUsesRemoteGateways")


def test_spoke_uses_one_gateway_only_and_has_none_of_its_own(hub: Cloud) -> None:
    hub.vnet("second", "10.2.0.0/16")
    trusting = {"useRemoteGateways": True, "doNotVerifyRemoteGateways": True}
    hub.put(TO_HUB, naming("hub", **trusting))
    body = {"properties": naming("second", **trusting)}
    to_second = "virtualNetworks/spoke/virtualNetworkPeerings/to-second"
    assert hub.refused("PUT", to_second, body) == (400, "AnotherPeeringAlreadyUsesRemoteGateways")
    give_gateway(hub, "second", "10.2.255.0/24")
    back = {"properties": naming("spoke", **trusting)}
    code = "VirtualNetworkWithGatewayCannotUseRemoteGateways"
    assert hub.refused("PUT", "virtualNetworks/second/virtualNetworkPeerings/p", back) == (400, code)


def test_network_has_at_most_500_peerings(cloud: Cloud) -> None:
    def naming_one(number: int) -> dict[str, Any]:
        return {"remoteVirtualNetwork": {"id": f"{FAR}/virtualNetworks/v{number}"}}

    peerings = [{"name": f"p{number}", "properties": naming_one(number)} for number in range(499)]
    properties = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "virtualNetworkPeerings": peerings}
    cloud.arm.load([{"id": f"{NETWORK}/virtualNetworks/hub", "location": "eastus", "properties": properties}])
    cloud.vnet("spoke", "10.1.0.0/16")
    cloud.vnet("other", "10.2.0.0/16")
    cloud.put(TO_SPOKE, naming("spoke"))
    body = {"properties": naming("other")}
    code = "VirtualNetworkPeeringLimitExceeded"
    assert cloud.refused("PUT", "virtualNetworks/hub/virtualNetworkPeerings/more", body) == (400, code)


def test_peerings_survive_export_and_load(hub: Cloud) -> None:
    peer(hub)
    hub.call("DELETE", TO_HUB)
    resize(hub, "spoke", "10.1.0.0/16", "10.2.0.0/16")
    other = Cloud()
    other.arm.load(hub.arm.export())
    assert shown(other, TO_SPOKE) == shown(hub, TO_SPOKE) == ("Disconnected", "LocalAndRemoteNotInSync")
