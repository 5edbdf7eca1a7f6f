"""Ways in: a network and who has public addresses in it in; Verdicts on `ingress-path`, `-waf` and `-nsg` out.

A subnet is judged where something leads into it: a public load balancer, an application gateway, an address of its own.
"""

from typing import Final

from msgspec import Struct

from governor.core import facts, ids, waf_verdict
from governor.core.address_verdict import JudgedAddress, SeenAddresses
from governor.core.front_doors import NONE, Door, Doors, doors, of_door
from governor.core.fronts import Front, Fronts, few, fronts, gateways_in
from governor.core.ground import NOTHING, Audited, Ground, together, undecided
from governor.core.ingress_facts import SecurityGroup
from governor.core.openings import ANYBODY, Opening, beyond, openings
from governor.core.policy import Policy, Requirement
from governor.core.selection import Selected, Undecided, Ungoverned
from governor.core.verdict import Result, Verdict, exempted, why_unread

_PATH: Final = Requirement.INGRESS_PATH
_NSG: Final = Requirement.INGRESS_NSG
_WAF: Final = Requirement.INGRESS_WAF
_GATEWAY: Final = "applicationGateway"
_BALANCER: Final = "loadBalancer"
_DOOR: Final = "frontDoorPrivateLink"
_WORDS: Final = {
    _GATEWAY: "application gateway",
    _DOOR: "Front Door by private link",
    "azureFirewall": "Azure Firewall",
    "apiManagement": "API Management",
    _BALANCER: "load balancer",
}


class _Way(Struct, frozen=True):
    """A public way into a subnet. kind: as policies name it; "" for an address of one's own, which none can allow."""

    kind: str
    seen: str


def of_network(ground: Ground, public: SeenAddresses) -> Audited:
    """A network and who has public addresses in it in, what holds of the ways in out."""
    front = fronts(ground.network, ground.estate) if _asks_gateways(ground) else Fronts()
    door = doors(ground.network, ground.estate) if _asks(_DOOR, ground) else NONE
    return together(
        [
            Audited(missing=(*front.missing, *door.missing)),
            *(_waf(one, ground) for one in front.known),
            *(_unread(*one, ground) for one in front.unread),
            *(_waf_of_door(one, ground) for one in door.known),
            *_security(front, ground),
            *_paths(front, door, public, ground),
        ]
    )


def _asks_gateways(ground: Ground) -> bool:
    """Whether a policy of the network asks about application gateways, and there are any."""
    if not gateways_in(ground.network):
        return False
    return _asks(_GATEWAY, ground)


def _asks(kind: str, ground: Ground) -> bool:
    """Whether a policy of the network asks about what comes in this way."""
    governing = (ground.governs(ids.key(subnet.id)) for subnet in ground.subnets)
    asked = (one.ingress for one in governing if one is not None)
    nsg = kind == _GATEWAY
    return any(one.waf != "off" or (nsg and one.nsg != "off") or kind not in one.allow for one in asked)


# ---- firewall -------------------------------------------------------------------------------------------------------


def _waf(front: Front, ground: Ground) -> Audited:
    match ground.ask(front.gateway.id, front.gateway.tags, front.subnet):
        case Ungoverned():
            return NOTHING
        case Undecided() as answer:
            return undecided(answer, front.gateway.id, _WAF)
        case Selected(policy=policy):
            pass
    return waf_verdict.of_gateway(front, policy, ground.estate) if policy.ingress.waf != "off" else NOTHING


def _waf_of_door(door: Door, ground: Ground) -> Audited:
    """A profile is governed as the first subnet that it leads to: it lives in no network itself."""
    policy = ground.governs(door.behind[0])
    return of_door(door, policy, ground.estate) if policy is not None and policy.ingress.waf != "off" else NOTHING


def _unread(gateway: str, subnet: str, why: str, ground: Ground) -> Audited:
    """A gateway that lives in the network and was not read: neither its firewall nor whom it leads to is known."""
    policy = ground.governs(subnet)
    if policy is None:
        return NOTHING
    asked = ((_WAF, policy.ingress.waf), (_NSG, policy.ingress.nsg))
    seen = f"not seen: {why}"
    return Audited(
        tuple(Verdict(gateway, about, Result.UNKNOWN, policy.name, seen) for about, look in asked if look != "off")
    )


# ---- security groups ------------------------------------------------------------------------------------------------


def _security(front: Fronts, ground: Ground) -> list[Audited]:
    """Each subnet behind a gateway, and each gateway that leads to where nobody can tell."""
    before: dict[str, list[Front]] = {}
    found: list[Audited] = []
    for one in front.known:
        for key in one.behind:
            before.setdefault(key, []).append(one)
        policy = ground.governs(one.subnet)
        if one.elsewhere and policy is not None and policy.ingress.nsg != "off":
            seen = f"it leads to {few(one.elsewhere)} as well, and whose subnet that is is not known"
            found.append(Audited((Verdict(one.gateway.id, _NSG, Result.UNKNOWN, policy.name, seen),)))
    for subnet in ground.subnets:
        policy = ground.governs(ids.key(subnet.id))
        if ids.key(subnet.id) in before and policy is not None and policy.ingress.nsg != "off":
            found.append(_behind(subnet, before[ids.key(subnet.id)], policy, ground))
    return found


def _behind(subnet: facts.Subnet, before: list[Front], policy: Policy, ground: Ground) -> Audited:
    own = {ids.key(one.id): one for one in ground.subnets}
    theirs = tuple(own[front.subnet] for front in before)
    names = few(tuple(dict.fromkeys(one.name for one in theirs)))
    expected = f"a security group that lets in subnet {names} only"
    ref = subnet.properties.network_security_group
    group = ground.estate.find(ref.id, SecurityGroup) if ref else None
    missing: tuple[str, ...] = ()
    if ref is None:
        result, seen = Result.VIOLATION, "no security group"
    elif not isinstance(group, SecurityGroup):
        result, seen = Result.UNKNOWN, f"{ids.name(ref.id)}: {why_unread(ref.id, ground.estate)}"
        missing = (ref.id,) if group is None else ()
    else:
        gateways = tuple(prefix for one in theirs for prefix in one.prefixes)
        result, seen = _admits(group, subnet, gateways)
    if result is Result.VIOLATION:
        result, seen = exempted(subnet.id, _NSG, policy, ground.estate, seen)
    return Audited((Verdict(subnet.id, _NSG, result, policy.name, seen, expected),), missing)


def _admits(group: SecurityGroup, subnet: facts.Subnet, gateways: tuple[str, ...]) -> tuple[Result, str]:
    """A subnet's security group and the prefixes of the gateways before it in, whether it lets in those alone out."""
    name = ids.name(group.id)
    found = openings(group, subnet.prefixes)
    if found is None:
        return Result.UNKNOWN, f"{name}: its rules are not all known"
    if others := beyond(found, (*gateways, *subnet.prefixes)):
        return Result.VIOLATION, f"{name} lets in {few(tuple(map(_shown, others)))}"
    if not beyond(found, subnet.prefixes):
        return Result.COMPLIANT, f"{name} lets in nobody from outside, the gateway neither"
    return Result.COMPLIANT, f"{name} lets in the gateway only"


def _shown(opening: Opening) -> str:
    who = "everybody" if opening.source.casefold() in ANYBODY else opening.source
    return f"{who} (rule {opening.rule})"


# ---- paths ----------------------------------------------------------------------------------------------------------


def _paths(front: Fronts, door: Doors, public: SeenAddresses, ground: Ground) -> list[Audited]:
    ways: dict[str, list[_Way]] = {}
    places = {ids.key(subnet.id): subnet.id for subnet in ground.subnets}
    for one in public.judged:
        if (way := _by_address(one)) is not None:
            place = one.holder.subnet if one.holder.subnet in places else one.holder.id
            ways.setdefault(place, []).append(way)
    for before in front.known:
        for subnet in before.behind if before.is_public else ():
            ways.setdefault(subnet, []).append(_Way(_GATEWAY, f"application gateway {ids.name(before.gateway.id)}"))
    for leading in door.known:
        way = _Way(_DOOR, f"Front Door {ids.name(leading.profile.id)} by private link {few(leading.links)}")
        for subnet in leading.behind:
            ways.setdefault(subnet, []).append(way)
    whole = not (public.unseen or front.unread or door.unread)
    unknown = [_unseen(places[key], door.unread, ground) for key in door.open if key not in ways]
    return [
        *unknown,
        *(_path(places.get(place, place), tuple(those), whole, ground) for place, those in sorted(ways.items())),
    ]


def _unseen(subnet: str, why: str, ground: Ground) -> Audited:
    """A subnet that private links may lead into, and why nobody has seen whether Front Door does, in."""
    policy = ground.governs(ids.key(subnet))
    if policy is None:
        return NOTHING
    seen = f"whether Front Door leads into it by a private link: {why}"
    return Audited((Verdict(subnet, _PATH, Result.UNKNOWN, policy.name, seen),))


def _by_address(judged: JudgedAddress) -> _Way | None:
    """Who has a public address in, the way in that it is out; None where it is none, or its policy has no objection."""
    holder, policy = judged.holder, judged.policy
    if policy is None or policy.public_ips.default == "allow" or holder.only_outbound:
        return None
    addresses = few(tuple(sorted(one.ip or one.why for one in holder.addresses)))
    seen = f"{holder.shown} ({addresses})" if addresses else holder.shown
    if holder.requirement is Requirement.LOAD_BALANCER_PUBLIC_FRONTEND:
        return _Way(_BALANCER, seen)
    return _Way("", seen) if judged.wrong or holder.model else None


def _path(place: str, ways: tuple[_Way, ...], whole: bool, ground: Ground) -> Audited:
    match ground.ask(place, None, ids.key(place)):
        case Ungoverned():
            return NOTHING
        case Undecided() as answer:
            return undecided(answer, place, _PATH)
        case Selected(policy=policy):
            pass
    allowed = policy.ingress.allow
    wrong = tuple(dict.fromkeys(way.seen for way in ways if way.kind not in allowed))
    expected = " or ".join(_WORDS[one] for one in allowed) or "no way in"
    if wrong:
        result, seen = exempted(place, _PATH, policy, ground.estate, f"open to the internet by {few(wrong)}")
        return Audited((Verdict(place, _PATH, result, policy.name, seen, expected),))
    seen = f"open to the internet by {few(tuple(dict.fromkeys(way.seen for way in ways)))}"
    if not whole:
        seen = f"{seen}; not all ways in were seen"
    return Audited((Verdict(place, _PATH, Result.COMPLIANT if whole else Result.UNKNOWN, policy.name, seen, expected),))
