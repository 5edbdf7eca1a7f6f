"""AKS's own limits on calls: who asks for what in, nothing or its 429 out."""

from datetime import datetime

from simulator import errors
from simulator.ids import AGENT_POOL, CLUSTERS, Address
from simulator.throttle import Bucket

POLLED = "GetOperationStatus"
# How often each of its APIs may be called at once, and how many calls come back in a second, as AKS documents them.
_SIZES: dict[str, tuple[int, float]] = {
    "PutManagedCluster": (20, 1 / 60),
    "PutAgentPool": (20, 1 / 60),
    "GetManagedCluster": (60, 1),
    "ListManagedClusters": (500, 1),
    "ListManagedClustersByResourceGroup": (60, 1),
    POLLED: (200, 2),
    "Other": (60, 1),
}
# By type, method and whether it is a list that is asked for.
_APIS = {
    (CLUSTERS, "PUT", False): "PutManagedCluster",
    (AGENT_POOL, "PUT", False): "PutAgentPool",
    (CLUSTERS, "GET", False): "GetManagedCluster",
    (CLUSTERS, "GET", True): "ListManagedClusters",
}


class ClusterLimits:
    """A bucket for every API and what it counts for: a cluster, an agent pool, a group or a subscription."""

    def __init__(self, *, enforced: bool) -> None:
        self.enforced = enforced
        self._buckets: dict[tuple[str, str], Bucket] = {}

    def admit(self, address: Address, method: str, now: datetime) -> None:
        """A call on a cluster, a pool, a list or an operation in; refused when there were too many before it."""
        if not self.enforced:
            return
        api = _api(address, method)
        counted = address.scope if api.startswith("List") else address.key
        if api in (POLLED, "Other"):
            counted = address.subscription or ""
        capacity, rate = _SIZES[api]
        bucket = self._buckets.setdefault((api, counted.casefold()), Bucket(capacity, rate, float(capacity), now))
        bucket.refill(now)
        if bucket.tokens < 1:
            raise _throttled(f"{api}Handler.{method}", address.subscription or "", bucket.wait())
        bucket.tokens -= 1


def _api(address: Address, method: str) -> str:
    if (address.type_key, method, address.is_collection) == (CLUSTERS, "GET", True) and address.group is not None:
        return "ListManagedClustersByResourceGroup"
    other = POLLED if "operation" in address.type_key else "Other"
    return _APIS.get((address.type_key, method, address.is_collection), other)


def _throttled(handler: str, subscription: str, seconds: int) -> errors.ArmError:
    return errors.ArmError(
        429,
        "Throttled",
        f"The {handler} request limit has been exceeded for SubID='{subscription}', please retry again in {seconds} "
        "seconds. For more information, please visit aka.ms/aks/throttling",
        envelope="cluster",
        headers={"Retry-After": str(seconds)},
    )
