"""What would repair what is wrong: judged subnets in, Remediations out, and what must be read to know them.

A subnet whose repair is known but cannot be built comes out withheld, with the reason. Permission to do what is
proposed is somebody else's question (guard).
"""

from collections.abc import Iterable
from itertools import groupby

from msgspec import UNSET, Struct
from msgspec.structs import replace

from governor.core import facts, ids
from governor.core.address_gather import gather_addresses
from governor.core.asymmetry import lost
from governor.core.cluster_gather import gather
from governor.core.draft import Draft
from governor.core.estate import Estate
from governor.core.hub_means import firewall_at_fault, hub_at_fault, hub_means, link_repair, straight_out, table_repair
from governor.core.hub_verdict import bypasses
from governor.core.judged import Judged, leaves_by_hub, look, spokes
from governor.core.means import Means, breaks, means, shown, unread
from governor.core.nodes import clusters_by_network
from governor.core.path import addresses
from governor.core.plan import Gate, Plan, Reason, Remediation, digest, unmended
from governor.core.policy import Disruption, Policies, Policy, Requirement
from governor.core.request_gather import gather_requests
from governor.core.sharing import Place
from governor.core.step import Attachment, Step, WriteSubnet
from governor.core.verdict import Result

_OUT = (Requirement.SUBNET_EGRESS, Requirement.SUBNET_ROUTE_DEFAULT)


class Proposal(Struct, frozen=True):
    """A Plan before any gate. subjects: by digest, the subnets whose way out a Remediation changes, or may change;

    nothing for what only others need. missing: the ids that must be read to complete it.
    """

    plan: Plan
    subjects: dict[str, tuple[Judged, ...]]
    missing: tuple[str, ...] = ()


def proposal(estate: Estate, policies: Policies) -> Proposal:
    """An Estate and policies in, the Plan that would make all that lives in it compliant out."""
    looked = tuple(look(estate, policies))
    draft = _drafted(estate, looked)
    gather_addresses(looked, estate, policies, draft)
    gather_requests(estate, policies, draft)
    return _proposal(draft)


def propose(estate: Estate, looked: Iterable[Judged]) -> Proposal:
    """An Estate and its subnets as they are judged in, the Plan that would make them compliant out."""
    return _proposal(_drafted(estate, looked))


def _proposal(draft: Draft) -> Proposal:
    plan = Plan((*draft.shared.values(), *draft.repairs.values()), tuple(draft.withheld))
    return Proposal(plan, draft.subjects, tuple(draft.missing))


def _drafted(estate: Estate, looked: Iterable[Judged]) -> Draft:
    draft = Draft()
    living = clusters_by_network(estate)
    for key, group in groupby(looked, key=lambda one: ids.key(one.network.id)):
        subnets = tuple(group)
        _network(subnets, estate, draft)
        for cluster in living.get(key, ()):
            gather(cluster, subnets, estate, draft)
    return draft


def _network(subnets: tuple[Judged, ...], estate: Estate, draft: Draft) -> None:
    """The repairs of one network: what links it with its hub, what its tables lack, and subnet by subnet."""
    by_key = {ids.key(one.subnet.id): one for one in subnets}
    linked: dict[str, Remediation | Reason | None] = {}
    hubs = {spoke.policy.name: spoke for spoke in spokes(subnets, estate)}
    for name, spoke in hubs.items():
        subjects = tuple(one for one in subnets if one.policy and one.policy.name == name and leaves_by_hub(one))
        linked[name] = link_repair(spoke, subjects, estate)
        draft.missing.update(dict.fromkeys(spoke.hub.missing))
        _take_link(linked[name], spoke.policy, subjects, draft)
        draft.withheld += [told for told in (hub_at_fault(spoke, estate), firewall_at_fault(spoke, estate)) if told]
    for judged in subnets:
        draft.missing.update(dict.fromkeys(judged.missing))
        violated = tuple(v.requirement for v in judged.verdicts if v.result is Result.VIOLATION)
        policy, wanted = judged.policy, judged.policy.egress.hub if judged.policy else None
        if policy is None or not violated:
            continue
        if wanted is None or judged.hub is None:
            if proposed := _repair(judged, policy, violated, estate):
                _take(*proposed, judged, estate, draft)
            continue
        place = Place(judged, policy, wanted, judged.hub, by_key)
        _told_about_replies(judged, policy, draft)
        if not set(violated).isdisjoint(_OUT) and policy.name in hubs:
            if any(v.result in (Result.EXEMPT, Result.UNKNOWN) for v in judged.verdicts if v.requirement in _OUT):
                continue  # both are met by one repair: who is exempt from one, or not known, is left alone
            found = _shown(hub_means(place, hubs[policy.name], linked[policy.name], estate), judged, estate)
            _hub_repair(place, violated, found, estate, draft)
        elif proposed := _repair(judged, policy, violated, estate):
            _take(*proposed, judged, estate, draft)
        _told_about_bypass(place, violated, estate, draft)


def _take_link(linked: Remediation | Reason | None, policy: Policy, subjects: tuple[Judged, ...], draft: Draft) -> None:
    if isinstance(linked, Remediation):
        draft.repairs[linked.digest] = linked
        draft.subjects[linked.digest] = subjects
    elif isinstance(linked, Reason) and subjects:
        draft.withheld.append(unmended(subjects[0].network.id, policy.name, (Requirement.HUB_PEERING,), linked))


def _take(remediation: Remediation, found: Means, judged: Judged, estate: Estate, draft: Draft) -> None:
    """A subnet's repair in; one whose facts were asked for and cannot be read is told as unseen."""
    draft.add(remediation, found, (judged,))
    tried = [one for one in found.missing if any(gap.about == ids.key(one) for gap in estate.gaps)]
    if tried:
        why = "; ".join(f"{ids.name(one)} could not be read: {estate.why(ids.key(one))}" for one in tried[:3])
        draft.withhold(remediation, Reason(Gate.UNSEEN, why), (judged,))


def _hub_repair(place: Place, violated: tuple[str, ...], found: Means, estate: Estate, draft: Draft) -> None:
    """A subnet of a hub policy and its Means in: what its table lacks is the repair of all subnets of that table."""
    judged, policy = place.judged, place.policy
    if found.missing or found.reason:
        about = tuple(one for one in violated if one in _OUT)
        _take(_remediation(judged, about, found, False, estate), found, judged, estate, draft)
        return
    needs = tuple(one.digest for one in found.shared)
    if found.work.write:
        table = table_repair(found.work, place, needs, estate)
        (draft.repairs if table.requirements else draft.shared)[table.digest] = table
        draft.subjects[table.digest] = found.work.serves
        needs = (*needs, table.digest)
    private = Requirement.SUBNET_PRIVATE in violated and policy.egress.default_outbound_access == "deny"
    if private and (open_ := straight_out(found.work, place, estate)):
        private = False
        text = f"routes to the internet would break in a private subnet: {', '.join(open_[:3])}"
        only = _remediation(judged, (Requirement.SUBNET_PRIVATE,), Means(Attachment()), True, estate)
        draft.withhold(only, Reason(Gate.FORECAST, text), (judged,))
    about = tuple(one for one in violated if one in _OUT and found.attach != Attachment())
    about = (*about, Requirement.SUBNET_PRIVATE) if private else about
    if about:
        repair = replace(_remediation(judged, about, found, private, estate), needs=needs)
        draft.add(repair, found, (judged,))
    else:
        draft.shared.update({one.digest: one for one in found.shared if not one.requirements})


def _told_about_bypass(place: Place, violated: tuple[str, ...], estate: Estate, draft: Draft) -> None:
    """Routes that pass the hub by are somebody's: they are named, and never taken out."""
    named = place.judged.subnet.properties.route_table
    if Requirement.SUBNET_ROUTE_BYPASS not in violated or place.wanted.bypass.others != "deny" or named is None:
        return
    table = estate.find(named.id, facts.RouteTable)
    if isinstance(table, facts.RouteTable):
        past = ", ".join(route.name for route in bypasses(table, place.hub, place.wanted)[:3])
        text = f"take out of route table {ids.name(table.id)} by hand: {past}; no route of others is removed"
        about = _remediation(place.judged, (Requirement.SUBNET_ROUTE_BYPASS,), Means(Attachment()), False, estate)
        draft.withhold(about, Reason(Gate.REPLACE, text), (place.judged,))


def _told_about_replies(judged: Judged, policy: Policy, draft: Draft) -> None:
    """Whoever is reached from the internet is published on the firewall first, by people: the route waits for that."""
    told = lost(judged.verdicts)
    # A cluster has words of its own for what its Services are reached by.
    if told is not None and told.result is Result.VIOLATION and not judged.occupants.clusters:
        text = (
            f"{told.seen}; publish it on the firewall by hand (DNAT) and move its clients, take its public address "
            "off, or exempt it: this version publishes nothing"
        )
        reason = Reason(Gate.UNSUPPORTED, text)
        draft.withheld.append(unmended(judged.subnet.id, policy.name, (Requirement.ROUTE_ASYMMETRY,), reason))


def _repair(
    judged: Judged, policy: Policy, violated: tuple[str, ...], estate: Estate
) -> tuple[Remediation, Means] | None:
    private = Requirement.SUBNET_PRIVATE in violated and policy.egress.default_outbound_access == "deny"
    if Requirement.SUBNET_EGRESS in violated:
        if policy.builds is None:
            return None
        found = _shown(means(judged, policy, policy.builds, estate), judged, estate)
        about = tuple(r for r in violated if r == Requirement.SUBNET_EGRESS or private)
    elif private and judged.verdicts[0].result in (Result.COMPLIANT, Result.EXEMPT):
        found = Means(Attachment(), reason=breaks(judged, estate))
        about = (Requirement.SUBNET_PRIVATE,)
    else:
        # A subnet whose way out is not known is not made private either: that could be its only one.
        return None
    return _remediation(judged, about, found, private, estate), found


def _shown(found: Means, judged: Judged, estate: Estate) -> Means:
    """The Means of a subnet in; the same with the addresses that must be read so that an approver sees old and new."""
    if found.reason is not None or judged.occupants.empty or judged.path is None:
        return found
    made = {step.target for one in found.shared for step in one.steps}
    seen = (*addresses(judged.path, estate)[1], *(holder for holder in found.holders if holder not in made))
    return replace(found, missing=(*found.missing, *unread(seen, estate)))


def _remediation(judged: Judged, about: tuple[str, ...], found: Means, private: bool, estate: Estate) -> Remediation:
    subnet, policy = judged.subnet, judged.policy.name if judged.policy else ""
    to = found.attach
    if private:
        to = Attachment(to.nat_gateway, to.route_table, default_outbound_access=False)
    steps: tuple[Step, ...] = ()
    if to != Attachment():
        steps = (WriteSubnet(subnet.id, to, _present(subnet, to), judged.occupants.empty),)
    old = addresses(judged.path, estate)[0] if judged.path else ()
    new = tuple(shown(holder, estate) for holder in found.holders)
    return Remediation(
        resource=subnet.id,
        policy=policy,
        requirements=about,
        steps=steps,
        reason="; ".join(f"{v.seen}, expected {v.expected}" for v in judged.verdicts if v.requirement in about),
        disruptions=_disruptions(judged, found, private, old, new),
        digest=digest(policy, about, subnet.id, steps),
        old_addresses=old,
        new_addresses=new,
        needs=tuple(one.digest for one in found.shared),
        replaces=found.replaces,
    )


def _disruptions(
    judged: Judged, found: Means, private: bool, old: tuple[str, ...], new: tuple[str, ...]
) -> tuple[Disruption, ...]:
    if judged.occupants.empty:
        return (Disruption.NONE,)
    classes: list[Disruption] = []
    if isinstance(found.attach.nat_gateway, str):
        if not old or set(old) != set(new):
            classes.append(Disruption.ADDRESS)
        if found.sku == "StandardV2":
            classes.append(Disruption.BRIEF)
    if isinstance(found.attach.route_table, str):
        classes.append(Disruption.OUTAGE)
        if judged.hub is not None and (not old or set(old) != set(new)):
            classes.append(Disruption.ADDRESS)
    if private:
        classes.append(Disruption.BRIEF)
    return tuple(dict.fromkeys(classes)) or (Disruption.NONE,)


def _present(subnet: facts.Subnet, to: Attachment) -> Attachment:
    """What a subnet has now of the members that a step will write."""
    properties = subnet.properties
    return Attachment(
        nat_gateway=UNSET if to.nat_gateway is UNSET else properties.nat_gateway.id if properties.nat_gateway else None,
        route_table=UNSET if to.route_table is UNSET else properties.route_table.id if properties.route_table else None,
        default_outbound_access=UNSET if to.default_outbound_access is UNSET else properties.default_outbound_access,
    )
