"""What a sweep found and did, as values: the ledger after a sweep and its Records in, what there is to show out."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from governor.commands import words
from governor.commands.reasons import Reasons
from governor.core import ids
from governor.core.cause import Cause, Scope, Source, Survey, VirtualNetwork
from governor.core.plan import Remediation
from governor.core.record import Became, Record
from governor.core.step import Step
from governor.core.verdict import Result, Verdict, results
from governor.ports import Ledger, Offered


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


async def take_stock(swept: Swept, wanted: Targets, ledger: Ledger, at: datetime) -> None:
    """What the ledger says afterwards, now, of everything that was swept."""

    def within(scope: Scope) -> bool:
        return scope.subscription in wanted.subscriptions or scope.key in {ids.key(one) for one in wanted.networks}

    offers = [one for one in await ledger.offered() if within(one.scope)]
    verdicts: list[Verdict] = []
    for subscription in wanted.subscriptions:
        verdicts += await ledger.verdicts(subscription)
    for network in wanted.networks:
        cause = Cause(Source.MANUAL, at, scope=VirtualNetwork(network))
        verdicts += (await ledger.standing(VirtualNetwork(network), cause)).verdicts
    count(swept.after, verdicts)
    held = (_held(offer) for offer in offers if offer.withheld.remediation.requirements)
    swept.withheld = sorted(held, key=lambda one: one.where)
    reasons = Reasons(offers)
    swept.unexplained = [
        Unexplained(words.short(v.resource), v.requirement, v.seen)
        for v in verdicts
        if v.result is Result.UNKNOWN or (v.result is Result.VIOLATION and reasons.of(v) is None)
    ]


def count(counts: dict[str, int], verdicts: Iterable[Verdict]) -> None:
    """Counts by result and more verdicts in; they are counted, too."""
    for result, number in results(verdicts).items():
        counts[result] = counts.get(result, 0) + number


def repaired(records: list[Record]) -> list[Repaired]:
    """Records in, what was done in each place out."""
    found: dict[str, list[str]] = {}
    for record in records:
        for outcome in record.outcomes:
            if outcome.became is Became.DONE:
                found.setdefault(words.place(record.scope), []).append(_step(outcome.step.target, outcome.step))
    return [Repaired(where, tuple(steps)) for where, steps in sorted(found.items())]


def _step(target: str, step: Step) -> str:
    on = f"{ids.name(target)}: " if ids.kind(target) == ids.SUBNET else ""
    return on + words.does(step)


def _held(offer: Offered) -> Held:
    remediation, reasons = offer.withheld.remediation, offer.withheld.reasons
    passes = all(reason.after is not None for reason in reasons)
    return Held(words.short(remediation.resource), remediation, tuple(reason.text for reason in reasons), passes)


def waiting(due: datetime, message: Cause | Survey, now: datetime) -> Waiting:
    """What was put back, when it is due, and now in; what is told of it out."""
    seconds = max(0.0, (due - now).total_seconds())
    if isinstance(message, Survey):
        return Waiting(f"the survey of {words.count(len(message.subscriptions), 'subscription')}", seconds)
    return Waiting(words.place(message.scope) if message.scope else message.subject or "something", seconds)
