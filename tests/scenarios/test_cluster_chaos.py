"""Clusters and public addresses in a storm, from seeds: nobody is cut off, and no cluster is left half done."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from msgspec import UNSET

from governor import decisions
from governor.core import ids
from governor.core.cause import Cause, Source
from governor.core.plan import Gate, Withheld
from governor.core.policy import Mode
from governor.core.record import Became, Outcome, Record
from governor.core.step import Step, WriteCluster, WriteInterface, WriteSubnet
from governor.core.verdict import Result
from governor.loop import Rules
from governor.ports import correlation
from tests.scenarios.cluster_storm import BALANCER, OF_A_PLAN, STANDARD, ClusterStorm
from tests.scenarios.cluster_world import AKS_API
from tests.scenarios.hub_world import add_hub
from tests.scenarios.test_chaos import NSG, VNETS
from tests.scenarios.ways_out import APPLIANCE, NAT, nodes_of, subnets_of, ways_out
from tests.scenarios.ways_out import BALANCER as BY_BALANCER
from tests.scenarios.world import NETWORK_API, REGION, SUB, network, subnet, vnet, vnet_body

SEEDS: Final = 12
_NAMES: Final = ("nodes", "more", "most", "pods")
_LEAVES: Final = {
    "loadBalancer": BY_BALANCER,
    "userDefinedRouting": APPLIANCE,
    "userAssignedNATGateway": NAT,
    "managedNATGateway": NAT,
}


async def begun(tmp_path: Path, seed: int) -> ClusterStorm:
    world = ClusterStorm(tmp_path, seed)
    world.put_now(NSG, {"location": REGION, "properties": {}})
    add_hub(world)
    for third, name in enumerate(VNETS, 1):
        world.put_now(vnet(name), vnet_body(("app", f"10.{third}.0.0/24"), space=f"10.{third}.0.0/16"))
    # Machines come to subnets that comply; clusters are there before the governor has seen theirs.
    world.calm = True
    await world.quiet()
    world.calm = False
    world.clock.advance(600)
    for third, name in enumerate(VNETS, 1):
        for number, one in enumerate(_NAMES, 1):
            world.put_now(subnet(name, one), {"properties": {"addressPrefix": f"10.{third}.{number}.0/24"}})
            world.clock.advance(100)
    shut = {"addressPrefix": "10.3.200.0/24", "defaultOutboundAccess": False}
    world.put_now(subnet("spoke-3", "shut"), {"properties": shut})
    world.clock.advance(100)
    front = network("publicIPAddresses/pip-lb")
    world.put_now(front, STANDARD)
    addresses = [world.makes_an_address() for _ in range(4)]
    world.clock.advance(100)
    public = [{"name": "public", "properties": {"publicIPAddress": {"id": front}}}]
    rule = {
        "protocol": "All",
        "frontendIPConfigurations": [{"id": f"{BALANCER}/frontendIPConfigurations/public"}],
        "backendAddressPool": {"id": f"{BALANCER}/backendAddressPools/pool"},
    }
    balancing = {
        "frontendIPConfigurations": public,
        "backendAddressPools": [{"name": "pool"}],
        "outboundRules": [{"name": "out", "properties": rule}],
    }
    world.put_now(BALANCER, {"location": REGION, "sku": {"name": "Standard"}, "properties": balancing})
    for name in world.chance.sample(("nat", "pods", "hub", "two", "guarded", "kubenet", "one", "managed"), 3):
        world.makes_a_cluster(name)
    world.clock.advance(100)
    world.makes_a_machine(subnet("spoke-3", "app"), pool=True)
    places = [*(subnet(name, "app") for name in VNETS), subnet("spoke-3", "shut")]
    for place, address in zip(places, addresses, strict=True):
        world.clock.advance(100)
        world.makes_a_machine(place, address)
    world.look()
    return world


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_whatever_happens_no_cluster_is_left_half_done_and_nobody_is_cut_off(tmp_path: Path, seed: int) -> None:
    world = await begun(tmp_path, seed)
    others: list[Callable[[], Any]] = [
        world.makes_a_cluster,
        world.deletes_a_cluster,
        world.tags_a_cluster,
        world.scales_a_pool,
        world.the_autoscaler_moves,
        world.changes_a_type_by_hand,
        world.makes_an_address,
        world.deletes_an_address,
        world.makes_a_machine,
        world.makes_a_public_machine,
        world.puts_an_address_on,
        world.tags_an_interface,
        world.lets_a_route_lead_to_it,
        world.days_pass,
        world.takes_a_gateway_off,
        world.strikes,
        world.strikes,
        world.strikes,
        world.changes_the_policies,
    ]
    for _ in range(20):
        await world.quiet_after(world.chance.choice((2.0, 20.0, 100.0, 150.0, 300.0)))
        world.deliver_late()
        luck = world.chance.random()
        if luck < 0.15:
            await world.decides()
        elif luck < 0.25:
            await world.approves_everything()
        else:
            world.chance.choice(others)()
        assert world.wrong == []
    await in_peace(world)
    await holds(world)
    await everything_comes_back(world)


async def in_peace(world: ClusterStorm) -> None:
    """Nothing bad happens any more, somebody looks at everything, and a person agrees to all that is asked."""
    world.calm = True
    world.arm.faults.clear()
    world.rules = Rules(world.wanted, Mode.ENFORCE)
    await world.quiet_after(400.0)
    for _ in range(2):
        world.settles_what_failed()
        await world.quiet_after(200.0)
    world.deliver_late()
    world.clock.advance(1)
    await decisions.resume(("ann", "over"), world.ports)
    for _ in range(3):
        await looked_at(world)
        await world.approves_everything()
        await world.quiet()
        world.look("in peace")


async def looked_at(world: ClusterStorm) -> None:
    for one in world.arm.export():
        if ids.kind(one["id"]) == ids.VIRTUAL_NETWORK:
            await world.put(Cause(source=Source.MANUAL, time=world.clock.now(), subject=one["id"]))
    await world.sweep(SUB)
    world.clock.advance(1)


async def holds(world: ClusterStorm) -> None:
    records = await world.records()
    assert world.wrong == []
    assert all(v.wrong is None for v in [v async for v in world.ports.ledger.verify()])
    written = {ids.key(path.partition(" ")[2]) for path in world.writes_of_all()}
    assert written <= {ids.key(o.step.target) for r in records for o in r.outcomes}
    every_subnet_of_a_cluster_was_changed_with_it(world, records)
    await every_cluster_complies_or_is_told_why(world)
    await every_address_complies_or_is_told_why(world)


def every_subnet_of_a_cluster_was_changed_with_it(world: ClusterStorm, records: list[Record]) -> None:
    runs = {correlation(record.id): record for record in records}
    of_clusters = {
        remediation.digest
        for record in records
        for remediation in (*record.done, *(offer.remediation for offer in record.withheld))
        if ids.kind(remediation.resource) == ids.CLUSTER
    }
    for write in world.written_of_clusters:
        if write.at - write.since < OF_A_PLAN:
            continue
        digests = _of(write.path, [runs[write.run]] if write.run in runs else [])
        # What a run wrote when it died is told by the one that took over.
        assert (digests or _of(write.path, records)) & of_clusters, write


def _of(path: str, records: list[Record]) -> set[str]:
    """The digests of what was done to something."""
    return {o.remediation for r in records for o in r.outcomes if ids.same(o.step.target, path)}


async def offers(world: ClusterStorm) -> dict[str, list[Withheld]]:
    found: dict[str, list[Withheld]] = {}
    for offer in await world.ports.ledger.offered():
        found.setdefault(ids.key(offer.withheld.remediation.resource), []).append(offer.withheld)
    return found


def lasting(held: list[Withheld]) -> bool:
    """Whether there is a reason against each that a person can read, and that is not only a matter of time."""
    reasons = [reason for one in held for reason in one.reasons]
    return bool(reasons) and all(
        r.text and r.after is None and r.gate not in (Gate.APPROVAL, Gate.SETTLE) for r in reasons
    )


async def every_cluster_complies_or_is_told_why(world: ClusterStorm) -> None:
    told = await offers(world)
    stood = {(ids.key(v.resource), v.requirement): v for v in await world.ports.ledger.verdicts()}
    ways = ways_out(world.arm.export())
    for there in world.of_kind(ids.CLUSTER):
        key = ids.key(there["id"])
        verdict = stood[key, "cluster-outbound-type"]
        leaves = {way for one, way in ways.items() if one.startswith(nodes_of(there))}
        kind = there["properties"]["networkProfile"]["outboundType"]
        if verdict.result is Result.COMPLIANT:
            assert leaves <= {_LEAVES[kind]}, (verdict, leaves)
        elif verdict.result is Result.VIOLATION:
            assert lasting(told.get(key, [])), (verdict, told.get(key))
            # What the governor has begun it has brought to an end, or taken back.
            begun = [w for w in world.written_of_clusters if w.cluster == key]
            undone = any(reason.gate is Gate.UNDO for one in told[key] for reason in one.reasons)
            assert not begun or undone or leaves <= {_LEAVES[kind]} or _by_others(world, there), (verdict, told[key])
        else:
            assert verdict.seen, verdict


def _by_others(world: ClusterStorm, cluster: dict[str, Any]) -> bool:
    """Whether somebody else has changed the cluster or one of its subnets after the governor did."""
    mine = {*subnets_of(cluster), ids.key(cluster["id"])}
    last = max(w.at for w in world.written_of_clusters if w.cluster == ids.key(cluster["id"]))
    return any(at > last and path in mine for at, path, _ in world.others)


async def every_address_complies_or_is_told_why(world: ClusterStorm) -> None:
    told = await offers(world)
    stood = {(ids.key(v.resource), v.requirement): v for v in await world.ports.ledger.verdicts()}
    for there in world.of_kind(ids.NETWORK_INTERFACE):
        inner = there["properties"]["ipConfigurations"][0]["properties"]
        verdict = stood.get((ids.key(there["id"]), "nic-public-ip"))
        assert (verdict is not None) == ("publicIPAddress" in inner), there["id"]
        if verdict is not None and verdict.result is Result.VIOLATION:
            assert lasting(told.get(ids.key(there["id"]), [])), (verdict, told.get(ids.key(there["id"])))
        elif verdict is not None:
            assert verdict.seen


async def everything_comes_back(world: ClusterStorm) -> None:
    """The latest repair of each cluster and interface is taken back, one after the other."""
    latest: dict[str, Record] = {}
    for record in await world.records():
        for outcome in record.outcomes:
            if outcome.became is Became.DONE and isinstance(outcome.step, WriteCluster | WriteInterface):
                latest[ids.key(outcome.step.target)] = record
    for record in {record.id: record for record in latest.values()}.values():
        world.clock.advance(600)
        try:
            await decisions.undo(record.id, 7, ("bob", ""), world.ports)
        except decisions.DecisionError:
            continue
        await world.quiet()
        world.look("as it is taken back")
        assert world.wrong == []
        undone = next(r for r in reversed(await world.records()) if r.undo and r.undo.record == record.id)
        for outcome in undone.outcomes:
            is_back(outcome, world)
        done = {ids.key(o.step.target) for o in undone.outcomes}
        held = {ids.key(s.target) for w in undone.withheld if w.reasons for s in w.remediation.steps}
        written = {ids.key(o.step.target) for o in record.outcomes if o.became is Became.DONE and _goes_back(o.step)}
        assert written <= done | held, undone


def _goes_back(step: Step) -> bool:
    return isinstance(step, WriteSubnet | WriteInterface) or (
        isinstance(step, WriteCluster) and step.inverse is not None
    )


def is_back(outcome: Outcome, world: ClusterStorm) -> None:
    """What an undo says that it has done holds."""
    step = outcome.step
    if outcome.became is not Became.DONE or not isinstance(step, WriteSubnet | WriteInterface | WriteCluster):
        return
    found = world.ask("GET", step.target, version=AKS_API if isinstance(step, WriteCluster) else NETWORK_API)
    now = msgspec.json.decode(found.body)["properties"]
    match step:
        case WriteCluster():
            assert now["networkProfile"]["outboundType"] == step.to
        case WriteSubnet():
            for member, to in (("natGateway", step.to.nat_gateway), ("routeTable", step.to.route_table)):
                assert to is UNSET or ids.key((now.get(member) or {}).get("id", "")) == ids.key(to or "")
        case WriteInterface():
            held = {one["name"]: one["properties"].get("publicIPAddress") for one in now["ipConfigurations"]}
            assert {name: (held[name] or {}).get("id") for name in step.to} == step.to
