"""What a run remembers to have named: whose events wake it again."""

from typing import Any

from governor.core import account, ids
from governor.core.cause import VirtualNetwork
from tests.core.world import estate, nat, nat_id, peering, subnet, vnet, vnet_id

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
