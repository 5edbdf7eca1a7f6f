"""How the nodes of one cluster get out: its load balancer, NAT gateway and public addresses, as its type wants them."""

from simulator.ids import PUBLIC_IP
from simulator.node_group import TAG, NodeGroup
from simulator.outbound_types import LOAD_BALANCER, MANAGED_GATEWAYS, MANAGED_NAT_V2, outbound_of
from simulator.wire import Body, elements, members, text

BALANCER = "kubernetes"
POOL, RULE = "aksOutboundBackendPool", "aksOutboundRule"
GATEWAY = "aks-nat-gateway"
BALANCER_ADDRESS, GATEWAY_ADDRESS = "aks-slb-managed-outbound-ip", "aks-natgateway-managed-outbound-ip"
"""What the tag of a managed address says that it is for."""


def prepare(nodes: NodeGroup, subnet_id: str) -> dict[str, list[str]]:
    """AKS's own subnet (or none) in; what the outbound type needs is there. The addresses, by their profile, out."""
    outbound = outbound_of(nodes.network)
    if outbound == LOAD_BALANCER:
        return {"loadBalancerProfile": _balancer(nodes)}
    if outbound in MANAGED_GATEWAYS:
        return {"natGatewayProfile": _gateway(nodes, subnet_id, outbound)}
    return {}


def release(nodes: NodeGroup, subnet_id: str) -> None:
    """What the outbound type does not need any more is gone, public addresses last; public services stay."""
    outbound, wanted = outbound_of(nodes.network), _wanted(nodes)
    if outbound != LOAD_BALANCER:
        _strip_balancer(nodes)
    if outbound not in MANAGED_GATEWAYS:
        gateway = nodes.named("natGateways", GATEWAY)
        if nodes.content(gateway) is not None:
            nodes.change(subnet_id, natGateway=None)
            nodes.remove(gateway)
    for purpose in (BALANCER_ADDRESS, GATEWAY_ADDRESS):
        for address in _addresses(nodes, purpose)[wanted.get(purpose, 0) :]:
            nodes.remove(address)


def backend_pools(nodes: NodeGroup) -> list[str]:
    """The pools of the load balancer that nodes are in."""
    if outbound_of(nodes.network) != LOAD_BALANCER and not _services(nodes):
        return []
    balancer = nodes.named("loadBalancers", BALANCER)
    names = [text(pool.get("name")) for pool in elements(_balancer_properties(nodes).get("backendAddressPools"))]
    return [f"{balancer}/backendAddressPools/{name}" for name in names if name in _kept_pools(nodes)]


def _wanted(nodes: NodeGroup) -> dict[str, int]:
    """How many managed addresses there are to be for each purpose."""
    balancer = members(nodes.network.get("loadBalancerProfile"))
    gateway = members(nodes.network.get("natGatewayProfile"))
    counts = {
        BALANCER_ADDRESS: members(balancer.get("managedOutboundIPs")).get("count", 0),
        GATEWAY_ADDRESS: members(gateway.get("managedOutboundIPProfile")).get("count", 0),
    }
    return {purpose: count for purpose, count in counts.items() if isinstance(count, int)}


def _balancer(nodes: NodeGroup) -> list[str]:
    profile = members(nodes.network.get("loadBalancerProfile"))
    managed = _managed(nodes, BALANCER_ADDRESS, "Standard")
    own = elements(members(profile.get("outboundIPs")).get("publicIPs"))
    prefixes = elements(members(profile.get("outboundIPPrefixes")).get("publicIPPrefixes"))
    named = [("publicIPAddress", address) for address in (*managed, *(text(one.get("id")) for one in own))]
    named += [("publicIPPrefix", text(one.get("id"))) for one in prefixes]
    balancer = nodes.named("loadBalancers", BALANCER)
    ours = [
        {"name": named_id.rpartition("/")[2], "properties": {member: {"id": named_id}}} for member, named_id in named
    ]
    known = _balancer_properties(nodes)
    pools = elements(known.get("backendAddressPools"))
    missing = [{"name": name} for name in (POOL, BALANCER) if name not in {text(pool.get("name")) for pool in pools}]
    rule = {
        "allocatedOutboundPorts": profile.get("allocatedOutboundPorts", 0),
        "protocol": "All",
        "enableTcpReset": True,
        "idleTimeoutInMinutes": profile.get("idleTimeoutInMinutes", 30),
        "backendAddressPool": {"id": f"{balancer}/backendAddressPools/{POOL}"},
        "frontendIPConfigurations": [
            {"id": f"{balancer}/frontendIPConfigurations/{frontend['name']}"} for frontend in ours
        ],
    }
    properties = known | {
        "frontendIPConfigurations": [*ours, *_services(nodes)],
        "backendAddressPools": [*pools, *missing],
        "outboundRules": [{"name": RULE, "properties": rule}],
    }
    nodes.write(balancer, {"sku": {"name": "Standard"}, "tags": nodes.tags, "properties": properties})
    return [named_id for _, named_id in named]


def _strip_balancer(nodes: NodeGroup) -> None:
    """The load balancer serves public services only, or is gone."""
    balancer, services = nodes.named("loadBalancers", BALANCER), _services(nodes)
    known = nodes.content(balancer)
    if known is None:
        return
    if not services:
        nodes.remove(balancer)
        return
    properties = _balancer_properties(nodes)
    pools = [
        pool for pool in elements(properties.get("backendAddressPools")) if text(pool.get("name")) in _kept_pools(nodes)
    ]
    left = {"frontendIPConfigurations": services, "backendAddressPools": pools, "outboundRules": []}
    nodes.write(balancer, known | {"properties": properties | left})


def _gateway(nodes: NodeGroup, subnet_id: str, outbound: str) -> list[str]:
    sku = "StandardV2" if outbound == MANAGED_NAT_V2 else "Standard"
    gateway = nodes.named("natGateways", GATEWAY)
    if text(members((nodes.content(gateway) or {}).get("sku")).get("name")) not in ("", sku):
        nodes.change(subnet_id, natGateway=None)
        nodes.remove(gateway)
    addresses = _managed(nodes, GATEWAY_ADDRESS, sku)
    profile = members(nodes.network.get("natGatewayProfile"))
    properties = {
        "publicIpAddresses": [{"id": address} for address in addresses],
        "idleTimeoutInMinutes": profile.get("idleTimeoutInMinutes", 4),
    }
    nodes.write(gateway, {"sku": {"name": sku}, "tags": nodes.tags, "properties": properties})
    nodes.change(subnet_id, natGateway={"id": gateway})
    return addresses


def _managed(nodes: NodeGroup, purpose: str, sku: str) -> list[str]:
    """As many addresses for a purpose as the cluster wants: those it has, of this SKU, and new ones."""
    wanted = _wanted(nodes).get(purpose, 0)
    for address in _addresses(nodes, purpose):
        if text(members((nodes.content(address) or {}).get("sku")).get("name")) != sku:
            nodes.remove(address)
    found = _addresses(nodes, purpose)[:wanted]
    while len(found) < wanted:
        address = nodes.named("publicIPAddresses", nodes.world.guid())
        properties = {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4"}
        tags = nodes.tags | {TAG: purpose}
        nodes.write(address, {"sku": {"name": sku}, "tags": tags, "properties": properties})
        found.append(address)
    return found


def _addresses(nodes: NodeGroup, purpose: str) -> list[str]:
    """The managed addresses of a purpose, oldest first."""
    listed = nodes.listed(PUBLIC_IP)
    return [address.id for address in listed if members(address.content.get("tags")).get(TAG) == purpose]


def _services(nodes: NodeGroup) -> list[Body]:
    """The frontends of public services: all that the outbound rule does not name."""
    properties = _balancer_properties(nodes)
    ours = {
        text(frontend.get("id")).casefold()
        for rule in elements(properties.get("outboundRules"))
        if rule.get("name") == RULE
        for frontend in elements(members(rule.get("properties")).get("frontendIPConfigurations"))
    }
    frontends = elements(properties.get("frontendIPConfigurations"))
    return [frontend for frontend in frontends if text(frontend.get("id")).casefold() not in ours]


def _kept_pools(nodes: NodeGroup) -> set[str]:
    outbound = outbound_of(nodes.network) == LOAD_BALANCER
    names = {text(pool.get("name")) for pool in elements(_balancer_properties(nodes).get("backendAddressPools"))}
    return names if outbound else names - {POOL}


def _balancer_properties(nodes: NodeGroup) -> Body:
    return members((nodes.content(nodes.named("loadBalancers", BALANCER)) or {}).get("properties"))
