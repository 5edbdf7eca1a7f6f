"""Time from outside: a Clock says now; the simulator never asks the machine itself."""

from datetime import UTC, datetime, timedelta
from typing import Protocol, runtime_checkable

LAST = datetime(9000, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Says what time it is, aware and in UTC."""

    def now(self) -> datetime: ...


@runtime_checkable
class AdjustableClock(Protocol):
    """A Clock that can be moved forward."""

    def now(self) -> datetime: ...

    def advance(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's time plus an offset that only grows."""

    def __init__(self) -> None:
        self._offset = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def advance(self, seconds: float) -> None:
        """Seconds in; from now on it is that much later."""
        self._offset += _forward(self.now(), seconds)


class ManualClock:
    """Stands still until it is advanced: for tests."""

    def __init__(self, start: datetime = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        """Seconds in; it is that much later."""
        self._now += _forward(self._now, seconds)


def _forward(now: datetime, seconds: float) -> timedelta:
    """What time it is and seconds in, the step out; all that is due later than the last moment can still be told."""
    if not 0 <= seconds < 10 * 366 * 86_400:
        raise ValueError("a clock moves forward only, by at most ten years")
    step = timedelta(seconds=seconds)
    if now + step > LAST:
        raise ValueError(f"a clock goes no further than the year {LAST.year}")
    return step
