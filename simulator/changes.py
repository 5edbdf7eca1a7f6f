"""What a PUT of a network resource would change: a call in, a Change out; then checked, then made."""

import sys

import msgspec

from simulator import errors
from simulator.address_rules import check_addresses_free, check_gateway, check_neighbours, place
from simulator.calls import Call
from simulator.ids import NAT_GATEWAY, NIC, PUBLIC_PREFIX, SUBNET, VNET, parent_key
from simulator.references import CONFIGURATIONS, GATEWAY_ADDRESSES
from simulator.rules import Planned, PlannedNetwork, check_network, check_references, check_subnet_delete
from simulator.shapes import has_guid, identify, kept_of, kind_of, shaped
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
    content = shaped(type_key, sent, _kept(world, type_key, before))
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
            child = world.store.get(child_id.casefold())
            child_before = child.content if child is not None else None
            child_type = f"{type_key}/{array.lower()}"
            child_content = shaped(child_type, element, _kept(world, child_type, child_before))
            named[child_id.casefold()] = Planned(
                child.id if child is not None else child_id, child_content, child_before
            )
        children |= named
        removed += [key for key in existing if key not in named]
    return Change(shown_id, content, before, children, tuple(removed))


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


def _kept(world: World, type_key: str, before: Body | None) -> Body:
    kept = kept_of(type_key, before) if before is not None else {}
    if has_guid(type_key) and "resourceGuid" not in kept:
        kept = {"resourceGuid": world.guid(), **kept}
    return kept


def check(world: World, call: Call, change: Change, location: str) -> None:
    """A change in; refused when it breaks a rule of its type."""
    store, type_key = world.store, call.address.type_key
    if type_key == VNET:
        for key in change.removed:
            subnet = store.get(key)
            if subnet is not None and subnet.type.lower() == SUBNET:
                check_subnet_delete(store, key, subnet)
        check_network(store, _network(store, change, location))
    elif type_key == SUBNET:
        vnet_key = parent_key(call.address.key)
        vnet = store.get(vnet_key)
        if vnet is not None:
            planned = Planned(change.shown_id, change.content, change.before)
            inner = Change(vnet.id, vnet.content, vnet.content, children={call.address.key: planned})
            check_network(store, _network(store, inner, location))
    else:
        check_references(store, change.shown_id, type_key, change.content, location)
        if type_key == NAT_GATEWAY:
            check_gateway(store, change.shown_id, change.content, change.before)
        else:
            check_addresses_free(store, change.shown_id, type_key, change.content)
            check_neighbours(store, change.shown_id, type_key, change.content)
        if type_key == NIC:
            place(store, change.shown_id, change.content, change.before)


def _network(store: Store, change: Change, location: str) -> PlannedNetwork:
    """A VNet's change in, the VNet with all the subnets it would have out."""
    subnets: dict[str, Planned] = {}
    for key in store.keys_in(f"{change.shown_id.casefold()}/subnets"):
        stored = store.get(key)
        if stored is not None and key not in change.removed:
            content = stored.content
            subnets[key] = Planned(stored.id, content, content)
    written = {key: child for key, child in change.children.items() if "/subnets/" in key}
    spaces = members(members(change.content.get("properties")).get("addressSpace")).get("addressPrefixes")
    prefixes = tuple(text(prefix) for prefix in spaces) if isinstance(spaces, list) else ()
    return PlannedNetwork(change.shown_id, location, prefixes, subnets | written, frozenset(written))


def commit(world: World, call: Call, change: Change, state: str) -> tuple[str, ...]:
    """A checked change in; it is made. The keys of all that is Updating because of it out."""
    store, key = world.store, call.address.key
    is_child = len(call.address.types) > 1
    body = msgspec.json.encode(change.content)
    store.put(key, Stored(change.shown_id, call.address.type, body, state, "" if is_child else world.etag()))
    touched = [key]
    for child in change.removed:
        store.remove(child)
    for child_key, planned in change.children.items():
        child_type = sys.intern(f"{call.address.type}/{planned.id.split('/')[-2]}")
        store.put(child_key, Stored(planned.id, child_type, msgspec.json.encode(planned.content), state))
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
