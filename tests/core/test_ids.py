"""Resource ids: parts, comparison, and texts that are none."""

import pytest

from governor.core import ids
from governor.core.ids import Parts

SUBNET = "/subscriptions/S/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets/a"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("/subscriptions/S", Parts("S", "", ids.SUBSCRIPTION, ("S",))),
        ("/subscriptions/S/resourceGroups/rg", Parts("S", "rg", ids.RESOURCE_GROUP, ("rg",))),
        (SUBNET, Parts("S", "rg", ids.SUBNET, ("v", "a"))),
        (SUBNET + "/", Parts("S", "rg", ids.SUBNET, ("v", "a"))),
        (
            "/subscriptions/S/providers/Microsoft.Authorization/policyAssignments/p",
            Parts("S", "", "microsoft.authorization/policyassignments", ("p",)),
        ),
        (
            f"{SUBNET}/providers/Microsoft.Authorization/locks/l",
            Parts("S", "rg", "microsoft.authorization/locks", ("l",)),
        ),
    ],
)
def test_an_id_has_parts(text: str, parts: Parts) -> None:
    assert ids.parse(text) == parts
    assert ids.kind(text) == parts.type


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        (SUBNET, SUBNET.removesuffix("/subnets/a")),
        (SUBNET + "/", SUBNET.removesuffix("/subnets/a")),
        ("/subscriptions/S", "/subscriptions/S"),
        ("/subscriptions/S/resourceGroups/rg", "/subscriptions/S/resourceGroups/rg"),
        (
            "/subscriptions/S/resourceGroups/rg/providers/Microsoft.Compute/virtualMachineScaleSets/s/vms/0/nics/n",
            "/subscriptions/S/resourceGroups/rg/providers/Microsoft.Compute/virtualMachineScaleSets/s",
        ),
        (f"{SUBNET}/providers/Microsoft.Authorization/locks/l",) * 2,
    ],
)
def test_a_part_belongs_to_a_whole(part: str, whole: str) -> None:
    assert ids.top_level(part) == whole
    assert ids.top_level(whole) == whole


def test_what_a_gateway_learned_has_an_id_of_its_own() -> None:
    gateway = "/subscriptions/S/resourceGroups/rg/providers/Microsoft.Network/virtualNetworkGateways/g"
    assert ids.kind(ids.learned_routes(gateway)) == ids.LEARNED_ROUTES
    assert ids.top_level(ids.learned_routes(gateway)) == gateway


@pytest.mark.parametrize("place", ["resourceGroups", "virtualNetworks", "subnets"])
def test_something_may_be_named_providers(place: str) -> None:
    segments = SUBNET.split("/")
    segments[segments.index(place) + 1] = "providers"
    assert ids.kind("/".join(segments)) == ids.SUBNET


def test_a_lock_on_a_network_named_providers_is_a_lock() -> None:
    network = "/subscriptions/S/resourceGroups/providers/providers/Microsoft.Network/virtualNetworks/providers"
    assert ids.kind(network) == ids.VIRTUAL_NETWORK
    assert ids.kind(f"{network}/providers/Microsoft.Authorization/locks/providers") == "microsoft.authorization/locks"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "subscriptions",
        "/subscriptions",
        "/subscriptions//resourceGroups/rg",
        "/subscriptions/S/resourceGroups",
        "/subscriptions/S/resourceGroups/rg/providers",
        "/subscriptions/S/resourceGroups/rg/providers/Microsoft.Network",
        "/subscriptions/S/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks",
        "/subscriptions/S/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets",
        "/subscriptions/S/resourceGroups/rg/Microsoft.Network/virtualNetworks/v",
        "/tenants/t/providers/x/y/z",
        "https://management.azure.com/subscriptions/S",
        "../../etc/passwd",
        "\0" * 40,
        "🜁" * 9000,
        "/" * 9000,
    ],
)
def test_a_text_that_is_no_id_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match="not a resource id"):
        ids.parse(text)
    assert ids.kind(text) == ""


@pytest.mark.parametrize(
    "spelled",
    [
        SUBNET,
        SUBNET.upper(),
        SUBNET.replace("resourceGroups", "resourcegroups"),
        SUBNET + "/",
        SUBNET.replace("Microsoft.Network", "microsoft.network"),
    ],
)
def test_azure_spells_one_id_in_several_ways(spelled: str) -> None:
    assert ids.same(spelled, SUBNET)
    assert ids.kind(spelled) == ids.SUBNET


def test_neighbours_are_not_the_same() -> None:
    assert not ids.same(SUBNET, SUBNET + "b")


def test_names_and_parents() -> None:
    assert ids.name(SUBNET) == "a"
    assert ids.name(SUBNET + "/") == "a"
    assert ids.parent(SUBNET) == SUBNET.removesuffix("/subnets/a")
    assert ids.parse("/subscriptions/S").name == "S"
    assert ids.parse("/subscriptions/S/resourceGroups/rg").name == "rg"
    assert ids.parse(SUBNET).name == "a"


def test_ids_are_built_as_azure_spells_them() -> None:
    assert ids.group("S", "rg") == "/subscriptions/S/resourceGroups/rg"
    built = ids.network("S", "rg", "natGateways", "n")
    assert built == "/subscriptions/S/resourceGroups/rg/providers/Microsoft.Network/natGateways/n"
    assert ids.kind(built) == ids.NAT_GATEWAY
