"""When Azure refuses a peering: a peering as it would be, in its network and beside its others, in; nothing out."""

from itertools import product

from simulator import errors
from simulator.ids import VNET
from simulator.peerings import back_of, has_gateway, remote_of, space_of, state_of
from simulator.ranges import parsed
from simulator.rules import Planned, PlannedNetwork
from simulator.store import Store, Stored
from simulator.wire import Body, members
from simulator.world import World

MOST_PEERINGS = 500


def check(world: World, network: PlannedNetwork, peering: Planned, others: dict[str, Body]) -> None:
    """A peering as it would be in its network, beside its `others`; refused when the provider would not have it."""
    store, properties = world.store, members(peering.content.get("properties"))
    remote_id = remote_of(peering.content)
    if peering.before is not None and remote_of(peering.before).casefold() != remote_id.casefold():
        raise errors.bad(
            "RemoteVirtualNetworkOfPeeringCannotBeChanged",
            f"The remote virtual network of peering {peering.id} cannot be changed.",
        )
    if remote_id.casefold() == network.id.casefold():
        raise errors.bad(
            "PeeringCannotReferenceItsOwnVirtualNetwork",
            f"Peering {peering.id} cannot reference its own virtual network {network.id}.",
        )
    if properties.get("peerCompleteVnets") is False:
        raise errors.not_modelled("peerings of single subnets (peerCompleteVnets false)")
    remote = _ready(world, peering, remote_id)
    for other_id, other in others.items():
        if remote_of(other).casefold() == remote_id.casefold():
            raise errors.bad(
                "AnotherPeeringAlreadyReferencesRemoteVnet",
                f"Peering {other_id} already references remote virtual network Id: {remote.id}",
            )
    if len(others) >= MOST_PEERINGS:
        raise errors.bad(
            "VirtualNetworkPeeringLimitExceeded",
            f"Virtual network {network.id} cannot have more than {MOST_PEERINGS} peerings.",
        )
    back = back_of(store, peering.key, peering.content)
    if back is not None and state_of(back) == "Disconnected":
        raise errors.bad(
            "RemotePeeringIsDisconnected",
            f"Cannot create or update peering {peering.id} because remote peering {back.id} referencing parent "
            f"virtual network {network.id} is in Disconnected state. Update or re-create the remote peering to get it "
            "back to Initiated state. Peering gets Disconnected when remote vnet or remote peering is deleted and "
            "re-created.",
        )
    _check_spaces(store, network, peering, remote, others)
    _check_gateways(store, network, peering, remote, others)


def check_space(store: Store, network: PlannedNetwork, peerings: dict[str, Body]) -> None:
    """A network with the peerings it would have in; its ranges must not overlap with those of its peers."""
    for peering_id, peering in peerings.items():
        remote = store.get(remote_of(peering).casefold())
        if remote is not None:
            _refuse_overlap(network, peering_id, remote)


def _ready(world: World, peering: Planned, remote_id: str) -> Stored:
    """The network on the other side: in any region and subscription, but there and Succeeded."""
    remote = world.store.get(remote_id.casefold())
    if remote is None or remote.type.lower() != VNET:
        raise errors.reference_not_found(remote_id, peering.id)
    if remote.state not in ("Succeeded", ""):
        running = world.operations.running(remote_id.casefold())
        last = running.label if running is not None else "PutVirtualNetworkOperation"
        # A peering is refused with 400 where others are told to try again (429).
        raise errors.not_provisioned(remote.id, peering.id, remote.state, last, retryable=False)
    return remote


def _check_spaces(
    store: Store, network: PlannedNetwork, peering: Planned, remote: Stored, others: dict[str, Body]
) -> None:
    """Neither the two networks overlap, nor one of them with a network the other is peered with."""
    _refuse_overlap(network, peering.id, remote)
    prefixes, theirs = list(network.prefixes), space_of(remote.content)["addressPrefixes"]
    far = {
        found.id: found.content
        for found in store.listed(f"{remote.id.casefold()}/virtualnetworkpeerings")
        if remote_of(found.content).casefold() != network.id.casefold()
    }
    for which, other, mine, peered in (("first", "second", prefixes, far), ("second", "first", theirs, others)):
        for found in peered.values():
            third = store.get(remote_of(found).casefold())
            overlap = _overlapping(mine, space_of(third.content)["addressPrefixes"]) if third is not None else []
            if third is not None and overlap:
                raise errors.bad(
                    "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet",
                    f"Cannot create or update peering {peering.id}. Virtual networks {network.id} and {remote.id} "
                    f"cannot be peered because address space of the {which} virtual network overlaps with address "
                    f"space of virtual network {third.id} already peered with the {other} virtual network. "
                    f"Overlapping address prefixes: {', '.join(overlap)}.",
                )


def _refuse_overlap(network: PlannedNetwork, peering_id: str, remote: Stored) -> None:
    overlap = _overlapping(list(network.prefixes), space_of(remote.content)["addressPrefixes"])
    if overlap:
        raise errors.bad(
            "VnetAddressSpacesOverlap",
            f"Cannot create or update peering {peering_id}. Virtual networks {network.id} and {remote.id} cannot be "
            f"peered because their address spaces overlap. Overlapping address prefixes: {', '.join(overlap)}",
        )


def _overlapping(ones: list[str], others: list[str]) -> list[str]:
    """Two lists of ranges in, the ranges of both that overlap out, in pairs."""
    found: list[str] = []
    for one, other in product(ones, others):
        first, second = parsed(one), parsed(other)
        if first is not None and second is not None and (first.lies_in(second) or second.lies_in(first)):
            found += [one, other]
    return found


def _check_gateways(
    store: Store, network: PlannedNetwork, peering: Planned, remote: Stored, others: dict[str, Body]
) -> None:
    """Who uses the gateway of the other side has none, uses one only, and is let through there."""
    properties, back = members(peering.content.get("properties")), back_of(store, peering.key, peering.content)
    theirs = members(back.content.get("properties")) if back is not None else {}
    transit, uses = properties.get("allowGatewayTransit"), properties.get("useRemoteGateways")
    if theirs.get("useRemoteGateways") and not transit and back is not None:
        raise errors.bad(
            "RemotePeeringUsesRemoteGateways",
            f"Peering {peering.id} must have AllowGatewayTransit flag set to true because remote peering {back.id} has "
            "UseRemoteGateways flag set to true.",
        )
    if not uses:
        return
    cannot = f"Peering {peering.id} cannot have UseRemoteGateways flag set to true"
    if transit:
        raise errors.bad(
            "AllowGatewayTransitAndUseRemoteGatewaysCannotBothBeSet",
            f"{cannot}, because it has AllowGatewayTransit flag set to true.",
        )
    for other_id, other in others.items():
        if members(other.get("properties")).get("useRemoteGateways"):
            raise errors.bad(
                "AnotherPeeringAlreadyUsesRemoteGateways",
                f"{cannot}, because another peering {other_id} already has UseRemoteGateways flag set to true.",
            )
    if has_gateway(store, network.id.casefold()):
        raise errors.bad(
            "VirtualNetworkWithGatewayCannotUseRemoteGateways",
            f"{cannot}, because virtual network {network.id} has a gateway of its own.",
        )
    if not properties.get("doNotVerifyRemoteGateways") and not has_gateway(store, remote.id.casefold()):
        raise errors.bad(
            "RemoteVnetHasNoGateways",
            f"Peering {peering.id} cannot have UseRemoteGateway flag set to true because remote virtual network "
            f"{remote.id} referenced by the peering does not have any gateways.",
        )
    if back is not None and not theirs.get("allowGatewayTransit"):
        raise errors.bad(
            "RemotePeeringDoesNotAllowGatewayTransit",
            f"{cannot}, because remote peering {back.id} has AllowGatewayTransit flag set to false.",
        )
