"""The roles in docs/roles are enough for all that the governor does and undoes, and nothing in them is too much."""

from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from governor import decisions
from governor.core import ids
from governor.core.plan import Gate
from governor.core.policy import (
    Clusters,
    Egress,
    Exemption,
    Mode,
    NatGatewayPolicy,
    PublicIps,
    Requirement,
    Select,
)
from governor.core.proof import Word
from governor.core.verdict import Result
from tests.scenarios.cluster_world import FREE, body, cluster, type_of
from tests.scenarios.hub_world import AWAY, HOP, add_hub, policy, route, spoke
from tests.scenarios.proxy_world import NODES, PRIVATE, VAULT, proxied, with_proxy
from tests.scenarios.seed_world import machine
from tests.scenarios.world import REGION, SUB, World, gateway, nat_policy, network, subnet, vnet

ROLES: Final = Path(__file__).parents[2] / "docs" / "roles"
NETWORK: Final = "Microsoft.Network"
TABLE: Final = network("routeTables/rt-theirs")
GUARD: Final = network("networkSecurityGroups/guard")
ENDPOINTS: Final = network("serviceEndpointPolicies/storage")


def actions(name: str) -> list[str]:
    role = msgspec.json.decode((ROLES / f"{name}.json").read_bytes())
    assert role["NotActions"] == []
    return list(role["Actions"])


def data_actions(name: str) -> tuple[str, ...]:
    """What the documented role on a vault lets the governor do with what is in it."""
    role = msgspec.json.decode((ROLES / f"{name}.json").read_bytes())
    assert (role["Actions"], role["NotDataActions"]) == ([], [])
    return tuple(role["DataActions"])


def limited(folder: Path, *policies: Any, without: str = "") -> World:
    """A World whose governor has the documented roles where they belong, but for one action."""
    folder.mkdir(exist_ok=True)
    world = World(folder, *policies, limited=True)
    world.roles.take("")
    world.roles.give(f"/subscriptions/{SUB}", *(one for one in actions("spokes") if one != without))
    return world


def gateway_in(world: World) -> None:
    """The hub has a gateway to elsewhere, from which a spoke may learn routes, and whose replies pass the firewall."""
    within, back = f"{AWAY.network}/subnets/GatewaySubnet", f"{AWAY.group}/providers/{NETWORK}/routeTables/rt-gateway"
    to_spoke = route("spoke-1", "10.1.0.0/16", "VirtualAppliance", HOP)
    world.put_now(back, {"location": AWAY.region, "properties": {"routes": [to_spoke]}})
    world.clock.advance(60)
    world.put_now(within, {"properties": {"addressPrefix": "10.0.1.0/27", "routeTable": {"id": back}}})
    configuration = {"name": "c", "properties": {"subnet": {"id": within}}}
    world.arm.load(
        [
            {
                "id": f"{AWAY.group}/providers/{NETWORK}/virtualNetworkGateways/vpn",
                "location": AWAY.region,
                "properties": {"gatewayType": "Vpn", "ipConfigurations": [configuration]},
            }
        ]
    )


async def done_and_undone(world: World, path: str, body: dict[str, Any]) -> set[str]:
    """Something new is governed, then all that is undone; refused requests and missing rights on the way out."""
    world.put_now(path, body)
    await world.quiet()
    if found := await hindrances(world):
        return found
    assert {verdict.result for verdict in await world.ports.ledger.verdicts()} <= {
        Result.COMPLIANT,
        Result.NOT_APPLICABLE,
    }
    world.clock.advance(600)
    for record in [record for record in await world.records() if record.outcomes]:
        await decisions.undo(record.id, 7, ("ann", ""), world.ports)
        await world.quiet()
    return await hindrances(world)


async def hindrances(world: World) -> set[str]:
    """The paths that were refused, and the rights that were missing, so far."""
    refused = {answer.path for answer in world.arm.requests if answer.status == 403}
    lacking = {
        reason.text
        for record in await world.records()
        for offer in record.withheld
        for reason in offer.reasons
        if reason.gate in (Gate.RIGHTS, Gate.UNSEEN)
    }
    return refused | lacking


async def by_gateway(folder: Path, without: str = "", **wanted: Any) -> set[str]:
    """A new spoke, whose subnet names other things already, leaves by a NAT gateway, and then not any more."""
    world = limited(folder, nat_policy(egress=Egress(nat_gateway=NatGatewayPolicy(**wanted))), without=without)
    world.put_now(GUARD, {"location": REGION})
    world.put_now(ENDPOINTS, {"location": REGION})
    body = spoke(1)
    body["properties"]["subnets"][0]["properties"] |= {
        "networkSecurityGroup": {"id": GUARD},
        "serviceEndpoints": [{"service": "Microsoft.Storage"}],
        "serviceEndpointPolicies": [{"id": ENDPOINTS}],
    }
    found = await done_and_undone(world, vnet("spoke-1"), body)
    assert found or not world.exists(gateway("spoke-1"))
    return found


async def by_prefix(folder: Path, without: str = "") -> set[str]:
    return await by_gateway(folder, without, public_ip_prefix_length=31)


async def by_hub(folder: Path, without: str = "", at_hub: str = "") -> set[str]:
    """A new spoke, one of whose subnets has a table already, leaves by the hub of others, and then not any more."""
    world = limited(folder, policy(AWAY, gateway_transit="use", nat_gateway_on_firewall="off"), without=without)
    add_hub(world, AWAY)
    gateway_in(world)
    world.roles.give(f"/subscriptions/{AWAY.subscription}", *(one for one in actions("hub") if one != at_hub))
    world.put_now(TABLE, {"location": REGION, "properties": {"routes": [route("kept", "10.77.0.0/16", "None")]}})
    world.clock.advance(3 * 24 * 3600)
    body = spoke(1, "app", "db")
    body["properties"]["subnets"][1]["properties"]["routeTable"] = {"id": TABLE}
    found = await done_and_undone(world, vnet("spoke-1"), body)
    assert found or world.get(vnet("spoke-1"))["properties"]["virtualNetworkPeerings"] == []
    return found


async def with_machine(folder: Path, without: str = "") -> set[str]:
    """A machine in a spoke leaves by the hub, which its effective routes prove, and then not any more."""
    given = policy(
        AWAY, occupied=Mode.ENFORCE, ready="assumed", nat_gateway_on_firewall="off", public_ips=PublicIps("allow")
    )
    world = limited(folder, given, without=without)
    add_hub(world, AWAY)
    world.roles.give(f"/subscriptions/{AWAY.subscription}", *actions("hub"))
    world.put_now(vnet("spoke-1"), spoke(1))
    world.clock.advance(3 * 24 * 3600)
    world.arm.take_events()
    machine(world, "vm", subnet("spoke-1", "app"))
    body = world.get(vnet("spoke-1"))
    found = await done_and_undone(world, vnet("spoke-1"), body)
    words = {proof.word for record in await world.records() for proof in record.proofs}
    assert found or Word.ROUTE in words
    return found


async def behind_gateway(folder: Path, without: str = "", at_hub: str = "") -> set[str]:
    """A new subnet leaves by a NAT gateway, where routes that are learned in the hub could lead elsewhere."""
    world = limited(folder, nat_policy(), without=without)
    add_hub(world, AWAY)
    gateway_in(world)
    world.roles.give(f"/subscriptions/{AWAY.subscription}", *(one for one in actions("hub") if one != at_hub))
    ends = {AWAY.network: vnet("spoke-1"), vnet("spoke-1"): AWAY.network}
    world.arm.load([{"id": vnet("spoke-1"), **spoke(1, "old")}])
    for end, other in ends.items():
        flags = {"allowGatewayTransit": end == AWAY.network, "useRemoteGateways": other == AWAY.network}
        peering = {"remoteVirtualNetwork": {"id": other}, "allowVirtualNetworkAccess": True, **flags}
        world.arm.load([{"id": f"{end}/virtualNetworkPeerings/{ids.name(other)}", "properties": peering}])
    return await done_and_undone(world, subnet("spoke-1", "new"), {"properties": {"addressPrefix": "10.1.9.0/24"}})


async def with_cluster(folder: Path, without: str = "") -> set[str]:
    """A new cluster leaves by the NAT gateway of its network, and then by its load balancer again."""
    wanted = nat_policy(occupied=Mode.ENFORCE, approvals=FREE, clusters=Clusters(private_api_server="off"))
    world = limited(folder, wanted, without=without)
    world.put_now(vnet("spoke-1"), spoke(1, "nodes"))
    world.clock.advance(3 * 24 * 3600)
    world.arm.take_events()
    found = await done_and_undone(world, cluster(), body(subnet("spoke-1", "nodes")))
    assert found or type_of(world) == "loadBalancer"
    return found


async def with_addresses(folder: Path, without: str = "") -> set[str]:
    """An address comes off a machine and is put back; addresses and prefixes of nobody are deleted in the end."""
    public = PublicIps(delete=True, quarantine_days=1)
    wanted = nat_policy(select=Select(), occupied=Mode.ENFORCE, approvals=FREE, public_ips=public)
    world = limited(folder, wanted, without=without)
    world.put_now(vnet("spoke-1"), spoke(1))
    await world.quiet()
    world.clock.advance(600)
    balancer, application = network("loadBalancers/inside"), network("applicationSecurityGroups/web")
    standard = {"location": REGION, "sku": {"name": "Standard"}}
    address = {**standard, "properties": {"publicIPAllocationMethod": "Static"}}
    where = {"id": subnet("spoke-1", "app")}
    frontend = {"name": "fe", "properties": {"subnet": where}}
    rule = {"frontendIPConfiguration": {"id": f"{balancer}/frontendIPConfigurations/fe"}, "protocol": "Tcp"}
    parts = {
        "frontendIPConfigurations": [frontend],
        "backendAddressPools": [{"name": "pool"}],
        "inboundNatRules": [{"name": "ssh", "properties": {**rule, "frontendPort": 22, "backendPort": 22}}],
    }
    world.put_now(balancer, {**standard, "properties": parts})
    world.put_now(application, {"location": REGION})
    world.put_now(GUARD, {"location": REGION})
    world.put_now(network("publicIPAddresses/pip-vm"), address)
    inner = {
        "subnet": where,
        "publicIPAddress": {"id": network("publicIPAddresses/pip-vm")},
        "loadBalancerBackendAddressPools": [{"id": f"{balancer}/backendAddressPools/pool"}],
        "loadBalancerInboundNatRules": [{"id": f"{balancer}/inboundNatRules/ssh"}],
        "applicationSecurityGroups": [{"id": application}],
    }
    interface = {"ipConfigurations": [{"name": "c", "properties": inner}], "networkSecurityGroup": {"id": GUARD}}
    nic = network("networkInterfaces/nic-vm")
    found = await done_and_undone(world, nic, {"location": REGION, "properties": interface})
    assert found or "publicIPAddress" in world.get(nic)["properties"]["ipConfigurations"][0]["properties"]
    nobodys = (network("publicIPAddresses/nobodys"), network("publicIPPrefixes/nobodys"))
    world.put_now(nobodys[0], address)
    world.put_now(nobodys[1], {**standard, "properties": {"prefixLength": 31}})
    world.clock.advance(2 * 24 * 3600)
    await world.sweep(SUB)
    world.clock.advance(24 * 3600)
    await world.sweep(SUB)
    found = await hindrances(world)
    assert found or not any(world.exists(one) for one in nobodys)
    return found


async def behind_proxy(folder: Path, without: str = "", vault: bool = True) -> set[str]:
    """A new cluster leaves by a proxy whose address stands in a vault, and then by its load balancer again."""
    wanted = proxied(approvals=FREE, clusters=Clusters(outbound_type="none", private_api_server="off"))
    world = with_proxy(folder, wanted, limited=True)
    world.roles.take("")
    world.roles.give(f"/subscriptions/{SUB}", *(one for one in actions("spokes") if one != without))
    if vault:
        world.roles.give(VAULT, data=data_actions("vault"))
    found = await done_and_undone(world, cluster(), body(NODES, **PRIVATE))
    assert found or type_of(world) == "loadBalancer"
    return found


async def with_azure_policy(folder: Path, without: str = "") -> set[str]:
    """What is denied at the request, and who is exempt, is made in Azure Policy, and then taken back."""
    exempt = Exemption(network("networkInterfaces/jump"), Requirement.NIC_PUBLIC_IP, "x", "y", date(2027, 12, 31))
    public, inside = PublicIps(at_request_time="deny"), Clusters(internal_load_balancers="deny")
    wanted = {"select": Select(), "public_ips": public, "clusters": inside, "approvals": FREE}
    world = World(folder, nat_policy(**wanted, exemptions=(exempt,)), limited=True)
    world.roles.take("")
    world.roles.give(f"/subscriptions/{SUB}", *(one for one in actions("azure-policy") if one != without))
    for _ in range(2):
        await world.sweep(SUB)
        world.clock.advance(25 * 3600)
    if found := _without_counting(await hindrances(world)):
        return found
    about = [v for v in await world.ports.ledger.verdicts() if "/policy" in v.resource]
    assert {verdict.result for verdict in about} == {Result.COMPLIANT}
    for record in reversed([record for record in await world.records() if record.outcomes]):
        await decisions.undo(record.id, 7, ("ann", ""), world.ports)
        await world.quiet()
    return _without_counting(await hindrances(world))


def _without_counting(found: set[str]) -> set[str]:
    """Hindrances in, the same without the time that Azure takes to look at what is there, out."""
    return {one for one in found if "not counted yet" not in one}


Story = Callable[[Path, str], Awaitable[set[str]]]
STORIES: Final[tuple[Story, ...]] = (
    by_gateway,
    by_prefix,
    by_hub,
    with_machine,
    behind_gateway,
    with_cluster,
    behind_proxy,
    with_addresses,
)


@pytest.mark.parametrize("story", STORIES)
async def test_the_documented_roles_are_enough(tmp_path: Path, story: Story) -> None:
    assert await story(tmp_path, "") == set()


@pytest.mark.parametrize("action", [one for one in actions("spokes") if one != "*/read"])
async def test_nothing_in_the_role_on_spokes_is_too_much(tmp_path: Path, action: str) -> None:
    assert any([await story(tmp_path / str(number), action) for number, story in enumerate(STORIES)])


async def test_the_role_on_azure_policy_is_enough(tmp_path: Path) -> None:
    assert await with_azure_policy(tmp_path) == set()


@pytest.mark.parametrize("action", [one for one in actions("azure-policy") if one != "*/read"])
async def test_nothing_in_the_role_on_azure_policy_is_too_much(tmp_path: Path, action: str) -> None:
    assert await with_azure_policy(tmp_path, action)


@pytest.mark.parametrize("action", [one for one in actions("hub") if one != "*/read"])
async def test_nothing_in_the_role_on_a_hub_is_too_much(tmp_path: Path, action: str) -> None:
    assert await by_hub(tmp_path / "hub", at_hub=action) | await behind_gateway(tmp_path / "behind", at_hub=action)


async def test_nothing_in_the_role_on_a_vault_is_too_much(tmp_path: Path) -> None:
    assert len(data_actions("vault")) == 1
    assert await behind_proxy(tmp_path, vault=False)
