""".ci/run finds the recordings for its clone, runs `make test` with CI=true, and fails when that fails."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
MAKE = '#!/bin/sh\necho "make $* CI=$CI shared=${EGRESS_GOVERNOR_SHARED-none}"\n[ "$1" != "$FAILS" ]\n'


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A checkout with .ci/run alone, and a `make` on PATH that says how it was called."""
    clone = tmp_path / "somewhere" / "clone"
    (clone / ".ci").mkdir(parents=True)
    shutil.copy(CHECKOUT / ".ci" / "run", clone / ".ci" / "run")
    subprocess.run(["git", "init", "--quiet", clone], check=True)
    (tmp_path / "bin").mkdir()
    make = tmp_path / "bin" / "make"
    make.write_text(MAKE)
    make.chmod(0o755)
    return clone


def shared(parent: Path) -> Path:
    """A folder `shared` in `parent`, with recordings and samples."""
    for name in ("recordings", "samples"):
        (parent / "shared" / name).mkdir(parents=True)
    return parent / "shared"


def run(clone: Path, **environment: str) -> tuple[int, str]:
    kept = {k: v for k, v in os.environ.items() if k not in {"CI", "EGRESS_GOVERNOR_SHARED"}}
    path = f"{clone.parents[1] / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", ".ci/run"],
        cwd=clone,
        env={**kept, **environment, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=30,
    )
    return done.returncode, done.stdout


def test_beside_the_clone(clone: Path) -> None:
    folder = shared(clone.parent)
    code, printed = run(clone)
    assert code == 0
    assert printed.splitlines()[-1] == f"make test CI=true shared={folder}"


def test_beside_the_folder_of_the_clone(clone: Path) -> None:
    folder = shared(clone.parents[1])
    (clone.parent / "shared").mkdir()  # one of somebody else's
    assert run(clone)[1].splitlines()[-1] == f"make test CI=true shared={folder}"


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_beside_the_repository_that_was_cloned(clone: Path, scheme: str) -> None:
    origin = clone.parents[1] / "elsewhere" / "origin"
    origin.mkdir(parents=True)
    folder = shared(origin.parent)
    subprocess.run(["git", "-C", clone, "remote", "add", "origin", f"{scheme}{origin}"], check=True)
    assert run(clone)[1].splitlines()[-1] == f"make test CI=true shared={folder}"


def test_named(clone: Path) -> None:
    shared(clone.parent)
    assert run(clone, EGRESS_GOVERNOR_SHARED="named")[1].splitlines()[-1] == "make test CI=true shared=named"


def test_nowhere(clone: Path) -> None:
    code, printed = run(clone)
    assert code == 0
    assert "no folder with recordings and samples was found" in printed
    assert printed.splitlines()[-1] == "make test CI=true shared=none"


@pytest.mark.parametrize("target", ["runtime", "test"])
def test_fails_when_make_fails(clone: Path, target: str) -> None:
    code, _ = run(clone, FAILS=target)
    assert code != 0
