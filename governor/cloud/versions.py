"""Which api-version every type is read and written with: a resource id in, the version out.

One version for reads and writes: a body that was read with an older version than it is written with loses members.
Microsoft.Network and resource groups follow the SDK clients that write them.
"""

from typing import Final

from governor.core import ids

NETWORK: Final = "2026-03-01"
RESOURCE_GROUPS: Final = "2025-04-01"
SUBSCRIPTIONS: Final = "2022-12-01"
CLUSTERS: Final = "2026-08-01"
DEPLOYMENTS: Final = "2026-06-01"
GRAPH: Final = "2021-03-01"
POLICY: Final = "2026-06-01"
# No client writes exemptions; this is the newest version that public tools use.
POLICY_EXEMPTIONS: Final = "2022-07-01-preview"
PERMISSIONS: Final = "2022-04-01"
MANAGEMENT: Final = "2020-05-01"
COMPUTE: Final = "2024-11-01"
SITES: Final = "2024-11-01"
# Front Door and its firewalls are made by others than the rest of Microsoft.Network.
FRONT_DOORS: Final = "2025-04-15"
FRONT_DOOR_WAFS: Final = "2024-02-01"
API_MANAGEMENT: Final = "2024-05-01"
RESOURCES: Final = "2021-04-01"
# The lists of what instances have are of this version and no other (facts/azure.md 6).
INSTANCE_ADDRESSES: Final = "2018-10-01"

_VERSIONS: Final = {
    ids.SUBSCRIPTION: SUBSCRIPTIONS,
    ids.RESOURCE_GROUP: RESOURCE_GROUPS,
    ids.CLUSTER: CLUSTERS,
    ids.DEPLOYMENT: DEPLOYMENTS,
    ids.VIRTUAL_NETWORK: NETWORK,
    ids.SUBNET: NETWORK,
    ids.NAT_GATEWAY: NETWORK,
    ids.PUBLIC_IP: NETWORK,
    ids.PUBLIC_IP_PREFIX: NETWORK,
    ids.PEERING: NETWORK,
    ids.ROUTE_TABLE: NETWORK,
    ids.ROUTE: NETWORK,
    ids.NETWORK_INTERFACE: NETWORK,
    ids.LOAD_BALANCER: NETWORK,
    ids.FIREWALL: NETWORK,
    ids.SECURITY_GROUP: NETWORK,
    ids.WAF_POLICY: NETWORK,
    ids.FRONT_DOOR_WAF: FRONT_DOOR_WAFS,
    ids.SCALE_SET: COMPUTE,
    ids.API_MANAGEMENT: API_MANAGEMENT,
    ids.POLICY_DEFINITION: POLICY,
    ids.POLICY_ASSIGNMENT: POLICY,
    ids.POLICY_EXEMPTION: POLICY_EXEMPTIONS,
}


def version(resource_id: str) -> str | None:
    """A resource id in, the api-version to read and write it with out; None for what cannot be read by id."""
    return _VERSIONS.get(ids.kind(resource_id))
