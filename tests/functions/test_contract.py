"""contract.yaml in; every row held against devhost, the rows on the Python side against Microsoft's runtime, too."""

import asyncio
import json
import os
import re
import shutil
import sys
import time
import types
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import azure.functions as func
import pytest
import yaml
from azure.functions.meta import Datum

from devhost import functions, ncrontab, texts
from devhost import settings as devhost_settings
from devhost.host import Host
from devhost.settings import StartError
from devhost.store import Store
from tests.functions.contract_site import HERE, PATIENCE, Site, sample_app, serving, settings
from tests.functions.microsoft import ASKED_FOR, driven

CONTRACT: dict[str, list[dict[str, Any]]] = yaml.safe_load((HERE / "contract.yaml").read_text(encoding="utf-8"))
METHODS = ("get", "post", "options", "delete")


def rows(kind: str) -> list[Any]:
    return [pytest.param(row, id=row["rule"]) for row in CONTRACT[kind]]


def same(given: list[str], expected: list[Any]) -> None:
    """Compares bodies, in any order, as JSON where they are JSON."""
    assert sorted(map(plain, given)) == sorted(plain(each) for each in expected)


def plain(value: Any) -> str:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return f"text {value}"
    return json.dumps(value, sort_keys=True)


def fits(answer: dict[str, Any], expected: dict[str, Any]) -> None:
    assert answer["status"] == expected["status"]
    given = {name.lower(): value for name, value in answer["headers"].items()}
    for name, value in expected.get("headers", {}).items():
        assert given[name.lower()] == value
    if "body" in expected:
        assert plain(answer["text"]) == plain(expected["body"])


async def wake(site: Site, row: dict[str, Any]) -> dict[str, Any] | None:
    """Wakes a function through the host; the answer if it is one to look at."""
    name = row["function"]
    match row["wake"]:
        case {"event": event}:
            headers = {"aeg-event-type": "Notification"}
            path = f"/runtime/webhooks/eventgrid?functionName={name}"
            await site.ask("POST", path, headers, json.dumps([event]).encode())
        case {"message": body, "id": identity}:
            queue = {"message": "work", "message_text": "texts"}[name]
            site.put(queue, [body], identity)
        case {"timer": _}:
            await site.ask("POST", f"/admin/functions/{name}", {}, b'{"input": ""}')
        case {"request": request}:
            headers, body = request.get("headers", {}), request.get("body", "").encode()
            return await site.ask(request.get("method", "GET"), request["path"], headers, body)
    return None


@pytest.mark.parametrize("row", rows("load"))
async def test_what_stops_the_start(row: dict[str, Any], tmp_path: Path) -> None:
    module = sample_app()
    if "app" in row:
        path = tmp_path / "function_app.py"
        path.write_text(row["app"], encoding="utf-8")
        module = types.ModuleType("function_app")
        exec(compile(row["app"], path, "exec"), module.__dict__)

    async def start() -> None:
        host = Host(functions.find(module), tmp_path, settings(tmp_path, row.get("settings", {})))
        await host.start(0)

    with pytest.raises(StartError, match=row["refused"]) as refused:
        await start()
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("row", rows("worker"))
async def test_the_python_side_on_devhost(
    row: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(tmp_path, caplog, {}) as site:
        answer = await wake(site, row)
        await site.host.drain()
        assert site.ran(row["function"]) == 1
        assert re.search(row["failed"], site.failure()) if "failed" in row else site.failure() == ""
        if answer is not None and "answer" in row:
            fits(answer, row["answer"])
        if "written" in row:
            same(site.bodies("seen"), row["written"])
        if "exactly" in row:
            assert site.bodies("seen") == row["exactly"]


@pytest.mark.parametrize("row", rows("host"))
async def test_the_host(row: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(tmp_path, caplog, row) as site:
        for queue, bodies in row.get("put", {}).items():
            site.put(queue, bodies)
        for step in row.get("ask", []):
            method = next(each for each in METHODS if each in step)
            body = step.get("body", "x" * step.get("repeated", 0))
            text = body if isinstance(body, str) else json.dumps(body)
            fits(await site.ask(method.upper(), step[method], step.get("headers", {}), text.encode()), step["answer"])
        await site.host.drain()
        for function, times in row.get("ran", {}).items():
            assert site.ran(function) == times
        for queue, bodies in row.get("queues", {}).items():
            same(site.bodies(queue), bodies)
        for queue, seconds in row.get("hidden", {}).items():
            assert all(seconds - 5 < visible - time.time() <= seconds for _, visible in site.messages(queue))


@pytest.mark.parametrize("row", rows("schedule"))
def test_schedules(row: dict[str, Any]) -> None:
    if "refused" in row:
        with pytest.raises(ValueError, match=row["refused"]):
            ncrontab.parse(row["schedule"]).after(datetime(2026, 11, 21, tzinfo=UTC))
        return
    moment = datetime.fromisoformat(row["after"])
    for expected in row["next"]:
        moment = ncrontab.parse(row["schedule"]).after(moment)
        assert moment == datetime.fromisoformat(expected)


def timer_app(fired: asyncio.Event, seen: list[bool], **trigger: Any) -> func.FunctionApp:
    app = func.FunctionApp()

    async def beat(timer: func.TimerRequest) -> None:
        seen.append(timer.past_due)
        fired.set()

    app.timer_trigger(arg_name="timer", **trigger)(beat)
    return app


async def test_a_timer_fires_when_it_is_due(tmp_path: Path) -> None:
    fired, seen = asyncio.Event(), list[bool]()
    begun, shortly_before = time.monotonic(), datetime(2026, 11, 21, 9, 59, 59, 950000, UTC).timestamp()
    app = timer_app(fired, seen, schedule="0 0 10 * * *")
    host = Host(app, tmp_path, {}, now=lambda: shortly_before + time.monotonic() - begun)
    await host.start(0)
    async with asyncio.timeout(PATIENCE):
        await fired.wait()
    await host.stop()
    assert seen == [False]


async def test_a_timer_runs_at_start_when_asked_to(tmp_path: Path) -> None:
    fired, seen = asyncio.Event(), list[bool]()
    host = Host(timer_app(fired, seen, schedule="0 0 0 1 1 *", run_on_startup=True), tmp_path, {})
    await host.start(0)
    await host.drain()
    await host.stop()
    assert seen == [False]


async def test_a_time_missed_while_the_host_was_down_is_made_up_for_once_as_past_due(tmp_path: Path) -> None:
    fired, seen = asyncio.Event(), list[bool]()
    app = timer_app(fired, seen, schedule="0 0 10 * * *")
    for hour in (9, 11, 12):
        stopped_clock = datetime(2026, 11, 21, hour, tzinfo=UTC).timestamp
        host = Host(app, tmp_path, {"AzureWebJobsStorage": f"sqlite:{tmp_path}"}, now=stopped_clock)
        await host.start(0)
        await host.drain()
        await host.stop()
    assert seen == [True]


async def test_a_delayed_message_is_served_when_it_becomes_visible(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app, served = func.FunctionApp(), asyncio.Event()

    async def late(text: str) -> None:
        served.set()

    app.queue_trigger(arg_name="text", queue_name="later", connection="STORE")(late)
    host = Host(app, tmp_path, settings(tmp_path / "store", {}))
    site = Site(host, f"http://127.0.0.1:{await host.start(0)}", tmp_path / "store", caplog)
    site.put("later", ["x"], delay=0.2)
    await host.drain()
    assert not served.is_set()
    async with asyncio.timeout(PATIENCE):
        await served.wait()
    await host.stop()
    assert site.bodies("later") == []


async def test_a_store_takes_many_puts_at_once(tmp_path: Path) -> None:
    store = Store(tmp_path)
    await asyncio.gather(*(store.put("many", [str(number)]) for number in range(400)))
    taken = [await store.take("many", 32, 60) for _ in range(13)]
    assert sorted(int(message.body) for batch in taken for message in batch) == list(range(400))
    await store.close()


async def test_a_new_store_may_be_opened_by_several_at_once(tmp_path: Path) -> None:
    stores = await asyncio.gather(*(asyncio.to_thread(Store, tmp_path) for _ in range(8)))
    await asyncio.gather(*(store.put("shared", ["x"]) for store in stores))
    assert len(await stores[0].take("shared", 32, 60)) == 8
    for store in stores:
        await store.close()


SLOW_APP = """
import asyncio
import azure.functions as func
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
@app.route(route="slow")
async def slow(req: func.HttpRequest) -> str:
    print("begun", flush=True)
    await asyncio.sleep(0.3)
    return "finished"
"""


async def process(folder: Path, *arguments: str, **environment: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "devhost", "--port", "0", "--app", str(folder), *arguments),
        cwd=HERE.parents[1],
        env={"PATH": os.environ.get("PATH", ""), **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_the_command_finishes_what_runs_when_it_is_terminated(tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text(SLOW_APP, encoding="utf-8")
    devhost = await process(tmp_path)
    assert devhost.stdout is not None
    ready = (await devhost.stdout.readline()).decode()
    url = re.fullmatch(r"devhost: (http://127\.0\.0\.1:\d+)\n", ready)
    assert url is not None
    async with aiohttp.ClientSession() as session:
        asking = asyncio.create_task(session.get(url[1] + "/api/slow"))
        assert await devhost.stdout.readline() == b"begun\n"
        devhost.terminate()
        answer = await asking
        assert await answer.text() == "finished"
    _, log = await devhost.communicate()
    assert devhost.returncode == 0, log
    assert len(log.splitlines()) == 1


async def test_the_command_demands_the_keys_it_prints(tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text(SLOW_APP, encoding="utf-8")
    devhost = await process(tmp_path, "--keys", DEVHOST_MASTER_KEY="mine")
    assert devhost.stdout is not None
    printed = [(await devhost.stdout.readline()).decode() for _ in range(3)]
    assert [line.partition("=")[0] for line in printed[:2]] == [
        "devhost: DEVHOST_FUNCTION_KEY",
        "devhost: DEVHOST_SYSTEM_KEY",
    ]
    url = printed[2].removeprefix("devhost: ").strip()
    async with aiohttp.ClientSession() as session, session.post(url + "/admin/functions/slow") as answer:
        assert answer.status == 401
    devhost.terminate()
    await devhost.communicate()
    assert devhost.returncode == 0


async def test_the_command_says_in_one_line_why_it_does_not_start(tmp_path: Path) -> None:
    devhost = await process(tmp_path)
    printed, log = await devhost.communicate()
    assert (devhost.returncode, printed) == (1, b"")
    assert log.decode() == f"devhost: {tmp_path} holds no function_app.py\n"


async def test_the_values_of_local_settings_complete_the_environment(tmp_path: Path) -> None:
    (tmp_path / "local.settings.json").write_text('{"Values": {"A": "file", "B": "file", "C": 5}}', encoding="utf-8")
    assert devhost_settings.read(tmp_path, {"A": "environment"}) == {"A": "environment", "B": "file", "C": "5"}


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What became of every worker row, by its rule."""
    folder = tmp_path_factory.mktemp("app")
    shutil.copy(HERE / "contract_app.py", folder / "function_app.py")
    rules = CONTRACT["worker"]
    result = driven(folder, [{"function": row["function"], "wake": row["wake"]} for row in rules])
    assert result["failure"] is None
    return {row["rule"]: one for row, one in zip(rules, result["ended"], strict=True)}


class TestMicrosoftsRuntime:
    """The rows on the Python side. Where CI runs, they are there if the runtime is, or if it is required."""

    __test__ = ASKED_FOR

    @pytest.mark.parametrize("row", rows("worker"))
    def test_the_python_side(self, row: dict[str, Any], ended: dict[str, dict[str, Any]]) -> None:
        became = ended[row["rule"]]
        if "failed" in row:
            assert re.search(row["failed"], became["failure"] or "")
            return
        assert became["failure"] is None
        written = list(became["written"].values())
        if "request" in row["wake"]:
            kind, value = became["returned"]
            answer = value if kind == "http" else {"status": 200, "headers": {}, "text": value}
            if "answer" in row:
                fits(answer, row["answer"])
        elif became["returned"]:
            written.append(became["returned"])
        # The half of the host is devhost's own on both sides.
        bodies = [body for kind, value in written for body in texts.messages(Datum(value, kind))]
        if "written" in row:
            same(bodies, row["written"])
        if "exactly" in row:
            assert bodies == row["exactly"]

    @pytest.mark.parametrize("row", [each for each in rows("load") if "app" in each.values[0]])
    def test_what_is_not_loaded(self, row: dict[str, Any], tmp_path: Path) -> None:
        (tmp_path / "function_app.py").write_text(row["app"], encoding="utf-8")
        assert re.search(row["refused"], driven(tmp_path, [])["failure"])
