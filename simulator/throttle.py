"""ARM's token buckets: who asks for what in, how much is left (or a 429) out."""

import math
from datetime import datetime
from typing import Literal

import msgspec

from simulator import errors

Verb = Literal["read", "write", "delete"]

# Per subscription (or tenant) x principal x verb: capacity and tokens per second; then for all principals together.
BUCKETS: dict[Verb, tuple[int, int]] = {"read": (250, 25), "write": (200, 10), "delete": (200, 10)}
GLOBAL_BUCKETS: dict[Verb, tuple[int, int]] = {"read": (16_500, 375), "write": (12_000, 150), "delete": (12_000, 150)}


class Bucket(msgspec.Struct):
    """Tokens that come back with time, up to the capacity."""

    capacity: int
    rate: float
    tokens: float
    filled: datetime

    def refill(self, now: datetime) -> None:
        """The time in; the tokens it brought are there."""
        passed = max(0.0, (now - self.filled).total_seconds())
        self.tokens = min(float(self.capacity), self.tokens + passed * self.rate)
        self.filled = now

    def wait(self) -> int:
        """Seconds until there is a token again, at least one."""
        return max(1, math.ceil((1 - self.tokens) / self.rate))


class Throttle:
    """All buckets of one simulator. Switched off, every caller always finds them full."""

    def __init__(self, *, enforced: bool) -> None:
        self._enforced = enforced
        self._buckets: dict[tuple[str, str, Verb], Bucket] = {}

    def admit(self, subscription: str, actor: str, verb: Verb, now: datetime) -> dict[str, str]:
        """A call on a subscription in; the headers that say what is left out, or SubscriptionRequestsThrottled."""
        own = self._bucket(subscription, actor, verb, BUCKETS[verb], now)
        shared = self._bucket(subscription, "", verb, GLOBAL_BUCKETS[verb], now)
        whose = f"subscription '{subscription}'"
        for bucket, named in ((own, f"{whose} actor '{actor}'"), (shared, whose)):
            if self._enforced and bucket.tokens < 1:
                raise _throttled(verb, named, bucket.wait())
        prefix = "x-ms-ratelimit-remaining-subscription"
        return {f"{prefix}-{verb}s": self._take(own), f"{prefix}-global-{verb}s": self._take(shared)}

    def admit_tenant(self, tenant: str, actor: str, verb: Verb, now: datetime) -> dict[str, str]:
        """A call on no subscription in; the same for the whole tenant, where a delete is a write."""
        kind: Verb = "read" if verb == "read" else "write"
        bucket = self._bucket(f"tenant {tenant}", actor, kind, BUCKETS[kind], now)
        if self._enforced and bucket.tokens < 1:
            raise _throttled(kind, f"tenant '{tenant}' actor '{actor}'", bucket.wait(), tenant=True)
        return {f"x-ms-ratelimit-remaining-tenant-{kind}s": self._take(bucket)}

    def _take(self, bucket: Bucket) -> str:
        """A bucket in, what is left in it out."""
        bucket.tokens -= 1
        left = str(int(bucket.tokens))
        if not self._enforced:
            bucket.tokens += 1
        return left

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


def _throttled(operation: str, whose: str, seconds: int, *, tenant: bool = False) -> errors.ArmError:
    """Too many calls; `whose` names the subscription or tenant, and the caller if they were all his."""
    return errors.gateway(
        429,
        "TenantRequestsThrottled" if tenant else "SubscriptionRequestsThrottled",
        f"Number of '{operation}' requests for {whose} exceeded. Please try again after '{seconds}' seconds.",
        {"Retry-After": str(seconds)},
    )
