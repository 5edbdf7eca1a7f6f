"""POST actions that only tell something: a call and what it will tell in, 202 out; its Location tells it later."""

from simulator.calls import Call, operation_for
from simulator.network import missing
from simulator.store import Stored
from simulator.wire import Body, Response, text
from simulator.world import World


def asked_of(world: World, call: Call) -> Stored:
    """A call on an action in, the resource it is asked of out; refused when there is none."""
    above = call.address.parent
    stored = world.store.get(above.key) if above is not None else None
    if above is None or stored is None:
        raise missing(world.store, call.address)
    return stored


def promised(world: World, call: Call, stored: Stored, label: str, result: Body) -> Response:
    """What a resource has to tell in; the operation that tells it takes its time and is in nobody's way."""
    operation = operation_for(world, call, "action", stored.id, text(stored.content.get("location")), "")
    operation.lock = operation.id
    operation.target, operation.type_name, operation.label = stored.id.casefold(), stored.type, label
    operation.result = result
    world.operations.start(operation)
    headers = {"Location": call.request.base + operation.path("operationResults"), **world.settings.wait("action")}
    return Response(202, headers | {"Content-Type": "application/json; charset=utf-8"}, b"null")
