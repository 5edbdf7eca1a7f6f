"""Every story of this folder, told to the policies of the project: in the format of policies/*.cases.yaml."""

from pathlib import Path

import pytest

from governor.commands.cases import run
from governor.core.policy import Policies
from governor.policy_files import Case, load, load_cases

HERE = Path(__file__).parent
CASES = load_cases(HERE)


@pytest.fixture(scope="session")
def policies(checkout: Path) -> Policies:
    return load(checkout / "policies")


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_story(case: Case, policies: Policies) -> None:
    wrong = [f"{one.about}: expected {one.expected}, found {one.found}" for one in run(case, policies)]
    assert not wrong, "\n".join(wrong)


def test_names_tell_stories_apart() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
