"""A request of Event Grid's webhook in, invocations and the answer that Event Grid acts on out.

202 only after every invocation has ended; 500 if one of them failed, and then Event Grid sends all of them again.
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from devhost.functions import Function
from devhost.invocation import Invocations
from devhost.triggers import of_event

log = logging.getLogger("devhost")


async def answer(request: web.Request, functions: Mapping[str, Function], invocations: Invocations) -> web.Response:
    """Answers the handshakes and runs one invocation per event, all at the same time."""
    name = request.query.get("functionName", "")
    function = functions.get(name)
    if function is None or function.kind != "eventGridTrigger":
        return web.Response(status=404, text=f"cannot find function: '{name}'")
    if request.method == "OPTIONS":
        return _allowed(request)
    match request.headers.get("aeg-event-type", "").lower():
        case "subscriptionvalidation":
            return _validated(name, await request.text())
        case "notification":
            return await _notified(function, await request.text(), invocations)
        case "unsubscribe":
            return web.Response(status=202)
        case _:
            return web.Response(status=400)


def _allowed(request: web.Request) -> web.Response:
    origin = request.headers.get("WebHook-Request-Origin")
    if not origin:
        return web.Response(status=400)
    return web.Response(headers={"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"})


def _validated(name: str, text: str) -> web.Response:
    try:
        body = json.loads(text)
        data = body[0]["data"] if isinstance(body, list) else body["data"]
        # A CloudEvent carries its data encoded once more.
        code = (json.loads(data) if isinstance(data, str) else data)["validationCode"]
    except (ValueError, LookupError, TypeError) as error:
        log.warning("%s: no validation code in a handshake: %s", name, type(error).__name__)
        return web.Response(status=500)
    log.info("%s: handshake with Event Grid", name)
    return web.json_response({"validationResponse": code})


async def _notified(function: Function, text: str, invocations: Invocations) -> web.Response:
    events = _events(text)
    if events is None:
        log.warning("%s: a notification is neither an event nor an array of events", function.name)
        return web.Response(status=500)
    outcomes = await asyncio.gather(*(invocations.run(function, of_event(event), "Event Grid") for event in events))
    failure = next((outcome.failure for outcome in outcomes if outcome.failure is not None), None)
    return web.Response(status=202) if failure is None else web.Response(status=500, text=failure)


def _events(text: str) -> list[dict[str, Any]] | None:
    try:
        body = json.loads(text)
    except ValueError:
        return None
    events = body if isinstance(body, list) else [body]
    return events if all(isinstance(event, dict) for event in events) else None
