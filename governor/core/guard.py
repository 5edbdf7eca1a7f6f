"""Permission as a filter over the Plan: a Proposal in, the Plan that may run out, everything else with its reasons.

Without a released repair that needs it, what several repairs share is not released either; without it, no repair that
needs it.
"""

from typing import Final

from governor.core import ids
from governor.core.egress import trace
from governor.core.estate import Estate
from governor.core.forecast import Refusal, forecast, refused, with_subnet
from governor.core.gates import AN_HOUR, GATES, Circumstances, held_by
from governor.core.judged import Judged, judge
from governor.core.plan import Gate, Plan, Reason, Remediation, Withheld
from governor.core.policy import Policy
from governor.core.propose import Proposal
from governor.core.step import WriteSubnet
from governor.core.verdict import Result

# A Record is at most 32 KiB and holds every write of its run; a limit above this one has no effect.
MOST_IN_ONE_RUN: Final = 25


def withhold(proposal: Proposal, around: Circumstances) -> Plan:
    """What is proposed and the circumstances in, the Plan that may run with all that is withheld out."""
    withheld = {w.remediation.digest: w for w in proposal.plan.withheld}
    repairs = [r for r in proposal.plan.remediations if ids.key(r.resource) in proposal.judged]
    shared = {r.digest: r for r in proposal.plan.remediations if ids.key(r.resource) not in proposal.judged}
    released: list[Remediation] = []
    # What several repairs need is imagined once.
    made_first: dict[tuple[str, ...], Estate | Refusal] = {}
    for repair in repairs:
        judged = proposal.judged[ids.key(repair.resource)]
        reasons = held_by(GATES, repair, judged, _policy(repair, around), around)
        if not reasons:
            if repair.needs not in made_first:
                needed = tuple(step for digest in repair.needs for step in shared[digest].steps)
                made_first[repair.needs] = forecast(around.estate, needed)
            reasons = spoils(repair, judged, made_first[repair.needs], around)
        if reasons:
            withheld[repair.digest] = Withheld(repair, tuple(reasons))
        else:
            released.append(repair)
    # Imagined before the limits cut, so that what never goes through uses up no limit; what is left is imagined again.
    released, refused = _whole(released, shared, around)
    released, cut = _brakes(released, around)
    released, spoilt = _whole(released, shared, around) if cut else (released, [])
    withheld.update({w.remediation.digest: w for w in (*refused, *cut, *spoilt)})
    needed_digests = {digest for repair in released for digest in repair.needs}
    for digest, remediation in shared.items():
        if digest not in needed_digests:
            text = "nothing that was released needs it"
            withheld[digest] = Withheld(remediation, (Reason(Gate.NEEDS, text),))
    made = tuple(r for digest, r in shared.items() if digest in needed_digests)
    return Plan((*made, *released), tuple(withheld.values()))


def _policy(remediation: Remediation, around: Circumstances) -> Policy:
    policy = around.policies.find(remediation.policy)
    if policy is None:
        raise LookupError(f"a Remediation names policy {remediation.policy}, which this set does not hold")
    return policy


# ---- what looks at several Remediations, or imagines them -----------------------------------------------------------


def _brakes(released: list[Remediation], around: Circumstances) -> tuple[list[Remediation], list[Withheld]]:
    """Limits cut between Remediations and count repairs, not what they need."""
    passed: list[Remediation] = []
    cut: list[Withheld] = []
    in_run: dict[str, int] = {}
    for remediation in released:
        policy, standing = _policy(remediation, around), around.standing
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


def spoils(repair: Remediation, judged: Judged, first: Estate | Refusal, around: Circumstances) -> list[Reason]:
    """Imagines one repair of a subnet after what comes first: Azure must take it, and it must cut nothing off."""
    if isinstance(first, Refusal):
        return [Reason(Gate.FORECAST, f"Azure would refuse what it needs: {first.why}")]
    subnet = judged.subnet
    for step in repair.steps:
        if isinstance(step, WriteSubnet):
            subnet = with_subnet(subnet, step.to)
            if why := refused(step, subnet, judged.network, first):
                return [Reason(Gate.FORECAST, f"Azure would refuse it: {why}")]
    path = trace(subnet, judged.network, first)
    isolates = judged.policy is not None and judged.policy.egress.isolated is not None
    if not path.ways:
        return [Reason(Gate.FORECAST, "how it would leave afterwards cannot be known")]
    now = judged.path or trace(judged.subnet, judged.network, around.estate)
    served = not judged.occupants.empty and (now.works or not now.ways)
    if served and not path.works and not isolates:
        return [Reason(Gate.FORECAST, "it would take the last way out away")]
    return []


def _whole(
    released: list[Remediation], shared: dict[str, Remediation], around: Circumstances
) -> tuple[list[Remediation], list[Withheld]]:
    """Imagines everything that is released at once: what is not compliant then, or spoils something, is held back.

    What remains is imagined again.
    """
    if not released:
        return released, []
    before = {(ids.key(v.resource), v.requirement): v.result for v in judge(around.estate, around.policies)}
    held: list[Withheld] = []
    while released and (wrong := _wrong(released, shared, around, before)):
        held += [Withheld(r, (Reason(Gate.FORECAST, why),)) for r in released if (why := wrong.get(r.digest))]
        released = [r for r in released if r.digest not in wrong]
    return released, held


def _wrong(
    released: list[Remediation],
    shared: dict[str, Remediation],
    around: Circumstances,
    before: dict[tuple[str, str], Result],
) -> dict[str, str]:
    """Remediations in; the digests of those that must not run together with the others, each with the reason, out."""
    needs = dict.fromkeys(digest for r in released for digest in r.needs)
    steps = tuple(s for d in needs for s in shared[d].steps) + tuple(s for r in released for s in r.steps)
    after = forecast(around.estate, steps)
    if isinstance(after, Refusal):
        guilty = [r for r in released if after.step in (*r.steps, *(s for d in r.needs for s in shared[d].steps))]
        return {r.digest: f"together with the others, Azure would refuse it: {after.why}" for r in guilty}
    promised = {(ids.key(r.resource), requirement) for r in released for requirement in r.requirements}
    promised |= {place for place, result in before.items() if result is Result.COMPLIANT}
    wrong = {
        ids.key(v.resource): v
        for v in judge(after, around.policies)
        if v.result is not Result.COMPLIANT and (ids.key(v.resource), v.requirement) in promised
    }
    own = {
        r.digest: f"afterwards it would be {v.result.value}: {v.seen}"
        for r in released
        if (v := wrong.get(ids.key(r.resource)))
    }
    if wrong and not own:
        spoiled = next(iter(wrong.values()))
        why = f"afterwards {ids.name(spoiled.resource)} would be {spoiled.result.value}: {spoiled.seen}"
        return {r.digest: why for r in released}
    return own
