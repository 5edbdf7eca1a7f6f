"""A World with a hub in it: a network with a firewall, perhaps in another subscription and region, and spokes.

world = with_hub(tmp_path, policy())
world.put_now(vnet("spoke-1"), spoke(1))
await world.quiet()
assert leaves_by_hub(world, 1)
"""

from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from governor.core import ids
from governor.core.policy import Approvals, Egress, HubPolicy, NamedRoute, Policy, Select
from tests.scenarios.world import REGION, SUB, World, egress_group, nat_policy, vnet, vnet_body

OTHER_SUB: Final = "00000000-0000-0000-0000-00000000000b"
HOP: Final = "10.0.0.4"
SLOW: Final = {
    f"microsoft.network/{kind}": seconds
    for kind, seconds in (
        ("virtualnetworks", 8.0),
        ("virtualnetworks/subnets", 8.0),
        ("virtualnetworks/virtualnetworkpeerings", 6.0),
        ("routetables", 5.0),
        ("routetables/routes", 4.0),
    )
}
_SUBSCRIBED: Final = {
    "properties": {
        "destination": {
            "endpointType": "WebHook",
            "properties": {"endpointUrl": "http://127.0.0.1:7071/runtime/webhooks/eventgrid"},
        },
        "eventDeliverySchema": "EventGridSchema",
    }
}


class Place(Struct, frozen=True):
    """Where a hub is."""

    subscription: str = SUB
    region: str = REGION

    @property
    def group(self) -> str:
        return f"/subscriptions/{self.subscription}/resourceGroups/rg-net"

    @property
    def network(self) -> str:
        return f"{self.group}/providers/Microsoft.Network/virtualNetworks/hub"

    @property
    def firewall(self) -> str:
        return f"{self.group}/providers/Microsoft.Network/azureFirewalls/fw"

    @property
    def address(self) -> str:
        return f"{self.group}/providers/Microsoft.Network/publicIPAddresses/pip-fw"


HERE: Final = Place()
AWAY: Final = Place(OTHER_SUB, "northeurope")


def policy(hub: Place = HERE, **changes: Any) -> Policy:
    """Every spoke-* leaves by the hub's firewall; what is given belongs to the hub, the egress or the policy."""

    def of(struct: type[Struct]) -> dict[str, Any]:
        return {name: value for name, value in changes.items() if name in struct.__struct_fields__}

    wanted: dict[str, Any] = {
        "hub_virtual_network": {REGION: hub.network},
        "firewall": {REGION: hub.firewall},
        "routes": (NamedRoute("10.0.0.0/8", "hub"), NamedRoute("AzureKeyManagement", "internet")),
        **of(HubPolicy),
    }
    egress: dict[str, Any] = {"default_outbound_access": "allow", **of(Egress)}
    given: dict[str, Any] = {
        "name": "hub",
        "select": Select(virtual_networks=("spoke-*",)),
        "approvals": Approvals(needed=()),
        **of(Policy),
    }
    return nat_policy(**given, egress=Egress(hub=HubPolicy(**wanted), **egress))


def with_hub(folder: Path, *policies: Policy, hub: Place = HERE, made: type[World] = World, **options: Any) -> World:
    """A World with a hub that has been there for days."""
    world = made(folder, *(policies or (policy(hub),)), **{"durations": SLOW, **options})
    add_hub(world, hub)
    return world


def add_hub(world: World, hub: Place = HERE) -> None:
    """A hub is built, long ago; of its subscription, too, events go out."""
    if hub.subscription != SUB:
        above = f"/subscriptions/{hub.subscription}"
        world.arm.load([{"id": above, "type": "Microsoft.Resources/subscriptions"}])
        world.put_now(hub.group, {"location": hub.region}, "2024-11-01")
        told = f"{above}/providers/Microsoft.EventGrid/eventSubscriptions/governor"
        world.put_now(told, _SUBSCRIBED, "2025-02-15")
    place = {"location": hub.region}
    network = vnet_body(("AzureFirewallSubnet", "10.0.0.0/26"), space="10.0.0.0/16") | place
    world.put_now(hub.network, network)
    world.clock.advance(600)
    static = {"publicIPAllocationMethod": "Static"}
    world.put_now(hub.address, place | {"sku": {"name": "Standard"}, "properties": static})
    world.clock.advance(600)
    subnet_id = f"{hub.network}/subnets/AzureFirewallSubnet"
    inside = {"subnet": {"id": subnet_id}, "publicIPAddress": {"id": hub.address}}
    sku = {"name": "AZFW_VNet", "tier": "Standard"}
    world.put_now(
        hub.firewall, place | {"properties": {"sku": sku, "ipConfigurations": [{"name": "c", "properties": inside}]}}
    )
    world.clock.advance(3 * 24 * 3600)
    world.arm.take_events()


def spoke(number: int, *names: str, **properties: Any) -> dict[str, Any]:
    """A number and names of subnets in (`app` where none are given), the body of a spoke out."""
    prefixes = [(name, f"10.{number}.{third}.0/24") for third, name in enumerate(names or ("app",), 1)]
    body = vnet_body(*prefixes, space=f"10.{number}.0.0/16")
    for one in body["properties"]["subnets"]:
        one["properties"] |= properties
    return body


def table(number: int) -> str:
    return f"{egress_group()}/providers/Microsoft.Network/routeTables/rt-spoke-{number}"


def route(name: str, prefix: str, hop: str, address: str = "") -> dict[str, Any]:
    """A route as somebody writes it."""
    where = {"nextHopIpAddress": address} if address else {}
    return {"name": name, "properties": {"addressPrefix": prefix, "nextHopType": hop, **where}}


def hops(world: World, table_id: str) -> dict[str, str]:
    """By prefix, where the routes of a table lead."""
    return {
        one["properties"]["addressPrefix"]: one["properties"].get("nextHopIpAddress")
        or one["properties"]["nextHopType"]
        for one in world.get(table_id)["properties"].get("routes") or ()
    }


def wanted_hops(world: World, hub: Place = HERE) -> dict[str, str]:
    """What `policy` wants of every table."""
    reply = world.get(hub.address)["properties"]["ipAddress"]
    return {"0.0.0.0/0": HOP, "10.0.0.0/8": HOP, "AzureKeyManagement": "Internet", f"{reply}/32": "Internet"}


def sides(world: World, number: int, hub: Place = HERE) -> list[tuple[str, str, bool]]:
    """Of both sides of a spoke's peering with the hub, state, how far in sync, and whether forwarded traffic enters."""
    ends = ((hub.network, vnet(f"spoke-{number}")), (vnet(f"spoke-{number}"), hub.network))
    return [
        (p["peeringState"], p["peeringSyncLevel"], p["allowForwardedTraffic"])
        for here, there in ends
        for p in (one["properties"] for one in world.get(here)["properties"].get("virtualNetworkPeerings") or ())
        if ids.same(p["remoteVirtualNetwork"]["id"], there)
    ]


def side_id(world: World, of: str, to: str) -> str:
    """Two networks in, the id of the first one's peering with the second out."""
    (found,) = (
        str(one["id"])
        for one in world.get(of)["properties"]["virtualNetworkPeerings"]
        if ids.same(one["properties"]["remoteVirtualNetwork"]["id"], to)
    )
    return found


def tables(world: World, number: int) -> dict[str, str | None]:
    """By name of a subnet, the id of its route table."""
    found = world.get(vnet(f"spoke-{number}"))["properties"]["subnets"]
    return {one["name"]: (one["properties"].get("routeTable") or {}).get("id") for one in found}


def linked(world: World, number: int, hub: Place = HERE) -> bool:
    return sides(world, number, hub) == [("Connected", "FullyInSync", True)] * 2


def leaves_by_hub(world: World, number: int, hub: Place = HERE) -> bool:
    """Whether a spoke is linked and each of its subnets has the network's own table, with every route in it."""
    found = tables(world, number)
    attached = bool(found) and all(ids.same(one or "", table(number)) for one in found.values())
    wanted = wanted_hops(world, hub).items()
    return linked(world, number, hub) and attached and wanted <= hops(world, table(number)).items()
