"""Conditions of a policy in Azure Policy's language: what it selects and how a request tells that in, JSON out.

What a request does not tell raises Unsayable: nothing is ever left out, for then something else would be denied.
"""

import re
from typing import Any, Final, TypeAlias, assert_never

from msgspec import Struct

from governor.core.policy import Conditions, Policy, Select

Body: TypeAlias = dict[str, Any]
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_GLOB: Final = re.compile(r"[*?\[]")
MANAGEMENT_GROUPS: Final = "/providers/Microsoft.Management/managementGroups/"
SUBSCRIPTION_ID: Final = "[subscription().subscriptionId]"


class Unsayable(Exception):  # noqa: N818 - it is an answer, not a mistake of somebody's
    """What Azure Policy cannot be told, and why, for people."""


class Held(Struct, frozen=True):
    """Something in a subnet, whose id stands under this alias."""

    alias: str


class Network(Struct, frozen=True):
    """A virtual network with the subnets inside its request."""


class Subnet(Struct, frozen=True):
    """A subnet that is written by itself: it says nothing of its region."""


class Alone(Struct, frozen=True):
    """Something that says nothing of networks."""


Place: TypeAlias = Held | Network | Subnet | Alone
"""How a request tells where a thing is."""


def governed(policy: Policy, earlier: tuple[Policy, ...], scope: str, place: Place) -> tuple[Body, ...]:
    """A policy, those that are asked before it, and a scope it is assigned at in; what holds for what it governs."""
    others: list[Body] = []
    for other in earlier:
        there = _at(other, scope)
        if there is None:
            continue
        try:
            conditions = (*there, *_selected(other.select, place))
        except Unsayable as why:
            raise Unsayable(f"policy {other.name} is asked first, and selects by {why}") from why
        if not conditions:
            raise Unsayable(f"policy {other.name} is asked first and governs everything there")
        others.append({"not": all_of(conditions)})
    return (*_selected(policy.select, place), *others)


def scopes(select: Select, default: str | None) -> tuple[str, ...]:
    """What a policy selects, and the scope of policies that name none, in; the ids of the scopes it holds at out."""
    groups, subscriptions = select.management_groups, select.subscriptions
    if groups and subscriptions:
        raise Unsayable("whether its subscriptions are in its management groups is not known here")
    _plain(groups, "management groups")
    if any(not _is_id(one) for one in subscriptions):
        raise Unsayable("subscriptions by name: Azure Policy is assigned by id")
    found = (
        *(f"{MANAGEMENT_GROUPS}{one}" for one in groups),
        *(f"/subscriptions/{one.lower()}" for one in subscriptions),
    )
    if not found and default is None:
        raise Unsayable("it names no management group and no subscription: give one with --scope ID")
    return found or (str(default),)


def not_scopes(select: Select) -> tuple[str, ...]:
    """What a policy selects in, the ids of the scopes that it leaves out."""
    _plain(select.except_.management_groups, "management groups")
    if any(not _is_id(one) for one in select.except_.subscriptions):
        raise Unsayable("subscriptions that are left out by name: Azure Policy knows their ids")
    return (
        *(f"{MANAGEMENT_GROUPS}{one}" for one in select.except_.management_groups),
        *(f"/subscriptions/{one.lower()}" for one in select.except_.subscriptions),
    )


def named(field: str, patterns: tuple[str, ...]) -> Body:
    """A field and names or globs in, the condition that it is one of them out."""
    if not any(_GLOB.search(one) for one in patterns):
        return {"field": field, "in": list(patterns)}
    return any_of(tuple({"field": field, "like": _wildcard(one)} for one in patterns))


def within(alias: str, part: str, patterns: tuple[str, ...], after: str) -> Body:
    """An alias of an id and names or globs in; the condition that the segment after `part` is one of them out."""
    found: list[Body] = []
    for one in map(_wildcard, patterns):
        start, star, end = one.partition("*")
        if start and end:
            raise Unsayable(f"the glob {one}: in the middle of an id only its start or its end can be told")
        if star and not start and not end:
            found.append({"field": alias, "exists": True})
        elif star and not end:
            found.append({"field": alias, "contains": f"/{part}/{start}"})
        elif after:
            found.append({"field": alias, "contains": f"{end}{after}" if star else f"/{part}/{one}{after}"})
        else:
            found.append({"field": alias, "like": f"*{end}" if star else f"*/{part}/{one}"})
    return any_of(tuple(found))


def all_of(conditions: tuple[Body, ...]) -> Body:
    return conditions[0] if len(conditions) == 1 else {"allOf": list(conditions)}


def any_of(conditions: tuple[Body, ...]) -> Body:
    return conditions[0] if len(conditions) == 1 else {"anyOf": list(conditions)}


def _at(policy: Policy, scope: str) -> tuple[Body, ...] | None:
    """A policy that is asked first, and a scope, in; what holds where it is asked below that, None: nowhere, out."""
    groups, subscriptions = policy.select.management_groups, policy.select.subscriptions
    out: list[Body] = []
    if policy.select.except_.management_groups:
        raise Unsayable(f"policy {policy.name} is asked first and leaves management groups out")
    if left_out := policy.select.except_.subscriptions:
        out.append({"value": SUBSCRIPTION_ID, "notIn": _ids(policy, left_out)})
    if groups and (subscriptions or scope.casefold() not in {f"{MANAGEMENT_GROUPS}{one}".casefold() for one in groups}):
        raise Unsayable(f"policy {policy.name} is asked first, and what is in its management groups is not known here")
    if subscriptions:
        wanted = _ids(policy, subscriptions)
        if scope.startswith("/subscriptions/"):
            return tuple(out) if scope.lower().rpartition("/")[2] in wanted else None
        out.append({"value": SUBSCRIPTION_ID, "in": wanted})
    return tuple(out)


def _ids(policy: Policy, subscriptions: tuple[str, ...]) -> list[str]:
    if any(not _is_id(one) for one in subscriptions):
        raise Unsayable(f"policy {policy.name} is asked first and names subscriptions that are no ids")
    return [one.lower() for one in subscriptions]


def _selected(select: Select, place: Place) -> tuple[Body, ...]:
    excluded = tuple({"not": one} for one in _conditions(select.except_, place))
    return (*_conditions(select, place), *excluded)


def _conditions(given: Conditions, place: Place) -> tuple[Body, ...]:
    """What conditions say, but for scopes; each of them as one condition."""
    if given.tags:
        raise Unsayable("tags: a request does not show those of network, group and subscription")
    if given.occupants:
        raise Unsayable("occupants: a request does not show who else lives in a subnet")
    wanted = (
        (given.resource_groups, _group),
        (given.virtual_networks, _network),
        (given.subnets, _subnet),
        (given.regions, _region),
    )
    return tuple(said(patterns, place) for patterns, said in wanted if patterns)


def _group(patterns: tuple[str, ...], place: Place) -> Body:
    match place:
        case Held(alias):
            return within(alias, "resourceGroups", patterns, "/providers/")
        case Network() | Subnet():
            return any_of(tuple({"value": "[resourceGroup().name]", "like": _wildcard(one)} for one in patterns))
        case Alone():
            raise Unsayable("resource groups: those of the networks behind it are not in its request")
        case _:
            assert_never(place)


def _network(patterns: tuple[str, ...], place: Place) -> Body:
    match place:
        case Held(alias):
            return within(alias, "virtualNetworks", patterns, "/subnets/")
        case Network():
            return named("name", patterns)
        case Subnet():
            return within("id", "virtualNetworks", patterns, "/subnets/")
        case Alone():
            raise Unsayable("virtual networks: those behind it are not in its request")
        case _:
            assert_never(place)


def _subnet(patterns: tuple[str, ...], place: Place) -> Body:
    match place:
        case Held(alias):
            return within(alias, "subnets", patterns, "")
        case Network():
            return named("Microsoft.Network/virtualNetworks/subnets[*].name", patterns)
        case Subnet():
            return named("name", patterns)
        case Alone():
            raise Unsayable("subnets: those behind it are not in its request")
        case _:
            assert_never(place)


def _region(patterns: tuple[str, ...], place: Place) -> Body:
    if isinstance(place, Subnet):
        raise Unsayable("regions: a subnet that is written by itself does not say where it is")
    return named("location", patterns)


def _wildcard(pattern: str) -> str:
    """A name or glob in, the same out: Azure takes one star and nothing else."""
    if pattern.count("*") > 1 or "?" in pattern or "[" in pattern:
        raise Unsayable(f"the glob {pattern}: Azure Policy takes one star and nothing else")
    return pattern


def _plain(names: tuple[str, ...], what: str) -> None:
    if any(_GLOB.search(name) for name in names):
        raise Unsayable(f"{what} by glob: Azure Policy is assigned by name")


def _is_id(subscription: str) -> bool:
    return _GUID.fullmatch(subscription.lower()) is not None
