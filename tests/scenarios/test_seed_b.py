"""Seed B: the AKS baseline. Egress by the hub's firewall, ingress by one gateway, no public load balancer."""

from pathlib import Path
from typing import Any

import pytest

from governor.core import ids
from governor.core.address_step import QUARANTINE
from governor.core.plan import Gate
from governor.core.policy import Egress, Mode, Policy, PublicIps, Select
from governor.core.proof import Word
from governor.core.step import WriteCluster, name
from governor.core.verdict import Result
from tests.scenarios.cluster_world import FREE, cluster, create, there, type_of, verdicts
from tests.scenarios.hub_world import (
    HERE,
    hops,
    leaves_by_hub,
    policy,
    route,
    spoke,
    table,
    tables,
    wanted_hops,
    with_hub,
)
from tests.scenarios.seed_world import (
    FOUND,
    STATIC,
    WEB,
    By,
    address,
    balancer,
    behind,
    found,
    last,
    machine,
    proven,
    settled,
    undo,
    verdict,
    why,
)
from tests.scenarios.test_audits import GATEWAY, PIP, WAF, gateway, waf
from tests.scenarios.world import GROUP, REGION, SUB, World, nat_policy, network, subnet, vnet, vnet_body

NODES = subnet("spoke-1", "nodes")
DAY = 86_400


def hub_policy(**changes: Any) -> Policy:
    given = {"occupied": Mode.ENFORCE, "ready": "assumed", "approvals": FREE, "public_ips": PublicIps(default="allow")}
    return policy(**{**given, **changes})


@FOUND
async def test_seed_b_egress_by_the_load_balancer_is_a_violation_with_that_evidence(tmp_path: Path, by: By) -> None:
    world = World(tmp_path, nat_policy(mode=Mode.AUDIT))
    world.put_now(vnet("spoke-1"), vnet_body(("nodes", "10.0.1.0/24")))
    settled(world)
    create(world, NODES)
    await found(world, by)
    result, seen = (await verdicts(world))["cluster-outbound-type"]
    assert (result, seen) == (Result.VIOLATION, "outboundType loadBalancer")
    one = await verdict(world, NODES, "subnet-egress")
    assert one.seen == "load balancer of cluster k1"
    effective = there(world)["properties"]["networkProfile"]["loadBalancerProfile"]["effectiveOutboundIPs"]
    (pip,) = [world.get(each["id"])["properties"]["ipAddress"] for each in effective]
    assert one.addresses == (pip,)
    assert Gate.MODE in {reason.gate for reason in await why(world, cluster())}
    assert world.writes() == []


@FOUND
@pytest.mark.parametrize("existing", [False, True], ids=["a new table", "a table of theirs"])
async def test_seed_b_the_route_to_the_firewall_is_written_attached_and_proven(
    tmp_path: Path, by: By, existing: bool
) -> None:
    world = with_hub(tmp_path, hub_policy(), durations={})
    theirs, body = network("routeTables/theirs"), spoke(1, "app")
    if existing:
        kept = route("kept", "10.80.0.0/16", "VnetLocal")
        world.put_now(theirs, {"location": REGION, "properties": {"routes": [kept]}})
        body["properties"]["subnets"][0]["properties"]["routeTable"] = {"id": theirs}
    world.put_now(vnet("spoke-1"), body)
    machine(world, "vm", subnet("spoke-1", "app"))
    await found(world, by)
    used = theirs if existing else table(1)
    assert {ids.key(one or "") for one in tables(world, 1).values()} == {ids.key(used)}
    assert wanted_hops(world).items() <= hops(world, used).items()
    assert hops(world, used).get("10.80.0.0/16") == ("VnetLocal" if existing else None)
    assert (await verdict(world, subnet("spoke-1", "app"), "subnet-egress")).result is Result.COMPLIANT
    proof = (await proven(world))["app"]
    assert (proof.word, proof.seen) == (Word.ROUTE, "0.0.0.0/0 -> 10.0.0.4 in the effective routes of vm-nic")
    await undo(world, await last(world))
    assert hops(world, used) == ({"10.80.0.0/16": "VnetLocal"} if existing else wanted_hops(world))
    assert tables(world, 1) == {"app": theirs if existing else None}


async def test_seed_b_what_no_machine_tells_is_proven_by_its_configuration_only(tmp_path: Path) -> None:
    world = with_hub(tmp_path, hub_policy(), durations={})
    world.put_now(vnet("spoke-1"), spoke(1, "app"))
    await world.quiet()
    proof = (await proven(world))["app"]
    assert proof.word is Word.CONFIGURATION
    assert proof.seen.endswith("no machine in it has effective routes to ask for")


async def test_seed_b_a_machine_that_does_not_run_tells_no_routes(tmp_path: Path) -> None:
    world = with_hub(tmp_path, hub_policy(), durations={})
    world.put_now(vnet("spoke-1"), spoke(1, "app"))
    nic = machine(world, "vm", subnet("spoke-1", "app"))
    stopped = f"{ids.group_of(nic)}/providers/Microsoft.Compute/virtualMachines/vm"
    world.put_now(
        stopped,
        {
            "location": REGION,
            "properties": {
                "networkProfile": {"networkInterfaces": [{"id": nic}]},
                "instanceView": {"statuses": [{"code": "PowerState/deallocated"}]},
            },
        },
        "2024-07-01",
    )
    await world.quiet()
    proof = (await proven(world))["app"]
    assert proof.word is Word.CONFIGURATION
    assert "the effective routes of vm-nic: NicMustBeAttachedToRunningVmToGetEffectiveRoutes" in proof.seen


@FOUND
async def test_seed_b_a_cluster_gets_its_route_and_then_its_type_and_what_it_leaves_is_governed(
    tmp_path: Path, by: By
) -> None:
    """Its own public address, which its load balancer had, is nobody's afterwards: it goes into quarantine."""
    rest = nat_policy(name="rest", priority=1, select=Select(), egress=Egress())
    world = with_hub(tmp_path, hub_policy(public_ips=PublicIps()), rest, durations={})
    world.put_now(vnet("spoke-1"), spoke(1, "nodes"))
    pip = address(world, "pip-k1")
    settled(world)
    profile = {"outboundIPs": {"publicIPs": [{"id": pip}]}}
    create(world, NODES, networkProfile={"loadBalancerSku": "standard", "loadBalancerProfile": profile})
    await found(world, by)
    assert type_of(world) == "userDefinedRouting"
    assert leaves_by_hub(world, 1)
    record = next(r for r in await world.records() if any(isinstance(o.step, WriteCluster) for o in r.outcomes))
    steps = [name(outcome.step) for outcome in record.outcomes]
    # Everything is there before the subnet leaves by it; the type comes last, in the same run.
    assert steps.index("WriteSubnet") < steps.index("WriteCluster") == len(steps) - 1
    assert max(n for n, step in enumerate(steps) if step == "WritePeering") < steps.index("WriteSubnet")
    assert {one.word for one in record.proofs} == {Word.CONFIGURATION}
    assert "ipConfiguration" not in world.get(pip)["properties"]
    world.clock.advance(2 * DAY)
    await world.sweep(SUB)
    assert QUARANTINE in world.get(pip)["tags"]
    assert "in quarantine since" in (await verdict(world, pip, "public-ip-unattached")).seen
    await undo(world, record)
    assert type_of(world) == "loadBalancer"
    assert tables(world, 1) == {"nodes": None}


@FOUND
async def test_seed_b_the_subnet_of_the_gateway_is_never_sent_to_an_appliance(tmp_path: Path, by: By) -> None:
    world = with_hub(tmp_path, hub_policy(), durations={})
    world.put_now(vnet("spoke-1"), spoke(1, "app", "agw"))
    world.put_now(PIP, STATIC)
    world.put_now(WAF, waf("Prevention"))
    world.put_now(GATEWAY, gateway())
    await found(world, by)
    assert tables(world, 1)["agw"] is None
    assert tables(world, 1)["app"] is not None
    # How a gateway leaves no body says, so nobody knows what a route would do to it.
    one = await verdict(world, subnet("spoke-1", "agw"), "subnet-egress")
    assert (one.result, one.seen) == (Result.UNKNOWN, "agw: not read")
    assert not any(ids.same(path.partition(" ")[2], subnet("spoke-1", "agw")) for path in world.writes())


def front_door(world: World, behind: str, mode: str) -> str:
    """Somebody puts Front Door with a firewall before an internal load balancer; the id of its profile."""
    link, profile = network("privateLinkServices/pls"), f"{GROUP}/providers/Microsoft.Cdn/profiles/fd"
    guard = network("frontDoorWebApplicationFirewallPolicies/waf")
    source = {"name": "c", "properties": {"subnet": {"id": subnet("spoke-1", "links")}}}
    frontends = [{"id": f"{behind}/frontendIPConfigurations/fe"}]
    inner = {"ipConfigurations": [source], "loadBalancerFrontendIpConfigurations": frontends}
    world.put_now(link, {"location": REGION, "properties": inner})
    settings = {"policySettings": {"enabledState": "Enabled", "mode": mode}}
    world.put_now(guard, {"location": "global", "properties": settings}, "2024-02-01")
    named = {"type": "WebApplicationFirewall", "wafPolicy": {"id": guard}}
    shared = {"privateLink": {"id": link}, "privateLinkLocation": REGION, "requestMessage": "please"}
    for path, body in (
        (profile, {"location": "global", "sku": {"name": "Premium_AzureFrontDoor"}, "properties": {}}),
        (f"{profile}/originGroups/web", {"properties": {}}),
        (f"{profile}/originGroups/web/origins/lb", {"properties": {"sharedPrivateLinkResource": shared}}),
        (f"{profile}/securityPolicies/waf", {"properties": {"parameters": named}}),
    ):
        world.put_now(path, body, "2025-04-15")
    return profile


@FOUND
@pytest.mark.parametrize(("mode", "result"), [("Prevention", Result.COMPLIANT), ("Detection", Result.VIOLATION)])
async def test_seed_b_front_door_by_a_private_link_counts_as_a_way_in(
    tmp_path: Path, by: By, mode: str, result: Result
) -> None:
    world = World(tmp_path)
    body = vnet_body(("app", "10.0.1.0/24"), ("links", "10.0.2.0/24"))
    body["properties"]["subnets"][1]["properties"]["privateLinkServiceNetworkPolicies"] = "Disabled"
    world.put_now(vnet("spoke-1"), body)
    inside = balancer(world, "lb", {"subnet": {"id": subnet("spoke-1", "app")}}, loadBalancingRules=WEB)
    machine(world, "vm", subnet("spoke-1", "app"), **behind(inside))
    profile = front_door(world, inside, mode)
    await found(world, by)
    path = await verdict(world, subnet("spoke-1", "app"), "ingress-path")
    seen = "open to the internet by Front Door fd by private link pls"
    assert (path.result, path.seen) == (Result.COMPLIANT, seen)
    assert (await verdict(world, profile, "ingress-waf")).result is result


@FOUND
async def test_seed_b_a_firewall_with_too_few_addresses_for_those_behind_it_is_found(tmp_path: Path, by: By) -> None:
    world = with_hub(tmp_path, hub_policy(nat_gateway_on_firewall="off"), durations={})
    world.put_now(vnet("spoke-1"), spoke(1, "app"))
    world.put_now(vnet("spoke-2"), spoke(2, "app"))
    for number in range(79):
        machine(world, f"vm{number}", subnet("spoke-1", "app"))
    machine(world, "alone", subnet("spoke-2", "app"))
    await found(world, by)
    few = await verdict(world, vnet("spoke-1"), "snat-capacity")
    assert few.result is Result.VIOLATION
    assert few.seen == (
        "firewall fw leaves from 1 address without NAT gateway: 4,992 ports with two instances, "
        "63 for each of 79 machines here"
    )
    (reason,) = await why(world, vnet("spoke-1"), "snat-capacity")
    assert reason.gate is Gate.UNSUPPORTED
    assert "put a NAT gateway on AzureFirewallSubnet of hub by hand" in reason.text
    assert (await verdict(world, vnet("spoke-2"), "snat-capacity")).result is Result.COMPLIANT
    # A second address is enough.
    second = address(world, "pip-fw-2")
    body = world.get(HERE.firewall)
    body["properties"]["ipConfigurations"].append({"name": "d", "properties": {"publicIPAddress": {"id": second}}})
    world.put_now(HERE.firewall, body)
    world.clock.advance(3600)
    await world.sweep(SUB)
    assert (await verdict(world, vnet("spoke-1"), "snat-capacity")).result is Result.COMPLIANT
