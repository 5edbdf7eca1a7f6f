"""Role definitions, role assignments and deny assignments as resources: read, written, listed, taken away, exported."""

from typing import Any

import pytest

from simulator.arm import Arm, ManualClock
from simulator.identity import OWNER_OBJECT, object_id_of
from simulator.permissions import Permission
from tests.simulator.cloud import GROUP, NETWORK, SUBSCRIPTION, Cloud

SCOPE = f"/subscriptions/{SUBSCRIPTION}"
HUB = f"{NETWORK}/virtualNetworks/hub"
AUTHORIZATION = "/providers/Microsoft.Authorization"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
NETWORKS = "4d97b98b-1d4f-4787-a291-c67834d212e7"
SOMEBODY, OTHER = object_id_of("somebody"), object_id_of("other")
GUID = "9b3c5f6e-0000-4000-8000-00000000000"
Body = dict[str, Any]


@pytest.fixture
def cloud() -> Cloud:
    cloud = Cloud(roles="assigned")
    cloud.vnet("hub")
    return cloud


def sent(cloud: Cloud, method: str, path: str, properties: Body | None = None) -> tuple[int, Any]:
    body = {"properties": properties} if properties is not None else None
    answer = cloud.call(method, path, body, version="2022-04-01")
    return answer.status, answer.json()


def assigned(cloud: Cloud, scope: str, number: int, role: str = READER, principal: str = SOMEBODY) -> tuple[int, Any]:
    properties = {"roleDefinitionId": f"{SCOPE}{AUTHORIZATION}/roleDefinitions/{role}", "principalId": principal}
    return sent(cloud, "PUT", f"{scope}{AUTHORIZATION}/roleAssignments/{GUID}{number}", properties)


def listed(cloud: Cloud, kind: str, scope: str = SCOPE, filter_: str = "") -> list[Any]:
    query = f"?$filter={filter_}" if filter_ else ""
    status, body = sent(cloud, "GET", f"{scope}{AUTHORIZATION}/{kind}{query}")
    assert status == 200, body
    return list(body["value"])


def custom(name: str = "Egress", *actions: str) -> Body:
    permission = {"actions": list(actions) or ["Microsoft.Network/*/read"], "notActions": []}
    return {"roleName": name, "description": "d", "assignableScopes": [SCOPE], "permissions": [permission]}


# ---- definitions ----------------------------------------------------------------------------------------------------


def test_built_in_roles_have_the_ids_they_have_everywhere(cloud: Cloud) -> None:
    for scope in ("", SCOPE, GROUP, HUB):
        (found,) = listed(cloud, "roleDefinitions", scope, "roleName eq 'network contributor'")
        above = SCOPE if scope else ""
        assert found["id"] == f"{above}{AUTHORIZATION}/roleDefinitions/{NETWORKS}"
        assert (found["name"], found["type"]) == (NETWORKS, "Microsoft.Authorization/roleDefinitions")
        assert found["properties"]["type"] == "BuiltInRole"
        assert sent(cloud, "GET", found["id"]) == (200, found)
    assert {"Owner", "Contributor", "Reader"} <= {
        one["properties"]["roleName"] for one in listed(cloud, "roleDefinitions", filter_="type eq 'BuiltInRole'")
    }
    assert listed(cloud, "roleDefinitions", filter_="type eq 'CustomRole'") == []


def test_a_custom_role_is_written_read_from_every_scope_and_deleted(cloud: Cloud) -> None:
    path = f"{AUTHORIZATION}/roleDefinitions/{GUID}1"
    status, made = sent(cloud, "PUT", f"{SCOPE}{path}", custom())
    assert status == 201
    assert made["id"] == f"{SCOPE}{path}"
    assert made["properties"]["type"] == "CustomRole"
    assert sent(cloud, "GET", path)[1]["properties"] == made["properties"]
    assert listed(cloud, "roleDefinitions", filter_="type eq 'CustomRole'") == [made]
    assert assigned(cloud, SCOPE, 1, f"{GUID}1")[0] == 201
    status, refused = sent(cloud, "DELETE", f"{SCOPE}{path}")
    assert (status, refused["error"]["code"]) == (400, "RoleDefinitionHasAssignments")
    assert sent(cloud, "DELETE", f"{SCOPE}{AUTHORIZATION}/roleAssignments/{GUID}1")[0] == 200
    assert sent(cloud, "DELETE", f"{SCOPE}{path}") == (200, made)
    assert sent(cloud, "DELETE", f"{SCOPE}{path}") == (204, None)
    assert sent(cloud, "GET", path)[1]["error"]["code"] == "RoleDefinitionDoesNotExist"


def test_what_a_changed_role_allows_holds_for_those_who_have_it(cloud: Cloud) -> None:
    path = f"{SCOPE}{AUTHORIZATION}/roleDefinitions/{GUID}1"
    sent(cloud, "PUT", path, custom("Egress", "Microsoft.Compute/*"))
    assigned(cloud, SCOPE, 1, f"{GUID}1")
    somebody = {"Authorization": "Bearer somebody"}
    assert cloud.call("GET", HUB, **somebody).status == 403
    assert sent(cloud, "PUT", path, custom("Egress", "*/read"))[0] == 201
    assert cloud.call("GET", HUB, **somebody).status == 200


@pytest.mark.parametrize(
    ("name", "properties", "status", "code"),
    [
        (f"{GUID}2", custom("eGRESS"), 409, "RoleDefinitionWithSameNameExists"),
        (f"{GUID}2", custom("Reader"), 409, "RoleDefinitionWithSameNameExists"),
        (READER, custom("Mine"), 400, "RoleDefinitionUpdateNotPermitted"),
        (f"{GUID}2", {**custom("New"), "permissions": []}, 400, "InvalidRoleDefinitionDefinition"),
        (f"{GUID}2", {**custom("New"), "assignableScopes": "all"}, 400, "InvalidRoleDefinitionDefinition"),
        (f"{GUID}2", {}, 400, "InvalidRoleDefinitionDefinition"),
    ],
)
def test_definitions_that_are_refused(cloud: Cloud, name: str, properties: Body, status: int, code: str) -> None:
    sent(cloud, "PUT", f"{SCOPE}{AUTHORIZATION}/roleDefinitions/{GUID}1", custom())
    found, body = sent(cloud, "PUT", f"{SCOPE}{AUTHORIZATION}/roleDefinitions/{name}", properties)
    assert (found, body["error"]["code"]) == (status, code)


# ---- assignments ----------------------------------------------------------------------------------------------------


def test_an_assignment_is_shown_as_azure_shows_it(cloud: Cloud) -> None:
    status, made = assigned(cloud, GROUP, 1)
    assert status == 201
    assert made == {
        "properties": {
            "roleDefinitionId": f"{SCOPE}{AUTHORIZATION}/roleDefinitions/{READER}",
            "principalId": SOMEBODY,
            "principalType": "ServicePrincipal",
            "scope": GROUP,
            "condition": None,
            "conditionVersion": None,
            "createdOn": "2026-11-21T10:00:00.0000000Z",
            "updatedOn": "2026-11-21T10:00:00.0000000Z",
            "createdBy": OWNER_OBJECT,
            "updatedBy": OWNER_OBJECT,
            "delegatedManagedIdentityResourceId": None,
            "description": None,
        },
        "id": f"{GROUP}{AUTHORIZATION}/roleAssignments/{GUID}1",
        "type": "Microsoft.Authorization/roleAssignments",
        "name": f"{GUID}1",
    }
    assert sent(cloud, "GET", made["id"]) == (200, made)
    cloud.clock.advance(5)
    status, again = assigned(cloud, GROUP, 1)
    assert status == 200
    assert again["properties"]["createdOn"] == made["properties"]["createdOn"] != again["properties"]["updatedOn"]


@pytest.mark.parametrize(
    ("number", "role", "principal", "status", "code"),
    [
        (2, READER, SOMEBODY, 409, "RoleAssignmentExists"),
        (2, READER, SOMEBODY.upper(), 409, "RoleAssignmentExists"),
        (1, NETWORKS, SOMEBODY, 400, "RoleAssignmentUpdateNotPermitted"),
        (1, READER, OTHER, 400, "RoleAssignmentUpdateNotPermitted"),
        (2, f"{GUID}9", SOMEBODY, 404, "RoleDefinitionDoesNotExist"),
        (2, READER, "", 400, "BadRequestFormat"),
    ],
)
def test_assignments_that_are_refused(
    cloud: Cloud, number: int, role: str, principal: str, status: int, code: str
) -> None:
    assigned(cloud, SCOPE, 1)
    found, body = assigned(cloud, SCOPE, number, role, principal)
    assert (found, body["error"]["code"]) == (status, code)


@pytest.mark.parametrize(
    ("scope", "filter_", "found"),
    [
        (GROUP, "", {1, 2, 3, 4}),
        (GROUP, "atScope()", {1, 2, 3}),
        (HUB, "", {1, 2, 3, 4}),
        (SCOPE, "atScope()", {1, 2}),
        (SCOPE, "", {1, 2, 3, 4, 5}),
        ("", "", {1, 2, 3, 4, 5}),
        ("", "atScope()", {1}),
        (SCOPE, f"principalId eq '{OTHER}'", {3}),
        (SCOPE, f"atScope() and principalId eq '{SOMEBODY}'", {1, 2}),
        (SCOPE, f"assignedTo('{OTHER}')", {3}),
        (SCOPE, f"roleDefinitionId eq '{AUTHORIZATION}/roleDefinitions/{NETWORKS}'", {4}),
    ],
)
def test_lists_and_their_filters(cloud: Cloud, scope: str, filter_: str, found: set[int]) -> None:
    assigned(cloud, "", 1)
    assigned(cloud, SCOPE, 2)
    assigned(cloud, GROUP, 3, principal=OTHER)
    assigned(cloud, HUB, 4, NETWORKS)
    cloud.arm.load([{"id": f"{SCOPE}/resourceGroups/two", "type": "Microsoft.Resources/resourceGroups"}])
    assigned(cloud, f"{SCOPE}/resourceGroups/two", 5)
    assert {int(one["name"][-1]) for one in listed(cloud, "roleAssignments", scope, filter_)} == found


def test_filters_that_nobody_knows_are_refused(cloud: Cloud) -> None:
    status, body = sent(cloud, "GET", f"{SCOPE}{AUTHORIZATION}/roleAssignments?$filter=name ne 'x'")
    assert (status, body["error"]["code"]) == (400, "BadRequest")


def test_assignments_go_with_what_they_are_on(cloud: Cloud) -> None:
    assigned(cloud, HUB, 1)
    assert cloud.call("DELETE", HUB).status == 202
    cloud.clock.advance(600)
    cloud.vnet("hub")
    assert listed(cloud, "roleAssignments", HUB) == []
    assert cloud.call("GET", HUB, Authorization="Bearer somebody").status == 403


def test_an_assignment_is_an_event_and_an_entry_of_the_activity_log(cloud: Cloud) -> None:
    _, made = assigned(cloud, GROUP, 1)
    (event,) = cloud.arm.events_for(made["id"])
    assert event.data["operationName"] == "Microsoft.Authorization/roleAssignments/write"
    cloud.clock.advance(60)
    path = f"{SCOPE}/providers/Microsoft.Insights/eventtypes/management/values"
    query = "?$filter=eventTimestamp ge '2026-01-01T00:00:00Z' and resourceGroupName eq 'rg'"
    logged = cloud.call("GET", f"{path}{query}", version="2015-04-01").json()["value"]
    assert "Microsoft.Authorization/roleAssignments/write" in {entry["operationName"]["value"] for entry in logged}


# ---- deny assignments -----------------------------------------------------------------------------------------------


def test_deny_assignments_are_written_only_in_the_version_that_can(cloud: Cloud) -> None:
    path = f"{GROUP}{AUTHORIZATION}/denyAssignments/{GUID}1"
    body = {
        "properties": {
            "denyAssignmentName": "hands off",
            "permissions": [{"actions": ["*/delete"]}],
            "principals": [{"id": SOMEBODY, "type": "ServicePrincipal"}],
        }
    }
    assert cloud.call("PUT", path, body, version="2022-04-01").status == 405
    assert cloud.call("PUT", path, {"properties": {}}, version="2024-07-01-preview").status == 400
    assert cloud.call("PUT", path, body, version="2024-07-01-preview").status == 201
    (shown,) = listed(cloud, "denyAssignments", GROUP, "denyAssignmentName eq 'HANDS OFF'")
    assert (shown["name"], shown["properties"]["scope"]) == (f"{GUID}1", GROUP)
    assert listed(cloud, "denyAssignments", SCOPE, "atScope()") == []
    assert cloud.call("DELETE", path, version="2024-07-01-preview").status == 200
    assert cloud.call("DELETE", path, version="2024-07-01-preview").status == 204
    assert sent(cloud, "GET", path)[0] == 404


def test_deny_assignments_of_the_system_stay(cloud: Cloud) -> None:
    path = f"{GROUP}{AUTHORIZATION}/denyAssignments/{GUID}1"
    cloud.arm.load([{"id": path, "properties": {"isSystemProtected": True, "principals": [], "permissions": []}}])
    assert cloud.call("DELETE", path, version="2024-07-01-preview").status == 403


# ---- estates --------------------------------------------------------------------------------------------------------


def test_roles_go_out_and_in_with_an_estate(cloud: Cloud) -> None:
    sent(cloud, "PUT", f"{SCOPE}{AUTHORIZATION}/roleDefinitions/{GUID}1", custom("Egress", "*/read"))
    for number, scope in enumerate(("", SCOPE, GROUP, HUB)):
        assigned(cloud, scope, number, f"{GUID}1")
    exported = cloud.arm.export()
    other = Cloud(roles="assigned", estate=exported)
    assert other.arm.export() == exported
    assert other.call("GET", HUB, Authorization="Bearer somebody").status == 200
    assert len(listed(other, "roleAssignments")) == 4


def test_a_role_as_azure_lists_it_is_the_tenants() -> None:
    arm = Arm(ManualClock(), roles="assigned")
    arm.load([{"id": f"{SCOPE}{AUTHORIZATION}/roleDefinitions/{GUID}1", "properties": custom()}])
    assert [entry["id"] for entry in arm.export()] == [SCOPE, f"{AUTHORIZATION}/roleDefinitions/{GUID}1"]


@pytest.mark.parametrize("action", [f"{'*' * 40}x", f"{'*a' * 40}x", f"{'a*' * 40}/write"])
def test_actions_of_many_asterisks_are_looked_at_once(action: str) -> None:
    assert not Permission((action, "Microsoft.Compute/*")).covers(f"Microsoft.Network/{'a' * 200}/read")
    assert Permission((action, "*/n*w*s/*/read")).covers("Microsoft.Network/networkSecurityGroups/networks/x/read")
