"""HTTP: the API server of a cluster asks before it stores a Service; an AdmissionReview in, one with a JSON Patch out.

A webhook's URL can carry neither key nor header, so the token in the path says which cluster asks. Every answer but 200
is a failed call to the API server, which then does what the webhook's failurePolicy says.
"""

import azure.functions as func

from functions.answers import answer, problem

bp = func.Blueprint()


@bp.route(route="admission/{cluster_token}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def admission(req: func.HttpRequest) -> func.HttpResponse:
    """POST an AdmissionReview of admission.k8s.io/v1; what is put on the Service comes back."""
    from governor import admission
    from governor.core.admission import MOST_BYTES, NotAReviewError
    from governor.policy_files import PolicyErrors
    from governor.wiring import worker

    at, raw = worker(), req.get_body()
    cluster = admission.cluster_of(req.route_params["cluster_token"], at.settings.admission_tokens)
    if cluster is None:
        return problem(404, "no cluster has this token: EGRESS_GOVERNOR_ADMISSION_TOKENS holds the hashes of those")
    try:
        rules = at.rules()
        found = await admission.admit(raw, cluster, at.ports.ledger, (rules.policies, rules.ceiling))
    except NotAReviewError as wrong:
        return problem(413 if len(raw) > MOST_BYTES else 400, str(wrong))
    except PolicyErrors as wrong:
        return problem(503, f"no valid policies: {len(wrong.errors)} errors, see the log and /api/health")
    except admission.UndecidedError as wrong:
        return problem(503, str(wrong))
    return answer(found)
