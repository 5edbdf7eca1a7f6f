"""What Microsoft.Management shows: a group or a subscription with its place in the tree in, bodies out."""

from simulator.hierarchy import GROUP_TYPE, MEMBERSHIP_TYPE, Hierarchy, ManagementGroup
from simulator.identity import TENANT
from simulator.scopes import subscription_body
from simulator.store import Store
from simulator.wire import Body

SUBSCRIPTION_KIND = "/subscriptions"


class Bodies:
    """One look at the tree of a store."""

    def __init__(self, store: Store, tree: Hierarchy) -> None:
        self._store = store
        self._tree = tree

    def group(self, group: ManagementGroup, *, children: bool = False, recurse: bool = False) -> Body:
        """A group, with its parent, and with what is in it if that is wanted."""
        shown = group_line(group)
        above = self._tree.above(group.key)[1:]
        details: Body = {}
        if above:
            details["parent"] = {"id": above[0].id, "name": above[0].name, "displayName": above[0].display_name}
        shown["properties"]["details"] = details
        if children:
            shown["properties"]["children"] = self._children(group.key, recurse=recurse)
        return shown

    def descendants(self, group: ManagementGroup) -> list[Body]:
        """All that is below a group, subscriptions that nobody may read among them."""
        groups = list(self._tree.below(group.key))
        shown = [
            _descendant(inner.id, GROUP_TYPE, inner.display_name, self._tree.above(inner.key)[1]) for inner in groups
        ]
        for parent in (group, *groups):
            for key in self._tree.subscriptions_in(parent.key):
                body = self._subscription(key)
                shown.append(_descendant(body["id"], SUBSCRIPTION_KIND, body["displayName"], parent))
        return shown

    def membership(self, key: str) -> Body:
        """A subscription under the group it is in."""
        body = self._subscription(key)
        group = self._tree.groups[self._tree.group_of(key)]
        return {
            "id": f"{group.id}/subscriptions/{body['subscriptionId']}",
            "type": MEMBERSHIP_TYPE,
            "name": body["subscriptionId"],
            "properties": {
                "displayName": body["displayName"],
                "parent": {"id": group.id},
                "state": "Active",
                "tenant": TENANT,
            },
        }

    def group_entity(self, group: ManagementGroup) -> Body:
        """A group with the way down to it from the root."""
        return _entity(group.id, GROUP_TYPE, group.display_name, self._tree.above(group.key)[1:])

    def subscription_entity(self, key: str) -> Body:
        """A subscription with the way down to it from the root."""
        body = self._subscription(key)
        above = self._tree.above(self._tree.group_of(key))
        return _entity(body["id"], SUBSCRIPTION_KIND, body["displayName"], above)

    def _children(self, group: str, *, recurse: bool) -> list[Body]:
        shown = []
        for inner in self._tree.groups_in(group):
            child: Body = {"id": inner.id, "type": GROUP_TYPE, "name": inner.name, "displayName": inner.display_name}
            if recurse:
                child["children"] = self._children(inner.key, recurse=True)
            shown.append(child)
        for key in self._tree.subscriptions_in(group):
            body = self._subscription(key)
            names = {"name": body["subscriptionId"], "displayName": body["displayName"]}
            shown.append({"id": body["id"], "type": SUBSCRIPTION_KIND, **names})
        return shown

    def _subscription(self, key: str) -> Body:
        """The body of a subscription that is in the tree, and so in the store."""
        stored = self._store.get(key)
        return subscription_body(stored) if stored is not None else {}


def group_line(group: ManagementGroup) -> Body:
    """A group in, its line in a list out."""
    properties = {"tenantId": TENANT, "displayName": group.display_name}
    return {"id": group.id, "type": GROUP_TYPE, "name": group.name, "properties": properties}


def _descendant(resource_id: str, kind: str, display_name: str, parent: ManagementGroup) -> Body:
    properties = {"displayName": display_name, "parent": {"id": parent.id}}
    return {"id": resource_id, "type": kind, "name": resource_id.rpartition("/")[2], "properties": properties}


def _entity(resource_id: str, kind: str, display_name: str, above: list[ManagementGroup]) -> Body:
    down = above[::-1]
    return {
        "id": resource_id,
        "type": kind,
        "name": resource_id.rpartition("/")[2],
        "properties": {
            "tenantId": TENANT,
            "displayName": display_name,
            "parent": {"id": above[0].id if above else None},
            "parentNameChain": [group.name for group in down],
            "parentDisplayNameChain": [group.display_name for group in down],
        },
    }
