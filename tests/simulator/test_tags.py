"""Tags apart from what has them."""

from typing import Any

import pytest

from tests.simulator.cloud import GROUP, NETWORK, SUBSCRIPTION, Cloud

OF = "providers/Microsoft.Resources/tags/default"
SUB = f"/subscriptions/{SUBSCRIPTION}"
SCOPES = (SUB, GROUP, f"{NETWORK}/natGateways/n")


def patch(cloud: Cloud, scope: str, operation: str, tags: dict[str, Any]) -> dict[str, Any]:
    answer = cloud.call("PATCH", f"{scope}/{OF}", {"operation": operation, "properties": {"tags": tags}})
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json()
    assert found["id"] == f"{scope}/{OF}"
    shown: dict[str, Any] = found["properties"]["tags"]
    return shown


@pytest.mark.parametrize("scope", SCOPES)
def test_tags_are_merged_replaced_and_taken_away(cloud: Cloud, scope: str) -> None:
    cloud.gateway("n")
    assert cloud.get(f"{scope}/{OF}")["properties"]["tags"] == {}
    assert patch(cloud, scope, "Merge", {"Team": "a", "env": "b"}) == {"Team": "a", "env": "b"}
    assert patch(cloud, scope, "merge", {"team": "c", "new": "d"}) == {"Team": "c", "env": "b", "new": "d"}
    assert patch(cloud, scope, "Delete", {"ENV": "b", "none": ""}) == {"Team": "c", "new": "d"}
    assert cloud.get(scope)["tags"] == {"Team": "c", "new": "d"}
    assert patch(cloud, scope, "Replace", {"x": "y"}) == {"x": "y"}
    put = cloud.call("PUT", f"{scope}/{OF}", {"properties": {"tags": {"z": ""}}})
    assert (put.status, put.json()["properties"]["tags"]) == (200, {"z": ""})
    assert cloud.get(f"{scope}/{OF}")["properties"]["tags"] == {"z": ""}
    assert cloud.call("DELETE", f"{scope}/{OF}").status == 200
    assert cloud.get(scope)["tags"] == {}


def test_new_tags_are_an_event_and_a_new_etag(cloud: Cloud) -> None:
    cloud.gateway("n")
    scope = f"{NETWORK}/natGateways/n"
    before = cloud.get(scope)["etag"]
    patch(cloud, scope, "Merge", {"a": "b"})
    assert cloud.get(scope)["etag"] != before
    (event,) = cloud.arm.events_for(f"{scope}/{OF}")
    assert event.type == "Microsoft.Resources.ResourceWriteSuccess"
    assert event.payload("EventGridSchema")["data"]["operationName"] == "Microsoft.Resources/tags/write"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"{NETWORK}/natGateways/none/{OF}", 404, "ResourceNotFound"),
        (f"{GROUP}x/{OF}", 404, "ResourceGroupNotFound"),
        (f"{NETWORK}/virtualNetworks/v/subnets/s/{OF}", 400, "TagsNotSupportedForResourceType"),
    ],
)
def test_only_what_is_there_and_may_have_tags_has_some(cloud: Cloud, path: str, status: int, code: str) -> None:
    cloud.subnet(f"{cloud.vnet()}/subnets/s")
    assert cloud.refused("GET", path) == (status, code)
    assert cloud.refused("PUT", path, {"properties": {"tags": {}}}) == (status, code)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"operation": "Add", "properties": {"tags": {}}}, "InvalidRequestContent"),
        ({"operation": "Merge", "properties": {"tags": {"a/b": ""}}}, "InvalidTagNameCharacters"),
        ({"operation": "Merge", "properties": {"tags": {f"n{n}": "" for n in range(50)}}}, "TooManyTags"),
    ],
)
def test_tags_that_cannot_be_are_refused_here_too(cloud: Cloud, body: dict[str, Any], code: str) -> None:
    patch(cloud, GROUP, "Merge", {"one": "more"})
    assert cloud.refused("PATCH", f"{GROUP}/{OF}", body) == (400, code)
    assert cloud.get(GROUP)["tags"] == {"one": "more"}
