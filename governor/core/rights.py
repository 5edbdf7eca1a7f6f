"""What others must let the governor do: steps in, the actions that they need on resources of others out.

A run's own network, and tables that the governor made, are in its reach: a write there asks for nothing beforehand.
"""

import re
from collections.abc import Iterable
from typing import Final, assert_never

from governor.core import facts, ids, joins
from governor.core.cluster import Cluster
from governor.core.estate import EVERYTHING, Estate, permissions
from governor.core.hub_verdict import is_own
from governor.core.joins import Right
from governor.core.plan import Gate, Reason
from governor.core.step import (
    CreateNatGateway,
    CreatePublicIp,
    CreatePublicIpPrefix,
    CreateResourceGroup,
    CreateRouteTable,
    DeleteAddress,
    DeleteNatGateway,
    DeletePeering,
    DeleteRoute,
    Step,
    WriteAzurePolicy,
    WriteCluster,
    WriteInterface,
    WritePeering,
    WritePropagation,
    WriteProxy,
    WriteRoute,
    WriteSubnet,
    WriteTag,
)

_PEERINGS: Final = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings"
_PEER: Final = "Microsoft.Network/virtualNetworks/peer/action"
_TABLES: Final = "Microsoft.Network/routeTables"
_CLUSTERS: Final = "Microsoft.ContainerService/managedClusters"
_POLICY_TYPES: Final = {
    ids.POLICY_DEFINITION: "policyDefinitions",
    ids.POLICY_ASSIGNMENT: "policyAssignments",
    ids.POLICY_EXEMPTION: "policyExemptions",
}
_JOIN: Final = "Microsoft.Network/virtualNetworks/subnets/join/action"


def needed(step: Step, estate: Estate) -> tuple[Right, ...]:
    """A step in, what others must allow for it out (facts/azure.md 9)."""
    match step:
        case WritePeering():
            wanted: tuple[Right, ...] = (
                Right(f"{_PEERINGS}/write", ids.parent(step.target)),
                Right(_PEER, step.remote),
            )
        case DeletePeering():
            wanted = (Right(f"{_PEERINGS}/delete", ids.parent(step.target)),)
        case WriteRoute():
            wanted = (Right(f"{_TABLES}/routes/write", ids.parent(step.target)),)
        case DeleteRoute():
            wanted = (Right(f"{_TABLES}/routes/delete", ids.parent(step.target)),)
        case WritePropagation():
            wanted = (Right(f"{_TABLES}/write", step.target),)
        case WriteSubnet():
            table = step.to.route_table
            wanted = (Right(f"{_TABLES}/join/action", table),) if isinstance(table, str) else ()
        case WriteCluster() | WriteProxy():
            wanted = _of_cluster(step, estate)
        case CreateResourceGroup() | CreatePublicIp() | CreatePublicIpPrefix() | CreateNatGateway():
            wanted = ()
        case WriteInterface():
            nic = estate.find(step.target, facts.NetworkInterface)
            named = joins.of_interface(step, nic) if isinstance(nic, facts.NetworkInterface) else ()
            wanted = (Right("Microsoft.Network/networkInterfaces/write", step.target), *named)
        case WriteTag() if ids.kind(step.target) == ids.NAT_GATEWAY:
            wanted = ()
        case WriteTag():
            address = estate.known.get(ids.key(step.target))
            named = joins.of_address(address) if isinstance(address, facts.PublicIp | facts.PublicIpPrefix) else ()
            wanted = (Right(f"{_address_type(step.target)}/write", step.target), *named)
        case DeleteAddress():
            wanted = (Right(f"{_address_type(step.target)}/delete", step.target),)
        case WriteAzurePolicy():
            wanted = _of_azure_policy(step)
        case CreateRouteTable() | DeleteNatGateway():
            wanted = ()
        case _:
            assert_never(step)
    return tuple(right for right in wanted if _is_of_others(right.scope, estate))


def _of_azure_policy(step: WriteAzurePolicy) -> tuple[Right, ...]:
    """Asked of the subscription: what is exempt need not be there yet."""
    parts = ids.parse(step.target)
    scope, verb = f"/subscriptions/{parts.subscription}", "delete" if step.to is None else "write"
    right = Right(f"Microsoft.Authorization/{_POLICY_TYPES[parts.type]}/{verb}", scope)
    if parts.type != ids.POLICY_EXEMPTION:
        return (right,)
    return (right, Right("Microsoft.Authorization/policyAssignments/exempt/action", scope))


def _address_type(address: str) -> str:
    prefix = ids.kind(address) == ids.PUBLIC_IP_PREFIX
    return f"Microsoft.Network/{'publicIPPrefixes' if prefix else 'publicIPAddresses'}"


def _of_cluster(step: WriteCluster | WriteProxy, estate: Estate) -> tuple[Right, ...]:
    """Whoever writes a cluster must be allowed to join all that its body names (facts/azure.md 9)."""
    cluster = estate.find(step.target, Cluster)
    subnets = cluster.subnets if isinstance(cluster, Cluster) else ()
    return (Right(f"{_CLUSTERS}/write", step.target), *(Right(_JOIN, subnet) for subnet in dict.fromkeys(subnets)))


def _is_of_others(scope: str, estate: Estate) -> bool:
    """Whether a network is not the run's own, or a table is there that is none of ours. Other things are others'."""
    if ids.kind(scope) == ids.VIRTUAL_NETWORK:
        return not any(ids.same(network.id, scope) for network in estate.networks)
    if ids.kind(scope) != ids.ROUTE_TABLE:
        return True
    table = estate.find(scope, facts.RouteTable)
    return isinstance(table, facts.RouteTable) and not is_own(table)


def asked(steps: Iterable[Step], estate: Estate) -> tuple[str, ...]:
    """Steps in, the names of the lists that say whether they are allowed out."""
    return tuple(dict.fromkeys(permissions(right.scope) for step in steps for right in needed(step, estate)))


def forbidden(steps: Iterable[Step], estate: Estate) -> Reason | None:
    """Steps in, which permission they lack, or that this could not be read, out."""
    if EVERYTHING in estate.listed:
        return None  # an exported estate tells nothing of what we may do in it
    missing: dict[str, list[str]] = {}
    for right in dict.fromkeys(right for step in steps for right in needed(step, estate)):
        known = estate.find(ids.permissions(right.scope), facts.Permissions)
        if not isinstance(known, facts.Permissions):
            text = f"what the governor may do on {ids.name(right.scope)} could not be read: {_why(right.scope, estate)}"
            return Reason(Gate.UNSEEN, text)
        if not grants(known, right.action):
            missing.setdefault(right.scope, []).append(right.action)
    if not missing:
        return None
    texts = (
        f"the governor may not {' and '.join(actions)} on {ids.name(scope)}: grant it there ({scope})"
        for scope, actions in missing.items()
    )
    return Reason(Gate.RIGHTS, "; ".join(texts))


def grants(known: facts.Permissions, action: str) -> bool:
    """Permissions and an action in; whether one of them allows it out. What one leaves out another may allow."""
    return any(_covers(one.actions or (), action) and not _covers(one.not_actions or (), action) for one in known.value)


def _covers(patterns: tuple[str, ...], action: str) -> bool:
    """Whether one of the patterns, in which `*` stands for anything, is that of an action."""
    return any(re.fullmatch(_expression(pattern), action, re.IGNORECASE) for pattern in patterns)


def _expression(pattern: str) -> str:
    """A pattern in, its expression out; it never goes back over what it has found, however many asterisks there are."""
    first, *others = map(re.escape, re.split(r"\*+", pattern))
    if not others:
        return first
    return first + "".join(f"(?>.*?{part})" for part in others[:-1]) + f".*{others[-1]}"


def _why(scope: str, estate: Estate) -> str:
    """Why there are no Permissions of a scope: the list was not read, or not understood, or its scope is gone."""
    name = permissions(scope)
    told = next((gap.why for gap in estate.gaps if gap.about in (name, ids.key(ids.permissions(scope)))), "")
    return told or ("it is gone" if estate.has_listed(name) else "not read")
