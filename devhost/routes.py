"""The HTTP functions and a request's method and path in, the function that answers it and its route values out."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from devhost.functions import Function
from devhost.settings import StartError

_PARAMETER = re.compile(r"\{(\*{0,2})(\w+)(?::(\w+))?(\??)\}")
_GUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_CONSTRAINTS = {None: "", "int": r"[+-]?\d+", "alpha": "[A-Za-z]*", "guid": _GUID}
_ENCODED_SLASH = re.compile("(%2f)", re.IGNORECASE)


@dataclass(frozen=True)
class _Part:
    name: str
    literal: bool = False
    rest: bool = False
    optional: bool = False
    pattern: str = ""

    @property
    def rank(self) -> int:
        """Routing tries the most telling part first."""
        return 0 if self.literal else 3 if self.rest else 2 if not self.pattern else 1


@dataclass(frozen=True)
class Route:
    """One function's path, as it is written, and its methods."""

    function: Function
    path: str
    methods: tuple[str, ...]
    parts: tuple[_Part, ...]

    @property
    def level(self) -> str:
        """Who may call it: anonymous, function or admin."""
        return str(self.function.trigger.get("authLevel") or "function").lower()


def read(functions: Iterable[Function], prefix: str) -> tuple[Route, ...]:
    """The routes of the HTTP functions, those with more literal parts first."""
    routes = [_route(each.trigger, each, prefix) for each in functions if each.kind == "httpTrigger"]
    return tuple(sorted(routes, key=lambda route: [part.rank for part in route.parts]))


def match(routes: Iterable[Route], method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
    """The first route that takes this method and this path, still percent-encoded."""
    segments = [_decoded(segment) for segment in path.split("/") if segment]
    for route in routes:
        if not route.methods or method.upper() in route.methods:
            values = _values(route.parts, segments)
            if values is not None:
                return route, values
    return None


def _route(trigger: Mapping[str, Any], function: Function, prefix: str) -> Route:
    path = f"{prefix}/{trigger.get('route') or function.name}"
    parts = tuple(_part(text, function.name) for text in path.split("/") if text)
    return Route(function, path, tuple(str(method).upper() for method in trigger.get("methods") or ()), parts)


def _part(text: str, function: str) -> _Part:
    found = _PARAMETER.fullmatch(text)
    if found is None:
        if "{" in text or "}" in text:
            raise StartError(f"function '{function}': devhost does not know route segments like '{text}'")
        return _Part(text.lower(), literal=True)
    stars, name, constraint, optional = found.groups()
    if constraint not in _CONSTRAINTS:
        raise StartError(f"function '{function}': devhost does not know the route constraint '{constraint}'")
    return _Part(name, rest=bool(stars), optional=bool(optional or stars), pattern=_CONSTRAINTS[constraint])


def _values(parts: tuple[_Part, ...], segments: list[str]) -> dict[str, str] | None:
    values: dict[str, str] = {}
    for index, part in enumerate(parts):
        if part.rest:
            if segments[index:]:
                values[part.name] = "/".join(segments[index:])
            return values
        if index >= len(segments):
            if not part.optional:
                return None
            continue
        segment = segments[index]
        if part.literal:
            if segment.lower() != part.name:
                return None
        elif part.pattern and not re.fullmatch(part.pattern, segment):
            return None
        else:
            values[part.name] = segment
    return values if len(segments) <= len(parts) else None


def _decoded(segment: str) -> str:
    # The real host's server decodes everything in a path but an encoded slash.
    pieces = _ENCODED_SLASH.split(segment)
    return "".join(piece if _ENCODED_SLASH.fullmatch(piece) else unquote(piece) for piece in pieces)
