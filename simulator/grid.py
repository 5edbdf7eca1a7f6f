"""Event Grid: events in, their deliveries to the stored event subscriptions out, and again after failures."""

import heapq
from collections import deque
from datetime import datetime, timedelta

import msgspec

from simulator.events import Event, Schema, precise
from simulator.ids import EVENT_SUBSCRIPTION, TOPIC_SUBSCRIPTION
from simulator.store import Store, Stored
from simulator.topics import scope_of
from simulator.wire import members, text

REMEMBERED = 10_000
"""So many events can still be looked at by tests; deliveries do not depend on it."""

# After a failed delivery: 10 s, 30 s, 1 min, 5 min, 10 min, 30 min, 1 h, then hourly; a day and 30 attempts at most.
RETRIES = (10, 30, 60, 300, 600, 1800, 3600)
MAX_ATTEMPTS = 30
TIME_TO_LIVE = timedelta(minutes=1440)


class Delivery(msgspec.Struct, frozen=True):
    """One event on its way to one endpoint. `subscription` is the key of the event subscription."""

    url: str
    headers: dict[str, str]
    body: bytes
    event_id: str
    subscription: str
    attempt: int
    first_sent: datetime


class EventSubscription(msgspec.Struct, frozen=True):
    """What a stored event subscription says: which events of which scope go where."""

    key: str
    scope: str
    url: str
    schema: Schema
    types: frozenset[str]
    begins_with: str
    ends_with: str
    confirmed: bool
    validation_code: str
    created: str

    def wants(self, event: Event) -> bool:
        """Whether the event passes its filter."""
        subject = event.subject.casefold()
        return (
            self.confirmed
            and self.scope != ""
            and f"{subject}/".startswith(f"{self.scope}/")
            and (not self.types or event.type.casefold() in self.types)
            and subject.startswith(self.begins_with)
            and subject.endswith(self.ends_with)
        )

    def delivery(self, event: Event, now: datetime) -> Delivery:
        """An event in, its first delivery out: an array in Event Grid's schema, a single object as CloudEvent."""
        payload = event.payload(self.schema)
        name = self.key.rpartition("/")[2].upper()
        headers = {"aeg-event-type": "Notification", "aeg-subscription-name": name, "aeg-delivery-count": "0"}
        if self.schema == "CloudEventSchemaV1_0":
            headers["Content-Type"] = "application/cloudevents+json; charset=utf-8"
            body = msgspec.json.encode(payload)
        else:
            headers["Content-Type"] = "application/json; charset=utf-8"
            body = msgspec.json.encode([payload])
        return Delivery(self.url, headers, body, event.id, self.key, 1, now)


class Events:
    """The events of one simulator and the deliveries that wait."""

    def __init__(self) -> None:
        self.recent: deque[Event] = deque(maxlen=REMEMBERED)
        self._subscriptions: dict[str, EventSubscription] = {}
        self._queue: list[tuple[datetime, int, Delivery]] = []
        self._count = 0

    def subscribe(self, key: str, stored: Stored, store: Store, code: str, now: datetime, *, confirmed: bool) -> None:
        """An event subscription as stored in; once confirmed, the events of its source go to it.

        `code` is what its endpoint has to send back to confirm it.
        """
        properties = members(stored.content.get("properties"))
        destination = members(properties.get("destination"))
        url = text(members(destination.get("properties")).get("endpointUrl"))
        self._subscriptions.pop(key, None)
        if text(destination.get("endpointType")).lower() != "webhook" or not url:
            return
        chosen = members(properties.get("filter"))
        types = chosen.get("includedEventTypes")
        cloud = text(properties.get("eventDeliverySchema")).lower() == "cloudeventschemav1_0"
        self._subscriptions[key] = EventSubscription(
            key=key,
            scope=scope_of(store, key),
            url=url,
            schema="CloudEventSchemaV1_0" if cloud else "EventGridSchema",
            types=frozenset(text(name).casefold() for name in types) if isinstance(types, list) else frozenset(),
            begins_with=text(chosen.get("subjectBeginsWith")).casefold(),
            ends_with=text(chosen.get("subjectEndsWith")).casefold(),
            confirmed=confirmed,
            validation_code=code,
            created=precise(now),
        )

    def unconfirmed(self) -> list[EventSubscription]:
        """The event subscriptions whose endpoints have not yet answered the validation."""
        return [found for found in self._subscriptions.values() if not found.confirmed]

    def confirm(self, key: str, *, accepted: bool) -> None:
        """What became of a validation in; an endpoint that refused gets nothing."""
        found = self._subscriptions.pop(key, None)
        if found is not None and accepted:
            self._subscriptions[key] = msgspec.structs.replace(found, confirmed=True)

    def forget(self, key: str) -> None:
        """A deleted resource's key in; event subscriptions that are it or lie in it get nothing more."""
        for known in [name for name in self._subscriptions if name == key or name.startswith(f"{key}/")]:
            del self._subscriptions[known]

    def publish(self, event: Event, now: datetime) -> None:
        """An event in; one delivery waits for each subscription that wants it."""
        self.recent.append(event)
        for subscription in self._subscriptions.values():
            if subscription.wants(event):
                self._wait(now, subscription.delivery(event, now))

    def take(self, now: datetime) -> list[Delivery]:
        """The deliveries whose time has come; they are the caller's now."""
        due: list[Delivery] = []
        while self._queue and self._queue[0][0] <= now:
            due.append(heapq.heappop(self._queue)[2])
        return due

    def failed(self, delivery: Delivery, now: datetime) -> None:
        """A delivery that was not acknowledged in; it waits for its next attempt, or is given up."""
        due = now + timedelta(seconds=RETRIES[min(delivery.attempt, len(RETRIES)) - 1])
        gone = delivery.subscription not in self._subscriptions
        if gone or delivery.attempt >= MAX_ATTEMPTS or due - delivery.first_sent > TIME_TO_LIVE:
            return
        headers = delivery.headers | {"aeg-delivery-count": str(delivery.attempt)}
        self._wait(due, msgspec.structs.replace(delivery, attempt=delivery.attempt + 1, headers=headers))

    def next_due(self) -> datetime | None:
        return self._queue[0][0] if self._queue else None

    def _wait(self, due: datetime, delivery: Delivery) -> None:
        self._count += 1
        heapq.heappush(self._queue, (due, self._count, delivery))


def is_event_subscription(type_key: str) -> bool:
    return type_key in (EVENT_SUBSCRIPTION, TOPIC_SUBSCRIPTION)
