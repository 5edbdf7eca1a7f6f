"""What is to be in Azure Policy of one subscription: policies and the facts about it in; what is kept there out.

Which management groups and names a subscription has is known here, so a policy that selects by them can be told.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from governor.core import ids
from governor.core.estate import Estate
from governor.core.policy import Conditions, Mode, Policies, Policy, Requirement, Select, digest
from governor.core.request_conditions import Body, Unsayable
from governor.core.request_rules import ACTING, TITLES, TYPES, Kind, effects
from governor.core.request_time import (
    PROVIDER,
    Assigned,
    Assignment,
    Definition,
    Exempted,
    about,
    exempt,
    exemption,
    named,
    told,
)
from governor.core.selection import Subject, meets
from governor.core.subject import of_resource, read_for

# Subnets that are not private have no switch of their own: the export tells Azure Policy of them.
KINDS: Final = {
    Kind.INTERFACE: Requirement.PUBLIC_IP_DENIED_AT_REQUEST,
    Kind.SCALE_SET: Requirement.PUBLIC_IP_DENIED_AT_REQUEST,
    Kind.BALANCER: Requirement.PUBLIC_IP_DENIED_AT_REQUEST,
    Kind.CLUSTER: Requirement.CLUSTER_DENIED_AT_REQUEST,
}
INTERNAL: Final = "internal"
INTERNAL_TITLE: Final = "clusters have internal load balancers only"
BUILT_IN: Final = "/providers/Microsoft.Authorization/policyDefinitions/3fc4dc25-5baf-40d8-9b05-7fe74c1bc64e"
_SEAL: Final = 16


class Wanted(Struct, frozen=True):
    """An assignment as it is to be once it acts. definition: None for what is built in.

    seal: what stands in its metadata once these very contents have acted.
    """

    policy: Policy
    requirement: Requirement
    assignment: Assignment
    definition: Definition | None
    seal: str
    exemptions: tuple[Exempted, ...] = ()

    @property
    def denies(self) -> bool:
        effect: Body = self.assignment.properties["parameters"]["effect"]
        return str(effect["value"]).casefold() == "deny"


class Unkept(Struct, frozen=True):
    """What a policy asks for and Azure Policy cannot be told: the assignment that it would be, what of, and why."""

    policy: Policy
    requirement: Requirement
    assignment: str
    title: str
    why: str


def asked(policies: Policies) -> tuple[Requirement, ...]:
    """All policies in, the requirements on Azure Policy that any of them speaks of, if only to say `off`, out."""
    spoken = {
        Requirement.PUBLIC_IP_DENIED_AT_REQUEST: any(one.public_ips.at_request_time for one in policies),
        Requirement.CLUSTER_DENIED_AT_REQUEST: any(one.clusters.at_request_time for one in policies),
        Requirement.CLUSTER_INTERNAL_LOAD_BALANCERS: any(one.clusters.internal_load_balancers for one in policies),
    }
    return tuple(requirement for requirement, is_spoken in spoken.items() if is_spoken)


def holding(policies: Policies, subscription: str, estate: Estate) -> tuple[Policy, ...] | tuple[str, ...]:
    """All policies and a subscription in; those that can hold in it, without the conditions that are answered by it,

    or the ids of what must be read to know them, out.
    """
    scope = f"/subscriptions/{subscription}"
    subject = of_resource(scope, "", None, estate)
    found: list[Policy] = []
    missing: dict[str, None] = {}
    for policy in policies:
        answers = tuple(_asked(policy.select, subject))
        if any(holds is False for _, holds in answers):
            continue
        missing.update(dict.fromkeys(read_for(tuple(name for name, holds in answers if holds is None), scope)))
        found.append(replace(policy, select=_without(policy.select)))
    return tuple(missing) or tuple(found)


def kept(policies: tuple[Policy, ...], subscription: str, estate: Estate) -> Iterator[Wanted | Unkept]:
    """The policies that can hold in a subscription in; what they want in its Azure Policy out."""
    scope = f"/subscriptions/{subscription}"
    how = Assigned(estate.observed_at, scope, enforce=True)
    for place, policy in enumerate(policies):
        for kind in effects(policy):
            if kind not in KINDS:
                continue
            try:
                (one,) = told(policy, policies[:place], kind, how)
            except Unsayable as why:
                name = f"{scope}{PROVIDER}/policyAssignments/{named(policy, kind, scope)}"
                yield Unkept(policy, KINDS[kind], name, TITLES[kind], str(why))
                continue
            yield _wanted(policy, KINDS[kind], (one.assignment, one.definition), one.exemptions)
        if policy.mode is not Mode.AUDIT and policy.clusters.internal_load_balancers in ACTING:
            yield _internal(policy, policies[:place], scope, estate.observed_at)


def _asked(select: Select, subject: Subject) -> Iterator[tuple[str, bool | None]]:
    """What of a policy a subscription answers: the name of a condition, and whether it holds."""
    for given, wanted in ((select, True), (select.except_, False)):
        for name, one in (
            ("managementGroups", Select(management_groups=given.management_groups)),
            ("subscriptions", Select(subscriptions=given.subscriptions)),
        ):
            if one != Select():
                holds = meets(one, subject)
                yield name, None if holds is None else holds is wanted


def _without(select: Select) -> Select:
    rest: Conditions = replace(select.except_, management_groups=(), subscriptions=())
    return replace(select, management_groups=(), subscriptions=(), except_=rest)


def _wanted(
    policy: Policy,
    requirement: Requirement,
    made: tuple[Assignment, Definition | None],
    exemptions: tuple[Exempted, ...] = (),
) -> Wanted:
    assignment, definition = made
    rule = definition.properties["policyRule"] if definition else assignment.properties["policyDefinitionId"]
    seal = digest((rule, assignment.properties["parameters"]))[:_SEAL]
    properties = {**assignment.properties, "notScopes": assignment.properties.get("notScopes")}
    return Wanted(policy, requirement, replace(assignment, properties=properties), definition, seal, exemptions)


def _internal(policy: Policy, earlier: tuple[Policy, ...], scope: str, now: datetime) -> Wanted | Unkept:
    """The built-in policy holds for every cluster of a subscription: assigned where the policy governs them all."""
    requirement, wanted = Requirement.CLUSTER_INTERNAL_LOAD_BALANCERS, policy.clusters.internal_load_balancers
    name = named(policy, INTERNAL, scope)
    target = f"{scope}{PROVIDER}/policyAssignments/{name}"
    if policy.select != Select():
        why = "the built-in policy holds for every cluster of a subscription, and the policy selects within it"
        return Unkept(policy, requirement, target, INTERNAL_TITLE, str(why))
    enough = ("deny",) if wanted == "deny" else ACTING
    other = next((p for p in earlier if p.mode is Mode.AUDIT or p.clusters.internal_load_balancers not in enough), None)
    if other is not None:
        why = f"policy {other.name} is asked first and does not want it"
        return Unkept(policy, requirement, target, INTERNAL_TITLE, str(why))
    said = about(policy, INTERNAL_TITLE)
    properties: Body = {
        **said,
        "policyDefinitionId": BUILT_IN,
        "parameters": {"effect": {"value": wanted}},
        "enforcementMode": "Default",
        "nonComplianceMessages": [
            {
                "message": f"{said['displayName']}: annotate the Service with "
                "service.beta.kubernetes.io/azure-load-balancer-internal: true."
            }
        ],
    }
    made = Assignment(target, name, properties)
    try:
        exempted = tuple(exempt(policy, requirement, TYPES[Kind.CLUSTER], now))
    except Unsayable as why:
        return Unkept(policy, requirement, target, INTERNAL_TITLE, str(why))
    here = (one for one in exempted if ids.key(one.resource).startswith(f"{ids.key(scope)}/"))
    return _wanted(policy, requirement, (made, None), tuple(exemption(one, made, policy) for one in here))
