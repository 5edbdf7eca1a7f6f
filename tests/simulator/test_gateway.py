"""What ARM itself answers: paths, versions, bodies, identity, pace, faults; and shells of other providers."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.arm import Arm, Dropped, Fault, ManualClock, Request, Response, SystemClock, bearer
from tests.simulator.cloud import GROUP, NETWORK, SUBSCRIPTION, Cloud

CLUSTER = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/k"
DEPLOYMENTS = f"{GROUP}/providers/Microsoft.Resources/deployments"


def code(response: Response) -> str:
    found: str = response.json()["error"]["code"]
    return found


def raw(cloud: Cloud, method: str, target: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Response:
    return cloud.arm.handle(Request(method, target, bearer() if headers is None else headers, body))


@pytest.mark.parametrize(
    ("target", "status", "expected"),
    [
        ("/", 404, "MissingSubscription"),
        ("/favicon.ico", 404, "MissingSubscription"),
        (f"/subscriptions/{SUBSCRIPTION}/nonsense?api-version=2024-05-01", 404, "MissingSubscription"),
        (f"{GROUP}/nonsense?api-version=2024-05-01", 404, "MissingSubscription"),
        (f"{GROUP}/providers?api-version=2024-05-01", 404, "MissingSubscription"),
        (f"{NETWORK}//natGateways/n?api-version=2024-05-01", 404, "ResourceNotFound"),
        ("/subscriptions/none?api-version=2024-05-01", 400, "InvalidSubscriptionId"),
        ("/subscriptions/11111111-1111-1111-1111-111111111111?api-version=2024-05-01", 404, "SubscriptionNotFound"),
        (f"{GROUP}x?api-version=2024-05-01", 404, "ResourceGroupNotFound"),
        (f"{NETWORK}/natGateways/n", 400, "MissingApiVersionParameter"),
        (f"{NETWORK}/natGateways/n?api-version=", 400, "MissingApiVersionParameter"),
        (f"{NETWORK}/natGateways/n?api-version=new", 400, "InvalidApiVersionParameter"),
        (f"{NETWORK}/natGateways/n?API-Version=2024-05-01", 404, "ResourceNotFound"),
        (f"{GROUP}/resources?api-version=2024-05-01&$filter=nonsense", 400, "InvalidFilterInQueryString"),
        (f"{NETWORK}?api-version=2024-05-01", 501, "NotModelledBySimulator"),
        (f"{GROUP}/providers/Microsoft.Resources/tags/other?api-version=2024-05-01", 404, "MissingSubscription"),
    ],
)
def test_paths_and_versions(cloud: Cloud, target: str, status: int, expected: str) -> None:
    response = raw(cloud, "GET", target)
    assert (response.status, code(response)) == (status, expected)
    assert response.headers["x-ms-failure-cause"] == "gateway"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe"])
def test_bodies_that_are_no_json_objects(cloud: Cloud, body: bytes) -> None:
    response = raw(cloud, "PUT", f"{NETWORK}/natGateways/n?api-version=2024-05-01", body)
    assert (response.status, code(response)) == (400, "InvalidRequestContent")


def test_arrays_that_are_none_do_not_delete_subnets(cloud: Cloud) -> None:
    vnet = cloud.vnet()
    cloud.subnet(f"{vnet}/subnets/s")
    for subnets in ([1], "none", {"a": 1}):
        body = {"location": "eastus", "properties": {"subnets": subnets}}
        assert cloud.refused("PUT", vnet, body) == (400, "InvalidJson")
    assert len(cloud.get(f"{vnet}/subnets")["value"]) == 1


def test_body_that_is_too_large(cloud: Cloud) -> None:
    body = b'{"location":"' + b"x" * (4 * 1024 * 1024) + b'"}'
    response = raw(cloud, "PUT", f"{NETWORK}/natGateways/n?api-version=2024-05-01", body)
    assert (response.status, code(response)) == (413, "RequestContentTooLarge")


def test_deeply_nested_body_is_refused(cloud: Cloud) -> None:
    body = b'{"location":"eastus","properties":' + b'{"a":' * 900 + b"1" + b"}" * 901
    response = raw(cloud, "PUT", f"{NETWORK}/natGateways/n?api-version=2024-05-01", body)
    assert response.status in (201, 400)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic x"}, {"Authorization": "Bearer "}])
def test_nobody_is_let_in_without_a_bearer_token(cloud: Cloud, headers: dict[str, str]) -> None:
    response = raw(cloud, "GET", f"{GROUP}?api-version=2024-05-01", headers=headers)
    assert (response.status, code(response)) == (401, "AuthenticationFailed")
    assert response.headers["WWW-Authenticate"].startswith("Bearer ")


@pytest.mark.parametrize("method", ["POST", "PATCH", "TRACE"])
def test_methods_that_lists_do_not_know(cloud: Cloud, method: str) -> None:
    response = raw(cloud, method, f"/subscriptions/{SUBSCRIPTION}/resourceGroups?api-version=2024-05-01")
    assert (response.status, code(response)) == (405, "MethodNotAllowed")


def test_actions_are_plainly_not_modelled(cloud: Cloud) -> None:
    response = raw(
        cloud, "POST", f"{NETWORK}/networkInterfaces/n/effectiveNetworkSecurityGroups?api-version=2024-05-01"
    )
    assert (response.status, code(response)) == (501, "NotModelledBySimulator")


def test_groups_are_read_patched_and_probed(cloud: Cloud) -> None:
    assert raw(cloud, "HEAD", f"{GROUP}?api-version=2021-04-01").status == 204
    assert raw(cloud, "HEAD", f"{GROUP}x?api-version=2021-04-01").status == 404
    assert cloud.call("PATCH", GROUP, {"tags": {"a": "b"}}).json()["tags"] == {"a": "b"}
    assert cloud.call("PUT", GROUP, {"location": "eastus"}).json()["tags"] == {"a": "b"}
    assert cloud.get(f"/subscriptions/{SUBSCRIPTION}")["state"] == "Enabled"
    assert [entry["subscriptionId"] for entry in cloud.get("/subscriptions")["value"]] == [SUBSCRIPTION]
    assert cloud.refused("POST", GROUP) == (405, "MethodNotAllowed")


def test_buckets_empty_and_fill_again(cloud: Cloud) -> None:
    cloud = Cloud()
    left = [cloud.call("GET", GROUP).headers["x-ms-ratelimit-remaining-subscription-reads"] for _ in range(250)]
    assert (left[0], left[-1]) == ("249", "0")
    refused = cloud.call("GET", GROUP)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "1")
    assert cloud.call("GET", GROUP, Authorization="Bearer somebody-else").status == 200
    assert cloud.call("PUT", GROUP, {"location": "eastus"}).status == 200
    cloud.clock.advance(1)
    assert [cloud.call("GET", GROUP).status for _ in range(26)] == [200] * 25 + [429]
    free = Cloud(throttle="off")
    assert {free.call("GET", GROUP).status for _ in range(600)} == {200}


def test_faults_strike_as_often_as_told(cloud: Cloud) -> None:
    cloud.arm.faults = [
        Fault(method="PUT", path="/natgateways/", count=2, status=500),
        Fault(path="/natGateways/", status=429, code="Slow", retry_after=3),
        Fault(path="/lost$", drop="before"),
    ]
    assert cloud.refused("PUT", "natGateways/n", {"location": "eastus"}) == (500, "InternalServerError")
    limited = cloud.call("GET", "natGateways/n")
    assert (limited.status, code(limited), limited.headers["Retry-After"]) == (429, "Slow", "3")
    assert cloud.refused("PUT", "natGateways/n", {"location": "eastus"})[0] == 500
    assert cloud.call("PUT", "natGateways/n", {"location": "eastus"}).status == 201
    with pytest.raises(Dropped):
        cloud.call("GET", "natGateways/lost")
    assert [entry.status for entry in cloud.arm.requests] == [500, 429, 500, 201, 0]
    with pytest.raises(ValueError, match="regular expression"):
        Fault(path="(")


def test_deployments_are_kept_as_given_and_found_by_state(cloud: Cloud) -> None:
    cloud.put(f"{DEPLOYMENTS}/one", {"provisioningState": "Running"})
    cloud.put(f"{DEPLOYMENTS}/two", {"provisioningState": "Succeeded"})
    running = f"{DEPLOYMENTS}?$filter=provisioningState%20eq%20'Running'"
    assert [entry["name"] for entry in cloud.get(running)["value"]] == ["one"]
    cloud.put(f"{DEPLOYMENTS}/one", {"provisioningState": "Succeeded"})
    assert cloud.get(running)["value"] == []


def test_shells_are_stored_patched_and_deleted(cloud: Cloud) -> None:
    vault = f"{GROUP}/providers/Microsoft.KeyVault/vaults/v"
    cloud.put(vault, {"displayName": "a", "sku": "standard"})
    assert cloud.call("PATCH", vault, {"properties": {"displayName": "b"}}).json()["properties"] == {
        "displayName": "b",
        "sku": "standard",
    }
    assert cloud.call("DELETE", vault).status == 200
    assert cloud.call("DELETE", vault).status == 204
    assert cloud.call("PATCH", vault, {}).status == 404
    assert cloud.refused("PATCH", "natGateways/none", {"tags": {}}) == (404, "ResourceNotFound")
    assert cloud.refused("PATCH", "virtualNetworks/v/subnets/s", {"tags": {}}) == (405, "MethodNotAllowed")
    topic = f"{GROUP}/providers/Microsoft.EventGrid/systemTopics/none/eventSubscriptions/e"
    assert cloud.refused("PUT", topic, {}) == (404, "ParentResourceNotFound")


def test_system_clock_moves_forward_only() -> None:
    clock = SystemClock()
    before = clock.now()
    clock.advance(3600)
    assert (clock.now() - before).total_seconds() >= 3600
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    [
        "addressPrefix",
        "addressPrefixes",
        "addressSpace",
        "subnets",
        "natGateway",
        "routeTable",
        "ipConfigurations",
        "publicIPAddress",
        "publicIpAddresses",
        "publicIpPrefixes",
        "prefixLength",
        "networkProfile",
        "networkInterfaces",
        "subnet",
        "id",
        "name",
        "properties",
        "zones",
        "delegations",
        "destination",
        "filter",
        "publicIPAddressVersion",
    ]
)
VALUES = st.sampled_from(["10.0.0.0/24", f"{NETWORK}/virtualNetworks/v/subnets/s", "a", "IPv6", "", "/", 28, 200, True])
BODIES = st.recursive(
    VALUES | JSON, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=15
)
PATHS = st.sampled_from(
    [
        "virtualNetworks/v",
        "virtualNetworks/v/subnets/s",
        "virtualNetworks/v/subnets/t",
        "natGateways/n",
        "publicIPAddresses/p",
        "publicIPPrefixes/x",
        "networkInterfaces/i",
        "loadBalancers/l",
        "routeTables/t",
        "azureFirewalls/f",
        f"{GROUP}/providers/Microsoft.Compute/virtualMachines/m",
        f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/m",
        f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.EventGrid/eventSubscriptions/e",
        CLUSTER,
    ]
)


@given(st.lists(st.tuples(PATHS, st.dictionaries(NAMES, BODIES, max_size=4), st.booleans()), min_size=1, max_size=5))
def test_strange_bodies_are_answered_and_leave_everything_readable(calls: list[tuple[str, Any, bool]]) -> None:
    cloud = Cloud(throttle="off")
    vnet = cloud.vnet()
    cloud.subnet(f"{vnet}/subnets/s")
    for path, properties, deletes in calls:
        body = {"location": "eastus", "sku": properties.get("id"), "properties": properties}
        assert cloud.call("PUT", path, body).status < 500
        assert cloud.call("GET", path).status < 500
        if deletes:
            assert cloud.call("DELETE", path).status < 500
    exported = cloud.arm.export()
    other = Arm(ManualClock())
    other.load(exported)
    assert len(other.export()) == len(exported)


@given(
    st.text(max_size=40),
    st.sampled_from(["GET", "PUT", "DELETE", "PATCH", "POST", "HEAD", "OPTIONS"]),
    st.binary(max_size=20),
)
def test_strange_paths_get_arms_own_errors(path: str, method: str, body: bytes) -> None:
    cloud = Cloud(throttle="off")
    for target in (f"/{path}", f"{GROUP}/{path}?api-version=2024-05-01", f"{NETWORK}/{path}?api-version=2024-05-01"):
        if target.startswith("/simulator"):
            continue
        response = raw(cloud, method, target, body)
        assert response.status < 500 or response.status == 501


def test_command_line_is_told_of_bad_options(tmp_path: Path) -> None:
    from simulator.__main__ import options

    chosen = options(["--port", "0", "--http", "--latency", "real", "--data", str(tmp_path)])
    assert (chosen.port, chosen.http, chosen.latency, chosen.throttle) == (0, True, "real", "azure")
    with pytest.raises(SystemExit):
        options(["--latency", "sometimes"])
