"""AKS's own limits on calls: a call on a cluster or a list of clusters in, nothing or its 429 out."""

from datetime import datetime

from simulator import errors
from simulator.ids import CLUSTERS, Address
from simulator.throttle import Bucket

READS_OF_ONE, LISTS_OF_SUBSCRIPTION, LISTS_OF_GROUP = (60, 1.0), (500, 1.0), (60, 1.0)
WRITES_OF_ONE = (20, 1 / 60)
"""How many at once, and how many more in a second."""


class ClusterLimits:
    """A bucket for each cluster or pool and kind of call, and for each list. Switched off, none is used up."""

    def __init__(self, *, enforced: bool) -> None:
        self._enforced = enforced
        self._buckets: dict[tuple[str, bool], Bucket] = {}

    def admit(self, address: Address, method: str, now: datetime) -> None:
        """A call that has come to AKS in; refused when there were too many like it."""
        reads = method in ("GET", "HEAD")
        if not self._enforced or not (reads or method == "PUT") or not address.type_key.startswith(CLUSTERS):
            return
        size = self._size(address) if reads else WRITES_OF_ONE
        bucket = self._buckets.setdefault((address.key, reads), Bucket(*size, float(size[0]), now))
        bucket.refill(now)
        if bucket.tokens < 1:
            raise _throttled(bucket.wait())
        bucket.tokens -= 1

    def _size(self, address: Address) -> tuple[int, float]:
        if not address.is_collection:
            return READS_OF_ONE
        return LISTS_OF_GROUP if address.group else LISTS_OF_SUBSCRIPTION


def _throttled(seconds: int) -> errors.ArmError:
    return errors.ArmError(
        429,
        "Throttled",
        f"The request is being throttled. Please try again after {seconds} seconds.",
        envelope="cluster",
        headers={"Retry-After": str(seconds)},
    )
