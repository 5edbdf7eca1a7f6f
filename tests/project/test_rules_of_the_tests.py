"""The rules that pyproject.toml and tests/conftest.py give every test, shown on a small project of their own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


def run(folder: Path, tests: Mapping[str, str], *, ci: bool) -> tuple[int, str]:
    """Test modules by name in; pytest's exit code and what it printed out."""
    (folder / "tests").mkdir()
    shutil.copy(CHECKOUT / "pyproject.toml", folder)
    shutil.copy(CHECKOUT / "tests" / "conftest.py", folder / "tests")
    for name, test in tests.items():
        (folder / "tests" / f"test_{name}.py").write_text(test)
    environment = {k: v for k, v in os.environ.items() if k not in {"CI", "EGRESS_GOVERNOR_SHARED"}}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--continue-on-collection-errors"],
        cwd=folder,
        env={**environment, "CI": "true"} if ci else environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


LEFT_OUT = {
    "skip": "import pytest\n\ndef test() -> None:\n    pytest.skip('apt-get install one')",
    "mark": "import pytest\n\n@pytest.mark.skip('apt-get install two')\ndef test() -> None: ...",
    "module": "import pytest\npytest.skip('apt-get install three', allow_module_level=True)",
    "fixture": "def test(shared) -> None: ...",
}
HOW = ("apt-get install one", "apt-get install two", "apt-get install three", "put it beside the checkout as ../shared")


def test_what_is_left_out_is_named(tmp_path: Path) -> None:
    code, printed = run(tmp_path, {**LEFT_OUT, "passes": "def test() -> None: ..."}, ci=False)
    assert code == 0, printed
    assert "1 passed, 4 skipped" in printed
    assert "4 tests were left out" in printed
    assert [how for how in HOW if how not in printed] == []


def test_nothing_is_left_out_where_ci_runs(tmp_path: Path) -> None:
    code, printed = run(tmp_path, LEFT_OUT, ci=True)
    assert code == 1, printed
    assert "1 failed, 3 errors" in printed  # only the first leaves itself out while it runs
    assert printed.count("CI=true leaves nothing out") >= 4
    assert [how for how in HOW if how not in printed] == []


BROKEN = {
    "expected_to_fail": "import pytest\n\n@pytest.mark.xfail(reason='known')\ndef test() -> None: ...",
    "warning": "import warnings\n\ndef test() -> None:\n    warnings.warn('old', DeprecationWarning)",
    "never_awaited": "import asyncio, gc\n\ndef test() -> None:\n    asyncio.sleep(0)\n    gc.collect()",
    "elsewhere": "import socket\n\ndef test() -> None:\n    socket.create_connection(('192.0.2.1', 443), timeout=1)",
    "unknown_mark": "import pytest\n\n@pytest.mark.sometimes\ndef test() -> None: ...",
}
SAYS = (
    "XPASS(strict)",
    "DeprecationWarning: old",
    "never awaited",
    "SocketConnectBlockedError",
    "'sometimes' not found",
)


def test_failures(tmp_path: Path) -> None:
    """An expected failure that passes, a warning, a forgotten coroutine, a socket to elsewhere, an unknown mark."""
    code, printed = run(tmp_path, BROKEN, ci=False)
    assert code == 1, printed
    assert "4 failed, 1 error" in printed
    assert [words for words in SAYS if words not in printed] == []


@pytest.mark.parametrize("ci", [True, False])
def test_expected_failures_and_loopback_are_fine(tmp_path: Path, ci: bool) -> None:
    test = (
        "import pytest, socket\n\n"
        "@pytest.mark.xfail(reason='known')\ndef test_known() -> None:\n    raise ValueError\n\n"
        "def test_loopback() -> None:\n"
        "    with socket.create_server(('127.0.0.1', 0)) as server:\n"
        "        socket.create_connection(server.getsockname()).close()\n"
    )
    code, printed = run(tmp_path, {"fine": test}, ci=ci)
    assert code == 0, printed
    assert "1 passed, 1 xfailed" in printed
