"""The machines of a cluster: a scale set for every agent pool, and what gateway pools hold."""

import hashlib

import msgspec

from simulator.ids import PUBLIC_PREFIX, SCALE_SET
from simulator.node_group import POOL_TAG, NodeGroup
from simulator.wire import Body, members, text


def write_pools(nodes: NodeGroup, pools: dict[str, Body], subnet_id: str, backend_pools: list[str]) -> None:
    """Pools by name, AKS's own subnet and the load balancer's pools in; every pool has its machines, and no other."""
    for name, pool in pools.items():
        placed = _Placed(text(pool.get("vnetSubnetID")) or subnet_id, backend_pools, _gateway_prefix(nodes, name, pool))
        nodes.write(scale_set_of(nodes, name), _scale_set(nodes, name, pool, placed))


def remove_pools(nodes: NodeGroup, pools: dict[str, Body]) -> None:
    """Pools by name in; the machines of others are gone."""
    for known in nodes.listed(SCALE_SET):
        pool = text(members(known.content.get("tags")).get(POOL_TAG))
        if pool and pool not in pools:
            nodes.remove(known.id)
    for prefix in nodes.listed(PUBLIC_PREFIX):
        pool = text(members(prefix.content.get("tags")).get(POOL_TAG))
        if pool and members(pools.get(pool)).get("mode") != "Gateway":
            nodes.remove(prefix.id)


def scale_set_of(nodes: NodeGroup, pool: str) -> str:
    """A pool's name in, the id of its scale set out: one that is there keeps its name."""
    for known in nodes.listed(SCALE_SET):
        if members(known.content.get("tags")).get(POOL_TAG) == pool:
            return known.id
    digits = int(hashlib.sha256(f"{nodes.suffix} {pool}".encode()).hexdigest(), 16) % 10**8
    return f"{nodes.id}/providers/Microsoft.Compute/virtualMachineScaleSets/aks-{pool}-{digits:08}-vmss"


class _Placed(msgspec.Struct, frozen=True):
    """Where the machines of a pool are: their subnet, the load balancer's pools, a prefix of public addresses."""

    subnet_id: str
    backend_pools: list[str]
    prefix: str


def _scale_set(nodes: NodeGroup, name: str, pool: Body, placed: _Placed) -> Body:
    scale_set = scale_set_of(nodes, name).rpartition("/")[2]
    configuration: Body = {
        "primary": True,
        "privateIPAddressVersion": "IPv4",
        "subnet": {"id": placed.subnet_id},
        "loadBalancerBackendAddressPools": [{"id": one} for one in placed.backend_pools],
    }
    if pool.get("enableNodePublicIP") is True:
        configuration["publicIPAddressConfiguration"] = _public_address(pool)
    configurations: list[Body] = [{"name": "ipconfig1", "properties": configuration}]
    if placed.prefix:
        address = {"name": "egress", "properties": {"publicIPPrefix": {"id": placed.prefix}}}
        inner = {"primary": False, "subnet": {"id": placed.subnet_id}, "publicIPAddressConfiguration": address}
        configurations.append({"name": "egress", "properties": inner})
    interface: Body = {"primary": True, "enableIPForwarding": True, "ipConfigurations": configurations}
    if text(pool.get("vnetSubnetID")):
        interface["networkSecurityGroup"] = {"id": security_group(nodes)}
    profile = {"networkInterfaceConfigurations": [{"name": scale_set, "properties": interface}]}
    return {
        "sku": {"name": pool.get("vmSize"), "tier": "Standard", "capacity": pool.get("count", 0)},
        "tags": nodes.tags | {POOL_TAG: name},
        "properties": {
            "provisioningState": "Succeeded",
            "orchestrationMode": "Uniform",
            "upgradePolicy": {"mode": "Manual"},
            "virtualMachineProfile": {"networkProfile": profile},
        },
    }


def security_group(nodes: NodeGroup) -> str:
    """The id of the security group of all nodes."""
    return nodes.named("networkSecurityGroups", f"aks-agentpool-{nodes.suffix}-nsg")


def _public_address(pool: Body) -> Body:
    """An address of its own for every machine, from a prefix where the pool names one."""
    properties: Body = {"idleTimeoutInMinutes": 4, "publicIPAddressVersion": "IPv4"}
    tags = members(pool.get("networkProfile")).get("nodePublicIPTags")
    if tags:
        properties["ipTags"] = tags
    if text(pool.get("nodePublicIPPrefixID")):
        properties["publicIPPrefix"] = {"id": pool["nodePublicIPPrefixID"]}
    return {"name": "pub1", "properties": properties}


def _gateway_prefix(nodes: NodeGroup, name: str, pool: Body) -> str:
    """A pool of mode Gateway has a public prefix; the prefix's id out, empty for other pools."""
    if pool.get("mode") != "Gateway":
        return ""
    prefix = nodes.named("publicIPPrefixes", f"{scale_set_of(nodes, name).rpartition('/')[2]}-egress")
    length = members(pool.get("gatewayProfile")).get("publicIPPrefixSize", 31)
    tags = nodes.tags | {POOL_TAG: name}
    nodes.write(prefix, {"sku": {"name": "Standard"}, "tags": tags, "properties": {"prefixLength": length}})
    return prefix
