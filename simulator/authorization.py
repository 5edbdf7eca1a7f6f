"""Whether a call is allowed: a call in, nothing or ARM's 403 out, before any provider sees it."""

from simulator import errors
from simulator.calls import Call
from simulator.deny_assignments import name_of
from simulator.ids import parse_id
from simulator.joins import joined
from simulator.network import missing
from simulator.store import Stored
from simulator.wire import Response, answer
from simulator.world import World

PERMISSIONS = "microsoft.authorization/permissions"
VERBS = {"GET": "read", "HEAD": "read", "DELETE": "delete", "POST": "action"}


def check(world: World, call: Call) -> None:
    """A call in; refused when its caller may not do it, or not what it needs on something that its body names."""
    access, principal = world.access, call.caller.principal
    if access.is_unlimited(principal):
        return
    action, scope = asked(call)
    if not access.allows(principal, action, scope):
        raise unauthorized(call)
    denial = access.denial(principal, action, scope)
    if denial is not None:
        raise _denied(call, denial)
    if call.request.method == "PUT" and not call.address.is_collection and call.address.types:
        _check_joins(world, call)


def permissions(world: World, call: Call) -> Response:
    """The call on `{scope}/providers/Microsoft.Authorization/permissions` in, what the caller may do there out."""
    scope = call.address.scope
    if scope.casefold() not in world.store:
        wanted = parse_id(scope)
        raise errors.no_arm_path() if wanted is None else missing(world.store, wanted)
    found = world.access.permissions(call.caller.principal, scope)
    return answer(200, {"value": [permission.body for permission in found]})


def asked(call: Call) -> tuple[str, str]:
    """A call in, its action and the scope that needs it out: lists and actions are asked of what holds them."""
    address, method = call.address, call.request.method
    if address.types:
        kind = address.type
    else:
        of_groups = address.group is not None or call.request.path.rstrip("/").lower().endswith("/resourcegroups")
        kind = "Microsoft.Resources/subscriptions" + ("/resourceGroups" if of_groups else "")
    action = f"{kind}/{VERBS.get(method, 'write')}"
    if address.namespace is None:
        return action, address.scope
    if address.is_collection:
        return action, address.parent.text if address.parent is not None else address.scope
    return action, address.text


def unauthorized(call: Call) -> errors.ArmError:
    """AuthorizationFailed, which names the action and the scope that were asked for."""
    action, scope = asked(call)
    return errors.gateway(
        403,
        "AuthorizationFailed",
        f"{_client(call)} does not have authorization to perform action '{action}' over scope '{scope}' or the scope "
        "is invalid. If access was recently granted, please refresh your credentials.",
    )


def _check_joins(world: World, call: Call) -> None:
    access, principal = world.access, call.caller.principal
    action, scope = asked(call)
    allowed = (
        f"{_client(call)} has permission to perform action '{action}' on scope '{scope}'; however, it does not have"
    )
    for needed, named in joined(call.address.text, call.address.type_key, call.content()):
        if not access.allows(principal, needed, named):
            raise errors.gateway(
                403,
                "LinkedAuthorizationFailed",
                f"{allowed} permission to perform action(s) '{needed}' on the linked scope(s) '{named}' (respectively) "
                "or the linked scope(s) are invalid.",
            )
        if access.denial(principal, needed, named) is not None:
            raise errors.gateway(
                403,
                "LinkedAuthorizationFailed",
                f"{allowed} permission to perform action '{needed}' on the '0' linked scope(s) '' or the linked "
                f"scope(s) are invalid and is blocked by deny assignments on the '1' linked scope(s) '{named}'.",
            )


def _denied(call: Call, denial: Stored) -> errors.ArmError:
    action, scope = asked(call)
    at = denial.id.rpartition("/providers/")[0] or "/"
    return errors.gateway(
        403,
        "DenyAssignmentAuthorizationFailed",
        f"{_client(call)} has permission to perform action '{action}' on scope '{scope}'; however, the access is "
        f"denied because of the deny assignment with name '{name_of(denial)}' and Id '{denial.name}' at scope '{at}'.",
    )


def _client(call: Call) -> str:
    principal = call.caller.principal
    return f"The client '{principal.application_id}' with object id '{principal.object_id}'"
