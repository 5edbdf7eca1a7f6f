"""scripts/find-python takes the first Python that fits, and says clearly when there is none."""

import os
import subprocess
from pathlib import Path

import pytest

FIND = Path(__file__).parents[2] / "scripts" / "find-python"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A folder that is all of PATH, but for what /bin/sh needs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "sed").symlink_to("/bin/sed")
    return folder


def put(path: Path, name: str, version: int | None) -> None:
    """A command that is a Python of version 3.`version`; None: one that cannot make virtual environments."""
    file = path / name
    answer = "exit 1" if version is None else f"echo {300 + version} '{file}'"
    file.write_text(f"#!/bin/sh\n{answer}\n")
    file.chmod(0o755)


def find(path: Path, *minors: str, **environment: str) -> tuple[int, str]:
    kept = {k: v for k, v in os.environ.items() if k != "PYTHON"}
    done = subprocess.run(
        ["/bin/sh", FIND, *minors],
        env={**kept, **environment, "PATH": str(path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=30,
    )
    return done.returncode, done.stdout.strip()


def test_python3_if_it_fits(path: Path) -> None:
    put(path, "python3", 12)
    put(path, "python3.13", 13)
    assert find(path) == (0, str(path / "python3"))


@pytest.mark.parametrize("version", [9, 10, 14, None])
def test_another_if_python3_does_not_fit(path: Path, version: int | None) -> None:
    put(path, "python3", version)
    put(path, "python3.12", 12)
    assert find(path) == (0, str(path / "python3.12"))


def test_only_the_wanted_version(path: Path) -> None:
    put(path, "python3", 11)
    put(path, "python3.13", 13)
    assert find(path, "13") == (0, str(path / "python3.13"))


def test_the_one_that_is_named_and_no_other(path: Path) -> None:
    put(path, "python3", 12)
    put(path, "mine", 13)
    put(path, "old", 9)
    assert find(path, PYTHON="mine") == (0, str(path / "mine"))
    code, said = find(path, PYTHON="old")
    assert code == 1
    assert said.startswith("PYTHON=old is not a Python of version 3.11, 3.12 or 3.13")


def test_one_that_pyenv_keeps(path: Path) -> None:
    (path / "kept" / "bin").mkdir(parents=True)
    put(path / "kept" / "bin", "python", 12)
    (path / "pyenv").write_text(f'#!/bin/sh\n[ "$1 $2" = "prefix 3.12" ] && echo "{path / "kept"}"\n')
    (path / "pyenv").chmod(0o755)
    assert find(path) == (0, str(path / "kept" / "bin" / "python"))


def test_none(path: Path) -> None:
    put(path, "python3", 10)
    code, said = find(path)
    assert code == 1
    assert said.splitlines()[0] == "No Python 3.13 or 3.12 or 3.11 with the venv module was found."
    assert "make demo PYTHON=" in said
