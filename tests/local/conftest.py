"""One ledger and one inbox of every implementation, empty, on a clock that stands."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from governor.ports import Inbox, Ledger
from tests.local.worlds import NOON, STORES, Store
from tests.support.clock import FakeClock


@pytest.fixture(params=STORES, ids=lambda store: store.name)
def store(request: pytest.FixtureRequest) -> Store:
    found: Store = request.param
    return found


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture
async def ledger(store: Store, tmp_path: Path, clock: FakeClock) -> AsyncIterator[Ledger]:
    opened = store.ledger(tmp_path, clock)
    yield opened
    await opened.close()


@pytest.fixture
async def inbox(store: Store, tmp_path: Path, clock: FakeClock) -> AsyncIterator[Inbox]:
    opened = store.inbox(tmp_path, clock)
    yield opened
    await opened.close()
