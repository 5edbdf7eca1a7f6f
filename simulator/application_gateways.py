"""Application gateways: where one lives, who lives beside it, and what has ids inside it."""

from simulator import errors
from simulator.ids import parent_key
from simulator.references import WAF, references
from simulator.store import Store, Stored
from simulator.wire import Body, elements, members, text

ARRAYS = (
    "gatewayIPConfigurations",
    "sslCertificates",
    "trustedRootCertificates",
    "frontendIPConfigurations",
    "frontendPorts",
    "backendAddressPools",
    "backendHttpSettingsCollection",
    "httpListeners",
    "urlPathMaps",
    "requestRoutingRules",
    "probes",
    "rewriteRuleSets",
    "redirectConfigurations",
)
"""What stands inside one, in the order Azure shows it."""
SUBNETS = "gatewayIPConfigurations"


def check_application_gateway(store: Store, resource_id: str, content: Body) -> None:
    """A gateway as it would be in; refused without a subnet of its own."""
    properties = members(content.get("properties"))
    own = {_subnet(element) for element in elements(properties.get(SUBNETS))} - {""}
    if len(own) != 1:
        raise errors.bad(
            "ApplicationGatewayGatewayIpConfigurationsCountInvalid",
            f"Application Gateway {resource_id} must have one gateway IP configuration with a subnet.",
        )
    for frontend in elements(properties.get("frontendIPConfigurations")):
        subnet = _subnet(frontend)
        if subnet and parent_key(subnet) != parent_key(min(own)):
            raise errors.bad(
                "ApplicationGatewayFrontendIpConfigurationSubnetNotInVirtualNetwork",
                f"Frontend {text(frontend.get('id'))} must be in the virtual network of Application Gateway "
                f"{resource_id}.",
            )
    for subnet in own:
        check_others(store, subnet, resource_id)


def check_others(store: Store, subnet_key: str, newcomer: str) -> None:
    """A subnet and who comes into it in; refused when gateways and others would live in it together."""
    stored, mine = store.get(subnet_key), "/applicationgateways/" in newcomer.casefold()
    for holder in store.referrers(subnet_key, "subnet"):
        if holder.startswith(f"{newcomer.casefold()}/"):
            continue
        if mine != ("/applicationgateways/" in holder):
            subnet_id = stored.id if stored is not None else subnet_key
            raise errors.bad(
                "ApplicationGatewaySubnetCannotBeUsedByOtherResources",
                f"Subnet {subnet_id} cannot be used for application gateway since it has other resources deployed. "
                "Subnet used for application gateway can only have other application gateways.",
            )


def check_neighbour(store: Store, resource_id: str, type_key: str, content: Body) -> None:
    """Any other resource as it would be in; refused in the subnet of an application gateway."""
    for reference in references(resource_id, type_key, content):
        if reference.member == "subnet":
            check_others(store, reference.target, resource_id)


def check_firewall_policy_delete(store: Store, key: str, policy: Stored) -> None:
    """A web application firewall policy that is to go in; refused while a gateway follows it."""
    for user in store.referrers(key, WAF).values():
        raise errors.bad(
            "WebApplicationFirewallPolicyInUse",
            f"Web application firewall policy {policy.id} cannot be deleted because it is in use by {user}.",
        )


def show(properties: Body, state: str) -> None:
    """A gateway's shown properties in; every array is there, and it says whether it runs."""
    for array in ARRAYS:
        properties.setdefault(array, [])
    properties["operationalState"] = "Running" if state == "Succeeded" else "Stopped"


def _subnet(element: Body) -> str:
    return text(members(members(element.get("properties")).get("subnet")).get("id")).casefold()
