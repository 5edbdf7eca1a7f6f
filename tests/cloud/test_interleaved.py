"""Several workers at once, and workers that die: whatever the order, every subnet ends as it should, written once."""

import asyncio
import random
from typing import Any, Literal

import msgspec
import pytest

from governor.cloud import versions
from governor.cloud.arm import Tuning
from governor.cloud.azure import AzureCloud, connect
from governor.core.record import Became
from governor.core.step import Attachment, CreateNatGateway, Step, WriteSubnet
from governor.ports import Applied
from simulator.arm import Arm, bearer
from simulator.wire import Request, Response
from tests.cloud.world import ATTACH, ENDPOINT, ESTATE, GATEWAY, SUBNET, VNET
from tests.support.clock import FakeClock
from tests.support.life import Killed, Life, mortal
from tests.support.transport import Hook, InProcessTransport, Moment, lost

SUBNETS = [f"{VNET}/subnets/{name}" for name in ("a", "b", "c")]


async def renew() -> None:
    """A lease that needs no renewal."""


def estate() -> list[dict[str, Any]]:
    subnets = [{"id": each, "properties": {"addressPrefix": f"10.0.{n}.0/24"}} for n, each in enumerate(SUBNETS, 10)]
    return [*ESTATE, *({**each, "type": "Microsoft.Network/virtualNetworks/subnets"} for each in subnets)]


def attach(subnet: str) -> WriteSubnet:
    return WriteSubnet(subnet, to=Attachment(nat_gateway=GATEWAY), was=Attachment(nat_gateway=None))


class Workers:
    """One Azure, and workers that each have a Cloud of their own."""

    def __init__(self, seed: int, busy: Literal["conflict", "retryable"] = "conflict") -> None:
        self.clock = FakeClock()
        self.arm = Arm(self.clock, latency="real", seed=seed, busy=busy, estate=estate())
        self.seed = seed

    def worker(self, number: int = 0, life: Life | None = None, hooks: tuple[Hook, ...] = ()) -> AzureCloud:
        life = life or Life()
        seed = self.seed * 100 + number
        transport = InProcessTransport(
            self.arm, clock=self.clock, seed=seed, turns=3, latency=(0.0, 0.4), life=life, hooks=hooks
        )
        clock = mortal(self.clock, life, "clock")
        return connect(clock, arm_endpoint=ENDPOINT, transport=transport, tuning=Tuning(seed=seed))

    @property
    def writes(self) -> list[str]:
        return [r.path for r in self.arm.requests if r.method in ("PUT", "DELETE") and r.status in (200, 201, 202)]


@pytest.mark.parametrize("seed", range(15))
@pytest.mark.parametrize("busy", ["conflict", "retryable"])
async def test_subnets_of_one_network_get_their_turns(seed: int, busy: Literal["conflict", "retryable"]) -> None:
    workers = Workers(seed, busy)
    found = await asyncio.gather(
        *(workers.worker(n).apply("d", attach(subnet), renew) for n, subnet in enumerate(SUBNETS))
    )
    assert [(each.outcome.became, each.outcome.detail) for each in found] == [(Became.DONE, "")] * 3
    assert sorted(workers.writes) == SUBNETS


@pytest.mark.parametrize("seed", range(25))
async def test_the_same_step_twice_at_once_is_written_once(seed: int) -> None:
    workers = Workers(seed)
    found = await asyncio.gather(*(workers.worker(n).apply("d", ATTACH, renew) for n in range(2)))
    assert workers.writes.count(SUBNET) == 1
    assert Became.DONE in {each.outcome.became for each in found}
    assert {each.outcome.became for each in found} <= {Became.DONE, Became.UNCHANGED, Became.PENDING, Became.STALE}


class Misfortune:
    """One request in four goes wrong: it is lost on the way there or back, refused for now, or answered with 5xx."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)

    def __call__(self, moment: Moment, request: Request, response: Response | None) -> Response | None:
        if self._dice.random() > 0.13:
            return None
        match self._dice.randrange(3 if moment == "before" else 2):
            case 0:
                raise lost()
            case 1:
                return Response(503, {}, b"")
            case _:
                error = {"error": {"code": "SubscriptionRequestsThrottled", "message": ""}}
                return Response(429, {"Retry-After": "5"}, msgspec.json.encode(error))


@pytest.mark.parametrize("seed", range(40))
async def test_misfortune_delays_but_writes_nothing_twice(seed: int) -> None:
    workers = Workers(seed)
    cloud = workers.worker(hooks=(Misfortune(seed),))
    before = _properties(workers)
    assert (await _until_over(workers, cloud, ATTACH)).outcome.became in (Became.DONE, Became.UNCHANGED)
    assert workers.writes == [SUBNET]
    after = _properties(workers)
    assert after.pop("natGateway")["id"] == GATEWAY
    assert after == before


async def test_the_same_seed_is_the_same_run() -> None:
    async def story() -> list[tuple[str, str, int]]:
        workers = Workers(7)
        await asyncio.gather(*(workers.worker(n).apply("d", attach(s), renew) for n, s in enumerate(SUBNETS)))
        return [(request.method, request.path, request.status) for request in workers.arm.requests]

    assert await story() == await story()


async def points(step: Step) -> int:
    """A step in, how many points its way has out."""
    life = Life()
    await Workers(1).worker(life=life).apply("d", step, renew)
    return len(life.points)


@pytest.mark.parametrize(
    "step", [ATTACH, CreateNatGateway(f"{GATEWAY}2", "westeurope", "Standard")], ids=lambda step: type(step).__name__
)
async def test_whoever_takes_over_from_the_dead_finds_or_finishes_it(step: Step) -> None:
    total = await points(step)
    assert total >= 10
    for n in range(total):
        workers = Workers(1)
        with pytest.raises(Killed):
            await workers.worker(life=Life(dies_at=n)).apply("d", step, renew)
        heir = workers.worker(1)
        found = await _until_over(workers, heir, step)
        assert found.outcome.became in (Became.DONE, Became.UNCHANGED), n
        assert len(workers.writes) == 1, n


def _properties(workers: Workers) -> dict[str, Any]:
    """What the subnet holds now."""
    request = Request("GET", f"{SUBNET}?api-version={versions.NETWORK}", bearer())
    found: dict[str, Any] = workers.arm.handle(request).json()["properties"]
    return found


async def _until_over(workers: Workers, heir: AzureCloud, step: Step) -> Applied:
    """What a run does that is put back while something is pending."""
    while True:
        found = await heir.apply("d", step, renew)
        if found.outcome.became is not Became.PENDING:
            return found
        await workers.clock.sleep(5)
