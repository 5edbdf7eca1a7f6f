"""The requests of Microsoft's az 2.91, as they were recorded, over HTTPS: what it needs of each answer.

`make check-az` runs az itself. Here is what it sends, so that it goes on working where az is not installed.
"""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from simulator.__main__ import certificate
from simulator.arm import Arm, ManualClock
from simulator.identity import TENANT
from simulator.server import serve
from tests.simulator.cloud import GROUP, NETWORK, SUBSCRIPTION, link, nic_properties

SUBSCRIPTION_ID = f"/subscriptions/{SUBSCRIPTION}"
LOWER_GROUP = GROUP.replace("resourceGroups", "resourcegroups")
PROVIDERS = f"{SUBSCRIPTION_ID}/providers"
SUBNET = f"{NETWORK}/virtualNetworks/v/subnets/s"
ESTATE: list[dict[str, Any]] = [
    {"id": GROUP, "type": "Microsoft.Resources/resourceGroups", "location": "westeurope"},
    {
        "id": f"{NETWORK}/virtualNetworks/v",
        "location": "westeurope",
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "subnets": [{"name": "s", "properties": {"addressPrefix": "10.0.0.0/24"}}],
        },
    },
    {
        "id": f"{NETWORK}/virtualNetworks/hub",
        "location": "westeurope",
        "properties": {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}},
    },
    {
        "id": f"{NETWORK}/publicIPAddresses/ip",
        "location": "westeurope",
        "sku": {"name": "Standard"},
        "properties": {"publicIPAllocationMethod": "Static"},
    },
    {"id": f"{NETWORK}/natGateways/ng", "location": "westeurope", "sku": {"name": "Standard"}},
    {
        "id": f"{NETWORK}/networkInterfaces/nic",
        "location": "westeurope",
        "properties": {
            **nic_properties("virtualNetworks/v/subnets/s"),
            "virtualMachine": {"id": f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm"},
        },
    },
    {"id": f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks", "location": "westeurope"},
]


class Az:
    """What az does with an answer before it shows it."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._session = session
        self.token = ""

    async def asked(self, method: str, target: str, body: object = None) -> tuple[int, dict[str, str], Any]:
        """A request in; status, headers and body of the answer out."""
        sent = {"Accept": "application/json", "CommandName": "network", "ParameterSetName": "-g -n -o"}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        target = target if target.startswith("https:") else self.url + target
        async with self._session.request(method, target, json=body, headers=sent) as response:
            said = await response.json() if await response.read() else None
            return response.status, {name.lower(): value for name, value in response.headers.items()}, said

    async def sign_in(self) -> list[str]:
        """The requests of `az cloud register` and `az login --service-principal`; the subscriptions it found out."""
        _, _, cloud = await self.asked("GET", "/metadata/endpoints?api-version=2022-09-01")
        authority = f"{cloud['authentication']['loginEndpoint']}/{TENANT}"
        _, _, known = await self.asked("GET", f"{authority}/v2.0/.well-known/openid-configuration")
        form = {
            "client_id": "simulator",
            "grant_type": "client_credentials",
            "client_info": "1",
            "client_secret": "anything",
            "claims": '{"access_token": {"xms_cc": {"values": ["CP1"]}}}',
            "scope": f"{cloud['authentication']['audiences'][0]}/.default",
        }
        async with self._session.post(known["token_endpoint"], data=form) as response:
            given = await response.json()
        assert given["token_type"] == "Bearer"
        self.token = given["access_token"]
        _, _, found = await self.asked("GET", f"{cloud['resourceManager']}/subscriptions?api-version=2022-12-01")
        return [one["subscriptionId"] for one in found["value"] if one["state"] == "Enabled"]

    async def written(self, target: str, body: object) -> Any:
        """A PUT in; it is polled and read again, as az does, and what was read is given out."""
        status, headers, _ = await self.asked("PUT", target, body)
        assert status in (200, 201)
        assert headers["azure-asyncoperation"].startswith(f"{self.url}/")
        _, _, polled = await self.asked("GET", headers["azure-asyncoperation"])
        assert polled["status"] == "Succeeded"
        _, _, found = await self.asked("GET", target)
        assert found["properties"]["provisioningState"] == "Succeeded"
        return found

    async def deleted(self, target: str) -> None:
        """A DELETE in; it is polled, and its result is asked for."""
        status, headers, _ = await self.asked("DELETE", target)
        assert status == 202
        _, _, polled = await self.asked("GET", headers["azure-asyncoperation"])
        assert polled["status"] == "Succeeded"
        assert (await self.asked("GET", headers["location"]))[0] == 204


@pytest.fixture
async def az(tmp_path: Path) -> AsyncIterator[Az]:
    arm = Arm(ManualClock(), estate=ESTATE)
    server = await serve(arm, ssl_context=certificate(tmp_path))
    trusted = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusted)) as session:
        yield Az(f"https://127.0.0.1:{server.port}", session)
    await server.close()


async def test_az_signs_in_and_finds_the_subscriptions(az: Az) -> None:
    assert (await az.asked("GET", "/subscriptions?api-version=2022-12-01"))[0] == 401
    assert await az.sign_in() == [SUBSCRIPTION]


READS: list[tuple[str, str, list[str]]] = [
    ("group list", f"{SUBSCRIPTION_ID}/resourcegroups?api-version=2024-11-01", ["rg"]),
    ("network vnet list", f"{PROVIDERS}/Microsoft.Network/virtualNetworks?api-version=2025-07-01", ["v", "hub"]),
    ("network vnet subnet list", f"{NETWORK}/virtualNetworks/v/subnets?api-version=2024-07-01", ["s"]),
    ("network nat gateway list", f"{NETWORK}/natGateways?api-version=2025-07-01", ["ng"]),
    ("network public-ip list", f"{NETWORK}/publicIPAddresses?api-version=2025-09-01", ["ip"]),
    (
        "network vnet peering list",
        f"{NETWORK}/virtualNetworks/v/virtualNetworkPeerings?api-version=2023-11-01",
        [],
    ),
    (
        "resource list -g rg --resource-type Microsoft.Network/natGateways",
        (
            f"{SUBSCRIPTION_ID}/resources?$filter=resourceGroup%20eq%20%27rg%27%20and%20resourceType%20eq%20"
            "%27Microsoft.Network%2FnatGateways%27&$expand=createdTime%2CchangedTime%2CprovisioningState"
            "&api-version=2024-11-01"
        ),
        ["ng"],
    ),
    (
        "resource list --tag owner=me",
        (
            f"{SUBSCRIPTION_ID}/resources?$filter=tagname%20eq%20%27owner%27%20and%20tagvalue%20eq%20%27me%27"
            "&$expand=createdTime%2CchangedTime%2CprovisioningState&api-version=2024-11-01"
        ),
        [],
    ),
    (
        "resource list",
        f"{SUBSCRIPTION_ID}/resources?$filter=&$expand=createdTime&api-version=2024-11-01",
        ["v", "hub", "ip", "ng", "nic", "aks"],
    ),
    (
        "policy assignment list",
        f"{PROVIDERS}/Microsoft.Authorization/policyAssignments?$filter=atExactScope%28%29&api-version=2025-11-01",
        [],
    ),
    ("lock list", f"{PROVIDERS}/Microsoft.Authorization/locks?api-version=2016-09-01", []),
    (
        "monitor activity-log list",
        (
            f"{PROVIDERS}/Microsoft.Insights/eventtypes/management/values?$filter=eventTimestamp%20ge%20"
            "2026-11-21T03%3A48%3A49.894920%20and%20eventTimestamp%20le%202026-11-21T09%3A48%3A49.894920"
            "&api-version=2015-04-01"
        ),
        [],
    ),
    (
        "eventgrid event-subscription list --location global",
        f"{PROVIDERS}/Microsoft.EventGrid/eventSubscriptions?api-version=2021-10-15-preview&$top=100",
        [],
    ),
]


@pytest.mark.parametrize(("target", "names"), [read[1:] for read in READS], ids=[read[0] for read in READS])
async def test_lists(az: Az, target: str, names: list[str]) -> None:
    await az.sign_in()
    status, _, found = await az.asked("GET", target)
    assert (status, [entry["name"] for entry in found["value"]]) == (200, names)


SHOWN: list[tuple[str, str, str]] = [
    ("group show", f"{LOWER_GROUP}?api-version=2024-11-01", "rg"),
    ("network vnet show", f"{NETWORK}/virtualNetworks/v?api-version=2025-07-01", "v"),
    ("network vnet subnet show", f"{SUBNET}?api-version=2024-07-01", "s"),
    ("network nat gateway show", f"{NETWORK}/natGateways/ng?api-version=2025-07-01", "ng"),
    (
        "aks show",
        f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks?api-version=2026-06-01",
        "aks",
    ),
]


@pytest.mark.parametrize(("target", "name"), [read[1:] for read in SHOWN], ids=[read[0] for read in SHOWN])
async def test_single_ones(az: Az, target: str, name: str) -> None:
    await az.sign_in()
    status, _, found = await az.asked("GET", target)
    assert (status, found["name"]) == (200, name)


async def test_a_missing_subnet_is_code_3_of_az(az: Az) -> None:
    await az.sign_in()
    assert (await az.asked("GET", f"{SUBNET}-gone?api-version=2024-07-01"))[0] == 404


async def test_subnet_update_puts_the_whole_subnet_back(az: Az) -> None:
    await az.sign_in()
    target = f"{SUBNET}?api-version=2024-07-01"
    _, _, found = await az.asked("GET", target)
    properties = {
        "addressPrefix": found["properties"]["addressPrefix"],
        "delegations": found["properties"]["delegations"],
        "privateEndpointNetworkPolicies": found["properties"]["privateEndpointNetworkPolicies"],
        "privateLinkServiceNetworkPolicies": found["properties"]["privateLinkServiceNetworkPolicies"],
    }
    body = {"id": found["id"], "name": found["name"], "type": found["type"], "properties": properties}
    endpoints = [{"service": "Microsoft.Storage"}]
    written = await az.written(target, body | {"properties": properties | {"serviceEndpoints": endpoints}})
    assert [one["service"] for one in written["properties"]["serviceEndpoints"]] == ["Microsoft.Storage"]
    written = await az.written(target, body | {"properties": properties | {"natGateway": link("natGateways/ng")}})
    assert written["properties"]["natGateway"] == link("natGateways/ng")
    written = await az.written(target, body)
    assert "natGateway" not in written["properties"]


CREATED: list[tuple[str, str, dict[str, Any]]] = [
    (
        "network public-ip create",
        f"{NETWORK}/publicIPAddresses/ip2?api-version=2025-09-01",
        {
            "location": "westeurope",
            "properties": {"idleTimeoutInMinutes": 4, "publicIPAllocationMethod": "Static"},
            "sku": {"name": "Standard"},
        },
    ),
    (
        "network nat gateway create",
        f"{NETWORK}/natGateways/ng2?api-version=2025-07-01",
        {
            "location": "westeurope",
            "properties": {"idleTimeoutInMinutes": 10, "publicIpAddresses": [link("publicIPAddresses/ip")]},
            "sku": {"name": "Standard"},
        },
    ),
    (
        "network nat gateway update",
        f"{NETWORK}/natGateways/ng?api-version=2025-07-01",
        {
            "id": f"{NETWORK}/natGateways/ng",
            "location": "westeurope",
            "properties": {"idleTimeoutInMinutes": 12},
            "sku": {"name": "Standard"},
        },
    ),
    (
        "network route-table create",
        f"{NETWORK}/routeTables/rt?api-version=2025-07-01",
        {"location": "westeurope"},
    ),
    (
        "network nsg create",
        f"{NETWORK}/networkSecurityGroups/nsg?api-version=2022-01-01",
        {"location": "westeurope"},
    ),
    (
        "network vnet create",
        f"{NETWORK}/virtualNetworks/w?api-version=2025-07-01",
        {
            "location": "westeurope",
            "properties": {
                "addressSpace": {"addressPrefixes": ["10.2.0.0/16"]},
                "enableDdosProtection": False,
                "enableVmProtection": False,
                "subnets": [{"name": "s", "properties": {"addressPrefix": "10.2.0.0/24"}}],
            },
        },
    ),
    (
        "network vnet subnet create",
        f"{NETWORK}/virtualNetworks/v/subnets/t?api-version=2024-07-01",
        {
            "name": "t",
            "properties": {
                "addressPrefix": "10.0.1.0/24",
                "privateEndpointNetworkPolicies": "Disabled",
                "privateLinkServiceNetworkPolicies": "Enabled",
            },
        },
    ),
    (
        "network vnet peering create",
        f"{NETWORK}/virtualNetworks/v/virtualNetworkPeerings/to-hub?api-version=2023-11-01",
        {
            "name": "to-hub",
            "properties": {
                "allowForwardedTraffic": False,
                "allowGatewayTransit": False,
                "allowVirtualNetworkAccess": True,
                "peerCompleteVnets": True,
                "remoteVirtualNetwork": link("virtualNetworks/hub"),
                "useRemoteGateways": False,
            },
        },
    ),
]


@pytest.mark.parametrize(("target", "body"), [write[1:] for write in CREATED], ids=[write[0] for write in CREATED])
async def test_writes_are_polled_and_read_again(az: Az, target: str, body: dict[str, Any]) -> None:
    await az.sign_in()
    await az.written(target, body)


async def test_a_route_in_a_new_table_and_its_delete(az: Az) -> None:
    await az.sign_in()
    table = f"{NETWORK}/routeTables/rt"
    await az.written(f"{table}?api-version=2025-07-01", {"location": "westeurope"})
    properties = {"addressPrefix": "0.0.0.0/0", "nextHopIpAddress": "10.1.0.4", "nextHopType": "VirtualAppliance"}
    await az.written(f"{table}/routes/out?api-version=2025-07-01", {"name": "out", "properties": properties})
    await az.deleted(f"{table}/routes/out?api-version=2025-07-01")
    await az.deleted(f"{table}?api-version=2025-07-01")


async def test_deletes_end_without_content(az: Az) -> None:
    await az.sign_in()
    await az.deleted(f"{NETWORK}/natGateways/ng?api-version=2025-07-01")
    await az.deleted(f"{NETWORK}/publicIPAddresses/ip?api-version=2025-09-01")
    await az.deleted(f"{NETWORK}/virtualNetworks/hub?api-version=2025-07-01")


async def test_groups_are_made_asked_for_and_deleted(az: Az) -> None:
    await az.sign_in()
    target = f"{LOWER_GROUP}-new?api-version=2024-11-01"
    assert (await az.asked("PUT", target, {"location": "westeurope"}))[0] == 201
    assert (await az.asked("HEAD", target))[0] == 204
    status, headers, _ = await az.asked("DELETE", target)
    assert status == 202
    assert (await az.asked("GET", headers["location"]))[0] == 200
    assert (await az.asked("HEAD", target))[0] == 404


async def test_effective_routes_are_polled_by_location(az: Az) -> None:
    await az.sign_in()
    path = f"{NETWORK}/networkInterfaces/nic/effectiveRouteTable?api-version=2022-01-01"
    status, headers, _ = await az.asked("POST", path)
    assert status == 202
    status, _, found = await az.asked("GET", headers["location"])
    assert (status, found["value"][0]["nextHopType"]) == (200, "VnetLocal")


async def test_resource_show_finds_the_api_version_first(az: Az) -> None:
    await az.sign_in()
    for namespace, kind, path in (
        ("Microsoft.Network", "virtualNetworks", "virtualNetworks/v"),
        ("Microsoft.Network", "virtualNetworks/subnets", "virtualNetworks/v/subnets/s"),
    ):
        _, _, provider = await az.asked("GET", f"{PROVIDERS}/{namespace}?api-version=2024-11-01")
        (known,) = [one for one in provider["resourceTypes"] if one["resourceType"].lower() == kind.lower()]
        version = next(one for one in known["apiVersions"] if "preview" not in one)
        assert (await az.asked("GET", f"{NETWORK}/{path}?api-version={version}"))[0] == 200


async def test_tags_are_merged_with_200(az: Az) -> None:
    await az.sign_in()
    target = f"{NETWORK}/natGateways/ng/providers/Microsoft.Resources/tags/default?api-version=2024-11-01"
    status, _, found = await az.asked("PATCH", target, {"operation": "Merge", "properties": {"tags": {"a": "b"}}})
    assert (status, found["properties"]["tags"]) == (200, {"a": "b"})


async def test_locks_come_and_go(az: Az) -> None:
    await az.sign_in()
    lock = f"{GROUP}/providers/Microsoft.Authorization/locks/keep?api-version=2016-09-01"
    assert (await az.asked("PUT", lock, {"properties": {"level": "CanNotDelete"}}))[0] == 201
    assert (await az.asked("DELETE", f"{NETWORK}/natGateways/ng?api-version=2025-07-01"))[0] == 409
    assert (await az.asked("DELETE", lock))[0] == 200
    nested = f"{LOWER_GROUP}/providers/Microsoft.Network//natGateways/ng/providers/Microsoft.Authorization/locks/keep"
    version = "?api-version=2016-09-01"
    assert (await az.asked("PUT", nested + version, {"properties": {"level": "ReadOnly"}}))[0] == 201


async def test_graph_query_fills_in_the_subscriptions(az: Az) -> None:
    await az.sign_in()
    body = {
        "subscriptions": [SUBSCRIPTION],
        "query": "Resources | where type =~ 'microsoft.network/natgateways' | project name",
        "options": {"$top": 100, "$skip": 0, "resultFormat": "objectArray", "allowPartialScopes": False},
    }
    target = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"
    status, _, found = await az.asked("POST", target, body)
    assert (status, found["count"], found["totalRecords"], found["data"]) == (200, 1, 1, [{"name": "ng"}])


async def test_management_groups_are_registered_first(az: Az) -> None:
    await az.sign_in()
    namespace = f"{PROVIDERS}/Microsoft.Management"
    assert (await az.asked("POST", f"{namespace}/register?api-version=2024-11-01"))[0] == 200
    _, _, provider = await az.asked("GET", f"{namespace}?api-version=2024-11-01")
    assert provider["registrationState"] == "Registered"


async def test_roles_are_found_by_name_and_assigned_by_object_id(az: Az) -> None:
    await az.sign_in()
    authorization = f"{GROUP}/providers/Microsoft.Authorization"
    _, _, found = await az.asked(
        "GET",
        f"{authorization}/roleDefinitions?api-version=2022-05-01-preview&$filter=roleName%20eq%20%27Reader%27",
    )
    (reader,) = [one["id"] for one in found["value"]]
    principal = "99999999-0000-4000-8000-000000000000"
    properties = {"roleDefinitionId": reader, "principalType": "ServicePrincipal", "principalId": principal}
    assignment = f"{authorization}/roleAssignments/8586ecb7-3850-4f75-bfe4-2b37f25336b2?api-version=2022-04-01"
    assert (await az.asked("PUT", assignment, {"properties": properties}))[0] == 201
    for condition in ("atScope%28%29", f"principalId%20eq%20%27{principal}%27"):
        _, _, listed = await az.asked(
            "GET", f"{authorization}/roleAssignments?api-version=2022-04-01&$filter={condition}"
        )
        assert [one["properties"]["principalId"] for one in listed["value"]] == [principal]
    people = {"ids": [principal], "types": ["user", "group", "servicePrincipal", "directoryObjectPartnerReference"]}
    assert (await az.asked("POST", "/v1.0/directoryObjects/getByIds", people))[0] == 404  # az does without names
    assert (await az.asked("DELETE", assignment))[0] == 200


async def test_az_signs_out_without_a_tenant(az: Az) -> None:
    assert (await az.asked("GET", "/organizations/v2.0/.well-known/openid-configuration"))[0] == 200
