"""From an event to the proof: what the governor does about subnets without a NAT gateway."""

from pathlib import Path
from typing import Any

from governor.core.record import Became
from tests.scenarios.world import SUB, World, egress_group, gateway, network, subnet, vnet, vnet_body


async def test_a_new_vnet_with_inline_subnets_gets_its_gateway(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24"), ("db", "10.0.2.0/24")))
    await world.quiet()
    assert world.attached("spoke-1") == {"app": "ng-spoke-1", "db": "ng-spoke-1"}
    found, repaired = (await world.records())[:2]
    assert found.counts == {"Violation": 4}
    assert [o.became for o in repaired.outcomes] == [Became.DONE] * 5
    assert repaired.counts == {"Compliant": 4}
    assert repaired.changes[0].addresses


async def test_a_new_subnet_in_a_governed_vnet_joins_the_gateway_that_is_there(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    await world.quiet()
    before = len(world.writes())
    world.put_now(subnet("spoke-1", "late"), {"properties": {"addressPrefix": "10.0.9.0/24"}})
    await world.quiet()
    assert world.attached("spoke-1") == {"app": "ng-spoke-1", "late": "ng-spoke-1"}
    assert world.writes()[before:] == [f"PUT {subnet('spoke-1', 'late')}"]


async def test_a_gateway_that_somebody_takes_off_comes_back(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    await world.quiet()
    body = world.get(subnet("spoke-1", "app"))
    del body["properties"]["natGateway"]
    world.put_now(subnet("spoke-1", "app"), body)
    assert world.attached("spoke-1") == {"app": None}
    await world.quiet()
    assert world.attached("spoke-1") == {"app": "ng-spoke-1"}
    assert world.get(subnet("spoke-1", "app"))["properties"]["defaultOutboundAccess"] is False


async def test_attaching_an_existing_gateway_to_one_subnet_costs_four_requests(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.arm.load([*half_attached("spoke-1", "10.1"), *half_attached("spoke-2", "10.2")])
    # The worker is warm: it has listed the clusters of the subscription within the last half minute.
    await world.govern_once(vnet("spoke-1"))
    before = len(world.transport.requests)
    await world.govern_once(vnet("spoke-2"))
    assert world.attached("spoke-2") == {"app": "ng-spoke-2", "new": "ng-spoke-2"}
    asked = [f"{r.method} {r.path}" for r in world.transport.requests[before:] if "/operations/" not in r.path]
    assert asked[:4] == [
        f"GET {vnet('spoke-2')}",
        f"GET {gateway('spoke-2')}",
        f"GET {subnet('spoke-2', 'new')}",
        f"PUT {subnet('spoke-2', 'new')}",
    ]
    closing = asked[4:]
    assert all(request.startswith("GET ") for request in closing)


async def test_what_else_a_subnet_has_survives_the_attach(tmp_path: Path) -> None:
    world = World(tmp_path)
    nsg = network("networkSecurityGroups/nsg-app")
    world.put_now(nsg, {"location": "westeurope", "properties": {}})
    body = vnet_body(("plain", "10.0.1.0/24"))
    body["properties"]["subnets"].append(
        {
            "name": "rich",
            "properties": {
                "addressPrefix": "10.0.2.0/24",
                "networkSecurityGroup": {"id": nsg},
                "serviceEndpoints": [{"service": "Microsoft.Storage", "locations": ["westeurope"]}],
                "delegations": [{"name": "web", "properties": {"serviceName": "Microsoft.Web/serverFarms"}}],
                "privateEndpointNetworkPolicies": "Enabled",
                "aMemberOfTomorrow": {"kept": [1, 2, 3]},
            },
        }
    )
    world.put_now(vnet("spoke-1"), body)
    before = world.get(subnet("spoke-1", "rich"))["properties"]
    await world.quiet()
    after = world.get(subnet("spoke-1", "rich"))["properties"]
    # A delegated subnet counts as occupied, by an app that nobody has looked at: it is withheld and stays as it was.
    assert after == before
    assert world.attached("spoke-1")["plain"] == "ng-spoke-1"


async def test_unknown_members_and_a_security_group_survive_the_attach(tmp_path: Path) -> None:
    world = World(tmp_path)
    nsg = network("networkSecurityGroups/nsg-app")
    world.put_now(nsg, {"location": "westeurope", "properties": {}})
    body = vnet_body()
    rich = {
        "addressPrefix": "10.0.2.0/24",
        "networkSecurityGroup": {"id": nsg},
        "serviceEndpoints": [{"service": "Microsoft.Storage", "locations": ["westeurope"]}],
        "privateEndpointNetworkPolicies": "Enabled",
        "aMemberOfTomorrow": {"kept": [1, 2, 3]},
    }
    body["properties"]["subnets"] = [{"name": "rich", "properties": rich}]
    world.put_now(vnet("spoke-1"), body)
    before = world.get(subnet("spoke-1", "rich"))["properties"]
    await world.quiet()
    after = world.get(subnet("spoke-1", "rich"))["properties"]
    assert after.pop("natGateway") == {"id": gateway("spoke-1")}
    assert after.pop("defaultOutboundAccess") is False
    assert after == before


def half_attached(name: str, space: str) -> list[dict[str, Any]]:
    """A VNet with a NAT gateway on one of its two subnets, as an estate."""
    address = f"{egress_group()}/providers/Microsoft.Network/publicIPAddresses/pip-{name}"
    place = {"location": "westeurope"}
    standard = {"name": "StandardV2", "tier": "Regional"}
    return [
        {
            "id": f"/subscriptions/{SUB}/resourceGroups/rg-egress-westeurope",
            "type": "Microsoft.Resources/resourceGroups",
        }
        | place,
        {"id": address, "name": f"pip-{name}", "type": "Microsoft.Network/publicIPAddresses", "sku": standard}
        | place
        | {"properties": {"publicIPAllocationMethod": "Static", "ipAddress": f"20.0.0.{len(name)}"}},
        {"id": gateway(name), "name": f"ng-{name}", "type": "Microsoft.Network/natGateways", "sku": standard}
        | place
        | {"properties": {"publicIpAddresses": [{"id": address}]}},
        {"id": vnet(name), "name": name, "type": "Microsoft.Network/virtualNetworks"}
        | place
        | {
            "properties": {
                "addressSpace": {"addressPrefixes": [f"{space}.0.0/16"]},
                "subnets": [
                    {
                        "id": subnet(name, "app"),
                        "name": "app",
                        "properties": {
                            "addressPrefix": f"{space}.1.0/24",
                            "natGateway": {"id": gateway(name)},
                            "defaultOutboundAccess": False,
                        },
                    },
                    {"id": subnet(name, "new"), "name": "new", "properties": {"addressPrefix": f"{space}.2.0/24"}},
                ],
            }
        },
    ]


async def test_the_gateway_of_the_firewall_is_never_adopted(tmp_path: Path) -> None:
    world = World(tmp_path)
    estate = half_attached("spoke-1", "10.1")
    estate[-1]["properties"]["subnets"][0] |= {
        "id": subnet("spoke-1", "AzureFirewallSubnet"),
        "name": "AzureFirewallSubnet",
    }
    estate[2] |= {"id": gateway("firewall"), "name": "ng-firewall"}
    estate[-1]["properties"]["subnets"][0]["properties"]["natGateway"] = {"id": gateway("firewall")}
    world.arm.load(estate)
    await world.govern_once(vnet("spoke-1"))
    assert world.attached("spoke-1") == {"AzureFirewallSubnet": "ng-firewall", "new": "ng-spoke-1"}
