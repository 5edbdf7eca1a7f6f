"""Asking Resource Graph: a query in, its rows page by page out; an error rather than fewer rows than there are."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec import Raw, Struct

from governor.cloud import errors, versions
from governor.cloud.arm import Answer, Arm
from governor.ports import Terminal

_PATH: Final = "/providers/Microsoft.ResourceGraph/resources"
_FIRST_PAGE: Final = 200
# Azure refuses answers of more than 16 MB; a page that comes near is no page to hold in memory either.
_LARGE: Final = 6 * 1024 * 1024


class Rows(Struct, frozen=True):
    """One page: what was true at that time, or up to minutes before."""

    at: datetime
    rows: tuple[Raw, ...]


class _Id(Struct):
    id: str


class _Told(Struct, frozen=True):
    data: tuple[Raw, ...]
    total: int = msgspec.field(name="totalRecords", default=0)
    # A text, not a truth value: "true" where rows are missing.
    truncated: str = msgspec.field(name="resultTruncated", default="false")
    token: str | None = msgspec.field(name="$skipToken", default=None)


_TOLD: Final = msgspec.json.Decoder(_Told)
_ID: Final = msgspec.json.Decoder(_Id)


class Graph:
    """Resource Graph as one worker sees it; its quota is the identity's, so questions are asked one after another."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm
        self._turn = asyncio.Lock()
        self._free_at: datetime | None = None

    async def pages(self, query: str, subscriptions: Sequence[str]) -> AsyncIterator[Rows]:
        """A query with `id` in its rows and the subscriptions to ask about in, pages out."""
        size, token, seen = _FIRST_PAGE, None, 0
        while True:
            at = self._arm.clock.now()
            try:
                told, length = await self._ask(query, subscriptions, size, token)
            except errors.TooLarge:
                if size == 1:
                    raise
                size = size // 2
                continue
            seen += len(told.data)
            yield Rows(at, told.data)
            if told.token is None:
                if told.truncated.casefold() == "true" or seen < told.total:
                    raise Terminal(f"Resource Graph cut its answer off: it showed {seen} of {told.total} rows")
                return
            if not told.data:
                raise Terminal(f"Resource Graph goes on without rows after {seen} of {told.total}")
            if length > _LARGE:
                size = max(1, size // 2)
            token = told.token

    async def rows(self, query: str, subscriptions: Sequence[str]) -> tuple[Raw, ...]:
        """A query in, all its rows out."""
        return tuple([row async for page in self.pages(query, subscriptions) for row in page.rows])

    async def _ask(self, query: str, subscriptions: Sequence[str], size: int, token: str | None) -> tuple[_Told, int]:
        options = {"$top": size, "resultFormat": "objectArray", **({"$skipToken": token} if token else {})}
        body = {"subscriptions": list(subscriptions), "query": query, "options": options}
        async with self._turn:
            if self._free_at is not None:
                await self._arm.clock.sleep(max(0.0, (self._free_at - self._arm.clock.now()).total_seconds()))
            answer = await self._arm.post(self._arm.url(_PATH, versions.GRAPH), body)
            self._free_at = self._free_again(answer)
        try:
            told = _TOLD.decode(answer.body)
            for row in told.data:
                id_of(row)
            return told, len(answer.body)
        except msgspec.DecodeError as error:
            raise Terminal(f"what Resource Graph answered is no table of resources: {error}") from error

    def _free_again(self, answer: Answer) -> datetime | None:
        """An answer in; when the quota is whole again if this was the last question it had room for."""
        left, resets = answer.headers.get("x-ms-user-quota-remaining"), errors.quota_reset(answer.headers)
        if left is None or not left.isdecimal() or int(left) > 0 or resets is None:
            return None
        return self._arm.clock.now() + timedelta(seconds=resets)


def id_of(row: bytes | Raw) -> str:
    """A row in, the id of what it is about out."""
    return _ID.decode(row).id


def listed(texts: Iterable[str]) -> str:
    """Texts in, what follows `in~` in a query out."""
    return "(" + ", ".join(map(quoted, texts)) + ")"


def quoted(text: str) -> str:
    """A text in, how a query writes it out."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
