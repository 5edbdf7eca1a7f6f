"""What a stored event subscription says: a body in, what it asks for out; refused where Event Grid refuses it."""

from datetime import timedelta

import msgspec

from simulator.deliveries import Delivery, RetryPolicy
from simulator.event_filters import AdvancedFilter, advanced_filters, invalid
from simulator.events import Event, Schema
from simulator.ids import EVENT_SUBSCRIPTION, TOPIC_SUBSCRIPTION, parse_id
from simulator.store import Store
from simulator.topics import scope_of
from simulator.wire import Body, members, text

SCHEMAS: dict[str, Schema] = {
    "": "EventGridSchema",
    "eventgridschema": "EventGridSchema",
    "cloudeventschemav1_0": "CloudEventSchemaV1_0",
}
MOST_ATTEMPTS = 30
MOST_MINUTES = 1440


class Filter(msgspec.Struct, frozen=True):
    """Which events are wanted. No `types` are all types; texts are in lower case unless `minds_case`."""

    types: frozenset[str]
    begins_with: str
    ends_with: str
    minds_case: bool
    advanced: tuple[AdvancedFilter, ...]


class EventSubscription(msgspec.Struct, frozen=True):
    """Which events of which scope go where."""

    key: str
    scope: str
    url: str
    schema: Schema
    filter: Filter
    policy: RetryPolicy
    confirmed: bool = False
    validation_code: str = ""
    created: str = ""

    def wants(self, event: Event) -> bool:
        """Whether the event passes its filter: the type, both ends of the subject, and every advanced filter."""
        wanted, subject = self.filter, event.subject.casefold()
        judged = event.subject if wanted.minds_case else subject
        return (
            self.confirmed
            and self.scope != ""
            and f"{subject}/".startswith(f"{self.scope}/")
            and (not wanted.types or event.type.casefold() in wanted.types)
            and judged.startswith(wanted.begins_with)
            and judged.endswith(wanted.ends_with)
            and (not wanted.advanced or self._passes(event))
        )

    def delivery(self, event: Event) -> Delivery:
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
        return Delivery(self.url, headers, body, event, self.key, event.moment)

    def _passes(self, event: Event) -> bool:
        payload = event.payload(self.schema)
        return all(one.passes(payload) for one in self.filter.advanced)


def event_subscription(store: Store, key: str, content: Body) -> EventSubscription | None:
    """A body under its key in, what it asks for out; None when its events go where this simulator sends none."""
    properties = members(content.get("properties"))
    destination = members(properties.get("destination"))
    url = text(members(destination.get("properties")).get("endpointUrl"))
    schema = SCHEMAS.get(text(properties.get("eventDeliverySchema")).lower())
    if schema is None:
        raise invalid(f"The event delivery schema '{properties['eventDeliverySchema']}' is not supported.")
    chosen, policy = _filter(members(properties.get("filter"))), _policy(properties)
    if text(destination.get("endpointType")).lower() != "webhook" or not url:
        return None
    return EventSubscription(key, scope_of(store, key), url, schema, chosen, policy)


def is_event_subscription(type_key: str) -> bool:
    return type_key in (EVENT_SUBSCRIPTION, TOPIC_SUBSCRIPTION)


def _filter(said: Body) -> Filter:
    types = said.get("includedEventTypes")
    if types is not None and not (isinstance(types, list) and all(isinstance(name, str) for name in types)):
        raise invalid("The included event types of an event subscription must be an array of strings.")
    named = frozenset(name.casefold() for name in types or [])
    minds_case = said.get("isSubjectCaseSensitive") is True
    ends = [text(said.get(name)) for name in ("subjectBeginsWith", "subjectEndsWith")]
    begins_with, ends_with = ends if minds_case else (end.casefold() for end in ends)
    return Filter(
        types=frozenset() if "all" in named else named,
        begins_with=begins_with,
        ends_with=ends_with,
        minds_case=minds_case,
        advanced=advanced_filters(said),
    )


def _policy(properties: Body) -> RetryPolicy:
    said = members(properties.get("retryPolicy"))
    attempts = _number(said, "maxDeliveryAttempts", MOST_ATTEMPTS)
    minutes = _number(said, "eventTimeToLiveInMinutes", MOST_MINUTES)
    return RetryPolicy(attempts, timedelta(minutes=minutes), _container(properties))


def _number(said: Body, name: str, most: int) -> int:
    value = said.get(name)
    if value is None:
        return most
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise invalid(f"The value of {name} of a retry policy must be a number from 1 to {most}.")
    return value


def _container(properties: Body) -> str:
    """Where dead letters go: the id of a storage account's container; empty when nobody wants them."""
    under = members(properties.get("deadLetterWithResourceIdentity")) or properties
    said = under.get("deadLetterDestination")
    if said is None:
        return ""
    inner = members(members(said).get("properties"))
    account, container = text(inner.get("resourceId")), text(inner.get("blobContainerName"))
    address = parse_id(account)
    if (
        text(members(said).get("endpointType")).lower() != "storageblob"
        or address is None
        or address.type_key != "microsoft.storage/storageaccounts"
        or not container
    ):
        raise invalid(
            "A dead letter destination must be a StorageBlob with the id of a storage account and a container."
        )
    return f"{account}/blobServices/default/containers/{container}"
