"""Faults by rule: whom they strike, what they do, and that a seed plays them again."""

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.arm import Arm, Disorder, Dropped, Fault, ManualClock, Request, bearer
from simulator.faults import BadFaults, read_faults
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
        {"path": "a{99999999999}", "status": 503},
        {"path": "(" * 5000 + ")" * 5000, "status": 503},
        {"drop": "between"},
        {"stale": -1},
        {"delay": 100_000},
        {"status": 503, "count": -1},
        {"status": 503, "retry_after": -1},
        [],
    ],
)
def test_rules_that_mean_nothing_are_refused_by_their_number(cloud: Cloud, rule: object) -> None:
    body = json.dumps([{"status": 503}, rule]).encode()
    answer = cloud.arm.handle(Request("POST", "/simulator/faults", {}, body))
    assert (answer.status, answer.json()["error"]["code"]) == (400, "BadRequest")
    assert answer.json()["error"]["message"].startswith("rule 2 of 2: ")
    assert cloud.arm.faults == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {status: 503}\n- {satus: 503}\n", "rule 2 of 2: Object contains unknown field `satus`"),
        (
            "- {status: 503, path: '('}",
            "rule 1 of 1: path is no regular expression: missing ), unterminated subpattern",
        ),
        ("- {status: 503, probability: 7}", "rule 1 of 1: probability is a number from 0 to 1"),
        ("- {status: 503, count: many}", "rule 1 of 1: Expected `int | null`, got `str` - at `$.count`"),
        ("status: 503", "expected a list of rules"),
        ("- {status: 503}\n- {status: [}", "while parsing a flow node did not find expected node content at line 2"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_file_that_is_wrong_is_told_in_one_line(tmp_path: Path, text: str | None, said: str) -> None:
    file = tmp_path / "chaos.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(BadFaults) as caught:
        read_faults(file)
    assert str(caught.value).startswith(f"{file}: {said}")
    assert "\n" not in str(caught.value)


def test_rules_that_remain_are_shown_and_can_be_told_again(cloud: Cloud) -> None:
    told(cloud, [{"method": "GET", "status": 503, "count": 2}, {"method": "PUT", "later": True, "count": None}])

    def left() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = cloud.arm.handle(Request("GET", "/simulator/faults")).json()
        return found

    shown = left()
    assert [(rule["method"], rule["count"], rule["later"]) for rule in shown] == [
        ("GET", 2, False),
        ("PUT", None, True),
    ]
    statuses(cloud, GROUP)
    assert [rule["count"] for rule in left()] == [1, None]
    statuses(cloud, GROUP)
    assert [rule["method"] for rule in left()] == ["PUT"]
    cloud.arm.handle(Request("DELETE", "/simulator/faults"))
    assert (left(), told(cloud, shown), left()) == ([], 200, shown)


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
    Fault(probability=0.2, count=None, status=503),
    Fault(probability=0.2, count=20, method="PUT", drop="after"),
    Fault(probability=0.2, count=None, method="GET", drop="before"),
    Fault(probability=0.3, count=None, method="PUT", later=True),
    Fault(probability=0.3, count=None, method="PUT", delay=7),
    Fault(probability=0.5, count=None, method="GET", stale=5),
]
ESTATE = [{"id": GROUP, "type": "Microsoft.Resources/resourceGroups", "location": "eastus"}]
GRID = f"{GROUP}/providers/Microsoft.EventGrid/eventSubscriptions/mine"
HOOK = {"destination": {"endpointType": "WebHook", "properties": {"endpointUrl": "http://127.0.0.1:1/"}}}

Answers = list[tuple[int, dict[str, str], bytes, float]]


def made(seed: int) -> Arm:
    disorder = Disorder(duplicates=0.3, delay=3)
    return Arm(ManualClock(), seed=seed, faults=CHAOS, estate=ESTATE, events=disorder, durations={"": 2})


def story(arm: Arm) -> tuple[Answers, list[bytes]]:
    """A simulator in, all it answers to some writes and reads under faults, and all it delivers meanwhile, out."""
    answers: Answers = []
    delivered: list[bytes] = []
    assert isinstance(arm.clock, ManualClock)

    def ask(method: str, path: str, body: object = None) -> None:
        sent = json.dumps(body).encode() if body is not None else b""
        try:
            answer = arm.handle(Request(method, f"{path}?api-version=2024-05-01", bearer(), sent))
        except Dropped:
            answers.append((0, {}, b"", 0))
        else:
            answers.append((answer.status, answer.headers, answer.body, answer.delay))

    for number in range(60):
        gateway = f"{NETWORK}/natGateways/n{number % 7}"
        ask("PUT", gateway, {"location": "eastus", "tags": {"n": str(number)}})
        ask("GET", gateway)
        ask("PUT", f"{NETWORK}/publicIPAddresses/p{number % 5}", {"location": "eastus", "sku": {"name": "Standard"}})
        if number % 20 == 0:
            ask("PUT", GRID, {"properties": HOOK})
            arm.clock.advance(3)
        if number % 10 == 9:
            ask("DELETE", f"{NETWORK}/natGateways/n{(number + 3) % 7}")
        for delivery in arm.take_events():
            names = [(event.id, event.type, event.subject) for event in delivery.events]
            delivered.append(json.dumps([delivery.attempt, names]).encode())
            if number % 3:
                arm.delivery_failed(delivery, 503)
        arm.clock.advance(1)
    delivered.append(json.dumps(arm.export()).encode())
    return answers, delivered


def test_the_same_seed_plays_the_same_faults_again_byte_by_byte() -> None:
    first, second = story(made(7)), story(made(7))
    assert first == second
    assert [status for status, *_ in first[0]] != [status for status, *_ in story(made(8))[0]]
    assert {0, 200, 201, 202, 503} <= {status for status, *_ in first[0]}
    assert {0, 7} == {delay for *_, delay in first[0]}
    assert any(b'"provisioningState":"Failed"' in body for _, _, body, _ in first[0])
    assert len(first[1]) > 50


def test_reset_plays_everything_again() -> None:
    arm = made(7)
    first = story(arm)
    arm.faults.insert(0, Fault(status=418, count=None))
    assert arm.handle(Request("GET", GROUP, bearer())).status == 418
    assert arm.handle(Request("POST", "/simulator/reset")).status == 200
    assert story(arm) == first
