"""Custom topics: what may be published in them, and what is refused."""

import json
from typing import Any

import pytest

from simulator.arm import Arm, ManualClock, Request

EVENT = {"id": "1", "source": "/a", "specversion": "1.0", "type": "t", "data": {}}
BATCH = "application/cloudevents-batch+json; charset=utf-8"


def publish(arm: Arm, body: Any, target: str = "/topics/told/api/events?api-version=2018-01-01", **headers: str) -> int:
    given = {"aeg-sas-key": "simulator", "Content-Type": BATCH, **{k.replace("_", "-"): v for k, v in headers.items()}}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = arm.handle(Request("POST", target, {k: v for k, v in given.items() if v}, raw))
    if response.status != 200:
        told = response.json()["error"]
        assert told["code"] == str(response.status)
        assert told["message"]
    return response.status


def test_what_was_published_is_shown_and_gone_after_a_reset() -> None:
    arm = Arm(ManualClock())
    assert publish(arm, [EVENT, {**EVENT, "id": "2"}]) == 200
    assert publish(arm, EVENT, Content_Type="application/cloudevents+json") == 200
    shown = arm.handle(Request("GET", "/simulator/topics/Told"))
    assert [event["id"] for event in shown.json()] == ["1", "2", "1"]
    assert arm.published("another") == []
    arm.reset()
    assert arm.published("told") == []


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ([EVENT], {"aeg_sas_key": ""}, 401),
        ([EVENT], {"aeg_sas_key": "", "Authorization": "Bearer t"}, 200),
        ([EVENT], {"Content_Type": "application/json"}, 400),
        ([{**EVENT, "specversion": "0.3"}], {}, 400),
        ([{**EVENT, "id": ""}], {}, 400),
        (["text"], {}, 400),
        (b"{", {}, 400),
        (b" " * (1024 * 1024 + 1), {}, 413),
    ],
)
def test_what_a_topic_takes(body: Any, headers: dict[str, str], status: int) -> None:
    arm = Arm(ManualClock())
    assert publish(arm, body, **headers) == status
    assert bool(arm.published("told")) is (status == 200)


def test_another_version_is_refused() -> None:
    assert publish(Arm(ManualClock()), [EVENT], "/topics/told/api/events?api-version=2017-01-01") == 400
