"""Who is let into a subnet: a security group and the subnet's prefixes in, Openings out.

A rule counts as closed only where one rule before it denies all of it; what is half closed counts as open.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from governor.core import ids
from governor.core.ingress_facts import SecurityGroup, SecurityRuleProperties
from governor.core.ranges import overlapping, parsed, within

ANYBODY: Final = frozenset({"*", "any"})
# Its health probes come in by this tag, and nothing else does.
PROBES: Final = "azureloadbalancer"


class Opening(Struct, frozen=True):
    """A rule that lets somebody in, and whom: prefixes, service tags, application security groups."""

    rule: str
    source: str


def openings(group: SecurityGroup, subnet: tuple[str, ...]) -> tuple[Opening, ...] | None:
    """A security group and the prefixes of a subnet in, whom it lets in out; None where its rules are not all known."""
    properties = group.properties
    if properties.default_security_rules is None:
        return None
    rules = [*(properties.security_rules or ()), *properties.default_security_rules]
    inbound = [rule for rule in rules if _is(rule.properties.direction, "inbound")]
    if any(rule.properties.priority is None for rule in inbound):
        return None
    denied: list[SecurityRuleProperties] = []
    found: list[Opening] = []
    for rule in sorted(inbound, key=lambda one: one.properties.priority or 0):
        about = rule.properties
        if not _concerns(about, subnet):
            continue
        if _is(about.access, "deny"):
            denied.append(about)
            continue
        found += [
            Opening(rule.name, source)
            for source in _sources(about)
            if not any(_closes(deny, about, source, subnet) for deny in denied)
        ]
    return tuple(found)


def beyond(found: Iterable[Opening], welcome: tuple[str, ...]) -> tuple[Opening, ...]:
    """Openings and prefixes that may come in, in; those that let in somebody else out. Probes may always come in."""
    return tuple(one for one in found if one.source.casefold() != PROBES and not within(one.source, welcome))


def _is(text: str | None, word: str) -> bool:
    return (text or "").casefold() == word


def _sources(rule: SecurityRuleProperties) -> tuple[str, ...]:
    groups = (f"application security group {ids.name(one.id)}" for one in rule.source_application_security_groups or ())
    return (*_either(rule.source_address_prefix, rule.source_address_prefixes), *groups)


def _either(one: str | None, many: tuple[str, ...] | None) -> tuple[str, ...]:
    """Azure writes one value or several."""
    return many or ((one,) if one else ())


def _concerns(rule: SecurityRuleProperties, subnet: tuple[str, ...]) -> bool:
    """Whether a rule may be about the subnet: all its destinations being ranges elsewhere, it is not."""
    targets = _either(rule.destination_address_prefix, rule.destination_address_prefixes)
    if rule.destination_application_security_groups or not targets:
        return True
    return any(parsed(one) is None for one in targets) or overlapping(targets, subnet) is not None


def _closes(deny: SecurityRuleProperties, allow: SecurityRuleProperties, source: str, subnet: tuple[str, ...]) -> bool:
    """Whether an earlier rule denies all that a later one lets in from a source."""
    return (
        _covers(deny.protocol, allow.protocol)
        and _all_ports(deny, allow)
        and _all_destinations(deny, subnet)
        and any(_same_or_wider(wide, source) for wide in _sources(deny))
    )


def _covers(wide: str | None, narrow: str | None) -> bool:
    return (wide or "").casefold() in (*ANYBODY, (narrow or "?").casefold())


def _all_ports(deny: SecurityRuleProperties, allow: SecurityRuleProperties) -> bool:
    pairs = (
        (
            _either(deny.source_port_range, deny.source_port_ranges),
            _either(allow.source_port_range, allow.source_port_ranges),
        ),
        (
            _either(deny.destination_port_range, deny.destination_port_ranges),
            _either(allow.destination_port_range, allow.destination_port_ranges),
        ),
    )
    return all("*" in wide or (narrow and set(narrow) <= set(wide)) for wide, narrow in pairs)


def _all_destinations(deny: SecurityRuleProperties, subnet: tuple[str, ...]) -> bool:
    if deny.destination_application_security_groups or not subnet:
        return False
    targets = _either(deny.destination_address_prefix, deny.destination_address_prefixes)
    # A subnet is always a part of its own virtual network.
    if any(one.casefold() in (*ANYBODY, "virtualnetwork") for one in targets):
        return True
    return all(within(prefix, targets) for prefix in subnet)


def _same_or_wider(wide: str, source: str) -> bool:
    return wide.casefold() in ANYBODY or wide.casefold() == source.casefold() or within(source, (wide,))
