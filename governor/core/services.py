"""Services of Azure that live in subnets: a subnet in, what their way out needs, in words, out.

Told beside the verdict on the subnet, for whoever changes it. Services that are not named here are not harmless: what
they need is not known.
"""

from collections.abc import Iterator
from typing import Final

from governor.core import facts, ids

# facts/azure.md 3, and the services' own pages on networking.
_NEEDS: Final = {
    "microsoft.databricks/workspaces": (
        "Databricks: both subnets of a workspace leave alike; behind a default route to an appliance it needs its tags "
        "AzureDatabricks, Sql, Storage and EventHub"
    ),
    "microsoft.app/environments": (
        "Container Apps: environments with workload profiles follow NAT gateways and routes, those with consumption "
        "only follow neither"
    ),
    "microsoft.apimanagement/service": (
        "API Management: behind a default route to an appliance the classic tiers need a route to the internet for "
        "tag ApiManagement"
    ),
    "microsoft.sql/managedinstances": "SQL managed instance: it takes no NAT gateway, and has routes of its own",
    ids.APPLICATION_GATEWAY: (
        "application gateway: with a public frontend its default route must not lead to an appliance or on-premises"
    ),
}


def needs_of(subnet: facts.Subnet) -> tuple[str, ...]:
    """A subnet in, what the way out of the services in it needs out."""
    return tuple(dict.fromkeys(_NEEDS[kind] for kind in _kinds(subnet) if kind in _NEEDS))


def _kinds(subnet: facts.Subnet) -> Iterator[str]:
    """The types of all that lives in a subnet or has it to itself, lower-case."""
    properties = subnet.properties
    yield from (service.casefold() for service in subnet.delegated_to)
    for link in (*(properties.service_association_links or ()), *(properties.resource_navigation_links or ())):
        yield (link.properties.linked_resource_type or "").casefold()
    if properties.application_gateway_ip_configurations:
        yield ids.APPLICATION_GATEWAY
