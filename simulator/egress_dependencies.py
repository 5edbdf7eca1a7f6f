"""What the nodes of a cluster have to reach: a call on `outboundNetworkDependenciesEndpoints` in, the list out."""

from simulator.calls import Call
from simulator.ids import CLUSTERS
from simulator.network import missing
from simulator.outbound_types import BLOCK, NONE, outbound_of
from simulator.wire import Body, Response, answer, members, text
from simulator.world import World

DEPENDENCIES = f"{CLUSTERS}/outboundnetworkdependenciesendpoints"
# The categories of a documented answer, each host with its port and protocol.
_ENDPOINTS: dict[str, tuple[tuple[str, int, str], ...]] = {
    "azure-resource-management": (
        ("management.azure.com", 443, "Https"),
        ("login.microsoftonline.com", 443, "Https"),
    ),
    "images": (("mcr.microsoft.com", 443, "Https"), ("*.data.mcr.microsoft.com", 443, "Https")),
    "artifacts": (
        ("packages.microsoft.com", 443, "Https"),
        ("acs-mirror.azureedge.net", 443, "Https"),
        ("packages.aks.azure.com", 443, "Https"),
    ),
    "time-sync": (("ntp.ubuntu.com", 123, "UDP"),),
    "ubuntu-optional": (
        ("security.ubuntu.com", 80, "Http"),
        ("azure.archive.ubuntu.com", 80, "Http"),
        ("changelogs.ubuntu.com", 80, "Http"),
    ),
}


def dependencies(world: World, call: Call) -> Response:
    """A cluster in, by category the hosts that its nodes have to reach out; its API server is the last."""
    above = call.address.parent
    cluster = world.store.get(above.key) if above is not None else None
    if above is None or cluster is None:
        raise missing(world.store, above or call.address)
    properties = members(cluster.content.get("properties"))
    server = text(properties.get("fqdn")) or text(properties.get("privateFQDN"))
    shown = {} if outbound_of(members(properties.get("networkProfile"))) in (NONE, BLOCK) else dict(_ENDPOINTS)
    shown["apiserver"] = ((server, 443, "Https"),)
    return answer(200, {"value": [_category(name, hosts) for name, hosts in shown.items()]})


def _category(name: str, hosts: tuple[tuple[str, int, str], ...]) -> Body:
    endpoints = [
        {"domainName": host, "endpointDetails": [{"port": port, "protocol": protocol}]}
        for host, port, protocol in hosts
    ]
    return {"category": name, "endpoints": endpoints}
