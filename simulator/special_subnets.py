"""Subnets whose name is their purpose: who may live in one, how large it is, what it does not take."""

import msgspec

from simulator import errors
from simulator.ids import FIREWALL, VIRTUAL_GATEWAY, name_of
from simulator.ranges import parsed
from simulator.references import ROUTE_SERVER_CONFIGURATION, references
from simulator.store import Store, Stored
from simulator.wire import Body, elements, members, text

BASTION = "microsoft.network/bastionhosts"
MANAGED_INSTANCES = "microsoft.sql/managedinstances"


class Purpose(msgspec.Struct, frozen=True):
    """The one type (its key) that lives in such a subnet, and the longest IPv4 prefix it does with."""

    resident: str
    longest: int


PURPOSES = {
    "gatewaysubnet": Purpose(VIRTUAL_GATEWAY, 29),
    "azurefirewallsubnet": Purpose(FIREWALL, 26),
    "azurefirewallmanagementsubnet": Purpose(FIREWALL, 26),
    "azurebastionsubnet": Purpose(BASTION, 26),
    "routeserversubnet": Purpose(ROUTE_SERVER_CONFIGURATION, 27),
}
"""By the names of the subnets, in lower case."""
_NEED = {BASTION: "AzureBastionSubnet", ROUTE_SERVER_CONFIGURATION: "RouteServerSubnet"}
"""Residents that live nowhere else; firewalls and gateways have rules of their own."""


def check_resident(store: Store, resource_id: str, type_key: str, content: Body) -> None:
    """A resource as it would be in; refused in a subnet that is meant for others, or is too small for it."""
    for reference in references(resource_id, type_key, content):
        subnet = store.get(reference.target) if reference.member == "subnet" else None
        if subnet is None:
            continue
        needed, purpose = _NEED.get(type_key), PURPOSES.get(subnet.name.casefold())
        if needed is not None and subnet.name.casefold() != needed.casefold():
            raise errors.bad(
                "SubnetNameInvalid",
                f"Resource {resource_id} cannot be deployed on subnet {subnet.id}: it must be named {needed}.",
            )
        if purpose is not None and purpose.resident != type_key:
            raise errors.bad(
                "SubnetReservedForOtherResources",
                f"Resource {reference.holder} cannot be deployed on subnet {subnet.id}, which is reserved.",
            )
        if purpose is not None:
            _check_size(resource_id, subnet, purpose)


def check_nat_gateway(subnet_id: str, content: Body, gateway_id: str) -> None:
    """A subnet as it would be with a NAT gateway in; refused where none may be."""
    if name_of(subnet_id).casefold() == "gatewaysubnet":
        raise errors.bad(
            "NatGatewayNotAllowedOnGatewaySubnet", f"NAT Gateway {gateway_id} cannot be deployed on subnet {subnet_id}."
        )
    if MANAGED_INSTANCES in delegations_of(content):
        raise errors.bad(
            "NatGatewayNotAllowedOnDelegatedSubnet",
            f"NAT Gateway {gateway_id} cannot be deployed on subnet {subnet_id}, which is delegated to SQL managed "
            "instances.",
        )


def delegations_of(subnet: Body) -> list[str]:
    """A subnet's content in, the services it is delegated to out, in lower case and sorted."""
    delegations = elements(members(subnet.get("properties")).get("delegations"))
    return sorted(text(members(delegation.get("properties")).get("serviceName")).lower() for delegation in delegations)


def prefixes_of(subnet: Body) -> list[str]:
    """A subnet's content in, its ranges out, whichever of the two members says them."""
    properties = members(subnet.get("properties"))
    many = properties.get("addressPrefixes")
    if isinstance(many, list) and many:
        return [text(prefix) for prefix in many]
    one = text(properties.get("addressPrefix"))
    return [one] if one else []


def _check_size(resource_id: str, subnet: Stored, purpose: Purpose) -> None:
    for prefix in prefixes_of(subnet.content):
        found = parsed(prefix)
        if found is not None and found.version == 4 and found.length > purpose.longest:
            raise errors.bad(
                "SubnetSizeTooSmall",
                f"Resource {resource_id} cannot be deployed on subnet {subnet.id} with address prefix {prefix}: it "
                f"must be /{purpose.longest} or larger.",
            )
