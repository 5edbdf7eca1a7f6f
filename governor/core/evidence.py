"""The body of a resource in, what may be kept of it out: without members the server fills in, and without secrets."""

import hashlib
import json
import re
from typing import Any, Final

HIDDEN: Final = "***"

_SERVER_FILLED: Final = frozenset({"etag", "provisioningstate", "resourceguid"})
_SECRET_WORDS: Final = (
    *("credential", "key", "passphrase", "passwd", "password", "pfx"),
    *("pwd", "sas", "secret", "signature", "token"),
)
_SECRET_NAMES: Final = ("connectionstring", "customdata", "kubeconfig", "protectedsettings", "userdata")
# Of AKS's httpProxyConfig: addresses that may hold a password, and a certificate that came out of a vault.
_PROXIES: Final = frozenset({"httpproxy", "httpsproxy"})
_TRUSTED: Final = "trustedca"
_ADDRESS: Final = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\])(?P<port>:\d{1,5})?"
)
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_USERINFO: Final = re.compile(r"(?<=://)[^/?#\s\"'@]+(?:@[^/?#\s\"'@]+)*(?=@)")
_ASSIGNED: Final = re.compile(
    r"(?i)((?:(?<=[?&])(?:sig|code)|(?<![\w-])[\w-]*(?:key|passphrase|password|passwd|pwd|sas|secret|signature|token))"
    r"\s*=\s*)[^;&,\s\"']+"
)
# In texts that people write, as in tags: a password after a colon, a token of Entra ID, a private key.
_TOLD: Final = re.compile(
    r"(?i)((?<![\w-])[\w-]*(?:passphrase|password|passwd|pwd)\s*[:=]\s*)"
    r"(?:\"[^\"]*\"|'[^']*'|[^;&,\s\"']+)"
)
_BARE: Final = re.compile(
    r"(?<![\w-])eyJ[\w-]{6,}\.[\w-]{6,}\.[\w-]*"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)


def clean(body: bytes) -> bytes:
    """A raw body in, its canonical JSON out, without what the server fills in and with *** for each secret.

    What is no JSON stays as it is, but for the secrets in its URLs and assignments.
    """
    try:
        value = _without(json.loads(body), secret=False)
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        return scrubbed(body.decode("utf-8", "replace")).encode()


def cleaned(member: str, value: Any) -> Any:
    """The name of a member and its value in, what may be told of the value out."""
    return _without({member: value}, secret=False).get(member, HIDDEN)


def name(body: bytes) -> str:
    """A body as it is kept in, the name of its blob out."""
    return hashlib.sha256(body).hexdigest()


def secretive(member: str) -> bool:
    """The name of a member in, whether its value looks like a secret out."""
    plain = re.sub(r"[^a-z]", "", member.casefold())
    if any(secret in plain for secret in _SECRET_NAMES):
        return True
    words = {word.casefold() for word in _WORD.findall(member)}
    return any(word in words or f"{word}s" in words for word in _SECRET_WORDS)


def _without(value: Any, secret: bool) -> Any:
    match value:
        case dict():
            # {"name": "PASSWORD", "value": "..."}: the name of the secret is itself a value; some say "key".
            named = value.get("name", value.get("key"))
            pair = isinstance(named, str) and secretive(named)
            return {
                member: _of_proxy(member, inner)
                if member.casefold() in (*_PROXIES, _TRUSTED) and isinstance(inner, str)
                else _without(inner, secret or secretive(member) or (pair and member == "value"))
                for member, inner in value.items()
                if member.casefold() not in _SERVER_FILLED
            }
        case list():
            return [_without(inner, secret) for inner in value]
        case bool() | None:
            return value
        case _ if secret:
            return HIDDEN
        case str():
            return scrubbed(value)
        case _:
            return value


def _of_proxy(member: str, value: str) -> str:
    return masked(value) if member.casefold() in _PROXIES else HIDDEN


def masked(address: str) -> str:
    """The address of a proxy in; SCHEME://HOST:PORT, whatever else it holds, out."""
    # A password may hold anything: the host begins after the last @.
    scheme, _, rest = address.partition("://")
    found = _ADDRESS.match(f"{scheme}://{rest.rpartition('@')[2]}")
    return found[0] if found else HIDDEN


def scrubbed(text: str) -> str:
    """Any text in, the same without passwords in its addresses and values of assignments to secrets out."""
    assigned = _ASSIGNED.sub(rf"\1{HIDDEN}", _USERINFO.sub(HIDDEN, text))
    return _BARE.sub(HIDDEN, _TOLD.sub(rf"\1{HIDDEN}", assigned))
