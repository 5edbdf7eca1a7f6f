"""Ranges that stand in a list for a cluster's own way out are told when it left, and those of others never are."""

from datetime import timedelta
from typing import Any

import pytest

from governor.core import ids, soak
from governor.core.cluster_step import WriteCluster
from governor.core.judged import judge
from governor.core.plan import Gate
from governor.core.policy import Policies
from governor.core.record import Became, Outcome
from governor.core.standing import KnownClusters, OwnRange
from tests.core.test_cluster_repair import NAT, READY
from tests.core.test_cluster_verdict import NODE_GROUP, aks, balanced, nodes
from tests.core.world import AT, OWN, SUB, Azure, group, nat_id, vnet

POLICIES = Policies((NAT,))
TARGET = balanced()["id"]
GROUPS = (ids.key(ids.group(SUB, NODE_GROUP)),)
AGO = AT - timedelta(days=3)
PEOPLE = "198.51.100.0/24"
# Its load balancer's, and its NAT gateway's.
BALANCER, GATEWAY = "20.0.0.1/32", "20.0.0.9/32"
LET_IN = Outcome(WriteCluster(TARGET, authorize=(GATEWAY,)), "d", Became.DONE)


def lets_in(*there: str) -> dict[str, Any]:
    return {"apiServerAccessProfile": {"authorizedIPRanges": [*there]}}


def behind_balancer(*there: str) -> Azure:
    return Azure(vnet(nodes()), balanced(**lets_in(*there)), *READY)


def behind_gateway(*there: str, **properties: Any) -> Azure:
    made = aks(outbound="userAssignedNATGateway", **{**lets_in(*there), **properties})
    return Azure(vnet(nodes(natGateway=nat_id("ng-spoke", OWN))), made, *READY, group(OWN))


def known(azure: Azure, before: KnownClusters = KnownClusters(), *outcomes: Outcome) -> KnownClusters:  # noqa: B008
    return soak.known(before, outcomes, azure.observe(POLICIES), POLICIES)


def stood(range_: str = BALANCER, left: Any = None) -> KnownClusters:
    return KnownClusters(GROUPS, (OwnRange(TARGET, range_, left),))


def told(azure: Azure, before: KnownClusters) -> list[str]:
    seen = azure.observe(POLICIES)
    withheld = soak.told(soak.known(before, (), seen, POLICIES), judge(seen, POLICIES), seen)
    assert all((w.remediation.steps, w.reasons[0].gate) == ((), Gate.REPLACE) for w in withheld)
    return [w.reasons[0].text for w in withheld]


def test_the_address_of_its_own_load_balancer_is_the_clusters_own_and_other_ranges_are_peoples() -> None:
    assert known(behind_balancer(PEOPLE, BALANCER)) == stood()
    assert known(behind_balancer(PEOPLE)) == KnownClusters(GROUPS)
    # A range that holds more than that address was put there by somebody.
    assert known(behind_balancer("20.0.0.0/24")) == KnownClusters(GROUPS)
    assert known(Azure(vnet(nodes()), balanced(), *READY)) == KnownClusters(GROUPS)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ((), KnownClusters(GROUPS)),
        ((LET_IN,), stood(GATEWAY)),
        # It may hold because of a run that died.
        ((Outcome(LET_IN.step, "d", Became.INTERRUPTED),), stood(GATEWAY)),
        # Somebody had put it there before.
        ((Outcome(LET_IN.step, "d", Became.UNCHANGED),), KnownClusters(GROUPS)),
    ],
)
def test_others_leave_by_a_nat_gateway_too_so_only_what_the_governor_let_in_is_the_clusters(
    outcomes: tuple[Outcome, ...], expected: KnownClusters
) -> None:
    assert known(behind_gateway(PEOPLE, GATEWAY), KnownClusters(), *outcomes) == expected


def test_when_it_left_is_remembered_and_forgotten_when_it_comes_back() -> None:
    assert known(behind_gateway(PEOPLE, BALANCER, GATEWAY), stood()) == stood(left=AT)
    assert known(behind_gateway(PEOPLE, BALANCER, GATEWAY), stood(left=AGO)) == stood(left=AGO)
    assert known(behind_balancer(PEOPLE, BALANCER), stood(left=AGO)) == stood()


def test_a_range_that_somebody_took_out_is_forgotten() -> None:
    assert known(behind_gateway(PEOPLE), stood(left=AGO)) == KnownClusters(GROUPS)
    assert known(Azure(vnet(nodes()), *READY), stood(left=AGO)) == KnownClusters()


@pytest.mark.parametrize(
    "unclear",
    [
        behind_gateway(PEOPLE, BALANCER, provisioningState="Updating"),
        Azure(vnet(nodes(natGateway=nat_id("gone"))), aks(outbound="none", **lets_in(BALANCER)), *READY),
    ],
)
def test_what_is_not_known_changes_nothing(unclear: Azure) -> None:
    assert known(unclear, stood()) == stood()
    assert known(unclear, stood(left=AGO)) == stood(left=AGO)


def test_nothing_is_forgotten_where_clusters_were_not_read() -> None:
    blind = Azure(vnet(nodes()), *READY, unreadable=[f"clusters({SUB})"])
    assert known(blind, stood(left=AGO)) == stood(left=AGO)


def test_people_are_told_with_the_command_that_leaves_the_others_in() -> None:
    (text,) = told(behind_gateway(PEOPLE, BALANCER, GATEWAY), stood(left=AGO))
    assert text == (
        "its API server still lets in 20.0.0.1/32, where it does not leave from any more: once nobody else comes from "
        "there, from 2026-07-05 on: az aks update -g rg-net -n aks --api-server-authorized-ip-ranges "
        "198.51.100.0/24,20.0.0.9/32"
    )
    assert told(behind_balancer(PEOPLE, BALANCER), stood()) == []
    (only,) = told(behind_gateway(BALANCER), stood(left=AGO))
    # An empty list would let everybody in; this lets in nobody but the cluster.
    assert only.endswith("--api-server-authorized-ip-ranges 0.0.0.0/32")
    many = [f"198.51.{number}.0/24" for number in range(30)]
    (long,) = told(behind_gateway(BALANCER, *many), stood(left=AGO))
    assert long.endswith("--api-server-authorized-ip-ranges <the other 30 ranges>")


def test_clusters_of_other_subscriptions_are_remembered() -> None:
    other = SUB[:-1] + "b"
    made = balanced()
    made["id"] = made["id"].replace(SUB, other)
    found = known(Azure(vnet(nodes()), made, *READY))
    assert (found.subscriptions, found.node_groups) == ((other,), (GROUPS[0].replace(SUB, other),))
    assert known(behind_balancer()).subscriptions == ()
