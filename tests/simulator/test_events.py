"""Event Grid's view: one event per finished write or delete, to those who asked for it."""

import json
from typing import Any

from simulator.arm import Delivery, Event, Request
from tests.simulator.cloud import GROUP, NETWORK, SUBSCRIPTION, Cloud

EVENT_SUBSCRIPTIONS = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.EventGrid/eventSubscriptions"
WRITTEN = "Microsoft.Resources.ResourceWriteSuccess"


def subscribe(cloud: Cloud, path: str = f"{EVENT_SUBSCRIPTIONS}/mine", **properties: Any) -> None:
    destination = {"endpointType": "WebHook", "properties": {"endpointUrl": "http://127.0.0.1:7071/hook"}}
    answer = cloud.call("PUT", path, {"properties": {"destination": destination, **properties}})
    assert answer.status == 201
    assert answer.json()["properties"]["provisioningState"] == "Succeeded"
    cloud.arm.take_events()


def subjects(deliveries: list[Delivery]) -> list[str]:
    return [json.loads(delivery.body)[0]["subject"].rpartition("/providers/")[2] for delivery in deliveries]


def payload(event: Event) -> dict[str, Any]:
    return event.payload("EventGridSchema")


def test_inline_subnets_make_one_event_and_a_child_its_own(cloud: Cloud) -> None:
    subscribe(cloud)
    subnet = {"name": "s", "properties": {"addressPrefix": "10.0.0.0/24"}}
    cloud.put("virtualNetworks/v", {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [subnet]})
    assert subjects(cloud.arm.take_events()) == ["Microsoft.Network/virtualNetworks/v"]
    cloud.subnet("virtualNetworks/v/subnets/s", defaultOutboundAccess=False)
    assert subjects(cloud.arm.take_events()) == ["Microsoft.Network/virtualNetworks/v/subnets/s"]


def test_event_comes_at_the_end_of_the_operation() -> None:
    cloud = Cloud(durations={"": 5})
    subscribe(cloud)
    cloud.put("natGateways/n")
    assert cloud.arm.take_events() == []
    assert cloud.arm.next_due() is not None
    cloud.clock.advance(5)
    assert len(cloud.arm.take_events()) == 1
    assert cloud.arm.take_events() == []


def test_create_tells_who_and_what_but_not_the_request(cloud: Cloud) -> None:
    cloud.call("PUT", "natGateways/n", {"location": "eastus"}, x_ms_correlation_request_id="c0ffee")
    event = payload(cloud.arm.events[-1])
    data = event["data"]
    subject = f"{NETWORK}/natGateways/n".replace("/resourceGroups/", "/resourcegroups/")
    assert event["subject"] == data["resourceUri"] == data["authorization"]["scope"] == subject
    assert event["eventType"] == WRITTEN
    assert event["eventTime"] == "2026-11-21T10:00:00.0000000Z"
    assert event["topic"] == f"/subscriptions/{SUBSCRIPTION}"
    assert data["operationName"] == data["authorization"]["action"] == "Microsoft.Network/natGateways/write"
    assert (data["resourceProvider"], data["status"], data["correlationId"]) == (
        "Microsoft.Network",
        "Succeeded",
        "c0ffee",
    )
    assert (
        data["claims"]["http://schemas.microsoft.com/identity/claims/objectidentifier"]
        == (data["authorization"]["evidence"]["principalId"])
    )
    assert "httpRequest" not in data


def test_update_and_delete_carry_the_request_and_delete_its_own_casing(cloud: Cloud) -> None:
    cloud.put("natGateways/n")
    cloud.call("PUT", "natGateways/n", {"location": "eastus", "tags": {"a": "b"}}, x_ms_client_request_id="mine")
    updated = payload(cloud.arm.events[-1])["data"]["httpRequest"]
    assert (updated["clientRequestId"], updated["method"]) == ("mine", "PUT")
    assert updated["url"] == f"https://management.azure.com{NETWORK}/natGateways/n?api-version=2024-05-01"
    cloud.call("DELETE", "natGateways/n", x_ms_client_request_id="gone")
    deleted = payload(cloud.arm.events[-1])
    assert deleted["eventType"] == "Microsoft.Resources.ResourceDeleteSuccess"
    assert deleted["subject"] == f"{NETWORK}/natGateways/n"
    assert deleted["data"]["httpRequest"]["clientRequestId"] == "gone"


def test_caller_of_a_token_is_named(cloud: Cloud) -> None:
    # {"oid":"o-1","appid":"a-1","tid":"t-1"}, unsigned
    token = "eyJhbGciOiJub25lIn0.eyJvaWQiOiJvLTEiLCJhcHBpZCI6ImEtMSIsInRpZCI6InQtMSJ9."
    cloud.call("PUT", "natGateways/n", {"location": "eastus"}, Authorization=f"Bearer {token}")
    data = cloud.arm.events[-1].data
    assert (data["claims"]["appid"], data["tenantId"]) == ("a-1", "t-1")
    assert data["authorization"]["evidence"]["principalId"] == "o-1"


def test_refused_writes_and_deletes_are_failures(cloud: Cloud) -> None:
    vnet = cloud.vnet()
    cloud.subnet(f"{vnet}/subnets/s")
    cloud.nic("nic", f"{vnet}/subnets/s")
    cloud.call("DELETE", f"{vnet}/subnets/s")
    assert cloud.arm.events[-1].type == "Microsoft.Resources.ResourceDeleteFailure"
    cloud.call("PUT", f"{vnet}/subnets/t", {"properties": {"addressPrefix": "1.2.3.0/24"}})
    assert cloud.arm.events[-1].type == "Microsoft.Resources.ResourceWriteFailure"
    assert cloud.arm.events[-1].data["status"] == "Failed"


def test_group_and_its_contents_are_told_of(cloud: Cloud) -> None:
    cloud.call("PUT", f"{GROUP}2", {"location": "eastus"})
    event = cloud.arm.events[-1]
    assert event.data["operationName"] == "Microsoft.Resources/subscriptions/resourceGroups/write"
    assert event.subject == f"{GROUP}2".replace("/resourceGroups/", "/resourcegroups/")
    cloud.vnet()
    cloud.call("DELETE", GROUP)
    assert [event.subject for event in cloud.arm.events[-2:]] == [f"{NETWORK}/virtualNetworks/v", GROUP]


def test_filters_choose_types_and_subjects(cloud: Cloud) -> None:
    subscribe(
        cloud,
        filter={
            "includedEventTypes": [WRITTEN],
            "subjectBeginsWith": GROUP,
            "subjectEndsWith": "/WANTED",
        },
    )
    for name in ("wanted", "other"):
        cloud.gateway(name)
    cloud.call("DELETE", "natGateways/wanted")
    assert subjects(cloud.arm.take_events()) == ["Microsoft.Network/natGateways/wanted"]


def test_scope_of_a_group_and_of_a_system_topic(cloud: Cloud) -> None:
    subscribe(cloud, f"{GROUP}/providers/Microsoft.EventGrid/eventSubscriptions/group")
    topic = f"{GROUP}2/providers/Microsoft.EventGrid/systemTopics/topic"
    cloud.call("PUT", f"{GROUP}2", {"location": "eastus"})
    source = {"source": f"/subscriptions/{SUBSCRIPTION}", "topicType": "Microsoft.Resources.Subscriptions"}
    cloud.put(topic, source, location="global")
    subscribe(cloud, f"{topic}/eventSubscriptions/all")
    cloud.call("PUT", f"{GROUP}3", {"location": "eastus"})
    assert [delivery.subscription.rpartition("/")[2] for delivery in cloud.arm.take_events()] == ["all"]
    cloud.gateway("n")
    assert len(cloud.arm.take_events()) == 2


def test_cloud_events_are_single_objects(cloud: Cloud) -> None:
    subscribe(cloud, eventDeliverySchema="CloudEventSchemaV1_0")
    cloud.gateway("n")
    (delivery,) = cloud.arm.take_events()
    event = json.loads(delivery.body)
    assert delivery.headers["Content-Type"].startswith("application/cloudevents+json")
    assert (event["specversion"], event["source"], event["type"]) == ("1.0", f"/subscriptions/{SUBSCRIPTION}", WRITTEN)
    assert "topic" not in event


def test_failed_deliveries_follow_the_schedule_and_end(cloud: Cloud) -> None:
    subscribe(cloud)
    cloud.gateway("n")
    (delivery,) = cloud.arm.take_events()
    cloud.arm.delivery_failed(delivery)
    waits = []
    while (due := cloud.arm.next_due()) is not None:
        waits.append(round((due - cloud.clock.now()).total_seconds()))
        cloud.clock.advance(waits[-1])
        for delivery in cloud.arm.take_events():
            cloud.arm.delivery_failed(delivery)
    assert waits[:8] == [10, 30, 60, 300, 600, 1800, 3600, 3600]
    assert (len(waits), set(waits[6:])) == (29, {3600})


def test_deleted_event_subscription_gets_nothing_more(cloud: Cloud) -> None:
    subscribe(cloud)
    cloud.gateway("n")
    (delivery,) = cloud.arm.take_events()
    assert cloud.call("DELETE", f"{EVENT_SUBSCRIPTIONS}/mine").status == 200
    cloud.arm.delivery_failed(delivery)
    cloud.gateway("m")
    assert cloud.arm.take_events() == []


def test_reset_forgets_events_and_subscriptions(cloud: Cloud) -> None:
    subscribe(cloud)
    cloud.gateway("n")
    assert cloud.arm.handle(Request("POST", "/simulator/reset")).status == 200
    assert (cloud.arm.events, cloud.arm.take_events(), cloud.arm.requests, cloud.arm.export()) == ([], [], [], [])


def test_an_event_subscription_without_an_endpoint_to_ask_is_there_at_once() -> None:
    cloud = Cloud(handshakes=True)
    account = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/a"
    destination = {"endpointType": "StorageQueue", "properties": {"resourceId": account, "queueName": "q"}}
    answer = cloud.call("PUT", f"{EVENT_SUBSCRIPTIONS}/mine", {"properties": {"destination": destination}})
    assert (answer.status, answer.json()["properties"]["provisioningState"]) == (201, "Succeeded")
