"""What woke a function in, the data and metadata that the host hands to the Python worker out."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from azure.functions.meta import Datum

from devhost.store import Message
from devhost.texts import rewritten

_TIME_TO_LIVE = 7 * 86400

Data = tuple[Datum, Mapping[str, Datum]]


def of_event(event: Mapping[str, Any]) -> Data:
    """One event of either schema."""
    return Datum(json.dumps(rewritten(event), ensure_ascii=False), "json"), {}


def of_timer(past_due: bool, status: Mapping[str, str] | None) -> Data:
    """One tick of a schedule; `status` is what the monitor remembers."""
    info = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": past_due}
    return Datum(json.dumps(info), "json"), {}


def of_message(message: Message) -> Data:
    """One message and its properties; equally named members of a JSON body replace those, as in the host."""
    metadata = {
        "Id": Datum(message.id, "string"),
        "DequeueCount": Datum(str(message.dequeue_count), "string"),
        "PopReceipt": Datum(message.pop_receipt, "string"),
        "InsertionTime": Datum(_time(message.inserted_at), "string"),
        "ExpirationTime": Datum(_time(message.inserted_at + _TIME_TO_LIVE), "string"),
        "NextVisibleTime": Datum(_time(message.visible_at), "string"),
    }
    names = {name.lower(): name for name in metadata}
    for name, value in _members(message.body).items():
        if name.lower() in names and value is not None:
            text = value if isinstance(value, str) else json.dumps(value)
            metadata[names[name.lower()]] = Datum(text, "string")
    return Datum(message.body, "string"), metadata


def of_request(
    method: str, url: str, headers: Mapping[str, str], query: Mapping[str, str], route: Mapping[str, str], body: bytes
) -> Data:
    """One HTTP request."""
    value = {
        "method": Datum(method, "string"),
        "url": Datum(url, "string"),
        "headers": {name: Datum(each, "string") for name, each in headers.items()},
        "query": {name: Datum(each, "string") for name, each in query.items()},
        "params": {name: Datum(each, "string") for name, each in route.items()},
        "body": Datum(body, "bytes"),
    }
    return Datum(value, "http"), {}


def _members(body: str) -> dict[str, Any]:
    if not body.lstrip().startswith("{"):
        return {}
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")
