"""Governor and simulator in one process: an azure-core transport that asks `simulator.arm.Arm` directly.

    transport = InProcessTransport(arm, clock=clock, seed=7, turns=3, latency=(0.0, 0.2))
    cloud = connect(clock, arm_endpoint="https://127.0.0.1:8443", transport=transport)

Several transports may share one Arm: one per process that is being simulated.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable, MutableMapping
from types import TracebackType
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

import msgspec
from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseTimeoutError
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.core.utils import case_insensitive_dict

from simulator.arm import Arm, bearer
from simulator.wire import Dropped, Request, Response
from tests.support.clock import FakeClock
from tests.support.life import Life

Moment: TypeAlias = Literal["before", "after"]
Hook: TypeAlias = Callable[[Moment, Request, Response | None], Response | None]
"""Called before a request leaves and, with the answer, when that is back; may raise (`lost`) or answer instead."""


class InProcessTransport(AsyncHttpTransport[HttpRequest, AsyncHttpResponse]):
    """Requests of azure-core in, answers of the simulator out; no sockets.

    `seed` shuffles: before and after each request control is yielded up to `turns` times, and the request takes a time
    drawn from `latency` (seconds of `clock`). `life` reaches a point before and after each request. An answer that a
    fault makes late comes when the `clock` says so, and is not waited for any longer than `read_timeout`. With a
    `token` they come from that principal.
    """

    def __init__(
        self,
        arm: Arm,
        *,
        clock: FakeClock | None = None,
        seed: int | None = None,
        turns: int = 0,
        latency: tuple[float, float] = (0.0, 0.0),
        read_timeout: float = 60.0,
        life: Life | None = None,
        hooks: Iterable[Hook] = (),
        token: str = "",
    ) -> None:
        self.arm = arm
        self._token = token
        self.requests: list[Request] = []
        self.hooks = list(hooks)
        self._clock = clock
        self._dice = random.Random(seed)
        self._turns = turns
        self._latency = latency
        self._read_timeout = read_timeout
        self._life = life or Life()

    async def send(self, request: HttpRequest, **_: Any) -> AsyncHttpResponse:
        asked = _asked(request, self._token)
        point = f"{asked.method} {asked.path}"
        self._life.reach(f"before {point}")
        self.requests.append(asked)
        response = self._hooked("before", asked, None)
        await self._let_others_run()
        try:
            response = response or self.arm.handle(asked)
        except Dropped as dropped:
            raise lost() from dropped
        if response.delay:
            await self._wait(response.delay)
        await self._let_others_run()
        response = self._hooked("after", asked, response) or response
        self._life.reach(f"after {point}")
        return InProcessResponse(request, response)

    def of(self, method: str) -> list[str]:
        """A method in, the paths it was used on, in order, out."""
        return [request.path for request in self.requests if request.method == method]

    async def _let_others_run(self) -> None:
        for _ in range(self._dice.randint(0, self._turns)):
            await asyncio.sleep(0)
        if self._clock is not None and self._latency[1] > 0:
            await self._clock.sleep(self._dice.uniform(*self._latency) / 2)

    async def _wait(self, seconds: float) -> None:
        assert self._clock is not None, "who makes answers late must bring a clock"
        await self._clock.sleep(min(seconds, self._read_timeout))
        if seconds > self._read_timeout:
            raise ServiceResponseTimeoutError("Timeout on reading data from socket")

    def _hooked(self, moment: Moment, request: Request, response: Response | None) -> Response | None:
        for hook in self.hooks:
            if instead := hook(moment, request, response):
                return instead
        return None

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()


def lost() -> ServiceRequestError:
    """What azure-core's own transport raises when a connection ends without an answer."""
    return ServiceRequestError("Server disconnected")


class InProcessResponse(AsyncHttpResponse):
    """One answer, already read."""

    def __init__(self, request: HttpRequest, response: Response) -> None:
        self._request = request
        self._response = response
        self._encoding: str | None = None
        self._headers: MutableMapping[str, str] = case_insensitive_dict(response.headers)

    @property
    def request(self) -> HttpRequest:
        return self._request

    @property
    def status_code(self) -> int:
        return self._response.status

    @property
    def headers(self) -> MutableMapping[str, str]:
        return self._headers

    @property
    def reason(self) -> str:
        return ""

    @property
    def content_type(self) -> str | None:
        return self._headers.get("Content-Type")

    @property
    def is_closed(self) -> bool:
        return True

    @property
    def is_stream_consumed(self) -> bool:
        return True

    @property
    def encoding(self) -> str | None:
        return self._encoding

    @encoding.setter
    def encoding(self, value: str | None) -> None:
        self._encoding = value

    @property
    def url(self) -> str:
        return self._request.url

    @property
    def content(self) -> bytes:
        return self._response.body

    def text(self, encoding: str | None = None) -> str:
        return self.content.decode(encoding or self._encoding or "utf-8")

    def json(self) -> Any:
        return msgspec.json.decode(self.content)

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise HttpResponseError(response=self)

    async def read(self) -> bytes:
        return self.content

    async def iter_raw(self, **_: Any) -> AsyncIterator[bytes]:
        yield self.content

    async def iter_bytes(self, **_: Any) -> AsyncIterator[bytes]:
        yield self.content

    async def close(self) -> None:
        """Nothing to close."""

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()


def _asked(request: HttpRequest, token: str) -> Request:
    parts = urlsplit(request.url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    # Older SDKs have requests of an older kind.
    content = (request.content if hasattr(request, "content") else request.body) or b""
    body = content.encode() if isinstance(content, str) else bytes(content)
    headers = {**request.headers, "Host": parts.netloc} | (bearer(token) if token else {})
    return Request(request.method, target, headers, body, parts.scheme)
