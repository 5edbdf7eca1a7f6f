"""Windows: three ways to write one, their edges, their zone, and the nights on which the clock is changed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governor.core.window import in_freeze, in_window, parse

WEEKEND = "Fri 16:00 - Mon 07:00 Europe/Zurich"
NIGHT = "Sat 22:00-04:00 Europe/Zurich"
HOLIDAYS = "2026-12-20 - 2027-01-04"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("window", "instant", "inside"),
    [
        (WEEKEND, "2026-11-20T14:59:59+00:00", False),  # Friday 15:59:59 in Zurich
        (WEEKEND, "2026-11-20T15:00:00+00:00", True),
        (WEEKEND, "2026-11-22T12:00:00+00:00", True),
        (WEEKEND, "2026-11-23T05:59:59+00:00", True),
        (WEEKEND, "2026-11-23T06:00:00+00:00", False),
        (WEEKEND, "2026-07-17T14:00:00+00:00", True),  # summer: two hours ahead of UTC
        (WEEKEND, "2026-07-17T13:59:00+00:00", False),
        (NIGHT, "2026-11-21T21:00:00+00:00", True),
        (NIGHT, "2026-11-22T02:59:59+00:00", True),
        (NIGHT, "2026-11-22T03:00:00+00:00", False),
        (NIGHT, "2026-11-21T20:59:59+00:00", False),
        ("Sat 22:00-23:00 UTC", "2026-11-21T22:30:00+00:00", True),
        ("Sat 22:00-23:00 UTC", "2026-11-22T22:30:00+00:00", False),
        ("sat 22:00 - 04:00 UTC", "2026-11-22T03:00:00+00:00", True),
        ("Mon 08:00 - Mon 07:00 UTC", "2026-11-23T07:30:00+00:00", False),
        ("Mon 08:00 - Mon 07:00 UTC", "2026-11-23T06:30:00+00:00", True),
        ("Mon 07:00 - Mon 08:00 UTC", "2026-11-23T07:30:00+00:00", True),
        ("Mon 07:00 - Mon 08:00 UTC", "2026-11-24T07:30:00+00:00", False),
        (HOLIDAYS, "2026-12-19T23:59:59+00:00", False),
        (HOLIDAYS, "2026-12-20T00:00:00+00:00", True),
        (HOLIDAYS, "2027-01-04T23:59:59+00:00", True),
        (HOLIDAYS, "2027-01-05T00:00:00+00:00", False),
        (f"{HOLIDAYS} Europe/Zurich", "2026-12-19T23:00:00+00:00", True),
        (f"{HOLIDAYS} Europe/Zurich", "2027-01-04T23:00:00+00:00", False),
    ],
)
def test_edges(window: str, instant: str, inside: bool) -> None:
    assert in_window(window, at(instant)) is inside


@pytest.mark.parametrize(
    ("window", "begins", "hours"),
    [
        # 29 March 2026: 02:00 becomes 03:00. 25 October 2026: 03:00 becomes 02:00.
        ("Sat 22:00-04:00 Europe/Zurich", "2026-03-28T21:00:00+00:00", 5),
        ("Sat 22:00-04:00 Europe/Zurich", "2026-10-24T20:00:00+00:00", 7),
        ("Sat 22:00-04:00 Europe/Zurich", "2026-11-21T21:00:00+00:00", 6),
        ("Sat 22:00 - Sun 02:30 Europe/Zurich", "2026-10-24T20:00:00+00:00", 4.5),
    ],
)
def test_it_stays_one_interval_when_the_clock_is_changed(window: str, begins: str, hours: float) -> None:
    start = at(begins)
    inside = [in_window(window, start + timedelta(minutes=m)) for m in range(-60, 9 * 60)]
    assert inside == [0 <= m < hours * 60 for m in range(-60, 9 * 60)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("always", "is not a window"),
        ("Fri 16:00 - Mon 07:00", "is not a window"),
        ("Fri 16:00 - Mon 07:00 Europe/Zuerich", "is not a time zone"),
        ("Fri 16:00 - Mon 07:00 Europe", "is not a time zone"),
        ("Fri 16:00 - Mon 07:00 ../etc", "is not a time zone"),
        ("Fro 16:00 - Mon 07:00 UTC", "is not a weekday"),
        ("Fri 16:00 - Mun 07:00 UTC", "is not a weekday"),
        ("Fri 25:00 - Mon 07:00 UTC", "hour"),
        ("2026-12-20 - 2026-12-19", "ends before it begins"),
        ("2026-02-30 - 2026-12-19", "day"),
        ("", "is not a window"),
    ],
)
def test_what_is_no_window_says_so(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse(text)


@given(st.text())
def test_any_other_text_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(text)


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1)))  # noqa: DTZ001
def test_a_window_and_its_complement_share_nothing_and_miss_nothing(instant: datetime) -> None:
    complement = "Mon 07:00 - Fri 16:00 Europe/Zurich"
    assert in_window(WEEKEND, instant) is not in_window(complement, instant)
    assert in_freeze((WEEKEND, complement), instant)
    assert not in_freeze((), instant)
