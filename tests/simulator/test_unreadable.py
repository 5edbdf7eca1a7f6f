"""Subscriptions in which nobody has a role: ARM refuses, Graph is silent, management groups still name them."""

from typing import Any

import pytest

from simulator.arm import Request
from simulator.identity import OWNER_APPLICATION, OWNER_OBJECT, TENANT
from tests.simulator.cloud import GROUP, NETWORK, SUBSCRIPTION, Cloud
from tests.simulator.graph import NETWORKS, names, refused

CLOSED = "AAAAAAAA-0000-0000-0000-000000000000"
SCOPE = f"/subscriptions/{CLOSED}"
VNET = f"{SCOPE}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/hidden"


@pytest.fixture
def closed() -> Cloud:
    """A cloud with one network in an open subscription and one in a closed one."""
    cloud = Cloud(unreadable=[CLOSED.lower()])
    cloud.arm.load(
        [{"id": f"{NETWORK}/virtualNetworks/open", "location": "eastus"}, {"id": VNET, "location": "eastus"}]
    )
    return cloud


@pytest.mark.parametrize(
    ("method", "path", "action", "scope"),
    [
        ("GET", SCOPE, "Microsoft.Resources/subscriptions/read", SCOPE),
        ("GET", f"{SCOPE}/resourcegroups", "Microsoft.Resources/subscriptions/read", SCOPE),
        (
            "GET",
            f"{SCOPE}/resourceGroups/rg",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            f"{SCOPE}/resourceGroups/rg",
        ),
        ("GET", VNET, "Microsoft.Network/virtualNetworks/read", VNET),
        ("PUT", VNET, "Microsoft.Network/virtualNetworks/write", VNET),
        ("PATCH", VNET, "Microsoft.Network/virtualNetworks/write", VNET),
        ("DELETE", VNET, "Microsoft.Network/virtualNetworks/delete", VNET),
        (
            "GET",
            f"{SCOPE}/providers/Microsoft.Network/virtualNetworks",
            "Microsoft.Network/virtualNetworks/read",
            SCOPE,
        ),
        (
            "GET",
            f"{SCOPE}/providers/Microsoft.Network/locations/eastus/operations/x",
            "Microsoft.Network/locations/operations/read",
            f"{SCOPE}/providers/Microsoft.Network/locations/eastus/operations/x",
        ),
    ],
)
def test_arm_refuses_and_says_what(closed: Cloud, method: str, path: str, action: str, scope: str) -> None:
    before = closed.arm.export()
    answer = closed.call(method, path, {"location": "eastus"} if method == "PUT" else None)
    assert (answer.status, answer.json()["error"]["code"]) == (403, "AuthorizationFailed")
    assert answer.json()["error"]["message"] == (
        f"The client '{OWNER_APPLICATION}' with object id '{OWNER_OBJECT}' does not have authorization to perform "
        f"action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please "
        "refresh your credentials."
    )
    assert closed.arm.export() == before


def test_lists_and_graph_do_not_show_it(closed: Cloud) -> None:
    assert [entry["subscriptionId"] for entry in closed.get("/subscriptions")["value"]] == [SUBSCRIPTION]
    assert names(closed, NETWORKS) == ["open"]
    assert names(closed, NETWORKS, subscriptions=[SUBSCRIPTION, CLOSED]) == ["open"]
    assert names(closed, f"resources | where id =~ '{VNET}'") == []
    assert len(names(closed, "resourcecontainers | where type =~ 'microsoft.resources/subscriptions'")) == 1
    assert refused(closed, NETWORKS, subscriptions=[CLOSED]) == (403, "AccessDenied", ["AccessDenied"])
    assert closed.get(GROUP)["name"] == "rg"


def test_management_groups_name_it_and_entities_do_not(closed: Cloud) -> None:
    path = f"/providers/Microsoft.Management/managementGroups/{TENANT}/descendants"
    assert {entry["name"] for entry in closed.get(path)["value"]} == {SUBSCRIPTION, CLOSED}
    entities = closed.call("POST", "/providers/Microsoft.Management/getEntities", version="2020-05-01").json()["value"]
    assert {entity["name"] for entity in entities} == {TENANT, SUBSCRIPTION}


def test_it_changes_while_the_simulator_runs(closed: Cloud) -> None:
    closed.arm.unreadable.clear()
    assert closed.call("GET", VNET).status == 200
    assert names(closed, NETWORKS) == ["open", "hidden"]
    body = b'{"subscriptions": ["' + SUBSCRIPTION.encode() + b'"]}'
    assert closed.arm.handle(Request("POST", "/simulator/unreadable", {}, body)).status == 200
    assert names(closed, NETWORKS) == ["hidden"]
    closed.arm.reset()
    assert closed.call("GET", SCOPE).status == 403


def test_unknown_subscriptions_are_still_not_found(closed: Cloud) -> None:
    absent: Any = closed.call("GET", "/subscriptions/bbbbbbbb-0000-0000-0000-000000000000")
    assert (absent.status, absent.json()["error"]["code"]) == (404, "SubscriptionNotFound")
