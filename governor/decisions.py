"""What people decide: approve, reject, undo, pause and resume. A wish in; the ledger and the queue know of it, out.

Decisions live in the ledger; the Cause that follows only points at them.
"""

from datetime import datetime, timedelta

from msgspec.structs import replace

from governor.core.cause import Cause, Scope, Source
from governor.core.policy import Policies
from governor.core.proxy_step import WriteProxy, gone
from governor.core.standing import MOST_DAYS_ALONE, Decision, Pause, Ruling, StandingApproval, UndoRequest
from governor.core.step import inverse
from governor.ports import Offered, Ports

DEFAULT_EXPIRY_HOURS = 72
_LONGEST = 500


class DecisionError(Exception):
    """The wish makes no sense as it is: one clear line for people."""


class UnknownError(DecisionError):
    """Nothing that the wish names is there."""


async def rule(
    digest: str, ruling: Ruling, who: tuple[str, str], ports: Ports, policies: Policies
) -> tuple[Offered, ...]:
    """A digest (or its unambiguous beginning), a ruling and (by, reason) in, what it decides about out."""
    offers = await _offers(digest, ports)
    now, (by, reason) = ports.clock.now(), _cut(who)
    whole = offers[0].withheld.remediation
    if ruling is Ruling.APPROVE and not whole.steps:
        why = offers[0].withheld.reasons[0].text
        raise DecisionError(f"{whole.digest} has no step that an approval could release: {why}")
    policy = policies.find(whole.policy)
    hours = policy.approvals.expire_hours if policy else DEFAULT_EXPIRY_HOURS
    await ports.ledger.decide(Decision(whole.digest, ruling, by, now, reason, now + timedelta(hours=hours)))
    for scope in {offer.scope.key: offer.scope for offer in offers}.values():
        await ports.inbox.put(_cause(Source.DECISION, scope, now, whole.digest))
    return offers


async def approve_standing(approval: StandingApproval, ports: Ports) -> tuple[Offered, ...]:
    """A standing approval in, what it may release at once out."""
    by, reason = _cut((approval.by, approval.reason))
    await ports.ledger.approve_standing(replace(approval, by=by, reason=reason))
    offers = tuple(o for o in await ports.ledger.offered() if o.withheld.remediation.policy == approval.policy)
    for scope in {offer.scope.key: offer.scope for offer in offers}.values():
        await ports.inbox.put(_cause(Source.DECISION, scope, approval.at))
    return offers


async def undo(record_id: str, days: int, who: tuple[str, str], ports: Ports) -> Scope:
    """A Record's id, the days to leave its resources alone and (by, reason) in, the Scope that will be undone out."""
    record = await ports.ledger.record(record_id)
    if record is None:
        raise UnknownError(f"there is no record {record_id}")
    if not any(o.wrote and inverse(o.step) is not None for o in record.outcomes):
        lost = next((o.step for o in record.outcomes if isinstance(o.step, WriteProxy) and o.step.lost), None)
        why = f": {gone(lost)}" if lost else ""
        raise DecisionError(f"record {record_id} wrote nothing that can be taken back{why}")
    if not 0 <= days <= MOST_DAYS_ALONE:
        longer = "for longer, say it as an exemption in the policy"
        raise DecisionError(f"{days} days: expected 0 to {MOST_DAYS_ALONE}; {longer}")
    if (switch := await ports.ledger.paused()) is not None:
        raise DecisionError(f"everything is paused by {switch.by} ({switch.reason}), and an undo writes: resume first")
    now, (by, reason) = ports.clock.now(), _cut(who)
    # Who takes it back does not agree to it any more: it is asked about again when it is left alone no longer.
    written = {outcome.remediation for outcome in record.outcomes}
    for one in record.decisions:
        if one.ruling is Ruling.APPROVE and one.digest in written and now < one.expires:
            await ports.ledger.decide(replace(one, expires=now))
    await ports.ledger.request_undo(UndoRequest(record_id, by, now, reason, days))
    await ports.inbox.put(_cause(Source.UNDO, record.scope, now, record_id))
    return record.scope


async def pause(who: tuple[str, str], ports: Ports) -> None:
    """(by, reason) in; nothing is written anywhere until `resume`."""
    by, reason = _cut(who)
    await ports.ledger.pause(Pause(by, ports.clock.now(), reason), by, reason)


async def resume(who: tuple[str, str], ports: Ports) -> int:
    """(by, reason) in; the number of Scopes that are looked at again because something was withheld in them, out."""
    by, reason = _cut(who)
    await ports.ledger.pause(None, by, reason)
    scopes = {offer.scope.key: offer.scope for offer in await ports.ledger.offered()}
    for scope in scopes.values():
        await ports.inbox.put(_cause(Source.DECISION, scope, ports.clock.now()))
    return len(scopes)


def _cut(who: tuple[str, str]) -> tuple[str, str]:
    """By whom and why in, the same out, short enough for every Record that will tell of it."""
    by, reason = (text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..." for text in who)
    return by, reason


async def _offers(digest: str, ports: Ports) -> tuple[Offered, ...]:
    """A digest or its beginning in, the offers of the one Remediation it names out."""
    offers = await ports.ledger.offered(digest)
    if not offers and len(digest) >= 4:
        offers = tuple(o for o in await ports.ledger.offered() if o.withheld.remediation.digest.startswith(digest))
    digests = sorted({offer.withheld.remediation.digest for offer in offers})
    if not digests:
        raise UnknownError(
            f"nothing with digest {digest} waits for a decision: it has changed, or no run has seen it yet"
        )
    if len(digests) > 1:
        raise DecisionError(f"{digest} is the beginning of several digests: {', '.join(digests)}")
    return offers


def _cause(source: Source, scope: Scope, at: datetime, points_at: str | None = None) -> Cause:
    return Cause(source=source, time=at, scope=scope, points_at=points_at)
