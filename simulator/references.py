"""Who names whom: a resource's content in, its references out; what Azure shows as back-references comes from here."""

from collections.abc import Iterator

import msgspec

from simulator.ids import (
    NAT_GATEWAY,
    NIC,
    NSG,
    PUBLIC_IP,
    PUBLIC_PREFIX,
    ROUTE_TABLE,
    SCALE_SET,
    SUBNET,
    VM,
)
from simulator.wire import Body, elements, members, text

SUBNET_LINKS = ("natGateway", "routeTable", "networkSecurityGroup")
GATEWAY_ADDRESSES = ("publicIpAddresses", "publicIpPrefixes", "publicIpAddressesV6", "publicIpPrefixesV6")
CONFIGURATIONS = ("ipConfigurations", "frontendIPConfigurations", "gatewayIPConfigurations")
CONFIGURATION_LINKS = ("subnet", "publicIPAddress", "publicIPPrefix")


class Reference(msgspec.Struct, frozen=True):
    """`holder` (a resource or one of its configurations) names `target` (a key) in `member`."""

    target: str
    member: str
    holder: str


class BackReference(msgspec.Struct, frozen=True):
    """What a type shows of those that name it: `shown` lists (or is) the holders that name it in `named_in`."""

    shown: str
    named_in: str
    many: bool


# The members a provider fills in; a caller never writes them. Absent when nobody refers.
BACK_REFERENCES: dict[str, tuple[BackReference, ...]] = {
    SUBNET: (BackReference("ipConfigurations", "subnet", many=True),),
    NAT_GATEWAY: (BackReference("subnets", "natGateway", many=True),),
    ROUTE_TABLE: (BackReference("subnets", "routeTable", many=True),),
    NSG: (
        BackReference("subnets", "networkSecurityGroup", many=True),
        BackReference("networkInterfaces", "interfaceSecurityGroup", many=True),
    ),
    PUBLIC_IP: (
        BackReference("ipConfiguration", "publicIPAddress", many=False),
        BackReference("natGateway", "publicIpAddresses", many=False),
        BackReference("natGateway", "publicIpAddressesV6", many=False),
    ),
    PUBLIC_PREFIX: (
        BackReference("publicIPAddresses", "addressPrefix", many=True),
        BackReference("natGateway", "publicIpPrefixes", many=False),
        BackReference("natGateway", "publicIpPrefixesV6", many=False),
    ),
    NIC: (BackReference("virtualMachine", "networkInterfaces", many=False),),
}


def references(resource_id: str, type_key: str, content: Body) -> Iterator[Reference]:
    """A resource in, everything it names out. The holder of a plain reference is the very id string given."""
    properties = members(content.get("properties"))
    if type_key == SUBNET:
        yield from _links(properties, SUBNET_LINKS, resource_id)
    elif type_key == NAT_GATEWAY:
        for member in GATEWAY_ADDRESSES:
            for element in elements(properties.get(member)):
                yield from _link(element, member, resource_id)
    elif type_key == PUBLIC_IP:
        yield from _link(properties.get("publicIPPrefix"), "addressPrefix", resource_id)
    elif type_key == VM:
        for element in elements(members(properties.get("networkProfile")).get("networkInterfaces")):
            yield from _link(element, "networkInterfaces", resource_id)
    elif type_key == SCALE_SET:
        yield from _scale_set(resource_id, content, properties)
    else:
        if type_key == NIC:
            yield from _link(properties.get("networkSecurityGroup"), "interfaceSecurityGroup", resource_id)
        for array in CONFIGURATIONS:
            for element in elements(properties.get(array)):
                holder = f"{resource_id}/{array}/{text(element.get('name'))}"
                yield from _links(members(element.get("properties")), CONFIGURATION_LINKS, holder)


def back_references(type_key: str, content: Body) -> Iterator[tuple[BackReference, str]]:
    """A body as somebody exported it in, the holders its back-references name out."""
    properties = members(content.get("properties"))
    for back in BACK_REFERENCES.get(type_key, ()):
        shown = properties.get(back.shown)
        for element in elements(shown) if back.many else [members(shown)]:
            holder = text(element.get("id"))
            # A public address shows its gateway in one member whatever the family: the first rule takes it.
            if holder and not back.named_in.endswith("V6"):
                yield back, holder


def _scale_set(resource_id: str, content: Body, properties: Body) -> Iterator[Reference]:
    """Every instance of a scale set holds a configuration in the subnet, as its interfaces would."""
    capacity = members(content.get("sku")).get("capacity")
    profile = members(members(properties.get("virtualMachineProfile")).get("networkProfile"))
    for interface in elements(profile.get("networkInterfaceConfigurations")):
        for configuration in elements(members(interface.get("properties")).get("ipConfigurations")):
            subnet = members(configuration.get("properties")).get("subnet")
            for instance in range(capacity if isinstance(capacity, int) else 0):
                holder = (
                    f"{resource_id}/virtualMachines/{instance}/networkInterfaces/{text(interface.get('name'))}"
                    f"/ipConfigurations/{text(configuration.get('name'))}"
                )
                yield from _link(subnet, "subnet", holder)


def _links(properties: Body, names: tuple[str, ...], holder: str) -> Iterator[Reference]:
    for name in names:
        yield from _link(properties.get(name), name, holder)


def _link(value: object, member: str, holder: str) -> Iterator[Reference]:
    target = text(members(value).get("id"))
    if target:
        yield Reference(target.casefold(), member, holder)
