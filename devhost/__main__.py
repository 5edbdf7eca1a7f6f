"""`python -m devhost [--port 7071] [--app DIR] [--keys]`: serves the app of a folder until it is told to stop."""

import argparse
import asyncio
import logging
import os
import secrets
import signal
import sys
from pathlib import Path

from devhost import functions, keys, settings
from devhost.host import Host


def main() -> int:
    """Exit code 0 after Ctrl-C or SIGTERM, 1 when the host cannot start or go on."""
    parser = argparse.ArgumentParser(prog="python -m devhost", description="The local Functions host, on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=7071, help="port; 0 takes any free one (default 7071)")
    parser.add_argument("--app", type=Path, default=Path(), metavar="DIR", help="folder of function_app.py (default .)")
    parser.add_argument("--keys", action="store_true", help="demand keys as Azure does, and print those not set")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        asyncio.run(_serve(given.app.resolve(), given.port, given.keys))
    except (settings.StartError, OSError) as error:
        print(f"devhost: {error}", file=sys.stderr)
        return 1
    return 0


async def _serve(root: Path, port: int, demand_keys: bool) -> None:
    if not (root / "function_app.py").is_file():
        raise settings.StartError(f"{root} holds no function_app.py")
    settings.scrub(os.environ)
    os.environ.update(settings.read(root, os.environ))
    if demand_keys:
        _complete_keys()
    host = Host(functions.load(root), root, os.environ)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    taken = await host.start(port)
    print(f"devhost: http://127.0.0.1:{taken}", flush=True)
    failed = asyncio.create_task(host.failed())
    waiting = asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait((failed, waiting), return_when=asyncio.FIRST_COMPLETED)
    finally:
        failed.cancel()
        waiting.cancel()
        await asyncio.gather(failed, waiting, return_exceptions=True)
        await host.stop()


def _complete_keys() -> None:
    for name in (keys.FUNCTION, keys.SYSTEM, keys.MASTER):
        if not os.environ.get(name):
            os.environ[name] = secrets.token_urlsafe(24)
            print(f"devhost: {name}={os.environ[name]}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
