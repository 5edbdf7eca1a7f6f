"""One of each stored value and message of version 1, as it was first written: today's code must read and write it so.

The files are never edited. A value that was forgotten gets a file of its own: run this module with python, which
writes only what is missing.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
import pytest
from msgspec import Struct
from msgspec.structs import replace

from governor import messages
from governor.core import notice
from governor.core.cause import Caller, Cause, Source, Survey
from governor.core.notice import AddressesChanged, Notice
from governor.core.plan import Gate, Reason, Remediation, Withheld
from governor.core.proof import Proof, Word
from governor.core.proxy_step import Proxy, WriteProxy
from governor.core.record import Became, Offer, Outcome, Record, encode
from governor.core.register import Entry, Move, Past, Registered
from governor.core.standing import (
    Decision,
    KnownClusters,
    OwnRange,
    Pause,
    Ruling,
    StandingApproval,
    UndoExemption,
    UndoRequest,
)
from governor.core.step import Attachment, CreateNatGateway, WriteAzurePolicy, WriteInterface, WriteSubnet
from governor.core.verdict import Result, Verdict
from governor.local import brakes, chain, claims, decisions, register, runs, verdicts
from governor.local.rows import decode
from governor.ports import Intent, Run
from tests.local.worlds import GATEWAY, NETWORK, OTHER, REST, SCOPE, SUBNET, SUBSCRIPTION

GOLDEN: Final = Path(__file__).parents[1] / "golden" / "v1"

AT: Final = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
GROUP: Final = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/nodes"
NIC: Final = f"{NETWORK.partition('/providers/')[0]}/providers/Microsoft.Network/networkInterfaces/nic"
CLUSTER: Final = f"{NETWORK.partition('/providers/')[0]}/providers/Microsoft.ContainerService/managedClusters/k"
LATER: Final = AT + timedelta(hours=72)
RUN: Final = "0123456789abcdef01234567"
DIGEST: Final = "fedcba9876543210"
CAUSE: Final = Cause(
    Source.EVENT,
    AT,
    subject=SUBNET,
    scope=SCOPE,
    caller=Caller("object", "application", "Ann Example"),
    correlation_id="33333333-3333-3333-3333-333333333333",
    points_at="a decision",
    attempt=2,
    first_time=AT - timedelta(minutes=1),
)
SURVEY: Final = Survey((SUBSCRIPTION, OTHER), AT, attempt=3, first_time=AT - timedelta(hours=1))
GATEWAY_STEP: Final = CreateNatGateway(GATEWAY, "westeurope", "StandardV2", public_ips=(f"{NETWORK}-ip",), zones=("1",))
STEP: Final = WriteSubnet(
    SUBNET, to=Attachment(GATEWAY, None, default_outbound_access=False), was=Attachment(nat_gateway=None)
)
REMEDIATION: Final = Remediation(
    SUBNET,
    "spokes",
    ("subnet-egress", "subnet-private"),
    (STEP,),
    "no way out is allowed that it has",
    ("brief",),
    DIGEST,
    old_addresses=("203.0.113.1",),
    new_addresses=("198.51.100.7",),
    needs=("00112233aabbccdd",),
)
REASONS: Final = (Reason(Gate.SETTLE, "somebody wrote it", after=300.0), Reason(Gate.APPROVAL, "ask for it"))
VERDICT: Final = Verdict(
    SUBNET,
    "subnet-egress",
    Result.VIOLATION,
    "spokes",
    "default outbound access",
    "a NAT gateway",
    ("203.0.113.1",),
    True,
)
OUTCOME: Final = Outcome(STEP, DIGEST, Became.DONE, "as meant", "a" * 64, "b" * 64, AT, LATER)
RECORD: Final = Record(
    RUN,
    AT,
    SCOPE,
    7,
    CAUSE,
    "policies",
    plan_digest=DIGEST,
    changes=(VERDICT,),
    gone=(f"{NETWORK}/subnets/old",),
    counts={"Compliant": 2, "Violation": 1},
    done=(REMEDIATION,),
    outcomes=(OUTCOME, Outcome(GATEWAY_STEP, DIGEST, Became.FAILED)),
    withheld=(Offer(REMEDIATION, REASONS),),
    note="stopped",
    left_out=3,
    prev="c" * 64,
)
STARTED: Final = Run(RUN, SCOPE, 7, CAUSE, "policies")
INTENT: Final = Intent(RUN, 1, DIGEST, STEP, AT)

OTHERS: Final = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.ContainerService"
PROXY: Final = WriteProxy(
    f"{OTHERS}/managedClusters/k",
    Proxy(True, None, f"@keyvault:kv-proxy/address/{'0' * 32}", None, ("10.0.0.0/8",), ("http://proxy:3128",)),
    Proxy(True, "http://old:3128", shown=("http://old:3128",)),
    lost=True,
    without=("old.example",),
)
DETACH: Final = WriteInterface(NIC, {"c": None}, {"c": f"{NETWORK}-ip"}, ("203.0.113.1",))
KEPT: Final = WriteAzurePolicy(
    f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/policyAssignments/eg-interface-01234567",
    {"enforcementMode": "Default", "metadata": {"enforced": DIGEST}},
    {"enforcementMode": "DoNotEnforce", "metadata": {"enforced": None}},
)
ENTRY: Final = Entry(SUBNET, "NAT gateway nat", ("198.51.100.7",), False, "spokes", True, "it is Updating")
WAS: Final = Entry(SUBNET, "default outbound access", whole=False, policy="spokes")

STORED: Final[dict[str, Struct]] = {
    "claim": claims.Claim(SCOPE, 7, LATER, RUN, AT, True, "policies", AT, (RUN,), GATEWAY),
    "claim-with-clusters": claims.Claim(
        SCOPE, 7, seen_through=AT, clusters=KnownClusters((GROUP,), (OwnRange(CLUSTER, "203.0.113.1/32", LATER),))
    ),
    "lease": claims.Lease(GATEWAY, RUN, LATER),
    "run": runs.Begun(STARTED, DIGEST, (REMEDIATION,), AT, LATER, True, f"{RUN[:-1]}8"),
    "intent": runs.Intended(INTENT),
    "proxy-intent": runs.Intended(Intent(RUN, 2, DIGEST, PROXY, AT)),
    "intent-of-interface": runs.Intended(Intent(RUN, 2, DIGEST, DETACH, AT)),
    "outcome": runs.Intended(INTENT, OUTCOME),
    "intent-azure-policy": runs.Intended(Intent(RUN, 1, DIGEST, KEPT, AT)),
    "writes": runs.Writes((runs.Window(RUN, 1, AT, LATER), runs.Window(RUN, 2, AT))),
    "head": chain.Head("d" * 64, 12, 1772368215123456),
    "pointer": chain.Pointer(SUBSCRIPTION, f"r|98227631784876543|{RUN}"),
    "mark": chain.Mark(chained=True),
    "standing-verdict": verdicts.StandingVerdict(SCOPE, VERDICT, AT, RUN),
    "surveyed-verdict": verdicts.StandingVerdict(SCOPE, VERDICT, AT, "survey"),
    "overruled-verdict": verdicts.StandingVerdict(SCOPE, VERDICT, AT, RUN, Result.COMPLIANT),
    "roll": verdicts.Roll(3, 2),
    "governed": verdicts.Governed(REST, {"spokes": 4}),
    "naming": verdicts.Naming(SCOPE),
    "named": verdicts.Named(("0123456789abcdef01234567",)),
    "pause": brakes.Switch(on=Pause("ann", AT, "incident")),
    "resume": brakes.Switch(off=brakes.Off("bob", AT, "over")),
    "written": brakes.Written("spokes", failed=True),
    "failures": brakes.Failures(4, AT),
    "offering": decisions.Offering(SCOPE, Withheld(REMEDIATION, REASONS), AT),
    "offers": decisions.Offers({DIGEST: ("approval", "settle")}),
    "decision": decisions.Ruled(Decision(DIGEST, Ruling.REJECT, "ann", AT, "not now", LATER)),
    "standing-approval": decisions.Approved(StandingApproval("brief", "spokes", NETWORK, "ann", AT, "routine", LATER)),
    "undo-request": decisions.Asked(UndoRequest(RUN, "ann", AT, "it broke", 7)),
    "undo-exemption": decisions.LeftAlone(UndoExemption(SUBNET, RUN, LATER)),
    "more-verdict": verdicts.StandingVerdict(SCOPE, msgspec.structs.replace(VERDICT, more=True), AT, RUN),
    "registered": register.Stands(Registered(ENTRY, AT, RUN)),
    "registered-before": register.Was(Past(WAS, AT, LATER, RUN, f"{RUN[:-1]}8")),
    "notice": Notice(f"addresses-{RUN}", AT, SCOPE, RUN, AddressesChanged((Move(ENTRY, WAS),), 3), "allow it"),
}
PROVEN: Final = replace(
    RECORD,
    proofs=(Proof(SUBNET, Word.ROUTE, "0.0.0.0/0 -> 10.0.0.4"), Proof(SUBNET, Word.CONFIGURATION, "NAT gateway ng")),
)
APPROVED: Final = replace(
    RECORD, approvals=(StandingApproval("brief", "spokes", NETWORK, "ann", AT, "routine", LATER),)
)
RECORDS: Final = {"record": RECORD, "proven-record": PROVEN, "approved-record": APPROVED}
MEANT: Final[dict[str, object]] = {"message": CAUSE, "survey": SURVEY, **RECORDS, **STORED}


def read(name: str, value: bytes) -> object:
    """A value in, what today's code understands out."""
    if name == "message":
        return messages.decode(value)
    if name == "survey":
        return messages.decode_survey(value)
    return decode(Record if name in RECORDS else type(STORED[name]), value)


def written() -> dict[str, bytes]:
    """What today's code writes, by name."""
    values = {name: msgspec.json.encode(value) for name, value in STORED.items()}
    values |= {name: encode(record) for name, record in RECORDS.items()}
    return {"message": messages.encode(CAUSE), "survey": messages.encode(SURVEY), **values}


@pytest.mark.parametrize("name", MEANT)
def test_todays_code_reads_what_was_written_first(name: str) -> None:
    assert read(name, (GOLDEN / f"{name}.json").read_bytes()) == MEANT[name]


@pytest.mark.parametrize("name", MEANT)
def test_todays_code_writes_the_same_bytes(name: str) -> None:
    assert written()[name] == (GOLDEN / f"{name}.json").read_bytes()


def test_every_value_says_its_version() -> None:
    assert [name for name, value in written().items() if msgspec.json.decode(value).get("v") != 1] == []


def test_every_kind_of_stored_value_has_a_file() -> None:
    modules = (brakes, chain, claims, decisions, notice, register, runs, verdicts)
    kinds = {
        kind
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type)
        and issubclass(kind, Struct)
        and kind.__module__ == module.__name__
        and "v" in kind.__struct_fields__
    }
    assert {kind.__name__ for kind in kinds} - {type(value).__name__ for value in STORED.values()} == set()
    assert {path.stem for path in GOLDEN.iterdir()} == set(MEANT)


if __name__ == "__main__":
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for missing, value in written().items():
        path = GOLDEN / f"{missing}.json"
        if not path.exists():
            path.write_bytes(value)
