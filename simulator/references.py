"""Who names whom: a resource's content in, its references out; what Azure shows as back-references comes from here."""

from collections.abc import Iterator

import msgspec

from simulator.ids import (
    APPLICATION_GATEWAY,
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
    WAF_POLICY,
    parent_key,
)
from simulator.scale_set_model import configurations_of, instances_of, interfaces_of
from simulator.wire import Body, elements, members, text

SUBNET_LINKS = ("natGateway", "routeTable", "networkSecurityGroup")
GATEWAY_ADDRESSES = ("publicIpAddresses", "publicIpPrefixes", "publicIpAddressesV6", "publicIpPrefixesV6")
CONFIGURATIONS = ("ipConfigurations", "frontendIPConfigurations", "gatewayIPConfigurations")
CONFIGURATION_LINKS = ("subnet", "publicIPAddress", "publicIPPrefix")
POOLS = "loadBalancerBackendAddressPools"
NAT_RULES = "loadBalancerInboundNatRules"
PARTS = (POOLS, NAT_RULES)
"""Where an interface names parts of load balancers, which are no resources of their own."""
WAF = "webApplicationFirewallPolicy"
"""How application gateways name theirs: in a member that firewalls have for policies of another type."""
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
    WAF_POLICY: (BackReference("applicationGateways", WAF, many=True),),
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
        yield from _scale_set(resource_id, content)
    elif type_key == PEERING:
        remote = text(members(properties.get(PEERED)).get("id")).casefold()
        yield Reference(pair(remote, parent_key(resource_id.casefold())), PEERED, resource_id)
    else:
        if type_key == NIC:
            yield from _link(properties.get("networkSecurityGroup"), "interfaceSecurityGroup", resource_id)
        elif type_key == FIREWALL:
            yield from _link(properties.get("firewallPolicy"), "firewallPolicy", resource_id)
        elif type_key == APPLICATION_GATEWAY:
            yield from _link(properties.get("firewallPolicy"), WAF, resource_id)
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


def _scale_set(resource_id: str, content: Body) -> Iterator[Reference]:
    """Every instance of a scale set holds what its own model names, as its interfaces would."""
    for instance, model in instances_of(content).items():
        for interface in interfaces_of(model):
            held = f"{resource_id}/virtualMachines/{instance}/networkInterfaces/{text(interface.get('name'))}"
            template = members(interface.get("properties"))
            yield from _link(template.get("networkSecurityGroup"), "interfaceSecurityGroup", held)
            for configuration in configurations_of(interface):
                holder = f"{held}/ipConfigurations/{text(configuration.get('name'))}"
                inner = members(configuration.get("properties"))
                yield from _link(inner.get("subnet"), "subnet", holder)
                public = members(members(inner.get("publicIPAddressConfiguration")).get("properties"))
                yield from _link(public.get("publicIPPrefix"), "publicIPPrefix", holder)
                for name in PARTS:
                    for part in elements(inner.get(name)):
                        yield from _link(part, name, holder)


def _links(properties: Body, names: tuple[str, ...], holder: str) -> Iterator[Reference]:
    for name in names:
        if name in properties:
            yield from _link(properties[name], name, holder)


def _link(value: object, member: str, holder: str) -> Iterator[Reference]:
    target = text(members(value).get("id"))
    if target:
        yield Reference(target.casefold(), member, holder)
