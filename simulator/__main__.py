"""`python -m simulator`: options in, a simulator listening on this machine out, until it is stopped."""

import argparse
import asyncio
import signal
import ssl
import sys
from pathlib import Path

import msgspec
import trustme

from simulator.arm import Arm, Disorder, SystemClock
from simulator.estates import Estate
from simulator.faults import read_faults
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
        "--roles",
        choices=("open", "assigned"),
        default="open",
        help="everybody is an owner, or may do only what role assignments say",
    )
    parser.add_argument(
        "--network-lag", type=float, default=0, help="seconds by which networks show their subnets late"
    )
    parser.add_argument("--chaos", metavar="FILE", type=Path, help="YAML or JSON file with a list of faults")
    parser.add_argument("--event-duplicates", type=float, default=0, help="share of events that are sent twice, 0 to 1")
    parser.add_argument("--event-delay", type=float, default=0, help="seconds by which an event may be late, at most")
    parser.add_argument("--data", type=Path, default=Path(".simulator"), help="where ca.pem is written")
    return parser.parse_args(arguments)


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
    arm = Arm(
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
    except (OSError, ValueError, msgspec.DecodeError) as problem:
        print(f"simulator: {problem}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
