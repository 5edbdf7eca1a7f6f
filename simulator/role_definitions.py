"""Role definitions, built-in and custom: a call in, its answer out.

A definition belongs to the tenant: it is the same one whatever scope a path names.
"""

import msgspec

from simulator import errors
from simulator.built_in_roles import BUILT_IN, COLLECTION, TYPE, definition, definition_key
from simulator.calls import Call, empty
from simulator.filters import clauses
from simulator.lists import paged
from simulator.permissions import permissions_of
from simulator.store import Stored
from simulator.wire import Body, Response, answer, members, text
from simulator.world import World

ROLE_DEFINITIONS = TYPE.lower()


def answered(world: World, call: Call) -> Response:
    """A call on the role definitions of a scope in; they are read, written or deleted at once."""
    method = call.request.method
    if call.address.is_collection:
        if method != "GET":
            raise errors.method_not_allowed(method)
        return _listed(world, call)
    name = call.address.names[-1]
    key = definition_key(name)
    match method:
        case "GET":
            return answer(200, _shown(call, _definition(world, key)))
        case "PUT":
            return answer(201, _shown(call, _put(world, call, name)))
        case "DELETE":
            if key not in BUILT_IN and key not in world.store:
                return empty(204, {})
            return answer(200, _shown(call, _delete(world, call, key)))
        case _:
            raise errors.method_not_allowed(method)


def _listed(world: World, call: Call) -> Response:
    wanted = clauses(call, "rolename", "type", "atscope", "atscopeandbelow")
    found = _all(world)
    for name, member in (("rolename", "roleName"), ("type", "type")):
        if name in wanted:
            found = [one for one in found if one["properties"][member].casefold() == wanted[name].casefold()]
    return paged(world, call, found, lambda one: _shown(call, one))


def _put(world: World, call: Call, name: str) -> Body:
    key, sent = definition_key(name), members(call.content().get("properties"))
    _refuse_built_in(key)
    role_name, scopes = text(sent.get("roleName")), sent.get("assignableScopes")
    if not role_name or not isinstance(scopes, list) or not permissions_of(sent):
        raise errors.gateway(
            400,
            "InvalidRoleDefinitionDefinition",
            f"The role definition '{name}' needs a roleName, permissions and assignableScopes.",
        )
    for other in _all(world):
        if other["properties"]["roleName"].casefold() == role_name.casefold() and definition_key(other["name"]) != key:
            raise errors.gateway(
                409,
                "RoleDefinitionWithSameNameExists",
                "A custom role with the same name already exists in this directory. Use a different name.",
            )
    properties: Body = {
        "roleName": role_name,
        "type": "CustomRole",
        "description": text(sent.get("description")),
        "assignableScopes": scopes,
        "permissions": [permission.body for permission in permissions_of(sent)],
    }
    stored = Stored(f"/providers/{TYPE}/{name}", TYPE, msgspec.json.encode(definition(name, properties)))
    updated = key in world.store
    world.store.put(key, stored)
    world.publish(call.address.text, TYPE, call.caller, deleted=False, updated=updated)
    return stored.content


def _delete(world: World, call: Call, key: str) -> Body:
    _refuse_built_in(key)
    if key in world.access.roles_in_use():
        raise errors.gateway(
            400,
            "RoleDefinitionHasAssignments",
            "There are existing role assignments referencing role (code: RoleDefinitionHasAssignments).",
        )
    shown = _definition(world, key)
    world.delete(key)
    world.publish(call.address.text, TYPE, call.caller, deleted=True, updated=True)
    return shown


def _refuse_built_in(key: str) -> None:
    if key in BUILT_IN:
        raise errors.gateway(400, "RoleDefinitionUpdateNotPermitted", "A built-in role cannot be changed or deleted.")


def _definition(world: World, key: str) -> Body:
    stored = world.store.get(key)
    if stored is not None:
        return stored.content
    if key in BUILT_IN:
        return BUILT_IN[key]
    raise does_not_exist(key.rpartition("/")[2])


def does_not_exist(name: str) -> errors.ArmError:
    """A role definition that nobody knows."""
    return errors.gateway(
        404, "RoleDefinitionDoesNotExist", f"The specified role definition with ID '{name}' does not exist."
    )


def _all(world: World) -> list[Body]:
    return [*BUILT_IN.values(), *(stored.content for stored in world.store.listed(COLLECTION))]


def _shown(call: Call, found: Body) -> Body:
    """A definition as it is seen from the subscription of the scope that was asked."""
    subscription = call.address.subscription
    above = f"/subscriptions/{subscription}" if subscription is not None else ""
    return {"properties": found["properties"], "id": f"{above}/providers/{TYPE}/{found['name']}", "type": TYPE} | {
        "name": found["name"]
    }
