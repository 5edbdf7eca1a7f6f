"""Raw ARM bodies: what a caller may send, and what differs between two of them."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from governor.core import evidence, ids
from governor.core.step import Body

Path = tuple[str, ...]
_Difference = tuple[str, Any, Any]

# Filled by Azure wherever they stand; the generated clients leave them out of what they send as well.
_SERVER_FILLED: Final = frozenset(
    {"effectiveNoProxy", "etag", "eTag", "provisioningState", "resourceGuid", "systemData"}
)
# Members of a subnet's `properties` that show who refers to it.
_BACK_REFERENCES: Final = frozenset(
    {
        "ipConfigurations",
        "ipConfigurationProfiles",
        "privateEndpoints",
        "resourceNavigationLinks",
        "serviceAssociationLinks",
        "purpose",
    }
)
# Of an interface its ip configurations are its own; what only Azure fills out of it beside.
_OF_INTERFACE: Final = frozenset({"hostedWorkloads", "macAddress", "primary"})
# Azure shows "none" as an empty list, as an empty object or not at all.
_NOTHING: Final[tuple[Any, ...]] = (None, [], {})


def writable(body: Body) -> Body:
    """A body in, the same without what only Azure fills out; members nobody knows stay."""
    kept: Body = _without_filled(body)
    properties = kept.get("properties")
    if isinstance(properties, dict):
        interface = str(body.get("type", "")).casefold() == ids.NETWORK_INTERFACE
        filled = _OF_INTERFACE if interface else _BACK_REFERENCES
        kept["properties"] = {name: value for name, value in properties.items() if name not in filled}
    return kept


def difference(before: Body, after: Body, intended: frozenset[Path]) -> str | None:
    """Bodies before and after a write in; the first member that changed without being meant to, or None, out."""
    for name, one, other in _differences(writable(before), writable(after), (), intended):
        return f"{name} was {_show(name, one)} and is {_show(name, other)}"
    return None


def undone(wanted: Body, found: Body) -> str | None:
    """The body that a write should have left and what is there in; the first member that differs, or None, out."""
    for name, one, other in _differences(writable(wanted), writable(found), (), frozenset()):
        return f"{name} should be {_show(name, one)} and is {_show(name, other)}"
    return None


def lacking(wanted: Body, found: Body, moving: frozenset[Path] = frozenset()) -> str | None:
    """What was sent and what is there in; the first member that is not there as sent, or None, out.

    moving: members that are not looked at.
    """
    for name, one, other in _lacking(wanted, found, (), moving):
        return f"{name} should be {_show(name, one)} and is {_show(name, other)}"
    return None


def state(body: Body) -> str:
    """A body in, its provisioningState out; a body that says none is settled."""
    return str((body.get("properties") or {}).get("provisioningState") or "Succeeded")


def _without_filled(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_filled(inner) for name, inner in value.items() if name not in _SERVER_FILLED}
    if isinstance(value, list):
        return [_without_filled(inner) for inner in value]
    return value


def _differences(before: Any, after: Any, path: Path, intended: frozenset[Path]) -> Iterator[_Difference]:
    if path in intended or tuple("*" if part.isdecimal() else part for part in path) in intended:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            yield from _differences(before.get(name), after.get(name), (*path, name), intended)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _differences(one, other, (*path, str(index)), intended)
    elif not _same(before, after):
        yield ".".join(path), before, after


def _lacking(wanted: Any, found: Any, path: Path, moving: frozenset[Path]) -> Iterator[_Difference]:
    if path in moving:
        return
    if isinstance(wanted, dict) and isinstance(found, dict):
        for name in sorted(wanted):
            yield from _lacking(wanted[name], found.get(name), (*path, name), moving)
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, (one, other) in enumerate(zip(wanted, found, strict=True)):
            yield from _lacking(one, other, (*path, str(index)), moving)
    elif not (_same(wanted, found) or (path == ("location",) and _place(wanted) == _place(found))):
        yield ".".join(path), wanted, found


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, str) and isinstance(b, str) and a.startswith("/"):
        return ids.same(a, b)
    return (a in _NOTHING and b in _NOTHING) or (type(a) is type(b) and a == b)


def _place(value: object) -> str:
    return str(value).replace(" ", "").casefold()


def _show(name: str, value: object) -> str:
    """The path of a member and its value in, the value for people, without secrets, out."""
    return "absent" if value is None else msgspec.json.encode(evidence.cleaned(name.rpartition(".")[2], value)).decode()
