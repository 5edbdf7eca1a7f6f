"""The command line itself: help, version, usage errors, tracebacks; and that it starts quickly."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.cli.conftest import Run

COMMANDS = [
    *("demo", "up", "plan", "explain", "addresses", "approve", "reject"),
    *("undo", "pause", "resume", "records", "policies", "simulator"),
]
HEAVY = ("azure", "aiohttp", "yaml", "sqlite3", "simulator", "devhost", "governor.loop", "governor.core.policy")


def test_help_names_every_command(run: Run) -> None:
    ran = run("--help")
    assert ran.code == 0
    assert [name for name in COMMANDS if f" {name} " in ran.out] == COMMANDS


@pytest.mark.parametrize(
    "command",
    [
        *((name,) for name in COMMANDS if name not in ("records", "policies", "simulator")),
        *(("records", name) for name in ("list", "show", "verify")),
        *(("policies", name) for name in ("check", "test", "schema")),
    ],
)
def test_every_command_has_help(run: Run, command: tuple[str, ...]) -> None:
    ran = run(*command, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert f"egress-governor {' '.join(command)}" in ran.out


def test_version(run: Run) -> None:
    ran = run("--version")
    assert (ran.code, ran.out.strip()) == (0, version("egress-governor"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("fly",),
        ("plan", "--wings"),
        ("explain",),
        ("plan", "--estate", "x", "--format", "pdf"),
        ("undo", "x", "--days", "y"),
    ],
)
def test_a_usage_error_is_one_line_and_1(run: Run, arguments: tuple[str, ...]) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("egress-governor: ")
    assert ran.err.count("\n") == 1


def test_debug_adds_the_traceback(checkout: Path) -> None:
    command = [sys.executable, "-m", "governor.cli", "plan", "--estate", "nowhere.json"]
    plain = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    debug = subprocess.run([*command, "--debug"], cwd=checkout, capture_output=True, text=True, check=False)
    assert (plain.returncode, debug.returncode) == (1, 1)
    assert "Traceback" not in plain.stderr
    assert "Traceback" in debug.stderr
    assert "nowhere.json: cannot be read" in debug.stderr


def test_nothing_heavy_is_imported_for_help(checkout: Path) -> None:
    code = (
        "import sys; from governor.cli import main; assert main(['--help']) == 0; "
        f"print('HEAVY', sorted({set(HEAVY)!r} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=checkout, capture_output=True, text=True, check=True)
    assert "HEAVY []" in ran.stdout


def test_a_reader_that_goes_away_is_no_traceback(checkout: Path) -> None:
    command = f"{sys.executable} -m governor.cli policies schema | head -1"
    ran = subprocess.run(command, shell=True, cwd=checkout, capture_output=True, text=True, check=True)
    assert (ran.stdout, ran.stderr) == ("{\n", "")
