"""Estates: a list of ARM bodies in, resources that are simply there out; and the same form back."""

import sys
from collections.abc import Iterable
from typing import Any

import msgspec

from simulator.built_in_roles import TYPE as ROLE_TYPE
from simulator.built_in_roles import definition, definition_key
from simulator.cluster_bodies import PROFILES, is_cluster, stored_cluster, stored_pool
from simulator.errors import ArmError
from simulator.event_subscriptions import is_event_subscription
from simulator.forms import check_form
from simulator.groups import stored_group
from simulator.hierarchy import MEMBERSHIP, leave
from simulator.ids import AGENT_POOL, CLUSTERS, SCALE_SET, SUBNET, VNET, Address, parent_key, parse, parse_id
from simulator.plain import stored_plain
from simulator.policy_definitions import definition_of
from simulator.ranges import parsed
from simulator.references import Reference, back_references
from simulator.render import render
from simulator.scopes import GROUP_TYPE, SUBSCRIPTION_TYPE, group_body
from simulator.shapes import UNSEEN, has_guid, identify, is_network, kept_of, kind_of, shaped
from simulator.special_subnets import prefixes_of
from simulator.store import Stored
from simulator.vaults import SECRETS, stored_secret
from simulator.wire import Body, elements, members, text
from simulator.world import World

ROLE_DEFINITIONS = ROLE_TYPE.lower()
POLICY_DEFINITIONS = "microsoft.authorization/policydefinitions"

Estate = list[Any] | dict[str, Any]
"""A list of ARM bodies, or the same as `{"data": [...]}`, the form Resource Graph gives."""


COLUMNS = ("tenantId", "resourceGroup", "subscriptionId")
"""What rows of Resource Graph say of a resource beside its body."""


class BadEstate(ValueError):  # noqa: N818
    """An entry of an estate is no resource."""


def load(world: World, estate: Estate) -> None:
    """An estate in; everything in it exists, as it is, without any rule asked or event sent."""
    entries = estate.get("data") if isinstance(estate, dict) else estate
    if not isinstance(entries, list):
        raise BadEstate('an estate is a list of resources, or {"data": [...]}')
    foreign: list[Reference] = []
    for number, entry in enumerate(entries):
        try:
            foreign.extend(_load_entry(world, entry))
        except BadEstate as problem:
            raise BadEstate(f"entry {number}: {problem}") from None
    for reference in foreign:
        # A holder that is in the estate says itself whom it names; only of strangers do we believe others.
        named = reference.target in world.store or parent_key(reference.target) in world.store  # a pool is inside
        if named and world.store.owner(reference.holder.casefold()) is None:
            world.store.add_foreign(reference)
        else:
            world.store.put_last(reference)  # one after the other, so that all stand in the order that was given


def export(world: World) -> list[Body]:
    """Everything that exists, in a form that `load` takes."""
    store = world.store
    bodies: list[Body] = []
    for subscription_key in store.keys_in("/subscriptions"):
        subscription = store.get(subscription_key)
        if subscription is None:
            continue
        bodies.append({"id": subscription.id, "type": SUBSCRIPTION_TYPE, **subscription.content})
        bodies += _exported(world, subscription_key)
        for group_key in store.keys_in(f"{subscription_key}/resourcegroups"):
            group = store.get(group_key)
            if group is not None:
                bodies.append(group_body(group))
                bodies += _exported(world, group_key)
    return bodies + _exported(world, "")


def ensure_scope(world: World, address: Address) -> None:
    """A resource's address in; its subscription and group exist."""
    if address.subscription:
        key = f"/subscriptions/{address.subscription}".casefold()
        if key not in world.store:
            world.store.put(key, Stored(f"/subscriptions/{address.subscription}", SUBSCRIPTION_TYPE, b"{}"))
        if address.group and f"{key}/resourcegroups/{address.group}".casefold() not in world.store:
            stored = stored_group(address.subscription, address.group, {"location": "eastus"})
            world.store.put(stored.id.casefold(), stored)


def _exported(world: World, scope: str) -> list[Body]:
    """A scope's key in, all resources directly in it, and what hangs under them, out."""
    bodies: list[Body] = []
    for key in world.store.top_level(scope):
        bodies += _exported_resource(world, key)
    return bodies


def _exported_resource(world: World, key: str) -> list[Body]:
    stored = world.store.get(key)
    if stored is None:
        return []
    type_key = stored.type.lower()
    hides = is_network(type_key) or type_key in (SCALE_SET, CLUSTERS)
    unseen = {name: value for name, value in stored.content.items() if name == UNSEEN and hides}
    bodies = [render(world.store, key, stored) | unseen]
    inline = {array.lower() for array in kind_of(type_key).children}
    if type_key == CLUSTERS:
        inline.add("agentpools")
    for collection in world.store.collections_under(key):
        if collection.rpartition("/")[2] not in inline:
            for child in world.store.keys_in(collection):
                bodies += _exported_resource(world, child)
    return bodies


def _load_entry(world: World, entry: object) -> Iterable[Reference]:
    body = _without_columns(members(entry))
    resource_id, type_key = text(body.get("id")), text(body.get("type")).casefold()
    if type_key == SUBSCRIPTION_TYPE.casefold():
        return _load_subscription(world, body)
    address = parse(resource_id) if resource_id.startswith("/") else None
    if type_key in (GROUP_TYPE.casefold(), "microsoft.resources/subscriptions/resourcegroups"):
        if address is None or not address.group:
            raise BadEstate(f"not the id of a resource group: {resource_id!r}")
        ensure_scope(world, msgspec.structs.replace(address, group=None))
        stored = stored_group(address.subscription or "", address.group, {"location": "eastus", **body})
        stored.state = text(members(body.get("properties")).get("provisioningState")) or "Succeeded"
        world.store.put(stored.id.casefold(), stored)
        return ()
    address = parse_id(resource_id)
    if address is None:
        raise BadEstate(f"not the id of a resource: {resource_id!r}")
    ensure_scope(world, address)
    if address.type_key == ROLE_DEFINITIONS:  # they are the tenant's, wherever they were read
        return _load_role(world, address, body)
    if is_network(address.type_key):
        foreign = _load_network(world, address, resource_id, body)
        world.ages.loaded(address.key, body)
        return foreign
    if address.type_key == MEMBERSHIP:
        ensure_scope(world, Address("", address.names[1], None, None))
        leave(world.store, address.names[1])
    if is_cluster(address.type_key):
        return _load_cluster(world, address, resource_id, body)
    if address.type_key == SECRETS:
        before = (world.store.get(address.key), world.guid)
        world.store.put(address.key, stored_secret(resource_id, address.type, body, before))
        return ()
    stored = stored_plain(resource_id, sys.intern(_type(address, text(body.get("type")))), body)
    if address.type_key == POLICY_DEFINITIONS:
        try:
            definition_of(stored)
        except ArmError as refusal:
            raise BadEstate(f"{refusal.message}: {resource_id}") from None
    world.store.put(address.key, stored)
    if is_event_subscription(address.type_key):
        try:
            world.subscribe(address.key, stored, confirmed=True)
        except ArmError as refusal:
            raise BadEstate(f"{refusal.message}: {resource_id}") from None
    return ()


def _load_cluster(world: World, address: Address, resource_id: str, body: Body) -> Iterable[Reference]:
    """A cluster with its pools, or a pool, as the entry says; its node group is made of other entries."""
    if address.type_key == AGENT_POOL:
        properties = {**members(body.get("properties"))}
        world.store.put(address.key, stored_pool(resource_id, properties, world.guid))
        return ()
    world.store.put(address.key, stored_cluster(resource_id, body, world.guid))
    for known in world.store.keys_in(f"{address.key}/agentpools"):
        world.store.remove(known)
    for profile in elements(members(body.get("properties")).get(PROFILES)):
        name = text(profile.get("name"))
        if not name:
            raise BadEstate(f"an element of {PROFILES} has no name")
        pool_id = f"{resource_id}/agentPools/{name}"
        world.store.put(pool_id.casefold(), stored_pool(pool_id, profile, world.guid))
    return ()


def _without_columns(entry: Body) -> Body:
    """An entry in, the body that Resource Manager would show out: rows of Resource Graph say more, and say nothings."""
    named = text(entry.get("id")).count("/") > 2
    said = {name: value for name, value in entry.items() if value is not None and not (named and name in COLUMNS)}
    return {name: value for name, value in said.items() if value != "" or name not in ("kind", "managedBy")}


def _type(address: Address, said: str) -> str:
    """The address of a resource and the type an entry gives it in, how Azure spells it out; rows have lower case."""
    if said and said != said.lower():
        return said
    return address.type


def _load_role(world: World, address: Address, body: Body) -> Iterable[Reference]:
    name = address.names[-1]
    content = definition(name, members(body.get("properties")))
    stored = Stored(f"/providers/{address.type}/{name}", address.type, msgspec.json.encode(content))
    world.store.put(definition_key(name), stored)
    return ()


def _load_subscription(world: World, body: Body) -> Iterable[Reference]:
    subscription = text(body.get("subscriptionId")) or text(body.get("id")).rpartition("/")[2]
    if not subscription:
        raise BadEstate("a subscription without an id")
    content = {name: value for name, value in body.items() if name in ("displayName", "state", "tags", "tenantId")}
    row = {"displayName": text(body.get("name")), "state": text(members(body.get("properties")).get("state"))}
    content = {name: value for name, value in row.items() if value} | content
    resource_id = f"/subscriptions/{subscription}"
    world.store.put(resource_id.casefold(), Stored(resource_id, SUBSCRIPTION_TYPE, msgspec.json.encode(content)))
    return ()


def _load_network(world: World, address: Address, resource_id: str, body: Body) -> list[Reference]:
    """A network resource with its children inline; what they say about strangers comes back."""
    _check_readable(address.type_key, body)
    foreign = list(back_references(resource_id, address.type_key, body))
    is_child = len(address.types) > 1
    etag = "" if is_child else text(body.get("etag")) or world.etag()
    world.store.put(address.key, _stored(world, address.type_key, resource_id, address.type, body, etag))
    properties = members(body.get("properties"))
    world.public_numbers.keep(properties)
    for array in kind_of(address.type_key).children:
        child_type = sys.intern(f"{address.type}/{array}")
        if array in properties:
            for known in world.store.keys_in(f"{address.key}/{array.lower()}"):
                world.store.remove(known)
        for element in elements(properties.get(array)):
            if not text(element.get("name")):
                raise BadEstate(f"an element of {array} has no name")
            child_id = f"{resource_id}/{array}/{text(element.get('name'))}"
            world.store.put(child_id.casefold(), _stored(world, child_type.lower(), child_id, child_type, element, ""))
            foreign += back_references(child_id, child_type.lower(), element)
    return foreign


def _check_readable(type_key: str, body: Body) -> None:
    """A network body in; refused when Azure could not have shown it: other JSON types, ranges that are none."""
    try:
        check_form(type_key, body)
    except ArmError as refusal:
        raise BadEstate(f"{text(body.get('id'))}: {refusal.details[0]['message']}") from None
    subnets = elements(members(body.get("properties")).get("subnets")) if type_key == VNET else []
    for subnet in [body] if type_key == SUBNET else subnets:
        for prefix in prefixes_of(subnet):
            if parsed(prefix) is None:
                raise BadEstate(f"{prefix!r} is no range of addresses: subnet {text(subnet.get('name'))!r}")


def _unseen(said: object) -> Body:
    """What an entry says to the simulator alone in, the same out: routes a gateway has learned."""
    routes = members(said).get("learnedRoutes")
    if not isinstance(routes, list) or not all(
        isinstance(route, dict) and text(route.get("network")) for route in routes
    ):
        raise BadEstate(f'"{UNSEEN}" takes "learnedRoutes", a list of routes with a "network" each')
    return {"learnedRoutes": routes}


def _stored(world: World, type_key: str, resource_id: str, type_name: str, body: Body, etag: str) -> Stored:
    properties = members(body.get("properties"))
    kept = kept_of(type_key, body)
    if has_guid(type_key) and "resourceGuid" not in kept:
        kept["resourceGuid"] = world.guid()
    content = shaped(type_key, body, kept)
    identify(type_name, resource_id, content)
    if UNSEEN in body:
        content[UNSEEN] = _unseen(body[UNSEEN])
    state = text(properties.get("provisioningState")) or "Succeeded"
    return Stored(resource_id, type_name, msgspec.json.encode(content), sys.intern(state), etag)
