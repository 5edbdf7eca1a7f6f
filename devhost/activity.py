"""Work that begins and ends in, whether anything goes on out: what a test waits for instead of sleeping."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Activity:
    """Counts what goes on; as a context manager it covers a piece of work."""

    def __init__(self) -> None:
        self.ended = 0
        self._under_way = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        self._news = asyncio.Event()

    @property
    def idle(self) -> bool:
        """Whether nothing goes on."""
        return self._under_way == 0

    def __enter__(self) -> None:
        self._under_way += 1

    def __exit__(self, *_: object) -> None:
        self._under_way -= 1
        self.ended += 1
        self._news.set()

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Starts work as a task that counts from now until its end, and is kept hold of."""
        self.__enter__()
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def changed(self) -> None:
        """Returns when the next piece of work has ended."""
        self._news.clear()
        await self._news.wait()

    async def finish(self) -> None:
        """Returns when every task that was started has ended."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        self.__exit__()
