"""Policy definitions and sets of them: what was sent in, what is stored out, or Azure's refusal."""

from collections.abc import Iterator
from typing import Any

import msgspec

from simulator import errors
from simulator.calls import Call
from simulator.policy_expressions import Literal, parameters_in
from simulator.policy_index import ASSIGNMENTS, SETS, scope_of
from simulator.policy_rules import Rule, rule_of
from simulator.store import Stored
from simulator.wire import Body, elements, members, text
from simulator.world import World

MODES = ("all", "indexed")
"""The modes that Resource Manager evaluates at a request; those of providers (`Microsoft.X.Data`) it only stores."""
HARMLESS = ("audit", "auditifnotexists", "disabled")
"""The effects that let every request pass as it is."""


class Definition(msgspec.Struct, frozen=True):
    """A definition, ready to be asked: parameters have their names in lower case."""

    id: str
    name: str
    shown_name: str
    version: str
    mode: str
    parameters: Body
    rule: Rule


def definition_of(stored: Stored) -> Definition:
    """A stored definition in, what it means out."""
    properties = members(stored.content.get("properties"))
    return Definition(
        stored.id,
        stored.name,
        text(properties.get("displayName")) or stored.name,
        text(properties.get("version")),
        text(properties.get("mode")).lower() or "all",
        {parameter.lower(): spec for parameter, spec in members(properties.get("parameters")).items()},
        rule_of(properties.get("policyRule")),
    )


def checked_definition(world: World, call: Call, sent: Body, old: Stored | None) -> Body:
    """The properties of a definition in, those that are kept out; refused when it means nothing to Azure or to us."""
    name, rule = call.address.names[-1], sent.get("policyRule")
    _refuse_scope(call)
    if text(sent.get("policyType")) not in ("", "Custom", "NotSpecified"):
        raise errors.invalid_content(f"The policy type '{sent['policyType']}' can not be written.")
    if not isinstance(rule, dict):
        raise errors.invalid_content("Required property 'policyRule' not found in JSON. Path 'properties'.")
    mode, specs = text(sent.get("mode")) or "All", members(sent.get("parameters"))
    if mode.lower() not in MODES and not mode.lower().startswith("microsoft."):
        raise _invalid("InvalidPolicyDefinitionMode", f"The policy definition mode '{mode}' is invalid.")
    found = rule_of(rule)
    used, known = set(parameters_in(rule)), {parameter.lower() for parameter in specs}
    if used - known:
        raise _invalid(
            "InvalidPolicyParameters",
            f"The policy '{name}' has undefined parameter '{min(used - known)}' which is used in the policy rule. "
            "Please either define it in policy definition or remove the reference in policy rule.",
        )
    if known - used:
        raise _invalid(
            "UnusedPolicyParameters",
            f"The policy '{name}' has defined parameters '{','.join(sorted(known - used))}' which are not used in "
            "the policy rule. Please either remove these parameters from the definition or ensure that they are used.",
        )
    if isinstance(found.effect, Literal):
        refuse_effect(str(found.effect.value), mode)
    version = text(sent.get("version")) or "1.0.0"
    return {
        "policyType": "Custom",
        **sent,
        "mode": mode,
        "version": version,
        "versions": [version],
        "parameters": specs,
    }


def checked_set(world: World, call: Call, sent: Body, old: Stored | None) -> Body:
    """The properties of a set in, those that are kept out: every definition it names is there."""
    _refuse_scope(call)
    named = elements(sent.get("policyDefinitions"))
    if not named:
        raise _invalid(
            "InvalidCreatePolicySetDefinitionRequest",
            f"The policy set definition '{call.address.names[-1]}' create request is invalid. At least one policy "
            "definition must be referenced.",
        )
    for one in named:
        if world.policies.definition(text(one.get("policyDefinitionId"))) is None:
            raise not_found_for("policy set definition", text(one.get("policyDefinitionId")))
    version = text(sent.get("version")) or "1.0.0"
    return {"policyType": "Custom", **sent, "version": version, "versions": [version]}


def check_free(world: World, stored: Stored) -> None:
    """A definition or set that is to go in; refused while a set or an assignment names it."""
    for kind, noun in ((SETS, "policy set definition"), (ASSIGNMENTS, "policy assignment")):
        for user in world.policies.all(kind):
            if stored.id.casefold() in _named(user):
                mine = "policy set definition" if "setdefinitions" in stored.type.lower() else "policy definition"
                raise _invalid(
                    "InvalidDeletePolicyDefinitionRequest",
                    f"The {mine} '{stored.name}' cannot be deleted. It is referenced by the {noun} '{user.id}'. "
                    f"Please delete all {noun}s referencing the policy.",
                )


def refuse_effect(effect: str, mode: str) -> None:
    """An effect in; refused when it is none, or changes requests, which nobody does here."""
    known = (*HARMLESS, "deny", "append", "modify", "deployifnotexists", "denyaction", "manual", "mutate")
    if effect.lower() not in known:
        raise _invalid("InvalidPolicyRuleEffect", f"The policy effect '{effect}' is invalid.")
    if mode.lower() in MODES and effect.lower() not in (*HARMLESS, "deny"):
        raise errors.not_modelled(f"the policy effect '{effect}'")


def reaches(world: World, stored: Stored, scope: str) -> bool:
    """Whether a definition can be assigned at a scope (a key): it is there or above."""
    return scope_of(stored) in world.access.above(scope)


def not_found_for(what: str, definition_id: str) -> errors.ArmError:
    """Something that names a definition which is not there."""
    kind = "PolicySetDefinition" if "/policysetdefinitions/" in definition_id.casefold() else "PolicyDefinition"
    noun = "policy set definition" if kind == "PolicySetDefinition" else "policy definition"
    return _invalid(
        f"{kind}NotFound", f"The {what} create request is invalid. The {noun} '{definition_id}' could not be found."
    )


def _named(user: Stored) -> Iterator[str]:
    properties: Any = members(user.content.get("properties"))
    for one in (properties, *elements(properties.get("policyDefinitions"))):
        yield text(one.get("policyDefinitionId")).casefold()


def _refuse_scope(call: Call) -> None:
    """Definitions are of subscriptions and management groups; those of the tenant are Microsoft's."""
    if not call.address.scope or call.address.group is not None:
        raise errors.method_not_allowed(call.request.method)


def _invalid(code: str, message: str) -> errors.ArmError:
    return errors.gateway(400, code, message)
