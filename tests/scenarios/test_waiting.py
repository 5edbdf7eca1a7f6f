"""What holds a repair back: settling, states, what cannot be read, pause, approval."""

import heapq
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from governor import decisions, messages
from governor.core.cause import Cause
from governor.core.plan import Gate
from governor.core.policy import Approvals, AutoDecision, Disruption, Limits, Mode, Select
from governor.core.record import Became, Record
from governor.core.standing import Ruling, StandingApproval
from governor.core.step import name
from simulator.arm import Fault
from tests.scenarios.world import REGION, SUB, World, nat_policy, network, subnet, vnet, vnet_body
from tests.support.life import Life


def machine(world: World, name: str, in_subnet: str) -> None:
    """A plain virtual machine moves in."""
    nic = network(f"networkInterfaces/{name}-nic")
    configuration = {"name": "ipconfig1", "properties": {"subnet": {"id": in_subnet}}}
    world.put_now(nic, {"location": REGION, "properties": {"ipConfigurations": [configuration]}})
    path = f"/subscriptions/{SUB}/resourceGroups/rg-net/providers/Microsoft.Compute/virtualMachines/{name}"
    profile = {"networkInterfaces": [{"id": nic}]}
    world.put_now(path, {"location": REGION, "properties": {"networkProfile": profile}}, "2024-07-01")


def gates(record: Record) -> set[Gate]:
    return {reason.gate for offer in record.withheld for reason in offer.reasons}


async def occupied(tmp_path: Path, **changes: Any) -> World:
    world = World(tmp_path, nat_policy(**changes))
    world.put_now(vnet("spoke-1"), vnet_body(("vms", "10.0.1.0/24")))
    machine(world, "web", subnet("spoke-1", "vms"))
    await world.quiet()
    return world


async def test_nobody_writes_before_the_network_has_settled(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    written_at = world.clock.now()
    await world.quiet(timedelta(hours=1))
    first = min(r.outcomes[0].started for r in await world.records() if r.outcomes and r.outcomes[0].started)
    assert first - written_at >= timedelta(seconds=120)


async def test_an_occupied_subnet_waits_for_approval_and_is_repaired_after_it(tmp_path: Path) -> None:
    world = await occupied(tmp_path)
    assert world.attached("spoke-1") == {"vms": None}
    assert world.writes() == []
    (offer,) = [o for o in await world.ports.ledger.offered() if o.withheld.remediation.requirements]
    remediation = offer.withheld.remediation
    assert "address" in remediation.disruptions
    assert {r.gate for r in offer.withheld.reasons} == {Gate.APPROVAL}
    await decisions.rule(
        remediation.digest[:8], Ruling.APPROVE, ("ann", "change 42"), world.ports, world.rules.policies
    )
    await world.quiet()
    assert world.attached("spoke-1") == {"vms": "ng-spoke-1"}
    last = next(r for r in reversed(await world.records()) if r.outcomes)
    assert last.cause.points_at == remediation.digest
    assert [(d.by, d.reason) for d in last.decisions] == [("ann", "change 42")]


async def test_a_record_names_who_approved_in_advance(tmp_path: Path) -> None:
    world = await occupied(tmp_path)
    now = world.clock.now()
    ahead = [
        StandingApproval(
            name, nat_policy().name, f"/subscriptions/{SUB}", "ann", now, "x" * 9000, now + timedelta(days=1)
        )
        for name in ("address", "brief", "outage")
    ]
    for approval in ahead:
        await decisions.approve_standing(approval, world.ports)
    await world.quiet()
    assert world.attached("spoke-1") == {"vms": "ng-spoke-1"}
    last = next(r for r in reversed(await world.records()) if r.outcomes)
    assert [(one.disruption, one.by, one.reason) for one in last.approvals] == [
        (name, "ann", "x" * 500 + "...") for name in ("address", "brief")
    ]


async def approved(tmp_path: Path, life: Life) -> tuple[World, str]:
    """Somebody approves, and the process that makes the repair lives so long."""
    world = await occupied(tmp_path)
    world.clock.advance(3600)
    (offer,) = [o for o in await world.ports.ledger.offered() if o.withheld.remediation.requirements]
    digest = offer.withheld.remediation.digest
    await decisions.rule(digest, Ruling.APPROVE, ("ann", "change 42"), world.ports, world.rules.policies)
    *_, raw = heapq.heappop(world.queue)
    told = messages.decode(raw)
    assert isinstance(told, Cause)
    await world.govern_and_die(told, life)
    return world, digest


async def test_the_record_of_a_run_that_was_cut_off_names_who_approved_it(tmp_path: Path) -> None:
    whole = Life()
    await approved(tmp_path / "whole", whole)
    last = max(number for number, point in enumerate(whole.points) if point == "after ledger.done")
    world, digest = await approved(tmp_path / "cut", Life(dies_at=last))
    # What is said later is not what the run stood on.
    world.clock.advance(1)
    await decisions.rule(digest, Ruling.REJECT, ("bob", "too late"), world.ports, world.rules.policies)
    await world.quiet()
    (cut_off,) = [record for record in await world.records() if record.note.startswith("cut off")]
    assert cut_off.outcomes
    assert [(one.by, one.reason) for one in cut_off.decisions] == [("ann", "change 42")]


async def test_a_rejected_repair_is_not_done(tmp_path: Path) -> None:
    world = await occupied(tmp_path)
    (offer,) = [o for o in await world.ports.ledger.offered() if o.withheld.remediation.requirements]
    digest = offer.withheld.remediation.digest
    await decisions.rule(digest, Ruling.REJECT, ("ann", "not now"), world.ports, world.rules.policies)
    await world.quiet()
    assert world.attached("spoke-1") == {"vms": None}
    assert "rejected by ann: not now" in str((await world.records())[-1].withheld)


async def test_an_approval_of_another_plan_releases_nothing(tmp_path: Path) -> None:
    world = await occupied(tmp_path)
    with pytest.raises(decisions.DecisionError, match="nothing with digest"):
        await decisions.rule("0" * 16, Ruling.APPROVE, ("ann", ""), world.ports, world.rules.policies)


async def test_audit_reports_and_writes_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, ceiling=Mode.AUDIT)
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    await world.quiet()
    assert world.writes() == []
    assert gates((await world.records())[-1]) >= {Gate.MODE}


async def test_pause_stops_before_the_next_step_and_resume_goes_on(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24"), ("db", "10.0.2.0/24")))

    async def pause_after_the_first_write() -> None:
        await decisions.pause(("ann", "incident 7"), world.ports)

    world.after_write = pause_after_the_first_write
    await world.quiet()
    assert len(world.writes()) == 1
    world.after_write = None
    assert await decisions.resume(("ann", "over"), world.ports) == 1
    await world.quiet()
    assert world.all_attached(["spoke-1"])


async def test_limits_cut_between_repairs_and_go_on_by_themselves(tmp_path: Path) -> None:
    world = World(tmp_path, nat_policy(limits=Limits(remediations_per_run=2)))
    world.put_now(vnet("spoke-1"), vnet_body(*((f"s{i}", f"10.0.{i}.0/24") for i in range(5))))
    await world.quiet()
    assert world.all_attached(["spoke-1"])
    per_run = [sum("WriteSubnet" in type(o.step).__name__ for o in r.outcomes) for r in await world.records()]
    assert max(per_run) == 2


async def test_a_subnet_of_a_cluster_waits_with_its_cluster(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put_now(vnet("spoke-1"), vnet_body(("aks", "10.0.1.0/24"), ("app", "10.0.2.0/24")))
    cluster = f"/subscriptions/{SUB}/resourceGroups/rg-net/providers/Microsoft.ContainerService/managedClusters/k1"
    pool = {"name": "pool", "count": 0, "vnetSubnetID": subnet("spoke-1", "aks").upper()}
    world.put_now(cluster, {"location": REGION, "properties": {"agentPoolProfiles": [pool]}}, "2025-05-01")
    await world.quiet()
    assert world.attached("spoke-1") == {"aks": None, "app": "ng-spoke-1"}
    (waits,) = [
        o.remediation
        for o in (await world.records())[-1].withheld
        if o.remediation.requirements and Gate.APPROVAL in {r.gate for r in o.reasons}
    ]
    assert (waits.resource.rpartition("/")[2], [name(step) for step in waits.steps]) == (
        "k1",
        ["WriteSubnet", "WriteCluster"],
    )


async def test_what_cannot_be_read_is_unknown_and_not_written(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    refusal = {"error": {"code": "AuthorizationFailed", "message": "The client 'x' does not have authorization"}}
    world.arm.faults.append(Fault(method="GET", path=r"/virtualNetworks/spoke-1$", status=403, body=refusal))
    await world.quiet()
    assert world.writes() == []
    assert (await world.records())[-1].counts == {"Unknown": 2}


async def test_a_list_of_clusters_that_cannot_be_read_holds_every_attach_back(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    refusal = {"error": {"code": "AuthorizationFailed", "message": "no"}}
    world.arm.faults.append(Fault(method="GET", path=r"/managedClusters$", status=403, body=refusal))
    await world.quiet()
    assert world.writes() == []
    assert Gate.UNSEEN in gates((await world.records())[-1])


async def test_a_contradictory_estate_is_unknown(tmp_path: Path) -> None:
    world = World(tmp_path)
    ghost = {"id": network("routeTables/gone")}
    properties = {"addressPrefix": "10.0.1.0/24", "routeTable": ghost, "provisioningState": "Succeeded"}
    world.arm.load(
        [
            {
                "id": vnet("spoke-1"),
                "name": "spoke-1",
                "type": "Microsoft.Network/virtualNetworks",
                "location": REGION,
                "properties": {"subnets": [{"id": subnet("spoke-1", "a"), "name": "a", "properties": properties}]},
            }
        ]
    )
    await world.govern_once(vnet("spoke-1"))
    assert world.writes() == []
    (record,) = await world.records()
    assert record.counts["Unknown"] == 1
    assert "gone: named, but it does not exist" in str(record.changes)


async def test_throttling_is_waited_out(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    throttled = {"error": {"code": "SubscriptionRequestsThrottled", "message": "try again after '40' seconds."}}
    world.arm.faults.append(
        Fault(method="PUT", path="/natGateways/", status=429, body=throttled, retry_after=40, count=3)
    )
    await world.quiet()
    assert world.all_attached(["spoke-1"])
    done = [o for r in await world.records() for o in r.outcomes if o.became is Became.DONE]
    assert len(done) == 4


@pytest.mark.parametrize(("environment", "attached"), [("dev", "ng-spoke-1"), ("prod", None)])
async def test_a_policy_may_decide_by_itself_for_some(tmp_path: Path, environment: str, attached: str | None) -> None:
    classes = (Disruption.ADDRESS, Disruption.BRIEF)
    auto = AutoDecision(classes, "approve", Select(tags={"environment": "dev"}))
    policy = nat_policy(occupied=Mode.ENFORCE, approvals=Approvals(auto=(auto,)))
    world = World(tmp_path, policy)
    world.put_now(vnet("spoke-1"), vnet_body(("vms", "10.0.1.0/24"), environment=environment))
    machine(world, "web", subnet("spoke-1", "vms"))
    await world.quiet()
    assert world.attached("spoke-1") == {"vms": attached}


async def test_whoever_moves_in_between_plan_and_write_is_asked_first(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    world.arm.take_events()
    world.clock.advance(3 * 24 * 3600)

    async def somebody_moves_in() -> None:
        world.after_write = None
        machine(world, "web", subnet("spoke-1", "app"))

    world.after_write = somebody_moves_in
    await world.govern_once(vnet("spoke-1"))
    (stale,) = [o for r in await world.records() for o in r.outcomes if o.became is Became.STALE]
    assert stale.detail == "somebody has moved in since the plan was made"
    await world.quiet()
    assert world.attached("spoke-1") == {"app": None}
    assert Gate.APPROVAL in gates((await world.records())[-1])


@pytest.mark.parametrize("group", ["MC_rg-net_k1_westeurope", "rg-nodes-of-k1"])
async def test_the_network_in_a_node_resource_group_is_never_written(tmp_path: Path, group: str) -> None:
    world = World(tmp_path)
    nodes = f"/subscriptions/{SUB}/resourceGroups/{group}"
    cluster = f"/subscriptions/{SUB}/resourceGroups/rg-net/providers/Microsoft.ContainerService/managedClusters/k1"
    # Its pools are empty and name no subnet: the network is Azure's own.
    properties = {"nodeResourceGroup": group, "agentPoolProfiles": [{"name": "pool", "count": 0}]}
    world.put_now(cluster, {"location": REGION, "properties": properties}, "2025-05-01")
    world.put_now(f"{nodes}/providers/Microsoft.Network/virtualNetworks/spoke-1", vnet_body(("aks", "10.0.1.0/24")))
    await world.quiet()
    assert world.writes() == []
    # What is proposed changes the cluster, and nothing in its group.
    offers = [offer for record in await world.records() for offer in record.withheld]
    assert {step.target.rpartition("/")[2] for o in offers for step in o.remediation.steps} == {"k1"}
