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
from governor.core.estate import EVERYTHING, Estate, Gap, Reading
from governor.core.needs import Needs

NOT_THERE = "the file does not hold it"


class _Learned(Struct, frozen=True, rename="camel"):
    learned_routes: tuple[Raw, ...] = ()


class _Gateway(Struct, frozen=True):
    simulator: _Learned | None = None


def observe(file: EstateFile, network: str, at: datetime, needs: Callable[[Estate], Needs]) -> Estate:
    """A file, the key of one of its networks and what else is needed in, the Estate as a run would see it out."""
    listed = (EVERYTHING,) if file.complete else ()
    named = [_text(file.bodies[network])]
    clusters = tuple(file.bodies[key] for key in file.clusters if _of(key, network))
    first = Reading((file.bodies[network], *clusters), listed=listed)
    seen = estates.build(at, first, judged=(network,))
    asked: set[str] = set()
    while True:
        wanted = needs(seen)
        new = {ids.key(r): r for r in wanted.resources if ids.key(r) not in asked}
        lists = [name for name in wanted.lists if name not in asked]
        if not new and not lists:
            return seen
        asked.update(new, lists)
        readings = [_answer(file, key, network, named) for key in sorted(new)]
        readings += [_list(file, name) for name in lists]
        seen = estates.add(seen, _joined(readings))
        named += [_text(file.bodies[key]) for key in new if key in file.bodies]


def _answer(file: EstateFile, key: str, network: str, named: list[bytes]) -> Reading:
    if key in file.bare:
        return Reading(gaps=(Gap(key, "the file holds no properties of it"),))
    if key in file.bodies:
        return Reading(bodies=(file.bodies[key],))
    kind = ids.kind(key)
    if kind == ids.RESOURCE_GROUP and key in file.groups:
        # Something lives in it, so it exists; of the network's own group the tags would matter, and they are not known.
        own = ids.parse(network)
        if key != ids.key(ids.group(own.subscription, own.resource_group)):
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
    if what != "learnedRoutes":
        return Reading(gaps=(Gap(name, "the file was cut off"),))
    body = file.bodies.get(ids.key(where))
    said = msgspec.json.decode(body, type=_Gateway).simulator if body is not None else None
    if said is None:
        return Reading(gaps=(Gap(name, f"no export says what gateway {ids.name(where)} has learned"),))
    learned = {"id": ids.learned_routes(where), "value": said.learned_routes}
    return Reading(bodies=(msgspec.json.encode(learned),), listed=(name,))


def _text(body: bytes | msgspec.Raw) -> bytes:
    return bytes(body).lower()


def _of(key: str, network: str) -> bool:
    return ids.parse(key).subscription == ids.parse(network).subscription


def _joined(readings: list[Reading]) -> Reading:
    return Reading(
        bodies=tuple(body for reading in readings for body in reading.bodies),
        absent=tuple(key for reading in readings for key in reading.absent),
        gaps=tuple(gap for reading in readings for gap in reading.gaps),
    )
