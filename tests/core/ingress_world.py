"""Bodies of what leads in: security groups, application gateways and their firewall policies."""

from typing import Any, Final

from tests.core.world import REGION, Body, network, refs, subnet_id

GATEWAY: Final = network("applicationGateways", "agw")
GATEWAY_CONFIG: Final = f"{GATEWAY}/gatewayIPConfigurations/ipc"
FRONTEND: Final = f"{GATEWAY}/frontendIPConfigurations/public"
INTERNAL: Final = f"{GATEWAY}/frontendIPConfigurations/private"
GROUP_ID: Final = network("networkSecurityGroups", "nsg")
WAF: Final = network("applicationGatewayWebApplicationFirewallPolicies", "waf")
_DEFAULTS: Final = (
    ("AllowVnetInBound", 65000, "VirtualNetwork", "VirtualNetwork", "Allow", "Inbound"),
    ("AllowAzureLoadBalancerInBound", 65001, "AzureLoadBalancer", "*", "Allow", "Inbound"),
    ("DenyAllInBound", 65500, "*", "*", "Deny", "Inbound"),
    ("AllowInternetOutBound", 65001, "*", "Internet", "Allow", "Outbound"),
)


def inbound(name: str, priority: int | None, source: str | None, **properties: Any) -> Body:
    """A rule for everything to everywhere, but for what `properties` says."""
    found: Body = {
        "direction": "Inbound",
        "access": "Allow",
        "protocol": "*",
        "sourcePortRange": "*",
        "destinationPortRange": "*",
        "destinationAddressPrefix": "*",
        **properties,
    }
    if priority is not None:
        found["priority"] = priority
    if source is not None:
        found["sourceAddressPrefix"] = source
    return {"name": name, "properties": found}


CLOSED: Final = inbound("closed", 4096, "*", access="Deny")
INSIDE: Final = inbound("inside", 4096, "VirtualNetwork", access="Deny")


def group(*rules: Body, **properties: Any) -> Body:
    defaults = [
        inbound(name, priority, source, destinationAddressPrefix=to, access=access, direction=direction)
        for name, priority, source, to, access, direction in _DEFAULTS
    ]
    return {
        "id": GROUP_ID,
        "type": "Microsoft.Network/networkSecurityGroups",
        "location": REGION,
        "properties": {
            "provisioningState": "Succeeded",
            "securityRules": list(rules),
            "defaultSecurityRules": defaults,
            **properties,
        },
    }


def gateway(*backends: Body, public: str | None = None, tier: str = "WAF_v2", **properties: Any) -> Body:
    """An application gateway in subnet `agw`, with one listener; with a public address that one listens on it."""
    frontends = [{"id": INTERNAL, "name": "private", "properties": {"privateIPAddress": "10.0.9.9"}}]
    if public:
        frontends.append({"id": FRONTEND, "name": "public", "properties": {"publicIPAddress": {"id": public}}})
    pool = {
        "backendAddresses": [one for one in backends if "id" not in one],
        "backendIPConfigurations": [one for one in backends if "id" in one],
    }
    listener = {"frontendIPConfiguration": {"id": FRONTEND if public else INTERNAL}}
    return {
        "id": GATEWAY,
        "type": "Microsoft.Network/applicationGateways",
        "location": REGION,
        "properties": {
            "provisioningState": "Succeeded",
            "sku": {"name": tier, "tier": tier},
            "gatewayIPConfigurations": [{"id": GATEWAY_CONFIG, "properties": {"subnet": {"id": subnet_id("agw")}}}],
            "frontendIPConfigurations": frontends,
            "backendAddressPools": [{"name": "pool", "properties": pool}],
            "httpListeners": [{"name": "https", "properties": listener}],
            **properties,
        },
    }


def waf_policy(state: str | None = "Enabled", mode: str | None = "Prevention") -> Body:
    return {
        "id": WAF,
        "type": "Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies",
        "location": REGION,
        "properties": {"policySettings": {"state": state, "mode": mode}},
    }


def backends(*targets: str) -> list[Body]:
    """Ids, addresses and names in, members of a backend pool out."""
    return [
        *refs(*(one for one in targets if one.startswith("/"))),
        *({"ipAddress": one} for one in targets if one[0].isdigit()),
        *({"fqdn": one} for one in targets if one[0].isalpha()),
    ]
