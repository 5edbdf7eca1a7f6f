"""A resource of a file in, the subnets that have to do with it out: by who names whom, in either direction."""

import re
from typing import Final

from governor.commands.errors import CommandError
from governor.commands.estate_file import EstateFile
from governor.core import ids
from governor.core.cluster import Cluster
from governor.core.estate import decode
from governor.core.nodes import node_group

_IDS: Final = re.compile(rb'"(/subscriptions/[^"]+)"')
# A public address -> the load balancer that holds it -> the machines behind it -> their subnets.
_STEPS: Final = 3
Touched = dict[str, frozenset[str] | None]


def subnets_of(resource_id: str, file: EstateFile) -> Touched:
    """An id and its file in; by key of a network, the keys of its subnets that are touched (None: all of them), out."""
    key, kind = ids.key(resource_id), ids.kind(resource_id)
    network = _network(key)
    if network and (network not in file.bodies or network in file.bare):
        raise CommandError(f"{file.path}: {_hollow(file, network)}{ids.name(network)}")
    if kind == ids.VIRTUAL_NETWORK:
        return {network: None}
    if network:
        subnet = "/".join(key.split("/")[: len(network.split("/")) + 2])
        if not _names(file, network, subnet):
            raise CommandError(f"{file.path}: virtual network {ids.name(network)} holds no subnet {ids.name(subnet)}")
        return {network: frozenset({subnet})}
    if key not in file.bodies:
        raise CommandError(f"{file.path}: it does not hold {resource_id}")
    if kind == ids.CLUSTER and (made := _made_for(key, file)):
        return dict.fromkeys(made)
    touched: dict[str, set[str]] = {}
    for subnet in _touched(key, file):
        if _network(subnet) in file.networks:
            touched.setdefault(_network(subnet), set()).add(subnet)
    return {network: frozenset(subnets) for network, subnets in sorted(touched.items())}


def _made_for(key: str, file: EstateFile) -> list[str]:
    """The networks that Azure made for a cluster: those in the group of its nodes."""
    cluster = decode(file.bodies[key])
    group = node_group(cluster) if isinstance(cluster, Cluster) and cluster.has_managed_network else ""
    return [network for network in file.networks if group and ids.key(ids.group_of(network)) == group]


def _touched(start: str, file: EstateFile) -> set[str]:
    """Walks from a resource to whatever it names or is named by; ends at subnets."""
    named = {key: _named(bytes(body), file) for key, body in file.bodies.items()}
    naming: dict[str, set[str]] = {}
    for key, targets in named.items():
        for target in targets:
            naming.setdefault(target, set()).add(key)
    seen, edge, subnets = {start}, {start}, set[str]()
    for _ in range(_STEPS):
        reached = {other for key in edge for other in (*named.get(key, ()), *naming.get(key, ()))} - seen
        subnets |= {one for one in reached if ids.kind(one) == ids.SUBNET}
        # A network names everything in it; a walk through one would end everywhere.
        edge = {one for one in reached if one in file.bodies and ids.kind(one) != ids.VIRTUAL_NETWORK}
        for network in (one for one in reached if ids.kind(one) == ids.VIRTUAL_NETWORK):
            subnets |= _subnets_naming(network, seen, file)
        seen |= reached
    return subnets


def _named(body: bytes, file: EstateFile) -> set[str]:
    """Resources of the file, and subnets, that a body names; a child stands for the resource that holds it."""
    found: set[str] = set()
    for match in _IDS.findall(body):
        key = ids.key(match.decode())
        parts = key.split("/")
        if "/virtualnetworks/" in key:
            found.add("/".join(parts[:11] if "/subnets/" in key else parts[:9]))
        else:
            found.add("/".join(parts[:9]))
    return found


def _subnets_naming(network: str, keys: set[str], file: EstateFile) -> set[str]:
    """Subnets of a network whose own part of its body names one of these resources."""
    import msgspec

    body = msgspec.json.decode(file.bodies[network]) if network in file.bodies else {}
    return {
        ids.key(subnet["id"])
        for subnet in (body.get("properties") or {}).get("subnets") or ()
        if "id" in subnet and _named(msgspec.json.encode(subnet), file) & keys
    }


def _names(file: EstateFile, network: str, subnet: str) -> bool:
    return f'"{subnet}"'.encode() in bytes(file.bodies[network]).lower()


def _network(key: str) -> str:
    """The key of the network that a resource is, or lies in; "" for what lies in none."""
    parts = key.split("/")
    is_in = len(parts) >= 9 and parts[6:8] == ["microsoft.network", "virtualnetworks"]
    return "/".join(parts[:9]) if is_in else ""


def _hollow(file: EstateFile, network: str) -> str:
    if network in file.bare:
        return "it holds no properties (`az resource list` leaves them out) of virtual network "
    return "it does not hold virtual network "
