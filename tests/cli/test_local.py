"""`up`, `demo` and `simulator serve`: children that start, say where they listen, and end with the command."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from governor.commands import children
from governor.commands.errors import CommandError
from tests.cli.conftest import Run


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port on this machine where somebody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


@pytest.fixture
def no_handler() -> Iterator[None]:
    """What a command does about SIGTERM ends with the test."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_up_says_where_everything_is_and_ends_with_its_children(checkout: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "governor.cli", "up", "--port", "0", "--arm-port", "0", "--data", str(tmp_path)]
    environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
    up = subprocess.Popen(command, cwd=checkout, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert up.stdout is not None
        said: list[str] = []
        for line in up.stdout:
            said.append(line)
            if "Ctrl-C" in line:
                break
        up.send_signal(signal.SIGTERM)
        _, err = up.communicate(timeout=30)
    finally:
        up.kill()
    assert said[0] == "This is a simulator of Azure on your machine. No real subscription is touched.\n"
    exported = [line.split()[1].partition("=")[0] for line in said if line.startswith("  export ")]
    assert "EGRESS_GOVERNOR_ARM_ENDPOINT" in exported
    assert (up.returncode, err) == (0, "")
    port = int(next(line for line in said if "ARM_ENDPOINT" in line).rstrip().rpartition(":")[2])
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.usefixtures("no_handler")
def test_a_port_in_use_is_one_clear_line(run: Run, checkout: Path, tmp_path: Path, taken_port: int) -> None:
    ran = run("up", "--arm-port", taken_port, "--data", tmp_path / "data", "--policies", checkout / "policies")
    assert ran.code == 1
    assert ran.err == f"egress-governor: port {taken_port} is in use; choose another with --arm-port PORT\n"


def test_the_demo_is_not_shown_where_nothing_may_be_repaired(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EGRESS_GOVERNOR_MODE_CEILING", "audit")
    ran = run("demo")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("egress-governor: EGRESS_GOVERNOR_MODE_CEILING=audit: the demo shows repairs")


@pytest.mark.usefixtures("no_handler")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("up", "--policies", "nowhere"), "--policies nowhere: there is no such folder"),
        (("up", "--policies", ".", "--estate", "nowhere.json"), "nowhere.json: cannot be read"),
        (("up", "--policies", "."), "there is no policy in this folder"),
        (("demo", "--data", "full"), "--data full: expected a new or an empty folder"),
    ],
)
def test_what_cannot_start_says_why(run: Run, arguments: tuple[str, ...], said: str) -> None:
    Path("full").mkdir()
    Path("full/file").touch()
    ran = run(*arguments)
    assert ran.code == 1
    assert said in ran.err
    assert ran.err.count("\n") == 1


SERVE = [sys.executable, "-m", "governor.cli", "simulator", "serve"]


def served(checkout: Path, *options: object) -> subprocess.CompletedProcess[str]:
    """Options of `simulator serve` that cannot work in, what it said out."""
    command = [*SERVE, *(str(option) for option in options)]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False, timeout=30)


def test_the_simulator_alone_takes_every_option_of_the_simulator(checkout: Path, tmp_path: Path) -> None:
    chaos = tmp_path / "chaos.yaml"
    chaos.write_text("- {path: /subscriptions, status: 418, count: null}")
    options = ["--http", "--port", "0", "--latency", "real", "--throttle", "off", "--seed", "7", "--chaos", str(chaos)]
    options += ["--estate", str(checkout / "estates" / "contoso.json"), "--graph-lag", "1", "--event-delay", "2"]
    serving = subprocess.Popen([*SERVE, *options], cwd=checkout, stdout=subprocess.PIPE, text=True)
    try:
        assert serving.stdout is not None
        url = serving.stdout.readline().strip()
        with pytest.raises(urllib.error.HTTPError, match="418") as caught:
            urllib.request.urlopen(f"{url}/subscriptions?api-version=2022-12-01", timeout=30)
        caught.value.close()
        serving.send_signal(signal.SIGTERM)
        serving.communicate(timeout=30)
        assert serving.returncode == 0
    finally:
        serving.kill()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(url.rpartition(":")[2]))) != 0


def test_the_simulator_alone_helps_in_the_words_of_the_simulator(checkout: Path) -> None:
    ours = served(checkout, "--help")
    theirs = subprocess.run(
        [sys.executable, "-m", "simulator", "--help"], cwd=checkout, capture_output=True, text=True, check=True
    )
    assert (ours.returncode, ours.stderr, ours.stdout) == (0, "", theirs.stdout)
    assert "--chaos" in ours.stdout


def test_the_simulator_alone_refuses_a_port_in_use(checkout: Path, tmp_path: Path, taken_port: int) -> None:
    ran = served(checkout, "--port", taken_port, "--data", tmp_path)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == f"simulator: port {taken_port} is in use; choose another with --port, or any with --port 0\n"


@pytest.mark.parametrize("options", [("--wings",), ("--estate", "nowhere.json"), ("--chaos", "pyproject.toml")])
def test_the_simulator_alone_says_in_one_line_what_is_wrong(checkout: Path, options: tuple[str, ...]) -> None:
    ran = served(checkout, *options)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("simulator: ")
    assert (ran.stderr.count("\n"), options[-1] in ran.stderr) == (1, True)


def test_a_child_that_ends_before_it_listens_is_told_with_its_last_words(tmp_path: Path) -> None:
    child = children.start("this_module_is_not_there", [], {}, tmp_path)
    with pytest.raises(CommandError, match="No module named this_module_is_not_there"):
        children.address(child, "--port", 1)
    assert children.ended([child]) is child
    children.stop([child])
