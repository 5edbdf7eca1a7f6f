"""What cannot go while something uses it: a resource that is to be deleted in, nothing or its refusal out."""

from collections.abc import Callable

from simulator import errors
from simulator.application_gateways import check_firewall_policy_delete
from simulator.balancers import parts_of, users_of
from simulator.firewalls import check_policy_delete
from simulator.gateways import check_virtual_gateway_delete
from simulator.ids import (
    FIREWALL_POLICY,
    LOAD_BALANCER,
    NAT_GATEWAY,
    NIC,
    NSG,
    PUBLIC_IP,
    PUBLIC_PREFIX,
    ROUTE_TABLE,
    SCALE_SET,
    SUBNET,
    VIRTUAL_GATEWAY,
    VNET,
    WAF_POLICY,
    name_of,
)
from simulator.references import GATEWAY_ADDRESSES
from simulator.rules import check_subnet_delete
from simulator.store import Store, Stored


def check_delete(store: Store, key: str, stored: Stored) -> None:
    """A resource that is to go in; refused while something uses it."""
    check = _CHECKS.get(stored.type.lower())
    if check is not None:
        check(store, key, stored)


def _network(store: Store, key: str, _: Stored) -> None:
    """A network goes with its subnets, if each of them may; its peerings are in nobody's way."""
    for child in store.keys_in(f"{key}/subnets"):
        subnet = store.get(child)
        if subnet is not None:
            check_subnet_delete(store, child, subnet)


def _nat_gateway(store: Store, key: str, stored: Stored) -> None:
    count = len(store.referrers(key, "natGateway"))
    if count:
        raise errors.bad(
            "CannotDeleteNatGatewayAssociatedToSubnet",
            f"NAT Gateway {stored.id} is still configured on {count} subnets. Remove NAT Gateway from all "
            "referenced subnets and then delete NAT Gateway.",
        )


def _route_table(store: Store, key: str, stored: Stored) -> None:
    if store.referrers(key, "routeTable"):
        raise errors.bad(
            "InUseRouteTableCannotBeDeleted", f"Route table {stored.name} is in use and cannot be deleted."
        )


def _security_group(store: Store, key: str, stored: Stored) -> None:
    users = [
        holder
        for member in ("networkSecurityGroup", "interfaceSecurityGroup")
        for holder in store.referrers(key, member).values()
    ]
    if users:
        raise errors.bad(
            "InUseNetworkSecurityGroupCannotBeDeleted",
            f"Network security group {stored.id} cannot be deleted because it is in use by the following resources: "
            f"{', '.join(users)}. In order to delete the Network security group, remove the association with the "
            "resource(s).",
        )


def _interface(store: Store, key: str, stored: Stored) -> None:
    for user in store.referrers(key, "networkInterfaces").values():
        raise errors.bad(
            "NicInUse",
            f"Network Interface {stored.id} is used by existing resource {user}. In order to delete the network "
            "interface, it must be dissociated from the resource.",
        )


def _public_address(store: Store, key: str, stored: Stored) -> None:
    for user in _holding(store, key):
        raise errors.bad(
            "PublicIPAddressCannotBeDeleted",
            f"Public IP address {stored.id} can not be deleted since it is still allocated to resource {user}. In "
            "order to delete the public IP, disassociate/detach the Public IP address from the resource.  To learn how "
            "to do this, see aka.ms/deletepublicip.",
        )


def _public_prefix(store: Store, key: str, stored: Stored) -> None:
    for user in _holding(store, key):
        raise errors.bad(
            "PublicIPPrefixCannotBeDeleted",
            f"Public IP prefix {stored.id} can not be deleted since it is still allocated to resource {user}.",
        )


def _holding(store: Store, key: str) -> list[str]:
    """The key of an address or a prefix in, the ids of those that have it out."""
    named_in = ("publicIPAddress", *GATEWAY_ADDRESSES, "addressPrefix", "publicIPPrefix")
    return [holder for member in named_in for holder in store.referrers(key, member).values()]


def _load_balancer(store: Store, _: str, stored: Stored) -> None:
    """A scale set holds it; interfaces only cease to name its parts."""
    used: dict[str, list[str]] = {}
    for part, part_id in parts_of(stored.id, stored.content).items():
        for owner in {store.owner(holder) for holder in users_of(store, part)}:
            user = store.get(owner or "")
            if user is not None and user.type.lower() == SCALE_SET:
                used.setdefault(user.id, []).append(name_of(part_id))
    for user_id, names in used.items():
        raise errors.bad(
            "LoadBalancerInUseByVirtualMachineScaleSet",
            f"Cannot delete load balancer {stored.id} since its child resources {', '.join(names)} are in use by "
            f"virtual machine scale set {user_id}.",
        )


_CHECKS: dict[str, Callable[[Store, str, Stored], None]] = {
    VNET: _network,
    SUBNET: check_subnet_delete,
    NAT_GATEWAY: _nat_gateway,
    ROUTE_TABLE: _route_table,
    NSG: _security_group,
    NIC: _interface,
    PUBLIC_IP: _public_address,
    PUBLIC_PREFIX: _public_prefix,
    LOAD_BALANCER: _load_balancer,
    FIREWALL_POLICY: check_policy_delete,
    VIRTUAL_GATEWAY: check_virtual_gateway_delete,
    WAF_POLICY: check_firewall_policy_delete,
}
