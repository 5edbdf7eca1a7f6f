"""When resources were made: a key in, the time out. Lists of resources tell it who asks (`$expand=createdTime`)."""

from collections.abc import Callable
from datetime import datetime

from simulator.store import Store, Stored
from simulator.wire import Body, text

LONG_AGO = "2020-01-01T00:00:00.0000000Z"
"""What an estate holds and says nothing of has been there for years."""


class Ages:
    """A store and the time in; what is put into the store is as old as the time that has passed since."""

    def __init__(self, store: Store, moment: Callable[[], datetime]) -> None:
        self._store = store
        self._moment = moment
        self._made: dict[str, datetime | str] = {}
        store.watchers.append(self._watch)

    def loaded(self, key: str, body: Body) -> None:
        """An entry of an estate in: it was there before, since when it says itself (`createdTime`)."""
        self._made[key] = text(body.get("createdTime")) or LONG_AGO

    def created(self, key: str) -> str:
        made = self._made.get(key, LONG_AGO)
        return made if isinstance(made, str) else made.strftime("%Y-%m-%dT%H:%M:%S.%f0Z")

    def _watch(self, key: str, stored: Stored | None) -> None:
        if stored is not None and stored.type.count("/") == 1 and key not in self._store:  # children are in no list
            self._made[key] = self._moment()
