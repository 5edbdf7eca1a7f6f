"""A custom topic of Event Grid behind the port Notices: a Notice in, a CloudEvent sent. Loopback gets no real token."""

import ssl
from contextlib import AsyncExitStack
from typing import Any, Final

import msgspec
from azure.core.credentials import AzureKeyCredential
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from azure.core.messaging import CloudEvent
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest

from governor.cloud import errors
from governor.cloud.arm import Session
from governor.cloud.endpoint import SIMULATOR_TOKEN, Endpoint, default_credential, endpoint
from governor.core.notice import Notice

# The cloud whose login gives the token, by the end of the topic's host name.
_CLOUDS: Final = {"eventgrid.azure.net": "public", "eventgrid.azure.us": "usgovernment", "eventgrid.azure.cn": "china"}


class Topic:
    """ports.Notices on a custom topic whose schema is CloudEvents 1.0."""

    def __init__(
        self,
        url: str,
        *,
        ca_bundle: str | None = None,
        transport: AsyncHttpTransport[HttpRequest, AsyncHttpResponse] | None = None,
        credential: AsyncTokenCredential | None = None,
    ) -> None:
        # Imported only when needed: most workers have nobody to tell.
        from azure.eventgrid.aio import EventGridPublisherClient

        where = _topic(url)
        self._closing = AsyncExitStack()
        self._client: Any = EventGridPublisherClient(
            where.url,
            self._credential(where, credential),
            transport=transport or Session(_trust(where, ca_bundle), use_env_settings=not where.is_loopback),
            # What cannot be sent waits in the ledger, and is tried again by the next run or sweep.
            retry_total=0,
            permit_redirects=False,
        )

    async def send(self, notice: Notice) -> None:
        """A Notice in, gone; raises one of the five words. Sent again it has the same id."""
        event = CloudEvent(
            source=f"/subscriptions/{notice.scope.subscription}",
            type=notice.type,
            subject=notice.scope.key,
            id=notice.id,
            time=notice.time,
            # The SDK knows lists, and writes a tuple as its text.
            data=msgspec.json.decode(msgspec.json.encode(notice)),
        )
        try:
            await self._client.send(event)
        except AzureError as error:
            raise errors.of_sdk(error) from error

    async def close(self) -> None:
        await self._client.close()
        await self._closing.aclose()

    def _credential(
        self, where: Endpoint, given: AsyncTokenCredential | None
    ) -> AsyncTokenCredential | AzureKeyCredential:
        if where.is_loopback:
            return AzureKeyCredential(SIMULATOR_TOKEN)
        if given is not None:
            return given
        made = default_credential(where)
        self._closing.push_async_callback(made.close)
        return made


def _topic(url: str) -> Endpoint:
    """The address of a topic in, the Endpoint out; ValueError says what may not be."""
    where = next((cloud for host, cloud in _CLOUDS.items() if f".{host}/" in f"{url}/"), "public")
    return endpoint(url, where)


def _trust(where: Endpoint, ca_bundle: str | None) -> ssl.SSLContext | None:
    """The authorities of a simulator count for a topic on this machine alone."""
    return ssl.create_default_context(cafile=ca_bundle) if ca_bundle and where.is_loopback else None
