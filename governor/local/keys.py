"""Scopes, times and resource keys in, keys of rows out: text that sorts, without the characters Azure Tables refuse."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import Struct

from governor.core import ids
from governor.core.cause import Scope

NOBODY: Final = "00000000-0000-0000-0000-000000000000"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = 10**17 - 1


class Times(Struct, frozen=True):
    """Now, and how far clocks may be apart."""

    now: datetime
    skew: timedelta


def place(scope: Scope) -> str:
    """A Scope in, the key of what is stored about it out."""
    return hashed(scope.key)


def resource(resource_id: str) -> str:
    """A resource id in, the key of what is stored about it out."""
    return hashed(ids.key(resource_id))


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def micros(at: datetime) -> int:
    """A time in, whole microseconds since 1970 out."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def rising(moment: int) -> str:
    """Microseconds since 1970 in, a key that sorts the oldest first out."""
    return f"{moment:017d}"


def falling(moment: int) -> str:
    """Microseconds since 1970 in, a key that sorts the newest first out."""
    return f"{_LAST - moment:017d}"


def day(moment: int) -> str:
    """Microseconds since 1970 in, the day in UTC out."""
    return (_EPOCH + timedelta(microseconds=moment)).date().isoformat()


def falling_day(text: str) -> str:
    """A day as text in, a key that sorts the newest first out; the same again gives the day back."""
    return "".join(c if c == "-" else str(9 - int(c)) for c in text)
