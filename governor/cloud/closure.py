"""Reading on until nothing is missing that can be read: an Estate and what is needed in, the whole Estate out."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias

from governor.core import estate as estates
from governor.core import ids
from governor.core.estate import Estate, Gap, Reading
from governor.core.needs import Needs

# Ids of resources by key and names of lists in, what was read of them out.
Read: TypeAlias = Callable[[dict[str, str], list[str]], Awaitable[Reading]]


async def complete(seen: Estate, needs: Callable[[Estate], Needs], read: Read) -> Estate:
    """An Estate, what else is needed and how it is read in, the Estate that lacks nothing any more out."""
    asked: set[str] = set()
    while True:
        wanted = needs(seen)
        resources = {ids.key(r): r for r in sorted(wanted.resources) if ids.key(r) not in asked}
        lists = sorted(set(wanted.lists) - asked)
        if not resources and not lists:
            return seen
        asked.update(resources, lists)
        seen = estates.add(seen, await read(resources, lists))
        seen = estates.add(seen, Reading(gaps=_not_understood(seen, resources)))


def joined(readings: Iterable[Reading]) -> Reading:
    """Readings in, one of all out."""
    parts = list(readings)
    return Reading(
        bodies=tuple(body for part in parts for body in part.bodies),
        absent=tuple(absent for part in parts for absent in part.absent),
        listed=tuple(listed for part in parts for listed in part.listed),
        gaps=tuple(gap for part in parts for gap in part.gaps),
        secrets=tuple(secret for part in parts for secret in part.secrets),
    )


def _not_understood(seen: Estate, keys: Iterable[str]) -> tuple[Gap, ...]:
    """What was read by id but is no fact, e.g. because its body names another resource: never asked for twice."""
    told = {gap.about for gap in seen.gaps}
    lost = [key for key in keys if key not in seen.known and key not in seen.absent and key not in told]
    return tuple(Gap(key, "what was read is no fact about it") for key in lost)
