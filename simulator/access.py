"""Who may do what where, as the assignments of now say: a principal, an action and a scope in, yes or no out."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from simulator.built_in_roles import BUILT_IN, definition_key
from simulator.hierarchy import GROUPS, Hierarchy
from simulator.identity import OWNER, Principal
from simulator.permissions import Permission, permissions_of
from simulator.store import Store, Stored
from simulator.wire import Body, elements, members, text

Roles = Literal["open", "assigned"]
"""Whether everybody is an owner, or may do only what role assignments say."""

PROVIDER = "/providers/microsoft.authorization/"
ASSIGNMENTS = f"{PROVIDER}roleassignments/"
READ_SUBSCRIPTION = "Microsoft.Resources/subscriptions/read"
DENIALS = f"{PROVIDER}denyassignments/"


class Grant(msgspec.Struct, frozen=True):
    """Permissions that hold at a scope (a key; empty for the tenant's root) and below it."""

    scope: str
    permissions: tuple[Permission, ...]


class Denial(msgspec.Struct, frozen=True):
    """What a deny assignment takes away, at its scope and, mostly, below it."""

    stored: Stored
    scope: str
    permissions: tuple[Permission, ...]
    principals: frozenset[str]
    excluded: frozenset[str]
    only_here: bool


class Access:
    """Answers from the assignments in a store; worked out anew after one of them has changed."""

    def __init__(self, store: Store, roles: Roles) -> None:
        self._store = store
        self._roles = roles
        self._keys: dict[str, None] = {}  # of all assignments there ever were
        self._grants: dict[frozenset[str], tuple[Grant, ...]] = {}
        self._denials: tuple[Denial, ...] | None = ()
        store.watchers.append(self._watch)

    def is_unlimited(self, principal: Principal) -> bool:
        """Whether a principal may do everything everywhere: then nothing else need be asked."""
        return not self._denied() and any(
            grant.scope == "" and permission.is_everything
            for grant in self.grants(principal)
            for permission in grant.permissions
        )

    def allows(self, principal: Principal, action: str, scope: str) -> bool:
        """Whether a role lets a principal do something at a scope (an id), whatever is denied."""
        return any(permission.covers(action) for permission in self.permissions(principal, scope))

    def may(self, principal: Principal, action: str, scope: str) -> bool:
        """Whether a principal may do something at a scope (an id) in the end."""
        return self.allows(principal, action, scope) and self.denial(principal, action, scope) is None

    def may_with_data(self, principal: Principal, action: str, scope: str) -> bool:
        """Whether a role lets a principal do something with what a resource holds: that of an owner does not."""
        if self._roles == "open" or principal.object_id == OWNER.object_id:
            return True
        return any(permission.covers_data(action) for permission in self.permissions(principal, scope))

    def permissions(self, principal: Principal, scope: str) -> list[Permission]:
        """The permissions of all roles that a principal has at a scope (an id) or above it."""
        key = scope.casefold()
        grants = (grant for grant in self.grants(principal) if is_inside(key, grant.scope))
        return list(dict.fromkeys(permission for grant in grants for permission in grant.permissions))

    def denial(self, principal: Principal, action: str, scope: str) -> Stored | None:
        """The deny assignment that takes an action at a scope (an id) away from a principal, if there is one."""
        key = scope.casefold()
        for denial in self._denied():
            there = key == denial.scope if denial.only_here else is_inside(key, denial.scope)
            meant = not denial.principals.isdisjoint(principal.ids) and denial.excluded.isdisjoint(principal.ids)
            if there and meant and any(permission.covers(action) for permission in denial.permissions):
                return denial.stored
        return None

    def sees(self, principal: Principal, subscription: str) -> bool:
        """Whether a principal may read a subscription (a key), or has a role somewhere in it."""
        inside = any(is_inside(grant.scope, subscription) for grant in self.grants(principal))
        allowed = inside or self.allows(principal, READ_SUBSCRIPTION, subscription)
        return allowed and self.denial(principal, READ_SUBSCRIPTION, subscription) is None

    def assignments(self, kind: str) -> Iterator[Stored]:
        """ASSIGNMENTS or DENIALS in, all of them out."""
        for key in self._keys:
            stored = self._store.get(key) if kind in key else None
            if stored is not None:
                yield stored

    def above(self, scope: str) -> frozenset[str]:
        """A scope (a key) in, the keys of all scopes from which it inherits, and its own, out."""
        parts = scope.split("/")
        chain = {"/".join(parts[:end]) for end in range(1, len(parts) + 1)}
        tree = Hierarchy(self._store)
        group = tree.group_of("/".join(parts[:3])) if scope.startswith("/subscriptions/") else ""
        if scope.startswith(f"{GROUPS}/"):
            group = scope.removeprefix(f"{GROUPS}/").partition("/")[0]
        if group in tree.groups:
            chain |= {f"{GROUPS}/{above.key}" for above in tree.above(group)}
        return frozenset(chain)

    def roles_in_use(self) -> frozenset[str]:
        """The keys of the role definitions that somebody has."""
        named = (members(stored.content.get("properties")) for stored in self.assignments(ASSIGNMENTS))
        return frozenset(definition_key(text(one.get("roleDefinitionId")).rpartition("/")[2]) for one in named)

    def grants(self, principal: Principal) -> tuple[Grant, ...]:
        """Where a principal, or a group it is in, has which permissions."""
        if self._roles == "open" or principal.object_id == OWNER.object_id:
            return OWNERSHIP
        found = self._grants.get(principal.ids)
        if found is None:
            found = self._grants[principal.ids] = tuple(self._granted(principal.ids))
        return found

    def _granted(self, ids: frozenset[str]) -> Iterator[Grant]:
        mine = [
            (scope_of(stored), properties)
            for stored in self.assignments(ASSIGNMENTS)
            if text((properties := members(stored.content.get("properties"))).get("principalId")).casefold() in ids
        ]
        tree = Hierarchy(self._store) if any(scope.startswith(GROUPS) for scope, _ in mine) else None
        for scope, properties in mine:
            permissions = self._permissions_of_role(text(properties.get("roleDefinitionId")))
            for reached in _reached(tree, scope):
                yield Grant(reached, permissions)

    def _permissions_of_role(self, role_id: str) -> tuple[Permission, ...]:
        key = definition_key(role_id.rpartition("/")[2])
        stored = self._store.get(key)
        content: Body = stored.content if stored is not None else BUILT_IN.get(key, {})
        return permissions_of(members(content.get("properties")))

    def _denied(self) -> tuple[Denial, ...]:
        if self._denials is None:
            self._denials = tuple(_denial(stored) for stored in self.assignments(DENIALS))
        return self._denials

    def _watch(self, key: str, _: Stored | None) -> None:
        if PROVIDER in key:
            if ASSIGNMENTS in key or DENIALS in key:
                self._keys[key] = None
        elif not key.startswith(GROUPS) and key.count("/") != 2:  # of the tree: groups and subscriptions
            return
        self._grants.clear()
        self._denials = None


OWNERSHIP = (Grant("", (Permission(("*",)),)),)


def scope_of(stored: Stored) -> str:
    """An assignment in, the key of the scope it holds at out: empty for the tenant's root."""
    return stored.id.casefold().rpartition(PROVIDER)[0]


def is_inside(key: str, scope: str) -> bool:
    """Whether a key is a scope's own or of something below it."""
    return key == scope or not scope or key.startswith(f"{scope}/")


def _reached(tree: Hierarchy | None, scope: str) -> Iterator[str]:
    """The scope of an assignment in, the keys at and below which it holds out: a management group's are many."""
    yield scope
    name = scope.removeprefix(f"{GROUPS}/")
    if tree is None or name == scope or name not in tree.groups:
        return
    for group in tree.below(name):
        yield f"{GROUPS}/{group.key}"
    yield from tree.subscriptions_below(name)


def _denial(stored: Stored) -> Denial:
    properties = members(stored.content.get("properties"))
    return Denial(
        stored,
        scope_of(stored),
        permissions_of(properties),
        _ids(properties.get("principals")),
        _ids(properties.get("excludePrincipals")),
        properties.get("doNotApplyToChildScopes") is True,
    )


def _ids(principals: object) -> frozenset[str]:
    return frozenset(text(one.get("id")).casefold() for one in elements(principals))
