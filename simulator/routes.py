"""Who answers: a call in, the answer of the list, group, resource or operation it names out."""

import re

from simulator import (
    api_versions,
    authorization,
    clusters,
    deny_assignments,
    errors,
    event_calls,
    graph,
    groups,
    lists,
    locks,
    management,
    network,
    plain,
    policies,
    policy_enforcement,
    providers,
    role_assignments,
    role_definitions,
    scale_sets,
    tags,
    vaults,
)
from simulator.activity_query import LOG, activity
from simulator.calls import Call
from simulator.effective_routes import effective_routes
from simulator.event_subscriptions import EVENT_SUBSCRIPTIONS
from simulator.ids import NIC, SCALE_SET, VIRTUAL_GATEWAY, location_key, segments_of
from simulator.learned_routes import learned_routes
from simulator.polls import job, poll
from simulator.scopes import group_body, subscription_body
from simulator.shapes import is_network
from simulator.store import Stored
from simulator.wire import Response, answer, text
from simulator.world import World

ACTIONS = {
    (VIRTUAL_GATEWAY, "getlearnedroutes"): learned_routes,
    (NIC, "effectiveroutetable"): effective_routes,
    **{(kind, "getfullurl"): event_calls.full_url for kind in EVENT_SUBSCRIPTIONS},
    **{(kind, "getdeliveryattributes"): event_calls.delivery_attributes for kind in EVENT_SUBSCRIPTIONS},
}
SUBSCRIPTION = re.compile(r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")


def routed(world: World, call: Call) -> Response:
    """A call in; its subscription, then its group, then the resource or list it names answers."""
    address, method = call.address, call.request.method
    tail = [part.lower() for part in segments_of(call.request.path)]
    if address.subscription is None:
        api_versions.check(world, call)
    if address.subscription is None and tail == ["subscriptions"]:
        _only(method, "GET")
        return lists.subscriptions(world, call)
    if address.subscription is None and address.namespace is not None:
        match address.namespace.lower():
            case "microsoft.resourcegraph":
                return graph.answered(world, call)
            case "microsoft.management":
                return management.answered(world, call)
    subscription = _subscription(world, call)
    if address.group is None and address.namespace is None and subscription is not None:
        if not world.access.sees(call.caller.principal, subscription.id.casefold()):
            raise authorization.unauthorized(call)
        api_versions.check(world, call)
        match tail[2:]:
            case []:
                _only(method, "GET")
                return answer(200, subscription_body(subscription))
            case ["resourcegroups"]:
                _only(method, "GET")
                return lists.groups(world, call)
            case ["resources"]:
                _only(method, "GET")
                scope = address.scope.casefold()
                inside = world.store.keys_in(f"{scope}/resourcegroups")
                return lists.resources(world, call, [scope, *inside])
            case ["operationresults", _]:
                _only(method, "GET")
                return job(world, call, segments_of(call.request.path)[3])
        raise errors.no_arm_path()
    authorization.check(world, call)
    if subscription is not None:
        api_versions.check(world, call)
    group = _group(world, call)
    locks.check(world, call)
    if address.namespace is None:
        return _group_call(world, call, group, tail[4:])
    if len(tail) > 4 and tail[-2] in ("operations", "operationresults") and tail[-4] == "locations":
        _only(method, "GET")
        if is_network(address.namespace.lower() + "/"):
            world.network_limits.admit(address.subscription or "", address.names[-2], method, world.now())
        elif clusters.TYPES[0].startswith(f"{address.namespace.lower()}/"):
            world.cluster_limits.admit(address, method, world.now())
        return poll(world, call, address.names[-1], tail[-2])
    return _resource_call(world, call, group)


def _subscription(world: World, call: Call) -> Stored | None:
    address = call.address
    if address.subscription is None:
        return None
    if not SUBSCRIPTION.match(address.subscription):
        raise errors.invalid_subscription(address.subscription)
    found = world.store.get(f"/subscriptions/{address.subscription}".casefold())
    if found is None:
        raise errors.subscription_not_found(address.subscription)
    return found


def _group(world: World, call: Call) -> Stored | None:
    """The group a path names; it must exist for everything but its own PUT."""
    address = call.address
    if address.group is None:
        return None
    found = world.store.get(f"/subscriptions/{address.subscription}/resourcegroups/{address.group}".casefold())
    creates_it = address.namespace is None and call.request.method == "PUT"
    if found is None and not creates_it:
        raise errors.group_not_found(address.group)
    if found is not None and address.namespace is not None and call.request.method in ("PUT", "PATCH"):
        groups.refuse_deleting(found)
    return found


def _group_call(world: World, call: Call, group: Stored | None, tail: list[str]) -> Response:
    method = call.request.method
    if tail == ["resources"]:
        _only(method, "GET")
        return lists.resources(world, call, [call.address.scope.casefold()])
    if tail:
        raise errors.no_arm_path()
    policy_enforcement.check(world, call, group)
    if group is None or method == "PUT":
        return groups.put(world, call, call.address.group or "")
    match method:
        case "GET":
            return answer(200, group_body(group))
        case "HEAD":
            return answer(204)
        case "PATCH":
            return groups.patch(world, call, group)
        case "DELETE":
            return groups.delete(world, call, group)
        case _:
            raise errors.method_not_allowed(method)


def _resource_call(world: World, call: Call, group: Stored | None) -> Response:
    address, method = call.address, call.request.method
    if not address.types or (method == "POST" and address.types[0].lower() == "register"):
        return providers.answered(world, call)
    if address.type_key == tags.TAGS and not address.is_collection:
        return tags.answered(world, call)
    if not address.is_collection:
        policy_enforcement.check(world, call, group)
    if address.type_key in clusters.TYPES:
        return clusters.answered(world, call, group)
    if is_network(address.type_key) and world.network_limits.enforced:
        world.network_limits.admit(address.subscription or "", _region(world, call, group), method, world.now())
    match address.type_key:
        case authorization.PERMISSIONS if address.is_collection:
            _only(method, "GET")
            return authorization.permissions(world, call)
        case role_assignments.ROLE_ASSIGNMENTS:
            return role_assignments.answered(world, call)
        case role_definitions.ROLE_DEFINITIONS:
            return role_definitions.answered(world, call)
        case deny_assignments.DENY_ASSIGNMENTS:
            return deny_assignments.answered(world, call)
        case kind if kind in policies.KINDS:
            return policies.answered(world, call)
    inside = address.type_key.startswith(f"{SCALE_SET}/")
    if inside or (address.type_key == SCALE_SET and not address.is_collection and method not in ("GET", "HEAD")):
        return scale_sets.answered(world, call, group)
    if address.is_collection:
        if method == "POST":
            above = address.parent
            action = ACTIONS.get((above.type_key, address.types[-1].lower())) if above is not None else None
            if action is not None:
                return action(world, call)
            raise errors.not_modelled(f"the action '{address.types[-1]}'")
        _only(method, "GET")
        if address.type_key == LOG and address.scope.count("/") == 2:
            return activity(world, call)
        if address.type_key == locks.LOCKS:
            return locks.listed(world, call)
        if address.type_key in event_calls.LISTS:
            return event_calls.listed(world, call)
        return lists.collection(world, call)
    networked = is_network(address.type_key)
    if networked and group is None:
        raise errors.no_arm_path()
    match method:
        case "GET":
            return lists.resource(world, call)
        case "HEAD":
            lists.resource(world, call)  # refused when it is not there
            return answer(204)
        case "PUT" if networked and group is not None:
            return network.put(world, call, group)
        case "PUT" if address.type_key == vaults.SECRETS:
            return vaults.put(world, call)
        case "PUT":
            return plain.put(world, call, group)
        case "PATCH":
            return network.patch(world, call) if networked else plain.patch(world, call)
        case "DELETE":
            return network.delete(world, call) if networked else plain.delete(world, call)
        case _:
            raise errors.not_modelled(f"{method} on {address.type}")


def _region(world: World, call: Call, group: Stored | None) -> str:
    """Whose front end of the network provider answers: where the resource lies, or its group; lists of a subscription
    are answered by one of no region."""
    found = world.store.get(call.address.top.key)
    if found is None and call.request.method == "PUT" and not call.address.is_collection:
        return location_key(text(call.content().get("location")))
    found = found or group
    return text(found.content.get("location")) if found is not None else ""


def _only(method: str, allowed: str) -> None:
    if method != allowed:
        raise errors.method_not_allowed(method)
