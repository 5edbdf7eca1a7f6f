"""What is logged of runs: one structured line each."""

import logging
from typing import Final

import msgspec

from governor.core.cause import Cause, Scope

LOG: Final = logging.getLogger("governor")


def say(what: str, scope: Scope, cause: Cause, **more: object) -> None:
    """What happened, where, why it woke and more of it in; one line out, per run and per step."""
    line = {"what": what, "scope": scope.key, "source": cause.source.value, "attempt": cause.attempt, **more}
    LOG.info(msgspec.json.encode(line).decode())
