"""A queue and the function it triggers in; messages taken, invoked, deleted, retried and given up as host.json says."""

import asyncio
import contextlib
import logging

from devhost.activity import Activity
from devhost.functions import Function
from devhost.host_json import Queues
from devhost.invocation import Invocations
from devhost.store import Message, Store
from devhost.triggers import of_message

log = logging.getLogger("devhost")

# How long a message is hidden while it is served; renewed at half of it.
HIDDEN = 600.0
SHORTEST_PAUSE = 0.05
POISON = "-poison"


class Listener:
    """Serves one queue trigger until it is stopped."""

    def __init__(
        self,
        function: Function,
        name: str,
        store: Store,
        options: Queues,
        invocations: Invocations,
        activity: Activity,
    ) -> None:
        self._function = function
        self._name = name
        self._store = store
        self._options = options
        self._invocations = invocations
        self._activity = activity
        self._serving: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Something may have been put: look at once, and often for a while."""
        self._news.set()

    async def due(self) -> bool:
        """Whether a message is visible."""
        seconds = await self._store.due(self._name)
        return seconds is not None and seconds <= 0

    async def listen(self) -> None:
        """Takes and serves batches; returns after `stop` when all that was taken has been served."""
        pause = SHORTEST_PAUSE
        while not self._stopping:
            self._news.clear()
            if await self._take() or await self._woken(pause):
                pause = SHORTEST_PAUSE
            else:
                pause = min(pause * 2, max(self._options.max_polling_interval, SHORTEST_PAUSE))
        while self._serving:
            await asyncio.wait(self._serving)

    def stop(self) -> None:
        """Takes no more messages."""
        self._stopping = True
        self._news.set()

    async def _take(self) -> bool:
        if len(self._serving) > self._options.new_batch_threshold:
            return False
        with self._activity:
            messages = await self._store.take(self._name, self._options.batch_size, HIDDEN)
            for message in messages:
                task = self._activity.start(self._serve(message))
                self._serving.add(task)
                task.add_done_callback(self._served)
        return bool(messages)

    async def _woken(self, pause: float) -> bool:
        due = await self._store.due(self._name)
        # While the room for a new batch is missing, only the end of an invocation is news.
        full = len(self._serving) > self._options.new_batch_threshold
        wait = None if full else pause if due is None else min(pause, max(due, 0.0))
        try:
            await asyncio.wait_for(self._news.wait(), wait)
        except TimeoutError:
            return False
        return True

    def _served(self, task: asyncio.Task[None]) -> None:
        self._serving.discard(task)
        self._news.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("queue %s: a message could not be settled", self._name, exc_info=error)

    async def _serve(self, message: Message) -> None:
        if message.dequeue_count > self._options.max_dequeue_count and self._has_poison_queue:
            await self._give_up(message)
            return
        held = [message]
        renewing = asyncio.create_task(self._renew(held))
        try:
            outcome = await self._invocations.run(self._function, of_message(message), f"queue {self._name}")
        finally:
            renewing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await renewing
        if outcome.failure is None:
            ours = await self._store.delete(held[0])
        elif not self._has_poison_queue:
            return  # hidden until its time is over, so that a poison queue never spins
        elif message.dequeue_count >= self._options.max_dequeue_count:
            ours = await self._give_up(held[0])
        else:
            ours = await self._store.hide(held[0], self._options.visibility_timeout) is not None
        if not ours:
            log.warning("queue %s: message %s was taken over while it was served", self._name, message.id)

    @property
    def _has_poison_queue(self) -> bool:
        return not self._name.endswith(POISON)

    async def _give_up(self, message: Message) -> bool:
        poison = self._name + POISON
        log.warning("queue %s: message %s was taken too often, moved to %s", self._name, message.id, poison)
        return await self._store.move(message, poison)

    async def _renew(self, held: list[Message]) -> None:
        while True:
            await asyncio.sleep(HIDDEN / 2)
            again = await self._store.hide(held[0], HIDDEN)
            if again is None:
                return
            held[0] = again
