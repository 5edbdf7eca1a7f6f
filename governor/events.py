"""An Event Grid event in, a Cause out: Event Grid schema and CloudEvents say the same in two ways.

Events point, facts decide: what an event says of the resource is not kept (docs/architecture.md, rule 1).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import Struct

from governor.core import ids
from governor.core.cause import Caller, Cause, Source, watched

PREFIX: Final = "Microsoft.Resources.Resource"
_OBJECT_ID: Final = "http://schemas.microsoft.com/identity/claims/objectidentifier"
_NAMES: Final = ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name", "name")


class Event(Struct, frozen=True):
    """What both schemas have in common."""

    type: str
    subject: str
    time: datetime | None
    data: Mapping[str, Any]


class NotAnEventError(ValueError):
    """It came as an event and is none: one line says why."""


def cause_of(event: Event) -> Cause | None:
    """An Event in; the Cause it is, or None for one that tells nothing about egress, out. Raises NotAnEventError."""
    if not event.type.startswith(PREFIX) or "Action" in event.type:
        return None
    if not ids.kind(event.subject):
        raise NotAnEventError(f"an event of type {event.type} whose subject is no resource id: {event.subject[:200]!r}")
    if event.time is None:
        raise NotAnEventError(f"an event of type {event.type} about {event.subject} without a time")
    subject = ids.tagged(event.subject)
    if not watched(subject):
        return None
    at = event.time if event.time.tzinfo else event.time.replace(tzinfo=UTC)
    return Cause(
        source=Source.EVENT,
        time=at.astimezone(UTC),
        subject=subject,
        caller=_caller(event.data.get("claims")),
        correlation_id=_text(event.data.get("correlationId")),
    )


def _caller(claims: object) -> Caller | None:
    """Three claims and no other; live events often carry none (facts/azure.md 8.2)."""
    if not isinstance(claims, Mapping) or not claims:
        return None
    name = next((text for key in _NAMES if (text := _text(claims.get(key)))), None)
    caller = Caller(_text(claims.get(_OBJECT_ID)), _text(claims.get("appid")), name)
    return None if caller == Caller() else caller


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
