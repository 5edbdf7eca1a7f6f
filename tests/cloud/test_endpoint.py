"""Who is spoken to, and which token goes there: never a real one to this machine, over http, or to another host."""

import logging
import time
from typing import Any

import pytest
from azure.core.credentials import AccessToken, AccessTokenInfo
from azure.core.exceptions import ClientAuthenticationError

from governor.cloud.arm import Arm
from governor.cloud.azure import connect
from governor.cloud.endpoint import CLOUDS, authentication, endpoint
from governor.cloud.errors import SignedOut
from governor.core.record import Became
from governor.ports import Terminal
from tests.cloud.world import ATTACH, VNET, Azure
from tests.support.clock import FakeClock
from tests.support.transport import InProcessTransport

SECRET = "a-real-token"


class Credential:
    """A credential that counts how often it was asked, and by which scopes."""

    def __init__(self, fails: bool = False) -> None:
        self.fails = fails
        self.scopes: list[str] = []
        self.is_closed = False

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.scopes += scopes
        if self.fails:
            raise ClientAuthenticationError("please run az login")
        return AccessToken(SECRET, int(time.time()) + 3600)

    async def get_token_info(self, *scopes: str, **_: Any) -> AccessTokenInfo:
        return AccessTokenInfo(*await self.get_token(*scopes))

    async def close(self) -> None:
        self.is_closed = True

    async def __aenter__(self) -> "Credential":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def signed(azure: Azure) -> set[str | None]:
    return {request.header("Authorization") for request in azure.transport.requests}


@pytest.mark.parametrize(
    ("url", "cloud", "expected", "is_loopback"),
    [
        (None, "public", "https://management.azure.com", False),
        (None, "usgovernment", "https://management.usgovcloudapi.net", False),
        (None, "china", "https://management.chinacloudapi.cn", False),
        ("https://arm.example/", "public", "https://arm.example", False),
        ("http://127.0.0.1:8443", "public", "http://127.0.0.1:8443", True),
        ("http://127.9.9.9", "public", "http://127.9.9.9", True),
        ("https://localhost:8443/", "public", "https://localhost:8443", True),
        ("http://[::1]:1", "public", "http://[::1]:1", True),
    ],
)
def test_endpoints(url: str | None, cloud: str, expected: str, is_loopback: bool) -> None:
    where = endpoint(url, cloud)
    assert (where.url, where.is_loopback, where.cloud) == (expected, is_loopback, CLOUDS[cloud])


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://management.azure.com", "must be https"),
        ("http://10.0.0.1", "must be https"),
        ("http://127.0.0.1.example", "must be https"),
        ("http://localhost.example", "must be https"),
        ("ftp://127.0.0.1", "not the address"),
        ("management.azure.com", "not the address"),
        ("https://", "not the address"),
        ("https://user:secret@management.azure.com", "not the address"),
    ],
)
def test_what_is_no_endpoint(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        endpoint(url, "public")


def test_an_unknown_cloud() -> None:
    with pytest.raises(ValueError, match="no such cloud: 'mars' "):
        endpoint(None, "mars")


@pytest.mark.parametrize(
    ("url", "is_held"),
    [
        ("https://management.azure.com/subscriptions/s?t=1", True),
        ("https://management.azure.com:443/subscriptions/s", True),
        ("https://westeurope.management.azure.com/subscriptions/s", True),
        ("https://MANAGEMENT.azure.com/subscriptions/s", True),
        ("http://management.azure.com/subscriptions/s", False),
        ("https://management.azure.com:8443/subscriptions/s", False),
        ("https://notmanagement.azure.com/", False),
        ("https://management.azure.com.example/", False),
        ("https://management.azure.com@example/", False),
        ("/subscriptions/s", False),
    ],
)
def test_where_links_may_lead(url: str, is_held: bool) -> None:
    assert endpoint(None, "public").holds(url) is is_held


async def test_a_loopback_server_gets_the_fixed_token_and_no_other() -> None:
    azure = Azure()
    credential = Credential()
    cloud = connect(azure.clock, arm_endpoint="http://127.0.0.1:1", transport=azure.transport, credential=credential)
    assert (await cloud.apply("d", ATTACH, azure.renew)).outcome.became is Became.DONE
    assert signed(azure) == {"Bearer simulator"}
    assert credential.scopes == []
    await cloud.close()


@pytest.mark.parametrize(
    ("cloud", "scope"),
    [
        ("public", "https://management.azure.com/.default"),
        ("usgovernment", "https://management.core.usgovcloudapi.net/.default"),
        ("china", "https://management.chinacloudapi.cn/.default"),
    ],
)
async def test_azure_gets_a_token_of_its_cloud_once(cloud: str, scope: str) -> None:
    azure = Azure()
    credential = Credential()
    connected = connect(azure.clock, cloud=cloud, transport=azure.transport, credential=credential)
    assert (await connected.apply("d", ATTACH, azure.renew)).outcome.became is Became.DONE
    # One token for reads and writes, for this client and the generated one.
    assert credential.scopes == [scope]
    assert signed(azure) == {f"Bearer {SECRET}"}
    assert {request.base for request in azure.transport.requests} == {CLOUDS[cloud].manager}
    await connected.close()
    assert not credential.is_closed  # whoever brought it closes it


async def test_the_token_does_not_follow_a_link_to_another_host() -> None:
    azure = Azure()
    client = Arm(endpoint(None, "public"), azure.clock, transport=azure.transport, credential=Credential())
    for url in ("https://elsewhere.example/x", "http://management.azure.com/x", "http://127.0.0.1:8443/x"):
        with pytest.raises(Terminal, match="a link leads away"):
            await client.fetch(url)
    assert azure.transport.requests == []


async def test_who_cannot_sign_in_is_told_at_once() -> None:
    azure = Azure()
    client = Arm(endpoint(None, "public"), azure.clock, transport=azure.transport, credential=Credential(fails=True))
    with pytest.raises(SignedOut, match="cannot sign in to Azure: please run az login"):
        await client.get(VNET)
    assert azure.clock.slept == []


def test_azure_needs_a_credential() -> None:
    with pytest.raises(ValueError, match="needs a credential"):
        authentication(endpoint(None, "public"), None)


async def test_the_default_credential_is_closed_with_the_cloud() -> None:
    clock = FakeClock()
    cloud = connect(clock, cloud="china", transport=InProcessTransport(Azure().arm))
    await cloud.close()


async def test_nothing_secret_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    azure = Azure()
    with caplog.at_level(logging.DEBUG):
        cloud = connect(azure.clock, transport=azure.transport, credential=Credential())
        azure.strikes("GET", "subnets", drop="before")
        azure.strikes("PUT", "subnets", status=500)
        assert (await cloud.apply("d", ATTACH, azure.renew)).outcome.became is Became.DONE
    logged = caplog.text
    assert [
        word for word in (SECRET, "Bearer", "Authorization", "addressPrefix", "fromTheFuture") if word in logged
    ] == []
