"""Writes and deletes of Microsoft.Network resources: a call in, the change made and the answer out."""

import msgspec

from simulator import errors
from simulator.calls import Call, announce, check_preconditions, empty, operation_for, refuse_busy
from simulator.changes import Change, change_of, commit, location_of, new_id, parent_of
from simulator.checks import check
from simulator.ids import NIC, SUBNET, VNET, Address
from simulator.in_use import check_delete
from simulator.operations import Operation
from simulator.render import etag_of, render
from simulator.shapes import is_network, kind_of
from simulator.store import Store, Stored
from simulator.wire import Response, answer, text
from simulator.world import World


def put(world: World, call: Call, group: Stored) -> Response:
    """A full replacement in; the resource is as sent, and an operation brings it to Succeeded."""
    address, store = call.address, world.store
    kind = kind_of(address.type_key)
    old = store.get(address.key)
    parent = parent_of(store, call)
    shown_id = old.id if old is not None else new_id(call, group, parent)
    sent = call.content()
    check_preconditions(
        call, etag_of(store, address.key, old) if old is not None else "", shown_id, exists=old is not None
    )
    change = change_of(world, call, shown_id, sent, old)
    location = location_of(call, sent, old, parent, group)
    lock = address.top.key
    running = world.operations.running(lock)
    supersedes = kind.superseded and running is not None and running.effect == "write"
    if running is not None and not supersedes and world.settings.busy != "async":
        raise refuse_busy(world, call, running)
    check(world, call, change, location)
    operation = operation_for(world, call, "write", shown_id, location, lock)
    operation.updates = not change.is_new
    if running is not None:
        if not supersedes:
            return _accept_and_fail(world, call, change, operation, running)
        world.supersede(running, operation)
    if address.type_key == SUBNET:
        world.behind.note(address.key)
    elif address.type_key == VNET:
        world.behind.forget(f"{address.key}/subnets")
    settled = change.changes_nothing and old is not None and old.state == "Succeeded"
    touched = commit(world, call, change, "Succeeded" if settled or kind.settles != "later" else "Updating")
    if settled or kind.settles == "silently":
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
    """New tags in; they replace the old ones at once. Children have none."""
    if len(call.address.types) > 1:
        raise errors.method_not_allowed("PATCH")
    stored = world.store.get(call.address.key)
    if stored is None:
        raise missing(world.store, call.address)
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
    if running is not None and running.effect == "delete" and running.target == key:
        return empty(202, announce(world, call, running))
    top = store.get(lock)
    location = text(top.content.get("location")) if top is not None else ""
    operation = operation_for(world, call, "delete", stored.id, location, lock)
    supersedes = running is not None and running.effect == "write" and kind_of(call.address.type_key).superseded
    try:
        if running is not None and not supersedes:
            raise refuse_busy(world, call, running)
        check_delete(store, key, stored)
    except errors.ArmError as refusal:
        shape = world.settings.busy if running is not None and not supersedes else world.settings.in_use
        if shape != "async":
            raise
        return _fails_later(world, call, operation, refusal)
    if running is not None:
        world.supersede(running, operation)
    if call.address.type_key == NIC:
        world.delete(key)
        world.operations.record(operation)
        world.publish(stored.id, stored.type, call.caller, deleted=True, updated=True)
        return empty(200, announce(world, call, operation))
    store.changing(key)
    if call.address.type_key == SUBNET:
        world.behind.note(key)
    stored.state = "Deleting"
    world.renew_etag(key)
    if top is not None and lock != key:
        top.state = "Updating"
    operation.touched = (key, lock)
    world.operations.start(operation)
    return empty(202, announce(world, call, operation))


def missing(store: Store, address: Address) -> errors.ArmError:
    """The address of a resource that is not there in, the right one of the 404 texts out."""
    top = address.top
    known = top.key in store or store.was_deleted(top.key)
    if known and (len(address.types) > 1 or store.was_deleted(address.key)):
        return errors.not_found(address.text)
    above = address.parent
    if above is not None and above.key not in store and not is_network(address.type_key):
        return errors.gateway(
            404,
            "ParentResourceNotFound",
            f"Failed to perform 'read' on resource(s) of type '{address.type.partition('/')[2]}', because the parent "
            f"resource '{above.text}' could not be found.",
        )
    return errors.resource_not_found(f"{top.type}/{top.names[0]}", address.group or "")


def _fails_later(world: World, call: Call, operation: Operation, refusal: errors.ArmError) -> Response:
    """A delete that must not be in; it is accepted, changes nothing, and its operation fails."""
    operation.lock = operation.id
    operation.failing = refusal.error
    world.operations.start(operation)
    return empty(202, announce(world, call, operation))


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
