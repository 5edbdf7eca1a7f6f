"""Clusters and route tables that Azure recorded or documents, judged: each verdict stands here with its reason.

No recording holds the network that Azure made for them, so each lives here in one made up in its node group; nothing
of the clusters and tables themselves is changed.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from governor.core import ids
from governor.core.cluster import Cluster
from governor.core.estate import EVERYTHING, Estate, Reading, build
from governor.core.guard import withhold
from governor.core.judged import judge, look
from governor.core.policy import Policies, Policy
from governor.core.propose import propose
from governor.core.step import WriteRoute
from governor.core.verdict import Result, Verdict
from tests.core.hub_world import HOP, hub_network, the_firewall
from tests.core.hub_world import HUB as HUB_NETWORK
from tests.core.world import AT, Body, address, around, encoded, hub_policy, isolated_policy, nat_policy, route, vnet

REGIONS = ("westeurope", "westus", "southcentralus")
HUB = hub_policy(
    next_hop=dict.fromkeys(REGIONS, HOP),
    hub_virtual_network=dict.fromkeys(REGIONS, HUB_NETWORK),
    peering="ignore",
    ready="assumed",
)


def body_of(shared: Path, name: str) -> Any:
    """A sample in, the body that Azure answered with out."""
    found = json.loads((shared / "samples" / "resources" / name).read_text())
    return found["interactions"][0]["response"]["body"] if "interactions" in found else found


def made_for(cluster: Body, **subnet: Any) -> Body:
    """A cluster without a network of its own in, a network as Azure makes it for one, out."""
    place = ids.group(ids.parse(cluster["id"]).subscription, cluster["properties"]["nodeResourceGroup"])
    network = vnet(name="aks-vnet-1")
    network["id"] = f"{place}/providers/Microsoft.Network/virtualNetworks/aks-vnet-1"
    inside = {"provisioningState": "Succeeded", "addressPrefix": "10.224.0.0/16", "defaultOutboundAccess": False}
    network["properties"]["subnets"] = [
        {"id": f"{network['id']}/subnets/aks-subnet", "name": "aks-subnet", "properties": {**inside, **subnet}}
    ]
    return network


def seen(*bodies: Body) -> Estate:
    """Bodies in, an Estate that judges the first of them out."""
    return build(AT, Reading(encoded(*bodies), listed=(EVERYTHING,)), judged=(bodies[0]["id"],))


def judged(policy: Policy, cluster: Body, *context: Body, **subnet: Any) -> dict[str, Verdict]:
    estate = seen(made_for(cluster, **subnet), cluster, *context)
    assert len(estate.all(Cluster)) == 1, estate.gaps
    return {v.requirement: v for v in judge(estate, Policies((policy,))) if ids.same(v.resource, cluster["id"])}


@pytest.mark.parametrize("policy", [nat_policy(), HUB, isolated_policy()])
def test_a_kubenet_cluster_that_is_being_made_is_looked_at_again_and_never_repaired(
    shared: Path, policy: Policy
) -> None:
    # Creating, kubenet, a basic load balancer, no outboundType: what it will be is not known before it is there, and
    # its table in the node group is the cluster's own.
    (cluster,) = body_of(shared, "c7n_aks_list.json")["value"]
    verdicts = judged(policy, cluster)
    assert {(v.result, v.waits, v.seen) for v in verdicts.values()} == {
        (Result.UNKNOWN, True, "cluster cctestaks is Creating")
    }
    policies, estate = Policies((policy,)), seen(made_for(cluster), cluster)
    plan = withhold(propose(estate, look(estate, policies)), around(estate, policies))
    assert plan.remediations == ()


def test_the_documented_cluster_leaves_by_its_load_balancer(shared: Path) -> None:
    # loadBalancer in a network that Azure manages: violated where the way out is a NAT gateway, which it can get, or
    # the hub, which it cannot.
    cluster = body_of(shared, "spec_ManagedClustersGet.json")
    verdicts = judged(nat_policy(), cluster)
    assert {name: v.result for name, v in verdicts.items()} == {
        "cluster-outbound-type": Result.VIOLATION,
        "cluster-node-public-ip": Result.COMPLIANT,  # enableNodePublicIP is not there, and absent is no
        "cluster-private-api": Result.VIOLATION,  # no apiServerAccessProfile: public, and open to everybody
        "cluster-proxy": Result.NOT_APPLICABLE,
    }
    outbound = verdicts["cluster-outbound-type"]
    # The made-up subnet holds nobody and has no way out, which is not what the type says: that is evidence, too.
    assert outbound.seen == "outboundType loadBalancer, but aks-subnet leaves by no way out"
    assert outbound.expected == "managedNATGateway"
    assert "which a cluster in a network that Azure manages" in judged(HUB, cluster)["cluster-outbound-type"].expected
    assert judged(isolated_policy("off"), cluster)["cluster-outbound-type"].expected == "none or block"


def test_the_documented_nodes_leave_from_the_addresses_that_the_cluster_names(shared: Path) -> None:
    cluster = body_of(shared, "spec_ManagedClustersGet.json")
    group = ids.group(ids.parse(cluster["id"]).subscription, cluster["properties"]["nodeResourceGroup"])
    nodes = f"{group}/providers/Microsoft.Compute/virtualMachineScaleSets/aks-nodepool1-11111111-vmss"
    node = {"id": f"{nodes}/virtualMachines/0/networkInterfaces/nodepool1/ipConfigurations/ipconfig1"}
    held = cluster["properties"]["networkProfile"]["loadBalancerProfile"]["effectiveOutboundIPs"]
    addresses = [
        {"id": one["id"], "type": "Microsoft.Network/publicIPAddresses", "properties": {"ipAddress": f"20.0.0.{i}"}}
        for i, one in enumerate(held, 1)
    ]
    outbound = judged(nat_policy(), cluster, *addresses, ipConfigurations=[node])["cluster-outbound-type"]
    assert (outbound.seen, outbound.addresses) == ("outboundType loadBalancer", ("20.0.0.1", "20.0.0.2"))


def test_the_documented_nat_gateway_of_a_user_is_none_in_a_network_of_azure(shared: Path) -> None:
    # The specification shows userAssignedNATGateway without any vnetSubnetID, which the documentation of the types
    # rules out: it is judged as what it says, and what its network can have is expected.
    verdicts = judged(nat_policy(), body_of(shared, "spec_ManagedClusters_UserAssignedNATGateway.json"))
    outbound = verdicts["cluster-outbound-type"]
    assert (outbound.result, outbound.expected) == (Result.VIOLATION, "managedNATGateway")
    assert verdicts["cluster-node-public-ip"].result is Result.COMPLIANT  # it says enableNodePublicIP: false


def tables(shared: Path) -> list[Body]:
    found: list[Body] = body_of(shared, "c7n_route_tables.json")["value"]
    return found


def network_of(table: Body) -> tuple[Body, str]:
    """A recorded table in, a network with the subnet that it serves, and that subnet's id, out."""
    subnet = (table["properties"].get("subnets") or [{"id": ""}])[0]["id"]
    place = ids.group_of(table["id"])
    subnet = subnet or f"{place}/providers/Microsoft.Network/virtualNetworks/k8s-vnet/subnets/k8s-subnet"
    network = vnet(location=table["location"])
    network["id"] = ids.parent(subnet)
    inside = {"provisioningState": "Succeeded", "addressPrefix": "10.240.0.0/16", "routeTable": {"id": table["id"]}}
    network["properties"]["subnets"] = [{"id": subnet, "name": ids.name(subnet), "properties": inside}]
    return network, subnet


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        # Empty: nothing leads anywhere.
        (0, f"route table cctestroutetable: lacks 0.0.0.0/0 -> {HOP}"),
        # Kubernetes keeps a route to every node's pods in it, and none of them is a default route.
        (1, f"route table k8s-master-C02B7042-routetable: lacks 0.0.0.0/0 -> {HOP}"),
    ],
)
def test_recorded_tables_lead_to_no_hub(shared: Path, number: int, expected: str) -> None:
    table = tables(shared)[number]
    network, subnet = network_of(table)
    estate = seen(network, table, hub_network(), the_firewall(), address("pip-fw"))
    verdicts = {v.requirement: v for v in judge(estate, Policies((HUB,))) if ids.same(v.resource, subnet)}
    default = verdicts["subnet-route-default"]
    assert (default.result, default.seen[: len(expected)]) == (Result.VIOLATION, expected)
    # Routes to nodes are no routes past the hub: what they lead to is private.
    assert verdicts["subnet-route-bypass"].result is Result.COMPLIANT


@pytest.mark.parametrize("number", [0, 1])
def test_a_recorded_table_is_added_to_and_never_replaced(shared: Path, number: int) -> None:
    table = tables(shared)[number]
    network, _ = network_of(table)
    context = (hub_network(), the_firewall(), address("pip-fw"), {"id": ids.group_of(network["id"])})
    estate = seen(network, table, *context)
    steps = [step for _, step in propose(estate, look(estate, Policies((HUB,)))).plan.steps]
    about = [step for step in steps if ids.same(ids.top_level(step.target), table["id"])]
    written = [step for step in about if isinstance(step, WriteRoute)]
    assert written == about
    assert "0.0.0.0/0" in {step.to.prefix for step in written}
    names = {one["name"] for one in table["properties"]["routes"]}
    assert not names & {ids.name(step.target) for step in written}


def test_a_table_that_leads_to_the_hub_beside_the_routes_of_nodes_is_compliant(shared: Path) -> None:
    table = tables(shared)[1]
    table["properties"]["routes"].append(route("0.0.0.0/0", "VirtualAppliance", HOP))
    network, subnet = network_of(table)
    estate = seen(network, table, hub_network(), the_firewall(public=None))
    verdicts = {v.requirement: v.result for v in judge(estate, Policies((HUB,))) if ids.same(v.resource, subnet)}
    assert verdicts["subnet-route-default"] is Result.COMPLIANT
