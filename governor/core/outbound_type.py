"""How an AKS cluster is told to leave, and which change of that Azure allows: types and what they belong to, a table.

The table is facts/azure.md 4.2 (2026-08). A cluster in a network that Azure made and manages has other types than one
in a network of its owner, and can never leave by a route or by somebody's NAT gateway.
"""

from typing import Final

from governor.core.cluster import Cluster
from governor.core.path import Method
from governor.core.policy import PathKind

LOAD_BALANCER: Final = "loadBalancer"
ROUTED: Final = "userDefinedRouting"
MANAGED_NAT: Final = "managedNATGateway"
# Until 2026-06 a type of its own; since then the type is managedNATGateway and the SKU tells.
MANAGED_NAT_V2: Final = "managedNATGatewayV2"
OWN_NAT: Final = "userAssignedNATGateway"
NONE: Final = "none"
BLOCK: Final = "block"
# With these AKS makes addresses of its own for the cluster.
MAKES_ADDRESSES: Final = frozenset({LOAD_BALANCER, MANAGED_NAT, MANAGED_NAT_V2})
# With these it has no way out.
NOWHERE: Final = frozenset({NONE, BLOCK})
_BY_CASE: Final = {
    one.casefold(): one for one in (LOAD_BALANCER, ROUTED, MANAGED_NAT, MANAGED_NAT_V2, OWN_NAT, NONE, BLOCK)
}

# From each type, those that it may be changed to.
_MANAGED: Final = {
    LOAD_BALANCER: (MANAGED_NAT_V2, MANAGED_NAT, NONE, BLOCK),
    MANAGED_NAT_V2: (),
    MANAGED_NAT: (MANAGED_NAT_V2, NONE, BLOCK),
    NONE: (LOAD_BALANCER, MANAGED_NAT_V2, MANAGED_NAT, BLOCK),
    BLOCK: (LOAD_BALANCER, MANAGED_NAT_V2, MANAGED_NAT, NONE),
}
_OWN: Final = {
    LOAD_BALANCER: (OWN_NAT, ROUTED, NONE),
    OWN_NAT: (LOAD_BALANCER, ROUTED, NONE),
    ROUTED: (LOAD_BALANCER, OWN_NAT, NONE),
    NONE: (LOAD_BALANCER, OWN_NAT, ROUTED),
}

_OF_METHOD: Final = {
    Method.APPLIANCE: (ROUTED,),
    Method.GATEWAY: (ROUTED,),
    Method.NAT_GATEWAY: (OWN_NAT, MANAGED_NAT, MANAGED_NAT_V2),
    Method.OUTBOUND_RULE: (LOAD_BALANCER,),
    Method.IMPLICIT_SNAT: (LOAD_BALANCER,),
    Method.NONE: (NONE, BLOCK),
    Method.INSTANCE_PUBLIC_IP: (),
    Method.DEFAULT_OUTBOUND: (),
}


def canonical(text: str, sku: str | None = None) -> str:
    """A type as somebody writes it and the SKU of its NAT gateway in, the type as the table names it out."""
    known = _BY_CASE.get(text.casefold(), text)
    return MANAGED_NAT_V2 if known == MANAGED_NAT and (sku or "").casefold() == "standardv2" else known


def of(cluster: Cluster) -> str:
    """A cluster in, its type as the table names it out."""
    profile = cluster.network.nat_gateway_profile
    return canonical(cluster.outbound_type, profile.sku if profile else None)


def may_become(now: str, wanted: str, *, managed: bool) -> bool:
    """Two types in; whether a cluster may be changed from the one to the other, or is that already, out."""
    return now == wanted or wanted in (_MANAGED if managed else _OWN).get(now, ())


def exists(wanted: str, *, managed: bool) -> bool:
    """A type in, whether a cluster in a managed network (or in one of its owner) can have it at all out."""
    return wanted in (_MANAGED if managed else _OWN)


def meets(now: str, wanted: str) -> bool:
    """The type that a cluster has and one that a policy names in, whether the one is the other out."""
    return now == wanted or (now, wanted) == (MANAGED_NAT_V2, MANAGED_NAT)


def of_path(kind: PathKind, *, managed: bool) -> tuple[str, ...]:
    """A way out that a policy allows in; the types that belong to it, the one to prefer first, out.

    They need not exist in a managed network: then nothing but another cluster meets the policy. None belongs to a
    proxy, which works behind any of them.
    """
    match kind:
        case PathKind.NAT_GATEWAY:
            return (MANAGED_NAT if managed else OWN_NAT,)
        case PathKind.HUB | PathKind.VIRTUAL_WAN | PathKind.ON_PREMISES:
            return (ROUTED,)
        case PathKind.LOAD_BALANCER:
            return (LOAD_BALANCER,)
        case PathKind.ISOLATED:
            return (NONE, BLOCK) if managed else (NONE,)
        case PathKind.PROXY:
            return ()


def carries(now: str, method: Method) -> bool:
    """The type of a cluster and how one of its subnets leaves in, whether the two belong together out."""
    return now in _OF_METHOD[method]


def refusal(now: str, wanted: str, *, managed: bool) -> str | None:
    """The type that a cluster has and the one it should have in; why Azure does not change it, and the way out, out."""
    if may_become(now, wanted, managed=managed):
        return None
    table = _MANAGED if managed else _OWN
    if wanted not in table and managed:
        why = f"a cluster in a network that Azure manages cannot have outboundType {wanted}"
        way_out = "create it anew in a subnet of its own network"
    elif wanted not in table:
        why = f"a cluster in a network of its own cannot have outboundType {wanted}"
        way_out = "create it anew, or let the policy ask for another type"
    else:
        why = f"Azure does not change outboundType {now} to {wanted}"
        way_out = "create it anew with that type"
    left = [one for one in table.get(now, ()) if one != BLOCK]
    others = f"; if the policy asks for one of these, it may stay and become {' or '.join(left)}" if left else ""
    return f"{why}: {way_out}{others}"
