"""The simulator over real sockets: control paths, lost connections, Event Grid's deliveries and handshakes."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from simulator.arm import Arm, Fault, ManualClock, bearer
from simulator.server import Server, serve
from tests.simulator.cloud import GROUP, SUBSCRIPTION

SUBSCRIPTIONS = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.EventGrid/eventSubscriptions"
Answer = Callable[[web.Request, bytes], web.Response]


class Endpoint:
    """A webhook that keeps what it receives; `answer` decides what it says, without it there is none until `said`."""

    def __init__(self, answer: Answer | None) -> None:
        self.received: asyncio.Queue[tuple[str, dict[str, str], Any]] = asyncio.Queue()
        self.url = ""
        self.said = asyncio.Event()
        self._answer = answer

    async def called(self, request: web.Request) -> web.Response:
        body = await request.read()
        sent = json.loads(body) if body else None
        self.received.put_nowait((request.method, {k.lower(): v for k, v in request.headers.items()}, sent))
        if self._answer is None:
            await self.said.wait()
            return web.Response(status=500)
        return self._answer(request, body)


Webhook = Callable[[Answer | None], Awaitable[Endpoint]]


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    arm = Arm(ManualClock(), handshakes=True)
    arm.load([{"id": GROUP, "type": "Microsoft.Resources/resourceGroups", "location": "eastus"}])
    running = await serve(arm)
    yield running
    await running.close()


@pytest.fixture
async def http(server: Server) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}", headers=bearer()) as session:
        yield session


@pytest.fixture
async def webhook() -> AsyncIterator[Webhook]:
    runners: list[web.AppRunner] = []

    async def start(answer: Answer | None) -> Endpoint:
        endpoint = Endpoint(answer)
        app = web.Application()
        app.router.add_route("*", "/hook", endpoint.called)
        runner = web.AppRunner(app, shutdown_timeout=0.05)
        await runner.setup()
        runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        endpoint.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        return endpoint

    yield start
    for runner in runners:
        await runner.cleanup()


def _validates(request: web.Request, body: bytes) -> web.Response:
    if request.headers.get("aeg-event-type") == "SubscriptionValidation":
        return web.json_response({"validationResponse": json.loads(body)[0]["data"]["validationCode"]})
    return web.Response(status=200)


async def _subscribe(http: aiohttp.ClientSession, url: str, schema: str = "EventGridSchema") -> dict[str, Any]:
    properties = {
        "destination": {"endpointType": "WebHook", "properties": {"endpointUrl": url}},
        "eventDeliverySchema": schema,
        "filter": {"includedEventTypes": ["Microsoft.Resources.ResourceWriteSuccess"]},
    }
    path = f"{SUBSCRIPTIONS}/mine?api-version=2022-06-15"
    async with http.put(path, json={"properties": properties}) as response:
        assert response.status == 201
        found: dict[str, Any] = await response.json()
        return found


async def _write(http: aiohttp.ClientSession, name: str = "n") -> None:
    path = f"{GROUP}/providers/Microsoft.Network/networkInterfaces/{name}?api-version=2024-05-01"
    async with http.put(path, json={"location": "eastus"}) as response:
        assert response.status == 201


async def _validated(http: aiohttp.ClientSession) -> str:
    """Asks until the endpoint has been heard; how the validation ended out."""
    state = "Creating"
    while state in ("Creating", "Updating"):
        async with http.get(f"{SUBSCRIPTIONS}/mine?api-version=2022-06-15") as response:
            state = (await response.json())["properties"]["provisioningState"]
    return state


async def test_event_subscription_is_validated_and_then_gets_an_array_of_one_event(
    http: aiohttp.ClientSession, webhook: Webhook
) -> None:
    endpoint = await webhook(_validates)
    assert (await _subscribe(http, endpoint.url))["properties"]["provisioningState"] == "Creating"
    _, headers, events = await endpoint.received.get()
    assert headers["aeg-event-type"] == "SubscriptionValidation"
    assert events[0]["eventType"] == "Microsoft.EventGrid.SubscriptionValidationEvent"
    assert await _validated(http) == "Succeeded"
    await _write(http)
    _, headers, events = await endpoint.received.get()
    assert headers["aeg-event-type"] == "Notification"
    assert len(events) == 1
    assert events[0]["data"]["operationName"] == "Microsoft.Network/networkInterfaces/write"


async def test_cloud_events_are_asked_for_with_options_and_sent_one_by_one(
    http: aiohttp.ClientSession, webhook: Webhook
) -> None:
    allowed = {"WebHook-Allowed-Origin": "eventgrid.azure.net"}
    endpoint = await webhook(lambda request, body: web.Response(status=200, headers=allowed))
    await _subscribe(http, endpoint.url, "CloudEventSchemaV1_0")
    method, headers, _ = await endpoint.received.get()
    assert (method, headers["webhook-request-origin"]) == ("OPTIONS", "eventgrid.azure.net")
    assert await _validated(http) == "Succeeded"
    await _write(http)
    _, headers, event = await endpoint.received.get()
    assert headers["content-type"].startswith("application/cloudevents+json")
    assert event["specversion"] == "1.0"


async def test_endpoint_that_does_not_validate_gets_nothing(http: aiohttp.ClientSession, webhook: Webhook) -> None:
    endpoint = await webhook(lambda request, body: web.Response(status=200))
    await _subscribe(http, endpoint.url)
    await endpoint.received.get()
    assert await _validated(http) == "Failed"
    await _write(http)
    assert endpoint.received.empty()


@pytest.mark.parametrize(
    "answer",
    [
        web.Response(status=200, body=b"[" * 100_000),
        web.Response(status=200, body=b"\xff"),
        web.Response(status=302, headers={"Location": "http://a..b/"}),
    ],
    ids=["deep", "no text", "redirect"],
)
async def test_endpoint_that_answers_nonsense_is_in_nobodys_way(
    http: aiohttp.ClientSession, webhook: Webhook, answer: web.Response
) -> None:
    endpoint, sane = await webhook(lambda request, body: answer), await webhook(_validates)
    await _subscribe(http, endpoint.url)
    assert await _validated(http) == "Failed"
    await _subscribe(http, sane.url)
    assert await _validated(http) == "Succeeded"


async def test_redirect_is_no_acknowledgement(webhook: Webhook) -> None:
    elsewhere = await webhook(lambda request, body: web.Response(status=200))
    endpoint = await webhook(lambda request, body: web.Response(status=302, headers={"Location": elsewhere.url}))
    assert await _given_up(Arm(ManualClock()), endpoint.url, 30) == "Aborted"
    assert elsewhere.received.empty()


async def test_endpoint_that_is_replaced_while_it_is_asked_does_not_answer_for_the_new_one(
    http: aiohttp.ClientSession, webhook: Webhook
) -> None:
    silent, new = await webhook(None), await webhook(_validates)
    await _subscribe(http, silent.url)
    await silent.received.get()
    changed = {"destination": {"endpointType": "WebHook", "properties": {"endpointUrl": new.url}}}
    async with http.patch(f"{SUBSCRIPTIONS}/mine?api-version=2022-06-15", json=changed) as response:
        assert (await response.json())["properties"]["provisioningState"] == "Updating"
    silent.said.set()  # it ends with an error, which refuses
    _, headers, _ = await new.received.get()
    assert headers["aeg-event-type"] == "SubscriptionValidation"
    assert await _validated(http) == "Succeeded"
    await _write(http)
    _, headers, _ = await new.received.get()
    assert headers["aeg-event-type"] == "Notification"


async def test_refused_delivery_comes_again_after_ten_seconds(
    server: Server, http: aiohttp.ClientSession, webhook: Webhook
) -> None:
    answers = iter([500, 200])

    def moody(request: web.Request, body: bytes) -> web.Response:
        if request.headers["aeg-event-type"] == "SubscriptionValidation":
            return _validates(request, body)
        return web.Response(status=next(answers))

    endpoint = await webhook(moody)
    await _subscribe(http, endpoint.url)
    await endpoint.received.get()
    assert await _validated(http) == "Succeeded"
    await _write(http)
    _, first, events = await endpoint.received.get()
    while server.arm.next_due() is None:
        async with http.get("/simulator/clock") as response:
            assert response.status == 200
    assert endpoint.received.empty()
    async with http.post("/simulator/clock", json={"advance": 10}) as response:
        assert (await response.json())["now"] == "2026-11-21T10:00:10Z"
    _, second, again = await endpoint.received.get()
    assert again == events
    assert (first["aeg-delivery-count"], second["aeg-delivery-count"]) == ("0", "1")


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_lost_connection_is_lost_before_or_after_the_write(
    server: Server, http: aiohttp.ClientSession, moment: Any
) -> None:
    # Always, because aiohttp asks a second time by itself.
    server.arm.faults.append(Fault(method="PUT", drop=moment, count=None))
    with pytest.raises(aiohttp.ClientError):
        await _write(http)
    path = f"{GROUP}/providers/Microsoft.Network/networkInterfaces/n?api-version=2024-05-01"
    async with http.get(path) as response:
        assert response.status == (404 if moment == "before" else 200)


DEAD_LETTERS = {
    "endpointType": "StorageBlob",
    "properties": {"resourceId": f"{GROUP}/providers/Microsoft.Storage/storageAccounts/a", "blobContainerName": "c"},
}


async def _given_up(arm: Arm, url: str, patience: float) -> str:
    """An endpoint that is tried once in, how that ended out."""
    properties = {
        "destination": {"endpointType": "WebHook", "properties": {"endpointUrl": url}},
        "retryPolicy": {"maxDeliveryAttempts": 1},
        "deadLetterDestination": DEAD_LETTERS,
    }
    mine = {"id": f"{SUBSCRIPTIONS}/mine", "type": "Microsoft.EventGrid/eventSubscriptions", "properties": properties}
    arm.load([{"id": GROUP, "type": "Microsoft.Resources/resourceGroups", "location": "eastus"}, mine])
    running = await serve(arm, acknowledged_within=patience)
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{running.port}", headers=bearer()) as http:
            await _write(http)
            while True:
                async with http.post("/simulator/clock", json={"advance": 300}) as response:
                    assert response.status == 200
                async with http.get("/simulator/deadletters") as response:
                    letters = await response.json()
                if letters:
                    outcome: str = letters[0]["event"]["lastDeliveryOutcome"]
                    return outcome
    finally:
        await running.close()


async def test_endpoint_that_does_not_answer_in_time_has_not_acknowledged(webhook: Webhook) -> None:
    endpoint = await webhook(None)
    assert await _given_up(Arm(ManualClock()), endpoint.url, 0.05) == "TimedOut"


async def test_endpoint_that_is_not_there_has_not_acknowledged() -> None:
    assert await _given_up(Arm(ManualClock()), "http://127.0.0.1:9/hook", 30) == "SocketError"


async def test_answer_outside_200_to_204_is_no_acknowledgement(webhook: Webhook) -> None:
    endpoint = await webhook(lambda request, body: web.Response(status=205))
    assert await _given_up(Arm(ManualClock()), endpoint.url, 30) == "Aborted"


async def test_late_answer_comes_when_the_clock_says_so(server: Server, http: aiohttp.ClientSession) -> None:
    server.arm.faults.append(Fault(method="PUT", delay=3600))
    late = asyncio.create_task(_write(http))
    while not server.arm.requests:
        async with http.get("/simulator/clock") as response:
            assert response.status == 200
    path = f"{GROUP}/providers/Microsoft.Network/networkInterfaces/n?api-version=2024-05-01"
    async with http.get(path) as response:
        assert (response.status, late.done()) == (200, False)
    async with http.post("/simulator/clock", json={"advance": 3600}) as response:
        assert response.status == 200
    await late


async def test_control_paths_answer_json(http: aiohttp.ClientSession) -> None:
    await _write(http)
    async with http.get("/simulator/requests") as response:
        assert [entry["status"] for entry in await response.json()] == [201]
    async with http.get("/simulator/estate") as response:
        estate = await response.json()
    async with http.post("/simulator/reset") as response:
        assert response.status == 200
    async with http.get("/simulator/estate") as response:
        assert await response.json() == []
    async with http.post("/simulator/estate", json=estate) as response:
        assert response.status == 200
    async with http.get("/simulator/estate") as response:
        assert await response.json() == estate
    async with http.post("/simulator/faults", json=[{"status": 429, "retry_after": 7}]) as response:
        assert response.status == 200
    async with http.get("/subscriptions?api-version=2022-12-01") as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "7")
    for path in ("/simulator/clock", "/simulator/estate", "/simulator/faults"):
        async with http.post(path, data=b'{"advance": -1') as response:
            assert response.status == 400
    async with http.get("/simulator/nothing") as response:
        assert response.status == 404


async def test_locations_are_built_from_the_host_that_was_asked(server: Server, http: aiohttp.ClientSession) -> None:
    path = f"{GROUP}/providers/Microsoft.Network/natGateways/n?api-version=2024-05-01"
    async with http.put(path, json={"location": "eastus"}) as response:
        url = response.headers["Azure-AsyncOperation"]
    assert url.startswith(f"http://127.0.0.1:{server.port}/subscriptions/")
    async with http.get(url) as response:
        assert await response.json() == {"status": "Succeeded"}


class Broken(Arm):
    """A simulator with a defect in what it delivers."""

    def take_events(self) -> list[Any]:
        raise RuntimeError("defect")


async def test_deliveries_that_end_by_a_defect_are_told() -> None:
    told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.put_nowait(context))
    server = await serve(Broken(ManualClock()))
    async with asyncio.timeout(30):
        assert (await told.get())["message"] == "Events are not delivered any more"
    with pytest.raises(ExceptionGroup):
        await server.close()
