"""The terminal: consoles for people, progress while something takes long. Programs get JSON and no colours."""

import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from governor.commands.errors import CommandError

T = TypeVar("T")
# Where nobody looks at a terminal (pipes, CI), lines of this width; COLUMNS says otherwise.
WIDTH: Final = 100
_LONG: Final = 1.0


def out() -> Console:
    """The console of standard output; plain where it is no terminal."""
    return _console(stderr=False)


def err() -> Console:
    """The console of standard error, for progress and notes."""
    return _console(stderr=True)


def _console(stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else WIDTH
    return Console(stderr=stderr, width=width, highlight=False, soft_wrap=False)


def table(*columns: str) -> Table:
    """Names of columns in, an empty table in the one style of this program out."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        made.add_column(column, overflow="fold", header_style="bold dim")
    return made


def grid(*widths: int) -> Table:
    """Widths of columns in, an empty table without a head out: words, and last what there is to say of them."""
    made = Table.grid(padding=(0, 2, 0, 0))
    for width in widths:
        made.add_column(width=width, style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    return made


def json_text(value: object) -> str:
    """A value in, its JSON, indented, out."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"


def parsed(body: bytes) -> Any:
    """A stored body in, its value out; what is no JSON comes out as text."""
    try:
        return msgspec.json.decode(body)
    except ValueError:
        return body.decode("utf-8", "replace")


def write_json(value: object) -> None:
    """A value in; its JSON, indented, on standard output."""
    sys.stdout.write(json_text(value))


@contextmanager
def written(path: Path | None) -> Iterator[Console]:
    """A file or None in, the console that writes into it or to standard output out."""
    if path is None:
        yield out()
        return
    try:
        with path.open("w", encoding="utf-8") as file:
            yield Console(file=file, width=WIDTH, highlight=False)
    except OSError as error:
        raise CommandError(f"--out {path}: cannot be written: {error.strerror or error}") from error
    err().print(f"written to {path}", style="dim", soft_wrap=True)


def track(items: Iterable[T], what: str, total: int) -> Iterator[T]:
    """Items in, the same out; a progress bar on a terminal as soon as they take longer than a second."""
    console = err()
    if not console.is_terminal:
        yield from items
        return
    started = time.monotonic()
    progress = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=console, transient=True
    )
    task = progress.add_task(what, total=total)
    shown = False
    try:
        for item in items:
            if not shown and time.monotonic() - started > _LONG:
                progress.start()
                shown = True
            yield item
            progress.advance(task)
    finally:
        if shown:
            progress.stop()


def busy(what: str, console: Console | None = None) -> AbstractContextManager[object]:
    """What takes long in, a spinner beside it on a terminal out; `console` is the one that is printed on meanwhile."""
    console = console or err()
    return console.status(what) if console.is_terminal else nullcontext()
