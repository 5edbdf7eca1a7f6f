"""Azure resource ids: text in, parts out.

An id is kept as the text Azure gave it and compared by `key`, because Azure itself varies the case of ids
(facts/azure.md 10: `resourcegroups`, `ManagedClusters`, upper-case names in error texts).
"""

import re
from functools import lru_cache

from msgspec import Struct

RESOURCE_GROUP = "microsoft.resources/resourcegroups"
SUBSCRIPTION = "microsoft.resources/subscriptions"
VIRTUAL_NETWORK = "microsoft.network/virtualnetworks"
SUBNET = "microsoft.network/virtualnetworks/subnets"
NAT_GATEWAY = "microsoft.network/natgateways"
PUBLIC_IP = "microsoft.network/publicipaddresses"
PUBLIC_IP_PREFIX = "microsoft.network/publicipprefixes"
ROUTE_TABLE = "microsoft.network/routetables"
ROUTE = "microsoft.network/routetables/routes"
PEERING = "microsoft.network/virtualnetworks/virtualnetworkpeerings"
VIRTUAL_NETWORK_GATEWAY = "microsoft.network/virtualnetworkgateways"
LEARNED_ROUTES = "microsoft.network/virtualnetworkgateways/learnedroutes"
EFFECTIVE_ROUTES = "microsoft.network/networkinterfaces/effectiveroutes"
NETWORK_INTERFACE = "microsoft.network/networkinterfaces"
LOAD_BALANCER = "microsoft.network/loadbalancers"
FRONTEND = "microsoft.network/loadbalancers/frontendipconfigurations"
FIREWALL = "microsoft.network/azurefirewalls"
SECURITY_GROUP = "microsoft.network/networksecuritygroups"
APPLICATION_GATEWAY = "microsoft.network/applicationgateways"
WAF_POLICY = "microsoft.network/applicationgatewaywebapplicationfirewallpolicies"
SITE = "microsoft.web/sites"
PRIVATE_LINK_SERVICE = "microsoft.network/privatelinkservices"
FRONT_DOORS = "microsoft.cdn/frontdoors"
FRONT_DOOR_WAF = "microsoft.network/frontdoorwebapplicationfirewallpolicies"
SCALE_SET = "microsoft.compute/virtualmachinescalesets"
INSTANCE_ADDRESSES = "microsoft.compute/virtualmachinescalesets/publicipaddresses"
CREATION_TIMES = "microsoft.resources/creationtimes"
API_MANAGEMENT = "microsoft.apimanagement/service"
CLUSTER = "microsoft.containerservice/managedclusters"
OUTBOUND_DEPENDENCIES = "microsoft.containerservice/managedclusters/outboundnetworkdependenciesendpoints"
DEPLOYMENT = "microsoft.resources/deployments"
ENTITY = "microsoft.management/entities"
PERMISSIONS = "microsoft.authorization/permissions"
POLICY_DEFINITION = "microsoft.authorization/policydefinitions"
POLICY_ASSIGNMENT = "microsoft.authorization/policyassignments"
POLICY_EXEMPTION = "microsoft.authorization/policyexemptions"
POLICY_STATES = "microsoft.policyinsights/policystates"
TAGS = "microsoft.resources/tags"
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Parts(Struct, frozen=True):
    """The parts of a resource id; `type` is lower-case, names keep their case."""

    subscription: str
    resource_group: str
    type: str
    names: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.names[-1] if self.names else self.resource_group or self.subscription


def key(resource_id: str) -> str:
    """A resource id in, the text to compare it by out."""
    return resource_id.rstrip("/").casefold()


def same(a: str, b: str) -> bool:
    """Two resource ids in, whether they name one resource out."""
    return key(a) == key(b)


@lru_cache(maxsize=4096)
def parse(resource_id: str) -> Parts:
    """A resource id in, its parts out; ValueError says what is wrong with a text that is no id."""
    segments = resource_id.strip("/").split("/")
    if len(segments) < 2 or segments[0].casefold() != "subscriptions" or not all(segments):
        raise ValueError(f"not a resource id: {resource_id!r} (expected /subscriptions/...)")
    subscription, rest = segments[1], segments[2:]
    if not rest:
        return Parts(subscription, "", SUBSCRIPTION, (subscription,))
    group = ""
    if rest[0].casefold() == "resourcegroups":
        if len(rest) < 2:
            raise ValueError(f"not a resource id: {resource_id!r} (the name of the resource group is missing)")
        group, rest = rest[1], rest[2:]
        if not rest:
            return Parts(subscription, group, RESOURCE_GROUP, (group,))
    # An extension resource names a second provider; the last one says what it is. Types and names take turns, so that
    # something may be named "providers".
    providers = [i for i in range(0, len(rest), 2) if rest[i].casefold() == "providers"]
    if not providers or len(rest) < providers[-1] + 4 or (len(rest) - providers[-1]) % 2:
        raise ValueError(f"not a resource id: {resource_id!r} (expected /providers/NAMESPACE/TYPE/NAME)")
    tail = rest[providers[-1] + 1 :]
    kind = "/".join([tail[0], *tail[1::2]]).casefold()
    return Parts(subscription, group, kind, tuple(tail[2::2]))


def kind(resource_id: str) -> str:
    """A resource id in, its lower-case type out, "" when the text is no id."""
    try:
        return parse(resource_id).type
    except ValueError:
        return ""


def name(resource_id: str) -> str:
    """A resource id in, its last segment out."""
    return resource_id.rstrip("/").rpartition("/")[2]


def placed(resource_id: str) -> str:
    """A resource id in, its name with that of its group out: which of two of one name. A text that is none stays."""
    return f"{name(resource_id)} in {parse(resource_id).resource_group}" if kind(resource_id) else resource_id


def parent(resource_id: str) -> str:
    """The id of a child resource in, the id of the resource that holds it out."""
    return resource_id.rstrip("/").rsplit("/", 2)[0]


def top_level(resource_id: str) -> str:
    """A resource id in; the id of the resource that it is a part of, or its own when it is no child, out."""
    depth = len(parse(resource_id).names) - 1
    return resource_id.rstrip("/").rsplit("/", 2 * depth)[0]


def tagged(resource_id: str) -> str:
    """The id of something, or of its tags (`ID/providers/Microsoft.Resources/tags/default`), in; its own id out."""
    return resource_id.rstrip("/").rsplit("/", 4)[0] if kind(resource_id) == TAGS else resource_id


def learned_routes(gateway_id: str) -> str:
    """The id of a virtual network gateway in, the id under which what it learned is known out."""
    return f"{gateway_id.rstrip('/')}/learnedRoutes/all"


def effective_routes(nic_id: str) -> str:
    """The id of a network interface in, the id under which its effective routes are known out."""
    return f"{nic_id.rstrip('/')}/effectiveRoutes/all"


def permissions(scope: str) -> str:
    """The id of a scope in, the id under which what may be done there is known out."""
    return f"{scope.rstrip('/')}/providers/Microsoft.Authorization/permissions/all"


def instance_addresses(scale_set_id: str) -> str:
    """The id of a scale set in, the id under which the public addresses of its instances are known out."""
    return f"{scale_set_id.rstrip('/')}/publicIPAddresses/all"


def outbound_dependencies(cluster_id: str) -> str:
    """The id of a cluster in, the id under which what it has to reach is known out."""
    return f"{cluster_id.rstrip('/')}/outboundNetworkDependenciesEndpoints/all"


def front_doors(subscription: str) -> str:
    """A subscription id in, the id under which its profiles of Front Door are known out."""
    return f"/subscriptions/{subscription}/providers/Microsoft.Cdn/frontDoors/all"


def creation_times(subscription: str) -> str:
    """A subscription id in, the id under which it is known when its addresses were made out."""
    return f"/subscriptions/{subscription}/providers/Microsoft.Resources/creationTimes/all"


def policy_states(subscription: str) -> str:
    """A subscription id in, the id under which it is known what Azure Policy says of its resources out."""
    return f"/subscriptions/{subscription}/providers/Microsoft.PolicyInsights/policyStates/all"


def is_subscription(text: str) -> bool:
    """A text in, whether it can be the id of a subscription out."""
    return _GUID.fullmatch(text.casefold()) is not None


def entity(subscription: str) -> str:
    """A subscription id in, the id under which its place below management groups is known out."""
    return f"/subscriptions/{subscription}/providers/Microsoft.Management/entities/{subscription}"


def group(subscription: str, resource_group: str) -> str:
    """A subscription id and a group's name in, the group's resource id out."""
    return f"/subscriptions/{subscription}/resourceGroups/{resource_group}"


def group_of(resource_id: str) -> str:
    """The id of a resource in, that of its resource group out."""
    parts = parse(resource_id)
    return group(parts.subscription, parts.resource_group)


def in_node_group(resource_id: str) -> bool:
    """The id of a resource in, whether its group is one that AKS names itself: `MC_...` (facts/azure.md 4.4)."""
    return parse(resource_id).resource_group.casefold().startswith("mc_")


def network(subscription: str, resource_group: str, type_: str, resource: str) -> str:
    """Where a Microsoft.Network resource of this type (`natGateways`, ...) and name lives: its id out."""
    return f"{group(subscription, resource_group)}/providers/Microsoft.Network/{type_}/{resource}"
