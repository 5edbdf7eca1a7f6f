"""What enforcing an assignment would refuse of what is there today: Azure's own findings in, the count out."""

from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from governor.core import ids
from governor.core.estate import NOT_READ, Estate
from governor.core.request_facts import PolicyAssignment, PolicyDefinition, PolicyStates

# Azure looks at everything again once a day: an assignment of which it tells nothing by then concerns nothing there.
A_DAY: Final = timedelta(hours=24)
_SHOWN: Final = 3
_NOT_YET: Final = "what it would refuse is not counted yet: Azure looks at what is there within a day"
_NOTHING: Final = "in a day Azure has found nothing there that it concerns (if Microsoft.PolicyInsights is registered)"
_WRONG: Final = "noncompliant"


class Counted(Struct, frozen=True):
    """What would be refused of what is there, in words. known: whether Azure has looked at all."""

    text: str
    known: bool


def counted(assignment: PolicyAssignment, since: datetime | None, states: str, estate: Estate) -> Counted:
    """An assignment, when it was written last, and the name of the list of findings in, the count out."""
    if not estate.has_listed(states):
        why = estate.why(states)
        return Counted(_NOT_YET if why == NOT_READ else f"what it would refuse is not known: {why}", False)
    found = [
        state
        for one in estate.all(PolicyStates)
        for state in one.value
        if ids.same(state.assignment, assignment.id) and _is_new(state.at, since)
    ]
    if not found and (since is None or estate.observed_at - since < A_DAY):
        return Counted(_NOT_YET, False)
    if not found:
        return Counted(_NOTHING, True)
    wrong = {ids.key(one.resource): one.resource for one in found if one.state.casefold() == _WRONG}
    if not wrong:
        return Counted("nothing that is there today would be refused", True)
    more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
    names = ", ".join(ids.placed(resource) for _, resource in sorted(wrong.items())[:_SHOWN])
    return Counted(f"{len(wrong)} of what is there today would be refused: {names}{more}", True)


def since(*written: PolicyAssignment | PolicyDefinition | None) -> datetime | None:
    """What is kept in; when somebody wrote it last, as Azure tells, out."""
    times = [one.metadata.get(name) for one in written if one is not None for name in ("createdOn", "updatedOn")]
    return max((at for at in map(moment, times) if at is not None), default=None)


def moment(text: object) -> datetime | None:
    """A time as Azure writes it in, the time out; None for what is none."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _is_new(at: str, since: datetime | None) -> bool:
    found = moment(at)
    return since is None or (found is not None and found >= since)
