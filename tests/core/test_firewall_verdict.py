"""The addresses that a hub's firewall leaves from: one way out for all spokes, and ports enough for those behind it."""

from datetime import date
from typing import Any

import pytest

from governor.core.plan import Gate
from governor.core.policy import Exemption, Requirement
from governor.core.verdict import Result
from tests.core.hub_world import (
    AROUND,
    FW,
    HOP,
    HUB,
    OURS,
    THEIRS,
    Run,
    hub_network,
    hub_policy,
    run,
    spoke,
    the_firewall,
)
from tests.core.world import (
    REGION,
    Azure,
    Body,
    address,
    address_id,
    balancer_id,
    config_id,
    group,
    nat,
    nat_id,
    network,
    refs,
    subnet,
    subscription,
    vnet_id,
)

NAT, PORTS = "hub-firewall-nat", "snat-capacity"
INSTANCE = f"{network('x', 'y').partition('/providers/')[0]}/providers/Microsoft.Compute/virtualMachineScaleSets/s"


def machines(number: int) -> Body:
    """A subnet with so many machines, and what is none."""
    found = [config_id(f"vm{n}") for n in range(number - 1)]
    found.append(f"{INSTANCE}/virtualMachines/0/networkInterfaces/nic/ipConfigurations/c")
    found.append(f"{balancer_id('lb')}/frontendIPConfigurations/fe")
    return subnet("app", ipConfigurations=refs(*found))


def hub_with(gateway: bool) -> tuple[Body, ...]:
    body = hub_network(THEIRS)
    if gateway:
        body["properties"]["subnets"][0]["properties"]["natGateway"] = {"id": nat_id("ng-hub")}
    return (body, nat("ng-hub", address_id("pip-nat")), address("pip-nat", "20.0.0.9"))


def looked(*subnets: Body, gateway: bool = False, **wanted: Any) -> Run:
    return run(
        spoke(*subnets, peerings=(OURS,)), *hub_with(gateway), *AROUND, policy=hub_policy(keep_inbound=True, **wanted)
    )


def test_a_firewall_without_nat_gateway_is_told_with_the_addresses_it_leaves_from() -> None:
    seen = looked(subnet("app"))
    one = seen.verdicts["spoke", NAT]
    assert (one.result, one.addresses) == (Result.VIOLATION, ("20.0.0.1",))
    # To audit is to say it: nobody is asked for anything.
    assert not [w for w in seen.plan.withheld if NAT in w.remediation.requirements]
    gate, text = looked(subnet("app"), nat_gateway_on_firewall="propose").why(NAT)
    assert gate is Gate.UNSUPPORTED
    assert "put a NAT gateway on AzureFirewallSubnet of hub by hand" in text


def test_with_one_it_is_the_address_of_all_spokes() -> None:
    one = looked(subnet("app"), gateway=True, nat_gateway_on_firewall="propose").verdicts["spoke", NAT]
    assert (one.result, one.addresses) == (Result.COMPLIANT, ("20.0.0.9",))


def test_a_policy_may_look_away() -> None:
    assert ("spoke", NAT) not in looked(subnet("app"), nat_gateway_on_firewall="off").verdicts


@pytest.mark.parametrize("unread", [FW, HUB, nat_id("ng-hub")])
def test_what_was_not_read_is_unknown(unread: str) -> None:
    bodies = (spoke(subnet("app"), peerings=(OURS,)), *hub_with(gateway=True), *AROUND)
    seen = Run(Azure(*bodies, unreadable=[unread], only=vnet_id("spoke")), hub_policy())
    one = seen.verdicts["spoke", NAT]
    assert (one.result, one.seen.endswith("no permission")) == (Result.UNKNOWN, True)
    assert ("spoke", PORTS) not in seen.verdicts


def test_an_appliance_is_no_firewall() -> None:
    wanted = {"next_hop": {REGION: HOP}, "firewall": {}}
    nva = hub_network(THEIRS)
    nva["properties"]["subnets"][0]["properties"]["ipConfigurations"] = refs(config_id("nva"))
    seen = run(spoke(subnet("app"), peerings=(OURS,)), nva, group(), subscription(), policy=hub_policy(**wanted))
    assert not {NAT, PORTS} & {requirement for _, requirement in seen.verdicts}


def test_a_firewall_is_known_by_its_address_too() -> None:
    by_address = hub_policy(next_hop={REGION: HOP}, firewall={})
    seen = run(spoke(machines(2), peerings=(OURS,)), *hub_with(gateway=False), *AROUND, policy=by_address)
    assert seen.result("spoke", NAT) is Result.VIOLATION
    assert seen.result("spoke", PORTS) is Result.COMPLIANT


@pytest.mark.parametrize(("number", "result"), [(1, Result.COMPLIANT), (78, Result.COMPLIANT), (79, Result.VIOLATION)])
def test_each_machine_has_ports_enough(number: int, result: Result) -> None:
    # 2 instances x 2,496 ports = 4,992; 64 for each of 78 machines.
    one = looked(machines(number)).verdicts["spoke", PORTS]
    assert one.result is result
    assert one.seen.endswith(f"{4992 // number:,} for each of {number} machines here")


def test_more_addresses_or_a_nat_gateway_are_enough() -> None:
    firewall = the_firewall()
    firewall["properties"]["ipConfigurations"].append(
        {
            "id": f"{FW}/azureFirewallIpConfigurations/d",
            "name": "d",
            "properties": {"publicIPAddress": {"id": address_id("second")}},
        }
    )
    around = (firewall, address("second"), *AROUND[1:])
    seen = run(spoke(machines(79), peerings=(OURS,)), *hub_with(gateway=False), *around)
    assert seen.result("spoke", PORTS) is Result.COMPLIANT
    assert ("spoke", PORTS) not in looked(machines(79), gateway=True).verdicts


def test_too_few_ports_can_be_exempted() -> None:
    given = Exemption(vnet_id("spoke"), Requirement.SNAT_CAPACITY, "team", "they talk to each other", date(2030, 1, 1))
    seen = looked(machines(79), exemptions=(given,))
    assert seen.result("spoke", PORTS) is Result.EXEMPT
    assert not [w for w in seen.plan.withheld if PORTS in w.remediation.requirements]
