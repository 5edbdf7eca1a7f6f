"""What Resource Graph shows of a resource, a subscription or a group: a key in, a row out."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, Literal

import msgspec

from simulator.hierarchy import GROUPS, Hierarchy, ManagementGroup
from simulator.identity import TENANT
from simulator.ids import location_key
from simulator.render import render
from simulator.scopes import GROUP_TYPE, SUBSCRIPTION_TYPE, group_body, subscription_body
from simulator.store import Store, Stored
from simulator.wire import Body, text

ColumnType = Literal["string", "integer", "object"]

COLUMNS: dict[str, ColumnType] = {
    "id": "string",
    "name": "string",
    "type": "string",
    "tenantId": "string",
    "kind": "string",
    "location": "string",
    "resourceGroup": "string",
    "subscriptionId": "string",
    "managedBy": "string",
    "sku": "object",
    "plan": "object",
    "properties": "object",
    "tags": "object",
    "identity": "object",
    "zones": "object",
    "extendedLocation": "object",
}
COLUMNS_OF_2019 = {
    name: COLUMNS[name]
    for name in (
        *("type", "id", "sku", "name", "kind", "plan", "tags", "location", "properties", "resourceGroup"),
        *("subscriptionId", "managedBy", "identity", "zones", "tenantId"),
    )
}
"""The same in the order recorded with api-version 2019-04-01, which knows no extendedLocation."""

RESOURCE_GROUP = "microsoft.resources/subscriptions/resourcegroups"
MANAGEMENT_GROUP = "microsoft.management/managementgroups"

# Azure keeps these in tables of their own, or in none.
_ELSEWHERE = ("microsoft.authorization/", "microsoft.resources/", "microsoft.eventgrid/eventsubscriptions")


def is_shown(type_key: str) -> bool:
    """Whether the resources of a type are in the table `resources`."""
    return not type_key.startswith(_ELSEWHERE)


class Rows:
    """One look at a store: keys in, rows out. The tree of management groups is read once, when it is needed."""

    def __init__(self, store: Store) -> None:
        self.store = store

    @cached_property
    def hierarchy(self) -> Hierarchy:
        return Hierarchy(self.store)

    def row(self, key: str) -> Body | None:
        """A key in, the values of all columns out; None for what is not there."""
        if key.startswith(f"{GROUPS}/"):
            group = self.hierarchy.groups.get(key.rpartition("/")[2])
            return self._management_group(group) if group is not None else None
        stored = self.store.get(key)
        if stored is None:
            return None
        if stored.type == SUBSCRIPTION_TYPE:
            return self._subscription(key, stored)
        return self._resource_group(stored) if stored.type == GROUP_TYPE else self._resource(key, stored)

    def _resource(self, key: str, stored: Stored) -> Body:
        shown = render(self.store, key, stored)
        _, _, subscription, _, group, *_ = stored.id.split("/")
        return {
            **_row(stored.id, stored.name, stored.type.lower()),
            **{name: value for name, value in shown.items() if name in COLUMNS and value is not None},
            "type": stored.type.lower(),
            "location": location_key(text(shown.get("location"))),
            "resourceGroup": group.lower(),
            "subscriptionId": subscription,
        }

    def _resource_group(self, stored: Stored) -> Body:
        shown = group_body(stored)
        return {
            **_row(stored.id, stored.name, RESOURCE_GROUP),
            "location": text(shown.get("location")),
            "resourceGroup": stored.name.lower(),
            "subscriptionId": stored.id.split("/")[2],
            "managedBy": text(shown.get("managedBy")),
            "tags": shown.get("tags"),
            "properties": shown["properties"],
        }

    def _subscription(self, key: str, stored: Stored) -> Body:
        shown = subscription_body(stored)
        return {
            **_row(stored.id, text(shown["displayName"]), SUBSCRIPTION_TYPE.lower()),
            "tenantId": shown["tenantId"],
            "subscriptionId": stored.name,
            "tags": shown.get("tags"),
            "properties": {
                "managedByTenants": shown["managedByTenants"],
                "managementGroupAncestorsChain": _chain(self.hierarchy.above(self.hierarchy.group_of(key))),
                "state": shown["state"],
            },
        }

    def _management_group(self, group: ManagementGroup) -> Body:
        above = self.hierarchy.above(group.key)[1:]
        details: Body = {"managementGroupAncestorsChain": _chain(above)}
        if above:
            parent = above[0]
            details["parent"] = {"id": parent.id, "name": parent.name, "displayName": parent.display_name}
        properties = {"tenantId": TENANT, "displayName": group.display_name, "details": details}
        return {**_row(group.id, group.name, MANAGEMENT_GROUP), "properties": properties}


class Row(msgspec.Struct, gc=False):
    """One row of a table: its id and type are at hand, the rest is shown when somebody looks.

    There may be a hundred thousand of them and none is in a cycle: the garbage collector need not know them.
    """

    key: str
    id: str
    type: str
    show: Callable[[str], Body | None]
    shown: Body | None = None

    def value(self, column: str) -> Any:
        """A column in, its value out; None when there is none."""
        match column:
            case "id":
                return self.id
            case "type":
                return self.type
            case _:
                if self.shown is None:
                    self.shown = self.show(self.key) or {}
                return self.shown.get(column)


def _row(resource_id: str, name: str, type_key: str) -> Body:
    """A row with nothing in it: texts are empty and all else is null."""
    empty = {column: "" if kind == "string" else None for column, kind in COLUMNS.items()}
    return {**empty, "id": resource_id, "name": name, "type": type_key, "tenantId": TENANT}


def _chain(groups: list[ManagementGroup]) -> list[Body]:
    return [{"displayName": group.display_name, "name": group.name} for group in groups]
