"""Network bodies: what a caller sent in, what the provider stores out, with Azure's defaults and normalisations."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

import msgspec

from simulator import balancers
from simulator.application_gateways import ARRAYS as GATEWAY_PARTS
from simulator.ids import (
    APPLICATION_GATEWAY,
    FIREWALL,
    FIREWALL_POLICY,
    LOAD_BALANCER,
    NAT_GATEWAY,
    NETWORK,
    NIC,
    NSG,
    PEERING,
    PUBLIC_IP,
    PUBLIC_PREFIX,
    ROUTE_TABLE,
    SECURITY_RULE,
    SUBNET,
    VIRTUAL_GATEWAY,
    VNET,
    WAF_POLICY,
    location_key,
)
from simulator.peerings import KNOWN
from simulator.references import (
    BACK_REFERENCES,
    CONFIGURATION_LINKS,
    GATEWAY_ADDRESSES,
    PARTS,
    PEERED,
    SUBNET_LINKS,
    configurations,
)
from simulator.security_rules import RANGES
from simulator.wire import Body, elements, members


class Kind(msgspec.Struct, frozen=True):
    """How the provider treats a type.

    `children` are arrays whose elements are resources of their own. `settles`: `later` answers Updating and finishes
    with an operation; `at_once` answers Succeeded and sends the operation's address all the same; `silently` sends
    none. `superseded`: a newer PUT replaces a running operation instead of being refused.
    """

    children: tuple[str, ...] = ()
    settles: Literal["later", "at_once", "silently"] = "later"
    superseded: bool = False


KINDS: dict[str, Kind] = {
    VNET: Kind(children=("subnets", "virtualNetworkPeerings")),
    ROUTE_TABLE: Kind(children=("routes",)),
    NSG: Kind(children=("securityRules",), superseded=True),
    PUBLIC_IP: Kind(superseded=True),
    LOAD_BALANCER: Kind(settles="at_once", superseded=True),
    NIC: Kind(settles="silently"),
}
PLAIN = Kind()

# Members only the provider writes, on top of a type's back-references.
READ_ONLY = ("provisioningState", "resourceGuid")
READ_ONLY_OF: dict[str, tuple[str, ...]] = {
    SUBNET: ("purpose", "privateEndpoints", "resourceNavigationLinks", "serviceAssociationLinks"),
    PUBLIC_IP: ("ipAddress",),
    PUBLIC_PREFIX: ("ipPrefix",),
    PEERING: KNOWN,
    NSG: ("defaultSecurityRules",),
    FIREWALL_POLICY: ("ruleCollectionGroups", "childPolicies"),
    APPLICATION_GATEWAY: ("operationalState",),
    WAF_POLICY: ("resourceState",),
    NIC: ("macAddress", "primary", "hostedWorkloads", "defaultOutboundConnectivityEnabled", "privateEndpoint"),
}
ENVELOPE = ("id", "name", "type", "etag")
UNSEEN = "simulator"
"""What an estate says of a resource that Azure would not show: it is kept, exported, and never answered."""

# Empty arrays that a caller sends and the provider does not send back.
_VANISHING: dict[str, tuple[str, ...]] = {
    SUBNET: ("addressPrefixes", "serviceEndpointPolicies", "ipAllocations"),
    NAT_GATEWAY: GATEWAY_ADDRESSES,
}
# What the provider adds when a caller leaves it out, as recorded in 2025.
DEFAULTS: dict[str, Body] = {
    VNET: {"privateEndpointVNetPolicies": "Disabled", "enableDdosProtection": False},
    SUBNET: {
        "delegations": [],
        "privateEndpointNetworkPolicies": "Disabled",
        "privateLinkServiceNetworkPolicies": "Enabled",
    },
    NAT_GATEWAY: {"idleTimeoutInMinutes": 4, "type": "Public"},
    PUBLIC_IP: {
        "publicIPAddressVersion": "IPv4",
        "publicIPAllocationMethod": "Dynamic",
        "idleTimeoutInMinutes": 4,
        "ipTags": [],
    },
    PUBLIC_PREFIX: {"prefixLength": 28, "publicIPAddressVersion": "IPv4", "ipTags": []},
    ROUTE_TABLE: {"disableBgpRoutePropagation": False},
    PEERING: {
        "allowVirtualNetworkAccess": True,
        "allowForwardedTraffic": False,
        "allowGatewayTransit": False,
        "useRemoteGateways": False,
        "doNotVerifyRemoteGateways": False,
        "peerCompleteVnets": True,
    },
    SECURITY_RULE: RANGES,
    FIREWALL: {
        "sku": {"name": "AZFW_VNet", "tier": "Standard"},
        "threatIntelMode": "Alert",
        "additionalProperties": {},
        "networkRuleCollections": [],
        "applicationRuleCollections": [],
        "natRuleCollections": [],
    },
    FIREWALL_POLICY: {"sku": {"tier": "Standard"}, "threatIntelMode": "Alert"},
    VIRTUAL_GATEWAY: {"enableBgp": False, "activeActive": False, "enablePrivateIpAddress": False},
    NIC: {
        "dnsSettings": {"dnsServers": [], "appliedDnsServers": []},
        "enableAcceleratedNetworking": False,
        "enableIPForwarding": False,
        "nicType": "Standard",
        "auxiliaryMode": "None",
        "auxiliarySku": "None",
        "allowPort25Out": True,
    },
}
PARTS_OF: dict[str, tuple[str, ...]] = {LOAD_BALANCER: tuple(balancers.ARRAYS), APPLICATION_GATEWAY: GATEWAY_PARTS}
"""What stands inside a type and has an id, in the order Azure shows it."""
_SKU_TYPES = (NAT_GATEWAY, PUBLIC_IP, PUBLIC_PREFIX, LOAD_BALANCER)


def kind_of(type_key: str) -> Kind:
    return KINDS.get(type_key, PLAIN)


def is_network(type_key: str) -> bool:
    return type_key.startswith(f"{NETWORK}/")


def has_guid(type_key: str) -> bool:
    return is_network(type_key) and (type_key.count("/") == 1 or type_key == PEERING)


def shaped(type_key: str, sent: Body, kept: Body) -> Body:
    """What was sent in, with the members the provider keeps of the old resource; what is stored out."""
    hidden = _hidden(type_key)
    properties = _without_nulls(
        {name: value for name, value in members(sent.get("properties")).items() if name not in hidden}
    )
    for name in _VANISHING.get(type_key, ()):
        if properties.get(name) == []:
            del properties[name]
    _references_only(type_key, properties)
    beside = {} if type_key.count("/") > 1 else sent  # a child has nothing beside its properties
    content = {
        name: value
        for name, value in beside.items()
        if name not in (*ENVELOPE, "properties", UNSEEN) and value is not None
    }
    if content.get("zones") == []:
        del content["zones"]
    if isinstance(content.get("location"), str):
        content["location"] = location_key(content["location"])
    if type_key in _SKU_TYPES:
        content["sku"] = {"name": _default_sku(type_key), "tier": "Regional"} | members(content.get("sku"))
    content["properties"] = kept | _defaults(type_key, content) | properties
    if type_key == LOAD_BALANCER:
        content["properties"] = balancers.completed(content["properties"])
    return content


def identify(type_name: str, resource_id: str, content: Body) -> None:
    """A resource's content in; each element inside it has a name, an id and a state afterwards."""
    for number, (segment, element) in enumerate(inner_elements(type_name.lower(), members(content.get("properties")))):
        element.setdefault("name", f"configuration{number + 1}")
        element["id"] = f"{resource_id}/{segment}/{element['name']}"
        element["type"] = f"{type_name}/{segment}"
        element["properties"] = {"provisioningState": "Succeeded", **members(element.get("properties"))}
        if type_name.lower() == NIC:
            element["properties"].setdefault("primary", number == 0)
            element["properties"].setdefault("privateIPAddressVersion", "IPv4")
        element.pop("etag", None)


def inner_elements(type_key: str, properties: Body) -> Iterator[tuple[str, Body]]:
    """A resource's properties in, what has an id but is no resource of its own out, with the segment of its id."""
    if type_key not in PARTS_OF:
        yield from configurations(type_key, properties)
        return
    for array in PARTS_OF[type_key]:
        for element in elements(properties.get(array)):
            yield array, element


def prefix_size(properties: Body) -> int:
    """The properties of a public prefix in, how many addresses it holds out."""
    whole = 128 if properties.get("publicIPAddressVersion") == "IPv6" else 32
    length = properties.get("prefixLength")
    return int(2 ** (whole - length)) if isinstance(length, int) and 0 <= length <= whole else 1


def kept_of(type_key: str, content: Body) -> Body:
    """A stored resource's content in, the members that survive a PUT that does not mention them out."""
    properties = members(content.get("properties"))
    return {name: properties[name] for name in ("resourceGuid", *READ_ONLY_OF.get(type_key, ())) if name in properties}


@lru_cache(maxsize=1024)
def _hidden(type_key: str) -> frozenset[str]:
    """The members that the provider fills in itself, or keeps elsewhere: whatever is sent there is left out."""
    filled_in = (back.shown for back in BACK_REFERENCES.get(type_key, ()))
    return frozenset((*READ_ONLY, *READ_ONLY_OF.get(type_key, ()), *kind_of(type_key).children, *filled_in))


def _default_sku(type_key: str) -> str:
    return "Basic" if type_key in (PUBLIC_IP, LOAD_BALANCER) else "Standard"


def _defaults(type_key: str, content: Body) -> Body:
    """What the provider adds when a caller leaves it out."""
    defaults = dict(DEFAULTS.get(type_key, {}))
    if type_key == PUBLIC_IP and members(content.get("sku")).get("name") != "Basic":
        defaults["publicIPAllocationMethod"] = "Static"
        defaults["ddosSettings"] = {"protectionMode": "VirtualNetworkInherited"}
    return defaults


def _references_only(type_key: str, properties: Body) -> None:
    """References may arrive as whole objects; only their ids are kept."""
    links = {SUBNET: SUBNET_LINKS, PEERING: (PEERED,)}.get(
        type_key, ("networkSecurityGroup", "firewallPolicy", "basePolicy")
    )
    for name in links:
        if name in properties:
            properties[name] = _only_id(properties[name])
    for name in GATEWAY_ADDRESSES:
        if name in properties and type_key == NAT_GATEWAY:
            properties[name] = [_only_id(element) for element in elements(properties[name])]
    for _, element in configurations(type_key, properties):
        inner = members(element.get("properties"))
        for name in CONFIGURATION_LINKS:
            if name in inner:
                inner[name] = _only_id(inner[name])
        for name in PARTS:
            if name in inner:
                inner[name] = [_only_id(part) for part in elements(inner[name])]


def _only_id(value: object) -> Body:
    return {name: member for name, member in members(value).items() if name == "id"}


def _without_nulls(value: Body) -> Body:
    """A null member means the same as no member, at every depth. The result is a copy."""
    return {name: _copied(member) for name, member in value.items() if member is not None}


def _copied(value: object) -> object:
    if isinstance(value, dict):
        return _without_nulls(value)
    if isinstance(value, list):
        return [_copied(element) for element in value]
    return value
