"""A proxy with credentials in a vault, a network for it with a NAT gateway, and spokes whose clusters are to use it."""

from pathlib import Path
from typing import Any, Final

import msgspec

from governor import decisions
from governor.core import ids
from governor.core.plan import Gate
from governor.core.policy import Clusters, Egress, Mode, Policy, ProxyPolicy, Select
from governor.core.standing import Ruling
from tests.scenarios.cluster_world import cluster
from tests.scenarios.world import GROUP, REGION, World, network, subnet, vnet, vnet_body

NODES: Final = subnet("spoke-1", "nodes")
HOST: Final = subnet("proxies", "squid")
VAULT: Final = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-proxy"
VAULT_API: Final = "2023-07-01"
PASSWORD: Final = "hunter2+Xy/9"
ADDRESS: Final = f"http://squid:{PASSWORD}@proxy.corp.example:3128"
SHOWN: Final = "http://proxy.corp.example:3128"
PRIVATE: Final[dict[str, Any]] = {
    "apiServerAccessProfile": {"enablePrivateCluster": True},
    "bootstrapProfile": {"artifactSource": "Cache"},
}


def proxied(proxy: ProxyPolicy | None = None, **changes: Any) -> Policy:
    """Clusters leave by the proxy alone: no public address, private subnets, no load balancer."""
    wanted: dict[str, Any] = {
        "name": "proxied",
        "mode": Mode.ENFORCE,
        "occupied": Mode.ENFORCE,
        "select": Select(virtual_networks=("spoke-*",)),
        "egress": Egress(proxy=proxy or ProxyPolicy(https="@keyvault:kv-proxy/address", proxy_host=HOST)),
        "clusters": Clusters(outbound_type="none"),
    }
    return Policy(**{**wanted, **changes})


def secret(world: World, name: str = "address", value: str = ADDRESS) -> None:
    """Somebody puts a secret into the vault, or a new version of it."""
    world.put_now(f"{VAULT}/secrets/{name}", {"properties": {"value": value}}, VAULT_API)


def with_proxy(folder: Path, *policies: Policy, egress: bool = True, **options: Any) -> World:
    """A World with vault, secret, the proxy's own network, and a spoke that nobody has looked at."""
    folder.mkdir(exist_ok=True)
    world = World(folder, *(policies or (proxied(),)), **options)
    world.put_now(VAULT, {"location": REGION, "properties": {}}, VAULT_API)
    secret(world)
    host = vnet_body(("squid", "10.9.1.0/24"), space="10.9.0.0/16")
    if egress:
        pip, gateway = network("publicIPAddresses/pip-squid"), network("natGateways/ng-squid")
        static = {"publicIPAllocationMethod": "Static"}
        world.put_now(pip, {"location": REGION, "sku": {"name": "Standard"}, "properties": static})
        body = {"location": REGION, "sku": {"name": "Standard"}, "properties": {"publicIpAddresses": [{"id": pip}]}}
        world.clock.advance(60)
        world.put_now(gateway, body)
        world.clock.advance(60)
        host["properties"]["subnets"][0]["properties"]["natGateway"] = {"id": gateway}
    world.put_now(vnet("proxies"), host)
    world.put_now(vnet("spoke-1"), vnet_body(("nodes", "10.0.1.0/24")))
    world.clock.advance(3 * 24 * 3600)
    world.arm.settle()
    world.arm.take_events()
    return world


async def offers(world: World, name: str = "k1") -> dict[str, tuple[tuple[Gate, str], ...]]:
    """What waits for people about a cluster: by digest, the reasons."""
    found = [offer.withheld for offer in await world.ports.ledger.offered()]
    mine = [one for one in found if ids.same(one.remediation.resource, cluster(name))]
    return {one.remediation.digest: tuple((r.gate, r.text) for r in one.reasons) for one in mine}


async def approve(world: World, name: str = "k1") -> str:
    """A person agrees to the one thing that waits for nothing but that; its digest comes out."""
    (digest,) = [d for d, reasons in (await offers(world, name)).items() if {g for g, _ in reasons} == {Gate.APPROVAL}]
    await decisions.rule(digest, Ruling.APPROVE, ("ann", "go"), world.ports, world.rules.policies)
    await world.quiet()
    return digest


def privacy(world: World, name: str = "nodes") -> object:
    return world.get(subnet("spoke-1", name))["properties"].get("defaultOutboundAccess")


def config(world: World, name: str = "k1") -> dict[str, Any]:
    answer = world.ask("GET", cluster(name), version="2025-05-01")
    found: dict[str, Any] = msgspec.json.decode(answer.body)["properties"].get("httpProxyConfig") or {}
    return found


def reimages(world: World, name: str = "k1") -> int:
    """How often all nodes of a cluster were made anew."""
    (body,) = [one for one in world.arm.export() if ids.same(str(one["id"]), cluster(name))]
    return int(body.get("simulator", {}).get("reimages", 0))


def spoken(folder: Path, *more: str) -> bytes:
    """Every byte that was kept in a folder, and what else was said."""
    kept = b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
    return kept + "\n".join(more).encode()
