"""What gateways in reach of a network have learned by BGP: a network and the facts around it in, Learned out.

A learned 0.0.0.0/0 beats NAT gateways and stands in no ARM body (safety.md 5): until a gateway has been asked, nobody
knows. What Route Servers and virtual hubs learn cannot be asked for in this version.
"""

from typing import Final

from msgspec import Struct

from governor.core import facts, ids
from governor.core.estate import ABSENT, Estate, learned_routes

_HUB_PEERING: Final = "remotevnettohubpeering_"
GATEWAY_SUBNET: Final = "GatewaySubnet"
_ROUTE_SERVERS: Final = "RouteServerSubnet"
_EVERYTHING: Final = "0.0.0.0/0"
_HALVES: Final = frozenset({"0.0.0.0/1", "128.0.0.0/1"})


class Learned(Struct, frozen=True):
    """reach: what may bring learned routes, for people; "" where nothing does. default: the gateway that has learned a

    default route, "" for none. missing: what must be read to know. networks: those whose gateways are in reach.
    """

    reach: str = ""
    default: str = ""
    missing: tuple[str, ...] = ()
    networks: tuple[facts.VirtualNetwork, ...] = ()


def learned(network: facts.VirtualNetwork, estate: Estate) -> Learned:
    """A network in, what gateways bring it out."""
    reach: list[str] = []
    missing: list[str] = []
    networks: list[facts.VirtualNetwork] = []
    if gateways(network):
        reach.append(f"{GATEWAY_SUBNET} is in use")
        networks.append(network)
    servers = network.subnet(_ROUTE_SERVERS)
    if servers is not None and servers.properties.ip_configurations:
        reach.append(f"{servers.name} is in use")
        missing.append(_unknowable(network))
    for peering in network.peerings:
        if peering.properties.use_remote_gateways:
            reach.append(f"peering {ids.name(peering.id)} uses remote gateways")
            remote = estate.find(peering.remote, facts.VirtualNetwork) if peering.remote else ABSENT
            if isinstance(remote, facts.VirtualNetwork):
                networks.append(remote)
            else:
                missing.append(peering.remote if remote is None else _unknowable(network))
        elif ids.name(peering.id).casefold().startswith(_HUB_PEERING):
            reach.append(f"peering {ids.name(peering.id)} connects a virtual hub")
            missing.append(_unknowable(network))
    if not reach:
        return Learned()
    default = ""
    for gateway in dict.fromkeys(one for there in networks for one in gateways(there)):
        if ids.kind(gateway) != ids.VIRTUAL_NETWORK_GATEWAY:
            missing.append(_unknowable(network))
            continue
        routes = estate.find(ids.learned_routes(gateway), facts.LearnedRoutes)
        if not isinstance(routes, facts.LearnedRoutes):
            missing.append(learned_routes(gateway))
        elif _has_default(routes):
            default = gateway
    return Learned(reach[0], default, tuple(dict.fromkeys(missing)), tuple(networks))


def gateways(network: facts.VirtualNetwork) -> tuple[str, ...]:
    """A network in, the ids of the gateways that live in it out."""
    home = network.subnet(GATEWAY_SUBNET)
    configurations = home.properties.ip_configurations or () if home else ()
    return tuple(dict.fromkeys(ids.parent(one.id) for one in configurations))


def _has_default(routes: facts.LearnedRoutes) -> bool:
    prefixes = {one.network for one in routes.value}
    return _EVERYTHING in prefixes or prefixes >= _HALVES


def _unknowable(network: facts.VirtualNetwork) -> str:
    """The name of what nobody can be asked for; it stays missing."""
    return f"learnedRoutes({ids.key(network.id)})"
