"""Network resources: create, read, replace, list, delete, as ARM answers it."""

from tests.simulator.cloud import GROUP, NETWORK, SUBSCRIPTION, Cloud, link


def test_a_write_is_updating_and_then_succeeded_with_two_etags(cloud: Cloud) -> None:
    answer = cloud.call("PUT", "virtualNetworks/v", {"location": "East US", "properties": {}})
    assert answer.status == 201
    assert answer.json()["properties"]["provisioningState"] == "Updating"
    assert answer.json()["location"] == "eastus"
    assert answer.headers["Azure-AsyncOperation"].startswith("https://management.azure.com/subscriptions/")
    assert "ETag" not in answer.headers
    read = cloud.call("GET", "virtualNetworks/v")
    assert read.json()["properties"]["provisioningState"] == "Succeeded"
    assert read.headers["ETag"] == read.json()["etag"] != answer.json()["etag"]


def test_operation_is_polled_until_its_time_has_come() -> None:
    cloud = Cloud(latency="real")
    answer = cloud.call("PUT", "natGateways/n", {"location": "eastus"})
    assert answer.headers["Retry-After"] == "10"
    poll = answer.headers["Azure-AsyncOperation"].removeprefix("https://management.azure.com").split("?")[0]
    running = cloud.call("GET", poll)
    assert (running.json(), running.headers["Retry-After"]) == ({"status": "InProgress"}, "10")
    assert cloud.arm.next_due() is not None
    cloud.clock.advance(10)
    done = cloud.call("GET", poll)
    assert done.json() == {"status": "Succeeded"}
    assert "Retry-After" not in done.headers
    assert cloud.arm.next_due() is None


def test_subnet_put_replaces_the_whole_subnet(cloud: Cloud) -> None:
    gateway = cloud.gateway("n")
    vnet = cloud.vnet()
    cloud.subnet(f"{vnet}/subnets/s", natGateway=gateway, futureMember={"a": [1]})
    first = cloud.get(f"{vnet}/subnets/s")["properties"]
    assert first["natGateway"] == gateway
    assert first["futureMember"] == {"a": [1]}
    assert "defaultOutboundAccess" not in first
    cloud.subnet(f"{vnet}/subnets/s", defaultOutboundAccess=False)
    second = cloud.get(f"{vnet}/subnets/s")["properties"]
    assert "natGateway" not in second
    assert "futureMember" not in second
    assert second["defaultOutboundAccess"] is False


def test_null_members_and_whole_objects_are_normalised(cloud: Cloud) -> None:
    gateway = cloud.gateway("n")
    vnet = cloud.vnet()
    whole = cloud.get("natGateways/n")
    cloud.subnet(f"{vnet}/subnets/s", natGateway=whole, routeTable=None)
    properties = cloud.get(f"{vnet}/subnets/s")["properties"]
    assert properties["natGateway"] == gateway
    assert "routeTable" not in properties


def test_back_references_appear_and_vanish(cloud: Cloud) -> None:
    address = cloud.address("p")
    gateway = cloud.gateway("n", address)
    vnet = cloud.vnet()
    assert "subnets" not in cloud.get("natGateways/n")["properties"]
    cloud.subnet(f"{vnet}/subnets/s", natGateway=gateway)
    assert cloud.get("natGateways/n")["properties"]["subnets"] == [link(f"{vnet}/subnets/s")]
    assert cloud.get("publicIPAddresses/p")["properties"]["natGateway"] == gateway
    cloud.nic("nic", f"{vnet}/subnets/s")
    assert cloud.get(f"{vnet}/subnets/s")["properties"]["ipConfigurations"] == [
        link("networkInterfaces/nic/ipConfigurations/one")
    ]
    cloud.subnet(f"{vnet}/subnets/s")
    assert "subnets" not in cloud.get("natGateways/n")["properties"]


def test_ids_are_found_in_any_case_and_shown_as_created(cloud: Cloud) -> None:
    cloud.vnet("MyNet")
    found = cloud.get(f"{NETWORK.upper()}/VIRTUALNETWORKS/mynet".replace("/SUBSCRIPTIONS", "/subscriptions"))
    assert found["id"] == f"{NETWORK}/virtualNetworks/MyNet"
    assert found["name"] == "MyNet"


def test_vnet_put_without_subnets_leaves_them_since_2023_09(cloud: Cloud) -> None:
    vnet = cloud.vnet()
    cloud.subnet(f"{vnet}/subnets/s")
    body = {"location": "eastus", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/15"]}}}
    cloud.call("PUT", vnet, body)
    assert [subnet["name"] for subnet in cloud.get(vnet)["properties"]["subnets"]] == ["s"]
    cloud.call("PUT", vnet, body, version="2023-06-01")
    assert cloud.get(vnet)["properties"]["subnets"] == []


def test_vnet_put_with_a_list_makes_it_exactly_that_list(cloud: Cloud) -> None:
    vnet = cloud.vnet()
    cloud.subnet(f"{vnet}/subnets/a", "10.0.0.0/24")
    cloud.subnet(f"{vnet}/subnets/b", "10.0.1.0/24")
    space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}
    wanted = [
        {"name": "b", "properties": {"addressPrefix": "10.0.1.0/24"}},
        {"name": "c", "properties": {"addressPrefix": "10.0.2.0/24"}},
    ]
    cloud.put(vnet, space | {"subnets": wanted})
    assert [subnet["name"] for subnet in cloud.get(vnet)["properties"]["subnets"]] == ["b", "c"]
    cloud.put(vnet, space | {"subnets": None})
    assert cloud.get(vnet)["properties"]["subnets"] == []


def test_delete_is_readable_until_it_is_done_and_then_provider_says_not_found() -> None:
    cloud = Cloud(latency="real")
    cloud.arm.load([{"id": f"{NETWORK}/natGateways/n", "location": "eastus"}])
    answer = cloud.call("DELETE", "natGateways/n")
    assert answer.status == 202
    assert answer.body == b""
    assert cloud.get("natGateways/n")["properties"]["provisioningState"] == "Deleting"
    cloud.clock.advance(10)
    assert cloud.refused("GET", "natGateways/n") == (404, "NotFound")
    result = answer.headers["Location"].removeprefix("https://management.azure.com").split("?")[0]
    assert cloud.call("GET", result).status == 204
    assert cloud.call("DELETE", "natGateways/n").status == 204


def test_never_created_is_the_gateways_not_found(cloud: Cloud) -> None:
    answer = cloud.call("GET", "natGateways/none")
    assert answer.headers["x-ms-failure-cause"] == "gateway"
    assert "x-ms-ratelimit-remaining-subscription-reads" not in answer.headers
    assert answer.json()["error"]["code"] == "ResourceNotFound"
    assert "details" not in answer.json()["error"]


def test_lists_page_with_an_absolute_next_link() -> None:
    cloud = Cloud(page_size=2)
    for name in ("a", "b", "c"):
        cloud.gateway(name)
    first = cloud.get(f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Network/natGateways")
    assert [gateway["name"] for gateway in first["value"]] == ["a", "b"]
    following = first["nextLink"].removeprefix("https://management.azure.com")
    second = cloud.get(following.replace("&api-version=2024-05-01", "").replace("api-version=2024-05-01&", ""))
    assert [gateway["name"] for gateway in second["value"]] == ["c"]
    assert "nextLink" not in second


def test_resources_are_listed_without_properties_and_filtered_by_type(cloud: Cloud) -> None:
    cloud.vnet()
    cloud.gateway("n")
    listed = cloud.get(f"{GROUP}/resources")["value"]
    assert {entry["type"] for entry in listed} == {"Microsoft.Network/virtualNetworks", "Microsoft.Network/natGateways"}
    assert all("properties" not in entry for entry in listed)
    condition = "?$filter=resourceType%20eq%20'microsoft.network/natgateways'"
    assert [entry["name"] for entry in cloud.get(f"/subscriptions/{SUBSCRIPTION}/resources{condition}")["value"]] == [
        "n"
    ]


def test_group_delete_takes_everything_with_it(cloud: Cloud) -> None:
    cloud.vnet()
    answer = cloud.call("DELETE", GROUP)
    assert answer.status == 202
    assert "Azure-AsyncOperation" not in answer.headers
    assert (
        cloud.call("GET", answer.headers["Location"].removeprefix("https://management.azure.com").split("?")[0]).status
        == 200
    )
    assert cloud.refused("GET", "virtualNetworks/v") == (404, "ResourceGroupNotFound")


def test_tags_are_patched_at_once(cloud: Cloud) -> None:
    before = cloud.gateway("n") and cloud.get("natGateways/n")["etag"]
    answer = cloud.call("PATCH", "natGateways/n", {"tags": {"a": "b"}})
    assert (answer.status, answer.json()["tags"]) == (200, {"a": "b"})
    assert answer.headers["Azure-AsyncNotification"] == "Enabled"
    assert "Azure-AsyncOperation" not in answer.headers
    assert answer.json()["etag"] != before


def test_two_simulators_share_nothing() -> None:
    one, two = Cloud(), Cloud()
    one.vnet()
    assert two.refused("GET", "virtualNetworks/v") == (404, "ResourceNotFound")
    assert [entry.path for entry in two.arm.requests] == [f"{NETWORK}/virtualNetworks/v"]


def test_peering_is_connected_when_both_sides_peer(cloud: Cloud) -> None:
    one, two = cloud.vnet("one"), cloud.vnet("two", "10.1.0.0/16")
    cloud.put(f"{one}/virtualNetworkPeerings/p", {"remoteVirtualNetwork": link(two)})
    assert cloud.get(f"{one}/virtualNetworkPeerings/p")["properties"]["peeringState"] == "Initiated"
    cloud.put(f"{two}/virtualNetworkPeerings/p", {"remoteVirtualNetwork": link(one)})
    (shown,) = cloud.get(one)["properties"]["virtualNetworkPeerings"]
    assert shown["properties"]["peeringState"] == "Connected"
    cloud.call("PUT", one, {"location": "eastus", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}})
    assert cloud.get(one)["properties"]["virtualNetworkPeerings"] == []


GIVEN = {"createdTime": "2026-06-30T12:00:00.0000000Z"}


def test_lists_of_resources_say_when_they_were_made_if_asked(cloud: Cloud) -> None:
    cloud.arm.load(
        [
            {"id": f"{NETWORK}/publicIPAddresses/given", "type": "Microsoft.Network/publicIPAddresses", **GIVEN},
            {"id": f"{NETWORK}/publicIPAddresses/old", "type": "Microsoft.Network/publicIPAddresses"},
        ]
    )
    cloud.clock.advance(60)
    cloud.call("PUT", "publicIPAddresses/new", {"location": "eastus"})
    cloud.call("PUT", "publicIPAddresses/old", {"location": "eastus"})
    path = f"/subscriptions/{SUBSCRIPTION}/resources?$filter=resourceType eq 'Microsoft.Network/publicIPAddresses'"
    listed = cloud.call("GET", f"{path}&$expand=createdTime", version="2021-04-01").json()["value"]
    made = {one["name"]: one["createdTime"] for one in listed}
    assert made["given"] == "2026-06-30T12:00:00.0000000Z"
    assert made["old"].startswith("2020-01-01")
    assert made["new"].startswith(cloud.clock.now().strftime("%Y-%m-%dT%H:%M"))
    assert not any("createdTime" in one for one in cloud.call("GET", path, version="2021-04-01").json()["value"])
