"""Management groups: a tree that is read, written and exported, and what Resource Graph shows of it."""

from itertools import pairwise
from typing import Any

import pytest

from simulator.arm import Arm, ManualClock
from simulator.identity import TENANT
from tests.simulator.cloud import SUBSCRIPTION, Cloud
from tests.simulator.graph import names, refused, rows

MANAGEMENT = "/providers/Microsoft.Management"
GROUPS = f"{MANAGEMENT}/managementGroups"
KIND = "Microsoft.Management/managementGroups"
OTHER = "11111111-0000-0000-0000-000000000000"
FREE = "22222222-0000-0000-0000-000000000000"
VERSION = "2020-05-01"


def _subscription(subscription: str, name: str) -> dict[str, Any]:
    return {"id": f"/subscriptions/{subscription}", "type": "Microsoft.Resources/subscriptions", "displayName": name}


def _group(name: str, parent: str = "") -> dict[str, Any]:
    details = {"details": {"parent": {"id": f"{GROUPS}/{parent}"}}} if parent else {}
    return {"id": f"{GROUPS}/{name}", "type": KIND, "properties": {"displayName": name.title(), **details}}


def _member(group: str, subscription: str) -> dict[str, Any]:
    return {"id": f"{GROUPS}/{group}/subscriptions/{subscription}", "type": f"{KIND}/subscriptions"}


@pytest.fixture
def tree(cloud: Cloud) -> Cloud:
    """root > corp > (prod > One), Two; and Three directly below the root."""
    cloud.arm.load(
        [
            _group("prod", "corp"),
            _group("corp"),
            _subscription(SUBSCRIPTION, "One"),
            _subscription(OTHER, "Two"),
            _subscription(FREE, "Three"),
            _member("prod", SUBSCRIPTION),
            _member("corp", OTHER),
        ]
    )
    return cloud


def below(cloud: Cloud, group: str) -> dict[str, str]:
    """A group in, the names of all that is below it with the names of their parents out."""
    value = cloud.get(f"{GROUPS}/{group}/descendants")["value"]
    return {
        entry["properties"]["displayName"]: entry["properties"]["parent"]["id"].rpartition("/")[2] for entry in value
    }


def test_root_exists_always_and_holds_what_has_no_other_place(cloud: Cloud) -> None:
    assert cloud.get(GROUPS)["value"] == [
        {
            "id": f"{GROUPS}/{TENANT}",
            "type": KIND,
            "name": TENANT,
            "properties": {"tenantId": TENANT, "displayName": "Tenant Root Group"},
        }
    ]
    assert below(cloud, TENANT) == {"Simulated subscription 00000000": TENANT}


def test_descendants_are_groups_and_subscriptions(tree: Cloud) -> None:
    assert tree.get(f"{GROUPS}/CORP/descendants")["value"] == [
        {
            "id": f"{GROUPS}/prod",
            "type": KIND,
            "name": "prod",
            "properties": {"displayName": "Prod", "parent": {"id": f"{GROUPS}/corp"}},
        },
        {
            "id": f"/subscriptions/{OTHER}",
            "type": "/subscriptions",
            "name": OTHER,
            "properties": {"displayName": "Two", "parent": {"id": f"{GROUPS}/corp"}},
        },
        {
            "id": f"/subscriptions/{SUBSCRIPTION}",
            "type": "/subscriptions",
            "name": SUBSCRIPTION,
            "properties": {"displayName": "One", "parent": {"id": f"{GROUPS}/prod"}},
        },
    ]
    assert below(tree, TENANT) == {"Corp": TENANT, "Prod": "corp", "One": "prod", "Two": "corp", "Three": TENANT}


def test_lists_have_pages() -> None:
    cloud = Cloud(page_size=2)
    cloud.arm.load([_group(name) for name in "abc"])
    page = cloud.call("GET", f"{GROUPS}/{TENANT}/descendants", version=VERSION).json()
    assert [entry["name"] for entry in page["value"]] == ["a", "b"]
    following = page["nextLink"].removeprefix("https://management.azure.com").replace(f"api-version={VERSION}&", "")
    assert [entry["name"] for entry in cloud.get(following)["value"]] == ["c", SUBSCRIPTION]


def test_a_group_shows_its_parent_and_its_children(tree: Cloud) -> None:
    assert tree.get(f"{GROUPS}/prod") == {
        "id": f"{GROUPS}/prod",
        "type": KIND,
        "name": "prod",
        "properties": {
            "tenantId": TENANT,
            "displayName": "Prod",
            "details": {"parent": {"id": f"{GROUPS}/corp", "name": "corp", "displayName": "Corp"}},
        },
    }
    (corp, _) = tree.get(f"{GROUPS}/{TENANT}?$expand=children")["properties"]["children"]
    assert corp == {"id": f"{GROUPS}/corp", "type": KIND, "name": "corp", "displayName": "Corp"}
    (corp, three) = tree.get(f"{GROUPS}/{TENANT}?$expand=children&$recurse=true")["properties"]["children"]
    assert [child["name"] for child in corp["children"]] == ["prod", OTHER]
    assert corp["children"][0]["children"][0]["displayName"] == "One"
    assert three["type"] == "/subscriptions"


def test_entities_name_the_way_down_from_the_root(tree: Cloud) -> None:
    path = f"{MANAGEMENT}/getEntities"
    found = tree.call("POST", f"{path}?$filter=name%20eq%20'{SUBSCRIPTION}'", version=VERSION).json()["value"]
    assert found == [
        {
            "id": f"/subscriptions/{SUBSCRIPTION}",
            "type": "/subscriptions",
            "name": SUBSCRIPTION,
            "properties": {
                "tenantId": TENANT,
                "displayName": "One",
                "parent": {"id": f"{GROUPS}/prod"},
                "parentNameChain": [TENANT, "corp", "prod"],
                "parentDisplayNameChain": ["Tenant Root Group", "Corp", "Prod"],
            },
        }
    ]
    everything = tree.call("POST", path, version=VERSION).json()["value"]
    assert [entity["name"] for entity in everything] == [TENANT, "prod", "corp", SUBSCRIPTION, OTHER, FREE]
    assert tree.refused("POST", f"{path}?$filter=id%20eq%20'x'") == (400, "BadRequest")


def test_subscriptions_are_moved(tree: Cloud) -> None:
    moved = tree.call("PUT", f"{GROUPS}/corp/subscriptions/{SUBSCRIPTION}")
    assert (moved.status, moved.json()["properties"]["parent"]) == (200, {"id": f"{GROUPS}/corp"})
    assert below(tree, "corp") == {"Prod": "corp", "One": "corp", "Two": "corp"}
    assert tree.call("GET", f"{GROUPS}/prod/subscriptions/{SUBSCRIPTION}").status == 404
    assert tree.call("GET", f"{GROUPS}/corp/subscriptions/{SUBSCRIPTION}").json() == moved.json()
    assert len(tree.get(f"{GROUPS}/corp/subscriptions")["value"]) == 2
    assert tree.call("DELETE", f"{GROUPS}/corp/subscriptions/{SUBSCRIPTION}").status == 200
    assert tree.call("DELETE", f"{GROUPS}/corp/subscriptions/{SUBSCRIPTION}").status == 204
    assert below(tree, TENANT)["One"] == TENANT
    assert tree.call("PUT", f"{GROUPS}/{TENANT}/subscriptions/{OTHER}").status == 200
    assert below(tree, TENANT)["Two"] == TENANT


def test_groups_are_written(tree: Cloud) -> None:
    body = {"properties": {"displayName": "New", "details": {"parent": {"id": f"{GROUPS}/PROD"}}}}
    assert tree.call("PUT", f"{GROUPS}/new", body).json()["properties"]["details"]["parent"]["name"] == "prod"
    assert tree.call("PUT", f"{GROUPS}/NEW", {"properties": {"displayName": "Renamed"}}).json()["name"] == "new"
    assert below(tree, "prod") == {"Renamed": "prod", "One": "prod"}
    assert tree.call("PUT", f"{GROUPS}/bare", {}).json()["properties"]["displayName"] == "bare"
    assert tree.call("DELETE", f"{GROUPS}/new").status == 200
    assert tree.call("DELETE", f"{GROUPS}/new").status == 204
    assert tree.call("PUT", f"{GROUPS}/{TENANT}", {"properties": {"displayName": "Us"}}).status == 200
    assert tree.get(f"{GROUPS}/{TENANT}")["properties"]["displayName"] == "Us"


@pytest.mark.parametrize(
    ("method", "path", "parent", "status", "code"),
    [
        ("GET", "absent", "", 404, "NotFound"),
        ("GET", "absent/descendants", "", 404, "NotFound"),
        ("PUT", f"absent/subscriptions/{SUBSCRIPTION}", "", 404, "NotFound"),
        ("PUT", "corp/subscriptions/33333333-0000-0000-0000-000000000000", "", 404, "SubscriptionNotFound"),
        ("PUT", "new", "absent", 404, "NotFound"),
        ("PUT", "corp", "prod", 400, "BadRequest"),
        ("PUT", TENANT, "corp", 400, "BadRequest"),
        ("DELETE", "corp", "", 400, "BadRequest"),
        ("DELETE", "prod", "", 400, "BadRequest"),
        ("DELETE", TENANT, "", 400, "BadRequest"),
        ("PATCH", "corp", "", 405, "MethodNotAllowed"),
        ("POST", "corp/descendants", "", 405, "MethodNotAllowed"),
        ("GET", "corp/settings", "", 501, "NotModelledBySimulator"),
    ],
)
def test_what_cannot_be_is_refused(tree: Cloud, method: str, path: str, parent: str, status: int, code: str) -> None:
    before = tree.arm.export()
    body = {"properties": {"details": {"parent": {"id": f"{GROUPS}/{parent}"}}}} if parent else None
    assert tree.refused(method, f"{GROUPS}/{path}", body) == (status, code)
    assert tree.arm.export() == before
    assert tree.arm.events == []


def test_the_tree_survives_export_and_load(tree: Cloud) -> None:
    exported = tree.arm.export()
    other = Arm(ManualClock())
    other.load(exported)
    assert other.export() == exported
    assert {f"{GROUPS}/prod/subscriptions/{SUBSCRIPTION}", f"{GROUPS}/corp"} <= {body["id"] for body in exported}


def test_an_estate_may_move_and_make_subscriptions(tree: Cloud) -> None:
    made = "33333333-0000-0000-0000-000000000000"
    tree.arm.load([_member("corp", SUBSCRIPTION), _member("prod", made)])
    assert below(tree, "corp") == {
        "Prod": "corp",
        "One": "corp",
        "Two": "corp",
        "Simulated subscription 33333333": "prod",
    }


def test_a_circle_in_an_estate_hangs_below_the_root(cloud: Cloud) -> None:
    cloud.arm.load([_group("a", "b"), _group("b", "a"), _group("c", "b"), _group("d", "absent")])
    found = below(cloud, TENANT)
    assert (found["A"], found["B"], found["D"]) == (TENANT, TENANT, TENANT)


# --- in Resource Graph ------------------------------------------------------------------------------


def test_graph_names_the_groups_above_nearest_first(tree: Cloud) -> None:
    found = rows(
        tree, "resourcecontainers | where name == 'One' | project chain = properties.managementGroupAncestorsChain"
    )
    assert found[0]["chain"] == [
        {"displayName": "Prod", "name": "prod"},
        {"displayName": "Corp", "name": "corp"},
        {"displayName": "Tenant Root Group", "name": TENANT},
    ]


def test_graph_looks_below_management_groups(tree: Cloud) -> None:
    subscriptions = "resourcecontainers | where type =~ 'microsoft.resources/subscriptions' | order by name asc"
    assert names(tree, subscriptions) == ["One", "Three", "Two"]
    assert names(tree, subscriptions, managementGroups=["Corp"]) == ["One", "Two"]
    assert names(tree, subscriptions, managementGroups=["prod"]) == ["One"]
    assert names(tree, subscriptions, managementGroups=["prod", "corp"]) == ["One", "Two"]
    assert refused(tree, subscriptions, managementGroups=["absent"]) == (403, "AccessDenied", ["AccessDenied"])


def test_groups_are_rows(tree: Cloud) -> None:
    groups = "resourcecontainers | where type == 'microsoft.management/managementgroups'"
    assert names(tree, groups) == [TENANT, "corp", "prod"]
    assert names(tree, groups, managementGroups=["corp"]) == ["corp", "prod"]
    assert names(tree, groups, subscriptions=[SUBSCRIPTION]) == []
    (prod,) = rows(tree, f"{groups} and name == 'prod'")
    assert prod["properties"]["details"]["parent"]["name"] == "corp"
    assert [group["name"] for group in prod["properties"]["details"]["managementGroupAncestorsChain"]] == [
        "corp",
        TENANT,
    ]


def test_groups_are_at_most_six_levels_deep(cloud: Cloud) -> None:
    def put(name: str, parent: str) -> int:
        details = {"parent": {"id": f"{GROUPS}/{parent}"}} if parent else {}
        return cloud.call("PUT", f"{GROUPS}/{name}", {"properties": {"details": details}}, version="2020-05-01").status

    chain = ["", *(f"g{level}" for level in range(1, 7))]
    assert [put(name, above) for above, name in pairwise(chain)] == [200] * 6
    assert put("g7", "g6") == 400
    assert put("aside", "") == 200
    assert put("g2", "aside") == 200
    assert put("aside", "g1") == 400  # what is below it would be seven levels deep
