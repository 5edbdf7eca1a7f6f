"""What a subnet is attached to, and the one write that changes it: raw bodies of subnets in, wanted bodies out."""

import copy
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from governor.core import ids

Body = dict[str, Any]

LODGERS: Final = (
    "ipConfigurations",
    "ipConfigurationProfiles",
    "privateEndpoints",
    "resourceNavigationLinks",
    "serviceAssociationLinks",
)
_REFERENCES: Final = (("natGateway", "nat_gateway"), ("routeTable", "route_table"))


class Attachment(Struct, frozen=True, omit_defaults=True):
    """The members of a subnet that the governor writes. UNSET: not looked at. None: the member is absent."""

    nat_gateway: str | UnsetType | None = UNSET
    route_table: str | UnsetType | None = UNSET
    default_outbound_access: bool | UnsetType | None = UNSET


class WriteSubnet(Struct, frozen=True, omit_defaults=True, tag="WriteSubnet", tag_field="step"):
    """All changes to one subnet in one PUT; `was` is what the plan saw: anything else there makes the step stale.

    empty: nobody lived there, so nobody was asked; whoever has moved in since makes the step stale, too.
    """

    target: str
    to: Attachment
    was: Attachment
    empty: bool = False


def of_body(body: Body) -> Attachment:
    """The raw body of a subnet in, its present attachment out."""
    properties = body.get("properties") or {}
    return Attachment(
        nat_gateway=_reference(properties.get("natGateway")),
        route_table=_reference(properties.get("routeTable")),
        default_outbound_access=properties.get("defaultOutboundAccess"),
    )


def edited(step: WriteSubnet, body: Body) -> Body:
    """A write and the raw body of its subnet in, the wanted body out."""
    wanted = copy.deepcopy(body)
    properties: Body = wanted.setdefault("properties", {})
    for json, member in _REFERENCES:
        value = getattr(step.to, member)
        if value is UNSET or _equal(_reference(properties.get(json)), value):
            continue
        if value is None:
            properties.pop(json, None)
        else:
            properties[json] = {"id": value}
    if step.to.default_outbound_access is None:
        properties.pop("defaultOutboundAccess", None)
    elif step.to.default_outbound_access is not UNSET:
        properties["defaultOutboundAccess"] = step.to.default_outbound_access
    return wanted


def conflict(step: WriteSubnet, body: Body | None) -> str | None:
    """A write and the raw body of its subnet in; why it no longer fits what is there, in words, or None."""
    if body is None:
        return "the subnet is gone"
    if step.empty and any((body.get("properties") or {}).get(member) for member in LODGERS):
        return "somebody has moved in since the plan was made"
    now = of_body(body)
    for member in ("nat_gateway", "route_table", "default_outbound_access"):
        was, to, found = (getattr(a, member) for a in (step.was, step.to, now))
        if was is not UNSET and not _equal(found, was) and not _equal(found, to):
            return f"{member} was {_show(was)} when the plan was made and is {_show(found)} now"
    return None


def intended(step: WriteSubnet) -> frozenset[tuple[str, ...]]:
    """A write in, the paths of members it means to change out."""
    members = {("properties", json) for json, member in _REFERENCES if getattr(step.to, member) is not UNSET}
    if step.to.default_outbound_access is not UNSET:
        members.add(("properties", "defaultOutboundAccess"))
    return frozenset(members)


def _reference(value: Body | None) -> str | None:
    return None if value is None else value.get("id")


def _equal(a: object, b: object) -> bool:
    if isinstance(a, str) and isinstance(b, str):
        return ids.same(a, b)
    return a is b or a == b


def _show(value: object) -> str:
    if isinstance(value, str):
        return ids.name(value)
    return "absent" if value is None else msgspec.json.encode(value).decode()
