"""Whatever several workers do to one Scope in whatever order: one holder, growing epochs, nothing unseen absorbed."""

import asyncio
import tempfile
from collections.abc import Coroutine
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from governor.core.cause import Source
from governor.core.plan import Plan
from governor.core.record import Became, Outcome
from governor.ports import Absorbed, Busy, Ending, Held, Ledger, Lost, Run, Touched
from tests.local.worlds import NOON, POLICIES, SCOPE, STEP, STORES, Store, applied, cause, event, record
from tests.support.clock import FakeClock

T = TypeVar("T")

SKEW = timedelta(seconds=10)
LEASE = timedelta(seconds=120)
WORKERS = st.integers(0, 2)
AGO = st.sampled_from((0, 5, 10, 11, 60, 119, 120, 121, 600))


class Worker:
    """What one worker knows: its own connection, the claim and run it believes in, and its model of the truth."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.held: Held | None = None
        self.run: Run | None = None
        self.seen: datetime | None = None
        self.until: datetime | None = None
        self.intents = 0


class Claims(RuleBasedStateMachine):
    """The model: who holds a live lease, the epochs that were given, what settled runs have seen."""

    store: Store

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = FakeClock(NOON)
        self.workers: list[Worker] = []
        self.epochs: list[int] = []
        self.settled: datetime | None = None
        self.open: set[str] = set()
        self.wrote: set[str] = set()
        self.heard = False

    def teardown(self) -> None:
        for worker in self.workers:
            self.do(worker.ledger.close())
        self.loop.close()
        self.folder.cleanup()

    def do(self, story: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(story)

    @initialize()
    def workers_start(self) -> None:
        self.workers = [Worker(self.store.ledger(Path(self.folder.name), self.clock)) for _ in range(3)]

    def owner(self) -> Worker | None:
        """The worker with the newest epoch, if it has not given it back."""
        newest = self.epochs[-1] if self.epochs else 0
        return next((w for w in self.workers if w.held is not None and w.held.epoch == newest), None)

    @rule(seconds=st.sampled_from((1, 11, 60, 119, 120, 121)))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule(n=WORKERS, ago=AGO, source=st.sampled_from((Source.EVENT, Source.MANUAL)))
    def claim(self, n: int, ago: int, source: Source) -> None:
        worker, owner, now = self.workers[n], self.owner(), self.clock.now()
        happened = now - timedelta(seconds=ago)
        woken = event(happened) if source is Source.EVENT else cause(source, happened)
        self.heard = self.heard or source is Source.EVENT
        answer = self.do(worker.ledger.claim(woken, SCOPE, POLICIES))
        live = owner is not None and owner.until is not None and now < owner.until
        absorbable = source is Source.EVENT and self.settled is not None and self.settled > happened + SKEW
        match answer:
            case Absorbed():
                assert absorbable
            case Busy(after):
                assert live
                assert not absorbable
                assert owner is not None
                assert owner.until == now + timedelta(seconds=after)
            case Held():
                assert not live
                assert not absorbable
                assert not self.epochs or answer.epoch > self.epochs[-1]
                assert {intent.run for intent in answer.interrupted} == self.open
                self.epochs.append(answer.epoch)
                worker.held, worker.until, worker.seen, worker.intents = answer, now + LEASE, now, 0
                worker.run = self.do(worker.ledger.begin(answer, woken, POLICIES, Plan()))

    def allowed(self, worker: Worker, story: Coroutine[Any, Any, T]) -> bool:
        """Whether a worker was allowed to do something; only the owner is."""
        if worker is self.owner():
            self.do(story)
            return True
        with pytest.raises(Lost):
            self.do(story)
        worker.held = worker.run = None
        return False

    @rule(n=WORKERS, finished=st.booleans())
    def step(self, n: int, finished: bool) -> None:
        worker = self.workers[n]
        if worker.run is None:
            return
        run, worker.intents = worker.run, worker.intents + 1
        try:
            if not self.allowed(worker, worker.ledger.intend(run, worker.intents, "d1", STEP)):
                return
        except Touched:
            assert self.heard  # of somebody else's write, so that nothing more is written
            return
        worker.until = self.clock.now() + LEASE
        if finished:
            self.do(worker.ledger.done(run, worker.intents, applied()))
            self.wrote.add(run.id)
        else:
            self.open.add(run.id)

    @rule(n=WORKERS)
    def renew(self, n: int) -> None:
        worker = self.workers[n]
        if worker.run is not None and self.allowed(worker, worker.ledger.renew(worker.run)):
            worker.until = self.clock.now() + LEASE

    @rule(n=WORKERS, settled=st.booleans(), told=st.booleans())
    def end(self, n: int, settled: bool, told: bool) -> None:
        worker = self.workers[n]
        if worker.run is None:
            return
        assert worker.seen is not None
        run, left = worker.run, worker.held.interrupted if worker.held else ()
        named = tuple(Outcome(intent.step, intent.remediation, Became.INTERRUPTED) for intent in left)
        account = record(run, self.clock.now(), named) if told else None
        if self.allowed(worker, worker.ledger.end(worker.run, Ending(worker.seen, settled, (), record=account))):
            self.settled = worker.seen if settled else None
            if told:
                self.open -= {intent.run for intent in left}
            for cut_off in self.wrote - self.open - {run.id}:
                assert self.do(worker.ledger.record(cut_off)) is not None
            self.wrote.discard(run.id)
            worker.held = worker.run = None

    @rule(n=WORKERS, settled=st.booleans())
    def release(self, n: int, settled: bool) -> None:
        worker = self.workers[n]
        if worker.held is None:
            return
        if worker is self.owner() and not settled:
            self.settled = None
        self.do(worker.ledger.release(worker.held, settled))
        worker.held = worker.run = None

    @invariant()
    def the_chain_is_whole(self) -> None:
        if self.workers:
            assert all(v.wrong is None for v in self.do(self.verified()))

    async def verified(self) -> list[Any]:
        return [verification async for verification in self.workers[0].ledger.verify()]


@pytest.mark.parametrize("store", STORES, ids=lambda store: store.name)
def test_claims_hold_whatever_happens(store: Store) -> None:
    class OfStore(Claims):
        pass

    OfStore.store = store
    run_state_machine_as_test(OfStore)
