"""Records: what changed, and 32 KiB whatever happened."""

from typing import Any

import msgspec
import pytest

from governor.core.cause import Cause, Source, VirtualNetwork
from governor.core.plan import Gate, Reason, Remediation
from governor.core.record import MAX_BYTES, Became, Offer, Outcome, Record, changed, encode, run_id
from governor.core.step import Attachment, WriteSubnet
from governor.core.verdict import Result, Verdict
from tests.core.world import AT, nat_id, subnet_id, vnet_id

SCOPE = VirtualNetwork(vnet_id())


def verdict(name: str, result: Result = Result.VIOLATION, seen: str = "default outbound access") -> Verdict:
    return Verdict(subnet_id(name), "subnet-egress", result, "nat", seen)


def repair(number: int, text: str = "") -> Remediation:
    step = WriteSubnet(subnet_id(f"s{number}"), to=Attachment(nat_gateway=nat_id()), was=Attachment(nat_gateway=None))
    return Remediation(step.target, "nat", ("subnet-egress",), (step,), text, ("none",), f"{number:016x}")


def outcome(one: Remediation) -> Outcome:
    return Outcome(one.steps[0], one.digest, Became.DONE, before="a" * 64, after="b" * 64, started=AT, finished=AT)


def record(**members: Any) -> Record:
    return Record("run", AT, SCOPE, 1, Cause(Source.EVENT, AT), "digest", **members)


MANY = tuple(range(300))
LARGE: list[tuple[str, dict[str, Any]]] = [
    ("changes", {"changes": tuple(verdict(f"s{i}") for i in MANY)}),
    ("gone", {"gone": tuple(subnet_id(f"s{i}") for i in MANY)}),
    ("withheld", {"withheld": tuple(Offer(repair(i), (Reason(Gate.MODE, "audit"),)) for i in MANY)}),
    ("done", {"done": tuple(repair(i) for i in MANY)}),
    ("outcomes", {"outcomes": tuple(outcome(repair(i)) for i in MANY)}),
]


@pytest.mark.parametrize(("member", "members"), LARGE)
def test_a_record_never_is_larger_than_32_kib_and_counts_what_is_left_out(member: str, members: dict[str, Any]) -> None:
    stored = encode(record(**members))
    assert len(stored) <= MAX_BYTES
    kept = msgspec.json.decode(stored, type=Record)
    assert kept.left_out == len(MANY) - len(getattr(kept, member)) > 0
    assert len(getattr(kept, member)) > 0


def test_everything_large_at_once_still_fits() -> None:
    together = {name: value for _, members in LARGE for name, value in members.items()}
    assert len(encode(record(**together))) <= MAX_BYTES


def test_one_verdict_that_does_not_fit_is_left_out() -> None:
    kept = msgspec.json.decode(encode(record(changes=(verdict("s", seen="x" * 40_000),))), type=Record)
    assert (kept.changes, kept.left_out) == ((), 1)


def test_what_undo_needs_of_a_full_run_is_kept() -> None:
    repairs = tuple(repair(i, "why " * 60) for i in range(20))
    full = record(changes=tuple(verdict(f"s{i}") for i in MANY), done=repairs, outcomes=tuple(map(outcome, repairs)))
    assert len(msgspec.json.encode(full)) > MAX_BYTES
    kept = msgspec.json.decode(encode(full), type=Record)
    assert kept.outcomes == full.outcomes
    assert [one.digest for one in kept.done] == [one.digest for one in repairs]
    assert kept.left_out == len(MANY) - len(kept.changes)


def test_a_record_that_fits_is_stored_whole() -> None:
    small = record(changes=(verdict("a"),), done=(repair(1),), outcomes=(outcome(repair(1)),))
    assert msgspec.json.decode(encode(small), type=Record) == small
    assert encode(small) == msgspec.json.encode(small)


def test_what_changed_is_what_differs() -> None:
    before = [verdict("same"), verdict("mended"), verdict("gone")]
    now = [verdict("same"), verdict("mended", Result.COMPLIANT), verdict("new")]
    changes, gone = changed(before, now)
    assert changes == (now[1], now[2])
    assert gone == (subnet_id("gone"),)


def test_the_case_of_an_id_is_no_change_of_place() -> None:
    spelled = msgspec.structs.replace(verdict("a"), resource=subnet_id("A").upper())
    changes, gone = changed([spelled], [verdict("a")])
    assert gone == ()
    assert len(changes) <= 1


def test_a_resource_with_another_requirement_is_not_gone() -> None:
    private = msgspec.structs.replace(verdict("a"), requirement="subnet-private")
    assert changed([verdict("a"), private], [verdict("a")]) == ((), ())


def test_a_run_has_one_id_however_often_it_is_appended() -> None:
    assert run_id(SCOPE, 1) == run_id(VirtualNetwork(vnet_id().upper()), 1)
    assert run_id(SCOPE, 1) != run_id(SCOPE, 2)
    assert run_id(SCOPE, 1) != run_id(VirtualNetwork(vnet_id("other")), 1)
