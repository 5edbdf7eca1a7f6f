"""Reading a Scope and its Context: ids and names of lists in, an Estate that says what is missing out."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import Final, TypeVar

import msgspec
from msgspec import Raw, Struct

from governor.cloud import address_lists, management, request_lists, versions
from governor.cloud.arm import Arm
from governor.cloud.closure import complete, joined
from governor.cloud.graph import Graph
from governor.cloud.wait import Wait
from governor.core import estate as estates
from governor.core import ids
from governor.core.cause import Remainder, Scope, VirtualNetwork
from governor.core.estate import Estate, Gap, Reading
from governor.core.needs import Needs
from governor.core.secret import of_list
from governor.ports import Absent, Refused, Terminal, Transient

T = TypeVar("T")
_LIST: Final = re.compile(
    rf"(?P<what>clusters|deployments|networks|learnedRoutes|effectiveRoutes|outboundDependencies|permissions|secret"
    rf"|{'|'.join(estates.BY_NAME)})"
    r"\((?P<where>[^()]+(?:\([^()]*\)[^()]*)*)\)"
)
# A gateway takes up to a minute to say what it learned; a claim lives for two.
_LEARNED_WITHIN: Final = timedelta(seconds=90)
_WRITTEN: Final = (*estates.ADDRESS_LISTS, *estates.REQUEST_LISTS)
# A proof is not worth the claim: what is not told by then is said to be not known.
_ROUTES_WITHIN: Final = timedelta(seconds=45)
_UNREADABLE: Final = "it cannot be read by id"


class _Listed(Struct, frozen=True):
    at: datetime
    bodies: tuple[Raw, ...]


class _Told(Struct):
    value: Raw


class Observer:
    """Reads Estates. Lists but those of deployments are kept for `keep_clusters` seconds.

    Not longer than the clock skew that absorbing allows for: a run must not absorb the event of a cluster that its
    list is too old to hold. Lists of addresses only until something is written.
    """

    def __init__(self, arm: Arm, graph: Graph, keep_clusters: float) -> None:
        self._arm = arm
        self._graph = graph
        self._keep = timedelta(seconds=keep_clusters)
        self._kept: dict[str, _Listed] = {}
        self._written: datetime | None = None

    async def observe(self, scope: Scope, needs: Callable[[Estate], Needs], so_far: Estate | None = None) -> Estate:
        """A Scope, what else is needed and what was read already in, the Estate out; Transient when Azure is busy."""
        return await complete(so_far or await self._first(scope), needs, self._read)

    def written(self) -> None:
        """Something was written: what was listed of addresses before may not be true any more."""
        self._written = self._arm.clock.now()

    async def _first(self, scope: Scope) -> Estate:
        observed_at = self._arm.clock.now()
        match scope:
            case VirtualNetwork(id=vnet):
                return estates.build(observed_at, await self._resource(vnet), judged=[vnet])
            case Remainder():
                read = await self._resource(scope.key)
                return estates.build(observed_at, read, judged=(), remainders=(scope.subscription,))

    async def _read(self, resources: dict[str, str], lists: list[str]) -> Reading:
        found = await together(
            [self._resource(resource) for _, resource in sorted(resources.items())]
            + [self.read_list(name) for name in lists]
        )
        return joined(found)

    async def _resource(self, resource_id: str) -> Reading:
        if ids.kind(resource_id) == ids.ENTITY:
            return await management.entity(self._arm, resource_id)
        if versions.version(resource_id) is None:
            return Reading(gaps=(Gap(ids.key(resource_id), _UNREADABLE),))
        if ids.kind(resource_id) == ids.CLUSTER:
            # What is asked for by itself has just been written: the list that is kept is older.
            self._kept.pop(estates.clusters(ids.parse(resource_id).subscription), None)
        try:
            return Reading(bodies=(await self._arm.get(resource_id),))
        except Absent:
            return Reading(absent=(resource_id,))
        except (Refused, Terminal) as found:
            return Reading(gaps=(Gap(ids.key(resource_id), str(found)),))

    async def read_list(self, name: str) -> Reading:
        """The name of a list in, what is in it out; Transient when Azure is busy."""
        parsed = _LIST.fullmatch(name)
        if parsed is None:
            return Reading(gaps=(Gap(name, "there is no such list"),))
        where = parsed["where"]
        try:
            match parsed["what"]:
                case "clusters":
                    bodies = await self._once(name, lambda: self._clusters_of(where))
                case "learnedRoutes":
                    bodies = await self._once(name, lambda: self._learned_by(where))
                case "outboundDependencies":
                    bodies = await self._once(name, lambda: self._needed_by(where))
                case "effectiveRoutes":
                    bodies = await self._routes_of(where)
                case "permissions":
                    bodies = await self._once(name, lambda: self._permissions_at(where))
                case "networks":
                    bodies = await self._networks_in(where)
                case "deployments":
                    bodies = await self._deployments_in(where)
                case "secret":
                    return await self._secret(name)
                case what if what in estates.REQUEST_LISTS:
                    bodies = await self._once(name, lambda: request_lists.read(self._arm, self._graph, what, where))
                case what:
                    bodies = await self._once(name, lambda: address_lists.read(self._arm, what, where))
            return Reading(bodies=bodies, listed=(name,))
        except Absent:  # what held the list is gone, and with it everything in the list
            return Reading(listed=(name,))
        except (Refused, Terminal) as found:
            return Reading(gaps=(Gap(name, str(found)),))

    async def _once(self, name: str, read: Callable[[], Awaitable[tuple[Raw, ...]]]) -> tuple[Raw, ...]:
        """The name of a list and how it is read in, its elements out: of the last reading, while that is young."""
        kept, at = self._kept.get(name), self._arm.clock.now()
        if kept is None or at - kept.at >= self._keep or self._is_stale(name, kept):
            kept = _Listed(at, await read())
            self._kept[name] = kept
        return kept.bodies

    def _is_stale(self, name: str, kept: _Listed) -> bool:
        return self._written is not None and kept.at <= self._written and name.startswith(_WRITTEN)

    async def _secret(self, name: str) -> Reading:
        """The name of a list that holds one secret in, the secret out; it is not kept."""
        wanted = of_list(name)
        if wanted is None:
            raise Terminal("it names no secret")
        try:
            return Reading(secrets=(await self._arm.vault.secret(wanted),), listed=(name,))
        except Absent as found:
            return Reading(gaps=(Gap(name, str(found)),))

    async def _clusters_of(self, subscription: str) -> tuple[Raw, ...]:
        path = f"/subscriptions/{subscription}/providers/Microsoft.ContainerService/managedClusters"
        return await self._arm.elements(path, versions.CLUSTERS)

    async def _needed_by(self, cluster_id: str) -> tuple[Raw, ...]:
        value = await self._arm.values(f"{cluster_id}/outboundNetworkDependenciesEndpoints", versions.CLUSTERS)
        return (Raw(msgspec.json.encode({"id": ids.outbound_dependencies(cluster_id), "value": value})),)

    async def _learned_by(self, gateway_id: str) -> tuple[Raw, ...]:
        """Asked with a POST that Azure answers later; the gateway itself is not read."""
        if ids.kind(gateway_id) != ids.VIRTUAL_NETWORK_GATEWAY:
            raise Terminal(f"{ids.name(gateway_id)} is no virtual network gateway and cannot be asked what it learned")
        value = await self._told(f"{gateway_id}/getLearnedRoutes", _LEARNED_WITHIN)
        body = {"id": ids.learned_routes(gateway_id), "type": "Microsoft.Network/virtualNetworkGateways/learnedRoutes"}
        return (Raw(msgspec.json.encode({**body, "value": value})),)

    async def _routes_of(self, nic_id: str) -> tuple[Raw, ...]:
        """How an interface routes, for a proof: when Azure is too busy to say it, that is an answer too."""
        try:
            value = await self._told(f"{nic_id}/effectiveRouteTable", _ROUTES_WITHIN)
        except Transient as busy:
            raise Terminal(str(busy)) from busy
        body = {"id": ids.effective_routes(nic_id), "type": "Microsoft.Network/networkInterfaces/effectiveRoutes"}
        return (Raw(msgspec.json.encode({**body, "value": value})),)

    async def _told(self, path: str, within: timedelta) -> Raw:
        """A question that is asked with a POST and answered later, and how long that may take, in; its list out."""
        wait = Wait(self._arm, _nothing_to_renew, self._arm.clock.now() + within)
        told = await wait.result(await self._arm.post(self._arm.url(path, versions.NETWORK)))
        asked, of = ids.name(path), ids.name(path.rpartition("/")[0])
        if told is None:
            raise Transient(f"{of} has not answered {asked} within {within.total_seconds():.0f} s")
        try:
            return msgspec.json.decode(told.body, type=_Told).value
        except msgspec.DecodeError as error:
            raise Terminal(f"what {of} answers to {asked} is no list: {error}") from error

    async def _permissions_at(self, scope: str) -> tuple[Raw, ...]:
        value = await self._arm.values(f"{scope}/providers/Microsoft.Authorization/permissions", versions.PERMISSIONS)
        body = {"id": ids.permissions(scope), "type": "Microsoft.Authorization/permissions"}
        return (Raw(msgspec.json.encode({**body, "value": value})),)

    async def _networks_in(self, group_id: str) -> tuple[Raw, ...]:
        return await self._arm.elements(f"{group_id}/providers/Microsoft.Network/virtualNetworks", versions.NETWORK)

    async def _deployments_in(self, group_id: str) -> tuple[Raw, ...]:
        path = f"{group_id}/providers/Microsoft.Resources/deployments"
        return await self._arm.elements(path, versions.DEPLOYMENTS, filter="provisioningState eq 'Running'")


async def _nothing_to_renew() -> None:
    """Reading holds no lease."""


async def together(calls: Iterable[Awaitable[T]]) -> list[T]:
    """Several reads in, their results in order out; when one fails the others stop before its error comes out."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
