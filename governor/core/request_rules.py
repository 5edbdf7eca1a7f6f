"""What a policy denies when it is asked for: a policy in; by kind of request, with which effect, and when, out."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final, assert_never

from governor.core.occupancy import SPECIAL
from governor.core.outbound_type import MANAGED_NAT, MANAGED_NAT_V2, of_path
from governor.core.policy import Mode, PathKind, Policy, Requirement
from governor.core.request_conditions import Alone, Body, Held, Network, Place, Subnet, Unsayable, all_of, named, within

_NIC: Final = "Microsoft.Network/networkInterfaces"
_CONFIGURATIONS: Final = f"{_NIC}/ipConfigurations[*]"
_SET: Final = "Microsoft.Compute/virtualMachineScaleSets"
_SET_CONFIGURATIONS: Final = (
    f"{_SET}/virtualMachineProfile.networkProfile.networkInterfaceConfigurations[*].ipConfigurations[*]"
)
_BALANCER: Final = "Microsoft.Network/loadBalancers"
_FRONTENDS: Final = f"{_BALANCER}/frontendIPConfigurations[*]"
_NETWORK: Final = "Microsoft.Network/virtualNetworks"
_CLUSTER: Final = "Microsoft.ContainerService/managedClusters"
_POOLS: Final = f"{_CLUSTER}/agentPoolProfiles[*]"
ACTING: Final = ("audit", "deny")
UNMANAGED: Final[Body] = {"value": "[resourceGroup().managedBy]", "exists": False}
"""Not in a group that a service keeps for itself: a cluster must be able to make what it needs there."""


class Kind(StrEnum):
    """What is asked for."""

    INTERFACE = "interface"
    SCALE_SET = "scaleset"
    BALANCER = "balancer"
    NETWORK = "network"
    SUBNET = "subnet"
    CLUSTER = "cluster"


TYPES: Final = {
    Kind.INTERFACE: _NIC,
    Kind.SCALE_SET: _SET,
    Kind.BALANCER: _BALANCER,
    Kind.NETWORK: _NETWORK,
    Kind.SUBNET: f"{_NETWORK}/subnets",
    Kind.CLUSTER: _CLUSTER,
}
REQUIREMENTS: Final = {
    Kind.INTERFACE: Requirement.NIC_PUBLIC_IP,
    Kind.SCALE_SET: Requirement.VMSS_PUBLIC_IP,
    Kind.BALANCER: Requirement.LOAD_BALANCER_PUBLIC_FRONTEND,
    Kind.NETWORK: Requirement.SUBNET_PRIVATE,
    Kind.SUBNET: Requirement.SUBNET_PRIVATE,
    Kind.CLUSTER: Requirement.CLUSTER_OUTBOUND_TYPE,
}
TITLES: Final = {
    Kind.INTERFACE: "network interfaces have no public address",
    Kind.SCALE_SET: "scale sets give no public addresses to their machines",
    Kind.BALANCER: "load balancers have no public frontend",
    Kind.NETWORK: "virtual networks come with private subnets",
    Kind.SUBNET: "subnets are private",
    Kind.CLUSTER: "clusters leave by the outbound type of their way out",
}
PLACES: Final[dict[Kind, Place]] = {
    Kind.INTERFACE: Held(f"{_CONFIGURATIONS}.subnet.id"),
    Kind.SCALE_SET: Held(f"{_SET_CONFIGURATIONS}.subnet.id"),
    Kind.BALANCER: Alone(),
    Kind.NETWORK: Network(),
    Kind.SUBNET: Subnet(),
    Kind.CLUSTER: Held(f"{_POOLS}.vnetSubnetID"),
}


def effects(policy: Policy) -> dict[Kind, str]:
    """A policy in; what it denies or audits at the request, by kind, out: nothing while it only reports."""
    if policy.mode is Mode.AUDIT:
        return {}
    found: dict[Kind, str] = {}
    addresses = policy.public_ips
    if addresses.default != "allow" and addresses.at_request_time in ACTING:
        denies = addresses.default == "deny" and addresses.at_request_time == "deny"
        found |= dict.fromkeys((Kind.INTERFACE, Kind.SCALE_SET, Kind.BALANCER), "Deny" if denies else "Audit")
    if policy.egress.default_outbound_access == "deny":
        found |= dict.fromkeys((Kind.NETWORK, Kind.SUBNET), "Deny")
    if policy.clusters.at_request_time in ACTING and outbound_types(policy):
        found[Kind.CLUSTER] = "Deny" if policy.clusters.at_request_time == "deny" else "Audit"
    return found


def outbound_types(policy: Policy) -> tuple[str, ...]:
    """A policy in, the outbound types that a cluster it governs may have out; none: it does not ask."""
    wanted = policy.clusters.outbound_type
    if wanted == "ignore" or (wanted == "match" and policy.builds is PathKind.PROXY):
        return ()
    if wanted != "match":
        return (wanted, MANAGED_NAT_V2) if wanted == MANAGED_NAT else (wanted,)
    types = [one for kind in policy.allowed for managed in (False, True) for one in of_path(kind, managed=managed)]
    return tuple(dict.fromkeys((*types, MANAGED_NAT_V2) if MANAGED_NAT in types else types))


def advice(kind: Kind, policy: Policy) -> str:
    """A kind of request and its policy in; what to ask for instead, for whoever is refused, out."""
    match kind:
        case Kind.INTERFACE:
            return "leave publicIPAddress out of its ip configurations" + _but_allowed(policy)
        case Kind.SCALE_SET:
            return "leave publicIPAddressConfiguration out of its network profile"
        case Kind.BALANCER:
            return "give its frontends a subnet instead of a public address" + _but_allowed(policy)
        case Kind.NETWORK | Kind.SUBNET:
            return "set defaultOutboundAccess to false"
        case Kind.CLUSTER:
            first = next(iter(outbound_types(policy)), "")
            return f"use --outbound-type {first} (networkProfile.outboundType)"
    assert_never(kind)


def _but_allowed(policy: Policy) -> str:
    names = [name for entry in policy.public_ips.allow if not entry.attached_to for name in entry.names]
    return f", or take an address named {' or '.join(names)}" if names else ""


def condition(kind: Kind, policy: Policy, governed: tuple[Body, ...]) -> Body:
    """A kind of request, a policy and what holds for what it governs in; when it denies such a request out."""
    return all_of(({"field": "type", "equals": TYPES[kind]}, UNMANAGED, *_denied(kind, policy, governed)))


def _denied(kind: Kind, policy: Policy, governed: tuple[Body, ...]) -> tuple[Body, ...]:
    match kind:
        case Kind.INTERFACE:
            address = f"{_CONFIGURATIONS}.publicIpAddress.id"
            allowed = tuple({"not": within(address, "publicIPAddresses", names, "")} for names in _allowed(policy))
            return (_some(_CONFIGURATIONS, ({"field": address, "exists": True}, *governed, *allowed)),)
        case Kind.SCALE_SET:
            name = f"{_SET_CONFIGURATIONS}.publicIPAddressConfiguration.name"
            return (_some(_SET_CONFIGURATIONS, ({"field": name, "exists": True}, *governed)),)
        case Kind.BALANCER:
            if PathKind.LOAD_BALANCER in policy.allowed:
                raise Unsayable("frontends that only outbound rules use are allowed, and a request cannot be told so")
            address = f"{_FRONTENDS}.publicIPAddress.id"
            allowed = tuple({"not": within(address, "publicIPAddresses", names, "")} for names in _allowed(policy))
            return (*governed, _some(_FRONTENDS, ({"field": address, "exists": True}, *allowed)))
        case Kind.NETWORK:
            inside = f"{_NETWORK}/subnets[*]"
            return (_some(inside, (*_not_private(f"{inside}.name", inside, "."), *governed)),)
        case Kind.SUBNET:
            return (*_not_private("name", f"{_NETWORK}/subnets", "/"), *governed)
        case Kind.CLUSTER:
            outbound = f"{_CLUSTER}/networkProfile.outboundType"
            return ({"field": outbound, "notIn": list(outbound_types(policy))}, *_in_every_pool(governed))
        case _:
            assert_never(kind)


def _some(array: str, conditions: tuple[Body, ...]) -> Body:
    """Some element of an array meets all of these."""
    return {"count": {"field": array, "where": all_of(conditions)}, "greater": 0}


def _in_every_pool(governed: tuple[Body, ...]) -> Iterator[Body]:
    """No pool is elsewhere: a cluster whose pools several policies govern is nobody's to deny."""
    if governed:
        yield {"count": {"field": _POOLS}, "greater": 0}
        yield {"count": {"field": _POOLS, "where": {"not": all_of(governed)}}, "equals": 0}


def ordinary(name: str, inside: str, mark: str) -> tuple[Body, ...]:
    """Where the name of a subnet and its members stand in; that it is neither Azure's own nor a service's out."""
    return (
        {"not": named(name, tuple(sorted(SPECIAL)))},
        {"count": {"field": f"{inside}{mark}delegations[*]"}, "equals": 0},
    )


def _not_private(name: str, inside: str, mark: str) -> tuple[Body, ...]:
    """The same in; that it is a subnet to be private, and is not, out."""
    return ({"field": f"{inside}{mark}defaultOutboundAccess", "notEquals": "false"}, *ordinary(name, inside, mark))


def _allowed(policy: Policy) -> Iterator[tuple[str, ...]]:
    """The names of addresses that may be on something. A name that is allowed with certain tags passes: they are not
    in the request, and the verdict on what came of it looks at them."""
    for entry in policy.public_ips.allow:
        if entry.attached_to:
            continue
        if not entry.names:
            raise Unsayable("addresses that are allowed by their tags: who takes one does not show them")
        yield entry.names
