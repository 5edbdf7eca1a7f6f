"""Hostile stories, one situation each: what a reconciler meets in a year, told in a second."""

import copy
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from governor import decisions, loop
from governor.core import ids
from governor.core.cause import Cause, Source, VirtualNetwork
from governor.core.plan import Gate
from governor.core.policy import Approvals, Egress, Limits, Mode, NatGatewayPolicy, Policies
from governor.core.record import Became, Outcome, Record
from governor.core.standing import Ruling
from governor.loop import Rules
from governor.ports import Held, Transient
from simulator.arm import Fault
from simulator.wire import Request, Response
from tests.scenarios.test_waiting import machine
from tests.scenarios.world import (
    REGION,
    SUB,
    World,
    gateway,
    nat_policy,
    network,
    subnet,
    vnet,
    vnet_body,
)
from tests.support.life import Killed, Life
from tests.support.transport import Moment

SETTLE = 120.0


def outcomes(records: list[Record]) -> list[Outcome]:
    return [outcome for record in records for outcome in record.outcomes]


def subnet_writes(world: World) -> list[str]:
    return [path for path in world.writes_of_all() if "/subnets/" in path]


def manual(world: World, name: str = "spoke-1") -> Cause:
    return Cause(source=Source.MANUAL, time=world.clock.now(), subject=vnet(name))


class Until(Life):
    """A process that ends where this point is first reached."""

    def __init__(self, point: str) -> None:
        super().__init__()
        self._point = point

    def reach(self, point: str) -> None:
        super().reach(point)
        if point == self._point:
            self.is_over = True
            raise Killed(point)


async def repaired(tmp_path: Path, *names: str) -> World:
    world = World(tmp_path)
    world.put_now(vnet("spoke-1"), vnet_body(*((n, f"10.0.{i + 1}.0/24") for i, n in enumerate(names or ("app",)))))
    await world.quiet()
    assert world.all_attached(["spoke-1"])
    return world


def take_off(world: World, path: str) -> None:
    """Somebody takes the NAT gateway off a subnet."""
    body = world.get(path)
    body["properties"].pop("natGateway", None)
    world.put_now(path, body)


# ---- what was made undone -------------------------------------------------------------------------------------------


async def test_an_undo_absorbs_no_event_of_somebody_else(tmp_path: Path) -> None:
    world = await repaired(tmp_path, "app", "db")
    record = next(r for r in await world.records() if r.outcomes)
    world.clock.advance(600)
    world.put_now(subnet("spoke-1", "late"), {"properties": {"addressPrefix": "10.0.9.0/24"}})
    events = world.arm.take_events()
    world.clock.advance(SETTLE + 30)
    await decisions.undo(record.id, 7, ("ann", ""), world.ports)
    await world.quiet()
    for delivery in events:  # later than the undo has read
        for event in msgspec.json.decode(delivery.body):
            world.receive(event)
    await world.quiet()
    attached = world.attached("spoke-1")
    assert attached["app"] is None
    assert attached["late"] is not None


async def test_what_waits_for_approval_still_waits_after_an_undo_that_wrote_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    body = vnet_body(("vms", "10.0.1.0/24"))
    body["properties"]["subnets"].append({"name": "app", "properties": {"addressPrefix": "10.0.2.0/24"}})
    world.put_now(vnet("spoke-1"), body)
    machine(world, "web", subnet("spoke-1", "vms"))
    await world.quiet()
    record = next(r for r in await world.records() if r.outcomes)
    waiting = {o.withheld.remediation.digest for o in await world.ports.ledger.offered()}
    assert waiting
    take_off(world, subnet("spoke-1", "app"))
    world.arm.take_events()
    machine(world, "db", subnet("spoke-1", "app"))
    world.clock.advance(600)
    await decisions.undo(record.id, 7, ("ann", ""), world.ports)
    await world.quiet()
    assert waiting <= {o.withheld.remediation.digest for o in await world.ports.ledger.offered()}


async def test_an_undo_that_was_taken_over_is_still_done(tmp_path: Path) -> None:
    world = await repaired(tmp_path, "app", "db")
    record = next(r for r in await world.records() if r.outcomes)
    world.clock.advance(600)

    async def sleep_through_the_lease() -> None:
        world.after_write = None
        world.clock.advance(200)
        await world.govern_once(vnet("spoke-1"))

    await decisions.undo(record.id, 7, ("ann", "breaks our build"), world.ports)
    world.after_write = sleep_through_the_lease
    await world.quiet()
    assert world.attached("spoke-1") == {"app": None, "db": None}


async def test_undo_twice_takes_back_once(tmp_path: Path) -> None:
    world = await repaired(tmp_path, "app", "db")
    record = next(r for r in await world.records() if r.outcomes)
    world.clock.advance(600)
    await decisions.undo(record.id, 7, ("ann", ""), world.ports)
    await world.quiet()
    written = len(world.writes())
    await decisions.undo(record.id, 7, ("bob", "again"), world.ports)
    await world.quiet()
    assert len(world.writes()) == written
    assert world.attached("spoke-1") == {"app": None, "db": None}


async def test_an_undo_of_an_undo_says_that_the_gateway_is_gone(tmp_path: Path) -> None:
    world = await repaired(tmp_path)
    record = next(r for r in await world.records() if r.outcomes)
    world.clock.advance(600)
    await decisions.undo(record.id, 0, ("ann", ""), world.ports)
    # Nothing puts it back meanwhile.
    world.rules = Rules(Policies(policies=(nat_policy(mode=Mode.AUDIT),)), Mode.ENFORCE)
    await world.quiet()
    undone = next(r for r in reversed(await world.records()) if r.outcomes)
    written = len(world.writes())
    await decisions.undo(undone.id, 0, ("bob", "I liked it"), world.ports)
    await world.quiet()
    assert len(world.writes()) == written
    asked = next(r for r in reversed(await world.records()) if r.cause.source is Source.UNDO)
    assert "ng-spoke-1 does not exist" in str(asked.withheld)


async def test_what_was_only_seen_pending_can_be_taken_back(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    await world.quiet()
    world.put_now(subnet("spoke-1", "late"), {"properties": {"addressPrefix": "10.0.2.0/24"}})
    world.arm.take_events()
    world.clock.advance(600)
    ports, transport = world.process()

    def nothing_more_is_read(moment: Moment, request: Request, _: Response | None) -> None:
        if moment == "after" and request.method == "PUT":
            world.arm.faults.append(Fault(method="GET", path="/subnets/late$", status=503, count=None))

    transport.hooks.append(nothing_more_is_read)
    await world.govern_with(ports, manual(world))
    world.arm.faults.clear()
    await world.quiet()
    assert world.attached("spoke-1")["late"] == "ng-spoke-1"
    (pending,) = [r for r in await world.records() if any(o.step.target.endswith("/late") for o in r.outcomes)]
    assert [o.became for o in pending.outcomes] == [Became.PENDING]
    world.clock.advance(600)
    await decisions.undo(pending.id, 7, ("ann", ""), world.ports)
    await world.quiet()
    assert world.attached("spoke-1") == {"app": "ng-spoke-1", "late": None}


# ---- refusals -------------------------------------------------------------------------------------------------------


async def test_the_event_of_our_own_failed_write_starts_no_loop(tmp_path: Path) -> None:
    taken = network("publicIPAddresses/taken")
    policy = nat_policy(egress=Egress(nat_gateway=NatGatewayPolicy(existing=(taken,), sku="Standard")))
    world = World(tmp_path, policy)
    static = {"publicIPAllocationMethod": "Static"}
    world.put_now(taken, {"location": REGION, "sku": {"name": "Standard"}, "properties": static})
    world.put_now(vnet("other"), vnet_body(("x", "10.9.1.0/24"), space="10.9.0.0/16"))
    configuration = {
        "name": "c",
        "properties": {"subnet": {"id": subnet("other", "x")}, "publicIPAddress": {"id": taken}},
    }
    nic = network("networkInterfaces/holder")
    world.put_now(nic, {"location": REGION, "properties": {"ipConfigurations": [configuration]}})
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    await world.quiet()
    tried = [path for path in world.writes() if "/natGateways/" in path]
    assert len(tried) == 1
    failed = [o for o in outcomes(await world.records()) if o.became is Became.FAILED]
    assert len(failed) == 1


async def test_what_needs_something_that_failed_is_withheld_with_the_reason(tmp_path: Path) -> None:
    world = World(tmp_path)
    info = {"policyAssignmentId": "/subscriptions/x/providers/Microsoft.Authorization/policyAssignments/deny"}
    refusal = {
        "error": {
            "code": "RequestDisallowedByPolicy",
            "message": "Resource 'ng-spoke-1' was disallowed by policy.",
            "additionalInfo": [{"type": "PolicyViolation", "info": info}],
        }
    }
    world.arm.faults.append(Fault(method="PUT", path="/natGateways/", status=403, body=refusal, count=None))
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24"), ("db", "10.0.2.0/24")))
    await world.quiet()
    failed = [o for o in outcomes(await world.records()) if o.became is Became.FAILED]
    assert len(failed) == 1
    assert "RequestDisallowedByPolicy" in failed[0].detail
    assert info["policyAssignmentId"] in failed[0].detail
    last = (await world.records())[-1]
    held = {o.remediation.resource: o.reasons for o in last.withheld}
    assert set(held) >= {subnet("spoke-1", "app"), subnet("spoke-1", "db")}
    assert {r.gate for r in held[subnet("spoke-1", "app")]} == {Gate.NEEDS}
    assert "ng-spoke-1" in held[subnet("spoke-1", "app")][0].text
    assert not [r for r in last.done if r.resource in held]


REFUSALS = {
    "RequestDisallowedByPolicy": (403, "Resource 'app' was disallowed by policy.", ("RequestDisallowedByPolicy",)),
    "ScopeLocked": (
        409,
        (
            f"The scope '{subnet('spoke-1', 'app')}' cannot perform write operation because following scope(s) are "
            f"locked: '/subscriptions/{SUB}/resourceGroups/rg-net'. Please remove the lock and try again."
        ),
        ("ScopeLocked", "write", f"/subscriptions/{SUB}/resourceGroups/rg-net"),
    ),
    "LinkedAuthorizationFailed": (
        403,
        (
            "The client 'x' with object id 'x' has permission to perform action 'Microsoft.Network/virtualNetworks/"
            f"subnets/write' on scope '{subnet('spoke-1', 'app')}'; however, it does not have permission to perform "
            f"action(s) 'Microsoft.Network/natGateways/join/action' on the linked scope(s) '{gateway('spoke-1')}' "
            "(respectively) or the linked scope(s) are invalid."
        ),
        ("LinkedAuthorizationFailed", "Microsoft.Network/natGateways/join/action", gateway("spoke-1")),
    ),
    "ResourceGroupBeingDeleted": (
        409,
        "The resource group 'rg-net' is in deprovisioning state and cannot perform this operation.",
        ("ResourceGroupBeingDeleted",),
    ),
}


@pytest.mark.parametrize("code", sorted(REFUSALS))
async def test_a_refused_write_is_told_once_with_code_action_and_scope(tmp_path: Path, code: str) -> None:
    status, message, told = REFUSALS[code]
    world = World(tmp_path)
    refusal = {"error": {"code": code, "message": message}}
    world.arm.faults.append(Fault(method="PUT", path="/subnets/app$", status=status, body=refusal, count=None))
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24"), ("db", "10.0.2.0/24")))
    await world.quiet()
    assert len([path for path in world.writes() if path.endswith("/subnets/app")]) == 1
    (failed,) = [o for o in outcomes(await world.records()) if o.became is Became.FAILED]
    assert all(word in failed.detail for word in told)
    assert world.attached("spoke-1") == {"app": None, "db": "ng-spoke-1"}


async def test_the_breaker_opens_after_failures_and_closes_when_people_resume(tmp_path: Path) -> None:
    world = World(tmp_path)
    refusal = {"error": {"code": "BadRequest", "message": "no"}}
    fault = Fault(method="PUT", path=r"/subnets/s\d$", status=400, body=refusal, count=None)
    world.arm.faults.append(fault)
    world.put_now(vnet("spoke-1"), vnet_body(*((f"s{i}", f"10.0.{i}.0/24") for i in range(4))))
    await world.quiet()
    world.put_now(subnet("spoke-1", "more"), {"properties": {"addressPrefix": "10.0.9.0/24"}})
    await world.quiet()
    assert world.attached("spoke-1")["more"] is None
    assert "failed in a row" in str((await world.records())[-1].withheld)
    fault.count = 0
    assert await decisions.resume(("ann", "looked at them"), world.ports) == 1
    await world.quiet()
    assert world.all_attached(["spoke-1"])


# ---- limits ---------------------------------------------------------------------------------------------------------


async def test_a_network_of_many_subnets_is_worked_off_although_it_takes_longer_than_a_day(tmp_path: Path) -> None:
    limits = Limits(remediations_per_run=1)
    world = World(tmp_path, nat_policy(limits=limits))
    world.put_now(vnet("spoke-1"), vnet_body(*((f"s{i}", f"10.0.{i}.0/24") for i in range(40))))
    world.receive(world.payloads_for(vnet("spoke-1"))[0])
    world.deaf = True  # no echo of our own writes helps
    await world.quiet(timedelta(days=4))
    assert world.all_attached(["spoke-1"])
    assert not [r for r in await world.records() if r.note.startswith("given up")]


# ---- defects and troubles of our own --------------------------------------------------------------------------------


class _Broken:
    """A port one of whose methods fails so often."""

    def __init__(self, port: object, method: str, trouble: Exception, times: int = 1) -> None:
        self._port, self._method, self._trouble, self._times = port, method, trouble, times

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._port, name)
        if name != self._method:
            return member

        async def fail(*args: Any, **more: Any) -> Any:
            if self._times > 0:
                self._times -= 1
                raise self._trouble
            return await member(*args, **more)

        return fail


async def test_a_defect_is_raised_every_time_so_that_it_ends_as_poison(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    world.arm.take_events()
    broken: Any = _Broken(world.ports.cloud, "observe", RuntimeError("a defect"), 5)
    ports = msgspec.structs.replace(world.ports, cloud=broken)
    cause = manual(world)
    for _ in range(5):
        with pytest.raises(RuntimeError):
            await loop.govern(cause, ports, world.rules)
        world.clock.advance(30)
    assert world.queue == []


@pytest.mark.parametrize("method", ["claim", "standing", "begin", "intend", "done", "end"])
async def test_a_store_that_is_busy_for_a_moment_never_raises(tmp_path: Path, method: str) -> None:
    world = World(tmp_path)
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    world.clock.advance(600)
    world.arm.take_events()
    broken: Any = _Broken(world.ports.ledger, method, Transient("the store is busy", 10.0))
    ports = msgspec.structs.replace(world.ports, ledger=broken)
    await loop.govern(manual(world), ports, world.rules)
    await world.quiet()
    assert world.all_attached(["spoke-1"])
    written = {ids.key(path.partition(" ")[2]) for path in world.writes()}
    assert written <= {ids.key(o.step.target) for o in outcomes(await world.records())}


# ---- others ---------------------------------------------------------------------------------------------------------


async def test_somebody_else_who_writes_right_after_us_is_waited_for(tmp_path: Path) -> None:
    world = await repaired(tmp_path)
    world.clock.advance(3600)
    take_off(world, subnet("spoke-1", "app"))
    other: list[datetime] = []

    async def takes_it_off_again() -> None:
        if not other:
            await world.clock.sleep(5.0)
            take_off(world, subnet("spoke-1", "app"))
            other.append(world.clock.now())

    world.after_write = takes_it_off_again
    await world.quiet()
    assert world.all_attached(["spoke-1"])
    last = max(o.started for o in outcomes(await world.records()) if o.started)
    assert (last - other[0]).total_seconds() >= SETTLE


async def test_somebody_else_who_writes_while_we_are_at_it_is_not_met_again(tmp_path: Path) -> None:
    world = World(tmp_path, durations={"microsoft.network/virtualnetworks/subnets": 4.0})
    world.put_now(vnet("spoke-1"), vnet_body(*((f"s{i}", f"10.0.{i}.0/24") for i in range(6))))
    other: list[datetime] = []

    async def adds_a_subnet() -> None:
        if not other and "/subnets/" in world.writes()[-1]:
            await world.clock.sleep(1.0)
            world.put_now(subnet("spoke-1", "late"), {"properties": {"addressPrefix": "10.0.9.0/24"}})
            other.append(world.clock.now())
            await world.clock.sleep(3.0)

    world.after_write = adds_a_subnet
    await world.quiet()
    assert world.all_attached(["spoke-1"])
    begun = sorted(o.started for o in outcomes(await world.records()) if o.started and o.became is Became.DONE)
    soon = [at for at in begun if timedelta(seconds=10) < at - other[0] < timedelta(seconds=SETTLE)]
    assert soon == []


async def test_whoever_writes_after_a_process_died_is_waited_for(tmp_path: Path) -> None:
    world = await repaired(tmp_path)
    world.clock.advance(3600)
    take_off(world, subnet("spoke-1", "app"))
    world.arm.take_events()
    world.clock.advance(3600)
    await world.govern_and_die(manual(world), Until(f"before PUT {subnet('spoke-1', 'app')}"))
    world.queue.clear()
    world.clock.advance(3000)
    take_off(world, subnet("spoke-1", "app"))
    body = world.get(subnet("spoke-1", "app"))
    body["properties"]["serviceEndpoints"] = [{"service": "Microsoft.Storage"}]
    world.put_now(subnet("spoke-1", "app"), body)
    at = world.clock.now()
    await world.quiet()
    assert world.all_attached(["spoke-1"])
    last = max(o.started for o in outcomes(await world.records()) if o.started and o.became is Became.DONE)
    assert (last - at).total_seconds() >= SETTLE


# ---- time -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ahead", "runs"), [(9.9, 0), (10.0, 1), (30.0, 1)])
async def test_clocks_that_differ_at_the_border_of_absorption(tmp_path: Path, ahead: float, runs: int) -> None:
    world = await repaired(tmp_path)
    world.clock.advance(600)
    await world.govern_once(vnet("spoke-1"))
    event = copy.deepcopy(world.payloads_for(vnet("spoke-1"))[0])
    at = world.clock.now() - timedelta(seconds=20) + timedelta(seconds=ahead)
    event["eventTime"] = at.isoformat().replace("+00:00", "Z")
    before = world.observations()
    world.receive(event)
    await world.quiet()
    assert world.observations() == before + runs


async def test_an_approval_that_runs_out_while_the_network_settles_releases_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, nat_policy(approvals=Approvals(expire_hours=1)))
    world.put_now(vnet("spoke-1"), vnet_body(("vms", "10.0.1.0/24")))
    machine(world, "web", subnet("spoke-1", "vms"))
    await world.quiet()
    (offer,) = [o for o in await world.ports.ledger.offered() if o.withheld.remediation.requirements]
    for _ in range(40):  # somebody keeps writing the network, more often than it takes to settle
        world.put_now(subnet("spoke-1", "s"), {"properties": {"addressPrefix": "10.0.2.0/24", "serviceEndpoints": []}})
        if _ == 0:
            digest = offer.withheld.remediation.digest
            await decisions.rule(digest, Ruling.APPROVE, ("ann", ""), world.ports, world.rules.policies)
        await world.quiet_after(100)
    await world.quiet()
    assert world.attached("spoke-1")["vms"] is None


async def test_a_lease_is_held_while_a_long_operation_is_polled(tmp_path: Path) -> None:
    world = World(tmp_path, durations={"microsoft.network/natgateways": 280.0}, retry_after={"poll": 100})
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    event = world.payloads_for(vnet("spoke-1"))
    await world.quiet_after(200)
    for _ in range(8):
        event = world.payloads_for(vnet("spoke-1"))
        world.receive(event[0])
        await world.quiet_after(40)
    await world.quiet()
    assert world.all_attached(["spoke-1"])
    assert not [o for o in outcomes(await world.records()) if o.became is Became.INTERRUPTED]
    assert len([path for path in world.writes() if "/natGateways/" in path]) == 1


async def test_whoever_waits_for_a_run_that_died_waits_no_longer_than_for_its_lease(tmp_path: Path) -> None:
    world = World(tmp_path)
    ledger = world.ports.ledger
    assert isinstance(await ledger.claim(manual(world), VirtualNetwork(vnet("spoke-1")), "dead"), Held)
    world.clock.advance(30)
    began = world.clock.now()
    for attempt, seconds in ((0, 5), (1, 15), (3, 90), (9, 90)):
        await loop.govern(msgspec.structs.replace(manual(world), attempt=attempt), world.ports, world.rules)
        due, *_ = world.queue.pop()
        assert due - began == timedelta(seconds=seconds)


async def test_what_is_given_up_after_a_day_leaves_a_record(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    busy = {"error": {"code": "ServiceUnavailable", "message": "busy"}}
    world.arm.faults.append(Fault(method="GET", path="/virtualNetworks/", status=503, body=busy, count=None))
    await world.quiet()
    (record,) = [r for r in await world.records() if r.note.startswith("given up")]
    assert "waited for a day: ServiceUnavailable: busy" in record.note
    assert world.writes() == []


# ---- names ----------------------------------------------------------------------------------------------------------


async def test_a_network_that_is_made_again_under_its_name_is_another_network(tmp_path: Path) -> None:
    world = await repaired(tmp_path, "app", "db")
    assert world.ask("DELETE", vnet("spoke-1")).status == 202
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.7.0/24")))
    at = world.clock.now()
    await world.quiet()
    assert world.all_attached(["spoke-1"])
    assert {v.resource for v in await world.ports.ledger.verdicts()} == {subnet("spoke-1", "app")}
    last = max(o.started for o in outcomes(await world.records()) if o.started)
    assert (last - at).total_seconds() >= SETTLE
    assert len(world.exported("natGateways", "publicIPAddresses")) == 2


async def test_a_name_in_other_letters_is_the_same_subnet(tmp_path: Path) -> None:
    world = await repaired(tmp_path)
    written = len(world.writes())
    body = world.get(subnet("spoke-1", "app"))
    world.put_now(subnet("SPOKE-1", "APP"), {"name": "APP", "properties": body["properties"]})
    await world.quiet()
    await world.govern_once(vnet("Spoke-1"))
    await world.quiet()
    assert len(world.writes()) == written
    assert len({ids.key(v.resource) for v in await world.ports.ledger.verdicts()}) == 1
    assert len(list(await world.ports.ledger.verdicts())) == 2


async def test_huge_tags_do_not_reach_records_or_messages(tmp_path: Path) -> None:
    world = World(tmp_path)
    tags = {f"tag-{number:03d}": "x" * 256 for number in range(50)}
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24"), **tags))
    await world.quiet()
    assert world.all_attached(["spoke-1"])
    assert all(len(msgspec.json.encode(record)) < 8 * 1024 for record in await world.records())


async def test_three_thousand_subnets_are_worked_off_in_parts(tmp_path: Path) -> None:
    world = World(tmp_path)
    prefixes = [(f"s{n}", f"10.{n // 256}.{n % 256}.0/26") for n in range(3000)]
    world.put_now(vnet("spoke-1"), vnet_body(*prefixes, space="10.0.0.0/8"))
    world.clock.advance(600)
    world.arm.take_events()
    await world.govern_once(vnet("spoke-1"))
    attached = [name for name, on in world.attached("spoke-1").items() if on]
    assert len(attached) == Limits().percent_of_subscription.first_free
    (record,) = await world.records()
    assert len(msgspec.json.encode(record)) <= 32 * 1024
    assert len([o for o in record.outcomes if o.became is Became.DONE]) == 10 + 3


async def test_a_gateway_that_is_deleted_between_the_read_and_the_write_is_made_again(tmp_path: Path) -> None:
    world = await repaired(tmp_path)
    world.clock.advance(600)
    take_off(world, subnet("spoke-1", "app"))
    gone: list[int] = []

    def deletes_it(moment: Moment, request: Request, _: Response | None) -> None:
        if moment == "before" and request.method == "PUT" and not gone:
            gone.append(world.ask("DELETE", gateway("spoke-1")).status)

    world.transport.hooks.append(deletes_it)
    await world.quiet()
    assert gone == [202]
    assert Became.FAILED in {o.became for o in outcomes(await world.records())}
    await world.govern_once(vnet("spoke-1"))
    await world.quiet()
    assert world.all_attached(["spoke-1"])
    assert len(world.exported("natGateways", "publicIPAddresses")) == 2


async def test_two_sets_of_policies_at_once_end_where_the_newest_says(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24"), ("db", "10.0.2.0/24")))
    newer = Rules(Policies(policies=(nat_policy(name="newer", limits=Limits(remediations_per_run=1)),)), Mode.ENFORCE)

    async def swaps() -> None:
        world.rules = newer

    world.after_write = swaps
    await world.quiet()
    await world.govern_once(vnet("spoke-1"))
    await world.quiet()
    assert world.all_attached(["spoke-1"])
    assert {v.policy for v in await world.ports.ledger.verdicts()} == {"newer"}
    subnets = [path for path in world.writes() if "/subnets/" in path]
    assert len(subnets) == len(set(subnets)) == 2


async def test_whoever_held_an_object_outside_and_died_is_outlasted(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    world.put_now(vnet("spoke-2"), vnet_body(("app", "10.1.1.0/24"), space="10.1.0.0/16"))
    world.clock.advance(600)
    world.arm.take_events()
    await world.govern_and_die(manual(world), Until("after ledger.lease"))
    world.queue.clear()
    await world.govern_once(vnet("spoke-2"))
    await world.quiet()
    assert world.all_attached(["spoke-2"])
    waited = {o.detail for o in outcomes(await world.records()) if o.became is Became.PENDING}
    assert waited == {"another run is writing it"}


async def test_looking_again_and_again_leaves_nothing_behind(tmp_path: Path) -> None:
    world = await repaired(tmp_path)
    sizes: list[int] = []
    for _ in range(2):
        for _ in range(80):
            await world.govern_once(vnet("spoke-1"))
        with sqlite3.connect(tmp_path / "ledger.db") as store:
            tables = [row[0] for row in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            sizes.append(sum(store.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables))
        store.close()
    assert sizes[0] == sizes[1]
