"""Deny assignments: what nobody, or not everybody, may do at a scope whatever roles say; a call in, its answer out.

Azure makes them for managed applications, deployment stacks and locked node groups (estates bring those in), and since
2024-07-01-preview for callers.
"""

import msgspec

from simulator import errors
from simulator.access import DENIALS
from simulator.calls import Call, empty
from simulator.filters import clauses
from simulator.lists import paged
from simulator.permissions import permissions_of
from simulator.role_assignments import at_scope, shown
from simulator.store import Stored
from simulator.wire import Body, Response, answer, elements, members, text
from simulator.world import World

TYPE = "Microsoft.Authorization/denyAssignments"
DENY_ASSIGNMENTS = TYPE.lower()
FIRST_WRITABLE = "2024-07-01-preview"


def answered(world: World, call: Call) -> Response:
    """A call on the deny assignments of a scope in; they are read, made or taken away at once."""
    address, method = call.address, call.request.method
    if address.is_collection:
        if method != "GET":
            raise errors.method_not_allowed(method)
        wanted = clauses(call, "atscope", "denyassignmentname")
        found = at_scope(world, call, world.access.assignments(DENIALS), above_only="atscope" in wanted)
        if name := wanted.get("denyassignmentname"):
            found = [stored for stored in found if name_of(stored).casefold() == name.casefold()]
        return paged(world, call, found, shown)
    stored = world.store.get(address.key)
    if method == "GET":
        if stored is None:
            raise errors.gateway(
                404, "DenyAssignmentNotFound", f"The deny assignment '{address.names[-1]}' is not found."
            )
        return answer(200, shown(stored))
    if method not in ("PUT", "DELETE") or call.api_version < FIRST_WRITABLE:
        raise errors.method_not_allowed(method)
    if stored is not None and members(stored.content.get("properties")).get("isSystemProtected") is True:
        raise errors.gateway(
            403, "DenyAssignmentIsSystemProtected", f"The deny assignment '{stored.name}' is protected by the system."
        )
    if method == "PUT":
        return _put(world, call, stored)
    if stored is None:
        return empty(204, {})
    world.delete(address.key)
    world.publish(stored.id, TYPE, call.caller, deleted=True, updated=True)
    return answer(200, shown(stored))


def name_of(stored: Stored) -> str:
    """A deny assignment in, the name that people gave it out."""
    return text(members(stored.content.get("properties")).get("denyAssignmentName"))


def _put(world: World, call: Call, old: Stored | None) -> Response:
    address, sent = call.address, members(call.content().get("properties"))
    if not text(sent.get("denyAssignmentName")) or not permissions_of(sent) or not elements(sent.get("principals")):
        raise errors.gateway(
            400, "BadRequestFormat", "A deny assignment needs a denyAssignmentName, permissions and principals."
        )
    properties: Body = {**sent, "scope": address.scope or "/", "isSystemProtected": False}
    stored = Stored(address.text, TYPE, msgspec.json.encode({"properties": properties}))
    world.store.put(address.key, stored)
    world.publish(stored.id, TYPE, call.caller, deleted=False, updated=old is not None)
    return answer(201 if old is None else 200, shown(stored))
