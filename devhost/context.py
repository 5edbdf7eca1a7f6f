"""Names and an invocation id in, the context object that a function may ask for out."""

import threading
import uuid
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

thread_local_storage = threading.local()


@dataclass(frozen=True)
class Context:
    """What azure.functions.Context promises, as the worker fills it for an invocation that is not a retry."""

    invocation_id: str
    function_name: str
    function_directory: str
    trace_context: Any
    retry_context: Any
    thread_local_storage: threading.local = field(default=thread_local_storage, repr=False)


def context(function: str, directory: str, invocation: str) -> Context:
    """The context of one invocation, with a trace of its own."""
    parent = f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01"
    trace = SimpleNamespace(trace_parent=parent, Traceparent=parent, trace_state="", Tracestate="", attributes={})
    retry = SimpleNamespace(retry_count=0, max_retry_count=0, exception=None)
    return Context(invocation, function, directory, trace, retry)
