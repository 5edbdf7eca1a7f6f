"""The Network provider's rules on addresses and what holds them: gateways, load balancers, interfaces."""

from simulator import errors
from simulator.ids import LOAD_BALANCER, NAT_GATEWAY, NIC, PUBLIC_PREFIX
from simulator.references import GATEWAY_ADDRESSES, references
from simulator.rules import basic_beside_nat
from simulator.shapes import prefix_size
from simulator.store import Store, Stored
from simulator.wire import Body, elements, members, text

MOST_ADDRESSES = 16
SHORTEST_TIMEOUT, LONGEST_TIMEOUT, LONGEST_TIMEOUT_OF_ADDRESS = 4, 120, 30
"""In minutes; the longest is a NAT gateway's."""


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
        if _prefers_internet(target.content):
            raise errors.bad(
                "NatGatewayPublicIpRoutingPreferenceNotSupported",
                f"NAT Gateway {resource_id} cannot reference resource {target.id} with routing preference Internet.",
            )
        count += _size(target)
    timeout = members(content.get("properties")).get("idleTimeoutInMinutes", SHORTEST_TIMEOUT)
    if not SHORTEST_TIMEOUT <= timeout <= LONGEST_TIMEOUT:
        raise _bad_timeout(resource_id, timeout, LONGEST_TIMEOUT)
    if count > MOST_ADDRESSES * (2 if sku == "StandardV2" else 1):
        raise errors.bad(
            "NatGatewayPublicIpLimitExceeded",
            f"NAT Gateway {resource_id} references {count} public IP addresses, more than {MOST_ADDRESSES}.",
        )
    check_addresses_free(store, resource_id, NAT_GATEWAY, content)


def check_public_address(resource_id: str, content: Body) -> None:
    """A public address as it would be in; refused when its sku does not go with how it gets its number."""
    properties = members(content.get("properties"))
    sku, method = text(members(content.get("sku")).get("name")), properties.get("publicIPAllocationMethod")
    if sku != "Basic" and method != "Static":
        raise errors.bad(
            "StandardSkuPublicIPAddressesMustBeStatic",
            f"Standard sku publicIp {resource_id} must have AllocationMethod set to Static.",
        )
    if sku == "Basic" and method == "Static" and properties.get("publicIPAddressVersion") == "IPv6":
        raise errors.bad(
            "CannotSpecifyPublicIpAllocationMethodAsStaticForIpV6PublicIp",
            "Cannot specify publicIpAllocationMethod as Static for IPv6 PublicIp",
        )
    timeout = properties.get("idleTimeoutInMinutes", SHORTEST_TIMEOUT)
    if not SHORTEST_TIMEOUT <= timeout <= LONGEST_TIMEOUT_OF_ADDRESS:
        raise _bad_timeout(resource_id, timeout, LONGEST_TIMEOUT_OF_ADDRESS)


def check_skus(store: Store, balancer_id: str, content: Body) -> None:
    """A load balancer as it would be in; its public addresses are of its sku."""
    sku = text(members(content.get("sku")).get("name"))
    for reference in references(balancer_id, LOAD_BALANCER, content):
        address = store.get(reference.target) if reference.member == "publicIPAddress" else None
        if address is not None and _is_basic(address.content) != (sku == "Basic"):
            raise errors.bad(
                "PublicIPAndLBSkuDoNotMatch",
                f"{sku} sku load balancer {balancer_id} cannot reference "
                f"{text(members(address.content.get('sku')).get('name'))} sku publicIP {address.id}.",
            )


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


def _prefers_internet(address: Body) -> bool:
    tags = elements(members(address.get("properties")).get("ipTags"))
    return any((tag.get("ipTagType"), tag.get("tag")) == ("RoutingPreference", "Internet") for tag in tags)


def _bad_timeout(resource_id: str, given: int, longest: int) -> errors.ArmError:
    return errors.bad(
        "InvalidIdleTimeout",
        f"Idle timeout of {given} minutes of resource {resource_id} is not valid. Allowed range "
        f"{SHORTEST_TIMEOUT}-{longest}.",
    )


def _is_basic(content: Body) -> bool:
    return text(members(content.get("sku")).get("name")) == "Basic"
