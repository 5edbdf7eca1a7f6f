"""How far what was written is proven, in four words, and what is asked for it."""

from typing import Any

import pytest

from governor.core import ids
from governor.core.estate import EVERYTHING, Estate, Gap, Reading, build, effective_routes
from governor.core.policy import Policies
from governor.core.proof import Proof, Word, asked, proofs
from governor.core.routing import RouteTo
from governor.core.step import Attachment, CreateResourceGroup, Step, WriteInterface, WriteRoute, WriteSubnet
from tests.core.hub_world import AROUND, HOP, INHABITED, OURS, THEIRS, TO_HUB, hub_network, hub_policy, spoke
from tests.core.world import (
    AT,
    GROUP,
    REGION,
    Body,
    address,
    address_id,
    config_id,
    encoded,
    nat,
    nat_id,
    nat_policy,
    nic,
    nic_id,
    refs,
    route,
    subnet,
    subnet_id,
    table,
    table_id,
    vnet,
)

HUB = Policies((hub_policy(ready="assumed"),))
ATTACH = WriteSubnet(subnet_id("app", "spoke"), Attachment(route_table=table_id()), Attachment())
BY_TABLE = {"routeTable": {"id": table_id()}, "defaultOutboundAccess": False}


def effective(*routes: tuple[str, str, str], state: str = "Active", name: str = "nic") -> Body:
    """Effective routes of an interface: prefix, kind and address of the next hop."""
    value = [
        {
            "source": "User",
            "state": state,
            "addressPrefix": [prefix],
            "nextHopType": kind,
            "nextHopIpAddress": [hop] if hop else [],
        }
        for prefix, kind, hop in routes
    ]
    return {"id": ids.effective_routes(nic_id(name)), "type": "Microsoft.Network/x", "value": value}


def seen(*bodies: Body, gaps: tuple[Gap, ...] = (), lived_in: bool = True) -> Estate:
    """A subnet with a machine in it whose table leads to the hub, and what was read besides."""
    app = subnet("app", "spoke", **BY_TABLE, **(INHABITED if lived_in else {}))
    here = spoke(app, peerings=(OURS,))
    known = (here, hub_network(THEIRS), table("rt", TO_HUB), *AROUND, *bodies)
    return build(AT, Reading(encoded(*known), listed=(EVERYTHING,), gaps=gaps), judged=[here["id"]])


def the_proof(estate: Estate, *steps: Step, policies: Policies = HUB) -> Proof:
    (found,) = proofs(steps or (ATTACH,), estate, policies)
    return found


APPLIANCE = "VirtualAppliance"
TOLD: list[tuple[Body, Word, str]] = [
    (effective(("0.0.0.0/0", APPLIANCE, HOP)), Word.ROUTE, f"0.0.0.0/0 -> {HOP} in the effective routes of nic"),
    # The halves win over the whole, wherever that leads.
    (
        effective(("0.0.0.0/0", "Internet", ""), ("0.0.0.0/1", APPLIANCE, HOP), ("128.0.0.0/1", APPLIANCE, HOP)),
        Word.ROUTE,
        f"0.0.0.0/0 -> {HOP} in the effective routes of nic",
    ),
    (effective(("0.0.0.0/0", "Internet", "")), Word.NOT, "lead 0.0.0.0/0 to Internet"),
    (effective(("0.0.0.0/0", APPLIANCE, "10.9.9.9")), Word.NOT, "lead 0.0.0.0/0 to 10.9.9.9"),
    (
        effective(("0.0.0.0/1", APPLIANCE, HOP), ("128.0.0.0/1", APPLIANCE, "10.9.9.9")),
        Word.NOT,
        f"lead 0.0.0.0/0 to {HOP}, 10.9.9.9",
    ),
    (effective(("0.0.0.0/0", APPLIANCE, HOP), state="Invalid"), Word.NOT, "lead 0.0.0.0/0 to nothing"),
    (effective(), Word.NOT, "lead 0.0.0.0/0 to nothing"),
]


@pytest.mark.parametrize(("routes", "word", "text"), TOLD)
def test_a_route_is_proven_by_the_effective_routes_of_a_machine(routes: Body, word: Word, text: str) -> None:
    found = the_proof(seen(nic(), routes))
    assert found.word is word
    assert text in found.seen


def test_what_cannot_be_asked_leaves_the_weaker_word_with_the_reason() -> None:
    found = the_proof(seen(nic(), gaps=(Gap(effective_routes(nic_id()), "no permission"),)))
    assert (found.word, found.seen) == (
        Word.CONFIGURATION,
        f"route to appliance {HOP} is attached; the effective routes of nic: no permission",
    )
    alone = the_proof(seen(lived_in=False))
    assert alone.word is Word.CONFIGURATION
    assert alone.seen.endswith("no machine in it has effective routes to ask for")
    # An interface that is no machine's has none, either.
    assert the_proof(seen(nic(machine=None))).seen == alone.seen


def test_the_interface_is_read_and_then_its_routes_are_asked_for_once_for_each_table() -> None:
    assert asked((ATTACH,), seen(), HUB) == (nic_id(),)
    assert asked((ATTACH,), seen(nic()), HUB) == (effective_routes(nic_id()),)
    both = [subnet(name, "spoke", **BY_TABLE, ipConfigurations=refs(config_id(name))) for name in ("app", "db")]
    here = spoke(*both, peerings=(OURS,))
    known = (here, hub_network(THEIRS), table("rt", TO_HUB), *AROUND, nic("app"), nic("db"))
    estate = build(AT, Reading(encoded(*known), listed=(EVERYTHING,)), judged=[here["id"]])
    second = WriteSubnet(subnet_id("db", "spoke"), ATTACH.to, ATTACH.was)
    assert asked((ATTACH, second), estate, HUB) == (effective_routes(nic_id("app")),)
    assert asked((), estate, HUB) == asked((CreateResourceGroup(GROUP, REGION),), estate, HUB) == ()


def test_a_route_that_is_written_touches_all_subnets_of_its_table() -> None:
    step = WriteRoute(f"{table_id()}/routes/r", RouteTo("r", "0.0.0.0/0", APPLIANCE, HOP))
    assert the_proof(seen(nic(), effective(("0.0.0.0/0", APPLIANCE, HOP))), step).word is Word.ROUTE
    elsewhere = WriteRoute(f"{table_id('other')}/routes/r", step.to)
    assert proofs((elsewhere,), seen(nic()), HUB) == ()


def _behind_nat(*bodies: Body, **properties: Any) -> Estate:
    here = vnet(subnet("app", natGateway=nat_id(), **INHABITED, **properties))
    known = (here, nat("ng", address_id()), address(), nic(), *bodies)
    return build(AT, Reading(encoded(*known), listed=(EVERYTHING,)), judged=[here["id"]])


def test_a_nat_gateway_is_proven_by_its_configuration_alone() -> None:
    policies, step = Policies((nat_policy(),)), WriteSubnet(subnet_id("app"), Attachment(), Attachment())
    found = the_proof(_behind_nat(), step, policies=policies)
    assert found.word is Word.CONFIGURATION
    assert found.seen.endswith("is attached and no route wins over it; it is in no effective routes")
    # Nobody's routes are asked for it.
    assert asked((step,), _behind_nat(), policies) == ()
    # Where a route wins, the gateway proves nothing.
    routed = _behind_nat(table("rt", route("0.0.0.0/0", APPLIANCE, "10.0.0.4")), routeTable={"id": table_id()})
    assert "NAT gateway" not in the_proof(routed, step, policies=policies).seen


def test_what_is_not_known_is_not_provable() -> None:
    step, policies = WriteSubnet(subnet_id("app"), Attachment(), Attachment()), Policies((nat_policy(),))
    here = vnet(subnet("app", natGateway=nat_id()))
    estate = build(AT, Reading(encoded(here), listed=(EVERYTHING,)), judged=[here["id"]])
    assert the_proof(estate, step, policies=policies).word is Word.NOT


def test_an_address_that_comes_off_touches_the_subnet_of_its_interface() -> None:
    body = nic()
    body["properties"]["ipConfigurations"][0]["properties"]["subnet"] = {"id": subnet_id("app")}
    step, policies = WriteInterface(nic_id(), {"ipconfig1": None}, {"ipconfig1": "x"}), Policies((nat_policy(),))
    here = vnet(subnet("app", natGateway=nat_id(), **INHABITED))
    estate = build(
        AT, Reading(encoded(here, nat("ng", address_id()), address(), body), listed=(EVERYTHING,)), judged=[here["id"]]
    )
    assert asked((step,), estate, policies) == (nic_id(),)
    assert the_proof(estate, step, policies=policies).word is Word.CONFIGURATION
