"""A schedule of six fields, or a time span, in; the times at which it fires out.

Fields: second, minute, hour, day, month, day of the week (0 is Sunday); five fields mean second 0. As in NCRONTAB a day
must match both the day and the day of the week. Times are aware and in UTC.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from devhost.host_json import seconds

_FIELDS = (("second", 0, 59), ("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 6))
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_PART = re.compile(r"(\*|\w+)(?:-(\w+))?(?:/(\d+))?")
# 29 February comes at most eight years later; a day that never comes is found within this.
_YEARS = 9


@dataclass(frozen=True)
class Every:
    """Fires again after a fixed time."""

    period: timedelta

    def after(self, moment: datetime) -> datetime:
        """The first time after `moment`."""
        return moment + self.period


@dataclass(frozen=True)
class Cron:
    """Fires at the times whose fields all match."""

    second: tuple[int, ...]
    minute: tuple[int, ...]
    hour: tuple[int, ...]
    day: tuple[int, ...]
    month: tuple[int, ...]
    weekday: tuple[int, ...]

    def after(self, moment: datetime) -> datetime:
        """The first time after `moment`."""
        start = moment.replace(microsecond=0) + timedelta(seconds=1)
        day = start.replace(hour=0, minute=0, second=0)
        earliest = (start.hour, start.minute, start.second)
        for _ in range(_YEARS * 366):
            if self._falls_on(day) and (clock := self._clock(earliest)) is not None:
                return day.replace(hour=clock[0], minute=clock[1], second=clock[2])
            day, earliest = day + timedelta(days=1), (0, 0, 0)
        raise ValueError("the schedule never fires")

    def _falls_on(self, day: datetime) -> bool:
        return day.month in self.month and day.day in self.day and day.isoweekday() % 7 in self.weekday

    def _clock(self, earliest: tuple[int, int, int]) -> tuple[int, int, int] | None:
        for hour in (each for each in self.hour if each >= earliest[0]):
            for minute in (each for each in self.minute if (hour, each) >= earliest[:2]):
                for second in self.second:
                    if (hour, minute, second) >= earliest:
                        return hour, minute, second
        return None


def parse(text: str) -> Cron | Every:
    """Reads a schedule; ValueError says what is wrong with it."""
    parts = text.split()
    if len(parts) == 1:
        period = seconds(text)
        if period <= 0:
            raise ValueError(f"'{text}' is not a positive time span")
        return Every(timedelta(seconds=period))
    if len(parts) == 5:
        parts = ["0", *parts]
    if len(parts) != 6:
        raise ValueError(f"'{text}' has {len(parts)} fields instead of six")
    return Cron(*(_field(part, *field) for part, field in zip(parts, _FIELDS, strict=True)))


def _field(text: str, name: str, lowest: int, highest: int) -> tuple[int, ...]:
    values: set[int] = set()
    for part in text.lower().split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"'{part}' is not a valid {name}")
        first, last, step = match.groups()
        if first == "*":
            start, end = lowest, highest
        else:
            start = _number(first, name, lowest, highest)
            end = _number(last, name, lowest, highest) if last else highest if step else start
        if end < start or (first == "*" and last) or (step and int(step) == 0):
            raise ValueError(f"'{part}' is not a valid {name}")
        values.update(range(start, end + 1, int(step or 1)))
    return tuple(sorted(values))


def _number(text: str, name: str, lowest: int, highest: int) -> int:
    words = {"month": _MONTHS, "weekday": _WEEKDAYS}.get(name, ())
    if text[:3] in words:
        return words.index(text[:3]) + lowest
    if not text.isdecimal() or not lowest <= int(text) <= highest:
        raise ValueError(f"'{text}' is not a {name} between {lowest} and {highest}")
    return int(text)
