"""How Resource Graph lags: what changes in, what was to be seen some time ago out."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import msgspec

from simulator.graph_rows import Rows
from simulator.hierarchy import MEMBERSHIP
from simulator.ids import PEERING, parent_key
from simulator.references import references
from simulator.store import Store, Stored
from simulator.wire import members, text


class Before(msgspec.Struct, frozen=True):
    """A row as it was until `time`; None when it did not exist."""

    time: datetime
    key: str
    row: bytes | None


class Past:
    """The rows that changed within the lag, as they were before; without a lag nothing is kept."""

    def __init__(self, store: Store, moment: Callable[[], datetime], lag: timedelta) -> None:
        self._store = store
        self._moment = moment
        self._lag = lag
        self._kept: deque[Before] = deque()
        self._latest: dict[str, datetime] = {}
        self._peers: dict[str, set[str]] = {}
        """Networks by a network with which they have or had a peering: their rows show its ranges."""
        self._watches = True
        if lag:
            store.watchers.append(self._watch)

    @contextmanager
    def unlagged(self) -> Iterator[None]:
        """What changes meanwhile was always so."""
        self._watches = False
        try:
            yield
        finally:
            self._watches = True

    def rows(self, now: datetime) -> dict[str, bytes | None]:
        """The rows that Graph still shows as they were, by key; None for what it does not show yet."""
        while self._kept and self._kept[0].time <= now - self._lag:
            forgotten = self._kept.popleft()
            if self._latest.get(forgotten.key) == forgotten.time:
                del self._latest[forgotten.key]
        shown: dict[str, bytes | None] = {}
        for before in self._kept:
            shown.setdefault(before.key, before.row)
        return shown

    def _watch(self, key: str, stored: Stored | None) -> None:
        """Of all rows that a change touches, the first look at each moment is kept: they change together."""
        self._note_peers(key, stored)
        if not self._watches:
            return
        moment = self._moment()
        rows = Rows(self._store)
        for touched in dict.fromkeys(self._touched(key, stored)):
            if self._latest.get(touched) != moment:
                self._latest[touched] = moment
                row = rows.row(touched)
                self._kept.append(Before(moment, touched, msgspec.json.encode(row) if row is not None else None))

    def _note_peers(self, key: str, stored: Stored | None) -> None:
        if stored is not None and stored.type.lower() == PEERING:
            self._peers.setdefault(_remote(stored), set()).add(parent_key(key))

    def _touched(self, key: str, new: Stored | None) -> Iterator[str]:
        """A change in, the keys of the rows that show it out: its own, and those that tell of it."""
        yield row_key(key)
        yield from sorted(self._peers.get(key, ()))
        for stored in (self._store.get(key), new):
            if stored is None:
                continue
            type_key = stored.type.lower()
            for reference in references(stored.id, type_key, stored.content):
                yield row_key(reference.target)
            if type_key == MEMBERSHIP:
                yield f"/subscriptions/{stored.name.casefold()}"


def _remote(peering: Stored) -> str:
    """A peering in, the key of the network on its other side out."""
    return text(members(members(peering.content.get("properties")).get("remoteVirtualNetwork")).get("id")).casefold()


def row_key(key: str) -> str:
    """A key in, the key of the row it is part of out: a child is inside its top-level resource."""
    parts = key.split("/")
    if parts[1:2] != ["subscriptions"]:
        return "/".join(parts[:5])
    return "/".join(parts[:9] if len(parts) >= 9 else parts[:5] if len(parts) == 5 else parts[:3])
