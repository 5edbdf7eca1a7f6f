"""Key Vault's data plane: a reference in, its secret out, read when it is needed and kept nowhere.

A token for vaults goes to `VAULT.SUFFIX` of the cloud and to nobody else. Where Resource Manager is a simulator on this
machine, so are its vaults, below `/vaults/VAULT`, and its own token is all that goes there.
"""

from typing import Any, Final

import msgspec
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, ServiceRequestError
from azure.core.pipeline import AsyncPipeline
from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy, RequestIdPolicy, UserAgentPolicy
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest
from msgspec import Struct

from governor.cloud import errors
from governor.cloud.endpoint import Endpoint, SimulatorToken
from governor.cloud.retry import Retry
from governor.core.secret import Concealed, Reference, Secret
from governor.ports import Absent, Refused, Terminal

API_VERSION: Final = "7.4"
ROLE: Final = "Key Vault Secrets User"
_PERMISSION: Final = frozenset({"forbiddenbyrbac", "forbiddenbypolicy", "accessdenied"})


class _Answer(Struct):
    id: str
    value: str


class _Inner(Struct):
    code: str = ""


class _Error(Struct):
    code: str = ""
    innererror: _Inner | None = None


class _Refusal(Struct):
    error: _Error = msgspec.field(default_factory=_Error)


class Vault:
    """All vaults of a cloud, over the transport of its Resource Manager."""

    def __init__(
        self,
        where: Endpoint,
        transport: AsyncHttpTransport[HttpRequest, AsyncHttpResponse],
        credential: AsyncTokenCredential | None,
        retry: Retry,
        user_agent: str,
    ) -> None:
        self._where, self._retry = where, retry
        policies: list[Any] = [
            RequestIdPolicy(),
            UserAgentPolicy(base_user_agent=user_agent, user_agent_use_env=False),
            SimulatorToken() if credential is None else AsyncBearerTokenCredentialPolicy(credential, where.vault_scope),
        ]
        self._pipeline: AsyncPipeline[HttpRequest, AsyncHttpResponse] = AsyncPipeline(transport, policies)

    async def secret(self, wanted: Reference) -> Secret:
        """A reference in, its secret out. Raises Absent, Refused, Terminal and Transient, with what to do in words."""
        if wanted.suffix and wanted.suffix != self._where.cloud.vault:
            raise Terminal(f"{wanted.suffix} is of another cloud than {self._where.cloud.vault}")
        return await self._retry(lambda: self._ask(wanted))

    async def _ask(self, wanted: Reference) -> Secret:
        request = HttpRequest("GET", self._url(wanted), params={"api-version": API_VERSION})
        try:
            response = (await self._pipeline.run(request)).http_response
        except ServiceRequestError as error:
            # Its name is made of the vault's: one that was never there does not answer either.
            raise Terminal(f"vault {wanted.vault} does not answer; is its name right, and may we reach it?") from error
        except AzureError as error:
            raise errors.of_sdk(error) from error
        if response.status_code == 404:
            raise Absent(f"vault {wanted.vault} has no secret {wanted.name}, or not that version of it")
        if response.status_code in (401, 403):
            raise Refused(_refusal(wanted, response), "Forbidden", "getSecret", wanted.vault)
        if response.status_code != 200:
            raise errors.trouble(response.status_code, response.headers, response.content)
        try:
            answer = msgspec.json.decode(response.content, type=_Answer)
        except msgspec.DecodeError as error:
            raise Terminal(f"what vault {wanted.vault} answers is no secret") from error
        return Secret(wanted.list_name, answer.id.rstrip("/").rpartition("/")[2], Concealed(answer.value))

    def _url(self, wanted: Reference) -> str:
        """The address of a secret; its parts are letters, digits and dashes, so nothing leads elsewhere."""
        if self._where.is_loopback:
            base = f"{self._where.url}/vaults/{wanted.vault}"
        else:
            base = f"https://{wanted.vault}.{self._where.cloud.vault}"
        return f"{base}/secrets/{wanted.name}{f'/{wanted.version}' if wanted.version else ''}"


def _refusal(wanted: Reference, response: AsyncHttpResponse) -> str:
    """A refusal of a vault in, what to do about it out."""
    try:
        told = msgspec.json.decode(response.content, type=_Refusal).error
    except msgspec.DecodeError:
        told = _Error()
    code = told.innererror.code if told.innererror and told.innererror.code else told.code
    if code.casefold() in _PERMISSION or response.status_code == 401 or not code or code == "Forbidden":
        said = f" ({code})" if code else ""
        return f"the governor's identity lacks {ROLE} on vault {wanted.vault}{said}: grant it there"
    return f"vault {wanted.vault} refuses it ({code}): a firewall of the vault, or a secret that is turned off"
