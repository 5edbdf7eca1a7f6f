"""The simulator over HTTP: sockets in, Arm asked, answers and Event Grid deliveries out."""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import aiohttp
import msgspec
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from simulator import errors
from simulator.arm import MOST_BYTES, Arm
from simulator.arm import Request as ArmRequest
from simulator.deliveries import Delivery, Outcome
from simulator.event_subscriptions import EventSubscription
from simulator.wire import Dropped, members

LOOKS_EVERY = 0.25
"""Seconds between two looks at the clock while something waits: the clock may be moved from outside."""
GRID = "eventgrid.azure.net"


class Server:
    """A running simulator: where it listens, and how it is stopped."""

    def __init__(self, arm: Arm, runner: web.AppRunner, port: int) -> None:
        self.arm = arm
        self.port = port
        self._runner = runner

    async def close(self) -> None:
        """Stops listening and delivering."""
        await self._runner.cleanup()


async def serve(
    arm: Arm, port: int = 0, ssl_context: ssl.SSLContext | None = None, acknowledged_within: float = 30
) -> Server:
    """A simulator in, a server on 127.0.0.1 that answers for it out; port 0 chooses a free one.

    An endpoint has `acknowledged_within` (real) seconds to answer a delivery or a validation.
    """
    app = web.Application(client_max_size=0)  # no limit here: Arm refuses what is too large, in ARM's words
    scheme = "https" if ssl_context is not None else "http"
    wake = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            body = await _body(request)
        except web.RequestPayloadError:
            told = errors.invalid_content("The request content could not be decoded.").response()
            return web.Response(status=told.status, headers=told.headers, body=told.body)
        except ConnectionError:
            return web.Response(status=400)  # the caller has gone before the end of his request: nobody reads this
        headers = {name: _text(value) for name, value in request.headers.items()}
        asked = ArmRequest(request.method, request.raw_path, headers, body, scheme)
        try:
            response = arm.handle(asked)
        except Dropped:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        finally:
            wake.set()
        if response.delay:
            await _until(arm, arm.clock.now() + timedelta(seconds=response.delay))
        return web.Response(status=response.status, headers=response.headers, body=response.body)

    async def delivering(_: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=acknowledged_within)) as session:
            grid = asyncio.create_task(_deliver_for_ever(arm, session, wake))
            grid.add_done_callback(_tell_failure)
            yield
            grid.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await grid

    app.router.add_route("*", "/{path:(?s:.*)}", answer)
    app.cleanup_ctx.append(delivering)
    logger = logging.Logger("simulator.server")
    logger.addFilter(_is_ours)
    runner = web.AppRunner(app, access_log=None, logger=logger, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=ssl_context).start()
    return Server(arm, runner, runner.addresses[0][1])


async def _body(request: web.Request) -> bytes:
    """A request in, its body out; of one that is too large only as much as shows that it is."""
    if request.raw_path.startswith("/simulator/"):
        return await request.read()
    read = bytearray()
    async for part in request.content.iter_any():
        read += part
        if len(read) > MOST_BYTES:
            break
    return bytes(read)


def _text(read: str) -> str:
    """A header as it was read in, the same without bytes that are no text out: they could not be told again."""
    return read if read.isascii() else read.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether a log record tells of a mistake in here: what is no HTTP is the caller's, and he is told."""
    problem = record.exc_info[1] if record.exc_info else None
    return not isinstance(problem, (HttpProcessingError, web.RequestPayloadError))


def _tell_failure(grid: asyncio.Task[None]) -> None:
    """The end of all deliveries, which only a defect brings about, is told at once on standard error."""
    if not grid.cancelled() and (problem := grid.exception()) is not None:
        grid.get_loop().call_exception_handler({"message": "Events are not delivered any more", "exception": problem})


async def _until(arm: Arm, moment: datetime) -> None:
    """Returns when it is that late on the simulator's clock."""
    while (left := (moment - arm.clock.now()) / timedelta(seconds=1)) > 0:  # noqa: ASYNC110 - no event tells of time
        await asyncio.sleep(min(LOOKS_EVERY, left))


async def _deliver_for_ever(arm: Arm, session: aiohttp.ClientSession, wake: asyncio.Event) -> None:
    """Due deliveries and validations go out, each in a task of its own, so that none waits for another."""
    async with asyncio.TaskGroup() as group:
        asked: set[str] = set()
        while True:
            wake.clear()
            for delivery in arm.take_events():
                group.create_task(_deliver(arm, session, delivery, wake))
            for subscription in arm.unconfirmed():
                if subscription.key not in asked:
                    asked.add(subscription.key)
                    group.create_task(_validate(arm, session, subscription, asked, wake))
            due = arm.next_due()
            if due is None:
                await wake.wait()
            else:
                wait = min(LOOKS_EVERY, max(0.0, (due - arm.clock.now()) / timedelta(seconds=1)))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(wake.wait(), wait)


async def _deliver(arm: Arm, session: aiohttp.ClientSession, delivery: Delivery, wake: asyncio.Event) -> None:
    """One delivery goes out; without an acknowledgement (200 to 204) in time it is due again later."""
    try:
        async with session.post(
            delivery.url, data=delivery.body, headers=delivery.headers, allow_redirects=False
        ) as response:
            if 200 <= response.status <= 204:
                return
            outcome: Outcome = response.status
    except TimeoutError:
        outcome = "TimedOut"
    except aiohttp.ClientError:
        outcome = "SocketError"
    arm.delivery_failed(delivery, outcome)
    wake.set()


async def _validate(
    arm: Arm, session: aiohttp.ClientSession, found: EventSubscription, asked: set[str], wake: asyncio.Event
) -> None:
    """An endpoint is asked whether it wants events: with a code to send back, or with OPTIONS for CloudEvents."""
    try:
        if found.schema == "CloudEventSchemaV1_0":
            accepted = await _allows(session, found.url)
        else:
            accepted = await _echoes(session, found)
    except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError, RecursionError):
        accepted = False
    if found in arm.unconfirmed():  # else it was changed or deleted meanwhile, and this answer means nothing
        arm.confirm(found.key, accepted=accepted)
    asked.discard(found.key)
    wake.set()


async def _allows(session: aiohttp.ClientSession, url: str) -> bool:
    async with session.options(url, headers={"WebHook-Request-Origin": GRID}, allow_redirects=False) as response:
        return response.status == 200 and response.headers.get("WebHook-Allowed-Origin") in (GRID, "*")


async def _echoes(session: aiohttp.ClientSession, found: EventSubscription) -> bool:
    code = found.validation_code
    event = {
        "id": code,
        "topic": found.scope,
        "subject": "",
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "eventTime": found.created,
        "metadataVersion": "1",
        "dataVersion": "2",
        "data": {"validationCode": code},
    }
    headers = {"aeg-event-type": "SubscriptionValidation", "Content-Type": "application/json; charset=utf-8"}
    async with session.post(
        found.url, data=msgspec.json.encode([event]), headers=headers, allow_redirects=False
    ) as response:
        said = members(msgspec.json.decode(await response.read() or b"null"))
        return response.status == 200 and said.get("validationResponse") == code
