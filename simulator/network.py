"""Writes and deletes of Microsoft.Network resources: a call in, the change made and the answer out."""

import sys

import msgspec

from simulator import errors
from simulator.address_rules import check_addresses_free, check_delete, check_gateway, check_neighbours, place
from simulator.calls import Call, announce, check_preconditions, empty, operation_for, refuse_busy
from simulator.ids import NAT_GATEWAY, NIC, SUBNET, VNET, parent_key
from simulator.operations import Operation
from simulator.render import etag_of, render
from simulator.rules import Planned, PlannedNetwork, check_network, check_references, check_subnet_delete
from simulator.shapes import has_guid, kept_of, kind_of, shaped
from simulator.store import Store, Stored
from simulator.wire import Body, Response, answer, elements, members, text
from simulator.world import World

OMITTED_SUBNETS_STAY = "2023-09-01"
"""From this api-version on, a VNet PUT without `subnets` leaves them alone; before, it removes them."""


class Change(msgspec.Struct, frozen=True):
    """What a PUT would do: the resource as it will be, the children it names, and those it removes."""

    shown_id: str
    content: Body
    before: Body | None
    children: dict[str, Planned] = {}
    removed: tuple[str, ...] = ()

    @property
    def is_new(self) -> bool:
        return self.before is None

    @property
    def changes_nothing(self) -> bool:
        same = self.before == self.content and not self.removed
        return same and all(child.before == child.content for child in self.children.values())


def put(world: World, call: Call, group: Stored) -> Response:
    """A full replacement in; the resource is as sent, and an operation brings it to Succeeded."""
    address, store = call.address, world.store
    kind = kind_of(address.type_key)
    old = store.get(address.key)
    parent = _parent(store, call)
    shown_id = old.id if old is not None else _new_id(call, group, parent)
    sent = call.content()
    check_preconditions(
        call, etag_of(store, address.key, old) if old is not None else "", shown_id, exists=old is not None
    )
    change = _change(world, call, shown_id, sent, old)
    location = _location(call, sent, old, parent, group)
    lock = address.top.key
    running = world.operations.running(lock)
    if running is not None and not kind.superseded and world.settings.busy != "async":
        raise refuse_busy(world, call, running)
    _check(world, call, change, location)
    operation = operation_for(world, call, "write", shown_id, location, lock)
    operation.updates = not change.is_new
    if running is not None:
        if not kind.superseded:
            return _accept_and_fail(world, call, change, operation, running)
        world.operations.finish(running, "Canceled", errors.superseded())
    settled = change.changes_nothing and old is not None and old.state == "Succeeded"
    touched = _commit(world, call, change, "Succeeded" if settled or kind.settles != "later" else "Updating")
    if settled or kind.settles != "later":
        world.operations.record(operation)
        world.publish(shown_id, address.type, call.caller, deleted=False, updated=operation.updates)
    else:
        operation.touched = touched
        world.operations.start(operation)
    headers = {} if kind.settles == "silently" else announce(world, call, operation)
    # A VNet that is written unchanged answers 201 all the same (recorded in two clouds).
    created = change.is_new or (settled and address.type_key == VNET)
    stored = store.get(address.key)
    return answer(201 if created else 200, render(store, address.key, stored) if stored is not None else None, headers)


def patch(world: World, call: Call) -> Response:
    """New tags in; they replace the old ones at once."""
    stored = world.store.get(call.address.key)
    if stored is None:
        raise missing(world.store, call)
    sent = call.content()
    if set(sent) - {"tags"} or not isinstance(sent.get("tags"), dict):
        raise errors.bad("InvalidRequestFormat", "Cannot parse the request: only tags can be patched.")
    check_preconditions(call, stored.etag, stored.id, exists=True)
    running = world.operations.running(call.address.top.key)
    if running is not None:
        raise refuse_busy(world, call, running)
    content = stored.content | {"tags": sent["tags"]}
    stored = msgspec.structs.replace(stored, body=msgspec.json.encode(content), etag=world.etag())
    world.store.put(call.address.key, stored)
    world.publish(stored.id, stored.type, call.caller, deleted=False, updated=True)
    return answer(200, render(world.store, call.address.key, stored), {"Azure-AsyncNotification": "Enabled"})


def delete(world: World, call: Call) -> Response:
    """A delete in; the resource is there, Deleting, until its operation ends. What is absent is 204."""
    store, key = world.store, call.address.key
    stored = store.get(key)
    if stored is None:
        return empty(204, {})
    check_preconditions(call, etag_of(store, key, stored), stored.id, exists=True)
    lock = call.address.top.key
    running = world.operations.running(lock)
    if running is not None:
        if running.effect == "delete" and running.target == key:
            return empty(202, announce(world, call, running))
        if not kind_of(call.address.type_key).superseded:
            raise refuse_busy(world, call, running)
        world.operations.finish(running, "Canceled", errors.superseded())
    check_delete(store, key, stored)
    top = store.get(lock)
    location = text(top.content.get("location")) if top is not None else ""
    operation = operation_for(world, call, "delete", stored.id, location, lock)
    if call.address.type_key == NIC:
        world.delete(key)
        world.operations.record(operation)
        world.publish(stored.id, stored.type, call.caller, deleted=True, updated=True)
        return empty(200, announce(world, call, operation))
    stored.state = "Deleting"
    world.renew_etag(key)
    if top is not None and lock != key:
        top.state = "Updating"
        operation.touched = (lock,)
    world.operations.start(operation)
    return empty(202, announce(world, call, operation))


def missing(store: Store, call: Call) -> errors.ArmError:
    """A resource that is not there in, the right one of the 404 texts out."""
    address = call.address
    top = address.top
    known = top.key in store or store.was_deleted(top.key)
    if known and (len(address.types) > 1 or store.was_deleted(address.key)):
        return errors.not_found(_asked_id(call))
    return errors.resource_not_found(f"{top.type}/{top.names[0]}", address.group or "")


def _asked_id(call: Call) -> str:
    return call.address.text


def _parent(store: Store, call: Call) -> Stored | None:
    """The parent of a child; ARM's 404 when it does not exist."""
    above = call.address.parent
    if above is None:
        return None
    found = store.get(above.key)
    if found is None:
        raise errors.parent_not_found(above.names[-1])
    return found


def _new_id(call: Call, group: Stored, parent: Stored | None) -> str:
    if parent is not None:
        return f"{parent.id}/{call.address.type.rpartition('/')[2]}/{call.address.names[-1]}"
    return f"{group.id}/providers/{call.address.type}/{call.address.names[0]}"


def _location(call: Call, sent: Body, old: Stored | None, parent: Stored | None, group: Stored) -> str:
    """Where it lies: a child where its parent does; a location can be given once and not changed."""
    if parent is not None:
        top = parent.content.get("location")
        return text(top)
    given = text(sent.get("location")).replace(" ", "").lower()
    existing = text(old.content.get("location")) if old is not None else ""
    if not given:
        raise errors.location_required()
    if existing and given != existing:
        raise errors.location_changed(call.address.names[-1], existing, group.name, given)
    return given


def _change(world: World, call: Call, shown_id: str, sent: Body, old: Stored | None) -> Change:
    """What was sent in, what it would change out."""
    type_key = call.address.type_key
    before = old.content if old is not None else None
    content = shaped(type_key, sent, _kept(world, type_key, before))
    children: dict[str, Planned] = {}
    removed: list[str] = []
    for array in kind_of(type_key).children:
        existing = world.store.keys_in(f"{call.address.key}/{array.lower()}")
        properties = members(sent.get("properties"))
        if array == "subnets" and array not in properties and call.api_version >= OMITTED_SUBNETS_STAY:
            continue
        named = {}
        for element in elements(properties.get(array)):
            name = text(element.get("name"))
            if not name:
                raise errors.bad(
                    "InvalidRequestFormat", f"Cannot parse the request: an element of {array} has no name."
                )
            child_id = f"{shown_id}/{array}/{name}"
            child = world.store.get(child_id.casefold())
            child_before = child.content if child is not None else None
            child_type = f"{type_key}/{array.lower()}"
            child_content = shaped(child_type, element, _kept(world, child_type, child_before))
            named[child_id.casefold()] = Planned(
                child.id if child is not None else child_id, child_content, child_before
            )
        children |= named
        removed += [key for key in existing if key not in named]
    return Change(shown_id, content, before, children, tuple(removed))


def _kept(world: World, type_key: str, before: Body | None) -> Body:
    kept = kept_of(type_key, before) if before is not None else {}
    if has_guid(type_key) and "resourceGuid" not in kept:
        kept = {"resourceGuid": world.guid(), **kept}
    return kept


def _check(world: World, call: Call, change: Change, location: str) -> None:
    """A change in; refused when it breaks a rule of its type."""
    store, type_key = world.store, call.address.type_key
    if type_key == VNET:
        for key in change.removed:
            subnet = store.get(key)
            if subnet is not None and subnet.type.lower() == SUBNET:
                check_subnet_delete(store, key, subnet)
        check_network(store, _network(store, change, location))
    elif type_key == SUBNET:
        vnet_key = parent_key(call.address.key)
        vnet = store.get(vnet_key)
        if vnet is not None:
            planned = Planned(change.shown_id, change.content, change.before)
            inner = Change(vnet.id, vnet.content, vnet.content, children={call.address.key: planned})
            check_network(store, _network(store, inner, location))
    else:
        check_references(store, change.shown_id, type_key, change.content, location)
        if type_key == NAT_GATEWAY:
            check_gateway(store, change.shown_id, change.content, change.before)
        else:
            check_addresses_free(store, change.shown_id, type_key, change.content)
            check_neighbours(store, change.shown_id, type_key, change.content)
        if type_key == NIC:
            place(store, change.shown_id, change.content, change.before)


def _network(store: Store, change: Change, location: str) -> PlannedNetwork:
    """A VNet's change in, the VNet with all the subnets it would have out."""
    subnets: dict[str, Planned] = {}
    for key in store.keys_in(f"{change.shown_id.casefold()}/subnets"):
        stored = store.get(key)
        if stored is not None and key not in change.removed:
            content = stored.content
            subnets[key] = Planned(stored.id, content, content)
    written = {key: child for key, child in change.children.items() if "/subnets/" in key}
    spaces = members(members(change.content.get("properties")).get("addressSpace")).get("addressPrefixes")
    prefixes = tuple(text(prefix) for prefix in spaces) if isinstance(spaces, list) else ()
    return PlannedNetwork(change.shown_id, location, prefixes, subnets | written, frozenset(written))


def _commit(world: World, call: Call, change: Change, state: str) -> tuple[str, ...]:
    """A checked change in; it is made. The keys of all that is Updating because of it out."""
    store, key = world.store, call.address.key
    is_child = len(call.address.types) > 1
    body = msgspec.json.encode(change.content)
    store.put(key, Stored(change.shown_id, call.address.type, body, state, "" if is_child else world.etag()))
    touched = [key]
    for child in change.removed:
        store.remove(child)
    for child_key, planned in change.children.items():
        child_type = sys.intern(f"{call.address.type}/{planned.id.split('/')[-2]}")
        store.put(child_key, Stored(planned.id, child_type, msgspec.json.encode(planned.content), state))
    if is_child:
        above = parent_key(key)
        world.renew_etag(key)
        parent = store.get(above)
        if parent is not None and state == "Updating":
            parent.state = state
            touched.append(above)
    else:
        for array in kind_of(call.address.type_key).children:
            for child_key in store.keys_in(f"{key}/{array.lower()}"):
                found = store.get(child_key)
                if found is not None:
                    found.state = state
                    touched.append(child_key)
    return tuple(touched)


def _accept_and_fail(world: World, call: Call, change: Change, operation: Operation, running: Operation) -> Response:
    """A write that comes too early in; it is accepted, changes nothing, and its operation fails."""
    operation.lock = operation.id
    operation.failing = refuse_busy(world, call, running).error
    world.operations.start(operation)
    old = world.store.get(call.address.key)
    body = msgspec.json.encode(change.content)
    etag = etag_of(world.store, call.address.key, old) if old is not None else world.etag()
    shown = Stored(change.shown_id, call.address.type, body, "Updating", etag)
    status = 201 if change.is_new else 200
    return answer(status, render(world.store, call.address.key, shown), announce(world, call, operation))
