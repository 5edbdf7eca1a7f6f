"""Programs of ours as child processes: arguments in, a running child that has said where it listens out.

The command line never imports the simulator or the host; it starts them, and they end with it.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from governor.commands.errors import CommandError

CHECKOUT: Final = Path(__file__).resolve().parent.parent.parent
_PATIENCE_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.05
_GRACE_SECONDS: Final = 10.0


class Child(Struct):
    """One child process; `log` is a file with everything it has said."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def last_words(self) -> str:
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1] if lines else "it said nothing"


def start(name: str, arguments: Sequence[str], environ: Mapping[str, str], folder: Path) -> Child:
    """The name of a module with its arguments and environment in, the child out; its log goes into the folder."""
    log = folder / f"{name}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", name, *arguments],
            cwd=CHECKOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environ},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    return Child(name, process, log)


def address(child: Child, option: str, port: int) -> str:
    """A child in, the URL it says that it listens on out; CommandError when it ends or says nothing."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        for line in child.log.read_text(errors="replace").splitlines():
            words = line.removeprefix(f"{child.name}: ").split()
            if words and words[0].startswith(("http://127.", "https://127.")):
                return words[0]
        if child.process.poll() is not None:
            said = child.last_words
            if "in use" in said.casefold():
                raise CommandError(f"port {port} is in use; choose another with {option} PORT")
            raise CommandError(f"{said if said.startswith(child.name) else f'{child.name}: {said}'}")
        time.sleep(_LOOK_SECONDS)
    raise CommandError(f"{child.name} did not start within {_PATIENCE_SECONDS:.0f} s; its log: {child.log}")


def ended(children: Sequence[Child]) -> Child | None:
    """Children in, the first that is not running any more out."""
    return next((child for child in children if child.process.poll() is not None), None)


def stop(children: Sequence[Child]) -> None:
    """Children in; they are asked to end, the last started first, and made to if they do not."""
    for child in reversed(children):
        child.process.terminate()
    deadline = time.monotonic() + _GRACE_SECONDS
    for child in children:
        try:
            child.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()
