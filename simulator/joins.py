"""What a written body asks for elsewhere: a body in, the actions it needs on the resources it names out.

Who writes a body needs them for everything it names, also for what was there before (facts: `join` actions of Azure).
"""

from collections.abc import Iterator

from simulator.cluster_bodies import EFFECTIVE
from simulator.ids import EXEMPTION, NETWORK, PEERING, SUBNET, VNET, parse_id
from simulator.references import BACK_REFERENCES
from simulator.wire import Body, members, text

_JOINED = (
    "virtualNetworks/subnets",
    "natGateways",
    "routeTables",
    "networkSecurityGroups",
    "serviceEndpointPolicies",
    "networkIntentPolicies",
    "ddosProtectionPlans",
    "publicIPAddresses",
    "publicIPPrefixes",
    "customIpPrefixes",
    "firewallPolicies",
    "loadBalancers/backendAddressPools",
    "loadBalancers/inboundNatRules",
    "loadBalancers/inboundNatPools",
    "applicationGateways/backendAddressPools",
    "networkInterfaces",
)
# The action that whoever names a resource of a type needs on it.
ACTIONS = {f"{NETWORK}/{kind.lower()}": f"Microsoft.Network/{kind}/join/action" for kind in _JOINED} | {
    VNET: "Microsoft.Network/virtualNetworks/peer/action",
    f"{NETWORK}/applicationsecuritygroups": "Microsoft.Network/applicationSecurityGroups/joinIpConfiguration/action",
    f"{NETWORK}/networkmanagers/ipampools": (
        "Microsoft.Network/networkManagers/ipamPools/associateResourcesToPool/action"
    ),
    "microsoft.managedidentity/userassignedidentities": (
        "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
    ),
}
SERVICE_ENDPOINTS = "Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action"
_IDS = ("id", "vnetSubnetID", "podSubnetID", "subnetId")
_INLINE = {VNET: {"subnets": SUBNET, "virtualNetworkPeerings": PEERING}}


def joined(resource_id: str, type_key: str, body: Body) -> Iterator[tuple[str, str]]:
    """A resource that is written and its body in, pairs of an action and the id on which it is needed out."""
    inside = f"{resource_id.casefold()}/"
    seen: set[tuple[str, str]] = set()
    for action, named in _needed(resource_id, type_key, body):
        key = named.casefold()
        own = key == inside[:-1] or key.startswith(inside)
        if (action, key) not in seen and (not own or action == SERVICE_ENDPOINTS):
            seen.add((action, key))
            yield action, named


def _needed(resource_id: str, type_key: str, body: Body) -> Iterator[tuple[str, str]]:
    properties = members(body.get("properties"))
    if type_key == EXEMPTION:
        yield "Microsoft.Authorization/policyAssignments/exempt/action", text(properties.get("policyAssignmentId"))
    if type_key == SUBNET and properties.get("serviceEndpoints"):
        yield SERVICE_ENDPOINTS, resource_id
    identities = members(members(body.get("identity")).get("userAssignedIdentities"))
    for identity in identities:
        yield from _action_on(identity)
    inline = _INLINE.get(type_key, {})
    filled_in = {back.shown for back in BACK_REFERENCES.get(type_key, ())}
    for name, value in properties.items():
        if name in inline and isinstance(value, list):
            for child in value:
                child_body = members(child)
                yield from _needed(f"{resource_id}/{name}/{text(child_body.get('name'))}", inline[name], child_body)
        elif name not in filled_in:
            yield from _named(value)


def _named(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == EFFECTIVE:  # which AKS fills in
                continue
            if name in _IDS and isinstance(inner, str):
                yield from _action_on(inner)
            else:
                yield from _named(inner)
    elif isinstance(value, list):
        for element in value:
            yield from _named(element)


def _action_on(named: str) -> Iterator[tuple[str, str]]:
    address = parse_id(named)
    if address is not None and address.type_key in ACTIONS:
        yield ACTIONS[address.type_key], named
