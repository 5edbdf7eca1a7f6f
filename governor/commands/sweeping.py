"""Scopes in, everything in them surveyed and governed once, in this process; what was found and done out."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from msgspec import Struct

from governor import survey
from governor.commands import words
from governor.commands.errors import CommandError, told
from governor.commands.own_queue import OwnQueue
from governor.commands.reasons import Reasons
from governor.core import facts, ids, needs
from governor.core.cause import Cause, Scope, Source, Survey, VirtualNetwork
from governor.core.estate import ABSENT
from governor.core.judged import judge
from governor.core.plan import Remediation
from governor.core.record import Became, Record
from governor.core.verdict import Result, Verdict, results
from governor.loop import Rules, govern
from governor.ports import Absent, Offered, Ports, Refused, Terminal, Transient
from governor.survey import Surveyed
from governor.wiring import Worker

ALL: Final = "all"
# As many runs at a time as host.json lets the queue begin.
_AT_ONCE: Final = 8


class Targets(Struct, frozen=True):
    """What is swept: subscriptions as a whole, and single virtual networks. tenant: "" where it is not shown."""

    subscriptions: tuple[str, ...]
    networks: tuple[str, ...]
    tenant: str


class Governed(Struct, frozen=True):
    """One run: where, its Record (none: nothing new to tell), what came of it, or why it failed."""

    where: str
    record: str | None
    came_of: str
    error: str = ""


class Repaired(Struct, frozen=True):
    """A resource that a step was done on, with the steps in words."""

    where: str
    steps: tuple[str, ...]


class Held(Struct, frozen=True):
    """What is not repaired: what the repair would be, and why it is withheld."""

    where: str
    remediation: Remediation
    reasons: tuple[str, ...]
    passes: bool


class Unexplained(Struct, frozen=True):
    """What is wrong, or not known, and has no repair that could be withheld."""

    where: str
    requirement: str
    seen: str


class Waiting(Struct, frozen=True):
    """What was put back: looked at again not before so many seconds."""

    where: str
    seconds: float


class Swept(Struct):
    """Everything a sweep found and did. before, after: verdicts by result."""

    tenant: str
    subscriptions: int
    networks: int = 0
    subnets: int = 0
    unseen: dict[str, str] = {}
    before: dict[str, int] = {}
    after: dict[str, int] = {}
    governed: list[Governed] = []
    repaired: list[Repaired] = []
    withheld: list[Held] = []
    unexplained: list[Unexplained] = []
    waiting: list[Waiting] = []
    failed: list[str] = []

    @property
    def whole(self) -> bool:
        """Whether everything could be seen, and nothing failed."""
        return not self.unseen and not self.failed


class Progress(Struct):
    """Who is told: of a Survey's counts so far, and of each run with how many are left."""

    surveyed: Callable[[Surveyed], None]
    governed: Callable[[Governed, int], None]


async def targets(scopes: Sequence[str], worker: Worker) -> Targets:
    """What a person wrote in, the subscriptions and networks that it means out; CommandError for what there is not."""
    if not scopes:
        raise CommandError("sweep needs --scope: ids of subscriptions or virtual networks, management groups, or all")
    if ALL in scopes and len(scopes) > 1:
        raise CommandError("--scope all: it stands alone, for everything that can be read")
    networks = [_network(scope) for scope in scopes if ids.kind(scope) in (ids.VIRTUAL_NETWORK, ids.SUBNET)]
    others = [scope for scope in scopes if ids.kind(scope) not in (ids.VIRTUAL_NETWORK, ids.SUBNET)]
    found: set[str] = set()
    for scope in others:
        if ids.kind(scope) not in ("", ids.SUBSCRIPTION):
            raise CommandError(f"--scope {scope}: expected a subscription, a virtual network or a management group")
        try:
            found.update(await worker.ports.cloud.subscriptions(() if scope == ALL else (scope,)))
        except Absent as error:
            raise CommandError(f"--scope {scope}: there is no such subscription or management group") from error
        except (Refused, Terminal, Transient) as error:
            raise CommandError(f"--scope {scope}: its subscriptions cannot be listed: {error}") from error
    if scopes[0] == ALL:
        # One that is not listed any more is not compliant for ever.
        found.update(await worker.ports.ledger.subscriptions())
    everywhere = sorted(found) or sorted({ids.parse(network).subscription for network in networks})
    if not everywhere:
        raise CommandError(f"--scope {' '.join(scopes)}: no subscription in it that this identity can read")
    alone = tuple(one for one in dict.fromkeys(networks) if ids.parse(one).subscription.casefold() not in found)
    return Targets(tuple(sorted(found)), alone, await worker.ports.cloud.tenant(everywhere[0]))


async def sweep(wanted: Targets, worker: Worker, wait: float, progress: Progress) -> Swept:
    """Targets in; they are surveyed and governed, what was put back again for so many seconds; what became of it out."""
    queue, clock, cloud = OwnQueue(worker.clock), worker.clock, worker.ports.cloud
    ports = Ports(cloud, worker.ports.ledger, queue, clock)
    swept, runs = Swept(wanted.tenant, len(wanted.subscriptions)), _Runs(ports, worker.rules(), progress)
    for batch in survey.batches(wanted.subscriptions, clock.now()):
        await queue.put(batch)
    for network in wanted.networks:
        await _look(network, swept, ports, worker.rules())
    until = clock.now() + timedelta(seconds=wait)
    while True:
        while messages := queue.take():
            for batch in [one for one in messages if isinstance(one, Survey)]:
                _add(swept, await survey.survey(batch, ports, worker.rules(), progress.surveyed))
            await runs.all([one for one in messages if isinstance(one, Cause)])
        later = queue.waiting
        if not later or later[0][0] > until:
            break
        await clock.sleep((later[0][0] - clock.now()).total_seconds())
    swept.governed, swept.failed = runs.governed, runs.failed
    swept.repaired = _repaired(runs.records)
    swept.waiting = [_waiting(due, message, clock.now()) for due, message in queue.waiting]
    await _told(swept, wanted, ports)
    return swept


class _Runs:
    """Runs of this process, several at a time."""

    def __init__(self, ports: Ports, rules: Rules, progress: Progress) -> None:
        self.governed: list[Governed] = []
        self.records: list[Record] = []
        self.failed: list[str] = []
        self._ports, self._rules, self._progress = ports, rules, progress
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
        self._progress.governed(told_of, self._left)


async def _look(network: str, swept: Swept, ports: Ports, rules: Rules) -> None:
    """A single network in; it is judged as it is now, and asked to be governed."""
    scope = VirtualNetwork(network)
    estate = await ports.cloud.observe(scope, partial(needs.for_evidence, policies=rules.policies))
    if not estate.networks:
        gone = estate.find(network, facts.VirtualNetwork) is ABSENT
        raise CommandError(f"{network}: {'it does not exist' if gone else estate.why(ids.key(network))}")
    swept.networks += 1
    swept.subnets += len(estate.networks[0].properties.subnets or ())
    _count(swept.before, judge(estate, rules.policies))
    await ports.inbox.put(Cause(Source.MANUAL, ports.clock.now(), subject=network, scope=scope))


def _add(swept: Swept, found: Surveyed) -> None:
    if found.waits:
        return  # it is surveyed again, or told as waiting
    swept.networks += found.networks
    swept.subnets += found.subnets
    swept.unseen.update(found.unseen)
    for result, number in found.results.items():
        swept.before[result] = swept.before.get(result, 0) + number


async def _told(swept: Swept, wanted: Targets, ports: Ports) -> None:
    """What the ledger says afterwards of everything that was swept."""

    def within(scope: Scope) -> bool:
        return scope.subscription in wanted.subscriptions or scope.key in {ids.key(one) for one in wanted.networks}

    offers = [one for one in await ports.ledger.offered() if within(one.scope)]
    verdicts: list[Verdict] = []
    for subscription in wanted.subscriptions:
        verdicts += await ports.ledger.verdicts(subscription)
    for network in wanted.networks:
        of_all = await ports.ledger.verdicts(ids.parse(network).subscription.casefold())
        verdicts += [v for v in of_all if f"{ids.key(v.resource)}/".startswith(f"{ids.key(network)}/")]
    _count(swept.after, verdicts)
    swept.withheld = [_held(offer) for offer in offers if offer.withheld.remediation.requirements]
    reasons = Reasons(offers)
    swept.unexplained = [
        Unexplained(words.short(v.resource), v.requirement, v.seen)
        for v in verdicts
        if v.result is Result.UNKNOWN or (v.result is Result.VIOLATION and reasons.of(v) is None)
    ]


def _count(counts: dict[str, int], verdicts: Iterable[Verdict]) -> None:
    for result, number in results(verdicts).items():
        counts[result] = counts.get(result, 0) + number


def _repaired(records: list[Record]) -> list[Repaired]:
    found: dict[str, list[str]] = {}
    for record in records:
        for outcome in record.outcomes:
            if outcome.became is Became.DONE:
                found.setdefault(words.place(record.scope), []).append(_step(outcome.step.target, outcome.step))
    return [Repaired(where, tuple(steps)) for where, steps in sorted(found.items())]


def _step(target: str, step: words.Step) -> str:
    on = f"{ids.name(target)}: " if ids.kind(target) == ids.SUBNET else ""
    return on + words.does(step)


def _held(offer: Offered) -> Held:
    remediation, reasons = offer.withheld.remediation, offer.withheld.reasons
    passes = all(reason.after is not None for reason in reasons)
    return Held(words.short(remediation.resource), remediation, tuple(reason.text for reason in reasons), passes)


def _waiting(due: datetime, message: Cause | Survey, now: datetime) -> Waiting:
    seconds = max(0.0, (due - now).total_seconds())
    if isinstance(message, Survey):
        return Waiting(f"the survey of {words.count(len(message.subscriptions), 'subscription')}", seconds)
    return Waiting(words.place(message.scope) if message.scope else message.subject or "something", seconds)


def _network(scope: str) -> str:
    return ids.parent(scope) if ids.kind(scope) == ids.SUBNET else scope.rstrip("/")
