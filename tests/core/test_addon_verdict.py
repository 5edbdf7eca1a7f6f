"""Whether Azure Policy can look at the Services of a cluster: its add-on, as the body says."""

from typing import Any

import msgspec
import pytest

from governor.core.addon_verdict import of_addon, wants_addon
from governor.core.cluster import Cluster
from governor.core.estate import Estate
from governor.core.policy import Clusters, Exemption, Requirement
from governor.core.verdict import Result
from tests.core.world import AT, SUB, nat_policy

CLUSTER = f"/subscriptions/{SUB}/resourceGroups/rg-k/providers/Microsoft.ContainerService/managedClusters/k1"
WANTED = nat_policy(clusters=Clusters(internal_load_balancers="deny"))
ADDONS: list[tuple[Any, Result]] = [
    (None, Result.VIOLATION),
    ({}, Result.VIOLATION),
    ({"azurepolicy": {"enabled": True}}, Result.COMPLIANT),
    ({"azurePolicy": {"enabled": True, "config": None, "identity": {"objectId": "x"}}}, Result.COMPLIANT),
    ({"azurepolicy": {"enabled": False}}, Result.VIOLATION),
    ({"azurepolicy": {}}, Result.VIOLATION),
    ({"omsagent": {"enabled": True}}, Result.VIOLATION),
]


def cluster(addons: Any) -> Cluster:
    body = {"id": CLUSTER, "properties": {"addonProfiles": addons}}
    return msgspec.json.decode(msgspec.json.encode(body), type=Cluster)


@pytest.mark.parametrize(("addons", "result"), ADDONS)
def test_the_addon_of_a_cluster(addons: Any, result: Result) -> None:
    verdict = of_addon(cluster(addons), WANTED, Estate(AT))
    assert verdict.result is result
    command = "az aks enable-addons --addons azure-policy --resource-group rg-k --name k1"
    assert (command in verdict.seen) is (result is Result.VIOLATION)


def test_it_is_looked_at_where_the_policy_says_so_and_may_be_exempt() -> None:
    for said in (None, "off", "audit", "deny"):
        given = nat_policy(clusters=Clusters(internal_load_balancers=said))
        assert wants_addon(given) is (said in ("audit", "deny"))
    requirement = Requirement.CLUSTER_INTERNAL_LOAD_BALANCERS
    exempt = Exemption(CLUSTER, requirement, "team-x", "because", AT.date())
    one = nat_policy(clusters=Clusters(internal_load_balancers="deny"), exemptions=(exempt,))
    assert of_addon(cluster(None), one, Estate(AT)).result is Result.EXEMPT
