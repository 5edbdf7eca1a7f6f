"""Surveying: subscriptions in; their networks, with what judging needs of what lies around them, out of Resource Graph.

Rows are put back into the shape of Resource Manager's bodies, so that core reads and judges them like any other. What
Graph does not show is a gap: it may exist all the same.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Final

import msgspec
from msgspec import Raw, Struct

from governor.cloud import management
from governor.cloud.arm import Arm
from governor.cloud.closure import complete, joined
from governor.cloud.graph import Graph, Rows, id_of, listed
from governor.core import estate as estates
from governor.core import ids
from governor.core.estate import REQUEST_LISTS, Estate, Gap, Reading
from governor.core.needs import Needs
from governor.core.sighting import Cut, Rest, Seen, Sheet
from governor.ports import Refused, Terminal

_SUBSCRIPTIONS: Final = """
resourcecontainers | where type =~ 'microsoft.resources/subscriptions' | project id | order by id asc"""
MEMBERS: Final = (
    "provisioningState",
    "subnets",
    "virtualNetworkPeerings",
    "addressSpace",
    "defaultPublicNatGateway",
    "enableDdosProtection",
    "ddosProtectionPlan",
)
_NETWORKS: Final = f"""
resources | where type =~ 'microsoft.network/virtualnetworks'
| project id, name, type, location, tags, {", ".join(f"{member} = properties.{member}" for member in MEMBERS)}
| order by id asc"""
_CONTAINERS: Final = """
resourcecontainers | where id in~ {ids} | project id, name, type, location, tags, properties | order by id asc"""
_RESOURCES: Final = """
resources | where id in~ {ids} | project id, name, type, location, tags, sku, zones, properties | order by id asc"""
# What stands in lists of a subscription, by the name of the list.
_LISTED: Final = {
    "clusters": "microsoft.containerservice/managedclusters",
    "publicIpAddresses": ids.PUBLIC_IP,
    "publicIpPrefixes": ids.PUBLIC_IP_PREFIX,
    "loadBalancers": ids.LOAD_BALANCER,
    "natGateways": ids.NAT_GATEWAY,
    "apiManagement": ids.API_MANAGEMENT,
    "applicationGateways": ids.APPLICATION_GATEWAY,
    "sites": ids.SITE,
    "privateLinkServices": ids.PRIVATE_LINK_SERVICE,
}
_ASKED: Final = (
    "learnedRoutes(",
    "effectiveRoutes(",
    "creationTimes(",
    "instanceAddresses(",
    "frontDoors(",
    "secret(",
    *(f"{one}(" for one in REQUEST_LISTS),
)
_OF_TYPE: Final = """
resources | where type =~ '{type}'
| project id, name, type, location, tags, sku, properties | order by id asc"""
# A query of more ids gets too long.
_IDS_AT_ONCE: Final = 200
_NOT_SHOWN: Final = "Resource Graph does not show it"
_NOT_HELD: Final = "Resource Graph does not hold it"
_NO_ROW: Final = "Resource Graph shows no row of it, so it is gone or this identity may not read it"


_ABOVE: Final = (ids.SUBSCRIPTION, ids.RESOURCE_GROUP, ids.ENTITY)


class _Ancestor(Struct):
    name: str


class _Place(Struct, frozen=True):
    ancestors: tuple[_Ancestor, ...] | None = msgspec.field(name="managementGroupAncestorsChain", default=None)


class _Subscription(Struct):
    """A subscription as Graph writes it; its name stands elsewhere in Resource Manager."""

    id: str
    name: str = ""
    tags: Raw = Raw(b"null")
    properties: _Place = _Place()


class Surveyor:
    """Reads the networks of many subscriptions; holds one page at a time.

    ask: reads the lists that Graph does not hold, and that are few, of Resource Manager: what gateways have learned,
    since when addresses are there, which the instances of scale sets have, what is kept in Azure Policy, and secrets of
    their vaults.
    """

    def __init__(self, arm: Arm, graph: Graph, ask: Callable[[str], Awaitable[Reading]]) -> None:
        self._graph = graph
        self._clock = arm.clock
        self._ask = ask

    async def survey(
        self, subscriptions: Sequence[str], needs: Callable[[Estate], Needs]
    ) -> AsyncIterator[Seen | Sheet | Rest | Cut]:
        """Subscriptions and what else is needed in, what is seen of them out. Raises Transient."""
        seen = await self._seen(subscriptions)
        yield seen
        if not seen.subscriptions:
            return
        try:
            async for page in self._graph.pages(_NETWORKS, seen.subscriptions):
                yield await self._sheet(page, needs)
        except (Refused, Terminal) as found:
            yield Cut(str(found))
            return
        alone = Estate(self._clock.now(), remainders=seen.subscriptions)
        yield Rest(await complete(alone, needs, self._read))

    async def _seen(self, subscriptions: Sequence[str]) -> Seen:
        try:
            rows = await self._graph.rows(_SUBSCRIPTIONS, subscriptions)
        except (Refused, Terminal) as found:
            return Seen((), dict.fromkeys(subscriptions, str(found)))
        shown = {ids.parse(id_of(row)).subscription.casefold() for row in rows}
        return Seen(
            tuple(each for each in subscriptions if each.casefold() in shown),
            {each: _NO_ROW for each in subscriptions if each.casefold() not in shown},
        )

    async def _sheet(self, page: Rows, needs: Callable[[Estate], Needs]) -> Sheet:
        networks = tuple(id_of(row) for row in page.rows)
        bodies = tuple(_network(row) for row in page.rows)
        estate = estates.build(page.at, Reading(bodies), judged=networks)
        return Sheet(networks, await complete(estate, needs, self._read))

    async def _read(self, resources: dict[str, str], lists: list[str]) -> Reading:
        """Ids by key and names of lists in, what Graph shows of them out: one query each for what stands together."""
        above = [resource for resource in resources.values() if ids.kind(resource) in _ABOVE]
        around = [resource for resource in resources.values() if ids.kind(resource) not in _ABOVE]
        # The row of a subscription says what lies above it, too.
        rows = sorted({f"/subscriptions/{ids.parse(r).subscription}" if _is_entity(r) else r for r in above})
        read = joined(
            [
                await self._lists(lists),
                *[await self._asked(_CONTAINERS, chunk, _container) for chunk in _chunks(rows)],
                *[await self._asked(_RESOURCES, chunk, _resource) for chunk in _chunks(around)],
            ]
        )
        told = {ids.key(id_of(body)) for body in read.bodies} | {gap.about for gap in read.gaps}
        return joined((read, Reading(gaps=tuple(Gap(key, _NOT_SHOWN) for key in resources if key not in told))))

    async def _lists(self, names: list[str]) -> Reading:
        asked = [await self._ask(name) for name in names if name.startswith(_ASKED)]
        held: dict[str, list[str]] = {}
        for name in names:
            if (what := name.partition("(")[0]) in _LISTED:
                held.setdefault(what, []).append(name)
        found = joined([*asked, *[await self._held(what, those) for what, those in held.items()]])
        told = {*found.listed, *(gap.about for gap in found.gaps)}
        return joined((found, Reading(gaps=tuple(Gap(name, _NOT_HELD) for name in names if name not in told))))

    async def _held(self, what: str, names: list[str]) -> Reading:
        """Lists of one kind in, what Graph shows of them out."""
        scopes = (name.removeprefix(f"{what}(").removesuffix(")") for name in names)
        subscriptions = [scope.removeprefix("/subscriptions/") for scope in scopes]
        try:
            rows = await self._graph.rows(_OF_TYPE.format(type=_LISTED[what]), subscriptions)
        except (Refused, Terminal) as found:
            return Reading(gaps=tuple(Gap(name, str(found)) for name in names))
        return joined((Reading(listed=tuple(names)), *(_resource(row) for row in rows)))

    async def _asked(self, query: str, resources: Sequence[str], shape: Callable[[Raw], Reading]) -> Reading:
        subscriptions = sorted({ids.parse(resource).subscription for resource in resources})
        try:
            rows = await self._graph.rows(query.format(ids=listed(resources)), subscriptions)
        except (Refused, Terminal) as found:
            return Reading(gaps=tuple(Gap(ids.key(resource), str(found)) for resource in resources))
        return joined(shape(row) for row in rows)


def _chunks(resources: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(resources), _IDS_AT_ONCE):
        yield resources[start : start + _IDS_AT_ONCE]


def _is_entity(resource: str) -> bool:
    return ids.kind(resource) == ids.ENTITY


def _network(row: Raw) -> bytes:
    """The row of a network in, its body out."""
    members = _members(row)
    properties = {name: members.pop(name) for name in MEMBERS if name in members}
    return msgspec.json.encode({**members, "properties": properties})


def _resource(row: Raw) -> Reading:
    return Reading(bodies=(msgspec.json.encode(_members(row)),))


def _container(row: Raw) -> Reading:
    """The row of a resource group or a subscription in, what it says out."""
    if ids.kind(id_of(row)) != ids.SUBSCRIPTION:
        return _resource(row)
    found = msgspec.json.decode(row, type=_Subscription)
    body = {"id": found.id, "displayName": found.name, "tags": found.tags}
    chain = [ancestor.name for ancestor in reversed(found.properties.ancestors or ())]
    above = management.above(ids.parse(found.id).subscription, chain)
    return joined((Reading(bodies=(msgspec.json.encode(body),)), above))


def _members(row: Raw) -> dict[str, Raw]:
    """A row in, its columns without those that are empty out: Resource Manager leaves members out instead."""
    columns = msgspec.json.decode(row, type=dict[str, Raw])
    return {name: value for name, value in columns.items() if bytes(value) != b"null"}
