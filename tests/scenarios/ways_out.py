"""An estate as Azure would export it in, by which way each interface and node leaves out; it asks nothing of governor.

The precedence is Azure's: a default route, the NAT gateway of the subnet, an address of one's own, a load balancer,
default outbound access, nothing.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

Body = dict[str, Any]
APPLIANCE: Final = "appliance"
NAT: Final = "NAT gateway"
OWN: Final = "own address"
BALANCER: Final = "load balancer"
DEFAULT: Final = "default"
NOTHING: Final = "nothing"
# Ways out that last: default outbound access is nothing to rely on.
EXPLICIT: Final = frozenset({APPLIANCE, NAT, OWN, BALANCER})


def ways_out(estate: Iterable[Body]) -> dict[str, str]:
    """Bodies in; by lower-case id of an interface, or of a scale set with instances, how it leaves out."""
    every = {body["id"].lower(): body for body in estate}
    subnets = {
        subnet["id"].lower(): (subnet["properties"], body)
        for body in every.values()
        if _is(body, "virtualnetworks")
        for subnet in body["properties"].get("subnets") or ()
    }
    lead_out = _balancers(every.values())
    found: dict[str, str] = {}
    for key, body in every.items():
        if _is(body, "networkinterfaces") and not body["properties"].get("privateEndpoint"):
            configurations = body["properties"].get("ipConfigurations") or ()
        elif _is(body, "virtualmachinescalesets") and body["sku"]["capacity"]:
            configurations = tuple(_of_model(body))
        else:
            continue
        for configuration in configurations:
            inner = configuration["properties"]
            place = subnets.get((inner.get("subnet") or {}).get("id", "").lower())
            if place is not None:
                found[key] = _way(inner, *place, every, lead_out)
    return found


def nodes_of(cluster: Body) -> str:
    """A cluster in, the lower-case beginning of the ids in its node group out."""
    subscription = cluster["id"].split("/")[2]
    return f"/subscriptions/{subscription}/resourcegroups/{cluster['properties']['nodeResourceGroup']}/".lower()


def subnets_of(cluster: Body) -> set[str]:
    """A cluster in, the lower-case ids of the subnets of its nodes and pods out."""
    pools = cluster["properties"].get("agentPoolProfiles") or ()
    return {pool[name].lower() for pool in pools for name in ("vnetSubnetID", "podSubnetID") if pool.get(name)}


def _way(inner: Body, subnet: Body, network: Body, every: dict[str, Body], lead_out: set[str]) -> str:
    table = every.get((subnet.get("routeTable") or {}).get("id", "").lower())
    routes = (table["properties"].get("routes") or ()) if table else ()
    hop = next((r["properties"] for r in routes if r["properties"]["addressPrefix"] == "0.0.0.0/0"), None)
    kind = hop["nextHopType"].lower() if hop else "internet"
    if kind == "virtualappliance":
        return APPLIANCE if _is_linked(network) else NOTHING
    if kind != "internet":
        return NOTHING
    gateway = every.get((subnet.get("natGateway") or {}).get("id", "").lower())
    if gateway is not None:
        holders = ("publicIpAddresses", "publicIpPrefixes")
        return NAT if any(gateway["properties"].get(name) for name in holders) else NOTHING
    if inner.get("publicIPAddress") or inner.get("publicIPAddressConfiguration"):
        return OWN
    pools = {pool["id"].lower() for pool in inner.get("loadBalancerBackendAddressPools") or ()}
    if pools & lead_out:
        return BALANCER
    return NOTHING if subnet.get("defaultOutboundAccess") is False else DEFAULT


def _is(body: Body, name: str) -> bool:
    return str(body.get("type", "")).lower().endswith(f"/{name}")


def _of_model(scale_set: Body) -> Iterator[Body]:
    profile = scale_set["properties"]["virtualMachineProfile"]["networkProfile"]
    for interface in profile["networkInterfaceConfigurations"]:
        yield from interface["properties"]["ipConfigurations"]


def _is_linked(network: Body) -> bool:
    """Whether its peering with the hub works; nothing else is peered in these stories."""
    peerings = network["properties"].get("virtualNetworkPeerings") or ()
    return any(one["properties"].get("peeringState") == "Connected" for one in peerings)


def _balancers(estate: Iterable[Body]) -> set[str]:
    """The backend pools that lead out: by an outbound rule, or by a rule that may be used for it."""
    pools: set[str] = set()
    for body in estate:
        if not _is(body, "loadbalancers"):
            continue
        properties = body["properties"]
        public = {
            frontend["id"].lower()
            for frontend in properties.get("frontendIPConfigurations") or ()
            if frontend["properties"].get("publicIPAddress") or frontend["properties"].get("publicIPPrefix")
        }
        rules = [one["properties"] for one in properties.get("outboundRules") or ()]
        balancing = [one["properties"] for one in properties.get("loadBalancingRules") or ()]
        rules += [one for one in balancing if not one.get("disableOutboundSnat")]
        for rule in rules:
            fronts = rule.get("frontendIPConfigurations") or [rule["frontendIPConfiguration"]]
            if any(front["id"].lower() in public for front in fronts) and rule.get("backendAddressPool"):
                pools.add(rule["backendAddressPool"]["id"].lower())
    return pools
