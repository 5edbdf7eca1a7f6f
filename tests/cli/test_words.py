"""What people read of a step."""

import pytest

from governor.commands import words
from governor.core.peering import DeletePeering, Flags, WritePeering
from governor.core.routing import CreateRouteTable, DeleteRoute, RouteTo, WritePropagation, WriteRoute
from governor.core.step import Step

NETWORK = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network"
TABLE, HUB, SPOKE = f"{NETWORK}/routeTables/rt-x", f"{NETWORK}/virtualNetworks/hub", f"{NETWORK}/virtualNetworks/spoke"
SIDE = f"{SPOKE}/virtualNetworkPeerings/to-hub"
DEFAULT = RouteTo("default", "0.0.0.0/0", "VirtualAppliance", "10.0.1.4")
DIRECT = RouteTo("default", "0.0.0.0/0", "Internet")


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (CreateRouteTable(TABLE, "westeurope"), "create route table rt-x: 0.0.0.0/0 goes nowhere"),
        (CreateRouteTable(TABLE, "westeurope", routes=(DEFAULT,)), "create route table rt-x with 1 route"),
        (CreateRouteTable(TABLE, "westeurope", routes=(DEFAULT, DIRECT)), "create route table rt-x with 2 routes"),
        (WriteRoute(f"{TABLE}/routes/default", DEFAULT), "write route 0.0.0.0/0 -> 10.0.1.4 into table rt-x"),
        (
            WriteRoute(f"{TABLE}/routes/default", DEFAULT, DIRECT),
            "write route 0.0.0.0/0 -> 10.0.1.4 into table rt-x (was 0.0.0.0/0 -> Internet)",
        ),
        (DeleteRoute(f"{TABLE}/routes/default", DIRECT), "take route 0.0.0.0/0 -> Internet out of table rt-x"),
        (
            WritePropagation(TABLE, disabled=True, was=False),
            "let table rt-x ignore routes that gateways have learned",
        ),
        (
            WritePropagation(TABLE, disabled=False, was=True),
            "let table rt-x take routes that gateways have learned",
        ),
        (
            WritePeering(SIDE, HUB, Flags(True, True)),
            "write peering spoke -> hub (access allowed, forwarded traffic allowed)",
        ),
        (
            WritePeering(SIDE, HUB, Flags(allow_gateway_transit=False, use_remote_gateways=True), sync=True),
            "write peering spoke -> hub (gateway transit not allowed, remote gateways used, address space taken over)",
        ),
        (WritePeering(SIDE, HUB, Flags(), sync=True), "write peering spoke -> hub (address space taken over)"),
        (
            WritePeering(SIDE, HUB, Flags(use_remote_gateways=False)),
            "write peering spoke -> hub (remote gateways not used)",
        ),
        (DeletePeering(SIDE, HUB), "delete peering spoke -> hub"),
    ],
    ids=str,
)
def test_what_a_step_does(step: Step, says: str) -> None:
    assert words.does(step) == says
    assert words.say(step) == f"{type(step).__name__}: {says}"
