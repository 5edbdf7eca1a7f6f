"""Peerings of virtual networks: two resources, one on each side, that know of each other's state and ranges."""

import msgspec

from simulator.ids import PEERING, VIRTUAL_GATEWAY, VNET, parent_key
from simulator.references import PEERED, pair
from simulator.store import Store, Stored
from simulator.wire import Body, members, text

KNOWN = ("peeringState", "peeringSyncLevel", "remoteAddressSpace", "remoteVirtualNetworkAddressSpace")
"""Members of a peering that only the provider writes."""


def remote_of(peering: Body) -> str:
    """A peering's content in, the id of the network on the other side out."""
    return text(members(members(peering.get("properties")).get("remoteVirtualNetwork")).get("id"))


def completed(store: Store, key: str, content: Body) -> Body:
    """A peering as it was sent in, with what the provider knows of the other side out: a write synchronises."""
    properties = dict(members(content.get("properties")))
    remote = store.get(remote_of(content).casefold())
    if remote is None:
        return content
    back = back_of(store, key, content)
    properties["remoteAddressSpace"] = space_of(remote.content)
    properties["peeringState"] = "Initiated" if back is None else "Connected"
    theirs = members(back.content.get("properties")) if back is not None else {}
    if "resourceGuid" in theirs:
        properties["resourceGuid"] = theirs["resourceGuid"]  # both sides share one
    return {**content, "properties": properties}


def same_as_before(content: Body, before: Body | None) -> bool:
    """Whether a caller changed nothing of a peering: what the provider knows of it stays then."""
    if before is None:
        return False
    one, other = members(content.get("properties")), members(before.get("properties"))
    return all(one.get(name) == other.get(name) for name in (one.keys() | other.keys()) - {*KNOWN, "resourceGuid"})


def show(store: Store, key: str, properties: Body) -> None:
    """A peering's shown properties in; they say how it stands to the other side afterwards."""
    content = {"properties": properties}
    back = back_of(store, key, content)
    properties.setdefault("peeringState", "Connected" if back is not None else "Initiated")
    remote, mine = store.get(remote_of(content).casefold()), store.get(parent_key(key))
    if remote is None or mine is None:
        in_sync = properties["peeringState"] == "Connected"
        properties.setdefault("peeringSyncLevel", "FullyInSync" if in_sync else "RemoteNotInSync")
        return
    space = space_of(remote.content)
    properties.setdefault("remoteAddressSpace", space)
    properties["remoteVirtualNetworkAddressSpace"] = space
    known = members(back.content.get("properties")).get("remoteAddressSpace", space_of(mine.content)) if back else None
    local, other = properties["remoteAddressSpace"] == space, known == space_of(mine.content)
    properties["peeringSyncLevel"] = {
        (True, True): "FullyInSync",
        (False, True): "LocalNotInSync",
        (True, False): "RemoteNotInSync",
        (False, False): "LocalAndRemoteNotInSync",
    }[local, other]


def connect(store: Store, key: str) -> list[str]:
    """A peering that was written in; the other side is Connected, and its key comes out when it was not before."""
    stored = store.get(key)
    back = back_of(store, key, stored.content) if stored is not None else None
    if back is None or state_of(back) == "Connected":
        return []
    _put_state(store, back, "Connected")
    return [back.id.casefold()]


def keep_ranges(store: Store, network: Stored) -> None:
    """A network whose address space is about to change in; the other sides go on with the one they know."""
    for key in store.keys_in(f"{network.id.casefold()}/virtualnetworkpeerings"):
        stored = store.get(key)
        back = back_of(store, key, stored.content) if stored is not None else None
        if back is not None and "remoteAddressSpace" not in members(back.content.get("properties")):
            content = back.content
            content["properties"] = {
                **members(content.get("properties")),
                "remoteAddressSpace": space_of(network.content),
            }
            store.put(back.id.casefold(), msgspec.structs.replace(back, body=msgspec.json.encode(content)))


def cut(store: Store, key: str) -> list[str]:
    """A peering or network that is about to go in; the keys of the peerings that are Disconnected because of it out."""
    stored = store.get(key)
    if stored is None:
        return []
    type_key = stored.type.lower()
    if type_key == VNET:
        return [other for child in store.keys_in(f"{key}/virtualnetworkpeerings") for other in cut(store, child)]
    back = back_of(store, key, stored.content) if type_key == PEERING else None
    if back is None:
        return []
    _put_state(store, back, "Disconnected")
    return [back.id.casefold()]


def back_of(store: Store, key: str, content: Body) -> Stored | None:
    """A peering in, the peering of the other network that names this one's out."""
    for holder in store.referrers(pair(parent_key(key), remote_of(content).casefold()), PEERED):
        return store.get(holder)
    return None


def space_of(network: Body) -> Body:
    """A network's content in, its address space out, ranges only."""
    prefixes = members(members(network.get("properties")).get("addressSpace")).get("addressPrefixes")
    return {"addressPrefixes": list(prefixes) if isinstance(prefixes, list) else []}


def has_gateway(store: Store, network_key: str) -> bool:
    """Whether a virtual network gateway lives in a network."""
    return bool(gateways_in(store, network_key))


def gateways_in(store: Store, network_key: str) -> list[Stored]:
    """A network's key in, the virtual network gateways that live in it out."""
    holders = store.referrers(f"{network_key}/subnets/gatewaysubnet", "subnet")
    owners = {store.owner(holder): None for holder in holders}
    found = [store.get(owner or "") for owner in owners]
    return [stored for stored in found if stored is not None and stored.type.lower() == VIRTUAL_GATEWAY]


def state_of(peering: Stored) -> str:
    """A stored peering in, the state the provider remembers out; empty when an estate gave none."""
    return text(members(peering.content.get("properties")).get("peeringState"))


def _put_state(store: Store, peering: Stored, state: str) -> None:
    content = peering.content
    content["properties"] = {**members(content.get("properties")), "peeringState": state}
    store.put(peering.id.casefold(), msgspec.structs.replace(peering, body=msgspec.json.encode(content)))
