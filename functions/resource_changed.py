"""Event Grid: a resource event in, a Cause into the queue out, at once, because the sender waits for 30 seconds."""

import logging
from datetime import datetime

import azure.functions as func
import msgspec

from functions import STORE
from governor import messages
from governor.core.cause import CAUSES
from governor.events import Event, NotAnEventError, cause_of

LOG = logging.getLogger("governor")
_MOST = 4 * 1024
_CUT = 400
bp = func.Blueprint()


@bp.event_grid_trigger(arg_name="event")
@bp.queue_output(arg_name="causes", queue_name=CAUSES, connection=STORE)
def resource_changed(event: func.EventGridEvent, causes: func.Out[str]) -> None:
    """An event in, the message that `received` makes of it into the queue out."""
    if message := received(event):
        causes.set(message)


def received(event: func.EventGridEvent | func.CloudEvent) -> str | None:
    """An event in, its Cause as a message out, or None when it tells nothing about egress.

    What came as an event and is none becomes a message too, which nobody can read: so it is recorded as given up.
    """
    try:
        cause = cause_of(_read(event))
        return None if cause is None else messages.encode(cause).decode()
    except (NotAnEventError, ValueError, OverflowError) as wrong:
        why = ascii(str(wrong))[1:-1][:_CUT]
        LOG.warning("%s", why)
        return msgspec.json.encode({"notAnEvent": why, "received": _shown(event)[:_MOST]}).decode()


def _read(event: func.EventGridEvent | func.CloudEvent) -> Event:
    """Since azure-functions 1.25 a CloudEvent is handed over as one, whatever the annotation says."""
    if isinstance(event, func.CloudEvent):
        time = event.time
        at = datetime.fromisoformat(time) if isinstance(time, str) else time
        return Event(event.type or "", event.subject or "", at, _members(event))
    return Event(event.event_type or "", event.subject or "", event.event_time, _members(event))


def _members(event: func.EventGridEvent | func.CloudEvent) -> dict[str, object]:
    data = event.get_json()
    return data if isinstance(data, dict) else {}


def _shown(event: func.EventGridEvent | func.CloudEvent) -> str:
    return str(
        {name: getattr(event, name, None) for name in ("id", "subject", "topic", "source", "type", "event_type")}
    )
