"""The queue of Causes: one message in, one run out; and what nobody could handle is recorded, so nothing is lost."""

import azure.functions as func

from functions import STORE
from governor import messages
from governor.core.cause import CAUSES, Cause

bp = func.Blueprint()


@bp.queue_trigger(arg_name="message", queue_name=CAUSES, connection=STORE)
async def govern(message: func.QueueMessage) -> None:
    """A message in, a run out. To wait is to put a new message; an exception here is a defect, and ends as poison."""
    from functions.unread import unread
    from governor import loop
    from governor.wiring import worker

    raw, at = message.get_body(), worker()
    match messages.decode(raw):
        case Cause() as cause:
            await loop.govern(cause, at.ports, at.rules())
        case other:
            await unread(other, raw, at, CAUSES)


@bp.queue_trigger(arg_name="message", queue_name=f"{CAUSES}-poison", connection=STORE)
async def given_up(message: func.QueueMessage) -> None:
    """A message that failed five times in, a Record of it out."""
    from governor.wiring import worker

    raw, at = message.get_body(), worker()
    cause = messages.decode(raw)
    why = "the run failed five times: a defect of the governor, see its log"
    await at.ports.ledger.give_up(cause if isinstance(cause, Cause) else None, raw, why)
