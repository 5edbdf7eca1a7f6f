"""One call on its way through: the request with its caller, its address and its api-version, and answers to it."""

from typing import Literal

import msgspec

from simulator import errors
from simulator.events import Caller
from simulator.ids import Address
from simulator.names import check_tags
from simulator.operations import Operation, label_of
from simulator.shapes import is_network
from simulator.wire import Body, Request, Response, answer
from simulator.world import World


class Call(msgspec.Struct, frozen=True):
    """A request that ARM let in."""

    request: Request
    address: Address
    api_version: str
    caller: Caller

    def content(self) -> Body:
        """The request's JSON object; ARM's 400 when it is none, or has tags that cannot be."""
        try:
            sent = msgspec.json.decode(self.request.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            raise errors.invalid_content(str(problem)) from None
        if not isinstance(sent, dict):
            raise errors.invalid_content("The request content must be a JSON object.")
        check_tags(sent)
        return sent


def operation_for(
    world: World, call: Call, effect: Literal["write", "delete", "action"], shown_id: str, location: str, lock: str
) -> Operation:
    """A call that writes, deletes or asks something of the resource `shown_id` in, its operation (not started) out."""
    now = world.now()
    return Operation(
        id=world.guid(),
        namespace=call.address.type.partition("/")[0],
        location=location,
        api_version=call.api_version,
        effect=effect,
        label=label_of(effect, call.address.type),
        target=call.address.key,
        target_id=shown_id,
        type_name=call.address.type,
        lock=lock,
        touched=(),
        started=now,
        due=now + world.settings.duration(call.address.type_key),
        caller=call.caller,
        failing=world.failing,
    )


def announce(world: World, call: Call, operation: Operation) -> dict[str, str]:
    """An operation in, the headers of the answer that tells of it out."""
    base = call.request.base
    headers = {"Azure-AsyncOperation": base + operation.path("operations")}
    if operation.effect == "delete":
        headers["Location"] = base + operation.path("operationResults")
    if is_network(call.address.type_key):
        headers["Azure-AsyncNotification"] = "Enabled"
        headers["x-ms-operation-identifier"] = operation_identifier(world, call.caller, operation.location)
    if operation.status == "InProgress":
        headers |= world.settings.wait(operation.effect, call.address.type_key)
    return headers


def operation_identifier(world: World, caller: Caller, location: str) -> str:
    """Who asked and where it ran, as the Network provider says it since April 2025."""
    principal = caller.principal
    return f"tenantId={principal.tenant_id},objectId={principal.object_id}/{location}/{world.guid()}"


def refuse_busy(world: World, call: Call, running: Operation) -> errors.ArmError:
    """The operation that is in the way in, the refusal out, in the shape this simulator was asked for."""
    if world.settings.busy == "retryable":
        seconds = max(1, round((running.due - world.now()).total_seconds()))
        return errors.retry_another_operation(running.label, running.id, running.target_id, seconds)
    return errors.another_operation(call.request.base + running.path("operations"))


def check_preconditions(call: Call, current_etag: str, shown_id: str, *, exists: bool) -> None:
    """If-Match and If-None-Match in; refused with 412 when they do not hold."""
    wanted = call.request.header("If-Match")
    if wanted is not None:
        given = wanted if wanted.startswith('W/"') else f'W/"{wanted.strip(chr(34))}"'
        if not exists or (wanted.strip() != "*" and given != current_etag):
            raise errors.etag_mismatch(given, current_etag or 'W/""', shown_id)
    if call.request.header("If-None-Match") == "*" and exists:
        raise errors.already_exists(shown_id)


def empty(status: int, headers: dict[str, str]) -> Response:
    return answer(status, None, headers)
