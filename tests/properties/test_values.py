"""Values survive JSON, and texts from outside never do more than say that they are none."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from governor.core import attachment, cause, ids, step
from governor.core.cause import Caller, Cause, Remainder, Source, VirtualNetwork
from governor.core.judged import judge
from governor.core.plan import Plan
from governor.core.policy import Policies
from governor.core.record import MAX_BYTES, Became, Offer, Outcome, Record, encode
from governor.core.standing import (
    Decision,
    Pause,
    Ruling,
    Standing,
    StandingApproval,
    UndoExemption,
    UndoRequest,
)
from governor.core.step import Attachment, WriteSubnet
from governor.core.verdict import Verdict
from governor.events import Event, NotAnEventError, cause_of
from tests.core.world import Azure, Body, nat_id, subnet_id
from tests.properties import estates
from tests.properties.runs import planned, wrote

TEXT = st.text(max_size=20)
MAYBE = st.none() | TEXT
TIMES = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone
    timezones=st.just(UTC),
)
SCOPES = st.builds(VirtualNetwork, TEXT) | st.builds(Remainder, TEXT)
CAUSES = st.builds(
    Cause,
    source=st.sampled_from(Source),
    time=TIMES,
    subject=MAYBE,
    scope=st.none() | SCOPES,
    caller=st.none() | st.builds(Caller, MAYBE, MAYBE, MAYBE),
    correlation_id=MAYBE,
    points_at=MAYBE,
    attempt=st.integers(0, 99),
    first_time=st.none() | TIMES,
)
DECISIONS = st.builds(Decision, TEXT, st.sampled_from(Ruling), TEXT, TIMES, TEXT, TIMES)
STANDINGS = st.builds(
    Standing,
    pause=st.none() | st.builds(Pause, TEXT, TIMES, TEXT),
    touched=st.none() | TIMES,
    written=st.dictionaries(TEXT, st.integers(0, 9), max_size=2),
    tenant_written=st.integers(0, 9),
    governed=st.dictionaries(TEXT, st.integers(0, 9), max_size=2),
    failures=st.integers(0, 9),
    decisions=st.dictionaries(TEXT, DECISIONS, max_size=2),
    approvals=st.lists(st.builds(StandingApproval, *[TEXT] * 4, TIMES, TEXT, TIMES), max_size=2).map(tuple),
    exemptions=st.lists(st.builds(UndoExemption, TEXT, TEXT, TIMES), max_size=2).map(tuple),
    undo=st.none() | st.builds(UndoRequest, TEXT, TEXT, TIMES, TEXT, st.integers(0, 9)),
    offered=st.dictionaries(TEXT, st.lists(TEXT, max_size=2).map(tuple), max_size=2),
)
ATTACHMENTS = st.builds(
    Attachment,
    nat_gateway=st.sampled_from([UNSET, None, nat_id("a"), nat_id("b")]),
    route_table=st.sampled_from([UNSET, None, "/rt/a", "/rt/b"]),
    default_outbound_access=st.sampled_from([UNSET, None, True, False]),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=6,
)
REFERENCES = st.sampled_from([None, {"id": nat_id("a")}, {"id": nat_id("A").upper(), "more": 1}, {"id": nat_id("c")}])
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "id": st.just(subnet_id()),
        "extra": JSON,
        "properties": st.fixed_dictionaries(
            {},
            optional={
                "natGateway": REFERENCES,
                "routeTable": REFERENCES,
                "defaultOutboundAccess": st.none() | st.booleans(),
                "somethingNew": JSON,
            },
        ),
    },
)


def same_after_json(value: Any, as_type: Any) -> None:
    assert msgspec.json.decode(msgspec.json.encode(value), type=as_type) == value


@given(CAUSES, STANDINGS)
def test_causes_and_what_stands_survive_json(why: Cause, standing: Standing) -> None:
    same_after_json(why, Cause)
    same_after_json(standing, Standing)


@given(estates.azures(), estates.policies(), st.sampled_from(Became))
def test_what_a_run_knows_and_does_survives_json(bodies: list[Body], policies: Policies, became: Became) -> None:
    seen, plan = planned(Azure(*bodies), policies)
    verdicts = judge(seen, policies)
    same_after_json(plan, Plan)
    same_after_json(verdicts, tuple[Verdict, ...])
    offers = tuple(Offer(held.remediation, held.reasons) for held in plan.withheld)
    record = msgspec.structs.replace(wrote(plan, became), changes=verdicts, withheld=offers)
    same_after_json(record, Record)
    stored = encode(record)
    assert len(stored) <= MAX_BYTES
    kept = msgspec.json.decode(stored, type=Record)
    assert kept.outcomes == record.outcomes
    lost = len(record.changes) - len(kept.changes) + len(record.withheld) - len(kept.withheld)
    assert kept.left_out == lost


@given(ATTACHMENTS, ATTACHMENTS)
def test_a_write_survives_json_with_what_it_does_not_look_at(to: Attachment, was: Attachment) -> None:
    one = WriteSubnet(subnet_id(), to=to, was=was)
    same_after_json(one, WriteSubnet)
    same_after_json(Outcome(one, "d", Became.DONE), Outcome)


@given(ATTACHMENTS, BODIES)
def test_an_edit_is_idempotent_and_touches_only_what_it_means_to(to: Attachment, body: dict[str, Any]) -> None:
    one = WriteSubnet(subnet_id(), to=to, was=Attachment())
    once = step.edit(one, body)
    assert once is not None
    assert step.edit(one, once) == once
    means = {member for _, member in step.intended(one)}
    was, now = body.get("properties") or {}, once["properties"]
    assert {k: v for k, v in was.items() if k not in means} == {k: v for k, v in now.items() if k not in means}
    assert {k: v for k, v in body.items() if k != "properties"} == {k: v for k, v in once.items() if k != "properties"}


@given(ATTACHMENTS, BODIES)
def test_an_edit_and_its_inverse_leave_the_attachment_as_it_was(to: Attachment, body: dict[str, Any]) -> None:
    now = attachment.of_body(body)
    looked = {
        name: UNSET if getattr(to, name) is UNSET else getattr(now, name) for name in Attachment.__struct_fields__
    }
    one = WriteSubnet(subnet_id(), to=to, was=Attachment(**looked))
    assert step.conflict(one, body) is None
    back = step.inverse(one)
    assert back is not None
    written = step.edit(one, body)
    assert step.conflict(back, written) is None
    restored = step.edit(back, written)
    assert restored is not None
    for name in Attachment.__struct_fields__:
        before, after = getattr(now, name), getattr(attachment.of_body(restored), name)
        assert before == after or ids.same(before, after)


SEGMENTS = st.sampled_from(
    ["subscriptions", "resourceGroups", "providers", "Microsoft.Network", "virtualNetworks", "x"]
)
PATHS = st.lists(SEGMENTS | TEXT, max_size=10).map(lambda parts: "/" + "/".join(parts))


@given(st.text(max_size=60) | PATHS)
def test_any_text_is_an_id_or_is_not(text: str) -> None:
    kind = ids.kind(text)
    try:
        parts = ids.parse(text)
    except ValueError:
        assert kind == ""
        return
    assert parts.type == kind != ""
    assert ids.parse(text + "/") == parts
    for scope in cause.scopes(text, []):
        assert isinstance(scope, VirtualNetwork)
        assert ids.kind(scope.id) == ids.VIRTUAL_NETWORK


@given(PATHS | TEXT, st.sampled_from(["Microsoft.Resources.ResourceWriteSuccess", "x"]), st.none() | TIMES, JSON)
def test_any_event_is_a_cause_or_nothing_or_no_event(
    subject: str, type_: str, at: datetime | None, claims: object
) -> None:
    try:
        found = cause_of(Event(type_, subject, at, {"claims": claims}))
    except NotAnEventError:
        return
    assert found is None or found.subject == subject
