"""How the nodes of a cluster get out: a network profile in, its outbound type out, and which type may follow which."""

from simulator.wire import Body, members, text

LOAD_BALANCER = "loadBalancer"
MANAGED_NAT = "managedNATGateway"
MANAGED_NAT_V2 = "managedNATGatewayV2"
USER_NAT = "userAssignedNATGateway"
USER_ROUTES = "userDefinedRouting"
NONE = "none"
BLOCK = "block"
TYPES = (LOAD_BALANCER, MANAGED_NAT, MANAGED_NAT_V2, USER_NAT, USER_ROUTES, NONE, BLOCK)
MANAGED_GATEWAYS = (MANAGED_NAT, MANAGED_NAT_V2)
NOT_IN_OWN_NETWORK = (*MANAGED_GATEWAYS, BLOCK)
"""Types for clusters whose network is AKS's."""

# To which other types a cluster may go from one, when its network is AKS's and when it is somebody's own.
FROM_MANAGED_NETWORK: dict[str, tuple[str, ...]] = {
    LOAD_BALANCER: (MANAGED_NAT_V2, MANAGED_NAT, NONE, BLOCK),
    MANAGED_NAT_V2: (),
    MANAGED_NAT: (MANAGED_NAT_V2, NONE, BLOCK),
    NONE: (LOAD_BALANCER, MANAGED_NAT_V2, MANAGED_NAT, BLOCK),
    BLOCK: (LOAD_BALANCER, MANAGED_NAT_V2, MANAGED_NAT, NONE),
}
FROM_OWN_NETWORK: dict[str, tuple[str, ...]] = {
    LOAD_BALANCER: (USER_NAT, USER_ROUTES, NONE),
    USER_NAT: (LOAD_BALANCER, USER_ROUTES, NONE),
    USER_ROUTES: (LOAD_BALANCER, USER_NAT, NONE),
    NONE: (LOAD_BALANCER, USER_NAT, USER_ROUTES),
}

_SPELLED = {name.lower(): name for name in TYPES}


def spelled(outbound_type: str) -> str:
    """An outbound type in any case in, AKS's spelling out; as it is when AKS does not know it."""
    return _SPELLED.get(outbound_type.lower(), outbound_type)


def outbound_of(network_profile: Body) -> str:
    """A cluster's network profile in, its outbound type out; the second NAT gateway is told by its SKU as well."""
    named = spelled(text(network_profile.get("outboundType"))) or LOAD_BALANCER
    sku = text(members(network_profile.get("natGatewayProfile")).get("sku"))
    return MANAGED_NAT_V2 if named == MANAGED_NAT and sku.lower() == "standardv2" else named


def may_follow(before: str, after: str, *, own_network: bool) -> bool:
    """Whether a cluster of one outbound type may become one of another, in somebody's own network or in AKS's."""
    allowed = FROM_OWN_NETWORK if own_network else FROM_MANAGED_NETWORK
    return before == after or after in allowed.get(before, ())
