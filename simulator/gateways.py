"""Virtual network gateways: one as it would be in; refused, or with what Azure adds to it, out."""

from ipaddress import ip_network

from simulator import errors
from simulator.ids import VIRTUAL_GATEWAY, name_of, parent_key
from simulator.peerings import back_of, gateways_in
from simulator.references import configurations, references
from simulator.route_tables import leads_everything
from simulator.special_subnets import prefixes_of
from simulator.store import Store, Stored
from simulator.wire import Body, members, text

KINDS = ("Vpn", "ExpressRoute")
OWN_ASN = 65515


def check_virtual_gateway(store: Store, resource_id: str, content: Body, before: Body | None) -> None:
    """A gateway's content in; it lies in a GatewaySubnet that may have it, and speaks BGP from an address there."""
    properties = members(content.get("properties"))
    kind = text(properties.get("gatewayType"))
    if kind not in KINDS:
        raise errors.bad(
            "InvalidGatewayType",
            f"Gateway type '{kind}' of {resource_id} is not valid: it is one of {', '.join(KINDS)}.",
        )
    subnets = {
        text(members(members(element.get("properties")).get("subnet")).get("id"))
        for _, element in configurations(VIRTUAL_GATEWAY, properties)
    }
    if not subnets or any(name_of(subnet).casefold() != "gatewaysubnet" for subnet in subnets):
        raise errors.bad(
            "VirtualNetworkGatewayRequiresGatewaySubnet",
            f"Every IP configuration of virtual network gateway {resource_id} must reference a subnet GatewaySubnet.",
        )
    if len(subnets) > 1:
        raise errors.bad(
            "VirtualNetworkGatewayInSeveralSubnets", f"Virtual network gateway {resource_id} must lie in one subnet."
        )
    subnet_key = subnets.pop().casefold()
    _check_neighbours(store, resource_id, kind, subnet_key)
    subnet = store.get(subnet_key)
    prefixes = prefixes_of(subnet.content) if subnet is not None else []
    table = text(members(members(subnet.content.get("properties")).get("routeTable")).get("id")) if subnet else ""
    if before is None and table and leads_everything(store, table):
        raise errors.bad(
            "GatewaySubnetCannotHaveDefaultRoute",
            f"Virtual network gateway {resource_id} cannot be created: route table {table} of its subnet has a route "
            "for 0.0.0.0/0.",
        )
    if before is None and subnet is not None and _has_group(subnet):
        raise errors.bad(
            "GatewaySubnetCannotHaveNetworkSecurityGroup",
            f"Virtual network gateway {resource_id} cannot be created: its subnet {subnet.id} has a network security "
            "group.",
        )
    own: Body = {"asn": OWN_ASN, "peerWeight": 0}
    if prefixes:
        own["bgpPeeringAddress"] = str(ip_network(prefixes[0])[-2])
    properties["bgpSettings"] = own | members(properties.get("bgpSettings"))


def check_virtual_gateway_delete(store: Store, key: str, gateway: Stored) -> None:
    """A gateway that is to go in; refused while a connection names it, or a peer relies on it."""
    connections = [
        holder
        for member in ("virtualNetworkGateway1", "virtualNetworkGateway2")
        for holder in store.referrers(key, member).values()
    ]
    if connections:
        raise errors.bad(
            "VirtualNetworkGatewayHasConnections",
            f"Virtual network gateway {gateway.id} cannot be deleted because it is in use by connection "
            f"{connections[0]}.",
        )
    links = references(gateway.id, VIRTUAL_GATEWAY, gateway.content)
    for network in {parent_key(link.target) for link in links if link.member == "subnet"}:
        if len(gateways_in(store, network)) > 1:
            continue
        for peering_key in store.keys_in(f"{network}/virtualnetworkpeerings"):
            peering = store.get(peering_key)
            back = back_of(store, peering_key, peering.content) if peering is not None else None
            if back is not None and members(back.content.get("properties")).get("useRemoteGateways"):
                raise errors.bad(
                    "VirtualNetworkGatewayUsedByRemotePeering",
                    f"Virtual network gateway {gateway.id} cannot be deleted because remote peering {back.id} has "
                    "UseRemoteGateways flag set to true.",
                )


def _has_group(subnet: Stored) -> bool:
    return bool(members(members(subnet.content.get("properties")).get("networkSecurityGroup")).get("id"))


def _check_neighbours(store: Store, resource_id: str, kind: str, subnet_key: str) -> None:
    """One gateway of a kind in a network, and none where the gateway of a peer is used."""
    for owner in gateways_in(store, parent_key(subnet_key)):
        if owner.id.casefold() == resource_id.casefold():
            continue
        if members(owner.content.get("properties")).get("gatewayType") == kind:
            raise errors.bad(
                "VirtualNetworkAlreadyHasGatewayOfThisType",
                f"Virtual network gateway {resource_id} cannot be created: {owner.id} of type {kind} is in the same "
                "virtual network.",
            )
    for peering in store.listed(f"{parent_key(subnet_key)}/virtualnetworkpeerings"):
        if members(peering.content.get("properties")).get("useRemoteGateways"):
            raise errors.bad(
                "VirtualNetworkUsesRemoteGateways",
                f"Virtual network gateway {resource_id} cannot be created: peering {peering.id} of its virtual network "
                "has UseRemoteGateways flag set to true.",
            )
