"""System topics and their event subscriptions: one topic for a source, and events of that source only."""

from typing import Any

import pytest

from tests.simulator.cloud import GROUP, SUBSCRIPTION, Cloud

SOURCE = f"/subscriptions/{SUBSCRIPTION}"
TOPIC = f"{GROUP}/providers/Microsoft.EventGrid/systemTopics/arm"
SUBSCRIPTIONS = "Microsoft.Resources.Subscriptions"
WEBHOOK = {"endpointType": "WebHook", "properties": {"endpointUrl": "http://127.0.0.1:7071/hook"}}


def topic(source: str = SOURCE, kind: str = SUBSCRIPTIONS, location: str = "global") -> dict[str, Any]:
    return {"location": location, "properties": {"source": source, "topicType": kind}}


def test_topic_and_its_event_subscriptions_are_written_read_and_deleted(cloud: Cloud) -> None:
    answer = cloud.call("PUT", TOPIC, topic())
    assert (answer.status, answer.json()["location"]) == (201, "global")
    assert answer.json()["properties"]["provisioningState"] == "Succeeded"
    assert cloud.call("PUT", TOPIC, topic()).status == 200
    cloud.put(f"{TOPIC}/eventSubscriptions/mine", {"destination": WEBHOOK})
    assert [found["name"] for found in cloud.get(f"{TOPIC}/eventSubscriptions")["value"]] == ["mine"]
    cloud.arm.take_events()
    cloud.gateway("n")
    assert len(cloud.arm.take_events()) == 1
    assert cloud.call("DELETE", TOPIC).status == 200
    cloud.gateway("m")
    assert cloud.arm.take_events() == []
    assert cloud.call("PUT", TOPIC, topic()).status == 201


def test_event_subscription_of_a_topic_hears_of_its_source_only(cloud: Cloud) -> None:
    other = "/subscriptions/11111111-1111-1111-1111-111111111111"
    group = f"{other}/resourceGroups/g"
    cloud.arm.load([{"id": group, "type": "Microsoft.Resources/resourceGroups", "location": "eastus"}])
    cloud.call("PUT", TOPIC, topic())
    cloud.put(f"{TOPIC}/eventSubscriptions/mine", {"destination": WEBHOOK})
    cloud.arm.take_events()
    gateway = f"{group}/providers/Microsoft.Network/natGateways/n"
    assert cloud.call("PUT", gateway, {"location": "eastus"}).status == 201
    assert cloud.arm.events_for(gateway)
    assert cloud.arm.take_events() == []


def test_topic_of_another_kind_tells_nothing_of_resources(cloud: Cloud) -> None:
    account = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/a"
    blobs = topic(account, "Microsoft.Storage.StorageAccounts", "eastus")
    assert cloud.call("PUT", TOPIC, blobs).status == 201
    cloud.put(f"{TOPIC}/eventSubscriptions/mine", {"destination": WEBHOOK})
    cloud.put(account, {}, location="eastus")
    assert cloud.arm.take_events() == []


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            topic(),
            f"There is an existing tracked system topic for the given source {SOURCE}. Only one system topic is ",
        ),
        (topic(f"{SOURCE}/"), "There is an existing tracked system topic"),
        (topic(GROUP), "does not fit the source"),
        (topic(GROUP, "Microsoft.Resources.ResourceGroups", "eastus"), "must be global"),
        (topic("/subscriptions/11111111-1111-1111-1111-111111111111"), "must be in the same subscription"),
        (topic(kind=""), "must be given"),
        ({"location": "global"}, "must be given"),
    ],
)
def test_second_topic_of_a_source_and_topics_that_do_not_fit_are_refused(
    cloud: Cloud, body: dict[str, Any], text: str
) -> None:
    cloud.call("PUT", TOPIC, topic())
    second = f"{GROUP}2/providers/Microsoft.EventGrid/systemTopics/second"
    cloud.call("PUT", f"{GROUP}2", {"location": "eastus"})
    answer = cloud.call("PUT", second, body)
    assert (answer.status, answer.json()["error"]["code"]) == (400, "InvalidRequest")
    assert text in answer.json()["error"]["message"]


def test_source_of_a_topic_stays(cloud: Cloud) -> None:
    cloud.call("PUT", TOPIC, topic())
    moved = cloud.call("PUT", TOPIC, topic(GROUP, "Microsoft.Resources.ResourceGroups"))
    assert moved.json()["error"]["message"] == "System topic source cannot be modified."
