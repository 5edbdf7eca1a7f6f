"""The resource group of a cluster's nodes: what AKS writes and deletes there, and in the subnets it was given."""

import hashlib
import sys

import msgspec

from simulator.access import DENIALS
from simulator.events import Caller
from simulator.groups import stored_group
from simulator.identity import AKS
from simulator.ids import SUBNET, group_id, parent_key, parse_id
from simulator.scopes import GROUP_TYPE
from simulator.shapes import ENVELOPE, has_guid, identify, is_network, kept_of, shaped
from simulator.store import Stored
from simulator.wire import Body, members, text
from simulator.world import World

TAG = "aks-managed-type"
POOL_TAG = "aks-managed-poolName"


class NodeGroup:
    """AKS at work for one cluster. Whatever it changes is an event, as of any other caller; what stays is none."""

    def __init__(self, world: World, cluster: Stored, caller: Caller) -> None:
        self.world = world
        self.cluster = cluster
        self.properties = members(cluster.content.get("properties"))
        self.network = members(self.properties.get("networkProfile"))
        self.location = text(cluster.content.get("location"))
        self.suffix = str(int(hashlib.sha256(cluster.id.casefold().encode()).hexdigest(), 16) % 10**8).zfill(8)
        _, _, subscription, _, group, *_ = cluster.id.split("/")
        named = text(self.properties.get("nodeResourceGroup"))  # an estate may have left it out
        usual = f"MC_{group}_{cluster.name}_{self.location}"
        self.id = group_id(subscription, usual if not named or "/" in named else named)
        self.caller = msgspec.structs.replace(caller, principal=AKS)

    @property
    def key(self) -> str:
        return self.id.casefold()

    def ensure(self) -> None:
        """The group is there, is the cluster's and has its tags."""
        tags = members(self.cluster.content.get("tags")) | self.tags
        group = stored_group(
            self.id.split("/")[2],
            self.id.rpartition("/")[2],
            {"location": self.location, "managedBy": self.cluster.id, "tags": tags},
        )
        old = self.world.store.get(self.key)
        if old is None or old.content != group.content:
            self.world.store.put(self.key, group)
            self._tell(group.id, GROUP_TYPE, updated=old is not None)

    @property
    def tags(self) -> Body:
        """What is on everything AKS makes."""
        group = self.cluster.id.split("/")[4]
        return {"aks-managed-cluster-name": self.cluster.name, "aks-managed-cluster-rg": group}

    def named(self, kind: str, name: str) -> str:
        """A type's last part and a name in, the id of such a resource of the Network provider in the group out."""
        return f"{self.id}/providers/Microsoft.Network/{kind}/{name}"

    def content(self, resource_id: str) -> Body | None:
        found = self.world.store.get(resource_id.casefold())
        return found.content if found is not None else None

    def listed(self, type_name: str) -> list[Stored]:
        return list(self.world.store.listed(f"{self.key}/providers/{type_name}".casefold()))

    def write(self, resource_id: str, body: Body, *, told: bool = True) -> bool:
        """A resource as it has to be in; whether that changed something out."""
        address = parse_id(resource_id)
        assert address is not None, resource_id
        store, type_key, is_child = self.world.store, address.type_key, len(address.types) > 1
        old = store.get(address.key)
        shown_id = old.id if old is not None else resource_id
        content = {name: value for name, value in body.items() if name not in ENVELOPE}
        if not is_child and DENIALS not in f"{address.key}/":
            content["location"] = self.location
        if is_network(type_key):
            kept = kept_of(type_key, old.content) if old is not None else {}
            if has_guid(type_key) and "resourceGuid" not in kept:
                kept = {"resourceGuid": self.world.guid(), **kept}
            content = shaped(type_key, content, kept)
            identify(address.type, shown_id, content)
        if old is not None and old.content == content:
            return False
        network = is_network(type_key)
        stored = Stored(
            shown_id, sys.intern(address.type), msgspec.json.encode(content), "Succeeded" if network else ""
        )
        if network and not is_child:
            stored.etag = self.world.etag()
        if type_key == SUBNET:
            self.world.behind.note(address.key)
        store.put(address.key, stored)
        if is_child:
            self.world.renew_etag(address.key)
        self.world.public_numbers.give(self.world.store, address.key, stored)
        if told:
            self._tell(shown_id, address.type, updated=old is not None)
        return True

    def change(self, resource_id: str, **properties: object) -> None:
        """Some properties of what exists in (None: it has none of that name); the rest of it stays as it is."""
        old = self.content(resource_id)
        if old is not None:
            known = members(old.get("properties")) | properties
            left = {name: value for name, value in known.items() if value is not None}
            self.write(resource_id, old | {"properties": left})

    def remove(self, resource_id: str, *, told: bool = True) -> None:
        """An id in; what it names is gone, if it was there."""
        stored = self.world.store.get(resource_id.casefold())
        if stored is None:
            return
        resource_id, type_name = stored.id, stored.type
        self.world.delete(resource_id.casefold())
        self.world.renew_etag(parent_key(resource_id.casefold()))
        if told:
            self._tell(resource_id, type_name, updated=True, deleted=True)

    def change_cluster(self, **properties: object) -> None:
        """What AKS found out about the cluster in; its body says so."""
        self.properties = self.properties | properties
        body = msgspec.json.encode(self.cluster.content | {"properties": self.properties})
        self.cluster.body = body

    def tell_written(self, resource_id: str, *, updated: bool) -> None:
        """Something whose parts were written in; who listens is told once."""
        stored = self.world.store.get(resource_id.casefold())
        if stored is not None:
            self._tell(stored.id, stored.type, updated=updated)

    def _tell(self, resource_id: str, type_name: str, *, updated: bool, deleted: bool = False) -> None:
        self.world.publish(resource_id, type_name, self.caller, deleted=deleted, updated=updated)
