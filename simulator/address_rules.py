"""The Network provider's rules on addresses and what holds them: gateways, interfaces."""

from simulator import errors
from simulator.ids import NAT_GATEWAY, NIC, PUBLIC_PREFIX
from simulator.references import GATEWAY_ADDRESSES, references
from simulator.rules import basic_beside_nat
from simulator.shapes import prefix_size
from simulator.store import Store, Stored
from simulator.wire import Body, members, text

MOST_ADDRESSES = 16


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


def _size(target: Stored) -> int:
    """How many addresses an address or a prefix counts for."""
    if target.type.lower() != PUBLIC_PREFIX:
        return 1
    return prefix_size(members(target.content.get("properties")))


def _is_basic(content: Body) -> bool:
    return text(members(content.get("sku")).get("name")) == "Basic"
