"""Somebody tags a network, its resource group or its subscription: the policy that the tag selects governs at once."""

from pathlib import Path

import pytest

from governor.core.policy import Select
from tests.scenarios.world import GROUP, SUB, World, nat_policy, network, subnet, vnet, vnet_body

TAGS = "providers/Microsoft.Resources/tags/default"
TAGS_API = "2024-11-01"


def tag(world: World, scope: str, operation: str = "Merge", **tags: str) -> None:
    answer = world.ask(
        "PATCH", f"{scope}/{TAGS}", {"operation": operation, "properties": {"tags": tags}}, version=TAGS_API
    )
    assert answer.status == 200, answer.body


async def two_networks(folder: Path) -> World:
    """Two networks that nobody governs, because a policy asks for a tag that nothing has; all is quiet."""
    world = World(folder, nat_policy(select=Select(tags={"egress": ("nat",)})))
    for number in (1, 2):
        world.put_now(vnet(f"spoke-{number}"), vnet_body(("app", "10.0.1.0/24"), space="10.0.0.0/16"))
    await world.quiet()
    assert world.writes() == []
    return world


@pytest.mark.parametrize("scope", [GROUP, f"/subscriptions/{SUB}"], ids=["resource group", "subscription"])
async def test_a_tag_above_governs_every_network_below(tmp_path: Path, scope: str) -> None:
    world = await two_networks(tmp_path)
    tag(world, scope, egress="nat")
    await world.quiet()
    assert world.all_attached(["spoke-1", "spoke-2"])


async def test_a_tag_of_a_network_governs_that_one_alone(tmp_path: Path) -> None:
    world = await two_networks(tmp_path)
    runs = world.runs
    tag(world, vnet("spoke-1"), egress="nat")
    world.arm.settle()
    await world.quiet()
    assert world.all_attached(["spoke-1"])
    assert world.attached("spoke-2") == {"app": None}
    assert world.runs > runs


async def test_a_tag_written_with_its_group_is_seen_as_well(tmp_path: Path) -> None:
    world = await two_networks(tmp_path)
    world.put_now(GROUP, {"location": "westeurope", "tags": {"egress": "nat"}}, TAGS_API)
    await world.quiet()
    assert world.all_attached(["spoke-1", "spoke-2"])


async def test_a_tag_that_is_taken_away_ends_the_governing(tmp_path: Path) -> None:
    world = await two_networks(tmp_path)
    tag(world, GROUP, egress="nat")
    await world.quiet()
    tag(world, GROUP, "Delete", egress="nat")
    await world.quiet()
    assert {v.result.value for v in await world.ports.ledger.verdicts(SUB)} == {"Ungoverned"}
    before = world.writes()
    world.put_now(subnet("spoke-1", "late"), {"properties": {"addressPrefix": "10.0.9.0/24"}})
    await world.quiet()
    assert world.writes() == before


async def test_tags_of_what_no_network_names_wake_nobody(tmp_path: Path) -> None:
    world = await two_networks(tmp_path)
    world.put_now(network("networkSecurityGroups/nsg"), {"location": "westeurope"})
    await world.quiet()
    seen = world.observations()
    tag(world, network("networkSecurityGroups/nsg"), egress="nat")
    await world.quiet()
    assert world.observations() == seen
