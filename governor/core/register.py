"""The register of egress addresses: Verdicts in; whence each subnet and cluster leaves, and what has changed, out."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from governor.core import ids
from governor.core.policy import Requirement
from governor.core.verdict import Result, Verdict

CLUSTER: Final = Requirement.CLUSTER_OUTBOUND_TYPE
SUBNET: Final = Requirement.SUBNET_EGRESS

COLUMNS: Final = ("resource", "kind", "method", "addresses", "whole", "policy", "since", "record")


class Entry(Struct, frozen=True, omit_defaults=True):
    """One subnet or cluster. method: by which way it leaves, in words; "" as long as nobody has known it.

    whole: these are all its addresses; else there are others, not known or changing. policy: who governs it; None:
    nobody, so nobody traces it. wrong: the policy does not allow it. doubt: why it is not known at the moment; the
    rest is then what was known last.
    """

    resource: str
    method: str = ""
    addresses: tuple[str, ...] = ()
    whole: bool = True
    policy: str | None = None
    wrong: bool = False
    doubt: str = ""

    @property
    def is_cluster(self) -> bool:
        return ids.kind(self.resource) == ids.CLUSTER

    @property
    def is_known(self) -> bool:
        """Whether somebody has known whence it leaves, and somebody governs it."""
        return bool(self.method) and self.policy is not None


class Registered(Struct, frozen=True, omit_defaults=True):
    """An Entry. since: when these addresses were seen first; by: the Record that says so, "" where a sweep did."""

    entry: Entry
    since: datetime
    by: str = ""


class Listed(Struct, frozen=True):
    """What is registered as programs read it. record: None where a sweep found it, or nobody recorded it.

    doubt: why it is not known at the moment, "" where it is; the rest is then what was known last.
    """

    resource: str
    kind: str
    method: str
    addresses: tuple[str, ...]
    whole: bool
    policy: str | None = None
    since: datetime | None = None
    record: str | None = None
    doubt: str = ""

    @property
    def row(self) -> tuple[str, ...]:
        """Its COLUMNS as text."""
        since = self.since.isoformat() if self.since else ""
        addresses, whole = " ".join(self.addresses), str(self.whole).lower()
        return (self.resource, self.kind, self.method, addresses, whole, self.policy or "", since, self.record or "")


class Past(Struct, frozen=True, omit_defaults=True):
    """What was registered before: from when until when, by which Record, and what ended it."""

    entry: Entry
    since: datetime
    until: datetime
    by: str = ""
    ended_by: str = ""


class Move(Struct, frozen=True, omit_defaults=True):
    """Something leaves from other addresses than before. before: None where nobody knew any."""

    now: Entry
    before: Entry | None = None


def listed(entry: Entry, registered: Registered | None = None) -> Listed:
    """An Entry, and where it is registered, in; what programs read out."""
    return Listed(
        entry.resource,
        "cluster" if entry.is_cluster else "subnet",
        entry.method,
        entry.addresses,
        entry.whole and not entry.doubt,
        entry.policy,
        registered.since if registered else None,
        (registered.by or None) if registered else None,
        entry.doubt,
    )


def entries(verdicts: Iterable[Verdict], before: Mapping[str, Entry]) -> dict[str, Entry]:
    """All Verdicts on a Scope and what was registered of it by key in; what is to be registered by key out."""
    found: dict[str, Entry] = {}
    for verdict in verdicts:
        key = ids.key(verdict.resource)
        entry = entered(verdict, before.get(key))
        if entry is not None:
            found[key] = entry
    return found


def entered(verdict: Verdict, before: Entry | None) -> Entry | None:
    """A Verdict and what was registered in; what is to be registered out, None for what has no place in it."""
    if verdict.requirement == SUBNET and verdict.result is Result.NOT_APPLICABLE:
        return None
    if verdict.requirement not in (SUBNET, CLUSTER):
        return None
    match verdict.result:
        case Result.UNKNOWN:
            last = before or Entry(verdict.resource, whole=False)
            return replace(last, policy=verdict.policy or last.policy, doubt=verdict.seen)
        case Result.UNGOVERNED:
            return Entry(verdict.resource, verdict.seen, whole=False)
        case _:
            return Entry(
                verdict.resource,
                verdict.seen,
                verdict.addresses,
                not verdict.more,
                verdict.policy,
                wrong=verdict.result is Result.VIOLATION,
            )


def differs(now: Entry, before: Entry) -> bool:
    """Whether it leaves from other addresses: what is not known at the moment has not changed."""
    return (now.addresses, now.whole) != (before.addresses, before.whole)


def moves(now: Mapping[str, Entry], before: Mapping[str, Entry]) -> tuple[Move, ...]:
    """The register of a Scope as it is and as it was in; what people must be told out, clusters first.

    What is seen for the first time is told when it has addresses and its policy allows them: what is wrong is to be
    repaired, and whoever allows its addresses would have to change them again. If it keeps them, it is told then. So
    is what was wrong before and had no address that anybody could allow.
    """
    found: list[Move] = []
    for key, entry in now.items():
        if not entry.is_known or entry.doubt:
            continue
        last = before.get(key)
        if entry.wrong and last is not None and last.wrong and not last.addresses:
            continue
        if last is not None and last.is_known and differs(entry, last):
            found.append(Move(entry, last))
        elif entry.addresses and not entry.wrong and (last is None or last.wrong or not last.is_known):
            found.append(Move(entry))
    return tuple(sorted(found, key=lambda move: (not move.now.is_cluster, ids.key(move.now.resource))))


class Sought(Struct, frozen=True):
    """Which entries are asked for. cluster: an id or a name; policy: the name of the one that governs."""

    policy: str | None = None
    cluster: str | None = None

    def takes(self, entry: Entry) -> bool:
        """Whether this entry is one of them."""
        if self.policy is not None and entry.policy != self.policy:
            return False
        wanted = self.cluster
        if wanted is None:
            return True
        named = ids.same(entry.resource, wanted) or ids.name(entry.resource).casefold() == wanted.casefold()
        return entry.is_cluster and named
