"""The same over real sockets: http, https with a CA of its own, lost connections, and one connection used again."""

import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme
from aiohttp import web

from governor.cloud.azure import AzureCloud, connect
from governor.core import facts
from governor.core.cause import VirtualNetwork
from governor.core.needs import Needs
from governor.core.record import Became
from governor.ports import Transient
from simulator.server import serve
from tests.cloud.world import ATTACH, GATEWAY, SUBNET, VNET, Azure
from tests.support.clock import FakeClock


class Served(NamedTuple):
    azure: Azure
    cloud: AzureCloud


async def renew() -> None:
    """A lease that needs no renewal."""


async def answering(answer: Callable[[web.Request], Awaitable[web.Response]]) -> tuple[web.AppRunner, str]:
    """What to answer to everything in, a server that does and its address out."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


@pytest.fixture(params=["http", "https"])
async def served(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Served]:
    """A simulator on a port of this machine, and a Cloud that asks it."""
    azure, context, bundle = Azure(), None, None
    if request.param == "https":
        authority, bundle = trustme.CA(), str(tmp_path / "ca.pem")
        authority.cert_pem.write_to_path(bundle)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
    server = await serve(azure.arm, ssl_context=context)
    cloud = connect(azure.clock, arm_endpoint=f"{request.param}://127.0.0.1:{server.port}", ca_bundle=bundle)
    yield Served(azure, cloud)
    await cloud.close()
    await server.close()


async def test_observe_and_apply(served: Served) -> None:
    seen = await served.cloud.observe(VirtualNetwork(VNET), lambda _: Needs((GATEWAY,)))
    assert isinstance(seen.find(GATEWAY, facts.NatGateway), facts.NatGateway)
    applied = await served.cloud.apply("d", ATTACH, renew)
    assert (applied.outcome.became, applied.outcome.detail) == (Became.DONE, "")
    assert (await served.cloud.apply("d", ATTACH, renew)).outcome.became is Became.UNCHANGED


async def test_lost_connections(served: Served) -> None:
    served.azure.strikes("GET", "subnets", drop="before")
    served.azure.strikes("PUT", "subnets", drop="after")
    applied = await served.cloud.apply("d", ATTACH, renew)
    # Not even aiohttp sent it a second time: it does so by itself with every PUT whose connection was used before.
    assert (applied.outcome.became, applied.outcome.detail) == (Became.DONE, "")
    assert [request.method for request in served.azure.arm.requests].count("PUT") == 1


async def test_refusals_and_throttles(served: Served) -> None:
    served.azure.strikes("PUT", "subnets", status=429, code="SubscriptionRequestsThrottled", retry_after=9)
    served.azure.strikes("PUT", "subnets", status=403, code="AuthorizationFailed", message="no")
    applied = await served.cloud.apply("d", ATTACH, renew)
    assert (applied.outcome.became, applied.outcome.detail) == (Became.FAILED, "AuthorizationFailed: no")
    assert 9 <= sum(served.azure.clock.slept) <= 10


async def test_nothing_secret_is_logged(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await served.cloud.apply("d", ATTACH, renew)
    assert [word for word in ("Bearer", "Authorization", "addressPrefix") if word in caplog.text] == []


async def test_compressed_answers() -> None:
    async def answer(_: web.Request) -> web.Response:
        response = web.json_response({"id": VNET, "name": "spoke"})
        response.enable_compression(web.ContentCoding.gzip)
        return response

    runner, address = await answering(answer)
    cloud = connect(FakeClock(), arm_endpoint=address)
    assert await cloud.arm.get(VNET) == b'{"id": "' + VNET.encode() + b'", "name": "spoke"}'
    await cloud.close()
    await runner.cleanup()


async def test_an_unknown_authority_is_not_trusted(tmp_path: Path) -> None:
    azure, authority = Azure(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = await serve(azure.arm, ssl_context=context)
    cloud = connect(azure.clock, arm_endpoint=f"https://127.0.0.1:{server.port}")
    with pytest.raises(Transient, match="certificate"):
        await cloud.arm.get(VNET)
    await cloud.close()
    await server.close()
    assert azure.arm.requests == []


async def test_nobody_listens() -> None:
    cloud = connect(FakeClock(), arm_endpoint="http://127.0.0.1:9")
    with pytest.raises(Transient, match="the connection to Azure was lost"):
        await cloud.arm.get(VNET)
    await cloud.close()


async def test_one_connection_for_reads_and_writes_and_a_redirect_is_not_followed() -> None:
    azure = Azure()
    ports: set[object] = set()

    async def answer(request: web.Request) -> web.Response:
        assert request.transport is not None
        ports.add(request.transport.get_extra_info("peername"))
        return web.Response(status=302, headers={"Location": "http://127.0.0.1:9/elsewhere"})

    runner, address = await answering(answer)
    cloud = connect(azure.clock, arm_endpoint=address)
    for _ in range(3):
        applied = await cloud.apply("d", ATTACH, renew)
        assert applied.outcome.became is Became.FAILED
        assert "HTTP 302" in applied.outcome.detail
    assert len(ports) == 1
    await cloud.close()
    await runner.cleanup()


async def test_a_session_that_was_closed_opens_again(served: Served) -> None:
    await served.cloud.close()
    assert await served.cloud.arm.get(SUBNET)
