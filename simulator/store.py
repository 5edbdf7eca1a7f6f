"""What exists: resources in, resources out, found by key, by collection and by what refers to them.

Bodies stay encoded; a resource costs its id, its body and a few dictionary slots, so that a million fit.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TypeAlias

import msgspec

from simulator.ids import name_of
from simulator.references import Reference, references
from simulator.wire import Body, text

Place: TypeAlias = tuple[str, str, str]
"""A subscription, a type and a region, by which top-level resources are counted."""


class Stored(msgspec.Struct, gc=False):
    """One resource. `body` holds what is its own: no id, name, type, etag, state, children or back-references.

    `state` is its provisioningState, empty where the body says it itself or has none; `etag` is empty for children
    (they carry their parent's) and for providers without etags.
    """

    id: str
    type: str
    body: bytes
    state: str = ""
    etag: str = ""

    @property
    def name(self) -> str:
        return name_of(self.id)

    @property
    def content(self) -> Body:
        """The body decoded: a fresh copy every time."""
        decoded: Body = msgspec.json.decode(self.body)
        return decoded


class Store:
    """All resources of one simulator, subscriptions and groups among them."""

    def __init__(self) -> None:
        self._resources: dict[str, Stored] = {}
        self._collections: dict[str, dict[str, None]] = {}
        self._collections_of: dict[str, dict[str, None]] = {}
        self._referrers: dict[str, dict[str, dict[str, str]]] = {}
        self._gone: set[str] = set()
        self._census: Counter[Place] = Counter()
        self.watchers: list[Callable[[str, Stored | None], None]] = []
        """Told of every change before it is made: the key, and what will stand there if that is known."""

    def __contains__(self, key: str) -> bool:
        return key in self._resources

    def get(self, key: str) -> Stored | None:
        return self._resources.get(key)

    def put(self, key: str, stored: Stored) -> None:
        """A resource in, under its key; what was there is replaced, with its references."""
        self.changing(key, stored)
        old = self._resources.get(key)
        if old is None:
            collection = key.rpartition("/")[0]
            listing = self._collections.get(collection)
            if listing is None:
                listing = self._collections[collection] = {}
                self._collections_of.setdefault(_owner_of(collection), {})[collection] = None
            listing[key] = None
            self._gone.discard(key)
        else:
            self._unlink(key, old)
        self._resources[key] = stored
        content = stored.content
        if stored.type.count("/") == 1:
            self._census[_place(key, stored, content)] += 1
        for reference in references(stored.id, stored.type.lower(), content):
            holder = key if reference.holder is stored.id else reference.holder.casefold()
            by_member = self._referrers.setdefault(reference.target, {})
            by_member.setdefault(reference.member, {})[holder] = reference.holder

    def remove(self, key: str) -> None:
        """A key in; it and everything below it is gone."""
        self.changing(key)
        for collection in list(self._collections_of.get(key, ())):
            for child in self.keys_in(collection):
                self.remove(child)
        old = self._resources.pop(key, None)
        if old is None:
            return
        self._unlink(key, old)
        self._referrers.pop(key, None)
        self._gone.add(key)
        collection = key.rpartition("/")[0]
        listing = self._collections[collection]
        del listing[key]
        if not listing:
            del self._collections[collection]
            owner = _owner_of(collection)
            del self._collections_of[owner][collection]
            if not self._collections_of[owner]:
                del self._collections_of[owner]

    def changing(self, key: str, stored: Stored | None = None) -> None:
        """A resource that is about to change in; who watches is told. For changes in place: of a state, say."""
        for watch in self.watchers:
            watch(key, stored)

    def was_deleted(self, key: str) -> bool:
        """Whether it existed once: ARM still routes to the provider then."""
        return key in self._gone

    def keys_in(self, collection: str) -> list[str]:
        """A collection's key in, the keys of its members out, in the order they were created."""
        return list(self._collections.get(collection, ()))

    def listed(self, collection: str) -> Iterator[Stored]:
        for key in self._collections.get(collection, ()):
            yield self._resources[key]

    def top_level(self, scope: str) -> list[str]:
        """A group's or subscription's key in, the keys of the resources directly in it out."""
        inside = f"{scope}/providers/"
        collections = [name for name in self._collections_of.get(scope, ()) if name.startswith(inside)]
        return [key for collection in collections for key in self.keys_in(collection)]

    def collections_under(self, key: str) -> list[str]:
        """A resource's key in, the keys of the collections that hang under it out."""
        return list(self._collections_of.get(key, ()))

    def referrers(self, target: str, member: str) -> dict[str, str]:
        """Who names `target` in `member`: the holders' ids by their keys."""
        return self._referrers.get(target, {}).get(member, {})

    def holders(self, target: str) -> list[str]:
        """The keys of all that name `target`, in whatever member."""
        return [holder for by_member in self._referrers.get(target, {}).values() for holder in by_member]

    def add_foreign(self, reference: Reference) -> None:
        """A reference whose holder is not in the store: an estate said so, and it stays true."""
        by_member = self._referrers.setdefault(reference.target, {})
        by_member.setdefault(reference.member, {})[reference.holder.casefold()] = reference.holder

    def put_last(self, reference: Reference) -> None:
        """A reference in; if it holds, it is the last of those that name its target so."""
        holders = self._referrers.get(reference.target, {}).get(reference.member, {})
        holder = reference.holder.casefold()
        if holder in holders:
            holders[holder] = holders.pop(holder)

    def owner(self, holder: str) -> str | None:
        """A holder's key in (an ipConfiguration, say), the key of the resource it is part of out."""
        key = holder
        while key and key not in self._resources:
            key = key.rpartition("/")[0].rpartition("/")[0]
        return key if "/providers/" in key else None

    def count(self, subscription: str, type_key: str, location: str) -> int:
        """A subscription's id, a top-level type and a region in, how many of them there are there out."""
        return self._census[(subscription.casefold(), type_key, location)]

    def count_in(self, collection: str) -> int:
        """A collection's key in, how many members it has out."""
        return len(self._collections.get(collection, ()))

    def _unlink(self, key: str, old: Stored) -> None:
        content = old.content
        if old.type.count("/") == 1:
            self._census[_place(key, old, content)] -= 1
        for reference in references(old.id, old.type.lower(), content):
            holder = key if reference.holder is old.id else reference.holder.casefold()
            by_member = self._referrers.get(reference.target, {})
            holders = by_member.get(reference.member, {})
            holders.pop(holder, None)
            if not holders:
                by_member.pop(reference.member, None)
            if not by_member:
                self._referrers.pop(reference.target, None)


def _place(key: str, stored: Stored, content: Body) -> Place:
    subscription = key[len("/subscriptions/") :].partition("/")[0]
    return subscription, stored.type.lower(), text(content.get("location"))


def _owner_of(collection: str) -> str:
    """A collection's key in, the key of what it hangs under out: a resource, a group, a subscription or nothing."""
    above = collection.rpartition("/")[0]
    before_namespace = above.rpartition("/")[0]
    return before_namespace.removesuffix("/providers") if before_namespace.endswith("/providers") else above
