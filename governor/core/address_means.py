"""What is done about public addresses that policy does not allow: judged holders in, Remediations or reasons out."""

from collections.abc import Iterable

from msgspec import Struct

from governor.core import facts, ids
from governor.core.address_step import QUARANTINE, DeleteAddress, WriteInterface, WriteTag
from governor.core.address_verdict import JudgedAddress, quarantined
from governor.core.estate import ABSENT, Estate
from governor.core.judged import Judged
from governor.core.path import addresses
from governor.core.plan import Gate, Reason, Remediation, Withheld, digest, unmended
from governor.core.policy import Disruption, Policy, Requirement
from governor.core.step import Step
from governor.core.verdict import Result

_OUT = (Requirement.SUBNET_EGRESS, Requirement.SUBNET_ROUTE_DEFAULT)


class AddressMeans(Struct, frozen=True):
    """What would be done, or is withheld, about one holder. missing: what must be read to know it."""

    repair: Remediation | None = None
    withheld: Withheld | None = None
    missing: tuple[str, ...] = ()


class Lodging(Struct, frozen=True):
    """The subnet that a holder lives in, and what would be done about its way out, if anything is to be done."""

    judged: Judged | None = None
    repairs: tuple[Remediation, ...] = ()


def address_means(one: JudgedAddress, lodging: Lodging, estate: Estate) -> AddressMeans:
    """A holder as it is judged and where it lives in, what is done about a violation out."""
    holder, policy = one.holder, one.policy
    if one.verdict.result is not Result.VIOLATION or policy is None:
        return AddressMeans()
    wanted = policy.public_ips.repair
    if policy.public_ips.default == "audit":
        text = f"policy {policy.name} only audits public addresses: reported, not repaired"
        return _told(one, policy, Reason(Gate.MODE, text))
    if ids.in_node_group(holder.id) and (managed := _managed(one, policy, estate)) is not None:
        return managed
    match holder.requirement:
        case Requirement.NIC_PUBLIC_IP if wanted.network_interface != "flag":
            return _detached(one, policy, lodging, estate)
        case Requirement.PUBLIC_IP_UNATTACHED if wanted.unattached != "flag":
            return _quarantined(one, policy, estate)
        case Requirement.NIC_PUBLIC_IP:
            text = "take it off by hand once the machine has another way out, or allow it (publicIps.allow)"
        case Requirement.VMSS_PUBLIC_IP:
            text = (
                f"take publicIPAddressConfiguration out of the model of {ids.name(holder.id)} and upgrade its "
                "instances, by hand and once they have another way out; or allow it (publicIps.allow)"
            )
        case Requirement.LOAD_BALANCER_PUBLIC_FRONTEND:
            text = "a frontend cannot live without its address: remove it with its rules by hand, or allow it"
        case _:
            text = "delete it by hand if nobody needs it, or allow it (publicIps.allow)"
    return _told(one, policy, Reason(Gate.UNSUPPORTED, text))


def _told(one: JudgedAddress, policy: Policy, reason: Reason) -> AddressMeans:
    return AddressMeans(withheld=unmended(one.holder.id, policy.name, (one.holder.requirement,), reason))


def _detached(one: JudgedAddress, policy: Policy, lodging: Lodging, estate: Estate) -> AddressMeans:
    """What takes the addresses off an interface: after its subnet has another way out, and never off a router."""
    nic, subnet = estate.find(one.holder.id, facts.NetworkInterface), lodging.judged
    if not isinstance(nic, facts.NetworkInterface) or subnet is None:
        return _told(one, policy, Reason(Gate.UNSEEN, "its interface or its subnet was not read"))
    if hop := _routes(nic, estate):
        return _told(one, policy, Reason(Gate.UNSUPPORTED, f"{hop}: whoever routes is changed by hand only"))
    managed = _managed(one, policy, estate)
    if managed is not None:
        return managed
    out = [v for v in subnet.verdicts if v.requirement in _OUT]
    unknown = next((v for v in out if v.result is Result.UNKNOWN), None)
    wrong = next((v for v in out if v.result is Result.VIOLATION), None)
    if unknown is not None:
        return _told(one, policy, Reason(Gate.UNSEEN, f"how its subnet leaves is not known: {unknown.seen}"))
    if wrong is not None and not lodging.repairs:
        text = f"its subnet must have another way out first: {wrong.seen}, expected {wrong.expected}"
        return _told(one, policy, Reason(Gate.NEEDS, text))
    held = {c.name: c.properties.public_ip_address for c in nic.properties.ip_configurations or ()}
    off = {
        name: ref.id for name, ref in held.items() if ref is not None and any(ids.same(ref.id, w) for w in one.wrong)
    }
    lost = _dynamic(off.values(), estate)
    step = WriteInterface(nic.id, dict.fromkeys(off), {**off}, lost)
    changes = f"; {', '.join(lost)} is dynamic, and an undo may bring another" if lost else ""
    new = lodging.repairs[-1].new_addresses if wrong and lodging.repairs else ()
    if not new and subnet.path is not None:
        new = tuple(a for a in addresses(subnet.path, estate)[0] if a not in one.verdict.addresses)
    proposes = policy.public_ips.repair.network_interface == "propose"
    return AddressMeans(
        Remediation(
            resource=nic.id,
            policy=policy.name,
            requirements=(one.holder.requirement,),
            steps=(step,),
            reason=f"{one.verdict.seen}, expected {one.verdict.expected}; nobody reaches it from outside afterwards"
            f"{changes}",
            disruptions=(Disruption.OUTAGE,),
            digest=digest(policy.name, (one.holder.requirement,), nic.id, (step,)),
            old_addresses=one.verdict.addresses,
            new_addresses=new,
            needs=_first(lodging.repairs) if wrong else (),
            replaces=f"the public address of {one.holder.shown}" if proposes else "",
        )
    )


def _first(repairs: tuple[Remediation, ...]) -> tuple[str, ...]:
    """Repairs in, their digests and those of all they need, in order, out."""
    return tuple(dict.fromkeys(digest for repair in repairs for digest in (*repair.needs, repair.digest)))


def _dynamic(given: Iterable[str], estate: Estate) -> tuple[str, ...]:
    """Ids of public addresses in, the numbers that Azure keeps for nobody once they are off out."""
    found = (estate.find(one, facts.PublicIp) for one in given)
    known = (one.properties for one in found if isinstance(one, facts.PublicIp))
    dynamic = (one for one in known if (one.public_ip_allocation_method or "").casefold() == "dynamic")
    return tuple(one.ip_address for one in dynamic if one.ip_address)


def _routes(nic: facts.NetworkInterface, estate: Estate) -> str:
    """Why an interface may carry the traffic of others, "" when nothing says so."""
    if nic.properties.enable_ip_forwarding:
        return "it forwards traffic of others"
    own = {c.properties.private_ip_address for c in nic.properties.ip_configurations or ()} - {None}
    for table in estate.all(facts.RouteTable):
        for route in table.properties.routes or ():
            if route.properties.next_hop_ip_address in own:
                return f"route {route.name} of table {ids.name(table.id)} leads to it"
    return ""


def _managed(one: JudgedAddress, policy: Policy, estate: Estate) -> AddressMeans | None:
    """Groups that a service manages are never written (safety.md 9)."""
    group_id = ids.group_of(one.holder.id)
    group = estate.find(group_id, facts.ResourceGroup)
    if ids.in_node_group(one.holder.id):
        owner = "a cluster"
    elif group is None:
        tried = any(gap.about == ids.key(group_id) for gap in estate.gaps)
        if not tried:
            return AddressMeans(missing=(group_id,))
        why = f"whether a service manages group {ids.name(group_id)} is not known: {estate.why(ids.key(group_id))}"
        return _told(one, policy, Reason(Gate.UNSEEN, why))
    elif group is ABSENT or not group.managed_by:
        return None
    else:
        owner = ids.name(group.managed_by)
    text = f"its group is managed by {owner} and is never written: change it there, or allow it (publicIps.allow)"
    return _told(one, policy, Reason(Gate.CLUSTER, text))


def _quarantined(one: JudgedAddress, policy: Policy, estate: Estate) -> AddressMeans:
    """What puts an address that nobody has into quarantine, or ends it with the address when its time is over."""
    managed = _managed(one, policy, estate)
    if managed is not None:
        return managed
    holder = one.holder
    about = (holder.requirement,)
    over = quarantined(holder) is not None
    step: Step = DeleteAddress(holder.id)
    named: Step = step
    if not over:
        was = next((value for name, value in (holder.tags or {}).items() if name.casefold() == QUARANTINE), None)
        step = WriteTag(holder.id, QUARANTINE, estate.observed_at.date().isoformat(), was)
        named = WriteTag(holder.id, QUARANTINE, "")  # what is approved today is the same tomorrow
    proposes = policy.public_ips.repair.unattached == "propose"
    return AddressMeans(
        Remediation(
            resource=holder.id,
            policy=policy.name,
            requirements=about,
            steps=(step,),
            reason=f"{one.verdict.seen}, expected {one.verdict.expected}",
            disruptions=(Disruption.IRREVERSIBLE if over else Disruption.NONE,),
            digest=digest(policy.name, about, holder.id, (named,)),
            old_addresses=one.verdict.addresses if over else (),
            replaces="an address that nobody uses" if proposes else "",
        )
    )
