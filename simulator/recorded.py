"""What is kept of a call: a call in, its answer out; the activity log and events tell what became of it."""

from simulator import errors
from simulator.activity_log import Record, operation_of
from simulator.calls import Call
from simulator.routes import routed
from simulator.wire import Response
from simulator.world import World


def recorded(world: World, call: Call) -> Response:
    """A call in, its answer out; what ARM itself refuses leaves no record."""
    log, now = world.log, world.now()
    operation = operation_of(call.address, call.request.method)
    if operation is None:
        return routed(world, call)
    started = Record(now, "Started", *operation, call.caller)
    log.add(started)
    try:
        response = routed(world, call)
    except errors.ArmError as refusal:
        if refusal.envelope == "gateway":
            log.withdraw()
        elif not _is_event(call, refusal):
            log.add(Record(now, "Failed", *operation, call.caller, refusal.status))
        else:
            _publish(world, call, refusal)
        raise
    if log.is_latest(started):  # it goes on: nothing has ended yet
        log.add(Record(now, "Accepted", *operation, call.caller, response.status))
    return response


def _is_event(call: Call, refusal: errors.ArmError) -> bool:
    """A provider's refusal of a write is an event; what the pace refused is none."""
    return call.request.method in ("PUT", "PATCH", "DELETE") and refusal.status in (400, 409)


def _publish(world: World, call: Call, refusal: errors.ArmError) -> None:
    stored = world.store.get(call.address.key)
    world.publish(
        stored.id if stored is not None else call.address.text,
        call.address.type,
        call.caller,
        deleted=call.request.method == "DELETE",
        updated=stored is not None,
        ending="Failure",
        http=refusal.status,
    )
