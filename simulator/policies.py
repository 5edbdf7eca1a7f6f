"""The resources of Azure Policy: a call on one of them, or on a list of them, in; its answer out."""

from collections.abc import Callable

import msgspec

from simulator import errors
from simulator.access import is_inside
from simulator.built_in_policies import BUILT_IN
from simulator.calls import Call, empty
from simulator.events import precise
from simulator.filters import clauses
from simulator.hierarchy import GROUPS, Hierarchy
from simulator.lists import paged
from simulator.policy_assignments import checked_assignment, checked_exemption, identity_of
from simulator.policy_definitions import check_free, checked_definition, checked_set
from simulator.policy_index import ASSIGNMENTS, DEFINITIONS, EXEMPTIONS, SETS, scope_of
from simulator.store import Stored
from simulator.wire import Body, Response, answer, members, text
from simulator.world import World


class Kind(msgspec.Struct, frozen=True):
    """One kind of resource: its collection, how Azure calls it, and what a PUT of one has to pass."""

    collection: str
    noun: str
    checked: Callable[[World, Call, Body, Stored | None], Body]


_NOUNS = {
    DEFINITIONS: Kind(DEFINITIONS, "policy definition", checked_definition),
    SETS: Kind(SETS, "policy set definition", checked_set),
    ASSIGNMENTS: Kind(ASSIGNMENTS, "policy assignment", checked_assignment),
    EXEMPTIONS: Kind(EXEMPTIONS, "policy exemption", checked_exemption),
}
KINDS = {f"microsoft.authorization/{collection}": kind for collection, kind in _NOUNS.items()}


def answered(world: World, call: Call) -> Response:
    """A call in, its answer out. All is done at once."""
    address, method = call.address, call.request.method
    kind = KINDS[address.type_key]
    _check_scope(world, call)
    if address.is_collection:
        if method != "GET":
            raise errors.method_not_allowed(method)
        return _listed(world, call, kind)
    stored = world.store.get(address.key) or (BUILT_IN.get(address.key) if kind.collection == DEFINITIONS else None)
    match method:
        case "GET":
            return answer(200, _shown(_found(stored, call, kind)))
        case "PUT":
            return _put(world, call, kind, call.content(), stored)
        case "PATCH" if kind.collection in (ASSIGNMENTS, EXEMPTIONS):
            before, sent = _found(stored, call, kind).content, call.content()
            properties = members(before.get("properties")) | members(sent.get("properties"))
            response = _put(world, call, kind, before | sent | {"properties": properties}, stored)
            return answer(200, response.json())
        case "DELETE":
            return _delete(world, call, kind, stored)
        case _:
            raise errors.method_not_allowed(method)


def _put(world: World, call: Call, kind: Kind, sent: Body, old: Stored | None) -> Response:
    if call.address.key in BUILT_IN:
        raise errors.method_not_allowed("PUT")
    properties = kind.checked(world, call, members(sent.get("properties")), old)
    content: Body = {"properties": properties}
    if kind.collection == ASSIGNMENTS:
        content |= identity_of(call, sent, old)
    if kind.collection != EXEMPTIONS:
        properties["metadata"] = members(properties.get("metadata")) | _authors(world, call, old)
    stored = Stored(call.address.text, call.address.type, msgspec.json.encode(content))
    world.store.put(call.address.key, stored)
    world.publish(stored.id, stored.type, call.caller, deleted=False, updated=old is not None)
    # Definitions and assignments answer 201 to every PUT: libraries take nothing else.
    created = old is None or kind.collection in (DEFINITIONS, ASSIGNMENTS)
    return answer(201 if created else 200, _shown(stored))


def _authors(world: World, call: Call, old: Stored | None) -> Body:
    now, author = precise(world.now()), call.caller.principal.object_id
    before = members(members((old.content if old is not None else {}).get("properties")).get("metadata"))
    if old is None:
        return {"createdBy": author, "createdOn": now, "updatedBy": None, "updatedOn": None}
    return {member: before.get(member) for member in ("createdBy", "createdOn")} | {
        "updatedBy": author,
        "updatedOn": now,
    }


def _delete(world: World, call: Call, kind: Kind, stored: Stored | None) -> Response:
    if stored is None or call.address.key in BUILT_IN:  # which nobody can delete, and nobody is told so
        return empty(204, {})
    if kind.collection in (DEFINITIONS, SETS):
        check_free(world, stored)
    world.delete(call.address.key)
    world.publish(stored.id, stored.type, call.caller, deleted=True, updated=True)
    return answer(200, _shown(stored) if kind.collection == ASSIGNMENTS else None)


def _listed(world: World, call: Call, kind: Kind) -> Response:
    """Those of the scope and of what is above it; assignments and exemptions below it too, unless `atScope()`."""
    wanted = clauses(call, "atscope", "atexactscope", "policydefinitionid", "policytype")
    scope = call.address.scope.casefold()
    above = {scope} if "atexactscope" in wanted else world.access.above(scope)
    below = kind.collection in (ASSIGNMENTS, EXEMPTIONS) and not wanted.keys() & {"atscope", "atexactscope"}
    found = [
        stored
        for stored in (*BUILT_IN.values(), *world.policies.all(kind.collection))
        if stored.type.lower().endswith(f"/{kind.collection}")
        and (scope_of(stored) in above or (below and is_inside(scope_of(stored), scope)))
    ]
    for name, member in (("policydefinitionid", "policyDefinitionId"), ("policytype", "policyType")):
        if name in wanted:
            found = [one for one in found if _said(one, member) == wanted[name].casefold()]
    return paged(world, call, found, _shown)


def _check_scope(world: World, call: Call) -> None:
    """A management group that a call names is there; subscriptions and groups have been looked at before."""
    scope = call.address.scope.casefold()
    if scope.startswith(f"{GROUPS}/"):
        name = scope.removeprefix(f"{GROUPS}/")
        if name not in Hierarchy(world.store).groups:
            raise errors.gateway(
                404, "ManagementGroupNotFound", f"The management group '{name}' cannot be found in the directory."
            )


def _found(stored: Stored | None, call: Call, kind: Kind) -> Stored:
    if stored is None:
        code = "".join(word.capitalize() for word in kind.noun.split()) + "NotFound"
        raise errors.gateway(404, code, f"The {kind.noun} '{call.address.names[-1]}' is not found.")
    return stored


def _shown(stored: Stored) -> Body:
    return {**stored.content, "id": stored.id, "type": stored.type, "name": stored.name}


def _said(stored: Stored, member: str) -> str:
    return text(members(stored.content.get("properties")).get(member)).casefold()
