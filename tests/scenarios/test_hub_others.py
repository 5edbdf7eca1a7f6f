"""Somebody else is at the same tables and the same hub: what he put there stays as he left it."""

import copy
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from governor.core import ids
from governor.core.plan import Gate
from governor.core.policy import Exemption, Requirement, Select
from governor.core.routing import NETWORK_TAG
from simulator.wire import Request, Response
from tests.scenarios.hub_world import (
    HERE,
    hops,
    linked,
    policy,
    route,
    spoke,
    table,
    tables,
    wanted_hops,
    with_hub,
)
from tests.scenarios.world import REGION, World, egress_group, network, subnet, vnet, vnet_body
from tests.support.clock import START
from tests.support.transport import Moment

THEIRS: Final = network("routeTables/rt-theirs")
OTHER: Final = vnet("other")
AT_THE_HUB: Final = f"{HERE.network}/virtualNetworkPeerings/of-others"
KEPT: Final = route("kept", "10.80.0.0/16", "VnetLocal")
MOVED: Final = route("moved", "10.81.0.0/16", "None")


class Others:
    """What somebody else wrote, by id, as he left it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.left: dict[str, dict[str, Any]] = {}

    def writes(self, path: str, body: dict[str, Any]) -> None:
        if self.world.ask("PUT", path, body).status in (200, 201):
            self.left[path] = body["properties"]

    def writes_table(self, path: str, *routes: dict[str, Any], **body: Any) -> None:
        """A whole table; what it does not name is gone."""
        whole = {"location": REGION, **body, "properties": {**body.get("properties", {}), "routes": list(routes)}}
        if self.world.ask("PUT", path, whole).status in (200, 201):
            self.left = {one: kept for one, kept in self.left.items() if not one.startswith(f"{path}/")}
            self.left |= {f"{path}/routes/{one['name']}": one["properties"] for one in routes}

    def nothing_is_lost(self) -> None:
        for path, properties in self.left.items():
            there = self.world.get(path)["properties"]
            assert {name: there.get(name) for name in properties} == properties, path


def adds_a_route(others: Others) -> None:
    for where in (THEIRS, table(1)):
        others.writes(f"{where}/routes/late", route("late", "10.90.0.0/16", "VirtualAppliance", "10.9.9.9"))


def changes_a_route(others: Others) -> None:
    for where in (THEIRS, table(1)):
        others.writes(f"{where}/routes/moved", route("moved", "10.81.0.0/16", "VirtualAppliance", "10.9.9.9"))


def takes_over_a_name(others: Others) -> None:
    """He names a route as we would name ours."""
    for where in (THEIRS, table(1)):
        others.writes(f"{where}/routes/egress-10.0.0.0-8", route("egress-10.0.0.0-8", "10.91.0.0/16", "None"))


def writes_the_tables_whole(others: Others) -> None:
    """As a template does: only the routes it knows."""
    for where in (THEIRS, table(1)):
        tags = others.world.get(where).get("tags") or {}
        others.writes_table(where, KEPT, route("late", "10.90.0.0/16", "Internet"), tags=tags)


def peers_with_the_hub(others: Others) -> None:
    inside = {"allowVirtualNetworkAccess": True, "allowForwardedTraffic": False, "allowGatewayTransit": True}
    others.writes(AT_THE_HUB, {"properties": {"remoteVirtualNetwork": {"id": OTHER}, **inside}})


ACTS: Final[list[Callable[[Others], None]]] = [
    adds_a_route,
    changes_a_route,
    takes_over_a_name,
    writes_the_tables_whole,
    peers_with_the_hub,
]


def in_progress(folder: Path) -> tuple[World, Others]:
    """A spoke in which everything is to be done: own table and theirs lack routes, one lets learned routes in, one

    subnet has no table, and nothing is peered.
    """
    folder.mkdir()
    world = with_hub(folder, policy(disable_bgp_route_propagation=True), durations={})
    others = Others(world)
    world.put_now(OTHER, vnet_body(space="10.200.0.0/16"))
    world.put_now(egress_group(), {"location": REGION}, "2024-11-01")
    others.writes_table(THEIRS, KEPT, MOVED)
    others.writes_table(table(1), KEPT, MOVED, tags={NETWORK_TAG: vnet("spoke-1")})
    body = spoke(1, "app", "db", "new")
    for one, there in zip(body["properties"]["subnets"], (table(1), THEIRS), strict=False):
        one["properties"]["routeTable"] = {"id": there}
    world.put_now(vnet("spoke-1"), body)
    world.clock.advance(3 * 24 * 3600)
    world.arm.take_events()
    return world, others


def whole(world: World) -> bool:
    """Whether everything is governed that was to be."""
    wanted = wanted_hops(world).items()
    attached = list(map(ids.name, (one or "" for one in tables(world, 1).values())))
    return (
        linked(world, 1)
        and wanted <= hops(world, table(1)).items()
        and wanted <= hops(world, THEIRS).items()
        and attached == ["rt-spoke-1", "rt-theirs", "rt-spoke-1"]
        and world.get(table(1))["properties"]["disableBgpRoutePropagation"] is True
    )


async def moments(folder: Path) -> int:
    """How many moments there are in a run in which nobody meets us."""
    world, others = in_progress(folder)
    await world.govern_once(vnet("spoke-1"))
    assert whole(world)
    others.nothing_is_lost()
    return 2 * len(world.transport.requests)


@pytest.mark.parametrize("act", ACTS, ids=[act.__name__ for act in ACTS])
async def test_whenever_somebody_writes_what_he_wrote_stays_and_ours_is_there_in_the_end(
    tmp_path: Path, act: Callable[[Others], None]
) -> None:
    count = await moments(tmp_path / "alone")
    assert count > 60
    for at in range(ACTS.index(act), count, len(ACTS) + 2):
        world, others = in_progress(tmp_path / str(at))
        passed = 0

        def hook(_: Moment, __: Request, ___: Response | None, at: int = at, others: Others = others) -> None:
            nonlocal passed
            passed += 1
            if passed == at + 1:
                act(others)

        world.transport.hooks.append(hook)
        await world.govern_once(vnet("spoke-1"))
        await world.quiet()
        assert whole(world), at
        others.nothing_is_lost()


async def test_whenever_somebody_makes_a_table_of_our_name_his_routes_stay_and_ours_join_them(tmp_path: Path) -> None:
    def fresh(folder: Path) -> tuple[World, Others]:
        folder.mkdir()
        world = with_hub(folder, durations={})
        world.put_now(egress_group(), {"location": REGION}, "2024-11-01")
        world.put_now(vnet("spoke-1"), spoke(1))
        world.clock.advance(3 * 24 * 3600)
        world.arm.take_events()
        return world, Others(world)

    world, _ = fresh(tmp_path / "alone")
    await world.govern_once(vnet("spoke-1"))
    made_at = [f"{r.method} {r.path}" for r in world.transport.requests].index(f"PUT {table(1)}")
    for at in range(0, 2 * len(world.transport.requests), 3):
        world, others = fresh(tmp_path / str(at))
        passed = 0

        def hook(_: Moment, __: Request, ___: Response | None, at: int = at, others: Others = others) -> None:
            nonlocal passed
            passed += 1
            if passed == at + 1:
                others.writes_table(table(1), KEPT, MOVED)

        world.transport.hooks.append(hook)
        await world.govern_once(vnet("spoke-1"))
        await world.quiet()
        assert linked(world, 1), at
        assert ids.same(tables(world, 1)["app"] or "", table(1)), at
        assert wanted_hops(world).items() <= hops(world, table(1)).items(), at
        others.nothing_is_lost()
    assert 2 * made_at > 8


# ---- tables that others use, too --------------------------------------------------------------------------------


def kept_by(world: World, table_id: str) -> dict[str, Any]:
    """A table as it is, but for who uses it."""
    body: dict[str, Any] = copy.deepcopy(world.get(table_id))
    body["properties"].pop("subnets", None)
    body.pop("etag", None)
    for one in body["properties"]["routes"]:
        one.pop("etag", None)
    return body


def beside(world: World, neighbour: str) -> None:
    """Somebody's table is on `app` of a spoke, and on one more subnet."""
    world.put_now(THEIRS, {"location": REGION, "properties": {"routes": [KEPT, MOVED]}, "tags": {"by": "them"}})
    world.clock.advance(60)
    beside_app = {"special": ["GatewaySubnet"], "network": []}.get(neighbour, ["legacy"])
    if neighbour == "network":
        other = vnet_body(("legacy", "10.200.1.0/24"), space="10.200.0.0/16")
        other["properties"]["subnets"][0]["properties"]["routeTable"] = {"id": THEIRS}
        world.put_now(OTHER, other)
        world.clock.advance(60)
    world.put_now(vnet("spoke-1"), spoke(1, "app", *beside_app, routeTable={"id": THEIRS}))


EXEMPT: Final = Exemption(
    resource=subnet("spoke-1", "legacy"),
    requirement=Requirement.SUBNET_EGRESS,
    owner="team",
    reason="moves in spring",
    until=START.date() + timedelta(days=30),
)
NEIGHBOURS: Final[dict[str, dict[str, Any]]] = {
    "special": {},
    "exempt": {"exemptions": (EXEMPT,)},
    "ungoverned": {"select": Select(virtual_networks=("spoke-*",), subnets=("app",))},
    "network": {},
}


@pytest.mark.parametrize("neighbour", NEIGHBOURS)
async def test_a_table_that_serves_somebody_else_is_not_written(tmp_path: Path, neighbour: str) -> None:
    world = with_hub(tmp_path, policy(**NEIGHBOURS[neighbour]))
    beside(world, neighbour)
    before = world.get(THEIRS)
    await world.quiet()
    assert world.get(THEIRS) == before
    assert [path for path in world.writes() if "/virtualNetworkPeerings/" not in path] == []
    offered = {ids.name(o.withheld.remediation.resource): o.withheld for o in await world.ports.ledger.offered()}
    assert {reason.gate for reason in offered["app"].reasons} == {Gate.SHARED}
    assert "rt-theirs also serves" in offered["app"].reasons[0].text


@pytest.mark.parametrize("neighbour", NEIGHBOURS)
async def test_a_copy_leaves_the_original_as_it_is(tmp_path: Path, neighbour: str) -> None:
    world = with_hub(tmp_path, policy(when_shared="clone", **NEIGHBOURS[neighbour]))
    beside(world, neighbour)
    before = kept_by(world, THEIRS)
    await world.quiet()
    assert kept_by(world, THEIRS) == before
    assert not [path for path in world.writes() if THEIRS.casefold() in path.casefold()]
    assert ids.same(tables(world, 1)["app"] or "", table(1))
    theirs = {"10.80.0.0/16": "VnetLocal", "10.81.0.0/16": "None"}
    assert hops(world, table(1)) == {**wanted_hops(world), **theirs}
    assert all(ids.same(one or "", THEIRS) for name, one in tables(world, 1).items() if name != "app")
