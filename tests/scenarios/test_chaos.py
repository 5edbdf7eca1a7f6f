"""Everything at once, from seeds: events that come twice, late or never, faults, other people, processes that die.

Whatever happened, what the design promises holds when it is quiet again.
"""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from governor import decisions, loop, messages
from governor.core import ids
from governor.core.cause import Cause, Source
from governor.core.policy import Limits, Mode, Policies, Policy
from governor.core.record import Became, Record
from governor.core.standing import Ruling
from governor.core.step import WriteSubnet
from governor.core.verdict import Result
from governor.loop import Rules
from simulator.arm import Fault
from simulator.wire import Request, Response
from tests.scenarios.world import NETWORK_API, REGION, SUB, World, nat_policy, network, subnet, vnet
from tests.support.life import Killed, Life
from tests.support.transport import Moment

SEEDS: Final = 40
SETTLE: Final = 120.0
VNETS: Final = ("spoke-1", "spoke-2", "spoke-3")
NSG: Final = network("networkSecurityGroups/nsg")
CLUSTER: Final = f"/subscriptions/{SUB}/resourceGroups/rg-net/providers/Microsoft.ContainerService/managedClusters/k1"
# Somebody who moves in while a plan is being carried out is not seen by it: a step lasts for five minutes at most.
_OF_A_PLAN: Final = 400.0


class Attach(msgspec.Struct, frozen=True):
    """A subnet that a run of the governor has written, and since when somebody had lived in it."""

    at: datetime
    run: str
    path: str
    occupied_since: datetime | None
    changes: bool


def _attached(properties: dict[str, Any]) -> list[str]:
    return [ids.key((properties.get(member) or {}).get("id", "")) for member in ("natGateway", "routeTable")]


class Chaos(World):
    """A World in which little goes well. wanted: the policies in peace. slow: what takes Azure a while."""

    wanted: Policies = Policies((nat_policy(),))
    slow: tuple[str, ...] = tuple(
        f"microsoft.network/{kind}"
        for kind in ("virtualnetworks", "virtualnetworks/subnets", "natgateways", "publicipaddresses")
    )

    def __init__(self, folder: Path, seed: int) -> None:
        dice = random.Random(seed)
        slow = dice.choice((0.0, 3.0, 12.0, 70.0))
        super().__init__(
            folder,
            seed=seed,
            latency=(0.01, 0.5),
            deadline=dice.choice((40.0, 300.0)),
            durations=dict.fromkeys(self.slow, slow),
            busy=dice.choice(("conflict", "retryable", "async")),
        )
        self.rules = Rules(self.wanted, Mode.ENFORCE)
        self.chance = dice
        self.calm = False
        self.never: set[str] = set()
        self.attaches: list[Attach] = []
        self.others: list[tuple[datetime, str, str]] = []
        self.heard: dict[tuple[str, str], datetime] = {}
        self.guarded: set[str] = set()
        self.moved_in: dict[str, datetime] = {}
        self.approved: set[str] = set()
        self.late: list[tuple[datetime, bytes]] = []

    # ---- what the governor does, watched --------------------------------------------------------------------------

    def process(self, life: Life | None = None) -> Any:
        ports, transport = super().process(life)
        transport.hooks.append(self._watch)
        return ports, transport

    def _watch(self, moment: Moment, request: Request, response: Response | None) -> None:
        if moment == "before" and request.method == "PUT" and "/subnets/" in request.path:
            found = self.ask("GET", request.path)
            now = msgspec.json.decode(found.body) if found.status == 200 else {"properties": {}}
            wanted = msgspec.json.decode(request.body)
            here, there = (_attached(body["properties"]) for body in (now, wanted))
            run = request.headers["x-ms-correlation-request-id"]
            since = self.moved_in.get(ids.key(request.path)) if now["properties"].get("ipConfigurations") else None
            self.attaches.append(Attach(self.clock.now(), run, ids.key(request.path), since, here != there))

    async def _govern(self, raw: bytes) -> None:
        cause = messages.decode(raw)
        assert isinstance(cause, Cause), cause
        self.runs += 1
        if self.calm or self.chance.random() > 0.15:
            self.heard.setdefault((ids.key(cause.subject or ""), cause.correlation_id or ""), self.clock.now())
            await loop.govern(cause, self.ports, self.rules)
            return
        ports, _ = self.process(Life(dies_at=self.chance.randint(0, 90)))
        try:
            await loop.govern(cause, ports, self.rules)
        except Killed:
            self._enqueue(raw, self.chance.choice((30.0, 600.0)))

    def _deliver(self) -> None:
        for delivery in self.arm.take_events():
            for event in msgspec.json.decode(delivery.body):
                if self.calm:
                    self.receive(event)
                elif (luck := self.chance.random()) > 0.1:  # the others are lost for good
                    self.receive(event)
                    for _ in range(int(luck * 10) % 3 if luck > 0.7 else 0):
                        self._later(event)
                elif luck > 0.05:
                    self._later(event)

    def _later(self, event: dict[str, Any]) -> None:
        delay = timedelta(seconds=self.chance.uniform(1.0, 400.0))
        self.late.append((self.clock.now() + delay, msgspec.json.encode(event)))

    def deliver_late(self) -> None:
        """Copies of events, and events that were held up, arrive when their time has come."""
        due = [pair for pair in self.late if pair[0] <= self.clock.now()]
        for pair in due:
            self.late.remove(pair)
            self.receive(msgspec.json.decode(pair[1]))

    # ---- what others do -------------------------------------------------------------------------------------------

    def ask(self, method: str, path: str, body: object = None, version: str = NETWORK_API, **headers: str) -> Response:
        """Somebody else asks; what strikes the governor does not strike him."""
        faults, self.arm.faults = self.arm.faults, []
        try:
            return super().ask(method, path, body, version, **headers)
        finally:
            self.arm.faults = faults

    def does(self, method: str, path: str, body: object = None, version: str = NETWORK_API) -> bool:
        """Somebody else asks for something; whether it was taken."""
        mark = f"00000000-0000-4000-8000-{len(self.others):012d}"
        answer = self.ask(method, path, body, version, **{"x-ms-correlation-request-id": mark})
        taken = answer.status in (200, 201, 202)
        if taken and "/virtualNetworks/" in path:
            self.others.append((self.clock.now(), ids.key(path), mark))
        return taken

    def some(self, free: bool = True) -> str | None:
        """Any subnet that is there and may be governed."""
        found = [
            s["id"]
            for name in VNETS
            if self.exists(vnet(name))
            for s in self.get(vnet(name))["properties"].get("subnets") or ()
            if ids.key(s["id"]) not in self.never or not free
        ]
        return self.chance.choice(found) if found else None

    def adds_a_subnet(self) -> None:
        number = self.chance.randint(20, 90)
        path = subnet(name := self.chance.choice(VNETS), f"s{number}")
        third = VNETS.index(name) + 1
        if self.does("PUT", path, {"properties": {"addressPrefix": f"10.{third}.{number}.0/24"}}):
            self.guarded.discard(ids.key(path))

    def changes(self, change: Callable[[dict[str, Any]], None]) -> str | None:
        path = self.some()
        found = None if path is None else self.ask("GET", path)
        if path is None or found is None or found.status != 200:
            return None
        body = msgspec.json.decode(found.body)
        change(body["properties"])
        return path if self.does("PUT", path, body) else None

    def guards_a_subnet(self) -> None:
        path = self.changes(lambda properties: properties.update(networkSecurityGroup={"id": NSG}))
        # A busy network may accept a write and fail it later.
        if path is not None and self.get(path)["properties"].get("networkSecurityGroup"):
            self.guarded.add(ids.key(path))

    def takes_a_gateway_off(self) -> None:
        self.changes(lambda properties: properties.pop("natGateway", None))

    def puts_a_gateway_of_his_own_on(self) -> None:
        name = self.chance.choice(VNETS)
        address, theirs = network(f"publicIPAddresses/theirs-{name}"), network(f"natGateways/theirs-{name}")
        sku = {"name": "Standard"}
        static = {"publicIPAllocationMethod": "Static"}
        self.does("PUT", address, {"location": REGION, "sku": sku, "properties": static})
        body = {"location": REGION, "sku": sku, "properties": {"publicIpAddresses": [{"id": address}]}}
        if self.does("PUT", theirs, body):
            self.changes(lambda properties: properties.update(natGateway={"id": theirs}))

    def deletes_a_subnet(self) -> None:
        if (path := self.some()) is not None and self.does("DELETE", path):
            self.guarded.discard(ids.key(path))

    def deletes_a_network(self) -> None:
        name = self.chance.choice(VNETS)
        if self.exists(vnet(name)) and self.does("DELETE", vnet(name)):
            self.guarded = {path for path in self.guarded if not path.startswith(ids.key(vnet(name)) + "/")}

    def moves_in(self) -> None:
        if (path := self.some()) is None:
            return
        number = len(self.moved_in)
        nic = network(f"networkInterfaces/nic-{number}")
        place = [{"name": "c", "properties": {"subnet": {"id": path}}}]
        if self.does("PUT", nic, {"location": REGION, "properties": {"ipConfigurations": place}}):
            self.moved_in.setdefault(ids.key(path), self.clock.now())

    def strikes(self) -> None:
        """Azure has a bad moment."""
        method = self.chance.choice(("PUT", "PUT", "GET"))
        path = self.chance.choice(("/subnets/", "/natGateways/", "/publicIPAddresses/", "/virtualNetworks/"))
        kind: dict[str, Any] = self.chance.choice(
            (
                {"status": 429, "retry_after": self.chance.choice((1, 17, 400))},
                {"status": 429, "code": "TooManyRequests"},
                {"status": 409, "code": "AnotherOperationInProgress"},
                {"status": 500},
                {"status": 503, "code": "ServiceUnavailable"},
                {"drop": "before"},
                {"drop": "after"},
                {"later": True},
            )
        )
        if kind.get("later"):
            method = "PUT"
        self.arm.faults.append(Fault(method=method, path=path, count=self.chance.randint(1, 4), **kind))

    async def decides(self) -> None:
        """Somebody approves, rejects, pauses, resumes or takes back."""
        who = ("ann", "she says so")
        offers = [o for o in await self.ports.ledger.offered() if o.withheld.remediation.steps]
        what = self.chance.choice(("approve", "approve", "reject", "pause", "resume", "undo"))
        if what in ("approve", "reject") and offers:
            remediation = self.chance.choice(offers).withheld.remediation
            await decisions.rule(remediation.digest, Ruling(what), who, self.ports, self.rules.policies)
            if what == "approve":
                self.approved.add(ids.key(remediation.resource))
        elif what == "pause":
            await decisions.pause(who, self.ports)
        elif what == "resume":
            await decisions.resume(who, self.ports)
        elif what == "undo":
            await self.takes_back()

    async def takes_back(self) -> None:
        done = [r for r in await self.records() if any(o.became is Became.DONE for o in r.outcomes)]
        if done:
            record = self.chance.choice(done)
            try:
                await decisions.undo(record.id, 1, ("bob", ""), self.ports)
            except decisions.DecisionError:
                return
            self.approved.update(ids.key(o.step.target) for o in record.outcomes)

    def changes_the_policies(self) -> None:
        other: tuple[Policy, ...] = (
            nat_policy(),
            nat_policy(limits=Limits(remediations_per_run=1)),
            nat_policy(mode=Mode.AUDIT),
        )
        self.rules = Rules(Policies(policies=(self.chance.choice(other),)), Mode.ENFORCE)

    def settles_what_failed(self) -> None:
        """In the end somebody writes again what Azure left Failed, and moves out what is of no use."""
        for body in self.arm.export():
            if str((body.get("properties") or {}).get("provisioningState", "")) == "Failed":
                found = self.ask("GET", body["id"])
                self.ask("PUT", body["id"], msgspec.json.decode(found.body))
            for inner in (body.get("properties") or {}).get("subnets") or ():
                if (inner.get("properties") or {}).get("provisioningState") == "Failed":
                    self.ask("PUT", inner["id"], self.get(inner["id"]))


async def begun(tmp_path: Path, seed: int) -> Chaos:
    world = Chaos(tmp_path, seed)
    world.put_now(NSG, {"location": REGION, "properties": {}})
    pools = [{"name": "pool", "count": 0, "vnetSubnetID": subnet("spoke-1", "aks")}]
    # It is there before the networks, which Azure does not allow: nobody can come in between.
    # It is stopped, so it is never changed, whoever approves that, and neither is its subnet.
    stopped = {"agentPoolProfiles": pools, "powerState": {"code": "Stopped"}}
    world.arm.load([{"id": CLUSTER, "location": REGION, "properties": stopped}])
    for third, name in enumerate(VNETS, 1):
        special = [("GatewaySubnet", 200)] if third == 2 else [("aks", 201), ("web", 202)] if third == 1 else []
        subnets: list[dict[str, Any]] = [
            {"name": n, "properties": {"addressPrefix": f"10.{third}.{i}.0/24"}}
            for n, i in [*((f"s{i}", i) for i in range(world.chance.randint(1, 3))), *special]
        ]
        if third == 1:
            web = {"name": "web", "properties": {"serviceName": "Microsoft.Web/serverFarms"}}
            subnets[-1]["properties"]["delegations"] = [web]
        world.never.update(ids.key(subnet(name, n)) for n, _ in special)
        space = {"addressPrefixes": [f"10.{third}.0.0/16"]}
        world.does("PUT", vnet(name), {"location": REGION, "properties": {"addressSpace": space, "subnets": subnets}})
    return world


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_whatever_happens_what_was_promised_holds(tmp_path: Path, seed: int) -> None:
    world = await begun(tmp_path, seed)
    others: list[Callable[[], None]] = [
        world.adds_a_subnet,
        world.adds_a_subnet,
        world.guards_a_subnet,
        world.takes_a_gateway_off,
        world.puts_a_gateway_of_his_own_on,
        world.deletes_a_subnet,
        world.deletes_a_network,
        world.moves_in,
        world.strikes,
        world.strikes,
        world.changes_the_policies,
    ]
    for _ in range(24):
        await world.quiet_after(world.chance.choice((2.0, 20.0, 100.0, 150.0, 200.0)))
        world.deliver_late()
        if world.chance.random() < 0.2:
            await world.decides()
        else:
            world.chance.choice(others)()
    await in_peace(world)
    await holds(world)


async def in_peace(world: Chaos) -> None:
    """Nothing bad happens any more, and a person asks for a look at every network."""
    world.calm = True
    world.arm.faults.clear()
    world.rules = Rules(world.wanted, Mode.ENFORCE)
    await world.quiet_after(400.0)
    world.settles_what_failed()
    await world.quiet_after(100.0)
    world.settles_what_failed()
    world.deliver_late()
    world.clock.advance(1)
    await decisions.resume(("ann", "over"), world.ports)
    for name in VNETS:
        await world.put(Cause(source=Source.MANUAL, time=world.clock.now(), subject=vnet(name)))
    await world.quiet()


async def holds(world: Chaos) -> None:
    records = await world.records()
    assert world.runs < 600
    assert sum(len(t.requests) for t in world.transports) < 6000
    assert all(v.wrong is None for v in [v async for v in world.ports.ledger.verify()])
    await every_subnet_is_governed_or_told_why(world)
    nothing_of_others_is_lost(world)
    nobody_was_met(world, records)
    assert {attach.path for attach in world.attaches}.isdisjoint(world.never)
    one_gateway_and_address_for_each(world)
    nobody_who_lives_there_was_moved(world)
    written = {ids.key(path.partition(" ")[2]) for path in world.writes_of_all()}
    assert written <= {ids.key(o.step.target) for r in records for o in r.outcomes}
    one_run_at_a_time(world)


async def every_subnet_is_governed_or_told_why(world: Chaos) -> None:
    verdicts = {(ids.key(v.resource), v.requirement): v for v in await world.ports.ledger.verdicts()}
    offered = {ids.key(o.withheld.remediation.resource): o.withheld for o in await world.ports.ledger.offered()}
    for name in VNETS:
        if not world.exists(vnet(name)):
            assert not [key for key, _ in verdicts if key.startswith(ids.key(vnet(name)) + "/")]
            continue
        for one in world.get(vnet(name))["properties"]["subnets"]:
            key = ids.key(one["id"])
            verdict = verdicts[key, "subnet-egress"]
            if verdict.result is Result.VIOLATION:
                told = offered.get(key) or offered[ids.key(CLUSTER)]  # a subnet of a cluster changes with it
                assert told.reasons, verdict
                assert all(reason.text for reason in told.reasons)
            elif verdict.result is Result.COMPLIANT:
                assert one["properties"].get("natGateway"), verdict
            else:
                assert verdict.seen, verdict


def nothing_of_others_is_lost(world: Chaos) -> None:
    for path in world.guarded:
        if (found := world.ask("GET", path)).status == 200:
            kept = msgspec.json.decode(found.body)["properties"].get("networkSecurityGroup")
            assert kept, path
            assert ids.same(kept["id"], NSG)


def nobody_was_met(world: Chaos, records: list[Record]) -> None:
    """No step begins within the settle time of somebody else's write that was heard of before it began."""
    for outcome in (o for r in records for o in r.outcomes if isinstance(o.step, WriteSubnet)):
        if outcome.became in (Became.UNCHANGED, Became.STALE) or outcome.started is None:
            continue
        of = ids.key(ids.parent(outcome.step.target))
        for at, path, mark in world.others:
            heard = world.heard.get((path, mark))
            if heard is None or not (path + "/").startswith(of + "/") or heard + timedelta(seconds=3) > outcome.started:
                continue
            assert not at < outcome.started < at + timedelta(seconds=SETTLE), (outcome, path, at, heard)


def one_gateway_and_address_for_each(world: Chaos) -> None:
    made = [path for path in world.exported("natGateways", "publicIPAddresses") if "/rg-egress-" in path]
    names = sorted(ids.name(path) for path in made)
    assert set(names) <= {f"{kind}{name}{end}" for name in VNETS for kind, end in (("ng-", ""), ("pip-ng-", "-1"))}


def nobody_who_lives_there_was_moved(world: Chaos) -> None:
    for attach in world.attaches:
        if attach.occupied_since is None or not attach.changes or attach.path in world.approved:
            continue
        assert (attach.at - attach.occupied_since).total_seconds() < _OF_A_PLAN, attach


def one_run_at_a_time(world: Chaos) -> None:
    """In a network the writes of a run are not interleaved with another's."""
    for name in VNETS:
        runs = [a.run for a in world.attaches if a.path.startswith(ids.key(vnet(name)) + "/")]
        blocks = [run for number, run in enumerate(runs) if number == 0 or runs[number - 1] != run]
        assert len(blocks) == len(set(blocks)), name
