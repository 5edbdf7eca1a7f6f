"""Kubenet: the routes that lead to each node's pods, in a table of the node group or in the subnet's own."""

from ipaddress import ip_network
from itertools import islice

from simulator.node_group import NodeGroup
from simulator.node_pools import scale_set_of
from simulator.ranges import parsed
from simulator.references import CONFIGURATIONS
from simulator.special_subnets import prefixes_of
from simulator.wire import Body, elements, members, text


def write_routes(nodes: NodeGroup, pools: dict[str, Body], subnet_id: str) -> None:
    """Pools by name and AKS's own subnet in; each node has its route, and each subnet of a pool a table."""
    if nodes.network.get("networkPlugin") != "kubenet":
        return
    hosts: dict[str, list[tuple[str, str]]] = {}
    for name, pool in pools.items():
        machines = scale_set_of(nodes, name).rpartition("/")[2]
        subnet = text(pool.get("vnetSubnetID")) or subnet_id
        count = pool.get("count", 0)
        names = [f"{machines}{number:06}" for number in range(count if isinstance(count, int) else 0)]
        hosts.setdefault(_table_of(nodes, subnet), []).extend((subnet, node) for node in names)
    for table, wanted in hosts.items():
        _write_table(nodes, table, wanted)


def leave_tables(nodes: NodeGroup, pools: dict[str, Body]) -> None:
    """A cluster that goes leaves no routes in somebody's own table, and its table no subnet that stays."""
    own_table = nodes.named("routeTables", f"aks-agentpool-{nodes.suffix}-routetable")
    for subnet in {text(pool.get("vnetSubnetID")) for pool in pools.values()} - {""}:
        table = _known_table(nodes, subnet)
        if table.casefold() == own_table.casefold():
            nodes.change(subnet, routeTable=None)
        elif table and nodes.network.get("networkPlugin") == "kubenet":
            _write_table(nodes, table, [])


def _table_of(nodes: NodeGroup, subnet_id: str) -> str:
    """A subnet in, the id of its route table out; it gets the node group's when it has none."""
    known = _known_table(nodes, subnet_id)
    if known:
        return known
    table = nodes.named("routeTables", f"aks-agentpool-{nodes.suffix}-routetable")
    nodes.write(table, {"tags": nodes.tags, "properties": {}})
    nodes.change(subnet_id, routeTable={"id": table})
    return table


def _known_table(nodes: NodeGroup, subnet_id: str) -> str:
    subnet = members((nodes.content(subnet_id) or {}).get("properties"))
    return text(members(subnet.get("routeTable")).get("id"))


def _write_table(nodes: NodeGroup, table: str, hosts: list[tuple[str, str]]) -> None:
    """The nodes of a table, each with its subnet, in; it has their routes, and none of nodes that are gone."""
    store = nodes.world.store
    known = {
        route.name: members(route.content.get("properties")) for route in store.listed(f"{table}/routes".casefold())
    }
    ours = {name: route for name, route in known.items() if _is_ours(nodes, name)}
    by_node = {name.partition("____")[0]: route for name, route in ours.items()}
    ranges = {text(route.get("addressPrefix")) for route in ours.values()}
    hops = {text(route.get("nextHopIpAddress")) for route in known.values()}
    wanted: dict[str, Body] = {}
    for subnet, node in hosts:
        route = by_node.get(node)
        if route is None:
            pods, hop = _free_range(text(nodes.network.get("podCidr")), ranges), _free_address(nodes, subnet, hops)
            if not pods or not hop:  # a node that has no room has no pods
                continue
            route = {"addressPrefix": pods, "nextHopType": "VirtualAppliance", "nextHopIpAddress": hop}
        ranges.add(text(route.get("addressPrefix")))
        hops.add(text(route.get("nextHopIpAddress")))
        digits = "".join(char for char in text(route.get("addressPrefix")) if char.isdigit())
        wanted[f"{node}____{digits}"] = route
    changed = False
    for name in ours.keys() - wanted.keys():
        nodes.remove(f"{table}/routes/{name}", told=False)
        changed = True
    for name, route in wanted.items():
        changed |= nodes.write(f"{table}/routes/{name}", {"properties": route}, told=False)
    if changed:
        nodes.tell_written(table, updated=True)


def _is_ours(nodes: NodeGroup, name: str) -> bool:
    """Whether a route is of a node of this cluster: it bears the name of one of its scale sets."""
    return any(name.startswith(f"{machines}") for machines in _scale_sets(nodes))


def _scale_sets(nodes: NodeGroup) -> list[str]:
    return [known.name for known in nodes.listed("microsoft.compute/virtualmachinescalesets")]


def _free_range(pods: str, taken: set[str]) -> str:
    """The range of all pods in, the first /24 of it that no node has out; empty when there is none."""
    ranges = ip_network(pods, strict=False).subnets(new_prefix=24)
    return next((str(one) for one in ranges if str(one) not in taken), "")


def _free_address(nodes: NodeGroup, subnet_id: str, taken: set[str]) -> str:
    """A subnet in, the first address of it that no interface and no other node has out; empty when it is full."""
    store = nodes.world.store
    used = set(taken)
    for holder in store.referrers(subnet_id.casefold(), "subnet"):
        owner = store.get(store.owner(holder) or "")
        for element in elements(members((owner.content if owner else {}).get("properties")).get(CONFIGURATIONS[0])):
            used.add(text(members(element.get("properties")).get("privateIPAddress")))
    ranges = [prefix for prefix in prefixes_of(nodes.content(subnet_id) or {}) if parsed(prefix) is not None]
    hosts = (str(host) for prefix in ranges for host in islice(ip_network(prefix, strict=False).hosts(), 3, None))
    return next((host for host in hosts if host not in used), "")
