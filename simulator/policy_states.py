"""What Azure Policy finds of what is there: assignments and resources in, rows of Resource Graph out."""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta

from simulator.events import precise
from simulator.graph_rows import Row
from simulator.ids import location_key
from simulator.policy_assignments import effect_of, moment_of, parameters_of
from simulator.policy_definitions import MODES, Definition, definition_of
from simulator.policy_enforcement import evaluates, is_exempt
from simulator.policy_index import ASSIGNMENTS, SETS, scope_of
from simulator.policy_rules import AllOf, AnyOf, Asked, Condition, Field, Question, matches
from simulator.render import render
from simulator.scopes import group_body, subscription_body
from simulator.store import Stored
from simulator.wire import Body, members, text
from simulator.world import World

TYPE = "microsoft.policyinsights/policystates"
LOOKED_AFTER = timedelta(minutes=15)
"""Azure looks at what is there some while after an assignment was written."""
EFFECTS = ("audit", "deny")


def policy_states(world: World, subscriptions: frozenset[str]) -> Iterator[Row]:
    """The keys of subscriptions in, a row for each resource and assignment that concerns it out."""
    assigned = [(one, definition) for one in world.policies.all(ASSIGNMENTS) if (definition := _definition(world, one))]
    groups = (g for one in sorted(subscriptions) for g in world.store.keys_in(f"{one}/resourcegroups"))
    for key in (key for group in groups for key in world.store.top_level(group)) if assigned else ():
        stored, chain = world.store.get(key), world.access.above(key)
        for assignment, definition in assigned if stored is not None else ():
            if stored is not None and (state := _state(world, assignment, definition, (key, stored, chain))):
                yield _row(world, assignment, definition, stored, state)


def _definition(world: World, assignment: Stored) -> Definition | None:
    """The definition of an assignment that Azure has looked at since it was written; None for any other."""
    properties: Body = members(assignment.content.get("properties"))
    stored = world.policies.definition(text(properties.get("policyDefinitionId")))
    if stored is None or f"/{SETS}/" in stored.id.casefold():
        return None
    times = [_written(one) for one in (assignment, stored)]
    if any(at is not None and world.now() < at + LOOKED_AFTER for at in times):
        return None
    definition = definition_of(stored)
    effect = effect_of(definition, members(properties.get("parameters"))).lower()
    return definition if effect in EFFECTS else None


def _written(stored: Stored) -> datetime | None:
    metadata = members(members(stored.content.get("properties")).get("metadata"))
    return moment_of(metadata.get("updatedOn") or metadata.get("createdOn"))


def _state(
    world: World, assignment: Stored, definition: Definition, resource: tuple[str, Stored, frozenset[str]]
) -> str:
    key, stored, chain = resource
    properties: Body = members(assignment.content.get("properties"))
    outside = {text(scope).casefold() for scope in properties.get("notScopes") or ()}
    if scope_of(assignment) not in chain or chain & outside:
        return ""
    body = render(world.store, key, stored)
    body |= {"type": stored.type, "fullName": stored.name}
    if isinstance(body.get("location"), str):
        body["location"] = location_key(body["location"])
    asked = Asked(body, *_around(world, key))
    parameters = parameters_of(definition, members(properties.get("parameters")))
    question = Question(asked, parameters, [])
    if not _concerns(definition.rule.condition, question):
        return ""
    if is_exempt(world, assignment, chain):
        return "Exempt"
    # What is inside of a cluster is not here: nothing is known against it.
    if definition.mode not in MODES:
        return "Compliant"
    if not evaluates(definition, asked):
        return ""
    return "NonCompliant" if matches(definition.rule.condition, question, {}) else "Compliant"


def _around(world: World, key: str) -> tuple[Body, Body]:
    """The group and the subscription of a resource."""
    parts = key.split("/")
    group = world.store.get("/".join(parts[:5])) if parts[3:4] == ["resourcegroups"] else None
    subscription = world.store.get("/".join(parts[:3]))
    return (
        group_body(group) if group is not None else {},
        subscription_body(subscription) if subscription is not None else {},
    )


def _concerns(condition: Condition, question: Question) -> bool:
    """Whether what a rule says of types can hold: only then a resource is compared at all."""
    match condition:
        case AllOf(conditions):
            return all(_concerns(one, question) for one in conditions)
        case AnyOf(conditions):
            return any(_concerns(one, question) for one in conditions)
        case Field(name=name) if name.lower() == "type":
            return matches(condition, question, {})
        case _:
            return True


def _row(world: World, assignment: Stored, definition: Definition, stored: Stored, state: str) -> Row:
    number = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{stored.id.casefold()} {assignment.id.casefold()}"))
    shown: Body = {
        "id": f"{stored.id}/providers/Microsoft.PolicyInsights/policyStates/{number}",
        "name": number,
        "type": TYPE,
        "subscriptionId": stored.id.split("/")[2],
        "properties": {
            "resourceId": stored.id,
            "policyAssignmentId": assignment.id,
            "policyAssignmentName": assignment.name,
            "policyDefinitionId": definition.id,
            "complianceState": state,
            "timestamp": precise(world.now()),
        },
    }
    return Row(shown["id"].casefold(), shown["id"], TYPE, lambda _: shown, shown)
