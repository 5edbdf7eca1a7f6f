"""Agent pools: what a caller sent of one in, what AKS keeps out, with its defaults; what of it can never change."""

from collections.abc import Iterable

from simulator import errors
from simulator.store import Store
from simulator.wire import Body, members, text

READ_ONLY = ("provisioningState", "currentOrchestratorVersion", "nodeImageVersion", "eTag")
IMAGE = "AKSUbuntu-2204gen2containerd-202502.09.0"
LATEST = {"1.30": "1.30.9"}
"""Patch versions that recordings show; of other minor versions it is the first one."""
_UNCHANGING = ("vnetSubnetID", "podSubnetID", "vmSize", "osType", "enableNodePublicIP", "nodePublicIPPrefixID", "type")
_DEFAULTS: Body = {
    "count": 1,
    "vmSize": "Standard_D2s_v3",
    "osDiskSizeGB": 128,
    "osDiskType": "Managed",
    "kubeletDiskType": "OS",
    "type": "VirtualMachineScaleSets",
    "scaleDownMode": "Delete",
    "powerState": {"code": "Running"},
    "enableNodePublicIP": False,
    "mode": "User",
    "osType": "Linux",
    "osSKU": "Ubuntu",
    "upgradeSettings": {"maxSurge": "10%"},
    "enableFIPS": False,
    "securityProfile": {"enableVTPM": False, "enableSecureBoot": False},
}
# What is not shown when it says nothing.
_VANISHING: tuple[tuple[str, object], ...] = (
    ("nodeTaints", []),
    ("nodeLabels", {}),
    ("availabilityZones", []),
    ("scaleSetPriority", "Regular"),
    ("spotMaxPrice", -1),
    ("osDiskSizeGB", 0),
    ("orchestratorVersion", ""),
)


def pools_of(store: Store, cluster_key: str) -> dict[str, Body]:
    """A cluster's key in, the properties of its pools by name out."""
    return {pool.name: members(pool.content.get("properties")) for pool in store.listed(f"{cluster_key}/agentpools")}


def completed(sent: Body, before: Body | None, cluster: Body) -> Body:
    """The properties of a pool as sent, those it has and those of its cluster in, those it would have out."""
    given = {name: value for name, value in sent.items() if name not in (*READ_ONLY, "name") and value is not None}
    for name, nothing in _VANISHING:
        if given.get(name) == nothing:
            del given[name]
    if given.get("scaleSetPriority") != "Spot":
        given.pop("scaleSetEvictionPolicy", None)
    defaults = _DEFAULTS | {"maxPods": _most_pods(members(cluster.get("networkProfile")), given)}
    if before is not None:
        stays = (*_UNCHANGING, "count", "orchestratorVersion", "mode", "maxPods")
        defaults |= {"enableAutoScaling": False} | {name: before[name] for name in stays if name in before}
    versions = {"orchestratorVersion": text(cluster.get("kubernetesVersion"))}
    pool = versions | defaults | given
    return pool | {
        "currentOrchestratorVersion": latest(text(pool["orchestratorVersion"])),
        "nodeImageVersion": text((before or {}).get("nodeImageVersion")) or IMAGE,
    }


def latest(version: str) -> str:
    """A version of Kubernetes in, the patch version that runs out."""
    return version if version.count(".") > 1 else LATEST.get(version, f"{version}.0")


def check_unchanged(pool: Body, before: Body) -> None:
    """A pool as it would be and as it is in; refused when something changes that cannot."""
    for member in _UNCHANGING:
        one, other = pool.get(member), before.get(member, _DEFAULTS.get(member))
        if one != other and (not text(one) or text(one).casefold() != text(other).casefold()):
            raise errors.property_change_not_allowed(f"agentPoolProfile.{member}")


def subnets_of(pools: Iterable[Body], *names: str) -> dict[str, str]:
    """Pools in, the ids of the subnets that they name as `names`, by key, out."""
    named = [text(pool.get(name)) for pool in pools for name in names]
    return {subnet.casefold(): subnet for subnet in named if subnet}


def _most_pods(network: Body, pool: Body) -> int:
    if network.get("networkPlugin") == "kubenet":
        return 110
    return 250 if network.get("networkPluginMode") == "overlay" or pool.get("podSubnetID") else 30
