"""What is judged and never repaired, in a world that runs: ways in, DDoS protection, apps."""

from pathlib import Path
from typing import Any, Final

import pytest

from governor.core import ids
from governor.core.policy import Policy, PublicIps, Requirement
from governor.core.policy_terms import AllowedAddress, Ingress
from governor.core.verdict import Result, Verdict
from simulator.arm import Fault
from tests.scenarios.world import GROUP, REGION, World, nat_policy, network, subnet, vnet, vnet_body

GATEWAY: Final = network("applicationGateways/agw")
WAF: Final = network("applicationGatewayWebApplicationFirewallPolicies/waf")
SECURITY: Final = network("networkSecurityGroups/nsg-app")
PIP: Final = network("publicIPAddresses/pip-agw")
NIC: Final = network("networkInterfaces/nic-vm")
SITE: Final = f"{GROUP}/providers/Microsoft.Web/sites/shop"
PLAN: Final = f"{GROUP}/providers/Microsoft.Web/serverfarms/plan"
APPS: Final = "2024-11-01"
STANDARD: Final = {
    "location": REGION,
    "sku": {"name": "Standard"},
    "properties": {"publicIPAllocationMethod": "Static"},
}
AUDITED: Final = (
    Requirement.INGRESS_PATH,
    Requirement.INGRESS_WAF,
    Requirement.INGRESS_NSG,
    Requirement.PUBLIC_IP_DDOS,
    Requirement.APP_ROUTE_ALL,
)


def policy(**ingress: Any) -> Policy:
    edge = AllowedAddress(names=("pip-agw",))
    return nat_policy(ingress=Ingress(**{"ddos": "audit", **ingress}), public_ips=PublicIps(allow=(edge,)))


def waf(mode: str) -> dict[str, Any]:
    rules = {"managedRuleSets": [{"ruleSetType": "OWASP", "ruleSetVersion": "3.2"}]}
    settings = {"state": "Enabled", "mode": mode}
    return {"location": REGION, "properties": {"policySettings": settings, "managedRules": rules}}


def rule(name: str, priority: int, source: str, access: str) -> dict[str, Any]:
    return {
        "name": name,
        "properties": {
            "priority": priority,
            "direction": "Inbound",
            "access": access,
            "protocol": "*",
            "sourceAddressPrefix": source,
            "sourcePortRange": "*",
            "destinationAddressPrefix": "*",
            "destinationPortRange": "*",
        },
    }


def security(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"location": REGION, "properties": {"securityRules": list(rules)}}


def gateway() -> dict[str, Any]:
    """An application gateway of version 2 in front of the machine."""

    def part(array: str, name: str) -> dict[str, str]:
        return {"id": f"{GATEWAY}/{array}/{name}"}

    return {
        "location": REGION,
        "properties": {
            "sku": {"name": "WAF_v2", "tier": "WAF_v2", "capacity": 2},
            "gatewayIPConfigurations": [
                {
                    "name": "ipc",
                    "properties": {"subnet": {"id": subnet("spoke-1", "agw")}},
                    **part("gatewayIPConfigurations", "ipc"),
                }
            ],
            "frontendIPConfigurations": [
                {
                    "name": "public",
                    "properties": {"publicIPAddress": {"id": PIP}},
                    **part("frontendIPConfigurations", "public"),
                }
            ],
            "frontendPorts": [{"name": "web", "properties": {"port": 80}, **part("frontendPorts", "web")}],
            "backendAddressPools": [
                {
                    "name": "vm",
                    "properties": {"backendAddresses": [{"ipAddress": "10.0.1.4"}]},
                    **part("backendAddressPools", "vm"),
                }
            ],
            "backendHttpSettingsCollection": [
                {
                    "name": "http",
                    "properties": {"port": 80, "protocol": "Http"},
                    **part("backendHttpSettingsCollection", "http"),
                }
            ],
            "httpListeners": [
                {
                    "name": "http",
                    "properties": {
                        "frontendIPConfiguration": part("frontendIPConfigurations", "public"),
                        "frontendPort": part("frontendPorts", "web"),
                        "protocol": "Http",
                    },
                    **part("httpListeners", "http"),
                }
            ],
            "requestRoutingRules": [
                {
                    "name": "all",
                    "properties": {
                        "ruleType": "Basic",
                        "priority": 100,
                        "httpListener": part("httpListeners", "http"),
                        "backendAddressPool": part("backendAddressPools", "vm"),
                        "backendHttpSettings": part("backendHttpSettingsCollection", "http"),
                    },
                    **part("requestRoutingRules", "all"),
                }
            ],
            "firewallPolicy": {"id": WAF},
        },
    }


async def fronted(folder: Path, *policies: Policy) -> World:
    """A network with a gateway, and the machine behind it."""
    world = World(folder, *(policies or (policy(),)))
    world.put_now(SECURITY, security())
    body = vnet_body(("app", "10.0.1.0/24"), ("agw", "10.0.9.0/24"))
    body["properties"]["subnets"][0]["properties"]["networkSecurityGroup"] = {"id": SECURITY}
    world.put_now(vnet("spoke-1"), body)
    world.put_now(PIP, STANDARD)
    world.put_now(WAF, waf("Detection"))
    world.put_now(GATEWAY, gateway())
    inner = {
        "subnet": {"id": subnet("spoke-1", "app")},
        "privateIPAddress": "10.0.1.4",
        "privateIPAllocationMethod": "Static",
    }
    world.put_now(NIC, {"location": REGION, "properties": {"ipConfigurations": [{"name": "c", "properties": inner}]}})
    await world.quiet()
    world.clock.advance(600)
    await world.govern_once(vnet("spoke-1"))
    await world.quiet()
    return world


async def told(world: World) -> dict[tuple[str, str], Verdict]:
    found = await world.ports.ledger.verdicts()
    return {(v.requirement, ids.name(v.resource)): v for v in found if v.requirement in AUDITED}


async def results(world: World) -> dict[tuple[str, str], Result]:
    return {key: verdict.result for key, verdict in (await told(world)).items()}


async def test_seed_b_what_is_wrong_with_the_way_in_is_told_and_left_to_its_owner(tmp_path: Path) -> None:
    world = await fronted(tmp_path)
    assert await results(world) == {
        ("ingress-path", "app"): Result.COMPLIANT,
        ("ingress-waf", "agw"): Result.VIOLATION,
        ("ingress-nsg", "app"): Result.VIOLATION,
        ("public-ip-ddos", "pip-agw"): Result.VIOLATION,
    }
    seen = await told(world)
    assert "is in mode Detection, which blocks nothing" in seen["ingress-waf", "agw"].seen
    assert seen["ingress-nsg", "app"].seen == "nsg-app lets in VirtualNetwork (rule AllowVnetInBound)"
    assert "it inherits from network spoke-1, which has no DDoS protection" in seen["public-ip-ddos", "pip-agw"].seen
    touched = [
        w for w in world.writes() if any(one in w for one in ("applicationGateway", "SecurityGroup", "publicIP"))
    ]
    assert [w for w in touched if "rg-egress" not in w] == []
    # Its owner mends it, and a run tells so.
    world.put_now(WAF, waf("Prevention"))
    rules = (rule("web", 100, "10.0.9.0/24", "Allow"), rule("nobody-else", 4096, "*", "Deny"))
    world.put_now(SECURITY, security(*rules))
    body = world.get(PIP)
    body["properties"]["ddosSettings"] = {"protectionMode": "Enabled"}
    world.put_now(PIP, body)
    world.clock.advance(600)
    await world.quiet()
    assert set((await results(world)).values()) == {Result.COMPLIANT}


async def test_seed_b_a_sweep_tells_the_same_of_the_way_in(tmp_path: Path) -> None:
    world = await fronted(tmp_path)
    by_run = await told(world)
    world.clock.advance(3600)
    await world.sweep()
    assert await told(world) == by_run
    world.deaf = True
    world.put_now(WAF, waf("Prevention"))
    world.clock.advance(3600)
    await world.sweep()
    assert (await results(world))["ingress-waf", "agw"] is Result.COMPLIANT


async def test_gateways_that_nobody_may_list_are_unknown(tmp_path: Path) -> None:
    world = await fronted(tmp_path)
    world.arm.faults.append(Fault("GET", "applicationGateways$", None, 403, "AuthorizationFailed", "no permission"))
    world.clock.advance(600)
    await world.govern_once(vnet("spoke-1"))
    await world.quiet()
    found = await told(world)
    assert found["ingress-waf", "agw"].result is Result.UNKNOWN
    assert "no permission" in found["ingress-waf", "agw"].seen
    assert ("ingress-nsg", "app") not in found


async def test_what_no_policy_asks_for_is_not_read(tmp_path: Path) -> None:
    world = await fronted(tmp_path, policy(waf="off", nsg="off", ddos="off"))
    asked = [r.path.casefold() for r in world.transport.requests]
    words = ("applicationgateway", "networksecuritygroup", "microsoft.web")
    assert [path for path in asked if any(word in path for word in words)] == []
    assert await results(world) == {}


async def test_a_run_asks_for_gateways_once_and_for_what_they_name(tmp_path: Path) -> None:
    world = await fronted(tmp_path)
    world.clock.advance(3600)
    before = len(world.transport.requests)
    await world.govern_once(vnet("spoke-1"))
    await world.quiet()
    asked = [r.path.casefold() for r in world.transport.requests[before:] if r.method == "GET"]
    for ending in ("/applicationgateways", ids.key(WAF), ids.key(SECURITY)):
        assert len([path for path in asked if path.endswith(ending)]) == 1
    assert [path for path in asked if path == ids.key(GATEWAY)] == []


@pytest.mark.parametrize("swept", [False, True])
async def test_an_app_that_does_not_send_all_through_its_subnet_is_told(tmp_path: Path, swept: bool) -> None:
    world = World(tmp_path)
    body = vnet_body(("web", "10.0.1.0/24"))
    inside = body["properties"]["subnets"][0]["properties"]
    inside["delegations"] = [{"name": "d", "properties": {"serviceName": "Microsoft.Web/serverFarms"}}]
    link = {"linkedResourceType": "Microsoft.Web/serverfarms", "link": PLAN, "allowDelete": False}
    inside["serviceAssociationLinks"] = [{"name": "AppServiceLink", "properties": link}]
    world.arm.load([{"id": vnet("spoke-1"), "type": "Microsoft.Network/virtualNetworks", **body}])
    routing = {"allTraffic": False, "applicationTraffic": False}
    properties = {
        "serverFarmId": PLAN,
        "virtualNetworkSubnetId": subnet("spoke-1", "web"),
        "outboundVnetRouting": routing,
    }
    world.put_now(SITE, {"location": REGION, "properties": properties}, APPS)
    world.clock.advance(600)
    if swept:
        await world.sweep()
    else:
        await world.govern_once(vnet("spoke-1"))
        await world.quiet()
    found = await told(world)
    assert {key: verdict.result for key, verdict in found.items()} == {("app-route-all", "shop"): Result.VIOLATION}
    properties["outboundVnetRouting"] = {"allTraffic": True}
    world.put_now(SITE, {"location": REGION, "properties": properties}, APPS)
    world.clock.advance(600)
    await world.quiet()
    assert (await results(world))["app-route-all", "shop"] is Result.COMPLIANT
