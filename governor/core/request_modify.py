"""Companions that change requests instead of denying them: policies in, definitions with the effect Modify out.

They are written down for those who want them and never kept by a run: whoever assigns one gives it an identity that
may write subnets. A subnet inside a network's own request is not changed.
"""

from collections.abc import Iterator
from typing import Final

from governor.core.policy import Mode, Policies, Policy, fields
from governor.core.request_conditions import Body, Subnet, Unsayable, all_of, governed, scopes
from governor.core.request_rules import TYPES, UNMANAGED, Kind, condition, ordinary
from governor.core.request_time import PROVIDER, Definition, Untold, about, named

_NETWORK_CONTRIBUTOR: Final = "/providers/microsoft.authorization/roleDefinitions/4d97b98b-1d4f-4787-a291-c67834d212e7"
_EFFECT: Final[Body] = {"type": "String", "allowedValues": ["Modify", "Disabled"], "defaultValue": "Modify"}
_TYPE: Final[Body] = {"field": "type", "equals": TYPES[Kind.SUBNET]}
_TABLE: Final = f"{TYPES[Kind.SUBNET]}/routeTable.id"
_SAID: Final = {
    "subscription": "subscription().subscriptionId",
    "resourceGroup": "resourceGroup().name",
    "virtualNetwork": "first(split(field('fullName'), '/'))",
    "subnet": "field('name')",
}
_PRIVATE, _ROUTED = "subnets become private", "subnets get the route table of their way out"


def companions(policies: Policies, scope: str | None) -> tuple[tuple[Definition, ...], tuple[Untold, ...]]:
    """All policies, and the scope of those that name none, in; definitions, and what cannot be said, out."""
    definitions: list[Definition] = []
    untold: list[Untold] = []
    for place, policy in enumerate(policies):
        if policy.mode is Mode.AUDIT:
            continue
        for title in _titles(policy):
            try:
                definitions += _made(policy, policies.policies[:place], title, scope)
            except Unsayable as reason:
                untold.append(Untold(policy.name, title, str(reason)))
    return tuple(definitions), tuple(untold)


def _titles(policy: Policy) -> Iterator[str]:
    if policy.egress.default_outbound_access == "deny":
        yield _PRIVATE
    if policy.egress.hub is not None:
        yield _ROUTED


def _made(policy: Policy, earlier: tuple[Policy, ...], title: str, default: str | None) -> Iterator[Definition]:
    for scope in scopes(policy.select, default):
        where = governed(policy, earlier, scope, Subnet())
        if title == _PRIVATE:
            what, field, value = "private", f"{TYPES[Kind.SUBNET]}/defaultOutboundAccess", _value(False)
            rule = condition(Kind.SUBNET, policy, where)
        else:
            what, field, value = "table", _TABLE, _value(_table(policy))
            bare: Body = {"field": _TABLE, "exists": False}
            rule = all_of((_TYPE, UNMANAGED, bare, *ordinary("name", TYPES[Kind.SUBNET], "/"), *where))
        name = named(policy, what, scope)
        details = {
            "roleDefinitionIds": [_NETWORK_CONTRIBUTOR],
            "conflictEffect": "audit",
            "operations": [{"operation": "addOrReplace", "field": field, **value}],
        }
        properties: Body = {
            "policyType": "Custom",
            "mode": "All",
            **about(policy, title),
            "parameters": {"effect": _EFFECT},
            "policyRule": {"if": rule, "then": {"effect": "[parameters('effect')]", "details": details}},
        }
        yield Definition(f"{scope}{PROVIDER}/policyDefinitions/{name}", name, properties)


def _value(value: object) -> Body:
    return {"value": value}


def _table(policy: Policy) -> str:
    """A hub policy in, the expression that names the route table of a subnet out."""
    hub = policy.egress.hub
    if hub is None:
        raise Unsayable("it builds no route table")
    table = hub.route_table
    if "region" in (*fields(table.name), *fields(table.resource_group)):
        raise Unsayable("{region} in the name of the route table: a request for a subnet does not say where it is")
    parts = (
        "'/subscriptions/'",
        _SAID["subscription"],
        "'/resourceGroups/'",
        *_parts(table.resource_group),
        "'/providers/Microsoft.Network/routeTables/'",
        *_parts(table.name),
    )
    return f"[concat({', '.join(parts)})]"


def _parts(template: str) -> Iterator[str]:
    """A template of a name in, its pieces as expressions out."""
    rest = template
    for field in fields(template):
        before, _, rest = rest.partition(f"{{{field}}}")
        if before:
            yield f"'{before}'"
        if field not in _SAID:
            raise Unsayable(f"{{{field}}} in the name of the route table: a request does not say it")
        yield _SAID[field]
    if rest:
        yield f"'{rest}'"
