"""The Ledger in one SQLite file: the same tables, keys and values as on Azure.

Every method is one transaction; several processes may use one file at once.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from governor.core.cause import Cause, Scope
from governor.core.notice import Notice
from governor.core.plan import Plan, Remediation
from governor.core.record import Became, Outcome, Record, run_id
from governor.core.register import Past, Sought
from governor.core.sighting import GRAPH_LAG, Sighting
from governor.core.standing import Decision, Pause, Standing, StandingApproval, UndoRequest
from governor.core.step import Step
from governor.core.verdict import Verdict
from governor.local import brakes, chain, claims, decisions, endings, keys, outbox, register, runs, verdicts
from governor.local.rows import Rows
from governor.ports import (
    Absorbed,
    Applied,
    Busy,
    Clock,
    Ending,
    Held,
    Intent,
    Lost,
    Offered,
    Page,
    RegisterPage,
    Run,
    Verification,
)

TABLES: Final = ("ledger", "claims", "brakes", "runs", "decisions", "recent", "named", "addresses")
MAX_PAGE: Final = 1000


class SqliteLedger:
    """path: the file, made if it is not there. skew_seconds: how far the clocks of Azure and ours may be apart."""

    def __init__(self, path: Path, clock: Clock, skew_seconds: float = 10) -> None:
        self._rows, self._clock = Rows(path, TABLES), clock
        self._skew = timedelta(seconds=skew_seconds)

    # -- one run

    async def claim(self, cause: Cause, scope: Scope, policy_digest: str) -> Held | Absorbed | Busy:
        times = keys.Times(self._clock.now(), self._skew)
        with self._rows.writing() as tx:
            before = claims.read(tx, scope)
            echo = runs.echo(tx, cause, scope, times)
            claim = claims.heard(before, cause, times, echo is not None)
            answer = claims.answer(claim, cause, policy_digest, times, runs.seen_end(echo, cause, times))
            if isinstance(answer, claims.Claim):
                claim = answer
            if claim != before:
                claims.write(tx, claim)
            if not isinstance(answer, claims.Claim):
                return answer
            left = runs.unsettled(tx, scope, claim.unfinished)
            return Held(scope, claim.epoch, tuple(row.intent for row in left))

    async def standing(self, scope: Scope, cause: Cause) -> Standing:
        now = self._clock.now()
        with self._rows.reading() as tx:
            claim = claims.read(tx, scope)
            return Standing(
                pause=brakes.paused(tx),
                touched=claim.touched,
                written=brakes.written(tx, scope.subscription, now),
                tenant_written=brakes.tenant_written(tx, now),
                governed=verdicts.governed(tx, scope.subscription),
                failures=brakes.failures(tx, scope.subscription),
                decisions=decisions.decisions(tx, now),
                approvals=decisions.approvals(tx, now),
                exemptions=decisions.exemptions(tx, scope, now),
                undo=decisions.undo(tx, cause),
                offered=decisions.gates(tx, scope),
                verdicts=verdicts.of_scope(tx, scope),
                surveyed=verdicts.only_surveyed(tx, scope),
                clusters=claims.known(claim, cause),
            )

    async def begin(self, held: Held, cause: Cause, policy_digest: str, plan: Plan) -> Run:
        run = Run(run_id(held.scope, held.epoch), held.scope, held.epoch, cause, policy_digest)
        with self._rows.writing() as tx:
            claims.held(tx, held.scope, held.epoch)
            runs.put(tx, runs.Begun(run, plan.digest, plan.remediations, self._clock.now()))
        return run

    async def intend(self, run: Run, number: int, remediation: str, step: Step) -> None:
        now = self._clock.now()
        with self._rows.writing() as tx:
            brakes.refuse_paused(tx)
            claims.renew(tx, run, now)
            claims.refuse_touched(tx, run)
            runs.intend(tx, run.scope, Intent(run.id, number, remediation, step, now))

    async def renew(self, run: Run) -> None:
        with self._rows.writing() as tx:
            claims.renew(tx, run, self._clock.now())

    async def done(self, run: Run, number: int, applied: Applied) -> Outcome:
        """A run that was taken over has written nevertheless: its outcome is kept unless it counts as interrupted."""
        now = self._clock.now()
        with self._rows.writing() as tx:
            live = claims.holds(claims.read(tx, run.scope), run.epoch)
            intended = runs.intent(tx, run, number)
            if intended is None:
                raise ValueError(f"run {run.id} has no intent with the number {number}")
            outcome = msgspec.structs.replace(
                applied.outcome,
                before=runs.keep(tx, applied.before),
                after=runs.keep(tx, applied.after),
                started=applied.outcome.started or intended.intent.at,
                finished=applied.outcome.finished or now,
            )
            if intended.outcome is None or intended.outcome.became is not Became.INTERRUPTED:
                runs.close(tx, run.scope, intended, outcome, now)
        if not live:
            raise Lost(f"the claim of run {run.id} was given back or taken over before its step {number} was done")
        return outcome

    async def count(self, run: Run, remediation: Remediation, failed: bool) -> None:
        with self._rows.writing() as tx:
            brakes.count(tx, run, remediation, failed, self._clock.now())

    async def end(self, run: Run, ending: Ending) -> Record | None:
        with self._rows.writing() as tx:
            return endings.end(tx, run, ending, self._clock.now())

    async def release(self, held: Held, settled: bool = False) -> None:
        """Unless `settled`, nothing is absorbed any more until a run has ended."""
        with self._rows.writing() as tx:
            endings.release(tx, held, settled)

    # -- what lies outside a Scope

    async def lease(self, run: Run, key: str) -> bool:
        with self._rows.writing() as tx:
            return claims.lease(tx, run, key, self._clock.now())

    async def unlease(self, run: Run, key: str) -> None:
        with self._rows.writing() as tx:
            claims.unlease(tx, run, key)

    async def named_by(self, key: str) -> tuple[Scope, ...]:
        with self._rows.reading() as tx:
            return verdicts.named_by(tx, key)

    # -- people

    async def offered(self, digest: str | None = None) -> tuple[Offered, ...]:
        with self._rows.reading() as tx:
            return decisions.offered(tx, digest, self._clock.now())

    async def decide(self, decision: Decision) -> None:
        with self._rows.writing() as tx:
            decisions.decide(tx, decision, self._clock.now())

    async def approve_standing(self, approval: StandingApproval) -> None:
        with self._rows.writing() as tx:
            decisions.approve(tx, approval, self._clock.now())

    async def request_undo(self, request: UndoRequest) -> None:
        with self._rows.writing() as tx:
            decisions.ask_undo(tx, request, self._clock.now())

    async def pause(self, pause: Pause | None, by: str, reason: str) -> None:
        now = self._clock.now()
        with self._rows.writing() as tx:
            brakes.switch(tx, pause or brakes.Off(by, now, reason), now)

    async def paused(self) -> Pause | None:
        with self._rows.reading() as tx:
            return brakes.paused(tx)

    # -- reading

    async def record(self, record_id: str) -> Record | None:
        with self._rows.reading() as tx:
            return chain.find(tx, record_id)

    async def records(self, subscription: str | None = None, limit: int = 50, continuation: str | None = None) -> Page:
        with self._rows.reading() as tx:
            return chain.page(tx, subscription, max(1, min(limit, MAX_PAGE)), continuation)

    async def blob(self, name: str) -> bytes | None:
        with self._rows.reading() as tx:
            return tx.blob(name)

    async def verdicts(self, subscription: str | None = None) -> Sequence[Verdict]:
        with self._rows.reading() as tx:
            wanted = chain.subscriptions(tx) if subscription is None else [subscription]
            return [verdict for each in wanted for verdict in verdicts.of_subscription(tx, each)]

    async def subscriptions(self) -> tuple[str, ...]:
        with self._rows.reading() as tx:
            return tuple(each for each in chain.subscriptions(tx) if verdicts.stand(tx, each))

    async def scopes(self, subscription: str) -> tuple[Scope, ...]:
        with self._rows.reading() as tx:
            return verdicts.scopes(tx, subscription)

    async def verify(self) -> AsyncIterator[Verification]:
        with self._rows.reading() as tx:
            known = chain.subscriptions(tx)
        for subscription in known:
            with self._rows.reading() as tx:
                verification = chain.verify(tx, subscription)
            yield verification

    async def give_up(self, cause: Cause | None, raw: bytes, why: str) -> Record:
        """The same message given up twice is one Record."""
        with self._rows.writing() as tx:
            return endings.give_up(tx, cause, raw, (why, self._clock.now()))

    async def addresses(
        self, sought: Sought | None = None, limit: int = 200, continuation: str | None = None
    ) -> RegisterPage:
        with self._rows.reading() as tx:
            return register.page(tx, sought or Sought(), max(1, min(limit, MAX_PAGE)), continuation)

    async def address_history(self, resource: str) -> tuple[Past, ...]:
        with self._rows.reading() as tx:
            return register.history(tx, resource)

    # -- notices

    async def notices(self, subscription: str | None = None) -> tuple[Notice, ...]:
        with self._rows.reading() as tx:
            return outbox.waiting(tx, subscription)

    async def sent(self, notice: Notice) -> None:
        with self._rows.writing() as tx:
            outbox.sent(tx, notice)

    # -- surveys

    async def surveyed(self, sightings: Sequence[Sighting]) -> tuple[Scope, ...]:
        """One transaction per Scope."""
        return tuple([seen.scope for seen in sightings if self._surveyed(seen)])

    def _surveyed(self, seen: Sighting) -> bool:
        now = self._clock.now()
        with self._rows.writing() as tx:
            chain.mark(tx, seen.scope.subscription)
            stays = claims.seen_since(tx, seen.scope, seen.at - GRAPH_LAG, now)
            if not stays:
                register.surveyed(tx, seen.scope, seen.verdicts, now)
            return verdicts.surveyed(tx, seen, stays, now)

    async def unseen(self, scope: Scope, at: datetime, why: str) -> None:
        now = self._clock.now()
        with self._rows.writing() as tx:
            if not claims.seen_since(tx, scope, at - GRAPH_LAG, now):
                verdicts.unseen(tx, scope, why, now)
                register.unseen(tx, scope, why, now)

    async def close(self) -> None:
        self._rows.close()
