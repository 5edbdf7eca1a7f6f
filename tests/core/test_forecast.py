"""What the world would look like after steps, and what Azure would refuse."""

from typing import Any

import pytest

from governor.core import facts
from governor.core.effects import MAX_ADDRESSES
from governor.core.estate import ABSENT, Estate
from governor.core.forecast import MAX_SUBNETS, Refusal, forecast, with_subnet
from governor.core.step import (
    Attachment,
    CreateNatGateway,
    CreatePublicIp,
    CreatePublicIpPrefix,
    CreateResourceGroup,
    CreateRouteTable,
    DeleteNatGateway,
    Step,
    WriteSubnet,
)
from tests.core.world import (
    OWN_GROUP,
    REGION,
    SUB,
    Body,
    address,
    address_id,
    config_id,
    delegated,
    estate,
    nat,
    nat_id,
    network,
    nic,
    refs,
    subnet,
    subnet_id,
    table,
    table_id,
    vnet,
)

PIP = address_id()


def attach(name: str = "app", gateway: str | None = None, vnet: str = "spoke") -> WriteSubnet:
    return WriteSubnet(subnet_id(name, vnet), to=Attachment(nat_gateway=gateway or nat_id()), was=Attachment())


def after(seen: Estate, *steps: Step) -> Estate:
    answer = forecast(seen, steps)
    assert isinstance(answer, Estate), answer
    return answer


def why(seen: Estate, *steps: Step) -> str:
    answer = forecast(seen, steps)
    assert isinstance(answer, Refusal)
    assert answer.step in steps
    return answer.why


SPOKE = vnet(subnet(), subnet("db"))


def test_what_is_made_exists_and_what_is_written_holds() -> None:
    table_, prefix = table_id("rt"), network("publicIPPrefixes", "p")
    seen = estate(SPOKE, absent=[OWN_GROUP, PIP, nat_id(), table_, prefix])
    then = after(
        seen,
        CreateResourceGroup(OWN_GROUP, REGION),
        CreatePublicIp(PIP, REGION, "Standard"),
        CreatePublicIpPrefix(prefix, REGION, "Standard", 30),
        CreateNatGateway(nat_id(), REGION, "Standard", (PIP,), (prefix,)),
        CreateRouteTable(table_, REGION),
        WriteSubnet(subnet_id(), to=Attachment(nat_id(), table_, False), was=Attachment()),
    )
    assert then.absent == frozenset()
    written = next(one for one in then.networks[0].properties.subnets or () if one.name == "app")
    assert written == with_subnet(
        next(one for one in seen.networks[0].properties.subnets or () if one.name == "app"),
        Attachment(nat_id(), table_, False),
    )
    known = then.find(SPOKE["id"], facts.VirtualNetwork)
    assert known == then.networks[0]
    made = then.find(table_, facts.RouteTable)
    assert isinstance(made, facts.RouteTable)
    assert made.properties.disable_bgp_route_propagation
    gateway = then.find(nat_id(), facts.NatGateway)
    assert isinstance(gateway, facts.NatGateway)
    assert len(gateway.properties.public_ip_addresses or ()) == len(gateway.properties.public_ip_prefixes or ()) == 1


def test_nothing_changes_without_steps() -> None:
    seen = estate(SPOKE, nat("ng", PIP))
    assert after(seen) == seen


def test_what_exists_already_stays_as_it_is() -> None:
    seen = estate(SPOKE, nat("ng", PIP, sku="StandardV2"))
    then = after(seen, CreateNatGateway(nat_id(), REGION, "Standard", (address_id("other"),)))
    assert then.find(nat_id(), facts.NatGateway) == seen.find(nat_id(), facts.NatGateway)


def test_a_member_that_is_not_named_stays() -> None:
    one = facts.Subnet("i", "n", facts.SubnetProperties(nat_gateway=facts.Ref("g"), default_outbound_access=False))
    assert with_subnet(one, Attachment()) == one
    assert with_subnet(one, Attachment(None, None, None)) == facts.Subnet("i", "n")


def test_what_is_deleted_is_absent() -> None:
    seen = estate(vnet(subnet(natGateway=nat_id())), nat("ng", PIP, subnets=refs(subnet_id())))
    off = WriteSubnet(subnet_id(), to=Attachment(nat_gateway=None), was=Attachment(nat_gateway=nat_id()))
    then = after(seen, off, DeleteNatGateway(nat_id()))
    assert then.find(nat_id(), facts.NatGateway) is ABSENT
    assert after(estate(SPOKE, absent=[nat_id()]), DeleteNatGateway(nat_id())).known


def test_a_gateway_in_use_cannot_be_deleted() -> None:
    used = estate(
        vnet(subnet(natGateway=nat_id()), subnet("db", natGateway=nat_id())),
        nat("ng", PIP, subnets=refs(subnet_id(), subnet_id("db"))),
    )
    assert why(used, DeleteNatGateway(nat_id())) == "NAT gateway ng is still used by 2 subnets"
    off = WriteSubnet(subnet_id(), to=Attachment(nat_gateway=None), was=Attachment(nat_gateway=nat_id()))
    assert why(used, off, DeleteNatGateway(nat_id())) == "NAT gateway ng is still used by 1 subnets"
    gone = estate(vnet(subnet()), nat("ng", PIP, subnets=refs(subnet_id("deleted-meanwhile"))))
    assert after(gone, DeleteNatGateway(nat_id())).find(nat_id(), facts.NatGateway) is ABSENT
    elsewhere = estate(SPOKE, nat("ng", PIP, subnets=refs(subnet_id("x", "not-read"))))
    assert "still used" in why(elsewhere, DeleteNatGateway(nat_id()))


BASIC = address(sku="Basic")
REFUSED: list[tuple[list[Body], list[Step], str]] = [
    ([vnet()], [attach()], "the subnet does not exist"),
    ([], [attach()], "the subnet does not exist"),
    ([vnet(subnet("GatewaySubnet")), nat("ng", PIP)], [attach("GatewaySubnet")], "a subnet of Azure's own"),
    ([SPOKE], [attach()], "ng does not exist"),
    ([SPOKE, nat("ng", PIP, location="northeurope")], [attach()], "in another subscription or region"),
    (
        [vnet(subnet(delegations=delegated("Microsoft.Sql/managedInstances"))), nat("ng", PIP)],
        [attach()],
        "a subnet of SQL managed instances",
    ),
    (
        [SPOKE, nat("ng", PIP, subnets=refs(subnet_id("x", "other")))],
        [attach()],
        "NAT gateway ng serves subnets of other, and cannot serve two networks",
    ),
    (
        [SPOKE, nat("ng", PIP, subnets=refs(*(subnet_id(f"s{i}") for i in range(MAX_SUBNETS))))],
        [attach()],
        f"serves {MAX_SUBNETS} subnets already",
    ),
    (
        [vnet(subnet(ipConfigurations=refs(config_id()))), nat("ng", PIP), nic(public=PIP), BASIC],
        [attach()],
        "Basic public IP address or load balancer: pip",
    ),
    (
        [vnet(subnet(ipConfigurations=refs(config_id().lower()))), nat("ng", PIP), nic(public=PIP), BASIC],
        [attach()],
        "Basic public IP address or load balancer: pip",
    ),
    (
        [SPOKE],
        [CreateNatGateway(nat_id(), REGION, "Standard", tuple(address_id(str(i)) for i in range(MAX_ADDRESSES + 1)))],
        "at most 16 addresses",
    ),
    ([SPOKE, BASIC], [CreateNatGateway(nat_id(), REGION, "Standard", (PIP,))], "cannot use pip, whose SKU is Basic"),
    ([SPOKE, address()], [CreateNatGateway(nat_id(), REGION, "StandardV2", (PIP,))], "whose SKU is Standard"),
    (
        [vnet(subnet(), name="a"), vnet(subnet(), name="b"), nat("ng", PIP)],
        [attach(vnet="a"), attach(vnet="b")],
        "NAT gateway ng would serve a too, and cannot serve two networks",
    ),
]


@pytest.mark.parametrize(("bodies", "steps", "words"), REFUSED)
def test_what_azure_would_refuse(bodies: list[Body], steps: list[Step], words: str) -> None:
    assert words in why(estate(*bodies), *steps)


def test_an_address_that_does_not_exist_is_no_address() -> None:
    make = CreateNatGateway(nat_id(), REGION, "Standard", (PIP,))
    assert why(estate(SPOKE, absent=[PIP]), make) == "pip does not exist"


def test_a_table_of_another_subscription_is_refused() -> None:
    other = table_id().replace(SUB, SUB.replace("a", "b"))
    seen = estate(SPOKE, table("rt") | {"id": other})
    step = WriteSubnet(subnet_id(), to=Attachment(route_table=other), was=Attachment())
    assert why(seen, step) == "rt is in another subscription or region than the network"


ACCEPTED: list[dict[str, Any]] = [
    {"subnets": refs(subnet_id("db"))},
    {"subnets": refs(*(subnet_id(f"s{i}") for i in range(MAX_SUBNETS - 1)))},
    {"subnets": refs(subnet_id().upper(), *(subnet_id(f"s{i}") for i in range(MAX_SUBNETS - 1)))},
]


@pytest.mark.parametrize("properties", ACCEPTED)
def test_a_gateway_may_serve_many_subnets_of_one_network(properties: dict[str, Any]) -> None:
    after(estate(SPOKE, nat("ng", PIP, **properties)), attach())


def test_regions_are_compared_as_azure_spells_them() -> None:
    after(estate(SPOKE, nat("ng", PIP, location="West Europe")), attach())


def test_a_standard_address_does_not_hinder_a_gateway() -> None:
    occupied = vnet(subnet(ipConfigurations=refs(config_id(), config_id("unread"))))
    after(estate(occupied, nat("ng", PIP), nic(public=PIP), address()), attach())
