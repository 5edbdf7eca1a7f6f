"""A sample app for the contract table: each function writes down what it was handed, in its output `out`."""

import asyncio
import json
from typing import Any, List  # noqa: UP035

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
both = asyncio.Barrier(2)


def seen(**what: Any) -> str:
    return json.dumps(what)


def described(event: Any) -> str:
    kind = type(event).__name__
    if kind == "CloudEvent":
        return seen(kind=kind, type=event.type, source=event.source, time=str(event.time), data=event.get_json())
    return seen(kind=kind, type=event.event_type, topic=event.topic, time=str(event.event_time), data=event.get_json())


@app.event_grid_trigger(arg_name="event")
@app.queue_output(arg_name="out", queue_name="seen", connection="STORE")
async def event(event: func.EventGridEvent, out: func.Out[str]) -> None:
    out.set(described(event))
    if event.subject == "/fail":
        raise ValueError("told to fail")


@app.event_grid_trigger(arg_name="event")
@app.queue_output(arg_name="out", queue_name="seen", connection="STORE")
def cloud_event(event: func.CloudEvent, out: func.Out[str]) -> None:
    out.set(described(event))


@app.event_grid_trigger(arg_name="event")
@app.queue_output(arg_name="out", queue_name="seen", connection="STORE")
def event_text(event: str, out: func.Out[str]) -> None:
    out.set(seen(kind=type(event).__name__, id=json.loads(event)["id"]))


@app.event_grid_trigger(arg_name="event")
async def together(event: func.EventGridEvent) -> None:
    await both.wait()


@app.event_grid_trigger(arg_name="event")
def unbound(event: func.EventGridEvent) -> str:
    return "nowhere to go"


@app.event_grid_trigger(arg_name="event")
@app.queue_output(arg_name="$return", queue_name="seen", connection="STORE")
def returned(event: func.EventGridEvent) -> str:
    return seen(id=event.id) if event.subject != "/none" else None  # type: ignore[return-value]


@app.queue_trigger(arg_name="message", queue_name="work", connection="STORE")
@app.queue_output(arg_name="out", queue_name="seen", connection="STORE")
def message(message: func.QueueMessage, out: func.Out[str], context: func.Context) -> None:
    body = message.get_body().decode()
    out.set(seen(body=body, id=message.id, count=message.dequeue_count, name=context.function_name))


@app.queue_trigger(arg_name="text", queue_name="texts", connection="STORE")
@app.queue_output(arg_name="out", queue_name="seen", connection="STORE")
async def message_text(text: str, out: func.Out[str]) -> None:
    out.set(seen(text=text))


@app.queue_trigger(arg_name="message", queue_name="doomed", connection="STORE")
@app.queue_output(arg_name="out", queue_name="seen", connection="STORE")
def doomed(message: func.QueueMessage, out: func.Out[str]) -> None:
    out.set("never delivered")
    raise RuntimeError("always")


@app.timer_trigger(arg_name="timer", schedule="%TICK%")
@app.queue_output(arg_name="out", queue_name="seen", connection="STORE")
async def tick(timer: func.TimerRequest, out: func.Out[str]) -> None:
    out.set(seen(past_due=timer.past_due))


@app.route(route="items/{kind}/{id?}", methods=["GET", "POST"])
async def items(req: func.HttpRequest) -> func.HttpResponse:
    body = seen(
        method=req.method,
        route=dict(req.route_params),
        query=dict(req.params),
        header=req.headers.get("X-Probe"),
        body=req.get_body().decode(),
    )
    return func.HttpResponse(body, status_code=203, mimetype="application/json", headers={"X-Answer": "yes"})


@app.route(route="items/first")
def first(req: func.HttpRequest) -> str:
    return "the literal route"


@app.route(route="rest/{*path}")
def rest(req: func.HttpRequest) -> str:
    return str(req.route_params["path"])


@app.route(route="silent")
def silent(req: func.HttpRequest) -> func.HttpResponse:
    return None  # type: ignore[return-value]


@app.route(route="broken")
def broken(req: func.HttpRequest) -> func.HttpResponse:
    raise KeyError("a secret")


@app.route(route="cookies")
def cookies(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("ok", headers={"Set-Cookie": "a=b; Path=/; HttpOnly"})


@app.route(route="locked", auth_level=func.AuthLevel.FUNCTION)
def locked(req: func.HttpRequest) -> str:
    return "opened"


@app.route(route="owned", auth_level=func.AuthLevel.ADMIN)
def owned(req: func.HttpRequest) -> str:
    return "opened"


@app.route(route="write/text")
@app.queue_output(arg_name="out", queue_name="seen", connection="STORE")
def write_text(req: func.HttpRequest, out: func.Out[str]) -> str:
    out.set(req.get_body().decode())
    return "written"


@app.route(route="write/value")
@app.queue_output(arg_name="out", queue_name="seen", connection="STORE")
def write_value(req: func.HttpRequest, out: func.Out[str]) -> str:
    out.set(req.get_json())
    return "written"


@app.route(route="write/texts")
@app.queue_output(arg_name="out", queue_name="seen", connection="STORE")
def write_texts(req: func.HttpRequest, out: func.Out[List[str]]) -> str:  # noqa: UP006 (the worker's own demand)
    out.set(req.get_json())
    return "written"


@app.route(route="write/message")
@app.queue_output(arg_name="out", queue_name="seen", connection="STORE")
def write_message(req: func.HttpRequest, out: func.Out[func.QueueMessage]) -> str:
    out.set(func.QueueMessage(id="7", body=req.get_body()))
    return "written"
