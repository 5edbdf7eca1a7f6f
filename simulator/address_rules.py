"""The Network provider's rules on addresses and what holds them: gateways, interfaces, deletes of what is in use."""

from ipaddress import ip_address, ip_network

from simulator import errors
from simulator.ids import NAT_GATEWAY, NIC, NSG, PUBLIC_IP, PUBLIC_PREFIX, ROUTE_TABLE, SUBNET, VNET
from simulator.references import GATEWAY_ADDRESSES, references
from simulator.rules import basic_beside_nat, check_subnet_delete, prefixes_of
from simulator.shapes import prefix_size
from simulator.store import Store, Stored
from simulator.wire import Body, elements, members, text

MOST_ADDRESSES = 16
RESERVED_FIRST, RESERVED_LAST = 4, 1


def check_gateway(store: Store, resource_id: str, content: Body, before: Body | None) -> None:
    """A NAT gateway as it would be in; refused when an address is taken, of another SKU, or one too many."""
    sku = text(members(content.get("sku")).get("name"))
    if before is not None and sku != text(members(before.get("sku")).get("name")):
        raise errors.bad("NatGatewaySkuCannotBeChanged", f"The sku of NAT Gateway {resource_id} cannot be changed.")
    count = 0
    for reference in references(resource_id, NAT_GATEWAY, content):
        target = store.get(reference.target)
        if target is None:
            continue
        other = text(members(target.content.get("sku")).get("name"))
        if other != sku:
            raise errors.bad(
                "NatGatewayAndPublicIpSkuMismatch",
                f"NAT Gateway {resource_id} of sku {sku} cannot reference resource {target.id} of sku {other}.",
            )
        count += _size(target)
    if count > MOST_ADDRESSES * (2 if sku == "StandardV2" else 1):
        raise errors.bad(
            "NatGatewayPublicIpLimitExceeded",
            f"NAT Gateway {resource_id} references {count} public IP addresses, more than {MOST_ADDRESSES}.",
        )
    check_addresses_free(store, resource_id, NAT_GATEWAY, content)


def check_addresses_free(store: Store, resource_id: str, type_key: str, content: Body) -> None:
    """No public address that a resource names belongs to another, nor twice to itself."""
    named: set[str] = set()
    for reference in references(resource_id, type_key, content):
        if reference.member not in ("publicIPAddress", *GATEWAY_ADDRESSES):
            continue
        holder = reference.holder.casefold()
        taken = [
            other
            for member in ("publicIPAddress", *GATEWAY_ADDRESSES)
            for key, other in store.referrers(reference.target, member).items()
            if key != holder and not key.startswith(f"{resource_id.casefold()}/")
        ]
        if taken or reference.target in named:
            target = store.get(reference.target)
            raise errors.bad(
                "PublicIPAddressInUse",
                f"Resource {reference.holder} is referencing public IP address "
                f"{target.id if target is not None else reference.target} that is already allocated to resource "
                f"{taken[0] if taken else reference.holder}.",
            )
        named.add(reference.target)


def check_neighbours(store: Store, resource_id: str, type_key: str, content: Body) -> None:
    """An interface or load balancer in; refused when it brings Basic things into a subnet with a NAT gateway."""
    links = list(references(resource_id, type_key, content))
    names_basic = any(
        link.member == "publicIPAddress"
        and (address := store.get(link.target)) is not None
        and _is_basic(address.content)
        for link in links
    )
    if not names_basic and not (type_key != NIC and _is_basic(content)):
        return
    for link in links:
        subnet = store.get(link.target) if link.member == "subnet" else None
        gateway = text(members(members(subnet.content.get("properties")).get("natGateway")).get("id")) if subnet else ""
        if subnet is not None and gateway:
            raise basic_beside_nat(gateway, resource_id, subnet.id)


def check_delete(store: Store, key: str, stored: Stored) -> None:
    """A resource that is to go in; refused while something uses it."""
    type_key = stored.type.lower()
    if type_key == VNET:
        for child in store.keys_in(f"{key}/subnets"):
            subnet = store.get(child)
            if subnet is not None:
                check_subnet_delete(store, child, subnet)
    elif type_key == SUBNET:
        check_subnet_delete(store, key, stored)
    elif type_key == NAT_GATEWAY:
        count = len(store.referrers(key, "natGateway"))
        if count:
            raise errors.bad(
                "CannotDeleteNatGatewayAssociatedToSubnet",
                f"NAT Gateway {stored.id} is still configured on {count} subnets. Remove NAT Gateway from all "
                "referenced subnets and then delete NAT Gateway.",
            )
    elif type_key == ROUTE_TABLE and store.referrers(key, "routeTable"):
        raise errors.bad(
            "InUseRouteTableCannotBeDeleted", f"Route table {stored.name} is in use and cannot be deleted."
        )
    elif type_key == NSG and store.holders(key):
        users = ", ".join(store.holders(key))
        raise errors.bad(
            "InUseNetworkSecurityGroupCannotBeDeleted",
            f"Network security group {stored.id} cannot be deleted because it is in use by the following resources: "
            f"{users}. In order to delete the Network security group, remove the association with the resource(s).",
        )
    elif type_key in (PUBLIC_IP, PUBLIC_PREFIX) and store.holders(key):
        _refuse_address_delete(store, key, stored, type_key)
    elif type_key == NIC and store.referrers(key, "networkInterfaces"):
        user = next(iter(store.referrers(key, "networkInterfaces").values()))
        raise errors.bad(
            "NicInUse",
            f"Network Interface {stored.id} is used by existing resource {user}. In order to delete the network "
            "interface, it must be dissociated from the resource.",
        )


def place(store: Store, resource_id: str, content: Body, before: Body | None) -> None:
    """An interface's content in; each of its configurations has a private address in its subnet afterwards."""
    old = {
        text(element.get("name")).lower(): members(element.get("properties"))
        for element in elements(members((before or {}).get("properties")).get("ipConfigurations"))
    }
    given: dict[str, dict[str, str]] = {}
    for number, element in enumerate(elements(members(content.get("properties")).get("ipConfigurations"))):
        sent = members(element.get("properties"))
        subnet = store.get(text(members(sent.get("subnet")).get("id")).casefold())
        if subnet is None:
            raise errors.bad("SubnetNotSpecified", f"IP configuration {element['id']} must reference a subnet.")
        known = old.get(text(element.get("name")).lower(), {})
        same = text(members(known.get("subnet")).get("id")).casefold() == subnet.id.casefold()
        static = sent.get("privateIPAllocationMethod") == "Static" and text(sent.get("privateIPAddress"))
        kept = text(known.get("privateIPAddress")) if same else ""
        address = text(sent.get("privateIPAddress")) if static else kept
        used = given.setdefault(subnet.id.casefold(), _used(store, subnet, resource_id))
        chosen = _checked(address, subnet, used) if address else _free(subnet, used)
        used[chosen] = resource_id
        element["properties"] = {
            "privateIPAllocationMethod": "Dynamic",
            **sent,
            "privateIPAddress": chosen,
            "primary": sent.get("primary", number == 0),
            "privateIPAddressVersion": sent.get("privateIPAddressVersion", "IPv4"),
        }


def _used(store: Store, subnet: Stored, resource_id: str) -> dict[str, str]:
    """A subnet in, the addresses taken in it by others and by whom out."""
    taken: dict[str, str] = {}
    for holder in store.referrers(subnet.id.casefold(), "subnet"):
        owner = store.owner(holder)
        stored = store.get(owner) if owner is not None and owner != resource_id.casefold() else None
        if stored is None or stored.type.lower() != NIC:
            continue
        for element in elements(members(stored.content.get("properties")).get("ipConfigurations")):
            taken[text(members(element.get("properties")).get("privateIPAddress"))] = stored.id
    return taken


def _checked(address: str, subnet: Stored, used: dict[str, str]) -> str:
    if address in used:
        raise errors.bad(
            "PrivateIPAddressInUse",
            f"IP configuration requests private IP address {address} that is already allocated to resource "
            f"{used[address]}.",
        )
    try:
        inside = any(ip_address(address) in ip_network(prefix) for prefix in prefixes_of(subnet.content))
    except ValueError:
        inside = False
    if not inside:
        raise errors.bad(
            "PrivateIPAddressNotInSubnet",
            f"Private static IP address {address} does not belong to the range of subnet prefix "
            f"{', '.join(prefixes_of(subnet.content))}.",
        )
    return address


def _free(subnet: Stored, used: dict[str, str]) -> str:
    """The first address of a subnet that nobody has: Azure keeps the first four and the last."""
    for prefix in prefixes_of(subnet.content):
        network = ip_network(prefix)
        for offset in range(RESERVED_FIRST, network.num_addresses - RESERVED_LAST):
            address = str(network[offset])
            if address not in used:
                return address
    raise errors.bad("SubnetIsFull", f"Subnet {subnet.name} with address prefix {prefixes_of(subnet.content)} is full.")


def _refuse_address_delete(store: Store, key: str, stored: Stored, type_key: str) -> None:
    users = [
        holder
        for member in ("publicIPAddress", *GATEWAY_ADDRESSES, "addressPrefix", "publicIPPrefix")
        for holder in store.referrers(key, member).values()
    ]
    if type_key == PUBLIC_PREFIX:
        raise errors.bad(
            "PublicIPPrefixCannotBeDeleted",
            f"Public IP prefix {stored.id} can not be deleted since it is still allocated to resource {users[0]}.",
        )
    raise errors.bad(
        "PublicIPAddressCannotBeDeleted",
        f"Public IP address {stored.id} can not be deleted since it is still allocated to resource {users[0]}. In "
        "order to delete the public IP, disassociate/detach the Public IP address from the resource.  To learn how to "
        "do this, see aka.ms/deletepublicip.",
    )


def _size(target: Stored) -> int:
    """How many addresses an address or a prefix counts for."""
    if target.type.lower() != PUBLIC_PREFIX:
        return 1
    return prefix_size(members(target.content.get("properties")))


def _is_basic(content: Body) -> bool:
    return text(members(content.get("sku")).get("name")) == "Basic"
