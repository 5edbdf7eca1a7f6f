"""What holds of those who have public addresses: holders and policies in, Verdicts with the addresses out."""

from datetime import date, datetime, timedelta
from typing import Final

from msgspec import Struct

from governor.core import facts, ids
from governor.core.address_facts import ApiManagement, CreationTimes
from governor.core.address_step import QUARANTINE
from governor.core.addresses import NOBODY, of_network, of_remainder, places, wanted
from governor.core.cluster import Cluster
from governor.core.egress import unsettled_state
from governor.core.estate import Estate, clusters, is_list, list_of
from governor.core.holder import Address, Found, Holder
from governor.core.occupancy import clusters_by_subnet, clusters_known, occupants
from governor.core.policy import AllowedAddress, PathKind, Policies, Policy, Requirement
from governor.core.policy_terms import Attachment
from governor.core.selection import Selected, Subject, Undecided, Ungoverned, matcher, select
from governor.core.subject import of_resource, of_subnet, read_for, subject_of, within
from governor.core.verdict import Result, Verdict, exempted, why_unread

# safety.md 9: who has just made an address is about to attach it.
YOUNG: Final = timedelta(days=1)
_BY_LIST: Final = {
    "clusters": Requirement.VMSS_PUBLIC_IP,
    "publicIpAddresses": Requirement.NIC_PUBLIC_IP,
    "publicIpPrefixes": Requirement.PUBLIC_IP_UNATTACHED,
    "loadBalancers": Requirement.LOAD_BALANCER_PUBLIC_FRONTEND,
    "instanceAddresses": Requirement.VMSS_PUBLIC_IP,
}
_EXPECTED: Final = "no public address"
_ATTACHED: Final = "attached to something"
_SHOWN: Final = 3


class JudgedAddress(Struct, frozen=True):
    """A holder of public addresses with its Verdict. missing: what else should be read to know more.

    wrong: ids of those of its addresses that nothing allows.
    """

    holder: Holder
    policy: Policy | None
    verdict: Verdict
    missing: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()


class SeenAddresses(Struct, frozen=True):
    """Who has public addresses in one network, or in none of a subscription's. unseen: who else may have some."""

    judged: tuple[JudgedAddress, ...] = ()
    unseen: tuple[Verdict, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        return (*(one.verdict for one in self.judged), *self.unseen)


def addresses_of(estate: Estate, policies: Policies) -> dict[str, SeenAddresses]:
    """An Estate and policies in; by key of each network and of each remainder, who in it has public addresses, out."""
    if not wanted(policies):
        return {}
    there = places(estate)
    using = clusters_by_subnet(estate)
    found: dict[str, SeenAddresses] = {}
    for network in estate.networks:
        holders = of_network(network, there, estate)
        if holders == NOBODY:
            continue
        around = _lodging(network, {one.subnet for one in holders.holders}, using, estate)
        judged = tuple(
            _judged(one, within(one.id, one.tags, around.get(one.subnet, around[""])), policies, estate)
            for one in holders.holders
        )
        nobodys = isinstance(select(policies, around[""]), Ungoverned)
        unseen = () if nobodys else _unseen(network.id, holders.missing, estate)
        found[ids.key(network.id)] = _together(judged, unseen, holders)
    for subscription in estate.remainders:
        scope = f"/subscriptions/{subscription}"
        if any(gap.about == ids.key(scope) for gap in estate.gaps):
            continue  # the subscription itself is not seen, which says it all
        holders = of_remainder(subscription, there, estate)
        judged = tuple(
            _judged(one, of_resource(one.id, one.location, one.tags, estate), policies, estate)
            for one in holders.holders
        )
        found[ids.key(scope)] = _together(judged, _unseen(scope, holders.missing, estate), holders)
    return found


def _together(judged: tuple[JudgedAddress, ...], unseen: tuple[Verdict, ...], found: Found) -> SeenAddresses:
    missing = dict.fromkeys((*found.missing, *(name for one in judged for name in one.missing)))
    return SeenAddresses(judged, unseen, tuple(missing))


def _lodging(
    network: facts.VirtualNetwork, subnets: set[str], using: dict[str, list[str]], estate: Estate
) -> dict[str, Subject]:
    """A network and keys of subnets in; what each is selected by, and under "" the network itself, out."""
    about = subject_of(network, estate)
    listed = clusters_known(network, estate)
    found = {"": about}
    for subnet in network.properties.subnets or ():
        if (key := ids.key(subnet.id)) in subnets:
            kinds = occupants(subnet, using.get(key), estate).kinds if listed else None
            found[key] = of_subnet(subnet, kinds, about)
    return found


def _unseen(where: str, missing: tuple[str, ...], estate: Estate) -> tuple[Verdict, ...]:
    """What could not be read in, Verdicts that say so out: there may be public addresses that nobody has seen."""
    found: dict[tuple[str, Requirement], Verdict] = {}
    for one in missing:
        place, requirement = (where, _BY_LIST[one.partition("(")[0]]) if is_list(one) else (one, _by_kind(one))
        if ids.kind(one) in (ids.PUBLIC_IP, ids.PUBLIC_IP_PREFIX):
            continue  # whoever has it says so
        seen = f"not seen: {why_unread(one, estate)}"
        found.setdefault((ids.key(place), requirement), Verdict(place, requirement, Result.UNKNOWN, seen=seen))
    return tuple(found.values())


def _by_kind(resource: str) -> Requirement:
    return Requirement.VMSS_PUBLIC_IP if ids.kind(resource) == ids.SCALE_SET else Requirement.NIC_PUBLIC_IP


def _judged(holder: Holder, subject: Subject, policies: Policies, estate: Estate) -> JudgedAddress:
    seen = _seen(holder)
    shown = tuple(sorted(one.ip for one in holder.addresses if one.ip))
    match select(policies, subject):
        case Ungoverned():
            verdict = Verdict(holder.id, holder.requirement, Result.UNGOVERNED, seen=f"{seen}; no policy selects it")
            return JudgedAddress(holder, None, verdict)
        case Undecided(policy=policy, missing=missing):
            why = f"{seen}; policy {policy.name} may govern it; not read: {', '.join(missing)}"
            verdict = Verdict(holder.id, holder.requirement, Result.UNKNOWN, seen=why)
            return JudgedAddress(holder, None, verdict, read_for(missing, holder.id))
        case Selected(policy=policy):
            pass
    result, said, missing = _result(holder, policy, estate)
    seen = f"{seen}; {said}" if said else seen
    waits = False
    if result is Result.VIOLATION:
        result, seen = exempted(holder.id, holder.requirement, policy, estate, seen)
    if unsettled := unsettled_state(holder.id, holder.state):
        result, (why, waits) = Result.UNKNOWN, unsettled
        seen = f"{seen}; {why}"
    alone = holder.requirement is Requirement.PUBLIC_IP_UNATTACHED
    expected = _ATTACHED if alone else _EXPECTED
    told = Verdict(holder.id, holder.requirement, result, policy.name, seen, expected, shown, waits)
    wrong = tuple(one.id for one in holder.addresses if allowed(one, policy.public_ips.allow) == "")
    return JudgedAddress(holder, policy, told, missing, wrong)


def _result(holder: Holder, policy: Policy, estate: Estate) -> tuple[Result, str, tuple[str, ...]]:
    """A holder and its policy in; what it is to that, why, and what must be read to know it, out."""
    if policy.public_ips.default == "allow":
        return Result.NOT_APPLICABLE, "the policy allows public addresses", ()
    if holder.only_outbound and PathKind.LOAD_BALANCER in policy.allowed:
        return Result.COMPLIANT, "only outbound rules use it, which the policy allows", ()
    answers = [allowed(one, policy.public_ips.allow) for one in holder.addresses]
    if answers and not holder.model and all(answers):
        return Result.COMPLIANT, f"allowed by {' and '.join(dict.fromkeys(str(one) for one in answers))}", ()
    if None in answers:
        unread = tuple(one.id for one in holder.addresses if one.tags is None)
        return Result.UNKNOWN, "its tags were not read, and may allow it", unread
    if holder.requirement is Requirement.PUBLIC_IP_UNATTACHED:
        return _unattached(holder, policy, estate)
    return Result.VIOLATION, "", ()


def allowed(address: Address, entries: tuple[AllowedAddress, ...], kinds: tuple[Attachment, ...] = ()) -> str | None:
    """An address and what is allowed in; the conditions that allow it, "" when none does, None when that is unknown.

    kinds: what `attachedTo` may call whoever has it; interfaces, scale sets and load balancers it cannot name.
    """
    unknown = False
    for entry in entries:
        if not (entry.attached_to or entry.names or entry.tags):
            continue
        if entry.attached_to and set(entry.attached_to).isdisjoint(kinds):
            continue
        if entry.names and not matcher(entry.names)(ids.name(address.id)):
            continue
        if entry.tags and address.tags is None:
            unknown = True
            continue
        own = {name.casefold(): value for name, value in (address.tags or {}).items()}
        wanted = {name.casefold(): values for name, values in entry.tags.items()}
        if all(name in own and matcher(tuple(values))(own[name]) for name, values in wanted.items()):
            said = [
                *(["what has it"] if entry.attached_to else ()),
                *(["its name"] if entry.names else ()),
                *(f"tag {name}={own[name]}" for name in wanted),
            ]
            return " and ".join(said)
    return None if unknown else ""


def _unattached(holder: Holder, policy: Policy, estate: Estate) -> tuple[Result, str, tuple[str, ...]]:
    """An address that nobody has in: who names it all the same, and how long it has been there, decide."""
    subscription = ids.parse(holder.id).subscription
    scope = f"/subscriptions/{subscription}"
    lists = (clusters(subscription), list_of("apiManagement", scope), list_of("creationTimes", scope))
    if unread := tuple(name for name in lists if not estate.has_listed(name)):
        return Result.UNKNOWN, f"who names it, and since when it is there: {estate.why(unread[0])}", unread
    for cluster in estate.all(Cluster):
        if any(ids.same(one, holder.id) for one in cluster.addresses):
            return Result.COMPLIANT, f"cluster {ids.name(cluster.id)} names it", ()
    for service in estate.all(ApiManagement):
        if ids.same(service.properties.public_ip_address_id or "", holder.id):
            return Result.COMPLIANT, f"API Management {ids.name(service.id)} names it", ()
    made = _made(holder.id, estate)
    if made is None:
        return Result.UNKNOWN, "since when it is there is not known", ()
    if estate.observed_at - made < YOUNG:
        return Result.NOT_APPLICABLE, f"made on {made:%Y-%m-%d %H:%M} UTC: it is left alone for a day", ()
    since = quarantined(holder)
    if since is None:
        return Result.VIOLATION, "", ()
    over = since + timedelta(days=policy.public_ips.quarantine_days) <= estate.observed_at.date()
    if over and policy.public_ips.delete:
        return (
            Result.VIOLATION,
            f"in quarantine since {since}, and its {policy.public_ips.quarantine_days} days are over",
            (),
        )
    return Result.COMPLIANT, f"in quarantine since {since}", ()


def quarantined(holder: Holder) -> date | None:
    """An address that nobody has in, since when it is in quarantine out."""
    given = {name.casefold(): value for name, value in (holder.tags or {}).items()}.get(QUARANTINE, "")
    try:
        return date.fromisoformat(given)
    except ValueError:
        return None


def _made(address: str, estate: Estate) -> datetime | None:
    told = estate.find(ids.creation_times(ids.parse(address).subscription), CreationTimes)
    for one in told.value if isinstance(told, CreationTimes) else ():
        if ids.same(one.id, address) and one.created_time:
            try:
                at = datetime.fromisoformat(one.created_time)
            except ValueError:
                return None
            return at if at.tzinfo else None
    return None


def _seen(holder: Holder) -> str:
    """A holder in, what it is and has in words out."""
    texts = [f"{one.ip or one.why} ({ids.name(one.id)})" for one in holder.addresses[:_SHOWN]]
    more = len(holder.addresses) - _SHOWN
    said = ", ".join(texts) + (f" and {more} more" if more > 0 else "")
    match holder.requirement:
        case Requirement.PUBLIC_IP_UNATTACHED:
            parts = [f"{said} is attached to nothing"]
        case Requirement.VMSS_PUBLIC_IP:
            parts = [f"its model gives every instance a public address: {said or 'no instance has one yet'}"]
        case _:
            parts = [f"{said} on {holder.shown}"]
    if holder.forwards:
        parts.append("it forwards traffic of others")
    if ids.in_node_group(holder.id):
        parts.append("it lies in a cluster's node resource group, which is never written")
    parts += [_upgrade(one, holder) for one in holder.addresses if one.basic][:1]
    return "; ".join(parts)


def _upgrade(address: Address, holder: Holder) -> str:
    """A Basic address and who has it in, what to do about it out (facts/azure.md 6)."""
    if holder.requirement is Requirement.LOAD_BALANCER_PUBLIC_FRONTEND:
        # Only a Basic load balancer takes it, and both go together.
        balancer = ids.top_level(holder.id)
        named = f"-ResourceGroupName {ids.parse(balancer).resource_group} -BasicLoadBalancerName {ids.name(balancer)}"
        return f"Basic SKU is retired, of the load balancer as well: Start-AzBasicLoadBalancerUpgrade {named}"
    where = f"-g {ids.parse(address.id).resource_group} -n {ids.name(address.id)}"
    return f"Basic SKU is retired: az network public-ip update {where} --sku Standard, once it is detached"
