"""Seed C: a private cluster without any public address, and the precedence of the ways out."""

from pathlib import Path

from governor.core import ids
from governor.core.plan import Gate
from governor.core.policy import Approvals, Egress, IsolatedPolicy, Mode, PathKind, PublicIps
from governor.core.proof import Word
from governor.core.verdict import Result
from tests.scenarios.hub_world import route
from tests.scenarios.seed_world import (
    FOUND,
    WEB,
    By,
    address,
    balancer,
    behind,
    explained,
    found,
    last,
    machine,
    proven,
    settled,
    undo,
    verdict,
    why,
)
from tests.scenarios.world import REGION, World, nat_policy, network, subnet, vnet, vnet_body

APP = subnet("spoke-1", "app")
EGRESS = "subnet-egress"


@FOUND
async def test_seed_c_of_several_ways_out_one_wins_and_the_others_wait_behind_it(tmp_path: Path, by: By) -> None:
    """A route wins over a NAT gateway, a NAT gateway over an address of one's own, that over a load balancer."""
    world = World(tmp_path, nat_policy(mode=Mode.AUDIT, public_ips=PublicIps(default="allow")))
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    front = {"publicIPAddress": {"id": address(world, "pip-lb")}}
    made = balancer(world, "lb", front, outboundRules={"protocol": "All"})
    machine(world, "own", APP, publicIPAddress={"id": address(world, "pip-own")}, **behind(made))
    machine(world, "behind", APP, **behind(made))
    machine(world, "plain", APP)
    await found(world, by)
    seen = (await verdict(world, APP, EGRESS)).seen
    members = ("public IP address pip-own (1)", "outbound rule of load balancer lb (1)", "default outbound access (1)")
    assert sorted(seen.split("; ")) == sorted(members)

    pip = address(world, "pip-nat")
    gateway = network("natGateways/ng")
    body = {"location": REGION, "sku": {"name": "Standard"}, "properties": {"publicIpAddresses": [{"id": pip}]}}
    world.put_now(gateway, body)
    attached = {"addressPrefix": "10.0.1.0/24", "natGateway": {"id": gateway}}
    world.put_now(APP, {"properties": attached})
    world.clock.advance(600)
    await found(world, by)
    one = await verdict(world, APP, EGRESS)
    assert (one.result, one.seen) == (Result.COMPLIANT, "NAT gateway ng")
    assert one.addresses == (world.get(pip)["properties"]["ipAddress"],)
    told = explained(world, APP)
    assert _lines(told, "leaves by") == ["NAT gateway ng"]
    assert sorted(_lines(told, "behind it")[0].split("; ")) == sorted(members)

    table = network("routeTables/rt")
    hop = route("default", "0.0.0.0/0", "VirtualAppliance", "10.0.9.4")
    world.put_now(table, {"location": REGION, "properties": {"routes": [hop]}})
    world.put_now(APP, {"properties": {**attached, "routeTable": {"id": table}}})
    world.clock.advance(600)
    await found(world, by)
    one = await verdict(world, APP, EGRESS)
    assert (one.result, one.seen) == (Result.VIOLATION, "route to appliance 10.0.9.4")
    told = explained(world, APP)
    assert _lines(told, "leaves by") == ["route to appliance 10.0.9.4"]
    first, second = _lines(told, "behind it")
    assert first == "NAT gateway ng"
    assert sorted(second.split("; ")) == sorted(members)
    assert world.writes() == []
    assert [reason.gate for reason in await why(world, APP, EGRESS)] == [Gate.REPLACE]


def _lines(told: str, what: str) -> list[str]:
    return [line.removeprefix(what).strip() for line in told.splitlines() if line.startswith(what)]


@FOUND
async def test_seed_c_behind_an_internal_load_balancer_alone_there_is_no_way_out(tmp_path: Path, by: By) -> None:
    world = World(tmp_path, nat_policy(occupied=Mode.PROPOSE, approvals=Approvals()))
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    inside = balancer(world, "lb", {"subnet": {"id": APP}}, loadBalancingRules=WEB)
    machine(world, "vm", APP, **behind(inside))
    await found(world, by)
    one = await verdict(world, APP, EGRESS)
    assert (one.result, one.seen, one.addresses) == (Result.VIOLATION, "no way out", ())
    # Who is behind a load balancer replies as before: a person only says yes.
    assert {reason.gate for reason in await why(world, APP, EGRESS)} == {Gate.APPROVAL}
    assert world.attached("spoke-1") == {"app": None}


@FOUND
async def test_seed_c_without_any_way_out_is_what_an_isolated_network_wants(tmp_path: Path, by: By) -> None:
    closed = Egress(isolated=IsolatedPolicy(), allow=(PathKind.ISOLATED,))
    world = World(tmp_path, nat_policy(egress=closed))
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    settled(world)
    if by == "an event":
        world.put_now(subnet("spoke-1", "more"), {"properties": {"addressPrefix": "10.0.2.0/24"}})
    await found(world, by)
    one = await verdict(world, APP, EGRESS)
    assert (one.result, one.seen) == (Result.COMPLIANT, "no way out (route to None)")
    assert (await verdict(world, APP, "subnet-private")).result is Result.COMPLIANT
    proof = (await proven(world))["app"]
    assert (proof.word, proof.seen) == (Word.CONFIGURATION, "no way out (route to None)")
    record = await last(world)
    await undo(world, record)
    assert "routeTable" not in world.get(APP)["properties"]
    assert any(ids.same(outcome.step.target, APP) for outcome in (await last(world)).outcomes)
