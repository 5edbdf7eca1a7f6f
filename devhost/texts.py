"""What a function put into a queue output in, the texts of the messages out, as the host makes them.

The host takes a string that looks like JSON apart: an array becomes one message per element, an object is written
again with indentation. Its JSON reader turns strings that are times into times, so their spelling changes as well.
"""

import json
import re
from datetime import UTC, datetime
from typing import Any

from azure.functions.meta import Datum

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,7}))?(Z|[+-]\d\d:\d\d)?")


def messages(datum: Datum) -> list[str]:
    """The texts that one output value becomes, in order."""
    match datum.type:
        case None:
            return []
        case "bytes":
            return _taken_apart(datum.value.decode())
        case "json":
            value = json.loads(datum.value)
            return _taken_apart(value) if isinstance(value, str) else _each(value)
        case "string":
            return _taken_apart(datum.value)
        case _:
            return [str(datum.value)]


def rewritten(value: Any) -> Any:
    """A JSON value with its times spelled as the host spells them after reading."""
    match value:
        case dict():
            return {key: rewritten(each) for key, each in value.items()}
        case list():
            return [rewritten(each) for each in value]
        case str():
            return _time(value)
        case _:
            return value


def _taken_apart(text: str) -> list[str]:
    trimmed = text.strip()
    if trimmed[:1] + trimmed[-1:] in ("{}", "[]"):
        return _each(json.loads(trimmed))
    return [text]


def _each(value: Any) -> list[str]:
    return [_text(each) for each in value] if isinstance(value, list) else [_text(value)]


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return str(value)
        case _:
            return json.dumps(rewritten(value), indent=2, ensure_ascii=False)


def _time(text: str) -> str:
    match = _TIME.fullmatch(text)
    if match is None:
        return text
    stem, fraction, zone = match.groups()
    try:
        moment = datetime.fromisoformat(stem + (zone or ""))
        if zone not in (None, "Z"):
            # A host in Azure runs in UTC and writes local times with that offset.
            stem, zone = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"), "+00:00"
    except (ValueError, OverflowError):
        return text
    kept = (fraction or "").rstrip("0")
    return stem + (f".{kept}" if kept else "") + (zone or "")
