"""Resource Graph's quota: who asks in, how many queries are left (or a 429) out."""

import math
from datetime import datetime, timedelta

import msgspec

from simulator import graph_errors
from simulator.world import World

QUERIES = 15
WINDOW = timedelta(seconds=5)


class Quota:
    """Windows of five seconds with fifteen queries each, for every principal. Switched off, none is used up."""

    def __init__(self, *, enforced: bool) -> None:
        self._enforced = enforced
        self._windows: dict[str, _Window] = {}

    def admit(self, principal: str, world: World) -> dict[str, str]:
        """A query in, whatever it will come to; the headers that say what is left out, or RateLimiting."""
        now = world.now()
        window = self._windows.get(principal)
        if window is None or not self._enforced or now >= window.ends:
            window = self._windows[principal] = _Window(now + WINDOW)
        seconds = math.ceil((window.ends - now).total_seconds())
        resets = {"x-ms-user-quota-resets-after": f"00:00:{seconds:02}"}
        if window.left == 0:
            headers = {"Retry-After": str(seconds), "x-ms-user-quota-remaining": "0", **resets}
            raise graph_errors.rate_limited(world, headers)
        window.left -= 1
        left = str(window.left)
        return {
            "x-ms-user-quota-remaining": left,
            **resets,
            "x-ms-ratelimit-remaining-tenant-resource-requests": left,
        }


class _Window(msgspec.Struct):
    ends: datetime
    left: int = QUERIES
