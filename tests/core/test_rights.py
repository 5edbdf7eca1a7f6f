"""What steps need of others, which patterns allow it, and what people are told when it is missing."""

from typing import Any

import pytest

from governor.core import estate as estates
from governor.core import facts, ids
from governor.core.estate import EVERYTHING, Gap
from governor.core.joins import Right
from governor.core.peering import Flags
from governor.core.plan import Gate, Reason
from governor.core.policy import Policies
from governor.core.rights import asked, forbidden, grants, needed
from governor.core.routing import NETWORK_TAG, RouteTo
from governor.core.step import (
    Attachment,
    CreateNatGateway,
    CreatePublicIp,
    CreatePublicIpPrefix,
    CreateResourceGroup,
    CreateRouteTable,
    DeleteNatGateway,
    DeletePeering,
    DeleteRoute,
    Step,
    WriteInterface,
    WritePeering,
    WritePropagation,
    WriteRoute,
    WriteSubnet,
    WriteTag,
    name,
)
from tests.core.hub_world import AROUND, GROUP_MADE, hub_network, hub_policy, spoke
from tests.core.test_undo import repaired, taken_back
from tests.core.world import (
    GROUP,
    REGION,
    Azure,
    Body,
    address,
    address_id,
    balancer_id,
    encoded,
    estate,
    nat_id,
    network,
    nic,
    nic_id,
    permissions,
    refs,
    subnet,
    subnet_id,
    table,
    table_id,
    vnet,
    vnet_id,
)

OWN, HUB = vnet_id(), vnet_id("hub")
PEERINGS = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings"
PEER = "Microsoft.Network/virtualNetworks/peer/action"
TABLES = "Microsoft.Network/routeTables"
OPEN = Flags(allow_forwarded_traffic=True)
HERE = WritePeering(f"{OWN}/virtualNetworkPeerings/to-hub", HUB, OPEN)
THERE = WritePeering(f"{HUB}/virtualNetworkPeerings/to-spoke", OWN, OPEN)
ROUTE = RouteTo("r", "0.0.0.0/0", "VirtualAppliance", "10.1.0.4")
MADE = table("made") | {"tags": {NETWORK_TAG.upper(): OWN}}


def put_there(table_: str) -> WriteRoute:
    return WriteRoute(f"{table_}/routes/r", ROUTE)


def attach(**to: Any) -> WriteSubnet:
    return WriteSubnet(subnet_id(), to=Attachment(**to), was=Attachment())


def seen(*bodies: Body, listed: tuple[str, ...] = (), gaps: tuple[Gap, ...] = ()) -> estates.Estate:
    """A run on the network `spoke`; somebody's route table, and one that the governor made."""
    known = (vnet(subnet()), vnet(name="hub"), table(), MADE, *bodies)
    return estates.build(estate().observed_at, estates.Reading(encoded(*known), (), listed, gaps), judged=[OWN])


NEEDED: list[tuple[Step, tuple[Right, ...]]] = [
    (HERE, (Right(PEER, HUB),)),
    (THERE, (Right(f"{PEERINGS}/write", HUB),)),
    (WritePeering(f"{HUB}/virtualNetworkPeerings/x", OWN.upper(), OPEN), (Right(f"{PEERINGS}/write", HUB),)),
    (DeletePeering(THERE.target, OWN), (Right(f"{PEERINGS}/delete", HUB),)),
    (DeletePeering(HERE.target, HUB), ()),
    (put_there(table_id()), (Right(f"{TABLES}/routes/write", table_id()),)),
    (DeleteRoute(f"{table_id()}/routes/r", ROUTE), (Right(f"{TABLES}/routes/delete", table_id()),)),
    (WritePropagation(table_id(), disabled=True, was=False), (Right(f"{TABLES}/write", table_id()),)),
    (attach(route_table=table_id()), (Right(f"{TABLES}/join/action", table_id()),)),
    # What the governor made, what is to be made, what is taken off.
    (put_there(table_id("made")), ()),
    (WritePropagation(table_id("made"), disabled=True, was=False), ()),
    (attach(route_table=table_id("made")), ()),
    (attach(route_table=table_id("new")), ()),
    (attach(route_table=None), ()),
    # The ordinary repair by a NAT gateway.
    (attach(nat_gateway=nat_id(), default_outbound_access=False), ()),
    (CreateResourceGroup(GROUP, REGION), ()),
    (CreatePublicIp(address_id(), REGION, "Standard"), ()),
    (CreatePublicIpPrefix(network("publicIPPrefixes", "p"), REGION, "Standard", 30), ()),
    (CreateNatGateway(nat_id(), REGION, "Standard"), ()),
    (CreateRouteTable(table_id("new"), REGION), ()),
    (DeleteNatGateway(nat_id()), ()),
]

NETWORK = "Microsoft.Network"
NIC, GUARD, WEB = nic_id(), network("networkSecurityGroups", "guard"), network("applicationSecurityGroups", "web")
POOL, GATEWAY = f"{balancer_id()}/backendAddressPools/pool", network("applicationGateways", "agw")


def interface() -> Body:
    """An interface that names everything that can be joined."""
    body = nic("nic", POOL, public=address_id(), networkSecurityGroup={"id": GUARD})
    body["properties"]["ipConfigurations"][0]["properties"] |= {
        "subnet": {"id": subnet_id()},
        "applicationSecurityGroups": refs(WEB),
        "loadBalancerInboundNatRules": refs(f"{balancer_id()}/inboundNatRules/ssh"),
        "applicationGatewayBackendAddressPools": refs(f"{GATEWAY}/backendAddressPools/pool"),
    }
    return body


JOINED = (
    Right(f"{NETWORK}/networkInterfaces/write", NIC),
    Right(f"{NETWORK}/networkSecurityGroups/join/action", GUARD),
    Right(f"{NETWORK}/virtualNetworks/subnets/join/action", subnet_id()),
    Right(f"{NETWORK}/publicIPAddresses/join/action", address_id()),
    Right(f"{NETWORK}/applicationSecurityGroups/joinIpConfiguration/action", WEB),
    Right(f"{NETWORK}/loadBalancers/backendAddressPools/join/action", balancer_id()),
    Right(f"{NETWORK}/loadBalancers/inboundNatRules/join/action", balancer_id()),
    Right(f"{NETWORK}/applicationGateways/backendAddressPools/join/action", GATEWAY),
)


def test_an_interface_is_written_by_whoever_may_join_all_that_its_body_names() -> None:
    there = seen(interface())
    take = WriteInterface(NIC, {"ipconfig1": None}, {"ipconfig1": address_id()})
    assert needed(take, there) == tuple(one for one in JOINED if "publicIPAddresses" not in one.action)
    # What comes back must be joined, and so must what stays.
    back = WriteInterface(NIC, {"ipconfig1": address_id("other")}, {"ipconfig1": None})
    assert {right.scope for right in needed(back, there)} >= {address_id("other"), GUARD}
    stays = WriteInterface(NIC, {"another": None}, {"another": address_id("other")})
    assert needed(stays, there) == JOINED


def test_the_tag_of_an_address_asks_for_what_the_address_is_from() -> None:
    prefix, plan = network("publicIPPrefixes", "p"), network("ddosProtectionPlans", "d")
    body = address("pip", publicIPPrefix={"id": prefix}, ddosSettings={"ddosProtectionPlan": {"id": plan}})
    assert needed(WriteTag(address_id("pip"), "a", "b"), seen(body)) == (
        Right(f"{NETWORK}/publicIPAddresses/write", address_id("pip")),
        Right(f"{NETWORK}/publicIPPrefixes/join/action", prefix),
        Right(f"{NETWORK}/ddosProtectionPlans/join/action", plan),
    )
    made = {"id": prefix, "type": f"{NETWORK}/publicIPPrefixes", "properties": {}}
    assert needed(WriteTag(prefix, "a", "b"), seen(made)) == (Right(f"{NETWORK}/publicIPPrefixes/write", prefix),)


@pytest.mark.parametrize(("step", "rights"), NEEDED)
def test_steps_ask_for_what_they_do_to_others(step: Step, rights: tuple[Right, ...]) -> None:
    assert needed(step, seen()) == rights
    assert asked([step, step], seen()) == tuple(estates.permissions(right.scope) for right in rights)


Patterns = tuple[str, ...]
MATCHES: list[tuple[list[tuple[Patterns, Patterns]], bool]] = [
    ([(("*",), ())], True),
    ([((PEER,), ())], True),
    ([((PEER.upper(),), ())], True),
    ([(("Microsoft.Network/*",), ())], True),
    ([(("*/action",), ())], True),
    ([(("Microsoft.Network/*/peer/*",), ())], True),
    ([(("microsoft.network/virtualnetworks/*",), ())], True),
    ([(("*/read", PEER), ())], True),
    ([(("*Network*Networks*r/*",), ())], True),
    # As many asterisks as anybody writes are answered at once.
    ([((f"{'*' * 40}x",), ())], False),
    ([(("*e*e*e*e*e*e*t*t*t*t*r*r*r*r*a*n*?",), ())], False),
    ([], False),
    ([((), ())], False),
    ([(("*/read",), ())], False),
    ([(("Microsoft.Network/virtualNetworks/peer",), ())], False),
    ([(("peer/action",), ())], False),
    # A dot is a dot, and nothing else has a meaning either.
    ([(("MicrosoftXNetwork/*",), ())], False),
    ([(("Microsoft.Network/virtualNetworks/p..r/action",), ())], False),
    ([(("Microsoft.Network/virtualNetworks/[p]eer/action",), ())], False),
    # Not-actions take away from their own permission alone.
    ([(("*",), (PEER.lower(),))], False),
    ([(("*",), ("Microsoft.Network/*/action",))], False),
    ([(("*",), ("*/write",))], True),
    ([(("*",), ("*/action",)), (("Microsoft.Network/*",), ())], True),
    ([(("*",), ("*/action",)), (("*",), ("*/peer/*",))], False),
]


@pytest.mark.parametrize(("said", "granted"), MATCHES)
def test_an_action_is_granted_by_one_permission_that_does_not_leave_it_out(
    said: list[tuple[Patterns, Patterns]], granted: bool
) -> None:
    known = facts.Permissions(HUB, tuple(facts.Permission(actions, left_out) for actions, left_out in said))
    assert grants(known, PEER) is granted


def test_what_azure_leaves_out_grants_nothing() -> None:
    assert not grants(facts.Permissions(HUB, (facts.Permission(),)), PEER)
    assert grants(facts.Permissions(HUB, (facts.Permission(actions=("*",)),)), PEER)


def test_every_missing_action_is_told_with_its_scope_at_once() -> None:
    there = seen(
        permissions(HUB, f"{PEERINGS}/write", PEER), permissions(table_id(), "*/routes/write"), permissions(OWN)
    )
    told = forbidden((THERE, HERE, put_there(table_id())), there)
    assert told == Reason(
        Gate.RIGHTS,
        f"the governor may not {PEERINGS}/write and {PEER} on hub: grant it there ({HUB}); "
        f"the governor may not {TABLES}/routes/write on rt: grant it there ({table_id()})",
    )
    assert forbidden((THERE,), seen(permissions(HUB, PEER))) is None
    assert forbidden((attach(nat_gateway=nat_id()),), seen()) is None


LIST = estates.permissions(HUB)
UNREAD: list[tuple[dict[str, Any], str]] = [
    ({}, "not read"),
    ({"gaps": (Gap(LIST, "no permission"),)}, "no permission"),
    ({"listed": (LIST,), "gaps": (Gap(ids.key(ids.permissions(HUB)), "no body"),)}, "no body"),
    ({"listed": (LIST,)}, "it is gone"),
]


@pytest.mark.parametrize(("known", "why"), UNREAD, ids=[why for _, why in UNREAD])
def test_what_could_not_be_read_is_not_taken_for_granted(known: dict[str, Any], why: str) -> None:
    text = f"what the governor may do on hub could not be read: {why}"
    assert forbidden((THERE,), seen(**known)) == Reason(Gate.UNSEEN, text)


def test_an_exported_estate_says_nothing_about_rights() -> None:
    assert forbidden((THERE, HERE), seen(listed=(EVERYTHING,))) is None


def test_a_table_that_was_not_read_is_nobodys_yet() -> None:
    unread = table_id("unread")
    azure = Azure(vnet(subnet()), unreadable=(unread,))
    assert needed(put_there(unread), azure.observe()) == ()


def test_undo_asks_the_owners_of_the_hub_as_well() -> None:
    policies = Policies((hub_policy(),))
    azure = Azure(spoke(subnet("app")), hub_network(), *AROUND, GROUP_MADE, only=OWN)
    record = repaired(azure, policies)
    azure.bodies["denied"] = permissions(HUB, f"{PEERINGS}/delete")
    plan = taken_back(azure, record, policies)
    # A peering goes with both its sides or not at all.
    assert [name(step) for _, step in plan.steps] == ["WriteSubnet"]
    text = f"the governor may not {PEERINGS}/delete on hub: grant it there ({HUB})"
    assert [held.reasons for held in plan.withheld] == [(Reason(Gate.RIGHTS, text),)] * 2
    azure.bodies["denied"] = permissions(HUB, f"{PEERINGS}/write")
    assert taken_back(azure, record, policies).withheld == ()
