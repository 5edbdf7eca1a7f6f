"""What Event Grid posts, decoded by azure-functions as the worker does, in; the message it becomes out."""

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import azure.functions as func
import msgspec
import pytest
from azure.eventgrid import EventGridEvent
from azure.functions.eventgrid import EventGridEventInConverter
from azure.functions.meta import Datum

from functions.resource_changed import received
from governor import messages
from governor.core.cause import Caller, Cause, Source

SUBNET = "/subscriptions/s/resourcegroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets/a"
WRITTEN = {
    "id": "1",
    "subject": SUBNET,
    "eventType": "Microsoft.Resources.ResourceWriteSuccess",
    "eventTime": "2026-11-21T10:00:00.6117357Z",
    "topic": "/subscriptions/s",
    "dataVersion": "2",
    "metadataVersion": "1",
    "data": {
        "correlationId": "c-1",
        "operationName": "Microsoft.Network/virtualNetworks/subnets/write",
        "claims": {
            "appid": "app",
            "http://schemas.microsoft.com/identity/claims/objectidentifier": "oid",
            "name": "Ann",
            "ipaddr": "10.0.0.9",
        },
    },
}
CLOUD = {
    "specversion": "1.0",
    "id": "1",
    "source": "/subscriptions/s",
    "type": WRITTEN["eventType"],
    "subject": SUBNET,
    "time": WRITTEN["eventTime"],
    "data": WRITTEN["data"],
}


def decoded(event: dict[str, Any]) -> func.EventGridEvent | func.CloudEvent:
    return EventGridEventInConverter.decode(Datum(json.dumps(event), "json"), trigger_metadata={})


def cause(event: dict[str, Any]) -> Cause | None:
    message = received(decoded(event))
    if message is None:
        return None
    read = messages.decode(message.encode())
    assert isinstance(read, Cause)
    return read


@pytest.mark.parametrize("event", [WRITTEN, CLOUD], ids=["EventGridSchema", "CloudEvents"])
def test_both_schemas_become_the_same_cause(event: dict[str, Any]) -> None:
    assert cause(event) == Cause(
        source=Source.EVENT,
        time=datetime(2026, 11, 21, 10, 0, 0, 611735, tzinfo=UTC),
        subject=SUBNET,
        caller=Caller("oid", "app", "Ann"),
        correlation_id="c-1",
    )


def test_no_other_claim_is_kept() -> None:
    assert "10.0.0.9" not in (received(decoded(WRITTEN)) or "")


@pytest.mark.parametrize("claims", [{}, None, "x", {"ipaddr": "10.0.0.9"}])
def test_an_event_without_claims_has_no_caller(claims: object) -> None:
    event = copy.deepcopy(WRITTEN)
    event["data"]["claims"] = claims  # type: ignore[index]
    found = cause(event)
    assert found is not None
    assert found.caller is None


def test_what_the_official_library_builds_is_understood() -> None:
    built = EventGridEvent(
        subject=SUBNET, event_type="Microsoft.Resources.ResourceDeleteSuccess", data={}, data_version="2"
    )
    found = cause(_members(built))
    assert found is not None
    assert found.subject == SUBNET


def _members(event: EventGridEvent) -> dict[str, Any]:
    return {
        "id": str(event.id),
        "subject": event.subject,
        "eventType": event.event_type,
        "eventTime": str(event.event_time),
        "data": event.data,
        "dataVersion": event.data_version,
    }


@pytest.mark.parametrize(
    "change",
    [
        {"eventType": "Microsoft.Resources.ResourceActionSuccess"},
        {"eventType": "Microsoft.Storage.BlobCreated"},
        {"subject": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a"},
    ],
)
def test_what_tells_nothing_about_egress_becomes_nothing(change: dict[str, str]) -> None:
    assert received(decoded({**WRITTEN, **change})) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"subject": "not an id"}, "no resource id"),
        ({"subject": ""}, "no resource id"),
        ({"eventTime": None}, "without a time"),
        ({"subject": f"{SUBNET}{'a' * 9000}"}, "does not fit into a message"),
        ({"eventType": "Microsoft.Resources.ResourceWrite\nSuccess", "subject": "x"}, r"ResourceWrite\\nSuccess"),
        ({"data": {"correlationId": "\ud800"}}, "surrogates not allowed"),
    ],
)
def test_what_came_as_an_event_and_is_none_is_kept_to_be_recorded(change: dict[str, Any], said: str) -> None:
    message = received(decoded({**WRITTEN, **change}))
    assert message is not None
    assert said in message
    assert isinstance(messages.decode(message.encode()), messages.Garbage)


def test_the_published_samples(shared: Path) -> None:
    found = {}
    for sample in sorted((shared / "samples" / "events").glob("*.json")):
        event = json.loads(sample.read_text())
        for one in event if isinstance(event, list) else [event]:
            message = received(decoded(one))
            found[sample.stem] = None if message is None else messages.decode(message.encode())
    # Documentation writes {subscription-id}; storage accounts, virtual machines and actions tell nothing of egress.
    # A resource group has tags, which select policies.
    assert set(found) == {
        "c7n_ResourceWriteSuccess_minimal",
        "docs_ResourceActionSuccess",
        "docs_ResourceDeleteSuccess",
        "docs_ResourceWriteSuccess",
    }
    group = found.pop("c7n_ResourceWriteSuccess_minimal")
    assert isinstance(group, Cause)
    assert all(value is None for value in found.values()), found


def test_a_huge_event_still_fits_into_a_message() -> None:
    event = copy.deepcopy(WRITTEN)
    event["data"]["claims"]["name"] = "x" * 100_000  # type: ignore[index]
    message = received(decoded(event))
    assert message is not None
    assert len(message) <= 8 * 1024
    assert msgspec.json.decode(message)["subject"] == SUBNET
