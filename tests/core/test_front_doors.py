"""Front Door leads into a network by a private link: it is a way in, and a firewall must be in front of it."""

from typing import Any, Final

import pytest

from governor.core import ids
from governor.core.estate import EVERYTHING, Gap, list_of
from governor.core.judged import judge
from governor.core.policy import Policies, Policy
from governor.core.policy_terms import Ingress
from governor.core.verdict import Result, Verdict
from tests.core.world import SUB, Azure, Body, balancer, config_id, estate, nat_policy, network, nic, refs, subnet, vnet

SCOPE: Final = f"/subscriptions/{SUB}"
LISTS: Final = tuple(
    list_of(what, SCOPE) for what in ("privateLinkServices", "frontDoors", "loadBalancers", "publicIpAddresses")
)
LINK: Final = network("privateLinkServices", "pls")
WAF: Final = network("frontDoorWebApplicationFirewallPolicies", "waf")
PROFILE: Final = f"{SCOPE}/resourceGroups/rg-edge/providers/Microsoft.Cdn/profiles/fd"


def origin(link: str = LINK, **properties: Any) -> Body:
    shared = {"privateLink": {"id": link}, "status": None}
    inner = {"hostName": "shop", "enabledState": "Enabled", "sharedPrivateLinkResource": shared, **properties}
    return {"id": f"{PROFILE}/originGroups/g/origins/o", "properties": inner}


def front_door(*origins: Body, waf: str = WAF) -> Body:
    parameters = {"type": "WebApplicationFirewall", "wafPolicy": {"id": waf}}
    policies = [{"id": f"{PROFILE}/securityPolicies/s", "properties": {"parameters": parameters}}] if waf else []
    profile = {
        "id": PROFILE,
        "sku": {"name": "Premium_AzureFrontDoor"},
        "origins": list(origins or (origin(),)),
        "securityPolicies": policies,
    }
    return {"id": ids.front_doors(SUB), "value": [profile]}


def waf(state: str | None = "Enabled", mode: str | None = "Prevention") -> Body:
    settings = {"enabledState": state, "mode": mode}
    return {"id": WAF, "properties": {"policySettings": {k: v for k, v in settings.items() if v}}}


def link(balancer_: str = "lb") -> Body:
    frontends = refs(f"{network('loadBalancers', balancer_)}/frontendIPConfigurations/fe")
    kind = "Microsoft.Network/privateLinkServices"
    return {"id": LINK, "type": kind, "properties": {"loadBalancerFrontendIpConfigurations": frontends}}


def internal(member: str = config_id()) -> Body:
    body = balancer()
    body["properties"]["backendAddressPools"][0]["properties"] = {"backendIPConfigurations": refs(member)}
    return body


def home(policies: str = "Disabled") -> Body:
    links = subnet("links", privateLinkServiceNetworkPolicies=policies)
    return vnet(subnet("app", ipConfigurations=refs(config_id())), links)


AROUND: Final = (link(), internal(), nic())


def told(*bodies: Body, policy: Policy | None = None, **seen: Any) -> dict[tuple[str, str], Verdict]:
    looked = estate(*bodies, **{"listed": (EVERYTHING, *LISTS), **seen})
    found = judge(looked, Policies((policy or nat_policy(),)))
    return {(v.requirement, ids.name(v.resource)): v for v in found if v.requirement.startswith("ingress-")}


def test_front_door_is_a_way_in_that_is_allowed_with_its_firewall() -> None:
    found = told(home(), *AROUND, front_door(), waf())
    path, guard = found["ingress-path", "app"], found["ingress-waf", "fd"]
    assert (path.result, guard.result) == (Result.COMPLIANT, Result.COMPLIANT)
    assert path.seen == "open to the internet by Front Door fd by private link pls"
    assert guard.seen == "firewall policy waf blocks"


def test_a_policy_may_forbid_it() -> None:
    forbids = nat_policy(ingress=Ingress(allow=("applicationGateway",), waf="off"))
    found = told(home(), *AROUND, front_door(), waf(), policy=forbids)
    assert found["ingress-path", "app"].result is Result.VIOLATION
    assert ("ingress-waf", "fd") not in found


GUARDS: list[tuple[tuple[Body, ...], Result, str]] = [
    ((front_door(waf=""),), Result.VIOLATION, "no firewall policy"),
    ((front_door(), waf("Disabled")), Result.VIOLATION, "firewall policy waf is disabled"),
    ((front_door(), waf(mode="Detection")), Result.VIOLATION, "is in mode Detection, which blocks nothing"),
    ((front_door(), waf(mode=None)), Result.UNKNOWN, "does not say whether it is enabled and blocks"),
    ((front_door(),), Result.UNKNOWN, "firewall policy waf: not read"),
]


@pytest.mark.parametrize(("bodies", "result", "seen"), GUARDS)
def test_its_firewall_must_block(bodies: tuple[Body, ...], result: Result, seen: str) -> None:
    one = told(home(), *AROUND, *bodies)["ingress-waf", "fd"]
    assert one.result is result
    assert seen in one.seen


ELSEWHERE: list[tuple[Body, ...]] = [
    (home(), *AROUND, front_door(origin(network("privateLinkServices", "other"))), waf()),
    (home(), *AROUND, front_door(origin(enabledState="Disabled")), waf()),
    (home(), *AROUND, front_door(origin(sharedPrivateLinkResource=None)), waf()),
    (home(), link("other"), internal(), nic(), front_door(), waf()),
    (home(), link(), internal(config_id("elsewhere")), nic(), front_door(), waf()),
    (home("Enabled"), *AROUND, front_door(), waf()),
]


@pytest.mark.parametrize("bodies", ELSEWHERE)
def test_what_leads_elsewhere_is_not_told(bodies: tuple[Body, ...]) -> None:
    assert told(*bodies) == {}


def test_what_could_not_be_listed_is_unknown_where_it_may_lead() -> None:
    found = told(home(), *AROUND, listed=(EVERYTHING, *LISTS[2:]), gaps=[Gap(LISTS[0], "no permission")])
    one = found["ingress-path", "links"]
    seen = "whether Front Door leads into it by a private link: no permission"
    assert (one.result, one.seen) == (Result.UNKNOWN, seen)


@pytest.mark.parametrize(("policies", "asks"), [("Disabled", True), ("Enabled", False)])
def test_nothing_is_read_where_no_private_link_can_lead(policies: str, asks: bool) -> None:
    azure = Azure(home(policies), *AROUND, front_door(), waf())
    azure.observe(Policies((nat_policy(),)))
    assert {name in azure.asked for name in LISTS[:2]} == {asks}
    assert (WAF in azure.asked) is False
