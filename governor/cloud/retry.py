"""Asking again: a call in, its answer out, or the Transient that outlasted the patience. All waiting is the Clock's."""

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, TypeVar

import tenacity

from governor.cloud.errors import SignedOut
from governor.ports import Clock, Transient

T = TypeVar("T")
_LONGEST: Final = 20.0


class Retry:
    """Repeats what is Transient until `patience` seconds are over.

    Retry-After is obeyed whatever its length: when it ends too late, the Transient comes out at once, with `after`, and
    whoever called waits in a better place.
    """

    def __init__(self, clock: Clock, dice: random.Random, patience: float) -> None:
        self._clock = clock
        self._dice = dice
        self._patience = patience

    async def __call__(self, call: Callable[[], Awaitable[T]]) -> T:
        ends = self._clock.now() + timedelta(seconds=self._patience)

        async def once() -> T:
            return await call()

        def wait(state: tenacity.RetryCallState) -> float:
            found = state.outcome.exception() if state.outcome else None
            return self.pause(found if isinstance(found, Transient) else None, state.attempt_number)

        def stop(state: tenacity.RetryCallState) -> bool:
            return self._clock.now() + timedelta(seconds=state.upcoming_sleep) > ends

        again = tenacity.AsyncRetrying(
            sleep=self._clock.sleep,
            retry=tenacity.retry_if_exception(_worth_repeating),
            wait=wait,
            stop=stop,
            reraise=True,
        )
        return await again(once)

    def pause(self, found: Transient | None, attempt: int) -> float:
        """What went wrong and how often (1, 2, ...) in, the seconds to wait before asking again out."""
        if found is not None and found.after is not None:
            # Everybody was told the same second; not everybody should come back in it.
            return found.after + self._dice.uniform(0.0, 1.0)
        return float(min(_LONGEST, 2.0 ** min(attempt - 1, 10)) * self._dice.uniform(0.5, 1.0))


def _worth_repeating(found: BaseException) -> bool:
    return isinstance(found, Transient) and not isinstance(found, SignedOut)
