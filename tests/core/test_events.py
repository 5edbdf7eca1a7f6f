"""Events of both schemas, as Azure sends them and as it must not."""

import copy
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest

from governor.core import ids
from governor.core.cause import Caller, Cause, Source
from governor.events import Event, NotAnEventError, cause_of
from tests.core.world import AT, GROUP, SUB, nat_id, subnet_id, vnet_id

WRITE = "Microsoft.Resources.ResourceWriteSuccess"
OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
NAME = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"


def event(subject: str = "", type_: str = WRITE, at: datetime | None = AT, **data: Any) -> Event:
    return Event(type_, subject or subnet_id(), at, data)


def samples(shared: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for path in sorted((shared / "samples" / "events").glob("*.json")):
        body = msgspec.json.decode(path.read_bytes())
        found[path.stem] = body[0] if isinstance(body, list) else body
    return found


def of_event_grid(body: dict[str, Any]) -> Event:
    at = msgspec.convert(body["eventTime"], datetime)
    return Event(body["eventType"], body["subject"], at, body["data"])


def of_cloud_events(body: dict[str, Any]) -> Event:
    """The same event as Azure sends it in the other schema."""
    other = {"type": body["eventType"], "subject": body["subject"], "time": body["eventTime"], "data": body["data"]}
    return Event(other["type"], other["subject"], msgspec.convert(other["time"], datetime), other["data"])


def moved(body: dict[str, Any], subject: str) -> dict[str, Any]:
    """A sample about something else."""
    other = copy.deepcopy(body)
    other["subject"] = subject
    return other


@pytest.mark.parametrize("read", [of_event_grid, of_cloud_events])
def test_samples_about_other_things_tell_nothing_but_that_of_a_resource_group(shared: Path, read: Any) -> None:
    found = {name: cause_of(read(body)) for name, body in samples(shared).items()}
    group = found.pop("c7n_ResourceWriteSuccess_minimal")
    assert group is not None
    assert ids.kind(group.subject or "") == ids.RESOURCE_GROUP
    assert found == dict.fromkeys(found)


@pytest.mark.parametrize("read", [of_event_grid, of_cloud_events])
def test_samples_about_a_subnet_are_causes_but_for_actions(shared: Path, read: Any) -> None:
    for name, body in samples(shared).items():
        cause = cause_of(read(moved(body, subnet_id())))
        if "Action" in name:
            assert cause is None
            continue
        assert cause is not None
        assert (cause.source, cause.subject) == (Source.EVENT, subnet_id())
        assert cause.time.tzinfo is UTC
        assert cause.correlation_id == body["data"].get("correlationId")


def test_seven_digits_of_a_second_are_understood(shared: Path) -> None:
    cause = cause_of(of_event_grid(moved(samples(shared)["c7n_ResourceWriteSuccess_minimal"], vnet_id())))
    assert cause is not None
    assert cause.time.replace(microsecond=0) == datetime(2019, 7, 16, 18, 30, 43, tzinfo=UTC)
    assert cause.caller is None


def test_three_claims_are_kept_and_no_other(shared: Path) -> None:
    cause = cause_of(of_event_grid(moved(samples(shared)["docs_ResourceWriteSuccess"], vnet_id())))
    assert cause is not None
    assert cause.caller is not None
    assert cause.caller.object_id == cause.caller.application_id == "{ID}"
    kept = msgspec.to_builtins(cause)
    assert set(kept["caller"]) <= {"object_id", "application_id", "name"}
    assert "ipaddr" not in msgspec.json.encode(cause).decode()


CLAIMS: list[tuple[object, Caller | None]] = [
    ({OBJECT_ID: "o", "appid": "a", NAME: "n", "ipaddr": "192.0.2.1"}, Caller("o", "a", "n")),
    ({"name": "plain"}, Caller(name="plain")),
    ({NAME: "", "name": "plain"}, Caller(name="plain")),
    ({OBJECT_ID: 7, "appid": ["a"]}, None),
    ({"aud": "x"}, None),
    ({}, None),
    (None, None),
    ("claims", None),
    (["claims"], None),
]


@pytest.mark.parametrize(("claims", "caller"), CLAIMS)
def test_claims_may_be_anything(claims: object, caller: Caller | None) -> None:
    cause = cause_of(event(claims=claims))
    assert cause is not None
    assert cause.caller == caller


def test_times_are_utc_whatever_was_sent() -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=2)))
    for at in (AT, elsewhere, AT.replace(tzinfo=None)):
        assert cause_of(event(at=at)) == Cause(Source.EVENT, AT, subnet_id())


@pytest.mark.parametrize(
    "type_",
    [
        "Microsoft.Resources.ResourceActionSuccess",
        "Microsoft.Resources.ResourceActionFailure",
        "Microsoft.Storage.BlobCreated",
        "Microsoft.EventGrid.SubscriptionValidationEvent",
        "",
    ],
)
def test_other_types_tell_nothing_whatever_they_are_about(type_: str) -> None:
    assert cause_of(event(type_=type_)) is None
    assert cause_of(event("nonsense", type_, None)) is None


@pytest.mark.parametrize(
    "type_",
    ["ResourceWriteSuccess", "ResourceDeleteSuccess", "ResourceWriteFailure", "ResourceWriteCancel"],
)
def test_every_outcome_of_a_write_makes_us_look(type_: str) -> None:
    assert cause_of(event(type_=f"Microsoft.Resources.{type_}")) is not None


@pytest.mark.parametrize("subject", ["nonsense", " ", "/subscriptions", "/subscriptions//x", "\0", "../" * 50])
def test_a_subject_that_is_no_id_is_no_event(subject: str) -> None:
    with pytest.raises(NotAnEventError, match="no resource id") as told:
        cause_of(event(subject))
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 400


def test_an_event_without_a_time_is_none() -> None:
    with pytest.raises(NotAnEventError, match="without a time"):
        cause_of(event(at=None))


STORAGE = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/s"
TAGS = "providers/Microsoft.Resources/tags/default"


@pytest.mark.parametrize("subject", [STORAGE, f"{STORAGE}/{TAGS}"])
def test_what_cannot_change_egress_is_dropped(subject: str) -> None:
    assert cause_of(event(subject)) is None


@pytest.mark.parametrize("tagged", [vnet_id(), GROUP, f"/subscriptions/{SUB}", nat_id()])
@pytest.mark.parametrize("tags", [TAGS, TAGS.upper(), f"{TAGS}/"])
def test_new_tags_make_us_look_at_what_has_them(tagged: str, tags: str) -> None:
    cause = cause_of(event(f"{tagged}/{tags}"))
    assert cause is not None
    assert cause.subject == tagged


def test_a_correlation_id_that_is_no_text_is_left_out() -> None:
    cause = cause_of(event(correlationId={"a": 1}))
    assert cause is not None
    assert cause.correlation_id is None
