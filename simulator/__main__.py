"""`python -m simulator`: options in, a simulator listening on this machine out, until it is stopped."""

import argparse
import asyncio
import errno
import json
import signal
import ssl
import sys
from pathlib import Path
from typing import NoReturn

import msgspec
import trustme

from simulator.arm import Arm, Disorder, SystemClock
from simulator.estates import BadEstate, Estate
from simulator.faults import BadFaults, read_faults
from simulator.server import serve

DEFAULT_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"


class Unusable(Exception):  # noqa: N818
    """An option that cannot be done: one line for whoever gave it."""


class Parser(argparse.ArgumentParser):
    """Tells what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"simulator: {message} (see --help)\n")


def options(arguments: list[str]) -> argparse.Namespace:
    """Command-line arguments in, their values out."""
    parser = Parser(
        prog="python -m simulator",
        description="A local Azure Resource Manager with Event Grid. `egress-governor simulator serve` is the same.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--estate", metavar="FILE", type=Path, help="JSON file with the resources that exist at the start"
    )
    parser.add_argument("--port", metavar="N", type=_port, default=8443, help="0 chooses a free port")
    parser.add_argument("--http", action="store_true", help="plain HTTP in place of HTTPS")
    parser.add_argument("--latency", choices=("none", "real"), default="none", help="how long operations take")
    parser.add_argument("--throttle", choices=("azure", "off"), default="azure", help="whether many calls are refused")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="what all chance follows from")
    parser.add_argument(
        "--graph-lag", metavar="SECONDS", type=_seconds, default=0, help="seconds by which Resource Graph is late"
    )
    parser.add_argument(
        "--roles",
        choices=("open", "assigned"),
        default="open",
        help="everybody is an owner, or may do only what role assignments say",
    )
    parser.add_argument(
        "--network-lag",
        metavar="SECONDS",
        type=_seconds,
        default=0,
        help="seconds by which networks show their subnets late",
    )
    parser.add_argument("--chaos", metavar="FILE", type=Path, help="YAML or JSON file with a list of faults")
    parser.add_argument(
        "--event-duplicates",
        metavar="SHARE",
        type=_share,
        default=0,
        help="how many of the events are sent twice, 0 to 1",
    )
    parser.add_argument(
        "--event-delay",
        metavar="SECONDS",
        type=_seconds,
        default=0,
        help="seconds by which an event may be late, at most",
    )
    parser.add_argument("--data", metavar="DIR", type=Path, default=Path(".simulator"), help="where ca.pem is written")
    return parser.parse_args(arguments)


def _port(given: str) -> int:
    if not given.isdecimal() or int(given) > 65_535:
        raise argparse.ArgumentTypeError(f"{given!r} is no port: a number from 0 to 65535")
    return int(given)


def _seconds(given: str) -> float:
    return _number(given, 86_400, "number of seconds")


def _share(given: str) -> float:
    return _number(given, 1, "share")


def _number(given: str, most: float, what: str) -> float:
    try:
        number = float(given)
    except ValueError:
        number = -1
    if not 0 <= number <= most:
        raise argparse.ArgumentTypeError(f"{given!r} is no {what} from 0 to {most}")
    return number


def read_estate(file: Path) -> Estate:
    """A JSON file in, the estate in it out; Unusable says which line is no JSON."""
    try:
        content = file.read_bytes()
    except OSError as problem:
        raise Unusable(f"{file}: cannot be read: {problem.strerror}") from None
    try:
        estate: Estate = msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError) as problem:
        raise Unusable(f"{file}: no JSON{_place(content)}: {problem}") from None
    return estate


def _place(content: bytes) -> str:
    """Where a text ceases to be JSON, if somebody can say it."""
    try:
        json.loads(content)
    except json.JSONDecodeError as problem:
        return f" (line {problem.lineno}, column {problem.colno})"
    except (ValueError, RecursionError):
        return ""
    return ""


def certificate(data: Path) -> ssl.SSLContext:
    """A folder in, a context with a fresh certificate for this machine out; its authority is written to ca.pem."""
    authority = trustme.CA()
    data.mkdir(parents=True, exist_ok=True)
    authority.cert_pem.write_to_path(str(data / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


def simulator(chosen: argparse.Namespace) -> Arm:
    """Options in, the simulator they describe out; Unusable names the option or file, and the entry in it."""
    estate: Estate = [{"id": f"/subscriptions/{DEFAULT_SUBSCRIPTION}", "type": "Microsoft.Resources/subscriptions"}]
    if chosen.estate is not None:
        estate = read_estate(chosen.estate)
    try:
        return Arm(
            SystemClock(),
            latency=chosen.latency,
            throttle=chosen.throttle,
            seed=chosen.seed,
            handshakes=True,
            estate=estate,
            graph_lag=chosen.graph_lag,
            network_lag=chosen.network_lag,
            faults=read_faults(chosen.chaos) if chosen.chaos is not None else (),
            events=Disorder(duplicates=chosen.event_duplicates, delay=chosen.event_delay),
            roles=chosen.roles,
        )
    except BadFaults as problem:
        raise Unusable(str(problem)) from None
    except BadEstate as problem:
        raise Unusable(f"{chosen.estate}: {problem}") from None


async def run(chosen: argparse.Namespace) -> None:
    """Options in; listens until it is told to stop."""
    arm = simulator(chosen)
    try:
        context = None if chosen.http else certificate(chosen.data)
    except OSError as problem:
        raise Unusable(f"--data {chosen.data}: cannot be written: {problem.strerror}") from None
    try:
        server = await serve(arm, chosen.port, context)
    except OSError as problem:
        if problem.errno == errno.EADDRINUSE:
            raise Unusable(f"port {chosen.port} is in use; choose another with --port, or any with --port 0") from None
        raise Unusable(f"port {chosen.port}: {problem.strerror}") from None
    print(f"{'http' if chosen.http else 'https'}://127.0.0.1:{server.port}", flush=True)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await server.close()


def main() -> int:
    """The process's arguments in, its exit code out."""
    chosen = options(sys.argv[1:])
    try:
        asyncio.run(run(chosen))
    except Unusable as problem:
        print(f"simulator: {problem}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
