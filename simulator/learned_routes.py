"""POST getLearnedRoutes: a call in, 202 out; its Location tells what the gateway has learned when it is done.

What peers announced is said by the estate, in a member that no client ever sees:
`"simulator": {"learnedRoutes": [{"network": "0.0.0.0/0", "nextHop": "10.9.0.1"}]}` beside the gateway's properties.
"""

from collections.abc import Iterator

from simulator import errors
from simulator.calls import Call, operation_for, refuse_busy
from simulator.ids import VIRTUAL_GATEWAY, parent_key
from simulator.network import missing
from simulator.peerings import space_of
from simulator.references import configurations
from simulator.shapes import UNSEEN
from simulator.store import Store, Stored
from simulator.wire import Body, Response, elements, members, text
from simulator.world import World


def learned_routes(world: World, call: Call) -> Response:
    """The call on `.../virtualNetworkGateways/{name}/getLearnedRoutes` in, its answer out."""
    gateway = call.address.parent
    stored = world.store.get(gateway.key) if gateway is not None else None
    if gateway is None or stored is None:
        raise missing(world.store, call.address)
    running = world.operations.running(gateway.key)
    if running is not None:
        raise refuse_busy(world, call, running)
    if stored.state != "Succeeded":
        raise errors.bad(
            "VirtualNetworkGatewayNotProvisioned",
            f"Virtual network gateway {stored.id} is not in Succeeded state. It is in {stored.state} state.",
        )
    location = text(stored.content.get("location"))
    operation = operation_for(world, call, "action", stored.id, location, "")
    operation.lock = operation.id  # it changes nothing, so it is in nobody's way
    operation.target, operation.type_name, operation.label = gateway.key, stored.type, "getLearnedRoutes"
    operation.result = {"value": list(_routes(world.store, stored))}
    world.operations.start(operation)
    headers = {"Location": call.request.base + operation.path("operationResults"), **world.settings.wait("action")}
    return Response(202, headers | {"Content-Type": "application/json; charset=utf-8"}, b"null")


def _routes(store: Store, gateway: Stored) -> Iterator[Body]:
    """The ranges of its own network, which a gateway always knows, and what the estate says it was told."""
    content = gateway.content
    properties = members(content.get("properties"))
    local = text(members(properties.get("bgpSettings")).get("bgpPeeringAddress"))
    networks = {
        parent_key(text(members(members(element.get("properties")).get("subnet")).get("id")).casefold())
        for _, element in configurations(VIRTUAL_GATEWAY, properties)
    }
    for key in networks:
        network = store.get(key)
        for prefix in space_of(network.content)["addressPrefixes"] if network is not None else ():
            yield _route({"network": prefix, "sourcePeer": local, "origin": "Network"}, local)
    for told in elements(members(content.get(UNSEEN)).get("learnedRoutes")):
        yield _route({"sourcePeer": text(told.get("nextHop")), "origin": "EBgp", **told}, local)


def _route(said: Body, local: str) -> Body:
    defaults = {"localAddress": local, "network": "", "nextHop": "", "sourcePeer": "", "origin": "", "asPath": ""}
    return {**defaults, "weight": 32768, **said}
