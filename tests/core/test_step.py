"""Steps: edits of raw bodies, what makes them stale, and what takes them back."""

import copy
from typing import Any

import pytest
from msgspec import UNSET

from governor.core import attachment, step
from governor.core.routing import NETWORK_TAG
from governor.core.step import (
    Attachment,
    CreateNatGateway,
    CreatePublicIp,
    CreatePublicIpPrefix,
    CreateResourceGroup,
    CreateRouteTable,
    DeleteNatGateway,
    Reversibility,
    Step,
    WriteSubnet,
)
from tests.core.world import (
    OWN_GROUP,
    REGION,
    Body,
    address_id,
    nat_id,
    network,
    subnet,
    subnet_id,
    table_id,
    vnet_id,
)

TARGET = subnet_id()
TAGS = {"owner": "us"}
GATEWAY = CreateNatGateway(nat_id(), REGION, "Standard", (address_id(),), (), 10, ("1",), TAGS)
CREATES: list[Step] = [
    CreateResourceGroup(OWN_GROUP, REGION, TAGS),
    CreatePublicIp(address_id(), REGION, "Standard", ("1",), TAGS),
    CreatePublicIpPrefix(network("publicIPPrefixes", "p"), REGION, "StandardV2", 30),
    GATEWAY,
    CreateRouteTable(table_id(), REGION, TAGS),
]


def write(to: Attachment, was: Attachment | None = None) -> WriteSubnet:
    return WriteSubnet(TARGET, to=to, was=was or Attachment())


FULL: Body = subnet(
    networkSecurityGroup={"id": "nsg"},
    serviceEndpoints=[{"service": "Microsoft.Storage"}],
    delegations=[],
    somethingNew={"deep": [1, {"er": None}]},
) | {"etag": 'W/"1"', "unknown": True}


def test_unknown_members_survive_a_write() -> None:
    one = write(Attachment(nat_id(), table_id(), False))
    before = copy.deepcopy(FULL)
    after = step.edit(one, FULL)
    assert before == FULL
    assert after is not None
    changed = {"natGateway": {"id": nat_id()}, "routeTable": {"id": table_id()}, "defaultOutboundAccess": False}
    assert after == FULL | {"properties": FULL["properties"] | changed}


HOLDING: list[tuple[Attachment, dict[str, Any]]] = [
    (Attachment(nat_gateway=nat_id()), {"natGateway": {"id": nat_id().upper(), "more": 1}}),
    (Attachment(nat_gateway=None), {}),
    (Attachment(nat_gateway=None), {"natGateway": None}),
    (
        Attachment(route_table=table_id()),
        {"routeTable": {"id": table_id().replace("resourceGroups", "resourcegroups")}},
    ),
    (Attachment(default_outbound_access=False), {"defaultOutboundAccess": False}),
    (Attachment(default_outbound_access=None), {}),
    (Attachment(), {"natGateway": {"id": nat_id()}, "defaultOutboundAccess": True}),
]


@pytest.mark.parametrize(("to", "properties"), HOLDING)
def test_what_holds_already_is_not_written(to: Attachment, properties: dict[str, Any]) -> None:
    body = subnet(**properties)
    assert step.edit(write(to), body) == body


@pytest.mark.parametrize(
    ("to", "properties", "left"),
    [
        (Attachment(nat_gateway=None), {"natGateway": nat_id()}, {}),
        (Attachment(route_table=None), {"routeTable": table_id()}, {}),
        (Attachment(default_outbound_access=None), {"defaultOutboundAccess": False}, {}),
        (Attachment(default_outbound_access=True), {}, {"defaultOutboundAccess": True}),
    ],
)
def test_what_is_taken_off_is_absent_afterwards(
    to: Attachment, properties: dict[str, Any], left: dict[str, Any]
) -> None:
    assert step.edit(write(to), subnet(**properties)) == subnet(**left)


def test_a_body_without_properties_gets_them() -> None:
    assert step.edit(write(Attachment(default_outbound_access=False)), {"id": TARGET}) == {
        "id": TARGET,
        "properties": {"defaultOutboundAccess": False},
    }


def test_a_subnet_that_is_gone_is_not_made() -> None:
    assert step.edit(write(Attachment(nat_gateway=nat_id())), None) is None
    assert step.conflict(write(Attachment()), None) == "the subnet is gone"


STALE: list[tuple[Attachment, Attachment, dict[str, Any], str | None]] = [
    # was, to, what is there now, why it is stale
    (Attachment(nat_gateway=None), Attachment(nat_gateway=nat_id()), {}, None),
    (Attachment(nat_gateway=None), Attachment(nat_gateway=nat_id()), {"natGateway": nat_id().upper()}, None),
    (
        Attachment(nat_gateway=None),
        Attachment(nat_gateway=nat_id()),
        {"natGateway": nat_id("else")},
        "nat_gateway was absent when the plan was made and is else now",
    ),
    (
        Attachment(route_table=table_id()),
        Attachment(route_table=None),
        {"routeTable": table_id("other")},
        "route_table was rt when the plan was made and is other now",
    ),
    (
        Attachment(default_outbound_access=None),
        Attachment(default_outbound_access=False),
        {"defaultOutboundAccess": True},
        "default_outbound_access was absent when the plan was made and is true now",
    ),
    # Members that the plan did not look at may be anything.
    (Attachment(nat_gateway=None), Attachment(nat_gateway=nat_id()), {"routeTable": table_id("new")}, None),
]


@pytest.mark.parametrize(("was", "to", "properties", "why"), STALE)
def test_a_step_is_stale_when_something_else_is_there(
    was: Attachment, to: Attachment, properties: dict[str, Any], why: str | None
) -> None:
    assert step.conflict(write(to, was), subnet(**properties)) == why


def test_the_inverse_of_a_write_restores_the_body() -> None:
    one = write(Attachment(nat_id(), UNSET, False), Attachment(None, UNSET, None))
    back = step.inverse(one)
    assert back == write(Attachment(None, UNSET, None), Attachment(nat_id(), UNSET, False))
    assert back is not None
    assert step.edit(back, step.edit(one, FULL)) == FULL
    assert step.conflict(back, step.edit(one, FULL)) is None
    assert step.inverse(back) == one


@pytest.mark.parametrize("one", CREATES)
def test_what_is_made_holds_once_it_is_there(one: Step) -> None:
    body = step.edit(one, None)
    assert body is not None
    assert body["location"] == REGION
    assert step.conflict(one, None) is None
    assert step.conflict(one, body) is None
    assert step.edit(one, body) is body
    assert step.intended(one) == frozenset()


def test_bodies_that_are_made() -> None:
    assert step.edit(CREATES[0], None) == {"location": REGION, "tags": TAGS}
    sku = {"name": "Standard", "tier": "Regional"}
    assert step.edit(CREATES[1], None) == {
        "location": REGION,
        "tags": TAGS,
        "properties": {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4"},
        "sku": sku,
        "zones": ["1"],
    }
    assert step.edit(CREATES[2], None) == {
        "location": REGION,
        "tags": {},
        "properties": {"prefixLength": 30, "publicIPAddressVersion": "IPv4"},
        "sku": {"name": "StandardV2", "tier": "Regional"},
    }
    assert step.edit(GATEWAY, None) == {
        "location": REGION,
        "tags": TAGS,
        "properties": {"idleTimeoutInMinutes": 10, "publicIpAddresses": [{"id": address_id()}]},
        "sku": sku,
        "zones": ["1"],
    }
    nowhere = {"addressPrefix": "0.0.0.0/0", "nextHopType": "None"}
    assert step.edit(CREATES[4], None) == {
        "location": REGION,
        "tags": TAGS,
        "properties": {
            "disableBgpRoutePropagation": True,
            "routes": [{"name": "no-way-out", "properties": nowhere}],
        },
    }


TAKEN: list[tuple[Step, Body, str | None]] = [
    (GATEWAY, {"sku": {"name": "StandardV2"}}, "a NAT gateway of this name has SKU StandardV2, not Standard"),
    (GATEWAY, {}, "a NAT gateway of this name has SKU None, not Standard"),
    (CREATES[1], {"sku": {"name": "Basic"}}, "an address of this name has SKU Basic, not Standard"),
    (CREATES[1], {}, None),
    (CREATES[4], {"properties": {"routes": []}}, "a route table of this name has other routes"),
    (CREATES[4], {}, "a route table of this name has other routes"),
    (
        CREATES[4],
        {"properties": {"routes": [{"name": "x", "properties": {"addressPrefix": "0.0.0.0/0"}}]}},
        "a route table of this name has other routes",
    ),
    (
        CreateRouteTable(table_id(), REGION, {NETWORK_TAG: vnet_id()}),
        {"tags": {NETWORK_TAG: vnet_id("other")}, "properties": {}},
        "a route table of this name was made for network other in rg-net",
    ),
    (
        CreateRouteTable(table_id(), REGION, {NETWORK_TAG: vnet_id()}),
        {"tags": {NETWORK_TAG: "ours, hands off"}, "properties": {}},
        "a route table of this name was made for network ours, hands off",
    ),
    (
        CreateRouteTable(table_id(), REGION, {NETWORK_TAG: vnet_id()}),
        {"properties": {"subnets": [{"id": subnet_id("x", "other")}]}},
        "a route table of this name serves network other in rg-net",
    ),
    (CREATES[0], {"location": "elsewhere"}, None),
    (DeleteNatGateway(nat_id()), {"any": 1}, None),
]


@pytest.mark.parametrize(("one", "body", "why"), TAKEN)
def test_a_name_that_is_taken_by_something_else_makes_the_step_stale(one: Step, body: Body, why: str | None) -> None:
    assert step.conflict(one, body) == why


def test_deleting_leaves_nothing() -> None:
    assert step.edit(DeleteNatGateway(nat_id()), {"any": 1}) is None
    assert step.edit(DeleteNatGateway(nat_id()), None) is None


INVERSES: list[tuple[Step, Step | None, Reversibility]] = [
    *((one, None, Reversibility.LIMITED) for one in CREATES if one is not GATEWAY),
    (GATEWAY, DeleteNatGateway(nat_id()), Reversibility.LIMITED),
    (DeleteNatGateway(nat_id()), None, Reversibility.IRREVERSIBLE),
    (write(Attachment()), write(Attachment()), Reversibility.REVERSIBLE),
]


@pytest.mark.parametrize(("one", "back", "how"), INVERSES)
def test_how_far_a_step_can_be_taken_back(one: Step, back: Step | None, how: Reversibility) -> None:
    assert step.inverse(one) == back
    assert step.reversibility(one) is how
    assert step.name(one) == type(one).__name__


def test_only_the_members_that_are_written_may_change() -> None:
    assert step.intended(write(Attachment(nat_gateway=None, default_outbound_access=False))) == {
        ("properties", "natGateway"),
        ("properties", "defaultOutboundAccess"),
    }
    assert step.intended(write(Attachment(route_table=table_id()))) == {("properties", "routeTable")}
    assert step.intended(write(Attachment())) == frozenset()


def test_the_attachment_of_a_body() -> None:
    body = subnet(natGateway=nat_id(), defaultOutboundAccess=True)
    assert attachment.of_body(body) == Attachment(nat_id(), None, True)
    assert attachment.of_body({}) == Attachment(None, None, None)
