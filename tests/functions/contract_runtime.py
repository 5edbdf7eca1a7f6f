"""Invocations on stdin, what Microsoft's Python runtime made of them on stdout, both JSON.

usage: python contract_runtime.py APP_FOLDER < [{"function": name, "wake": {...}}, ...]

The runtime speaks in protobuf messages that its caller provides. It only builds them and asks which member of a union
is set, so plain objects are enough.
"""

import asyncio
import importlib
import json
import os
import sys
import uuid
from types import ModuleType, SimpleNamespace
from typing import Any

UNIONS = {
    "TypedData": ("string", "json", "bytes", "http", "int", "double"),
    "ParameterBinding": ("data",),
}
CONSTANTS: dict[str, dict[str, Any]] = {
    "StatusResult": {"Failure": 0, "Success": 1, "Cancelled": 2},
    "BindingInfo": {"undefined": 0, "in": 0, "out": 1, "inout": 2},
    "RpcHttpCookie": {"SameSite": SimpleNamespace(**{"None": 0, "Lax": 1, "Strict": 2, "ExplicitNone": 3})},
}
METADATA_OF_MESSAGES = {
    "PopReceipt": '"receipt"',
    "InsertionTime": '"2026-11-21T00:00:00+00:00"',
    "ExpirationTime": '"2026-11-28T00:00:00+00:00"',
    "NextVisibleTime": '"2026-11-21T00:10:00+00:00"',
}


class Said:
    """A message: what it was built with, None for what it was not."""

    members: tuple[str, ...] = ()

    def __init__(self, **given: Any) -> None:
        self.__dict__.update({name: value for name, value in given.items() if value is not None})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name[0].isupper():
            raise AttributeError(name)
        return None

    def WhichOneof(self, _: str) -> str | None:  # noqa: N802 (the runtime calls it so)
        return next((name for name in self.members if name in self.__dict__), None)


class Vocabulary(ModuleType):
    """The module of messages: every name is a kind of Said."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        kind = type(name, (Said,), {"members": UNIONS.get(name, ()), **CONSTANTS.get(name, {})})
        setattr(self, name, kind)
        return kind


words: Any = Vocabulary("words")


def asked(**content: Any) -> Any:
    request = SimpleNamespace(request_id=str(uuid.uuid4()), **content)
    return SimpleNamespace(request=request, properties={"host": "127.0.0.1", "protos": words})


def handed(wake: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """What the host sends for each kind of trigger."""
    match wake:
        case {"event": event}:
            return words.TypedData(json=json.dumps(event)), {}
        case {"timer": timer}:
            return words.TypedData(json=json.dumps(timer)), {}
        case {"message": body}:
            metadata = {name: words.TypedData(json=text) for name, text in METADATA_OF_MESSAGES.items()}
            metadata |= {"Id": words.TypedData(string=wake["id"]), "DequeueCount": words.TypedData(json="1")}
            return words.TypedData(string=body), metadata
        case {"request": request}:
            body = words.TypedData(bytes=request.get("body", "").encode()) if request.get("body") else words.TypedData()
            http = words.RpcHttp(
                method=request.get("method", "GET"),
                url="http://127.0.0.1/",
                headers=request.get("headers", {}),
                params=wake.get("route", {}),
                query=wake.get("query", {}),
                body=body,
            )
            return words.TypedData(http=http), {}
    raise ValueError(f"nothing the host could send: {wake}")


def told(data: Any) -> list[Any] | None:
    """A piece of data as its kind and value."""
    kind = None if data is None else data.WhichOneof("data")
    if kind is None:
        return None
    value = getattr(data, kind)
    if kind == "http":
        body = told(value.body)
        status = int(value.status_code)
        return [kind, {"status": status, "headers": value.headers, "text": body[1] if body else ""}]
    return [kind, value.decode() if isinstance(value, bytes) else value]


class Runtime:
    """Microsoft's runtime with one app."""

    def __init__(self, folder: str) -> None:
        sys.path.insert(0, folder)
        self.folder = folder
        self.library = importlib.import_module("azure_functions_runtime")
        self.functions: dict[str, Any] = {}

    async def load(self) -> str | None:
        """Indexes the app; why that failed, if it did."""
        init = SimpleNamespace(capabilities={}, function_app_directory=self.folder)
        answer = await self.library.worker_init_request(asked(worker_init_request=init))
        if answer.result.status != words.StatusResult.Success:
            return str(answer.result.exception.message)
        wanted = SimpleNamespace(function_app_directory=self.folder)
        found = await self.library.functions_metadata_request(asked(functions_metadata_request=wanted))
        self.functions = {each.name: each for each in found.function_metadata_results}
        return None

    async def invoke(self, function: str, wake: dict[str, Any]) -> dict[str, Any]:
        """One invocation: its failure, or what it returned and wrote."""
        metadata = self.functions[function]
        trigger = next(each for each in map(json.loads, metadata.raw_bindings) if each["type"].endswith("Trigger"))
        data, trigger_metadata = handed(wake)
        answer = await self.library.invocation_request(
            asked(
                invocation_request=SimpleNamespace(
                    invocation_id=str(uuid.uuid4()),
                    function_id=metadata.function_id,
                    input_data=[words.ParameterBinding(name=trigger["name"], data=data)],
                    trigger_metadata=trigger_metadata,
                    trace_context=SimpleNamespace(trace_parent="00-0-0-01", trace_state="", attributes={}),
                    retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
                )
            )
        )
        if answer.result.status != words.StatusResult.Success:
            return {"failure": str(answer.result.exception.message)}
        written = {each.name: told(each.data) for each in answer.output_data or []}
        return {"failure": None, "returned": told(answer.return_value), "written": written}


async def main() -> None:
    for name in [name for name in os.environ if name == "CONTAINER_NAME" or name.startswith("WEBSITE_")]:
        del os.environ[name]
    invocations = json.load(sys.stdin)
    runtime = Runtime(sys.argv[1])
    runtime.library.start_threadpool_executor()
    failure = await runtime.load()
    ended = [] if failure else [await runtime.invoke(each["function"], each["wake"]) for each in invocations]
    runtime.library.stop_threadpool_executor()
    print(json.dumps({"failure": failure, "ended": ended}))


if __name__ == "__main__":
    asyncio.run(main())
