"""Why a run woke, and what it may read and repair: Cause and Scope; and what a survey is to look through.

A Cause says where and when to look, never what is true (docs/architecture.md, rule 1).
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct

from governor.core import ids

VERSION: Final = 1
MAX_BYTES: Final = 8 * 1024
# The queues they wait in.
CAUSES: Final = "egress-causes"
SURVEYS: Final = "egress-surveys"
# So many subscriptions are surveyed at once: few enough to be done within the time a function may take.
MOST_SUBSCRIPTIONS: Final = 25


class Source(StrEnum):
    EVENT = "event"
    SURVEY = "survey"
    DECISION = "decision"
    UNDO = "undo"
    MANUAL = "manual"


class Caller(Struct, frozen=True, omit_defaults=True):
    """Who wrote the resource: the only three claims that are kept."""

    object_id: str | None = None
    application_id: str | None = None
    name: str | None = None


class VirtualNetwork(Struct, frozen=True, tag="virtualNetwork"):
    """A Scope: one virtual network with all that lives in it."""

    id: str

    @property
    def key(self) -> str:
        return ids.key(self.id)

    @property
    def subscription(self) -> str:
        return ids.parse(self.id).subscription.casefold()


class Remainder(Struct, frozen=True, tag="remainder"):
    """A Scope: what lives in no virtual network of a subscription."""

    subscription_id: str

    @property
    def key(self) -> str:
        return f"/subscriptions/{self.subscription_id}".casefold()

    @property
    def subscription(self) -> str:
        return self.subscription_id.casefold()


Scope = VirtualNetwork | Remainder


class Cause(Struct, frozen=True, omit_defaults=True):
    """Why a run woke. `time` is when it happened (aware UTC); `points_at` names a decision or Record in the ledger."""

    source: Source
    time: datetime
    subject: str | None = None
    scope: Scope | None = None
    caller: Caller | None = None
    correlation_id: str | None = None
    points_at: str | None = None
    attempt: int = 0
    first_time: datetime | None = None
    v: int = VERSION


class Survey(Struct, frozen=True, omit_defaults=True):
    """Which subscriptions to look through. `time` is when the sweep began that asks for it (aware UTC)."""

    subscriptions: tuple[str, ...]
    time: datetime
    attempt: int = 0
    first_time: datetime | None = None
    v: int = VERSION


# What a run of ours reads or writes; anything else that happens in a subscription tells nothing about egress.
_KEPT = (ids.POLICY_DEFINITION, ids.POLICY_ASSIGNMENT, ids.POLICY_EXEMPTION)
_WATCHED = ("microsoft.network/", "microsoft.containerservice/managedclusters", ids.SCALE_SET, ids.SITE, *_KEPT)
# What the governor makes in Azure Policy is named so.
KEPT_NAMES: Final = "eg-"
# Their tags select policies, for every network in them.
_ABOVE = (ids.RESOURCE_GROUP, ids.SUBSCRIPTION)
# Its NAT gateway and its route table decide where all spokes leave.
_FIREWALL_SUBNET = "azurefirewallsubnet"


def watched(subject: str) -> bool:
    """A subject in, whether a change of it can change how something leaves, or which policy governs it, out."""
    kind = ids.kind(subject)
    return kind.startswith(_WATCHED) or kind in _ABOVE


def named_as(subject: str) -> str:
    """A subject in, the key under which runs name it out: what it is a part of, but a peering by itself."""
    return ids.key(subject if ids.kind(subject) == ids.PEERING else ids.top_level(subject))


def scopes(subject: str, named_by: Iterable[Scope]) -> tuple[Scope, ...]:
    """A subject and the Scopes whose last run named it in, the Scopes to look at out.

    What lies in a virtual network maps to it; something shared or deleted maps to the networks that name it; a peering,
    which has two ends, to both; a network, and the subnet of its firewall, to itself and to those that name it as their
    hub; a resource group or subscription, whose tags count for what lies in it, to those of them that do; and what is
    kept in Azure Policy to what lives in no network.
    """
    parts = ids.parse(subject)
    found = {scope.key: scope for scope in named_by}
    if parts.type in _ABOVE:
        found = {key: scope for key, scope in found.items() if f"{key}/".startswith(f"{ids.key(subject)}/")}
    if parts.type == ids.VIRTUAL_NETWORK or parts.type.startswith(ids.VIRTUAL_NETWORK + "/"):
        vnet = ids.network(parts.subscription, parts.resource_group, "virtualNetworks", parts.names[0])
        own = VirtualNetwork(vnet)
        shared = parts.type in (ids.PEERING, ids.VIRTUAL_NETWORK) or parts.name.casefold() == _FIREWALL_SUBNET
        found = {**(found if shared else {}), own.key: own}
    if parts.type in _KEPT and parts.name.casefold().startswith(KEPT_NAMES):
        whole = Remainder(parts.subscription.casefold())
        found[whole.key] = whole
    return tuple(scope for _, scope in sorted(found.items()))
