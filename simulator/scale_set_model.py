"""The machines of a scale set: its body in, which instances there are, and by which model each was made, out.

An instance has the set's present model unless the set's body keeps another one for it, in a member no client sees:
`"simulator": {"instances": {"0": {...the model it was made by}, "3": {}}, "next": 4}`.
"""

from simulator.wire import Body, elements, members, text

UNSEEN = "simulator"
MOST_INSTANCES = 1000
"""A scale set has no more."""


def profile_of(content: Body) -> Body:
    """A scale set's body in, its present model out."""
    return members(members(content.get("properties")).get("virtualMachineProfile"))


def capacity_of(content: Body) -> int:
    """A scale set's body in, how many machines it is to have out."""
    capacity = members(content.get("sku")).get("capacity")
    return max(0, min(capacity, MOST_INSTANCES)) if isinstance(capacity, int) else 0


def instances_of(content: Body) -> dict[str, Body]:
    """A scale set's body in, the models its machines have out, by their ids."""
    present, kept = profile_of(content), _kept(content)
    return {number: members(model) or present for number, model in kept.items()}


def outdated(content: Body) -> frozenset[str]:
    """A scale set's body in, the ids of the machines that do not have its present model out."""
    return frozenset(number for number, model in _kept(content).items() if model)


def resized(content: Body, before: Body | None) -> Body:
    """A scale set as it would be, and as it was, in; what is kept of its machines out.

    New machines have ids nobody had before; the latest go first. Those that are there keep their model until they
    are updated, unless the set updates them by itself.
    """
    known = dict(_kept(before)) if before is not None else {}
    first = members((before or {}).get(UNSEEN)).get("next", len(known))
    capacity, mode = capacity_of(content), text(members(content["properties"].get("upgradePolicy")).get("mode"))
    if mode.lower() in ("automatic", "rolling"):
        known = {number: {} for number in known}
    elif before is not None:
        old, new = profile_of(before), profile_of(content)
        models = {number: members(model) or old for number, model in known.items()}
        known = {number: {} if model == new else model for number, model in models.items()}
    kept = dict(list(known.items())[:capacity])
    for number in range(first, first + capacity - len(kept)):
        kept[str(number)] = {}
    return {"instances": kept, "next": max([first, *(int(number) + 1 for number in kept)])}


def updated(content: Body, numbers: list[str]) -> Body:
    """A scale set and the ids of machines in; what is kept of its machines, when those have the present model, out."""
    kept = _kept(content)
    everyone = "*" in numbers
    return {
        "instances": {number: {} if everyone or number in numbers else model for number, model in kept.items()},
        "next": members(content.get(UNSEEN)).get("next", len(kept)),
    }


def interfaces_of(model: Body) -> list[Body]:
    """The model of a machine in, its interfaces out."""
    return elements(members(model.get("networkProfile")).get("networkInterfaceConfigurations"))


def configurations_of(interface: Body) -> list[Body]:
    """An interface of a model in, its configurations out."""
    return elements(members(interface.get("properties")).get("ipConfigurations"))


def _kept(content: Body) -> dict[str, Body]:
    kept = members(content.get(UNSEEN)).get("instances")
    if isinstance(kept, dict) and len(kept) == capacity_of(content):
        return kept
    return {str(number): {} for number in range(capacity_of(content))}
