"""Replies to on-premises go the way that the requests came."""

from typing import Any

import pytest

from governor.core.plan import Gate
from governor.core.policy import NamedRoute
from tests.core.hub_world import AROUND, FW_CONFIG, GROUP_MADE, HOP, Run, hub_policy, run, side, spoke
from tests.core.world import Body, network, refs, route, space, subnet, table, vnet

VPN = network("virtualNetworkGateways", "vpn")


def with_gateway(*gateway_routes: Body, **hub: Any) -> Run:
    """A spoke that uses the VPN gateway of its hub, whose GatewaySubnet has a table with these routes."""
    gateways = subnet(
        "GatewaySubnet",
        "hub",
        addressPrefix="10.1.1.0/27",
        ipConfigurations=refs(f"{VPN}/ipConfigurations/default"),
        routeTable=network("routeTables", "rt-gateway") if gateway_routes else None,
    )
    firewalls = subnet("AzureFirewallSubnet", "hub", addressPrefix="10.1.0.0/26", ipConfigurations=refs(FW_CONFIG))
    theirs = side("hub", "spoke", allowGatewayTransit=True)
    there = vnet(firewalls, gateways, name="hub", addressSpace=space("10.1.0.0/16"), virtualNetworkPeerings=[theirs])
    here = spoke(subnet("app"), peerings=(side("spoke", "hub", useRemoteGateways=True),))
    tables = (table("rt-gateway", *gateway_routes),) if gateway_routes else ()
    return run(here, there, *AROUND, GROUP_MADE, *tables, policy=hub_policy(**hub))


BACK = route("10.2.0.0/16", "VirtualAppliance", HOP)
ON_PREMISES: list[dict[str, Any]] = [
    {"disable_bgp_route_propagation": True},
    {"routes": (NamedRoute("10.0.0.0/8", "hub"),)},
]


@pytest.mark.parametrize("hub", ON_PREMISES, ids=["no propagation", "private routes"])
def test_replies_to_on_premises_need_the_same_way_there(hub: dict[str, Any]) -> None:
    for routes in ((), (route("10.3.0.0/16", "VirtualAppliance", HOP),)):
        first = with_gateway(*routes, **hub)
        assert first.plan.remediations == ()
        gate, text = first.why()
        assert gate is Gate.HUB
        assert text.endswith("of GatewaySubnet in hub: 10.2.0.0/16 -> 10.1.0.4")
    assert "WriteSubnet" in with_gateway(BACK, **hub).steps


def test_a_default_route_alone_changes_nothing_for_on_premises() -> None:
    assert "WriteSubnet" in with_gateway().steps
