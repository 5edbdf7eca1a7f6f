"""What holds of a subnet's routes and of a network's hub: facts and a hub policy in, Verdicts with evidence out."""

from typing import Final

from msgspec import Struct

from governor.core import facts, ids, ranges
from governor.core.estate import Estate
from governor.core.hub import Hub, routes
from governor.core.link import Link
from governor.core.path import Method
from governor.core.policy import HubPolicy, Policy, Requirement
from governor.core.routing import APPLIANCE, EVERYTHING, INTERNET, NETWORK_TAG, RouteTo
from governor.core.verdict import Finding, Result, Verdict, exempted, foreign_delegation, unknown, why_unread

ROUTE_REQUIREMENTS: Final = (Requirement.SUBNET_ROUTE_DEFAULT, Requirement.SUBNET_ROUTE_BYPASS)
HALVES: Final = (EVERYTHING, "0.0.0.0/1", "128.0.0.0/1", "::/0")
_SHOWN: Final = 3
_ELSEWHERE: Final = frozenset({"virtualappliance", "virtualapplianceecmp", "virtualnetworkgateway"})


class Lacking(Struct, frozen=True):
    """What a table lacks: routes that it has not, those that go elsewhere (as they are, as they shall be), and whether

    it must be told to ignore learned routes (None: it is as it shall be).
    """

    new: tuple[RouteTo, ...] = ()
    other: tuple[tuple[RouteTo, RouteTo], ...] = ()
    propagation_disabled: bool | None = None

    def __str__(self) -> str:
        said = [f"{now} instead of {wanted.address or wanted.hop}" for now, wanted in self.other]
        said += [f"lacks {one}" for one in self.new]
        if self.propagation_disabled is not None:
            said.append(f"disableBgpRoutePropagation is {str(not self.propagation_disabled).lower()}")
        more = len(said) - _SHOWN
        return ", ".join(said[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def lacking(table: facts.RouteTable, hub: Hub, wanted: HubPolicy) -> Lacking | None:
    """A table, the hub and its policy in, what the table lacks out; None when it has everything."""
    there = {(one.properties.address_prefix or "").casefold(): route_of(one) for one in table.properties.routes or ()}
    to_hub = RouteTo("", "", APPLIANCE, hub.next_hop)
    halves = [there[half] for half in HALVES[1:3] if half in there]
    split = len(halves) == 2 and all(half.way == to_hub.way for half in halves)
    new, other = [], []
    for route in routes(hub, wanted):
        now = there.get(route.prefix.casefold())
        if now is None and not (split and route.prefix == EVERYTHING):
            new.append(route)
        elif now is None:
            continue
        elif now.way != route.way:
            other.append((now, RouteTo(now.name, route.prefix, route.hop, route.address)))
    # The halves of the internet are more specific than 0.0.0.0/0: where they stand, they are the default route.
    other += [
        (half, RouteTo(half.name, half.prefix, APPLIANCE, hub.next_hop)) for half in halves if half.way != to_hub.way
    ]
    flag = wanted.disable_bgp_route_propagation
    disabled = bool(table.properties.disable_bgp_route_propagation)
    change = flag if isinstance(flag, bool) and is_own(table) and flag != disabled else None
    if not new and not other and change is None:
        return None
    return Lacking(tuple(new), tuple(other), change)


def is_own(table: facts.RouteTable) -> bool:
    """Whether the governor made a table."""
    return any(name.casefold() == NETWORK_TAG for name in table.tags or {})


def route_of(route: facts.Route) -> RouteTo:
    """A route as Azure shows it in, the same as a value out."""
    properties = route.properties
    return RouteTo(
        route.name,
        properties.address_prefix or "",
        properties.next_hop_type or "",
        properties.next_hop_ip_address or "",
    )


class Routed(Struct, frozen=True):
    """A subnet of a hub policy, how it leaves, and the hub that it shall leave by."""

    subnet: facts.Subnet
    finding: Finding
    policy: Policy
    wanted: HubPolicy
    hub: Hub

    @property
    def leaves_otherwise(self) -> bool:
        """Whether it leaves by a way that its policy allows beside the hub."""
        return self.finding.fits and Method.APPLIANCE not in self.finding.path.methods


def of_routes(routed: Routed, estate: Estate) -> tuple[Verdict, ...]:
    """A subnet of a hub policy in, its Verdicts about its routes out."""
    subnet = routed.subnet
    if service := foreign_delegation(subnet, routed.policy, estate):
        return tuple(_not_applicable(routed, r, f"delegated to {service}") for r in ROUTE_REQUIREMENTS)
    named = subnet.properties.route_table
    if named is None:
        return (_default(routed, None, estate), _bypass(routed, None, estate))
    table = estate.find(named.id, facts.RouteTable)
    if not isinstance(table, facts.RouteTable):
        seen = f"route table {ids.name(named.id)}: {why_unread(named.id, estate)}"
        return tuple(unknown(subnet, r, routed.policy, seen) for r in ROUTE_REQUIREMENTS)
    return (_default(routed, table, estate), _bypass(routed, table, estate))


def _default(routed: Routed, table: facts.RouteTable | None, estate: Estate) -> Verdict:
    subnet, policy, hub = routed.subnet, routed.policy, routed.hub
    requirement = Requirement.SUBNET_ROUTE_DEFAULT
    if routed.leaves_otherwise:
        return _not_applicable(routed, requirement, f"it leaves by {routed.finding.seen}, which the policy allows")
    if hub.missing:
        return unknown(subnet, requirement, policy, _unread(hub, estate))
    if not hub.next_hop:
        seen, expected = hub.wrong, "a hub for its region"
    else:
        expected = f"{EVERYTHING} -> {hub.next_hop}"
        lack = lacking(table, hub, routed.wanted) if table is not None else None
        if table is not None and lack is None:
            seen = f"route table {ids.name(table.id)} leads to the hub"
            return Verdict(subnet.id, requirement, Result.COMPLIANT, policy.name, seen, expected)
        seen = f"route table {ids.name(table.id)}: {lack}" if table is not None else "no route table"
    result, seen = exempted(subnet.id, requirement, policy, estate, seen)
    return Verdict(subnet.id, requirement, result, policy.name, seen, expected)


def _bypass(routed: Routed, table: facts.RouteTable | None, estate: Estate) -> Verdict:
    subnet, policy = routed.subnet, routed.policy
    requirement, expected = Requirement.SUBNET_ROUTE_BYPASS, "no other route to the internet"
    if table is None:
        return _not_applicable(routed, requirement, "no route table")
    if routed.hub.missing and not routed.leaves_otherwise:
        # Which addresses it leaves from, and so which routes are for its replies, is not known.
        return unknown(subnet, requirement, policy, _unread(routed.hub, estate))
    past = bypasses(table, routed.hub, routed.wanted)
    if not past:
        return Verdict(subnet.id, requirement, Result.COMPLIANT, policy.name, "no route passes the hub by", expected)
    named = ", ".join(f"{one.name} ({one.prefix})" for one in past[:_SHOWN])
    seen = f"route table {ids.name(table.id)} passes the hub by: {named}"
    result, seen = exempted(subnet.id, requirement, policy, estate, seen)
    return Verdict(subnet.id, requirement, result, policy.name, seen, expected)


def _not_applicable(routed: Routed, requirement: Requirement, seen: str) -> Verdict:
    return Verdict(routed.subnet.id, requirement, Result.NOT_APPLICABLE, routed.policy.name, seen)


def _unread(hub: Hub, estate: Estate) -> str:
    return f"{ids.name(hub.missing[0])}: {why_unread(hub.missing[0], estate)}"


def bypasses(table: facts.RouteTable, hub: Hub, wanted: HubPolicy) -> tuple[RouteTo, ...]:
    """A table in, its routes that pass the hub by and that the policy does not allow out.

    Straight to the internet; or to another appliance or gateway with what stands on the internet.
    """
    own = {(route.prefix.casefold(), route.way) for route in routes(hub, wanted)}
    to_hub = RouteTo("", "", APPLIANCE, hub.next_hop).way
    return tuple(
        route
        for route in map(route_of, table.properties.routes or ())
        if _leads_out(route)
        and route.way != to_hub
        and route.prefix not in HALVES
        and (route.prefix.casefold(), route.way) not in own
        and not _allowed(route.prefix, wanted.bypass.allow)
    )


def _leads_out(route: RouteTo) -> bool:
    hop = route.hop.casefold()
    return hop == INTERNET.casefold() or (hop in _ELSEWHERE and not ranges.is_private(route.prefix))


def _allowed(prefix: str, allowed: tuple[str, ...]) -> bool:
    """A tag allows its regional ones, too: AzureMonitor allows AzureMonitor.WestEurope."""
    name = prefix.casefold()
    tags = [tag.casefold() for tag in allowed]
    return ranges.within(prefix, allowed) or any(name == tag or name.startswith(f"{tag}.") for tag in tags)


class Spoke(Struct, frozen=True):
    """A network some subnets of which a hub policy governs, its hub, and how both are linked.

    link: None where the hub's network is not known.
    """

    network: facts.VirtualNetwork
    policy: Policy
    wanted: HubPolicy
    hub: Hub
    link: Link | None = None


def of_spoke(spoke: Spoke, estate: Estate) -> tuple[Verdict, ...]:
    """A network and its hub in, the Verdicts about their peering and about who holds the hub's address out."""
    return _link(spoke, estate), _next_hop(spoke, estate)


def _link(spoke: Spoke, estate: Estate) -> Verdict:
    network, policy, hub, link = spoke.network, spoke.policy, spoke.hub, spoke.link
    requirement, expected = Requirement.HUB_PEERING, "peered with the hub on both sides, forwarded traffic allowed"
    if spoke.wanted.peering == "ignore":
        return Verdict(network.id, requirement, Result.NOT_APPLICABLE, policy.name, "the policy ignores peerings")
    if link is None and hub.missing:
        return Verdict(network.id, requirement, Result.UNKNOWN, policy.name, _unread(hub, estate), expected)
    wrong = hub.wrong if link is None else link.wrong
    if link is not None and not wrong:
        return Verdict(network.id, requirement, Result.COMPLIANT, policy.name, link.seen, expected)
    result, seen = exempted(network.id, requirement, policy, estate, wrong)
    return Verdict(network.id, requirement, result, policy.name, seen, expected)


def _next_hop(spoke: Spoke, estate: Estate) -> Verdict:
    network, policy, hub = spoke.network, spoke.policy, spoke.hub
    requirement, expected = Requirement.HUB_NEXT_HOP, "a firewall or appliance that holds the next hop"
    if hub.wrong:
        result, seen = exempted(network.id, requirement, policy, estate, hub.wrong)
        return Verdict(network.id, requirement, result, policy.name, seen, expected)
    if hub.missing:
        return Verdict(network.id, requirement, Result.UNKNOWN, policy.name, _unread(hub, estate), expected)
    if hub.unsettled:
        seen, passes = hub.unsettled
        return Verdict(network.id, requirement, Result.UNKNOWN, policy.name, seen, expected, waits=passes)
    seen = f"{hub.next_hop} is {hub.owner}"
    return Verdict(network.id, requirement, Result.COMPLIANT, policy.name, seen, expected)
