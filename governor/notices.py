"""Notices on their way: those that wait in the ledger in, sent to whoever is to be told, and waiting no more, out."""

import logging
from typing import Final

from governor.ports import Ports, Trouble

LOG: Final = logging.getLogger("governor")
# So many in one go: whoever sends is in a run or in a sweep, which have something else to do.
MOST: Final = 100


async def send(ports: Ports, subscription: str | None = None) -> int:
    """Sends what waits in a subscription (None: in all), the oldest first; how many have gone comes out.

    A notice that is sent and not yet crossed off when the process ends is sent again with the same id. What cannot be
    sent waits for the next run or sweep.
    """
    if ports.notices is None:
        return 0
    gone = 0
    for notice in (await ports.ledger.notices(subscription))[:MOST]:
        try:
            await ports.notices.send(notice)
        except Trouble as trouble:
            LOG.warning("notices wait, because they cannot be sent: %s", trouble)
            break
        await ports.ledger.sent(notice)
        gone += 1
    return gone
