"""A way out and the path made of ways: values that `egress` finds, and what people are told of them."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from msgspec import Struct

from governor.core import facts, ids
from governor.core.estate import Estate


class Method(StrEnum):
    """What carries packets out."""

    APPLIANCE = "appliance"
    GATEWAY = "virtualNetworkGateway"
    NAT_GATEWAY = "natGateway"
    INSTANCE_PUBLIC_IP = "instancePublicIp"
    OUTBOUND_RULE = "loadBalancerOutboundRule"
    IMPLICIT_SNAT = "loadBalancerImplicitSnat"
    DEFAULT_OUTBOUND = "defaultOutboundAccess"
    NONE = "none"


class Way(Struct, frozen=True, omit_defaults=True, gc=False):
    """One way out. members: ip configurations that take it (none named: everything in the subnet).

    via: the resource or private address that carries it. holders: ids of the public addresses and prefixes it leaves
    from.
    """

    method: Method
    via: str = ""
    members: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()


class EgressPath(Struct, frozen=True, omit_defaults=True, gc=False):
    """The ways that win. missing: what must be read before they can be known. hazards: what people should know.

    unsettled: the table, gateway or interface that is not Succeeded, in words, and whether that passes by itself.
    """

    ways: tuple[Way, ...]
    missing: tuple[str, ...] = ()
    hazards: tuple[str, ...] = ()
    unsettled: tuple[str, bool] | None = None

    @property
    def methods(self) -> frozenset[Method]:
        return frozenset(way.method for way in self.ways)

    @property
    def works(self) -> bool:
        """Whether anything in the subnet has a way out."""
        return any(way.method is not Method.NONE for way in self.ways)


def addresses(path: EgressPath, estate: Estate) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A path in; the public addresses it leaves from, and the ids of holders that were not read, out."""
    return addressed((holder for way in path.ways for holder in way.holders), estate)


def addressed(holders: Iterable[str], estate: Estate) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ids of public addresses and prefixes in; what they are, sorted, and the ids that were not read, out."""
    shown: list[str] = []
    unread: list[str] = []
    for holder in dict.fromkeys(holders):
        address = _address(holder, estate)
        (shown if address else unread).append(address or holder)
    return tuple(sorted(shown)), tuple(unread)


def is_whole(path: EgressPath, estate: Estate) -> bool:
    """Whether every address that a path leaves from is known.

    Those of default outbound access, of gateways and of nodes stand in no ARM body, or Azure changes them; those of an
    appliance nobody knows, those of a firewall Azure does.
    """
    named = all(way.method is Method.NONE or bool(way.holders) for way in path.ways)
    return named and not path.missing and not path.unsettled and not addresses(path, estate)[1]


def _address(holder: str, estate: Estate) -> str | None:
    if ids.kind(holder) == ids.PUBLIC_IP_PREFIX:
        prefix = estate.find(holder, facts.PublicIpPrefix)
        return prefix.properties.ip_prefix if isinstance(prefix, facts.PublicIpPrefix) else None
    address = estate.find(holder, facts.PublicIp)
    return address.properties.ip_address if isinstance(address, facts.PublicIp) else None


_WORDS: Final = {
    Method.APPLIANCE: "route to appliance {via}",
    Method.GATEWAY: "route to {via}",
    Method.NAT_GATEWAY: "NAT gateway {via}",
    Method.INSTANCE_PUBLIC_IP: "public IP address {via}",
    Method.OUTBOUND_RULE: "outbound rule of load balancer {via}",
    Method.IMPLICIT_SNAT: "implicit SNAT of load balancer {via}",
    Method.DEFAULT_OUTBOUND: "default outbound access",
    Method.NONE: "no way out",
}
# What the nodes of a cluster leave by is the cluster's own.
_OF_NODES: Final = {
    Method.INSTANCE_PUBLIC_IP: "public IP addresses on the nodes of pool {via}",
    Method.OUTBOUND_RULE: "load balancer of cluster {via}",
}


def describe(path: EgressPath) -> str:
    """A path in, its ways in words out."""
    if len(path.ways) == 1:
        return _say(path.ways[0])
    return "; ".join(f"{_say(way)} ({len(way.members) or 'all'})" for way in path.ways)


def _say(way: Way) -> str:
    if way.method is Method.NONE and way.via == "route":
        return "no way out (route to None)"
    if ids.kind(way.via).startswith(ids.CLUSTER):
        return _OF_NODES[way.method].format(via=ids.name(way.via))
    via = ids.name(way.via) if way.via.startswith("/") else way.via
    return _WORDS[way.method].format(via=via)
