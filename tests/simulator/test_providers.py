"""Resource providers: what ARM shows of a namespace, for clients that choose an api-version from it."""

import pytest

from tests.simulator.cloud import GROUP, SUBSCRIPTION, Cloud

PROVIDERS = f"/subscriptions/{SUBSCRIPTION}/providers"


def test_types_are_those_that_are_modelled_and_those_that_are_there(cloud: Cloud) -> None:
    cloud.call("PUT", f"{GROUP}/providers/Microsoft.Compute/disks/d", {"location": "eastus"})
    shown = cloud.get(f"{PROVIDERS}/microsoft.compute")
    assert (shown["id"], shown["namespace"]) == (f"{PROVIDERS}/Microsoft.Compute", "Microsoft.Compute")
    assert [one["resourceType"] for one in shown["resourceTypes"]] == [
        "virtualMachines",
        "virtualMachineScaleSets",
        "disks",
    ]


def test_every_provider_is_registered_and_can_be_again(cloud: Cloud) -> None:
    response = cloud.call("POST", f"{PROVIDERS}/Microsoft.Network/register")
    assert (response.status, response.json()["registrationState"]) == (200, "Registered")
    assert response.json() == cloud.get(f"{PROVIDERS}/Microsoft.Network")


@pytest.mark.parametrize(
    ("method", "path", "refused"),
    [
        ("GET", f"{PROVIDERS}/Contoso.Nothing", (404, "InvalidResourceNamespace")),
        ("GET", f"{GROUP}/providers/Microsoft.Network", (501, "NotModelledBySimulator")),
        ("DELETE", f"{PROVIDERS}/Microsoft.Network", (405, "MethodNotAllowed")),
    ],
)
def test_what_is_no_provider_is_refused(cloud: Cloud, method: str, path: str, refused: tuple[int, str]) -> None:
    assert cloud.refused(method, path) == refused
