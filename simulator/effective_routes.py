"""POST effectiveRouteTable: a call on an interface in, 202 out; its Location tells the routes of the interface.

They come from what there is: the ranges of the own network and of its peers, what gateways have learned, endpoints, and
the route table of the subnet. A NAT gateway is no route and is never seen here.
"""

from collections.abc import Iterator

from simulator import errors
from simulator.actions import asked_of, promised
from simulator.calls import Call
from simulator.endpoint_routes import private_endpoints, service_endpoints
from simulator.ids import PUBLIC_IP, VIRTUAL_GATEWAY, parent_key
from simulator.learned_routes import learned
from simulator.peerings import back_of, remote_of, space_of, state_of
from simulator.ranges import parsed
from simulator.references import CONFIGURATIONS
from simulator.route_choice import Route, decide, shown
from simulator.store import Store, Stored
from simulator.wire import Response, elements, members, text
from simulator.world import World

RESERVED = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
"""Where nothing leads by itself (RFC 1918 and 6598), unless the network or a peer of it has the range."""


def effective_routes(world: World, call: Call) -> Response:
    """The call on `.../networkInterfaces/{name}/effectiveRouteTable` in, its answer out."""
    interface = asked_of(world, call)
    if not _runs(world.store, interface):
        raise errors.bad(
            "NicMustBeAttachedToRunningVmToGetEffectiveRoutes",
            "A network interface must be attached to a running virtual machine to get effective routes. The network "
            f"interface {interface.id} is not attached to a running virtual machine.",
        )
    subnet = _subnet_of(world.store, interface)
    table = _table_of(world.store, subnet)
    learns = not _says(table, "disableBgpRoutePropagation", True)
    routes = [shown(route, learns=learns) for route in routes_of(world.store, subnet, table)]
    return promised(world, call, interface, "effectiveRouteTable", {"value": routes})


def routes_of(store: Store, subnet: Stored, table: Stored | None) -> list[Route]:
    """A subnet with its route table in, all routes of what is in it out, those that lose by another's prefix marked."""
    network = store.get(parent_key(subnet.id.casefold()))
    if network is None:
        return []
    peerings = [] if _says(table, "disablePeeringRoute", "All") else list(_reaching(store, network))
    near = [*_local(network), *(route for peering in peerings for route in _peered(store, network, peering))]
    routes = [*near, *_defaults(network, near), *service_endpoints(subnet)]
    user = list(_user(store, table)) if table is not None else []
    networks = [network.id, *(remote_of(peering.content) for peering in peerings)]
    routes += private_endpoints(store, dict.fromkeys(name.casefold() for name in networks), user)
    if not _says(table, "disableBgpRoutePropagation", True):
        routes += _learned(store, network)
    routes += user
    decide(routes)
    return routes


def _says(table: Stored | None, name: str, value: str | bool) -> bool:
    """Whether there is a route table whose `name` is so; texts in any case."""
    said = members(table.content.get("properties")).get(name) if table is not None else None
    return said is value or (isinstance(said, str) and isinstance(value, str) and said.casefold() == value.casefold())


def _local(network: Stored) -> Iterator[Route]:
    for prefix in space_of(network.content)["addressPrefixes"]:
        yield Route("Default", prefix, "VnetLocal")


def _reaching(store: Store, network: Stored) -> Iterator[Stored]:
    """The connected peerings over which machines may reach each other."""
    for peering in _connected(store, network):
        if members(peering.content.get("properties")).get("allowVirtualNetworkAccess") is not False:
            yield peering


def _peered(store: Store, network: Stored, peering: Stored) -> Iterator[Route]:
    """The ranges that a connected peering knows of the other side: one that is out of sync knows the old ones."""
    remote = store.get(remote_of(peering.content).casefold())
    known = members(members(peering.content.get("properties")).get("remoteAddressSpace")).get("addressPrefixes")
    if known is None and remote is not None:
        known = space_of(remote.content)["addressPrefixes"]
    far = remote is not None and remote.content.get("location") != network.content.get("location")
    for prefix in known or ():
        yield Route("Default", prefix, "VNetGlobalPeering" if far else "VNetPeering")


def _defaults(network: Stored, near: list[Route]) -> Iterator[Route]:
    """What every subnet has: the way to the internet, and nowhere for reserved ranges that nobody near has."""
    yield Route("Default", "0.0.0.0/0", "Internet")
    own = [found for route in near if (found := parsed(route.prefix)) is not None]
    if any(found.version == 6 for found in own):
        yield Route("Default", "::/0", "Internet")
    for prefix in RESERVED:
        reserved = parsed(prefix)
        if reserved is not None and not any(reserved.lies_in(found) for found in own):
            yield Route("Default", prefix, "None")


def _learned(store: Store, network: Stored) -> Iterator[Route]:
    """What the own gateways have learned, and those of a peer whose gateways may be used."""
    yield from _learned_in(store, network.id.casefold())
    for peering in _connected(store, network):
        remote_key = remote_of(peering.content).casefold()
        if members(peering.content.get("properties")).get("useRemoteGateways") is True and _lets_through(
            store, remote_key, network
        ):
            yield from _learned_in(store, remote_key)


def _lets_through(store: Store, remote_key: str, network: Stored) -> bool:
    for peering in store.listed(f"{remote_key}/virtualnetworkpeerings"):
        if remote_of(peering.content).casefold() == network.id.casefold():
            return members(peering.content.get("properties")).get("allowGatewayTransit") is True
    return False


def _learned_in(store: Store, network_key: str) -> Iterator[Route]:
    said: set[tuple[str, tuple[str, ...]]] = set()
    for holder in store.referrers(f"{network_key}/subnets/gatewaysubnet", "subnet"):
        gateway = store.get(store.owner(holder) or "")
        if gateway is None or gateway.type.lower() != VIRTUAL_GATEWAY or gateway.state != "Succeeded":
            continue
        address = _address_of(store, gateway)
        for told in learned(gateway):
            route = (text(told.get("network")), (address,) if address else ())
            if route not in said:
                said.add(route)
                yield Route("VirtualNetworkGateway", route[0], "VirtualNetworkGateway", route[1])


def _address_of(store: Store, gateway: Stored) -> str:
    """A gateway's public address; the one it speaks BGP from when it has none."""
    properties = members(gateway.content.get("properties"))
    for element in elements(properties.get("ipConfigurations")):
        link = members(members(element.get("properties")).get("publicIPAddress"))
        found = store.get(text(link.get("id")).casefold())
        if found is not None and found.type.lower() == PUBLIC_IP:
            return text(members(found.content.get("properties")).get("ipAddress"))
    return text(members(properties.get("bgpSettings")).get("bgpPeeringAddress"))


def _user(store: Store, table: Stored) -> Iterator[Route]:
    for route in store.listed(f"{table.id.casefold()}/routes"):
        properties = members(route.content.get("properties"))
        address = text(properties.get("nextHopIpAddress"))
        prefix, hop = text(properties.get("addressPrefix")), text(properties.get("nextHopType"))
        yield Route("User", prefix, hop, (address,) if address else (), route.name)


def _connected(store: Store, network: Stored) -> list[Stored]:
    """The peerings of a network that lead somewhere; one whose state no estate told is judged by its other side."""
    found = []
    for peering in store.listed(f"{network.id.casefold()}/virtualnetworkpeerings"):
        told = state_of(peering)
        if told == "Connected" or (not told and back_of(store, peering.id.casefold(), peering.content) is not None):
            found.append(peering)
    return found


def _subnet_of(store: Store, interface: Stored) -> Stored:
    """The subnet of an interface's first configuration; an interface always has one."""
    properties = members(interface.content.get("properties"))
    for array in CONFIGURATIONS:
        for element in elements(properties.get(array)):
            link = members(members(element.get("properties")).get("subnet"))
            found = store.get(text(link.get("id")).casefold())
            if found is not None:
                return found
    raise errors.bad("SubnetNotSpecified", f"Network interface {interface.id} lies in no subnet.")


def _table_of(store: Store, subnet: Stored) -> Stored | None:
    link = members(members(subnet.content.get("properties")).get("routeTable"))
    return store.get(text(link.get("id")).casefold())


def _runs(store: Store, interface: Stored) -> bool:
    """Whether a machine holds the interface, and nothing in its body says that it does not run."""
    for holder in store.referrers(interface.id.casefold(), "networkInterfaces"):
        machine = store.get(holder)
        view = members(members(machine.content.get("properties")).get("instanceView")) if machine is not None else {}
        codes = [text(status.get("code")).lower() for status in elements(view.get("statuses"))]
        power = [code for code in codes if code.startswith("powerstate/")]
        return all(code == "powerstate/running" for code in power)
    return False
