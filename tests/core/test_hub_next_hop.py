"""The next hop of a hub must be somebody's address, who can send on what he gets."""

from typing import Any

import pytest

from governor.core.plan import Gate
from governor.core.verdict import Result
from tests.core.hub_world import (
    AROUND,
    FW,
    GROUP_MADE,
    HOP,
    HUB,
    LINKED,
    OURS,
    THEIRS,
    Run,
    hub_network,
    hub_policy,
    run,
    side,
    spoke,
    the_firewall,
)
from tests.core.world import (
    REGION,
    Azure,
    Body,
    balancer,
    balancer_id,
    config_id,
    group,
    nic,
    refs,
    route,
    space,
    subnet,
    table,
    table_id,
    vnet,
)


def appliance_hub(*holders: str) -> Body:
    nva = subnet("nva", "hub", addressPrefix="10.1.2.0/24", ipConfigurations=refs(*holders))
    return vnet(nva, name="hub", addressSpace=space("10.1.0.0/16"), virtualNetworkPeerings=[THEIRS])


def appliance(private: str, machine: str | None = "vm", **properties: Any) -> Body:
    one = nic("nva", machine=machine, **properties)
    one["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] = private
    return one


FRONTEND = f"{balancer_id('lb')}/frontendIPConfigurations/fe"


def internal_balancer(*members: str) -> Body:
    one = balancer("lb")
    one["properties"]["frontendIPConfigurations"][0]["properties"] = {"privateIPAddress": "10.1.2.9"}
    one["properties"]["backendAddressPools"][0]["properties"] = {"backendIPConfigurations": refs(*members)}
    return one


NEXT_HOPS: list[tuple[str, tuple[Body, ...], Result, str]] = [
    (
        "10.1.2.4",
        (appliance_hub(config_id("nva")), appliance("10.1.2.4", enableIPForwarding=True)),
        Result.COMPLIANT,
        "10.1.2.4 is appliance vm",
    ),
    (
        "10.1.2.4",
        (appliance_hub(config_id("nva")), appliance("10.1.2.4")),
        Result.VIOLATION,
        "network interface nva does not forward (enableIPForwarding)",
    ),
    (
        "10.1.2.5",
        (appliance_hub(config_id("nva")), appliance("10.1.2.4", enableIPForwarding=True)),
        Result.VIOLATION,
        "10.1.2.5 is nobody's address in hub",
    ),
    ("10.9.0.4", (appliance_hub(),), Result.VIOLATION, "10.9.0.4 is nobody's address in hub"),
    (
        "10.1.2.9",
        (appliance_hub(FRONTEND), internal_balancer(config_id("nva")), appliance("10.1.2.4", enableIPForwarding=True)),
        Result.COMPLIANT,
        "10.1.2.9 is appliances behind load balancer lb",
    ),
    (
        "10.1.2.9",
        (appliance_hub(FRONTEND), internal_balancer()),
        Result.VIOLATION,
        "load balancer lb has nobody behind it",
    ),
    (
        "10.1.2.9",
        (appliance_hub(FRONTEND), internal_balancer(config_id("nva")), appliance("10.1.2.4")),
        Result.VIOLATION,
        "nva behind load balancer lb does not forward",
    ),
]


@pytest.mark.parametrize(("hop", "bodies", "result", "seen"), NEXT_HOPS, ids=[n[3] for n in NEXT_HOPS])
def test_a_next_hop_must_be_somebodys_address(hop: str, bodies: tuple[Body, ...], result: Result, seen: str) -> None:
    policy = hub_policy(next_hop={REGION: hop}, firewall={})
    first = run(spoke(subnet("app"), peerings=(OURS,)), *bodies, GROUP_MADE, policy=policy)
    verdict = first.verdicts["spoke", "hub-next-hop"]
    assert (verdict.result, verdict.seen) == (result, seen)
    if result is Result.COMPLIANT:
        assert first.steps == ["CreateRouteTable", "WriteSubnet"]
    else:
        assert first.plan.remediations == ()
        assert first.why()[0] is Gate.HUB
        assert first.why("hub-next-hop") == (Gate.HUB, f"to be mended in the hub, or in the policy: {seen}")


def test_a_firewall_that_is_not_succeeded_lets_nobody_in() -> None:
    there = (hub_network(THEIRS), the_firewall(provisioningState="Updating"), GROUP_MADE)
    first = run(spoke(subnet("app"), peerings=(OURS,)), *there)
    verdict = first.verdicts["spoke", "hub-next-hop"]
    assert (verdict.result, verdict.waits) == (Result.UNKNOWN, True)
    (reason,) = first.held().reasons
    assert (reason.gate, reason.after) == (Gate.HUB, 60.0)


def test_where_the_appliance_lives_no_route_leads_to_itself() -> None:
    own = vnet(
        subnet("nva", "spoke-hub", addressPrefix="10.1.2.0/24", ipConfigurations=refs(config_id("nva"))),
        name="spoke-hub",
        addressSpace=space("10.1.0.0/16"),
    )
    policy = hub_policy(next_hop={REGION: "10.1.2.4"}, firewall={}, hub_virtual_network={}, ready="assumed")
    first = run(own, appliance("10.1.2.4", enableIPForwarding=True), GROUP_MADE, group(), policy=policy)
    assert first.plan.remediations == ()
    assert first.why() == (Gate.HUB, "the next hop 10.1.2.4 lives in it: its own traffic would come back to it")


def test_a_literal_that_is_not_the_firewalls_is_a_violation() -> None:
    policy = hub_policy(next_hop={REGION: "10.1.0.9"})
    first = run(spoke(subnet("app"), peerings=(OURS,)), *LINKED, GROUP_MADE, policy=policy)
    assert first.verdicts["spoke", "hub-next-hop"].seen == "10.1.0.9 is not the address of firewall fw"


def test_a_region_without_a_hub_is_withheld() -> None:
    policy = hub_policy(firewall={"northeurope": FW}, hub_virtual_network={"northeurope": HUB})
    first = run(spoke(subnet("app")), hub_network(), *AROUND, policy=policy)
    assert first.plan.remediations == ()
    assert "names no hub for region westeurope" in first.why()[1]


def test_a_hub_that_cannot_be_read_makes_everything_unknown() -> None:
    azure = Azure(spoke(subnet("app")), hub_network(), *AROUND, unreadable=(HUB,))
    first = Run(azure)
    assert first.result("spoke", "hub-peering") is Result.UNKNOWN
    assert first.result("spoke", "hub-next-hop") is Result.UNKNOWN
    assert first.plan.remediations == ()


def test_the_hub_is_found_by_who_has_the_next_hop() -> None:
    ours = side("spoke", "hub", remoteAddressSpace=space("10.1.0.0/16"))
    policy = hub_policy(next_hop={REGION: HOP}, firewall={}, hub_virtual_network={})
    first = run(spoke(subnet("app"), peerings=(ours,)), *LINKED, GROUP_MADE, policy=policy)
    assert first.result("spoke", "hub-next-hop") is Result.COMPLIANT
    assert "WriteSubnet" in first.steps


def hub_with_table(*routes: Body) -> tuple[Body, ...]:
    """A hub whose firewall's subnet has a table of its own."""
    firewalls = subnet("AzureFirewallSubnet", "hub", addressPrefix="10.1.0.0/26", routeTable=table_id("rt-fw"))
    there = vnet(firewalls, name="hub", addressSpace=space("10.1.0.0/16"), virtualNetworkPeerings=[THEIRS])
    return there, table("rt-fw", *routes)


NO_WAY_ON: list[tuple[str, tuple[Body, ...]]] = [
    ("firewall fw is in hub-b, not in hub", (hub_network(THEIRS), the_firewall(home="hub-b"))),
    ("firewall fw has no public address", (hub_network(THEIRS), the_firewall(public=None))),
    (
        "firewall fw has no way out: its own subnet routes to None",
        (*hub_with_table(route("0.0.0.0/0", "None")), the_firewall()),
    ),
]


@pytest.mark.parametrize(("seen", "bodies"), NO_WAY_ON, ids=[n[0] for n in NO_WAY_ON])
def test_a_firewall_that_cannot_send_on_lets_nobody_in(seen: str, bodies: tuple[Body, ...]) -> None:
    first = run(spoke(subnet("app"), peerings=(OURS,)), *bodies, *AROUND[1:], GROUP_MADE)
    assert first.verdicts["spoke", "hub-next-hop"].seen == seen
    assert first.plan.remediations == ()


def test_a_firewall_that_is_sent_on_itself_leaves_from_addresses_that_nobody_knows() -> None:
    bodies = hub_with_table(route("0.0.0.0/0", "VirtualNetworkGateway"))
    first = run(spoke(subnet("app"), peerings=(OURS,)), *bodies, the_firewall(), *AROUND[1:], GROUP_MADE)
    assert first.result("spoke", "hub-next-hop") is Result.COMPLIANT
    assert first.plan.remediations[-1].new_addresses == ()


@pytest.mark.parametrize(
    ("machine", "private", "seen"),
    [
        (None, False, "network interface nva is no machine's"),
        ("vm", True, "hub/nva, where 10.1.2.4 lives, has no way out"),
    ],
)
def test_an_appliance_that_cannot_send_on_lets_nobody_in(machine: str | None, private: bool, seen: str) -> None:
    there = appliance_hub(config_id("nva"))
    there["properties"]["subnets"][0]["properties"]["defaultOutboundAccess"] = not private
    nva = appliance("10.1.2.4", enableIPForwarding=True, machine=machine)
    policy = hub_policy(next_hop={REGION: "10.1.2.4"}, firewall={})
    first = run(spoke(subnet("app"), peerings=(OURS,)), there, nva, GROUP_MADE, policy=policy)
    assert first.verdicts["spoke", "hub-next-hop"].seen == seen
    assert first.plan.remediations == ()


def test_no_peering_is_made_with_a_hub_that_leads_nowhere() -> None:
    first = run(spoke(subnet("app")), hub_network(), the_firewall(public=None), GROUP_MADE)
    assert first.plan.remediations == ()
    assert "would serve nobody" in first.why("hub-peering")[1]
