"""What a survey sees, and what its word is worth beside the one that stands.

Resource Graph lags, and may lack what Resource Manager shows. So a survey finds, and a run of the Scope, which reads
Resource Manager, decides: what a survey says against a run, or finds wrong, is a reason to look (docs/architecture.md).
"""

from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from governor.core.cause import Remainder, Scope
from governor.core.estate import Estate
from governor.core.verdict import Result, Verdict

# Azure promises no time within which Graph knows of a change; seconds to minutes are usual. A run that looked within
# this time before a survey asked may have seen what Graph did not know yet: what it told stays.
GRAPH_LAG: Final = timedelta(minutes=10)
SUBSCRIPTION_SEEN: Final = "subscription-seen"


class Seen(Struct, frozen=True):
    """The subscriptions that Graph shows, and by subscription why the others do not count as seen."""

    subscriptions: tuple[str, ...]
    unseen: dict[str, str] = {}


class Sheet(Struct, frozen=True):
    """Networks of a survey, few enough to be held at once: the ids of those that came, and the Estate they are in."""

    networks: tuple[str, ...]
    estate: Estate


class Rest(Struct, frozen=True):
    """What lives in no network of the subscriptions that are seen: `remainders` of its Estate."""

    estate: Estate


class Cut(Struct, frozen=True):
    """There are more networks, and they cannot be read."""

    why: str


class Sighting(Struct, frozen=True):
    """All verdicts of a survey about one Scope, on facts that were asked for at that time."""

    scope: Scope
    at: datetime
    verdicts: tuple[Verdict, ...]


class Stands(Struct, frozen=True):
    """A verdict that stands. told: by a run, so that a Record says it. overruled: what a survey had said before.

    doubted: a survey said otherwise than a run, and no run has looked since.
    """

    verdict: Verdict
    told: bool
    doubted: bool = False
    overruled: Result | None = None


def worth_a_run(seen: Verdict, stands: Stands | None) -> bool:
    """A survey's verdict and the one that stands in, whether a run should look out."""
    if seen.result is Result.VIOLATION:
        # What held its repair back may have passed since a run has told it.
        return True
    if stands is None or not stands.told:
        # What is right from the start needs nobody's look: it stands on the survey's word.
        return seen.result is Result.UNKNOWN or (
            stands is not None and (stands.doubted or _moved(seen, stands.verdict))
        )
    if seen.result is Result.UNKNOWN:
        return (stands.verdict.result, stands.verdict.policy) != (seen.result, seen.policy)
    return _alike(seen, stands.verdict) != stands.verdict


def replaces(seen: Verdict, stands: Stands | None) -> bool:
    """A survey's verdict and the one that stands in, whether it takes that place until a run has looked out.

    Not knowing is no reason against a run that knew; nor is what a run has already overruled: where Graph and Resource
    Manager differ for good, verdicts would go back and forth with every sweep.
    """
    if stands is None:
        return True
    if not stands.told:
        return _alike(seen, stands.verdict) != stands.verdict
    if seen.result in (Result.UNKNOWN, stands.overruled):
        return False
    return (seen.result, seen.policy) != (stands.verdict.result, stands.verdict.policy)


def unseen(verdict: Verdict, why: str) -> Verdict:
    """A verdict on what cannot be seen any more in, Unknown out."""
    return replace(verdict, result=Result.UNKNOWN, seen=why, addresses=(), waits=False, more=False)


def of_subscription(scope: Remainder, why: str) -> Verdict:
    """A subscription that is not seen in, the Verdict that says so out."""
    return Verdict(scope.key, SUBSCRIPTION_SEEN, Result.UNKNOWN, seen=why)


def _moved(seen: Verdict, stands: Verdict) -> bool:
    """Whether something leaves from other addresses than before: whoever lists them must be told, by a run."""
    known = stands.result is not Result.UNKNOWN
    return known and (seen.addresses, seen.more) != (stands.addresses, stands.more)


def _alike(seen: Verdict, stands: Verdict) -> Verdict:
    """Graph and Resource Manager may write one id in different case."""
    return replace(seen, resource=stands.resource)
