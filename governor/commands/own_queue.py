"""A queue of one process: Causes and Surveys in, those that are due out. What is left ends with the process."""

import heapq
import itertools
from datetime import datetime, timedelta

from governor.core.cause import CAUSES, Cause, Survey
from governor.ports import Clock


class OwnQueue:
    """ports.Inbox for a command that governs by itself, beside the queue of the deployment."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._number = itertools.count()
        self._messages: list[tuple[datetime, int, Cause | Survey]] = []

    async def put(self, message: Cause | Survey, after: float = 0.0) -> None:
        due = self._clock.now() + timedelta(seconds=after)
        heapq.heappush(self._messages, (due, next(self._number), message))

    async def put_back(self, raw: bytes, after: float, queue: str = CAUSES) -> None:
        raise LookupError(f"no message of {queue} comes in here: {raw[:100]!r}")

    async def close(self) -> None:
        return None

    def take(self) -> list[Cause | Survey]:
        """What is due now; it is not in the queue any more."""
        found: list[Cause | Survey] = []
        while self._messages and self._messages[0][0] <= self._clock.now():
            found.append(heapq.heappop(self._messages)[2])
        return found

    @property
    def waiting(self) -> list[tuple[datetime, Cause | Survey]]:
        """What is left, with the times at which it is due; the next first."""
        return [(due, message) for due, _, message in sorted(self._messages, key=lambda one: one[:2])]
