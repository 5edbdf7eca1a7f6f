"""Ways in by Front Door: a network in; the profiles that lead into it by a private link, and into which subnets, out.

Front Door asks a private link service, which stands before a load balancer of the network; nothing of it has a public
address. A subnet that private link services may live in says so (`privateLinkServiceNetworkPolicies`), and without one
nothing is read. Profiles are looked for in the subscription of the network.
"""

from typing import Final

from msgspec import Struct

from governor.core import facts, ids
from governor.core.estate import Estate, list_of
from governor.core.front_door_facts import FrontDoor, FrontDoors, FrontDoorWaf, PrivateLinkService
from governor.core.ground import Audited
from governor.core.policy import Policy, Requirement
from governor.core.verdict import Result, Verdict, exempted, why_unread

_REQUIREMENT: Final = Requirement.INGRESS_WAF
_EXPECTED: Final = "a web application firewall that blocks"
_LISTS: Final = ("privateLinkServices", "frontDoors", "loadBalancers")


class Door(Struct, frozen=True):
    """A profile that leads into a network. links: names of private link services. behind: keys of subnets."""

    profile: FrontDoor
    links: tuple[str, ...]
    behind: tuple[str, ...]


class Doors(Struct, frozen=True):
    """The profiles that lead into a network. missing: lists to read first. unread: why it is not known whether any do.

    open: keys of the subnets into which they may lead.
    """

    known: tuple[Door, ...] = ()
    missing: tuple[str, ...] = ()
    unread: str = ""
    open: tuple[str, ...] = ()


NONE: Final = Doors()


def doors(network: facts.VirtualNetwork, estate: Estate) -> Doors:
    """A network in, the profiles of Front Door that lead into it out."""
    open_ = tuple(ids.key(subnet.id) for subnet in network.properties.subnets or () if _takes_links(subnet))
    if not open_:
        return NONE
    scope = f"/subscriptions/{ids.parse(network.id).subscription}"
    missing = tuple(name for what in _LISTS if not estate.has_listed(name := list_of(what, scope)))
    if missing:
        return Doors(missing=missing, unread=estate.why(missing[0]), open=open_)
    leading = {ids.key(one.id): (one, _behind(one, network, estate)) for one in estate.all(PrivateLinkService)}
    found: list[Door] = []
    for listed in estate.all(FrontDoors):
        for profile in listed.value:
            asked = {ids.key(link) for link in _links(profile)}
            through = [leading[key] for key in sorted(asked) if key in leading and leading[key][1]]
            if through:
                behind = dict.fromkeys(key for _, keys in through for key in keys)
                found.append(Door(profile, tuple(ids.name(one.id) for one, _ in through), tuple(behind)))
    return Doors(tuple(sorted(found, key=lambda door: ids.key(door.profile.id))))


def of_door(door: Door, policy: Policy, estate: Estate) -> Audited:
    """A profile that leads into a network and the policy there in, whether a firewall is in front of it out."""
    profile = door.profile
    named = {
        ids.key(one.properties.parameters.waf_policy.id): one.properties.parameters.waf_policy.id
        for one in profile.security_policies
        if one.properties.parameters.waf_policy
    }
    guards = [_guard(waf, estate) for _, waf in sorted(named.items())]
    if not guards:
        guards = [(Result.VIOLATION, "no firewall policy")]
    found = {result for result, _ in guards}
    result = next((one for one in (Result.VIOLATION, Result.UNKNOWN) if one in found), Result.COMPLIANT)
    seen = ", ".join(text for each, text in guards if each is result)
    if result is Result.VIOLATION:
        result, seen = exempted(profile.id, _REQUIREMENT, policy, estate, seen)
    unread = tuple(waf for waf in named.values() if estate.find(waf, FrontDoorWaf) is None)
    return Audited((Verdict(profile.id, _REQUIREMENT, result, policy.name, seen, _EXPECTED),), unread)


def _guard(waf: str, estate: Estate) -> tuple[Result, str]:
    fact, shown = estate.find(waf, FrontDoorWaf), f"firewall policy {ids.name(waf)}"
    if not isinstance(fact, FrontDoorWaf):
        return Result.UNKNOWN, f"{shown}: {why_unread(waf, estate)}"
    settings = fact.properties.policy_settings
    state, mode = (settings.enabled_state, settings.mode) if settings else (None, None)
    if state is None or mode is None:
        return Result.UNKNOWN, f"{shown} does not say whether it is enabled and blocks"
    if state.casefold() != "enabled":
        return Result.VIOLATION, f"{shown} is {state.lower()}"
    if mode.casefold() != "prevention":
        return Result.VIOLATION, f"{shown} is in mode {mode}, which blocks nothing"
    return Result.COMPLIANT, f"{shown} blocks"


def takes_links(network: facts.VirtualNetwork) -> bool:
    """Whether a private link service may live in a network."""
    return any(map(_takes_links, network.properties.subnets or ()))


def _takes_links(subnet: facts.Subnet) -> bool:
    return (subnet.properties.private_link_service_network_policies or "").casefold() == "disabled"


def _links(profile: FrontDoor) -> tuple[str, ...]:
    """A profile in, the ids of what its enabled origins ask by a private link out."""
    origins = (one.properties for one in profile.origins)
    shared = (one.shared_private_link_resource for one in origins if (one.enabled_state or "") != "Disabled")
    return tuple(one.private_link.id for one in shared if one is not None and one.private_link is not None)


def _behind(service: PrivateLinkService, network: facts.VirtualNetwork, estate: Estate) -> tuple[str, ...]:
    """A private link service in, the keys of the subnets of a network with members of its load balancers out."""
    subnets = network.properties.subnets or ()
    lodging = {ids.key(ref.id): ids.key(one.id) for one in subnets for ref in one.properties.ip_configurations or ()}
    found: dict[str, None] = {}
    for frontend in service.properties.load_balancer_frontend_ip_configurations or ():
        balancer = estate.find(ids.parent(frontend.id), facts.LoadBalancer)
        pools = (balancer.properties.backend_address_pools or ()) if isinstance(balancer, facts.LoadBalancer) else ()
        members = [ref.id for pool in pools for ref in pool.properties.backend_ip_configurations or ()]
        found.update(dict.fromkeys(lodging[ids.key(one)] for one in members if ids.key(one) in lodging))
    return tuple(found)
