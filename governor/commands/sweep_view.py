"""What a sweep finds and does in, words for people while it goes on and afterwards out."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from governor.commands import screen, words
from governor.commands.sweeping import Watch
from governor.commands.swept import Governed, Swept, Targets
from governor.core.policy import Mode
from governor.survey import Surveyed

# So many rows of one kind; the rest is counted. JSON holds all.
_MOST: Final = 40
_EVERY_SECONDS: Final = 1.0


def announce(wanted: Targets, endpoint: str, ceiling: Mode, console: Console) -> None:
    """What is about to be swept, before anything is written."""
    names = [words.count(len(wanted.subscriptions), "subscription")] if wanted.subscriptions else []
    names += [words.count(len(wanted.networks), "single virtual network")] if wanted.networks else []
    tenant = wanted.tenant or "of a subscription that is not shown"
    console.print(
        f"[bold]Sweep[/] of {escape(endpoint)}: tenant {tenant}, {', '.join(names)}, mode ceiling "
        f"[bold]{ceiling.value}[/]",
        soft_wrap=True,
    )
    if ceiling is Mode.AUDIT:
        console.print("Nothing in Azure is written: the ceiling (EGRESS_GOVERNOR_MODE_CEILING) is audit.")


@contextmanager
def watch(console: Console, seconds: float) -> Iterator[Watch]:
    """Where progress is shown and how long is waited in, the Watch out: bars on a terminal, else plain lines."""
    if not console.is_terminal:
        yield _lines(console, seconds)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        seen, runs = shown.add_task("surveying", total=None), shown.add_task("governing", total=None)

        def surveyed(found: Surveyed) -> None:
            shown.update(seen, description=f"surveying: {_seen(found)}")

        def governed(one: Governed, left: int) -> None:
            done = int(shown.tasks[1].completed) + 1
            shown.update(runs, description=f"governing: {one.where}", completed=done, total=done + left)

        yield Watch(surveyed, governed, seconds)


def _lines(console: Console, seconds: float) -> Watch:
    last = time.monotonic()

    def surveyed(found: Surveyed) -> None:
        nonlocal last
        if time.monotonic() - last >= _EVERY_SECONDS:
            last = time.monotonic()
            console.print(f"surveying: {_seen(found)}", soft_wrap=True)

    def governed(one: Governed, left: int) -> None:
        came_of = one.error or one.came_of or "nothing new"
        console.print(f"governed {escape(one.where)}: {escape(came_of)}; {left} to go", soft_wrap=True)

    return Watch(surveyed, governed, seconds)


def _seen(found: Surveyed) -> str:
    networks = words.count(found.networks, "virtual network")
    return f"{networks}, {words.count(found.subnets, 'subnet')}, {found.queued} to be governed"


def show(swept: Swept, console: Console) -> None:
    """Everything that was found and done in, tables out."""
    console.print()
    console.print(
        f"Seen: {words.count(swept.subscriptions - len(swept.unseen), 'subscription')}, "
        f"{words.count(swept.networks, 'virtual network')}, {words.count(swept.subnets, 'subnet')}; "
        f"{words.count(len({one.where for one in swept.governed}), 'network')} governed"
    )
    _table(console, "Not seen", ("subscription", "because"), list(swept.unseen.items()))
    _table(
        console,
        "Repaired",
        ("where", "steps"),
        [(one.where, "\n".join(one.steps)) for one in swept.repaired],
    )
    _table(
        console,
        "Withheld",
        ("what", "would", "because"),
        [
            (
                f"{one.where}\n[dim]{one.remediation.digest}[/]",
                "\n".join(words.does(step) for step in one.remediation.steps) or "-",
                "\n".join(one.reasons),
            )
            for one in swept.withheld
        ],
    )
    _table(
        console,
        "Without a repair",
        ("what", "requirement", "seen"),
        [(one.where, one.requirement, one.seen) for one in swept.unexplained],
    )
    _table(
        console,
        "Waiting: the next sweep, or --wait SECONDS, looks again",
        ("where", "not before"),
        [(one.where, f"in {one.seconds:.0f} s") for one in swept.waiting],
    )
    _table(console, "Failed", ("what",), [(one,) for one in swept.failed])
    console.print(f"\nbefore  {words.tally(swept.before)}")
    console.print(f"after   {words.tally(swept.after)}")


def _table(console: Console, title: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    if not rows:
        return
    head, _, rest = title.partition(":")
    console.print(f"\n[bold]{head}[/] ({len(rows)}){':' + rest if rest else ''}")
    made = screen.table(*columns)
    for row in rows[:_MOST]:
        made.add_row(*(cell if "[dim]" in cell else escape(cell) for cell in row))
    console.print(made)
    if len(rows) > _MOST:
        console.print(f"[dim]and {len(rows) - _MOST} more; --format json holds all[/]")
