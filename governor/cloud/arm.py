"""A light client of Azure Resource Manager: ids and URLs in, raw bytes out, trouble in five words.

It reads without any generated SDK; those of azure.mgmt that write share its pipeline: one session, one token cache, no
retry but ours, and no policy that logs.
"""

import random
import ssl
from collections.abc import Mapping
from contextlib import AsyncExitStack
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from typing import Any, Final
from urllib.parse import quote, urlencode

import aiohttp
import msgspec
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from azure.core.pipeline import AsyncPipeline
from azure.core.pipeline.policies import RequestIdPolicy, UserAgentPolicy
from azure.core.pipeline.transport import AioHttpTransport, AsyncHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest
from msgspec import Raw, Struct

from governor.cloud import errors, versions
from governor.cloud.endpoint import Endpoint, authentication, default_credential
from governor.cloud.pace import Pace
from governor.cloud.retry import Retry
from governor.cloud.vault import Vault
from governor.ports import Clock, Terminal


def _user_agent() -> str:
    try:
        return f"egress-governor/{version_of('egress-governor')}"
    except PackageNotFoundError:
        # A deployed function app is a folder of code, and no installed package.
        return "egress-governor"


USER_AGENT: Final = _user_agent()
_CONNECT_SECONDS: Final = 10
_READ_SECONDS: Final = 60
_MOST_PAGES: Final = 1_000


class Answer(Struct, frozen=True):
    """What Resource Manager answered when it was no error."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Page(Struct, frozen=True, rename="camel"):
    value: tuple[Raw, ...] = ()
    next_link: str | None = None


class Resource(Struct, frozen=True):
    id: str


_PAGE: Final = msgspec.json.Decoder(Page)
_RESOURCE: Final = msgspec.json.Decoder(Resource)


class Tuning(Struct, frozen=True):
    """patience: seconds that one read may be repeated. at_once: concurrent requests per subscription."""

    patience: float = 60.0
    at_once: int = 8
    seed: int | None = None


TUNING: Final = Tuning()


class Session(AioHttpTransport):  # type: ignore[misc]  # azure-core exports it without its type
    """One aiohttp session. azure-core would build a TLS context per request, and no connection would be used twice."""

    session: aiohttp.ClientSession | None

    def __init__(self, trust: ssl.SSLContext | None, use_env_settings: bool) -> None:
        super().__init__(
            connection_timeout=_CONNECT_SECONDS, read_timeout=_READ_SECONDS, use_env_settings=use_env_settings
        )
        self._trust = trust

    async def open(self) -> None:
        if self.session is None:
            self.session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=self._trust or True),
                trust_env=self._use_env_settings,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                middlewares=(_write_once,),
            )
        await super().open()


async def _write_once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Lets a lost write be lost: aiohttp would send it again, and the read that must come between would be missing."""
    try:
        return await send(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        if request.method == "GET":
            raise
        raise aiohttp.ClientConnectionError(str(error)) from error


class Arm:
    """Resource Manager as one worker sees it. `transport` and `credential` are for those who bring their own."""

    def __init__(
        self,
        where: Endpoint,
        clock: Clock,
        *,
        ca_bundle: str | None = None,
        transport: AsyncHttpTransport[HttpRequest, AsyncHttpResponse] | None = None,
        credential: AsyncTokenCredential | None = None,
        tuning: Tuning = TUNING,
    ) -> None:
        self.where = where
        self.clock = clock
        self._closing = AsyncExitStack()
        if credential is None and not where.is_loopback:
            credential = default_credential(where)
            self._closing.push_async_callback(credential.close)
        trust = ssl.create_default_context(cafile=ca_bundle) if ca_bundle else None
        self._transport = transport or Session(trust, use_env_settings=not where.is_loopback)
        self.authentication = authentication(where, credential)
        # Some of azure-core's policies are typed for its older kind of request alone.
        policies: list[Any] = [
            RequestIdPolicy(),
            UserAgentPolicy(base_user_agent=USER_AGENT, user_agent_use_env=False),
            Pace(clock, tuning.at_once),
            self.authentication,
        ]
        self.pipeline: AsyncPipeline[HttpRequest, AsyncHttpResponse] = AsyncPipeline(self._transport, policies)
        self.retry = Retry(clock, random.Random(tuning.seed), tuning.patience)
        # A simulator takes no credential, whoever brought one.
        vaults = None if where.is_loopback else credential
        self.vault = Vault(where, self._transport, vaults, self.retry, USER_AGENT)

    async def get(self, resource_id: str) -> bytes:
        """A resource id in, its body as it came out; raises one of the five words."""
        version = versions.version(resource_id)
        # Ids come in events as well, and a path that climbs would be read somewhere else.
        if version is None or {".", ".."}.intersection(resource_id.split("/")):
            raise Terminal(f"{resource_id} cannot be read by id")
        body = (await self.fetch(self.url(resource_id, version))).body
        try:
            _RESOURCE.decode(body)
        except msgspec.DecodeError as error:
            raise Terminal(f"what was read as {resource_id} is no resource: {error}") from error
        return body

    async def elements(self, path: str, version: str, **parameters: str) -> tuple[Raw, ...]:
        """The path of a collection in, the resources on all its pages out."""
        found = await self.values(path, version, **parameters)
        try:
            for element in found:
                _RESOURCE.decode(element)
        except msgspec.DecodeError as error:
            raise _no_list(path, error) from error
        return found

    async def values(self, path: str, version: str, **parameters: str) -> tuple[Raw, ...]:
        """The path of a list in, what stands on all its pages out, whatever it is."""
        found: list[Raw] = []
        url = self.url(path, version, **parameters)
        for _ in range(_MOST_PAGES):
            page = _page((await self.fetch(url)).body, path)
            found.extend(page.value)
            if not page.next_link:
                return tuple(found)
            url = page.next_link
        raise Terminal(f"the list {path} does not end")

    async def fetch(self, url: str) -> Answer:
        """GET of a URL in, the answer out; what is Transient is asked again while patience lasts."""
        return await self.retry(lambda: self._ask(HttpRequest("GET", url)))

    async def post(self, url: str, body: object = None) -> Answer:
        """POST of a question that changes nothing in, the answer out; what is Transient is asked again as well."""
        return await self.retry(lambda: self._ask(HttpRequest("POST", url, json=body or {})))

    async def put(self, url: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        """PUT of a body in, the first answer out; once, because whether a lost write took effect must be read."""
        sent = {"Content-Type": "application/json", **headers}
        return await self._ask(HttpRequest("PUT", url, content=content, headers=sent))

    async def delete(self, url: str, headers: Mapping[str, str]) -> Answer:
        """DELETE in, the first answer out; once, as every write."""
        return await self._ask(HttpRequest("DELETE", url, headers=dict(headers)))

    def url(self, path: str, version: str, **parameters: str) -> str:
        """A path and its api-version in, the URL out. `parameters` without their leading `$`."""
        query = {"api-version": version, **{f"${name}": value for name, value in parameters.items()}}
        return f"{self.where.url}{quote(path, safe='/()-._~')}?{urlencode(query, quote_via=quote, safe='$')}"

    async def close(self) -> None:
        await self._transport.close()
        await self._closing.aclose()

    async def _ask(self, request: HttpRequest) -> Answer:
        if not self.where.holds(request.url):
            raise Terminal(f"a link leads away from {self.where.url}")  # with our token
        try:
            response = (await self.pipeline.run(request)).http_response
        except AzureError as error:
            raise errors.of_sdk(error) from error
        return checked(response)


def _page(body: bytes, path: str) -> Page:
    try:
        return _PAGE.decode(body)
    except msgspec.DecodeError as error:
        raise _no_list(path, error) from error


def _no_list(path: str, error: msgspec.DecodeError) -> Terminal:
    return Terminal(f"what was read as the list {path} is none: {error}")


def checked(response: AsyncHttpResponse) -> Answer:
    """A response that was read in, its Answer out; raises what the five words call it otherwise."""
    if not 200 <= response.status_code < 300:
        raise errors.trouble(response.status_code, response.headers, response.content)
    return Answer(response.status_code, response.headers, response.content)
