"""Resource ids: the text of a path in, its parts out; compared without regard to case, shown as created."""

import re
import sys
from functools import cached_property
from urllib.parse import unquote

import msgspec

NETWORK = "microsoft.network"
CLUSTERS = "microsoft.containerservice/managedclusters"
AGENT_POOL = "microsoft.containerservice/managedclusters/agentpools"
CLUSTERS_SHOWN = "Microsoft.ContainerService/ManagedClusters"  # in `type`, not in ids
DEPLOYMENTS = "microsoft.resources/deployments"
VNET = "microsoft.network/virtualnetworks"
SUBNET = "microsoft.network/virtualnetworks/subnets"
PEERING = "microsoft.network/virtualnetworks/virtualnetworkpeerings"
NAT_GATEWAY = "microsoft.network/natgateways"
PUBLIC_IP = "microsoft.network/publicipaddresses"
PUBLIC_PREFIX = "microsoft.network/publicipprefixes"
ROUTE_TABLE = "microsoft.network/routetables"
ROUTE = "microsoft.network/routetables/routes"
NSG = "microsoft.network/networksecuritygroups"
SECURITY_RULE = "microsoft.network/networksecuritygroups/securityrules"
NIC = "microsoft.network/networkinterfaces"
LOAD_BALANCER = "microsoft.network/loadbalancers"
FIREWALL = "microsoft.network/azurefirewalls"
FIREWALL_POLICY = "microsoft.network/firewallpolicies"
APPLICATION_GATEWAY = "microsoft.network/applicationgateways"
WAF_POLICY = "microsoft.network/applicationgatewaywebapplicationfirewallpolicies"
VIRTUAL_GATEWAY = "microsoft.network/virtualnetworkgateways"
VM = "microsoft.compute/virtualmachines"
SCALE_SET = "microsoft.compute/virtualmachinescalesets"
SYSTEM_TOPIC = "microsoft.eventgrid/systemtopics"
EXEMPTION = "microsoft.authorization/policyexemptions"
EVENT_SUBSCRIPTION = "microsoft.eventgrid/eventsubscriptions"
TOPIC_SUBSCRIPTION = "microsoft.eventgrid/systemtopics/eventsubscriptions"
SUBSCRIPTION = "microsoft.resources/subscriptions"

# How Azure writes the names of what it knows; a type that is not here is shown as it was first sent.
SPELLINGS = (
    "Microsoft.Network/virtualNetworks/subnets",
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings",
    "Microsoft.Network/natGateways",
    "Microsoft.Network/publicIPAddresses",
    "Microsoft.Network/publicIPPrefixes",
    "Microsoft.Network/routeTables/routes",
    "Microsoft.Network/networkSecurityGroups/securityRules",
    "Microsoft.Network/networkInterfaces",
    "Microsoft.Network/loadBalancers",
    "Microsoft.Network/azureFirewalls",
    "Microsoft.Network/firewallPolicies/ruleCollectionGroups",
    "Microsoft.Network/virtualNetworkGateways",
    "Microsoft.Network/applicationGateways",
    "Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies",
    "Microsoft.Compute/virtualMachines",
    "Microsoft.Compute/virtualMachineScaleSets",
    "Microsoft.ContainerService/managedClusters/agentPools",
    "Microsoft.ManagedIdentity/userAssignedIdentities",
    "Microsoft.Management/managementGroups",
    "Microsoft.Resources/deployments",
    "Microsoft.Resources/resourceGroups",
    "Microsoft.Resources/subscriptions",
    "Microsoft.EventGrid/systemTopics/eventSubscriptions",
    "Microsoft.EventGrid/eventSubscriptions",
    "Microsoft.Authorization/locks",
    "Microsoft.Authorization/permissions",
    "Microsoft.Authorization/roleDefinitions",
    "Microsoft.Authorization/roleAssignments",
    "Microsoft.Authorization/denyAssignments",
    "Microsoft.Authorization/policyDefinitions",
    "Microsoft.Authorization/policySetDefinitions",
    "Microsoft.Authorization/policyAssignments",
    "Microsoft.Authorization/policyExemptions",
)
_SPELLED = {part.lower(): part for spelling in SPELLINGS for part in spelling.split("/")}


class Address(msgspec.Struct, frozen=True, dict=True):
    """Where a path leads. `scope` is what stands before the last `/providers/`; what follows from it is found once."""

    scope: str
    subscription: str | None
    group: str | None
    namespace: str | None
    types: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @cached_property
    def type(self) -> str:
        """`Microsoft.Network/virtualNetworks/subnets`, spelled as Azure spells it."""
        return sys.intern("/".join(spelled(part) for part in (self.namespace or "", *self.types)))

    @cached_property
    def type_key(self) -> str:
        return sys.intern(self.type.lower())

    @property
    def is_collection(self) -> bool:
        return len(self.types) > len(self.names)

    @cached_property
    def key(self) -> str:
        """The id or the collection, in the form everything is looked up by."""
        return self.text.casefold()

    @cached_property
    def text(self) -> str:
        """The id or the collection as Azure would show it."""
        parts = [self.scope, "providers", spelled(self.namespace or "")]
        for index, kind in enumerate(self.types):
            parts.append(spelled(kind))
            if index < len(self.names):
                parts.append(self.names[index])
        return "/".join(parts)

    @cached_property
    def parent(self) -> "Address | None":
        """The resource this one is a child of; None for a top-level resource."""
        if len(self.types) < 2:
            return None
        return msgspec.structs.replace(self, types=self.types[:-1], names=self.names[: len(self.types) - 1])

    @cached_property
    def top(self) -> "Address":
        """The top-level resource this one belongs to."""
        return msgspec.structs.replace(self, types=self.types[:1], names=self.names[:1])


def spelled(part: str) -> str:
    """A namespace or type segment in any case in, Azure's spelling out."""
    return _SPELLED.get(part.lower(), part)


def segments_of(path: str) -> list[str]:
    """A path in, its decoded segments out.

    Slashes may be encoded or doubled: libraries do the one with scopes, the other where a parent path is empty.
    """
    decoded = unquote(path) if "%" in path else path
    return (re.sub("/+", "/", decoded) if "//" in decoded else decoded).strip("/").split("/")


def parse(path: str) -> Address | None:
    """A path in, its Address out; None for what is no path of Resource Manager."""
    parts = segments_of(path)
    if not all(parts):
        return None
    lowered = [part.lower() for part in parts]
    cut = len(parts) - 1 - lowered[::-1].index("providers") if "providers" in lowered else len(parts)
    before, after = parts[:cut], parts[cut + 1 :]
    subscription = group = None
    if before:
        if lowered[0] == "subscriptions" and len(before) >= 2:
            subscription = before[1]
            if len(before) >= 4 and lowered[2] == "resourcegroups":
                group = before[3]
            elif len(before) > 2 and lowered[2] != "providers":
                return None
        elif lowered[0] != "providers":
            return None
        if len(before) > 4 and "providers" not in lowered[: cut - 1]:
            return None
    if cut < len(parts) and not after:
        return None
    scope = "".join(f"/{_scope_spelling(part)}" if i % 2 == 0 else f"/{part}" for i, part in enumerate(before))
    rest = after[1:]
    return Address(
        scope=scope,
        subscription=subscription,
        group=group,
        namespace=after[0] if after else None,
        types=tuple(rest[0::2]),
        names=tuple(rest[1::2]),
    )


def parse_id(text: str) -> Address | None:
    """A resource id in, its Address out; None when it does not name one resource of a provider."""
    address = parse(text) if text.startswith("/") else None
    if address is None or not address.types or address.is_collection:
        return None
    return address


def group_id(subscription: str, group: str) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/{group}"


def name_of(text: str) -> str:
    return text.rpartition("/")[2]


def parent_key(key: str) -> str:
    """The key of a child in, its parent's out: two segments less."""
    return key.rpartition("/")[0].rpartition("/")[0]


def location_key(location: str) -> str:
    """ "East US 2" in, `eastus2` out."""
    return location.replace(" ", "").lower()


def _scope_spelling(part: str) -> str:
    return {"resourcegroups": "resourceGroups", "subscriptions": "subscriptions"}.get(part.lower(), part)
