"""What policies deny at the request itself: policies in; definitions, assignments and exemptions of Azure Policy out.

Nothing but what policies deny is denied: where Azure Policy cannot be told exactly, nothing is made, with the reason.
A policy in mode audit makes nothing.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Final

from msgspec import Struct

from governor.core import ids
from governor.core.cause import KEPT_NAMES
from governor.core.policy import Exemption, Policies, Policy, Requirement, digest
from governor.core.request_conditions import Body, Unsayable, governed, not_scopes, scopes
from governor.core.request_rules import PLACES, REQUIREMENTS, TITLES, TYPES, Kind, advice, condition, effects

PROVIDER: Final = "/providers/Microsoft.Authorization"
# Stands in the metadata of all that is made.
SOURCE: Final = "egress-governor"
_DIGITS: Final = 8
_GLOB: Final = frozenset("*?[")
EFFECT: Final[Body] = {
    "type": "String",
    "metadata": {"displayName": "Effect"},
    "allowedValues": ["Audit", "Deny", "Disabled"],
    "defaultValue": "Audit",
}


class _Put(Struct, frozen=True):
    id: str
    name: str
    properties: Body


class Definition(_Put, frozen=True):
    """A policy definition as it is PUT."""

    type: str = "Microsoft.Authorization/policyDefinitions"


class Assignment(_Put, frozen=True):
    """A policy assignment as it is PUT."""

    type: str = "Microsoft.Authorization/policyAssignments"


class Exempted(_Put, frozen=True):
    """A policy exemption as it is PUT."""

    type: str = "Microsoft.Authorization/policyExemptions"


class Told(Struct, frozen=True):
    """One kind of request at one scope: what is to be denied or audited, where, and who is exempt."""

    definition: Definition
    assignment: Assignment
    exemptions: tuple[Exempted, ...] = ()


class Untold(Struct, frozen=True):
    """What a policy denies and Azure Policy cannot be told, and why."""

    policy: str
    what: str
    why: str


class AtRequest(Struct, frozen=True):
    """What is to be in Azure Policy, in the order in which it can be made; and what cannot be there."""

    definitions: tuple[Definition, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    exemptions: tuple[Exempted, ...] = ()
    untold: tuple[Untold, ...] = ()


class Assigned(Struct, frozen=True):
    """How assignments are made: below which scope those of policies that name none, now, and whether they act."""

    now: datetime
    scope: str | None = None
    enforce: bool = False


def at_request(policies: Policies, how: Assigned) -> AtRequest:
    """All policies and how they are assigned in; what denies, at the request, what they deny, out."""
    definitions: list[Definition] = []
    assignments: list[Assignment] = []
    exemptions: list[Exempted] = []
    untold: list[Untold] = []
    for place, policy in enumerate(policies):
        for kind in effects(policy):
            try:
                every = told(policy, policies.policies[:place], kind, how)
            except Unsayable as reason:
                untold.append(Untold(policy.name, TITLES[kind], str(reason)))
                continue
            for one in every:
                definitions.append(one.definition)
                assignments.append(one.assignment)
                exemptions += one.exemptions
    return AtRequest(tuple(definitions), tuple(assignments), tuple(exemptions), tuple(untold))


def told(policy: Policy, earlier: tuple[Policy, ...], kind: Kind, how: Assigned) -> tuple[Told, ...]:
    """A policy, those that are asked before it, and a kind of request in; what denies it at each scope out."""
    made = list(_made(policy, earlier, kind, how.scope))
    exempted = list(exempt(policy, REQUIREMENTS[kind], TYPES[kind], how.now))
    left_out = not_scopes(policy.select)
    found: list[Told] = []
    for scope, definition in made:
        assignment = _assignment(definition, scope, (policy, kind), how.enforce, left_out)
        exemptions = (exemption(one, assignment, policy) for one in exempted if _below(one.resource, scope))
        found.append(Told(definition, assignment, tuple(exemptions)))
    return tuple(found)


def named(policy: Policy, what: str, scope: str) -> str:
    """A policy, what a definition of it is about and a scope in; its name, short enough for management groups, out."""
    return f"{KEPT_NAMES}{what}-{digest((policy.name, what, scope.casefold()))[:_DIGITS]}"


def about(policy: Policy, title: str) -> Body:
    """A policy and what a definition of it says in, the members for people out."""
    return {
        "displayName": f"Egress Governor, {policy.name}: {title}",
        "description": policy.description or f"What policy {policy.name} of the Egress Governor says.",
        "metadata": {"category": "Network", "version": "1.0.0", "source": SOURCE, "policy": policy.name},
    }


def title(properties: Body) -> str:
    """The properties of something that is kept in; what it says, without who made it and why, out."""
    whole = str(properties.get("displayName") or "")
    return whole.partition(": ")[2] or whole


def _made(
    policy: Policy, earlier: tuple[Policy, ...], kind: Kind, default: str | None
) -> Iterator[tuple[str, Definition]]:
    """One kind of request of one policy in; a definition at each scope of the policy out."""
    for scope in scopes(policy.select, default):
        name = named(policy, kind, scope)
        rule = condition(kind, policy, governed(policy, earlier, scope, PLACES[kind]))
        properties = {
            "policyType": "Custom",
            "mode": "All" if kind in (Kind.NETWORK, Kind.SUBNET) else "Indexed",
            **about(policy, TITLES[kind]),
            "parameters": {"effect": EFFECT},
            "policyRule": {"if": rule, "then": {"effect": "[parameters('effect')]"}},
        }
        yield scope, Definition(f"{scope}{PROVIDER}/policyDefinitions/{name}", name, properties)


def _assignment(
    definition: Definition, scope: str, about: tuple[Policy, Kind], enforce: bool, left_out: tuple[str, ...]
) -> Assignment:
    said, (policy, kind) = definition.properties, about
    properties: Body = {
        "displayName": said["displayName"],
        "description": said["description"],
        "metadata": said["metadata"],
        "policyDefinitionId": definition.id,
        "parameters": {"effect": {"value": effects(policy)[kind]}},
        "enforcementMode": "Default" if enforce else "DoNotEnforce",
        "nonComplianceMessages": [{"message": f"{said['displayName']}: {advice(kind, policy)}."}],
    }
    if left_out:
        properties["notScopes"] = list(left_out)
    return Assignment(f"{scope}{PROVIDER}/policyAssignments/{definition.name}", definition.name, properties)


def exempt(policy: Policy, requirement: Requirement, kind: str, now: datetime) -> Iterator[Exemption]:
    """The exemptions from a requirement that resources of a type have, out; Azure knows single resources only."""
    today = now.astimezone(UTC).date()
    for one in policy.exemptions:
        if one.requirement is not requirement or one.until < today:
            continue
        if _GLOB & set(one.resource):
            raise Unsayable(f"the exemption of {one.resource}: Azure exempts single resources")
        if kind == TYPES[Kind.NETWORK]:
            raise Unsayable(f"the exemption of {one.resource}: it cannot hold inside the request for its network")
        if ids.kind(one.resource) == kind.casefold():
            yield one


def exemption(one: Exemption, assignment: Assignment, policy: Policy) -> Exempted:
    """An exemption and what it is from in, as Azure Policy knows it out."""
    properties: Body = {
        "displayName": f"{one.owner}: {one.reason}",
        "policyAssignmentId": assignment.id,
        "exemptionCategory": "Waiver",
        "metadata": {"source": SOURCE, "policy": policy.name},
        # The last day is inclusive.
        "expiresOn": datetime.combine(one.until + timedelta(days=1), time(), UTC).isoformat().replace("+00:00", "Z"),
    }
    return Exempted(f"{one.resource}{PROVIDER}/policyExemptions/{assignment.name}", assignment.name, properties)


def _below(resource: str, scope: str) -> bool:
    """Whether a resource may be below a scope: of a management group nobody knows here."""
    return not scope.startswith("/subscriptions/") or ids.key(resource).startswith(f"{scope.casefold()}/")
