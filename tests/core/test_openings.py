"""Whom a security group lets into a subnet: a table of groups, each as Azure's rules go."""

from typing import Any

import pytest

from governor.core import estate as estates
from governor.core.ingress_facts import SecurityGroup
from governor.core.openings import Opening, beyond, openings
from tests.core.ingress_world import CLOSED, INSIDE, group, inbound
from tests.core.world import Body, encoded

HERE = ("10.0.0.0/24",)
VNET = ("AllowVnetInBound", "VirtualNetwork")
PROBES = ("AllowAzureLoadBalancerInBound", "AzureLoadBalancer")
WEB = inbound("web", 100, "10.0.9.0/24")
ONLY_WEB = [("web", "10.0.9.0/24"), PROBES]


def let_in(*rules: Body, subnet: tuple[str, ...] = HERE, **properties: Any) -> list[tuple[str, str]] | None:
    fact = estates.decode(encoded(group(*rules, **properties))[0])
    assert isinstance(fact, SecurityGroup)
    found = openings(fact, subnet)
    return None if found is None else [(one.rule, one.source) for one in found]


GROUPS: list[tuple[list[Body], list[tuple[str, str]]]] = [
    # As Azure makes it: everybody in the network, and probes.
    ([], [VNET, PROBES]),
    ([WEB], [("web", "10.0.9.0/24"), VNET, PROBES]),
    ([WEB, CLOSED], [("web", "10.0.9.0/24")]),
    ([WEB, INSIDE], ONLY_WEB),
    # Order is by priority, not by place.
    ([INSIDE, WEB], ONLY_WEB),
    ([inbound("late", 4095, "10.0.9.0/24"), inbound("deny", 4000, "*", access="Deny")], []),
    # Other forms of "everybody" and of several values.
    ([inbound("deny", 200, "Any", access="Deny")], []),
    ([inbound("deny", 200, "0.0.0.0/0", access="Deny")], [VNET, PROBES]),
    ([inbound("deny", 200, "10.0.0.0/8", access="Deny"), inbound("a", 300, "10.1.0.0/16"), INSIDE], [PROBES]),
    (
        [inbound("a", 300, None, sourceAddressPrefixes=["10.0.9.0/25", "10.0.9.128/25"]), CLOSED],
        [("a", "10.0.9.0/25"), ("a", "10.0.9.128/25")],
    ),
    (
        [inbound("a", 300, None, sourceApplicationSecurityGroups=[{"id": "/x/asg-1"}]), CLOSED],
        [("a", "application security group asg-1")],
    ),
    # A denial of some ports, of one protocol or of another place closes nothing.
    ([inbound("deny", 200, "*", access="Deny", destinationPortRange="22")], [VNET, PROBES]),
    ([inbound("deny", 200, "*", access="Deny", protocol="Tcp")], [VNET, PROBES]),
    ([inbound("deny", 200, "*", access="Deny", destinationAddressPrefix="10.0.0.0/25")], [VNET, PROBES]),
    ([inbound("deny", 200, "*", access="Deny", destinationAddressPrefix="10.0.0.0/16")], []),
    ([inbound("deny", 200, "*", access="Deny", destinationAddressPrefix="VirtualNetwork")], []),
    # ... unless it is the very same ports and protocol.
    (
        [
            inbound("deny", 200, "*", access="Deny", destinationPortRange="22", protocol="Tcp"),
            inbound("ssh", 300, "Internet", destinationPortRange="22", protocol="TCP"),
            CLOSED,
        ],
        [],
    ),
    # What is about another subnet, or goes out, lets nobody in here.
    ([inbound("a", 300, "*", destinationAddressPrefix="10.0.1.0/24"), CLOSED], []),
    ([inbound("a", 300, "*", direction="Outbound"), CLOSED], []),
]


@pytest.mark.parametrize(("rules", "expected"), GROUPS)
def test_whom_a_group_lets_in(rules: list[Body], expected: list[tuple[str, str]]) -> None:
    assert let_in(*rules) == expected


def test_a_group_whose_rules_are_not_all_known_says_nothing() -> None:
    assert let_in(WEB, defaultSecurityRules=None) is None
    assert let_in(inbound("a", None, "*")) is None


def test_a_subnet_whose_prefixes_are_not_known_is_closed_by_nothing() -> None:
    assert let_in(inbound("deny", 200, "*", access="Deny", destinationAddressPrefix="10.0.0.0/8"), subnet=()) == [
        VNET,
        PROBES,
    ]


def test_probes_and_those_that_may_come_are_not_beyond() -> None:
    found = [Opening("a", "10.0.9.7"), Opening("b", "10.0.8.0/23"), Opening("c", "AzureLoadBalancer")]
    assert beyond(found, ("10.0.9.0/24",)) == (Opening("b", "10.0.8.0/23"),)
