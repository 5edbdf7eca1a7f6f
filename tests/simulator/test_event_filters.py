"""Filters of event subscriptions: every operator, what is missing, and the limits."""

from typing import Any

import pytest

from simulator.arm import Arm, ManualClock
from simulator.errors import ArmError
from simulator.estates import BadEstate
from simulator.event_filters import advanced_filters
from tests.simulator.cloud import GROUP, SUBSCRIPTION, Cloud

PATH = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.EventGrid/eventSubscriptions/mine"
WEBHOOK = {"endpointType": "WebHook", "properties": {"endpointUrl": "http://127.0.0.1:7071/hook"}}
EVENT = {
    "subject": "/Some/Where",
    "eventType": "Written",
    "data": {"text": "Alpha", "number": 7, "flag": True, "none": None, "list": ["x", "y"], "dotted.name": "z"},
}


def passes(operator: str, key: str, values: object = None, **filter_members: Any) -> bool:
    said: dict[str, Any] = {"operatorType": operator, "key": key}
    if values is not None:
        said["values" if isinstance(values, list) else "value"] = values
    (read,) = advanced_filters({"advancedFilters": [said], **filter_members})
    return read.passes(EVENT)


@pytest.mark.parametrize(
    ("operator", "key", "values", "passed"),
    [
        ("StringContains", "data.text", ["LPH", "no"], True),
        ("StringContains", "data.text", ["no"], False),
        ("StringNotContains", "data.text", ["no"], True),
        ("StringNotContains", "data.text", ["no", "lph"], False),
        ("StringBeginsWith", "Subject", ["/some"], True),
        ("StringNotBeginsWith", "Subject", ["/some"], False),
        ("StringEndsWith", "subject", ["WHERE"], True),
        ("StringNotEndsWith", "subject", ["there"], True),
        ("StringIn", "Data.Text", ["beta", "ALPHA"], True),
        ("StringIn", "data.text", ["alph"], False),
        ("StringNotIn", "data.text", ["beta"], True),
        ("StringNotIn", "data.text", ["alpha"], False),
        ("StringIn", "data.number", ["7"], False),
        ("StringNotContains", "data.number", ["x"], False),
        ("NumberIn", "data.number", [1, 7.0], True),
        ("NumberIn", "data.flag", [1], False),
        ("NumberNotIn", "data.number", [7], False),
        ("NumberNotIn", "data.text", [7], False),
        ("NumberLessThan", "data.number", 7, False),
        ("NumberLessThanOrEquals", "data.number", 7, True),
        ("NumberGreaterThan", "data.number", 6.5, True),
        ("NumberGreaterThanOrEquals", "data.number", 7.5, False),
        ("NumberInRange", "data.number", [[1, 2], [7, 8]], True),
        ("NumberNotInRange", "data.number", [[1, 2], [7, 8]], False),
        ("BoolEquals", "data.flag", True, True),
        ("BoolEquals", "data.flag", False, False),
        ("BoolEquals", "data.number", True, False),
        ("IsNullOrUndefined", "data.none", None, True),
        ("IsNullOrUndefined", "data.absent", None, True),
        ("IsNullOrUndefined", "data.text", None, False),
        ("IsNotNull", "data.text", None, True),
        ("IsNotNull", "data.none", None, False),
        ("StringIn", "data.dotted.name", ["z"], False),
        ("StringIn", "data.text.deeper", ["alpha"], False),
    ],
)
def test_operators(operator: str, key: str, values: object, passed: bool) -> None:
    assert passes(operator, key, values) is passed


@pytest.mark.parametrize(
    ("operator", "values"),
    [
        *[(f"String{name}", ["x"]) for name in ("Contains", "NotContains", "BeginsWith", "NotBeginsWith", "EndsWith")],
        *[("StringNotEndsWith", ["x"]), ("StringIn", ["x"]), ("NumberIn", [1]), ("NumberInRange", [[1, 2]])],
        *[(f"Number{name}", 1) for name in ("LessThan", "LessThanOrEquals", "GreaterThan", "GreaterThanOrEquals")],
        ("BoolEquals", True),
    ],
)
def test_missing_key_is_not_matched(operator: str, values: object) -> None:
    assert not passes(operator, "data.absent", values)


@pytest.mark.parametrize("operator", ["StringNotIn", "NumberNotIn"])
def test_missing_key_is_matched_by_not_in(operator: str) -> None:
    assert passes(operator, "data.absent", ["x"] if operator == "StringNotIn" else [1])


def test_elements_of_arrays_are_seen_only_when_asked_for() -> None:
    assert not passes("StringIn", "data.list", ["y"])
    assert passes("StringIn", "data.list", ["y"], enableAdvancedFilteringOnArrays=True)
    assert not passes("StringNotIn", "data.list", ["y"], enableAdvancedFilteringOnArrays=True)
    assert passes("StringNotIn", "data.list", ["z"], enableAdvancedFilteringOnArrays=True)


def one(values: list[Any], key: str = "data.text") -> dict[str, Any]:
    return {"operatorType": "StringIn", "key": key, "values": values}


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ([one(["x"])] * 26, "number of advanced filters allowed on an event subscription is 25"),
        ([one(["x"] * 13), one(["y"] * 13)], "number of values allowed on all advanced filters is 25"),
        ([one(["x" * 513])], "maximum length of a value of an advanced filter is 512"),
        ([{"operatorType": "StringLike", "key": "a", "values": ["x"]}], "'StringLike' of an advanced filter is not"),
        ([one(["x"], key="")], "key '' of an advanced filter is not valid"),
        ([one(["x"], key="data..text")], "key 'data..text' of an advanced filter is not valid"),
        ([one([])], "has no values"),
        ([one([1])], "does not fit the operator type 'StringIn'"),
        ([{"operatorType": "NumberIn", "key": "a", "values": [True]}], "does not fit"),
        ([{"operatorType": "NumberInRange", "key": "a", "values": [[1]]}], "does not fit"),
        ([{"operatorType": "BoolEquals", "key": "a", "value": "true"}], "does not fit"),
        ([{"operatorType": "StringIn", "key": "a", "values": "x"}], "must be an array"),
        (["x"], "must be an array of JSON objects"),
    ],
)
def test_filters_beyond_what_event_grid_takes_are_refused(said: list[Any], text: str) -> None:
    with pytest.raises(ArmError, match="InvalidRequest") as refusal:
        advanced_filters({"advancedFilters": said})
    assert (refusal.value.status, text in refusal.value.message) == (400, True)


def test_limits_themselves_are_taken() -> None:
    filters = [one(["x" * 512]) for _ in range(24)] + [{"operatorType": "IsNotNull", "key": "a"}]
    assert len(advanced_filters({"advancedFilters": filters})) == 25
    assert len(advanced_filters({"advancedFilters": [one(["x"] * 25)]})) == 1


def test_refused_event_subscription_does_not_exist_in_a_cloud_or_an_estate(cloud: Cloud) -> None:
    body = {"properties": {"destination": WEBHOOK, "filter": {"advancedFilters": [one([1])]}}}
    assert cloud.refused("PUT", PATH, body) == (400, "InvalidRequest")
    assert cloud.call("GET", PATH).status == 404
    with pytest.raises(BadEstate, match="does not fit"):
        Arm(ManualClock()).load([{"id": PATH, "type": "Microsoft.EventGrid/eventSubscriptions", **body}])


@pytest.mark.parametrize(
    "properties",
    [
        {"eventDeliverySchema": "CustomInputSchema"},
        {"filter": {"includedEventTypes": "All"}},
        {"retryPolicy": {"maxDeliveryAttempts": 31}},
        {"retryPolicy": {"maxDeliveryAttempts": 0}},
        {"retryPolicy": {"eventTimeToLiveInMinutes": 1441}},
        {"retryPolicy": {"eventTimeToLiveInMinutes": True}},
        {"deadLetterDestination": {"endpointType": "StorageBlob", "properties": {"resourceId": "x"}}},
        {"deadLetterDestination": {"endpointType": "Queue"}},
    ],
)
def test_event_subscriptions_that_event_grid_does_not_take(cloud: Cloud, properties: dict[str, Any]) -> None:
    body = {"properties": {"destination": WEBHOOK, **properties}}
    assert cloud.refused("PUT", PATH, body) == (400, "InvalidRequest")


def heard(cloud: Cloud, schema: str = "EventGridSchema", **chosen: Any) -> list[str]:
    """An event subscription's filter in, the names of those of two new gateways that it hears of out."""
    cloud.call("PUT", PATH, {"properties": {"destination": WEBHOOK, "eventDeliverySchema": schema, "filter": chosen}})
    cloud.arm.take_events()
    cloud.gateway("one")
    cloud.gateway("two")
    return [event.subject.rpartition("/")[2] for delivery in cloud.arm.take_events() for event in delivery.events]


def test_all_filters_hold_together(cloud: Cloud) -> None:
    written = {
        "operatorType": "StringIn",
        "key": "data.operationName",
        "values": ["microsoft.network/natgateways/write"],
    }
    second = {"operatorType": "StringEndsWith", "key": "subject", "values": ["/TWO"]}
    assert heard(cloud, advancedFilters=[written]) == ["one", "two"]
    assert heard(cloud, advancedFilters=[written, second]) == ["two"]
    assert heard(cloud, advancedFilters=[written], subjectEndsWith="/one") == ["one"]
    assert (
        heard(cloud, advancedFilters=[second], includedEventTypes=["Microsoft.Resources.ResourceDeleteSuccess"]) == []
    )
    assert heard(cloud, includedEventTypes=["All"]) == ["one", "two"]


def test_keys_are_those_of_the_schema_that_is_delivered(cloud: Cloud) -> None:
    grid = [{"operatorType": "StringContains", "key": "eventType", "values": ["write"]}]
    event = [{"operatorType": "StringContains", "key": "type", "values": ["write"]}]
    assert (heard(cloud, advancedFilters=grid), heard(cloud, advancedFilters=event)) == (["one", "two"], [])
    schema = "CloudEventSchemaV1_0"
    assert heard(cloud, schema, advancedFilters=grid) == []
    assert heard(cloud, schema, advancedFilters=event) == ["one", "two"]


def test_case_of_subjects_counts_when_asked_for(cloud: Cloud) -> None:
    lowered = GROUP.replace("/resourceGroups/", "/resourcegroups/")
    assert heard(cloud, subjectBeginsWith=GROUP, isSubjectCaseSensitive=True) == []
    assert heard(cloud, subjectBeginsWith=lowered, isSubjectCaseSensitive=True) == ["one", "two"]
    assert heard(cloud, subjectEndsWith="/ONE", isSubjectCaseSensitive=False) == ["one"]
