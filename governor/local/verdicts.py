"""The verdicts of an ended run in, the standing ones changed; and what else stands about a Scope: counters, names."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from msgspec import Struct

from governor.core import ids
from governor.core.cause import VERSION, Scope
from governor.core.verdict import Verdict
from governor.local import keys
from governor.local.rows import Transaction

_LEDGER: Final = "ledger"
_NAMED: Final = "named"


class StandingVerdict(Struct, frozen=True):
    """A verdict that holds until another one replaces it. since: this result; by: the run that told it last."""

    scope: Scope
    verdict: Verdict
    since: datetime
    by: str
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
    """All verdicts of a Scope in; those that differ from the standing ones replace them, those that ended go."""
    prefix, partition = f"s|{keys.place(scope)}|", scope.subscription
    standing = {prefix + _name(s.verdict): s for s in tx.all(StandingVerdict, _LEDGER, partition, prefix)}
    present = {prefix + _name(verdict): verdict for verdict in verdicts}
    took: Counter[tuple[str, str]] = Counter()
    lost: Counter[tuple[str, str]] = Counter()
    for row, verdict in present.items():
        old = standing.get(row)
        if old is not None and old.verdict == verdict:
            continue
        same = old is not None and old.verdict.result is verdict.result
        since = old.since if old is not None and same else now
        tx.put(_LEDGER, partition, row, StandingVerdict(scope, verdict, since, by))
        if not same:
            took[verdict.requirement, verdict.result] += 1
            if old is not None:
                lost[old.verdict.requirement, old.verdict.result] += 1
    for row in standing.keys() - present.keys():
        tx.delete(_LEDGER, partition, row)
        lost[standing[row].verdict.requirement, standing[row].verdict.result] += 1
    _roll(tx, f"roll|{now.date().isoformat()}|", partition, (took, lost))
    _govern(tx, scope, present.values())


def of_scope(tx: Transaction, scope: Scope) -> tuple[Verdict, ...]:
    """A Scope in, its standing verdicts out, in order."""
    return _sorted(tx.all(StandingVerdict, _LEDGER, scope.subscription, f"s|{keys.place(scope)}|"))


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


def _name(verdict: Verdict) -> str:
    return keys.hashed(f"{ids.key(verdict.resource)}|{verdict.requirement}")


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
