"""`demo`: nothing in; a tour out, on this machine alone. It ends with 0 only when everything governed is in order."""

import asyncio
import os
import re
import shutil
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter
from rich.console import Console

from governor.commands import screen
from governor.commands.children import CHECKOUT
from governor.commands.demo_stage import Stage
from governor.commands.demo_story import play
from governor.commands.errors import CommandError
from governor.commands.local_azure import SAMPLE, Chosen, running
from governor.commands.planning import CEILING
from governor.commands.up import show_where, stop_on_term, wait

SETTLE_SECONDS: Final = 2
_SETTLE: Final = re.compile(r"(?m)^(\s*settleSeconds:\s*)(\d+)")


def demo(*, keep: Annotated[bool, Parameter(negative=())] = False, data: Path | None = None) -> int:
    """Show a small Azure being governed, on this machine alone, in about a minute and a half.

    Parameters
    ----------
    keep: bool
        Leave everything running at the end, until Ctrl-C.
    data: Path
        Empty folder for the ledger and the logs; without it a temporary one, which is removed.
    """
    if data is not None and data.exists() and (not data.is_dir() or any(data.iterdir())):
        raise CommandError(f"--data {data}: expected a new or an empty folder")
    if (ceiling := os.environ.get(CEILING, "").strip() or "enforce") != "enforce":
        raise CommandError(f"{CEILING}={ceiling}: the demo shows repairs; unset it, or look with `egress-governor up`")
    stop_on_term()
    folder = data or Path(tempfile.mkdtemp(prefix="egress-governor-"))
    try:
        code = _tour(folder, keep, screen.out())
    except CommandError as error:
        raise CommandError(f"the demo failed: {error}. Logs and ledger are in {folder}") from error
    except KeyboardInterrupt:
        _remove(folder, data)
        raise
    _remove(folder, data)
    return code


def _tour(folder: Path, keep: bool, console: Console) -> int:
    began = time.monotonic()
    policies, usual = _policies(folder)
    with ExitStack() as stack:
        with screen.busy("starting a simulator of Azure and the Functions host"):
            azure = stack.enter_context(running(Chosen(SAMPLE, policies, folder)))
        code = asyncio.run(play(Stage(azure, folder, console, usual, began)))
        if keep:
            console.print()
            show_where(azure, folder, console)
            console.print("\nCtrl-C ends it.")
            try:
                wait(azure)
            except KeyboardInterrupt:
                console.print("\nended")
    return code


def _policies(folder: Path) -> tuple[Path, int]:
    """A copy of the policies that differs in one number, so that nobody waits for minutes; and what the number was."""
    copy = folder / "policies"
    shutil.copytree(CHECKOUT / "policies", copy)
    defaults = copy / "defaults.yaml"
    text = defaults.read_text(encoding="utf-8")
    found = _SETTLE.search(text)
    if found is None:
        raise CommandError(f"{CHECKOUT / 'policies' / 'defaults.yaml'} does not say settleSeconds any more")
    defaults.write_text(_SETTLE.sub(rf"\g<1>{SETTLE_SECONDS}", text), encoding="utf-8")
    return copy, int(found[2])


def _remove(folder: Path, data: Path | None) -> None:
    if data is None:
        shutil.rmtree(folder, ignore_errors=True)
