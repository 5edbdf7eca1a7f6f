"""Which policy governs a subject: globs, lists, exclusion, facts that were not read, and exemptions."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from governor.core.policy import Exemption, Policies, Policy, Requirement, Select
from governor.core.selection import (
    Expired,
    Finding,
    Selected,
    Subject,
    Undecided,
    Ungoverned,
    by_network,
    exempt,
    findings,
    meets,
    select,
)

GUID = "3f2c0000-0000-4000-8000-000000000001"
KNOWN = Subject(
    resource_id="/subscriptions/s/resourceGroups/rg-net/providers/Microsoft.Network/virtualNetworks/spoke-1/subnets/app",
    kind="microsoft.network/virtualnetworks/subnets",
    subscription=GUID,
    resource_group="rg-Net-1",
    region="West Europe",
    subscription_name="corp-shop",
    management_groups=("platform", "Corp"),
    virtual_network="Spoke-1",
    subnet="snet-app",
    occupants=frozenset({"virtualMachine"}),
    tags={"Environment": "Prod"},
)


def policy(name: str, priority: Any = 100, **conditions: Any) -> Policy:
    return msgspec.convert({"name": name, "priority": priority, "select": conditions}, Policy)


def wanted(**conditions: Any) -> Select:
    return msgspec.convert(conditions, Select)


def subject(**facts: Any) -> Subject:
    return msgspec.structs.replace(KNOWN, **facts)


@pytest.mark.parametrize(
    ("conditions", "facts", "holds"),
    [
        ({}, {}, True),
        ({"managementGroups": ["corp"]}, {}, True),
        ({"managementGroups": ["other", "plat*"]}, {}, True),
        ({"managementGroups": ["corp"]}, {"management_groups": ()}, False),
        ({"managementGroups": ["corp"]}, {"management_groups": None}, None),
        ({"subscriptions": ["corp-*"]}, {}, True),
        ({"subscriptions": [GUID.upper()]}, {}, True),
        ({"subscriptions": ["lab-*"]}, {}, False),
        ({"subscriptions": ["lab-*"]}, {"subscription_name": None}, None),
        ({"subscriptions": [GUID]}, {"subscription_name": None}, True),
        ({"subscriptions": [GUID.replace("1", "2")]}, {"subscription_name": None}, False),
        ({"subscriptions": [GUID.replace("1", "2"), "x"]}, {"subscription_name": None}, None),
        ({"resourceGroups": ["RG-NET-*"]}, {}, True),
        ({"resourceGroups": ["rg-net"]}, {}, False),
        ({"regions": ["westeurope"]}, {}, True),
        ({"regions": ["northeurope"]}, {}, False),
        ({"regions": ["westeurope"]}, {"region": None}, None),
        ({"regions": ["westeurope"]}, {"region": ""}, None),
        ({"virtualNetworks": ["spoke-?"]}, {}, True),
        ({"virtualNetworks": ["*"]}, {"virtual_network": ""}, False),
        ({"virtualNetworks": ["*"]}, {"virtual_network": None}, None),
        ({"subnets": ["snet-*"]}, {}, True),
        ({"subnets": ["db"]}, {}, False),
        ({"occupants": ["cluster", "virtualMachine"]}, {}, True),
        ({"occupants": ["empty"]}, {}, False),
        ({"occupants": ["empty"]}, {"occupants": frozenset()}, True),
        ({"occupants": ["empty"]}, {"occupants": None}, None),
        ({"tags": {"environment": ["prod", "stage"]}}, {}, True),
        ({"tags": {"environment": "dev"}}, {}, False),
        ({"tags": {"environment": "p*"}}, {}, True),
        ({"tags": {"team": "*"}}, {}, False),
        ({"tags": {"team": "*"}}, {"tags_complete": False}, None),
        ({"tags": {"environment": "dev"}}, {"tags_complete": False}, False),
        ({"tags": {"team": "*"}}, {"tags": None}, None),
        ({"regions": ["westeurope"], "subnets": ["db"]}, {}, False),
        ({"regions": ["westeurope"], "subnets": ["db"]}, {"region": None}, False),
        ({"except": {"subnets": ["snet-app"]}}, {}, False),
        ({"except": {"subnets": ["db"]}}, {}, True),
        ({"except": {"subnets": ["db"], "tags": {"environment": "prod"}}}, {}, False),
        ({"except": {"tags": {"egress": "unmanaged"}}}, {"tags": None}, None),
        ({"except": {"subnets": ["snet-app"], "tags": {"egress": "unmanaged"}}}, {"tags": None}, False),
        ({"subnets": ["db"], "except": {"tags": {"egress": "unmanaged"}}}, {"tags": None}, False),
    ],
)
def test_conditions(conditions: dict[str, Any], facts: dict[str, Any], holds: bool | None) -> None:
    assert meets(wanted(**conditions), subject(**facts)) is holds


def test_the_first_that_selects_governs() -> None:
    low, high = policy("low", 1), policy("high", 9, virtualNetworks=["spoke-*"])
    policies = Policies((low, high))
    assert select(policies, KNOWN) == Selected(high)
    assert select(policies, subject(virtual_network="hub")) == Selected(low)
    assert select(Policies((high,)), subject(virtual_network="hub")) == Ungoverned()
    assert select(Policies((policy("b"), policy("a"))), KNOWN) == Selected(policy("a"))


def test_no_lower_policy_is_tried_while_a_fact_could_decide() -> None:
    high = policy("high", 9, tags={"egress": "hub"}, regions=["westeurope"], **{"except": {"subnets": ["x"]}})
    policies = Policies((high, policy("low", 1)))
    missing = ("regions", "tags.egress", "except.subnets")
    assert select(policies, subject(tags=None, region=None, subnet=None)) == Undecided(high, missing)
    assert select(policies, subject(tags=None, region="x")) == Selected(policy("low", 1))
    assert select(Policies((policy("first", 99), high)), subject(tags=None)) == Selected(policy("first", 99))


def test_findings_say_why() -> None:
    one = policy("one", regions=["westeurope"], tags={"a": "b"}, **{"except": {"subnets": ["db"]}})
    assert findings(one, subject(tags=None)) == (
        Finding("regions", True),
        Finding("tags.a", None),
        Finding("subnets", False, excludes=True),
    )


@pytest.mark.parametrize(
    ("conditions", "alike"),
    [
        ({"virtualNetworks": ["x"], "tags": {"a": "b"}}, True),
        ({"subnets": ["x"]}, False),
        ({"occupants": ["empty"]}, False),
        ({"except": {"subnets": ["x"]}}, False),
        ({"except": {"occupants": ["app"]}}, False),
    ],
)
def test_whether_all_subnets_of_a_network_have_one_answer(conditions: dict[str, Any], alike: bool) -> None:
    assert by_network(Policies((policy("all"), policy("one", **conditions)))) is alike


FACTS: dict[str, st.SearchStrategy[Any]] = {
    "region": st.sampled_from(["westeurope", "northeurope"]),
    "subscription_name": st.sampled_from(["corp-a", "lab-a"]),
    "management_groups": st.sampled_from([(), ("corp",), ("lab",)]),
    "virtual_network": st.sampled_from(["spoke-1", "hub", ""]),
    "subnet": st.sampled_from(["app", "db"]),
    "occupants": st.sampled_from([frozenset(), frozenset({"app"}), frozenset({"cluster", "app"})]),
    "tags": st.sampled_from([{}, {"a": "1"}, {"a": "2", "b": "1"}]),
}
CONDITIONS = st.fixed_dictionaries(
    {},
    optional={
        "regions": st.just(["west*"]),
        "subscriptions": st.just(["corp-*"]),
        "managementGroups": st.just(["corp"]),
        "virtualNetworks": st.just(["spoke-*"]),
        "subnets": st.just(["app"]),
        "occupants": st.just(["app", "empty"]),
        "tags": st.sampled_from([{"a": "1"}, {"a": ["1", "2"], "b": "1"}]),
    },
)
POLICIES = st.lists(st.tuples(CONDITIONS, CONDITIONS), min_size=1, max_size=4).map(
    lambda several: Policies(
        tuple(policy(f"p{n}", **one, **({"except": but} if but else {})) for n, (one, but) in enumerate(several))
    )
)


@given(POLICIES, st.fixed_dictionaries(FACTS), st.sets(st.sampled_from(sorted(FACTS))))
def test_an_answer_without_all_facts_is_the_answer_with_them(
    policies: Policies, facts: dict[str, Any], unread: set[str]
) -> None:
    """Reading more never changes what was decided; and with everything read, everything is decided."""
    whole = select(policies, subject(**facts))
    partly = select(policies, subject(**{**facts, **dict.fromkeys(unread)}))
    assert not isinstance(whole, Undecided)
    assert partly == whole or isinstance(partly, Undecided)


@given(POLICIES, st.fixed_dictionaries(FACTS))
def test_the_answer_is_the_first_policy_whose_conditions_hold(policies: Policies, facts: dict[str, Any]) -> None:
    about = subject(**facts)
    holding = [one for one in policies if meets(one.select, about)]
    assert select(policies, about) == (Selected(holding[0]) if holding else Ungoverned())


@given(CONDITIONS, st.fixed_dictionaries(FACTS), st.sets(st.sampled_from(sorted(FACTS))))
def test_to_exclude_what_is_selected_leaves_nothing(
    conditions: dict[str, Any], facts: dict[str, Any], unread: set[str]
) -> None:
    about = subject(**{**facts, **dict.fromkeys(unread)})
    if conditions:
        assert meets(wanted(**conditions, **{"except": conditions}), about) is not True


def exemption(resource: str, until: date, requirement: Requirement = Requirement.SUBNET_EGRESS) -> Exemption:
    return Exemption(resource, requirement, "team", "why", until)


DAY = date(2027, 3, 31)
APP = KNOWN.resource_id


@pytest.mark.parametrize(
    ("resource", "now", "result"),
    [
        (APP.upper(), datetime(2027, 3, 1, tzinfo=UTC), "exempt"),
        (APP + "/", datetime(2027, 3, 31, 23, 59, 59, tzinfo=UTC), "exempt"),
        (APP, datetime(2027, 4, 1, tzinfo=UTC), "expired"),
        (APP, datetime(2027, 4, 1, 1, tzinfo=timezone(timedelta(hours=2))), "exempt"),
        ("*/virtualNetworks/spoke-1/*", datetime(2027, 3, 1, tzinfo=UTC), "exempt"),
        (APP[:-4], datetime(2027, 3, 1, tzinfo=UTC), "none"),
        ("*/virtualNetworks/spoke-2/*", datetime(2027, 3, 1, tzinfo=UTC), "none"),
    ],
)
def test_exemptions(resource: str, now: datetime, result: str) -> None:
    one = exemption(resource, DAY)
    found = exempt(Policy("one", exemptions=(one,)), APP, Requirement.SUBNET_EGRESS, now)
    assert found == {"exempt": one, "expired": Expired(one), "none": None}[result]
    assert exempt(Policy("one", exemptions=(one,)), APP, Requirement.SUBNET_PRIVATE, now) is None


def test_of_several_exemptions_the_last_counts() -> None:
    early, late = exemption("*", DAY - timedelta(days=9)), exemption(APP, DAY)
    found = exempt(
        Policy("one", exemptions=(late, early)), APP, Requirement.SUBNET_EGRESS, datetime(2027, 3, 30, tzinfo=UTC)
    )
    assert found == late
