"""How a subnet gets to leave by its hub: a judged subnet and its network as a spoke in, the Means of its repair out."""

from collections.abc import Iterator

from governor.core import facts, ids, ranges
from governor.core.egress import nat_gateway_of
from governor.core.estate import ABSENT, Estate
from governor.core.firewall_verdict import of_firewall
from governor.core.hub import FIREWALL_SUBNET
from governor.core.hub_verdict import Spoke, of_spoke
from governor.core.judged import Judged
from governor.core.means import Means, common, group_missing, shown
from governor.core.path import Method, addresses
from governor.core.plan import Gate, Reason, Remediation, Withheld, digest, unmended
from governor.core.policy import Disruption, Requirement
from governor.core.returning import returning
from governor.core.routing import INTERNET, CreateRouteTable, WriteRoute
from governor.core.sharing import Place
from governor.core.step import Attachment
from governor.core.tables import NO_WORK, TableWork, table_work
from governor.core.verdict import Result

# What holds a subnet back: the ids that must be read first, or why it is not led to its hub.
Held = Reason | tuple[str, ...] | None


def hub_means(place: Place, spoke: Spoke, linked: Remediation | Reason | None, estate: Estate) -> Means:
    """A subnet, its network as a spoke and what links that with the hub (None: it is linked) in, its Means out."""
    held = next((one for one in _gates(place, spoke, linked) if one), None)
    work = NO_WORK if held else table_work(place, estate)
    held = held or next((one for one in _table_gates(work, spoke, estate) if one), None)
    if held:
        return Means(Attachment(), missing=held) if isinstance(held, tuple) else Means(Attachment(), reason=held)
    link = (linked,) if isinstance(linked, Remediation) else ()
    shared = (*link, *(_made(work.create, place, estate) if work.create is not None else ()))
    there = place.judged.subnet.properties.route_table
    attach = Attachment() if there and ids.same(there.id, work.table) else Attachment(route_table=work.table)
    passed_by = _passed_by(place.judged)
    replaced = ", ".join(one for one in (work.replaces, "" if passed_by in work.replaces else passed_by) if one)
    return Means(attach, shared, holders=spoke.hub.holders, work=work, replaces=replaced)


def _gates(place: Place, spoke: Spoke, linked: Remediation | Reason | None) -> Iterator[Held]:
    """What may hold a subnet back whichever table it leaves by; the first that does counts."""
    hub, judged = spoke.hub, place.judged
    yield hub.missing
    if hub.wrong:
        yield Reason(Gate.HUB, f"a route to the hub would lead nowhere: {hub.wrong}")
    if hub.unsettled:
        seen, passes = hub.unsettled
        yield Reason(Gate.HUB, seen, after=60.0 if passes else None)
    if ranges.holds(judged.subnet.prefixes, hub.next_hop):
        yield Reason(Gate.HUB, f"the next hop {hub.next_hop} lives in it: its own traffic would come back to it")
    if (gateway := _passed_by(judged)) and place.policy.egress.replace != "propose":
        yield Reason(Gate.REPLACE, f"{gateway} serves it, and is never replaced (`replace: propose` would ask)")
    yield linked if isinstance(linked, Reason) else None


def _table_gates(work: TableWork, spoke: Spoke, estate: Estate) -> Iterator[Held]:
    """What may hold a subnet back because of the table that it is to leave by."""
    yield work.missing
    yield work.reason
    yield returning(spoke, work, estate)
    group = ids.group_of(work.table)
    yield (group,) if work.create and estate.find(group, facts.ResourceGroup) is None else None


def _passed_by(judged: Judged) -> str:
    """The NAT gateway that a route to the hub would pass by, for people; one that is passed by already serves none."""
    routed = judged.path is not None and Method.APPLIANCE in judged.path.methods
    gateway = None if routed else nat_gateway_of(judged.subnet, judged.network)
    return f"NAT gateway {ids.name(gateway)}" if gateway else ""


def _made(create: CreateRouteTable, place: Place, estate: Estate) -> tuple[Remediation, ...]:
    """The Remediations that make a table, with its group where there is none."""
    policy, network = place.policy, place.judged.network
    group_id, reason = ids.group_of(create.target), f"subnets of {network.name} leave by it"
    absent = estate.find(group_id, facts.ResourceGroup) is ABSENT
    group = (group_missing(group_id, policy, network.region),) if absent else ()
    return (*group, common(create.target, policy, (create,), reason, tuple(one.digest for one in group)))


def link_repair(spoke: Spoke, subjects: tuple[Judged, ...], estate: Estate) -> Remediation | Reason | None:
    """A network as a spoke in; what links it with its hub, why nothing does, or None when it is linked or need not be.

    subjects: its subnets that leave by the hub.
    """
    link, network = spoke.link, spoke.network
    if spoke.wanted.peering == "ignore" or link is None or not link.wrong:
        return None
    if spoke.hub.wrong:
        return Reason(Gate.HUB, f"a peering with the hub would serve nobody: {spoke.hub.wrong}")
    if link.blocked or spoke.wanted.peering == "require":
        why = link.blocked or f"the policy requires the peering with the hub, and makes none: {link.wrong}"
        return Reason(Gate.HUB, why)
    there = estate.find(spoke.hub.network, facts.VirtualNetwork)
    state = there.properties.provisioning_state if isinstance(there, facts.VirtualNetwork) else None
    if state is not None and state != facts.SUCCEEDED:
        passes = 15.0 if state.casefold() in facts.WRITING else None
        return Reason(Gate.SETTLE, f"hub network {ids.name(spoke.hub.network)} is {state}", after=passes)
    inhabited = any(not one.occupants.empty for one in subjects)
    requirements = (Requirement.HUB_PEERING,)
    return Remediation(
        resource=network.id,
        policy=spoke.policy.name,
        requirements=requirements,
        steps=link.steps,
        reason=link.wrong,
        disruptions=(Disruption.OUTAGE if link.gateways and inhabited else Disruption.NONE,),
        digest=digest(spoke.policy.name, requirements, network.id, link.steps),
    )


def hub_at_fault(spoke: Spoke, estate: Estate) -> Withheld | None:
    """A network as a spoke in; what no step here mends, because the hub itself is wrong, out."""
    wrong = (verdict for verdict in of_spoke(spoke, estate) if verdict.result is Result.VIOLATION)
    about = tuple(v.requirement for v in wrong if spoke.link is None or v.requirement == Requirement.HUB_NEXT_HOP)
    if not about:
        return None
    reason = Reason(Gate.HUB, f"to be mended in the hub, or in the policy: {spoke.hub.wrong}")
    return unmended(spoke.network.id, spoke.policy.name, about, reason)


def firewall_at_fault(spoke: Spoke, estate: Estate) -> Withheld | None:
    """A network as a spoke in; what is wrong with the addresses of its firewall, which no step here mends, out."""
    # To audit the NAT gateway is to say that there is none; the ports are too few whatever is wanted.
    audited = (Requirement.HUB_FIREWALL_NAT,) if spoke.wanted.nat_gateway_on_firewall == "audit" else ()
    found = (one for one in of_firewall(spoke, estate) if one.requirement not in audited)
    wrong = tuple(one for one in found if one.result is Result.VIOLATION)
    if not wrong:
        return None
    seen, home = "; ".join(one.seen for one in wrong), ids.name(spoke.hub.network)
    text = (
        f"{seen}; put a NAT gateway on {FIREWALL_SUBNET} of {home} by hand, which changes the address of all spokes: "
        "this version puts none there"
    )
    reason = Reason(Gate.UNSUPPORTED, text)
    return unmended(spoke.network.id, spoke.policy.name, tuple(one.requirement for one in wrong), reason)


def table_repair(work: TableWork, place: Place, needs: tuple[str, ...], estate: Estate) -> Remediation:
    """What must be written into a table that is there in; its Remediation out, which is that of all its subnets."""
    about = (Requirement.SUBNET_EGRESS, Requirement.SUBNET_ROUTE_DEFAULT)
    violated = {v.requirement for one in work.serves for v in one.verdicts if v.result is Result.VIOLATION}
    requirements = tuple(one for one in about if one in violated)
    inhabited = any(not one.occupants.empty for one in work.serves)
    users = ", ".join(one.subnet.name for one in work.serves[:5]) or "nobody yet"
    routes = ", ".join(str(one.to) for one in work.write[:3] if isinstance(one, WriteRoute))
    return Remediation(
        resource=work.table,
        policy=place.policy.name,
        requirements=requirements,
        steps=work.write,
        reason=f"{ids.name(work.table)}, which serves {users}, needs {routes or 'another propagation'}",
        disruptions=(Disruption.OUTAGE, Disruption.ADDRESS) if inhabited else (Disruption.NONE,),
        digest=digest(place.policy.name, requirements, work.table, work.write),
        old_addresses=tuple(sorted({a for one in work.serves if one.path for a in addresses(one.path, estate)[0]})),
        new_addresses=tuple(shown(holder, estate) for holder in place.hub.holders),
        needs=needs,
        replaces=work.replaces,
    )


def straight_out(work: TableWork, place: Place, estate: Estate) -> tuple[str, ...]:
    """The routes to the internet that a subnet would have afterwards, by name; those of replies break nothing.

    They would not work in a private subnet without a NAT gateway (facts/azure.md 2.4).
    """
    if nat_gateway_of(place.judged.subnet, place.judged.network):
        return ()
    table = estate.find(work.table, facts.RouteTable)
    found = {r.to.name: (r.to.prefix, r.to.hop) for r in work.write if isinstance(r, WriteRoute)}
    if work.create is not None:
        found |= {route.name: (route.prefix, route.hop) for route in work.create.routes}
    elif isinstance(table, facts.RouteTable):
        for route in table.properties.routes or ():
            properties = route.properties
            found.setdefault(route.name, (properties.address_prefix or "", properties.next_hop_type or ""))
    replies = set(place.hub.replies)
    return tuple(
        sorted(
            name
            for name, (prefix, hop) in found.items()
            if hop.casefold() == INTERNET.casefold() and prefix not in replies
        )
    )
