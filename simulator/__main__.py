"""`python -m simulator`: options in, a simulator listening on this machine out, until it is stopped."""

import argparse
import asyncio
import signal
import ssl
import sys
from pathlib import Path

import msgspec
import trustme

from simulator.arm import Arm, SystemClock
from simulator.estates import BadEstate, Estate
from simulator.server import serve

DEFAULT_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"


def options(arguments: list[str]) -> argparse.Namespace:
    """Command-line arguments in, their values out."""
    parser = argparse.ArgumentParser(prog="python -m simulator", description="A local Azure Resource Manager.")
    parser.add_argument("--estate", type=Path, help="JSON file with the resources that exist at the start")
    parser.add_argument("--port", type=int, default=8443, help="0 chooses a free port")
    parser.add_argument("--http", action="store_true", help="plain HTTP in place of HTTPS")
    parser.add_argument("--latency", choices=("none", "real"), default="none")
    parser.add_argument("--throttle", choices=("azure", "off"), default="azure")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--graph-lag", type=float, default=0, help="seconds by which Resource Graph is late")
    parser.add_argument(
        "--unreadable", metavar="ID", action="append", default=[], help="a subscription in which nobody has a role"
    )
    parser.add_argument(
        "--denied",
        metavar="SCOPE=ACTION",
        action="append",
        default=[],
        type=_denied,
        help="an action that nobody may do at a scope or below it; * stands for anything",
    )
    parser.add_argument("--data", type=Path, default=Path(".simulator"), help="where ca.pem is written")
    return parser.parse_args(arguments)


def _denied(given: str) -> tuple[str, str]:
    """`SCOPE=ACTION` in, both out."""
    scope, _, action = given.partition("=")
    if not scope or not action:
        raise argparse.ArgumentTypeError(f"{given!r} is not SCOPE=ACTION")
    return scope, action


def certificate(data: Path) -> ssl.SSLContext:
    """A folder in, a context with a fresh certificate for this machine out; its authority is written to ca.pem."""
    authority = trustme.CA()
    data.mkdir(parents=True, exist_ok=True)
    authority.cert_pem.write_to_path(str(data / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


async def run(chosen: argparse.Namespace) -> None:
    """Options in; listens until it is told to stop."""
    estate: Estate = [{"id": f"/subscriptions/{DEFAULT_SUBSCRIPTION}", "type": "Microsoft.Resources/subscriptions"}]
    if chosen.estate is not None:
        estate = msgspec.json.decode(chosen.estate.read_bytes())
    denied: dict[str, list[str]] = {}
    for scope, action in chosen.denied:
        denied.setdefault(scope, []).append(action)
    arm = Arm(
        SystemClock(),
        latency=chosen.latency,
        throttle=chosen.throttle,
        seed=chosen.seed,
        handshakes=True,
        estate=estate,
        graph_lag=chosen.graph_lag,
        unreadable=chosen.unreadable,
        denied=denied,
    )
    server = await serve(arm, chosen.port, None if chosen.http else certificate(chosen.data))
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
    except (OSError, BadEstate, msgspec.DecodeError) as problem:
        print(f"simulator: {problem}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
