"""What the ledger offers in, why something wrong is not repaired out."""

from collections.abc import Iterable

from governor.core import ids
from governor.core.cause import VirtualNetwork
from governor.core.verdict import Verdict
from governor.ports import Offered


class Reasons:
    """The offers of a ledger, to be asked by verdict."""

    def __init__(self, offers: Iterable[Offered]) -> None:
        self._offers: dict[str, list[Offered]] = {}
        self._of_many: dict[str, list[Offered]] = {}
        for offer in offers:
            resource = offer.withheld.remediation.resource
            self._offers.setdefault(ids.key(resource), []).append(offer)
            if ids.kind(resource) in (ids.ROUTE_TABLE, ids.CLUSTER) and isinstance(offer.scope, VirtualNetwork):
                self._of_many.setdefault(offer.scope.key, []).append(offer)

    def of(self, verdict: Verdict) -> Offered | None:
        """The withheld repair of what a verdict says; what has none of its own comes with another of its resource.

        The repair of a route table or a cluster is that of the subnets that use it or that it uses.
        """
        key = ids.key(verdict.resource)
        own = self._offers.get(key, [])
        of_many = self._of_many.get(ids.key(ids.parent(verdict.resource)), [])
        about = (one for one in (*own, *of_many) if verdict.requirement in one.withheld.remediation.requirements)
        return next(about, own[0] if own else None)
