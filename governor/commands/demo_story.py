"""What happens in the demo, act by act. A stage in, the exit code out."""

import asyncio
import os
import shlex
import subprocess
import sys
from typing import Any, Final

from rich.markup import escape

from governor.commands import demo_view, local_azure, words
from governor.commands.children import CHECKOUT
from governor.commands.demo_stage import Known, Stage, judged
from governor.commands.errors import CommandError
from governor.core import ids
from governor.core.plan import Gate
from governor.core.verdict import Verdict
from governor.ports import Ports
from governor.wiring import Worker

APPS: Final = "11111111-aaaa-4aaa-8aaa-111111111111"
SHOP: Final = ids.network(APPS, "rg-network", "virtualNetworks", "spoke-shop")
PAY: Final = ids.network(APPS, "rg-network", "virtualNetworks", "spoke-pay")
MOBILE: Final = ids.network(APPS, "rg-network", "virtualNetworks", "spoke-mobile")
ORDERS: Final = f"{SHOP}/subnets/snet-orders"


async def play(stage: Stage) -> int:
    """The whole tour; 0 only when everything that is governed is compliant, or withheld with a reason."""
    worker = Worker(stage.azure.settings())
    ports, policies = worker.ports, worker.rules().policies
    try:
        before = judged(stage.estate("before"), policies)
        demo_view.opening(stage, before)
        await _first_look(stage, ports)
        await _new_network(stage, ports)
        await _new_subnet(stage, ports)
        await _taken_off(stage, ports)
        await _approval(stage, ports)
        known = await stage.known(ports)
        after = judged(stage.estate("after"), policies)
        demo_view.comparison(stage, before, after, known)
        chains = [one async for one in ports.ledger.verify()]
    finally:
        await worker.close()
    if broken := [one for one in chains if one.wrong]:
        raise CommandError(f"the chain of {broken[0].subscription} is broken: {broken[0].wrong}")
    _same(after, known)
    return demo_view.closing(stage, known, sum(one.records for one in chains))


async def _first_look(stage: Stage, ports: Ports) -> None:
    stage.title(1, "A first look at everything that is there")
    await local_azure.ask_for_a_look(stage.azure.networks, ports.inbox)
    wanted = {ids.key(network) for network in stage.azure.networks}

    def looked(known: Known) -> bool:
        return {ids.parent(subnet) for subnet in known.verdicts} >= wanted and not known.open()

    await stage.until("every network was looked at", ports, looked)


async def _new_network(stage: Stage, ports: Ports) -> None:
    stage.title(2, "A team deploys a network with two subnets in it")
    subnets = [
        {"name": name, "properties": {"addressPrefix": prefix}}
        for name, prefix in (("snet-app", "10.20.1.0/24"), ("snet-data", "10.20.2.0/24"))
    ]
    body = {
        "location": "westeurope",
        "properties": {"addressSpace": {"addressPrefixes": ["10.20.0.0/16"]}, "subnets": subnets},
    }
    _put(stage, MOBILE, body, "a new virtual network, subnets inline")
    wanted = [f"{MOBILE}/subnets/{subnet['name']}" for subnet in subnets]
    await stage.until("both subnets leave by a NAT gateway", ports, lambda known: _mended(stage, known, *wanted))


async def _new_subnet(stage: Stage, ports: Ports) -> None:
    stage.title(3, "A subnet is added beside others that have a NAT gateway already")
    _put(stage, f"{PAY}/subnets/snet-refunds", {"properties": {"addressPrefix": "10.11.3.0/24"}}, "a new subnet")
    wanted = f"{PAY}/subnets/snet-refunds"
    await stage.until("it leaves by the same gateway", ports, lambda known: _mended(stage, known, wanted))


async def _taken_off(stage: Stage, ports: Ports) -> None:
    stage.title(4, "Somebody takes a NAT gateway off a subnet")
    subnet = f"{PAY}/subnets/snet-jobs"
    body = stage.azure.arm.get(subnet)
    del body["properties"]["natGateway"]
    _put(stage, subnet, body, "the same body without its natGateway")
    await stage.until("the gateway is attached again", ports, lambda known: _mended(stage, known, subnet))


async def _approval(stage: Stage, ports: Ports) -> None:
    stage.title(5, "An occupied subnet: a person decides")
    # Its gateway exists since the first act: whoever approves sees the very address.
    await local_azure.ask_for_a_look([SHOP], ports.inbox)
    known = await stage.until("the offer names the new address", ports, _address_known)
    offer = known.offered.get(ids.key(ORDERS))
    if offer is None or any(reason.gate is not Gate.APPROVAL for reason in offer.withheld.reasons):
        raise CommandError(f"the repair of {words.short(ORDERS)} should wait for an approval, and does not")
    remediation = offer.withheld.remediation
    stage.say("waits", f"{escape(words.short(ORDERS))}: {escape(offer.withheld.reasons[0].text)}")
    arguments = ["approve", remediation.digest, "--reason", "the shop team has told its partners"]
    stage.say("you", f"[bold]$ egress-governor {escape(shlex.join(arguments))}[/]")
    command = [sys.executable, "-m", "governor.cli", *arguments]
    environ = {**os.environ, **stage.azure.environ}
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=CHECKOUT, env=environ, capture_output=True, text=True, check=False
    )
    for line in (done.stdout + done.stderr).splitlines():
        stage.say("", escape(line))
    if done.returncode:
        raise CommandError(f"`approve` ended with {done.returncode}")
    await stage.until("the approved repair is done", ports, lambda known: _mended(stage, known, ORDERS))


def _mended(stage: Stage, known: Known, *subnets: str) -> bool:
    """Whether a Record of this act says that these subnets were written, and they are compliant now."""
    return known.compliant(*subnets) and all(ids.key(subnet) in stage.written for subnet in subnets)


def _address_known(known: Known) -> bool:
    offer = known.offered.get(ids.key(ORDERS))
    return offer is not None and not any(
        new.startswith("address of") for new in offer.withheld.remediation.new_addresses
    )


def _put(stage: Stage, resource_id: str, body: dict[str, Any], what: str) -> None:
    status = stage.azure.arm.put(resource_id, body)
    stage.say(
        "alice", f"PUT {escape(words.short(resource_id))}: {what} [dim]-> {status}; Event Grid tells the governor[/]"
    )


def _same(after: dict[str, tuple[Verdict, ...]], known: Known) -> None:
    """What the ledger says must be what the same core says of Azure as it is now."""
    for key, verdicts in after.items():
        says = {verdict.requirement: verdict.result for verdict in known.verdicts.get(key, ())}
        for verdict in verdicts:
            if says.get(verdict.requirement) is not verdict.result:
                raise CommandError(
                    f"{words.short(verdict.resource)} is {verdict.result.value}, and the ledger does not say so"
                )
