"""What holds for every file: tests neither patch nor sleep, nothing names somebody's machine, documents keep up."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
TESTS = sorted((CHECKOUT / "tests").rglob("*.py"))
# Folders of somebody's machine: the start of an absolute path. (/home/site is where Azure keeps a function app.)
MACHINE = re.compile(r"(?<![\w.\-/}*])/(?:work|root|Users|home(?!/site))(?=/)")
REGISTRIES = re.compile(r"\b(?:files\.python" + r"hosted|py" + r"pi|registry\.npm" + r"js|deb\.deb" + r"ian)\.org\b")


def tracked() -> list[Path]:
    """Every file that is in the repository, or would be with the next `git add`."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [file for name in listed.stdout.split("\0") if name and (file := CHECKOUT / name).is_file()]


def text_of(file: Path) -> str:
    try:
        return file.read_text()
    except UnicodeDecodeError:
        return ""


def said(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{file.relative_to(CHECKOUT)}:{number}: {line.strip()[:100]}"
        for file in tracked()
        for number, line in enumerate(text_of(file).splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_names_a_folder_of_somebodys_machine() -> None:
    assert said(MACHINE) == []


def test_no_file_names_a_package_registry() -> None:
    assert said(REGISTRIES) == []


def names(tree: ast.AST) -> Iterator[str]:
    """Every imported name and every dotted name of a module, from its root."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=aliases):
                yield from (alias.name for alias in aliases)
            case ast.ImportFrom(module=str(module), names=aliases):
                yield from (f"{module}.{alias.name}" for alias in aliases)
            case ast.Attribute(value=ast.Name(id=owner), attr=name):
                yield f"{owner}.{name}"


FORBIDDEN = {
    "time.sleep": "take a Clock that the test moves",
    "unittest.mock": "pass a small fake port",
    "unittest.mock.patch": "pass a small fake port",
    "mock.patch": "pass a small fake port",
    "mocker.patch": "pass a small fake port",
}


@pytest.mark.parametrize("file", TESTS, ids=lambda file: str(file.relative_to(CHECKOUT / "tests")))
def test_tests_neither_patch_nor_sleep(file: Path) -> None:
    used = names(ast.parse(file.read_text()))
    assert {name: FORBIDDEN[name] for name in used if name in FORBIDDEN} == {}


def test_planted_patches_and_sleeps_are_found() -> None:
    tree = ast.parse(
        "import time\nfrom unittest.mock import patch\nfrom unittest import mock\ntime.sleep(1)\nmock.patch('x')"
    )
    assert {name for name in names(tree) if name in FORBIDDEN} == set(FORBIDDEN) - {"mocker.patch"}


def test_tests_are_no_packages() -> None:
    """pytest imports them with --import-mode=importlib; an __init__.py would give them two names."""
    assert list((CHECKOUT / "tests").rglob("__init__.py")) == []


def test_the_changelog_begins_with_this_version() -> None:
    version = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["version"]
    newest = re.search(r"^## \[?(\d[^\] ]*)", (CHECKOUT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest is not None
    assert newest[1] == version


def documents() -> list[Path]:
    return [file for file in tracked() if file.suffix == ".md"]


def targets() -> set[str]:
    makefile = (CHECKOUT / "Makefile").read_text()
    return set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


@pytest.mark.parametrize("document", documents(), ids=lambda file: str(file.relative_to(CHECKOUT)))
def test_documents_name_make_targets_that_exist(document: Path) -> None:
    """`make x` in code, inline or in a block, is a target of the Makefile."""
    code = re.findall(r"```.*?```|`[^`]+`", document.read_text(), re.DOTALL)
    named = {target for part in code for target in re.findall(r"(?:^|[`\s])make ([a-z-]+)", part)}
    assert named - targets() == set()


@pytest.mark.parametrize("document", documents(), ids=lambda file: str(file.relative_to(CHECKOUT)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_every_target_says_what_it_does() -> None:
    makefile = (CHECKOUT / "Makefile").read_text()
    assert targets() == set(re.findall(r"^([a-z-]+):.*## \S", makefile, re.MULTILINE))
    assert targets() >= {"help", "demo", "test", "check", "bench", "clean"}
