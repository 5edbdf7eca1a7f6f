"""A small Azure with governors in it, on one clock and without sockets: what a scenario is told with.

world = World(tmp_path)
await world.put(vnet("spoke-1"), {...})      # somebody writes; events go out as Azure sends them
await world.quiet()                          # events are delivered, Causes governed, until nothing is left to do
"""

import asyncio
import heapq
import itertools
import random
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

import azure.functions as func
import msgspec
from azure.functions.eventgrid import EventGridEventInConverter
from azure.functions.meta import Datum
from msgspec.structs import replace

from functions.resource_changed import received
from governor import loop, messages
from governor.cloud.arm import TUNING
from governor.cloud.azure import connect
from governor.cloud.topic import Topic
from governor.core.cause import CAUSES, SURVEYS, Cause, Source, Survey
from governor.core.policy import Egress, Mode, NatGatewayPolicy, Policies, Policy, Select
from governor.core.record import Outcome, Record
from governor.local.ledger import SqliteLedger
from governor.loop import Rules
from governor.ports import Applied, Ledger, Ports, Run
from governor.survey import Surveyed, survey, sweep
from simulator.arm import Arm
from simulator.wire import Request, Response
from tests.support.clock import FakeClock
from tests.support.life import Killed, Life, mortal
from tests.support.roles import Roles
from tests.support.transport import InProcessTransport

SUB: Final = "00000000-0000-0000-0000-00000000000a"
GROUP: Final = f"/subscriptions/{SUB}/resourceGroups/rg-net"
NETWORK_API: Final = "2025-05-01"
GOVERN_AT_ONCE: Final = 8
REGION: Final = "westeurope"
TOPIC: Final = "http://127.0.0.1:8443/topics/notices/api/events"

# Every ledger that a World has opened; a fixture closes them when the story is over, dead processes' included.
OPEN: Final[list[SqliteLedger]] = []


def network(name: str) -> str:
    return f"{GROUP}/providers/Microsoft.Network/{name}"


def vnet(name: str) -> str:
    return network(f"virtualNetworks/{name}")


def subnet(vnet_name: str, name: str) -> str:
    return f"{vnet(vnet_name)}/subnets/{name}"


def egress_group() -> str:
    return f"/subscriptions/{SUB}/resourceGroups/rg-egress-{REGION}"


def gateway(vnet_name: str) -> str:
    return f"{egress_group()}/providers/Microsoft.Network/natGateways/ng-{vnet_name}"


def vnet_body(*prefixes: tuple[str, str], space: str = "10.0.0.0/16", **tags: str) -> dict[str, Any]:
    """Names and prefixes of subnets in, the body of a VNet with them inline out."""
    subnets = [{"name": name, "properties": {"addressPrefix": prefix}} for name, prefix in prefixes]
    return {
        "location": REGION,
        "tags": tags,
        "properties": {"addressSpace": {"addressPrefixes": [space]}, "subnets": subnets},
    }


def nat_policy(**changes: Any) -> Policy:
    """The policy most scenarios need: NAT gateway per VNet, enforced for what is new."""
    wanted: dict[str, Any] = {
        "name": "nat-per-vnet",
        "mode": Mode.ENFORCE,
        "select": Select(virtual_networks=("spoke-*",)),
        "egress": Egress(nat_gateway=NatGatewayPolicy()),
    }
    return Policy(**{**wanted, **changes})


class World:
    """Azure, its events, a queue, and the governor's runs over them.

    seed: shuffles who goes first wherever two may. latency: seconds a request takes, drawn from this range.
    told: there is a custom topic that notices go to (`world.notices()`); without it they wait in the ledger.
    limited: the governor is a principal of its own, which may do what `roles` gives it: everything, to begin with.
    """

    def __init__(
        self,
        folder: Path,
        *policies: Policy,
        seed: int | None = None,
        latency: tuple[float, float] = (0.0, 0.0),
        ceiling: Mode = Mode.ENFORCE,
        deadline: float = 300.0,
        limited: bool = False,
        told: bool = False,
        **arm: Any,
    ) -> None:
        self.clock = FakeClock()
        self.folder = folder
        self.dice = random.Random(seed)
        self.rules = Rules(Policies(policies=policies or (nat_policy(),)), ceiling)
        self.deadline, self._told = deadline, told
        self._seed, self._latency, self._turns, self._limited = seed, latency, 0 if seed is None else 4, limited
        self.arm = Arm(self.clock, throttle="off", roles="assigned" if limited else "open", **arm)
        self.roles = Roles(self.arm)
        if limited:
            self.roles.give("", "*")
        self.arm.load([{"id": f"/subscriptions/{SUB}", "type": "Microsoft.Resources/subscriptions"}])
        self.queue: list[tuple[datetime, int, str, bytes]] = []
        self.after_write: Callable[[], Awaitable[None]] | None = None
        self.runs = 0
        self.surveys: list[Surveyed] = []
        self.deaf = False  # no event arrives any more
        self._numbers = itertools.count()
        self._running: set[asyncio.Task[None]] = set()
        self.transports: list[InProcessTransport] = []
        self.ports, self.transport = self.process()
        self.put_now(f"/subscriptions/{SUB}/resourceGroups/rg-net", {"location": REGION}, "2024-11-01")
        self.put_now(
            f"/subscriptions/{SUB}/providers/Microsoft.EventGrid/eventSubscriptions/governor",
            {
                "properties": {
                    "destination": {
                        "endpointType": "WebHook",
                        "properties": {"endpointUrl": "http://127.0.0.1:7071/runtime/webhooks/eventgrid"},
                    },
                    "eventDeliverySchema": "EventGridSchema",
                }
            },
            "2025-02-15",
        )

    # ---- processes ------------------------------------------------------------------------------------------------

    def process(self, life: Life | None = None) -> tuple[Ports, InProcessTransport]:
        """A governor's process in: its ports, on the common ledger and queue; `life` kills it at a point."""
        alive = life or Life()
        transport = InProcessTransport(
            self.arm,
            clock=self.clock,
            seed=self._seed,
            turns=self._turns,
            latency=self._latency,
            life=alive,
            token=self.roles.token if self._limited else "",
        )
        self.transports.append(transport)
        tuning = replace(TUNING, seed=self._seed)
        cloud = connect(self.clock, arm_endpoint="http://127.0.0.1:8443", transport=transport, tuning=tuning)
        cloud = type(cloud)(cloud.arm, deadline=self.deadline)
        ledger = SqliteLedger(self.folder / "ledger.db", self.clock)
        OPEN.append(ledger)
        watched = _Watched(ledger, self)
        return (
            Ports(
                cloud=mortal(cloud, alive, "cloud"),
                ledger=mortal(cast("Ledger", watched), alive, "ledger"),
                inbox=mortal(self, alive, "inbox"),
                clock=mortal(self.clock, alive, "clock") if life else self.clock,
                notices=mortal(Topic(TOPIC, transport=transport), alive, "notices") if self._told else None,
            ),
            transport,
        )

    # ---- the queue, as ports.Inbox --------------------------------------------------------------------------------

    async def put(self, message: Cause | Survey, after: float = 0.0) -> None:
        queue = SURVEYS if isinstance(message, Survey) else CAUSES
        self._enqueue(messages.encode(message), after, queue)

    async def put_back(self, raw: bytes, after: float, queue: str = CAUSES) -> None:
        self._enqueue(raw, after, queue)

    def _enqueue(self, raw: bytes, after: float, queue: str = CAUSES) -> None:
        due = self.clock.now() + timedelta(seconds=after)
        heapq.heappush(self.queue, (due, next(self._numbers), queue, raw))

    async def close(self) -> None:
        await self.ports.cloud.close()

    # ---- somebody else --------------------------------------------------------------------------------------------

    def ask(self, method: str, path: str, body: object = None, version: str = NETWORK_API, **headers: str) -> Response:
        """A request of somebody else in, Azure's answer out."""
        raw = b"" if body is None else msgspec.json.encode(body)
        given = {"Authorization": "Bearer simulator", "Host": "127.0.0.1:8443", **headers}
        return self.arm.handle(Request(method, f"{path}?api-version={version}", given, raw))

    def put_now(self, path: str, body: object, version: str = NETWORK_API) -> Any:
        """Somebody writes a resource; it must be accepted."""
        answer = self.ask("PUT", path, body, version)
        assert answer.status in (200, 201), answer.body
        return msgspec.json.decode(answer.body)

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.status == 200, answer.body
        return msgspec.json.decode(answer.body)

    def exists(self, path: str) -> bool:
        return self.ask("GET", path).status == 200

    # ---- time goes on ---------------------------------------------------------------------------------------------

    async def quiet(self, within: timedelta = timedelta(days=2)) -> None:
        """Delivers and governs until nothing is left to do; fails when that takes too long."""
        until = self.clock.now() + within
        while self.clock.now() < until:
            self._deliver()
            await self._begin_due()
            await self.clock.idle()
            self._reap()
            if self._has_work_now():
                continue
            later = self._next()
            if later is None and not self._running:
                return
            if later is not None and not self._running:
                self.clock.advance(max(0.0, (later - self.clock.now()).total_seconds()))
            else:
                await self.clock.sleep(0.2)
        raise AssertionError(f"still not quiet after {within}: {self.queue}")

    async def quiet_after(self, seconds: float) -> None:
        """Governs while others act, for so long."""
        until = self.clock.now() + timedelta(seconds=seconds)
        while self.clock.now() < until:
            self._deliver()
            await self._begin_due()
            await self.clock.sleep(1.0)
            self._reap()

    def _deliver(self) -> None:
        deliveries = self.arm.take_events()
        if self.deaf:
            return
        self.dice.shuffle(deliveries)
        for delivery in deliveries:
            for event in msgspec.json.decode(delivery.body):
                self.receive(event)

    def receive(self, event: dict[str, Any]) -> None:
        """One Event Grid event in; it takes the way that the function takes."""
        out = received(_as_the_worker_sees(event))
        if out is not None:
            self._enqueue(out.encode(), 0.0)

    async def _begin_due(self) -> None:
        due: list[tuple[str, bytes]] = []
        while self.queue and self.queue[0][0] <= self.clock.now() and len(self._running) + len(due) < GOVERN_AT_ONCE:
            due.append(heapq.heappop(self.queue)[2:])
        self.dice.shuffle(due)
        for queue, raw in due:
            running = self._survey(raw) if queue == SURVEYS else self._govern(raw)
            self._running.add(asyncio.ensure_future(running))

    async def _survey(self, raw: bytes) -> None:
        batch = messages.decode_survey(raw)
        assert isinstance(batch, Survey), batch
        self.surveys.append(await survey(batch, self.ports, self.rules))

    async def _govern(self, raw: bytes) -> None:
        cause = messages.decode(raw)
        assert isinstance(cause, Cause), cause
        self.runs += 1
        await loop.govern(cause, self.ports, self.rules)

    def _reap(self) -> None:
        for task in [t for t in self._running if t.done()]:
            self._running.discard(task)
            task.result()

    def _has_work_now(self) -> bool:
        now = self.clock.now()
        due = bool(self.queue) and self.queue[0][0] <= now and len(self._running) < GOVERN_AT_ONCE
        coming = self.arm.next_due()
        return due or (coming is not None and coming <= now)

    def _next(self) -> datetime | None:
        times = [t for t in (self.queue[0][0] if self.queue else None, self.arm.next_due()) if t is not None]
        return min(times, default=None)

    async def sweep(self, *scopes: str) -> Surveyed:
        """The timer wakes; what it asks for is surveyed and governed until all is quiet. What was found comes out."""
        before = len(self.surveys)
        for batch in await sweep(scopes, self.ports):
            await self.put(batch)
        await self.quiet()
        (found,) = self.surveys[before:]
        return found

    async def govern_once(self, subject: str) -> None:
        """A person asks for one look at a resource; what comes after waits in the queue."""
        await loop.govern(Cause(source=Source.MANUAL, time=self.clock.now(), subject=subject), self.ports, self.rules)

    async def govern_with(self, ports: Ports, cause: Cause) -> None:
        """A Cause governed by another process."""
        await loop.govern(cause, ports, self.rules)

    # ---- one process that dies ------------------------------------------------------------------------------------

    async def govern_and_die(self, cause: Cause, life: Life) -> None:
        """A Cause governed by a process that ends at a point of its Life; the message stays in the queue."""
        ports, _ = self.process(life)
        try:
            await loop.govern(cause, ports, self.rules)
        except Killed:
            # The host shows the message again when nobody has deleted it.
            self._enqueue(messages.encode(cause), 600.0)

    # ---- what came of it ------------------------------------------------------------------------------------------

    async def records(self) -> list[Record]:
        """Every Record, oldest first."""
        page = await self.ports.ledger.records(limit=200)
        return list(reversed(page.records))

    def notices(self) -> list[dict[str, Any]]:
        """What people were told, in order: events as whoever subscribes to the topic gets them."""
        return self.arm.published("notices")

    def writes(self) -> list[str]:
        """What the governor has written, in order."""
        return [f"{r.method} {r.path}" for r in self.transport.requests if r.method in ("PUT", "DELETE", "PATCH")]

    def writes_of_all(self) -> list[str]:
        """What any process has written, dead ones included."""
        return [f"{r.method} {r.path}" for t in self.transports for r in t.requests if r.method in ("PUT", "DELETE")]

    def exported(self, *types: str) -> list[str]:
        """The ids of everything that exists of these types of Microsoft.Network."""
        wanted = {f"microsoft.network/{one}".casefold() for one in types}
        return [body["id"] for body in self.arm.export() if str(body.get("type", "")).casefold() in wanted]

    def payloads_for(self, resource: str) -> list[dict[str, Any]]:
        """Every event about a resource, as Event Grid posts it."""
        return [event.payload("EventGridSchema") for event in self.arm.events_for(resource)]

    def observations(self) -> int:
        """How often the governor has read a VNet as a whole, which every run does first."""
        return sum(1 for r in self.transport.of("GET") if r.rpartition("/virtualNetworks/")[2].count("/") == 0)

    def attached(self, vnet_name: str) -> dict[str, str | None]:
        """By name of a subnet, the name of its NAT gateway."""
        return {s["name"]: _gateway_of(s) for s in self.get(vnet(vnet_name))["properties"]["subnets"]}

    def all_attached(self, vnet_names: Iterable[str]) -> bool:
        return all(self.attached(n) and set(self.attached(n).values()) == {f"ng-{n}"} for n in vnet_names)


class _Watched:
    """A ledger that tells the world when a step is done."""

    def __init__(self, ledger: SqliteLedger, world: World) -> None:
        self._ledger, self._world = ledger, world

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    async def done(self, run: Run, number: int, applied: Applied) -> Outcome:
        outcome = await self._ledger.done(run, number, applied)
        if self._world.after_write is not None:
            await self._world.after_write()
        return outcome


def _gateway_of(body: dict[str, Any]) -> str | None:
    named = body["properties"].get("natGateway")
    return named["id"].rpartition("/")[2] if named else None


def _as_the_worker_sees(event: dict[str, Any]) -> func.EventGridEvent | func.CloudEvent:
    """An event as it was posted in, the object that azure-functions hands to the function out."""
    datum = Datum(msgspec.json.encode(event).decode(), "json")
    return EventGridEventInConverter.decode(datum, trigger_metadata={})
