"""Load balancers: what stands inside one, with Azure's defaults, and what its parts say of each other."""

import msgspec

from simulator import errors
from simulator.ids import LOAD_BALANCER, NIC, parent_key
from simulator.references import CONFIGURATIONS, NAT_RULES, PARTS, POOLS
from simulator.store import Store, Stored
from simulator.wire import Body, elements, members, text

_RULE: Body = {
    "enableFloatingIP": False,
    "idleTimeoutInMinutes": 4,
    "enableTcpReset": False,
}
# The arrays of a load balancer in the order Azure shows them, with the defaults of their elements.
ARRAYS: dict[str, Body] = {
    "frontendIPConfigurations": {"privateIPAllocationMethod": "Dynamic"},
    "backendAddressPools": {},
    "loadBalancingRules": {**_RULE, "loadDistribution": "Default", "disableOutboundSnat": False},
    "probes": {},
    "inboundNatRules": dict(_RULE),
    "outboundRules": {"allocatedOutboundPorts": 0, "protocol": "All", "enableTcpReset": False}
    | {"idleTimeoutInMinutes": 4},
    "inboundNatPools": dict(_RULE),
}
RULES = ("loadBalancingRules", "inboundNatRules", "outboundRules", "inboundNatPools")
# What a rule names, one or many of it: it is shown at what is named, under the name of the rule's array.
_NAMED = (
    "frontendIPConfiguration",
    "frontendIPConfigurations",
    "backendAddressPool",
    "backendAddressPools",
    "probe",
)
_SHOWN_ONLY = (*RULES, "backendIPConfigurations", "backendIPConfiguration")


def completed(properties: Body) -> Body:
    """A load balancer's properties as sent in, the same with every array there, and nothing of what is derived, out."""
    out: Body = {array: [] for array in ARRAYS} | properties
    for array, defaults in ARRAYS.items():
        for element in elements(out[array]):
            inner = {
                name: value for name, value in members(element.get("properties")).items() if name not in _SHOWN_ONLY
            }
            for name in _NAMED:
                if name in inner:
                    inner[name] = _only_ids(inner[name])
            if array == "loadBalancingRules":
                _one_and_many(inner)
            element["properties"] = {**defaults, **inner}
    return out


def show(store: Store, properties: Body) -> None:
    """A load balancer's shown properties in; its parts say which rules name them, and its pools who is in them."""
    parts = {
        text(element.get("id")).casefold(): element["properties"]
        for array in ("frontendIPConfigurations", "backendAddressPools", "probes")
        for element in elements(properties.get(array))
    }
    for array in RULES:
        for rule in elements(properties.get(array)):
            for target in dict.fromkeys(_named_by(rule)):
                if target in parts:
                    parts[target].setdefault(array, []).append({"id": rule["id"]})
    for pool in elements(properties.get("backendAddressPools")):
        holders = store.referrers(text(pool.get("id")).casefold(), POOLS)
        if holders:
            pool["properties"]["backendIPConfigurations"] = [{"id": holder} for holder in holders.values()]
    for rule in elements(properties.get("inboundNatRules")):
        for holder in store.referrers(text(rule.get("id")).casefold(), NAT_RULES).values():
            rule["properties"]["backendIPConfiguration"] = {"id": holder}


def check(store: Store, resource_id: str, content: Body, before: Body | None) -> None:
    """A load balancer as it would be in; refused when a rule or an interface names a part that is not there."""
    properties = members(content.get("properties"))
    parts = parts_of(resource_id, content)
    for part, part_id in parts_of(resource_id, before or {}).items():
        users = users_of(store, part) if part not in parts else []
        if users:
            raise errors.bad(
                "InUseLoadBalancerChildCannotBeDeleted",
                f"Child resource {part_id} of load balancer {resource_id} cannot be deleted because it is in use by "
                f"{users[0]}.",
            )
    for array in RULES:
        for rule in elements(properties.get(array)):
            for target in _named_by(rule):
                if target not in parts:
                    raise errors.reference_not_found(target, f"{resource_id}/{array}/{text(rule.get('name'))}")


def holder_of(store: Store, part_key: str) -> Stored | None:
    """The key of a part (a backend pool, say) in, its load balancer out; None when there is no such part."""
    balancer = store.get(parent_key(part_key))
    if balancer is None or balancer.type.lower() != LOAD_BALANCER:
        return None
    return balancer if part_key in parts_of(balancer.id, balancer.content) else None


def parts_of(balancer_id: str, content: Body) -> dict[str, str]:
    """A load balancer in, the ids of its parts by their keys out."""
    properties = members(content.get("properties"))
    ids = [
        f"{balancer_id}/{array}/{text(part.get('name'))}"
        for array in ARRAYS
        for part in elements(properties.get(array))
    ]
    return {part_id.casefold(): part_id for part_id in ids}


def users_of(store: Store, part_key: str) -> list[str]:
    """The key of a part in, the keys of the configurations of interfaces that name it out."""
    return [holder for member in PARTS for holder in store.referrers(part_key, member)]


def leave(store: Store, key: str) -> None:
    """A load balancer that is about to go in; no interface names a part of it afterwards."""
    stored = store.get(key)
    if stored is None or stored.type.lower() != LOAD_BALANCER:
        return
    holders = [holder for part in parts_of(stored.id, stored.content) for holder in users_of(store, part)]
    for owner_key in {store.owner(holder) for holder in holders}:
        owner = store.get(owner_key or "")
        if owner_key is None or owner is None or owner.type.lower() != NIC:
            continue
        content = owner.content
        for element in elements(members(content.get("properties")).get(CONFIGURATIONS[0])):
            inner = members(element.get("properties"))
            for name in PARTS:
                kept = [
                    part
                    for part in elements(inner.get(name))
                    if not text(part.get("id")).casefold().startswith(f"{key}/")
                ]
                if kept:
                    inner[name] = kept
                else:
                    inner.pop(name, None)
        store.put(owner_key, msgspec.structs.replace(owner, body=msgspec.json.encode(content)))


def _named_by(rule: Body) -> list[str]:
    inner = members(rule.get("properties"))
    named = [inner[name] for name in _NAMED if name in inner]
    links = [link for value in named for link in (value if isinstance(value, list) else [value])]
    return [text(members(link).get("id")).casefold() for link in links]


def _one_and_many(rule: Body) -> None:
    """A load-balancing rule shows its pool in both members, whichever was sent."""
    if "backendAddressPool" in rule and not rule.get("backendAddressPools"):
        rule["backendAddressPools"] = [rule["backendAddressPool"]]
    elif len(elements(rule.get("backendAddressPools"))) == 1:
        rule["backendAddressPool"] = rule["backendAddressPools"][0]


def _only_ids(value: object) -> object:
    if isinstance(value, list):
        return [_only_ids(element) for element in value]
    return {name: member for name, member in members(value).items() if name == "id"}
