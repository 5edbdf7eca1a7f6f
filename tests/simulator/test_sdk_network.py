"""azure-mgmt-network as it comes, sync and aio, over HTTPS: every type, pages, long operations, errors, throttling."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.network.aio import NetworkManagementClient as AsyncNetworkManagementClient

from simulator.arm import Fault
from tests.simulator.cloud import NETWORK, SUBSCRIPTION, link, nic_properties
from tests.simulator.sdk import Served, served

WEB = "virtualNetworks/v/subnets/web"
TYPES: dict[str, tuple[str, dict[str, Any]]] = {
    # The operations of a type, the name, and what is written; each may name those before it.
    "public_ip_prefixes": ("prefix", {"prefixLength": 30}),
    "public_ip_addresses": ("address", {"publicIPAllocationMethod": "Static"}),
    "network_security_groups": ("group", {}),
    "route_tables": (
        "table",
        {"routes": [{"name": "out", "properties": {"addressPrefix": "0.0.0.0/0", "nextHopType": "None"}}]},
    ),
    "nat_gateways": ("gateway", {"publicIpAddresses": [link("publicIPAddresses/address")]}),
    "virtual_networks": (
        "v",
        {
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "subnets": [
                {
                    "name": "web",
                    "properties": {"addressPrefix": "10.0.0.0/24", "natGateway": link("natGateways/gateway")},
                }
            ],
        },
    ),
    "load_balancers": (
        "balancer",
        {
            "frontendIPConfigurations": [{"name": "in", "properties": {"subnet": link(WEB)}}],
            "backendAddressPools": [{"name": "pool"}],
        },
    ),
    "network_interfaces": ("nic", nic_properties(WEB)),
    "firewall_policies": ("policy", {}),
    "azure_firewalls": ("firewall", {"firewallPolicy": link("firewallPolicies/policy")}),
}


@pytest.fixture
async def azure(tmp_path: Path) -> AsyncIterator[Served]:
    async with served(tmp_path, durations={"": 2}, page_size=2, throttle="off") as running:
        yield running


def _body(properties: dict[str, Any], **members: Any) -> Any:
    return {"location": "eastus", "sku": {"name": "Standard"}, "properties": properties, **members}


def _written(operations: str, properties: dict[str, Any], **members: Any) -> Any:
    body = _body(properties, **members)
    if operations.startswith(("azure_f", "firewall")):
        del body["sku"]
    return body


def _every_type(client: NetworkManagementClient) -> None:
    for operations, (name, properties) in TYPES.items():
        group: Any = getattr(client, operations)
        made = group.begin_create_or_update("rg", name, _written(operations, properties)).result()
        assert (made.name, made["properties"]["provisioningState"]) == (name, "Succeeded")
        read = group.get("rg", name)
        assert (read.id, read.etag) == (made.id, made.etag)
        assert [found.id for found in group.list("rg")] == [read.id]
    read = client.nat_gateways.get("rg", "gateway")
    assert [str(subnet.id) for subnet in read.subnets or []] == [f"{NETWORK}/{WEB}"]
    for operations in ("public_ip_addresses", "route_tables", "nat_gateways", "virtual_networks", "load_balancers"):
        tagged = getattr(client, operations).update_tags("rg", TYPES[operations][0], {"tags": {"a": "b"}})
        assert tagged.tags == {"a": "b"}
    for operations, (name, _) in reversed(TYPES.items()):
        group = getattr(client, operations)
        assert group.begin_delete("rg", name).result() is None
        with pytest.raises(ResourceNotFoundError) as missing:
            group.get("rg", name)
        assert missing.value.error is not None
        assert missing.value.error.code == "NotFound"
        assert group.begin_delete("rg", name).result() is None


async def test_every_type_is_made_read_listed_tagged_and_deleted(azure: Served) -> None:
    await azure.told(NetworkManagementClient, _every_type, SUBSCRIPTION)
    polls = [entry for entry in azure.arm.requests if "/operations/" in entry.path]
    written = sum(entry.method in ("PUT", "DELETE") and entry.status in (200, 201, 202) for entry in azure.arm.requests)
    assert len(polls) > written


def _children(client: NetworkManagementClient) -> None:
    for name, prefix in (("v", "10.0.0.0/16"), ("w", "10.1.0.0/16")):
        space = {"addressSpace": {"addressPrefixes": [prefix]}}
        client.virtual_networks.begin_create_or_update("rg", name, _body(space)).result()
    client.route_tables.begin_create_or_update("rg", "t", _body({})).result()
    client.network_security_groups.begin_create_or_update("rg", "g", _body({})).result()
    client.firewall_policies.begin_create_or_update("rg", "p", _written("firewall", {})).result()
    rule = {
        "priority": 100,
        "direction": "Inbound",
        "access": "Deny",
        "protocol": "*",
        "sourcePortRange": "*",
        "destinationPortRange": "*",
        "sourceAddressPrefix": "*",
        "destinationAddressPrefix": "*",
    }
    cases: list[tuple[Any, str, dict[str, Any], dict[str, Any]]] = [
        (client.subnets, "v", {"addressPrefix": "10.0.0.0/24"}, {"addressPrefix": "10.0.1.0/24"}),
        (
            client.routes,
            "t",
            {"addressPrefix": "10.8.0.0/16", "nextHopType": "None"},
            {"addressPrefix": "10.9.0.0/16", "nextHopType": "None"},
        ),
        (client.security_rules, "g", rule, rule | {"priority": 200}),
        (client.firewall_policy_rule_collection_groups, "p", {"priority": 100}, {"priority": 200}),
    ]
    for operations, parent, first, second in cases:
        for name, properties in (("first", first), ("second", second)):
            made = operations.begin_create_or_update("rg", parent, name, {"properties": properties}).result()
            assert made["properties"]["provisioningState"] == "Succeeded"
        assert [found.name for found in operations.list("rg", parent)] == ["first", "second"]
        operations.begin_delete("rg", parent, "first").result()
        with pytest.raises(ResourceNotFoundError):
            operations.get("rg", parent, "first")
        assert operations.get("rg", parent, "second").name == "second"
    sides = client.virtual_network_peerings
    for mine, other in (("v", "w"), ("w", "v")):
        peering: Any = {"properties": {"remoteVirtualNetwork": link(f"virtualNetworks/{other}")}}
        sides.begin_create_or_update("rg", mine, "side", peering).result()
    assert sides.get("rg", "v", "side")["properties"]["peeringState"] == "Connected"
    sides.begin_delete("rg", "w", "side").result()
    assert [side["properties"]["peeringState"] for side in sides.list("rg", "v")] == ["Disconnected"]


async def test_children_are_made_listed_and_deleted(azure: Served) -> None:
    await azure.told(NetworkManagementClient, _children, SUBSCRIPTION)


def _pages(client: NetworkManagementClient) -> None:
    for number in range(5):
        client.route_tables.begin_create_or_update("rg", f"t{number}", _body({})).result()
    pages = [[table.name for table in page] for page in client.route_tables.list_all().by_page()]
    assert pages == [["t0", "t1"], ["t2", "t3"], ["t4"]]
    assert len(list(client.route_tables.list("rg"))) == 5


async def test_lists_come_in_pages(azure: Served) -> None:
    await azure.told(NetworkManagementClient, _pages, SUBSCRIPTION)


def _errors(client: NetworkManagementClient) -> None:
    def refused(kind: type[HttpResponseError], call: Any, *args: Any, **options: Any) -> tuple[int | None, str]:
        with pytest.raises(kind) as problem:
            call(*args, **options)
        assert problem.value.error is not None
        details = problem.value.error.details or []
        return problem.value.status_code, str((details[0] if details else problem.value.error).code)

    tables = client.route_tables
    tables.begin_create_or_update("rg", "t", _body({})).result()
    bad: Any = {"properties": {"addressPrefix": "10.0.0.0/33", "nextHopType": "None"}}
    stale = {"If-Match": 'W/"stale"'}
    write = tables.begin_create_or_update
    assert refused(ResourceNotFoundError, tables.get, "rg", "none") == (404, "ResourceNotFound")
    assert refused(ResourceNotFoundError, tables.get, "none", "t") == (404, "ResourceGroupNotFound")
    assert refused(HttpResponseError, client.routes.begin_create_or_update, "rg", "t", "r", bad)[0] == 400
    assert refused(HttpResponseError, write, "rg", "t", _body({}), headers=stale) == (
        412,
        "PreconditionFailedEtagMismatch",
    )
    assert refused(ResourceExistsError, write, "rg", "t", _body({}, location="westus")) == (
        409,
        "InvalidResourceLocation",
    )
    assert refused(HttpResponseError, write, "rg", "-t", _body({})) == (400, "InvalidResourceName")
    assert refused(HttpResponseError, write, "rg", "u", _body({}, tags={"a/b": ""})) == (
        400,
        "InvalidTagNameCharacters",
    )
    write("rg", "t", _body({}, tags={"a": "b"}), polling=False)
    assert refused(ResourceExistsError, write, "rg", "t", _body({})) == (409, "AnotherOperationInProgress")


async def test_refusals_are_the_librarys_exceptions(azure: Served) -> None:
    await azure.told(NetworkManagementClient, _errors, SUBSCRIPTION)


def _fails_later(client: NetworkManagementClient) -> None:
    poller = client.route_tables.begin_create_or_update("rg", "t", _body({}))
    with pytest.raises(HttpResponseError) as failed:
        poller.result()
    assert failed.value.error is not None
    assert (failed.value.status_code, failed.value.error.code) == (200, "InternalServerError")
    assert client.route_tables.get("rg", "t")["properties"]["provisioningState"] == "Failed"


async def test_an_operation_that_fails_raises_what_it_says(azure: Served) -> None:
    azure.arm.faults = [Fault(method="PUT", later=True, code="InternalServerError")]
    await azure.told(NetworkManagementClient, _fails_later, SUBSCRIPTION)


def _resumes(client: NetworkManagementClient) -> str:
    poller = client.route_tables.begin_create_or_update("rg", "t", _body({}))
    token = str(poller.continuation_token())
    poller.wait()  # its thread would go on asking with a client that is closed
    return token


async def test_an_operation_is_waited_for_by_another_client(azure: Served) -> None:
    token = await azure.told(NetworkManagementClient, _resumes, SUBSCRIPTION)

    def waited(client: NetworkManagementClient) -> str:
        body: Any = None
        poller = client.route_tables.begin_create_or_update("rg", "t", body, continuation_token=token)
        return str(poller.result().name)

    assert await azure.told(NetworkManagementClient, waited, SUBSCRIPTION) == "t"


def _throttled(client: NetworkManagementClient) -> None:
    for _ in range(250):
        client.route_tables.get("rg", "t")
    with pytest.raises(HttpResponseError) as throttled:
        client.route_tables.get("rg", "t", retry_total=0)
    assert throttled.value.error is not None
    assert (throttled.value.status_code, throttled.value.error.code) == (429, "SubscriptionRequestsThrottled")


async def test_a_throttled_call_raises_where_nobody_retries(tmp_path: Path) -> None:
    async with served(tmp_path) as azure:
        azure.arm.load([{"id": f"{NETWORK}/routeTables/t", "location": "eastus"}])
        await azure.told(NetworkManagementClient, _throttled, SUBSCRIPTION)


async def test_aio_makes_reads_lists_and_deletes_every_type(azure: Served) -> None:
    async with azure.aio(AsyncNetworkManagementClient, SUBSCRIPTION) as client:
        for operations, (name, properties) in TYPES.items():
            group = getattr(client, operations)
            made = await (await group.begin_create_or_update("rg", name, _written(operations, properties))).result()
            assert made["properties"]["provisioningState"] == "Succeeded"
            assert (await group.get("rg", name)).etag == made.etag
            assert [found.id async for found in group.list("rg")] == [made.id]
        pages = [[one.name async for one in page] async for page in client.subnets.list("rg", "v").by_page()]
        assert pages == [["web"]]
        with pytest.raises(HttpResponseError) as refused:
            await client.nat_gateways.begin_delete("rg", "gateway")
        assert refused.value.error is not None
        assert refused.value.error.code == "CannotDeleteNatGatewayAssociatedToSubnet"
        for operations, (name, _) in reversed(TYPES.items()):
            await (await getattr(client, operations).begin_delete("rg", name)).result()
            with pytest.raises(ResourceNotFoundError):
                await getattr(client, operations).get("rg", name)
