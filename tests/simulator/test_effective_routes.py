"""Effective routes of an interface: what leads where, and what wins."""

from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulator.cloud import GROUP, NETWORK, Cloud, link

AZURE = "https://management.azure.com"
MACHINE = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm"
SUBNET = "virtualNetworks/spoke/subnets/app"
INTERNET = ("Default", "0.0.0.0/0", "Internet", "Active")
Line: TypeAlias = tuple[str, str, str, str]


def nowhere(*prefixes: str) -> list[Line]:
    return [("Default", prefix, "None", "Active") for prefix in prefixes]


@pytest.fixture
def spoke(cloud: Cloud) -> Cloud:
    """A network `spoke` with a running machine in its subnet `app`."""
    cloud.vnet("spoke", "10.2.0.0/16")
    cloud.subnet(SUBNET, "10.2.1.0/24")
    cloud.nic("nic", SUBNET)
    cloud.put(MACHINE, {"networkProfile": {"networkInterfaces": [link("networkInterfaces/nic")]}})
    return cloud


def routes(cloud: Cloud, nic: str = "nic") -> list[dict[str, Any]]:
    answer = cloud.call("POST", f"networkInterfaces/{nic}/effectiveRouteTable")
    assert (answer.status, answer.json()) == (202, None)
    found: list[dict[str, Any]] = cloud.get(answer.headers["Location"].removeprefix(AZURE).split("?")[0])["value"]
    return found


def lines(cloud: Cloud) -> list[Line]:
    return [(one["source"], *one["addressPrefix"], one["nextHopType"], one["state"]) for one in routes(cloud)]


def route(prefix: str, hop: str, address: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"addressPrefix": prefix, "nextHopType": hop}
    return found | ({"nextHopIpAddress": address} if address else {})


def table(cloud: Cloud, *user: dict[str, Any], **properties: Any) -> None:
    """User routes in; the table with them is at the subnet."""
    named = [{"name": f"r{number}", "properties": one} for number, one in enumerate(user)]
    cloud.put("routeTables/t", {"routes": named, **properties})
    cloud.subnet(SUBNET, "10.2.1.0/24", routeTable=link("routeTables/t"))


def hub(cloud: Cloud, *networks: str, location: str = "eastus", transit: bool = True, **spoke_flags: bool) -> None:
    """Learned ranges in; a network `hub` with a gateway that learned them is peered with the spoke."""
    subnet = {"name": "GatewaySubnet", "properties": {"addressPrefix": "10.1.0.0/24"}}
    space = {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}, "subnets": [subnet]}
    configuration = {
        "name": "c",
        "properties": {
            "subnet": link("virtualNetworks/hub/subnets/GatewaySubnet"),
            "publicIPAddress": link("publicIPAddresses/gw"),
        },
    }
    gateway = {
        **link("virtualNetworkGateways/gw"),
        "location": location,
        "properties": {"gatewayType": "Vpn", "ipConfigurations": [configuration]},
        "simulator": {"learnedRoutes": [{"network": network, "nextHop": "10.9.0.4"} for network in networks]},
    }
    address = {"ipAddress": "203.0.113.7", "publicIPAllocationMethod": "Static"}
    cloud.arm.load(
        [
            {**link("virtualNetworks/hub"), "location": location, "properties": space},
            {**link("publicIPAddresses/gw"), "location": location, "properties": address, "sku": {"name": "Standard"}},
            gateway,
        ]
    )
    for mine, other, flags in (
        ("hub", "spoke", {"allowGatewayTransit": transit}),
        ("spoke", "hub", spoke_flags),
    ):
        remote = {"remoteVirtualNetwork": link(f"virtualNetworks/{other}"), **flags}
        cloud.put(f"virtualNetworks/{mine}/virtualNetworkPeerings/p", remote)


def test_every_subnet_has_its_network_the_internet_and_nowhere(spoke: Cloud) -> None:
    assert lines(spoke) == [
        ("Default", "10.2.0.0/16", "VnetLocal", "Active"),
        INTERNET,
        *nowhere("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
    ]
    assert routes(spoke)[0] == {
        "disableBgpRoutePropagation": False,
        "source": "Default",
        "state": "Active",
        "addressPrefix": ["10.2.0.0/16"],
        "nextHopType": "VnetLocal",
        "nextHopIpAddress": [],
    }


def test_network_that_has_a_reserved_range_takes_it(cloud: Cloud) -> None:
    cloud.put("virtualNetworks/spoke", {"addressSpace": {"addressPrefixes": ["10.0.0.0/8", "fd00::/56"]}})
    cloud.put(SUBNET, {"addressPrefix": "10.2.1.0/24"})
    cloud.nic("nic", SUBNET)
    cloud.put(MACHINE, {"networkProfile": {"networkInterfaces": [link("networkInterfaces/nic")]}})
    shown = {(prefix, hop) for _, prefix, hop, _ in lines(cloud)}
    assert ("10.0.0.0/8", "None") not in shown
    assert {("10.0.0.0/8", "VnetLocal"), ("fd00::/56", "VnetLocal"), ("::/0", "Internet")} <= shown


@pytest.mark.parametrize(("location", "hop"), [("eastus", "VNetPeering"), ("westus", "VNetGlobalPeering")])
def test_connected_peering_leads_to_the_other_network(spoke: Cloud, location: str, hop: str) -> None:
    hub(spoke, location=location)
    assert ("Default", "10.1.0.0/16", hop, "Active") in lines(spoke)
    spoke.call("DELETE", "virtualNetworks/hub/virtualNetworkPeerings/p")
    assert "10.1.0.0/16" not in {prefix for _, prefix, _, _ in lines(spoke)}


def test_peering_that_is_out_of_sync_leads_to_the_ranges_it_knows(spoke: Cloud) -> None:
    hub(spoke)
    body = spoke.get("virtualNetworks/hub")
    body["properties"]["addressSpace"]["addressPrefixes"].append("10.7.0.0/16")
    assert spoke.call("PUT", "virtualNetworks/hub", body).status == 200
    assert "10.7.0.0/16" not in {prefix for _, prefix, _, _ in lines(spoke)}
    spoke.put("virtualNetworks/spoke/virtualNetworkPeerings/p", {"remoteVirtualNetwork": link("virtualNetworks/hub")})
    assert "10.7.0.0/16" in {prefix for _, prefix, _, _ in lines(spoke)}


def test_peering_without_access_leads_nowhere(spoke: Cloud) -> None:
    hub(spoke, allowVirtualNetworkAccess=False)
    assert "10.1.0.0/16" not in {prefix for _, prefix, _, _ in lines(spoke)}


def test_learned_routes_come_over_a_peering_that_uses_the_gateways_of_the_other_side(spoke: Cloud) -> None:
    hub(spoke, "0.0.0.0/0", "192.168.7.0/24", useRemoteGateways=True)
    found = lines(spoke)
    assert ("VirtualNetworkGateway", "0.0.0.0/0", "VirtualNetworkGateway", "Active") in found
    assert ("Default", "0.0.0.0/0", "Internet", "Invalid") in found
    learned = [one for one in routes(spoke) if one["source"] == "VirtualNetworkGateway"]
    assert [one["nextHopIpAddress"] for one in learned] == [["203.0.113.7"]] * 2


def test_learned_routes_need_the_flag_of_this_side(spoke: Cloud) -> None:
    hub(spoke, "0.0.0.0/0")
    assert INTERNET in lines(spoke)
    assert "VirtualNetworkGateway" not in {source for source, *_ in lines(spoke)}


def test_learned_routes_do_not_pass_a_table_that_refuses_them(spoke: Cloud) -> None:
    hub(spoke, "0.0.0.0/0", useRemoteGateways=True)
    table(spoke, disableBgpRoutePropagation=True)
    assert INTERNET in lines(spoke)
    assert "VirtualNetworkGateway" not in {source for source, *_ in lines(spoke)}
    assert {one["disableBgpRoutePropagation"] for one in routes(spoke)} == {True}


def test_learned_route_does_not_take_the_ranges_of_networks(spoke: Cloud) -> None:
    hub(spoke, "10.2.0.0/16", "10.0.0.0/8", useRemoteGateways=True)
    found = lines(spoke)
    assert ("VirtualNetworkGateway", "10.2.0.0/16", "VirtualNetworkGateway", "Invalid") in found
    assert ("Default", "10.2.0.0/16", "VnetLocal", "Active") in found
    assert ("Default", "10.0.0.0/8", "None", "Invalid") in found
    assert ("VirtualNetworkGateway", "10.0.0.0/8", "VirtualNetworkGateway", "Active") in found


def test_own_gateway_tells_the_machines_beside_it(spoke: Cloud) -> None:
    hub(spoke, "192.168.7.0/24")
    spoke.subnet("virtualNetworks/hub/subnets/vms", "10.1.1.0/24")
    spoke.nic("beside", "virtualNetworks/hub/subnets/vms")
    spoke.put(f"{MACHINE}2", {"networkProfile": {"networkInterfaces": [link("networkInterfaces/beside")]}})
    prefixes = {one["addressPrefix"][0] for one in routes(spoke, "beside") if one["source"] == "VirtualNetworkGateway"}
    assert prefixes == {"192.168.7.0/24"}


def test_user_routes_win_over_all_others_of_their_prefix(spoke: Cloud) -> None:
    hub(spoke, "0.0.0.0/0", useRemoteGateways=True)
    table(
        spoke,
        route("0.0.0.0/0", "VirtualAppliance", "10.1.0.4"),
        route("10.1.0.0/16", "None"),
        route("10.2.3.0/24", "VnetLocal"),
        route("Storage", "Internet"),
    )
    found = lines(spoke)
    assert [line for line in found if line[1] == "0.0.0.0/0"] == [
        ("Default", "0.0.0.0/0", "Internet", "Invalid"),
        ("VirtualNetworkGateway", "0.0.0.0/0", "VirtualNetworkGateway", "Invalid"),
        ("User", "0.0.0.0/0", "VirtualAppliance", "Active"),
    ]
    assert ("Default", "10.1.0.0/16", "VNetPeering", "Invalid") in found
    assert found[-3:] == [
        ("User", "10.1.0.0/16", "None", "Active"),
        ("User", "10.2.3.0/24", "VnetLocal", "Active"),
        ("User", "Storage", "Internet", "Active"),
    ]
    user = [one for one in routes(spoke) if one["source"] == "User"]
    assert (user[0]["name"], user[0]["nextHopIpAddress"], user[1]["nextHopIpAddress"]) == ("r0", ["10.1.0.4"], [])
    assert all("name" not in one for one in routes(spoke) if one["source"] != "User")


def test_nat_gateway_is_not_seen(spoke: Cloud) -> None:
    before = routes(spoke)
    gateway = spoke.gateway("n", spoke.address("a"))
    spoke.subnet(SUBNET, "10.2.1.0/24", natGateway=gateway, defaultOutboundAccess=False)
    assert routes(spoke) == before


def test_table_that_disables_peering_routes_leaves_those_of_gateways(spoke: Cloud) -> None:
    hub(spoke, "0.0.0.0/0", useRemoteGateways=True)
    private(spoke, "virtualNetworks/hub", "10.1.0.9")
    table(spoke, disablePeeringRoute="None")
    before = {hop for _, _, hop, _ in lines(spoke)}
    assert {"VNetPeering", "InterfaceEndpoint"} <= before
    table(spoke, disablePeeringRoute="All")
    assert {hop for _, _, hop, _ in lines(spoke)} == before - {"VNetPeering", "InterfaceEndpoint"}


def private(cloud: Cloud, network: str, address: str, policies: str = "Disabled") -> None:
    """A network and an address in; a private endpoint has that address in a subnet of its own."""
    subnet = f"{network}/subnets/endpoints"
    prefix = f"{address.rpartition('.')[0]}.8/29"
    configuration = {"subnet": link(subnet), "privateIPAddress": address}
    cloud.arm.load(
        [
            {
                **link(subnet),
                "properties": {"addressPrefix": prefix, "privateEndpointNetworkPolicies": policies},
            },
            {
                **link(f"networkInterfaces/{address}"),
                "location": "eastus",
                "properties": {
                    "privateEndpoint": link("privateEndpoints/e"),
                    "ipConfigurations": [{"name": "one", "properties": configuration}],
                },
            },
        ]
    )


@pytest.mark.parametrize("network", ["virtualNetworks/spoke", "virtualNetworks/hub"])
def test_private_endpoint_is_reached_in_its_network_and_from_peers(spoke: Cloud, network: str) -> None:
    hub(spoke)
    address = "10.2.9.9" if network.endswith("spoke") else "10.1.9.9"
    private(spoke, network, address)
    assert ("Default", f"{address}/32", "InterfaceEndpoint", "Active") in lines(spoke)
    spoke.call("DELETE", "virtualNetworks/hub/virtualNetworkPeerings/p")
    prefixes = {prefix for _, prefix, _, _ in lines(spoke)}
    assert (f"{address}/32" in prefixes) == network.endswith("spoke")


@pytest.mark.parametrize(
    ("policies", "prefix", "state"),
    [
        ("Disabled", "10.2.9.0/24", "Active"),
        ("NetworkSecurityGroupEnabled", "10.2.9.0/24", "Active"),
        ("RouteTableEnabled", "10.2.9.0/24", "Invalid"),
        ("Enabled", "10.2.0.0/16", "Invalid"),
        ("Enabled", "10.0.0.0/8", "Active"),  # wider than the network of the endpoint
        ("Enabled", "0.0.0.0/0", "Active"),
        ("Enabled", "10.2.10.0/24", "Active"),  # another part of the network
        ("Disabled", "10.2.9.9/32", "Invalid"),  # the same prefix: the user's route wins
    ],
)
def test_user_route_takes_the_place_of_a_private_endpoint_that_heeds_it(
    spoke: Cloud, policies: str, prefix: str, state: str
) -> None:
    private(spoke, "virtualNetworks/spoke", "10.2.9.9", policies)
    table(spoke, route(prefix, "VirtualAppliance", "10.1.0.4"))
    found = lines(spoke)
    assert ("Default", "10.2.9.9/32", "InterfaceEndpoint", state) in found
    assert ("User", prefix, "VirtualAppliance", "Active") in found


def test_interface_that_is_no_endpoint_has_no_route(spoke: Cloud) -> None:
    assert "InterfaceEndpoint" not in {hop for _, _, hop, _ in lines(spoke)}


def test_service_endpoints_cannot_be_taken_the_place_of(spoke: Cloud) -> None:
    services = [{"service": "Microsoft.Storage"}, {"service": "microsoft.sql"}, {"service": "Microsoft.Unheard"}]
    spoke.subnet(SUBNET, "10.2.1.0/24", serviceEndpoints=services)
    endpoints = [prefix for _, prefix, hop, _ in lines(spoke) if hop == "VirtualNetworkServiceEndpoint"]
    assert len(set(endpoints)) == 2
    spoke.put("routeTables/t", {"routes": [{"name": "r", "properties": route(endpoints[0], "None")}]})
    spoke.subnet(SUBNET, "10.2.1.0/24", serviceEndpoints=services, routeTable=link("routeTables/t"))
    assert [line for line in lines(spoke) if line[1] == endpoints[0]] == [
        ("Default", endpoints[0], "VirtualNetworkServiceEndpoint", "Active"),
        ("User", endpoints[0], "None", "Invalid"),
    ]


PREFIXES = [
    *("0.0.0.0/0", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "10.1.0.0/16", "10.2.0.0/16"),
    *("10.2.9.0/24", "10.2.9.9/32", "10.1.9.9/32", "198.51.100.0/29", "203.0.113.0/24", "192.168.7.0/24"),
]
STRENGTH = {"VirtualNetworkServiceEndpoint": 4, "User": 3, "VirtualNetworkGateway": 1}
"""What is not here is Azure's own: the ranges of networks and endpoints win over what was learned, the rest loses."""


def strength(one: dict[str, Any]) -> float:
    own = 2 if one["nextHopType"] in ("VnetLocal", "VNetPeering", "InterfaceEndpoint") else 0
    return STRENGTH.get(one["nextHopType"] if one["source"] == "Default" else one["source"], own)


@given(
    user=st.lists(st.sampled_from(PREFIXES), unique=True),
    told=st.lists(st.sampled_from(PREFIXES), unique=True),
    policies=st.sampled_from(["Disabled", "Enabled"]),
    flags=st.fixed_dictionaries(
        {"disableBgpRoutePropagation": st.booleans(), "disablePeeringRoute": st.sampled_from(["None", "All"])}
    ),
    services=st.lists(st.sampled_from(["Microsoft.Storage", "Microsoft.Sql"]), unique=True),
)
def test_of_each_prefix_the_strongest_route_is_active_and_no_other(
    user: list[str], told: list[str], policies: str, flags: dict[str, Any], services: list[str]
) -> None:
    cloud = Cloud()
    cloud.vnet("spoke", "10.2.0.0/16")
    cloud.subnet(SUBNET, "10.2.1.0/24")
    cloud.nic("nic", SUBNET)
    cloud.put(MACHINE, {"networkProfile": {"networkInterfaces": [link("networkInterfaces/nic")]}})
    hub(cloud, *told, useRemoteGateways=True)
    private(cloud, "virtualNetworks/spoke", "10.2.9.9", policies)
    private(cloud, "virtualNetworks/hub", "10.1.9.9", policies)
    named = [{"name": f"r{number}", "properties": route(one, "None")} for number, one in enumerate(user)]
    cloud.put("routeTables/t", {"routes": named, **flags})
    endpoints = [{"service": service} for service in services]
    cloud.subnet(SUBNET, "10.2.1.0/24", routeTable=link("routeTables/t"), serviceEndpoints=endpoints)
    by_prefix: dict[str, list[dict[str, Any]]] = {}
    for one in routes(cloud):
        by_prefix.setdefault(one["addressPrefix"][0], []).append(one)
    assert {"0.0.0.0/0", "10.2.0.0/16", *user} <= by_prefix.keys()
    for prefix, several in by_prefix.items():
        active = [one for one in several if one["state"] == "Active"]
        strongest = max(several, key=strength)
        narrower = {"10.2.9.9/32": {"10.2.0.0/16", "10.2.9.0/24"}, "10.1.9.9/32": {"10.1.0.0/16"}}.get(prefix, set())
        gives_way = strongest["nextHopType"] == "InterfaceEndpoint" and policies == "Enabled" and narrower & {*user}
        assert active == ([] if gives_way else [strongest])


def test_interface_must_be_attached_to_a_running_machine(spoke: Cloud) -> None:
    code = "NicMustBeAttachedToRunningVmToGetEffectiveRoutes"
    spoke.nic("loose", SUBNET)
    assert spoke.refused("POST", "networkInterfaces/loose/effectiveRouteTable") == (400, code)
    machine = {"networkProfile": {"networkInterfaces": [link("networkInterfaces/nic")]}}
    for power, status in (("deallocated", 400), ("running", 202)):
        statuses = [{"code": "ProvisioningState/succeeded"}, {"code": f"PowerState/{power}"}]
        spoke.put(MACHINE, {**machine, "instanceView": {"statuses": statuses}})
        assert spoke.call("POST", "networkInterfaces/nic/effectiveRouteTable").status == status
    assert spoke.refused("POST", "networkInterfaces/none/effectiveRouteTable") == (404, "ResourceNotFound")


def test_table_takes_its_time_and_tells_what_was_there_when_it_was_asked_for() -> None:
    slow = {"microsoft.network/networkinterfaces/effectiveroutetable": 12.0}
    cloud = Cloud(durations=slow, retry_after={"action": 10})
    cloud.vnet("spoke", "10.2.0.0/16")
    cloud.subnet(SUBNET, "10.2.1.0/24")
    cloud.nic("nic", SUBNET)
    cloud.put(MACHINE, {"networkProfile": {"networkInterfaces": [link("networkInterfaces/nic")]}})
    answer = cloud.call("POST", "networkInterfaces/nic/effectiveRouteTable")
    where = answer.headers["Location"].removeprefix(AZURE).split("?")[0]
    assert (answer.headers["Retry-After"], cloud.call("GET", where).status) == ("10", 202)
    cloud.clock.advance(12)
    assert cloud.get(where)["value"][0]["addressPrefix"] == ["10.2.0.0/16"]
    told = cloud.arm.events[-1].data["operationName"]
    assert told == "Microsoft.Network/networkInterfaces/effectiveRouteTable/action"
    assert cloud.arm.events[-1].subject.endswith(f"{NETWORK.rpartition('/')[2]}/networkInterfaces/nic")
