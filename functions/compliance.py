"""HTTP: what the ledger holds, for people who read. Nothing is judged here."""

import azure.functions as func

from functions.answers import answer, problem, within

bp = func.Blueprint()
_MOST = 200


@bp.route(route="records/{id?}", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
async def records(req: func.HttpRequest) -> func.HttpResponse:
    """GET: one Record, or a page of them, newest first (`limit`, `continuation`, `subscription`)."""
    from governor.wiring import worker

    ledger = worker().ports.ledger
    if record_id := req.route_params.get("id"):
        record = await ledger.record(record_id)
        return answer(record) if record else problem(404, f"there is no record {record_id}")
    asked = req.params.get("limit", "50")
    if (limit := within(asked, _MOST)) is None:
        return problem(400, f"limit={asked[:20]!r}: expected a number from 1 to {_MOST}")
    try:
        page = await ledger.records(req.params.get("subscription"), limit, req.params.get("continuation"))
    except ValueError as wrong:
        return problem(400, str(wrong))
    return answer(page)


@bp.route(route="health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def health(req: func.HttpRequest) -> func.HttpResponse:
    """GET: whether settings, policies and ledger are usable; says nothing that needs protection."""
    from governor.policy_files import PolicyErrors
    from governor.settings import SettingsError
    from governor.wiring import worker

    try:
        at = worker()
        rules = at.rules()
        paused = await at.ports.ledger.paused() is not None
    except SettingsError as wrong:
        return answer({"status": "failing", "settings": len(str(wrong).splitlines()), "see": "the log"}, 503)
    except PolicyErrors as wrong:
        return answer({"status": "failing", "policy_errors": len(wrong.errors)}, 503)
    stale = at.policy_errors
    return answer(
        {
            "status": "degraded" if stale else "ok",
            "paused": paused,
            "mode_ceiling": rules.ceiling,
            "policies": rules.policies.digest[:16],
            "policy_errors": len(stale.errors) if stale else 0,
        }
    )
