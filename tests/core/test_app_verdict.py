"""Apps that leave by a subnet: with all they send, or not; and what is read to know it."""

from typing import Any, Final

import pytest

from governor.core import ids
from governor.core.estate import EVERYTHING, Estate, Gap, list_of
from governor.core.judged import judge
from governor.core.policy import Egress, Exemption, PathKind, Policies, Policy, Requirement
from governor.core.policy import Select as Conditions
from governor.core.verdict import Result, Verdict
from tests.core.world import (
    ADDRESSES,
    AT,
    GROUP,
    REGION,
    SUB,
    Azure,
    Body,
    allowing,
    delegated,
    estate,
    group,
    nat_policy,
    subnet,
    subnet_id,
    subscription,
    vnet,
)

ELSEWHERE: Final = "00000000-0000-0000-0000-00000000000b"
PLAN: Final = f"{GROUP}/providers/Microsoft.Web/serverfarms/plan"
SITES: Final = list_of("sites", f"/subscriptions/{SUB}")
SERVICE: Final = "Microsoft.Web/serverFarms"


def link(plan: str | None = PLAN, kind: str = SERVICE) -> Body:
    found: Body = {"linkedResourceType": kind}
    return {"name": "AppServiceLink", "properties": {**found, "link": plan} if plan else found}


def home(*links: Body, service: str = SERVICE, name: str = "app") -> Body:
    return vnet(subnet(name, delegations=delegated(service), serviceAssociationLinks=list(links)))


def site(name: str = "shop", where: str | None = None, **properties: Any) -> Body:
    return {
        "id": f"{GROUP}/providers/Microsoft.Web/sites/{name}",
        "type": "Microsoft.Web/sites",
        "location": REGION,
        "properties": {"serverFarmId": PLAN, "virtualNetworkSubnetId": where or subnet_id(), **properties},
    }


def routing(**traffic: bool) -> Body:
    return {"outboundVnetRouting": {f"{name}Traffic": value for name, value in traffic.items()}}


def about(seen: Estate, *policies: Policy) -> dict[str, Verdict]:
    found = judge(seen, Policies(policies or (nat_policy(),)))
    return {ids.name(one.resource): one for one in found if one.requirement == Requirement.APP_ROUTE_ALL}


LEAKS: Final = "leaves by subnet app: what it sends to the internet does not go through the subnet"
APPS: list[tuple[Body, Result, str]] = [
    (routing(all=True, application=False), Result.COMPLIANT, "leaves by subnet app: with all its traffic"),
    (
        routing(application=True),
        Result.COMPLIANT,
        "leaves by subnet app: with all its own traffic; not with its content share and pulled images and backups",
    ),
    (
        routing(application=True, contentShare=True, imagePull=True, backupRestore=True),
        Result.COMPLIANT,
        "leaves by subnet app: with all its own traffic",
    ),
    (routing(all=False, application=False, imagePull=True), Result.VIOLATION, LEAKS),
    # Older forms of the same setting.
    ({"vnetRouteAllEnabled": True}, Result.COMPLIANT, "leaves by subnet app: with all its own traffic"),
    ({"vnetRouteAllEnabled": False}, Result.VIOLATION, LEAKS),
    ({"siteConfig": {"vnetRouteAllEnabled": False}}, Result.VIOLATION, LEAKS),
    # What is not said, or said twice, is not compliant.
    ({}, Result.UNKNOWN, "leaves by subnet app: whether with all its traffic is not said"),
    (routing(all=False), Result.UNKNOWN, "leaves by subnet app: whether with all its traffic is not said"),
    (
        {**routing(application=True), "siteConfig": {"vnetRouteAllEnabled": False}},
        Result.UNKNOWN,
        "leaves by subnet app: its settings contradict each other",
    ),
]


@pytest.mark.parametrize(("properties", "result", "seen"), APPS)
def test_what_of_an_app_goes_through_its_subnet(properties: Body, result: Result, seen: str) -> None:
    found = about(estate(home(link()), site(**properties)))
    assert found.keys() == {"shop"}
    assert (found["shop"].result, found["shop"].seen, found["shop"].policy) == (result, seen, "nat")


def test_every_app_of_a_subnet_is_judged_and_no_other() -> None:
    apps = [site("a", vnetRouteAllEnabled=True), site("b", subnet_id().upper(), vnetRouteAllEnabled=False)]
    found = about(estate(home(link()), *apps, site("c", subnet_id("other"))))
    assert {name: one.result for name, one in found.items()} == {"a": Result.COMPLIANT, "b": Result.VIOLATION}


def test_an_exempt_app_is_exempt() -> None:
    exemption = Exemption("*/sites/shop", Requirement.APP_ROUTE_ALL, "team-x", "moves away", AT.date())
    found = about(estate(home(link()), site(vnetRouteAllEnabled=False)), nat_policy(exemptions=(exemption,)))
    assert found["shop"].result is Result.EXEMPT


def test_tags_of_an_app_select_its_policy() -> None:
    tagged = {**site(vnetRouteAllEnabled=False), "tags": {"edge": "no"}}
    seen = estate(home(link()), tagged, group(), subscription())
    other = nat_policy(name="a", select=Conditions(tags={"edge": ("no",)}))
    assert about(seen, other, nat_policy())["shop"].policy == "a"
    judging_nothing = nat_policy(name="a", egress=Egress(), select=Conditions(tags={"edge": ("no",)}))
    assert about(seen, judging_nothing, nat_policy()) == {}


def test_a_plan_of_which_no_app_was_seen_is_unknown() -> None:
    found = about(estate(home(link())))
    assert (found["app"].result, found["app"].seen) == (
        Result.UNKNOWN,
        "plan plan lives in it, and none of the apps that were seen does",
    )


def test_apps_that_could_not_be_listed_are_unknown() -> None:
    listed = [EVERYTHING, *(name for name in ADDRESSES if name != SITES)]
    found = about(estate(home(link()), listed=listed, gaps=[Gap(SITES, "no permission")]))
    assert (found["app"].result, found["app"].seen) == (Result.UNKNOWN, "its apps were not seen: no permission")


NOTHING_TO_SAY: list[tuple[Policy, Body]] = [
    (nat_policy(), vnet(subnet())),
    # Delegated, and nobody has moved in.
    (nat_policy(), home()),
    # Other services; container apps have no such setting.
    (nat_policy(), home(link(None, "Microsoft.App/environments"), service="Microsoft.App/environments")),
    (nat_policy(), home(link(None, "Microsoft.Databricks/workspaces"))),
    # A policy that names no way out, or does not govern.
    (nat_policy(egress=Egress()), home(link())),
    (nat_policy(select=Conditions(virtual_networks=("other",))), home(link())),
]


@pytest.mark.parametrize(("policy", "network"), NOTHING_TO_SAY)
def test_where_no_app_leaves_nothing_is_said_and_no_app_is_read(policy: Policy, network: Body) -> None:
    azure = Azure(network, site(vnetRouteAllEnabled=False))
    assert about(azure.observe(Policies((policy,))), policy) == {}
    assert SITES not in azure.asked


@pytest.mark.parametrize(
    ("links", "lists"),
    [
        ([link()], [SITES]),
        ([link(None)], [SITES]),
        ([link(PLAN.replace(SUB, ELSEWHERE))], [list_of("sites", f"/subscriptions/{ELSEWHERE}")]),
    ],
)
def test_apps_are_listed_where_their_plan_lives(links: list[Body], lists: list[str]) -> None:
    azure = Azure(home(*links), site(vnetRouteAllEnabled=False))
    seen = azure.observe(Policies((allowing(PathKind.NAT_GATEWAY),)))
    assert [name for name in azure.asked if name.startswith("sites(")] == lists
    assert about(seen)["shop"].result is Result.VIOLATION
