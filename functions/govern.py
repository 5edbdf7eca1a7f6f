"""The queue of Causes: one message in, one run out; and what nobody could handle is recorded, so nothing is lost."""

import logging
from datetime import datetime, timedelta

import azure.functions as func
import msgspec

from functions import STORE
from governor import messages
from governor.core.cause import CAUSES, Cause

LOG = logging.getLogger("governor")
_NEWER_WAITS = 3600.0
bp = func.Blueprint()


class _Dated(msgspec.Struct):
    time: datetime | None = None
    first_time: datetime | None = None


@bp.queue_trigger(arg_name="message", queue_name=CAUSES, connection=STORE)
async def govern(message: func.QueueMessage) -> None:
    """A message in, a run out. To wait is to put a new message; an exception here is a defect, and ends as poison."""
    from governor import loop
    from governor.wiring import worker

    raw, at = message.get_body(), worker()
    match messages.decode(raw):
        case Cause() as cause:
            await loop.govern(cause, at.ports, at.rules())
        case messages.Newer(version=version):
            if _old(raw, at.clock.now()):
                await at.ports.ledger.give_up(None, raw, f"a message of version {version}, which nobody read in a day")
            else:
                await at.ports.inbox.put_back(raw, _NEWER_WAITS)
        case messages.Garbage(why=why):
            LOG.warning("a message that cannot be read is recorded and given up: %s", why)
            await at.ports.ledger.give_up(None, raw, why)


@bp.queue_trigger(arg_name="message", queue_name=f"{CAUSES}-poison", connection=STORE)
async def given_up(message: func.QueueMessage) -> None:
    """A message that failed five times in, a Record of it out."""
    from governor.wiring import worker

    raw, at = message.get_body(), worker()
    cause = messages.decode(raw)
    why = "the run failed five times: a defect of the governor, see its log"
    await at.ports.ledger.give_up(cause if isinstance(cause, Cause) else None, raw, why)


def _old(raw: bytes, now: datetime) -> bool:
    try:
        dated = msgspec.json.decode(raw, type=_Dated)
    except msgspec.DecodeError:
        return False
    since = dated.first_time or dated.time
    return since is not None and now - since > timedelta(hours=24)
