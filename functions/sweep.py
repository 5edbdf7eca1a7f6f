"""The sweep: a timer puts batches of subscriptions into a queue; a batch in, Causes out, one survey at a time."""

import logging
from typing import List  # noqa: UP035

import azure.functions as func

from functions import STORE
from governor import messages
from governor.core.cause import SURVEYS, Survey

LOG = logging.getLogger("governor")
bp = func.Blueprint()


@bp.timer_trigger(arg_name="timer", schedule="%EGRESS_GOVERNOR_SWEEP_SCHEDULE%")
@bp.queue_output(arg_name="surveys", queue_name=SURVEYS, connection=STORE)
async def sweep(timer: func.TimerRequest, surveys: func.Out[List[str]]) -> None:  # noqa: UP006 - the host insists
    """It is time: every subscription in reach, and every one that the ledger knows, into the queue out.

    Notices that no run could send are sent as well.
    """
    from governor import notices, survey
    from governor.wiring import worker

    at = worker()
    batches = await survey.sweep(at.settings.scopes, at.ports)
    LOG.info("a sweep begins with %d batches of subscriptions", len(batches))
    if batches:
        surveys.set([messages.encode(batch).decode() for batch in batches])
    await notices.send(at.ports)


@bp.queue_trigger(arg_name="message", queue_name=SURVEYS, connection=STORE)
async def survey(message: func.QueueMessage) -> None:
    """A batch in; what Resource Graph shows of it is judged. To wait is to put a new message."""
    from functions.unread import unread
    from governor import survey
    from governor.wiring import worker

    raw, at = message.get_body(), worker()
    match messages.decode_survey(raw):
        case Survey() as batch:
            await survey.survey(batch, at.ports, at.rules())
        case other:
            await unread(other, raw, at, SURVEYS)


@bp.queue_trigger(arg_name="message", queue_name=f"{SURVEYS}-poison", connection=STORE)
async def given_up_survey(message: func.QueueMessage) -> None:
    """A batch that failed five times in, a Record of it out; the next sweep asks for the same again."""
    from governor.wiring import worker

    why = "the survey failed five times: a defect of the governor, see its log"
    await worker().ports.ledger.give_up(None, message.get_body(), why)
