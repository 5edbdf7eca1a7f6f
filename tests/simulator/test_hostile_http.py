"""What comes over the wire and is no sane HTTP: bodies too large, lengths that lie, headers nobody should send."""

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator

import msgspec
import pytest

from simulator.arm import MOST_BYTES, Arm, ManualClock
from simulator.server import Server, serve
from tests.simulator.cloud import GROUP, NETWORK, VERSION

TABLE = f"{NETWORK}/routeTables/t?api-version={VERSION}"
BODY = b'{"location":"eastus"}'


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    arm = Arm(ManualClock())
    arm.load([{"id": GROUP, "type": "Microsoft.Resources/resourceGroups", "location": "eastus"}])
    running = await serve(arm)
    yield running
    await running.close()


def put(body: bytes, *headers: str, target: str = TABLE) -> bytes:
    """A body and headers in, the bytes of a PUT with them out; the connection is closed after the answer."""
    lines = [f"PUT {target} HTTP/1.1", "Host: 127.0.0.1", "Authorization: Bearer simulator", "Connection: close"]
    return "\r\n".join([*lines, *headers, "", ""]).encode("latin-1") + body


async def exchange(server: Server, sent: bytes, *, ends: bool = False) -> tuple[int, bytes]:
    """Bytes in, the status and the body of the answer out; status 0 is a connection without an answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(sent)
    if ends:
        writer.write_eof()
    head = b""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        body = await reader.readexactly(int(lengths[0].partition(b":")[2]))
    except (asyncio.IncompleteReadError, ConnectionError):
        body = b""
    writer.close()
    return (int(head.split()[1]) if head else 0), body


def chunked(*chunks: bytes) -> bytes:
    """Chunks in, a body in HTTP's chunks out."""
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))


CHUNKED = "Transfer-Encoding: chunked"
LARGE = b"x" * (MOST_BYTES + 1)
GZIPPED, BOMB = gzip.compress(BODY), zlib.compress(b"x" * (8 * MOST_BYTES))


def length(body: bytes) -> str:
    return f"Content-Length: {len(body)}"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (put(BODY, length(BODY)), 201),
        (put(chunked(BODY[:5], BODY[5:]), CHUNKED), 201),
        (put(GZIPPED, length(GZIPPED), "Content-Encoding: gzip"), 201),
        (put(BODY, length(BODY), "Expect: 100-continue"), 100),
    ],
    ids=["plain", "chunked", "gzip", "expect"],
)
async def test_bodies_arrive_however_they_are_sent(server: Server, sent: bytes, status: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(sent)
    assert int((await reader.readline()).split()[1]) == status
    await reader.read()
    writer.close()
    assert [entry.status for entry in server.arm.requests] == [201]


@pytest.mark.parametrize(
    "sent",
    [
        put(LARGE, length(LARGE)),
        put(chunked(LARGE[: MOST_BYTES // 2], LARGE, LARGE), CHUNKED),
        put(BOMB, length(BOMB), "Content-Encoding: deflate"),
    ],
    ids=["length", "chunked", "deflated"],
)
async def test_bodies_that_are_too_large_are_told_so_in_arms_words(server: Server, sent: bytes) -> None:
    status, body = await exchange(server, sent)
    assert (status, json.loads(body)["error"]["code"]) == (413, "RequestContentTooLarge")


async def test_a_body_of_the_greatest_size_is_read(server: Server) -> None:
    filled = json.dumps({"location": "eastus", "properties": {"note": ""}}).encode()
    body = filled[:-3] + b"x" * (MOST_BYTES - len(filled)) + filled[-3:]
    assert (len(body), (await exchange(server, put(body, length(body))))[0]) == (MOST_BYTES, 201)


async def test_estates_may_be_as_large_as_they_are(server: Server) -> None:
    group = {"id": GROUP, "type": "Microsoft.Resources/resourceGroups", "tags": {"note": "x" * MOST_BYTES}}
    body = json.dumps([group]).encode()
    sent = put(body, length(body), target="/simulator/estate").replace(b"PUT", b"POST", 1)
    assert (await exchange(server, sent))[0] == 200


BROKEN = {
    "encoding that is none": put(BODY, length(BODY), "Content-Encoding: gzip"),
    "chunk without a size": put(b"zz\r\nabc\r\n0\r\n\r\n", CHUNKED),
    "negative length": put(BODY, "Content-Length: -5"),
    "length that is no number": put(BODY, "Content-Length: many"),
    "two lengths": put(BODY, "Content-Length: 5", "Content-Length: 21"),
    "length and chunks": put(chunked(BODY), "Content-Length: 5", CHUNKED),
    "length shorter than the body": put(BODY, "Content-Length: 5"),
    "header without an end": put(b"", f"X-Long: {'a' * 100_000}"),
    "too many headers": put(b"", *(f"X-{number}: a" for number in range(5000))),
    "NUL in a header": put(b"", "X-A: a\x00b"),
    "path without an end": put(b"", target=f"/{'a' * 100_000}"),
    "bytes in a path": put(BODY, length(BODY), target="/\xff"),
    "bytes in a query": put(BODY, length(BODY), target=f"{GROUP}?api-version=\xff"),
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n",
}


@pytest.mark.parametrize("case", BROKEN)
async def test_what_is_no_http_is_refused(server: Server, case: str, capfd: pytest.CaptureFixture[str]) -> None:
    status, body = await exchange(server, BROKEN[case])
    assert status == 400
    assert b"Traceback" not in body
    assert (await exchange(server, put(BODY, length(BODY))))[0] == 201
    assert capfd.readouterr().err == ""


async def test_a_path_with_a_line_break_is_answered_by_arm(server: Server) -> None:
    status, body = await exchange(server, put(b"", target=f"{GROUP}%0A?api-version=2021-04-01"))
    assert (status, json.loads(body)["error"]["code"]) == (400, "InvalidRequestContent")
    assert [entry.status for entry in server.arm.requests] == [400]


@pytest.mark.parametrize(
    "sent", [put(BODY, "Content-Length: 500"), put(b"ff\r\nabc", CHUNKED)], ids=["length", "chunk"]
)
async def test_a_request_that_ends_early_changes_nothing(
    server: Server, sent: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    assert (await exchange(server, sent, ends=True))[0] in (0, 400)
    assert server.arm.requests == []
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "header",
    [
        *("If-Match: \xff\xfe", "If-None-Match: \xe9", "x-ms-correlation-request-id: \xff", "Host: [::1\xff"),
        *("x-ms-client-request-id: " + "a" * 4000, "Authorization: Bearer \xff", "Authorization: Basic x"),
        *("Authorization: Bearer a.\xe9.c", "Authorization: Bearer " + "." * 4000, "Content-Type: nonsense"),
    ],
)
async def test_odd_headers_are_no_mistake_of_the_server(server: Server, header: str) -> None:
    name = header.partition(":")[0]
    sent = (
        put(BODY, length(BODY)).replace(f"{name}: ".encode(), b"X-Before: ", 1)
        if name == "Host"
        else put(BODY, length(BODY))
    )
    status, body = await exchange(server, sent.replace(b"\r\n\r\n", f"\r\n{header}\r\n\r\n".encode("latin-1"), 1))
    assert status in (200, 201, 400, 401, 412)
    assert status < 400 or json.loads(body)["error"]["code"]
    status, body = await exchange(server, put(b"", target="/simulator/requests").replace(b"PUT", b"GET", 1))
    assert (status, len(json.loads(body))) == (200, 1)
    for event in server.arm.events:
        assert msgspec.json.encode(event.payload("EventGridSchema"))
