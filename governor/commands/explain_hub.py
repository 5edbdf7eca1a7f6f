"""The hop to a hub in words: a subnet with its path in; who holds the next hop, the peerings, what gateways learned."""

from collections.abc import Iterator

from governor.commands.behind_hub import hub_at
from governor.core import facts, ids
from governor.core.estate import Estate
from governor.core.hub import Hub
from governor.core.judged import Judged
from governor.core.learned import gateways, learned
from governor.core.link import side
from governor.core.path import EgressPath, Method

_MOST = 6


def hub_of(judged: Judged, path: EgressPath, estate: Estate) -> Hub | None:
    """The hub that a subnet leaves by, or else the one that its policy wants; None where there is neither."""
    hops = [way.via for way in path.ways if way.method is Method.APPLIANCE]
    if hops and (judged.hub is None or judged.hub.next_hop != hops[0]):
        return hub_at(hops[0], judged.network, estate)
    return judged.hub


def hops(judged: Judged, hub: Hub | None, estate: Estate) -> Iterator[tuple[str, str]]:
    """Lines for people: what, and the text."""
    if hub is not None:
        yield "hub", _hub(hub)
        there = estate.find(hub.network, facts.VirtualNetwork) if hub.network else None
        if isinstance(there, facts.VirtualNetwork) and not ids.same(there.id, judged.network.id):
            yield "peering", _side(judged.network, there)
            yield "peering", _side(there, judged.network)
        if hub.replies:
            yield "replies", f"to {', '.join(hub.replies)} go straight out (keepInbound)"
    yield from _learned(judged.network, estate)


def _hub(hub: Hub) -> str:
    where = f" in {ids.name(hub.network)}" if hub.network else ""
    if hub.wrong:
        return hub.wrong
    if hub.missing:
        return f"{hub.next_hop or 'its next hop'}{where} is not known: {ids.name(hub.missing[0])} was not read"
    return f"{hub.next_hop} is {hub.owner}{where}"


def _side(network: facts.VirtualNetwork, other: facts.VirtualNetwork) -> str:
    found = side(network, other.id)
    if found is None:
        return f"{network.name} -> {other.name}: none"
    properties = found.properties
    flags = [
        "access allowed" if properties.allow_virtual_network_access is not False else "access not allowed",
        "forwarded traffic " + ("allowed" if properties.allow_forwarded_traffic else "not allowed"),
        *(["gateway transit allowed"] if properties.allow_gateway_transit else []),
        *(["remote gateways used"] if properties.use_remote_gateways else []),
    ]
    return f"{network.name} -> {other.name}: {properties.peering_state}, {', '.join(flags)} ({ids.name(found.id)})"


def _learned(network: facts.VirtualNetwork, estate: Estate) -> Iterator[tuple[str, str]]:
    for gateway in (one for there in learned(network, estate).networks for one in gateways(there)):
        routes = estate.find(ids.learned_routes(gateway), facts.LearnedRoutes)
        if isinstance(routes, facts.LearnedRoutes):
            prefixes = [route.network or "" for route in routes.value]
            more = f" and {len(prefixes) - _MOST} more" if len(prefixes) > _MOST else ""
            yield "learned", f"by {ids.name(gateway)}: {', '.join(prefixes[:_MOST]) or 'nothing'}{more}"
        else:
            yield "learned", f"by {ids.name(gateway)}: not known"
