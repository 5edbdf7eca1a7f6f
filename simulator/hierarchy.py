"""The tree of management groups: a store in, who stands above and below whom out."""

from collections.abc import Iterator

import msgspec

from simulator.identity import TENANT
from simulator.store import Store
from simulator.wire import members, text

GROUPS = "/providers/microsoft.management/managementgroups"
GROUP_TYPE = "Microsoft.Management/managementGroups"
MEMBERSHIP_TYPE = f"{GROUP_TYPE}/subscriptions"
MEMBERSHIP = MEMBERSHIP_TYPE.lower()
ROOT = TENANT
"""The root group is named as the tenant and always exists; whoever has no other parent is directly below it."""


class ManagementGroup(msgspec.Struct, frozen=True):
    """One group; `parent` is the key of the group above, None for the root."""

    name: str
    display_name: str
    parent: str | None

    @property
    def id(self) -> str:
        return f"/providers/{GROUP_TYPE}/{self.name}"

    @property
    def key(self) -> str:
        return self.name.casefold()


class Hierarchy:
    """The groups and the subscriptions in them as they are now. Groups go by their names in lower case."""

    def __init__(self, store: Store) -> None:
        self.groups = {ROOT: ManagementGroup(ROOT, "Tenant Root Group", None)}
        named = {}
        for stored in store.listed(GROUPS):
            properties = members(stored.content.get("properties"))
            parent = text(members(members(properties.get("details")).get("parent")).get("id"))
            key = stored.name.casefold()
            named[key] = parent.rpartition("/")[2].casefold()
            self.groups[key] = ManagementGroup(stored.name, text(properties.get("displayName")) or stored.name, ROOT)
        for key, parent in named.items():
            if key != ROOT and parent in self.groups and not _leads_back(named, key):
                self.groups[key] = msgspec.structs.replace(self.groups[key], parent=parent)
        if ROOT in named:
            self.groups[ROOT] = msgspec.structs.replace(self.groups[ROOT], parent=None)
        self._group_of = {
            member.name.casefold(): key
            for key in self.groups
            for member in store.listed(f"{GROUPS}/{key}/subscriptions")
        }
        self._groups_in: dict[str, list[ManagementGroup]] = {}
        for group in self.groups.values():
            if group.parent is not None:
                self._groups_in.setdefault(group.parent, []).append(group)
        self._subscriptions_in: dict[str, list[str]] = {}
        for key in store.keys_in("/subscriptions"):
            self._subscriptions_in.setdefault(self.group_of(key), []).append(key)

    def group_of(self, subscription_key: str) -> str:
        """The key of the group a subscription is directly in."""
        return self._group_of.get(subscription_key.rpartition("/")[2], ROOT)

    def above(self, group: str) -> list[ManagementGroup]:
        """A group's key in, the groups from itself to the root out."""
        chain = [self.groups[group]]
        while chain[-1].parent is not None:
            chain.append(self.groups[chain[-1].parent])
        return chain

    def groups_in(self, group: str) -> list[ManagementGroup]:
        """The groups directly in a group."""
        return self._groups_in.get(group, [])

    def subscriptions_in(self, group: str) -> list[str]:
        """The keys of the subscriptions directly in a group."""
        return self._subscriptions_in.get(group, [])

    def below(self, group: str) -> Iterator[ManagementGroup]:
        """All groups below a group, each before those in it."""
        for inner in self.groups_in(group):
            yield inner
            yield from self.below(inner.key)

    def subscriptions_below(self, group: str) -> Iterator[str]:
        """The keys of all subscriptions in a group and in those below it."""
        yield from self.subscriptions_in(group)
        for inner in self.below(group):
            yield from self.subscriptions_in(inner.key)


def leave(store: Store, subscription: str) -> None:
    """A subscription's id in; it is directly below the root again."""
    for group in store.keys_in(GROUPS):
        store.remove(f"{group}/subscriptions/{subscription.casefold()}")


def _leads_back(parents: dict[str, str], start: str) -> bool:
    """Whether going up from a group ends in a circle: an estate can say so, Azure cannot."""
    seen = {start}
    key = parents[start]
    while key in parents and key != ROOT:
        if key in seen:
            return True
        seen.add(key)
        key = parents[key]
    return False
