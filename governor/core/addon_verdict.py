"""Whether a cluster can be held to internal load balancers: the add-on that Azure Policy needs in it; judged only."""

from typing import Final

from governor.core import ids
from governor.core.cluster import Cluster
from governor.core.estate import Estate
from governor.core.policy import Policy, Requirement
from governor.core.request_rules import ACTING
from governor.core.verdict import Result, Verdict, exempted

_ADDON: Final = "azurepolicy"
_EXPECTED: Final = "Azure Policy's add-on"


def wants_addon(policy: Policy) -> bool:
    """Whether a policy has Azure Policy look at the Services of its clusters."""
    return policy.clusters.internal_load_balancers in ACTING


def of_addon(cluster: Cluster, policy: Policy, estate: Estate) -> Verdict:
    """A cluster whose policy wants it in, its Verdict out."""
    requirement = Requirement.CLUSTER_INTERNAL_LOAD_BALANCERS
    profiles = cluster.properties.addon_profiles or {}
    if any(name.casefold() == _ADDON and one.enabled for name, one in profiles.items()):
        return Verdict(cluster.id, requirement, Result.COMPLIANT, policy.name, "Azure Policy's add-on is on", _EXPECTED)
    group = ids.parse(cluster.id).resource_group
    command = f"az aks enable-addons --addons azure-policy --resource-group {group} --name {ids.name(cluster.id)}"
    seen = f"without Azure Policy's add-on nobody looks at its Services; turn it on: {command}"
    result, seen = exempted(cluster.id, requirement, policy, estate, seen)
    return Verdict(cluster.id, requirement, result, policy.name, seen, _EXPECTED)
