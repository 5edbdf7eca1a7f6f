"""Load balancers: what stands inside one, with Azure's defaults, and what its parts say of each other."""

from simulator import errors
from simulator.references import POOLS
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
_SHOWN_ONLY = (*RULES, "backendIPConfigurations")


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


def check(resource_id: str, content: Body) -> None:
    """A load balancer as it would be in; refused when a rule names a part that is not there."""
    properties = members(content.get("properties"))
    parts = {text(part.get("id")).casefold() for array in ARRAYS for part in elements(properties.get(array))}
    for array in RULES:
        for rule in elements(properties.get(array)):
            for target in _named_by(rule):
                if target not in parts:
                    raise errors.reference_not_found(target, f"{resource_id}/{array}/{text(rule.get('name'))}")


def holder_of(store: Store, pool_key: str) -> Stored | None:
    """The key of a backend pool in, its load balancer out; None when there is no such pool."""
    balancer_key, _, name = pool_key.rpartition("/backendaddresspools/")
    stored = store.get(balancer_key)
    if stored is None:
        return None
    pools = elements(members(stored.content.get("properties")).get("backendAddressPools"))
    return stored if any(text(pool.get("name")).casefold() == name for pool in pools) else None


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
