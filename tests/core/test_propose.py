"""What would repair a subnet, and why sometimes nothing can."""

from datetime import date
from typing import Any

import pytest
from msgspec import UNSET

from governor.core import ids
from governor.core.judged import look
from governor.core.plan import Gate, Plan
from governor.core.policy import Egress, Exemption, NatGatewayPolicy, PathKind, Policies, Policy, ProxyPolicy
from governor.core.policy import Requirement as Wanted
from governor.core.propose import Proposal, propose
from governor.core.step import (
    Attachment,
    CreateNatGateway,
    CreatePublicIp,
    CreatePublicIpPrefix,
    CreateResourceGroup,
    CreateRouteTable,
    WriteSubnet,
    name,
)
from tests.core.world import (
    AT,
    OWN,
    OWN_GROUP,
    REGION,
    Azure,
    Body,
    address,
    address_id,
    allowing,
    config_id,
    group,
    hub_policy,
    isolated_policy,
    nat,
    nat_id,
    nat_policy,
    network,
    nic,
    pool_id,
    prefix,
    refs,
    route,
    subnet,
    subnet_id,
    table,
    table_id,
    vnet,
    with_nat,
)

PIP = address_id()
INHABITED: dict[str, Any] = {"ipConfigurations": refs(config_id())}
NG = nat_id("ng-spoke", OWN)


def proposed(policy: Policy, *bodies: Body, unreadable: tuple[str, ...] = ()) -> Proposal:
    """What is proposed once everything that can be read was read."""
    policies = Policies((policy,))
    seen = Azure(*bodies, unreadable=unreadable).observe(policies)
    return propose(seen, look(seen, policies))


def steps(proposal: Proposal) -> list[str]:
    return [name(step) for _, step in proposal.plan.steps]


def the_write(proposal: Proposal) -> WriteSubnet:
    (write,) = (step for _, step in proposal.plan.steps if isinstance(step, WriteSubnet))
    return write


def withheld(proposal: Proposal) -> tuple[Gate, str]:
    assert proposal.plan.remediations == ()
    (held,) = proposal.plan.withheld
    (reason,) = held.reasons
    return reason.gate, reason.text


# ---- NAT gateways ---------------------------------------------------------------------------------------------------


def test_a_new_network_gets_group_address_gateway_and_attachment() -> None:
    proposal = proposed(nat_policy(), vnet(subnet()))
    assert steps(proposal) == ["CreateResourceGroup", "CreatePublicIp", "CreateNatGateway", "WriteSubnet"]
    made, gateway, repair = proposal.plan.remediations
    assert made.steps == (CreateResourceGroup(OWN_GROUP, REGION, {"egress-governor-policy": "nat"}),)
    assert gateway.steps[1] == CreateNatGateway(
        NG, REGION, "Standard", (address_id("pip-ng-spoke-1", OWN),), tags={"egress-governor-policy": "nat"}
    )
    assert gateway.needs == (made.digest,)
    assert set(repair.needs) == {made.digest, gateway.digest}
    assert repair.requirements == ("subnet-egress", "subnet-private")
    assert repair.disruptions == ("none",)
    assert the_write(proposal) == WriteSubnet(
        subnet_id(), to=Attachment(NG, UNSET, False), was=Attachment(None, UNSET, None), empty=True
    )


def test_several_subnets_share_one_gateway() -> None:
    proposal = proposed(nat_policy(), vnet(subnet("a"), subnet("b"), subnet("c")))
    assert steps(proposal).count("CreateNatGateway") == 1
    assert steps(proposal).count("WriteSubnet") == 3


def test_a_neighbours_gateway_is_adopted_the_most_used_first() -> None:
    used = nat_id("b-used")
    spoke = vnet(
        *(subnet("a", natGateway=nat_id("a-other")), subnet("b", natGateway=used), subnet("c", natGateway=used)),
        *(subnet("new"), subnet("late")),
    )
    proposal = proposed(nat_policy(), spoke, nat("a-other", PIP), nat("b-used", address_id("x")))
    writes = [step for _, step in proposal.plan.steps if isinstance(step, WriteSubnet)]
    assert {write.to.nat_gateway for write in writes if write.target in (subnet_id("new"), subnet_id("late"))} == {used}


@pytest.mark.parametrize(
    ("policy", "target"),
    [
        (with_nat(adopt=False), NG),
        (with_nat(name="ng-{virtualNetwork}-{subnet}"), nat_id("ng-spoke-app", OWN)),
    ],
)
def test_no_neighbour_is_adopted_where_the_policy_wants_its_own(policy: Policy, target: str) -> None:
    spoke = vnet(subnet("old", natGateway=nat_id(), defaultOutboundAccess=False), subnet())
    assert the_write(proposed(policy, spoke, nat("ng", PIP))).to.nat_gateway == target


def test_a_gateway_of_our_own_name_is_used_again() -> None:
    proposal = proposed(nat_policy(), vnet(subnet()), nat("ng-spoke", PIP, group=OWN))
    assert steps(proposal) == ["WriteSubnet"]
    assert the_write(proposal).to.nat_gateway == NG


@pytest.mark.parametrize("state", ["Updating", "Failed"])
def test_a_gateway_that_is_not_succeeded_is_waited_for(state: str) -> None:
    proposal = proposed(nat_policy(), vnet(subnet()), nat("ng-spoke", PIP, group=OWN, provisioningState=state))
    assert withheld(proposal) == (Gate.SETTLE, f"NAT gateway ng-spoke is {state}")
    assert proposal.plan.withheld[0].reasons[0].after


def test_a_gateway_without_addresses_is_not_adopted() -> None:
    proposal = proposed(nat_policy(), vnet(subnet()), nat("ng-spoke", group=OWN))
    assert withheld(proposal) == (Gate.FORECAST, "NAT gateway ng-spoke has no public address")


def test_an_existing_group_is_not_made() -> None:
    proposal = proposed(nat_policy(), vnet(subnet()), group(OWN))
    assert steps(proposal) == ["CreatePublicIp", "CreateNatGateway", "WriteSubnet"]


PREFIX = network("publicIPPrefixes", "ippre")
GIVEN: list[tuple[dict[str, Any], list[str], tuple[int, int]]] = [
    ({"public_ips": 3}, ["CreatePublicIp"] * 3, (3, 0)),
    ({"public_ip_prefix_length": 30}, ["CreatePublicIpPrefix"], (0, 1)),
    ({"existing": (PIP, PREFIX)}, [], (1, 1)),
    ({"existing": (PIP,), "public_ip_prefix_length": 30}, [], (1, 0)),
]


@pytest.mark.parametrize(("given", "made", "count"), GIVEN)
def test_a_gateway_has_the_addresses_it_is_given(
    given: dict[str, Any], made: list[str], count: tuple[int, int]
) -> None:
    proposal = proposed(with_nat(**given), vnet(subnet()), group(OWN), address(), prefix())
    assert steps(proposal) == [*made, "CreateNatGateway", "WriteSubnet"]
    (gateway,) = (step for _, step in proposal.plan.steps if isinstance(step, CreateNatGateway))
    assert (len(gateway.public_ips), len(gateway.public_ip_prefixes)) == count


def test_addresses_that_are_to_be_used_are_read_before() -> None:
    azure = Azure(vnet(subnet()), group(OWN), address())
    azure.observe(Policies((with_nat(existing=(PIP,)),)))
    assert PIP in azure.asked
    proposal = proposed(with_nat(existing=(PIP,)), vnet(subnet()), group(OWN), unreadable=(PIP,))
    assert withheld(proposal) == (Gate.UNSEEN, "pip could not be read: no permission")


@pytest.mark.parametrize("location", ["qatarcentral", "Qatar Central"])
def test_a_region_without_standard_v2_gets_standard(location: str) -> None:
    body = vnet(subnet(), location=location)
    proposal = proposed(with_nat(sku="StandardV2"), body)
    assert {s.sku for _, s in proposal.plan.steps if isinstance(s, CreateNatGateway | CreatePublicIp)} == {"Standard"}
    elsewhere = proposed(with_nat(sku="StandardV2"), vnet(subnet()))
    skus = {s.sku for _, s in elsewhere.plan.steps if isinstance(s, CreateNatGateway | CreatePublicIp)}
    assert skus == {"StandardV2"}


@pytest.mark.parametrize(
    ("wanted", "zones"),
    [
        ({"zones": ("2",)}, ("2",)),
        ({"zones": "none"}, ()),
        ({"zones": ("2",), "sku": "StandardV2"}, ()),
        ({"zones": ("2",), "public_ip_prefix_length": 31}, ("2",)),
    ],
)
def test_only_standard_gateways_and_their_addresses_have_zones(wanted: dict[str, Any], zones: tuple[str, ...]) -> None:
    proposal = proposed(with_nat(**wanted), vnet(subnet()))
    made = [
        step
        for _, step in proposal.plan.steps
        if isinstance(step, CreateNatGateway | CreatePublicIp | CreatePublicIpPrefix)
    ]
    assert {step.zones for step in made} == {zones}


def test_a_gateway_for_each_zone_is_not_built() -> None:
    gate, text = withheld(proposed(with_nat(zones="perZone"), vnet(subnet())))
    assert gate is Gate.UNSUPPORTED
    assert "each zone" in text


def test_names_are_filled_in() -> None:
    policy = with_nat(name="ng-{region}-{virtualNetwork}", resource_group="rg-{resourceGroup}")
    assert the_write(proposed(policy, vnet(subnet(), location="West Europe"))).to.nat_gateway == nat_id(
        "ng-westeurope-spoke", "rg-rg-net"
    )


# ---- private --------------------------------------------------------------------------------------------------------


def test_a_subnet_that_leaves_as_it_should_is_only_made_private() -> None:
    proposal = proposed(nat_policy(), vnet(subnet(natGateway=nat_id())), nat("ng", PIP))
    assert the_write(proposal) == WriteSubnet(
        subnet_id(),
        to=Attachment(default_outbound_access=False),
        was=Attachment(default_outbound_access=None),
        empty=True,
    )
    assert proposal.plan.remediations[0].requirements == ("subnet-private",)


@pytest.mark.parametrize("stance", ["audit", "allow"])
def test_where_private_is_not_demanded_only_the_gateway_is_attached(stance: Any) -> None:
    policy = nat_policy(egress=Egress(nat_gateway=NatGatewayPolicy(), default_outbound_access=stance))
    proposal = proposed(policy, vnet(subnet()))
    assert the_write(proposal).to == Attachment(nat_gateway=NG)
    assert proposal.plan.remediations[-1].requirements == ("subnet-egress",)
    done = proposed(policy, vnet(subnet(natGateway=nat_id())), nat("ng", PIP))
    assert done.plan == Plan()


def test_routes_to_the_internet_would_break_in_a_private_subnet() -> None:
    direct = table("rt", route("0.0.0.0/0", "VirtualAppliance", "10.1.0.4"), route("AzureMonitor", "Internet"))
    proposal = proposed(hub_policy(next_hop={REGION: "10.1.0.4"}), vnet(subnet(routeTable=table_id())), direct)
    told = [held.reasons[0] for held in proposal.plan.withheld if "subnet-private" in held.remediation.requirements]
    assert [(reason.gate, "to-AzureMonitor" in reason.text) for reason in told] == [(Gate.FORECAST, True)]


def test_routes_to_the_internet_do_not_break_behind_a_nat_gateway() -> None:
    direct = table("rt", route("AzureMonitor", "Internet"))
    spoke = vnet(subnet(routeTable=table_id(), natGateway=nat_id()))
    assert steps(proposed(nat_policy(), spoke, direct, nat("ng", PIP))) == ["WriteSubnet"]


def exempt(requirement: Wanted) -> Policy:
    return nat_policy(exemptions=(Exemption(subnet_id(), requirement, "x", "y", date(2030, 1, 1)),))


def test_what_is_exempt_from_private_stays_as_it_is() -> None:
    assert the_write(proposed(exempt(Wanted.SUBNET_PRIVATE), vnet(subnet()))).to == Attachment(nat_gateway=NG)


def test_an_exempt_way_out_is_not_taken_away_by_making_the_subnet_private() -> None:
    gate, text = withheld(proposed(exempt(Wanted.SUBNET_EGRESS), vnet(subnet())))
    assert (gate, text) == (Gate.FORECAST, "it is exempt, and leaves by default outbound access, which would end")
    by_address = proposed(exempt(Wanted.SUBNET_EGRESS), vnet(subnet(**INHABITED)), nic(public=PIP))
    assert the_write(by_address).to == Attachment(default_outbound_access=False)


def test_a_subnet_whose_way_out_is_not_known_is_not_made_private() -> None:
    for spoke in (vnet(subnet(routeTable=table_id())), vnet(subnet(provisioningState="Updating"))):
        proposal = proposed(nat_policy(), spoke)
        assert proposal.plan == Plan()


# ---- something else is there ----------------------------------------------------------------------------------------

ELSE: list[tuple[Policy, dict[str, Any], list[Body]]] = [
    (nat_policy(), {"routeTable": table_id()}, [table("rt", route("0.0.0.0/0", "VirtualAppliance", "10.1.0.4"))]),
    (nat_policy(), {"routeTable": table_id()}, [table("rt", route("0.0.0.0/0", "VirtualNetworkGateway"))]),
    (nat_policy(), {"routeTable": table_id()}, [table("rt", route("0.0.0.0/1", "None"))]),
    (nat_policy(), {"natGateway": nat_id()}, [nat("ng")]),
    (isolated_policy(), {"natGateway": nat_id()}, [nat("ng", PIP)]),
    (isolated_policy(), {"routeTable": table_id()}, [table()]),
    (isolated_policy("off"), {"routeTable": table_id()}, [table()]),
]


@pytest.mark.parametrize(("policy", "properties", "context"), ELSE)
def test_something_else_that_is_there_is_never_replaced(
    policy: Policy, properties: dict[str, Any], context: list[Body]
) -> None:
    assert withheld(proposed(policy, vnet(subnet(**properties)), *context))[0] is Gate.REPLACE


def test_a_table_without_a_default_route_does_not_hinder_a_gateway() -> None:
    spoke = vnet(subnet(routeTable=table_id()))
    assert "WriteSubnet" in steps(proposed(nat_policy(), spoke, table("rt", route("10.0.0.0/8", "VnetLocal"))))


PROXIED = nat_policy(egress=Egress(proxy=ProxyPolicy(https="https://proxy:3128")))


def test_a_subnet_behind_a_proxy_is_made_private_while_it_is_empty() -> None:
    write = the_write(proposed(PROXIED, vnet(subnet())))
    assert (write.to, write.empty) == (Attachment(default_outbound_access=False), True)
    assert proposed(PROXIED, vnet(subnet(defaultOutboundAccess=False))).plan == Plan()


PAST: list[tuple[Policy, dict[str, Any], list[Body], Gate, str]] = [
    (PROXIED, INHABITED, [nic()], Gate.OCCUPANTS, "virtual machine vm would be cut off: give it a way out"),
    (PROXIED, INHABITED | {"defaultOutboundAccess": False}, [nic()], Gate.OCCUPANTS, "whether virtual machine vm uses"),
    (PROXIED, {"natGateway": {"id": nat_id()}}, [nat("ng", PIP)], Gate.REPLACE, "past the proxy, by NAT gateway ng"),
    (
        nat_policy(egress=Egress(proxy=ProxyPolicy(https="https://proxy:3128"), default_outbound_access="audit")),
        {},
        [],
        Gate.REPLACE,
        "a subnet behind a proxy is made private",
    ),
]


@pytest.mark.parametrize(("policy", "properties", "context", "gate", "words"), PAST)
def test_who_gets_past_a_proxy_or_would_be_cut_off_behind_it_is_named(
    policy: Policy, properties: dict[str, Any], context: list[Body], gate: Gate, words: str
) -> None:
    told, text = withheld(proposed(policy, vnet(subnet(**properties)), *context, address()))
    assert told is gate
    assert words in text


def test_a_policy_that_builds_nothing_proposes_nothing() -> None:
    proposal = proposed(allowing(PathKind.LOAD_BALANCER), vnet(subnet()))
    assert proposal.plan == Plan()


# ---- isolated -------------------------------------------------------------------------------------------------------

CLOSED = network("routeTables", "rt-isolated-spoke")


def test_an_isolated_subnet_gets_a_table_to_nowhere() -> None:
    proposal = proposed(isolated_policy(), vnet(subnet("a"), subnet("b")))
    assert steps(proposal) == ["CreateRouteTable", "WriteSubnet", "WriteSubnet"]
    assert proposal.plan.remediations[0].steps == (
        CreateRouteTable(CLOSED, REGION, {"egress-governor-policy": "isolated"}),
    )
    assert proposal.plan.remediations[1].steps[0].target == subnet_id("a")


def test_the_table_to_nowhere_is_used_again() -> None:
    spoke = vnet(subnet(defaultOutboundAccess=False))
    proposal = proposed(isolated_policy(), spoke, table("rt-isolated-spoke", route("0.0.0.0/0", "None")))
    assert the_write(proposal).to == Attachment(route_table=CLOSED)


def test_a_table_of_that_name_with_other_routes_is_never_used() -> None:
    other = table("rt-isolated-spoke", route("0.0.0.0/0", "VirtualAppliance", "10.1.0.4"))
    assert withheld(proposed(isolated_policy(), vnet(subnet()), other))[0] is Gate.REPLACE


def test_isolated_without_a_route_is_just_private() -> None:
    proposal = proposed(isolated_policy("off"), vnet(subnet()))
    assert the_write(proposal).to == Attachment(default_outbound_access=False)


# ---- classes of disruption ------------------------------------------------------------------------------------------

AUDIT_PRIVATE: Any = "audit"
CLASSES: list[tuple[Policy, dict[str, Any], list[Body], tuple[str, ...]]] = [
    (nat_policy(), {}, [], ("none",)),
    (nat_policy(), INHABITED, [nic()], ("address", "brief")),
    (with_nat(sku="StandardV2"), INHABITED, [nic()], ("address", "brief")),
    (
        nat_policy(egress=Egress(nat_gateway=NatGatewayPolicy(sku="Standard"), default_outbound_access=AUDIT_PRIVATE)),
        INHABITED,
        [nic()],
        ("address",),
    ),
    (isolated_policy(), INHABITED, [nic()], ("outage", "brief")),
    (isolated_policy("off"), INHABITED, [nic()], ("brief",)),
    (nat_policy(), {**INHABITED, "natGateway": nat_id()}, [nic(), nat("ng", PIP), address()], ("brief",)),
    (
        nat_policy(
            egress=Egress(
                nat_gateway=NatGatewayPolicy(sku="Standard", existing=(PIP,)), default_outbound_access=AUDIT_PRIVATE
            )
        ),
        INHABITED,
        [nic(public=PIP), address()],
        ("none",),
    ),
]


@pytest.mark.parametrize(("policy", "properties", "context", "classes"), CLASSES)
def test_what_a_repair_does_to_those_who_live_there(
    policy: Policy, properties: dict[str, Any], context: list[Body], classes: tuple[str, ...]
) -> None:
    proposal = proposed(policy, vnet(subnet(**properties)), *context)
    assert proposal.plan.remediations[-1].disruptions == classes


def test_whoever_approves_sees_old_and_new_addresses() -> None:
    spoke = vnet(subnet(**INHABITED))
    bodies = (nic(public=PIP), address(), address("new", "203.0.113.99"))
    proposal = proposed(nat_policy(), spoke, *bodies, nat("ng-spoke", address_id("new"), group=OWN))
    (repair,) = proposal.plan.remediations
    assert repair.old_addresses == ("203.0.113.1",)
    assert repair.new_addresses == ("203.0.113.99",)


def test_new_addresses_that_may_not_be_read_hold_an_occupied_subnet_back() -> None:
    bodies = (nic(), nat("ng-spoke", address_id("new"), group=OWN))
    hidden = proposed(nat_policy(), vnet(subnet(**INHABITED)), *bodies, unreadable=(address_id("new"),))
    assert withheld(hidden) == (Gate.UNSEEN, "new could not be read: no permission")
    empty = proposed(nat_policy(), vnet(subnet()), *bodies, unreadable=(address_id("new"),))
    assert steps(empty) == ["WriteSubnet"]


def test_addresses_that_are_still_to_be_made_are_not_read() -> None:
    azure = Azure(vnet(subnet(**INHABITED)), nic(public=PIP), address())
    policies = Policies((nat_policy(),))
    seen = azure.observe(policies)
    repair = propose(seen, look(seen, policies)).plan.remediations[-1]
    assert repair.old_addresses == ("203.0.113.1",)
    assert repair.new_addresses == ("address of pip-ng-spoke-1",)
    assert not [one for one in azure.asked if ids.kind(one) == ids.PUBLIC_IP]


def test_a_gateway_that_may_not_be_read_is_never_made_again() -> None:
    gate, text = withheld(proposed(nat_policy(), vnet(subnet()), unreadable=(NG,)))
    assert (gate, text) == (Gate.UNSEEN, "ng-spoke could not be read: no permission")


# ---- digests --------------------------------------------------------------------------------------------------------


def test_the_digest_is_about_what_is_done_not_about_what_was_seen() -> None:
    before = proposed(nat_policy(), vnet(subnet(**INHABITED)), nic(), group(OWN)).plan.remediations[-1]
    pooled = nic("nic", pool_id()) | {"etag": "other"}
    azure = Azure(vnet(subnet(**INHABITED, etag="x")) | {"etag": "y"}, nic(machine=None), pooled, group(OWN))
    seen = azure.observe(at=AT.replace(year=2027))
    assert not propose(seen, look(seen, Policies((nat_policy(),)))).plan.remediations
    unpooled = Azure(vnet(subnet(**INHABITED)) | {"etag": "y"}, nic(machine="other"), group(OWN))
    later = unpooled.observe(at=AT.replace(year=2027))
    after = propose(later, look(later, Policies((nat_policy(),)))).plan.remediations[-1]
    assert after.digest == before.digest


@pytest.mark.parametrize("policy", [nat_policy(name="other"), with_nat(name="elsewhere"), isolated_policy()])
def test_another_policy_or_target_is_another_digest(policy: Policy) -> None:
    before = proposed(nat_policy(), vnet(subnet())).plan.remediations[-1]
    assert proposed(policy, vnet(subnet())).plan.remediations[-1].digest != before.digest
