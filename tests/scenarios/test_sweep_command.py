"""A sweep from the command line: one process surveys and governs everything in a scope, and says what became of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace

from governor.commands import sweeping
from governor.commands.errors import CommandError
from governor.commands.swept import Governed, Swept
from governor.core.cause import Scope
from governor.core.estate import Estate
from governor.core.needs import Needs
from governor.core.policy import Mode
from governor.ports import Cloud
from governor.survey import Surveyed
from simulator.arm import Fault
from tests.scenarios.world import SUB, World, subnet, vnet, vnet_body

LAB = "00000000-0000-0000-0000-00000000000b"
OTHER = f"/subscriptions/{LAB}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/spoke-lab"


class Told:
    """Who is told how it goes."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.pages: list[int] = []
        self.runs: list[tuple[str, int]] = []
        self.watch = sweeping.Watch(self._surveyed, self._governed, seconds)

    def _surveyed(self, found: Surveyed) -> None:
        self.pages.append(found.networks)

    def _governed(self, one: Governed, left: int) -> None:
        self.runs.append((one.where, left))


def wrong(world: World, *names: str) -> World:
    """Networks that nobody has told of."""
    world.deaf = True
    for name in names:
        world.put_now(vnet(name), vnet_body(("app", "10.0.1.0/24")))
    world.clock.advance(3600)
    return world


async def swept(world: World, *scopes: str, told: Told | None = None) -> Swept:
    wanted = await sweeping.targets(scopes or ("all",), world.ports)
    return await sweeping.sweep(wanted, world.ports, world.rules, (told or Told()).watch)


async def test_everything_is_found_repaired_and_told(tmp_path: Path) -> None:
    world, told = wrong(World(tmp_path), "spoke-1", "spoke-2"), Told()
    found = await swept(world, told=told)
    assert world.all_attached(["spoke-1", "spoke-2"])
    assert found.tenant.startswith("5e000000-")
    assert (found.subscriptions, found.networks, found.subnets) == (1, 2, 2)
    assert (found.before, found.after) == ({"Violation": 4}, {"Compliant": 4})
    assert [one.where for one in found.repaired] == ["spoke-1", "spoke-2"]
    assert found.repaired[0].steps[-1] == "app: attach NAT gateway ng-spoke-1, set private"
    assert (found.withheld, found.waiting, found.failed, found.whole) == ([], [], [], True)
    assert told.pages[-1] == 2
    assert sorted(where for where, _ in told.runs) == ["spoke-1", "spoke-2"]
    assert told.runs[-1][1] == 0
    assert world.queue == []


async def test_a_second_sweep_has_nothing_to_do(tmp_path: Path) -> None:
    world = wrong(World(tmp_path), "spoke-1")
    await swept(world)
    world.clock.advance(3600)
    writes = world.writes()
    again = await swept(world)
    assert (again.governed, again.repaired, again.before) == ([], [], {"Compliant": 2})
    assert world.writes() == writes


async def test_a_single_network_is_governed_and_no_other(tmp_path: Path) -> None:
    world = wrong(World(tmp_path), "spoke-1", "spoke-2")
    found = await swept(world, subnet("spoke-1", "app"))
    assert (found.subscriptions, found.networks, found.before, found.after) == (
        *(0, 1),
        {"Violation": 2},
        {"Compliant": 2},
    )
    assert world.attached("spoke-2") == {"app": None}
    assert world.all_attached(["spoke-1"])


async def test_a_ceiling_of_audit_writes_nothing_and_says_why(tmp_path: Path) -> None:
    world = wrong(World(tmp_path, ceiling=Mode.AUDIT), "spoke-1")
    found = await swept(world, SUB)
    assert world.writes() == []
    assert found.before == found.after == {"Violation": 2}
    (held,) = found.withheld
    assert held.where == "spoke-1/app"
    assert "audit mode" in held.reasons[0]


async def test_what_cannot_be_seen_is_told_and_is_not_whole(tmp_path: Path) -> None:
    world = wrong(World(tmp_path, limited=True), "spoke-1")
    world.arm.load([{"id": f"/subscriptions/{LAB}", "type": "Microsoft.Resources/subscriptions"}])
    kind = "Microsoft.Network/virtualNetworks"
    world.arm.load([{"id": OTHER, "type": kind, "name": "spoke-lab", **vnet_body(("app", "10.0.1.0/24"))}])
    await swept(world)
    world.roles.limit_to(SUB)
    world.clock.advance(3600)
    found = await swept(world)
    assert set(found.unseen) == {LAB}
    assert not found.whole
    assert {one.requirement for one in found.unexplained} == {"subnet-egress", "subnet-private", "subscription-seen"}


@pytest.mark.parametrize(("seconds", "attached"), [(0.0, False), (900.0, True)])
async def test_what_was_put_back_is_told_or_waited_for(tmp_path: Path, seconds: float, attached: bool) -> None:
    world = wrong(World(tmp_path), "spoke-1")
    world.arm.faults.append(Fault(method="GET", path="/virtualNetworks/spoke-1", count=12, status=503))
    found = await swept(world, told=Told(seconds))
    world.arm.faults.clear()
    assert world.all_attached(["spoke-1"]) is attached
    assert [one.where for one in found.waiting] == ([] if attached else ["spoke-1"])
    assert found.whole


class Broken:
    """A Cloud that has a defect where one network is concerned."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cloud, name)

    async def observe(self, scope: Scope, needs: Callable[[Estate], Needs], so_far: Estate | None = None) -> Estate:
        if scope.key.endswith("/spoke-1"):
            raise ZeroDivisionError("division by zero")
        return await self._cloud.observe(scope, needs, so_far)


async def test_a_run_that_fails_keeps_no_other_from_being_governed(tmp_path: Path) -> None:
    world = wrong(World(tmp_path), "spoke-1", "spoke-2")
    world.ports = replace(world.ports, cloud=cast("Cloud", Broken(world.ports.cloud)))
    found = await swept(world)
    assert world.all_attached(["spoke-2"])
    assert not found.whole
    assert found.failed == ["spoke-1: a defect: ZeroDivisionError: division by zero (--debug shows where)"]


@pytest.mark.parametrize(
    ("scopes", "said"),
    [
        ((), "--scope is needed"),
        (("all", "corp"), "it stands alone"),
        (("corp",), "there is no such subscription or management group"),
        ((LAB,), "it does not exist, or this identity may not read it"),
        (
            (f"/subscriptions/{SUB}/resourceGroups/rg-net",),
            "expected a subscription, a virtual network, a subnet, ",
        ),
    ],
)
async def test_a_scope_that_is_none(tmp_path: Path, scopes: tuple[str, ...], said: str) -> None:
    world = World(tmp_path)
    with pytest.raises(CommandError, match=said):
        await sweeping.targets(scopes, world.ports)


async def test_a_network_that_is_not_there(tmp_path: Path) -> None:
    world = World(tmp_path)
    with pytest.raises(CommandError, match="spoke-9: it does not exist"):
        await swept(world, vnet("spoke-9"))
