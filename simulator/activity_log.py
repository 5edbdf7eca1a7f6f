"""The activity log: the steps of writes, deletes and actions in, records of them kept for whoever asks."""

from collections import deque
from collections.abc import Iterator
from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from simulator.events import Caller, Event
from simulator.ids import Address

KEPT = 100_000
"""So many records are remembered; Azure keeps them for 90 days."""
VERBS = {"PUT": "write", "PATCH": "write", "DELETE": "delete", "POST": "action"}

Status: TypeAlias = Literal["Started", "Accepted", "Succeeded", "Failed", "Canceled"]


class Record(msgspec.Struct, frozen=True, gc=False):
    """One step of one write. `http` is the status its request was answered with; 0 where no answer is told of."""

    time: datetime
    status: Status
    scope: str
    operation: str
    caller: Caller
    http: int = 0


class ActivityLog:
    """The records of one simulator, in the order in which they came."""

    def __init__(self) -> None:
        self._records: deque[Record] = deque(maxlen=KEPT)

    def add(self, record: Record) -> None:
        self._records.append(record)

    def is_latest(self, record: Record) -> bool:
        """Whether nothing came after a record."""
        return bool(self._records) and self._records[-1] is record

    def withdraw(self) -> None:
        """The latest record is as if it had not been made."""
        self._records.pop()

    def ended(self, event: Event, caller: Caller, http: int) -> None:
        """What an event tells of in, with the status of a refusal."""
        status: Status = event.data["status"]
        self.add(Record(event.moment, status, event.subject, event.data["operationName"], caller, http))

    def latest_first(self) -> Iterator[Record]:
        return reversed(self._records)


def operation_of(address: Address, method: str) -> tuple[str, str] | None:
    """Where a call leads and its method in, the scope and the operation of its records out; None when it has none."""
    if address.subscription is None or method not in VERBS:
        return None
    if address.namespace is None:
        return (address.scope, f"Microsoft.Resources/subscriptions/resourceGroups/{VERBS[method]}")
    above = address.parent
    if not address.types or (address.is_collection and above is None):
        return None
    return (above.text if address.is_collection and above else address.text), f"{address.type}/{VERBS[method]}"
