"""The activity log: what it tells of writes, in which order, to whom asks how."""

from typing import Any
from urllib.parse import quote

import pytest

from simulator.arm import Fault, Request, bearer
from tests.simulator.cloud import GROUP, NETWORK, SUBSCRIPTION, Cloud

LOG = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Insights/eventtypes/management/values"
AZURE = "https://management.azure.com"
SINCE = "eventTimestamp ge '2026-11-21T09:00:00.0000000Z'"


def records(cloud: Cloud, condition: str = SINCE, more: str = "") -> list[dict[str, Any]]:
    """A filter in, the records out after the time it takes until they can be read."""
    cloud.clock.advance(19)
    found: list[dict[str, Any]] = cloud.get(f"{LOG}?$filter={quote(condition)}{more}")["value"]
    return found


def steps(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Records in, their operations and states, oldest first, out."""
    return [
        (one["operationName"]["value"].removeprefix("Microsoft.Network/"), one["status"]["value"])
        for one in reversed(found)
    ]


def test_write_is_started_accepted_and_succeeded() -> None:
    cloud = Cloud(durations={"": 30})
    cloud.call("PUT", "natGateways/n", {"location": "eastus"}, x_ms_correlation_request_id="c0ffee")
    assert steps(records(cloud)) == [("natGateways/write", "Started"), ("natGateways/write", "Accepted")]
    cloud.clock.advance(30)
    found = records(cloud)
    assert steps(found)[2:] == [("natGateways/write", "Succeeded")]
    ended, accepted, started = found
    assert [one["eventTimestamp"][14:19] for one in (started, accepted, ended)] == ["00:00", "00:00", "00:30"]
    assert [one["eventName"]["value"] for one in (started, ended)] == ["BeginRequest", "EndRequest"]
    assert accepted["subStatus"] == {"value": "Created", "localizedValue": "Created (HTTP Status Code: 201)"}
    assert ended["resourceId"] == f"{NETWORK}/natGateways/n".replace("/resourceGroups/", "/resourcegroups/")
    assert (ended["resourceGroupName"], ended["resourceType"]["value"]) == ("rg", "Microsoft.Network/natGateways")
    assert (ended["correlationId"], ended["level"], ended["category"]["value"]) == (
        "c0ffee",
        "Informational",
        "Administrative",
    )
    assert ended["submissionTimestamp"] == "2026-11-21T10:00:49.0000000Z"
    assert ended["authorization"] == {"action": "Microsoft.Network/natGateways/write", "scope": ended["resourceId"]}
    assert len({one["eventDataId"] for one in found}) == 3


def test_record_cannot_be_read_at_once(cloud: Cloud) -> None:
    cloud.gateway("n")
    cloud.clock.advance(18)
    assert cloud.get(f"{LOG}?$filter={quote(SINCE)}")["value"] == []
    cloud.clock.advance(1)
    assert len(cloud.get(f"{LOG}?$filter={quote(SINCE)}")["value"]) == 3


def test_writes_that_are_done_at_once_are_never_accepted(cloud: Cloud) -> None:
    cloud.call("PUT", f"{GROUP}2", {"location": "eastus"})
    cloud.put(f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm", {})
    cloud.call("DELETE", f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm")
    group, machine = "Microsoft.Resources/subscriptions/resourceGroups", "Microsoft.Compute/virtualMachines"
    expected = [(f"{group}/write", state) for state in ("Started", "Succeeded")]
    expected += [(f"{machine}/{verb}", state) for verb in ("write", "delete") for state in ("Started", "Succeeded")]
    assert steps(records(cloud)) == expected


def test_refusals_of_a_provider_and_failed_operations_are_failures(cloud: Cloud) -> None:
    cloud.call(
        "PUT", "virtualNetworks/v", {"location": "eastus", "properties": {"addressSpace": {"addressPrefixes": [1]}}}
    )
    cloud.call("PUT", "natGateways/n", {"location": "eastus"}, If_Match='"stale"')
    cloud.arm.faults.append(Fault(method="PUT", later=True))
    cloud.call("PUT", "natGateways/m", {"location": "eastus"})
    found = records(cloud)
    assert steps(found) == [
        ("virtualNetworks/write", "Started"),
        ("virtualNetworks/write", "Failed"),
        ("natGateways/write", "Started"),
        ("natGateways/write", "Failed"),
        ("natGateways/write", "Started"),
        ("natGateways/write", "Accepted"),
        ("natGateways/write", "Failed"),
    ]
    assert [one["subStatus"]["value"] for one in reversed(found)][1:4:2] == ["BadRequest", "PreconditionFailed"]
    assert found[0]["level"] == "Error"


def test_what_resource_manager_itself_refuses_and_reads_leave_no_record(cloud: Cloud) -> None:
    cloud.call("PUT", f"{GROUP}9/providers/Microsoft.Network/natGateways/n", {"location": "eastus"})
    cloud.call("PUT", "natGateways/n", {})
    cloud.call("GET", "natGateways/n")
    assert records(cloud) == []


def test_actions_are_told_of(cloud: Cloud) -> None:
    cloud.call("POST", "networkInterfaces/none/effectiveRouteTable")
    cloud.arm.load([{"id": f"{NETWORK}/virtualNetworkGateways/gw", "location": "eastus", "properties": {}}])
    cloud.call("POST", "virtualNetworkGateways/gw/getLearnedRoutes")
    action = "virtualNetworkGateways/getLearnedRoutes/action"
    found = records(cloud)
    assert steps(found) == [(action, "Started"), (action, "Accepted"), (action, "Succeeded")]
    assert {one["resourceId"].rpartition("/")[2] for one in found} == {"gw"}
    assert {one["resourceType"]["value"] for one in found} == {"Microsoft.Network/virtualNetworkGateways"}


def test_records_are_found_by_time_group_resource_provider_and_correlation(cloud: Cloud) -> None:
    cloud.call("PUT", f"{GROUP}2", {"location": "eastus"})
    cloud.clock.advance(60)
    cloud.call("PUT", "natGateways/n", {"location": "eastus"}, x_ms_correlation_request_id="c0ffee")
    cloud.clock.advance(60)
    cloud.gateway("m")
    for condition, count in (
        (SINCE, 8),
        ("eventTimestamp ge 2026-11-21T10:00:59Z", 6),
        (f"{SINCE} and eventTimestamp le '2026-11-21T10:01:30.1234567Z'", 5),
        (f"{SINCE} AND resourceGroupName eq 'RG'", 6),
        (f"{SINCE} and resourceUri eq '{NETWORK.lower()}/natgateways/m'", 3),
        (f"{SINCE} and resourceProvider eq 'microsoft.network'", 6),
        (f"{SINCE} and eventChannels eq 'Admin, Operation' and correlationId eq 'c0ffee'", 3),
    ):
        assert len(records(cloud, condition)) == count, condition


@pytest.mark.parametrize(
    "condition",
    [
        "",
        "resourceGroupName eq 'rg'",
        "eventTimestamp ge 'yesterday'",
        f"{SINCE} and status eq 'Failed'",
        f"{SINCE} or resourceGroupName eq 'rg'",
        f"{SINCE} and resourceGroupName eq 'rg' and resourceProvider eq 'Microsoft.Network'",
        f"{SINCE} and resourceGroupName ge 'rg'",
    ],
)
def test_other_filters_are_refused(cloud: Cloud, condition: str) -> None:
    assert cloud.refused("GET", f"{LOG}?$filter={quote(condition)}") == (400, "BadRequest")


def test_pages_and_chosen_members() -> None:
    cloud = Cloud(page_size=2)
    cloud.gateway("n")
    cloud.clock.advance(19)
    page = cloud.get(f"{LOG}?$filter={quote(SINCE)}&$select=status,correlationId")
    assert [set(one) for one in page["value"]] == [{"status", "correlationId"}] * 2
    rest = cloud.arm.handle(Request("GET", page["nextLink"].removeprefix(AZURE), bearer())).json()
    assert ([one["status"]["value"] for one in rest["value"]], "nextLink" in rest) == (["Started"], False)


def test_another_subscription_has_a_log_of_its_own(cloud: Cloud) -> None:
    other = SUBSCRIPTION.replace("0", "1")
    cloud.arm.load([{"id": f"/subscriptions/{other}", "type": "Microsoft.Resources/subscriptions"}])
    cloud.gateway("n")
    cloud.clock.advance(19)
    assert cloud.get(f"{LOG.replace(SUBSCRIPTION, other)}?$filter={quote(SINCE)}")["value"] == []
