"""Scale sets: a call on one in, its answer out. Its machines are as its model says, or as it said before."""

import msgspec

from simulator import errors
from simulator.calls import Call, announce, empty, operation_for
from simulator.ids import SCALE_SET, location_key
from simulator.network import missing
from simulator.operations import Operation
from simulator.reference_rules import check_references
from simulator.render import render, shown_id
from simulator.scale_set_instances import answered_of_instances
from simulator.scale_set_model import MOST_INSTANCES, UNSEEN, resized, updated
from simulator.shapes import ENVELOPE
from simulator.special_subnets import check_resident
from simulator.store import Stored
from simulator.wire import Body, Response, answer, members, text
from simulator.world import World

MODES = ("Automatic", "Manual", "Rolling")


def answered(world: World, call: Call, group: Stored | None) -> Response:
    """A call on a scale set, on what is in it, or on what it is asked to do, in; its answer out."""
    address, method = call.address, call.request.method
    if address.type_key != SCALE_SET:
        if method == "POST" and address.types[1:] and address.types[-1].lower() == "manualupgrade":
            return _upgrade(world, call)
        return answered_of_instances(world, call)
    stored = world.store.get(address.key)
    match method:
        case "PUT":
            return _write(world, call, group, call.content(), stored)
        case "PATCH":
            if stored is None:
                raise missing(world.store, address)
            return _write(world, call, group, _merged(_seen(stored.content), call.content()), stored)
        case "DELETE":
            return _delete(world, call, stored)
        case _:
            raise errors.not_modelled(f"{method} on {address.type}")


def _write(world: World, call: Call, group: Stored | None, sent: Body, old: Stored | None) -> Response:
    key = call.address.key
    if group is None:
        raise errors.no_arm_path()
    resource_id = old.id if old is not None else shown_id(group.id, call.address.type, call.address.names[0])
    content = {name: value for name, value in sent.items() if name not in (*ENVELOPE, UNSEEN)}
    properties = {name: value for name, value in members(sent.get("properties")).items() if name != "provisioningState"}
    content |= {"properties": properties, "location": location_key(text(sent.get("location")))}
    if not content["location"]:
        raise errors.location_required()
    before = old.content if old is not None else None
    if before is not None and before.get("location") != content["location"]:
        raise errors.location_changed(resource_id, text(before["location"]), group.name, content["location"])
    _check(world, resource_id, content)
    content[UNSEEN] = resized(content, before)
    stored = Stored(resource_id, call.address.type, msgspec.json.encode(content))
    stored.state = "Creating" if old is None else "Updating"
    world.store.put(key, stored)
    operation = operation_for(world, call, "write", resource_id, content["location"], key)
    operation.updates, operation.touched = old is not None, (key,)
    _start(world, operation)
    return answer(201 if old is None else 200, render(world.store, key, stored), announce(world, call, operation))


def _check(world: World, resource_id: str, content: Body) -> None:
    """What a model names is there, and each of its subnets takes machines."""
    properties: Body = content["properties"]
    if text(properties.get("orchestrationMode")).lower() == "flexible":
        raise errors.not_modelled("scale sets in orchestration mode Flexible")
    mode = text(members(properties.get("upgradePolicy")).get("mode"))
    if mode not in ("", *MODES):
        raise _invalid("upgradePolicy.mode", mode)
    capacity = members(content.get("sku")).get("capacity")
    if capacity is not None and not (isinstance(capacity, int) and 0 <= capacity <= MOST_INSTANCES):
        raise _invalid("sku.capacity", capacity)
    # One machine stands for all: what is named does not depend on how many there are.
    one = content | {"sku": {"capacity": 1}}
    check_references(world.store, resource_id, SCALE_SET, one, content["location"])
    check_resident(world.store, resource_id, SCALE_SET, one)


def _upgrade(world: World, call: Call) -> Response:
    """The call on `.../manualupgrade` in; the machines it names have the present model when its operation ends."""
    above = call.address.parent
    stored = world.store.get(above.key) if above is not None else None
    if above is None or stored is None:
        raise missing(world.store, call.address)
    numbers = call.content().get("instanceIds")
    if not isinstance(numbers, list) or not numbers:
        raise _invalid("instanceIds", numbers)
    known = updated(stored.content, [])["instances"]
    unknown = [number for number in numbers if number != "*" and number not in known]
    if unknown:
        raise _invalid("instanceIds", unknown[0])
    content = stored.content
    content[UNSEEN] = updated(content, numbers)
    world.store.put(above.key, msgspec.structs.replace(stored, body=msgspec.json.encode(content)))
    operation = operation_for(world, call, "action", stored.id, text(content.get("location")), "")
    operation.lock, operation.target, operation.type_name = operation.id, above.key, stored.type
    operation.label = "manualupgrade"
    world.operations.start(operation)
    return empty(202, announce(world, call, operation))


def _delete(world: World, call: Call, stored: Stored | None) -> Response:
    if stored is None:
        return empty(204, {})
    key = call.address.key
    operation = operation_for(world, call, "delete", stored.id, text(stored.content.get("location")), key)
    world.store.changing(key)
    stored.state = "Deleting"
    operation.touched = (key,)
    _start(world, operation)
    return empty(202, announce(world, call, operation))


def _start(world: World, operation: Operation) -> None:
    """An operation in; it runs, and takes the place of one that still runs on the same set."""
    running = world.operations.running(operation.lock)
    if running is not None:
        world.supersede(running, operation)
    world.operations.start(operation)


def _merged(old: Body, new: Body) -> Body:
    """What a PATCH leaves: members inside members, lists as a whole."""
    return old | {
        name: _merged(members(old.get(name)), value) if isinstance(value, dict) and name != "tags" else value
        for name, value in new.items()
    }


def _seen(content: Body) -> Body:
    return {name: value for name, value in content.items() if name != UNSEEN}


def _invalid(member: str, value: object) -> errors.ArmError:
    return errors.ArmError(400, "InvalidParameter", f"The value '{value}' of parameter {member} is out of range.")
