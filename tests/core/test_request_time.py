"""What policies deny at the request, as Azure Policy: definitions, scopes, effects, and what is untold."""

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from governor.core.policy import Policies, Policy
from governor.core.request_conditions import Unsayable, within
from governor.core.request_modify import companions
from governor.core.request_rules import TITLES, Kind, effects, outbound_types
from governor.core.request_time import Assigned, AtRequest, at_request

ONE = "11111111-1111-4111-8111-111111111111"
CORP = "/providers/Microsoft.Management/managementGroups/corp"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
VNET = f"/subscriptions/{ONE}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v"
NIC = f"/subscriptions/{ONE}/resourceGroups/rg/providers/Microsoft.Network/networkInterfaces/n"
Given = dict[str, Any]
DENY: Given = {"publicIps": {"atRequestTime": "deny"}, "clusters": {"atRequestTime": "deny"}}
AUDIT: Given = {"publicIps": {"atRequestTime": "audit"}, "clusters": {"atRequestTime": "audit"}}
ADDRESSES = {Kind.INTERFACE, Kind.SCALE_SET, Kind.BALANCER}
PRIVACY = {Kind.NETWORK, Kind.SUBNET}


def policy(**given: Any) -> Policy:
    """What a policy file says in, the policy out; it enforces and leaves by NAT gateways unless it says otherwise."""
    return msgspec.convert({"name": "p", "mode": "enforce", "egress": {"natGateway": {}}} | given, Policy)


def made(*policies: Policy, **how: Any) -> AtRequest:
    return at_request(Policies(policies=policies), Assigned(NOW, **{"scope": CORP, **how}))


def kinds(found: AtRequest) -> set[Kind]:
    return {Kind(one.name.split("-")[1]) for one in found.definitions}


EFFECTS: list[tuple[Given, dict[Kind, str]]] = [
    ({}, dict.fromkeys(PRIVACY, "Deny")),
    ({**AUDIT}, dict.fromkeys((*ADDRESSES, Kind.CLUSTER), "Audit") | dict.fromkeys(PRIVACY, "Deny")),
    (DENY, dict.fromkeys((*ADDRESSES, *PRIVACY, Kind.CLUSTER), "Deny")),
    ({**DENY, "mode": "propose"}, dict.fromkeys((*ADDRESSES, *PRIVACY, Kind.CLUSTER), "Deny")),
    ({**DENY, "mode": "audit"}, {}),
    (
        {**DENY, "publicIps": {"default": "allow", "atRequestTime": "deny"}},
        dict.fromkeys((*PRIVACY, Kind.CLUSTER), "Deny"),
    ),
    ({**DENY, "publicIps": {"atRequestTime": "off"}}, dict.fromkeys((*PRIVACY, Kind.CLUSTER), "Deny")),
    (
        {**DENY, "publicIps": {"default": "audit", "atRequestTime": "deny"}},
        dict.fromkeys(ADDRESSES, "Audit") | dict.fromkeys((*PRIVACY, Kind.CLUSTER), "Deny"),
    ),
    ({**DENY, "clusters": {"atRequestTime": "off"}}, dict.fromkeys((*ADDRESSES, *PRIVACY), "Deny")),
    (
        {**DENY, "egress": {"natGateway": {}, "defaultOutboundAccess": "audit"}},
        dict.fromkeys((*ADDRESSES, Kind.CLUSTER), "Deny"),
    ),
    (
        {**DENY, "egress": {"defaultOutboundAccess": "allow"}},  # no way out is named: any outbound type will do
        dict.fromkeys(ADDRESSES, "Deny"),
    ),
]


@pytest.mark.parametrize(("given", "expected"), EFFECTS)
def test_what_is_denied_and_what_only_audited(given: Given, expected: dict[Kind, str]) -> None:
    assert effects(policy(**given)) == expected
    found = made(policy(**given))
    assert {
        Kind(one.name.split("-")[1]): one.properties["parameters"]["effect"]["value"] for one in found.assignments
    } == expected
    assert found.untold == ()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"userAssignedNATGateway", "managedNATGateway", "managedNATGatewayV2"}),
        ({"egress": {"allow": ["hub"]}}, {"userDefinedRouting"}),
        ({"egress": {"allow": ["hub", "loadBalancer"]}}, {"userDefinedRouting", "loadBalancer"}),
        ({"egress": {"isolated": {}}}, {"none", "block"}),
        ({"egress": {"proxy": {"https": "http://p"}}}, set()),
        ({"egress": {}}, set()),
        ({"clusters": {"outboundType": "ignore"}}, set()),
        ({"clusters": {"outboundType": "none"}}, {"none"}),
        ({"clusters": {"outboundType": "managedNATGateway"}}, {"managedNATGateway", "managedNATGatewayV2"}),
    ],
)
def test_outbound_types_that_may_be_asked_for(given: Given, expected: set[str]) -> None:
    assert set(outbound_types(policy(**given))) == expected


def test_everything_is_assigned_with_enforcement_off_first() -> None:
    for enforce, mode in ((False, "DoNotEnforce"), (True, "Default")):
        found = made(policy(**DENY), enforce=enforce)
        assert {one.properties["enforcementMode"] for one in found.assignments} == {mode}


def test_names_are_short_and_of_one_policy_at_one_scope() -> None:
    found = made(policy(**DENY), policy(**DENY, name="q", priority=1, select={"subscriptions": [ONE]}))
    names = [one.name for one in found.definitions]
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 24  # of assignments at management groups
    assert names == [one.name for one in made(policy(**DENY, description="anew"), policy(name="q")).definitions][:6]


SCOPES: list[tuple[Given, str | None, set[str] | None]] = [
    ({}, CORP, {CORP}),
    ({}, None, None),
    ({"managementGroups": ["corp", "lab"]}, None, {CORP, CORP.replace("corp", "lab")}),
    ({"managementGroups": ["co*"]}, CORP, None),
    ({"subscriptions": [ONE.upper()]}, CORP, {f"/subscriptions/{ONE}"}),
    ({"subscriptions": ["Corp spokes"]}, CORP, None),
    ({"subscriptions": [ONE], "managementGroups": ["corp"]}, CORP, None),
    ({"except": {"managementGroups": ["lab*"]}}, CORP, None),
    ({"except": {"subscriptions": ["Lab"]}}, CORP, None),
]


@pytest.mark.parametrize(("select", "scope", "expected"), SCOPES)
def test_where_policies_are_assigned(select: Given, scope: str | None, expected: set[str] | None) -> None:
    found = made(policy(**DENY, select=select), scope=scope)
    if expected is None:
        assert (found.definitions, found.assignments) == ((), ())
        assert {one.what for one in found.untold} == set(TITLES.values())
    else:
        assert {
            one.properties["policyDefinitionId"].rpartition("/providers/")[0] for one in found.assignments
        } == expected
        assert {one.id.rpartition("/providers/")[0] for one in found.assignments} == expected


def test_scopes_that_are_left_out() -> None:
    select = {"except": {"subscriptions": [ONE], "managementGroups": ["lab"]}}
    found = made(policy(**DENY, select=select))
    expected = [CORP.replace("corp", "lab"), f"/subscriptions/{ONE}"]
    assert {tuple(one.properties["notScopes"]) for one in found.assignments} == {tuple(expected)}


UNTOLD: list[tuple[Given, set[Kind]]] = [
    ({"select": {"tags": {"a": "b"}}}, set(Kind)),
    ({"select": {"except": {"tags": {"a": "b"}}}}, set(Kind)),
    ({"select": {"occupants": ["empty"]}}, set(Kind)),
    ({"select": {"virtualNetworks": ["a*b*"]}}, set(Kind)),
    ({"select": {"virtualNetworks": ["a?"]}}, set(Kind)),
    ({"select": {"virtualNetworks": ["a*b"]}}, set(Kind) - {Kind.NETWORK}),
    ({"select": {"virtualNetworks": ["spoke-*"]}}, {Kind.BALANCER}),
    ({"select": {"resourceGroups": ["rg"]}}, {Kind.BALANCER}),
    ({"select": {"subnets": ["s"]}}, {Kind.BALANCER}),
    ({"select": {"regions": ["westeurope"]}}, {Kind.SUBNET}),
    ({"publicIps": {"atRequestTime": "deny", "allow": [{"tags": {"ok": "yes"}}]}}, {Kind.INTERFACE, Kind.BALANCER}),
    ({"publicIps": {"atRequestTime": "deny", "allow": [{"names": ["edge-*"], "tags": {"ok": "yes"}}]}}, set()),
    ({"egress": {"allow": ["natGateway", "loadBalancer"]}}, {Kind.BALANCER}),
    ({"exemptions": [("*/networkInterfaces/n", "nic-public-ip")]}, {Kind.INTERFACE}),
    ({"exemptions": [(f"{VNET}/subnets/s", "subnet-private")]}, {Kind.NETWORK}),
    ({"exemptions": [(NIC, "nic-public-ip")]}, set()),
]


def exemptions(given: Given, until: date = date(2026, 12, 31)) -> Given:
    """What a policy says, with its exemptions written out."""
    pairs = given.get("exemptions", [])
    about = {"owner": "team-x", "reason": "because", "until": until.isoformat()}
    return given | {"exemptions": [{"resource": one, "requirement": what, **about} for one, what in pairs]}


@pytest.mark.parametrize(("given", "expected"), UNTOLD)
def test_what_cannot_be_told_is_not_made_and_says_why(given: Given, expected: set[Kind]) -> None:
    found = made(policy(**DENY | exemptions(given)))
    assert {one.what for one in found.untold} == {TITLES[kind] for kind in expected}
    assert kinds(found) == set(Kind) - expected
    assert all(one.why and one.policy == "p" for one in found.untold)


FIRST: list[tuple[Given, Given, set[Kind]]] = [
    ({}, {}, set()),  # whatever comes after a policy that governs everything governs nothing
    ({"virtualNetworks": ["hub"]}, {}, set(Kind) - {Kind.BALANCER}),
    ({"regions": ["westeurope"]}, {}, set(Kind) - {Kind.SUBNET}),
    ({"tags": {"a": "b"}}, {}, set()),
    ({"subscriptions": [ONE]}, {"subscriptions": [ONE]}, set()),
    ({"subscriptions": [ONE]}, {"subscriptions": [ONE.replace("1", "2")]}, set(Kind)),
    ({"subscriptions": [ONE]}, {}, set(Kind)),
    ({"subscriptions": ["Lab"]}, {}, set()),
    ({"managementGroups": ["corp"]}, {"managementGroups": ["corp"], "virtualNetworks": ["v"]}, set()),
    ({"managementGroups": ["lab"]}, {"managementGroups": ["corp"]}, set()),
    ({"managementGroups": ["lab"]}, {"subscriptions": [ONE]}, set()),
    ({"except": {"managementGroups": ["lab"]}, "virtualNetworks": ["v"]}, {}, set()),
    ({"except": {"subscriptions": [ONE]}}, {}, set(Kind)),
]


@pytest.mark.parametrize(("first", "second", "expected"), FIRST)
def test_what_another_policy_governs_first_is_left_to_it(first: Given, second: Given, expected: set[Kind]) -> None:
    """The first only reports: nothing is made of it, and what it governs is denied by nobody."""
    found = made(policy(mode="audit", priority=200, select=first), policy(**DENY, name="q", select=second))
    assert kinds(found) == expected
    assert {one.properties["metadata"]["policy"] for one in found.definitions} <= {"q"}


def test_exemptions_of_single_resources_hold_until_their_last_day_is_over() -> None:
    given = exemptions({"exemptions": [(NIC, "nic-public-ip"), (VNET, "nic-public-ip")]})
    here = policy(**DENY, **given, select={"subscriptions": [ONE]})
    one = made(here).exemptions
    assignment = next(a for a in made(here).assignments if a.name.startswith("eg-interface-"))
    assert [exempt.id for exempt in one] == [
        f"{NIC}/providers/Microsoft.Authorization/policyExemptions/{assignment.name}"
    ]
    assert one[0].properties == {
        "displayName": "team-x: because",
        "policyAssignmentId": assignment.id,
        "exemptionCategory": "Waiver",
        "metadata": {"source": "egress-governor", "policy": "p"},
        "expiresOn": "2027-01-01T00:00:00Z",
    }
    elsewhere = policy(**DENY, **given, select={"subscriptions": [ONE.replace("1", "2")]})
    assert made(elsewhere).exemptions == ()
    past = policy(**DENY, **exemptions({"exemptions": [("*", "nic-public-ip")]}, date(2026, 11, 20)))
    assert (made(past).exemptions, made(past).untold) == ((), ())


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("hub", {"field": "a", "contains": "/virtualNetworks/hub/subnets/"}),
        ("hub-*", {"field": "a", "contains": "/virtualNetworks/hub-"}),
        ("*-hub", {"field": "a", "contains": "-hub/subnets/"}),
        ("*", {"field": "a", "exists": True}),
        ("a*b", None),
        ("[ab]", None),
    ],
)
def test_a_segment_of_an_id(pattern: str, expected: Given | None) -> None:
    if expected is None:
        with pytest.raises(Unsayable):
            within("a", "virtualNetworks", (pattern,), "/subnets/")
    else:
        assert within("a", "virtualNetworks", (pattern,), "/subnets/") == expected


# --- the companions -------------------------------------------------------------------------------

HUB: Given = {
    "hub": {
        "nextHop": {"westeurope": "10.0.0.4"},
        "routeTable": {"name": "rt-{virtualNetwork}", "resourceGroup": "rg-net"},
    }
}


def test_companions_make_subnets_private_and_give_them_their_table() -> None:
    found, untold = companions(Policies(policies=(policy(egress=HUB, select={"virtualNetworks": ["spoke-*"]}),)), CORP)
    assert (len(found), untold) == (2, ())
    private, table = (one.properties["policyRule"]["then"]["details"]["operations"] for one in found)
    assert private == [
        {
            "operation": "addOrReplace",
            "field": "Microsoft.Network/virtualNetworks/subnets/defaultOutboundAccess",
            "value": False,
        }
    ]
    assert table[0]["value"] == (
        "[concat('/subscriptions/', subscription().subscriptionId, '/resourceGroups/', 'rg-net', "
        "'/providers/Microsoft.Network/routeTables/', 'rt-', first(split(field('fullName'), '/')))]"
    )
    for one in found:
        special = {"not": {"field": "name", "in": one.properties["policyRule"]["if"]["allOf"][3]["not"]["in"]}}
        assert special in one.properties["policyRule"]["if"]["allOf"]
        assert "gatewaysubnet" in special["not"]["in"]


@pytest.mark.parametrize(
    ("given", "made_of_it", "untold"),
    [
        ({"mode": "audit", "egress": HUB}, 0, 0),
        ({"egress": {"natGateway": {}}}, 1, 0),
        ({"egress": {"natGateway": {}, "defaultOutboundAccess": "allow"}}, 0, 0),
        ({"egress": {"hub": {"nextHop": {"westeurope": "10.0.0.4"}}}}, 1, 1),  # {region} in the table's group
        ({"egress": HUB, "select": {"regions": ["westeurope"]}}, 0, 2),
        ({"egress": {"hub": {**HUB["hub"], "routeTable": {"name": "rt-{cluster}", "resourceGroup": "rg"}}}}, 1, 1),
    ],
)
def test_companions_are_not_made_where_a_request_does_not_tell(given: Given, made_of_it: int, untold: int) -> None:
    found, reasons = companions(Policies(policies=(policy(**given),)), CORP)
    assert (len(found), len(reasons)) == (made_of_it, untold)
