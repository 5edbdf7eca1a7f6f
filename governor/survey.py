"""A survey: subscriptions in; what Resource Graph shows of them judged, and a Cause for every Scope worth a look out.

It finds and nothing more: no step is proposed, applied or absorbed here. What Graph has not shown is never compliant.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Final, assert_never

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from governor import messages
from governor.core import facts, ids, needs, sighting
from governor.core.cause import MOST_SUBSCRIPTIONS, Cause, Remainder, Scope, Source, Survey, VirtualNetwork
from governor.core.judged import judge_each, judge_remainders
from governor.core.sighting import Cut, Rest, Seen, Sheet, Sighting
from governor.core.verdict import SUBNET_REQUIREMENTS, Result, Verdict, results
from governor.loop import Rules
from governor.patience import GIVE_UP_AFTER, PATIENCE
from governor.ports import Ports, Transient, Trouble

LOG: Final = logging.getLogger("governor")


class Surveyed(Struct):
    """What a survey has found so far. unseen: by subscription why it does not count as seen. results: of verdicts.

    queued: Causes put, one for each Scope worth a run. waits: why it was put back to be done later.
    """

    subscriptions: int = 0
    unseen: dict[str, str] = {}
    networks: int = 0
    subnets: int = 0
    results: dict[str, int] = {}
    queued: int = 0
    waits: str = ""


Progress = Callable[[Surveyed], None]


async def survey(batch: Survey, ports: Ports, rules: Rules, progress: Progress | None = None) -> Surveyed:
    """A batch of subscriptions in, what was found out; `progress` is told after every page.

    When Azure is too busy the batch is put back into its queue: what was seen is stored, and seeing it again is
    harmless.
    """
    reading = _Reading(ports, rules, progress or (lambda _: None))
    try:
        await reading.read(batch)
    except Transient as trouble:
        reading.found.waits = str(trouble)
        await _wait(batch, ports, trouble)
    found = reading.found
    LOG.info(msgspec.json.encode({"what": "surveyed", "attempt": batch.attempt, **msgspec.to_builtins(found)}).decode())
    return found


async def sweep(scopes: Sequence[str], ports: Ports) -> tuple[Survey, ...]:
    """Scopes (none: all that can be read) in; batches of the subscriptions in them out, and of those in the ledger.

    What stands in the ledger is surveyed as well: a subscription that is not listed any more is not compliant for ever.
    """
    found = set(await ports.ledger.subscriptions())
    each: list[tuple[str, ...]] = [(scope,) for scope in scopes]
    for wanted in each or [()]:
        try:
            found.update(await ports.cloud.subscriptions(wanted))
        except Trouble as trouble:
            # The others are looked through all the same, and so is what this one held before.
            LOG.error("the subscriptions of %s cannot be listed: %s", "".join(wanted) or "this identity", trouble)
    return batches(found, ports.clock.now())


def batches(subscriptions: Iterable[str], at: datetime) -> tuple[Survey, ...]:
    """Subscriptions in, Surveys of so many each as one question of Resource Graph may name out."""
    every = sorted({subscription.casefold() for subscription in subscriptions})
    parts = (every[start : start + MOST_SUBSCRIPTIONS] for start in range(0, len(every), MOST_SUBSCRIPTIONS))
    return tuple(Survey(tuple(part), at) for part in parts)


class _Reading:
    """One batch on its way through. It holds the keys of the networks that came, and one Sheet."""

    def __init__(self, ports: Ports, rules: Rules, progress: Progress) -> None:
        self.found = Surveyed()
        self._ports, self._rules, self._progress = ports, rules, progress
        self._came: set[str] = set()

    async def read(self, batch: Survey) -> None:
        """A batch in; all of it is judged, and what did not come is accounted for."""
        began = self._ports.clock.now()
        cut = ""
        async for part in self._ports.cloud.survey(
            batch.subscriptions, partial(needs.for_evidence, policies=self._rules.policies)
        ):
            match part:
                case Seen(subscriptions=seen, unseen=unseen):
                    self.found.subscriptions, self.found.unseen = len(seen), dict(unseen)
                case Sheet():
                    await self._judge(part)
                case Rest():
                    await self._judge_rest(part)
                case Cut(why=why):
                    cut = why
                case _:
                    assert_never(part)
            self._progress(self.found)
        for subscription in batch.subscriptions:
            if cut:
                self.found.unseen.setdefault(subscription, cut)
            await self._account_for(subscription, began)
        self._progress(self.found)

    async def _judge(self, sheet: Sheet) -> None:
        """A page of networks in; their verdicts are stored, and Causes put where a run should look."""
        at = sheet.estate.observed_at
        verdicts = _by_network(sheet, judge_each(sheet.estate, self._rules.policies))
        self._came.update(verdicts)
        sightings = [Sighting(VirtualNetwork(network), at, verdicts[ids.key(network)]) for network in sheet.networks]
        self.found.networks += len(sightings)
        self.found.subnets += sum(len(network.properties.subnets or ()) for network in sheet.estate.networks)
        self._count(sightings)
        await self._surveyed(sightings, at)

    async def _judge_rest(self, rest: Rest) -> None:
        """What lives in no network in; its verdicts are stored, and Causes put where a run should look."""
        at = rest.estate.observed_at
        each = judge_remainders(rest.estate, self._rules.policies)
        sightings = [Sighting(Remainder(subscription), at, verdicts) for subscription, verdicts in each]
        self._came.update(seen.scope.key for seen in sightings)
        self._count(sightings)
        await self._surveyed(sightings, at)

    def _count(self, sightings: list[Sighting]) -> None:
        for result, count in results(v for seen in sightings for v in seen.verdicts).items():
            self.found.results[result] = self.found.results.get(result, 0) + count

    async def _account_for(self, subscription: str, at: datetime) -> None:
        """A subscription whose networks have come, or not; what stands of it and did not come is looked at."""
        why = self.found.unseen.get(subscription)
        left = [scope for scope in await self._ports.ledger.scopes(subscription) if scope.key not in self._came]
        if why is None:
            for scope in left:
                await self._put(scope, at)
            return
        for scope in left:
            if isinstance(scope, VirtualNetwork):
                await self._ports.ledger.unseen(scope, at, f"not seen: {why}")
        rest = Remainder(subscription)
        await self._surveyed([Sighting(rest, at, (sighting.of_subscription(rest, f"not seen: {why}"),))], at)

    async def _surveyed(self, sightings: list[Sighting], at: datetime) -> None:
        for scope in await self._ports.ledger.surveyed(sightings):
            await self._put(scope, at)

    async def _put(self, scope: Scope, at: datetime) -> None:
        await self._ports.inbox.put(Cause(Source.SURVEY, at, scope=scope))
        self.found.queued += 1


def _by_network(
    sheet: Sheet, judged: Iterable[tuple[facts.VirtualNetwork, tuple[Verdict, ...]]]
) -> dict[str, tuple[Verdict, ...]]:
    """A Sheet and its verdicts in; by key of the network, those about it out. One that cannot be read is Unknown."""
    found = {ids.key(network.id): verdicts for network, verdicts in judged}
    for network in sheet.networks:
        if ids.key(network) not in found:
            why = sheet.estate.why(ids.key(network))
            found[ids.key(network)] = tuple(Verdict(network, r, Result.UNKNOWN, seen=why) for r in SUBNET_REQUIREMENTS)
    return found


async def _wait(batch: Survey, ports: Ports, trouble: Transient) -> None:
    """Puts a batch back to be surveyed later, or gives it up after a day."""
    now = ports.clock.now()
    first = batch.first_time or now
    if now - first >= GIVE_UP_AFTER:
        await ports.ledger.give_up(None, messages.encode(batch), f"waited for a day: {trouble}")
        return
    delay = max(PATIENCE[min(batch.attempt, len(PATIENCE) - 1)], trouble.after or 0.0)
    await ports.inbox.put(replace(batch, attempt=batch.attempt + 1, first_time=first), delay)
