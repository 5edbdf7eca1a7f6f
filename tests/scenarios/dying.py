"""A governor's process for tests: governs one Cause, and is killed with SIGKILL at a point; names its points on stdout.

usage: python -m tests.scenarios.dying STORE ENDPOINT VNET [POINT [TIMES]]
"""

import asyncio
import os
import signal
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from azure.core.rest import AsyncHttpResponse, HttpRequest

from governor import loop
from governor.cloud.arm import Session
from governor.cloud.azure import connect
from governor.core.cause import Cause, Source
from governor.core.policy import Mode, Policies
from governor.local.clock import SystemClock
from governor.local.inbox import SqliteInbox
from governor.local.ledger import SqliteLedger
from governor.loop import Rules
from governor.ports import Ports
from tests.scenarios.world import nat_policy
from tests.support.life import Life, mortal


class Shot(Life):
    """A Life that really ends: the operating system kills the process at the n-th time of a point."""

    def __init__(self, point: str, times: int) -> None:
        super().__init__()
        self._point, self._times = point, times

    def reach(self, point: str) -> None:
        print(point, flush=True)
        if point == self._point:
            self._times -= 1
            if self._times == 0:
                os.kill(os.getpid(), signal.SIGKILL)


class Reported(Session):
    """The real transport, which says what it has sent and been answered."""

    def __init__(self, life: Life) -> None:
        super().__init__(None, use_env_settings=False)
        self._life = life

    async def send(self, request: HttpRequest, **options: Any) -> AsyncHttpResponse:
        response: AsyncHttpResponse = await super().send(request, **options)
        self._life.reach(f"{request.method} {request.url.partition('?')[0].rpartition('/providers/')[2]}")
        return response


class LaterClock(SystemClock):
    """The machine's time, moved by so many seconds: whoever takes over need not wait for the lease."""

    def __init__(self, seconds: float) -> None:
        self._later = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return super().now() + self._later


async def govern(store: Path, endpoint: str, vnet: str, life: Life, later: float) -> None:
    """A store, an endpoint and a VNet in, governed once."""
    clock = LaterClock(later)
    cloud = connect(clock, arm_endpoint=endpoint, transport=Reported(life))
    ports = Ports(
        cloud=mortal(cloud, life, "cloud"),
        ledger=mortal(SqliteLedger(store / "ledger.db", clock), life, "ledger"),
        inbox=SqliteInbox(store / "queues.db", clock),
        clock=clock,
    )
    cause = Cause(source=Source.MANUAL, time=clock.now(), subject=vnet)
    await loop.govern(cause, ports, Rules(Policies(policies=(nat_policy(),)), Mode.ENFORCE))
    await cloud.close()
    await ports.ledger.close()


def main() -> None:
    store, endpoint, vnet, *rest = sys.argv[1:]
    life = Shot(rest[0], int(rest[1]) if len(rest) > 1 else 1) if rest else Life()
    asyncio.run(govern(Path(store), endpoint, vnet, life, 0.0 if rest else 200.0))


if __name__ == "__main__":
    main()
