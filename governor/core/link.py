"""How a network and its hub are linked: both networks and what a policy wants in; what is wrong and what mends it out.

Both sides must let forwarded traffic in, because what comes back from the internet comes from the firewall, but not
from its own address (facts/azure.md 3).
"""

from typing import Final

from msgspec import UNSET, Struct

from governor.core import facts, ids
from governor.core.peering import Flags, WritePeering, is_behind, is_cut, name_for
from governor.core.policy import HubPolicy

_CONNECTED: Final = "connected"


class Link(Struct, frozen=True):
    """seen: what is there, for people. wrong: what of it is. steps: what mends it, the hub's side first, because that

    is the one most likely refused. blocked: why no step mends it. gateways: the steps change who uses whose gateways.
    """

    seen: str = ""
    wrong: str = ""
    steps: tuple[WritePeering, ...] = ()
    blocked: str = ""
    gateways: bool = False


def link(network: facts.VirtualNetwork, hub: facts.VirtualNetwork, wanted: HubPolicy) -> Link:
    """A network, its hub and the policy in, how they are linked out."""
    if ids.same(network.id, hub.id):
        return Link("it is the hub itself")
    ours, theirs = side(network, hub.id), side(hub, network.id)
    cut = [one for one in (ours, theirs) if one is not None and is_cut(one.properties.peering_state)]
    if cut and ours is not None and theirs is not None:
        text = f"peering {_full(cut[0].id)} is Disconnected"
        return Link(wrong=text, blocked=f"{text} although both sides exist: delete both, and they are made anew")
    hub_flags, own_flags = _wanted(wanted)
    faults = [*_faults(theirs, hub_flags, hub.name), *_faults(ours, own_flags, network.name)]
    steps = (*_write(theirs, hub_flags, hub, network), *_write(ours, own_flags, network, hub))
    if ours is None or theirs is None:
        lack = [name for name, one in ((network.name, ours), (hub.name, theirs)) if one is None]
        absent = lack[0] if len(lack) == 1 else f"neither {lack[0]} nor {lack[1]}"
        state = f", and the other side is Disconnected ({_full(cut[0].id)})" if cut else ""
        faults.insert(0, f"not peered: {absent} has {'no' if len(lack) == 1 else 'a'} peering with the other{state}")
        # Azure makes no new side while the one that is left is Disconnected.
        steps = tuple(sorted(steps, key=lambda step: not (cut and ids.same(step.target, cut[0].id))))
    elif not faults and (unready := [one for one in (ours, theirs) if not _connected(one)]):
        text = f"peering {_full(unready[0].id)} is {unready[0].properties.peering_state}"
        return Link(wrong=text, blocked=f"{text}: look at it by hand")
    if not faults:
        return Link(f"peered with {hub.name}, forwarded traffic allowed")
    transit = any(
        flag is not UNSET for one in steps for flag in (one.to.allow_gateway_transit, one.to.use_remote_gateways)
    )
    return Link(wrong="; ".join(faults), steps=steps, gateways=transit)


def side(network: facts.VirtualNetwork, other: str) -> facts.Peering | None:
    """A network and the id of another in, its side of their peering out."""
    return next((one for one in network.peerings if ids.same(one.remote, other)), None)


def _wanted(wanted: HubPolicy) -> tuple[Flags, Flags]:
    """The flags of the hub's side, and those of the network's own."""
    match wanted.gateway_transit:
        case "use":
            return Flags(True, True, allow_gateway_transit=True), Flags(True, True, use_remote_gateways=True)
        case "never":
            return Flags(True, True), Flags(True, True, use_remote_gateways=False)
        case "keep":
            return Flags(True, True), Flags(True, True)


def _faults(there: facts.Peering | None, to: Flags, of: str) -> list[str]:
    if there is None:
        return []
    now = flags_of(there)
    faults = [
        f"{_camel(name)} is {str(getattr(now, name)).lower()} at {of}"
        for name in Flags.__struct_fields__
        if getattr(to, name) is not UNSET and getattr(now, name) != getattr(to, name)
    ]
    if is_behind(there.properties.peering_sync_level):
        faults.append(f"peering {_full(there.id)} does not know the other's present address space")
    return faults


def _write(
    there: facts.Peering | None, to: Flags, local: facts.VirtualNetwork, remote: facts.VirtualNetwork
) -> tuple[WritePeering, ...]:
    """What brings one side to these flags; only flags that differ are written."""
    if there is None:
        return (WritePeering(f"{local.id}/virtualNetworkPeerings/{name_for(remote.id)}", remote.id, to),)
    now, sync = flags_of(there), is_behind(there.properties.peering_sync_level)
    differing = {
        name: (getattr(to, name), getattr(now, name))
        for name in Flags.__struct_fields__
        if getattr(to, name) is not UNSET and getattr(now, name) != getattr(to, name)
    }
    if not differing and not sync and not is_cut(there.properties.peering_state):
        return ()
    new = Flags(**{name: pair[0] for name, pair in differing.items()})
    old = Flags(**{name: pair[1] for name, pair in differing.items()})
    return (WritePeering(there.id, remote.id, new, old, sync),)


def flags_of(there: facts.Peering) -> Flags:
    """A side of a peering in, its flags out; what Azure leaves out is its default."""
    properties = there.properties
    return Flags(
        # Azure's default; the others are false when they are left out.
        properties.allow_virtual_network_access is not False,
        bool(properties.allow_forwarded_traffic),
        bool(properties.allow_gateway_transit),
        bool(properties.use_remote_gateways),
    )


def _connected(one: facts.Peering) -> bool:
    return (one.properties.peering_state or _CONNECTED).casefold() == _CONNECTED


def _full(peering_id: str) -> str:
    return f"{ids.name(ids.parent(peering_id))}/{ids.name(peering_id)}"


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
