"""Every story of this folder, told to the policies of the project: in the format of policies/*.cases.yaml."""

from pathlib import Path

import pytest

from governor.commands.cases import run
from governor.core.policy import Policies
from governor.policy_files import Case, load, load_cases

HERE = Path(__file__).parent
CASES = load_cases(HERE)
# Stories that bring policies of their own.
PROXY = HERE / "proxy"
PROXIED = load_cases(PROXY)


@pytest.fixture(scope="session")
def policies(checkout: Path) -> Policies:
    return load(checkout / "policies")


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_story(case: Case, policies: Policies) -> None:
    wrong = [f"{one.about}: expected {one.expected}, found {one.found}" for one in run(case, policies)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("case", PROXIED, ids=[case.name for case in PROXIED])
def test_story_of_a_proxy(case: Case) -> None:
    wrong = [f"{one.about}: expected {one.expected}, found {one.found}" for one in run(case, load(PROXY))]
    assert not wrong, "\n".join(wrong)


def test_names_tell_stories_apart() -> None:
    every = (*CASES, *PROXIED)
    assert len({case.name for case in every}) == len(every)
