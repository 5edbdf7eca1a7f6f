"""A message that this version cannot read: put back for a newer one, or recorded and given up."""

import logging
from datetime import datetime, timedelta

import msgspec

from governor import messages
from governor.wiring import Worker

LOG = logging.getLogger("governor")
_NEWER_WAITS = 3600.0
_GIVE_UP_AFTER = timedelta(hours=24)


class _Dated(msgspec.Struct):
    time: datetime | None = None
    first_time: datetime | None = None


async def unread(found: messages.Newer | messages.Garbage, raw: bytes, at: Worker, queue: str) -> None:
    """What is wrong with a message, its bytes, the worker and the message's queue in; nothing is lost silently."""
    match found:
        case messages.Newer(version=version):
            if _old(raw, at.clock.now()):
                await at.ports.ledger.give_up(None, raw, f"a message of version {version}, which nobody read in a day")
            else:
                await at.ports.inbox.put_back(raw, _NEWER_WAITS, queue)
        case messages.Garbage(why=why):
            LOG.warning("a message that cannot be read is recorded and given up: %s", why)
            await at.ports.ledger.give_up(None, raw, why)


def _old(raw: bytes, now: datetime) -> bool:
    try:
        dated = msgspec.json.decode(raw, type=_Dated)
    except msgspec.DecodeError:
        return False
    since = dated.first_time or dated.time
    return since is not None and now - since > _GIVE_UP_AFTER
