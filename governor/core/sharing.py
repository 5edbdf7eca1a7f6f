"""Whose a route table is besides: a table and a subnet that shall leave by it in; why it is not to be written out.

A route that enters a table is everybody's in it (safety.md 8).
"""

from typing import Final

from msgspec import Struct

from governor.core import facts, ids
from governor.core.cluster import Cluster
from governor.core.estate import Estate
from governor.core.hub import Hub, routes
from governor.core.judged import Judged
from governor.core.policy import HubPolicy, Policy
from governor.core.routing import NETWORK_TAG
from governor.core.verdict import Result

# Azure Virtual Network Manager keeps its route tables in groups of this name, and writes them again.
_NETWORK_MANAGER: Final = "avnm_managed_resourcegroup"
_NODE_GROUP: Final = "mc_"


class Place(Struct, frozen=True):
    """A subnet that shall leave by the hub, with what its network holds besides. by_key: all its judged subnets."""

    judged: Judged
    policy: Policy
    wanted: HubPolicy
    hub: Hub
    by_key: dict[str, Judged]


def taken(table: facts.RouteTable, place: Place) -> str | None:
    """Why a table that has the name of ours is not to be used: it was made for another network, or serves one."""
    network, name = place.judged.network, ids.name(table.id)
    for tag, owner in (table.tags or {}).items():
        if tag.casefold() == NETWORK_TAG and not ids.same(owner, network.id):
            return f"route table {name} was made for network {ids.placed(owner)}, and serves no other"
    for used in table.properties.subnets or ():
        if not ids.same(ids.parent(used.id), network.id):
            return f"route table {name} serves network {ids.placed(ids.parent(used.id))}, and no other"
    if table.location.casefold().replace(" ", "") != network.region:
        return f"route table {name} is in {table.location}, the network in {network.region}"
    return None


def managed(table: facts.RouteTable, estate: Estate) -> str | None:
    """Why nobody but its owner writes a table: it belongs to a cluster, to Network Manager, or to a service."""
    group, name = ids.parse(table.id).resource_group.casefold(), ids.name(table.id)
    nodes = {(cluster.properties.node_resource_group or "").casefold() for cluster in estate.all(Cluster)}
    if group.startswith(_NODE_GROUP) or group in nodes:
        return f"route table {name} lies in a cluster's node resource group, which is never written"
    if group.startswith(_NETWORK_MANAGER):
        return f"route table {name} belongs to Virtual Network Manager, which would write it again"
    found = estate.find(ids.group_of(table.id), facts.ResourceGroup)
    if isinstance(found, facts.ResourceGroup) and found.managed_by:
        return f"route table {name} lies in a group that {ids.name(found.managed_by)} manages"
    return None


def users(table: facts.RouteTable, place: Place) -> tuple[str, ...]:
    """The keys of all subnets of a table, as it says itself and as this network's subnets say."""
    here = [
        key
        for key, one in place.by_key.items()
        if (ref := one.subnet.properties.route_table) is not None and ids.same(ref.id, table.id)
    ]
    return tuple(dict.fromkeys((*(ids.key(ref.id) for ref in table.properties.subnets or ()), *here)))


def shared(table: facts.RouteTable, place: Place) -> str | None:
    """Why a route for this subnet must not enter a table: somebody else in it would be sent to the hub, too."""
    for key in users(table, place):
        if why := _not_ours(key, place):
            clone = "; `whenShared: clone` would copy it" if place.wanted.when_shared == "withhold" else ""
            return f"route table {ids.name(table.id)} also serves {why}{clone}"
    return None


def _not_ours(key: str, place: Place) -> str | None:
    """A subnet of a table in; why it does not want what this policy would put there, or None, out."""
    other = place.by_key.get(key)
    if other is None:
        return f"{ids.name(key)} of another network, {ids.placed(ids.parent(key))}"
    name = other.subnet.name
    if other.policy is None or other.hub is None or other.policy.egress.hub is None:
        told = other.verdicts[0].seen if other.policy is None and other.verdicts else "another policy governs it"
        return f"{name}: {told}"
    if other.policy.name != place.policy.name:
        same = routes(other.hub, other.policy.egress.hub) == routes(place.hub, place.wanted)
        if not same:
            return f"{name}, which policy {other.policy.name} sends another way"
    results = {verdict.requirement: verdict for verdict in other.verdicts}
    for requirement in ("subnet-egress", "subnet-route-default"):
        verdict = results.get(requirement)
        if verdict is not None and verdict.result in (Result.EXEMPT, Result.NOT_APPLICABLE, Result.UNKNOWN):
            return f"{name} ({verdict.result.value}: {verdict.seen})"
    return None
