"""Management locks: what they keep from being written or deleted, and lists of them with those they come under."""

from collections.abc import Iterator

from simulator import errors
from simulator.calls import Call
from simulator.lists import paged
from simulator.render import render
from simulator.store import Store, Stored
from simulator.wire import Body, Response, members, text
from simulator.world import World

LOCKS = "microsoft.authorization/locks"
LEVELS = ("notspecified", "cannotdelete", "readonly")


def check(world: World, call: Call) -> None:
    """A write, delete or action in; refused with ScopeLocked below a lock. Locks themselves may go."""
    address, method = call.address, call.request.method
    if method in ("GET", "HEAD") or address.type_key == LOCKS or address.subscription is None:
        return
    target = address.parent if address.is_collection and address.parent is not None else address
    scope = target.text if target.namespace is not None else target.scope
    deleting = method == "DELETE"
    levels = ("readonly", "cannotdelete") if deleting else ("readonly",)
    locks = [*_above(world.store, scope.casefold())]
    if deleting:
        locks += _below(world.store, scope.casefold())
    locked = [lock.id.rpartition("/providers/")[0] for lock in locks if _level(lock) in levels]
    if locked:
        raise errors.gateway(
            409,
            "ScopeLocked",
            f"The scope '{scope.replace('/resourceGroups/', '/resourcegroups/')}' cannot perform "
            f"{'delete' if deleting else 'write'} operation because following scope(s) are locked: "
            f"'{','.join(dict.fromkeys(locked))}'. Please remove the lock and try again.",
        )


def listed(world: World, call: Call) -> Response:
    """The locks of a scope with those it comes under and, without `$filter=atScope()`, those of what is in it."""
    store, scope = world.store, call.address.scope.casefold()
    found = list(_above(store, scope))
    if call.request.query.get("$filter", "").replace(" ", "").lower() != "atscope()":
        found += _below(store, scope)
    return paged(world, call, found, lambda lock: render(store, lock.id.casefold(), lock))


def check_level(sent: Body) -> None:
    """A lock as it was sent in; refused when its level is none that Azure has, for it would keep nothing."""
    level = members(sent.get("properties")).get("level")
    if text(level).lower() not in LEVELS:
        said = f"Error converting value {level!r}: a lock is CanNotDelete or ReadOnly. Path 'properties.level'."
        raise errors.invalid_content(said)


def _above(store: Store, scope: str) -> Iterator[Stored]:
    """A scope in, the locks of its subscription, of its group, of each resource on the way to it, and its own out."""
    parts = scope.split("/")
    for end in range(3, len(parts) + 1):
        yield from store.listed(f"{'/'.join(parts[:end])}/providers/{LOCKS}")


def _below(store: Store, scope: str) -> Iterator[Stored]:
    """A scope in, the locks of everything in it out."""
    for collection in store.collections_under(scope):
        for key in store.keys_in(collection):
            if not collection.endswith(f"/providers/{LOCKS}"):
                yield from store.listed(f"{key}/providers/{LOCKS}")
                yield from _below(store, key)


def _level(lock: Stored) -> str:
    return text(members(lock.content.get("properties")).get("level")).lower()
