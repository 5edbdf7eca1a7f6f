"""What every test of the simulator starts from."""

import pytest

from tests.simulator.cloud import Cloud


@pytest.fixture
def cloud() -> Cloud:
    """A fresh simulator on a clock that stands still."""
    return Cloud()
