"""Builds the real ports from Settings, once per worker, lazily, for functions and the command line alike.

The ports of Azure and of the embedded set-up are chosen here and nowhere else. Policies are read again when they are
older than a minute; a set that is not wholly valid is not used: the last good one stays.
"""

import os
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from governor.core.policy import Policies
from governor.loop import Rules
from governor.policy_files import PolicyErrors, load
from governor.ports import Clock, Ports
from governor.settings import Settings

POLICIES_OLD: Final = timedelta(seconds=60)


class Worker:
    """Settings in; ports and the rules in force out, kept for as long as the worker lives.

    policy_errors: why the newest policy files are not in force, or None.
    """

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        from governor.local.clock import SystemClock

        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self.policy_errors: PolicyErrors | None = None
        self._ports: Ports | None = None
        self._policies: Policies | None = None
        self._read_at: datetime | None = None

    @property
    def ports(self) -> Ports:
        if self._ports is None:
            self._ports = ports(self.settings, self.clock)
        return self._ports

    def rules(self) -> Rules:
        """The policies in force and the deployment's ceiling; PolicyErrors when there never was a valid set."""
        now = self.clock.now()
        if self._policies is None or self._read_at is None or now - self._read_at > POLICIES_OLD:
            try:
                self._policies, self.policy_errors = load(self.settings.policies), None
            except PolicyErrors as errors:
                if self._policies is None:
                    raise
                self.policy_errors = errors
            self._read_at = now
        return Rules(self._policies, self.settings.mode_ceiling)

    async def close(self) -> None:
        if self._ports is not None:
            await self._ports.cloud.close()
            await self._ports.ledger.close()
            await self._ports.inbox.close()
            if self._ports.notices is not None:
                await self._ports.notices.close()
            self._ports = None


@lru_cache(maxsize=1)
def worker() -> Worker:
    """The environment in, this process' one Worker out; SettingsError when the environment is wrong."""
    return Worker(Settings.read(os.environ))


def ports(settings: Settings, clock: Clock) -> Ports:
    """Settings in, the ports they name out; nothing is opened before it is used."""
    from governor.cloud.azure import connect
    from governor.cloud.topic import Topic
    from governor.local.inbox import SqliteInbox
    from governor.local.ledger import SqliteLedger

    settings.store.mkdir(parents=True, exist_ok=True)
    bundle = str(settings.ca_bundle) if settings.ca_bundle else None
    return Ports(
        cloud=connect(
            clock,
            arm_endpoint=settings.arm_endpoint,
            cloud=settings.cloud,
            ca_bundle=bundle,
            # An older list could let a run absorb the event of a cluster that its list does not hold.
            keep_clusters=min(10.0, settings.skew),
        ),
        ledger=SqliteLedger(settings.store / "ledger.db", clock, settings.skew),
        inbox=SqliteInbox(settings.store / "queues.db", clock),
        clock=clock,
        notices=Topic(settings.notices_topic, ca_bundle=bundle) if settings.notices_topic else None,
    )
