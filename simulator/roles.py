"""Who may do what: nobody in an unreadable subscription, everybody elsewhere but for what is denied at a scope.

A call in, nothing or ARM's 403 out, before any provider sees it.
"""

import re
from collections.abc import Iterator

from simulator import errors
from simulator.calls import Call
from simulator.ids import PEERING, SUBNET, VNET, parse_id
from simulator.network import missing
from simulator.wire import Body, Response, answer, elements, members, text
from simulator.world import World

PERMISSIONS = "microsoft.authorization/permissions"
VERBS = {"GET": "read", "HEAD": "read", "DELETE": "delete", "POST": "action"}
# Members of a body that name a resource elsewhere, and the action that whoever writes the body needs over there.
LINKED = {
    SUBNET: {
        "natGateway": "Microsoft.Network/natGateways/join/action",
        "routeTable": "Microsoft.Network/routeTables/join/action",
        "networkSecurityGroup": "Microsoft.Network/networkSecurityGroups/join/action",
    },
    PEERING: {"remoteVirtualNetwork": "Microsoft.Network/virtualNetworks/peer/action"},
}
INLINE = {"subnets": SUBNET, "virtualNetworkPeerings": PEERING}


def check(world: World, call: Call) -> None:
    """A call in; refused when its action is denied, or one that it needs on what its body names."""
    if not world.denied:
        return
    action, scope = _asked(call)
    if _is_denied(world, action, scope):
        raise unauthorized(call)
    if call.request.method != "PUT" or call.address.type_key not in (VNET, *LINKED):
        return
    for linked, named in _linked(call.address.type_key, call.content()):
        if _is_denied(world, linked, named):
            raise _linked_unauthorized(call, linked, named)


def permissions(world: World, call: Call) -> Response:
    """The call on `{scope}/providers/Microsoft.Authorization/permissions` in, what the caller may do there out."""
    scope = call.address.scope
    if scope.casefold() not in world.store:
        asked = parse_id(scope)
        raise errors.no_arm_path() if asked is None else missing(world.store, asked)
    denied = list(dict.fromkeys(_denied(world, scope)))
    return answer(200, {"value": [{"actions": ["*"], "notActions": denied, "dataActions": [], "notDataActions": []}]})


def unauthorized(call: Call) -> errors.ArmError:
    """AuthorizationFailed, which names the action and the scope that were asked for."""
    action, scope = _asked(call)
    principal = call.caller.principal
    return errors.gateway(
        403,
        "AuthorizationFailed",
        f"The client '{principal.application_id}' with object id '{principal.object_id}' does not have authorization "
        f"to perform action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, "
        "please refresh your credentials.",
    )


def _linked_unauthorized(call: Call, linked: str, named: str) -> errors.ArmError:
    """LinkedAuthorizationFailed, which names what is allowed and what is missing."""
    action, scope = _asked(call)
    principal = call.caller.principal
    return errors.gateway(
        403,
        "LinkedAuthorizationFailed",
        f"The client '{principal.application_id}' with object id '{principal.object_id}' has permission to perform "
        f"action '{action}' on scope '{scope}'; however, it does not have permission to perform action(s) '{linked}' "
        f"on the linked scope(s) '{named}' (respectively) or the linked scope(s) are invalid.",
    )


def _asked(call: Call) -> tuple[str, str]:
    """A call in, its action and the scope that needs it out: lists and actions are asked of what holds them."""
    address = call.address
    if address.types:
        kind = address.type
    else:
        kind = "Microsoft.Resources/subscriptions" + ("/resourceGroups" if address.group else "")
    action = f"{kind}/{VERBS.get(call.request.method, 'write')}"
    if address.namespace is None:
        return action, address.scope
    if address.is_collection:
        return action, address.parent.text if address.parent is not None else address.scope
    return action, address.text


def _linked(type_key: str, body: Body) -> Iterator[tuple[str, str]]:
    """A body in; actions, and the ids that it names for which they are needed, out."""
    properties = members(body.get("properties"))
    for member, action in LINKED.get(type_key, {}).items():
        if named := text(members(properties.get(member)).get("id")):
            yield action, named
    if type_key == VNET:
        for array, child in INLINE.items():
            for element in elements(properties.get(array)):
                yield from _linked(child, element)


def _is_denied(world: World, action: str, scope: str) -> bool:
    return any(_covers(pattern, action) for pattern in _denied(world, scope))


def _denied(world: World, scope: str) -> Iterator[str]:
    """A scope in, the patterns of actions that are denied there or above it out."""
    inside = f"{scope.casefold()}/"
    for at, patterns in world.denied.items():
        if inside.startswith(f"{at.casefold().rstrip('/')}/"):
            yield from patterns


def _covers(pattern: str, action: str) -> bool:
    """Whether a pattern, whose `*` stands for anything, covers an action."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), action, re.IGNORECASE) is not None
