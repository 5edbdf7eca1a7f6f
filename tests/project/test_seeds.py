"""Every row of the systems that must be governed has a scenario, and every such scenario belongs to a row."""

import ast
from pathlib import Path

import pytest

from tests.scenarios.seeds import SEEDS, Row

SCENARIOS = Path(__file__).parents[1] / "scenarios"


def written() -> set[str]:
    """Every test in the scenarios, as `module::test`."""
    return {
        f"{path.stem}::{node.name}"
        for path in SCENARIOS.glob("test_*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


ROWS = [pytest.param(row, id=f"{seed}{number}") for seed, rows in SEEDS.items() for number, row in enumerate(rows, 1)]


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_a_scenario(row: Row) -> None:
    assert row.told_by
    assert set(row.told_by) <= written()


def test_every_scenario_of_a_seed_tells_a_row() -> None:
    told = {name for rows in SEEDS.values() for row in rows for name in row.told_by}
    assert {name for name in written() if "::test_seed_" in name} <= told


def test_there_are_as_many_rows_as_were_asked_for() -> None:
    assert {seed: len(rows) for seed, rows in SEEDS.items()} == {"a": 5, "b": 6, "c": 5, "d": 7}
