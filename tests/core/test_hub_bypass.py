"""Routes that lead past the hub are named, and nobody's are taken out."""

from governor.core.plan import Gate, Plan
from governor.core.policy import Bypass, NamedRoute
from governor.core.step import WriteSubnet
from governor.core.verdict import Result
from tests.core.hub_world import FOREIGN, GROUP_MADE, HUB, LINKED, OURS, TO_HUB, Run, hub_policy, run, spoke, with_table
from tests.core.world import Azure, route, subnet, table, table_id


def test_routes_past_the_hub_are_named_and_never_taken_out() -> None:
    past = (route("AzureMonitor.WestEurope", "Internet"), route("40.0.0.0/8", "Internet"))
    policy = hub_policy(bypass=Bypass(allow=("AzureMonitor",), others="deny"))
    first = with_table(TO_HUB, *past, policy=policy)
    verdict = first.verdicts["app", "subnet-route-bypass"]
    assert verdict.result is Result.VIOLATION
    assert "40.0.0.0/8" in verdict.seen
    assert "AzureMonitor" not in verdict.seen
    assert first.plan.remediations == ()
    assert first.why("subnet-route-bypass")[0] is Gate.REPLACE
    audited = with_table(TO_HUB, *past, policy=hub_policy(bypass=Bypass(allow=("AzureMonitor", "40.0.0.0/6"))))
    assert audited.result("app", "subnet-route-bypass") is Result.COMPLIANT


QUARTERS = tuple(f"{first}.0.0.0/2" for first in (0, 64, 128, 192))


def test_routes_to_other_appliances_for_what_stands_on_the_internet_pass_the_hub_by() -> None:
    past = [route(prefix, "VirtualAppliance", "10.9.9.9") for prefix in QUARTERS]
    first = with_table(TO_HUB, *past, route("10.77.0.0/16", "VirtualAppliance", "10.9.9.9"))
    verdict = first.verdicts["app", "subnet-route-bypass"]
    assert verdict.result is Result.VIOLATION
    assert "0.0.0.0/2" in verdict.seen
    assert with_table(TO_HUB, FOREIGN).result("app", "subnet-route-bypass") is Result.COMPLIANT


def test_while_the_hub_cannot_be_read_nobody_is_told_to_take_reply_routes_out() -> None:
    replies = route("20.0.0.1/32", "Internet")
    here = spoke(subnet("app", routeTable=table_id(), defaultOutboundAccess=False), peerings=(OURS,))
    bodies = (here, table("rt", TO_HUB, replies), *LINKED, GROUP_MADE)
    policy = hub_policy(keep_inbound=True, bypass=Bypass(others="deny"))
    read = Run(Azure(*bodies), policy)
    assert read.result("app", "subnet-route-bypass") is Result.COMPLIANT
    unread = Run(Azure(*bodies, unreadable=(HUB,)), policy)
    assert unread.result("app", "subnet-route-bypass") is Result.UNKNOWN
    assert all("by hand" not in reason.text for held in unread.plan.withheld for reason in held.reasons)


def test_tags_and_prefixes_are_the_same_in_any_case() -> None:
    policy = hub_policy(
        routes=(NamedRoute("AzureKeyManagement", "internet"), NamedRoute("azurekeymanagement", "internet")),
        default_outbound_access="allow",
    )
    first = with_table(TO_HUB, route("AZUREKEYMANAGEMENT", "Internet"), policy=policy)
    assert first.plan == Plan()
    assert first.result("app", "subnet-route-bypass") is Result.COMPLIANT


def test_a_subnet_with_routes_to_the_internet_is_not_made_private() -> None:
    policy = hub_policy(routes=(NamedRoute("AzureKeyManagement", "internet"),))
    first = run(spoke(subnet("app"), peerings=(OURS,)), *LINKED, GROUP_MADE, policy=policy)
    (write,) = (step for _, step in first.plan.steps if isinstance(step, WriteSubnet))
    assert not isinstance(write.to.default_outbound_access, bool)
    assert first.why("subnet-private")[0] is Gate.FORECAST
