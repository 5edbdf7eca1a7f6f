"""What the governor makes for a way out, a NAT gateway with what it needs, as values; their bodies out."""

from typing import Any

from msgspec import Struct

Body = dict[str, Any]
Tags = dict[str, str]


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


class DeleteNatGateway(Struct, frozen=True, tag="DeleteNatGateway", tag_field="step"):
    """The inverse of CreateNatGateway; Azure refuses it while a subnet uses the gateway."""

    target: str


Creation = CreateResourceGroup | CreatePublicIp | CreatePublicIpPrefix | CreateNatGateway


def created(step: Creation) -> Body:
    """Something to make in, its body out."""
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
    body["sku"] = {"name": step.sku, "tier": "Regional"}
    if step.zones:
        body["zones"] = list(step.zones)
    return body


def conflict(step: Creation, body: Body | None) -> str | None:
    """Something to make and what has its name already in; why that cannot be used instead, in words, or None."""
    if body is None or isinstance(step, CreateResourceGroup):
        return None
    sku = (body.get("sku") or {}).get("name")
    if isinstance(step, CreateNatGateway):
        return None if sku == step.sku else f"a NAT gateway of this name has SKU {sku}, not {step.sku}"
    return None if sku in (None, step.sku) else f"an address of this name has SKU {sku}, not {step.sku}"
