"""A repair of a cluster that took several runs is one repair, and no other Record belongs to it."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from governor.core import parts
from governor.core.cause import Cause, Source, VirtualNetwork
from governor.core.cluster_step import WriteCluster
from governor.core.plan import Remediation
from governor.core.record import Became, Outcome, Record
from governor.core.step import Attachment, Step, WriteSubnet
from tests.core.world import AT, cluster, subnet_id, vnet_id

TARGET = cluster()["id"]
REPAIR = Remediation(TARGET, "nat", ("cluster-outbound-type",), (), "", (), "d1")
SUBNET = WriteSubnet(subnet_id("nodes"), Attachment("/x"), Attachment(None))
TYPE = WriteCluster(TARGET, "userAssignedNATGateway", "loadBalancer")


def record(
    name: str, *steps: Step, minutes: float = 0, done: tuple[Remediation, ...] = (REPAIR,), **more: Any
) -> Record:
    given: dict[str, Any] = {"scope": VirtualNetwork(vnet_id()), "epoch": 1, **more}
    return Record(
        id=name,
        time=AT + timedelta(minutes=minutes),
        cause=Cause(Source.MANUAL, AT),
        policy_digest="p",
        done=done,
        outcomes=tuple(Outcome(step, done[0].digest, Became.DONE) for step in steps),
        **given,
    )


FIRST, LAST = record("r1", SUBNET), record("r2", TYPE, minutes=1)


@pytest.mark.parametrize("named", [FIRST, LAST])
def test_whichever_is_named_all_of_it_comes_in_the_order_in_which_it_was_done(named: Record) -> None:
    found = parts.whole(named, (FIRST, LAST))
    assert [o.step for o in found.outcomes] == [SUBNET, TYPE]
    assert replace(found, outcomes=()) == replace(named, outcomes=())


@pytest.mark.parametrize(
    "other",
    [
        record("r1", SUBNET, done=(replace(REPAIR, digest="d2"),)),
        record("r1", SUBNET, scope=VirtualNetwork(vnet_id("other"))),
        record("r1", SUBNET, minutes=-5 * 24 * 60),
        # A subnet's own repair is whole by itself.
        record("r1", SUBNET, done=(replace(REPAIR, resource=SUBNET.target),)),
    ],
)
def test_what_others_did_is_left_out(other: Record) -> None:
    assert parts.whole(LAST, (other, LAST)) == LAST


def test_of_another_run_only_what_it_did_of_this_repair_counts() -> None:
    beside = Outcome(SUBNET, "another", Became.DONE)
    first = replace(FIRST, outcomes=(*FIRST.outcomes, beside))
    assert [o.remediation for o in parts.whole(LAST, (first,)).outcomes] == ["d1", "d1"]
    assert beside in parts.whole(first, (LAST,)).outcomes
