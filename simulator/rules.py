"""The Network provider's rules on VNets and subnets: a write as it would be in, nothing or its refusal out."""

from itertools import pairwise

import msgspec

from simulator import errors, limits, special_subnets
from simulator.ids import SUBNET, name_of, parent_key
from simulator.ranges import Range, parsed
from simulator.reference_rules import check_references
from simulator.references import references
from simulator.route_tables import check_attached
from simulator.special_subnets import delegations_of, prefixes_of
from simulator.store import Store, Stored
from simulator.wire import Body, elements, members, text

SMALLEST = {4: 29, 6: 64}
"""The longest prefix a subnet may have, by IP version."""


class Planned(msgspec.Struct, frozen=True):
    """A subnet as it would be after the write; `before` is what it was, None when it is new."""

    id: str
    content: Body
    before: Body | None = None

    @property
    def key(self) -> str:
        return self.id.casefold()


class PlannedNetwork(msgspec.Struct, frozen=True):
    """A VNet as it would be after the write, with all its subnets; `written` are the keys of those the write names."""

    id: str
    location: str
    prefixes: tuple[str, ...]
    subnets: dict[str, Planned]
    written: frozenset[str]


def check_network(store: Store, network: PlannedNetwork) -> None:
    """A VNet as it would be in; refused when a subnet lies outside, overlaps, is in use, or names what it may not."""
    if any(network.subnets[key].before is None for key in network.written):
        limits.check_subnets(network.id, len(network.subnets))
    _check_ranges(network)
    for key in network.written:
        subnet = network.subnets[key]
        check_in_use_update(store, subnet)
        _check_sharing(subnet)
        check_references(store, subnet.id, SUBNET, subnet.content, network.location)
        check_attached(store, subnet.id, subnet.content, subnet.before)
        check_nat_gateway(store, network, subnet)


def check_in_use_update(store: Store, subnet: Planned) -> None:
    """An occupied subnet keeps its ranges and its delegations."""
    before = subnet.before
    if before is None or not occupants(store, subnet.key):
        return
    same_ranges = set(prefixes_of(before)) == set(prefixes_of(subnet.content))
    if not same_ranges or delegations_of(before) != delegations_of(subnet.content):
        raise errors.bad("InUseSubnetCannotBeUpdated", f"Subnet {name_of(subnet.id)} is in use and cannot be updated.")


def _check_sharing(subnet: Planned) -> None:
    """Only a private subnet is shared."""
    properties = members(subnet.content.get("properties"))
    if properties.get("sharingScope") and properties.get("defaultOutboundAccess") is not False:
        raise errors.bad(
            "SubnetSharingRequiresPrivateSubnet",
            f"Subnet {subnet.id} cannot have sharingScope unless defaultOutboundAccess is false.",
        )


def check_subnet_delete(store: Store, key: str, subnet: Stored) -> None:
    """A subnet with occupants stays."""
    users = occupants(store, key)
    if users:
        raise errors.bad(
            "InUseSubnetCannotBeDeleted",
            f"Subnet {subnet.name} is in use by {users[0]} and cannot be deleted. In order to delete the subnet, "
            "delete all the resources within the subnet. See aka.ms/deletesubnet.",
        )


def check_nat_gateway(store: Store, network: PlannedNetwork, subnet: Planned) -> None:
    """A subnet's NAT gateway: one VNet only, no gateway subnet, no Basic neighbours."""
    properties = members(subnet.content.get("properties"))
    gateway = store.get(text(members(properties.get("natGateway")).get("id")).casefold())
    if gateway is None:
        return
    special_subnets.check_nat_gateway(subnet.id, subnet.content, gateway.id)
    served = store.referrers(gateway.id.casefold(), "natGateway")
    mine = network.id.casefold()
    if any(parent_key(other) != mine for other in served):
        raise errors.bad(
            "NatGatewayCannotBeUsedBySubnetsBelongingToDifferentVirtualNetworks",
            f"NAT Gateway {gateway.id} cannot be used by subnets belonging to different virtual networks.",
        )
    if subnet.key not in served:
        limits.check_gateway(gateway.id, len(served) + 1)
    for holder_key in store.referrers(subnet.key, "subnet"):
        user = store.owner(holder_key)
        if user is not None and uses_basic(store, user):
            raise basic_beside_nat(gateway.id, user, subnet.id)


def basic_beside_nat(gateway_id: str, user: str, subnet_id: str) -> errors.ArmError:
    """A NAT gateway and a Basic address or load balancer in one subnet."""
    return errors.bad(
        "SubnetWithNatGatewayAndBasicSkuResourceNotAllowed",
        f"NAT Gateway {gateway_id} cannot be deployed on subnet containing Basic SKU Public IP addresses or Basic SKU "
        f"Load Balancer. NIC {user} in subnet {subnet_id} has reference to Basic SKU Public IP address or "
        "Load Balancer.",
    )


def uses_basic(store: Store, user: str) -> bool:
    """Whether an occupant is a Basic load balancer, or names a Basic address or the pool of one."""
    stored = store.get(user)
    if stored is None:
        return False
    content = stored.content
    if _sku(content) == "Basic":
        return True
    for reference in references(stored.id, stored.type.lower(), content):
        address = store.get(reference.target) if reference.member == "publicIPAddress" else None
        if address is not None and _sku(address.content) == "Basic":
            return True
    for configuration in elements(members(content.get("properties")).get("ipConfigurations")):
        for pool in elements(members(configuration.get("properties")).get("loadBalancerBackendAddressPools")):
            balancer = store.get(parent_key(text(pool.get("id")).casefold()))
            if balancer is not None and _sku(balancer.content) == "Basic":
                return True
    return False


def occupants(store: Store, subnet_key: str) -> list[str]:
    """A subnet in, the ids of the configurations in it out."""
    return list(store.referrers(subnet_key, "subnet").values())


def _check_ranges(network: PlannedNetwork) -> None:
    """Every range is one, is large enough, lies in the network, and overlaps none; nor do those of the network.

    A subnet that an estate brought in without a proper range is nobody's fault who writes its sibling.
    """
    spaces = [_range(prefix, network.id) for prefix in network.prefixes]
    for first_space, next_space in pairwise(sorted(spaces)):
        if first_space.overlaps(next_space):
            raise errors.bad(
                "VnetAddressPrefixesOverlap", f"The address prefixes of virtual network {network.id} overlap."
            )
    placed: list[tuple[Range, Planned]] = []
    for subnet in network.subnets.values():
        for prefix in prefixes_of(subnet.content) or [""]:
            found = _range(prefix, subnet.id) if subnet.key in network.written else parsed(prefix)
            if found is None:
                continue
            if subnet.key in network.written and found.length > SMALLEST[found.version]:
                raise errors.bad(
                    "NetcfgInvalidSubnet",
                    f"Subnet '{name_of(subnet.id)}' is not valid in virtual network '{name_of(network.id)}'.",
                )
            if spaces and not any(found.lies_in(space) for space in spaces):
                raise errors.bad(
                    "NetcfgSubnetRangeOutsideVnet",
                    f"Subnet '{name_of(subnet.id)}' is not valid because its IP address range is outside the IP "
                    f"address range of virtual network '{name_of(network.id)}'.",
                )
            placed.append((found, subnet))
    placed.sort(key=lambda pair: pair[0])
    for (first, one), (second, other) in pairwise(placed):
        if first.overlaps(second) and not network.written.isdisjoint((one.key, other.key)):
            raise errors.bad(
                "NetcfgSubnetRangesOverlap",
                f"Subnet '{name_of(other.id)}' is not valid because its IP address range overlaps with that of an "
                f"existing subnet in virtual network '{name_of(network.id)}'.",
            )


def _range(prefix: str, resource_id: str) -> Range:
    if not prefix:
        raise errors.bad(
            "AddressPrefixStringCannotBeNullOrEmpty",
            f"Address prefix string for resource {resource_id} cannot be null or empty.",
        )
    found = parsed(prefix)
    if found is None:
        raise errors.bad(
            "InvalidAddressPrefixFormat",
            f"Address prefix {prefix} of resource {resource_id} is not formatted correctly.",
        )
    return found


def _sku(content: Body) -> str:
    return text(members(content.get("sku")).get("name"))
