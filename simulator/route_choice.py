"""Routes of one interface: all that there are in, those that lose by another of the same prefix marked out."""

import msgspec

from simulator.ranges import Range, parsed
from simulator.wire import Body

NETWORK_HOPS = ("VnetLocal", "VNetPeering", "VNetGlobalPeering")
SERVICE_ENDPOINT, PRIVATE_ENDPOINT = "VirtualNetworkServiceEndpoint", "InterfaceEndpoint"


class Route(msgspec.Struct):
    """One way out of an interface. One that `yields` gives way to a user's route that is less specific."""

    source: str
    prefix: str
    hop: str
    addresses: tuple[str, ...] = ()
    name: str = ""
    yields: bool = False
    active: bool = True


def decide(routes: list[Route]) -> None:
    """Of routes with one prefix a service endpoint's stays active, then the user's, the network's, what was learned."""
    best: dict[str | Range, int] = {}
    for route in routes:
        best[_same(route)] = min(best.get(_same(route), _rank(route)), _rank(route))
    for route in routes:
        route.active = _rank(route) == best[_same(route)] and not route.yields


def shown(route: Route, *, learns: bool) -> Body:
    """A route in, as effectiveRouteTable shows it out."""
    named: Body = {"name": route.name} if route.name else {}
    return named | {
        "disableBgpRoutePropagation": not learns,
        "source": route.source,
        "state": "Active" if route.active else "Invalid",
        "addressPrefix": [route.prefix],
        "nextHopType": route.hop,
        "nextHopIpAddress": list(route.addresses),
    }


def _same(route: Route) -> str | Range:
    return parsed(route.prefix) or route.prefix.casefold()


def _rank(route: Route) -> int:
    if route.hop == SERVICE_ENDPOINT:
        return 0
    if route.source == "User":
        return 1
    if route.hop in (*NETWORK_HOPS, PRIVATE_ENDPOINT):
        return 2
    return 3 if route.source == "VirtualNetworkGateway" else 4
