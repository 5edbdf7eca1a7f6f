"""`up` and `simulator serve`: the local Azure, until somebody stops it."""

import asyncio
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from governor.commands import screen
from governor.commands.deployment import DATA
from governor.commands.errors import CommandError
from governor.commands.local_azure import SAMPLE, Chosen, LocalAzure, ask_for_a_look, running
from governor.settings import PREFIX
from governor.wiring import Worker

FAILED = 1
_LOOK_SECONDS = 0.5


def up(
    *,
    estate: Path = SAMPLE,
    policies: Path = Path("policies"),
    port: int = 7071,
    arm_port: int = 8443,
    data: Path = DATA,
) -> int:
    """Start the simulator and the local Functions host, until Ctrl-C.

    Parameters
    ----------
    estate: Path
        What exists at the start: a file that Azure exported.
    policies: Path
        Folder of policy files.
    port: int
        Port of the Functions host; 0 takes any.
    arm_port: int
        Port of Azure Resource Manager; 0 takes any.
    data: Path
        Folder of the ledger, the logs and the simulator's certificate.
    """
    if not policies.is_dir():
        raise CommandError(f"--policies {policies}: there is no such folder")
    stop_on_term()
    console = screen.out()
    console.print("[bold]This is a simulator of Azure on your machine. No real subscription is touched.[/]\n")
    chosen = Chosen(estate, policies, data, port, arm_port)
    try:
        with ExitStack() as stack:
            with screen.busy("starting the simulator and the host"):
                azure = stack.enter_context(running(chosen))
                asyncio.run(_look(azure))
            show_where(azure, data, console)
            console.print("\nCtrl-C stops both.")
            wait(azure)
    except KeyboardInterrupt:
        console.print("\nstopped")
    return 0


def serve(*options: Annotated[str, Parameter(allow_leading_hyphen=True)]) -> int:
    """Serve Azure Resource Manager on this machine, until Ctrl-C; all options, --help too, are the simulator's own."""
    stop_on_term()
    process = subprocess.Popen([sys.executable, "-m", "simulator", *options])
    try:
        return FAILED if process.wait() else 0
    except KeyboardInterrupt:
        # A Ctrl-C reached it as well; whatever else stops us has to be handed on.
        process.terminate()
        process.wait()
        return 0


def show_where(azure: LocalAzure, data: Path, console: Console) -> None:
    """Where everything is, and how another terminal speaks to it."""
    made = screen.table("", "")
    made.show_header = False
    made.add_row("Azure Resource Manager", f"{azure.arm.url}  (authority {data / 'ca.pem'}, any bearer token)")
    made.add_row("Functions host", f"{azure.host}/api/health, {azure.host}/api/records")
    made.add_row("ledger and logs", str(data))
    console.print(made)
    console.print("\nIn another terminal:\n")
    for name in ("STORE", "POLICIES", "ARM_ENDPOINT", "CA_BUNDLE", "MODE_CEILING"):
        console.print(f"  export {PREFIX}{name}={azure.environ[PREFIX + name]}", soft_wrap=True)
    network = azure.networks[0]
    console.print(f"  egress-governor records list\n  egress-governor explain {network}", soft_wrap=True)


def wait(azure: LocalAzure) -> None:
    """Returns never; CommandError when a child ends by itself, KeyboardInterrupt when somebody stops it."""
    while True:
        azure.check()
        time.sleep(_LOOK_SECONDS)


def stop_on_term() -> None:
    """From now on SIGTERM ends this process as Ctrl-C does, so that its children end with it."""

    def stop(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)


async def _look(azure: LocalAzure) -> None:
    worker = Worker(azure.settings())
    try:
        await ask_for_a_look(azure.networks, worker.ports.inbox)
    finally:
        await worker.close()
