"""How much may be asked: of Resource Manager, of the Network provider, of Resource Graph; and when it is off."""

from typing import Any

import pytest

from simulator import network_limits, throttle
from simulator.arm import Arm, ManualClock, Request, Response, bearer
from tests.simulator.cloud import GROUP, NETWORK, SUBSCRIPTION, VERSION, Cloud, version_for

GROUPS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups"
OTHER = "11111111-1111-1111-1111-111111111111"
LEFT = "x-ms-ratelimit-remaining"


def ask(cloud: Cloud, method: str, path: str, body: bytes = b"", token: str = "simulator") -> Response:
    return cloud.arm.handle(Request(method, f"{path}?api-version={version_for(path)}", bearer(token), body))


def exhausted(
    cloud: Cloud, times: int, method: str, path: str, body: bytes = b"", token: str = "simulator"
) -> Response:
    """So many calls that are let in, and the one after them."""
    for _ in range(times):
        assert ask(cloud, method, path, body, token).status != 429
    return ask(cloud, method, path, body, token)


CALLS = [
    ("GET", GROUPS, b"", "read", 250, 25),
    ("HEAD", GROUP, b"", "read", 250, 25),
    ("PUT", GROUP, b'{"location": "eastus"}', "write", 200, 10),
    ("PATCH", GROUP, b'{"tags": {}}', "write", 200, 10),
    ("POST", f"{NETWORK}/natGateways/n/anything", b"", "write", 200, 10),
    ("DELETE", f"{NETWORK}/natGateways/none", b"", "delete", 200, 10),
]


@pytest.mark.parametrize(("method", "path", "body", "kind", "capacity", "rate"), CALLS, ids=[call[0] for call in CALLS])
def test_buckets_have_their_size_and_fill_up_again(
    cloud: Cloud, method: str, path: str, body: bytes, kind: str, capacity: int, rate: int
) -> None:
    answer = exhausted(cloud, capacity, method, path, body)
    assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
    if method != "HEAD":
        error = answer.json()["error"]
        assert error["code"] == "SubscriptionRequestsThrottled"
        assert error["message"].startswith(f"Number of '{kind}' requests for subscription '{SUBSCRIPTION}' actor '")
    assert answer.headers["x-ms-failure-cause"] == "gateway"
    cloud.clock.advance(2)
    assert exhausted(cloud, 2 * rate, method, path, body).status == 429
    cloud.clock.advance(3600)
    assert exhausted(cloud, capacity, method, path, body).status == 429


def test_every_answer_says_what_is_left(cloud: Cloud) -> None:
    first, second = cloud.call("GET", GROUP), cloud.call("GET", GROUP)
    for name, values in (("reads", ("249", "248")), ("global-reads", ("16499", "16498"))):
        assert (first.headers[f"{LEFT}-subscription-{name}"], second.headers[f"{LEFT}-subscription-{name}"]) == values
    write = cloud.call("PUT", "natGateways/n", {"location": "eastus"})
    assert write.headers[f"{LEFT}-subscription-writes"] == "199"
    assert write.headers[f"{LEFT}-subscription-global-writes"] == "11999"
    delete = cloud.call("DELETE", "natGateways/n")
    assert delete.headers[f"{LEFT}-subscription-deletes"] == "199"
    refused = cloud.call("PUT", "natGateways/n", {"location": "eastus"}, If_Match="W/x")
    assert (refused.status, refused.headers[f"{LEFT}-subscription-writes"]) == (412, "198")


def test_callers_kinds_and_subscriptions_have_buckets_of_their_own(cloud: Cloud) -> None:
    cloud.arm.load([{"id": f"/subscriptions/{OTHER}", "type": "Microsoft.Resources/subscriptions"}])
    assert exhausted(cloud, 250, "GET", GROUPS).status == 429
    assert ask(cloud, "GET", GROUPS, token="somebody").status == 200
    assert ask(cloud, "GET", f"/subscriptions/{OTHER}/resourceGroups").status == 200
    assert ask(cloud, "PUT", GROUP, b'{"location": "eastus"}').status == 200


def test_all_callers_together_have_one_more(cloud: Cloud) -> None:
    capacity = throttle.GLOBAL_BUCKETS["write"][0]
    body = b'{"tags": {}}'
    for caller in range(capacity // 200):
        for _ in range(200):
            assert ask(cloud, "PATCH", GROUP, body, f"caller {caller}").status == 200
    answer = ask(cloud, "PATCH", GROUP, body, "one more")
    assert (answer.status, answer.json()["error"]["code"]) == (429, "SubscriptionRequestsThrottled")
    assert answer.json()["error"]["message"] == (
        f"Number of 'write' requests for subscription '{SUBSCRIPTION}' exceeded. Please try again after '1' seconds."
    )
    cloud.clock.advance(1)
    assert ask(cloud, "PATCH", GROUP, body, "one more").status == 200


def test_calls_on_no_subscription_are_counted_for_the_tenant(cloud: Cloud) -> None:
    groups = "/providers/Microsoft.Management/managementGroups"
    assert cloud.call("GET", "/subscriptions").headers[f"{LEFT}-tenant-reads"] == "249"
    assert ask(cloud, "GET", groups).headers[f"{LEFT}-tenant-reads"] == "248"
    assert ask(cloud, "PUT", f"{groups}/g", b"{}").headers[f"{LEFT}-tenant-writes"] == "199"
    assert ask(cloud, "DELETE", f"{groups}/g").headers[f"{LEFT}-tenant-writes"] == "198"
    answer = exhausted(cloud, 248, "GET", "/subscriptions")
    assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
    assert answer.json()["error"]["code"] == "TenantRequestsThrottled"
    assert ask(cloud, "GET", GROUPS).status == 200
    assert ask(cloud, "GET", "/subscriptions", token="somebody").status == 200
    cloud.clock.advance(1)
    assert exhausted(cloud, 25, "GET", "/subscriptions").status == 429


def many(cloud: Cloud, times: int, method: str, path: str, body: bytes = b"") -> None:
    """So many calls that are let in, each by a caller who has not asked before, in buckets that are full."""
    for number in range(times):
        assert ask(cloud, method, path, body, f"caller {number // 150}").status < 400


def too_many(answer: Response, seconds: int) -> None:
    assert (answer.status, answer.headers["Retry-After"]) == (429, str(seconds))
    assert answer.json() == {
        "error": {
            "code": "RetryableError",
            "message": "A retryable error occurred.",
            "details": [
                {
                    "code": "RetryableErrorDueToTooManyCalls",
                    "message": f"Subscription {SUBSCRIPTION} was used to perform too many calls within last 5 minutes. "
                    "The number of calls exceeds Microsoft.Network throttling limit. The call can be retried in "
                    f"{seconds} seconds.",
                }
            ],
        }
    }
    assert "x-ms-failure-cause" not in answer.headers


GATEWAY = f"{NETWORK}/natGateways/n"
TAGS = b'{"tags": {}}'


def test_the_network_provider_takes_a_thousand_writes_in_five_minutes(cloud: Cloud) -> None:
    cloud.gateway("n")
    many(cloud, 500, "PATCH", GATEWAY, TAGS)
    cloud.clock.advance(100)
    many(cloud, 499, "DELETE", f"{NETWORK}/natGateways/none")
    too_many(ask(cloud, "PATCH", GATEWAY, TAGS, "x"), 200)
    cloud.clock.advance(161)
    too_many(ask(cloud, "DELETE", GATEWAY, b"", "x"), 39)
    assert ask(cloud, "GET", GATEWAY).status == 200
    cloud.clock.advance(39)
    assert ask(cloud, "PATCH", GATEWAY, TAGS, "x").status == 200


def test_regions_and_subscriptions_are_counted_apart_and_other_providers_not(cloud: Cloud) -> None:
    there = f"/subscriptions/{OTHER}/resourceGroups/rg/providers/Microsoft.Network/natGateways/n"
    cloud.arm.load([{"id": f"{NETWORK}/natGateways/west", "location": "westus"}, {"id": there, "location": "eastus"}])
    cloud.gateway("n")
    many(cloud, 999, "PATCH", GATEWAY, TAGS)
    assert ask(cloud, "PUT", f"{NETWORK}/natGateways/new", b'{"location": "eastus"}').status == 429
    assert ask(cloud, "PUT", f"{NETWORK}/natGateways/new", b'{"location": "West US"}').status == 201
    assert ask(cloud, "PATCH", f"{NETWORK}/natGateways/west", TAGS).status == 200
    assert ask(cloud, "PATCH", there, TAGS).status == 200
    assert ask(cloud, "PATCH", GROUP, TAGS).status == 200


def test_the_network_provider_takes_ten_thousand_reads_in_five_minutes(cloud: Cloud) -> None:
    answer = cloud.call("PUT", "natGateways/n", {"location": "eastus"})
    poll = answer.headers["Azure-AsyncOperation"].removeprefix("https://management.azure.com").partition("?")[0]
    many(cloud, network_limits.MOST_READS - 2, "GET", GATEWAY)
    many(cloud, 1, "GET", f"{NETWORK}/natGateways")
    many(cloud, 1, "GET", poll)
    for path in (GATEWAY, f"{NETWORK}/natGateways", poll):
        too_many(ask(cloud, "GET", path, token="x"), 300)
    assert ask(cloud, "GET", f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Network/natGateways").status == 200
    assert ask(cloud, "GET", f"{GROUP}/resources").status == 200
    cloud.clock.advance(300)
    assert ask(cloud, "GET", GATEWAY).status == 200


def test_a_refusal_of_the_network_provider_is_no_event(cloud: Cloud) -> None:
    cloud.gateway("n")
    many(cloud, 999, "PATCH", GATEWAY, TAGS)
    told = len(cloud.arm.events)
    too_many(ask(cloud, "PATCH", GATEWAY, TAGS, "x"), 300)
    assert len(cloud.arm.events) == told


def test_switched_off_nothing_is_refused_and_buckets_are_always_full() -> None:
    cloud = Cloud(throttle="off")
    cloud.gateway("n")
    query = b'{"query": "resources", "subscriptions": ["' + SUBSCRIPTION.encode() + b'"]}'
    calls: list[tuple[str, str, bytes, str]] = [
        ("GET", GROUPS, b"", f"{LEFT}-subscription-reads"),
        ("PATCH", GATEWAY, TAGS, f"{LEFT}-subscription-writes"),
        ("GET", "/subscriptions", b"", f"{LEFT}-tenant-reads"),
        ("POST", "/providers/Microsoft.ResourceGraph/resources", query, "x-ms-user-quota-remaining"),
    ]
    for method, path, body, header in calls:
        assert len({ask(cloud, method, path, body).headers[header] for _ in range(1100)}) == 1


def test_a_reset_fills_everything() -> None:
    arm = Arm(ManualClock())
    arm.load([{"id": GATEWAY, "location": "eastus"}])

    def many_times(path: str, times: int) -> list[int]:
        return [arm.handle(Request("GET", f"{path}?api-version={VERSION}", bearer())).status for _ in range(times)]

    estate: Any = arm.export()
    assert many_times(GATEWAY, 251)[-1] == 429
    arm.reset()
    arm.load(estate)
    assert many_times(GATEWAY, 250)[-1] == 200
