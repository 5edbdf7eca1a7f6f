"""Processes that die: a Life counts every point a run passes, and ends at the chosen one.

whole = Life()
await story(whole)                      # passes len(whole.points) points
for n in range(len(whole.points)):
    with pytest.raises(Killed):
        await story(Life(dies_at=n))    # and then: does the next run mend it?
"""

import functools
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar, cast

T = TypeVar("T")


class Killed(BaseException):
    """The process ended here. No `except Exception` of the code under test sees it."""


class Life:
    """One process. Once it is dead it reaches nothing any more: what a `finally` still tries does not happen."""

    def __init__(self, dies_at: int | None = None) -> None:
        self._dies_at = dies_at
        self.points: list[str] = []
        self.is_over = False

    def reach(self, point: str) -> None:
        """A named point in; Killed when it is the last one."""
        if self.is_over:
            raise Killed(f"died before this could be reached: {point}")
        self.points.append(point)
        if len(self.points) - 1 == self._dies_at:
            self.is_over = True
            raise Killed(point)


class Mortal:
    """Any port, whose every awaited call (and sleep) is two points: before it happens, and after."""

    def __init__(self, port: object, life: Life, name: str) -> None:
        self._port, self._life, self._name = port, life, name

    def __getattr__(self, attribute: str) -> Any:
        member = getattr(self._port, attribute)
        point = f"{self._name}.{attribute}"
        if inspect.iscoroutinefunction(member):
            return functools.partial(self._call, member, point)
        if inspect.isasyncgenfunction(member):
            return functools.partial(self._iterate, member, point)
        return member

    async def _call(self, member: Callable[..., Awaitable[Any]], point: str, *args: Any, **kwargs: Any) -> Any:
        self._life.reach(f"before {point}")
        result = await member(*args, **kwargs)
        self._life.reach(f"after {point}")
        return result

    async def _iterate(
        self, member: Callable[..., AsyncIterator[Any]], point: str, *args: Any, **kwargs: Any
    ) -> AsyncIterator[Any]:
        async for item in member(*args, **kwargs):
            self._life.reach(f"within {point}")
            yield item


def mortal(port: T, life: Life, name: str) -> T:
    """A port, the Life of the process that uses it and a name for its points in, the port as it is there out."""
    return cast("T", Mortal(port, life, name))
