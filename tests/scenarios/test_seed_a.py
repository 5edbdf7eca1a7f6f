"""Seed A: a shared NAT gateway instead of an address per machine or the load balancer's."""

from datetime import timedelta
from pathlib import Path

from governor.core import ids
from governor.core.plan import Gate
from governor.core.policy import Approvals, Egress, Mode, NatGatewayPolicy, PublicIps
from governor.core.proof import Word
from governor.core.record import Became
from governor.core.verdict import Result
from tests.scenarios.cluster_world import AKS_API, FREE, cluster, create, verdicts
from tests.scenarios.seed_world import (
    FOUND,
    WEB,
    By,
    address,
    approve,
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
from tests.scenarios.world import World, egress_group, gateway, nat_policy, subnet, vnet, vnet_body

EGRESS = "subnet-egress"


def at(name: str) -> str:
    return subnet("spoke-1", name)


@FOUND
async def test_seed_a_each_way_out_is_named(tmp_path: Path, by: By) -> None:
    """A machine's own address, outbound rules, implicit SNAT, a NAT gateway and the default, side by side."""
    world = World(tmp_path, nat_policy(mode=Mode.AUDIT, public_ips=PublicIps(default="allow")))
    names = ("own", "rules", "snat", "nat", "default")
    world.put_now(vnet("spoke-1"), vnet_body(*((name, f"10.0.{n}.0/24") for n, name in enumerate(names, 1))))
    machine(world, "own", at("own"), publicIPAddress={"id": address(world, "pip-own")})
    front = {"publicIPAddress": {"id": address(world, "pip-rules")}}
    ruled = balancer(world, "lb-rules", front, outboundRules={"protocol": "All"})
    machine(world, "rules", at("rules"), **behind(ruled))
    front = {"publicIPAddress": {"id": address(world, "pip-snat")}}
    machine(world, "snat", at("snat"), **behind(balancer(world, "lb-snat", front, loadBalancingRules=WEB)))
    machine(world, "default", at("default"))
    pip = address(world, "pip-nat")
    sku = {"location": "westeurope", "sku": {"name": "Standard"}}
    theirs = gateway("theirs").replace(egress_group(), ids.group_of(pip))
    world.put_now(theirs, {**sku, "properties": {"publicIpAddresses": [{"id": pip}]}})
    world.put_now(at("nat"), {"properties": {"addressPrefix": "10.0.4.0/24", "natGateway": {"id": theirs}}})
    await found(world, by)
    seen = {name: (await verdict(world, at(name), EGRESS)).seen for name in names}
    assert seen == {
        "own": "public IP address pip-own",
        "rules": "outbound rule of load balancer lb-rules",
        "snat": "implicit SNAT of load balancer lb-snat",
        "nat": "NAT gateway ng-theirs",
        "default": "default outbound access",
    }
    assert (await verdict(world, at("nat"), EGRESS)).result is Result.COMPLIANT
    assert {(await verdict(world, at(name), EGRESS)).result for name in names if name != "nat"} == {Result.VIOLATION}
    # Judged and recorded, and nothing more: the policy is in audit mode.
    for name in ("own", "snat", "default"):
        assert Gate.MODE in {reason.gate for reason in await why(world, at(name), EGRESS)}
    assert world.writes() == []
    told = {(ids.name(v.resource), v.seen) for record in await world.records() for v in record.changes}
    assert set(seen.items()) <= told


@FOUND
async def test_seed_a_a_machines_own_address_goes_and_comes_back(tmp_path: Path, by: By) -> None:
    world = World(tmp_path, nat_policy(public_ips=PublicIps()))
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    await world.quiet()
    world.clock.advance(600)
    pip = address(world, "pip-vm")
    nic = machine(world, "vm", at("app"), publicIPAddress={"id": pip})
    await found(world, by)
    shown = world.get(pip)["properties"]["ipAddress"]
    one = await verdict(world, nic, "nic-public-ip")
    assert (one.result, one.addresses) == (Result.VIOLATION, (shown,))
    assert one.seen == f"{shown} (pip-vm) on virtual machine vm"
    await approve(world, nic)
    assert "ipConfiguration" not in world.get(pip)["properties"]
    proof = (await proven(world))["app"]
    assert proof.word is Word.CONFIGURATION
    assert proof.seen.startswith("NAT gateway ng-spoke-1 is attached and no route wins over it")
    await undo(world, await last(world))
    assert "ipConfiguration" in world.get(pip)["properties"]


@FOUND
async def test_seed_a_the_way_by_a_load_balancer_ends_with_its_public_frontend(tmp_path: Path, by: By) -> None:
    world = World(tmp_path, nat_policy(public_ips=PublicIps(default="allow")))
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    public = {"publicIPAddress": {"id": address(world, "pip-web")}}
    web = balancer(world, "lb-web", public, loadBalancingRules=WEB)
    machine(world, "vm", at("app"), **behind(web))
    await found(world, by)
    assert (await verdict(world, at("app"), EGRESS)).seen == "implicit SNAT of load balancer lb-web"
    told = explained(world, at("app"))
    assert "outbound works only while load balancer lb-web has a public frontend" in told
    # Whoever is behind it is not moved without being asked; what comes in by the load balancer goes on.
    assert {reason.gate for reason in await why(world, at("app"), EGRESS)} == {Gate.APPROVAL}
    # The ingress turns internal, and with it the way out is gone.
    body = world.get(web)
    body["properties"]["frontendIPConfigurations"][0]["properties"] = {"subnet": {"id": at("app")}}
    world.clock.advance(600)
    world.put_now(web, body)
    await found(world, by)
    now = await verdict(world, at("app"), EGRESS)
    assert (now.result, now.seen) == (Result.VIOLATION, "no way out")


@FOUND
async def test_seed_a_one_nat_gateway_is_shared_by_all_subnets(tmp_path: Path, by: By) -> None:
    world = World(tmp_path)
    names = ("system", "user", "spot")
    world.put_now(vnet("spoke-1"), vnet_body(*((name, f"10.0.{n}.0/24") for n, name in enumerate(names, 1))))
    await found(world, by)
    assert world.attached("spoke-1") == dict.fromkeys(names, "ng-spoke-1")
    assert world.exported("natGateways") == [gateway("spoke-1")]
    assert {proof.word for proof in (await proven(world)).values()} == {Word.CONFIGURATION}
    assert set(await proven(world)) == set(names)
    record = await last(world)
    assert {outcome.became for outcome in record.outcomes} == {Became.DONE}
    await undo(world, record)
    assert world.attached("spoke-1") == dict.fromkeys(names)
    assert world.exported("natGateways") == []


async def test_seed_a_each_subnet_has_a_gateway_of_its_own_where_the_name_says_so(tmp_path: Path) -> None:
    own = NatGatewayPolicy(name="ng-{virtualNetwork}-{subnet}")
    world = World(tmp_path, nat_policy(egress=Egress(nat_gateway=own)))
    world.put_now(vnet("spoke-1"), vnet_body(("a", "10.0.1.0/24"), ("b", "10.0.2.0/24")))
    await world.quiet()
    assert world.attached("spoke-1") == {"a": "ng-spoke-1-a", "b": "ng-spoke-1-b"}
    held = [world.get(one)["properties"]["publicIpAddresses"] for one in world.exported("natGateways")]
    assert len({ids.key(each["id"]) for addresses in held for each in addresses}) == len(held) == 2


@FOUND
async def test_seed_a_the_subnet_of_a_new_pool_joins_once_its_network_has_settled(tmp_path: Path, by: By) -> None:
    world = World(tmp_path, nat_policy(occupied=Mode.ENFORCE, approvals=FREE))
    world.put_now(vnet("spoke-1"), vnet_body(("system", "10.0.1.0/24")))
    settled(world)
    create(world, at("system"))
    await world.quiet()
    assert world.attached("spoke-1") == {"system": "ng-spoke-1"}
    world.clock.advance(600)
    world.put_now(at("late"), {"properties": {"addressPrefix": "10.0.7.0/24"}})
    written_at = world.clock.now()
    await found(world, by)
    assert world.attached("spoke-1") == {"system": "ng-spoke-1", "late": "ng-spoke-1"}
    started = [outcome.started for outcome in (await last(world)).outcomes]
    assert all(one is not None and one - written_at >= timedelta(seconds=120) for one in started)
    pool = {"properties": {"count": 1, "mode": "User", "vnetSubnetID": at("late")}}
    world.put_now(f"{cluster()}/agentPools/late", pool, AKS_API)
    await world.quiet()
    # The new pool leaves as the others do; what its ingress is has nothing to do with it.
    assert (await verdicts(world))["cluster-outbound-type"][0] is Result.COMPLIANT
    assert len(world.exported("natGateways")) == 1


async def test_seed_a_what_is_occupied_is_asked_about_first(tmp_path: Path) -> None:
    """The addresses by which partners know a machine are named before they change."""
    world = World(tmp_path, nat_policy(approvals=Approvals()))
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    machine(world, "vm", at("app"))
    await world.quiet()
    assert [reason.gate for reason in await why(world, at("app"), EGRESS)] == [Gate.APPROVAL]
    await approve(world, at("app"))
    record = await last(world)
    (repair,) = [one for one in record.done if ids.same(one.resource, at("app"))]
    shown = world.get(world.get(gateway("spoke-1"))["properties"]["publicIpAddresses"][0]["id"])
    assert shown["properties"]["ipAddress"] in (await verdict(world, at("app"), EGRESS)).addresses
    assert "address" in repair.disruptions
    assert (await proven(world))["app"].word is Word.CONFIGURATION
