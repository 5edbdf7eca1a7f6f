"""How fast and how big the simulator is: `python -m benchmarks.simulator` prints one line of JSON.

The simulator is a process of its own without latency or throttling; a raw HTTP client asks over keep-alive
connections, each one request at a time. With `--load` an estate is read in this process instead.
"""

import argparse
import asyncio
import json
import resource
import sys
import time
from collections.abc import Iterator

from simulator.arm import Arm, ManualClock

CONNECTIONS = 8
SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000000"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg"
NETWORK = f"{GROUP}/providers/Microsoft.Network"
SUBNETS_PER_NETWORK = 10


def request(method: str, path: str, body: object = None) -> bytes:
    """A call in, its bytes on the wire out."""
    sent = json.dumps(body).encode() if body is not None else b""
    head = (
        f"{method} {path}?api-version=2024-05-01 HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer simulator\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(sent)}\r\n\r\n"
    )
    return head.encode() + sent


def network(number: int) -> dict[str, object]:
    """A number in, a network with its subnets as an estate names it out."""
    subnets = [
        {
            "name": f"s{i}",
            "properties": {
                "addressPrefix": f"10.{number % 256}.{i}.0/24",
                "natGateway": {"id": f"{NETWORK}/natGateways/ng-{number}"},
                "routeTable": {"id": f"{NETWORK}/routeTables/rt"},
            },
        }
        for i in range(SUBNETS_PER_NETWORK)
    ]
    space = {"addressPrefixes": [f"10.{number % 256}.0.0/16"]}
    return {
        "id": f"{NETWORK}/virtualNetworks/v-{number}",
        "location": "eastus",
        "properties": {"addressSpace": space, "subnets": subnets},
    }


async def exchange(port: int, asked: list[bytes]) -> None:
    """Requests in; each is sent when the one before it was answered well."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for message in asked:
        writer.write(message)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")):
            raise AssertionError(head.decode())
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))
    writer.close()
    await writer.wait_closed()


async def rate(port: int, requests: list[bytes]) -> int:
    """Requests in, how many are answered in a second, over all connections, out."""
    begin = time.perf_counter()
    await asyncio.gather(*(exchange(port, requests[i::CONNECTIONS]) for i in range(CONNECTIONS)))
    return round(len(requests) / (time.perf_counter() - begin))


async def measured(requests: int, networks: int) -> dict[str, object]:
    """How many requests and networks in, what reads and writes of single subnets come to out."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", "--http", "--port", "0", "--latency", "none", "--throttle", "off"),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        if process.stdout is None:
            raise AssertionError("the simulator says nothing")
        port = int((await process.stdout.readline()).decode().strip().rpartition(":")[2])
        gateways = [{"id": f"{NETWORK}/natGateways/ng-{i}", "location": "eastus"} for i in range(networks)]
        table = {"id": f"{NETWORK}/routeTables/rt", "location": "eastus"}
        await exchange(port, [request("POST", "/simulator/estate", [table, *gateways, *map(network, range(networks))])])
        subnets = [f"{NETWORK}/virtualNetworks/v-{i % networks}/subnets/s{i % 7}" for i in range(requests)]
        reads = await rate(port, [request("GET", path) for path in subnets])
        writes = await rate(port, [request("PUT", path, _changed(path, i)) for i, path in enumerate(subnets)])
    finally:
        process.terminate()
        await process.wait()
    return {"connections": CONNECTIONS, "requests": requests, "gets_per_second": reads, "puts_per_second": writes}


def _changed(path: str, number: int) -> dict[str, object]:
    """A subnet and a number in, a body that changes the subnet out."""
    second, third = int(path.split("/")[8].rpartition("-")[2]) % 256, path[-1]
    properties = {"addressPrefix": f"10.{second}.{third}.0/24", "defaultOutboundAccess": number % 2 == 0}
    return {"properties": properties | {"routeTable": {"id": f"{NETWORK}/routeTables/rt"}}}


def loaded(networks: int) -> dict[str, object]:
    """A number of networks in, what it takes to load them with their subnets out; they arrive in parts."""
    arm = Arm(ManualClock())
    before, seconds = _mib(), 0.0
    for part in _parts(networks, 1000):
        begin = time.perf_counter()
        arm.load(part)
        seconds += time.perf_counter() - begin
    return {
        "networks": networks,
        "subnets": networks * SUBNETS_PER_NETWORK,
        "seconds": round(seconds, 1),
        "mib": round(_mib() - before),
    }


def _parts(networks: int, size: int) -> Iterator[list[object]]:
    for first in range(0, networks, size):
        numbers = range(first, min(first + size, networks))
        gateways = [{"id": f"{NETWORK}/natGateways/ng-{number}", "location": "eastus"} for number in numbers]
        yield [*gateways, *map(network, numbers)]


def _mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--networks", type=int, default=1_000)
    parser.add_argument("--load", metavar="NETWORKS", type=int, help="load so many networks with ten subnets each")
    chosen = parser.parse_args()
    result = loaded(chosen.load) if chosen.load else asyncio.run(measured(chosen.requests, chosen.networks))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
