"""`sweep`: scopes in; they are surveyed and governed once, and what was found and done is shown."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import Parameter
from rich.console import Console

from governor.commands import screen, sweep_view, sweeping
from governor.commands.deployment import DataFolder, reach, settings_of
from governor.commands.errors import CommandError
from governor.commands.swept import Swept
from governor.core.policy import Mode
from governor.settings import Settings
from governor.wiring import Worker

FAILED = 1


def sweep(
    *,
    scope: Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())] = None,
    yes: Annotated[bool, Parameter(negative=())] = False,
    wait: float = 0.0,
    format: Literal["table", "json"] = "table",  # noqa: A002 - the name of the option
    policies: Path | None = None,
    data: Annotated[Path | None, DataFolder] = None,
) -> int:
    """Survey everything in some scopes and govern it once, in this process.

    Exit code 1 when something could not be seen, or a run or a step failed.

    Parameters
    ----------
    scope: list[str]
        Ids of subscriptions or virtual networks, names or ids of management groups, or all.
    yes: bool
        Do not ask before something may be written.
    wait: float
        Seconds to go on looking at what was put back to wait.
    format: str
        For people, for programs.
    policies: Path
        Folder of policy files; without it, the one of the deployment.
    """
    settings = settings_of(os.environ, policies, data)
    reach(settings)
    console = screen.out() if format == "table" else screen.err()
    swept = asyncio.run(_sweep(scope or [], settings, console, yes, wait))
    if swept is None:
        console.print("nothing was done")
        return 0
    if format == "json":
        screen.write_json({"ceiling": settings.mode_ceiling, **msgspec.structs.asdict(swept)})
    else:
        sweep_view.show(swept, console)
    for line in swept.failed:
        print(f"egress-governor: {line}", file=sys.stderr)
    return 0 if swept.whole else FAILED


async def _sweep(scopes: list[str], settings: Settings, console: Console, yes: bool, wait: float) -> Swept | None:
    worker = Worker(settings)
    try:
        rules = worker.rules()  # what is wrong with the policies is said before anything is read
        wanted = await sweeping.targets(scopes, worker.ports)
        sweep_view.announce(wanted, settings.arm_endpoint, settings.mode_ceiling, console)
        if settings.mode_ceiling is not Mode.AUDIT and not yes and not _agreed(settings.mode_ceiling, console):
            return None
        with sweep_view.watch(screen.err(), wait) as watch:
            return await sweeping.sweep(wanted, worker.ports, rules, watch)
    finally:
        await worker.close()


def _agreed(ceiling: Mode, console: Console) -> bool:
    if not sys.stdin.isatty():
        raise CommandError(f"this may write (ceiling {ceiling.value}), and there is no terminal to ask at: say --yes")
    answer = console.input("Repairs may be written. Go on? \\[y/N] ")
    return answer.strip().casefold() in ("y", "yes")
