"""Custom topics of Event Grid, there from the first event on: a request to publish in, kept or refused out.

A topic takes what is published at `/topics/NAME/api/events`, where Azure has a host for each;
`GET /simulator/topics/NAME` shows what it got.
"""

import msgspec

from simulator.wire import Body, Request, Response, answer, text
from simulator.world import World

API_VERSION = "2018-01-01"
CLOUD_EVENTS = ("application/cloudevents-batch+json", "application/cloudevents+json")
MOST_BYTES = 1024 * 1024
SIGNATURES = ("aeg-sas-key", "aeg-sas-token", "Authorization")
REQUIRED = ("id", "source", "specversion", "type")


def answered(world: World, request: Request, path: list[str]) -> Response | None:
    """A request and the segments of its path in, the answer out; None when it is for somebody else."""
    match request.method, path:
        case "POST", ["topics", name, "api", "events"]:
            return _published(world, request, name.lower())
        case _:
            return None


def _published(world: World, request: Request, topic: str) -> Response:
    if not any(request.header(name) for name in SIGNATURES):
        return _refused(401, f"The request must contain one of: {', '.join(SIGNATURES)}.")
    if request.query.get("api-version") != API_VERSION:
        return _refused(400, f"The api-version query parameter must be {API_VERSION}.")
    if len(request.body) > MOST_BYTES:
        return _refused(413, f"The maximum size ({MOST_BYTES}) has been exceeded.")
    if (request.header("Content-Type") or "").partition(";")[0].strip().lower() not in CLOUD_EVENTS:
        return _refused(400, "This resource is configured to receive event in 'CloudEventV10' schema.")
    events = _events(request.body)
    if events is None:
        return _refused(400, "The JSON received does not conform to the expected schema: CloudEventV10.")
    world.published.setdefault(topic, []).extend(events)
    return answer(200)


def _events(body: bytes) -> list[Body] | None:
    """What was published in, its events out; None when one of them is no CloudEvent."""
    try:
        sent = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None
    found = sent if isinstance(sent, list) else [sent]
    valid = all(
        isinstance(one, dict) and all(text(one.get(name)) for name in REQUIRED) and one["specversion"] == "1.0"
        for one in found
    )
    return found if valid else None


def _refused(status: int, why: str) -> Response:
    told = {"code": str(status), "message": why}
    return answer(status, {"error": {**told, "details": [told]}})
