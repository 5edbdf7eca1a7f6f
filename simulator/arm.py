"""Azure Resource Manager as a plain object: a Request in, a Response out; no sockets, threads or clocks of its own."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from simulator import control, errors, estates, groups, lists, network, plain
from simulator.calls import Call, operation_identifier
from simulator.clock import AdjustableClock, Clock, ManualClock, SystemClock
from simulator.estates import Estate
from simulator.events import Caller, Delivery, Event, EventSubscription
from simulator.faults import Fault, striking
from simulator.identity import Principal, principal_of
from simulator.ids import Address, parse, segments_of
from simulator.operations import Operation, durations, retry_after
from simulator.shapes import is_network
from simulator.store import Stored
from simulator.throttle import Throttle, verb_of
from simulator.wire import Body, Dropped, Request, Response, answer
from simulator.world import Busy, Settings, World

MOST_BYTES = 4 * 1024 * 1024
API_VERSION = re.compile(r"^\d{4}-\d{2}-\d{2}(-\w+)?$")
SUBSCRIPTION = re.compile(r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
WRITES = ("PUT", "PATCH", "DELETE", "POST")

__all__ = [
    "AdjustableClock",
    "Arm",
    "Clock",
    "Delivery",
    "Dropped",
    "Event",
    "Fault",
    "ManualClock",
    "Request",
    "Response",
    "SystemClock",
]


class Logged(msgspec.Struct, frozen=True):
    """One request that was answered; status 0 is a lost connection."""

    method: str
    path: str
    status: int


class Arm:
    """One simulated Azure. Two of them share nothing.

    `latency` chooses how long operations take and which Retry-After they send; `durations` (seconds) and `retry_after`
    override it by resource type, `busy` chooses how a second write on a VNet is refused.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        latency: Literal["none", "real"] = "none",
        throttle: Literal["azure", "off"] = "azure",
        seed: int = 0,
        busy: Busy = "conflict",
        durations: Mapping[str, float] | None = None,
        retry_after: Mapping[str, int] | None = None,
        page_size: int = 1000,
        handshakes: bool = False,
        estate: Estate | None = None,
    ) -> None:
        self.clock = clock
        self._settings = Settings(
            busy=busy,
            durations=_durations(latency, durations),
            retry_after=_retry_after(latency, retry_after),
            page_size=page_size,
            handshakes=handshakes,
        )
        self._throttled = throttle == "azure"
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
        fault = striking(self.faults, request)
        if fault is not None and fault.drop == "before":
            self._log(request, 0)
            raise Dropped(request.path)
        response = fault.response() if fault is not None and fault.status else self._answered(request)
        response.headers.setdefault("Cache-Control", "no-cache")
        response.headers.setdefault("x-ms-request-id", self._world.guid())
        if fault is not None and fault.drop == "after":
            self._log(request, 0)
            raise Dropped(request.path)
        self._log(request, response.status)
        if request.method == "HEAD":
            response.body = b""
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

    def delivery_failed(self, delivery: Delivery) -> None:
        """A delivery that was not acknowledged in; it is due again by Event Grid's schedule."""
        self._world.events.failed(delivery, self._world.now())

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
        estates.load(self._world, estate)

    def export(self) -> list[Body]:
        """Everything that exists, in the form `load` takes."""
        self._world.settle()
        return estates.export(self._world)

    def reset(self) -> None:
        """Everything is as it was when this simulator was made."""
        self._world = World(self.clock, self._settings, self._seed)
        self._throttle = Throttle(enforced=self._throttled)
        self.faults: list[Fault] = []
        self.requests: list[Logged] = []
        if self._estate is not None:
            self.load(self._estate)

    # --- the way of a request -----------------------------------------------------------------------

    def _answered(self, request: Request) -> Response:
        limits: dict[str, str] = {}
        try:
            principal = principal_of(request)
            address = _address(request)
            if address.subscription:
                limits = self._throttle.admit(
                    address.subscription, principal.object_id, verb_of(request.method), self._world.now()
                )
            call = self._call(request, address, principal)
            try:
                response = self._routed(call)
            except errors.ArmError as refusal:
                self._tell_of_failure(call, refusal)
                raise
        except errors.ArmError as refusal:
            response = refusal.response()
            if refusal.envelope == "gateway":
                limits = {}
        response.headers |= limits
        return response

    def _call(self, request: Request, address: Address, principal: Principal) -> Call:
        version = request.query.get("api-version", "")
        if not version:
            raise errors.missing_api_version()
        if not API_VERSION.match(version):
            raise errors.invalid_api_version(version)
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

    def _routed(self, call: Call) -> Response:
        """A call in; its subscription, then its group, then the resource or list it names answers."""
        address, method = call.address, call.request.method
        tail = [part.lower() for part in segments_of(call.request.path)]
        if address.subscription is None and tail == ["subscriptions"]:
            _only(method, "GET")
            return lists.subscriptions(self._world, call)
        subscription = self._subscription(address)
        if address.group is None and address.namespace is None and subscription is not None:
            match tail[2:]:
                case []:
                    _only(method, "GET")
                    return answer(200, groups.subscription_body(subscription))
                case ["resourcegroups"]:
                    _only(method, "GET")
                    return lists.groups(self._world, call)
                case ["resources"]:
                    _only(method, "GET")
                    scope = address.scope.casefold()
                    inside = self._world.store.keys_in(f"{scope}/resourcegroups")
                    return lists.resources(self._world, call, [scope, *inside])
                case ["operationresults", job]:
                    _only(method, "GET")
                    return self._job(call, segments_of(call.request.path)[3] if job else "")
            raise errors.no_arm_path()
        group = self._group(call)
        if address.namespace is None:
            return self._group_call(call, group, tail[4:])
        if len(tail) > 4 and tail[-2] in ("operations", "operationresults") and tail[-4] == "locations":
            _only(method, "GET")
            return self._poll(call, address.names[-1], tail[-2])
        return self._resource_call(call, group)

    def _subscription(self, address: Address) -> Stored | None:
        if address.subscription is None:
            return None
        if not SUBSCRIPTION.match(address.subscription):
            raise errors.invalid_subscription(address.subscription)
        found = self._world.store.get(f"/subscriptions/{address.subscription}".casefold())
        if found is None:
            raise errors.subscription_not_found(address.subscription)
        return found

    def _group(self, call: Call) -> Stored | None:
        """The group a path names; it must exist for everything but its own PUT."""
        address = call.address
        if address.group is None:
            return None
        found = self._world.store.get(
            f"/subscriptions/{address.subscription}/resourcegroups/{address.group}".casefold()
        )
        creates_it = address.namespace is None and call.request.method == "PUT"
        if found is None and not creates_it:
            raise errors.group_not_found(address.group)
        if found is not None and address.namespace is not None and call.request.method in ("PUT", "PATCH"):
            groups.refuse_deleting(found)
        return found

    def _group_call(self, call: Call, group: Stored | None, tail: list[str]) -> Response:
        method = call.request.method
        if tail == ["resources"]:
            _only(method, "GET")
            return lists.resources(self._world, call, [call.address.scope.casefold()])
        if tail:
            raise errors.no_arm_path()
        if group is None or method == "PUT":
            return groups.put(self._world, call, call.address.group or "")
        match method:
            case "GET":
                return answer(200, groups.group_body(group))
            case "HEAD":
                return answer(204)
            case "PATCH":
                return groups.patch(self._world, call, group)
            case "DELETE":
                return groups.delete(self._world, call, group)
            case _:
                raise errors.method_not_allowed(method)

    def _resource_call(self, call: Call, group: Stored | None) -> Response:
        address, method = call.address, call.request.method
        if not address.types:
            raise errors.not_modelled(f"{method} of provider namespaces")
        if address.is_collection:
            if method == "POST":
                raise errors.not_modelled(f"the action '{address.types[-1]}'")
            _only(method, "GET")
            return lists.collection(self._world, call)
        networked = is_network(address.type_key)
        if networked and group is None:
            raise errors.no_arm_path()
        match method:
            case "GET" | "HEAD":
                return lists.resource(self._world, call)
            case "PUT" if networked and group is not None:
                return network.put(self._world, call, group)
            case "PUT":
                return plain.put(self._world, call, group)
            case "PATCH":
                return network.patch(self._world, call) if networked else plain.patch(self._world, call)
            case "DELETE":
                return network.delete(self._world, call) if networked else plain.delete(self._world, call)
            case _:
                raise errors.not_modelled(f"{method} on {address.type}")

    def _poll(self, call: Call, operation_id: str, segment: str) -> Response:
        """An operation's address in, how it is getting on (or its result) out."""
        operation = self._world.operations.get(operation_id)
        if operation is None or operation.effect == "delete_group":
            raise errors.ArmError(404, "OperationNotFound", f"Operation {operation_id} was not found.")
        running = operation.status == "InProgress"
        headers = self._world.settings.wait("poll") if running else {}
        if not operation.is_cluster:
            headers["x-ms-operation-identifier"] = operation_identifier(self._world, call.caller, operation.location)
        if segment == "operations":
            return answer(200, operation.report(), headers)
        headers |= _locations(call.request.base, operation)
        if operation.status == "Failed" and operation.error is not None:
            return answer(409, {"error": operation.error}, headers)
        return answer(202 if running else 204, None, headers)

    def _job(self, call: Call, job_id: str) -> Response:
        """The Location of a group's delete in: 202 while it runs, then 200 without a body."""
        operation = self._world.operations.get(job_id)
        if operation is None or operation.effect != "delete_group":
            raise errors.gateway(404, "JobNotFound", f"The job '{job_id}' could not be found.")
        if operation.status == "InProgress":
            headers = {"Location": call.request.base + operation.path("operationResults")}
            return answer(202, None, headers | self._world.settings.wait("delete_group"))
        if operation.error is not None:
            return answer(409, {"error": operation.error})
        return answer(200)

    def _tell_of_failure(self, call: Call, refusal: errors.ArmError) -> None:
        """A provider's refusal of a write is an event too; what ARM itself or the pace refused is none."""
        address, method = call.address, call.request.method
        if (
            method not in ("PUT", "PATCH", "DELETE")
            or refusal.envelope == "gateway"
            or refusal.status not in (400, 409)
        ):
            return
        stored = self._world.store.get(address.key)
        self._world.publish(
            stored.id if stored is not None else address.text,
            address.type,
            call.caller,
            deleted=method == "DELETE",
            updated=stored is not None,
            succeeded=False,
        )

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


def _only(method: str, *allowed: str) -> None:
    if method not in allowed:
        raise errors.method_not_allowed(method)


def _locations(base: str, operation: Operation) -> dict[str, str]:
    return {
        "Azure-AsyncOperation": base + operation.path("operations"),
        "Location": base + operation.path("operationResults"),
    }


def _durations(latency: Literal["none", "real"], given: Mapping[str, float] | None) -> dict[str, float]:
    return durations(latency) | {name.lower(): seconds for name, seconds in (given or {}).items()}


def _retry_after(latency: Literal["none", "real"], given: Mapping[str, int] | None) -> dict[str, int]:
    return retry_after(latency) | {name.lower(): seconds for name, seconds in (given or {}).items()}
