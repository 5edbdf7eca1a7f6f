"""Scopes in, everything in them surveyed and governed once, in this process; what was found and done out."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from governor import survey
from governor.commands import words
from governor.commands.errors import CommandError, told
from governor.commands.own_queue import OwnQueue
from governor.commands.swept import Governed, Swept, Targets, count, repaired, take_stock, waiting
from governor.core import facts, ids, needs
from governor.core.cause import Cause, Source, Survey, VirtualNetwork
from governor.core.estate import ABSENT
from governor.core.judged import judge
from governor.core.record import Became, Record
from governor.homes import homes_of
from governor.loop import Rules, govern
from governor.ports import Absent, Ports, Refused, Terminal, Transient
from governor.survey import Surveyed

ALL: Final = "all"
# As many runs at a time as host.json lets the queue begin.
_AT_ONCE: Final = 8


class Watch(Struct):
    """Who is told: of a Survey's counts so far, and of each run with how many are left. seconds: how long what was put

    back is waited for.
    """

    surveyed: Callable[[Surveyed], None]
    governed: Callable[[Governed, int], None]
    seconds: float = 0.0


async def targets(scopes: Sequence[str], ports: Ports) -> Targets:
    """What a person wrote in, the subscriptions and networks that it means out; CommandError for what there is not."""
    if not scopes:
        raise CommandError("--scope is needed: ids of subscriptions or virtual networks, management groups, or all")
    if ALL in scopes and len(scopes) > 1:
        raise CommandError("--scope all: it stands alone, for everything that can be read")
    networks = [_network(scope) for scope in scopes if ids.kind(scope) in (ids.VIRTUAL_NETWORK, ids.SUBNET)]
    networks += [one for scope in scopes if ids.kind(scope) == ids.CLUSTER for one in await _homes(scope, ports)]
    inside = (ids.VIRTUAL_NETWORK, ids.SUBNET, ids.CLUSTER)
    others = [scope for scope in scopes if ids.kind(scope) not in inside]
    found: set[str] = set()
    for scope in others:
        if ids.kind(scope) not in ("", ids.SUBSCRIPTION):
            expected = "a subscription, a virtual network, a subnet, a cluster or a management group"
            raise CommandError(f"--scope {scope}: expected {expected}")
        try:
            if scope != ALL and ids.is_subscription(ids.name(scope)) and not await ports.cloud.tenant(ids.name(scope)):
                raise CommandError(f"--scope {scope}: it does not exist, or this identity may not read it")
            found.update(await ports.cloud.subscriptions(() if scope == ALL else (scope,)))
        except Absent as error:
            raise CommandError(f"--scope {scope}: there is no such subscription or management group") from error
        except (Refused, Terminal, Transient) as error:
            raise CommandError(f"--scope {scope}: its subscriptions cannot be listed: {error}") from error
    if scopes[0] == ALL:
        # One that is not listed any more is not compliant for ever.
        found.update(await ports.ledger.subscriptions())
    everywhere = sorted(found) or sorted({ids.parse(network).subscription for network in networks})
    if not everywhere:
        raise CommandError(f"--scope {' '.join(scopes)}: no subscription in it that this identity can read")
    alone = tuple(one for one in dict.fromkeys(networks) if ids.parse(one).subscription.casefold() not in found)
    return Targets(tuple(sorted(found)), alone, await ports.cloud.tenant(everywhere[0]))


async def _homes(cluster: str, ports: Ports) -> list[str]:
    """The id of a cluster in, the networks that its nodes live in out."""
    try:
        found = [scope.id for scope in await homes_of(cluster, ports) if isinstance(scope, VirtualNetwork)]
    except Transient as error:
        raise CommandError(f"--scope {cluster}: it cannot be read: {error}") from error
    if not found:
        raise CommandError(f"--scope {cluster}: it does not exist, or its network cannot be read")
    return found


async def sweep(wanted: Targets, own: Ports, rules: Rules, watch: Watch) -> Swept:
    """Targets in; surveyed and governed, and what was put back too while the watch lasts; what became of them out."""
    queue, clock = OwnQueue(own.clock), own.clock
    ports = replace(own, inbox=queue)
    swept, runs = Swept(wanted.tenant, len(wanted.subscriptions)), _Runs(ports, rules, watch)
    for batch in survey.batches(wanted.subscriptions, clock.now()):
        await queue.put(batch)
    for network in wanted.networks:
        await _look(network, swept, ports, rules)
    until = clock.now() + timedelta(seconds=watch.seconds)
    while True:
        while messages := queue.take():
            for batch in [one for one in messages if isinstance(one, Survey)]:
                _add(swept, await survey.survey(batch, ports, rules, watch.surveyed))
            await runs.all([one for one in messages if isinstance(one, Cause)])
        later = queue.waiting
        if not later or later[0][0] > until:
            break
        await clock.sleep((later[0][0] - clock.now()).total_seconds())
    swept.governed, swept.failed = runs.governed, runs.failed
    swept.repaired = repaired(runs.records)
    swept.waiting = [waiting(due, message, clock.now()) for due, message in queue.waiting]
    await take_stock(swept, wanted, ports.ledger, clock.now())
    return swept


class _Runs:
    """Runs of this process, several at a time."""

    def __init__(self, ports: Ports, rules: Rules, watch: Watch) -> None:
        self.governed: list[Governed] = []
        self.records: list[Record] = []
        self.failed: list[str] = []
        self._ports, self._rules, self._watch = ports, rules, watch
        self._free = asyncio.Semaphore(_AT_ONCE)
        self._left = 0

    async def all(self, causes: Sequence[Cause]) -> None:
        """Causes in; each is governed."""
        self._left += len(causes)
        await asyncio.gather(*(self._one(cause) for cause in causes))

    async def _one(self, cause: Cause) -> None:
        where = words.place(cause.scope) if cause.scope is not None else "?"
        async with self._free:
            try:
                record = await govern(cause, self._ports, self._rules)
            except Exception as error:  # one network must not keep the others from being looked at
                told_of = Governed(where, None, "failed", told(error))
                self.failed.append(f"{where}: {told_of.error}")
            else:
                told_of = Governed(where, record.id if record else None, words.came_of(record) if record else "")
                if record is not None:
                    self.records.append(record)
                    self.failed += [
                        f"{where}: {words.does(o.step)}: {o.detail}"
                        for o in record.outcomes
                        if o.became is Became.FAILED
                    ]
        self._left -= 1
        self.governed.append(told_of)
        self._watch.governed(told_of, self._left)


async def _look(network: str, swept: Swept, ports: Ports, rules: Rules) -> None:
    """A single network in; it is judged as it is now, and asked to be governed."""
    scope = VirtualNetwork(network)
    estate = await ports.cloud.observe(scope, partial(needs.for_evidence, policies=rules.policies))
    if not estate.networks:
        gone = estate.find(network, facts.VirtualNetwork) is ABSENT
        raise CommandError(f"{network}: {'it does not exist' if gone else estate.why(ids.key(network))}")
    swept.networks += 1
    swept.subnets += len(estate.networks[0].properties.subnets or ())
    count(swept.before, judge(estate, rules.policies))
    await ports.inbox.put(Cause(Source.MANUAL, ports.clock.now(), subject=network, scope=scope))


def _add(swept: Swept, found: Surveyed) -> None:
    if found.waits:
        return  # it is surveyed again, or told as waiting
    swept.networks += found.networks
    swept.subnets += found.subnets
    swept.unseen.update(found.unseen)
    for result, number in found.results.items():
        swept.before[result] = swept.before.get(result, 0) + number


def _network(scope: str) -> str:
    return ids.parent(scope) if ids.kind(scope) == ids.SUBNET else scope.rstrip("/")
