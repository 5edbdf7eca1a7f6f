"""Azure Resource Manager as a plain object: a Request in, a Response out; no sockets, threads or clocks of its own."""

import random
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from simulator import api_versions, clusters, control, custom_topics, errors, estates, sign_in, vaults
from simulator.access import Roles
from simulator.calls import Call
from simulator.clock import AdjustableClock, Clock, ManualClock, SystemClock
from simulator.deliveries import DeadLetter, Delivery, Outcome
from simulator.estates import Estate
from simulator.event_subscriptions import EventSubscription
from simulator.events import Caller, Event
from simulator.faults import Fault, striking
from simulator.graph import QUERIES
from simulator.graph_quota import Quota
from simulator.grid import Disorder
from simulator.identity import Principal, principal_of
from simulator.ids import AGENT_POOL, CLUSTERS, Address, parse, segments_of
from simulator.operations import durations, retry_after
from simulator.recorded import recorded
from simulator.throttle import Throttle, verb_of
from simulator.wire import Body, Dropped, Request, Response
from simulator.world import Busy, InUse, Settings, World

MOST_BYTES = 4 * 1024 * 1024

__all__ = [
    "AdjustableClock",
    "Arm",
    "Clock",
    "DeadLetter",
    "Delivery",
    "Disorder",
    "Dropped",
    "Event",
    "Fault",
    "ManualClock",
    "Request",
    "Response",
    "SystemClock",
    "bearer",
]


class Logged(msgspec.Struct, frozen=True):
    """One request that was answered; status 0 is a lost connection."""

    method: str
    path: str
    status: int


class Arm:
    """One simulated Azure. Two of them share nothing.

    `latency` chooses how long operations take and which Retry-After they send; `durations` (seconds) and
    `retry_after` override it by resource type, `busy` chooses how a second write is refused, and `in_use` how a
    delete of what is in use. With `roles` `assigned`, principals may do only what role assignments say; otherwise
    everybody is an owner. Resource Graph shows what was there `graph_lag` seconds ago. Networks show their subnets
    as they were until `network_lag` seconds after a write on one of them has ended. `faults` are there from the
    start and again after a reset; what is left to chance, in them as in `events`, follows from the `seed`.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        latency: Literal["none", "real"] = "none",
        throttle: Literal["azure", "off"] = "azure",
        seed: int = 0,
        busy: Busy = "conflict",
        in_use: InUse = "refused",
        durations: Mapping[str, float] | None = None,
        retry_after: Mapping[str, int] | None = None,
        page_size: int = 1000,
        handshakes: bool = False,
        estate: Estate | None = None,
        graph_lag: float = 0,
        graph_page: int = 1000,
        events: Disorder | None = None,
        faults: Iterable[Fault] = (),
        network_lag: float = 0,
        roles: Roles = "open",
    ) -> None:
        self.clock = clock
        self._settings = Settings(
            busy=busy,
            in_use=in_use,
            durations=_durations(latency, durations),
            retry_after=_retry_after(latency, retry_after),
            page_size=page_size,
            handshakes=handshakes,
            graph_lag=timedelta(seconds=graph_lag),
            graph_page=graph_page,
            throttled=throttle == "azure",
            events=events or Disorder(),
            network_lag=timedelta(seconds=network_lag),
            roles=roles,
        )
        self._faults = tuple(faults)
        self._seed = seed
        self._estate = estate
        self.reset()

    # --- the one entrance ---------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        """A request in, its answer out. Raises Dropped when a fault closes the connection."""
        self._world.settle()
        segments = segments_of(request.path)
        if segments[0] == "simulator":
            return control.answered(self, request, segments[1:])
        fault = striking(self.faults, request, self._dice)
        if fault is not None and fault.drop == "before":
            self._log(request, 0)
            raise Dropped(request.path)
        self._world.failing = fault.failure if fault is not None else None
        self._world.stale = timedelta(seconds=fault.stale if fault is not None else 0)
        self._world.earlier.lag = timedelta(seconds=max((fault.stale for fault in self.faults), default=0))
        if fault is not None and fault.status:
            response = fault.response()
        else:
            response = self._beside(request, segments) or self._answered(request)
        response.headers.setdefault("Cache-Control", "no-cache")
        response.headers.setdefault("x-ms-request-id", self._world.guid())
        if fault is not None and fault.drop == "after":
            self._log(request, 0)
            raise Dropped(request.path)
        self._log(request, response.status)
        if request.method == "HEAD":
            response.body = b""
        response.delay = fault.delay if fault is not None else 0
        return response

    # --- time and events ----------------------------------------------------------------------------

    def settle(self) -> None:
        """Every operation whose time has come takes effect."""
        self._world.settle()

    def next_due(self) -> datetime | None:
        """When an operation or a delivery is due next; None when nothing waits."""
        return self._world.next_due()

    def take_events(self) -> list[Delivery]:
        """The deliveries that are due, to be made by the caller."""
        self._world.settle()
        return self._world.events.take(self._world.now())

    def delivery_failed(self, delivery: Delivery, outcome: Outcome = "TimedOut") -> None:
        """A delivery that was not acknowledged in; it is due again by Event Grid's schedule, or given up."""
        self._world.events.failed(delivery, outcome, self._world.now())

    def dead_letters(self) -> list[DeadLetter]:
        """The events that were given up and whose dead letters can be read by now."""
        return self._world.events.dead_letters(self._world.now())

    def unconfirmed(self) -> list[EventSubscription]:
        """The event subscriptions whose endpoints are to be validated (only with `handshakes`)."""
        return self._world.events.unconfirmed()

    def confirm(self, key: str, *, accepted: bool) -> None:
        """What an endpoint answered to its validation in; the subscription is Succeeded or Failed."""
        stored = self._world.store.get(key)
        if stored is not None:
            stored.state = "Succeeded" if accepted else "Failed"
        self._world.events.confirm(key, accepted=accepted)

    @property
    def events(self) -> list[Event]:
        """The latest events, oldest first, whether or not anybody subscribed."""
        self._world.settle()
        return list(self._world.events.recent)

    def events_for(self, resource_id: str) -> list[Event]:
        """The latest events about one resource."""
        return [event for event in self.events if event.subject.casefold() == resource_id.casefold()]

    # --- estates and control ------------------------------------------------------------------------

    def load(self, estate: Estate) -> None:
        """An estate in; what it holds exists, without rules asked or events sent."""
        self._world.settle()
        self._world.earlier.lag = timedelta()  # what is loaded was always so
        with self._world.past.unlagged():
            estates.load(self._world, estate)

    def export(self) -> list[Body]:
        """Everything that exists, in the form `load` takes."""
        self._world.settle()
        return estates.export(self._world)

    def reset(self) -> None:
        """Everything is as it was when this simulator was made."""
        self._world = World(self.clock, self._settings, self._seed)
        self._world.at_end |= dict.fromkeys((CLUSTERS, AGENT_POOL), clusters.ended)
        self._throttle = Throttle(enforced=self._settings.throttled)
        self._quota = Quota(enforced=self._settings.throttled)
        self.faults: list[Fault] = [msgspec.structs.replace(fault) for fault in self._faults]
        self._dice = random.Random(f"{self._seed} faults")
        self.requests: list[Logged] = []
        if self._estate is not None:
            self.load(self._estate)

    def published(self, topic: str) -> list[Body]:
        """The name of a custom topic in, the events that were published in it, in order, out."""
        return list(self._world.published.get(topic.lower(), ()))

    # --- the way of a request -----------------------------------------------------------------------

    def _beside(self, request: Request, path: list[str]) -> Response | None:
        """What is answered by other endpoints than Resource Manager's: signing in, topics of Event Grid, vaults."""
        others = (sign_in.answered, custom_topics.answered, vaults.answered)
        return next((found for one in others if (found := one(self._world, request, path))), None)

    def _answered(self, request: Request) -> Response:
        limits: dict[str, str] = {}
        try:
            principal = principal_of(request)
            sign_in.check_life(request, self._world.now())
            address = _address(request)
            if address.subscription:
                limits = self._throttle.admit(
                    address.subscription, principal.object_id, verb_of(request.method), self._world.now()
                )
            elif address.type_key == QUERIES:
                limits = self._quota.admit(principal.object_id, self._world)
            else:
                limits = self._throttle.admit_tenant(
                    principal.tenant_id, principal.object_id, verb_of(request.method), self._world.now()
                )
            call = self._call(request, address, principal)
            limits["x-ms-correlation-request-id"] = call.caller.correlation_id
            response = recorded(self._world, call)
        except errors.ArmError as refusal:
            response = refusal.response()
            if refusal.envelope == "gateway":
                limits = {}
        except RecursionError:
            response, limits = errors.invalid_content("The request content is nested too deeply.").response(), {}
        response.headers |= limits
        return response

    def _call(self, request: Request, address: Address, principal: Principal) -> Call:
        version = request.query.get("api-version", "")
        if not version:
            raise errors.missing_api_version()
        if not api_versions.FORM.fullmatch(version):
            raise api_versions.invalid_api_version(version)
        if len(request.body) > MOST_BYTES:
            raise errors.content_too_large(len(request.body), MOST_BYTES)
        client_id = request.header("x-ms-client-request-id") or self._world.guid()
        caller = Caller(
            principal=principal,
            correlation_id=request.header("x-ms-correlation-request-id") or self._world.guid(),
            client_request_id=client_id,
            method=request.method,
            url=request.base + request.target,
        )
        return Call(request, address, version, caller)

    def _log(self, request: Request, status: int) -> None:
        self.requests.append(Logged(request.method, request.path, status))


def bearer(token: str = "simulator") -> dict[str, str]:
    """A token in, the header that carries it out: `simulator` is the owner principal."""
    return {"Authorization": f"Bearer {token}"}


def _address(request: Request) -> Address:
    """A request in, where it leads out; ARM's 404 for what is no path of its."""
    parts = segments_of(request.path)
    lowered = [part.lower() for part in parts]
    if lowered[0] == "subscriptions" and "providers" not in lowered:
        # The lists and jobs that hang under a subscription or group beside its providers.
        if len(parts) == 1:
            return Address("", None, None, None)
        depth = 4 if len(parts) >= 4 and lowered[2] == "resourcegroups" else 2
        found = parse("/" + "/".join(parts[:depth]))
    else:
        found = parse(request.path)
    if found is None:
        raise errors.no_arm_path()
    return found


def _durations(latency: Literal["none", "real"], given: Mapping[str, float] | None) -> dict[str, float]:
    return durations(latency) | {name.lower(): seconds for name, seconds in (given or {}).items()}


def _retry_after(latency: Literal["none", "real"], given: Mapping[str, int] | None) -> dict[str, int]:
    return retry_after(latency) | {name.lower(): seconds for name, seconds in (given or {}).items()}
