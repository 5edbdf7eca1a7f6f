"""Resource Graph's refusals: what is wrong with a query in, the error in its own envelope out."""

from collections.abc import Mapping

from simulator.errors import ArmError
from simulator.graph_query import BadQuery
from simulator.wire import Body
from simulator.world import World


def bad_query(world: World, problem: BadQuery) -> ArmError:
    """What cannot be understood, or is not modelled here."""
    invalid = {
        "code": "InvalidQuery",
        "message": "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and fix "
        "the error before retrying.",
    }
    return refused(world, "BadRequest", invalid, problem.detail)


def bad_request(world: World, code: str, message: str) -> ArmError:
    """A request that is wrong beside its query."""
    return refused(world, "BadRequest", {"code": code, "message": message})


def access_denied(world: World) -> ArmError:
    message = "Access is denied to the requested resource. The user might not have enough permission."
    return refused(world, "AccessDenied", {"code": "AccessDenied", "message": message}, status=403)


def rate_limited(world: World, headers: Mapping[str, str]) -> ArmError:
    message = (
        "Client application has been throttled and should not attempt to repeat the request until an amount of time "
        "has elapsed. Please see https://aka.ms/resourcegraph-throttling for help."
    )
    return refused(world, "RateLimiting", {"code": "RateLimiting", "message": message}, status=429, headers=headers)


def refused(
    world: World, code: str, *details: Body, status: int = 400, headers: Mapping[str, str] | None = None
) -> ArmError:
    """The envelope: the message says nothing but when it was, what was wrong stands in the details."""
    stamp = world.now().strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
    message = f"Please provide below info when asking for support: timestamp = {stamp}, correlationId = {world.guid()}."
    return ArmError(status, code, message, details=list(details), headers=headers)
