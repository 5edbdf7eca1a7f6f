"""What the demo shows before and after its acts."""

import time

from rich.markup import escape

from governor.commands import screen, words
from governor.commands.demo_facts import Facts
from governor.commands.demo_stage import Known, Stage
from governor.commands.local_azure import SAMPLE
from governor.core import ids
from governor.core.policy import Requirement
from governor.core.verdict import Result, Verdict

_NOTHING = (Result.NOT_APPLICABLE, Result.UNGOVERNED)
_SHOWN = (Result.COMPLIANT, Result.VIOLATION, Result.UNKNOWN, Result.EXEMPT)


def opening(stage: Stage, before: Facts) -> None:
    """What there is, and what differs from a real deployment."""
    azure, console = stage.azure, stage.console
    console.print("[bold]Egress Governor, a tour[/]")
    console.print(
        "You are talking to a simulator of Azure on this machine: no account, no cost, no network. The governor beside "
        "it is the real Function app with the real Azure SDK.\n"
    )
    subnets = sum(ids.kind(key) == ids.SUBNET for key in before)
    there = ", ".join(
        (
            words.count(len(azure.subscriptions), "subscription"),
            words.count(len(azure.networks), "virtual network"),
            words.count(subnets, "subnet"),
        )
    )
    stage.say("estate", f"estates/{SAMPLE.name}: {there}, two hubs with firewalls")
    stage.say(
        "policies", f"a copy of policies/ that calls a network settled after 2 s, not {stage.usual} s, to save you time"
    )
    stage.say("before", _tally(before))


def comparison(stage: Stage, before: Facts, after: Facts, known: Known) -> None:
    """Subnets and addresses before and after, why what is still wrong is withheld, and how many there are of each."""
    stage.console.print("\n[bold cyan]Before and after[/]")
    made = screen.table("what", "before", "after", "leaves by, or why it is withheld")
    for key, verdicts in after.items():
        if ids.kind(key) == ids.VIRTUAL_NETWORK:
            continue
        result, old = _worst(verdicts), before.get(key)
        made.add_row(
            escape(words.short(verdicts[0].resource)),
            _styled(_worst(old)) if old else "-",
            _styled(result),
            escape(_told(verdicts, known)),
        )
    stage.console.print(made, "")
    _by_requirement(stage, before, after)
    stage.say("before", _tally(before))
    stage.say("after", _tally(after))


def _told(verdicts: tuple[Verdict, ...], known: Known) -> str:
    wrong = next((v for v in verdicts if v.result is Result.VIOLATION), None)
    if wrong is not None and (reason := known.lasting(wrong)) is not None:
        return f"withheld: {reason.text}"
    seen = next((v for v in verdicts if v.requirement == Requirement.SUBNET_EGRESS), verdicts[0])
    return seen.seen + (f" ({', '.join(seen.addresses)})" if seen.addresses else "")


def _by_requirement(stage: Stage, before: Facts, after: Facts) -> None:
    made = screen.table("requirement", "", *(result.value for result in _SHOWN))
    for column in made.columns[2:]:
        column.justify = "right"
    for requirement in Requirement:
        for when, facts in (("before", before), ("after", after)):
            found = [v.result for those in facts.values() for v in those if v.requirement == requirement]
            if any(result in _SHOWN for result in found):
                counts = [found.count(result) for result in _SHOWN]
                made.add_row(
                    requirement.value if when == "before" else "",
                    when,
                    *(
                        f"[{words.STYLES[result]}]{count}[/]" if count else "-"
                        for result, count in zip(_SHOWN, counts, strict=True)
                    ),
                )
    stage.console.print(made, "")


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
    web = next(v.resource for found in known.verdicts.values() for v in found if v.resource.endswith("snet-web"))
    for command in (
        "egress-governor demo --keep",
        "egress-governor plan --estate estates/contoso.json",
        f"egress-governor explain --estate estates/contoso.json {web}",
    ):
        console.print(f"  {command}", soft_wrap=True)
    return 0


def _worst(verdicts: tuple[Verdict, ...]) -> Result:
    order = (Result.UNKNOWN, Result.VIOLATION, Result.EXEMPT, Result.COMPLIANT, *_NOTHING)
    return min((verdict.result for verdict in verdicts), key=order.index)


def _styled(result: Result) -> str:
    return f"[{words.STYLES[result]}]{result.value}[/]"


def _tally(verdicts: Facts) -> str:
    counts: dict[str, int] = {}
    for key, found in verdicts.items():
        if ids.kind(key) != ids.SUBNET:
            continue
        result = _worst(found)
        counts[result.value] = counts.get(result.value, 0) + 1
    named = [result for result in Result if counts.get(result.value)]
    return ", ".join(f"[{words.STYLES[r]}]{counts[r.value]} {r.value}[/]" for r in named) + " (subnets)"
