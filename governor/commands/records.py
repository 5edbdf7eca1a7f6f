"""`records list | show | verify`: the ledger in; tables for people or JSON for programs out."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from rich.markup import escape

from governor.commands import screen, words
from governor.commands.deployment import DataFolder, with_ports
from governor.commands.errors import CommandError
from governor.commands.record_view import show as show_record
from governor.core.cause import Remainder, Scope
from governor.core.record import Record
from governor.ports import Ledger, Page, Ports, Verification

Data = Annotated[Path | None, DataFolder]
Form = Annotated[Literal["table", "json"], Parameter(help="For people, or for programs.")]
_SEARCHED = 1000
_SHORTEST = 4
# So many digits tell records apart in a table; every command takes them. JSON has the whole id.
_SHOWN = 12


def where_of(scope: Scope) -> str:
    """A Scope in, its name out; of a subscription as much of its id as leaves room for the rest of a row."""
    return f"subscription {scope.subscription_id[:8]}..." if isinstance(scope, Remainder) else words.place(scope)


def list_(
    *,
    limit: int = 20,
    subscription: str | None = None,
    format: Form = "table",  # noqa: A002 - the name of the option
    continuation: str | None = None,
    data: Data = None,
) -> int:
    """List the newest records.

    Parameters
    ----------
    limit: int
        So many of them.
    subscription: str
        Only those of this subscription.
    continuation: str
        Goes on where a page ended.
    """
    if limit < 1:
        raise CommandError(f"--limit {limit}: expected 1 or more")

    async def ask(ports: Ports) -> Page:
        try:
            return await ports.ledger.records(subscription, limit, continuation)
        except ValueError as error:
            raise CommandError(f"--continuation: {error}") from error

    page = with_ports(ask, data)
    if format == "json":
        screen.write_json(page)
        return 0
    made = screen.table("record", "time", "where", "why", "what came of it")
    made.columns[1].no_wrap = True
    for record in page.records:
        where, why = escape(where_of(record.scope)), escape(words.woken(record.cause))
        made.add_row(record.id[:_SHOWN], words.when(record.time), where, why, escape(words.came_of(record)))
    console = screen.out()
    console.print(made if page.records else "There is no record yet.")
    if page.continuation:
        console.print(f"[dim]more with --continuation {page.continuation}[/]", soft_wrap=True)
    return 0


def show(record_id: str, /, *, format: Form = "table", data: Data = None) -> int:  # noqa: A002 - the name of the option
    """Show one record: cause, verdicts, steps with the bodies before and after, and what was withheld.

    Parameters
    ----------
    record_id: str
        Id of the record, or its beginning.
    """

    async def ask(ports: Ports) -> tuple[Record, dict[str, bytes]]:
        whole = await whole_id(record_id, ports.ledger)
        record = await ports.ledger.record(whole)
        if record is None:
            raise CommandError(f"there is no record {record_id}")
        names = {name for outcome in record.outcomes for name in (outcome.before, outcome.after) if name}
        found = {name: await ports.ledger.blob(name) for name in sorted(names)}
        return record, {name: body for name, body in found.items() if body is not None}

    record, bodies = with_ports(ask, data)
    if format == "json":
        screen.write_json({"record": record, "bodies": {name: screen.parsed(body) for name, body in bodies.items()}})
    else:
        show_record(record, bodies, screen.out())
    return 0


def verify(*, format: Form = "table", data: Data = None) -> int:  # noqa: A002 - the name of the option
    """Check every hash of every record: exit code 1 when something was changed afterwards."""

    async def ask(ports: Ports) -> list[Verification]:
        return [one async for one in ports.ledger.verify()]

    found = with_ports(ask, data)
    broken = [one for one in found if one.wrong is not None]
    if format == "json":
        screen.write_json(found)
        return 1 if broken else 0
    made = screen.table("subscription", "records", "chain")
    for one in found:
        made.add_row(
            one.subscription, str(one.records), f"[red]{escape(one.wrong)}[/]" if one.wrong else "[green]whole[/]"
        )
    screen.out().print(made if found else "There is no record yet.")
    return 1 if broken else 0


async def whole_id(beginning: str, ledger: Ledger) -> str:
    """The beginning of a Record's id in, the whole id out; CommandError when there is none, or several."""
    if await ledger.record(beginning) is not None:
        return beginning
    page = await ledger.records(limit=_SEARCHED)
    found = [one.id for one in page.records if len(beginning) >= _SHORTEST and one.id.startswith(beginning)]
    if len(found) > 1:
        raise CommandError(f"{beginning} is the beginning of several records: {', '.join(found)}")
    if not found:
        raise CommandError(f"there is no record {beginning}")
    return found[0]
