"""One side of a peering: when it holds, when it no longer fits, and who is to be written when networks grow."""

from typing import Any

import pytest

from governor.core import step
from governor.core.peering import IN_SYNC, DeletePeering, Flags, WritePeering, is_behind
from governor.core.routing import NOWHERE, WriteRoute
from tests.core.world import table_id, vnet_id

SIDE, HUB = f"{vnet_id()}/virtualNetworkPeerings/to-hub", vnet_id("hub")
WRITE = WritePeering(SIDE, HUB, Flags(True, True), Flags(True, False))
MAKE = WritePeering(SIDE, HUB, Flags(True, True))


def side(remote: str = HUB, **properties: Any) -> dict[str, Any]:
    return {"properties": {"remoteVirtualNetwork": {"id": remote}, "unknown": 1, **properties}}


@pytest.mark.parametrize(
    ("level", "behind"),
    [
        (IN_SYNC, False),
        ("LocalNotInSync", True),
        ("localAndRemoteNotInSync", True),
        # The other side does not know our address space: it is the one to be written.
        ("RemoteNotInSync", False),
        (None, False),
    ],
)
def test_who_is_behind_is_the_local_side(level: str | None, behind: bool) -> None:
    assert is_behind(level) is behind
    holds = side(allowVirtualNetworkAccess=True, allowForwardedTraffic=True, peeringSyncLevel=level)
    wanted = step.edit(WritePeering(SIDE, HUB, Flags(True, True), Flags(), sync=True), holds)
    assert (wanted != holds) is behind
    assert step.edit(WRITE, holds) == holds


@pytest.mark.parametrize(
    ("one", "body", "why"),
    [
        (MAKE, None, None),
        (WRITE, None, "the peering is gone"),
        (DeletePeering(SIDE, HUB), None, None),
        (WRITE, side(allowForwardedTraffic=False), None),
        (WRITE, side(allowVirtualNetworkAccess=True), None),
        (WRITE, side(allowVirtualNetworkAccess=True, allowForwardedTraffic=True), None),
        (WRITE, side(HUB.upper()), None),
        (
            WRITE,
            side(allowVirtualNetworkAccess=False),
            "allowVirtualNetworkAccess was True when the plan was made and is False now",
        ),
        (
            WritePeering(SIDE, HUB, Flags(use_remote_gateways=False), Flags(use_remote_gateways=False)),
            side(useRemoteGateways=True),
            "useRemoteGateways was False when the plan was made and is True now",
        ),
        (WRITE, side(vnet_id("other")), "a peering of this name leads to other"),
        (DeletePeering(SIDE, HUB), side(vnet_id("other")), "a peering of this name leads to other"),
        (WRITE, {"properties": {}}, "a peering of this name leads to nowhere"),
    ],
)
def test_what_no_longer_fits(one: step.Step, body: dict[str, Any] | None, why: str | None) -> None:
    assert step.conflict(one, body) == why


def test_a_flag_that_azure_leaves_out_is_its_default() -> None:
    holds = side(allowForwardedTraffic=True)
    assert step.edit(WRITE, holds) == holds
    off = WritePeering(SIDE, HUB, Flags(False, False, False, False))
    assert step.edit(off, side()) == side(
        allowVirtualNetworkAccess=False, allowForwardedTraffic=False, allowGatewayTransit=False, useRemoteGateways=False
    )


def test_what_a_write_does_not_name_is_kept() -> None:
    kept: dict[str, Any] = {"useRemoteGateways": True, "remoteAddressSpace": {"addressPrefixes": ["10.0.0.0/8"]}}
    assert step.edit(WRITE, side(**kept)) == side(**kept, allowVirtualNetworkAccess=True, allowForwardedTraffic=True)


def test_a_peering_changes_both_networks_and_a_route_its_table() -> None:
    assert step.touched(WRITE) == step.touched(DeletePeering(SIDE, HUB)) == (vnet_id().casefold(), HUB.casefold())
    assert step.touched(WriteRoute(f"{table_id()}/routes/r", NOWHERE)) == (table_id().casefold(),)
