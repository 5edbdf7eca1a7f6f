"""azure-mgmt-resource, the packages split from it, Resource Graph and Event Grid: as they come, sync and aio."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.mgmt.eventgrid import EventGridManagementClient
from azure.mgmt.eventgrid.aio import EventGridManagementClient as AsyncEventGridManagementClient
from azure.mgmt.eventgrid.models import EventSubscriptionUpdateParameters, IdentityInfo, SystemTopicUpdateParameters
from azure.mgmt.resource.deployments import DeploymentsMgmtClient
from azure.mgmt.resource.deployments.aio import DeploymentsMgmtClient as AsyncDeploymentsMgmtClient
from azure.mgmt.resource.locks import ManagementLockClient
from azure.mgmt.resource.locks.aio import ManagementLockClient as AsyncManagementLockClient
from azure.mgmt.resource.policy import PolicyClient
from azure.mgmt.resource.policy.aio import PolicyClient as AsyncPolicyClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.resource.resources.aio import ResourceManagementClient as AsyncResourceManagementClient
from azure.mgmt.resource.subscriptions import SubscriptionClient
from azure.mgmt.resource.subscriptions.aio import SubscriptionClient as AsyncSubscriptionClient
from azure.mgmt.resourcegraph import ResourceGraphClient
from azure.mgmt.resourcegraph.aio import ResourceGraphClient as AsyncResourceGraphClient
from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

from tests.simulator.cloud import GROUP, NETWORK, SUBSCRIPTION
from tests.simulator.sdk import Served, served

SCOPE = f"/subscriptions/{SUBSCRIPTION}"
PRIVATE_SUBNETS = "7bca8353-aa3b-429b-904a-9229c4385837"
OTHER = "11111111-1111-1111-1111-111111111111"
SPACE: dict[str, Any] = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}
NETWORK_BODY: Any = {"location": "eastus", "properties": SPACE}


@pytest.fixture
async def azure(tmp_path: Path) -> AsyncIterator[Served]:
    async with served(tmp_path, durations={"": 2}, page_size=2) as running:
        yield running


# --- groups and resources -------------------------------------------------------------------------


def _groups(client: ResourceManagementClient) -> None:
    groups = client.resource_groups
    wanted: Any = {"location": "westus", "tags": {"a": "b"}}
    for name in ("one", "two"):
        assert groups.create_or_update(name, wanted).tags == {"a": "b"}
    assert groups.get("one").id == f"{SCOPE}/resourceGroups/one"
    patched: Any = {"tags": {"c": "d"}}
    assert groups.update("one", patched).tags == {"c": "d"}
    assert [[str(group.name) for group in page] for page in groups.list().by_page()] == [["rg", "one"], ["two"]]
    moved: Any = {"location": "eastus"}
    with pytest.raises(ResourceExistsError) as refused:
        groups.create_or_update("one", moved)
    assert refused.value.error is not None
    assert refused.value.error.code == "InvalidResourceGroupLocation"
    groups.begin_delete("one").result()
    assert (groups.check_existence("one"), groups.check_existence("two")) == (False, True)
    with pytest.raises(ResourceNotFoundError):
        groups.get("one")


def _resources(client: ResourceManagementClient) -> None:
    address = ("rg", "Microsoft.Network", "", "virtualNetworks", "v")
    made = client.resources.begin_create_or_update(*address, NETWORK_BODY, api_version="2024-05-01").result()
    assert made.id == f"{NETWORK}/virtualNetworks/v"
    inside = ("rg", "Microsoft.Network", "virtualNetworks/v", "subnets", "s")
    subnet: Any = {"properties": {"addressPrefix": "10.0.0.0/24"}}
    client.resources.begin_create_or_update(*inside, subnet, api_version="2024-05-01").result()
    assert client.resources.get(*inside, api_version="2024-05-01").id == f"{made.id}/subnets/s"
    gateway: Any = {"location": "eastus"}
    by_id = client.resources.begin_create_or_update_by_id(f"{NETWORK}/natGateways/n", gateway, api_version="2024-05-01")
    assert by_id.result().name == "n"
    chosen = "resourceType eq 'Microsoft.Network/natGateways'"
    assert [found.name for found in client.resources.list(filter=chosen)] == ["n"]
    assert [found.name for found in client.resources.list_by_resource_group("rg")] == ["v", "n"]
    client.resources.begin_delete_by_id(f"{NETWORK}/natGateways/n", api_version="2024-05-01").result()
    client.resources.begin_delete(*address, api_version="2024-05-01").result()
    with pytest.raises(ResourceNotFoundError):
        client.resources.get_by_id(f"{NETWORK}/virtualNetworks/v", api_version="2024-05-01")


def _tags(client: ResourceManagementClient) -> None:
    first: Any = {"operation": "Merge", "properties": {"tags": {"a": "b"}}}
    client.tags.begin_update_at_scope(GROUP, first).result()
    second: Any = {"properties": {"tags": {"c": "d"}}}
    assert client.tags.get_at_scope(GROUP).properties.tags == {"a": "b"}
    client.tags.begin_create_or_update_at_scope(GROUP, second).result()
    assert client.resource_groups.get("rg").tags == {"c": "d"}
    client.tags.begin_delete_at_scope(GROUP).result()
    assert client.resource_groups.get("rg").tags == {}


async def test_groups_tags_and_resources(azure: Served) -> None:
    await azure.told(ResourceManagementClient, _groups, SUBSCRIPTION)
    await azure.told(ResourceManagementClient, _tags, SUBSCRIPTION)
    await azure.told(ResourceManagementClient, _resources, SUBSCRIPTION)


async def test_aio_groups_and_resources(azure: Served) -> None:
    async with azure.aio(AsyncResourceManagementClient, SUBSCRIPTION) as client:
        await client.resource_groups.create_or_update("other", {"location": "westus"})
        assert [group.name async for group in client.resource_groups.list()] == ["rg", "other"]
        vnet = f"{SCOPE}/resourceGroups/other/providers/Microsoft.Network/virtualNetworks/v"
        body = NETWORK_BODY | {"location": "westus"}
        await (await client.resources.begin_create_or_update_by_id(vnet, body, api_version="2024-05-01")).result()
        assert (await client.resources.get_by_id(vnet, api_version="2024-05-01")).name == "v"
        await (await client.resource_groups.begin_delete("other")).result()
        assert not await client.resource_groups.check_existence("other")
        with pytest.raises(ResourceNotFoundError):
            await client.resources.get_by_id(vnet, api_version="2024-05-01")


# --- what was split from it -------------------------------------------------------------------------


def _subscriptions(client: SubscriptionClient) -> None:
    assert client.subscriptions.get(SUBSCRIPTION).state == "Enabled"
    assert [found.subscription_id for found in client.subscriptions.list()] == [SUBSCRIPTION, OTHER]
    with pytest.raises(ResourceNotFoundError) as missing:
        client.subscriptions.get("22222222-2222-2222-2222-222222222222")
    assert missing.value.error is not None
    assert missing.value.error.code == "SubscriptionNotFound"


async def test_subscriptions(azure: Served) -> None:
    azure.arm.load([{"id": f"/subscriptions/{OTHER}", "type": "Microsoft.Resources/subscriptions"}])
    await azure.told(SubscriptionClient, _subscriptions)
    async with azure.aio(AsyncSubscriptionClient) as client:
        assert [found.subscription_id async for found in client.subscriptions.list()] == [SUBSCRIPTION, OTHER]
        assert (await client.subscriptions.get(OTHER)).id == f"/subscriptions/{OTHER}"


async def test_locks_keep_what_they_lock(azure: Served) -> None:
    azure.arm.load([{"id": f"{NETWORK}/routeTables/t", "location": "eastus"}])
    await azure.told(ManagementLockClient, _made_locks, SUBSCRIPTION)
    await azure.told(ResourceManagementClient, _refused_by_locks, SUBSCRIPTION)
    async with azure.aio(AsyncManagementLockClient, SUBSCRIPTION) as client:
        locks = client.management_locks
        assert [lock.name async for lock in locks.list_by_scope(GROUP)] == ["all", "keep", "frozen"]
        await locks.delete_by_scope(f"{NETWORK}/routeTables/t", "frozen")
        await locks.delete_at_resource_group_level("rg", "keep")
        await locks.delete_at_subscription_level("all")
        assert [lock async for lock in locks.list_at_subscription_level()] == []
        with pytest.raises(ResourceNotFoundError):
            await locks.get_at_subscription_level("all")
    await azure.told(ResourceManagementClient, _table_deleted, SUBSCRIPTION)


def _made_locks(client: ManagementLockClient) -> None:
    locks = client.management_locks
    keep: Any = {"properties": {"level": "CanNotDelete", "notes": "ours"}}
    frozen: Any = {"properties": {"level": "ReadOnly"}}
    made = locks.create_or_update_at_resource_group_level("rg", "keep", keep)
    assert (made.level, made.notes) == ("CanNotDelete", "ours")
    table = ("rg", "Microsoft.Network", "", "routeTables", "t")
    locks.create_or_update_at_resource_level(*table, "frozen", frozen)
    locks.create_or_update_at_subscription_level("all", keep)
    assert [lock.name for lock in locks.list_at_resource_level(*table)] == ["all", "keep", "frozen"]
    assert [lock.name for lock in locks.list_at_resource_group_level("rg", filter="atScope()")] == ["all", "keep"]
    assert len(list(locks.list_at_subscription_level())) == 3
    assert locks.get_by_scope(f"{NETWORK}/routeTables/t", "frozen").level == "ReadOnly"


def _refused_by_locks(client: ResourceManagementClient) -> None:
    table = f"{NETWORK}/routeTables/t"
    body: Any = {"location": "eastus"}
    for call in (
        lambda: client.resources.begin_create_or_update_by_id(table, body, api_version="2024-05-01"),
        lambda: client.resources.begin_delete_by_id(table, api_version="2024-05-01"),
        lambda: client.resource_groups.begin_delete("rg"),
    ):
        with pytest.raises(ResourceExistsError) as refused:
            call()
        assert refused.value.error is not None
        assert refused.value.error.code == "ScopeLocked"


def _table_deleted(client: ResourceManagementClient) -> None:
    client.resources.begin_delete_by_id(f"{NETWORK}/routeTables/t", api_version="2024-05-01").result()


def _policies(client: PolicyClient) -> None:
    rule = {"if": {"field": "type", "equals": "Microsoft.Network/natGateways"}, "then": {"effect": "audit"}}
    definition: Any = {"properties": {"policyType": "Custom", "mode": "All", "policyRule": rule}}
    defined = client.policy_definitions.create_or_update("private", definition)
    assignment: Any = {"properties": {"policyDefinitionId": defined.id, "displayName": "Subnets are private"}}
    made = client.policy_assignments.create(GROUP, "private", assignment)
    assert made.policy_definition_id == defined.id
    assert client.policy_assignments.get(GROUP, "private").display_name == "Subnets are private"
    assert [found.name for found in client.policy_assignments.list_for_resource_group("rg")] == ["private"]
    assert client.policy_definitions.get("private").mode == "All"
    assert "private" in [found.name for found in client.policy_definitions.list()]
    built_in = client.policy_definitions.get_built_in(PRIVATE_SUBNETS)
    assert built_in.display_name == "Subnets should be private"
    assert PRIVATE_SUBNETS in [found.name for found in client.policy_definitions.list_built_in()]
    moved: Any = {"location": "eastus", "identity": {"type": "SystemAssigned"}}
    patched = client.policy_assignments.update(GROUP, "private", moved)
    assert patched.identity is not None
    assert patched.identity.principal_id
    with pytest.raises(HttpResponseError) as refused:
        client.policy_definitions.delete("private")
    assert refused.value.error is not None
    assert refused.value.error.code == "InvalidDeletePolicyDefinitionRequest"
    client.policy_assignments.delete(GROUP, "private")
    client.policy_definitions.delete("private")
    with pytest.raises(ResourceNotFoundError):
        client.policy_assignments.get(GROUP, "private")


async def test_policies(azure: Served) -> None:
    await azure.told(PolicyClient, _policies, SUBSCRIPTION)
    built_in = f"/providers/Microsoft.Authorization/policyDefinitions/{PRIVATE_SUBNETS}"
    async with azure.aio(AsyncPolicyClient, SUBSCRIPTION) as client:
        await client.policy_assignments.create(SCOPE, "a", {"properties": {"policyDefinitionId": built_in}})
        assert [found.name async for found in client.policy_assignments.list()] == ["a"]
        await client.policy_assignments.delete(SCOPE, "a")
        assert [found async for found in client.policy_assignments.list()] == []


def _deployments(client: DeploymentsMgmtClient) -> None:
    body: Any = {"properties": {"mode": "Incremental", "template": {}, "provisioningState": "Succeeded"}}
    made = client.deployments.begin_create_or_update("rg", "d", body).result()
    assert (made.name, made["properties"]["provisioningState"]) == ("d", "Succeeded")
    assert client.deployments.get("rg", "d").id == f"{GROUP}/providers/Microsoft.Resources/deployments/d"
    assert client.deployments.check_existence("rg", "d")
    assert [found.name for found in client.deployments.list_by_resource_group("rg")] == ["failed", "d"]
    failed = "provisioningState eq 'Failed'"
    assert [found.name for found in client.deployments.list_by_resource_group("rg", filter=failed)] == ["failed"]
    client.deployments.begin_delete("rg", "d").result()
    assert not client.deployments.check_existence("rg", "d")


async def test_deployments_keep_the_state_they_are_given(azure: Served) -> None:
    shell = f"{GROUP}/providers/Microsoft.Resources/deployments"

    def failing(client: DeploymentsMgmtClient) -> None:
        azure.arm.load([{"id": f"{shell}/failed", "properties": {"provisioningState": "Failed"}}])

    await azure.told(DeploymentsMgmtClient, failing, SUBSCRIPTION)
    await azure.told(DeploymentsMgmtClient, _deployments, SUBSCRIPTION)
    async with azure.aio(AsyncDeploymentsMgmtClient, SUBSCRIPTION) as client:
        assert [found.name async for found in client.deployments.list_by_resource_group("rg")] == ["failed"]
        with pytest.raises(ResourceNotFoundError):
            await client.deployments.get("rg", "d")


# --- Resource Graph and Event Grid ----------------------------------------------------------------


def _query(token: str | None = None) -> QueryRequest:
    query = "resources | project id, name | order by name asc"
    return QueryRequest(subscriptions=[SUBSCRIPTION], query=query, options=QueryRequestOptions(top=2, skip_token=token))


def _graph(client: ResourceGraphClient) -> None:
    names: list[str] = []
    page = client.resources(_query())
    while True:
        rows: Any = page.data
        names += [row["name"] for row in rows]
        if page.skip_token is None:
            break
        page = client.resources(_query(page.skip_token))
    assert names == [f"v{n}" for n in range(5)]
    for _ in range(12):
        client.resources(_query())
    with pytest.raises(HttpResponseError) as refused:
        client.resources(_query(), retry_total=0)
    assert refused.value.error is not None
    assert (refused.value.status_code, refused.value.error.code) == (429, "RateLimiting")


async def test_resource_graph(azure: Served) -> None:
    azure.arm.load([{"id": f"{NETWORK}/virtualNetworks/v{n}", "location": "eastus"} for n in range(5)])
    await azure.told(ResourceGraphClient, _graph)
    azure.arm.clock.advance(5)  # type: ignore[attr-defined]  # it is a ManualClock
    async with azure.aio(AsyncResourceGraphClient) as client:
        page = await client.resources(_query())
        assert (page.total_records, page.count) == (5, 2)


HOOK: Any = {
    "destination": {"endpointType": "WebHook", "properties": {"endpointUrl": "http://127.0.0.1:9/hook"}},
    "filter": {"includedEventTypes": ["Microsoft.Resources.ResourceWriteSuccess"]},
}
TOPIC: Any = {
    "location": "global",
    "properties": {"source": SCOPE, "topicType": "Microsoft.Resources.Subscriptions"},
}


def _grid(client: EventGridManagementClient) -> None:
    body: Any = {"properties": HOOK}
    subscriptions = client.event_subscriptions
    for _ in range(2):  # made, and written again
        made = subscriptions.begin_create_or_update(SCOPE, "mine", body).result()
        assert made.provisioning_state == "Succeeded"
    chosen = subscriptions.get(SCOPE, "mine").filter
    assert chosen is not None
    assert chosen.included_event_types == HOOK["filter"]["includedEventTypes"]
    assert [found.name for found in subscriptions.list_global_by_subscription()] == ["mine"]
    kind = "Microsoft.Resources.Subscriptions"
    assert [found.name for found in subscriptions.list_global_by_subscription_for_topic_type(kind)] == ["mine"]
    assert list(subscriptions.list_regional_by_subscription("eastus")) == []
    assert list(subscriptions.list_by_resource("rg", "Microsoft.Network", "natGateways", "n")) == []
    changed = subscriptions.begin_update(SCOPE, "mine", EventSubscriptionUpdateParameters(labels=["new"])).result()
    assert changed.labels == ["new"]
    assert subscriptions.get_full_url(SCOPE, "mine").endpoint_url == "http://127.0.0.1:9/hook"
    assert subscriptions.get_delivery_attributes(SCOPE, "mine").value == []
    subscriptions.begin_delete(SCOPE, "mine").result()
    with pytest.raises(ResourceNotFoundError):
        subscriptions.get(SCOPE, "mine")
    topic = client.system_topics.begin_create_or_update("rg", "topic", TOPIC).result()
    assert topic.source == SCOPE
    inside = client.system_topic_event_subscriptions
    inside.begin_create_or_update("rg", "topic", "mine", body).result()
    assert [found.name for found in inside.list_by_system_topic("rg", "topic")] == ["mine"]
    assert inside.begin_update("rg", "topic", "mine", EventSubscriptionUpdateParameters(labels=["new"])).result().labels
    assert inside.get_full_url("rg", "topic", "mine").endpoint_url == "http://127.0.0.1:9/hook"
    owned = SystemTopicUpdateParameters(tags={"a": "b"}, identity=IdentityInfo(type="SystemAssigned"))
    identity = client.system_topics.begin_update("rg", "topic", owned).result().identity
    assert identity is not None
    assert identity.principal_id
    inside.begin_delete("rg", "topic", "mine").result()
    assert [found.name for found in client.system_topics.list_by_resource_group("rg")] == ["topic"]
    client.system_topics.begin_delete("rg", "topic").result()
    assert list(client.system_topics.list_by_subscription()) == []


async def test_event_grid(azure: Served) -> None:
    await azure.told(EventGridManagementClient, _grid, SUBSCRIPTION)
    async with azure.aio(AsyncEventGridManagementClient, SUBSCRIPTION) as client:
        subscriptions = client.event_subscriptions
        poller = await subscriptions.begin_create_or_update(SCOPE, "mine", {"properties": HOOK})
        assert (await poller.result()).provisioning_state == "Succeeded"
        assert [found.name async for found in subscriptions.list_global_by_subscription()] == ["mine"]
        await (await subscriptions.begin_delete(SCOPE, "mine")).result()
        with pytest.raises(ResourceNotFoundError):
            await subscriptions.get(SCOPE, "mine")
