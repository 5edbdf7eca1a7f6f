"""What others must allow before anything of theirs is written."""

import msgspec
import pytest

from governor.core.estate import permissions as permissions_of
from governor.core.plan import Gate
from tests.core.hub_world import (
    FW,
    GROUP_MADE,
    HUB,
    LINKED,
    OURS,
    OWN_TABLE,
    Run,
    hub_network,
    hub_policy,
    run,
    spoke,
    the_firewall,
)
from tests.core.world import REGION, SUB, Azure, Body, address, group, permissions, subnet, subscription, table, vnet_id

THEIR_SUBSCRIPTION = SUB.replace("a", "b")
SIDES = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings"
PEER = "Microsoft.Network/virtualNetworks/peer/action"
JOIN = "Microsoft.Network/routeTables/join/action"
WRITE_ROUTES = "Microsoft.Network/routeTables/routes/write"


def elsewhere(*bodies: Body) -> tuple[Body, ...]:
    """Bodies in, the same in the subscription of those who own the hub out."""
    text = msgspec.json.encode(bodies).decode().replace(SUB, THEIR_SUBSCRIPTION)
    return msgspec.json.decode(text, type=tuple[Body, ...])


THEIR_HUB, THEIR_FW = (one["id"] for one in elsewhere({"id": HUB}, {"id": FW}))
THEIR_POLICY = hub_policy(hub_virtual_network={REGION: THEIR_HUB}, firewall={REGION: THEIR_FW})


def with_their_hub(*bodies: Body, unreadable: tuple[str, ...] = ()) -> Run:
    """A new spoke, whose hub is in another subscription; the spoke alone is judged."""
    hub = elsewhere(hub_network(), the_firewall(), address("pip-fw", "20.0.0.1"))
    ours = (spoke(subnet("app")), group(), subscription(), GROUP_MADE)
    return Run(Azure(*ours, *hub, *bodies, unreadable=unreadable, only=vnet_id("spoke")), THEIR_POLICY)


DENIED = [
    ((f"{SIDES}/write",), f"{SIDES}/write"),
    ((f"{SIDES}/*", PEER), f"{SIDES}/write and {PEER}"),
    ((PEER.upper(),), PEER),
    (("*/action",), PEER),
]


@pytest.mark.parametrize(("denied", "named"), DENIED, ids=[named for _, named in DENIED])
def test_nothing_is_written_where_the_owners_of_the_hub_do_not_allow_it(denied: tuple[str, ...], named: str) -> None:
    first = with_their_hub(permissions(THEIR_HUB, *denied))
    assert first.plan.remediations == ()
    text = f"the governor may not {named} on hub: grant it there ({THEIR_HUB})"
    assert first.why("hub-peering") == (Gate.RIGHTS, text)
    assert first.why("subnet-egress") == (Gate.NEEDS, f"spoke must come first, and is withheld: {text}")
    assert [one for one in first.azure.asked if one.startswith("permissions(")] == [permissions_of(THEIR_HUB)]


def test_what_the_owners_of_the_hub_allow_is_written() -> None:
    first = with_their_hub(permissions(THEIR_HUB, "Microsoft.Network/virtualNetworks/write", "*/delete"))
    assert first.steps == ["CreateRouteTable", "WritePeering", "WritePeering", "WriteSubnet"]


def test_permissions_that_cannot_be_read_are_not_taken_for_granted() -> None:
    first = with_their_hub(unreadable=(permissions_of(THEIR_HUB),))
    assert first.plan.remediations == ()
    text = "what the governor may do on hub could not be read: no permission"
    assert first.why("hub-peering") == (Gate.UNSEEN, text)
    assert first.why("subnet-egress")[0] is Gate.NEEDS


@pytest.mark.parametrize(
    ("denied", "gate", "told"),
    [
        (JOIN, Gate.RIGHTS, f"the governor may not {JOIN} on rt-spoke: grant it there ({OWN_TABLE})"),
        (WRITE_ROUTES, Gate.NEEDS, "rt-spoke must come first, and is withheld: the governor may not"),
    ],
)
def test_a_table_of_others_is_joined_and_written_where_they_allow_it(denied: str, gate: Gate, told: str) -> None:
    """It has the name of ours, serves nobody yet, and the governor did not make it."""
    theirs = {**table("rt-spoke"), "id": OWN_TABLE}
    bodies = (spoke(subnet("app"), peerings=(OURS,)), *LINKED, GROUP_MADE, theirs)
    assert run(*bodies).steps == ["WriteRoute", "WriteSubnet"]
    first = run(*bodies, permissions(OWN_TABLE, denied))
    assert first.plan.remediations == ()
    assert first.why()[0] is gate
    assert first.why()[1].startswith(told)
