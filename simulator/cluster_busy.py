"""AKS works on one thing of a cluster at a time: a write or delete in, its refusal, or what it is to preempt, out."""

from simulator import errors
from simulator.calls import Call
from simulator.ids import AGENT_POOL
from simulator.operations import Operation, stamp
from simulator.store import Stored
from simulator.wire import Body
from simulator.world import World

AT_WORK = ("Creating", "Updating", "Deleting")
_VERBS = {"Creating": "create", "Updating": "update", "Deleting": "delete"}


def let_in(world: World, call: Call, stored: Stored | None, cluster: Stored | None = None) -> Operation | None:
    """A write or delete of `stored` (None: it is new) in; refused when it comes too early or knows an old eTag.

    The operation that is in its way and has to be preempted out: a delete of a cluster waits for nobody, nor does a
    write where the simulator is asked for that shape of busy.
    """
    _check_etag(call, stored)
    top = cluster or stored
    if top is None:
        return None
    running = world.operations.running(top.id.casefold())
    state = top.state if running is None else _state_of(world, running)
    if state not in AT_WORK:
        return running
    deletes_cluster = call.request.method == "DELETE" and call.address.type_key != AGENT_POOL
    if running is not None and running.effect != "delete" and (deletes_cluster or world.settings.busy == "async"):
        return running
    raise errors.cluster(
        409, "OperationNotAllowed", f"Operation is not allowed{_why(world, call, top, running, state)}"
    )


def preempted_by(operation: Operation) -> Body:
    """The operation that takes the place of another in, the error that the other ends with out."""
    code, who = "AKSOperationPreempted", f"another operation with ID {operation.id}"
    if operation.effect == "delete":
        code, who = "AKSOperationPreemptedByDelete", "Deleting operation."
    return {"code": code, "message": f"This operation has been preempted by {who}", "details": []}


def _state_of(world: World, running: Operation) -> str:
    target = world.store.get(running.target)
    return target.state if target is not None else "Updating"


def _why(world: World, call: Call, top: Stored, running: Operation | None, state: str) -> str:
    """The end of the sentence: AKS says it in three ways, by what is written and what is in its way."""
    in_way = running.type_name.lower() if running is not None else top.type.lower()
    same = running is None or running.target == call.address.key
    operation_id = running.id if running is not None else world.guid()
    since = stamp(running.started if running is not None else world.now())
    if same and in_way == AGENT_POOL:
        return (
            f" because there's an in progress {_VERBS[state]} node pool operation (operation ID: {operation_id}) on "
            f"the agent pool {call.address.names[-1]} started on UTC {since}. Please wait for it to finish before "
            "starting a new operation. You can also use 'az aks nodepool operation-abort ...' to abort the ongoing "
            "operation."
        )
    if same and call.address.type_key != AGENT_POOL:
        return (
            f" because there's an in progress {_VERBS[state]} managed cluster operation (operation ID: {operation_id}) "
            f"on the managed cluster {top.name} started on UTC {since}. Please wait for it to finish before starting "
            "a new operation."
        )
    pool = f"{running.target_id.rpartition('/')[2]} - " if running is not None and in_way == AGENT_POOL else ""
    return (
        f": Another operation ({pool}{state}) is in progress, please wait for it to finish before starting a new "
        "operation. See https://aka.ms/aks-pending-operation for more details"
    )


def _check_etag(call: Call, stored: Stored | None) -> None:
    """If-Match and If-None-Match in; refused with 412 when they do not hold."""
    wanted, current = call.request.header("If-Match"), stored.etag if stored is not None else ""
    if wanted is not None and wanted.strip() != "*" and wanted.strip().removeprefix("W/").strip('"') != current:
        raise errors.cluster(
            412, "PreconditionFailed", f"The If-Match header {wanted} does not match the current eTag '{current}'."
        )
    if (wanted is not None and stored is None) or (call.request.header("If-None-Match") == "*" and stored is not None):
        raise errors.cluster(412, "PreconditionFailed", "The managed cluster or agent pool exists, or does not.")
