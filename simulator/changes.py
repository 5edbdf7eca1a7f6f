"""What a PUT of a network resource would change: a call in, a Change out; once it is checked, it is made."""

import sys

import msgspec

from simulator import errors, peerings
from simulator.calls import Call
from simulator.forms import check_form
from simulator.ids import PEERING, PUBLIC_PREFIX, VNET, name_of, parent_key
from simulator.names import check_resource
from simulator.regions import is_region, location_not_available
from simulator.rules import Planned
from simulator.shapes import UNSEEN, has_guid, identify, inner_elements, kept_of, kind_of, shaped
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
    if not existing and not is_region(given, call.address.types[0], group):
        raise location_not_available(text(sent.get("location")), call.address.type)
    return given


def change_of(world: World, call: Call, shown_id: str, sent: Body, old: Stored | None) -> Change:
    """What was sent in, what it would change out."""
    type_key = call.address.type_key
    before = old.content if old is not None else None
    check_form(type_key, sent)
    if type_key == PUBLIC_PREFIX:
        _check_prefix_length(sent)
    content = _content(world, type_key, sent, before)
    if type_key == PEERING:
        content = peerings.completed(world.store, call.address.key, content)
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
            child_content = _content(world, f"{type_key}/{array.lower()}", element, child_before)
            # A network that is written with its peerings as they were does not synchronise them.
            if array == "virtualNetworkPeerings" and not peerings.same_as_before(child_content, child_before):
                child_content = peerings.completed(world.store, child_key, child_content)
            named[child_key] = Planned(child.id if child is not None else child_id, child_content, child_before)
        children |= named
        removed += [key for key in existing if key not in named]
    _check_names(type_key, shown_id, content, children, is_new=before is None)
    return Change(shown_id, content, before, children, tuple(removed))


def _check_names(type_key: str, shown_id: str, content: Body, children: dict[str, Planned], *, is_new: bool) -> None:
    """Whatever is made anew, a part of the resource too, has a name that may be."""
    if is_new:
        check_resource(type_key, name_of(shown_id))
    for child in children.values():
        if child.before is None:
            check_resource("", name_of(child.id))
    for _, part in inner_elements(type_key, members(content.get("properties"))):
        check_resource("", text(part.get("name")))


def _content(world: World, type_key: str, sent: Body, before: Body | None) -> Body:
    """What was sent for one resource in, what would be stored out."""
    kept = kept_of(type_key, before) if before is not None else {}
    if has_guid(type_key) and "resourceGuid" not in kept:
        kept = {"resourceGuid": world.guid(), **kept}
    content = shaped(type_key, sent, kept)
    if before is not None and UNSEEN in before:
        content[UNSEEN] = before[UNSEEN]
    return content


def _check_prefix_length(sent: Body) -> None:
    properties = members(sent.get("properties"))
    length = properties.get("prefixLength")
    shortest, longest = (124, 127) if properties.get("publicIPAddressVersion") == "IPv6" else (21, 31)
    if length is not None and not shortest <= length <= longest:
        raise errors.bad(
            "InvalidPublicIPPrefixLength", f"The prefix length {length} of a public IP prefix is not valid."
        )


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
