"""Security groups: the six rules that each has without asking, and what the given ones must be."""

from simulator import errors
from simulator.ids import name_of
from simulator.wire import Body, members

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


MOST_RULES = 1_000
FIRST, LAST = 100, 4_096


def check_rules(group_id: str, rules: dict[str, Body], written: frozenset[str]) -> None:
    """The rules a group would have, by their ids, in; those `written` have a priority of their own."""
    if len(rules) > MOST_RULES:
        raise errors.bad(
            "SecurityRuleCountLimitReached",
            f"Network security group {group_id} would have {len(rules)} security rules, more than {MOST_RULES}.",
        )
    taken: dict[tuple[object, object], str] = {}
    for rule_id, rule in rules.items():
        properties = members(rule.get("properties"))
        priority = properties.get("priority")
        is_written = rule_id.casefold() in written
        if is_written and not (isinstance(priority, int) and FIRST <= priority <= LAST):
            raise errors.bad(
                "SecurityRuleInvalidPriority",
                f"Security rule has invalid Priority. Value provided: {priority or 0} Allowed range {FIRST}-{LAST}.",
            )
        other = taken.setdefault((str(properties.get("direction")).lower(), priority), rule_id)
        if other != rule_id and (is_written or other.casefold() in written):
            raise errors.bad(
                "SecurityRuleConflict",
                f"Security rule {name_of(other)} conflicts with rule {name_of(rule_id)}. Rules cannot have the same "
                "Priority and Direction. To learn more, see aka.ms/nsgrules.",
            )
