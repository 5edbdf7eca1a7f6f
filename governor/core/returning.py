"""The way back from on-premises: a network that shall send its replies to the hub in, what its gateways lack out.

Where a network no longer takes learned routes, or sends private prefixes to the firewall, its replies to on-premises go
through the firewall; the requests must come the same way, or the firewall drops them (safety.md 5). The routes for that
belong into the table of the GatewaySubnet, which the governor never writes.
"""

from governor.core import facts, ids, ranges
from governor.core.estate import Estate
from governor.core.hub_verdict import Spoke, route_of
from governor.core.learned import GATEWAY_SUBNET, learned
from governor.core.plan import Gate, Reason
from governor.core.routing import APPLIANCE, CreateRouteTable, RouteTo, WritePropagation, WriteRoute
from governor.core.tables import TableWork


def returning(spoke: Spoke, work: TableWork, estate: Estate) -> tuple[str, ...] | Reason | None:
    """A network and what is done about its table in; ids to read first, why it must wait, or None, out."""
    if not _changes_replies(work):
        return None
    by_gateways = learned(spoke.network, estate)
    gateways = list(by_gateways.networks)
    hub = estate.find(spoke.hub.network, facts.VirtualNetwork)
    if spoke.wanted.gateway_transit == "use" and isinstance(hub, facts.VirtualNetwork):
        gateways.append(hub)
    for network in {ids.key(one.id): one for one in gateways}.values():
        home = network.subnet(GATEWAY_SUBNET)
        lacking = _lacking(home, spoke, estate) if home else ()
        if isinstance(lacking, str):
            return (lacking,)
        if home and lacking:
            return Reason(Gate.HUB, _told(lacking, home, network, spoke))
    return None


def _changes_replies(work: TableWork) -> bool:
    """Whether replies to on-premises would take another way: by routes to the firewall, or without learned ones."""
    made: tuple[CreateRouteTable | WriteRoute | WritePropagation, ...] = (
        *((work.create,) if work.create is not None else ()),
        *work.write,
    )
    for step in made:
        match step:
            case CreateRouteTable(disable_bgp_route_propagation=True) | WritePropagation(disabled=True):
                return True
            case CreateRouteTable(routes=routes):
                if any(_is_private(route) for route in routes):
                    return True
            case WriteRoute(to=to):
                if _is_private(to):
                    return True
            case WritePropagation():
                pass
    return False


def _is_private(route: RouteTo) -> bool:
    return route.hop == APPLIANCE and ranges.is_private(route.prefix)


def _lacking(subnet: facts.Subnet, spoke: Spoke, estate: Estate) -> tuple[str, ...] | str:
    """A GatewaySubnet in; the prefixes of the spoke that its table does not send to the hub, or what to read, out."""
    named = subnet.properties.route_table
    if named is None:
        return spoke.network.prefixes
    table = estate.find(named.id, facts.RouteTable)
    if not isinstance(table, facts.RouteTable):
        return named.id
    to_hub = tuple(
        route.prefix
        for route in map(route_of, table.properties.routes or ())
        if route.way == (APPLIANCE.casefold(), spoke.hub.next_hop)
    )
    return tuple(prefix for prefix in spoke.network.prefixes if not ranges.within(prefix, to_hub))


def _told(lacking: tuple[str, ...], subnet: facts.Subnet, network: facts.VirtualNetwork, spoke: Spoke) -> str:
    table = subnet.properties.route_table
    where = f"route table {ids.name(table.id)}" if table else "a route table (it has none)"
    lines = ", ".join(f"{prefix} -> {spoke.hub.next_hop}" for prefix in lacking)
    return (
        f"replies to on-premises would go to the firewall; add to {where} of GatewaySubnet in {network.name}: {lines}"
    )
