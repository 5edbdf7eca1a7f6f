"""Where Resource Manager is and who we are there: an endpoint and a cloud in, an authentication policy out.

A real token never goes to a loopback server, nor over http, nor to another host than the endpoint's.
"""

import ipaddress
from typing import Final, TypeAlias
from urllib.parse import SplitResult, urlsplit

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import AsyncHTTPPolicy, SansIOHTTPPolicy
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.mgmt.core.policies import AsyncARMChallengeAuthenticationPolicy
from msgspec import Struct

SIMULATOR_TOKEN: Final = "simulator"  # any loopback server may read it
_PORTS: Final = {"http": 80, "https": 443}

Authentication: TypeAlias = (
    SansIOHTTPPolicy[HttpRequest, AsyncHttpResponse] | AsyncHTTPPolicy[HttpRequest, AsyncHttpResponse]
)


class Cloud(Struct, frozen=True):
    """One of Azure's clouds: its Resource Manager, the scope of its tokens, who gives them, and where vaults are."""

    manager: str
    scope: str
    authority: str
    vault: str


CLOUDS: Final = {
    "public": Cloud(
        "https://management.azure.com",
        "https://management.azure.com/.default",
        "login.microsoftonline.com",
        "vault.azure.net",
    ),
    "usgovernment": Cloud(
        "https://management.usgovcloudapi.net",
        "https://management.core.usgovcloudapi.net/.default",
        "login.microsoftonline.us",
        "vault.usgovcloudapi.net",
    ),
    "china": Cloud(
        "https://management.chinacloudapi.cn",
        "https://management.chinacloudapi.cn/.default",
        "login.chinacloudapi.cn",
        "vault.azure.cn",
    ),
}


class Endpoint(Struct, frozen=True):
    """A Resource Manager that may be talked to; `url` ends without a slash."""

    url: str
    cloud: Cloud
    is_loopback: bool

    @property
    def vault_scope(self) -> str:
        """What a token for vaults is for."""
        return f"https://{self.cloud.vault}/.default"

    def holds(self, url: str) -> bool:
        """A URL that a server handed us in, whether it leads to this Resource Manager out."""
        ours, theirs = urlsplit(self.url), urlsplit(url)
        if (theirs.scheme, _port(theirs)) != (ours.scheme, _port(ours)) or theirs.username is not None:
            return False
        host, home = theirs.hostname or "", ours.hostname or ""
        # Azure may answer with the address of one of its regions.
        return host == home or (not self.is_loopback and host.endswith(f".{home}"))


def endpoint(arm_endpoint: str | None, cloud: str) -> Endpoint:
    """The settings ARM_ENDPOINT and CLOUD in, the Endpoint out; ValueError says what may not be."""
    if cloud not in CLOUDS:
        raise ValueError(f"no such cloud: {cloud!r} (one of {', '.join(CLOUDS)})")
    url = (arm_endpoint or CLOUDS[cloud].manager).rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname or parts.username is not None or parts.query:
        raise ValueError(f"not the address of a Resource Manager: {url!r}")
    is_loopback = _is_loopback(parts.hostname)
    if parts.scheme == "http" and not is_loopback:
        raise ValueError(f"{url} must be https: http is for this machine only")
    return Endpoint(url, CLOUDS[cloud], is_loopback)


class SimulatorToken(SansIOHTTPPolicy[HttpRequest, AsyncHttpResponse]):
    """The fixed token that a simulator on this machine takes."""

    def on_request(self, request: PipelineRequest[HttpRequest]) -> None:
        request.http_request.headers["Authorization"] = f"Bearer {SIMULATOR_TOKEN}"


def authentication(where: Endpoint, credential: AsyncTokenCredential | None) -> Authentication:
    """An Endpoint and the credential for it in, the policy that signs requests out; loopback takes no credential."""
    if where.is_loopback:
        return SimulatorToken()
    if credential is None:
        raise ValueError(f"{where.url} needs a credential")
    return AsyncARMChallengeAuthenticationPolicy(credential, where.cloud.scope)


def default_credential(where: Endpoint) -> AsyncTokenCredential:
    """An Endpoint in, the identity of this machine or of whoever is logged in on it out."""
    # Imported only when needed: it costs a worker 200 ms that a simulator does not need.
    from azure.identity.aio import DefaultAzureCredential

    return DefaultAzureCredential(authority=where.cloud.authority)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _port(parts: SplitResult) -> int | None:
    return parts.port or _PORTS.get(parts.scheme)
