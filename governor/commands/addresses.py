"""`addresses`: a file or the ledger in; the register of egress addresses out."""

import csv
import sys
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Struct
from rich.markup import escape

from governor.commands import addresses_in_file, estate_file, screen, words
from governor.commands.deployment import DataFolder, with_ports
from governor.commands.errors import CommandError
from governor.core import ids
from governor.core.prices import about_a_month
from governor.core.register import COLUMNS, Entry, Listed, Past, Sought, listed
from governor.ports import Ports


class WithHistory(Struct):
    """An entry with whence it left before, the latest first."""

    now: Listed
    before: tuple[Past, ...] = ()


def addresses(
    *,
    estate: Path | None = None,
    policy: str | None = None,
    cluster: str | None = None,
    history: bool = False,
    format: Literal["table", "txt", "csv", "json"] = "table",  # noqa: A002 - the name of the option
    data: Annotated[Path | None, DataFolder] = None,
) -> int:
    """Show which subnets and clusters leave from which public addresses.

    Parameters
    ----------
    estate: Path
        A file that Azure exported; without it, what the ledger has registered.
    policy: str
        Only what this policy governs.
    cluster: str
        Only this cluster: its id, or its name.
    history: bool
        Also from which addresses each left before, until when, and which record says so.
    format: str
        txt is an allow-list: every address once, nothing else.
    """
    if history and format in ("txt", "csv"):
        raise CommandError(f"--history is shown with --format table or json, not with {format}")
    sought = Sought(policy, cluster)
    if estate is None:
        found = with_ports(lambda ports: _registered(ports, sought, history), data)
    elif policy is not None or history:
        raise CommandError("a file knows neither policies nor what was before: leave out --estate, or the other option")
    else:
        found = _in_file(estate, sought)
    if cluster is not None and not found:
        where = f"of policy {policy} " if policy is not None else ""
        raise CommandError(
            f"--cluster {cluster}: no cluster of this name or id {where}is in {estate or 'the register'}"
        )
    match format:
        case "json":
            screen.write_json(found if history else [one.now for one in found])
        case "csv":
            rows = csv.writer(sys.stdout, lineterminator="\n")
            rows.writerows((COLUMNS, *(one.now.row for one in found)))
        case "txt":
            for address in sorted({address for one in found for address in one.now.addresses}):
                print(address)
            if not found:
                screen.err().print(f"note: {_nothing(policy)}", style="yellow", soft_wrap=True)
            _warn(found)
        case "table":
            _show(found, policy)
    return 0


def _in_file(path: Path, sought: Sought) -> list[WithHistory]:
    found: list[Entry] = addresses_in_file.entries(estate_file.read(path))
    return [WithHistory(listed(entry)) for entry in found if sought.takes(entry)]


async def _registered(ports: Ports, sought: Sought, history: bool) -> list[WithHistory]:
    found: list[WithHistory] = []
    page = await ports.ledger.addresses(sought)
    while True:
        for one in page.entries:
            before = await ports.ledger.address_history(one.entry.resource) if history else ()
            found.append(WithHistory(listed(one.entry, one), before))
        if page.continuation is None:
            return sorted(found, key=lambda one: (one.now.kind, ids.key(one.now.resource)))
        page = await ports.ledger.addresses(sought, continuation=page.continuation)


def _nothing(policy: str | None) -> str:
    return "No subnet and no cluster is known yet." if policy is None else f"Nothing is governed by a policy {policy}."


def _show(found: list[WithHistory], policy: str | None) -> None:
    console, made = screen.out(), screen.table("subnet or cluster", "leaves by", "from")
    for one in found:
        now = one.now
        known = "\n".join(now.addresses) or ("-" if now.whole else "not known, or changing")
        method = f"{now.method}; not known now: {now.doubt}" if now.doubt and now.method else now.method or now.doubt
        made.add_row(escape(words.short(now.resource)), escape(method), escape(known))
        for past in one.before:
            method, left_from = _was(past)
            until = f"  until {words.when(past.until)}"
            made.add_row(*(f"[dim]{escape(text)}[/]" for text in (until, method, left_from)))
    console.print(made if found else escape(_nothing(policy)))
    every = {address for one in found for address in one.now.addresses}
    cost = about_a_month(every) if every else None
    if cost is not None:
        console.print(f"[dim]These public addresses cost about {cost:.2f} USD a month at list price.[/]")


def _was(past: Past) -> tuple[str, str]:
    ended = f" (record {past.ended_by[:12]})" if past.ended_by else ""
    return past.entry.method + ended, "\n".join(past.entry.addresses) or "-"


def _warn(found: list[WithHistory]) -> None:
    """An allow-list that lacks an address breaks somebody: said where it is not piped away."""
    for kind in ("subnet", "cluster"):
        if lost := [one for one in found if not one.now.whole and one.now.kind == kind]:
            text = f"note: {words.count(len(lost), kind)} may leave from addresses that are not in this list"
            screen.err().print(text, style="yellow", soft_wrap=True)
