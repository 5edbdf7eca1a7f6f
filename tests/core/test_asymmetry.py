"""Who is reached from the internet loses his replies to a firewall: found before the route is attached."""

from typing import Any

import pytest

from governor.core.address_facts import ScaleSet
from governor.core.plan import Gate
from governor.core.policy import NamedRoute, PathKind
from governor.core.verdict import Result
from tests.core.hub_world import AROUND, GROUP_MADE, OURS, THEIRS, TO_HUB, Run, hub_network, hub_policy, spoke
from tests.core.world import (
    GROUP,
    REGION,
    SUB,
    Azure,
    Body,
    address,
    address_id,
    balancer,
    balancer_id,
    config_id,
    nat,
    nat_id,
    nic,
    pool_id,
    refs,
    subnet,
    table,
    table_id,
    vnet_id,
)

SCALE_SET = f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/vmss"
INSTANCE = f"{SCALE_SET}/virtualMachines/0/networkInterfaces/nic/ipConfigurations/c"
RULE = {"frontendIPConfiguration": {"id": f"{balancer_id()}/frontendIPConfigurations/fe"}}


def looked(*bodies: Body, lodger: str = "", unreadable: tuple[str, ...] = (), **wanted: Any) -> Run:
    app = subnet("app", ipConfigurations=refs(lodger or config_id()), defaultOutboundAccess=False)
    here = spoke(app, peerings=(OURS,))
    around = (hub_network(THEIRS), *AROUND, GROUP_MADE, *bodies)
    policy = hub_policy(**{"ready": "assumed", "default_outbound_access": "allow", **wanted})
    return Run(Azure(here, *around, unreadable=unreadable, only=vnet_id("spoke")), policy)


def public(*members: str, **rules: Any) -> Body:
    """A load balancer with a public frontend before some members."""
    made = balancer(public=address_id())
    made["properties"] |= {"loadBalancingRules": [], "outboundRules": [], **rules}
    made["properties"]["backendAddressPools"] = [
        {"id": pool_id(), "name": "pool", "properties": {"backendIPConfigurations": refs(*members)}}
    ]
    return made


HELD = address(ipConfiguration={"id": config_id()})
INBOUND = {"loadBalancingRules": [{"id": f"{balancer_id()}/loadBalancingRules/r", "properties": RULE}]}
NAT_POOL = {"inboundNatPools": [{"name": "p", "properties": RULE}]}
LET_IN: list[tuple[tuple[Body, ...], str, str]] = [
    ((nic(public=address_id()), HELD), "", "203.0.113.1 on nic"),
    ((nic("nic", pool_id()), address(), public(config_id(), **INBOUND)), "", "load balancer lb (203.0.113.1)"),
    ((nic("nic", pool_id()), address(), public(config_id(), **NAT_POOL)), "", "load balancer lb (203.0.113.1)"),
    ((address(), public(INSTANCE, **INBOUND)), INSTANCE, "load balancer lb (203.0.113.1)"),
]


@pytest.mark.parametrize(("bodies", "lodger", "by"), LET_IN)
def test_who_is_reached_is_named_and_not_sent_to_the_firewall(bodies: tuple[Body, ...], lodger: str, by: str) -> None:
    seen = looked(*bodies, lodger=lodger)
    one = seen.verdicts["app", "route-asymmetry"]
    told = f"reached from the internet by {by}: replies that leave by the hub are lost"
    assert (one.result, one.seen) == (Result.VIOLATION, told)
    assert "WriteSubnet" not in seen.steps
    gate, text = seen.why("route-asymmetry")
    assert gate is Gate.UNSUPPORTED
    assert text.startswith(told)
    assert text.endswith("this version publishes nothing")


def test_a_pool_of_addresses_reaches_whom_it_may_mean() -> None:
    made = public(**INBOUND)
    made["properties"]["backendAddressPools"][0]["properties"] = {"virtualNetwork": {"id": vnet_id("spoke")}}
    assert looked(nic(), address(), made).result("app", "route-asymmetry") is Result.VIOLATION


NOBODY_IN: list[tuple[Body, ...]] = [
    (nic(),),
    # Only out; or in to nowhere.
    (nic("nic", pool_id()), address(), public(config_id(), outboundRules=[{"id": "x", "properties": RULE}])),
    (nic("nic", pool_id()), address(), public(config_id())),
    # Somebody else's.
    (nic(), address("other", ipConfiguration={"id": config_id("other")})),
    (nic(), address(), public(config_id("other"), **INBOUND)),
]


@pytest.mark.parametrize("bodies", NOBODY_IN)
def test_who_is_not_reached_loses_nothing(bodies: tuple[Body, ...]) -> None:
    assert ("app", "route-asymmetry") not in looked(*bodies).verdicts


@pytest.mark.parametrize("what", ["publicIpAddresses", "loadBalancers"])
def test_who_may_be_reached_is_unknown_and_stays(what: str) -> None:
    seen = looked(nic(), unreadable=(f"{what}(/subscriptions/{SUB})",))
    one = seen.verdicts["app", "route-asymmetry"]
    assert (one.result, one.seen) == (Result.UNKNOWN, "who in it is reached from the internet: no permission")
    assert "WriteSubnet" not in seen.steps


def test_an_empty_subnet_is_not_asked_about() -> None:
    empty = Azure(spoke(subnet("app"), peerings=(OURS,)), hub_network(THEIRS), *AROUND, GROUP_MADE)
    run = Run(empty, hub_policy(nat_gateway_on_firewall="off"))
    assert ("app", "route-asymmetry") not in run.verdicts
    assert not [name for name in empty.asked if name.startswith(("publicIpAddresses", "loadBalancers"))]


def test_who_leaves_otherwise_as_the_policy_allows_keeps_his_replies() -> None:
    app = subnet("app", ipConfigurations=refs(config_id()), natGateway=nat_id(), defaultOutboundAccess=False)
    around = (nat("ng", address_id("pip-ng")), address("pip-ng", "20.0.0.7"), nic(public=address_id()), HELD, *AROUND)
    azure = Azure(spoke(app, peerings=(OURS,)), hub_network(THEIRS), *around, only=vnet_id("spoke"))
    seen = Run(azure, hub_policy(allow=(PathKind.HUB, PathKind.NAT_GATEWAY)))
    assert seen.result("app", "subnet-egress") is Result.COMPLIANT
    assert ("app", "route-asymmetry") not in seen.verdicts


def test_what_a_table_lacks_besides_is_written_although_replies_are_lost_already() -> None:
    made = public(**INBOUND)
    made["properties"]["backendAddressPools"][0]["properties"] = {"virtualNetwork": {"id": vnet_id("spoke")}}
    app = subnet("app", ipConfigurations=refs(config_id()), routeTable=table_id(), defaultOutboundAccess=False)
    around = (table("rt", TO_HUB), nic(), address(), made, hub_network(THEIRS), *AROUND, GROUP_MADE)
    wanted = hub_policy(ready="assumed", routes=(NamedRoute("10.77.0.0/16", "hub"),))
    seen = Run(Azure(spoke(app, peerings=(OURS,)), *around, only=vnet_id("spoke")), wanted)
    assert seen.result("app", "route-asymmetry") is Result.VIOLATION
    assert seen.steps == ["WriteRoute"]


def test_a_scale_set_whose_model_gives_addresses_is_reached() -> None:
    inner = {"publicIPAddressConfiguration": {"name": "pub"}}
    configurations = [{"name": "c", "properties": inner}]
    profile = {"networkInterfaceConfigurations": [{"name": "n", "properties": {"ipConfigurations": configurations}}]}
    model = {
        "id": SCALE_SET,
        "type": "Microsoft.Compute/virtualMachineScaleSets",
        "location": REGION,
        "properties": {"virtualMachineProfile": {"networkProfile": profile}},
    }
    seen = looked(model, lodger=INSTANCE)
    assert isinstance(seen.seen.find(SCALE_SET, ScaleSet), ScaleSet)
    assert "the public addresses on instances of vmss" in seen.verdicts["app", "route-asymmetry"].seen
