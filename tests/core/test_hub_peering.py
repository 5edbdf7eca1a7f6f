"""How a network is linked with its hub: what is wrong with a peering, and what mends it."""

import pytest

from governor.core import ids
from governor.core.plan import Gate, Plan
from governor.core.step import WritePeering
from governor.core.verdict import Result
from tests.core.hub_world import (
    AROUND,
    FW_CONFIG,
    GROUP_MADE,
    HUB,
    LINKED,
    OURS,
    THEIRS,
    hub_network,
    hub_policy,
    run,
    side,
    spoke,
)
from tests.core.world import Body, config_id, refs, space, subnet, vnet, vnet_id

PEERINGS = [
    ((), (), "not peered: neither spoke nor hub has a peering", 2),
    ((OURS,), (), "not peered: hub has no peering", 1),
    ((), (THEIRS,), "not peered: spoke has no peering", 1),
    ((side("spoke", "hub", allowForwardedTraffic=False),), (THEIRS,), "allowForwardedTraffic is false at spoke", 1),
    ((OURS,), (side("hub", "spoke", allowForwardedTraffic=False),), "allowForwardedTraffic is false at hub", 1),
    ((side("spoke", "hub", allowVirtualNetworkAccess=False),), (THEIRS,), "allowVirtualNetworkAccess is false", 1),
]


@pytest.mark.parametrize(("ours", "theirs", "seen", "writes"), PEERINGS, ids=[p[2] for p in PEERINGS])
def test_what_is_wrong_with_a_peering_is_mended_on_the_side_where_it_is_wrong(
    ours: tuple[Body, ...], theirs: tuple[Body, ...], seen: str, writes: int
) -> None:
    first = run(spoke(subnet("app"), peerings=ours), hub_network(*theirs), *AROUND, GROUP_MADE)
    verdict = first.verdicts["spoke", "hub-peering"]
    assert verdict.result is Result.VIOLATION
    assert seen in verdict.seen
    assert first.steps.count("WritePeering") == writes
    after = first.done()
    assert after.result("spoke", "hub-peering") is Result.COMPLIANT
    assert after.plan == Plan()


@pytest.mark.parametrize("left", ["spoke", "hub"])
def test_the_side_that_is_left_of_a_peering_is_written_before_the_other_is_made(left: str) -> None:
    """Azure makes no new side while the one that is left is Disconnected; any write makes it Initiated again."""
    ours = (side("spoke", "hub", peeringState="Disconnected"),) if left == "spoke" else ()
    theirs = (side("hub", "spoke", peeringState="Disconnected"),) if left == "hub" else ()
    first = run(spoke(subnet("app"), peerings=ours), hub_network(*theirs), *AROUND, GROUP_MADE)
    assert "Disconnected" in first.verdicts["spoke", "hub-peering"].seen
    written = [step.target for _, step in first.plan.steps if isinstance(step, WritePeering)]
    assert [ids.name(ids.parent(one)) for one in written] == [left, "hub" if left == "spoke" else "spoke"]
    after = first.done()
    assert after.result("spoke", "hub-peering") is Result.COMPLIANT
    assert after.plan == Plan()


def test_two_sides_that_do_not_find_each_other_are_left_to_people() -> None:
    gone = {"peeringState": "Disconnected"}
    here = spoke(subnet("app"), peerings=(side("spoke", "hub", **gone),))
    first = run(here, hub_network(side("hub", "spoke", **gone)), *AROUND, GROUP_MADE)
    assert first.plan.remediations == ()
    assert "delete both" in first.why("hub-peering")[1]
    assert first.why("subnet-egress")[0] is Gate.HUB


def test_a_policy_that_only_requires_the_peering_makes_none() -> None:
    first = run(spoke(subnet("app")), hub_network(), *AROUND, GROUP_MADE, policy=hub_policy(peering="require"))
    assert first.plan.remediations == ()
    assert "makes none" in first.why("hub-peering")[1]


def test_a_policy_that_ignores_peerings_judges_none_and_attaches() -> None:
    first = run(spoke(subnet("app")), hub_network(), *AROUND, GROUP_MADE, policy=hub_policy(peering="ignore"))
    assert first.result("spoke", "hub-peering") is Result.NOT_APPLICABLE
    assert first.steps == ["CreateRouteTable", "WriteSubnet"]


def test_overlapping_networks_are_withheld_before_azure_refuses() -> None:
    first = run(spoke(subnet("app"), addressSpace=space("10.1.128.0/20")), hub_network(), *AROUND, GROUP_MADE)
    assert first.plan.remediations == ()
    assert first.why("hub-peering")[0] is Gate.FORECAST
    assert "overlap" in first.why("hub-peering")[1]
    assert first.why()[0] is Gate.FORECAST


def test_a_network_that_overlaps_with_another_spoke_of_the_hub_is_withheld() -> None:
    other = spoke(name="other", peerings=(side("other", "hub"),))
    there = hub_network(side("hub", "other"))
    first = run(spoke(subnet("app")), other, there, *AROUND, GROUP_MADE)
    assert "overlaps with 10.2.0.0/16 of other" in first.why("hub-peering")[1]


@pytest.mark.parametrize(("transit", "flags"), [("use", (True, True)), ("never", (False, None))])
def test_gateway_transit_is_what_the_policy_says(transit: str, flags: tuple[bool, bool | None]) -> None:
    gateways = subnet("GatewaySubnet", "hub", addressPrefix="10.1.1.0/27", ipConfigurations=refs(config_id("gw")))
    firewalls = subnet("AzureFirewallSubnet", "hub", addressPrefix="10.1.0.0/26", ipConfigurations=refs(FW_CONFIG))
    there = vnet(
        firewalls,
        gateways,
        name="hub",
        addressSpace=space("10.1.0.0/16"),
        virtualNetworkPeerings=[side("hub", "spoke", allowGatewayTransit=transit == "never")],
    )
    here = spoke(subnet("app"), peerings=(side("spoke", "hub", useRemoteGateways=transit == "never"),))
    # While gateways are used that cannot be asked, nobody knows how the subnet leaves: it is attached one run later.
    first = run(here, there, *AROUND, GROUP_MADE, policy=hub_policy(gateway_transit=transit))
    after = first.done().done()
    (ours,) = after.azure.bodies[ids.key(vnet_id("spoke"))]["properties"]["virtualNetworkPeerings"]
    (theirs,) = after.azure.bodies[ids.key(HUB)]["properties"]["virtualNetworkPeerings"]
    assert ours["properties"]["useRemoteGateways"] is flags[0]
    assert flags[1] is None or theirs["properties"]["allowGatewayTransit"] is flags[1]
    assert after.plan == Plan()


def test_remote_gateways_that_are_not_there_are_not_used() -> None:
    first = run(spoke(subnet("app"), peerings=(OURS,)), *LINKED, policy=hub_policy(gateway_transit="use"))
    assert first.why("hub-peering")[0] is Gate.FORECAST
    assert "has no gateway" in first.why("hub-peering")[1]
