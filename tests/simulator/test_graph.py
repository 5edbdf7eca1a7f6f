"""Resource Graph's answers: rows, pages, scopes, quota and refusals."""

import base64
import json
from typing import Any

import pytest

from simulator.arm import Arm, ManualClock, Request, bearer
from tests.simulator.cloud import GROUP, NETWORK, SUBSCRIPTION, Cloud, link
from tests.simulator.graph import NETWORKS, PATH, ask, names, refused, rows

OTHER = "11111111-0000-0000-0000-000000000000"
ABSENT = "22222222-0000-0000-0000-000000000000"
SWEEP = (
    f"{NETWORKS} | project id, name, type, location, tags, provisioningState = properties.provisioningState, "
    "addressSpace = properties.addressSpace, subnets = properties.subnets, "
    "virtualNetworkPeerings = properties.virtualNetworkPeerings | order by id asc"
)


def networks(cloud: Cloud, count: int, subscription: str = SUBSCRIPTION) -> None:
    """So many virtual networks in a subscription."""
    scope = f"/subscriptions/{subscription}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks"
    cloud.arm.load([{"id": f"{scope}/v{n:02}", "location": "East US"} for n in range(count)])


# --- rows -------------------------------------------------------------------------------------------


def test_networks_come_with_what_arm_shows_of_them(cloud: Cloud) -> None:
    vnet = cloud.vnet()
    cloud.subnet(f"{vnet}/subnets/s", natGateway=cloud.gateway("n", cloud.address("p")))
    cloud.nic("nic", f"{vnet}/subnets/s")
    body = cloud.get(vnet)
    (row,) = rows(cloud, SWEEP)
    assert row == {
        "id": body["id"],
        "name": "v",
        "type": "microsoft.network/virtualnetworks",
        "location": "eastus",
        "tags": None,
        "provisioningState": "Succeeded",
        "addressSpace": body["properties"]["addressSpace"],
        "subnets": body["properties"]["subnets"],
        "virtualNetworkPeerings": [],
    }
    (gateway,) = rows(cloud, "resources | where type =~ 'Microsoft.Network/natGateways'")
    assert gateway["properties"]["subnets"] == [link(f"{vnet}/subnets/s")]
    assert row["subnets"][0]["properties"]["ipConfigurations"] == [link("networkInterfaces/nic/ipConfigurations/one")]


def test_every_column_is_there(cloud: Cloud) -> None:
    resource_id = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/VM"
    cloud.arm.load([{"id": resource_id, "location": "West US", "zones": ["1"], "properties": {"a": 1}}])
    assert rows(cloud, "resources | where name == 'VM'") == [
        {
            "id": resource_id,
            "name": "VM",
            "type": "microsoft.compute/virtualmachines",
            "tenantId": "5e000000-0000-4000-8000-000000000001",
            "kind": "",
            "location": "westus",
            "resourceGroup": "rg",
            "subscriptionId": SUBSCRIPTION,
            "managedBy": "",
            "sku": None,
            "plan": None,
            "properties": {"a": 1},
            "tags": None,
            "identity": None,
            "zones": ["1"],
            "extendedLocation": None,
        }
    ]


def test_only_top_level_resources_are_in_the_table(cloud: Cloud) -> None:
    cloud.subnet(f"{cloud.vnet()}/subnets/s")
    cloud.arm.load(
        [
            {"id": f"{GROUP}/providers/Microsoft.Authorization/locks/l", "properties": {}},
            {"id": f"{NETWORK}/virtualNetworks/v/providers/Microsoft.Authorization/locks/l", "properties": {}},
            {"id": f"{GROUP}/providers/Microsoft.Resources/deployments/d", "properties": {}},
            {"id": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/locks/l", "properties": {}},
        ]
    )
    assert names(cloud, "resources") == ["v"]
    subnet = f"{NETWORK}/virtualNetworks/v/subnets/s"
    assert names(cloud, f"resources | where id =~ '{subnet}'") == []
    assert names(cloud, "resources | where type =~ 'microsoft.network/virtualnetworks/subnets'") == []


def test_resources_are_found_by_id_in_any_case(cloud: Cloud) -> None:
    networks(cloud, 3)
    wanted = ", ".join(f"'{NETWORK}/virtualNetworks/v0{n}'".upper() for n in (2, 0, 7))
    assert names(cloud, f"resources | where id in~ ({wanted}) | project id, name | order by id asc") == ["v00", "v02"]


def test_containers_are_subscriptions_and_groups(cloud: Cloud) -> None:
    cloud.arm.load(
        [
            {
                "id": f"/subscriptions/{OTHER}",
                "type": "Microsoft.Resources/subscriptions",
                "displayName": "Other",
                "tags": {"a": "b"},
            }
        ]
    )
    query = "resourcecontainers | where type =~ 'microsoft.resources/subscriptions'"
    first, second = rows(cloud, f"{query} | project id, name, type, tags, properties | order by id asc")
    assert first["name"] == "Simulated subscription 00000000"
    assert second == {
        "id": f"/subscriptions/{OTHER}",
        "name": "Other",
        "type": "microsoft.resources/subscriptions",
        "tags": {"a": "b"},
        "properties": {
            "managedByTenants": [],
            "managementGroupAncestorsChain": [
                {"displayName": "Tenant Root Group", "name": "5e000000-0000-4000-8000-000000000001"}
            ],
            "state": "Enabled",
        },
    }
    (group,) = rows(cloud, "ResourceContainers | where type == 'microsoft.resources/subscriptions/resourcegroups'")
    assert (group["id"], group["name"], group["location"], group["resourceGroup"]) == (GROUP, "rg", "eastus", "rg")


# --- pages and formats ------------------------------------------------------------------------------


def test_both_tables_are_put_together(cloud: Cloud) -> None:
    networks(cloud, 2)
    together = "resourcecontainers | union resources"
    apart = [*rows(cloud, "resourcecontainers"), *rows(cloud, "resources")]
    assert sorted(rows(cloud, together), key=lambda row: row["id"].casefold()) == sorted(
        apart, key=lambda row: row["id"].casefold()
    )
    assert len(rows(cloud, f"{together} | where type =~ 'microsoft.network/virtualnetworks'")) == 2
    assert refused(cloud, "resources | union resources")[:2] == (400, "BadRequest")
    assert refused(cloud, "resources | union nonsense")[:2] == (400, "BadRequest")


def test_pages_follow_each_other() -> None:
    cloud = Cloud(graph_page=4)
    networks(cloud, 10)
    found: list[str] = []
    options: dict[str, Any] = {}
    while True:
        page = ask(cloud, SWEEP, options=options).json()
        assert (page["totalRecords"], page["resultTruncated"], page["facets"]) == (10, "false", [])
        assert page["count"] == len(page["data"])
        found += [row["name"] for row in page["data"]]
        if "$skipToken" not in page:
            break
        options = {"$skipToken": page["$skipToken"]}
    assert found == [f"v{n:02}" for n in range(10)]


def test_top_and_skip_choose_the_page(cloud: Cloud) -> None:
    networks(cloud, 10)
    page = ask(cloud, SWEEP, options={"$top": 3, "$skip": 2}).json()
    assert [row["name"] for row in page["data"]] == ["v02", "v03", "v04"]
    token = json.loads(base64.b64decode(page["$skipToken"]))
    assert (token["MaxRows"], token["RowsToSkip"]) == (3, 5)
    following = ask(cloud, SWEEP, options={"$skipToken": page["$skipToken"]}).json()
    assert [row["name"] for row in following["data"]] == ["v05", "v06", "v07"]
    assert names(cloud, SWEEP, options={"$skipToken": page["$skipToken"], "$top": 9}) == [
        "v05",
        "v06",
        "v07",
        "v08",
        "v09",
    ]
    assert names(cloud, SWEEP, options={"$skip": 10}) == []


@pytest.mark.parametrize("query", [f"{NETWORKS} | project name", f"{NETWORKS} | take 8"])
def test_rows_without_ids_and_taken_rows_have_no_next_page(query: str) -> None:
    cloud = Cloud(graph_page=4)
    networks(cloud, 10)
    page = ask(cloud, query).json()
    assert (page["count"], page["resultTruncated"], "$skipToken" in page) == (4, "true", False)


def test_a_thousand_rows_are_a_page(cloud: Cloud) -> None:
    networks(cloud, 1001)
    page = ask(cloud, SWEEP).json()
    assert (page["count"], page["totalRecords"]) == (1000, 1001)


def test_tables_have_columns_and_rows(cloud: Cloud) -> None:
    networks(cloud, 1)
    data = ask(cloud, f"{NETWORKS} | project id, name, tags", options={"resultFormat": "table"}).json()["data"]
    assert data == {
        "columns": [
            {"name": "id", "type": "string"},
            {"name": "name", "type": "string"},
            {"name": "tags", "type": "object"},
        ],
        "rows": [[f"{NETWORK}/virtualNetworks/v00", "v00", None]],
    }


@pytest.mark.parametrize(
    ("version", "kind"), [("2019-04-01", dict), ("2021-03-01", list), ("2022-10-01", list), ("2024-04-01", list)]
)
def test_the_version_of_2019_answers_with_a_table(cloud: Cloud, version: str, kind: type) -> None:
    networks(cloud, 1)
    assert isinstance(ask(cloud, NETWORKS, version=version).json()["data"], kind)
    options = {"resultFormat": "objectArray"}
    assert isinstance(ask(cloud, NETWORKS, version=version, options=options).json()["data"], list)


# --- scopes -----------------------------------------------------------------------------------------


def test_subscriptions_are_named_or_all_are_meant(cloud: Cloud) -> None:
    networks(cloud, 1)
    networks(cloud, 2, OTHER)
    count = f"{NETWORKS} | count"
    assert rows(cloud, count) == [{"Count": 3}]
    assert rows(cloud, count, subscriptions=[]) == [{"Count": 3}]
    assert rows(cloud, count, subscriptions=[OTHER.upper()]) == [{"Count": 2}]
    assert rows(cloud, count, subscriptions=[SUBSCRIPTION, ABSENT]) == [{"Count": 1}]
    wanted = f"'{NETWORK}/virtualNetworks/v00'"
    assert rows(cloud, f"resources | where id in~ ({wanted}) | count", subscriptions=[OTHER]) == [{"Count": 0}]


def test_unknown_subscriptions_alone_are_refused(cloud: Cloud) -> None:
    assert refused(cloud, NETWORKS, subscriptions=[ABSENT]) == (
        400,
        "BadRequest",
        ["NoValidSubscriptionsInQueryRequest"],
    )


def test_at_most_a_thousand_subscriptions_are_named(cloud: Cloud) -> None:
    assert rows(cloud, NETWORKS, subscriptions=[SUBSCRIPTION] * 1000) == []
    assert refused(cloud, NETWORKS, subscriptions=[SUBSCRIPTION] * 1001) == (
        400,
        "BadRequest",
        ["TooManySubscriptions"],
    )


def test_more_than_ten_thousand_subscriptions_are_cut_if_that_is_allowed(cloud: Cloud) -> None:
    kind = "Microsoft.Resources/subscriptions"
    cloud.arm.load([{"id": f"/subscriptions/{n:08x}-1111-0000-0000-000000000000", "type": kind} for n in range(10_000)])
    count = "resourcecontainers | where type =~ 'microsoft.resources/subscriptions' | count"
    assert refused(cloud, count) == (400, "BadRequest", ["TooManySubscriptionsUnderScope"])
    answer = ask(cloud, count, options={"allowPartialScopes": True})
    assert answer.json()["data"] == [{"Count": 10_000}]
    assert answer.headers["x-ms-tenant-subscription-limit-hit"] == "true"


# --- refusals ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "code", "said"),
    [
        ("resources | summarize count()", "ParserFailure", "does not model 'summarize'"),
        ("securityresources | take 1", "InvalidQuery", "does not model the table 'securityresources'"),
        ("resources | where colour == 1", "InvalidQuery", "named 'colour'"),
    ],
)
def test_queries_that_are_not_modelled_are_refused_as_invalid(cloud: Cloud, query: str, code: str, said: str) -> None:
    answer = ask(cloud, query)
    error = answer.json()["error"]
    assert (answer.status, error["code"]) == (400, "BadRequest")
    assert error["message"].startswith(
        "Please provide below info when asking for support: timestamp = 2026-11-21T10:00:00.0000000Z, correlationId = "
    )
    assert [detail["code"] for detail in error["details"]] == ["InvalidQuery", code]
    assert said in error["details"][1]["message"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"query": 5},
        {"query": "resources", "options": {"$top": 1001}},
        {"query": "resources", "options": {"$top": 0}},
        {"query": "resources", "options": {"$skip": -1}},
        {"query": "resources", "options": {"$skipToken": "no token"}},
        {"query": "resources", "options": {"$skipToken": base64.b64encode(b"{}").decode()}},
        {"query": "resources", "options": {"resultFormat": "csv"}},
        {"query": "resources", "facets": [{"expression": "location"}]},
        {"query": "resources", "subscriptions": [SUBSCRIPTION], "managementGroups": ["g"]},
    ],
)
def test_bodies_that_are_no_request_are_refused(cloud: Cloud, body: dict[str, Any]) -> None:
    answer = cloud.call("POST", PATH, body, version="2021-03-01")
    assert answer.status == 400
    assert [detail["code"] for detail in answer.json()["error"]["details"]] == ["InvalidPayload"]


def test_answers_above_16_mib_are_refused(cloud: Cloud) -> None:
    big = "x" * 2**20
    scope = f"{GROUP}/providers/Microsoft.Compute/virtualMachines"
    cloud.arm.load([{"id": f"{scope}/m{n}", "location": "eastus", "properties": {"big": big}} for n in range(17)])
    answer = ask(cloud, "resources | project id, properties")
    (detail,) = answer.json()["error"]["details"]
    assert (answer.status, detail["code"]) == (400, "ResponsePayloadTooLarge")
    assert "has exceeded the limit of 16777216" in detail["message"]
    assert len(rows(cloud, "resources | project id, properties", options={"$top": 15})) == 15


def test_graph_is_asked_by_post(cloud: Cloud) -> None:
    assert cloud.call("GET", PATH).status == 405
    assert cloud.call("POST", "/providers/Microsoft.ResourceGraph/resourcesHistory", {}).status == 501


# --- quota ------------------------------------------------------------------------------------------


def test_fifteen_queries_in_five_seconds(cloud: Cloud) -> None:
    left = []
    for number in range(15):
        answer = ask(cloud, "resources | nonsense" if number % 2 else "resources")
        left.append(answer.headers["x-ms-user-quota-remaining"])
        assert answer.headers["x-ms-user-quota-resets-after"] == "00:00:05"
        assert answer.headers["x-ms-ratelimit-remaining-tenant-resource-requests"] == left[-1]
    assert left == [str(n) for n in range(14, -1, -1)]
    cloud.clock.advance(2)
    answer = ask(cloud, "resources")
    error = answer.json()["error"]
    assert (answer.status, error["code"], error["details"][0]["code"]) == (429, "RateLimiting", "RateLimiting")
    assert answer.headers["Retry-After"] == "3"
    assert answer.headers["x-ms-user-quota-remaining"] == "0"
    cloud.clock.advance(3)
    assert ask(cloud, "resources").headers["x-ms-user-quota-remaining"] == "14"


def test_every_principal_has_a_quota_of_its_own(cloud: Cloud) -> None:
    for _ in range(15):
        ask(cloud, "resources")
    body = json.dumps({"query": "resources"}).encode()
    somebody = Request("POST", f"{PATH}?api-version=2021-03-01", bearer("somebody"), body)
    assert cloud.arm.handle(somebody).status == 200
    assert ask(cloud, "resources").status == 429


def test_without_throttling_the_quota_is_always_full() -> None:
    cloud = Cloud(throttle="off")
    assert {ask(cloud, "resources").headers["x-ms-user-quota-remaining"] for _ in range(20)} == {"14"}


def test_a_reset_fills_the_quota() -> None:
    arm = Arm(
        ManualClock(), estate=[{"id": f"/subscriptions/{SUBSCRIPTION}", "type": "Microsoft.Resources/subscriptions"}]
    )
    request = Request("POST", f"{PATH}?api-version=2021-03-01", bearer(), json.dumps({"query": "resources"}).encode())
    assert [arm.handle(request).status for _ in range(16)] == [200] * 15 + [429]
    arm.reset()
    assert arm.handle(request).status == 200
