"""A cluster's API server asks about a Service: the bytes it sends and the cluster in, what is put on the Service out.

Which policy governs a cluster is what the last look at it said: nothing is read from Azure while somebody waits.
"""

import hashlib
import hmac
import logging
from collections.abc import Mapping
from typing import Final

from governor.core import admission, ids
from governor.core.admission import Answer
from governor.core.policy import Mode, Policies, Policy
from governor.core.service_annotations import Edit, Leave, annotate
from governor.core.verdict import Result
from governor.ports import Ledger

LOG: Final = logging.getLogger("governor")


class UndecidedError(Exception):
    """It is not known which policy governs the cluster: one clear line."""


def hashed(token: str) -> str:
    """A token in, what the settings hold of it out."""
    return hashlib.sha256(token.encode()).hexdigest()


def cluster_of(token: str, tokens: Mapping[str, str]) -> str | None:
    """A token that somebody shows and the settings' hashes in, the id of the cluster it belongs to out."""
    shown = hashed(token)
    return next((cluster for digest, cluster in tokens.items() if hmac.compare_digest(digest, shown)), None)


async def admit(raw: bytes, cluster: str, ledger: Ledger, rules: tuple[Policies, Mode]) -> Answer:
    """A review of a cluster, the policies and their ceiling in, the answer out.

    Raises NotAReviewError; and UndecidedError, which leaves it to the API server's failurePolicy.
    """
    request, (policies, ceiling) = admission.read(raw), rules
    change = admission.change(request)
    if change is None or not change.service.is_balancer:
        return admission.answer(request, Edit())
    policy = await _governing(cluster, ledger, policies)
    if policy is None:
        return admission.answer(request, Edit())
    edit = annotate(change, policy, Leave(ceiling, await ledger.paused() is not None))
    what = f"{len(edit.patch)} edits, {len(edit.warnings)} warnings"
    LOG.info("Service %r/%r of %s, policy %s: %s", request.namespace, request.name, cluster, policy.name, what)
    return admission.answer(request, edit)


async def _governing(cluster: str, ledger: Ledger, policies: Policies) -> Policy | None:
    """A cluster in; the policy that its verdicts name, or None when it is nobody's, out."""
    # Its nodes live in a network of its own subscription, and there its verdicts stand.
    standing = await ledger.verdicts(ids.parse(cluster).subscription)
    told = [verdict for verdict in standing if ids.same(verdict.resource, cluster)]
    names = sorted({one.policy for one in told if one.policy is not None})
    if not told:
        raise UndecidedError(f"no policy is known to govern {cluster}: nobody has looked at it yet")
    if len(names) > 1:
        raise UndecidedError(f"{' and '.join(names)} govern {cluster}: the next look at it tells which one does")
    if not names:
        if any(one.result is Result.UNGOVERNED for one in told):
            return None
        raise UndecidedError(f"which policy governs {cluster} is not known: {told[0].seen}")
    policy = policies.find(names[0])
    if policy is None:
        raise UndecidedError(f"policy {names[0]}, which governed {cluster}, is gone: the next look at it tells more")
    return policy
