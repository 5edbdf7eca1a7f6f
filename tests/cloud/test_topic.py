"""The port Notices on a custom topic of Event Grid, with the real SDK: what arrives and what is refused."""

import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme
from azure.core.credentials import AccessToken

from governor.cloud.topic import Topic
from governor.core.cause import VirtualNetwork
from governor.core.notice import Notice, addresses_changed
from governor.core.register import Entry, Move
from governor.ports import Refused, Terminal, Transient
from simulator.arm import Arm, Fault, ManualClock
from simulator.server import serve
from simulator.wire import Request, Response
from tests.support.transport import InProcessTransport, Moment, lost

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-00000000000a"
NETWORK = f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v"
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
URL = "http://127.0.0.1:8443/topics/told/api/events"


def notice(record: str = "r1", address: str = "20.0.0.1") -> Notice:
    moved = Move(Entry(f"{NETWORK}/subnets/app", "NAT gateway ng", (address,), policy="spokes"))
    return addresses_changed(VirtualNetwork(NETWORK), record, (moved,), AT)


class Told:
    """A simulator with a topic, and the port that sends there, in one process."""

    def __init__(self, url: str = URL, **options: Any) -> None:
        self.arm = Arm(ManualClock())
        self.transport = InProcessTransport(self.arm)
        self.topic = Topic(url, transport=self.transport, **options)


async def test_an_event_says_what_moved_and_has_the_id_of_the_notice() -> None:
    told = Told()
    await told.topic.send(notice())
    (event,) = told.arm.published("told")
    assert (event["type"], event["specversion"], event["id"]) == (
        "EgressGovernor.AddressesChanged",
        "1.0",
        "addresses-r1",
    )
    assert (event["source"], event["subject"]) == (SUBSCRIPTION, NETWORK.lower())
    assert event["time"] == "2026-03-01T12:00:00.000Z"
    assert event["data"]["record"] == "r1"
    assert event["data"]["what"]["moves"][0]["now"]["addresses"] == ["20.0.0.1"]
    assert event["data"]["text"].startswith("subnet v/app leaves from 20.0.0.1; allow 20.0.0.1")


async def test_sent_again_it_is_the_same_event() -> None:
    told = Told()
    await told.topic.send(notice())
    await told.topic.send(notice())
    first, second = told.arm.published("told")
    assert {**first, "traceparent": ""} == {**second, "traceparent": ""}


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_over_a_socket(scheme: str, tmp_path: Path) -> None:
    arm, context, bundle = Arm(ManualClock()), None, None
    if scheme == "https":
        authority, bundle = trustme.CA(), str(tmp_path / "ca.pem")
        authority.cert_pem.write_to_path(bundle)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
    server = await serve(arm, ssl_context=context)
    topic = Topic(f"{scheme}://127.0.0.1:{server.port}/topics/told/api/events", ca_bundle=bundle)
    await topic.send(notice())
    arm.faults.append(
        Fault(path="/api/events", status=503, body={"error": {"code": "503", "message": "busy"}}, count=1)
    )
    with pytest.raises(Transient, match="busy"):
        await topic.send(notice("r2"))
    arm.faults.append(Fault(path="/api/events", drop="after", count=1))
    with pytest.raises(Transient):
        await topic.send(notice("r3"))
    await topic.close()
    await server.close()
    assert [event["id"] for event in arm.published("told")] == ["addresses-r1", "addresses-r3"]


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (400, Terminal),
        (401, Transient),
        (403, Refused),
        (404, Terminal),
        (413, Terminal),
        (429, Transient),
        (503, Transient),
    ],
)
async def test_what_a_topic_refuses_is_one_of_the_words(status: int, word: type[Exception]) -> None:
    told = Told()
    body = {"error": {"code": str(status), "message": "no"}}
    told.arm.faults.append(Fault(path="/api/events", status=status, body=body))
    with pytest.raises(word, match="no"):
        await told.topic.send(notice())
    # Nothing is tried again here: the ledger keeps it.
    assert len(told.transport.requests) == 1


async def test_a_lost_connection_is_transient() -> None:
    told = Told()

    def cut(moment: Moment, *_: object) -> None:
        if moment == "before":
            raise lost()

    told.transport.hooks.append(cut)
    with pytest.raises(Transient, match="lost"):
        await told.topic.send(notice())


# ---- who gets a token -----------------------------------------------------------------------------------------------


class Credential:
    """An identity that counts who asks it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.asked += scopes
        return AccessToken("a real token", 4_000_000_000)

    async def close(self) -> None: ...

    async def __aenter__(self) -> "Credential":
        return self

    async def __aexit__(self, *_: object) -> None: ...


async def test_a_topic_on_this_machine_never_sees_a_real_token() -> None:
    identity = Credential()
    told = Told(credential=identity)
    await told.topic.send(notice())
    (request,) = told.transport.requests
    assert identity.asked == []
    assert request.header("Authorization") is None
    assert request.header("aeg-sas-key") == "simulator"


async def test_a_topic_in_azure_gets_a_token_for_event_grid() -> None:
    identity = Credential()
    told = Told("https://told.westeurope-1.eventgrid.azure.net/api/events", credential=identity)

    def accept(moment: Moment, request: Request, _: Response | None) -> Response | None:
        return Response(200) if moment == "before" else None

    told.transport.hooks.append(accept)
    await told.topic.send(notice())
    (request,) = told.transport.requests
    assert identity.asked == ["https://eventgrid.azure.net/.default"]
    assert request.header("Authorization") == "Bearer a real token"
    assert request.path == "/api/events"
    assert request.query["api-version"] == "2018-01-01"


@pytest.mark.parametrize("url", ["http://told.westeurope-1.eventgrid.azure.net/api/events", "told", "https://"])
def test_what_is_no_address_of_a_topic(url: str) -> None:
    with pytest.raises(ValueError, match=r"must be https|not the address"):
        Topic(url)
