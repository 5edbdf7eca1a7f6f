"""The whole state of one simulator, and what time does to it: operations that are due come to their end."""

import random
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from simulator import balancers, peerings
from simulator.access import Access, Roles
from simulator.activity_log import ActivityLog
from simulator.ages import Ages
from simulator.clock import Clock
from simulator.cluster_limits import ClusterLimits
from simulator.earlier import Earlier
from simulator.event_bodies import event_subscription
from simulator.events import Caller, Ending, event_of, precise
from simulator.graph_history import Past
from simulator.grid import Disorder, Events
from simulator.ids import SUBNET, VNET, parent_key
from simulator.network_limits import NetworkLimits
from simulator.operations import CANCELED, Effect, Operation, Operations, superseded
from simulator.policy_index import PolicyIndex
from simulator.public_numbers import PublicNumbers
from simulator.shapes import is_network
from simulator.store import Store, Stored
from simulator.wire import Body

AtEnd = Callable[["World", str, Effect, Caller], Body | None]
"""A key, what happens to it and on whose behalf in, what its provider does then; an error when it cannot."""
Busy = Literal["conflict", "retryable", "async"]
InUse = Literal["refused", "async"]


class Settings(msgspec.Struct, frozen=True):
    """How this simulator behaves where Azure differs from time to time. Types are in lower case."""

    busy: Busy
    durations: dict[str, float]
    retry_after: dict[str, int]
    page_size: int
    handshakes: bool = False
    graph_lag: timedelta = timedelta()
    graph_page: int = 1000
    throttled: bool = True
    in_use: InUse = "refused"
    events: Disorder = Disorder()
    network_lag: timedelta = timedelta()
    roles: Roles = "open"

    def duration(self, type_key: str) -> timedelta:
        return timedelta(seconds=self.durations.get(type_key, self.durations.get("", 0.0)))

    def wait(self, verb: str, type_key: str = "") -> dict[str, str]:
        """A verb and type in, the Retry-After header out, if there is to be one."""
        seconds = self.retry_after.get(f"{verb} {type_key}", self.retry_after.get(verb))
        return {"Retry-After": str(seconds)} if seconds is not None else {}


class World:
    """Resources, operations and events of one simulator; nothing is shared with another."""

    def __init__(self, clock: Clock, settings: Settings, seed: int) -> None:
        self.clock = clock
        self.settings = settings
        self.store = Store()
        self.operations = Operations()
        self.events = Events(settings.events, seed)
        self.published: dict[str, list[Body]] = {}  # what others publish in custom topics
        self.log = ActivityLog()
        self.network_limits = NetworkLimits(enforced=settings.throttled)
        self.cluster_limits = ClusterLimits(enforced=settings.throttled)
        self.at_end: dict[str, AtEnd] = {}  # by type: what else its provider does at the end of an operation
        self.failing: Body | None = None  # what operations started now will end with: a fault that strikes later
        self.access = Access(self.store, settings.roles)
        self.ages = Ages(self.store, self.moment)
        self.policies = PolicyIndex(self.store)
        self.past = Past(self.store, self.moment, settings.graph_lag)
        self.earlier = Earlier(self.store, self.moment)
        self.store.watchers.append(self.earlier.watch)
        self.stale = timedelta()  # by how much the read that is being answered is behind: a fault that shows the past
        self.behind = Earlier(self.store, self.moment)  # subnets as their networks still show them
        self.behind.lag = settings.network_lag
        self._completing: datetime | None = None
        self.public_numbers = PublicNumbers()
        self._random = random.Random(seed)

    def now(self) -> datetime:
        return self.clock.now()

    def moment(self) -> datetime:
        """When what is being done now takes effect: an operation at its time, however late somebody looks."""
        return self._completing or self.now()

    def guid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def etag(self) -> str:
        return f'W/"{self.guid()}"'

    def settle(self) -> None:
        """Every operation whose time has come takes effect, in the order of their times."""
        now = self.now()
        while (operation := self.operations.due(now)) is not None:
            self._completing = operation.due
            self._complete(operation)
            self._completing = None

    def next_due(self) -> datetime | None:
        """When something will happen by itself; None when nothing waits."""
        times = (self.operations.next_due(), self.events.next_due())
        return min((moment for moment in times if moment is not None), default=None)

    def etag_holder(self, key: str) -> Stored | None:
        """A resource's key in, the resource whose etag it carries out: for a child that is its parent."""
        stored = self.store.get(key)
        if stored is not None and not stored.etag and is_network(stored.type.lower()) and stored.type.count("/") > 1:
            return self.store.get(parent_key(key))
        return stored

    def renew_etag(self, key: str) -> None:
        """A written resource in; it (and all that share its etag) shows a new one."""
        holder = self.etag_holder(key)
        if holder is not None and holder.etag:
            holder.etag = self.etag() if is_network(holder.type.lower()) else self.guid()

    def publish(
        self,
        resource_id: str,
        type_name: str,
        caller: Caller,
        *,
        deleted: bool,
        updated: bool,
        ending: Ending = "Success",
        action: str = "",
        http: int = 0,
    ) -> None:
        """A write, delete or action that came to its end in; whoever subscribed is told."""
        event = event_of(
            self.guid(),
            resource_id,
            type_name,
            deleted=deleted,
            updated=updated,
            ending=ending,
            action=action,
            caller=caller,
            now=self.moment(),
        )
        self.events.publish(event)
        self.log.ended(event, caller, http)

    def subscribe(self, key: str, stored: Stored, *, confirmed: bool) -> None:
        """An event subscription that was stored in; the events of its source go to it once it is confirmed."""
        found = event_subscription(self.store, key, stored.content)
        self.events.forget(key)
        if found is not None:
            code, created = self.guid(), precise(self.now())
            self.events.subscribe(
                msgspec.structs.replace(found, confirmed=confirmed, validation_code=code, created=created)
            )

    def delete(self, key: str) -> None:
        """A resource's key in; it is gone, with its children, and with the events it asked for."""
        for other in peerings.cut(self.store, key):
            self.renew_etag(other)
        balancers.leave(self.store, key)
        self.store.remove(key)
        self.events.forget(key)

    def supersede(self, running: Operation, by: Operation) -> None:
        """An operation and the newer one that takes its place in; the older one has ended."""
        self.cancel(running, superseded(running, by))

    def _complete(self, operation: Operation) -> None:
        for key in dict.fromkeys((operation.target, *operation.touched)):
            self.store.changing(key)
        if operation.type_name.lower() == SUBNET:
            self.behind.note(operation.target)
        stored = self.store.get(operation.target)
        error = operation.failing
        if stored is None and error is None:
            self.cancel(operation, CANCELED)
            return
        at_end = self.at_end.get(operation.type_name.lower())
        if at_end is not None and stored is not None and error is None:
            error = at_end(self, operation.target, operation.effect, operation.caller)
        if stored is not None and error is None:
            match operation.effect:
                case "write":
                    self._settle_states(operation)
                    self.renew_etag(operation.target)
                    self.public_numbers.give(self.store, operation.target, stored)
                case "delete":
                    self.delete(operation.target)
                    self.renew_etag(parent_key(operation.target))
                    self._settle_states(operation)
                case "delete_group":
                    error = self.delete_group(stored, operation.caller)
                case "action":
                    pass  # its result was found when it was asked for
        if error is not None:
            self._settle_states(operation)
            if stored is not None and operation.target in operation.touched:
                stored.state = "Failed"
        self.operations.finish(operation, "Succeeded" if error is None else "Failed", error)
        self._tell(operation, "Success" if error is None else "Failure")

    def cancel(self, operation: Operation, error: Body) -> None:
        """An operation and why it does not go on in; it has ended, and who listens is told."""
        self.operations.finish(operation, "Canceled", error)
        self._tell(operation, "Cancel")

    def _tell(self, operation: Operation, ending: Ending) -> None:
        """An operation that came to its end in; whoever subscribed is told how."""
        self.publish(
            operation.target_id,
            operation.type_name,
            operation.caller,
            deleted=operation.effect in ("delete", "delete_group"),
            updated=operation.updates,
            ending=ending,
            action=operation.label if operation.effect == "action" else "",
        )

    def _settle_states(self, operation: Operation) -> None:
        for key in operation.touched:
            stored = self.store.get(key)
            if stored is not None:
                stored.state = "Succeeded"

    def delete_group(self, group: Stored, caller: Caller) -> Body | None:
        """All of a group goes, but for what resources elsewhere still use; an error when something stays."""
        target = group.id.casefold()
        inside = f"{target}/"
        keys = self.store.top_level(target)
        blocked = [key for key in keys if not self._ends_well(key, caller)]
        blocked += [key for key in keys if self._used_from_outside(key, inside)]
        for key in keys:
            stored = self.store.get(key)
            if stored is not None and key not in blocked:
                resource_id, type_name = stored.id, stored.type
                self.delete(key)
                self.publish(resource_id, type_name, caller, deleted=True, updated=False)
        if not blocked:
            self.delete(target)
            return None
        group.state = "Succeeded"
        ids = ",".join(stored.id for key in blocked if (stored := self.store.get(key)) is not None)
        message = (
            f"Deletion of resource group '{group.name}' failed as resources with identifiers '{ids}' could not be "
            "deleted. The provisioning state of the resource group will be rolled back."
        )
        return {"code": "ResourceGroupDeletionBlocked", "message": message, "details": []}

    def _ends_well(self, key: str, caller: Caller) -> bool:
        """A resource that goes with its group in; whether its provider can let go of what it keeps elsewhere."""
        stored = self.store.get(key)
        at_end = self.at_end.get(stored.type.lower()) if stored is not None else None
        return at_end is None or at_end(self, key, "delete", caller) is None

    def _used_from_outside(self, key: str, inside: str) -> bool:
        below = [key]
        stored = self.store.get(key)
        if stored is not None and stored.type.lower() == VNET:
            below += self.store.keys_in(f"{key}/subnets")
        return any(not holder.startswith(inside) for target in below for holder in self.store.holders(target))
