"""Carrying out one Step: read, check, edit, write, wait, read again, compare."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from governor.cloud import bodies
from governor.cloud.arm import Answer, Arm
from governor.cloud.errors import Unclear
from governor.cloud.wait import Wait
from governor.cloud.writes import Writer
from governor.core import ids
from governor.core import step as steps
from governor.core.proxy import Wanted
from governor.core.proxy_effects import of_step
from governor.core.proxy_step import filled
from governor.core.record import Became, Outcome
from governor.core.secret import Concealed, Secret, hide, reference
from governor.core.step import Body, Step, WriteCluster, WriteProxy
from governor.ports import Absent, Applied, Changed, Refused, Renew, Terminal, Transient

_REST: Final = frozenset({"succeeded"})
# Something that failed may still be deleted.
_REST_TO_DELETE: Final = frozenset({"succeeded", "failed", "canceled"})

_MOST_CHANGES: Final = 8
_A_MINUTE: Final = 60.0


class _Result(Struct, frozen=True):
    became: Became
    detail: str = ""
    before: bytes | None = None
    after: bytes | None = None
    again: float | None = None


class _Sent(Struct, frozen=True):
    """A write of `wanted` over `before`; `answer` is None when none came."""

    before: bytes | None
    wanted: Body | None
    answer: Answer | None


class Applier:
    """Applies Steps, each for at most `deadline` seconds."""

    def __init__(self, arm: Arm, deadline: float) -> None:
        self._arm = arm
        self._writer = Writer(arm)
        self._deadline = deadline
        # Clusters that took no write, until when they are not asked again, whoever wakes us meanwhile.
        self._shut: dict[str, datetime] = {}

    async def apply(self, remediation: str, step: Step, renew: Renew, correlation: str = "") -> Applied:
        """The digest of a Remediation, one of its Steps and the lease to renew in, what became of it out."""
        started = self._arm.clock.now()
        wait = Wait(self._arm, renew, started + timedelta(seconds=self._deadline))
        sent: _Sent | _Result | None = None
        # Secrets are read now, and go no further than the body that is sent.
        secrets: dict[str, Secret] = {}
        try:
            full = await self._filled(step, secrets)
            sent = await self._write(full, wait, correlation)
            result = sent if isinstance(sent, _Result) else await self._finish(full, sent, wait)
        except (Transient, Refused, Terminal) as found:
            became = Became.PENDING if isinstance(found, Transient) else Became.FAILED
            before = sent.before if sent else None
            what = "a secret that it needs" if sent is None and _lacks(step, secrets) else ids.name(step.target)
            result = _Result(became, f"{what} could not be read: {found}", before, before)
            if isinstance(found, Transient):
                result = replace(result, again=found.after)
        outcome = Outcome(
            step=step,
            remediation=remediation,
            became=result.became,
            detail=hide(result.detail, _spoken(step, secrets)) if secrets else result.detail,
            started=started,
            finished=self._arm.clock.now(),
        )
        return Applied(outcome, result.before, result.after, result.again)

    async def _filled(self, step: Step, secrets: dict[str, Secret]) -> Step:
        """A step in, the one to send out; `secrets` learns what was read of vaults for it."""
        if not isinstance(step, WriteProxy):
            return step
        for named in step.to.named:
            wanted = reference(named)
            if wanted is None:
                raise Terminal(f"{named} names no secret")
            try:
                secrets[wanted.list_name] = await self._arm.vault.secret(wanted)
            except Absent as gone:
                raise Terminal(str(gone)) from gone
        to = of_step(step.to, secrets)
        return filled(step, {one.named: one.text.reveal() for one in (to.http, to.https, to.trusted_ca) if one})

    async def _write(self, step: Step, wait: Wait, correlation: str) -> _Sent | _Result:
        """Until Azure accepts the write, or there is nothing to write, or it is too late.

        After every hindrance the target is read again: an unanswered write may have taken effect, and what kept ours
        waiting was somebody else's. So it is after a 412: all subnets of a network share its etag,
        and whether what changed matters to the step is for the step to say.
        """
        found = await wait.read(step.target)
        attempt, unclear = 0, None
        while True:
            body = None if found is None else _decode(found)
            if why := steps.conflict(step, body):
                return _Result(Became.STALE, why, found, found)
            wanted = steps.edit(step, body)
            rest = _rest(step, body, _REST if wanted is not None else _REST_TO_DELETE)
            if wanted == body and unclear:
                return unclear
            if wanted == body and not rest:
                return _Result(Became.UNCHANGED, "", found, found)
            if rest and not attempt:
                return _Result(Became.PENDING, rest, found, found)
            if left := self._left(step):
                return _Result(Became.PENDING, f"{ids.name(step.target)} took no write just now", found, found, left)
            attempt += 1
            try:
                if not rest:
                    return _Sent(found, wanted, await self._writer.send(step, wanted, _conditions(body, correlation)))
                hindrance = Transient(rest)
            except Transient as again:
                if isinstance(step, WriteCluster | WriteProxy) and not isinstance(again, Unclear):
                    # AKS takes one write of a cluster a minute, and lets nobody in while it works on one.
                    seconds = again.after or _A_MINUTE
                    self._shut[ids.key(step.target)] = self._arm.clock.now() + timedelta(seconds=seconds)
                    return _Result(Became.PENDING, str(again), found, found, seconds)
                hindrance = again
                unclear = _Sent(found, wanted, None) if isinstance(again, Unclear) else unclear
            except Changed as changed:
                if attempt > _MOST_CHANGES:
                    return _Result(Became.STALE, str(changed), found, found)
                hindrance = Transient(str(changed))
            except Absent as gone:
                return _Result(Became.STALE, str(gone), found, found)
            except (Refused, Terminal) as refused:
                return _Result(Became.FAILED, str(refused), found, found)
            if not await wait.pause(self._arm.retry.pause(hindrance, attempt)):
                return _Result(Became.PENDING, str(hindrance), found, found, hindrance.after)
            found = await wait.read(step.target)

    def _left(self, step: Step) -> float:
        """A step in, the seconds that its target is not to be asked out."""
        now = self._arm.clock.now()
        return max(0.0, (self._shut.get(ids.key(step.target), now) - now).total_seconds())

    async def _finish(self, step: Step, sent: _Sent, wait: Wait) -> _Result:
        too_late = f"not finished after {self._deadline:.0f} s"
        if sent.answer is not None:
            try:
                if not await wait.operation(sent.answer):
                    return _Result(Became.PENDING, too_late, sent.before, sent.answer.body or sent.before)
            except Transient as found:
                return _Result(Became.PENDING, str(found), sent.before, await wait.read(step.target))
            except (Refused, Terminal, Changed) as found:
                return _Result(Became.FAILED, str(found), sent.before, await wait.read(step.target))
        rested, after = await wait.resource(step.target, until_gone=sent.wanted is None)
        if not rested:
            return _Result(Became.PENDING, too_late, sent.before, after)
        there = None if after is None else _decode(after)
        wrong = _wrong(step, sent, there)
        if wrong and there is not None and not _rest(step, there, _REST) and (why := steps.conflict(step, there)):
            # Neither what was there before nor what was written: somebody else wrote after us, and is looked at anew.
            return _Result(Became.STALE, why, sent.before, after)
        return _Result(Became.FAILED if wrong else Became.DONE, wrong, sent.before, after)


def _spoken(step: Step, secrets: dict[str, Secret]) -> Iterator[Concealed]:
    """What was read of vaults for a step, and what of it was sent."""
    yield from (one.value for one in secrets.values())
    to = of_step(step.to, secrets) if isinstance(step, WriteProxy) else Wanted()
    yield from (one.text for one in (to.http, to.https, to.trusted_ca) if one)


def _lacks(step: Step, secrets: dict[str, Secret]) -> bool:
    """Whether not all secrets of a step were read."""
    return isinstance(step, WriteProxy) and len(secrets) < len(set(step.to.named))


def _rest(step: Step, body: Body | None, allowed: frozenset[str]) -> str:
    """A Step, the body of its target and the states to touch it in; why it may not be touched now out, or ""."""
    state = "Succeeded" if body is None else bodies.state(body)
    return "" if state.casefold() in allowed else f"{ids.name(step.target)} is {state}"


def _wrong(step: Step, sent: _Sent, after: Body | None) -> str:
    """A Step, what was sent and the body afterwards in; what is not as it should be out, "" when all is."""
    if sent.wanted is None or after is None:
        return (
            "" if sent.wanted is after else f"{ids.name(step.target)} is {'gone' if after is None else 'still there'}"
        )
    if bodies.state(after).casefold() not in _REST:
        return f"{ids.name(step.target)} is {bodies.state(after)}"
    if sent.before is None:
        return bodies.lacking(sent.wanted, after) or ""
    held = steps.edit(step, after)
    if held is not None and (lost := bodies.undone(held, after)):
        return f"the write did not hold: {lost}"
    if isinstance(step, WriteCluster | WriteProxy):
        # AKS fills in what it would have set itself; what was there before must be there still.
        lost = bodies.lacking(bodies.writable(_decode(sent.before)), after, steps.intended(step))
        return f"the write changed more than it should: {lost}" if lost else ""
    changed = bodies.difference(_decode(sent.before), after, steps.intended(step))
    return f"the write changed more than it should: {changed}" if changed else ""


def _conditions(body: Body | None, correlation: str) -> dict[str, str]:
    """What a write says besides its body: over which state, or that there is nothing yet, and whose write it is."""
    over = {"If-None-Match": "*"} if body is None else {"If-Match": _etag(body)}
    headers = {**over, "x-ms-correlation-request-id": correlation}
    return {name: value for name, value in headers.items() if value}


def _etag(body: Body) -> str | None:
    """The network provider spells it as a header carries it, AKS without quotes and with a capital."""
    bare = body.get("eTag")
    return f'"{bare}"' if bare else body.get("etag")


def _decode(raw: bytes) -> Body:
    body: Body = msgspec.json.decode(raw)
    return body
