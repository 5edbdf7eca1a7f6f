"""Aliases of policy rules: the name of a field in, where a request says it out; and its values there."""

from collections.abc import Mapping
from typing import Any

from simulator import errors
from simulator.policy_expressions import member

_NIC = "Microsoft.Network/networkInterfaces"
_VNET = "Microsoft.Network/virtualNetworks"
_TABLE = "Microsoft.Network/routeTables"
_BALANCER = "Microsoft.Network/loadBalancers"
_GATEWAY = "Microsoft.Network/applicationGateways"
_SET = "Microsoft.Compute/virtualMachineScaleSets"
_CLUSTER = "Microsoft.ContainerService/managedClusters"
_INTERFACES = "virtualMachineProfile.networkProfile.networkInterfaceConfigurations[*]"
_CONFIGURATIONS = "networkInterfaceConfigurations[*].properties.ipConfigurations[*]"
_PROFILE = f"properties.virtualMachineProfile.networkProfile.{_CONFIGURATIONS}.properties"

ALIASES: dict[str, str] = {
    f"{_NIC}/ipConfigurations[*]": "properties.ipConfigurations[*]",
    f"{_NIC}/ipConfigurations[*].publicIpAddress": "properties.ipConfigurations[*].properties.publicIPAddress",
    f"{_NIC}/ipConfigurations[*].publicIpAddress.id": "properties.ipConfigurations[*].properties.publicIPAddress.id",
    f"{_NIC}/ipConfigurations[*].subnet.id": "properties.ipConfigurations[*].properties.subnet.id",
    f"{_VNET}/subnets[*]": "properties.subnets[*]",
    f"{_VNET}/subnets[*].name": "properties.subnets[*].name",
    f"{_VNET}/subnets[*].routeTable": "properties.subnets[*].properties.routeTable",
    f"{_VNET}/subnets[*].routeTable.id": "properties.subnets[*].properties.routeTable.id",
    f"{_VNET}/subnets[*].natGateway.id": "properties.subnets[*].properties.natGateway.id",
    f"{_VNET}/subnets[*].networkSecurityGroup.id": "properties.subnets[*].properties.networkSecurityGroup.id",
    f"{_VNET}/subnets[*].defaultOutboundAccess": "properties.subnets[*].properties.defaultOutboundAccess",
    f"{_VNET}/subnets[*].ipConfigurations[*]": "properties.subnets[*].properties.ipConfigurations[*]",
    f"{_VNET}/subnets[*].ipConfigurations[*].id": "properties.subnets[*].properties.ipConfigurations[*].id",
    f"{_VNET}/subnets[*].delegations[*]": "properties.subnets[*].properties.delegations[*]",
    f"{_VNET}/subnets[*].delegations[*].serviceName": (
        "properties.subnets[*].properties.delegations[*].properties.serviceName"
    ),
    f"{_VNET}/subnets/delegations[*]": "properties.delegations[*]",
    f"{_VNET}/subnets/delegations[*].serviceName": "properties.delegations[*].properties.serviceName",
    f"{_VNET}/subnets/defaultOutboundAccess": "properties.defaultOutboundAccess",
    f"{_VNET}/subnets/routeTable.id": "properties.routeTable.id",
    f"{_VNET}/subnets/natGateway.id": "properties.natGateway.id",
    f"{_VNET}/subnets/networkSecurityGroup.id": "properties.networkSecurityGroup.id",
    f"{_TABLE}/routes[*]": "properties.routes[*]",
    f"{_TABLE}/routes[*].nextHopType": "properties.routes[*].properties.nextHopType",
    f"{_TABLE}/routes[*].addressPrefix": "properties.routes[*].properties.addressPrefix",
    f"{_TABLE}/routes/nextHopType": "properties.nextHopType",
    f"{_TABLE}/routes/addressPrefix": "properties.addressPrefix",
    f"{_BALANCER}/frontendIPConfigurations[*]": "properties.frontendIPConfigurations[*]",
    f"{_BALANCER}/frontendIPConfigurations[*].publicIPAddress.id": (
        "properties.frontendIPConfigurations[*].properties.publicIPAddress.id"
    ),
    f"{_GATEWAY}/frontendIPConfigurations[*].publicIPAddress.id": (
        "properties.frontendIPConfigurations[*].properties.publicIPAddress.id"
    ),
    f"{_SET}/{_INTERFACES}.ipConfigurations[*].publicIPAddressConfiguration.name": (
        f"{_PROFILE}.publicIPAddressConfiguration.name"
    ),
    f"{_SET}/{_INTERFACES}.ipConfigurations[*].publicIPAddressConfiguration": (
        f"{_PROFILE}.publicIPAddressConfiguration"
    ),
    f"{_SET}/{_INTERFACES}.ipConfigurations[*]": f"properties.virtualMachineProfile.networkProfile.{_CONFIGURATIONS}",
    f"{_SET}/{_INTERFACES}.ipConfigurations[*].subnet.id": f"{_PROFILE}.subnet.id",
    f"{_CLUSTER}/agentPoolProfiles[*].vnetSubnetID": "properties.agentPoolProfiles[*].vnetSubnetID",
    f"{_CLUSTER}/networkProfile.outboundType": "properties.networkProfile.outboundType",
    f"{_CLUSTER}/agentPoolProfiles[*]": "properties.agentPoolProfiles[*]",
    f"{_CLUSTER}/agentPoolProfiles[*].enableNodePublicIP": "properties.agentPoolProfiles[*].enableNodePublicIP",
    f"{_CLUSTER}/agentPools/enableNodePublicIP": "properties.enableNodePublicIP",
    f"{_CLUSTER}/apiServerAccessProfile.enablePrivateCluster": "properties.apiServerAccessProfile.enablePrivateCluster",
}
"""The aliases of the modelled types that are known here; Azure has some ten thousand more."""

PLAIN = ("name", "fullname", "kind", "type", "location", "id", "tags", "identity.type")
_PATHS = {alias.casefold(): path for alias, path in ALIASES.items()}


def path_of(field: str) -> str:
    """The name of a field in, in any case; the path of it in a request's body out. What is not known is refused."""
    known = field.casefold()
    if known in PLAIN:
        return known
    if known.startswith("tags."):
        return f"tags.{field[5:]}"
    if known.startswith("tags['") and known.endswith("']"):
        return f"tags.{field[6:-2]}"
    if known not in _PATHS:
        raise errors.not_modelled(f"the alias '{field}' in policy rules")
    return _PATHS[known]


def values_at(body: object, path: str, bound: Mapping[str, object]) -> list[Any]:
    """A body and a path in, the values there out: one, None when it is missing, or those of all elements of arrays.

    `bound` holds the one element that an array stands for meanwhile, by the path that leads to it.
    """
    if path.startswith("tags."):
        return [member(member(body, "tags"), path[5:])]
    found: list[object] = [body]
    prefix = ""
    for step in path.split("."):
        prefix = f"{prefix}.{step}" if prefix else step
        found = [member(value, step.removesuffix("[*]")) for value in found]
        if prefix in bound:
            found = [bound[prefix]]
        elif step.endswith("[*]"):
            found = [element for array in found if isinstance(array, list) for element in array]
    return found


def is_many(path: str, bound: Mapping[str, object]) -> bool:
    """Whether a path leads to the elements of an array that does not stand for one of them meanwhile."""
    steps = path.split(".")
    prefixes = (".".join(steps[: end + 1]) for end in range(len(steps)) if steps[end].endswith("[*]"))
    return any(prefix not in bound for prefix in prefixes)
