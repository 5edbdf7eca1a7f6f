"""Asking again: how long it waits, when it stops, and who else waits with it."""

import asyncio
import random
from datetime import timedelta

import pytest
from azure.core.rest import HttpRequest

from governor.cloud.arm import Arm, Tuning
from governor.cloud.errors import SignedOut, Throttled
from governor.cloud.retry import Retry
from governor.ports import Refused, Terminal, Transient
from simulator.faults import Fault
from simulator.wire import Request, Response
from tests.cloud.world import ADDRESS, GATEWAY, SUBNET, VNET, Azure
from tests.support.clock import START, FakeClock
from tests.support.transport import InProcessTransport, Moment


def throttling(count: int | None, after: int | None, method: str = "*") -> Fault:
    return Fault(method=method, count=count, status=429, code="SubscriptionRequestsThrottled", retry_after=after)


async def test_retry_after_is_obeyed() -> None:
    azure = Azure()
    azure.arm.faults.append(throttling(1, 17))
    await azure.client.get(VNET)
    assert 17 <= azure.clock.slept[0] <= 18
    assert len(azure.clock.slept) == 1


async def test_without_retry_after_pauses_grow() -> None:
    azure = Azure()
    azure.arm.faults.append(Fault(count=4, status=503))
    await azure.client.get(VNET)
    assert [low <= slept <= 2 * low for low, slept in zip((0.5, 1, 2, 4), azure.clock.slept, strict=True)] == [True] * 4


async def test_a_retry_after_beyond_the_patience_comes_out_at_once() -> None:
    azure = Azure(patience=60)
    azure.arm.faults.append(throttling(1, 61))
    with pytest.raises(Throttled) as found:
        await azure.client.get(VNET)
    assert found.value.after == 61
    assert azure.clock.slept == []


async def test_patience_ends() -> None:
    azure = Azure(patience=60)
    azure.arm.faults.append(Fault(count=None, status=500))
    with pytest.raises(Transient):
        await azure.client.get(VNET)
    assert 30 < (azure.clock.now() - START).total_seconds() <= 60


async def test_a_lost_connection_is_tried_again() -> None:
    azure = Azure()
    azure.arm.faults += [Fault(drop="before"), Fault(drop="after")]
    assert (await azure.body(VNET))["name"] == "spoke"
    assert len(azure.clock.slept) == 2


@pytest.mark.parametrize("trouble", [Terminal("no"), Refused("no", "code"), SignedOut("no")])
async def test_what_will_not_change_by_itself_is_not_repeated(trouble: Exception) -> None:
    clock = FakeClock()
    calls = 0

    async def call() -> None:
        nonlocal calls
        calls += 1
        raise trouble

    with pytest.raises(type(trouble)):
        await Retry(clock, random.Random(1), 60)(call)
    assert (calls, clock.slept) == (1, [])


async def test_after_a_throttle_every_reader_of_the_subscription_waits() -> None:
    azure = Azure()
    azure.arm.faults.append(throttling(1, 20))
    first = asyncio.create_task(azure.client.get(VNET))
    await azure.clock.idle()
    reads = [asyncio.create_task(azure.client.get(each)) for each in (SUBNET, GATEWAY)]
    await azure.clock.idle()
    assert [request.status for request in azure.arm.requests] == [429]
    # Writes have a bucket of their own, and so has another subscription.
    for method, path in (("DELETE", ADDRESS), ("GET", f"/subscriptions/{'2' * 8}-2222-2222-2222-{'2' * 12}")):
        await azure.client.pipeline.run(HttpRequest(method, azure.client.url(path, "2026-03-01")))
    assert azure.clock.now() == START
    await asyncio.gather(first, *reads)
    assert 20 <= (azure.clock.now() - START).total_seconds() <= 21
    assert [request.status for request in azure.arm.requests].count(429) == 1


async def test_a_busy_network_makes_nobody_else_wait() -> None:
    azure = Azure()
    detail = {"code": "RetryableErrorDueToAnotherOperation", "message": ""}
    busy = {"error": {"code": "RetryableError", "message": "", "details": [detail]}}
    azure.arm.faults.append(Fault(status=429, body=busy, retry_after=20))
    first = asyncio.create_task(azure.client.get(VNET))
    await azure.clock.idle()
    await azure.client.get(GATEWAY)
    assert azure.clock.now() == START
    await first


async def test_so_many_at_once_and_no_more() -> None:
    azure = Azure()
    under_way = most = 0

    def count(moment: Moment, _: Request, __: Response | None) -> None:
        nonlocal under_way, most
        under_way += 1 if moment == "before" else -1
        most = max(most, under_way)

    transport = InProcessTransport(azure.arm, clock=azure.clock, latency=(1.0, 1.0), hooks=[count])
    client = Arm(azure.client.where, azure.clock, transport=transport, tuning=Tuning(at_once=3))
    await asyncio.gather(*(client.get(VNET) for _ in range(10)))
    assert most == 3


async def test_a_late_answer_is_waited_for() -> None:
    azure = Azure()
    azure.arm.faults.append(Fault(method="GET", delay=40))
    await azure.client.get(VNET)
    assert azure.clock.now() == START + timedelta(seconds=40)
    assert len(azure.transport.requests) == 1


async def test_an_answer_that_is_too_late_is_asked_for_again() -> None:
    azure = Azure(patience=300)
    azure.arm.faults.append(Fault(method="GET", delay=3600))
    await azure.client.get(VNET)
    assert START + timedelta(seconds=60) < azure.clock.now() < START + timedelta(seconds=120)
    assert len(azure.transport.requests) == 2
