"""The way out of a proxy itself: the subnet that a policy names as its host in, whether it gets out from there out."""

from typing import Final

from msgspec import Struct

from governor.core import facts, ids
from governor.core.egress import trace
from governor.core.estate import ABSENT, Estate
from governor.core.path import Method, describe
from governor.core.policy import ProxyPolicy
from governor.core.proxy import wanted

_UNRELIABLE: Final = frozenset({Method.DEFAULT_OUTBOUND, Method.NONE})


class Host(Struct, frozen=True):
    """works: whether everything in the proxy's subnet leaves by a way that was made for it; None: not known."""

    works: bool | None
    seen: str
    missing: tuple[str, ...] = ()


def host_of(asked: ProxyPolicy, estate: Estate) -> Host | None:
    """A policy's proxy in, how it leaves itself out; None where the policy does not say where it lives."""
    if asked.proxy_host is None:
        return None
    network_id, said = ids.parent(asked.proxy_host), f"the proxy's subnet {ids.name(asked.proxy_host)}"
    network = estate.find(network_id, facts.VirtualNetwork)
    if network is None:
        return Host(None, f"{said} could not be read: {estate.why(ids.key(network_id))}", (network_id,))
    found = () if network is ABSENT else network.properties.subnets or ()
    subnet = next((one for one in found if ids.same(one.id, asked.proxy_host)), None)
    if network is ABSENT or subnet is None:
        return Host(False, f"{said} does not exist")
    path = trace(subnet, network, estate)
    if path.missing:
        lost = path.missing[0]
        why = estate.why(lost if lost.endswith(")") else ids.key(lost))
        return Host(None, f"how {said} leaves is not known: {ids.name(lost)}: {why}", path.missing)
    if path.unsettled:
        return Host(None, f"how {said} leaves is not known: {path.unsettled[0]}")
    works = bool(path.ways) and path.methods.isdisjoint(_UNRELIABLE)
    return Host(works, f"{said} leaves by {describe(path)}{'' if works else ', which is no way out to rely on'}")


def unread(asked: ProxyPolicy, estate: Estate) -> tuple[str, ...]:
    """A policy's proxy in; the secrets and resources that must be read to know it and its way out, out."""
    host = host_of(asked, estate)
    return (*wanted(asked, estate).missing, *(host.missing if host else ()))
