"""Ways in: which lead into a subnet, whether a firewall is in front of them, and whom security groups let in."""

from collections.abc import Iterable
from typing import Any, Final

import pytest

from governor.core import ids
from governor.core.estate import EVERYTHING, Estate, Gap, list_of
from governor.core.judged import judge
from governor.core.policy import Exemption, Policies, Policy, PublicIps, Requirement
from governor.core.policy import Select as Conditions
from governor.core.policy_terms import AllowedAddress, Ingress
from governor.core.verdict import Result, Verdict
from tests.core.ingress_world import (
    CLOSED,
    FRONTEND,
    GATEWAY_CONFIG,
    GROUP_ID,
    INTERNAL,
    WAF,
    backends,
    gateway,
    group,
    inbound,
    waf_policy,
)
from tests.core.world import (
    ADDRESSES,
    AT,
    SUB,
    Azure,
    Body,
    address,
    address_id,
    balancer,
    config_id,
    estate,
    nat_policy,
    nic,
    pool_id,
    refs,
    subnet,
    vnet,
)

PIP: Final = address_id()
MACHINE: Final = config_id()
GATEWAYS: Final = list_of("applicationGateways", f"/subscriptions/{SUB}")
BY_POLICY: Final[Body] = {"firewallPolicy": {"id": WAF}}
WEB: Final = inbound("web", 100, "10.0.9.0/24")


def policy(**ingress: Any) -> Policy:
    return nat_policy(ingress=Ingress(**ingress))


def home(security: bool = True, **properties: Any) -> Body:
    """A network with a gateway's subnet, and one in which a machine lives."""
    found: Body = {"ipConfigurations": refs(MACHINE), **properties}
    if security:
        found["networkSecurityGroup"] = {"id": GROUP_ID}
    front = subnet("agw", addressPrefix="10.0.9.0/24", applicationGatewayIPConfigurations=refs(GATEWAY_CONFIG))
    return vnet(front, subnet(**found))


def about(requirement: Requirement, seen: Estate, *policies: Policy) -> dict[str, Verdict]:
    """By name of the resource, what is said of it about this requirement."""
    found = judge(seen, Policies(policies or (policy(),)))
    return {ids.name(verdict.resource): verdict for verdict in found if verdict.requirement == requirement}


# ---- ingress-waf -----------------------------------------------------------------------------------------------------

STATES: list[tuple[Body, list[Body], Result, str]] = [
    (
        gateway(public=PIP, **BY_POLICY),
        [waf_policy()],
        Result.COMPLIANT,
        "listener https: firewall policy waf blocks",
    ),
    (
        gateway(public=PIP, **BY_POLICY),
        [waf_policy(mode="Detection")],
        Result.VIOLATION,
        "listener https: firewall policy waf is in mode Detection, which blocks nothing",
    ),
    (
        gateway(public=PIP, **BY_POLICY),
        [waf_policy(state="Disabled")],
        Result.VIOLATION,
        "listener https: firewall policy waf is disabled",
    ),
    (
        gateway(public=PIP, **BY_POLICY),
        [waf_policy(state=None)],
        Result.UNKNOWN,
        "listener https: firewall policy waf does not say whether it is enabled and blocks",
    ),
    (gateway(public=PIP, **BY_POLICY), [], Result.UNKNOWN, "listener https: firewall policy waf: not read"),
    (gateway(public=PIP), [], Result.VIOLATION, "listener https: no firewall policy"),
    (
        gateway(public=PIP, tier="Standard_v2", **BY_POLICY),
        [waf_policy()],
        Result.VIOLATION,
        "tier Standard_v2 has no web application firewall",
    ),
    (gateway(public=PIP, sku={}), [], Result.UNKNOWN, "its tier is not known"),
    # The older form, on the gateway itself.
    (
        gateway(public=PIP, webApplicationFirewallConfiguration={"enabled": True, "firewallMode": "Prevention"}),
        [],
        Result.COMPLIANT,
        "listener https: its firewall configuration blocks",
    ),
    (
        gateway(public=PIP, webApplicationFirewallConfiguration={"enabled": False, "firewallMode": "Prevention"}),
        [],
        Result.VIOLATION,
        "listener https: its firewall configuration is disabled",
    ),
    # A policy takes its place.
    (
        gateway(
            public=PIP,
            webApplicationFirewallConfiguration={"enabled": False, "firewallMode": "Detection"},
            **BY_POLICY,
        ),
        [waf_policy()],
        Result.COMPLIANT,
        "listener https: firewall policy waf blocks",
    ),
    # Whoever comes in by private addresses only is no ingress from the internet.
    (gateway(), [], Result.NOT_APPLICABLE, "it listens for web traffic on no public address"),
    (
        gateway(public=PIP, httpListeners=[]),
        [],
        Result.NOT_APPLICABLE,
        "it listens for web traffic on no public address",
    ),
    (
        gateway(public=PIP, httpListeners=[{"name": "a", "properties": {"frontendIPConfiguration": {"id": INTERNAL}}}]),
        [],
        Result.NOT_APPLICABLE,
        "it listens for web traffic on no public address",
    ),
    (gateway(public=PIP, provisioningState="Updating"), [], Result.UNKNOWN, "agw is Updating"),
]


@pytest.mark.parametrize(("front", "others", "result", "seen"), STATES)
def test_whether_a_firewall_is_in_front(front: Body, others: list[Body], result: Result, seen: str) -> None:
    verdict = about(Requirement.INGRESS_WAF, estate(home(), front, *others))["agw"]
    assert (verdict.result, verdict.seen, verdict.policy) == (result, seen, "nat")


def _listener(name: str, frontend: str = FRONTEND, waf: str | None = None) -> Body:
    own = {"firewallPolicy": {"id": waf}} if waf else {}
    return {"name": name, "properties": {"frontendIPConfiguration": {"id": frontend}, **own}}


def test_the_nearest_policy_counts_and_the_weakest_listener_is_told() -> None:
    other = {**waf_policy(mode="Detection"), "id": f"{WAF}-2"}
    listeners = [_listener("a"), _listener("b", waf=f"{WAF}-2"), _listener("c", INTERNAL)]
    front = gateway(public=PIP, httpListeners=listeners, **BY_POLICY)
    verdict = about(Requirement.INGRESS_WAF, estate(home(), front, waf_policy(), other))["agw"]
    assert verdict.result is Result.VIOLATION
    assert verdict.seen == "listener b: firewall policy waf-2 is in mode Detection, which blocks nothing"


def test_a_path_with_a_policy_of_its_own_counts_too() -> None:
    rules = [{"properties": {"pathRules": [{"properties": {"firewallPolicy": {"id": f"{WAF}-2"}}}]}}]
    other = {**waf_policy(state="Disabled"), "id": f"{WAF}-2"}
    front = gateway(public=PIP, urlPathMaps=rules, **BY_POLICY)
    verdict = about(Requirement.INGRESS_WAF, estate(home(), front, waf_policy(), other))["agw"]
    assert (verdict.result, verdict.seen) == (Result.VIOLATION, "firewall policy waf-2 is disabled")


def test_a_gateway_that_was_not_read_is_unknown() -> None:
    listed = [EVERYTHING, *(name for name in ADDRESSES if name != GATEWAYS)]
    hidden = estate(home(), listed=listed, gaps=[Gap(GATEWAYS, "no permission")])
    gone = estate(home())
    for requirement in (Requirement.INGRESS_WAF, Requirement.INGRESS_NSG):
        assert about(requirement, hidden)["agw"].seen == "not seen: no permission"
        verdict = about(requirement, gone)["agw"]
        assert (verdict.result, verdict.seen) == (Result.UNKNOWN, "not seen: no list holds it")


def test_tags_of_a_gateway_select_its_policy() -> None:
    quiet = nat_policy(name="a", ingress=Ingress(waf="off"), select=Conditions(tags={"edge": ("no",)}))
    seen = [
        home(),
        {"id": f"/subscriptions/{SUB}", "displayName": "corp", "tags": {}},
        {"id": f"/subscriptions/{SUB}/resourceGroups/rg-net", "tags": {}},
    ]
    front = {**gateway(public=PIP), "tags": {"edge": "no"}}
    assert about(Requirement.INGRESS_WAF, estate(*seen, front), quiet, policy()) == {}
    assert about(Requirement.INGRESS_WAF, estate(*seen, gateway(public=PIP)), quiet, policy()).keys() == {"agw"}


# ---- ingress-nsg -----------------------------------------------------------------------------------------------------

GROUPS: list[tuple[list[Body], Result, str]] = [
    ([group(WEB, CLOSED)], Result.COMPLIANT, "nsg lets in the gateway only"),
    ([group(CLOSED)], Result.COMPLIANT, "nsg lets in nobody from outside, the gateway neither"),
    ([group(WEB)], Result.VIOLATION, "nsg lets in VirtualNetwork (rule AllowVnetInBound)"),
    (
        [group(inbound("all", 100, "*"), CLOSED)],
        Result.VIOLATION,
        "nsg lets in everybody (rule all)",
    ),
    (
        [group(inbound("wide", 100, "10.0.8.0/23"), CLOSED)],
        Result.VIOLATION,
        "nsg lets in 10.0.8.0/23 (rule wide)",
    ),
    # Its own subnet, and probes, may come in.
    (
        [group(WEB, inbound("own", 200, "10.0.0.0/24"), inbound("probes", 300, "AzureLoadBalancer"), CLOSED)],
        Result.COMPLIANT,
        "nsg lets in the gateway only",
    ),
    ([group(WEB, CLOSED, defaultSecurityRules=None)], Result.UNKNOWN, "nsg: its rules are not all known"),
    ([], Result.UNKNOWN, "nsg: not read"),
]


@pytest.mark.parametrize(("others", "result", "seen"), GROUPS)
def test_whom_the_security_group_of_a_subnet_behind_a_gateway_lets_in(
    others: list[Body], result: Result, seen: str
) -> None:
    front = gateway(*backends("10.0.0.4"), public=PIP)
    found = about(Requirement.INGRESS_NSG, estate(home(), front, *others))
    assert found.keys() == {"app"}
    assert (found["app"].result, found["app"].seen) == (result, seen)
    assert found["app"].expected == "a security group that lets in subnet agw only"


def test_a_subnet_behind_a_gateway_needs_a_security_group() -> None:
    found = about(Requirement.INGRESS_NSG, estate(home(security=False), gateway(*backends(MACHINE))))
    assert (found["app"].result, found["app"].seen) == (Result.VIOLATION, "no security group")


def test_an_exempt_subnet_is_exempt() -> None:
    exemption = Exemption("*/subnets/app", Requirement.INGRESS_NSG, "team-x", "moves away", AT.date())
    exempting = nat_policy(exemptions=(exemption,))
    found = about(Requirement.INGRESS_NSG, estate(home(security=False), gateway(*backends(MACHINE))), exempting)
    assert found["app"].result is Result.EXEMPT


@pytest.mark.parametrize(
    ("targets", "shown"),
    [
        (["app.contoso.net"], "app.contoso.net"),
        (["10.7.0.4"], "10.7.0.4"),
        ([config_id("other")], "other"),
        (["10.7.0.4", "10.7.0.5", "10.7.0.6", "10.7.0.7"], "10.7.0.4, 10.7.0.5, 10.7.0.6 and 1 more"),
    ],
)
def test_a_gateway_that_leads_to_where_nobody_can_tell_is_told(targets: list[str], shown: str) -> None:
    found = about(Requirement.INGRESS_NSG, estate(home(), gateway(*backends(*targets, "10.0.0.4")), group(WEB, CLOSED)))
    assert (found["app"].result, found["agw"].result) == (Result.COMPLIANT, Result.UNKNOWN)
    assert found["agw"].seen == f"it leads to {shown} as well, and whose subnet that is is not known"


# ---- ingress-path ----------------------------------------------------------------------------------------------------


def behind(body: Body) -> Body:
    """A load balancer in, the same with the machine behind it out."""
    pools = [{"id": pool_id(), "properties": {"backendIPConfigurations": refs(MACHINE)}}]
    return {**body, "properties": {**body["properties"], "backendAddressPools": pools}}


ADDRESS: Final = address(ipConfiguration={"id": MACHINE})
BALANCED: Final = [nic("nic", pool_id()), behind(balancer(public=PIP, rule=True)), address()]
BALANCER: Final = "open to the internet by load balancer lb (203.0.113.1)"
FRONTED: Final = "open to the internet by application gateway agw"
ALONE: Final = "open to the internet by virtual machine vm (203.0.113.1)"
LOAD_BALANCER: Final = policy(allow=("loadBalancer",))
ALLOWING: Final = nat_policy(public_ips=PublicIps(allow=(AllowedAddress(names=("pip*",)),)))
WAYS: list[tuple[Policy, list[Body], Result, str]] = [
    (policy(), BALANCED, Result.VIOLATION, BALANCER),
    (LOAD_BALANCER, [*BALANCED, gateway()], Result.COMPLIANT, BALANCER),
    # A name that is allowed for an address does not turn a load balancer into another way in.
    (ALLOWING, BALANCED, Result.VIOLATION, BALANCER),
    (policy(), [nic(public=PIP), ADDRESS], Result.VIOLATION, ALONE),
    (LOAD_BALANCER, [nic(public=PIP), ADDRESS], Result.VIOLATION, ALONE),
    (policy(), [gateway(*backends("10.0.0.4"), public=PIP)], Result.COMPLIANT, FRONTED),
    (LOAD_BALANCER, [gateway(*backends("10.0.0.4"), public=PIP)], Result.VIOLATION, FRONTED),
    # Whatever is wrong is told, and only that.
    (policy(), [*BALANCED, gateway(*backends("10.0.0.4"), public=PIP)], Result.VIOLATION, BALANCER),
]


@pytest.mark.parametrize(("one", "others", "result", "seen"), WAYS)
def test_which_ways_in_are_allowed(one: Policy, others: list[Body], result: Result, seen: str) -> None:
    found = about(Requirement.INGRESS_PATH, estate(home(), *others), one)
    assert found.keys() == {"app"}
    assert (found["app"].result, found["app"].seen) == (result, seen)


NO_WAYS: list[tuple[Policy, list[Body]]] = [
    (policy(), []),
    (policy(), [nic()]),
    # Only outbound rules use the frontend; nobody comes in.
    (policy(), [nic("nic", pool_id()), behind(balancer(public=PIP, outbound=True)), address()]),
    (policy(), [gateway(*backends("10.0.0.4"))]),
    (ALLOWING, [nic(public=PIP), ADDRESS]),
    (nat_policy(public_ips=PublicIps(default="allow")), BALANCED),
]


@pytest.mark.parametrize(("one", "others"), NO_WAYS)
def test_where_no_way_leads_in_nothing_is_said(one: Policy, others: list[Body]) -> None:
    assert about(Requirement.INGRESS_PATH, estate(home(), *others), one) == {}


def test_what_is_not_seen_whole_is_not_compliant() -> None:
    name = list_of("publicIpAddresses", f"/subscriptions/{SUB}")
    listed = [EVERYTHING, *(one for one in ADDRESSES if one != name)]
    front = gateway(*backends("10.0.0.4"), public=PIP)
    found = about(Requirement.INGRESS_PATH, estate(home(), front, listed=listed, gaps=[Gap(name, "no permission")]))
    assert (found["app"].result, found["app"].seen) == (Result.UNKNOWN, f"{FRONTED}; not all ways in were seen")


def test_expected_ways_are_named() -> None:
    found = about(Requirement.INGRESS_PATH, estate(home(), *BALANCED))
    assert found["app"].expected == "application gateway or Front Door by private link"
    found = about(Requirement.INGRESS_PATH, estate(home(), *BALANCED), policy(allow=()))
    assert found["app"].expected == "no way in"


# ---- what is read ----------------------------------------------------------------------------------------------------

OFF: Final = policy(waf="off", nsg="off")
READS: list[tuple[Policy, list[Body], list[str]]] = [
    # All gateways of the subscription at once, then what they name.
    (
        policy(),
        [home(), gateway(*backends("10.0.0.4"), public=PIP, **BY_POLICY), group(), waf_policy()],
        [GATEWAYS, GROUP_ID, WAF],
    ),
    (policy(), [home(security=False), gateway(*backends("10.0.0.4"), public=PIP)], [GATEWAYS]),
    # Of subnets that no gateway leads to, the security group is nobody's concern.
    (policy(), [home(), gateway(public=PIP), group()], [GATEWAYS]),
    (policy(), [vnet(subnet(ipConfigurations=refs(MACHINE), networkSecurityGroup={"id": GROUP_ID})), group()], []),
    (OFF, [home(), gateway(*backends("10.0.0.4"), public=PIP, **BY_POLICY), group(), waf_policy()], []),
    (
        policy(waf="off"),
        [home(), gateway(*backends("10.0.0.4"), public=PIP, **BY_POLICY), group(), waf_policy()],
        [GATEWAYS, GROUP_ID],
    ),
    (
        policy(waf="off", nsg="off", allow=("frontDoorPrivateLink",)),
        [home(), gateway(*backends("10.0.0.4"), public=PIP, **BY_POLICY), group(), waf_policy()],
        [GATEWAYS],
    ),
    (nat_policy(select=Conditions(virtual_networks=("other",))), [home(), gateway(public=PIP)], []),
]


def audited(asked: Iterable[str]) -> list[str]:
    kinds = (ids.SECURITY_GROUP, ids.WAF_POLICY)
    return sorted(one for one in asked if one == GATEWAYS or ids.kind(one) in kinds)


@pytest.mark.parametrize(("one", "bodies", "reads"), READS)
def test_nothing_is_read_that_no_policy_asks_for(one: Policy, bodies: list[Body], reads: list[str]) -> None:
    azure = Azure(*bodies, nic())
    azure.observe(Policies((one,)))
    assert audited(azure.asked) == sorted(reads)


def test_of_what_cannot_be_read_it_is_said_why() -> None:
    bodies = [home(), gateway(*backends("10.0.0.4"), public=PIP, **BY_POLICY), nic()]
    azure = Azure(*bodies, group(), waf_policy(), unreadable=[GROUP_ID, WAF])
    seen = azure.observe(Policies((policy(),)))
    assert about(Requirement.INGRESS_NSG, seen)["app"].seen == "nsg: no permission"
    assert about(Requirement.INGRESS_WAF, seen)["agw"].seen == "listener https: firewall policy waf: no permission"
    gone = Azure(*bodies).observe(Policies((policy(),)))
    assert about(Requirement.INGRESS_NSG, gone)["app"].seen == "nsg: named, but it does not exist"
    assert about(Requirement.INGRESS_NSG, gone)["app"].result is Result.UNKNOWN


def test_a_gateway_is_found_by_any_of_its_configurations() -> None:
    front = subnet("agw", addressPrefix="10.0.9.0/24", ipConfigurations=refs(INTERNAL))
    azure = Azure(vnet(front), gateway(public=PIP))
    seen = azure.observe(Policies((policy(),)))
    assert about(Requirement.INGRESS_WAF, seen)["agw"].result is Result.VIOLATION
