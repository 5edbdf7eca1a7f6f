"""Policy assignments and exemptions: what was sent in, what is stored out, or Azure's refusal."""

from datetime import datetime

from simulator import errors
from simulator.calls import Call
from simulator.hierarchy import GROUPS
from simulator.identity import TENANT
from simulator.ids import parse
from simulator.policy_definitions import Definition, definition_of, not_found_for, reaches, refuse_effect
from simulator.policy_expressions import Surroundings, as_text, valued
from simulator.policy_index import SETS
from simulator.store import Stored
from simulator.wire import Body, members, text
from simulator.world import World

ENFORCEMENT = ("Default", "DoNotEnforce")
CATEGORIES = ("Waiver", "Mitigated")
JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "array": (list,),
    "object": (dict,),
    "boolean": (bool,),
    "integer": (int,),
    "float": (int, float),
    "datetime": (str,),
}
LONGEST = {GROUPS: 24, "": 64}


def checked_assignment(world: World, call: Call, sent: Body, old: Stored | None) -> Body:
    """The properties of an assignment in, those that are kept out."""
    name, scope = call.address.names[-1], call.address.scope
    longest = LONGEST[GROUPS if scope.casefold().startswith(GROUPS) else ""]
    if len(name) > longest:
        raise _invalid(
            "InvalidPolicyAssignmentName",
            f"The policy assignment name '{name}' is invalid. The policy assignment name length must not exceed "
            f"'{longest}' characters.",
        )
    definition_id = text(sent.get("policyDefinitionId"))
    if not definition_id:
        raise errors.invalid_content("Required property 'policyDefinitionId' not found in JSON. Path 'properties'.")
    stored = world.policies.definition(definition_id)
    if stored is None:
        raise not_found_for("policy assignment", definition_id)
    if not reaches(world, stored, scope.casefold()):
        raise _invalid(
            "InvalidCreatePolicyAssignmentRequest",
            f"The policy definition specified in policy assignment '{name}' is out of scope. Policy definitions "
            "should be specified only at or above the policy assignment scope. If the management groups hierarchy "
            "changed recently or if assigning a management group policy to new subscription, please allow up to 30 "
            "minutes for the hierarchy changes to apply and try again.",
        )
    if f"/{SETS}/" in stored.id.casefold():
        raise errors.not_modelled("assignments of policy set definitions")
    for member in ("resourceSelectors", "overrides"):
        if sent.get(member):
            raise errors.not_modelled(f"'{member}' of policy assignments")
    enforcement = text(sent.get("enforcementMode")) or "Default"
    if enforcement not in ENFORCEMENT:
        raise errors.invalid_content(f"The enforcement mode '{enforcement}' is none of {', '.join(ENFORCEMENT)}.")
    parameters = members(sent.get("parameters"))
    definition = definition_of(stored)
    _check_parameters(name, definition, parameters)
    refuse_effect(effect_of(definition, parameters), definition.mode)
    below = [text(excluded) for excluded in sent.get("notScopes") or ()]
    for excluded in below:
        if scope.casefold() not in world.access.above(excluded.casefold()) or parse(excluded) is None:
            raise _invalid(
                "InvalidPolicyAssignmentNotScopes", f"The scope '{excluded}' of notScopes is not below '{scope}'."
            )
    kept = {**sent, "scope": scope or "/", "parameters": parameters, "enforcementMode": enforcement}
    return kept | ({"notScopes": below} if below else {})


def identity_of(call: Call, body: Body, old: Stored | None) -> Body:
    """What stands beside the properties of an assignment in; an identity of the system is given its ids."""
    beside = {member: body[member] for member in ("location", "identity") if body.get(member)}
    kind = text(members(beside.get("identity")).get("type"))
    if kind in ("SystemAssigned", "UserAssigned") and not beside.get("location"):
        raise errors.location_required()
    if kind == "SystemAssigned":
        before = text(members((old.content if old is not None else {}).get("identity")).get("principalId"))
        beside["identity"] = {
            "type": kind,
            "principalId": before or call.caller.correlation_id,
            "tenantId": TENANT,
        }
    return beside


def checked_exemption(world: World, call: Call, sent: Body, old: Stored | None) -> Body:
    """The properties of an exemption in, those that are kept out."""
    name, assignment = call.address.names[-1], text(sent.get("policyAssignmentId"))
    if not assignment or text(sent.get("exemptionCategory")) not in CATEGORIES:
        raise errors.invalid_content("An exemption needs a policyAssignmentId and an exemptionCategory.")
    before: Body = members(old.content.get("properties")) if old is not None else {}
    if before and text(before.get("policyAssignmentId")).casefold() != assignment.casefold():
        raise _invalid(
            "InvalidPolicyAssignmentIdUpdate", f"The policy assignment of the exemption '{name}' cannot be changed."
        )
    if assignment.casefold() not in world.store:
        raise _invalid(
            "InvalidCreatePolicyExemptionRequest",
            f"The policy exemption '{name}' create request is invalid. The policy assignment '{assignment}' could "
            "not be found.",
        )
    if sent.get("policyDefinitionReferenceIds"):
        raise _invalid(
            "InvalidPolicyDefinitionReference",
            f"The policy exemption '{name}' names references of definitions, but '{assignment}' assigns no set.",
        )
    if sent.get("expiresOn") is not None and moment_of(sent["expiresOn"]) is None:
        raise errors.invalid_content(f"The value '{sent['expiresOn']}' of 'expiresOn' is no time.")
    return sent


def effect_of(definition: Definition, given: Body) -> str:
    """A definition and the parameters of an assignment in, what it does when it applies out."""
    around = Surroundings(parameters_of(definition, given), {}, {}, lambda _: None)
    return as_text(valued(definition.rule.effect, around))


def parameters_of(definition: Definition, given: Body) -> Body:
    """The parameters of an assignment in, their values with the defaults out, by names in lower case."""
    defaults = {name: members(spec).get("defaultValue") for name, spec in definition.parameters.items()}
    return defaults | {name.lower(): members(one).get("value") for name, one in given.items()}


def moment_of(value: object) -> datetime | None:
    """A text in, the moment it names out."""
    try:
        found = datetime.fromisoformat(text(value))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _check_parameters(name: str, definition: Definition, given: Body) -> None:
    unknown = [parameter for parameter in given if parameter.lower() not in definition.parameters]
    if unknown:
        raise _invalid(
            "UndefinedPolicyParameter",
            f"The policy assignment '{name}' has the parameter(s) '{','.join(unknown)}' which are not defined in the "
            f"policy definition '{definition.name}'.",
        )
    values = parameters_of(definition, given)
    missing = [parameter for parameter, value in values.items() if value is None]
    if missing:
        raise _invalid(
            "MissingPolicyParameter",
            f"The policy assignment '{name}' is missing the parameter(s) '{','.join(missing)}' as defined in the "
            f"policy definition '{definition.name}'.",
        )
    for parameter, spec in definition.parameters.items():
        value, kind = values[parameter], text(members(spec).get("type"))
        wanted = JSON_TYPES.get(kind.lower(), (object,))
        if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted and object not in wanted):
            raise _invalid(
                "InvalidPolicyParameterType",
                f"The value of the parameter '{parameter}' of the policy assignment '{name}' is not of type '{kind}'.",
            )
        allowed = members(spec).get("allowedValues")
        chosen = value if isinstance(value, list) else [value]
        if isinstance(allowed, list) and any(one not in allowed for one in chosen):
            raise _invalid(
                "PolicyParameterValueNotAllowed",
                f"The value of the parameter '{parameter}' of the policy assignment '{name}' is not one of "
                f"'{','.join(as_text(one) for one in allowed)}'.",
            )


def _invalid(code: str, message: str) -> errors.ArmError:
    return errors.gateway(400, code, message)
