"""What every story leaves behind is closed."""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.scenarios.world import OPEN


@pytest.fixture(autouse=True)
def _ledgers_are_closed() -> Iterator[None]:
    yield
    while OPEN:
        closing = OPEN.pop().close()
        # It waits for nothing, so no loop is needed to run it.
        with suppress(StopIteration):
            closing.send(None)
