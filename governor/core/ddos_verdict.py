"""DDoS protection of public addresses that are in use (`public-ip-ddos`): a network in, Verdicts out; judged only."""

from typing import Final

from msgspec import Struct

from governor.core import facts, ids
from governor.core.addresses import Places, places
from governor.core.egress import unsettled_state
from governor.core.estate import NOT_READ, Estate, list_of
from governor.core.ground import NOTHING, Audited, Ground, lodgers, together, undecided
from governor.core.policy import Policies, Policy, Requirement
from governor.core.selection import Selected, Undecided, Ungoverned
from governor.core.verdict import Result, Verdict, exempted

_REQUIREMENT: Final = Requirement.PUBLIC_IP_DDOS
_EXPECTED: Final = "DDoS protection, its own or its network's"


def wanted(policies: Policies) -> bool:
    """Whether any policy asks for DDoS protection."""
    return any(policy.ingress.ddos != "off" for policy in policies)


class Held(Struct, frozen=True):
    """An Estate by who has public addresses: those that were listed, by key of their holder; and what is where."""

    addresses: dict[str, list[facts.PublicIp]]
    places: Places


def held(estate: Estate) -> Held:
    """An Estate in, who has which public addresses out."""
    found: dict[str, list[facts.PublicIp]] = {}
    for address in estate.all(facts.PublicIp):
        properties = address.properties
        holder = properties.ip_configuration or properties.nat_gateway
        if holder is not None and ids.kind(holder.id):
            found.setdefault(ids.key(ids.top_level(holder.id)), []).append(address)
    return Held(found, places(estate))


def of_network(ground: Ground, held: Held) -> Audited:
    """A network and who has public addresses in, what holds of those that lead into it out."""
    asking = [
        subnet
        for subnet in ground.subnets
        if (policy := ground.governs(ids.key(subnet.id))) is not None and policy.ingress.ddos != "off"
    ]
    holders = {holder: ids.key(subnet.id) for subnet in asking for holder in lodgers(subnet)}
    holders |= {one.properties.nat_gateway.id: ids.key(one.id) for one in asking if one.properties.nat_gateway}
    if not holders:
        return NOTHING
    behind = {ids.key(ref.id): ids.key(s.id) for s in asking for ref in s.properties.ip_configurations or ()}
    for key, subnet in {**behind, ids.key(ground.network.id): ""}.items():
        for balancer in held.places.reached.get(key, {}).values():
            holders.setdefault(balancer.id, subnet)
    by_key = {ids.key(holder): (holder, subnet) for holder, subnet in holders.items()}
    return together(
        [
            _unread(ground, holders),
            *(
                _judged(address, holder, subnet, ground)
                for key, (holder, subnet) in sorted(by_key.items())
                for address in held.addresses.get(key, ())
            ),
        ]
    )


def _unread(ground: Ground, holders: dict[str, str]) -> Audited:
    """The lists that tell all of it; where one cannot be read, addresses may be there that nobody has seen."""
    here = f"/subscriptions/{ids.parse(ground.network.id).subscription}"
    scopes = {f"/subscriptions/{ids.parse(holder).subscription}" for holder in holders}
    names = (*sorted(list_of("publicIpAddresses", scope) for scope in scopes), list_of("loadBalancers", here))
    missing = tuple(name for name in names if not ground.estate.has_listed(name))
    lost = [why for name in missing if (why := ground.estate.why(name)) != NOT_READ]
    if not lost:
        return Audited((), missing)
    seen = f"public addresses not seen: {lost[0]}"
    return Audited((Verdict(ground.network.id, _REQUIREMENT, Result.UNKNOWN, seen=seen),), missing)


def _judged(address: facts.PublicIp, holder: str, subnet: str, ground: Ground) -> Audited:
    match ground.ask(address.id, address.tags, subnet):
        case Ungoverned():
            return NOTHING
        case Undecided() as answer:
            return undecided(answer, address.id, _REQUIREMENT)
        case Selected(policy=policy):
            pass
    if policy.ingress.ddos == "off":
        return NOTHING
    return Audited((_verdict(address, holder, policy, ground),))


def _verdict(address: facts.PublicIp, holder: str, policy: Policy, ground: Ground) -> Verdict:
    ip = address.properties.ip_address
    shown = f"{ip or 'no address yet'} on {ids.name(holder)}"
    if ids.kind(holder) == ids.NAT_GATEWAY:
        seen = f"{shown}: Azure does not protect addresses of NAT gateways, and nobody gets in by them"
        return Verdict(address.id, _REQUIREMENT, Result.NOT_APPLICABLE, policy.name, seen)
    waits = False
    result, why = _protection(address, ground.network)
    if unsettled := unsettled_state(address.id, address.properties.provisioning_state):
        result, (why, waits) = Result.UNKNOWN, unsettled
    seen = f"{shown}: {why}"
    if result is Result.VIOLATION:
        result, seen = exempted(address.id, _REQUIREMENT, policy, ground.estate, seen)
    return Verdict(address.id, _REQUIREMENT, result, policy.name, seen, _EXPECTED, (ip,) if ip else (), waits)


def _protection(address: facts.PublicIp, network: facts.VirtualNetwork) -> tuple[Result, str]:
    """A public address and the network of its holder in, whether it is protected and why out."""
    settings = address.properties.ddos_settings
    mode = settings.protection_mode if settings else None
    plan = network.properties.ddos_protection_plan
    protects = bool(network.properties.enable_ddos_protection) and plan is not None
    match (mode or "").casefold():
        case "enabled":
            return Result.COMPLIANT, "it has DDoS protection of its own"
        case "disabled":
            return Result.VIOLATION, "DDoS protection is turned off for it"
        case "virtualnetworkinherited" if protects and plan is not None:
            return Result.COMPLIANT, f"plan {ids.name(plan.id)} of network {network.name} protects it"
        case "virtualnetworkinherited":
            return Result.VIOLATION, f"it inherits from network {network.name}, which has no DDoS protection"
        case "" if not protects:
            return Result.VIOLATION, f"neither it nor network {network.name} has DDoS protection"
        case _:
            return (
                Result.UNKNOWN,
                f"protection mode {mode or 'not given'}: whether its network protects it is not known",
            )
