"""host.json in, the few options that this host follows out, with the defaults of the real one."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devhost.settings import StartError

_TIME_SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{1,2}):(\d{1,2}(?:\.\d+)?)")
# What Azure Storage takes as one message, after its encoding.
_LARGEST_MESSAGE = 64 * 1024


@dataclass(frozen=True)
class Queues:
    """How queue triggers take messages; times in seconds."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    visibility_timeout: float = 0.0
    max_polling_interval: float = 60.0
    base64: bool = True

    @property
    def largest_text(self) -> int:
        """Bytes of UTF-8 that still fit into one message."""
        return _LARGEST_MESSAGE * 3 // 4 if self.base64 else _LARGEST_MESSAGE


@dataclass(frozen=True)
class HostJson:
    """The part of host.json that matters locally."""

    queues: Queues = Queues()
    route_prefix: str = "api"


def read(root: Path) -> HostJson:
    """Reads host.json of the app's folder; without the file the defaults hold."""
    path = root / "host.json"
    if not path.exists():
        return HostJson()
    try:
        extensions = json.loads(path.read_text(encoding="utf-8")).get("extensions", {})
        prefix = str(extensions.get("http", {}).get("routePrefix", "api"))
        return HostJson(_queues(extensions.get("queues", {})), prefix)
    except (ValueError, TypeError, AttributeError) as error:
        raise StartError(f"{path}: {error}") from error


def seconds(span: str) -> float:
    """A .NET time span such as 00:00:30 or 1.00:00:00, in seconds."""
    match = _TIME_SPAN.fullmatch(span.strip())
    if match is None:
        raise ValueError(f"'{span}' is not a time span like 00:00:30")
    days, hours, minutes, rest = match.groups()
    return int(days or 0) * 86400 + int(hours) * 3600 + int(minutes) * 60 + float(rest)


def _queues(options: dict[str, Any]) -> Queues:
    batch = int(options.get("batchSize", 16))
    if not 1 <= batch <= 32:
        raise ValueError("queues.batchSize must be between 1 and 32")
    most = int(options.get("maxDequeueCount", 5))
    if most < 1:
        raise ValueError("queues.maxDequeueCount must be at least 1")
    return Queues(
        batch_size=batch,
        new_batch_threshold=int(options.get("newBatchThreshold", batch // 2)),
        max_dequeue_count=most,
        visibility_timeout=seconds(str(options.get("visibilityTimeout", "00:00:00"))),
        max_polling_interval=seconds(str(options.get("maxPollingInterval", "00:01:00"))),
        base64=str(options.get("messageEncoding", "base64")).lower() == "base64",
    )
