"""The queue of Causes in one SQLite file: a Cause in, a message that becomes visible later out.

Readers (the local Functions host) own `dequeue_count` and `pop_receipt`.
"""

import threading
import uuid
from pathlib import Path
from typing import Final

from governor import messages
from governor.core.cause import Cause
from governor.local.rows import connect, transaction
from governor.ports import Clock

QUEUE: Final = "egress-causes"

_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS messages (id TEXT PRIMARY KEY, queue TEXT NOT NULL, body TEXT NOT NULL, "
    "inserted_at REAL NOT NULL, visible_at REAL NOT NULL, dequeue_count INTEGER NOT NULL DEFAULT 0, pop_receipt TEXT)"
)
_INDEX: Final = "CREATE INDEX IF NOT EXISTS messages_visible ON messages (queue, visible_at)"


class SqliteInbox:
    """path: the file, made if it is not there; shared with the host that reads it."""

    def __init__(self, path: Path, clock: Clock) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._clock, self._path, self._turn = clock, path, threading.Lock()
        self._connection = connect(path)
        with transaction(self._connection, path):
            self._connection.execute(_TABLE)
            self._connection.execute(_INDEX)

    async def put(self, cause: Cause, after: float = 0.0) -> None:
        self._put(messages.encode(cause), after)

    async def put_back(self, raw: bytes, after: float) -> None:
        self._put(raw, after)

    async def close(self) -> None:
        self._connection.close()

    def _put(self, message: bytes, after: float) -> None:
        now = self._clock.now().timestamp()
        with self._turn, transaction(self._connection, self._path):
            self._connection.execute(
                "INSERT INTO messages (id, queue, body, inserted_at, visible_at) VALUES (?, ?, ?, ?, ?)",
                (str(uuid.uuid4()), QUEUE, message.decode(), now, now + after),
            )
