"""Writes and deletes of everything that is not Microsoft.Network: shells that are stored and read as given."""

import msgspec

from simulator import errors, event_calls, locks, topics
from simulator.calls import Call, empty, operation_for
from simulator.event_subscriptions import is_event_subscription
from simulator.ids import DEPLOYMENTS, SYSTEM_TOPIC
from simulator.network import missing
from simulator.render import render, shown_id
from simulator.shapes import ENVELOPE
from simulator.store import Stored
from simulator.wire import Body, Response, answer, members, text
from simulator.world import World


def put(world: World, call: Call, group: Stored | None) -> Response:
    """A body in; it is stored as it is."""
    address, store = call.address, world.store
    above = address.parent
    parent = store.get(above.key) if above is not None else None
    if above is not None and parent is None:
        raise errors.parent_not_found(above.names[-1])
    old = store.get(address.key)
    sent = call.content()
    shown_id = _id_of(call, group, old, parent)
    if is_event_subscription(address.type_key):
        return event_calls.put(world, call, shown_id)
    if address.type_key == locks.LOCKS:
        locks.check_level(sent)
    if address.type_key == SYSTEM_TOPIC:
        before = old.content if old is not None else None
        topics.check_topic(store, shown_id, sent, before)
        sent = topics.completed(sent, before, world.guid())
    stored = stored_plain(shown_id, address.type, sent)
    if address.type_key == SYSTEM_TOPIC:
        stored.state = "Succeeded"
    store.put(address.key, stored)
    world.publish(stored.id, stored.type, call.caller, deleted=False, updated=old is not None)
    return answer(200 if old is not None else 201, render(store, address.key, stored))


def patch(world: World, call: Call) -> Response:
    """Members in; they replace the ones of the same name, one level deep in `properties`."""
    stored = world.store.get(call.address.key)
    if stored is None:
        raise missing(world.store, call.address)
    if is_event_subscription(call.address.type_key):
        return event_calls.patch(world, call, stored)
    sent = call.content()
    content = stored.content
    changed = {name: value for name, value in sent.items() if name not in (*ENVELOPE, "properties")}
    properties = {**members(content.get("properties")), **members(sent.get("properties"))}
    content = content | changed | ({"properties": properties} if properties else {})
    if call.address.type_key == SYSTEM_TOPIC:
        topics.check_topic(world.store, stored.id, content, stored.content)
        content = topics.completed(content, stored.content, world.guid())
    stored = msgspec.structs.replace(stored, body=msgspec.json.encode(content))
    world.store.put(call.address.key, stored)
    world.publish(stored.id, stored.type, call.caller, deleted=False, updated=True)
    return answer(200, render(world.store, call.address.key, stored))


def delete(world: World, call: Call) -> Response:
    """A delete in; what is absent is 204, deployments take their time, all else is gone at once."""
    key = call.address.key
    stored = world.store.get(key)
    if stored is None:
        return empty(204, {})
    if call.address.type_key == DEPLOYMENTS:
        return _delete_deployment(world, call, stored)
    world.delete(key)
    world.publish(stored.id, stored.type, call.caller, deleted=True, updated=True)
    return answer(200)


def stored_plain(resource_id: str, type_name: str, sent: Body) -> Stored:
    """An id and a body in, the resource as it is kept out: the body's own state stays where it is."""
    content = {name: value for name, value in sent.items() if name not in ENVELOPE}
    return Stored(resource_id, type_name, msgspec.json.encode(content))


def _delete_deployment(world: World, call: Call, stored: Stored) -> Response:
    """A record of a deployment in; it goes in a while, and what it deployed stays."""
    key = call.address.key
    operation = world.operations.running(key)
    if operation is None:
        operation = operation_for(world, call, "delete", stored.id, text(stored.content.get("location")), key)
        world.store.changing(key)
        stored.state = "Deleting"
        world.operations.start(operation)
    headers = {"Location": call.request.base + operation.path("operationResults")}
    return empty(202, headers | world.settings.wait("delete"))


def _id_of(call: Call, group: Stored | None, old: Stored | None, parent: Stored | None = None) -> str:
    if old is not None:
        return old.id
    address = call.address
    if parent is not None:
        return f"{parent.id}/{address.type.rpartition('/')[2]}/{address.names[-1]}"
    if group is not None and len(address.types) == 1 and address.scope.count("/") == 4:
        return shown_id(group.id, address.type, address.names[0])
    return address.text
