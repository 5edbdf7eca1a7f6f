"""Who may do what: nobody in an unreadable subscription, everybody elsewhere. A call in, ARM's 403 out."""

from simulator import errors
from simulator.calls import Call

VERBS = {"GET": "read", "HEAD": "read", "DELETE": "delete", "POST": "action"}


def unauthorized(call: Call) -> errors.ArmError:
    """AuthorizationFailed, which names the action and the scope that were asked for."""
    address, principal = call.address, call.caller.principal
    if address.types:
        kind = address.type
    else:
        kind = "Microsoft.Resources/subscriptions" + ("/resourceGroups" if address.group else "")
    action = f"{kind}/{VERBS.get(call.request.method, 'write')}"
    scope = address.scope if address.namespace is None or address.is_collection else address.text
    return errors.gateway(
        403,
        "AuthorizationFailed",
        f"The client '{principal.application_id}' with object id '{principal.object_id}' does not have authorization "
        f"to perform action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, "
        "please refresh your credentials.",
    )
