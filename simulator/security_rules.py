"""The six rules that every network security group has without asking: a group in, their bodies out."""

from simulator.wire import Body

_TYPE = "Microsoft.Network/networkSecurityGroups/defaultSecurityRules"
_RULES = (
    ("AllowVnetInBound", "Allow inbound traffic from all VMs in VNET", "VirtualNetwork", "VirtualNetwork", 65000),
    (
        "AllowAzureLoadBalancerInBound",
        "Allow inbound traffic from azure load balancer",
        "AzureLoadBalancer",
        "*",
        65001,
    ),
    ("DenyAllInBound", "Deny all inbound traffic", "*", "*", 65500),
    (
        "AllowVnetOutBound",
        "Allow outbound traffic from all VMs to all VMs in VNET",
        "VirtualNetwork",
        "VirtualNetwork",
        65000,
    ),
    ("AllowInternetOutBound", "Allow outbound traffic from all VMs to Internet", "*", "Internet", 65001),
    ("DenyAllOutBound", "Deny all outbound traffic", "*", "*", 65500),
)
RANGES: Body = {
    "sourcePortRanges": [],
    "destinationPortRanges": [],
    "sourceAddressPrefixes": [],
    "destinationAddressPrefixes": [],
}
"""What every rule shows empty when it names single values."""


def default_rules(group_id: str, etag: str, state: str) -> list[Body]:
    """The id, etag and state of a security group in, its default rules out."""
    return [
        {
            "name": name,
            "id": f"{group_id}/defaultSecurityRules/{name}",
            "etag": etag,
            "type": _TYPE,
            "properties": {
                "provisioningState": state,
                "description": description,
                "protocol": "*",
                "sourcePortRange": "*",
                "destinationPortRange": "*",
                "sourceAddressPrefix": source,
                "destinationAddressPrefix": destination,
                "access": "Deny" if name.startswith("Deny") else "Allow",
                "priority": priority,
                "direction": "Inbound" if name.endswith("InBound") else "Outbound",
                **RANGES,
            },
        }
        for name, description, source, destination, priority in _RULES
    ]
