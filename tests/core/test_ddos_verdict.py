"""DDoS protection of public addresses in use: what protects, what does not, and which addresses are looked at."""

from typing import Any, Final

import pytest

from governor.core import ids
from governor.core.estate import EVERYTHING, Estate, Gap, list_of
from governor.core.judged import judge
from governor.core.policy import Exemption, Policies, Policy, PublicIps, Requirement
from governor.core.policy import Select as Conditions
from governor.core.policy_terms import Ingress
from governor.core.verdict import Result, Verdict
from tests.core.ingress_world import GATEWAY_CONFIG, gateway
from tests.core.world import (
    ADDRESSES,
    AT,
    SUB,
    Azure,
    Body,
    address,
    address_id,
    balancer,
    balancer_id,
    config_id,
    estate,
    group,
    nat,
    nat_id,
    nat_policy,
    network,
    nic,
    pool_id,
    refs,
    subnet,
    subscription,
    vnet,
    vnet_id,
)

PLAN: Final = {"enableDdosProtection": True, "ddosProtectionPlan": {"id": network("ddosProtectionPlans", "plan")}}
PIPS: Final = list_of("publicIpAddresses", f"/subscriptions/{SUB}")
MACHINE: Final = config_id()
FIREWALL: Final = f"{network('azureFirewalls', 'fw')}/azureFirewallIpConfigurations/c"
FRONTEND: Final = f"{balancer_id()}/frontendIPConfigurations/fe"


def policy(ddos: Any = "audit", **changes: Any) -> Policy:
    return nat_policy(ingress=Ingress(ddos=ddos), **changes)


def pip(holder: str = MACHINE, mode: str | None = "VirtualNetworkInherited", **properties: Any) -> Body:
    settings = {"ddosSettings": {"protectionMode": mode}} if mode else {}
    return address(**{"ipConfiguration": {"id": holder}, **settings, **properties})


def home(*configurations: str, name: str = "app", **properties: Any) -> Body:
    return vnet(subnet(name, ipConfigurations=refs(*configurations)), **properties)


def about(seen: Estate, *policies: Policy) -> list[Verdict]:
    found = judge(seen, Policies(policies or (policy(),)))
    return [verdict for verdict in found if verdict.requirement == Requirement.PUBLIC_IP_DDOS]


INHERITS: Final = "203.0.113.1 on nic: it inherits from network spoke, which has no DDoS protection"
MODES: list[tuple[str | None, Body, Result, str]] = [
    ("Enabled", {}, Result.COMPLIANT, "203.0.113.1 on nic: it has DDoS protection of its own"),
    ("Disabled", PLAN, Result.VIOLATION, "203.0.113.1 on nic: DDoS protection is turned off for it"),
    ("VirtualNetworkInherited", {}, Result.VIOLATION, INHERITS),
    (
        "VirtualNetworkInherited",
        PLAN,
        Result.COMPLIANT,
        "203.0.113.1 on nic: plan plan of network spoke protects it",
    ),
    # Turned on without a plan, and a plan that is turned off, protect nothing.
    ("VirtualNetworkInherited", {"enableDdosProtection": True}, Result.VIOLATION, INHERITS),
    ("VirtualNetworkInherited", {**PLAN, "enableDdosProtection": False}, Result.VIOLATION, INHERITS),
    # What the address does not say matters only where its network would protect it.
    (None, {}, Result.VIOLATION, "203.0.113.1 on nic: neither it nor network spoke has DDoS protection"),
    (
        None,
        PLAN,
        Result.UNKNOWN,
        "203.0.113.1 on nic: protection mode not given: whether its network protects it is not known",
    ),
    (
        "Later",
        PLAN,
        Result.UNKNOWN,
        "203.0.113.1 on nic: protection mode Later: whether its network protects it is not known",
    ),
]


@pytest.mark.parametrize(("mode", "of_network", "result", "seen"), MODES)
def test_what_protects_an_address(mode: str | None, of_network: Body, result: Result, seen: str) -> None:
    (verdict,) = about(estate(home(MACHINE, **of_network), nic(public=address_id()), pip(mode=mode)))
    assert (verdict.result, verdict.seen, verdict.addresses) == (result, seen, ("203.0.113.1",))
    assert ids.same(verdict.resource, address_id())


HOLDERS: list[tuple[Body, list[Body], str]] = [
    (home(FIREWALL, name="AzureFirewallSubnet"), [pip(FIREWALL)], "fw"),
    (
        vnet(subnet("agw", applicationGatewayIPConfigurations=refs(GATEWAY_CONFIG))),
        [pip(f"{ids.top_level(GATEWAY_CONFIG)}/frontendIPConfigurations/public"), gateway(public=address_id())],
        "agw",
    ),
    (
        home(MACHINE),
        [nic("nic", pool_id()), pip(FRONTEND), balancer(public=address_id(), rule=True)],
        "lb",
    ),
]


@pytest.mark.parametrize(("where", "others", "holder"), HOLDERS)
def test_addresses_of_services_count_like_those_of_machines(where: Body, others: list[Body], holder: str) -> None:
    for one in others:
        if "backendAddressPools" in one["properties"] and "frontendIPConfigurations" in one["properties"]:
            pools = one["properties"]["backendAddressPools"]
            pools[0]["properties"]["backendIPConfigurations"] = refs(MACHINE)
    (verdict,) = about(estate(where, *others))
    assert verdict.result is Result.VIOLATION
    assert verdict.seen.startswith(f"203.0.113.1 on {holder}: ")


def test_addresses_of_nat_gateways_let_nobody_in() -> None:
    seen = estate(vnet(subnet(natGateway=nat_id())), nat("ng", address_id()), address(natGateway={"id": nat_id()}))
    (verdict,) = about(seen)
    assert verdict.result is Result.NOT_APPLICABLE
    assert "Azure does not protect addresses of NAT gateways" in verdict.seen


def test_addresses_in_use_elsewhere_or_by_nobody_are_not_judged_here() -> None:
    other = pip(config_id("other"))
    alone = address("alone")
    assert about(estate(home(MACHINE), nic(), {**other, "id": address_id("other")}, alone)) == []


def test_an_address_that_is_being_written_is_looked_at_again() -> None:
    (verdict,) = about(estate(home(MACHINE), nic(public=address_id()), pip(provisioningState="Updating")))
    assert (verdict.result, verdict.waits) == (Result.UNKNOWN, True)


def test_an_exempt_address_is_exempt() -> None:
    exemption = Exemption("*pip", Requirement.PUBLIC_IP_DDOS, "team-x", "moves away", AT.date())
    (verdict,) = about(estate(home(MACHINE), nic(public=address_id()), pip()), policy(exemptions=(exemption,)))
    assert verdict.result is Result.EXEMPT


def test_tags_of_the_address_itself_count() -> None:
    quiet = policy("off", name="a", select=Conditions(tags={"edge": ("no",)}))
    seen = [home(MACHINE), nic(public=address_id()), group(), subscription()]
    assert about(estate(*seen, {**pip(), "tags": {"edge": "no"}}), quiet, policy()) == []
    (verdict,) = about(estate(*seen, pip()), quiet, policy())
    assert verdict.result is Result.VIOLATION


def test_addresses_that_could_not_be_listed_are_not_seen() -> None:
    seen = estate(
        home(MACHINE),
        nic(),
        listed=[EVERYTHING, *(name for name in ADDRESSES if name != PIPS)],
        gaps=[Gap(PIPS, "no permission")],
    )
    (verdict,) = about(seen)
    assert (verdict.result, verdict.seen) == (Result.UNKNOWN, "public addresses not seen: no permission")
    assert ids.same(verdict.resource, vnet_id())


def test_nobody_is_asked_when_no_policy_wants_it() -> None:
    quiet = nat_policy(ingress=Ingress(ddos="off"), public_ips=PublicIps(default="allow"))
    azure = Azure(home(MACHINE), nic(public=address_id()), pip())
    azure.observe(Policies((quiet,)))
    assert PIPS not in azure.asked
    assert about(azure.observe(Policies((quiet,))), quiet) == []


def test_what_is_asked_is_the_list_of_addresses_and_that_of_load_balancers() -> None:
    wanting = policy(public_ips=PublicIps(default="allow"))
    azure = Azure(home(MACHINE, FIREWALL), nic(public=address_id()), pip())
    seen = azure.observe(Policies((wanting,)))
    assert sorted(name for name in azure.asked if name in ADDRESSES) == sorted(
        (list_of("loadBalancers", f"/subscriptions/{SUB}"), PIPS)
    )
    assert [one.result for one in about(seen, wanting)] == [Result.VIOLATION]
    empty = Azure(vnet(subnet()), pip(config_id("other")))
    empty.observe(Policies((wanting,)))
    assert PIPS not in empty.asked
