"""Who names whom: a resource's content in, its references out; what Azure shows as back-references comes from here."""

from collections.abc import Iterator

import msgspec

from simulator.ids import (
    FIREWALL,
    FIREWALL_POLICY,
    LOAD_BALANCER,
    NAT_GATEWAY,
    NIC,
    NSG,
    PEERING,
    PUBLIC_IP,
    PUBLIC_PREFIX,
    ROUTE_TABLE,
    SCALE_SET,
    SUBNET,
    VM,
    parent_key,
)
from simulator.wire import Body, elements, members, text

MOST_INSTANCES = 1000
"""A scale set has no more."""
SUBNET_LINKS = ("natGateway", "routeTable", "networkSecurityGroup")
GATEWAY_ADDRESSES = ("publicIpAddresses", "publicIpPrefixes", "publicIpAddressesV6", "publicIpPrefixesV6")
CONFIGURATIONS = ("ipConfigurations", "frontendIPConfigurations", "gatewayIPConfigurations")
CONFIGURATION_LINKS = ("subnet", "publicIPAddress", "publicIPPrefix")
POOLS = "loadBalancerBackendAddressPools"
NAT_RULES = "loadBalancerInboundNatRules"
PARTS = (POOLS, NAT_RULES)
"""Where an interface names parts of load balancers, which are no resources of their own."""
PEERED = "remoteVirtualNetwork"
CONNECTION = "microsoft.network/connections"
ROUTE_SERVER_CONFIGURATION = "microsoft.network/virtualhubs/ipconfigurations"
# What the types that hold no configurations name directly.
_NAMED = {
    FIREWALL_POLICY: ("basePolicy",),
    CONNECTION: ("virtualNetworkGateway1", "virtualNetworkGateway2", "localNetworkGateway2"),
    ROUTE_SERVER_CONFIGURATION: ("subnet", "publicIPAddress"),
}
# Where the ids of a type's configurations do not say the name of the member that holds them.
_SEGMENTS = {FIREWALL: "azureFirewallIpConfigurations", "microsoft.network/bastionhosts": "bastionHostIpConfigurations"}


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
    FIREWALL_POLICY: (
        BackReference("firewalls", "firewallPolicy", many=True),
        BackReference("childPolicies", "basePolicy", many=True),
    ),
}


def configurations(type_key: str, properties: Body) -> Iterator[tuple[str, Body]]:
    """A resource's properties in, each configuration that holds addresses out, with the segment of its id."""
    if type_key.count("/") > 1:
        return
    for array in CONFIGURATIONS:
        for element in elements(properties.get(array)):
            yield _SEGMENTS.get(type_key, array), element
    if type_key == FIREWALL and isinstance(properties.get("managementIpConfiguration"), dict):
        yield _SEGMENTS[FIREWALL], properties["managementIpConfiguration"]


def pair(network_key: str, peer_key: str) -> str:
    """Two networks in, what a peering of the second with the first is listed under out."""
    return f"{network_key}/peeredBy{peer_key}"


def references(resource_id: str, type_key: str, content: Body) -> Iterator[Reference]:
    """A resource in, everything it names out. The holder of a plain reference is the very id string given."""
    properties = members(content.get("properties"))
    if type_key == SUBNET:
        yield from _links(properties, SUBNET_LINKS, resource_id)
    elif type_key == NAT_GATEWAY:
        for member in GATEWAY_ADDRESSES:
            for element in elements(properties.get(member)):
                yield from _link(element, member, resource_id)
    elif type_key in _NAMED:
        yield from _links(properties, _NAMED[type_key], resource_id)
    elif type_key == PUBLIC_IP:
        yield from _link(properties.get("publicIPPrefix"), "addressPrefix", resource_id)
    elif type_key == VM:
        for element in elements(members(properties.get("networkProfile")).get("networkInterfaces")):
            yield from _link(element, "networkInterfaces", resource_id)
    elif type_key == SCALE_SET:
        yield from _scale_set(resource_id, content, properties)
    elif type_key == PEERING:
        remote = text(members(properties.get(PEERED)).get("id")).casefold()
        yield Reference(pair(remote, parent_key(resource_id.casefold())), PEERED, resource_id)
    else:
        if type_key == NIC:
            yield from _link(properties.get("networkSecurityGroup"), "interfaceSecurityGroup", resource_id)
        elif type_key == FIREWALL:
            yield from _link(properties.get("firewallPolicy"), "firewallPolicy", resource_id)
        for segment, element in configurations(type_key, properties):
            holder, inner = f"{resource_id}/{segment}/{text(element.get('name'))}", members(element.get("properties"))
            yield from _links(inner, CONFIGURATION_LINKS, holder)
            for name in PARTS:
                for part in elements(inner.get(name)):
                    yield from _link(part, name, holder)


def back_references(resource_id: str, type_key: str, content: Body) -> Iterator[Reference]:
    """A body as somebody exported it in, what it says of those who name it out."""
    properties = members(content.get("properties"))
    for back in BACK_REFERENCES.get(type_key, ()):
        shown = properties.get(back.shown)
        for element in elements(shown) if back.many else [members(shown)]:
            holder = text(element.get("id"))
            # A public address shows its gateway in one member whatever the family: the first rule takes it.
            if holder and not back.named_in.endswith("V6"):
                yield Reference(resource_id.casefold(), back.named_in, holder)
    if type_key == LOAD_BALANCER:
        for pool in elements(properties.get("backendAddressPools")):
            for member in elements(members(pool.get("properties")).get("backendIPConfigurations")):
                if text(member.get("id")):
                    target = f"{resource_id}/backendAddressPools/{text(pool.get('name'))}".casefold()
                    yield Reference(target, POOLS, text(member.get("id")))


def _scale_set(resource_id: str, content: Body, properties: Body) -> Iterator[Reference]:
    """Every instance of a scale set holds a configuration in the subnet, as its interfaces would."""
    capacity = members(content.get("sku")).get("capacity")
    profile = members(members(properties.get("virtualMachineProfile")).get("networkProfile"))
    instances = range(min(capacity, MOST_INSTANCES) if isinstance(capacity, int) else 0)
    for interface in elements(profile.get("networkInterfaceConfigurations")):
        template = members(interface.get("properties"))
        held = [f"{resource_id}/virtualMachines/{n}/networkInterfaces/{text(interface.get('name'))}" for n in instances]
        for interface_id in held:
            yield from _link(template.get("networkSecurityGroup"), "interfaceSecurityGroup", interface_id)
        for configuration in elements(template.get("ipConfigurations")):
            inner = members(configuration.get("properties"))
            for interface_id in held:
                holder = f"{interface_id}/ipConfigurations/{text(configuration.get('name'))}"
                yield from _link(inner.get("subnet"), "subnet", holder)
                for pool in elements(inner.get(POOLS)):
                    yield from _link(pool, POOLS, holder)


def _links(properties: Body, names: tuple[str, ...], holder: str) -> Iterator[Reference]:
    for name in names:
        if name in properties:
            yield from _link(properties[name], name, holder)


def _link(value: object, member: str, holder: str) -> Iterator[Reference]:
    target = text(members(value).get("id"))
    if target:
        yield Reference(target.casefold(), member, holder)
