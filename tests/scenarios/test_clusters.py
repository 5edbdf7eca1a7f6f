"""Somebody makes an AKS cluster: it leaves as policy says without his doing anything, or he is told why it does not."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from governor import decisions
from governor.core import ids
from governor.core.plan import Gate
from governor.core.policy import Approvals, Egress, Limits, Mode, PathKind, Policy, Select
from governor.core.record import Became
from governor.core.standing import Ruling
from governor.core.step import WriteCluster, WriteSubnet
from governor.core.verdict import Result
from simulator.faults import Fault
from simulator.wire import Request, Response
from tests.scenarios.cluster_world import AKS_API, FREE, cluster, create, there, type_of, verdicts
from tests.scenarios.hub_world import SLOW, leaves_by_hub, policy, spoke, with_hub
from tests.scenarios.world import World, gateway, nat_policy, subnet, vnet, vnet_body
from tests.support.transport import Moment

NODES = subnet("spoke-1", "nodes")


def free(**changes: Any) -> Policy:
    """NAT gateway per network, asking nobody."""
    return nat_policy(**{"occupied": Mode.ENFORCE, "approvals": FREE, **changes})


def hub_policy(**changes: Any) -> Policy:
    given = {"occupied": Mode.ENFORCE, "ready": "assumed", "peering": "create"}
    return policy(**{**given, **changes})


def with_spoke(folder: Path, *policies: Policy, **options: Any) -> World:
    """A World with a network that has been there for a while and that nobody has looked at."""
    world = World(folder, *(policies or (free(),)), **options)
    world.put_now(vnet("spoke-1"), vnet_body(("nodes", "10.0.1.0/24")))
    world.clock.advance(600)
    world.arm.settle()
    world.arm.take_events()
    return world


def steps(world_records: list[Any]) -> list[tuple[str, str]]:
    return [(type(o.step).__name__, o.became.value) for r in world_records for o in r.outcomes]


async def withheld(world: World, name: str = "k1") -> list[tuple[Gate, str]]:
    """Why the repair of a cluster waits, as people are told now."""
    offers = [o.withheld for o in await world.ports.ledger.offered()]
    return [(r.gate, r.text) for w in offers if ids.same(w.remediation.resource, cluster(name)) for r in w.reasons]


# ---- the stories of those who make clusters -------------------------------------------------------------------------


async def test_seed_b_a_cluster_made_as_the_portal_proposes_leaves_by_the_nat_gateway_of_its_network(
    tmp_path: Path,
) -> None:
    world = with_spoke(tmp_path)
    create(world, NODES)
    await world.quiet()
    assert type_of(world) == "userAssignedNATGateway"
    assert world.attached("spoke-1") == {"nodes": "ng-spoke-1"}
    assert (await verdicts(world))["cluster-outbound-type"] == (
        Result.COMPLIANT,
        "outboundType userAssignedNATGateway",
    )
    # The subnet first, then the type, and nothing of it twice.
    done = steps(await world.records())
    assert done[-2:] == [("WriteSubnet", "Done"), ("WriteCluster", "Done")]
    assert len(done) == len(set(done)) == 5
    assert not any("/MC_" in write for write in world.writes())


async def test_seed_b_a_cluster_behind_the_hub_gets_route_and_type_in_one_run(tmp_path: Path) -> None:
    world = with_hub(tmp_path, hub_policy())
    world.put_now(vnet("spoke-1"), spoke(1, "nodes"))
    world.clock.advance(600)
    create(world, NODES)
    await world.quiet()
    assert type_of(world) == "userDefinedRouting"
    assert leaves_by_hub(world, 1)
    (record,) = [r for r in await world.records() if any(isinstance(o.step, WriteCluster) for o in r.outcomes)]
    bites = [type(o.step) for o in record.outcomes if isinstance(o.step, WriteSubnet | WriteCluster)]
    assert bites[-1] is WriteCluster
    # The addresses that its load balancer had are gone, and nobody had to take them.
    assert "loadBalancerProfile" not in there(world)["properties"]["networkProfile"]


async def test_a_cluster_made_as_it_has_to_be_is_compliant_from_the_first_day(tmp_path: Path) -> None:
    world = with_spoke(tmp_path)
    await world.govern_once(vnet("spoke-1"))
    await world.quiet()
    assert world.attached("spoke-1") == {"nodes": "ng-spoke-1"}
    writes = world.writes()
    create(world, NODES, outbound="userAssignedNATGateway")
    await world.quiet()
    assert (await verdicts(world))["cluster-outbound-type"][0] is Result.COMPLIANT
    assert world.writes() == writes


async def test_a_cluster_without_a_network_of_its_own_gets_what_azure_can_give_it(tmp_path: Path) -> None:
    world = World(tmp_path, free(select=Select()))
    create(world)
    await world.quiet()
    assert type_of(world) == "managedNATGateway"
    assert (await verdicts(world))["cluster-outbound-type"][0] is Result.COMPLIANT
    # Nothing in its node group was written by us.
    assert [write.rpartition("/")[2] for write in world.writes()] == ["k1"]


async def test_a_cluster_that_azure_cannot_move_is_told_to_be_made_anew(tmp_path: Path) -> None:
    world = with_hub(tmp_path, hub_policy(select=Select()))
    create(world)
    await world.quiet()
    assert type_of(world) == "loadBalancer"
    ((gate, text),) = await withheld(world)
    assert gate is Gate.CLUSTER
    assert text.startswith(
        "a cluster in a network that Azure manages cannot have outboundType userDefinedRouting: "
        "create it anew in a subnet of its own network"
    )
    assert not any("/MC_" in write or "managedClusters" in write for write in world.writes())


# ---- when it is not the time ----------------------------------------------------------------------------------------


async def test_a_cluster_waits_for_a_person_and_its_subnets_with_it(tmp_path: Path) -> None:
    world = with_spoke(tmp_path, free(approvals=Approvals()))
    create(world, NODES)
    await world.quiet()
    assert world.attached("spoke-1") == {"nodes": None}
    ((gate, _),) = await withheld(world)
    assert gate is Gate.APPROVAL
    # The address of its load balancer goes with it, and is no second thing to look at.
    (offer,) = [o for o in await world.ports.ledger.offered() if o.withheld.remediation.requirements]
    assert "; with it goes 198.18." in offer.withheld.remediation.reason
    assert offer.withheld.remediation.reason.endswith("on load balancer kubernetes")
    digest = offer.withheld.remediation.digest
    await decisions.rule(digest, Ruling.APPROVE, ("ann", "go"), world.ports, world.rules.policies)
    await world.quiet()
    assert type_of(world) == "userAssignedNATGateway"
    assert world.attached("spoke-1") == {"nodes": "ng-spoke-1"}


async def test_a_policy_in_audit_mode_tells_and_writes_nothing(tmp_path: Path) -> None:
    world = with_spoke(tmp_path, free(mode=Mode.AUDIT))
    create(world, NODES)
    await world.quiet()
    assert world.writes() == []
    assert (await verdicts(world))["cluster-outbound-type"][0] is Result.VIOLATION


def writes_of(world: World) -> list[datetime]:
    """When the cluster is asked to be written, from now on."""
    asked: list[datetime] = []

    def watch(moment: Moment, request: Request, _: Response | None) -> None:
        if moment == "before" and request.method == "PUT" and request.path.endswith("/managedClusters/k1"):
            asked.append(world.clock.now())

    world.transport.hooks.append(watch)
    return asked


BUSY = {
    "code": "OperationNotAllowed",
    "message": "Another operation (Updating) is in progress, please wait for it to finish",
}
PREEMPTED = {"code": "AKSOperationPreempted", "message": "The operation was preempted by another one"}
THROTTLED = {"code": "Throttled", "message": "The request is throttled: PutManagedClusterHandler.PUT"}


@pytest.mark.parametrize(("status", "answer"), [(409, BUSY), (409, PREEMPTED), (429, THROTTLED)])
async def test_a_cluster_that_lets_nobody_in_is_tried_again_later_and_not_in_a_loop(
    tmp_path: Path, status: int, answer: dict[str, str]
) -> None:
    world = with_spoke(tmp_path)
    create(world, NODES)
    world.clock.advance(900)
    world.arm.settle()
    world.arm.faults.append(
        Fault(method="PUT", path="/managedClusters/k1$", status=status, body=answer, retry_after=60, count=2)
    )
    asked = writes_of(world)
    await world.quiet()
    assert type_of(world) == "userAssignedNATGateway"
    tries = [o for r in await world.records() for o in r.outcomes if isinstance(o.step, WriteCluster)]
    assert (tries.pop().became, {o.became for o in tries}) == (Became.DONE, {Became.PENDING})
    first, second, third = asked
    assert min(second - first, third - second) >= timedelta(seconds=60)
    # The subnet was attached once, and what was approved for the whole stands for the rest.
    assert sum(isinstance(o.step, WriteSubnet) for r in await world.records() for o in r.outcomes) == 1
    # Taken back is the whole of it, too, although the last run has written the type alone.
    last = next(r for r in reversed(await world.records()) if r.outcomes)
    world.clock.advance(600)
    await decisions.undo(last.id, 7, ("ann", "breaks our build"), world.ports)
    await world.quiet()
    assert (type_of(world), world.attached("spoke-1")) == ("loadBalancer", {"nodes": None})


async def test_azure_is_asked_again_when_it_said_and_not_before_whatever_else_there_is_to_do(tmp_path: Path) -> None:
    """One repair a run, and events: without the cluster, the next run would come after seconds."""
    world = with_spoke(tmp_path, free(limits=Limits(remediations_per_run=1)))
    world.put_now(subnet("spoke-1", "other"), {"properties": {"addressPrefix": "10.0.2.0/24"}})
    create(world, NODES)
    world.clock.advance(900)
    world.arm.settle()
    world.arm.faults.append(
        Fault(method="PUT", path="/managedClusters/k1$", status=429, body=THROTTLED, retry_after=400)
    )
    asked = writes_of(world)
    await world.quiet()
    assert type_of(world) == "userAssignedNATGateway"
    assert world.attached("spoke-1") == {"nodes": "ng-spoke-1", "other": "ng-spoke-1"}
    first, second = asked
    assert second - first >= timedelta(seconds=400)


async def test_a_cluster_that_failed_is_left_to_people(tmp_path: Path) -> None:
    world = with_spoke(tmp_path)
    create(world, NODES)
    world.clock.advance(900)
    world.arm.settle()
    body = there(world)
    body["properties"]["provisioningState"] = "Failed"
    world.arm.load([body])
    await world.quiet()
    assert world.attached("spoke-1") == {"nodes": None}
    result, seen = (await verdicts(world))["cluster-outbound-type"]
    assert (result, seen) == (Result.UNKNOWN, "cluster k1 is Failed")


async def test_what_somebody_changes_meanwhile_survives(tmp_path: Path) -> None:
    world = with_spoke(tmp_path)
    create(world, NODES)
    world.clock.advance(900)
    world.arm.settle()

    async def scales() -> None:
        if not any("managedClusters" in write for write in world.writes()) and world.attached("spoke-1")["nodes"]:
            world.after_write = None
            body = there(world)
            pool = body["properties"]["agentPoolProfiles"][0] | {"count": 5}
            world.put_now(
                f"{cluster()}/agentPools/{pool.pop('name')}",
                {"properties": {k: v for k, v in pool.items() if k not in ("eTag", "provisioningState")}},
                AKS_API,
            )

    world.after_write = scales
    await world.quiet()
    assert type_of(world) == "userAssignedNATGateway"
    assert there(world)["properties"]["agentPoolProfiles"][0]["count"] == 5


async def test_a_write_says_which_cluster_it_is_over(tmp_path: Path) -> None:
    world = with_spoke(tmp_path)
    create(world, NODES)
    world.clock.advance(900)
    world.arm.settle()
    tag = there(world)["eTag"]
    others: list[str] = []

    def tags_it(moment: Moment, request: Request, _: Response | None) -> None:
        if moment == "before" and request.method == "PUT" and request.path.endswith("/managedClusters/k1"):
            others.append(request.headers["If-Match"])
            if len(others) == 1:
                # Tags alone are written at once, and the cluster is another one.
                world.arm.load([{**there(world), "tags": {"by": "somebody"}, "eTag": "another"}])

    world.transport.hooks.append(tags_it)
    await world.quiet()
    assert others == [f'"{tag}"', '"another"']
    assert type_of(world) == "userAssignedNATGateway"
    assert there(world)["tags"] == {"by": "somebody"}


# ---- the way back ---------------------------------------------------------------------------------------------------


async def test_an_undo_takes_type_and_subnets_back_together(tmp_path: Path) -> None:
    world = with_spoke(tmp_path)
    create(world, NODES)
    await world.quiet()
    (record,) = [r for r in await world.records() if any(isinstance(o.step, WriteCluster) for o in r.outcomes)]
    world.clock.advance(600)
    await decisions.undo(record.id, 7, ("ann", "breaks our build"), world.ports)
    await world.quiet()
    assert type_of(world) == "loadBalancer"
    assert world.attached("spoke-1") == {"nodes": None}
    assert not world.exists(gateway("spoke-1"))
    undone = next(r for r in reversed(await world.records()) if r.outcomes)
    assert [type(o.step).__name__ for o in undone.outcomes] == ["WriteCluster", "WriteSubnet", "DeleteNatGateway"]
    await world.govern_once(vnet("spoke-1"))
    assert Gate.UNDO in {gate for gate, _ in await withheld(world)}


async def test_what_azure_does_not_change_back_is_said_and_left(tmp_path: Path) -> None:
    world = World(tmp_path, free(select=Select()))
    create(world)
    await world.quiet()
    (record,) = [r for r in await world.records() if r.outcomes]
    assert "irreversible" in record.done[0].disruptions
    world.clock.advance(600)
    with pytest.raises(decisions.DecisionError, match="wrote nothing that can be taken back"):
        await decisions.undo(record.id, 7, ("ann", "no"), world.ports)
    assert type_of(world) == "managedNATGateway"


# ---- what wakes us --------------------------------------------------------------------------------------------------


async def test_a_new_pool_in_another_subnet_is_seen(tmp_path: Path) -> None:
    world = with_spoke(tmp_path)
    create(world, NODES)
    await world.quiet()
    world.clock.advance(600)
    more = {"properties": {"addressPrefix": "10.0.7.0/24", "natGateway": {"id": gateway("spoke-1")}}}
    world.put_now(subnet("spoke-1", "more"), more)
    await world.quiet()
    world.clock.advance(600)
    pool = {"properties": {"count": 1, "mode": "User", "vnetSubnetID": subnet("spoke-1", "more")}}
    world.put_now(f"{cluster()}/agentPools/late", {**pool}, AKS_API)
    await world.quiet()
    assert (await verdicts(world))["cluster-outbound-type"][0] is Result.COMPLIANT
    pool["properties"]["enableNodePublicIP"] = True
    assert (await verdicts(world))["cluster-node-public-ip"][0] is Result.COMPLIANT


async def test_a_cluster_wakes_its_own_network_and_no_other(tmp_path: Path) -> None:
    world = with_spoke(tmp_path)
    world.put_now(vnet("spoke-2"), vnet_body(("app", "10.0.1.0/24")))
    await world.quiet()
    create(world, NODES)
    await world.quiet()
    before = len(world.transport.requests)
    world.clock.advance(3600)
    body = there(world)
    world.put_now(cluster(), {**body, "tags": {"a": "b"}}, AKS_API)
    await world.quiet()
    asked = {r.path for r in world.transport.requests[before:]}
    assert any(path.endswith("/virtualNetworks/spoke-1") for path in asked)
    assert not any(path.endswith("/virtualNetworks/spoke-2") for path in asked)


async def test_a_cluster_that_goes_leaves_no_verdict(tmp_path: Path) -> None:
    world = with_spoke(tmp_path)
    create(world, NODES)
    await world.quiet()
    assert await verdicts(world) != {}
    world.clock.advance(600)
    answer = world.ask("DELETE", cluster(), version=AKS_API)
    assert answer.status in (200, 202)
    await world.quiet()
    assert await verdicts(world) == {}


async def test_a_sweep_finds_a_cluster_whose_event_was_lost(tmp_path: Path) -> None:
    world = with_spoke(tmp_path)
    world.deaf = True
    create(world, NODES)
    world.clock.advance(900)
    world.arm.settle()
    await world.sweep()
    world.clock.advance(900)
    await world.quiet()
    assert type_of(world) == "userAssignedNATGateway"


async def test_a_policy_that_only_judges_leaves_clusters_alone(tmp_path: Path) -> None:
    world = with_spoke(tmp_path, free(egress=Egress(allow=(PathKind.NAT_GATEWAY,))))
    create(world, NODES)
    await world.quiet()
    assert world.writes() == []
    assert (await verdicts(world))["cluster-outbound-type"][0] is Result.VIOLATION


@pytest.mark.parametrize("group", [{}, {"nodeResourceGroup": "nodes-of-k1"}])
async def test_what_aks_writes_for_an_undo_is_nobody_elses_write(tmp_path: Path, group: dict[str, str]) -> None:
    """Changing the type takes AKS minutes, in which it writes the node group; the subnets follow in the same run."""
    slow = {**SLOW, "microsoft.containerservice/managedclusters": 90.0}
    world = with_spoke(tmp_path, durations=slow)
    create(world, NODES, **group)
    await world.quiet()
    (record,) = [r for r in await world.records() if any(isinstance(o.step, WriteCluster) for o in r.outcomes)]
    world.clock.advance(600)
    before = len(await world.records())
    await decisions.undo(record.id, 7, ("ann", "breaks our build"), world.ports)
    await world.quiet()
    told = [r for r in (await world.records())[before:] if r.outcomes]
    assert [[type(o.step).__name__ for o in r.outcomes] for r in told] == [
        ["WriteCluster", "WriteSubnet", "DeleteNatGateway"]
    ]
    assert (type_of(world), world.attached("spoke-1")) == ("loadBalancer", {"nodes": None})
