"""What other tests stand on: time that passes only when nothing else can, and processes that die."""

import asyncio
import hashlib
from collections.abc import AsyncIterator

import pytest

from tests.support.clock import START, FakeClock
from tests.support.life import Killed, Life, mortal


async def test_sleepers_wake_in_order_of_time_and_then_of_falling_asleep() -> None:
    clock, woken = FakeClock(), list[tuple[str, float]]()

    async def sleeper(name: str, *naps: float) -> None:
        for nap in naps:
            await clock.sleep(nap)
            woken.append((name, (clock.now() - START).total_seconds()))

    await asyncio.gather(sleeper("a", 5, 5), sleeper("b", 1, 9), sleeper("c", 5), sleeper("d", 0))
    assert woken == [("d", 0), ("b", 1), ("a", 5), ("c", 5), ("b", 10), ("a", 10)]


async def test_time_waits_for_whoever_can_run() -> None:
    clock, seen = FakeClock(), list[float]()

    async def busy() -> None:
        for _ in range(1000):
            await asyncio.sleep(0)
            seen.append((clock.now() - START).total_seconds())

    await asyncio.gather(clock.sleep(60), busy())
    assert set(seen) == {0.0}


async def test_time_waits_for_threads() -> None:
    clock, begun = FakeClock(), asyncio.Event()
    order: list[str] = []
    loop = asyncio.get_running_loop()

    def work() -> None:
        loop.call_soon_threadsafe(begun.set)
        hashlib.pbkdf2_hmac("sha256", b"takes", b"a while", 50_000)

    async def thread() -> None:
        await asyncio.to_thread(work)
        order.append("thread")

    async def sleeper() -> None:
        await begun.wait()
        await clock.sleep(1)
        order.append("sleeper")

    task = asyncio.create_task(sleeper())
    await clock.idle()  # from here on the clock knows this loop
    await asyncio.gather(thread(), task)
    assert order == ["thread", "sleeper"]


async def test_idle_costs_no_time() -> None:
    clock, done = FakeClock(), list[str]()

    async def work() -> None:
        await asyncio.sleep(0)
        done.append("soon")
        await clock.sleep(1)
        done.append("later")

    task = asyncio.create_task(work())
    await clock.idle()
    assert (done, clock.now()) == (["soon"], START)
    await task
    assert done == ["soon", "later"]


async def test_whoever_is_cancelled_wakes_nobody() -> None:
    clock = FakeClock()
    task = asyncio.create_task(clock.sleep(5))
    await clock.idle()
    task.cancel()
    await clock.sleep(7)
    assert (clock.now() - START).total_seconds() == 7
    assert task.cancelled()


async def test_advancing_wakes_those_whose_time_has_come() -> None:
    clock = FakeClock()
    early, late = asyncio.create_task(clock.sleep(5)), asyncio.create_task(clock.sleep(50))
    await clock.idle()
    clock.advance(10)
    await clock.idle()
    assert (early.done(), late.done()) == (True, False)
    await late
    assert (clock.now() - START).total_seconds() == 50
    with pytest.raises(ValueError, match="forward only"):
        clock.advance(-1)


def test_a_clock_outlives_a_loop() -> None:
    clock = FakeClock()

    async def leaves_a_sleeper() -> None:
        task = asyncio.create_task(clock.sleep(5))
        await clock.idle()
        del task

    asyncio.run(leaves_a_sleeper())
    before = clock.now()
    asyncio.run(clock.sleep(9))
    assert (clock.now() - before).total_seconds() == 9


class Port:
    """A port with all kinds of members."""

    name = "port"

    def __init__(self) -> None:
        self.writes = 0

    async def write(self, times: int = 1) -> int:
        self.writes += times
        return self.writes

    async def items(self) -> AsyncIterator[int]:
        yield 1
        yield 2


async def test_a_life_ends_at_the_chosen_point_and_stays_over() -> None:
    port, life = Port(), Life(dies_at=3)
    ours = mortal(port, life, "port")
    assert await ours.write(times=2) == 2
    with pytest.raises(Killed, match=r"after port\.write"):
        await ours.write()
    assert port.writes == 3  # it took effect; nobody heard of it
    with pytest.raises(Killed, match=r"died before .*: before port\.write"):
        await ours.write()
    assert port.writes == 3
    assert life.points == ["before port.write", "after port.write"] * 2


async def test_a_life_that_goes_on_counts_its_points() -> None:
    life = Life()
    ours = mortal(Port(), life, "port")
    assert [item async for item in ours.items()] == [1, 2]
    assert ours.name == "port"
    assert life.points == ["within port.items"] * 2
