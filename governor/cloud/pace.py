"""How fast one worker may ask: at most so many requests at once per subscription, and a pause for all after a 429."""

import asyncio
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy
from azure.core.rest import AsyncHttpResponse, HttpRequest

from governor.cloud import errors
from governor.ports import Clock

_UNSAID: Final = 2.0


class Pace(AsyncHTTPPolicy[HttpRequest, AsyncHttpResponse]):
    """A policy of the pipeline, so that reads of ours and writes of the SDK clients share it.

    While a subscription is throttled it raises Throttled without asking: waiting is for whoever knows the deadline.
    """

    def __init__(self, clock: Clock, at_once: int) -> None:
        super().__init__()
        self._clock = clock
        self._turns: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(at_once))
        self._shut: dict[tuple[str, bool], datetime] = {}

    async def send(self, request: PipelineRequest[HttpRequest]) -> PipelineResponse[HttpRequest, AsyncHttpResponse]:
        subscription = _subscription(request.http_request.url)
        # Azure keeps separate buckets for reads and writes.
        kind = subscription, request.http_request.method in ("GET", "HEAD")
        async with self._turns[subscription]:
            left = (self._shut.get(kind, self._clock.now()) - self._clock.now()).total_seconds()
            if left > 0:
                raise errors.Throttled(f"subscription {subscription} is throttled", left)
            response = await self.next.send(request)
            if response.http_response.status_code == 429:
                await self._note(kind, response.http_response)
        return response

    async def _note(self, kind: tuple[str, bool], response: AsyncHttpResponse) -> None:
        found = errors.trouble(response.status_code, response.headers, await response.read())
        if isinstance(found, errors.Throttled):
            until = self._clock.now() + timedelta(seconds=_UNSAID if found.after is None else found.after)
            self._shut[kind] = max(until, self._shut.get(kind, until))


def _subscription(url: str) -> str:
    """A URL in, the id of its subscription out, "" for what lies in none."""
    segments = urlsplit(url).path.strip("/").split("/")
    return segments[1].casefold() if len(segments) > 1 and segments[0].casefold() == "subscriptions" else ""
