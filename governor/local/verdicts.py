"""The verdicts of an ended run or of a survey in, the standing ones changed; and what else stands about a Scope."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from msgspec import UNSET, Struct, UnsetType

from governor.core import ids, sighting
from governor.core.cause import VERSION, Scope
from governor.core.sighting import Sighting, Stands
from governor.core.verdict import Result, Verdict
from governor.local import keys
from governor.local.rows import Transaction, decode

_LEDGER: Final = "ledger"
_NAMED: Final = "named"
# Who told a verdict that no run has told: a survey where none stood, or one against what a run had told.
_SURVEY: Final = "survey"
_DOUBT: Final = "survey, against a run"
_NO_RUN: Final = frozenset({_SURVEY, _DOUBT})
_LAST: Final = "\U0010ffff"


class StandingVerdict(Struct, frozen=True):
    """A verdict that holds until another one replaces it. since: this result; by: the run that told it last, or that

    only a survey did. overruled: what a survey had said before that run.
    """

    scope: Scope
    verdict: Verdict
    since: datetime
    by: str
    overruled: Result | UnsetType = UNSET
    v: int = VERSION


class Roll(Struct, frozen=True):
    """How many verdicts on a requirement took and lost a result on one day."""

    took: int = 0
    lost: int = 0
    v: int = VERSION


class Governed(Struct, frozen=True):
    """How many resources of a Scope are under each policy."""

    scope: Scope
    policies: dict[str, int]
    v: int = VERSION


class Naming(Struct, frozen=True):
    """That the last run on a Scope read or named a resource."""

    scope: Scope
    v: int = VERSION


class Named(Struct, frozen=True):
    """The keys of the resources that the last run on a Scope read or named."""

    resources: tuple[str, ...] = ()
    v: int = VERSION


def replace(tx: Transaction, scope: Scope, verdicts: Iterable[Verdict], by: str, now: datetime) -> None:
    """All verdicts of a Scope that a run tells in; they replace those that differ, and those that ended go."""
    standing = _standing(tx, scope)
    present = {_row(scope, verdict): verdict for verdict in verdicts}
    new: dict[str, StandingVerdict | None] = dict.fromkeys(standing.keys() - present.keys())
    for row, verdict in present.items():
        old = standing.get(row)
        if old is None or old.verdict != verdict or old.by in _NO_RUN:
            new[row] = StandingVerdict(scope, verdict, _since(old, verdict, now), by, _overruled(old, verdict))
    _store(tx, scope, (standing, new), now)
    _govern(tx, scope, present.values())


def surveyed(tx: Transaction, seen: Sighting, stays: bool, now: datetime) -> bool:
    """What a survey says of a Scope in; whether a run should look out. stays: what stands was seen later."""
    standing = _standing(tx, seen.scope)
    present = {_row(seen.scope, verdict): verdict for verdict in seen.verdicts}
    stands = {row: _stands(old) for row, old in standing.items()}
    if not stays:
        _tell(
            tx,
            seen.scope,
            {row: verdict for row, verdict in present.items() if sighting.replaces(verdict, stands.get(row))},
            now,
        )
    gone = bool(standing.keys() - present.keys())
    return gone or any(sighting.worth_a_run(verdict, stands.get(row)) for row, verdict in present.items())


def unseen(tx: Transaction, scope: Scope, why: str, now: datetime) -> None:
    """A Scope that nobody can see and why in: all that stands about it is Unknown."""
    standing = _standing(tx, scope)
    known = {row: old.verdict for row, old in standing.items() if old.verdict.result is not Result.UNKNOWN}
    _tell(tx, scope, {row: sighting.unseen(verdict, why) for row, verdict in known.items()}, now)


def of_scope(tx: Transaction, scope: Scope) -> tuple[Verdict, ...]:
    """A Scope in, its standing verdicts out, in order."""
    return _sorted(tx.all(StandingVerdict, _LEDGER, scope.subscription, f"s|{keys.place(scope)}|"))


def only_surveyed(tx: Transaction, scope: Scope) -> tuple[Verdict, ...]:
    """A Scope in, those of its standing verdicts that no run has told out, in order."""
    return _sorted(row for row in _standing(tx, scope).values() if row.by in _NO_RUN)


def scopes(tx: Transaction, subscription: str) -> tuple[Scope, ...]:
    """A subscription in, the Scopes of which verdicts stand out, in order; one row is read of each."""
    found: list[Scope] = []
    after = ""
    while rows := tx.under(_LEDGER, subscription.casefold(), "s|", after, 1):
        found.append(decode(StandingVerdict, rows[0].value).scope)
        after = f"s|{keys.place(found[-1])}|{_LAST}"
    return tuple(sorted(found, key=lambda scope: scope.key))


def stand(tx: Transaction, subscription: str) -> bool:
    """A subscription in, whether verdicts on it stand out."""
    return bool(tx.under(_LEDGER, subscription.casefold(), "s|", limit=1))


def of_subscription(tx: Transaction, subscription: str) -> tuple[Verdict, ...]:
    """A subscription in, its standing verdicts out, in order."""
    return _sorted(tx.all(StandingVerdict, _LEDGER, subscription.casefold(), "s|"))


def governed(tx: Transaction, subscription: str) -> dict[str, int]:
    """A subscription in, how many of its resources are under each policy out."""
    total: Counter[str] = Counter()
    for row in tx.all(Governed, _LEDGER, subscription, "g|"):
        total.update(row.policies)
    return dict(sorted(total.items()))


def name(tx: Transaction, scope: Scope, resources: Iterable[str]) -> None:
    """What a run on a Scope read or named in; it replaces what the run before named."""
    partition, row = scope.subscription, f"n|{keys.place(scope)}"
    before = set((tx.get(Named, _LEDGER, partition, row) or Named()).resources)
    after = {keys.resource(resource) for resource in resources}
    for gone in before - after:
        tx.delete(_NAMED, gone, keys.place(scope))
    for new in after - before:
        tx.put(_NAMED, new, keys.place(scope), Naming(scope))
    if before != after:
        tx.put(_LEDGER, partition, row, Named(tuple(sorted(after))))


def named_by(tx: Transaction, resource: str) -> tuple[Scope, ...]:
    """The key of a resource in, the Scopes whose last run read or named it out."""
    found = tx.all(Naming, _NAMED, keys.resource(resource))
    return tuple(sorted((naming.scope for naming in found), key=lambda scope: scope.key))


def _standing(tx: Transaction, scope: Scope) -> dict[str, StandingVerdict]:
    """A Scope in, what stands about it by row out."""
    rows = tx.all(StandingVerdict, _LEDGER, scope.subscription, f"s|{keys.place(scope)}|")
    return {_row(scope, row.verdict): row for row in rows}


def _stands(row: StandingVerdict) -> Stands:
    overruled = None if row.overruled is UNSET else row.overruled
    return Stands(row.verdict, row.by not in _NO_RUN, row.by == _DOUBT, overruled)


def _by(old: StandingVerdict | None) -> str:
    """What stood before a survey told otherwise in, who the new verdict is by out."""
    return _SURVEY if old is None or old.by == _SURVEY else _DOUBT


def _since(old: StandingVerdict | None, verdict: Verdict, now: datetime) -> datetime:
    return old.since if old is not None and old.verdict.result is verdict.result else now


def _overruled(old: StandingVerdict | None, verdict: Verdict) -> Result | UnsetType:
    """What stood and what a run says instead in; which word of a survey it overrules, now or before, out."""
    if old is None:
        return UNSET
    return old.verdict.result if old.by in _NO_RUN and old.verdict.result is not verdict.result else old.overruled


def _tell(tx: Transaction, scope: Scope, verdicts: dict[str, Verdict], now: datetime) -> None:
    """Verdicts of a survey by row in: they stand until a run has looked."""
    if not verdicts:
        return
    standing = _standing(tx, scope)
    new = {
        row: StandingVerdict(scope, verdict, _since(standing.get(row), verdict, now), _by(standing.get(row)))
        for row, verdict in verdicts.items()
    }
    _store(tx, scope, (standing, dict(new)), now)
    _govern(tx, scope, (row.verdict for row in {**standing, **new}.values()))


def _store(
    tx: Transaction,
    scope: Scope,
    rows: tuple[dict[str, StandingVerdict], dict[str, StandingVerdict | None]],
    now: datetime,
) -> None:
    """What stood by row, and what shall stand instead (None: nothing) in; stored and counted."""
    before, after = rows
    took: Counter[tuple[str, str]] = Counter()
    lost: Counter[tuple[str, str]] = Counter()
    for row, new in after.items():
        old = before.get(row)
        if new is None:
            tx.delete(_LEDGER, scope.subscription, row)
        else:
            tx.put(_LEDGER, scope.subscription, row, new)
        if old is not None and new is not None and old.verdict.result is new.verdict.result:
            continue
        if old is not None:
            lost[old.verdict.requirement, old.verdict.result] += 1
        if new is not None:
            took[new.verdict.requirement, new.verdict.result] += 1
    _roll(tx, f"roll|{now.date().isoformat()}|", scope.subscription, (took, lost))


def _row(scope: Scope, verdict: Verdict) -> str:
    name = keys.hashed(f"{ids.key(verdict.resource)}|{verdict.requirement}")
    return f"s|{keys.place(scope)}|{name}"


def _sorted(rows: Iterable[StandingVerdict]) -> tuple[Verdict, ...]:
    return tuple(sorted((row.verdict for row in rows), key=lambda v: (ids.key(v.resource), v.requirement)))


def _roll(tx: Transaction, prefix: str, partition: str, changed: tuple[Counter[tuple[str, str]], ...]) -> None:
    took, lost = changed
    for requirement, result in sorted(took.keys() | lost.keys()):
        row = f"{prefix}{requirement}|{result}"
        roll = tx.get(Roll, _LEDGER, partition, row) or Roll()
        counted = Roll(roll.took + took[requirement, result], roll.lost + lost[requirement, result])
        tx.put(_LEDGER, partition, row, counted)


def _govern(tx: Transaction, scope: Scope, verdicts: Iterable[Verdict]) -> None:
    under = {(verdict.policy, ids.key(verdict.resource)) for verdict in verdicts if verdict.policy is not None}
    policies = dict(sorted(Counter(policy for policy, _ in under).items()))
    row = f"g|{keys.place(scope)}"
    there = tx.get(Governed, _LEDGER, scope.subscription, row)
    if policies != ({} if there is None else there.policies):
        tx.put(_LEDGER, scope.subscription, row, Governed(scope, policies))
