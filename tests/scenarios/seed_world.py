"""What the scenarios of the seeds share: a World that is woken by an event or by a sweep, and what came of it.

await found(world, by)          # `by` is "an event" or "a sweep": somebody's writes are found that way
"""

import io
import json
from typing import Any, Final, Literal

import pytest
from rich.console import Console

from governor import decisions
from governor.commands import estate_file, explain_view, explaining
from governor.core import ids
from governor.core.plan import Reason
from governor.core.proof import Proof
from governor.core.record import Record
from governor.core.standing import Ruling
from governor.core.verdict import Verdict
from tests.scenarios.world import REGION, SUB, World, network

By = Literal["an event", "a sweep"]
FOUND: Final = pytest.mark.parametrize("by", ["an event", "a sweep"])
STATIC: Final = {
    "location": REGION,
    "sku": {"name": "Standard"},
    "properties": {"publicIPAllocationMethod": "Static"},
}


async def found(world: World, by: By) -> None:
    """What somebody has done until now is found by its events, or, where these are lost, by a sweep."""
    if by == "an event":
        await world.quiet()
        return
    world.deaf = True
    await world.quiet()
    world.clock.advance(3600)
    await world.sweep(SUB)
    world.deaf = False


async def verdict(world: World, resource: str, requirement: str) -> Verdict:
    """What stands about a resource."""
    (one,) = [
        each
        for each in await world.ports.ledger.verdicts()
        if ids.same(each.resource, resource) and each.requirement == requirement
    ]
    return one


async def why(world: World, resource: str, requirement: str = "") -> tuple[Reason, ...]:
    """Why what is wrong with a resource is not repaired, as people are told."""
    return next(
        (
            one.withheld.reasons
            for one in await world.ports.ledger.offered()
            if ids.same(one.withheld.remediation.resource, resource)
            and (not requirement or requirement in one.withheld.remediation.requirements)
        ),
        (),
    )


async def approve(world: World, resource: str) -> None:
    """A person agrees with what is asked about a resource."""
    (digest,) = [
        one.withheld.remediation.digest
        for one in await world.ports.ledger.offered()
        if ids.same(one.withheld.remediation.resource, resource) and one.withheld.remediation.steps
    ]
    await decisions.rule(digest, Ruling.APPROVE, ("ann", "agreed"), world.ports, world.rules.policies)
    await world.quiet()


async def last(world: World) -> Record:
    """The account of the last run that wrote something."""
    return [record for record in await world.records() if record.outcomes][-1]


async def proven(world: World) -> dict[str, Proof]:
    """By name of a subnet, what the last Record that wrote something says of how far it is proven."""
    return {ids.name(one.resource): one for one in (await last(world)).proofs}


async def undo(world: World, record: Record) -> None:
    """A person takes a run back."""
    world.clock.advance(600)
    await decisions.undo(record.id, 7, ("ann", "not now"), world.ports)
    await world.quiet()


def explained(world: World, resource: str) -> str:
    """What `explain` says of a resource, asked of an export of all that there is."""
    path = world.folder / "export.json"
    path.write_text(json.dumps({"data": world.arm.export()}))
    said = explaining.in_file(resource, estate_file.read(path), world.rules.policies)
    out = io.StringIO()
    explain_view.show(said, Console(file=out, width=400, no_color=True))
    return out.getvalue()


def machine(world: World, name: str, where: str, **inner: Any) -> str:
    """A virtual machine moves into a subnet; the id of its interface."""
    nic = network(f"networkInterfaces/{name}-nic")
    configuration = {"name": "c", "properties": {"subnet": {"id": where}, **inner}}
    world.put_now(nic, {"location": REGION, "properties": {"ipConfigurations": [configuration]}})
    path = f"{ids.group_of(nic)}/providers/Microsoft.Compute/virtualMachines/{name}"
    profile = {"networkProfile": {"networkInterfaces": [{"id": nic}]}}
    world.put_now(path, {"location": REGION, "properties": profile}, "2024-07-01")
    return nic


def address(world: World, name: str) -> str:
    """A public address that nobody has; its id."""
    pip = network(f"publicIPAddresses/{name}")
    world.put_now(pip, STATIC)
    return pip


def balancer(world: World, name: str, frontend: dict[str, Any], **more: Any) -> str:
    """A Standard load balancer with one frontend `fe` and one pool `pool`; its id."""
    made = network(f"loadBalancers/{name}")
    front, pool = {"id": f"{made}/frontendIPConfigurations/fe"}, {"id": f"{made}/backendAddressPools/pool"}
    parts: dict[str, Any] = {
        "frontendIPConfigurations": [{"name": "fe", "properties": frontend}],
        "backendAddressPools": [{"name": "pool"}],
    }
    for array, properties in more.items():
        ways = {"frontendIPConfigurations": [front]} if array == "outboundRules" else {"frontendIPConfiguration": front}
        parts[array] = [{"name": "one", "properties": {**ways, "backendAddressPool": pool, **properties}}]
    world.put_now(made, {"location": REGION, "sku": {"name": "Standard"}, "properties": parts})
    return made


def behind(made: str) -> dict[str, Any]:
    """What an ip configuration says that is in the pool of a load balancer."""
    return {"loadBalancerBackendAddressPools": [{"id": f"{made}/backendAddressPools/pool"}]}


WEB: Final = {"protocol": "Tcp", "frontendPort": 80, "backendPort": 80}


def settled(world: World) -> None:
    """What was put up to now has been there for days, and nobody has looked at it."""
    world.clock.advance(3 * 24 * 3600)
    world.arm.settle()
    world.arm.take_events()
