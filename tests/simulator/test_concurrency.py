"""One writer per virtual network, preconditions, references that are not ready, superseded operations."""

from typing import Any

import pytest

from simulator.arm import Fault
from tests.simulator.cloud import NETWORK, VERSION, Cloud, link, nic_properties

BASE = "https://management.azure.com"
SUBNET_B = {"properties": {"addressPrefix": "10.0.1.0/24"}}


def busy(**options: Any) -> tuple[Cloud, str, str]:
    """A cloud whose VNet is being written, the VNet's path and the address of the running operation."""
    cloud = Cloud(durations={"microsoft.network/virtualnetworks/subnets": 5}, **options)
    vnet = cloud.vnet()
    body = {"properties": {"addressPrefix": "10.0.0.0/24"}}
    answer = cloud.call("PUT", f"{vnet}/subnets/a", body)
    return cloud, vnet, answer.headers["Azure-AsyncOperation"]


def test_second_write_is_refused_with_the_address_of_the_first_operation() -> None:
    cloud, vnet, running = busy()
    answer = cloud.call("PUT", f"{vnet}/subnets/b", SUBNET_B)
    assert answer.status == 409
    assert answer.json()["error"]["code"] == "AnotherOperationInProgress"
    assert answer.json()["error"]["message"].endswith(f"use uri: {running}.")
    assert cloud.refused("PUT", vnet, {"location": "eastus"}) == (409, "AnotherOperationInProgress")
    assert cloud.refused("DELETE", vnet) == (409, "AnotherOperationInProgress")
    assert cloud.refused("DELETE", f"{vnet}/subnets/a") == (409, "AnotherOperationInProgress")
    assert cloud.refused("PATCH", vnet, {"tags": {}}) == (409, "AnotherOperationInProgress")
    cloud.clock.advance(5)
    assert cloud.call("PUT", f"{vnet}/subnets/b", SUBNET_B).status == 201


def test_whole_virtual_network_is_updating_while_a_subnet_is_written() -> None:
    cloud, vnet, _ = busy()
    assert cloud.get(vnet)["properties"]["provisioningState"] == "Updating"
    assert cloud.get(f"{vnet}/subnets/a")["properties"]["provisioningState"] == "Updating"
    cloud.clock.advance(5)
    assert cloud.get(vnet)["properties"]["provisioningState"] == "Succeeded"


def test_other_virtual_networks_are_free() -> None:
    cloud, _, _ = busy()
    other = cloud.vnet("other")
    assert cloud.call("PUT", f"{other}/subnets/b", SUBNET_B).status == 201


def test_retryable_shape_says_when_to_come_back() -> None:
    cloud, vnet, _ = busy(busy="retryable")
    answer = cloud.call("PUT", f"{vnet}/subnets/b", SUBNET_B)
    assert (answer.status, answer.headers["Retry-After"]) == (429, "5")
    assert answer.json()["error"]["details"][0]["code"] == "RetryableErrorDueToAnotherOperation"


def test_async_shape_accepts_and_fails_later() -> None:
    cloud, vnet, _ = busy(busy="async")
    answer = cloud.call("PUT", f"{vnet}/subnets/b", SUBNET_B)
    assert (answer.status, answer.json()["properties"]["provisioningState"]) == (201, "Updating")
    poll = answer.headers["Azure-AsyncOperation"].removeprefix(BASE).split("?")[0]
    assert cloud.get(poll) == {"status": "InProgress"}
    cloud.clock.advance(5)
    report = cloud.get(poll)
    assert (report["status"], report["error"]["code"]) == ("Failed", "AnotherOperationInProgress")
    assert cloud.refused("GET", f"{vnet}/subnets/b") == (404, "NotFound")
    failures = cloud.arm.events_for(f"{NETWORK}/{vnet}/subnets/b")
    assert [event.type for event in failures] == ["Microsoft.Resources.ResourceWriteFailure"]


@pytest.mark.parametrize("form", ['W/"{}"', '"{}"', "{}"])
def test_if_match_takes_an_etag_in_any_dress(cloud: Cloud, form: str) -> None:
    vnet = cloud.vnet()
    cloud.subnet(f"{vnet}/subnets/a")
    etag = cloud.get(f"{vnet}/subnets/a")["etag"].removeprefix('W/"').rstrip('"')
    body = {"properties": {"addressPrefix": "10.0.0.0/24", "defaultOutboundAccess": False}}
    assert cloud.call("PUT", f"{vnet}/subnets/a", body, If_Match=form.format(etag)).status == 200
    # The write changed the etag, so the same one is stale now.
    stale = cloud.refused("PUT", f"{vnet}/subnets/a", body, If_Match=form.format(etag))
    assert stale == (412, "PreconditionFailedEtagMismatch")


def test_a_write_on_a_sibling_makes_the_etag_stale(cloud: Cloud) -> None:
    vnet = cloud.vnet()
    cloud.subnet(f"{vnet}/subnets/a")
    etag = cloud.get(f"{vnet}/subnets/a")["etag"]
    cloud.subnet(f"{vnet}/subnets/b", "10.0.1.0/24")
    assert cloud.refused("DELETE", f"{vnet}/subnets/a", If_Match=etag)[0] == 412
    assert cloud.call("DELETE", f"{vnet}/subnets/a", If_Match="*").status == 202


def test_if_none_match_protects_what_exists(cloud: Cloud) -> None:
    body = {"location": "eastus"}
    assert cloud.refused("PUT", "natGateways/n", body, If_Match="*")[0] == 412
    assert cloud.call("PUT", "natGateways/n", body, If_None_Match="*").status == 201
    assert cloud.refused("PUT", "natGateways/n", body, If_None_Match="*")[0] == 412


@pytest.mark.parametrize(("state", "status"), [("Updating", 429), ("Failed", 400)])
def test_referenced_resource_must_be_ready(cloud: Cloud, state: str, status: int) -> None:
    gateway = {"id": f"{NETWORK}/natGateways/n", "location": "eastus", "properties": {"provisioningState": state}}
    cloud.arm.load([gateway])
    vnet = cloud.vnet()
    body = {"properties": {"addressPrefix": "10.0.0.0/24", "natGateway": link("natGateways/n")}}
    assert cloud.refused("PUT", f"{vnet}/subnets/a", body) == (status, "ReferencedResourceNotProvisioned")
    cloud.put("natGateways/n")
    assert cloud.call("PUT", f"{vnet}/subnets/a", body).status == 201


def test_interface_waits_for_its_subnet() -> None:
    cloud, vnet, _ = busy()
    body = {"location": "eastus", "properties": nic_properties(f"{vnet}/subnets/a")}
    assert cloud.refused("PUT", "networkInterfaces/n", body) == (429, "ReferencedResourceNotProvisioned")


def test_newer_write_of_an_address_supersedes_the_older() -> None:
    cloud = Cloud(durations={"": 5})
    first = cloud.call("PUT", "publicIPAddresses/p", {"location": "eastus"})
    second = cloud.call("PUT", "publicIPAddresses/p", {"location": "eastus", "tags": {"a": "b"}})
    assert (first.status, second.status) == (201, 200)
    report = cloud.get(first.headers["Azure-AsyncOperation"].removeprefix(BASE).split("?")[0])
    assert report["status"] == "Canceled"
    assert report["error"]["details"][0]["code"] == "CanceledAndSupersededDueToAnotherOperation"


def test_unchanged_write_is_succeeded_at_once(cloud: Cloud) -> None:
    vnet = cloud.vnet()
    cloud.subnet(f"{vnet}/subnets/a")
    whole = cloud.get(vnet)
    again = cloud.call("PUT", vnet, whole)
    assert (again.status, again.json()["properties"]["provisioningState"]) == (201, "Succeeded")
    poll = again.headers["Azure-AsyncOperation"].removeprefix(BASE)
    assert poll.endswith(f"?api-version={VERSION}")
    assert cloud.get(poll.split("?")[0]) == {"status": "Succeeded"}
    subnet = cloud.get(f"{vnet}/subnets/a")
    assert cloud.call("PUT", f"{vnet}/subnets/a", subnet).status == 200


def test_second_delete_joins_the_first() -> None:
    cloud = Cloud(durations={"": 5})
    cloud.arm.load([{"id": f"{NETWORK}/natGateways/n", "location": "eastus"}])
    first, second = cloud.call("DELETE", "natGateways/n"), cloud.call("DELETE", "natGateways/n")
    assert first.headers["Location"] == second.headers["Location"]


def test_group_being_deleted_takes_nothing_in() -> None:
    cloud = Cloud(durations={"microsoft.resources/resourcegroups": 5})
    group = NETWORK.removesuffix("/providers/Microsoft.Network")
    answer = cloud.call("DELETE", group)
    assert cloud.call("GET", answer.headers["Location"].removeprefix(BASE).split("?")[0]).status == 202
    assert cloud.refused("PUT", "natGateways/n", {"location": "eastus"}) == (409, "ResourceGroupBeingDeleted")
    assert cloud.refused("PUT", group, {"location": "eastus"}) == (409, "ResourceGroupBeingDeleted")


def test_fault_that_strikes_later_leaves_the_resource_failed(cloud: Cloud) -> None:
    vnet = cloud.vnet()
    cloud.arm.faults = [Fault(method="PUT", later=True, code="InternalServerError")]
    answer = cloud.call("PUT", f"{vnet}/subnets/a", SUBNET_B)
    report = cloud.get(answer.headers["Azure-AsyncOperation"].removeprefix(BASE).split("?")[0])
    assert (report["status"], report["error"]["code"]) == ("Failed", "InternalServerError")
    assert cloud.get(f"{vnet}/subnets/a")["properties"]["provisioningState"] == "Failed"
    assert cloud.get(vnet)["properties"]["provisioningState"] == "Succeeded"
    assert cloud.arm.events[-1].type == "Microsoft.Resources.ResourceWriteFailure"
    cloud.subnet(f"{vnet}/subnets/a", "10.0.1.0/24")
    assert cloud.get(f"{vnet}/subnets/a")["properties"]["provisioningState"] == "Succeeded"
    cloud.arm.faults = [Fault(method="DELETE", later=True)]
    assert cloud.call("DELETE", f"{vnet}/subnets/a").status == 202
    assert cloud.get(f"{vnet}/subnets/a")["properties"]["provisioningState"] == "Failed"
