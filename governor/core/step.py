"""One idempotent edit of one resource, with its precondition and its inverse.

`edit` is pure: the raw body in, the wanted body out; a body that already holds comes back unchanged, and then there is
nothing to write (architecture.md, rule 6). Members that a step does not name are never touched.
"""

import copy
from enum import StrEnum
from typing import Any, Final, assert_never

import msgspec
from msgspec import UNSET, Struct, UnsetType

from governor.core import ids

Body = dict[str, Any]
Tags = dict[str, str]


class Reversibility(StrEnum):
    REVERSIBLE = "reversible"
    LIMITED = "limited"
    IRREVERSIBLE = "irreversible"


class CreateResourceGroup(Struct, frozen=True, tag="CreateResourceGroup", tag_field="step"):
    target: str
    location: str
    tags: Tags = {}


class CreatePublicIp(Struct, frozen=True, tag="CreatePublicIp", tag_field="step"):
    target: str
    location: str
    sku: str
    zones: tuple[str, ...] = ()
    tags: Tags = {}


class CreatePublicIpPrefix(Struct, frozen=True, tag="CreatePublicIpPrefix", tag_field="step"):
    target: str
    location: str
    sku: str
    length: int
    zones: tuple[str, ...] = ()
    tags: Tags = {}


class CreateNatGateway(Struct, frozen=True, tag="CreateNatGateway", tag_field="step"):
    target: str
    location: str
    sku: str
    public_ips: tuple[str, ...] = ()
    public_ip_prefixes: tuple[str, ...] = ()
    idle_timeout_minutes: int = 4
    zones: tuple[str, ...] = ()
    tags: Tags = {}


class CreateRouteTable(Struct, frozen=True, tag="CreateRouteTable", tag_field="step"):
    """A route table of our own whose only route sends 0.0.0.0/0 nowhere."""

    target: str
    location: str
    tags: Tags = {}


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


class DeleteNatGateway(Struct, frozen=True, tag="DeleteNatGateway", tag_field="step"):
    """The inverse of CreateNatGateway; Azure refuses it while a subnet uses the gateway."""

    target: str


Step = (
    CreateResourceGroup
    | CreatePublicIp
    | CreatePublicIpPrefix
    | CreateNatGateway
    | CreateRouteTable
    | WriteSubnet
    | DeleteNatGateway
)

_LODGERS: Final = (
    "ipConfigurations",
    "ipConfigurationProfiles",
    "privateEndpoints",
    "resourceNavigationLinks",
    "serviceAssociationLinks",
)
_REFERENCES: Final = (("natGateway", "nat_gateway"), ("routeTable", "route_table"))


def name(step: Step) -> str:
    """A step in, its name out."""
    return type(step).__name__


def edit(step: Step, body: Body | None) -> Body | None:
    """A step and the raw body of its target (None: absent) in, the wanted body out (None: absent).

    A resource that somebody made meanwhile under the name of one of ours is returned as it is: it is adopted only if
    `conflict` says nothing against it.
    """
    match step:
        case WriteSubnet():
            return None if body is None else _edit_subnet(step.to, body)
        case DeleteNatGateway():
            return None
        case (
            CreateResourceGroup() | CreatePublicIp() | CreatePublicIpPrefix() | CreateNatGateway() | CreateRouteTable()
        ):
            return _created(step) if body is None else body
    assert_never(step)


def conflict(step: Step, body: Body | None) -> str | None:
    """A step and the raw body of its target in; why the step no longer fits what is there, in words, or None."""
    match step:
        case WriteSubnet():
            if body is None:
                return "the subnet is gone"
            if step.empty and any((body.get("properties") or {}).get(member) for member in _LODGERS):
                return "somebody has moved in since the plan was made"
            now = attachment(body)
            for member in ("nat_gateway", "route_table", "default_outbound_access"):
                was, to, found = (getattr(a, member) for a in (step.was, step.to, now))
                if was is not UNSET and not _equal(found, was) and not _equal(found, to):
                    return f"{member} was {_show(was)} when the plan was made and is {_show(found)} now"
            return None
        case CreateNatGateway():
            return None if body is None else _other_gateway(step, body)
        case CreateRouteTable():
            wanted = _routes(_created(step))
            return None if body is None or _routes(body) == wanted else "a route table of this name has other routes"
        case CreatePublicIp() | CreatePublicIpPrefix():
            found = None if body is None else (body.get("sku") or {}).get("name")
            return None if found in (None, step.sku) else f"an address of this name has SKU {found}, not {step.sku}"
        case CreateResourceGroup() | DeleteNatGateway():
            return None
    assert_never(step)


def inverse(step: Step) -> Step | None:
    """A step in, the step that takes it back out; None where nothing is to be taken back.

    Resource groups and addresses stay: an address that is deleted is lost for good (policy-language.md, `delete`).
    """
    match step:
        case WriteSubnet():
            return WriteSubnet(step.target, to=step.was, was=step.to)
        case CreateNatGateway():
            return DeleteNatGateway(step.target)
        case (
            CreateResourceGroup() | CreatePublicIp() | CreatePublicIpPrefix() | CreateRouteTable() | DeleteNatGateway()
        ):
            return None
    assert_never(step)


def reversibility(step: Step) -> Reversibility:
    """A step in, how far undo can take it back out."""
    match step:
        case WriteSubnet():
            return Reversibility.REVERSIBLE
        case (
            CreateResourceGroup() | CreatePublicIp() | CreatePublicIpPrefix() | CreateNatGateway() | CreateRouteTable()
        ):
            return Reversibility.LIMITED
        case DeleteNatGateway():
            return Reversibility.IRREVERSIBLE
    assert_never(step)


def attachment(body: Body) -> Attachment:
    """The raw body of a subnet in, its present attachment out."""
    properties = body.get("properties") or {}
    return Attachment(
        nat_gateway=_reference(properties.get("natGateway")),
        route_table=_reference(properties.get("routeTable")),
        default_outbound_access=properties.get("defaultOutboundAccess"),
    )


def intended(step: Step) -> frozenset[tuple[str, ...]]:
    """A step in, the paths of members it means to change out; every other member must survive the write."""
    match step:
        case WriteSubnet():
            members = {("properties", json) for json, member in _REFERENCES if getattr(step.to, member) is not UNSET}
            if step.to.default_outbound_access is not UNSET:
                members.add(("properties", "defaultOutboundAccess"))
            return frozenset(members)
        case _:
            return frozenset()


def _edit_subnet(to: Attachment, body: Body) -> Body:
    wanted = copy.deepcopy(body)
    properties: Body = wanted.setdefault("properties", {})
    for json, member in _REFERENCES:
        value = getattr(to, member)
        if value is UNSET or _equal(_reference(properties.get(json)), value):
            continue
        if value is None:
            properties.pop(json, None)
        else:
            properties[json] = {"id": value}
    if to.default_outbound_access is None:
        properties.pop("defaultOutboundAccess", None)
    elif to.default_outbound_access is not UNSET:
        properties["defaultOutboundAccess"] = to.default_outbound_access
    return wanted


def _created(
    step: CreateResourceGroup | CreatePublicIp | CreatePublicIpPrefix | CreateNatGateway | CreateRouteTable,
) -> Body:
    body: Body = {"location": step.location, "tags": dict(step.tags)}
    match step:
        case CreateResourceGroup():
            return body
        case CreatePublicIp():
            body["properties"] = {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4"}
        case CreatePublicIpPrefix():
            body["properties"] = {"prefixLength": step.length, "publicIPAddressVersion": "IPv4"}
        case CreateNatGateway():
            body["properties"] = {"idleTimeoutInMinutes": step.idle_timeout_minutes}
            for member, targets in (
                ("publicIpAddresses", step.public_ips),
                ("publicIpPrefixes", step.public_ip_prefixes),
            ):
                if targets:
                    body["properties"][member] = [{"id": target} for target in targets]
        case CreateRouteTable():
            route = {"addressPrefix": "0.0.0.0/0", "nextHopType": "None"}
            body["properties"] = {
                "disableBgpRoutePropagation": True,
                "routes": [{"name": "no-way-out", "properties": route}],
            }
            return body
        case _:
            assert_never(step)
    body["sku"] = {"name": step.sku, "tier": "Regional"}
    if step.zones:
        body["zones"] = list(step.zones)
    return body


def _other_gateway(step: CreateNatGateway, body: Body) -> str | None:
    sku = (body.get("sku") or {}).get("name")
    if sku != step.sku:
        return f"a NAT gateway of this name has SKU {sku}, not {step.sku}"
    return None


def _routes(body: Body) -> list[tuple[object, object]]:
    routes = [route.get("properties") or {} for route in (body.get("properties") or {}).get("routes") or ()]
    return [(route.get("addressPrefix"), route.get("nextHopType")) for route in routes]


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
