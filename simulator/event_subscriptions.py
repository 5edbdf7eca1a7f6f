"""Event subscriptions as values: an event in, whether one is told of it out; events that are due in, deliveries out."""

from collections.abc import Iterator, Sequence

import msgspec

from simulator.deliveries import Batching, Delivery, Pending, RetryPolicy
from simulator.event_filters import AdvancedFilter
from simulator.events import Event, Schema
from simulator.ids import EVENT_SUBSCRIPTION, TOPIC_SUBSCRIPTION

EVENT_SUBSCRIPTIONS = (EVENT_SUBSCRIPTION, TOPIC_SUBSCRIPTION)


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
    batching: Batching = Batching()
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

    def deliveries(self, waiting: Sequence[Pending]) -> Iterator[Delivery]:
        """Events for which the same attempt is due in, deliveries with no more of them than were asked for out."""
        batch: list[Pending] = []
        payloads: list[bytes] = []
        for pending in waiting:
            payload = msgspec.json.encode(pending.event.payload(self.schema))
            if batch and (len(batch) == self.batching.events or _size([*payloads, payload]) > self.batching.size):
                yield self._delivery(tuple(batch), payloads)
                batch, payloads = [], []
            batch.append(pending)
            payloads.append(payload)
        yield self._delivery(tuple(batch), payloads)

    def _delivery(self, pending: tuple[Pending, ...], payloads: list[bytes]) -> Delivery:
        """An array; as a CloudEvent, where no batches were asked for, a single object."""
        cloud, single = self.schema == "CloudEventSchemaV1_0", self.batching.events == 1
        kind = "json" if not cloud else "cloudevents+json" if single else "cloudevents-batch+json"
        headers = {
            "aeg-event-type": "Notification",
            "aeg-subscription-name": self.key.rpartition("/")[2].upper(),
            "aeg-delivery-count": str(pending[0].attempt - 1),
            "Content-Type": f"application/{kind}; charset=utf-8",
        }
        body = payloads[0] if cloud and single else b"[" + b",".join(payloads) + b"]"
        return Delivery(self.url, headers, body, pending)

    def _passes(self, event: Event) -> bool:
        payload = event.payload(self.schema)
        return all(one.passes(payload) for one in self.filter.advanced)


def _size(payloads: list[bytes]) -> int:
    """How many bytes an array of them has: its brackets and commas too."""
    return sum(len(payload) + 1 for payload in payloads) + 1


def is_event_subscription(type_key: str) -> bool:
    return type_key in EVENT_SUBSCRIPTIONS
