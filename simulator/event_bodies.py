"""Bodies of event subscriptions: what was sent in; what it asks for, and what Event Grid shows of it, out."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

from simulator.deliveries import Batching, RetryPolicy
from simulator.event_filters import advanced_filters, invalid
from simulator.event_subscriptions import EventSubscription, Filter, is_event_subscription
from simulator.events import Schema
from simulator.ids import name_of, parse_id
from simulator.shapes import ENVELOPE
from simulator.store import Store
from simulator.topics import holder_of, scope_of
from simulator.wire import Body, members, text

SCHEMAS: dict[str, Schema] = {
    "": "EventGridSchema",
    "eventgridschema": "EventGridSchema",
    "cloudeventschemav1_0": "CloudEventSchemaV1_0",
}
MOST_ATTEMPTS = 30
MOST_MINUTES = 1440
MOST_IN_A_BATCH, MOST_KILOBYTES, USUAL_KILOBYTES = 5000, 1024, 64
# Of what a destination that Azure knows has to name the id.
RESOURCES = {
    "azurefunction": "microsoft.web/sites/functions",
    "storagequeue": "microsoft.storage/storageaccounts",
    "eventhub": "microsoft.eventhub/namespaces/eventhubs",
    "servicebusqueue": "microsoft.servicebus/namespaces/queues",
    "servicebustopic": "microsoft.servicebus/namespaces/topics",
    "hybridconnection": "microsoft.relay/namespaces/hybridconnections",
}
BY_IDENTITY = ("deliveryWithResourceIdentity", "deadLetterWithResourceIdentity")
ALTERNATIVES = {
    "destination": "deliveryWithResourceIdentity",
    "deliveryWithResourceIdentity": "destination",
    "deadLetterDestination": "deadLetterWithResourceIdentity",
    "deadLetterWithResourceIdentity": "deadLetterDestination",
}
"""Each takes the place of the other."""
NAME = re.compile(r"[a-z0-9-]{1,64}")
"""Of keys, which are in lower case; deliveries carry it in a header."""
MAY_CHANGE = (*ALTERNATIVES, "filter", "labels", "expirationTimeUtc", "eventDeliverySchema", "retryPolicy")


def event_subscription(store: Store, key: str, content: Body) -> EventSubscription | None:
    """A body under its key in, what it asks for out; None when its events go where this simulator sends none."""
    properties = members(content.get("properties"))
    destination = destination_of(properties)
    inner = members(destination.get("properties"))
    url = text(inner.get("endpointUrl"))
    schema = SCHEMAS.get(text(properties.get("eventDeliverySchema")).lower())
    if schema is None:
        raise invalid(f"The event delivery schema '{properties['eventDeliverySchema']}' is not supported.")
    chosen, policy, batching = _filter(members(properties.get("filter"))), _policy(properties), _batching(inner)
    if text(destination.get("endpointType")).lower() != "webhook" or not url:
        return None
    if not _leads_somewhere(url):
        raise invalid("The endpoint URL of the destination of an event subscription must be one of https or http.")
    if NAME.fullmatch(name_of(key)) is None:
        raise invalid("The name of an event subscription takes up to 64 letters, digits and hyphens.")
    return EventSubscription(key, scope_of(store, key), url, schema, chosen, policy, batching)


def _leads_somewhere(url: str) -> bool:
    """Whether a URL has a host that can be asked: one that no name can be would be the caller's mistake for ever."""
    try:
        parts = urlsplit(url)
        named = (parts.hostname or "").encode("idna")
        return parts.scheme in ("https", "http") and bool(named) and parts.port != 0
    except ValueError:
        return False


def check(store: Store, key: str, content: Body) -> None:
    """A body as it would be in; refused when it says what Event Grid does not take, or does not say where events go."""
    event_subscription(store, key, content)
    properties = members(content.get("properties"))
    if ("destination" in properties) == ("deliveryWithResourceIdentity" in properties):
        raise invalid("An event subscription needs a destination, or one with an identity, and cannot have both.")
    destination = destination_of(properties)
    inner, kind = members(destination.get("properties")), text(destination.get("endpointType"))
    if not kind:
        raise invalid("The endpoint type of the destination of an event subscription must be given.")
    if kind.lower() == "webhook" and not text(inner.get("endpointUrl")):
        raise invalid("The endpoint URL of the destination of an event subscription must be given.")
    named, wanted = parse_id(text(inner.get("resourceId"))), RESOURCES.get(kind.lower())
    if wanted is not None and (named is None or named.type_key != wanted):
        raise invalid(
            f"A destination of type {kind} must have the id of a resource of type {wanted} as its resourceId."
        )
    if kind.lower() == "storagequeue" and not text(inner.get("queueName")):
        raise invalid("A destination of type StorageQueue must have a queueName.")
    for name in BY_IDENTITY:
        if name in properties:
            _check_identity(store, key, members(members(properties[name]).get("identity")))


def patched(content: Body, sent: Body) -> Body:
    """What is stored and what a PATCH says in, the body as it would be out: members are replaced as a whole."""
    properties = members(content.get("properties"))
    for name, value in sent.items():
        if name not in MAY_CHANGE:
            continue
        properties.pop(ALTERNATIVES.get(name, ""), None)
        properties[name] = value
    return content | {"properties": {name: value for name, value in properties.items() if value is not None}}


def kept(sent: Body) -> Body:
    """What was sent in, what is stored out: nothing that Event Grid fills in itself."""
    properties = {
        name: value
        for name, value in members(sent.get("properties")).items()
        if name not in ("provisioningState", "topic") and value is not None
    }
    return {name: value for name, value in sent.items() if name not in ENVELOPE} | {"properties": properties}


def seen(store: Store, body: Body) -> Body:
    """Any resource as it is in, as its readers see it out: webhooks are secret, and what was not said has a default."""
    if not is_event_subscription(text(body.get("type")).lower()):
        return body
    said = members(body.get("properties"))
    destination = destination_of(said)
    inner = dict(members(destination.get("properties")))
    kind = text(destination.get("endpointType")).lower()
    if kind in ("webhook", "azurefunction"):
        batches: Body = {"maxEventsPerBatch": 1, "preferredBatchSizeInKilobytes": USUAL_KILOBYTES}
        inner = batches | inner
    if kind == "webhook" and "endpointUrl" in inner:
        inner["endpointBaseUrl"] = text(inner.pop("endpointUrl")).partition("?")[0]
    shown = {**destination, "properties": inner}
    under = members(said.get("deliveryWithResourceIdentity"))
    where = {"deliveryWithResourceIdentity": {**under, "destination": shown}} if under else {"destination": shown}
    defaults: Body = {
        "topic": holder_of(store, text(body.get("id"))),
        "eventDeliverySchema": "EventGridSchema",
        "retryPolicy": {"maxDeliveryAttempts": MOST_ATTEMPTS, "eventTimeToLiveInMinutes": MOST_MINUTES},
    }
    filtered = {"filter": {"subjectBeginsWith": "", "subjectEndsWith": "", **members(said.get("filter"))}}
    return {**body, "properties": defaults | said | filtered | (where if destination else {})}


def destination_of(properties: Body) -> Body:
    """The properties of an event subscription in, where its events go out; an identity may stand around it."""
    said = members(properties.get("deliveryWithResourceIdentity")) or properties
    return members(said.get("destination"))


def _check_identity(store: Store, key: str, said: Body) -> None:
    """What delivers under an identity needs it at its topic."""
    topic = store.get(holder_of(store, key).casefold())
    has = members(topic.content.get("identity")) if topic is not None else {}
    kind = text(said.get("type"))
    named = text(said.get("userAssignedIdentity")).casefold()
    theirs = {one.casefold() for one in members(has.get("userAssignedIdentities"))}
    if not kind or kind.casefold() not in text(has.get("type")).casefold().replace(" ", "").split(","):
        raise invalid(f"The topic of the event subscription has no identity of type '{kind}' to deliver with.")
    if kind.casefold() == "userassigned" and named not in theirs:
        raise invalid(f"The topic of the event subscription does not have the identity '{named}'.")


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
    attempts = _number(said, "maxDeliveryAttempts", MOST_ATTEMPTS, MOST_ATTEMPTS)
    minutes = _number(said, "eventTimeToLiveInMinutes", MOST_MINUTES, MOST_MINUTES)
    return RetryPolicy(attempts, timedelta(minutes=minutes), _container(properties))


def _batching(said: Body) -> Batching:
    events = _number(said, "maxEventsPerBatch", MOST_IN_A_BATCH, 1)
    return Batching(events, 1024 * _number(said, "preferredBatchSizeInKilobytes", MOST_KILOBYTES, USUAL_KILOBYTES))


def _number(said: Body, name: str, most: int, usual: int) -> int:
    value = said.get(name)
    if value is None:
        return usual
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise invalid(f"The value of {name} of an event subscription must be a number from 1 to {most}.")
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
