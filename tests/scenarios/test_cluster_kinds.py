"""Clusters that are made in special ways: kubenet, pods and API server in subnets of their own, addresses on nodes."""

from pathlib import Path
from typing import Any

import pytest

from governor.core.plan import Gate
from governor.core.verdict import Result
from tests.scenarios.cluster_world import AKS_API, body, cluster, create, there, type_of, verdicts
from tests.scenarios.hub_world import HOP, hops, spoke, with_hub
from tests.scenarios.test_clusters import free, hub_policy, withheld
from tests.scenarios.world import GROUP, REGION, World, gateway, network, subnet, vnet, vnet_body

NODES = subnet("spoke-1", "nodes")
IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-k1"
OWN_TABLE = network("routeTables/rt-team")


def behind_hub(folder: Path) -> World:
    world = with_hub(folder, hub_policy())
    world.put_now(vnet("spoke-1"), spoke(1, "nodes"))
    world.clock.advance(600)
    return world


def kubenet(world: World, *, own_identity: bool) -> None:
    made = body(NODES, networkProfile={"networkPlugin": "kubenet", "podCidr": "10.244.0.0/16"})
    if own_identity:
        made["identity"] = {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}
    world.put_now(cluster(), made, AKS_API)
    world.clock.advance(900)
    world.arm.settle()


def writes_of_nodes(world: World) -> list[str]:
    return [one for one in world.writes() if "/mc_" in one.casefold()]


# ---- kubenet --------------------------------------------------------------------------------------------------------


async def test_the_routes_of_kubenets_pods_stay_where_the_teams_own_table_gets_the_default_route(
    tmp_path: Path,
) -> None:
    world = behind_hub(tmp_path)
    world.put_now(OWN_TABLE, {"location": REGION, "properties": {"routes": []}})
    world.clock.advance(600)
    inside = world.get(NODES)
    inside["properties"]["routeTable"] = {"id": OWN_TABLE}
    world.put_now(NODES, inside)
    world.clock.advance(600)
    kubenet(world, own_identity=True)
    pods = {prefix: hop for prefix, hop in hops(world, OWN_TABLE).items() if prefix.startswith("10.244.")}
    assert len(pods) == 2
    await world.govern_once(vnet("spoke-1"))
    await world.quiet()
    assert type_of(world) == "userDefinedRouting"
    found = hops(world, OWN_TABLE)
    assert pods.items() <= found.items()
    assert found["0.0.0.0/0"] == HOP
    assert world.get(NODES)["properties"]["routeTable"]["id"] == OWN_TABLE


async def test_a_table_that_kubenet_made_for_itself_is_left_alone_and_the_way_out_is_said(tmp_path: Path) -> None:
    world = behind_hub(tmp_path)
    kubenet(world, own_identity=True)
    table = world.get(NODES)["properties"]["routeTable"]["id"]
    assert "/mc_" in table.casefold()
    before = hops(world, table)
    await world.govern_once(vnet("spoke-1"))
    await world.quiet()
    assert (type_of(world), hops(world, table)) == ("loadBalancer", before)
    ((_, text),) = await withheld(world)
    assert "lies in a cluster's node resource group" in text
    assert "attach a table of your own" in text
    assert writes_of_nodes(world) == []


# ---- subnets of their own -------------------------------------------------------------------------------------------


async def test_nodes_and_pods_leave_together_and_the_subnet_of_the_api_server_is_nobodys_way_out(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, free())
    parts = vnet_body(("nodes", "10.0.1.0/24"), ("pods", "10.0.2.0/24"), ("api", "10.0.3.0/28"))
    delegation = {"name": "d", "properties": {"serviceName": "Microsoft.ContainerService/managedClusters"}}
    parts["properties"]["subnets"][2]["properties"]["delegations"] = [delegation]
    world.put_now(vnet("spoke-1"), parts)
    made = body(NODES)
    made["properties"]["agentPoolProfiles"][0]["podSubnetID"] = subnet("spoke-1", "pods")
    made["identity"] = {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}
    made["properties"]["apiServerAccessProfile"] = {
        "enableVnetIntegration": True,
        "subnetId": subnet("spoke-1", "api"),
        "enablePrivateCluster": True,
    }
    world.put_now(cluster(), made, AKS_API)
    await world.quiet()
    assert type_of(world) == "userAssignedNATGateway"
    own = "ng-spoke-1"
    assert world.attached("spoke-1") == {"nodes": own, "pods": own, "api": None}
    seen = await verdicts(world)
    assert seen["cluster-outbound-type"][0] is Result.COMPLIANT
    assert seen["cluster-private-api"] == (Result.COMPLIANT, "private")
    every = {v.resource.rpartition("/")[2]: v for v in await world.ports.ledger.verdicts() if "/subnets/" in v.resource}
    assert every["api"].result is Result.NOT_APPLICABLE


# ---- addresses ------------------------------------------------------------------------------------------------------


def with_pool(world: World, **pool: Any) -> None:
    made = body(NODES)
    made["properties"]["agentPoolProfiles"].append({"name": "more", "count": 1, "vnetSubnetID": NODES, **pool})
    world.put_now(cluster(), made, AKS_API)


async def test_nodes_with_public_addresses_are_evidence_of_their_own_and_never_sent_to_an_appliance(
    tmp_path: Path,
) -> None:
    world = behind_hub(tmp_path)
    with_pool(world, mode="User", enableNodePublicIP=True)
    await world.quiet()
    assert type_of(world) == "loadBalancer"
    assert world.get(NODES)["properties"].get("routeTable") is None
    seen = await verdicts(world)
    assert seen["cluster-node-public-ip"] == (
        Result.VIOLATION,
        "every node of pool more has a public address",
    )
    (text,) = [text for gate, text in await withheld(world) if gate is Gate.CLUSTER]
    assert "every node of pool more has a public address: AKS refuses userDefinedRouting with it" in text


async def test_behind_a_nat_gateway_their_addresses_stay_evidence_after_the_change(tmp_path: Path) -> None:
    world = World(tmp_path, free())
    world.put_now(vnet("spoke-1"), vnet_body(("nodes", "10.0.1.0/24")))
    with_pool(world, mode="User", enableNodePublicIP=True)
    await world.quiet()
    assert type_of(world) == "userAssignedNATGateway"
    assert world.exists(gateway("spoke-1"))
    seen = await verdicts(world)
    assert (seen["cluster-outbound-type"][0], seen["cluster-node-public-ip"][0]) == (
        Result.COMPLIANT,
        Result.VIOLATION,
    )


@pytest.mark.parametrize("hub", [True, False])
async def test_a_static_egress_gateway_holds_its_cluster_back(tmp_path: Path, hub: bool) -> None:
    world = behind_hub(tmp_path) if hub else World(tmp_path, free())
    if not hub:
        world.put_now(vnet("spoke-1"), vnet_body(("nodes", "10.0.1.0/24")))
    with_pool(world, mode="Gateway", gatewayProfile={"publicIPPrefixSize": 30})
    await world.quiet()
    assert type_of(world) == "loadBalancer"
    assert world.get(NODES)["properties"].get("natGateway") is None
    assert (await verdicts(world))["cluster-node-public-ip"][1].startswith(
        "pool more is a static egress gateway with a /30 of public addresses"
    )
    (text,) = [text for gate, text in await withheld(world) if gate is Gate.CLUSTER]
    assert "pool more is a static egress gateway, and whether it keeps its addresses" in text


async def test_a_public_api_server_is_judged_by_whom_it_lets_in(tmp_path: Path) -> None:
    world = World(tmp_path, free())
    world.put_now(vnet("spoke-1"), vnet_body(("nodes", "10.0.1.0/24")))
    create(world, NODES)
    await world.quiet()
    assert (await verdicts(world))["cluster-private-api"][1] == "public API server, open to everybody"
    made = there(world)
    made["properties"]["apiServerAccessProfile"] = {"authorizedIPRanges": ["198.51.100.0/24"]}
    world.clock.advance(600)
    world.put_now(cluster(), made, AKS_API)
    await world.quiet()
    assert (await verdicts(world))["cluster-private-api"][1] == "public API server, open to 198.51.100.0/24"
