"""What the story needs from outside: Cloud, Ledger, Inbox, Clock, and the five words for what can go wrong.

What Ledger and Inbox promise is tested in tests/local; one contract suite runs against every implementation.
"""

import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from governor.core.cause import CAUSES, Cause, Scope, Survey
from governor.core.estate import Estate
from governor.core.needs import Needs
from governor.core.notice import Notice
from governor.core.plan import Plan, Remediation, Withheld
from governor.core.record import Outcome, Record
from governor.core.register import Past, Registered, Sought
from governor.core.sighting import Cut, Rest, Seen, Sheet, Sighting
from governor.core.standing import Decision, KnownClusters, Pause, Standing, StandingApproval, UndoRequest
from governor.core.step import Step
from governor.core.verdict import Verdict

# ---- the five words (docs/architecture.md, rule 7) ----------------------------------------------------------------


class Trouble(Exception):  # noqa: N818 - the five words are the names
    """Something outside went wrong. `str()` is one clear line for people."""


class Transient(Trouble):
    """It may go through later; `after` seconds, if the other side said so."""

    def __init__(self, text: str, after: float | None = None) -> None:
        super().__init__(text)
        self.after = after


class Absent(Trouble):
    """There is no such thing: a normal answer."""


class Changed(Trouble):
    """Somebody else wrote it first (412)."""


class Refused(Trouble):
    """Not permitted, locked, or denied by a policy: withheld until facts change."""

    def __init__(self, text: str, code: str, action: str = "", scope: str = "") -> None:
        super().__init__(text)
        self.code, self.action, self.scope = code, action, scope


class Terminal(Trouble):
    """It will not go through as it is; `code` is Azure's."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code


class Lost(Exception):  # noqa: N818
    """This run's claim was taken over: it must not write any more."""


class Touched(Exception):  # noqa: N818
    """Somebody else has written the Scope since this run claimed it: it must look again before it writes more."""


class Paused(Exception):  # noqa: N818
    """The kill switch is on: no further step may begin."""


# ---- clock ----------------------------------------------------------------------------------------------------------


class Clock(Protocol):
    def now(self) -> datetime:
        """The time, aware UTC."""

    async def sleep(self, seconds: float) -> None: ...


# ---- cloud ----------------------------------------------------------------------------------------------------------


class Applied(Struct, frozen=True):
    """What became of one step in the cloud, with the raw bodies before and after (None: absent).

    again: seconds that Azure asked to wait before the next try.
    """

    outcome: Outcome
    before: bytes | None = None
    after: bytes | None = None
    again: float | None = None


class Cloud(Protocol):
    async def observe(self, scope: Scope, needs: Callable[[Estate], Needs], so_far: Estate | None = None) -> Estate:
        """Reads the Scope, then whatever `needs` asks for until it asks for nothing new.

        so_far: goes on from what was read before, without reading any of it again.
        """

    async def apply(self, remediation: str, step: Step, renew: "Renew", correlation: str = "") -> Applied:
        """Checks, writes, waits, reads again; `renew` is awaited at every poll of a long operation.

        correlation: what the write says of itself, and the event that tells of it says again.
        """

    async def subscriptions(self, scopes: Sequence[str] = ()) -> tuple[str, ...]:
        """Ids of subscriptions and names of management groups in (none: all that can be read), subscriptions out.

        Those that cannot be read are among them where the scopes name them.
        """

    async def tenant(self, subscription: str) -> str:
        """The id of the tenant that a subscription belongs to; "" where that is not shown. Raises Transient."""

    def survey(
        self, subscriptions: Sequence[str], needs: Callable[[Estate], Needs]
    ) -> AsyncIterator[Seen | Sheet | Rest | Cut]:
        """Reads subscriptions from Resource Graph: first what is Seen, then Sheets, then the Rest. Raises Transient.

        `needs` is asked for what else to read of the networks of each Sheet.
        """

    async def close(self) -> None: ...


class Renew(Protocol):
    async def __call__(self) -> None: ...


# ---- ledger ---------------------------------------------------------------------------------------------------------


class Intent(Struct, frozen=True):
    """A step that a run was about to write; without outcome it may or may not have been written."""

    run: str
    number: int
    remediation: str
    step: Step
    at: datetime


class Held(Struct, frozen=True):
    """The claim is ours. `interrupted`: intents without outcome of runs that this one took over."""

    scope: Scope
    epoch: int
    interrupted: tuple[Intent, ...] = ()


class Absorbed(Struct, frozen=True):
    """A settled run has seen the world later than this Cause happened: nothing to do."""

    by: str


class Busy(Struct, frozen=True):
    """Another run holds the Scope; look again after so many seconds."""

    after: float


class Run(Struct, frozen=True):
    """A run that has begun: `id` is the hash of scope and epoch."""

    id: str
    scope: Scope
    epoch: int
    cause: Cause
    policy_digest: str


def correlation(run_id: str) -> str:
    """The id of a run in, the correlation id of all its writes out: a GUID, as Azure wants it."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, run_id))


class Ending(Struct, frozen=True):
    """How a run ended. record: None when there is nothing new to say (nothing written, changed or newly withheld).

    seen_through: the clock before the first read or, if it wrote, before its closing read. settled: nothing pending,
    stale, unknown because of a state, or cut by a limit. verdicts: all of the Scope; the ledger stores those that
    differ from the standing ones. withheld: offered for decisions. named: keys of what was read or named.
    clusters: what is known of those that live in the Scope.
    """

    seen_through: datetime
    settled: bool
    verdicts: tuple[Verdict, ...]
    withheld: tuple[Withheld, ...] = ()
    named: tuple[str, ...] = ()
    record: Record | None = None
    clusters: KnownClusters = KnownClusters()


class Offered(Struct, frozen=True):
    """A withheld Remediation that people can decide about, with the Scope it belongs to."""

    scope: Scope
    withheld: Withheld
    since: datetime
    decision: Decision | None = None


class Verification(Struct, frozen=True):
    """Whether a subscription's chain of Records is whole: how many there are, and the first thing that is wrong."""

    subscription: str
    records: int
    wrong: str | None


class Page(Struct, frozen=True):
    """Records, newest first, and where the next page begins (None: there is none)."""

    records: tuple[Record, ...]
    continuation: str | None = None


class RegisterPage(Struct, frozen=True):
    """Entries of the register of egress addresses, and where the next page begins (None: there is none)."""

    entries: tuple[Registered, ...]
    continuation: str | None = None


class Ledger(Protocol):
    # -- one run, in this order
    async def claim(self, cause: Cause, scope: Scope, policy_digest: str) -> Held | Absorbed | Busy:
        """One conditional write. An event also tells that somebody wrote the Scope then, unless it is our echo."""

    async def standing(self, scope: Scope, cause: Cause) -> Standing: ...

    async def begin(self, held: Held, cause: Cause, policy_digest: str, plan: Plan) -> Run:
        """Durable before the first write. Raises Lost."""

    async def intend(self, run: Run, number: int, remediation: str, step: Step) -> None:
        """Writes the intent and renews the lease. Raises Paused, Lost or Touched."""

    async def renew(self, run: Run) -> None:
        """Renews the lease. Raises Lost."""

    async def done(self, run: Run, number: int, applied: Applied) -> Outcome:
        """Stores the outcome, and the bodies as blobs named by SHA-256; the Outcome that names them comes back."""

    async def count(self, run: Run, remediation: Remediation, failed: bool) -> None:
        """Counts one finished Remediation for the brakes: per hour, and failures in a row."""

    async def end(self, run: Run, ending: Ending) -> Record | None:
        """Chains the Record, changes verdicts and register, puts a Notice, releases the claim. Raises Lost."""

    async def release(self, held: Held, settled: bool = False) -> None:
        """Gives the claim back without having seen anything."""

    # -- what lies outside a Scope
    async def lease(self, run: Run, key: str) -> bool:
        """Takes the lease on one object outside the Scope; False when another run holds it."""

    async def unlease(self, run: Run, key: str) -> None: ...

    async def named_by(self, key: str) -> tuple[Scope, ...]:
        """The Scopes whose last run read or named this resource."""

    # -- people
    async def offered(self, digest: str | None = None) -> tuple[Offered, ...]:
        """What waits for a decision: all of it, or what has this digest."""

    async def decide(self, decision: Decision) -> None: ...

    async def approve_standing(self, approval: StandingApproval) -> None: ...

    async def request_undo(self, request: UndoRequest) -> None: ...

    async def pause(self, pause: Pause | None, by: str, reason: str) -> None:
        """Switches the kill switch on, or off (None); both stay on record."""

    async def paused(self) -> Pause | None: ...

    # -- reading
    async def record(self, record_id: str) -> Record | None: ...

    async def records(
        self, subscription: str | None = None, limit: int = 50, continuation: str | None = None
    ) -> Page: ...

    async def blob(self, name: str) -> bytes | None: ...

    async def verdicts(self, subscription: str | None = None) -> Sequence[Verdict]: ...

    async def subscriptions(self) -> tuple[str, ...]:
        """The subscriptions of which verdicts stand."""

    async def scopes(self, subscription: str) -> tuple[Scope, ...]:
        """The Scopes of a subscription of which verdicts stand."""

    async def addresses(
        self, sought: Sought | None = None, limit: int = 200, continuation: str | None = None
    ) -> RegisterPage:
        """The register of egress addresses, a page at a time. ValueError: that is not the continuation of a page."""

    async def address_history(self, resource: str) -> tuple[Past, ...]:
        """Whence a subnet or cluster left before, the latest first."""

    # -- notices
    async def notices(self, subscription: str | None = None) -> tuple[Notice, ...]:
        """What waits to be sent, the oldest first."""

    async def sent(self, notice: Notice) -> None:
        """A notice has gone: it waits no more."""

    # -- surveys
    async def surveyed(self, sightings: Sequence[Sighting]) -> tuple[Scope, ...]:
        """Stores of each Scope the verdicts that replace what stands; the Scopes at which a run should look come out.

        What was seen later than GRAPH_LAG before the Sighting stays, and so does the Scope that a run holds. Nothing is
        taken away: what is gone is for the run to say.
        """

    async def unseen(self, scope: Scope, at: datetime, why: str) -> None:
        """Nobody could see a Scope at that time: what stands about it, and was not seen later, is Unknown."""

    def verify(self) -> AsyncIterator[Verification]:
        """Checks every subscription's chain: each hash over the stored bytes, each `prev`, the head."""

    async def give_up(self, cause: Cause | None, raw: bytes, why: str) -> Record:
        """Records a message that nobody will look at again, with what it said."""

    async def close(self) -> None: ...


# ---- inbox ----------------------------------------------------------------------------------------------------------


class Inbox(Protocol):
    async def put(self, message: Cause | Survey, after: float = 0.0) -> None:
        """Puts a Cause or a Survey into its queue, to be seen after so many seconds."""

    async def put_back(self, raw: bytes, after: float, queue: str = CAUSES) -> None:
        """Puts a message that this version cannot read back into its queue as it is."""

    async def close(self) -> None: ...


class Notices(Protocol):
    async def send(self, notice: Notice) -> None:
        """Tells whoever is to be told; again with the same id if it is not known whether it went. Raises the words."""

    async def close(self) -> None: ...


class Ports(Struct, frozen=True):
    """Everything a run needs from outside. notices: None where nobody is to be told: they wait in the ledger."""

    cloud: Cloud
    ledger: Ledger
    inbox: Inbox
    clock: Clock
    notices: Notices | None = None
