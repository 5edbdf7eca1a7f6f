"""A resource in, the subnets it touches as Azure (or the simulator) has them now out, each with all that is known."""

import asyncio
import os
from functools import partial
from pathlib import Path

from governor.commands.concerned import concerned
from governor.commands.deployment import reach, settings_of
from governor.commands.errors import CommandError
from governor.commands.explain_address import HOLDERS, MAY_BE_ALONE, Own, own
from governor.commands.explaining import Explained, Found, explained, wanted
from governor.core import facts, ids, needs
from governor.core.cause import Cause, Remainder, Scope, Source, VirtualNetwork
from governor.core.circumstances import Circumstances
from governor.core.estate import ABSENT
from governor.core.whereabouts import KINDS, home
from governor.homes import homes_of
from governor.loop import Rules
from governor.ports import Ports
from governor.wiring import Worker


def in_azure(resource_id: str, policies: Path | None) -> Found:
    """A resource id and a folder of policies in, what Azure (or the simulator) says of it now out."""
    return asyncio.run(_in_azure(resource_id, policies))


async def _in_azure(resource_id: str, policies: Path | None) -> Found:
    settings = settings_of(os.environ, policies)
    reach(settings)
    worker = Worker(settings)
    try:
        return await read(resource_id, worker.ports, worker.rules(), settings.arm_endpoint)
    finally:
        await worker.close()


async def read(resource_id: str, ports: Ports, rules: Rules, source: str) -> Found:
    """A resource id, the ports and policies of a governor, and what its Azure is called, in; what it says now out."""
    found: list[Explained] = []
    itself = Own()
    for network, subnets in (await _named(resource_id, ports)).items():
        scope = VirtualNetwork(network)
        standing = await ports.ledger.standing(scope, _asked(scope, ports))
        asks = wanted(resource_id, rules.policies, standing, subnets)
        estate = await ports.cloud.observe(scope, asks)
        if not estate.networks:
            gone = estate.find(network, facts.VirtualNetwork) is ABSENT
            raise CommandError(f"{network}: {'it does not exist' if gone else estate.why(ids.key(network))}")
        around = Circumstances(estate, standing, rules.policies, rules.ceiling)
        whole = ids.kind(resource_id) == ids.VIRTUAL_NETWORK
        found += explained(subnets if subnets or whole else concerned(resource_id, estate), around)
        itself.add(own(resource_id, around))
    if ids.kind(resource_id) in MAY_BE_ALONE:
        rest = Remainder(ids.parse(resource_id).subscription)
        standing = await ports.ledger.standing(rest, _asked(rest, ports))
        alone = partial(needs.for_repair, policies=rules.policies, standing=standing)
        estate = await ports.cloud.observe(rest, alone)
        itself.add(own(resource_id, Circumstances(estate, standing, rules.policies, rules.ceiling)))
    if not found and ids.kind(resource_id) == ids.SUBNET:
        raise CommandError(f"{resource_id}: its virtual network has no such subnet")
    return Found(resource_id, source, tuple(found), itself)


def _asked(scope: Scope, ports: Ports) -> Cause:
    return Cause(Source.MANUAL, ports.clock.now(), scope=scope)


async def _named(resource_id: str, ports: Ports) -> dict[str, frozenset[str] | None]:
    """The networks a resource touches, each with the keys of the subnets wanted (None: all of them)."""
    match ids.kind(resource_id):
        case ids.VIRTUAL_NETWORK:
            return {resource_id: None}
        case ids.SUBNET:
            return {ids.parent(resource_id): frozenset({ids.key(resource_id)})}
    named = (*await ports.ledger.named_by(ids.key(resource_id)), *await homes_of(resource_id, ports))
    if not named and ids.kind(resource_id) in KINDS:
        named = await _home(resource_id, ports)
    scopes = {scope.key: scope for scope in named if isinstance(scope, VirtualNetwork)}
    if not scopes and ids.kind(resource_id) not in HOLDERS:
        raise CommandError(
            f"{resource_id}: no virtual network that was governed so far names it; name a subnet, or use --estate FILE"
        )
    return {scope.id: None for scope in scopes.values()}


async def _home(holder: str, ports: Ports) -> tuple[VirtualNetwork, ...]:
    """What no run has named in, the networks that it is in out: an interface or scale set without public addresses."""
    above = Remainder(ids.parse(holder).subscription)
    estate = await ports.cloud.observe(above, partial(needs.for_holder, holder))
    if estate.find(holder, facts.NetworkInterface) is ABSENT:
        raise CommandError(f"{holder}: it does not exist")
    return home(estate.known.get(ids.key(holder)))
