"""The file of `az aks create --http-proxy-config`: a policy's proxy in, what to put into it, without secrets, out."""

import json
from collections.abc import Iterator
from typing import Final

from governor.core import ids, secret
from governor.core.policy import ProxyPolicy

PROXY_FILE: Final = "proxy.json"


def proxy_lines(proxy: ProxyPolicy) -> Iterator[tuple[str, str]]:
    """A policy's proxy in; lines for people, what and the text, out."""
    said: dict[str, object] = {
        "httpProxy": _said(proxy.http),
        "httpsProxy": _said(proxy.https),
        "noProxy": list(proxy.no_proxy) or None,
        "trustedCa": _said(proxy.trusted_ca),
    }
    yield PROXY_FILE, json.dumps({name: value for name, value in said.items() if value is not None})
    references = dict.fromkeys(one for one in (proxy.http, proxy.https, proxy.trusted_ca) if one)
    for one in (found for each in references if (found := secret.reference(each))):
        version = f" --version {one.version}" if one.version else ""
        yield "", f"az keyvault secret show --vault-name {one.vault} --name {one.name}{version} --query value -o tsv"
    if proxy.trusted_ca is not None:
        yield "", "trustedCa is PEM in base64: base64 -w0 it where the vault holds plain PEM"
    host = f", whose subnet is {ids.name(proxy.proxy_host)}" if proxy.proxy_host else ""
    yield "leaves from", f"the addresses of the proxy{host}; the API server and noProxy are reached past it"


def _said(value: str | None) -> str | None:
    """What a policy says in; the same, or in place of a secret where it stands, out."""
    found = secret.reference(value) if value else None
    return f"<{found.shown}>" if found else value
