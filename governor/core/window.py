"""Times in which work may run or rests: a text of the policy language and an instant in, whether it is inside out.

Three forms: `Fri 16:00 - Mon 07:00 Europe/Zurich` and `Sat 22:00-04:00 Europe/Zurich` come every week,
`2026-12-20 - 2027-01-04` comes once and includes both days (in UTC unless a zone follows).
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

EXPECTED: Final = '"Fri 16:00 - Mon 07:00 ZONE", "Sat 22:00-04:00 ZONE" or "2026-12-20 - 2027-01-04"'
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK: Final = r"(\d{2}:\d{2})"
_DAY: Final = r"([A-Za-z]{3})"
_WEEKLY: Final = re.compile(rf"{_DAY} {_CLOCK} ?- ?(?:{_DAY} )?{_CLOCK} (\S+)", re.ASCII)
_DATES: Final = re.compile(r"(\d{4}-\d{2}-\d{2}) - (\d{4}-\d{2}-\d{2})(?: (\S+))?", re.ASCII)


class Weekly(Struct, frozen=True):
    """From a weekday's time, to a time some days later, in a zone."""

    weekday: int
    start: time
    days: int
    end: time
    zone: ZoneInfo


class Dates(Struct, frozen=True):
    """From the start of one day to the end of another, in a zone."""

    first: date
    last: date
    zone: ZoneInfo


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is not a time zone (expected one like Europe/Zurich or UTC)") from error


def _weekday(name: str) -> int:
    if name.casefold() not in _DAYS:
        raise ValueError(f"{name!r} is not a weekday (expected Mon, Tue, Wed, Thu, Fri, Sat or Sun)")
    return _DAYS.index(name.casefold())


@lru_cache(maxsize=256)
def parse(text: str) -> Weekly | Dates:
    """A text in, what it means out; ValueError says what is wrong and what was expected."""
    if match := _WEEKLY.fullmatch(text):
        first, begin, last, finish, zone = match.groups()
        start, end = time.fromisoformat(begin), time.fromisoformat(finish)
        if last is None:
            days = 0 if end > start else 1
        else:
            days = (_weekday(last) - _weekday(first)) % 7
            days = 7 if days == 0 and end <= start else days
        return Weekly(_weekday(first), start, days, end, _zone(zone))
    if match := _DATES.fullmatch(text):
        span = Dates(date.fromisoformat(match[1]), date.fromisoformat(match[2]), _zone(match[3] or "UTC"))
        if span.last < span.first:
            raise ValueError(f"{text!r} ends before it begins")
        return span
    raise ValueError(f"{text!r} is not a window (expected {EXPECTED})")


def _instant(day: date, clock: time, zone: ZoneInfo) -> datetime:
    # In UTC, so that a window is one interval on both nights of the year on which the clock is changed.
    return datetime.combine(day, clock, zone).astimezone(UTC)


def in_window(window: str, at: datetime) -> bool:
    """A window and an aware instant in, whether the instant lies inside out; the end itself does not."""
    span = parse(window)
    today = at.astimezone(span.zone).date()
    if isinstance(span, Dates):
        return span.first <= today <= span.last
    begun = today - timedelta(days=(today.weekday() - span.weekday) % 7)
    return any(
        _instant(day, span.start, span.zone) <= at < _instant(day + timedelta(days=span.days), span.end, span.zone)
        for day in (begun, begun - timedelta(days=7))
    )


def in_freeze(freeze: Iterable[str], at: datetime) -> bool:
    """Windows of rest and an aware instant in, whether any of them holds out."""
    return any(in_window(window, at) for window in freeze)
