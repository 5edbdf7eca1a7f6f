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
    problem = problem_in(sent, FORMS.get(type_key, _ANY))
    if problem is not None:
        what, path = problem
        raise errors.bad_format("InvalidJson", f"Error converting value: {what}. Path '{path}'.")


def problem_in(sent: Body, kind: Any) -> tuple[str, str] | None:
    """A body and its form in, what is wrong with it, and where, out."""
    try:
        msgspec.convert(sent, kind)
    except msgspec.ValidationError as problem:
        found = _PLACE.fullmatch(str(problem))
        return (found["what"], found["path"]) if found is not None else (str(problem), "")
    return None


def form(**known: Any) -> Any:
    """Members and their types in, the form of an object with them out; any may be missing or null."""
    return msgspec.defstruct("Form", [(name, kind | None, None) for name, kind in known.items()])


def many(kind: Any) -> Any:
    """The form of an element in, that of an array of them out."""
    return GenericAlias(list, (kind,))


def _body(properties: Any, **beside: Any) -> Any:
    return form(properties=properties, location=str, zones=many(str), sku=form(name=str, tier=str), **beside)


def _named(properties: Any) -> Any:
    """The form of an element of an array: a part or a child, with a name."""
    return form(name=str, id=str, properties=properties)


_REFERENCE = form(id=str)
_REFERENCES = many(_REFERENCE)
_TEXTS = many(str)
_SPACE = form(addressPrefixes=_TEXTS)
_SUBNET = form(
    addressPrefix=str,
    addressPrefixes=_TEXTS,
    natGateway=_REFERENCE,
    routeTable=_REFERENCE,
    networkSecurityGroup=_REFERENCE,
    defaultOutboundAccess=bool,
    delegations=many(_named(form(serviceName=str))),
    serviceEndpoints=many(form(service=str, locations=_TEXTS)),
    privateEndpointNetworkPolicies=str,
    privateLinkServiceNetworkPolicies=str,
    sharingScope=str,
)
_PEERING = form(
    remoteVirtualNetwork=_REFERENCE,
    remoteAddressSpace=_SPACE,
    allowVirtualNetworkAccess=bool,
    allowForwardedTraffic=bool,
    allowGatewayTransit=bool,
    useRemoteGateways=bool,
    doNotVerifyRemoteGateways=bool,
    peerCompleteVnets=bool,
)
_ROUTE = form(addressPrefix=str, nextHopType=str, nextHopIpAddress=str)
_RULE = form(
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
    form(
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
_CONFIGURATIONS = many(_CONFIGURATION)
_BALANCING = many(
    _named(
        form(
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
_ANY = _body(form(ipConfigurations=_CONFIGURATIONS))
FORMS: dict[str, Any] = {
    VNET: _body(
        form(
            addressSpace=_SPACE,
            subnets=many(_named(_SUBNET)),
            virtualNetworkPeerings=many(_named(_PEERING)),
            dhcpOptions=form(dnsServers=_TEXTS),
            enableDdosProtection=bool,
            ddosProtectionPlan=_REFERENCE,
        )
    ),
    SUBNET: _body(_SUBNET),
    PEERING: _body(_PEERING),
    NAT_GATEWAY: _body(
        form(
            idleTimeoutInMinutes=int,
            publicIpAddresses=_REFERENCES,
            publicIpPrefixes=_REFERENCES,
            publicIpAddressesV6=_REFERENCES,
            publicIpPrefixesV6=_REFERENCES,
            sourceVirtualNetwork=_REFERENCE,
        )
    ),
    PUBLIC_IP: _body(
        form(
            publicIPAllocationMethod=str,
            publicIPAddressVersion=str,
            publicIPPrefix=_REFERENCE,
            idleTimeoutInMinutes=int,
            ipTags=many(form(ipTagType=str, tag=str)),
            deleteOption=str,
        )
    ),
    PUBLIC_PREFIX: _body(form(prefixLength=int, publicIPAddressVersion=str)),
    ROUTE_TABLE: _body(form(routes=many(_named(_ROUTE)), disableBgpRoutePropagation=bool)),
    ROUTE: _body(_ROUTE),
    NSG: _body(form(securityRules=many(_named(_RULE)))),
    SECURITY_RULE: _body(_RULE),
    NIC: _body(
        form(
            ipConfigurations=_CONFIGURATIONS,
            networkSecurityGroup=_REFERENCE,
            enableIPForwarding=bool,
            enableAcceleratedNetworking=bool,
            dnsSettings=form(dnsServers=_TEXTS),
        )
    ),
    LOAD_BALANCER: _body(
        form(
            frontendIPConfigurations=_CONFIGURATIONS,
            backendAddressPools=many(_named(form())),
            probes=many(_named(form(port=int, protocol=str, intervalInSeconds=int, numberOfProbes=int))),
            loadBalancingRules=_BALANCING,
            inboundNatRules=_BALANCING,
            outboundRules=_BALANCING,
            inboundNatPools=_BALANCING,
        )
    ),
    FIREWALL: _body(
        form(
            ipConfigurations=_CONFIGURATIONS,
            managementIpConfiguration=_CONFIGURATION,
            firewallPolicy=_REFERENCE,
            virtualHub=_REFERENCE,
        )
    ),
    FIREWALL_POLICY: _body(form(basePolicy=_REFERENCE, threatIntelMode=str)),
    VIRTUAL_GATEWAY: _body(
        form(
            ipConfigurations=_CONFIGURATIONS,
            gatewayType=str,
            vpnType=str,
            enableBgp=bool,
            activeActive=bool,
            bgpSettings=form(asn=int, bgpPeeringAddress=str, peerWeight=int),
        )
    ),
}
