"""What stood there before the latest write: changes in, bodies as they were out, for readers that are behind."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from simulator.ids import parent_key
from simulator.render import render
from simulator.store import Store, Stored
from simulator.wire import Body

INSIDE = 8
"""A resource in a group has so many slashes in its key, what is inside of it has more."""
AT_WORK = ("Updating", "Deleting", "Creating")


class Before(msgspec.Struct):
    """A resource as it was before a write that began to change it; `changed` is when it last changed."""

    body: bytes | None
    changed: datetime


class Earlier:
    """The bodies before the latest writes, kept for as long as somebody may still be shown them.

    One is shown until the operation of the write has ended and the reader's lag has passed since then. Writes that
    follow each other closer than that count as one.
    """

    def __init__(self, store: Store, moment: Callable[[], datetime]) -> None:
        self._store = store
        self._moment = moment
        self._kept: OrderedDict[str, Before] = OrderedDict()
        self.lag = timedelta()
        """The longest lag of any reader; without one nothing is kept."""

    def watch(self, key: str, _: Stored | None) -> None:
        """A key that is about to change in; what it is part of shows it, and changes with it."""
        if self.lag:
            self.note(key)
            if key.count("/") > INSIDE:
                self.note(parent_key(key))

    def note(self, key: str) -> None:
        """A key that is about to change in; how it is now is kept, unless it is shown as it was before that."""
        if not self.lag:
            return
        now = self._moment()
        while self._kept:
            known, oldest = next(iter(self._kept.items()))
            if self._holds(known, oldest, self.lag, now):
                break
            del self._kept[known]
        before = self._kept.get(key)
        if before is None or not self._holds(key, before, self.lag, now):
            stored = self._store.get(key)
            body = msgspec.json.encode(render(self._store, key, stored)) if stored is not None else None
            before = self._kept[key] = Before(body, now)
        before.changed = now
        self._kept.move_to_end(key)

    def forget(self, collection: str) -> None:
        """A collection in; its members are shown as they are."""
        for key in [key for key in self._kept if key.rpartition("/")[0] == collection]:
            del self._kept[key]

    def differs(self, key: str, lag: timedelta, now: datetime) -> bool:
        """Whether a reader with a lag is still shown how a resource was."""
        before = self._kept.get(key)
        return before is not None and self._holds(key, before, lag, now)

    def body(self, key: str) -> Body | None:
        """How a resource was; None when it did not exist."""
        before = self._kept[key].body
        decoded: Body | None = msgspec.json.decode(before) if before is not None else None
        return decoded

    def members_of(self, collection: str, lag: timedelta, now: datetime) -> dict[str, Body | None]:
        """A collection in, those of its members that a reader is still shown as they were, by key, out."""
        keys = [key for key in self._kept if key.rpartition("/")[0] == collection]
        return {key: self.body(key) for key in keys if self.differs(key, lag, now)}

    def _holds(self, key: str, before: Before, lag: timedelta, now: datetime) -> bool:
        stored = self._store.get(key)
        return now < before.changed + lag or (stored is not None and stored.state in AT_WORK)
