"""What is drafted of Azure Policy: an Estate and policies in, its repairs and what is withheld of them out."""

from governor.core.draft import Draft
from governor.core.estate import Estate
from governor.core.plan import Remediation
from governor.core.policy import Policies
from governor.core.request_means import request_means
from governor.core.request_verdict import azure_policy


def gather_requests(estate: Estate, policies: Policies, draft: Draft) -> None:
    """An Estate in; what is done about Azure Policy in its subscriptions is drafted."""
    for seen in azure_policy(estate, policies).values():
        draft.missing.update(dict.fromkeys(seen.missing))
        for one in request_means(seen):
            if isinstance(one, Remediation):
                draft.repairs[one.digest] = one
                draft.subjects[one.digest] = ()
            else:
                draft.withheld.append(one)
                draft.subjects[one.remediation.digest] = ()
