"""HTTP messages as values: Request in, Response out; JSON bodies are plain dictionaries."""

from collections.abc import Mapping
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

import msgspec

Body: TypeAlias = dict[str, Any]
"""A JSON object as ARM sends it: open by nature, members nobody knows are kept."""

DEFAULT_HOST = "management.azure.com"


class Dropped(Exception):  # noqa: N818 - it names what happened to the connection, not an answer
    """The connection is to be closed without an answer: a fault asked for it."""


class Request(msgspec.Struct, frozen=True):
    """One request as it arrives: `target` is the path with its query string."""

    method: str
    target: str
    headers: Mapping[str, str] = {}
    body: bytes = b""
    scheme: str = "https"

    def header(self, name: str) -> str | None:
        """A header name in, its value out, whatever the case it was sent in."""
        wanted = name.lower()
        for key, value in self.headers.items():
            if key.lower() == wanted:
                return value
        return None

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """The query parameters by lower-cased name, because ARM does not mind their case."""
        pairs = parse_qsl(self.target.partition("?")[2], keep_blank_values=True)
        return {name.lower(): value for name, value in pairs}

    @property
    def base(self) -> str:
        """The absolute URL everything we hand back starts with: scheme and host the caller used."""
        return f"{self.scheme}://{self.header('Host') or DEFAULT_HOST}"


class Response(msgspec.Struct):
    """One answer: status, headers, body bytes. It comes `delay` seconds of the clock after the request."""

    status: int
    headers: dict[str, str] = {}
    body: bytes = b""
    delay: float = 0.0

    def json(self) -> Any:
        """The body decoded; None when it is empty."""
        return msgspec.json.decode(self.body) if self.body else None


def answer(status: int, body: object = None, headers: Mapping[str, str] | None = None) -> Response:
    """A status and a JSON value in, a Response out; None is an empty body."""
    out = dict(headers or {})
    if body is None:
        return Response(status, out)
    out["Content-Type"] = "application/json; charset=utf-8"
    return Response(status, out, msgspec.json.encode(body))


def members(value: object) -> Body:
    """Any JSON value in, its members out; none when it is no object."""
    return value if isinstance(value, dict) else {}


def elements(value: object) -> list[Body]:
    """Any JSON value in, the objects of the array out; none when it is no array."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(value: object) -> str:
    """Any JSON value in, the string out; empty when it is no string."""
    return value if isinstance(value, str) else ""
