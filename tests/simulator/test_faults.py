"""Faults by rule: whom they strike, what they do, and that a seed plays them again."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from simulator.arm import Arm, Dropped, Fault, ManualClock, Request, bearer
from simulator.faults import read_faults
from tests.simulator.cloud import GROUP, NETWORK, Cloud, link

VNET, SUBNET = "virtualNetworks/v", "virtualNetworks/v/subnets/s"


def told(cloud: Cloud, rules: object) -> int:
    """Rules in, the status of POST /simulator/faults out."""
    return cloud.arm.handle(Request("POST", "/simulator/faults", {}, json.dumps(rules).encode())).status


def statuses(cloud: Cloud, *paths: str, method: str = "GET") -> list[int]:
    return [cloud.call(method, path).status for path in paths]


@pytest.mark.parametrize(
    ("rule", "struck"),
    [
        ({}, [503, 503, 503, 503]),
        ({"method": "PUT"}, [200, 200, 200, 200]),
        ({"method": "get"}, [503, 503, 503, 503]),
        ({"type": "microsoft.network/virtualnetworks/Subnets"}, [200, 503, 200, 503]),
        ({"type": "Microsoft.Network/virtualNetworks"}, [503, 200, 200, 200]),
        ({"name": "S*"}, [200, 503, 200, 200]),
        ({"name": "?"}, [503, 503, 503, 503]),
        ({"type": "Microsoft.Network/virtualNetworks/subnets", "name": "t"}, [200, 200, 200, 503]),
        ({"path": "/V$"}, [503, 200, 200, 200]),
        ({"path": "/natGateways/", "name": "x"}, [200, 200, 200, 200]),
        ({"probability": 0}, [200, 200, 200, 200]),
        ({"count": 2}, [503, 503, 200, 200]),
    ],
)
def test_rules_strike_what_they_name(cloud: Cloud, rule: dict[str, Any], struck: list[int]) -> None:
    cloud.vnet()
    cloud.subnet(SUBNET)
    cloud.subnet("virtualNetworks/v/subnets/t", "10.0.1.0/24")
    cloud.gateway("n")
    assert told(cloud, [{"status": 503, "count": None} | rule]) == 200
    assert statuses(cloud, VNET, SUBNET, "natGateways/n", "virtualNetworks/v/subnets/t") == struck


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"status": 503, "probabilty": 0.5},
        {"status": 503, "probability": 1.5},
        {"status": 99},
        {"status": "503"},
        {"path": "(", "status": 503},
        {"drop": "between"},
        {"stale": -1},
        {"delay": 100_000},
    ],
)
def test_rules_that_mean_nothing_are_refused(cloud: Cloud, rule: dict[str, Any]) -> None:
    assert told(cloud, [rule]) == 400
    assert cloud.arm.faults == []


def test_rules_can_be_taken_back(cloud: Cloud) -> None:
    told(cloud, [{"status": 503, "count": None}])
    assert statuses(cloud, GROUP) == [503]
    assert cloud.arm.handle(Request("DELETE", "/simulator/faults")).status == 200
    assert statuses(cloud, GROUP) == [200]


def test_rules_of_a_file_are_there_again_after_a_reset(tmp_path: Path) -> None:
    file = tmp_path / "chaos.yaml"
    file.write_text("- method: GET\n  status: 429\n  retry_after: 7\n- drop: after\n  method: PUT\n")
    arm = Arm(ManualClock(), faults=read_faults(file))
    for _ in range(2):
        answers = [arm.handle(Request("GET", "/subscriptions?api-version=2022-12-01", bearer())) for _ in range(2)]
        assert [answer.status for answer in answers] == [429, 200]
        assert answers[0].headers["Retry-After"] == "7"
        arm.handle(Request("POST", "/simulator/reset"))
    file.write_text('[{"status": 503, "count": null}]')
    assert [fault.status for fault in read_faults(file)] == [503]
    file.write_text("- status: many\n")
    with pytest.raises(msgspec.ValidationError, match="status"):
        read_faults(file)


def test_operation_of_a_request_that_was_accepted_fails_later() -> None:
    cloud = Cloud(durations={"": 5})
    told(cloud, [{"type": "Microsoft.Network/natGateways", "later": True, "code": "Unlucky", "message": "Not today."}])
    answer = cloud.call("PUT", "natGateways/n", {"location": "eastus"})
    assert answer.status == 201
    cloud.clock.advance(5)
    poll = cloud.arm.handle(
        Request("GET", answer.headers["Azure-AsyncOperation"].removeprefix("https://management.azure.com"), bearer())
    ).json()
    assert (poll["status"], poll["error"]["code"]) == ("Failed", "Unlucky")
    assert cloud.get("natGateways/n")["properties"]["provisioningState"] == "Failed"


def test_late_answer_says_by_how_much_and_has_taken_effect(cloud: Cloud) -> None:
    told(cloud, [{"method": "PUT", "delay": 40}])
    answer = cloud.call("PUT", "natGateways/n", {"location": "eastus"})
    assert (answer.status, answer.delay) == (201, 40)
    assert cloud.call("GET", "natGateways/n").delay == 0


def table_of(cloud: Cloud, path: str = SUBNET) -> str | None:
    """Where a read of a subnet says its route table is; `gone` when there is no subnet."""
    answer = cloud.call("GET", path)
    if answer.status != 200:
        return "gone"
    body = answer.json()
    (subnet,) = body["properties"].get("subnets", [body])
    found: dict[str, str] = subnet["properties"].get("routeTable", {"id": "/none"})
    return found["id"].rpartition("/")[2]


def test_stale_read_shows_what_was_there_before_the_latest_write() -> None:
    cloud = Cloud(durations={"": 5})
    for write in (lambda: cloud.vnet(), lambda: cloud.subnet(SUBNET), lambda: cloud.put("routeTables/t")):
        write()
        cloud.clock.advance(5)
    told(cloud, [{"method": "GET", "type": "Microsoft.Network/virtualNetworks/subnets", "stale": 10, "count": None}])
    assert table_of(cloud) == "none"
    etag = cloud.get(SUBNET)["etag"]
    cloud.subnet(SUBNET, routeTable=link("routeTables/t"))
    shown = []
    for _ in range(5):
        shown.append((table_of(cloud), table_of(cloud, VNET)))
        cloud.clock.advance(4)
    # The write ends after 5 seconds; until 10 seconds later the subnet is shown as it was, and its network never.
    assert shown == [("none", "t")] * 4 + [("t", "t")]
    assert cloud.get(SUBNET)["etag"] != etag


def test_stale_reads_show_what_is_deleted_and_hide_what_is_new(cloud: Cloud) -> None:
    cloud.gateway("old")
    told(cloud, [{"method": "GET", "name": "*", "path": "natGateways", "stale": 3, "count": None}])
    cloud.call("DELETE", "natGateways/old")
    cloud.gateway("new")
    assert statuses(cloud, "natGateways/old", "natGateways/new") == [200, 404]
    cloud.clock.advance(3)
    assert statuses(cloud, "natGateways/old", "natGateways/new") == [404, 200]


def test_estate_that_is_loaded_was_always_there(cloud: Cloud) -> None:
    told(cloud, [{"stale": 60, "count": None}])
    cloud.arm.load([{"id": f"{NETWORK}/natGateways/n", "location": "eastus"}])
    assert statuses(cloud, "natGateways/n") == [200]


def test_write_goes_by_what_is_there_whatever_reads_show(cloud: Cloud) -> None:
    cloud.vnet()
    told(cloud, [{"method": "GET", "stale": 60, "count": None}])
    cloud.subnet(SUBNET)
    assert table_of(cloud) == "gone"
    body = {"properties": {"addressPrefix": "10.0.0.0/24"}}
    assert cloud.refused("PUT", "virtualNetworks/v/subnets/other", body) == (400, "NetcfgSubnetRangesOverlap")


def test_network_shows_its_subnet_late_when_it_is_to() -> None:
    cloud = Cloud(durations={"": 5}, network_lag=10)
    for write in (lambda: cloud.vnet(), lambda: cloud.subnet(SUBNET), lambda: cloud.put("routeTables/t")):
        write()
        cloud.clock.advance(30)
    cloud.subnet(SUBNET, routeTable=link("routeTables/t"))
    shown = []
    for _ in range(5):
        shown.append((table_of(cloud), table_of(cloud, VNET)))
        cloud.clock.advance(4)
    assert shown == [("t", "none")] * 4 + [("t", "t")]
    cloud.call("DELETE", SUBNET)
    cloud.clock.advance(5)
    assert (table_of(cloud), table_of(cloud, VNET)) == ("gone", "t")
    listed = cloud.get("virtualNetworks")["value"][0]["properties"]["subnets"]
    assert [subnet["name"] for subnet in listed] == ["s"]
    cloud.clock.advance(10)
    assert cloud.get(VNET)["properties"]["subnets"] == []


def test_network_that_is_written_itself_shows_its_subnets_as_written() -> None:
    cloud = Cloud(network_lag=10)
    cloud.vnet()
    cloud.subnet("virtualNetworks/v/subnets/t", "10.0.1.0/24")
    assert cloud.get(VNET)["properties"]["subnets"] == []
    subnet = {"name": "s", "properties": {"addressPrefix": "10.0.0.0/24"}}
    cloud.put(VNET, {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [subnet]})
    assert [found["name"] for found in cloud.get(VNET)["properties"]["subnets"]] == ["s"]


CHAOS = [
    Fault(probability=0.3, count=None, status=503),
    Fault(probability=0.2, count=None, method="PUT", drop="after"),
    Fault(probability=0.3, count=None, method="PUT", later=True),
    Fault(probability=0.5, count=None, method="GET", stale=5),
]


def run(seed: int) -> list[tuple[int, dict[str, str], bytes]]:
    """A seed in, all answers of some writes and reads under faults out."""
    cloud = Cloud(seed=seed, faults=CHAOS, throttle="off")
    answers: list[tuple[int, dict[str, str], bytes]] = []
    for number in range(40):
        for method, body in (("PUT", {"location": "eastus", "tags": {"n": str(number)}}), ("GET", None)):
            try:
                answer = cloud.call(method, f"natGateways/n{number % 7}", body)
            except Dropped:
                answers.append((0, {}, b""))
            else:
                answers.append((answer.status, answer.headers, answer.body))
        cloud.clock.advance(1)
    return answers


def test_the_same_seed_plays_the_same_faults_again() -> None:
    first = run(7)
    assert first == run(7)
    assert [status for status, _, _ in first] != [status for status, _, _ in run(8)]
    assert {0, 200, 201, 503} <= {status for status, _, _ in first}
