"""A web application firewall before what comes in (`ingress-waf`): an application gateway in, its Verdict out."""

from typing import Final

from msgspec import Struct

from governor.core import facts, ids
from governor.core.egress import unsettled_state
from governor.core.estate import Estate
from governor.core.fronts import Front, few
from governor.core.ground import Audited
from governor.core.ingress_facts import WafPolicy
from governor.core.policy import Policy, Requirement
from governor.core.verdict import Result, Verdict, exempted, why_unread

REQUIREMENT: Final = Requirement.INGRESS_WAF
_TIERS: Final = frozenset({"waf", "waf_v2"})
_EXPECTED: Final = "a web application firewall that blocks"


class _Guard(Struct, frozen=True):
    """What is in front of a listener or path. result: Compliant where it blocks; unread: its policy's id."""

    result: Result
    seen: str
    unread: str = ""


def of_gateway(front: Front, policy: Policy, estate: Estate) -> Audited:
    """An application gateway and the policy that governs it in, whether a firewall is in front of its listeners out."""
    gateway = front.gateway
    properties = gateway.properties
    if not front.public_listeners:
        seen = "it listens for web traffic on no public address"
        return Audited((Verdict(gateway.id, REQUIREMENT, Result.NOT_APPLICABLE, policy.name, seen),))
    if unsettled := unsettled_state(gateway.id, properties.provisioning_state):
        why, waits = unsettled
        return Audited((Verdict(gateway.id, REQUIREMENT, Result.UNKNOWN, policy.name, why, _EXPECTED, waits=waits),))
    tier = properties.sku.tier or properties.sku.name or ""
    if tier and tier.casefold() not in _TIERS:
        guards = [_Guard(Result.VIOLATION, f"tier {tier} has no web application firewall")]
    elif not tier:
        guards = [_Guard(Result.UNKNOWN, "its tier is not known")]
    else:
        guards = _guards(front, estate)
    worst = next(
        (one for result in (Result.VIOLATION, Result.UNKNOWN) for one in guards if one.result is result), guards[0]
    )
    alike = tuple(dict.fromkeys(one.seen for one in guards if one.result is worst.result))
    result, seen = worst.result, few(alike)
    if result is Result.VIOLATION:
        result, seen = exempted(gateway.id, REQUIREMENT, policy, estate, seen)
    told = Verdict(gateway.id, REQUIREMENT, result, policy.name, seen, _EXPECTED)
    return Audited((told,), tuple(dict.fromkeys(one.unread for one in guards if one.unread)))


def _guards(front: Front, estate: Estate) -> list[_Guard]:
    """The firewall of each public listener, and of each path that has one of its own: the nearest one counts."""
    properties = front.gateway.properties
    found: list[_Guard] = []
    for listener in front.public_listeners:
        nearest = listener.properties.firewall_policy or properties.firewall_policy
        guard = _by_policy(nearest, estate) if nearest else _by_configuration(front)
        found.append(_Guard(guard.result, f"listener {listener.name}: {guard.seen}", guard.unread))
    rules = (rule.properties for paths in properties.url_path_maps or () for rule in paths.properties.path_rules or ())
    return found + [_by_policy(rule.firewall_policy, estate) for rule in rules if rule.firewall_policy is not None]


def _by_policy(ref: facts.Ref, estate: Estate) -> _Guard:
    fact = estate.find(ref.id, WafPolicy)
    shown = f"firewall policy {ids.name(ref.id)}"
    if not isinstance(fact, WafPolicy):
        return _Guard(Result.UNKNOWN, f"{shown}: {why_unread(ref.id, estate)}", "" if fact else ref.id)
    settings = fact.properties.policy_settings
    return _blocks(shown, settings.state if settings else None, settings.mode if settings else None)


def _by_configuration(front: Front) -> _Guard:
    """The older form on the gateway itself."""
    there = front.gateway.properties.web_application_firewall_configuration
    if there is None:
        return _Guard(Result.VIOLATION, "no firewall policy")
    state = None if there.enabled is None else "Enabled" if there.enabled else "Disabled"
    return _blocks("its firewall configuration", state, there.firewall_mode)


def _blocks(shown: str, state: str | None, mode: str | None) -> _Guard:
    if state is not None and state.casefold() != "enabled":
        return _Guard(Result.VIOLATION, f"{shown} is {state.lower()}")
    if mode is not None and mode.casefold() != "prevention":
        return _Guard(Result.VIOLATION, f"{shown} is in mode {mode}, which blocks nothing")
    if state is None or mode is None:
        return _Guard(Result.UNKNOWN, f"{shown} does not say whether it is enabled and blocks")
    return _Guard(Result.COMPLIANT, f"{shown} blocks")
