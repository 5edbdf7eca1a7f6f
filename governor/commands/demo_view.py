"""What the demo shows before and after its acts."""

import time

from rich.markup import escape

from governor.commands import screen, words
from governor.commands.demo_stage import Known, Stage
from governor.commands.local_azure import SAMPLE
from governor.core.policy import Requirement
from governor.core.verdict import Result, Verdict

_NOTHING = (Result.NOT_APPLICABLE, Result.UNGOVERNED)


def opening(stage: Stage, before: dict[str, tuple[Verdict, ...]]) -> None:
    """What there is, and what differs from a real deployment."""
    azure, console = stage.azure, stage.console
    console.print("[bold]Egress Governor, a tour[/]")
    console.print(
        "You are talking to a simulator of Azure on this machine: no account, no cost, no network. The governor beside "
        "it is the real Function app with the real Azure SDK.\n"
    )
    there = ", ".join(
        (
            words.count(len(azure.subscriptions), "subscription"),
            words.count(len(azure.networks), "virtual network"),
            words.count(len(before), "subnet"),
        )
    )
    stage.say("estate", f"estates/{SAMPLE.name}: {there}")
    stage.say(
        "policies", f"a copy of policies/ that calls a network settled after 2 s, not {stage.usual} s, to save you time"
    )
    stage.say("before", _tally(before))


def comparison(
    stage: Stage, before: dict[str, tuple[Verdict, ...]], after: dict[str, tuple[Verdict, ...]], known: Known
) -> None:
    """Every subnet before and after, and why what is still wrong is withheld."""
    stage.console.print("\n[bold cyan]Before and after[/]")
    made = screen.table("subnet", "before", "after", "leaves by, or why it is withheld")
    for key, verdicts in after.items():
        offer = known.offered.get(key)
        result = _worst(verdicts)
        seen = next((v for v in verdicts if v.requirement == Requirement.SUBNET_EGRESS), verdicts[0])
        text = seen.seen + (f" ({', '.join(seen.addresses)})" if seen.addresses else "")
        if result is Result.VIOLATION and offer is not None:
            text = f"withheld: {offer.withheld.reasons[0].text}"
        old = before.get(key)
        made.add_row(
            escape(words.short(verdicts[0].resource)),
            _styled(_worst(old)) if old else "-",
            _styled(result),
            escape(text),
        )
    stage.console.print(made, "")
    stage.say("before", _tally(before))
    stage.say("after", _tally(after))


def closing(stage: Stage, known: Known, records: int) -> int:
    """The last words, and the exit code."""
    console, wrong = stage.console, known.open()
    stage.say("ledger", f"{words.count(records, 'record')}, every hash chain whole")
    if wrong:
        for verdict in wrong:
            what = f"{words.short(verdict.resource)} {verdict.requirement} is {verdict.result.value}: {verdict.seen}"
            stage.say("", f"[red]{escape(what)}[/]")
        console.print("\n[bold red]Not everything that is governed is compliant or withheld with a reason.[/]")
        return 1
    took = time.monotonic() - stage.began
    console.print(
        f"\n[bold green]Everything that is governed is compliant, or withheld with a reason.[/] [dim]{took:.0f} s[/]"
    )
    console.print("\nTry next:\n")
    orders = next(v.resource for found in known.verdicts.values() for v in found if v.resource.endswith("snet-web"))
    for command in (
        "egress-governor demo --keep",
        "egress-governor plan --estate estates/contoso.json",
        f"egress-governor explain --estate estates/contoso.json {orders}",
    ):
        console.print(f"  {command}", soft_wrap=True)
    return 0


def _worst(verdicts: tuple[Verdict, ...]) -> Result:
    order = (Result.UNKNOWN, Result.VIOLATION, Result.EXEMPT, Result.COMPLIANT, *_NOTHING)
    return min((verdict.result for verdict in verdicts), key=order.index)


def _styled(result: Result) -> str:
    return f"[{words.STYLES[result]}]{result.value}[/]"


def _tally(verdicts: dict[str, tuple[Verdict, ...]]) -> str:
    counts: dict[str, int] = {}
    for found in verdicts.values():
        result = _worst(found)
        counts[result.value] = counts.get(result.value, 0) + 1
    named = [result for result in Result if counts.get(result.value)]
    return ", ".join(f"[{words.STYLES[r]}]{counts[r.value]} {r.value}[/]" for r in named) + " (subnets)"
