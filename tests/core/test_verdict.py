"""What is Compliant, a Violation, Exempt, Unknown, NotApplicable or Ungoverned, for every way out and stance."""

from datetime import date, timedelta
from typing import Any

import pytest

from governor.core import ids
from governor.core.estate import EVERYTHING, clusters
from governor.core.judged import judge, look
from governor.core.policy import Egress, Exemption, HubPolicy, NatGatewayPolicy, PathKind, Policies, Policy, Requirement
from governor.core.policy import Select as Conditions
from governor.core.verdict import Result, Verdict, results
from tests.core.world import (
    AT,
    GROUP,
    SUB,
    Body,
    address,
    address_id,
    allowing,
    balancer,
    cluster,
    config_id,
    delegated,
    egress_of,
    estate,
    firewall,
    found,
    group,
    hub_policy,
    isolated_policy,
    nat,
    nat_id,
    nat_policy,
    network,
    nic,
    nic_id,
    peering,
    pool_id,
    refs,
    route,
    subnet,
    subnet_id,
    subscription,
    table,
    table_id,
    vnet,
)

PIP = address_id()
HOP = "10.1.0.4"
FIREWALL = network("azureFirewalls", "fw")
TO_HOP = table("rt", route("0.0.0.0/0", "VirtualAppliance", HOP))
ROUTED: dict[str, Any] = {"routeTable": table_id()}
INHABITED: dict[str, Any] = {"ipConfigurations": refs(config_id())}

# What the subnet has, what exists besides, and the one path that allows it (None: none does).
WAYS: list[tuple[dict[str, Any], list[Body], PathKind | None]] = [
    ({"natGateway": nat_id()}, [nat("ng", PIP), address()], PathKind.NAT_GATEWAY),
    (ROUTED, [TO_HOP], PathKind.HUB),
    (ROUTED, [table("rt", route("0.0.0.0/0", "VirtualNetworkGateway"))], PathKind.ON_PREMISES),
    (ROUTED, [table("rt", route("0.0.0.0/0", "None"))], PathKind.ISOLATED),
    ({"defaultOutboundAccess": False}, [], PathKind.ISOLATED),
    (INHABITED, [nic("nic", pool_id()), balancer(public=PIP, outbound=True)], PathKind.LOAD_BALANCER),
    (INHABITED, [nic("nic", pool_id()), balancer(public=PIP, rule=True)], PathKind.LOAD_BALANCER),
    (INHABITED, [nic(public=PIP)], None),
    ({}, [], None),
    (ROUTED, [table("rt", route("0.0.0.0/0", "Internet"))], None),
    ({"natGateway": nat_id()}, [nat("ng")], PathKind.ISOLATED),
]


@pytest.mark.parametrize(("properties", "context", "fits"), WAYS)
@pytest.mark.parametrize("allowed", list(PathKind))
def test_a_way_is_compliant_where_its_path_is_allowed(
    properties: dict[str, Any], context: list[Body], fits: PathKind | None, allowed: PathKind
) -> None:
    verdict = egress_of(estate(vnet(subnet(**properties)), *context), allowing(allowed))
    assert verdict.result is (Result.COMPLIANT if allowed is fits else Result.VIOLATION)
    assert verdict.seen
    assert verdict.expected


def test_several_paths_may_be_allowed_and_every_way_must_be_one_of_them() -> None:
    mixed = estate(
        vnet(subnet(**ROUTED, natGateway=nat_id())),
        *(table("rt", route("0.0.0.0/1", "VirtualAppliance", HOP)), nat("ng", PIP), address()),
    )
    both = egress_of(mixed, allowing(PathKind.NAT_GATEWAY, PathKind.HUB))
    assert (both.result, both.expected) == (Result.COMPLIANT, "NAT gateway or route to the hub")
    assert egress_of(mixed, allowing(PathKind.NAT_GATEWAY)).result is Result.VIOLATION


def test_public_addresses_are_named() -> None:
    seen = estate(vnet(subnet(natGateway=nat_id())), nat("ng", PIP), address(ip="203.0.113.7"))
    assert egress_of(seen, nat_policy()).addresses == ("203.0.113.7",)


@pytest.mark.parametrize(
    ("properties", "context", "more"),
    [
        ({"natGateway": nat_id()}, [nat("ng", PIP), address()], False),
        ({"natGateway": nat_id()}, [nat("ng", PIP, address_id("gone")), address()], True),
        ({"defaultOutboundAccess": False}, [], False),
        ({}, [], True),
        (ROUTED, [TO_HOP], True),
        (INHABITED, [nic(public=PIP), address()], False),
    ],
)
def test_it_is_said_whether_there_are_addresses_that_are_not_known(
    properties: dict[str, Any], context: list[Body], more: bool
) -> None:
    assert egress_of(estate(vnet(subnet(**properties)), *context), nat_policy()).more is more


# ---- the hub --------------------------------------------------------------------------------------------------------

HUBS: list[tuple[dict[str, Any], list[Body], Result]] = [
    ({"next_hop": {"westeurope": HOP}}, [], Result.COMPLIANT),
    ({"next_hop": {"westeurope": "10.1.0.5"}}, [], Result.VIOLATION),
    ({"next_hop": {"northeurope": HOP}}, [], Result.VIOLATION),
    ({"firewall": {"westeurope": FIREWALL}}, [firewall(HOP)], Result.COMPLIANT),
    ({"firewall": {"westeurope": FIREWALL}}, [firewall("10.1.0.5")], Result.VIOLATION),
    ({"firewall": {"westeurope": FIREWALL}}, [], Result.UNKNOWN),
    ({"firewall": {"northeurope": FIREWALL}}, [firewall(HOP)], Result.VIOLATION),
    ({"next_hop": {"westeurope": HOP}, "firewall": {"westeurope": FIREWALL}}, [], Result.COMPLIANT),
    ({}, [], Result.VIOLATION),
]


@pytest.mark.parametrize(("hub", "context", "result"), HUBS)
@pytest.mark.parametrize("location", ["westeurope", "West Europe"])
def test_an_appliance_is_the_hub_only_at_its_address(
    hub: dict[str, Any], context: list[Body], result: Result, location: str
) -> None:
    seen = estate(vnet(subnet(**ROUTED), location=location), TO_HOP, *context)
    assert egress_of(seen, hub_policy(**hub)).result is result


def test_a_firewall_that_is_gone_or_unread_is_asked_for() -> None:
    spoke = vnet(subnet(**ROUTED))
    policies = Policies((hub_policy(firewall={"westeurope": FIREWALL}),))
    (unread,) = look(estate(spoke, TO_HOP), policies)
    assert unread.missing == (FIREWALL,)
    (gone,) = look(estate(spoke, TO_HOP, absent=[FIREWALL]), policies)
    assert gone.verdicts[0].result is Result.UNKNOWN
    assert gone.verdicts[0].seen == "fw: named, but it does not exist"


def test_no_firewall_is_read_for_a_subnet_that_may_leave_otherwise() -> None:
    egress = Egress(hub=HubPolicy(firewall={"westeurope": FIREWALL}), allow=(PathKind.HUB, PathKind.NAT_GATEWAY))
    (judged,) = look(
        estate(vnet(subnet(natGateway=nat_id())), nat("ng", address_id())), Policies((nat_policy(egress=egress),))
    )
    assert judged.missing == ()
    assert judged.verdicts[0].result is Result.COMPLIANT
    assert judged.verdicts[2].result is Result.NOT_APPLICABLE


# ---- isolated -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("route_wanted", "properties", "result"),
    [
        ("none", ROUTED, Result.COMPLIANT),
        ("none", {"defaultOutboundAccess": False}, Result.VIOLATION),
        ("off", {"defaultOutboundAccess": False}, Result.COMPLIANT),
        ("off", ROUTED, Result.COMPLIANT),
        ("off", {}, Result.VIOLATION),
    ],
)
def test_isolated_means_a_route_to_nowhere_or_just_no_way_out(
    route_wanted: str, properties: dict[str, Any], result: Result
) -> None:
    seen = estate(vnet(subnet(**properties)), table("rt", route("0.0.0.0/0", "None")))
    assert egress_of(seen, isolated_policy(route_wanted)).result is result


# ---- private --------------------------------------------------------------------------------------------------------


def private(flag: bool | None, stance: str = "deny", **properties: Any) -> Verdict:
    policy = nat_policy(egress=Egress(nat_gateway=NatGatewayPolicy(), default_outbound_access=stance))  # type: ignore[arg-type]
    if flag is not None:
        properties["defaultOutboundAccess"] = flag
    seen = estate(vnet(subnet(**properties)))
    return next(v for v in judge(seen, Policies((policy,))) if v.requirement == "subnet-private")


@pytest.mark.parametrize("stance", ["deny", "audit"])
@pytest.mark.parametrize(
    ("flag", "result"), [(None, Result.VIOLATION), (True, Result.VIOLATION), (False, Result.COMPLIANT)]
)
def test_absent_is_not_private(stance: str, flag: bool | None, result: Result) -> None:
    assert private(flag, stance).result is result


def test_private_is_not_asked_where_it_does_not_apply() -> None:
    assert private(None, "allow").result is Result.NOT_APPLICABLE
    assert private(None, "deny", delegations=delegated("Microsoft.Web/serverFarms")).result is Result.NOT_APPLICABLE


# ---- delegations and Azure's own ------------------------------------------------------------------------------------

DELEGATED = [
    ("Microsoft.Web/serverFarms", Result.VIOLATION),
    ("microsoft.web/SERVERFARMS", Result.VIOLATION),
    ("Microsoft.Sql/managedInstances", Result.NOT_APPLICABLE),
    ("Microsoft.Netapp/volumes", Result.NOT_APPLICABLE),
]


@pytest.mark.parametrize(("service", "result"), DELEGATED)
def test_only_delegations_that_the_policy_knows_are_judged(service: str, result: Result) -> None:
    verdict = egress_of(estate(vnet(subnet(delegations=delegated(service)))), nat_policy())
    assert verdict.result is result


def test_one_unknown_delegation_among_known_ones_is_enough() -> None:
    both = [*delegated("Microsoft.Web/serverFarms"), {"name": "x"}]
    verdict = egress_of(estate(vnet(subnet(delegations=both))), nat_policy())
    assert (verdict.result, verdict.seen) == (Result.NOT_APPLICABLE, "delegated to ?")


def test_a_delegation_known_for_another_path_is_not_judged() -> None:
    service = delegated("Microsoft.ContainerInstance/containerGroups")
    verdict = egress_of(estate(vnet(subnet(delegations=service))), hub_policy(next_hop={"westeurope": HOP}))
    assert verdict.result is Result.NOT_APPLICABLE


@pytest.mark.parametrize(
    "name",
    [
        "GatewaySubnet",
        "AzureBastionSubnet",
        "RouteServerSubnet",
        "AzureFirewallSubnet",
        "AzureFirewallManagementSubnet",
    ],
)
def test_subnets_of_azures_own_are_not_judged_in_any_case(name: str) -> None:
    for spelled in (name, name.lower()):
        (verdict,) = judge(estate(vnet(subnet(spelled))), Policies((nat_policy(),)))
        assert (verdict.result, verdict.policy) == (Result.NOT_APPLICABLE, None)


def test_a_policy_without_egress_names_no_way_out() -> None:
    assert egress_of(estate(vnet(subnet())), Policy(name="p")).result is Result.NOT_APPLICABLE


def test_what_no_policy_selects_is_ungoverned() -> None:
    seen = estate(vnet(subnet()))
    (verdict,) = judge(seen, Policies((nat_policy(select=Conditions(virtual_networks=("other",))),)))
    assert (verdict.result, verdict.policy) == (Result.UNGOVERNED, None)
    (nobody,) = judge(seen, Policies())
    assert nobody.result is Result.UNGOVERNED


# ---- exemptions -----------------------------------------------------------------------------------------------------


def exempted(*until: date, requirement: Requirement = Requirement.SUBNET_EGRESS) -> Policy:
    return nat_policy(
        exemptions=tuple(Exemption(subnet_id().upper(), requirement, "team-x", "legacy", day) for day in until)
    )


TODAY = AT.date()


@pytest.mark.parametrize(
    ("until", "result"),
    [
        ((TODAY,), Result.EXEMPT),
        ((TODAY - timedelta(days=1),), Result.VIOLATION),
        ((TODAY - timedelta(days=1), TODAY + timedelta(days=1)), Result.EXEMPT),
    ],
)
def test_an_exemption_counts_until_the_end_of_its_day(until: tuple[date, ...], result: Result) -> None:
    verdict = egress_of(estate(vnet(subnet())), exempted(*until))
    assert verdict.result is result
    assert "team-x" in verdict.seen


def test_an_exemption_is_for_one_requirement() -> None:
    seen = estate(vnet(subnet()))
    verdicts = found(judge(seen, Policies((exempted(TODAY, requirement=Requirement.SUBNET_PRIVATE),))))
    assert verdicts == {("app", "subnet-egress"): Result.VIOLATION, ("app", "subnet-private"): Result.EXEMPT}


def test_what_is_compliant_needs_no_exemption() -> None:
    seen = estate(vnet(subnet(natGateway=nat_id())), nat("ng", PIP))
    assert egress_of(seen, exempted(TODAY)).result is Result.COMPLIANT


# ---- what is not known ----------------------------------------------------------------------------------------------

STATES = [("Updating", True), ("Creating", True), ("Deleting", True), ("Failed", False), ("Surprising", False)]


@pytest.mark.parametrize(("state", "waits"), STATES)
def test_a_subnet_that_is_not_succeeded_is_unknown(state: str, waits: bool) -> None:
    verdicts = judge(estate(vnet(subnet(provisioningState=state))), Policies((nat_policy(),)))
    assert [(v.result, v.waits) for v in verdicts] == [(Result.UNKNOWN, waits)] * 2


@pytest.mark.parametrize(("state", "waits"), STATES)
def test_a_gateway_or_table_that_is_not_succeeded_is_unknown(state: str, waits: bool) -> None:
    gateway = egress_of(
        estate(vnet(subnet(natGateway=nat_id())), nat("ng", PIP, provisioningState=state)), nat_policy()
    )
    assert (gateway.result, gateway.waits) == (Result.UNKNOWN, waits)
    tabled = egress_of(estate(vnet(subnet(**ROUTED)), table(provisioningState=state)), nat_policy())
    assert (tabled.result, tabled.waits) == (Result.UNKNOWN, waits)


UNREAD: list[tuple[Body, str]] = [
    (vnet(subnet(natGateway=nat_id())), "ng: not read"),
    (vnet(subnet(**ROUTED)), "rt: not read"),
    (vnet(subnet(**INHABITED)), "nic: not read"),
    (vnet(subnet(), virtualNetworkPeerings=[peering(useRemoteGateways=True)]), "learned routes of "),
]


@pytest.mark.parametrize(("spoke", "why"), UNREAD)
@pytest.mark.parametrize("policy", [nat_policy(), isolated_policy(), allowing(*PathKind)])
def test_a_missing_fact_is_neither_compliance_nor_violation(spoke: Body, why: str, policy: Policy) -> None:
    verdict = egress_of(estate(spoke), policy)
    assert (verdict.result, verdict.waits) == (Result.UNKNOWN, False)
    assert verdict.seen.startswith(why)


def test_what_is_named_but_gone_is_unknown() -> None:
    for spoke, gone in ((vnet(subnet(natGateway=nat_id())), nat_id()), (vnet(subnet(**INHABITED)), nic_id())):
        verdict = egress_of(estate(spoke, absent=[gone]), nat_policy())
        assert verdict.result is Result.UNKNOWN
        assert verdict.seen.endswith("named, but it does not exist")


# ---- selection ------------------------------------------------------------------------------------------------------

ABOVE = f"/subscriptions/{SUB}"
UNDECIDED: list[tuple[Conditions, list[str]]] = [
    (Conditions(tags={"env": "prod"}), [GROUP, ABOVE]),
    (Conditions(subscriptions=("corp-*",)), [ABOVE]),
    (Conditions(occupants=("empty",)), [clusters(SUB)]),
    (Conditions(management_groups=("corp",)), [ids.entity(SUB)]),
    (Conditions(except_=Conditions(tags={"env": "prod"})), [GROUP, ABOVE]),
]


@pytest.mark.parametrize(("condition", "missing"), UNDECIDED)
def test_while_a_policy_may_govern_it_no_lower_one_is_asked(condition: Conditions, missing: list[str]) -> None:
    policies = Policies((nat_policy(select=condition, priority=200), isolated_policy()))
    (judged,) = look(estate(vnet(subnet()), listed=[]), policies)
    assert [v.result for v in judged.verdicts] == [Result.UNKNOWN] * 2
    assert judged.policy is None
    assert set(judged.missing) == set(missing)


@pytest.mark.parametrize(
    ("chain", "governed_by"),
    [(["root", "Corp"], "corp-only"), (["root", "lab"], "isolated"), ([], "isolated"), (None, None)],
)
def test_management_groups_are_those_above_the_subscription(chain: list[str] | None, governed_by: str | None) -> None:
    corp = nat_policy(name="corp-only", select=Conditions(management_groups=("corp",)), priority=200)
    place = {"id": ids.entity(SUB), "properties": {} if chain is None else {"parentNameChain": chain}}
    (judged,) = look(estate(vnet(subnet()), place), Policies((corp, isolated_policy(name="isolated"))))
    assert (judged.policy and judged.policy.name) == governed_by


def test_tags_fall_back_to_the_group_and_the_subscription() -> None:
    policy = nat_policy(select=Conditions(tags={"env": ("prod",), "team": ("x",)}))
    spoke = vnet(subnet()) | {"tags": {"ENV": "prod"}}
    seen = estate(spoke, group("rg-net", env="dev", team="x"), subscription("corp", team="y"))
    assert egress_of(seen, policy).result is Result.VIOLATION
    other = estate(vnet(subnet()), group("rg-net", env="dev"), subscription("corp", env="prod", team="x"))
    assert egress_of(other, policy).result is Result.UNGOVERNED


def test_a_group_that_is_gone_leaves_tags_open() -> None:
    policy = nat_policy(select=Conditions(tags={"env": "prod"}))
    seen = estate(vnet(subnet()), subscription(), absent=[GROUP])
    assert egress_of(seen, policy).result is Result.UNKNOWN


def test_subnets_of_one_network_may_have_several_policies() -> None:
    policies = Policies(
        (
            nat_policy(select=Conditions(occupants=("cluster",)), priority=200),
            isolated_policy("off", select=Conditions(occupants=("empty",))),
        )
    )
    seen = estate(
        vnet(subnet("nodes"), subnet("new"), subnet("vms", **INHABITED)),
        *(cluster(subnet_id("nodes")), nic()),
        listed=[EVERYTHING],
    )
    policies_by_subnet = {judged.subnet.name: judged.policy and judged.policy.name for judged in look(seen, policies)}
    assert policies_by_subnet == {"nodes": "nat", "new": "isolated", "vms": None}


def test_verdicts_are_counted() -> None:
    verdicts = judge(estate(vnet(subnet("a"), subnet("b", defaultOutboundAccess=False))), Policies((nat_policy(),)))
    assert results(verdicts) == {"Violation": 3, "Compliant": 1}
    assert results([]) == {}


def test_a_hub_without_a_block_takes_any_appliance() -> None:
    policy = nat_policy(egress=Egress(allow=(PathKind.HUB,)))
    assert egress_of(estate(vnet(subnet(**ROUTED)), TO_HOP), policy).result is Result.COMPLIANT
