"""How many of a kind there may be in one place: what is to be made in, nothing or the refusal of one too many out.

Only what is new is refused. What an estate brought in is there, however much it is.
"""

import msgspec

from simulator import errors
from simulator.ids import (
    LOAD_BALANCER,
    NAT_GATEWAY,
    NIC,
    NSG,
    PUBLIC_IP,
    ROUTE_TABLE,
    VNET,
)
from simulator.store import Store

MOST_GROUPS = 980
MOST_SUBNETS = 3_000
MOST_SUBNETS_OF_GATEWAY = 800


class Limit(msgspec.Struct, frozen=True):
    """So many of a type in one region of one subscription, and how the refusal speaks of them."""

    most: int
    code: str
    noun: str


REGIONAL: dict[str, Limit] = {
    VNET: Limit(1_000, "VirtualNetworkCountLimitReached", "virtual networks"),
    ROUTE_TABLE: Limit(200, "RouteTableCountLimitReached", "route tables"),
    NAT_GATEWAY: Limit(1_000, "NatGatewayCountLimitReached", "NAT gateways"),
    NSG: Limit(5_000, "NetworkSecurityGroupCountLimitReached", "network security groups"),
    NIC: Limit(65_536, "NetworkInterfaceCountLimitReached", "network interfaces"),
    PUBLIC_IP: Limit(1_000, "PublicIPCountLimitReached", "public IP addresses"),
    LOAD_BALANCER: Limit(1_000, "LoadBalancerCountLimitReached", "load balancers"),
}
"""The limits of an ordinary subscription (an enterprise agreement); public addresses in Azure's own words."""


def check_regional(store: Store, resource_id: str, type_key: str, location: str) -> None:
    """A new top-level resource in; refused when its region holds as many as it may."""
    limit = REGIONAL.get(type_key)
    if limit is not None and store.count(resource_id.split("/")[2], type_key, location) >= limit.most:
        raise errors.bad(
            limit.code, f"Cannot create more than {limit.most} {limit.noun} for this subscription in this region."
        )


def check_subnets(network_id: str, count: int) -> None:
    """A network with a new subnet, and how many it would have then, in."""
    if count > MOST_SUBNETS:
        raise errors.bad(
            "SubnetCountLimitReached",
            f"Cannot create more than {MOST_SUBNETS} subnets in virtual network {network_id}.",
        )


def check_gateway(gateway_id: str, count: int) -> None:
    """A NAT gateway, and how many subnets it would have with a new one, in."""
    if count > MOST_SUBNETS_OF_GATEWAY:
        raise errors.bad(
            "NatGatewaySubnetLimitExceeded",
            f"NAT Gateway {gateway_id} cannot be used by more than {MOST_SUBNETS_OF_GATEWAY} subnets.",
        )


def check_groups(store: Store, subscription: str, name: str) -> None:
    """A new resource group in."""
    count = store.count_in(f"/subscriptions/{subscription}/resourcegroups".casefold())
    if count >= MOST_GROUPS:
        raise errors.gateway(
            409,
            "ResourceGroupQuotaExceeded",
            f"Creating the resource group '{name}' would exceed the quota of '{MOST_GROUPS}'. The current resource "
            f"group count is '{count}', please delete some groups before creating a new one.",
        )
