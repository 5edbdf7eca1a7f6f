"""To wait is to put a Cause back, to be seen again later."""

from datetime import timedelta
from typing import Final

from msgspec.structs import replace

from governor import messages
from governor.core.cause import Cause
from governor.core.record import Record
from governor.lines import say
from governor.ports import Ports

# Seconds before a Cause that must wait is looked at again; the last one repeats.
PATIENCE: Final = (5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)
GIVE_UP_AFTER: Final = timedelta(hours=24)


async def put_back(
    cause: Cause, ports: Ports, after: float | None, why: str, at_most: float | None = None
) -> Record | None:
    """Puts a Cause back to be looked at later, or gives it up after a day; what it waits for is over `at_most` then."""
    now = ports.clock.now()
    first = cause.first_time or now
    if now - first >= GIVE_UP_AFTER:
        return await ports.ledger.give_up(cause, messages.encode(cause), f"waited for a day: {why}")
    delay = max(PATIENCE[min(cause.attempt, len(PATIENCE) - 1)], after or 0.0)
    if at_most is not None:
        delay = min(delay, max(at_most, PATIENCE[0]))
    await ports.inbox.put(replace(cause, attempt=cause.attempt + 1, first_time=first), delay)
    if cause.scope is not None:
        say("waits", cause.scope, cause, seconds=delay, why=why)
    return None
