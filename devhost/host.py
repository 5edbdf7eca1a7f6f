"""An app, its folder and its settings in, a running host on loopback out."""

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import azure.functions as func
from aiohttp import web

from devhost import functions, host_json, keys
from devhost.activity import Activity
from devhost.functions import Function
from devhost.invocation import Invocations
from devhost.queues import Listener
from devhost.settings import StartError
from devhost.store import Store
from devhost.timers import Monitor, Timer
from devhost.web import Web


class Host:
    """Serves the triggers of one app inside the running event loop."""

    def __init__(
        self,
        app: func.FunctionRegister,
        root: Path,
        settings: Mapping[str, str],
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._options = host_json.read(root)
        self._functions = {each.name: each for each in functions.read(app, settings)}
        self._keys = keys.read(settings)
        self._timer_folder = _timer_folder(settings)
        self._now = now
        self._stores: dict[Path, Store] = {}
        self._listeners: list[Listener] = []
        self._timers: list[Timer] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._activity = Activity()
        self._invocations = Invocations(
            self._stores, self._options.queues.largest_text, self._activity, self._invocation_ended
        )
        self._runner: web.AppRunner | None = None

    async def start(self, port: int = 7071) -> int:
        """Listens on 127.0.0.1 (0 takes any free port) and starts queues and timers; the port it listens on."""
        self._stores.update((folder, Store(folder, self._now)) for folder in self._folders())
        try:
            # Everything that can be refused is refused before anything runs.
            monitor = Monitor(self._timer_folder)
            self._timers = [
                Timer(each, monitor, self._invocations, self._activity, self._now)
                for each in self._of_kind("timerTrigger")
            ]
            site = Web(self._functions, self._options.route_prefix, self._keys, self._invocations, self._activity)
            self._runner = web.AppRunner(site.application(), access_log=None, handle_signals=False)
            await self._runner.setup()
            await web.TCPSite(self._runner, "127.0.0.1", port).start()
        except BaseException:
            await self.stop()
            raise
        self._listeners = [self._listener(each) for each in self._of_kind("queueTrigger")]
        self._tasks = [asyncio.create_task(each.listen()) for each in self._listeners]
        self._tasks += [asyncio.create_task(each.run()) for each in self._timers]
        await asyncio.sleep(0)  # what runs at start has begun when this returns
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Accepts nothing more, waits for what runs, and closes the stores; a failure of a listener is raised here."""
        if self._runner is not None:
            await self._runner.cleanup()
        for listener in self._listeners:
            listener.stop()
        for timer in self._timers:
            timer.stop()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._activity.finish()
        self._invocations.close()
        for store in self._stores.values():
            await store.close()
        failed = next((each for each in ended if isinstance(each, BaseException)), None)
        if failed is not None:
            raise failed

    async def failed(self) -> None:
        """Never returns; raises why a listener or a timer ended by itself."""
        if self._tasks:
            # Who gives up waiting for this does not cancel them, as a gather would: `stop` lets them end.
            ended, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_EXCEPTION)
            for each in ended:
                each.result()
        await asyncio.Event().wait()

    async def drain(self) -> None:
        """Returns when no triggering queue holds a visible message and no function runs."""
        while True:
            ended = self._activity.ended
            due = [listener for listener in self._listeners if await listener.due()]
            for task in self._tasks:
                if task.done():
                    task.result()
            if self._activity.ended != ended:
                continue
            if self._activity.idle and not due:
                return
            for listener in due:
                listener.wake()
            await self._activity.changed()

    def _invocation_ended(self) -> None:
        # It may have put messages anywhere, also behind the host's back.
        for listener in self._listeners:
            listener.wake()

    def _of_kind(self, kind: str) -> list[Function]:
        return [each for each in self._functions.values() if each.kind == kind]

    def _folders(self) -> set[Path]:
        queues = [queue for each in self._functions.values() for queue in (each.queue, *each.outputs.values()) if queue]
        return {queue.store for queue in queues}

    def _listener(self, function: Function) -> Listener:
        if function.queue is None:
            raise StartError(f"function '{function.name}' has no queue")
        store = self._stores[function.queue.store]
        return Listener(function, function.queue.name, store, self._options.queues, self._invocations, self._activity)


def _timer_folder(settings: Mapping[str, str]) -> Path | None:
    if not settings.get("AzureWebJobsStorage", "").startswith("sqlite:"):
        return None
    return functions.sqlite_folder("AzureWebJobsStorage", settings, "timers")
