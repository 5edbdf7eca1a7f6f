"""The deployment that a command works with: the environment in, its settings, policies and worker out."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from cyclopts import Parameter

from governor.commands.errors import CommandError
from governor.core.policy import Policies
from governor.ports import Ports
from governor.settings import PREFIX, Settings
from governor.wiring import Worker

T = TypeVar("T")
# The store of the embedded set-up when nothing else is said, as in local.settings.sample.json.
DATA: Final = Path(".egress-governor")
DataFolder: Final = Parameter(name="--data", help="Folder of the ledger; without it, EGRESS_GOVERNOR_STORE.")

_CONNECT_SECONDS: Final = 5.0


def settings_of(environ: Mapping[str, str], policies: Path | None = None, data: Path | None = None) -> Settings:
    """An environment, `--policies` and `--data` in, Settings out; what the person wrote last wins."""
    given = dict(environ)
    if data is not None:
        given[PREFIX + "STORE"] = f"sqlite:{data}"
    if policies is not None:
        given[PREFIX + "POLICIES"] = str(policies)
    if not given.get(PREFIX + "STORE") and DATA.is_dir():
        given[PREFIX + "STORE"] = f"sqlite:{DATA}"
    return Settings.read(given)


def reach(settings: Settings) -> None:
    """Settings in; CommandError when nobody listens where Azure should be. A run would wait; a person should not."""
    parts = urlsplit(settings.arm_endpoint)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    if getproxies().get(parts.scheme) and not proxy_bypass(host):
        return
    try:
        socket.create_connection((host, port), _CONNECT_SECONDS).close()
    except OSError as error:
        why = error.strerror or str(error) or "it does not answer"
        raise CommandError(f"Azure Resource Manager at {settings.arm_endpoint} does not answer: {why}") from error


def policies_of(folder: Path | None) -> Policies:
    """`--policies` in, the policies of that folder or of the deployment out."""
    from governor.policy_files import load

    return load(folder or Path(os.environ.get(PREFIX + "POLICIES", "").strip() or "policies"))


def with_worker(ask: Callable[[Worker], Awaitable[T]], data: Path | None) -> T:
    """What is to be asked of the deployment's worker and `--data` in, its answer out; everything is closed again."""
    if data is None and not os.environ.get(PREFIX + "STORE") and not DATA.is_dir():
        raise CommandError(f"which ledger? Name its folder with --data DIR, or set {PREFIX}STORE=sqlite:DIR")
    settings = settings_of(os.environ, data=data)
    if not settings.store.is_dir():
        raise CommandError(f"{settings.store}: there is no ledger in this folder; name another with --data DIR")

    async def run() -> T:
        worker = Worker(settings)
        try:
            return await ask(worker)
        finally:
            await worker.close()

    return asyncio.run(run())


def with_ports(ask: Callable[[Ports], Awaitable[T]], data: Path | None) -> T:
    """What is to be asked of the deployment's ports and `--data` in, its answer out."""
    return with_worker(lambda worker: ask(worker.ports), data)
