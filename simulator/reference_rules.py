"""What a body names: everything exists, is ready, and lies where it has to; a resource in, nothing or a refusal out."""

from collections.abc import Iterator

from simulator import errors
from simulator.balancers import holder_of
from simulator.ids import (
    LOAD_BALANCER,
    NETWORK,
    PEERING,
    Address,
    parse_id,
)
from simulator.operations import label_of
from simulator.references import PARTS, WAF, Reference, references
from simulator.shapes import READ_ONLY_OF, inner_elements
from simulator.store import Store, Stored
from simulator.wire import Body, members, text

EXPECTED = {
    "natGateway": "natGateways",
    "routeTable": "routeTables",
    "networkSecurityGroup": "networkSecurityGroups",
    "interfaceSecurityGroup": "networkSecurityGroups",
    "subnet": "subnets",
    "publicIPAddress": "publicIPAddresses",
    "publicIPPrefix": "publicIPPrefixes",
    "publicIpAddresses": "publicIPAddresses",
    "publicIpAddressesV6": "publicIPAddresses",
    "publicIpPrefixes": "publicIPPrefixes",
    "publicIpPrefixesV6": "publicIPPrefixes",
    "addressPrefix": "publicIPPrefixes",
    "firewallPolicy": "firewallPolicies",
    "basePolicy": "firewallPolicies",
    WAF: "ApplicationGatewayWebApplicationFirewallPolicies",
    "virtualNetworkGateway1": "virtualNetworkGateways",
    "virtualNetworkGateway2": "virtualNetworkGateways",
    "localNetworkGateway2": "localNetworkGateways",
    "loadBalancerBackendAddressPools": "backendAddressPools",
    "loadBalancerInboundNatRules": "inboundNatRules",
}
"""By the member that names it, what is named."""
_MEMBERS = {"interfaceSecurityGroup": "networkSecurityGroup", "addressPrefix": "publicIPPrefix", WAF: "firewallPolicy"}
"""Members that references tell apart from others of the same name."""
ANYWHERE = ("firewallPolicy", "virtualNetworkGateway2")
"""What may lie in another region and another subscription."""


def check_references(store: Store, resource_id: str, type_key: str, content: Body, location: str) -> None:
    """A resource as it would be in; refused when something it names is missing, elsewhere, or not Succeeded."""
    known: set[str] = set()
    if type_key == PEERING:  # which has its own rules for the other side
        return
    for reference in references(resource_id, type_key, content):
        address = parse_id(reference.target)
        if address is None or not address.subscription:
            raise errors.gateway(
                400,
                "LinkedInvalidPropertyId",
                f"Property id '{_as_written(content, reference.target)}' at path 'properties.{reference.member}.id' is "
                "invalid. Expect fully qualified resource Id that start with '/subscriptions/{subscriptionId}' or "
                "'/providers/{resourceProviderNamespace}/'.",
            )
        _check_kind(reference, address, _as_written(content, reference.target))
        found = store.get(reference.target) if reference.member not in PARTS else holder_of(store, reference.target)
        if found is None or not (reference.member in ANYWHERE or _is_near(store, found, reference, type_key, location)):
            raise errors.reference_not_found(_as_written(content, reference.target), resource_id)
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


def _is_near(store: Store, found: Stored, user: Reference, type_key: str, location: str) -> bool:
    """Whether what is named lies in the region and subscription of who names it; balancers may look further."""
    region = _region(store, found)
    if region and location and region != location:
        return False
    if type_key == LOAD_BALANCER or user.member in PARTS:
        return True
    return user.target.split("/")[2] == user.holder.split("/")[2].casefold()


def _region(store: Store, found: Stored) -> str:
    """Where a resource is; a subnet is where its network is."""
    key = found.id.casefold()
    top = store.get("/".join(key.split("/")[:9])) if found.type.count("/") > 1 else found
    return text(top.content.get("location")) if top is not None else ""


def _check_kind(reference: Reference, address: Address, written: str) -> None:
    """What a member names is of the type that belongs there."""
    wanted = EXPECTED.get(reference.member, address.types[-1])
    if address.types[-1].lower() != wanted.lower() or address.type_key.partition("/")[0] != NETWORK:
        raise errors.bad_format(
            "InvalidJsonReferenceFormat",
            f"Reference Id {written} is not formatted correctly. The Id is expected to reference resources of type "
            f"{wanted}. Path properties.{_MEMBERS.get(reference.member, reference.member)}.",
        )


def _check_ready(found: Stored, user: str) -> None:
    if found.state not in ("Succeeded", ""):
        raise errors.not_provisioned(found.id, user, found.state, label_of("write", found.type))


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
