"""What becomes of events that nobody acknowledges, and what at-least-once and unordered come to."""

import json
from typing import Any, cast

import pytest

from simulator.arm import Delivery, Disorder, Request
from tests.simulator.cloud import GROUP, NETWORK, SUBSCRIPTION, Cloud

PATH = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.EventGrid/eventSubscriptions/mine"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/lost"
KEPT: dict[str, Any] = {
    "deadLetterDestination": {
        "endpointType": "StorageBlob",
        "properties": {"resourceId": ACCOUNT, "blobContainerName": "events"},
    }
}


def subscribed(cloud: Cloud, path: str = PATH, **properties: Any) -> None:
    destination = {"endpointType": "WebHook", "properties": {"endpointUrl": "http://127.0.0.1:7071/hook"}}
    assert cloud.call("PUT", path, {"properties": {"destination": destination, **properties}}).status in (200, 201)
    cloud.arm.take_events()


def sent(cloud: Cloud) -> Delivery:
    cloud.gateway("n")
    (delivery,) = cloud.arm.take_events()
    return delivery


def dead(cloud: Cloud) -> list[dict[str, Any]]:
    return cast(list[dict[str, Any]], cloud.arm.handle(Request("GET", "/simulator/deadletters")).json())


@pytest.mark.parametrize(
    ("outcome", "seconds"),
    [
        ("TimedOut", 10),
        ("SocketError", 10),
        (500, 10),
        (413, 10),
        (429, 10),
        (503, 30),
        (408, 120),
        (400, 300),
        (401, 300),
        (403, 300),
        (404, 300),
    ],
)
def test_some_answers_make_event_grid_wait_longer(cloud: Cloud, outcome: Any, seconds: int) -> None:
    subscribed(cloud)
    cloud.arm.delivery_failed(sent(cloud), outcome)
    due = cloud.arm.next_due()
    assert due is not None
    assert (due - cloud.clock.now()).total_seconds() == seconds


def test_longer_waits_hold_only_while_the_schedule_is_shorter(cloud: Cloud) -> None:
    subscribed(cloud)
    delivery, waits = sent(cloud), []
    for _ in range(7):
        cloud.arm.delivery_failed(delivery, 404)
        due = cloud.arm.next_due()
        assert due is not None
        waits.append((due - cloud.clock.now()).total_seconds())
        cloud.clock.advance(waits[-1])
        (delivery,) = cloud.arm.take_events()
    assert waits == [300, 300, 300, 300, 600, 1800, 3600]


@pytest.mark.parametrize(("outcome", "said"), [(400, "BadRequest"), (413, "PayloadTooLarge")])
def test_hopeless_answer_is_a_dead_letter_five_minutes_later(cloud: Cloud, outcome: Any, said: str) -> None:
    subscribed(cloud, **KEPT)
    delivery = sent(cloud)
    cloud.arm.delivery_failed(delivery, outcome)
    assert (cloud.arm.next_due(), dead(cloud)) == (None, [])
    cloud.clock.advance(300)
    (letter,) = dead(cloud)
    assert letter["container"] == f"{ACCOUNT}/blobServices/default/containers/events"
    assert (letter["eventSubscription"], letter["written"]) == (PATH.casefold(), "2026-11-21T10:05:00.0000000Z")
    assert letter["event"] == json.loads(delivery.body)[0] | {
        "deadLetterReason": "Undeliverable",
        "deliveryAttempts": 1,
        "lastDeliveryOutcome": said,
        "publishTime": "2026-11-21T10:00:00.0000000Z",
        "lastDeliveryAttemptTime": "2026-11-21T10:00:00.0000000Z",
    }


def test_last_attempt_of_the_policy_is_a_dead_letter_in_the_members_of_its_schema(cloud: Cloud) -> None:
    policy = {"maxDeliveryAttempts": 2}
    subscribed(cloud, eventDeliverySchema="CloudEventSchemaV1_0", retryPolicy=policy, **KEPT)
    cloud.arm.delivery_failed(sent(cloud), "SocketError")
    cloud.clock.advance(10)
    (second,) = cloud.arm.take_events()
    assert (second.attempt, second.headers["aeg-delivery-count"]) == (2, "1")
    cloud.arm.delivery_failed(second, 503)
    cloud.clock.advance(300)
    (letter,) = dead(cloud)
    event = letter["event"]
    assert (event["specversion"], event["deadletterreason"]) == ("1.0", "MaxDeliveryAttemptsExceeded")
    assert (event["deliveryattempts"], event["lastdeliveryoutcome"]) == (2, "Busy")
    assert event["lastdeliveryattempttime"] == "2026-11-21T10:00:10.0000000Z"
    assert cloud.arm.take_events() == []


def test_time_to_live_is_looked_at_when_the_next_attempt_is_due(cloud: Cloud) -> None:
    subscribed(cloud, retryPolicy={"eventTimeToLiveInMinutes": 1}, **KEPT)
    delivery = sent(cloud)
    for seconds in (10, 30):
        cloud.arm.delivery_failed(delivery)
        cloud.clock.advance(seconds)
        (delivery,) = cloud.arm.take_events()
    cloud.arm.delivery_failed(delivery)
    cloud.clock.advance(60)
    assert (cloud.arm.take_events(), dead(cloud)) == ([], [])
    cloud.clock.advance(240)
    (letter,) = dead(cloud)
    event = letter["event"]
    assert (event["deadLetterReason"], event["deliveryAttempts"]) == ("TimeToLiveExceeded", 3)
    assert (event["lastDeliveryOutcome"], letter["written"]) == ("TimedOut", "2026-11-21T10:05:40.0000000Z")


def test_without_a_container_what_is_given_up_is_lost(cloud: Cloud) -> None:
    subscribed(cloud, retryPolicy={"maxDeliveryAttempts": 1})
    cloud.arm.delivery_failed(sent(cloud), 500)
    cloud.clock.advance(3600)
    assert (cloud.arm.take_events(), dead(cloud)) == ([], [])


def test_container_is_found_beside_an_identity_too(cloud: Cloud) -> None:
    topic = f"{GROUP}/providers/Microsoft.EventGrid/systemTopics/arm"
    source = {"source": f"/subscriptions/{SUBSCRIPTION}", "topicType": "Microsoft.Resources.Subscriptions"}
    cloud.put(topic, source, location="global", identity={"type": "SystemAssigned"})
    identity = {"identity": {"type": "SystemAssigned"}, **KEPT}
    subscribed(cloud, f"{topic}/eventSubscriptions/mine", deadLetterWithResourceIdentity=identity)
    cloud.arm.delivery_failed(sent(cloud), 400)
    cloud.clock.advance(300)
    assert len(dead(cloud)) == 1


def arrivals(seed: int, disorder: Disorder) -> list[str]:
    """A seed and a disorder in, the names of ten gateways in the order in which they are heard of out."""
    cloud = Cloud(seed=seed, events=disorder, durations={"": 1})
    subscribed(cloud, filter={"subjectBeginsWith": f"{NETWORK}/natGateways/"})
    names = []
    for number in range(10):
        cloud.gateway(f"n{number}")
        cloud.clock.advance(1)
        names += [event.subject.rpartition("/")[2] for delivery in cloud.arm.take_events() for event in delivery.events]
    while (due := cloud.arm.next_due()) is not None:
        cloud.clock.advance((due - cloud.clock.now()).total_seconds())
        names += [event.subject.rpartition("/")[2] for delivery in cloud.arm.take_events() for event in delivery.events]
    return names


def test_events_are_doubled_and_come_in_another_order_as_the_seed_says() -> None:
    written = [f"n{number}" for number in range(10)]
    assert arrivals(1, Disorder()) == written
    assert arrivals(1, Disorder(duplicates=1)) == [name for name in written for _ in "ab"]
    late = arrivals(1, Disorder(delay=20))
    assert late != written
    assert sorted(late) == written
    some = arrivals(1, Disorder(duplicates=0.5, delay=20))
    assert 10 < len(some) < 20
    assert set(some) == set(written)
    assert some == arrivals(1, Disorder(duplicates=0.5, delay=20))
    assert some != arrivals(2, Disorder(duplicates=0.5, delay=20))


@pytest.mark.parametrize("wrong", [{"duplicates": 1.5}, {"duplicates": -1}, {"delay": -1}])
def test_disorder_beyond_reason_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="duplicates are a share"):
        Disorder(**wrong)
