"""Management locks: what they keep, from where, and how they are listed."""

from typing import Any

import pytest

from tests.simulator.cloud import GROUP, NETWORK, SUBSCRIPTION, Cloud

SUB = f"/subscriptions/{SUBSCRIPTION}"
TABLE = f"{NETWORK}/routeTables/t"
ROUTE = {"properties": {"addressPrefix": "10.9.0.0/16", "nextHopType": "None"}}
LOCKS = "providers/Microsoft.Authorization/locks"


def locked(scope: str, level: str = "CanNotDelete") -> Cloud:
    cloud = Cloud()
    cloud.put("routeTables/t", {"routes": [{"name": "r", **ROUTE}]})
    answer = cloud.call("PUT", f"{scope}/{LOCKS}/keep", {"properties": {"level": level}})
    assert answer.status == 201
    return cloud


@pytest.mark.parametrize("scope", [SUB, GROUP, TABLE])
def test_a_lock_keeps_what_is_below_it_from_being_deleted(scope: str) -> None:
    cloud = locked(scope)
    for path in (TABLE, f"{TABLE}/routes/r", GROUP):
        if scope == TABLE and path == GROUP:
            continue
        answer = cloud.call("DELETE", path)
        assert (answer.status, answer.headers["x-ms-failure-cause"]) == (409, "gateway")
        told = answer.json()["error"]
        assert told["code"] == "ScopeLocked"
        shown = path.replace("resourceGroups", "resourcegroups")
        assert told["message"] == (
            f"The scope '{shown}' cannot perform delete operation because following scope(s) are locked: '{scope}'. "
            "Please remove the lock and try again."
        )
    assert (
        cloud.call(
            "PUT", f"{TABLE}/routes/s", {"properties": ROUTE["properties"] | {"addressPrefix": "10.8.0.0/16"}}
        ).status
        == 201
    )
    assert cloud.call("DELETE", f"{scope}/{LOCKS}/keep").status == 200
    assert cloud.call("DELETE", f"{TABLE}/routes/r").status == 202


@pytest.mark.parametrize("path", [GROUP, TABLE])
def test_what_has_a_locked_part_is_not_deleted_either(path: str) -> None:
    cloud = locked(f"{TABLE}/routes/r")
    assert cloud.refused("DELETE", path) == (409, "ScopeLocked")
    assert cloud.get(TABLE)["properties"]["routes"][0]["name"] == "r"


@pytest.mark.parametrize("scope", [SUB, GROUP, TABLE])
def test_a_read_only_lock_keeps_it_from_being_written_too(scope: str) -> None:
    cloud = locked(scope, "ReadOnly")
    refused: list[tuple[str, str, Any]] = [
        ("PUT", TABLE, {"location": "eastus"}),
        ("PATCH", TABLE, {"tags": {}}),
        ("PUT", f"{TABLE}/routes/r", ROUTE),
        ("DELETE", TABLE, None),
        ("POST", f"{TABLE}/anything", {}),
    ]
    if scope != TABLE:
        refused += [("PUT", GROUP, {"location": "eastus"}), ("PUT", f"{NETWORK}/natGateways/n", {"location": "eastus"})]
    for method, path, body in refused:
        answer = cloud.call(method, path, body)
        assert (answer.status, answer.json()["error"]["code"]) == (409, "ScopeLocked"), (method, path)
        word = "delete" if method == "DELETE" else "write"
        assert f"cannot perform {word} operation" in answer.json()["error"]["message"]
    assert cloud.get(TABLE)["properties"]["routes"][0]["name"] == "r"
    assert cloud.call("PUT", f"{scope}/{LOCKS}/keep", {"properties": {"level": "CanNotDelete"}}).status == 200
    assert cloud.call("PUT", TABLE, {"location": "eastus"}).status == 200


def test_a_lock_is_nothing_to_others() -> None:
    cloud = locked(TABLE)
    cloud.put("routeTables/other")
    assert cloud.call("DELETE", "routeTables/other").status == 202


@pytest.mark.parametrize(
    ("scope", "condition", "names"),
    [
        (SUB, "", ["of-subscription", "of-group", "of-table"]),
        (GROUP, "", ["of-subscription", "of-group", "of-table"]),
        (TABLE, "", ["of-subscription", "of-group", "of-table"]),
        (f"{NETWORK}/routeTables/none", "", ["of-subscription", "of-group"]),
        (SUB, "?$filter=atScope()", ["of-subscription"]),
        (GROUP, "?$filter=atScope()", ["of-subscription", "of-group"]),
        (TABLE, "?$filter=atScope()", ["of-subscription", "of-group", "of-table"]),
    ],
)
def test_lists_of_locks_have_those_above_and_below(cloud: Cloud, scope: str, condition: str, names: list[str]) -> None:
    cloud.put("routeTables/t")
    for at, name in ((SUB, "of-subscription"), (GROUP, "of-group"), (TABLE, "of-table")):
        cloud.call("PUT", f"{at}/{LOCKS}/{name}", {"properties": {"level": "CanNotDelete"}})
    assert [lock["name"] for lock in cloud.get(f"{scope}/{LOCKS}{condition}")["value"]] == names


@pytest.mark.parametrize("properties", [{}, {"level": "CanNotDelte"}, {"level": 7}, None])
def test_a_lock_that_would_keep_nothing_is_refused(properties: object) -> None:
    cloud = Cloud()
    answer = cloud.call("PUT", f"{GROUP}/{LOCKS}/keep", {"properties": properties})
    assert (answer.status, answer.json()["error"]["code"]) == (400, "InvalidRequestContent")
    assert cloud.call("GET", f"{GROUP}/{LOCKS}/keep").status == 404
