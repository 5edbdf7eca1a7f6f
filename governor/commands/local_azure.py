"""A small Azure on this machine with the governor beside it: an estate and policies in, both running out."""

import os
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from governor.commands import children, estate_file
from governor.commands.children import CHECKOUT, Child
from governor.commands.errors import CommandError
from governor.commands.simulated_arm import SimulatedArm
from governor.core import ids
from governor.core.cause import Cause, Source, VirtualNetwork
from governor.core.estate import Body
from governor.policy_files import load
from governor.ports import Inbox
from governor.settings import PREFIX, Settings

SAMPLE: Final = CHECKOUT / "estates" / "contoso.json"
_TIMEOUT_SECONDS: Final = 20
EVENTS: Final = "/runtime/webhooks/eventgrid?functionName=resource_changed"


class Chosen(Struct):
    """What to start. A port of 0 takes any that is free."""

    estate: Path
    policies: Path
    data: Path
    port: int = 0
    arm_port: int = 0


class LocalAzure(Struct):
    """What runs. environ: the settings that other commands need to talk to it. networks: ids of what was loaded."""

    arm: SimulatedArm
    host: str
    environ: dict[str, str]
    children: list[Child]
    networks: list[str]
    subscriptions: list[str]

    def sweep(self) -> None:
        """Lets the timer of the sweep fire now, as `Run` in the Azure portal does."""
        url = f"{self.host}/admin/functions/sweep"
        request = urllib.request.Request(url, data=b"{}", headers={"Content-Type": "application/json"}, method="POST")
        try:
            urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS).close()
        except OSError as error:
            raise CommandError(f"the host at {self.host} does not begin a sweep: {error}") from error

    def settings(self) -> Settings:
        return Settings.read(self.environ)

    def check(self) -> None:
        """CommandError when one of the two has ended by itself."""
        if (child := children.ended(self.children)) is not None:
            raise CommandError(f"{child.name} has ended: {child.last_words} (its log: {child.log})")


@contextmanager
def running(chosen: Chosen) -> Iterator[LocalAzure]:
    """What to start in, what runs out; when the block ends, so do both children."""
    file = estate_file.read(chosen.estate)
    networks = [_id(file.bodies[key]) for key in file.networks]
    subscriptions = sorted({ids.parse(key).subscription for key in file.bodies if ids.parse(key).subscription})
    if not networks:
        raise CommandError(f"{chosen.estate}: {'; '.join(file.notes) or 'it holds no virtual network'}")
    load(chosen.policies)  # what is wrong with them is said here, and not only in the log of the host
    data = chosen.data.resolve()
    data.mkdir(parents=True, exist_ok=True)
    started: list[Child] = []
    try:
        options = ["--estate", str(chosen.estate.resolve()), "--port", str(chosen.arm_port), "--data", str(data)]
        started.append(children.start("simulator", [*options, "--latency", "none", "--throttle", "azure"], {}, data))
        url = children.address(started[0], "--arm-port", chosen.arm_port)
        environ = _environ(url, data, chosen.policies.resolve())
        started.append(children.start("devhost", ["--port", str(chosen.port), "--app", str(CHECKOUT)], environ, data))
        host = children.address(started[1], "--port", chosen.port)
        arm = SimulatedArm(url, data / "ca.pem")
        for subscription in subscriptions:
            arm.subscribe(subscription, host + EVENTS)
        yield LocalAzure(arm, host, environ, started, networks, subscriptions)
    finally:
        children.stop(started)


async def ask_for_a_look(networks: list[str], inbox: Inbox) -> None:
    """Ids of networks in; each is looked at once, as a sweep would have it."""
    for network in networks:
        cause = Cause(Source.MANUAL, datetime.now(UTC), subject=network, scope=VirtualNetwork(network))
        await inbox.put(cause)


def _environ(arm: str, data: Path, policies: Path) -> dict[str, str]:
    """The settings of the local governor; a ceiling and a schedule that the person has set stay."""
    return {
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "AzureWebJobsStorage": f"sqlite:{data}",
        PREFIX + "STORE": f"sqlite:{data}",
        PREFIX + "POLICIES": str(policies),
        PREFIX + "ARM_ENDPOINT": arm,
        PREFIX + "CA_BUNDLE": str(data / "ca.pem"),
        PREFIX + "SWEEP_SCHEDULE": os.environ.get(PREFIX + "SWEEP_SCHEDULE", "").strip() or "0 0 * * * *",
        PREFIX + "MODE_CEILING": os.environ.get(PREFIX + "MODE_CEILING", "").strip() or "enforce",
    }


def _id(body: bytes | msgspec.Raw) -> str:
    return msgspec.json.decode(body, type=Body).id
