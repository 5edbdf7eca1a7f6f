"""Private addresses: a resource with configurations in subnets in, each of them with an address of its own out."""

from ipaddress import ip_address, ip_network

from simulator import errors
from simulator.ids import NIC
from simulator.references import configurations
from simulator.special_subnets import prefixes_of
from simulator.store import Store, Stored
from simulator.wire import Body, members, text

RESERVED_FIRST, RESERVED_LAST = 4, 1
"""So many addresses at both ends of a subnet are Azure's."""


def place(store: Store, resource_id: str, type_key: str, content: Body, before: Body | None) -> None:
    """A resource's content in; each configuration that is in a subnet has a private address there afterwards.

    It keeps the one it had; an interface has every configuration in a subnet.
    """
    old = {
        text(element.get("name")).lower(): members(element.get("properties"))
        for _, element in configurations(type_key, members((before or {}).get("properties")))
    }
    given: dict[str, dict[str, str]] = {}
    for _, element in configurations(type_key, members(content.get("properties"))):
        sent = members(element.get("properties"))
        subnet = store.get(text(members(sent.get("subnet")).get("id")).casefold())
        if subnet is None:
            if type_key == NIC:
                raise errors.bad("SubnetNotSpecified", f"IP configuration {element['id']} must reference a subnet.")
            continue
        known = old.get(text(element.get("name")).lower(), {})
        same = text(members(known.get("subnet")).get("id")).casefold() == subnet.id.casefold()
        static = sent.get("privateIPAllocationMethod") == "Static" and text(sent.get("privateIPAddress"))
        kept = text(known.get("privateIPAddress")) if same else ""
        address = text(sent.get("privateIPAddress")) if static else kept
        used = given.setdefault(subnet.id.casefold(), _used(store, subnet, resource_id))
        chosen = _checked(address, subnet, used) if address else _free(subnet, used)
        used[chosen] = resource_id
        element["properties"] = {"privateIPAllocationMethod": "Dynamic", **sent, "privateIPAddress": chosen}


def _used(store: Store, subnet: Stored, resource_id: str) -> dict[str, str]:
    """A subnet in, the addresses taken in it by others and by whom out."""
    taken: dict[str, str] = {}
    owners = {store.owner(holder) for holder in store.referrers(subnet.id.casefold(), "subnet")}
    for owner in owners - {None, resource_id.casefold()}:
        stored = store.get(owner or "")
        if stored is None:
            continue
        for _, element in configurations(stored.type.lower(), members(stored.content.get("properties"))):
            address = text(members(element.get("properties")).get("privateIPAddress"))
            if address:
                taken[address] = stored.id
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
