"""Event subscriptions as resources: written, changed in part, read without their secrets, listed; and their batches."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from simulator.arm import Arm, Delivery, Fault, ManualClock
from simulator.deliveries import Batching, Pending, RetryPolicy
from simulator.event_subscriptions import EventSubscription, Filter
from simulator.events import Event
from tests.simulator.cloud import GROUP, NETWORK, SUBSCRIPTION, Cloud

SCOPE = f"/subscriptions/{SUBSCRIPTION}"
PATH = f"{SCOPE}/providers/Microsoft.EventGrid/eventSubscriptions/mine"
TOPIC = f"{GROUP}/providers/Microsoft.EventGrid/systemTopics/arm"
QUEUE: dict[str, Any] = {
    "endpointType": "StorageQueue",
    "properties": {
        "resourceId": f"{GROUP}/providers/Microsoft.Storage/storageAccounts/s",
        "queueName": "egress-events",
    },
}
FUNCTION: dict[str, Any] = {
    "endpointType": "AzureFunction",
    "properties": {"resourceId": f"{GROUP}/providers/Microsoft.Web/sites/app/functions/resource_changed"},
}


def webhook(url: str = "http://127.0.0.1:7071/hook?code=secret", **more: Any) -> dict[str, Any]:
    return {"endpointType": "WebHook", "properties": {"endpointUrl": url, **more}}


def subscribed(cloud: Cloud, path: str = PATH, **properties: Any) -> dict[str, Any]:
    found = cloud.put(path, {"destination": webhook(), **properties})
    cloud.arm.take_events()
    return found


def refused(cloud: Cloud, properties: dict[str, Any], path: str = PATH) -> str:
    answer = cloud.call("PUT", path, {"properties": properties})
    assert (answer.status, answer.json()["error"]["code"]) == (400, "InvalidRequest")
    said: str = answer.json()["error"]["message"]
    return said


# --- what is written and read -----------------------------------------------------------------------


def test_url_of_a_webhook_is_told_to_who_asks_for_it_only(cloud: Cloud) -> None:
    written = subscribed(cloud)
    batch = {"maxEventsPerBatch": 1, "preferredBatchSizeInKilobytes": 64}
    told = {"endpointType": "WebHook", "properties": {"endpointBaseUrl": "http://127.0.0.1:7071/hook", **batch}}
    listed = cloud.get(PATH.rpartition("/")[0])["value"]
    for shown in (written, cloud.get(PATH), *listed):
        assert shown["properties"] == {
            "destination": told,
            "eventDeliverySchema": "EventGridSchema",
            "filter": {"subjectBeginsWith": "", "subjectEndsWith": ""},
            "provisioningState": "Succeeded",
            "retryPolicy": {"maxDeliveryAttempts": 30, "eventTimeToLiveInMinutes": 1440},
            "topic": SCOPE,
        }
    assert b"secret" not in cloud.call("GET", PATH).body
    assert cloud.call("POST", f"{PATH}/getFullUrl").json() == {"endpointUrl": "http://127.0.0.1:7071/hook?code=secret"}
    event = cloud.arm.events[-1]
    assert event.type == "Microsoft.Resources.ResourceActionSuccess"
    assert event.data["operationName"] == "Microsoft.EventGrid/eventSubscriptions/getFullUrl/action"
    assert cloud.call("POST", f"{PATH}/getDeliveryAttributes").json() == {"value": []}
    assert cloud.refused("POST", f"{PATH}2/getFullUrl")[0] == 404


def test_body_that_was_read_cannot_be_written_back_without_the_url(cloud: Cloud) -> None:
    subscribed(cloud)
    assert "endpoint URL" in refused(cloud, cloud.get(PATH)["properties"])
    estate = Arm(ManualClock(), estate=cloud.arm.export()).export()
    assert estate == cloud.arm.export()
    assert [entry["properties"]["destination"] for entry in estate if entry["id"] == PATH] == [webhook()]


def test_stale_read_keeps_the_secret_too(cloud: Cloud) -> None:
    subscribed(cloud)
    cloud.arm.faults.append(Fault(method="GET", stale=60, count=None))
    cloud.call("PATCH", PATH, {"labels": ["new"]})
    answer = cloud.call("GET", PATH)
    assert "labels" not in answer.json()["properties"]
    assert b"secret" not in answer.body


def test_patch_replaces_members_of_the_properties_and_keeps_the_others(cloud: Cloud) -> None:
    subscribed(cloud, filter={"subjectEndsWith": "/wanted"}, labels=["a"], retryPolicy={"maxDeliveryAttempts": 3})
    sent = {"filter": {"subjectEndsWith": "/other"}, "labels": None, "topic": "/x", "properties": {"labels": ["b"]}}
    answer = cloud.call("PATCH", PATH, sent)
    assert answer.status == 201
    found = cloud.get(PATH)["properties"]
    assert found["filter"] == {"subjectBeginsWith": "", "subjectEndsWith": "/other"}
    assert (found["retryPolicy"], found["topic"]) == ({"maxDeliveryAttempts": 3}, SCOPE)
    assert found.keys().isdisjoint({"labels", "properties"})
    assert cloud.arm.events[-1].data["operationName"] == "Microsoft.EventGrid/eventSubscriptions/write"
    for name in ("wanted", "other"):
        cloud.gateway(name)
    (delivery,) = cloud.arm.take_events()
    assert delivery.events[0].subject.endswith("/other")
    assert delivery.url.endswith("code=secret")


def test_patch_of_the_destination_holds_for_what_waits_already(cloud: Cloud) -> None:
    subscribed(cloud)
    cloud.gateway("n")
    (delivery,) = cloud.arm.take_events()
    cloud.arm.delivery_failed(delivery, 500)
    cloud.call("PATCH", PATH, {"destination": webhook("http://127.0.0.1:1/elsewhere")})
    cloud.clock.advance(10)
    assert {one.url for one in cloud.arm.take_events()} == {"http://127.0.0.1:1/elsewhere"}


def test_patch_asks_for_no_more_than_a_put_may(cloud: Cloud) -> None:
    subscribed(cloud)
    before = cloud.get(PATH)
    status, code = cloud.refused("PATCH", PATH, {"retryPolicy": {"maxDeliveryAttempts": 31}})
    assert (status, code) == (400, "InvalidRequest")
    assert cloud.get(PATH) == before
    assert cloud.refused("PATCH", f"{PATH}2", {"labels": []})[0] == 404


def test_patched_endpoint_is_validated_again() -> None:
    cloud = Cloud(handshakes=True)
    cloud.put(PATH, {"destination": webhook()})
    cloud.arm.confirm(PATH.casefold(), accepted=True)
    answer = cloud.call("PATCH", PATH, {"destination": webhook("http://127.0.0.1:1/new")})
    assert answer.json()["properties"]["provisioningState"] == "Updating"
    assert [found.url for found in cloud.arm.unconfirmed()] == ["http://127.0.0.1:1/new"]
    cloud.arm.confirm(PATH.casefold(), accepted=True)
    assert cloud.get(PATH)["properties"]["provisioningState"] == "Succeeded"


@pytest.mark.parametrize(
    ("properties", "text"),
    [
        ({}, "needs a destination"),
        ({"destination": {}}, "endpoint type"),
        ({"destination": {"endpointType": "WebHook"}}, "endpoint URL"),
        ({"destination": {"endpointType": "AzureFunction", "properties": {"resourceId": TOPIC}}}, "sites/functions"),
        (
            {"destination": {"endpointType": "StorageQueue", "properties": QUEUE["properties"] | {"queueName": ""}}},
            "qu",
        ),
        ({"destination": webhook(maxEventsPerBatch=5001)}, "from 1 to 5000"),
        ({"destination": webhook(preferredBatchSizeInKilobytes=0)}, "from 1 to 1024"),
        ({"destination": webhook(), "deliveryWithResourceIdentity": {"destination": QUEUE}}, "cannot have both"),
    ],
)
def test_destinations_that_are_none_are_refused(cloud: Cloud, properties: dict[str, Any], text: str) -> None:
    assert text in refused(cloud, properties)
    assert cloud.call("GET", PATH).status == 404


@pytest.mark.parametrize("destination", [QUEUE, FUNCTION])
def test_destinations_in_azure_are_stored_and_get_nothing(cloud: Cloud, destination: dict[str, Any]) -> None:
    found = cloud.put(PATH, {"destination": destination})["properties"]["destination"]
    assert found["properties"].items() >= destination["properties"].items()
    assert cloud.call("POST", f"{PATH}/getFullUrl").json() == {"endpointUrl": None}
    cloud.gateway("n")
    assert cloud.arm.take_events() == []


def test_topic_has_500_event_subscriptions_at_most() -> None:
    cloud = Cloud(throttle="off")
    collection = PATH.rpartition("/")[0]
    for number in range(500):
        subscribed(cloud, f"{collection}/s{number}")
    assert "is 500" in refused(cloud, {"destination": webhook()}, f"{collection}/one-more")
    subscribed(cloud, f"{collection}/s7")
    subscribed(cloud, f"{GROUP}/providers/Microsoft.EventGrid/eventSubscriptions/elsewhere")


# --- what a deployment makes ------------------------------------------------------------------------


def topic(cloud: Cloud, **identity: Any) -> dict[str, Any]:
    source = {"source": SCOPE, "topicType": "Microsoft.Resources.Subscriptions"}
    return cloud.put(TOPIC, source, location="global", **({"identity": identity} if identity else {}))


def by(identity: dict[str, Any]) -> dict[str, Any]:
    return {"deliveryWithResourceIdentity": {"identity": identity, "destination": QUEUE}}


def test_topic_delivers_under_an_identity_that_it_has(cloud: Cloud) -> None:
    path, own = f"{TOPIC}/eventSubscriptions/mine", {"type": "SystemAssigned"}
    topic(cloud)
    assert "no identity of type 'SystemAssigned'" in refused(cloud, by(own), path)
    made = topic(cloud, **own)["identity"]
    assert made == {"type": "SystemAssigned", "principalId": made["principalId"], "tenantId": made["tenantId"]}
    assert topic(cloud, **own)["identity"] == made
    lost = {"endpointType": "StorageBlob", "properties": {**QUEUE["properties"], "blobContainerName": "dead"}}
    dead = {"deadLetterWithResourceIdentity": {"identity": own, "deadLetterDestination": lost}}
    found = cloud.put(path, {**by(own), **dead, "eventDeliverySchema": "EventGridSchema"})["properties"]
    assert found["deliveryWithResourceIdentity"] == by(own)["deliveryWithResourceIdentity"]
    assert "destination" not in found
    assert found["topic"] == TOPIC
    user = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/u"
    named = {"type": "UserAssigned", "userAssignedIdentity": user}
    assert "UserAssigned" in refused(cloud, by(named), path)
    topic(cloud, type="SystemAssigned, UserAssigned", userAssignedIdentities={user: {}})
    assert "does not have the identity" in refused(cloud, by(named | {"userAssignedIdentity": f"{user}2"}), path)
    cloud.put(path, by(named))


def test_patch_of_one_kind_of_destination_takes_the_place_of_the_other(cloud: Cloud) -> None:
    topic(cloud, type="SystemAssigned")
    path = f"{TOPIC}/eventSubscriptions/mine"
    cloud.put(path, {"destination": webhook()})
    answer = cloud.call("PATCH", path, by({"type": "SystemAssigned"}))
    assert answer.status == 201
    assert "destination" not in answer.json()["properties"]
    assert cloud.call("PATCH", path, {"destination": webhook()}).json()["properties"].keys().isdisjoint(by({}))


def test_patch_gives_a_topic_an_identity(cloud: Cloud) -> None:
    topic(cloud)
    answer = cloud.call("PATCH", TOPIC, {"identity": {"type": "SystemAssigned"}, "tags": {"a": "b"}})
    assert (answer.status, answer.json()["tags"], "principalId" in answer.json()["identity"]) == (200, {"a": "b"}, True)
    assert cloud.get(TOPIC)["properties"]["source"] == SCOPE


# --- lists ------------------------------------------------------------------------------------------


def test_lists_tell_scopes_places_and_kinds_apart(cloud: Cloud) -> None:
    cloud.gateway("n")
    cloud.put(f"{NETWORK}/routeTables/t", {}, location="westus")
    for place in (SCOPE, GROUP, f"{NETWORK}/natGateways/n", f"{NETWORK}/routeTables/t"):
        name = place.rpartition("/")[2]
        subscribed(cloud, f"{place}/providers/Microsoft.EventGrid/eventSubscriptions/of-{name[:3]}")

    def names(path: str) -> list[str]:
        return [found["name"] for found in cloud.get(path)["value"]]

    def grid(tail: str, scope: str = SCOPE) -> list[str]:
        return names(f"{scope}/providers/Microsoft.EventGrid/{tail}/eventSubscriptions")

    assert names(f"{SCOPE}/providers/Microsoft.EventGrid/eventSubscriptions") == ["of-000", "of-rg"]
    assert names(f"{GROUP}/providers/Microsoft.EventGrid/eventSubscriptions") == ["of-rg"]
    assert names(f"{NETWORK}/natGateways/n/providers/Microsoft.EventGrid/eventSubscriptions") == ["of-n"]
    assert grid("topicTypes/microsoft.resources.subscriptions") == ["of-000"]
    assert grid("topicTypes/Microsoft.Resources.ResourceGroups") == ["of-rg"]
    assert grid("topicTypes/Microsoft.Resources.ResourceGroups", GROUP) == ["of-rg"]
    assert grid("topicTypes/Microsoft.Resources.Subscriptions", GROUP) == []
    assert grid("locations/global") == ["of-000", "of-rg"]
    assert (grid("locations/eastus"), grid("locations/westus", GROUP)) == (["of-n"], ["of-t"])
    assert grid("locations/eastus/topicTypes/Microsoft.Network.natGateways") == ["of-n"]
    assert grid("locations/westus/topicTypes/Microsoft.Network.natGateways") == []


# --- batches ----------------------------------------------------------------------------------------


def bodies(deliveries: list[Delivery]) -> list[list[str]]:
    """Deliveries in, the names of the gateways that each of them tells of out."""
    return [[event["subject"].rpartition("/")[2] for event in json.loads(one.body)] for one in deliveries]


def test_events_of_one_time_come_in_batches_where_they_were_asked_for(cloud: Cloud) -> None:
    subscribed(cloud, destination=webhook(maxEventsPerBatch=3))
    for number in range(7):
        cloud.gateway(f"n{number}")
    deliveries = cloud.arm.take_events()
    assert bodies(deliveries) == [["n0", "n1", "n2"], ["n3", "n4", "n5"], ["n6"]]
    assert {one.headers["aeg-delivery-count"] for one in deliveries} == {"0"}
    cloud.gateway("late")
    assert bodies(cloud.arm.take_events()) == [["late"]]  # nobody waits for a batch to be full


def test_batch_is_acknowledged_as_a_whole_and_comes_again_as_one(cloud: Cloud) -> None:
    subscribed(cloud, destination=webhook(maxEventsPerBatch=10))
    for number in range(3):
        cloud.gateway(f"n{number}")
    (first,) = cloud.arm.take_events()
    cloud.arm.delivery_failed(first, 500)
    cloud.clock.advance(10)
    cloud.gateway("new")
    new, again = sorted(cloud.arm.take_events(), key=lambda one: one.attempt)
    assert (bodies([new, again]), again.attempt) == ([["new"], ["n0", "n1", "n2"]], 2)
    assert (new.headers["aeg-delivery-count"], again.headers["aeg-delivery-count"]) == ("0", "1")


def test_cloud_events_in_batches_have_a_type_of_content_of_their_own(cloud: Cloud) -> None:
    batch = webhook(maxEventsPerBatch=2)
    subscribed(cloud, destination=batch, eventDeliverySchema="CloudEventSchemaV1_0")
    cloud.gateway("n")
    (delivery,) = cloud.arm.take_events()
    assert delivery.headers["Content-Type"] == "application/cloudevents-batch+json; charset=utf-8"
    assert [event["specversion"] for event in json.loads(delivery.body)] == ["1.0"]


def test_batch_is_no_larger_than_was_preferred_unless_one_event_is() -> None:
    event = Event("e", "t", datetime(2026, 11, 21, tzinfo=UTC), "/s", "x", {"text": "." * 400})
    no_filter = Filter(frozenset(), "", "", minds_case=False, advanced=())
    sizes = []
    for kilobytes in (1, 2, 4):
        batching = Batching(events=100, size=1024 * kilobytes)
        asked = EventSubscription("k", "/s", "u", "EventGridSchema", no_filter, RetryPolicy(), batching)
        made = list(asked.deliveries([Pending(event, "k")] * 6))
        assert all(len(one.body) <= 1024 * kilobytes for one in made)
        sizes.append([len(one.pending) for one in made])
    assert sizes == [[1] * 6, [3, 3], [6]]
    large = Event("e", "t", event.moment, "/s", "x", {"text": "." * 5000})
    asked = EventSubscription("k", "/s", "u", "EventGridSchema", no_filter, RetryPolicy(), Batching(100, 1024))
    assert [len(one.pending) for one in asked.deliveries([Pending(large, "k")] * 2)] == [1, 1]


# --- schemas ----------------------------------------------------------------------------------------


def test_events_have_the_members_of_documented_ones(cloud: Cloud, shared: Path) -> None:
    subscribed(cloud)
    cloud.gateway("n")
    written = cloud.arm.events[-1]
    cloud.call("DELETE", "natGateways/n")
    deleted = cloud.arm.events[-1]
    cloud.call("POST", f"{PATH}/getFullUrl")
    asked = cloud.arm.events[-1]
    for event, name in ((written, "Write"), (deleted, "Delete"), (asked, "Action")):
        (sample,) = json.loads((shared / "samples" / "events" / f"docs_Resource{name}Success.json").read_text())
        ours = event.payload("EventGridSchema")
        assert ours.keys() == sample.keys()
        assert ours["eventType"] == sample["eventType"]
        assert {key: type(value) for key, value in ours["data"].items()} == {
            key: type(value) for key, value in sample["data"].items()
        }
        assert ours["data"]["authorization"].keys() == sample["data"]["authorization"].keys()
        assert ours["data"].get("httpRequest", {}).keys() == sample["data"].get("httpRequest", {}).keys()
        assert ours["data"]["claims"].keys() <= sample["data"]["claims"].keys()
        assert len(ours["eventTime"]) == len("2018-07-19T18:38:04.6117357Z")
        assert ours["dataVersion"] == sample["dataVersion"]
        cased = "/resourcegroups/" if name == "Write" else "/resourceGroups/"
        assert (cased in sample["subject"]) == (cased in ours["subject"] or "/resource" not in ours["subject"].lower())
        cloud_event = event.payload("CloudEventSchemaV1_0")
        renamed = {"type": "eventType", "time": "eventTime", "source": "topic"}
        assert cloud_event.pop("specversion") == "1.0"
        assert cloud_event == {key: ours[renamed.get(key, key)] for key in cloud_event}
        assert cloud_event.keys() == {"id", "source", "type", "subject", "time", "data"}
    minimal = json.loads((shared / "samples" / "events" / "c7n_ResourceWriteSuccess_minimal.json").read_text())
    cloud.call("PUT", f"{GROUP}2", {"location": "eastus"})
    ours = cloud.arm.events[-1].payload("EventGridSchema")
    assert minimal.keys() <= ours.keys()
    assert minimal["data"].keys() <= ours["data"].keys()
    assert ours["data"]["operationName"] == minimal["data"]["operationName"]


@pytest.mark.parametrize(
    "url", ["//host", "ftp://host/", "http:///hook", "http://a..b/", f"https://{'a' * 64}/", "http://[::1", "x", 7]
)
def test_an_endpoint_that_leads_nowhere_is_refused(cloud: Cloud, url: Any) -> None:
    status, code = cloud.refused("PUT", PATH, {"properties": {"destination": webhook(url)}})
    assert (status, code) == (400, "InvalidRequest")


@pytest.mark.parametrize("name", ["a%00b", "a%0Ab", "%C3%A9", "a_b", "a" * 65])
def test_a_name_that_no_delivery_could_carry_is_refused(cloud: Cloud, name: str) -> None:
    path = f"{PATH.rpartition('/')[0]}/{name}"
    assert cloud.refused("PUT", path, {"properties": {"destination": webhook()}}) == (400, "InvalidRequest")
