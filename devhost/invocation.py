"""A function and its trigger's data in, what became of the invocation out; outputs are delivered only on success."""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import azure.functions as func
from azure.functions.meta import Datum

from devhost import texts
from devhost.activity import Activity
from devhost.context import context, thread_local_storage
from devhost.converters import decode, encode
from devhost.functions import Function
from devhost.store import Store
from devhost.triggers import Data

log = logging.getLogger("devhost")


@dataclass(frozen=True)
class Outcome:
    """How an invocation ended; `returned` is what goes back to an HTTP caller."""

    failure: str | None
    returned: Datum | None = None


class Value(func.Out[object]):
    """What a function leaves in an output parameter."""

    def __init__(self) -> None:
        self._value: object = None

    def set(self, val: object) -> None:
        self._value = val

    def get(self) -> object:
        return self._value


class Invocations:
    """Runs functions as the Python worker does, and delivers their outputs as the host does."""

    def __init__(
        self, stores: Mapping[Path, Store], largest_text: int, activity: Activity, ended: Callable[[], None]
    ) -> None:
        self._stores = stores
        self._largest_text = largest_text
        self._activity = activity
        self._ended = ended
        self._threads = ThreadPoolExecutor(thread_name_prefix="devhost-function")

    async def run(self, function: Function, data: Data, reason: str) -> Outcome:
        """Runs one invocation to its end; an exception becomes an Outcome and a log entry, never an answer's text."""
        invocation, started = str(uuid.uuid4()), time.perf_counter()
        with self._activity:
            try:
                outcome = Outcome(None, await self._invoke(function, data, invocation))
            except Exception as error:
                log.error("%s failed in invocation %s", function.name, invocation, exc_info=error)
                outcome = Outcome(f"Exception while executing function: Functions.{function.name}")
            finally:
                self._ended()
        took = (time.perf_counter() - started) * 1000
        log.info("%s (%s) %s, %.0f ms, %s", function.name, reason, _word(outcome), took, invocation)
        return outcome

    def close(self) -> None:
        """Lets the threads of synchronous functions go."""
        self._threads.shutdown()

    async def _invoke(self, function: Function, data: Data, invocation: str) -> Datum | None:
        signature = function.signature
        datum, metadata = data
        arguments: dict[str, object] = {signature.trigger: decode(signature.takes.binding, datum, metadata)}
        values = {name: Value() for name in signature.outputs}
        arguments.update(values)
        if signature.wants_context:
            arguments["context"] = context(function.name, function.directory, invocation)
        result = await self._call(function, arguments, invocation)
        if result is not None and signature.returns is None:
            raise RuntimeError(f"function '{function.name}' without a $return binding returned a non-None value")
        outputs = [
            (name, encode(param.binding, values[name].get(), param.pytype))
            for name, param in signature.outputs.items()
            if values[name].get() is not None
        ]
        returns = signature.returns
        returned = None if returns is None else encode(returns.binding, result, returns.pytype)
        if returned is not None and "$return" in function.outputs:
            outputs.append(("$return", returned))
        for name, output in outputs:
            await self._deliver(function, name, output)
        return returned

    async def _call(self, function: Function, arguments: Mapping[str, object], invocation: str) -> object:
        if function.signature.is_async:
            result: object = await function.call(**arguments)
            return result

        def call() -> object:
            thread_local_storage.invocation_id = invocation
            try:
                return function.call(**arguments)
            finally:
                thread_local_storage.invocation_id = None

        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    async def _deliver(self, function: Function, name: str, output: Datum) -> None:
        queue = function.outputs[name]
        bodies = texts.messages(output)
        largest = max((len(body.encode()) for body in bodies), default=0)
        if largest > self._largest_text:
            raise ValueError(f"a message of {largest} bytes for queue {queue.name} is larger than {self._largest_text}")
        await self._stores[queue.store].put(queue.name, bodies)


def _word(outcome: Outcome) -> str:
    return "succeeded" if outcome.failure is None else "failed"
