"""Role assignments: who has which role at a scope; a call in, its answer out."""

from collections.abc import Iterable

import msgspec

from simulator import errors
from simulator.access import ASSIGNMENTS, is_inside, scope_of
from simulator.built_in_roles import BUILT_IN, definition_key
from simulator.calls import Call, empty
from simulator.events import precise
from simulator.filters import clauses
from simulator.lists import paged
from simulator.role_definitions import does_not_exist
from simulator.store import Stored
from simulator.wire import Body, Response, answer, members, text
from simulator.world import World

TYPE = "Microsoft.Authorization/roleAssignments"
ROLE_ASSIGNMENTS = TYPE.lower()


def answered(world: World, call: Call) -> Response:
    """A call on the role assignments of a scope in; they are read, made or taken away at once."""
    address, method = call.address, call.request.method
    if address.is_collection:
        if method != "GET":
            raise errors.method_not_allowed(method)
        return _listed(world, call)
    stored = world.store.get(address.key)
    match method:
        case "GET":
            if stored is None:
                raise _not_found(address.names[-1])
            return answer(200, shown(stored))
        case "PUT":
            return _put(world, call, stored)
        case "DELETE":
            if stored is None:
                return empty(204, {})
            world.delete(address.key)
            world.publish(stored.id, TYPE, call.caller, deleted=True, updated=True)
            return answer(200, shown(stored))
        case _:
            raise errors.method_not_allowed(method)


def shown(stored: Stored) -> Body:
    """An assignment in, its body out."""
    return {**stored.content, "id": stored.id, "type": stored.type, "name": stored.name}


def at_scope(world: World, call: Call, found: Iterable[Stored], *, above_only: bool) -> list[Stored]:
    """Assignments in, those at the scope of a call, above it and, unless that is not wanted, below it out."""
    scope = call.address.scope.casefold()
    chain = world.access.above(scope)
    return [
        stored
        for stored in found
        if (at := scope_of(stored)) in chain or (not above_only and at != scope and is_inside(at, scope))
    ]


def _listed(world: World, call: Call) -> Response:
    wanted = clauses(call, "atscope", "principalid", "assignedto", "roledefinitionid")
    found = at_scope(world, call, world.access.assignments(ASSIGNMENTS), above_only="atscope" in wanted)
    principal = wanted.get("principalid", wanted.get("assignedto", ""))
    if principal:
        found = [stored for stored in found if _said(stored, "principalId") == principal.casefold()]
    if role := wanted.get("roledefinitionid"):
        found = [stored for stored in found if _said(stored, "roleDefinitionId").endswith(role.casefold())]
    return paged(world, call, found, shown)


def _put(world: World, call: Call, old: Stored | None) -> Response:
    address, sent = call.address, members(call.content().get("properties"))
    principal, role = text(sent.get("principalId")), text(sent.get("roleDefinitionId"))
    if not principal or not role:
        raise errors.gateway(400, "BadRequestFormat", "A role assignment needs a roleDefinitionId and a principalId.")
    role_key = definition_key(role.rpartition("/")[2])
    if role_key not in BUILT_IN and role_key not in world.store:
        raise does_not_exist(role.rpartition("/")[2])
    if old is not None and (_said(old, "principalId"), _role(old)) != (principal.casefold(), role_key):
        raise errors.gateway(
            400,
            "RoleAssignmentUpdateNotPermitted",
            "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
        )
    for other in world.access.assignments(ASSIGNMENTS):
        same = scope_of(other) == address.scope.casefold() and _role(other) == role_key
        if same and _said(other, "principalId") == principal.casefold() and other.id.casefold() != address.key:
            raise errors.gateway(409, "RoleAssignmentExists", "The role assignment already exists.")
    now, author = precise(world.now()), call.caller.principal.object_id
    before: Body = members(old.content.get("properties")) if old is not None else {}
    properties: Body = {
        "roleDefinitionId": role,
        "principalId": principal,
        "principalType": text(sent.get("principalType")) or "ServicePrincipal",
        "scope": address.scope or "/",
        "condition": sent.get("condition"),
        "conditionVersion": sent.get("conditionVersion"),
        "createdOn": before.get("createdOn", now),
        "updatedOn": now,
        "createdBy": before.get("createdBy", author),
        "updatedBy": author,
        "delegatedManagedIdentityResourceId": None,
        "description": sent.get("description"),
    }
    stored = Stored(address.text, TYPE, msgspec.json.encode({"properties": properties}))
    world.store.put(address.key, stored)
    world.publish(stored.id, TYPE, call.caller, deleted=False, updated=old is not None)
    return answer(201 if old is None else 200, shown(stored))


def _said(stored: Stored, member: str) -> str:
    return text(members(stored.content.get("properties")).get(member)).casefold()


def _role(stored: Stored) -> str:
    return definition_key(_said(stored, "roleDefinitionId").rpartition("/")[2])


def _not_found(name: str) -> errors.ArmError:
    return errors.gateway(404, "RoleAssignmentNotFound", f"The role assignment '{name}' is not found.")
