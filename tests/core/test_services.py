"""What the way out of services needs is told beside the verdict on their subnet, whatever that is."""

from typing import Any

import pytest

from governor.core.verdict import Result
from tests.core.ingress_world import GATEWAY_CONFIG
from tests.core.world import (
    Body,
    address,
    address_id,
    delegated,
    egress_of,
    estate,
    nat,
    nat_id,
    nat_policy,
    refs,
    subnet,
    vnet,
)


def link(kind: str) -> list[Body]:
    return [{"name": "l", "properties": {"linkedResourceType": kind}}]


TOLD: list[tuple[dict[str, Any], str]] = [
    ({"delegations": delegated("Microsoft.Databricks/workspaces")}, "Databricks: both subnets of a workspace"),
    ({"delegations": delegated("Microsoft.App/environments")}, "Container Apps: environments with workload profiles"),
    ({"delegations": delegated("Microsoft.Sql/managedInstances")}, "SQL managed instance: it takes no NAT gateway"),
    ({"resourceNavigationLinks": link("Microsoft.ApiManagement/service")}, "API Management: behind a default route"),
    ({"serviceAssociationLinks": link("Microsoft.App/environments")}, "Container Apps: environments"),
    ({"applicationGatewayIPConfigurations": refs(GATEWAY_CONFIG)}, "application gateway: with a public frontend"),
]


@pytest.mark.parametrize("leaves", [{}, {"natGateway": nat_id()}])
@pytest.mark.parametrize(("properties", "told"), TOLD)
def test_what_a_service_needs_is_told(properties: dict[str, Any], told: str, leaves: dict[str, Any]) -> None:
    verdict = egress_of(estate(vnet(subnet(**properties, **leaves)), nat()), nat_policy())
    assert f"; {told}" in verdict.seen


def test_of_others_nothing_is_made_up() -> None:
    plain = egress_of(estate(vnet(subnet(natGateway=nat_id())), nat("ng", address_id()), address()), nat_policy())
    unknown = egress_of(estate(vnet(subnet(delegations=delegated("Contoso.Cloud/things")))), nat_policy())
    assert (plain.result, plain.seen) == (Result.COMPLIANT, "NAT gateway ng")
    assert (unknown.result, unknown.seen) == (Result.NOT_APPLICABLE, "delegated to Contoso.Cloud/things")


def test_a_service_is_told_once() -> None:
    service = "Microsoft.App/environments"
    both = subnet(delegations=delegated(service), serviceAssociationLinks=link(service))
    assert egress_of(estate(vnet(both)), nat_policy()).seen.count("Container Apps") == 1
