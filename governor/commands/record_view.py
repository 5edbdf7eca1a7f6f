"""A Record and the bodies it names in, text for people out."""

import difflib
import hashlib
import json
from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape

from governor.commands import screen, words
from governor.core.record import Became, Outcome, Record

_STYLES = {Became.DONE: "green", Became.UNCHANGED: "dim", Became.FAILED: "red"}


def show(record: Record, bodies: dict[str, bytes], console: Console) -> None:
    """A Record and its bodies by name in, written on a console."""
    console.print(f"[bold]record {record.id}[/]  {words.when(record.time)}  {escape(words.place(record.scope))}")
    facts = screen.table("", "")
    facts.show_header = False
    cause = record.cause
    facts.add_row("woken by", escape(words.woken(cause)))
    facts.add_row("happened at", words.when(cause.time))
    if cause.caller is not None:
        who = [text for text in (cause.caller.name, cause.caller.object_id, cause.caller.application_id) if text]
        facts.add_row("written by", escape(", ".join(dict.fromkeys(who))))
    if cause.correlation_id:
        facts.add_row("correlation", escape(cause.correlation_id))
    for decision in record.decisions:
        said = f"{decision.ruling.value} {decision.digest} by {decision.by} at {words.when(decision.at)}"
        facts.add_row("decided", escape(f"{said}: {decision.reason or 'no reason given'}"))
    for ahead in record.approvals:
        said = f"class {ahead.disruption} of {ahead.policy} below {ahead.scope}, until {words.when(ahead.until)}"
        by = f"by {ahead.by} at {words.when(ahead.at)}: {ahead.reason or 'no reason given'}"
        facts.add_row("decided", escape(f"approve ahead {said}, {by}"))
    if record.undo is not None:
        said = f"undo of {record.undo.record} by {record.undo.by} at {words.when(record.undo.at)}"
        facts.add_row("decided", escape(f"{said}: {record.undo.reason or 'no reason given'}"))
    facts.add_row("policies", record.policy_digest[:16])
    if record.note:
        facts.add_row("note", escape(record.note))
    facts.add_row("chained to", record.prev or "none: it is the first of its subscription")
    console.print(facts)
    _verdicts(record, console)
    _steps(record, bodies, console)
    _proofs(record, console)
    _withheld(record, console)
    if record.left_out:
        console.print(f"[yellow]{record.left_out} changes or withheld repairs did not fit into the record[/]")


def _verdicts(record: Record, console: Console) -> None:
    console.print(f"\n[bold]Verdicts[/] of all in it: {words.tally(record.counts)}")
    if not record.changes and not record.gone:
        console.print("[dim]none changed[/]")
        return
    made = screen.table("changed", "requirement", "to", "seen")
    for v in record.changes:
        result = f"[{words.STYLES[v.result]}]{v.result.value}[/]"
        seen = v.seen + (f" ({', '.join(v.addresses)})" if v.addresses else "")
        made.add_row(escape(words.short(v.resource)), v.requirement, result, escape(seen))
    for resource in record.gone:
        made.add_row(escape(words.short(resource)), "", "gone", "")
    console.print(made)


def _steps(record: Record, bodies: dict[str, bytes], console: Console) -> None:
    if not record.outcomes:
        return
    console.print("\n[bold]Steps[/]")
    for outcome in record.outcomes:
        style = _STYLES.get(outcome.became, "yellow")
        took = ""
        if outcome.started and outcome.finished:
            took = f"  [dim]{(outcome.finished - outcome.started).total_seconds():.1f} s[/]"
        console.print(f"[{style}]{outcome.became.value}[/] {escape(words.say(outcome.step))}{took}")
        if outcome.detail:
            console.print(f"  {escape(outcome.detail)}")
        for wrong in _untrue(outcome, bodies):
            console.print(f"  [red]{wrong}[/]")
        for line in _difference(outcome, bodies):
            colour = {"+": "green", "-": "red"}.get(line[:1], "dim")
            console.print(f"  [{colour}]{escape(line)}[/]", soft_wrap=True)


def _proofs(record: Record, console: Console) -> None:
    """How far it is proven that what was written is so, in the words for that."""
    if not record.proofs:
        return
    console.print("\n[bold]Proof[/]")
    for proof in record.proofs:
        said = f"{proof.word.value}: {proof.seen} ({words.short(proof.resource)})"
        console.print(escape(said), soft_wrap=True)


def _untrue(outcome: Outcome, bodies: dict[str, bytes]) -> Iterator[str]:
    """A body that is missing, or is not the one that the Record names by its hash, is no proof of anything."""
    for which, name in (("before", outcome.before), ("after", outcome.after)):
        if name and name not in bodies:
            yield f"the body {which} is missing: the record names {name}"
        elif name and hashlib.sha256(bodies[name]).hexdigest() != name:
            yield f"the body {which} was changed afterwards: it does not have the hash that the record names"


def _difference(outcome: Outcome, bodies: dict[str, bytes]) -> Iterator[str]:
    """The body before and after, as the lines that differ; long values keep one line."""
    before, after = (_lines(bodies.get(name or "", b"")) for name in (outcome.before, outcome.after))
    if before != after:
        for line in list(difflib.unified_diff(before, after, lineterm="", n=1))[2:]:
            if not line.startswith("@@"):
                yield line


def _lines(body: bytes) -> list[str]:
    if not body:
        return []
    try:
        return json.dumps(json.loads(body), indent=2).splitlines()
    except ValueError:
        return body.decode("utf-8", "replace").splitlines()


def _withheld(record: Record, console: Console) -> None:
    """Repairs that were withheld; what only they would have needed is in the JSON."""
    repairs = [offer for offer in record.withheld if offer.remediation.requirements]
    if not repairs:
        return
    console.print("\n[bold]Withheld[/]")
    made = screen.table("what", "would", "because")
    for offer in repairs:
        one = offer.remediation
        steps = "\n".join(words.does(step) for step in one.steps) or "-"
        because = "\n".join(reason.text for reason in offer.reasons)
        made.add_row(f"{escape(words.short(one.resource))}\n[dim]{one.digest}[/]", escape(steps), escape(because))
    console.print(made)
