"""Causes and their messages: there and back, how long they get, and what cannot be read."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from governor.core.cause import MAX_BYTES, MOST_SUBSCRIPTIONS, Caller, Cause, Source, Survey
from governor.messages import Garbage, Newer, decode, decode_survey, encode
from tests.local.worlds import NOON, OTHER, SCOPE, SUBNET, SUBSCRIPTION, event

TEXT = st.text(max_size=200)
CAUSES = st.builds(
    Cause,
    source=st.sampled_from(Source),
    time=st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    subject=st.sampled_from((None, SUBNET)),
    scope=st.sampled_from((None, SCOPE)),
    caller=st.none() | st.builds(Caller, object_id=TEXT, application_id=TEXT, name=TEXT),
    correlation_id=st.none() | TEXT,
    points_at=st.none() | TEXT,
    attempt=st.integers(0, 1000),
    first_time=st.sampled_from((None, NOON)),
)


@given(cause=CAUSES)
def test_there_and_back(cause: Cause) -> None:
    assert decode(encode(cause)) == cause


@given(raw=st.binary(max_size=200))
def test_noise_is_garbage(raw: bytes) -> None:
    assert isinstance(decode(raw), Garbage)


def test_long_names_give_way() -> None:
    cause = msgspec.structs.replace(event(), caller=Caller("o", "a", "n" * 9000), correlation_id="c" * 9000)
    message = encode(cause)
    assert len(message) <= MAX_BYTES
    assert decode(message) == msgspec.structs.replace(
        event(), caller=Caller("o", "a", "n" * 64), correlation_id="c" * 64
    )


@pytest.mark.parametrize("caller", [None, Caller("o")])
def test_what_is_still_too_long_is_an_error(caller: Caller | None) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        encode(msgspec.structs.replace(event(), caller=caller, points_at="p" * 9000))


def message(**members: Any) -> bytes:
    return json.dumps({"v": 1, "source": "event", "time": "2026-03-01T12:00:00Z", **members}).encode()


def test_members_that_are_not_known_are_ignored() -> None:
    assert decode(message(colour="blue")) == Cause(Source.EVENT, NOON)


@pytest.mark.parametrize("newer", [message(v=2), message(v=3, source="dream"), b'{"v":2}'])
def test_a_newer_message_is_no_garbage(newer: bytes) -> None:
    assert isinstance(decode(newer), Newer)


@pytest.mark.parametrize(
    ("garbage", "why"),
    [
        (b"", "truncated"),
        # How deep is too deep differs by Python: either answer is one.
        (b'{"v":1,"x":' + b"[" * 5000, "not a Cause"),
        (b"{}", "source"),
        (message(v="1"), "`$.v`"),
        (message(v=0), "no version 0"),
        (message(source="dream"), "dream"),
        (message(time="yesterday"), "RFC3339"),
        (message(time="2026-03-01T12:00:00"), "without zone"),
        (message(first_time="2026-03-01T12:00:00"), "without zone"),
        (message(subject="everything"), "no resource id"),
        (message(scope={"type": "virtualNetwork", "id": SUBNET}), "no virtual network"),
        (message(scope={"type": "planet", "id": "x"}), "planet"),
        (message(scope={"type": "remainder", "subscription_id": "x/y"}), "no subscription"),
        (message(points_at="p" * 9000), "more than 8192"),
    ],
)
def test_garbage_says_why(garbage: bytes, why: str) -> None:
    found = decode(garbage)
    assert isinstance(found, Garbage)
    assert why in found.why


def test_a_message_that_says_no_version_is_one_of_the_first() -> None:
    assert decode(b'{"source":"event","time":"2026-03-01T12:00:00Z"}') == Cause(Source.EVENT, NOON)


def test_a_time_in_another_zone_is_the_same_time() -> None:
    found = decode(message(time="2026-03-01T13:00:00+01:00"))
    assert isinstance(found, Cause)
    assert found.time == NOON


# ---- surveys --------------------------------------------------------------------------------------------------------


def batch(**members: Any) -> bytes:
    return json.dumps({"subscriptions": [SUBSCRIPTION], "time": "2026-03-01T12:00:00Z", **members}).encode()


def test_a_survey_there_and_back() -> None:
    survey = Survey((SUBSCRIPTION, OTHER), NOON, attempt=2, first_time=NOON)
    assert decode_survey(encode(survey)) == survey


def test_as_many_subscriptions_as_there_may_be_fit() -> None:
    survey = Survey((SUBSCRIPTION,) * MOST_SUBSCRIPTIONS, NOON, attempt=1000, first_time=NOON)
    assert len(encode(survey)) < MAX_BYTES
    assert decode_survey(encode(survey)) == survey


@given(raw=st.binary(max_size=200))
def test_noise_is_no_survey(raw: bytes) -> None:
    assert isinstance(decode_survey(raw), Garbage)


def test_a_newer_survey_is_no_garbage() -> None:
    assert decode_survey(batch(v=2, subscriptions="all")) == Newer(2)


def test_members_of_a_survey_that_are_not_known_are_ignored() -> None:
    assert decode_survey(batch(colour="blue")) == Survey((SUBSCRIPTION,), NOON)


@pytest.mark.parametrize(
    ("garbage", "why"),
    [
        (b"{}", "subscriptions"),
        (batch(subscriptions=[]), "0 subscriptions"),
        (batch(subscriptions=[SUBSCRIPTION] * 26), "26 subscriptions"),
        (batch(subscriptions=["*"]), "not the id of a subscription: '*'"),
        (batch(time="2026-03-01T12:00:00"), "without zone"),
        (batch(first_time="2026-03-01T12:00:00"), "without zone"),
        (batch(v=0), "no version 0"),
        (batch(colour="b" * 9000), "more than 8192"),
        (message(), "not a Survey"),
    ],
)
def test_what_is_no_survey_says_why(garbage: bytes, why: str) -> None:
    found = decode_survey(garbage)
    assert isinstance(found, Garbage)
    assert why in found.why


def test_a_survey_is_no_cause() -> None:
    assert isinstance(decode(batch()), Garbage)
