"""Time for tests: a Clock that moves to the next sleeper as soon as nothing else can run. Nobody really sleeps.

    clock = FakeClock()
    cloud = connect(clock, arm_endpoint=..., transport=InProcessTransport(Arm(clock), clock=clock))

The simulator takes the same object: it only asks `now()`. One loop has one FakeClock.
"""

import asyncio
import heapq
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any, Final

START: Final = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
_THREADS_LOOK_SECONDS: Final = 0.0005


class FakeClock:
    """A discrete-event clock on the running loop.

    Idle means: the loop has nothing ready and no thread of its executor is at work. Then whoever sleeps shortest wakes,
    one at a time (those that wake at the same moment in the order they fell asleep), so that every run of a test with
    the same seeds is the same run. Time that sockets take is not seen: what really waits for one should not share the
    loop with sleepers.
    """

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._idlers: list[asyncio.Future[None]] = []
        self._order = itertools.count()
        self._pumped: asyncio.AbstractEventLoop | None = None
        self._threads = 0
        self._watched: asyncio.AbstractEventLoop | None = None
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        """Seconds in; it is that much later at once, and who should be awake by then wakes."""
        if seconds < 0:
            raise ValueError("a clock moves forward only")
        self._now += timedelta(seconds=seconds)
        while self._sleepers and self._sleepers[0][0] <= self._now:
            self._wake()

    async def sleep(self, seconds: float) -> None:
        """Seconds in; returns when it is that much later, which costs no time."""
        self.slept.append(seconds)
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()
        heapq.heappush(self._sleepers, (self._now + timedelta(seconds=seconds), next(self._order), woken))
        self._pump_soon(loop)
        await woken

    async def idle(self) -> None:
        """Returns when nothing else can go on without time passing; no time passes."""
        loop = asyncio.get_running_loop()
        resting: asyncio.Future[None] = loop.create_future()
        self._idlers.append(resting)
        self._pump_soon(loop)
        await resting

    def _pump_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        self._watch_threads(loop)
        if self._pumped is not loop:
            self._pumped = loop
            loop.call_soon(self._pump, loop)

    def _pump(self, loop: asyncio.AbstractEventLoop) -> None:
        self._pumped = None
        # Whoever was cancelled while asleep, or went down with another loop, wakes nobody.
        while self._sleepers and self._is_gone(self._sleepers[0][2], loop):
            heapq.heappop(self._sleepers)
        self._idlers = [idler for idler in self._idlers if not self._is_gone(idler, loop)]
        if not self._sleepers and not self._idlers:
            return
        if loop._ready:  # type: ignore[attr-defined]  # the only place that knows whether anything else can run
            self._pump_soon(loop)
        elif self._threads:
            self._pumped = loop
            loop.call_later(_THREADS_LOOK_SECONDS, self._pump, loop)
        else:
            if self._idlers:
                self._idlers.pop(0).set_result(None)
            else:
                self._now = max(self._now, self._sleepers[0][0])
                self._wake()
            self._pump_soon(loop)

    def _wake(self) -> None:
        sleeper = heapq.heappop(self._sleepers)[2]
        if not sleeper.done():
            sleeper.set_result(None)

    def _watch_threads(self, loop: asyncio.AbstractEventLoop) -> None:
        """Counts what runs in the loop's executor: `asyncio.to_thread` included."""
        if self._watched is loop:
            return
        self._watched, self._threads = loop, 0
        begin = loop.run_in_executor

        def run_in_executor(executor: Any, func: Any, *args: Any) -> asyncio.Future[Any]:
            self._threads += 1
            work = begin(executor, func, *args)
            work.add_done_callback(self._thread_is_done)
            return work

        loop.run_in_executor = run_in_executor  # type: ignore[method-assign, assignment]

    def _thread_is_done(self, _: object) -> None:
        self._threads -= 1

    @staticmethod
    def _is_gone(future: asyncio.Future[None], loop: asyncio.AbstractEventLoop) -> bool:
        return future.done() or future.get_loop() is not loop
