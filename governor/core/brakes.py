"""Limits: they cut between Remediations and count repairs, not what those need."""

from typing import Final

from governor.core.circumstances import Circumstances, policy_of
from governor.core.plan import Gate, Reason, Remediation, Withheld

AN_HOUR: Final = 3600.0
# A Record is at most 32 KiB and holds every write of its run; a limit above this one has no effect.
MOST_IN_ONE_RUN: Final = 25


def brakes(released: list[Remediation], around: Circumstances) -> tuple[list[Remediation], list[Withheld]]:
    """Repairs in, those that the limits let pass and those that they cut out."""
    passed: list[Remediation] = []
    cut: list[Withheld] = []
    in_run: dict[str, int] = {}
    for remediation in released:
        policy, standing = policy_of(remediation, around.policies), around.standing
        limits, run = policy.limits, in_run.get(policy.name, 0)
        hour = standing.written.get(policy.name, 0) + run
        share = limits.percent_of_subscription
        by_share = max(share.first_free, int(standing.governed.get(policy.name, 0) * share.limit / 100))
        for most, count, what, after in (
            (limits.remediations_per_run, run, "in one run", 5.0),
            (MOST_IN_ONE_RUN, len(passed), "in one run of all policies", 5.0),
            (limits.per_hour, hour, "an hour in this subscription", AN_HOUR),
            (by_share, hour, f"an hour ({share.limit:g} % of what the policy governs here)", AN_HOUR),
            (around.policies.tenant.per_hour, standing.tenant_written + len(passed), "an hour in the tenant", AN_HOUR),
        ):
            if count >= most:
                text = f"the limit of {most} repairs {what} is reached; it goes on by itself"
                cut.append(Withheld(remediation, (Reason(Gate.BRAKES, text, after=after),)))
                break
        else:
            in_run[policy.name] = run + 1
            passed.append(remediation)
    return passed, cut
