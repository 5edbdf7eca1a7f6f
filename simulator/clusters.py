"""Managed clusters and their agent pools: a call in, what AKS answers out, and what it does when its operations end."""

from typing import Literal

import msgspec

from simulator import errors, lists
from simulator.agent_pools import completed as completed_pool
from simulator.agent_pools import pools_of
from simulator.calls import Call, announce, empty, operation_for
from simulator.cluster_bodies import POOL_TYPE, PROFILES, completed
from simulator.cluster_busy import let_in, preempted_by
from simulator.cluster_forms import check_cluster_form
from simulator.cluster_proxies import changes
from simulator.cluster_rules import check, check_pools
from simulator.egress_dependencies import DEPENDENCIES, dependencies
from simulator.events import Caller
from simulator.ids import AGENT_POOL, CLUSTERS, CLUSTERS_SHOWN, location_key
from simulator.names import check_group
from simulator.network import missing
from simulator.node_group import NodeGroup
from simulator.node_groups import leave, reconcile
from simulator.operations import Effect, Operation
from simulator.planned_clusters import Planned
from simulator.render import render, shown_id
from simulator.shapes import UNSEEN
from simulator.store import Stored
from simulator.wire import Body, Response, answer, elements, members, text
from simulator.world import World

REIMAGES = "reimages"
"""How often all nodes of a cluster were made anew, beside its properties, where only exports show it."""
TYPES = (CLUSTERS, AGENT_POOL, DEPENDENCIES)


def answered(world: World, call: Call, group: Stored | None) -> Response:
    """A call on clusters, pools or what a cluster has to reach in, its answer out."""
    address, method = call.address, call.request.method
    world.cluster_limits.admit(address, method, world.now())
    match method:
        case "GET" if address.type_key == DEPENDENCIES:
            return dependencies(world, call)
        case "GET" if address.is_collection:
            return lists.collection(world, call)
        case "GET" | "HEAD":
            found = lists.resource(world, call)
            return found if method == "GET" else answer(204)
        case _ if address.is_collection or group is None:
            raise errors.method_not_allowed(method)
        case "PUT" if address.type_key == CLUSTERS:
            return _put(world, call, group)
        case "PUT":
            return _put_pool(world, call)
        case "PATCH" if address.type_key == CLUSTERS:
            return _patch(world, call)
        case "DELETE":
            return _delete(world, call)
        case _:
            raise errors.method_not_allowed(method)


def ended(world: World, key: str, effect: Effect, caller: Caller) -> Body | None:
    """The end of a cluster's or pool's operation in: its node group is as it has to be, or gone; an error when not."""
    cluster_key = key.partition("/agentpools/")[0]
    cluster = world.store.get(cluster_key)
    if cluster is None:
        return None
    if effect == "delete" and key == cluster_key:
        return leave(world, cluster, caller)
    if effect == "delete":
        world.delete(key)
    for pool in world.store.keys_in(f"{cluster_key}/agentpools"):
        world.renew_etag(pool)
    world.renew_etag(cluster_key)
    return reconcile(world, cluster, caller)


def _put(world: World, call: Call, group: Stored) -> Response:
    """A whole cluster in; it is as sent, and an operation makes its node group so."""
    store, key, sent = world.store, call.address.key, _sent(call)
    old = store.get(key)
    running = let_in(world, call, old)
    location = location_key(text(sent.get("location")))
    if not location:
        raise errors.location_required()
    before = old.content if old is not None else None
    if before is not None and location != text(before.get("location")):
        raise errors.location_changed(call.address.names[0], text(before.get("location")), group.name, location)
    content = completed(world.guid, call.address, location, sent, before)
    known = pools_of(store, key)
    sent_profiles = elements(members(sent.get("properties")).get(PROFILES))
    pools = known | _pools(sent_profiles, known, content["properties"])
    cluster_id = old.id if old is not None else shown_id(group.id, call.address.type, call.address.names[0])
    planned = _planned(cluster_id, content, pools, before, known)
    _check_group(world, planned, group)
    check(store, planned, members(members(sent.get("properties")).get("networkProfile")))
    earlier = members(old.content.get(UNSEEN)) if old is not None else {}
    if before is not None and changes(planned.properties, planned.before or {}):
        earlier = {REIMAGES: earlier.get(REIMAGES, 0) + 1}
    content |= {UNSEEN: earlier} if earlier else {}
    state = "Creating" if old is None else "Updating"
    stored = Stored(cluster_id, CLUSTERS_SHOWN, msgspec.json.encode(content), state, world.guid())
    store.put(key, stored)
    if old is None:
        NodeGroup(world, stored, call.caller).ensure()
    for name, pool in pools.items():
        _store_pool(world, f"{cluster_id}/agentPools/{name}", pool, "Updating" if name in known else "Creating")
    return _started(world, call, cluster_id, running, updates=old is not None)


def _put_pool(world: World, call: Call) -> Response:
    """A whole pool in; it is as sent, and an operation makes its machines so."""
    store, address, sent = world.store, call.address, _sent(call)
    above = address.top
    cluster = store.get(above.key)
    if cluster is None:
        raise errors.parent_not_found(above.names[-1])
    old = store.get(address.key)
    running = let_in(world, call, old, cluster)
    known, content = pools_of(store, above.key), cluster.content
    name = old.name if old is not None else address.names[-1]
    properties = members(content.get("properties"))
    pool = completed_pool(members(sent.get("properties")), known.get(name), properties)
    planned = _planned(cluster.id, content, known | {name: pool}, content, known)
    check(store, planned, {})
    _store_pool(world, f"{cluster.id}/agentPools/{name}", pool, "Creating" if old is None else "Updating")
    store.changing(above.key)
    cluster.state = "Updating"
    return _started(world, call, f"{cluster.id}/agentPools/{name}", running, updates=old is not None)


def _patch(world: World, call: Call) -> Response:
    """New tags in; an operation puts them on what the cluster has."""
    store, key = world.store, call.address.key
    cluster = store.get(key)
    if cluster is None:
        raise missing(store, call.address)
    sent = call.content()
    if set(sent) - {"tags"} or not isinstance(sent.get("tags"), dict):
        raise errors.cluster(400, "InvalidParameter", "Only tags of a managed cluster can be patched.")
    running = let_in(world, call, cluster)
    body = msgspec.json.encode(cluster.content | {"tags": sent["tags"]})
    store.put(key, msgspec.structs.replace(cluster, body=body, state="Updating", etag=world.guid()))
    return _started(world, call, cluster.id, running, updates=True)


def _delete(world: World, call: Call) -> Response:
    """A cluster or pool in; it is Deleting until its operation ends. Whatever else a cluster was doing is preempted."""
    store, key = world.store, call.address.key
    stored, top = store.get(key), store.get(call.address.top.key)
    if stored is None or top is None:
        return empty(204, {})
    running = world.operations.running(call.address.top.key)
    if running is not None and running.effect == "delete" and running.target == key:
        return empty(202, announce(world, call, running))
    running = let_in(world, call, stored, top)
    if stored is not top:
        known = pools_of(store, call.address.top.key)
        left = {name: pool for name, pool in known.items() if name != stored.name}
        check_pools(_planned(top.id, top.content, left, top.content, known))
    for changed in dict.fromkeys((stored.id.casefold(), top.id.casefold())):
        store.changing(changed)
    stored.state = "Deleting"
    if stored is not top:
        top.state = "Updating"
    operation = _operation(world, call, stored.id, "delete", running)
    return empty(202, announce(world, call, operation))


def _started(world: World, call: Call, resource_id: str, preempts: Operation | None, *, updates: bool) -> Response:
    operation = _operation(world, call, resource_id, "write", preempts)
    operation.updates = updates
    stored = world.store.get(call.address.key)
    shown = render(world.store, call.address.key, stored) if stored is not None else None
    return answer(200 if updates else 201, shown, announce(world, call, operation))


def _operation(
    world: World, call: Call, resource_id: str, effect: Literal["write", "delete"], preempts: Operation | None
) -> Operation:
    """What was accepted in, its operation out: it runs, and brings the cluster and its pools to Succeeded."""
    cluster_key = call.address.top.key
    cluster = world.store.get(cluster_key)
    location = text(cluster.content.get("location")) if cluster is not None else ""
    operation = operation_for(world, call, effect, resource_id, location, cluster_key)
    pools = world.store.keys_in(f"{cluster_key}/agentpools") if call.address.type_key == CLUSTERS else []
    operation.touched = (*dict.fromkeys((call.address.key, cluster_key)), *pools)
    if preempts is not None:
        world.cancel(preempts, preempted_by(operation))
    world.operations.start(operation)
    return operation


def _store_pool(world: World, pool_id: str, pool: Body, state: str) -> None:
    body = msgspec.json.encode({"properties": pool})
    world.store.put(pool_id.casefold(), Stored(pool_id, POOL_TYPE, body, state, world.guid()))


def _pools(profiles: list[Body], known: dict[str, Body], cluster: Body) -> dict[str, Body]:
    """The pools that a cluster's body names, as they would be; the first of a new cluster is for the system."""
    if len({text(profile.get("name")).casefold() for profile in profiles}) < len(profiles):
        raise errors.cluster(400, "InvalidParameter", "Every agent pool profile needs a name of its own.")
    pools: dict[str, Body] = {}
    for number, profile in enumerate(profiles):
        name = text(profile.get("name"))
        known_as = next((one for one in known if one.casefold() == name.casefold()), name)
        first = {"mode": "System"} if number == 0 and not known else {}
        pools[known_as] = completed_pool(first | profile, known.get(known_as), cluster)
    return pools


def _planned(
    cluster_id: str, content: Body, pools: dict[str, Body], before: Body | None, pools_before: dict[str, Body]
) -> Planned:
    return Planned(
        cluster_id,
        text(content.get("location")),
        members(content.get("identity")),
        members(content.get("properties")),
        pools,
        members(before.get("properties")) if before is not None else None,
        pools_before,
    )


def _check_group(world: World, planned: Planned, group: Stored) -> None:
    """The group of a cluster's nodes has a name that may be; that of a new cluster is a new group."""
    name = text(planned.properties.get("nodeResourceGroup"))
    key = f"{group.id.rpartition('/')[0]}/{name}".casefold()
    check_group(name)
    if planned.before is not None:
        return
    if key == group.id.casefold():
        raise errors.cluster(
            400,
            "NodeResourceGroupSameAsResourceGroup",
            f"The node resource group {name} cannot be the resource group of the managed cluster.",
        )
    if key in world.store:
        raise errors.cluster(400, "NodeResourceGroupAlreadyExists", f"The node resource group {name} already exists.")


def _sent(call: Call) -> Body:
    """What a caller sent, whose parts are what they have to be."""
    sent = call.content()
    check_cluster_form(call.address.type_key, sent)
    return sent
