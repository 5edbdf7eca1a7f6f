"""Reads: single resources and lists with their pages, a call in and the answer out."""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode

from simulator import errors, event_bodies
from simulator.calls import Call
from simulator.event_subscriptions import is_event_subscription
from simulator.ids import CLUSTERS, DEPLOYMENTS, VNET
from simulator.network import missing
from simulator.render import render, summary
from simulator.scopes import GROUP_TYPE, group_body, subscription_body
from simulator.store import Stored
from simulator.wire import Body, Response, answer, members, text
from simulator.world import World

FILTER = re.compile(r"^\s*(?P<name>\w+)\s+eq\s+'(?P<value>[^']*)'\s*$", re.IGNORECASE)
AND = re.compile(r"\s+and\s+(?=\w+\s+eq\s+')", re.IGNORECASE)
FIELDS = {"resourcetype", "name", "location", "resourcegroup", "tagname", "tag"}
T = TypeVar("T")


def resource(world: World, call: Call) -> Response:
    """One resource, with its ETag header where its provider has one."""
    key = call.address.key
    stored = world.store.get(key)
    if world.stale and world.earlier.differs(key, world.stale, world.now()):
        body = world.earlier.body(key)
        body = event_bodies.seen(world.store, body) if body is not None else None
    else:
        body = _shown(world, key, stored) if stored is not None else None
    if body is None:
        raise missing(world.store, call.address)
    etag = text(body.get("etag"))
    return answer(200, body, {"ETag": etag} if etag else {})


def collection(world: World, call: Call) -> Response:
    """The resources of one type in a group, or of a whole subscription, or the children of one resource."""
    address, store = call.address, world.store
    above = address.parent
    if above is not None and above.key not in store:
        raise missing(store, call.address)
    keys = store.keys_in(address.key)
    if above is None and address.subscription and address.scope.count("/") == 2:
        subscription = address.scope.casefold()
        tail = address.key.removeprefix(subscription)
        keys += [
            key for group in store.keys_in(f"{subscription}/resourcegroups") for key in store.keys_in(group + tail)
        ]
    ends_empty = address.type_key == CLUSTERS  # as AKS does
    wanted = _state_filter(call) if address.type_key == DEPLOYMENTS else None
    entries = [(key, found) for key in keys if (found := store.get(key)) is not None]
    if wanted is not None:
        entries = [(key, stored) for key, stored in entries if _state(stored) == wanted]
    return paged(world, call, entries, lambda entry: _shown(world, entry[0], entry[1]), ends_empty=ends_empty)


def resources(world: World, call: Call, scopes: list[str]) -> Response:
    """The top-level resources of some scopes that the caller can read, without properties, by `eq` and `and`.

    `$expand` takes createdTime.
    """
    store = world.store
    keys = [key for scope in scopes for key in store.top_level(scope)]
    entries = [(key, found) for key in keys if (found := store.get(key)) is not None and _readable(world, call, found)]
    for name, value in _conditions(call.request.query.get("$filter", "")):
        entries = [(key, stored) for key, stored in entries if value in _field(name, key, stored)]
    if "createdtime" not in call.request.query.get("$expand", "").lower():
        return paged(world, call, entries, lambda entry: summary(entry[1]))
    return paged(world, call, entries, lambda entry: {**summary(entry[1]), "createdTime": world.ages.created(entry[0])})


def groups(world: World, call: Call) -> Response:
    """The resource groups of a subscription that the caller can read."""
    keys = world.store.keys_in(f"{call.address.scope.casefold()}/resourcegroups")
    found = [stored for key in keys if (stored := world.store.get(key)) is not None and _readable(world, call, stored)]
    return paged(world, call, found, group_body)


def subscriptions(world: World, call: Call) -> Response:
    """All subscriptions in which the caller has a role."""
    principal = call.caller.principal
    listed = list(world.store.listed("/subscriptions"))
    found = [stored for stored in listed if world.access.sees(principal, stored.id.casefold())]
    return paged(world, call, found, subscription_body)


def paged(
    world: World, call: Call, entries: Sequence[T], show: Callable[[T], Body], *, ends_empty: bool = False
) -> Response:
    """A page of the entries, and where the next one is; with `ends_empty` another follows the last entries."""
    token = call.request.query.get("$skiptoken", "0")
    start = int(token) if token.isdecimal() and len(token) < 10 else 0
    asked = call.request.query.get("$top", "")
    wanted = int(asked) if asked.isdecimal() and len(asked) < 10 else 0
    size = min(world.settings.page_size, wanted or world.settings.page_size)
    body: Body = {"value": [show(entry) for entry in islice(entries, start, start + size)]}
    if start + size < len(entries) or (ends_empty and body["value"]):
        path, _, query = call.request.target.partition("?")
        kept = [
            (name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name.lower() != "$skiptoken"
        ]
        body["nextLink"] = f"{call.request.base}{path}?{urlencode([*kept, ('$skiptoken', str(start + size))])}"
    return answer(200, body)


def _readable(world: World, call: Call, stored: Stored) -> bool:
    kind = "Microsoft.Resources/subscriptions/resourceGroups" if stored.type == GROUP_TYPE else stored.type
    return world.access.may(call.caller.principal, f"{kind}/read", stored.id)


def _shown(world: World, key: str, stored: Stored) -> Body:
    """A resource in, what a read shows of it out: a network may be behind its subnets."""
    body = render(world.store, key, stored)
    lag = world.settings.network_lag
    if is_event_subscription(stored.type.lower()):
        return event_bodies.seen(world.store, body)
    if not lag or stored.type.lower() != VNET:
        return body
    before = world.behind.members_of(f"{key}/subnets", lag, world.now())
    now = {text(subnet.get("id")).casefold(): subnet for subnet in body["properties"]["subnets"]}
    body["properties"]["subnets"] = [subnet for subnet in (now | before).values() if subnet is not None]
    return body


def _state_filter(call: Call) -> str | None:
    condition = call.request.query.get("$filter", "")
    match = FILTER.match(condition)
    if not condition:
        return None
    if match is None or match["name"].lower() != "provisioningstate":
        raise errors.gateway(
            400, "InvalidFilterInQueryString", f"Invalid $filter '{condition}' specified in the query string."
        )
    return match["value"].casefold()


def _state(stored: Stored) -> str:
    return (stored.state or text(members(stored.content.get("properties")).get("provisioningState"))).casefold()


def _conditions(condition: str) -> list[tuple[str, str]]:
    """A `$filter` of resources in, what it asks of them out: field and value, a tag's name and value being one."""
    found = [FILTER.match(part) for part in AND.split(condition)] if condition else []
    asked = {match["name"].lower(): match["value"].casefold() for match in found if match is not None}
    clear = len(asked) == len(found)
    if "tagname" in asked and "tagvalue" in asked:
        asked["tag"] = f"{asked.pop('tagname')}={asked.pop('tagvalue')}"
    if not clear or not asked.keys() <= FIELDS:
        raise errors.gateway(
            400, "InvalidFilterInQueryString", f"Invalid $filter '{condition}' specified in the query string."
        )
    return list(asked.items())


def _field(name: str, key: str, stored: Stored) -> Iterable[str]:
    """What a resource has in a field, in the form it is compared in; tags are several."""
    match name:
        case "resourcetype":
            return [stored.type.casefold()]
        case "name":
            return [stored.name.casefold()]
        case "resourcegroup":
            return [key.split("/")[4]] if key.count("/") > 4 else []
        case "tagname":
            return [tag.casefold() for tag in members(stored.content.get("tags"))]
        case "tag":
            return [f"{tag}={value}".casefold() for tag, value in members(stored.content.get("tags")).items()]
        case _:
            return [text(stored.content.get("location")).casefold()]
