"""Clusters and public addresses in a storm: what is there, what others do to it, and what is watched meanwhile."""

import copy
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from governor import decisions
from governor.core import ids
from governor.core.policy import Approvals, Mode, Policies, Policy, PublicIps, Select
from governor.core.standing import Ruling
from governor.loop import Rules
from simulator.arm import Fault
from simulator.wire import Request, Response
from tests.scenarios import hub_world
from tests.scenarios.cluster_world import AKS_API, FREE, body, cluster
from tests.scenarios.test_chaos import VNETS, Chaos
from tests.scenarios.ways_out import EXPLICIT, NOTHING, nodes_of, subnets_of, ways_out
from tests.scenarios.world import NETWORK_API, REGION, nat_policy, network, subnet
from tests.support.transport import Moment

STANDARD: Final = {
    "location": REGION,
    "sku": {"name": "Standard"},
    "properties": {"publicIPAllocationMethod": "Static"},
}
BALANCER: Final = network("loadBalancers/lb")
# A cluster that moves in while a plan is being carried out is not seen by it: a step lasts for five minutes at most.
OF_A_PLAN: Final = timedelta(seconds=400)
_A_BUCKET: Final = 20.0
_KUBENET: Final = {"networkPlugin": "kubenet", "podCidr": "10.244.0.0/16"}
# By name: in which subnets, and what is special about it. No subnet: Azure makes the network.
_CLUSTERS: Final[dict[str, tuple[tuple[str, ...], dict[str, Any]]]] = {
    "nat": ((subnet("spoke-1", "nodes"),), {}),
    "pods": ((subnet("spoke-1", "more"),), {}),
    "hub": ((subnet("spoke-2", "nodes"),), {}),
    "two": ((subnet("spoke-2", "more"), subnet("spoke-2", "most")), {}),
    "guarded": (
        (subnet("spoke-1", "most"),),
        {"apiServerAccessProfile": {"authorizedIPRanges": ["192.0.2.0/24"]}},
    ),
    "kubenet": ((subnet("spoke-3", "nodes"),), {"networkProfile": _KUBENET}),
    "one": ((subnet("spoke-3", "more"),), {}),
    "other": ((subnet("spoke-3", "more"),), {}),
    "managed": ((), {}),
}


class ClusterWrite(msgspec.Struct, frozen=True):
    """A write of the way out of a cluster's subnet, the run that wrote it, and since when the cluster is there."""

    at: datetime
    run: str
    path: str
    cluster: str
    since: datetime


class ClusterStorm(Chaos):
    """What must never be is told in `wrong`, as soon as it happens."""

    slow = (
        *(f"microsoft.network/{kind}" for kind in ("virtualnetworks", "virtualnetworks/subnets", "natgateways")),
        *(f"microsoft.network/{kind}" for kind in ("networkinterfaces", "publicipaddresses", "routetables")),
        "microsoft.containerservice/managedclusters",
        "microsoft.containerservice/managedclusters/agentpools",
    )

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        self.wanted = Policies(_policies(FREE if self.chance.random() < 0.5 else Approvals()))
        self.rules = Rules(self.wanted, Mode.ENFORCE)
        self.wrong: list[str] = []
        self.ways: dict[str, str] = {}
        self.written_of_clusters: list[ClusterWrite] = []
        self.made: dict[str, datetime] = {}
        self._refused: dict[str, datetime] = {}
        self._tokens: dict[str, tuple[float, datetime]] = {}

    # ---- what the governor does, watched --------------------------------------------------------------------------

    def _watch(self, moment: Moment, request: Request, response: Response | None) -> None:
        if request.method not in ("PUT", "DELETE", "PATCH"):
            return
        if moment == "before":
            self._write_begins(request)
        elif (
            ids.kind(request.path) == ids.CLUSTER
            and response
            and response.status in (409, 429)
            and self._lives(request)
        ):
            self._refused[ids.key(request.path)] = self.clock.now()
        self.look(f"{moment} {request.method} {request.path} of the governor")
        if moment == "after" and "/networkInterfaces/" in request.path and response and response.status < 300:
            way = self.ways.get(ids.key(request.path))
            if way is not None and way not in EXPLICIT:
                self.wrong.append(f"{request.path} lost its address and leaves by {way}")

    def _write_begins(self, request: Request) -> None:
        path, estate = ids.key(request.path), self.arm.export()
        clusters = [one for one in estate if ids.kind(one["id"]) == ids.CLUSTER]
        if any((path + "/").startswith(nodes_of(one)) for one in clusters):
            self.wrong.append(f"{request.method} {request.path} writes into a node group")
        if ids.kind(request.path) == ids.CLUSTER:
            self._pace(path)
            refused = self._refused.get(path)
            if refused and self._lives(request) and self.clock.now() - refused < timedelta(minutes=1):
                self.wrong.append(f"{path} is written again though it took no write at {refused}")
        if ids.kind(request.path) != ids.SUBNET:
            return
        now: dict[str, Any] = next(
            (s for one in estate for s in _subnets(one) if ids.same(s["id"], path)), {"properties": {}}
        )
        wanted = msgspec.json.decode(request.body)
        if all(_named(now, member) == _named(wanted, member) for member in ("natGateway", "routeTable")):
            return
        run = request.headers["x-ms-correlation-request-id"]
        self.written_of_clusters += [
            ClusterWrite(self.clock.now(), run, path, ids.key(one["id"]), self.made[ids.key(one["id"])])
            for one in clusters
            if path in subnets_of(one)
        ]

    def _lives(self, request: Request) -> bool:
        """Whether it is of the process that goes on, and not of one that dies with all that it knows."""
        return any(one is request for one in self.transport.requests[-50:])

    def _pace(self, path: str) -> None:
        """AKS takes 20 writes of a cluster at once, and one a minute after that."""
        left, at = self._tokens.get(path, (_A_BUCKET, self.clock.now()))
        left = min(_A_BUCKET, left + (self.clock.now() - at).total_seconds() / 60) - 1
        self._tokens[path] = left, self.clock.now()
        if left < 0:
            self.wrong.append(f"{path} is written more than once a minute")

    def look(self, when: str = "") -> None:
        """Who had a way out has one still; without a word, whatever is now is taken for granted."""
        now = ways_out(self.arm.export())
        if when:
            cut = [one for one, way in now.items() if way == NOTHING and self.ways.get(one, NOTHING) != NOTHING]
            self.wrong += [f"{one} had {self.ways[one]} and has no way out {when}" for one in cut]
        self.ways = now

    async def quiet_after(self, seconds: float) -> None:
        await super().quiet_after(seconds)
        self.look("as time passes")

    # ---- what others do -------------------------------------------------------------------------------------------

    def does(self, method: str, path: str, body: object = None, version: str = NETWORK_API) -> bool:
        self.look("before somebody else does something")
        taken = super().does(method, path, body, version)
        if taken and "/virtualNetworks/" not in path:
            self.others.append((self.clock.now(), ids.key(path), ""))
        self.look()
        return taken

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """Everything of a type that others may write: not what AKS keeps."""
        return [one for one in self.arm.export() if ids.kind(one["id"]) == kind and not ids.in_node_group(one["id"])]

    def some_cluster(self) -> dict[str, Any] | None:
        there = self.of_kind(ids.CLUSTER)
        return self.chance.choice(there) if there else None

    def makes_a_cluster(self, name: str = "") -> None:
        name = name or self.chance.choice(tuple(_CLUSTERS))
        places, more = _CLUSTERS[name]
        wanted = body(*places, **copy.deepcopy(more))
        if name == "pods":
            wanted["properties"]["agentPoolProfiles"][0]["podSubnetID"] = subnet("spoke-1", "pods")
        path = cluster(name)
        if self.ask("GET", path, version=AKS_API).status != 200 and self.does("PUT", path, wanted, AKS_API):
            self.made[ids.key(path)] = self.clock.now()

    def deletes_a_cluster(self) -> None:
        if (there := self.some_cluster()) is not None:
            self.does("DELETE", there["id"], version=AKS_API)

    def tags_a_cluster(self) -> None:
        if (there := self.some_cluster()) is not None:
            there["tags"] = {"at": str(self.chance.random())}
            self.does("PUT", there["id"], there, AKS_API)

    def scales_a_pool(self) -> None:
        if (there := self.some_cluster()) is not None:
            pool = {**there["properties"]["agentPoolProfiles"][0], "count": self.chance.randint(1, 4)}
            name = pool.pop("name")
            pool = {key: value for key, value in pool.items() if key not in ("eTag", "provisioningState")}
            self.does("PUT", f"{there['id']}/agentPools/{name}", {"properties": pool}, AKS_API)

    def the_autoscaler_moves(self) -> None:
        if (there := self.some_cluster()) is not None:
            there["properties"]["agentPoolProfiles"][0]["count"] = self.chance.randint(1, 4)
            self.arm.load([there])

    def takes_a_gateway_off(self) -> None:
        """Not from under a cluster whose type is just being changed: that would be his own doing, and show later."""
        if all(one["properties"]["provisioningState"] == "Succeeded" for one in self.of_kind(ids.CLUSTER)):
            super().takes_a_gateway_off()

    def changes_a_type_by_hand(self) -> None:
        if (there := self.some_cluster()) is not None:
            profile = there["properties"]["networkProfile"]
            profile["outboundType"] = "loadBalancer"
            profile["natGatewayProfile"] = None
            self.does("PUT", there["id"], there, AKS_API)

    def makes_an_address(self) -> str | None:
        path = network(f"publicIPAddresses/pip-{self.chance.randint(1, 6)}")
        return path if self.exists(path) or self.does("PUT", path, STANDARD) else None

    def deletes_an_address(self) -> None:
        if there := self.of_kind(ids.PUBLIC_IP):
            self.does("DELETE", self.chance.choice(there)["id"])

    def makes_a_machine(self, where: str = "", address: str | None = None, pool: bool = False) -> None:
        number = self.chance.randint(1, 9)
        places = [subnet(name, "app") for name in VNETS]
        # One in a cluster's subnet is a stranger there.
        where = where or self.chance.choice((*places, *places, subnet("spoke-1", "nodes"), subnet("spoke-3", "shut")))
        inner: dict[str, Any] = {"subnet": {"id": where}}
        inner |= {"publicIPAddress": {"id": address}} if address else {}
        inner |= {"loadBalancerBackendAddressPools": [{"id": f"{BALANCER}/backendAddressPools/pool"}]} if pool else {}
        path = network(f"networkInterfaces/nic-{number}")
        configurations = [{"name": "primary", "properties": inner}]
        if self.exists(path) or not self.exists(where):
            return
        if self.does("PUT", path, {"location": REGION, "properties": {"ipConfigurations": configurations}}):
            machine = f"{ids.group_of(path)}/providers/Microsoft.Compute/virtualMachines/vm-{number}"
            held = {"networkProfile": {"networkInterfaces": [{"id": path}]}}
            self.does("PUT", machine, {"location": REGION, "properties": held}, "2024-07-01")

    def makes_a_public_machine(self) -> None:
        self.makes_a_machine(address=self.makes_an_address())

    def puts_an_address_on(self) -> None:
        there, address = self.of_kind(ids.NETWORK_INTERFACE), self.makes_an_address()
        if there and address:
            wanted = self.chance.choice(there)
            wanted["properties"]["ipConfigurations"][0]["properties"]["publicIPAddress"] = {"id": address}
            self.does("PUT", wanted["id"], wanted)

    def tags_an_interface(self) -> None:
        if there := self.of_kind(ids.NETWORK_INTERFACE):
            wanted = self.chance.choice(there)
            self.does("PUT", wanted["id"], {**wanted, "tags": {"at": str(self.chance.random())}})

    def lets_a_route_lead_to_it(self) -> None:
        """A machine becomes a router."""
        if there := self.of_kind(ids.NETWORK_INTERFACE):
            wanted = self.chance.choice(there)
            wanted["properties"]["enableIPForwarding"] = True
            self.does("PUT", wanted["id"], wanted)

    def days_pass(self) -> None:
        self.clock.advance(self.chance.choice((3600.0, 90_000.0, 20 * 86_400.0)))

    def strikes(self) -> None:
        """Azure has a bad moment."""
        path = self.chance.choice(
            (
                "/managedClusters/",
                "/managedClusters/",
                "/subnets/",
                "/networkInterfaces/",
                "/publicIPAddresses",
                "/routeTables/",
            )
        )
        kind: dict[str, Any] = self.chance.choice(
            (
                {"status": 429, "retry_after": self.chance.choice((1, 60, 400))},
                {"status": 409, "code": "OperationNotAllowed"},
                {"status": 409, "code": "AKSOperationPreempted"},
                {"status": 500},
                {"status": 503, "code": "ServiceUnavailable"},
                {"status": 412, "code": "PreconditionFailed"},
                {"drop": "before"},
                {"drop": "after"},
                {"later": True},
                {"delay": self.chance.choice((20.0, 90.0))},
                {"stale": 30.0},
            )
        )
        method = (
            "PUT"
            if kind.keys() & {"later"}
            else "GET"
            if "stale" in kind
            else self.chance.choice(("PUT", "PUT", "GET"))
        )
        method = "PUT" if kind.get("status") == 412 else method
        self.arm.faults.append(Fault(method=method, path=path, count=self.chance.randint(1, 4), **kind))

    def changes_the_policies(self) -> None:
        changed = {"mode": Mode.AUDIT} if self.chance.random() < 0.5 else {"approvals": Approvals()}
        which = self.chance.choice(self.wanted.policies).name
        others = (replace(one, **changed) if one.name == which else one for one in self.wanted.policies)
        self.rules = Rules(self.chance.choice((self.wanted, Policies(tuple(others)))), Mode.ENFORCE)

    async def approves_everything(self) -> None:
        """Whatever waits for a person is agreed to."""
        for offer in await self.ports.ledger.offered():
            remediation = offer.withheld.remediation
            if remediation.steps:
                who = ("ann", "all of it")
                await decisions.rule(remediation.digest, Ruling.APPROVE, who, self.ports, self.rules.policies)


def _policies(approvals: Approvals) -> tuple[Policy, ...]:
    public = PublicIps(delete=True, quarantine_days=14)
    rules: dict[str, Any] = {"occupied": Mode.ENFORCE, "approvals": approvals, "public_ips": public}
    hub = hub_world.policy(
        name="hub",
        select=Select(virtual_networks=("spoke-2",)),
        ready="assumed",
        peering="create",
        **rules,
    )
    return (
        nat_policy(name="nat", select=Select(virtual_networks=("spoke-1", "spoke-3")), **rules),
        hub,
        nat_policy(name="rest", select=Select(), priority=1, **rules),
    )


def _subnets(one: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (one.get("properties") or {}).get("subnets") or []
    return found if ids.kind(one["id"]) == ids.VIRTUAL_NETWORK else []


def _named(one: dict[str, Any], member: str) -> str:
    return ids.key((one["properties"].get(member) or {}).get("id", ""))
