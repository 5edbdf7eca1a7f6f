"""What names, tags and groups may be, and in which words something is not there."""

from typing import Any

import pytest

from tests.simulator.cloud import GROUP, SUBSCRIPTION, Cloud, link

GROUPS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups"
NAME_TEXT = (
    "It must begin with a word character, and it must end with a word character or with '_'. The name may contain word "
    "characters or '.', '-', '_'."
)


@pytest.mark.parametrize(
    ("path", "longest"),
    [
        ("virtualNetworks", 64),
        ("azureFirewalls", 56),
        ("natGateways", 80),
        ("routeTables", 80),
        ("publicIPAddresses", 80),
        ("networkSecurityGroups", 80),
    ],
)
def test_names_have_a_longest_length(cloud: Cloud, path: str, longest: int) -> None:
    answer = cloud.call("PUT", f"{path}/{'n' * (longest + 1)}", {"location": "eastus"})
    assert answer.status == 400
    assert answer.json()["error"] == {
        "code": "InvalidResourceName",
        "message": f"Resource name {'n' * (longest + 1)} is invalid. The name can be up to {longest} characters long. "
        f"{NAME_TEXT}",
        "details": [],
    }
    assert cloud.call("PUT", f"{path}/{'n' * longest}", {"location": "eastus"}).status == 201


@pytest.mark.parametrize("name", ["-a", ".a", "a-", "a.", "a%20b", "a}", "a*b", "a:b", "a(b)"])
def test_names_have_word_characters_at_both_ends_and_few_others(cloud: Cloud, name: str) -> None:
    assert cloud.refused("PUT", f"routeTables/{name}", {"location": "eastus"}) == (400, "InvalidResourceName")


@pytest.mark.parametrize("name", ["a", "_", "a.b-c_d", "0", "_a_", "ä"])
def test_other_names_are_taken(cloud: Cloud, name: str) -> None:
    assert cloud.call("PUT", f"routeTables/{name}", {"location": "eastus"}).status == 201


def test_names_of_children_and_parts_are_looked_at_too(cloud: Cloud) -> None:
    cloud.vnet()
    inline = [{"name": "a b", "properties": {"addressPrefix": "10.0.0.0/24"}}]
    space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}
    body: dict[str, Any] = {"location": "eastus", "properties": space | {"subnets": inline}}
    assert cloud.refused("PUT", "virtualNetworks/v", body) == (400, "InvalidResourceName")
    body = {"properties": {"addressPrefix": "10.0.0.0/24"}}
    assert cloud.refused("PUT", "virtualNetworks/v/subnets/a+b", body) == (400, "InvalidResourceName")
    body = {"properties": {"addressPrefix": "10.0.0.0/8", "nextHopType": "None"}}
    cloud.put("routeTables/t")
    assert cloud.refused("PUT", f"routeTables/t/routes/{'r' * 81}", body) == (400, "InvalidResourceName")
    cloud.subnet("virtualNetworks/v/subnets/s")
    whole_id = [{"name": f"{GROUP}/one", "properties": {"subnet": link("virtualNetworks/v/subnets/s")}}]
    body = {"location": "eastus", "properties": {"ipConfigurations": whole_id}}
    assert cloud.refused("PUT", "networkInterfaces/n", body) == (400, "InvalidResourceName")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("g" * 91, "has a length of '91' which exceeds the maximum length of '90'."),
        ("a b", "has these invalid characters: ' '."),
        ("a+b*", "has these invalid characters: '+*'."),
        ("a.", "ends with a period."),
    ],
)
def test_names_of_groups_have_rules_of_their_own(cloud: Cloud, name: str, told: str) -> None:
    answer = cloud.call("PUT", f"{GROUPS}/{name.replace(' ', '%20')}", {"location": "eastus"})
    assert (answer.status, answer.headers["x-ms-failure-cause"]) == (400, "gateway")
    error = answer.json()["error"]
    assert error["code"] == "InvalidResourceGroup"
    assert error["message"].startswith(f"The provided resource group name '{name}' {told}")
    assert cloud.refused("GET", f"{GROUPS}/{name.replace(' ', '%20')}") == (404, "ResourceGroupNotFound")


@pytest.mark.parametrize("name", ["g" * 90, "a(b)", "-a", "a..b", "äöü", "_"])
def test_other_names_of_groups_are_taken(cloud: Cloud, name: str) -> None:
    assert cloud.call("PUT", f"{GROUPS}/{name}", {"location": "eastus"}).status == 201


BAD_TAGS: list[tuple[Any, str]] = [
    *(({f"a{char}b": "c"}, "InvalidTagNameCharacters") for char in "<>%&\\?/\n\x7f"),
    ({"n" * 513: "c"}, "InvalidTagName"),
    ({"": "c"}, "InvalidTagName"),
    ({"a": "v" * 257}, "InvalidTagValueLength"),
    ({f"n{n}": "" for n in range(51)}, "TooManyTags"),
    ({"Team": "a", "team": "b"}, "DuplicateTagNames"),
    ({"a": 1}, "InvalidRequestContent"),
    (["a"], "InvalidRequestContent"),
]
GOOD_TAGS = [
    {f"n{n}": "" for n in range(50)},
    {"n" * 512: "v" * 256},
    {"a": "<>%&\\?/"},
    {"hidden-link:/app/x": "Resource"},
    {"ä b:c.d*": "x"},
    {},
]


@pytest.mark.parametrize(("tags", "code"), BAD_TAGS, ids=[f"{n}-{code}" for n, (_, code) in enumerate(BAD_TAGS)])
def test_tags_that_cannot_be_are_refused_before_any_provider(cloud: Cloud, tags: Any, code: str) -> None:
    cloud.gateway("n")
    machine = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm"
    for method, path, body in (
        ("PUT", "natGateways/n", {"location": "eastus", "tags": tags}),
        ("PATCH", "natGateways/n", {"tags": tags}),
        ("PUT", GROUP, {"location": "eastus", "tags": tags}),
        ("PATCH", GROUP, {"tags": tags}),
        ("PUT", machine, {"location": "eastus", "tags": tags}),
    ):
        answer = cloud.call(method, path, body)
        assert (answer.status, answer.json()["error"]["code"]) == (400, code), method
        assert answer.headers["x-ms-failure-cause"] == "gateway"
    assert "tags" not in cloud.get("natGateways/n")
    assert cloud.arm.events_for(GROUP) == []


@pytest.mark.parametrize("tags", GOOD_TAGS, ids=range(len(GOOD_TAGS)))
def test_other_tags_are_taken(cloud: Cloud, tags: Any) -> None:
    assert cloud.call("PUT", "natGateways/n", {"location": "eastus", "tags": tags}).json()["tags"] == tags


def test_what_is_not_there_is_missed_in_four_ways(cloud: Cloud) -> None:
    def told(path: str) -> tuple[int, str, str, bool]:
        answer = cloud.call("GET", path)
        error = answer.json()["error"]
        by_gateway = answer.headers.get("x-ms-failure-cause") == "gateway"
        assert ("details" in error) != by_gateway
        assert ("x-ms-ratelimit-remaining-subscription-reads" in answer.headers) != by_gateway
        return answer.status, error["code"], error["message"], by_gateway

    assert told(f"{GROUP}x/providers/Microsoft.Network/natGateways/n") == (
        404,
        "ResourceGroupNotFound",
        "Resource group 'rgx' could not be found.",
        True,
    )
    assert told("natGateways/n") == (
        404,
        "ResourceNotFound",
        (
            "The Resource 'Microsoft.Network/natGateways/n' under resource group 'rg' was not found. For more details "
            "please go to https://aka.ms/ARMResourceNotFoundFix"
        ),
        True,
    )
    vnet = cloud.vnet()
    subnet = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/v/subnets/s"
    assert told(f"{vnet}/subnets/s") == (404, "NotFound", f"Resource {subnet} not found.", False)
    parent = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/a"
    assert told(f"{parent}/blobServices/default") == (
        404,
        "ParentResourceNotFound",
        (
            "Failed to perform 'read' on resource(s) of type 'storageAccounts/blobServices', because the parent "
            f"resource '{parent}' could not be found."
        ),
        True,
    )


@pytest.mark.parametrize("name", ["microsoft", "Azure-env", "WINDOWS.x"])
def test_tags_with_reserved_prefixes_are_refused(cloud: Cloud, name: str) -> None:
    body = {"location": "eastus", "tags": {"a": "b", name: "x"}}
    assert cloud.refused("PUT", "natGateways/n", body) == (400, "ReservedTagName")
    assert cloud.refused("PUT", f"{GROUPS}/new", body) == (400, "ReservedTagName")
    cloud.put("natGateways/n", tags={"my-azure": "x"})
    assert cloud.refused("PATCH", "natGateways/n", {"tags": {name: "x"}}) == (400, "ReservedTagName")
    merged = {"operation": "Merge", "properties": {"tags": {name: "x"}}}
    assert cloud.refused("PATCH", f"{GROUP}/providers/Microsoft.Resources/tags/default", merged) == (
        400,
        "ReservedTagName",
    )


@pytest.mark.parametrize(
    "path",
    [
        "routeTables/t/routes",
        "networkSecurityGroups/g/securityRules",
        "virtualNetworks/v/virtualNetworkPeerings",
        "virtualNetworks/v/subnets",
        *("loadBalancers", "publicIPPrefixes", "networkInterfaces", "firewallPolicies", "virtualNetworkGateways"),
    ],
)
def test_no_name_is_longer_than_eighty(cloud: Cloud, path: str) -> None:
    cloud.vnet()
    cloud.put("routeTables/t")
    cloud.put("networkSecurityGroups/g")
    body = {"location": "eastus", "properties": {}}
    assert cloud.refused("PUT", f"{path}/{'n' * 81}", body) == (400, "InvalidResourceName")
    answer = cloud.call("PUT", f"{path}/{'n' * 80}", body)
    assert "InvalidResourceName" not in answer.body.decode()


def test_a_location_is_a_region(cloud: Cloud) -> None:
    answer = cloud.call("PUT", "natGateways/n", {"location": "South Cental US"})
    assert (answer.status, answer.json()["error"]["code"]) == (400, "LocationNotAvailableForResourceType")
    assert answer.json()["error"]["message"].startswith(
        "The provided location 'South Cental US' is not available for resource type 'Microsoft.Network/natGateways'. "
        "List of available regions for the resource type is 'westus,eastus,northeurope,"
    )
    answer = cloud.call("PUT", f"{GROUPS}/new", {"location": "nowhere"})
    assert (answer.status, answer.json()["error"]["code"]) == (400, "LocationNotAvailableForResourceGroup")
    assert answer.json()["error"]["message"].startswith(
        "The provided location 'nowhere' is not available for resource group. List of available regions is 'westus,"
    )


def test_where_an_estate_says_there_is_a_region_there_is_one(cloud: Cloud) -> None:
    cloud.arm.load([{"id": GROUP, "type": "Microsoft.Resources/resourceGroups", "location": "futureeast"}])
    cloud.put("natGateways/n", location="Future East")
    cloud.put("privateDnsZones/corp.example", location="global")
