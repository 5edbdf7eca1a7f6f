"""Node resource groups: a cluster as it is wanted in, everything that AKS keeps for it out; and what goes with it."""

import uuid

from simulator import kubenet, node_egress
from simulator.agent_pools import pools_of, subnets_of
from simulator.cluster_bodies import EFFECTIVE
from simulator.events import Caller
from simulator.identity import AKS, EVERYBODY
from simulator.node_group import NodeGroup
from simulator.node_pools import remove_pools, security_group, write_pools
from simulator.outbound_types import BLOCK, outbound_of
from simulator.store import Stored
from simulator.wire import Body, elements, members, text
from simulator.world import World

SUBNET = "aks-subnet"
_BLOCKED: Body = {
    "protocol": "*",
    "sourcePortRange": "*",
    "destinationPortRange": "*",
    "sourceAddressPrefix": "*",
    "destinationAddressPrefix": "Internet",
    "access": "Deny",
    "priority": 100,
    "direction": "Outbound",
}


def reconcile(world: World, cluster: Stored, caller: Caller) -> Body | None:
    """A cluster in; its node group is as its body says. The error that AKS ends with when a subnet is gone out."""
    pools = pools_of(world.store, cluster.id.casefold())
    for key, subnet_id in subnets_of(pools.values(), "vnetSubnetID", "podSubnetID").items():
        if key not in world.store:
            message = f"Subnet {subnet_id} was not found."
            return {"code": "SubnetNotFound", "message": message, "details": []}
    nodes = NodeGroup(world, cluster, caller)
    nodes.ensure()
    _write_identity(nodes)
    _write_security_group(nodes)
    own_subnet = "" if subnets_of(pools.values(), "vnetSubnetID") else _write_network(nodes)
    addresses = node_egress.prepare(nodes, own_subnet)
    write_pools(nodes, pools, own_subnet, node_egress.backend_pools(nodes))
    kubenet.write_routes(nodes, pools, own_subnet)
    for subnet_id in subnets_of(pools.values(), "podSubnetID").values():
        _delegate(nodes, subnet_id)
    remove_pools(nodes, pools)
    node_egress.release(nodes, own_subnet)
    _restrict(nodes)
    _tell_addresses(nodes, addresses)
    return None


def leave(world: World, cluster: Stored, caller: Caller) -> Body | None:
    """A cluster that goes in; so does its node group. The error, when something in it is used elsewhere, out."""
    nodes = NodeGroup(world, cluster, caller)
    kubenet.leave_tables(nodes, pools_of(world.store, cluster.id.casefold()))
    group = world.store.get(nodes.key)
    if group is None or text(group.content.get("managedBy")).casefold() != cluster.id.casefold():
        return None
    return world.delete_group(group, nodes.caller)


def _write_identity(nodes: NodeGroup) -> None:
    """The identity of the nodes, which the cluster's body names."""
    name = f"{nodes.cluster.name}-agentpool"
    identity = f"{nodes.id}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}"
    known = members((nodes.content(identity) or {}).get("properties"))
    properties = known or {"clientId": nodes.world.guid(), "principalId": nodes.world.guid()}
    nodes.write(identity, {"properties": properties})
    if "identityProfile" not in nodes.properties:
        resource_id = identity.replace("/resourceGroups/", "/resourcegroups/")
        shown = {"clientId": properties["clientId"], "objectId": properties["principalId"], "resourceId": resource_id}
        nodes.change_cluster(identityProfile={"kubeletidentity": shown})


def _write_security_group(nodes: NodeGroup) -> None:
    group = security_group(nodes)
    nodes.write(group, {"tags": nodes.tags, "properties": {}})
    rule = f"{group}/securityRules/aks-block-outbound"
    if outbound_of(nodes.network) == BLOCK:
        nodes.write(rule, {"properties": _BLOCKED})
    else:
        nodes.remove(rule)


def _write_network(nodes: NodeGroup) -> str:
    """The network that AKS makes where it was given none; the id of the nodes' subnet out."""
    network = nodes.named("virtualNetworks", f"aks-vnet-{nodes.suffix}")
    subnet = f"{network}/subnets/{SUBNET}"
    if nodes.content(network) is None:
        space = {"addressSpace": {"addressPrefixes": ["10.224.0.0/12"]}}
        nodes.write(network, {"tags": nodes.tags, "properties": space}, told=False)
        inner = {"addressPrefix": "10.224.0.0/16", "networkSecurityGroup": {"id": security_group(nodes)}}
        nodes.write(subnet, {"properties": inner}, told=False)
        nodes.tell_written(network, updated=False)
    return subnet


def _delegate(nodes: NodeGroup, subnet_id: str) -> None:
    """A subnet of pods belongs to AKS."""
    known = members((nodes.content(subnet_id) or {}).get("properties"))
    if not elements(known.get("delegations")):
        service = {"serviceName": "Microsoft.ContainerService/managedClusters"}
        nodes.change(subnet_id, delegations=[{"name": "aks-delegation", "properties": service}])


def _restrict(nodes: NodeGroup) -> None:
    """Who else may write in the group: nobody, when the cluster says so."""
    level = text(members(nodes.properties.get("nodeResourceGroupProfile")).get("restrictionLevel"))
    denial = f"{nodes.id}/providers/Microsoft.Authorization/denyAssignments/{uuid.uuid5(uuid.NAMESPACE_URL, nodes.key)}"
    if level.lower() != "readonly":
        nodes.remove(denial, told=False)
        return
    properties: Body = {
        "denyAssignmentName": f"AKS node resource group lockdown of {nodes.cluster.name}",
        "permissions": [{"actions": ["*"], "notActions": ["*/read"], "dataActions": [], "notDataActions": []}],
        "scope": nodes.id,
        "doNotApplyToChildScopes": False,
        "principals": [{"id": EVERYBODY, "type": "SystemDefined"}],
        "excludePrincipals": [{"id": AKS.object_id, "type": "ServicePrincipal"}],
        "isSystemProtected": True,
    }
    nodes.write(denial, {"properties": properties}, told=False)


def _tell_addresses(nodes: NodeGroup, addresses: dict[str, list[str]]) -> None:
    """The addresses in use, by profile, in; the cluster shows them, and no others."""
    network = dict(nodes.network)
    for name in ("loadBalancerProfile", "natGatewayProfile"):
        if name not in network:
            continue
        known = {member: value for member, value in members(network[name]).items() if member != EFFECTIVE}
        used = addresses.get(name, [])
        network[name] = known | ({EFFECTIVE: [{"id": address} for address in used]} if used else {})
    nodes.change_cluster(networkProfile=network)
