"""A Cause in, the bytes of its queue message out; and back, telling a newer version from garbage."""

import msgspec
from msgspec import Struct

from governor.core import ids
from governor.core.cause import MAX_BYTES, VERSION, Cause, VirtualNetwork

_CUT = 64


class Newer(Struct, frozen=True):
    """The message was written by a newer program: somebody else may be able to read it."""

    version: int


class Garbage(Struct, frozen=True):
    """The message cannot be read by anybody; `why` is for people."""

    why: str


class _Envelope(Struct):
    v: int = VERSION


def encode(cause: Cause) -> bytes:
    """A Cause in, its message out, at most 8 KiB: the caller's name and the correlation id give way first."""
    message = _bytes(cause)
    if len(message) > MAX_BYTES:
        message = _bytes(_shortened(cause))
    if len(message) > MAX_BYTES:
        raise ValueError(f"a Cause of {len(message)} bytes does not fit into a message of {MAX_BYTES}")
    return message


def decode(message: bytes) -> Cause | Newer | Garbage:
    """A message in, what it says out. Members that this version does not know are ignored."""
    if len(message) > MAX_BYTES:
        return Garbage(f"the message has {len(message)} bytes, more than {MAX_BYTES}")
    try:
        version = msgspec.json.decode(message, type=_Envelope).v
        if version > VERSION:
            return Newer(version)
        if version < 1:
            return Garbage(f"there is no version {version} of messages")
        cause = msgspec.json.decode(message, type=Cause)
    except (ValueError, RecursionError) as error:
        return Garbage(f"not a Cause: {error}")
    wrong = _wrong(cause)
    return cause if wrong is None else Garbage(wrong)


def _bytes(cause: Cause) -> bytes:
    members: dict[str, object] = msgspec.to_builtins(cause)
    return msgspec.json.encode({**members, "v": VERSION})


def _shortened(cause: Cause) -> Cause:
    caller = cause.caller
    if caller is not None and caller.name is not None:
        caller = msgspec.structs.replace(caller, name=caller.name[:_CUT])
    correlation = cause.correlation_id and cause.correlation_id[:_CUT]
    return msgspec.structs.replace(cause, caller=caller, correlation_id=correlation)


def _wrong(cause: Cause) -> str | None:
    for at in (cause.time, cause.first_time):
        if at is not None and at.utcoffset() is None:
            return f"a time without zone: {at.isoformat()}"
    if cause.subject is not None and not ids.kind(cause.subject):
        return f"the subject is no resource id: {cause.subject!r}"
    if isinstance(cause.scope, VirtualNetwork) and ids.kind(cause.scope.id) != ids.VIRTUAL_NETWORK:
        return f"the scope is no virtual network: {cause.scope.id!r}"
    return None
