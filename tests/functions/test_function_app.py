"""The function app as it is deployed, served by devhost against the simulator: from a posted event to the repair."""

import csv
import io
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from devhost import functions as hosted
from devhost.host import Host
from governor import messages, wiring
from governor.core.cause import CAUSES, SURVEYS, Cause, Source, Survey
from simulator.arm import Arm, Fault, Request
from simulator.clock import SystemClock
from simulator.server import serve
from tests.scenarios.world import REGION, SUB, subnet, vnet, vnet_body

CHECKOUT = Path(__file__).parents[2]
NAMES = {"resource_changed", "govern", "given_up", "decide", "undo", "pause", "records", "health"}
NAMES |= {"sweep", "survey", "given_up_survey", "admission", "addresses"}
POLICY = """
name: nat-per-vnet
mode: enforce
select: {virtualNetworks: ["spoke-*"]}
egress: {natGateway: {}}
limits: {settleSeconds: 0}
"""


def test_importing_with_an_empty_environment_indexes_every_function() -> None:
    probe = "import json, function_app as f; print(json.dumps([g.get_function_name() for g in f.app.get_functions()]))"
    done = subprocess.run([sys.executable, "-W", "error", "-c", probe], cwd=CHECKOUT, env={}, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    assert set(json.loads(done.stdout)) == NAMES


class Site:
    """devhost with the function app, a simulator, and a client."""

    def __init__(self, arm: Arm, host: Host, url: str, http: aiohttp.ClientSession, store: Path) -> None:
        self.arm, self.host, self.url, self.http, self.store = arm, host, url, http, store

    def put(self, path: str, body: dict[str, Any]) -> None:
        headers = {"Authorization": "Bearer simulator", "Host": "127.0.0.1"}
        request = Request("PUT", f"{path}?api-version=2025-05-01", headers, json.dumps(body).encode())
        assert self.arm.handle(request).status in (200, 201)

    async def post_event(self, payload: object, kind: str = "Notification") -> int:
        url = f"{self.url}/runtime/webhooks/eventgrid?functionName=resource_changed"
        async with self.http.post(url, json=payload, headers={"aeg-event-type": kind}) as answer:
            return answer.status

    async def events(self, resource: str, schema: str) -> None:
        for event in self.arm.events_for(resource):
            payload = event.payload(schema)  # type: ignore[arg-type]
            assert await self.post_event([payload] if schema == "EventGridSchema" else payload) == 202
        await self.host.drain()

    async def wake(self, function: str, text: str) -> None:
        """Runs a function now with this input, and what comes of it."""
        async with self.http.post(f"{self.url}/admin/functions/{function}", json={"input": text}) as answer:
            assert answer.status == 202, await answer.text()
        await self.host.drain()

    async def get(self, path: str) -> tuple[int, Any]:
        async with self.http.get(f"{self.url}/api/{path}") as answer:
            return answer.status, await answer.json()

    async def post(self, path: str, body: object) -> tuple[int, Any]:
        async with self.http.post(f"{self.url}/api/{path}", json=body) as answer:
            return answer.status, await answer.json()

    def attached(self, vnet_name: str) -> dict[str, str | None]:
        (body,) = [b for b in self.arm.export() if b["id"] == vnet(vnet_name)]
        named = {s["name"]: s["properties"].get("natGateway") for s in body["properties"]["subnets"]}
        return {name: gateway and gateway["id"].rpartition("/")[2] for name, gateway in named.items()}


@pytest.fixture
async def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "nat.yaml").write_text(POLICY)
    arm = Arm(SystemClock(), throttle="off")
    group = f"/subscriptions/{SUB}/resourceGroups/rg-net"
    arm.load([{"id": group, "type": "Microsoft.Resources/resourceGroups", "location": REGION}])
    server = await serve(arm)
    store = tmp_path / "store"
    values = {
        "EGRESS_GOVERNOR_STORE": f"sqlite:{store}",
        "EGRESS_GOVERNOR_POLICIES": str(tmp_path / "policies"),
        "EGRESS_GOVERNOR_MODE_CEILING": "enforce",
        "EGRESS_GOVERNOR_ARM_ENDPOINT": f"http://127.0.0.1:{server.port}",
        "EGRESS_GOVERNOR_CLOCK_SKEW_SECONDS": "0",
        "EGRESS_GOVERNOR_SWEEP_SCHEDULE": "0 0 0 1 1 *",
        "EGRESS_GOVERNOR_NOTICES_TOPIC": f"http://127.0.0.1:{server.port}/topics/told/api/events",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    wiring.worker.cache_clear()
    host = Host(hosted.load(CHECKOUT), CHECKOUT, {**os.environ, **values})
    port = await host.start(0)
    async with aiohttp.ClientSession() as http:
        yield Site(arm, host, f"http://127.0.0.1:{port}", http, store)
    await host.stop()
    await wiring.worker().close()
    wiring.worker.cache_clear()
    await server.close()


@pytest.mark.parametrize("schema", ["EventGridSchema", "CloudEventSchemaV1_0"])
async def test_an_event_becomes_a_repair_and_a_record(site: Site, schema: str) -> None:
    site.put(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    await site.events(vnet("spoke-1"), schema)
    assert site.attached("spoke-1") == {"app": "ng-spoke-1"}
    status, page = await site.get("records")
    assert status == 200
    (record,) = [r for r in page["records"] if r.get("outcomes")]
    assert record["cause"]["source"] == "event"
    status, one = await site.get(f"records/{record['id']}")
    assert (status, one["id"]) == (200, record["id"])
    assert "simulator" not in json.dumps(one)


async def test_undo_and_pause_over_http(site: Site) -> None:
    site.put(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    await site.events(vnet("spoke-1"), "EventGridSchema")
    _, page = await site.get("records")
    (record,) = [r for r in page["records"] if r.get("outcomes")]
    assert (await site.post("pause", {"paused": True, "reason": "incident"}))[0] == 200
    assert (await site.get("health"))[1]["paused"] is True
    assert (await site.post(f"records/{record['id']}/undo", {"reason": "test", "days": 1}))[0] == 409
    assert (await site.post("pause", {"paused": False, "reason": "over"}))[0] == 200
    await site.host.drain()
    assert site.attached("spoke-1") == {"app": "ng-spoke-1"}
    for days in (-1, 366, 99_999_999_999):
        assert (await site.post(f"records/{record['id']}/undo", {"reason": "test", "days": days}))[0] == 409
    assert (await site.post(f"records/{record['id']}/undo", {"reason": "test", "days": 1}))[0] == 202
    await site.host.drain()
    assert site.attached("spoke-1") == {"app": None}


@pytest.mark.parametrize(("platform", "by"), [("True", "ann@contoso.com"), ("False", "holder of a function key")])
async def test_a_name_in_a_header_counts_where_the_platform_signs_in(
    site: Site, monkeypatch: pytest.MonkeyPatch, platform: str, by: str
) -> None:
    monkeypatch.setenv("WEBSITE_AUTH_ENABLED", platform)
    named = {"x-ms-client-principal-name": "ann@contoso.com"}
    wish = {"paused": True, "reason": "incident"}
    async with site.http.post(f"{site.url}/api/pause", json=wish, headers=named) as answer:
        assert answer.status == 200
    switch = await wiring.worker().ports.ledger.paused()
    assert switch is not None
    assert switch.by == by


async def test_wrong_wishes_are_answered_in_one_line(site: Site) -> None:
    assert await site.post("approvals/00000000", {"decision": "approve"}) == (
        404,
        {"error": "nothing with digest 00000000 waits for a decision: it has changed, or no run has seen it yet"},
    )
    assert (await site.post("approvals/00000000", {"decision": "maybe"}))[0] == 400
    assert (await site.post("records/none/undo", {}))[0] == 404
    assert (await site.post("pause", []))[0] == 400
    async with site.http.post(f"{site.url}/api/pause", data=b"{junk") as answer:
        assert answer.status == 400
    assert (await site.get("records/none"))[0] == 404
    for limit in ("none", "%C2%B2", "9" * 5000, "0", "201"):
        assert (await site.get(f"records?limit={limit}"))[0] == 400


async def test_what_is_no_event_and_what_nobody_can_read_is_recorded_as_given_up(site: Site) -> None:
    payload: dict[str, object] = {
        "id": "1",
        "subject": "nonsense",
        "eventType": "Microsoft.Resources.ResourceWriteSuccess",
    }
    payload.update(eventTime="2026-11-21T10:00:00Z", data={}, dataVersion="2")
    assert await site.post_event([payload]) == 202
    await site.host.drain()
    _, page = await site.get("records")
    (record,) = page["records"]
    assert record["note"].startswith("given up: ")
    assert await site.post_event("no event at all") >= 400


async def test_a_message_of_a_newer_version_is_put_back_and_given_up_after_a_day(site: Site) -> None:
    inbox, clock = wiring.worker().ports.inbox, wiring.worker().clock
    newer = {"v": 99, "source": "event", "time": clock.now().isoformat(), "of": "tomorrow"}
    await inbox.put_back(json.dumps(newer).encode(), 0)
    await site.host.drain()
    assert (await site.get("records"))[1]["records"] == []
    assert [json.loads(message)["of"] for message in waiting(site)] == ["tomorrow"]
    newer["time"] = (clock.now() - timedelta(hours=25)).isoformat()
    await inbox.put_back(json.dumps(newer).encode(), 0)
    await site.host.drain()
    (record,) = (await site.get("records"))[1]["records"]
    assert "version 99" in record["note"]


async def test_a_run_that_always_fails_ends_as_a_record(site: Site) -> None:
    cause = Cause(source=Source.EVENT, time=wiring.worker().clock.now(), subject=vnet("spoke-1"))
    with closing(sqlite3.connect(site.store / "queues.db")) as queues, queues:
        queues.execute(
            "INSERT INTO messages VALUES ('m', 'egress-causes-poison', ?, 0, 0, 0, NULL)",
            (messages.encode(cause).decode(),),
        )
    await site.host.drain()
    (record,) = (await site.get("records"))[1]["records"]
    assert record["note"].startswith("given up: the run failed five times")
    assert record["cause"]["subject"] == vnet("spoke-1")


async def test_a_sweep_finds_what_no_event_has_told(site: Site) -> None:
    site.put(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    await site.wake("sweep", "")
    assert site.attached("spoke-1") == {"app": "ng-spoke-1"}
    (record,) = [r for r in (await site.get("records"))[1]["records"] if r.get("outcomes")]
    assert record["cause"]["source"] == "survey"


async def test_a_sweep_of_many_subscriptions_is_several_messages(site: Site) -> None:
    names = [f"00000000-0000-0000-0000-{number:012d}" for number in range(1, 61)]
    site.arm.load([{"id": f"/subscriptions/{name}", "type": "Microsoft.Resources/subscriptions"} for name in names])
    # What cannot be surveyed now waits in its queue.
    site.arm.faults.append(Fault(method="POST", path="ResourceGraph", status=429, count=None, retry_after=600))
    await site.wake("sweep", "")
    batches = [messages.decode_survey(text.encode()) for text in waiting(site, SURVEYS)]
    assert all(isinstance(batch, Survey) and batch.attempt == 1 for batch in batches)
    assert sorted(len(batch.subscriptions) for batch in batches if isinstance(batch, Survey)) == [11, 25, 25]


async def test_a_batch_that_nobody_can_read_is_recorded_and_a_newer_one_waits(site: Site) -> None:
    inbox, now = wiring.worker().ports.inbox, wiring.worker().clock.now()
    await inbox.put_back(b'{"subscriptions": ["all"]}', 0, SURVEYS)
    newer = {"v": 99, "subscriptions": "all", "time": now.isoformat()}
    await inbox.put_back(json.dumps(newer).encode(), 0, SURVEYS)
    await site.host.drain()
    (record,) = (await site.get("records"))[1]["records"]
    assert "not a Survey" in record["note"]
    assert [json.loads(message)["v"] for message in waiting(site, SURVEYS)] == [99]


async def test_a_survey_that_always_fails_ends_as_a_record(site: Site) -> None:
    batch = messages.encode(Survey((SUB,), wiring.worker().clock.now()))
    await site.wake("given_up_survey", batch.decode())
    (record,) = (await site.get("records"))[1]["records"]
    assert record["note"].startswith("given up: the survey failed five times")
    blob = await wiring.worker().ports.ledger.blob(record["note"].rpartition(" ")[2].rstrip(")"))
    assert blob is not None
    assert SUB.encode() in blob


async def test_the_register_over_http(site: Site) -> None:
    for number in (1, 2):
        site.put(vnet(f"spoke-{number}"), vnet_body(("app", "10.0.1.0/24"), ("db", "10.0.2.0/24")))
        await site.events(vnet(f"spoke-{number}"), "EventGridSchema")
    status, whole = await site.get("addresses")
    assert (status, whole["continuation"]) == (200, None)
    assert sorted(one["resource"] for one in whole["addresses"]) == sorted(
        subnet(f"spoke-{number}", name) for number in (1, 2) for name in ("app", "db")
    )
    first = whole["addresses"][0]
    assert (first["kind"], first["policy"], first["whole"]) == ("subnet", "nat-per-vnet", True)
    status, record = await site.get(f"records/{first['record']}")
    assert status == 200
    assert first["since"] >= record["time"]
    # A page at a time it is the same.
    _, page = await site.get("addresses?limit=3")
    _, rest = await site.get(f"addresses?limit=3&continuation={page['continuation']}")
    assert [len(one["addresses"]) for one in (page, rest)] == [3, 1]
    assert [*page["addresses"], *rest["addresses"]] == whole["addresses"]
    assert rest["continuation"] is None
    assert (await site.get("addresses?policy=others"))[1]["addresses"] == []
    status, said = await site.get("addresses?cluster=k1&format=txt")
    assert (status, said) == (404, {"error": "cluster='k1': no cluster of this name or id is in the register"})
    async with site.http.get(f"{site.url}/api/addresses?format=txt") as answer:
        assert answer.content_type == "text/plain"
        assert (await answer.text()).split() == sorted({a for one in whole["addresses"] for a in one["addresses"]})
    async with site.http.get(f"{site.url}/api/addresses?format=csv&limit=1") as answer:
        assert answer.content_type == "text/csv"
        assert answer.headers["x-egress-governor-continuation"]
        (row,) = csv.DictReader(io.StringIO(await answer.text()))
    assert (row["resource"], row["addresses"]) == (first["resource"], " ".join(first["addresses"]))
    for wrong in ("format=xml", "limit=0", "limit=1001", "limit=x", f"limit={'9' * 5000}", "continuation=@"):
        status, said = await site.get(f"addresses?{wrong}")
        assert (status, wrong.partition("=")[0] in said["error"]) == (400, True)


async def test_a_notice_that_no_run_could_send_goes_with_the_next_sweep(site: Site) -> None:
    site.arm.faults.append(Fault(method="POST", path="/topics/told/api/events", status=503))
    site.put(vnet("spoke-1"), vnet_body(("app", "10.0.1.0/24")))
    await site.events(vnet("spoke-1"), "EventGridSchema")
    assert site.attached("spoke-1") == {"app": "ng-spoke-1"}
    assert site.arm.published("told") == []
    await site.wake("sweep", "")
    (event,) = site.arm.published("told")
    assert event["type"] == "EgressGovernor.AddressesChanged"
    assert event["data"]["what"]["moves"][0]["now"]["resource"] == subnet("spoke-1", "app")


def waiting(site: Site, queue: str = CAUSES) -> list[str]:
    """The messages that nobody may see yet."""
    with closing(sqlite3.connect(site.store / "queues.db")) as queues:
        return [row[0] for row in queues.execute("SELECT body FROM messages WHERE queue = ?", (queue,))]


async def test_health_tells_what_is_wrong(tmp_path: Path, site: Site) -> None:
    status, said = await site.get("health")
    assert (status, said["status"]) == (200, "ok")
    (tmp_path / "policies" / "nat.yaml").write_text("name: [")
    await wiring.worker().close()
    wiring.worker.cache_clear()
    status, said = await site.get("health")
    assert (status, said["status"]) == (503, "failing")


async def test_a_subnet_event_reaches_its_network(site: Site) -> None:
    site.put(vnet("spoke-1"), vnet_body())
    site.put(subnet("spoke-1", "late"), {"properties": {"addressPrefix": "10.0.7.0/24"}})
    await site.events(subnet("spoke-1", "late"), "EventGridSchema")
    assert site.attached("spoke-1") == {"late": "ng-spoke-1"}
