"""What a route table may hold and where it may be attached: tables and subnets as they would be in, nothing out."""

import re
from ipaddress import ip_address

from simulator import errors
from simulator.ids import name_of
from simulator.ranges import parsed
from simulator.store import Store
from simulator.wire import Body, members, text

MOST_ROUTES = 400
HOPS = ("virtualnetworkgateway", "vnetlocal", "internet", "virtualappliance", "none")
SERVICE_TAG = re.compile(r"^[A-Za-z][A-Za-z0-9.]*$")
DEFAULT_ROUTES = ("0.0.0.0/0", "::/0")


def check_routes(store: Store, table_id: str, routes: dict[str, Body], written: frozenset[str]) -> None:
    """The routes a table would have, by their ids, in; those `written` are well formed, none is said twice."""
    if len(routes) > MOST_ROUTES:
        raise errors.bad(
            "RouteTableRouteLimitExceeded",
            f"Route table {table_id} would have {len(routes)} routes, more than {MOST_ROUTES}.",
        )
    said: dict[str, str] = {}
    for route_id, route in routes.items():
        if route_id.casefold() in written:
            _check_route(route_id, route)
        prefix = _prefix(route)
        other = said.setdefault(prefix.casefold(), route_id)
        if other != route_id and not written.isdisjoint((route_id.casefold(), other.casefold())):
            raise errors.bad(
                "RouteConflict",
                f"Route {route_id} has the address prefix {prefix} of route {other} in the same route table.",
            )
    gateways = [
        subnet
        for key, subnet in store.referrers(table_id.casefold(), "routeTable").items()
        if name_of(key) == "gatewaysubnet"
    ]
    leads_away = any(_prefix(route) in DEFAULT_ROUTES and key.casefold() in written for key, route in routes.items())
    if gateways and leads_away:
        raise _default_route_at_gateway(table_id, gateways[0])


def check_attached(store: Store, subnet_id: str, content: Body, before: Body | None) -> None:
    """A subnet as it would be in; refused when it newly gets a route table that its kind does not take."""
    table_id = _table_of(content)
    if not table_id or table_id.casefold() == _table_of(before or {}).casefold():
        return
    match name_of(subnet_id).casefold():
        case "azurebastionsubnet":
            raise errors.bad(
                "RouteTableCannotBeAttachedForAzureBastionSubnet",
                f"Route Table {name_of(table_id)} cannot be attached to Azure Bastion Subnet {name_of(subnet_id)}.",
            )
        case "routeserversubnet":
            raise errors.bad(
                "RouteTableCannotBeAttachedForRouteServerSubnet",
                f"Route Table {name_of(table_id)} cannot be attached to Route Server Subnet {name_of(subnet_id)}.",
            )
        case "gatewaysubnet" if leads_everything(store, table_id):
            raise _default_route_at_gateway(table_id, subnet_id)
        case _:
            return


def leads_everything(store: Store, table_id: str) -> bool:
    """Whether a route table has a route for every address."""
    routes = store.listed(f"{table_id.casefold()}/routes")
    return any(_prefix(route.content) in DEFAULT_ROUTES for route in routes)


def _check_route(route_id: str, route: Body) -> None:
    properties = members(route.get("properties"))
    prefix, hop = _prefix(route), text(properties.get("nextHopType"))
    address = properties.get("nextHopIpAddress")
    found = parsed(prefix)
    versions = (4, 6) if found is None else (found.version,)  # a service tag stands for both
    if found is None and not SERVICE_TAG.match(prefix):
        raise errors.bad(
            "InvalidAddressPrefixFormat", f"Address prefix {prefix} of resource {route_id} is not formatted correctly."
        )
    if hop.lower() == "virtualapplianceecmp":
        raise errors.not_modelled("routes with the next hop VirtualApplianceEcmp")
    if hop.lower() not in HOPS:
        raise errors.bad("InvalidRouteNextHopType", f"Next hop type '{hop}' of route {route_id} is not valid.")
    if hop.lower() != "virtualappliance":
        if address:
            raise errors.bad(
                "NextHopIpAddressNotAllowed",
                f"NextHopIpAddress cannot be set in route {route_id} when NextHopType is {hop}.",
            )
    elif not address:
        raise errors.bad(
            "NextHopIpAddressRequired",
            f"NextHopIpAddress cannot be Null or Empty in route {route_id} when NextHopType is VirtualAppliance.",
        )
    elif _version(text(address)) not in versions:
        raise errors.bad("InvalidNextHopIpAddress", f"NextHopIpAddress {address} of route {route_id} is not valid.")


def _version(address: str) -> int:
    """An address in, the version of IP it is of out; 0 for what is none."""
    try:
        return ip_address(address).version
    except ValueError:
        return 0


def _default_route_at_gateway(table_id: str, subnet_id: str) -> errors.ArmError:
    return errors.bad(
        "GatewaySubnetCannotHaveDefaultRoute",
        f"Route Table {table_id} with a route for 0.0.0.0/0 cannot be attached to gateway subnet {subnet_id}.",
    )


def _prefix(route: Body) -> str:
    return text(members(route.get("properties")).get("addressPrefix"))


def _table_of(subnet: Body) -> str:
    return text(members(members(subnet.get("properties")).get("routeTable")).get("id"))
