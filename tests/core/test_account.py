"""What a run remembers to have named: whose events wake it again; and what became of steps of a run that died."""

from typing import Any

import pytest

from governor.core import account, ids
from governor.core.cause import VirtualNetwork
from governor.core.peering import DeletePeering, Flags, WritePeering
from governor.core.routing import DeleteRoute, RouteTo, WritePropagation, WriteRoute
from governor.core.step import CreateNatGateway, DeleteNatGateway, Step
from tests.core.world import AT, REGION, estate, nat, nat_id, peering, route, subnet, table, table_id, vnet, vnet_id

GATEWAY = f"{vnet_id().partition('/virtualNetworks')[0]}/virtualNetworkGateways/vpn"
SPOKE = VirtualNetwork(vnet_id())


def to(remote: str) -> Any:
    return {"remoteVirtualNetwork": {"id": vnet_id(remote)}}


def named(scope: VirtualNetwork, *bodies: dict[str, object], absent: tuple[str, ...] = ()) -> set[str]:
    found = account.named(scope, estate(*bodies, absent=absent))
    assert list(found) == sorted(found)
    return set(found)


def test_what_was_read_or_looked_for_is_named() -> None:
    seen = named(SPOKE, vnet(subnet()), nat(), absent=(nat_id("gone"),))
    assert seen == {ids.key(one) for one in (vnet_id(), nat_id(), nat_id("gone"))}


def test_peerings_of_other_networks_that_lead_here_are_named() -> None:
    hub = vnet(
        name="hub",
        virtualNetworkPeerings=[
            peering("spoke", "hub", **to("SPOKE")),
            peering("other", "hub", **to("other")),
            peering("broken", "hub"),
        ],
    )
    own = vnet(subnet(), virtualNetworkPeerings=[peering("hub", **to("hub"))])
    leading = f"{vnet_id('hub')}/virtualNetworkPeerings/spoke"
    assert named(SPOKE, own, hub) == {ids.key(one) for one in (vnet_id(), vnet_id("hub"), leading)}
    # The hub's own run names the side of the spoke, if it has read the spoke.
    back = f"{vnet_id()}/virtualNetworkPeerings/hub"
    assert ids.key(back) in named(VirtualNetwork(vnet_id("hub")), own, hub)


def test_with_what_a_gateway_learned_the_gateway_is_named() -> None:
    learned: dict[str, object] = {"id": ids.learned_routes(GATEWAY), "value": []}
    assert named(SPOKE, vnet(subnet()), learned) == {ids.key(vnet_id()), ids.key(GATEWAY)}


NOW = RouteTo("to-0.0.0.0-0", "0.0.0.0/0", "VirtualAppliance", "10.1.0.4")
OTHER = RouteTo("to-0.0.0.0-0", "0.0.0.0/0", "Internet")
ROUTE, SIDE = f"{table_id()}/routes/to-0.0.0.0-0", f"{vnet_id()}/virtualNetworkPeerings/hub"
BEHIND = {"peeringSyncLevel": "LocalNotInSync"}
HOLDS, NOT = "it holds now", "it does not hold now"


def holding() -> tuple[dict[str, Any], ...]:
    peerings = [peering("hub", **to("hub"), allowForwardedTraffic=True, **BEHIND)]
    return vnet(subnet(), virtualNetworkPeerings=peerings), table("rt", route(NOW.prefix, NOW.hop, NOW.address)), nat()


@pytest.mark.parametrize(
    ("step", "here", "gone"),
    [
        (WriteRoute(ROUTE, NOW), HOLDS, NOT),
        (WriteRoute(ROUTE.upper(), NOW), HOLDS, NOT),
        (WriteRoute(ROUTE, OTHER), NOT, NOT),
        (WriteRoute(f"{table_id()}/routes/new", NOW), NOT, NOT),
        (DeleteRoute(ROUTE, NOW), NOT, HOLDS),
        (DeleteRoute(f"{table_id()}/routes/new", NOW), HOLDS, HOLDS),
        (WritePropagation(table_id(), disabled=False, was=True), HOLDS, NOT),
        (WritePropagation(table_id(), disabled=True, was=False), NOT, NOT),
        (WritePeering(SIDE, vnet_id("hub"), Flags(allow_forwarded_traffic=True)), HOLDS, NOT),
        (WritePeering(SIDE, vnet_id("hub"), Flags(allow_forwarded_traffic=False)), NOT, NOT),
        (WritePeering(SIDE, vnet_id("hub"), Flags(), sync=True), NOT, NOT),
        (WritePeering(f"{SIDE}-new", vnet_id("hub"), Flags()), NOT, NOT),
        (DeletePeering(SIDE, vnet_id("hub")), NOT, HOLDS),
        (DeletePeering(f"{SIDE}-new", vnet_id("hub")), HOLDS, HOLDS),
        (CreateNatGateway(nat_id(), REGION, "Standard"), HOLDS, NOT),
        (DeleteNatGateway(nat_id()), NOT, HOLDS),
    ],
    ids=str,
)
def test_what_became_of_a_step_of_a_run_that_died(step: Step, here: str, gone: str) -> None:
    seen = (
        estate(*holding()),
        estate(absent=(vnet_id(), table_id(), nat_id())),
        estate(),
    )
    unread = "whether it holds was not read"
    assert [account.interrupted(step, "d", AT, one).detail for one in seen] == [here, gone, unread]
