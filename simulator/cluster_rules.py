"""AKS's rules on a cluster and its pools as they would be: what goes together, and what cannot change."""

import re

from simulator import errors
from simulator.agent_pools import check_unchanged
from simulator.cluster_egress_rules import check_egress
from simulator.cluster_proxies import check_proxy
from simulator.outbound_types import (
    LOAD_BALANCER,
    MANAGED_GATEWAYS,
    NONE,
    NOT_IN_OWN_NETWORK,
    TYPES,
    USER_NAT,
    USER_ROUTES,
    may_follow,
)
from simulator.planned_clusters import Planned
from simulator.store import Store
from simulator.wire import Body, members, text

MODES = ("System", "User", "Gateway")
MOST_NODES = 1000
_POOL_NAME = re.compile(r"[a-z][a-z0-9]{0,11}")
_UNCHANGING = ("dnsPrefix", "nodeResourceGroup")
_UNCHANGING_IN_NETWORK = ("serviceCidr", "dnsServiceIP", "loadBalancerSku")


def check(store: Store, planned: Planned, sent: Body) -> None:
    """A cluster as it would be and its network profile as sent in; refused where AKS would refuse it."""
    check_pools(planned)
    _check_unchanged(planned)
    if planned.outbound not in TYPES:
        raise errors.cluster(
            400, "UnsupportedOutboundType", f"The outbound type '{planned.outbound}' is not supported."
        )
    if planned.outbound_before and not may_follow(
        planned.outbound_before, planned.outbound, own_network=bool(planned.node_subnets)
    ):
        raise errors.cluster(
            400,
            "UpdatingOutboundTypeNotAllowed",
            f"Updating the outbound type from {planned.outbound_before} to {planned.outbound} is not allowed. "
            "Please see http://aka.ms/aks/outboundtype for more details",
        )
    _check_network(planned)
    check_egress(store, planned, sent)
    check_proxy(planned)


def check_pools(planned: Planned) -> None:
    """The pools a cluster would have in; refused without one for the system, or when one does not fit the rest."""
    if not any(pool.get("mode", "System") == "System" for pool in planned.pools.values()):
        raise errors.cluster(400, "MustDefineAtLeastOneSystemPool", "There has to be at least one system agent pool.")
    placed = [bool(text(pool.get("vnetSubnetID"))) for pool in planned.pools.values()]
    if any(placed) and not all(placed):
        raise errors.cluster(
            400, "AgentPoolsWithEmptySubnetError", "Either all agent pools name a subnet or none of them does."
        )
    for name, pool in planned.pools.items():
        _check_pool(name, pool)
        if name in planned.pools_before:
            check_unchanged(pool, planned.pools_before[name])
        size = members(pool.get("gatewayProfile")).get("publicIPPrefixSize", 31)
        if pool.get("mode") == "Gateway" and (pool.get("podSubnetID") or size not in range(28, 32)):
            raise errors.cluster(
                400,
                "InvalidParameter",
                f"Agent pool {name} of mode Gateway takes no pod subnet and a publicIPPrefixSize from 28 to 31.",
            )
        if planned.outbound == USER_ROUTES and pool.get("enableNodePublicIP") is True:
            raise errors.cluster(
                400,
                "UDRWithNodePublicIPNotAllowed",
                f"Agent pool {name} cannot have node public IPs when the outbound type is {USER_ROUTES}.",
            )


def _check_pool(name: str, pool: Body) -> None:
    """What a pool says by itself."""
    count = pool.get("count", 0)
    if not _POOL_NAME.fullmatch(name) or pool.get("mode", "System") not in MODES or count not in range(MOST_NODES + 1):
        raise errors.cluster(
            400,
            "InvalidParameter",
            f"Agent pool '{name}' needs a name of at most 12 small letters and digits, one of the modes "
            f"{', '.join(MODES)}, and at most {MOST_NODES} nodes.",
        )


def _check_unchanged(planned: Planned) -> None:
    before = planned.before
    if before is None:
        return
    for name in _UNCHANGING:
        if (
            text(planned.properties.get(name)).casefold()
            != text(before.get(name, planned.properties.get(name))).casefold()
        ):
            raise errors.property_change_not_allowed(name)
    known = members(before.get("networkProfile"))
    for name in _UNCHANGING_IN_NETWORK:
        if text(planned.network.get(name)).casefold() != text(known.get(name, planned.network.get(name))).casefold():
            raise errors.property_change_not_allowed(f"networkProfile.{name}")


def _check_network(planned: Planned) -> None:
    """Which network, which load balancer and which kind of pools an outbound type takes."""
    outbound, own = planned.outbound, bool(planned.node_subnets)
    if outbound in MANAGED_GATEWAYS and own:
        raise errors.cluster(
            400,
            "ManagedNATGatewayWithCustomVNetNotAllowed",
            f"The outbound type {outbound} is not allowed with a custom virtual network.",
        )
    if outbound == USER_NAT and not own:
        raise errors.cluster(
            400,
            "UserAssignedNATGatewayWithManagedVNetNotAllowed",
            f"The outbound type {outbound} is not allowed with a managed virtual network.",
        )
    if (outbound == USER_ROUTES and not own) or (outbound in NOT_IN_OWN_NETWORK and own):
        raise errors.cluster(
            400,
            "UnsupportedOutboundType",
            f"The outbound type {outbound} is not supported with a {'custom' if own else 'managed'} virtual network.",
        )
    isolated = members(planned.properties.get("bootstrapProfile")).get("artifactSource") == "Cache"
    if outbound == NONE and not isolated:
        raise errors.cluster(
            400,
            "UnsupportedOutboundType",
            f"The outbound type {outbound} is only supported for network isolated clusters, whose "
            "bootstrapProfile.artifactSource is Cache.",
        )
    plain = all(pool.get("type") == "VirtualMachineScaleSets" for pool in planned.pools.values())
    if outbound != LOAD_BALANCER and (text(planned.network.get("loadBalancerSku")).lower() != "standard" or not plain):
        raise errors.cluster(
            400,
            "UnexpectedLoadBalancerSkuForCurrentOutboundConfiguration",
            f"The outbound type {outbound} needs a standard load balancer and pools of virtual machine scale sets.",
        )
