"""`approve`, `reject`, `undo`, `pause`, `resume`: what a person decides in; ledger and queue know of it, out."""

import getpass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.markup import escape

from governor import decisions
from governor.commands import screen, words
from governor.commands.deployment import DataFolder, with_worker
from governor.commands.errors import CommandError
from governor.core.plan import Gate
from governor.core.policy import Disruption
from governor.core.standing import Pause, Ruling, StandingApproval
from governor.core.step import WriteAzurePolicy
from governor.ports import Offered
from governor.wiring import Worker

Reason = Annotated[str, Parameter(help="Why; it stands in the ledger.")]
Data = Annotated[Path | None, DataFolder]
Digests = Annotated[
    list[str] | None, Parameter(negative=(), help="Digests, or beginnings of them, as `plan` and `records` show.")
]


def approve(
    digests: Digests = None,
    /,
    *,
    reason: Reason = "",
    standing: bool = False,
    class_: Annotated[Disruption | None, Parameter(name="--class")] = None,
    policy: str | None = None,
    scope: str | None = None,
    until: date | None = None,
    data: Data = None,
) -> int:
    """Approve withheld repairs by digest, or with --standing a class of them for a while.

    Parameters
    ----------
    standing: bool
        Approve what is still to come: needs --class, --policy, --scope and --until.
    class_: Disruption
        Class of disruption.
    policy: str
        Name of the policy whose repairs are meant.
    scope: str
        Resource id that they must lie below: a subscription, a resource group, a virtual network.
    until: date
        Last day, which still belongs to it (UTC).
    """
    given = (class_, policy, scope, until)
    if not standing:
        if any(one is not None for one in given):
            raise CommandError("--class, --policy, --scope and --until belong to --standing")
        return _rule(digests or [], Ruling.APPROVE, reason, data)
    if digests or class_ is None or policy is None or scope is None or until is None:
        raise CommandError("a standing approval needs --class, --policy, --scope and --until, and no digest")
    now = datetime.now(UTC)
    if until == date.max:
        raise CommandError(f"--until {until}: no day comes after it; an earlier one does as well")
    end = datetime.combine(until, time.min, UTC) + timedelta(days=1)
    if end <= now:
        raise CommandError(f"--until {until}: that day is over")
    if not scope.startswith("/subscriptions/"):
        raise CommandError(f"--scope {scope}: expected a resource id (/subscriptions/...)")

    async def ask(worker: Worker) -> tuple[tuple[Offered, ...], Pause | None]:
        if worker.rules().policies.find(policy) is None:
            names = ", ".join(one.name for one in worker.rules().policies)
            raise CommandError(f"--policy {policy}: there is no such policy (there are {names})")
        approval = StandingApproval(class_, policy, scope, _who(), now, reason, end)
        offers = await decisions.approve_standing(approval, worker.ports)
        wanted = tuple(offer for offer in offers if offer.withheld.remediation.requirements)
        return wanted, await worker.ports.ledger.paused()

    offers, switch = with_worker(ask, data)
    screen.out().print(
        f"[green]approved[/] until {until}: repairs of class {class_.value} by policy {escape(policy)} below "
        f"{escape(scope)}; {words.count(len(offers), 'withheld repair')} of that policy will be looked at again"
    )
    _say_paused(switch)
    return 0


def reject(digests: Digests = None, /, *, reason: Reason = "", data: Data = None) -> int:
    """Reject withheld repairs by digest."""
    return _rule(digests or [], Ruling.REJECT, reason, data)


def undo(record_id: str, /, *, days: int = 7, reason: Reason = "", data: Data = None) -> int:
    """Take back what a record did, and leave its resources alone for some days.

    Parameters
    ----------
    record_id: str
        Id of the record, or its beginning, as `records list` shows it.
    days: int
        For so many days, at most 365, they are not repaired again.
    """
    from governor.commands.records import whole_id

    async def ask(worker: Worker) -> str:
        record = await whole_id(record_id, worker.ports.ledger)
        scope = await decisions.undo(record, days, (_who(), reason), worker.ports)
        what, alone = words.place(scope), words.count(days, "day")
        return (
            f"[green]asked for[/]: record {record} in {what} is to be taken back; what of it is written is left alone "
            f"for {alone}, and what cannot be taken back now is in the record of the undo, with the reason"
        )

    screen.out().print(with_worker(ask, data))
    return 0


def pause(*, reason: Reason = "", data: Data = None) -> int:
    """Stop all writes before the next step, everywhere."""

    async def ask(worker: Worker) -> None:
        await decisions.pause((_who(), reason), worker.ports)

    with_worker(ask, data)
    screen.out().print("[yellow]paused[/]: nothing is written before `egress-governor resume`")
    return 0


def resume(*, reason: Reason = "", data: Data = None) -> int:
    """Let writes go on, and close open breakers."""

    async def ask(worker: Worker) -> int:
        return await decisions.resume((_who(), reason), worker.ports)

    scopes = with_worker(ask, data)
    screen.out().print(f"[green]resumed[/]; looked at again: {words.count(scopes, 'network')} with something withheld")
    return 0


def _rule(digests: list[str], ruling: Ruling, reason: str, data: Path | None) -> int:
    if not digests:
        raise CommandError("which repair? Name its digest, as `egress-governor plan` and `records show` print it")

    async def ask(worker: Worker) -> tuple[list[Offered], Pause | None]:
        policies = worker.rules().policies
        decided: list[Offered] = []
        for digest in digests:
            await _undecided(digest, ruling, worker)
            decided += (await decisions.rule(digest, ruling, (_who(), reason), worker.ports, policies))[:1]
        return decided, await worker.ports.ledger.paused()

    console = screen.out()
    offers, switch = with_worker(ask, data)
    for offer in offers:
        remediation = offer.withheld.remediation
        done = "[green]approved[/]" if ruling is Ruling.APPROVE else "[red]rejected[/]"
        console.print(f"{done} {remediation.digest}: {escape(words.short(remediation.resource))}")
        for step in remediation.steps:
            facts = (words.disturbs(remediation), words.taken_back(remediation), words.addresses(remediation))
            said = "; ".join(dict.fromkeys(fact for fact in facts if fact != "-"))
            console.print(f"  {escape(words.does(step))}  ({said})")
        if any(isinstance(step, WriteAzurePolicy) for step in remediation.steps):
            console.print(f"  {escape(remediation.reason)}")  # what would be refused
        if ruling is Ruling.APPROVE:
            for other in offer.withheld.reasons:
                if other.gate is not Gate.APPROVAL:
                    console.print(f"  [yellow]still withheld[/]: {escape(other.text)}")
    if ruling is Ruling.APPROVE:
        _say_paused(switch)
    return 0


def _say_paused(switch: Pause | None) -> None:
    """An approval releases nothing while everything is paused; what is approved is done when that ends."""
    if switch is not None:
        by = f"{escape(switch.by)} ({escape(switch.reason)})" if switch.reason else escape(switch.by)
        screen.out().print(f"[yellow]paused[/] by {by}: it is done after `egress-governor resume`, and not before")


async def _undecided(digest: str, ruling: Ruling, worker: Worker) -> None:
    """CommandError when the same was decided before: somebody should know that he is the second."""
    for offer in await worker.ports.ledger.offered():
        decision = offer.decision
        if offer.withheld.remediation.digest.startswith(digest) and decision is not None and decision.ruling is ruling:
            said = f"{offer.withheld.remediation.digest}: {decision.by} decided the same at {words.when(decision.at)}"
            others = [reason.text for reason in offer.withheld.reasons if reason.gate is not Gate.APPROVAL]
            raise CommandError(f"{said}{f'; still withheld: {others[0]}' if others else ''}")


def _who() -> str:
    """Who sits at this machine; what Azure knows of him is not asked for a local decision."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody without a name on this machine"
