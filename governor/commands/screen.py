"""The terminal: consoles for people, progress while something takes long. Programs get JSON and no colours."""

import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.segment import Segment
from rich.table import Table

from governor.commands.errors import CommandError

T = TypeVar("T")
# Where nobody looks at a terminal (pipes, CI), lines of this width; COLUMNS says otherwise.
WIDTH: Final = 100
_LONG: Final = 1.0
# Between columns; and what a column has at least, however long its words are.
_GAP: Final = 2
_NARROWEST: Final = 12
# Control characters but tab and newline, and those that turn the direction of what follows.
_OBEYED: Final = dict.fromkeys(
    (*range(9), *range(11, 32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A)), "\ufffd"
)


def out() -> Console:
    """The console of standard output; plain where it is no terminal."""
    return _console(stderr=False)


def err() -> Console:
    """The console of standard error, for progress and notes."""
    return _console(stderr=True)


def visible(text: str) -> str:
    """Any text in; the same out, with a sign in place of each character that a terminal would obey."""
    return text.translate(_OBEYED)


class _Console(Console):
    """A console on which names, tags and reasons that others wrote can only be read."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else visible(text), style, control)


def _console(stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else WIDTH
    return _Console(stderr=stderr, width=width, highlight=False, soft_wrap=False)


class _Fitted(Table):
    """A table that breaks no name or id where the console is wide enough: the room that is left is for sentences."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        measured = [[console.measure(cell) for cell in (column.header, *column.cells)] for column in self.columns]
        least, most = ([max(getattr(one, end) for one in column) for column in measured] for end in Measurement._fields)
        least = [high if column.no_wrap else low for column, low, high in zip(self.columns, least, most, strict=True)]
        room = options.max_width - _GAP * (len(measured) - 1)
        # One that is too long for any column is broken, so that the others are not.
        widest = least.index(max(least))
        least[widest] = max(_NARROWEST, min(least[widest], room - sum(least) + least[widest]))
        spare, left = room - sum(least), len(measured)
        wishes = sorted((high - low, at) for at, (low, high) in enumerate(zip(least, most, strict=True)))
        for wish, at in wishes if spare >= 0 else ():
            given = min(wish, spare // left)
            self.columns[at].width = least[at] + given
            spare, left = spare - given, left - 1
        return super().__rich_console__(console, options)


def table(*columns: str) -> Table:
    """Names of columns in, an empty table in the one style of this program out."""
    made = _Fitted(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
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
            yield _Console(file=file, width=WIDTH, highlight=False)
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
