"""Which policy governs a resource: all policies and a Subject in; the policy, what is missing, or nobody out.

A condition whose fact was not read is neither true nor false: while such a condition can
decide, no lower policy is asked.
"""

import fnmatch
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from msgspec import Struct

from governor.core import ids
from governor.core.policy import Conditions, Exemption, Policies, Policy, Requirement, Select

_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Subject(Struct, frozen=True):
    """What conditions look at. None is not read; an empty text is "lives in none".

    tags: already fallen back per key (resource, VNet, group, subscription). tags_complete is False when one of those
    levels was not read, so that a key which is not there may still exist.
    """

    resource_id: str
    kind: str
    subscription: str
    resource_group: str
    region: str | None = None
    subscription_name: str | None = None
    management_groups: tuple[str, ...] | None = None
    virtual_network: str | None = None
    subnet: str | None = None
    occupants: frozenset[str] | None = None
    tags: dict[str, str] | None = None
    tags_complete: bool = True


class Selected(Struct, frozen=True):
    """This policy governs the subject."""

    policy: Policy


class Undecided(Struct, frozen=True):
    """This policy may govern the subject: the conditions in `missing` look at facts that were not read."""

    policy: Policy
    missing: tuple[str, ...]


class Ungoverned(Struct, frozen=True):
    """No policy selects the subject."""


class Expired(Struct, frozen=True):
    """There was an exemption, and its last day is over."""

    exemption: Exemption


class Finding(Struct, frozen=True):
    """One condition of a policy on one subject, for people: `holds` is None when its fact was not read."""

    condition: str
    holds: bool | None
    excludes: bool = False


Holds = Callable[[Subject], bool | None]


class _Condition(Struct, frozen=True):
    name: str
    holds: Holds


class _Compiled(Struct, frozen=True):
    """A Select, ready to be asked many times."""

    required: tuple[_Condition, ...]
    excluded: tuple[_Condition, ...]

    def ask(self, subject: Subject) -> bool | tuple[str, ...]:
        """Whether the subject is selected, or the conditions that must be known to tell."""
        missing: list[str] = []
        for condition in self.required:
            holds = condition.holds(subject)
            if holds is False:
                return False
            if holds is None:
                missing.append(condition.name)
        for condition in self.excluded:
            holds = condition.holds(subject)
            if holds:
                return False
            if holds is None:
                missing.append(f"except.{condition.name}")
        return tuple(missing) or True


@lru_cache(maxsize=8192)
def matcher(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    """Names or globs in, the question whether a text is one of them out; case does not matter."""
    match = re.compile("|".join(fnmatch.translate(pattern.casefold()) for pattern in patterns)).match
    return lambda text: match(text.casefold()) is not None


def _named(patterns: tuple[str, ...], name: Callable[[Subject], str | None]) -> Holds:
    matches = matcher(patterns)

    def holds(subject: Subject) -> bool | None:
        value = name(subject)
        if value is None:
            return None
        return value != "" and matches(value)

    return holds


def _in_subscription(patterns: tuple[str, ...]) -> Holds:
    matches = matcher(patterns)
    # A whole id never is a display name, so no name is needed to say that it is not this subscription.
    names_matter = not all(_GUID.fullmatch(pattern.casefold()) for pattern in patterns)

    def holds(subject: Subject) -> bool | None:
        if matches(subject.subscription):
            return True
        if subject.subscription_name is None:
            return None if names_matter else False
        return matches(subject.subscription_name)

    return holds


def _in_management_group(patterns: tuple[str, ...]) -> Holds:
    matches = matcher(patterns)

    def holds(subject: Subject) -> bool | None:
        groups = subject.management_groups
        return None if groups is None else any(matches(group) for group in groups)

    return holds


def _occupied(wanted: tuple[str, ...]) -> Holds:
    def holds(subject: Subject) -> bool | None:
        occupants = subject.occupants
        return None if occupants is None else not (occupants or {"empty"}).isdisjoint(wanted)

    return holds


def _tagged(tag: str, values: tuple[str, ...]) -> Holds:
    matches, wanted = matcher(values), tag.casefold()

    def holds(subject: Subject) -> bool | None:
        tags = subject.tags
        if tags is None:
            return None
        for name, value in tags.items():
            if name.casefold() == wanted:
                return matches(value)
        return False if subject.tags_complete else None

    return holds


def _conditions(given: Conditions) -> tuple[_Condition, ...]:
    # In the order in which they are cheap to ask and likely to rule a subject out.
    found = [
        ("virtualNetworks", given.virtual_networks and _named(given.virtual_networks, lambda s: s.virtual_network)),
        ("subnets", given.subnets and _named(given.subnets, lambda s: s.subnet)),
        ("resourceGroups", given.resource_groups and _named(given.resource_groups, lambda s: s.resource_group)),
        ("regions", given.regions and _named(given.regions, _region)),
        ("subscriptions", given.subscriptions and _in_subscription(given.subscriptions)),
        ("managementGroups", given.management_groups and _in_management_group(given.management_groups)),
        ("occupants", given.occupants and _occupied(given.occupants)),
        *((f"tags.{tag}", _tagged(tag, _values(values))) for tag, values in sorted(given.tags.items())),
    ]
    return tuple(_Condition(name, holds) for name, holds in found if not isinstance(holds, tuple))


def _region(subject: Subject) -> str | None:
    # Azure writes `West Europe` here and `westeurope` there; every resource has one, so "" was not read.
    return subject.region.replace(" ", "") if subject.region else None


def _values(values: tuple[str, ...] | str) -> tuple[str, ...]:
    return (values,) if isinstance(values, str) else values


def _compile(select: Select) -> _Compiled:
    return _Compiled(_conditions(select), _conditions(select.except_))


@lru_cache(maxsize=8)
def _compiled(policies: Policies) -> tuple[tuple[Policy, _Compiled], ...]:
    return tuple((policy, _compile(policy.select)) for policy in policies)


def select(policies: Policies, subject: Subject) -> Selected | Undecided | Ungoverned:
    """All policies and a subject in; the first that selects it, the first that may, or Ungoverned out."""
    for policy, compiled in _compiled(policies):
        answer = compiled.ask(subject)
        if answer is True:
            return Selected(policy)
        if answer is not False:
            return Undecided(policy, answer)
    return Ungoverned()


def meets(wanted: Select, subject: Subject) -> bool | None:
    """Conditions and a subject in, whether they hold out; None while facts that could decide were not read."""
    answer = _compile(wanted).ask(subject)
    return answer if isinstance(answer, bool) else None


def findings(policy: Policy, subject: Subject) -> tuple[Finding, ...]:
    """A policy and a subject in, every condition with its answer out: why it governs the subject or does not."""
    compiled = _compile(policy.select)
    return (
        *(Finding(condition.name, condition.holds(subject)) for condition in compiled.required),
        *(Finding(condition.name, condition.holds(subject), excludes=True) for condition in compiled.excluded),
    )


def by_network(policies: Policies) -> bool:
    """Policies in, whether all subnets of a VNet have the same answer out: no condition looks at the subnet itself."""
    given = [conditions for policy in policies for conditions in (policy.select, policy.select.except_)]
    return not any(conditions.subnets or conditions.occupants for conditions in given)


def exempt(policy: Policy, resource_id: str, requirement: Requirement, now: datetime) -> Exemption | Expired | None:
    """A resource and a requirement in; the exemption ending last, Expired when that day (UTC) is over, or None."""
    about = [
        exemption
        for exemption in policy.exemptions
        if exemption.requirement is requirement and matcher((ids.key(exemption.resource),))(ids.key(resource_id))
    ]
    if not about:
        return None
    latest = max(about, key=lambda exemption: exemption.until)
    return latest if now.astimezone(UTC).date() <= latest.until else Expired(latest)
