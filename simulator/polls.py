"""Operations being asked for: a call on an operation's address in, how it is getting on (or its result) out."""

from simulator import errors
from simulator.calls import Call, operation_identifier
from simulator.operations import Operation
from simulator.wire import Response, answer
from simulator.world import World


def poll(world: World, call: Call, operation_id: str, segment: str) -> Response:
    """An operation's address in, how it is getting on (or its result) out."""
    operation = world.operations.get(operation_id)
    if operation is None or operation.is_job:
        raise errors.ArmError(404, "OperationNotFound", f"Operation {operation_id} was not found.")
    running = operation.status == "InProgress"
    headers = world.settings.wait("poll") if running else {}
    if not operation.is_cluster:
        headers["x-ms-operation-identifier"] = operation_identifier(world, call.caller, operation.location)
    if segment == "operations":
        return answer(200, operation.report(), headers)
    if operation.effect == "action" and operation.status == "Succeeded":
        return answer(200, operation.result, headers)
    headers |= _locations(call.request.base, operation)
    if operation.status == "Failed" and operation.error is not None:
        return answer(409, {"error": operation.error}, headers)
    return answer(202 if running else 204, None, headers)


def job(world: World, call: Call, job_id: str) -> Response:
    """The Location of a delete of Resource Manager's own in: 202 while it runs, then 200 (204 of a deployment)."""
    operation = world.operations.get(job_id)
    if operation is None or not operation.is_job:
        raise errors.gateway(404, "JobNotFound", f"The job '{job_id}' could not be found.")
    if operation.status == "InProgress":
        headers = {"Location": call.request.base + operation.path("operationResults")}
        return answer(202, None, headers | world.settings.wait("delete_group"))
    if operation.error is not None:
        return answer(409, {"error": operation.error})
    return answer(200 if operation.effect == "delete_group" else 204)


def _locations(base: str, operation: Operation) -> dict[str, str]:
    result = {"Location": base + operation.path("operationResults")}
    if operation.effect == "action":  # is told by its Location only
        return result
    return {"Azure-AsyncOperation": base + operation.path("operations")} | result
