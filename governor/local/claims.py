"""Who holds a Scope, and what its last run has seen: one row per Scope, changed by one conditional write.

`heard` and `answer` are pure: the row as it is, a Cause and the time in, the row as it shall be out.
"""

from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from governor.core import ids
from governor.core.cause import VERSION, Cause, Scope, Source
from governor.core.record import run_id
from governor.core.standing import KnownClusters
from governor.local import keys
from governor.local.keys import Times
from governor.local.rows import Transaction
from governor.ports import Absorbed, Busy, Lost, Run, Touched

LEASE: Final = timedelta(seconds=120)

_TABLE: Final = "claims"
_ABSORBABLE: Final = (Source.EVENT, Source.SURVEY)


class Claim(Struct, frozen=True):
    """until: the end of the lease, None while nobody holds it. seen_by, seen_through, settled, policy_digest: the last
    run that ended. touched: when somebody else last wrote. met: the same, heard of while the Scope was held.
    unfinished: runs that were taken over and have intents without outcome. leased: the object outside the Scope that
    the holder has leased. clusters: what the last run knew of those that live here."""

    scope: Scope
    epoch: int = 0
    until: datetime | None = None
    seen_by: str = ""
    seen_through: datetime | None = None
    settled: bool = False
    policy_digest: str = ""
    touched: datetime | None = None
    unfinished: tuple[str, ...] = ()
    leased: str | None = None
    met: datetime | UnsetType = UNSET
    clusters: KnownClusters | UnsetType = UNSET
    v: int = VERSION


class Lease(Struct, frozen=True):
    """The lease of a run on one object outside its Scope."""

    key: str
    run: str
    until: datetime
    v: int = VERSION


def heard(claim: Claim, cause: Cause, times: Times, echo: bool) -> Claim:
    """A Cause of somebody's write in, the claim that remembers it out. A time that lies ahead is not believed.

    What AKS keeps in the group of a cluster's nodes is not the network: it follows changes of the cluster, ours too.
    """
    of_nodes = cause.subject is not None and _of_nodes(claim, cause.subject)
    if cause.source is not Source.EVENT or echo or of_nodes:
        return claim
    at = min(cause.time, times.now + times.skew)
    if claim.touched is not None and at <= claim.touched:
        return claim
    return msgspec.structs.replace(claim, touched=at, met=UNSET if claim.until is None else at)


def known(claim: Claim, cause: Cause) -> KnownClusters:
    """What is known of the clusters of a Scope in the run of a Cause, which may point at one that nobody knows yet."""
    there = KnownClusters() if claim.clusters is UNSET else claim.clusters
    if cause.subject is None or ids.kind(cause.subject) != ids.CLUSTER:
        return there
    where = ids.parse(cause.subject).subscription.casefold()
    if where == claim.scope.subscription.casefold():
        return there
    return msgspec.structs.replace(there, subscriptions=tuple(sorted({*there.subscriptions, where})))


def _of_nodes(claim: Claim, subject: str) -> bool:
    """Whether something is in a group that AKS names itself, or in one that a cluster of the Scope names."""
    group = ids.key(ids.group_of(subject))
    return ids.in_node_group(subject) or (claim.clusters is not UNSET and group in claim.clusters.node_groups)


def answer(
    claim: Claim, cause: Cause, policy_digest: str, times: Times, ours: datetime | None = None
) -> Claim | Absorbed | Busy:
    """The claim, a Cause and the digest of the policies in; the claim as the Cause's run holds it, or why not, out.

    ours: the Cause only echoes a write of ours, whose end had been seen by then.
    """
    since = cause.time + times.skew if ours is None else ours - timedelta(microseconds=1)
    if _absorbs(claim, cause, policy_digest, since):
        return Absorbed(claim.seen_by)
    if claim.until is not None and times.now < claim.until:
        return Busy((claim.until - times.now).total_seconds())
    dead = () if claim.until is None else (run_id(claim.scope, claim.epoch),)
    return msgspec.structs.replace(
        claim,
        epoch=claim.epoch + 1,
        until=times.now + LEASE,
        unfinished=tuple(dict.fromkeys(claim.unfinished + dead)),
        leased=None,
        met=UNSET,
    )


def _absorbs(claim: Claim, cause: Cause, policy_digest: str, since: datetime) -> bool:
    return (
        cause.source in _ABSORBABLE
        and claim.settled
        and claim.policy_digest == policy_digest
        and claim.seen_through is not None
        and claim.seen_through > since
    )


# ---- rows ---------------------------------------------------------------------------------------------------------


def read(tx: Transaction, scope: Scope) -> Claim:
    """A Scope in, its claim out, a fresh one if nobody ever asked."""
    return tx.get(Claim, _TABLE, scope.subscription, keys.place(scope)) or Claim(scope)


def write(tx: Transaction, claim: Claim) -> None:
    tx.put(_TABLE, claim.scope.subscription, keys.place(claim.scope), claim)


def holds(claim: Claim, epoch: int) -> bool:
    """A claim and an epoch in, whether the run of that epoch may still write out."""
    return claim.until is not None and claim.epoch == epoch


def held(tx: Transaction, scope: Scope, epoch: int) -> Claim:
    """A Scope and the epoch of a run in, the claim it still holds out; else Lost."""
    claim = read(tx, scope)
    if not holds(claim, epoch):
        raise Lost(f"the claim on {scope.key} with epoch {epoch} was given back or taken over (now {claim.epoch})")
    return claim


def seen_since(tx: Transaction, scope: Scope, since: datetime, now: datetime) -> bool:
    """A Scope and a time in, whether a run has looked at it since then, or is doing so, out."""
    claim = read(tx, scope)
    is_held = claim.until is not None and now < claim.until
    return is_held or (claim.seen_through is not None and claim.seen_through > since)


def refuse_touched(tx: Transaction, run: Run) -> None:
    """Raises Touched when somebody else's write was heard of after the run had claimed its Scope."""
    met = read(tx, run.scope).met
    if met is not UNSET:
        raise Touched(f"somebody else wrote the network at {met.isoformat()}, while this run was at it")


def renew(tx: Transaction, run: Run, now: datetime) -> None:
    """A run in: its leases last another 120 s from now; else Lost."""
    claim = held(tx, run.scope, run.epoch)
    write(tx, msgspec.structs.replace(claim, until=now + LEASE))
    if claim.leased is not None:
        _put_lease(tx, Lease(claim.leased, run.id, now + LEASE))


def let_go(tx: Transaction, claim: Claim) -> Claim:
    """A claim in, the same held by nobody out; what its run had leased is free."""
    if claim.leased is not None:
        _free(tx, claim.leased, run_id(claim.scope, claim.epoch))
    return msgspec.structs.replace(claim, until=None, leased=None)


# ---- objects outside the Scope ------------------------------------------------------------------------------------


def lease(tx: Transaction, run: Run, key: str, now: datetime) -> bool:
    """A run and the key of an object in; True: it is the run's for 120 s. One at a time: no circles."""
    claim = held(tx, run.scope, run.epoch)
    if claim.leased is not None and claim.leased != key:
        raise ValueError(f"a run leases one object at a time: {claim.leased} before {key}")
    there = tx.get(Lease, _TABLE, "objects", keys.resource(key))
    if there is not None and there.run != run.id and now < there.until:
        return False
    _put_lease(tx, Lease(key, run.id, now + LEASE))
    write(tx, msgspec.structs.replace(claim, leased=key))
    return True


def unlease(tx: Transaction, run: Run, key: str) -> None:
    """A run and the key of an object in: whoever asks next has it, if it was the run's."""
    _free(tx, key, run.id)
    claim = read(tx, run.scope)
    if holds(claim, run.epoch) and claim.leased == key:
        write(tx, msgspec.structs.replace(claim, leased=None))


def _put_lease(tx: Transaction, lease: Lease) -> None:
    tx.put(_TABLE, "objects", keys.resource(lease.key), lease)


def _free(tx: Transaction, key: str, run: str) -> None:
    there = tx.get(Lease, _TABLE, "objects", keys.resource(key))
    if there is not None and there.run == run:
        tx.delete(_TABLE, "objects", keys.resource(key))
