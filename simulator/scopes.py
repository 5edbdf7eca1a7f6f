"""What ARM shows of subscriptions and resource groups: a stored one in, its body out."""

from simulator.identity import TENANT
from simulator.store import Stored
from simulator.wire import Body

GROUP_TYPE = "Microsoft.Resources/resourceGroups"
SUBSCRIPTION_TYPE = "Microsoft.Resources/subscriptions"


def subscription_body(stored: Stored) -> Body:
    """A stored subscription in, what ARM shows of it out."""
    shown: Body = {
        "id": stored.id,
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": stored.name,
        "tenantId": TENANT,
        "displayName": f"Simulated subscription {stored.name[:8]}",
        "state": "Enabled",
    }
    return shown | stored.content


def group_body(stored: Stored) -> Body:
    """A stored group in, what ARM shows of it out."""
    shown: Body = {"id": stored.id, "name": stored.name, "type": GROUP_TYPE, **stored.content}
    return shown | {"properties": {"provisioningState": stored.state}}
