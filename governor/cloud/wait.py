"""Waiting for a long operation through the Clock: Azure-AsyncOperation, else Location, else the resource itself."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from governor.cloud import bodies, errors
from governor.cloud.arm import Answer, Arm
from governor.core.step import Body
from governor.ports import Absent, Refused, Renew, Terminal, Transient

_FIRST: Final = 2.0
_LONGEST: Final = 10.0
_GROWTH: Final = 1.5
# A lease lives 120 s: no sleep may outlast it.
_SLICE: Final = 30.0
_RUNNING: Final = frozenset({"updating", "creating", "deleting"})


class Wait:
    """One deadline, and a lease that is renewed at every poll. Every method says False when it is too late."""

    def __init__(self, arm: Arm, renew: Renew, ends: datetime) -> None:
        self._arm = arm
        self._renew = renew
        self._ends = ends

    async def pause(self, seconds: float) -> bool:
        """Sleeps and renews; False, at once, when that would pass the deadline."""
        if self._arm.clock.now() + timedelta(seconds=seconds) > self._ends:
            return False
        while seconds > 0:
            piece = min(seconds, _SLICE)
            await self._arm.clock.sleep(piece)
            await self._renew()
            seconds -= piece
        return True

    async def operation(self, first: Answer) -> bool:
        """The first answer to a write in; True when it succeeded. Raises what a failed operation says of itself."""
        monitor = first.headers.get("Azure-AsyncOperation")
        url = monitor or first.headers.get("Location")
        if not url or _settled(first):
            return True
        match await self._last(url, first, _over if monitor else _told):
            case Refused() | Terminal() as found if not monitor:
                raise found
            case None:
                return False
            case _:  # where the status cannot be read, that says nothing of the operation: the resource does
                return True

    async def result(self, first: Answer) -> Answer | None:
        """The first answer to a question that takes Azure a while in, the one that answers it out; None: too late."""
        if first.status != 202:
            return first
        url = first.headers.get("Location")
        if not url:
            raise Terminal("Azure does not say where it will answer")
        match await self._last(url, first, _told):
            case Absent() | Refused() | Terminal() as found:
                raise found
            case last:
                return last

    async def _last(
        self, url: str, first: Answer, is_last: Callable[[Answer], bool]
    ) -> Answer | Absent | Refused | Terminal | None:
        """Where an operation tells of itself in, its last answer or why there is none out; None when it is too late."""
        after, growing = errors.retry_after(first.headers), _FIRST
        # Azure's clients take a Retry-After of 0 for none, and so it must be: this would never let go of Azure.
        while await self.pause(after or growing):
            growing = min(growing * _GROWTH, _LONGEST)
            try:
                answer = await self._arm.fetch(url)
            except Transient as found:  # the status could not be read; the operation goes on
                after = found.after
                continue
            except (Absent, Refused, Terminal) as found:
                return found
            after = errors.retry_after(answer.headers)
            if is_last(answer):
                return answer
        return None

    async def resource(self, target: str, *, until_gone: bool) -> tuple[bool, bytes | None]:
        """A resource id in; whether it has come to rest, and its body then (None: absent), out."""
        growing = _FIRST
        while True:
            found = await self.read(target)
            if found is None or not (until_gone or bodies.state(msgspec.json.decode(found)).casefold() in _RUNNING):
                return True, found
            if not await self.pause(growing):
                return False, found
            growing = min(growing * _GROWTH, _LONGEST)

    async def read(self, target: str) -> bytes | None:
        """A resource id in, its body out, None when it is absent."""
        try:
            return await self._arm.get(target)
        except Absent:
            return None


def _told(answer: Answer) -> bool:
    """An answer of a Location in, whether it is the final one out."""
    return answer.status != 202


def _over(answer: Answer) -> bool:
    """The body of an operation in; whether it succeeded, False while it runs. Keyed on `status` alone."""
    told: Body = _object(answer.body)
    status = str(told.get("status") or "")
    if status.casefold() in ("failed", "canceled"):
        if told.get("error"):
            raise errors.failed_operation(told["error"])
        raise Terminal(f"the operation ended {status} and gives no reason", status)
    return status.casefold() == "succeeded"


def _settled(first: Answer) -> bool:
    """Nothing changed, or the provider was done at once: it sends the operation's address all the same."""
    properties = _object(first.body).get("properties")
    return isinstance(properties, dict) and properties.get("provisioningState") == "Succeeded"


def _object(body: bytes) -> Body:
    """A body in, its object out; empty for what is none, which says nothing, so that waiting goes on."""
    try:
        found: Any = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}
