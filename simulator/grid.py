"""Event Grid: events in, their deliveries to the stored event subscriptions out, and again after failures."""

import heapq
import random
from collections import deque
from datetime import datetime, timedelta

import msgspec

from simulator.deliveries import DeadLetter, Delivery, Outcome, Pending, again, dead_letter, next_attempt
from simulator.event_subscriptions import EventSubscription
from simulator.events import Event

REMEMBERED = 10_000
"""So many events can still be looked at by tests; deliveries do not depend on it."""


class Disorder(msgspec.Struct, frozen=True):
    """What at-least-once and unordered come to here: some first deliveries are made twice, each is up to `delay` late.

    `duplicates` is the share of them, `delay` is in seconds of the clock.
    """

    duplicates: float = 0.0
    delay: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.duplicates <= 1 or not 0 <= self.delay <= 86_400:
            raise ValueError("duplicates are a share from 0 to 1, delay is from 0 to 86400 seconds")


class Events:
    """The events of one simulator and the deliveries that wait."""

    def __init__(self, disorder: Disorder, seed: int) -> None:
        self.recent: deque[Event] = deque(maxlen=REMEMBERED)
        self._disorder = disorder
        self._dice = random.Random(f"{seed} events")
        self._subscriptions: dict[str, EventSubscription] = {}
        self._queue: list[tuple[datetime, int, Pending]] = []
        self._dead: list[DeadLetter] = []
        self._count = 0

    def subscribe(self, subscription: EventSubscription) -> None:
        """An event subscription in, in place of the one under its key; once confirmed, events go to it."""
        self._subscriptions[subscription.key] = subscription

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

    def publish(self, event: Event) -> None:
        """An event in; one delivery waits for each subscription that wants it, sometimes two."""
        self.recent.append(event)
        for subscription in self._subscriptions.values():
            if subscription.wants(event):
                for _ in range(1 + self._strikes(self._disorder.duplicates)):
                    self._wait(event.moment + self._late(), Pending(event, subscription.key))

    def take(self, now: datetime) -> list[Delivery]:
        """The deliveries whose time has come; they are the caller's now. Whether one is too old is seen only here.

        What one subscriber is to get for the same time makes batches, where it asked for them; nothing waits for that.
        """
        due: dict[tuple[str, int], list[Pending]] = {}
        while self._queue and self._queue[0][0] <= now:
            time, number, pending = heapq.heappop(self._queue)
            found = self._subscriptions.get(pending.subscription)
            if found is None:
                continue
            if pending.attempt > 1 and time - pending.published > found.policy.time_to_live:
                self._give_up(pending, found, time)
            else:
                together = pending.attempt if found.batching.events > 1 else -number
                due.setdefault((pending.subscription, together), []).append(pending)
        return [
            delivery
            for (subscription, _), several in due.items()
            for delivery in self._subscriptions[subscription].deliveries(several)
        ]

    def failed(self, delivery: Delivery, outcome: Outcome, now: datetime) -> None:
        """A delivery that was not acknowledged in; each of its events waits for its next attempt, or is given up."""
        found = self._subscriptions.get(delivery.subscription)
        if found is None:
            return
        for pending in delivery.pending:
            following = again(pending, outcome, now)
            due = next_attempt(pending, found.policy, outcome, now)
            if due is None:
                self._give_up(following, found, now)
            else:
                self._wait(due, following)

    def dead_letters(self, now: datetime) -> list[DeadLetter]:
        """The dead letters that are written by now, in the order in which they were given up."""
        return [letter for letter in self._dead if letter.written <= now]

    def next_due(self) -> datetime | None:
        return self._queue[0][0] if self._queue else None

    def _give_up(self, never: Pending, subscription: EventSubscription, now: datetime) -> None:
        """An attempt that is not made in; it is a dead letter where somebody wants it, and lost elsewhere."""
        if subscription.policy.container:
            self._dead.append(dead_letter(never, subscription.policy, subscription.schema, now))

    def _strikes(self, share: float) -> bool:
        return share > 0 and self._dice.random() < share

    def _late(self) -> timedelta:
        most = self._disorder.delay
        return timedelta(seconds=self._dice.uniform(0, most)) if most else timedelta()

    def _wait(self, due: datetime, pending: Pending) -> None:
        self._count += 1
        heapq.heappush(self._queue, (due, self._count, pending))
