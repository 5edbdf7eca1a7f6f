"""Azure firewalls and their policies: one as it would be in; refused when it is not where and how it has to be."""

from simulator import errors
from simulator.ids import FIREWALL, name_of
from simulator.references import configurations
from simulator.store import Store, Stored
from simulator.wire import Body, elements, members, text

SUBNET_NAME = "AzureFirewallSubnet"
MOST_ADDRESSES = 250
MANAGEMENT_SUBNET_NAME = "AzureFirewallManagementSubnet"


def check_firewall(store: Store, resource_id: str, content: Body) -> None:
    """A firewall in; refused without a Standard address, or outside of the subnet that bears its name."""
    properties = members(content.get("properties"))
    managed = members(properties.get("managementIpConfiguration"))
    ordinary = elements(properties.get("ipConfigurations"))
    if ordinary and not any(_subnet(element) for element in ordinary):
        raise errors.bad(
            "AzureFirewallSubnetRequired",
            f"One IP configuration of Azure Firewall {resource_id} must reference a subnet {SUBNET_NAME}.",
        )
    if len(ordinary) > MOST_ADDRESSES:
        raise errors.bad(
            "AzureFirewallPublicIPAddressLimitExceeded",
            f"Azure Firewall {resource_id} references {len(ordinary)} public IP addresses, more than {MOST_ADDRESSES}.",
        )
    for _, element in configurations(FIREWALL, properties):
        wanted = MANAGEMENT_SUBNET_NAME if element is managed else SUBNET_NAME
        subnet = _subnet(element)
        if subnet and name_of(subnet).casefold() != wanted.casefold():
            raise errors.bad(
                "AzureFirewallSubnetNameInvalid",
                f"Azure Firewall {resource_id} cannot be deployed on subnet {subnet}: it must be named {wanted}.",
            )
        address = store.get(
            text(members(members(element.get("properties")).get("publicIPAddress")).get("id")).casefold()
        )
        if address is None and not managed:
            raise errors.bad(
                "AzureFirewallPublicIPAddressRequired",
                f"IP configuration {element['id']} of an Azure Firewall without a management IP configuration must "
                "reference a public IP address.",
            )
        if address is not None and members(address.content.get("sku")).get("name") != "Standard":
            raise errors.bad(
                "AzureFirewallPublicIPAddressSkuNotStandard",
                f"Azure Firewall {resource_id} cannot reference public IP address {address.id}: its sku is not "
                "Standard.",
            )


def check_policy_delete(store: Store, key: str, policy: Stored) -> None:
    """A firewall policy that is to go in; refused while a firewall or a child policy follows it."""
    users = [user for member in ("firewallPolicy", "basePolicy") for user in store.referrers(key, member).values()]
    if users:
        raise errors.bad(
            "FirewallPolicyInUse", f"Firewall policy {policy.id} cannot be deleted because it is in use by {users[0]}."
        )


def show_policy(store: Store, key: str, properties: Body) -> None:
    """A policy's shown properties in; they list its groups and its firewalls, even when there are none."""
    groups = store.listed(f"{key}/rulecollectiongroups")
    properties["ruleCollectionGroups"] = [{"id": group.id} for group in groups]
    properties.setdefault("firewalls", [])
    properties.setdefault("childPolicies", [])


def _subnet(element: Body) -> str:
    return text(members(members(element.get("properties")).get("subnet")).get("id"))
