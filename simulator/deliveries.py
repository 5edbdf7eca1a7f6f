"""Events on their way to one endpoint: how an attempt ended in, when the next one is or its dead letter out."""

from datetime import datetime, timedelta
from typing import Literal, TypeAlias

import msgspec

from simulator.events import Event, Schema, precise
from simulator.wire import Body

# After failed attempts; then hourly.
RETRIES = (10, 30, 60, 300, 600, 1800, 3600)
LONGER_AFTER = {400: 300, 401: 300, 403: 300, 404: 300, 408: 120, 503: 30}
"""Seconds that Event Grid waits at least after these answers."""
HOPELESS = (400, 413)
"""Answers after which there is no other attempt, if dead letters are kept."""
DEAD_LETTER_AFTER = timedelta(minutes=5)
"""So long after the last attempt a dead letter is written."""

Outcome: TypeAlias = int | Literal["TimedOut", "SocketError"]
"""How an attempt ended: the status of an answer that was no acknowledgement, or why there was none."""

_NAMES = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 408: "TimedOut"} | {
    413: "PayloadTooLarge",
    429: "Busy",
    503: "Busy",
}


class Pending(msgspec.Struct, frozen=True):
    """One event that waits to be brought to one endpoint. `subscription` is the key of the event subscription.

    `outcome` and `attempted` are how and when the attempt before this one ended.
    """

    event: Event
    subscription: str
    attempt: int = 1
    outcome: Outcome = "TimedOut"
    attempted: datetime | None = None

    @property
    def published(self) -> datetime:
        return self.event.moment


class Delivery(msgspec.Struct, frozen=True):
    """One attempt to bring what is `pending` to one endpoint: one event, or a batch that is acknowledged as a whole."""

    url: str
    headers: dict[str, str]
    body: bytes
    pending: tuple[Pending, ...]

    @property
    def subscription(self) -> str:
        return self.pending[0].subscription

    @property
    def attempt(self) -> int:
        return self.pending[0].attempt

    @property
    def events(self) -> list[Event]:
        return [one.event for one in self.pending]


class Batching(msgspec.Struct, frozen=True):
    """How many events, and how many bytes of them, an event subscription wants in one delivery."""

    events: int = 1
    size: int = 64 * 1024


class RetryPolicy(msgspec.Struct, frozen=True):
    """When Event Grid gives an event up, and whether its dead letter is kept."""

    attempts: int = 30
    time_to_live: timedelta = timedelta(minutes=1440)
    container: str = ""


class DeadLetter(msgspec.Struct, frozen=True):
    """An event that was given up, as it is found in `container` from `written` on."""

    container: str
    subscription: str
    written: datetime
    event: Body


def next_attempt(pending: Pending, policy: RetryPolicy, outcome: Outcome, now: datetime) -> datetime | None:
    """An attempt and how it ended in, when the next one is due out; None when there is none."""
    if pending.attempt >= policy.attempts or (policy.container and outcome in HOPELESS):
        return None
    wait = RETRIES[min(pending.attempt, len(RETRIES)) - 1]
    return now + timedelta(seconds=max(wait, LONGER_AFTER.get(outcome, 0) if isinstance(outcome, int) else 0))


def again(pending: Pending, outcome: Outcome, now: datetime) -> Pending:
    """An attempt and how it ended in, the next one out."""
    return msgspec.structs.replace(pending, attempt=pending.attempt + 1, outcome=outcome, attempted=now)


def dead_letter(never: Pending, policy: RetryPolicy, schema: Schema, now: datetime) -> DeadLetter:
    """The attempt that is not made any more in, the dead letter that tells of those before it out."""
    made, attempted = never.attempt - 1, never.attempted or now
    if never.outcome in HOPELESS:
        reason = "Undeliverable"
    else:
        reason = "MaxDeliveryAttemptsExceeded" if made >= policy.attempts else "TimeToLiveExceeded"
    added: Body = {
        "deadLetterReason": reason,
        "deliveryAttempts": made,
        "lastDeliveryOutcome": _NAMES.get(never.outcome, "Aborted")
        if isinstance(never.outcome, int)
        else never.outcome,
        "publishTime": precise(never.published),
        "lastDeliveryAttemptTime": precise(attempted),
    }
    if schema == "CloudEventSchemaV1_0":
        added = {name.lower(): value for name, value in added.items()}
    written = max(now, attempted + DEAD_LETTER_AFTER)
    return DeadLetter(policy.container, never.subscription, written, never.event.payload(schema) | added)
