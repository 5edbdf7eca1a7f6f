"""The queues in one SQLite file: a Cause or a Survey in, a message that becomes visible later out.

Readers (the local Functions host) own `dequeue_count` and `pop_receipt`.
"""

import threading
import uuid
from pathlib import Path
from typing import Final

from governor import messages
from governor.core.cause import CAUSES, SURVEYS, Cause, Survey
from governor.local.rows import connect, transaction
from governor.ports import Clock

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

    async def put(self, message: Cause | Survey, after: float = 0.0) -> None:
        queue = SURVEYS if isinstance(message, Survey) else CAUSES
        self._put(queue, messages.encode(message), after)

    async def put_back(self, raw: bytes, after: float, queue: str = CAUSES) -> None:
        self._put(queue, raw, after)

    async def close(self) -> None:
        self._connection.close()

    def _put(self, queue: str, message: bytes, after: float) -> None:
        now = self._clock.now().timestamp()
        with self._turn, transaction(self._connection, self._path):
            self._connection.execute(
                "INSERT INTO messages (id, queue, body, inserted_at, visible_at) VALUES (?, ?, ?, ?, ?)",
                (str(uuid.uuid4()), queue, message.decode(), now, now + after),
            )
