"""A schedule and the function it triggers in; the function run at its times, never twice at once.

The monitor remembers in `timers.json` when each timer was due next; a start after that time runs it as past due.
"""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from devhost import ncrontab
from devhost.activity import Activity
from devhost.functions import Function
from devhost.invocation import Invocations
from devhost.settings import StartError
from devhost.triggers import of_timer

# Schedules that fire more often are not monitored, as in the host.
_MONITORED = timedelta(minutes=1)
# The clock is looked at again at least this often.
_LONGEST_SLEEP = 60.0


class Monitor:
    """Remembers the last and next times of the timers; without a folder only while it lives."""

    def __init__(self, directory: Path | None) -> None:
        self._path = None if directory is None else directory / "timers.json"
        self._timers: dict[str, dict[str, str]] = {}
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)
        if self._path is not None and self._path.exists():
            self._timers = json.loads(self._path.read_text(encoding="utf-8"))

    def status(self, function: str, schedule: str) -> dict[str, str] | None:
        """What is remembered of a timer, if its schedule is still the same."""
        found = self._timers.get(function)
        if found is None or found["Schedule"] != schedule:
            return None
        return {name: found[name] for name in ("Last", "Next", "LastUpdated")}

    def remember(self, function: str, schedule: str, last: datetime | None, due: datetime) -> None:
        """Notes when a timer ran and when it is due next."""
        ran = (last or datetime.min.replace(tzinfo=UTC)).isoformat()
        status = {"Last": ran, "Next": due.isoformat(), "LastUpdated": ran}
        self._timers[function] = {"Schedule": schedule, **status}
        if self._path is not None:
            fresh = self._path.with_suffix(".new")
            fresh.write_text(json.dumps(self._timers, indent=2), encoding="utf-8")
            fresh.replace(self._path)


class Timer:
    """Runs one timer trigger until it is stopped."""

    def __init__(
        self,
        function: Function,
        monitor: Monitor,
        invocations: Invocations,
        activity: Activity,
        now: Callable[[], float],
    ) -> None:
        self._function = function
        self._text = str(function.trigger["schedule"])
        try:
            self._schedule = ncrontab.parse(self._text)
            first = self._schedule.after(datetime.fromtimestamp(now(), UTC))
            self._monitored = function.trigger.get("useMonitor", True) and (
                self._schedule.after(first) - first >= _MONITORED
            )
        except ValueError as error:
            raise StartError(f"Error indexing function '{function.name}': schedule: {error}") from error
        self._monitor = monitor
        self._invocations = invocations
        self._activity = activity
        self._now = now
        self._stopped = asyncio.Event()
        self._last: datetime | None = None

    async def run(self) -> None:
        """Runs the function when it is due; returns after `stop` when a run under way has ended."""
        with self._activity:
            status = self._status()
            past_due = status is not None and datetime.fromisoformat(status["Next"]) < self._moment()
            if past_due or self._function.trigger.get("runOnStartup"):
                await self._fire("past due" if past_due else "start", past_due)
        while True:
            due = self._schedule.after(self._moment())
            if self._monitored:
                self._monitor.remember(self._function.name, self._text, self._last, due)
            if await self._stopped_before(due):
                return
            with self._activity:
                await self._fire("schedule", past_due=False)

    def stop(self) -> None:
        """Fires no more."""
        self._stopped.set()

    async def _fire(self, reason: str, past_due: bool) -> None:
        self._last = self._moment()
        await self._invocations.run(self._function, of_timer(past_due, self._status()), f"timer {reason}")

    def _status(self) -> dict[str, str] | None:
        return self._monitor.status(self._function.name, self._text) if self._monitored else None

    def _moment(self) -> datetime:
        return datetime.fromtimestamp(self._now(), UTC)

    async def _stopped_before(self, due: datetime) -> bool:
        while (left := (due - self._moment()).total_seconds()) > 0:
            try:
                await asyncio.wait_for(self._stopped.wait(), min(left, _LONGEST_SLEEP))
            except TimeoutError:
                continue
            return True
        return self._stopped.is_set()
