"""Which outbound type a cluster may have, and which it may get: every pair of the migration matrix is a row."""

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.outbound_types import FROM_MANAGED_NETWORK, FROM_OWN_NETWORK, spelled
from tests.simulator.aks import CLUSTER, ISOLATED, NODE_NETWORK, SUBNET, Aks, told
from tests.simulator.cloud import link

MANAGED = ("loadBalancer", "managedNATGatewayV2", "managedNATGateway", "none", "block")
OWN = ("loadBalancer", "userAssignedNATGateway", "userDefinedRouting", "none")
PAIRS = [(own, before, after) for own, kinds in ((False, MANAGED), (True, OWN)) for before in kinds for after in kinds]
# What the matrix does not even name: types that the network of a cluster does not take at all.
FOREIGN = [(False, before, after) for before in MANAGED for after in ("userAssignedNATGateway", "userDefinedRouting")]
FOREIGN += [(True, before, after) for before in OWN for after in ("managedNATGateway", "managedNATGatewayV2", "block")]


def ready(cloud: Aks, outbound: str) -> None:
    """The subnet is as an outbound type in it needs it."""
    match outbound:
        case "userAssignedNATGateway":
            cloud.attach(natGateway="gw")
        case "userDefinedRouting":
            cloud.attach(routeTable="firewall")
        case _:
            cloud.attach()


def test_the_matrix_is_the_documented_one(shared: Path) -> None:
    documented: dict[str, Any] = json.loads((shared / "facts" / "aks_outbound_migration.json").read_text())
    for name, ours in (("managed_vnet", FROM_MANAGED_NETWORK), ("byo_vnet", FROM_OWN_NETWORK)):
        supported = {
            before: {after for after, said in row.items() if said == "Supported"}
            for before, row in documented[name].items()
        }
        assert {before: set(after) for before, after in ours.items()} == supported


@pytest.mark.parametrize(("own", "before", "after"), PAIRS, ids=lambda value: str(value))
def test_every_pair_of_the_matrix(shared: Path, own: bool, before: str, after: str) -> None:
    documented = json.loads((shared / "facts" / "aks_outbound_migration.json").read_text())
    cloud = Aks()
    ready(cloud, before)
    cloud.made(before, own=own, **ISOLATED)
    ready(cloud, after)
    answer = cloud.cluster(after, own=own, **ISOLATED)
    if documented["byo_vnet" if own else "managed_vnet"][before][after] == "Not Supported":
        assert told(answer) == (400, "UpdatingOutboundTypeNotAllowed")
        after = before
    else:
        assert answer.status == 200, answer.body
    cloud.settle()
    shown = cloud.get(CLUSTER)["properties"]
    assert (shown["provisioningState"], shown["networkProfile"]["outboundType"]) == ("Succeeded", after)


@pytest.mark.parametrize(("own", "before", "after"), FOREIGN, ids=lambda value: str(value))
def test_types_for_the_other_kind_of_network_are_never_reached(own: bool, before: str, after: str) -> None:
    cloud = Aks()
    ready(cloud, before)
    cloud.made(before, own=own, **ISOLATED)
    ready(cloud, after)
    assert told(cloud.cluster(after, own=own, **ISOLATED)) == (400, "UpdatingOutboundTypeNotAllowed")


def test_the_second_nat_gateway_is_told_by_its_sku_too() -> None:
    cloud = Aks()
    cloud.made("managedNATGateway")
    second = {"outboundType": "managedNATGateway", "natGatewayProfile": {"sku": "standardV2"}}
    assert cloud.cluster(networkProfile=second).status == 200
    cloud.settle()
    gateway = cloud.get(f"{NODE_NETWORK}/natGateways/aks-nat-gateway")
    assert gateway["sku"]["name"] == "StandardV2"
    assert told(cloud.cluster("loadBalancer")) == (400, "UpdatingOutboundTypeNotAllowed")


def test_types_are_known_in_any_case() -> None:
    assert spelled("USERDEFINEDROUTING") == "userDefinedRouting"
    cloud = Aks()
    assert cloud.made("LoadBalancer")["properties"]["networkProfile"]["outboundType"] == "loadBalancer"


CREATED: list[tuple[str, str, bool, dict[str, Any], dict[str, str], str]] = [
    ("unknown type", "teleport", False, {}, {}, "UnsupportedOutboundType"),
    ("routes without an own network", "userDefinedRouting", False, {}, {}, "UnsupportedOutboundType"),
    (
        "own gateway without an own network",
        "userAssignedNATGateway",
        False,
        {},
        {},
        "UserAssignedNATGatewayWithManagedVNetNotAllowed",
    ),
    (
        "managed gateway in an own network",
        "managedNATGateway",
        True,
        {},
        {},
        "ManagedNATGatewayWithCustomVNetNotAllowed",
    ),
    ("block in an own network", "block", True, {}, {}, "UnsupportedOutboundType"),
    ("none without isolation", "none", False, {}, {}, "UnsupportedOutboundType"),
    ("routes without a table", "userDefinedRouting", True, {}, {}, "ExistingRouteTableNotAssociatedWithSubnet"),
    (
        "routes without a default route",
        "userDefinedRouting",
        True,
        {},
        {"routeTable": "onprem"},
        "RouteTableMissingDefaultRouteError",
    ),
    ("routes to the internet", "userDefinedRouting", True, {}, {"routeTable": "internet"}, "RouteTableInvalidNextHop"),
    ("own gateway that is not there", "userAssignedNATGateway", True, {}, {}, "SubnetNotAssociatedWithNATGateway"),
    (
        "own gateway without an address",
        "userAssignedNATGateway",
        True,
        {},
        {"natGateway": "empty"},
        "NATGatewayNotAssociatedWithPublicIPOrIPPrefix",
    ),
    (
        "load balancer behind a gateway",
        "loadBalancer",
        True,
        {},
        {"natGateway": "gw"},
        "SubnetAlreadyAssociatedWithNATGateway",
    ),
    (
        "routes with addresses",
        "userDefinedRouting",
        True,
        {"networkProfile": {"loadBalancerProfile": {"managedOutboundIPs": {"count": 1}}}},
        {"routeTable": "firewall"},
        "InvalidUserDefinedRoutingWithLoadBalancerProfile",
    ),
    (
        "a gateway with addresses of the load balancer",
        "managedNATGateway",
        False,
        {"networkProfile": {"loadBalancerProfile": {"managedOutboundIPs": {"count": 1}}}},
        {},
        "InvalidLoadBalancerProfile",
    ),
    (
        "a load balancer with addresses of the gateway",
        "loadBalancer",
        False,
        {"networkProfile": {"natGatewayProfile": {"managedOutboundIPProfile": {"count": 1}}}},
        {},
        "InvalidNATGatewayProfile",
    ),
    (
        "two kinds of addresses",
        "loadBalancer",
        False,
        {
            "networkProfile": {
                "loadBalancerProfile": {"managedOutboundIPs": {"count": 1}, "outboundIPs": {"publicIPs": []}}
            }
        },
        {},
        "InvalidLoadBalancerProfile",
    ),
    (
        "a basic load balancer",
        "managedNATGateway",
        False,
        {"networkProfile": {"loadBalancerSku": "basic"}},
        {},
        "UnexpectedLoadBalancerSkuForCurrentOutboundConfiguration",
    ),
]


@pytest.mark.parametrize(
    ("outbound", "own", "properties", "links", "code"), [row[1:] for row in CREATED], ids=[row[0] for row in CREATED]
)
def test_a_cluster_that_does_not_fit_is_refused(
    outbound: str, own: bool, properties: dict[str, Any], links: dict[str, str], code: str
) -> None:
    cloud = Aks()
    cloud.routes("onprem", prefix="10.50.0.0/16")
    cloud.routes("internet", "Internet")
    cloud.gateway("empty")
    cloud.attach(**links)
    assert told(cloud.cluster(outbound, own=own, **properties)) == (400, code)
    assert cloud.aks("GET").status == 404


def test_a_gateway_that_comes_later_is_in_nobodys_way() -> None:
    cloud = Aks()
    cloud.made(own=True)
    cloud.attach(natGateway="gw")
    assert cloud.made(own=True)["properties"]["networkProfile"]["outboundType"] == "loadBalancer"
    shown = cloud.made("userAssignedNATGateway", own=True)["properties"]["networkProfile"]
    assert "loadBalancerProfile" not in shown


def test_what_the_egress_needs_is_asked_again_with_every_update() -> None:
    cloud = Aks()
    cloud.attach(routeTable="firewall")
    cloud.made("userDefinedRouting", own=True)
    cloud.attach()
    assert told(cloud.cluster(own=True)) == (400, "ExistingRouteTableNotAssociatedWithSubnet")


def test_a_private_cluster_may_learn_its_way_out() -> None:
    cloud = Aks()
    cloud.subnet("virtualNetworks/v/subnets/GatewaySubnet", "10.0.255.0/27")
    cloud.routes("onprem", prefix="10.50.0.0/16")
    cloud.attach(routeTable="onprem")
    inner = {"subnet": link("virtualNetworks/v/subnets/GatewaySubnet")}
    gateway = {
        "id": link("virtualNetworkGateways/er")["id"],
        "location": "eastus",
        "properties": {"gatewayType": "Vpn", "ipConfigurations": [{"name": "one", "properties": inner}]},
        "simulator": {"learnedRoutes": [{"network": "0.0.0.0/0", "nextHop": "10.0.255.4"}]},
    }
    private = {"apiServerAccessProfile": {"enablePrivateCluster": True}}
    for properties in ({}, private):
        refused = cloud.cluster("userDefinedRouting", own=True, **properties)
        assert told(refused) == (400, "RouteTableMissingDefaultRouteError")
    cloud.arm.load([gateway])
    assert told(cloud.cluster("userDefinedRouting", own=True)) == (400, "RouteTableMissingDefaultRouteError")
    assert cloud.cluster("userDefinedRouting", own=True, **private).status == 201


def test_pod_subnets_need_the_gateway_as_well() -> None:
    cloud = Aks()
    cloud.attach(natGateway="gw")
    pods = "virtualNetworks/v/subnets/pods"
    cloud.attach(pods, "10.0.1.0/24")
    pool = {"name": "p", "mode": "System", "vnetSubnetID": link(SUBNET)["id"], "podSubnetID": link(pods)["id"]}
    cni = {"networkPlugin": "azure"}
    refused = cloud.cluster("userAssignedNATGateway", agentPoolProfiles=[pool], networkProfile=cni)
    assert told(refused) == (400, "SubnetNotAssociatedWithNATGateway")
    cloud.attach(pods, "10.0.1.0/24", natGateway="gw")
    cloud.made("userAssignedNATGateway", agentPoolProfiles=[pool], networkProfile=cni)
    delegations = cloud.get(pods)["properties"]["delegations"]
    assert [one["properties"]["serviceName"] for one in delegations] == ["Microsoft.ContainerService/managedClusters"]
