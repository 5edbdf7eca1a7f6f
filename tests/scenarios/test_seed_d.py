"""Seed D: one outbound point for many clusters in many networks."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from governor.core import ids
from governor.core.plan import Gate
from governor.core.policy import Exemption, Mode, Policy, PublicIps, Requirement
from governor.core.proof import Word
from governor.core.step import name
from governor.core.verdict import Result
from tests.scenarios.cluster_world import FREE, cluster, create, type_of, verdicts
from tests.scenarios.hub_world import (
    HERE,
    hops,
    leaves_by_hub,
    linked,
    policy,
    route,
    sides,
    spoke,
    table,
    tables,
    wanted_hops,
    with_hub,
)
from tests.scenarios.seed_world import (
    FOUND,
    WEB,
    By,
    address,
    balancer,
    behind,
    explained,
    found,
    last,
    machine,
    proven,
    settled,
    undo,
    verdict,
    why,
)
from tests.scenarios.world import REGION, SUB, World, network, subnet, vnet

WRITE = "Microsoft.Network/routeTables/routes/write"


def hub_policy(**changes: Any) -> Policy:
    given = {"occupied": Mode.ENFORCE, "ready": "assumed", "approvals": FREE, "public_ips": PublicIps(default="allow")}
    return policy(**{**given, **changes})


def at_once(folder: Path, **changes: Any) -> World:
    """A World with a hub where every write is done at once."""
    return with_hub(folder, hub_policy(**changes), durations={})


def app(number: int) -> str:
    return subnet(f"spoke-{number}", "app")


@FOUND
async def test_seed_d_every_spoke_peers_with_the_hub_and_routes_to_its_firewall(tmp_path: Path, by: By) -> None:
    world = at_once(tmp_path)
    for number in (1, 2, 3):
        world.put_now(vnet(f"spoke-{number}"), spoke(number))
    await found(world, by)
    assert all(leaves_by_hub(world, number) for number in (1, 2, 3))
    assert sides(world, 2) == [("Connected", "FullyInSync", True)] * 2
    assert (await verdict(world, vnet("spoke-2"), "hub-peering")).result is Result.COMPLIANT
    assert (await proven(world))["app"].word is Word.CONFIGURATION
    record = next(one for one in await world.records() if one.outcomes and one.scope.key == vnet("spoke-2").casefold())
    await undo(world, record)
    assert sides(world, 2) == []
    assert tables(world, 2) == {"app": None}
    assert linked(world, 1)
    assert linked(world, 3)


async def _gateway_on_firewall(world: World) -> str:
    """Somebody puts a NAT gateway on the firewall's subnet; its address."""
    pip, gateway = address(world, "pip-nat"), network("natGateways/ng-hub")
    body = {"location": REGION, "sku": {"name": "StandardV2"}, "properties": {"publicIpAddresses": [{"id": pip}]}}
    world.put_now(pip, {"location": REGION, "sku": {"name": "StandardV2"}, "properties": world.get(pip)["properties"]})
    world.put_now(gateway, body)
    home = world.get(f"{HERE.network}/subnets/AzureFirewallSubnet")
    home["properties"]["natGateway"] = {"id": gateway}
    world.put_now(home["id"], {"properties": home["properties"]})
    shown: str = world.get(pip)["properties"]["ipAddress"]
    return shown


@FOUND
async def test_seed_d_a_nat_gateway_on_the_firewall_is_one_address_for_all_spokes(tmp_path: Path, by: By) -> None:
    world = at_once(tmp_path, nat_gateway_on_firewall="propose")
    for number in (1, 2):
        world.put_now(vnet(f"spoke-{number}"), spoke(number))
        machine(world, f"vm{number}", app(number))
    await found(world, by)
    own = world.get(HERE.address)["properties"]["ipAddress"]
    one = await verdict(world, vnet("spoke-1"), "hub-firewall-nat")
    assert (one.result, one.addresses) == (Result.VIOLATION, (own,))
    assert one.seen == "firewall fw has no NAT gateway on its subnet: it leaves from addresses of its own"
    # This version puts none there, and says so.
    (reason,) = await why(world, vnet("spoke-1"), "hub-firewall-nat")
    assert reason.gate is Gate.UNSUPPORTED
    assert "by hand, which changes the address of all spokes: this version puts none there" in reason.text
    world.clock.advance(600)
    shown = await _gateway_on_firewall(world)
    await found(world, by)
    for number in (1, 2):
        one = await verdict(world, vnet(f"spoke-{number}"), "hub-firewall-nat")
        assert (one.result, one.addresses) == (Result.COMPLIANT, (shown,))
        assert one.seen == "firewall fw leaves by NAT gateway ng-hub"
        assert (await verdict(world, app(number), "subnet-egress")).addresses == (shown,)
        # Published replies stay symmetric: a route to the internet for it, and for the firewall's own.
        assert hops(world, table(number))[f"{shown}/32"] == "Internet"
        assert hops(world, table(number))[f"{own}/32"] == "Internet"
    # The register shows one address for all spokes, and whoever allowed the firewall's is told of it.
    registered = [one.entry for one in (await world.ports.ledger.addresses()).entries if one.entry.policy]
    assert {entry.addresses for entry in registered} == {(shown,)}
    told = [move for notice in await world.ports.ledger.notices() for move in notice.what.moves]
    assert {move.now.resource for move in told if move.before and move.before.addresses == (own,)} == {app(1), app(2)}


@FOUND
@pytest.mark.parametrize("public", ["an address of its own", "a load balancer"])
async def test_seed_d_lost_replies_are_found_before_the_route_is_attached(tmp_path: Path, by: By, public: str) -> None:
    world = at_once(tmp_path)
    world.put_now(vnet("spoke-1"), spoke(1, "app", "batch"))
    pip = address(world, "pip")
    if public == "a load balancer":
        made = balancer(world, "lb", {"publicIPAddress": {"id": pip}}, loadBalancingRules=WEB)
        machine(world, "vm", app(1), **behind(made))
    else:
        machine(world, "vm", app(1), publicIPAddress={"id": pip})
    await found(world, by)
    shown = world.get(pip)["properties"]["ipAddress"]
    one = await verdict(world, app(1), "route-asymmetry")
    by_what = f"load balancer lb ({shown})" if public == "a load balancer" else f"{shown} on vm-nic"
    seen = f"reached from the internet by {by_what}: replies that leave by the hub are lost"
    assert (one.result, one.seen) == (Result.VIOLATION, seen)
    assert tables(world, 1)["app"] is None
    assert (Gate.HUB, seen) in {(reason.gate, reason.text) for reason in await why(world, app(1), "subnet-egress")}
    (reason,) = await why(world, app(1), "route-asymmetry")
    assert reason.gate is Gate.UNSUPPORTED
    assert reason.text.endswith("or exempt it: this version publishes nothing")
    # Its neighbours are not reached, and leave by the hub; with the routes that keep published replies symmetric.
    assert ids.same(tables(world, 1)["batch"] or "", table(1))
    assert hops(world, table(1)) == wanted_hops(world)


async def test_seed_d_who_has_been_exempted_has_no_lost_replies_left_to_tell(tmp_path: Path) -> None:
    given = Exemption(
        resource=app(1),
        requirement=Requirement.ROUTE_ASYMMETRY,
        owner="team-x",
        reason="clients have moved",
        until=date(2030, 12, 31),
    )
    world = at_once(tmp_path, exemptions=(given,))
    world.put_now(vnet("spoke-1"), spoke(1))
    machine(world, "vm", app(1), publicIPAddress={"id": address(world, "pip")})
    await world.quiet()
    assert (await verdict(world, app(1), "route-asymmetry")).result is Result.EXEMPT
    assert await why(world, app(1), "route-asymmetry") == ()


@FOUND
async def test_seed_d_exactly_what_is_missing_is_made_and_each_cluster_says_what_it_uses(
    tmp_path: Path, by: By
) -> None:
    world = at_once(tmp_path)
    for number in (1, 2):
        world.put_now(vnet(f"spoke-{number}"), spoke(number, "nodes"))
        settled(world)
        create(world, subnet(f"spoke-{number}", "nodes"), name=f"k{number}")
        await found(world, by)
        assert type_of(world, f"k{number}") == "userDefinedRouting"
    made = {
        record.scope.key.rpartition("/")[2]: sorted(name(outcome.step) for outcome in record.outcomes)
        for record in await world.records()
        if record.outcomes
    }
    each = ["CreateRouteTable", "WriteCluster", "WritePeering", "WritePeering", "WriteSubnet"]
    assert made == {"spoke-1": sorted(["CreateResourceGroup", *each]), "spoke-2": each}
    assert len(world.exported("routeTables")) == 2
    told = explained(world, cluster("k2"))
    assert "leaves by    route to appliance 10.0.0.4" in told
    assert f"from         {world.get(HERE.address)['properties']['ipAddress']}" in told
    assert "hub-peering: peered with hub, forwarded traffic allowed" in told
    assert "subnet-route-default: route table rt-spoke-2 leads to the hub" in told
    assert "rt-spoke-1" not in told


@FOUND
async def test_seed_d_a_permission_that_is_missing_on_a_route_table_is_said_with_its_scope(
    tmp_path: Path, by: By
) -> None:
    world = with_hub(tmp_path, hub_policy(), durations={}, limited=True)
    theirs = network("routeTables/theirs")
    world.put_now(theirs, {"location": REGION, "properties": {"routes": [route("kept", "10.80.0.0/16", "VnetLocal")]}})
    world.roles.give("", "*", less=(WRITE,))
    body = spoke(1)
    body["properties"]["subnets"][0]["properties"]["routeTable"] = {"id": theirs}
    world.put_now(vnet("spoke-1"), body)
    await found(world, by)
    assert hops(world, theirs) == ({"10.80.0.0/16": "VnetLocal"})
    (reason,) = await why(world, theirs)
    assert reason.gate is Gate.RIGHTS
    assert reason.text == f"the governor may not {WRITE} on theirs: grant it there ({theirs})"
    assert [answer for answer in world.arm.requests if answer.status == 403] == []


@FOUND
async def test_seed_d_a_new_cluster_gets_its_peering_and_no_route_before_the_rules_are_known(
    tmp_path: Path, by: By
) -> None:
    world = at_once(tmp_path, ready="proven")
    world.put_now(vnet("spoke-1"), spoke(1, "nodes"))
    settled(world)
    create(world, subnet("spoke-1", "nodes"))
    await found(world, by)
    assert linked(world, 1)
    assert tables(world, 1) == {"nodes": None}
    assert type_of(world) == "loadBalancer"
    reasons = await why(world, cluster())
    assert [reason.gate for reason in reasons] == [Gate.HUB]
    assert "firewall rules not read" in reasons[0].text
    # What the rules must let out, the cluster says itself.
    assert "management.azure.com" in reasons[0].text
    # An owner who has looked says so, and the cluster moves.
    world.rules = type(world.rules)(
        type(world.rules.policies)(policies=(hub_policy(ready="assumed"),)), world.rules.ceiling
    )
    world.clock.advance(3600)
    await world.sweep(SUB)
    assert type_of(world) == "userDefinedRouting"
    assert (await verdicts(world))["cluster-outbound-type"][0] is Result.COMPLIANT
    assert leaves_by_hub(world, 1)


async def test_seed_d_a_cluster_costs_the_same_however_many_there_are(tmp_path: Path) -> None:
    """What a new cluster costs does not grow with those that are there already."""
    world = at_once(tmp_path)
    costs, runs = [], []
    for number in range(1, 9):
        world.put_now(vnet(f"spoke-{number}"), spoke(number, "nodes"))
        settled(world)
        before, ran = len(world.transport.requests), world.runs
        create(world, subnet(f"spoke-{number}", "nodes"), name=f"k{number}")
        await world.quiet()
        assert type_of(world, f"k{number}") == "userDefinedRouting"
        costs.append(len(world.transport.requests) - before)
        runs.append(world.runs - ran)
    assert set(costs[1:]) == {costs[1]}
    assert set(runs[1:]) == {runs[1]}
    assert (await last(world)).scope.key == vnet("spoke-8").casefold()
