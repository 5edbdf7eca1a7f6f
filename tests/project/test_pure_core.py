"""What import-linter cannot say: core imports the standard library and msgspec only, and never asks what time it is."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
CORE = sorted((CHECKOUT / "governor" / "core").rglob("*.py"))
DEVHOST = sorted((CHECKOUT / "devhost").rglob("*.py"))
FUNCTION_APP = [file for file in (CHECKOUT / "function_app.py",) if file.exists()]
CLOCKS = {"now", "today", "utcnow", "fromtimestamp"}
WORLD = {"open", "print", "input", "exec", "eval", "__import__", "breakpoint"}


def imported(tree: ast.AST) -> Iterator[str]:
    """The full names of all modules that a module imports, wherever it does so."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative import"
            assert node.module is not None
            if node.module in {"azure", "governor"}:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            else:
                yield node.module


def within(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


def allowed_in_core(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names or within(module, "msgspec", "governor.core")


def asks_the_world(tree: ast.AST) -> Iterator[str]:
    """Calls that read a clock, a file or a terminal."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in WORLD:
                yield f"line {node.lineno}: {name}()"
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name)) if name in CLOCKS and owner in {
                "datetime",
                "date",
            }:
                yield f"line {node.lineno}: {owner}.{name}()"


@pytest.mark.parametrize("file", CORE, ids=lambda file: file.stem)
def test_core_needs_nothing_but_msgspec(file: Path) -> None:
    tree = ast.parse(file.read_text())
    assert [module for module in imported(tree) if not allowed_in_core(module)] == []
    assert list(asks_the_world(tree)) == []


def test_planted_imports_and_calls_are_found() -> None:
    tree = ast.parse("import yaml\nfrom governor import ports\nfrom datetime import datetime\ndatetime.now()\nprint(1)")
    assert [module for module in imported(tree) if not allowed_in_core(module)] == ["yaml", "governor.ports"]
    assert list(asks_the_world(tree)) == ["line 4: datetime.now()", "line 5: print()"]


@pytest.mark.parametrize("file", DEVHOST + FUNCTION_APP, ids=lambda file: file.stem)
def test_the_local_host_and_the_app_know_functions_and_no_other_azure(file: Path) -> None:
    modules = imported(ast.parse(file.read_text()))
    assert [module for module in modules if within(module, "azure") and not within(module, "azure.functions")] == []


@pytest.mark.parametrize("file", CORE, ids=lambda file: file.stem)
def test_no_core_module_is_named_like_one_of_the_standard_library(file: Path) -> None:
    assert file.stem not in sys.stdlib_module_names
