"""An Answer of planning in; a table for people, Markdown for a pull request, or JSON for programs out."""

from collections.abc import Iterable
from typing import Final

from rich.console import Console
from rich.markup import escape

from governor.commands import screen, words
from governor.commands.planning import Answer, waits
from governor.core.plan import Remediation, Withheld
from governor.core.verdict import Result

# So many rows of what cannot be judged or repaired; the rest is counted. JSON holds all.
_MOST: Final = 20


def as_json(answer: Answer) -> str:
    """An Answer in, all of it as JSON out."""
    shown = {name: getattr(answer, name) for name in answer.__struct_fields__ if name != "released"}
    return screen.json_text({"to_do": answer.to_do, **shown, "remediations": answer.remediations})


def show(answer: Answer, console: Console) -> None:
    """An Answer in, tables on a console out."""
    verdicts = sum(answer.counts.values())
    console.print(
        f"[bold]Plan[/] for {escape(answer.source)}: {words.count(answer.networks, 'virtual network')}, "
        f"{words.count(verdicts, 'verdict')}, {words.count(answer.policies, 'policy', 'policies')}, "
        f"ceiling {answer.ceiling.value}"
    )
    for note in answer.notes:
        console.print(f"[yellow]note:[/] {escape(note)}")
    console.print(f"Verdicts: {words.tally(answer.counts)}\n")
    if answer.remediations:
        console.print(f"[bold green]Would be done[/] ({len(answer.remediations)})")
        made = screen.table("what", "steps", "disturbs", "leaves from")
        for one in answer.remediations:
            made.add_row(_what(one), "\n".join(_steps(one)), words.disturbs(one), escape(words.addresses(one)))
        console.print(made, "")
    if answer.withheld:
        console.print(f"[bold yellow]Withheld[/] ({len(answer.withheld)})")
        held = screen.table("what", "would", "because")
        for each in answer.withheld:
            held.add_row(_what(each.remediation), "\n".join(_steps(each.remediation)), escape(_because(each)))
        console.print(held, "")
    _rest(answer, console)
    console.print(_last_line(answer))


def _rest(answer: Answer, console: Console) -> None:
    rows = [(u.resource, u.requirement, u.why) for u in answer.unrepaired]
    _listed("Violations that nothing is proposed for", rows, console)
    untold = [(v.resource, v.requirement, v.seen) for v in answer.untold]
    _listed("Asked for, and Azure Policy cannot be told", untold, console)
    unread = [(v.resource, v.requirement, v.seen) for v in answer.unknown]
    _listed("Unknown: never repaired, never called compliant", unread, console)


def _listed(title: str, rows: list[tuple[str, str, str]], console: Console) -> None:
    if not rows:
        return
    console.print(f"[bold]{title}[/] ({len(rows)})")
    made = screen.table("what", "requirement", "because")
    for resource, requirement, why in rows[:_MOST]:
        made.add_row(escape(words.short(resource)), requirement, escape(why))
    if len(rows) > _MOST:
        made.add_row(f"... and {len(rows) - _MOST} more", "", "see --format json")
    console.print(made, "")


def _last_line(answer: Answer) -> str:
    repairs = [one for one in answer.remediations if one.requirements]
    waiting = sum(1 for held in answer.withheld if waits(held))
    held_back = f"{len(answer.withheld)} withheld" + (f", {waiting} of them only until approved" if waiting else "")
    if repairs:
        shared = len(answer.remediations) - len(repairs)
        needed = f" after {words.count(shared, 'thing')} they need" if shared else ""
        return f"{words.count(len(repairs), 'repair')} would be made{needed}; {held_back}."
    if answer.withheld:
        return f"Nothing would be done by itself; {held_back}."
    return "Nothing to do, as far as was seen." if answer.unknown or answer.notes else "Nothing to do."


def _what(one: Remediation) -> str:
    return f"{escape(words.short(one.resource))}\n[dim]{one.digest}[/]"


def _steps(one: Remediation) -> Iterable[str]:
    return [escape(words.does(step)) for step in one.steps] or ["-"]


def _because(held: Withheld) -> str:
    return "\n".join(reason.text for reason in held.reasons)


def as_markdown(answer: Answer) -> str:
    """An Answer in, Markdown out: short enough for a pull request."""
    counts = ", ".join(f"{result.value} {answer.counts.get(result.value, 0)}" for result in Result)
    lines = [f"## Egress plan for {answer.source}", "", f"Verdicts: {counts}.", ""]
    lines += [f"> {note}" for note in answer.notes] + ([""] if answer.notes else [])
    if answer.remediations:
        lines += [f"### Would be done ({len(answer.remediations)})", ""]
        rows = [
            (
                words.short(r.resource),
                "<br>".join(map(words.say, r.steps)),
                words.disturbs(r),
                words.addresses(r),
                r.digest,
            )
            for r in answer.remediations
        ]
        lines += _markdown(("what", "steps", "disturbs", "leaves from", "digest"), rows)
    if answer.withheld:
        lines += [f"### Withheld ({len(answer.withheld)})", ""]
        held = [
            (words.short(w.remediation.resource), "<br>".join(r.text for r in w.reasons), w.remediation.digest)
            for w in answer.withheld
        ]
        lines += _markdown(("what", "because", "digest"), held)
    if answer.unrepaired:
        lines += ["### Violations that nothing is proposed for", ""]
        lines += _markdown(
            ("what", "requirement", "because"), [_row(u.resource, u.requirement, u.why) for u in answer.unrepaired]
        )
    if answer.untold:
        lines += ["### Asked for, and Azure Policy cannot be told", ""]
        lines += _markdown(
            ("what", "requirement", "because"), [_row(v.resource, v.requirement, v.seen) for v in answer.untold]
        )
    if answer.unknown:
        lines += ["### Unknown", ""]
        lines += _markdown(
            ("what", "requirement", "because"), [_row(v.resource, v.requirement, v.seen) for v in answer.unknown]
        )
    return "\n".join([*lines, _last_line(answer), ""])


def _row(resource: str, requirement: str, why: str) -> tuple[str, str, str]:
    return words.short(resource), requirement, why


def _markdown(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    head = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return [*head, *(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows), ""]
