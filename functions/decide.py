"""HTTP: what people decide. A request in, a decision in the ledger and a Cause in the queue out."""

from typing import TYPE_CHECKING, Final

import azure.functions as func
import msgspec
from msgspec import Struct

from functions.answers import answer, problem
from governor.core.standing import Ruling

if TYPE_CHECKING:
    from governor.wiring import Worker

bp = func.Blueprint()
_HOLDER: Final = "holder of a function key"


class _Ruling(Struct):
    decision: Ruling
    reason: str = ""


class _Undo(Struct):
    reason: str = ""
    days: int = 7


class _Pause(Struct):
    paused: bool
    reason: str = ""


@bp.route(route="approvals/{digest}", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
async def decide(req: func.HttpRequest) -> func.HttpResponse:
    """POST {"decision": "approve" | "reject", "reason": "..."}: what was decided about out."""
    from governor import decisions
    from governor.wiring import worker

    try:
        wish = msgspec.json.decode(req.get_body(), type=_Ruling)
        at = worker()
        offers = await decisions.rule(
            req.route_params["digest"], wish.decision, (_who(req, at), wish.reason), at.ports, at.rules().policies
        )
    except msgspec.DecodeError as wrong:
        return problem(400, f"the body of the request: {wrong}")
    except decisions.DecisionError as wrong:
        return problem(404 if isinstance(wrong, decisions.UnknownError) else 409, str(wrong))
    remediation = offers[0].withheld.remediation
    return answer({"digest": remediation.digest, "decision": wish.decision, "resource": remediation.resource}, 202)


@bp.route(route="records/{id}/undo", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
async def undo(req: func.HttpRequest) -> func.HttpResponse:
    """POST {"reason": "...", "days": 7}: the Scope that will be undone out."""
    from governor import decisions
    from governor.wiring import worker

    record = req.route_params["id"]
    try:
        wish = msgspec.json.decode(req.get_body() or b"{}", type=_Undo)
        at = worker()
        scope = await decisions.undo(record, wish.days, (_who(req, at), wish.reason), at.ports)
    except msgspec.DecodeError as wrong:
        return problem(400, f"the body of the request: {wrong}")
    except decisions.DecisionError as wrong:
        return problem(404 if isinstance(wrong, decisions.UnknownError) else 409, str(wrong))
    return answer({"record": record, "scope": scope.key, "days": wish.days}, 202)


@bp.route(route="pause", methods=["POST"], auth_level=func.AuthLevel.ADMIN)
async def pause(req: func.HttpRequest) -> func.HttpResponse:
    """POST {"paused": true | false, "reason": "..."}: the kill switch."""
    from governor import decisions
    from governor.wiring import worker

    try:
        wish = msgspec.json.decode(req.get_body(), type=_Pause)
    except msgspec.DecodeError as wrong:
        return problem(400, f"the body of the request: {wrong}")
    at = worker()
    who = (_who(req, at), wish.reason)
    if wish.paused:
        await decisions.pause(who, at.ports)
        return answer({"paused": True})
    return answer({"paused": False, "scopes_looked_at_again": await decisions.resume(who, at.ports)})


def _who(req: func.HttpRequest, at: "Worker") -> str:
    """Who asks, as the platform's authentication says; without it anybody may write its header: he holds a key."""
    name = req.headers.get("x-ms-client-principal-name")
    return name if name and at.settings.authenticates else _HOLDER
