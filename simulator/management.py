"""Management groups: reads and writes of the tree, a call in and the answer out."""

import msgspec

from simulator import authorization, errors
from simulator.calls import Call, empty
from simulator.hierarchy import GROUP_TYPE, MEMBERSHIP_TYPE, ROOT, Hierarchy, ManagementGroup, leave
from simulator.lists import FILTER, paged
from simulator.management_bodies import Bodies, group_line
from simulator.store import Stored
from simulator.wire import Body, Response, answer, members, text
from simulator.world import World

MOST_LEVELS = 6


def answered(world: World, call: Call) -> Response:
    """A call on Microsoft.Management in, its answer out. All is done at once; no event is sent."""
    address, method = call.address, call.request.method
    if address.names:
        authorization.check(world, call)
    tree = Hierarchy(world.store)
    bodies = Bodies(world.store, tree)
    match [kind.lower() for kind in address.types], list(address.names):
        case ["getentities"], []:
            _only(method, "POST")
            return _entities(world, call, tree)
        case ["managementgroups"], []:
            _only(method, "GET")
            return paged(world, call, _readable(world, call, tree), group_line)
        case ["managementgroups"], [name]:
            return _group(world, call, tree, name)
        case ["managementgroups", "descendants"], [name]:
            _only(method, "GET")
            return paged(world, call, bodies.descendants(_found(tree, name)), dict)
        case ["managementgroups", "subscriptions"], [name]:
            _only(method, "GET")
            return paged(world, call, tree.subscriptions_in(_found(tree, name).key), bodies.membership)
        case ["managementgroups", "subscriptions"], [name, subscription]:
            return _member(world, call, _found(tree, name), subscription)
        case _:
            raise errors.not_modelled(f"{method} of {address.type}")


def _readable(world: World, call: Call, tree: Hierarchy) -> list[ManagementGroup]:
    principal = call.caller.principal
    return [group for group in tree.groups.values() if world.access.may(principal, f"{GROUP_TYPE}/read", group.id)]


def _entities(world: World, call: Call, tree: Hierarchy) -> Response:
    """Every group and every subscription that the caller can read."""
    bodies = Bodies(world.store, tree)
    shown = [bodies.group_entity(group) for group in _readable(world, call, tree)]
    principal = call.caller.principal
    readable = [key for key in world.store.keys_in("/subscriptions") if world.access.sees(principal, key)]
    shown += [bodies.subscription_entity(key) for key in readable]
    condition = call.request.query.get("$filter", "")
    if condition:
        match = FILTER.match(condition)
        if match is None or match["name"].lower() != "name":
            raise errors.bad("BadRequest", f"Invalid $filter '{condition}': only name eq '...' is modelled.")
        shown = [entity for entity in shown if entity["name"].casefold() == match["value"].casefold()]
    return paged(world, call, shown, dict)


def _group(world: World, call: Call, tree: Hierarchy, name: str) -> Response:
    match call.request.method:
        case "GET":
            query = call.request.query
            children = query.get("$expand", "").lower() == "children"
            recurse = query.get("$recurse", "").lower() == "true"
            group = _found(tree, name)
            return answer(200, Bodies(world.store, tree).group(group, children=children, recurse=recurse))
        case "PUT":
            return _put(world, tree, name, members(call.content().get("properties")))
        case "DELETE":
            return _delete(world, tree, name)
        case method:
            raise errors.method_not_allowed(method)


def _put(world: World, tree: Hierarchy, name: str, sent: Body) -> Response:
    """A display name and a parent in; what is left out stays, and a new group is below the root."""
    old = tree.groups.get(name.casefold())
    parent = text(members(members(sent.get("details")).get("parent")).get("id")).rpartition("/")[2]
    content: Body = {
        "displayName": text(sent.get("displayName")) or (old.display_name if old is not None else name),
    }
    if name.casefold() != ROOT:
        above = tree.above(_found(tree, parent or (old.parent if old is not None else None) or ROOT).key)
        if any(group.key == name.casefold() for group in above):
            raise errors.bad("BadRequest", f"The management group '{name}' cannot be moved below itself.")
        if len(above) + (_height(tree, old) if old is not None else 0) > MOST_LEVELS:
            raise errors.bad(
                "BadRequest", f"Management groups can be at most {MOST_LEVELS} levels deep below the root."
            )
        content["details"] = {"parent": {"id": above[0].id}}
    elif parent:
        raise errors.bad("BadRequest", "The root management group cannot be moved.")
    if old is not None:
        _changing(world, tree, old.key)
    resource_id = old.id if old is not None else f"/providers/{GROUP_TYPE}/{name}"
    stored = Stored(resource_id, GROUP_TYPE, msgspec.json.encode({"properties": content}))
    world.store.put(resource_id.casefold(), stored)
    tree = Hierarchy(world.store)
    return answer(200, Bodies(world.store, tree).group(tree.groups[name.casefold()]))


def _height(tree: Hierarchy, group: ManagementGroup) -> int:
    """How many levels of groups there are below a group."""
    return max((1 + _height(tree, inner) for inner in tree.groups_in(group.key)), default=0)


def _changing(world: World, tree: Hierarchy, group: str) -> None:
    """A group that will be changed in; all below it name it among their ancestors, and change with it."""
    for inner in tree.below(group):
        world.store.changing(inner.id.casefold())
    for subscription in tree.subscriptions_below(group):
        world.store.changing(subscription)


def _delete(world: World, tree: Hierarchy, name: str) -> Response:
    group = tree.groups.get(name.casefold())
    if group is None:
        return empty(204, {})
    if group.key == ROOT:
        raise errors.bad("BadRequest", "The root management group cannot be deleted.")
    if tree.groups_in(group.key) or tree.subscriptions_in(group.key):
        raise errors.bad("BadRequest", f"The management group '{group.name}' has children and cannot be deleted.")
    world.store.remove(group.id.casefold())
    return empty(200, {})


def _member(world: World, call: Call, group: ManagementGroup, subscription: str) -> Response:
    """A subscription that is put into a group leaves the one it was in; taken out, it is below the root."""
    key = f"/subscriptions/{subscription}".casefold()
    stored = world.store.get(key)
    if stored is None:
        raise errors.subscription_not_found(subscription)
    tree = Hierarchy(world.store)
    inside = tree.group_of(key) == group.key
    match call.request.method:
        case "PUT":
            leave(world.store, subscription)
            if group.key != ROOT:  # where it is already
                member = Stored(f"{group.id}/subscriptions/{stored.name}", MEMBERSHIP_TYPE, b"{}")
                world.store.put(member.id.casefold(), member)
            return answer(200, Bodies(world.store, Hierarchy(world.store)).membership(key))
        case "GET" if inside:
            return answer(200, Bodies(world.store, tree).membership(key))
        case "GET":
            raise _not_found(f"{group.id}/subscriptions/{stored.name}")
        case "DELETE":
            if inside:
                leave(world.store, subscription)
            return empty(200 if inside else 204, {})
        case method:
            raise errors.method_not_allowed(method)


def _found(tree: Hierarchy, name: str) -> ManagementGroup:
    group = tree.groups.get(name.casefold())
    if group is None:
        raise _not_found(f"/providers/{GROUP_TYPE}/{name}")
    return group


def _not_found(resource_id: str) -> errors.ArmError:
    return errors.ArmError(404, "NotFound", f"'{resource_id}' not found")


def _only(method: str, allowed: str) -> None:
    if method != allowed:
        raise errors.method_not_allowed(method)
