"""`notices list`: the ledger in; the notices that nobody has been sent yet out."""

from pathlib import Path
from typing import Annotated, Literal

from rich.markup import escape

from governor.commands import screen, words
from governor.commands.deployment import DataFolder, with_ports


def list_(
    *,
    format: Literal["table", "json"] = "table",  # noqa: A002 - the name of the option
    data: Annotated[Path | None, DataFolder] = None,
) -> int:
    """List the notices that wait to be sent, the oldest first; without a topic, all that there ever were."""
    found = with_ports(lambda ports: ports.ledger.notices(), data)
    if format == "json":
        screen.write_json(found)
        return 0
    console = screen.out()
    for notice in found:
        console.print(f"[bold]{words.when(notice.time)}[/]  {escape(words.place(notice.scope))}")
        for line in notice.text.splitlines():
            console.print(f"  {escape(line)}", soft_wrap=True)
    if not found:
        console.print("No notice waits.")
    return 0
