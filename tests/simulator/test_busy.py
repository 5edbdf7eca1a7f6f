"""Resources that are being written: who is refused in which shape, who takes the other's place, what changes twice."""

from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from simulator.arm import Fault, Response
from tests.simulator.cloud import NETWORK, SUBSCRIPTION, Cloud, link, nic_properties

BASE = "https://management.azure.com"
WEB: dict[str, Any] = {"properties": {"addressPrefix": "10.0.0.0/24"}}
DATA: dict[str, Any] = {"properties": {"addressPrefix": "10.0.1.0/24"}}
SPACE: dict[str, Any] = {"location": "eastus", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}
ROUTE = {"properties": {"addressPrefix": "10.9.0.0/16", "nextHopType": "None"}}
OTHER_ROUTE = {"properties": {"addressPrefix": "10.8.0.0/16", "nextHopType": "None"}}
EMPTY: dict[str, Any] = {"location": "eastus"}
RULE: dict[str, Any] = {
    "properties": {
        "priority": 100,
        "direction": "Inbound",
        "access": "Deny",
        "protocol": "*",
        "sourcePortRange": "*",
        "destinationPortRange": "*",
        "sourceAddressPrefix": "*",
        "destinationAddressPrefix": "*",
    }
}


class Case(NamedTuple):
    """What is there, what is written first, and what comes too early."""

    there: tuple[tuple[str, Any], ...]
    first: tuple[str, Any]
    early: tuple[str, Any]


FIREWALL_PARTS = (
    ("virtualNetworks/v", SPACE),
    ("virtualNetworks/v/subnets/AzureFirewallSubnet", WEB),
    ("publicIPAddresses/p", EMPTY | {"sku": {"name": "Standard"}}),
)
FIREWALL: dict[str, Any] = EMPTY | {
    "properties": {
        "ipConfigurations": [
            {
                "name": "one",
                "properties": {
                    "subnet": link("virtualNetworks/v/subnets/AzureFirewallSubnet"),
                    "publicIPAddress": link("publicIPAddresses/p"),
                },
            }
        ]
    }
}
CASES = {
    "network": Case((), ("virtualNetworks/v", SPACE), ("virtualNetworks/v", SPACE | {"tags": {"a": "b"}})),
    "subnet, then a sibling": Case(
        (("virtualNetworks/v", SPACE),), ("virtualNetworks/v/subnets/a", WEB), ("virtualNetworks/v/subnets/b", DATA)
    ),
    "subnet, then its network": Case(
        (("virtualNetworks/v", SPACE),), ("virtualNetworks/v/subnets/a", WEB), ("virtualNetworks/v", SPACE)
    ),
    "table": Case((), ("routeTables/t", EMPTY), ("routeTables/t", EMPTY | {"tags": {"a": "b"}})),
    "table, then a route": Case((), ("routeTables/t", EMPTY), ("routeTables/t/routes/r", ROUTE)),
    "route, then its table": Case(
        (("routeTables/t", EMPTY),), ("routeTables/t/routes/r", ROUTE), ("routeTables/t", EMPTY)
    ),
    "route, then a sibling": Case(
        (("routeTables/t", EMPTY),), ("routeTables/t/routes/r", ROUTE), ("routeTables/t/routes/s", OTHER_ROUTE)
    ),
    "NAT gateway": Case((), ("natGateways/n", EMPTY), ("natGateways/n", EMPTY | {"tags": {"a": "b"}})),
    "firewall": Case(
        FIREWALL_PARTS, ("azureFirewalls/f", FIREWALL), ("azureFirewalls/f", FIREWALL | {"tags": {"a": "b"}})
    ),
    "firewall policy": Case(
        (), ("firewallPolicies/p", EMPTY), ("firewallPolicies/p/ruleCollectionGroups/g", {"properties": {}})
    ),
    "rule of a security group": Case(
        (), ("networkSecurityGroups/g", EMPTY), ("networkSecurityGroups/g/securityRules/r", RULE)
    ),
}
SECONDS = 12


def slow(case: Case, **options: Any) -> tuple[Cloud, Response]:
    """A cloud in which the first write of a case is under way, and the answer to that write."""
    cloud = Cloud(durations={"": SECONDS}, **options)
    for path, body in case.there:
        assert cloud.call("PUT", path, body).status == 201
        cloud.clock.advance(SECONDS)
    first = cloud.call("PUT", case.first[0], case.first[1])
    assert first.status == 201, first.body
    return cloud, first


def report(cloud: Cloud, answer: Response) -> dict[str, Any]:
    """An answer that tells of an operation in, how that operation is getting on out."""
    return cloud.get(answer.headers["Azure-AsyncOperation"].removeprefix(BASE).split("?")[0])


every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@every_case
def test_what_comes_too_early_is_refused_as_a_conflict(case: Case) -> None:
    cloud, first = slow(case)
    for method, body in (("PUT", case.early[1]), ("DELETE", None)):
        if method == "DELETE" and case.early[0] not in (case.first[0], *(path for path, _ in case.there)):
            continue  # what is not there yet is not deleted either
        answer = cloud.call(method, case.early[0], body)
        assert answer.status == 409
        error = answer.json()["error"]
        assert error["code"] == "AnotherOperationInProgress"
        assert error["message"].endswith(f"use uri: {first.headers['Azure-AsyncOperation']}.")
    cloud.clock.advance(SECONDS)
    assert cloud.call("PUT", *case.early).status in (200, 201)


@every_case
def test_what_comes_too_early_is_told_when_to_come_again(case: Case) -> None:
    cloud, _ = slow(case, busy="retryable")
    cloud.clock.advance(5)
    answer = cloud.call("PUT", *case.early)
    assert (answer.status, answer.headers["Retry-After"]) == (429, str(SECONDS - 5))
    (detail,) = answer.json()["error"]["details"]
    assert (answer.json()["error"]["code"], detail["code"]) == ("RetryableError", "RetryableErrorDueToAnotherOperation")
    assert f"is updating resource {NETWORK}/{case.first[0]}. The call can be retried in 7 seconds." in detail["message"]


@every_case
def test_what_comes_too_early_is_taken_in_and_fails(case: Case) -> None:
    cloud, first = slow(case, busy="async")
    before = cloud.call("GET", case.early[0]).json()
    early = cloud.call("PUT", *case.early)
    assert early.status in (200, 201)
    assert early.json()["properties"]["provisioningState"] == "Updating"
    assert report(cloud, early) == {"status": "InProgress"}
    assert cloud.call("GET", case.early[0]).json() == before
    cloud.clock.advance(SECONDS)
    assert report(cloud, first) == {"status": "Succeeded"}
    ended = report(cloud, early)
    assert (ended["status"], ended["error"]["code"]) == ("Failed", "AnotherOperationInProgress")
    assert cloud.get(case.first[0])["properties"]["provisioningState"] == "Succeeded"


def test_a_delete_that_comes_too_early_is_taken_in_and_fails() -> None:
    cloud, _ = slow(CASES["table"], busy="async")
    answer = cloud.call("DELETE", "routeTables/t")
    assert answer.status == 202
    cloud.clock.advance(SECONDS)
    assert report(cloud, answer)["error"]["code"] == "AnotherOperationInProgress"
    result = answer.headers["Location"].removeprefix(BASE).split("?")[0]
    assert cloud.refused("GET", result) == (409, "AnotherOperationInProgress")
    assert cloud.get("routeTables/t")["properties"]["provisioningState"] == "Succeeded"


SUPERSEDED: dict[str, Any] = {
    "publicIPAddresses/p": EMPTY | {"sku": {"name": "Standard"}},
    "networkSecurityGroups/g": EMPTY,
    "loadBalancers/l": EMPTY | {"sku": {"name": "Standard"}},
}


@pytest.mark.parametrize("path", SUPERSEDED)
@pytest.mark.parametrize("busy", ["conflict", "retryable", "async"])
def test_newer_write_takes_the_place_of_the_older(path: str, busy: str) -> None:
    cloud = Cloud(durations={"": SECONDS}, busy=busy)
    first = cloud.call("PUT", path, SUPERSEDED[path])
    cloud.clock.advance(5)
    second = cloud.call("PUT", path, SUPERSEDED[path] | {"tags": {"a": "b"}})
    assert (first.status, second.status) == (201, 200)
    ended = report(cloud, first)
    kind = {"p": "PublicIpAddress", "g": "NetworkSecurityGroup", "l": "LoadBalancer"}[path[-1]]
    older, newer = (each.headers["Azure-AsyncOperation"].split("/")[-1].split("?")[0] for each in (first, second))
    assert ended == {
        "status": "Canceled",
        "error": {
            "code": "Canceled",
            "message": "Operation was canceled.",
            "details": [
                {
                    "code": "CanceledAndSupersededDueToAnotherOperation",
                    "message": f"Operation Put{kind}Operation ({older}) was canceled and superseded by operation "
                    f"Put{kind}Operation ({newer}).",
                }
            ],
        },
    }
    cloud.clock.advance(SECONDS - 5)
    assert report(cloud, second) == {"status": "InProgress"}
    cloud.clock.advance(5)
    assert report(cloud, second) == {"status": "Succeeded"}
    assert cloud.get(path)["tags"] == {"a": "b"}


@pytest.mark.parametrize("path", SUPERSEDED)
def test_delete_takes_the_place_of_a_write_and_no_write_that_of_a_delete(path: str) -> None:
    cloud = Cloud(durations={"": SECONDS})
    first = cloud.call("PUT", path, SUPERSEDED[path])
    second = cloud.call("DELETE", path)
    assert second.status == 202
    ended = report(cloud, first)
    assert ended["status"] == "Canceled"
    assert "was canceled and superseded by operation Delete" in ended["error"]["details"][0]["message"]
    assert cloud.refused("PUT", path, SUPERSEDED[path]) == (409, "AnotherOperationInProgress")
    cloud.clock.advance(SECONDS)
    assert report(cloud, second) == {"status": "Succeeded"}
    assert cloud.refused("GET", path) == (404, "NotFound")


@pytest.mark.parametrize("path", SUPERSEDED)
@pytest.mark.parametrize("by", ["PUT", "DELETE"])
def test_what_was_superseded_is_told_as_canceled(path: str, by: str) -> None:
    cloud = Cloud(durations={"": SECONDS})
    cloud.call("PUT", path, SUPERSEDED[path])
    cloud.clock.advance(5)
    cloud.call(by, path, SUPERSEDED[path] | {"tags": {"a": "b"}} if by == "PUT" else None)
    cloud.clock.advance(SECONDS)
    kind = "Write" if by == "PUT" else "Delete"
    events = cloud.arm.events_for(f"{NETWORK}/{path}")
    told = [(event.type.rpartition(".")[2], event.data["status"]) for event in events]
    assert told == [("ResourceWriteCancel", "Canceled"), (f"Resource{kind}Success", "Succeeded")]
    first, second = events
    assert (second.moment - first.moment).total_seconds() == SECONDS
    assert first.data["correlationId"] != second.data["correlationId"]
    cloud.clock.advance(60)
    start = cloud.clock.now() - timedelta(hours=1)
    log = "/providers/Microsoft.Insights/eventtypes/management/values?$filter=eventTimestamp ge "
    records = cloud.call("GET", f"/subscriptions/{SUBSCRIPTION}{log}'{start.isoformat()[:19]}Z'", version="2015-04-01")
    mine = [record for record in records.json()["value"] if record["correlationId"] == first.data["correlationId"]]
    statuses = [record["status"]["value"] for record in reversed(mine)]
    assert statuses == ["Started", "Accepted", "Canceled"]
    assert mine[0]["eventName"]["value"] == "EndRequest"


def test_a_refused_delete_leaves_the_running_write_alone() -> None:
    cloud = Cloud(durations={"": SECONDS})
    cloud.call("PUT", "publicIPAddresses/p", SUPERSEDED["publicIPAddresses/p"])
    cloud.clock.advance(SECONDS)
    gateway = EMPTY | {"properties": {"publicIpAddresses": [link("publicIPAddresses/p")]}}
    assert cloud.call("PUT", "natGateways/n", gateway).status == 201
    running = cloud.call("PUT", "publicIPAddresses/p", SUPERSEDED["publicIPAddresses/p"] | {"tags": {"a": "b"}})
    assert cloud.refused("DELETE", "publicIPAddresses/p") == (400, "PublicIPAddressCannotBeDeleted")
    assert report(cloud, running) == {"status": "InProgress"}


@pytest.mark.parametrize("name", ["network", "table", "NAT gateway", "firewall"])
def test_etag_changes_when_a_write_begins_and_when_it_ends(name: str) -> None:
    cloud, first = slow(CASES[name])
    path = CASES[name].first[0]
    begun = cloud.get(path)["etag"]
    assert first.json()["etag"] == begun
    cloud.clock.advance(SECONDS)
    ended = cloud.get(path)["etag"]
    assert ended != begun
    assert cloud.refused("PUT", path, CASES[name].early[1], If_Match=begun) == (412, "PreconditionFailedEtagMismatch")
    assert cloud.call("PUT", path, CASES[name].early[1], If_Match=ended).status == 200
    assert cloud.get(path)["etag"] not in (begun, ended)


@pytest.mark.parametrize("name", ["subnet, then a sibling", "route, then a sibling"])
def test_etag_of_a_child_is_that_of_its_parent_and_changes_twice(name: str) -> None:
    case = CASES[name]
    cloud, _ = slow(case)
    parent, child = case.there[0][0], case.first[0]
    begun = cloud.get(child)["etag"]
    assert cloud.get(parent)["etag"] == begun
    cloud.clock.advance(SECONDS)
    assert cloud.get(child)["etag"] == cloud.get(parent)["etag"] != begun


SUBNET = "virtualNetworks/v/subnets/s"
POOL = "loadBalancers/l/backendAddressPools/web"
BODIES: dict[str, tuple[str, str, Any]] = {
    # What is named, who names it, and how.
    "gateway of a subnet": (
        "natGateways/x",
        SUBNET,
        {"addressPrefix": "10.0.9.0/24", "natGateway": link("natGateways/x")},
    ),
    "table of a subnet": (
        "routeTables/x",
        SUBNET,
        {"addressPrefix": "10.0.9.0/24", "routeTable": link("routeTables/x")},
    ),
    "group of a subnet": (
        "networkSecurityGroups/x",
        SUBNET,
        {"addressPrefix": "10.0.9.0/24", "networkSecurityGroup": link("networkSecurityGroups/x")},
    ),
    "address of a gateway": (
        "publicIPAddresses/x",
        "natGateways/n",
        {"publicIpAddresses": [link("publicIPAddresses/x")]},
    ),
    "prefix of a gateway": (
        "publicIPPrefixes/x",
        "natGateways/n",
        {"publicIpPrefixes": [link("publicIPPrefixes/x")]},
    ),
    "prefix of an address": (
        "publicIPPrefixes/x",
        "publicIPAddresses/p",
        {"publicIPPrefix": link("publicIPPrefixes/x")},
    ),
    "group of an interface": (
        "networkSecurityGroups/x",
        "networkInterfaces/n",
        {**nic_properties("virtualNetworks/v/subnets/a"), "networkSecurityGroup": link("networkSecurityGroups/x")},
    ),
    "subnet of an interface": (
        "virtualNetworks/v/subnets/x",
        "networkInterfaces/n",
        nic_properties("virtualNetworks/v/subnets/x"),
    ),
    "pool of an interface": (
        "loadBalancers/x",
        "networkInterfaces/n",
        nic_properties(
            "virtualNetworks/v/subnets/a",
            loadBalancerBackendAddressPools=[link("loadBalancers/x/backendAddressPools/web")],
        ),
    ),
    "policy of a firewall": ("firewallPolicies/x", "azureFirewalls/f", {"firewallPolicy": link("firewallPolicies/x")}),
    "base of a policy": ("firewallPolicies/x", "firewallPolicies/p", {"basePolicy": link("firewallPolicies/x")}),
    "gateway of a connection": (
        "virtualNetworkGateways/x",
        "connections/c",
        {"virtualNetworkGateway1": link("virtualNetworkGateways/x")},
    ),
    "plan of a network": (
        "ddosProtectionPlans/x",
        "virtualNetworks/w",
        {"addressSpace": {"addressPrefixes": ["10.3.0.0/16"]}, "ddosProtectionPlan": link("ddosProtectionPlans/x")},
    ),
    "application group of a rule": (
        "applicationSecurityGroups/x",
        "networkSecurityGroups/g",
        {
            "securityRules": [
                {
                    "name": "r",
                    "properties": RULE["properties"]
                    | {"sourceApplicationSecurityGroups": [link("applicationSecurityGroups/x")]},
                }
            ]
        },
    ),
}


def _naming(case: str, state: str | None) -> tuple[Cloud, str, dict[str, Any]]:
    """A case and the state of what is named (None: it is not there) in; a cloud, who names it and how out."""
    named, path, properties = BODIES[case]
    cloud = Cloud()
    subnets = [{"name": name, "properties": body["properties"]} for name, body in (("a", WEB), ("x", DATA))]
    if state is None:
        subnets = subnets[:1]
    elif named.endswith("subnets/x"):
        subnets[1]["properties"] = subnets[1]["properties"] | {"provisioningState": state}
    space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}
    cloud.arm.load(
        [{"id": f"{NETWORK}/virtualNetworks/v", "location": "eastus", "properties": {**space, "subnets": subnets}}]
    )
    if state is not None and not named.endswith("subnets/x"):
        pools = {"backendAddressPools": [{"name": "web"}]} if named.startswith("loadBalancers") else {}
        cloud.arm.load(
            [
                {
                    "id": f"{NETWORK}/{named}",
                    "location": "eastus",
                    "sku": {"name": "Standard"},
                    "properties": {"provisioningState": state, **pools},
                }
            ]
        )
    return cloud, path, {"properties": properties} | ({"location": "eastus"} if path.count("/") == 1 else {})


@pytest.mark.parametrize(("state", "status"), [("Updating", 429), ("Deleting", 429), ("Failed", 400)])
@pytest.mark.parametrize("case", BODIES)
def test_everything_a_body_names_must_be_ready(case: str, state: str, status: int) -> None:
    cloud, path, body = _naming(case, state)
    answer = cloud.call("PUT", path, body)
    assert answer.status == status
    error = answer.json()["error"]
    told = error["details"][0] if status == 429 else error
    assert told["code"] == "ReferencedResourceNotProvisioned"
    assert f"Resource is in {state} state" in told["message"]


@pytest.mark.parametrize("case", BODIES)
def test_everything_a_body_names_must_be_there(case: str) -> None:
    cloud, path, body = _naming(case, None)
    assert cloud.refused("PUT", path, body) == (400, "InvalidResourceReference")
    cloud, path, body = _naming(case, "Succeeded")
    assert cloud.call("PUT", path, body).status == 201


@pytest.mark.parametrize("name", [name for name in CASES if name != "rule of a security group"])
def test_every_kind_of_operation_may_fail_at_its_end(name: str) -> None:
    case = CASES[name]
    cloud = Cloud(durations={"": SECONDS})
    for path, body in case.there:
        cloud.call("PUT", path, body)
        cloud.clock.advance(SECONDS)
    cloud.arm.faults = [Fault(method="PUT", later=True, code="InternalServerError")]
    answer = cloud.call("PUT", *case.first)
    cloud.clock.advance(SECONDS)
    ended = report(cloud, answer)
    assert (ended["status"], ended["error"]["code"]) == ("Failed", "InternalServerError")
    assert cloud.get(case.first[0])["properties"]["provisioningState"] == "Failed"
    assert cloud.call("PUT", *case.first).status == 200
    cloud.clock.advance(SECONDS)
    assert cloud.get(case.first[0])["properties"]["provisioningState"] == "Succeeded"
