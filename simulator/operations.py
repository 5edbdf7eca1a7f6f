"""Asynchronous operations: a write starts one, time finishes it, a poll asks for it."""

import heapq
from collections import deque
from datetime import datetime
from typing import Literal

import msgspec

from simulator.events import Caller
from simulator.ids import AGENT_POOL, CLUSTERS, DEPLOYMENTS, NETWORK
from simulator.wire import Body

CANCELED: Body = {"code": "Canceled", "message": "Operation was canceled.", "details": []}
Status = Literal["InProgress", "Succeeded", "Failed", "Canceled"]
Effect = Literal["write", "delete", "delete_group", "action"]

_NOUNS = {
    "virtualnetworks": "VirtualNetwork",
    "subnets": "Subnet",
    "virtualnetworkpeerings": "VirtualNetworkPeering",
    "natgateways": "NatGateway",
    "publicipaddresses": "PublicIpAddress",
    "publicipprefixes": "PublicIpPrefix",
    "routetables": "RouteTable",
    "routes": "Route",
    "networksecuritygroups": "NetworkSecurityGroup",
    "securityrules": "SecurityRule",
    "networkinterfaces": "Nic",
    "loadbalancers": "LoadBalancer",
    "azurefirewalls": "AzureFirewall",
    "firewallpolicies": "FirewallPolicy",
    "virtualnetworkgateways": "VirtualNetworkGateway",
}
"""How the names of operations speak of a type."""
KEPT = 20_000
"""So many finished operations can still be polled; older ones are forgotten."""


class Operation(msgspec.Struct):
    """One long-running write, delete or action on `target` (a key), holding `lock` until it is due.

    `failing` is the error it will end with; `touched` are the resources that become Succeeded with it; `updates` is
    whether the resource existed before; `result` is what an action answers when it is done.
    """

    id: str
    namespace: str
    location: str
    api_version: str
    effect: Effect
    label: str
    target: str
    target_id: str
    type_name: str
    lock: str
    touched: tuple[str, ...]
    started: datetime
    due: datetime
    caller: Caller
    updates: bool = False
    failing: Body | None = None
    status: Status = "InProgress"
    error: Body | None = None
    result: Body | None = None

    @property
    def is_cluster(self) -> bool:
        return CLUSTERS.startswith(f"{self.namespace.lower()}/")

    @property
    def is_job(self) -> bool:
        """Whether it is Resource Manager's own, told by a Location only: deletes of groups and of deployments."""
        return self.effect == "delete_group" or self.type_name.lower() == DEPLOYMENTS

    def path(self, segment: Literal["operations", "operationResults"]) -> str:
        """The path of its status (or of its result), with the api-version of the request that started it."""
        subscription = self.target.split("/")[2]
        if self.is_job:
            return f"/subscriptions/{subscription}/operationresults/{self.id}?api-version={self.api_version}"
        version = "2017-08-31" if self.is_cluster else self.api_version
        spelling = segment.lower() if self.is_cluster else segment
        where = f"/subscriptions/{subscription}/providers/{self.namespace}/locations/{self.location}"
        return f"{where}/{spelling}/{self.id}?api-version={version}"

    def report(self) -> Body:
        """What a poll of its status shows."""
        if self.is_cluster:
            shown: Body = {"name": swapped(self.id), "status": self.status, "startTime": stamp(self.started)}
            if self.status != "InProgress":
                shown["endTime"] = stamp(self.due)
        else:
            shown = {"status": self.status}
        if self.error is not None:
            shown["error"] = self.error
        return shown


class Operations:
    """All operations of one simulator: which run, which is due next, which can be asked for."""

    def __init__(self) -> None:
        self._by_id: dict[str, Operation] = {}
        self._running: dict[str, Operation] = {}
        self._queue: list[tuple[datetime, int, Operation]] = []
        self._finished: deque[str] = deque()
        self._count = 0

    def start(self, operation: Operation) -> None:
        """An operation in; it runs until its time has come."""
        self._by_id[operation.id.lower()] = operation
        self._running[operation.lock] = operation
        self._count += 1
        heapq.heappush(self._queue, (operation.due, self._count, operation))

    def record(self, operation: Operation) -> None:
        """An operation that is finished before it is announced in; it can be polled."""
        operation.status = "Succeeded"
        self._by_id[operation.id.lower()] = operation
        self._forget_old(operation)

    def get(self, operation_id: str) -> Operation | None:
        return self._by_id.get(operation_id.lower())

    def running(self, lock: str) -> Operation | None:
        """What holds this lock now."""
        return self._running.get(lock)

    def due(self, now: datetime) -> Operation | None:
        """The next operation whose time has come, taken off the queue; None when there is none."""
        while self._queue and self._queue[0][0] <= now:
            operation = heapq.heappop(self._queue)[2]
            if operation.status == "InProgress":
                return operation
        return None

    def next_due(self) -> datetime | None:
        while self._queue and self._queue[0][2].status != "InProgress":
            heapq.heappop(self._queue)
        return self._queue[0][0] if self._queue else None

    def finish(self, operation: Operation, status: Status, error: Body | None = None) -> None:
        """An operation and how it ended in; its lock is free."""
        operation.status = status
        operation.error = error
        if self._running.get(operation.lock) is operation:
            del self._running[operation.lock]
        self._forget_old(operation)

    def _forget_old(self, operation: Operation) -> None:
        self._finished.append(operation.id.lower())
        if len(self._finished) > KEPT:
            self._by_id.pop(self._finished.popleft(), None)


def label_of(effect: Effect, type_name: str) -> str:
    """What an operation does and to which type in, its name as errors quote it out: `PutSubnetOperation`."""
    kind = type_name.rpartition("/")[2]
    noun = _NOUNS.get(kind.lower(), f"{kind[:1].upper()}{kind[1:]}")
    return f"{'Delete' if effect == 'delete' else 'Put'}{noun}Operation"


def superseded(running: Operation, by: Operation) -> Body:
    """An operation and the newer one that took its place in, the error the older one ends with out."""
    detail = {
        "code": "CanceledAndSupersededDueToAnotherOperation",
        "message": f"Operation {running.label} ({running.id}) was canceled and superseded by operation {by.label} "
        f"({by.id}).",
    }
    return {**CANCELED, "details": [detail]}


def swapped(guid: str) -> str:
    """A guid in, the one whose first three groups have their bytes reversed out: how AKS names operations."""
    groups = guid.split("-")
    turned = [bytes.fromhex(group)[::-1].hex() for group in groups[:3]]
    return "-".join([*turned, *groups[3:]])


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def durations(latency: Literal["none", "real"]) -> dict[str, float]:
    """A latency in, the seconds an operation takes by type (lower case) out; `""` is any other type."""
    if latency == "none":
        return {"": 0.0}
    return {
        "": 8.0,
        f"{NETWORK}/virtualnetworks": 8.0,
        f"{NETWORK}/virtualnetworks/subnets": 5.0,
        f"{NETWORK}/natgateways": 10.0,
        f"{NETWORK}/publicipaddresses": 4.0,
        f"{NETWORK}/publicipprefixes": 4.0,
        f"{NETWORK}/routetables": 4.0,
        f"{NETWORK}/azurefirewalls": 300.0,
        f"{NETWORK}/virtualnetworkgateways": 1800.0,
        f"{NETWORK}/applicationgateways": 360.0,
        "microsoft.compute/virtualmachinescalesets": 90.0,
        CLUSTERS: 180.0,
        AGENT_POOL: 120.0,
        "microsoft.resources/resourcegroups": 45.0,
    }


def retry_after(latency: Literal["none", "real"]) -> dict[str, int]:
    """A latency in, the Retry-After of asynchronous answers by type and verb out; nothing means no header.

    The values are those recorded: VNet writes 3, NAT gateway writes 10, deletes and polls 10, group deletes 15.
    """
    if latency == "none":
        return {}
    return {
        "write": 10,
        f"write {NETWORK}/virtualnetworks": 3,
        f"write {NETWORK}/virtualnetworks/subnets": 3,
        "delete": 10,
        "poll": 10,
        "action": 10,
        "delete_group": 15,
    }
