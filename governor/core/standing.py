"""What the ledger remembers of a Scope when a run begins: pause, decisions, brakes, what was written and when."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct

from governor.core.verdict import Verdict


class Ruling(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"


class Pause(Struct, frozen=True):
    """The kill switch: while one stands, nothing is written anywhere."""

    by: str
    at: datetime
    reason: str


class Decision(Struct, frozen=True, omit_defaults=True):
    """A person's ruling on the Remediation with this digest. The last one counts; after `expires` it counts no more."""

    digest: str
    ruling: Ruling
    by: str
    at: datetime
    reason: str
    expires: datetime


class StandingApproval(Struct, frozen=True):
    """Releases every Remediation of this class and policy below this scope (a resource id) until then."""

    disruption: str
    policy: str
    scope: str
    by: str
    at: datetime
    reason: str
    until: datetime


# What is undone comes back into order within a year; longer is for an exemption in the policy.
MOST_DAYS_ALONE: Final = 365


class UndoRequest(Struct, frozen=True):
    """A person's wish to take a Record's steps back, and to leave its resources alone for so many days."""

    record: str
    by: str
    at: datetime
    reason: str
    days: int


class UndoExemption(Struct, frozen=True):
    """What an undo leaves behind: the resource is not repaired again before `until`."""

    resource: str
    record: str
    until: datetime


class OwnRange(Struct, frozen=True, omit_defaults=True):
    """A range that an API server lets in for its cluster's own way out. left: since when the cluster has another one,

    None while it has not.
    """

    cluster: str
    range: str
    left: datetime | None = None


class KnownClusters(Struct, frozen=True, omit_defaults=True):
    """What the last run of a Scope knew of its clusters: keys of their node groups, ranges that are their own.

    subscriptions: others than the Scope's own, in which some of them are.
    """

    node_groups: tuple[str, ...] = ()
    ranges: tuple[OwnRange, ...] = ()
    subscriptions: tuple[str, ...] = ()


class Standing(Struct, frozen=True):
    """touched: when somebody else was last heard to write the Scope. written: Remediations of the last hour, by policy.

    governed: resources under each policy in the subscription, by the verdicts that stand. failures: Remediations that
    failed in a row in this subscription. offered: digests of what the last run of the Scope withheld, with the gates.
    verdicts: the standing ones of this Scope. surveyed: those of them that only a survey has told, and no Record says.
    clusters: what the last run knew of the clusters that live in the Scope.
    """

    pause: Pause | None = None
    touched: datetime | None = None
    written: dict[str, int] = {}
    tenant_written: int = 0
    governed: dict[str, int] = {}
    failures: int = 0
    decisions: dict[str, Decision] = {}
    approvals: tuple[StandingApproval, ...] = ()
    exemptions: tuple[UndoExemption, ...] = ()
    undo: UndoRequest | None = None
    offered: dict[str, tuple[str, ...]] = {}
    verdicts: tuple[Verdict, ...] = ()
    surveyed: tuple[Verdict, ...] = ()
    clusters: KnownClusters = KnownClusters()
