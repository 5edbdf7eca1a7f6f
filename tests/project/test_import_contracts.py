"""The contracts of .importlinter hold, and each of them breaks when somebody breaks it."""

import configparser
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

CHECKOUT = Path(__file__).parents[2]
PACKAGES = ("governor", "functions", "simulator", "devhost", "benchmarks")


class Planted(NamedTuple):
    """A line that breaks a contract, where it is planted, and what lint-imports must say about it."""

    contract: str
    file: str
    line: str
    says: str


PLANTED = (
    Planted("governor", "governor/ports.py", "import governor.local", "governor.ports -> governor.local"),
    Planted(
        "governor", "governor/local/planted.py", "import governor.cloud", "governor.local.planted -> governor.cloud"
    ),
    Planted("governor", "governor/core/ids.py", "import governor.ports", "governor.core.ids -> governor.ports"),
    Planted("governor", "governor/planted.py", "", "- governor.planted"),
    Planted("core", "governor/core/ids.py", "import governor.core.estate", "governor.core.ids -> governor.core.estate"),
    Planted(
        "core", "governor/core/plan.py", "import governor.core.record", "governor.core.plan -> governor.core.record"
    ),
    Planted("core", "governor/core/planted.py", "", "- governor.core.planted"),
    Planted("functions", "governor/wiring.py", "import functions", "governor.wiring -> functions"),
    Planted("functions", "functions/planted.py", "import governor.commands", "functions.planted -> governor.commands"),
    Planted("woken", "governor/wiring.py", "import functions", "governor.wiring -> functions"),
    Planted("woken", "governor/loop.py", "import function_app", "governor.loop -> function_app"),
    Planted("azure", "governor/local/planted.py", "import azure.data.tables", "governor.local.planted -> azure"),
    Planted("azure", "governor/ports.py", "from azure.core import exceptions", "governor.ports -> azure"),
    Planted("azure", "simulator/planted.py", "import azure.core", "simulator.planted -> azure"),
    Planted("oracle", "governor/ports.py", "import simulator.ids", "governor.ports -> simulator.ids"),
    Planted("oracle", "simulator/ids.py", "import governor.core.ids", "simulator.ids -> governor.core.ids"),
    Planted("simulator", "simulator/planted.py", "import devhost", "simulator.planted -> devhost"),
    Planted("simulator", "simulator/planted.py", "import function_app", "simulator.planted -> function_app"),
    Planted("product", "governor/wiring.py", "import devhost", "governor.wiring -> devhost"),
    Planted("product", "functions/planted.py", "import simulator", "functions.planted -> simulator"),
    Planted("pure", "governor/core/ids.py", "import logging", "governor.core.ids -> logging"),
    Planted("pure", "governor/core/estate.py", "from time import time", "governor.core.estate -> time"),
)


def contracts() -> dict[str, str]:
    """Contracts of .importlinter: id -> name."""
    config = configparser.ConfigParser()
    config.read(CHECKOUT / ".importlinter")
    prefix = "importlinter:contract:"
    return {section.removeprefix(prefix): config[section]["name"] for section in config if section.startswith(prefix)}


def lint(tree: Path, *contract: str) -> subprocess.CompletedProcess[str]:
    chosen = [part for name in contract for part in ("--contract", name)]
    command = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [command, "--no-cache", "--no-logo", *chosen],
        cwd=tree,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages and their contracts, in a folder where things may be broken."""
    tree = tmp_path_factory.mktemp("copied")
    shutil.copy(CHECKOUT / ".importlinter", tree)
    for package in PACKAGES:
        for file in (CHECKOUT / package).rglob("*.py"):
            target = tree / file.relative_to(CHECKOUT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
        (tree / package).mkdir(exist_ok=True)
        (tree / package / "__init__.py").touch()
    return tree


@pytest.fixture
def tree(copied: Path, planted: Planted) -> Iterator[Path]:
    """The copy with one line planted in it, taken out again afterwards."""
    file = copied / planted.file
    before = file.read_text() if file.exists() else None
    file.write_text(f"{before or ''}\n{planted.line}\n")
    yield copied
    if before is None:
        file.unlink()
    else:
        file.write_text(before)


def test_contracts_hold(copied: Path) -> None:
    linted = lint(copied)
    assert linted.returncode == 0, linted.stdout + linted.stderr
    assert f"{len(contracts())} kept, 0 broken" in linted.stdout


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: f"{planted.contract}: {planted.says}")
def test_planted_violation_is_found(tree: Path, planted: Planted) -> None:
    linted = lint(tree, planted.contract)
    assert linted.returncode == 1, linted.stdout + linted.stderr
    assert f"{contracts()[planted.contract]} BROKEN" in linted.stdout
    assert planted.says in " ".join(linted.stdout.split())


def test_every_contract_is_broken_once() -> None:
    assert {planted.contract for planted in PLANTED} == set(contracts())
