"""A Cause or a Survey in, the bytes of its queue message out; and back, telling a newer version from garbage."""

from typing import TypeVar

import msgspec
from msgspec import Struct

from governor.core import ids
from governor.core.cause import MAX_BYTES, MOST_SUBSCRIPTIONS, VERSION, Cause, Remainder, Survey, VirtualNetwork

M = TypeVar("M", Cause, Survey)
_CUT = 64


class Newer(Struct, frozen=True):
    """The message was written by a newer program: somebody else may be able to read it."""

    version: int


class Garbage(Struct, frozen=True):
    """The message cannot be read by anybody; `why` is for people."""

    why: str


class _Envelope(Struct):
    v: int = VERSION


def encode(message: Cause | Survey) -> bytes:
    """A Cause or a Survey in, its message out, at most 8 KiB: a caller's name and correlation id give way first."""
    raw = _bytes(message)
    if len(raw) > MAX_BYTES and isinstance(message, Cause):
        raw = _bytes(_shortened(message))
    if len(raw) > MAX_BYTES:
        raise ValueError(f"a {type(message).__name__} of {len(raw)} bytes does not fit into a message of {MAX_BYTES}")
    return raw


def decode(message: bytes) -> Cause | Newer | Garbage:
    """A message from the queue of Causes in, what it says out. Members that this version does not know are ignored."""
    found = _decoded(message, Cause)
    wrong = _wrong(found) if isinstance(found, Cause) else None
    return found if wrong is None else Garbage(wrong)


def decode_survey(message: bytes) -> Survey | Newer | Garbage:
    """A message from the queue of Surveys in, what it says out, with the same care."""
    found = _decoded(message, Survey)
    wrong = _wrong_survey(found) if isinstance(found, Survey) else None
    return found if wrong is None else Garbage(wrong)


def _decoded(message: bytes, kind: type[M]) -> M | Newer | Garbage:
    if len(message) > MAX_BYTES:
        return Garbage(f"the message has {len(message)} bytes, more than {MAX_BYTES}")
    try:
        version = msgspec.json.decode(message, type=_Envelope).v
        if version > VERSION:
            return Newer(version)
        if version < 1:
            return Garbage(f"there is no version {version} of messages")
        return msgspec.json.decode(message, type=kind)
    except (ValueError, RecursionError) as error:
        return Garbage(f"not a {kind.__name__}: {error}")


def _bytes(message: Cause | Survey) -> bytes:
    members: dict[str, object] = msgspec.to_builtins(message)
    return msgspec.json.encode({**members, "v": VERSION})


def _shortened(cause: Cause) -> Cause:
    caller = cause.caller
    if caller is not None and caller.name is not None:
        caller = msgspec.structs.replace(caller, name=caller.name[:_CUT])
    correlation = cause.correlation_id and cause.correlation_id[:_CUT]
    return msgspec.structs.replace(cause, caller=caller, correlation_id=correlation)


def _wrong(cause: Cause) -> str | None:
    if cause.subject is not None and not ids.kind(cause.subject):
        return f"the subject is no resource id: {cause.subject!r}"
    if isinstance(cause.scope, VirtualNetwork) and ids.kind(cause.scope.id) != ids.VIRTUAL_NETWORK:
        return f"the scope is no virtual network: {cause.scope.id!r}"
    if isinstance(cause.scope, Remainder) and ids.kind(cause.scope.key) != ids.SUBSCRIPTION:
        return f"the scope is no subscription: {cause.scope.subscription_id!r}"
    return _wrong_times(cause)


def _wrong_survey(survey: Survey) -> str | None:
    if not 0 < len(survey.subscriptions) <= MOST_SUBSCRIPTIONS:
        return f"a Survey of {len(survey.subscriptions)} subscriptions, not of 1 to {MOST_SUBSCRIPTIONS}"
    for subscription in survey.subscriptions:
        if not ids.is_subscription(subscription):
            return f"not the id of a subscription: {subscription!r}"
    return _wrong_times(survey)


def _wrong_times(message: Cause | Survey) -> str | None:
    for at in (message.time, message.first_time):
        if at is not None and at.utcoffset() is None:
            return f"a time without zone: {at.isoformat()}"
    return None
