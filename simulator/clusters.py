"""AKS: clusters and their agent pools are stored as given, take their time, and are busy meanwhile.

Of what a cluster asks for, one thing is judged: user-defined routing needs a route table that leads somewhere.
"""

from collections.abc import Iterator

import msgspec

from simulator import errors
from simulator.calls import Call, announce, operation_for
from simulator.ids import CLUSTERS, location_key, parent_key
from simulator.operations import stamp
from simulator.render import render
from simulator.shapes import ENVELOPE
from simulator.store import Store, Stored
from simulator.wire import Body, Response, answer, elements, members, text
from simulator.world import World

POOLS = f"{CLUSTERS}/agentpools"
KINDS = (CLUSTERS, POOLS)
AT_WORK = {"Creating": "create", "Updating": "update", "Deleting": "delete"}
_TYPES = {
    CLUSTERS: "Microsoft.ContainerService/ManagedClusters",
    POOLS: "Microsoft.ContainerService/managedClusters/agentPools",
}
LEADS_ON = ("virtualappliance", "virtualnetworkgateway")


def put(world: World, call: Call, shown_id: str, sent: Body) -> Response:
    """A cluster or an agent pool in; it is as sent, and an operation brings it to Succeeded."""
    key, kind = call.address.key, call.address.type_key
    old = world.store.get(key)
    if old is not None:
        refuse_busy(world, key, old, deleting=False)
    content = {name: value for name, value in sent.items() if name not in ENVELOPE}
    properties = {name: value for name, value in members(sent.get("properties")).items() if name != "provisioningState"}
    content["properties"] = properties
    location = _location(world, call, sent)
    if kind == CLUSTERS:
        content["location"] = location
        _check_egress(world.store, properties)
    stored = Stored(shown_id, _TYPES[kind], msgspec.json.encode(content), "Creating" if old is None else "Updating")
    world.store.put(key, stored)
    operation = operation_for(world, call, "write", stored.id, location, key)
    operation.updates = old is not None
    operation.touched = (key,)
    world.operations.start(operation)
    return answer(201 if old is None else 200, render(world.store, key, stored), announce(world, call, operation))


def refuse_busy(world: World, key: str, stored: Stored, *, deleting: bool) -> None:
    """AKS works on one thing at a time, and says so in its own flat envelope."""
    state = stored.state or text(members(stored.content.get("properties")).get("provisioningState"))
    if state not in AT_WORK or (deleting and state == "Deleting"):
        return
    running = world.operations.running(key)
    operation_id = running.id if running is not None else world.guid()
    since = stamp(running.started if running is not None else world.now())
    is_pool = stored.type.lower() == POOLS
    what, named = ("node pool", "agent pool") if is_pool else ("managed cluster", "managed cluster")
    abort = " You can also use 'az aks nodepool operation-abort ...' to abort the ongoing operation." if is_pool else ""
    raise _refused(
        409,
        "OperationNotAllowed",
        f"Operation is not allowed because there's an in progress {AT_WORK[state]} {what} operation "
        f"(operation ID: {operation_id}) on the {named} {stored.name} started on UTC {since}. "
        f"Please wait for it to finish before starting a new operation.{abort}",
    )


def _location(world: World, call: Call, sent: Body) -> str:
    """Where a cluster is said to be; a pool is where its cluster is."""
    if call.address.type_key == POOLS:
        cluster = world.store.get(parent_key(call.address.key))
        return text(cluster.content.get("location")) if cluster is not None else ""
    location = location_key(text(sent.get("location")))
    if not location:
        raise errors.location_required()
    return location


def _check_egress(store: Store, properties: Body) -> None:
    """A cluster's properties in; refused with user-defined routing where the subnet of a pool has no way out."""
    if text(members(properties.get("networkProfile")).get("outboundType")).lower() != "userdefinedrouting":
        return
    for subnet in _subnets(store, properties):
        table_id = text(members(members(subnet.content.get("properties")).get("routeTable")).get("id"))
        if not table_id:
            raise _refused(
                400,
                "ExistingRouteTableNotAssociatedWithSubnet",
                f"An existing route table has not been associated with subnet {subnet.id}. Please update the route "
                "table association",
            )
        for route in store.listed(f"{table_id.casefold()}/routes"):
            said = members(route.content.get("properties"))
            hop = text(said.get("nextHopType"))
            if said.get("addressPrefix") == "0.0.0.0/0" and hop.lower() not in LEADS_ON:
                raise _refused(
                    400,
                    "RouteTableInvalidNextHop",
                    f"Default route 0.0.0.0/0 has a next hop of {hop} but only next hops of VirtualAppliance or "
                    "VirtualNetworkGateway are allowed. Please see http://aka.ms/aks/outboundtype for more details",
                )


def _subnets(store: Store, properties: Body) -> Iterator[Stored]:
    for pool in elements(properties.get("agentPoolProfiles")):
        subnet = store.get(text(pool.get("vnetSubnetID")).casefold())
        if subnet is not None:
            yield subnet


def _refused(status: int, code: str, message: str) -> errors.ArmError:
    return errors.ArmError(status, code, message, envelope="cluster")
