"""A repair that took several runs: the Record of one and those of others in, one account of the whole repair out.

A cluster that is busy, or a run that dies, leaves the type for the next run. Neither half is taken back alone.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from msgspec.structs import replace

from governor.core import ids
from governor.core.cluster_step import WriteCluster
from governor.core.record import Record

# Longer than a run waits before it gives up, and than an approval holds.
WITHIN: Final = timedelta(days=4)


def repairs(record: Record) -> frozenset[str]:
    """A Record in, the digests of the repairs of clusters that it tells of out."""
    # What is told of a run that died is in the outcomes only.
    told = (one.remediation for one in record.outcomes if isinstance(one.step, WriteCluster))
    return frozenset((*told, *(one.digest for one in record.done if ids.kind(one.resource) == ids.CLUSTER)))


def is_part(one: Record, record: Record) -> bool:
    """Whether a Record tells of a repair of a cluster that another one tells of, too."""
    near = abs(one.time - record.time) <= WITHIN
    return near and one.scope == record.scope and not repairs(one).isdisjoint(repairs(record))


def whole(record: Record, others: Iterable[Record]) -> Record:
    """A Record and those of other runs in, oldest first; the Record with what these did of the same repairs out."""
    digests = repairs(record)
    parts = {one.id: one for one in others if is_part(one, record)} | {record.id: record}
    outcomes = [
        outcome
        for one in sorted(parts.values(), key=lambda one: (one.time, one.epoch))
        for outcome in one.outcomes
        if one.id == record.id or outcome.remediation in digests
    ]
    return replace(record, outcomes=tuple(outcomes))
