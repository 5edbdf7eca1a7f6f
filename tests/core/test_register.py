"""The register of egress addresses: what a verdict enters in it, what counts as moved, and who is told."""

from datetime import UTC, datetime

import msgspec
import pytest

from governor.core.cause import VirtualNetwork
from governor.core.notice import MAX_BYTES, Notice, addresses_changed
from governor.core.prices import about_a_month
from governor.core.register import Entry, Move, Sought, entered, entries, listed, moves
from governor.core.verdict import Result, Verdict
from tests.core.world import SUB, subnet_id

SUBNET = subnet_id("app")
NETWORK = SUBNET.partition("/subnets/")[0]
CLUSTER = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/k1"
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def verdict(
    result: Result = Result.COMPLIANT, *addresses: str, more: bool = False, seen: str = "NAT gateway g"
) -> Verdict:
    policy = None if result is Result.UNGOVERNED else "spokes"
    return Verdict(SUBNET, "subnet-egress", result, policy, seen, addresses=addresses, more=more)


def of_cluster(result: Result, *addresses: str) -> Verdict:
    return Verdict(CLUSTER, "cluster-outbound-type", result, "spokes", "outboundType loadBalancer", addresses=addresses)


KNOWN = Entry(SUBNET, "NAT gateway g", ("20.0.0.1",), policy="spokes")


@pytest.mark.parametrize(
    ("judged", "before", "expected"),
    [
        (verdict(Result.COMPLIANT, "20.0.0.1"), None, KNOWN),
        (verdict(Result.VIOLATION, "20.0.0.1"), None, msgspec.structs.replace(KNOWN, wrong=True)),
        (verdict(Result.EXEMPT, "20.0.0.1"), None, KNOWN),
        (verdict(Result.COMPLIANT, "20.0.0.1", more=True), None, msgspec.structs.replace(KNOWN, whole=False)),
        # What is not known at the moment stays as it was known last, and says so.
        (verdict(Result.UNKNOWN, seen="it is Updating"), KNOWN, msgspec.structs.replace(KNOWN, doubt="it is Updating")),
        (
            verdict(Result.UNKNOWN, seen="it is Creating"),
            None,
            Entry(SUBNET, whole=False, policy="spokes", doubt="it is Creating"),
        ),
        # What nobody governs nobody traces: what was known of it counts no more.
        (
            verdict(Result.UNGOVERNED, seen="no policy selects it"),
            KNOWN,
            Entry(SUBNET, "no policy selects it", whole=False),
        ),
        (verdict(Result.NOT_APPLICABLE), KNOWN, None),
        (Verdict(SUBNET, "subnet-private", Result.COMPLIANT, "spokes"), None, None),
        # A cluster is registered whatever its policy says of its type.
        (
            of_cluster(Result.NOT_APPLICABLE, "20.0.0.9"),
            None,
            Entry(CLUSTER, "outboundType loadBalancer", ("20.0.0.9",), policy="spokes"),
        ),
    ],
)
def test_what_a_verdict_enters(judged: Verdict, before: Entry | None, expected: Entry | None) -> None:
    assert entered(judged, before) == expected


def told(*stories: tuple[Verdict, ...]) -> list[tuple[Move, ...]]:
    """Verdicts of one run after the other in, what each of them tells out."""
    before: dict[str, Entry] = {}
    found = []
    for verdicts in stories:
        now = entries(verdicts, before)
        found.append(moves(now, before))
        before = now
    return found


def summed(move: Move) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    return (move.before.addresses if move.before else None, move.now.addresses)


@pytest.mark.parametrize(
    ("stories", "expected"),
    [
        # Seen for the first time: told where there is something to allow, and it may stay.
        ([verdict(Result.COMPLIANT, "20.0.0.1")], [[(None, ("20.0.0.1",))]]),
        ([verdict(Result.VIOLATION, "20.0.0.1")], [[]]),
        ([verdict(Result.COMPLIANT, seen="no way out")], [[]]),
        ([verdict(Result.COMPLIANT, more=True, seen="default outbound access")], [[]]),
        # Repaired: from what it left by before, even where nobody had been told of that.
        (
            [verdict(Result.VIOLATION, "20.0.0.1"), verdict(Result.COMPLIANT, "20.0.0.2")],
            [[], [(("20.0.0.1",), ("20.0.0.2",))]],
        ),
        # Right in the end with the addresses that it had: nobody was told of them yet.
        ([verdict(Result.VIOLATION, "20.0.0.1"), verdict(Result.COMPLIANT, "20.0.0.1")], [[], [(None, ("20.0.0.1",))]]),
        ([verdict(Result.VIOLATION, more=True), verdict(Result.COMPLIANT, "20.0.0.2")], [[], [((), ("20.0.0.2",))]]),
        # An empty subnet, and then a cluster that leaves by a load balancer of its own: told when that is repaired.
        (
            [
                verdict(Result.VIOLATION, more=True, seen="default outbound access"),
                verdict(Result.VIOLATION, "20.0.0.1", seen="load balancer of cluster k1"),
                verdict(Result.COMPLIANT, "20.0.0.2"),
            ],
            [[], [], [(("20.0.0.1",), ("20.0.0.2",))]],
        ),
        # What is not known for a while has not moved.
        (
            [verdict(Result.COMPLIANT, "20.0.0.1"), verdict(Result.UNKNOWN), verdict(Result.COMPLIANT, "20.0.0.1")],
            [[(None, ("20.0.0.1",))], [], []],
        ),
        (
            [verdict(Result.COMPLIANT, "20.0.0.1"), verdict(Result.UNKNOWN), verdict(Result.COMPLIANT, "20.0.0.2")],
            [[(None, ("20.0.0.1",))], [], [(("20.0.0.1",), ("20.0.0.2",))]],
        ),
        # Being made, and then there: that is the first time.
        ([verdict(Result.UNKNOWN), verdict(Result.COMPLIANT, "20.0.0.1")], [[], [(None, ("20.0.0.1",))]]),
        ([verdict(Result.UNKNOWN), verdict(Result.VIOLATION, "20.0.0.1")], [[], []]),
        # Nobody governs it any more, and then somebody does.
        (
            [verdict(Result.COMPLIANT, "20.0.0.1"), verdict(Result.UNGOVERNED), verdict(Result.COMPLIANT, "20.0.0.1")],
            [[(None, ("20.0.0.1",))], [], [(None, ("20.0.0.1",))]],
        ),
        # Other words for the same addresses, and the way out taken away.
        (
            [verdict(Result.COMPLIANT, "20.0.0.1"), verdict(Result.COMPLIANT, "20.0.0.1", seen="another way")],
            [[(None, ("20.0.0.1",))], []],
        ),
        (
            [verdict(Result.COMPLIANT, "20.0.0.1"), verdict(Result.COMPLIANT, seen="no way out")],
            [[(None, ("20.0.0.1",))], [(("20.0.0.1",), ())]],
        ),
        (
            [
                verdict(Result.COMPLIANT, "20.0.0.1"),
                verdict(Result.VIOLATION, more=True, seen="default outbound access"),
            ],
            [[(None, ("20.0.0.1",))], [(("20.0.0.1",), ())]],
        ),
    ],
)
def test_what_people_are_told(stories: list[Verdict], expected: list[object]) -> None:
    assert [[summed(move) for move in each] for each in told(*((one,) for one in stories))] == expected


def test_clusters_are_told_first() -> None:
    ((first, second),) = told((verdict(Result.COMPLIANT, "20.0.0.1"), of_cluster(Result.COMPLIANT, "20.0.0.1")))
    assert (first.now.resource, second.now.resource) == (CLUSTER, SUBNET)


@pytest.mark.parametrize(
    ("sought", "takes"),
    [
        (Sought(), {"app", "k1"}),
        (Sought(policy="spokes"), {"app", "k1"}),
        (Sought(policy="others"), set()),
        (Sought(cluster="K1"), {"k1"}),
        (Sought(cluster=CLUSTER.upper()), {"k1"}),
        (Sought(cluster="app"), set()),
    ],
)
def test_what_is_asked_for(sought: Sought, takes: set[str]) -> None:
    both = (KNOWN, Entry(CLUSTER, "outboundType loadBalancer", policy="spokes"))
    assert {entry.resource.rpartition("/")[2] for entry in both if sought.takes(entry)} == takes


def test_what_is_in_doubt_is_not_whole() -> None:
    assert listed(KNOWN).whole
    assert not listed(msgspec.structs.replace(KNOWN, doubt="it is Updating")).whole


# ---- notices --------------------------------------------------------------------------------------------------------


def notice(*told: Move) -> Notice:
    return addresses_changed(VirtualNetwork(NETWORK), "record1", told, AT)


def test_a_notice_says_what_to_allow_and_where_it_comes_from() -> None:
    moved = Move(
        Entry(CLUSTER, "outboundType userAssignedNATGateway", ("20.0.0.2",), policy="spokes"),
        Entry(CLUSTER, "outboundType loadBalancer", ("20.0.0.1",), policy="spokes", wrong=True),
    )
    closed = Move(Entry(SUBNET, "no way out", policy="spokes"), KNOWN)
    assert notice(moved, closed).text.splitlines() == [
        "AKS cluster k1 leaves from 20.0.0.2; before: 20.0.0.1; allow 20.0.0.2 where its addresses are listed",
        "subnet spoke/app leaves from nowhere: it has no way out; before: 20.0.0.1",
        "by spokes, record record1",
    ]
    assert notice(moved).type == "EgressGovernor.AddressesChanged"


def test_a_notice_has_room_for_the_most_and_says_how_many_more() -> None:
    many = tuple(
        Move(
            Entry(
                f"{SUBNET}{number}", "NAT gateway g", tuple(f"20.0.{number % 200}.{n}" for n in range(40)), policy="p"
            )
        )
        for number in range(400)
    )
    one = notice(*many)
    assert len(msgspec.json.encode(one)) <= MAX_BYTES
    assert len(one.what.moves) + one.what.left_out == 400
    assert f"and {400 - 20} more: egress-governor addresses lists them all" in one.text


def test_the_same_run_makes_the_same_notice() -> None:
    assert notice(Move(KNOWN)) == notice(Move(KNOWN))


# ---- what it costs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("addresses", "dollars"),
    [(["20.0.0.1"], 3.65), (["20.0.0.1", "20.0.0.1"], 3.65), (["20.0.0.0/30"], 14.6), (["2603:1020::1"], None)],
)
def test_what_addresses_cost(addresses: list[str], dollars: float | None) -> None:
    assert about_a_month(addresses) == dollars
