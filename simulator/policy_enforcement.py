"""What Azure Policy refuses: a call that writes something in, nothing or RequestDisallowedByPolicy out."""

from collections.abc import Iterator
from typing import Any

import msgspec

from simulator import errors
from simulator.calls import Call
from simulator.ids import location_key
from simulator.policy_assignments import effect_of, moment_of, parameters_of
from simulator.policy_definitions import MODES, Definition, definition_of
from simulator.policy_index import ASSIGNMENTS, EXEMPTIONS, SETS, scope_of
from simulator.policy_rules import Asked, Question, matches
from simulator.render import render
from simulator.scopes import GROUP_TYPE, group_body, subscription_body
from simulator.store import Stored
from simulator.wire import Body, members, text
from simulator.world import World

GROUP_OF_SUBSCRIPTION = "Microsoft.Resources/subscriptions/resourceGroups"


class Violation(msgspec.Struct, frozen=True):
    """An assignment that refuses a request, with what it compared."""

    assignment: Stored
    definition: Definition
    effect: str
    evaluated: list[Body]


def check(world: World, call: Call, group: Stored | None) -> None:
    """A PUT or PATCH in, and the group it lies in; refused when an assignment denies what it would make."""
    if call.request.method not in ("PUT", "PATCH") or call.address.subscription is None:
        return
    assignments = list(world.policies.all(ASSIGNMENTS))
    if not assignments:
        return
    asked = _asked(world, call, group)
    chain = world.access.above(text(asked.body["id"]).casefold())
    found = [
        violation
        for assignment in assignments
        if (violation := _violation(world, assignment, asked, chain)) is not None
    ]
    if found:
        raise _disallowed(text(asked.body["name"]), found)


def _asked(world: World, call: Call, group: Stored | None) -> Asked:
    """What a request would make, with the members that a field of a rule can name."""
    address, body = call.address, dict(call.content())
    old = world.store.get(address.key if address.types else address.scope.casefold())
    if call.request.method == "PATCH" and old is not None:
        before = group_body(old) if old.type == GROUP_TYPE else render(world.store, address.key, old)
        merged = members(before.get("properties")) | members(body.get("properties"))
        body = before | body | {"properties": merged}
    body |= {"id": address.text if address.types else address.scope}
    body |= {"name": address.names[-1] if address.types else address.group}
    body |= {"type": address.type if address.types else GROUP_OF_SUBSCRIPTION, "fullName": "/".join(address.names)}
    if isinstance(body.get("location"), str):
        body["location"] = location_key(body["location"])
    subscription = world.store.get(f"/subscriptions/{address.subscription}".casefold())
    return Asked(
        body,
        group_body(group) if group is not None else {},
        subscription_body(subscription) if subscription is not None else {},
    )


def _violation(world: World, assignment: Stored, asked: Asked, chain: frozenset[str]) -> Violation | None:
    properties: Body = members(assignment.content.get("properties"))
    outside = {text(scope).casefold() for scope in properties.get("notScopes") or ()}
    if scope_of(assignment) not in chain or chain & outside or properties.get("enforcementMode") == "DoNotEnforce":
        return None
    stored = world.policies.definition(text(properties.get("policyDefinitionId")))
    if stored is None or f"/{SETS}/" in stored.id.casefold():  # an estate brought the assignment alone
        return None
    definition, given = definition_of(stored), members(properties.get("parameters"))
    effect = effect_of(definition, given)
    if effect.lower() != "deny" or not evaluates(definition, asked) or is_exempt(world, assignment, chain):
        return None
    question = Question(asked, parameters_of(definition, given), [])
    if not matches(definition.rule.condition, question, {}):
        return None
    return Violation(assignment, definition, effect, question.evaluated)


def evaluates(definition: Definition, asked: Asked) -> bool:
    """Whether the mode of a definition looks at a type: Indexed only at what has tags and a location."""
    if definition.mode == "indexed":
        kind = text(asked.body["type"])
        return kind.count("/") == 1 and not kind.lower().startswith("microsoft.authorization/")
    return definition.mode in MODES


def is_exempt(world: World, assignment: Stored, chain: frozenset[str]) -> bool:
    """An assignment and the scopes of what it may concern in, whether an exemption that still holds is for it out."""
    for exemption in world.policies.all(EXEMPTIONS):
        properties = members(exemption.content.get("properties"))
        until = moment_of(properties.get("expiresOn"))
        mine = text(properties.get("policyAssignmentId")).casefold() == assignment.id.casefold()
        if mine and scope_of(exemption) in chain and (until is None or world.now() < until):
            return True
    return False


def _disallowed(name: str, violations: list[Violation]) -> errors.ArmError:
    identifiers = [
        {
            "policyAssignment": {"name": _title(one.assignment), "id": one.assignment.id},
            "policyDefinition": {
                "name": one.definition.shown_name,
                "id": one.definition.id,
                "version": one.definition.version,
            },
        }
        for one in violations
    ]
    reasons = "; ".join(dict.fromkeys(_reasons(violations)))
    why = f"Policy identifiers: '{msgspec.json.encode(identifiers).decode()}'."
    if reasons:  # the assignments say themselves why
        why = f"Reasons: '{reasons}'. See error details for policy resource IDs."
    return errors.ArmError(
        403,
        "RequestDisallowedByPolicy",
        f"Resource '{name}' was disallowed by policy. {why}",
        envelope="gateway",
        beside={
            "target": name,
            "additionalInfo": [{"type": "PolicyViolation", "info": _info(one)} for one in violations],
        },
    )


def _info(violation: Violation) -> Body:
    definition, assignment = violation.definition, violation.assignment
    properties: Any = members(assignment.content.get("properties"))
    return {
        "evaluationDetails": {"evaluatedExpressions": violation.evaluated},
        "policyDefinitionId": definition.id,
        "policyDefinitionName": definition.name,
        "policyDefinitionDisplayName": definition.shown_name,
        "policyDefinitionVersion": definition.version,
        "policyDefinitionEffect": violation.effect,
        "policyAssignmentId": assignment.id,
        "policyAssignmentName": assignment.name,
        "policyAssignmentDisplayName": _title(assignment),
        "policyAssignmentScope": assignment.id.rpartition("/providers/")[0],
        "policyAssignmentParameters": members(properties.get("parameters")),
        "policyExemptionIds": [],
        "policyEnrollmentIds": [],
    }


def _title(assignment: Stored) -> str:
    return text(members(assignment.content.get("properties")).get("displayName")) or assignment.name


def _reasons(violations: list[Violation]) -> Iterator[str]:
    for one in violations:
        for said in members(one.assignment.content.get("properties")).get("nonComplianceMessages") or ():
            yield text(members(said).get("message"))
