"""requirements.txt is what pyproject.toml asks for, on every Python, and names no place to download from."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).parents[2]
PYTHONS = ("3.11", "3.12", "3.13")


def asked() -> list[Requirement]:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    return [Requirement(line) for line in project["dependencies"]]


def entries() -> list[tuple[Requirement, int]]:
    """Every pin of requirements.txt with the number of its hashes."""
    text = (CHECKOUT / "requirements.txt").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(Requirement(line.split(" --hash=")[0]), line.count(" --hash=sha256:")) for line in lines]


def pins(python: str) -> dict[str, str]:
    """What is installed under a Python: name -> version."""
    environment = {"python_version": python, "python_full_version": f"{python}.0"}
    chosen = [r for r, _ in entries() if r.marker is None or r.marker.evaluate(environment)]
    names = [canonicalize_name(r.name) for r in chosen]
    assert len(set(names)) == len(names), f"pinned twice on {python}: {names}"
    return {canonicalize_name(r.name): next(iter(r.specifier)).version for r in chosen}


@pytest.mark.parametrize("python", PYTHONS)
def test_every_dependency_is_pinned_inside_its_range(python: str) -> None:
    pinned = pins(python)
    for wanted in asked():
        if wanted.marker is None or wanted.marker.evaluate({"python_version": python}):
            version = pinned.get(canonicalize_name(wanted.name))
            assert version is not None, f"{wanted} is not in requirements.txt: make requirements"
            assert version in wanted.specifier, f"{wanted} is pinned to {version}: make requirements"


def test_azure_functions_is_pinned_on_each_side_of_3_13() -> None:
    assert [pins(python)["azure-functions"].partition(".")[0] for python in PYTHONS] == ["1", "1", "2"]


def test_every_pin_is_exact_and_has_hashes() -> None:
    for requirement, hashes in entries():
        assert [s.operator for s in requirement.specifier] == ["=="], requirement
        assert hashes > 0, requirement


def test_the_build_needs_none_of_the_workshop() -> None:
    """What the function app does not import is not deployed with it."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    extras = [Requirement(line).name for extra in project["optional-dependencies"].values() for line in extra]
    assert not {canonicalize_name(name) for name in extras} & pins("3.13").keys()


# Each folder of `make clean` holds other people's files.
GENERATED = {".venv", ".venv-runtime", ".venv-az", ".git", "build", "dist"}
DOWNLOADS = re.compile(r"://|\s@\s|--(?:extra-)?index-url|--find-links|^-[if]\s", re.MULTILINE)


def files_that_install() -> list[Path]:
    found = [
        file
        for pattern in ("*requirements*.txt", "*constraints*.txt", "*.lock", "package-lock.json")
        for file in CHECKOUT.rglob(pattern)
        if not GENERATED & {*file.relative_to(CHECKOUT).parts}
    ]
    return sorted(found)


@pytest.mark.parametrize("file", files_that_install(), ids=lambda file: str(file.relative_to(CHECKOUT)))
def test_no_download_address(file: Path) -> None:
    assert DOWNLOADS.findall(file.read_text()) == []


def test_pyproject_asks_for_names_and_versions_only() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    assert [line for line in lines if Requirement(line).url] == []
