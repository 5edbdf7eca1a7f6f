"""What Microsoft's client libraries need to work with the simulator as they come: HTTPS, an authority, a token."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from azure.core.credentials import AccessToken

from simulator.__main__ import certificate
from simulator.arm import Arm, ManualClock, Request, Response
from simulator.server import serve
from tests.simulator.cloud import GROUP

T = TypeVar("T")


class Token:
    """The owner's token, in place of one that Entra ID would give."""

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        assert scopes == ("https://management.azure.com/.default",)
        return AccessToken("simulator", int(time.time()) + 3600)


class AsyncToken:
    """The same for clients of `aio`."""

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return Token().get_token(*scopes)

    async def close(self) -> None:
        return None

    async def __aenter__(self) -> "AsyncToken":
        return self

    async def __aexit__(self, *_: object) -> None:
        return None


class Waiting(Arm):
    """A simulator for which every poll is a second of waiting: operations take some, and nobody waits."""

    def handle(self, request: Request) -> Response:
        response = super().handle(request)
        if "/operation" in request.path.lower() and isinstance(self.clock, ManualClock):
            self.clock.advance(1)
        return response


class Served:
    """A simulator that listens on HTTPS, with a group `rg` in eastus, and how clients come to it."""

    def __init__(self, arm: Arm, port: int, authority: Path) -> None:
        self.arm = arm
        self.url = f"https://127.0.0.1:{port}"
        self.authority = str(authority)
        self._options: dict[str, Any] = {
            "base_url": self.url,
            "connection_verify": self.authority,
            "polling_interval": 0,
        }

    async def told(self, client: Callable[..., Any], story: Callable[[Any], T], *args: Any) -> T:
        """A client's class, what it is made with after its credential, and a story in; the story is told to one."""

        def tell() -> T:
            with client(Token(), *args, **self._options) as made:
                return story(made)

        return await asyncio.to_thread(tell)

    def aio(self, client: Callable[..., Any], *args: Any) -> Any:
        """A client's class of `aio` in, one to be entered out."""
        return client(AsyncToken(), *args, **self._options)


@asynccontextmanager
async def served(folder: Path, **options: Any) -> AsyncIterator[Served]:
    """A folder for the authority in, a simulator that runs meanwhile out."""
    arm = Waiting(ManualClock(), **options)
    arm.load([{"id": GROUP, "type": "Microsoft.Resources/resourceGroups", "location": "eastus"}])
    server = await serve(arm, ssl_context=certificate(folder))
    try:
        yield Served(arm, server.port, folder / "ca.pem")
    finally:
        await _farewells()
        await server.close()
        await _farewells()


async def _farewells() -> None:
    """Both ends of a connection say that it is over before TLS lets go of it: some turns of the loop.

    The exceptions of the library hold the connections of what they tell of, until they are collected.
    """
    gc.collect()
    for _ in range(10):
        await asyncio.sleep(0)
