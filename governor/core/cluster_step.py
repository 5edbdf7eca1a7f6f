"""The one write of an AKS cluster: how it is told to leave, and who may reach its API server; raw bodies in and out.

A cluster is written whole, with its eTag. What the autoscaler moves meanwhile is read again with it, and never set.
"""

import copy
from typing import Any, Final

from msgspec import UNSET, Struct, UnsetType

from governor.core import outbound_type, ranges

Body = dict[str, Any]
_NETWORK: Final = ("properties", "networkProfile")
_RANGES: Final = ("properties", "apiServerAccessProfile", "authorizedIPRanges")
# A cluster has at most so many pools; these members of them move by themselves, and after a write of their cluster.
_MOST_POOLS: Final = 100
_MEMBERS: Final = ("count", "currentOrchestratorVersion", "nodeImageVersion", "powerState")
MOVING: Final = frozenset(
    ("properties", "agentPoolProfiles", str(index), member) for index in range(_MOST_POOLS) for member in _MEMBERS
)


class WriteCluster(Struct, frozen=True, omit_defaults=True, tag="WriteCluster", tag_field="step"):
    """to, was: the outboundType and the one that the plan saw. managed: Azure made and manages its network.

    authorize: ranges that its API server is to let in beside those that it lets in already.
    """

    target: str
    to: str | UnsetType = UNSET
    was: str | UnsetType = UNSET
    managed: bool = False
    authorize: tuple[str, ...] = ()

    @property
    def inverse(self) -> "WriteCluster | None":
        """What takes it back; None where Azure does not. Ranges stay: who was let in is not shut out by an undo."""
        if not isinstance(self.to, str) or not isinstance(self.was, str) or self.is_final:
            return None
        return WriteCluster(self.target, self.was, self.to, self.managed)

    @property
    def is_final(self) -> bool:
        """Whether Azure does not change the type back."""
        if not isinstance(self.to, str) or not isinstance(self.was, str):
            return False
        return not outbound_type.may_become(self.to, self.was, managed=self.managed)


def type_of(body: Body) -> str:
    """The raw body of a cluster in, its type as the table of types names it out."""
    network = (body.get("properties") or {}).get("networkProfile") or {}
    gateway = network.get("natGatewayProfile") or {}
    return outbound_type.canonical(network.get("outboundType") or outbound_type.LOAD_BALANCER, gateway.get("sku"))


def edited(step: WriteCluster, body: Body) -> Body:
    """A write and the raw body of its cluster in, the wanted body out."""
    wanted = copy.deepcopy(body)
    properties: Body = wanted.setdefault("properties", {})
    if isinstance(step.to, str) and not outbound_type.meets(type_of(body), step.to):
        network: Body = properties.setdefault("networkProfile", {})
        network["outboundType"] = step.to
        # A profile of another type contradicts the new one.
        for member, owner in (
            ("loadBalancerProfile", outbound_type.LOAD_BALANCER),
            ("natGatewayProfile", outbound_type.MANAGED_NAT),
        ):
            if step.to != owner and network.get(member) is not None:
                network[member] = None
    api = properties.get("apiServerAccessProfile") or {}
    there = tuple(api.get("authorizedIPRanges") or ())
    # Where no range is named everybody is let in; naming the first would shut the others out.
    if there and (new := tuple(one for one in step.authorize if not ranges.within(one, there))):
        api["authorizedIPRanges"] = [*there, *new]
    return wanted


def conflict(step: WriteCluster, body: Body | None) -> str | None:
    """A write and the raw body of its cluster in; why it no longer fits what is there, in words, or None."""
    if body is None:
        return "the cluster is gone"
    now = type_of(body)
    if isinstance(step.to, str) and now != step.was and not outbound_type.meets(now, step.to):
        return f"outboundType was {step.was} when the plan was made and is {now} now"
    return None


def intended(step: WriteCluster) -> frozenset[tuple[str, ...]]:
    """A write in, the paths of members that it, or AKS because of it, changes out."""
    moving: set[tuple[str, ...]] = set(MOVING)
    if step.authorize:
        moving.add(_RANGES)
    if isinstance(step.to, str):
        moving |= {(*_NETWORK, member) for member in ("outboundType", "loadBalancerProfile", "natGatewayProfile")}
    return frozenset(moving)
