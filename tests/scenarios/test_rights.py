"""A hub whose owners let nobody peer with it: nothing is begun, people are told what to grant, then it is done."""

from pathlib import Path

import pytest

from governor.core.plan import Gate
from governor.core.record import Record
from tests.scenarios.test_hub import DURATIONS, HUB, linked, spoke, with_hub
from tests.scenarios.world import SUB, World

PEERINGS = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings"
PEER = "Microsoft.Network/virtualNetworks/peer/action"


def told(record: Record) -> dict[str, tuple[Gate, str]]:
    """By requirement, the only reason why its repair is withheld."""
    return {
        requirement: (offer.reasons[0].gate, offer.reasons[0].text)
        for offer in record.withheld
        for requirement in offer.remediation.requirements
    }


async def last(world: World) -> Record:
    return (await world.records())[-1]


@pytest.mark.parametrize(
    ("denied", "named"),
    [((f"{PEERINGS}/write",), f"{PEERINGS}/write"), ((PEER,), PEER), (("*/write", "*/action"), None)],
    ids=["their side", "our side", "both"],
)
@pytest.mark.parametrize("by", ["a person", "a sweep"])
async def test_a_hub_that_may_not_be_peered_with_is_left_alone_until_it_may(
    tmp_path: Path, denied: tuple[str, ...], named: str | None, by: str
) -> None:
    world = with_hub(tmp_path, 1, durations=DURATIONS, limited=True)
    world.roles.give("", "*", less=denied)
    world.roles.give(spoke(1), "*")
    await world.quiet()
    text = f"the governor may not {named or f'{PEERINGS}/write and {PEER}'} on hub: grant it there ({HUB})"
    reasons = told(await last(world))
    assert reasons["hub-peering"] == (Gate.RIGHTS, text)
    assert reasons["subnet-egress"] == (Gate.NEEDS, f"spoke-1 must come first, and is withheld: {text}")
    assert world.writes() == []
    assert all(world.get(end)["properties"].get("virtualNetworkPeerings", []) == [] for end in (HUB, spoke(1)))

    world.roles.give("", "*")
    world.clock.advance(3600)
    if by == "a sweep":
        await world.sweep(SUB)
    else:
        await world.govern_once(spoke(1))
        await world.quiet()
    assert linked(world, 1)
    assert [answer for answer in world.arm.requests if answer.status == 403] == []


async def test_permissions_that_cannot_be_read_hold_the_write_back(tmp_path: Path) -> None:
    world = with_hub(tmp_path, 1, durations=DURATIONS, limited=True)
    world.roles.give("", "*", less=("Microsoft.Authorization/*",))
    await world.quiet()
    gate, text = told(await last(world))["hub-peering"]
    assert gate is Gate.UNSEEN
    assert text.startswith("what the governor may do on hub could not be read: no permission for ")
    assert world.writes() == []
