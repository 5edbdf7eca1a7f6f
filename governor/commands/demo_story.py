"""What happens in the demo, act by act. A stage in, the exit code out."""

import asyncio
import os
import shlex
import subprocess
import sys
from typing import Any, Final

from rich.markup import escape

from governor.commands import demo_facts, demo_view, words
from governor.commands.children import CHECKOUT
from governor.commands.demo_stage import Known, Stage
from governor.commands.errors import CommandError
from governor.core import ids
from governor.core.plan import Gate
from governor.core.policy import Requirement
from governor.core.verdict import Verdict
from governor.ports import Ports
from governor.wiring import Worker

APPS: Final = "11111111-aaaa-4aaa-8aaa-111111111111"
HUB: Final = ids.network("22222222-bbbb-4bbb-8bbb-222222222222", "rg-hub", "virtualNetworks", "hub-weu")
SHOP: Final = ids.network(APPS, "rg-network", "virtualNetworks", "spoke-shop")
PAY: Final = ids.network(APPS, "rg-network", "virtualNetworks", "spoke-pay")
ORDERS: Final = f"{SHOP}/subnets/snet-orders"
WEB: Final = f"{SHOP}/subnets/snet-web"
CLUSTERS: Final = (
    ("spoke-k8s-1", "westeurope", 20),
    ("spoke-k8s-2", "westeurope", 21),
    ("spoke-k8s-3", "northeurope", 22),
)
K8S: Final = tuple(ids.network(APPS, "rg-network", "virtualNetworks", name) for name, _, _ in CLUSTERS)


async def play(stage: Stage) -> int:
    """The whole tour; 0 only when everything that is governed is compliant, or withheld with a reason."""
    worker = Worker(stage.azure.settings())
    ports = worker.ports
    try:
        before = await demo_facts.judged(stage.azure, worker)
        demo_view.opening(stage, before)
        await _survey(stage, ports)
        await _shared_gateway(stage, ports)
        await _approval(stage, ports)
        await _hub(stage, ports)
        await _drift(stage, ports)
        known = await stage.known(ports)
        after = await demo_facts.judged(stage.azure, worker)
        demo_view.comparison(stage, before, after, known)
        chains = [one async for one in ports.ledger.verify()]
    finally:
        await worker.close()
    if broken := [one for one in chains if one.wrong]:
        raise CommandError(f"the chain of {broken[0].subscription} is broken: {broken[0].wrong}")
    demo_facts.same(after, known.verdicts)
    return demo_view.closing(stage, known, sum(one.records for one in chains))


async def _survey(stage: Stage, ports: Ports) -> None:
    stage.title(1, "A survey finds what was wrong before the governor came")
    stage.say("timer", "sweep: Resource Graph is asked about every subscription; what is wrong is put into a queue")
    stage.azure.sweep()
    wanted = {ids.key(network) for network in stage.azure.networks}

    def looked(known: Known) -> bool:
        return {_network(key) for key in known.verdicts} >= wanted and not known.open()

    await stage.until("everything the survey found was looked at", ports, looked)


async def _shared_gateway(stage: Stage, ports: Ports) -> None:
    stage.title(2, "One NAT gateway for all node pools of a network")
    await _command(stage, "explain", WEB, only=("leaves by", "from", "hazard"))
    pools = {name: f"{PAY}/subnets/{name}" for name in ("snet-pool-1", "snet-pool-2")}
    for number, subnet in enumerate(pools.values(), 3):
        _put(stage, subnet, {"properties": {"addressPrefix": f"10.11.{number}.0/24"}}, "a new node pool's subnet")
    await stage.until(
        "both subnets leave by the same gateway", ports, lambda known: _mended(stage, known, *pools.values())
    )


async def _approval(stage: Stage, ports: Ports) -> None:
    stage.title(3, "An occupied subnet: a person decides")
    offer = (await stage.known(ports)).reasons.of(_egress(await stage.known(ports), ORDERS))
    if offer is None or any(reason.gate is not Gate.APPROVAL for reason in offer.withheld.reasons):
        raise CommandError(f"the repair of {words.short(ORDERS)} should wait for an approval, and does not")
    remediation = offer.withheld.remediation
    stage.say("waits", f"{escape(words.short(ORDERS))}: {escape(offer.withheld.reasons[0].text)}")
    await _command(stage, "approve", remediation.digest, "--reason", "the shop team has told its partners")
    await stage.until("the approved repair is done", ports, lambda known: _mended(stage, known, ORDERS))


async def _hub(stage: Stage, ports: Ports) -> None:
    stage.title(4, "Three clusters arrive at once, in two regions: each gets the way to its region's hub")
    for resource_id, (_, region, number) in zip(K8S, CLUSTERS, strict=True):
        subnet = {"name": "snet-nodes", "properties": {"addressPrefix": f"10.{number}.1.0/24"}}
        properties = {"addressSpace": {"addressPrefixes": [f"10.{number}.0.0/16"]}, "subnets": [subnet]}
        body = {"location": region, "tags": {"egress": "hub"}, "properties": properties}
        _put(stage, resource_id, body, f"a new network in {region}, tagged egress=hub")
    wanted = [part for network in K8S for part in (network, f"{network}/subnets/snet-nodes")]
    await stage.until(
        "all three are peered, routed and attached",
        ports,
        lambda known: known.compliant(*wanted) and all(ids.key(one) in stage.written for one in wanted[1::2]),
    )
    table = stage.azure.arm.get(ids.network(APPS, "rg-egress-westeurope", "routeTables", "rt-spoke-k8s-1"))
    for route in table["properties"]["routes"]:
        properties = route["properties"]
        to = properties.get("nextHopIpAddress") or properties["nextHopType"]
        stage.say("route", f"rt-spoke-k8s-1: {properties['addressPrefix']} -> {to}  [dim]{route['name']}[/]")
    await _command(
        stage, "addresses", only=("subnet ", "spoke-k8s", "spoke-erp", "spoke-lake", "spoke-factory", "spoke-pay")
    )


async def _drift(stage: Stage, ports: Ports) -> None:
    stage.title(5, "Somebody takes it away: events tell")
    spoke, subnet = K8S[0], f"{K8S[1]}/subnets/snet-nodes"
    theirs = _peering(stage, HUB, spoke)
    body = stage.azure.arm.get(subnet)
    del body["properties"]["routeTable"]
    _put(stage, subnet, body, "the same body without its routeTable")
    _delete(stage, theirs, f"the hub's side of the peering with {words.short(spoke)}")

    def mended(known: Known) -> bool:
        return _mended(stage, known, subnet) and known.compliant(spoke) and _written_below(stage, spoke)

    await stage.until("the table is attached and both networks are peered again", ports, mended)


def _mended(stage: Stage, known: Known, *subnets: str) -> bool:
    """Whether a Record of this act says that these subnets were written, and they are compliant now."""
    return known.compliant(*subnets) and all(ids.key(subnet) in stage.written for subnet in subnets)


def _written_below(stage: Stage, network: str) -> bool:
    """Whether a Record of this act says that something of a network was written."""
    return any(one.startswith(f"{ids.key(network)}/") for one in stage.written)


def _egress(known: Known, subnet: str) -> Verdict:
    return next(v for v in known.verdicts[ids.key(subnet)] if v.requirement == Requirement.SUBNET_EGRESS)


def _network(key: str) -> str:
    return key if ids.kind(key) == ids.VIRTUAL_NETWORK else ids.parent(key)


def _peering(stage: Stage, network: str, other: str) -> str:
    """A network and its peer in, the id of its side out."""
    for one in stage.azure.arm.get(network)["properties"]["virtualNetworkPeerings"]:
        if ids.same(one["properties"]["remoteVirtualNetwork"]["id"], other):
            return str(one["id"])
    raise CommandError(f"{words.short(network)} has no peering with {words.short(other)}")


def _put(stage: Stage, resource_id: str, body: dict[str, Any], what: str) -> None:
    status = stage.azure.arm.put(resource_id, body)
    stage.say("alice", f"PUT {escape(words.short(resource_id))}: {what} [dim]-> {status}[/]")


def _delete(stage: Stage, resource_id: str, what: str) -> None:
    status = stage.azure.arm.delete(resource_id)
    name = f"{ids.name(ids.parent(resource_id))}/{ids.name(resource_id)}"
    stage.say("bob", f"DELETE {escape(name)}: {what} [dim]-> {status}[/]")


async def _command(stage: Stage, *arguments: str, only: tuple[str, ...] = ()) -> None:
    """Runs a command of ours as a person would; shows its output, or the lines that begin with one of `only`."""
    stage.say("you", f"[bold]$ egress-governor {escape(shlex.join(arguments))}[/]")
    command = [sys.executable, "-m", "governor.cli", *arguments]
    environ = {**os.environ, **stage.azure.environ, "COLUMNS": str(stage.console.width - 11)}
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=CHECKOUT, env=environ, capture_output=True, text=True, check=False
    )
    for line in (done.stdout + done.stderr).splitlines():
        if not only or line.startswith(only):
            stage.say("", escape(line))
    if done.returncode:
        raise CommandError(f"`{arguments[0]}` ended with {done.returncode}")
