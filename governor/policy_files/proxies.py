"""What a policy says of a proxy that cannot be: its block in, Complaints out. Credentials are never repeated."""

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from governor.core import ids, secret
from governor.core.policy import ProxyPolicy
from governor.policy_files.errors import Complaint, Path

_HERE: Final[Path] = ("egress", "proxy")
_ADDRESS: Final = re.compile(r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:\d{1,5})?/?")
# RFC 1123, as AKS asks of hosts; a domain may begin with a dot.
_HOST: Final = re.compile(
    r"\.?[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)


def of_proxy(proxy: ProxyPolicy) -> Iterator[Complaint]:
    """The proxy of a policy in, everything that is wrong with it out."""
    if not (proxy.https or proxy.http):
        yield Complaint(_HERE, "a proxy needs `https`, `http` or both")
    for key, value, expected in (
        ("https", proxy.https, "http(s)://HOST:PORT"),
        ("http", proxy.http, "http://HOST:PORT"),
    ):
        if value is not None and (why := _address(key, value, expected)):
            yield Complaint((*_HERE, key), why)
    if proxy.trusted_ca is not None and secret.reference(proxy.trusted_ca) is None:
        # It may be the certificate itself, or something worse: it is not repeated.
        yield Complaint((*_HERE, "trustedCa"), f"expected a Key Vault reference, {secret.EXPECTED}")
    for index, entry in enumerate(proxy.no_proxy):
        if not (_HOST.fullmatch(entry) or _is_range(entry)):
            expected = "expected a host, a domain (.contoso.com, without *), an address or a range"
            yield Complaint((*_HERE, "noProxy", index), f"{expected}, found {entry!r}")
    if proxy.proxy_host is not None and ids.kind(proxy.proxy_host) != ids.SUBNET:
        yield Complaint((*_HERE, "proxyHost"), f"expected the id of a subnet, found {proxy.proxy_host!r}")


def _address(key: str, value: str, expected: str) -> str:
    """Why a value is neither an address nor a reference, "" when it is one."""
    if secret.is_reference(value):
        return "" if secret.reference(value) else f"expected {secret.EXPECTED}"
    if "@" in value:
        return f"use a Key Vault reference for an address with user and password: {secret.EXPECTED}"
    if not _ADDRESS.fullmatch(value):
        # A path or query may hold a token: what was found is not repeated.
        return f"expected {expected}, or a Key Vault reference, {secret.EXPECTED}"
    return (
        "the scheme of `http` must be http: AKS takes no other" if key == "http" and value.startswith("https") else ""
    )


def _is_range(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
