"""Types and api-versions Azure has never heard of: who refuses them, with which code and in which words."""

from typing import Any

import pytest

from tests.simulator.cloud import GROUP, NETWORK, SUBSCRIPTION, Cloud

WHOLE = f"/subscriptions/{SUBSCRIPTION}"
GRAPH = "/providers/Microsoft.ResourceGraph/resources"
VNET: dict[str, Any] = {
    "location": "West Europe",
    "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}},
}
# Whoever speaks to the simulator in earnest: recordings, Microsoft's clients, az 2.91, the governor.
USED = {
    f"{NETWORK}/virtualNetworks": "2018-12-01 2019-04-01 2019-12-01 2020-03-01 2021-02-01 2022-09-01 2022-11-01 "
    "2023-06-01 2023-09-01 2024-05-01 2024-07-01 2025-05-01 2025-07-01 2026-01-01 2026-03-01",
    GROUP: "2016-09-01 2021-04-01 2022-12-01 2024-11-01 2025-04-01",
    "/subscriptions": "2016-06-01 2022-12-01",
    f"{WHOLE}/resources": "2021-04-01 2025-04-01",
    f"{GROUP}/providers/Microsoft.ContainerService/managedClusters": "2024-10-01 2026-06-01 2026-07-01 2026-08-01 "
    "2026-08-02-preview",
    f"{WHOLE}/providers/Microsoft.Authorization/locks": "2016-09-01 2020-05-01",
    f"{GROUP}/providers/Microsoft.Authorization/permissions": "2022-04-01",
    f"{WHOLE}/providers/Microsoft.EventGrid/eventSubscriptions": "2022-06-15 2025-02-15",
    f"{GROUP}/providers/Microsoft.Resources/deployments": "2021-04-01 2025-04-01 2026-06-01",
    "/providers/Microsoft.Management/managementGroups": "2020-05-01 2021-04-01 2023-04-01",
    f"{GROUP}/providers/Microsoft.Compute/virtualMachines": "2015-06-15 2025-04-01",
    f"{GROUP}/providers/Microsoft.Network/privateDnsZones": "2018-09-01 2020-06-01 2024-06-01",
}


@pytest.mark.parametrize(
    ("path", "version"), [(path, version) for path, versions in USED.items() for version in versions.split()]
)
def test_versions_in_use_are_known(cloud: Cloud, path: str, version: str) -> None:
    assert cloud.call("GET", path, version=version).status == 200


@pytest.mark.parametrize("version", ["2099-01-01", "1999-01-01", "2024-05-02", "2026-02-30", "2024-05-01-preview"])
def test_no_region_has_that_version_of_a_type(cloud: Cloud, version: str) -> None:
    answer = cloud.call("PUT", "virtualNetworks/v", VNET, version=version)
    if version == "2026-02-30":
        assert (answer.status, answer.json()["error"]["code"]) == (400, "InvalidApiVersionParameter")
        return
    error = answer.json()["error"]
    assert (answer.status, error["code"], error.keys()) == (400, "NoRegisteredProviderFound", {"code", "message"})
    assert error["message"].startswith(
        f"No registered resource provider found for location 'westeurope' and API version '{version}' for type "
        "'virtualNetworks'. The supported api-versions are '2014-12-01-preview, 2015-05-01-preview, 2015-06-15, "
    )
    assert "2026-03-01'. The supported locations are 'westus, eastus, northeurope, " in error["message"]
    assert answer.headers["x-ms-failure-cause"] == "gateway"
    assert cloud.call("GET", "virtualNetworks/v").status == 404


def test_what_is_there_is_not_found_in_a_version_that_is_not(cloud: Cloud) -> None:
    cloud.subnet(f"{cloud.vnet()}/subnets/s")
    for method in ("GET", "PUT", "DELETE"):
        answer = cloud.call(method, "virtualNetworks/v/subnets/s", {"properties": {}}, version="2027-01-01")
        assert answer.status == 400
        assert (
            "for location 'eastus' and API version '2027-01-01' for type 'virtualNetworks/subnets'"
            in (answer.json()["error"]["message"])
        )


def test_lists_of_a_subscription_lie_in_no_region(cloud: Cloud) -> None:
    answer = cloud.call("GET", f"{WHOLE}/providers/Microsoft.Network/natGateways", version="2027-01-01")
    assert answer.status == 404
    error = answer.json()["error"]
    assert error["code"] == "InvalidResourceType"
    assert error["message"].startswith(
        "The resource type 'natGateways' could not be found in the namespace 'Microsoft.Network' for api version "
        "'2027-01-01'. The supported api-versions are '2014-12-01-preview,2015-05-01-preview,"
    )


@pytest.mark.parametrize(
    "path",
    [
        "nonsense",
        "nonsense/x",
        "virtualNetworks/v/nonsense/x",
        "virtualNetworks/v/subnets/s/subnets/t",
        "natGateways/n/subnets",
        "routeTables/t/route/r",
        "virtualnetwork/v",
        f"{GROUP}/providers/Microsoft.Authorization/nonsense/x",
        f"{WHOLE}/providers/Microsoft.EventGrid/eventSubscription/x",
        "/providers/Microsoft.Management/managementGroup/x",
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_types_that_do_not_exist(cloud: Cloud, path: str, method: str) -> None:
    if method == "DELETE" and path.count("/") % 2 == 0 and not path.startswith("/"):
        return  # nobody deletes a list
    answer = cloud.call(method, path, {"location": "eastus"})
    assert (answer.status, answer.json()["error"]["code"]) == (404, "InvalidResourceType")
    assert answer.json()["error"]["message"].startswith("The resource type could not be found in the namespace 'Micro")


@pytest.mark.parametrize("namespace", ["nonsense", "Microsoft", "Microsoft%20Network", "Microsoft.", ".Network"])
def test_namespaces_that_are_none(cloud: Cloud, namespace: str) -> None:
    answer = cloud.call("GET", f"{GROUP}/providers/{namespace}/things/x")
    assert (answer.status, answer.json()["error"]["code"]) == (404, "InvalidResourceNamespace")
    shown = namespace.replace("%20", " ")
    assert answer.json()["error"]["message"] == f"The resource namespace '{shown}' is invalid."


@pytest.mark.parametrize("path", ["/subscriptions", WHOLE, GROUP, f"{WHOLE}/resourceGroups", f"{GROUP}/resources"])
@pytest.mark.parametrize("version", ["2099-01-01", "1999-01-01", "2021-13-01"])
def test_resource_manager_speaks_of_its_own_versions(cloud: Cloud, path: str, version: str) -> None:
    answer = cloud.call("GET", path, version=version)
    assert answer.status == 400
    error = answer.json()["error"]
    assert error["code"] == "InvalidApiVersionParameter"
    assert error["message"].startswith(f"The api-version '{version}' is invalid. The supported versions are '20")


@pytest.mark.parametrize(
    "version", ["x", "2024", "2024-05-01-Preview!", "2024-05-01;", "\u0662024-05-01", "%0a", "2024-05-01%0a"]
)
def test_versions_that_are_no_dates(cloud: Cloud, version: str) -> None:
    for path in ("virtualNetworks/v", GROUP, GRAPH, f"{GROUP}/providers/Microsoft.Compute/virtualMachines/m"):
        answer = cloud.call("GET", path, version=version)
        assert (answer.status, answer.json()["error"]["code"]) == (400, "InvalidApiVersionParameter")


def test_a_subscription_is_looked_for_before_its_types_and_a_group_after_them(cloud: Cloud) -> None:
    absent = WHOLE.replace("0", "9")
    assert cloud.refused("GET", f"{absent}/providers/Microsoft.Network/nonsense") == (404, "SubscriptionNotFound")
    path = f"{WHOLE}/resourceGroups/absent/providers/Microsoft.Network/nonsense/x"
    assert cloud.refused("GET", path) == (404, "InvalidResourceType")
