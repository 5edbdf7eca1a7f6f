"""Who has public addresses, and what policy says to it: tables first, then what was not seen, and where things live."""

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from governor.core import ids
from governor.core.address_verdict import addresses_of
from governor.core.cause import Remainder, VirtualNetwork
from governor.core.estate import EVERYTHING, Estate, Gap, Reading, add, clusters, list_of
from governor.core.judged import judge
from governor.core.policy import (
    AddressRepair,
    AllowedAddress,
    Exemption,
    Mode,
    PathKind,
    Policies,
    Policy,
    PublicIps,
    Requirement,
)
from governor.core.policy import Select as Conditions
from governor.core.propose import proposal
from governor.core.verdict import Result, Verdict
from governor.core.whereabouts import elsewhere, whereabouts
from tests.core.world import (
    ADDRESSES,
    AT,
    GROUP,
    REGION,
    SUB,
    Azure,
    Body,
    address,
    address_id,
    allowing,
    balancer,
    balancer_id,
    cluster,
    config_id,
    encoded,
    estate,
    group,
    nat,
    nat_policy,
    nic,
    nic_id,
    pool_id,
    prefix,
    refs,
    subnet,
    subscription,
    vnet,
    vnet_id,
)

PIP = address_id()
LIVED_IN = vnet(subnet(ipConfigurations=refs(config_id())))
SET = f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/web"
INSTANCE = f"{SET}/virtualMachines/0/networkInterfaces/n/ipConfigurations/c"
FRONTEND = f"{balancer_id()}/frontendIPConfigurations/fe"
SCOPE = f"/subscriptions/{SUB}"


def policy(**changes: Any) -> Policy:
    return nat_policy(public_ips=PublicIps(**changes))


def allowed(**conditions: Any) -> Policy:
    return policy(allow=(AllowedAddress(**conditions),))


def about(seen: Estate, *policies: Policy) -> dict[str, Verdict]:
    """By name of the holder, what is said of its addresses."""
    found = (one for seen in addresses_of(seen, Policies(policies or (policy(),))).values() for one in seen.verdicts)
    return {ids.name(verdict.resource): verdict for verdict in found}


def tagged(body: Body, **tags: str) -> Body:
    return {**body, "tags": tags}


def scale_set(public: bool = True, **network_profile: Any) -> Body:
    inner: Body = {"subnet": {"id": LIVED_IN["properties"]["subnets"][0]["id"]}}
    if public:
        inner["publicIPAddressConfiguration"] = {"name": "pub"}
    configuration = {"name": "c", "properties": inner}
    interface = {"name": "n", "properties": {"ipConfigurations": [configuration], **network_profile}}
    return {
        "id": SET,
        "type": "Microsoft.Compute/virtualMachineScaleSets",
        "location": REGION,
        "properties": {
            "virtualMachineProfile": {"networkProfile": {"networkInterfaceConfigurations": [interface]}},
        },
    }


def instances(*texts: str) -> Body:
    value = [
        {"id": f"{INSTANCE}/publicIPAddresses/pub{n}", "properties": {"ipAddress": one}} for n, one in enumerate(texts)
    ]
    return {"id": ids.instance_addresses(SET), "value": value}


def behind(body: Body) -> Body:
    """A load balancer in, the same with the machine of LIVED_IN behind it out."""
    pools = [{"id": pool_id(), "properties": {"backendIPConfigurations": refs(config_id())}}]
    return {**body, "properties": {**body["properties"], "backendAddressPools": pools}}


# ---- network interfaces ----------------------------------------------------------------------------------------------

ON_A_MACHINE = "203.0.113.1 (pip) on virtual machine vm"
BASIC = "Basic SKU is retired: az network public-ip update -g rg-net -n pip --sku Standard, once it is detached"
INTERFACES: list[tuple[Policy, Body, Body, Result, str]] = [
    (policy(), nic(public=PIP), address(), Result.VIOLATION, ON_A_MACHINE),
    (policy(default="audit"), nic(public=PIP), address(), Result.VIOLATION, ON_A_MACHINE),
    (
        policy(),
        nic(public=PIP, machine=None),
        address(),
        Result.VIOLATION,
        "203.0.113.1 (pip) on network interface nic",
    ),
    (policy(), nic(public=PIP), address(ip=None), Result.VIOLATION, "no address yet (pip) on virtual machine vm"),
    (
        policy(),
        nic(public=PIP, enableIPForwarding=True),
        address(),
        Result.VIOLATION,
        f"{ON_A_MACHINE}; it forwards traffic of others",
    ),
    (policy(), nic(public=PIP), address(sku="Basic"), Result.VIOLATION, f"{ON_A_MACHINE}; {BASIC}"),
    # What is allowed is said with what allows it.
    (allowed(names=("pip*",)), nic(public=PIP), address(), Result.COMPLIANT, f"{ON_A_MACHINE}; allowed by its name"),
    (allowed(names=("pip-edge-*",)), nic(public=PIP), address(), Result.VIOLATION, ON_A_MACHINE),
    (
        allowed(tags={"Edge": "yes"}),
        nic(public=PIP),
        tagged(address(), edge="yes"),
        Result.COMPLIANT,
        f"{ON_A_MACHINE}; allowed by tag edge=yes",
    ),
    (allowed(tags={"edge": "yes"}), nic(public=PIP), address(), Result.VIOLATION, ON_A_MACHINE),
    (allowed(names=("pip",), tags={"edge": "yes"}), nic(public=PIP), address(), Result.VIOLATION, ON_A_MACHINE),
    # Whoever `attachedTo` can name is no machine.
    (allowed(attached_to=("bastion",), names=("pip",)), nic(public=PIP), address(), Result.VIOLATION, ON_A_MACHINE),
    (
        policy(default="allow"),
        nic(public=PIP),
        address(),
        Result.NOT_APPLICABLE,
        f"{ON_A_MACHINE}; the policy allows public addresses",
    ),
    # While it is being written nothing is known.
    (
        policy(),
        nic(public=PIP, provisioningState="Updating"),
        address(),
        Result.UNKNOWN,
        f"{ON_A_MACHINE}; nic is Updating",
    ),
]


@pytest.mark.parametrize(("one", "interface", "held", "result", "seen"), INTERFACES)
def test_an_interface_with_a_public_address(
    one: Policy, interface: Body, held: Body, result: Result, seen: str
) -> None:
    # `default: allow` alone asks for nothing; beside another policy it says so.
    others = (nat_policy(name="other", priority=1),)
    verdict = about(estate(LIVED_IN, attached(held), interface), one, *others)["nic"]
    assert (verdict.result, verdict.seen, verdict.requirement) == (result, seen, "nic-public-ip")
    assert verdict.waits is (result is Result.UNKNOWN)


def attached(held: Body, to: str = config_id()) -> Body:
    return {**held, "properties": {**held["properties"], "ipConfiguration": {"id": to}}}


def test_the_evidence_holds_the_addresses() -> None:
    verdict = about(estate(LIVED_IN, nic(public=PIP), attached(address())))["nic"]
    assert (verdict.addresses, verdict.expected) == (("203.0.113.1",), "no public address")


def test_machines_without_an_address_are_not_read() -> None:
    others = refs(config_id("a"), config_id("b"), config_id())
    there = vnet(subnet(ipConfigurations=others, natGateway=nat()["id"], defaultOutboundAccess=False))
    azure = Azure(there, nat("ng", address_id("ng")), attached(address()), nic(public=PIP), nic("a"), nic("b"))
    seen = azure.observe()
    assert [one for one in azure.asked if ids.kind(one) == ids.NETWORK_INTERFACE] == [nic_id()]
    assert about(seen)["nic"].result is Result.VIOLATION


def test_who_asks_for_nothing_reads_nothing() -> None:
    azure = Azure(LIVED_IN, nic(public=PIP), attached(address()))
    azure.observe(Policies((policy(default="allow"),)))
    assert not [one for one in azure.asked if one.startswith(("publicIpAddresses(", "loadBalancers("))]
    assert addresses_of(azure.observe(), Policies((policy(default="allow"),))) == {}


def test_an_address_is_exempt_for_a_while() -> None:
    given = Exemption(nic_id(), Requirement.NIC_PUBLIC_IP, "team-x", "moves", (AT + timedelta(days=1)).date())
    one = nat_policy(exemptions=(given,))
    assert about(estate(LIVED_IN, nic(public=PIP), attached(address())), one)["nic"].result is Result.EXEMPT


@pytest.mark.parametrize(
    ("tags", "above", "governed"),
    [({"env": "lab"}, {}, True), ({}, {"env": "lab"}, True), ({"env": "prod"}, {"env": "lab"}, False), ({}, {}, False)],
)
def test_an_interface_is_selected_by_its_network_and_its_own_tags(tags: Any, above: Any, governed: bool) -> None:
    one = nat_policy(select=Conditions(virtual_networks=("spoke",), subnets=("app",), tags={"env": "lab"}))
    bodies = (tagged(LIVED_IN, **above), tagged(nic(public=PIP), **tags), attached(address()), group(), subscription())
    verdict = about(estate(*bodies), one)["nic"]
    assert verdict.result is (Result.VIOLATION if governed else Result.UNGOVERNED)


def test_which_policy_governs_may_not_be_known() -> None:
    one = nat_policy(select=Conditions(tags={"env": "lab"}))
    seen = estate(LIVED_IN, nic(public=PIP), attached(address()))
    assert about(seen, one)["nic"].seen.endswith("policy nat may govern it; not read: tags.env")
    found = addresses_of(seen, Policies((one,)))[vnet_id().casefold()]
    assert set(found.missing) == {SCOPE, ids.group_of(nic_id())}


# ---- scale sets ------------------------------------------------------------------------------------------------------

SCALED = vnet(subnet(ipConfigurations=refs(INSTANCE)))
SETS: list[tuple[tuple[Body, ...], Result | None, str]] = [
    (
        (scale_set(), instances("203.0.113.7", "203.0.113.8")),
        Result.VIOLATION,
        "its model gives every instance a public address: 203.0.113.7 (pub0), 203.0.113.8 (pub1)",
    ),
    (
        (scale_set(), instances()),
        Result.VIOLATION,
        "its model gives every instance a public address: no instance has one",
    ),
    ((scale_set(enableIPForwarding=True), instances()), Result.VIOLATION, "it forwards traffic of others"),
    ((scale_set(public=False),), None, ""),
    ((), Result.UNKNOWN, "not seen: not read"),
]


@pytest.mark.parametrize(("bodies", "result", "seen"), SETS)
def test_a_scale_set_is_judged_by_its_model_and_its_instances(bodies: Any, result: Any, seen: str) -> None:
    verdict = about(estate(SCALED, *bodies, listed=(EVERYTHING, *ADDRESSES, list_of("instanceAddresses", SET)))).get(
        "web"
    )
    assert (verdict and verdict.result) == result
    assert verdict is None or (seen in verdict.seen and verdict.requirement == "vmss-public-ip")


def test_instances_are_listed_only_where_the_model_gives_addresses() -> None:
    for public in (True, False):
        azure = Azure(SCALED, scale_set(public), instances())
        azure.observe()
        assert [one for one in azure.asked if ids.kind(one) == ids.SCALE_SET] == [SET]
        assert (list_of("instanceAddresses", SET) in azure.asked) is public


@pytest.mark.parametrize("public", [True, False])
def test_a_cluster_that_gives_its_nodes_no_addresses_is_believed(public: bool) -> None:
    in_nodes = SET.replace("rg-net", "MC_k").replace("/web", "/aks-pool0-1-vmss")
    instance = f"{in_nodes}/virtualMachines/0/networkInterfaces/n/ipConfigurations/c"
    there = vnet(subnet(ipConfigurations=refs(instance)))
    nodes = cluster(there["properties"]["subnets"][0]["id"], nodeResourceGroup="MC_k")
    nodes["properties"]["agentPoolProfiles"][0]["enableNodePublicIP"] = public
    azure = Azure(there, nodes, {**scale_set(), "id": in_nodes})
    seen = azure.observe()
    assert (in_nodes in azure.asked) is public
    if public:
        assert "never written" in about(seen)[ids.name(in_nodes)].seen


# ---- load balancers --------------------------------------------------------------------------------------------------

ON_BALANCER = "203.0.113.1 (pip) on load balancer lb"
BALANCERS: list[tuple[Policy, Body, Result | None, str]] = [
    (policy(), balancer(public=PIP, rule=True), Result.VIOLATION, ON_BALANCER),
    (policy(), balancer(rule=True), None, ""),
    # A frontend that lets nobody in is judged by the way out that it is.
    (policy(), balancer(public=PIP, outbound=True), Result.VIOLATION, ON_BALANCER),
    (
        allowing(PathKind.LOAD_BALANCER),
        balancer(public=PIP, outbound=True),
        Result.COMPLIANT,
        f"{ON_BALANCER}; only outbound rules use it, which the policy allows",
    ),
    (allowing(PathKind.LOAD_BALANCER), balancer(public=PIP, outbound=True, rule=True), Result.VIOLATION, ON_BALANCER),
]


@pytest.mark.parametrize(("one", "body", "result", "seen"), BALANCERS)
def test_a_frontend(one: Policy, body: Body, result: Any, seen: str) -> None:
    held = attached(address(), FRONTEND)
    verdict = about(estate(LIVED_IN, nic("nic", pool_id()), behind(body), held), one).get("fe")
    assert (verdict and (verdict.result, verdict.seen, verdict.requirement)) == (
        result and (result, seen, "load-balancer-public-frontend")
    )


@pytest.mark.parametrize("inside", [True, False])
def test_a_load_balancer_belongs_where_its_machines_are_else_to_no_network(inside: bool) -> None:
    held, body = attached(address(), FRONTEND), balancer(public=PIP, rule=True)
    seen = estate(LIVED_IN, nic("nic", pool_id()), behind(body) if inside else body, held)
    assert ("fe" in about(seen)) is inside
    alone = remainder(held, behind(body) if inside else body)
    assert ("fe" in about(alone)) is not inside


def test_an_address_behind_a_prefix_counts_too() -> None:
    body = behind(balancer(public=PIP, rule=True))
    ranged = prefix()
    body["properties"]["frontendIPConfigurations"][0]["properties"] = {"publicIPPrefix": {"id": ranged["id"]}}
    verdict = about(estate(LIVED_IN, nic("nic", pool_id()), body, ranged))["fe"]
    assert verdict.seen == "203.0.113.0/30 (ippre) on load balancer lb"


# ---- addresses of nobody ---------------------------------------------------------------------------------------------


def made(*created: tuple[str, str | None]) -> Body:
    value = [{"id": one, **({"createdTime": at} if at else {})} for one, at in created]
    return {"id": ids.creation_times(SUB), "value": value}


OLD = made((PIP, "2026-06-01T00:00:00.0000000Z"))


def remainder(*bodies: Body, listed: tuple[str, ...] = (EVERYTHING, *ADDRESSES), gaps: tuple[Gap, ...] = ()) -> Estate:
    """What is seen of a subscription when its networks are left out."""
    return add(Estate(AT, remainders=(SUB,)), Reading(encoded(*bodies), listed=listed, gaps=gaps))


def naming(**profile: Any) -> Body:
    return cluster(networkProfile={"loadBalancerProfile": profile})


SERVICE = {
    "id": f"{GROUP}/providers/Microsoft.ApiManagement/service/api",
    "type": "Microsoft.ApiManagement/service",
    "properties": {"publicIpAddressId": PIP},
}
ALONE = "203.0.113.1 (pip) is attached to nothing"
NOBODYS: list[tuple[Policy, tuple[Body, ...], Result | None, str]] = [
    (policy(), (address(), OLD), Result.VIOLATION, ALONE),
    (policy(), (attached(address()), OLD), None, ""),
    (policy(), (address(natGateway={"id": nat()["id"]}), OLD), None, ""),
    (allowed(names=("pip",)), (address(),), Result.COMPLIANT, f"{ALONE}; allowed by its name"),
    # Who names it does so in his own body.
    (policy(), (address(), OLD, SERVICE), Result.COMPLIANT, f"{ALONE}; API Management api names it"),
    (policy(), (address(), OLD, naming(effectiveOutboundIPs=refs(PIP))), Result.COMPLIANT, "cluster aks names it"),
    (
        policy(),
        (address(), OLD, naming(outboundIPs={"publicIPs": refs(PIP)})),
        Result.COMPLIANT,
        "cluster aks names it",
    ),
    # Whoever has just made it is about to attach it.
    (
        policy(),
        (address(), made((PIP, "2026-07-01T11:00:00Z"))),
        Result.NOT_APPLICABLE,
        f"{ALONE}; made on 2026-07-01 11:00 UTC: it is left alone for a day",
    ),
    (policy(), (address(), made((PIP, "2026-06-30T11:00:00Z"))), Result.VIOLATION, ALONE),
    # Not known is neither.
    (policy(), (address(), made((PIP, None))), Result.UNKNOWN, "since when it is there is not known"),
    (policy(), (address(), made((PIP, "yesterday"))), Result.UNKNOWN, "since when it is there is not known"),
    (policy(), (address(),), Result.UNKNOWN, "since when it is there is not known"),
]


@pytest.mark.parametrize(("one", "bodies", "result", "seen"), NOBODYS)
def test_an_address_that_nobody_has(one: Policy, bodies: Any, result: Any, seen: str) -> None:
    verdict = about(remainder(*bodies, group(), subscription()), one).get("pip")
    assert (verdict and verdict.result) == result
    assert verdict is None or (seen in verdict.seen and verdict.requirement == "public-ip-unattached")


@pytest.mark.parametrize(
    ("inner", "alone"),
    [
        ({}, True),
        ({"publicIPAddresses": refs(PIP)}, False),
        ({"natGateway": {"id": nat()["id"]}}, False),
        ({"loadBalancerFrontendIpConfiguration": {"id": FRONTEND}}, False),
    ],
)
def test_a_prefix_that_nobody_has(inner: Body, alone: bool) -> None:
    one = prefix()
    one["properties"] |= inner
    old = made((one["id"], "2026-06-01T00:00:00Z"))
    verdict = about(remainder(one, old)).get("ippre")
    assert (verdict and verdict.seen) == ("203.0.113.0/30 (ippre) is attached to nothing" if alone else None)


def test_an_address_of_nobody_is_selected_by_its_group() -> None:
    ours = nat_policy(select=Conditions(resource_groups=("rg-net",), regions=(REGION,), tags={"env": "lab"}))
    seen = remainder(address(), OLD, group(env="lab"), subscription())
    assert about(seen, ours)["pip"].result is Result.VIOLATION
    for other in (Conditions(virtual_networks=("*",)), Conditions(subnets=("*",)), Conditions(occupants=("empty",))):
        assert about(seen, nat_policy(select=other))["pip"].result is Result.UNGOVERNED


# ---- what was not seen -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "requirement"),
    [("publicIpAddresses", "nic-public-ip"), ("loadBalancers", "load-balancer-public-frontend")],
)
def test_lists_that_cannot_be_read_are_never_compliant(what: str, requirement: str) -> None:
    name = list_of(what, SCOPE)
    others = tuple(one for one in ADDRESSES if one != name)
    gap = Gap(name, "no permission")
    seen = estate(LIVED_IN, nic(), listed=(EVERYTHING, *others), gaps=(gap,))
    verdict = about(seen)["spoke"]
    assert (verdict.result, verdict.requirement, verdict.seen) == (
        Result.UNKNOWN,
        requirement,
        "not seen: no permission",
    )
    assert "spoke" not in about(seen, nat_policy(select=Conditions(virtual_networks=("other",))))
    assert about(remainder(listed=others, gaps=(gap,)))[SUB].result is Result.UNKNOWN


def test_an_interface_that_cannot_be_read_is_never_compliant() -> None:
    azure = Azure(LIVED_IN, attached(address()), nic(public=PIP), unreadable=[nic_id()])
    assert about(azure.observe())["nic"].seen == "not seen: no permission"
    assert azure.asked.count(nic_id()) == 1


def test_whether_tags_allow_an_address_that_was_not_read_is_not_known() -> None:
    bodies = (LIVED_IN, nic("nic", pool_id()), behind(balancer(public=PIP, rule=True)))
    seen = estate(*bodies, gaps=[Gap(PIP.casefold(), "no permission")])
    assert about(seen, allowed(tags={"edge": "yes"}))["fe"].result is Result.UNKNOWN
    assert about(seen, allowed(names=("pip",)))["fe"].result is Result.COMPLIANT
    assert about(seen)["fe"].seen == "an address that was not read: no permission (pip) on load balancer lb"


@pytest.mark.parametrize("unread", [clusters(SUB), list_of("apiManagement", SCOPE), list_of("creationTimes", SCOPE)])
def test_who_may_name_an_address_must_be_known(unread: str) -> None:
    names = tuple(one for one in (*ADDRESSES, clusters(SUB)) if one != unread)
    found = addresses_of(remainder(address(), OLD, listed=names), Policies((policy(),)))[SCOPE]
    assert [v.result for v in found.verdicts] == [Result.UNKNOWN]
    assert found.missing == (unread,)


def test_an_empty_network_asks_for_nothing() -> None:
    azure = Azure(vnet(subnet(natGateway=nat()["id"])), nat("ng", PIP))
    azure.observe()
    assert not [one for one in azure.asked if "(" in one and not one.startswith("clusters(")]


# ---- what people are told --------------------------------------------------------------------------------------------


def test_every_violation_is_told_with_what_to_do() -> None:
    bodies = (LIVED_IN, nic("nic", pool_id(), public=PIP), attached(address()), behind(balancer(public=PIP, rule=True)))
    for one in (policy(repair=AddressRepair(network_interface="flag")), policy(default="audit")):
        plan = proposal(estate(*bodies), Policies((one,))).plan
        held = {ids.name(w.remediation.resource): w.reasons[0].text for w in plan.withheld}
        assert {"nic", "fe"} <= held.keys()
        assert ("only audits" in held["fe"]) is (one.public_ips.default == "audit")


# ---- where things live -----------------------------------------------------------------------------------------------

HOME = VirtualNetwork(vnet_id())
REST = Remainder(SUB)


def placed(body: Body) -> Body:
    """An interface in, the same with its subnet named out, as Azure shows it."""
    for one in body["properties"]["ipConfigurations"]:
        one["properties"]["subnet"] = {"id": LIVED_IN["properties"]["subnets"][0]["id"]}
    return body


WHERE: list[tuple[str, tuple[Body, ...], tuple[Any, ...], tuple[str, ...]]] = [
    (nic_id(), (), (), (nic_id(),)),
    (nic_id(), (placed(nic(public=PIP)),), (HOME,), ()),
    (nic_id(), (placed(nic()),), (), ()),
    (SET, (scale_set(),), (HOME,), ()),
    (SET, (scale_set(public=False),), (), ()),
    # One that nobody has is left alone for a day.
    (PIP, (address(),), (), ()),
    (PIP, (attached(address()),), (), (nic_id(),)),
    (PIP, (attached(address()), placed(nic(public=PIP))), (HOME,), ()),
    (PIP, (address(natGateway={"id": nat()["id"]}),), (), ()),
    (prefix()["id"], (), (), ()),
    (balancer_id(), (balancer(),), (), ()),
    (balancer_id(), (balancer(public=PIP),), (REST,), ()),
    (balancer_id(), (behind(balancer(public=PIP)),), (), (nic_id(),)),
    (balancer_id(), (behind(balancer(public=PIP)), placed(nic())), (HOME,), ()),
    (vnet_id(), (), (), ()),
]


@pytest.mark.parametrize(("resource", "bodies", "scopes", "missing"), WHERE)
def test_where_something_lives(resource: str, bodies: Any, scopes: Any, missing: Any) -> None:
    found = whereabouts(resource, estate(*bodies))
    assert (found.scopes, found.missing) == (scopes, missing)
    assert whereabouts(resource, estate(absent=[resource])).scopes == ()


def test_a_run_is_named_for_its_own_addresses_alone() -> None:
    theirs = attached(address("theirs"), config_id("theirs"))
    mine = (LIVED_IN, nic("nic", pool_id(), public=PIP), attached(address()), behind(balancer(public=address_id("lb"))))
    away = elsewhere(estate(*mine, theirs, address("nobodys"), attached(address("lb"), FRONTEND)))
    assert away == {address_id("theirs").casefold(), address_id("nobodys").casefold()}
    alone = remainder(theirs, address("nobodys"), behind(balancer(public=address_id("lb"))))
    assert elsewhere(alone) == {address_id("theirs").casefold(), balancer_id().casefold()}


# ---- what was recorded of Azure --------------------------------------------------------------------------------------

SAMPLES = os.environ.get("EGRESS_GOVERNOR_SHARED")
# Why: no policy allows an address by name or tag, so whoever has one violates; who has none is not told of at all.
RECORDED = {
    # A machine with an address of the retired SKU.
    "myVMNic": (Result.VIOLATION, ("23.102.173.223",)),
    # Basic load balancers without a machine behind them: a frontend all the same. Neither has an address yet: it is
    # dynamic, and comes with the first machine. Of the second one, the address itself was recorded too.
    "cctestdiagnostic_loadbalancer": (Result.VIOLATION, ()),
    "cctestloadbalancer": (Result.VIOLATION, ()),
}


@pytest.mark.skipif(not SAMPLES, reason="EGRESS_GOVERNOR_SHARED names no folder of samples")
def test_what_was_recorded_is_judged_as_written_down() -> None:
    bodies = json.loads((Path(str(SAMPLES)) / "samples" / "estate_recorded.json").read_text(encoding="utf-8"))
    recorded = [body for body in bodies if "ea42f556" in body["id"]]
    interfaces = [body for body in recorded if body["type"].endswith("/networkInterfaces")]
    subnets: dict[str, list[str]] = {}
    for body in interfaces:
        for one in body["properties"]["ipConfigurations"]:
            subnets.setdefault(one["properties"]["subnet"]["id"], []).append(one["id"])
    # The networks themselves were not recorded: what the interfaces say of them is put there.
    networks = [
        {
            "id": ids.parent(there),
            "name": ids.name(ids.parent(there)),
            "type": "Microsoft.Network/virtualNetworks",
            "location": "southcentralus",
            "properties": {
                "subnets": [{"id": there, "name": ids.name(there), "properties": {"ipConfigurations": refs(*held)}}]
            },
        }
        for there, held in subnets.items()
    ]
    owner = ids.parse(recorded[0]["id"]).subscription
    listed = tuple(
        list_of(what, f"/subscriptions/{owner}") for what in ("publicIpAddresses", "publicIpPrefixes", "loadBalancers")
    )
    seen = estate(*recorded, *networks, listed=(EVERYTHING, *listed))
    rest = add(Estate(AT, remainders=(owner,)), Reading(encoded(*recorded), listed=(EVERYTHING, *listed)))
    verdicts = [*judge(seen, Policies((policy(),))), *judge(rest, Policies((policy(),)))]
    public = [
        v
        for v in verdicts
        if v.requirement in ("nic-public-ip", "load-balancer-public-frontend", "public-ip-unattached")
    ]
    assert {ids.name(ids.top_level(v.resource)): (v.result, v.addresses) for v in public} == RECORDED
    assert all("Basic SKU is retired" in v.seen for v in public)
    # An address and its load balancer go to Standard together.
    fronts = [v.seen for v in public if v.requirement == "load-balancer-public-frontend"]
    assert fronts
    assert all("Start-AzBasicLoadBalancerUpgrade -ResourceGroupName " in seen for seen in fronts)
    # Of six interfaces one has an address. The Kubernetes master's address is on a load balancer that was not
    # recorded: nobody is accused of it, and it is not called unattached.
    assert (len(interfaces), len(public)) == (6, 3)


def test_modes_do_not_change_what_is_true() -> None:
    seen = estate(LIVED_IN, nic(public=PIP), attached(address()))
    results = {about(seen, nat_policy(mode=mode))["nic"].result for mode in Mode}
    assert results == {Result.VIOLATION}
