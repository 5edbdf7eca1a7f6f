"""The small Azure of this folder with a hub beside it: its peerings, a route table with a route of somebody else."""

from typing import Any

import msgspec

from governor.core import ids
from governor.core.peering import DeletePeering, Flags, WritePeering
from governor.core.routing import (
    APPLIANCE,
    EVERYTHING,
    INTERNET,
    CreateRouteTable,
    DeleteRoute,
    RouteTo,
    WritePropagation,
    WriteRoute,
)
from governor.core.step import Step
from simulator.arm import bearer
from simulator.wire import Request
from tests.cloud.world import ESTATE, SUBSCRIPTION, VNET, Azure

HUB = ids.network(SUBSCRIPTION, "rg", "virtualNetworks", "hub")
OTHER = ids.network(SUBSCRIPTION, "rg", "virtualNetworks", "other")
TABLE = ids.network(SUBSCRIPTION, "rg", "routeTables", "rt")
NEW_TABLE = ids.network(SUBSCRIPTION, "rg", "routeTables", "rt-new")
GATEWAY = ids.network(SUBSCRIPTION, "rg", "virtualNetworkGateways", "vpn")
TO_HUB = f"{VNET}/virtualNetworkPeerings/to-hub"
TO_SPOKE = f"{HUB}/virtualNetworkPeerings/to-spoke"
TO_OTHER = f"{HUB}/virtualNetworkPeerings/to-other"
OF_OTHER = f"{OTHER}/virtualNetworkPeerings/to-hub"
THEIRS = RouteTo("theirs", "10.9.0.0/16", INTERNET)
OLD = RouteTo("old", "10.8.0.0/16", APPLIANCE, "10.1.0.4")
DEFAULT = RouteTo("default", EVERYTHING, APPLIANCE, "10.1.0.4")
OPEN = Flags(allow_virtual_network_access=True, allow_forwarded_traffic=True)
CLOSED = Flags(allow_virtual_network_access=True, allow_forwarded_traffic=False)


def route_of(to: RouteTo) -> dict[str, Any]:
    """A route in, its body as somebody sends it out."""
    hop = {"nextHopIpAddress": to.address} if to.address else {}
    return {"name": to.name, "properties": {"addressPrefix": to.prefix, "nextHopType": to.hop, **hop}}


def peering(name: str, remote: str, **properties: Any) -> dict[str, Any]:
    flags = {"allowVirtualNetworkAccess": True, "allowForwardedTraffic": False, **properties}
    return {"name": name, "properties": {"remoteVirtualNetwork": {"id": remote}, **flags}}


def network(resource_id: str, prefix: str, *subnets: dict[str, Any], **peerings: str) -> dict[str, Any]:
    return {
        "id": resource_id,
        "type": "Microsoft.Network/virtualNetworks",
        "name": ids.name(resource_id),
        "location": "westeurope",
        "properties": {
            "addressSpace": {"addressPrefixes": [prefix]},
            "subnets": list(subnets),
            "virtualNetworkPeerings": [peering(name.replace("_", "-"), remote) for name, remote in peerings.items()],
        },
    }


def with_hub(**options: Any) -> Azure:
    """An Azure in which `hub` and `other` are peered, and `spoke` is peered with nobody."""
    gateway_subnet = {"name": "GatewaySubnet", "properties": {"addressPrefix": "10.1.255.0/27"}}
    configuration = {"name": "default", "properties": {"subnet": {"id": f"{HUB}/subnets/GatewaySubnet"}}}
    told = {"network": EVERYTHING, "nextHop": "10.99.0.1", "origin": "EBgp"}
    estate = [
        *ESTATE,
        network(HUB, "10.1.0.0/16", gateway_subnet, to_other=OTHER),
        network(OTHER, "10.2.0.0/16", to_hub=HUB),
        {
            "id": TABLE,
            "type": "Microsoft.Network/routeTables",
            "name": "rt",
            "location": "westeurope",
            "tags": {"kept": "yes"},
            "properties": {
                "disableBgpRoutePropagation": False,
                "fromTheFuture": {"deep": [1]},
                "routes": [route_of(THEIRS), route_of(OLD)],
            },
        },
        {
            "id": GATEWAY,
            "type": "Microsoft.Network/virtualNetworkGateways",
            "name": "vpn",
            "location": "westeurope",
            "properties": {"gatewayType": "Vpn", "ipConfigurations": [configuration]},
            "simulator": {"learnedRoutes": [told]},
        },
    ]
    return Azure(estate=estate, **options)


# What the tests do with each step: a step on `with_hub`, in a state in which it is to be done.
STEPS: dict[str, Step] = {
    "new route": WriteRoute(f"{TABLE}/routes/default", DEFAULT),
    "changed route": WriteRoute(f"{TABLE}/routes/old", RouteTo("old", OLD.prefix, INTERNET), OLD),
    "route taken out": DeleteRoute(f"{TABLE}/routes/old", OLD),
    "propagation": WritePropagation(TABLE, disabled=True, was=False),
    "new table": CreateRouteTable(NEW_TABLE, "westeurope", {"by": "governor"}, (DEFAULT, THEIRS)),
    "new peering": WritePeering(TO_SPOKE, VNET, OPEN),
    "changed peering": WritePeering(TO_OTHER, OTHER, OPEN, CLOSED),
    "peering taken away": DeletePeering(TO_OTHER, OTHER),
}
DELETES = (DeleteRoute, DeletePeering)


def put(azure: Azure, resource_id: str, body: dict[str, Any]) -> None:
    """Somebody else writes something; it must be accepted."""
    target = f"{resource_id}?api-version=2026-03-01"
    written = azure.arm.handle(Request("PUT", target, bearer(), msgspec.json.encode(body)))
    assert written.status in (200, 201), written.body


def remove(azure: Azure, resource_id: str) -> None:
    """Somebody else deletes something."""
    gone = azure.arm.handle(Request("DELETE", f"{resource_id}?api-version=2026-03-01", bearer()))
    assert gone.status == 202, gone.body
