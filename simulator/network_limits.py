"""The Network provider's own limits on calls: who asks for what where in, nothing or its 429 out."""

import math
from datetime import datetime, timedelta

import msgspec

from simulator import errors

WINDOW = timedelta(minutes=5)
MOST_READS, MOST_WRITES = 10_000, 1_000
"""For each subscription and region; deletes are writes, and actions (POST) are not counted."""


class NetworkLimits:
    """Windows of five minutes for every subscription, region and kind of call. Switched off, none is counted."""

    def __init__(self, *, enforced: bool) -> None:
        self.enforced = enforced
        self._windows: dict[tuple[str, str, bool], _Window] = {}

    def admit(self, subscription: str, region: str, method: str, now: datetime) -> None:
        """A call that has come to the provider in; refused when there were too many before it."""
        if not self.enforced or method == "POST":
            return
        reads = method in ("GET", "HEAD")
        key = (subscription.casefold(), region, reads)
        window = self._windows.get(key)
        if window is None or now >= window.ends:
            window = self._windows[key] = _Window(now + WINDOW)
        if window.calls == (MOST_READS if reads else MOST_WRITES):
            raise _too_many_calls(subscription, math.ceil((window.ends - now).total_seconds()))
        window.calls += 1


class _Window(msgspec.Struct):
    ends: datetime
    calls: int = 0


def _too_many_calls(subscription: str, seconds: int) -> errors.ArmError:
    detail = {
        "code": "RetryableErrorDueToTooManyCalls",
        "message": f"Subscription {subscription} was used to perform too many calls within last 5 minutes. The number "
        f"of calls exceeds Microsoft.Network throttling limit. The call can be retried in {seconds} seconds.",
    }
    return errors.try_again(detail, {"Retry-After": str(seconds)})
