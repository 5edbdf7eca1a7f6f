"""A hub and its spokes in a storm, from seeds: whatever happened, nothing that others put there is lost."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from governor.core import ids
from governor.core.policy import Limits, Mode, Policies, Policy
from governor.core.verdict import Result, Verdict
from governor.loop import Rules
from simulator.arm import Fault
from simulator.wire import Request, Response
from tests.scenarios.hub_world import HERE, HOP, add_hub, hops, linked, policy, route
from tests.scenarios.test_chaos import (
    NSG,
    VNETS,
    Chaos,
    in_peace,
    nobody_was_met,
    nobody_who_lives_there_was_moved,
    nothing_of_others_is_lost,
    one_run_at_a_time,
)
from tests.scenarios.world import REGION, network, subnet, vnet, vnet_body
from tests.support.transport import Moment

SEEDS: Final = 16
THEIRS: Final = network("routeTables/rt-theirs")
OTHER: Final = vnet("other")
# Somebody who moves in while a plan is being carried out is not seen by it: a step lasts for five minutes at most.
_OF_A_PLAN: Final = 400.0
_KEPT: Final = ("addressPrefix", "nextHopType", "nextHopIpAddress")


class HubChaos(Chaos):
    """The same storm over a hub. theirs: routes and peerings of others by key, as they left them."""

    wanted = Policies((policy(),))
    slow = tuple(
        f"microsoft.network/{kind}"
        for kind in (
            "virtualnetworks",
            "virtualnetworks/subnets",
            "virtualnetworks/virtualnetworkpeerings",
            "routetables",
            "routetables/routes",
            "azurefirewalls",
        )
    )

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        self.theirs: dict[str, dict[str, Any]] = {}
        self.sent_away: list[str] = []

    def _watch(self, moment: Moment, request: Request, response: Response | None) -> None:
        super()._watch(moment, request, response)
        if moment == "before" and request.method == "PUT" and "/routes/" in request.path:
            to = msgspec.json.decode(request.body)["properties"]
            served = self.read(ids.parent(request.path)).get("subnets") or ()
            lately = self.clock.now().timestamp() - _OF_A_PLAN
            for one in served:
                since = self.moved_in.get(ids.key(one["id"]))
                lives = self.read(one["id"]).get("ipConfigurations")
                if to["addressPrefix"] == "0.0.0.0/0" and lives and since and since.timestamp() < lately:
                    self.sent_away.append(one["id"])

    def read(self, path: str) -> dict[str, Any]:
        """The `properties` of what is there; nothing of what is not."""
        answer = self.ask("GET", path)
        found: dict[str, Any] = msgspec.json.decode(answer.body)["properties"] if answer.status == 200 else {}
        return found

    # ---- what others do to tables ---------------------------------------------------------------------------------

    def a_table(self) -> str | None:
        found = self.exported("routeTables")
        return self.chance.choice(sorted(found)) if found else None

    def leaves(self, path: str, wanted: dict[str, Any]) -> None:
        """What somebody wrote is his, if Azure has not only taken it, but done it: a busy one may fail it later."""
        now = self.read(path)
        if {name: now.get(name) for name in wanted} == wanted:
            self.theirs[ids.key(path)] = wanted

    def writes_a_route(self, table_id: str, one: dict[str, Any]) -> None:
        path = f"{table_id}/routes/{one['name']}"
        if self.does("PUT", path, one):
            self.leaves(path, {name: one["properties"].get(name) for name in _KEPT})

    def puts_a_route(self) -> None:
        if (there := self.a_table()) is None:
            return
        number = self.chance.randint(60, 75)
        name = self.chance.choice((f"his-{number}", f"his-{number}", "egress-default-2", "Egress-10.0.0.0-8"))
        if self.exists(f"{there}/routes/{name}") and not name.startswith("his"):
            return
        to = self.chance.choice((("VirtualAppliance", "10.9.9.9"), ("None", ""), ("VnetLocal", "")))
        self.writes_a_route(there, route(name, f"10.{number}.0.0/16", *to))

    def writes_a_table_whole(self) -> None:
        """As a template does: only what it knows."""
        if (there := self.a_table()) is None:
            return
        body = msgspec.json.decode(self.ask("GET", there).body)
        body["properties"]["routes"] = [route("whole", "10.76.0.0/16", "None")]
        if self.does("PUT", there, body) and [one["name"] for one in self.read(there)["routes"]] == ["whole"]:
            self.theirs = {k: v for k, v in self.theirs.items() if not k.startswith(f"{ids.key(there)}/")}
            self.leaves(f"{there}/routes/whole", dict(zip(_KEPT, ("10.76.0.0/16", "None", None), strict=True)))

    def takes_a_route_out(self) -> None:
        if (there := self.a_table()) is None or not (routes := self.read(there).get("routes")):
            return
        one = self.chance.choice(routes)
        if self.does("DELETE", one["id"]):
            self.theirs.pop(ids.key(one["id"]), None)

    def turns_a_route_elsewhere(self) -> None:
        """One of ours becomes his."""
        if (there := self.a_table()) is None or not (routes := self.read(there).get("routes")):
            return
        one = copy.deepcopy(self.chance.choice(routes))
        to = {"nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.8.8.8"}
        prefix = one["properties"]["addressPrefix"]
        self.writes_a_route(there, {"name": one["name"], "properties": {"addressPrefix": prefix, **to}})

    def puts_his_table_on(self) -> None:
        self.changes(lambda properties: properties.update(routeTable={"id": THEIRS}))

    def takes_a_table_off(self) -> None:
        self.changes(lambda properties: properties.pop("routeTable", None))

    # ---- what others do at the hub --------------------------------------------------------------------------------

    def peers_with_the_hub(self) -> None:
        path = f"{HERE.network}/virtualNetworkPeerings/of-others"
        flags = {"allowVirtualNetworkAccess": True, "allowForwardedTraffic": self.chance.random() < 0.5}
        if self.does("PUT", path, {"properties": {"remoteVirtualNetwork": {"id": OTHER}, **flags}}):
            self.leaves(path, flags)

    def a_side(self) -> str | None:
        """Any side of a peering between the hub and a spoke."""
        ends = [HERE.network, *(vnet(name) for name in VNETS)]
        sides = [
            str(one["id"])
            for end in ends
            for one in self.read(end).get("virtualNetworkPeerings") or ()
            if ids.key(one["id"]) not in self.theirs
        ]
        return self.chance.choice(sides) if sides else None

    def shuts_a_side(self) -> None:
        if (path := self.a_side()) is not None:
            self.does("PUT", path, {"properties": {**self.read(path), "allowForwardedTraffic": False}})

    def deletes_a_side(self) -> None:
        if (path := self.a_side()) is not None:
            self.does("DELETE", path)

    def works_at_the_hub(self) -> None:
        path = self.chance.choice((HERE.network, HERE.firewall))
        body = msgspec.json.decode(self.ask("GET", path).body)
        self.does("PUT", path, {**body, "tags": {"at": str(self.chance.random())}})

    def strikes_the_hub(self) -> None:
        path = self.chance.choice(
            ("/virtualNetworkPeerings/", "/routeTables/", "/routes/", "/hub$", "/azureFirewalls/")
        )
        kind: dict[str, Any] = self.chance.choice(
            (
                {"status": 429, "retry_after": self.chance.choice((1, 17))},
                {"status": 409, "code": "AnotherOperationInProgress"},
                {"status": 500},
                {"drop": "before"},
                {"drop": "after"},
                {"later": True},
                {"status": 403, "code": "AuthorizationFailed"},
            )
        )
        method = "PUT" if kind.get("later") else self.chance.choice(("PUT", "PUT", "GET"))
        self.arm.faults.append(Fault(method=method, path=path, count=self.chance.randint(1, 4), **kind))

    def changes_the_policies(self) -> None:
        other: tuple[Policy, ...] = (
            policy(),
            policy(limits=Limits(remediations_per_run=1)),
            policy(mode=Mode.AUDIT),
            policy(when_shared="clone"),
            policy(keep_inbound=False, routes=()),
            policy(disable_bgp_route_propagation=True),
        )
        self.rules = Rules(Policies((self.chance.choice(other),)), Mode.ENFORCE)


async def begun(tmp_path: Path, seed: int) -> HubChaos:
    world = HubChaos(tmp_path, seed)
    world.put_now(NSG, {"location": REGION, "properties": {}})
    add_hub(world)
    world.put_now(OTHER, vnet_body(space="10.200.0.0/16"))
    kept = route("his-0", "10.77.0.0/16", "None")
    world.put_now(THEIRS, {"location": REGION, "properties": {"routes": [kept]}})
    world.theirs[ids.key(f"{THEIRS}/routes/his-0")] = {name: kept["properties"].get(name) for name in _KEPT}
    world.clock.advance(600)
    for third, name in enumerate(VNETS, 1):
        subnets: list[dict[str, Any]] = [
            {"name": f"s{i}", "properties": {"addressPrefix": f"10.{third}.{i}.0/24"}}
            for i in range(world.chance.randint(1, 3))
        ]
        if third == 2:
            special = {"addressPrefix": "10.2.200.0/24", "routeTable": {"id": THEIRS}}
            subnets.append({"name": "GatewaySubnet", "properties": special})
            world.never.add(ids.key(subnet(name, "GatewaySubnet")))
        elif world.chance.random() < 0.5:
            subnets[0]["properties"]["routeTable"] = {"id": THEIRS}
        space = {"addressPrefixes": [f"10.{third}.0.0/16"]}
        assert world.does(
            "PUT", vnet(name), {"location": REGION, "properties": {"addressSpace": space, "subnets": subnets}}
        )
    return world


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_whatever_happens_at_the_hub_what_was_promised_holds(tmp_path: Path, seed: int) -> None:
    world = await begun(tmp_path, seed)
    others: list[Callable[[], None]] = [
        world.adds_a_subnet,
        world.guards_a_subnet,
        world.deletes_a_subnet,
        world.deletes_a_network,
        world.moves_in,
        world.strikes_the_hub,
        world.strikes_the_hub,
        world.changes_the_policies,
        world.puts_a_route,
        world.puts_a_route,
        world.writes_a_table_whole,
        world.takes_a_route_out,
        world.turns_a_route_elsewhere,
        world.puts_his_table_on,
        world.takes_a_table_off,
        world.peers_with_the_hub,
        world.shuts_a_side,
        world.deletes_a_side,
        world.works_at_the_hub,
    ]
    for _ in range(24):
        await world.quiet_after(world.chance.choice((2.0, 20.0, 100.0, 150.0, 200.0)))
        world.deliver_late()
        if world.chance.random() < 0.2:
            await world.decides()
        else:
            world.chance.choice(others)()
    await in_peace(world)
    await holds(world)


async def holds(world: HubChaos) -> None:
    records = await world.records()
    assert world.runs < 900
    assert sum(len(t.requests) for t in world.transports) < 12000
    assert all(v.wrong is None for v in [v async for v in world.ports.ledger.verify()])
    everything_of_others_is_as_he_left_it(world)
    await every_subnet_leaves_by_the_hub_or_is_told_why(world)
    nothing_of_others_is_lost(world)
    nobody_was_met(world, records)
    nobody_who_lives_there_was_moved(world)
    assert world.sent_away == []
    assert {attach.path for attach in world.attaches}.isdisjoint(world.never)
    made = {ids.name(path) for path in world.exported("routeTables")}
    assert made <= {"rt-theirs", *(f"rt-{name}" for name in VNETS)}
    written = {ids.key(path.partition(" ")[2]) for path in world.writes_of_all()}
    assert written <= {ids.key(o.step.target) for r in records for o in r.outcomes}
    one_run_at_a_time(world)


def everything_of_others_is_as_he_left_it(world: HubChaos) -> None:
    for path, left in world.theirs.items():
        now = world.read(path)
        assert {name: now.get(name) for name in left} == left, path


async def every_subnet_leaves_by_the_hub_or_is_told_why(world: HubChaos) -> None:
    verdicts = {(ids.key(v.resource), v.requirement): v for v in await world.ports.ledger.verdicts()}
    offered = {ids.key(o.withheld.remediation.resource): o.withheld for o in await world.ports.ledger.offered()}

    def told(verdict: Verdict, *resources: str) -> None:
        found = [offered[ids.key(one)] for one in resources if ids.key(one) in offered]
        assert found, verdict
        assert all(reason.text for one in found for reason in one.reasons)

    for number, name in enumerate(VNETS, 1):
        if not world.exists(vnet(name)):
            continue
        link = verdicts.get((ids.key(vnet(name)), "hub-peering"))
        governed = [one for one in world.read(vnet(name))["subnets"] if ids.key(one["id"]) not in world.never]
        assert link is not None or not governed
        if link is not None and link.result is Result.COMPLIANT:
            assert linked(world, number)
        elif link is not None and link.result is Result.VIOLATION:
            told(link, vnet(name))
        for one in world.read(vnet(name))["subnets"]:
            verdict = verdicts[ids.key(one["id"]), "subnet-egress"]
            table_id = (one["properties"].get("routeTable") or {}).get("id", "")
            if verdict.result is Result.VIOLATION:
                told(verdict, one["id"], table_id or one["id"])
            elif verdict.result is Result.COMPLIANT:
                assert hops(world, table_id)["0.0.0.0/0"] == HOP, verdict
            else:
                assert verdict.seen, verdict
