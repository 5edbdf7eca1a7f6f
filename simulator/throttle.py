"""ARM's token buckets: who asks for what in, how much is left (or a 429) out."""

import math
from datetime import datetime
from typing import Literal

import msgspec

from simulator import errors

Verb = Literal["read", "write", "delete"]

# Per subscription x principal x verb: capacity and tokens per second; then for all principals together.
BUCKETS: dict[Verb, tuple[int, int]] = {"read": (250, 25), "write": (200, 10), "delete": (200, 10)}
GLOBAL_BUCKETS: dict[Verb, tuple[int, int]] = {"read": (16_500, 375), "write": (12_000, 150), "delete": (12_000, 150)}


class Bucket(msgspec.Struct):
    """Tokens that come back with time, up to the capacity."""

    capacity: int
    rate: int
    tokens: float
    filled: datetime

    def refill(self, now: datetime) -> None:
        """The time in; the tokens it brought are there."""
        passed = max(0.0, (now - self.filled).total_seconds())
        self.tokens = min(float(self.capacity), self.tokens + passed * self.rate)
        self.filled = now


class Throttle:
    """All buckets of one simulator. Switched off, every caller always finds them full."""

    def __init__(self, *, enforced: bool) -> None:
        self._enforced = enforced
        self._buckets: dict[tuple[str, str, Verb], Bucket] = {}

    def admit(self, subscription: str, actor: str, verb: Verb, now: datetime) -> dict[str, str]:
        """A call in; the headers that say what is left out, or SubscriptionRequestsThrottled."""
        own = self._bucket(subscription, actor, verb, BUCKETS[verb], now)
        shared = self._bucket(subscription, "", verb, GLOBAL_BUCKETS[verb], now)
        if self._enforced:
            for bucket in (own, shared):
                if bucket.tokens < 1:
                    wait = max(1, math.ceil((1 - bucket.tokens) / bucket.rate))
                    raise errors.throttled(verb, subscription, actor, wait)
            own.tokens -= 1
            shared.tokens -= 1
        spent = 0 if self._enforced else 1
        prefix = "x-ms-ratelimit-remaining-subscription"
        return {
            f"{prefix}-{verb}s": str(int(own.tokens) - spent),
            f"{prefix}-global-{verb}s": str(int(shared.tokens) - spent),
        }

    def _bucket(self, subscription: str, actor: str, verb: Verb, size: tuple[int, int], now: datetime) -> Bucket:
        key = (subscription.lower(), actor, verb)
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(size[0], size[1], float(size[0]), now)
        bucket.refill(now)
        return bucket


def verb_of(method: str) -> Verb:
    """An HTTP method in, what ARM counts it as out."""
    match method:
        case "GET" | "HEAD" | "OPTIONS":
            return "read"
        case "DELETE":
            return "delete"
        case _:
            return "write"
