"""What Azure Policy finds of what is there: by resource and assignment, some while after the assignment was written."""

from datetime import timedelta
from typing import Any

import pytest

from simulator.policy_states import LOOKED_AFTER
from tests.simulator.cloud import NETWORK, SUBSCRIPTION, Cloud
from tests.simulator.graph import rows

SCOPE = f"/subscriptions/{SUBSCRIPTION}"
AUTHORIZATION = "providers/Microsoft.Authorization"
BUILT_IN = f"/{AUTHORIZATION}/policyDefinitions/3fc4dc25-5baf-40d8-9b05-7fe74c1bc64e"
NICS = f"/{AUTHORIZATION}/policyDefinitions/83a86a26-fd1f-447c-b59d-e51f44264114"
ASSIGNMENT = f"{SCOPE}/{AUTHORIZATION}/policyAssignments/a"
QUERY = (
    "policyresources | where type =~ 'Microsoft.PolicyInsights/PolicyStates' "
    "| extend assignment = tostring(properties.policyAssignmentId) | where assignment startswith '{about}' "
    "| project id, resource = tostring(properties.resourceId), state = properties.complianceState, "
    "at = properties.timestamp | order by id asc"
)


def states(cloud: Cloud, about: str = SCOPE) -> dict[str, str]:
    """By name of a resource, what was found of it."""
    found = rows(cloud, QUERY.format(about=about), subscriptions=[SUBSCRIPTION])
    return {row["resource"].rpartition("/")[2]: row["state"] for row in found}


def interfaces(cloud: Cloud) -> None:
    """One with a public address and one without."""
    cloud.subnet(f"{cloud.vnet()}/subnets/s")
    cloud.nic("public", "virtualNetworks/v/subnets/s", publicIPAddress=cloud.address("p"))
    cloud.nic("private", "virtualNetworks/v/subnets/s")


def assigned(cloud: Cloud, definition: str = NICS, **properties: Any) -> None:
    cloud.put(ASSIGNMENT, {"policyDefinitionId": definition, **properties})
    cloud.clock.advance(LOOKED_AFTER.total_seconds())


FOUND = {"public": "NonCompliant", "private": "Compliant"}


@pytest.mark.parametrize("mode", ["Default", "DoNotEnforce"])
def test_everything_it_concerns_is_found_whether_it_acts_or_not(cloud: Cloud, mode: str) -> None:
    interfaces(cloud)
    assigned(cloud, enforcementMode=mode)
    assert states(cloud) == FOUND
    assert states(cloud, f"{SCOPE}/another") == {}


def test_it_is_looked_at_some_while_after_it_was_written(cloud: Cloud) -> None:
    interfaces(cloud)
    cloud.put(ASSIGNMENT, {"policyDefinitionId": NICS})
    cloud.clock.advance((LOOKED_AFTER - timedelta(seconds=1)).total_seconds())
    assert states(cloud) == {}
    cloud.clock.advance(1)
    assert states(cloud) == FOUND
    cloud.put(ASSIGNMENT, {"policyDefinitionId": NICS, "displayName": "again"})
    assert states(cloud) == {}


def test_what_is_left_out_is_not_there_and_what_is_exempt_is_so(cloud: Cloud) -> None:
    interfaces(cloud)
    assigned(cloud, notScopes=[f"{NETWORK}/networkInterfaces/private"])
    assert states(cloud) == {"public": "NonCompliant"}
    exemption = f"{NETWORK}/networkInterfaces/public/{AUTHORIZATION}/policyExemptions/e"
    cloud.put(exemption, {"policyAssignmentId": ASSIGNMENT, "exemptionCategory": "Waiver"})
    assert states(cloud) == {"public": "Exempt"}


def test_what_does_nothing_finds_nothing(cloud: Cloud) -> None:
    interfaces(cloud)
    definition = f"/{AUTHORIZATION}/policyDefinitions/7bca8353-aa3b-429b-904a-9229c4385837"
    assigned(cloud, definition, parameters={"effect": {"value": "Disabled"}})
    assert states(cloud) == {}
    assigned(cloud, definition, parameters={"effect": {"value": "Audit"}})
    assert states(cloud) == {"v": "NonCompliant"}


def test_nothing_is_known_against_what_is_inside_of_a_cluster(cloud: Cloud) -> None:
    group = NETWORK.partition("/providers")[0]
    pool = {"name": "p", "count": 1, "mode": "System"}
    cluster = {"dnsPrefix": "k", "agentPoolProfiles": [pool]}
    sent = {"location": "eastus", "identity": {"type": "SystemAssigned"}, "properties": cluster}
    made = cloud.call("PUT", f"{group}/providers/Microsoft.ContainerService/managedClusters/k", sent)
    assert made.status == 201, made.body
    assigned(cloud, BUILT_IN, parameters={"effect": {"value": "deny"}})
    assert states(cloud) == {"k": "Compliant"}
