"""Public addresses from the event that tells of them to the proof: found, asked about, taken off, put back."""

from pathlib import Path
from typing import Any, Final

import pytest

from governor import decisions
from governor.core import ids
from governor.core.address_step import QUARANTINE
from governor.core.cause import Cause, Remainder, Source, VirtualNetwork
from governor.core.idle import UNUSED
from governor.core.plan import Gate
from governor.core.policy import AddressRepair, Approvals, Mode, PublicIps, Select
from governor.core.record import Became
from governor.core.standing import Ruling
from governor.core.verdict import Result, Verdict
from governor.ports import Offered
from tests.scenarios.cluster_world import body, cluster
from tests.scenarios.world import REGION, SUB, World, gateway, nat_policy, network, subnet, vnet, vnet_body
from tests.support.life import Killed, Life

PIP = network("publicIPAddresses/pip-vm")
NIC = network("networkInterfaces/nic-vm")
BALANCER = network("loadBalancers/lb")
STANDARD = {"location": REGION, "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}
MACHINE = f"{ids.group_of(NIC)}/providers/Microsoft.Compute/virtualMachines/vm"
DAY = 86_400
JOINED = "Microsoft.Network"


def interface(where: str, address: str | None = None, **properties: Any) -> dict[str, Any]:
    inner: dict[str, Any] = {"subnet": {"id": where}, "privateIPAllocationMethod": "Dynamic"}
    if address:
        inner["publicIPAddress"] = {"id": address}
    configurations = [{"name": "primary", "properties": inner}]
    return {
        "location": REGION,
        "tags": {"owner": "team-x"},
        "properties": {
            "ipConfigurations": configurations,
            "dnsSettings": {"dnsServers": ["10.0.0.10"]},
            "enableAcceleratedNetworking": True,
            **properties,
        },
    }


MACHINE_BODY: Final = {
    "location": REGION,
    "properties": {"networkProfile": {"networkInterfaces": [{"id": NIC}]}},
}


async def exposed(folder: Path, **public: Any) -> World:
    """A network with its gateway, into which somebody puts a machine with a public address of its own."""
    world = World(folder, nat_policy(public_ips=PublicIps(**public)))
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    await world.quiet()
    world.clock.advance(600)
    world.put_now(PIP, STANDARD)
    world.put_now(NIC, interface(subnet("spoke-1", "app"), PIP))
    world.put_now(MACHINE, MACHINE_BODY, "2024-07-01")
    await world.quiet()
    return world


async def about(world: World, resource: str) -> Verdict | None:
    found = [v for v in await world.ports.ledger.verdicts() if ids.same(v.resource, resource)]
    return found[0] if found else None


async def offered(world: World, resource: str) -> Offered:
    (one,) = [o for o in await world.ports.ledger.offered() if ids.same(o.withheld.remediation.resource, resource)]
    return one


async def approve(world: World, resource: str) -> None:
    one = await offered(world, resource)
    await agree(world, one.withheld.remediation.digest)


async def agree(world: World, digest: str) -> None:
    who = ("ann", "agreed with team-x")
    await decisions.rule(digest, Ruling.APPROVE, who, world.ports, world.rules.policies)
    await world.quiet()


async def test_seed_a_a_machine_with_an_address_of_its_own_from_creation_to_proof(tmp_path: Path) -> None:
    world = await exposed(tmp_path)
    verdict = await about(world, NIC)
    assert verdict is not None
    assert (verdict.result, verdict.requirement) == (Result.VIOLATION, "nic-public-ip")
    address = world.get(PIP)["properties"]["ipAddress"]
    assert verdict.seen == f"{address} (pip-vm) on virtual machine vm"
    # Nothing is taken from anybody without being asked; the question shows what goes and what remains.
    offer = (await offered(world, NIC)).withheld
    assert offer.reasons[0].gate is Gate.APPROVAL
    assert offer.remediation.old_addresses == (address,)
    assert len(offer.remediation.new_addresses) == 1
    assert offer.remediation.disruptions == ("outage",)
    before = world.get(NIC)
    await approve(world, NIC)
    # Only its address went: the machine, its private address, its DNS and its tags are as before.
    after = world.get(NIC)
    assert ids.same(after["properties"]["virtualMachine"]["id"], MACHINE)
    assert "publicIPAddress" not in after["properties"]["ipConfigurations"][0]["properties"]
    del before["properties"]["ipConfigurations"][0]["properties"]["publicIPAddress"]
    assert without_etags(after) == without_etags(before)
    assert "ipConfiguration" not in world.get(PIP)["properties"]
    (repaired,) = [
        record for record in await world.records() if record.outcomes and ids.same(record.outcomes[0].step.target, NIC)
    ]
    assert [outcome.became for outcome in repaired.outcomes] == [Became.DONE]
    assert await about(world, NIC) is None
    (left,) = [v for v in await world.ports.ledger.verdicts() if v.requirement == "subnet-egress"]
    assert (left.result, left.seen) == (Result.COMPLIANT, "NAT gateway ng-spoke-1")


def without_etags(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_etags(inner) for name, inner in value.items() if name != "etag"}
    return [without_etags(inner) for inner in value] if isinstance(value, list) else value


async def test_seed_a_the_address_comes_back_when_that_is_undone(tmp_path: Path) -> None:
    world = await exposed(tmp_path)
    await approve(world, NIC)
    record = next(r for r in reversed(await world.records()) if r.outcomes)
    world.clock.advance(600)
    await decisions.undo(record.id, 7, ("ann", "team-x needs it"), world.ports)
    await world.quiet()
    assert ids.same(world.get(PIP)["properties"]["ipConfiguration"]["id"], f"{NIC}/ipConfigurations/primary")
    offer = (await offered(world, NIC)).withheld
    assert [reason.gate for reason in offer.reasons] == [Gate.UNDO, Gate.APPROVAL]


async def test_seed_a_the_address_comes_back_when_the_run_that_took_it_died(tmp_path: Path) -> None:
    """Its Record is that of whoever took over, who found nothing left to do."""
    world = await exposed(tmp_path)
    digest = (await offered(world, NIC)).withheld.remediation.digest
    who = ("ann", "agreed with team-x")
    await decisions.rule(digest, Ruling.APPROVE, who, world.ports, world.rules.policies)
    world.clock.advance(600)
    ports, _ = world.process(DiesAfterApplying())
    cause = Cause(Source.DECISION, world.clock.now(), scope=VirtualNetwork(vnet("spoke-1")))
    with pytest.raises(Killed):
        await world.govern_with(ports, cause)
    assert "ipConfiguration" not in world.get(PIP)["properties"]
    world.clock.advance(600)
    await world.quiet()
    record = next(r for r in reversed(await world.records()) if r.outcomes)
    assert [(outcome.became, outcome.detail) for outcome in record.outcomes] == [(Became.INTERRUPTED, "it holds now")]
    world.clock.advance(600)
    await decisions.undo(record.id, 7, ("ann", "team-x needs it"), world.ports)
    await world.quiet()
    assert ids.same(world.get(PIP)["properties"]["ipConfiguration"]["id"], f"{NIC}/ipConfigurations/primary")
    assert [reason.gate for reason in (await offered(world, NIC)).withheld.reasons] == [Gate.UNDO]


async def test_what_was_taken_back_is_asked_about_again(tmp_path: Path) -> None:
    """The approval of it ends with the undo, and not only when its own time is over."""
    world = await exposed(tmp_path)
    await approve(world, NIC)
    record = next(r for r in reversed(await world.records()) if r.outcomes)
    world.clock.advance(600)
    await decisions.undo(record.id, 1, ("ann", "team-x needs it"), world.ports)
    await world.quiet()
    world.clock.advance(DAY + 3600)
    await world.sweep(SUB)
    assert "publicIPAddress" in world.get(NIC)["properties"]["ipConfigurations"][0]["properties"]
    assert [reason.gate for reason in (await offered(world, NIC)).withheld.reasons] == [Gate.APPROVAL]
    await approve(world, NIC)
    assert "publicIPAddress" not in world.get(NIC)["properties"]["ipConfigurations"][0]["properties"]


class DiesAfterApplying(Life):
    def reach(self, point: str) -> None:
        super().reach(point)
        if point == "after cloud.apply":
            self.is_over = True
            raise Killed(point)


async def test_seed_a_a_machine_that_left_by_its_own_address_gets_the_shared_way_and_then_loses_it(
    tmp_path: Path,
) -> None:
    """It was there before the governor came: a NAT gateway takes nothing from who is asked at his own address."""
    world = World(tmp_path, nat_policy(public_ips=PublicIps()))
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    world.put_now(PIP, STANDARD)
    world.put_now(NIC, interface(subnet("spoke-1", "app"), PIP))
    world.put_now(MACHINE, MACHINE_BODY, "2024-07-01")
    await world.quiet()
    own = world.get(PIP)["properties"]["ipAddress"]
    first = (await offered(world, subnet("spoke-1", "app"))).withheld
    assert [reason.gate for reason in first.reasons] == [Gate.APPROVAL]
    assert (first.remediation.old_addresses, first.remediation.disruptions) == ((own,), ("address", "brief"))
    await approve(world, subnet("spoke-1", "app"))
    world.clock.advance(600)
    assert "natGateway" in world.get(subnet("spoke-1", "app"))["properties"]
    assert "publicIPAddress" in world.get(NIC)["properties"]["ipConfigurations"][0]["properties"]
    await approve(world, NIC)
    assert "publicIPAddress" not in world.get(NIC)["properties"]["ipConfigurations"][0]["properties"]
    (left,) = [v for v in await world.ports.ledger.verdicts() if v.requirement == "subnet-egress"]
    assert (left.result, left.seen) == (Result.COMPLIANT, "NAT gateway ng-spoke-1")


async def test_a_shared_way_is_not_taken_back_from_a_machine_that_has_no_other(tmp_path: Path) -> None:
    """Its neighbour has an address of its own, so that the subnet as a whole would still have a way out."""
    world = World(tmp_path, nat_policy(public_ips=PublicIps(default="allow")))
    shut = {"addressPrefix": "10.0.1.0/24", "defaultOutboundAccess": False}
    world.put_now(vnet("spoke-1"), vnet_body())
    world.put_now(subnet("spoke-1", "app"), {"properties": shut})
    await world.quiet()
    world.clock.advance(600)
    world.put_now(PIP, STANDARD)
    world.put_now(NIC, interface(subnet("spoke-1", "app"), PIP))
    world.put_now(NIC.replace("nic-vm", "nic-other"), interface(subnet("spoke-1", "app")))
    await world.quiet()
    world.clock.advance(600)
    record = next(r for r in await world.records() if r.outcomes)
    await decisions.undo(record.id, 7, ("ann", "never mind"), world.ports)
    await world.quiet()
    assert "natGateway" in world.get(subnet("spoke-1", "app"))["properties"]
    undone = next(r for r in reversed(await world.records()) if r.undo and r.undo.record == record.id)
    reasons = [reason for offer in undone.withheld for reason in offer.reasons if reason.gate is Gate.FORECAST]
    assert "it would take the last way out away" in [reason.text for reason in reasons]


async def test_an_address_does_not_come_off_before_there_is_another_way_out(tmp_path: Path) -> None:
    world = World(tmp_path, nat_policy(public_ips=PublicIps(), approvals=Approvals(needed=()), occupied=Mode.PROPOSE))
    world.put_now(vnet("spoke-1"), vnet_body())
    world.put_now(
        subnet("spoke-1", "app"), {"properties": {"addressPrefix": "10.0.1.0/24", "defaultOutboundAccess": False}}
    )
    world.put_now(PIP, STANDARD)
    world.put_now(NIC, interface(subnet("spoke-1", "app"), PIP))
    await world.quiet()
    # Its subnet waits for a person, and it for its subnet, whoever agrees.
    await approve(world, NIC)
    offer = (await offered(world, NIC)).withheld
    assert offer.reasons[0].gate is Gate.NEEDS
    assert "publicIPAddress" in world.get(NIC)["properties"]["ipConfigurations"][0]["properties"]


@pytest.mark.parametrize(
    ("public", "text"),
    [
        ({"default": "audit"}, "only audits public addresses"),
        ({"repair": {"network_interface": "flag"}}, "take it off by hand"),
    ],
)
async def test_who_only_reports_writes_nothing(tmp_path: Path, public: dict[str, Any], text: str) -> None:
    given = {name: AddressRepair(**value) if name == "repair" else value for name, value in public.items()}
    world = await exposed(tmp_path, **given)
    offer = (await offered(world, NIC)).withheld
    assert text in offer.reasons[0].text
    assert offer.remediation.steps == ()


async def test_whoever_forwards_is_left_alone(tmp_path: Path) -> None:
    world = await exposed(tmp_path)
    world.put_now(NIC, interface(subnet("spoke-1", "app"), PIP, enableIPForwarding=True))
    await world.quiet()
    offer = (await offered(world, NIC)).withheld
    assert offer.reasons[0].text == "it forwards traffic of others: whoever routes is changed by hand only"


async def test_what_the_body_names_must_be_joined_and_that_is_known_before_the_write(tmp_path: Path) -> None:
    free = nat_policy(public_ips=PublicIps(), approvals=Approvals(needed=()), occupied=Mode.ENFORCE)
    world = World(tmp_path, free, limited=True)
    guard = network("networkSecurityGroups/guard")
    world.roles.give("", "*", less=(f"{JOINED}/networkSecurityGroups/join/action",))
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    await world.quiet()
    world.clock.advance(600)
    world.put_now(PIP, STANDARD)
    world.put_now(guard, {"location": REGION})
    world.put_now(NIC, interface(subnet("spoke-1", "app"), PIP, networkSecurityGroup={"id": guard}))
    await world.quiet()
    (reason,) = (await offered(world, NIC)).withheld.reasons
    assert reason.gate is Gate.RIGHTS
    assert reason.text == (
        f"the governor may not {JOINED}/networkSecurityGroups/join/action on guard: grant it there ({guard})"
    )
    assert [answer for answer in world.arm.requests if answer.status == 403] == []
    world.roles.give("", "*")
    world.clock.advance(3600)
    await world.sweep(SUB)
    assert "ipConfiguration" not in world.get(PIP)["properties"]


async def test_an_address_that_is_put_on_a_machine_later_is_found_by_its_event(tmp_path: Path) -> None:
    world = await exposed(tmp_path)
    await approve(world, NIC)
    world.clock.advance(4 * DAY)  # an approval holds for three days
    world.put_now(NIC, interface(subnet("spoke-1", "app"), PIP))
    await world.quiet()
    verdict = await about(world, NIC)
    assert verdict is not None
    assert verdict.result is Result.VIOLATION


async def test_seed_a_a_public_load_balancer_is_found_by_its_event_and_by_no_other_network(tmp_path: Path) -> None:
    world = World(tmp_path)
    for number in (1, 2):
        world.put_now(vnet(f"spoke-{number}"), vnet_body(("app", f"10.{number}.1.0/24"), space=f"10.{number}.0.0/16"))
    world.put_now(PIP, STANDARD)
    pool = f"{BALANCER}/backendAddressPools/pool"
    public = {
        "location": REGION,
        "sku": {"name": "Standard"},
        "properties": {
            "frontendIPConfigurations": [{"name": "public", "properties": {"publicIPAddress": {"id": PIP}}}],
            "backendAddressPools": [{"name": "pool"}],
        },
    }
    world.put_now(BALANCER, public)
    nic = interface(subnet("spoke-2", "app"))
    nic["properties"]["ipConfigurations"][0]["properties"]["loadBalancerBackendAddressPools"] = [{"id": pool}]
    world.put_now(NIC, nic)
    await world.quiet()
    world.clock.advance(600)
    runs, records = world.runs, len(await world.records())
    world.put_now(BALANCER, {**world.get(BALANCER), "tags": {"touched": "again"}})
    await world.quiet()
    frontend = f"{BALANCER}/frontendIPConfigurations/public"
    verdict = await about(world, frontend)
    assert verdict is not None
    assert (verdict.result, verdict.requirement) == (Result.VIOLATION, "load-balancer-public-frontend")
    held = await offered(world, frontend)
    assert held.scope.key == vnet("spoke-2").casefold()
    assert "cannot live without its address" in held.withheld.reasons[0].text
    # Its network, and the subscription whose rest it was until it had a machine behind it: nobody else woke.
    assert world.runs - runs <= 3
    assert {record.scope.key for record in (await world.records())[records:]} <= {vnet("spoke-2").casefold()}


async def unattached(folder: Path, **public: Any) -> World:
    """An address that nobody has used for two days, in a subscription where every group is governed."""
    world = World(folder, nat_policy(select=Select(), public_ips=PublicIps(**public)))
    world.put_now(PIP, STANDARD)
    await world.quiet()
    world.clock.advance(2 * DAY)
    return world


async def test_an_address_of_nobody_is_left_alone_for_a_day_and_then_put_into_quarantine(tmp_path: Path) -> None:
    world = await unattached(tmp_path)
    assert await about(world, PIP) is None
    before = world.get(PIP)
    await world.sweep(SUB)
    verdict = await about(world, PIP)
    assert verdict is not None
    today = f"{world.clock.now():%Y-%m-%d}"
    assert (verdict.result, verdict.seen.rpartition("; ")[2]) == (Result.COMPLIANT, f"in quarantine since {today}")
    after = world.get(PIP)
    assert after["tags"] == {QUARANTINE: today}
    assert {**without_etags(after), "tags": {}} == {**without_etags(before), "tags": {}}
    writes = world.writes()
    world.clock.advance(30 * DAY)
    await world.sweep(SUB)  # the policy deletes nothing
    assert world.writes() == writes


async def test_young_addresses_are_not_touched(tmp_path: Path) -> None:
    world = await unattached(tmp_path)
    young = network("publicIPAddresses/pip-young")
    world.put_now(young, STANDARD)
    await world.quiet()
    world.clock.advance(3600)
    await world.sweep(SUB)
    verdict = await about(world, young)
    assert verdict is not None
    assert verdict.result is Result.NOT_APPLICABLE
    assert "tags" not in world.get(young)


async def test_quarantine_is_undone_and_left_alone(tmp_path: Path) -> None:
    world = await unattached(tmp_path)
    await world.sweep(SUB)
    (record,) = [r for r in await world.records() if r.outcomes]
    assert record.scope == Remainder(SUB)
    world.clock.advance(600)
    await decisions.undo(record.id, 7, ("ann", "we need it"), world.ports)
    await world.quiet()
    assert not world.get(PIP).get("tags")
    await world.sweep(SUB)
    assert not world.get(PIP).get("tags")


async def test_an_address_is_deleted_only_where_the_policy_says_so_and_a_person_agrees(tmp_path: Path) -> None:
    world = await unattached(tmp_path, delete=True, quarantine_days=14)
    await world.sweep(SUB)
    world.clock.advance(13 * DAY)
    await world.sweep(SUB)
    assert await world.ports.ledger.offered() == ()
    world.clock.advance(2 * DAY)
    await world.sweep(SUB)
    offer = (await offered(world, PIP)).withheld
    assert offer.remediation.disruptions == ("irreversible",)
    assert offer.reasons[0].gate is Gate.APPROVAL
    await approve(world, PIP)
    assert not world.exists(PIP)
    assert await about(world, PIP) is None


async def test_an_address_that_is_used_again_is_not_deleted(tmp_path: Path) -> None:
    world = await unattached(tmp_path, delete=True, quarantine_days=14)
    await world.sweep(SUB)
    world.clock.advance(15 * DAY)
    await world.sweep(SUB)
    digest = (await offered(world, PIP)).withheld.remediation.digest
    world.put_now(vnet("lab"), vnet_body(("app", "10.0.1.0/24")))
    world.put_now(NIC, interface(subnet("lab", "app"), PIP))
    await agree(world, digest)
    assert world.exists(PIP)


async def test_what_has_no_public_address_wakes_nobody(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    await world.quiet()
    world.clock.advance(600)
    records, requests = len(await world.records()), len(world.transport.requests)
    world.put_now(NIC, interface(subnet("spoke-1", "app")))
    await world.quiet()
    assert len(await world.records()) == records
    (asked,) = world.transport.requests[requests:]
    assert (asked.method, asked.path.casefold()) == ("GET", NIC.casefold())


async def test_a_gateway_of_ours_that_nobody_uses_is_reclaimed_and_its_address_goes_into_quarantine_first(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, nat_policy(select=Select()))
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    await world.quiet()
    ours, address = gateway("spoke-1"), world.get(gateway("spoke-1"))["properties"]["publicIpAddresses"][0]["id"]
    world.clock.advance(2 * DAY)
    world.ask("DELETE", vnet("spoke-1"))
    await world.quiet()
    world.clock.advance(DAY)
    await world.sweep(SUB)
    verdict = await about(world, ours)
    assert verdict is not None
    assert (verdict.requirement, verdict.result) == ("nat-gateway-unused", Result.COMPLIANT)
    assert UNUSED in world.get(ours)["tags"]
    world.clock.advance(29 * DAY)
    await world.sweep(SUB)
    assert world.exists(ours)
    world.clock.advance(2 * DAY)
    await world.sweep(SUB)
    assert not world.exists(ours)
    world.clock.advance(DAY)
    await world.sweep(SUB)
    assert QUARANTINE in world.get(address)["tags"]


async def test_a_gateway_that_is_used_again_is_not_reclaimed(tmp_path: Path) -> None:
    world = World(tmp_path, nat_policy(select=Select()))
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    await world.quiet()
    world.ask("DELETE", vnet("spoke-1"))
    await world.quiet()
    world.clock.advance(DAY)
    await world.sweep(SUB)
    assert UNUSED in world.get(gateway("spoke-1"))["tags"]
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    await world.quiet()
    assert world.attached("spoke-1") == {"app": "ng-spoke-1"}
    world.clock.advance(31 * DAY)
    await world.sweep(SUB)
    assert UNUSED not in world.get(gateway("spoke-1"))["tags"]


async def test_seed_a_nodes_with_addresses_are_found_on_their_scale_set_which_is_never_written(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put_now(vnet("spoke-1"), vnet_body(("nodes", "10.0.1.0/24")))
    await world.quiet()
    wanted = body(subnet("spoke-1", "nodes"))
    wanted["properties"]["agentPoolProfiles"][0]["enableNodePublicIP"] = True
    wanted["properties"]["networkProfile"]["outboundType"] = "userAssignedNATGateway"
    world.put_now(cluster(), wanted, "2026-08-01")
    await world.quiet()
    (verdict,) = [v for v in await world.ports.ledger.verdicts() if v.requirement == "vmss-public-ip"]
    assert verdict.result is Result.VIOLATION
    assert verdict.seen.startswith("its model gives every instance a public address")
    held = (await offered(world, verdict.resource)).withheld
    assert (held.reasons[0].gate, held.remediation.steps) == (Gate.CLUSTER, ())
    assert "never written" in held.reasons[0].text
