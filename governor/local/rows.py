"""A SQLite file in, transactions over rows out: tables of (partition, row, value), the shape of Azure Tables.

One connection per object, one writer at a time per file, any number of processes on it.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from governor.core.cause import VERSION
from governor.ports import Terminal, Transient

T = TypeVar("T", bound=Struct)

WAIT_SECONDS: Final = 10.0
_LAST: Final = "\U0010ffff"


class Row(NamedTuple):
    row: str
    value: bytes
    hash: str


def _row(row: str, value: bytes | str, hash_: str) -> Row:
    """What stands in the file in, a Row out; a value that somebody has edited by hand may have become text."""
    return Row(row, value.encode() if isinstance(value, str) else value, hash_)


class _Version(Struct):
    v: int = VERSION


def decode(kind: type[T], value: bytes) -> T:
    """A stored value in, what it says out; a value of a newer version is one clear error."""
    try:
        version = msgspec.json.decode(value, type=_Version).v
        if version > VERSION:
            raise Terminal(
                f"the ledger holds a {kind.__name__} of version {version}, and this program reads up to version "
                f"{VERSION}: update it"
            )
        return msgspec.json.decode(value, type=kind)
    except msgspec.MsgspecError as error:
        raise Terminal(f"the ledger holds a {kind.__name__} that cannot be read: {error}") from error


class Transaction:
    """What can be done between the beginning and the end of one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, kind: type[T], table: str, partition: str, row: str) -> T | None:
        found = self.raw(table, partition, row)
        return None if found is None else decode(kind, found.value)

    def raw(self, table: str, partition: str, row: str) -> Row | None:
        found = self._connection.execute(
            f"SELECT row, value, hash FROM {table} WHERE partition = ? AND row = ?", (partition, row)
        ).fetchone()
        return None if found is None else _row(*found)

    def put(self, table: str, partition: str, row: str, value: Struct) -> None:
        self.put_raw(table, partition, row, msgspec.json.encode(value))

    def put_raw(self, table: str, partition: str, row: str, value: bytes, digest: str = "") -> None:
        self._connection.execute(
            f"INSERT OR REPLACE INTO {table} (partition, row, value, hash) VALUES (?, ?, ?, ?)",
            (partition, row, value, digest),
        )

    def delete(self, table: str, partition: str, row: str) -> None:
        self._connection.execute(f"DELETE FROM {table} WHERE partition = ? AND row = ?", (partition, row))

    def under(self, table: str, partition: str, prefix: str = "", after: str = "", limit: int = -1) -> list[Row]:
        """The rows of a partition whose key begins with `prefix` and comes after `after`, in order."""
        found = self._connection.execute(
            f"SELECT row, value, hash FROM {table} WHERE partition = ? AND row >= ? AND row < ? AND row > ? "
            "ORDER BY row LIMIT ?",
            (partition, prefix, prefix + _LAST, after, limit),
        ).fetchall()
        return [_row(*row) for row in found]

    def all(self, kind: type[T], table: str, partition: str, prefix: str = "", after: str = "") -> list[T]:
        """The values of such rows."""
        return [decode(kind, row.value) for row in self.under(table, partition, prefix, after)]

    def keep(self, name: str, body: bytes) -> None:
        """Stores a blob under its name; blobs never change."""
        self._connection.execute("INSERT OR IGNORE INTO blobs (name, body) VALUES (?, ?)", (name, body))

    def blob(self, name: str) -> bytes | None:
        found = self._connection.execute("SELECT body FROM blobs WHERE name = ?", (name,)).fetchone()
        return None if found is None else bytes(found[0])


class Rows:
    """The file. `tables`: names of tables of rows; there is always one of blobs."""

    def __init__(self, path: Path, tables: tuple[str, ...]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._turn = path, threading.Lock()
        self._connection = connect(path)
        try:
            with self.writing():
                self._prepare(tables)
        except BaseException:
            self._connection.close()
            raise

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """One transaction that nobody else writes beside, durable when it is over; an error undoes all of it."""
        with self._within("BEGIN IMMEDIATE") as tx:
            yield tx

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """One transaction that sees one state of the file."""
        with self._within("BEGIN") as tx:
            yield tx

    def close(self) -> None:
        with self._turn:
            self._connection.close()

    @contextmanager
    def _within(self, begin: str) -> Iterator[Transaction]:
        with self._turn, transaction(self._connection, self._path, begin):
            yield Transaction(self._connection)

    def _prepare(self, tables: tuple[str, ...]) -> None:
        found = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if found > VERSION:
            raise Terminal(f"{self._path} has version {found}, and this program reads up to {VERSION}: update it")
        for table in tables:
            self._connection.execute(
                f"CREATE TABLE IF NOT EXISTS {table} (partition TEXT NOT NULL, row TEXT NOT NULL, "
                "value BLOB NOT NULL, hash TEXT NOT NULL DEFAULT '', PRIMARY KEY (partition, row))"
            )
        self._connection.execute("CREATE TABLE IF NOT EXISTS blobs (name TEXT PRIMARY KEY, body BLOB NOT NULL)")
        self._connection.execute(f"PRAGMA user_version = {VERSION}")


def connect(path: Path, wait_seconds: float = WAIT_SECONDS) -> sqlite3.Connection:
    """The path of a file in, a connection to it out: write-ahead log, durable commits, transactions by hand."""
    connection = sqlite3.connect(path, timeout=wait_seconds, isolation_level=None, check_same_thread=False)
    try:
        _switch_to_wal(connection, time.monotonic() + wait_seconds)
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def _switch_to_wal(connection: sqlite3.Connection, deadline: float) -> None:
    """SQLite does not wait its turn for this when several processes open a new file at once, so we do."""
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if not _locked(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    """A connection in; what is done inside is done as a whole or not at all, Transient if the file stays busy."""
    try:
        connection.execute(begin)
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    except sqlite3.OperationalError as error:
        if not _locked(error):
            raise
        raise Transient(f"{path} is busy: {error}", after=WAIT_SECONDS) from error


def _locked(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
