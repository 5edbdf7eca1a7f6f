"""Policy x resource x requirement: what holds, with the evidence. An Estate and policies in, Verdicts out."""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import lru_cache
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from governor.core import facts, ids
from governor.core.egress import EgressPath, Method, Way, addresses, describe, gateway_in_reach, trace, unsettled_state
from governor.core.estate import Estate, clusters
from governor.core.occupancy import SPECIAL, Occupants, clusters_by_subnet, clusters_known, occupants
from governor.core.policy import PathKind, Policies, Policy, Requirement
from governor.core.selection import Expired, Selected, Subject, Undecided, Ungoverned, by_network, exempt, select


class Result(StrEnum):
    COMPLIANT = "Compliant"
    VIOLATION = "Violation"
    EXEMPT = "Exempt"
    UNKNOWN = "Unknown"
    NOT_APPLICABLE = "NotApplicable"
    UNGOVERNED = "Ungoverned"


class Verdict(Struct, frozen=True, omit_defaults=True, gc=False):
    """One judgement. `seen` and `expected` are words for people; `addresses`: the public addresses it leaves from.

    waits: Unknown only because a resource is being written; looking again soon will tell.
    """

    resource: str
    requirement: str
    result: Result
    policy: str | None = None
    seen: str = ""
    expected: str = ""
    addresses: tuple[str, ...] = ()
    waits: bool = False


class Judged(Struct, frozen=True, gc=False):
    """A subnet with all that a verdict or a repair of it stands on. missing: what else should be read."""

    subnet: facts.Subnet
    network: facts.VirtualNetwork
    occupants: Occupants
    policy: Policy | None
    path: EgressPath | None
    verdicts: tuple[Verdict, ...]
    missing: tuple[str, ...] = ()


SUBNET_REQUIREMENTS: Final = (Requirement.SUBNET_EGRESS, Requirement.SUBNET_PRIVATE)
_EXPECTED: Final = {
    PathKind.NAT_GATEWAY: "NAT gateway",
    PathKind.HUB: "route to the hub",
    PathKind.VIRTUAL_WAN: "virtual WAN",
    PathKind.ON_PREMISES: "route to on-premises",
    PathKind.LOAD_BALANCER: "load balancer",
    PathKind.ISOLATED: "no way out",
    PathKind.PROXY: "proxy",
}


def judge(estate: Estate, policies: Policies) -> tuple[Verdict, ...]:
    """An Estate and policies in, every Verdict about its networks out, sorted by resource as the Estate is."""
    return tuple(verdict for judged in look(estate, policies) for verdict in judged.verdicts)


def look(estate: Estate, policies: Policies) -> Iterator[Judged]:
    """An Estate and policies in, every subnet with its occupants, policy, path and Verdicts out."""
    using = clusters_by_subnet(estate)
    alike = by_network(policies)
    for network in estate.networks:
        about = subject_of(network, estate)
        listed = clusters_known(network, estate)
        chosen = select(policies, about) if alike else None
        reach = gateway_in_reach(network)
        for subnet in network.properties.subnets or ():
            who = occupants(subnet, using.get(ids.key(subnet.id)) if using else None, estate)
            answer = chosen or select(policies, of_subnet(subnet, who.kinds if listed else None, about))
            yield _judged(subnet, network, who, answer, (estate, reach))


def subject_of(network: facts.VirtualNetwork, estate: Estate) -> Subject:
    """A network in, what policies select by out: its place, and tags that fall back to its group and subscription."""
    parts = ids.parse(network.id)
    above, group_id = _place(network)
    subscription = estate.find(above, facts.Subscription)
    group = estate.find(group_id, facts.ResourceGroup)
    known = subscription if isinstance(subscription, facts.Subscription) else None
    layers = (known, group if isinstance(group, facts.ResourceGroup) else None, network)
    tags: dict[str, str] = {}
    for layer in layers:
        if layer is not None:
            tags.update({name.casefold(): value for name, value in (layer.tags or {}).items()})
    return Subject(
        resource_id=network.id,
        kind=ids.VIRTUAL_NETWORK,
        subscription=parts.subscription,
        resource_group=parts.resource_group,
        region=network.location,
        subscription_name=known.display_name if known else None,
        management_groups=known.management_groups if known else None,
        virtual_network=network.name,
        tags=tags,
        tags_complete=all(layer is not None for layer in layers),
    )


def of_subnet(subnet: facts.Subnet, kinds: frozenset[str] | None, about: Subject) -> Subject:
    """A subnet, its kinds of occupants (None: not known) and its network's Subject in, its own Subject out."""
    return replace(about, resource_id=subnet.id, kind=ids.SUBNET, subnet=subnet.name, occupants=kinds)


def _judged(
    subnet: facts.Subnet,
    network: facts.VirtualNetwork,
    who: Occupants,
    answer: Selected | Undecided | Ungoverned,
    seen: tuple[Estate, str | None],
) -> Judged:
    estate, reach = seen
    if subnet.name.casefold() in SPECIAL:
        verdict = Verdict(subnet.id, Requirement.SUBNET_EGRESS, Result.NOT_APPLICABLE, seen="a subnet of Azure's own")
        return Judged(subnet, network, who, None, None, (verdict,))
    match answer:
        case Ungoverned():
            verdict = Verdict(subnet.id, Requirement.SUBNET_EGRESS, Result.UNGOVERNED, seen="no policy selects it")
            return Judged(subnet, network, who, None, None, (verdict,))
        case Undecided(policy=policy, missing=missing):
            why = f"policy {policy.name} may govern it; not read: {', '.join(missing)}"
            verdicts = tuple(Verdict(subnet.id, r, Result.UNKNOWN, seen=why) for r in SUBNET_REQUIREMENTS)
            return Judged(subnet, network, who, None, None, verdicts, _read_for(missing, network))
        case Selected(policy=policy):
            pass
    if unsettled := unsettled_state(subnet.id, subnet.properties.provisioning_state):
        verdicts = tuple(_unknown(subnet, r, policy, *unsettled) for r in SUBNET_REQUIREMENTS)
        return Judged(subnet, network, who, policy, None, verdicts)
    path = trace(subnet, network, estate, reach)
    missing = path.missing or _unread_hub(path, network, policy, estate)
    verdicts = (
        _egress_verdict(subnet, network, path, policy, estate, missing),
        _private_verdict(subnet, policy, estate),
    )
    return Judged(subnet, network, who, policy, path, verdicts, missing)


def _egress_verdict(
    subnet: facts.Subnet,
    network: facts.VirtualNetwork,
    path: EgressPath,
    policy: Policy,
    estate: Estate,
    missing: tuple[str, ...],
) -> Verdict:
    requirement, allowed = Requirement.SUBNET_EGRESS, policy.allowed
    if not allowed:
        return Verdict(subnet.id, requirement, Result.NOT_APPLICABLE, policy.name, "the policy names no way out")
    if subnet.properties.delegations and (service := _foreign_delegation(subnet, policy)):
        return Verdict(subnet.id, requirement, Result.NOT_APPLICABLE, policy.name, f"delegated to {service}")
    if missing:
        why = "; ".join(f"{_short(m)}: {_why(m, estate)}" for m in missing[:3])
        return _unknown(subnet, requirement, policy, why)
    if path.unsettled:
        return _unknown(subnet, requirement, policy, *path.unsettled)
    seen, result = describe(path), Result.COMPLIANT
    if any(_kind(way, network, policy, estate) not in allowed for way in path.ways):
        result, seen = _exempted(subnet, requirement, policy, estate, seen)
    return Verdict(subnet.id, requirement, result, policy.name, seen, _expected(allowed), addresses(path, estate)[0])


@lru_cache(maxsize=64)
def _expected(allowed: tuple[PathKind, ...]) -> str:
    return " or ".join(_EXPECTED[kind] for kind in allowed)


def _private_verdict(subnet: facts.Subnet, policy: Policy, estate: Estate) -> Verdict:
    requirement = Requirement.SUBNET_PRIVATE
    if policy.egress.default_outbound_access == "allow":
        seen = "the policy allows default outbound access"
        return Verdict(subnet.id, requirement, Result.NOT_APPLICABLE, policy.name, seen)
    if subnet.properties.delegations:
        seen = "default outbound access does not apply to delegated subnets"
        return Verdict(subnet.id, requirement, Result.NOT_APPLICABLE, policy.name, seen)
    if subnet.properties.default_outbound_access is False:
        return Verdict(subnet.id, requirement, Result.COMPLIANT, policy.name, "private", "private")
    result, seen = _exempted(subnet, requirement, policy, estate, "not private: defaultOutboundAccess is not false")
    return Verdict(subnet.id, requirement, result, policy.name, seen, "private")


def _exempted(
    subnet: facts.Subnet, requirement: Requirement, policy: Policy, estate: Estate, seen: str
) -> tuple[Result, str]:
    """What would be a Violation in, what it is with the policy's exemptions out."""
    match exempt(policy, subnet.id, requirement, estate.observed_at):
        case None:
            return Result.VIOLATION, seen
        case Expired(exemption=past):
            return Result.VIOLATION, f"{seen}; the exemption of {past.owner} ended on {past.until}"
        case one:
            return Result.EXEMPT, f"{seen}; exempt until {one.until} ({one.owner}: {one.reason})"


def _kind(way: Way, network: facts.VirtualNetwork, policy: Policy, estate: Estate) -> PathKind | None:
    """A way in, the kind of path it is to this policy out; None for one that no policy can allow."""
    match way.method:
        case Method.NAT_GATEWAY:
            return PathKind.NAT_GATEWAY
        case Method.GATEWAY:
            return PathKind.ON_PREMISES
        case Method.OUTBOUND_RULE | Method.IMPLICIT_SNAT:
            return PathKind.LOAD_BALANCER
        case Method.NONE:
            isolated = policy.egress.isolated
            firm = isolated is None or isolated.route == "off" or way.via == "route"
            return PathKind.ISOLATED if firm else None
        case Method.APPLIANCE:
            return PathKind.HUB if way.via in _hub(network, policy, estate) or policy.egress.hub is None else None
        case Method.INSTANCE_PUBLIC_IP | Method.DEFAULT_OUTBOUND:
            return None


def _hub(network: facts.VirtualNetwork, policy: Policy, estate: Estate) -> tuple[str, ...]:
    """The private addresses that are the hub in a network's region; a policy that names none takes any appliance."""
    hub, region = policy.egress.hub, _region(network)
    if hub is None:
        return ()
    if literal := hub.next_hop.get(region):
        return (literal,)
    firewall = estate.find(hub.firewall.get(region, ""), facts.Firewall)
    if not isinstance(firewall, facts.Firewall):
        return ()
    found = (c.properties.private_ip_address for c in firewall.properties.ip_configurations or ())
    return tuple(address for address in found if address)


def _unread_hub(path: EgressPath, network: facts.VirtualNetwork, policy: Policy, estate: Estate) -> tuple[str, ...]:
    """The firewall that must be read to say whether an appliance is the hub."""
    hub = policy.egress.hub
    if hub is None or Method.APPLIANCE not in path.methods or hub.next_hop.get(_region(network)):
        return ()
    firewall = hub.firewall.get(_region(network))
    unread = firewall is not None and not isinstance(estate.find(firewall, facts.Firewall), facts.Firewall)
    return (firewall,) if firewall is not None and unread else ()


def _region(network: facts.VirtualNetwork) -> str:
    return network.location.casefold().replace(" ", "")


def _foreign_delegation(subnet: facts.Subnet, policy: Policy) -> str | None:
    """A delegated service whose subnets this policy does not know how to repair, or None."""
    known = {name.casefold(): paths for name, paths in policy.egress.delegations.items()}
    for service in subnet.delegated_to:
        if not set(known.get(service.casefold(), ())) & set(policy.allowed):
            return service
    return None


def _place(network: facts.VirtualNetwork) -> tuple[str, str]:
    """The ids of the subscription and the resource group of a network."""
    parts = ids.parse(network.id)
    return f"/subscriptions/{parts.subscription}", ids.group(parts.subscription, parts.resource_group)


def _read_for(missing: tuple[str, ...], network: facts.VirtualNetwork) -> tuple[str, ...]:
    """Conditions of a policy that could not be decided in, what must be read to decide them out."""
    subscription, group = _place(network)
    read: dict[str, None] = {}
    for condition in (name.removeprefix("except.") for name in missing):
        if condition.startswith("tags."):
            read[group] = None
        if condition.startswith("tags.") or condition == "subscriptions":
            read[subscription] = None
        if condition == "occupants":
            read[clusters(ids.parse(network.id).subscription)] = None
    return tuple(read)


def _unknown(subnet: facts.Subnet, requirement: Requirement, policy: Policy, seen: str, waits: bool = False) -> Verdict:
    return Verdict(subnet.id, requirement, Result.UNKNOWN, policy.name, seen, waits=waits)


def _why(missing: str, estate: Estate) -> str:
    if ids.key(missing) in estate.absent:
        return "named, but it does not exist"
    return estate.why(ids.key(missing))


def _short(missing: str) -> str:
    return ids.name(missing) if missing.startswith("/") else missing


def results(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """Verdicts in, how many there are of each Result out."""
    counts: dict[str, int] = {}
    for verdict in verdicts:
        counts[verdict.result.value] = counts.get(verdict.result.value, 0) + 1
    return counts
