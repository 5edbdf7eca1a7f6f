"""Every pair of the migration matrix, in managed networks and in those of owners, and what belongs to which way out."""

import json
from itertools import product
from pathlib import Path

import pytest

from governor.core import outbound_type
from governor.core.cluster import Cluster
from governor.core.outbound_type import (
    BLOCK,
    LOAD_BALANCER,
    MANAGED_NAT,
    MANAGED_NAT_V2,
    NONE,
    OWN_NAT,
    ROUTED,
    canonical,
    carries,
    exists,
    may_become,
    meets,
    of_path,
    refusal,
)
from governor.core.path import Method
from governor.core.policy import PathKind
from tests.core.world import cluster, estate

# A row is where a cluster comes from: y may be changed, n may not, - is that already.
MANAGED_ORDER = (LOAD_BALANCER, MANAGED_NAT_V2, MANAGED_NAT, NONE, BLOCK)
MANAGED = {
    LOAD_BALANCER: "-yyyy",
    MANAGED_NAT_V2: "n-nnn",
    MANAGED_NAT: "ny-yy",
    NONE: "yyy-y",
    BLOCK: "yyyy-",
}
OWN_ORDER = (LOAD_BALANCER, OWN_NAT, ROUTED, NONE, BLOCK)
OWN = {
    LOAD_BALANCER: "-yyyn",
    OWN_NAT: "y-yyn",
    ROUTED: "yy-yn",
    NONE: "yyy-n",
}
PAIRS = [
    *((True, now, wanted, MANAGED[now][i]) for now in MANAGED for i, wanted in enumerate(MANAGED_ORDER)),
    *((False, now, wanted, OWN[now][i]) for now in OWN for i, wanted in enumerate(OWN_ORDER)),
]


@pytest.mark.parametrize(("managed", "now", "wanted", "allowed"), PAIRS)
def test_a_type_changes_as_the_matrix_allows_and_the_rest_is_refused_with_the_way_out(
    managed: bool, now: str, wanted: str, allowed: str
) -> None:
    assert may_become(now, wanted, managed=managed) is (allowed != "n")
    why = refusal(now, wanted, managed=managed)
    assert (why is None) is (allowed != "n")
    assert why is None or (wanted in why and "anew" in why)


def test_the_matrix_is_that_of_the_documentation(shared: Path) -> None:
    said = json.loads((shared / "facts" / "aks_outbound_migration.json").read_text())
    words = {"y": "Supported", "n": "Not Supported", "-": "N/A"}
    for member, order, table in (("managed_vnet", MANAGED_ORDER, MANAGED), ("byo_vnet", OWN_ORDER, OWN)):
        assert said[member] == {
            now: {wanted: words[row[i]] for i, wanted in enumerate(order)} for now, row in table.items()
        }


ACROSS = [
    *((True, now, wanted) for now, wanted in product(MANAGED, (OWN_NAT, ROUTED))),
    *((False, now, wanted) for now, wanted in product(OWN, (MANAGED_NAT, MANAGED_NAT_V2))),
]


@pytest.mark.parametrize(("managed", "now", "wanted"), ACROSS)
def test_what_a_network_cannot_have_no_change_reaches(managed: bool, now: str, wanted: str) -> None:
    assert not exists(wanted, managed=managed)
    assert not may_become(now, wanted, managed=managed)
    assert "create it anew" in (refusal(now, wanted, managed=managed) or "")


def test_a_refusal_names_what_is_left() -> None:
    assert refusal(LOAD_BALANCER, ROUTED, managed=True) == (
        "a cluster in a network that Azure manages cannot have outboundType userDefinedRouting: create it anew in a "
        "subnet of its own network; if the policy asks for one of these, it may stay "
        "and become managedNATGatewayV2 or managedNATGateway or none"
    )
    assert refusal(MANAGED_NAT_V2, NONE, managed=True) == (
        "Azure does not change outboundType managedNATGatewayV2 to none: create it anew with that type"
    )


@pytest.mark.parametrize(
    ("text", "sku", "expected"),
    [
        ("LOADBALANCER", None, LOAD_BALANCER),
        ("userdefinedrouting", None, ROUTED),
        ("managedNatGateway", "Standard", MANAGED_NAT),
        ("managedNATGateway", "standardV2", MANAGED_NAT_V2),
        ("managednatgatewayv2", None, MANAGED_NAT_V2),
        ("userAssignedNatGateway", "StandardV2", OWN_NAT),
        ("somethingNew", None, "somethingNew"),
    ],
)
def test_types_are_compared_in_any_case_and_the_sku_tells_the_second_version(
    text: str, sku: str | None, expected: str
) -> None:
    assert canonical(text, sku) == expected


def test_a_cluster_that_says_nothing_leaves_by_its_load_balancer() -> None:
    (silent,) = estate(cluster()).all(Cluster)
    assert outbound_type.of(silent) == LOAD_BALANCER
    profile = {"outboundType": "ManagedNATGateway", "natGatewayProfile": {"sku": "StandardV2"}}
    (second,) = estate(cluster(networkProfile=profile)).all(Cluster)
    assert outbound_type.of(second) == MANAGED_NAT_V2
    assert not may_become("somethingNew", LOAD_BALANCER, managed=True)


@pytest.mark.parametrize(
    ("kind", "own", "managed"),
    [
        (PathKind.NAT_GATEWAY, (OWN_NAT,), (MANAGED_NAT,)),
        (PathKind.HUB, (ROUTED,), (ROUTED,)),
        (PathKind.VIRTUAL_WAN, (ROUTED,), (ROUTED,)),
        (PathKind.ON_PREMISES, (ROUTED,), (ROUTED,)),
        (PathKind.LOAD_BALANCER, (LOAD_BALANCER,), (LOAD_BALANCER,)),
        (PathKind.ISOLATED, (NONE,), (NONE, BLOCK)),
        (PathKind.PROXY, (), ()),
    ],
)
def test_every_way_out_has_its_type(kind: PathKind, own: tuple[str, ...], managed: tuple[str, ...]) -> None:
    assert (of_path(kind, managed=False), of_path(kind, managed=True)) == (own, managed)


@pytest.mark.parametrize(
    ("method", "types"),
    [
        (Method.APPLIANCE, {ROUTED}),
        (Method.GATEWAY, {ROUTED}),
        (Method.NAT_GATEWAY, {OWN_NAT, MANAGED_NAT, MANAGED_NAT_V2}),
        (Method.OUTBOUND_RULE, {LOAD_BALANCER}),
        (Method.IMPLICIT_SNAT, {LOAD_BALANCER}),
        (Method.NONE, {NONE, BLOCK}),
        (Method.INSTANCE_PUBLIC_IP, set()),
        (Method.DEFAULT_OUTBOUND, set()),
    ],
)
def test_what_a_subnet_does_is_what_a_type_says(method: Method, types: set[str]) -> None:
    every = {*MANAGED_ORDER, *OWN_ORDER}
    assert {one for one in every if carries(one, method)} == types


def test_the_second_version_of_a_nat_gateway_is_one() -> None:
    assert meets(MANAGED_NAT_V2, MANAGED_NAT)
    assert not meets(MANAGED_NAT, MANAGED_NAT_V2)
    assert not meets(ROUTED, OWN_NAT)
