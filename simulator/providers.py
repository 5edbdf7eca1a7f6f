"""Resource providers: a namespace in, the types and api-versions that ARM shows of it out."""

from collections.abc import Iterator

from simulator import errors
from simulator.calls import Call
from simulator.ids import SPELLINGS, spelled
from simulator.wire import Body, Response, answer
from simulator.world import World

API_VERSIONS = ("2025-07-01", "2024-07-01", "2023-09-01")
"""Shown for every type: the simulator takes any, and clients that were given none choose the first."""


def answered(world: World, call: Call) -> Response:
    """A call on `/subscriptions/{id}/providers/{namespace}`, or its `register`, in; the provider out: registered."""
    address, method = call.address, call.request.method
    if address.scope.count("/") != 2:
        raise errors.not_modelled(f"{method} of provider namespaces below a subscription")
    if method != ("POST" if address.types else "GET"):
        raise errors.method_not_allowed(method)
    namespace = spelled(address.namespace or "")
    types = dict.fromkeys(_types(world, address.scope.casefold(), f"{namespace.casefold()}/"))
    if not types:
        raise errors.gateway(
            404, "InvalidResourceNamespace", f"The resource namespace '{address.namespace}' is invalid."
        )
    shown: list[Body] = [
        {"resourceType": name, "locations": [], "apiVersions": API_VERSIONS, "defaultApiVersion": API_VERSIONS[0]}
        for name in types
    ]
    return answer(
        200,
        {
            "id": f"{address.scope}/providers/{namespace}",
            "namespace": namespace,
            "registrationPolicy": "RegistrationRequired",
            "registrationState": "Registered",
            "resourceTypes": shown,
        },
    )


def _types(world: World, scope: str, namespace: str) -> Iterator[str]:
    """The types of a namespace that are modelled, then those of what is stored in a subscription."""
    for name in SPELLINGS:
        if name.casefold().startswith(namespace):
            parts = name.split("/")[1:]
            yield from ("/".join(parts[: depth + 1]) for depth in range(len(parts)))
    store = world.store
    for place in (scope, *store.keys_in(f"{scope}/resourcegroups")):
        for key in store.top_level(place):
            stored = store.get(key)
            if stored is not None and stored.type.casefold().startswith(namespace):
                yield stored.type.partition("/")[2]
