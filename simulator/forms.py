"""Which JSON type each known member of a network body has: a type and a body in, nothing or InvalidRequestFormat out.

Members nobody reads here are not looked at; null is the same as a member that is not there.
"""

import re
from types import GenericAlias
from typing import Any

import msgspec

from simulator import errors
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
    ROUTE,
    ROUTE_TABLE,
    SECURITY_RULE,
    SUBNET,
    VIRTUAL_GATEWAY,
    VNET,
)
from simulator.wire import Body

_PLACE = re.compile(r"(?P<what>.*) - at `\$\.?(?P<path>.*)`", re.DOTALL)


def check_form(type_key: str, sent: Body) -> None:
    """A body in; refused when a member of it is of another JSON type than Azure reads there."""
    try:
        msgspec.convert(sent, FORMS.get(type_key, _ANY))
    except msgspec.ValidationError as problem:
        found = _PLACE.fullmatch(str(problem))
        what, path = (found["what"], found["path"]) if found is not None else (str(problem), "")
        raise errors.bad_format("InvalidJson", f"Error converting value: {what}. Path '{path}'.") from None


def _form(**known: Any) -> Any:
    """Members and their types in, the form of an object with them out; any may be missing or null."""
    return msgspec.defstruct("Form", [(name, kind | None, None) for name, kind in known.items()])


def _many(kind: Any) -> Any:
    return GenericAlias(list, (kind,))


def _body(properties: Any, **beside: Any) -> Any:
    return _form(properties=properties, location=str, zones=_many(str), sku=_form(name=str, tier=str), **beside)


def _named(properties: Any) -> Any:
    """The form of an element of an array: a part or a child, with a name."""
    return _form(name=str, id=str, properties=properties)


_REFERENCE = _form(id=str)
_REFERENCES = _many(_REFERENCE)
_TEXTS = _many(str)
_SPACE = _form(addressPrefixes=_TEXTS)
_SUBNET = _form(
    addressPrefix=str,
    addressPrefixes=_TEXTS,
    natGateway=_REFERENCE,
    routeTable=_REFERENCE,
    networkSecurityGroup=_REFERENCE,
    defaultOutboundAccess=bool,
    delegations=_many(_named(_form(serviceName=str))),
    serviceEndpoints=_many(_form(service=str, locations=_TEXTS)),
    privateEndpointNetworkPolicies=str,
    privateLinkServiceNetworkPolicies=str,
    sharingScope=str,
)
_PEERING = _form(
    remoteVirtualNetwork=_REFERENCE,
    remoteAddressSpace=_SPACE,
    allowVirtualNetworkAccess=bool,
    allowForwardedTraffic=bool,
    allowGatewayTransit=bool,
    useRemoteGateways=bool,
    doNotVerifyRemoteGateways=bool,
    peerCompleteVnets=bool,
)
_ROUTE = _form(addressPrefix=str, nextHopType=str, nextHopIpAddress=str)
_RULE = _form(
    priority=int,
    direction=str,
    access=str,
    protocol=str,
    description=str,
    sourcePortRange=str,
    destinationPortRange=str,
    sourceAddressPrefix=str,
    destinationAddressPrefix=str,
    sourcePortRanges=_TEXTS,
    destinationPortRanges=_TEXTS,
    sourceAddressPrefixes=_TEXTS,
    destinationAddressPrefixes=_TEXTS,
)
_CONFIGURATION = _named(
    _form(
        subnet=_REFERENCE,
        publicIPAddress=_REFERENCE,
        publicIPPrefix=_REFERENCE,
        privateIPAddress=str,
        privateIPAllocationMethod=str,
        privateIPAddressVersion=str,
        primary=bool,
        loadBalancerBackendAddressPools=_REFERENCES,
        loadBalancerInboundNatRules=_REFERENCES,
    )
)
_CONFIGURATIONS = _many(_CONFIGURATION)
_BALANCING = _many(
    _named(
        _form(
            frontendIPConfiguration=_REFERENCE,
            frontendIPConfigurations=_REFERENCES,
            backendAddressPool=_REFERENCE,
            probe=_REFERENCE,
            protocol=str,
            frontendPort=int,
            backendPort=int,
            idleTimeoutInMinutes=int,
            allocatedOutboundPorts=int,
            enableFloatingIP=bool,
            enableTcpReset=bool,
            disableOutboundSnat=bool,
        )
    )
)
_ANY = _body(_form(ipConfigurations=_CONFIGURATIONS))
FORMS: dict[str, Any] = {
    VNET: _body(
        _form(
            addressSpace=_SPACE,
            subnets=_many(_named(_SUBNET)),
            virtualNetworkPeerings=_many(_named(_PEERING)),
            dhcpOptions=_form(dnsServers=_TEXTS),
            enableDdosProtection=bool,
            ddosProtectionPlan=_REFERENCE,
        )
    ),
    SUBNET: _body(_SUBNET),
    PEERING: _body(_PEERING),
    NAT_GATEWAY: _body(
        _form(
            idleTimeoutInMinutes=int,
            publicIpAddresses=_REFERENCES,
            publicIpPrefixes=_REFERENCES,
            publicIpAddressesV6=_REFERENCES,
            publicIpPrefixesV6=_REFERENCES,
            sourceVirtualNetwork=_REFERENCE,
        )
    ),
    PUBLIC_IP: _body(
        _form(
            publicIPAllocationMethod=str,
            publicIPAddressVersion=str,
            publicIPPrefix=_REFERENCE,
            idleTimeoutInMinutes=int,
            ipTags=_many(_form(ipTagType=str, tag=str)),
            deleteOption=str,
        )
    ),
    PUBLIC_PREFIX: _body(_form(prefixLength=int, publicIPAddressVersion=str)),
    ROUTE_TABLE: _body(_form(routes=_many(_named(_ROUTE)), disableBgpRoutePropagation=bool)),
    ROUTE: _body(_ROUTE),
    NSG: _body(_form(securityRules=_many(_named(_RULE)))),
    SECURITY_RULE: _body(_RULE),
    NIC: _body(
        _form(
            ipConfigurations=_CONFIGURATIONS,
            networkSecurityGroup=_REFERENCE,
            enableIPForwarding=bool,
            enableAcceleratedNetworking=bool,
            dnsSettings=_form(dnsServers=_TEXTS),
        )
    ),
    LOAD_BALANCER: _body(
        _form(
            frontendIPConfigurations=_CONFIGURATIONS,
            backendAddressPools=_many(_named(_form())),
            probes=_many(_named(_form(port=int, protocol=str, intervalInSeconds=int, numberOfProbes=int))),
            loadBalancingRules=_BALANCING,
            inboundNatRules=_BALANCING,
            outboundRules=_BALANCING,
            inboundNatPools=_BALANCING,
        )
    ),
    FIREWALL: _body(
        _form(
            ipConfigurations=_CONFIGURATIONS,
            managementIpConfiguration=_CONFIGURATION,
            firewallPolicy=_REFERENCE,
            virtualHub=_REFERENCE,
        )
    ),
    FIREWALL_POLICY: _body(_form(basePolicy=_REFERENCE, threatIntelMode=str)),
    VIRTUAL_GATEWAY: _body(
        _form(
            ipConfigurations=_CONFIGURATIONS,
            gatewayType=str,
            vpnType=str,
            enableBgp=bool,
            activeActive=bool,
            bgpSettings=_form(asn=int, bgpPeeringAddress=str, peerWeight=int),
        )
    ),
}
