"""The command line as a person has it: arguments in; exit code, output and errors out. And a ledger with a history."""

import asyncio
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import Struct

from governor.cli import main
from tests.cli.small_azure import govern_once


class Ran(Struct):
    """What a command has left behind."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """The output in one line, as if the terminal were wide."""
        return " ".join(self.out.split())


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, checkout: Path, tmp_path: Path) -> Run:
    """Runs a command in an empty folder, without any setting but the policies of the checkout."""
    for name in ("STORE", "MODE_CEILING", "ARM_ENDPOINT", "CA_BUNDLE", "SCOPES", "CLOUD", "CLOCK_SKEW_SECONDS"):
        monkeypatch.delenv(f"EGRESS_GOVERNOR_{name}", raising=False)
    monkeypatch.setenv("EGRESS_GOVERNOR_POLICIES", str(checkout / "policies"))
    monkeypatch.setenv("COLUMNS", "100")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)

    def run(*arguments: object) -> Ran:
        code = main([str(one) for one in arguments])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def contoso(checkout: Path) -> Path:
    return checkout / "estates" / "contoso.json"


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> Path:
    """The ledger of a governor that has looked once at every network of the sample estate; never written again."""
    folder = tmp_path_factory.mktemp("history")
    asyncio.run(govern_once(folder, checkout))
    return folder


@pytest.fixture
def ledger(history: Path, tmp_path: Path) -> Path:
    """A copy of that ledger, for this test alone."""
    return Path(shutil.copytree(history, tmp_path / "ledger"))


@pytest.fixture
def unused_port() -> int:
    """A port on this machine where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
