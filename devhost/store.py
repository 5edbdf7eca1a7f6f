"""Queues in one SQLite file: put, take, hide and delete messages with the semantics of Azure Storage queues.

The file is `DIR/queues.db`, shared with whoever puts messages by itself (with a delay, for example) by this schema.
"""

import asyncio
import sqlite3
import time
import uuid
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages(
  id TEXT PRIMARY KEY, queue TEXT NOT NULL, body TEXT NOT NULL, inserted_at REAL NOT NULL, visible_at REAL NOT NULL,
  dequeue_count INTEGER NOT NULL DEFAULT 0, pop_receipt TEXT);
CREATE INDEX IF NOT EXISTS messages_visible ON messages(queue, visible_at);
"""
_DUE = "SELECT id FROM messages WHERE queue = ? AND visible_at <= ? ORDER BY visible_at, rowid LIMIT ?"
_INSERT = "INSERT INTO messages(id, queue, body, inserted_at, visible_at) VALUES (?, ?, ?, ?, ?)"
# Seconds to wait for another program that is writing.
_PATIENCE = 30.0
_T = TypeVar("_T")


@dataclass(frozen=True)
class Message:
    """A message as it was taken; the receipt proves that it still is ours."""

    id: str
    queue: str
    body: str
    inserted_at: float
    visible_at: float
    dequeue_count: int
    pop_receipt: str


class Store:
    """The queues of one folder. Calls run one after the other in a thread of their own, never in the event loop."""

    def __init__(self, directory: Path, now: Callable[[], float] = time.time) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._now = now
        self._thread = ThreadPoolExecutor(1, "devhost-store")
        self._database = self._thread.submit(_open, directory / "queues.db").result()

    async def put(self, queue: str, bodies: Collection[str]) -> None:
        """Puts messages that are visible at once, all or none."""
        now = self._now()
        rows = [(str(uuid.uuid4()), queue, body, now, now) for body in bodies]

        def insert(database: sqlite3.Connection) -> None:
            database.executemany(_INSERT, rows)

        await self._run(insert)

    async def take(self, queue: str, limit: int, hidden: float) -> list[Message]:
        """Takes up to `limit` visible messages, oldest first, and hides them for so many seconds."""
        return await self._run(lambda database: _take(database, queue, limit, self._now(), hidden))

    async def hide(self, message: Message, hidden: float) -> Message | None:
        """Hides a taken message for so many seconds more, with a new receipt; None if it is no longer ours."""
        again = replace(message, visible_at=self._now() + hidden, pop_receipt=uuid.uuid4().hex)
        values = (again.visible_at, again.pop_receipt)
        return (
            again
            if await self._change("UPDATE messages SET visible_at = ?, pop_receipt = ?", values, message)
            else None
        )

    async def delete(self, message: Message) -> bool:
        """Deletes a taken message; False if it is no longer ours."""
        return await self._change("DELETE FROM messages", (), message)

    async def move(self, message: Message, queue: str) -> bool:
        """Moves a taken message to another queue, as a new message; False if it is no longer ours."""
        change = (
            "UPDATE messages SET id = ?, queue = ?, inserted_at = ?, visible_at = ?,"
            " dequeue_count = 0, pop_receipt = NULL"
        )
        now = self._now()
        return await self._change(change, (str(uuid.uuid4()), queue, now, now), message)

    async def due(self, queue: str) -> float | None:
        """Seconds until the next message of the queue is visible (0 or less: it is); None when there is none."""
        earliest = await self._run(
            lambda database: database.execute(
                "SELECT min(visible_at) FROM messages WHERE queue = ?", (queue,)
            ).fetchone()[0]
        )
        return None if earliest is None else float(earliest) - self._now()

    async def close(self) -> None:
        """Closes the file."""
        await self._run(lambda database: None)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._database.close)
        self._thread.shutdown()

    async def _change(self, change: str, values: tuple[str | float, ...], taken: Message) -> bool:
        ours = f"{change} WHERE id = ? AND pop_receipt = ?"
        parameters = (*values, taken.id, taken.pop_receipt)
        return await self._run(lambda database: database.execute(ours, parameters).rowcount > 0)

    async def _run(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        # What `work` returns must be plain values: a cursor would be disposed of in the event loop's thread, and reset
        # the statement that the store's thread is using by then.
        def transaction() -> _T:
            with self._database:
                return work(self._database)

        return await asyncio.get_running_loop().run_in_executor(self._thread, transaction)


def _open(path: Path) -> sqlite3.Connection:
    deadline = time.monotonic() + _PATIENCE
    while True:
        database = sqlite3.connect(path, timeout=_PATIENCE)
        try:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=NORMAL")
            database.executescript(_SCHEMA)
        except sqlite3.OperationalError as error:
            database.close()
            # SQLite does not wait when two open a new file at once and both turn to write-ahead logging.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return database


def _take(database: sqlite3.Connection, queue: str, limit: int, now: float, hidden: float) -> list[Message]:
    # Reading first leaves other writers alone while there is nothing to take.
    if not database.execute(_DUE, (queue, now, 1)).fetchone():
        return []
    rows = database.execute(
        "UPDATE messages SET dequeue_count = dequeue_count + 1, visible_at = ?,"
        f" pop_receipt = lower(hex(randomblob(16))) WHERE id IN ({_DUE}) RETURNING"
        " id, queue, body, inserted_at, visible_at, dequeue_count, pop_receipt",
        (now + hidden, queue, now, limit),
    ).fetchall()
    return sorted((Message(*row) for row in rows), key=lambda message: message.inserted_at)
