"""Microsoft's own client library, unmodified, sync and aio, against the simulator over real loopback."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.network.aio import NetworkManagementClient as AsyncNetworkManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient

from simulator.arm import Arm, SystemClock
from simulator.server import Server, serve
from tests.simulator.cloud import GROUP, SUBSCRIPTION


class Bearer(SansIOHTTPPolicy[Any, Any]):
    """Puts the owner's token on every request; the library's own policy refuses plain HTTP."""

    def on_request(self, request: PipelineRequest[Any]) -> None:
        request.http_request.headers["Authorization"] = "Bearer simulator"


class Credential:
    """Never asked, because Bearer stands in its place."""

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        raise AssertionError(scopes)


class AsyncCredential:
    """Never asked, because Bearer stands in its place."""

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        raise AssertionError(scopes)

    async def close(self) -> None:
        return None

    async def __aenter__(self) -> "AsyncCredential":
        return self

    async def __aexit__(self, *_: object) -> None:
        return None


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    arm = Arm(SystemClock())
    arm.load([{"id": GROUP, "type": "Microsoft.Resources/resourceGroups", "location": "eastus"}])
    running = await serve(arm)
    yield running
    await running.close()


def _body(properties: dict[str, Any], **members: Any) -> Any:
    """Properties in, a body out; the library's type hints know its models only, it takes mappings too."""
    return {"location": "eastus", "properties": properties, **members}


def _story(client: NetworkManagementClient) -> None:
    address = client.public_ip_addresses.begin_create_or_update(
        "rg", "pip", _body({"publicIPAllocationMethod": "Static"}, sku={"name": "Standard"})
    ).result()
    assert address["properties"]["ipAddress"]
    gateway = client.nat_gateways.begin_create_or_update(
        "rg", "nat", _body({"publicIpAddresses": [{"id": address.id}]}, sku={"name": "Standard"})
    ).result()
    client.virtual_networks.begin_create_or_update(
        "rg", "v", _body({"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}})
    ).result()
    subnet = client.subnets.begin_create_or_update(
        "rg", "v", "s", _body({"addressPrefix": "10.0.0.0/24", "natGateway": {"id": gateway.id}})
    ).result()
    assert subnet["properties"]["provisioningState"] == "Succeeded"
    assert [found["id"] for found in client.nat_gateways.get("rg", "nat")["properties"]["subnets"]] == [subnet.id]
    with pytest.raises(HttpResponseError) as refused:
        client.nat_gateways.begin_delete("rg", "nat")
    assert refused.value.error is not None
    assert refused.value.error.code == "CannotDeleteNatGatewayAssociatedToSubnet"
    client.subnets.begin_delete("rg", "v", "s").result()
    client.nat_gateways.begin_delete("rg", "nat").result()
    client.public_ip_addresses.begin_delete("rg", "pip").result()
    assert [vnet.name for vnet in client.virtual_networks.list_all()] == ["v"]
    with pytest.raises(ResourceNotFoundError):
        client.nat_gateways.get("rg", "nat")


async def test_sync_client_creates_attaches_and_deletes(server: Server) -> None:
    with NetworkManagementClient(
        Credential(),
        SUBSCRIPTION,
        base_url=f"http://127.0.0.1:{server.port}",
        authentication_policy=Bearer(),
    ) as client:
        await asyncio.to_thread(_story, client)


def _groups(client: ResourceManagementClient) -> None:
    group: Any = {"location": "westus", "tags": {"a": "b"}}
    assert client.resource_groups.create_or_update("other", group).location == "westus"
    assert sorted(str(found.name) for found in client.resource_groups.list()) == ["other", "rg"]
    network: Any = {"location": "westus", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}
    vnet = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/other/providers/Microsoft.Network/virtualNetworks/v"
    client.resources.begin_create_or_update_by_id(vnet, network, api_version="2024-05-01").result()
    chosen = "resourceType eq 'Microsoft.Network/virtualNetworks'"
    assert [found.id for found in client.resources.list(filter=chosen)] == [vnet]
    assert client.resources.get_by_id(vnet, api_version="2024-05-01").name == "v"
    client.resource_groups.begin_delete("other").result()
    assert client.resource_groups.check_existence("other") is False
    assert client.resource_groups.check_existence("rg") is True


async def test_resource_client_works_with_groups_and_ids(server: Server) -> None:
    with ResourceManagementClient(
        Credential(),
        SUBSCRIPTION,
        base_url=f"http://127.0.0.1:{server.port}",
        authentication_policy=Bearer(),
    ) as client:
        await asyncio.to_thread(_groups, client)


async def test_aio_client_creates_attaches_and_deletes(server: Server) -> None:
    async with AsyncNetworkManagementClient(
        AsyncCredential(),
        SUBSCRIPTION,
        base_url=f"http://127.0.0.1:{server.port}",
        authentication_policy=Bearer(),
    ) as client:
        gateway = await (await client.nat_gateways.begin_create_or_update("rg", "n", _body({}))).result()
        assert gateway["properties"]["provisioningState"] == "Succeeded"
        inline = {"name": "s", "properties": {"addressPrefix": "10.0.0.0/24", "natGateway": {"id": gateway.id}}}
        vnet = _body({"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [inline]})
        await (await client.virtual_networks.begin_create_or_update("rg", "v", vnet)).result()
        subnet = await client.subnets.get("rg", "v", "s")
        assert subnet["properties"]["natGateway"]["id"] == gateway.id
        with pytest.raises(HttpResponseError) as refused:
            await client.subnets.begin_create_or_update("rg", "v", "s", subnet, headers={"If-Match": "stale"})
        assert refused.value.status_code == 412
        del subnet["properties"]["natGateway"]
        headers = {"If-Match": subnet["etag"]}
        await (await client.subnets.begin_create_or_update("rg", "v", "s", subnet, headers=headers)).result()
        assert "subnets" not in (await client.nat_gateways.get("rg", "n"))["properties"]
        await (await client.virtual_networks.begin_delete("rg", "v")).result()
        await (await client.nat_gateways.begin_delete("rg", "n")).result()
        assert [found async for found in client.nat_gateways.list_all()] == []


def _hub_and_spoke(client: NetworkManagementClient) -> None:
    def network(name: str, prefix: str, subnet: str, inner: str) -> str:
        subnets = [{"name": subnet, "properties": {"addressPrefix": inner}}]
        body = _body({"addressSpace": {"addressPrefixes": [prefix]}, "subnets": subnets})
        return str(client.virtual_networks.begin_create_or_update("rg", name, body).result().id)

    hub = network("hub", "10.0.0.0/16", "GatewaySubnet", "10.0.0.0/24")
    spoke = network("spoke", "10.1.0.0/16", "s", "10.1.0.0/24")
    configuration = {"name": "default", "properties": {"subnet": {"id": f"{hub}/subnets/GatewaySubnet"}}}
    gateway = _body({"gatewayType": "Vpn", "ipConfigurations": [configuration]})
    client.virtual_network_gateways.begin_create_or_update("rg", "gw", gateway).result()
    learned = client.virtual_network_gateways.begin_get_learned_routes("rg", "gw").result()
    assert [(route.network, route.origin) for route in learned.value or []] == [("10.0.0.0/16", "Network")]
    for name, mine, other, flags in (
        ("to-spoke", "hub", spoke, {"allowGatewayTransit": True}),
        ("to-hub", "spoke", hub, {"useRemoteGateways": True}),
    ):
        side: Any = {"properties": {"remoteVirtualNetwork": {"id": other}, **flags}}
        client.virtual_network_peerings.begin_create_or_update("rg", mine, name, side).result()
    peering = client.virtual_network_peerings.get("rg", "spoke", "to-hub")
    assert (peering["properties"]["peeringState"], peering["properties"]["peeringSyncLevel"]) == (
        "Connected",
        "FullyInSync",
    )
    client.virtual_network_peerings.begin_create_or_update(
        "rg", "spoke", "to-hub", peering, sync_remote_address_space="true"
    ).result()
    client.virtual_network_peerings.begin_delete("rg", "spoke", "to-hub").result()
    assert client.virtual_network_peerings.get("rg", "hub", "to-spoke")["properties"]["peeringState"] == "Disconnected"
    route: Any = {"properties": {"addressPrefix": "0.0.0.0/0", "nextHopType": "Internet"}}
    client.route_tables.begin_create_or_update("rg", "t", _body({})).result()
    client.routes.begin_create_or_update("rg", "t", "out", route).result()
    assert [found.name for found in client.routes.list("rg", "t")] == ["out"]


async def test_sync_client_builds_hub_and_spoke(server: Server) -> None:
    with NetworkManagementClient(
        Credential(),
        SUBSCRIPTION,
        base_url=f"http://127.0.0.1:{server.port}",
        authentication_policy=Bearer(),
        polling_interval=0,
    ) as client:
        await asyncio.to_thread(_hub_and_spoke, client)
