"""Calls on event subscriptions: writes, what they ask for apart from the rest, and their lists by kind of topic."""

from collections.abc import Iterator

import msgspec

from simulator import event_bodies
from simulator.actions import asked_of
from simulator.calls import Call
from simulator.event_filters import invalid
from simulator.ids import EVENT_SUBSCRIPTION, location_key
from simulator.lists import paged
from simulator.render import render
from simulator.store import Stored
from simulator.topics import OF_GROUP, OF_SUBSCRIPTION
from simulator.wire import Body, Response, answer, elements, members, text
from simulator.world import World

LISTS = tuple(
    f"microsoft.eventgrid/{path}/eventsubscriptions" for path in ("topictypes", "locations", "locations/topictypes")
)
"""The types in the paths of lists of some event subscriptions only."""
MOST = 500
GLOBAL = "global"
SCOPES = {2: OF_SUBSCRIPTION, 4: OF_GROUP}
"""The kind of topic that subscriptions and groups have, by the slashes in their ids."""


def put(world: World, call: Call, shown_id: str) -> Response:
    """A body in; Event Grid answers 201 to every PUT, of what is there too."""
    key = call.address.key
    if key not in world.store and len(world.store.keys_in(key.rpartition("/")[0])) >= MOST:
        raise invalid(f"The maximum number of event subscriptions allowed on a topic is {MOST}.")
    return _written(world, call, shown_id, event_bodies.kept(call.content()))


def patch(world: World, call: Call, stored: Stored) -> Response:
    """Members of the properties, which stand by themselves in a PATCH, in; 201, the only status libraries take."""
    return _written(world, call, stored.id, event_bodies.patched(stored.content, call.content()))


def full_url(world: World, call: Call) -> Response:
    """The POST on `.../getFullUrl` in, the whole URL of a webhook, which no read shows, out."""
    stored = asked_of(world, call)
    inner = members(event_bodies.destination_of(members(stored.content.get("properties"))).get("properties"))
    return _told(world, call, stored, "getFullUrl", {"endpointUrl": inner.get("endpointUrl")})


def delivery_attributes(world: World, call: Call) -> Response:
    """The POST on `.../getDeliveryAttributes` in, the headers that were asked for in deliveries out."""
    stored = asked_of(world, call)
    inner = members(event_bodies.destination_of(members(stored.content.get("properties"))).get("properties"))
    return _told(
        world, call, stored, "getDeliveryAttributes", {"value": elements(inner.get("deliveryAttributeMappings"))}
    )


def listed(world: World, call: Call) -> Response:
    """The event subscriptions of a subscription or group by kind of topic, by place, or by both, out.

    Azure calls those of subscriptions and groups global; those of a resource belong to the place where it lies.
    """
    address = call.address
    asked = dict(zip((kind.lower() for kind in address.types), address.names, strict=False))
    place, kind = location_key(asked.get("locations", GLOBAL)), asked.get("topictypes", "").casefold()
    found: list[tuple[str, Stored]] = []
    for source in _sources(world, address.scope.casefold()):
        if place == _place(world, source) and kind in ("", _kind(world, source)):
            keys = world.store.keys_in(f"{source}/providers/{EVENT_SUBSCRIPTION}")
            found += [(key, stored) for key in keys if (stored := world.store.get(key)) is not None]
    return paged(world, call, found, lambda one: event_bodies.seen(world.store, render(world.store, *one)))


def _written(world: World, call: Call, shown_id: str, content: Body) -> Response:
    """A body as it is to be in; it is stored, and its endpoint is asked whether it wants events."""
    store, key = world.store, call.address.key
    old = store.get(key)
    event_bodies.check(store, key, content)
    asked = event_bodies.event_subscription(store, key, content)  # None where nobody can be asked
    waits = world.settings.handshakes and asked is not None
    state = ("Creating" if old is None else "Updating") if waits else "Succeeded"
    made = Stored(shown_id, call.address.type, msgspec.json.encode(content), state)
    store.put(key, made)
    world.subscribe(key, made, confirmed=not waits)
    world.publish(made.id, made.type, call.caller, deleted=False, updated=old is not None)
    return answer(201, event_bodies.seen(store, render(store, key, made)))


def _told(world: World, call: Call, stored: Stored, action: str, what: Body) -> Response:
    world.publish(stored.id, stored.type, call.caller, deleted=False, updated=True, action=action)
    return answer(200, what)


def _sources(world: World, scope: str) -> Iterator[str]:
    """The key of a subscription or group in, its own, and those of the groups and resources in it, out."""
    store = world.store
    scopes = [scope, *(store.keys_in(f"{scope}/resourcegroups"))]
    yield from scopes
    for one in scopes:
        yield from store.top_level(one)


def _place(world: World, source: str) -> str:
    if source.count("/") in SCOPES:
        return GLOBAL
    stored = world.store.get(source)
    return location_key(text(stored.content.get("location"))) if stored is not None else ""


def _kind(world: World, source: str) -> str:
    stored = world.store.get(source)
    return SCOPES.get(source.count("/"), stored.type.replace("/", ".") if stored is not None else "").casefold()
