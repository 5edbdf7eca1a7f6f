"""What a PUT of a network resource would change: a call in, a Change out; then checked, then made."""

import sys

import msgspec

from simulator import balancers, errors, peering_rules, peerings
from simulator.address_rules import check_addresses_free, check_gateway, check_neighbours
from simulator.calls import Call
from simulator.firewalls import check_firewall
from simulator.gateways import check_virtual_gateway
from simulator.ids import (
    FIREWALL,
    LOAD_BALANCER,
    NAT_GATEWAY,
    NIC,
    PEERING,
    PUBLIC_PREFIX,
    ROUTE,
    ROUTE_TABLE,
    SUBNET,
    VIRTUAL_GATEWAY,
    VNET,
    parent_key,
)
from simulator.placement import place
from simulator.references import CONFIGURATIONS, GATEWAY_ADDRESSES
from simulator.route_tables import check_routes
from simulator.rules import Planned, PlannedNetwork, check_network, check_references, check_subnet_delete
from simulator.shapes import UNSEEN, has_guid, identify, kept_of, kind_of, shaped
from simulator.store import Store, Stored
from simulator.wire import Body, elements, members, text
from simulator.world import World

OMITTED_SUBNETS_STAY = "2023-09-01"
"""From this api-version on, a VNet PUT without `subnets` leaves them alone; before, it removes them."""


class Change(msgspec.Struct, frozen=True):
    """What a PUT would do: the resource as it will be, the children it names, and those it removes."""

    shown_id: str
    content: Body
    before: Body | None
    children: dict[str, Planned] = {}
    removed: tuple[str, ...] = ()

    @property
    def is_new(self) -> bool:
        return self.before is None

    @property
    def changes_nothing(self) -> bool:
        same = self.before == self.content and not self.removed
        return same and all(child.before == child.content for child in self.children.values())


def parent_of(store: Store, call: Call) -> Stored | None:
    """The parent of a child; ARM's 404 when it does not exist."""
    above = call.address.parent
    if above is None:
        return None
    found = store.get(above.key)
    if found is None:
        raise errors.parent_not_found(above.names[-1])
    return found


def new_id(call: Call, group: Stored, parent: Stored | None) -> str:
    if parent is not None:
        return f"{parent.id}/{call.address.type.rpartition('/')[2]}/{call.address.names[-1]}"
    return f"{group.id}/providers/{call.address.type}/{call.address.names[0]}"


def location_of(call: Call, sent: Body, old: Stored | None, parent: Stored | None, group: Stored) -> str:
    """Where it lies: a child where its parent does; a location can be given once and not changed."""
    if parent is not None:
        top = parent.content.get("location")
        return text(top)
    given = text(sent.get("location")).replace(" ", "").lower()
    existing = text(old.content.get("location")) if old is not None else ""
    if not given:
        raise errors.location_required()
    if existing and given != existing:
        raise errors.location_changed(call.address.names[-1], existing, group.name, given)
    return given


def change_of(world: World, call: Call, shown_id: str, sent: Body, old: Stored | None) -> Change:
    """What was sent in, what it would change out."""
    type_key = call.address.type_key
    before = old.content if old is not None else None
    _check_form(type_key, sent)
    content = _content(world, type_key, call.address.key, sent, before)
    identify(call.address.type, shown_id, content)
    children: dict[str, Planned] = {}
    removed: list[str] = []
    for array in kind_of(type_key).children:
        existing = world.store.keys_in(f"{call.address.key}/{array.lower()}")
        properties = members(sent.get("properties"))
        if array == "subnets" and array not in properties and call.api_version >= OMITTED_SUBNETS_STAY:
            continue
        named = {}
        for element in elements(properties.get(array)):
            name = text(element.get("name"))
            if not name:
                raise errors.bad(
                    "InvalidRequestFormat", f"Cannot parse the request: an element of {array} has no name."
                )
            child_id = f"{shown_id}/{array}/{name}"
            child_key = child_id.casefold()
            if child_key in named:
                raise errors.bad(
                    "DuplicateResourceName",
                    f"Resource {shown_id} has two child resources with the same name ({name}).",
                )
            child = world.store.get(child_key)
            child_before = child.content if child is not None else None
            child_content = _content(world, f"{type_key}/{array.lower()}", child_key, element, child_before)
            named[child_key] = Planned(child.id if child is not None else child_id, child_content, child_before)
        children |= named
        removed += [key for key in existing if key not in named]
    return Change(shown_id, content, before, children, tuple(removed))


def _content(world: World, type_key: str, key: str, sent: Body, before: Body | None) -> Body:
    """What was sent for one resource in, what would be stored out."""
    kept = kept_of(type_key, before) if before is not None else {}
    if has_guid(type_key) and "resourceGuid" not in kept:
        kept = {"resourceGuid": world.guid(), **kept}
    content = shaped(type_key, sent, kept)
    if type_key == PEERING and not peerings.same_as_before(content, before):
        content = peerings.completed(world.store, key, content)
    if before is not None and UNSEEN in before:
        content[UNSEEN] = before[UNSEEN]
    return content


def _check_form(type_key: str, sent: Body) -> None:
    """What is read as an object or a list of objects is one; anything else would silently mean nothing."""
    properties = sent.get("properties")
    if properties is not None and not isinstance(properties, dict):
        raise errors.invalid_content("The value of 'properties' must be a JSON object.")
    arrays = (*kind_of(type_key).children, *CONFIGURATIONS, *GATEWAY_ADDRESSES)
    for name in arrays:
        value = members(properties).get(name)
        if value is not None and not (isinstance(value, list) and all(isinstance(element, dict) for element in value)):
            raise errors.invalid_content(f"The value of 'properties.{name}' must be an array of JSON objects.")
    length = members(properties).get("prefixLength")
    if type_key == PUBLIC_PREFIX and length is not None and (not isinstance(length, int) or not 21 <= length <= 127):
        raise errors.bad(
            "InvalidPublicIPPrefixLength", f"The prefix length {length} of a public IP prefix is not valid."
        )


def check(world: World, call: Call, change: Change, location: str) -> None:
    """A change in; refused when it breaks a rule of its type."""
    store, type_key = world.store, call.address.type_key
    if type_key == VNET:
        for key in change.removed:
            subnet = store.get(key)
            if subnet is not None and subnet.type.lower() == SUBNET:
                check_subnet_delete(store, key, subnet)
        network = _network(store, change, location)
        check_network(store, network)
        _check_peerings(world, network, {key: child for key, child in change.children.items() if _is(child, PEERING)})
    elif type_key in (SUBNET, PEERING, ROUTE):
        parent = store.get(parent_key(call.address.key))
        if parent is not None:
            _check_child(world, call, parent, Planned(change.shown_id, change.content, change.before))
    elif type_key == ROUTE_TABLE:
        routes = {child.id: child.content for child in change.children.values()}
        check_routes(store, change.shown_id, routes, frozenset(change.children))
    else:
        _check_resource(store, type_key, change, location)


def _check_child(world: World, call: Call, parent: Stored, planned: Planned) -> None:
    """A child that is written by itself, judged among its siblings."""
    store, siblings = world.store, call.address.key.rpartition("/")[0]
    location = text(parent.content.get("location"))
    match call.address.type_key:
        case "microsoft.network/virtualnetworks/subnets":
            inner = Change(parent.id, parent.content, parent.content, children={planned.key: planned})
            check_network(store, _network(store, inner, location))
        case "microsoft.network/virtualnetworks/virtualnetworkpeerings":
            inner = Change(parent.id, parent.content, parent.content)
            others = {found.id: found.content for found in store.listed(siblings) if found.id.casefold() != planned.key}
            peering_rules.check(world, _network(store, inner, location), planned, others)
        case _:
            routes = {found.id: found.content for found in store.listed(siblings)} | {planned.id: planned.content}
            check_routes(store, parent.id, routes, frozenset((planned.key,)))


def _check_peerings(world: World, network: PlannedNetwork, named: dict[str, Planned]) -> None:
    """The peerings a network's PUT names: what is as it was is not judged again, but for the ranges."""
    for key, planned in named.items():
        if not peerings.same_as_before(planned.content, planned.before):
            others = {other.id: other.content for other_key, other in named.items() if other_key != key}
            peering_rules.check(world, network, planned, others)
    peering_rules.check_space(world.store, network, {planned.id: planned.content for planned in named.values()})


def _check_resource(store: Store, type_key: str, change: Change, location: str) -> None:
    """What stands by itself: what it names, what it holds, and where it is."""
    resource_id, content, before = change.shown_id, change.content, change.before
    check_references(store, resource_id, type_key, content, location)
    if type_key == NAT_GATEWAY:
        check_gateway(store, resource_id, content, before)
        return
    check_addresses_free(store, resource_id, type_key, content)
    check_neighbours(store, resource_id, type_key, content)
    if type_key == LOAD_BALANCER:
        balancers.check(resource_id, content)
    elif type_key == FIREWALL:
        check_firewall(store, resource_id, content)
    elif type_key == VIRTUAL_GATEWAY:
        check_virtual_gateway(store, resource_id, content, before)
    if type_key in (NIC, LOAD_BALANCER, FIREWALL):
        place(store, resource_id, type_key, content, before)


def _is(planned: Planned, type_key: str) -> bool:
    """Whether a child is of a type, by the collection its id lies in."""
    return planned.key.split("/")[-2] == type_key.rpartition("/")[2]


def _network(store: Store, change: Change, location: str) -> PlannedNetwork:
    """A VNet's change in, the VNet with all the subnets it would have out."""
    subnets: dict[str, Planned] = {}
    for key in store.keys_in(f"{change.shown_id.casefold()}/subnets"):
        stored = store.get(key)
        if stored is not None and key not in change.removed:
            content = stored.content
            subnets[key] = Planned(stored.id, content, content)
    written = {key: child for key, child in change.children.items() if _is(child, SUBNET)}
    spaces = members(members(change.content.get("properties")).get("addressSpace")).get("addressPrefixes")
    prefixes = tuple(text(prefix) for prefix in spaces) if isinstance(spaces, list) else ()
    return PlannedNetwork(change.shown_id, location, prefixes, subnets | written, frozenset(written))


def commit(world: World, call: Call, change: Change, state: str) -> tuple[str, ...]:
    """A checked change in; it is made. The keys of all that is Updating because of it out."""
    store, key = world.store, call.address.key
    is_child = len(call.address.types) > 1
    body = msgspec.json.encode(change.content)
    old = store.get(key)
    if call.address.type_key == VNET and old is not None:
        peerings.keep_ranges(store, old)
    store.put(key, Stored(change.shown_id, call.address.type, body, state, "" if is_child else world.etag()))
    touched = [key]
    for child in change.removed:
        world.delete(child)
    for child_key, planned in change.children.items():
        child_type = sys.intern(f"{call.address.type}/{planned.id.split('/')[-2]}")
        store.put(child_key, Stored(planned.id, child_type, msgspec.json.encode(planned.content), state))
    for written in (key, *change.children):
        for other in peerings.connect(store, written):
            world.renew_etag(other)
    if is_child:
        above = parent_key(key)
        world.renew_etag(key)
        parent = store.get(above)
        if parent is not None and state == "Updating":
            parent.state = state
            touched.append(above)
    else:
        for array in kind_of(call.address.type_key).children:
            for child_key in store.keys_in(f"{key}/{array.lower()}"):
                found = store.get(child_key)
                if found is not None:
                    found.state = state
                    touched.append(child_key)
    return tuple(touched)
