"""What a body names: everything exists, is ready, and lies where it has to; a resource in, nothing or a refusal out."""

from collections.abc import Iterator

from simulator import errors
from simulator.balancers import holder_of
from simulator.ids import NAT_GATEWAY, NETWORK, NIC, PEERING, PUBLIC_IP, ROUTE_TABLE, SUBNET, VNET, parse_id
from simulator.references import PARTS, references
from simulator.shapes import READ_ONLY_OF, inner_elements
from simulator.store import Store, Stored
from simulator.wire import Body, members, text

LAST_WRITE = {
    NAT_GATEWAY: "PutNatGatewayOperation",
    PUBLIC_IP: "PutPublicIpAddressOperation",
    ROUTE_TABLE: "PutRouteTableOperation",
    SUBNET: "PutSubnetOperation",
    VNET: "PutVirtualNetworkOperation",
    NIC: "PutNicOperation",
}


def check_references(store: Store, resource_id: str, type_key: str, content: Body, location: str) -> None:
    """A resource as it would be in; refused when something it names is missing, elsewhere, or not Succeeded."""
    known: set[str] = set()
    if type_key == PEERING:  # which has its own rules for the other side
        return
    for reference in references(resource_id, type_key, content):
        if parse_id(reference.target) is None or not reference.target.startswith("/subscriptions/"):
            raise errors.gateway(
                400,
                "LinkedInvalidPropertyId",
                f"Property id '{_as_written(content, reference.target)}' at path 'properties.{reference.member}.id' is "
                "invalid. Expect fully qualified resource Id that start with '/subscriptions/{subscriptionId}' or "
                "'/providers/{resourceProviderNamespace}/'.",
            )
        found = store.get(reference.target) if reference.member not in PARTS else holder_of(store, reference.target)
        region = text(found.content.get("location")) if found is not None else ""
        if found is None or (region and location and region != location):
            raise errors.reference_not_found(_as_written(content, reference.target), reference.holder)
        _check_ready(found, resource_id)
        known.add(reference.target)
    for named in _named(type_key, content):
        key = named.casefold()
        if key in known or key.startswith(f"{resource_id.casefold()}/"):
            continue
        found = _holder(store, key)
        if found is None:
            raise errors.reference_not_found(named, resource_id)
        _check_ready(found, resource_id)


def _check_ready(found: Stored, user: str) -> None:
    if found.state not in ("Succeeded", ""):
        operation = LAST_WRITE.get(found.type.lower(), "PutOperation")
        raise errors.not_provisioned(found.id, user, found.state, operation)


def _named(type_key: str, content: Body) -> Iterator[str]:
    """A body in, the id of every network resource that an object of it names out, wherever the object stands."""
    hidden = READ_ONLY_OF.get(type_key, ())
    properties = members(content.get("properties"))
    for inner in _objects({name: value for name, value in properties.items() if name not in hidden}):
        address = parse_id(text(inner.get("id")))
        if address is not None and address.subscription and address.type_key.startswith(f"{NETWORK}/"):
            yield inner["id"]


def _holder(store: Store, key: str) -> Stored | None:
    """The key of a resource, or of a part of one, in; the resource out, None when there is no such thing."""
    found = store.get(key)
    owner = store.get(store.owner(key) or "") if found is None else None
    if owner is None:
        return found
    parts = inner_elements(owner.type.lower(), members(owner.content.get("properties")))
    return owner if any(text(part.get("id")).casefold() == key for _, part in parts) else None


def _objects(value: object) -> Iterator[Body]:
    if isinstance(value, dict):
        yield value
        for member in value.values():
            yield from _objects(member)
    elif isinstance(value, list):
        for element in value:
            yield from _objects(element)


def _as_written(content: Body, target: str) -> str:
    """The key of a missing resource in, the id as the caller wrote it out."""
    for inner in _objects(content):
        if text(inner.get("id")).casefold() == target:
            return text(inner["id"])
    return target
