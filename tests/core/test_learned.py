"""What gateways in reach have learned, and what it does to a way out."""

from typing import Any

import pytest

from governor.core import ids
from governor.core.egress import trace
from governor.core.estate import learned_routes
from governor.core.learned import gateways
from governor.core.path import Method, describe
from tests.core.world import (
    Body,
    address,
    address_id,
    estate,
    nat,
    nat_id,
    network,
    peering,
    refs,
    subnet,
    vnet,
    vnet_id,
)

GATEWAY = network("virtualNetworkGateways", "vpn")


def in_use() -> Body:
    return subnet("GatewaySubnet", ipConfigurations=refs(f"{GATEWAY}/ipConfigurations/default"))


HUB = vnet(in_use(), name="hub")
NAT = (nat("ng", address_id()), address())
APP = subnet("app", natGateway=nat_id())


def test_what_lives_in_a_gateway_subnet_is_named_once_whatever_the_case_of_its_name() -> None:
    configurations = refs(f"{GATEWAY}/ipConfigurations/a", f"{GATEWAY}/ipConfigurations/b")
    for name in ("GatewaySubnet", "GATEWAYSUBNET"):
        (found,) = estate(vnet(subnet(name, ipConfigurations=configurations))).networks
        assert gateways(found) == (GATEWAY,)
    for without in (vnet(subnet("app", ipConfigurations=configurations)), vnet(subnet("GatewaySubnet"))):
        (found,) = estate(without).networks
        assert gateways(found) == ()


def told(*prefixes: str) -> Body:
    kind = "Microsoft.Network/virtualNetworkGateways/learnedRoutes"
    return {"id": ids.learned_routes(GATEWAY), "type": kind, "value": [{"network": one} for one in prefixes]}


def own(*more: Body) -> Any:
    return estate(vnet(APP, in_use()), *NAT, *more)


def by_peering(*more: Body) -> Any:
    uses = peering(useRemoteGateways=True, remoteVirtualNetwork={"id": vnet_id("hub")})
    return estate(vnet(APP, virtualNetworkPeerings=[uses]), *NAT, *more)


def path(seen: Any) -> Any:
    spoke = next(one for one in seen.networks if one.name == "spoke")
    return trace(next(one for one in spoke.properties.subnets if one.name == "app"), spoke, seen)


@pytest.mark.parametrize("prefixes", [("0.0.0.0/0",), ("0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/8")])
def test_a_learned_default_route_beats_the_gateway_of_the_subnet(prefixes: tuple[str, ...]) -> None:
    for seen in (own(told(*prefixes)), by_peering(HUB, told(*prefixes))):
        found = path(seen)
        assert [way.method for way in found.ways] == [Method.GATEWAY]
        assert describe(found) == "route to vpn"


def test_a_gateway_that_has_learned_no_default_changes_nothing() -> None:
    for seen in (own(told("10.0.0.0/8", "0.0.0.0/1")), by_peering(HUB, told())):
        assert [way.method for way in path(seen).ways] == [Method.NAT_GATEWAY]


def test_a_gateway_that_was_not_asked_leaves_it_unknown() -> None:
    assert path(own()).missing == (learned_routes(GATEWAY),)
    assert path(by_peering(HUB)).missing == (learned_routes(GATEWAY),)


def test_a_network_whose_gateways_are_used_is_read_first() -> None:
    assert path(by_peering()).missing == (vnet_id("hub"),)


def test_an_estate_that_was_listed_whole_still_does_not_know_what_was_learned() -> None:
    """Files hold no learned routes, whatever else they hold."""
    assert path(own()).ways == ()
