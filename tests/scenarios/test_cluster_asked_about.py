"""A person asks about a cluster: what is judged of it, what its firewall must let out, and what would be done."""

from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from governor.commands import sweeping
from governor.commands.errors import CommandError
from governor.commands.explain_azure import read
from governor.commands.explain_view import show
from governor.commands.explaining import Found
from governor.core import ids
from governor.core.plan import Gate
from governor.core.policy import Mode
from tests.scenarios.cluster_world import cluster, create, there, type_of
from tests.scenarios.hub_world import linked, spoke, with_hub
from tests.scenarios.test_clusters import hub_policy, with_spoke, withheld
from tests.scenarios.world import GROUP, SUB, World, nat_policy, subnet, vnet, vnet_body

NODES = subnet("spoke-1", "nodes")
Made = Callable[[Path], World]


def unproven(folder: Path) -> World:
    """A cluster in a spoke of a hub whose firewall nobody has vouched for; beside it a subnet of others."""
    world = with_hub(folder, hub_policy(ready="proven"))
    world.put_now(vnet("spoke-1"), spoke(1, "nodes", "others"))
    world.clock.advance(600)
    create(world, NODES)
    return world


async def asked(world: World) -> Found:
    return await read(cluster(), world.ports, world.rules, "the simulator")


def asks_what_it_needs(world: World) -> int:
    return sum("/outboundnetworkdependenciesendpoints" in r.path.casefold() for r in world.transport.requests)


async def test_behind_a_firewall_nobody_vouched_for_its_owner_is_told_what_to_let_out(tmp_path: Path) -> None:
    world = unproven(tmp_path)
    await world.quiet()
    assert type_of(world) == "loadBalancer"
    texts = [text for gate, text in await withheld(world) if gate is Gate.HUB]
    (text,) = texts
    assert "firewall rules not read: whether they let cluster k1 out is not known" in text
    assert "azure-resource-management: management.azure.com, login.microsoftonline.com;" in text
    assert "then `ready: assumed` in policy hub takes it for granted" in text
    assert asks_what_it_needs(world) > 0


async def test_where_the_firewall_is_vouched_for_nobody_asks(tmp_path: Path) -> None:
    world = with_hub(tmp_path, hub_policy())
    world.put_now(vnet("spoke-1"), spoke(1, "nodes"))
    world.clock.advance(600)
    create(world, NODES)
    await world.quiet()
    assert type_of(world) == "userDefinedRouting"
    assert linked(world, 1)
    assert asks_what_it_needs(world) == 0


async def test_explain_shows_its_own_subnets_and_everything_that_it_has_to_reach(tmp_path: Path) -> None:
    world = unproven(tmp_path)
    await world.quiet()
    found = await asked(world)
    assert [one.judged.subnet.name for one in found.subnets] == ["nodes"]
    needed = dict(found.own.needed)
    assert needed["azure-resource-management"] == (
        "management.azure.com (443 Https), login.microsoftonline.com (443 Https)"
    )
    assert needed["time-sync"] == "ntp.ubuntu.com (123 UDP)"
    assert {"images", "apiserver"} <= set(needed)
    assert {v.requirement for v in found.own.verdicts} >= {"cluster-outbound-type", "cluster-private-api"}
    assert any(ids.same(w.remediation.resource, cluster()) for w in found.own.withheld)


async def test_what_must_be_approved_first_is_named_by_its_digest(tmp_path: Path) -> None:
    world = with_hub(tmp_path, hub_policy(occupied=Mode.PROPOSE))
    world.put_now(vnet("spoke-1"), spoke(1, "nodes", "empty"))
    create(world, NODES)
    await world.quiet()
    offers = [one.withheld for one in await world.ports.ledger.offered()]
    (peering,) = [one.remediation for one in offers if ids.same(one.remediation.resource, vnet("spoke-1"))]
    (held,) = [one for one in offers if ids.same(one.remediation.resource, subnet("spoke-1", "empty"))]
    assert held.reasons[0].gate is Gate.NEEDS
    assert held.reasons[0].text.endswith(f"(digest {peering.digest})")


async def test_a_cluster_as_a_scope_is_the_network_that_it_lives_in(tmp_path: Path) -> None:
    world = with_spoke(tmp_path)
    create(world, NODES)
    world.clock.advance(900)
    world.arm.settle()
    wanted = await sweeping.targets((cluster(),), world.ports)
    assert (wanted.networks, wanted.subscriptions) == ((vnet("spoke-1"),), ())
    with pytest.raises(CommandError, match=r"--scope .*k9: it does not exist, or its network cannot be read"):
        await sweeping.targets((cluster("k9"),), world.ports)


async def test_what_lives_in_one_subnet_is_explained_by_that_one_alone(tmp_path: Path) -> None:
    world = with_spoke(tmp_path, nat_policy(occupied=Mode.PROPOSE))
    world.put_now(vnet("spoke-1"), vnet_body(("nodes", "10.0.1.0/24"), ("others", "10.0.2.0/24")))
    create(world, NODES)
    create(world, subnet("spoke-1", "others"), name="k2")
    await world.quiet()
    made = f"/subscriptions/{SUB}/resourcegroups/{there(world, 'k2')['properties']['nodeResourceGroup']}/"
    inside = [one["id"] for one in world.arm.export() if ids.key(one["id"]).startswith(ids.key(made))]
    kinds = (ids.SCALE_SET, ids.LOAD_BALANCER, ids.PUBLIC_IP)
    asked_about = [one for one in inside if ids.kind(one) in kinds]
    assert {ids.kind(one) for one in asked_about} == set(kinds)
    for one in asked_about:
        found = await read(one, world.ports, world.rules, "the simulator")
        assert [each.judged.subnet.name for each in found.subnets] == ["others"], one


@pytest.mark.parametrize("kind", ["networkInterfaces", "loadBalancers", "publicIPAddresses"])
async def test_what_is_not_there_is_not_said_to_have_no_address(tmp_path: Path, kind: str) -> None:
    world = with_spoke(tmp_path)
    await world.quiet()
    with pytest.raises(CommandError, match="k9: it does not exist"):
        await read(f"{GROUP}/providers/Microsoft.Network/{kind}/k9", world.ports, world.rules, "the simulator")


async def test_the_subnet_of_the_api_server_is_nobodys_way_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = with_spoke(tmp_path, nat_policy(occupied=Mode.PROPOSE))
    given = vnet_body(("nodes", "10.0.1.0/24"), ("api", "10.0.2.0/28"))
    service = {"name": "aks", "properties": {"serviceName": "Microsoft.ContainerService/managedClusters"}}
    given["properties"]["subnets"][1]["properties"]["delegations"] = [service]
    world.put_now(vnet("spoke-1"), given)
    api = subnet("spoke-1", "api")
    create(world, NODES, apiServerAccessProfile={"enableVnetIntegration": True, "subnetId": api})
    await world.quiet()
    assert [one.judged.subnet.name for one in (await asked(world)).subnets] == ["nodes"]
    show(await read(api, world.ports, world.rules, "the simulator"), Console(width=200))
    said = capsys.readouterr().out
    assert "not looked at: it is the subnet of the API server of cluster k1" in said
    assert "default outbound" not in said
