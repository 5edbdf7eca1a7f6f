"""A row of the contract in, devhost serving the sample app of contract_app.py out."""

import importlib.util
import json
import logging
import sqlite3
import time
import types
from asyncio import timeout
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from devhost import functions
from devhost.host import Host

HERE = Path(__file__).parent
# No row takes longer; only a host that serves a batch one by one would wait forever.
PATIENCE = 20
INSERT = "INSERT INTO messages(id, queue, body, inserted_at, visible_at) VALUES (?, ?, ?, ?, ?)"


@dataclass
class Site:
    """A running host with the folder of its store."""

    host: Host
    url: str
    store: Path
    log: pytest.LogCaptureFixture

    def put(self, queue: str, bodies: Iterable[str], identity: str | None = None, delay: float = 0) -> None:
        """Puts messages as any other program does, by the schema alone."""
        now = time.time()
        with closing(sqlite3.connect(self.store / "queues.db")) as database, database:
            for number, body in enumerate(bodies):
                database.execute(INSERT, (identity or f"{queue}-{number}", queue, body, now, now + delay))

    def messages(self, queue: str) -> list[tuple[str, float]]:
        with closing(sqlite3.connect(self.store / "queues.db")) as database:
            query = "SELECT body, visible_at FROM messages WHERE queue = ? ORDER BY rowid"
            return [(str(body), float(visible)) for body, visible in database.execute(query, (queue,))]

    def bodies(self, queue: str) -> list[str]:
        return [body for body, _ in self.messages(queue)]

    def ran(self, function: str) -> int:
        """Invocations of a function by the one line that each of them logs."""
        return sum(
            record.levelno == logging.INFO and isinstance(record.args, tuple) and record.args[:1] == (function,)
            for record in self.log.get_records("call")
            if record.name == "devhost" and "ms" in record.msg
        )

    def failure(self) -> str:
        """The exceptions that were logged."""
        return " ".join(
            f"{type(record.exc_info[1]).__name__}: {record.exc_info[1]}"
            for record in self.log.get_records("call")
            if record.exc_info
        )

    async def ask(self, method: str, path: str, headers: dict[str, str], body: bytes) -> dict[str, Any]:
        url = URL(self.url + path, encoded=True)
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, headers=headers, data=body) as answer,
        ):
            return {"status": answer.status, "headers": answer.headers, "text": await answer.text()}


def sample_app() -> types.ModuleType:
    spec = importlib.util.spec_from_file_location("contract_app", HERE / "contract_app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def settings(store: Path, changes: dict[str, str | None]) -> dict[str, str]:
    every = {"STORE": f"sqlite:{store}", "TICK": "0 0 0 1 1 *", **changes}
    return {name: value for name, value in every.items() if value is not None}


@asynccontextmanager
async def serving(folder: Path, log: pytest.LogCaptureFixture, row: dict[str, Any]) -> AsyncIterator[Site]:
    log.set_level(logging.INFO, "devhost")
    (folder / "host.json").write_text(json.dumps(row.get("host_json", {})), encoding="utf-8")
    store = folder / "store"
    host = Host(functions.find(sample_app()), folder, settings(store, row.get("settings", {})))
    port = await host.start(0)
    try:
        async with timeout(PATIENCE):
            yield Site(host, f"http://127.0.0.1:{port}", store, log)
    finally:
        await host.stop()
