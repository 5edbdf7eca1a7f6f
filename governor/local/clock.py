"""The Clock of the machine: nothing in, the time out."""

import asyncio
from datetime import UTC, datetime


class SystemClock:
    def now(self) -> datetime:
        """The time, aware UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
