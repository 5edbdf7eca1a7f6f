"""An exported file behind the question that a run asks of Azure: a network and what else is needed in, an Estate out.

The file is taken as whole: what nothing in it names and what is not in it does not exist. What something names and is
not in it is a gap, and so are subscriptions and resource groups that it does not describe. What a gateway has learned
stands in no export of Azure; the sample estates say it, as the simulator does.
"""

from collections.abc import Callable
from datetime import datetime

import msgspec
from msgspec import Raw, Struct

from governor.commands.estate_file import EstateFile
from governor.core import estate as estates
from governor.core import ids
from governor.core.address_facts import CreationTime, CreationTimes
from governor.core.estate import BY_NAME, EVERYTHING, Estate, Gap, Reading, list_of
from governor.core.needs import Needs

_ADDRESSES = ("publicIpAddresses", "publicIpPrefixes")
NOT_THERE = "the file does not hold it"


class _Learned(Struct, frozen=True, rename="camel"):
    learned_routes: tuple[Raw, ...] = ()


class _Gateway(Struct, frozen=True):
    simulator: _Learned | None = None


def observe(file: EstateFile, network: str, at: datetime, needs: Callable[[Estate], Needs]) -> Estate:
    """A file, the key of one of its networks and what else is needed in, the Estate as a run would see it out."""
    clusters = tuple(file.bodies[key] for key in file.clusters if _of(key, ids.parse(network).subscription))
    first = Reading((file.bodies[network], *clusters), listed=_everything(file))
    seen = estates.build(at, first, judged=(network,))
    return _complete(file, ids.group_of(network), seen, needs)


def remainder(file: EstateFile, subscription: str, at: datetime, needs: Callable[[Estate], Needs]) -> Estate:
    """A file, a subscription and what else is needed in, the Estate of what lives in no network of it out."""
    clusters = tuple(file.bodies[key] for key in file.clusters if _of(key, subscription))
    seen = estates.build(at, Reading(clusters, listed=_everything(file)), (), (subscription,))
    return _complete(file, "", seen, needs)


def _everything(file: EstateFile) -> tuple[str, ...]:
    return (EVERYTHING,) if file.complete else ()


def _complete(file: EstateFile, group: str, seen: Estate, needs: Callable[[Estate], Needs]) -> Estate:
    """group: that of the network, whose tags matter; "" where those of every group do."""
    named = [_text(file.bodies[ids.key(network.id)]) for network in seen.networks]
    asked: set[str] = set()
    while True:
        wanted = needs(seen)
        new = {ids.key(r): r for r in wanted.resources if ids.key(r) not in asked}
        lists = [name for name in wanted.lists if name not in asked]
        if not new and not lists:
            return seen
        asked.update(new, lists)
        readings = [_answer(file, key, group, named) for key in sorted(new)]
        readings += [_list(file, name) for name in lists]
        seen = estates.add(seen, _joined(readings))
        named += [_text(file.bodies[key]) for key in new if key in file.bodies]


def _answer(file: EstateFile, key: str, group: str, named: list[bytes]) -> Reading:
    if key in file.bare:
        return Reading(gaps=(Gap(key, "the file holds no properties of it"),))
    if key in file.bodies:
        return Reading(bodies=(file.bodies[key],))
    kind = ids.kind(key)
    if kind == ids.RESOURCE_GROUP and key in file.groups:
        # Something lives in it, so it exists; of the network's own group the tags would matter, and they are not known.
        if group and key != ids.key(group):
            return Reading(bodies=(msgspec.json.encode({"id": key}),))
    elif (
        kind not in (ids.SUBSCRIPTION, ids.ENTITY)
        and file.complete
        and not any(f'"{key}"'.encode() in text for text in named)
    ):
        return Reading(absent=(key,))
    return Reading(gaps=(Gap(key, NOT_THERE),))


def _list(file: EstateFile, name: str) -> Reading:
    what, _, where = name.removesuffix(")").partition("(")
    match what:
        case "learnedRoutes":
            return _learned(file, name, where)
        case "secret":
            return Reading(gaps=(Gap(name, "no export holds secrets"),))
        case "instanceAddresses":
            return Reading(gaps=(Gap(name, "no export holds the addresses of instances"),))
        case "outboundDependencies":
            return Reading(gaps=(Gap(name, "no export says what a cluster has to reach"),))
        case "frontDoors":
            return Reading(gaps=(Gap(name, "no export holds the origins of Front Door"),))
        case "effectiveRoutes":
            return Reading(gaps=(Gap(name, "no export holds effective routes"),))
        case "creationTimes":
            return Reading((_made(file, where),), listed=(name,))
        case _ if what in BY_NAME and file.complete:
            return Reading(tuple(file.bodies[key] for key in file.listed.get(name, ())), listed=(name,))
        case _:
            return Reading(gaps=(Gap(name, "the file was cut off"),))


def _learned(file: EstateFile, name: str, where: str) -> Reading:
    body = file.bodies.get(ids.key(where))
    said = msgspec.json.decode(body, type=_Gateway).simulator if body is not None else None
    if said is None:
        return Reading(gaps=(Gap(name, f"no export says what gateway {ids.name(where)} has learned"),))
    learned = {"id": ids.learned_routes(where), "value": said.learned_routes}
    return Reading(bodies=(msgspec.json.encode(learned),), listed=(name,))


def _made(file: EstateFile, where: str) -> bytes:
    """When addresses were made: `az resource list` writes it, Resource Graph does not."""
    keys = [key for what in _ADDRESSES for key in file.listed.get(list_of(what, where), ())]
    value = [msgspec.json.decode(file.bodies[key], type=CreationTime) for key in keys]
    return msgspec.json.encode(CreationTimes(ids.creation_times(ids.name(where)), tuple(value)))


def _text(body: bytes | msgspec.Raw) -> bytes:
    return bytes(body).lower()


def _of(key: str, subscription: str) -> bool:
    return ids.parse(key).subscription == subscription.casefold()


def _joined(readings: list[Reading]) -> Reading:
    return Reading(
        bodies=tuple(body for reading in readings for body in reading.bodies),
        absent=tuple(key for reading in readings for key in reading.absent),
        listed=tuple(name for reading in readings for name in reading.listed),
        gaps=tuple(gap for reading in readings for gap in reading.gaps),
    )
